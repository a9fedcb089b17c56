# nsnew: who is who in a user namespace: maps in numbers and words, setgroups(2), owner, capabilities, limits, supplementary groups.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # text for inner shells; each test is a shell of its own

setup() {
	load helpers
	load helpers/processes
	[ "$(id -u)" = 0 ] || requires userns
	T=$(realpath "$BATS_TEST_TMPDIR")
	OWN_UID=$(id -u) OWN_GID=$(id -g)
	# In a mount namespace of its own as the same user, who may mount there.
	if has root; then
		OWN_MOUNTS=(unshare --mount --propagation private)
	else
		OWN_MOUNTS=(nsnew -cm --keep-caps)
	fi
}

teardown() {
	end_started
}

# shows NAME TEXT NSNEW-OPTION...: /proc/self/NAME of COMMAND is TEXT, a map with single spaces and a comma for the end of a line.
shows() {
	local name=$1 text=$2
	shift 2
	run nsnew "$@" cat "/proc/self/$name"
	echo "$name after nsnew $*"
	assert_status 0
	output=$(tr -s ' ' <<<"$output" | sed 's/^ //' | paste -sd ,)
	assert_output "$text"
}

# with_subids SUBUID SUBGID COMMAND...: where /etc/subuid and /etc/subgid have these lines; "-": where there is no such file.
with_subids() {
	printf '%s\n' "$1" >"$T/subuid"
	printf '%s\n' "$2" >"$T/subgid"
	run --separate-stderr "${OWN_MOUNTS[@]}" sh -ec '
		dir=$1
		shift
		cp /etc/passwd "$dir"
		mount -t tmpfs tmpfs /etc
		cp "$dir/passwd" /etc
		for file in subuid subgid; do
			[ "$(cat "$dir/$file")" = - ] || cp "$dir/$file" /etc
		done
		exec "$@"' sh "$T" "${@:3}"
}

# refuses_subids SUBUID SUBGID TEXT NSNEW-OPTION...
refuses_subids() {
	local text=$3
	with_subids "$1" "$2" nsnew "${@:4}" "${UNREACHED[@]}"
	echo "nsnew ${*:4}"
	assert_status 125
	assert_says "$text"
	[ ! -e "${UNREACHED[4]}" ]
}

# --- words ---

@test "all: every id that there is, as itself" {
	requires root
	local text
	text=$(awk '{ print $1, $1, $3 }' /proc/self/uid_map | paste -sd ,)
	shows uid_map "$text" --map-users=all --map-groups=all
	shows gid_map "$text" --map-users=all --map-groups=all
	shows setgroups allow --map-users=all --map-groups=all
	run nsnew --map-users=0:1000:10 --map-users=50:5000:5 --map-groups=7:7:1 --map-groups=0:0:1 \
		nsnew --map-users=all --map-groups=all sh -c 'cat /proc/self/uid_map /proc/self/gid_map'
	assert_status 0
	[ "$(tr -s ' ' <<<"$output")" = $' 0 0 10\n 50 50 5\n 7 7 1\n 0 0 1' ]
}

@test "all: what is mapped already is an overlap, ids of others are refused (S35)" {
	assert_refuses 'mapped already' nsnew -r --map-users=all "${UNREACHED[@]}"
	assert_refuses 'mapped already' nsnew --map-groups=all --map-groups=5:5:1 "${UNREACHED[@]}"
	requires rootless
	assert_refuses 'hint: ' nsnew --map-users=all --map-groups=all "${UNREACHED[@]}"
}

SUBIDS=$'nobody-else:1:65536\nroot:300000:1000\n# root:7:7\n\nroot:x:5\nroot:5\n0:500000:10\nroot:700000:0\nrooty:800000:9'

