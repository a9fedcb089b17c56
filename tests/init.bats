# nsnew --init and the other ways to wait for COMMAND: status, signals, stops, terminals, hiding, and that nothing survives.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # text for inner shells; each test is a shell of its own

setup() {
	load helpers
	load helpers/processes
	[ "$(id -u)" = 0 ] || requires userns
	T=$(realpath "$BATS_TEST_TMPDIR")
	export T
	# Ways to wait: COMMAND is a child, PID 1, PID 2, PID 2 in a session of its own.
	WAYS=(-f -p --init '--init --new-session')
	# And PID 1 is a link that waits itself.
	FORWARDING=("${WAYS[@]}" '-p nsnew -f' '--init nsnew --init')
	ORPHANS=()
}

teardown() {
	local pid
	end_started
	for pid in "${ORPHANS[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
}

# way OPTIONS COMMAND...: with nsnew and these options, LINK holds it.
way() {
	local options=$1
	shift
	# shellcheck disable=SC2206 # words
	LINK=("${PRIVILEGED[@]}" nsnew $options "$@")
	echo "way: nsnew $options"
}

# command_of NAME: sets COMMAND_PID to the process of that name, a child of the link or of its stub, once it is there.
command_of() {
	eventually find_command "$1"
}

find_command() {
	local stub
	COMMAND_PID=$(child_of "$LINK_PID" "$1") && return
	stub=$(child_of "$LINK_PID" nsnew) && COMMAND_PID=$(child_of "$stub" "$1")
}

is_running() {
	grep -q '^State:.[SR]' "/proc/$1/status"
}

# --- who is who ---

@test "--init: PID 1 is nsnew and COMMAND is PID 2" {
	run "${PRIVILEGED[@]}" nsnew -m --init --mount-proc sh -c 'echo $$ $PPID; cat /proc/1/comm; echo /proc/[0-9]*'
	assert_status 0
	[ "${lines[0]}" = '2 1' ]
	[ "${lines[1]}" = nsnew ]
	[[ ${lines[2]} == '/proc/1 /proc/2'* ]]
	# It implies a PID namespace, and nothing else is new.
	run "${PRIVILEGED[@]}" nsnew --init sh -c 'echo $$ $PPID; readlink /proc/self/ns/mnt'
	assert_output $'2 1\n'"$("${PRIVILEGED[@]}" readlink /proc/self/ns/mnt)"
}

@test "--init: the stub is of the same user and never of COMMAND's" {
	requires root
	run nsnew -m --init --mount-proc setpriv --reuid 1000 --regid 1000 --clear-groups awk '/^Uid:/ { print $2 }' /proc/1/status /proc/2/status
	assert_status 0
	assert_output $'0\n1000'
}

@test "--init: no zombie of 500 orphans is left (R03)" {
	run "${PRIVILEGED[@]}" nsnew -m --init --mount-proc sh -c '
		i=0
		while [ $i -lt 500 ]; do
			( (exit 3) & )
			i=$((i + 1))
		done
		sh -c "echo last \$\$"
		tries=0
		while grep -ls "^State:.Z" /proc/[0-9]*/status >/dev/null && [ $tries -lt 500 ]; do
			sleep 0.02
			tries=$((tries + 1))
		done
		echo zombies $(grep -ls "^State:.Z" /proc/[0-9]*/status | wc -l)
		echo PPid of others: $(awk "\$1 == \"PPid:\" && \$2 == 1" /proc/[3-9]*/status /proc/[1-9][0-9]*/status 2>/dev/null | wc -l)'
	assert_status 0
	# Two processes for each orphan came before the last one.
	[[ ${lines[0]} =~ ^last\ ([0-9]+)$ ]]
	[ "${BASH_REMATCH[1]}" -gt 1000 ]
	[ "${lines[1]}" = 'zombies 0' ]
	[ "${lines[2]}" = 'PPid of others: 0' ]
}

