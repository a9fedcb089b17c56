#!/usr/bin/env bash
# tests/mutants/check.sh: takes one defence out of the links after another, by the patches beside it, and sees to it that the test which is named for
# it turns red. Each patch is tried in a copy of the tree, its test in groups and a mount namespace of its own, so that nothing which a broken
# link does stays. Before its diff a patch has these lines:
#     Defence: what is taken out
#     Row: the rows of tests/escape that it belongs to
#     Links: the programs to link again
#     Test: FILE.bats "regular expression", of the names of tests
#     As: root or user
# Variables:
#   MUTANTS         names of those to try; default all
#   MUTANTS_THIN    K: only every K-th; default 2 if CI is set, else 1. Which ones, MUTANTS_OFFSET says, by default the day of the year
#   MUTANTS_TIME    seconds that one test may take; default 90
#   JOBS            how many at a time; default one for each processor
#   TEST_ID         uid and gid of the unprivileged user
#   ROUNDS, THIN    as for tests/run.sh, with smaller defaults
set -euo pipefail
umask 022
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
cd "$(dirname "$0")/../.."

export ROUNDS=${ROUNDS:-20} THIN=${THIN:-4}
# What is missing here shows on the links as they are: only tests that passed then can notice anything. They may not be skipped later.
unset MUST_RUN
jobs=${JOBS:-$(nproc)}
test_id=${TEST_ID:-54321}

# --- a patch, and the tests in a tree ---

# head NAME FIELD: what a patch says of itself.
head_of() {
	sed -n "/^---/q; s/^$2: //p" "tests/mutants/$1.patch"
}

