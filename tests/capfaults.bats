# capjail, when system calls fail: COMMAND never runs in a state other than the one asked for.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # what is in single quotes is for the shell that is started; state and baseline assign

setup() {
	load helpers
	load helpers/capabilities
}

# each_failing NAME WORD...: fails calls of prctl and capset (and of MORE_CALLS) that capjail WORD... makes, one in each run, with EPERM and with EINVAL, and lets
# them pretend to succeed: COMMAND never runs with another state than in the run without a failure. Of the hundreds of calls that read one
# bit it takes those that name NAME and every 13th (of the slow build every 97th), all of them if
# ALL_FAULTS is set.
each_failing() {
	[ -v MORE_CALLS ] || local MORE_CALLS=()
	local log=$BATS_TEST_TMPDIR/log wanted injection call n count refused=0 offset=0 name=$1
	shift
	wanted=$("${PRIVILEGED[@]}" capstate --raise strace -qq -o "$log" -e "trace=prctl,capset,execve$(printf ',%s' "${MORE_CALLS[@]}")" -e signal=none \
		capjail "$@" capstate)
	[ -n "$wanted" ]
	for call in prctl capset "${MORE_CALLS[@]}"; do
		# Up to the exec of COMMAND, which follows that of capjail.
		awk -v call="$call" '/execve\(.*= 0$/ && ++execs == 2 { exit } index($0, call "(") == 1' "$log" >"$log.$call"
		count=$(wc -l <"$log.$call")
		[ "$count" -ge 1 ]
		for injection in error=EPERM error=EINVAL retval=0; do
			offset=$((offset + 4))
			while read -r n; do
				# Not by run, which takes longer than all of it.
				status=0
				output=$("${PRIVILEGED[@]}" capstate --raise strace -qq -o /dev/null -e "trace=$call" -e signal=none \
					-e "inject=$call:$injection:when=$n" capjail "$@" capstate </dev/null 2>/dev/null) || status=$?
				if [ "$status" = 125 ] && [ -z "$output" ]; then
					refused=$((refused + 1))
				elif [ "$output" != "$wanted" ]; then
					echo "with $call:$injection:when=$n COMMAND ran as"
					echo "$output"
					echo "and not as"
					echo "$wanted"
					return 1
				fi
			done < <(awk -v all="${ALL_FAULTS:-}" -v name="$name" -v count="$count" -v offset="$offset" -v thin="${THIN:-1}" -v step="$([ -v ROUNDS ] && echo 97 || echo 13)" '
				all || index($0, name) || NR < 12 || NR > count - 4 || !/CAPBSET|IS_SET/ || NR % step == offset % step { if (taken++ % thin == 0) print NR }' "$log.$call")
		done
	done
	[ "$refused" -ge 5 ]
}

@test "each system call fails once: drop of one (S30, S38)" {
	requires strace
	each_failing SYS_ADMIN --drop sys_admin
}

@test "each system call fails once: keep of two (S30, S38)" {
	requires strace
	each_failing CAP_BPF --keep chown,bpf
}

@test "each system call fails once: drop of all (S30, S38)" {
	requires strace
	each_failing CAP_CHOWN --drop all
}

@test "each system call fails once: user, groups, ambient set, securebits, umask and parent death (S30, S38)" {
	requires root strace
	local MORE_CALLS=(setgroups setresgid setresuid umask getgroups getresuid getresgid)
	each_failing CAP_KILL --keep chown,kill,setpcap --ambient kill -u 1000:2000 --groups 4,20 --securebits noroot,keep_caps_locked --umask 027 --parent-death=TERM
}

@test "each system call fails once: single sets, no new user namespaces (S30, S38)" {
	requires strace
	each_failing CAP_NET_RAW --iab '!%chown,^net_raw' --no-user-namespaces --allow-new-privs
	each_failing CAP_NET_RAW --no-user-namespaces --drop net_raw
}

# pretended CALL TEXT OPTION...: behind the words BEFORE, the first and the last call of CALL that shows TEXT only pretends to have been done: COMMAND does not run.
pretended() {
	local call=$1 text=$2 log=$BATS_TEST_TMPDIR/pretended n calls
	shift 2
	"${PRIVILEGED[@]}" "${BEFORE[@]}" strace -qq -o "$log" -e "trace=$call" -e signal=none capjail "$@" true
	mapfile -t calls < <(grep -nF -e "$text" "$log" | sed -n 's/:.*//; 1p; $p')
	for n in "${calls[@]}"; do
		run --separate-stderr "${PRIVILEGED[@]}" "${BEFORE[@]}" strace -qq -o "$log" -e "trace=$call" -e signal=none \
			-e "inject=$call:retval=0:when=$n" capjail "$@" "${UNREACHED[@]}"
		echo "$n. $call with $text: $stderr"
		grep 'INJECTED' "$log" | grep -qF -e "$text"
		assert_status 125
		[ ! -e "${UNREACHED[4]}" ]
	done
	[ -n "$n" ]
}

@test "a step that only pretends to be done is found by reading back: sets, securebits, no_new_privs (S30, S38)" {
	requires strace
	local BEFORE=()
	pretended prctl PR_CAPBSET_DROP --drop all
	pretended prctl PR_CAP_AMBIENT_RAISE --ambient chown,kill
	pretended prctl PR_SET_SECUREBITS --securebits noroot
	pretended prctl PR_SET_NO_NEW_PRIVS --drop chown
	BEFORE=(capstate --raise)
	pretended prctl PR_CAP_AMBIENT_LOWER --ambient none
	# There are two, and either is enough.
	run --separate-stderr "${PRIVILEGED[@]}" strace -qq -o "$BATS_TEST_TMPDIR/log" -e trace=capset -e inject=capset:retval=0 capjail --drop chown "${UNREACHED[@]}"
	assert_status 125
	[ ! -e "${UNREACHED[4]}" ]
}

@test "a step that only pretends to be done is found by reading back: a filter that was asked for (S36, S38)" {
	requires strace
	local BEFORE=()
	pretended prctl PR_SET_SECCOMP --no-user-namespaces
}

@test "a step that only pretends to be done is found by reading back: ids, groups (S11, S38)" {
	requires root strace
	local BEFORE=()
	pretended setgroups '' -u 1000:2000 --groups 4,20
	pretended setresgid '' -u 1000:2000
	pretended setresuid '' -u 1000:2000
}

@test "a capability that seems not to exist is no end of them: those behind it are given up as well (S30)" {
	requires strace
	local log=$BATS_TEST_TMPDIR/log n calls
	"${PRIVILEGED[@]}" strace -qq -o "$log" -e trace=prctl -e signal=none capjail --drop all true
	mapfile -t calls < <(grep -nE 'PR_CAPBSET_READ, (CAP_KILL|CAP_SYS_ADMIN|CAP_SETFCAP)' "$log" | cut -d : -f 1)
	for n in "${calls[@]}"; do
		run --separate-stderr "${PRIVILEGED[@]}" strace -qq -o "$log" -e trace=prctl -e signal=none -e "inject=prctl:error=EINVAL:when=$n" capjail --drop all capstate
		grep -q 'CAPBSET_READ.*INJECTED' "$log"
		[ "$status" = 125 ] || [[ $output == *' bounding=0000000000000000 '* ]]
	done
	[ -n "$n" ]
}

@test "--user: COMMAND does not run if a step fails (S38)" {
	requires root strace
	local call
	for call in setgroups setresgid setresuid; do
		run --separate-stderr setpriv --groups 4 strace -qq -o "$BATS_TEST_TMPDIR/trace" -e "trace=$call" \
			-e "inject=$call:error=EPERM" capjail -u 1000:1000 "${UNREACHED[@]}"
		grep -q INJECTED "$BATS_TEST_TMPDIR/trace"
		assert_status 125
		[ ! -e "${UNREACHED[4]}" ]
	done
}
