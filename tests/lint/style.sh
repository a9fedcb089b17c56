#!/usr/bin/env bash
# Layout of C (.clang-format), shell (shellcheck) and manual pages (mandoc, all that it says but which other pages are installed).
set -euo pipefail
cd "$(dirname "$0")/../.."
shopt -s nullglob

for tool in clang-format shellcheck mandoc; do
	type -P "$tool" >/dev/null || { echo "lint: style: $tool is missing: run tests/setup.sh lint"; exit 1; }
done

failed=0
# check FILE...: runs COMMAND on all of them, if there are any.
check() { # COMMAND... -- FILE...
	local -a command=()
	while [[ $1 != -- ]]; do
		command+=("$1")
		shift
	done
	shift
	[[ $# -eq 0 ]] || "${command[@]}" "$@" || failed=1
}

check clang-format --dry-run -Werror -- common/*.[ch] tools/*.c tests/*/*.[ch] tests/*/*/*.[ch]
check shellcheck -x -- .ci/run packages/*.sh tests/*.sh tests/*/*.sh completions/*.sh
check shellcheck -x -s bats -- tests/*.bats
check shellcheck -s bash -- tests/*.bash tests/*/*.bash completions/*.bash
lint_pages() {
	! mandoc -T lint -W all "$@" 2>&1 | grep -vE 'referenced manual not found|outdated mandoc.db'
}
check lint_pages -- man/*.[1-8]

[[ $failed -eq 0 ]] || exit 1
echo 'lint: style ok'
