#!/usr/bin/env bash
# tests/vm/check.sh: tests/run.sh with pure cgroup v2, in two machines of one processor at the same time, one as root and one as an
# unprivileged user in a group that is delegated to it. (Processors that one qemu emulates wait for each other: two are slower than one.)
# The total is the last line. Variables as for tests/run.sh; what is there in such a machine may not be skipped for.
set -euo pipefail
cd "$(dirname "$0")/../.."

export MUST_RUN='root userns cgroup memory limits cgroup_v2 suid strace'
export MUST_RUN_USER='rootless userns subids cgroup limits cgroup_v2 strace'
# Everything takes more than ten times as long there, so what is repeated is repeated less.
export ROUNDS=${ROUNDS:-5} THIN=${THIN:-8} TEST_SECONDS=${TEST_SECONDS:-900} VM_SECONDS=${VM_SECONDS:-3300}
total='^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$'

work=$(mktemp -d)
machines=()
clean_up() {
	[[ ${#machines[@]} -eq 0 ]] || kill "${machines[@]}" 2>/dev/null || true
	wait
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

users=(root user)
for user in "${users[@]}"; do
	RUN_AS=$user tests/vm/run.sh tests/run.sh release > >(tee "$work/$user" | grep --line-buffered -vE "$total" || true) 2>&1 &
	machines+=("$!")
done
failed=0
for i in "${!machines[@]}"; do
	status=0
	wait "${machines[i]}" || status=$?
	unset "machines[i]"
	[[ $status -eq 0 ]] || failed=1
	if ! grep -qE "$total" "$work/${users[i]}"; then
		echo "not ok ${users[i]}: no result, status $status"
		echo '0 passed, 1 failed, 0 skipped' >>"$work/${users[i]}"
	fi
done
grep -hE "$total" "$work"/* | awk '{ passed += $1; failed += $3; skipped += $5 }
	END { print passed " passed, " failed " failed, " skipped " skipped" }'
[[ $failed -eq 0 ]]
