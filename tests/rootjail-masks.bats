# rootjail: what is kept from COMMAND, by default below /proc and /sys, and by --mask and --ro-path; whom that holds against, and whom not.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # text for inner shells; each test is a shell of its own; run assigns stderr

setup_file() {
	load helpers
	load helpers/jail
	prepare_template
}

setup() {
	load helpers
	load helpers/jail
	load helpers/processes
	prepare_jail
	# Masks of all kinds, and what must not come through them.
	mkdir "$R/etc/dir"
	echo secret >"$R/etc/dir/file"
	echo secret >"$R/etc/secret"
	# What this user may change where nothing is masked.
	SETTING=/proc/sys/user/max_mnt_namespaces
	! has root || SETTING=/proc/sys/vm/swappiness
	export SETTING
}

teardown() {
	end_started
	end_jail
}

# For busybox: prints each regular file below the arguments that can be opened to write; nothing is written. /proc/sys has some that vanish.
WRITABLE='writable() { find "$@" -type f 2>/dev/null | while read -r path; do { true >>"$path"; } 2>/dev/null && echo "$path"; done; true; }
'

# --- by default ---

@test "/proc: nothing that changes the machine can be opened to write, though root could (S24)" {
	local item all
	for item in bus fs irq sys sysrq-trigger; do
		[ -e "/proc/$item" ] || continue
		run "${JAIL[@]}" "$R" sh -c "$WRITABLE"'writable "/proc/$1"' sh "$item"
		assert_status 0
		assert_output ''
		run mounted "$R"
		grep -q "^/proc/$item ro," <<<"$output"
	done
	# It is the mask that does it.
	all=$("${JAIL[@]}" --no-masks "$R" sh -c "$WRITABLE"'writable /proc/sys/user /proc/sys/vm /proc/sys/kernel /proc/sysrq-trigger')
	grep -qx "$SETTING" <<<"$all"
	! has root || [ ! -e /proc/sysrq-trigger ] || grep -qx /proc/sysrq-trigger <<<"$all"
	! has root || grep -qx /proc/sys/kernel/core_pattern <<<"$all"
}

@test "/proc: to write says that it is read-only (S24)" {
	run "${JAIL[@]}" "$R" sh -c 'true >>"$SETTING"'
	assert_status 1
	assert_says 'Read-only file system'
	requires root
	local path before
	before=$(cat /proc/sys/kernel/core_pattern)
	for path in /proc/sysrq-trigger /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/irq/default_smp_affinity; do
		[ -e "$path" ] || continue
		run "${JAIL[@]}" "$R" sh -c 'true >>"$1"' sh "$path"
		assert_says 'Read-only file system'
	done
	[ "$(cat /proc/sys/kernel/core_pattern)" = "$before" ]
}

@test "/proc: what shows memory, keys and devices of the machine is empty (S24)" {
	local item seen=0
	for item in acpi asound interrupts kcore keys latency_stats sched_debug scsi timer_list timer_stats; do
		[ -e "/proc/$item" ] || continue
		seen=$((seen + 1))
		run "${JAIL[@]}" "$R" sh -c '
			if [ -d "/proc/$1" ]; then
				ls -A "/proc/$1"
				mkdir "/proc/$1/x" 2>&1 | grep -q Read-only && echo directory
			else
				head -c 100 "/proc/$1"
				echo x >"/proc/$1"
				stat -c "%F %t:%T" "/proc/$1"
			fi' sh "$item"
		[ "$output" = directory ] || assert_output 'character special file 1:3'
	done
	[ "$seen" -ge 3 ]
	run "${JAIL[@]}" --no-masks "$R" sh -c 'wc -c </proc/interrupts'
	[ "$output" -gt 0 ]
}

@test "/sys: all of it is read-only, what the firmware says is empty, and it is not there by default (S24)" {
	local own=(nsnew -n)
	has root || own=(nsnew -rn)
	run "${own[@]}" nsnew -p rootjail "$R" ls -A /sys
	assert_output ''
	run "${own[@]}" nsnew -p rootjail --sys "$R" sh -c "$WRITABLE"'writable /sys/kernel /sys/fs /sys/class/net/lo /sys/module; echo x >/sys/class/net/lo/mtu; mkdir /sys/fs/x; [ -d /sys/class/net/lo ] && ls -A /sys/firmware; ls /sys/class/net/lo/mtu; grep " /sys[ /]" /proc/self/mountinfo | cut -d " " -f 5,6'
	says_count 2 'Read-only file system'
	! grep -q '^/sys/[kfm]' <<<"${output//\/sys\/firmware/}" || return 1
	grep -q '^/sys ro,nosuid,nodev,noexec,' <<<"$output"
	[ ! -d /sys/firmware ] || grep -q '^/sys/firmware ro,nosuid,nodev,noexec,' <<<"$output"
	grep -qx /sys/class/net/lo/mtu <<<"$output"
}

