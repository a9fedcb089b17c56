# rootjail: binds with all their options, devices, and the file systems of the kernel that it mounts when asked to.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # text for inner shells; each test is a shell of its own; run assigns stderr

setup_file() {
	load helpers
	load helpers/jail
	prepare_template
}

setup() {
	load helpers
	load helpers/jail
	prepare_jail
	# In front of what a user namespace allows only in more namespaces of its own.
	if has root; then OWN=(nsnew -pmniC rootjail); else OWN=(nsnew -rpmniC rootjail); fi
}

teardown() {
	remove_alone
	end_jail
}

# flags PLACE: the options in front of the ones of the file system, of the mount at PLACE in $output.
flags() {
	awk -v at="$1" '$5 == at { print "," $6 "," }' <<<"$output"
}

# --- binds ---

@test "bind: rec and norec" {
	mkdir "$HOST/sub"
	world '
		mount -t tmpfs none "$HOST/sub"
		echo below >"$HOST/sub/file"
		nsnew -p rootjail -b "$HOST:/a" -b "$HOST:/b:rec" -b "$HOST:/c:norec" -b "$HOST:/d:rec,norec" -b "$HOST:/e:norec,rec" "$R" sh -c "for place in a b c d e; do echo \$place: \$(ls -A /\$place/sub); done"'
	assert_status 0
	assert_output $'a: file\nb: file\nc:\nd:\ne: file'
}

@test "bind: norec of what has mounts below is refused in a user namespace, with a hint, since they may hide something" {
	requires userns
	mkdir "$HOST/sub"
	world '
		mount -t tmpfs none "$HOST/sub"
		nsnew -rm rootjail --bare -b "$HOST:/a:norec" "$R" true || echo "refused $?"
		nsnew -rm rootjail --bare -b "$HOST/file:/a:norec" -b "$HOST:/b" "$R" cat /a /b/file'
	assert_output $'refused 125\nhost\nhost'
	assert_says "'$HOST'"
	assert_says 'hint: in a user namespace, what is mounted below it cannot be left out'
}

@test "bind: each option and its opposite, the last one counts" {
	# A mount of the test's own, which has none of these.
	world '
		mount -t tmpfs none "$HOST"
		nsnew -p rootjail --tmpfs /t -b "$HOST:/t/plain" -b "$HOST:/t/opposites:rw,nodev,nosuid,exec,symfollow" -b "$HOST:/t/all:ro,dev,suid,noexec,nosymfollow" -b "$HOST:/t/last:ro,rw,dev,nodev,noexec,exec" "$R" cat /proc/self/mountinfo'
	assert_status 0
	[[ $(flags /t/plain) == ,rw,nosuid,nodev,relatime, ]]
	[ "$(flags /t/opposites)" = "$(flags /t/plain)" ]
	[ "$(flags /t/last)" = "$(flags /t/plain)" ]
	[[ $(flags /t/all) == ,ro,noexec,*nosymfollow, || $(flags /t/all) == ,ro,noexec,relatime,nosymfollow, ]]
}

@test "bind: nosymfollow" {
	ln -s file "$HOST/link"
	run "${JAIL[@]}" -b "$HOST:/a" -b "$HOST:/b:nosymfollow" "$R" sh -c 'cat /a/link /b/file /b/link'
	assert_status 1
	[ "${lines[0]}${lines[1]}" = hosthost ]
	assert_says "/b/link': Too many levels"
}

@test "bind: suid of it counts only if asked for; of the root with --suid" {
	requires static suid
	# It says which ids it has, by system calls; busybox would give up what a set-user-ID bit gave it.
	cp "$HELPERS/capstate" "$HOST/capstate"
	cp "$HELPERS/capstate" "$R/bin/capstate"
	chmod 4755 "$HOST/capstate" "$R/bin/capstate"
	local user=(capjail --allow-new-privs -u 54321:54321) script='for place in /a /b /bin; do "$place/capstate" | cut -d " " -f 1; done'
	run "${JAIL[@]}" -b "$HOST:/a" -b "$HOST:/b:suid" "$R" "${user[@]}" sh -c "$script"
	assert_output $'uids=54321,54321,54321,54321\nuids=54321,0,0,0\nuids=54321,54321,54321,54321'
	run "${JAIL[@]}" --suid -b "$HOST:/a" -b "$HOST:/b:suid" "$R" "${user[@]}" sh -c "$script"
	assert_output $'uids=54321,54321,54321,54321\nuids=54321,0,0,0\nuids=54321,0,0,0'
	run "${JAIL[@]}" --suid --overlay "$R" "${user[@]}" /bin/capstate
	assert_says 'uids=54321,0,0,0'
}

