#!/usr/bin/env bash
# tests/demo.sh: a container made of links, one claim at a time: a line that says what is shown, the command, its output. Fails
# if something did not turn out as shown. NSCHAIN_BIN is the directory of the links.
set -euo pipefail

repository=$(cd "$(dirname "$0")/.." && pwd)
export PATH=${NSCHAIN_BIN:-$repository/build/release/bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL=C

work=$(mktemp -d "${TMPDIR:-/tmp}/nschain-demo.XXXXXX")
# Nothing is mounted below it outside of the containers' own mount namespaces.
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT TERM HUP
cd "$work"
echo 'a file of the host' >host
groups=()

fail() {
	printf 'demo: %s\n' "$*" >&2
	exit 1
}

# The command line as a shell reads it; words with a space or the like go between quotes.
print_command() {
	local word line='$'
	for word; do
		[[ $word =~ ^[A-Za-z0-9_./:=,-]+$ ]] || word="'$word'"
		line+=" $word"
	done
	printf '%s\n' "$line"
}

# show TEXT STATUS REGEX COMMAND...: runs COMMAND, which has to end with STATUS and an output that holds REGEX.
show() {
	local text=$1 wanted=$2 regex=$3 output status=0
	shift 3
	printf '\n# %s\n' "$text"
	print_command "$@"
	# The marker is for no_processes.
	output=$(DEMO=$work "$@" 2>&1 </dev/null) || status=$?
	printf '%s\n' "$output"
	[[ $status -eq 0 ]] || echo "(exit status $status)"
	[[ $status -eq $wanted ]] || fail "exit status $status and not $wanted"
	[[ $output =~ $regex ]] || fail "the output does not hold ${regex@Q}"
	mapfile -t -O "${#groups[@]}" groups < <(grep -oE 'cgrun-[0-9]+-[0-9a-f]+' <<<"$output")
}

no_groups() {
	local group
	for group in "${groups[@]}"; do
		[[ -z $(find /sys/fs/cgroup -name "$group" 2>/dev/null) ]] || fail "cgroup $group is left"
	done
}

no_mounts() {
	! grep -F "$work" /proc/self/mountinfo || fail 'a mount is left'
}

no_processes() {
	! grep -qzxF "DEMO=$work" /proc/[0-9]*/environ 2>/dev/null || fail 'a process is left'
}

limit=(cgrun -m 100M)
if [[ $EUID -eq 0 ]]; then
	own=()
	kinds=-pmuin
else
	# What root has outside, a user has in a user namespace.
	own=(nsnew -r)
	kinds=-rpmuin
	if ! reason=$(cgrun -m 100M true 2>&1); then
		limit=()
		printf 'Left out, because no cgroup is delegated to this user: the memory limit.\n%s\n' "$reason"
	fi
fi
small=("${limit[@]}" "${own[@]}" capjail --drop chown rootjail rootfs)
full=("${limit[@]}" nsnew "$kinds" --hostname demo rootjail --overlay rootfs capjail --preset docker)
"$repository/tests/rootfs.sh" rootfs
host_name=$(uname -n)

show 'Another root: the files of the host are gone' 1 "^/bin /dev /etc /proc /root /sys /tmp"$'\n'".*No such file" \
	"${small[@]}" sh -c "echo /*; cat $work/host"

if [[ $EUID -eq 0 ]]; then
	rootjail rootfs chown 1 /tmp || fail 'chown is refused without capjail as well'
	show 'Root without the capability chown: it is refused' 1 "^root"$'\n'"chown: .*Operation not permitted" \
		"${small[@]}" sh -c 'id -un; chown 2 /tmp'
else
	printf '\nLeft out, because one user alone is mapped, who could chown nothing to anybody: the refusal itself.\n'
	show 'Root without the capability chown, bit 0 of the sets' 0 $'^root\n.*[02468ace]$' \
		"${limit[@]}" nsnew "$kinds" rootjail rootfs capjail --drop chown sh -c 'id -un; grep CapBnd /proc/self/status'
fi

if [[ ${#limit[@]} -gt 0 ]]; then
	show 'A program that eats memory: killed at 100M' 137 'limit 100\.0M, peak (100\.0M|9[0-9]\.[0-9]M|\?)' \
		"${small[@]}" tail /dev/zero
fi

show 'Process ids of its own: the command is PID 1, and there is nobody else' 0 $'^PID[^\n]*\n +1 root +ps$' \
	"${full[@]}" ps -o pid,user,comm

show 'A host name of its own' 0 '^demo$' "${full[@]}" hostname
[[ $(uname -n) == "$host_name" ]] || fail 'the host has another name now'

show 'A network of its own: loopback alone, and it is up' 0 $'^1: lo +inet 127\\.0\\.0\\.1[^\n]*\n.* 0% packet loss' \
	"${full[@]}" sh -c 'ip -o -4 addr; ping -c 1 -q 127.0.0.1'

if [[ ${#limit[@]} -gt 0 ]]; then
	group='; grep -m 1 cgrun /proc/self/cgroup'
	found='/cgrun-'
fi
show 'What it leaves running ends with it' 0 $'\n'" +[2-9] +httpd.*${found:-}" \
	"${full[@]}" sh -c "httpd -p 80; ps -o pid,comm${group:-}"

no_groups
no_mounts
no_processes
cd /
rm -rf --one-file-system "$work"
[[ ! -e $work ]] || fail "$work is left"
printf '\nNothing is left: no cgroup, no mount, no process, and the directory of the demo is removed.\n'
