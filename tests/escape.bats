# What every link has to withstand, by the rows of tests/escape, where that belongs to no topic of another file.
# shellcheck disable=SC2016,SC2030,SC2031,SC2153 # text for inner shells; each test is a shell of its own

setup() {
	load helpers
	load helpers/processes
	[ "$(id -u)" = 0 ] || requires userns
	T=$BATS_TEST_TMPDIR
}

teardown() {
	end_started
}

setup_file() {
	load helpers
	load helpers/processes
	make_root "$BATS_FILE_TMPDIR/root"
	start_holder
}

teardown_file() {
	end_holder
}

# chain NAME: sets CHAIN to the words in front of COMMAND. False for a link that cannot be run here.
chain() {
	case $1 in
	nsnew) CHAIN=("${PRIVILEGED[@]}" nsnew -pmuin) ;;
	init) CHAIN=("${PRIVILEGED[@]}" nsnew --init) ;;
	maps) CHAIN=(nsnew -r "${@:2}") ;;
	nsjoin) CHAIN=(nsjoin -t "$HOLDER" -Uup) ;;
	capjail) CHAIN=(capjail --drop all) ;;
	rootjail) CHAIN=("${PRIVILEGED[@]}" rootjail --dir /made --file /etc/hostname:/copy -b "$T:/tmp" "$BATS_FILE_TMPDIR/root") ;;
	session) CHAIN=("${PRIVILEGED[@]}" rootjail --new-session -b "$T:/tmp" "$BATS_FILE_TMPDIR/root") ;;
	cgrun) CHAIN=(cgrun) && has cgroup ;;
	nsmount) mkdir -p "$T/place" && CHAIN=("${PRIVILEGED[@]}" nsmount -t tmpfs none "$T/place") && [ -e "$BIN/nsmount" ] ;;
	esac
}

# Where COMMAND sees what is PATH below T outside.
seen() {
	case $1 in
	rootjail | session) echo "/tmp/$2" ;;
	*) echo "$T/$2" ;;
	esac
}

@test "what a loader obeys has no effect on a link that has none (S05)" {
	requires static
	local link
	# A loader of the C library would write a list of what it can say, and end.
	run --separate-stderr env LD_DEBUG=help env true
	assert_says 'Valid options'
	for link in nsnew init maps nsjoin capjail rootjail session cgrun; do
		chain "$link" || continue
		run --separate-stderr env LD_DEBUG=help LD_PRELOAD=/nonexistent.so "$(command -v "${CHAIN[0]}")" "${CHAIN[@]:1}" busybox true
		echo "$link"
		assert_status 0
		[ -z "$stderr" ]
	done
}

# Connects to the abstract socket NAME.
CONNECT='import socket, sys
try: socket.socket(socket.AF_UNIX).connect("\0" + sys.argv[1])
except OSError as error: print(error.errno)
else: print("connected")'
# Listens on it and runs COMMAND meanwhile.
LISTEN='import socket, subprocess, sys
server = socket.socket(socket.AF_UNIX)
server.bind("\0" + sys.argv[1])
server.listen(8)
sys.exit(subprocess.call(sys.argv[2:]))'

@test "an abstract socket of the caller's network is out of reach with -n, and without it is not (S34)" {
	requires python3
	local name=nschain-test-$$-$BATS_TEST_NUMBER
	run python3 -c "$LISTEN" "$name" "${PRIVILEGED[@]}" nsnew -pmui python3 -c "$CONNECT" "$name"
	assert_status 0
	assert_output connected
	run python3 -c "$LISTEN" "$name" "${PRIVILEGED[@]}" nsnew -n python3 -c "$CONNECT" "$name"
	assert_status 0
	# ECONNREFUSED
	assert_output 111
}

@test "no link makes a file by a path of its own choice: not in /tmp, and not where a variable says (S37)" {
	requires strace
	local link variable variables=()
	mkdir "$T/own"
	for variable in TMPDIR TMP TEMP XDG_RUNTIME_DIR XDG_CACHE_HOME HOME; do
		variables+=("$variable=$T/own")
	done
	for link in nsnew init maps nsjoin capjail rootjail session cgrun nsmount; do
		chain "$link" || continue
		run env "${variables[@]}" strace -f -qq -o "$T/trace" -e trace=open,openat,openat2,mkdir,mkdirat,mknod,mknodat,link,linkat,symlink,symlinkat,rename,renameat,renameat2,bind \
			"${CHAIN[@]}" busybox true
		assert_status 0
		echo "$link"
		[ "$link" != rootjail ] || grep -q 'mkdirat(' "$T/trace"
		! grep -E '(mkdir|mknod|link|symlink|rename)\("|at2?\(AT_FDCWD, "[^"]*"(, [^,]*O_CREAT|, 0[0-7]*\)|, S_IF)|(symlink|link|rename)at2?\(.*AT_FDCWD|bind\(' "$T/trace" || return 1
	done
	[ -z "$(ls -A "$T/own")" ]
}

