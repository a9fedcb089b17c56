# Loaded by every .bats file: where the programs are, what a test may require, how it waits, and a root file system.
# shellcheck shell=bash

# shellcheck disable=SC2034,SC2154,SC2016 # used by the tests, set by run of bats, and by the shell that is tested
bats_require_minimum_version 1.5.0

BIN=${NSCHAIN_BIN:-$PWD/build/release/bin}
HELPERS=${NSCHAIN_HELPERS:-$PWD/build/release/helpers}
PATH=$BIN:$HELPERS:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH LC_ALL=C
LINKS=(nsnew nsjoin cgrun capjail rootjail)
# The one that is not built with every C library.
[ ! -e "$BIN/nsmount" ] || LINKS+=(nsmount)

# In front of a link that needs privilege over namespaces: nothing as root, a user namespace otherwise.
if [ "$(id -u)" = 0 ]; then
	PRIVILEGED=()
else
	PRIVILEGED=(nsnew -r)
fi

# The directory of the caller's own group in the hierarchy of a controller ("v2" for version 2), empty if there is none.
own_cgroup() {
	local controller=$1 path mount
	if [ "$controller" = v2 ]; then
		path=$(sed -n 's/^0:://p' /proc/self/cgroup)
		mount=$(findmnt -rnt cgroup2 -o TARGET | head -n 1)
	else
		path=$(awk -F: -v c="$controller" '("," $2 ",") ~ ("," c ",") {print $3}' /proc/self/cgroup)
		mount=$(findmnt -rnt cgroup -O "$controller" -o TARGET | head -n 1)
	fi
	[ -n "$path" ] && [ -n "$mount" ] && echo "${mount}${path%/}"
}

has() {
	case $1 in
	root) [ "$(id -u)" = 0 ] ;;
	rootless) [ "$(id -u)" != 0 ] ;;
	userns) unshare -U true 2>/dev/null ;;
	# A group can be made and given limits by the caller.
	cgroup) cgrun true 2>/dev/null ;;
	memory) cgrun -m 64M true 2>/dev/null ;;
	# The same for a cgrun that is alone in its group, see prepare_alone.
	limits) "${ALONE[@]}" cgrun -m 64M -p 100 -c 1 true 2>/dev/null ;;
	# A set-user-ID file of the test takes effect.
	suid) [ "$(id -u)" = 0 ] && ! findmnt -no OPTIONS -T "$BATS_TEST_TMPDIR" | grep -qw nosuid && grep -q '^NoNewPrivs:.*0' /proc/self/status ;;
	# ALONE has a group on version 2, with controllers or without.
	unified) [ "${#ALONE_GROUPS[@]}" -gt 0 ] && [ -e "${ALONE_GROUPS[-1]}/cgroup.controllers" ] ;;
	# Version 1 has what it takes to do without version 2.
	pure_v1) [ "$(id -u)" = 0 ] && [ -n "$(own_cgroup freezer)" ] && [ -n "$(own_cgroup memory)" ] && unshare -m true 2>/dev/null ;;
	nsdelegate) findmnt -rnt cgroup2 -o OPTIONS | grep -qw nsdelegate ;;
	# A loop device can be had; its module may have to be loaded.
	loop) [ "$(id -u)" = 0 ] && { [ -e /dev/loop-control ] || modprobe loop 2>/dev/null; } && losetup -f >/dev/null 2>&1 ;;
	# An overlay of the caller's can mark a directory as removed: memory takes the attributes of a user only from Linux 6.6 on.
	removal) [ "$(id -u)" = 0 ] || python3 -c 'import os, tempfile