@test "--init: an orphan of COMMAND becomes a child of the stub, and dies with COMMAND" {
	run "${PRIVILEGED[@]}" nsnew --init sh -c '
		(setsid sh -c "while [ \$(ps -o ppid= -p \$\$) = 2 ]; do sleep 0.02; done; echo orphan; sleep 60" &)
		exit 5'
	# run has ended, so nobody holds its pipe.
	assert_status 5
	run "${PRIVILEGED[@]}" nsnew -m --init --mount-proc sh -c '
		mkfifo "$T/fifo"
		(setsid sh -c "tries=0; until read -r _ _ _ parent _ </proc/\$\$/stat && [ \$parent = 1 ] || [ \$tries = 500 ]; do
			sleep 0.02; tries=\$((tries + 1)); done; echo \$parent >\"\$T/fifo\"; sleep 60" &)
		cat "$T/fifo"'
	assert_status 0
	assert_output 1
}

# --- the end ---

@test "status: COMMAND's own, by its true wait status (R07)" {
	local options status
	for options in "${WAYS[@]}"; do
		for status in 0 1 42 124 125 126 127 128 143 255; do
			way "$options" sh -c 'exit "$1"' sh "$status"
			start "${LINK[@]}"
			ended "exited $status"
		done
	done
}

@test "status: a signal that killed COMMAND kills nsnew, and no second core is dumped (R07)" {
	local options signal
	for options in -f --init '--init --new-session' '--init -n'; do
		for signal in 1 2 6 9 11 13 14 15 31 34 64; do
			way "$options" sh -c 'ulimit -c 0; kill -"$1" $$' sh "$signal"
			start "${LINK[@]}"
			ended "killed by $signal"
		done
	done
}

@test "status: COMMAND that is not found or cannot be run (R07)" {
	local options
	for options in "${WAYS[@]}"; do
		way "$options" "$T/missing"
		run -127 "${LINK[@]}"
		way "$options" "$T"
		run -126 "${LINK[@]}"
	done
}

@test "status: a stub that is killed takes all with it" {
	local stub
	start "${PRIVILEGED[@]}" nsnew --init sh -c 'echo ready; exec sleep 60'
	command_of sleep
	stub=$(child_of "$LINK_PID" nsnew)
	ORPHANS+=("$COMMAND_PID")
	kill -KILL "$stub"
	ended 'killed by 9'
	eventually is_gone "$COMMAND_PID"
}

# --- signals ---

@test "signals: TERM runs a trap of COMMAND, with its status (R04)" {
	local options
	for options in "${FORWARDING[@]}"; do
		way "$options" heard 0
		start "${LINK[@]}"
		eventually said ready
		kill -TERM "$LINK_PID"
		ended 'exited 42'
		said TERM
	done
}

@test "signals: each one that is forwarded arrives once" {
	local options signal
	for options in "${FORWARDING[@]}"; do
		way "$options" heard 0
		start "${LINK[@]}"
		eventually said ready
		for signal in INT HUP QUIT USR1 USR2 WINCH CONT; do
			kill "-$signal" "$LINK_PID"
			eventually said "$signal"
		done
		kill -TERM "$LINK_PID"
		ended 'exited 42'
		[ "$(grep -c . "$OUT")" = 10 ]
	done
}

@test "signals: COMMAND without a handler ends of it, also as PID 1, and nsnew as well (R04)" {
	local options signal
	for options in "${WAYS[@]}"; do
		for signal in TERM:15 INT:2 HUP:1 QUIT:3 USR1:10; do
			way "$options" sleep 60
			start sh -c 'ulimit -c 0; exec "$@"' sh "${LINK[@]}"
			command_of sleep
			ORPHANS+=("$COMMAND_PID")
			kill "-${signal%:*}" "$LINK_PID"
			ended "killed by ${signal#*:}"
			eventually is_gone "$COMMAND_PID"
		done
	done
}

