# nsjoin: whose namespaces, by process, pin, socket or owner; what else comes from the target; all of it or nothing.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # text for inner shells; each test is a shell of its own

setup() {
	load helpers
	load helpers/processes
	[ "$(id -u)" = 0 ] || requires userns
	T=$BATS_TEST_TMPDIR
	# The rights over what a plain user's namespace owns come from that.
	OWNER=() WITH_MOUNTS=(nsnew -m)
	[ "$(id -u)" = 0 ] || OWNER=(-U) WITH_MOUNTS=(nsnew -rm)
	ALONE_GROUPS=()
}

teardown() {
	end_started
	remove_alone
}

# running COMMAND...: starts it; it ends in a process called "sleep", TARGET, as soon as it has said ready.
running() {
	start "$@"
	eventually said ready
	eventually sleeps "$LINK_PID"
}

sleeps() {
	TARGET=$(child_of "$1" sleep) && return
	TARGET=$1
	[ "$(<"/proc/$1/comm")" = sleep ]
}

WAIT=(sh -c 'cd /tmp && echo ready && exec sleep 60')

# target CHAIN...: a process behind it, TARGET, that waits in directory /tmp.
target() {
	running "${PRIVILEGED[@]}" "$@" "${WAIT[@]}"
}

# ns PID KIND...: the names of its namespaces, a line each.
ns() {
	local pid=$1 kind
	shift
	for kind; do
		readlink "/proc/$pid/ns/$kind"
	done
}

# The same as text for an inner shell: eval "$NS"; ns self uts ...
NS=$(declare -f ns)
export NS

inode_of_pidfd() {
	python3 -c 'import os, sys; print(os.fstat(os.pidfd_open(int(sys.argv[1]))).st_ino)' "$1"
}

# script: runs standard input as a shell script where mounts can be made and nobody else sees them. What it starts dies with it.
script() {
	{
		printf '%s\n' 'set -eu' "T='$T'" "$NS" 'hold() {
			mkfifo "$T/up"
			"$@" sh -c "echo >\$0; exec sleep 60" "$T/up" &
			read -rt 20 _ <>"$T/up"
			rm "$T/up"
		}
		trap '\''kill $(jobs -p) 2>/dev/null || true; wait'\'' EXIT'
		cat
	} >"$T/script"
	run --separate-stderr "${WITH_MOUNTS[@]}" bash "$T/script"
}

# --- PID and PID:INODE ---

@test "PID:INODE: the inode of the pidfd has to be that one (S10)" {
	local inode
	target nsnew -u
	inode=$(inode_of_pidfd "$TARGET")
	if [ "$inode" = "$(inode_of_pidfd $$)" ]; then
		assert_refuses 'Linux 6.9' nsjoin -t "$TARGET:$inode" "${OWNER[@]}" -u "${UNREACHED[@]}"
		return
	fi
	run nsjoin -t "$TARGET:$inode" "${OWNER[@]}" -u readlink /proc/self/ns/uts
	assert_status 0
	assert_output "$(ns "$TARGET" uts)"
	assert_refuses "process $TARGET is another one" nsjoin -t "$TARGET:$((inode + 1))" "${OWNER[@]}" -u "${UNREACHED[@]}"
	assert_refuses "$inode" nsjoin -t "$TARGET:$(inode_of_pidfd $$)" "${OWNER[@]}" -u "${UNREACHED[@]}"
	kill -KILL "$TARGET"
	ended 'killed by 9'
	assert_refuses "$TARGET" nsjoin -t "$TARGET:$inode" "${OWNER[@]}" -u "${UNREACHED[@]}"
}

@test "a target is a PID, PID:INODE or a directory, and nothing that looks like one (S08)" {
	local text
	for text in 0 4194305 99999999999999999999 1:0 1: 1:x 1:2:3 1:-1 1x ' 1' '' +1 0x1; do
		assert_refuses "'$text'" nsjoin -t "$text" -u "${UNREACHED[@]}"
	done
	assert_refuses "'./1'" nsjoin -t ./1 -u "${UNREACHED[@]}"
	assert_refuses "'/etc/passwd'" nsjoin -t /etc/passwd -u "${UNREACHED[@]}"
}

@test "a thread is not taken for its process" {
	local thread
	start python3 -c '
import os, threading, time
def wait():
	print("thread", threading.get_native_id(), flush=True)
	time.sleep(60)
threading.Thread(target=wait, daemon=True).start()
time.sleep(60)
'
	eventually grep -q thread "$OUT"
	thread=$(sed -n 's/^thread //p' "$OUT")
	[ "$thread" != "$LINK_PID" ]
	assert_refuses "$thread" nsjoin -t "$thread" -u "${UNREACHED[@]}"
	assert_says 'it is a thread'
}

@test "a PID that goes to another process, whenever that is, is never joined (S10)" {
	requires strace
	run "${WITH_MOUNTS[@]}" -p --mount-proc python3 "$BATS_TEST_DIRNAME/helpers/reuse.py" nsjoin -t TARGET -u -i touch "$T/ran"
	echo "$output"
	assert_status 0
	# By the helper's first round, which leaves the process alone.
	[ -e "$T/ran" ]
	# By files, of which the kernel does not know whose they were to be.
	rm "$T/ran"
	run "${WITH_MOUNTS[@]}" -pi --mount-proc python3 "$BATS_TEST_DIRNAME/helpers/reuse.py" nsjoin -t TARGET -u --ipc=/proc/self/ns/ipc \
		sh -c 'touch "$1"; [ ! -e "$2" ] || [ "$(readlink /proc/self/ns/uts)" = "$(cat "$2")" ] || exit 125' sh "$T/ran" OTHER
	echo "$output"
	assert_status 0
	[ -e "$T/ran" ]
}

