#!/usr/bin/env bash
# completions/generate.sh BINDIR OUTDIR: writes bash/, zsh/ and fish/ below OUTDIR: the options that `LINK --help` of the links in BINDIR
# lists, as tables, and the code of nschain.bash, nschain.zsh and nschain.fish beside this file, which reads them. Each completes
# the options of a link and their values, then leaves the rest of the line to the completion of the next command.
set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C

links=(nsnew nsjoin cgrun capjail rootjail)
bindir=${1:?directory of the links}
outdir=${2:?directory to write to}
code=$(dirname "$0")/nschain
# The one that is not built with every C library.
[[ ! -e $bindir/nsmount ]] || links+=(nsmount)
mkdir -p "$outdir"/{bash,zsh,fish}

# What values an ARGUMENT of --help stands for: kinds that each shell has code for. "a+b" is one or the other, words/W,W one of these words,
# list/W,W some of them with commas. ARGUMENT is looked for with the option in front, then with the link in front, then alone, and then in the pieces
# that are between its ':'. What has a '|' needs no line. "help" is the words that the help of the option lists, "OPTIONS" those
# that it has behind "OPTIONS:".
# shellcheck disable=SC2054 # its commas are meant
declare -A kinds=(
	[DIR]=directory
	[DISK]=disk
	[DST]=file
	[FD]=fd
	[FILE]=file
	[FORMAT]=words/text,json
	[FILE=VALUE]=setting
	[GID]=gid
	[GROUP]=group
	[cgrun GROUP]=cgroup
	[GROUPS]=groups
	[KEY=RATE]=list/rbps=,wbps=,riops=,wiops=
	[capjail LIST]=capabilities
	[capjail --bounding LIST]=capabilities+words/none
	[capjail --inheritable LIST]=capabilities+words/none
	[capjail --ambient LIST]=capabilities+words/none
	[capjail --securebits LIST]=securebits
	[cgrun --cpuset LIST]=cpus
	[cgrun --mems LIST]=nodes
	[nsmount LIST]=mount-options
	[MAP]=words/auto,subids,all
	[capjail --umask MODE]=words/022,027,077
	[nsnew --propagation MODE]=help
	[mode=MODE]=words/mode=
	[NAME]=text
	[NUMBER]=text
	[OPTIONS]=OPTIONS
	[PAGE]=huge-page
	[PATH]=file
	[rootjail --dev PATH]=device
	[ROOTFS]=directory
	[RULE]=device-rule
	[SECONDS]=text
	[SIGNAL]=signal
	[SIZE]=size
	[SOURCE]=file
	[SRC]=file
	[nsjoin TARGET]=pid+directory
	[nsmount TARGET]=directory
	[rootjail --symlink TARGET]=file
	[TEXT]=iab
	[TYPE]=file-systems
	[UID]=uid
	[nsjoin UID]=uid+words/follow
	[nsjoin GID]=gid+words/follow
	[USEC]=text
	[USER]=user
)
securebits=noroot,noroot_locked,no_setuid_fixup,no_setuid_fixup_locked,keep_caps_locked,no_cap_ambient_raise
securebits+=,no_cap_ambient_raise_locked,exec_restrict_file,exec_restrict_file_locked,exec_deny_interactive,exec_deny_interactive_locked
mount_options=ro,rw,bind,rbind,loop,nosuid,nodev,noexec,suid,dev,exec,noatime,relatime,strictatime,nodiratime,lazytime,sync,async
mount_options+=,private,rprivate,slave,rslave,shared,rshared,unbindable,nofail,uid=,gid=,mode=,size=,offset=,sizelimit=,subvol=
mount_options+=,lowerdir=,upperdir=,workdir=

# One option a line: LETTER NAME ARGUMENT TRIES HELP with \037 between. ARGUMENT is "", "WHAT", "WHAT..." or "[=WHAT]", TRIES is "try" if there is
# --try-NAME as well.
list_options() { # LINK
	"$bindir/$1" --help | awk '
		function flush() {
			if (name != "")
				print letter "\037" name "\037" argument "\037" (name ~ /^(help|version)$/ ? "" : tries) "\037" help
			name = ""
		}
		/^  (-[A-Za-z],|   ) --[a-z]/ {
			flush()
			letter = substr($0, 3, 1) == "-" ? substr($0, 4, 1) : ""
			match($0, /--[a-z-]+/)
			name = substr($0, RSTART + 2, RLENGTH - 2)
			rest = substr($0, RSTART + RLENGTH)
			argument = rest
			sub(/ .*/, "", argument)
			help = substr(rest, length(argument) + 1)
			sub(/^=/, "", argument)
			sub(/^ +/, "", help)
			next
		}
		/^                              [^ ]/ && name != "" {
			sub(/^ +/, "")
			help = help (help == "" ? "" : " ") $0
			next
		}
		{ flush() }
		/^[^ ]/ { tries = /also as --try-/ ? "try" : "" }
		END { flush() }'
}

