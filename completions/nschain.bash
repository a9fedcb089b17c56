# The code of the bash completion; completions/generate.sh puts a table in front of it.
# shellcheck shell=bash

# Values are offered in these variables of _nschain:
#   value     what is typed of the value, or of its piece behind the last ':'
#   head      what stands in front of that in the same word
#   found     the words that fit
#   notes     what a word means, for a list of several
#   files     whether they are files
#   repeated  the members of a list with commas that are typed already, which need not be shown again

# _nschain_add WORD...: offers those that begin with what is typed.
_nschain_add()
{
	local word
	for word; do
		[[ $word != "$value"* ]] || found+=("$word")
	done
}

# _nschain_add_members WORD...: the same for a list with commas, without those that are in it.
_nschain_add_members()
{
	local word typed=${value%"${value##*,}"}
	[[ -z $typed ]] || repeated=$typed
	for word; do
		[[ ,$typed == *",$word,"* || ,$typed == *",$word"[!,]* && $word == *= ]] || _nschain_add "$typed$word"
	done
}

# Files are quoted, and directories get a '/' instead of a space.
_nschain_add_files() # ACTION OF COMPGEN
{
	local typed=${value#[\"\']} file
	files=yes
	compopt -o filenames 2>/dev/null
	while IFS= read -r file; do
		found+=("$file")
	done < <(compgen -A "$1" -- "$typed")
}

# _nschain_add_fields FILE NUMBER: that field of each line of FILE, with the first one as its note.
_nschain_add_fields()
{
	local -a fields
	[[ -r $1 ]] || return
	while IFS=: read -ra fields; do
		[[ -n ${fields[$2]:-} ]] || continue
		_nschain_add "${fields[$2]}"
		notes[${fields[$2]}]=${fields[0]}
	done <"$1"
}

# What the kernel has, says capjail.
_nschain_add_capabilities() # SIGNS THAT MAY STAND IN FRONT
{
	local line last=${value##*,} sign=''
	local -a names=()
	if [[ -n $1 ]]; then
		sign=${last%%[!"$1"]*}
	elif [[ ,$value == *,all,* ]]; then
		# What follows is left out of all.
		sign=-
	else
		names=(all)
	fi
	while read -r line; do
		[[ $line != cap_*' ('* ]] || names+=("$sign${line%% *}")
	done < <(type -P capjail >/dev/null && command capjail --explain-cap=all 2>/dev/null)
	case ${last#"$sign"} in
	CAP_*) names=("${names[@]^^}") ;;
	cap_*) ;;
	*) names=("${names[@]/#"$sign"cap_/$sign}") ;;
	esac
	_nschain_add_members "${names[@]}"
}

# The names that the links know: without those that are other names, or of one architecture.
_nschain_add_signals()
{
	local signal prefix=
	[[ $value != S?(I?(G*)) || $value == STOP* || $value == SYS* ]] || prefix=SIG
	for signal in $(compgen -A signal SIG); do
		case $signal in
		SIGRT* | SIGSTKFLT | SIGPOLL | SIGCLD | SIGIOT | SIGLOST | SIGEMT | SIGINFO | SIGJUNK* | SIGUNUSED) ;;
		*)
			_nschain_add "${signal#SIG}"
			[[ -z $prefix ]] || _nschain_add "$signal"
			;;
		esac
	done
}

