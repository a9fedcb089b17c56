# rootjail --overlay: COMMAND writes where it likes, and the root file system stays as it is; what is kept in DIR is there again.
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
	D=$BATS_TEST_TMPDIR/changes
	mkdir "$D"
	export D
	BEFORE=$(bytes "$R")
}

teardown() {
	end_jail
}

untouched() {
	diff <(echo "$BEFORE") <(bytes "$R")
}

# What is done to a root: a file changed, deleted, made, renamed, made over a deleted one; a directory that replaces one; modes; links.
CHANGE='
	set -e
	mkdir -p /opt/full/sub
	echo more >>/marker
	rm /etc/group
	echo new >/etc/new
	mv /etc/passwd /etc/renamed
	ln /etc/new /etc/hard
	ln -s nowhere /etc/soft
	mkfifo /etc/fifo
	chmod 0600 /etc/new
	rm -r /old
	mkdir /old
	echo other >/old/other
	rm /turned
	mkdir -m 0700 /turned
	rmdir /home
	echo file >/home
	chmod 0711 /'

LIST='
	find / -xdev ! -path "/bin*" ! -path "/proc*" ! -path "/dev*" | sort | while read -r path; do stat -c "%n %A %h" "$path"; done
	cat /marker /etc/renamed /etc/hard /old/other /home
	readlink /etc/soft'

# A root with something to replace.
furnish() {
	mkdir "$R/old" && echo old >"$R/old/file" && echo old >"$R/turned"
	BEFORE=$(bytes "$R")
}

@test "--overlay: what COMMAND changes is there for it, vanishes, and leaves the root untouched byte for byte" {
	requires removal
	furnish
	run "${JAIL[@]}" --overlay "$R" sh -c "$CHANGE; $LIST"
	assert_status 0
	assert_says '/turned drwx------'
	[ "${lines[-1]}" = nowhere ]
	[ "${lines[-2]}" = file ]
	! grep -q '/old/file\|/etc/group\|/etc/passwd' <<<"$output" || return 1
	untouched
	run "${JAIL[@]}" --overlay "$R" sh -c 'cat /marker /old/file /turned; ls /etc; ls -d /home/.'
	assert_output $'inside\nold\nold\ngroup\npasswd\n/home/.'
	untouched
}

@test "--overlay=DIR: changes are there again at the next start, and the root is untouched" {
	requires removal
	furnish
	run "${JAIL[@]}" "--overlay=$D" "$R" sh -c "$CHANGE; $LIST"
	assert_status 0
	local first=$output
	untouched
	run "${JAIL[@]}" "--overlay=$D" "$R" sh -c "$LIST"
	assert_status 0
	diff <(echo "$first") <(echo "$output")
	# What was deleted stays so, also below a directory that took the place of another.
	run "${JAIL[@]}" "--overlay=$D" "$R" sh -c 'ls -A /old; ls -d /etc/group'
	assert_status 1
	[ "${lines[0]}" = other ]
	assert_says 'No such file'
	run "${JAIL[@]}" "$R" cat /old/file
	assert_output old
	untouched
	# And it is all below DIR.
	[ "$(cat "$D/upper/etc/new")" = new ]
}

@test "--overlay=DIR: a directory of the root is renamed, or that is refused as between file systems" {
	requires removal
	run "${JAIL[@]}" "--overlay=$D" "$R" sh -c 'mkdir /made; echo x >/made/x; mv /made /moved; mv /etc /etc2; cat /etc2/group; ls /etc 2>&1'
	assert_says 'root:x:0:'
	assert_says 'No such file'
	run "${JAIL[@]}" "--overlay=$D" "$R" cat /moved/x /etc2/passwd
	assert_status 0
	untouched
}

@test "--overlay=DIR: the path may be relative" {
	cd "$BATS_TEST_TMPDIR"
	run "${JAIL[@]}" --overlay=changes root sh -c 'echo kept >/kept'
	assert_status 0
	[ "$(cat "$D/upper/kept")" = kept ]
	cd "$D"
	run "${JAIL[@]}" --overlay=. ../root cat /kept
	assert_output kept
	untouched
}

