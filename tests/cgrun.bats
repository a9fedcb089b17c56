# cgrun: limits that hold before COMMAND runs, reports of what they did, and groups that are gone afterwards however it ends.
# Variable ROUNDS: how often it is killed at a random moment.
# shellcheck disable=SC2016,SC2030,SC2031 # what is in single quotes is for the shell that is started

setup() {
	load helpers
	prepare_alone
	PIDS=$BATS_TEST_TMPDIR/pids
	: >"$PIDS"
	export PIDS
	export -f own_cgroup shown
}

teardown() {
	local pid
	while read -r pid; do
		kill -KILL "$pid" 2>/dev/null || true
	done <"$PIDS"
	remove_alone
}

# shown V1FILE V2FILE: what the own group shows in the one of the two that is in force here.
shown() {
	local directory
	directory=$(own_cgroup "${1%%.*}")
	if [ -n "$directory" ]; then
		cat "$directory/$1"
	else
		cat "$(own_cgroup v2)/$2"
	fi
}

# on_v1 CONTROLLER
on_v1() {
	[ -n "$(own_cgroup "$1")" ]
}

# assert_shown EXPECTED V1FILE V2FILE OPTION...: what COMMAND finds as its limit.
assert_shown() {
	local expected=$1
	run --separate-stderr "${ALONE[@]}" cgrun "${@:4}" bash -c 'shown "$@"' bash "$2" "$3"
	assert_status 0 && assert_output "$expected" && nothing_left
}

# all_gone: every process in the file PIDS has ended.
all_gone() {
	local pid
	while read -r pid; do
		is_gone "$pid" || return 1
	done <"$PIDS"
}

# --- limits ---

@test "memory: the limit is in the group's file, and so is one without swap" {
	requires limits
	assert_shown 67108864 memory.limit_in_bytes memory.max -m 64M
	assert_shown 67108864 memory.limit_in_bytes memory.max --memory=64m
	assert_shown 1610612736 memory.limit_in_bytes memory.max -m 1.5G
	assert_shown 67108864 memory.limit_in_bytes memory.max -m 67108864
	# Version 1 counts memory and swap together.
	run "${ALONE[@]}" cgrun -m 64M bash -c 'shown memory.memsw.limit_in_bytes memory.swap.max'
	if [ "$status" = 0 ]; then
		if on_v1 memory; then assert_output 67108864; else assert_output 0; fi
	fi
}

@test "memory: swap that is asked for comes on top" {
	requires limits
	run --separate-stderr "${ALONE[@]}" cgrun -m 64M --swap 32M bash -c 'shown memory.memsw.limit_in_bytes memory.swap.max'
	if [ "$status" = 125 ]; then
		# A kernel that cannot limit swap: then it is no limit that was asked for in vain.
		assert_says 'memory.'
		return
	fi
	assert_status 0
	if on_v1 memory; then assert_output 100663296; else assert_output 33554432; fi
}

@test "memory: the kernel rounds down to pages, and that is no mismatch" {
	requires limits
	assert_shown 19996672 memory.limit_in_bytes memory.max -m 20000001
	assert_shown 52428800 memory.limit_in_bytes memory.max -m 51200.001K
}

@test "cpus: quota and period" {
	requires limits
	local pair
	for pair in 1.5=150000 1=100000 0.62345=62345; do
		assert_shown "${pair#*=}$(on_v1 cpu || echo ' 100000')" cpu.cfs_quota_us cpu.max -c "${pair%=*}"
	done
	if on_v1 cpu; then
		assert_shown 100000 cpu.cfs_period_us - -c 0.5
	fi
	# The least there is; it takes its time, so nothing more is asked of it.
	run "${ALONE[@]}" cgrun -c 0.01 true
	assert_status 0
}

@test "cpus: a busy COMMAND is throttled" {
	requires limits
	run --separate-stderr "${ALONE[@]}" cgrun -c 0.2 bash -c '
		group=$(own_cgroup cpu)
		[ -n "$group" ] || group=$(own_cgroup v2)
		while [ "$SECONDS" -lt 20 ]; do
			while read -r key value; do
				[ "$key" = nr_throttled ] && [ "$value" -gt 0 ] && exit 0
			done <"$group/cpu.stat"
		done
		exit 1'
	assert_status 0
}

@test "pids: the limit is in the group's file and counts COMMAND" {
	requires limits
	assert_shown 33 pids.max pids.max -p 33
	run "${ALONE[@]}" cgrun -p 1 sh -c '(:); echo forked'
	[ "$status" -ne 0 ]
	[[ $output != *forked* ]]
	nothing_left
}

