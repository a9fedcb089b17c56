#!/usr/bin/env bash
# tests/escape/check.sh [FLAVOUR]: runs the tests whose names end in rows of rows.tsv, as root and as an unprivileged user (tests/run.sh, whose variables
# it takes), and says of each row whether it held. A row holds if a test of it passed in one of the halves at least and none failed.
#   ROWS           only these ("S14 R03"); default all
#   TAPS           the TAP_DIR of a run of all tests: what it says is taken, and nothing run again
#   ROUNDS, THIN   as for tests/run.sh, with smaller defaults
set -euo pipefail
cd "$(dirname "$0")/../.."

table=tests/escape/rows.tsv
number='[SRM][0-9]{2}'
wanted=${ROWS:-}
wanted=${wanted:+(${wanted// /|})}
export TEST_FILTER="\\(($number, )*${wanted:-[SR][0-9]{2\}}(, $number)*\\)\$"
export ROUNDS=${ROUNDS:-10} THIN=${THIN:-8}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What run.sh finds beyond single tests, processes that are left for instance, is one failure more.
broken=0
if [[ -z ${TAPS:-} ]]; then
	TAPS=$work/taps
	mkdir "$TAPS"
	TAP_DIR=$TAPS tests/run.sh "${1:-release}" || broken=1
	echo
fi
for half in root user; do
	cat "$TAPS"/*"($half).tap" 2>/dev/null | sed "s/^/$half\t/" || true
done >"$work/all"

awk -F '\t' -v wanted=" ${ROWS:-} " -v broken="$broken" '
	# What a line of TAP says goes to each row at the end of the name of its test.
	function count(who, line,    result, reason, list, rows, n, i) {
		if (line !~ /^(not )?ok [0-9]+ /)
			return
		result = line ~ /^not / ? "failed" : line ~ / # skip/ ? "skipped" : "passed"
		reason = line
		if (!sub(/.* # skip:? */, "", reason))
			reason = ""
		sub(/ # skip.*/, "", line)
		sub(/^(not )?ok [0-9]+ /, "", line)
		if (!match(line, /\([SRM0-9, ]+\)$/))
			return
		list = substr(line, RSTART + 1, RLENGTH - 2)
		n = split(list, rows, ", ")
		totals[result]++
		for (i = 1; i <= n; i++) {
			tests[rows[i], result, who]++
			named[rows[i]] = line
			if (result == "skipped")
				why[rows[i]] = reason
		}
	}
	function sum(row, result) {
		return tests[row, result, "root"] + tests[row, result, "user"]
	}
	function verdict(row) {
		if (sum(row, "failed"))
			return "BROKEN, " sum(row, "failed") " failed"
		if (sum(row, "passed"))
			return "held"
		return sum(row, "skipped") ? "SKIPPED, " why[row] : "NO TEST"
	}

	FNR == NR && /^[^#]/ {
		known[$1] = 1
		if (wanted !~ /^ *$/ && index(wanted, " " $1 " ") == 0)
			next
		order[++rows] = $1
		attack[$1] = $2
		if ($3 == "none")
			reason[$1] = $4
		next
	}
	FNR != NR { count($1, $2) }

	END {
		for (i = 1; i <= rows; i++) {
			row = order[i]
			if (row in reason) {
				printf "%s  %s\n     does not apply: %s\n", row, attack[row], reason[row]
				apart++
				continue
			}
			said = verdict(row)
			held += said == "held"
			bad += said != "held"
			# What failed is among the failures already.
			unproved += !sum(row, "passed") && !sum(row, "failed")
			printf "%s  %s   %d tests root, %d user: %s\n", row, attack[row], tests[row, "passed", "root"], tests[row, "passed", "user"], said
		}
		for (row in named) {
			if (row ~ /^[SR]/ && !(row in known)) {
				printf "%s  is not in the table, but in the name of a test: %s\n", row, named[row]
				unknown++
			}
		}
		printf "check-escape: %d rows, %d held, %d broken, %d do not apply\n", rows, held, bad + unknown, apart
		failed = totals["failed"] + unproved + unknown
		failed += broken && !failed
		printf "%d passed, %d failed, %d skipped\n", totals["passed"], failed, totals["skipped"]
		exit totals["passed"] == 0 || failed > 0
	}
' "$table" "$work/all"
