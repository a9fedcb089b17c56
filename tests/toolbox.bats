# The toolbox: links behind a change of root are the caller's own, never the root's, and nobody in there can write to the files of any link.
# Each test runs private copies of the links, which belong to the one who attacks them. ROUNDS: how often a container is joined under attack.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # text for inner shells; each test is a shell of its own

setup_file() {
	load helpers
	local link root=$BATS_FILE_TMPDIR/template
	make_root "$root"
	cp "$HELPERS/grab" "$root/bin"
	# By another name grab only tells that it ran.
	for link in "${LINKS[@]}" nsmount; do cp "$HELPERS/grab" "$root/bin/$link"; done
	cp "$BIN/capjail" "$root/bin/drop"
	printf '#!/proc/self/exe --help\n' >"$root/trap"
	chmod 755 "$root/trap"
}

setup() {
	load helpers
	load helpers/processes
	# With the sanitizers the links need a loader and libraries of the root.
	requires static
	[ "$(id -u)" = 0 ] || requires userns
	T=$BATS_TEST_TMPDIR R=$BATS_TEST_TMPDIR/root L=$BATS_TEST_TMPDIR/links
	cp -a "$BATS_FILE_TMPDIR/template" "$R"
	mkdir "$L"
	cp "$BIN"/* "$L"
	mark_copies "$L"/*
	# Where the host's links are looked for the root has its own.
	mkdir -p "$R$L"
	cp "$R"/bin/{nsnew,nsjoin,cgrun,capjail,rootjail} "$R$L"
	PATH=$L:${PATH#*:}
	WANTED=$(bytes "$L")
	# Not nsnew, which would wait and so be busy: nobody can write to a program that runs.
	if [ "$(id -u)" = 0 ]; then WORLD=(unshare -m) JOIN=(nsjoin); else WORLD=(unshare -Urm) JOIN=(nsjoin -U); fi
	JAIL=("${PRIVILEGED[@]}" nsnew -pm rootjail)
	export T R L PATH
}

teardown() {
	end_started
	! grep -F " $BATS_TEST_TMPDIR" /proc/self/mountinfo || return
	# All of them together are more than fits into the memory of a small machine.
	rm -rf --one-file-system "$R" "$L"
}

# mark_copies FILE...: lets grab overwrite them, which looks for this line; programs do not care what is behind their end.
mark_copies() {
	local file
	for file; do printf '\nthis copy may be overwritten: .\n' >>"$file"; done
}

# bytes DIRECTORY: all there is to say of it but the time of the last access.
bytes() {
	find "$1" -printf '%P %i %y %m %s %l %T@ %C@\n' | sort
	find "$1" -type f -exec sha256sum {} + | sort
}

# assert_unharmed: the links are what they were, and nobody claims to have written to them.
assert_unharmed() {
	local failed=0
	[ "$(bytes "$L")" = "$WANTED" ] || {
		diff <(echo "$WANTED") <(bytes "$L") || true
		failed=1
	}
	! grep -s '^wrote ' "${OUT:-/dev/null}" | sort -u | grep . || failed=1
	return "$failed"
}

# assert_genuine: no program of the root ran in the place of a link, and the links are what they were.
assert_genuine() {
	! sort -u "$R/evil" 2>/dev/null | grep -H --label=evil . || return
	assert_unharmed
}

# What an attacker may do: all that there is to do in its container, or nothing: such a one is let in only to those that may do nothing either.
STRONG='' WEAK='/bin/drop --drop all'

# box ATTACKER: a container with the root R and nothing in it but an attacker, BOX. With IN before them, links run in its PID namespace and then
# in the root R: to begin with outside of it, so that the attacker never sees the links that the caller starts.
box() {
	rm -f "$R"/{stop,ask,take,evil,up,gate}
	# shellcheck disable=SC2086 # words
	start "${WORLD[@]}" -pf --kill-child rootjail "$R" $1 grab /
	eventually said watching
	eventually has_child "$LINK_PID" grab
	BOX=$(child_of "$LINK_PID" grab)
	IN=("${JOIN[@]}" -t "$BOX" -p rootjail "$R")
}

# strike: waits until the attacker has looked at all that runs now.
strike() {
	: >"$R/ask"
	eventually test ! -e "$R/ask"
}

# box_held MINIMUM: after the attacker's last try nothing is harmed; it found so many things to attack.
box_held() {
	touch "$R/stop"
	ended 'exited 0'
	assert_unharmed || return
	[ "$(sed -n 's/^targets //p' "$OUT")" -ge "$1" ] || {
		echo "not $1 to attack:"
		cat "$OUT"
		return 1
	}
}

# lasting COMMAND...: in the background, as PID LASTING, until it is let_go; COMMAND gets a shell's words behind it that wait for that.
lasting() {
	rm -f "$R"/{up,gate}
	mkfifo "$R/gate"
	"$@" sh -c 'touch /up; read -r _ </gate' 3>&- &
	LASTING=$!
	STARTED+=("$LASTING")
	eventually test -e "$R/up"
}

let_go() {
	echo >"$R/gate"
	wait "$LASTING" || true
	unset 'STARTED[-1]'
}

# open_gates: fds 6 and 7 are fresh ends of FIFOs.
open_gates() {
	rm -f "$T"/{block,ready}
	mkfifo "$T/block" "$T/ready"
	exec 6<>"$T/block" 7<>"$T/ready"
}

# hold LINK... /trap: in the background, blocked as soon as it writes anything, which /trap is about to. release lets go and waits for it.
hold() {
	[ -p "$T/full" ] || mkfifo "$T/full"
	exec 8<>"$T/full"
	until ! dd if=/dev/zero of="$T/full" oflag=nonblock bs=4096 count=1 2>/dev/null; do :; done
	"$@" >"$T/full" 3>&- 8>&- &
	HELD=$!
	STARTED+=("$HELD")
	eventually is_trapped "$HELD"
}

# is_trapped PID: it has come to /trap, or its child has.
is_trapped() {
	local children
	read -ra children <"/proc/$1/task/$1/children" || true
	# shellcheck disable=SC2068 # numbers
	cat "/proc/$1/cmdline" ${children[@]/*//proc/&/cmdline} | tr '\0' ' ' | grep -qF '/proc/self/exe --help'
} 2>/dev/null