_nschain_add_pids()
{
	local process pid
	for process in /proc/[1-9]*; do
		pid=${process#/proc/}
		[[ $pid == "$value"* ]] || continue
		found+=("$pid")
		{ IFS= read -r "notes[$pid]" <"$process/comm"; } 2>/dev/null
	done
}

# The files of this shell that a command inherits.
_nschain_add_fds()
{
	local file fd key flags
	for file in "/proc/$$/fdinfo/"*; do
		fd=${file##*/}
		[[ $fd == "$value"* ]] || continue
		while read -r key flags; do
			[[ $key != flags: ]] || (((flags & 02000000) != 0)) || found+=("$fd")
		done <"$file"
	done 2>/dev/null
}

# The directories of the own group in all hierarchies, or with "all" those of the groups that are seen as '/'; in groups.
_nschain_groups()
{
	local line controllers path root place
	local -a fields
	local -A own=()
	groups=()
	while IFS=: read -r _ controllers path; do
		own[${controllers:-v2}]=$path
	done </proc/self/cgroup
	while read -r line; do
		[[ $line == *' - cgroup'* ]] || continue
		read -ra fields <<<"$line"
		root=${fields[3]%/} place=${fields[4]}
		if [[ ${1:-} == all ]]; then
			groups+=("$place")
			continue
		fi
		for controllers in "${!own[@]}"; do
			[[ ,${line##* }, == *",$controllers,"* || $line == *' - cgroup2 '* && $controllers == v2 ]] || continue
			path=${own[$controllers]#"$root"}
			groups+=("$place${path%/}")
		done
	done </proc/self/mountinfo
}

_nschain_add_cgroups()
{
	local group line
	local -a groups
	local -A seen=()
	_nschain_groups "$([[ $value != /* ]] || echo all)"
	for group in "${groups[@]}"; do
		[[ $value == /* ]] || group+=/
		while IFS= read -r line; do
			line=${line#"$group"}
			[[ -n ${seen[$line]:-} ]] || found+=("$line")
			seen[$line]=1
		done < <(compgen -d -- "$group$value")
	done
}

# Files of the own group that --set may write.
_nschain_add_settings()
{
	local group file
	local -a groups
	local -A seen=()
	[[ $value != *=* ]] || return
	_nschain_groups
	for group in "${groups[@]}"; do
		for file in "$group/$value"*.*; do
			[[ -e $file ]] || continue
			file=${file##*/}
			case $file in
			cgroup.max.*) ;;
			cgroup.* | *.stat | *.events* | *.current | *.peak | *.pressure) continue ;;
			esac
			[[ -n ${seen[$file]:-} ]] || found+=("$file=")
			seen[$file]=1
		done
	done
}

# The numbers of a list such as 0-3,8 that a file has.
_nschain_add_numbers() # FILE
{
	local list range
	local -a numbers=()
	read -r list 2>/dev/null <"$1" || return
	for range in ${list//,/ }; do
		for ((i = ${range%-*}; i <= ${range#*-}; i++)); do
			numbers+=("$i")
		done
	done
	_nschain_add_members "$list" "${numbers[@]}"
}

_nschain_add_disks()
{
	local disk
	for disk in /sys/block/*; do
		disk=/dev/${disk##*/}
		[[ ! -b $disk ]] || _nschain_add "$disk"
	done
}

_nschain_add_huge_pages()
{
	local size
	for size in /sys/kernel/mm/hugepages/hugepages-*kB; do
		size=${size##*-}
		size=${size%kB}
		[[ $size != '*' ]] || continue
		if ((size >= 1048576)); then _nschain_add "$((size / 1048576))G"; else _nschain_add "$((size / 1024))M"; fi
	done
}

_nschain_add_file_systems()
{
	local first second
	local -a types=()
	while read -r first second; do
		types+=("${second:-$first}")
	done </proc/filesystems
	_nschain_add_members "${types[@]}"
}

# all, PATH[:ACCESS], or c|b:MAJOR:MINOR[:ACCESS]
_nschain_add_rules()
{
	case $value in
	[bc]:*:*:* | /*:*)
		head+=${value%:*}: value=${value##*:}
		_nschain_add r w m rw rwm
		;;
	[bc]:*) ;;
	/*) _nschain_add_files file ;;
	*) _nschain_add all b: c: /dev/ ;;
	esac
}

# _nschain_kind KIND[+KIND]...: offers values of these kinds.
_nschain_kind()
{
	local kind
	local -a words
	for kind in ${1//+/ }; do
		IFS=, read -ra words <<<"${kind#*/}"
		case $kind in
		words/*) _nschain_add "${words[@]}" ;;
		list/*) _nschain_add_members "${words[@]}" ;;
		file) _nschain_add_files file ;;
		directory) _nschain_add_files directory ;;
		device) if [[ -n $value ]]; then _nschain_add_files file; else _nschain_add /dev/; fi ;;
		disk) _nschain_add_disks ;;
		device-rule) _nschain_add_rules ;;
		user) mapfile -t words < <(compgen -u) && _nschain_add "${words[@]}" ;;
		group) mapfile -t words < <(compgen -g) && _nschain_add "${words[@]}" ;;
		groups) mapfile -t words < <(compgen -g) && _nschain_add_members "${words[@]}" ;;
		uid) _nschain_add_fields /etc/passwd 2 ;;
		gid) _nschain_add_fields /etc/group 2 ;;
		capabilities) _nschain_add_capabilities '' ;;
		iab) _nschain_add_capabilities '!^%' ;;
		signal) _nschain_add_signals ;;
		pid) _nschain_add_pids ;;
		fd) _nschain_add_fds ;;
		cgroup) _nschain_add_cgroups ;;
		setting) _nschain_add_settings ;;
		cpus) _nschain_add_numbers /sys/devices/system/cpu/online ;;
		nodes) _nschain_add_numbers /sys/devices/system/node/online ;;
		huge-page) _nschain_add_huge_pages ;;
		file-systems) _nschain_add_file_systems ;;
		size)
			if [[ $value =~ ^[0-9]+(\.[0-9]*)?$ ]]; then
				_nschain_add "$value"{K,M,G,T,%}
			else
				_nschain_add max 100M 1G 50%
			fi
			;;
		esac
	done
}

# _nschain_value VALUES: the value at the cursor; each "then" or "maybe" in VALUES is a ':' in it.
_nschain_value()
{
	local -a pieces
	local piece=0
	read -ra pieces <<<"$1"
	# A disk may be MAJOR:MINOR.
	if [[ ${pieces[0]} == disk && $value =~ ^[0-9]+: ]]; then
		head+=${BASH_REMATCH[0]}
		value=${value#*:}
	fi
	while [[ $value == *:* && $piece -lt $((${#pieces[@]} - 1)) ]]; do
		head+=${value%%:*}:
		value=${value#*:}
		piece=$((piece + 2))
	done
	_nschain_kind "${pieces[piece]}"
	if [[ ${pieces[piece + 1]:-} == 'then' ]]; then
		compopt -o nospace 2>/dev/null
		[[ ${pieces[piece]} == *file* ]] || found=("${found[@]/%/:}")
	fi
}

# The words up to the cursor in words, put together from the pieces that readline splits at '=' and ':', and where in COMP_WORDS they begin
# in starts.
_nschain_words()
{
	local rest=${COMP_LINE:0:COMP_POINT} piece index apart
	for ((index = 0; index <= COMP_CWORD; index++)); do
		piece=${COMP_WORDS[index]}
		apart=${rest%%[![:space:]]*}
		rest=${rest#"$apart"}
		[[ $index -lt $COMP_CWORD ]] || piece=$rest
		rest=${rest#"$piece"}
		if [[ $index -gt 0 && -z $apart && ($piece == [=:]* || ${words[-1]} == *[=:]) ]]; then
			words[-1]+=$piece
		else
			words+=("$piece")
			starts+=("$index")
		fi
		text=$piece
	done
	# That is what readline would replace.
	[[ $text != *([=:]) ]] || text=
}

# The options of LINK: all in options, and in required and optional those with a value: what it is.
_nschain_read_table() # LINK
{
	local line letter name values table=
	_nschain_table "$1"
	while read -r line; do
		letter=
		[[ $line != -?' '* ]] || letter=${line:0:2} line=${line:3}
		name=${line%% *} values=${line#"${line%% *}"}
		values=${values#"${values%%[! ]*}"}
		[[ -n $name ]] || continue
		options+=(${letter:+"$letter"} "${name/\[try-\]/}")
		[[ $name != *\[try-\]* ]] || tries+=("${name/\[try-\]/try-}")
		line=${name/\[try-\]/}
		case $values in
		=*) required[$line]=${values#=} required[${line/--/--try-}]=${values#=} required[${letter:-$line}]=${values#=} ;;
		\[*) values=${values#\[=} && optional[$line]=${values%\]} ;;
		esac
	done <<<"$table"
}

# Which option of the word at hand has a value: option, and whether that is in the same word: attached, behind head.
_nschain_option() # WORD
{
	local word=$1
	option='' attached='' head=''
	if [[ $word == --*=* ]]; then
		option=${word%%=*} head=${word%%=*}= attached=yes
	elif [[ $word == --* ]]; then
		option=$word
	else
		# -pmC 2: the first letter that takes a value has the rest of the word or else the next one.
		for ((i = 1; i < ${#word}; i++)); do
			[[ -n ${required[-${word:i:1}]:-} ]] || continue
			option=-${word:i:1}
			[[ $((i + 1)) -eq ${#word} ]] || head=${word:0:i + 1} attached=yes
			break
		done
	fi
}

# Hands found to readline, which replaces text and not the whole word.
_nschain_reply()
{
	local word strip=$((${#cur} - ${#text})) listing=
	[[ ${COMP_TYPE:-9} != 63 || ${#found[@]} -lt 2 ]] || listing=yes
	# With the option in front of it, readline does not see that it is a directory.
	[[ ${#found[@]} -ne 1 || $strip -ge ${#head} || -z $files || ! -d ${found[0]} ]] || found[0]+=/
	for word in "${found[@]}"; do
		if [[ -n $listing ]]; then
			# Nothing is inserted, so that what is shown can say more, and be shorter.
			COMPREPLY+=("${word#"$repeated"}${notes[$word]:+ (${notes[$word]//[^[:print:]]/?})}")
		else
			word=$head$word
			COMPREPLY+=("${word:strip}")
		fi
	done
	[[ ${#found[@]} -ne 1 || ${found[0]} != *[=:/] ]] || compopt -o nospace 2>/dev/null
}

# The completion of a link itself. Where another command begins, its index in COMP_WORDS is in command.
_nschain_link()
{
	local IFS=$' \t\n' i index=1 last cur text='' option='' attached='' ended='' operands='' no_operands='' value='' head='' repeated='' files='' kind=
	local -a words=() starts=() options=() tries=() found=()
	local -A required=() optional=() notes=()
	_nschain_words
	last=$((${#words[@]} - 1)) cur=${words[last]}
	_nschain_read_table "${COMP_WORDS[0]##*/}"

	# The options up to the cursor, and their values.
	while [[ $index -lt $last && -z $ended ]]; do
		[[ ${words[index]} == -?* ]] || break
		[[ ${words[index]} != -- ]] || ended=yes
		[[ -z $no_operands || ${words[index]} != "$no_operands"?(=*) ]] || operands=
		_nschain_option "${words[index]}"
		[[ -z $option || -n $attached || -z ${required[$option]:-} ]] || index=$((index + 1))
		index=$((index + 1))
	done

	if [[ $index -gt $last ]]; then
		value=$cur head=
		_nschain_value "${required[$option]}"
	elif [[ $index -eq $last && -z $ended && $cur == -* ]]; then
		_nschain_option "$cur"
		if [[ -n $attached ]]; then
			value=${cur#"$head"}
			_nschain_value "${required[$option]:-${optional[$option]:-text}}"
		else
			value=$cur head=
			[[ $cur != --t* ]] || options+=("${tries[@]}")
			_nschain_add "${options[@]}"
		fi
	else
		for kind in $operands; do
			if [[ $index -eq $last ]]; then
				value=$cur head=
				_nschain_kind "$kind"
				break
			fi
			index=$((index + 1)) kind=
		done
		if [[ -z $kind ]]; then
			command=${starts[index]}
			return
		fi
	fi
	_nschain_reply
}

_nschain()
{
	local command='' function
	COMPREPLY=()
	_nschain_link
	[[ -n $command ]] || return 0
	# What bash-completion calls it from 2.12 on, and before.
	for function in _comp_command_offset _command_offset; do
		if declare -F "$function" >/dev/null; then
			"$function" "$command"
			return
		fi
	done
}
