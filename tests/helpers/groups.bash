# Loaded behind helpers by the tests of cgrun: groups to run it in, and what the kernel shows of them. Such a file calls begin_groups in its
# setup and end_groups in its teardown.
# shellcheck shell=bash disable=SC2034,SC2154,SC2016 # used or set by the tests or bats; text for inner shells

load helpers/processes

begin_groups() {
	prepare_alone
	PIDS=$BATS_TEST_TMPDIR/pids
	: >"$PIDS"
	export PIDS
	export -f own_cgroup shown here
	EXTRA_GROUPS=()
}

end_groups() {
	local pid
	end_started
	while read -r pid; do
		kill -KILL "$pid" 2>/dev/null || true
	done <"$PIDS"
	remove_alone
	ALONE_GROUPS=("${EXTRA_GROUPS[@]}")
	remove_alone
}

# alone_in CONTROLLER...: makes the groups of ALONE in the hierarchies of these, too.
alone_in() {
	remove_alone
	prepare_alone "$@"
}

# here CONTROLLER: the directory of the own group that CONTROLLER is in.
here() {
	local directory
	directory=$(own_cgroup "$1")
	echo "${directory:-$(own_cgroup v2)}"
}

# shown V1FILE V2FILE: what the own group shows in the one of the two that is in force here.
shown() {
	local directory
	directory=$(own_cgroup "${1%%.*}")
	if [ -n "$directory" ]; then
		cat "$directory/$1"
	else
		cat "$(own_cgroup v2)/$2"
	fi
}

# on_v1 CONTROLLER
on_v1() {
	[ -n "$(own_cgroup "$1")" ]
}

# alone_at CONTROLLER: the group of ALONE that CONTROLLER is in; v2 for version 2.
alone_at() {
	local group
	group=$(own_cgroup "$1")/nschain-test-$$-${BATS_TEST_NUMBER:-0}
	[ -d "$group" ] || group=${ALONE_GROUPS[-1]}
	echo "$group"
}

# inside GROUP COMMAND...: in the group at this directory, instead of this shell: for the background and for run.
inside() {
	local file=$1/cgroup.procs
	[ ! -e "$1/tasks" ] || file=$1/tasks
	exec enter "$file" -- "${@:2}"
}

# assert_shown EXPECTED V1FILE V2FILE OPTION...: what COMMAND finds as its limit.
assert_shown() {
	local expected=$1
	run --separate-stderr "${ALONE[@]}" cgrun "${@:4}" bash -c 'shown "$@"' bash "$2" "$3"
	assert_status 0 && assert_output "$expected" && nothing_left
}

# all_gone: every process in the file PIDS has ended.
all_gone() {
	local pid
	while read -r pid; do
		is_gone "$pid" || return 1
	done <"$PIDS"
}

# all_live: none of them has.
all_live() {
	local pid
	[ -s "$PIDS" ] || return 1
	while read -r pid; do
		! is_gone "$pid" || return 1
	done <"$PIDS"
}

# lines_in FILE COUNT: so many at least.
lines_in() {
	[ -e "$1" ] && [ "$(wc -l <"$1")" -ge "$2" ]
}

# Words in front of a command that is to see version 1 alone.
ON_V1=(unshare -m bash -c 'for mount in $(findmnt -rnt cgroup2 -o TARGET); do umount -l "$mount" || exit; done; exec "$@"' bash)
