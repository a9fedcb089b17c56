# The rules that every link obeys: exit statuses, messages, options, what passes through to COMMAND, and how a link that waits stands in
# for COMMAND.
# shellcheck disable=SC2030,SC2031,SC2153,SC2016,SC2164 # each test is a shell of its own, that ends at the first error

setup() {
	load helpers
	load helpers/processes
	[ "$(id -u)" = 0 ] || requires userns
	T=$BATS_TEST_TMPDIR
	mkdir "$T/mounted"
	[ ! -e "$BIN/nsmount" ] || ALL+=(nsmount)
}

teardown() {
	end_started
}

setup_file() {
	load helpers
	load helpers/processes
	start_holder
}

teardown_file() {
	end_holder
}

# The command lines that the rules are tried with: chain NAME sets CHAIN, the link in it is LINK, by its path because PATH is changed by some. The
# last words of CHAIN are the operands OPERANDS.
chain() {
	local privileged=()
	[ "$(id -u)" = 0 ] || privileged=("$BIN/nsnew" -r)
	LINK=${1%% *}
	OPERANDS=()
	case $1 in
	'nsnew -p') CHAIN=("${privileged[@]}" "$BIN/nsnew" -p) ;;
	'nsnew -f') CHAIN=("$BIN/nsnew" -f) ;;
	'nsjoin -p') CHAIN=("$BIN/nsjoin" -t "$HOLDER" -U -p) ;;
	nsjoin) CHAIN=("$BIN/nsjoin" -t "$HOLDER" -U -u) ;;
	rootjail)
		OPERANDS=(/)
		CHAIN=("${privileged[@]}" "$BIN/rootjail" --bare -w "$PWD" "${OPERANDS[@]}")
		;;
	nsmount)
		OPERANDS=(none "$T/mounted")
		CHAIN=("${privileged[@]}" "$BIN/nsmount" -t tmpfs "${OPERANDS[@]}")
		;;
	*) CHAIN=("$BIN/$1") ;;
	esac
}

# each RULE NAME...: the function RULE for every CHAIN; the last name printed is the one that failed.
each() {
	local rule=$1 name
	shift
	for name; do
		echo "--- $name"
		chain "$name"
		"$rule"
	done
}

# cgrun stands apart: it runs COMMAND only where the caller may make cgroups.
ALL=(nsnew nsjoin capjail rootjail)
WAITING=('nsnew -f' 'nsnew -p' 'nsjoin -p')

# fails STATUS COMMAND...: with that status, a message of LINK of the right form, and nothing on standard output.
fails() {
	local expected=$1
	shift
	run --separate-stderr "-$expected" "$@"
	assert_output ''
	assert_form "$stderr"
}

