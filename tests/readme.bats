#!/usr/bin/env bats
# README.md, from its own text: the blocks of console are run and have to show what they show, and what else it names is there.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # marks of Markdown; output and status are set by run
#
# A line of a block that begins with "$ " or "# " is a command, one with "> " behind it goes on with it, all else is what they show. All commands of a
# block are one script of sh, beside a fresh rootfs (tests/rootfs.sh). "#" needs root; a comment in the line before names what else (helpers.bash):
#   <!-- needs: WORD... -->

setup() {
	load helpers
	prepare_alone
	cd "$BATS_TEST_TMPDIR" || return
}

setup_file() {
	load helpers
	"$BATS_TEST_DIRNAME/rootfs.sh" "$BATS_FILE_TMPDIR/rootfs"
}

teardown() {
	remove_alone
}

README=$BATS_TEST_DIRNAME/../README.md

# Writes block N of console as N.shown, N.sh, and what it needs as N.needs.
split_blocks() {
	awk '
		function quoted(text) { gsub(/\047/, "\047\\\047\047", text); return "\047" text "\047" }
		function finish_command() {
			if (command != "") print command >script
			if (command ~ /&$/) print "started=\"$started $!\"" >script
			command = ""
		}
		/^```console$/ {
			script = ++count ".sh"
			print "trap \047kill $started 2>/dev/null\047 EXIT" >script
			print before ~ /^<!-- needs: .* -->$/ ? substr(before, 12, length(before) - 15) : "" >(count ".needs")
			inside = 1
			next
		}
		/^```$/ && inside { finish_command(); inside = 0 }
		inside {
			print >(count ".shown")
			if (/^[$#] /) {
				finish_command()
				if (/^#/) print "root" >(count ".needs")
				command = substr($0, 3)
				print "echo " quoted($0) >script
			} else if (/^> / && command != "") {
				command = command "\n" substr($0, 3)
				print "echo " quoted($0) >script
			} else finish_command()
		}
		{ before = $0 }
	' "$README"
}

# What differs from one run to the next: the name of a group, and the peak of its memory.
normal() {
	sed -E "s/cgrun-[0-9]+-[0-9a-f]+/cgrun-4711-0badcafe/; s/peak ([0-9.]+M|\\?)/peak/"
}

run_block() { # NUMBER
	split_blocks
	[ -s "$1.sh" ]
	# shellcheck disable=SC2046 # words
	requires $(cat "$1.needs")
	cp -a "$BATS_FILE_TMPDIR/rootfs" rootfs
	run timeout -k 5 60 "${ALONE[@]}" sh "$1.sh" 3>&-
	diff <(normal <"$1.shown") <(normal <<<"$output")
}

@test "the first chain" { run_block 1; }
@test "chain 1: a build" { run_block 2; }
@test "chain 2: without root" { run_block 3; }
@test "chain 3: a root that nobody vouches for" { run_block 4; }
@test "chain 4: read-only" { run_block 5; }
@test "chain 5: limits" { run_block 6; }
@test "chain 6: tests with a network each" { run_block 7; }
@test "chain 7: an image" { run_block 8; }
@test "chain 8: capabilities" { run_block 9; }
@test "chain 9: a look into a container" { run_block 10; }
@test "chain 10: a pod" { run_block 11; }
@test "looking before leaping" { run_block 12; }

@test "each block of console is run here" {
	split_blocks
	[ "$(grep -c '^```console$' "$README")" -eq "$(grep -cE '\{ run_block [0-9]+; \}$' "$BATS_TEST_FILENAME")" ]
	# A comment stands right before its block.
	[ "$(grep -c '^<!-- needs: ' "$README")" -eq "$(grep -A 1 '^<!-- needs: ' "$README" | grep -c '^```console$')" ]
}

@test "the demo" {
	requires userns static
	NSCHAIN_BIN=$BIN run "$BATS_TEST_DIRNAME/demo.sh"
	assert_status 0
	[[ $output == *$'\nNothing is left: '* ]]
}

@test "what is called by make is a target, and its variables are known" {
	local call word
	grep -oE '(`|^    )make( [A-Za-z_-]+(=[^` ]+)?)*' "$README" | sed -E 's/^[` ]*make ?//' | sort -u >calls
	[ "$(wc -l <calls)" -gt 15 ]
	while read -r call; do
		for word in $call; do
			if [[ $word == *=* ]]; then
				grep -qrw "${word%%=*}" "$BATS_TEST_DIRNAME/../Makefile" "$BATS_TEST_DIRNAME/faults"
			else
				grep -qE "^$word:.* ## " "$BATS_TEST_DIRNAME/../Makefile"
			fi || {
				echo "make $call: $word"
				return 1
			}
		done
	done <calls
}

@test "the files that it names are there" {
	local file
	grep -oE '\]\([A-Za-z./]+\)|`(tests|man|\.ci)/[A-Za-z./]+`' "$README" | tr -d ']()`' | sort -u >files
	[ "$(wc -l <files)" -gt 5 ]
	while read -r file; do
		[ -e "$BATS_TEST_DIRNAME/../$file" ] || {
			echo "$file"
			return 1
		}
	done <files
	sed -n '/^## The source$/,/^## /s/^    \([a-z]*\)\/ .*/\1/p' "$README" >directories
	[ "$(wc -l <directories)" -eq 6 ]
	while read -r file; do
		[ -d "$BATS_TEST_DIRNAME/../$file" ]
	done <directories
}

@test "the modules of the map are those of common/" {
	diff <(cd "$BATS_TEST_DIRNAME/../common" && printf '%s\n' *.h | sed 's/\.h$//' | sort) \
		<(sed -n '/^    2   namespace/,/^    0   report/s/^    [210 ]   //p' "$README" | tr -s ' ' '\n' | grep . | sort)
}

@test "the figures of the last run are those of SECURITY.md" {
	local figures
	sed -n '/^The figures of the last run/,/^\*Fail-open/s/^| [^|]* | \([^|]*\) | `make .*/\1/p' "$README" >cells
	[ "$(wc -l <cells)" -ge 10 ]
	while read -r figures; do
		grep -qF "| $figures" "$BATS_TEST_DIRNAME/../man/SECURITY.md" || {
			echo "$figures"
			return 1
		}
	done <cells
}