@test "bind: read-only holds for what is mounted below, before and after, and the host's stays as it was (S19)" {
	world '
		mkdir "$HOST/sub" && mount -t tmpfs none "$HOST/sub"
		mkdir "$HOST/sub/sub" && mount -t tmpfs none "$HOST/sub/sub"
		nsnew -p rootjail -b "$HOST:/a:ro,noexec" "$R" sh -c "
			for place in /a /a/sub /a/sub/sub; do echo x >\$place/new; done
			grep \" /a\" /proc/self/mountinfo"
		echo x >"$HOST/new"; echo x >"$HOST/sub/new"; echo x >"$HOST/sub/sub/new"'
	assert_status 0
	says_count 3 'Read-only file system'
	local place
	for place in /a /a/sub /a/sub/sub; do
		[[ $(flags "$place") == ,ro,nosuid,nodev,noexec,* ]]
	done
}

@test "bind: flags that the host's mount has are kept, also where they are locked (S20)" {
	world '
		mount -t tmpfs -o nosuid,nodev,noexec,noatime none "$HOST"
		cp "$R/bin/busybox" "$HOST"
		mkdir "$HOST/sub"
		mount -t tmpfs -o ro none "$HOST/sub"
		for user in "" "-r"; do
			nsnew $user -pm rootjail -b "$HOST:/a" -b "$HOST:/b:ro" -b "$HOST:/c:suid,dev,exec,rw" "$R" sh -c "cat /proc/self/mountinfo; /c/busybox true || echo \$?; echo x >/c/sub/new"
			echo --
		done || true'
	local part place
	for part in "${output%%--*}" "${output#*--}"; do
		output=$part
		[[ $(flags /a) == ,rw,nosuid,nodev,noexec,noatime, ]]
		[[ $(flags /b) == ,ro,nosuid,nodev,noexec,noatime, ]]
		[[ $(flags /c) == ,rw,nosuid,nodev,noexec,noatime, ]]
		[[ $(flags /a/sub) == ,ro,* && $(flags /c/sub) == ,ro,* ]]
		grep -qx 126 <<<"$output"
	done
}

@test "bind: a source that is swapped once it is open is still the one that was meant (S17)" {
	requires strace
	mkdir "$HOST/a" "$HOST/b"
	echo right >"$HOST/a/file"
	echo wrong >"$HOST/b/file"
	ln -s a "$HOST/link"
	local log=$BATS_TEST_TMPDIR/log call
	# In turn held up at what comes after the sources are open: the clones, and the first mount in the new root.
	for call in open_tree pivot_root; do
		rm -f "$log"
		"${PRIVILEGED[@]}" nsnew -m strace -qq -f -o "$log" -e "trace=$call" -e signal=none -e "inject=$call:delay_enter=1500000:when=1" \
			rootjail --bare -b "$HOST/a:/one" -b "$HOST/link:/two" -b "$HOST/a/file:/three" --file "$HOST/a/file:/four" "$R" sh -c 'cat /one/file /two/file /three /four' >"$BATS_TEST_TMPDIR/out" 3>&- &
		local pid=$!
		# strace writes the call's name when it is entered.
		eventually grep -qs "$call" "$log"
		mv "$HOST/a" "$HOST/c"
		mv "$HOST/b" "$HOST/a"
		ln -sfn b "$HOST/link"
		wait "$pid"
		[ "$(sort -u "$BATS_TEST_TMPDIR/out")" = right ]
		[ "$(wc -l <"$BATS_TEST_TMPDIR/out")" = 4 ]
		mv "$HOST/a" "$HOST/b"
		mv "$HOST/c" "$HOST/a"
		ln -sfn a "$HOST/link"
	done
}