@test "signals: a thousand in a row, one status, and it is right (R05)" {
	local options i
	for options in "${FORWARDING[@]}"; do
		way "$options" heard 0
		start "${LINK[@]}"
		eventually said ready
		for ((i = 0; i < ${ROUNDS:-100} * 10; i++)); do
			kill -USR1 "$LINK_PID"
		done
		kill -TERM "$LINK_PID"
		ended 'exited 42'
		said USR1
		[ "$(grep -c '^exited\|^killed' "$OUT")" = 1 ]
	done
}

@test "signals: timeout(1) ends COMMAND" {
	local options
	for options in "${FORWARDING[@]}"; do
		way "$options" sleep 60
		run timeout 0.3 "${LINK[@]}"
		assert_status 124
		way "$options" sh -c 'trap "exit 7" TERM; while :; do sleep 0.02; done'
		run timeout --preserve-status 0.3 "${LINK[@]}"
		assert_status 7
	done
}

@test "signals: the caller's ignored and blocked ones, fds and directory are COMMAND's (R02)" {
	local options before
	local caller=(env --ignore-signal=USR1 --ignore-signal=CHLD --block-signal=USR2 --block-signal=TERM)
	cd "$T"
	before=$(umask 027 && "${caller[@]}" "${PRIVILEGED[@]}" state '' x 7</dev/null)
	[[ $before == *'blocked: 12 15'*'ignored: 10 17'* ]]
	for options in "${WAYS[@]}"; do
		way "$options" state '' x
		run eval 'umask 027; "${caller[@]}" "${LINK[@]}" 7</dev/null'
		assert_status 0
		assert_output "$before"
	done
}

@test "SIGCHLD may be ignored by the caller (R01)" {
	local options
	for options in "${WAYS[@]}"; do
		way "$options" sh -c 'exit 7'
		run timeout 10 env --ignore-signal=CHLD "${LINK[@]}"
		assert_status 7
	done
}

@test "each of the fds 0 to 2 may be closed (R18)" {
	local options
	for options in "${WAYS[@]}"; do
		way "$options" state "$T/state"
		"${LINK[@]}" <&- >&- 2>&- 3>&- 4>&-
		grep -q '^fds:' "$T/state"
		! grep -qE '^fds:.* [012]( |$)' "$T/state" || return 1
		way "$options" sh -c 'exit 7'
		run -7 eval '"${LINK[@]}" <&- >&- 2>&- 3>&-'
	done
}

# --- stops ---

@test "stops: nsnew stops with COMMAND and wakes it (R06)" {
	local options signal
	for options in "${WAYS[@]}"; do
		way "$options" sleep 60
		start "${LINK[@]}"
		command_of sleep
		for signal in STOP STOP STOP; do
			kill "-$signal" "$COMMAND_PID"
			eventually is_stopped "$LINK_PID"
			is_stopped "$COMMAND_PID"
			kill -CONT "$LINK_PID"
			eventually is_running "$COMMAND_PID"
			is_running "$LINK_PID"
		done
		kill -TERM "$LINK_PID"
		ended 'killed by 15'
	done
}

@test "stops: a COMMAND that is killed while it is stopped ends nsnew once that goes on (R06)" {
	local options
	for options in -f -p --init; do
		way "$options" sleep 60
		start "${LINK[@]}"
		command_of sleep
		kill -STOP "$COMMAND_PID"
		eventually is_stopped "$LINK_PID"
		kill -KILL "$COMMAND_PID"
		kill -CONT "$LINK_PID"
		ended 'killed by 9'
	done
}

@test "stops: one that comes when nsnew is gone does not kill COMMAND (R06)" {
	local stub
	start "${PRIVILEGED[@]}" nsnew --init --no-kill-child sh -c 'echo ready; exec sleep 60'
	command_of sleep
	ORPHANS+=("$COMMAND_PID")
	kill -KILL "$LINK_PID"
	ended 'killed by 9'
	kill -STOP "$COMMAND_PID"
	# Then the stub has seen it, or has ended and COMMAND with it.
	stub=$(awk '/^PPid:/ { print $2 }' "/proc/$COMMAND_PID/status")
	eventually stub_is_done "$stub"
	is_stopped "$COMMAND_PID"
	kill -CONT "$COMMAND_PID"
	eventually is_running "$COMMAND_PID"
	kill -KILL "$COMMAND_PID"
	eventually is_gone "$COMMAND_PID"
	eventually is_gone "$stub"
}