@test "a target that ends between pidfd and namespaces is not joined (S10)" {
	requires strace static
	target nsnew -u
	# Who joins a user namespace runs from the toolbox, and the first one is for its name there.
	start strace -o "$T/trace" -e trace=setns,prctl -e "inject=prctl:signal=STOP:when=$((${#OWNER[@]} ? 2 : 1))" nsjoin -t "$TARGET" "${OWNER[@]}" -u "${UNREACHED[@]}"
	eventually grep -q 'stopped by SIGSTOP' "$T/trace"
	kill -KILL "$TARGET"
	eventually is_gone "$TARGET"
	kill -CONT "$(child_of "$LINK_PID" nsjoin)"
	ended 'exited 125'
	grep -q 'hint: the target has ended' "$OUT"
	[ ! -e "${UNREACHED[4]}" ]
}

# --- pins ---

@test "a directory of pins: -a joins all of them, single kinds only those" {
	requires time_namespace
	script <<-'END'
		hold nsnew -a --pin="$T/pins"
		kinds='mnt uts ipc net pid cgroup time'
		for kind in $kinds; do
			stat -L -c "$kind:[%i]" "$T/pins/$kind"
		done >"$T/wanted"
		nsjoin -t "$T/pins" -a sh -c "$NS; ns self $kinds" >"$T/got"
		diff "$T/wanted" "$T/got"

		# The others stay the own ones.
		for options in '-u uts' '-i ipc' '-n net' '-C cgroup' '-T time' '-p pid' '-m mnt' '-in ipc,net'; do
			joined=,${options#* },
			nsjoin -t "$T/pins" ${options% *} sh -c "$NS; ns self $kinds" >"$T/got"
			for kind in $kinds; do
				case $joined in
				*,"$kind",*) stat -L -c "$kind:[%i]" "$T/pins/$kind" ;;
				*) ns self "$kind" ;;
				esac
			done >"$T/wanted"
			diff "$T/wanted" "$T/got"
		done

		# They last when all processes are gone, save for the PID namespace.
		kill -KILL "$!"
		wait "$!" || true
		nsjoin -t "$T/pins" -muinC true
		! nsjoin -t "$T/pins" -p true || exit 1
	END
	assert_status 0
	assert_says 'a PID namespace whose PID 1 has ended takes no more processes'
}

@test "a directory of pins: a missing pin is an error, for -a one is enough" {
	script <<-'END'
		nsnew -ui --pin="$T/pins" true
		nsjoin -t "$T/pins" -a readlink /proc/self/ns/uts
		status=0
		nsjoin -t "$T/pins" -un echo ran || status=$?
		echo "$status"
		mkdir "$T/empty"
		nsjoin -t "$T/empty" -a echo ran || echo "$?"
		stat -L -c 'uts:[%i]' "$T/pins/uts"
	END
	assert_status 0
	[ "${#lines[@]}" = 4 ]
	[ "${lines[1]} ${lines[2]}" = '125 125' ]
	[ "${lines[0]}" = "${lines[3]}" ]
	assert_says "holds no pin 'net'"
	assert_says 'holds no pins'
}

@test "a directory of pins: the user namespace with what it owns" {
	script <<-'END'
		hold nsnew -ruin --pin="$T/pins"
		nsjoin -t "$T/pins" -a sh -c "$NS; ns self user uts ipc net; id -u; cat /proc/self/uid_map" >"$T/got"
		for kind in user uts ipc net; do
			stat -L -c "$kind:[%i]" "$T/pins/$kind"
		done >"$T/wanted"
		head -n 4 "$T/got" | diff "$T/wanted" -
		sed -n 5p "$T/got"
		# From inside the user kind is left out, which the kernel would refuse.
		nsjoin -t "$T/pins" -a nsjoin -t "$T/pins" -a echo again
	END
	assert_status 0
	assert_output $'0\nagain'
}

@test "what needs a process refuses a directory of pins" {
	mkdir "$T/pins"
	local option
	for option in -c -e -r -w -N3; do
		assert_refuses 'needs a PID' nsjoin -t "$T/pins" -u "$option" "${UNREACHED[@]}"
	done
	assert_refuses 'has to be a process' nsjoin -t "$T/pins" -u -S follow "${UNREACHED[@]}"
}

@test "pin files: each kind by its own, together with those of a process (S15)" {
	script <<-'END'
		nsnew --uts="$T/uts" --ipc="$T/ipc" --net="$T/net" true
		nsjoin --uts="$T/uts" --net="$T/net" sh -c "$NS; ns self uts ipc net" >"$T/got"
		{ stat -L -c 'uts:[%i]' "$T/uts"; ns self ipc; stat -L -c 'net:[%i]' "$T/net"; } | diff - "$T/got"
		# -n of the process goes behind --net of a file.
		hold nsnew -uin
		nsjoin -t "$!" -uin --net="$T/net" sh -c "$NS; ns self uts ipc net" >"$T/got"
		{ ns "$!" uts ipc; stat -L -c 'net:[%i]' "$T/net"; } | diff - "$T/got"
	END
	assert_status 0
}

