#!/usr/bin/env bash
# Sizes: no function over 60 lines, no main of a tool over 15, no tool over 300. Counts what stands between a function's braces, which the
# layout (.clang-format) puts in the first column.
set -euo pipefail
cd "$(dirname "$0")/../.."
shopt -s nullglob

awk '
	FNR == 1 { start = 0 }
	/^[A-Za-z_].*\(/ { head = $0 }
	$0 == "{" { start = FNR }
	$0 == "}" && start {
		lines = FNR - start - 1
		most = FILENAME ~ /^tools\// && head ~ /[ *]main\(/ ? 15 : 60
		if (lines > most) {
			printf "%s:%d: %d lines, more than %d: %s\n", FILENAME, start, lines, most, head
			failed = 1
		}
		start = 0
	}
	FILENAME ~ /^tools\// && FNR == 301 {
		printf "%s: more than 300 lines\n", FILENAME
		failed = 1
	}
	END { exit failed }
' common/*.[ch] tools/*.c tests/*/*.[ch] tests/*/*/*.[ch] </dev/null
echo 'lint: functions ok'