@test "set: any file by its name, repeated, with numbers, sizes and words" {
	requires limits
	assert_shown 47 pids.max pids.max --set pids.max=47
	assert_shown max pids.max pids.max --set pids.max=max
	assert_shown 94371840 memory.soft_limit_in_bytes memory.high --set "$(on_v1 memory && echo memory.soft_limit_in_bytes || echo memory.high)=94371840"
	run --separate-stderr "${ALONE[@]}" cgrun --set pids.max=21 --set "$(on_v1 memory && echo memory.limit_in_bytes || echo memory.max)=33554432" \
		bash -c 'shown pids.max pids.max; shown memory.limit_in_bytes memory.max'
	assert_status 0
	assert_output $'21\n33554432'
}

@test "set: a size with a unit, as --help shows it" {
	requires limits
	assert_shown 94371840 memory.soft_limit_in_bytes memory.high --set "$(on_v1 memory && echo memory.soft_limit_in_bytes || echo memory.high)=90M"
}

@test "set: the last value for a file is the one in force" {
	requires limits
	assert_shown 22 pids.max pids.max --set pids.max=21 --set pids.max=22
}

@test "all limits at once, with a controller whose name begins with another one's" {
	requires limits
	local cpu
	cpu=$(sed 's/[-,].*//' /sys/devices/system/cpu/online)
	run --separate-stderr "${ALONE[@]}" cgrun --set "cpuset.cpus=$cpu" -c 1 -m 64M -p 20 bash -c 'shown cpuset.cpus cpuset.cpus
		shown cpu.cfs_quota_us cpu.max; shown memory.limit_in_bytes memory.max; shown pids.max pids.max'
	assert_status 0
	assert_output "$cpu"$'\n'"100000$(on_v1 cpu || echo ' 100000')"$'\n67108864\n20'
	nothing_left
}

@test "COMMAND's first instruction is inside: every setting and entry comes before its exec" {
	requires limits strace
	local log=$BATS_TEST_TMPDIR/log
	strace -f -qq -e trace=write,execve -e signal=none -o "$log" "${ALONE[@]}" cgrun -m 64M -p 20 env - "$(command -v sh)" -c :
	# cgrun's own exec is the second one, that of env the third successful one.
	awk '/execve\(.*= 0$/ { execs++ } /write\(.*"(67108864|20|0)"/ { if (execs == 2) before++; else other++ } END { exit !(before >= 2 && !other) }' "$log"
}

@test "the group is below the caller's own, in the hierarchy of each limit, and gone afterwards" {
	requires limits
	run --separate-stderr "${ALONE[@]}" cgrun -m 64M -p 20 cat /proc/self/cgroup
	assert_status 0
	[ "$(grep -c "/nschain-test-$$-$BATS_TEST_NUMBER/cgrun-[^/]*\$" <<<"$output")" -ge 1 ]
	local controller
	for controller in memory pids; do
		if on_v1 "$controller"; then
			grep -q ":$controller:.*/nschain-test-$$-$BATS_TEST_NUMBER/cgrun-[^/]*\$" <<<"$output"
		else
			grep -q "^0::.*/nschain-test-$$-$BATS_TEST_NUMBER/cgrun-[^/]*\$" <<<"$output"
		fi
	done
	# One name in all of them.
	[ "$(grep -o 'cgrun-[^/]*$' <<<"$output" | sort -u | wc -l)" = 1 ]
	nothing_left
}

@test "no limit at all: a group of its own all the same" {
	requires limits
	run --separate-stderr "${ALONE[@]}" cgrun cat /proc/self/cgroup
	assert_status 0
	[ "$(grep -c "/nschain-test-$$-$BATS_TEST_NUMBER/cgrun-[^/]*\$" <<<"$output")" = 1 ]
	nothing_left
}

@test "version 2: what was enabled above is put back" {
	requires limits cgroup_v2
	local group=${ALONE_GROUPS[-1]} before
	before=$(cat "$group/cgroup.subtree_control" "$group/cgroup.type")
	run "${ALONE[@]}" cgrun -m 64M -p 20 -c 1 true
	assert_status 0
	[ "$(cat "$group/cgroup.subtree_control" "$group/cgroup.type")" = "$before" ]
	nothing_left
}

