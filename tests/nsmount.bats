# nsmount: COMMAND sees what was to be mounted where it was to be mounted, and nobody else sees anything of it, then or later.
# Variable ROUNDS: how often something is mounted while its way is exchanged for a symlink.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # what is in single quotes is for the shell that is started; run assigns stderr

setup_file() {
	load helpers
	local content=$BATS_FILE_TMPDIR/content
	make_root "$content"
	echo inside >"$content/marker"
	if has root; then
		# The name of a type, the image of it with a '.' before.
		has mksquashfs && mksquashfs "$content" "$BATS_FILE_TMPDIR/.squashfs" -quiet -no-progress >/dev/null
		type -P mkfs.erofs >/dev/null && mkfs.erofs "$BATS_FILE_TMPDIR/.erofs" "$content" >/dev/null
		type -P mkfs.ext4 >/dev/null && mkfs.ext4 -q -L "nschain$$" -d "$content" "$BATS_FILE_TMPDIR/.ext4" 16M
	fi
	return 0
}

setup() {
	load helpers
	[ -e "$BIN/nsmount" ] || skip 'needs libmount'
	[ "$(id -u)" = 0 ] || requires userns
	T=$BATS_TEST_TMPDIR
	D=$T/place
	mkdir "$D" "$T/source"
	echo source >"$T/source/file"
	echo plain >"$T/file"
	# A mount namespace in which a test can mount: there is no privilege to ask for in it.
	if [ "$(id -u)" = 0 ]; then WORLD=(unshare -m); else WORLD=(unshare -Urm); fi
	MOUNT=("${PRIVILEGED[@]}" nsmount)
	export T D BIN HELPERS PATH
	cd "$T" || return
}

teardown() {
	eventually no_loops
	! grep -F " $T" /proc/self/mountinfo
}

# world SCRIPT: runs SCRIPT, which may mount, in a mount namespace whose mounts are all shared, as on a machine with systemd.
world() {
	run --separate-stderr "${WORLD[@]}" --propagation unchanged bash -euo pipefail -c '
		mount --make-rprivate / 2>/dev/null || mount --make-rslave /
		mount --make-rshared /
		'"$1"
}

# A loop device is on a file of this test; none is.
some_loop() {
	grep -qsF "$T" /sys/block/loop*/loop/backing_file
}
no_loops() {
	! some_loop
}

# image TYPE: $T/image is one of that type, or the test is skipped.
image() {
	requires root loop
	[ -e "$BATS_FILE_TMPDIR/.$1" ] || skip "needs the program that makes an image of $1"
	grep -qw "$1" /proc/filesystems || modprobe "$1" 2>/dev/null || skip "needs a kernel with $1"
	cp "$BATS_FILE_TMPDIR/.$1" "$T/image"
}

# flags_of PLACE: the flags that mountinfo on standard input shows for it, between commas.
flags_of() {
	awk -v at="$1" '$5 == at { print "," $6 "," }'
}

# --- images ---

check_image() { # TYPE
	image "$1"
	local options
	for options in '' "-t $1" "-t foo,$1" '-t auto' "-o loop" '-r'; do
		# shellcheck disable=SC2086 # words
		run nsmount $options "$T/image" "$D" sh -c 'cat "$D/marker"; grep -F " $D " /proc/self/mountinfo; cat /sys/block/loop*/loop/backing_file'
		assert_status 0
		[ "${lines[0]}" = inside ]
		[[ ${lines[1]} == *" - $1 /dev/loop"* ]]
		[[ ${lines[*]:2} == *"$T/image"* ]]
		eventually no_loops
	done
	[ -z "$(ls -A "$D")" ]
}

@test "image: squashfs, with a type and without" { check_image squashfs; }
@test "image: erofs, with a type and without" { check_image erofs; }
@test "image: ext4, with a type and without" { check_image ext4; }

@test "image: what is written to it is in it the next time" {
	image ext4
	run nsmount image place sh -c 'echo new >place/new; rm place/marker; sync'
	assert_status 0
	eventually no_loops
	run nsmount image place sh -c 'cat place/new; ls place/marker'
	assert_says $'new\n'
	assert_says 'No such file'
}

@test "image: read-only by -r, by -o ro, and although the options say rw" {
	image ext4
	local before options
	before=$(md5sum image)
	for options in -r '-o ro' '-r -o rw' '-o rw,noatime,ro'; do
		# shellcheck disable=SC2086 # words
		run nsmount $options image place sh -c 'cat place/marker; echo x >place/new; grep -F " $D " /proc/self/mountinfo | cut -d " " -f 6'
		[ "${lines[0]}" = inside ]
		assert_says 'Read-only file system'
		[[ ${lines[-1]} == ro,* ]]
		eventually no_loops
	done
	[ "$(md5sum image)" = "$before" ]
}

@test "image: a name with spaces, commas and what looks like an option" {
	image squashfs
	local name
	for name in 'with space' 'with,comma' '-x' 'LABEL' $'new\nline'; do
		mv image "$T/$name"
		run nsmount -t squashfs -- "./$name" "$D" cat "$D/marker"
		assert_output inside
		mv "$T/$name" image
	done
}

