# rootjail: what it makes in the root (--dir, --file, --symlink), the session and keyring that it gives COMMAND, and what it refuses.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # text for inner shells; each test is a shell of its own; run assigns stderr

setup_file() {
	load helpers
	load helpers/jail
	prepare_template
}

setup() {
	load helpers
	load helpers/processes
	load helpers/jail
	prepare_jail
}

teardown() {
	end_started
	end_jail
}

# --- what is made ---

@test "--dir, --file, --symlink: with their modes, what is above them is made; the umask has no part in it" {
	umask 077
	run "${JAIL[@]}" --dir /a/b/c --dir=/a/private:mode=0700 --dir /a/open:mode=1777 --file "$HOST/file:/d/e/copy" --file "$HOST/file:/d/tool:mode=4750" \
		--symlink ../x:/f/g/link --symlink=/d:/f/absolute "$R" sh -c 'stat -c "%n %a" /a /a/b /a/b/c /a/private /a/open /d /d/e /d/e/copy /d/tool /f /f/g; cat /f/absolute/e/copy; readlink /f/g/link; umask'
	assert_status 0
	assert_output '/a 755
/a/b 755
/a/b/c 755
/a/private 700
/a/open 1777
/d 755
/d/e 755
/d/e/copy 644
/d/tool 4750
/f 755
/f/g 755
host
../x
0077'
	# They are in the directory that is the root, and stay there.
	[ "$(cat "$R/d/e/copy")" = host ]
	[ "$(readlink "$R/f/g/link")" = ../x ]
}

@test "--dir, --file, --symlink: what is there already" {
	mkdir -m 0711 "$R/there" && echo x >"$R/there/x"
	echo old >"$R/old" && chmod 0600 "$R/old"
	ln "$R/old" "$R/also-old"
	ln -s right "$R/link"
	run "${JAIL[@]}" --dir /there:mode=0700 --file "$HOST/file:/old" --symlink right:/link "$R" sh -c 'stat -c %a /there /old; ls /there; cat /old /also-old; readlink /link'
	assert_status 0
	assert_output $'711\n644\nx\nhost\nold\nright'
	assert_refuses "'/old'" "${JAIL[@]}" --dir /old "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	assert_refuses "'/link'" "${JAIL[@]}" --symlink wrong:/link "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	assert_refuses "'/link'" "${JAIL[@]}" --symlink rig:/link "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	assert_refuses "'/link'" "${JAIL[@]}" --symlink rightly:/link "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	assert_refuses "'/there'" "${JAIL[@]}" --symlink x:/there "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	assert_refuses "'/there'" "${JAIL[@]}" --file "$HOST/file:/there" "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	assert_refuses "'/old/below'" "${JAIL[@]}" --dir /old/below "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	[ "$(readlink "$R/link")" = right ]
	[ "$(cat "$R/there/x")" = x ]
}

@test "--dir, --file, --symlink: over a symlink of the root, which is not followed; one on the way stays inside (S16)" {
	local target before up=../../../../../../../../..
	before=$(bytes "$HOST")
	for target in "$HOST/file" "$up$HOST/file" "$HOST" "$HOST/new" "$up$HOST/new" /proc/self/root/x; do
		rm -f "$R/trap"
		ln -s "$target" "$R/trap"
		assert_refuses "'/trap'" "${JAIL[@]}" --dir /trap "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
		assert_refuses "'/trap'" "${JAIL[@]}" --symlink other:/trap "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
		assert_refuses "'/trap/x'" "${JAIL[@]}" --dir /trap/x "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
		assert_refuses "'/trap/x'" "${JAIL[@]}" --file "/etc/passwd:/trap/x" "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
		# The link itself is replaced.
		run "${JAIL[@]}" --file "/etc/hostname:/trap" "$R" sh -c '[ ! -L /trap ] && [ -f /trap ]'
		assert_status 0
		[ "$(bytes "$HOST")" = "$before" ]
	done
	mkdir -p "$R/real"
	ln -s /real "$R/way"
	ln -s "$up/real" "$R/up"
	run "${JAIL[@]}" --dir /way/a --file "$HOST/file:/up/b" --symlink c:/way/d "$R" ls /real
	assert_output $'a\nb\nd'
	[ "$(bytes "$HOST")" = "$before" ]
}

