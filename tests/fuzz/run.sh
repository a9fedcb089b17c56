#!/usr/bin/env bash
# tests/fuzz/run.sh: runs the fuzz targets of build/fuzz/targets, each beginning with what lies in tests/fuzz/corpus/NAME and what earlier runs
# have found (build/fuzz/corpus/NAME), and then the command lines of cli-lines.py. An input that a parser does not stand is printed and kept in
# build/fuzz/findings. Prints a line for each target and the total as the last line.
#   FUZZ           names of the targets to run, and cli-lines; default all
#   FUZZ_SECONDS   how long each of them runs; default 60
#   JOBS           how many run at a time; default 2
#   FUZZ_MERGE     1: what has found new edges goes to tests/fuzz/corpus
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${FUZZ_SECONDS:-60}
jobs=${JOBS:-2}
findings=build/fuzz/findings
work=$(mktemp -d "${TMPDIR:-/tmp}/nschain-fuzz.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'trap - TERM; kill -- -$$ 2>/dev/null; exit 130' INT TERM HUP
mkdir -p "$findings"

# A parser that ends its process leaves what it had allocated: no leak, but the reason for the rounds below.
export ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=16 UBSAN_OPTIONS=print_stacktrace=1
ROUND=50000

escape() { # FILE
	perl -0777 -pe 's/([^ -~]|\\)/$1 eq "\\" ? "\\\\" : sprintf "\\x%02x", ord $1/ge' "$1"
}

# Runs NAME for its time, in rounds; stops at a finding. Leaves "EXECUTIONS EDGES FINDINGS" in $work/NAME.counts.
run_target() { # NAME
	local name=$1 log=$work/$1.log left end=$((SECONDS + seconds)) executions=0 edges=0 found=0 status kept
	local corpus=build/fuzz/corpus/$name
	mkdir -p "$corpus" "$work/$name"
	while left=$((end - SECONDS)) && ((left > 0)); do
		status=0
		"build/fuzz/targets/$name" -max_total_time="$left" -runs=$ROUND -timeout=20 -rss_limit_mb=4096 \
			-print_final_stats=1 -artifact_prefix="$work/$name/" "$corpus" "tests/fuzz/corpus/$name" >"$log" 2>&1 ||
			status=$?
		executions=$((executions + $(sed -n 's/^stat::number_of_executed_units: *//p' "$log" || true)))
		edges=$(sed -n 's/.* cov: \([0-9]*\).*/\1/p' "$log" | tail -n 1)
		[[ $status -eq 0 ]] || break
	done
	if [[ $status -ne 0 ]]; then
		found=1
		echo "not ok $name: exit status $status"
		grep -E -m 1 -A 12 'does not hold|ERROR: |runtime error' "$log" | sed 's/^/    /' || tail -n 5 "$log"
		for kept in "$work/$name"/*; do
			[[ -e $kept ]] || continue
			cp "$kept" "$findings/$name-${kept##*/}"
			echo "    input: $(escape "$kept")"
			echo "    again: build/fuzz/targets/$name $findings/$name-${kept##*/}"
		done
	fi
	if [[ -n ${FUZZ_MERGE:-} && $found -eq 0 ]]; then
		"build/fuzz/targets/$name" -merge=1 "tests/fuzz/corpus/$name" "$corpus" >/dev/null 2>&1
	fi
	echo "$name: $executions executions, ${edges:-0} edges, $found findings"
	echo "$executions $found" >"$work/$name.counts"
}

names=()
for source in tests/fuzz/*.c; do
	name=$(basename "$source" .c)
	[[ -n ${FUZZ:-} && " $FUZZ " != *" $name "* ]] || names+=("$name")
done
lines=
[[ -n ${FUZZ:-} && " $FUZZ " != *" cli-lines "* ]] || lines=1
[[ ${#names[@]} -gt 0 || -n $lines ]] || { echo "run.sh: there is no target '${FUZZ:-}'" >&2; exit 1; }

for name in "${names[@]}"; do
	while [[ $(jobs -rp | wc -l) -ge $jobs ]]; do
		wait -n || true
	done
	run_target "$name" &
done
wait

executions=0 passed=0 failed=0
for name in "${names[@]}"; do
	read -r e f <"$work/$name.counts" 2>/dev/null || { e=0 f=1; }
	executions=$((executions + e))
	if [[ $f -eq 0 ]]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
done
[[ ${#names[@]} -eq 0 ]] || echo "fuzz: ${#names[@]} targets, $executions executions, $failed findings"
if [[ -n $lines ]]; then
	tests/fuzz/cli-lines.py | tee "$work/lines" | sed '$d' || true
	read -r p _ f _ < <(tail -n 1 "$work/lines") || { p=0 f=1; }
	passed=$((passed + p)) failed=$((failed + f))
fi
echo "$passed passed, $failed failed, 0 skipped"
[[ $failed -eq 0 ]]
