#!/usr/bin/env bash
# completions/generate.sh BINDIR OUTDIR: writes bash/, zsh/ and fish/ below OUTDIR from what `LINK --help` of the links in BINDIR
# says. Each completes the options of the link, then leaves the rest of the line to the completion of the next command.
set -euo pipefail

links=(nsnew nsjoin cgrun capjail rootjail)
bindir=${1:?directory of the links}
outdir=${2:?directory to write to}
# The one that is not built with every C library.
[[ ! -e $bindir/nsmount ]] || links+=(nsmount)
mkdir -p "$outdir"/{bash,zsh,fish}

# One option a line: SHORT LONG ARGUMENT HELP with '|' between; ARGUMENT is "", "WHAT", "WHAT..." or "[=WHAT]".
list_options() { # LINK
	"$bindir/$1" --help | awk '
		function flush() {
			if (name != "")
				print letter "\037" name "\037" argument "\037" help
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
		END { flush() }'
}

# How many operands stand before COMMAND; those of nsmount are not there behind --fstab.
operands() { # LINK
	case $1 in
	rootjail) echo 1 ;;
	nsmount) echo 2 ;;
	*) echo 0 ;;
	esac
}

# Words to choose from in an ARGUMENT such as "allow|deny".
choices() { # ARGUMENT
	[[ $1 != *\|* ]] || echo "${1//|/ }"
}