@test "version 2: beside other processes it refuses and leaves the group's type alone" {
	requires limits cgroup_v2
	local group=${ALONE_GROUPS[-1]}
	"${ALONE[@]}" sleep 1000 3>&- &
	echo $! >>"$PIDS"
	eventually grep -q . "$group/cgroup.procs"
	assert_refuses 'holds other processes' "${ALONE[@]}" cgrun -m 64M -p 20 "${UNREACHED[@]}"
	[ "$(cat "$group/cgroup.type")" = domain ]
	[ -z "$(cat "$group/cgroup.subtree_control")" ]
	# Without a limit nothing has to be enabled.
	run "${ALONE[@]}" cgrun true
	assert_status 0
}

@test "version 1: a process enters by tasks, never by cgroup.procs" {
	requires limits cgroup_v1 strace
	local log=$BATS_TEST_TMPDIR/log
	strace -f -qq -e trace=openat,write -e signal=none -o "$log" "${ALONE[@]}" cgrun -m 64M -p 20 true
	grep -q '"cgrun-[^"]*/tasks", O_WRONLY' "$log"
	run -1 grep '"cgrun-[^"]*cgroup.procs", O_WRONLY' "$log"
}

@test "version 1: COMMAND does not run if its group vanishes before it is in it" {
	requires limits cgroup_v1 strace
	local group pid
	# The first write of each process waits: that of the child is its entry.
	strace -f -qq -o /dev/null -e trace=write -e inject=write:delay_enter=400000:when=1 "${ALONE[@]}" cgrun -m 64M "${UNREACHED[@]}" 3>&- &
	pid=$!
	echo "$pid" >>"$PIDS"
	limited() {
		for group in "${ALONE_GROUPS[0]}"/cgrun-*; do
			[ "$(cat "$group/memory.limit_in_bytes" 2>/dev/null)" = 67108864 ] && return
		done
		return 1
	}
	eventually limited
	eventually rmdir "$group"
	wait "$pid" || status=$?
	assert_status 125
	[ ! -e "${UNREACHED[4]}" ]
	eventually nothing_left
}

# --- transparency ---

