# rootjail: COMMAND has the given root and nothing of the old one, whatever the root file system holds, and the host keeps what it has.
# Variable ROUNDS: how often a root is started in while its directories are exchanged for symlinks.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # what is in single quotes is for the shell that is started; run assigns stderr

setup_file() {
	load helpers
	load helpers/jail
	prepare_template
}

setup() {
	load helpers
	load helpers/jail
	prepare_jail
}

teardown() {
	end_jail
}

# --- the root ---

@test "the root is ROOTFS and the working directory is its top" {
	cd /usr
	run "${JAIL[@]}" "$R" sh -c 'cat /marker; pwd; readlink /proc/self/cwd; stat -c %i /; ls -a / | tr "\n" " "'
	assert_status 0
	[ "${lines[0]}" = inside ]
	[ "${lines[1]}" = / ]
	[ "${lines[2]}" = / ]
	[ "${lines[3]}" = "$(stat -c %i "$R")" ]
	[ "${lines[4]}" = '. .. bin dev etc home marker proc root sys tmp ' ]
}

@test "ROOTFS as a relative path, as '.', by a symlink, with slashes behind it" {
	cd "$BATS_TEST_TMPDIR"
	ln -s root link
	local path
	for path in root ./root link root// host/../root; do
		run "${JAIL[@]}" "$path" cat /marker
		assert_output inside
	done
	cd "$R"
	run "${JAIL[@]}" . cat /marker
	assert_output inside
}

@test "nothing but the new root's own mounts is in mountinfo (S22)" {
	run mounted --no-masks "$R"
	assert_status 0
	[ "$(cut -d ' ' -f 1 <<<"$output" | sort | tr '\n' ' ')" = '/ /dev /dev/full /dev/null /dev/pts /dev/random /dev/shm /dev/tty /dev/urandom /dev/zero /proc ' ]
	run mounted --bare --no-masks --proc "$R"
	[ "$(cut -d ' ' -f 1 <<<"$output" | tr '\n' ' ')" = '/ /proc ' ]
	run mounted --bare --no-masks --proc --overlay "$R"
	[ "$(cut -d ' ' -f 1 <<<"$output" | tr '\n' ' ')" = '/ /proc ' ]
}

@test "an overlay of / leaves nothing of the old root on top of it or below (S22)" {
	requires root
	run mounted --bare --no-masks --proc --overlay /
	assert_status 0
	[ "$(cut -d ' ' -f 1 <<<"$output" | tr '\n' ' ')" = '/ /proc ' ]
	run rootjail --bare --overlay / sh -c 'echo >"/..$1/escaped"; ls "/..$1"' sh "$HOST"
	assert_says escaped
	[ ! -e "$HOST/escaped" ]
}

@test "the root is nosuid and nodev, with what is mounted below it (S25)" {
	world '
		mkdir "$R/sub"
		mount -t tmpfs none "$R/sub"
		nsnew -p rootjail "$R" cat /proc/self/mountinfo | cut -d " " -f 5,6 | grep -E "^(/|/sub) "'
	assert_status 0
	[ "${#lines[@]}" = 2 ]
	local line
	for line in "${lines[@]}"; do
		[[ ",${line#* }," == *,nosuid,* && ",${line#* }," == *,nodev,* ]]
	done
}

@test "the known ways out of a root lead nowhere (S22)" {
	# They are ways indeed: out of a chroot one is found.
	run "${PRIVILEGED[@]}" chroot "$R" /bin/breakout "$HOST/file"
	assert_status 0
	assert_says 'second chroot'
	run "${JAIL[@]}" "$R" /bin/breakout "$HOST/file"
	assert_status 1
	assert_output ''
	run "${PRIVILEGED[@]}" rootjail --bare "$R" /bin/breakout "$HOST/file"
	assert_status 1
	assert_output ''
}

@test "waiting links of the PID namespace are no way out (S40)" {
	run "${PRIVILEGED[@]}" nsnew -pm nsnew -f rootjail "$R" sh -c 'ls /proc; exec /bin/breakout "$1"' sh "$HOST/file"
	assert_status 1
	if has cgroup; then
		run "${PRIVILEGED[@]}" nsnew -pm cgrun rootjail "$R" sh -c '[ $$ != 1 ] && exec /bin/breakout "$1"' sh "$HOST/file"
		assert_status 1
		[ -z "$output" ]
	fi
}

@test "the host's processes are not seen and cannot be signalled" {
	sleep 1000 3>&- &
	local victim=$!
	run "${JAIL[@]}" "$R" sh -c 'ls -d /proc/[0-9]* | wc -l; kill -9 "$1"; echo $?' sh "$victim"
	kill "$victim"
	[ "${lines[0]}" -le 3 ]
	[ "${lines[-1]}" != 0 ]
	wait "$victim" || [ $? = 143 ]
}

@test "/ as ROOTFS" {
	run "${JAIL[@]}" --bare --proc / sh -c 'echo here; cat "$1"' sh "$HOST/file"
	assert_status 0
	assert_output $'here\nhost'
}

@test "ROOTFS on tmpfs" {
	world '
		mkdir "$R.tmp"
		mount -t tmpfs none "$R.tmp"
		cp -a "$R/." "$R.tmp"
		nsnew -p rootjail "$R.tmp" sh -c "cat /marker; /bin/breakout $HOST/file || echo held"'
	assert_status 0
	assert_output $'inside\nheld'
}

