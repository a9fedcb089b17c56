# nsnew: telling others when it is ready, clocks, names, --no-fork, and what it says when the kernel refuses.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # text for inner shells; each test is a shell of its own

setup() {
	load helpers
	load helpers/processes
	[ "$(id -u)" = 0 ] || requires userns
	T=$(realpath "$BATS_TEST_TMPDIR")
	export T
	# In a mount namespace of its own as the same user, who may mount there.
	if has root; then
		OWN_MOUNTS=(unshare --mount --propagation private)
		JOIN=(nsenter)
	else
		OWN_MOUNTS=(nsnew -cm --keep-caps)
		JOIN=(nsenter -U --preserve-credentials)
	fi
}

teardown() {
	local place
	end_started
	# Nothing is mounted there unless a test has failed.
	awk -v below="$T/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo | while read -r place; do
		umount -l "$place"
	done
}

# What is told on a FIFO that is open for reading and writing.
told() {
	read -rt 10 _ <>"$1"
}

# --- --pid-file ---

# The first and the last number that the process has, in the PID namespaces from the test's on.
pids_of() {
	awk '/^NSpid:/ { print $2, $NF, NF - 1 }' "/proc/$1/status"
}

@test "--pid-file: the PID by which the caller knows COMMAND" {
	local options inside pid
	while IFS='|' read -r options inside; do
		rm -f "$T/number" "$T/own"
		mkfifo "$T/fifo"
		# shellcheck disable=SC2086 # words
		start "${PRIVILEGED[@]}" nsnew $options "--pid-file=$T/number" --ready-fd=7 sh -c 'echo $$ >"$T/own"; exec sleep 60' 7<>"$T/fifo"
		told "$T/fifo"
		eventually test -s "$T/own"
		pid=$(<"$T/number")
		echo "options '$options': $pid"
		# A number and a newline.
		[ "$(wc -l <"$T/number")" = 1 ]
		[[ $pid =~ ^[1-9][0-9]*$ ]]
		eventually grep -qx sleep "/proc/$pid/comm"
		if [ "$inside" = same ]; then
			[ "$pid" = "$(<"$T/own")" ]
			[ "$(pids_of "$pid")" = "$pid $pid 1" ]
		else
			[ "$(<"$T/own")" = "$inside" ]
			[ "$(pids_of "$pid")" = "$pid $inside 2" ]
		fi
		kill -KILL "$LINK_PID"
		ended 'killed by 9'
		rm "$T/fifo"
	done <<-'LIST'
		-u|same
		-f|same
		-p|1
		-mp --mount-proc|1
		--init|2
		-m --init --mount-proc|2
		-p --new-session|1
	LIST
	# COMMAND is the process that nsnew was.
	rm "$T/number"
	start nsnew -U "--pid-file=$T/number" sleep 60
	eventually test -s "$T/number"
	[ "$(<"$T/number")" = "$LINK_PID" ]
}

@test "--pid-file: of an nsnew that is in a PID namespace itself, the PID there" {
	run "${PRIVILEGED[@]}" nsnew -mp --mount-proc sh -c 'nsnew -p --pid-file="$T/number" true; nsnew -f --pid-file="$T/second" sh -c "echo \$\$"; cat "$T/number" "$T/second"'
	assert_status 0
	[ "${lines[0]}" = "${lines[2]}" ]
	[ "${lines[1]}" -lt "${lines[2]}" ]
	[ "${lines[2]}" -lt 20 ]
}

@test "--pid-file: replaces what was in the file, is there before COMMAND, has the mode of the umask" {
	printf '%0200d\n' 7 >"$T/number"
	run nsnew -U "--pid-file=$T/number" sh -c 'echo $$; cat "$T/number"'
	assert_status 0
	[ "${lines[0]}" = "${lines[1]}" ]
	[ "${#lines[@]}" = 2 ]
	rm "$T/number"
	(umask 027 && nsnew -U "--pid-file=$T/number" true)
	[ "$(stat -c %a "$T/number")" = 640 ]
	# Also where nobody may write a file any more.
	cd "$T"
	run nsnew -U --pid-file=relative true
	assert_status 0
	[ -s "$T/relative" ]
}

