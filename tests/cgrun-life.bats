# cgrun: COMMAND's end and that of its group: nothing survives it, however it ends, and what it used and died of is reported.
# Variable ROUNDS: how often at most something is repeated.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # what is in single quotes is for the shell that is started; status and others are of bats

setup() {
	load helpers
	load helpers/groups
	begin_groups
}

teardown() {
	[ -z "${DISK:-}" ] || losetup -d "$DISK"
	end_groups
}

# --- transparency ---

@test "exit status and signals of COMMAND are passed on as they are (R07)" {
	requires limits
	local n
	for n in 0 1 42 126 255; do
		run outcome "$BATS_TEST_TMPDIR/pid" "${ALONE[@]}" cgrun -m 64M sh -c "exit $n"
		assert_output "exited $n"
	done
	for n in 1 9 11 15; do
		run outcome "$BATS_TEST_TMPDIR/pid" "${ALONE[@]}" cgrun -m 64M sh -c 'kill -"$1" $$' sh "$n"
		assert_output "killed by $n"
	done
	nothing_left
}

@test "a COMMAND that is not there or no program: 127 and 126, no group left (R07)" {
	requires limits
	run -127 "${ALONE[@]}" cgrun -m 64M /nonexistent/command
	run -126 "${ALONE[@]}" cgrun -m 64M /etc/passwd
	nothing_left
}

@test "a signal to cgrun reaches COMMAND, whose handler has its say" {
	requires limits
	local ready=$BATS_TEST_TMPDIR/ready pid
	"${ALONE[@]}" cgrun -m 64M bash -c 'trap "exit 33" TERM; echo >"$1"; while :; do read -rt 1 <> <(:); done' bash "$ready" 3>&- &
	pid=$!
	echo "$pid" >>"$PIDS"
	eventually [ -e "$ready" ]
	kill -TERM "$pid"
	wait "$pid" || status=$?
	assert_status 33
	nothing_left
}

@test "a signal that ends COMMAND ends cgrun as well, and the group" {
	requires limits
	local signal pid
	for signal in TERM INT HUP QUIT USR1; do
		outcome "$BATS_TEST_TMPDIR/pid" "${ALONE[@]}" cgrun -m 64M sh -c 'sleep 1000 & exec sleep 1000' >"$BATS_TEST_TMPDIR/out" 3>&- &
		pid=$!
		echo "$pid" >>"$PIDS"
		inside() { [ "$(cat "${ALONE_GROUPS[-1]}"/cgrun-*-????????/cgroup.procs 2>/dev/null | wc -l)" = 2 ]; }
		eventually inside
		kill -"$signal" "$(cat "$BATS_TEST_TMPDIR/pid")"
		wait "$pid"
		[ "$(cat "$BATS_TEST_TMPDIR/out")" = "killed by $(kill -l "$signal")" ]
		nothing_left
	done
}

# --- out of memory ---

@test "out of memory: reported every time, with limit and peak, and COMMAND's own status (R14)" {
	requires limits
	local round count
	count=$(times 100)
	for ((round = 0; round < count; round++)); do
		run --separate-stderr outcome "$BATS_TEST_TMPDIR/pid" "${ALONE[@]}" cgrun -m 16M hog 48
		assert_output 'killed by 9'
		[[ $stderr =~ 'out of memory: the kernel killed 1 process of cgroup '.*'limit 16.0M, peak '(15\.[5-9]|16\.0)M ]] || {
			echo "round $round: $stderr"
			return 1
		}
		[[ $stderr != *'never met'* ]]
	done
	nothing_left
}

@test "out of memory: of a process that COMMAND outlives (R14)" {
	requires limits
	run --separate-stderr "${ALONE[@]}" cgrun -m 16M sh -c 'hog 48; echo "$?"; exit 3'
	assert_status 3
	assert_output 137
	assert_says 'out of memory: the kernel killed 1 process of'
}

@test "out of memory: of a process in a group that COMMAND made (R14)" {
	requires limits
	run --separate-stderr "${ALONE[@]}" cgrun -m 16M bash -c '
		group=$(own_cgroup memory)
		[ -n "$group" ] || group=$(own_cgroup v2)
		mkdir "$group/below"
		enter "$group/below/$([ -e "$group/tasks" ] && echo tasks || echo cgroup.procs)" -- hog 48
		echo "$?"'
	assert_status 0
	assert_output 137
	# Version 1 counts in the group of the process that was killed alone.
	on_v1 memory || assert_says 'out of memory'
	nothing_left
}

