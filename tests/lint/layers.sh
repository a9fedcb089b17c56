#!/usr/bin/env bash
# The layers of common/: a module includes floors below its own, and of its own floor only what `beside` lists; no cycles.
# Tools include common/ and no tool. The headers of libcap and libmount have one user each.
set -euo pipefail
cd "$(dirname "$0")/../.."
shopt -s nullglob

floors=(
	'report parse fd explain'
	'cli chain toolbox sealed child hide keyring mounttree place users ready capinfo securebits seccomp hierarchy grouptree subtree leftover'
	'namespace nsfile target userns pin ids idmap caps account privilege inspect procfs rootfs furnish rootspec overlay minidev mask fsmount cgroup devices settings limits accounting'
)
beside=' fd>explain explain>parse explain>report fd>report fd>parse cli>toolbox chain>toolbox toolbox>hide toolbox>sealed child>hide child>mounttree hide>mounttree subtree>grouptree leftover>grouptree settings>cgroup limits>cgroup limits>settings accounting>cgroup child>keyring rootfs>namespace rootfs>furnish rootfs>overlay furnish>idmap furnish>userns furnish>namespace furnish>minidev furnish>mask furnish>procfs procfs>nsfile mask>minidev overlay>namespace rootspec>furnish rootspec>idmap pin>namespace nsfile>namespace target>idmap userns>namespace userns>idmap userns>ids idmap>ids account>ids privilege>caps privilege>ids inspect>caps inspect>ids '
declare -A only_user=(
	[sys/capability.h]=common/caps.c
	[libmount.h]=common/fsmount.c
	[libmount/libmount.h]=common/fsmount.c
)

declare -A floor_of
for floor in "${!floors[@]}"; do
	for module in ${floors[floor]}; do
		floor_of[$module]=$floor
	done
done

findings=()
edges=''
check_edge() { # FILE HEADER
	local from to=${2#common/}
	from=$(basename "${1%.*}")
	to=${to%.h}
	if [[ -z ${floor_of[$from]:-} || -z ${floor_of[$to]:-} ]]; then
		findings+=("$1: includes $2, and one of the two is on no floor of this script")
	elif [[ $from != "$to" ]]; then
		edges+="$from $to"$'\n'
		if ((floor_of[$to] > floor_of[$from])); then
			findings+=("$1: includes $2, which is a floor above it")
		elif ((floor_of[$to] == floor_of[$from])) && [[ $beside != *" $from>$to "* ]]; then
			findings+=("$1: includes $2 of its own floor; list it in this script if that is right")
		fi
	fi
}

while IFS=: read -r file include; do
	[[ $include =~ [\<\"]([^\>\"]*)[\>\"] ]] || continue
	header=${BASH_REMATCH[1]}
	if [[ -n ${only_user[$header]:-} && $file != "${only_user[$header]}" ]]; then
		findings+=("$file: includes <$header>, which only ${only_user[$header]} may")
	fi
	[[ $include == *\"* ]] || continue
	if [[ ! $header =~ ^common/[a-z]+\.h$ ]]; then
		findings+=("$file: includes \"$header\", which is not a header of common/")
	elif [[ $file == common/* ]]; then
		check_edge "$file" "$header"
	fi
done < <(grep -HE '^[[:space:]]*#[[:space:]]*include' /dev/null common/*.[ch] tools/*.[ch])

cycle=$(tsort <<<"$edges" 2>&1 >/dev/null) || findings+=("cycle: ${cycle//$'\n'/ }")

if [[ ${#findings[@]} -gt 0 ]]; then
	printf '%s\n' "${findings[@]}"
	exit 1
fi
echo 'lint: layers ok'