# One line "LINK: text" and at most one "LINK: hint: text" behind it, no full stop, nothing that a terminal would act on.
assert_form() {
	local text=$1 lines line
	mapfile -t lines <<<"$text"
	[ "${#lines[@]}" -le 2 ] || { echo "more than two lines: $text" && return 1; }
	for line in "${lines[@]}"; do
		[[ $line == "$LINK: "?* ]] || { echo "not by $LINK: $line" && return 1; }
		[[ $line != *. ]] || { echo "ends with a full stop: $line" && return 1; }
		[[ $line != *[[:cntrl:]]* ]] || { printf 'not printable: %q\n' "$line" && return 1; }
	done
	[[ ${lines[0]} != "$LINK: hint: "* ]] || { echo "no message but a hint: $text" && return 1; }
	[[ ${#lines[@]} -lt 2 || ${lines[1]} == "$LINK: hint: "* ]] || { echo "two messages: $text" && return 1; }
	[[ ${lines[0]#"$LINK: "} != [A-Z][a-z]* ]] || { echo "upper case: $text" && return 1; }
}

# The rest of a line of what state(1) of the helpers wrote.
field() {
	sed -n "s/^$2: \{0,1\}//p" "$1"
}

# --- exit status ---

rule_own_status() {
	local expected
	for expected in 0 1 7 125 126 127 128 255; do
		run "-$expected" "${CHAIN[@]}" sh -c "exit $expected"
		assert_output ''
	done
}

@test "exit status: COMMAND's own (R07)" {
	each rule_own_status "${ALL[@]}" "${WAITING[@]}"
}

@test "exit status: COMMAND's own (cgrun) (R07)" {
	requires cgroup
	each rule_own_status cgrun
}

rule_not_found() {
	local name
	for name in no-such-command /no-such-directory/x ./no-such-command /etc/passwd/x /etc/passwd/; do
		fails 127 "${CHAIN[@]}" "$name"
		assert_says "'$name'"
	done
	fails 127 "${CHAIN[@]}" ''
	fails 127 "${CHAIN[@]}" '' argument
}

@test "exit status: 127 if COMMAND is not found (R07)" {
	each rule_not_found "${ALL[@]}" "${WAITING[@]}"
}

@test "exit status: 127 if COMMAND is not found (cgrun) (R07)" {
	requires cgroup
	each rule_not_found cgrun
}

rule_not_executable() {
	local name
	for name in directory no-exec-bit no-format no-interpreter loop; do
		fails 126 "${CHAIN[@]}" "$T/bin/$name"
		assert_says "'$T/bin/$name'"
		fails 126 env PATH="$T/bin" "${CHAIN[@]}" "$name"
		assert_says "'$name'"
	done
}

make_unexecutable() {
	mkdir -p "$T/bin/directory"
	cp /bin/true "$T/bin/no-exec-bit"
	chmod 644 "$T/bin/no-exec-bit"
	printf 'exit 0\n' >"$T/bin/no-format"
	printf '#!/no/such/interpreter\nexit 0\n' >"$T/bin/no-interpreter"
	ln -s loop "$T/bin/loop"
	chmod 755 "$T/bin/no-format" "$T/bin/no-interpreter"
}

@test "exit status: 126 if COMMAND is there but cannot be run (R07)" {
	make_unexecutable
	each rule_not_executable "${ALL[@]}" "${WAITING[@]}"
}

@test "exit status: 126 if COMMAND is there but cannot be run (cgrun) (R07)" {
	requires cgroup
	make_unexecutable
	each rule_not_executable cgrun
}

# In a mount namespace, and for a plain user a user namespace, of the test's own.
rule_noexec() {
	run --separate-stderr unshare --mount "${AS_ROOT[@]}" sh -c '
		place=$1
		shift
		mount -t tmpfs -o noexec tmpfs "$place" && cp /bin/true "$place" && "$@" "$place/true"
		' sh "$T/noexec" "${CHAIN[@]}"
	assert_status 126
	assert_form "$stderr"
}

make_noexec() {
	mkdir "$T/noexec"
	AS_ROOT=()
	[ "$(id -u)" = 0 ] || AS_ROOT=(--map-root-user)
}

@test "exit status: 126 if COMMAND is on a mount with noexec (R07)" {
	make_noexec
	each rule_noexec nsnew 'nsnew -f' 'nsnew -p' capjail rootjail
	[ ! -e "$BIN/nsmount" ] || each rule_noexec nsmount
	# The user namespace of nsjoin's target is out of reach from there.
	[ "$(id -u)" != 0 ] || each rule_noexec nsjoin
}

@test "exit status: 126 if COMMAND is on a mount with noexec (cgrun) (R07)" {
	requires cgroup
	make_noexec
	each rule_noexec cgrun
}

rule_links_own_status() {
	fails 125 "$LINK" --no-such-option true
}

@test "exit status: 125 if the link fails (R07)" {
	each rule_links_own_status "${LINKS[@]}"
	LINK=nsjoin
	fails 125 nsjoin -t 4194304 -u true
	LINK=rootjail
	fails 125 "${PRIVILEGED[@]}" rootjail "$T/no-such-root" true
	LINK=nsnew
	fails 125 nsnew --map-user=4294967295 true
	LINK=nsmount
	[ ! -e "$BIN/nsmount" ] || fails 125 "${PRIVILEGED[@]}" nsmount -t tmpfs none "$T/no-such-place" true
}

rule_path() {
	# Entries that are empty or relative mean the current directory.
	local entry
	cd "$T"
	for entry in . '' bin ./bin ../"${T##*/}"/bin; do
		fails 127 env PATH="$entry" "${CHAIN[@]}" here
		fails 127 env PATH=":$entry:/no/such/directory:" "${CHAIN[@]}" here
	done
	run env PATH=".:bin:$T/bin" "${CHAIN[@]}" here
	assert_status 33
	# One that cannot be run does not end the search.
	run env PATH="$T/worse:$T/bin" "${CHAIN[@]}" here
	assert_status 33
	fails 126 env PATH="$T/worse:/no/such/directory" "${CHAIN[@]}" here
	run env -u PATH "${CHAIN[@]}" sh -c 'exit 34'
	assert_status 34
}

make_path() {
	mkdir "$T/bin" "$T/worse"
	printf '#!/bin/sh\nexit 33\n' | tee "$T/here" "$T/bin/here" >"$T/worse/here"
	chmod 755 "$T/here" "$T/bin/here"
}

@test "PATH: only directories named absolutely" {
	make_path
	each rule_path "${ALL[@]}" "${WAITING[@]}"
}

@test "PATH: only directories named absolutely (cgrun)" {
	requires cgroup
	make_path
	each rule_path cgrun
}

# --- messages ---

rule_quoted_command() {
	fails 127 "${CHAIN[@]}" $'no\e[31m\x9b\x01\ncommand\xff\x7f\xc2\x9b'
	assert_says 'no\x1b[31m\x9b\x01\x0acommand\xff\x7f\xc2\x9b'
}

@test "messages: bytes that a terminal acts on are quoted (S39)" {
	each rule_quoted_command "${ALL[@]}" "${WAITING[@]}"
}

@test "messages: bytes that a terminal acts on are quoted (cgrun) (S39)" {
	requires cgroup
	each rule_quoted_command cgrun
}

rule_quoted_option() {
	fails 125 "$LINK" $'--no\e[31m\x9b' true
	assert_says 'no\x1b[31m\x9b'
	fails 125 "$LINK" $'-\e' true
	fails 125 "$LINK" $'-\xc3\xa9' true
	case $LINK in
	nsnew) fails 125 nsnew $'--propagation=\e[31m' true ;;
	nsjoin) fails 125 nsjoin $'--target=\e[31m' -u true ;;
	cgrun) fails 125 cgrun $'--memory=\e[31m' true ;;
	capjail) fails 125 capjail $'--drop=\e[31m' true ;;
	rootjail) fails 125 rootjail $'--keep-fd=\e[31m' / true ;;
	nsmount) fails 125 nsmount $'--fstab=\e[31m' true ;;
	esac
	assert_says '\x1b[31m'
}

@test "messages: options and values are quoted as well (S39)" {
	each rule_quoted_option "${LINKS[@]}"
}

@test "messages: name the link, whatever argv[0] is" {
	local link
	for link in "${LINKS[@]}"; do
		LINK=$link
		run --separate-stderr bash -c 'exec -a "$2" "$1" --no-such-option' bash "$BIN/$link" $'\e[31m/other'
		assert_status 125
		assert_form "$stderr"
	done
}

# --- options ---