@test "--file: from a pipe, a big one, an empty one, one of /proc, one under a symlink" {
	mkfifo "$HOST/fifo"
	head -c 5000000 /dev/urandom >"$HOST/big"
	: >"$HOST/empty"
	ln -s file "$HOST/link"
	echo from the pipe >"$HOST/fifo" 3>&- &
	run "${JAIL[@]}" --file "$HOST/fifo:/a" --file "$HOST/big:/b" --file "$HOST/empty:/c" --file /proc/cpuinfo:/d --file "$HOST/link:/e" "$R" sh -c 'cat /a /e; md5sum </b; wc -c </c; grep -c processor /d; [ ! -L /e ] && [ ! -p /a ]'
	assert_status 0
	[ "${lines[0]}" = 'from the pipe' ]
	[ "${lines[1]}" = host ]
	[ "${lines[2]}" = "$(md5sum <"$HOST/big")" ]
	[ "${lines[3]}" = 0 ]
	[ "${lines[4]}" = "$(grep -c processor /proc/cpuinfo)" ]
	# A copy, not the file.
	run "${JAIL[@]}" --file "$HOST/file:/a" "$R" sh -c 'echo x >/a'
	[ "$(cat "$HOST/file")" = host ]
}

@test "--file: what cannot be read is refused, and what it was to replace is still there" {
	echo old >"$R/old"
	assert_refuses "'$HOST/none'" "${JAIL[@]}" --file "$HOST/none:/old" "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	has root || assert_refuses "'/etc/shadow'" "${JAIL[@]}" --file /etc/shadow:/old "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	[ "$(cat "$R/old")" = old ]
	assert_refuses "directory" "${JAIL[@]}" --file "$HOST:/old" "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	[ "$(cat "$R/old")" = old ]
}

@test "--file: where it does not fit nothing is left of it, and what it was to replace is still there" {
	echo old >"$R/old"
	head -c 2000000 /dev/zero >"$HOST/big"
	world '
		mkdir "$R/small" && mount -t tmpfs -o size=1M none "$R/small"
		echo old >"$R/small/old"
		nsnew -p rootjail --file "$HOST/big:/small/old" "$R" true || echo "refused $?"
		ls "$R/small"; cat "$R/small/old"'
	assert_output $'refused 125\nold\nold'
	assert_says 'No space'
	# Nor is what one that was killed may have left in the way.
	: >"$R/.nschain-new"
	run "${JAIL[@]}" --file "$HOST/file:/old" "$R" cat /old
	assert_output host
}

@test "--dir, --file, --symlink: in the order given, below mounts and with them; in an overlay the root stays as it is" {
	local before
	before=$(bytes "$R")
	run "${JAIL[@]}" --overlay --tmpfs /t --dir /t/a --bind "$HOST:/t/a/b" --file "$HOST/file:/t/a/b/copy" --symlink a/b:/t/link --dir /new --read-only "$R" sh -c 'cat /t/link/copy; [ -d /new ] && echo x >/new/x'
	assert_says 'Read-only'
	[ "${lines[0]}" = host ]
	# A bind is what it is on the host.
	[ "$(cat "$HOST/copy")" = host ]
	[ "$(bytes "$R")" = "$before" ]
	# One that is hidden again is still made.
	run "${JAIL[@]}" --dir /t/hidden --tmpfs /t "$R" ls -A /t
	assert_output ''
	[ -d "$R/t/hidden" ]
}

@test "--dir, --file, --symlink: on a read-only root they are refused with a hint, if they are not there" {
	mkdir "$R/there"
	ln -s x "$R/link"
	world '
		mount --bind "$R" "$R"
		mount -o remount,bind,ro "$R"
		for option in --dir=/new --dir=/new/below --symlink=x:/new "--file=$HOST/file:/new" "--file=$HOST/file:/marker"; do
			nsnew -p rootjail $option "$R" true || echo "refused $?"
		done
		nsnew -p rootjail --dir=/there --symlink=x:/link "$R" cat /marker
		nsnew -p rootjail --overlay --dir=/new --file="$HOST/file:/marker" "$R" cat /marker
		nsnew -p rootjail --tmpfs /tmp --dir=/tmp/new "$R" ls /tmp'
	assert_output $'refused 125\nrefused 125\nrefused 125\nrefused 125\nrefused 125\ninside\nhost\nnew'
	says_count 5 'hint: the root is read-only: make it there first'
}

