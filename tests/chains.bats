#!/usr/bin/env bats
# Links together: what a payload is in, the order of links.
# shellcheck disable=SC2016,SC2030,SC2031 # shells inside of a chain; output and status are set by run

setup() {
	load helpers
	prepare_alone
	cd "$BATS_TEST_TMPDIR" || return
	cp -a "$BATS_FILE_TMPDIR/rootfs" rootfs
	target=
}

setup_file() {
	load helpers
	make_root "$BATS_FILE_TMPDIR/rootfs"
}

# A waiting link ends what it waits for, so killing the outermost process is enough.
teardown() {
	[ -z "$target" ] || kill "$target" 2>/dev/null || true
	remove_alone
}

# --- one chain, looked at from outside while it runs ---

not() {
	! "$@"
}

# The groups that OUTPUT names do not exist any more.
groups_are_gone() {
	local name
	while read -r name; do
		[ -z "$(find /sys/fs/cgroup -name "$name" 2>/dev/null)" ] || {
			echo "$name is left"
			return 1
		}
	done < <(grep -oE 'cgrun-[0-9]+-[0-9a-f]+' <<<"$output")
}

# Lets the shell in the chain "$@" wait, sets PAYLOAD to its PID (as seen here) and TARGET to that of the outermost link.
start_payload() {
	mkfifo rootfs/ready rootfs/gate
	"$@" sh -c 'echo $$ >/ready; read -r _ </gate; exit 7' 3>&- &
	target=$!
	read -r payload <rootfs/ready
}

finish_payload() {
	local status=0
	echo >rootfs/gate
	wait "$target" || status=$?
	target=
	[ "$status" -eq 7 ]
}

status_field() { # FIELD PID
	sed -n "s/^$1:\t//p" "/proc/$2/status"
}

is_clear() { # MASK BIT
	[ $((0x$1 >> $2 & 1)) -eq 0 ]
}

same_namespace() { # KIND PID PID
	[ "$(readlink "/proc/$2/ns/$1")" = "$(readlink "/proc/$3/ns/$1")" ]
}

@test "the chain cgrun -m 100M capjail --drop chown rootjail rootfs sh -c '...': what the kernel shows of the shell" {
	local kind group limit
	requires limits
	if has root; then
		start_payload "${ALONE[@]}" cgrun -m 100M capjail --drop chown rootjail rootfs
	else
		start_payload "${ALONE[@]}" cgrun -m 100M nsnew -r capjail --drop chown rootjail rootfs
	fi

	group=$(grep -oE '/cgrun-[0-9]+-[0-9a-f]+$' "/proc/$payload/cgroup" | sort -u)
	[ "$(wc -l <<<"$group")" -eq 1 ]
	for limit in "${ALONE_GROUPS[@]/%/$group/memory.max}" "${ALONE_GROUPS[@]/%/$group/memory.limit_in_bytes}"; do
		[ ! -e "$limit" ] || break
	done
	[ "$(cat "$limit")" = 104857600 ]

	is_clear "$(status_field CapBnd "$payload")" 0
	is_clear "$(status_field CapPrm "$payload")" 0
	not is_clear "$(status_field CapPrm "$payload")" 21 # sys_admin
	[ "$(status_field NoNewPrivs "$payload")" = 1 ]

	# The first mount is the root, and it is rootfs.
	[[ $(awk '$5 == "/" {print $4}' "/proc/$payload/mountinfo") == */rootfs ]]
	[ "/proc/$payload/root/bin/busybox" -ef rootfs/bin/busybox ]
	not same_namespace mnt "$payload" self
	for kind in uts ipc net pid cgroup; do
		same_namespace "$kind" "$payload" self
	done
	finish_payload
	output=$group groups_are_gone
}

@test "without a cgroup: nsnew -r capjail --drop chown rootjail rootfs sh -c '...'" {
	requires userns
	start_payload nsnew -r capjail --drop chown rootjail rootfs
	is_clear "$(status_field CapBnd "$payload")" 0
	[ "/proc/$payload/root/bin/busybox" -ef rootfs/bin/busybox ]
	not same_namespace user "$payload" self
	finish_payload
}

@test "a chain that is killed at 100M ends with 137, and its report names limit and peak" {
	requires limits
	run "${ALONE[@]}" cgrun -m 100M "${PRIVILEGED[@]}" capjail --drop chown rootjail rootfs tail /dev/zero
	assert_status 137
	[[ $output =~ limit\ 100\.0M,\ peak\ (100\.0M|9[0-9]\.[0-9]M|\?) ]]
	groups_are_gone
}