# What every link can be given before its COMMAND without a complaint about what is missing.
operands() {
	case $1 in
	nsjoin) OPERANDS=(-t "$HOLDER" -u) ;;
	rootjail) OPERANDS=(/) ;;
	nsmount) OPERANDS=(none /) ;;
	*) OPERANDS=() ;;
	esac
}

rule_unknown() {
	local option
	operands "$LINK"
	for option in --no-such-option --no-such=value -Z -9 -? --=x ---help --helpx; do
		assert_refuses "${option%%=*}" "$LINK" "$option" "${OPERANDS[@]}" "${UNREACHED[@]}"
		assert_form "$stderr"
	done
}

@test "options: an unknown one is an error" {
	each rule_unknown "${LINKS[@]}"
}

@test "options: a long one may not be shortened" {
	local link option
	while read -r link option; do
		[ -e "$BIN/$link" ] || continue
		LINK=$link
		operands "$link"
		assert_refuses "${option%%=*}" "$link" "$option" "${OPERANDS[@]}" "${UNREACHED[@]}"
		assert_form "$stderr"
		assert_says 'hint: '
	done <<-'LIST'
		nsnew --hel
		nsnew --versio
		nsnew --moun
		nsnew --hostn=x
		nsnew --map-root
		nsjoin --hel
		nsjoin --versio
		nsjoin --targe=1
		nsjoin --no-for
		cgrun --hel
		cgrun --versio
		cgrun --memor=64M
		cgrun --pid=5
		capjail --hel
		capjail --versio
		capjail --dro=chown
		capjail --allow
		rootjail --hel
		rootjail --versio
		rootjail --read
		rootjail --workdi=/
		nsmount --hel
		nsmount --versio
		nsmount --read
		nsmount --type=x
	LIST
}

@test "options: one with a value may not be given twice" {
	local link first second
	while read -r link first second; do
		[ -e "$BIN/$link" ] || continue
		LINK=$link
		operands "$link"
		assert_refuses "${first%%=*}" "$link" "$first" "$second" "${OPERANDS[@]}" "${UNREACHED[@]}"
		assert_form "$stderr"
	done <<-'LIST'
		nsnew --hostname=a --hostname=a
		nsnew --propagation=slave --propagation=private
		nsnew --mount-proc=/proc --mount-proc
		nsnew --setgroups=deny --setgroups=deny
		nsnew --map-user=5 --map-user=6
		nsjoin --target=1 -t1
		nsjoin --root=/ --root
		nsjoin --wd=/ --wd=/
		cgrun --memory=64M -m64M
		cgrun --cpus=1 -c1
		cgrun --pids=9 -p9
		cgrun --swap=0 --swap=0
		rootjail --workdir=/ -w/
		nsmount --types=x -tx
		nsmount --options=ro --options=ro
	LIST
}

@test "options: a flag may be given twice" {
	local link flag
	while read -r link flag; do
		[ -e "$BIN/$link" ] || continue
		operands "$link"
		run "$link" "$flag" "$flag" --version
		assert_status 0
	done <<-'LIST'
		nsnew -u
		nsnew --fork
		nsjoin -u
		capjail --allow-new-privs
		rootjail --bare
		nsmount -r
	LIST
}

@test "options: a value that is missing or not wanted is an error" {
	local link option
	while read -r link option; do
		[ -e "$BIN/$link" ] || continue
		LINK=$link
		fails 125 "$link" "$option"
		assert_says "--"
	done <<-'LIST'
		nsnew --hostname
		nsnew --map-users
		nsjoin --target
		nsjoin -t
		nsjoin --keep-fd
		cgrun --memory
		cgrun -m
		cgrun --set
		capjail --drop
		capjail --keep
		rootjail --bind
		rootjail -b
		rootjail --keep-fd
		rootjail --join-pid
		rootjail --workdir
		nsmount --types
		nsmount -o
		nsnew --mount=x
		nsnew --help=x
		nsjoin --user=
		nsjoin --version=1
		capjail --allow-new-privs=1
		rootjail --bare=
		nsmount --read-only=1
	LIST
}

rule_missing_command() {
	operands "$LINK"
	fails 125 "$LINK" "${OPERANDS[@]}"
	assert_says COMMAND
	# Operands stand behind the "--".
	if [ "$LINK" = rootjail ] || [ "$LINK" = nsmount ]; then
		fails 125 "$LINK" -- "${OPERANDS[@]}"
		fails 125 "$LINK"
		fails 125 "$LINK" --
	else
		fails 125 "$LINK" "${OPERANDS[@]}" --
	fi
}

@test "options: COMMAND is required" {
	each rule_missing_command "${LINKS[@]}"
}

rule_stops_at_command() {
	run "${CHAIN[@]}" printf '<%s>' --help -x --no-such-option -- --version ''
	assert_status 0
	assert_output '<--help><-x><--no-such-option><--><--version><>'
	CHAIN=("${CHAIN[@]:0:${#CHAIN[@]}-${#OPERANDS[@]}}")
	run "${CHAIN[@]}" -- "${OPERANDS[@]}" printf '<%s>' --help -- x
	assert_status 0
	assert_output '<--help><--><x>'
	# Behind "--" a COMMAND may look like an option.
	fails 127 "${CHAIN[@]}" -- "${OPERANDS[@]}" --help
	assert_says "'--help'"
}

@test "options: nothing behind COMMAND is read (S07)" {
	each rule_stops_at_command "${ALL[@]}" "${WAITING[@]}"
}

@test "options: nothing behind COMMAND is read (cgrun) (S07)" {
	requires cgroup
	each rule_stops_at_command cgrun
}

