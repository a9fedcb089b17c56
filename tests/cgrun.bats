# cgrun: limits that hold before COMMAND runs, on version 1 and 2, and refusals instead of limits that do not. See cgrun-place.bats for where
# the group is and cgrun-life.bats for its end.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # what is in single quotes is for the shell that is started; status and others are of bats

setup() {
	load helpers
	load helpers/groups
	begin_groups
}

teardown() {
	remove_disk
	[ -z "${HUGE_BEFORE:-}" ] || echo "$HUGE_BEFORE" >/proc/sys/vm/nr_hugepages
	end_groups
}

# --- limits ---

@test "memory: the limit is in the group's file, and so is one without swap (R15)" {
	requires limits
	assert_shown 67108864 memory.limit_in_bytes memory.max -m 64M
	assert_shown 67108864 memory.limit_in_bytes memory.max --memory=64m
	assert_shown 1610612736 memory.limit_in_bytes memory.max -m 1.5G
	assert_shown 67108864 memory.limit_in_bytes memory.max -m 67108864
	# Version 1 counts memory and swap together.
	run "${ALONE[@]}" cgrun -m 64M bash -c 'shown memory.memsw.limit_in_bytes memory.swap.max'
	if [ "$status" = 0 ]; then
		if on_v1 memory; then assert_output 67108864; else assert_output 0; fi
	fi
}

@test "memory: max is no limit, for other limits too" {
	requires limits
	assert_shown "$(on_v1 memory && echo 9223372036854771712 || echo max)" memory.limit_in_bytes memory.max -m max
	assert_shown max pids.max pids.max -p max
	assert_shown "$(on_v1 cpu && echo -1 || echo 'max 100000')" cpu.cfs_quota_us cpu.max -c max
	run "${ALONE[@]}" cgrun -m 64M --swap max bash -c 'shown memory.memsw.limit_in_bytes memory.swap.max'
	if [ "$status" = 0 ]; then
		assert_output "$(on_v1 memory && echo 9223372036854771712 || echo max)"
	fi
}

@test "memory: a percentage is of the least limit above" {
	requires limits
	run --separate-stderr "${ALONE[@]}" cgrun -m 64M cgrun -m 50% bash -c 'shown memory.limit_in_bytes memory.max'
	assert_status 0
	assert_output 33554432
	# That is not the nearest group's. 12.5% are 8M to the byte.
	run --separate-stderr "${ALONE[@]}" cgrun -m 64M cgrun -m 1G cgrun -m 12.5% bash -c 'shown memory.limit_in_bytes memory.max'
	assert_status 0
	assert_output 8388608
	run --separate-stderr "${ALONE[@]}" cgrun -m 64M cgrun -m 100% bash -c 'shown memory.limit_in_bytes memory.max'
	assert_output 67108864
	nothing_left
}