# Asleep with no SIGCHLD pending, or gone.
stub_is_done() {
	is_gone "$1" || { grep -q '^State:.S' "/proc/$1/status" && ! grep -q '^ShdPnd:.*[13579bdf]....$' "/proc/$1/status"; }
}

# --- terminals ---

@test "terminal: Ctrl-C reaches COMMAND once, and ends one without a handler" {
	requires python3
	local options
	for options in "${WAYS[@]}"; do
		way "$options" heard 0
		terminal "${LINK[@]}" <<-'STEPS'
			expect ready
			type \x03
			expect INT
			kill USR1
			expect USR1
			kill TERM
			end
		STEPS
		[ "${lines[-1]}" = 'exited 42' ]
		[ "$(printf '%s\n' "${lines[@]}" | grep -cx INT)" = 1 ]
		way "$options" heard 0 USR1
		terminal "${LINK[@]}" <<-'STEPS'
			expect ready
			type \x03
			end
		STEPS
		[ "${lines[-1]}" = 'killed by 2' ]
	done
}

@test "terminal: Ctrl-Z stops all, fg brings it back (R06)" {
	requires python3
	local options text
	# In a session of its own COMMAND has no job control.
	for options in -f -p --init; do
		way "$options" sh -c 'echo ready; while read -r line; do echo "read $line"; done'
		text=$(printf '%q ' "${LINK[@]}")
		printf '%s\n' 'expect PROMPT' "type ${text//\\/\\\\}\\n" 'expect ready' 'type \x1a' 'expect PROMPT' \
			'type jobs -l\n' 'expect Stopped' 'expect PROMPT' \
			"type ps -o s=,comm= --ppid \$(jobs -p),\$(pgrep -P \$(jobs -p)) | tr -s ' ' =; echo done\\n" \
			'expect T=sh' 'expect done' 'expect PROMPT' 'type fg\n' 'expect nsnew' \
			'type once more\n' 'expect read once more' 'type \x03' \
			'expect PROMPT' 'type echo status $?\n' 'expect status 130' 'expect PROMPT' 'type exit 3\n' 'end' >"$T/steps"
		terminal env PS1=PROMPT bash --norc --noprofile --noediting -i <"$T/steps"
		[ "${lines[-1]}" = 'exited 3' ]
	done
}

@test "terminal: COMMAND in the background that reads from it stops, and fg gives it to it (R06)" {
	requires python3
	local options text
	for options in -f -p --init; do
		way "$options" sh -c 'echo ready; read -r line; echo "read $line"'
		text=$(printf '%q ' "${LINK[@]}")
		printf '%s\n' 'expect PROMPT' "type ${text//\\/\\\\} &\\n" 'expect ready' 'type sleep 0.1; wait -n; jobs -l; echo done\n' \
			'expect Stopped' 'expect done' 'expect PROMPT' 'type fg\n' 'expect nsnew' 'type hello\n' 'expect read hello' 'expect PROMPT' \
			'type exit 3\n' 'end' >"$T/steps"
		terminal env PS1=PROMPT bash --norc --noprofile --noediting -i <"$T/steps"
		[ "${lines[-1]}" = 'exited 3' ]
	done
}

# --- hiding ---

