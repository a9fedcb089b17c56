#!/usr/bin/env bats
# The command lines of the manual pages, from their own text: each example of EXAMPLES, and of the recipes and comparisons of nschain(7), is run.
# shellcheck disable=SC2016,SC2030,SC2031 # shells inside of a chain; output and status are set by run
#
# An example is a .Dl line, or a literal display, that begins with "$ " or "# ". A comment stands right before it:
#   .\" try: needs: WORD...; status: N; input: TEXT; expect: REGEX
# All but "try:" and expect may be left out. It is run as a script of sh: needs as for requires (a "#" needs root besides), input is what the shell in
# it reads, with \n between lines, in expect "." matches line ends too and ^ and $ stand for those of any line. With "pair:" in place of "try:" the display has two examples, with
# an empty line between them, which come to the same: the first is that of another program, and needs that. An example whose needs are not there, or that is in UNTRIED, is only read by its
# first link.

# What cannot be run here, by the words after ".\" untried:", and why; a line each.
UNTRIED='service manager: systemd-run(1) asks a systemd, which no test starts
terminal: it opens a terminal of its own, which takes one'

setup() {
	load helpers
	prepare_alone
}

setup_file() {
	load helpers
	make_root "$BATS_FILE_TMPDIR/rootfs"
	# What the examples call, because there is a copy for each.
	find "$BATS_FILE_TMPDIR/rootfs/bin" -type l | grep -vE '/(\[|sh|ls|cat|id|wc|ip|ps|stat|grep|hostname|sleep|touch|chown|httpd|umount|unshare|true|echo|readlink|tail)$' |
		xargs rm
}

teardown() {
	remove_alone
}

# A # of a page as root is in a mount namespace with a /run and a /mnt of its own.
AROUND='mount -t tmpfs none /run && mount -t tmpfs none /mnt && exec "$@"'