@test "--no-masks: nothing but /proc itself, and it can be written to" {
	run mounted --no-masks "$R"
	grep -q '^/proc rw,nosuid,nodev,noexec,' <<<"$output"
	! grep -q '^/proc/' <<<"$output" || return 1
	run "${JAIL[@]}" --no-masks "$R" sh -c 'true >>"$SETTING" && echo written'
	assert_output written
	# What is asked for stays.
	run "${JAIL[@]}" --no-masks --mask /etc/secret --ro-path /proc/sys "$R" sh -c 'cat /etc/secret; true >>"$SETTING"'
	assert_status 1
	assert_says 'Read-only'
}

# --- --mask ---

@test "--mask: a file reads empty and takes what is written to it, a directory is empty and read-only; the root keeps both" {
	local before
	before=$(bytes "$R")
	run "${JAIL[@]}" --mask /etc/secret --mask=/etc/dir "$R" sh -c '
		wc -c </etc/secret; echo x >/etc/secret && wc -c </etc/secret; stat -c "%F %t:%T" /etc/secret
		ls -A /etc/dir; cat /etc/dir/file; mkdir /etc/dir/x; echo x >/etc/dir/file; stat -c %a /etc/dir
		rm /etc/secret; rmdir /etc/dir; mv /etc/secret /etc/other'
	[ "${lines[0]} ${lines[1]} ${lines[2]}" = '0 0 character special file 1:3' ]
	assert_says "can't open '/etc/dir/file': No such file"
	says_count 2 'Read-only file system'
	says_count 3 busy
	[ "$(bytes "$R")" = "$before" ]
}

@test "--mask: what is mounted or made by other options" {
	run "${JAIL[@]}" --mask /b/file --mask /t --mask /dev/zero --mask /made --mask /proc/uptime --mask /dev/shm -b "$HOST:/b" --tmpfs /t --file "$HOST/file:/made" "$R" sh -c '
		cat /b/file /made /proc/uptime; ls -A /t; head -c 4 /dev/zero; echo x >/t/new; echo x >/dev/shm/new'
	says_count 2 'Read-only file system'
	[ "${#lines[@]}" = 2 ]
	[ "$(cat "$HOST/file")" = host ]
	# The mount point itself.
	run "${JAIL[@]}" --mask /b -b "$HOST:/b" "$R" ls -A /b
	assert_output ''
}

@test "--mask: a symlink is refused, since what it points to would stay in reach; one on the way stays inside (S18)" {
	local option
	ln -s secret "$R/etc/link"
	ln -s /etc "$R/through"
	ln -s "$HOST/file" "$R/out"
	ln -s nothing "$R/etc/dangling"
	for option in --mask --try-mask --ro-path --try-ro-path; do
		assert_refuses "'/etc/link'" "${JAIL[@]}" "$option" /etc/link "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
		assert_says 'hint: it is a symlink in the root file system'
		assert_refuses "'/out'" "${JAIL[@]}" "$option" /out "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
		assert_refuses "'/etc/dangling'" "${JAIL[@]}" "$option" /etc/dangling "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
		assert_refuses "'/proc/self/root'" "${JAIL[@]}" "$option" /proc/self/root "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
		assert_refuses "'/proc/1/cwd/x'" "${JAIL[@]}" "$option" /proc/1/cwd/x "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	done
	run "${JAIL[@]}" --mask /through/secret "$R" sh -c 'cat /etc/secret /through/secret /etc/link; wc -l </marker'
	assert_output 1
	[ "$(cat "$HOST/file")" = host ]
}

@test "--mask and --ro-path: where there is nothing it is refused, and --try-... does without" {
	local option
	for option in mask ro-path; do
		assert_refuses "'/etc/none'" "${JAIL[@]}" "--$option" /etc/none "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
		assert_says 'hint: --try-'
		assert_refuses "'/marker/x'" "${JAIL[@]}" "--$option" /marker/x "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
		run "${JAIL[@]}" "--try-$option" /etc/none "--try-$option" /none/at/all "$R" ls -d /etc/none /none
		assert_status 1
		says_count 2 'No such file'
		# It is no licence for what is there.
		run "${JAIL[@]}" "--try-$option" /etc/secret "$R" sh -c 'cat /etc/secret; echo x >/etc/secret'
		[ "$output" = '' ] || assert_says 'Read-only'
		[ "$(cat "$R/etc/secret")" = secret ]
	done
}