@test "bind: 5000 of them, in one root (R19)" {
	local arguments=() n before
	for ((n = 0; n < 5000; n++)); do
		arguments+=(-b "$HOST/file:/b/$n:ro")
	done
	if [ "$(ulimit -Hn)" -lt 5100 ]; then skip 'needs 5100 open files'; fi
	before=$(cat /proc/self/mountinfo)
	# It raises the limit for itself.
	ulimit -Sn 1000
	run "${JAIL[@]}" "${arguments[@]}" "$R" sh -c 'grep -c " /b/" /proc/self/mountinfo; cat /b/0 /b/4999; ulimit -Sn; ulimit -Hn'
	assert_output $'5000\nhost\nhost\n1000\n'"$(ulimit -Hn)"
	[ "$(cat /proc/self/mountinfo)" = "$before" ]
}

@test "bind: more than there may be open files is refused, naming the limit; nothing is left (R17, R19)" {
	local arguments=() n before
	for ((n = 0; n < 5000; n++)); do
		arguments+=(-b "$HOST/file:/b/$n")
	done
	before=$(cat /proc/self/mountinfo)
	ulimit -n 256
	# Far beyond it, and at each place on the way where the last one may be taken.
	for n in 5000 400 {180..256}; do
		run --separate-stderr "${JAIL[@]}" --overlay --mask /etc/passwd "${arguments[@]:0:n*2}" "$R" true
		[ "$status" != 0 ] || continue
		assert_status 125
		assert_says 'ulimit -Hn'
	done
	assert_status 125
	[ "$(cat /proc/self/mountinfo)" = "$before" ]
	[ ! -e "$R/b" ]
}

# --- ids ---

@test "idmap: a bind shows ids of the disk as others, and what is made has those of the disk" {
	requires static root idmap
	chown 0:0 "$HOST" "$HOST/file"
	echo five >"$HOST/five" && chown 5:6 "$HOST/five"
	echo other >"$HOST/other" && chown 77:77 "$HOST/other"
	run rootjail -b "$HOST:/a:idmap=0-100000-10" "$R" sh -c 'cd /a; stat -c "%u:%g" . file five other'
	assert_status 0
	assert_output $'100000:100000\n100000:100000\n100005:100006\n65534:65534'
	# Somebody who is called 100005 there is 5 on disk.
	chmod 0777 "$HOST"
	run rootjail -b "$HOST:/a:idmap=0-100000-10" "$R" capjail -u 100005:100006 sh -c 'echo x >/a/new; echo x >>/a/five && stat -c "%u:%g" /a/new'
	assert_status 0
	assert_output 100005:100006
	[ "$(stat -c %u:%g "$HOST/new")" = 5:6 ]
	# An id that is none on disk cannot make anything.
	run rootjail -b "$HOST:/a:idmap=0-100000-10" "$R" sh -c 'echo x >/a/none'
	[ "$status" -ne 0 ]
	[ ! -e "$HOST/none" ]
	# The host's view is what it was.
	[ "$(stat -c %u:%g "$HOST/five")" = 5:6 ]
}

@test "idmap: several extents, with other options, of a file, of a tmpfs" {
	requires root idmap
	echo x >"$HOST/a" && chown 1:1 "$HOST/a"
	echo x >"$HOST/b" && chown 20:20 "$HOST/b"
	run rootjail -b "$HOST:/x:ro,idmap=0-1000-10+20-5-1,noexec" -b "$HOST/b:/y:idmap=20-21-1" "$R" sh -c 'stat -c "%u" /x/a /x/b /y; echo x >/x/a'
	[ "${lines[0]} ${lines[1]} ${lines[2]}" = '1001 5 21' ]
	assert_says 'Read-only file system'
	world '
		mount -t tmpfs none "$HOST"
		echo x >"$HOST/a"
		rootjail -b "$HOST:/x:idmap=0-7-1" "$R" stat -c %u /x/a || echo "refused $?"'
	# Linux 6.3 and later can.
	[ "$output" = 7 ] || assert_says 'not every file system can do it'
}

@test "idmap: in a PID namespace whose processes the old /proc does not show by their own numbers" {
	requires root idmap
	chown 5:6 "$HOST/file"
	run "${JAIL[@]}" -b "$HOST:/a:idmap=0-100000-10" "$R" stat -c '%u:%g' /a/file
	assert_status 0
	assert_output 100005:100006
}

@test "idmap: what is mounted below has its ids mapped too, or it is refused" {
	requires root idmap
	mkdir "$HOST/sub"
	world '
		mount --bind "$R" "$HOST/sub"
		chown 5:5 "$HOST/sub" "$HOST"
		rootjail -b "$HOST:/x:idmap=0-100000-10" "$R" stat -c %u /x /x/sub || echo "refused $?"
		rootjail -b "$HOST:/y:norec,idmap=0-100000-10" "$R" stat -c %u /y'
	[ "$output" = $'100005\n100005\n100005' ] || assert_output $'refused 125\n100005'
}