@test "auto and subids: the ranges of the user, by name and number, and no other lines" {
	requires root
	local options expected
	while IFS='|' read -r options expected; do
		# shellcheck disable=SC2086 # words
		with_subids "$SUBIDS" 'root:900000:100' nsnew $options sh -c 'tr -s " " </proc/self/uid_map | sed "s/^ //" | paste -sd ,'
		echo "options $options"
		assert_status 0
		assert_output "$expected"
	done <<-'LIST'
		--map-users=auto|0 300000 1000,1000 500000 10
		--map-auto|0 300000 1000,1000 500000 10
		--map-users=subids|300000 300000 1000,500000 500000 10
		-r --map-users=auto|0 0 1,1 300000 1000,1001 500000 10
		-r --map-auto|0 0 1,1 300000 1000,1001 500000 10
		--map-auto -r|0 0 1,1 300000 1000,1001 500000 10
		-c --map-users=subids|0 0 1,300000 300000 1000,500000 500000 10
		--map-user=500 --map-users=auto|500 0 1,0 300000 500,501 300500 500,1001 500000 10
		--map-users=auto --map-users=0:1:2 --map-users=10:20:3|0 1 2,10 20 3,2 300000 8,13 300008 992,1005 500000 10
		--map-users=auto --map-users=auto|0 300000 1000,1000 500000 10
	LIST
	with_subids "$SUBIDS" 'root:900000:100' nsnew --map-auto --map-groups=500:500:1 cat /proc/self/gid_map
	[ "$(tr -s ' ' <<<"$output")" = $' 500 500 1\n 0 900000 100' ]
}

@test "auto and subids: together they overlap (S35)" {
	# By number, for any caller.
	refuses_subids "$OWN_UID:300000:1000" "$OWN_UID:300000:1000" 'mapped already' --map-users=auto --map-users=subids
	refuses_subids "$OWN_UID:300000:1000" "$OWN_UID:300000:1000" 'mapped already' --map-users=subids --map-users=300500:5:1
	refuses_subids "$OWN_UID:300000:1000" "$OWN_UID:300000:1000" 'mapped already' --map-groups=auto --map-groups=0:300500:1
	refuses_subids "$OWN_UID:4294967290:10" "$OWN_UID:1:1" 'last id' --map-users=subids
	# No message names an id that nobody has written.
	refuses_subids "$OWN_UID:300000:1000" "$OWN_UID:1:1" 'mapped already' -r --map-users=all --map-users=auto
	[[ $stderr != *4294967295:* ]]
}

@test "auto and subids: without a range that says so, and how to get one" {
	local file word
	for word in auto subids; do
		for file in - '' 'nobody-else:1:65536' "$OWN_UID:1" "$OWN_UID:1:0" "$OWN_UID:-1:5" "$OWN_UID:1:x"; do
			refuses_subids "$file" "$OWN_UID:1:10" "no ids for user '$(id -un)' ($OWN_UID) in '/etc/subuid'" "--map-users=$word"
			assert_says 'hint: '
			assert_says "usermod --add-subuids=FIRST-LAST $(id -un)"
			refuses_subids "$OWN_UID:1:10" "$file" "'/etc/subgid'" "--map-groups=$word"
			assert_says "usermod --add-subgids=FIRST-LAST $(id -un)"
		done
	done
	refuses_subids - - /etc/subuid --map-auto
	refuses_subids "$OWN_UID:1:10" - /etc/subgid --map-auto
	# A file that is not needed does not matter.
	with_subids - - nsnew -r true
	assert_status 0
}

@test "auto and subids: as a plain user, by newuidmap and newgidmap" {
	requires rootless subids
	local first count group_first group_count
	IFS=: read -r _ first count < <(grep "^$(id -un):" /etc/subuid)
	IFS=: read -r _ group_first group_count < <(grep "^$(id -un):" /etc/subgid)
	shows uid_map "0 $first $count" --map-auto
	shows gid_map "0 $group_first $group_count" --map-auto
	shows uid_map "0 $OWN_UID 1,1 $first $count" -r --map-auto
	shows gid_map "0 $OWN_GID 1,1 $group_first $group_count" -r --map-auto
	shows uid_map "$OWN_UID $OWN_UID 1,$first $first $count" -c --map-users=subids
	shows gid_map "0 $OWN_GID 1" -r --map-users=auto
	shows uid_map "1 $OWN_UID 1,0 $first 1,2 $((first + 1)) $((count - 1))" --map-user=1 --map-auto
	shows setgroups allow -r --map-auto
	shows setgroups deny -r --map-auto --setgroups=deny
	# Its root is a subordinate user: what it makes belongs to that.
	mkdir -m 777 "$T/open"
	# It could not get there by the path.
	cd "$T/open"
	run nsnew --map-auto sh -c 'id -u; id -g; id -G; touch file'
	assert_status 0
	assert_output $'0\n0\n0'
	[ "$(stat -c '%u %g' file)" = "$first $group_first" ]
	nsnew -r --map-auto chown 6:7 file
	[ "$(stat -c '%u %g' file)" = "$((first + 5)) $((group_first + 6))" ]
	nsnew -r --map-auto rm file
}

