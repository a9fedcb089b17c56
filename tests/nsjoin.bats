# nsjoin: the namespaces of another process, all that were asked for or none.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # text for inner shells; each test is a shell of its own

setup() {
	load helpers
	load helpers/processes
	[ "$(id -u)" = 0 ] || requires userns
	T=$BATS_TEST_TMPDIR
	# The rights over what a plain user's namespace owns come from that.
	USER=()
	[ "$(id -u)" = 0 ] || USER=(-U)
}

teardown() {
	end_started
}

KINDS=(cgroup ipc mnt net pid time user uts)
LIST='for kind in cgroup ipc mnt net pid time user uts; do readlink /proc/self/ns/$kind; done'

# target CHAIN...: starts it with a process behind it, TARGET, that waits in directory /tmp.
target() {
	start "${PRIVILEGED[@]}" "$@" sh -c 'cd /tmp && echo ready && exec sleep 60'
	eventually said ready
	# Where nothing forked, the link has become the process.
	eventually sleeps "$LINK_PID"
}

sleeps() {
	TARGET=$(child_of "$1" sleep) && return
	TARGET=$1
	[ "$(<"/proc/$1/comm")" = sleep ]
}

# same OPTIONS: the kinds in which COMMAND is with TARGET and not with the caller.
same() {
	local i theirs own kinds=()
	run nsjoin -t "$TARGET" "$@" sh -c "$LIST"
	assert_status 0
	[ "${#lines[@]}" = 8 ]
	for i in {0..7}; do
		theirs=$(readlink "/proc/$TARGET/ns/${KINDS[i]}")
		own=$(readlink "/proc/self/ns/${KINDS[i]}")
		case ${lines[i]} in
		"$own") ;;
		"$theirs") kinds+=("${KINDS[i]}") ;;
		*) echo "neither here nor there: ${lines[i]}" && return 1 ;;
		esac
	done
	SAME=${kinds[*]}
}

assert_same() {
	local expected=$1
	shift
	# A plain user joins the user namespace every time.
	[ "$(id -u)" = 0 ] || expected=$(tr ' ' '\n' <<<"$expected user" | sort -u | paste -sd ' ')
	same "$@" "${USER[@]}"
	[ "$SAME" = "${expected# }" ] || { echo "joined by $*: $SAME, not $expected" && return 1; }
}

# --- kinds ---

@test "each kind is joined, and nothing else is" {
	local option kind
	target nsnew -muinpC
	while read -r option kind; do
		assert_same "$kind" "$option"
	done <<-'LIST'
		-m mnt
		--mount mnt
		-u uts
		--uts uts
		-i ipc
		--ipc ipc
		-n net
		--net net
		-p pid
		--pid pid
		-C cgroup
		--cgroup cgroup
		-mu mnt uts
	LIST
}

@test "the time namespace is joined" {
	requires time_namespace
	target nsnew -Tp
	assert_same time -T
	assert_same 'pid time' --time -p
}

@test "-a joins all that differ" {
	requires time_namespace
	target nsnew -a
	assert_same 'cgroup ipc mnt net pid time uts' -a
	assert_same 'cgroup ipc mnt net pid time uts' --all
	end_started
	target nsnew -u
	assert_same uts -a
}

@test "-U joins the user namespace, as its root" {
	local own
	own=$(id -u)
	target nsnew -r -u
	run nsjoin -t "$TARGET" -U -u sh -c "$LIST; id -u; id -g; cat /proc/self/uid_map; grep CapEff: /proc/self/status"
	assert_status 0
	[ "${lines[6]}" = "$(readlink "/proc/$TARGET/ns/user")" ]
	[ "${lines[7]}" = "$(readlink "/proc/$TARGET/ns/uts")" ]
	[ "${lines[8]} ${lines[9]}" = '0 0' ]
	[[ ${lines[11]} != *0000000000000000 ]]
	[ "$(id -u)" = "$own" ]
}