@test "--mask and --ro-path: bad paths" {
	local option place
	for option in --mask --ro-path --try-mask --try-ro-path; do
		for place in '' / // /. etc /etc/../etc/secret /.. /etc/dir/..; do
			assert_refuses "$option: '$place'" "${JAIL[@]}" "$option" "$place" "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
		done
	done
	# These are names like any other.
	mkdir "$R/etc/..." "$R/etc/a:b\\c"
	echo secret >"$R/etc/.../file"
	echo secret >"$R/etc/a:b\\c/file"
	run "${JAIL[@]}" --mask /etc/... --mask '/etc/a:b\c/file' "$R" sh -c 'ls -A /etc/...; cat "/etc/a:b\c/file"'
	assert_status 0
	assert_output ''
}

@test "--mask: the root's own /dev/null, whatever it is, has no part in it (S18)" {
	local kind before
	for kind in symlink file fifo directory; do
		rm -rf "${R:?}/dev"
		mkdir "$R/dev"
		case $kind in
		symlink) ln -s /etc/passwd "$R/dev/null" ;;
		file) echo fake >"$R/dev/null" ;;
		fifo) mkfifo "$R/dev/null" ;;
		directory) mkdir "$R/dev/null" ;;
		esac
		before=$(bytes "$R")
		for bare in '' --bare; do
			run "${JAIL[@]}" ${bare:+--bare --proc} --mask /etc/secret "$R" sh -c 'wc -c </etc/secret; echo x >/etc/secret; stat -c "%F %t:%T" /etc/secret /proc/keys; wc -c </proc/keys'
			assert_output $'0\ncharacter special file 1:3\ncharacter special file 1:3\n0'
		done
		[ "$(bytes "$R")" = "$before" ]
	done
}

@test "--mask: a /dev/null of the old root that is none is refused (S18)" {
	world '
		mount -t tmpfs none /dev
		for kind in "ln -s $HOST/file" touch mkfifo mkdir; do
			$kind /dev/null
			rootjail --bare --mask /etc/secret "$R" true || echo "refused $?"
			rm -r /dev/null
		done'
	assert_output $'refused 125\nrefused 125\nrefused 125\nrefused 125'
}

# --- --ro-path ---

@test "--ro-path: a file and a directory are read-only, the rest of the root is not, and the host still writes" {
	run "${JAIL[@]}" --ro-path /etc/secret --ro-path=/etc/dir "$R" sh -c '
		cat /etc/secret /etc/dir/file; echo x >/etc/secret; echo x >/etc/dir/file; echo x >/etc/dir/new; rm /etc/dir/file; chmod 0 /etc/secret
		echo x >/etc/new && echo written'
	[ "${lines[0]}${lines[1]}${lines[-1]}" = secretsecretwritten ]
	says_count 5 'Read-only file system'
	[ "$(cat "$R/etc/secret" "$R/etc/dir/file")" = $'secret\nsecret' ]
	echo more >>"$R/etc/dir/file"
}

@test "--ro-path: with all that is mounted below (S19)" {
	world '
		mkdir "$HOST/sub" && mount -t tmpfs none "$HOST/sub"
		nsnew -p rootjail --ro-path /b -b "$HOST:/b" --tmpfs /b/sub/tmp -b "$HOST:/b/sub/again" "$R" sh -c "
			echo x >/b/new; echo x >/b/sub/new; echo x >/b/sub/tmp/new; echo x >/b/sub/again/new; echo x >/b/sub/again/file; true"
		echo x >"$HOST/sub/new"; echo x >"$HOST/new"'
	assert_status 0
	says_count 5 'Read-only file system'
}

@test "--ro-path and --read-only, --overlay and each other" {
	local option
	for option in --read-only --overlay; do
		run "${JAIL[@]}" "$option" --ro-path /etc --ro-path /etc/dir --mask /etc/secret --tmpfs /t --ro-path /t "$R" sh -c 'cat /etc/secret; cat /etc/dir/file; echo x >/etc/new; echo x >/etc/dir/new; echo x >/t/new'
		[ "${lines[0]}" = secret ]
		says_count 3 'Read-only file system'
	done
}