@test "idmap: what cannot be is refused with a hint" {
	requires root idmap
	assert_refuses 'not every file system can do it' rootjail -b /proc:/x:idmap=0-1-1 "$R" "${UNREACHED[@]}"
	mkdir "$HOST/sub"
	world '
		mount -t proc none "$HOST/sub"
		rootjail -b "$HOST:/x:idmap=0-1-1" "$R" true || echo "refused $?"
		rootjail -b "$HOST:/x:norec,idmap=0-1-1" "$R" stat -c %u /x/file'
	assert_output $'refused 125\n1'
	assert_says "hint: not every file system can do it; 'norec' leaves out what is below"
}

@test "idmap: in a user namespace it is refused with a hint" {
	requires userns
	local map
	for map in 0-0-1 0-100000-1 0-1-1; do
		assert_refuses 'hint: this needs CAP_SYS_ADMIN over the file system' nsnew -rm rootjail --bare -b "$HOST:/x:idmap=$map" "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	done
}

@test "idmap: bad maps" {
	local map
	for map in '' 0 0-1 0-1- -1-1 0-1-0 0-1-1-1 x-1-1 0:1:1 0-1-4294967296 4294967295-0-1 0-1-1+ +0-1-1 0-1-1+0-2-1 0-1-1+1-1-1 auto all subids 0--1-1 '0-1-1 '; do
		assert_refuses --bind "${PRIVILEGED[@]}" rootjail -b "$HOST:/x:idmap=$map" "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
		# What is said is about the form that there is here.
		! grep -q 'INNER\|subids or all' <<<"$stderr" || { echo "$stderr"; return 1; }
	done
}

# --- --dev ---

@test "--dev: a device of the old root works; others do not come with it" {
	local node=/dev/null
	[ ! -r /dev/fuse ] || node=/dev/fuse
	run "${JAIL[@]}" --dev "$node" --dev=/dev/zero "$R" sh -c 'stat -c "%F %t:%T" "$1" && exec 5<>"$1" && head -c 3 /dev/zero | wc -c; ls /dev | wc -l; ls /dev/kmsg' sh "$node"
	[ "${lines[0]}" = "$(stat -c '%F %t:%T' "$node")" ]
	[ "${lines[1]}" = 3 ]
	assert_says '/dev/kmsg: No such'
	run mounted --dev "$node" --dev /dev/full "$R"
	[[ $(grep '^/dev/full ' <<<"$output" | tail -n 1) == *nosuid,noexec* ]]
	# Also where there is no /dev of its own, and to be made.
	run "${JAIL[@]}" --bare --dev /dev/zero "$R" sh -c 'head -c 3 /dev/zero | wc -c'
	assert_output 3
}

@test "--dev: a block device" {
	requires root loop
	local node
	node=$(losetup -f)
	run "${JAIL[@]}" --dev "$node" "$R" sh -c 'stat -c "%F %t:%T" "$1"; head -c 1 "$1" | wc -c' sh "$node"
	[ "${lines[0]}" = "$(stat -c '%F %t:%T' "$node")" ]
}

@test "--dev: what is no device, is not there or has no place is refused" {
	assert_refuses 'is not a device' "${JAIL[@]}" --dev "$HOST/file" "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	assert_refuses 'is not a device' "${JAIL[@]}" --dev "$HOST" "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	mkfifo "$HOST/fifo"
	assert_refuses 'is not a device' "${JAIL[@]}" --dev "$HOST/fifo" "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	assert_refuses "'$HOST/none'" "${JAIL[@]}" --dev "$HOST/none" "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	local place
	for place in '' / null dev/null /dev/../dev/null; do
		assert_refuses --dev "${JAIL[@]}" --dev "$place" "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	done
	ln -s /etc/passwd "$R/dev/zero"
	assert_refuses "'/dev/zero'" "${JAIL[@]}" --bare --dev /dev/zero "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	assert_says 'hint: it is a symlink'
}