@test "root without chown is refused what root has, in the same root" {
	requires root
	run rootjail rootfs chown 1 /etc/passwd
	assert_status 0
	run capjail --drop chown rootjail rootfs chown 2 /etc/passwd
	assert_status 1
	assert_says 'Operation not permitted'
	[ "$(stat -c %u rootfs/etc/passwd)" = 1 ]
}

@test "users of a range: root and user 1000 inside, 100000 and 101000 outside" {
	requires root userns
	run nsnew -p --map-users=0:100000:65536 --map-groups=0:100000:65536 \
		rootjail rootfs sh -c 'id -u; echo >/tmp/file; chown 1000 /tmp/file; stat -c %u /tmp/file'
	assert_status 0
	assert_output $'0\n1000'
	[ "$(stat -c %u rootfs/tmp/file)" = 101000 ]
}

# --- every legal order ---

ORDERS=(
	'cgrun'
	'nsjoin'
	'nsnew'
	'capjail'
	'rootjail'
	'cgrun nsjoin'
	'cgrun nsnew'
	'cgrun capjail'
	'cgrun rootjail'
	'nsjoin nsnew'
	'nsjoin capjail'
	'nsjoin rootjail'
	'nsnew capjail'
	'nsnew rootjail'
	'capjail rootjail'
	'cgrun nsjoin nsnew'
	'cgrun nsjoin capjail'
	'cgrun nsjoin rootjail'
	'cgrun nsnew capjail'
	'cgrun nsnew rootjail'
	'cgrun capjail rootjail'
	'nsjoin nsnew capjail'
	'nsjoin nsnew rootjail'
	'nsjoin capjail rootjail'
	'nsnew capjail rootjail'
	'cgrun nsjoin nsnew capjail'
	'cgrun nsjoin nsnew rootjail'
	'cgrun nsjoin capjail rootjail'
	'cgrun nsnew capjail rootjail'
	'nsjoin nsnew capjail rootjail'
	'cgrun nsjoin nsnew capjail rootjail'
)

# A process in a host name and an IPC namespace of its own, for nsjoin; in a user namespace where this user needs one.
start_target() {
	mkfifo ready
	nsnew "$@" -ui --hostname joined sh -c 'echo; exec tail -f /dev/null >/dev/null' >ready 3>&- &
	target=$!
	read -r _ <ready
}

# What the kernel shows to a payload, one fact a line.
REPORT='
echo "pid $$"
echo "name $(cat /proc/sys/kernel/hostname)"
echo "ipc $(readlink /proc/self/ns/ipc)"
sed -n "s/^CapBnd:\t/bounding /p; s/^NoNewPrivs:\t/no_new_privs /p" /proc/self/status
sed -n "s|.*/\(cgrun-[0-9]*-[0-9a-f]*\)$|group \1|p" /proc/self/cgroup
while read -r _ _ _ top point _; do
	[ "$point" != / ] || echo "top $top"
done </proc/self/mountinfo
'

# Sets CHAIN to the links of ORDER with their options.
build_chain() { # ORDER
	local link user=() has_user=''
	has root || user=(-r)
	chain=()
	for link in $1; do
		case $link in
		cgrun) chain+=("${ALONE[@]}" cgrun -m 64M) ;;
		nsjoin) chain+=(nsjoin --target "$target" -ui ${user[0]:+-U}) has_user=1 ;;
		nsnew)
			# The namespaces of the target are in its user namespace already.
			[ -z "$has_user" ] || user=()
			chain+=(nsnew "${user[@]}" -pu --hostname new) has_user=1
			;;
		*)
			[ -n "$has_user" ] || chain+=("${PRIVILEGED[@]}")
			has_user=1
			[ "$link" = capjail ] && chain+=(capjail --drop chown)
			if [ "$link" = rootjail ]; then
				chain+=(rootjail)
				# In the PID namespace of the caller it shows the caller's /proc.
				[[ $1 == *nsnew* ]] || chain+=(--bind=/proc)
				chain+=(rootfs)
			fi
			;;
		esac
	done
}

fact() {
	sed -n "s/^$1 //p" <<<"$output"
}

# Whether the fact says that LINK was there exactly if it is in ORDER.
agrees() { # LINK ORDER CONDITION...
	local link=$1 order=$2 seen=no
	shift 2
	! "$@" || seen=yes
	if [[ " $order " == *" $link "* ]]; then
		[ "$seen" = yes ]
	else
		[ "$seen" = no ]
	fi || {
		printf "'%s': %s: '%s' is %s\n%s\n" "$order" "$link" "$*" "$seen" "$output"
		return 1
	}
}