@test "pin files: anything that is not a namespace of the kind is refused at once (S15)" {
	local file kind
	mkfifo "$T/fifo"
	mkdir "$T/directory"
	touch "$T/empty"
	ln -s /proc/self/ns/uts "$T/symlink"
	ln -s missing "$T/dangling"
	for kind in uts net mount user; do
		for file in /etc/passwd "$T/fifo" "$T/directory" "$T/empty" "$T/symlink" "$T/dangling" "$T/missing" /dev/null /dev/tty ''; do
			assert_refuses "'$file'" timeout 5 nsjoin "--$kind=$file" "${UNREACHED[@]}"
		done
	done
}

@test "pin files: a namespace of another kind is refused (S15)" {
	script <<-'END'
		nsnew --uts="$T/uts" --mount="$T/mnt" true
		for wrong in --net="$T/uts" --ipc="$T/uts" --user="$T/uts" --pid="$T/mnt" --uts="$T/mnt" --time="$T/uts"; do
			timeout 5 nsjoin "$wrong" touch "$T/ran" || echo "$?"
		done
		[ ! -e "$T/ran" ]
		# The same in a directory of pins.
		mkdir "$T/pins"
		touch "$T/pins/net"
		mount --bind "$T/uts" "$T/pins/net"
		timeout 5 nsjoin -t "$T/pins" -n touch "$T/ran" || echo "$?"
		ln -s ../uts "$T/pins/uts"
		timeout 5 nsjoin -t "$T/pins" -u touch "$T/ran" || echo "$?"
		[ ! -e "$T/ran" ]
	END
	assert_status 0
	assert_output $'125\n125\n125\n125\n125\n125\n125\n125'
	assert_says "'$T/uts' is not a namespace of kind net"
	assert_says "'$T/mnt' is not a namespace of kind pid"
}

@test "the files in /proc/PID/ns do for pins (S15)" {
	target nsnew -ui
	run nsjoin "${OWNER[@]/-U/--user=/proc/$TARGET/ns/user}" "--uts=/proc/$TARGET/ns/uts" readlink /proc/self/ns/uts
	assert_status 0
	assert_output "$(ns "$TARGET" uts)"
	run nsjoin -t "/proc/$TARGET/ns" "${OWNER[@]}" -ui sh -c "$NS; ns self uts ipc"
	assert_status 0
	assert_output "$(ns "$TARGET" uts ipc)"
	assert_refuses 'not a namespace of kind net' nsjoin "--net=/proc/$TARGET/ns/uts" "${UNREACHED[@]}"
}

@test "standard input may be closed, or a namespace (R18)" {
	target nsnew -ui
	run nsjoin -t "$TARGET" "${OWNER[@]}" -u readlink /proc/self/ns/uts <&-
	assert_status 0
	assert_output "$(ns "$TARGET" uts)"
	# It is passed on as it is, and is not mixed up with one of those to join.
	run nsjoin -t "$TARGET" "${OWNER[@]}" -u readlink /proc/self/ns/uts /proc/self/ns/ipc /proc/self/fd/0 <"/proc/$TARGET/ns/ipc"
	assert_status 0
	assert_output "$(ns "$TARGET" uts; ns self ipc; ns "$TARGET" ipc)"
}

@test "with fds 0 to 2 closed COMMAND gets none of nsjoin's (R18)" {
	target nsnew -ui
	nsjoin -t "$TARGET" "${OWNER[@]}" -ui state "$T/state" <&- >&- 2>&-
	grep -qx 'fds:' "$T/state"
}

# --- sockets and owners ---

# Its net namespace is not that of its socket 7, which FIRST names.
target_with_socket() {
	running "${PRIVILEGED[@]}" nsnew -n python3 -c '
import os, socket
print("first", os.readlink("/proc/self/ns/net"), flush=True)
first = socket.socket()
os.dup2(first.fileno(), 7)
os.execvp("nsnew", ["nsnew", "-n", "sh", "-c", "echo ready; exec sleep 60"])
'
	FIRST=$(sed -n 's/^first //p' "$OUT")
	[ "$FIRST" != "$(ns "$TARGET" net)" ]
}

@test "-N: the net namespace of a socket of the target" {
	target_with_socket
	run nsjoin -t "$TARGET" "${OWNER[@]}" -N 7 readlink /proc/self/ns/net
	assert_status 0
	assert_output "$FIRST"
	run nsjoin -t "$TARGET" "${OWNER[@]}" --net-socket=7 -n -u readlink /proc/self/ns/net
	assert_output "$FIRST"
	run nsjoin -t "$TARGET" "${OWNER[@]}" -n readlink /proc/self/ns/net
	assert_output "$(ns "$TARGET" net)"
	assert_refuses "target's fd 99" nsjoin -t "$TARGET" "${OWNER[@]}" -N 99 "${UNREACHED[@]}"
	assert_refuses "target's fd 1" nsjoin -t "$TARGET" "${OWNER[@]}" -N 1 "${UNREACHED[@]}"
}

