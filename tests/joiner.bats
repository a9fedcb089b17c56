# nsjoin on its way in, watched by who is there already (S09): nothing of the outside may show. ROUNDS joins for each watcher.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # text for inner shells; each test is a shell of its own

setup() {
	load helpers
	load helpers/processes
	# With the sanitizers every link lives so long that the rounds take hours.
	requires static
	[ "$(id -u)" = 0 ] || requires userns
	T=$BATS_TEST_TMPDIR
	ROUNDS=${ROUNDS:-100}
}

teardown() {
	end_started
}

# box CHAIN...: behind it, a container whose root is in memory and seen by nobody else; its only process, BOX, watches all others there.
box() {
	make_root "$T/root"
	cp "$(command -v lookout)" "$(command -v capjail)" "$T/root/bin/"
	mkdir "$T/box"
	start "$@" nsnew -muinp sh -c 'mount -t tmpfs tmpfs "$2" && cp -a "$1/." "$2" && shift && exec rootjail "$@"' sh \
		"$T/root" "$T/box" "${LIMITED[@]}" lookout /stop mnt uts ipc net pid user
	LINK=$LINK_PID
	eventually said watching
	eventually has_child "$LINK" lookout
	BOX=$(child_of "$LINK" lookout)
}

# What the one inside may do: all that root may, root without CAP_SYS_PTRACE, root of a user namespace.
box_of_root() {
	LIMITED=() INSIDE=(nsjoin)
	box
}

box_of_limited_root() {
	LIMITED=(capjail --drop sys_ptrace) INSIDE=(nsjoin)
	box
}

box_of_user() {
	LIMITED=() INSIDE=(nsjoin -U)
	box nsnew -r
}

# join [OPTION]... COMMAND...
join() {
	"${INSIDE[@]}" -t "$BOX" -muinp "$@" </dev/null >/dev/null 2>&1
}

# Ends the watch; what it saw is then in SEEN, how often in MET and REFUSED.
look() {
	join /bin/touch /stop
	wait "${STARTED[-1]}"
	cat "$OUT"
	grep -qx 'exited 0' "$OUT"
	SEEN=$(grep -E '^(root|cwd|exe|fd|namespace) ' "$OUT" || true)
	MET=$(sed -n 's/^met //p' "$OUT")
	REFUSED=$(sed -n 's/^refused //p' "$OUT")
}

join_often() {
	local i
	for ((i = 0; i < ROUNDS; i++)); do
		join -r -w /bin/true
		join --wdns=/tmp /bin/sh -c ''
	done
}

# join_held CALL: with the joining process held before each CALL that it makes, from its beginning to exec.
join_held() {
	timeout 60 strace -qq -f -o "$T/trace" -e "trace=$1" -e "inject=$1:delay_enter=200000" \
		"${INSIDE[@]}" -t "$BOX" -muinp -r /bin/true </dev/null >/dev/null 2>&1
	grep -q "$1" "$T/trace"
}

# Root with all capabilities could have the process of the machine do what it likes: no prisoner. What it sees is the toolbox, in sealed memory, and not what
# nsjoin has open.
only_sealed() {
	! grep -vE '^fd anon_inode:\[pidfd\]$|^(exe|fd) /memfd:(nsnew|nsjoin|cgrun|capjail|rootjail|nsmount|none) \(deleted\)$' <<<"${SEEN:-fd anon_inode:[pidfd]}"
}

@test "the watcher sees a file that is kept open on purpose" {
	local kept keeper
	if has root; then box_of_root; else box_of_user; fi
	kept=$(command -v lookout)
	"${INSIDE[@]}" -t "$BOX" -muinp --keep-fd 9 sleep 60 9<"$kept" &
	keeper=$!
	STARTED=("$keeper" "${STARTED[@]}")
	eventually grep -q "^fd .*$kept" "$OUT"
	kill -KILL "$keeper"
	look
	[ "$MET" -gt 0 ]
}

@test "many joins: root of a user namespace inside sees nothing of the outside (S09)" {
	box_of_user
	join_often
	look
	[ "$SEEN" = '' ]
	[ "$MET" -gt 0 ]
}

@test "many joins: root without CAP_SYS_PTRACE inside sees nothing of the outside (S09)" {
	requires static
	requires root
	box_of_limited_root
	join_often
	look
	[ "$SEEN" = '' ]
	[ "$MET" -gt 0 ]
}

@test "many joins: with every capability inside, only the toolbox shows (S09)" {
	requires root
	box_of_root
	join_often
	look
	only_sealed
	[ "$MET" -gt 0 ]
}

@test "held before exec and before each step to it: nothing shows (S09)" {
	requires strace
	local call
	box_of_user
	for call in execve rt_sigprocmask prctl poll; do
		join_held "$call"
	done
	look
	[ "$SEEN" = '' ]
	# It was met on its way.
	[ "$REFUSED" -gt 0 ]
}

@test "held before exec and before each step to it: nothing shows to root without CAP_SYS_PTRACE (S09)" {
	requires static
	requires root strace
	local call
	box_of_limited_root
	for call in execve rt_sigprocmask prctl poll; do
		join_held "$call"
	done
	look
	[ "$SEEN" = '' ]
	[ "$REFUSED" -gt 0 ]
}

@test "held before exec: with every capability inside, no root, directory or file shows (S09)" {
	requires root strace
	box_of_root
	join_held execve
	join_held poll
	look
	only_sealed
	[ "$MET" -gt 0 ]
}

# visited LIMIT...: a container whose process, behind LIMIT, watches while others come to it, each with a root of its own.
visited() {
	make_root "$T/root"
	cp "$(command -v lookout)" "$(command -v capjail)" "$T/root/bin/"
	mkdir "$T/memory"
	cat >"$T/script" <<-'END'
		set -eu
		memory=$1 rounds=$2
		shift 2
		mount -t tmpfs tmpfs "$memory"
		cp -a "${memory%/*}/root" "$memory/first"
		cp -a "${memory%/*}/root" "$memory/next"
		nsnew -uinp rootjail "$memory/first" "$@" lookout /stop uts ipc net pid user &
		until first=$(pgrep -P $! lookout); do :; done
		for round in $(seq "$rounds"); do
			nsjoin -t $first -uinp rootjail "$memory/next" true </dev/null >/dev/null 2>&1
		done
		touch "$memory/first/stop"
		wait
	END
	if has root; then AS_ROOT=(nsnew -m); else AS_ROOT=(nsnew -rm); fi
	start "${AS_ROOT[@]}" sh "$T/script" "$T/memory" "$ROUNDS" "$@"
	ended 'exited 0'
	cat "$OUT"
	SEEN=$(grep -E '^(root|cwd|exe|fd|namespace) ' "$OUT" || true)
	MET=$(sed -n 's/^met //p' "$OUT")
	REFUSED=$(sed -n 's/^refused //p' "$OUT")
}

@test "containers that come to one without CAP_SYS_PTRACE show it nothing of the outside (S09)" {
	visited capjail --drop sys_ptrace
	[ "$SEEN" = '' ]
	# It was met on its way, and is not in the first one's root.
	[ "$REFUSED" -gt 0 ]
}

@test "containers that come to one with every capability show it no root, directory or file of the outside (S09, S40)" {
	visited
	! grep -vE '^fd (socket|anon_inode):|^(exe|fd) /memfd:[a-z]+ \(deleted\)$' <<<"${SEEN:-fd socket:}" || return 1
	[ "$MET" -gt 0 ]
}
