# nsnew: new namespaces of each kind, and what is set up in them.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # text for inner shells; each test is a shell of its own

setup() {
	load helpers
	load helpers/processes
	[ "$(id -u)" = 0 ] || requires userns
	T=$BATS_TEST_TMPDIR
}

teardown() {
	end_started
}

KINDS=(cgroup ipc mnt net pid time user uts)

# The namespaces that a shell with this text is in, one a line.
LIST='for kind in cgroup ipc mnt net pid time user uts; do readlink /proc/self/ns/$kind; done'

# new OPTIONS: the kinds of which COMMAND is in another namespace than its caller.
new() {
	local i kinds=()
	run "${PRIVILEGED[@]}" sh -c "$LIST; exec \"\$@\"" sh nsnew "$@" sh -c "$LIST"
	assert_status 0
	[ "${#lines[@]}" = 16 ]
	for i in {0..7}; do
		[ "${lines[i]}" = "${lines[i + 8]}" ] || kinds+=("${KINDS[i]}")
	done
	NEW=${kinds[*]}
}

assert_new() {
	local expected=$1
	shift
	new "$@"
	[ "$NEW" = "$expected" ] || { echo "new after $*: $NEW, not $expected" && return 1; }
}

# The id map NAME of COMMAND, with single spaces.
map_of() {
	local name=$1
	shift
	run "$@" cat "/proc/self/$name"
	assert_status 0
	tr -s ' ' <<<"$output" | sed 's/^ //'
}

# --- kinds ---

@test "each kind is new, and nothing else is" {
	local option kind
	while read -r option kind; do
		assert_new "$kind" "$option"
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
		-U user
		--user user
		-C cgroup
		--cgroup cgroup
		-r user
		-c user
		--map-user=5 user
		--map-group=5 user
		--setgroups=deny user
		--hostname=x uts
	LIST
}

@test "a new time namespace" {
	requires time_namespace
	assert_new time -T
	assert_new time --time
	assert_new 'pid time' -Tp
}

@test "several kinds, none, and all" {
	assert_new '' -f
	assert_new ''
	assert_new 'ipc mnt uts' -mui
	assert_new 'mnt pid' -p --mount-proc
	requires time_namespace
	assert_new 'cgroup ipc mnt net pid time uts' -a
	assert_new 'cgroup ipc mnt net pid time uts' --all
	assert_new 'cgroup ipc mnt net pid time user uts' -a -U
}

# --- users and groups ---

@test "-U maps nobody" {
	run nsnew -U sh -c 'cat /proc/self/uid_map /proc/self/gid_map; id -u; id -g'
	assert_status 0
	assert_output "$(cat /proc/sys/kernel/overflowuid /proc/sys/kernel/overflowgid)"
}

@test "-r is root inside, -c is the same user" {
	local uid gid
	uid=$(id -u) gid=$(id -g)
	[ "$(map_of uid_map nsnew -r)" = "0 $uid 1" ]
	[ "$(map_of gid_map nsnew -r)" = "0 $gid 1" ]
	[ "$(map_of uid_map nsnew -c)" = "$uid $uid 1" ]
	[ "$(map_of gid_map nsnew --map-current-user)" = "$gid $gid 1" ]
	[ "$(map_of setgroups nsnew -r)" = deny ]
	run nsnew --map-root-user sh -c 'id -u; id -g; grep CapEff: /proc/self/status'
	[ "${lines[0]} ${lines[1]}" = '0 0' ]
	[[ ${lines[2]} != *0000000000000000 ]]
	run nsnew -c sh -c 'id -u; id -g'
	assert_output "$uid"$'\n'"$gid"
}

@test "--map-user and --map-group" {
	run nsnew --map-user=5 --map-group=4294967294 sh -c 'id -u; id -g'
	assert_status 0
	assert_output $'5\n4294967294'
	[ "$(map_of gid_map nsnew --map-user=5)" = '' ]
	[ "$(map_of uid_map nsnew --map-user=4294967294)" = "4294967294 $(id -u) 1" ]
}