@test "--user-parent: the owner of what is joined, and the parent of the user namespace" {
	running nsnew -ru sh -c 'echo "owner $(readlink /proc/self/ns/user)"; exec nsnew -ri sh -c "echo ready; exec sleep 60"'
	local owner
	owner=$(sed -n 's/^owner //p' "$OUT")
	[ "$owner" != "$(ns "$TARGET" user)" ]
	run nsjoin -t "$TARGET" --user-parent -u sh -c "$NS; ns self user uts; id -u"
	assert_status 0
	assert_output "$owner"$'\n'"$(ns "$TARGET" uts)"$'\n0'
	run nsjoin -t "$TARGET" --user-parent -U -u sh -c "$NS; ns self user uts"
	assert_status 0
	assert_output "$owner"$'\n'"$(ns "$TARGET" uts)"
	# The ipc namespace is the inner user namespace's.
	run nsjoin -t "$TARGET" --user-parent -i sh -c "$NS; ns self user ipc"
	assert_status 0
	assert_output "$(ns "$TARGET" user ipc)"
	assert_refuses 'nothing to join' nsjoin -t "$TARGET" --user-parent "${UNREACHED[@]}"
}

@test "--user-parent: an owner outside of the own user namespace is an error that says so" {
	script <<-'END'
		nsnew --uts="$T/uts" true
		nsnew -r nsjoin --uts="$T/uts" --user-parent touch "$T/ran" || echo "$?"
		[ ! -e "$T/ran" ]
	END
	assert_status 0
	assert_output 125
	assert_says 'hint: it is outside of the own user namespace'
}

# --- cgroups ---

@test "-c: the target's groups in every hierarchy" {
	requires root cgroup
	local before
	prepare_alone
	[ "${#ALONE_GROUPS[@]}" -gt 0 ]
	before=$(</proc/self/cgroup)
	running "${ALONE[@]}" nsnew -u "${WAIT[@]}"
	[ "$(<"/proc/$TARGET/cgroup")" != "$before" ]
	run nsjoin -t "$TARGET" -c cat /proc/self/cgroup
	assert_status 0
	assert_output "$(<"/proc/$TARGET/cgroup")"
	run nsjoin -t "$TARGET" --join-cgroup -u sh -c 'cat /proc/self/cgroup; readlink /proc/self/ns/uts'
	assert_status 0
	assert_output "$(cat "/proc/$TARGET/cgroup")"$'\n'"$(ns "$TARGET" uts)"
	run nsjoin -t "$TARGET" -u cat /proc/self/cgroup
	assert_output "$before"
}

@test "-c: a limit of the target holds for COMMAND" {
	requires root limits
	running cgrun -p 5 "${WAIT[@]}"
	run nsjoin -t "$TARGET" -c sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 0 & done; wait'
	[ "$status" -ne 0 ]
	assert_says 'fork'
	# In its own group it has no such limit.
	run nsjoin -t "$TARGET" -w sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 0 & done; wait'
	assert_status 0
	kill "$TARGET"
	ended 'killed by 15'
}

@test "-c: groups that one is in already need no right to enter them" {
	run nsjoin -t "$$" -c cat /proc/self/cgroup
	assert_status 0
	assert_output "$(</proc/self/cgroup)"
}

# --- root and directories ---

@test "-r: the root of a chrooted target, from its top (S13)" {
	make_root "$T/root"
	target nsnew -m chroot "$T/root"
	cd /usr
	run nsjoin -t "$TARGET" "${OWNER[@]}" -m -r /bin/sh -c 'pwd; stat -c %i / . ..; [ ! -e /usr ]'
	assert_status 0
	assert_output "/"$'\n'"$(stat -c '%i' "$T/root" "$T/root" "$T/root")"
	# Without -m as well, where the target's root shows in this mount namespace.
	run nsjoin -t "$TARGET" "${OWNER[@]}" -u --root /bin/sh -c 'pwd; stat -c %i /'
	assert_status 0
	assert_output "/"$'\n'"$(stat -c '%i' "$T/root")"
}

@test "the working directory is inside after -m, wherever one comes from (S02)" {
	local directory
	make_root "$T/root"
	target nsnew -mp rootjail "$T/root"
	for directory in /usr "$T/root/tmp" /proc/self "/proc/$TARGET/cwd"; do
		cd "$directory"
		run nsjoin -t "$TARGET" "${OWNER[@]}" -m sh -c 'readlink /proc/self/cwd || pwd -P; stat -c %i .'
		assert_status 0
		[ "${lines[-1]}" = "$(stat -c %i "$T/root")" ]
	done
	# Without -m and -r it stays.
	cd "$T"
	run nsjoin -t "$TARGET" "${OWNER[@]}" -p pwd -P
	assert_output "$T"
}

@test "no directory of the outside is to be had by the number of an fd (S01)" {
	local number
	make_root "$T/root"
	touch "$T/mark"
	target nsnew -mp rootjail "$T/root"
	for number in {3..12}; do
		run -127 nsjoin -t "$TARGET" "${OWNER[@]}" -m -p -r -w "/proc/self/fd/$number/bin/sh" -c true 9</ 10<"$T"
	done
	run -127 nsjoin -t "$TARGET" "${OWNER[@]}" -m -p -r -w breakout "$T/mark" 9</ 10<"$T"
	cp "$(command -v breakout)" "$T/root/bin/breakout"
	run nsjoin -t "$TARGET" "${OWNER[@]}" -m -p -r -w breakout "$T/mark" 9</ 10<"$T"
	assert_status 1
	assert_output ''
}