ends_with() {
	[[ $1 == *"$2" ]]
}

check_order() { # ORDER
	local order=$1 name
	build_chain "$order"
	run "${chain[@]}" sh -c "$REPORT"
	[ "$status" -eq 0 ] || {
		printf "'%s' ended with %s: %s\n%s\n" "$order" "$status" "${chain[*]}" "$output"
		return 1
	}
	name=$(cat /proc/sys/kernel/hostname)
	[[ $order != *nsjoin* ]] || name=joined
	[[ $order != *nsnew* ]] || name=new
	agrees cgrun "$order" [ -n "$(fact group)" ]
	agrees nsnew "$order" [ "$(fact pid)" -eq 1 ]
	agrees nsjoin "$order" [ "$(fact ipc)" = "$(readlink "/proc/$target/ns/ipc")" ]
	agrees capjail "$order" is_clear "$(fact bounding)" 0
	agrees capjail "$order" [ "$(fact no_new_privs)" = 1 ]
	agrees rootjail "$order" ends_with "$(fact top)" "$BATS_TEST_NAME/rootfs"
	[ "$(fact name)" = "$name" ]
	groups_are_gone
}

# Runs all orders with cgrun, or all without.
check_orders() { # with|without COUNT
	local order here count=0
	cd "$BATS_TEST_TMPDIR" || return
	mkdir "$BATS_TEST_NAME"
	mv rootfs "$BATS_TEST_NAME/rootfs"
	if has root; then
		start_target
	else
		start_target -r
	fi
	cd "$BATS_TEST_NAME" || return
	for order in "${ORDERS[@]}"; do
		[[ $order == cgrun* ]] && here=with || here=without
		[ $here = "$1" ] || continue
		count=$((count + 1))
		check_order "$order"
	done
	[ "$count" -eq "$2" ]
}

@test "every legal order without cgrun" {
	requires userns
	check_orders without 15
}

@test "every legal order with cgrun" {
	requires userns limits
	check_orders with 16
}

# --- other orders ---

@test "capjail before a new user namespace is void there (S42)" {
	requires userns
	run capjail --drop chown nsnew -r sed -n 's/^CapBnd:\t//p' /proc/self/status
	assert_status 0
	not is_clear "$output" 0
}

@test "a new user namespace for root needs setfcap, because it maps the root of the outside" {
	requires root
	assert_refuses 'CAP_SETFCAP' capjail --drop setfcap nsnew -r "${UNREACHED[@]}"
}

@test "capjail before rootjail has to leave sys_admin and sys_chroot" {
	requires userns
	assert_refuses 'CAP_SYS_ADMIN' "${PRIVILEGED[@]}" capjail --drop sys_admin rootjail rootfs "${UNREACHED[@]}"
	assert_refuses 'CAP_SYS_CHROOT' "${PRIVILEGED[@]}" capjail --drop sys_chroot rootjail rootfs "${UNREACHED[@]}"
	run "${PRIVILEGED[@]}" capjail --keep sys_admin,sys_chroot rootjail rootfs true
	assert_status 0
}

@test "a link behind rootjail is not looked for in the new root" {
	requires userns static
	run "${PRIVILEGED[@]}" nsnew -p rootjail rootfs capjail --drop chown sed -n 's/^CapBnd:\t//p' /proc/self/status
	assert_status 0
	is_clear "$output" 0
	printf '#!/bin/sh\necho "not the link"\n' >rootfs/bin/capjail
	chmod +x rootfs/bin/capjail
	run "${PRIVILEGED[@]}" rootjail rootfs capjail --drop chown echo the link
	assert_output 'the link'
	run "${PRIVILEGED[@]}" rootjail rootfs /bin/capjail --drop chown true
	assert_output 'not the link'
	run "${PRIVILEGED[@]}" rootjail rootfs env capjail --drop chown true
	assert_output 'not the link'
}

@test "cgrun behind a cgroup namespace does not see the group that it is in" {
	requires root memory
	grep -qE '^([0-9]+:([^:]*,)?memory(,[^:]*)?|0:):/.' /proc/self/cgroup || skip 'the own group is the topmost'
	assert_refuses cgroup nsnew -C cgrun -m 64M "${UNREACHED[@]}"
}

@test "cgrun behind a PID namespace is its PID 1, and cleans up all the same" {
	requires root memory
	run nsnew -p cgrun -m 64M sh -c 'echo "pid $$"; cat /proc/self/cgroup'
	assert_status 0
	[ "$(fact pid)" -gt 1 ]
	assert_says /cgrun-1-
	groups_are_gone
}