@test "--pid-file: errors" {
	echo text >"$T/real"
	ln -s real "$T/link"
	mkdir "$T/directory"
	mkfifo "$T/fifo"
	local file
	for file in link directory fifo missing/file ''; do
		assert_refuses "'${file:+$T/$file}'" nsnew -U "--pid-file=${file:+$T/$file}" "${UNREACHED[@]}"
	done
	[ "$(<"$T/real")" = text ]
	assert_refuses "No space left on device" nsnew -U --pid-file=/dev/full "${UNREACHED[@]}"
}

# --- --ready-fd and --block-fd ---

@test "--ready-fd: one newline, when all is set up" {
	local options
	run nsnew -U --ready-fd=1 echo text
	assert_status 0
	[ "$output" = $'\ntext' ]
	for options in -u -f -p --init; do
		mkfifo "$T/ready" "$T/go"
		# shellcheck disable=SC2086 # words
		start "${PRIVILEGED[@]}" nsnew $options --hostname=inside "--pid-file=$T/number" --ready-fd=7 --block-fd=8 sleep 60 \
			7<>"$T/ready" 8<>"$T/go"
		told "$T/ready"
		# Nothing more is told.
		run -142 timeout --foreground --preserve-status -s ALRM 0.1 cat <>"$T/ready"
		assert_output ''
		run "${JOIN[@]}" -t "$(<"$T/number")" -u uname -n
		assert_output inside
		kill -KILL "$LINK_PID"
		ended 'killed by 9'
		rm "$T/ready" "$T/go" "$T/number"
	done
}

@test "--block-fd: COMMAND does not run before there is something to read, and reads it itself" {
	local options pid
	for options in -u -f -p --init; do
		mkfifo "$T/ready" "$T/go"
		# shellcheck disable=SC2086 # words
		start "${PRIVILEGED[@]}" nsnew $options "--pid-file=$T/number" --ready-fd=7 --block-fd=8 \
			sh -c 'echo reached; read -r line <&8; echo "read $line"' 7<>"$T/ready" 8<>"$T/go"
		told "$T/ready"
		pid=$(<"$T/number")
		# Asleep in poll(2), and nothing that is to come would wake it.
		eventually grep -q '^State:.S' "/proc/$pid/status"
		[ "$(<"/proc/$pid/comm")" = nsnew ]
		! said reached || return 1
		echo go >"$T/go"
		ended 'exited 0'
		said reached
		said 'read go'
		rm "$T/ready" "$T/go" "$T/number"
	done
}

@test "--block-fd: the end of a pipe lets COMMAND run, a signal ends the wait" {
	local options
	run bash -c 'nsnew -U --block-fd=8 echo text 8< <(:)'
	assert_status 0
	assert_output text
	for options in -u -f -p --init; do
		mkfifo "$T/ready" "$T/go"
		# shellcheck disable=SC2086 # words
		start "${PRIVILEGED[@]}" nsnew $options --ready-fd=7 --block-fd=8 sh -c 'echo reached' 7<>"$T/ready" 8<>"$T/go"
		told "$T/ready"
		kill -TERM "$LINK_PID"
		ended 'killed by 15'
		! said reached || return 1
		rm "$T/ready" "$T/go"
	done
}

@test "--ready-fd and --block-fd: errors" {
	local option text
	for option in --ready-fd --block-fd; do
		for text in '' x -1 1x ' 1' 0x1 99999999999; do
			assert_refuses "$option" nsnew -U "$option=$text" "${UNREACHED[@]}"
		done
		assert_refuses "'77' is not open" nsnew -U "$option=77" "${UNREACHED[@]}"
	done
	assert_refuses 'file descriptor 7' nsnew -U --ready-fd=7 "${UNREACHED[@]}" 7</dev/null
	assert_refuses 'file descriptor 7' nsnew -U --ready-fd=7 "${UNREACHED[@]}" 7>/dev/full
	# A closed standard fd is not one to tell on, although a link fills it for itself.
	run -125 bash -c 'nsnew -U --ready-fd=0 true <&-'
}