# The operands in front of COMMAND, as --help names them.
list_operands() { # LINK
	"$bindir/$1" --help | sed -n '1s/.*\[OPTION\]\.\.\. \(.*\)COMMAND .*/\1/p' | sed 's/\[--\] *//'
}

# How an option may be given in place of the operands.
replacement() { # LINK
	[[ $1 != nsmount ]] || echo --fstab
}

# The kind of WHAT, empty if there is none.
kind_of() { # LINK OPTION WHAT HELP
	local found=${kinds[$1 --$2 $3]:-${kinds[$1 $3]:-${kinds[$3]:-}}} words
	case $found in
	securebits) found=list/$securebits ;;
	mount-options) found=list/$mount_options ;;
	help) found=words/$(sed 's/ ([a-z]*)//g; s/, /,/g' <<<"$4") ;;
	OPTIONS)
		words=${4##*OPTIONS: }
		# idmap=WHAT: its value can be anything.
		found=list/$(sed -E 's/, /,/g; s/=[^,]*/=/g' <<<"$words")
		;;
	esac
	echo "$found"
}

# The kinds of the pieces of ARGUMENT: "KIND", and behind it "then KIND" for a piece that has to come behind a ':', "maybe KIND" for one that may.
values_of() { # LINK OPTION ARGUMENT HELP
	local what=$3 kind values='' piece
	if [[ $what == \[=* ]]; then
		what=${what#\[=}
		what=${what%\]}
	fi
	what=${what%...}
	kind=$(kind_of "$1" "$2" "$what" "$4")
	if [[ -n $kind ]]; then
		echo "$kind"
		return
	fi
	if [[ $what == *\|* && $what != *:* ]]; then
		echo "words/${what//|/,}"
		return
	fi
	what=${what//\[:/ maybe }
	what=${what//:/ then }
	for piece in ${what//\]/}; do
		case $piece in
		maybe | then) values+=" $piece" ;;
		*)
			kind=$(kind_of "$1" "$2" "$piece" "$4")
			if [[ -z $kind ]]; then
				echo "generate.sh: no kind of values for '$piece' of $1 --$2=$3: it wants a line in kinds" >&2
				return 1
			fi
			values+=" $kind"
			;;
		esac
	done
	echo "${values# }"
}

# All links, from here on: LINK LETTER NAME ARGUMENT TRIES VALUES HELP.
read_links() {
	local link letter name argument tries help values
	for link in "${links[@]}"; do
		while IFS=$'\037' read -r letter name argument tries help; do
			values=
			[[ -z $argument ]] || values=$(values_of "$link" "$name" "$argument" "$help")
			printf '%s\037' "$link" "$letter" "$name" "$argument" "$tries" "$values"
			echo "$help"
		done < <(list_options "$link")
	done
}

options_of() { # LINK
	sed -n "s/^$1\x1f//p" <<<"$everything"
}

operand_kinds() { # LINK
	local operand
	for operand in $(list_operands "$1"); do
		values_of "$1" '' "$operand" '' || return
	done
}

# The code of FILE below its head.
body() { # FILE
	sed '1,/^$/d' "$1"
}

# --- bash ---

generate_bash() {
	local link letter name argument tries values help line
	cat <<'END'
# bash completion for the links of nschain, made from their --help
# shellcheck shell=bash

# The options of a link, one a line: =VALUES must follow, [=VALUES] may, [try-] is there with and without; and its operands.
_nschain_table()
{
	case $1 in
END
	for link in "${links[@]}"; do
		printf "\t%s)\n\t\ttable='\n" "$link"
		while IFS=$'\037' read -r letter name argument tries values help; do
			case $argument in
			'') ;;
			\[*) values="[=$values]" ;;
			*) values="=$values" ;;
			esac
			printf -v line '%2s --%-22s %s' "${letter:+-$letter}" "${tries:+[try-]}$name" "$values"
			echo "$line" | sed 's/^/\t\t\t/; s/ *$//'
		done < <(options_of "$link")
		printf "\t\t\t'\n"
		[[ -z $(list_operands "$link") ]] || printf "\t\toperands='%s'\n" "$(operand_kinds "$link" | paste -sd ' ')"
		[[ -z $(replacement "$link") ]] || printf "\t\tno_operands=%s\n" "$(replacement "$link")"
		printf '\t\t;;\n'
	done
	printf '\tesac\n}\n\n'
	body "$code.bash"
	printf '\ncomplete -F _nschain %s\n' "${links[*]}"
}

# --- zsh ---

# An argument of _arguments for each option: '(EXCLUDED)*--NAME=[HELP]:WHAT: _nschain_value VALUES'.
zsh_options() { # LINK
	local letter name argument tries values help what equals repeat excluded names prefix
	while IFS=$'\037' read -r letter name argument tries values help; do
		help=${help%% OPTIONS:*}
		help=${help//[\[\]]/}
		help=${help//\'/\'\\\'\'}
		what=${argument#\[=}
		what=${what%...}
		what=${what//:/ }
		what=${what//[\[\]]/}
		names="${letter:+-$letter }--$name${tries:+ --try-$name}"
		repeat='' excluded=''
		if [[ $argument == *... ]]; then
			repeat='*'
		elif [[ $names == *' '* ]]; then
			excluded="($names)"
		fi
		[[ $name != "$(replacement "$1" | sed s/--//)" ]] || excluded="(1 2${names:+ $names})"
		case $argument in
		'') what='' equals='' ;;
		*) what=":$what: $([[ $values == text ]] || echo "_nschain_value $values")" ;;&
		\[*) what=":$what" equals='=-' ;;
		*) equals='=' ;;
		esac
		printf "\t\t'%s--%s%s[%s]%s'\n" "$excluded$repeat" "$name" "$equals" "$help" "$what"
		# Not offered before it is begun, but known.
		[[ -z $tries ]] || printf "\t\t\$try'%s--try-%s%s[%s, or not at all]%s'\n" "$excluded$repeat" "$name" "$equals" "$help" "$what"
		# Optional values have no short form.
		[[ -n $letter ]] || continue
		prefix=$excluded$repeat-$letter
		case $argument in
		'' | \[*) printf "\t\t'%s[%s]'\n" "$prefix" "$help" ;;
		*) printf "\t\t'%s+[%s]%s'\n" "$prefix" "$help" "$what" ;;
		esac
	done < <(options_of "$1")
}

generate_zsh() {
	local link operand number
	printf '#compdef %s\n# zsh completion for the links of nschain, made from their --help\n\n' "${links[*]}"
	body "$code.zsh"
	cat <<'END'

local -a specs
local try='!'
[[ $PREFIX != --t* ]] || try=

case $service in
END
	for link in "${links[@]}"; do
		printf '%s)\n\tspecs=(\n' "$link"
		zsh_options "$link"
		number=0
		for operand in $(list_operands "$link"); do
			number=$((number + 1))
			printf "\t\t'%d:%s: _nschain_value %s'\n" "$number" "$operand" "$(values_of "$link" '' "$operand" '')"
		done
		printf '\t)\n\t;;\n'
	done
	cat <<'END'
esac

# What comes behind the options and operands is a command with its arguments.
_arguments -s -S -A '-*' $specs '*:::command:_normal'
END
}

# --- fish ---

# The options of a link with a value of their own, and its operands, are what __nschain has to know to find COMMAND.
generate_fish() { # LINK
	local link=$1 letter name argument tries values help valued='' operands line
	while IFS=$'\037' read -r letter name argument tries values help; do
		case $argument in '' | \[*) continue ;; esac
		valued+=" ${letter:+-$letter }--$name${tries:+ --try-$name}"
	done < <(options_of "$link")
	operands=$(operand_kinds "$link" | paste -sd ' ')
	[[ -z $(replacement "$link") ]] || operands+=" unless $(replacement "$link")"
	cat <<END
# fish completion for $link of nschain, made from its --help

# Those that take the next word as their value, and what stands in front of COMMAND.
set -g __nschain_valued_$link$valued
set -g __nschain_operands_$link${operands:+ $operands}

set -l own '__nschain options $link'
set -l trying '__nschain trying $link'
complete -c $link -x -a '(__nschain command $link)'

END
	while IFS=$'\037' read -r letter name argument tries values help; do
		line="complete -c $link -n \$own${letter:+ -s $letter}"
		help=${help%% OPTIONS:*}
		case $argument in
		'') values='' ;;
		\[*) values=" -f -a '(__nschain value $values)'" ;;
		*) values=" -x -a '(__nschain value $values)'" ;;
		esac
		help=${help//\'/\\\'}
		echo "$line -l $name$values -d '$help'"
		[[ -z $tries ]] || echo "complete -c $link -n \$trying -l try-$name$values -d '$help, or not at all'"
	done < <(options_of "$link")
}

everything=$(read_links)
for link in "${links[@]}"; do
	operand_kinds "$link" >/dev/null
done
generate_bash >"$outdir/bash/nschain"
generate_zsh >"$outdir/zsh/_nschain"
# A function is looked for in a file with its name.
cat "$code.fish" >"$outdir/fish/__nschain.fish"
for link in "${links[@]}"; do
	# bash-completion looks for a file with the name of the command.
	ln -sf nschain "$outdir/bash/$link"
	generate_fish "$link" >"$outdir/fish/$link.fish"
done