@test "auto: COMMAND dies with nsnew also when it has become a subordinate user (R08)" {
	requires rootless subids
	local child
	start nsnew --map-auto -f sleep 60
	eventually has_child "$LINK_PID" sleep
	child=$(child_of "$LINK_PID" sleep)
	kill -KILL "$LINK_PID"
	ended 'killed by 9'
	eventually is_gone "$child"
}

# --- numbers ---

@test "numbers with -r, -c, --map-user and words: each in its place" {
	requires root
	shows uid_map '0 0 1,1 100000 10,20 5 1' -r --map-users=1:100000:10 --map-users=20:5:1 --map-groups=5:5:1
	shows gid_map '0 0 1,5 5 1' -r --map-users=1:100000:10 --map-users=20:5:1 --map-groups=5:5:1
	shows uid_map '9 0 1,0 1 5' --map-user=9 --map-users=0:1:5
	shows gid_map '4294967294 0 1' --map-user=9 --map-group=4294967294
	shows uid_map '4294967294 4294967294 1' --map-users=4294967294:4294967294:1
	shows uid_map '0 0 4294967295' --map-users=0:0:4294967295 --map-groups=0:0:1
}

@test "numbers: an overlap, a range beyond the last id, a count of 0 (S35)" {
	local map
	for map in 0:1000:1 9:1000:1 5:1000:100 1000:100:1 1000:109:1 1000:95:6 0:100:10; do
		assert_refuses 'mapped already' nsnew --map-users=0:100:10 "--map-users=$map" "${UNREACHED[@]}"
		assert_refuses "'$map'" nsnew --map-groups=0:100:10 "--map-groups=$map" "${UNREACHED[@]}"
	done
	for map in 0:0:0 5:5:0 0:1:4294967295 1:0:4294967295 4294967294:0:2 0:4294967294:2 4294967295:0:1 0:0:4294967296 0:0:1:1 0:0 all:0:1 Auto ''; do
		assert_refuses "'$map'" nsnew "--map-users=$map" "${UNREACHED[@]}"
		assert_refuses "'$map'" nsnew "--map-groups=$map" "${UNREACHED[@]}"
	done
}

@test "numbers: as many extents as the kernel takes, in number and in text (S35)" {
	requires root
	local i options=() long=()
	for ((i = 0; i < 340; i++)); do
		options+=("--map-groups=$i:$((i * 2)):1")
		long+=("--map-groups=$((4000000000 + i * 2)):$((3000000000 + i * 2)):1")
	done
	run nsnew "${options[@]}" --map-users=0:0:1 cat /proc/self/gid_map
	assert_status 0
	[ "${#lines[@]}" = 340 ]
	assert_refuses 340 nsnew "${options[@]}" --map-groups=9999:9999:1 "${UNREACHED[@]}"
	# More than a page of text.
	assert_refuses gid_map nsnew --map-users=0:0:1 "${long[@]}" "${UNREACHED[@]}"
	# As many of them as fit: 24 bytes each.
	run nsnew --map-users=0:0:1 "${long[@]:0:170}" cat /proc/self/gid_map
	assert_status 0
	[ "${#lines[@]}" = 170 ]
}

# --- who may map ---

