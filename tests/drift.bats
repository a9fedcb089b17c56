#!/usr/bin/env bats
# The options of `LINK --help`, of man/LINK.1 and of the completions are the same, in both directions.

setup() {
	load helpers
	completions=$BATS_FILE_TMPDIR/completions
}

setup_file() {
	load helpers
	"$BATS_TEST_DIRNAME/../completions/generate.sh" "$BIN" "$BATS_FILE_TMPDIR/completions"
}

# Each list is sorted and has a line "--name" or "-x" for each option.

help_options() { # LINK
	"$1" --help | sed -nE 's/^  (-[A-Za-z], |    )(--[a-z-]+).*/\1\n\2/p' | tr -d ', ' | grep . | sort
}

man_options() { # LINK
	sed -nE 's/^\.It (Fl ([A-Za-z]) , )?Fl Fl ([a-z-]+).*/-\2\n--\3/p' "$BATS_TEST_DIRNAME/../man/$1.1" |
		grep -v '^-$' | sort
}

bash_options() { # LINK
	bash -c 'complete() { :; }; . "$1"; declare -A choices; _nschain_table "$2"; printf "%s\n" $options' \
		bash "$completions/bash/nschain" "$1" | sort
}

zsh_options() { # LINK
	sed -n "/^$1)/,/;;/p" "$completions/zsh/_nschain" |
		sed -nE "s/^\t\t'(\([^)]*\))?\*?(--?[A-Za-z-]+[A-Za-z]|-[A-Za-z]).*/\2/p" | sort
}

fish_options() { # LINK
	sed -nE "/^complete -c $1 /{s/ -n '[^']*'//; s/ -d .*//; p}" "$completions/fish/$1.fish" |
		grep -oE -- '-(l [a-z-]+|s [A-Za-z])( |$)' | sed 's/-l /--/; s/-s /-/; s/ $//' | sort
}

# check_source NAME: the options that NAME_options finds are those of --help.
check_source() {
	local link found
	for link in "${LINKS[@]}"; do
		found=$("$1_options" "$link")
		[ "$(wc -l <<<"$found")" -ge 5 ]
		diff <(help_options "$link") - <<<"$found" || {
			echo "$link: < is in --help alone, > in $1 alone"
			return 1
		}
	done
}

@test "--help lists at least --help and --version of each link" {
	local link
	for link in "${LINKS[@]}"; do
		help_options "$link" | grep -qx -- --help
		help_options "$link" | grep -qx -- -V
	done
}

@test "manual pages have the options of --help" { check_source man; }
@test "bash completion has the options of --help" { check_source bash; }
@test "zsh completion has the options of --help" { check_source zsh; }
@test "fish completion has the options of --help" { check_source fish; }

@test "each link has a manual page that ends in its exit statuses, and nschain.7 names it" {
	local link page
	for link in "${LINKS[@]}"; do
		page=$BATS_TEST_DIRNAME/../man/$link.1
		grep -q "^\.Nm $link\$" "$page"
		grep -q '^\.Sh EXIT STATUS$' "$page"
		grep -q '^\.Sh EXAMPLES$' "$page"
		grep -q "^\.It Xr $link 1\$" "$BATS_TEST_DIRNAME/../man/nschain.7"
	done
}

@test "bash completes the next link of a chain" {
	[ -e /usr/share/bash-completion/bash_completion ] || skip 'needs bash-completion'
	run bash -c '
		. /usr/share/bash-completion/bash_completion
		. "$1"
		compopt() { :; }
		COMP_WORDS=(cgrun -m 100M nsnew -pm capjail --drop chown rootjail --read-o)
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=${COMP_WORDS[*]} COMP_POINT=${#COMP_LINE}
		_nschain
		echo "${COMPREPLY[@]}"
	' bash "$completions/bash/nschain"
	assert_output --read-only
}
