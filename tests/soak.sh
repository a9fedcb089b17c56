#!/usr/bin/env bash
# tests/soak.sh: starts containers for as long as it takes to see what a single one leaves behind: chains of all links, several at a time,
# some of whose processes are killed at random moments, and then many containers at once. Fails if a process, a mount, a cgroup, a pin or an
# open file is left, or memory is lost.
#   SOAK_CHAINS     how many chains (10000)
#   SOAK_PARALLEL   how many at a time (8)
#   SOAK_KILLED     how many of a hundred are killed (25)
#   SOAK_ALIVE      how many containers at once (1000)
# NSCHAIN_BIN and NSCHAIN_HELPERS are the directories of the links and of the tests' own programs. Needs root.
set -euo pipefail

repository=$(cd "$(dirname "$0")/.." && pwd)
bin=${NSCHAIN_BIN:-$repository/build/release/bin}
helpers=${NSCHAIN_HELPERS:-$repository/build/release/helpers}
export PATH=$bin:$helpers:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
chains=${SOAK_CHAINS:-10000} parallel=${SOAK_PARALLEL:-8} killed=${SOAK_KILLED:-25} containers=${SOAK_ALIVE:-1000}
test_id=${TEST_ID:-54321}

if [[ $EUID -ne 0 ]]; then
	echo 'soak.sh: needs root' >&2
	exit 1
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/nschain-soak.XXXXXX")
trap 'cgrun --gc || true; rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT TERM HUP
chmod 755 "$work"
root=$work/root
mkdir -p "$root"/{bin,dev,proc,sys,tmp} "$work/pins"
cp "$helpers/soak" "$root/bin/soak"

mounts() {
	cut -d ' ' -f 3-5 /proc/self/mountinfo | sort
}

cgroups() {
	findmnt -rnt cgroup,cgroup2 -o TARGET | while read -r mount; do
		find "$mount" -name 'cgrun-*' -type d 2>/dev/null || true
	done
}

# more_than BEFORE FUNCTION: how many lines FUNCTION prints that are not in BEFORE.
more_than() {
	comm -13 <(sort <<<"$1") <("$2" | sort) | wc -l
}

# Files that are open on the whole machine.
files() {
	cut -f 1 /proc/sys/fs/file-nr
}

# What the kernel holds and cannot give back, in KiB.
kernel_memory() {
	awk '/^(SUnreclaim|KernelStack|PageTables|Percpu):/ { sum += $2 } END { print sum }' /proc/meminfo
}

# settles FUNCTION MOST: the figure FUNCTION prints is MOST or less, now or within a minute: the kernel takes some things apart later.
settles() {
	local deadline=$((SECONDS + 60))
	while value=$("$1") && [[ $value -gt $2 ]]; do
		[[ $SECONDS -lt $deadline ]] || return 1
		read -rt 0.2 <> <(:) || true
	done
}

passed=0 failed=0
verdict() { # TEXT COMMAND...
	local text=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "not ok soak: $text"
	fi
}

count_left() {
	left_mounts=$(more_than "$before_mounts" mounts) left_groups=$(more_than "$before_cgroups" cgroups) pins=$(find "$work/pins" -mindepth 1 | wc -l)
	verdict "$left_mounts mounts are left" test "$left_mounts" -eq 0
	verdict "$left_groups cgroups are left" test "$left_groups" -eq 0
}

container=(nsnew -pmuin rootjail "$root" capjail --preset docker)
commands=(
	cgrun -m 64M "${container[@]}" /bin/soak exit ';'
	nsnew -pmuin --init rootjail --overlay "$root" capjail --drop all /bin/soak exit ';'
	cgrun -p 30 -c 0.5 capjail --drop chown rootjail "$root" /bin/soak exit ';'
	nsnew -rpmuin rootjail --tmpfs /tmp "$root" /bin/soak exit ';'
	nsjoin -t "$work/pins" -ni cgrun -m 64M nsnew -m rootjail --bare "$root" capjail --preset docker /bin/soak exit
)
rootless=(
	nsnew -rpmuin rootjail "$root" capjail --preset docker /bin/soak exit ';'
	nsnew -ra --init rootjail --overlay "$root" /bin/soak exit
)
as_user=(setpriv --reuid "$test_id" --regid "$test_id" --clear-groups --inh-caps=-all)

# --- chains, one after the other ---

before_mounts=$(mounts) before_cgroups=$(cgroups)
nsnew -niu --pin="$work/pins" true
soak $((chains / 20 + parallel)) "$parallel" "$killed" "${commands[@]}" >/dev/null
before_files=$(files) before_memory=$(kernel_memory)

SECONDS=0
read -r started ended wrong left < <(soak $((chains * 4 / 5)) "$parallel" "$killed" "${commands[@]}" || true)
read -r more more_ended more_wrong more_left < <("${as_user[@]}" soak $((chains - chains * 4 / 5)) "$parallel" "$killed" "${rootless[@]}" || true)
took=$SECONDS
started=$((started + more)) ended=$((ended + more_ended)) wrong=$((wrong + more_wrong)) left=$((left + more_left))
# Where cgrun was killed and then its watcher nobody was left to remove the group.
orphaned=$(more_than "$before_cgroups" cgroups)
cgrun --gc
nsnew --unpin="$work/pins"
verdict "$started chains were started and not $chains" test "$started" -eq "$chains"
verdict "$wrong chains ended with another status" test "$wrong" -eq 0
verdict "$left processes are left" test "$left" -eq 0
count_left
verdict "$pins pins are left" test "$pins" -eq 0
# The kernel counts open files by processor and in batches; other programs open some as well.
verdict 'open files are left' settles files $((before_files + 200))
lost_files=$((value - before_files))
# A namespace or a mount that is left costs some KiB.
verdict 'memory is lost' settles kernel_memory $((before_memory + 2048 + chains / 4))
lost_memory=$((value - before_memory))
printf 'soak: %d chains, %d at a time, %d killed, %d s, %d a second\n' "$started" "$parallel" "$ended" "$took" \
	$((started / (took > 0 ? took : 1)))
printf 'soak: left: %d processes, %d mounts, %d cgroups (%d before --gc), %d pins, %d open files, %d KiB\n' "$left" "$left_mounts" \
	"$left_groups" "$orphaned" "$pins" $((lost_files > 0 ? lost_files : 0)) $((lost_memory > 0 ? lost_memory : 0))

# --- many at once ---

before_files=$(files) SECONDS=0
read -r running pids mounts_seen nets each left < <(soak alive "$containers" cgrun -m 64M "${container[@]}" /bin/soak pause || true)
cgrun --gc
verdict "$running containers of $containers were alive" test "$running" -eq "$containers"
verdict "they are in $pids PID, $mounts_seen mount and $nets network namespaces" test "$pids $mounts_seen $nets" = "$running $running $running"
verdict "$left processes are left" test "$left" -eq 0
count_left
verdict 'open files are left' settles files $((before_files + 200))
printf 'soak: %d containers at once, %d KiB of memory each, %d s from the first to the last\n' "$running" "$each" "$SECONDS"

echo "$passed passed, $failed failed, 0 skipped"
[[ $failed -eq 0 ]]
