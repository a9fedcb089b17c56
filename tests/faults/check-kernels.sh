#!/usr/bin/env bash
# tests/faults/check-kernels.sh: kernels.sh on this machine, and its command lines on the older kernel of tests/vm/run.sh as well. The total is
# the last line.
#   KERNELS   here, vm; default both
# What kernels.sh takes holds here too; the older kernel runs no files of tests.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
total='^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$'
status=0
for kernel in ${KERNELS:-here vm}; do
	case $kernel in
	here) command=(tests/faults/kernels.sh) ;;
	vm) command=(tests/vm/run.sh env KERNEL_TESTS= FAULTS="${FAULTS:-}" KERNEL_CALLS="${KERNEL_CALLS:-}" tests/faults/kernels.sh) ;;
	*) echo "check-kernels: KERNELS is '$kernel', not here or vm" >&2 && exit 1 ;;
	esac
	echo "--- $kernel ---"
	"${command[@]}" >"$work/$kernel" 2>&1 || status=1
	grep -vE "$total" "$work/$kernel" || true
	grep -qE "$total" "$work/$kernel" || echo '0 passed, 1 failed, 0 skipped' >>"$work/$kernel"
done
grep -hE "$total" "$work"/* | awk '{ passed += $1; failed += $3; skipped += $5 }
	END { print passed " passed, " failed " failed, " skipped " skipped" }'
exit "$status"