@test "hiding: the stub shows nothing of the file system that COMMAND's caller has (S40)" {
	requires python3
	local options
	touch "$T/mark"
	for options in '' -r; do
		# By COMMAND's own root the file is there.
		# shellcheck disable=SC2086 # words
		run "${PRIVILEGED[@]}" nsnew $options -m --init --mount-proc sh -c '
			cd /
			[ -e "/proc/self/root$T/mark" ] && echo own
			for door in root cwd; do
				[ -z "$(ls -A /proc/1/$door/ 2>/dev/null)" ] || echo "/proc/1/$door is not empty"
				[ ! -e "/proc/1/$door$T/mark" ] || echo "/proc/1/$door leads out"
			done
			for fd in /proc/1/fd/*; do
				[ ! -d "$fd/." ] || echo "$fd is a directory"
			done' 7</
		assert_status 0
		assert_output own
	done
}

@test "hiding: whoever joins the stub's mount namespace sees an empty root that nothing can be put into (S40)" {
	requires python3
	run "${PRIVILEGED[@]}" nsnew -m --init --mount-proc python3 -c '
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
libc.setns
os.listdir("/")
try:
    file = os.open("/proc/1/ns/mnt", os.O_RDONLY)
except PermissionError:
    print("refused")
    raise SystemExit
if libc.setns(file, 0x20000) < 0:
    raise OSError(ctypes.get_errno(), "setns")
print(os.listdir("/"), os.path.exists("/proc"))
try:
    os.mkdir("/x")
except OSError as error:
    print(error.strerror)
'
	assert_status 0
	[ "$output" = refused ] || [ "$output" = $'[] False\nRead-only file system' ]
	# nsenter(1) finds no program there.
	run "${PRIVILEGED[@]}" nsnew -m --init --mount-proc sh -c 'nsenter -t 1 -m ls / || echo cannot'
	assert_status 0
	[ "${lines[-1]}" = cannot ]
	[[ $output != *etc* ]]
}

@test "hiding: breakout finds no way out of a root by the stub (S40)" {
	touch "$T/mark"
	make_root "$T/root"
	cp "$HELPERS/breakout" "$T/root/bin"
	run "${PRIVILEGED[@]}" nsnew -m --init rootjail "$T/root" sh -c 'mount -t proc proc /proc && [ -d /proc/1 ] && exec breakout "$1"' sh "$T/mark"
	assert_status 1
	assert_output ''
}

@test "hiding: the link outside holds nothing of the caller's but standard error (S40)" {
	local stub pid
	mkfifo "$T/fifo"
	exec 8<>"$T/fifo"
	start "${PRIVILEGED[@]}" nsnew --init sleep 60 8<&8
	command_of sleep
	stub=$(child_of "$LINK_PID" nsnew)
	[ -e "/proc/$COMMAND_PID/fd/8" ]
	for pid in "$LINK_PID" "$stub"; do
		! find "/proc/$pid/fd" -lname "$T/fifo" 2>/dev/null | grep . || return 1
	done
	exec 8>&-
}

# --- nothing survives ---

FAMILY=(sh -c 'sleep 20 & setsid sleep 20 & (trap "" TERM HUP; setsid sh -c "sleep 20 & sleep 20") & wait')

@test "kill -9 of nsnew at random moments: COMMAND dies, and all in its PID namespace (R08)" {
	requires python3
	ROUNDS=${ROUNDS:-60}
	rounds 5 nsnew -f sleep 20
	rounds 8 "${PRIVILEGED[@]}" nsnew -p "${FAMILY[@]}"
	rounds 10 "${PRIVILEGED[@]}" nsnew --init "${FAMILY[@]}"
	rounds 10 "${PRIVILEGED[@]}" nsnew -m --init --new-session --mount-proc "${FAMILY[@]}"
}

@test "kill -9 of nsnew --init at random moments, when COMMAND has changed its user (R08)" {
	requires root python3
	ROUNDS=${ROUNDS:-60}
	rounds 10 nsnew --init setpriv --reuid 1000 --regid 1000 --clear-groups "${FAMILY[@]}"
}

@test "kill -9 of nsnew --init at random moments, when COMMAND has changed to a subordinate user (R08)" {
	requires rootless subids python3
	ROUNDS=${ROUNDS:-60}
	rounds 30 nsnew -r --map-auto --init setpriv --reuid 1000 --regid 1000 --clear-groups "${FAMILY[@]}"
}

@test "kill -9 of nsnew at random moments, of a chain of them (R08)" {
	requires python3
	ROUNDS=${ROUNDS:-60}
	rounds 15 "${PRIVILEGED[@]}" nsnew -f nsnew --init nsnew -r --init "${FAMILY[@]}"
}

@test "--kill-child=SIGNAL is what COMMAND gets when nsnew is killed" {
	local options
	for options in -f -p --init; do
		way "$options --kill-child=TERM" heard 0
		start "${LINK[@]}"
		eventually said ready
		command_of heard
		ORPHANS+=("$COMMAND_PID")
		kill -KILL "$LINK_PID"
		# What outcome says is the last line only while COMMAND has nothing to say.
		eventually said 'killed by 9'
		eventually said TERM
		eventually is_gone "$COMMAND_PID"
		# Nor does a stub complain.
		! grep nsnew: "$OUT" || return 1
	done
}

@test "--kill-child makes COMMAND a child that can be killed" {
	local options child
	for options in --kill-child --kill-child=TERM; do
		start "${PRIVILEGED[@]}" nsnew -u "$options" sleep 60
		eventually has_child "$LINK_PID" sleep
		child=$(child_of "$LINK_PID" sleep)
		ORPHANS+=("$child")
		kill -KILL "$LINK_PID"
		ended 'killed by 9'
		eventually is_gone "$child"
	done
	assert_refuses --no-fork nsnew --kill-child --no-fork -p "${UNREACHED[@]}"
	assert_refuses --kill-child nsnew --kill-child=NONE "${UNREACHED[@]}"
}

@test "--no-kill-child lets COMMAND live on" {
	local options
	for options in "${WAYS[@]}"; do
		way "$options --no-kill-child" sh -c 'echo ready; exec sleep 60'
		start "${LINK[@]}"
		command_of sleep
		ORPHANS+=("$COMMAND_PID")
		kill -KILL "$LINK_PID"
		ended 'killed by 9'
		# A parent-death signal would be pending before the end of its parent shows.
		is_running "$COMMAND_PID"
		kill -KILL "$COMMAND_PID"
		eventually is_gone "$COMMAND_PID"
	done
}

# --- --new-session ---

@test "--new-session: COMMAND is in a session of its own" {
	local options
	for options in --new-session '-p --new-session' '--init --new-session'; do
		way "$options" sh -c 'echo ready; exec sleep 60'
		start "${LINK[@]}"
		command_of sleep
		[ "$(ps -o sid= -p "$COMMAND_PID")" -ne "$(ps -o sid= -p "$LINK_PID")" ]
		[ "$(ps -o sid= -p "$LINK_PID")" -eq "$(ps -o sid= -p $$)" ]
		kill -TERM "$LINK_PID"
		ended 'killed by 15'
	done
	# Without it all are in one.
	start "${PRIVILEGED[@]}" nsnew --init sleep 60
	command_of sleep
	[ "$(ps -o sid= -p "$COMMAND_PID")" -eq "$(ps -o sid= -p "$LINK_PID")" ]
}

@test "--new-session: COMMAND has no controlling terminal (S32)" {
	requires python3
	local options
	for options in -f --new-session '-p --new-session' '--init --new-session'; do
		way "$options" sh -c 'if ( : </dev/tty ) 2>/dev/null; then echo has one; else echo has none; fi'
		terminal "${LINK[@]}" <<<$'expect has\nend'
		if [ "$options" = -f ]; then
			assert_says 'has one'
		else
			assert_says 'has none'
		fi
		[ "${lines[-1]}" = 'exited 0' ]
	done
}

@test "--new-session: COMMAND has another session keyring, in which the caller's keys are not (S33)" {
	local options
	for options in -f -p --init; do
		run keyring add secret "${PRIVILEGED[@]}" nsnew "$options" keyring find secret
		assert_status 0
		assert_output found
		run keyring add secret "${PRIVILEGED[@]}" nsnew "$options" --new-session keyring find secret
		assert_status 0
		assert_output absent
	done
	run keyring add secret nsnew --new-session keyring find secret
	assert_output absent
}