@test "--dev: on a file system that is nodev it would be no device, and is refused" {
	requires root
	world '
		mount -t tmpfs none "$HOST"
		mknod "$HOST/null" c 1 3
		mount -o remount,nodev "$HOST"
		mount -o remount,bind,nodev "$HOST"
		nsnew -rm rootjail --bare --dev "$HOST/null" "$R" true || echo "refused $?"
		rootjail --bare --dev "$HOST/null" "$R" sh -c "echo x >$HOST/null && echo works" || echo "refused $?"'
	[ "${lines[0]}" = 'refused 125' ]
	assert_says nodev
	[ "${lines[1]}" = works ] || [ "${lines[1]}" = 'refused 125' ]
}

@test "devices that are in the root beforehand are none (S25)" {
	requires static root
	mknod "$R/disk" b 7 0
	mknod "$R/null" c 1 3
	mknod "$R/dev/mem" c 1 1
	mkdir "$HOST/below" && mknod "$HOST/below/null" c 1 3
	run "${JAIL[@]}" -b "$HOST:/b" --tmpfs /t "$R" sh -c '
		for node in /null /disk /b/below/null; do head -c 1 $node; echo x >>$node; done
		for place in / /t /dev /dev/shm; do mknod $place/made c 1 3 && echo x >>$place/made; done
		ls /dev/mem'
	[ "$(grep -c 'Permission denied\|denied' <<<"$output")" = 10 ]
	run "${JAIL[@]}" --bare "$R" sh -c 'head -c 1 /dev/mem'
	assert_says 'Permission denied'
	run "${JAIL[@]}" "$R" capjail --drop mknod mknod /tmp/null c 1 3
	assert_says 'not permitted'
}

@test "devices that are made in the root, in /dev too, are none (S25)" {
	requires root
	local place
	for place in /null /tmp/null /dev/new /dev/shm/null /memory/null; do
		run --separate-stderr "${JAIL[@]}" --tmpfs=/memory "$R" sh -c 'mknod "$1" c 1 3 && echo made && echo x >"$1"' sh "$place"
		echo "$place"
		assert_status 1
		assert_output made
		assert_says 'Permission denied'
	done
}

@test "/dev/pts: nothing of the host's terminals; a new one is number 0, mode 620 (S26)" {
	run "${JAIL[@]}" "$R" sh -c 'ls /dev/pts; stat -c %a /dev/pts/ptmx; exec 5<>/dev/ptmx; ls /dev/pts; stat -c %a /dev/pts/0; readlink /dev/ptmx'
	assert_output $'ptmx\n666\n0\nptmx\n620\npts/ptmx'
	run "${JAIL[@]}" "$R" grep ' /dev/pts ' /proc/self/mountinfo
	assert_says ptmxmode=666
	! has root || assert_says gid=5
}

# --- file systems of the kernel ---

@test "--proc, --sys, --mqueue, --cgroup: what each is mounted as, and nothing of it unasked" {
	run "${OWN[@]}" --no-masks "$R" cat /proc/self/mountinfo
	local place
	for place in /sys /dev/mqueue /sys/fs/cgroup; do
		[ -z "$(flags "$place")" ]
	done
	run "${OWN[@]}" --no-masks --sys --mqueue --cgroup "$R" cat /proc/self/mountinfo
	assert_status 0
	[[ $(flags /proc) == ,rw,nosuid,nodev,noexec,* ]]
	[[ $(flags /sys) == ,ro,nosuid,nodev,noexec,* ]]
	[[ $(flags /dev/mqueue) == ,rw,nosuid,nodev,noexec,* ]]
	[[ $(flags /sys/fs/cgroup) == ,ro,nosuid,nodev,noexec,* ]]
	grep -q ' /dev/mqueue .* - mqueue ' <<<"$output"
	grep -q ' / /sys/fs/cgroup .* - cgroup2 ' <<<"$output"
	# Each also where there is nothing of the others.
	run "${OWN[@]}" --bare --no-masks --cgroup --mqueue --proc "$R" cat /proc/self/mountinfo
	[ "$(cut -d ' ' -f 5 <<<"$output" | sort | tr '\n' ' ')" = '/ /dev/mqueue /proc /sys/fs/cgroup ' ]
}

@test "--mqueue: queues of this IPC namespace, and none of the host's (S23)" {
	run "${OWN[@]}" --mqueue "$R" sh -c 'ls -A /dev/mqueue; echo -n >/dev/mqueue/queue && ls /dev/mqueue'
	assert_output queue
	run "${OWN[@]}" --mqueue "$R" ls -A /dev/mqueue
	assert_output ''
}