# without PROGRAM COMMAND...: as a user for whom newuidmap(1) would have to map, where that is no program, or is not there at all.
without() {
	local program=$1
	shift
	run --separate-stderr "${OWN_MOUNTS[@]}" sh -ec '
		if [ "$1" = all ]; then
			mount -t tmpfs tmpfs /usr/bin
		elif [ -e "$1" ]; then
			mount --bind /dev/null "$1"
		fi
		shift
		exec "$@"' sh "$program" "$@"
	assert_status 125
	[ ! -e "${UNREACHED[4]}" ]
}

@test "newuidmap or newgidmap missing: says which, and the package" {
	requires rootless
	without all "$BIN/nsnew" -r --map-users=1:1000000000:10 "${UNREACHED[@]}"
	assert_says "cannot run '/usr/bin/newuidmap': No such file or directory"
	assert_says 'package uidmap'
	without /usr/bin/newuidmap nsnew -r --map-users=1:1000000000:10 "${UNREACHED[@]}"
	assert_says "'/usr/bin/newuidmap'"
	assert_says 'package uidmap'
	without /usr/bin/newgidmap nsnew -r --map-groups=1:1000000000:10 "${UNREACHED[@]}"
	assert_says "'/usr/bin/newgidmap'"
	assert_says 'package uidmap'
}

@test "newuidmap refuses: says what it would map (S35)" {
	requires rootless newuidmap
	assert_refuses "'/usr/bin/newuidmap' did not write the map '0:0:1'" nsnew --map-users=0:0:1 "${UNREACHED[@]}"
	assert_says '/etc/subuid'
	assert_refuses no_new_privs setpriv --no-new-privs nsnew -r --map-users=1:1000000000:10 "${UNREACHED[@]}"
}

@test "a map that is not the one asked for is found by reading it back (S35, S38)" {
	requires strace
	local n wrote options
	for options in -r '--map-users=0:0:5 --map-groups=0:0:5'; do
		[ "$options" = -r ] || has root || continue
		# shellcheck disable=SC2086 # words
		strace -f -qq -o "$T/trace" -e trace=write nsnew $options true
		grep -E 'write\([0-9]+, "[0-9]+ [0-9]+ [0-9]+' "$T/trace"
		for n in 1 2 3; do
			# The length of what would have been written.
			wrote=$(sed -n 's/.*write([0-9]*, "[0-9]* [0-9]* [0-9]*.*= //p' "$T/trace" | head -n 1)
			# shellcheck disable=SC2086
			run --separate-stderr strace -f -qq -o "$T/pretended" -e trace=write -e "inject=write:retval=$wrote:when=$n" nsnew $options "${UNREACHED[@]}"
			grep -E 'write\([0-9]+, "[0-9]+ [0-9]+ [0-9]+.*INJECTED' "$T/pretended" || continue
			assert_status 125
			[ ! -e "${UNREACHED[4]}" ]
			found=yes
		done
		[ "$found" = yes ]
		found=
	done
}

@test "without CAP_SETFCAP root cannot be mapped: says so (S35)" {
	requires root
	assert_refuses CAP_SETFCAP setpriv --bounding-set=-setfcap nsnew -r "${UNREACHED[@]}"
	assert_says 'hint: '
	assert_says uid_map
	run setpriv --bounding-set=-setfcap nsnew --map-users=0:5:1 --map-groups=0:5:1 true
	assert_status 0
}

@test "--setgroups: read back, or refused (S11)" {
	shows setgroups deny -r --setgroups=deny
	shows setgroups deny -r
	shows setgroups deny -U --setgroups=deny
	shows setgroups allow -U
	if has root; then
		shows setgroups allow -r --setgroups=allow
		run nsnew --map-users=0:0:1 --map-groups=0:0:5 --setgroups=allow setpriv --groups 3,4 id -G
		assert_output '0 3 4'
		run nsnew --map-users=0:0:1 --map-groups=0:0:5 --setgroups=deny sh -c 'setpriv --groups 3,4 id -G || echo denied'
		assert_status 0
		[ "${lines[-1]}" = denied ]
	else
		assert_refuses setgroups nsnew -r --setgroups=allow "${UNREACHED[@]}"
		assert_says 'hint: '
	fi
}

# --- owner ---

