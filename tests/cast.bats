#!/usr/bin/env bats
# README.svg is what the session of tests/cast/session looks like today.
# shellcheck disable=SC2030,SC2031,SC2154 # output and status are set by run

setup() {
	load helpers
}

# Row by row, without the spaces, which the picture has as places.
text_of_picture() {
	perl -0777 -ne '
		my %rows = m,<g id="([^"]*)">(.*?)</g>,g;
		for my $id (/<use [^>]*href="#([^"]*)"/g) {
			my $row = join(" ", $rows{$id} =~ m,<text [^>]*>([^<]*)</text>,g);
			$row =~ s/&lt;/</g; $row =~ s/&gt;/>/g; $row =~ s/&amp;/&/g;
			print "$row\n";
		}' "$BATS_TEST_DIRNAME/../README.svg" | tr -s ' '
}

@test "README.svg shows what the session shows now" {
	requires root memory static
	export NSCHAIN_BIN=$BIN
	run "$BATS_TEST_DIRNAME/cast.sh" -
	assert_status 0
	[ "${#lines[@]}" -gt 25 ]
	diff <(text_of_picture) <(tr -s '\t ' ' ' <<<"$output" | sed 's/ $//')
}

@test "README.svg is the same bytes when it is made again" {
	requires root memory static termtosvg
	export NSCHAIN_BIN=$BIN
	run "$BATS_TEST_DIRNAME/cast.sh" "$BATS_TEST_TMPDIR/again.svg"
	assert_status 0
	cmp "$BATS_TEST_TMPDIR/again.svg" "$BATS_TEST_DIRNAME/../README.svg"
}

@test "README.svg stands alone: no script, nothing fetched, no path" {
	run ! grep -iE '<script|@import|url\(|<image|/tmp/|/home/|/root/' "$BATS_TEST_DIRNAME/../README.svg"
	[ "$(stat -c %s "$BATS_TEST_DIRNAME/../README.svg")" -lt 100000 ]
}