# --- clocks ---

# clock OPTION...: how far off CLOCK_BOOTTIME (/proc/uptime), and CLOCK_MONOTONIC, are for COMMAND, in whole seconds; and the offsets.
clock() {
	local before after
	before=$(cut -d ' ' -f 1 /proc/uptime)
	run "${PRIVILEGED[@]}" nsnew "$@" sh -c 'cut -d " " -f 1 /proc/uptime; tr -s " " </proc/self/timens_offsets'
	after=$(cut -d ' ' -f 1 /proc/uptime)
	assert_status 0
	# Between the two readings outside, each with the offset.
	echo "$* : $before ${lines[0]} $after"
	[ "$(awk -v a="$before" -v i="${lines[0]}" -v b="$after" -v o="$OFFSET" 'BEGIN { print (i - o >= a - 0.02 && i - o <= b + 0.02) }')" = 1 ]
}

@test "--boottime and --monotonic: fractions, negative ones, with and without a fork" {
	requires time_namespace
	local options
	for options in '' --no-fork -f -p --init; do
		# shellcheck disable=SC2086 # words
		OFFSET=1000.5 clock $options --boottime=1000.5
		[ "${lines[2]}" = 'boottime 1000 500000000' ] || [ "${lines[1]}" = 'boottime 1000 500000000' ] || { printf '%s\n' "${lines[@]}" && return 1; }
		# shellcheck disable=SC2086
		OFFSET=-1.25 clock $options --boottime=-1.25
		[[ ${lines[*]} == *'boottime -2 750000000'* ]]
		# shellcheck disable=SC2086
		OFFSET=0 clock $options --monotonic=77.000000001
		[[ ${lines[*]} == *'monotonic 77 1'* ]]
	done
	OFFSET=0 clock -T
	[[ ${lines[*]} == *'monotonic 0 0'* && ${lines[*]} == *'boottime 0 0'* ]]
	OFFSET=3 clock --boottime=3 --monotonic=-1
	[[ ${lines[*]} == *'monotonic -1 0'* && ${lines[*]} == *'boottime 3 0'* ]]
}

@test "--monotonic: is what clock_gettime(2) shows" {
	requires time_namespace python3
	local options inside outside
	for options in '' -f -p --init; do
		outside=$(python3 -c 'import time; print(int(time.monotonic()))')
		# shellcheck disable=SC2086 # words
		inside=$("${PRIVILEGED[@]}" nsnew $options --monotonic=100000 python3 -c 'import time; print(int(time.monotonic()))')
		[ "$((inside - outside))" -ge 100000 ]
		[ "$((inside - outside))" -lt 100010 ]
	done
	[ "$(python3 -c 'import time; print(int(time.monotonic()))')" -lt "$inside" ]
}

@test "--boottime and --monotonic: errors" {
	requires time_namespace
	local option text
	for option in --boottime --monotonic; do
		for text in '' - + +1 1. .5 -.5 1.0000000001 1e3 0x1 ' 1' '1 ' --1 1-1 99999999999999999999 -99999999999999999999; do
			assert_refuses "$option" nsnew "$option=$text" "${UNREACHED[@]}"
		done
		assert_refuses 'clock cannot go below zero' "${PRIVILEGED[@]}" nsnew "$option=-999999999" "${UNREACHED[@]}"
		assert_refuses 'hint: ' "${PRIVILEGED[@]}" nsnew "$option=9223372036" "${UNREACHED[@]}"
		assert_refuses twice nsnew "$option=1" "$option=2" "${UNREACHED[@]}"
	done
}

# --- names ---