# The calls that wait, or may be interrupted before they have done anything: each one once.
interrupt() { # LINK CALL...
	local link=$1 call n
	shift
	for call; do
		for ((n = 1; n < 200; n++)); do
			rm -rf "$T/ran"
			run strace -f -qq -o "$T/trace" -e trace="$call" -e inject="$call:error=EINTR:when=$n" "${CHAIN[@]}" busybox mkdir "$(seen "$link" ran)"
			grep -q INJECTED "$T/trace" || break
			if [ "$status" != 0 ] || [ ! -d "$T/ran" ]; then
				echo "$link: the $n. $call: status $status: $output"
				return 1
			fi
		done
		INTERRUPTED=$((INTERRUPTED + n - 1))
	done
}

@test "system calls that are interrupted are made again (R16)" {
	requires strace static
	local link INTERRUPTED=0
	for link in nsnew init maps nsjoin capjail rootjail session; do
		chain "$link"
		interrupt "$link" openat openat2 write poll wait4 rt_sigtimedwait read
	done
	chain maps --map-users=1:1:1
	[ "$(id -u)" != 0 ] || interrupt maps write wait4 read
	if chain cgrun; then
		interrupt cgrun openat write poll wait4 rt_sigtimedwait
	fi
	if [ "$(id -u)" = 0 ]; then
		CHAIN=(nsnew "--uts=$T/pin")
		interrupt_pin
	fi
	[ "$INTERRUPTED" -ge 50 ]
}

# The helper that pins is told by messages.
interrupt_pin() {
	local call n
	for call in recvfrom sendto recvmsg openat; do
		for ((n = 1; n < 50; n++)); do
			run strace -f -qq -o "$T/trace" -e trace="$call" -e inject="$call:error=EINTR:when=$n" "${CHAIN[@]}" busybox true
			umount "$T/pin" || true
			grep -q INJECTED "$T/trace" || break
			assert_status 0
		done
	done
}

@test "a command line of a hundred thousand arguments arrives (R19)" {
	local link
	for link in nsnew init maps nsjoin capjail rootjail cgrun nsmount; do
		chain "$link" || continue
		echo "$link"
		run bash -c '"$@" busybox sh -c "echo \$# \$1 \${100000}" sh {1..100000}' bash "${CHAIN[@]}"
		assert_status 0
		assert_output '100000 1 100000'
	done
}

threads_of() {
	local list=("/proc/$1/task/"*)
	echo "${#list[@]}"
}

@test "a link that waits has one thread (R20)" {
	local link
	for link in nsnew init nsjoin session cgrun; do
		chain "$link" || continue
		start "${CHAIN[@]}" busybox sh -c 'echo ready; exec busybox sleep 60'
		eventually said ready
		echo "$link"
		[ "$(threads_of "$LINK_PID")" = 1 ]
		end_started
	done
}

@test "a thread that keeps the parent-death signal over a change of ids is gone before the next unshare (R08, R20)" {
	local n
	if [ "$(id -u)" = 0 ]; then
		CHAIN=(nsnew --owner 1000:1000 -r)
	else
		requires subids
		CHAIN=(nsnew --no-nested-users --map-users=1:"$(id -u)":1 --map-groups=1:"$(id -g)":1)
	fi
	for ((n = 0; n < $(times 20); n++)); do
		run setpriv --pdeathsig KILL "${CHAIN[@]}" capstate
		assert_status 0
		assert_says ' pdeath=9 '
	done
}

@test "a link that waits in a user namespace cannot be looked into by its root, not even at what it runs (S40)" {
	run --separate-stderr nsnew -r --init --mount-proc sh -c '
		readlink /proc/2/root /proc/2/exe >/dev/null && echo own
		for door in root cwd exe fd/2; do readlink "/proc/1/$door"; done
		cat /proc/1/environ /proc/1/maps
		true'
	assert_status 0
	assert_output own
}

@test "newuidmap is run by its own path, with numbers and an environment that is not the caller's (S05, S35)" {
	requires newuidmap
	mkdir "$T/bin"
	printf '#!/bin/sh\necho by PATH >>"%s/seen"\n' "$T" >"$T/bin/newuidmap"
	# shellcheck disable=SC2016 # for that script
	printf '#!/bin/sh\n{ echo "$@"; tr "\\0" "\\n" </proc/$$/environ; } >>"%s/seen"\nexit 1\n' "$T" >"$T/instead"
	chmod 755 "$T/bin/newuidmap" "$T/instead"
	# Where one has but one id to give.
	run unshare -Urm sh -c 'mount --bind "$1" /usr/bin/newuidmap && shift && exec "$@"' sh "$T/instead" \
		env PATH="$T/bin:$PATH" LD_PRELOAD=/nonexistent.so HOME="$T" UIDMAP=1 nsnew --map-users=0:5:10 --map-users=10:20:5 "${UNREACHED[@]}"
	assert_status 125
	[ ! -e "${UNREACHED[4]}" ]
	sed 's/^[0-9]* /PID /' "$T/seen" | diff - <(printf 'PID 0 5 10 10 20 5\nPATH=/usr/bin:/bin:/usr/sbin:/sbin\n')
}