@test "--map-users and --map-groups: several ranges, by root" {
	requires root
	[ "$(map_of uid_map nsnew --map-users=0:100000:1000 --map-users=5000:0:1 --map-users=4294967294:7:1 --map-groups=0:0:1)" = \
		$'0 100000 1000\n5000 0 1\n4294967294 7 1' ]
	[ "$(map_of gid_map nsnew --map-users=0:0:1 --map-groups=0:0:4294967295)" = '0 0 4294967295' ]
	# Neither is root inside by that.
	run nsnew --map-users=0:100000:1000 --map-users=5000:0:1 --map-groups=6000:0:1 sh -c 'id -u; id -g'
	assert_output $'5000\n6000'
	# Not denied where a privileged process wrote the map.
	[ "$(map_of setgroups nsnew --map-users=0:0:10 --map-groups=0:0:10)" = allow ]
	[ "$(map_of setgroups nsnew --map-users=0:0:10 --map-groups=0:0:10 --setgroups=deny)" = deny ]
	[ "$(map_of setgroups nsnew -r --setgroups=allow)" = allow ]
}

@test "--map-users: 340 extents, and not one more (S35)" {
	requires root
	local i options=()
	for ((i = 0; i < 340; i++)); do
		options+=("--map-users=$i:$((i * 2)):1")
	done
	run nsnew "${options[@]}" --map-groups=0:0:1 cat /proc/self/uid_map
	assert_status 0
	[ "${#lines[@]}" = 340 ]
	assert_refuses 340 nsnew "${options[@]}" --map-users=9999:9999:1 "${UNREACHED[@]}"
}

@test "--map-users: subordinate ids of a plain user" {
	requires rootless subids
	local first count own
	IFS=: read -r _ first count < <(grep "^$(id -un):" /etc/subuid)
	own=$(id -u)
	[ "$(map_of uid_map nsnew "--map-users=0:$own:1" "--map-users=1:$first:$count" "--map-groups=0:$(id -g):1")" = \
		"0 $own 1"$'\n'"1 $first $count" ]
	assert_refuses newuidmap nsnew "--map-users=0:$own:1" "--map-users=1:$first:$((count + 1))" "${UNREACHED[@]}"
}

@test "--map-users: ids of others are refused to a plain user (S35)" {
	requires rootless
	assert_refuses 'hint: ' nsnew --map-users=0:0:1 --map-groups=0:0:1 "${UNREACHED[@]}"
	assert_says newuidmap
	assert_refuses 'hint: ' nsnew -r --map-users=1:4000000000:10 "${UNREACHED[@]}"
	# newgidmap(1) may map the own group, but then denies setgroups.
	assert_refuses setgroups nsnew -r --setgroups=allow "${UNREACHED[@]}"
}

@test "maps: what is not a map is an error (S35)" {
	local map
	for map in '' : 0 0:0 0:0: :0:0 0:0:1: 0:0:1:1 a:b:c root:root:1 0:0:1x 0:0:-1 '0: 0:1' '0 0 1' 0::1 0,0,1 0x0:0:1 auto0 \
		0:00000000000000000000000000:1 4294967296:0:1 0:4294967295:1; do
		assert_refuses --map-users nsnew "--map-users=$map" "${UNREACHED[@]}"
		assert_refuses --map-groups nsnew "--map-groups=$map" "${UNREACHED[@]}"
	done
	assert_refuses 'count of 0' nsnew --map-users=0:0:0 "${UNREACHED[@]}"
	assert_refuses 'last id' nsnew --map-users=0:1:4294967295 "${UNREACHED[@]}"
	assert_refuses 'last id' nsnew --map-users=1:0:4294967295 "${UNREACHED[@]}"
	assert_refuses 'last id' nsnew --map-users=4294967290:0:6 "${UNREACHED[@]}"
}

@test "maps: an overlap is an error (S35)" {
	local second
	for second in 0:1000:1 9:1000:1 5:1000:100 1000:100:1 1000:109:1 1000:95:6; do
		assert_refuses 'mapped already' nsnew --map-users=0:100:10 "--map-users=$second" "${UNREACHED[@]}"
		assert_refuses 'mapped already' nsnew --map-groups=0:100:10 "--map-groups=$second" "${UNREACHED[@]}"
	done
	assert_refuses 'mapped already' nsnew -r -c "${UNREACHED[@]}"
	assert_refuses 'mapped already' nsnew -r --map-user=5 "${UNREACHED[@]}"
	assert_refuses 'mapped already' nsnew --map-group=5 -c "${UNREACHED[@]}"
}

@test "--setgroups takes allow or deny" {
	local word
	for word in '' Allow yes 1 denyx 'deny '; do
		assert_refuses --setgroups nsnew "--setgroups=$word" "${UNREACHED[@]}"
	done
	[ "$(map_of setgroups nsnew -U --setgroups=deny)" = deny ]
	[ "$(map_of setgroups nsnew -U)" = allow ]
}