@test "memory within the limit is no news" {
	requires limits
	run --separate-stderr "${ALONE[@]}" cgrun -m 64M hog 16
	assert_status 0
	[ -z "$stderr" ]
}


@test "out of memory: by the limit of a group above, and that is said (R14)" {
	requires limits
	run --separate-stderr "${ALONE[@]}" cgrun -m 16M sh -c 'cgrun -m 256M hog 64; exit 3'
	assert_status 3
	if on_v1 memory; then
		# Version 1 counts the death in the group of the process, which never met its own limit.
		assert_says 'limit 256.0M'
		assert_says 'not by its own limit'
	else
		# The shell is in the group that would have to hand memory down.
		assert_says 'holds other processes'
	fi
	nothing_left
	run --separate-stderr "${ALONE[@]}" cgrun -m 16M cgrun -m 256M hog 64
	assert_status 137
	assert_says 'limit 256.0M'
	assert_says 'not by its own limit'
	nothing_left
}

@test "out of memory: of several processes, each is counted (R14)" {
	requires limits
	run --separate-stderr "${ALONE[@]}" cgrun -m 16M sh -c 'hog 48; hog 48; hog 48; exit 3'
	assert_status 3
	assert_says 'the kernel killed 3 processes of'
}

@test "out of memory: version 2: all of the group at once, if it is to be (R14)" {
	requires limits cgroup_v2
	run --separate-stderr "${ALONE[@]}" cgrun -m 16M --oom-group sh -c 'sleep 1000 & hog 48; echo survived'
	assert_status 137
	assert_output ''
	# The report is read when COMMAND is gone, perhaps before the kernel has come to the others; and it may count one twice.
	[[ $stderr =~ 'the kernel killed '(1' process'|[2-5]' processes')' of' ]] || {
		echo "$stderr"
		return 1
	}
	run --separate-stderr "${ALONE[@]}" cgrun -m 16M sh -c 'sleep 1000 & hog 48; echo survived'
	assert_status 0
	assert_output survived
	assert_says 'the kernel killed 1 process of'
}

@test "out of memory: version 1: without the killer it waits, and cgrun is told by a signal to end (R14)" {
	requires limits cgroup_v1
	start "${ALONE[@]}" cgrun -m 16M --set memory.oom_control=1 hog 48
	waits() { grep -qsx 'under_oom 1' "$(alone_at memory)"/cgrun-*/memory.oom_control; }
	eventually waits
	kill -KILL "$LINK_PID"
	ended 'killed by 9'
	eventually nothing_left
}

# --- nothing survives ---

# leftovers SCRIPT: no process that SCRIPT left behind lives; it writes its PID to $PIDS itself.
leftovers() {
	run --separate-stderr "${ALONE[@]}" cgrun -m 64M -p 50 bash -c "$1"' 
		until [ "$(wc -l <"$PIDS")" = '"$2"' ]; do read -rt 0.01 <> <(:); done; exit 5'
	assert_status 5
	[[ $stderr != *'cannot remove'* ]]
	[ "$(wc -l <"$PIDS")" = "$2" ]
	all_gone
	nothing_left
}

@test "leftovers: background, session of its own, TERM ignored, double-forked (R09)" {
	requires limits
	leftovers '
		sh -c "echo \$\$ >>$PIDS; exec sleep 1000" &
		setsid sh -c "echo \$\$ >>$PIDS; exec sleep 1000" &
		sh -c "trap \"\" TERM HUP INT; echo \$\$ >>$PIDS; exec sleep 1000" &
		(setsid sh -c "(echo \$\$ >>$PIDS; exec sleep 1000) & exit" &)
		bash -c "(echo \$BASHPID >>$PIDS; exec sleep 1000) & disown" &' 5
}

@test "a group that is busy when it is to be removed is tried again, without a word (R09)" {
	requires limits strace
	local log=$BATS_TEST_TMPDIR/log
	run --separate-stderr strace -f -qq -o "$log" -e trace=unlinkat -e inject=unlinkat:error=EBUSY:when=1..6 "${ALONE[@]}" cgrun -m 64M true
	assert_status 0
	[ "$(grep -c INJECTED "$log")" -ge 6 ]
	[ -z "$stderr" ]
	nothing_left
}