@test "image: its loop device is gone however the chain ends (R17)" {
	image ext4
	nsmount image place sleep 1000 3>&- &
	local link=$!
	eventually some_loop
	kill -KILL "$link"
	wait "$link" || true
	eventually no_loops
	run -127 nsmount image place no-such-command
	eventually no_loops
	run nsmount image place sh -c 'kill -9 $$'
	assert_status 137
	eventually no_loops
	# After the device was made, and after it was mounted.
	assert_refuses image nsmount -t xfs,squashfs image place "${UNREACHED[@]}"
	eventually no_loops
	assert_refuses image nsmount image file "${UNREACHED[@]}"
	eventually no_loops
	cd place
	assert_refuses "'.'" nsmount ../image . "${UNREACHED[@]}"
	eventually no_loops
}

@test "image: the same one twice, one in the other, and by two chains" {
	image squashfs
	run nsmount image place nsmount -o ro image place/home sh -c 'cat place/marker place/home/marker'
	assert_status 0
	assert_output $'inside\ninside'
	run sh -c 'for i in 1 2 3 4 5; do nsmount image place cat place/marker & done; wait'
	assert_output $'inside\ninside\ninside\ninside\ninside'
	eventually no_loops
	image ext4
	run nsmount image place nsmount image source sh -c 'echo new >place/new; cat source/new'
	assert_output new
	assert_refuses 'busy' nsmount image place nsmount -r image source "${UNREACHED[@]}"
	assert_says hint
}

@test "image: the host has no device or file more than before (S38)" {
	image ext4
	local before after
	look() {
		losetup -a
		ls -A /run /run/mount /run/blkid /dev 2>&1 || true
		cat /run/blkid/blkid.tab /run/mount/utab 2>&1 || true
	}
	before=$(look)
	run nsmount image place true
	assert_status 0
	run nsmount LABEL=no-such-label place true
	assert_status 125
	eventually no_loops
	after=$(look)
	diff <(echo "$before" | grep -v 'loop[0-9]*$') <(echo "$after" | grep -v 'loop[0-9]*$')
}

@test "tag: LABEL and UUID of a device" {
	image ext4
	local device uuid
	device=$(losetup -f --show image)
	# It goes with the last one who has it open, also if the test fails.
	exec 9<"$device"
	losetup -d "$device"
	uuid=$(blkid -p -s UUID -o value "$device")
	run nsmount "UUID=$uuid" place cat place/marker
	echo "$output"
	local by_uuid=$output
	run nsmount "LABEL=$(blkid -p -s LABEL -o value "$device")" place cat place/marker
	exec 9<&-
	[ "$by_uuid" = inside ]
	assert_output inside
}

# --- what else can be mounted ---

@test "a type is taken at its word: no loop device for what does not want one" {
	head -c 100000 /dev/zero >file
	run "${MOUNT[@]}" -t tmpfs file place sh -c 'stat -fc %T place; grep -F " $D " /proc/self/mountinfo'
	assert_status 0
	[ "${lines[0]}" = tmpfs ]
	[[ ${lines[1]} == *' - tmpfs '*file* ]]
	run "${MOUNT[@]}" -t ext4,tmpfs none place stat -fc %T place
	assert_output tmpfs
}

@test "tmpfs: size, mode and who may write, and it is gone afterwards" {
	run "${MOUNT[@]}" -t tmpfs -o size=64k,mode=700 none place sh -c 'stat -c %a place; df -k --output=size place | tail -n 1; echo x >place/new; ls place'
	assert_status 0
	[ "${lines[0]}" = 700 ]
	[ "${lines[1]// /}" = 64 ]
	[ "${lines[2]}" = new ]
	[ -z "$(ls -A place)" ]
}

@test "rootless: a tmpfs by nsnew -r, as anybody" {
	requires userns
	run nsnew -r nsmount -t tmpfs none "$D" sh -c 'stat -fc %T "$D"; echo x >"$D/new"; ls "$D"; id -u'
	assert_status 0
	assert_output $'tmpfs\nnew\n0'
	# Not root inside, but with the capability.
	run nsnew -c --keep-caps nsmount -t tmpfs none "$D" stat -fc %T "$D"
	assert_output tmpfs
	[ -z "$(ls -A "$D")" ]
}