@test "-U: root joins the user namespace of a plain user" {
	requires root
	start setpriv --reuid 65534 --regid 65534 --clear-groups nsnew -ru sh -c 'echo ready; exec sleep 60'
	eventually said ready
	eventually sleeps "$LINK_PID"
	run nsjoin -t "$TARGET" -U -u sh -c 'id -u; tr -s " " </proc/self/uid_map; grep CapEff: /proc/self/status; cat /proc/self/setgroups'
	assert_status 0
	[ "${lines[0]}" = 0 ]
	[ "${lines[1]}" = ' 0 65534 1' ]
	[[ ${lines[2]} != *0000000000000000 ]]
	[ "${lines[3]}" = deny ]
	# Outside it is that user, and no more.
	run nsjoin -t "$TARGET" -U stat -L -c %u /proc/self
	assert_output 0
	run nsjoin -t "$TARGET" -U cat /etc/shadow
	assert_status 1
}

@test "-U: a user namespace without a root" {
	start nsnew -U sh -c 'echo ready; exec sleep 60'
	eventually said ready
	eventually sleeps "$LINK_PID"
	# There is no id to take, and the own one would still be that of this side.
	assert_refuses 'maps no ids' nsjoin -t "$TARGET" -U "${UNREACHED[@]}"
	run nsjoin -t "$TARGET" -U --preserve-credentials sh -c 'readlink /proc/self/ns/user; id -u'
	assert_status 0
	[ "${lines[0]}" = "$(readlink "/proc/$TARGET/ns/user")" ]
	[ "${lines[1]}" = "$(</proc/sys/kernel/overflowuid)" ]
}

@test "-U: supplementary groups are dropped where setgroups is allowed (S11)" {
	requires root
	start nsnew --map-users=0:0:100 --map-groups=0:0:100 sh -c 'echo ready; exec sleep 60'
	eventually said ready
	eventually sleeps "$LINK_PID"
	run setpriv --groups 4,20 nsjoin -t "$TARGET" -U sed -n 's/^Groups:\t//p' /proc/self/status
	assert_status 0
	[ -z "${output// /}" ]
}

@test "namespaces that are the own ones are no error" {
	run nsjoin -t "$$" -a sh -c "$LIST"
	assert_status 0
	assert_output "$(sh -c "$LIST")"
	run nsjoin -t "$$" -U -m readlink /proc/self/ns/user
	assert_status 0
}

# --- processes ---

@test "-p: COMMAND is in the PID namespace" {
	target nsnew -p
	run nsjoin -t "$TARGET" "${USER[@]}" -p sh -c 'readlink /proc/self/ns/pid; echo $PPID; grep -c . /proc/self/status >/dev/null; echo $$'
	assert_status 0
	[ "${lines[0]}" = "$(readlink "/proc/$TARGET/ns/pid")" ]
	[ "${lines[1]}" = 0 ]
	[ "${lines[2]}" -lt 1000 ]
}

@test "-p: COMMAND dies with nsjoin, and with the PID namespace" {
	local target child
	target nsnew -p
	target=$TARGET
	start nsjoin -t "$target" "${USER[@]}" -p sleep 60
	eventually has_child "$LINK_PID" sleep
	child=$(child_of "$LINK_PID" sleep)
	ORPHANS+=("$child")
	kill -KILL "$LINK_PID"
	ended 'killed by 9'
	eventually is_gone "$child"

	start nsjoin -t "$target" "${USER[@]}" -p sleep 60
	eventually has_child "$LINK_PID" sleep
	kill -KILL "$target"
	ended 'killed by 9'
}

@test "-p: COMMAND dies with nsjoin also where the ids change (R08)" {
	local child
	requires root
	start setpriv --reuid 65534 --regid 65534 --clear-groups nsnew -rp sh -c 'echo ready; exec sleep 60'
	eventually said ready
	eventually sleeps "$LINK_PID"
	start nsjoin -t "$TARGET" -U -p sleep 60
	eventually has_child "$LINK_PID" sleep
	child=$(child_of "$LINK_PID" sleep)
	ORPHANS+=("$child")
	kill -KILL "$LINK_PID"
	ended 'killed by 9'
	eventually is_gone "$child"
}

@test "a parent-death signal of the caller's outlives a change of ids" {
	requires root
	local child
	start setpriv --reuid 65534 --regid 65534 --clear-groups nsnew -r sh -c 'echo ready; exec sleep 60'
	eventually said ready
	eventually sleeps "$LINK_PID"
	# Armed by nsnew -f for nsjoin, which becomes COMMAND.
	start nsnew -f nsjoin -t "$TARGET" -U sleep 60
	eventually has_child "$LINK_PID" sleep
	child=$(child_of "$LINK_PID" sleep)
	ORPHANS+=("$child")
	kill -KILL "$LINK_PID"
	ended 'killed by 9'
	eventually is_gone "$child"
}