rule_help() {
	local option
	for option in --help -h; do
		run --separate-stderr "$LINK" "$option" --no-such-option
		assert_status 0
		[ -z "$stderr" ]
		[ "${lines[0]%% \[*}" = "Usage: $LINK" ]
		awk 'length($0) > 80 {print "wide: " $0; wide = 1} END {exit wide}' <<<"$output"
		[[ $output != *[![:print:][:space:]]* ]]
	done
	for option in --version -V; do
		run --separate-stderr "$LINK" "$option"
		assert_status 0
		[ -z "$stderr" ]
		assert_output "$LINK (nschain) $(<"$BATS_TEST_DIRNAME/../VERSION")"
	done
}

@test "options: --help and --version" {
	each rule_help "${LINKS[@]}"
}

rule_help_unwritten() {
	local option
	for option in --help --version; do
		run --separate-stderr bash -c '"$@" >/dev/full' bash "$LINK" "$option"
		assert_status 125
		assert_form "$stderr"
		run --separate-stderr bash -c '"$@" >&-' bash "$LINK" "$option"
		assert_status 125
		assert_form "$stderr"
	done
}

@test "options: --help that cannot be written is an error" {
	each rule_help_unwritten "${LINKS[@]}"
}

# --- strict input ---

@test "numbers: what is not a plain decimal number in range is an error (S08)" {
	local link option text combination=0 numbers=('' ' ' +1 -1 ' 1' '1 ' 0x10 1x x 1e3 1_0 '1,0' $'1\n' '١' 4294967296 18446744073709551615
		18446744073709551616 18446744073709551617 99999999999999999999999999)
	while read -r link option; do
		operands "$link"
		LINK=$link
		[ "$option" != --target= ] || OPERANDS=(-u)
		for text in "${numbers[@]}"; do
			[ $((combination++ % ${THIN:-1})) = 0 ] || continue
			assert_refuses "${option%%=*}" "$link" "${option/N/}$text" "${OPERANDS[@]}" "${UNREACHED[@]}"
			assert_form "$stderr"
		done
	done <<-'LIST'
		nsnew --map-user=
		nsnew --map-group=
		nsnew --map-users=0:0:
		nsnew --map-groups=0:0:
		nsjoin --target=
		nsjoin --keep-fd=
		cgrun --pids=
		rootjail --keep-fd=
		rootjail --join-pid=
		rootjail --tmpfs=/tmp:mode=
	LIST
}

@test "numbers: the ends of the ranges (S08)" {
	local link option
	while read -r link option; do
		operands "$link"
		[[ $option != *--target* ]] || OPERANDS=(-u)
		assert_refuses "${option%%=*}" "$link" "$option" "${OPERANDS[@]}" "${UNREACHED[@]}"
	done <<-'LIST'
		nsnew --map-user=4294967295
		nsnew --map-group=4294967295
		nsnew --map-users=4294967295:0:1
		nsnew --map-users=0:4294967295:1
		nsnew --map-users=0:0:4294967296
		nsnew --map-users=4294967296:0:1
		nsjoin --target=0
		nsjoin --target=4194305
		nsjoin --keep-fd=2147483648
		cgrun --pids=0
		cgrun --pids=4194305
		cgrun --memory=0
		cgrun --cpus=0
		cgrun --cpus=0.009
		cgrun --cpus=1.000001
		rootjail --keep-fd=2147483648
		rootjail --join-pid=2147483648
		rootjail --tmpfs=/tmp:mode=8
		rootjail --tmpfs=/tmp:mode=17777
	LIST
}

@test "numbers: sizes and fractions (S08)" {
	local link option text sizes=('' +1M -1M ' 1M' '1M ' 0x10M 1MB 1MM M .5M 1.M 1.5 1..5M '1,5M' 1e3 x 18446744073709551616
		16777216T 16777217T 99999999999999999999M 1.0001M)
	while read -r link option; do
		LINK=$link
		operands "$link"
		for text in "${sizes[@]}"; do
			assert_refuses "${option%%=*}" "$link" "$option$text" "${OPERANDS[@]}" "${UNREACHED[@]}"
			assert_form "$stderr"
		done
	done <<-'LIST'
		cgrun --memory=
		rootjail --tmpfs=/tmp:size=
	LIST
	LINK=cgrun
	for text in '' +1 -1 ' 1' '1 ' 0x1 1x . .5 1. 1.5.5 '1,5' 99999999999999999999; do
		assert_refuses --cpus cgrun "--cpus=$text" "${UNREACHED[@]}"
		assert_form "$stderr"
	done
}

# --- what passes through ---

# odd COMMAND...: with everything that is inherited different from what is usual.
odd() (
	umask 0137
	cd "$T/a directory"
	exec 7</dev/null 200>/dev/null
	exec env --ignore-signal=USR1,HUP,ALRM,CHLD --block-signal=USR2,TERM,WINCH,RTMIN+3 "$@"
)

rule_transparent() {
	local arguments=('' 'a b' $'new\nline' '*' --help $'\xff' -)
	rm -f "$T/through"
	run odd "${CHAIN[@]}" state "$T/through" "${arguments[@]}"
	assert_status 0
	odd state "$T/direct" "${arguments[@]}"
	[ "$(field "$T/direct" blocked)" = '12 15 28 37' ]
	if [ "$LINK" = nsjoin ] || [ "$LINK" = rootjail ]; then
		# By design; see the tests of fds.
		sed -i '/^fds:/d' "$T/direct" "$T/through"
	fi
	diff "$T/direct" "$T/through"
}

@test "transparent: cwd, umask, signals, fds, arguments" {
	mkdir "$T/a directory"
	cd "$T/a directory"
	each rule_transparent "${ALL[@]}" "${WAITING[@]}"
}