@test "--overlay=DIR: a caller that is chrooted names what is in there" {
	requires static
	requires root
	mkdir -p "$HOST/inner" "$HOST/dev" "$HOST/proc" "$HOST$D" "$HOST/bin"
	cp -a "$R/." "$HOST/inner"
	cp "$BIN/rootjail" "$BIN/nsnew" "$HOST/bin"
	world '
		mount --bind "$HOST" "$HOST"
		mount --bind /dev "$HOST/dev"
		mount -t proc none "$HOST/proc"
		chroot "$HOST" /bin/rootjail --bare --overlay="$D" /inner sh -c "echo kept >/kept" || echo "refused $?"'
	# The same path outside is none of its business.
	[ -z "$(ls -A "$D")" ]
	[ "$output" = 'refused 125' ] || [ "$(cat "$HOST$D/upper/kept")" = kept ]
}

@test "--overlay: mount points that are missing are made in it, and binds and tmpfs are as without" {
	rm -r "${R:?}/dev" "$R/proc"
	BEFORE=$(bytes "$R")
	run "${JAIL[@]}" --overlay -b "$HOST:/a/b" -b "$HOST/file:/c/d:ro" --tmpfs /e "$R" sh -c 'cat /a/b/file /c/d; echo x >/a/b/new; echo x >/e/new; echo x >/dev/null; ls /proc/self/comm; echo x >/c/d'
	assert_says 'Read-only file system'
	[ "${lines[0]}${lines[1]}${lines[2]}" = hosthost/proc/self/comm ]
	[ "$(cat "$HOST/new")" = x ]
	untouched
}

@test "--overlay: the top has the owner and mode of ROOTFS's, the root is nosuid and nodev" {
	chmod 0751 "$R"
	! has root || chown 1234:4321 "$R"
	BEFORE=$(bytes "$R")
	local want='751 0 0' option
	! has root || want='751 1234 4321'
	for option in --overlay "--overlay=$D"; do
		run "${JAIL[@]}" "$option" "$R" stat -c '%a %u %g' /
		assert_output "$want"
		run mounted "$option" "$R"
		[[ $(grep '^/ ' <<<"$output") == '/ rw,nosuid,nodev,'* ]]
	done
	# What COMMAND makes of it is kept like the rest.
	run "${JAIL[@]}" "--overlay=$D" "$R" chmod 0700 /
	run "${JAIL[@]}" "--overlay=$D" "$R" stat -c %a /
	assert_output 700
	untouched
}

@test "--overlay: a device in the root is none, and one made in it neither (S25)" {
	requires root
	mknod "$R/null" c 1 3
	BEFORE=$(bytes "$R")
	run "${JAIL[@]}" --overlay "$R" sh -c 'echo x >>/null || echo refused; mknod /other c 1 3 && echo x >>/other || echo refused'
	[ "$(grep -cx refused <<<"$output")" = 2 ]
	untouched
}

@test "--overlay: nosuid and noexec of the file system that ROOTFS is on hold" {
	world '
		mount -t tmpfs -o nosuid,noexec none "$HOST"
		cp -a "$R" "$HOST/root"
		rootjail "$HOST/root" true || echo "plain $?"
		rootjail --overlay --suid "$HOST/root" true || echo "overlay $?"'
	assert_output $'plain 126\noverlay 126'
}

@test "--overlay: the known ways out of a root lead nowhere (S22)" {
	local option
	for option in --overlay "--overlay=$D"; do
		run "${JAIL[@]}" "$option" "$R" /bin/breakout "$HOST/file"
		assert_status 1
		assert_output ''
		run "${PRIVILEGED[@]}" rootjail --bare "$option" "$R" /bin/breakout "$HOST/file"
		assert_status 1
		assert_output ''
	done
}

@test "--overlay --read-only: EROFS everywhere, mount points are made all the same" {
	local option
	for option in --overlay "--overlay=$D"; do
		run "${JAIL[@]}" "$option" --read-only -b "$HOST:/new/place" "$R" sh -c 'cat /new/place/file; echo x >/x; echo x >/marker; rm /marker; mkdir /y; chmod 0 /bin'
		[ "${lines[0]}" = host ]
		says_count 5 'Read-only file system'
		untouched
	done
	run "${JAIL[@]}" "--overlay=$D" "$R" ls -A /new/place
	assert_output ''
}