@test "flags: shown by the kernel, and in force" {
	cp /bin/busybox source
	run "${MOUNT[@]}" -o bind,ro,nosuid,nodev,noexec source place sh -c 'cat place/file; place/busybox true; echo $?; echo x >place/new; cat /proc/self/mountinfo'
	[ "${lines[0]}" = source ]
	assert_says 'Read-only file system'
	grep -qx 126 <<<"$output"
	[[ $(flags_of "$D" <<<"$output") == ,ro,nosuid,nodev,noexec,* ]]
	run "${MOUNT[@]}" -t tmpfs -o nosuid,noexec none place cat /proc/self/mountinfo
	[[ $(flags_of "$D" <<<"$output") == ,rw,nosuid,noexec,* ]]
	# "user" stands for some of them.
	run "${MOUNT[@]}" -t tmpfs -o user none place cat /proc/self/mountinfo
	[[ $(flags_of "$D" <<<"$output") == ,rw,nosuid,nodev,noexec,* ]]
	run "${MOUNT[@]}" -o bind,nosymfollow source place sh -c 'ln -s file place/link; cat place/link; cat /proc/self/mountinfo'
	assert_says 'Too many levels'
	[[ $(flags_of "$D" <<<"$output") == *,nosymfollow,* ]]
	rm source/link
	run "${MOUNT[@]}" -t tmpfs -r none place cat /proc/self/mountinfo
	[[ $(flags_of "$D" <<<"$output") == ,ro,* ]]
}

@test "flags: ones that only pretend to be set are found by reading back (S38)" {
	requires strace
	# libmount changes a bind by a mount(2) of its own, and nsmount by mount_setattr(2).
	assert_refuses 'flags' "${PRIVILEGED[@]}" strace -f -qq -o /dev/null -e trace=mount_setattr,mount -e inject=mount_setattr:retval=0 -e inject=mount:retval=0:when=3+ \
		nsmount -o bind,ro source place "${UNREACHED[@]}"
}

@test "bind: a directory, and a file on a file; changes arrive at the source" {
	run "${MOUNT[@]}" -o bind source place sh -c 'cat place/file; echo more >>place/file'
	assert_status 0
	[ "$(cat source/file)" = $'source\nmore' ]
	run "${MOUNT[@]}" -o bind source/file file sh -c 'cat file; echo again >>file'
	assert_status 0
	assert_output $'source\nmore'
	[ "$(cat source/file)" = $'source\nmore\nagain' ]
	[ "$(cat file)" = plain ]
	assert_refuses "'file'" "${MOUNT[@]}" -o bind source file "${UNREACHED[@]}"
	assert_refuses "'place'" "${MOUNT[@]}" -o bind source/file place "${UNREACHED[@]}"
}

@test "bind: read-only also where the source is nodev for a more privileged user namespace (S20)" {
	requires userns
	run nsnew -rm sh -c 'mount -t tmpfs -o nodev none source && nsnew -rm nsmount -o bind,ro source place sh -c "grep -F \" $D \" /proc/self/mountinfo | cut -d \" \" -f 6; echo x >place/new"'
	assert_says 'ro,nodev'
	assert_says 'Read-only'
	run nsnew -rm sh -c 'mount -t tmpfs -o nodev none source && nsnew -rm nsmount -o bind,ro,nosuid,ro,nosuid source place sh -c "grep -F \" $D \" /proc/self/mountinfo | cut -d \" \" -f 6; echo x >place/new"'
	assert_says 'ro,nosuid,nodev'
	assert_says 'Read-only'
}

@test "bind: with the source being the target, above it or below it" {
	run "${MOUNT[@]}" -o bind,ro source source sh -c 'cat source/file; echo x >source/new'
	[ "${lines[0]}" = source ]
	assert_says 'Read-only file system'
	mkdir source/below
	echo below >source/below/file
	run "${MOUNT[@]}" -o bind source/below source cat source/file
	assert_output below
	run "${MOUNT[@]}" -o rbind source source/below sh -c 'cat source/below/file; ls -A source/below/below'
	assert_output $'source\nfile'
}

@test "bind: rbind brings what is mounted below along, and the flags hold for all of it" {
	world '
		mount -t tmpfs none "$T/source" && mkdir "$T/source/sub" && mount -t tmpfs none "$T/source/sub"
		nsmount -o rbind "$T/source" "$D" sh -c "echo x >\"$D/sub/new\" && cat \"$D/sub/new\""
		nsmount -r -o rbind "$T/source" "$D" sh -c "echo y >\"$D/sub/new\"; echo y >\"$D/new\"; cat /proc/self/mountinfo"'
	[ "${lines[0]}" = x ]
	[[ $(flags_of "$D" <<<"$output") == ,ro,* ]]
	[[ $(flags_of "$D/sub" <<<"$output") == ,ro,* ]]
	[ "$(grep -c 'Read-only file system' <<<"$stderr")" = 2 ]
}

@test "bind: the place that it is mounted by is not in what rbind brings along" {
	run "${MOUNT[@]}" -o rbind / place sh -c 'grep /proc/tty /proc/self/mountinfo; ls /proc/tty place/proc/tty | sort -u'
	assert_status 0
	[[ $output == *drivers* ]]
	[ "$(grep -cx 'directory\|file\|.*/proc/tty .*' <<<"$output")" = 0 ]
}