needs_value() { # ARGUMENT
	[[ -n $1 && $1 != \[* ]]
}

# --- bash ---

generate_bash() {
	local link letter name argument help all valued directories picks
	cat <<'END'
# bash completion for the links of nschain; made from their --help
# shellcheck shell=bash

# The options of a link; those with a value; those whose value is a directory; and OPTION=CHOICES.
_nschain_table()
{
	case $1 in
END
	for link in "${links[@]}"; do
		all='' valued='' directories='' picks=''
		while IFS=$'\037' read -r letter name argument help; do
			all+=" ${letter:+-$letter }--$name"
			needs_value "$argument" && valued+=" ${letter:+-$letter }--$name"
			[[ $argument == *DIR* || $argument == SRC* ]] && directories+=" ${letter:+-$letter }--$name"
			[[ -z $(choices "$argument") ]] || picks+="; choices[--$name]='$(choices "$argument")'"
		done < <(list_options "$link")
		printf "\t%s)\n\t\toptions='%s'\n\t\tvalued=' %s '\n\t\tdirectories=' %s '\n\t\toperands=%d%s\n\t\t;;\n" \
			"$link" "${all# }" "${valued# }" "${directories# }" "$(operands "$link")" "$picks"
	done
	cat <<'END'
	esac
}

# The index behind the word at $1, with the pieces that readline split off at '=' and ':'.
_nschain_next()
{
	next=$(($1 + 1))
	while [[ ${COMP_WORDS[next]:-} == [=:] ]]; do
		next=$((next + 2))
	done
}

_nschain()
{
	local options='' valued='' directories='' operands=0 index=1 next word option='' cur=${COMP_WORDS[COMP_CWORD]}
	local -A choices=()
	_nschain_table "${COMP_WORDS[0]##*/}"
	COMPREPLY=()

	# The link's own words end at the first operand; an option and its value are behind it otherwise.
	while [[ $index -lt $COMP_CWORD ]]; do
		word=${COMP_WORDS[index]}
		_nschain_next "$index"
		if [[ $word == -- ]]; then
			index=$next
			break
		fi
		[[ $word == -?* ]] || break
		[[ $word != --fstab* ]] || operands=0
		option=$word
		# -pmC 2: the last letter of a cluster may take a value.
		[[ $word == --* ]] || option=-${word: -1}
		[[ $word != --* && ${#word} -gt 2 && $valued == *" ${word:0:2} "* ]] && option=
		if [[ $next -gt $((index + 1)) ]]; then
			[[ $next -le $COMP_CWORD ]] || break
		elif [[ $valued == *" $option "* ]]; then
			[[ $next -lt $COMP_CWORD ]] || break
			_nschain_next "$next"
		fi
		option=
		index=$next
	done

	if [[ -n $option ]]; then
		[[ $cur != = ]] || cur=
		if [[ -n ${choices[$option]:-} ]]; then
			mapfile -t COMPREPLY < <(compgen -W "${choices[$option]}" -- "$cur")
		elif [[ $directories == *" $option "* ]]; then
			compopt -o filenames
			mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		elif [[ $option == --fstab ]]; then
			compopt -o filenames
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		elif [[ $option == --target || $option == -t ]] && [[ ${COMP_WORDS[0]##*/} == nsjoin ]]; then
			_pids
		fi
		return
	fi
	if [[ $index -ge $COMP_CWORD && $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
		return
	fi
	for (( ; operands > 0; operands--)); do
		if [[ $index -ge $COMP_CWORD ]]; then
			compopt -o filenames
			# With two operands the first may be a file.
			mapfile -t COMPREPLY < <(compgen "$([[ $operands -gt 1 ]] && echo -f || echo -d)" -- "$cur")
			return
		fi
		_nschain_next "$index"
		index=$next
	done
	_command_offset "$index"
}

END
	echo "complete -F _nschain ${links[*]}"
}

# --- zsh ---

generate_zsh() {
	local link letter name argument help what action equals repeat only
	printf '#compdef %s\n# zsh completion for the links of nschain; made from their --help\n\n' "${links[*]}"
	# shellcheck disable=SC2016 # for zsh
	printf 'local -a options\ncase $service in\n'
	for link in "${links[@]}"; do
		printf '%s)\n\toptions=(\n' "$link"
		while IFS=$'\037' read -r letter name argument help; do
			help=${help//[\[\]]/}
			help=${help//\'/\'\\\'\'}
			what=${argument#\[=} what=${what%\]} what=${what%...}
			what=${what//:/ } what=${what//[\[\]]/}
			action=
			[[ $what != *DIR* ]] || action=_directories
			[[ $name != fstab ]] || action=_files
			[[ $argument != SRC* ]] || action=_files
			[[ $what != PID ]] || action=_pids
			[[ -z $(choices "$argument") ]] || action="($(choices "$argument"))"
			case $argument in
			'') what='' equals='' ;;
			\[*) what="::$what:$action" equals='=-' ;;
			*) what=":$what:$action" equals='=' ;;
			esac
			repeat=
			[[ $argument != *... ]] || repeat='*'
			only=
			[[ -z $letter || -n $repeat ]] || only="(-$letter --$name)"
			printf "\t\t'%s--%s%s[%s]%s'\n" "$only$repeat" "$name" "$equals" "$help" "$what"
			[[ -z $letter ]] || case $argument in
			\[*) printf "\t\t'%s-%s[%s]'\n" "$only$repeat" "$letter" "$help" ;;
			*) printf "\t\t'%s-%s%s[%s]%s'\n" "$only$repeat" "$letter" "${equals:++}" "$help" "$what" ;;
			esac
		done < <(list_options "$link")
		[[ $link != rootjail ]] || printf "\t\t'1:root file system:_directories'\n"
		[[ $link != nsmount ]] || printf "\t\t'1:source:_files'\n\t\t'2:mount point:_directories'\n"
		printf '\t)\n\t;;\n'
	done
	printf "esac\n_arguments -s -S -A '-*' \$options '*:::command:_normal'\n"
}

# --- fish ---

generate_fish() { # LINK
	local link=$1 letter name argument help valued='' what
	while IFS=$'\037' read -r letter name argument help; do
		needs_value "$argument" && valued+=" ${letter:+-$letter }--$name"
	done < <(list_options "$link")
	cat <<END
# fish completion for $link of nschain; made from its --help
function __nschain_own -d 'whether the cursor is before the first operand; arguments: the options with a value'
    set -l words (commandline -opc)
    set -e words[1]
    while set -q words[1]
        if contains -- \$words[1] \$argv
            set -e words[1]
        else if not string match -q -- '-?*' \$words[1]; or test \$words[1] = --
            return 1
        end
        set -e words[1]
    end
end
complete -c $link -n 'not __nschain_own$valued; or test $(operands "$link") = 0' -x \\
    -a '(__fish_complete_subcommand --fcs-skip=$(($(operands "$link") + 1)) --$valued)'
END
	[[ $(operands "$link") -eq 0 ]] ||
		printf "complete -c %s -n '__nschain_own%s' -x -a '(__fish_complete_%s)'\n" \
			"$link" "$valued" "$([[ $link == nsmount ]] && echo path || echo directories)"
	while IFS=$'\037' read -r letter name argument help; do
		what=
		if needs_value "$argument"; then
			what=' -x'
			[[ $argument != DIR* && $argument != SRC* && $name != fstab ]] || what=' -r'
			[[ $argument != PID ]] || what=" -x -a '(__fish_complete_pids)'"
			[[ -z $(choices "$argument") ]] || what=" -x -a '$(choices "$argument")'"
		fi
		printf "complete -c %s -n '__nschain_own%s'%s -l %s%s -d '%s'\n" \
			"$link" "$valued" "${letter:+ -s $letter}" "$name" "$what" "${help//\'/\\\'}"
	done < <(list_options "$link")
}

generate_bash >"$outdir/bash/nschain"
generate_zsh >"$outdir/zsh/_nschain"
for link in "${links[@]}"; do
	# bash-completion looks for a file with the name of the command.
	ln -sf nschain "$outdir/bash/$link"
	generate_fish "$link" >"$outdir/fish/$link.fish"
done