@test "transparent: cwd, umask, signals, fds, arguments (cgrun)" {
	requires cgroup
	mkdir "$T/a directory"
	each rule_transparent cgrun
}

rule_environment() {
	local variables=(A=1 'B=x y' $'C=\n' D= PATH=/nowhere LD_LIBRARY_PATH=/x $'E=\xff' NSNEW=1)
	env -i "${variables[@]}" /usr/bin/env -0 >"$T/direct"
	env -i "${variables[@]}" "${CHAIN[@]}" /usr/bin/env -0 >"$T/through"
	cmp "$T/direct" "$T/through"
	run env -i "${CHAIN[@]}" /usr/bin/env
	assert_status 0
	assert_output ''
}

@test "transparent: environment (S05)" {
	requires static
	each rule_environment "${ALL[@]}" "${WAITING[@]}"
}

@test "transparent: environment (cgrun) (S05)" {
	requires cgroup
	each rule_environment cgrun
}

@test "fds: nsjoin and rootjail close those from 3 up but the ones to keep (S01)" {
	mkdir "$T/a directory"
	local name
	for name in nsjoin 'nsjoin -p' rootjail; do
		echo "--- $name"
		chain "$name"
		run odd "${CHAIN[@]}" state "$T/through"
		assert_status 0
		[ "$(field "$T/through" fds)" = '0 1 2' ]
		if [ "$LINK" = rootjail ]; then
			CHAIN=("${CHAIN[@]:0:${#CHAIN[@]}-1}" --keep-fd=200 --keep-fd=0 --keep-fd 7 /)
		else
			CHAIN+=(--keep-fd=200 --keep-fd=0 --keep-fd 7)
		fi
		run odd "${CHAIN[@]}" state "$T/through"
		assert_status 0
		[ "$(field "$T/through" fds)" = '0 1 2 7 200' ]
	done
}

# without NUMBER COMMAND...: with the fds 0 to 2 closed whose bits are set in NUMBER.
without() (
	set -- "$@"
	(($1 & 1)) && exec <&-
	(($1 & 2)) && exec >&-
	(($1 & 4)) && exec 2>&-
	shift
	exec "$@"
)

rule_closed_fds() {
	local closed expected
	for closed in 1 2 3 4 5 6 7; do
		echo "closed: $closed"
		rm -f "$T/direct" "$T/through"
		without "$closed" state "$T/direct"
		without "$closed" "${CHAIN[@]}" state "$T/through"
		expected=$(field "$T/direct" fds)
		if [ "$LINK" = nsjoin ] || [ "$LINK" = rootjail ]; then
			expected=$(tr ' ' '\n' <<<"$expected" | awk '$1 != "" && $1 < 3' | paste -sd ' ')
		fi
		[ "$(field "$T/through" fds)" = "$expected" ] || {
			echo "not '$expected'" && cat "$T/through" && return 1
		}
	done
}

@test "fds: each combination of 0 to 2 may be closed, and stays so (R18)" {
	each rule_closed_fds "${ALL[@]}" "${WAITING[@]}"
}

@test "fds: each combination of 0 to 2 may be closed, and stays so (cgrun) (R18)" {
	requires cgroup
	each rule_closed_fds cgrun
}

rule_closed_fds_fail() {
	local closed
	for closed in 1 2 3 4 5 6 7; do
		run without "$closed" "$LINK" --no-such-option
		assert_status 125
	done
}

@test "fds: a message has nowhere to go but the status is right" {
	each rule_closed_fds_fail "${LINKS[@]}"
}

rule_argc_zero() {
	fails 125 noargs "$BIN/$LINK"
}

@test "an empty argument vector is an error (S06)" {
	each rule_argc_zero "${LINKS[@]}"
}

rule_child_ignored() {
	run timeout -s KILL 10 perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV' "${CHAIN[@]}" sh -c 'exit 5'
	assert_status 5
	start perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV' "${CHAIN[@]}" sh -c 'trap "" TERM; exit 6'
	ended 'exited 6'
	# A helper that writes id maps is a child as well.
	[ "$LINK" != nsnew ] || [ "$(id -u)" != 0 ] || {
		run timeout -s KILL 10 perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV' nsnew --map-users=0:0:10 --map-groups=0:0:10 sh -c 'exit 8'
		assert_status 8
	}
}

@test "SIGCHLD may be ignored by the caller (R01)" {
	each rule_child_ignored "${ALL[@]}" "${WAITING[@]}"
}

@test "SIGCHLD may be ignored by the caller (cgrun) (R01)" {
	requires cgroup
	each rule_child_ignored cgrun
}

# --- links that wait ---

rule_dies_of_signal() {
	local number
	ulimit -c 0
	for number in 1 2 3 6 9 10 11 13 15 34; do
		start "${CHAIN[@]}" sh -c "kill -$number \$\$"
		ended "killed by $number"
	done
}

@test "signals: a link dies of what COMMAND died of (R07)" {
	each rule_dies_of_signal 'nsnew -f' 'nsjoin -p' "${ALL[@]}"
}

@test "signals: a link dies of what COMMAND died of (cgrun) (R07)" {
	requires cgroup
	each rule_dies_of_signal cgrun
}

@test "signals: 128+N from a link that is PID 1, which no own signal kills (R07)" {
	local number
	for number in 9 15 11; do
		start "${PRIVILEGED[@]}" nsnew -p nsnew -f sh -c "kill -$number \$\$"
		ended "exited $((128 + number))"
	done
}

rule_no_second_core() {
	cd "$T"
	ulimit -c unlimited
	start "${CHAIN[@]}" sh -c 'kill -ABRT $$'
	ended 'killed by 6'
}

@test "signals: no core dump of the link beside COMMAND's" {
	each rule_no_second_core 'nsnew -f' 'nsjoin -p'
}