@test "overlay: with paths relative to the working directory" {
	mkdir upper work
	run "${MOUNT[@]}" -t overlay -o lowerdir=source,upperdir=upper,workdir=work,userxattr none place sh -c 'cat place/file; echo new >place/new; rm place/file; ls -A place'
	assert_status 0
	assert_output $'source\nnew'
	[ "$(cat source/file upper/new)" = $'source\nnew' ]
	# Of an upper directory of a user namespace, the work directory is closed to its user.
	chmod -R u+rwX work 2>/dev/null || true
}

@test "a type that only a helper knows: it is run as mount(8) does" {
	requires root
	cat >helper <<-'END'
		#!/bin/sh
		echo "$*"
		pwd
		case $1 in
		fails) exit 3 ;;
		*/source) mount --bind "$1" "$2" ;;
		esac
	END
	chmod 755 helper
	world '
		helpers=$(readlink -f /sbin)
		mount=$(type -P mount)
		cp "$mount" "$T/mount"
		mount -t tmpfs none "$helpers"
		cp "$T/helper" "$helpers/mount.nschain"
		[ "$mount" != "$helpers/mount" ] || cp "$T/mount" "$helpers"
		cd "$T"
		nsmount -t nschain -o odd,nosuid source place sh -c "cat place/file; grep -F \" $D \" /proc/self/mountinfo | cut -d \" \" -f 6"
		echo --
		nsmount -t nschain fails place echo ran || echo $?
		nsmount -t nschain nothing place echo ran || echo $?
		perl -e "\$SIG{CHLD} = q(IGNORE); exec @ARGV" nsmount -t nschain source place cat place/file'
	assert_status 0
	[[ ${lines[0]} == "$T/source /proc/tty/directory "* && ${lines[0]} == *odd* ]]
	[ "${lines[1]}" = "$T" ]
	[ "${lines[2]}" = source ]
	[[ ${lines[3]} == *nosuid* ]]
	[[ $output != *$'\nran'* ]]
	[ "$(grep -cx 125 <<<"$output")" = 2 ]
	[ "${lines[-1]}" = source ]
	[[ $stderr == *'helper mount.TYPE failed with status 3'* ]]
	[[ $stderr == *'mounted nothing'* ]]
}

helper_is_gone() {
	! grep -qsF "$T/image" /proc/[0-9]*/cmdline
}

@test "a helper that stays: gone with its PID namespace, and at once if nsmount fails (R17)" {
	requires mksquashfs squashfuse
	[ -w /dev/fuse ] && type -P mount.fuse >/dev/null || skip 'needs FUSE'
	mksquashfs source image -quiet -no-progress >/dev/null
	run "${PRIVILEGED[@]}" nsnew -pm nsmount -t fuse.squashfuse image place sh -c 'cat place/file; grep -F " $D " /proc/self/mountinfo'
	assert_status 0
	[ "${lines[0]}" = source ]
	[[ ${lines[1]} == *' - fuse.squashfuse '* ]]
	eventually helper_is_gone
	cd place
	assert_refuses "'.'" "${MOUNT[@]}" -t fuse.squashfuse ../image . "${UNREACHED[@]}"
	eventually helper_is_gone
}

# --- a table ---

@test "fstab: every entry in its order, with comments, escapes, and what is left out" {
	mkdir 'with space' second second/third skipped
	cat >table <<-END
		# A comment, and an empty line

		$T/source  $T/with\\040space  none  bind,ro  0 0
		none	$T/second	tmpfs	size=64k
		  # indented
		none $T/second/third tmpfs size=1M,X-mount.mkdir 0 2
		none $T/skipped tmpfs noauto 0 0
		$T/no-such-source $T/skipped ext4 nofail 0 0
		$T/no-such-source $T/skipped none bind,nofail 0 0
		LABEL=no-such-label $T/skipped ext4 defaults,nofail,x-systemd.device-timeout=1 0 0
		/dev/no-such none swap sw 0 0
		/dev/no-such $T/skipped ignore defaults 0 0
		none none tmpfs defaults 0 0
	END
	run --separate-stderr "${MOUNT[@]}" --fstab=table sh -c 'cat "with space/file"; cut -d " " -f 5,6 /proc/self/mountinfo | grep -F "$T"; echo x >second/third/new; ls -A second'
	assert_status 0
	[ "${lines[0]}" = source ]
	[[ ${lines[1]} == "$T/with\\040space ro,"* ]]
	[[ ${lines[2]} == "$T/second rw,"* ]]
	[[ ${lines[3]} == "$T/second/third rw,"* ]]
	[ "${lines[4]}" = third ]
	[ "${#lines[@]}" = 5 ]
	[ -z "$stderr" ]
	[ -z "$(ls -A 'with space')$(ls -A second/third)$(ls -A skipped)" ]
	# All of it read-only; with an empty table COMMAND just runs.
	sed -i /third/d table
	run "${MOUNT[@]}" -r --fstab=table sh -c 'cat /proc/self/mountinfo'
	[[ $(flags_of "$T/second" <<<"$output") == ,ro,* ]]
	: >table
	run "${MOUNT[@]}" --fstab=table sh -c 'pwd; exit 7'
	assert_status 7
	assert_output "$T"
	run "${MOUNT[@]}" -o bind,nofail no-such place echo ran
	assert_output ran
}