@test "--sys: devices of this net namespace alone" {
	run "${OWN[@]}" --sys "$R" ls /sys/class/net
	assert_status 0
	! grep -qvx 'lo\|sit0\|tunl0\|ip.*\|gre.*\|erspan0\|bonding_masters\|teql0' <<<"$output" || return 1
	grep -qx lo <<<"$output"
}

@test "--sys, --mqueue, --cgroup: refused in a user namespace that has none of its own, each with its hint (S23)" {
	requires userns
	assert_refuses "'nsnew -n'" nsnew -rpmiC rootjail --sys "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	assert_refuses "'nsnew -i'" nsnew -rpmnC rootjail --mqueue "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	assert_refuses 'nsnew -C' nsnew -rpmni rootjail --cgroup "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	assert_refuses "'nsnew -p'" nsnew -rmniC rootjail --proc "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	# One that is the host's, taken along into a user namespace, is not the own.
	assert_refuses "'nsnew -C'" "${PRIVILEGED[@]}" nsnew -C nsnew -rpm rootjail --cgroup "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
}

@test "--cgroup: in the cgroup namespace of the machine it is refused, also for root (S27)" {
	assert_refuses "hint: put 'nsnew -C' in front" "${JAIL[@]}" --cgroup "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
}

@test "--cgroup: its top is the own group, nothing above it shows, and nothing can be written or made (S27)" {
	prepare_alone v2
	requires cgroup
	local chain=("${ALONE[@]}" cgrun)
	if has root; then chain+=(nsnew -pmniC); else chain+=(nsnew -rpmniC); fi
	run "${chain[@]}" rootjail --sys --cgroup "$R" sh -c '
		grep ^0:: /proc/self/cgroup; cat /sys/fs/cgroup/cgroup.procs | grep -cx 1
		cd /sys/fs/cgroup; mkdir x; echo 0 >cgroup.procs; echo 0 >cgroup.freeze; echo >release_agent; ls ../cgroup | grep -c ^cgroup.procs; find . -type d | wc -l'
	[ "${lines[0]}" = 0::/ ]
	says_count 4 'Read-only file system'
	[ "${lines[-2]}" = 1 ]
	[ "${lines[-1]}" = 1 ]
}

@test "/proc that is hidden in part is not shown whole to a user namespace, which is said (S23)" {
	requires static userns
	run --separate-stderr unshare -m bash -c 'mount -t tmpfs none /proc/sys && exec nsnew -rpm rootjail "$R" cat /marker'
	! has root || assert_status 125
	! has root || assert_says hint
	# Behind a rootjail of one's own, with its masks, the same.
	run --separate-stderr "${JAIL[@]}" -b "$BATS_FILE_TMPDIR/template:/inner" "$R" nsnew -rpm rootjail /inner echo ran
	assert_status 125
	assert_output ''
	assert_says hint
	run "${JAIL[@]}" --no-masks -b "$BATS_FILE_TMPDIR/template:/inner" --dir /inner/proc "$R" nsnew -rpm rootjail /inner sh -c 'cat /marker; ls -d /proc/1 /proc/self'
	assert_output $'inside\n/proc/1\n/proc/self'
}

@test "idmap: also where /proc is that of another PID namespace, and no stranger there gets a map" {
	requires root idmap
	# Processes with small numbers in it, in user namespaces that have no map yet.
	run nsnew -pm --mount-proc sh -c '
		for i in 1 2 3 4 5 6 7 8; do unshare -U sleep 60 & done
		until [ "$(cat /proc/[0-9]*/comm 2>/dev/null | grep -cx sleep)" = 8 ]; do :; done
		nsnew -p rootjail -b "$1:/x:idmap=0-5000-10" "$2" stat -c %u /x/file
		nsnew -p nsnew --map-users=0:100000:10 --map-groups=0:100000:10 id -u
		grep -c . /proc/[2-9]/uid_map' sh "$HOST" "$R"
	[ "${lines[0]}" = 5000 ]
	[ "${lines[1]}" = 0 ]
	! grep ':[1-9]' <<<"$output" || return 1
}

@test "--cgroup: where no /proc tells the namespace it is refused (S27)" {
	requires static root
	world 'umount -l /proc; rootjail --bare --cgroup "$R" echo ran || echo "refused $?"'
	assert_output 'refused 125'
}