@test "supplementary groups are dropped, or refused where they cannot be (S11)" {
	requires root
	run setpriv --groups 4,20 nsnew -r sed -n 's/^Groups:\t//p' /proc/self/status
	assert_status 0
	[ -z "${output// /}" ]
	run setpriv --groups 4,20 nsnew -u sed -n 's/^Groups:\t//p' /proc/self/status
	assert_output '4 20 '
	local plain=(setpriv --reuid 65534 --regid 65534 --groups '4,20')
	assert_refuses '--keep-groups' "${plain[@]}" nsnew -r "${UNREACHED[@]}"
	run "${plain[@]}" nsnew -r --keep-groups sed -n 's/^Groups:\t//p' /proc/self/status
	assert_status 0
	assert_output '65534 65534 '
	# The own group alone is nothing to lose.
	run setpriv --reuid 65534 --regid 65534 --groups 65534 nsnew -r true
	assert_status 0
}

# --- processes ---

@test "-p: COMMAND is PID 1, and its namespace ends with it" {
	run "${PRIVILEGED[@]}" nsnew -p sh -c 'echo $$ $PPID'
	assert_status 0
	assert_output '1 0'
	# run returns when nobody holds its pipe any more.
	run "${PRIVILEGED[@]}" nsnew -p sh -c 'sleep 60 & setsid sleep 60 & exit 4'
	assert_status 4
}

@test "-p: COMMAND dies with nsnew" {
	local child
	start "${PRIVILEGED[@]}" nsnew -p sleep 60
	eventually has_child "$LINK_PID" sleep
	child=$(child_of "$LINK_PID" sleep)
	ORPHANS+=("$child")
	kill -KILL "$LINK_PID"
	ended 'killed by 9'
	eventually is_gone "$child"
}

@test "-f: COMMAND is a child and dies with nsnew" {
	local child
	start nsnew -f sh -c 'echo "$$ $PPID"; exec sleep 60'
	eventually has_child "$LINK_PID" sleep
	child=$(child_of "$LINK_PID" sleep)
	ORPHANS+=("$child")
	said "$child $LINK_PID"
	kill -KILL "$LINK_PID"
	ended 'killed by 9'
	eventually is_gone "$child"
}

@test "a link that has ended before the parent-death signal is set is noticed (R08)" {
	requires strace
	run strace -f -qq -o "$T/trace" -e trace=poll -e inject=poll:retval=1:when=1 nsnew -f "${UNREACHED[@]}"
	grep -q INJECTED "$T/trace"
	assert_status 125
	[ ! -e "${UNREACHED[4]}" ]
}

@test "without -f and -p nsnew becomes COMMAND" {
	start nsnew -U sh -c 'echo $$'
	ended 'exited 0'
	said "$LINK_PID"
}

@test "--no-kill-child: COMMAND lives on" {
	local child options
	for options in -f -p; do
		start "${PRIVILEGED[@]}" nsnew "$options" --no-kill-child sleep 60
		eventually has_child "$LINK_PID" sleep
		child=$(child_of "$LINK_PID" sleep)
		ORPHANS+=("$child")
		kill -KILL "$LINK_PID"
		ended 'killed by 9'
		# A parent-death signal would be pending before the end of its parent shows.
		! is_gone "$child" || return 1
		grep -q '^State:.S' "/proc/$child/status"
		kill -KILL "$child"
		eventually is_gone "$child"
	done
}

@test "--mount-proc shows the new PID namespace, and only inside" {
	local before
	before=$(</proc/self/mountinfo)
	run "${PRIVILEGED[@]}" nsnew -p --mount-proc sh -c 'echo /proc/[0-9]*; readlink /proc/self; grep -c " /proc " /proc/self/mountinfo'
	assert_status 0
	[ "${lines[0]}" = /proc/1 ]
	mkdir "$T/proc"
	run "${PRIVILEGED[@]}" nsnew -p "--mount-proc=$T/proc" sh -c 'cd "$1"; echo [0-9]*; findmnt -fnro FSTYPE,OPTIONS "$1"' sh "$T/proc"
	assert_status 0
	[ "${lines[0]}" = 1 ]
	[[ ${lines[1]} == 'proc '*nosuid,nodev,noexec* ]]
	[ "$(</proc/self/mountinfo)" = "$before" ]
}