@test "-W: a directory of the other side" {
	make_root "$T/root"
	mkdir "$T/root/tmp/only-here"
	target nsnew -mp rootjail "$T/root"
	run nsjoin -t "$TARGET" "${OWNER[@]}" -m --wdns=/tmp/only-here stat -c %i .
	assert_status 0
	assert_output "$(stat -c %i "$T/root/tmp/only-here")"
	run nsjoin -t "$TARGET" "${OWNER[@]}" -r -W tmp/only-here /bin/stat -c %i .
	assert_status 0
	assert_output "$(stat -c %i "$T/root/tmp/only-here")"
	assert_refuses "'$T'" nsjoin -t "$TARGET" "${OWNER[@]}" -m -W "$T" /bin/sh -c 'touch /tmp/ran'
	[ ! -e "$T/root/tmp/ran" ]
	assert_refuses 'exclude' nsjoin -t "$TARGET" "${OWNER[@]}" -m -w -W /tmp "${UNREACHED[@]}"
}

@test "-r DIR and -w DIR are of this side, whatever the other side calls so" {
	make_root "$T/root"
	make_root "$T/other"
	mkdir -p "$T/root$T/other"
	target nsnew -m rootjail "$T/root"
	run nsjoin -t "$TARGET" "${OWNER[@]}" -m "--root=$T/other" /bin/sh -c 'stat -c %i /; pwd'
	assert_status 0
	assert_output "$(stat -c %i "$T/other")"$'\n/'
	run nsjoin -t "$TARGET" "${OWNER[@]}" -m "--root=$T/other" "--wd=$T/other/tmp" /bin/sh -c 'stat -c %i .; pwd; stat -c %i ../..'
	assert_status 0
	assert_output "$(stat -c %i "$T/other/tmp")"$'\n/tmp\n'"$(stat -c %i "$T/other")"
	run nsjoin -t "$TARGET" "--wd=$T/other" stat -c %i .
	assert_output "$(stat -c %i "$T/other")"
}

@test "a working directory outside of the root is refused (S02)" {
	make_root "$T/root"
	target nsnew -m rootjail "$T/root"
	assert_refuses 'outside of the root' nsjoin -t "$TARGET" "${OWNER[@]}" -m "--wd=$T" /bin/sh -c 'touch ran /tmp/ran ./tmp/ran'
	assert_says --wdns
	assert_refuses 'outside of the root' nsjoin -t "$TARGET" "${OWNER[@]}" -u "--root=$T/root" "--wd=$T" /bin/sh -c 'touch ran /tmp/ran'
	[ ! -e "$T/ran" ] && [ ! -e "$T/root/tmp/ran" ]
}

# --- environment ---

@test "-e: the environment that the target was started with, and nothing else" {
	local long
	long=$(printf '%070000d' 0)
	running env -i "PATH=$PATH" LC_ALL=C LONG="$long" NEWLINE=$'a\nb' EMPTY= 'odd name=1' sh -c 'LATER=1; export LATER; echo ready; exec env -i "$@"' \
		sh "PATH=$PATH" LONG="$long" NEWLINE=$'a\nb' EMPTY= 'odd name=1' sleep 60
	run env MINE=1 nsjoin -t "$TARGET" -e -w env -0
	assert_status 0
	MINE=1 nsjoin -t "$TARGET" --env -w /usr/bin/env -0 >"$T/environment"
	cmp "$T/environment" "/proc/$TARGET/environ"
	grep -qa LONG "$T/environment"
	MINE=1 nsjoin -t "$TARGET" -w /usr/bin/env -0 >"$T/environment"
	grep -qaz '^MINE=1' "$T/environment"
}

@test "-e: an empty environment is one, and COMMAND is found all the same" {
	running env -i "$(command -v sh)" -c 'echo ready; exec env -i sleep 60'
	[ ! -s "/proc/$TARGET/environ" ] || [ -z "$(tr -d '\0' <"/proc/$TARGET/environ")" ]
	run nsjoin -t "$TARGET" -e -w env
	assert_status 0
	assert_output ''
}

@test "-e: an environment that may not be read is an error" {
	requires rootless
	assert_refuses 'environ' nsjoin -t 1 -e "${UNREACHED[@]}"
}

# --- ids ---

# As user 5 and group 6 of a user namespace that begins at id 100000.
ranged() {
	running nsnew -u --map-users=0:100000:1000 --map-groups=0:100000:1000 \
		setpriv --pdeathsig keep --reuid 5 --regid 6 --clear-groups "${WAIT[@]}"
}


IDS='sed -n "s/^[UG]id:\t\([0-9]*\)\t\([0-9]*\)\t\([0-9]*\)\t\([0-9]*\)/\1 \2 \3 \4/p; s/^Groups:\t//p" /proc/self/status'

@test "-S and -G: numbers of the other side, follow, and root where nothing is said" {
	requires root
	ranged
	[ "$(stat -c %u:%g "/proc/$TARGET")" = 100005:100006 ]
	run nsjoin -t "$TARGET" -U sh -c "$IDS"
	assert_status 0
	[ "${lines[0]}/${lines[1]}" = '0 0 0 0/0 0 0 0' ]
	run nsjoin -t "$TARGET" -U -S follow -G follow sh -c "$IDS"
	assert_status 0
	[ "${lines[0]}/${lines[1]}" = '5 5 5 5/6 6 6 6' ]
	run nsjoin -t "$TARGET" -U --setuid=7 --setgid=8 sh -c "$IDS"
	assert_status 0
	[ "${lines[0]}/${lines[1]}" = '7 7 7 7/8 8 8 8' ]
	assert_refuses 'user 1000 there' nsjoin -t "$TARGET" -U -S 1000 "${UNREACHED[@]}"
	assert_refuses 'group 4294967294 there' nsjoin -t "$TARGET" -U -G 4294967294 "${UNREACHED[@]}"
	# The kernel's view from outside.
	running nsjoin -t "$TARGET" -U -S follow -G follow "${WAIT[@]}"
	[ "$(sed -n 's/^Uid:\t//p' "/proc/$TARGET/status")" = $'100005\t100005\t100005\t100005' ]
	[ "$(sed -n 's/^Gid:\t//p' "/proc/$TARGET/status")" = $'100006\t100006\t100006\t100006' ]
}