for place in "/dev/shm", os.environ["BATS_TEST_TMPDIR"]:
    with tempfile.NamedTemporaryFile(dir=place) as file: os.setxattr(file.name, "user.test", b"y")' 2>/dev/null ;;
	# The file system of the tests can show other ids than it has; tmpfs only from Linux 6.3 on.
	idmap) [ "$(id -u)" = 0 ] && [[ $(findmnt -nro FSTYPE -T "$BATS_TEST_TMPDIR") =~ ^(ext4|xfs|btrfs)$ ]] ;;
	two_cpus) [ "$(nproc)" -ge 2 ] ;;
	cgroup_v1) [ -n "$(own_cgroup memory)" ] ;;
	cgroup_v2) [ -n "$(own_cgroup v2)" ] && grep -qw memory "$(own_cgroup v2)/cgroup.controllers" ;;
	# Rules for devices: the controller of version 1, or BPF.
	devices) [ "$(id -u)" = 0 ] && cgrun --device-deny c:10:200 true 2>/dev/null ;;
	# Several namespaces can be joined at once, by a pidfd: Linux 5.8, and a filter may refuse it.
	setns_pidfd) python3 -c 'import ctypes, os
library = ctypes.CDLL(None, use_errno=True)
refused = library.setns(os.pidfd_open(os.getpid()), 0x0c000000) < 0
raise SystemExit(refused and ctypes.get_errno() == 22)' ;;
	# The links are those that make installs, and make no calls for the sake of tests.
	shipped) [ "${NSCHAIN_FLAVOUR:-release}" = release ] ;;
	# The links are static and need nothing of a root or its /proc; the runtime of the sanitizers does.
	static) [ "${NSCHAIN_FLAVOUR:-release}" != asan ] ;;
	# pidfds have inodes that no other process gets: Linux 6.9.
	pidfs) python3 -c 'import os; raise SystemExit(os.fstat(os.pidfd_open(1)).st_ino == os.fstat(os.pidfd_open(os.getpid())).st_ino)' ;;
	# In any other PID namespace links that wait copy themselves first: PROC_PID_INIT_INO of linux/proc_ns.h.
	first_pids) [ "$(readlink /proc/self/ns/pid)" = 'pid:[4026531836]' ] ;;
	time_namespace) [ -e /proc/self/ns/time ] ;;
	# A root made by debootstrap has none.
	hosts) [ -e /etc/hosts ] ;;
	subids) grep -q "^$(id -un):" /etc/subuid 2>/dev/null && command -v newuidmap >/dev/null ;;
	bash-completion) [ -e /usr/share/bash-completion/bash_completion ] ;;
	# Anything else in lower case is a program.
	*[!a-z0-9_-]*) return 2 ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

# requires WORD...: skips the test where one of them is missing, and fails it instead if MUST_RUN names that word.
requires() {
	local word
	for word in "$@"; do
		has "$word" && continue
		case " ${MUST_RUN:-} " in
		*" $word "*)
			echo "needs $word, which MUST_RUN says is here"
			return 1
			;;
		esac
		skip "needs $word"
	done
}

# eventually COMMAND...: waits up to ten seconds until COMMAND succeeds.
eventually() {
	local deadline=$((SECONDS + 10))
	until "$@"; do
		[ "$SECONDS" -lt "$deadline" ] || {
			echo "not within 10 seconds: $*"
			return 1
		}
		read -rt 0.02 <> <(:) || true
	done
}

# times COUNT: COUNT, or ROUNDS if that is less: how often a test repeats what may go wrong at random.
times() {
	echo "$((${ROUNDS:-$1} < $1 ? ROUNDS : $1))"
}

# is_gone PID: the process has ended; a zombie that nobody has reaped yet counts as ended.
is_gone() {
	local state
	state=$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) || return 0
	[ -z "$state" ] || [ "$state" = Z ]
}

# no_groups: no cgroup made by cgrun is left below the caller's own ones.
no_groups() {
	local mount
	for mount in $(findmnt -rnt cgroup,cgroup2 -o TARGET); do
		[ -z "$(find "$mount" -maxdepth 6 -name 'cgrun-*' 2>/dev/null)" ] || return 1
	done
}