@test "fstab: an image, and something mounted below it" {
	image ext4
	printf '%s\n' "$T/image $D auto ro 0 0" "none $D/home tmpfs mode=700 0 0" >table
	run nsmount --fstab=table sh -c 'cat place/marker; stat -fc %T place/home; stat -c %a place/home'
	assert_output $'inside\ntmpfs\n700'
}

@test "fstab: a source that is missing, and a line that is broken" {
	printf '%s\n' "none $D tmpfs defaults 0 0" "$T/no-such $D ext4 defaults 0 0" >table
	assert_refuses "'$T/no-such' on '$D' of 'table'" "${MOUNT[@]}" --fstab=table "${UNREACHED[@]}"
	printf '%s\n' '# first' "none $D tmpfs" "none" >table
	assert_refuses "'table': line 3" "${MOUNT[@]}" --fstab=table "${UNREACHED[@]}"
	printf '%s\n' "none $T/no-such tmpfs" >table
	assert_refuses "'$T/no-such' of 'table'" "${MOUNT[@]}" --fstab=table "${UNREACHED[@]}"
	printf '%s\n' "none $D tmpfs remount 0 0" >table
	assert_refuses remount "${MOUNT[@]}" --fstab=table "${UNREACHED[@]}"
	ln -s place link
	printf '%s\n' "none $T/link tmpfs" >table
	assert_refuses "'$T/link' of 'table'" "${MOUNT[@]}" --fstab=table "${UNREACHED[@]}"
	assert_refuses "'no-such'" "${MOUNT[@]}" --fstab=no-such "${UNREACHED[@]}"
	assert_refuses "'place'" "${MOUNT[@]}" --fstab=place "${UNREACHED[@]}"
}

@test "fstab: that of the system is read only if it is named" {
	requires strace
	run "${PRIVILEGED[@]}" strace -f -qq -o log -e trace=file nsmount -t tmpfs none place true
	assert_status 0
	run -1 grep -E 'fstab|/etc/mtab|/run/|utab' log
	# Nor is the cache of tags.
	run "${PRIVILEGED[@]}" strace -f -qq -o log -e trace=file nsmount LABEL=no-such-label place true
	assert_status 125
	grep -F by-label log
	run -1 grep '/run/' log
}

@test "fstab: a root file system's own, by --root, from its root on" {
	mkdir -p place/data place/etc
	printf '%s\n' "$T/source / none bind 0 0" "none /data tmpfs X-mount.mkdir,mode=711 0 0" >table
	run "${MOUNT[@]}" --root=place --fstab=table sh -c 'cat place/file; stat -c %a place/data'
	assert_output $'source\n711'
	[ -d source/data ]
}

@test "X-mount.mkdir: makes directories below the safe way alone (S16)" {
	run "${MOUNT[@]}" -t tmpfs -o X-mount.mkdir none a/b//c/ stat -fc %T a/b/c
	assert_output tmpfs
	[ "$(stat -c %a a/b)" = 755 ]
	run "${MOUNT[@]}" -t tmpfs -o X-mount.mkdir=0700,size=1M none "$T/d/e" stat -fc %T d/e
	assert_output tmpfs
	[ "$(stat -c %a d)" = 700 ]
	ln -s "$T/source" link
	assert_refuses "'link/new'" "${MOUNT[@]}" -t tmpfs -o X-mount.mkdir none link/new "${UNREACHED[@]}"
	ln -s "$T/source" place/link
	mkdir -p "place$T"
	assert_refuses "'link/new'" "${MOUNT[@]}" -R place -t tmpfs -o X-mount.mkdir none link/new "${UNREACHED[@]}"
	[ ! -e source/new ]
	assert_refuses "X-mount.mkdir" "${MOUNT[@]}" -t tmpfs -o X-mount.mkdir=9 none new "${UNREACHED[@]}"
	[ ! -e new ]
}

# --- the host ---

@test "mounts: the host's table is the same before, during and after, with shared propagation (S21)" {
	world '
		mount --bind "$D" "$D"
		mkdir "$D/sub" && mount -t tmpfs none "$D/sub"
		before=$(cat /proc/self/mountinfo)
		cd "$T"
		nsmount -t tmpfs none place nsmount -o rbind source place sh -c "mount -t tmpfs none source; echo; cat" < <(
			[ "$(cat /proc/self/mountinfo)" = "$before" ] && echo same) | tail -n 1
		[ "$(cat /proc/self/mountinfo)" = "$before" ] && echo same
		nsmount -t tmpfs none file true && exit 1
		nsmount -t tmpfs -o bogus none place true && exit 1
		nsmount -t tmpfs none / true && exit 1
		[ "$(cat /proc/self/mountinfo)" = "$before" ] && echo same'
	assert_status 0
	assert_output $'same\nsame\nsame'
}