@test "leftovers: with other ids, stopped (R09)" {
	requires limits root setpriv
	leftovers '
		setpriv --reuid 65534 --regid 65534 --clear-groups sh -c "echo \$\$; exec sleep 1000" >>"$PIDS" &
		setpriv --reuid 65534 --regid 65534 --clear-groups setsid sh -c "trap \"\" TERM; echo \$\$; exec sleep 1000" >>"$PIDS" &
		sh -c "echo \$\$ >>$PIDS; kill -STOP \$\$" &' 3
}

@test "leftovers: in a PID namespace and in a user namespace of their own (R09)" {
	requires limits
	leftovers '
		sh -c "echo \$\$ >>$PIDS; exec nsnew -p sleep 1000" &
		sh -c "echo \$\$ >>$PIDS; exec nsnew -r sh -c \"setsid sleep 1000\"" &' 2
}

@test "groups that COMMAND made below its own are removed with what is in them (R10)" {
	requires limits
	run "${ALONE[@]}" cgrun -m 64M -p 50 bash -c '
		for group in "$(own_cgroup memory)" "$(own_cgroup pids)" "$(own_cgroup v2)"; do
			[ -n "$group" ] || continue
			mkdir -p "$group/a/b/c" "$group/a/d" || exit
			setsid enter "$group/a/b/c/$([ -e "$group/tasks" ] && echo tasks || echo cgroup.procs)" -- sleep 1000 &
			echo $! >>"$PIDS"
			until grep -q . "$group/a/b/c/cgroup.procs"; do read -rt 0.01 <> <(:); done
		done
		exit 0'
	assert_status 0
	[ -s "$PIDS" ]
	all_gone
	nothing_left
}

@test "version 2: a threaded group below its own is removed (R10)" {
	requires limits cgroup_v2
	run "${ALONE[@]}" cgrun bash -c '
		group=$(own_cgroup v2)
		mkdir "$group/threaded" && echo threaded >"$group/threaded/cgroup.type" || exit
		enter "$group/threaded/cgroup.procs" -- sleep 1000 &
		echo $! >>"$PIDS"
		until grep -q . "$group/threaded/cgroup.procs" "$group/threaded/cgroup.threads" 2>/dev/null; do read -rt 0.01 <> <(:); done
		exit 0'
	assert_status 0
	all_gone
	nothing_left
}

@test "COMMAND that leaves its group and removes it: no error, the status is its own" {
	requires limits
	run --separate-stderr "${ALONE[@]}" cgrun -p 20 bash -c '
		for group in "$(here pids)" "$(own_cgroup v2)"; do
			[ -n "$group" ] && [ -d "$group" ] || continue
			mkdir "$group/../aside" || exit
			echo $$ >"$group/../aside/cgroup.procs" && rmdir "$group" || exit
		done
		exit 4'
	assert_status 4
	[ -z "$stderr" ]
	[ -z "$(find "${ALONE_GROUPS[@]}" -name 'cgrun-*-????????')" ]
}

@test "cgrun in cgrun: the inner group is in the outer one, and the outer limit holds" {
	requires limits
	run --separate-stderr "${ALONE[@]}" cgrun -m 48M -p 60 cgrun -m 32M -p 30 bash -c '
		shown memory.limit_in_bytes memory.max; shown pids.max pids.max; cat /proc/self/cgroup'
	assert_status 0
	[ "${lines[0]}" = 33554432 ]
	[ "${lines[1]}" = 30 ]
	grep -q '/cgrun-[^/]*/cgrun-[^/]*$' <<<"$output"
	nothing_left
	run --separate-stderr "${ALONE[@]}" cgrun -m 16M cgrun -m 256M hog 64
	assert_status 137
	assert_says 'out of memory'
	nothing_left
}

@test "cgrun in cgrun: a limit above the outer one is the kernel's to judge, the status comes through both" {
	requires limits
	run "${ALONE[@]}" cgrun -p 60 cgrun -p 30 sh -c 'setsid sleep 1000 & exit 9'
	assert_status 9
	nothing_left
}