@test "--mask and --ro-path: the order of options does not matter" {
	local wanted='' order
	local options=(--mask=/etc/secret --ro-path=/etc --bind="$HOST:/etc/dir/b" --mask=/etc/dir/b/file --tmpfs=/etc/dir/t --ro-path=/etc/dir/t)
	mkdir "$R/etc/dir/b" "$R/etc/dir/t"
	for order in '0 1 2 3 4 5' '5 4 3 2 1 0' '3 1 5 0 2 4' '1 0 3 5 4 2'; do
		local arguments=()
		for n in $order; do arguments+=("${options[n]}"); done
		run "${JAIL[@]}" "${arguments[@]}" "$R" sh -c 'cat /etc/secret /etc/dir/b/file /etc/dir/file; for place in /etc /etc/dir /etc/dir/b /etc/dir/t; do echo x 2>/dev/null >$place/new || echo no $place; done'
		[ -n "$wanted" ] || wanted=$output
		assert_output "$wanted"
	done
	assert_output $'secret\nno /etc\nno /etc/dir\nno /etc/dir/b\nno /etc/dir/t'
	# One in the other.
	run "${JAIL[@]}" --mask /etc/dir/file --mask /etc/dir "$R" ls -A /etc/dir
	assert_output ''
	assert_status 0
	run "${JAIL[@]}" --mask /etc/dir --mask /etc/dir/file "$R" ls -A /etc/dir
	assert_output ''
	assert_status 0
}

@test "--mask and --ro-path: a path with slashes or dots behind a symlink is refused as the symlink is (S18)" {
	ln -s / "$R/top"
	ln -s /etc/dir "$R/link"
	local option path
	for option in mask ro-path; do
		for path in /top/ /top/. /top//./ /link/ /link/.; do
			assert_refuses 'symlink' "${JAIL[@]}" "--$option=$path" "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
		done
		assert_refuses 'the root itself' "${JAIL[@]}" "--$option=/./" "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	done
}

@test "--mask below a bind holds though the way to the bind is another one by then (S16)" {
	requires strace
	mkdir -p "$R/a/b"
	echo key >"$HOST/secret"
	# Held behind the bind, the second thing that it attaches.
	start strace -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=move_mount -e inject=move_mount:signal=STOP:when=2 \
		"${PRIVILEGED[@]}" rootjail --bare --bind="$HOST:/a/b" --mask=/a/b/secret "$R" cat /away/b/secret
	eventually grep -q 'stopped by SIGSTOP' "$BATS_TEST_TMPDIR/trace"
	mv "$R/a" "$R/away"
	mkdir -p "$R/a/b"
	echo decoy >"$R/a/b/secret"
	kill -CONT "$(child_of "$LINK_PID" rootjail)"
	eventually grep -qE '^(exited|killed)' "$OUT"
	! grep key "$OUT" || return 1
	ended 'exited 0'
}

@test "--mask and --ro-path below a bind hold while symlinks of the root change places (S16)" {
	local ready flipper round started=0
	mkdir -p "$R/h2/u" "$R/h3/u/.ssh" "$HOST/u/.ssh"
	echo key >"$HOST/u/.ssh/id"
	ln -s h2 "$R/home1"
	ln -s h3 "$R/home2"
	exec {ready}< <(exec flip "$R/home1" "$R/home2" 3>&-)
	flipper=$!
	read -r -u "$ready" _
	for ((round = 0; round < $(times 200); round++)); do
		run "${JAIL[@]}" --bind="$HOST/u:/home1/u" --mask=/home1/u/.ssh "$R" sh -c 'cat /h2/u/.ssh/id /h3/u/.ssh/id 2>/dev/null; true'
		[ "$output" != key ] || break
		started=$((started + (status == 0)))
		run "${JAIL[@]}" --bind="$HOST/u:/home1/u" --ro-path=/home1/u/.ssh "$R" sh -c 'echo >/h2/u/.ssh/new; echo >/h3/u/.ssh/new; true'
		[ ! -e "$HOST/u/.ssh/new" ] || break
	done 2>/dev/null
	kill "$flipper"
	exec {ready}<&-
	echo "round $round, $started started"
	[ "$round" = "$(times 200)" ]
	[ "$started" -gt 0 ] || [ "$round" -lt 50 ]
}