@test "-S follow without the user namespace: the ids of this side" {
	requires root
	ranged
	run nsjoin -t "$TARGET" -u -S follow -G follow sh -c "$IDS"
	assert_status 0
	[ "${lines[0]}/${lines[1]}" = '100005 100005 100005 100005/100006 100006 100006 100006' ]
	[ -z "${lines[2]// /}" ]
}

@test "-S and -G are numbers or follow (S08)" {
	local text
	for text in root -1 4294967295 4294967296 1.0 '' ' 1' Follow; do
		assert_refuses "'$text'" nsjoin -t $$ -u "--setuid=$text" "${UNREACHED[@]}"
		assert_refuses "'$text'" nsjoin -t $$ -u "--setgid=$text" "${UNREACHED[@]}"
	done
}

@test "a plain user has the ids that it is given there, and no others" {
	requires rootless
	running nsnew -c "${WAIT[@]}"
	run nsjoin -t "$TARGET" -U sh -c "$IDS"
	assert_status 0
	[ "${lines[0]}" = "$(printf '%s %s %s %s' "$(id -u)"{,,,})" ]
	run nsjoin -t "$TARGET" -U -S follow -G follow id -u
	assert_output "$(id -u)"
	assert_refuses 'user 0 there' nsjoin -t "$TARGET" -U -S 0 "${UNREACHED[@]}"
	end_started
	running nsnew -r "${WAIT[@]}"
	run nsjoin -t "$TARGET" -U -S follow sh -c "$IDS"
	assert_status 0
	[ "${lines[0]}" = '0 0 0 0' ]
	assert_refuses 'user 1 there' nsjoin -t "$TARGET" -U -S 1 "${UNREACHED[@]}"
}

@test "a plain user in a user namespace with a range" {
	requires subids
	running nsnew --map-auto -u sh -c 'echo ready; exec setpriv --pdeathsig keep --reuid 5 --regid 6 --clear-groups sleep 60'
	run nsjoin -t "$TARGET" -U -u sh -c "$IDS"
	assert_status 0
	[ "${lines[0]}/${lines[1]}" = '0 0 0 0/0 0 0 0' ]
	run nsjoin -t "$TARGET" -U -u -S follow -G follow sh -c "$IDS"
	assert_status 0
	[ "${lines[0]}/${lines[1]}" = '5 5 5 5/6 6 6 6' ]
	[ -z "${lines[2]// /}" ]
}

@test "--preserve-credentials changes no ids" {
	requires root
	ranged
	run setpriv --groups 4,20 nsjoin -t "$TARGET" -U --preserve-credentials sh -c "$IDS; id -u"
	assert_status 0
	[ "${lines[0]}" = '65534 65534 65534 65534' ]
	[ "${lines[2]}" = '65534 65534 ' ]
	# What was asked for by number still holds.
	run nsjoin -t "$TARGET" -U --preserve-credentials -S 3 id -u
	assert_output 3
}

@test "root comes in with a mapped id and its capabilities (S29)" {
	requires root
	ranged
	run nsjoin -t "$TARGET" -U sh -c 'grep CapEff: /proc/self/status; stat -L -c %u /proc/self; hostname joined'
	[[ ${lines[0]} != *0000000000000000 ]]
	[ "${lines[1]}" = 0 ]
	# The uts namespace of this side is not of that user namespace.
	[ "$status" -ne 0 ]
	[ "$(hostname)" != joined ]
	run nsjoin -t "$TARGET" -U -u sh -c 'hostname joined && hostname'
	assert_status 0
	assert_output joined
}

# May read a file of group 4 alone.
of_group_4() {
	echo "of group 4" >"$T/secret"
	chmod 0040 "$T/secret"
	chown 65533:4 "$T/secret"
}

@test "supplementary groups do not come along (S11)" {
	requires root
	of_group_4
	ranged
	run setpriv --groups 4,20 nsjoin -t "$TARGET" -U sh -c "$IDS; cat '$T/secret'"
	[ "$status" -ne 0 ]
	[ -z "${lines[2]// /}" ] || [[ ${lines[2]} == *denied* ]]
	assert_says 'Permission denied'
	run setpriv --groups 4,20 nsjoin -t "$TARGET" -u -G 65533 -S 65532 sh -c "$IDS"
	assert_status 0
	[ -z "${lines[2]// /}" ]
}

@test "supplementary groups do not come along where setgroups is denied inside (S11)" {
	requires root
	of_group_4
	running setpriv --pdeathsig keep --reuid 65534 --regid 65534 --clear-groups nsnew -ru "${WAIT[@]}"
	[ "$(<"/proc/$TARGET/setgroups")" = deny ]
	run setpriv --groups 4,20 nsjoin -t "$TARGET" -U -u cat "$T/secret"
	assert_says 'Permission denied'
	[ "$status" -ne 0 ]
}