@test "ROOTFS on an overlay" {
	world '
		mkdir "$R.top" && mount -t tmpfs none "$R.top"
		mkdir "$R.top/upper" "$R.top/work" "$R.over"
		mount -t overlay -o "lowerdir=$R,upperdir=$R.top/upper,workdir=$R.top/work,userxattr" none "$R.over"
		nsnew -p rootjail "$R.over" sh -c "cat /marker; echo new >/new; /bin/breakout $HOST/file || echo held"
		cat "$R.top/upper/new"'
	assert_status 0
	assert_output $'inside\nheld\nnew'
	[ ! -e "$R/new" ]
}

@test "ROOTFS on a read-only bind: stays read-only, and nothing is made in it" {
	local option
	rm -r "${R:?}/dev"
	export option
	for option in '' --read-only; do
		world '
			mkdir -p "$R.ro"
			mount --bind "$R" "$R.ro"
			mount -o remount,bind,ro "$R.ro"
			rootjail $option "$R.ro" cat /marker'
		[ ! -e "$R/dev" ]
		assert_status 125
		assert_says "'/dev'"
		world '
			mount --bind "$R" "$R.ro"
			mount -o remount,bind,ro "$R.ro"
			rootjail --bare $option "$R.ro" sh -c "cat /marker; echo x >/new"'
		assert_output inside
		assert_says 'Read-only file system'
		[ ! -e "$R/new" ]
	done
}

@test "ROOTFS behind directories that can be passed but not read" {
	mkdir -p "$BATS_TEST_TMPDIR/closed/to"
	mv "$R" "$BATS_TEST_TMPDIR/closed/to/root"
	chmod 0111 "$BATS_TEST_TMPDIR/closed/to" "$BATS_TEST_TMPDIR/closed"
	run "${JAIL[@]}" "$BATS_TEST_TMPDIR/closed/to/root" cat /marker
	chmod 0755 "$BATS_TEST_TMPDIR/closed" "$BATS_TEST_TMPDIR/closed/to"
	assert_output inside
}

# --- chrooted callers ---

@test "a caller chrooted to a mount point: COMMAND cannot reach what is outside of that (S13, S22)" {
	requires static
	requires root
	local propagation
	mv "$R" "$HOST/inner"
	cp -a "$BATS_FILE_TMPDIR/template" "$R"
	export propagation
	for propagation in private shared; do
		world '
			mount --bind "$R" "$R"
			mount --make-$propagation "$R"
			mkdir "$R/inner" && mount --bind "$HOST/inner" "$R/inner"
			cp "$BIN/rootjail" "$R/bin"
			mount --bind /dev "$R/dev"
			mount -t proc none "$R/proc"
			chroot "$R" /bin/rootjail --proc /inner sh -c "cat /marker; /bin/breakout $HOST/file"'
		# breakout sees the processes of the host here, as this has no PID namespace of its own; all else must fail.
		[ "$output" = inside ] || [ "$output" = $'inside\nother processes' ] || [ "$status" = 125 ]
		world '
			mount --bind "$R" "$R"
			mkdir -p "$R/inner" && mount --bind "$HOST/inner" "$R/inner"
			cp "$BIN/rootjail" "$BIN/nsnew" "$R/bin"
			mount --bind /dev "$R/dev"
			mount -t proc none "$R/proc"
			chroot "$R" /bin/nsnew -pm /bin/rootjail /inner sh -c "cat /marker; /bin/breakout $HOST/file"'
		assert_status 1
		assert_output inside
		rmdir "$R/inner"
	done
}

@test "a caller chrooted to a plain directory: the right root, or refused (S13, S22)" {
	requires static
	requires root
	mv "$R" "$HOST/inner"
	cp -a "$BATS_FILE_TMPDIR/template" "$R"
	mv "$HOST/inner" "$R/inner"
	echo innermost >"$R/inner/marker"
	cp "$BIN/rootjail" "$BIN/nsnew" "$R/bin"
	run --separate-stderr chroot "$R" /bin/nsnew -pm /bin/rootjail --bare --proc /inner sh -c 'cat /marker; /bin/breakout "$1"' sh "$HOST/file"
	if [ "$status" != 125 ]; then
		assert_status 1
		assert_output innermost
	fi
}

@test "without CAP_SYS_CHROOT or CAP_SYS_ADMIN it is refused" {
	assert_refuses CAP_SYS_CHROOT "${PRIVILEGED[@]}" capjail --drop sys_chroot rootjail --bare -b "$BATS_TEST_TMPDIR:$BATS_TEST_TMPDIR" "$R" "${UNREACHED[@]}"
	assert_refuses namespace "${PRIVILEGED[@]}" capjail --drop sys_admin rootjail --bare -b "$BATS_TEST_TMPDIR:$BATS_TEST_TMPDIR" "$R" "${UNREACHED[@]}"
}

@test "an ordinary user without a user namespace is refused" {
	requires rootless
	assert_refuses namespace rootjail --bare -b "$BATS_TEST_TMPDIR:$BATS_TEST_TMPDIR" "$R" "${UNREACHED[@]}"
}

# --- what must not leak in ---

@test "open files are closed: a directory of the host is no way out (S01)" {
	exec 9</ 200</
	run "${JAIL[@]}" "$R" ls /proc/self/fd
	assert_output $'0\n1\n2\n3'
	local n
	for n in 3 4 5 6 7 8 9 10 11 12 20 200; do
		run -127 "${JAIL[@]}" --proc "$R" "/proc/self/fd/$n/bin/sh" -c 'echo out'
		[[ $output != *$'\nout'* ]]
	done
	exec 9<&- 200<&-
}