@test "signals: no core dump of the link beside COMMAND's (cgrun)" {
	requires cgroup
	each rule_no_second_core cgrun
}

rule_forwards() {
	local name
	start "${CHAIN[@]}" heard 0
	eventually said ready
	for name in HUP INT QUIT USR1 USR2 WINCH CONT TERM; do
		kill -s "$name" "$LINK_PID"
		eventually said "$name"
	done
	ended 'exited 42'
	# Each of them once.
	[ "$(wc -l <"$OUT")" = 10 ]
}

@test "signals: forwarded to COMMAND (R05)" {
	each rule_forwards "${WAITING[@]}"
}

@test "signals: forwarded to COMMAND (cgrun) (R05)" {
	requires cgroup
	each rule_forwards cgrun
}

rule_default_action() {
	local number child
	for number in 15 1 2 3 10 12; do
		start "${CHAIN[@]}" sleep 60
		eventually has_child "$LINK_PID" sleep
		child=$(child_of "$LINK_PID" sleep)
		kill "-$number" "$LINK_PID"
		ended "killed by $number"
		eventually is_gone "$child"
	done
}

@test "signals: a COMMAND without a handler ends, also as PID 1, and the link with it (R04)" {
	ulimit -c 0
	each rule_default_action "${WAITING[@]}"
}

@test "signals: a COMMAND without a handler ends, and the link with it (cgrun) (R04)" {
	requires cgroup
	ulimit -c 0
	each rule_default_action cgrun
}

rule_trap() {
	start "${CHAIN[@]}" sh -c 'trap "exit 9" TERM; sleep 60 & echo ready; wait $!; exit 1'
	eventually said ready
	kill -TERM "$LINK_PID"
	ended 'exited 9'
}

@test "signals: a trap of COMMAND runs (R04)" {
	# What the shell started dies with its PID namespace, or is ended here.
	each rule_trap 'nsnew -p'
}

@test "signals: a trap of COMMAND runs (cgrun) (R04)" {
	requires cgroup
	each rule_trap cgrun
}

rule_ignored() {
	start env --ignore-signal=HUP "${CHAIN[@]}" sleep 60
	eventually has_child "$LINK_PID" sleep
	kill -HUP "$LINK_PID"
	kill -HUP "$LINK_PID"
	kill -TERM "$LINK_PID"
	ended 'killed by 15'
	# And one that COMMAND itself ignores.
	start "${CHAIN[@]}" sh -c 'trap "" USR1 HUP; echo ready; exec sleep 60'
	eventually said ready
	kill -HUP "$LINK_PID"
	kill -USR1 "$LINK_PID"
	kill -TERM "$LINK_PID"
	ended 'killed by 15'
}

@test "signals: what the caller or COMMAND ignores stays ignored (R02)" {
	each rule_ignored "${WAITING[@]}"
}

@test "signals: what the caller or COMMAND ignores stays ignored (cgrun) (R02)" {
	requires cgroup
	each rule_ignored cgrun
}

rule_blocked() {
	start env --block-signal=USR1 "${CHAIN[@]}" heard 0 USR2 TERM
	eventually said ready
	kill -USR1 "$LINK_PID"
	kill -USR2 "$LINK_PID"
	eventually said USR2
	kill -TERM "$LINK_PID"
	ended 'exited 42'
}

@test "signals: what the caller blocks stays blocked (R02)" {
	each rule_blocked "${WAITING[@]}"
}

@test "signals: what the caller blocks stays blocked (cgrun) (R02)" {
	requires cgroup
	each rule_blocked cgrun
}

rule_timeout() {
	# run returns when nobody holds its pipe any more.
	SECONDS=0
	run timeout 0.2 "${CHAIN[@]}" sleep 60
	assert_status 124
	run timeout -s KILL 0.2 "${CHAIN[@]}" sleep 60
	assert_status 137
	[ "$SECONDS" -lt 30 ]
}

@test "signals: timeout(1) works" {
	each rule_timeout "${WAITING[@]}"
}

@test "signals: timeout(1) works (cgrun)" {
	requires cgroup
	each rule_timeout cgrun
}

rule_many() {
	local i
	start "${CHAIN[@]}" heard 0 USR1 TERM
	eventually said ready
	for ((i = 0; i < ${ROUNDS:-100} * 10; i++)); do
		kill -USR1 "$LINK_PID"
	done
	eventually said USR1
	kill -TERM "$LINK_PID"
	ended 'exited 42'
	[ "$(grep -c '^exited\|^killed' "$OUT")" = 1 ]

	start "${CHAIN[@]}" sleep 60
	eventually has_child "$LINK_PID" sleep
	for ((i = 0; i < ${ROUNDS:-100} * 10; i++)); do
		kill -TERM "$LINK_PID" 2>/dev/null || break
	done
	ended 'killed by 15'
}

@test "signals: a thousand in a row (R05)" {
	each rule_many "${WAITING[@]}"
}

@test "signals: a thousand in a row (cgrun) (R05)" {
	requires cgroup
	each rule_many cgrun
}

rule_follows_stops() {
	local child
	start "${CHAIN[@]}" heard 0
	eventually said ready
	child=$(child_of "$LINK_PID" heard)
	kill -STOP "$child"
	eventually is_stopped "$LINK_PID"
	kill -CONT "$LINK_PID"
	eventually said CONT
	is_stopped "$child" && return 1
	kill -TERM "$LINK_PID"
	ended 'exited 42'
}

@test "stops: a link stops with COMMAND and wakes it (R06)" {
	each rule_follows_stops "${WAITING[@]}"
}

@test "stops: a link stops with COMMAND and wakes it (cgrun) (R06)" {
	requires cgroup
	each rule_follows_stops cgrun
}