@test "fork bomb under --pids: ends, and nothing of it is left (R09)" {
	requires limits
	local round count
	count=$(times 300)
	# Should the limit not hold, bomb ends by itself.
	for ((round = 0; round < count; round++)); do
		run timeout 20 "${ALONE[@]}" cgrun -p 50 bomb
		assert_status 7
		nothing_left
	done
	# In numbers, once.
	run timeout 20 "${ALONE[@]}" cgrun -p 50 bash -c '
		group=$(here pids)
		bomb &
		wait $!
		read -r now <"$group/pids.current" && [ "$now" -le 50 ] || exit
		read -r _ refused <"$group/pids.events" && [ "$refused" -gt 0 ] && exit 8'
	assert_status 8
	nothing_left
}

# killed_at_random MILLISECONDS COMMAND...: by SIGKILL, many times; no process and no group is left.
killed_at_random() {
	local count=$1
	ROUNDS=$(times "$count") rounds "$2" "${ALONE[@]}" "${@:3}"
	eventually nothing_left
}

@test "cgrun killed at a random moment: descendants in sessions of their own (R08)" {
	requires limits
	killed_at_random 125 40 cgrun -m 64M -p 50 sh -c 'setsid sleep 1000 & setsid setsid sleep 1000 & exec sleep 1000'
}

@test "cgrun killed at a random moment: double-forked ones (R08)" {
	requires limits
	killed_at_random 125 40 cgrun -m 64M -p 50 sh -c '(setsid sh -c "(sleep 1000 &) &" &); (sleep 1000 &); exec sleep 1000'
}

@test "cgrun killed at a random moment: ones that ignore signals, and fork on and on (R08)" {
	requires limits
	killed_at_random 125 60 cgrun -m 64M -p 50 sh -c 'trap "" TERM HUP INT; setsid sh -c "while :; do (sleep 0.01 &); done" 2>/dev/null & sleep 1000'
}

@test "cgrun killed at a random moment: ones with other ids (R08)" {
	requires limits root setpriv
	killed_at_random 125 60 cgrun -m 64M -p 50 setpriv --reuid 65534 --regid 65534 --clear-groups sh -c 'setsid sleep 1000 & exec sleep 1000'
}

@test "cgrun killed at a random moment: version 1 alone (R08)" {
	requires limits pure_v1
	alone_in freezer
	killed_at_random 40 200 "${ON_V1[@]}" cgrun -m 64M -p 50 sh -c 'trap "" TERM; setsid sleep 1000 & (sleep 1000 &); exec sleep 1000'
}

@test "cgrun killed at a random moment: one in another (R08)" {
	requires limits
	killed_at_random 50 60 cgrun -m 64M -p 60 cgrun -m 32M -p 50 sh -c 'setsid sleep 1000 & exec sleep 1000'
}

@test "cgrun killed with its whole process group: the watcher is in another one (R08)" {
	requires limits
	local status=0
	# Not by run: what was left would keep its pipe open.
	timeout -s KILL 1 "${ALONE[@]}" cgrun -m 64M sh -c 'setsid sleep 1000 & exec sleep 1000' >/dev/null 2>&1 3>&- || status=$?
	[ "$status" = 137 ]
	eventually nothing_left
}

@test "cgrun killed: descendants with other ids end too (R08)" {
	requires limits root setpriv
	local pid
	"${ALONE[@]}" cgrun -m 64M setpriv --reuid 65534 --regid 65534 --clear-groups sh -c 'setsid sleep 1000 & echo $!; exec sleep 1000' >>"$PIDS" 3>&- &
	pid=$!
	eventually grep -q . "$PIDS"
	kill -KILL "$pid"
	eventually all_gone
	eventually nothing_left
}

# --- report ---

# number NAME: of the report in JSON, as it is there.
number() {
	sed -n "s/.*[{ ]\"$1\": \([^,}]*\).*/\1/p" "$BATS_TEST_TMPDIR/stats"
}

# between NAME LEAST [MOST]
between() {
	local got
	got=$(number "$1")
	awk -v got="$got" -v least="$2" -v most="${3:-1e18}" 'BEGIN { exit !(got ~ /^[0-9.]+$/ && got + 0 >= least && got + 0 <= most) }' || {
		echo "$1 is $got, not from $2 to ${3:-more}"
		return 1
	}
}

# measure COMMAND...: a cgrun with its report in JSON in the file "stats".
measure() {
	run --separate-stderr "${ALONE[@]}" cgrun --stats="$BATS_TEST_TMPDIR/stats" --json "$@"
}