@test "a file that is asked for stays open, and no other (S01)" {
	exec 7<"$HOST/file" 8<"$HOST/file" 9<"$HOST/file"
	run "${JAIL[@]}" --keep-fd 9 "$R" sh -c 'cat <&9; ls /proc/self/fd'
	assert_output $'host\n0\n1\n2\n3\n9'
	run "${JAIL[@]}" --keep-fd 8 --keep-fd=7 "$R" sh -c 'cat <&7; cat <&8; ls /proc/self/fd'
	assert_output $'host\nhost\n0\n1\n2\n3\n7\n8'
	exec 7<&- 8<&- 9<&-
	local value
	for value in x -1 '' 9x 2147483648 ' 9'; do
		assert_refuses --keep-fd rootjail --keep-fd "$value" "$R" "${UNREACHED[@]}"
	done
}

@test "with standard input, output and error closed (R18)" {
	"${JAIL[@]}" --bare -b "$HOST:/tmp" "$R" sh -c 'exec 0<>/tmp/file; [ -e /marker ] && exit 12' <&- >&- 2>&- || status=$?
	assert_status 12
}

@test "the working directory is in the root, however it is named (S02)" {
	local n
	mkdir -p "$R/home/user"
	ln -s /home/user "$R/absolute"
	ln -s ../../../../home/user "$R/etc/up"
	run "${JAIL[@]}" -w /home/user "$R" readlink /proc/self/cwd
	assert_output /home/user
	for n in /absolute /etc/up /../../home/user; do
		run "${JAIL[@]}" -w "$n" "$R" sh -c 'readlink /proc/self/cwd; ls ..'
		assert_output $'/home/user\nuser'
	done
	exec 9</
	for n in 3 4 5 6 7 8 9 10; do
		assert_refuses "/proc/self/fd/$n" "${JAIL[@]}" -w "/proc/self/fd/$n" "$R" "${UNREACHED[@]}"
	done
	exec 9<&-
	for n in /nonexistent /marker "$HOST" /proc/self/root; do
		assert_refuses "$n" "${JAIL[@]}" -w "$n" "$R" "${UNREACHED[@]}"
	done
}

@test "mounts: the host's table is the same before, during and after, with shared propagation (S21)" {
	world '
		mount --bind "$R" "$R"
		mkdir "$R/sub" && mount -t tmpfs none "$R/sub"
		before=$(cat /proc/self/mountinfo)
		nsnew -p rootjail --tmpfs /tmp -b "$HOST:/home/x" "$R" sh -c "mount -t tmpfs none /root; mount -t tmpfs none /sub; umount /home/x; mount | wc -l; echo; cat" < <(
			[ "$(cat /proc/self/mountinfo)" = "$before" ] && echo same) | tail -n 1
		[ "$(cat /proc/self/mountinfo)" = "$before" ] && echo same
		rootjail -b "$HOST:/marker" "$R" true && exit 1
		rootjail -w /nonexistent "$R" true && exit 1
		[ "$(cat /proc/self/mountinfo)" = "$before" ] && echo same'
	assert_status 0
	assert_output $'same\nsame\nsame'
}

@test "mounts of the host that come later do not reach the root" {
	world '
		mkfifo "$HOST/go" "$HOST/done"
		mkdir "$R/late"
		nsnew -p rootjail -b "$HOST" "$R" sh -c "echo >$HOST/done; read -r _ <$HOST/go; ls -A /late" &
		read -r _ <"$HOST/done"
		mount -t tmpfs none "$R/late"
		echo >"$R/late/file"
		echo >"$HOST/go"
		wait'
	assert_status 0
	assert_output ''
}

# --- /dev ---

@test "/dev: the nodes are devices and work, also for O_CREAT and O_TRUNC" {
	run "${JAIL[@]}" "$R" sh -c '
		set -e
		echo x >/dev/null
		echo x >>/dev/null
		[ -z "$(cat /dev/null)" ]
		head -c 4 /dev/zero | od -An -tx1
		echo x 2>/dev/null >/dev/full && exit 1
		[ "$(head -c 8 /dev/urandom | wc -c)" = 8 ]
		[ "$(head -c 8 /dev/random | wc -c)" = 8 ]
		for node in null zero full random urandom tty; do stat -c "%n %F %t:%T" "/dev/$node"; done'
	assert_status 0
	assert_output ' 00 00 00 00
/dev/null character special file 1:3
/dev/zero character special file 1:5
/dev/full character special file 1:7
/dev/random character special file 1:8
/dev/urandom character special file 1:9
/dev/tty character special file 5:0'
}

@test "/dev: these and no other names, its own directory, not the one of ROOTFS" {
	echo >"$R/dev/decoy"
	run "${JAIL[@]}" "$R" sh -c 'ls /dev | tr "\n" " "; stat -c %a /dev /dev/shm | tr "\n" " "; for link in ptmx fd stdin stdout stderr; do printf "%s " "$(readlink "/dev/$link")"; done'
	assert_output 'fd full null ptmx pts random shm stderr stdin stdout tty urandom zero 755 1777 pts/ptmx /proc/self/fd /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 '
	[ "$(ls "$R/dev")" = decoy ]
}