# owner_of PID: who owns its user namespace, as the kernel tells (NS_GET_OWNER_UID).
owner_of() {
	python3 -c '
import fcntl, os, struct, sys
file = os.open(f"/proc/{sys.argv[1]}/ns/user", os.O_RDONLY)
print(struct.unpack("I", fcntl.ioctl(file, 0xb704, bytes(4)))[0])' "$1"
}

@test "--owner: the kernel says who owns the namespace, and that user may join it" {
	requires root python3
	local options
	for options in '--map-users=0:54321:1 --map-groups=0:54322:1' '--map-users=all --map-groups=all' '-r' '-r -p' '-r --init' \
		'--map-users=0:54321:1 --map-groups=0:54322:1 -f'; do
		# shellcheck disable=SC2086 # words
		start nsnew $options --owner=54321:54322 sh -c 'echo ready; exec sleep 60'
		eventually said ready
		[ "$(owner_of "$(leaf "$LINK_PID")")" = 54321 ] || { echo "owner after $options" && return 1; }
		kill -TERM "$LINK_PID"
		ended 'killed by 15'
	done
	start nsnew --map-users=0:54321:1 --map-groups=0:54322:1 --owner=54321:54322 sh -c 'echo ready; exec sleep 60'
	eventually said ready
	[ "$(ps -o uid=,gid= -p "$LINK_PID" | tr -s ' ')" = ' 54321 54322' ] || ps -o uid=,gid= -p "$LINK_PID"
	run setpriv --reuid 54321 --regid 54322 --clear-groups nsenter -t "$LINK_PID" -U --preserve-credentials id -u
	assert_status 0
	assert_output 0
	kill -TERM "$LINK_PID"
	ended 'killed by 15'
	# Without it the caller owns it.
	start nsnew --map-users=0:54321:1 --map-groups=0:54322:1 sh -c 'echo ready; exec sleep 60'
	eventually said ready
	[ "$(owner_of "$LINK_PID")" = 0 ]
}

# leaf PID: the last one of a chain of first children.
leaf() {
	local pid=$1 child
	while read -r child _ 2>/dev/null <"/proc/$pid/task/$pid/children"; do
		pid=$child
	done
	echo "$pid"
}

@test "--owner: oneself, or with privilege" {
	local text
	shows uid_map "0 $OWN_UID 1" -r "--owner=$OWN_UID:$OWN_GID"
	shows gid_map "0 $OWN_GID 1" -r "--owner=$OWN_UID:$OWN_GID"
	for text in '' 1 1: :1 1:1: 1:1:1 root:root 4294967295:0 -1:0 1:x; do
		assert_refuses --owner nsnew "--owner=$text" "${UNREACHED[@]}"
	done
	requires rootless
	assert_refuses CAP_SETUID nsnew -r --owner=0:0 "${UNREACHED[@]}"
}

# --- capabilities ---

@test "--keep-caps: one who is not root inside has all capabilities there" {
	local options none full
	# As many as there are: the bounding set of a new user namespace is full.
	full=$(nsnew -r capstate | sed 's/.*bounding=\([0-9a-f]*\).*/\1/')
	none=0000000000000000
	for options in '' -f -p --init --no-nested-users '-m --init'; do
		# shellcheck disable=SC2086 # words
		run nsnew --map-user=1000 --map-group=1000 --keep-caps $options capstate
		echo "options $options"
		assert_status 0
		assert_says "uid=1000 euid=1000 inheritable=$full permitted=$full effective=$full bounding=$full ambient=$full"
	done
	run nsnew --map-user=1000 capstate
	assert_says "permitted=$none effective=$none bounding=$full ambient=$none"
	# They are good for what is inside.
	run nsnew --map-user=1000 --keep-caps -u sh -c 'busybox hostname inside; uname -n'
	assert_output inside
	# It implies a user namespace.
	run nsnew --keep-caps readlink /proc/self/ns/user
	assert_status 0
	[ "$output" != "$(readlink /proc/self/ns/user)" ]
}

# --- nested user namespaces ---