# group_places [CONTROLLER]...: where a test makes groups: in each hierarchy of a limit, and of CONTROLLER, the caller's own group; on version 2 the nearest one from there up that hands
# memory on to its children, if there is one.
group_places() {
	local controller own place
	for controller in memory pids cpu "$@"; do
		own_cgroup "$controller" || true
	done
	own=$(own_cgroup v2) || return 0
	place=$own
	while [ -e "$place/cgroup.procs" ]; do
		if grep -qsw memory "$place/cgroup.subtree_control"; then
			own=$place
			break
		fi
		place=${place%/*}
	done
	echo "$own"
}

# prepare_alone [CONTROLLER]...: makes ALONE, words to put in front of a cgrun, which will then be in groups (ALONE_GROUPS) that hold nothing else: on
# version 2 only such a group can hand controllers on, and what cgrun leaves behind is told from what others make meanwhile. Without
# permission ALONE is empty. remove_alone ends it all.
prepare_alone() {
	local place group files=()
	ALONE=() ALONE_GROUPS=()
	for place in $(group_places "$@"); do
		group=$place/nschain-test-$$-${BATS_TEST_NUMBER:-0}
		mkdir "$group" 2>/dev/null || continue
		if [ -e "$group/tasks" ] && [ -e "$group/cpuset.cpus" ]; then
			cat "$place/cpuset.cpus" >"$group/cpuset.cpus"
			cat "$place/cpuset.mems" >"$group/cpuset.mems"
		fi
		ALONE_GROUPS+=("$group")
		if [ -e "$group/tasks" ]; then files+=("$group/tasks"); else files+=("$group/cgroup.procs"); fi
	done
	[ "${#files[@]}" = 0 ] || ALONE=(enter "${files[@]}" --)
}

# nothing_left: no process and no group is in the groups of ALONE.
nothing_left() {
	local group pid
	for group in "${ALONE_GROUPS[@]}"; do
		! read -r pid <"$group/cgroup.procs" || return 1
		! compgen -G "$group/*/" >/dev/null || return 1
	done
}

remove_alone() {
	local group below pid
	for group in "${ALONE_GROUPS[@]}"; do
		find "$group" -depth -type d | while read -r below; do
			for _ in {1..100}; do
				while read -r pid; do
					kill -KILL "$pid"
				done <"$below/cgroup.procs"
				rmdir "$below" && break
				read -rt 0.02 <> <(:) || true
			done 2>/dev/null
		done
	done
	ALONE_GROUPS=()
}

# make_root DIR: a root file system of busybox and nothing else.
make_root() {
	local root=$1 applet
	mkdir -p "$root"/{bin,etc,tmp,proc,sys,dev,root,home}
	chmod 1777 "$root/tmp"
	cp /bin/busybox "$root/bin/busybox"
	for applet in $(/bin/busybox --list); do
		[ "$applet" = busybox ] || ln -sf busybox "$root/bin/$applet"
	done
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"
}

# The assertions show what was there instead.
assert_status() {
	[ "$status" -eq "$1" ] && return
	printf 'status is %s and not %s\n%s\n%s\n' "$status" "$1" "${output:-}" "${stderr:-}"
	return 1
}

assert_output() {
	[ "$output" = "$1" ] && return
	printf 'output is\n%s\nand not\n%s\n%s\n' "$output" "$1" "${stderr:-}"
	return 1
}

# assert_says TEXT: TEXT is part of what was written to standard output or, with `run --separate-stderr`, standard error.
assert_says() {
	case "${output:-}${stderr:-}" in
	*"$1"*) return 0 ;;
	esac
	printf 'nothing says: %s\noutput:\n%s\n%s\n' "$1" "${output:-}" "${stderr:-}"
	return 1
}

# assert_refuses TEXT LINK ARGUMENT...: LINK exits 125, its message names TEXT, and COMMAND did not run. Give COMMAND yourself as:
# "${UNREACHED[@]}", which leaves a mark.
UNREACHED=(sh -c 'echo ran >"$1"' sh "${BATS_TEST_TMPDIR:-/nonexistent}/reached")
assert_refuses() {
	local text=$1
	shift
	run --separate-stderr "$@"
	assert_status 125 || return
	assert_says "$text" || return
	[ ! -e "${UNREACHED[4]}" ] || {
		echo "COMMAND ran after: $*"
		return 1
	}
}