@test "/dev: pseudo terminals of its own" {
	run "${JAIL[@]}" "$R" sh -c 'ls /dev/pts; exec 5<>/dev/ptmx; ls /dev/pts; echo >/dev/shm/file && ls /dev/shm'
	assert_output $'ptmx\n0\nptmx\nfile'
	run mounted "$R"
	[[ $(grep '^/dev/pts ' <<<"$output") == *nosuid*noexec* ]]
	[[ $(grep '^/dev/shm ' <<<"$output") == *nosuid,nodev,noexec* ]]
	[[ $(grep '^/dev ' <<<"$output") == *nosuid,nodev,noexec* ]]
}

@test "/dev: a node of the host that is none is refused (S18)" {
	world '
		mount -t tmpfs none /dev
		for node in zero full random urandom tty; do echo >/dev/$node; done
		echo data >/dev/null
		rootjail "$R" true || echo "refused $?"
		rootjail --bare "$R" true && cat /dev/null'
	assert_output $'refused 125\ndata'
}

@test "--bare: /dev and /proc are left to ROOTFS" {
	echo >"$R/dev/decoy"
	echo >"$R/proc/decoy"
	run "${JAIL[@]}" --bare "$R" ls /dev /proc
	assert_output $'/dev:\ndecoy\n\n/proc:\ndecoy'
	rm -r "${R:?}/dev" "$R/proc"
	run "${JAIL[@]}" --bare "$R" ls /
	assert_status 0
	[ ! -e "$R/dev" ]
}

# --- /proc ---

@test "/proc: with a PID namespace of its own, and only then (S23)" {
	echo >"$R/proc/decoy"
	run "${PRIVILEGED[@]}" rootjail "$R" ls /proc
	assert_output decoy
	run "${JAIL[@]}" "$R" sh -c 'ls -d /proc/[0-9]* | wc -l; cat /proc/1/comm; ls /proc/decoy'
	[ "${lines[0]}" -le 3 ]
	[ "${lines[1]}" = sh ]
	[[ ${lines[2]} == *'No such file'* ]]
}

@test "/proc: asked for, as root" {
	requires root
	run rootjail --proc "$R" sh -c 'echo $$; readlink /proc/self'
	[ "${lines[0]}" -gt 1 ]
	[ -n "${lines[1]}" ]
	run mounted --proc "$R"
	[[ $(grep '^/proc ' <<<"$output") == *nosuid,nodev,noexec* ]]
}

@test "/proc: asked for in a user namespace without a PID namespace: refused with a hint (S23)" {
	requires userns
	assert_refuses 'nsnew -p' nsnew -r rootjail --proc -b "$BATS_TEST_TMPDIR:$BATS_TEST_TMPDIR" "$R" "${UNREACHED[@]}"
}

@test "/proc: one that is hidden in part is not shown whole to a user namespace (S23)" {
	requires userns
	run --separate-stderr unshare -m bash -c '
		mount -t tmpfs none /proc/sys && exec nsnew -rpm rootjail "$R" cat /marker'
	if [ "$(id -u)" = 0 ]; then
		assert_status 125
		assert_says hidden
	fi
}

# --- binds ---

@test "bind: a directory, a file, at their own paths and elsewhere" {
	run "${JAIL[@]}" -b "$HOST:/home" -b "$HOST/file:/marker" -b "$HOST" "$R" cat /home/file /marker "$HOST/file"
	assert_output $'host\nhost\nhost'
	[ "$(cat "$R/marker")" = inside ]
}

@test "bind: mount points that are not there are made, as what they have to be" {
	run "${JAIL[@]}" -b "$HOST:/a/b/c" -b "$HOST/file:/d/e/file" "$R" sh -c 'cat /a/b/c/file /d/e/file'
	assert_output $'host\nhost'
	[ -d "$R/a/b/c" ]
	[ -f "$R/d/e/file" ]
	[ ! -s "$R/d/e/file" ]
	[ -z "$(ls -A "$R/a/b/c")" ]
}

@test "bind: writes arrive at the source" {
	run "${JAIL[@]}" -b "$HOST:/home" "$R" sh -c 'echo new >/home/new; echo more >>/home/file'
	assert_status 0
	[ "$(cat "$HOST/new")" = new ]
	[ "$(cat "$HOST/file")" = $'host\nmore' ]
}

@test "bind: read-only refuses with EROFS, and the host still writes" {
	run "${JAIL[@]}" -b "$HOST:/home:ro" -b "$HOST/file:/marker:ro" "$R" sh -c 'cat /home/file; echo x >/home/new; echo x >/home/file; echo x >/marker; rm /home/file; touch /home/file'
	[ "${lines[0]}" = host ]
	[ "$(grep -c 'Read-only file system' <<<"$output")" = 5 ]
	[ "$(bytes "$HOST" | wc -l)" = 3 ]
	echo more >>"$HOST/file"
	run "${JAIL[@]}" -b "$HOST:/home:ro" "$R" sh -c 'cat /home/file; cat' < <(echo again >>"$HOST/file")
	[[ $output == $'host\nmore'* ]]
}

@test "bind: what is mounted below comes along, and is read-only too (S19)" {
	world '
		mkdir "$HOST/sub" && mount -t tmpfs none "$HOST/sub"
		echo below >"$HOST/sub/file"
		nsnew -p rootjail -b "$HOST:/home:ro" "$R" sh -c "
			cat /home/sub/file
			echo x >/home/sub/new; echo x >/home/new; true"
		echo host >"$HOST/sub/new"
		nsnew -p rootjail -b "$HOST:/home" "$R" sh -c "echo x >/home/sub/from-inside"
		cat "$HOST/sub/from-inside" "$HOST/sub/new"'
	assert_status 0
	assert_output $'below\nx\nhost'
	[ "$(grep -c 'Read-only file system' <<<"$stderr")" = 2 ]
}