@test "exit status and signals of COMMAND are passed on as they are" {
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

@test "a COMMAND that is not there or no program: 127 and 126, no group left" {
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

@test "out of memory: reported 20 of 20, with limit and peak, and COMMAND's own status" {
	requires limits
	local round
	for ((round = 0; round < 20; round++)); do
		run --separate-stderr outcome "$BATS_TEST_TMPDIR/pid" "${ALONE[@]}" cgrun -m 16M hog 48
		assert_output 'killed by 9'
		[[ $stderr =~ 'out of memory: the kernel killed 1 process of cgroup '.*'limit 16.0M, peak '(15\.[5-9]|16\.0)M ]] || {
			echo "$stderr"
			return 1
		}
	done
	nothing_left
}

@test "out of memory: of a process that COMMAND outlives" {
	requires limits
	run --separate-stderr "${ALONE[@]}" cgrun -m 16M sh -c 'hog 48; echo "$?"; exit 3'
	assert_status 3
	assert_output 137
	assert_says 'out of memory: the kernel killed 1 process of'
}

@test "out of memory: of a process in a group that COMMAND made" {
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

# --- nothing survives ---

# leftovers SCRIPT: no process that SCRIPT left behind lives; it writes its PID to $PIDS itself.
leftovers() {
	run "${ALONE[@]}" cgrun -m 64M -p 50 bash -c "$1"' 
		until [ "$(wc -l <"$PIDS")" = '"$2"' ]; do read -rt 0.01 <> <(:); done; exit 5'
	assert_status 5
	[ "$(wc -l <"$PIDS")" = "$2" ]
	all_gone
	nothing_left
}

@test "leftovers: background, session of its own, TERM ignored, double-forked" {
	requires limits
	leftovers '
		sh -c "echo \$\$ >>$PIDS; exec sleep 1000" &
		setsid sh -c "echo \$\$ >>$PIDS; exec sleep 1000" &
		sh -c "trap \"\" TERM HUP INT; echo \$\$ >>$PIDS; exec sleep 1000" &
		(setsid sh -c "(echo \$\$ >>$PIDS; exec sleep 1000) & exit" &)
		bash -c "(echo \$BASHPID >>$PIDS; exec sleep 1000) & disown" &' 5
}

@test "leftovers: with other ids, stopped" {
	requires limits root setpriv
	leftovers '
		setpriv --reuid 65534 --regid 65534 --clear-groups sh -c "echo \$\$; exec sleep 1000" >>"$PIDS" &
		setpriv --reuid 65534 --regid 65534 --clear-groups setsid sh -c "trap \"\" TERM; echo \$\$; exec sleep 1000" >>"$PIDS" &
		sh -c "echo \$\$ >>$PIDS; kill -STOP \$\$" &' 3
}

@test "leftovers: in a PID namespace and in a user namespace of their own" {
	requires limits
	leftovers '
		sh -c "echo \$\$ >>$PIDS; exec nsnew -p sleep 1000" &
		sh -c "echo \$\$ >>$PIDS; exec nsnew -r sh -c \"setsid sleep 1000\"" &' 2
}

@test "groups that COMMAND made below its own are removed with what is in them" {
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

@test "version 2: a threaded group below its own is removed" {
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

@test "fork bomb under --pids: ends, and nothing of it is left" {
	requires limits
	local round group
	# Should the limit not hold, this one does.
	for group in "${ALONE_GROUPS[@]}"; do
		[ ! -e "$group/pids.max" ] || echo 300 >"$group/pids.max"
	done
	for ((round = 0; round < 3; round++)); do
		run timeout 20 "${ALONE[@]}" cgrun -p 50 bash -c '
			group=$(own_cgroup pids)
			[ -n "$group" ] || group=$(own_cgroup v2)
			bomb() { bomb | bomb & }
			bomb 2>/dev/null &
			until read -r _ refused <"$group/pids.events" && [ "$refused" -gt 0 ]; do :; done
			read -r now <"$group/pids.current" && [ "$now" -le 50 ] && exit 7'
		assert_status 7
		nothing_left
	done
}

@test "cgrun killed at a random moment: no process and no group is left" {
	requires limits
	local round pid pause
	for ((round = 0; round < ${ROUNDS:-50}; round++)); do
		"${ALONE[@]}" cgrun -m 64M -p 50 sh -c 'setsid sh -c "trap \"\" TERM; sleep 1000" & (sleep 1000 &) ; exec sleep 1000' 3>&- &
		pid=$!
		printf -v pause '0.%06d' $((RANDOM % 20000))
		read -rt "$pause" <> <(:) || true
		kill -KILL "$pid"
		wait "$pid" || true
		eventually nothing_left
	done
}

@test "cgrun killed with its whole process group: the watcher is in another one" {
	requires limits
	run timeout -s KILL 1 "${ALONE[@]}" cgrun -m 64M sh -c 'setsid sleep 1000 & exec sleep 1000'
	assert_status 137
	eventually nothing_left
}

@test "cgrun killed: descendants with other ids end too" {
	requires limits root setpriv
	local pid
	"${ALONE[@]}" cgrun -m 64M setpriv --reuid 65534 --regid 65534 --clear-groups sh -c 'setsid sleep 1000 & echo $!; exec sleep 1000' >>"$PIDS" 3>&- &
	pid=$!
	eventually grep -q . "$PIDS"
	kill -KILL "$pid"
	eventually all_gone
	eventually nothing_left
}

# --- what fails ---

# A COMMAND that makes the directory "good" in $3 if it is in a group with the limits, "bad" if not, without a single write(2).
JUDGE='
	while IFS=: read -r _ _ path; do
		case $path in */cgrun-*) name=${path##*/} ;; esac
	done </proc/self/cgroup
	shown() { [ -e "$1/$name/$2" ] && read -r value <"$1/$name/$2" && [ "$value" = "$3" ]; }
	for group; do
		shown "$group" memory.max 67108864 || shown "$group" memory.limit_in_bytes 67108864 && memory=1
		shown "$group" pids.max 20 && pids=1
	done
	[ "$memory$pids" = 11 ] && exec mkdir "$GOOD"
	exec mkdir "$BAD"'

# nothing_left, or on version 2 no more than the empty group that cgrun waited in, if putting back what it changed above is what failed.
little_left() {
	local group
	nothing_left && return
	grep -q INJECTED "$BATS_TEST_TMPDIR/log" || return 1
	group=$(find "${ALONE_GROUPS[@]}" -mindepth 1 -type d)
	[ -n "$group" ] && [ -z "${group##*.self}" ] && rmdir "$group" && remove_alone && prepare_alone
}

# judge STRACE_OPTION...: runs cgrun under strace with an injection.
judge() {
	export GOOD=$BATS_TEST_TMPDIR/good BAD=$BATS_TEST_TMPDIR/bad
	rm -rf "$GOOD" "$BAD"
	run timeout 20 strace -qq -o "$BATS_TEST_TMPDIR/log" -e signal=none "$@" "${ALONE[@]}" \
		cgrun -m 64M -p 20 bash -c "$JUDGE" bash "${ALONE_GROUPS[@]}"
	if [ "$status" = 124 ] || [ -e "$BAD" ] || ! eventually little_left; then
		echo "status $status with $*"
		cat "$BATS_TEST_TMPDIR/log"
		return 1
	fi
}

@test "each write to a cgroup file fails once: COMMAND does not run outside its limits, no group is left" {
	requires limits strace
	local error n refused=0
	judge -f -e trace=write
	[ -e "$GOOD" ]
	for error in EIO EACCES; do
		for ((n = 1; n < 30; n++)); do
			judge -f -e trace=write -e "inject=write:error=$error:when=$n"
			grep -q INJECTED "$BATS_TEST_TMPDIR/log" || break
			if [ ! -e "$GOOD" ]; then
				assert_status 125
				refused=$((refused + 1))
			fi
		done
		[ "$n" -lt 30 ]
	done
	[ "$refused" -ge 4 ]
}

@test "each write that only pretends to succeed is found by reading back" {
	requires limits strace
	local n pretended=0
	for ((n = 1; n < 10; n++)); do
		export GOOD=$BATS_TEST_TMPDIR/good
		rm -rf "$GOOD"
		run strace -qq -o "$BATS_TEST_TMPDIR/log" -e signal=none -e trace=write -e "inject=write:retval=8:when=$n" "${ALONE[@]}" \
			cgrun -m 64M mkdir "$GOOD"
		grep -q 'write(.*"67108864", 8) *= 8 (INJECTED)' "$BATS_TEST_TMPDIR/log" || continue
		pretended=$((pretended + 1))
		assert_status 125
		[ ! -e "$GOOD" ]
		nothing_left
	done
	[ "$pretended" -ge 1 ]
}

@test "fork, birth in the group, and mkdir fail: COMMAND does not run outside its limits, no group is left" {
	requires limits strace
	local call name n
	# -f: of the child and the watcher as well, where COMMAND itself makes no such call.
	for call in '-f clone3:EAGAIN' '-f clone3:E2BIG' '-f clone3:ENOSYS' '-f clone3:EBUSY' '-f prctl:EINVAL' '-f pidfd_open:EMFILE' '-f poll:EINTR' \
		mkdirat:ENOSPC mkdirat:EACCES openat:EMFILE openat:EACCES read:EIO; do
		name=${call#-f }
		for ((n = 1; n < 50; n++)); do
			# shellcheck disable=SC2086 # -f or nothing
			judge ${call%"$name"} -e "trace=${name%:*}" -e "inject=${name%:*}:error=${name#*:}:when=$n"
			grep -q INJECTED "$BATS_TEST_TMPDIR/log" || break
		done
		[ "$n" -gt 1 ]
	done
}

@test "sizes and numbers that are none" {
	local value
	for value in 10X -1 '' 0 1.5 99999999999G ' 1M' '1M ' +1M 0x10 1MB 1.M .5G 1.2345G 18446744073709551616 1e6; do
		assert_refuses "'$value'" cgrun -m "$value" "${UNREACHED[@]}"
	done
	for value in 10X -1 '' 1.5 99999999999G; do
		assert_refuses "'$value'" cgrun -m 64M --swap "$value" "${UNREACHED[@]}"
	done
	for value in 0 -1 '' x 0.001 0.000001 1. .5 ' 1' 1e3 99999999999999999999; do
		assert_refuses "'$value'" cgrun -c "$value" "${UNREACHED[@]}"
	done
	for value in 0 -1 '' x 1.5 4194305 max 10k; do
		assert_refuses "'$value'" cgrun -p "$value" "${UNREACHED[@]}"
	done
}

@test "--swap without --memory" {
	assert_refuses --memory cgrun --swap 1M "${UNREACHED[@]}"
}

@test "--set: no file of a cgroup" {
	local value
	for value in x memory =1 '' memory=1 ../memory.max=1 memory.max/../../x=1 /sys/fs/cgroup/memory.max=1 a/b.c=1; do
		assert_refuses --set cgrun --set "$value" "${UNREACHED[@]}"
	done
}

@test "--set: a file that is not there" {
	requires limits
	assert_refuses 'pids.nosuchfile' "${ALONE[@]}" cgrun --set pids.nosuchfile=1 "${UNREACHED[@]}"
	nothing_left
}

@test "--set: a value that the kernel refuses" {
	requires limits
	assert_refuses 'pids.max' "${ALONE[@]}" cgrun --set pids.max=nonsense "${UNREACHED[@]}"
	nothing_left
	assert_refuses 'pids.max' "${ALONE[@]}" cgrun --set pids.max=-7 "${UNREACHED[@]}"
	nothing_left
	assert_refuses 'pids.max' "${ALONE[@]}" cgrun --set pids.max= "${UNREACHED[@]}"
	nothing_left
}

@test "a controller that is not here is named" {
	local v2
	v2=$(own_cgroup v2) || true
	assert_refuses "'nosuch'" cgrun --set nosuch.max=1 "${UNREACHED[@]}"
	if ! on_v1 rdma && ! grep -qsw rdma "$v2/cgroup.controllers"; then
		assert_refuses "'rdma'" cgrun --set 'rdma.max=mlx4_0 hca_handle=2' "${UNREACHED[@]}"
	fi
}

@test "no permission: 125, nothing made, and the line that would delegate a group" {
	requires rootless
	if cgrun true 2>/dev/null; then
		skip "needs a group that is not the caller's"
	fi
	assert_refuses 'systemd-run --user --scope -p Delegate=yes' cgrun -m 64M "${UNREACHED[@]}"
}

@test "no permission to write a limit: 125, no group left" {
	requires limits root
	assert_refuses 'memory' "${ALONE[@]}" nsnew -r capjail --drop dac_override setpriv --reuid 0 cgrun -m 9000P "${UNREACHED[@]}"
	nothing_left
}

# --- where it runs ---

# as_delegate COMMAND...: as an unprivileged user to whom the groups of ALONE are delegated. Links come by fd, as their directory may be closed to that user.
@test "a user to whom a group is delegated" {
	requires limits root setpriv
	local group file
	for group in "${ALONE_GROUPS[@]}"; do
		chown 65534:65534 "$group"
		for file in cgroup.procs tasks cgroup.subtree_control cgroup.threads; do
			[ ! -e "$group/$file" ] || chown 65534:65534 "$group/$file"
		done
	done
	exec 9<"$BIN/cgrun"
	run --separate-stderr "${ALONE[@]}" setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
		/proc/self/fd/9 -m 64M -p 20 bash -c 'id -u; shown memory.limit_in_bytes memory.max; shown pids.max pids.max; setsid sleep 1000 & exit 3'
	exec 9<&-
	assert_status 3
	assert_output $'65534\n67108864\n20'
	nothing_left
}

@test "behind a user namespace" {
	requires limits userns
	run --separate-stderr "${ALONE[@]}" nsnew -r cgrun -m 64M bash -c 'shown memory.limit_in_bytes memory.max'
	assert_status 0
	assert_output 67108864
	nothing_left
}

@test "behind a PID namespace: limits, leftovers, out of memory" {
	requires limits
	run --separate-stderr nsnew -p "${ALONE[@]}" cgrun -m 64M bash -c 'setsid sleep 1000 & shown memory.limit_in_bytes memory.max; exit 4'
	assert_status 4
	assert_output 67108864
	nothing_left
	run --separate-stderr nsnew -p "${ALONE[@]}" cgrun -m 16M hog 48
	assert_status 137
	assert_says 'out of memory'
	nothing_left
}

@test "in front of all namespaces, COMMAND's PID namespace included" {
	requires limits
	run --separate-stderr "${ALONE[@]}" cgrun -m 64M -p 20 nsnew -pm --mount-proc sh -c 'echo $$; sleep 1000 & exit 6'
	assert_status 6
	assert_output 1
	nothing_left
}

@test "with standard input, output and error closed" {
	requires limits
	"${ALONE[@]}" cgrun -m 64M sh -c 'exit 11' <&- >&- 2>&- || status=$?
	assert_status 11
	nothing_left
}

@test "with SIGCHLD ignored" {
	requires limits perl
	run perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV' timeout 10 "${ALONE[@]}" cgrun -m 64M sh -c 'exit 12'
	assert_status 12
	nothing_left
}

@test "40 in a row, two at a time: none disturbs the other" {
	requires limits
	run xargs -P 2 -I{} "${ALONE[@]}" cgrun -p 20 sh -c '[ "$1" -gt 0 ] || exit 1' sh {} < <(seq 40)
	# On version 2 two of them cannot share a group that has to hand controllers on.
	on_v1 pids || return 0
	assert_status 0
	nothing_left
}