@test "--dir, --file, --symlink: bad values (S08)" {
	local value
	for value in '' / // /. x x/y /x/.. /../x /x:mode= /x:mode=8 /x:mode=77777 '/x:mode=0755,' /x:ro /x:mode=755:y '/x\y' ':mode=755'; do
		assert_refuses --dir "${JAIL[@]}" --dir "$value" "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	done
	for value in '' "$HOST/file" "$HOST/file:" "$HOST/file:/" "$HOST/file:x" ":/x" "$HOST/file:/x:mode=9" "$HOST/file:/x:ro" "$HOST/file:/a/../x" "$HOST/file:/x:mode=644:x"; do
		assert_refuses --file "${JAIL[@]}" --file "$value" "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	done
	for value in '' x x: :/x x:y x:/ x:/.. x:/y:mode=755 'x\:/y'; do
		assert_refuses --symlink "${JAIL[@]}" --symlink "$value" "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	done
}

# --- exchanged while it runs ---

# Variable SUBJECT: whose start it is in which something is put into /place of the root: rootjail, or what this is known to lead out.
subject() {
	case ${SUBJECT:-rootjail} in
	rootjail) "${PRIVILEGED[@]}" rootjail --bare "$@" "$R" /bin/busybox true ;;
	# The second is the recipe that people write by hand.
	bwrap) bwrap --bind "$R" / --dir /place/sub/a --ro-bind /etc/hostname /place/sub/file /bin/busybox true ;;
	shell) unshare -m sh -c 'mkdir -p "$1/place/sub" && cp /etc/hostname "$1/place/sub/file" && exec chroot "$1" /bin/busybox true' sh "$R" ;;
	*) return 99 ;;
	esac
}