@test "bind: nosuid and nodev unless asked for, noexec if asked for (S25)" {
	# These flags are the host's to lift or not; a tmpfs has none of them.
	world '
		mount -t tmpfs none "$HOST"
		mkdir "$HOST/x"
		cp "$R/bin/busybox" "$HOST/busybox"
		nsnew -p rootjail -b "$HOST:/p/plain" -b "$HOST:/p/dev:dev" -b "$HOST:/p/suid:suid" -b "$HOST:/p/both:dev,suid" -b "$HOST:/p/all:ro,noexec" "$R" sh -c "
			/p/plain/busybox true && echo ran
			/p/all/busybox true || echo \$?
			cat /proc/self/mountinfo" | sed "s/ - .*//"'
	assert_status 0
	[ "${lines[0]}" = ran ]
	[ "${lines[1]}" = 126 ]
	flags() { awk -v at="/p/$1" '$5 == at { print "," $6 "," }' <<<"$output"; }
	[[ $(flags plain) == *,nosuid,nodev,* && $(flags plain) != *,noexec,* && $(flags plain) == ,rw,* ]]
	[[ $(flags dev) == *,nosuid,* && $(flags dev) != *,nodev,* ]]
	[[ $(flags suid) == *,nodev,* && $(flags suid) != *,nosuid,* ]]
	[[ $(flags both) != *,nodev,* && $(flags both) != *,nosuid,* ]]
	[[ $(flags all) == ,ro,* && $(flags all) == *,nosuid,nodev,noexec,* ]]
}

@test "bind: a device works with 'dev' and not without" {
	requires root
	world '
		mount -t tmpfs none "$HOST"
		mknod "$HOST/null" c 1 3
		rootjail -b "$HOST:/p" "$R" sh -c "echo x >>/p/null" || echo refused
		rootjail -b "$HOST:/p:dev" "$R" sh -c "echo x >>/p/null" && echo works'
	assert_output $'refused\nworks'
	run sh -c 'mknod "$R/null" c 1 3 && rootjail "$R" sh -c "echo x >>/null"'
	[ "$status" -ne 0 ]
}

@test "bind: a ':' or '\\' in a name is written with a '\\' before it" {
	mkdir "$HOST/a:b\\c"
	echo odd >"$HOST/a:b\\c/file"
	run "${JAIL[@]}" -b "$HOST/a\\:b\\\\c:/d\\:e" "$R" cat '/d:e/file'
	assert_output odd
	mkdir "$HOST/with, space"
	echo even >"$HOST/with, space/file"
	run "${JAIL[@]}" -b "$HOST/with, space:/x, y" "$R" cat '/x, y/file'
	assert_output even
}

@test "bind: a source that is a symlink is what it points to on the host" {
	ln -s file "$HOST/link"
	run "${JAIL[@]}" -b "$HOST/link:/home/it" "$R" cat /home/it
	assert_output host
	[ -f "$R/home/it" ]
}

@test "bind: onto /dev and onto another bind, in the order given" {
	mkdir "$HOST/x"
	echo deep >"$HOST/x/y"
	run "${JAIL[@]}" -b "$HOST:/home" -b "$HOST/x:/home/x" -b "$HOST/file:/home/x/y" -b "$HOST/file:/dev/extra" "$R" cat /home/x/y /dev/extra
	assert_output $'host\nhost'
}

@test "bind: 300 of them (R19)" {
	local arguments=() n
	for ((n = 0; n < 300; n++)); do
		arguments+=(-b "$HOST:/b/$n:ro")
	done
	run "${JAIL[@]}" "${arguments[@]}" "$R" sh -c 'grep -c " /b/" /proc/self/mountinfo; cat /b/0/file /b/299/file'
	assert_output $'300\nhost\nhost'
}

@test "bind: bad specifications (S08)" {
	local spec
	for spec in ':' '' "$HOST:" "$HOST:x" "$HOST:/x:rx" "$HOST:/x:ro:rw" "$HOST:/x:" "$HOST:/x:ro,,dev" "$HOST:/x:size=1M" "$HOST\\x:/x" "$HOST:/" "$HOST:/." "$HOST://" \
		"$HOST:/.." "$HOST:/../." host:host; do
		assert_refuses --bind "${PRIVILEGED[@]}" rootjail -b "$spec" -b "$BATS_TEST_TMPDIR:$BATS_TEST_TMPDIR" "$R" "${UNREACHED[@]}"
	done
}

@test "bind: an empty source" {
	assert_refuses "':/x'" "${PRIVILEGED[@]}" rootjail -b :/x -b "$BATS_TEST_TMPDIR:$BATS_TEST_TMPDIR" "$R" "${UNREACHED[@]}"
}

@test "bind: a destination that leads to the root itself is refused, and does not just vanish" {
	ln -s / "$R/etc/top"
	local place
	for place in /tmp/.. /etc/top/. /etc/top/etc/..; do
		assert_refuses "${place%/.}" "${JAIL[@]}" -b "$HOST:$place" -b "$BATS_TEST_TMPDIR:$BATS_TEST_TMPDIR" "$R" "${UNREACHED[@]}"
	done
}