@test "a plain user's groups stay where setgroups is denied (S11)" {
	requires rootless
	running nsnew -ru "${WAIT[@]}"
	run nsjoin -t "$TARGET" -U -u sh -c 'id -u; cat /proc/self/setgroups'
	assert_status 0
	assert_output $'0\ndeny'
}

# --- processes ---

@test "COMMAND dies with nsjoin behind every change of ids (R08)" {
	requires root
	local child options target
	running setpriv --pdeathsig keep --reuid 65534 --regid 65534 --clear-groups nsnew -p --map-users=0:65534:1 --map-groups=0:65534:1 "${WAIT[@]}"
	target=$TARGET
	for options in '' '-S 0 -G 0' '-S follow' '--preserve-credentials'; do
		# shellcheck disable=SC2086 # words
		start nsjoin -t "$target" -Up $options sleep 60
		eventually has_child "$LINK_PID" sleep
		child=$(child_of "$LINK_PID" sleep)
		kill -KILL "$LINK_PID"
		ended 'killed by 9'
		eventually is_gone "$child"
	done
}

@test "the status of COMMAND comes through, with SIGCHLD ignored as well (R01)" {
	target nsnew -p
	run perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV' timeout 10 nsjoin -t "$TARGET" "${OWNER[@]}" -p sh -c 'exit 7'
	assert_status 7
	start nsjoin -t "$TARGET" "${OWNER[@]}" -p sh -c 'kill -TERM $$'
	ended 'killed by 15'
}

@test "kill(0) of COMMAND stays inside, also where the other side has a file /dev/tty (S41)" {
	local kind child
	make_root "$T/root"
	for kind in none file fifo; do
		rm -f "$T/root/dev/tty"
		case $kind in
		file) touch "$T/root/dev/tty" ;;
		fifo) mkfifo "$T/root/dev/tty" ;;
		esac
		target nsnew -mp rootjail --bare "$T/root"
		[ "$(stat -L -c %i "/proc/$TARGET/root/dev/tty" 2>/dev/null)" = "$(stat -c %i "$T/root/dev/tty" 2>/dev/null)" ]
		# Not even a terminal that this test may be run on.
		start setsid nsjoin -t "$TARGET" "${OWNER[@]}" -mp sleep 60
		eventually has_child "$LINK_PID" sleep
		child=$(child_of "$LINK_PID" sleep)
		echo "$kind: $(ps -o pid,pgid,args -p "$child,$LINK_PID")"
		[ "$(ps -o pgid= -p "$child")" -eq "$child" ]
		end_started
	done
}

@test "-F: nsjoin becomes COMMAND, whose children are in the PID namespace" {
	target nsnew -p
	start nsjoin -t "$TARGET" "${OWNER[@]}" -p --no-fork sh -c 'echo $$; readlink /proc/self/ns/pid; true'
	ended 'exited 0'
	said "$LINK_PID"
	said "$(ns "$TARGET" pid)"
}

@test "fds from 3 up are closed, save for those to keep (S01)" {
	target nsnew -ui
	nsjoin -t "$TARGET" "${OWNER[@]}" -u state "$T/state" 5</ 7</dev/null
	grep -qx 'fds: 0 1 2' "$T/state"
	nsjoin -t "$TARGET" "${OWNER[@]}" -u --keep-fd 7 state "$T/state" 5</ 7</dev/null
	grep -qx 'fds: 0 1 2 7' "$T/state"
	nsjoin -t "$TARGET" "${OWNER[@]}" -ui --keep-fd=7 --keep-fd=5 state "$T/state" 5</ 6</ 7</dev/null
	grep -qx 'fds: 0 1 2 5 7' "$T/state"
}

@test "--keep-fd never keeps an fd that nsjoin itself has opened (S01)" {
	local number
	target nsnew -ui
	for number in {3..9}; do
		run bash -c 'for n in {3..20}; do eval "exec $n>&-"; done; exec "$@"' bash nsjoin -t "$TARGET" "${OWNER[@]}" -u -r -w "--keep-fd=$number" state
		echo "$number: $output"
		[ "$status" = 125 ] || [[ $output == *$'\nfds: 0 1 2\n'* ]]
	done
	# Until its exec they would be there for COMMAND to be named by.
	cp /bin/busybox "$T/echo"
	for number in {3..12}; do
		run bash -c 'for n in {3..20}; do eval "exec $n>&-"; done; exec "$@"' bash \
			nsjoin -t "$TARGET" "${OWNER[@]}" -u "--wd=$T" "--keep-fd=$number" "/proc/self/fd/$number/echo" outside
		[ "$status" -ge 125 ]
		[ "$output" != outside ]
	done
}

# --- all or nothing ---

# With every call of setns from one on refused, COMMAND does not run.
@test "all or nothing: a setns that is refused, by one pidfd (S12)" {
	requires strace
	target nsnew -r -muin
	run --separate-stderr strace -o "$T/trace" -e trace=setns -e inject=setns:error=EPERM nsjoin -t "$TARGET" -Umuin "${UNREACHED[@]}"
	assert_status 125
	assert_says 'cannot join the target'
	assert_says 'hint: '
	[ "$(grep -c '^setns' "$T/trace")" = 1 ]
	[ ! -e "${UNREACHED[4]}" ]
}