@test "directories that turn into symlinks while it runs: what is made and hidden stays inside (S16)" {
	local before mounts flipper round n ran=0 options
	mkdir "$R/place" "$R/place/sub" "$HOST/sub"
	echo secret >"$HOST/sub/secret" && echo inside >"$R/place/sub/secret"
	case ${SUBJECT:-rootjail} in
	bwrap) ln -s "/oldroot$HOST" "$R/link" ;;
	*) ln -s "../../../../../../../../..$HOST" "$R/link" ;;
	esac
	before=$(bytes "$HOST")
	mounts=$(cat /proc/self/mountinfo)
	exec {ready}< <(exec flip "$R/place" "$R/link" 3>&-)
	flipper=$!
	read -r -u "$ready" _
	# In turn, each option; together as many starts as there are to be.
	local each=(--dir=/place/sub/a/b "--file=$BATS_FILE_TMPDIR/template/marker:/place/sub/file" --symlink=x:/place/sub/link --try-mask=/place/sub/secret
		--try-ro-path=/place/sub --tmpfs=/place/sub/t --overlay --dev=/dev/zero)
	for ((round = 0; round < $(times 2000); round++)); do
		n=$((round % ${#each[@]}))
		options=("${each[n]}")
		[ "${each[n]}" != --overlay ] || options+=(--dir=/place/sub/o --file="$BATS_FILE_TMPDIR/template/marker:/place/sub/o/x" --mask=/place/sub/o)
		status=0
		subject "${options[@]}" 2>/dev/null || status=$?
		[ "$status" = 0 ] || [ "$status" = 125 ] || [ -n "${SUBJECT:-}" ] || break
		[ "$status" != 0 ] || ran=$((ran + 1))
		# What was made before must not keep it from being made again.
		[ "$((round % 64))" != 63 ] || rm -rf "$R"/place/sub/{a,file,link,t} "$R"/link/sub/none 2>/dev/null || true
	done
	kill "$flipper"
	exec {ready}<&-
	[ "$round" = "$(times 2000)" ]
	[ "$ran" -gt 0 ] || [ "$round" -lt 50 ]
	diff <(echo "$before") <(bytes "$HOST")
	[ "$(cat /proc/self/mountinfo)" = "$mounts" ]
}

# --- session and keyring ---

@test "--new-session: COMMAND is in a session of its own, and rootjail waits for it (S32)" {
	start "${JAIL[@]}" --new-session "$R" sh -c 'echo "sid $(awk "{print \$6}" /proc/self/stat)"; exec sleep 60'
	eventually grep -q '^sid ' "$OUT"
	# Numbers of the PID namespace: it is not the session of the outside, which is 0 there.
	! grep -qx 'sid 0' "$OUT" || return 1
	kill -TERM "$LINK_PID"
	# From PID 1, which cannot die of a signal.
	ended 'exited 143'
	start "${JAIL[@]}" "$R" sh -c 'echo "sid $(awk "{print \$6}" /proc/self/stat)"; exec sleep 60'
	eventually grep -q '^sid ' "$OUT"
	grep -qx 'sid 0' "$OUT"
}

@test "--new-session: no controlling terminal, to read from or to push text into (S32)" {
	requires python3
	local option
	cat >"$R/try" <<-'END'
		if ( : </dev/tty ) 2>/dev/null; then echo has one; else echo has none; fi
	END
	for option in '' --new-session; do
		terminal "${JAIL[@]}" ${option:+"$option"} "$R" sh /try <<<$'expect has\nend'
		if [ -z "$option" ]; then
			assert_says 'has one'
		else
			assert_says 'has none'
		fi
		[ "${lines[-1]}" = 'exited 0' ]
	done
	[ "$(cat /proc/sys/dev/tty/legacy_tiocsti 2>/dev/null)" = 1 ] || skip 'needs legacy_tiocsti'
	# Typed for the shell that is there when COMMAND has ended.
	local push='import fcntl, sys, termios
try:
    for c in "echo push" "ed\n":
        fcntl.ioctl(0, termios.TIOCSTI, c)
except OSError as e:
    print("refused", e.errno)
else:
    print("typed")'
	push=${push//'"echo push" "ed\n"'/'"echo push""ed\n"'}
	for option in '' --new-session; do
		terminal sh -c '"$@"; read -r line; echo "shell reads $line"' sh "${PRIVILEGED[@]}" rootjail --bare ${option:+"$option"} / capjail --drop sys_admin python3 -c "$push" <<<$'expect ed\ntype end\\n\nend'
		if [ -z "$option" ]; then
			assert_says 'shell reads echo pushed'
		else
			assert_says 'refused'
			assert_says 'shell reads end'
		fi
	done
}

@test "--new-session: exit status, signals, and Ctrl-C (R06)" {
	run "${JAIL[@]}" --new-session "$R" sh -c 'exit 42'
	assert_status 42
	run -127 "${JAIL[@]}" --new-session "$R" nonexistent
	run -126 "${JAIL[@]}" --new-session "$R" /marker
	start "${PRIVILEGED[@]}" rootjail --new-session "$R" sh -c 'kill -KILL $$'
	ended 'killed by 9'
	local signal
	for signal in TERM HUP USR1 INT; do
		start "${PRIVILEGED[@]}" rootjail --new-session "$R" sh -c 'trap "echo got; exit 7" TERM HUP USR1 INT; echo ready; while :; do sleep 0.05; done'
		eventually said ready
		kill "-$signal" "$LINK_PID"
		ended 'exited 7'
		said got
	done
	requires python3
	terminal "${PRIVILEGED[@]}" rootjail --new-session "$R" sh -c 'trap "echo caught; exit 3" INT; echo ready; while :; do sleep 0.05; done' <<<$'expect ready\ntype \\x03\nexpect caught\nend'
	[ "${lines[-1]}" = 'exited 3' ]
	terminal "${PRIVILEGED[@]}" rootjail --new-session "$R" sh -c 'echo ready; exec sleep 60' <<<$'expect ready\ntype \\x03\nend'
	[ "${lines[-1]}" = 'killed by 2' ]
}

@test "--new-session: the one that waits is no way out, and nothing survives it (S40)" {
	run "${JAIL[@]}" --new-session "$R" /bin/breakout "$HOST/file"
	assert_status 1
	assert_output ''
	run "${JAIL[@]}" --new-session "$R" sh -c 'cat /proc/1/comm; ls -A /proc/1/root/ /proc/1/cwd/ | grep -v :; cd /proc/1/fd && ls'
	[ "${lines[0]}" = rootjail ]
	! grep -vE '^(rootjail|[012]|.*Permission denied)?$' <<<"$output" || return 1
	start "${PRIVILEGED[@]}" rootjail --new-session "$R" sh -c 'echo "child $$"; exec sleep 60'
	eventually grep -q ^child "$OUT"
	local child
	child=$(child_of "$LINK_PID" sleep)
	kill -KILL "$LINK_PID"
	ended 'killed by 9'
	eventually is_gone "$child"
}

@test "COMMAND has a session keyring of its own, unless it is told to keep the caller's (S33)" {
	run keyring add secret "${JAIL[@]}" "$R" keyring find secret
	assert_output absent
	run keyring add secret "${PRIVILEGED[@]}" rootjail --bare "$R" keyring find secret
	assert_output absent
	run keyring add secret "${JAIL[@]}" --new-session "$R" keyring find secret
	assert_output absent
	run keyring add secret "${JAIL[@]}" --keep-keyring "$R" keyring find secret
	assert_output found
}

@test "--keep-keyring and --new-session: the session is new and the keyring is the caller's (S33)" {
	run keyring add secret "${JAIL[@]}" --keep-keyring --new-session "$R" keyring find secret
	assert_output found
}

# --- an untrusted root, all around ---

@test "a fake /proc in the root is neither read nor written (S14)" {
	requires static
	local name before
	mkdir -p "$R/proc/self/attr" "$R/proc/self/fd" "$R/proc/sys/kernel" "$R/proc/1"
	for name in self/uid_map self/gid_map self/setgroups self/attr/exec self/attr/current self/status self/mountinfo sys/kernel/cap_last_cap self/oom_score_adj; do
		echo 0 >"$R/proc/$name"
	done
	ln -s /marker "$R/proc/self/exe"
	ln -s /sysrq "$R/proc/sysrq-trigger"
	: >"$R/sysrq"
	before=$(bytes "$R")
	run "${PRIVILEGED[@]}" rootjail "$R" capjail --drop sys_admin cat /marker
	[ "$output" = inside ] || [ "$status" = 125 ]
	run "${PRIVILEGED[@]}" rootjail --bare --keep-keyring -b "$HOST:/tmp" "$R" rootjail --bare --mask /marker / sh -c '[ -s /marker ] && echo unmasked'
	[ -z "$output" ] || [ "$status" = 125 ]
	run "${PRIVILEGED[@]}" rootjail --bare "$R" nsnew -mp sh -c 'echo ran'
	[ "$output" = ran ] || [ "$status" = 125 ]
	diff <(echo "$before") <(bytes "$R")
}

@test "a program of the root that is called as a link is not taken for it (S04)" {
	requires static
	local link
	for link in capjail nsnew rootjail nsjoin cgrun; do
		printf '#!/bin/sh\necho fake\n' >"$R/bin/$link"
		chmod 0755 "$R/bin/$link"
	done
	run "${JAIL[@]}" "$R" capjail --drop sys_admin nsnew -f rootjail --version
	[[ $output == 'rootjail '* ]]
	run "${JAIL[@]}" "$R" nsnew -m rootjail --bare / capjail --drop all sed -n 's/^CapEff:\t//p' /proc/self/status
	[ "$output" = 0000000000000000 ] || assert_status 125
	run "${JAIL[@]}" --overlay "$R" capjail --drop all sed -n 's/^CapEff:\t//p' /proc/self/status
	assert_output 0000000000000000
	# By its path it is what it is.
	run "${JAIL[@]}" "$R" /bin/capjail --drop all true
	assert_output fake
}

# --- bad input ---

@test "the command is not in the root: 127, and the message names both" {
	run -127 --separate-stderr "${JAIL[@]}" "$R" no-such-program
	assert_says "'no-such-program'"
	assert_says "'$R'"
	run -127 --separate-stderr "${JAIL[@]}" --overlay "$R" "$HOST/file"
	assert_says "'$HOST/file'"
}

@test "options that are given twice, without a value, or that there are not" {
	local option
	for option in --read-only --bare --proc --suid --no-masks --new-session --keep-keyring --overlay --sys --mqueue --cgroup; do
		run --separate-stderr "${JAIL[@]}" "$option=x" "$R" true
		[ "$option" = --overlay ] || assert_status 125
	done
	assert_refuses 'given twice' "${JAIL[@]}" -w / -w /tmp "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	for option in --bind --tmpfs --dev --dir --file --symlink --mask --ro-path --try-mask --try-ro-path --workdir --keep-fd; do
		assert_refuses "${option/try-/}" rootjail "$option"
		assert_refuses "${option/try-/}" "${JAIL[@]}" "$option=" "${MARKABLE[@]}" "$R" "${UNREACHED[@]}" || assert_refuses "''" "${JAIL[@]}" "$option=" "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	done
	for option in --try-bind=/:/x --try-dir=/x --try-tmpfs=/x --try-overlay --no-mask --masks --read-write --try-proc; do
		assert_refuses "${option%%=*}" "${JAIL[@]}" "$option" "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	done
}

@test "a working directory that is empty, a file, missing, or in what is masked" {
	local place
	for place in '' /marker /none /etc/none; do
		assert_refuses "'$place'" "${JAIL[@]}" -w "$place" "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	done
	mkdir "$R/etc/below"
	assert_refuses "'/etc/below'" "${JAIL[@]}" --mask /etc -w /etc/below "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	run "${JAIL[@]}" -w /made/by/it --dir /made/by/it "$R" pwd
	assert_output /made/by/it
}

@test "--file and --dir: a symlink of the root does not lead into a bind (S16)" {
	ln -s data "$R/settings"
	ln -s data/deep "$R/deep"
	mkdir "$HOST/deep"
	echo host >"$HOST/app.conf"
	local before
	before=$(bytes "$HOST")
	assert_refuses "'/settings/app.conf'" "${JAIL[@]}" --bind="$HOST:/data" --file="/etc/hostname:/settings/app.conf" "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	assert_refuses "'/deep/new'" "${JAIL[@]}" --bind="$HOST:/data" --dir=/deep/new "${MARKABLE[@]}" "$R" "${UNREACHED[@]}"
	[ "$(bytes "$HOST")" = "$before" ]
	# By its own path it is meant.
	run "${JAIL[@]}" --bind="$HOST:/data" --file="/etc/hostname:/data/app.conf" "$R" true
	assert_status 0
	cmp /etc/hostname "$HOST/app.conf"
}

@test "a directory as standard input, output or error is refused: it would lead out (S01)" {
	local fd
	for fd in 0 1 2; do
		run bash -c "exec \"\${@:2}\" $fd<\"\$1\"" bash "$HOST" "${JAIL[@]}" "$R" sh -c 'echo ran >&2'
		assert_status 125
	done
	[ "$output" != ran ]
}

@test "where close_range(2) is refused, the /proc of a hostile root closes nothing (S01, S14)" {
	requires strace
	mkdir -p "$R/proc/self/fd"
	exec 9<"$HOST"
	run strace -f -qq -o /dev/null -e inject=close_range:error=EPERM "${PRIVILEGED[@]}" rootjail --bare "$R" ls /proc/self/fd/../../..
	exec 9<&-
	assert_status 125
	assert_says 'close'
}

@test "the session keyring is left, or COMMAND does not run (S33)" {
	requires strace
	local error
	for error in EPERM ENOSYS EDQUOT; do
		[ -e /proc/keys ] || continue
		run strace -f -qq -o /dev/null -e "inject=keyctl:error=$error" "${PRIVILEGED[@]}" rootjail --bare "$R" echo ran
		assert_status 125
		assert_says keyring
		run strace -f -qq -o /dev/null -e "inject=keyctl:error=$error" "${PRIVILEGED[@]}" rootjail --bare --keep-keyring "$R" echo ran
		assert_output ran
	done
}