@test "-F: only COMMAND's children are in the PID namespace" {
	target nsnew -p
	local target=$TARGET
	run nsjoin -t "$target" "${USER[@]}" -p -F readlink /proc/self/ns/pid /proc/self/ns/pid_for_children
	assert_status 0
	assert_output "$(readlink /proc/self/ns/pid)"$'\n'"$(readlink "/proc/$target/ns/pid")"
	run nsjoin -t "$target" "${USER[@]}" -p --no-fork sh -c 'readlink /proc/self/ns/pid; true'
	assert_output "$(readlink "/proc/$target/ns/pid")"
	# Nothing waits: nsjoin has become COMMAND.
	start nsjoin -t "$target" "${USER[@]}" -p -F sh -c 'echo $$'
	ended 'exited 0'
	said "$LINK_PID"
}

@test "without -p nsjoin becomes COMMAND" {
	target nsnew -u
	start nsjoin -t "$TARGET" "${USER[@]}" -u sh -c 'echo $$'
	ended 'exited 0'
	said "$LINK_PID"
}

# --- root and working directory ---

@test "-m ends in the root of the other mount namespace" {
	make_root "$T/root"
	target nsnew -mp rootjail "$T/root"
	run nsjoin -t "$TARGET" "${USER[@]}" -m sh -c 'pwd; stat -c %i / .; ls /'
	assert_status 0
	[ "${lines[0]}" = / ]
	[ "${lines[1]}" = "$(stat -c %i "$T/root")" ]
	[ "${lines[2]}" = "${lines[1]}" ]
	[[ $output == *busybox* || $output == *bin* ]]
	# Nothing of this side is open.
	run nsjoin -t "$TARGET" "${USER[@]}" -mp sh -c 'for fd in /proc/self/fd/*; do [ ! -d $fd/. ] || readlink $fd; done'
	assert_status 0
	[[ $output != *"$T"* ]]
}

@test "-w: the target's working directory, or one of this side" {
	make_root "$T/root"
	target nsnew -mp rootjail "$T/root"
	run nsjoin -t "$TARGET" "${USER[@]}" -m -w sh -c 'pwd; stat -c %i .'
	assert_status 0
	assert_output "/tmp"$'\n'"$(stat -c %i "$T/root/tmp")"
	# From a directory outside of the root that COMMAND has, ".." would lead on there.
	assert_refuses 'outside of the root' nsjoin -t "$TARGET" "${USER[@]}" -m "--wd=$T" "${UNREACHED[@]}"
	assert_refuses 'outside of the root' nsjoin -t "$TARGET" -w "${UNREACHED[@]}"
	run nsjoin -t "$TARGET" "${USER[@]}" -u "--wd=$T" stat -c %i .
	assert_output "$(stat -c %i "$T")"
}

@test "-r: the target's root, or one of this side" {
	make_root "$T/root"
	target nsnew -mp chroot "$T/root"
	run nsjoin -t "$TARGET" "${USER[@]}" -r -m /bin/sh -c 'stat -c %i /; pwd; ls /bin/busybox; [ ! -e /usr ]'
	assert_status 0
	[ "${lines[0]}" = "$(stat -c %i "$T/root")" ]
	[ "${lines[1]}" = / ]
	# Without -r it is the root of the mount namespace.
	run nsjoin -t "$TARGET" "${USER[@]}" -m stat -c %i /
	[ "${lines[0]}" = "$(stat -c %i /)" ]
	make_root "$T/other"
	run nsjoin -t "$TARGET" "${USER[@]}" "--root=$T/other" -m /bin/sh -c 'stat -c %i /'
	assert_status 0
	assert_output "$(stat -c %i "$T/other")"
	run nsjoin -t "$TARGET" "${USER[@]}" -r -w -m /bin/sh -c 'pwd'
	assert_output /tmp
}