@test "mounts: those of the host that come later are not seen" {
	world '
		mkfifo "$T/go" "$T/done"
		nsmount -o bind "$T/source" "$D" sh -c "echo >$T/done; read -r _ <$T/go; ls -A $T/source" &
		read -r _ <"$T/done"
		mount -t tmpfs none "$T/source"
		echo >"$T/go"
		wait'
	assert_status 0
	assert_output file
}

@test "the working directory is kept, and stays what it is if it is the target" {
	cd place
	run "${MOUNT[@]}" -t tmpfs none "$D" sh -c 'pwd; readlink /proc/self/cwd; stat -fc %T "$D"'
	assert_output $"$D"$'\n'"$D"$'\ntmpfs'
	run "${MOUNT[@]}" -t tmpfs none ../source sh -c 'readlink /proc/self/cwd; ls ../source'
	assert_output "$D"
	assert_refuses "'.'" "${MOUNT[@]}" -t tmpfs none . "${UNREACHED[@]}"
	assert_says 'working directory'
	assert_refuses "'/'" "${MOUNT[@]}" -t tmpfs none / "${UNREACHED[@]}"
	assert_refuses "'/'" "${MOUNT[@]}" -R / -t tmpfs none / "${UNREACHED[@]}"
}

# --- the way to the target ---

@test "symlinks: refused wherever they are in the target, with a hint (S16)" {
	mkdir source/inner
	ln -s "$T/source" absolute
	ln -s source relative
	ln -s ../source place/up
	ln -s nowhere dangling
	local target
	for target in absolute relative absolute/inner relative/inner/. place/up "$T/absolute" "$T/relative/inner" place/../relative dangling /proc/self/cwd /proc/self/fd/9 \
		/proc/self/root; do
		assert_refuses "'$target'" "${MOUNT[@]}" -t tmpfs none "$target" "${UNREACHED[@]}" 9<source
		assert_says 'symlink'
		assert_says 'hint: '
	done
}

@test "--root: symlinks stay inside, whatever they say (S16)" {
	local outside
	mkdir -p place/a "place$T/source" place/up
	ln -s "$T/source" place/absolute
	ln -s ../../../../../../../../../.. place/up/top
	ln -s a place/link
	outside=$(find source -printf '%P %i\n')
	see() { # TARGET WHERE
		run "${MOUNT[@]}" --root=place -t tmpfs none "$1" sh -c 'cut -d " " -f 5 /proc/self/mountinfo | grep -F "$T"'
		assert_output "$2"
	}
	see a "$D/a"
	see /a "$D/a"
	see ../../../a "$D/a"
	see link "$D/a"
	see absolute "$D$T/source"
	see "up/top$T/source" "$D$T/source"
	see / "$D"
	see .. "$D"
	[ "$(find source -printf '%P %i\n')" = "$outside" ]
	# Those of DIR itself are the caller's.
	ln -s place way
	run "${MOUNT[@]}" --root=way/a/.. -t tmpfs none a sh -c 'cut -d " " -f 5 /proc/self/mountinfo | grep -F "$T"'
	assert_output "$D/a"
	ln -s /proc/self/cwd place/magic
	assert_refuses "'/proc/self/cwd'" "${MOUNT[@]}" --root=/ -t tmpfs none /proc/self/cwd "${UNREACHED[@]}"
	assert_refuses "'no-such'" "${MOUNT[@]}" --root=no-such -t tmpfs none a "${UNREACHED[@]}"
	assert_refuses "'file'" "${MOUNT[@]}" --root=file -t tmpfs none a "${UNREACHED[@]}"
}

# flipped COMMAND...: COMMAND often, while place/way and place/link change places. It may succeed or be refused, both must happen.
flipped() {
	local flipper round ran=0 rounds=${ROUNDS:-300}
	exec {ready}< <(exec flip place/way place/link 3>&-)
	flipper=$!
	read -r -u "$ready" _
	for ((round = 0; round < rounds; round++)); do
		status=0
		"$@" 2>/dev/null || status=$?
		[ "$status" = 0 ] || [ "$status" = 125 ] || break
		[ "$status" != 0 ] || ran=$((ran + 1))
	done
	kill "$flipper"
	exec {ready}<&-
	echo "status $status in round $round, $ran times mounted"
	[ "$round" = "$rounds" ]
	# With few rounds the symlink may always be the one that is met.
	[ "$ran" -gt 0 ] || [ "$rounds" -lt 50 ]
}

# What is mounted is seen in one of the places in $3... and nowhere else.
SEEN='
	places=$(cut -d " " -f 5 /proc/self/mountinfo | grep -F "$T")
	for place; do [ "$places" != "$place" ] || exit 0; done
	echo "$places" >"$T/escaped"
	exit 1'

