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
	bash -c '. "$1"; _nschain_table "$2"; echo "$table"' bash "$completions/bash/nschain" "$1" |
		sed -E 's/\[try-\]//' | grep -oE '(^|[[:space:]])(-[A-Za-z]|--[a-z-]+)' | tr -d '[:blank:]' | sort
}

zsh_options() { # LINK
	sed -n "/^$1)/,/;;/p" "$completions/zsh/_nschain" |
		sed -nE "s/^\t\t'(\([^)]*\))?\*?(--?[A-Za-z-]+[A-Za-z]|-[A-Za-z]).*/\2/p" | sort
}

fish_options() { # LINK
	sed -nE "/ -n .trying /d; /^complete -c $1 /{s/ -a '[^']*'//; s/ -d .*//; p}" "$completions/fish/$1.fish" |
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

# Of each option the form --try-NAME as well: those that the link knows.
try_options() { # LINK
	help_options "$1" | grep -e '^--' | while read -r option; do
		# Whatever else is wrong is said later.
		"$1" "--try-${option#--}=" </dev/null 2>&1 | grep -q 'unknown option' || echo "--try-${option#--}"
	done | sort
}

@test "completions have the options --try-NAME that the links know" {
	local link found=0
	for link in "${LINKS[@]}"; do
		try_options "$link" >"$BATS_TEST_TMPDIR/tries"
		found=$((found + $(wc -l <"$BATS_TEST_TMPDIR/tries")))
		bash -c '. "$1"; _nschain_table "$2"; echo "$table"' bash "$completions/bash/nschain" "$link" |
			sed -nE 's/.*--\[try-\]([a-z-]+).*/--try-\1/p' | sort | diff "$BATS_TEST_TMPDIR/tries" -
		sed -n "/^$link)/,/;;/p" "$completions/zsh/_nschain" | sed -nE "s/^\t\t\\\$try.*'(\([^)]*\))?\*?(--try-[a-z-]+).*/\2/p" |
			sort | diff "$BATS_TEST_TMPDIR/tries" -
		sed -nE 's/.* -n .trying -l (try-[a-z-]+) .*/--\1/p' "$completions/fish/$link.fish" | sort | diff "$BATS_TEST_TMPDIR/tries" -
	done
	[ "$found" -ge 15 ]
}

# kinds_of_tables: each kind of values that stands in the tables for bash, which the others are made like.
kinds_of_tables() {
	local link
	for link in "${LINKS[@]}"; do
		bash -c '. "$1"; _nschain_table "$2"; echo "$table"; echo "= $operands"' bash "$completions/bash/nschain" "$link"
	done | sed -nE 's/^[^=]*=//; T; s/\]$//; p' | sed 's/\<\(then\|maybe\)\>//g; s/+/ /g; s:/[^ ]*::g' | tr ' ' '\n' | grep . | sort -u
}

@test "an ARGUMENT that completions have no kind of values for is an error of the build" {
	local link
	mkdir "$BATS_TEST_TMPDIR/bin"
	for link in "${LINKS[@]}"; do
		ln -s "$BIN/$link" "$BATS_TEST_TMPDIR/bin/$link"
	done
	"$BATS_TEST_DIRNAME/../completions/generate.sh" "$BATS_TEST_TMPDIR/bin" "$BATS_TEST_TMPDIR/out"
	rm "$BATS_TEST_TMPDIR/bin/cgrun"
	printf '#!/bin/sh\n"%s" "$@"\necho "      --new=SRC:NOVEL...          something"\n' "$BIN/cgrun" >"$BATS_TEST_TMPDIR/bin/cgrun"
	chmod +x "$BATS_TEST_TMPDIR/bin/cgrun"
	run "$BATS_TEST_DIRNAME/../completions/generate.sh" "$BATS_TEST_TMPDIR/bin" "$BATS_TEST_TMPDIR/out"
	[ "$status" -ne 0 ]
	assert_says "'NOVEL' of cgrun --new"
}

@test "each line of the kinds of values is for an ARGUMENT that there is" {
	requires nsmount
	local key rows=0 link option what
	while read -r key; do
		rows=$((rows + 1))
		what=${key##* } option=--
		case $key in
		*' --'*' '*) link=${key%% *} option=${key#* } option=${option% *} ;;
		*' '*) link=${key% *} ;;
		*) link= ;;
		esac
		for link in ${link:-"${LINKS[@]}"}; do
			"$link" --help | grep -E "^Usage|^  .*$option" | sed -E 's/\[=|--[a-z-]+=|[]:[|]|\.\.\.|$/ /g' | grep -F " $what " >/dev/null && continue 2
		done
		echo "no option has this: $key"
		return 1
	done < <(sed -n '/^declare -A kinds=(/,/^)/s/^\t\[\(.*\)\]=.*/\1/p' "$BATS_TEST_DIRNAME/../completions/generate.sh")
	[ "$rows" -gt 30 ]
}

@test "each shell has code for each kind of values" {
	local kind file
	[ "$(kinds_of_tables | wc -l)" -gt 20 ]
	for kind in $(kinds_of_tables); do
		[ "$kind" != text ] || continue
		for file in "$completions/bash/nschain" "$completions/zsh/_nschain"; do
			grep -qE "^[[:blank:]]+$kind(/\*)?\)" "$file" || { echo "${file##*/}: $kind" && return 1; }
		done
		grep -qE "^ +case '?$kind(/\*)?'?$" "$completions/fish/__nschain.fish" || { echo "fish: $kind" && return 1; }
	done
}

@test "the securebits, rates and modes that completions offer are those that the links know" {
	local names
	names=$(sed -nE 's/^.*--securebits +=list\/(.*)/\1/p' "$completions/bash/nschain")
	diff <(tr , '\n' <<<"$names" | sort) <(sed -n '/^static const char \*const names\[BITS\]/,/;/p' "$BATS_TEST_DIRNAME/../common/securebits.c" |
		grep -oE '"[a-z_]+"' | tr -d '"' | grep -vx keep_caps | sort)
	run capjail --securebits=keep_caps true
	assert_status 125
	names=$(sed -nE 's/^.*--propagation +=words\/(.*)/\1/p' "$completions/bash/nschain")
	run nsnew --propagation=none-of-them true
	assert_says "one of ${names//,/, }"
	names=$(sed -nE 's/^.*list\/(rbps.*)/\1/p' "$completions/bash/nschain")
	run cgrun --io-max=1:1:none-of-them=1 true
	assert_says "other than $(sed 's/=,/, /g; s/=$//' <<<"$names")"
}