release() {
	cat <&8 >/dev/null 3>&- &
	local reader=$!
	wait "$HELD" || true
	unset 'STARTED[-1]'
	kill "$reader"
	wait "$reader" 2>/dev/null || true
	exec 8>&-
}

# world SCRIPT: SCRIPT may mount.
world() {
	run --separate-stderr "${WORLD[@]}" bash -euo pipefail -c "$1"
}

# --- links behind the switch ---

@test "five links in a row behind the switch, none of them from the root (S04)" {
	run --separate-stderr "${JAIL[@]}" "$R" nsnew -u capjail --drop sys_time rootjail --bare / nsnew -i nsjoin -t 1 -u \
		sh -c 'hostname jailed && hostname; grep CapBnd /proc/self/status; ls /bin/drop'
	assert_status 0
	assert_genuine
	[ "${lines[0]}" = jailed ]
	(( (0x${lines[1]##*[[:space:]]} & 1 << 25) == 0 ))
	[ "${lines[2]}" = /bin/drop ]
	[ "$(hostname)" != jailed ]
}

@test "each link alone behind the switch" {
	local chain
	for chain in 'nsnew -u' 'nsnew -m' 'nsnew -f' 'capjail --drop sys_time' 'rootjail --bare /' 'nsjoin -t 1 -u'; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr "${JAIL[@]}" "$R" $chain sh -c 'echo here; ls /bin/drop'
		assert_status 0
		assert_output $'here\n/bin/drop'
		assert_genuine
	done
}

@test "cgrun behind the switch" {
	requires cgroup
	run --separate-stderr "${JAIL[@]}" -b /sys/fs/cgroup "$R" cgrun capjail --drop sys_time sh -c 'echo here'
	assert_status 0
	assert_output here
	assert_genuine
}

@test "a link that the links' directory does not have: 127, and not the one of the root" {
	rm "$L/capjail"
	WANTED=$(bytes "$L")
	run -127 --separate-stderr "${JAIL[@]}" "$R" capjail --drop sys_time true
	assert_says capjail
	run -127 --separate-stderr "${JAIL[@]}" "$R" nsnew -u capjail --drop sys_time true
	assert_genuine
}

@test "nsmount behind the switch is refused" {
	assert_refuses nsmount "${JAIL[@]}" -b "$T" "$R" nsmount true "${UNREACHED[@]}"
	assert_refuses nsmount "${JAIL[@]}" -b "$T" "$R" nsnew -u nsmount true "${UNREACHED[@]}"
	assert_genuine
}

@test "a path to a link is a COMMAND of the root" {
	local path
	for path in /bin/capjail ./bin/capjail "$L/capjail"; do
		rm -f "$R/evil"
		run --separate-stderr "${JAIL[@]}" "$R" "$path" --drop sys_time true
		assert_output 'evil capjail'
		run --separate-stderr "${JAIL[@]}" "$R" nsnew -u "$path" --drop sys_time true
		assert_output 'evil capjail'
	done
}

@test "a link behind a program that is none is one of the root (S04)" {
	run --separate-stderr "${JAIL[@]}" "$R" nsnew -u env capjail --drop sys_time true
	assert_output 'evil capjail'
	[ "$(<"$R/evil")" = capjail ]
}

@test "COMMAND gets neither files nor variables of it (S01)" {
	local chain
	exec 9</ 200</
	for chain in '' 'capjail --drop sys_time' 'nsnew -u capjail --drop sys_time rootjail /'; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr "${JAIL[@]}" "$R" $chain ls /proc/self/fd
		assert_status 0
		assert_output $'0\n1\n2\n3'
		# shellcheck disable=SC2086
		run --separate-stderr env -i A=b PATH="$PATH" "${JAIL[@]}" "$R" $chain env
		assert_status 0
		[ "$(sort <<<"$output")" = "A=b"$'\n'"PATH=$PATH" ]
	done
	exec 9<&- 200<&-
	assert_genuine
}

@test "a directory of the host by way of an open file is no way out, also behind more links (S01)" {
	local n
	exec 9</ 200</
	for n in 3 4 5 6 7 8 9 10 11 12 200; do
		run ! --separate-stderr "${JAIL[@]}" "$R" capjail --drop sys_time "/proc/self/fd/$n/bin/sh" -c 'echo out'
		[[ $status == 12[67] && $output == '' ]]
	done
	exec 9<&- 200<&-
	assert_genuine
}

@test "the root's loader and libc never run, nor what variables name (S05)" {
	local loader library
	mkdir "$R/only"
	cp "$(command -v env)" "$R/only"
	loader=$(ldd "$R/only/env" | sed -n 's/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p')
	for library in $(ldd "$R/only/env" | grep -o '/[^ ]*'); do
		mkdir -p "$R${library%/*}"
		echo 'no library' >"$R$library"
	done
	cp "$HELPERS/grab" "$R$loader"
	run --separate-stderr "${JAIL[@]}" "$R" capjail --drop sys_time nsnew -u rootjail --bare / sh -c 'echo here'
	assert_output here
	run --separate-stderr env LD_PRELOAD="$loader" LD_AUDIT="$loader" LD_LIBRARY_PATH="${loader%/*}" BASH_ENV=/bin/capjail ENV=/bin/capjail \
		"${JAIL[@]}" "$R" capjail --drop sys_time nsnew -u rootjail --bare / /bin/busybox echo here
	assert_output here
	assert_genuine
	# They would run: this one does.
	run --separate-stderr "${JAIL[@]}" "$R" /only/env
	[ "$status" != 0 ]
	[ -e "$R/evil" ] || [ "$status" -ge 126 ]
}

@test "a container that is joined: links behind nsjoin are none of its root's" {
	box "$STRONG"
	run --separate-stderr "${JOIN[@]}" -t "$BOX" -mp -r nsnew -u capjail --drop sys_time rootjail --bare / sh -c 'echo here; ls /bin/drop'
	assert_status 0
	assert_output $'here\n/bin/drop'
	run -127 --separate-stderr "${JOIN[@]}" -t "$BOX" -mp -r nosuchprogram
	touch "$R/stop"
	ended 'exited 0'
	assert_genuine
}

# --- the host's files ---

# less ATTACKER: nothing, or what makes a program one that ATTACKER is let in to.
less() {
	LESS=()
	[ -z "$1" ] || LESS=(capjail --drop all)
}

@test "the attack succeeds on what is not sealed" {
	local attacker victim
	mkdir "$T/plain"
	for attacker in "$STRONG" "$WEAK"; do
		cp /bin/busybox "$T/plain/busybox"
		cp /bin/busybox "$T/plain/capjail"
		mark_copies "$T/plain"/*
		box "$attacker"
		less "$attacker"
		rm -f "$T/gate"
		mkfifo "$T/gate"
		"${JOIN[@]}" -t "$BOX" -p --keep-fd 9 "${LESS[@]}" "$T/plain/busybox" sh -c 'touch "$1/up"; read -r _ <"$1/gate"' sh "$T" 9<"$T/plain" 3>&- &
		victim=$!
		eventually test -e "$T/up"
		strike
		echo >"$T/gate"
		# A program that runs cannot be written to.
		wait "$victim"
		touch "$R/stop"
		ended 'exited 0'
		rm "$T/up"
		cat "$OUT"
		grep -q "^wrote $T/plain/busybox opened" "$OUT"
		grep -q '^wrote capjail opened' "$OUT"
		grep -q '^wrote .* a new file' "$OUT"
		tail -n 1 "$T/plain/busybox" | grep -qF ': X'
	done
}

@test "the attack succeeds on a mount that is only read-only (M30)" {
	local attacker
	mkdir "$T/plain"
	cp /bin/busybox "$T/plain/capjail"
	mark_copies "$T/plain"/*
	for attacker in "$STRONG" "$WEAK"; do
		box "$attacker"
		less "$attacker"
		rm -f "$T/gate"
		mkfifo "$T/gate"
		"${JOIN[@]}" -t "$BOX" -p nsnew -m forge clone "$T/plain" 9 "${LESS[@]}" sh -c 'touch "$1/up"; read -r _ <"$1/gate"' sh "$T" 3>&- &
		eventually test -e "$T/up"
		strike
		echo >"$T/gate"
		touch "$R/stop"
		ended 'exited 0'
		rm "$T/up"
		cat "$OUT"
		# Only after that it can be opened.
		[ "$(grep -m 1 '^wrote capjail ' "$OUT")" = 'wrote capjail cleared by write' ]
	done
}

@test "'#!/proc/self/exe' as COMMAND: the last link, whichever it is (S03, M36)" {
	local chain
	for chain in '' 'nsnew -u' 'capjail --drop sys_time' 'nsnew -u rootjail --bare /' 'nsjoin -t 1 -u'; do
		box "$STRONG"
		# shellcheck disable=SC2086 # words
		hold "${IN[@]}" $chain /trap
		strike
		release
		box_held 1
		# The file that runs, perhaps met before as an open one.
		grep -qE '^target /proc/[0-9]+/(exe|fd/[0-9]+) /memfd:(nsnew|nsjoin|capjail|rootjail) .deleted.$' "$OUT"
	done
}

@test "'#!/proc/self/exe' as COMMAND, to one without any capability (S03, M30)" {
	local chain
	for chain in 'capjail --drop all' 'nsnew -u capjail --drop all' 'capjail --drop all capjail'; do
		box "$WEAK"
		# shellcheck disable=SC2086 # words
		hold "${IN[@]}" $chain /trap
		strike
		release
		box_held 1
	done
}

@test "each link held before each exec (S03)" {
	requires strace
	local attacker chain
	for attacker in "$STRONG" "$WEAK"; do
		for chain in 'nsnew -u capjail --drop all /trap' 'capjail --drop all capjail capjail /trap' 'nsnew -f capjail nsjoin -t 1 -u /trap'; do
			box "$attacker"
			# shellcheck disable=SC2086 # words
			strace -qq -f -o "$T/trace" -e trace=execve,execveat -e inject=execve,execveat:delay_enter=100000 \
				"${IN[@]}" $chain >"$T/null" 2>&1 </dev/null || true
			grep -q exec "$T/trace"
			strike
			box_held "$([ "$attacker" = "$WEAK" ] && echo 0 || echo 1)"
		done
	done
}

@test "a link that waits before COMMAND and holds the others (M30, M38)" {
	local attacker chain
	for attacker in "$STRONG" "$WEAK"; do
		for chain in 'nsnew -f' 'nsnew -u' 'capjail --drop all nsnew -f'; do
			box "$attacker"
			open_gates
			# shellcheck disable=SC2086 # words
			"${JOIN[@]}" -t "$BOX" -p --keep-fd 6 --keep-fd 7 rootjail --keep-fd 6 --keep-fd 7 "$R" \
				$chain --block-fd=6 --ready-fd=7 capjail --drop all /bin/true 3>&- &
			STARTED+=("$!")
			read -rt 10 -u 7 _
			strike
			echo >&6
			wait "${STARTED[-1]}"
			unset 'STARTED[-1]'
			box_held "$([ "$attacker" = "$WEAK" ] && echo 0 || echo 1)"
		done
	done
	exec 6<&- 7<&-
}

@test "the mount of the links taken away while one waits: the next one is not looked for in the root" {
	local attacker
	for attacker in "$STRONG" "$WEAK"; do
		box "$attacker"
		open_gates
		"${JOIN[@]}" -t "$BOX" -mp -r --keep-fd 6 --keep-fd 7 ${attacker:+capjail --drop all} nsnew -f --block-fd=6 --ready-fd=7 capjail --drop all capjail --drop all /bin/true 3>&- &
		STARTED+=("$!")
		read -rt 10 -u 7 _
		touch "$R/take"
		strike
		echo >&6
		wait "${STARTED[-1]}" || [ $? = 125 ] || [ $? = 127 ]
		unset 'STARTED[-1]'
		box_held 0
		assert_genuine
	done
	exec 6<&- 7<&-
}

@test "waiting links behind the switch (S40, M38)" {
	local attacker chain
	for attacker in "$STRONG" "$WEAK"; do
		for chain in 'nsnew -f' 'nsnew -p' 'nsnew --init' 'nsjoin -t 1 -p' 'capjail --drop all nsnew -f' 'nsnew -f nsnew -f capjail --drop all'; do
			box "$attacker"
			# shellcheck disable=SC2086 # words
			lasting "${IN[@]}" $chain
			strike
			let_go
			box_held 0
		done
	done
}

@test "a cgrun that waits behind the switch (M38)" {
	requires cgroup
	box "$STRONG"
	lasting "${JOIN[@]}" -t "$BOX" -p rootjail -b /sys/fs/cgroup "$R" cgrun
	strike
	let_go
	box_held 0
}

@test "waiting links behind the switch show nothing of the host (S40)" {
	local chain chains=('nsnew -f' 'nsnew --init' 'nsnew -f nsnew -m nsnew -f' 'nsnew -f capjail --drop sys_ptrace')
	! has cgroup || chains+=('nsnew -f cgrun' 'cgrun nsnew -f')
	for chain in "${chains[@]}"; do
		rm -f "$R/evil"
		# shellcheck disable=SC2086 # words
		run --separate-stderr "${WORLD[@]}" -pf --kill-child rootjail -b /sys/fs/cgroup "$R" $chain sh -c ': >/stop; exec grab /'
		assert_status 0
		! grep -E '^(sees|wrote) ' <<<"$output" || return 1
		[ "$(sed -n 's/^met //p' <<<"$output")" -ge 1 ]
		assert_unharmed
	done
}

@test "joined again and again, with '#!/proc/self/exe' as COMMAND and others (S03)" {
	local i rounds chain
	rounds=$(times 100)
	box "$STRONG"
	for ((i = 0; i < rounds; i++)); do
		"${JOIN[@]}" -t "$BOX" -mp -r /trap
		"${JOIN[@]}" -t "$BOX" -mp -r -w /bin/true
		"${JOIN[@]}" -t "$BOX" -mp -r capjail --drop all /trap
	done </dev/null >"$T/null" 2>&1
	box_held 1
}

@test "joined with '#!/proc/self/exe' as COMMAND, held until the attacker is done (S03, M36)" {
	local chain
	for chain in '' 'capjail --drop all' 'nsnew -u' 'rootjail --bare /'; do
		box "$STRONG"
		# shellcheck disable=SC2086 # words
		hold "${JOIN[@]}" -t "$BOX" -mp -r $chain /trap
		strike
		release
		box_held 1
	done
}

@test "joined by one that is held before each step on its way (S09)" {
	requires strace
	local attacker call
	for attacker in "$STRONG" "$WEAK"; do
		box "$attacker"
		for call in execve,execveat setns prctl close_range; do
			timeout 60 strace -qq -f -o "$T/trace" -e "trace=$call" -e "inject=$call:delay_enter=20000" \
				"${JOIN[@]}" -t "$BOX" -mp -r capjail --drop all nsnew -f capjail --drop all /trap >"$T/null" 2>&1 </dev/null || true
			grep -q "${call%,*}" "$T/trace"
			strike
		done
		touch "$R/stop"
		ended 'exited 0'
		assert_unharmed
	done
}

@test "joined while links wait for COMMAND (S09, M38)" {
	local attacker
	for attacker in "$STRONG" "$WEAK"; do
		box "$attacker"
		lasting "${JOIN[@]}" -t "$BOX" -mp -r capjail --drop all nsnew -f capjail
		strike
		let_go
		box_held 0
		! grep '^sees ' "$OUT" || return 1
	done
}

# --- what else is in the directory of the links, and where that is ---

@test "a directory of links that holds other files: only the links show (M39)" {
	local attacker files
	echo secret >"$L/secret"
	cp /bin/busybox "$L/other"
	mark_copies "$L/other"
	WANTED=$(bytes "$L")
	# Whichever numbers are free.
	for files in '' '3<&1' '4<&1' '3<&1 5<&1' '4<&1 6<&1 8<&1' '8<&1 12<&1'; do
		run --separate-stderr bash -c "exec 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&- 10<&-; exec $files; exec \"\$@\"" bash \
			"${JAIL[@]}" "$R" nsnew -u capjail --drop sys_time rootjail --bare / sh -c 'echo here'
		assert_output here
	done
	run -127 --separate-stderr "${JAIL[@]}" "$R" other true
	assert_genuine
	for attacker in "$STRONG" "$WEAK"; do
		box "$attacker"
		hold "${JOIN[@]}" -t "$BOX" -mp -r capjail --drop all /trap
		strike
		release
		lasting "${IN[@]}" capjail --drop all nsnew -f capjail
		strike
		let_go
		box_held 1
		! grep -E 'secret|other' "$OUT" || return 1
	done
	# Seen from outside, of a link that waits with all that it holds for the next one.
	open_gates
	"${JAIL[@]}" --keep-fd 6 --keep-fd 7 "$R" nsnew -u --block-fd=6 --ready-fd=7 capjail --drop all /bin/true 3>&- &
	STARTED+=("$!")
	read -rt 10 -u 7 _
	for files in "/proc/$!/fd" /proc/[0-9]*/fd; do
		[[ $(readlink "${files%fd}exe" 2>/dev/null) == *nsnew* ]] || continue
		[ -z "$(find "$files/" -maxdepth 2 -follow -name secret 2>/dev/null)" ]
	done
	echo >&6
	wait "${STARTED[-1]}"
	unset 'STARTED[-1]'
	exec 6<&- 7<&-
}

@test "a directory of links that is two overlays deep: sealed all the same" {
	local attacker deep='
		mount -t overlay -o "lowerdir=$L:$T/empty" none "$T/first"
		mount -t overlay -o "lowerdir=$T/first:$T/empty" none "$T/second"
		PATH=$T/second:$PATH
		exec "$@"'
	mkdir "$T"/{empty,first,second}
	run --separate-stderr "${PRIVILEGED[@]}" nsnew -pm bash -ec "$deep" bash rootjail "$R" nsnew -u capjail --drop sys_time rootjail --bare / sh -c 'echo here'
	assert_output here
	assert_genuine
	for attacker in "$STRONG" "$WEAK"; do
		box "$attacker"
		# shellcheck disable=SC2086 # words
		hold "${JOIN[@]}" -t "$BOX" -p nsnew -m bash -ec "$deep" bash rootjail "$R" ${attacker:+capjail --drop all} /trap
		strike
		release
		box_held 1
		grep '^target .*/memfd:' "$OUT"
	done
}

# --- an fd that is not ours ---

# forged: a directory with malicious links and a rootjail that is the true one.
forged() {
	F=$T/forged
	rm -rf "$F"
	mkdir "$F"
	cp "$R"/bin/{nsnew,nsjoin,cgrun,capjail} "$F"
	ln -s "$L/rootjail" "$F/rootjail"
	export F
}

# assert_true_link: what ran was capjail --version, and it was the host's.
assert_true_link() {
	assert_status 0
	assert_output "$("$L/capjail" --version)"
	assert_genuine
}

@test "an fd of a directory, handed over by the caller, is not used (S03)" {
	local kind
	forged
	for kind in directory clone; do
		world "forge $kind \"\$F\" 9 /dev/fd/9/rootjail --bare \"\$R\" capjail --version"
		assert_true_link
		world "forge $kind \"\$F\" 9 @rootjail --bare \"\$R\" capjail --version"
		assert_true_link
	done
}

@test "copies that can be written to, handed over by the caller, are no toolbox (S03)" {
	forged
	# Nothing lies beside a copy.
	world 'forge copies "$F" 9 /dev/fd/13 --bare "$R" capjail --version || echo "refused $?"'
	assert_output 'refused 127'
	assert_genuine
	# If they are sealed they are one: whoever makes it has the links that it asked for.
	world 'forge sealed "$F" 9 /dev/fd/13 --bare "$R" capjail --version'
	assert_output 'evil capjail'
}

@test "no fd of a directory behind /dev/fd/N/rootjail (S04)" {
	local number numbers='0 1 2 3 9 10 11 -1 +9 09 9x 4294967305 18446744073709551625 99999999999999999999999999'
	for number in $numbers; do
		export number
		# A path that only looks like one of an fd; 9 is a file.
		world '
			exec 9<"$R/etc/passwd" 10<"$R" 11<"$R/bin"
			mount -t tmpfs none /dev
			mkdir -p "/dev/fd/$number"
			ln -s "$L/rootjail" "/dev/fd/$number/rootjail"
			"/dev/fd/$number/rootjail" --bare "$R" capjail --version'
		assert_true_link
	done
}

@test "no variable of the environment leads to other links (S05)" {
	local number
	forged
	for number in 9 "$F" "/dev/fd/9"; do
		run --separate-stderr env NSCHAIN_TOOLBOX="$number" NSCHAIN_LINKS="$number" NSCHAIN_FD="$number" TOOLBOX="$number" PATH="$L:$PATH:$F" \
			"${JAIL[@]}" "$R" capjail --version 9<"$F"
		assert_true_link
	done
}

@test "a file that is kept has its own number in each link behind the switch" {
	local n
	for n in 3 4 5 6 7 8 9; do
		echo "file $n" >"$T/file"
		run --separate-stderr bash -c "exec $n<\"\$1\"; shift; exec \"\$@\"" bash "$T/file" \
			"${JAIL[@]}" --keep-fd "$n" "$R" capjail --drop sys_time nsnew -u sh -c "cat <&$n; ls /proc/self/fd | wc -l"
		assert_status 0
		[ "${lines[0]}" = "file $n" ]
		[ "${lines[1]}" -le 5 ]
	done
	assert_genuine
}

# --- the program that runs ---

@test "a file that is mounted on a link is the link; the one below is never run" {
	world '
		cp /bin/false "$T/other"
		cp "$L/rootjail" "$T/true-one"
		mv "$T/other" "$L/rootjail"
		mount --bind "$T/true-one" "$L/rootjail"
		"$L/rootjail" --bare "$R" /bin/busybox echo ran'
	assert_output ran
}

@test "a program that is removed while it starts runs on as what it was" {
	mkdir "$T/gone"
	cp "$L/rootjail" "$T/gone/rootjail"
	run --separate-stderr "${PRIVILEGED[@]}" bash -c 'exec 9<"$1/rootjail"; rm "$1/rootjail"; exec /proc/self/fd/9 --bare "$2" /bin/busybox echo ran' bash "$T/gone" "$R"
	assert_output ran
}

@test "a /proc that is not the kernel's tells nothing of the program (S14)" {
	forged
	world '
		mkdir "$T/fake" && mount -t tmpfs none "$T/fake"
		mkdir -p "$T/fake/self/fd"
		ln -s /bin/false "$T/fake/self/exe"
		rm "$F/rootjail"
		cp "$R/bin/rootjail" "$F"
		cp -r "$F" "$T/fake/links"
		for number in {3..60}; do cp -rl "$T/fake/links" "$T/fake/self/fd/$number"; done
		mount --bind "$T/fake" /proc
		"$L/rootjail" --bare "$R" capjail --drop sys_time /bin/busybox echo ran'
	assert_output ran
	assert_genuine
}

@test "links as make installs them" {
	requires make static
	# In a copy: whatever make finds different here from where the tests were built, it builds again.
	mkdir -p "$T/tree/build"
	(cd "$BATS_TEST_DIRNAME/.." && cp -a Makefile VERSION common completions man tests tools "$T/tree" && cp -a build/release "$T/tree/build")
	make -s -C "$T/tree" install DESTDIR="$T/installed" PREFIX=/usr >"$T/log" 2>&1 || { cat "$T/log" && return 1; }
	[ "$(ls "$T/installed/usr/bin")" = "$(ls "$BIN")" ]
	run --separate-stderr "${PRIVILEGED[@]}" "$T/installed/usr/bin/rootjail" --bare "$R" capjail --drop sys_time capjail --version
	assert_true_link
	make -s -C "$T/tree" uninstall DESTDIR="$T/installed" PREFIX=/usr
	[ -z "$(find "$T/installed" ! -type d)" ]
}

@test "links that cannot be copied: says what would be right" {
	[ "$(id -u)" = 0 ] || {
		chmod 111 "$L/rootjail"
		assert_refuses 'Permission denied' "$L/rootjail" "$R" "${UNREACHED[@]}"
		chmod 755 "$L/rootjail"
	}
	run --separate-stderr "${PRIVILEGED[@]}" bash -c 'ulimit -f 100; exec "$@"' bash "$L/rootjail" "$R" "${UNREACHED[@]}"
	assert_status 125
	assert_says "cannot copy the link 'rootjail' into memory: File too large"
	assert_says 'ulimit -f'
	run --separate-stderr "${PRIVILEGED[@]}" bash -c 'ulimit -n 12; exec "$@"' bash "$L/rootjail" "$R" "${UNREACHED[@]}"
	assert_status 125
	assert_says 'into memory: '
	assert_says 'ulimit -Hn'
}

@test "the link in front starts one that changes the root from there at once, if PATH leads to it" {
	requires strace
	local place
	for place in "$L" "$T/by-symlink" "$T/copies"; do
		mkdir -p "$place"
		[ "$place" != "$T/by-symlink" ] || ln -s "$L/rootjail" "$L/nsnew" "$place"
		[ "$place" != "$T/copies" ] || cp "$L"/* "$place"
		run env PATH="$place:$PATH" strace -f -qq -e trace=execve,execveat "${PRIVILEGED[@]}" nsnew -m rootjail --bare "$R" /bin/busybox echo ran
		assert_says ran
		[ "$(grep -c ', \["rootjail", .* = 0$' <<<"$output")" = 1 ]
		grep -q 'execveat(.*, "", \["rootjail", ' <<<"$output"
	done
	# Another program of that name is the one that was meant.
	printf '#!/bin/sh\necho "mine: $2"\n' >"$T/copies/rootjail"
	PATH=$T/copies:$L:${PATH#*:} run --separate-stderr "${PRIVILEGED[@]}" "$L/nsnew" -m rootjail --bare "$R"
	assert_output "mine: $R"
	chmod 0 "$T/copies/rootjail"
	PATH=$T/copies:$L:${PATH#*:} run --separate-stderr "${PRIVILEGED[@]}" "$L/nsnew" -m rootjail --bare "$R" /bin/busybox echo ran
	assert_output ran
}

@test "links that may not be executed are not run from a toolbox either" {
	mkdir "$T/other"
	cp "$L"/* "$T/other"
	printf '#!/bin/sh\necho "the next one"\n' >"$T/other/rootjail"
	# shellcheck disable=SC2016
	local mode without='mount --bind "$L" "$L" && mount -o remount,bind,noexec "$L"'
	for mode in 644 noexec; do
		[ "$mode" = noexec ] || chmod 644 "$L/rootjail"
		world "[ $mode = 644 ] || { $without; }; PATH=\$L:\$T/other:\$PATH; exec \"\$T/other/nsnew\" -m rootjail --bare \"\$R\" /bin/busybox echo ran"
		assert_output 'the next one'
		chmod 755 "$L/rootjail"
	done
	chmod 644 "$L/capjail"
	run -126 --separate-stderr "${JAIL[@]}" --bare "$R" capjail --version
	assert_says "cannot run the link 'capjail': Permission denied"
	# What nobody calls may be anything.
	rm "$L/capjail" "$L/cgrun"
	mkdir "$L/capjail"
	ln -s nowhere "$L/cgrun"
	run --separate-stderr "${JAIL[@]}" --bare "$R" /bin/busybox echo capjail cgrun
	assert_output 'capjail cgrun'
	run -127 --separate-stderr "${JAIL[@]}" --bare "$R" capjail --version
}

@test "an fd that the caller did not hand over is none of the toolbox's" {
	local n closed=(bash -c 'for fd in {3..63}; do eval "exec $fd<&-"; done; exec "$@"' bash)
	for n in {3..24}; do
		assert_refuses 'not open' "${closed[@]}" "${PRIVILEGED[@]}" nsnew -m rootjail --keep-fd "$n" --bare "$R" "${UNREACHED[@]}"
		assert_refuses 'not open' "${closed[@]}" "${JAIL[@]}" --bare "$R" nsnew -u --block-fd "$n" "${UNREACHED[@]}"
		assert_refuses 'not open' "${closed[@]}" "${JAIL[@]}" --bare "$R" cgrun --stats-fd "$n" "${UNREACHED[@]}"
	done
}

@test "links on a file system that cannot send files are copied by hand" {
	run --separate-stderr "$HELPERS/without" sendfile -- "${PRIVILEGED[@]}" "$L/rootjail" --bare "$R" capjail --drop sys_time capjail --version
	assert_true_link
}
