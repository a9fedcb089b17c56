# capjail: the kernel's view of what COMMAND may do. Sets are compared with the caller's own ones, never with a constant: a machine need not have all.
# Variable THIN: of the capabilities that a file could bring back and of the runs in which one system call fails, only every THIN-th.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # what is in single quotes is for the shell that is started; state and baseline assign

setup() {
	load helpers
	LAST=$(cat /proc/sys/kernel/cap_last_cap)
}

# state COMMAND...: reads what capstate, somewhere in COMMAND, prints into the variables inheritable ... nnp. Without a fork for each of them.
state() {
	local word
	line=$("$@") || {
		echo "status $? of: $*"
		return 1
	}
	for word in $line; do
		case $word in
		inheritable=* | permitted=* | effective=* | bounding=* | ambient=*) printf -v "${word%%=*}" '%d' "$((16#${word#*=}))" ;;
		*) printf -v "${word%%=*}" '%s' "${word#*=}" ;;
		esac
	done
}

# baseline COMMAND...: the same into base_inheritable ...
baseline() {
	local set
	state "$@"
	for set in inheritable permitted effective bounding ambient; do
		printf -v "base_$set" '%d' "${!set}"
	done
}

# assert_sets MASK [SET...]: the sets of COMMAND are those of the baseline, less what is not in MASK.
assert_sets() {
	local mask=$1 set base
	shift
	[ $# -gt 0 ] || set -- inheritable permitted effective bounding ambient
	for set; do
		base=base_$set
		[ "${!set}" = $((${!base} & mask)) ] || {
			printf '%s is %x and not %x & %x: %s\n' "$set" "${!set}" "${!base}" "$mask" "$line"
			return 1
		}
	done
}

# The tmpdir of a test is closed to other users otherwise.
open_tmpdir() {
	local directory=$BATS_TEST_TMPDIR
	while [ "${#directory}" -ge "${#BATS_RUN_TMPDIR}" ]; do
		chmod a+rx "$directory"
		directory=${directory%/*}
	done
	cp "$HELPERS/capstate" "$BATS_TEST_TMPDIR/suid"
	chmod 4755 "$BATS_TEST_TMPDIR/suid"
	cp "$HELPERS/capstate" "$BATS_TEST_TMPDIR/filecaps"
	# Not effective ones: the kernel runs no program that would not get all of those.
	setcap "$(caller_caps)=ip" "$BATS_TEST_TMPDIR/filecaps"
	SUID=$BATS_TEST_TMPDIR/suid FILECAPS=$BATS_TEST_TMPDIR/filecaps
	# Not setpriv(1), which keeps its permitted set across the change of ids: exec by file capabilities would then gain nothing new.
	NOBODY=(chroot --userspec=+65534:+65534 --groups= /)
}

# The names of all that the caller holds, for setcap.
caller_caps() {
	capsh --decode="$(sed -n 's/^CapPrm:\t//p' /proc/self/status)" | sed 's/.*=//'
}

# --- what is dropped is gone ---

@test "drop of each capability of the kernel, by number, out of all five sets, inherited and ambient ones included" {
	local n
	baseline "${PRIVILEGED[@]}" capstate --raise capstate
	[ "$base_ambient" != 0 ]
	[ "$base_inheritable" = "$base_permitted" ]
	for ((n = 0; n <= LAST; n++)); do
		state "${PRIVILEGED[@]}" capstate --raise capjail --drop "$n" capstate
		assert_sets $((~(1 << n)))
		[ "$nnp" = 1 ]
	done
}

@test "keep of each capability alone" {
	local n
	baseline "${PRIVILEGED[@]}" capstate --raise capstate
	for ((n = 0; n <= LAST; n++)); do
		state "${PRIVILEGED[@]}" capstate --raise capjail --keep "$n" capstate
		assert_sets $((1 << n))
	done
}

@test "drop of all, with nothing inherited and with everything" {
	baseline "${PRIVILEGED[@]}" capstate
	state "${PRIVILEGED[@]}" capjail --drop all capstate
	assert_sets 0
	baseline "${PRIVILEGED[@]}" capstate --raise capstate
	state "${PRIVILEGED[@]}" capstate --raise capjail --drop all capstate
	assert_sets 0
	state "${PRIVILEGED[@]}" capstate --raise capjail --drop all --allow-new-privs capstate
	assert_sets 0
	[ "$nnp" = 0 ]
}

@test "keep of all, and no option at all, change no set" {
	baseline "${PRIVILEGED[@]}" capstate --raise capstate
	state "${PRIVILEGED[@]}" capstate --raise capjail --keep all capstate
	assert_sets -1
	[ "$nnp" = 1 ]
	state "${PRIVILEGED[@]}" capstate --raise capjail capstate
	assert_sets -1
	[ "$nnp" = 1 ]
}

@test "lists, repeated options, and both options" {
	baseline "${PRIVILEGED[@]}" capstate --raise capstate
	state "${PRIVILEGED[@]}" capstate --raise capjail --drop chown,kill,5 capstate
	assert_sets $((~(1 | 1 << 5)))
	state "${PRIVILEGED[@]}" capstate --raise capjail --drop chown --drop net_raw --drop=40 capstate
	assert_sets $((~(1 | 1 << 13 | 1 << 40)))
	state "${PRIVILEGED[@]}" capstate --raise capjail --keep chown,kill --keep setuid capstate
	assert_sets $((1 | 1 << 5 | 1 << 7))
	state "${PRIVILEGED[@]}" capstate --raise capjail --keep chown --drop kill capstate
	assert_sets 1
}

@test "names: in any case, with and without cap_, and as numbers" {
	local name
	baseline "${PRIVILEGED[@]}" capstate --raise capstate
	for name in net_raw NET_RAW Net_Raw cap_net_raw CAP_NET_RAW Cap_Net_raw 13 cap_13 CAP_13; do
		state "${PRIVILEGED[@]}" capstate --raise capjail --drop "$name" capstate
		assert_sets $((~(1 << 13)))
	done
	for name in all ALL All; do
		state "${PRIVILEGED[@]}" capstate --raise capjail --drop "$name" capstate
		assert_sets 0
	done
}

@test "every name that capsh knows stands for its number" {
	requires capsh
	local n name
	baseline "${PRIVILEGED[@]}" capstate
	for ((n = 0; n <= LAST; n++)); do
		name=$(capsh --decode="$(printf %x $((1 << n)))")
		name=${name#*=cap_}
		[[ $name =~ ^[a-z_]+$ ]] || continue
		state "${PRIVILEGED[@]}" capjail --drop "$name" capstate
		assert_sets $((~(1 << n)))
	done
}

@test "inherited capabilities do not come back by the exec of a program with file capabilities" {
	requires root suid setcap capsh
	open_tmpdir
	cp "$HELPERS/capstate" "$BATS_TEST_TMPDIR/inherits"
	setcap cap_chown,cap_kill=ei "$BATS_TEST_TMPDIR/inherits"
	# It gains both where nothing is dropped, so it could.
	state setpriv --inh-caps +chown,+kill "${NOBODY[@]}" "$BATS_TEST_TMPDIR/inherits"
	[ $((permitted & 33)) = 33 ]
	state setpriv --inh-caps +chown,+kill capjail --drop chown --allow-new-privs "${NOBODY[@]}" "$BATS_TEST_TMPDIR/inherits"
	[ $((permitted & 33)) = 32 ]
	[ $(((inheritable | effective | bounding | ambient) & 1)) = 0 ]
}

@test "what was dropped is refused by the kernel: chown, as root" {
	requires root
	touch "$BATS_TEST_TMPDIR/file"
	chown 65534:65534 "$BATS_TEST_TMPDIR/file"
	chown 0:0 "$BATS_TEST_TMPDIR/file"
	run capjail --drop chown chown 65534:65534 "$BATS_TEST_TMPDIR/file"
	assert_status 1
	assert_says 'Operation not permitted'
	[ "$(stat -c %u:%g "$BATS_TEST_TMPDIR/file")" = 0:0 ]
}

@test "what was dropped is refused by the kernel: a file without permissions, a new host name" {
	echo secret >"$BATS_TEST_TMPDIR/file"
	chmod 0 "$BATS_TEST_TMPDIR/file"
	run "${PRIVILEGED[@]}" cat "$BATS_TEST_TMPDIR/file"
	assert_output secret
	run "${PRIVILEGED[@]}" capjail --drop dac_override,dac_read_search cat "$BATS_TEST_TMPDIR/file"
	assert_status 1
	run "${PRIVILEGED[@]}" nsnew -u hostname other
	assert_status 0
	run "${PRIVILEGED[@]}" nsnew -u capjail --drop sys_admin hostname other
	assert_status 1
}

# --- and stays gone ---

@test "no_new_privs is set, and is not with --allow-new-privs" {
	run capjail grep NoNewPrivs /proc/self/status
	assert_output $'NoNewPrivs:\t1'
	run capjail --allow-new-privs grep NoNewPrivs /proc/self/status
	assert_output "$(grep NoNewPrivs /proc/self/status)"
	run "${PRIVILEGED[@]}" capjail --drop chown capjail --allow-new-privs grep NoNewPrivs /proc/self/status
	assert_output $'NoNewPrivs:\t1'
}

@test "a set-user-ID copy and a file with capabilities do not bring one back to root, either way" {
	requires root suid setcap capsh
	local n option file
	open_tmpdir
	for file in "$SUID" "$FILECAPS"; do
		for option in '' --allow-new-privs; do
			baseline "$file"
			for ((n = 0; n <= LAST; n += ${THIN:-1})); do
				# shellcheck disable=SC2086 # nothing or one word
				state capjail --drop "$n" $option "$file"
				assert_sets $((~(1 << n)))
			done
		done
	done
}

@test "nor to another user: with --allow-new-privs all but what was dropped, without it nothing" {
	requires root suid setcap capsh
	local file
	open_tmpdir
	for file in "$SUID" "$FILECAPS"; do
		baseline "${NOBODY[@]}" "$file"
		[ "$base_permitted" != 0 ]
		state capjail --drop chown,sys_admin --allow-new-privs "${NOBODY[@]}" "$file"
		assert_sets $((~(1 | 1 << 21)))
		if [ "$file" = "$SUID" ]; then
			[ "$euid" = 0 ]
		fi
		state capjail --drop chown "${NOBODY[@]}" "$file"
		[ "$euid" = 65534 ]
		[ $((permitted | effective)) = 0 ]
	done
}

@test "a root process that execs again, sheds its ids and takes them back gains nothing" {
	requires root setpriv
	baseline capstate
	state capjail --drop chown,kill --allow-new-privs sh -c 'exec setpriv --reuid 0 --regid 0 --clear-groups sh -c "exec capstate"'
	assert_sets $((~(1 | 1 << 5)))
}

@test "a second capjail takes more away and gives nothing back" {
	baseline "${PRIVILEGED[@]}" capstate
	state "${PRIVILEGED[@]}" capjail --drop chown capjail --drop kill capstate
	assert_sets $((~(1 | 1 << 5)))
	state "${PRIVILEGED[@]}" capjail --drop chown capjail --keep chown,kill capstate
	assert_sets $((1 << 5))
	# Without CAP_SETPCAP the bounding set stays, out of reach.
	state "${PRIVILEGED[@]}" capjail --drop setpcap capjail --drop kill capstate
	assert_sets $((~(1 << 8 | 1 << 5))) inheritable permitted effective ambient
	[ "$nnp" = 1 ]
}

# --- for whom ---

@test "an ordinary user: holds nothing, gets no_new_privs, and the bounding set is out of reach" {
	requires rootless
	baseline capstate
	[ "$base_permitted" = 0 ]
	state capjail --drop all capstate
	assert_sets -1
	[ "$nnp" = 1 ]
	state capjail --keep chown capstate
	assert_sets -1
}

@test "an ordinary user cannot drop with --allow-new-privs, as the bounding set would give it back" {
	requires rootless
	assert_refuses CAP_SETPCAP capjail --drop chown --allow-new-privs "${UNREACHED[@]}"
	# Where there is nothing to drop there is nothing to refuse.
	run capjail --allow-new-privs true
	assert_status 0
}

@test "root without CAP_SETPCAP cannot drop with --allow-new-privs" {
	assert_refuses CAP_SETPCAP "${PRIVILEGED[@]}" capjail --drop setpcap --allow-new-privs capjail --drop chown --allow-new-privs "${UNREACHED[@]}"
}

@test "inside a user namespace: its own full sets are reduced" {
	requires userns
	baseline nsnew -r capstate
	[ "$base_permitted" != 0 ]
	state nsnew -r capjail --drop sys_admin,chown capstate
	assert_sets $((~(1 << 21 | 1)))
	state nsnew -r capjail --drop all capstate
	assert_sets 0
	run nsnew -r capjail --drop sys_admin unshare -m true
	assert_status 1
}

@test "without /proc" {
	requires static
	local root=$BATS_TEST_TMPDIR/root
	mkdir "$root"
	cp "$BIN/capjail" "$HELPERS/capstate" "$root"
	baseline "${PRIVILEGED[@]}" capstate --raise rootjail --bare "$root" /capstate
	state "${PRIVILEGED[@]}" capstate --raise rootjail --bare "$root" /capjail --drop 0,40 /capstate
	assert_sets $((~(1 | 1 << 40)))
	[ "$nnp" = 1 ]
	state "${PRIVILEGED[@]}" capstate --raise rootjail --bare "$root" /capjail --drop all /capstate
	assert_sets 0
}

@test "exit status and signals of COMMAND are its own: there is no process in between" {
	run capjail sh -c 'exit 42'
	assert_status 42
	run -127 capjail /nonexistent/command
	run -126 capjail /etc/passwd
	run sh -c 'echo $$; exec capjail sh -c "echo \$\$"'
	[ "${lines[0]}" = "${lines[1]}" ]
}

# --- bad input ---

@test "an unknown name is refused, with the one that was perhaps meant" {
	assert_refuses "'net_rwa'" capjail --drop net_rwa "${UNREACHED[@]}"
	assert_says "did you mean 'net_raw'"
	assert_refuses "'sys_amdin'" capjail --keep chown,sys_amdin "${UNREACHED[@]}"
	assert_says "did you mean 'sys_admin'"
	assert_refuses "'admin'" capjail --drop admin "${UNREACHED[@]}"
	assert_says did
	assert_refuses "'xyzzy'" capjail --drop xyzzy "${UNREACHED[@]}"
}

@test "an empty list and empty words" {
	local list
	for list in '' ',' 'chown,' ',chown' 'chown,,kill'; do
		assert_refuses empty capjail --drop "$list" "${UNREACHED[@]}"
		assert_refuses empty capjail --keep "$list" "${UNREACHED[@]}"
	done
}

@test "numbers that no capability of this kernel has" {
	local word
	for word in $((LAST + 1)) 63 64 99 -1 +1 18446744073709551616 0x1 cap_ "cap_$((LAST + 1))" cap_-1 cap_cap_chown; do
		assert_refuses "'$word'" capjail --drop "$word" "${UNREACHED[@]}"
	done
}

@test "a name with anything behind or before it is no name" {
	local word
	for word in 'chown net_raw' chown:net_raw 'chown;kill' chown+kill chown=ep 'chown ' ' chown' chown1 $'chown\n' chown/kill all:chown 'all '; do
		assert_refuses 'capability' capjail --drop "$word" "${UNREACHED[@]}"
		assert_refuses 'capability' capjail --keep "$word" "${UNREACHED[@]}"
	done
}

@test "the same capability in drop and in keep" {
	assert_refuses both capjail --drop chown,kill --keep chown "${UNREACHED[@]}"
	assert_refuses both capjail --keep 5 --drop cap_kill "${UNREACHED[@]}"
	assert_refuses both capjail --drop all --keep chown "${UNREACHED[@]}"
}

# --- what fails ---

# each_failing NAME WORD...: fails calls of prctl and capset that capjail WORD... makes, one in each run, with EPERM and with EINVAL, and lets
# them pretend to succeed: COMMAND never runs with another state than in the run without a failure. Of the hundreds of calls that read one
# bit it takes those that name NAME and every 13th, all of them if ALL_FAULTS is set; of all these every THIN-th.
each_failing() {
	local log=$BATS_TEST_TMPDIR/log wanted injection call n count refused=0 offset=0 name=$1
	shift
	wanted=$("${PRIVILEGED[@]}" capstate --raise strace -qq -o "$log" -e trace=prctl,capset,execve -e signal=none capjail "$@" capstate)
	[ -n "$wanted" ]
	for call in prctl capset; do
		# Up to the exec of COMMAND, which follows that of capjail.
		awk -v call="$call" '/execve\(.*= 0$/ && ++execs == 2 { exit } index($0, call "(") == 1' "$log" >"$log.$call"
		count=$(wc -l <"$log.$call")
		[ "$count" -ge 1 ]
		for injection in error=EPERM error=EINVAL retval=0; do
			offset=$((offset + 4))
			while read -r n; do
				run --separate-stderr "${PRIVILEGED[@]}" capstate --raise strace -qq -o /dev/null -e "trace=$call" -e signal=none \
					-e "inject=$call:$injection:when=$n" capjail "$@" capstate </dev/null
				if [ "$status" = 125 ] && [ -z "$output" ]; then
					refused=$((refused + 1))
				elif [ "$output" != "$wanted" ]; then
					echo "with $call:$injection:when=$n COMMAND ran as"
					echo "$output"
					echo "and not as"
					echo "$wanted"
					return 1
				fi
			done < <(awk -v all="${ALL_FAULTS:-}" -v name="$name" -v count="$count" -v offset="$offset" -v thin="${THIN:-1}" '
				(all || index($0, name) || NR < 12 || NR > count - 4 || !/CAPBSET|IS_SET/ || NR % 13 == offset % 13) &&
					taken++ % thin == 0 { print NR }' "$log.$call")
		done
	done
	[ "$refused" -ge 5 ]
}

@test "each system call fails once: drop of one" {
	requires strace
	each_failing SYS_ADMIN --drop sys_admin
}

@test "each system call fails once: keep of two" {
	requires strace
	each_failing CAP_BPF --keep chown,bpf
}

@test "each system call fails once: drop of all" {
	requires strace
	each_failing CAP_CHOWN --drop all
}

@test "--user: all ids, no groups, no capabilities" {
	requires root
	run setpriv --groups 4,20 capjail --user 1000:2000 cat /proc/self/status
	assert_status 0
	[[ $output == *$'Uid:\t1000\t1000\t1000\t1000'* ]]
	[[ $output == *$'Gid:\t2000\t2000\t2000\t2000'* ]]
	[[ $output == *$'Groups:\t\n'* || $output == *$'Groups:\t \n'* || $output =~ Groups:[[:space:]]*$'\n' ]]
	[[ $output == *$'CapPrm:\t0000000000000000'* ]]
	[[ $output == *$'CapEff:\t0000000000000000'* ]]
	# The bounding set shrinks while there is still the right to do it.
	run capjail --drop all -u 1000:1000 grep CapBnd /proc/self/status
	assert_output $'CapBnd:\t0000000000000000'
	run capjail -u 65534 id -g
	assert_output "$(id -g nobody)"
}

@test "--user: keeps the parent-death signal" {
	requires root
	run setpriv --pdeathsig HUP capjail -u 1000:1000 python3 -c 'import ctypes; s = ctypes.c_int(); ctypes.CDLL(None).prctl(2, ctypes.byref(s), 0, 0, 0); print(s.value)'
	assert_output 1
}

@test "--user: what is no user is refused, and so is whoever may not change" {
	local text
	for text in '' ' 1' +1 -1 1x 0x10 4294967295 4294967296 1: :1 1:2:3 root 1:4294967296; do
		assert_refuses --user capjail "--user=$text" "${UNREACHED[@]}"
	done
	assert_refuses 'not in /etc/passwd' capjail -u 3999999999 "${UNREACHED[@]}"
	assert_refuses 'no mapping' nsnew -r capjail -u 5:5 "${UNREACHED[@]}"
	[ "$(id -u)" = 0 ] || assert_refuses CAP_SETUID capjail -u 0:0 "${UNREACHED[@]}"
}

@test "--user: COMMAND does not run if a step fails" {
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
