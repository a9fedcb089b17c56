#!/usr/bin/env bash
# Static analysis of all C files: clang-tidy (.clang-tidy), gcc -fanalyzer with our warnings as errors, cppcheck.
# shellcheck disable=SC2016 # the shells that xargs starts expand their own $1
set -euo pipefail
cd "$(dirname "$0")/../.."
shopt -s nullglob

for tool in gcc clang-tidy cppcheck; do
	type -P "$tool" >/dev/null || { echo "lint: analyze: $tool is missing: run tests/setup.sh build lint"; exit 1; }
done
[[ -e build/compile_commands.json ]] || make -s compile_commands.json

jobs=$(nproc)
failed=0

# One file for each process: the analyzer's va_list check mixes files up otherwise.
files=(common/*.c tools/*.c tests/unit/*.c tests/helpers/*.c tests/faults/*.c tests/faults/*/*.c tests/bench/*.c)
printf '%s\0' "${files[@]}" | xargs -0 -r -n 1 -P "$jobs" sh -c '
	output=$(clang-tidy --quiet -p build "$1" 2>&1) || { printf "%s\n" "$output"; exit 1; }
' sh || failed=1

sed -n 's/.*"command": "[^ ]* \(.*\)"}.*/\1/p' build/compile_commands.json | sed 's/\\\(["\\]\)/\1/g' |
	tr '\n' '\0' | xargs -0 -r -n 1 -P "$jobs" sh -c '
	eval "gcc $1 -fanalyzer -fdiagnostics-path-format=none -Werror -o /dev/null"
' sh || failed=1

# cppcheck knows the attribute, but not the keyword.
cppcheck --quiet -j "$jobs" --std=c11 -I. -D_GNU_SOURCE '-D_Noreturn=__attribute__((noreturn))' \
	--enable=warning,performance,portability --inline-suppr --suppress=missingIncludeSystem \
	--error-exitcode=1 "${files[@]}" || failed=1

[[ $failed -eq 0 ]] || exit 1
echo 'lint: analyze ok'
