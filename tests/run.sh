#!/usr/bin/env bash
# tests/run.sh [FLAVOUR]: runs tests/unit and tests/*.bats against build/FLAVOUR, as the caller and, if that is root, once more as
# an unprivileged user. Prints failing tests as they end, a line for each file, and the total as the last line.
#   TESTS          names of the files to run ("cli test_parse"); default all
#   TEST_FILTER    a regular expression (ERE): only the tests of .bats files whose names it matches
#   TAP_DIR        a directory that gets what each program says of its tests, as "NAME (WHO).tap"
#   RUN_AS         root or user: only the one half of it; default both, at the same time
#   JOBS           how many files run at a time, of each half; default 1, because tests look for what others may have just now (cgroups, mounts)
#   TEST_ID        uid and gid of the unprivileged user
#   TEST_SECONDS   how long one file may take; default 300
#   ROUNDS, THIN   where something is repeated: how often, and that only every THIN-th of many like cases is tried
#   WITHOUT        system calls that fail with ENOSYS for everything that a .bats file runs (helpers/without.c)
#   MUST_RUN       what tests may not be skipped for (helpers.bash), as the caller
#   MUST_RUN_USER  the same for the second run, as the unprivileged user
set -euo pipefail
umask 022
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

cd "$(dirname "$0")/.."
flavour=${1:-release}
jobs=${JOBS:-1}
test_id=${TEST_ID:-54321}
time_limit=${TEST_SECONDS:-300}

work=$(mktemp -d "${TMPDIR:-/tmp}/nschain-check.XXXXXX")
results=$work/results
account=$work/account
chmod 755 "$work"
mkdir "$results" "$account"

# --- what the machine looked like, to see afterwards what the tests left on it ---

# Groups below the caller's own, and anywhere if that is the top; systemd makes units whenever it likes.
list_cgroups() {
	local controllers path mount
	while IFS=: read -r _ controllers path; do
		mount=$(awk -v want="${controllers%%,*}" '
			{ split($0, half, " - "); split(half[2], fs, " ") }
			want == "" && fs[1] == "cgroup2" || want != "" && fs[1] == "cgroup" && ("," fs[3] ",") ~ "," want "," {
				print $5
				exit
			}' /proc/self/mountinfo)
		[[ -n $mount ]] || continue
		[[ -d $mount$path ]] || path=
		find "$mount$path" -type d 2>/dev/null || true
	done </proc/self/cgroup | grep -vE '\.(scope|service|slice|socket|mount|swap)$' || true
}

# Processes that run a program of the build, or that have the environment of a test.
list_processes() {
	local pid
	{
		find /proc -maxdepth 2 -path '/proc/[0-9]*/exe' \( -lname "$PWD/build/*" -o -lname "$work/*" \) 2>/dev/null || true
		grep -lsF "TMPDIR=$work/" /proc/[0-9]*/environ || true
	} | cut -d / -f 3 | sort -u | while read -r pid; do
		printf '%s %s\n' "$pid" "$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" || true)"
	done
}

snapshot() {
	{
		cut -d ' ' -f 3-5 /proc/self/mountinfo | sed 's/^/mount /'
		list_cgroups | sed 's/^/cgroup /'
		list_processes | sed 's/^/process /'
	} | LC_ALL=C sort -u
}

# Ends what tests have started, and removes the work directory only when nothing is mounted in it any more: rm would follow a bind mount.
clean_up() {
	local pid mount
	list_processes | while read -r pid _; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	awk -v below="$work/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo | tac | while read -r mount; do
		umount -l "$(printf '%b' "$mount")" || true
	done
	remove_group
	if grep -qF " $work/" /proc/self/mountinfo; then
		echo "run.sh: something is still mounted below $work" >&2
		return
	fi
	[[ $EUID -eq 0 ]] || chmod -R u+rwX "$work" 2>/dev/null || true
	rm -rf --one-file-system "$work" || true
}
group=
trap clean_up EXIT
trap 'touch "$work/stopped"; exit 130' INT TERM HUP

# --- one test program ---

