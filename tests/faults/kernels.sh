#!/usr/bin/env bash
# tests/faults/kernels.sh: runs each command line of lines.sh as on kernels that lack a system call, or behind filters that refuse one with ENOSYS.
# COMMAND must then run exactly as otherwise, or not at all, with status 125 and a message. Prints a table. Then it runs whole files of tests
# in the same way: what they test must work without the call, or be skipped.
#   KERNEL_CALLS   the calls; default those that links use and that came after Linux 3.17, or that filters are known to refuse
#   FAULTS         names of the command lines; default all
#   KERNEL_TESTS   names of .bats files, "" for none; default a few quick ones
#   KERNEL_WITHOUT the calls that these are run without, all at once; default those that links do without everywhere
#   JOBS           how many command lines run at a time; default the number of processors
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/faults/common.sh
. tests/faults/lines.sh
enter_namespace tests/faults/kernels.sh

calls=${KERNEL_CALLS:-openat2 open_tree move_mount mount_setattr fsopen close_range clone3 pidfd_open pidfd_send_signal setns-pidfd memfd_create statx execveat faccessat2}
user_option=-a

# What with_line runs: a program, because it is started by env.
make_program() {
	local call
	{
		echo '#!/bin/sh'
		printf 'exec "%s" -b "%s" -p "%s"' "$PWD/build/release/faults/inject" "$work/bin" "$work/without"
		for call in $calls; do
			printf ' -d %s' "$call"
		done
		# shellcheck disable=SC2016 # for the program
		echo ' "$@"'
	} >"$work/program"
	chmod 755 "$work/program"
}

# The table: a line for each command line, a column for each call.
print_table() {
	awk -v calls="$calls" '
		BEGIN {
			count = split(calls, call, " ")
			short["same"] = "="; short["refused"] = "125"
			for (i = 1; i <= count; i++) printf "%16s %s\n", "", substr("| | | | | | | | | | | | | | | | | | | | | | | | ", 1, 2 * i - 2) call[i]
		}
		/^[a-z-]+ [a-z0-9_-]+ [A-Za-z-]+$/ { verdict[$1, $2] = $3; if (!($1 in seen)) { seen[$1] = 1; name[++lines] = $1 } }
		END {
			for (l = 1; l <= lines; l++) {
				row = ""
				for (i = 1; i <= count; i++) {
					word = verdict[name[l], call[i]]
					row = row (word == "same" ? "= " : word == "refused" ? "r " : "X ")
				}
				printf "%-16s %s\n", name[l], row
			}
			print "(=: COMMAND ran as otherwise, r: refused with status 125 and a message, X: anything else)"
		}' "$work"/results/*
}

prepare
make_program
start() { # NAME WHO FLAGS COMMAND...
	next_line "$1" || return 0
	with_line "$work/program" "$@" >"$work/results/$(printf '%03d' "$started")" 2>&1 &
}
each_line start
wait
grep -hA 40 '^not ok' "$work"/results/* | grep -v '^# ' || true
print_table
echo 'messages:'
sed -n "s/^# [^ ]* without \([^ ]*\): /  without \1: /; T; s/'[^']*'/'...'/g; p" "$work"/results/* | sort | uniq -c | sort -rn
failed=$(cat "$work"/results/* | grep -c '^not ok' || true)
passed=$(cat "$work"/results/* | grep -cE ' (same|refused)$' || true)
skipped=0
echo "command lines: $passed passed, $failed failed"

if [[ -n ${KERNEL_TESTS-default} ]]; then
	without=${KERNEL_WITHOUT:-clone3 setns-pidfd pidfd_send_signal faccessat2}
	echo "tests without $without:"
	WITHOUT=$without TESTS=${KERNEL_TESTS:-nsjoin ready} RUN_AS=${RUN_AS:-root} tests/run.sh release 2>&1 | tee "$work/tests" || true
	read -r p _ f _ s _ < <(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$work/tests" || echo 0 passed, 1 failed, 0 skipped)
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
fi
echo "$passed passed, $failed failed, $skipped skipped"
[[ $failed -eq 0 && $passed -gt 0 ]]