@test "--mount-proc: errors" {
	assert_refuses --pid nsnew --mount-proc "${UNREACHED[@]}"
	assert_refuses --pid nsnew -r --mount-proc=/proc "${UNREACHED[@]}"
	assert_refuses "'$T/missing'" "${PRIVILEGED[@]}" nsnew -p "--mount-proc=$T/missing" "${UNREACHED[@]}"
	touch "$T/file"
	assert_refuses "'$T/file'" "${PRIVILEGED[@]}" nsnew -p "--mount-proc=$T/file" "${UNREACHED[@]}"
}

# --- what is set up ---

@test "--hostname" {
	local before
	before=$(</proc/sys/kernel/hostname)
	run "${PRIVILEGED[@]}" nsnew --hostname=inside cat /proc/sys/kernel/hostname
	assert_status 0
	assert_output inside
	[ "$(</proc/sys/kernel/hostname)" = "$before" ]
	run "${PRIVILEGED[@]}" nsnew --hostname= cat /proc/sys/kernel/hostname
	assert_output ''
	assert_refuses 'host name' "${PRIVILEGED[@]}" nsnew "--hostname=$(printf '%065d' 0)" "${UNREACHED[@]}"
}

# On a shared mount that the test makes in a mount namespace of its own: how it is propagated inside, and whether a mount made inside
# shows outside.
propagation() {
	local own=(unshare --mount)
	[ "$(id -u)" = 0 ] || own+=(--map-root-user)
	mkdir -p "$T/place"
	"${own[@]}" sh -c '
		set -e
		place=$1
		shift
		mount --make-rprivate /
		mount -t tmpfs tmpfs "$place"
		mount --make-shared "$place"
		mkdir "$place/below"
		nsnew "$@" sh -ec "
			sed -n \"s|.* $place [^ ]* \([^-]*\)-.*|\1|p\" /proc/self/mountinfo | tr -d \"0-9 \" | grep . || echo none
			mount -t tmpfs tmpfs \"$place/below\""
		grep -c " $place/below " /proc/self/mountinfo || true
		' sh "$T/place" "$@" | paste -sd ' '
}

@test "--propagation: private, slave, shared, unchanged (S21)" {
	[ "$(propagation -m)" = 'none 0' ]
	[ "$(propagation -m --propagation=private)" = 'none 0' ]
	[ "$(propagation -m --propagation=slave)" = 'master: 0' ]
	[ "$(propagation -m --propagation=shared)" = 'shared: 1' ]
	[ "$(propagation -m --propagation=unchanged)" = 'shared: 1' ]
	# It is that of a new mount namespace, not of the caller's.
	[ "$(propagation -u --propagation=private)" = 'shared: 1' ]
	assert_refuses --propagation nsnew -m --propagation=rprivate "${UNREACHED[@]}"
	assert_refuses --propagation nsnew -m --propagation= "${UNREACHED[@]}"
}

@test "the loopback interface is up, unless it is not wanted" {
	# The kernel adds the local address to the routes of an interface when it comes up.
	run "${PRIVILEGED[@]}" nsnew -n grep -c 127.0.0.1 /proc/self/net/fib_trie
	assert_status 0
	run "${PRIVILEGED[@]}" nsnew -n --no-loopback grep -c 127.0.0.1 /proc/self/net/fib_trie
	assert_status 1
}

# --- refusals ---

@test "refused without privilege: names the kinds and the way out" {
	local caller=()
	[ "$(id -u)" != 0 ] || caller=(setpriv --bounding-set=-sys_admin)
	assert_refuses 'mnt, uts' "${caller[@]}" nsnew -mu "${UNREACHED[@]}"
	assert_says 'Operation not permitted'
	assert_says 'hint: '
	assert_says 'nsnew -r'
	# And with it the way is open.
	run "${caller[@]}" nsnew -rmu true
	assert_status 0
}

@test "refused at a limit: names it" {
	run --separate-stderr nsnew -r sh -c 'echo 0 >/proc/sys/user/max_user_namespaces; exec nsnew -r echo reached'
	assert_status 125
	assert_output ''
	assert_says "/proc/sys/user/max_user_namespaces' is 0"
	run --separate-stderr nsnew -r sh -c 'echo 1 >/proc/sys/user/max_user_namespaces; exec nsnew -r nsnew -r echo reached'
	assert_status 125
	assert_output ''
	assert_says 'No space left on device'
	assert_says 'max_*_namespaces'
	run --separate-stderr nsnew -r sh -c 'echo 0 >/proc/sys/user/max_uts_namespaces; exec nsnew -iu echo reached'
	assert_status 125
	assert_says "/proc/sys/user/max_uts_namespaces' is 0"
}

