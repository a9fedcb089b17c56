#!/usr/bin/env bats
# What bash, zsh and fish themselves offer at a Tab behind the links, alone and in a chain: tests/completions/cases, typed by
# tests/completions/offers.py. The completions are where `make install` puts them.

setup_file() {
	load helpers
	if ! has make || ! has shipped; then
		return
	fi
	export T=$BATS_FILE_TMPDIR
	mkdir -p "$T/tree/build" "$T/home" "$T/here/a dir" "$T/here/rootfs" "$T/bin"
	: >"$T/here/my file"
	: >"$T/here/plain"
	# Nobody runs what is only a name.
	: >"$T/here/\$(touch pwned)"
	# In a copy: whatever make finds different here from where the tests were built, it builds again.
	(cd "$BATS_TEST_DIRNAME/.." && cp -a Makefile VERSION common completions man tests tools "$T/tree" && cp -a build/release build/system "$T/tree/build")
	make -s -C "$T/tree" install DESTDIR="$T/installed" PREFIX=/usr >"$T/log" 2>&1 || { cat "$T/log" && return 1; }
}

setup() {
	load helpers
	requires python3 make shipped
	CASES=$BATS_TEST_DIRNAME/completions/cases
	SLEEPER=
}

teardown() {
	[ -z "$SLEEPER" ] || kill "$SLEEPER"
	remove_alone
}

# offers SHELL CASE...
offers() {
	(cd "$T/here" && HOME=$T/home PATH=$T/installed/usr/bin:$PATH "${ALONE[@]}" \
		"$BATS_TEST_DIRNAME/completions/offers.py" "$1" "$T/installed/usr/share" "${@:2}")
}

# each_offers CASE...: in all shells that are here.
each_offers() {
	local shell failed=0 shells=()
	for shell in bash zsh fish; do
		has "${shell/#%bash/bash-completion}" || continue
		shells+=("$shell")
		offers "$shell" "$@" || failed=1
	done
	[ "${#shells[@]}" -gt 0 ] || skip 'needs bash-completion, zsh or fish'
	[ "$failed" = 0 ]
}

check_cases() { # SHELL
	local cases
	mapfile -t cases < <(grep -v -e '^#' -e '^$' "$CASES")
	[ "${#cases[@]}" -gt 50 ]
	offers "$1" "${cases[@]}"
	[ -z "$(find "$T" -name pwned)" ]
}

@test "bash offers what the table of cases says" {
	requires bash-completion
	check_cases bash
}

@test "bash offers the same where readline does not split words at '=' and ':'" {
	requires bash-completion
	export SETTINGS="COMP_WORDBREAKS=\${COMP_WORDBREAKS//[=:]/}"
	check_cases bash
}

@test "bash lists the next members of a list alone" {
	requires bash-completion
	offers bash $'capjail --drop chown,net_| "~\nnet_admin"'
}

@test "zsh offers what the table of cases says" {
	requires zsh
	check_cases zsh
}

@test "fish offers what the table of cases says" {
	requires fish
	check_cases fish
}

@test "processes are offered with their names, and a name is not run" {
	local program="$T/bin/\$(touch pwned)"
	cp "$(type -P sleep)" "$program"
	"$program" 100 &
	SLEEPER=$!
	eventually grep -qx "${program##*/}" "/proc/$SLEEPER/comm"
	each_offers "nsjoin -t $SLEEPER| $SLEEPER" "nsjoin --target | $SLEEPER a\\ dir rootfs !plain '~\$(touch pwned)'" \
		"nsjoin -t ${SLEEPER}x| only"
	[ -z "$(find "$T" -name pwned)" ]
}

@test "capabilities are offered with what they allow, and are all that the kernel has" {
	local names shell
	mapfile -t names < <(capjail --explain-cap=all | sed -n 's/^cap_\([a-z_]*\) .*/\1/p')
	[ "${#names[@]}" -gt 30 ]
	each_offers "capjail --drop | ${names[*]} all only"
	for shell in zsh fish; do
		! has "$shell" || offers "$shell" 'capjail --drop chow| chown' 'capjail --drop net_| ~ports'
	done
}

@test "signals are those that the links know" {
	local names name
	mapfile -t names < <(sed -n '/^} signals\[\]/,/};/p' "$BATS_TEST_DIRNAME/../common/parse.c" | grep -oE '\{ "[A-Z0-9]+"' | tr -d '{ "')
	[ "${#names[@]}" -gt 20 ]
	for name in "${names[@]}"; do
		capjail --parent-death="$name" true
	done
	each_offers "capjail --parent-death=| ${names[*]} only"
}

@test "disks and sizes of huge pages are those of the machine" {
	local disk cases=()
	for disk in /sys/block/*; do
		[ ! -b "/dev/${disk##*/}" ] || cases=("cgrun --io-max=/dev/${disk##*/}| /dev/${disk##*/}" "cgrun --io-max=/dev/${disk##*/}:| rbps wiops")
	done
	[ ! -e /sys/kernel/mm/hugepages/hugepages-2048kB ] || cases+=('cgrun --hugetlb | 2M' 'cgrun --hugetlb=2M:| max 1G')
	[ "${#cases[@]}" -gt 0 ] || skip 'needs a disk or huge pages'
	each_offers "${cases[@]}"
}

@test "groups are those below the own one, or with a '/' all of them" {
	requires cgroup
	local group
	prepare_alone
	[ "${#ALONE_GROUPS[@]}" -gt 0 ] || skip 'needs a group of its own'
	for group in "${ALONE_GROUPS[@]}"; do
		mkdir -p "$group/inner/most"
	done
	each_offers 'cgrun --join | inner' 'cgrun --parent=inne| inner only' 'cgrun --join inner/| inner/most only' \
		"cgrun --join ${ALONE_GROUPS[0]#/}| only" 'cgrun --set=| pids.max'
}

@test "each link has its completion where each shell looks for it" {
	local link cases=()
	for link in "${LINKS[@]}"; do
		[ "$(readlink -f "$T/installed/usr/share/bash-completion/completions/$link")" = "$T/installed/usr/share/bash-completion/completions/nschain" ]
		cases+=("$link --vers| --version only")
	done
	each_offers "${cases[@]}"
	# For bash one loads them all: of each link alone, too.
	! has bash-completion || for link in "${LINKS[@]}"; do
		offers bash "$link --vers| --version only"
	done
	cp -a "$T/installed" "$T/removed"
	make -s -C "$T/tree" uninstall DESTDIR="$T/removed" PREFIX=/usr
	[ -z "$(find "$T/removed" ! -type d)" ]
}