@test "a directory that turns into a symlink meanwhile: never mounted where that points to (S16)" {
	mkdir -p place/way/sub source/sub
	ln -s ../source place/link
	# Either name is that of the directory at times.
	flipped "${MOUNT[@]}" -t tmpfs none place/way/sub sh -c "$SEEN" sh "$D/way/sub" "$D/link/sub"
	[ ! -e escaped ]
	flipped "${MOUNT[@]}" -t tmpfs -o X-mount.mkdir none place/way/sub/new/deep sh -c "$SEEN" sh "$D/way/sub/new/deep" "$D/link/sub/new/deep"
	[ ! -e escaped ]
	[ -z "$(ls -A source/sub)" ]
}

@test "--root: a directory that turns into a symlink meanwhile: never mounted outside (S16)" {
	mkdir -p place/way/sub source/sub "place$T/source/sub"
	ln -s "$T/source" place/link
	flipped "${MOUNT[@]}" -R place -t tmpfs none way/sub sh -c "$SEEN" sh "$D/way/sub" "$D/link/sub" "$D$T/source/sub"
	[ ! -e escaped ]
}

@test "the target is looked up once to mount on it and once to see that it worked, and libmount never (S17)" {
	requires strace
	run "${PRIVILEGED[@]}" strace -f -qq -s 4096 -o log nsmount -o bind,ro,nosuid "$T/source" "$D" true
	assert_status 0
	# Besides, it is in the arguments, which the runtime of the sanitizers reads.
	grep -F "$D" log | grep -v 'execve(\| read(' >uses
	cat uses
	[ "$(grep -c 'openat2(AT_FDCWD, .*RESOLVE_NO_MAGICLINKS|RESOLVE_NO_SYMLINKS' uses)" = 2 ]
	[ "$(wc -l <uses)" = 2 ]
	[ "$(grep -c '^[0-9]* *move_mount([0-9]*, "", [0-9]*, "",' log)" = 2 ]
	run -0 grep '^[0-9]* *mount(' log
	[ "$(grep -cv '"/proc/tty/directory"\|NULL, "/", NULL, MS_REC|MS_PRIVATE' <<<"$output")" = 0 ]
}

# --- chains ---

@test "chain: an image is the root, of rootjail in all kinds of namespaces" {
	image squashfs
	run nsmount image place nsnew -p rootjail place sh -c 'cat /marker; grep " / / " /proc/self/mountinfo; echo x >/new; ls -d /sys/block'
	[ "${lines[0]}" = inside ]
	[[ ${lines[1]} == *' - squashfs /dev/loop'* ]]
	assert_says 'Read-only file system'
	assert_says '/sys/block: No such file'
	if has userns; then
		run nsmount image place nsnew -rp rootjail place cat /marker
		assert_output inside
	fi
}

@test "chain: what is mounted below a root comes along" {
	cp -a "$BATS_FILE_TMPDIR/content/." place
	run "${MOUNT[@]}" -t tmpfs -o size=64k none place/home nsnew -p rootjail place sh -c 'grep " /home " /proc/self/mountinfo; echo x >/home/new; cat /marker'
	assert_status 0
	[[ ${lines[0]} == *' - tmpfs '* ]]
	[ "${lines[1]}" = inside ]
	[ -z "$(ls -A place/home)" ]
}

