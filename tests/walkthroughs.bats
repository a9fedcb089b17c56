# The steps that texts on "a container by hand" go through, done with nsnew and nsjoin; what the kernel shows at each of them.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # text for inner shells; each test is a shell of its own

setup() {
	load helpers
	load helpers/processes
	[ "$(id -u)" = 0 ] || requires userns
	T=$BATS_TEST_TMPDIR
	OWNER=()
	[ "$(id -u)" = 0 ] || OWNER=(-U)
}

teardown() {
	end_started
	remove_alone
}

ns() { # PID KIND
	readlink "/proc/$1/ns/$2"
}

# --- W1: namespaces by clone and unshare ---

@test "W1.1 a child in no new namespace: its PID inside is the one outside" {
	start nsnew -f sh -c 'echo "inside $$"; exec sleep 60'
	eventually has_child "$LINK_PID" sleep
	said "inside $(child_of "$LINK_PID" sleep)"
}

@test "W1.2 new PID and user namespaces: PID 1, parent 0; nobody without a map, root with one" {
	run nsnew -pU sh -c 'echo $$ $PPID; id -u'
	assert_status 0
	assert_output $'1 0\n65534'
	run nsnew -pr sh -c 'echo $$ $PPID; id -u'
	assert_status 0
	assert_output $'1 0\n0'
}

@test "W1.3 a shell in it: small PIDs inside, unchanged outside after its exit" {
	terminal sh <<-'END'
		type echo before $$\n
		expect before
		type nsnew -pr sh\n
		type echo inside $$; /bin/sh -c 'echo child $$'\n
		expect inside 1
		expect child 2
		type exit\n
		type echo after $$\n
		expect after
		type exit\n
		end
	END
	local before after
	before=$(grep -oE 'before [0-9]+' <<<"$output" | cut -d ' ' -f 2)
	after=$(grep -oE 'after [0-9]+' <<<"$output" | cut -d ' ' -f 2)
	[ -n "$before" ]
	[ "$before" = "$after" ]
	[ "${lines[-1]}" = 'exited 0' ]
}

@test "W1.4 ps lists the host's processes until there is a /proc of its own" {
	run "${PRIVILEGED[@]}" nsnew -p ps -e -o pid=
	assert_status 0
	grep -qx " *$$" <<<"$output"
	run "${PRIVILEGED[@]}" nsnew -p --mount-proc sh -c 'ps -e -o pid=,comm=; true'
	assert_status 0
	[ "${#lines[@]}" = 2 ]
	[[ ${lines[0]} =~ ^\ *1\ sh$ ]]
	[[ ${lines[1]} =~ ^\ *2\ ps$ ]]
}

@test "W1.5 a host name of its own" {
	local own
	own=$(uname -n)
	run "${PRIVILEGED[@]}" nsnew -u sh -c 'hostname inside; uname -n'
	assert_status 0
	assert_output inside
	run "${PRIVILEGED[@]}" nsnew --hostname inside uname -n
	assert_output inside
	[ "$(uname -n)" = "$own" ]
}

@test "W1.6 a second terminal joins the uts namespace alone, and is back afterwards" {
	local own outer
	own=$(uname -n) outer=$(ns self uts)
	start "${PRIVILEGED[@]}" nsnew -pi --hostname inside sh -c 'echo ready; exec sleep 60'
	eventually said ready
	eventually has_child "$LINK_PID" sleep
	TARGET=$(child_of "$LINK_PID" sleep)
	cat >"$T/join" <<-'END'
		echo "before $(uname -n)"
		"$@" sh -c 'echo "there $(uname -n)"; echo "ipc $(readlink /proc/self/ns/ipc)"'
		echo "after $(uname -n) $(readlink /proc/self/ns/uts)"
	END
	run sh "$T/join" nsjoin -t "$TARGET" "${OWNER[@]}" -u
	assert_status 0
	assert_output "before $own"$'\n'"there inside"$'\n'"ipc $(ns self ipc)"$'\n'"after $own $outer"
	# The same by its file.
	run sh "$T/join" nsjoin "${OWNER[@]/-U/--user=/proc/$TARGET/ns/user}" "--uts=/proc/$TARGET/ns/uts"
	assert_status 0
	assert_output "before $own"$'\n'"there inside"$'\n'"ipc $(ns self ipc)"$'\n'"after $own $outer"
}