@test "bind: a source that is not there, and a file onto a directory and the reverse" {
	assert_refuses "'$HOST/nonexistent'" "${PRIVILEGED[@]}" rootjail -b "$HOST/nonexistent:/x" -b "$BATS_TEST_TMPDIR:$BATS_TEST_TMPDIR" "$R" "${UNREACHED[@]}"
	assert_refuses "'/etc'" "${PRIVILEGED[@]}" rootjail -b "$HOST/file:/etc" -b "$BATS_TEST_TMPDIR:$BATS_TEST_TMPDIR" "$R" "${UNREACHED[@]}"
	assert_refuses "'/marker'" "${PRIVILEGED[@]}" rootjail -b "$HOST:/marker" -b "$BATS_TEST_TMPDIR:$BATS_TEST_TMPDIR" "$R" "${UNREACHED[@]}"
	assert_refuses "'/marker/x'" "${PRIVILEGED[@]}" rootjail -b "$HOST:/marker/x" -b "$BATS_TEST_TMPDIR:$BATS_TEST_TMPDIR" "$R" "${UNREACHED[@]}"
}

# --- tmpfs and read-only ---

@test "tmpfs: empty, of the size and mode asked for, gone afterwards" {
	echo >"$R/home/hidden"
	run "${JAIL[@]}" --tmpfs /home:size=1M,mode=1777 --tmpfs /new/place "$R" sh -c '
		ls -A /home
		stat -c %a /home /new/place
		head -c 1048576 /dev/zero >/home/fits && echo fits
		echo more 2>/dev/null >/home/more || echo full
		df -k /home | tail -n 1 | tr -s " " | cut -d " " -f 2'
	assert_status 0
	assert_output $'1777\n755\nfits\nfull\n1024'
	[ "$(ls -A "$R/home")" = hidden ]
	[ -z "$(ls -A "$R/new/place")" ]
}

@test "tmpfs: flags" {
	run mounted --tmpfs /a --tmpfs /b:noexec --tmpfs /c:ro --tmpfs /d:dev,suid "$R"
	[[ $(grep '^/a ' <<<"$output") == '/a rw,nosuid,nodev,relatime' ]]
	[[ $(grep '^/b ' <<<"$output") == *noexec* ]]
	[[ $(grep '^/c ' <<<"$output") == '/c ro,'* ]]
	[[ $(grep '^/d ' <<<"$output") != *nodev* ]]
}

@test "tmpfs: bad specifications (S08)" {
	local spec
	for spec in '' / x /x:size= /x:size=0x1 /x:size=-1 /x:mode=8 /x:mode= /x:mode=77777 /x:mode=755,size /x:foo /x:ro:rw '/x:size=1M,uid=0' '/x:size=1M mode=1'; do
		assert_refuses --tmpfs "${PRIVILEGED[@]}" rootjail --tmpfs "$spec" -b "$BATS_TEST_TMPDIR:$BATS_TEST_TMPDIR" "$R" "${UNREACHED[@]}"
	done
}

@test "read-only: EROFS at the root; tmpfs, binds and /dev stay writable" {
	run "${JAIL[@]}" --read-only --tmpfs /tmp -b "$HOST:/home" "$R" sh -c '
		echo x >/new; echo x >/marker; echo x >/etc/new; mkdir /newdir; rm /marker; chmod 0 /marker
		echo x >/tmp/new && echo x >/home/new && echo x >/dev/shm/new && echo x >/dev/null && echo written'
	assert_status 0
	[ "${lines[-1]}" = written ]
	[ "$(grep -c 'Read-only file system' <<<"$output")" = 6 ]
	[ "$(cat "$R/marker" "$HOST/new")" = $'inside\nx' ]
	[ ! -e "$R/new" ]
	echo new >"$R/host-still-writes"
}

@test "read-only: what is mounted below the root as well (S19)" {
	world '
		mkdir "$R/sub"
		mount -t tmpfs none "$R/sub"
		mkdir "$R/sub/sub"
		mount -t tmpfs none "$R/sub/sub"
		nsnew -p rootjail --read-only "$R" sh -c "echo x >/sub/new; echo x >/sub/sub/new; true"
		echo x >"$R/sub/new"'
	assert_status 0
	[ "$(grep -c 'Read-only file system' <<<"$stderr")" = 2 ]
}

@test "read-only: flags in mountinfo, and none of them with a second user namespace to lift (S20)" {
	run mounted --read-only "$R"
	[[ $(grep '^/ ' <<<"$output") == '/ ro,nosuid,nodev,'* ]]
	run "${JAIL[@]}" --read-only "$R" sh -c 'exec unshare -Urm sh -c "mount -o remount,bind,rw / ; echo x >/new"'
	[ ! -e "$R/new" ]
	assert_says 'Read-only file system'
}

@test "read-only file system: a mount point that is missing is named" {
	world '
		# An overlay that has no upper layer.
		mkdir "$R.image" "$R.empty"
		mount -t overlay -o "lowerdir=$R:$R.empty,userxattr" none "$R.image"
		rootjail -b "$HOST:/missing/place" "$R.image" true || echo $?
		rootjail --read-only -b "$HOST:/missing/place" "$R.image" true || echo $?
		rootjail --read-only -b "$HOST:/home" "$R.image" cat /home/file'
	assert_output $'125\n125\nhost'
	[ "$(grep -c "'/missing/place'" <<<"$stderr")" = 2 ]
}

# --- a root that is not to be trusted ---

# trap_place PLACE TARGET: PLACE of the root is a symlink to TARGET.
trap_place() {
	rm -rf "${R:?}$1"
	mkdir -p "$R${1%/*}"
	ln -s "$2" "$R$1"
}