@test "--overlay: a read-only bind without mount points will do as ROOTFS" {
	rm -r "${R:?}/dev" "$R/proc" "$R/sys" "$R/tmp"
	BEFORE=$(bytes "$R")
	world '
		mount --bind "$R" "$R"
		mount -o remount,bind,ro "$R"
		for option in --overlay --overlay="$D"; do
			nsnew -p rootjail $option --tmpfs /tmp -b "$HOST:/a/b" "$R" sh -c "cat /marker /a/b/file; echo x >/new && cat /new; echo x >/tmp/new"
			nsnew -p rootjail $option --read-only --dir /made "$R" sh -c "ls -d /made; echo x >/new" || echo "status $?"
		done'
	assert_status 0
	assert_output $'inside\nhost\nx\n/made\nstatus 1\ninside\nhost\nx\n/made\nstatus 1'
	untouched
}

@test "--overlay: an image of squashfs without mount points will do as ROOTFS" {
	requires root loop mksquashfs
	rm -r "${R:?}/dev" "$R/proc" "$R/sys" "$R/tmp"
	mksquashfs "$R" "$HOST/image" -quiet -no-progress >/dev/null
	world '
		mount -t squashfs -o loop,ro "$HOST/image" "$R"
		nsnew -p rootjail "$R" true || echo "plain $?"
		nsnew -p rootjail --overlay -b "$HOST:/a/b" "$R" sh -c "cat /marker /a/b/file; rm /marker; echo x >/new && cat /new; ls -A /proc/self/comm"
		nsnew -p rootjail --overlay="$D" "$R" sh -c "echo kept >/kept"
		nsnew -p rootjail --overlay="$D" --read-only "$R" cat /kept'
	assert_status 0
	assert_output $'plain 125\ninside\nhost\nx\n/proc/self/comm\nkept'
}

@test "--overlay: what is mounted below ROOTFS is left out; where the kernel keeps that from a user namespace it is said" {
	mkdir "$R/sub"
	world '
		mount -t tmpfs none "$R/sub"
		echo below >"$R/sub/file"
		rootjail --overlay "$R" ls -A /sub
		nsnew -r rootjail --overlay "$R" ls -A /sub || echo "refused $?"
		rootjail "$R" cat /sub/file'
	assert_output $'refused 125\nbelow'
	assert_says 'hint: rootless, without mounts below it'
}

# --- on what it can lie ---

@test "--overlay on an overlay, and no deeper, which is explained" {
	world '
		mount -t tmpfs none "$HOST"
		cd "$HOST"
		mkdir upper work one upper2 work2 two
		mount -t overlay -o "lowerdir=$R,upperdir=upper,workdir=work,userxattr" none one
		mount -t overlay -o "lowerdir=one,upperdir=upper2,workdir=work2,userxattr" none two
		nsnew -p rootjail --overlay one sh -c "cat /marker; echo x >/new; rm /marker"
		cat one/marker; ls one/new || true
		nsnew -p rootjail --overlay="$D" one cat /marker
		nsnew -p rootjail two cat /marker
		for option in --overlay --overlay="$D"; do rootjail $option two true || echo "refused $?"; done'
	assert_output $'inside\ninside\ninside\ninside\nrefused 125\nrefused 125'
	says_count 2 'stacks two at most'
	untouched
}

@test "--overlay=DIR on an overlay is refused with a hint" {
	world '
		mount -t tmpfs none "$HOST"
		cd "$HOST"
		mkdir lower upper work over
		mount -t overlay -o "lowerdir=lower,upperdir=upper,workdir=work,userxattr" none over
		mkdir over/changes
		rootjail --overlay="$HOST/over/changes" "$R" true || echo "refused $?"'
	assert_output 'refused 125'
	assert_says 'hint: DIR lies on an overlay'
	untouched
}

@test "--overlay=DIR: one that another overlay uses is refused with a hint, and free afterwards" {
	mkfifo "$HOST/go" "$HOST/ready"
	"${JAIL[@]}" "--overlay=$D" -b "$HOST:/mnt" "$R" sh -c 'echo first >/first; echo >/mnt/ready; read -r _ </mnt/go' 3>&- &
	read -r _ <"$HOST/ready"
	run --separate-stderr "${JAIL[@]}" "--overlay=$D" "$R" echo ran
	echo >"$HOST/go"
	wait
	assert_status 125
	assert_output ''
	assert_says "'$D'"
	assert_says 'hint: it is in use by another overlay'
	run "${JAIL[@]}" "--overlay=$D" "$R" cat /first
	assert_output first
}