# refuses_nested COMMAND...: in it unshare -U does not work, also not as any other user there is, nor when the limit is written anew.
refuses_nested() {
	run "$@" sh -c '
		id -u
		unshare -U true 2>&1 && echo made one
		if [ "$(id -u)" = 0 ]; then
			echo 10000 >/proc/sys/user/max_user_namespaces && cat /proc/sys/user/max_user_namespaces
			unshare -U true 2>&1 && echo made one
			for id in 1 5; do
				grep -q " 0 .* 4294967295" /proc/self/uid_map && setpriv --reuid $id unshare -U true 2>&1 && echo made one
			done
		fi
		unshare -Ur --fork true 2>&1 && echo made one
		true'
	echo "$*"
	assert_status 0
	[[ $output != *'made one'* ]] || { echo "$output" && return 1; }
	[[ $output == *'No space left on device'* ]]
	[[ $output != 0$'\n'* || $output == *10000* ]]
}

@test "--no-nested-users: no user namespace can be made inside, whatever its root does (S36)" {
	local options
	# It can without.
	run nsnew -r unshare -U true
	assert_status 0
	for options in -r -c '-r -m' '-r -p' '-r --init' '-r -mp --mount-proc' '-c --keep-caps' '--map-user=5 --map-group=5'; do
		# shellcheck disable=SC2086 # words
		refuses_nested nsnew $options --no-nested-users
	done
	if has root; then
		refuses_nested nsnew --map-users=all --map-groups=all --no-nested-users
		refuses_nested nsnew --map-users=0:100000:65536 --map-groups=0:100000:65536 --no-nested-users
		refuses_nested nsnew --map-users=0:54321:1 --map-groups=0:54321:1 --owner=54321:54321 --no-nested-users
	elif has subids; then
		refuses_nested nsnew -r --map-auto --no-nested-users
		refuses_nested nsnew --map-auto --no-nested-users
	fi
}

@test "--no-nested-users: maps, groups and other namespaces are as without" {
	local options
	for options in -r -c '--map-user=5 --map-group=7'; do
		# shellcheck disable=SC2086 # words
		run nsnew $options --no-nested-users sh -c 'id -u; id -g; cat /proc/self/setgroups'
		assert_status 0
		# shellcheck disable=SC2086
		assert_output "$(nsnew $options sh -c 'id -u; id -g; cat /proc/self/setgroups')"
	done
	# Other namespaces belong to the inner one, so that its root can change them and make more.
	run nsnew -r --no-nested-users -u sh -c 'busybox hostname inside && uname -n && unshare -u busybox hostname other && uname -n'
	assert_status 0
	assert_output $'inside\ninside'
	run nsnew -rm --no-nested-users sh -c 'mount -t tmpfs tmpfs "$1" && [ -z "$(ls -A "$1")" ]' sh "$T"
	assert_status 0
}

# --- supplementary groups ---

@test "supplementary groups: dropped by root, refused to a plain user unless told (S11)" {
	requires root
	local options
	local plain=(setpriv --reuid 65534 --regid 65534 --groups '4,20')
	for options in -r -U -c '--map-users=all --map-groups=all' '-r --init' '-r --no-nested-users'; do
		# shellcheck disable=SC2086 # words
		run setpriv --groups 4,20 nsnew $options sed -n 's/^Groups:\t//p' /proc/self/status
		assert_status 0
		[ -z "${output// /}" ]
		[ "$options" = "${options#--map-users}" ] || continue
		# shellcheck disable=SC2086
		assert_refuses --keep-groups "${plain[@]}" nsnew $options "${UNREACHED[@]}"
	done
	run setpriv --groups 4,20 nsnew --map-users=all --map-groups=all --keep-groups sed -n 's/^Groups:\t//p' /proc/self/status
	assert_output '4 20 '
	run "${plain[@]}" nsnew -r --keep-groups sed -n 's/^Groups:\t//p' /proc/self/status
	assert_status 0
	assert_output '65534 65534 '
	# No user namespace, no reason to drop them.
	run setpriv --groups 4,20 nsnew -u sed -n 's/^Groups:\t//p' /proc/self/status
	assert_output '4 20 '
}