@test "read-only is refused for a device, which it does not protect" {
	assert_refuses 'device' "${JAIL[@]}" --bind=/dev/null:/tmp/null:ro,dev "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	assert_refuses 'device' "${JAIL[@]}" --dev=/dev/null --ro-path=/dev/null "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
}

# --- whom they hold against ---

# Tries to take off all that is in the way.
UNDO='
	for place in /etc/secret /etc/dir /proc/keys /proc/sys /ro; do
		umount "$place" && echo "took off $place"
		umount -l "$place" && echo "took off $place"
	done 2>/dev/null
	for place in /etc/dir /proc/sys /ro; do
		mount -o remount,bind,rw "$place" && echo "made $place writable"
	done 2>/dev/null
	mount -o remount,bind,rw / 2>/dev/null && echo "made / writable"
	cat /etc/secret /etc/dir/file 2>/dev/null
	echo x 2>/dev/null >/ro/new && echo "wrote to /ro"
	echo x 2>/dev/null >/new && echo "wrote to /"
	true 2>/dev/null >>"$SETTING" && echo "wrote to /proc"
	true'
KEPT=(--read-only --mask /etc/secret --mask /etc/dir --ro-path /ro)

@test "masks hold against a COMMAND without CAP_SYS_ADMIN, also in a user namespace of its own" {
	requires static
	mkdir "$R/ro"
	run "${JAIL[@]}" "${KEPT[@]}" "$R" capjail --drop sys_admin sh -c "$UNDO"
	assert_status 0
	assert_output ''
	run "${JAIL[@]}" "${KEPT[@]}" "$R" capjail --drop all sh -c "$UNDO"
	assert_output ''
	# There it has every capability, and none over these mounts.
	run "${JAIL[@]}" "${KEPT[@]}" "$R" capjail --drop sys_admin nsnew -rm sh -c "$UNDO; mount -t tmpfs none /root && echo may mount"
	assert_output 'may mount'
	run "${JAIL[@]}" "${KEPT[@]}" "$R" capjail --drop all nsnew -Um sh -c "$UNDO"
	assert_output ''
	run "${JAIL[@]}" "${KEPT[@]}" "$R" nsnew -rm sh -c "$UNDO"
	assert_output ''
	run "${JAIL[@]}" "${KEPT[@]}" "$R" unshare -Urm sh -c "$UNDO"
	assert_output ''
}

@test "masks do not hold against a root with all capabilities, as the page says" {
	mkdir "$R/ro"
	run "${JAIL[@]}" "${KEPT[@]}" "$R" sh -c "$UNDO"
	assert_says 'took off /etc/secret'
	assert_says 'made / writable'
	assert_says secret
}

@test "capabilities that were dropped are back in a user namespace, unless there can be none (S42)" {
	requires static
	run "${JAIL[@]}" "$R" capjail --drop sys_admin nsnew -r sed -n 's/^CapEff:\t//p' /proc/self/status
	assert_status 0
	[ "$((16#$output >> 21 & 1))" = 1 ]
	run "${JAIL[@]}" "$R" capjail --drop sys_admin sed -n 's/^CapEff:\t//p' /proc/self/status
	[ "$((16#$output >> 21 & 1))" = 0 ]
	run --separate-stderr "${JAIL[@]}" "$R" capjail --drop sys_admin --no-user-namespaces nsnew -r echo ran
	assert_status 125
	assert_output ''
	run "${JAIL[@]}" "$R" capjail --drop sys_admin --no-user-namespaces unshare -Ur echo ran
	[ "$status" -ne 0 ]
}

# --- failures ---

@test "masks: each system call that puts them up fails once: COMMAND does not run with less (S38)" {
	requires strace
	local log=$BATS_TEST_TMPDIR/log calls=open_tree,mount_setattr,move_mount,openat2,fsmount call n count wanted refused=0
	look() {
		run --separate-stderr "${PRIVILEGED[@]}" nsnew -pm strace -qq -o "$log" -e signal=none "$@" \
			rootjail --overlay --read-only --mask /etc/secret --mask /etc/dir --ro-path /bin --dir /made "$R" /bin/busybox cat /proc/self/mountinfo
		output=$(cut -d ' ' -f 4-6 <<<"$output" | grep -v ' /dev/[fnrtuzps]')
	}
	look -e "trace=$calls"
	assert_status 0
	wanted=$output
	cp "$log" "$log.all"
	for call in ${calls//,/ }; do
		count=$(grep -c "^$call(" "$log.all")
		[ "$count" -ge 1 ]
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
	[ "$refused" -ge 40 ]
}