@test "chain: between the other links, and twice" {
	cp -a "$BATS_FILE_TMPDIR/content/." place
	mkdir source/inner
	run "${PRIVILEGED[@]}" nsnew -pm nsmount -o bind place source nsmount -t tmpfs none source/home capjail --drop chown rootjail source \
		sh -c 'cat /marker; stat -fc %T /home; echo $$; grep CapBnd /proc/self/status'
	assert_status 0
	[ "${lines[0]}" = inside ]
	[ "${lines[1]}" = tmpfs ]
	[ "${lines[2]}" = 1 ]
	((!(0x${lines[3]##*[[:space:]]} & 1)))
	# nsjoin leaves the mount namespace, and with it the mount.
	run "${PRIVILEGED[@]}" nsnew -m sh -c 'nsmount -t tmpfs none place nsjoin -t $$ -m grep -cF " $D " /proc/self/mountinfo; nsmount -t tmpfs none place nsjoin -t $$ -i grep -cF " $D " /proc/self/mountinfo'
	assert_output $'0\n1'
}

@test "chain: open files pass through" {
	exec 7<file 200<source
	run "${MOUNT[@]}" -t tmpfs none place sh -c 'cat <&7; cd /proc/self/fd/200 && cat file'
	exec 7<&- 200<&-
	assert_output $'plain\nsource'
}

# --- bad input and failures ---

@test "bad input: named, and COMMAND does not run" {
	assert_refuses operand nsmount
	assert_refuses operand nsmount none
	assert_refuses COMMAND nsmount none place
	assert_refuses COMMAND nsmount --fstab=/etc/fstab
	assert_refuses 'an operand is empty' nsmount '' place "${UNREACHED[@]}"
	assert_refuses 'an operand is empty' nsmount none '' "${UNREACHED[@]}"
	assert_refuses --types nsmount -t '' none place "${UNREACHED[@]}"
	assert_refuses --options nsmount -o '' none place "${UNREACHED[@]}"
	assert_refuses --types nsmount -t ext4 --fstab=/etc/fstab "${UNREACHED[@]}"
	assert_refuses --options nsmount -o ro --fstab=/etc/fstab "${UNREACHED[@]}"
	local options
	for options in remount remount,ro bind,remount,ro move X-mount.subdir=x; do
		assert_refuses "${options##*,remount}" nsmount -o "$options" source place "${UNREACHED[@]}"
		assert_says --options
	done
}

@test "bad sources, types and options: named, with a hint where there is something to do" {
	: >empty
	head -c 100000 /dev/zero >nothing
	assert_refuses "'/no-such' on 'place': No such file" "${MOUNT[@]}" -o bind /no-such place "${UNREACHED[@]}"
	assert_refuses "'LABEL=no-such' on 'place': no device with that tag" "${MOUNT[@]}" LABEL=no-such place "${UNREACHED[@]}"
	assert_refuses "'empty' on 'place'" "${MOUNT[@]}" empty place "${UNREACHED[@]}"
	assert_refuses bind "${MOUNT[@]}" source place "${UNREACHED[@]}"
	assert_refuses 'No such device' "${MOUNT[@]}" -t nschain none place "${UNREACHED[@]}"
	assert_says 'mount.TYPE'
	assert_refuses 'Invalid argument' "${MOUNT[@]}" -t tmpfs -o no-such none place "${UNREACHED[@]}"
	assert_says 'hint: '
	assert_refuses 'Invalid argument' "${MOUNT[@]}" -t tmpfs -o size=x none place "${UNREACHED[@]}"
	if has root && has loop; then
		assert_refuses 'Invalid argument' nsmount nothing place "${UNREACHED[@]}"
		assert_says --types
		assert_refuses "'no-such' on 'place': No such file" nsmount no-such place "${UNREACHED[@]}"
		assert_refuses 'option is wrong' nsmount -o offset=x nothing place "${UNREACHED[@]}"
	fi
	assert_refuses '\x1b' "${MOUNT[@]}" -t tmpfs none $'\e[31m' "${UNREACHED[@]}"
}

@test "bad targets: named, with a hint where there is something to do" {
	assert_refuses "'no-such': No such file" "${MOUNT[@]}" -t tmpfs none no-such "${UNREACHED[@]}"
	assert_says X-mount.mkdir
	assert_refuses "'file': Not a directory" "${MOUNT[@]}" -t tmpfs none file "${UNREACHED[@]}"
	assert_refuses "'file/x': Not a directory" "${MOUNT[@]}" -t tmpfs none file/x "${UNREACHED[@]}"
	assert_refuses 'File name too long' "${MOUNT[@]}" -t tmpfs none "$(printf '%300s' x)" "${UNREACHED[@]}"
}

@test "an ordinary user without a user namespace is refused with a hint" {
	requires rootless
	assert_refuses 'Operation not permitted' nsmount -t tmpfs none place "${UNREACHED[@]}"
	assert_says 'nsnew -r'
}

@test "a user namespace: an image is refused with a hint" {
	requires userns mksquashfs
	mksquashfs source image -quiet -no-progress >/dev/null
	assert_refuses "'image' on 'place'" nsnew -r nsmount "image" place "${UNREACHED[@]}"
	assert_says 'root of the host'
	assert_refuses "'none' on 'place': Operation not permitted" nsnew -r nsmount -t ext4 none place "${UNREACHED[@]}"
	assert_says 'user namespace'
}

@test "without a proc(5) on /proc it is refused, before anything is mounted (S14)" {
	requires static
	world '
		mount -t tmpfs none /proc
		mkdir /proc/tty
		nsmount -t tmpfs none "$D" echo ran || echo $?'
	assert_output 125
	[[ $stderr == *"'/proc/tty': this takes a proc(5)"* ]]
}

@test "each system call that mounts fails once: COMMAND does not run without the mount (S38)" {
	requires strace
	local calls=unshare,mount,fsopen,fsconfig,fsmount,move_mount,mount_setattr,openat2,umount2,statx,fstatfs,mkdirat,mknodat call n count wanted refused=0
	look() {
		run --separate-stderr "${PRIVILEGED[@]}" strace -qq -o log -e signal=none "$@" nsmount -o bind,ro,nosuid source place sh -c 'cat place/file; cut -d " " -f 4-6 /proc/self/mountinfo'
	}
	look -e "trace=$calls"
	assert_status 0
	wanted=$output
	cp log log.all
	for call in ${calls//,/ }; do
		count=$(grep -c "^$call(" log.all || true)
		for ((n = 1; n <= count; n++)); do
			look -e "trace=$call" -e "inject=$call:error=EPERM:when=$n"
			if [ "$status" = 125 ] && [ -z "$output" ]; then
				refused=$((refused + 1))
			elif [ "$output" != "$wanted" ]; then
				echo "with $call number $n failing, status $status"
				diff <(echo "$wanted") <(echo "$output")
				return 1
			fi
		done
	done
	[ "$refused" -ge 12 ]
}