# Reads the TAP of one program: prints a test that failed, with its output, once it has ended. Leaves its counts in RESULT.counts.
digest() { # NAME RESULT
	local name=$1 result=$2 begun=$SECONDS line passed=0 failed=0 skipped=0 planned=-1 status block='' stray='' took
	while IFS= read -r line; do
		if [[ $line =~ ^(not )?ok\ [0-9] ]]; then
			printf '%s' "$block"
			block=
		fi
		if [[ $line =~ ^not\ ok\ [0-9]+(.*) ]]; then
			failed=$((failed + 1))
			block="not ok $name:${BASH_REMATCH[1]}"$'\n'
		elif [[ $line =~ ^ok\ [0-9].*#\ [Ss][Kk][Ii][Pp]:?\ *(.*) ]]; then
			skipped=$((skipped + 1))
			printf '%s\n' "${BASH_REMATCH[1]:-no reason given}" >>"$result.reasons"
		elif [[ $line =~ ^ok\ [0-9] ]]; then
			passed=$((passed + 1))
		elif [[ $line =~ ^1\.\.([0-9]+) ]]; then
			planned=${BASH_REMATCH[1]}
		elif [[ $line == BATS_RUN_TMPDIR:* ]]; then
			continue
		elif [[ -n $block ]]; then
			block+="    $line"$'\n'
		else
			stray+="    $line"$'\n'
		fi
	done
	printf '%s' "$block"
	[[ -d $work && ! -e $work/stopped ]] || return 0

	status=$(cat "$result.status" 2>/dev/null || echo killed)
	if [[ $status == 124 || $status == 137 ]]; then
		failed=$((failed + 1))
		printf 'not ok %s: not done after %d seconds\n%s' "$name" "$time_limit" "$stray"
	elif [[ $planned -ne $((passed + failed + skipped)) || ($status != 0 && $failed -eq 0) ]]; then
		printf 'not ok %s: exit status %s after %d of %d tests\n%s' \
			"$name" "$status" $((passed + failed + skipped)) "$planned" "$stray"
		failed=$((failed + 1))
	fi
	took=$((SECONDS - begun))
	if [[ $failed -gt 0 ]]; then
		echo "not ok $name: $failed failed, $passed passed, $skipped skipped, $took s"
	else
		echo "ok $name $passed tests$([[ $skipped -eq 0 ]] || echo ", $skipped skipped"), $took s"
	fi
	echo "$passed $failed $skipped" >"$result.counts"
}

# The output goes by a file, because a process left behind could keep a pipe open for ever.
run_program() { # NAME RESULT COMMAND...
	local name=$1 result=$2
	shift 2
	: >"$result.tap"
	{
		local status=0
		timeout -k 10 "$time_limit" "$@" </dev/null >"$result.tap" 2>&1 || status=$?
		echo "$status" >"$result.status"
	} 2>/dev/null &
	tail -n +1 -s 0.1 -f --pid=$! "$result.tap" 2>/dev/null | digest "$name" "$result"
	[[ -z ${TAP_DIR:-} ]] || cp "$result.tap" "$TAP_DIR/$name.tap"
}

programs=0
start() { # NAME COMMAND...
	local name=$1
	shift
	while [[ $(jobs -rp | wc -l) -ge $jobs ]]; do
		wait -n || true
	done
	programs=$((programs + 1))
	run_program "$name" "$results/$who.$programs" "$@" &
}

wanted() { # FILE
	local name=${1##*/}
	[[ -e $1 && (-z ${TESTS:-} || " $TESTS " == *" ${name%.*} "*) ]] || return
	# Not grep -q, which may end before sed does.
	[[ -z ${TEST_FILTER:-} ]] || sed -n 's/^@test "\(.*\)" .*{.*/\1/p' "$1" | grep -E -e "$TEST_FILTER" >/dev/null
}

# --- all of them, as one user ---

run_all() { # WHO TREE HOME TMPDIR PREFIX...
	local who=$1 tree=$2 test name
	local -a as=(
		env HOME="$3" TMPDIR="$4" NSCHAIN_FLAVOUR="$flavour" NSCHAIN_BIN="$tree/build/$flavour/bin"
		NSCHAIN_HELPERS="$tree/build/$flavour/helpers" "${@:5}"
	)
	# In front, because root can install a filter without no_new_privs.
	local -a launcher=()
	# shellcheck disable=SC2206 # words
	[[ -z ${WITHOUT:-} ]] || launcher=("$tree/build/$flavour/helpers/without" $WITHOUT --)
	cd "$tree"
	for test in tests/unit/test_*.c; do
		wanted "$test" || continue
		name=$(basename "$test" .c)
		start "$name ($who)" "${as[@]}" "build/$flavour/unit/$name"
	done
	# bats would remove its directory even with the root file system mounted in it; clean_up looks first.
	for test in tests/*.bats; do
		wanted "$test" || continue
		start "${test##*/} ($who)" "${launcher[@]}" "${as[@]}" bats --tap --no-tempdir-cleanup --filter "(${TEST_FILTER:-})" "$test"
	done
	wait
	echo "$programs" >"$results/$who.programs"
}

# Runs "$@" as the test user, in a mount namespace where the account files know it, so that newuidmap(1) serves it.
prepare_account() {
	local file
	local -A lines=(
		[passwd]="nschain-test:x:$test_id:$test_id::$work/home:/bin/sh"
		[group]="nschain-test:x:$test_id:"
		[subuid]="nschain-test:1000000000:65536"
		[subgid]="nschain-test:1000000000:65536"
	)
	for file in "${!lines[@]}"; do
		[[ -e /etc/$file ]] || continue
		{ cat "/etc/$file" && echo "${lines[$file]}"; } >"$account/$file"
		chmod --reference="/etc/$file" "$account/$file"
	done
	cat >"$account/enter" <<-END
		for file in passwd group subuid subgid; do
			[ ! -e "$account/\$file" ] || mount --bind "$account/\$file" "/etc/\$file" || exit
		done
		exec "\$@"
	END
	as_user=(setpriv --reuid "$test_id" --regid "$test_id" --clear-groups --inh-caps=-all)
	if unshare --mount sh "$account/enter" true 2>/dev/null; then
		as_user=(unshare --mount sh "$account/enter" "${as_user[@]}")
	fi
	if [[ -n $group ]]; then
		# shellcheck disable=SC2016 # for the shell that is started
		as_user=(sh -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$group/runner" "${as_user[@]}")
	fi
}

# Where cgroups are version 2 alone, the test user's processes stand in a group that is delegated to that user, with all controllers: GROUP
# hands them on and the processes are in GROUP/runner, so that tests can make groups beside that one. Nothing happens where this one's own
# group and those above hand nothing on.
delegate_group() {
	local place own file
	own=$(sed -n '$!d; s/^0:://p' /proc/self/cgroup)
	place=$(findmnt -rnt cgroup2 -o TARGET | head -n 1)
	[[ $(wc -l </proc/self/cgroup) -eq 1 && -n $own && -n $place ]] || return 0
	place+=${own%/}
	until grep -qsw memory "$place/cgroup.subtree_control"; do
		place=${place%/*}
		[[ -e $place/cgroup.procs ]] || return 0
	done
	mkdir "$place/nschain-check-$$" 2>/dev/null || return 0
	group=$place/nschain-check-$$
	sed 's/[^ ]*/+&/g' "$group/cgroup.controllers" >"$group/cgroup.subtree_control"
	mkdir "$group/runner"
	for place in "$group" "$group/runner"; do
		chown "$test_id:$test_id" "$place"
		while read -r file; do
			[[ ! -e $place/$file ]] || chown "$test_id:$test_id" "$place/$file"
		done </sys/kernel/cgroup/delegate
	done
}

remove_group() {
	[[ -n $group ]] || return 0
	for _ in {1..50}; do
		echo 1 >"$group/cgroup.kill" || true
		find "$group" -depth -type d -exec rmdir {} + || true
		[[ -d $group ]] || return 0
		sleep 0.1
	done 2>/dev/null
	echo "run.sh: cannot remove $group" >&2
}

# A tree that the test user, and any other that root becomes, can read, also where examples mount on /mnt and /run: this one, or a copy.
find_tree() {
	tree=$PWD
	if [[ $tree != /mnt/* && $tree != /run/* && -z $("${as_user[@]}" find "$tree" -name .git -prune -o ! -readable -print -quit 2>&1) ]]; then
		return
	fi
	tree=$work/tree
	mkdir "$tree"
	tar -c --exclude=./.git . | tar -x -C "$tree"
	chmod -R a+rX "$tree"
}

# --- the run ---

# With the sanitizers every exec takes many times as long, so what is repeated is repeated less.
[[ $flavour != asan ]] || export ROUNDS="${ROUNDS:-20}"

# A link does not free what exec will drop, and the leak check cannot work in other namespaces.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0} UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

[[ $EUID -ne 0 ]] || delegate_group
snapshot >"$work/before"
mkdir "$work/tmp"
halves=()
if [[ $EUID -ne 0 ]]; then
	run_all user "$PWD" "$HOME" "$work/tmp" &
	halves+=("$!")
else
	install -d -o "$test_id" -g "$test_id" "$work/home" "$work/home/tmp"
	prepare_account
	if ! "${as_user[@]}" test -w "$work/home"; then
		echo "run.sh: uid $test_id cannot reach ${work%/*}: set TMPDIR to a directory open to all" >&2
		exit 1
	fi
	find_tree
fi
if [[ $EUID -eq 0 && ${RUN_AS:-root} == root ]]; then
	run_all root "$tree" "$HOME" "$work/tmp" &
	halves+=("$!")
fi
if [[ $EUID -eq 0 && ${RUN_AS:-user} == user ]]; then
	run_all user "$tree" "$work/home" "$work/home/tmp" \
		env -u XDG_RUNTIME_DIR MUST_RUN="${MUST_RUN_USER:-}" USER=nschain-test LOGNAME=nschain-test "${as_user[@]}" &
	halves+=("$!")
fi
passed=0 failed=0 skipped=0
for half in "${halves[@]}"; do
	wait "$half" || failed=$((failed + 1))
done

# Processes may need a moment to end after the test that killed them.
for _ in {1..20}; do
	snapshot >"$work/after"
	left=$(LC_ALL=C comm -13 "$work/before" "$work/after")
	[[ -n $left ]] || break
	sleep 0.1
done

for half in "$results"/*.programs; do
	for ((i = 1; i <= $(cat "$half"); i++)); do
		read -r p f s <"${half%programs}$i.counts" || { p=0 f=1 s=0; }
		passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	done
done
if [[ -n $left ]]; then
	failed=$((failed + 1))
	printf 'not ok leftovers: the tests left behind\n    %s\n' "${left//$'\n'/$'\n'    }"
fi
if [[ $skipped -gt 0 ]]; then
	echo 'skipped:'
	cat "$results"/*.reasons | sort | uniq -c | sort -rn
fi
echo "$passed passed, $failed failed, $skipped skipped"
[[ $failed -eq 0 && $passed -gt 0 ]]