@test "W1.7 a PID namespace needs a fork: with --no-fork the second command fails, and that is explained" {
	# By itself it forks.
	run "${PRIVILEGED[@]}" nsnew -p sh -c '/bin/true; /bin/true; echo $$'
	assert_status 0
	assert_output 1
	run "${PRIVILEGED[@]}" nsnew -p --no-fork sh -c '/bin/true; /bin/true'
	[ "$status" -ne 0 ]
	assert_says 'fork'
	run "${PRIVILEGED[@]}" nsnew -p --no-fork sh -c '/bin/true; exec nsnew -f true'
	assert_status 125
	assert_says 'cannot fork: '
	assert_says 'hint: a PID namespace whose PID 1 has ended takes no more processes'
}

@test "W1.8 the one-line container" {
	make_root "$T/root"
	run "${PRIVILEGED[@]}" nsnew -pum --hostname box rootjail "$T/root" sh -c 'ps -o pid,comm; echo --; mount; echo --; hostname; ls /; echo $PPID'
	assert_status 0
	local ps mounts rest
	ps=${output%%--*} mounts=${output#*--} rest=${output##*--}
	mounts=${mounts%--*}
	[ "$(grep -c . <<<"$ps")" = 3 ]
	grep -qE '^ *1 +(sh|ash)$' <<<"$ps"
	grep -qE '^ *[0-9]+ +ps$' <<<"$ps"
	# Beside what hides parts of /proc.
	[ "$(grep -vc '^$\| on /proc/' <<<"$mounts")" -le 16 ]
	! grep -F "$T" <<<"$mounts" | grep -v ' on / ' || return 1
	grep -qx box <<<"$rest"
	grep -qx 0 <<<"$rest"
	! grep -qx usr <<<"$rest" || return 1
}

# --- W2: containers from scratch ---

@test "W2.2 a file server inside, reached from outside on loopback: it serves its root, and nothing outside of that" {
	make_root "$T/root"
	mkdir "$T/root/www"
	echo 'from the inside' >"$T/root/www/page"
	echo 'from the outside' >"$T/page"
	local port
	# One that is free: it ends at once if it is not.
	for port in $((20000 + RANDOM % 10000)) $((20000 + RANDOM % 10000)) $((20000 + RANDOM % 10000)); do
		start "${PRIVILEGED[@]}" nsnew -pm rootjail "$T/root" httpd -f -p "127.0.0.1:$port" -h /www
		eventually eval 'is_gone "$LINK_PID" || busybox wget -q -O "$T/got" "http://127.0.0.1:$port/page"'
		is_gone "$LINK_PID" || break
	done
	[ "$(cat "$T/got")" = 'from the inside' ]
	ln -s "$T/page" "$T/root/www/link"
	for path in link "..$T/page" "../../../..$T/page"; do
		run busybox wget -q -O - "http://127.0.0.1:$port/$path"
		[ "$status" -ne 0 ]
		! grep outside <<<"$output" || return 1
	done
	kill -TERM "$LINK_PID"
	eventually is_gone "$LINK_PID"
	run busybox wget -q -O - "http://127.0.0.1:$port/page"
	[ "$status" -ne 0 ]
}

@test "W2.3 a jailed root sees and kills processes of the host, unless it has PIDs of its own" {
	make_root "$T/root"
	sleep 60 &
	local victim=$!
	STARTED+=("$victim")
	run "${PRIVILEGED[@]}" chroot "$T/root" /bin/kill -0 "$victim"
	assert_status 0
	run "${PRIVILEGED[@]}" nsnew -pm rootjail "$T/root" sh -c 'kill -9 "$1"' sh "$victim"
	[ "$status" -ne 0 ]
	run "${PRIVILEGED[@]}" nsnew -pm rootjail "$T/root" sh -c 'echo /proc/[0-9]*'
	assert_status 0
	[[ $output =~ ^/proc/1( /proc/[0-9])?$ ]]
	kill -0 "$victim"
	run "${PRIVILEGED[@]}" chroot "$T/root" /bin/kill -9 "$victim"
	assert_status 0
	eventually is_gone "$victim"
}

# A container with a process that waits, and its PID outside in TARGET.
container() {
	make_root "$T/root"
	start "${PRIVILEGED[@]}" nsnew -pm rootjail "$T/root" sh -c 'echo ready; ps -o pid,comm; exec sleep 60'
	eventually said ready
	eventually has_child "$LINK_PID" sleep
	TARGET=$(child_of "$LINK_PID" sleep)
}

@test "W2.4 PID 1 inside is another PID outside" {
	container
	grep -qE '^ *1 +(sh|ash)$' "$OUT"
	[ "$TARGET" -ne 1 ]
	[ "$(sed -n 's/^NSpid:\t//p' "/proc/$TARGET/status")" = "$TARGET"$'\t1' ]
	run ps -o comm= -p "$TARGET"
	assert_output sleep
}

@test "W2.5 /proc/PID/ns: two namespaces differ from the host's, the others do not" {
	local kind differ=()
	container
	for kind in cgroup ipc mnt net pid time user uts; do
		[ ! -e "/proc/self/ns/$kind" ] || [ "$(ns self "$kind")" = "$(ns "$TARGET" "$kind")" ] || differ+=("$kind")
	done
	# The rights of a plain user come from a user namespace.
	if has root; then
		[ "${differ[*]}" = 'mnt pid' ]
	else
		[ "${differ[*]}" = 'mnt pid user' ]
	fi
}

@test "W2.6 a second terminal joins the container's PIDs with /proc and root: ps shows both" {
	container
	run nsjoin -t "$TARGET" "${OWNER[@]}" -p -m sh -c 'ps -o pid,comm; ls /'
	assert_status 0
	grep -qE '^ *1 +sleep$' <<<"$output"
	grep -qE '^ *[0-9]+ +(sh|ash)$' <<<"$output"
	grep -qx bin <<<"$output"
	! grep -qx usr <<<"$output" || return 1
	# With the root and the PIDs, but in the mount namespace of the outside.
	run nsjoin -t "$TARGET" "${OWNER[@]}" -p --root sh -c 'ps -o pid,comm'
	assert_status 0
	grep -qE '^ *1 +sleep$' <<<"$output"
	# It sees no process of the outside.
	[ "$(grep -c . <<<"$output")" -le 4 ]
}

@test "W2.8 100 megabytes and no swap: killed about the tenth time that it takes ten; the group stays while it is in use" {
	prepare_alone
	requires limits
	local group=${ALONE_GROUPS[0]}/small
	start "${ALONE[@]}" cgrun -n small -m 100M --swap 0 hog 200 10 "$T/go"
	eventually said 10
	[ "$(cat "$group/memory.max" "$group/memory.limit_in_bytes" 2>/dev/null)" = 104857600 ]
	run rmdir "$group"
	assert_status 1
	assert_says 'Device or resource busy'
	: >"$T/go"
	ended 'killed by 9'
	grep -q "out of memory: the kernel killed 1 process of cgroup 'small' (limit 100.0M, peak " "$OUT"
	# The tenth has no room beside what the process has besides.
	[ "$(grep -xE '[0-9]+' "$OUT" | tail -n 1)" = 90 ]
	[ ! -e "$group" ]
	nothing_left
}

@test "W2.9 a server on port 80 as an ordinary user: refused; with net_bind_service alone it works, and nothing else does" {
	local server=(capjail --keep net_bind_service --ambient net_bind_service) user=()
	# A network of its own, so that the port is free and the limit of the outside does not count.
	if has root; then
		user=(nsnew -n capjail -u 1000:1000 --ambient all)
	else
		user=(nsnew -n --map-user=1000 --map-group=1000 --keep-caps)
	fi
	run "${user[@]}" capjail --ambient none listen 80
	assert_status 1
	assert_output 'Permission denied'
	run "${user[@]}" "${server[@]}" listen 80
	assert_status 0
	assert_output 'listening on 80'
	run "${user[@]}" "${server[@]}" sh -c 'id -u; grep -E "^Cap(Prm|Eff|Bnd)" /proc/self/status'
	assert_output $'1000\nCapPrm:\t0000000000000400\nCapEff:\t0000000000000400\nCapBnd:\t0000000000000400'
	run "${user[@]}" "${server[@]}" sh -c 'busybox hostname x || busybox chroot / true || busybox ifconfig lo down || busybox mount -t tmpfs none /mnt'
	[ "$status" -ne 0 ]
	[ "$(grep -cE 'not permitted|denied' <<<"$output")" = 4 ]
}

@test "W2.10 what a root shell holds; without chown, setpcap, setfcap and sys_admin, in a root of its own" {
	requires capsh static
	local full last
	last=$(cat /proc/sys/kernel/cap_last_cap)
	full=$("${PRIVILEGED[@]}" sed -n 's/^CapEff:\t//p' /proc/self/status)
	run "${PRIVILEGED[@]}" capjail --allow-new-privs capjail --print
	[ "$(sed -n 's/^effective *//p' <<<"$output")" = "$(capsh --decode="$full" | sed 's/^0x//')" ]
	[ "$(grep -cE '^ ?[0-9]+ [-ipeba]{5} cap_' <<<"$output")" = $((last + 1)) ]
	make_root "$T/root"
	cp "$(command -v capjail)" "$T/root/bin/"
	if has root; then
		run rootjail "$T/root" sh -c 'chown 2 /home && echo allowed'
		assert_output allowed
	fi
	run "${PRIVILEGED[@]}" nsnew -p rootjail "$T/root" capjail --drop chown,setpcap,setfcap,sys_admin sh -c '
		whoami; chown 2 /tmp; mount -t tmpfs none /tmp; sed -n "s/^CapBnd:.//p" /proc/self/status; ls /'
	grep -qx root <<<"$output"
	# In the namespace of a plain user there is no user 2.
	! has root || grep -q 'chown: /tmp: Operation not permitted' <<<"$output"
	grep -q 'mount: permission denied' <<<"$output"
	! grep -qx usr <<<"$output" || return 1
	grep -qx "$(printf '%016x' $((16#$full & ~(1 | 1 << 8 | 1 << 31 | 1 << 21))))" <<<"$output"
}

@test "W2.11 two containers on one root at the same time, each with its own changes; the root is untouched" {
	local name before
	make_root "$T/root"
	echo first >"$T/root/file"
	before=$(find "$T/root" -printf '%P %y %m %s %l %T@ %C@\n' | sort)
	mkfifo "$T/ready" "$T/go-one" "$T/go-two"
	exec {ready}<>"$T/ready"
	for name in one two; do
		mkdir "$T/$name"
		"${PRIVILEGED[@]}" nsnew -pum --hostname "$name" rootjail --overlay --bind "$T:/mnt" "$T/root" sh -c '
			name=$(hostname)
			echo "$name" >>/file; echo "$name" >"/only-$name"; rm /etc/group; echo >/mnt/ready
			read -r _ <"/mnt/go-$name"
			cat /file; ls -d /only-*; ls /etc' >"$T/$name/out" 2>&1 3>&- {ready}<&- &
		STARTED+=("$!")
	done
	# Both have made their changes before either looks.
	read -r -u "$ready" _
	read -r -u "$ready" _
	exec {ready}<&-
	[ "$(find "$T/root" -printf '%P %y %m %s %l %T@ %C@\n' | sort)" = "$before" ]
	for name in one two; do
		echo >"$T/go-$name"
	done
	wait
	for name in one two; do
		[ "$(cat "$T/$name/out")" = $'first\n'"$name"$'\n'"/only-$name"$'\npasswd' ]
	done
	[ "$(find "$T/root" -printf '%P %y %m %s %l %T@ %C@\n' | sort)" = "$before" ]
}