# Reads them into variables.
read_head() { # NAME
	row=$(head_of "$1" Row) links=$(head_of "$1" Links) who=$(head_of "$1" As) file=$(head_of "$1" Test)
	filter=${file#* \"}
	filter=${filter%\"}
	file=${file%% *}
}

# group_words: what is to be put in front of a command that runs in groups of its own, in ALONE; remove_alone ends them (tests/helpers.bash).
bats_require_minimum_version() { :; }
# shellcheck source=tests/helpers.bash
NSCHAIN_BIN=/nonexistent . tests/helpers.bash

# run_tests TREE WORK WHO FILE FILTER: TAP to WORK/tap. False if that took too long.
run_tests() {
	# So that the groups of several at a time have names of their own.
	local tree=$1 work=$2 who=$3 status=0 BATS_TEST_NUMBER=$BASHPID
	local -a as=()
	rm -rf "$work/tmp"
	mkdir -p "$work/tmp"
	if [[ $who == user && $EUID -eq 0 ]]; then
		chown "$test_id:$test_id" "$work/tmp"
		as=(setpriv --reuid "$test_id" --regid "$test_id" --clear-groups --inh-caps=-all env -u XDG_RUNTIME_DIR)
	fi
	[[ $EUID -ne 0 ]] || as=(unshare --mount --propagation private "${as[@]}")
	# Always in a subshell. Whoever is interrupted leaves no groups either.
	trap remove_alone EXIT
	trap 'exit 130' INT TERM HUP
	prepare_alone freezer devices blkio cpuset cpuacct hugetlb
	(
		cd "$tree"
		exec "${ALONE[@]}" timeout -k 5 "${MUTANTS_TIME:-90}" "${as[@]}" env HOME="$work/tmp" TMPDIR="$work/tmp" NSCHAIN_FLAVOUR=release \
			NSCHAIN_BIN="$tree/build/release/bin" NSCHAIN_HELPERS="$NSCHAIN_HELPERS" \
			bats --tap --no-tempdir-cleanup --filter "($5)" "tests/$4" </dev/null >"$work/tap" 2>&1
	) || status=$?
	remove_alone
	[[ $status -ne 124 && $status -ne 137 ]]
}

# results TAP FILTER: the lines "ok ..." and "not ok ..." of the tests that it matches.
results() {
	sed -nE 's/^((not )?ok) [0-9]+ /\1 /p' "$1" | while IFS= read -r line; do
		[[ ! ${line#*ok } =~ $2 ]] || printf '%s\n' "$line"
	done
}

# --- one mutant, by another run of this script ---

# attempt NAME DIRECTORY: prints how it went. DIRECTORY/tree is put back as it was.
attempt() {
	local name=$1 place=$2 red green source
	local -a sources
	read_head "$name"
	mapfile -t sources < <(sed -n 's|^+++ b/||p' "tests/mutants/$name.patch")
	if ! patch -d "$place/tree" -p1 -F0 -s -f -r - --no-backup-if-mismatch <"tests/mutants/$name.patch" >"$place/log" 2>&1; then
		echo "FAILED $name ($row): the patch does not apply any more: make it anew, or remove it with the defence"
	elif ! build "$place/tree" "$links" >"$place/log" 2>&1; then
		echo "FAILED $name ($row): it does not build"
		sed 's/^/    /' "$place/log"
	elif ! run_tests "$place/tree" "$place" "$who" "$file" "$filter"; then
		echo "FAILED $name ($row): $file: the test hangs, and does not notice"
	else
		red=$(results "$place/tap" "$filter" | sed -n 's/^not ok //p' | grep -xFf "$base/$name.green" | head -n 1 || true)
		green=$(results "$place/tap" "$filter" | grep '^ok ' | grep -v ' # skip' || true)
		if [[ -z $red && -n $green ]]; then
			echo "SURVIVED $name ($row): $file \"$filter\""
		elif [[ -z $red ]] || grep -qE "failed with status 127$|\(from function .setup" "$place/tap"; then
			echo "FAILED $name ($row): $file did not come to an assertion"
			sed 's/^/    /' "$place/tap"
		else
			echo "killed $name ($row): $file: $red"
		fi
	fi
	# The sources, and whatever was built of them, of each flavour: nsmount has the C library of the system.
	for source in "${sources[@]}"; do
		cp -p "$base/tree/$source" "$place/tree/$source"
	done
	while IFS= read -r -d '' source; do
		cp -p "$base/tree/build/$source" "$place/tree/build/$source"
	done < <(find "$place/tree/build" -type f -newer "$base/built" -printf '%P\0')
}

# build TREE LINKS [JOBS]: quickly, as no speed is needed of them; warnings are about what was taken out.
build() {
	local -a wanted
	read -ra wanted <<<"$2"
	make -s -j "${3:-1}" -C "$1" CFLAGS='-O0 -w' "${wanted[@]/#/build/release/bin/}"
}

if [[ ${1:-} == --one ]]; then
	base=$MUTANTS_WORK
	place=$base/$MUTANTS_SLOT
	if [[ ! -e $place ]]; then
		mkdir "$place"
		cp -a "$base/tree" "$place/tree"
	fi
	export MUST_RUN='userns cgroup limits memory'
	attempt "$2" "$place" | tee "$base/said/$2"
	exit
fi

# --- all of them ---

for program in patch bats strace busybox; do
	type -P "$program" >/dev/null || { echo "check-mutants: $program is missing: run tests/setup.sh build test" >&2; exit 1; }
done
base=$(mktemp -d "${TMPDIR:-/tmp}/nschain-mutants.XXXXXX")
clean_up() {
	remove_alone
	rm -rf --one-file-system "$base" || true
}
ALONE_GROUPS=()
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
chmod 755 "$base"
mkdir "$base/said" "$base/tree" "$base/helpers"
cp -a build/release/helpers/. "$base/helpers"
export NSCHAIN_HELPERS=$base/helpers MUTANTS_WORK=$base
tar -c --exclude=./.git --exclude=./build . | tar -x -C "$base/tree"
chmod -R a+rX "$base/tree"
build "$base/tree" 'nsnew nsjoin cgrun capjail rootjail nsmount' "$jobs" >"$base/log" 2>&1 || { cat "$base/log" && exit 1; }
touch "$base/built"

names=()
count=0
thin=${MUTANTS_THIN:-${CI:+2}}
thin=${thin:-1}
offset=${MUTANTS_OFFSET:-$(date +%-j)}
for patch in tests/mutants/*.patch; do
	name=$(basename "$patch" .patch)
	[[ -z ${MUTANTS:-} || " $MUTANTS " == *" $name "* ]] || continue
	[[ $((count++ % thin)) -eq $((offset % thin)) ]] || continue
	names+=("$name")
done

# Each test on the links as they are: it has to be green. All those of one file at once.
declare -A filters=() taps=()
for name in "${names[@]}"; do
	read_head "$name"
	filters[$who $file]+="${filters[$who $file]:+|}$filter"
done
for key in "${!filters[@]}"; do
	taps[$key]=$base/${key// /.}
	mkdir "${taps[$key]}"
	while [[ $(jobs -rp | wc -l) -ge $jobs ]]; do wait -n || true; done
	(
		MUTANTS_TIME=600 run_tests "$base/tree" "${taps[$key]}" "${key% *}" "${key#* }" "${filters[$key]}" || true
	) &
done
wait

usable=() failed=0 skipped=0
for name in "${names[@]}"; do
	read_head "$name"
	if [[ $who == root && $EUID -ne 0 ]]; then
		skipped=$((skipped + 1))
		continue
	fi
	green=$(results "${taps[$who $file]}/tap" "$filter")
	sed -n '/ # skip/d; s/^ok //p' <<<"$green" >"$base/$name.green"
	if [[ -z $green ]]; then
		echo "FAILED $name ($row): there is no test $file \"$filter\""
		failed=$((failed + 1))
	elif grep -q '^not ok' <<<"$green"; then
		echo "FAILED $name ($row): $file fails without it: ${green#*not ok }"
		failed=$((failed + 1))
	elif ! grep -vq ' # skip' <<<"$green"; then
		echo "skipped $name ($row): $file:${green#* # skip}"
		skipped=$((skipped + 1))
	else
		usable+=("$name")
	fi
done

[[ ${#usable[@]} -eq 0 ]] || printf '%s\n' "${usable[@]}" |
	xargs -P "$jobs" -n 1 --process-slot-var=MUTANTS_SLOT tests/mutants/check.sh --one || true
killed=$(cat "$base"/said/* 2>/dev/null | grep -c '^killed' || true)
failed=$((failed + ${#usable[@]} - killed))
echo "check-mutants: $killed of $((${#names[@]} - skipped)) killed"
echo "$killed passed, $failed failed, $skipped skipped"
[[ $failed -eq 0 && $killed -gt 0 ]]
