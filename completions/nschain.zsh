# The code of the zsh completion; completions/generate.sh puts the tables behind it.

# _nschain_add TAG WHAT WORD[:MEANING]...: offers these words, with $suffix behind.
_nschain_add() {
	local tag=$1 what=$2
	shift 2
	local -a closed=( ${@:#*=(|:*)} ) open=( ${(M)@:#*=(|:*)} )
	_describe -t $tag $what closed $suffix -- open -S ''
}

# _nschain_add_members TAG WHAT WORD[:MEANING]...: the same for a list with commas, without those that are in it.
_nschain_add_members() {
	local tag=$1 what=$2 word
	shift 2
	local -a typed left
	[[ $PREFIX != *,* ]] || typed=( ${(s:,:)PREFIX%,*} )
	typed=( ${typed/%=*/=} )
	for word; do
		(( ${typed[(Ie)${word%%:*}]} )) || left+=( $word )
	done
	compset -P '*,'
	compset -S ',*' || suffix=( -qS , )
	_nschain_add $tag $what $left
}

# What the kernel has, says capjail.
_nschain_add_capabilities() { # SIGNS THAT MAY STAND IN FRONT
	local line sign= last=${PREFIX##*,} prefix=
	local -a names
	if [[ -n $1 ]]; then
		sign=${(M)last##[$1]#}
	elif [[ ,$PREFIX == *,all,* ]]; then
		# What follows is left out of all.
		sign=-
	else
		names=( all )
	fi
	[[ ${last#$sign} != (#i)cap_* ]] || prefix=cap_
	for line in ${(f)"$(_call_program capabilities capjail --explain-cap=all 2>/dev/null)"}; do
		[[ $line != cap_*' ('* ]] || names+=( "$sign$prefix${${line%% *}#cap_}:${${line#*: }%;}" )
	done
	[[ ${last#$sign} != CAP_* ]] || names=( ${(U)names%%:*} )
	_nschain_add_members capabilities capability $names
}

# The names that the links know: without those that are other names, or of one architecture.
_nschain_add_signals() {
	local -a names=( ${${${${signals/#%POLL/IO}/#%IOT/ABRT}/#%CLD/CHLD}:#(EXIT|STKFLT|LOST|RT*|ZERR|DEBUG|UNUSED)} )
	[[ $PREFIX != SIG* ]] || names=( SIG$^names )
	_nschain_add signals signal $names
}

_nschain_add_pids() {
	local process name
	local -a pids
	for process in /proc/<1->(N); do
		read -r name <$process/comm && pids+=( "${process:t}:${name//:/\\:}" )
	done 2>/dev/null
	_nschain_add processes process $pids
}

# The files of this shell that a command inherits.
_nschain_add_fds() {
	local file flags
	local -a fds
	for file in /proc/$$/fdinfo/<->(N); do
		# Not read from it in a loop, for which the shell would open more files.
		flags=${${(M)${(f)"$(<$file)"}:#flags:*}##*[[:space:]]}
		[[ -z $flags ]] || (( 8#$flags & 8#2000000 )) || fds+=( ${file:t} )
	done 2>/dev/null
	_nschain_add file-descriptors 'file descriptor' $fds
}

# The directories of the own group in all hierarchies, or with "all" those of the groups that are seen as '/'; in groups.
_nschain_groups() {
	local line controllers dir root
	local -a fields
	local -A own
	groups=()
	while IFS=: read -r line controllers dir; do
		own[${controllers:-v2}]=$dir
	done </proc/self/cgroup
	while read -r line; do
		[[ $line == *' - cgroup'* ]] || continue
		fields=( ${=line} )
		root=${fields[4]%/}
		if [[ $1 == all ]]; then
			groups+=( $fields[5] )
			continue
		fi
		for controllers in ${(k)own}; do
			[[ ,$fields[-1], == *",$controllers,"* || $line == *' - cgroup2 '* && $controllers == v2 ]] || continue
			groups+=( $fields[5]${${own[$controllers]#$root}%/} )
		done
	done </proc/self/mountinfo
}

_nschain_add_cgroups() {
	local expl
	local -a groups
	if compset -P /; then
		_nschain_groups all
	else
		_nschain_groups
	fi
	_wanted groups expl group _path_files -/ -W groups
}

# Files of the own group that --set may write.
_nschain_add_settings() {
	local group
	local -a groups names
	local -U names
	! compset -P '*=' || return 1
	_nschain_groups
	for group in $groups; do
		names+=( $group/*.*(N:t) )
	done
	names=( ${names:#(cgroup.^max.*|*.stat|*.events*|*.current|*.peak|*.pressure)} )
	_nschain_add files 'file of the group' $^names=
}

# The numbers of a list such as 0-3,8 that a file has.
_nschain_add_numbers() { # WHAT FILE
	local list range
	local -a numbers
	read -r list <$2 || return
	for range in ${(s:,:)list}; do
		numbers+=( {${range%-*}..${range#*-}} )
	done
	_nschain_add_members numbers $1 $list ${numbers:#$list}
}

_nschain_add_huge_pages() {
	local size
	local -a sizes
	for size in /sys/kernel/mm/hugepages/hugepages-*kB(N); do
		size=${${size##*-}%kB}
		if (( size >= 1048576 )); then sizes+=( $(( size / 1048576 ))G ); else sizes+=( $(( size / 1024 ))M ); fi
	done
	_nschain_add sizes 'page size' $sizes
}

_nschain_add_file_systems() {
	local line
	local -a types
	while read -r line; do
		types+=( ${line##*[[:space:]]} )
	done </proc/filesystems
	_nschain_add_members types 'file system' $types
}

# all, PATH[:ACCESS], or c|b:MAJOR:MINOR[:ACCESS]
_nschain_add_rules() {
	local ret=1
	if compset -P '[bc]:*:*:' || compset -P '/*:'; then
		_nschain_add access access r w m rw rwm
	elif [[ $PREFIX != [bc]:* ]]; then
		_nschain_add rules rule 'all:every device' && ret=0
		suffix=( -S : )
		_nschain_add rules rule 'b:block devices\: b\:MAJOR\:MINOR' 'c:character devices\: c\:MAJOR\:MINOR' && ret=0
		_nschain_add_devices && ret=0
		return ret
	fi
}

_nschain_add_devices() {
	if [[ $PREFIX == [/~]* ]]; then _files; else _files -W /dev -P /dev/; fi
}

_nschain_add_sizes() {
	if [[ $PREFIX == [0-9]##(|.[0-9]#) ]]; then
		_nschain_add sizes size $PREFIX{K,M,G,T,%}
	else
		_nschain_add sizes size max 100M 1G 50%
	fi
}

# _nschain_ids WHAT FILE: the numbers in FILE, which is of names.
_nschain_add_ids() {
	local line
	local -a fields ids
	while read -r line; do
		fields=( "${(@s.:.)line}" )
		[[ -z $fields[3] ]] || ids+=( "$fields[3]:$fields[1]" )
	done <$2
	_nschain_add ids $1 $ids
}

# _nschain_kind KIND: offers values of it.
_nschain_kind() {
	local -a disks=( /sys/block/*(N:t) )
	case $1 in
	words/*) _nschain_add values value ${(s:,:)1#*/} ;;
	list/*) _nschain_add_members values value ${(s:,:)1#*/} ;;
	file) _files $suffix ;;
	directory) _directories ;;
	device) _nschain_add_devices ;;
	disk) _nschain_add disks disk /dev/${^disks} ;;
	device-rule) _nschain_add_rules ;;
	user) _users $suffix ;;
	group) _groups $suffix ;;
	groups) _nschain_add_members groups group ${${(f)"$(</etc/group)"}%%:*} ;;
	uid) _nschain_add_ids user /etc/passwd ;;
	gid) _nschain_add_ids group /etc/group ;;
	capabilities) _nschain_add_capabilities '' ;;
	iab) _nschain_add_capabilities '!^%' ;;
	signal) _nschain_add_signals ;;
	pid) _nschain_add_pids ;;
	fd) _nschain_add_fds ;;
	cgroup) _nschain_add_cgroups ;;
	setting) _nschain_add_settings ;;
	cpus) _nschain_add_numbers processor /sys/devices/system/cpu/online ;;
	nodes) _nschain_add_numbers 'memory node' /sys/devices/system/node/online ;;
	huge-page) _nschain_add_huge_pages ;;
	file-systems) _nschain_add_file_systems ;;
	size) _nschain_add_sizes ;;
	*) return 1 ;;
	esac
}

# _nschain_value KINDS [then|maybe KINDS]...: the value at the cursor; each "then" or "maybe" is a ':' in it.
_nschain_value() {
	setopt local_options extended_glob
	local kind ret=1
	local -a suffix
	# A disk may be MAJOR:MINOR.
	if [[ $1 == disk && $PREFIX == [0-9]##:* ]]; then
		compset -P 1 '[0-9]##:[0-9]##:' && shift 2
	fi
	while (( $# > 1 )) && compset -P 1 '*:'; do
		shift 2
	done
	[[ $2 != then ]] || suffix=( -qS : )
	for kind in ${(s:+:)1}; do
		_nschain_kind $kind && ret=0
	done
	return ret
}
