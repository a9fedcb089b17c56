#!/usr/bin/env bash
# tests/cast.sh PICTURE: types the lines of tests/cast/session into a shell on a terminal, as root, and draws the screen that comes of it
# as PICTURE (SVG); with - it prints the text instead. Two runs make the same bytes: the name of the cgroup, which is another each time, and
# the peak of its memory, which differs by some pages, are set to what they look like. Nothing else is changed.
# NSCHAIN_BIN is the directory of the links.
set -euo pipefail

picture=$(realpath -m "${1:?picture to write}")
tests=$(cd "$(dirname "$0")" && pwd)
export LC_ALL=C
columns=114

work=$(mktemp -d "${TMPDIR:-/tmp}/nschain-cast.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT TERM HUP
cd "$work"

fail() {
	printf 'cast: %s\n' "$*" >&2
	exit 1
}

record() {
	mkdir session
	"$tests/rootfs.sh" session/rootfs
	mkfifo session/up
	# The terminal of terminal.py does not echo, and has no size, before it is told. Without jobs the shell does not tell of their PIDs.
	(
		cd session
		env -i PATH="${NSCHAIN_BIN:-$tests/../build/release/bin}:/usr/sbin:/usr/bin:/sbin:/bin" LC_ALL=C TERM=xterm PS1='# ' \
			python3 "$tests/helpers/terminal.py" sh -c "stty sane cols $columns rows 100; exec sh +m -i" <"$tests/cast/session" >../shown
	) || { cat shown; fail 'the session did not go as it should'; }
}

# From the screen to the text in the picture: without the line that ends the session, and what is told about it.
tidy() {
	sed -E '/^# exit$/,$d
		s/cgrun-[0-9]+-[0-9a-f]+/cgrun-4711-0badcafe/
		s/peak (100\.0M|9[0-9]\.[0-9]M|\?)/peak 100.0M/' shown >text
	[[ -s text ]] || fail 'nothing was shown'
	! grep -nE "$work|.{$((columns + 1))}" text || fail 'this machine shows in the text, or a line is too long'
}

# What is typed is bold. A screen of just the right size, drawn at once.
draw() {
	python3 - "$columns" >cast <<-'END'
		import json, re, sys
		text = open("text").read().rstrip("\n")
		text = re.sub(r"^(# .*)$", "\x1b[1m\\1\x1b[0m", text, flags=re.M)
		print(json.dumps({"version": 2, "width": int(sys.argv[1]), "height": text.count("\n") + 1}))
		print(json.dumps([0, "o", "\x1b[?25l" + text.replace("\n", "\r\n")]))
	END
	mkdir frames
	termtosvg render cast frames --still-frames --template "$tests/cast/template.svg" >log 2>&1 || { cat log; fail 'termtosvg failed'; }
	[[ $(stat -c %s frames/termtosvg_00000.svg) -lt 100000 ]] || fail 'the picture is too large'
	[[ $(ls frames) == termtosvg_00000.svg ]] || fail 'there is more than one picture'
	cp frames/termtosvg_00000.svg "$picture"
}

[[ $EUID -eq 0 ]] || fail 'needs root'
record
tidy
if [[ $1 == - ]]; then
	cat text
else
	type -P termtosvg >/dev/null || fail 'termtosvg is missing: install it, or run: make setup SETS=cast'
	draw
fi