@test "symlinks where something is mounted: refused, the place they point to is untouched (S16, S18)" {
	local place target before option up=../../../../../../../../..
	export option
	before=$(bytes "$HOST")
	ln -s "$HOST" "$BATS_TEST_TMPDIR/chain"
	for target in "$HOST" "$up$HOST" "$BATS_TEST_TMPDIR/chain" "$HOST/dangling" /tmp /proc/self/root /proc/1/root; do
		for place in /dev /proc /mnt /etc/file /a/b; do
			option="-b$BATS_TEST_TMPDIR:$place"
			case $place in
			/dev | /proc) option=--proc ;;
			# A symlink can be mounted on with a file, which then shows nowhere.
			/etc/file) option="-b$HOST/file:$place" ;;
			esac
			cp -a "$BATS_FILE_TMPDIR/template/." "$R"
			trap_place "$place" "$target"
			world '
				before=$(cat /proc/self/mountinfo)
				nsnew -p rootjail $option -w /bin "$R" true && echo "ran with $option"
				[ "$(cat /proc/self/mountinfo)" = "$before" ]'
			assert_status 0
			assert_output ''
			[ "$(bytes "$HOST")" = "$before" ]
			rm -rf "${R:?}"
			mkdir "$R"
		done
	done
}

@test "symlinks on the way to where something is mounted stay inside (S16)" {
	local before
	before=$(bytes "$HOST")
	# What they name exists inside as well, and that is what is meant.
	mkdir -p "$R$HOST" "$R/opt"
	ln -s "$HOST" "$R/absolute"
	ln -s "../../../../../../../../..$HOST" "$R/opt/up"
	ln -s opt/up "$R/chain"
	ln -s "$HOST/dangling" "$R/dangling"
	echo source >"$BATS_TEST_TMPDIR/source"
	local place
	for place in absolute opt/up chain; do
		run "${JAIL[@]}" -b "$BATS_TEST_TMPDIR/source:/$place/new-${place//\//-}" "$R" cat "$HOST/new-${place//\//-}"
		assert_output source
		[ -e "$R$HOST/new-${place//\//-}" ]
	done
	assert_refuses dangling "${JAIL[@]}" -b "$BATS_TEST_TMPDIR/source:/dangling/new" -b "$BATS_TEST_TMPDIR:$BATS_TEST_TMPDIR" "$R" "${UNREACHED[@]}"
	[ "$(bytes "$HOST")" = "$before" ]
	[ ! -e "$R$HOST/dangling" ]
}

@test "magic links of /proc are not followed to mount or to start (S16)" {
	exec 9<"$HOST"
	local before
	before=$(bytes "$HOST")
	assert_refuses /proc/self "${JAIL[@]}" -b "$BATS_TEST_TMPDIR:/proc/self/fd/9/x" "$R" "${UNREACHED[@]}"
	assert_refuses /proc/self "${JAIL[@]}" -b "$BATS_TEST_TMPDIR:/proc/self/cwd/x" "$R" "${UNREACHED[@]}"
	exec 9<&-
	[ "$(bytes "$HOST")" = "$before" ]
}

@test "directories that turn into symlinks while it runs: nothing of the host is touched (S16)" {
	local before flipper round ran=0
	mkdir "$R/place" "$HOST/sub"
	ln -s "../../../../../../../../..$HOST" "$R/link"
	before=$(bytes "$HOST")
	exec {ready}< <(exec flip "$R/place" "$R/link" 3>&-)
	flipper=$!
	read -r -u "$ready" _
	for ((round = 0; round < ${ROUNDS:-300}; round++)); do
		status=0
		"${PRIVILEGED[@]}" rootjail --bare -b "$BATS_TEST_TMPDIR:/place/sub" --tmpfs /place/sub/x/y "$R" /bin/busybox true 2>/dev/null || status=$?
		[ "$status" = 0 ] || [ "$status" = 125 ] || break
		[ "$status" != 0 ] || ran=$((ran + 1))
	done
	kill "$flipper"
	exec {ready}<&-
	[ "$round" = "${ROUNDS:-300}" ]
	[ "$ran" -gt 0 ] || [ "$round" -lt 50 ]
	[ "$(bytes "$HOST")" = "$before" ]
}

# --- bad input and failures ---

@test "a root that is none" {
	assert_refuses "'$HOST/nonexistent'" "${PRIVILEGED[@]}" rootjail "$HOST/nonexistent" "${UNREACHED[@]}"
	assert_refuses "'$HOST/file'" "${PRIVILEGED[@]}" rootjail "$HOST/file" "${UNREACHED[@]}"
	assert_says hint
	assert_refuses 'an operand is empty' "${PRIVILEGED[@]}" rootjail '' "${UNREACHED[@]}"
	assert_refuses operand rootjail
	assert_refuses COMMAND rootjail "$R"
}

@test "a root that the caller may not look at" {
	requires rootless
	# The one of a process of somebody else.
	assert_refuses "'/proc/1/root'" "${PRIVILEGED[@]}" rootjail -b "$BATS_TEST_TMPDIR:$BATS_TEST_TMPDIR" /proc/1/root "${UNREACHED[@]}"
}

@test "a COMMAND that is not in the root, or is no program" {
	run -127 "${JAIL[@]}" "$R" nonexistent
	# It is on the host, and that does not count.
	run -127 "${JAIL[@]}" "$R" "$BIN/nsnew" true
	run -126 "${JAIL[@]}" "$R" /marker
	run -126 "${JAIL[@]}" "$R" /etc
}