# list_examples PAGE: NUMBER<TAB>COMMENT of each example, and its text as $BATS_TEST_TMPDIR/NUMBER. Fails for one without a comment.
list_examples() {
	perl -e '
		my ($dir, $count, $comment, $block) = (shift, 0, "", undef);
		sub finish {
			my $text = shift;
			return $comment = "" if $text !~ /^[\$#] /;
			die "no comment before: $text\n" if $comment eq "";
			$text =~ s/\\\(aq/\x27/g; $text =~ s/\\\(ti/~/g; $text =~ s/\\\(ha/^/g;
			$text =~ s/\\&//g; $text =~ s/\\e/\\/g;
			my $prompt = substr $text, 0, 1;
			$text =~ s/^[\$#>] ?//mg;
			my @texts = $comment =~ s/^pair:/try:/ ? split(/\n\n/, $text) : ($text);
			for my $i (0 .. $#texts) {
				open my $file, ">", $dir . "/" . ++$count or die $!;
				print $file $texts[$i], "\n";
				my ($word) = $texts[$i] =~ /^((?!nsnew)[a-z]+)/;
				my $needs = @texts > 1 && $i == 0 && $word ? "needs: $word " : "needs: ";
				print "$count\t$prompt", $comment =~ s/needs: /$needs/r, "\n";
			}
			$comment = "";
		}
		while (<>) {
			chomp;
			if (defined $block) {
				if (/^\.Ed/) { finish($block); undef $block } else { $block .= ($block eq "" ? "" : "\n") . $_ }
			} elsif (/^\.\\" ((?:try|pair|untried):.*)/) {
				die "no example behind: $comment\n" if $comment ne "";
				$comment = $1;
			} elsif (/^\.Bd -literal/) {
				$block = "";
			} elsif (/^\.Dl (.*)/) {
				finish($1);
			}
		}
		die "no example behind: $comment\n" if $comment ne "";
	' "$BATS_TEST_TMPDIR" "$BATS_TEST_DIRNAME/../man/$1"
}

comment_key() { # KEY COMMENT
	sed -nE "s/.*[:;] ?$1: ([^;]*).*/\1/p" <<<"$2"
}

# A directory as the examples think of it, as the working directory.
make_world() { # NUMBER
	local name
	mkdir "$BATS_TEST_TMPDIR/world$1"
	cd "$BATS_TEST_TMPDIR/world$1" || return
	cp -a "$BATS_FILE_TMPDIR/rootfs" rootfs
	for name in test.sh server program untrusted worker; do
		printf '#!/bin/sh\necho "%s ran as $(id -u)"\n' "$name" >"$name"
		chmod +x "$name"
	done
	mkdir src
	echo 'all: ; @echo built in $(CURDIR)' >src/Makefile
}

# Writes the script of an example: behind a line that starts something in the background with a PID file, it waits until COMMAND runs.
write_script() { # NUMBER SCRIPT
	awk '
		{ print; line = line " " $0 }
		/\\$/ { next }
		/&$/ { print "started=\"$! $started\"" }
		/&$/ && line !~ /--block-fd/ && match(line, /--pid-file=[^ ]*/) { print "settle " substr(line, RSTART + 11, RLENGTH - 11) }
		{ line = "" }
	' "$BATS_TEST_TMPDIR/$1" >"$BATS_TEST_TMPDIR/$1.body"
	cat - "$BATS_TEST_TMPDIR/$1.body" >"$2" <<-'END'
		settle() {
			for i in $(seq 500); do
				pid=$(cat "$1" 2>/dev/null)
				case $(cat "/proc/$pid/comm" 2>/dev/null) in
				'' | nsnew | rootjail | capjail) sleep 0.02 ;;
				*) return ;;
				esac
			done
		}
		trap 'status=$?; trap - EXIT; kill $started 2>/dev/null; wait; exit $status' EXIT
		started=
	END
}

# Leaves status and output. Nothing of it outlives the script.
run_script() { # SCRIPT INPUT
	local around=()
	! has root || around=(unshare -m sh -c "$AROUND" sh)
	run timeout -k 5 30 "${around[@]}" "${ALONE[@]}" sh "$1" 3>&- < <(printf '%b\n' "$2")
}

matches() {
	EXPECT=$1 perl -0777 -ne 'exit !/$ENV{EXPECT}/ms' <<<"$output"
}

# A word is missing that the example needs, and is left in missing.
lacks() { # PROMPT NEEDS
	local word
	for word in $([ "$1" = '$' ] || echo root) $2; do
		[ -n "${there[$word]:-}" ] || { has "$word" && there[$word]=yes || there[$word]=no; }
		[ "${there[$word]}" = no ] || continue
		missing=$word
		return 0
	done
	return 1
}

# Whatever else is missing, the first link understands its options.
check_words() { # NUMBER
	perl -0777 -pe 's/\\\n|\n/ /g; s/\$\([^)]*\)/1/g; s/^.*?\b(?=(nsnew|nsjoin|cgrun|capjail|rootjail|nsmount) )// or $_ = ":"; s/&.*//' \
		"$BATS_TEST_TMPDIR/$1" >words.sh
	run_script words.sh ''
	! matches "^[a-z]+: (hint: (try '[a-z]+ --help'|did you mean)|unknown option|--[a-z-]+: '[^']*' (?!is not a block))"
}

try_example() { # NUMBER COMMENT
	local number=$1 prompt=${2:0:1} comment=${2:1} expect wanted missing=
	make_world "$number" || return
	if [[ $comment == untried:* ]]; then
		grep -q "^${comment#untried: }: ." <<<"$UNTRIED" || return
		check_words "$number"
		return
	fi
	expect=${comment#*expect: } comment=${comment%expect: *}
	if lacks "$prompt" "$(comment_key needs "$comment")"; then
		case " ${MUST_RUN:-} " in
		*" $missing "*) status="none, for it needs $missing, which MUST_RUN says is here," && return 1 ;;
		esac
		check_words "$number"
		return
	fi
	wanted=$(comment_key status "$comment")
	write_script "$number" "$BATS_TEST_TMPDIR/$number.sh"
	run_script "$BATS_TEST_TMPDIR/$number.sh" "$(comment_key input "$comment")"
	{ [ "$status" -eq "${wanted:-0}" ] && matches "$expect"; } || return
	tried=$((tried + 1))
}

try_page() { # PAGE LEAST
	local number comment tried=0 failed=0
	local -A there=()
	list_examples "$1" >"$BATS_TEST_TMPDIR/list"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/list")" -ge "$2" ]
	while IFS=$'\t' read -r number comment <&4; do
		try_example "$number" "$comment" && continue
		failed=$((failed + 1))
		printf '%s: status %s of\n%s\n%s\nand it says\n%s\n' "$1" "$status" "$(cat "$BATS_TEST_TMPDIR/$number")" "$comment" "$output"
	done 4<"$BATS_TEST_TMPDIR/list"
	[ "$failed" -eq 0 ]
	! has root || [ "$tried" -gt 0 ]
}

@test "nsnew(1)" { try_page nsnew.1 5; }
@test "nsjoin(1)" { try_page nsjoin.1 4; }
@test "cgrun(1)" { try_page cgrun.1 5; }
@test "capjail(1)" { try_page capjail.1 5; }
@test "rootjail(1)" { try_page rootjail.1 3; }
@test "nsmount(1)" { try_page nsmount.1 4; }
@test "nschain(7)" { try_page nschain.7 20; }

# What "Order" of nschain(7) says and chains.bats does not try.
@test "nschain(7): other orders" {
	requires userns static
	make_world 0
	mkdir scratch
	run "${PRIVILEGED[@]}" nsnew -p rootjail / rootjail "$PWD/rootfs" ls /
	assert_status 0
	[[ $output != *usr* && $output == *bin* ]]

	run "${PRIVILEGED[@]}" sh -c '
		nsnew -m --pid-file=pid sleep 60 &
		until [ -s pid ]; do sleep 0.02; done
		nsmount -t tmpfs none scratch sh -c "touch scratch/mark; ls scratch; exec nsjoin -t $(cat pid) -m -W $PWD ls scratch"
		kill $!'
	assert_status 0
	assert_output mark

	assert_refuses 'not static' "${PRIVILEGED[@]}" rootjail rootfs nsmount -t tmpfs none /tmp "${UNREACHED[@]}"
	assert_refuses '/proc/self' "${PRIVILEGED[@]}" rootjail rootfs cgrun "${UNREACHED[@]}"
	requires mksquashfs
	mksquashfs src disk.squashfs -quiet -no-progress
	assert_refuses 'cannot mount' nsnew -r nsmount disk.squashfs scratch "${UNREACHED[@]}"
}
