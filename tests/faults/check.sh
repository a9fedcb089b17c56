#!/usr/bin/env bash
# tests/faults/check.sh: runs each command line of lines.sh once for every system call that its links make and each of several errors: that call
# fails with that error. COMMAND must then run exactly as without the fault, or not at all, with status 125 and a message; nothing may hang or be
# left behind. Prints each fault for which that is not so, a line for each command line, and the totals.
#   FAULTS          names of the command lines; default all
#   FAULTS_THIN     take every Nth fault only; default 6, which takes each call once; 1 for all
#   FAULTS_ONE      one fault, as it is printed: with FAULTS=NAME
#   FAULTS_SUBJECT  peers: the same for setpriv, unshare and bwrap in place of the links, for comparison
#   JOBS            how many run at a time; default the number of processors
# An error is tried for every call, also one that the kernel does not have for it. Not tried: exit, exit_group and rt_sigreturn, which do not
# return, and brk(2) with an error, because it has none: it fails by not moving. What fails before main is the C library's to handle: any
# status will do then.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/faults/common.sh
. tests/faults/lines.sh
enter_namespace tests/faults/check.sh


# What with_line runs: a program, because it is started by env.
make_sweep() {
	local subject="-b $work/bin"
	[[ ${FAULTS_SUBJECT:-} != peers ]] || subject='-s setpriv -s unshare -s bwrap'
	cat >"$work/bin-sweep" <<-END
		#!/bin/sh
		exec $PWD/build/release/faults/inject $subject -k ${FAULTS_THIN:-6} ${FAULTS_ONE:+-f $FAULTS_ONE} "\$@"
	END
	chmod 755 "$work/bin-sweep"
}

prepare
make_sweep
start() { # NAME WHO FLAGS COMMAND...
	next_line "$1" || return 0
	{
		with_line "$work/bin-sweep" "$@" >"$work/results/$started" 2>&1 || true
		cat "$work/results/$started"
	} &
}
if [[ ${FAULTS_SUBJECT:-} == peers ]]; then
	each_peer start
else
	each_line start
fi
wait

# The figures of all lines: NAME: N calls, F faults: tolerated T, refused R, fail-open O, hangs H, leftovers L, wrong status W; ...
awk -v lines="$started" '
	/^[^ ]+: [0-9]+ calls, / {
		gsub(/[,;:]/, "")
		calls += $2; faults += $4; tolerated += $7; refused += $9; open += $11; hangs += $13; left += $15; wrong += $18
		done++
	}
	/^not ok .* cannot be compared/ { broken++ }
	END {
		broken = lines - done
		printf "total: %d command lines, %d calls, %d faults: tolerated %d, refused %d\n", done, calls, faults, tolerated, refused
		printf "check-faults: %d faults injected, %d fail-open, %d hangs, %d leftovers, %d wrong status\n", faults, open, hangs, left, wrong
		failed = open + hangs + left + wrong + broken
		printf "%d passed, %d failed, 0 skipped\n", tolerated + refused, failed
		exit failed > 0 || faults == 0
	}' "$work"/results/*