@test "each system call that builds the root fails once: COMMAND does not run in another one (S38)" {
	requires strace
	local log=$BATS_TEST_TMPDIR/log calls=unshare,setns,mount,open_tree,mount_setattr,move_mount,fsopen,fsconfig,fsmount,pivot_root,umount2,openat2,close_range,fchdir,chdir
	local call n count wanted options=(--read-only --tmpfs /tmp:size=1M -b "$HOST:/home:ro" -w /home) refused=0
	look() {
		run --separate-stderr "${PRIVILEGED[@]}" nsnew -pm strace -qq -o "$log" -e signal=none "$@" rootjail "${options[@]}" "$R" /bin/busybox cat /proc/self/mountinfo
		# Ids and the device numbers of new file systems differ; that a device node could be executable does not matter.
		output=$(cut -d ' ' -f 4- <<<"$output" | grep -v ' /dev/[fnrtuz]')
	}
	look -e "trace=$calls"
	assert_status 0
	wanted=$output
	[ -n "$wanted" ]
	cp "$log" "$log.all"
	for call in ${calls//,/ }; do
		count=$(grep -c "^$call(" "$log.all")
		[ "$count" -ge 1 ] || continue
		for ((n = 1; n <= count; n++)); do
			look -e "trace=$call" -e "inject=$call:error=EPERM:when=$n"
			if [ "$status" = 125 ] && [ -z "$output" ]; then
				refused=$((refused + 1))
			elif [ "${output/,gid=5/}" != "${wanted/,gid=5/}" ]; then
				echo "with $call number $n failing, status $status"
				diff <(echo "$wanted") <(echo "$output")
				return 1
			fi
		done
	done
	[ "$refused" -ge 20 ]
}

@test "a mount attribute that only pretends to be set is found by reading back (S38)" {
	requires strace
	local n
	for ((n = 1; n <= 4; n++)); do
		run --separate-stderr "${PRIVILEGED[@]}" strace -qq -o /dev/null -e signal=none -e trace=mount_setattr \
			-e "inject=mount_setattr:retval=0:when=$n" rootjail --bare --read-only -b "$HOST:/home:ro" "$R" sh -c 'echo x >/new; echo x >/home/new; true'
		[ ! -e "$R/new" ]
		[ ! -e "$HOST/new" ]
	done
}

# --- the PID namespace of others ---

@test "--join-pid: COMMAND and its /proc are of that PID namespace, and rootjail waits outside of it" {
	run "${PRIVILEGED[@]}" sh -c '
		cd "$1"
		mkfifo up
		nsnew -p --no-kill-child --ready-fd=3 rootjail --bare "$0" sleep 60 3>up &
		read -r _ <up
		for outer in $(pgrep -P $!); do :; done
		rootjail --join-pid=5 "$0" sh -c "readlink /proc/self/ns/pid; grep -c . /proc/1/cmdline; ls /proc | grep -c \"^[0-9]*\$\"; exit 7" 5</proc/$outer/ns/pid
		echo "status $?"
		readlink /proc/$outer/ns/pid
		kill -KILL $outer' "$R" "$BATS_TEST_TMPDIR"
	echo "$output"
	assert_status 0
	[ "${lines[0]}" = "${lines[4]}" ]
	[ "${lines[1]}" = 1 ]
	# The sleep, a shell, ls and grep.
	[ "${lines[2]}" = 4 ]
	[ "${lines[3]}" = 'status 7' ]
}

@test "--join-pid: what is no PID namespace is refused before anything changes" {
	assert_refuses 'file descriptor 9 is not open' rootjail --join-pid 9 "$R" "${UNREACHED[@]}" 9<&-
	assert_refuses "'file descriptor 9' is not a namespace" rootjail --join-pid 9 "$R" "${UNREACHED[@]}" 9</dev/null
	assert_refuses "'file descriptor 9' is not a namespace of kind pid" rootjail --join-pid 9 "$R" "${UNREACHED[@]}" 9</proc/self/ns/net
}

# --- walk-throughs ---

@test "W2.1: a tarball is unpacked, and a program that is only in it runs with its own libraries" {
	local program=$R/only/here library
	mkdir "$R/only"
	cp "$(command -v env)" "$program"
	for library in $(ldd "$program" | grep -o '/[^ ]*'); do
		mkdir -p "$R${library%/*}"
		cp -L "$library" "$R$library"
	done
	tar -C "$R" -cf "$BATS_TEST_TMPDIR/root.tar" .
	mkdir "$BATS_TEST_TMPDIR/unpacked"
	tar -C "$BATS_TEST_TMPDIR/unpacked" -xf "$BATS_TEST_TMPDIR/root.tar"
	run "${JAIL[@]}" "$BATS_TEST_TMPDIR/unpacked" sh -c 'ls / | tr "\n" " "; /only/here -i word=1'
	assert_status 0
	assert_output "$(cd "$R" && printf '%s ' *)word=1"
	run -127 /only/here
}

@test "W2.7: a directory of the host, read-only inside: read, not written, and gone afterwards" {
	run "${JAIL[@]}" -b "$HOST:/etc/config:ro" "$R" sh -c 'cat /etc/config/file; echo x >/etc/config/file'
	[ "${lines[0]}" = host ]
	assert_says 'Read-only file system'
	[ "$(cat "$HOST/file")" = host ]
	[ -z "$(ls -A "$R/etc/config")" ]
	run -1 grep -F "$R" /proc/self/mountinfo
}