@test "refused in a chroot: says so" {
	mkdir "$T/root"
	run --separate-stderr "${PRIVILEGED[@]}" nsnew -m sh -c 'mount --rbind / "$1" && exec chroot "$1" "$2" -r echo reached' sh \
		"$T/root" "$BIN/nsnew"
	assert_status 125
	assert_output ''
	assert_says 'hint: '
	assert_says chroot
}

@test "a link that fails half way does not run COMMAND (R17)" {
	requires strace
	local call
	# Each system call that changes something, once.
	for call in unshare sethostname mount socket ioctl write; do
		run --separate-stderr strace -f -o "$T/trace" -e "trace=$call" -e "inject=$call:error=EIO:when=1" \
			nsnew -r -mun --hostname=x "${UNREACHED[@]}"
		echo "$call: $stderr"
		grep -q INJECTED "$T/trace"
		assert_status 125
		[ ! -e "${UNREACHED[4]}" ]
	done
	for call in clone3 prctl fsopen fsconfig fsmount move_mount; do
		run --separate-stderr strace -f -o "$T/trace" -e "trace=$call" -e "inject=$call:error=EIO:when=1" \
			nsnew -r -p --mount-proc "${UNREACHED[@]}"
		echo "$call: $stderr"
		grep -q INJECTED "$T/trace"
		assert_status 125
		[ ! -e "${UNREACHED[4]}" ]
	done
}

# --- the steps of a walk through namespaces ---

@test "W1.1 a child in no new namespace has one pid for all" {
	start nsnew -f sh -c 'echo $$; exec sleep 60'
	eventually has_child "$LINK_PID" sleep
	said "$(child_of "$LINK_PID" sleep)"
}

@test "W1.2 new PID and user namespaces: PID 1, parent 0, nobody or root" {
	run nsnew -Up sh -c 'echo $$ $PPID $(id -u)'
	assert_output "1 0 $(</proc/sys/kernel/overflowuid)"
	run nsnew -rp sh -c 'echo $$ $PPID $(id -u)'
	assert_output '1 0 0'
}

@test "W1.3 a shell in it has a small pid, outside nothing changes" {
	run sh -c 'echo $$; nsnew -rp sh -c "echo \$\$; sh -c \"echo \\\$\\\$; true\""; echo $$'
	assert_status 0
	[ "${lines[1]}" = 1 ]
	[ "${lines[2]}" -lt 10 ]
	[ "${lines[3]}" = "${lines[0]}" ]
}

@test "W1.4 without a /proc of its own the host's processes are listed, with one those inside alone" {
	# Not by ps, which looks for itself there.
	run nsnew -rp sh -c 'echo /proc/[0-9]*'
	assert_status 0
	[[ " $output " == *" /proc/$$ "* ]]
	run nsnew -rpm --mount-proc sh -c 'ps -eo pid= | wc -l'
	assert_status 0
	[ "$output" -le 3 ]
}

@test "W1.5 a host name inside, another outside" {
	local before
	before=$(uname -n)
	run nsnew -ru sh -c 'uname -n; busybox hostname inside; uname -n'
	assert_output "$before"$'\n'inside
	[ "$(uname -n)" = "$before" ]
}

@test "W1.6 a second terminal joins only the uts namespace, leaves, and is back" {
	local before user=()
	before=$(uname -n)
	[ "$(id -u)" = 0 ] || user=(-U)
	start "${PRIVILEGED[@]}" nsnew -pm --hostname=inside sleep 60
	eventually child_of "$LINK_PID" sleep
	run nsjoin -t "$(child_of "$LINK_PID" sleep)" -u "${user[@]}" sh -c 'uname -n; readlink /proc/self/ns/pid /proc/self/ns/mnt'
	assert_status 0
	assert_output inside$'\n'"$(readlink /proc/self/ns/pid /proc/self/ns/mnt)"
	[ "$(uname -n)" = "$before" ]
}

@test "W1.7 in a new PID namespace a second command works as well" {
	run nsnew -rp sh -c '/bin/true; /bin/true; (echo third); echo $$'
	assert_status 0
	assert_output $'third\n1'
}