# kill(0) inside a PID namespace must not reach the caller's process group.
@test "signals: kill 0 inside a PID namespace stays inside without a terminal (S41)" {
	each rule_kill_group 'nsnew -p' 'nsjoin -p'
}

rule_kill_group() {
	run timeout 20 setsid -w sh -c 'sleep 60 & "$@"; echo "status $?"; kill -KILL $! && echo alive' sh \
		"${CHAIN[@]}" sh -c 'trap "exit 3" TERM; kill -TERM 0; sleep 0; exit 4' </dev/null
	assert_status 0
	assert_says 'status 3'
	assert_says alive
}

# --- no survivors ---

FAMILY=(sh -c 'sleep 20 & setsid sleep 20 & (trap "" TERM HUP; sleep 20) & wait')

@test "kill -9 of nsnew -f at random moments: COMMAND dies (R08)" {
	rounds 5 nsnew -f sleep 20
}

@test "kill -9 of nsnew -p at random moments: the whole PID namespace dies (R08)" {
	rounds 8 "${PRIVILEGED[@]}" nsnew -p "${FAMILY[@]}"
}

@test "kill -9 of nsjoin -p at random moments: COMMAND dies (R08)" {
	chain 'nsjoin -p'
	rounds 5 "${CHAIN[@]}" sleep 20
}

@test "kill -9 of cgrun at random moments: everything dies and the group goes (R08)" {
	requires cgroup
	rounds 15 cgrun "${FAMILY[@]}"
}

@test "kill -9 of a chain of links that wait: everything dies (R08)" {
	requires cgroup
	rounds 20 "${PRIVILEGED[@]}" cgrun nsnew -p nsnew -f "${FAMILY[@]}"
}

# --- terminals ---

# A shell with job control; "states PID" tells of a link and of the processes that it has started.
make_shell() {
	cat >"$T/rc" <<-'RC'
		PS1='outer> '
		PS2=
		unset HISTFILE
		states() {
			local job child
			job=$1
			for child in $(cat "/proc/$job/task/$job/children"); do
				sed -n 's/^Name:\t/name /p; s/^State:\t\(.\).*/state \1/p' "/proc/$child/status" | paste -sd ' '
			done
			sed -n 's/^State:\t\(.\).*/link \1/p' "/proc/$job/status"
		}
	RC
	SHELL_WITH_JOBS=(bash --noprofile --rcfile "$T/rc" --noediting -i)
}

rule_interrupt_once() {
	# The link is held back, so that what it would add comes when COMMAND has had what the terminal sent.
	terminal "${CHAIN[@]}" heard 0 <<-'STEPS'
		expect ready
		kill STOP
		type \x03
		expect INT
		kill CONT
		expect CONT
		kill USR1
		expect USR1
		kill TERM
		end
	STEPS
	[ "${lines[-1]}" = 'exited 42' ]
	[ "$(grep -cx INT <<<"$output")" = 1 ]
}

@test "terminal: Ctrl-C reaches COMMAND once" {
	requires python3
	each rule_interrupt_once "${WAITING[@]}"
}

@test "terminal: Ctrl-C reaches COMMAND once (cgrun)" {
	requires cgroup python3
	each rule_interrupt_once cgrun
}

rule_interrupt() {
	ulimit -c 0
	# Not a shell, which handles what it can.
	terminal "${CHAIN[@]}" heard 0 USR1 <<-'STEPS'
		expect ready
		type \x03
		end
	STEPS
	[ "${lines[-1]}" = 'killed by 2' ]
	terminal "${CHAIN[@]}" heard 0 USR1 <<-'STEPS'
		expect ready
		type \x1c
		end
	STEPS
	[ "${lines[-1]}" = 'killed by 3' ]
}

@test "terminal: Ctrl-C and Ctrl-\\ end a COMMAND without a handler" {
	requires python3
	each rule_interrupt "${WAITING[@]}"
}

@test "terminal: Ctrl-C and Ctrl-\\ end a COMMAND without a handler (cgrun)" {
	requires cgroup python3
	each rule_interrupt cgrun
}

rule_job_control() {
	printf '%s\n' \
		'expect outer> ' \
		"type ${CHAIN[*]} sh -c 'echo started; read x; echo got \$x; read x; exit 5'\\n" \
		'expect started' \
		'type \x1a' \
		'expect Stopped' \
		'expect outer> ' \
		'type states $(jobs -p)\n' \
		'expect link T' \
		'type fg\n' \
		'type hello\n' \
		'expect got hello' \
		'type again\n' \
		'expect outer> ' \
		'type echo status $?\n' \
		'expect status 5' \
		'type exit\n' \
		'end' >"$T/steps"
	terminal "${SHELL_WITH_JOBS[@]}" <"$T/steps"
	assert_says 'name sh state T'
	[ "${lines[-1]}" = 'exited 0' ]
}

@test "terminal: Ctrl-Z and fg (R06)" {
	requires python3
	make_shell
	each rule_job_control "${WAITING[@]}"
}

@test "terminal: Ctrl-Z and fg (cgrun) (R06)" {
	requires cgroup python3
	make_shell
	each rule_job_control cgrun
}

rule_background() {
	printf '%s\n' \
		'expect outer> ' \
		"type ${CHAIN[*]} sh -c 'echo started; read x; echo got \$x; exit 5' &\n" \
		'expect started' \
		'type until states $! | grep -q "link T"; do :; done\n' \
		'expect outer> ' \
		'type states $!\n' \
		'expect link T' \
		'type fg\n' \
		'expect sh -c' \
		'type hello\n' \
		'expect got hello' \
		'expect outer> ' \
		'type echo status $?\n' \
		'expect status 5' \
		'type exit\n' \
		'end' >"$T/steps"
	terminal "${SHELL_WITH_JOBS[@]}" <"$T/steps"
	assert_says 'name sh state T'
	[ "${lines[-1]}" = 'exited 0' ]
}