@test "--domainname: inside only" {
	local before
	before=$(</proc/sys/kernel/domainname)
	run "${PRIVILEGED[@]}" nsnew --domainname=inside sh -c 'cat /proc/sys/kernel/domainname /proc/sys/kernel/hostname; readlink /proc/self/ns/uts'
	assert_status 0
	[ "${lines[0]}" = inside ]
	[ "${lines[1]}" = "$(</proc/sys/kernel/hostname)" ]
	[ "${lines[2]}" != "$(readlink /proc/self/ns/uts)" ]
	[ "$(</proc/sys/kernel/domainname)" = "$before" ]
	run "${PRIVILEGED[@]}" nsnew --hostname=a --domainname=b -p sh -c 'cat /proc/sys/kernel/domainname /proc/sys/kernel/hostname'
	assert_output $'b\na'
	run "${PRIVILEGED[@]}" nsnew --domainname= cat /proc/sys/kernel/domainname
	assert_status 0
	assert_output ''
	assert_refuses 'domain name' "${PRIVILEGED[@]}" nsnew "--domainname=$(printf '%065d' 0)" "${UNREACHED[@]}"
}

# --- --no-fork ---

@test "--no-fork: COMMAND stays where it is, its first child is PID 1" {
	start "${PRIVILEGED[@]}" nsnew -p --no-fork sh -c 'echo "$$"; sh -c "echo \$\$; readlink /proc/self/ns/pid"; true'
	ended 'exited 0'
	[ "$(sed -n 1p "$OUT")" = "$LINK_PID" ]
	[ "$(sed -n 2p "$OUT")" = 1 ]
	[ "$(sed -n 3p "$OUT")" != "$(readlink /proc/self/ns/pid)" ]
	run "${PRIVILEGED[@]}" nsnew -p --no-fork readlink /proc/self/ns/pid
	assert_output "$(readlink /proc/self/ns/pid)"
}

@test "--no-fork: refused with what needs a fork" {
	local options
	for options in -f --init --new-session '-p --mount-proc' '-p --mount-proc=/proc' "-p --pin=$T/pins" "--pid=$T/pin"; do
		# shellcheck disable=SC2086 # words
		assert_refuses --no-fork nsnew $options --no-fork "${UNREACHED[@]}"
	done
	[ ! -e "$T/pins" ]
	[ ! -e "$T/pin" ]
}

# --- what the kernel refuses ---

# explains TEXT SCRIPT NSNEW-ARGUMENT...: after SCRIPT in a mount namespace of its own nsnew fails, and its hint says TEXT.
explains() {
	local text=$1 script=$2
	shift 2
	run --separate-stderr "${OWN_MOUNTS[@]}" sh -ec "$script"'
		exec "$@"' sh "$@" "${UNREACHED[@]}"
	assert_status 125
	grep -q "^nsnew: hint: .*$text" <<<"$stderr" || { echo "no hint with '$text':" "$stderr" && return 1; }
	[ ! -e "${UNREACHED[4]}" ]
}

# To have the kernel refuse what it allows here.
refused_with() {
	REFUSED=(strace -qq -o "$T/trace" -e trace=unshare -e "inject=unshare:error=$1" nsnew)
}

@test "user namespaces that are off for plain users: names the setting" {
	requires strace
	refused_with EPERM
	explains 'sysctl kernel.unprivileged_userns_clone=1' 'mount -t tmpfs tmpfs /proc/sys/kernel
		echo 0 >/proc/sys/kernel/unprivileged_userns_clone' "${REFUSED[@]}" -r
	explains 'sysctl kernel.apparmor_restrict_unprivileged_userns=0' 'mount -t tmpfs tmpfs /proc/sys/kernel
		echo 1 >/proc/sys/kernel/unprivileged_userns_clone
		echo 1 >/proc/sys/kernel/apparmor_restrict_unprivileged_userns' "${REFUSED[@]}" -Um
	# What is on is not blamed.
	explains 'chroot' 'mount -t tmpfs tmpfs /proc/sys/kernel
		echo 1 >/proc/sys/kernel/unprivileged_userns_clone
		echo 0 >/proc/sys/kernel/apparmor_restrict_unprivileged_userns' "${REFUSED[@]}" -r
	[[ $stderr != *sysctl* ]]
	# Nor is it what other namespaces need.
	explains 'nsnew -r' 'mount -t tmpfs tmpfs /proc/sys/kernel
		echo 0 >/proc/sys/kernel/unprivileged_userns_clone' "${REFUSED[@]}" -m
}