@test "stats: JSON of one object on one line, with these names" {
	requires limits python3
	alone_in cpuacct blkio
	measure -m 64M -p 20 -c 2 sh -c 'exit 3'
	assert_status 3
	[ "$(wc -l <"$BATS_TEST_TMPDIR/stats")" = 1 ]
	run python3 -c 'import json, sys; print(" ".join(json.load(open(sys.argv[1]))))' "$BATS_TEST_TMPDIR/stats"
	assert_output 'wall_seconds user_seconds system_seconds throttled_seconds throttled_periods memory_peak_bytes memory_high_events memory_max_events memory_oom_events memory_oom_kills pids_peak pids_max_events io_read_bytes io_written_bytes exit_status signal'
	[ "$(number exit_status)" = 3 ]
	[ "$(number signal)" = null ]
	[ "$(number memory_oom_kills)" = 0 ]
	nothing_left
	measure -m 64M sh -c 'kill -9 $$'
	assert_status 137
	[ "$(number exit_status)" = null ]
	[ "$(number signal)" = 9 ]
	nothing_left
}

@test "stats: memory, as the kernel counts it" {
	requires limits
	alone_in cpuacct blkio
	measure -m 64M hog 32
	assert_status 0
	between memory_peak_bytes $((32 << 20)) $((64 << 20))
	between memory_max_events 0 0
	measure -m 16M hog 48
	assert_status 137
	between memory_peak_bytes $((15 << 20)) $((16 << 20))
	[ "$(number memory_oom_kills)" = 1 ]
	assert_says 'out of memory: the kernel killed 1 process'
	# Where memory and swap are limited as one, version 1 does not count how often.
	measure -m 16M --swap max hog 48
	between memory_max_events 1
	# Without a limit it is counted, too.
	measure hog 24
	between memory_peak_bytes $((24 << 20))
	nothing_left
}

@test "stats: time, as the kernel counts it, of what COMMAND has not waited for as well" {
	requires limits python3
	alone_in cpuacct blkio
	local spin='import os, sys, time
if os.fork():
    while not os.path.exists(sys.argv[1]): time.sleep(0.01)
    sys.exit()
while time.process_time() < 0.5: pass
open(sys.argv[1], "w").close()
time.sleep(100)'
	measure python3 -c "$spin" "$BATS_TEST_TMPDIR/spun"
	assert_status 0
	awk -v user="$(number user_seconds)" -v system_time="$(number system_seconds)" 'BEGIN { exit !(user + system_time >= 0.49 && user + system_time < 20) }'
	awk -v wall="$(number wall_seconds)" 'BEGIN { exit !(wall >= 0.49) }'
	measure -c 0.2 python3 -c 'import time
while time.process_time() < 0.2: pass'
	between throttled_seconds 0.1
	between throttled_periods 1
	between wall_seconds 0.5
	measure true
	between throttled_periods 0 0
	between user_seconds 0 2
	nothing_left
}

@test "stats: processes" {
	requires limits
	alone_in cpuacct blkio
	measure -p 20 sh -c 'sleep 0.1 & sleep 0.1 & sleep 0.1 & wait'
	assert_status 0
	# Not every kernel keeps the peak.
	[ "$(number pids_peak)" = null ] || between pids_peak 4 4
	between pids_max_events 0 0
	measure -p 3 bash -c 'exec 2>/dev/null; for i in 1 2 3 4 5; do sleep 0.1 & done; wait'
	between pids_max_events 1
	nothing_left
}

@test "stats: bytes from and to disks" {
	requires limits loop
	alone_in cpuacct blkio
	IMAGE=$BATS_TEST_TMPDIR/image
	truncate -s 16M "$IMAGE"
	DISK=$(losetup -f --show "$IMAGE")
	measure sh -c 'dd if=/dev/zero of="$1" bs=1M count=3 oflag=direct && dd if="$1" of=/dev/null bs=1M count=5 iflag=direct' sh "$DISK"
	assert_status 0
	between io_written_bytes $((3 << 20)) $((4 << 20))
	between io_read_bytes $((5 << 20)) $((16 << 20))
	nothing_left
}