@test "terminal: a COMMAND that reads from it in the background stops (R06)" {
	requires python3
	make_shell
	each rule_background "${WAITING[@]}"
}

@test "terminal: a COMMAND that reads from it in the background stops (cgrun) (R06)" {
	requires cgroup python3
	make_shell
	each rule_background cgrun
}

rule_terminal_back() {
	local inner='read -r _ _ _ _ group _ _ owner _ </proc/self/stat; [ $group = $owner ] && echo inner owns it; kill -KILL $$'
	local outer='"$@"; echo ended $?; read -r _ _ _ _ group _ _ owner _ </proc/self/stat; echo group $group owner $owner; read -r x; echo got $x'
	terminal sh -c "$outer" sh "${CHAIN[@]}" sh -c "$INNER" sh "$inner" <<-'STEPS'
		expect inner owns it
		expect owner
		type hello\n
		expect got hello
		end
	STEPS
	[ "${lines[-1]}" = 'exited 0' ]
	[[ $output =~ group\ ([0-9]+)\ owner\ ([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" = "${BASH_REMATCH[2]}" ]
}

@test "terminal: taken back from an interactive COMMAND that was killed (R06)" {
	requires python3
	# Not as PID 1, which could not be killed from inside: the interactive shell is its child.
	INNER='bash --norc --noprofile -i -c "$1"; exit 0'
	each rule_terminal_back 'nsnew -f'
}

@test "terminal: taken back from an interactive COMMAND that was killed (cgrun) (R06)" {
	requires cgroup python3
	INNER='bash --norc --noprofile -i -c "$1"; exit 0'
	each rule_terminal_back cgrun
}

# --- hiding ---

# Run by COMMAND in its PID namespace: of every process but its own, what /proc gives away. The group that it made and the one above, from where
# nothing leads on, are what cgrun cannot do without.
LOOK='
	for process in /proc/[0-9]*; do
		pid=${process#/proc/}
		[ "$pid" != $$ ] || continue
		[ -d "$process" ] || continue
		echo "process $pid $(cat "$process/comm")"
		for name in $(ls -A "$process/root/" 2>/dev/null); do echo "root of $pid shows $name"; done
		for fd in "$process"/fd/*; do
			[ -e "$fd" ] || continue
			[ -d "$fd" ] || continue
			case $(stat -f -c %t "$fd/.") in
			27e0eb | 63677270) [ "$(stat -c %d:%i "$fd/..")" != "$(stat -c %d:%i "$fd/../..")" ] || continue ;;
			esac
			echo "fd $fd is a directory: $(readlink "$fd")"
		done
		nsenter --target "$pid" --mount /bin/sh -c "echo entered $pid" 2>/dev/null
	done
	exit 17'

assert_hidden() {
	assert_status 17
	assert_says "process 1 $1"
	[[ $output != *' shows '* && $output != *directory* && $output != *entered* ]]
}

@test "hiding: cgrun in the PID namespace of COMMAND (S40)" {
	requires cgroup
	run "${PRIVILEGED[@]}" nsnew -pm --mount-proc cgrun sh -c "$LOOK"
	assert_hidden cgrun
	[ "$(grep -c '^process' <<<"$output")" -ge 2 ]
}

@test "hiding: nsnew -f in the PID namespace of COMMAND (S40)" {
	run "${PRIVILEGED[@]}" nsnew -pm --mount-proc nsnew -f sh -c "$LOOK"
	assert_hidden nsnew
	run nsnew -rpm --mount-proc nsnew -f sh -c "$LOOK"
	assert_hidden nsnew
}

@test "hiding: also behind a change of root (S40)" {
	make_root "$T/root"
	run "${PRIVILEGED[@]}" nsnew -pm nsnew -f rootjail "$T/root" sh -c "$LOOK"
	assert_hidden nsnew
}

@test "hiding: COMMAND does not begin before the link that waits is hidden (S40)" {
	requires strace
	run "${PRIVILEGED[@]}" nsnew -pm --mount-proc strace -f -qq -o "$T/trace" -e trace=unshare -e signal=none \
		-e inject=unshare:delay_enter=500000 nsnew -f sh -c 'ls -A "/proc/$PPID/root/"; exit 17'
	assert_status 17
	assert_output ''
	grep -q DELAYED "$T/trace"
}

@test "hiding: a waiting link keeps no fd of the caller's (S40)" {
	local name child
	for name in "${WAITING[@]}"; do
		echo "--- $name"
		chain "$name"
		start bash -c 'exec 9<"$0" 200<"$0"; exec "$@"' "$T" "${CHAIN[@]}" sh -c 'echo ready; exec sleep 60'
		eventually said ready
		child=$(child_of "$LINK_PID" sleep)
		eventually keeps_no_file "$LINK_PID"
		# Not even what runs as the same user looks into it, unless the link is in a user namespace which that user owns.
		[ "$(id -u)" = 0 ] || [ "$name" != 'nsnew -f' ] || eventually is_closed "$LINK_PID"
		kill -TERM "$LINK_PID"
		ended 'killed by 15'
		eventually is_gone "$child"
	done
}

is_closed() {
	! ls "/proc/$1/fd" >/dev/null 2>&1
}

keeps_no_file() {
	local fd
	for fd in "/proc/$1/fd"/*; do
		[ ! -d "$fd" ] || return 1
		case $fd in
		*/9 | */200) return 1 ;;
		esac
	done
}