@test "all or nothing: a setns that is refused, by files (S12)" {
	requires strace
	script <<-'END'
		hold nsnew -r -muin --pin="$T/pins"
		kinds='user mnt uts ipc net'
		strace -o "$T/trace" -e trace=setns nsjoin -t "$T/pins" -a sh -c "$NS; ns self $kinds" >"$T/whole"
		for kind in $kinds; do
			stat -L -c "$kind:[%i]" "$T/pins/$kind"
		done | diff - "$T/whole"
		calls=$(grep -c '^setns' "$T/trace")
		[ "$calls" -ge 5 ]
		for call in $(seq "$calls"); do
			status=0
			strace -o "$T/trace" -e trace=setns -e "inject=setns:error=EPERM:when=$call+" nsjoin -t "$T/pins" -a touch "$T/ran" 2>"$T/message" || status=$?
			[ "$status" = 125 ]
			grep -q 'cannot join the target' "$T/message"
			grep -q INJECTED "$T/trace"
			[ ! -e "$T/ran" ]
			# Refused before and behind the user namespace, which is joined.
			if [ "$call" -lt "$calls" ]; then
				status=0
				strace -o "$T/trace" -e trace=setns -e "inject=setns:error=EPERM:when=$call+$((calls + 1 - call))" \
					nsjoin -t "$T/pins" -a touch "$T/ran" 2>"$T/message" || status=$?
				[ "$(grep -c INJECTED "$T/trace")" -ge 1 ]
				[ "$status" = 125 ] || [ "$(grep -c INJECTED "$T/trace")" = 1 ]
				[ "$status" = 0 ] || [ ! -e "$T/ran" ]
				[ "$(grep -c INJECTED "$T/trace")" = 1 ] || [ ! -e "$T/ran" ]
				rm -f "$T/ran"
			fi
			# A single refusal may be a matter of order; then it is all of them.
			status=0
			strace -o "$T/trace" -e trace=setns -e "inject=setns:error=EPERM:when=$call" \
				nsjoin -t "$T/pins" -a sh -c "$NS; ns self $kinds" >"$T/got" 2>"$T/message" || status=$?
			case $status in
			0) diff "$T/whole" "$T/got" ;;
			125) [ ! -s "$T/got" ] ;;
			*) exit 1 ;;
			esac
		done
		echo done
	END
	assert_status 0
	assert_output 'done'
}

@test "a kernel that cannot join by a pidfd: the same by files, user namespace included (S12)" {
	requires strace
	target nsnew -r -muip
	run --separate-stderr strace -f -o "$T/trace" -e trace=setns -e inject=setns:error=EINVAL:when=1 \
		nsjoin -t "$TARGET" -U -muip sh -c "$NS; ns self user mnt uts ipc pid; id -u"
	assert_status 0
	assert_output "$(ns "$TARGET" user mnt uts ipc pid)"$'\n0'
	grep -q 'EINVAL.*INJECTED' "$T/trace"
	run --separate-stderr strace -f -o "$T/trace" -e trace=setns -e inject=setns:error=EINVAL nsjoin -t "$TARGET" -U -muip "${UNREACHED[@]}"
	assert_status 125
	[ ! -e "${UNREACHED[4]}" ]
}

@test "a kernel that cannot join by a pidfd: a target that ends meanwhile is not joined (S10)" {
	requires strace
	target nsnew -u
	start strace -o "$T/trace" -e trace=setns -e inject=setns:error=EINVAL:signal=STOP:when=1 nsjoin -t "$TARGET" "${OWNER[@]}" -u "${UNREACHED[@]}"
	eventually grep -q 'stopped by SIGSTOP' "$T/trace"
	kill -KILL "$TARGET"
	eventually is_gone "$TARGET"
	kill -CONT "$(child_of "$LINK_PID" nsjoin)"
	ended 'exited 125'
	[ ! -e "${UNREACHED[4]}" ]
}

@test "the own user namespace is left out of a join" {
	run nsnew -ru sh -c '
		eval "$NS"
		nsnew -ui sleep 60 &
		until [ "$(ns $! ipc)" != "$(ns self ipc)" ]; do :; done
		nsjoin -t $! -Uui sh -c "$NS; ns self user uts ipc; id -u" && ns $! user uts ipc
		kill $!'
	assert_status 0
	[ "${#lines[@]}" = 7 ]
	[ "${lines[0]}${lines[1]}${lines[2]}" = "${lines[4]}${lines[5]}${lines[6]}" ]
	[ "${lines[3]}" = 0 ]
}

# --- what is explained ---

@test "refused without the user namespace: join that too" {
	requires rootless
	target nsnew -u
	assert_refuses 'Operation not permitted' nsjoin -t "$TARGET" -u "${UNREACHED[@]}"
	assert_says 'join that too (-U)'
}

@test "refused: a process of another user" {
	requires rootless
	assert_refuses 'Permission denied' nsjoin -t 1 -Uu "${UNREACHED[@]}"
	assert_says 'hint: '
}

@test "refused: a user namespace that belongs to another user" {
	requires root
	script <<-'END'
		# Where everybody can reach it.
		T=/dev/shm
		mount -t tmpfs -o mode=755 tmpfs "$T"
		nsnew --owner=65534:65534 --map-users=0:65534:1 --map-groups=0:65534:1 --user="$T/user" --uts="$T/uts" true
		setpriv --reuid 65533 --regid 65533 --clear-groups nsjoin --user="$T/user" --uts="$T/uts" echo ran || echo "$?"
		setpriv --reuid 65534 --regid 65534 --clear-groups nsjoin --user="$T/user" --uts="$T/uts" echo owner
	END
	assert_status 0
	assert_output $'125\nowner'
	assert_says 'belongs to another user'
}