@test "memory: a percentage where there is no limit above is of the machine" {
	requires limits
	local whole limit group page
	page=$(getconf PAGESIZE)
	whole=$(($(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo) * 1024))
	group=$(alone_at memory)
	if on_v1 memory; then
		limit=$(awk '$1 == "hierarchical_memory_limit" { print $2 }' "$group/memory.stat")
	else
		for (( ; ; )); do
			limit=$(cat "$group/memory.max" 2>/dev/null || echo max)
			[ "$limit" = max ] || [ "$limit" -ge "$whole" ] || whole=$limit
			[ -e "$group/cgroup.type" ] || break
			group=${group%/*}
		done
		limit=$whole
	fi
	[ "$limit" -ge "$whole" ] || whole=$limit
	assert_shown "$((whole / 4 / page * page))" memory.limit_in_bytes memory.max -m 25%
}

@test "memory: what is kept and where it slows down" {
	requires limits
	if on_v1 memory; then
		assert_shown 33554432 memory.soft_limit_in_bytes - --memory-low 32M
		assert_refuses 'version 1' "${ALONE[@]}" cgrun --memory-high 32M "${UNREACHED[@]}"
		assert_refuses 'version 1' "${ALONE[@]}" cgrun --memory-min 32M "${UNREACHED[@]}"
		assert_refuses 'version 1' "${ALONE[@]}" cgrun --oom-group "${UNREACHED[@]}"
		assert_shown 17 memory.swappiness - --swappiness 17
		assert_shown 0 memory.swappiness - --swappiness 0
	else
		assert_shown 33554432 - memory.low --memory-low 32M
		assert_shown 33554432 - memory.min --memory-min 32M
		assert_shown 33554432 - memory.high --memory-high 32M
		assert_shown 1 - memory.oom.group --oom-group
		assert_refuses 'version 2' "${ALONE[@]}" cgrun --swappiness 17 "${UNREACHED[@]}"
		# Slowed down for more than there is room for, it is not killed.
		run --separate-stderr "${ALONE[@]}" cgrun --memory-high 64M bash -c 'hog 65 && cat "$(here memory)/memory.events"'
		assert_status 0
		[ "$(sed -n 's/^high //p' <<<"$output")" -gt 0 ]
	fi
	nothing_left
}

@test "memory: swap that is asked for comes on top (R15)" {
	requires limits
	run --separate-stderr "${ALONE[@]}" cgrun -m 64M --swap 32M bash -c 'shown memory.memsw.limit_in_bytes memory.swap.max'
	if [ "$status" = 125 ] && [ ! -e "$(alone_at memory)/memory.memsw.limit_in_bytes" ] && [ ! -e "$(alone_at memory)/memory.swap.max" ]; then
		# A kernel that cannot limit swap: then it is no limit that was asked for in vain.
		assert_says 'memory.'
		return
	fi
	assert_status 0
	if on_v1 memory; then assert_output 100663296; else assert_output 33554432; fi
}

@test "memory: the kernel rounds down to pages, and that is no mismatch" {
	requires limits
	assert_shown 19996672 memory.limit_in_bytes memory.max -m 20000001
	assert_shown 52428800 memory.limit_in_bytes memory.max -m 51200.001K
}

@test "cpus: quota and period" {
	requires limits
	local pair
	for pair in 1.5=150000 1=100000 0.62345=62345; do
		assert_shown "${pair#*=}$(on_v1 cpu || echo ' 100000')" cpu.cfs_quota_us cpu.max -c "${pair%=*}"
	done
	if on_v1 cpu; then
		assert_shown 100000 cpu.cfs_period_us - -c 0.5
	fi
	# The least there is; it takes its time, so nothing more is asked of it.
	run "${ALONE[@]}" cgrun -c 0.01 true
	assert_status 0
}

@test "cpus: a busy COMMAND is throttled" {
	requires limits
	run --separate-stderr "${ALONE[@]}" cgrun -c 0.2 bash -c '
		group=$(own_cgroup cpu)
		[ -n "$group" ] || group=$(own_cgroup v2)
		while [ "$SECONDS" -lt 20 ]; do
			while read -r key value; do
				[ "$key" = nr_throttled ] && [ "$value" -gt 0 ] && exit 0
			done <"$group/cpu.stat"
		done
		exit 1'
	assert_status 0
}

@test "cpus: weight and burst" {
	requires limits
	if on_v1 cpu; then
		assert_shown 2048 cpu.shares - --cpu-weight 200
		assert_shown 10 cpu.shares - --cpu-weight 1
		assert_shown 102400 cpu.shares - --cpu-weight 10000
	else
		assert_shown 200 - cpu.weight --cpu-weight 200
		assert_shown 1 - cpu.weight --cpu-weight 1
		assert_shown 10000 - cpu.weight --cpu-weight 10000
	fi
	run --separate-stderr "${ALONE[@]}" cgrun -c 1 --cpu-burst 50000 bash -c 'shown cpu.cfs_burst_us cpu.max.burst; shown cpu.cfs_quota_us cpu.max'
	if [ "$status" = 125 ]; then
		# Before Linux 5.14.
		assert_says 'burst'
	else
		assert_output "50000"$'\n'"100000$(on_v1 cpu || echo ' 100000')"
	fi
	nothing_left
}

@test "cpuset and mems: what the scheduler and the allocator may use" {
	requires limits
	alone_in cpuset
	local cpu node
	cpu=$(grep -oE '[0-9]+$' /sys/devices/system/cpu/online)
	node=$(sed 's/[-,].*//' /sys/devices/system/node/online)
	run --separate-stderr "${ALONE[@]}" cgrun --cpuset "$cpu" --mems "$node" bash -c 'shown cpuset.cpus cpuset.cpus; shown cpuset.mems cpuset.mems
		sed -n "s/^\(Cpus\|Mems\)_allowed_list:\t//p" /proc/self/status'
	assert_status 0
	assert_output "$cpu"$'\n'"$node"$'\n'"$cpu"$'\n'"$node"
	nothing_left
	assert_refuses cpuset.cpus "${ALONE[@]}" cgrun --cpuset 8000 "${UNREACHED[@]}"
	assert_refuses cpuset.mems "${ALONE[@]}" cgrun --mems 900 "${UNREACHED[@]}"
	nothing_left
}

@test "cpuset: a list in any order, and not beyond that of the group above" {
	requires limits two_cpus
	alone_in cpuset
	local first second
	{
		read -r first
		read -r second
	} < <(awk '$1 == "processor" { print $3 }' /proc/cpuinfo)
	run --separate-stderr "${ALONE[@]}" cgrun --cpuset "$second,$first" sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status
	assert_status 0
	[[ $output =~ ^"$first"[-,]"$second"$ ]]
	assert_refuses cpuset.cpus "${ALONE[@]}" cgrun --cpuset "$first" cgrun --cpuset "$second" "${UNREACHED[@]}"
	# In part is not as asked either.
	assert_refuses cpuset.cpus "${ALONE[@]}" cgrun --cpuset "$first" cgrun --cpuset "$first,$second" "${UNREACHED[@]}"
	run --separate-stderr "${ALONE[@]}" cgrun --cpuset "$second" cgrun --cpuset "$second" sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status
	assert_status 0
	assert_output "$second"
	# Without a wish it has what the group above has.
	run --separate-stderr "${ALONE[@]}" cgrun --cpuset "$second" cgrun --mems "$(sed 's/[-,].*//' /sys/devices/system/node/online)" \
		sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status
	assert_status 0
	assert_output "$second"
	nothing_left
}

@test "pids: the limit is in the group's file and counts COMMAND" {
	requires limits
	assert_shown 33 pids.max pids.max -p 33
	run "${ALONE[@]}" cgrun -p 1 sh -c '(:); echo forked'
	[ "$status" -ne 0 ]
	[[ $output != *forked* ]]
	nothing_left
}

@test "set: any file by its name, repeated, with numbers, sizes and words" {
	requires limits
	assert_shown 47 pids.max pids.max --set pids.max=47
	assert_shown max pids.max pids.max --set pids.max=max
	assert_shown 94371840 memory.soft_limit_in_bytes memory.high --set "$(on_v1 memory && echo memory.soft_limit_in_bytes || echo memory.high)=94371840"
	run --separate-stderr "${ALONE[@]}" cgrun --set pids.max=21 --set "$(on_v1 memory && echo memory.limit_in_bytes || echo memory.max)=33554432" \
		bash -c 'shown pids.max pids.max; shown memory.limit_in_bytes memory.max'
	assert_status 0
	assert_output $'21\n33554432'
}

@test "set: the limit on groups below, which has no controller" {
	requires limits unified
	run --separate-stderr "${ALONE[@]}" cgrun --set cgroup.max.descendants=2 --set cgroup.max.depth=1 bash -c '
		group=$(own_cgroup v2)
		cat "$group/cgroup.max.descendants" "$group/cgroup.max.depth"
		mkdir "$group/a" "$group/b" && ! mkdir "$group/c" 2>/dev/null && ! mkdir "$group/a/a" 2>/dev/null && echo held'
	assert_status 0
	assert_output $'2\n1\nheld'
	nothing_left
	# cgrun says why it cannot make a group where that is reached.
	assert_refuses cgroup.max.descendants "${ALONE[@]}" cgrun --set cgroup.max.descendants=0 cgrun "${UNREACHED[@]}"
	nothing_left
}

@test "set: a size with a unit, as --help shows it" {
	requires limits
	assert_shown 94371840 memory.soft_limit_in_bytes memory.high --set "$(on_v1 memory && echo memory.soft_limit_in_bytes || echo memory.high)=90M"
}

@test "set: the last value for a file is the one in force" {
	requires limits
	assert_shown 22 pids.max pids.max --set pids.max=21 --set pids.max=22
}

@test "all limits at once, with a controller whose name begins with another one's" {
	requires limits
	local cpu
	cpu=$(sed 's/[-,].*//' /sys/devices/system/cpu/online)
	alone_in cpuset
	run --separate-stderr "${ALONE[@]}" cgrun --set "cpuset.cpus=$cpu" -c 1 -m 64M -p 20 bash -c 'shown cpuset.cpus cpuset.cpus
		shown cpu.cfs_quota_us cpu.max; shown memory.limit_in_bytes memory.max; shown pids.max pids.max'
	assert_status 0
	assert_output "$cpu"$'\n'"100000$(on_v1 cpu || echo ' 100000')"$'\n67108864\n20'
	nothing_left
}

# --- disks ---

# make_disk: a loop device in DISK, of 16 megabytes in memory if possible.
make_disk() {
	local directory=/dev/shm
	[ -d /dev/shm ] || directory=$BATS_TEST_TMPDIR
	IMAGE=$directory/nschain-test-$$-$BATS_TEST_NUMBER
	truncate -s 16M "$IMAGE"
	DISK=$(losetup -P -f --show "$IMAGE")
	NUMBERS=$((0x$(stat -c %t "$DISK"))):$((0x$(stat -c %T "$DISK")))
}

remove_disk() {
	[ -z "${DISK:-}" ] || losetup -d "$DISK"
	[ -z "${IMAGE:-}" ] || rm -f "$IMAGE"
}

@test "io-max: what the kernel shows of it, by path and by numbers" {
	requires limits loop
	alone_in blkio
	make_disk
	local name
	ln -s "$DISK" "$BATS_TEST_TMPDIR/a:b"
	for name in "$DISK" "$NUMBERS" "$BATS_TEST_TMPDIR/a:b"; do
		if on_v1 blkio; then
			assert_shown "$NUMBERS 1572864" blkio.throttle.read_bps_device - --io-max "$name:rbps=1.5M,wbps=1M,riops=50,wiops=60"
			assert_shown "$NUMBERS 1048576" blkio.throttle.write_bps_device - --io-max "$name:rbps=1.5M,wbps=1M,riops=50,wiops=60"
			assert_shown "$NUMBERS 50" blkio.throttle.read_iops_device - --io-max "$name:rbps=1.5M,wbps=1M,riops=50,wiops=60"
			assert_shown "$NUMBERS 60" blkio.throttle.write_iops_device - --io-max "$name:rbps=1.5M,wbps=1M,riops=50,wiops=60"
		else
			assert_shown "$NUMBERS rbps=1572864 wbps=1048576 riops=50 wiops=60" - io.max --io-max "$name:rbps=1.5M,wbps=1M,riops=50,wiops=60"
			assert_shown "$NUMBERS rbps=max wbps=1048576 riops=max wiops=max" - io.max --io-max "$name:wbps=1M"
		fi
	done
	assert_shown '' blkio.throttle.write_bps_device io.max --io-max "$DISK:wbps=max"
	remove_disk
}

@test "io-max: two disks, each with its own" {
	requires limits loop
	alone_in blkio
	make_disk
	local first=$DISK first_image=$IMAGE numbers=$NUMBERS
	# The name of a file is in use, and a second one is to be had all the same.
	BATS_TEST_NUMBER=$BATS_TEST_NUMBER-2 make_disk
	run --separate-stderr "${ALONE[@]}" cgrun --io-max "$first:wbps=1M" --io-max "$DISK:wbps=2M" bash -c 'shown blkio.throttle.write_bps_device io.max'
	remove_disk
	DISK=$first IMAGE=$first_image
	assert_status 0
	[ "${#lines[@]}" = 2 ]
	grep -qE "^$numbers (.*wbps=)?1048576\b" <<<"$output"
	grep -qE "^$NUMBERS (.*wbps=)?2097152\b" <<<"$output"
}

# milliseconds COMMAND...: how long it takes, in TOOK.
milliseconds() {
	local before=${EPOCHREALTIME/./}
	"$@" || return
	TOOK=$(((${EPOCHREALTIME/./} - before) / 1000))
}

@test "io-max: a direct write is as slow as that, a read that is not limited is not" {
	requires limits loop
	alone_in blkio
	make_disk
	local slow
	milliseconds "${ALONE[@]}" cgrun --io-max "$DISK:wbps=1M" dd if=/dev/zero of="$DISK" bs=256K count=8 oflag=direct
	[ "$TOOK" -ge 1500 ]
	slow=$TOOK
	milliseconds "${ALONE[@]}" cgrun --io-max "$NUMBERS:wbps=1M" dd if="$DISK" of=/dev/null bs=256K count=8 iflag=direct
	[ "$TOOK" -lt "$slow" ]
	# 30 operations, 20 of them a second.
	milliseconds "${ALONE[@]}" cgrun --io-max "$DISK:riops=20" dd if="$DISK" of=/dev/null bs=4K count=30 iflag=direct
	[ "$TOOK" -ge 1000 ]
}

@test "io-max: a partition, a file, a directory, what is no disk at all" {
	requires limits loop
	alone_in blkio
	make_disk
	local partition
	addpart "$DISK" 1 2048 8192
	partition=$(cat "/sys/class/block/${DISK#/dev/}p1/dev")
	assert_refuses 'a partition cannot be limited' "${ALONE[@]}" cgrun --io-max "$partition:wbps=1M" "${UNREACHED[@]}"
	assert_refuses 'not a block device' "${ALONE[@]}" cgrun --io-max "$IMAGE:wbps=1M" "${UNREACHED[@]}"
	assert_refuses 'not a block device' "${ALONE[@]}" cgrun --io-max "/dev/null:wbps=1M" "${UNREACHED[@]}"
	assert_refuses 'not a block device' "${ALONE[@]}" cgrun --io-max "/:wbps=1M" "${UNREACHED[@]}"
	assert_refuses '/nonexistent/disk' "${ALONE[@]}" cgrun --io-max "/nonexistent/disk:wbps=1M" "${UNREACHED[@]}"
	assert_refuses '4094:7' "${ALONE[@]}" cgrun --io-max "4094:7:wbps=1M" "${UNREACHED[@]}"
	nothing_left
}

@test "io-weight: where the scheduler has it" {
	requires limits root
	alone_in blkio
	local file
	for file in io.weight io.bfq.weight blkio.bfq.weight blkio.weight; do
		[ -e "$(alone_at blkio)/$file" ] || continue
		assert_shown "$(grep -q default "$(alone_at blkio)/$file" && echo 'default ')300" "$file" "$file" --io-weight 300
		return
	done
	assert_refuses weight "${ALONE[@]}" cgrun --io-weight 300 "${UNREACHED[@]}"
	run --separate-stderr "${ALONE[@]}" cgrun --try-io-weight 300 echo ran
	assert_status 0
	assert_output ran
	nothing_left
}

# --- huge pages ---

# Where the own group is the topmost one, version 2 may have the controller there and hand it down to nobody but cgrun.
prepare_hugetlb() {
	[ -e "$(alone_at hugetlb)/hugetlb.2MB.$(on_v1 hugetlb && echo limit_in_bytes || echo max)" ] || ALONE=()
	run "${ALONE[@]}" cgrun --hugetlb 2M:4M true
	[ "$status" = 0 ] || skip "needs the controller hugetlb for pages of 2 megabytes"
}

@test "hugetlb: in use and reserved" {
	requires limits root
	alone_in hugetlb
	prepare_hugetlb
	local before
	before=$(cat "$(own_cgroup v2)/cgroup.subtree_control" 2>/dev/null || true)
	run --separate-stderr "${ALONE[@]}" cgrun --hugetlb 2M:4M bash -c 'shown hugetlb.2MB.limit_in_bytes hugetlb.2MB.max; shown hugetlb.2MB.rsvd.limit_in_bytes hugetlb.2MB.rsvd.max'
	assert_status 0
	assert_output $'4194304\n4194304'
	# The kernel rounds down to pages.
	run --separate-stderr "${ALONE[@]}" cgrun --hugetlb 2M:5M bash -c 'shown hugetlb.2MB.limit_in_bytes hugetlb.2MB.max'
	assert_status 0
	assert_output 4194304
	assert_refuses 'hugetlb.4MB' "${ALONE[@]}" cgrun --hugetlb 4M:1G "${UNREACHED[@]}"
	run "${ALONE[@]}" cgrun --try-hugetlb 4M:1G true
	assert_status 0
	[ "$(cat "$(own_cgroup v2)/cgroup.subtree_control" 2>/dev/null || true)" = "$before" ]
	nothing_left
}

@test "hugetlb: a mapping beyond it is refused" {
	requires limits root python3
	alone_in hugetlb
	prepare_hugetlb
	HUGE_BEFORE=$(cat /proc/sys/vm/nr_hugepages)
	echo $((HUGE_BEFORE + 4)) >/proc/sys/vm/nr_hugepages
	[ "$(cat /proc/sys/vm/nr_hugepages)" -ge $((HUGE_BEFORE + 4)) ] || skip "needs eight megabytes in huge pages"
	# MAP_HUGETLB
	local map='import mmap, sys
m = mmap.mmap(-1, int(sys.argv[1]) << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000)
m[0] = 1
print("mapped")'
	run --separate-stderr "${ALONE[@]}" cgrun --hugetlb 2M:4M python3 -c "$map" 4
	assert_status 0
	assert_output mapped
	run --separate-stderr "${ALONE[@]}" cgrun --hugetlb 2M:4M python3 -c "$map" 6
	assert_status 1
	assert_says 'Cannot allocate memory'
	run --separate-stderr "${ALONE[@]}" cgrun python3 -c "$map" 6
	assert_output mapped
}

# --- devices ---

# Tries with a character device; each writes what it could.
DEVICES='
	try() { ("$@") && echo "$1"; }
	null_read() { : </dev/null; }
	null_write() { : >/dev/null; }
	zero_read() { : </dev/zero; }
	zero_write() { : >/dev/zero; }
	null_node() { mknod "$1/null" c 1 3; }
	zero_node() { mknod "$1/zero" c 1 5; }
	pipe_node() { mknod "$1/pipe" p; }
	for what in null_read null_write zero_read zero_write; do try "$what"; done
	for what in null_node zero_node pipe_node; do try "$what" "$1"; done'

# could EXPECTED OPTION...: what of the above COMMAND can do, by version 2 and by version 1.
could() {
	local expected=$1 directory way
	shift
	for way in v2 v1; do
		directory=$(mktemp -d "$BATS_TEST_TMPDIR/nodes.XXXXXX")
		if [ "$way" = v2 ]; then
			has unified || continue
			run --separate-stderr "${ALONE[@]}" cgrun "$@" bash -c "$DEVICES" bash "$directory"
		else
			has pure_v1 || continue
			run --separate-stderr "${ALONE[@]}" "${ON_V1[@]}" cgrun "$@" bash -c "$DEVICES" bash "$directory"
		fi
		assert_output "${expected// /$'\n'}" || {
			echo "by $way with $*: status $status"
			return 1
		}
		nothing_left
	done
}

@test "devices: those that are allowed and no others" {
	requires limits root
	alone_in devices freezer
	local all='null_read null_write zero_read zero_write null_node zero_node pipe_node'
	could "$all"
	could 'pipe_node' --device-deny all
	could 'null_read null_write null_node pipe_node' --device-allow /dev/null
	could 'null_read null_write null_node pipe_node' --device-deny all --device-allow c:1:3
	could 'null_read null_write pipe_node' --device-allow c:1:3:rw
	could 'null_read pipe_node' --device-allow /dev/null:r
	could 'null_write zero_read zero_write pipe_node' --device-allow /dev/null:w --device-allow c:1:5:rw
	could 'null_read null_write pipe_node' --device-allow c:1:3:r --device-allow /dev/null:w
	could "$all" --device-allow 'c:1:*'
	could 'null_node zero_node pipe_node' --device-allow 'c:*:*:m'
	could 'pipe_node' --device-allow 'b:*:*'
}

@test "devices: all but those that are denied" {
	requires limits root
	alone_in devices freezer
	could 'null_read null_write null_node pipe_node' --device-deny /dev/zero
	could 'null_read null_write null_node zero_node pipe_node' --device-deny c:1:5:rw
	could 'null_read null_write zero_read null_node zero_node pipe_node' --device-deny c:1:5:w
	could 'null_read null_write zero_read zero_write null_node pipe_node' --device-deny c:1:5:m
	could 'zero_read zero_write zero_node pipe_node' --device-deny /dev/null
}

@test "devices: a block device is another one than a character device of the same numbers" {
	requires limits loop
	alone_in devices freezer
	make_disk
	local version way=()
	for version in 2 1; do
		if [ "$version" = 1 ]; then
			has pure_v1 || continue
			way=("${ON_V1[@]}")
		fi
		run -0 "${ALONE[@]}" "${way[@]}" cgrun --device-allow "$DISK" dd if="$DISK" of="$BATS_TEST_TMPDIR/byte" count=1
		run -0 "${ALONE[@]}" "${way[@]}" cgrun --device-allow "b:$NUMBERS:r" dd if="$DISK" of="$BATS_TEST_TMPDIR/byte" count=1
		run -1 "${ALONE[@]}" "${way[@]}" cgrun --device-allow "b:$NUMBERS:r" dd of="$DISK" if=/proc/version count=1
		assert_says 'Operation not permitted'
		run -1 "${ALONE[@]}" "${way[@]}" cgrun --device-allow "c:$NUMBERS" dd if="$DISK" of="$BATS_TEST_TMPDIR/byte" count=1
		assert_says 'Operation not permitted'
		run -1 "${ALONE[@]}" "${way[@]}" cgrun --device-deny "$DISK" dd if="$DISK" of="$BATS_TEST_TMPDIR/byte" count=1
		assert_says 'Operation not permitted'
	done
}

@test "devices: in a group below they are denied as well, whatever is allowed there" {
	requires limits root
	alone_in devices freezer
	could 'pipe_node' --device-allow c:1:3:rw cgrun --device-deny /dev/null
	could 'null_read pipe_node' --device-allow c:1:3:r cgrun
	could 'zero_read pipe_node' --device-deny /dev/null cgrun --device-allow c:1:5:r
	if has unified; then
		run --separate-stderr "${ALONE[@]}" cgrun --device-deny /dev/zero cgrun --device-allow /dev/zero sh -c ': </dev/zero'
		[ "$status" -ne 0 ]
		assert_says 'Operation not permitted'
	fi
	if has pure_v1; then
		assert_refuses 'no group can allow what the one above it does not' "${ALONE[@]}" "${ON_V1[@]}" cgrun --device-allow /dev/null \
			cgrun --device-allow /dev/zero "${UNREACHED[@]}"
	fi
	nothing_left
}

@test "devices: rules that are none, and that do not go together" {
	local rule
	for rule in '' x null 1:3 c:1 c:1:3: c:1:3:x c:1:3:rr c:1:3:rw:m d:1:3 c:x:3 c:4096:0 c:0:1048576 c:-1:3 /nonexistent/device /etc/passwd /dev/null:x /; do
		assert_refuses "'$rule'" cgrun --device-allow "$rule" "${UNREACHED[@]}"
		assert_refuses "'$rule'" cgrun --device-deny "$rule" "${UNREACHED[@]}"
	done
	assert_refuses "'all'" cgrun --device-allow all "${UNREACHED[@]}"
	assert_refuses 'one list' cgrun --device-allow /dev/null --device-deny /dev/zero "${UNREACHED[@]}"
	assert_refuses 'one list' cgrun --device-deny /dev/zero --device-allow /dev/null "${UNREACHED[@]}"
	assert_refuses 'one list' cgrun --device-deny all --device-deny /dev/zero "${UNREACHED[@]}"
}

@test "devices: without privilege none are limited, and COMMAND does not run" {
	requires limits root setpriv
	local group
	for group in "${ALONE_GROUPS[@]}"; do
		chown -R 65534:65534 "$group"
	done
	exec 9<"$BIN/cgrun"
	assert_refuses CAP_SYS_ADMIN "${ALONE[@]}" setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
		/proc/self/fd/9 --device-deny all "${UNREACHED[@]}"
	exec 9<&-
	nothing_left
}

# --- try ---

@test "try: a limit that can be had is in force" {
	requires limits
	assert_shown 67108864 memory.limit_in_bytes memory.max --try-memory 64M
	assert_shown 33 pids.max pids.max --try-pids=33
	assert_shown 44 pids.max pids.max --try-set pids.max=44
	run --separate-stderr "${ALONE[@]}" cgrun -c 1 --try-memory 64M -p 22 bash -c 'shown memory.limit_in_bytes memory.max; shown pids.max pids.max'
	assert_output $'67108864\n22'
	[ -z "$stderr" ]
}

@test "try: one that cannot be had is said, and COMMAND runs with the others" {
	requires limits
	local option
	alone_in cpuset blkio
	for option in --try-set=nosuch.max=1 --try-set=pids.nosuchfile=1 --try-set=pids.max=nonsense --try-cpuset=8000 --try-io-max=4094:7:rbps=1M \
		"--try-$(on_v1 memory && echo memory-min=1M || echo swappiness=1)"; do
		run --separate-stderr "${ALONE[@]}" cgrun "$option" -p 20 bash -c 'shown pids.max pids.max'
		assert_status 0
		assert_output 20
		[ -n "$stderr" ] || {
			echo "nothing said with $option"
			return 1
		}
		nothing_left
		# Without the try.
		assert_refuses '' "${ALONE[@]}" cgrun "${option/--try-/--}" -p 20 "${UNREACHED[@]}"
		nothing_left
	done
}

@test "try: a limit that only pretends to hold is said as well" {
	requires limits strace
	local n said=0
	for ((n = 1; n < 12; n++)); do
		run strace -qq -o "$BATS_TEST_TMPDIR/log" -e signal=none -e trace=write -e "inject=write:retval=8:when=$n" "${ALONE[@]}" \
			cgrun --try-memory 64M bash -c 'shown memory.limit_in_bytes memory.max'
		grep -q 'write(.*"67108864", 8) *= 8 (INJECTED)' "$BATS_TEST_TMPDIR/log" || continue
		assert_status 0
		[[ $output != 67108864 ]]
		assert_says 'memory.'
		said=$((said + 1))
	done
	[ "$said" -ge 1 ]
}

# --- the group ---

@test "COMMAND's first instruction is inside: every setting and entry comes before its exec (R13)" {
	requires limits strace
	local log=$BATS_TEST_TMPDIR/log
	strace -f -qq -e trace=write,execve,clone3 -e signal=none -o "$log" "${ALONE[@]}" cgrun -m 64M -p 20 env - "$(command -v sh)" -c :
	# cgrun's own exec is the second one, that of env the third successful one.
	awk '/execve\(.*= 0$/ { execs++ } /write\(.*"(67108864|20|0)"/ { if (execs == 2) before++; else other++ } END { exit !(before >= 2 && !other) }' "$log"
	# Into each of the groups; on version 2 it is born there, and "0" is how cgrun stands aside before.
	local entered entry=CLONE_INTO_CGROUP
	! on_v1 memory || entry='CLONE_INTO_CGROUP|write\(.*"0"'
	entered=$(grep -cE 'write\(.*"0"' "$log" || true)
	! on_v1 memory || [ "$entered" -ge 1 ]
	# And no limit comes after that.
	ENTRY=$entry awk '$0 ~ ENVIRON["ENTRY"] { inside = 1 } /write\(.*"(67108864|20)"/ && inside { print; late = 1 } END { exit late }' "$log"
}

@test "the group is below the caller's own, in the hierarchy of each limit, and gone afterwards" {
	requires limits
	run --separate-stderr "${ALONE[@]}" cgrun -m 64M -p 20 cat /proc/self/cgroup
	assert_status 0
	[ "$(grep -c "/nschain-test-$$-$BATS_TEST_NUMBER/cgrun-[^/]*\$" <<<"$output")" -ge 1 ]
	local controller
	for controller in memory pids; do
		if on_v1 "$controller"; then
			grep -q ":$controller:.*/nschain-test-$$-$BATS_TEST_NUMBER/cgrun-[^/]*\$" <<<"$output"
		else
			grep -q "^0::.*/nschain-test-$$-$BATS_TEST_NUMBER/cgrun-[^/]*\$" <<<"$output"
		fi
	done
	# One name in all of them.
	[ "$(grep -o 'cgrun-[^/]*$' <<<"$output" | sort -u | wc -l)" = 1 ]
	nothing_left
}

@test "no limit at all: a group of its own all the same" {
	requires limits
	run --separate-stderr "${ALONE[@]}" cgrun cat /proc/self/cgroup
	assert_status 0
	[ "$(grep -c "/nschain-test-$$-$BATS_TEST_NUMBER/cgrun-[^/]*\$" <<<"$output")" = 1 ]
	nothing_left
}

@test "version 2: what was enabled above is put back" {
	requires limits cgroup_v2
	local group=${ALONE_GROUPS[-1]} before
	before=$(cat "$group/cgroup.subtree_control" "$group/cgroup.type")
	run "${ALONE[@]}" cgrun -m 64M -p 20 -c 1 true
	assert_status 0
	[ "$(cat "$group/cgroup.subtree_control" "$group/cgroup.type")" = "$before" ]
	nothing_left
}

@test "version 2: beside other processes it refuses and leaves the group's type alone (R12)" {
	requires limits cgroup_v2
	local group=${ALONE_GROUPS[-1]}
	"${ALONE[@]}" sleep 1000 3>&- &
	echo $! >>"$PIDS"
	eventually grep -q . "$group/cgroup.procs"
	assert_refuses 'holds other processes' "${ALONE[@]}" cgrun -m 64M -p 20 "${UNREACHED[@]}"
	[ "$(cat "$group/cgroup.type")" = domain ]
	[ -z "$(cat "$group/cgroup.subtree_control")" ]
	# Without a limit nothing has to be enabled.
	run "${ALONE[@]}" cgrun true
	assert_status 0
}

@test "version 1: a process enters by tasks, never by cgroup.procs (R13)" {
	requires limits cgroup_v1 strace
	local log=$BATS_TEST_TMPDIR/log
	strace -f -qq -e trace=openat,write -e signal=none -o "$log" "${ALONE[@]}" cgrun -m 64M -p 20 true
	grep -q 'openat([0-9]*, "tasks", O_WRONLY.*= [0-9]' "$log"
	run -1 grep -F '"cgroup.procs", O_WRONLY' "$log"
}

@test "version 1: COMMAND does not run if its group vanishes before it is in it (R13)" {
	requires limits cgroup_v1 strace
	local group pid
	# The first write of each process waits: that of the child is its entry.
	strace -f -qq -o /dev/null -e trace=write -e inject=write:delay_enter=400000:when=1 "${ALONE[@]}" cgrun -m 64M "${UNREACHED[@]}" 3>&- &
	pid=$!
	echo "$pid" >>"$PIDS"
	limited() {
		for group in "${ALONE_GROUPS[0]}"/cgrun-*; do
			[ "$(cat "$group/memory.limit_in_bytes" 2>/dev/null)" = 67108864 ] && return
		done
		return 1
	}
	eventually limited
	eventually rmdir "$group"
	wait "$pid" || status=$?
	assert_status 125
	[ ! -e "${UNREACHED[4]}" ]
	eventually nothing_left
}

# --- what fails ---

# A COMMAND that makes the directory "good" in $3 if it is in a group with the limits, "bad" if not, without a single write(2).
JUDGE='
	while IFS=: read -r _ _ path; do
		case $path in */cgrun-*) name=${path##*/} ;; esac
	done </proc/self/cgroup
	shown() { [ -e "$1/$name/$2" ] && read -r value <"$1/$name/$2" && [ "$value" = "$3" ]; }
	for group; do
		shown "$group" memory.max 67108864 || shown "$group" memory.limit_in_bytes 67108864 && memory=1
		shown "$group" pids.max 20 && pids=1
	done
	[ "$memory$pids" = 11 ] && exec mkdir "$GOOD"
	exec mkdir "$BAD"'

# nothing_left, or on version 2 no more than the empty group that cgrun waited in, if putting back what it changed above is what failed.
little_left() {
	local group
	nothing_left && return
	grep -q INJECTED "$BATS_TEST_TMPDIR/log" || return 1
	group=$(find "${ALONE_GROUPS[@]}" -mindepth 1 -type d)
	[ -n "$group" ] && [ -z "${group##*.self}" ] && rmdir "$group" && remove_alone && prepare_alone
}

# judge STRACE_OPTION...: runs cgrun under strace with an injection.
judge() {
	export GOOD=$BATS_TEST_TMPDIR/good BAD=$BATS_TEST_TMPDIR/bad
	rm -rf "$GOOD" "$BAD"
	run timeout 20 strace -qq -o "$BATS_TEST_TMPDIR/log" -e signal=none "$@" "${ALONE[@]}" \
		cgrun -m 64M -p 20 bash -c "$JUDGE" bash "${ALONE_GROUPS[@]}"
	if [ "$status" = 124 ] || [ -e "$BAD" ] || ! eventually little_left; then
		echo "status $status with $*"
		cat "$BATS_TEST_TMPDIR/log"
		return 1
	fi
}

@test "each write to a cgroup file fails once: COMMAND does not run outside its limits, no group is left (S38, R13)" {
	requires limits strace
	local error n refused=0
	judge -f -e trace=write
	[ -e "$GOOD" ]
	for error in EIO EACCES; do
		for ((n = 1; n < 30; n++)); do
			judge -f -e trace=write -e "inject=write:error=$error:when=$n"
			grep -q INJECTED "$BATS_TEST_TMPDIR/log" || break
			if [ ! -e "$GOOD" ]; then
				assert_status 125
				refused=$((refused + 1))
			fi
		done
		[ "$n" -lt 30 ]
	done
	[ "$refused" -ge 4 ]
}

@test "each write that only pretends to succeed is found by reading back (S38, R13)" {
	requires limits strace
	local n pretended=0
	for ((n = 1; n < 10; n++)); do
		export GOOD=$BATS_TEST_TMPDIR/good
		rm -rf "$GOOD"
		run strace -qq -o "$BATS_TEST_TMPDIR/log" -e signal=none -e trace=write -e "inject=write:retval=8:when=$n" "${ALONE[@]}" \
			cgrun -m 64M mkdir "$GOOD"
		grep -q 'write(.*"67108864", 8) *= 8 (INJECTED)' "$BATS_TEST_TMPDIR/log" || continue
		pretended=$((pretended + 1))
		assert_status 125
		[ ! -e "$GOOD" ]
		nothing_left
	done
	[ "$pretended" -ge 1 ]
}

@test "version 1: an entry that only pretends to succeed is found by reading back (R13)" {
	requires limits cgroup_v1 strace
	local controller
	# The path as it is where cgrun has made a mount of its own of the group above.
	for controller in memory pids; do
		assert_refuses 'does not list this process' strace -f -qq -o "$BATS_TEST_TMPDIR/log" -e signal=none \
			-P "$(alone_at "$controller")/box/tasks" -P /box/tasks \
			-e trace=write -e inject=write:retval=1 "${ALONE[@]}" cgrun -n box -m 64M -p 20 "${UNREACHED[@]}"
		grep -q 'INJECTED' "$BATS_TEST_TMPDIR/log"
		nothing_left
	done
}

@test "fork, birth in the group, and mkdir fail: COMMAND does not run outside its limits, no group is left (R13, R17)" {
	requires limits strace
	local call name n
	# -f: of the child and the watcher as well, where COMMAND itself makes no such call.
	for call in '-f clone3:EAGAIN' '-f clone3:E2BIG' '-f clone3:ENOSYS' '-f clone3:EBUSY' '-f prctl:EINVAL' '-f pidfd_open:EMFILE' '-f poll:EINTR' \
		mkdirat:ENOSPC mkdirat:EACCES openat:EMFILE openat:EACCES read:EIO; do
		name=${call#-f }
		for ((n = 1; n < 50; n += ${THIN:-1})); do
			# shellcheck disable=SC2086 # -f or nothing
			judge ${call%"$name"} -e "trace=${name%:*}" -e "inject=${name%:*}:error=${name#*:}:when=$n"
			grep -q INJECTED "$BATS_TEST_TMPDIR/log" || break
		done
		[ "$n" -gt 1 ]
	done
}

@test "sizes and numbers that are none (S08)" {
	local value
	for value in 10X -1 '' 0 1.5 99999999999G ' 1M' '1M ' +1M 0x10 1MB 1.M .5G 1.2345G 18446744073709551616 1e6 \
		MAX maximum % 0% 101% -5% 50%% 5.5555% '50 %'; do
		assert_refuses "'$value'" cgrun -m "$value" "${UNREACHED[@]}"
	done
	for value in 10X -1 '' 1.5 99999999999G; do
		assert_refuses "'$value'" cgrun -m 64M --swap "$value" "${UNREACHED[@]}"
	done
	for value in 0 -1 '' x 0.001 0.000001 1. .5 ' 1' 1e3 99999999999999999999; do
		assert_refuses "'$value'" cgrun -c "$value" "${UNREACHED[@]}"
	done
	for value in 0 -1 '' x 1.5 4194305 10k 50%; do
		assert_refuses "'$value'" cgrun -p "$value" "${UNREACHED[@]}"
	done
}

@test "weights, bursts, lists and rates that are none (S08)" {
	local value
	for value in 0 10001 -1 '' x 1.5 max; do
		assert_refuses "'$value'" cgrun --cpu-weight "$value" "${UNREACHED[@]}"
		assert_refuses "'$value'" cgrun --io-weight "$value" "${UNREACHED[@]}"
	done
	for value in -1 '' x 1.5 4294967296; do
		assert_refuses "'$value'" cgrun -c 1 --cpu-burst "$value" "${UNREACHED[@]}"
	done
	for value in 201 -1 '' x; do
		assert_refuses "'$value'" cgrun --swappiness "$value" "${UNREACHED[@]}"
	done
	for value in '' x 3-1 '0,' ',0' 0-8192 -1 0--1 '0 1'; do
		assert_refuses "'$value'" cgrun --cpuset "$value" "${UNREACHED[@]}"
		assert_refuses "'$value'" cgrun --mems "$value" "${UNREACHED[@]}"
	done
	for value in '' 7:0 7:0: rbps=1 :rbps=1M 7:0:rbps 7:0:rbps= 7:0:rbps=0 7:0:rbps=1,rbps=2 7:0:bps=1 7:0:riops=1M '7:0:rbps=1M,' 7:0:RBPS=1; do
		assert_refuses "'$value'" cgrun --io-max "$value" "${UNREACHED[@]}"
	done
	for value in '' 2M 2M: :1G 0:1G x:1G 2M:x 2M:50%; do
		assert_refuses "'$value'" cgrun --hugetlb "$value" "${UNREACHED[@]}"
	done
	# With a try, too: it is about what the kernel has, not about what is no number.
	assert_refuses "'x'" cgrun --try-memory x "${UNREACHED[@]}"
	assert_refuses "'0'" cgrun --try-pids 0 "${UNREACHED[@]}"
}

@test "--swap without --memory, --cpu-burst without --cpus" {
	assert_refuses --memory cgrun --swap 1M "${UNREACHED[@]}"
	assert_refuses --cpus cgrun --cpu-burst 1000 "${UNREACHED[@]}"
}

@test "--try-LIMIT is for limits alone, and for all of them" {
	local option
	for option in name=x parent=x join=x delegate=1 device-allow=all device-deny=all stats json gc keep freeze help; do
		assert_refuses "--try-${option%=*}" cgrun "--try-$option" "${UNREACHED[@]}"
	done
	for option in $(cgrun --help | sed -n '/^Limits/,/^Devices/s/^.*--\([a-z-]*\)=.*/\1/p'); do
		# A value that is none shows that the option is one.
		assert_refuses "--try-$option" cgrun "--try-$option=" "${UNREACHED[@]}"
		assert_says "''"
	done
	assert_refuses "takes no" cgrun --try-oom-group=1 "${UNREACHED[@]}"
}

@test "--set: no file of a cgroup" {
	local value
	for value in x memory =1 '' memory=1 ../memory.max=1 memory.max/../../x=1 /sys/fs/cgroup/memory.max=1 a/b.c=1 \
		cgroup.procs=1 cgroup.kill=1 cgroup.freeze=1 cgroup.type=threaded cgroup.subtree_control=+memory pids.max=; do
		assert_refuses --set cgrun --set "$value" "${UNREACHED[@]}"
	done
}

@test "--set: a file that is not there" {
	requires limits
	assert_refuses 'pids.nosuchfile' "${ALONE[@]}" cgrun --set pids.nosuchfile=1 "${UNREACHED[@]}"
	nothing_left
}

@test "--set: a value that the kernel refuses" {
	requires limits
	assert_refuses 'pids.max' "${ALONE[@]}" cgrun --set pids.max=nonsense "${UNREACHED[@]}"
	nothing_left
	assert_refuses 'pids.max' "${ALONE[@]}" cgrun --set pids.max=-7 "${UNREACHED[@]}"
	nothing_left
}

@test "a controller that is not here is named" {
	local v2
	v2=$(own_cgroup v2) || true
	assert_refuses "'nosuch'" cgrun --set nosuch.max=1 "${UNREACHED[@]}"
	if ! on_v1 rdma && ! grep -qsw rdma "$v2/cgroup.controllers"; then
		assert_refuses "'rdma'" cgrun --set 'rdma.max=mlx4_0 hca_handle=2' "${UNREACHED[@]}"
	fi
}

@test "version 2: a controller that the group above does not hand down is told from one that is not there" {
	requires limits cgroup_v2
	local group=${ALONE_GROUPS[-1]}
	mkdir "$group/below"
	assert_refuses "'$group' has it and does not hand it down" inside "$group/below" cgrun -m 64M "${UNREACHED[@]}"
	run --separate-stderr inside "$group/below" cgrun --try-memory 64M echo ran
	assert_status 0
	assert_output ran
	[ -z "$(ls -d "$group"/below/*/ 2>/dev/null)" ]
}

@test "cpus: more than the group above has is the kernel's to judge" {
	requires limits
	run --separate-stderr "${ALONE[@]}" cgrun -c 1 cgrun -c 2 bash -c 'shown cpu.cfs_quota_us cpu.max'
	if on_v1 cpu; then
		assert_status 125
		assert_says 'a limit of a group above'
	else
		assert_status 0
		assert_output '200000 100000'
	fi
	nothing_left
}

@test "a cgroup file system that is read-only is named" {
	requires limits root
	assert_refuses 'read-only' unshare -m sh -c '
		for mount in $(findmnt -rnt cgroup,cgroup2 -o TARGET); do mount -o remount,bind,ro "$mount" || exit; done
		exec "$@"' sh cgrun -p 20 "${UNREACHED[@]}"
}

@test "no permission: 125, nothing made, and the line that would delegate a group" {
	requires rootless
	if cgrun true 2>/dev/null; then
		skip "needs a group that is not the caller's"
	fi
	assert_refuses 'systemd-run --user --scope -p Delegate=yes' cgrun -m 64M "${UNREACHED[@]}"
}

@test "no permission to write a limit: 125, no group left" {
	requires limits root
	assert_refuses 'memory' "${ALONE[@]}" nsnew -r capjail --drop dac_override setpriv --reuid 0 cgrun -m 9000P "${UNREACHED[@]}"
	nothing_left
}