@test "stats: text, on standard error, in a file, to an fd that COMMAND does not have" {
	requires limits
	alone_in cpuacct blkio
	local out=$BATS_TEST_TMPDIR/stats
	run --separate-stderr "${ALONE[@]}" cgrun --stats -m 64M sh -c 'echo out; exit 3'
	assert_status 3
	assert_output out
	grep -qxE 'exit status +3' <<<"$stderr"
	grep -qxE 'wall +[0-9]+\.[0-9]{3} s' <<<"$stderr"
	grep -qxE 'memory peak +[0-9.]+[KM]' <<<"$stderr"
	run --separate-stderr "${ALONE[@]}" cgrun --stats sh -c 'kill -15 $$'
	grep -qxE 'signal +15' <<<"$stderr"
	! grep -q 'exit status' <<<"$stderr" || return 1
	# The file is written anew.
	printf '%01000d\n' 0 >"$out"
	run --separate-stderr "${ALONE[@]}" cgrun --stats="$out" true
	[ -z "$stderr" ]
	grep -qxE 'exit status +0' "$out"
	! grep -q 0000 "$out" || return 1
	rm "$out"
	run --separate-stderr "${ALONE[@]}" cgrun --stats-fd=7 sh -c '! [ -e /proc/self/fd/7 ] && ls /proc/self/fd | wc -l' 7>"$out"
	assert_status 0
	grep -qxE 'exit status +0' "$out"
	# The fds that COMMAND has without it.
	local with=$output
	run --separate-stderr "${ALONE[@]}" cgrun sh -c '! [ -e /proc/self/fd/7 ] && ls /proc/self/fd | wc -l'
	assert_output "$with"
	# A standard one COMMAND does have.
	run --separate-stderr "${ALONE[@]}" cgrun --stats-fd=1 echo out
	assert_status 0
	[ "${lines[0]}" = out ]
	grep -qxE 'exit status +0' <<<"$output"
	nothing_left
}

@test "stats: an open file is appended to where it stands" {
	requires limits
	alone_in cpuacct blkio
	{
		echo before
		"${ALONE[@]}" cgrun --stats-fd=7 --json true
		echo after
	} 7>&1 >"$BATS_TEST_TMPDIR/stats" 7>&1
	[ "$(sed -n '1p;3p' "$BATS_TEST_TMPDIR/stats")" = $'before\nafter' ]
	[[ $(sed -n 2p "$BATS_TEST_TMPDIR/stats") == '{'*'}' ]]
}

@test "stats: where they cannot be written COMMAND's status is passed on and that is said" {
	requires limits
	alone_in cpuacct blkio
	run --separate-stderr "${ALONE[@]}" cgrun --stats=/dev/full sh -c 'exit 3'
	assert_status 3
	assert_says 'cannot write the statistics: No space left on device'
	run --separate-stderr "${ALONE[@]}" cgrun --stats-fd=7 sh -c 'exit 4' 7</dev/null
	assert_status 4
	assert_says 'cannot write the statistics'
	# No reader any more: no death by SIGPIPE.
	run --separate-stderr bash -c 'exec 7> >(:); wait $!; "$@"' bash "${ALONE[@]}" cgrun --stats-fd=7 sh -c 'exit 5'
	assert_status 5
	nothing_left
	# What can be known before is an error before.
	assert_refuses "'/nonexistent/file'" "${ALONE[@]}" cgrun --stats=/nonexistent/file "${UNREACHED[@]}"
	assert_refuses "'77' is not open" "${ALONE[@]}" cgrun --stats-fd=77 "${UNREACHED[@]}"
	local value
	for value in '' x -1 1.5 99999999999; do
		assert_refuses "'$value'" cgrun --stats-fd="$value" "${UNREACHED[@]}"
	done
	nothing_left
}

@test "stats: behind a namespace and beside limits that only try" {
	requires limits
	alone_in cpuacct blkio
	run --separate-stderr "${PRIVILEGED[@]}" nsnew -p "${ALONE[@]}" cgrun --stats="$BATS_TEST_TMPDIR/stats" --json -m 64M hog 24
	assert_status 0
	between memory_peak_bytes $((24 << 20)) $((64 << 20))
	nothing_left
}

@test "stats: version 2: beside other processes there are fewer numbers, and no refusal" {
	requires limits cgroup_v2
	inside "$(alone_at v2)" sleep 1000 3>&- &
	echo $! >>"$PIDS"
	eventually grep -q . "$(alone_at v2)/cgroup.procs"
	measure sh -c 'exit 3'
	assert_status 3
	[ "$(number memory_peak_bytes)" = null ]
	[ "$(number exit_status)" = 3 ]
	[ "$(cat "$(alone_at v2)/cgroup.type")" = domain ]
}