@test "--overlay=DIR: one with the changes to another root is refused with a hint" {
	# In a user namespace the kernel keeps no record of that.
	requires root
	run "${JAIL[@]}" "--overlay=$D" "$R" sh -c 'echo x >/etc/new'
	assert_status 0
	cp -a "$R" "$R.other"
	assert_refuses 'hint: DIR holds the changes to another root file system' "${JAIL[@]}" "--overlay=$D" "$R.other" "${UNREACHED[@]}"
}

@test "--overlay=DIR: inside of ROOTFS, or ROOTFS itself, is refused with a hint and leaves nothing there" {
	mkdir -p "$R/var/changes"
	ln -s "$R/var/changes" "$HOST/link"
	BEFORE=$(bytes "$R")
	local place
	for place in "$R" "$R/var/changes" "$R/../root/var" "$HOST/link"; do
		assert_refuses 'hint: DIR has to lie outside of the root file system' "${JAIL[@]}" "--overlay=$place" "$R" "${UNREACHED[@]}"
		untouched
	done
}

@test "--overlay=DIR: that is none, or holds something else where the changes go" {
	local place
	for place in "$HOST/none" "$HOST/file" ''; do
		assert_refuses "'$place'" "${JAIL[@]}" "--overlay=$place" "$R" "${UNREACHED[@]}"
	done
	local before
	mkdir "$HOST/outside"
	before=$(bytes "$HOST")
	for place in upper work; do
		ln -s "$HOST/outside" "$D/$place"
		assert_refuses "'$D/$place'" "${JAIL[@]}" "--overlay=$D" "$R" "${UNREACHED[@]}"
		rm -r "${D:?}"/*
		echo x >"$D/$place"
		assert_refuses "'$D/$place'" "${JAIL[@]}" "--overlay=$D" "$R" "${UNREACHED[@]}"
		rm -r "${D:?}"/*
	done
	[ "$(bytes "$HOST")" = "$before" ]
	assert_refuses 'given twice' "${JAIL[@]}" "--overlay=$D" "--overlay=$HOST" "$R" "${UNREACHED[@]}"
	untouched
}

# --- names ---

ODD=('a,b' 'a:b' 'a\b' 'a b' $'a\nb' 'x,lowerdir=/etc' 'x,upperdir=/etc:/usr' 'a\,b\:c\\d e' '%s$HOME`id`' 'ü,')

@test "--overlay: whatever ROOTFS and DIR are called, it is them that are meant, and no option (S28)" {
	local name output
	for name in "${ODD[@]}"; do
		mkdir -p "$HOST/$name/d"
		cp -a "$R" "$HOST/$name/r"
		echo "$name" >"$HOST/$name/r/own"
		for option in --overlay "--overlay=$HOST/$name/d"; do
			run "${JAIL[@]}" "$option" "$HOST/$name/r" sh -c 'echo kept >/kept; cat /own; cat /proc/self/mountinfo'
			assert_status 0
			[[ $output == "$name"$'\n'* ]]
			# Its options name no path but those of open files.
			run grep ' / / .* - overlay overlay ' <<<"$output"
			assert_status 0
			[[ ${output##* - overlay overlay } =~ ^rw,lowerdir=/proc/self/fd/[0-9]+,upperdir=/proc/self/fd/[0-9]+,workdir=/proc/self/fd/[0-9]+(,[a-z_]+(=(on|off|nofollow))?)*$ ]]
		done
		[ ! -e "$HOST/$name/r/kept" ]
		[ "$(cat "$HOST/$name/d/upper/kept")" = kept ]
	done
}

@test "whatever ROOTFS and a bind are called, it is them that are meant (S28)" {
	local name escaped
	for name in "${ODD[@]}"; do
		mkdir -p "$HOST/$name"
		echo "$name" >"$HOST/$name/own"
		mkdir -p "$HOST/$name/root,$name"
		mv -T "$R" "$HOST/$name/root,$name"
		escaped=${name//\\/\\\\}
		escaped=${escaped//:/\\:}
		run "${JAIL[@]}" -b "$HOST/$escaped:/x/$escaped:ro" --tmpfs "/y/$escaped:size=64K" --dir "/z/$escaped" "$HOST/$name/root,$name" sh -c 'cat "/x/$1/own"; [ -d "/z/$1" ] && echo x >"/y/$1/new"; cat /proc/self/mountinfo' sh "$name"
		assert_status 0
		[[ $output == "$name"$'\n'* ]]
		[ "$(grep -c ' - tmpfs tmpfs rw,size=64k,mode=755' <<<"$output")" = 1 ]
		mv "$HOST/$name/root,$name" "$R"
	done
	# In a message they are on one line.
	assert_refuses "no\\x0asuch" "${JAIL[@]}" -b $'/no\nsuch:/x' "$R" "${UNREACHED[@]}"
	assert_refuses "no\\x0asuch" "${JAIL[@]}" $'/no\nsuch' "${UNREACHED[@]}"
	assert_refuses "no\\x0asuch" "${JAIL[@]}" --overlay=$'/no\nsuch' "$R" "${UNREACHED[@]}"
	[ "$(grep -c . <<<"$stderr")" = 1 ]
}

# --- what the host keeps ---

@test "--overlay: the host's mount table is the same before, during and after, also when it is refused" {
	world '
		mount --bind "$R" "$R"
		mkdir "$R/sub"
		before=$(cat /proc/self/mountinfo)
		for option in --overlay --overlay="$D"; do
			nsnew -p rootjail $option "$R" sh -c "mount -t tmpfs none /root; cat" < <([ "$(cat /proc/self/mountinfo)" = "$before" ] && echo same)
			rootjail $option -b "$HOST:/marker" "$R" true && exit 1
			rootjail $option -w /nonexistent "$R" true && exit 1
			[ "$(cat /proc/self/mountinfo)" = "$before" ] && echo same
		done'
	assert_status 0
	assert_output $'same\nsame\nsame\nsame'
}

@test "--overlay: behind a root whose /proc is a fake it is the right root, or refused (S14)" {
	requires static
	local fd
	cp -a "$BATS_FILE_TMPDIR/template" "$R/inner"
	echo innermost >"$R/inner/marker"
	for fd in {3..40}; do
		mkdir -p "$R/proc/self/fd/$fd"
		cp -a "$R/bin" "$R/proc/self/fd/$fd"
		echo faked >"$R/proc/self/fd/$fd/marker"
	done
	mkdir -p "$R$D"
	BEFORE=$(bytes "$R/proc")
	local option
	for option in --overlay "--overlay=$D"; do
		run "${PRIVILEGED[@]}" rootjail --bare "$R" rootjail --bare "$option" /inner cat /marker
		[ "$output" = innermost ] || [ "$status" = 125 ]
		diff <(echo "$BEFORE") <(bytes "$R/proc")
	done
}

@test "--overlay where /proc is not the kernel's: no other directory becomes the root (S14)" {
	# The runtime of the sanitizers looks for its options in /proc.
	requires static
	cp -a "$R/." "$HOST"
	echo outside >"$HOST/marker"
	# In the order in which it opens them: the root, a directory of the upper layer, the file system in memory that has it, the other one.
	world '
		exec 3<&- 4<&- 5<&- 6<&- 7<&-
		mkdir "$HOST.fake" && mount -t tmpfs none "$HOST.fake"
		mkdir -p "$HOST.fake"/{self/fd,self/ns,upper,memory,work}
		mount -t tmpfs none "$HOST.fake/memory"
		for number in {3..60}; do ln -s "$HOST" "$HOST.fake/self/fd/$number"; done
		ln -sfn "$HOST.fake/upper" "$HOST.fake/self/fd/4"
		ln -sfn "$HOST.fake/memory" "$HOST.fake/self/fd/5"
		ln -sfn "$HOST.fake/work" "$HOST.fake/self/fd/6"
		touch "$HOST.fake/self/ns/user"
		mount --bind /proc/self/ns/user "$HOST.fake/self/ns/user"
		mount --rbind "$HOST.fake" /proc
		rootjail --bare --overlay "$R" cat /marker || echo "refused $?"'
	[ "$output" = inside ] || [ "$output" = 'refused 125' ]
	untouched
}