@test "-r and -w: a directory that is not there is an error before anything changes" {
	target nsnew -u
	assert_refuses "'$T/missing'" nsjoin -t "$TARGET" "${USER[@]}" -u "--root=$T/missing" "${UNREACHED[@]}"
	assert_refuses "'$T/missing'" nsjoin -t "$TARGET" "${USER[@]}" -u "--wd=$T/missing" "${UNREACHED[@]}"
	touch "$T/file"
	assert_refuses "'$T/file'" nsjoin -t "$TARGET" "${USER[@]}" -u "--wd=$T/file" "${UNREACHED[@]}"
}

# --- refusals ---

@test "a target that is gone is an error" {
	local target
	sleep 0 &
	target=$!
	wait "$target"
	assert_refuses "$target" nsjoin -t "$target" "${USER[@]}" -u "${UNREACHED[@]}"
}

@test "a target that has ended and is not reaped is an error" {
	# The shell waits for nothing.
	start bash -c 'sleep 0 & echo "zombie $!"; exec sleep 60'
	eventually grep -q zombie "$OUT"
	local target
	target=$(sed -n 's/^zombie //p' "$OUT")
	eventually is_gone "$target"
	assert_refuses nsjoin nsjoin -t "$target" -U -u "${UNREACHED[@]}"
}

@test "a target that ends while it is looked at is not joined (S10)" {
	requires strace
	target nsnew -u
	# What the pidfd says when all is opened decides, so a PID that has gone to another process is found out.
	run --separate-stderr strace -o "$T/trace" -e trace=poll,ppoll,setns,execve -e inject=poll,ppoll:retval=1 \
		nsjoin -t "$TARGET" "${USER[@]}" -u "${UNREACHED[@]}"
	assert_status 125
	grep -q INJECTED "$T/trace"
	! grep -q setns "$T/trace" || return 1
	[ ! -e "${UNREACHED[4]}" ]
}

@test "all or nothing: one setns for all kinds (S12)" {
	requires strace setns_pidfd
	target nsnew -muinC
	run strace -o "$T/trace" -e trace=setns nsjoin -t "$TARGET" "${USER[@]}" -muinC true
	assert_status 0
	[ "$(grep -c '^setns(' "$T/trace")" = 1 ]
	local flag
	for flag in CLONE_NEWNS CLONE_NEWUTS CLONE_NEWIPC CLONE_NEWNET CLONE_NEWCGROUP; do
		grep -q "^setns(.*$flag" "$T/trace"
	done
}

@test "all or nothing: COMMAND does not run if one step fails (S12)" {
	requires strace
	local call
	target nsnew -r -mup
	for call in pidfd_open setns setresgid setresuid fchdir chroot chdir clone3; do
		run --separate-stderr strace -f -o "$T/trace" -e "trace=$call" -e "inject=$call:error=EIO:when=1" \
			nsjoin -t "$TARGET" -U -mup -r -w "${UNREACHED[@]}"
		echo "$call: $stderr"
		grep -q INJECTED "$T/trace"
		assert_status 125
		[ ! -e "${UNREACHED[4]}" ]
	done
}

@test "not dumpable between the worlds (S09)" {
	requires strace
	target nsnew -r -mu
	run strace -o "$T/trace" -e trace=prctl,setns,setresuid,fchdir,chroot,execve nsjoin -t "$TARGET" -U -mu -r true
	assert_status 0
	awk '
		/^prctl\(PR_SET_DUMPABLE, (SUID_DUMP_DISABLE|0)/ { closed = 1 }
		/^prctl\(PR_SET_DUMPABLE, (SUID_DUMP_USER|1)/ { closed = 0 }
		/^setns/ { joined = 1; if (!closed) bad = 1 }
		/^setresuid/ { closed = 0 }
		/^(fchdir|chroot)/ { if (joined && !closed) bad = 1 }
		/^execve/ && joined { last = closed }
		END { exit bad || !joined || !last }
	' "$T/trace"
}

@test "refused without the user namespace: says so" {
	requires rootless
	target nsnew -u
	assert_refuses 'Operation not permitted' nsjoin -t "$TARGET" -u "${UNREACHED[@]}"
	assert_says 'hint: '
	assert_says -U
}

@test "refused: a process of another user" {
	requires rootless
	assert_refuses 'Permission denied' nsjoin -t 1 -u "${UNREACHED[@]}"
}

@test "a target and something to join are required" {
	assert_refuses --target nsjoin -u "${UNREACHED[@]}"
	assert_refuses 'nothing to join' nsjoin -t "$$" "${UNREACHED[@]}"
}
