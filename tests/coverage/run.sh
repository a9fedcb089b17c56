#!/usr/bin/env bash
# tests/coverage/run.sh: runs the tests (tests/run.sh, whose variables hold here too) with programs that count what they run, and prints how much
# of each file that was, of all lines, functions and branches. Nothing is counted of a link that starts where the directory build/coverage/counters
# is not at its path: behind a change of root, or as a user who cannot get there. A process that has started counts to its very end.
#   COVERAGE_HTML   1: writes the source with its counts below build/coverage/html
set -euo pipefail
cd "$(dirname "$0")/../.."

counters=build/coverage/counters
programs=(build/coverage/bin/* build/coverage/unit/*)

# Files that everybody may write to are made before another user would have to; one for each program.
rm -rf "$counters" build/coverage/html
mkdir -p "$counters"
chmod 1777 "$counters"
for program in "${programs[@]}"; do
	NSCHAIN_COVERAGE=begin "$program"
done
chmod 666 "$counters"/*

status=0
tests/run.sh coverage | tee build/coverage/tests.log || status=$?

llvm-profdata merge --failure-mode=all -o build/coverage/all.profdata "$counters"/*.profraw
objects=()
for program in "${programs[@]:1}"; do
	objects+=(-object "$program")
done
show=("${programs[0]}" "${objects[@]}" -instr-profile=build/coverage/all.profdata -ignore-filename-regex='(^|/)tests/|\.h$')
if [[ -n ${COVERAGE_HTML:-} ]]; then
	llvm-cov show "${show[@]}" -format=html -output-dir=build/coverage/html >/dev/null
fi
llvm-cov report "${show[@]}" 2>/dev/null | awk '
	/^(common|tools)\/|^TOTAL/ {
		printf "%-24s lines %7s  functions %7s  branches %7s\n", $1 == "TOTAL" ? "coverage:" : $1, $10, $7, $13
	}'
tail -n 1 build/coverage/tests.log
exit "$status"