@test "a limit of namespaces: names the one that is 0, for each kind" {
	local kind option
	while read -r option kind; do
		run --separate-stderr nsnew -r sh -c 'echo 0 >"/proc/sys/user/max_$1_namespaces"; shift; exec "$@"' sh "$kind" nsnew "$option" "${UNREACHED[@]}"
		assert_status 125
		assert_says "'/proc/sys/user/max_${kind}_namespaces' is 0"
		[ ! -e "${UNREACHED[4]}" ]
	done <<-'LIST'
		-m mnt
		-u uts
		-i ipc
		-n net
		-p pid
		-C cgroup
		-U user
	LIST
	run --separate-stderr nsnew -r sh -c 'echo 1 >/proc/sys/user/max_uts_namespaces; nsnew -u "$@"; exec nsnew -u nsnew -u "$@"' sh "${UNREACHED[@]}"
	assert_status 125
	assert_says 'of /proc/sys/user is reached'
}

@test "a limit of time namespaces" {
	requires time_namespace
	run --separate-stderr nsnew -r sh -c 'echo 0 >/proc/sys/user/max_time_namespaces; exec nsnew -T "$@"' sh "${UNREACHED[@]}"
	assert_status 125
	assert_says "'/proc/sys/user/max_time_namespaces' is 0"
}

@test "user namespaces nested too deep: says so" {
	local command=("${UNREACHED[@]}") i
	for ((i = 0; i < 40; i++)); do
		command=(nsnew -r "${command[@]}")
	done
	assert_refuses '32 deep' "${command[@]}"
}

@test "a kernel without a kind: names it, and no kind that it has" {
	requires static
	requires strace
	refused_with EINVAL
	explains 'this kernel has no time namespaces' 'mount -t tmpfs tmpfs /proc
		mkdir -p /proc/self/ns
		for kind in mnt uts ipc net pid cgroup user; do : >"/proc/self/ns/$kind"; done' "${REFUSED[@]}" -muT
	[[ $stderr != *'no uts'* && $stderr != *'no mnt'* ]]
	[[ $stderr == *'mnt, uts, time'* ]]
	# Where all are there it is something else, which nobody knows.
	run --separate-stderr "${REFUSED[@]}" -mu "${UNREACHED[@]}"
	assert_status 125
	assert_says 'mnt, uts'
	assert_says 'Invalid argument'
	[[ $stderr != *'hint: '* ]]
}

@test "--mount-proc where /proc is masked: says so" {
	local script others
	run nsnew -rpm --mount-proc true
	assert_status 0
	# One that shows all is enough for the kernel, wherever it is mounted.
	others='sed -n "s/^[^ ]* [^ ]* [^ ]* [^ ]* \([^ ]*\) .* - proc .*/\1/p" /proc/self/mountinfo | grep -vx /proc |
		while read -r place; do mount -t tmpfs tmpfs "$place/tty"; done
		'
	for script in 'mount --bind /dev/null /proc/cpuinfo' 'mount -t tmpfs tmpfs /proc/tty' 'mount -t tmpfs tmpfs /proc/fs'; do
		explains 'nothing hidden' "$others$script" nsnew -rpm --mount-proc
		assert_says 'proc'
		assert_says 'Operation not permitted'
	done
	explains 'nothing hidden' "$others"'mount --bind /dev/null /proc/cpuinfo' nsnew -rm --init --mount-proc
}
