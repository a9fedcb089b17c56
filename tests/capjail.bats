# capjail: the kernel's view of what COMMAND may do. Sets are compared with the caller's own ones, never with a constant: a machine need not have all.
# Variable THIN: of the capabilities that a file could bring back and of the runs in which one system call fails, only every THIN-th.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # what is in single quotes is for the shell that is started; state and baseline assign

setup() {
	load helpers
	load helpers/capabilities
	LAST=$(cat /proc/sys/kernel/cap_last_cap)
}

teardown() {
	[ ! -v STARTED ] || end_started
}

# The tmpdir of a test is closed to other users otherwise.
open_tmpdir() {
	local directory=$BATS_TEST_TMPDIR
	while [ "${#directory}" -ge "${#BATS_RUN_TMPDIR}" ]; do
		chmod a+rx "$directory"
		directory=${directory%/*}
	done
	cp "$HELPERS/capstate" "$BATS_TEST_TMPDIR/suid"
	chmod 4755 "$BATS_TEST_TMPDIR/suid"
	cp "$HELPERS/capstate" "$BATS_TEST_TMPDIR/filecaps"
	# Not effective ones: the kernel runs no program that would not get all of those.
	setcap "$(caller_caps)=ip" "$BATS_TEST_TMPDIR/filecaps"
	SUID=$BATS_TEST_TMPDIR/suid FILECAPS=$BATS_TEST_TMPDIR/filecaps
	# Not setpriv(1), which keeps its permitted set across the change of ids: exec by file capabilities would then gain nothing new.
	NOBODY=(chroot --userspec=+65534:+65534 --groups= /)
}

# The names of all that the caller holds, for setcap.
caller_caps() {
	capsh --decode="$(sed -n 's/^CapPrm:\t//p' /proc/self/status)" | sed 's/.*=//'
}

# --- what is dropped is gone ---

@test "drop of each capability of the kernel, by number, out of all five sets, inherited and ambient ones included (S29)" {
	local n
	baseline "${PRIVILEGED[@]}" capstate --raise capstate
	[ "$base_ambient" != 0 ]
	[ "$base_inheritable" = "$base_permitted" ]
	for ((n = 0; n <= LAST; n++)); do
		state "${PRIVILEGED[@]}" capstate --raise capjail --drop "$n" capstate
		assert_sets $((~(1 << n)))
		[ "$nnp" = 1 ]
	done
}

@test "keep of each capability alone" {
	local n
	baseline "${PRIVILEGED[@]}" capstate --raise capstate
	for ((n = 0; n <= LAST; n++)); do
		state "${PRIVILEGED[@]}" capstate --raise capjail --keep "$n" capstate
		assert_sets $((1 << n))
	done
}

@test "drop of all, with nothing inherited and with everything" {
	baseline "${PRIVILEGED[@]}" capstate
	state "${PRIVILEGED[@]}" capjail --drop all capstate
	assert_sets 0
	baseline "${PRIVILEGED[@]}" capstate --raise capstate
	state "${PRIVILEGED[@]}" capstate --raise capjail --drop all capstate
	assert_sets 0
	state "${PRIVILEGED[@]}" capstate --raise capjail --drop all --allow-new-privs capstate
	assert_sets 0
	[ "$nnp" = 0 ]
}

@test "keep of all, and no option at all, change no set" {
	baseline "${PRIVILEGED[@]}" capstate --raise capstate
	state "${PRIVILEGED[@]}" capstate --raise capjail --keep all capstate
	assert_sets -1
	[ "$nnp" = 1 ]
	state "${PRIVILEGED[@]}" capstate --raise capjail capstate
	assert_sets -1
	[ "$nnp" = 1 ]
}

@test "lists, repeated options, and both options" {
	baseline "${PRIVILEGED[@]}" capstate --raise capstate
	state "${PRIVILEGED[@]}" capstate --raise capjail --drop chown,kill,5 capstate
	assert_sets $((~(1 | 1 << 5)))
	state "${PRIVILEGED[@]}" capstate --raise capjail --drop chown --drop net_raw --drop=40 capstate
	assert_sets $((~(1 | 1 << 13 | 1 << 40)))
	state "${PRIVILEGED[@]}" capstate --raise capjail --keep chown,kill --keep setuid capstate
	assert_sets $((1 | 1 << 5 | 1 << 7))
	state "${PRIVILEGED[@]}" capstate --raise capjail --keep chown --drop kill capstate
	assert_sets 1
}

@test "names: in any case, with and without cap_, and as numbers" {
	local name
	baseline "${PRIVILEGED[@]}" capstate --raise capstate
	for name in net_raw NET_RAW Net_Raw cap_net_raw CAP_NET_RAW Cap_Net_raw 13 cap_13 CAP_13; do
		state "${PRIVILEGED[@]}" capstate --raise capjail --drop "$name" capstate
		assert_sets $((~(1 << 13)))
	done
	for name in all ALL All; do
		state "${PRIVILEGED[@]}" capstate --raise capjail --drop "$name" capstate
		assert_sets 0
	done
}

@test "every name that capsh knows stands for its number" {
	requires capsh
	local n name
	baseline "${PRIVILEGED[@]}" capstate
	for ((n = 0; n <= LAST; n++)); do
		name=$(capsh --decode="$(printf %x $((1 << n)))")
		name=${name#*=cap_}
		[[ $name =~ ^[a-z_]+$ ]] || continue
		state "${PRIVILEGED[@]}" capjail --drop "$name" capstate
		assert_sets $((~(1 << n)))
	done
}

@test "inherited capabilities do not come back by the exec of a program with file capabilities (S29)" {
	requires root suid setcap capsh
	open_tmpdir
	cp "$HELPERS/capstate" "$BATS_TEST_TMPDIR/inherits"
	setcap cap_chown,cap_kill=ei "$BATS_TEST_TMPDIR/inherits"
	# It gains both where nothing is dropped, so it could.
	state setpriv --inh-caps +chown,+kill "${NOBODY[@]}" "$BATS_TEST_TMPDIR/inherits"
	[ $((permitted & 33)) = 33 ]
	state setpriv --inh-caps +chown,+kill capjail --drop chown --allow-new-privs "${NOBODY[@]}" "$BATS_TEST_TMPDIR/inherits"
	[ $((permitted & 33)) = 32 ]
	[ $(((inheritable | effective | bounding | ambient) & 1)) = 0 ]
}

@test "what was dropped is refused by the kernel: chown, as root" {
	requires root
	touch "$BATS_TEST_TMPDIR/file"
	chown 65534:65534 "$BATS_TEST_TMPDIR/file"
	chown 0:0 "$BATS_TEST_TMPDIR/file"
	run capjail --drop chown chown 65534:65534 "$BATS_TEST_TMPDIR/file"
	assert_status 1
	assert_says 'Operation not permitted'
	[ "$(stat -c %u:%g "$BATS_TEST_TMPDIR/file")" = 0:0 ]
}

@test "what was dropped is refused by the kernel: a file without permissions, a new host name" {
	echo secret >"$BATS_TEST_TMPDIR/file"
	chmod 0 "$BATS_TEST_TMPDIR/file"
	run "${PRIVILEGED[@]}" cat "$BATS_TEST_TMPDIR/file"
	assert_output secret
	run "${PRIVILEGED[@]}" capjail --drop dac_override,dac_read_search cat "$BATS_TEST_TMPDIR/file"
	assert_status 1
	run "${PRIVILEGED[@]}" nsnew -u hostname other
	assert_status 0
	run "${PRIVILEGED[@]}" nsnew -u capjail --drop sys_admin hostname other
	assert_status 1
}

@test "capabilities that are newer than the headers it was built with are dropped, kept, named and explained (S30)" {
	requires static
	local newest=$((LAST + 3))
	baseline "${PRIVILEGED[@]}" timeout 20 newkernel capstate
	[ $((base_bounding >> LAST + 1)) = 7 ]
	state "${PRIVILEGED[@]}" timeout 20 newkernel capjail --drop all capstate
	assert_sets 0
	state "${PRIVILEGED[@]}" timeout 20 newkernel capjail --drop "$newest" capstate
	assert_sets $((~(1 << newest)))
	state "${PRIVILEGED[@]}" timeout 20 newkernel capjail --keep "chown,cap_$newest" capstate
	assert_sets $((1 | 1 << newest))
	state "${PRIVILEGED[@]}" timeout 20 newkernel capjail --preset docker capstate
	[ $((bounding >> LAST + 1)) = 0 ]
	run "${PRIVILEGED[@]}" timeout 20 newkernel capjail --keep "cap_$newest" capjail --print
	grep -qE "^bounding +[0-9a-f]+=cap_$newest\$" <<<"$output"
	grep -A 1 -E "^$newest ---b- cap_$newest\$" <<<"$output" | grep -q 'newer than this program'
	assert_refuses "'cap_$((newest + 1))'" timeout 20 newkernel capjail --drop "cap_$((newest + 1))" "${UNREACHED[@]}"
}

# --- and stays gone ---

@test "no_new_privs is set, and is not with --allow-new-privs (S31)" {
	run capjail grep NoNewPrivs /proc/self/status
	assert_output $'NoNewPrivs:\t1'
	run capjail --allow-new-privs grep NoNewPrivs /proc/self/status
	assert_output "$(grep NoNewPrivs /proc/self/status)"
	run "${PRIVILEGED[@]}" capjail --drop chown capjail --allow-new-privs grep NoNewPrivs /proc/self/status
	assert_output $'NoNewPrivs:\t1'
}

@test "a set-user-ID copy and a file with capabilities do not bring one back to root, either way (S31)" {
	requires root suid setcap capsh
	local n option file
	open_tmpdir
	for file in "$SUID" "$FILECAPS"; do
		for option in '' --allow-new-privs; do
			baseline "$file"
			for ((n = 0; n <= LAST; n += ${THIN:-1})); do
				# shellcheck disable=SC2086 # nothing or one word
				state capjail --drop "$n" $option "$file"
				assert_sets $((~(1 << n)))
			done
		done
	done
}

@test "nor to another user: with --allow-new-privs all but what was dropped, without it nothing (S31)" {
	requires root suid setcap capsh
	local file n
	open_tmpdir
	for file in "$SUID" "$FILECAPS"; do
		baseline "${NOBODY[@]}" "$file"
		for ((n = 0; n <= LAST; n++)); do
			state capjail --drop "$n" --allow-new-privs -u 65534:65534 "$file"
			assert_sets $((~(1 << n)))
		done
	done
	for file in "$SUID" "$FILECAPS"; do
		baseline "${NOBODY[@]}" "$file"
		[ "$base_permitted" != 0 ]
		state capjail --drop chown,sys_admin --allow-new-privs "${NOBODY[@]}" "$file"
		assert_sets $((~(1 | 1 << 21)))
		if [ "$file" = "$SUID" ]; then
			[ "$euid" = 0 ]
		fi
		state capjail --drop chown "${NOBODY[@]}" "$file"
		[ "$euid" = 65534 ]
		[ $((permitted | effective)) = 0 ]
	done
}

@test "a root process that execs again, sheds its ids and takes them back gains nothing" {
	requires root setpriv
	baseline capstate
	state capjail --drop chown,kill --allow-new-privs sh -c 'exec setpriv --reuid 0 --regid 0 --clear-groups sh -c "exec capstate"'
	assert_sets $((~(1 | 1 << 5)))
}

@test "a second capjail takes more away and gives nothing back" {
	baseline "${PRIVILEGED[@]}" capstate
	state "${PRIVILEGED[@]}" capjail --drop chown capjail --drop kill capstate
	assert_sets $((~(1 | 1 << 5)))
	state "${PRIVILEGED[@]}" capjail --drop chown capjail --keep chown,kill capstate
	assert_sets $((1 << 5))
	# Without CAP_SETPCAP the bounding set stays, out of reach.
	state "${PRIVILEGED[@]}" capjail --drop setpcap capjail --drop kill capstate
	assert_sets $((~(1 << 8 | 1 << 5))) inheritable permitted effective ambient
	[ "$nnp" = 1 ]
}

# --- for whom ---

@test "an ordinary user: holds nothing, gets no_new_privs, and the bounding set is out of reach" {
	requires rootless
	baseline capstate
	[ "$base_permitted" = 0 ]
	state capjail --drop all capstate
	assert_sets -1
	[ "$nnp" = 1 ]
	state capjail --keep chown capstate
	assert_sets -1
}

@test "an ordinary user cannot drop with --allow-new-privs, as the bounding set would give it back (S30)" {
	requires rootless
	assert_refuses CAP_SETPCAP capjail --drop chown --allow-new-privs "${UNREACHED[@]}"
	# Where there is nothing to drop there is nothing to refuse.
	run capjail --allow-new-privs true
	assert_status 0
}

@test "root without CAP_SETPCAP cannot drop with --allow-new-privs (S30)" {
	assert_refuses CAP_SETPCAP "${PRIVILEGED[@]}" capjail --drop setpcap --allow-new-privs capjail --drop chown --allow-new-privs "${UNREACHED[@]}"
}

@test "inside a user namespace: its own full sets are reduced" {
	requires userns
	baseline nsnew -r capstate
	[ "$base_permitted" != 0 ]
	state nsnew -r capjail --drop sys_admin,chown capstate
	assert_sets $((~(1 << 21 | 1)))
	state nsnew -r capjail --drop all capstate
	assert_sets 0
	run nsnew -r capjail --drop sys_admin unshare -m true
	assert_status 1
}

@test "without /proc" {
	requires static
	local root=$BATS_TEST_TMPDIR/root
	mkdir "$root"
	cp "$BIN/capjail" "$HELPERS/capstate" "$root"
	baseline "${PRIVILEGED[@]}" capstate --raise rootjail --bare "$root" /capstate
	state "${PRIVILEGED[@]}" capstate --raise rootjail --bare "$root" /capjail --drop 0,40 /capstate
	assert_sets $((~(1 | 1 << 40)))
	[ "$nnp" = 1 ]
	state "${PRIVILEGED[@]}" capstate --raise rootjail --bare "$root" /capjail --drop all /capstate
	assert_sets 0
}

@test "exit status and signals of COMMAND are its own: there is no process in between (R07)" {
	run capjail sh -c 'exit 42'
	assert_status 42
	run -127 capjail /nonexistent/command
	run -126 capjail /etc/passwd
	run sh -c 'echo $$; exec capjail sh -c "echo \$\$"'
	[ "${lines[0]}" = "${lines[1]}" ]
}

# --- bad input ---

@test "an unknown name is refused, with the one that was perhaps meant (S30)" {
	assert_refuses "'net_rwa'" capjail --drop net_rwa "${UNREACHED[@]}"
	assert_says "did you mean 'net_raw'"
	assert_refuses "'sys_amdin'" capjail --keep chown,sys_amdin "${UNREACHED[@]}"
	assert_says "did you mean 'sys_admin'"
	assert_refuses "'admin'" capjail --drop admin "${UNREACHED[@]}"
	assert_says did
	assert_refuses "'xyzzy'" capjail --drop xyzzy "${UNREACHED[@]}"
}

@test "an empty list and empty words" {
	local list
	for list in '' ',' 'chown,' ',chown' 'chown,,kill'; do
		assert_refuses empty capjail --drop "$list" "${UNREACHED[@]}"
		assert_refuses empty capjail --keep "$list" "${UNREACHED[@]}"
	done
}

@test "numbers that no capability of this kernel has (S08)" {
	local word
	for word in $((LAST + 1)) 63 64 99 -1 +1 18446744073709551616 0x1 cap_ "cap_$((LAST + 1))" cap_-1 cap_cap_chown; do
		assert_refuses "'$word'" capjail --drop "$word" "${UNREACHED[@]}"
	done
}

@test "a name with anything behind or before it is no name (S08)" {
	local word
	for word in 'chown net_raw' chown:net_raw 'chown;kill' chown+kill chown=ep 'chown ' ' chown' chown1 $'chown\n' chown/kill all:chown 'all '; do
		assert_refuses 'capability' capjail --drop "$word" "${UNREACHED[@]}"
		assert_refuses 'capability' capjail --keep "$word" "${UNREACHED[@]}"
	done
}

@test "the same capability in drop and in keep" {
	assert_refuses both capjail --drop chown,kill --keep chown "${UNREACHED[@]}"
	assert_refuses both capjail --keep 5 --drop cap_kill "${UNREACHED[@]}"
	assert_refuses both capjail --drop all --keep chown "${UNREACHED[@]}"
}

# --- users ---

@test "--user: all ids, no groups, no capabilities" {
	requires root
	run setpriv --groups 4,20 capjail --user 1000:2000 cat /proc/self/status
	assert_status 0
	[[ $output == *$'Uid:\t1000\t1000\t1000\t1000'* ]]
	[[ $output == *$'Gid:\t2000\t2000\t2000\t2000'* ]]
	[[ $output == *$'Groups:\t\n'* || $output == *$'Groups:\t \n'* || $output =~ Groups:[[:space:]]*$'\n' ]]
	[[ $output == *$'CapPrm:\t0000000000000000'* ]]
	[[ $output == *$'CapEff:\t0000000000000000'* ]]
	# The bounding set shrinks while there is still the right to do it.
	run capjail --drop all -u 1000:1000 grep CapBnd /proc/self/status
	assert_output $'CapBnd:\t0000000000000000'
	run capjail -u 65534 id -g
	assert_output "$(id -g nobody)"
}

@test "--user: keeps the parent-death signal (R08)" {
	requires root
	run setpriv --pdeathsig HUP capjail -u 1000:1000 python3 -c 'import ctypes; s = ctypes.c_int(); ctypes.CDLL(None).prctl(2, ctypes.byref(s), 0, 0, 0); print(s.value)'
	assert_output 1
}

@test "--user: what is no user is refused, and so is whoever may not change" {
	local text
	for text in '' ' 1' +1 -1 1x 0x10 4294967295 4294967296 1: :1 1:2:3 no-such-user 1:4294967296 root:no-such-group; do
		assert_refuses --user capjail "--user=$text" "${UNREACHED[@]}"
	done
	assert_refuses 'not in /etc/passwd' capjail -u 3999999999 "${UNREACHED[@]}"
	assert_refuses 'no mapping' nsnew -r capjail -u 5:5 "${UNREACHED[@]}"
	[ "$(id -u)" = 0 ] || assert_refuses CAP_SETUID capjail -u 0:0 "${UNREACHED[@]}"
}

# --- single sets ---

@test "--ambient with --user: COMMAND has exactly that, and is no root" {
	requires root
	local n list=() mask=0
	baseline capstate
	for ((n = 0; n <= LAST; n++)); do
		((base_permitted >> n & 1)) || continue
		state capjail -u 1000:1000 --ambient "$n" capstate
		[ "$uids" = 1000,1000,1000,1000 ]
		[ "$gids" = 1000,1000,1000,1000 ]
		for set in inheritable permitted effective ambient; do
			[ "${!set}" = $((1 << n)) ]
		done
		[ "$bounding" = "$base_bounding" ]
	done
	state capjail -u 1000:1000 --ambient kill,net_raw --keep kill,net_raw,chown capstate
	[ "$permitted" = $((1 << 5 | 1 << 13)) ]
	[ "$bounding" = $((1 << 5 | 1 << 13 | 1)) ]
	# What is only kept is lost by the exec of one who is not root.
	state capjail -u 1000:1000 --keep net_raw capstate
	[ $((permitted | effective | inheritable | ambient)) = 0 ]
	[ "$bounding" = $((1 << 13)) ]
	state capjail -u 1000:1000 --ambient all capstate
	[ "$permitted" = "$base_permitted" ]
	state capjail -u 1000:1000 --ambient all,-chown,-kill capstate
	[ "$permitted" = $((base_permitted & ~33)) ]
}

@test "another user starts without the inherited and ambient capabilities of the caller (S29)" {
	requires root
	state capstate --raise capjail -u 1000:1000 capstate
	[ $((permitted | effective | inheritable | ambient)) = 0 ]
	state capstate --raise setpriv --securebits +no_setuid_fixup capjail -u 1000:1000 capstate
	[ $((permitted | effective | inheritable | ambient)) = 0 ]
	# Also from one to another who is not root, where the kernel takes nothing away.
	state capjail -u 1000:1000 --ambient setuid,setgid capjail -u 1001:1001 capstate
	[ "$uids" = 1001,1001,1001,1001 ]
	[ $((permitted | effective | inheritable | ambient)) = 0 ]
	state capjail -u 1000:1000 --ambient setuid,setgid,kill capjail -u 1001:1001 --ambient kill capstate
	[ "$permitted" = 32 ]
	# Root again has what it had been left.
	state capjail --keep setuid,setgid,kill -u 1000:1000 --ambient setuid,setgid,kill capjail -u 0:0 --drop kill capstate
	[ "$uids" = 0,0,0,0 ]
	[ "$permitted" = $((1 << 6 | 1 << 7)) ]
}

@test "--inheritable, --ambient and --bounding are exactly those sets" {
	baseline "${PRIVILEGED[@]}" capstate --raise capstate
	state "${PRIVILEGED[@]}" capjail --inheritable chown,kill capstate
	[ "$inheritable" = 33 ]
	[ "$ambient" = 0 ]
	state "${PRIVILEGED[@]}" capstate --raise capjail --inheritable chown,kill capstate
	[ "$inheritable" = 33 ]
	[ "$ambient" = 33 ]
	state "${PRIVILEGED[@]}" capstate --raise capjail --ambient chown capstate
	[ "$ambient" = 1 ]
	assert_sets -1 inheritable permitted effective bounding
	state "${PRIVILEGED[@]}" capjail --ambient chown --inheritable chown,kill capstate
	[ "$ambient" = 1 ]
	[ "$inheritable" = 33 ]
	state "${PRIVILEGED[@]}" capstate --raise capjail --ambient none capstate
	[ "$ambient" = 0 ]
	assert_sets -1 inheritable
	state "${PRIVILEGED[@]}" capstate --raise capjail --inheritable none capstate
	[ $((ambient | inheritable)) = 0 ]
	state "${PRIVILEGED[@]}" capjail --bounding chown,kill --inheritable none capstate
	# What exec gives root.
	[ "$bounding" = 33 ]
	[ "$permitted" = 33 ]
	state "${PRIVILEGED[@]}" capjail --bounding none --inheritable kill capstate
	[ "$bounding" = 0 ]
	[ "$permitted" = 32 ]
	state "${PRIVILEGED[@]}" capjail --bounding all --inheritable all --ambient all capstate
	assert_sets -1
	state "${PRIVILEGED[@]}" capjail --drop chown --bounding all --inheritable all --ambient all,-kill capstate
	assert_sets -2 bounding inheritable permitted effective
	[ "$ambient" = $((base_ambient & ~33)) ]
	state "${PRIVILEGED[@]}" capjail --drop chown --bounding kill,net_raw capstate
	[ "$bounding" = $((32 | 1 << 13)) ]
}

@test "--iab: the same sets as capsh makes of the text" {
	requires capsh
	local text bounds
	for text in '!cap_chown' '^cap_kill' 'cap_net_raw' '!%cap_chown' '!^cap_chown,cap_kill' '!cap_chown,^cap_kill,%cap_net_raw,!cap_sys_admin'; do
		bounds=$("${PRIVILEGED[@]}" capsh "--iab=$text" --shell="$(command -v capstate)" -- | grep -oE '(inheritable|ambient|bounding)=[0-9a-f]*')
		run "${PRIVILEGED[@]}" capjail --allow-new-privs --iab "$text" capstate
		[ -n "$bounds" ]
		[ "$(grep -oE '(inheritable|ambient|bounding)=[0-9a-f]*' <<<"$output")" = "$bounds" ] || {
			printf '%s: %s\nis not\n%s\n' "$text" "$output" "$bounds"
			return 1
		}
	done
	baseline "${PRIVILEGED[@]}" capstate
	state "${PRIVILEGED[@]}" capstate --raise capjail --iab none capstate
	[ $((inheritable | ambient)) = 0 ]
	[ "$bounding" = "$base_bounding" ]
}

@test "the text of --print is taken back by --iab" {
	local text
	text=$("${PRIVILEGED[@]}" capjail --iab '!%chown,^kill' capjail --print | sed -n 's/^iab *//p')
	[[ $text == *'!%cap_chown'* ]]
	baseline "${PRIVILEGED[@]}" capjail --iab '!%chown,^kill' capstate
	state "${PRIVILEGED[@]}" capjail --iab "$text" capstate
	assert_sets -1
}

@test "single sets that cannot be are refused, before anything changes" {
	local missing
	assert_refuses "'cap_chown' ambient" capjail --drop chown capjail --ambient chown "${UNREACHED[@]}"
	assert_says hint
	assert_refuses "ambient" "${PRIVILEGED[@]}" capjail --ambient chown --inheritable kill "${UNREACHED[@]}"
	assert_refuses "'cap_kill' into the bounding set" "${PRIVILEGED[@]}" capjail --drop kill capjail --bounding chown,kill "${UNREACHED[@]}"
	assert_refuses inheritable "${PRIVILEGED[@]}" capjail --drop kill capjail --inheritable kill "${UNREACHED[@]}"
	# With the permitted and without the bounding one, and the other way round without CAP_SETPCAP.
	assert_refuses CAP_SETPCAP "${PRIVILEGED[@]}" capjail --drop setpcap capjail --bounding chown "${UNREACHED[@]}"
	assert_refuses CAP_SETPCAP "${PRIVILEGED[@]}" capjail --drop setpcap capjail --iab '!chown' "${UNREACHED[@]}"
	for missing in bounding inheritable ambient; do
		assert_refuses "'cap_chown' is both" "${PRIVILEGED[@]}" capjail --drop chown "--$missing=chown" "${UNREACHED[@]}"
		assert_refuses "'cap_chown' is both" "${PRIVILEGED[@]}" capjail --keep kill "--$missing=chown" "${UNREACHED[@]}"
		assert_refuses "'cap_sys_admin' is both" "${PRIVILEGED[@]}" capjail --preset docker "--$missing=sys_admin" "${UNREACHED[@]}"
		assert_refuses '--iab' "${PRIVILEGED[@]}" capjail --iab chown "--$missing=chown" "${UNREACHED[@]}"
		assert_refuses empty capjail "--$missing=" "${UNREACHED[@]}"
		assert_refuses "'chwon'" capjail "--$missing=chwon" "${UNREACHED[@]}"
		assert_says "did you mean 'chown'"
	done
	assert_refuses "'^chwon'" capjail --iab '^chwon' "${UNREACHED[@]}"
	assert_refuses empty capjail --iab '' "${UNREACHED[@]}"
	assert_refuses "no_cap_ambient_raise" "${PRIVILEGED[@]}" capjail --securebits no_cap_ambient_raise capjail --ambient chown "${UNREACHED[@]}"
}

@test "lists: all but some" {
	baseline "${PRIVILEGED[@]}" capstate --raise capstate
	state "${PRIVILEGED[@]}" capstate --raise capjail --drop all,-chown,-cap_kill capstate
	assert_sets 33
	state "${PRIVILEGED[@]}" capstate --raise capjail --keep all,-chown,-5 capstate
	assert_sets $((~33))
	assert_refuses "'chown' is both named and left out" capjail --drop all,-chown,chown "${UNREACHED[@]}"
	assert_refuses "'-chown'" capjail --drop -chown "${UNREACHED[@]}"
	assert_refuses "'cap_chown' is both in --drop and in --keep" capjail --drop chown --keep all "${UNREACHED[@]}"
}

# --- presets ---

# mask NAME...: the bits of these capabilities, by capsh.
mask() {
	local name n word=0
	for name; do
		for ((n = 0; n <= LAST; n++)); do
			[ "$(capsh --decode="$(printf %x $((1 << n)))")" != "$(printf '0x%016x=cap_%s' $((1 << n)) "$name")" ] || word=$((word | 1 << n))
		done
	done
	echo "$word"
}

@test "presets: none, docker, and what refines them" {
	requires capsh
	local docker
	docker=$(mask chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot mknod audit_write setfcap)
	baseline "${PRIVILEGED[@]}" capstate --raise capstate
	state "${PRIVILEGED[@]}" capstate --raise capjail --preset none capstate
	assert_sets 0
	state "${PRIVILEGED[@]}" capstate --raise capjail --preset docker capstate
	assert_sets "$docker"
	state "${PRIVILEGED[@]}" capstate --raise capjail --preset docker --drop net_raw,mknod capstate
	assert_sets $((docker & ~(1 << 13 | 1 << 27)))
	state "${PRIVILEGED[@]}" capstate --raise capjail --preset docker --keep sys_time --drop kill capstate
	assert_sets $(((docker | 1 << 25) & ~32))
	# The page has the same list.
	# shellcheck disable=SC2046 # words
	[ "$docker" = "$(mask $(sed -n '/^.It Cm docker/,/^.It/p' "$BATS_TEST_DIRNAME/../man/capjail.1" | sed -n 's/^.Ql //p' | tr -d ,))" ]
	assert_refuses "'dokcer'" capjail --preset dokcer "${UNREACHED[@]}"
	assert_refuses --preset capjail --preset '' "${UNREACHED[@]}"
}

@test "presets: nobody" {
	requires root
	state setpriv --groups 4,20 capjail --preset nobody capstate
	[ "$uids" = 65534,65534,65534,65534 ]
	[ "$gids" = 65534,65534,65534,65534 ]
	[ -z "$groups" ]
	[ $((inheritable | permitted | effective | bounding | ambient)) = 0 ]
	state capjail --preset nobody --groups 7 capstate
	[ "$groups" = 7 ]
	assert_refuses nobody capjail --preset nobody -u 1000:1000 "${UNREACHED[@]}"
}

# --- securebits, umask, parent death ---

@test "--securebits: those and no others, and what they are for" {
	local name n=0
	for name in noroot noroot_locked no_setuid_fixup no_setuid_fixup_locked keep_caps keep_caps_locked no_cap_ambient_raise no_cap_ambient_raise_locked; do
		if [ "$name" != keep_caps ]; then
			state "${PRIVILEGED[@]}" capjail --securebits "$name" capstate
			[ "$securebits" = "$(printf %x $((1 << n)))" ]
		fi
		n=$((n + 1))
	done
	state "${PRIVILEGED[@]}" capjail --securebits NOROOT,secbit_no_setuid_fixup_locked capstate
	[ "$securebits" = 9 ]
	# No others: the one that was set is not any more.
	state "${PRIVILEGED[@]}" capjail --securebits no_setuid_fixup capjail --securebits keep_caps_locked capstate
	[ "$securebits" = 20 ]
}

@test "--securebits: with noroot, exec gives root nothing" {
	state "${PRIVILEGED[@]}" capjail --securebits noroot capstate
	[ $((permitted | effective)) = 0 ]
	state "${PRIVILEGED[@]}" capjail --securebits noroot --ambient kill capstate
	[ "$permitted" = 32 ]
}

@test "--securebits: what is locked, what exec clears, what needs CAP_SETPCAP" {
	assert_refuses securebits "${PRIVILEGED[@]}" capjail --securebits noroot_locked --ambient setpcap capjail --securebits noroot,noroot_locked "${UNREACHED[@]}"
	assert_refuses securebits "${PRIVILEGED[@]}" capjail --securebits no_setuid_fixup_locked capjail --securebits none "${UNREACHED[@]}"
	state "${PRIVILEGED[@]}" capjail --securebits no_setuid_fixup capjail --securebits none capstate
	[ "$securebits" = 0 ]
	state "${PRIVILEGED[@]}" capjail --securebits no_setuid_fixup_locked capjail --securebits no_setuid_fixup_locked --drop all capstate
	[ "$securebits" = 8 ]
	assert_refuses exec capjail --securebits keep_caps "${UNREACHED[@]}"
	assert_refuses CAP_SETPCAP "${PRIVILEGED[@]}" capjail --drop setpcap capjail --securebits noroot "${UNREACHED[@]}"
	assert_refuses "'no_root'" capjail --securebits no_root "${UNREACHED[@]}"
	assert_refuses empty capjail --securebits '' "${UNREACHED[@]}"
	# Together with the last of SETPCAP given up.
	state "${PRIVILEGED[@]}" capjail --drop all --securebits noroot,noroot_locked capstate
	[ "$securebits" = 3 ]
	[ "$bounding" = 0 ]
}

@test "--umask: of COMMAND, in octal" {
	local mode
	state capjail --umask 027 capstate
	[ "$umask" = 027 ]
	state capjail --umask 0 capstate
	[ "$umask" = 000 ]
	(umask 0137 && capjail capstate) >"$BATS_TEST_TMPDIR/out"
	grep -q umask=137 "$BATS_TEST_TMPDIR/out"
	for mode in '' 8 1000 7777 -1 0x1 '022 ' u=rwx 00022; do
		assert_refuses --umask capjail "--umask=$mode" "${UNREACHED[@]}"
	done
}

@test "--parent-death: COMMAND ends with its parent, also as another user (R08)" {
	load helpers/processes
	local options
	for options in '' '=TERM' '=15 -u 1000:1000'; do
		[[ $options != *-u* || $(id -u) = 0 ]] || continue
		# shellcheck disable=SC2086 # words
		start sh -c 'capjail "$@" sh -c "echo \$\$; exec sleep 60" & wait' sh --parent-death$options
		eventually grep -q '^[0-9]' "$OUT"
		kill -KILL "$LINK_PID"
		eventually is_gone "$(head -n 1 "$OUT")"
	done
	state capjail --parent-death capstate
	[ "$pdeath" = 9 ]
	state capjail --parent-death=HUP capjail --drop all capstate
	[ "$pdeath" = 1 ]
	state capjail capstate
	[ "$pdeath" = 0 ]
	for options in '' 0 65 -1 NOSUCH 'TERM,' ' 9'; do
		assert_refuses parent-death capjail "--parent-death=$options" "${UNREACHED[@]}"
	done
}

@test "--parent-death: a parent that ends meanwhile is noticed (R08)" {
	requires strace
	local n words=(capjail --parent-death)
	for n in 2 3 4; do
		[ "$n" = 2 ] || words=(capjail --parent-death -u 1000:1000)
		[ "$n" = 2 ] || has root || continue
		run strace -qq -o "$BATS_TEST_TMPDIR/log" -e trace=getppid -e "inject=getppid:retval=1:when=$n" \
			"${words[@]}" "${UNREACHED[@]}"
		grep -q INJECTED "$BATS_TEST_TMPDIR/log"
		assert_status 125
		[ ! -e "${UNREACHED[4]}" ]
	done
}

# --- users and groups ---

# A root with accounts of its own, and the links in it.
account_root() {
	R=$BATS_TEST_TMPDIR/root
	mkdir -p "$R/etc" "$R/bin"
	cp "$BIN/capjail" "$HELPERS/capstate" "$R/bin"
	cat >"$R/etc/passwd" <<-'END'
		root:x:0:0::/:/bin/sh
		large:x:4294967296:5::/:
		none:x:4294967295:5::/:
		minus:x:-1:5::/:
		short:x:77
		1000:x:5:5::/:
		bob:x:1234:5678::/:
		bob:x:99:99::/:
		alice:x:4321:8765::/:
	END
	cat >"$R/etc/group" <<-'END'
		root:x:0:
		wide:x:4294967296:bob
		staff:x:77:alice,bob
		bobs:x:78:bobs,bo,b,ob
		cdrom:x:24:bob
		5678:x:9:alice
	END
	chmod -R a+rX "$R"
}

@test "--user and --groups: names of the files of the root that it stands in" {
	requires root static
	account_root
	state rootjail --bare "$R" /bin/capjail -u bob /bin/capstate
	[ "$uids" = 1234,1234,1234,1234 ]
	[ "$gids" = 5678,5678,5678,5678 ]
	[ -z "$groups" ]
	state rootjail --bare "$R" /bin/capjail -u bob:staff --groups cdrom,9,staff,9 /bin/capstate
	[ "$uids $gids $groups" = '1234,1234,1234,1234 77,77,77,77 9,24,77' ]
	state rootjail --bare "$R" /bin/capjail -u bob --init-groups /bin/capstate
	[ "$groups" = 24,77,5678 ]
	state rootjail --bare "$R" /bin/capjail -u 4321 --init-groups /bin/capstate
	[ "$uids $gids $groups" = '4321,4321,4321,4321 8765,8765,8765,8765 9,77,8765' ]
	# A number is a number.
	state rootjail --bare "$R" /bin/capjail -u 1000:5678 /bin/capstate
	[ "$uids $gids" = '1000,1000,1000,1000 5678,5678,5678,5678' ]
	assert_refuses 'not in /etc/passwd' capjail -u bob "${UNREACHED[@]}"
}

@test "--user: who is not in the file, or has no valid id there (S08)" {
	requires root static
	local name
	account_root
	for name in large none minus short nobody x 'bob ' bo; do
		assert_refuses "'$name' is not in /etc/passwd" rootjail --bare "$R" /bin/capjail -u "$name" /bin/capstate
		[ -z "$output" ]
	done
	for name in wide nogroup 'staff '; do
		assert_refuses "'$name' is not in /etc/group" rootjail --bare "$R" /bin/capjail --groups "$name" /bin/capstate
		assert_refuses "'$name' is not in /etc/group" rootjail --bare "$R" /bin/capjail -u "bob:$name" /bin/capstate
	done
	assert_refuses 'user 4000 is not in /etc/passwd' rootjail --bare "$R" /bin/capjail -u 4000 /bin/capstate
	assert_refuses 'user 4000 is not in /etc/passwd' rootjail --bare "$R" /bin/capjail -u 4000:1 --init-groups /bin/capstate
	# Files that are none, and one that would block.
	rm "$R/etc/passwd" "$R/etc/group"
	assert_refuses "'/etc/passwd': No such file" rootjail --bare "$R" /bin/capjail -u bob /bin/capstate
	mkfifo "$R/etc/passwd" "$R/etc/group"
	assert_refuses "'/etc/passwd'" timeout 20 rootjail --bare "$R" /bin/capjail -u bob /bin/capstate
	assert_refuses "'/etc/group'" timeout 20 rootjail --bare "$R" /bin/capjail --groups staff /bin/capstate
	state rootjail --bare "$R" /bin/capjail -u 1234:5678 --groups 77 /bin/capstate
	[ "$uids $groups" = '1234,1234,1234,1234 77' ]
}

@test "--groups, --clear-groups, --init-groups: without --user too (S11)" {
	requires root
	state setpriv --groups 4,20 capjail --groups 20,30,4294967294 capstate
	[ "$uids $groups" = '0,0,0,0 20,30,4294967294' ]
	state setpriv --groups 4,20 capjail --clear-groups capstate
	[ -z "$groups" ]
	state setpriv --groups 4,20 capjail capstate
	[ "$groups" = 4,20 ]
	state setpriv --groups 4,20 capjail --init-groups capstate
	[ "$groups" = "$(id -G root | tr ' ' '\n' | sort -n | paste -sd,)" ]
	state setpriv --groups 4,20 capjail -u 1000:1000 capstate
	[ -z "$groups" ]
}

@test "groups: bad input (S08)" {
	local list
	for list in '' ',' '4,' ',4' '4,,5' ' 4' +4 -1 0x4 4294967295 4294967296 18446744073709551616 4:5 no-such-group; do
		assert_refuses --groups capjail "--groups=$list" "${UNREACHED[@]}"
	done
	assert_refuses alternatives capjail --groups 4 --clear-groups "${UNREACHED[@]}"
	assert_refuses alternatives capjail --init-groups --clear-groups "${UNREACHED[@]}"
	assert_refuses twice capjail --groups 4 --groups 5 "${UNREACHED[@]}"
}

@test "groups: without the right to change them (S11)" {
	# Where setgroups(2) is denied for good.
	assert_refuses CAP_SETGID nsnew -r capjail --groups 0 "${UNREACHED[@]}"
	requires root
	assert_refuses 'supplementary groups' setpriv --groups 4,20 capjail --drop setgid capjail --clear-groups "${UNREACHED[@]}"
	assert_says CAP_SETGID
	assert_refuses 'supplementary groups' setpriv --reuid 1000 --regid 1000 --groups 4 capjail -u 1000:1000 "${UNREACHED[@]}"
	# The own group may stay, but not when it is the own one no longer.
	state setpriv --reuid 1000 --regid 1000 --groups 1000 capjail -u 1000:1000 capstate
	[ "$groups" = 1000 ]
	assert_refuses 'not the ones asked for' setpriv --groups 0 nsnew --map-users=0:0:1 --map-groups=0:0:10 --setgroups=deny --keep-groups capjail -u 0:5 "${UNREACHED[@]}"
}

# --- no new user namespaces ---

@test "--no-user-namespaces: every way into another one is closed, and nothing else (S36)" {
	local ways before after options
	before=$(cat /proc/sys/user/max_user_namespaces)
	requires userns
	run newuser
	[[ $output == 'unshare=ok several=ok clone=ok '* ]]
	ways=$output
	for options in '' --allow-new-privs '--drop all'; do
		[ "$options" != --allow-new-privs ] || has root || continue
		# shellcheck disable=SC2086 # words
		run capjail --no-user-namespaces $options newuser /proc/self/ns/user
		assert_status 0
		[[ $output == 'unshare=EPERM several=EPERM clone=EPERM clone3=ENOSYS '* ]]
		[[ $output == *' setns=EPERM setns0=EPERM '* ]]
		# Without IA32 emulation there is nothing to close.
		[[ $ways != *i386=ok* || $output == *i386=EPERM* ]]
		[[ $output == *x32=ENOSYS* || $ways != *x32* ]]
	done
	assert_refuses 'namespaces (user)' capjail --no-user-namespaces nsnew -U "${UNREACHED[@]}"
	state capjail --no-user-namespaces capstate
	[ "$seccomp" = 2 ]
	# Processes, threads and the other namespaces go on.
	run capjail --no-user-namespaces sh -c 'ls / | grep -c .; (exit 3)'
	assert_status 3
	run capjail --no-user-namespaces python3 -u -c 'import threading, subprocess; t = threading.Thread(target=print, args=("thread",)); t.start(); t.join(); subprocess.run(["echo", "child"])'
	assert_output $'thread\nchild'
	run "${PRIVILEGED[@]}" capjail --no-user-namespaces nsnew -pmuin sh -c 'echo $$'
	assert_output 1
	after=$(cat /proc/sys/user/max_user_namespaces)
	[ "$before" = "$after" ]
}

@test "--no-user-namespaces: joining one that exists is closed as well (S36)" {
	requires root userns
	load helpers/processes
	start nsnew -r sh -c 'echo ready; exec sleep 60'
	eventually said ready
	run newuser "/proc/$LINK_PID/ns/user"
	[[ $output == *' setns=ok setns0=ok '* ]]
	run capjail --no-user-namespaces newuser "/proc/$LINK_PID/ns/user"
	[[ $output == *' setns=EPERM setns0=EPERM '* ]]
	assert_refuses 'user' capjail --no-user-namespaces nsjoin -t "$LINK_PID" -U "${UNREACHED[@]}"
}

@test "--no-user-namespaces: inside a user namespace its root cannot undo it (S36)" {
	requires userns
	run nsnew -r capjail --no-user-namespaces sh -c 'echo 1000 >/proc/sys/user/max_user_namespaces; newuser'
	[[ $output == *'unshare=EPERM several=EPERM clone=EPERM clone3=ENOSYS '* ]]
	# Without the option it can, whatever was dropped.
	state capjail --keep setfcap nsnew -r capstate
	[ $((effective & ~(1 << 31))) != 0 ]
}

# --- what is shown ---

# agrees OPTION...: capjail --print and --json behind capjail OPTION... are what the kernel and capsh say.
agrees() {
	local set name printed mask status
	status=$("${PRIVILEGED[@]}" capjail "$@" cat /proc/self/status)
	printed=$("${PRIVILEGED[@]}" capjail "$@" capjail --print)
	"${PRIVILEGED[@]}" capjail "$@" capjail --print --json >"$BATS_TEST_TMPDIR/json"
	for set in Inh:inheritable Prm:permitted Eff:effective Bnd:bounding Amb:ambient; do
		name=${set#*:}
		mask=$(sed -n "s/^Cap${set%:*}:\t//p" <<<"$status")
		[[ $mask =~ ^[0-9a-f]{16}$ ]]
		set=$(capsh --decode="$mask")
		set=${set#0x}
		[ "$set" != "$mask=" ] || set=$mask=none
		[ "$(sed -n "s/^$name *//p" <<<"$printed")" = "$set" ] || {
			printf '%s: %s is not\n%s\n' "$*" "$name" "$set"
			return 1
		}
		python3 - "$BATS_TEST_TMPDIR/json" "$name" "$mask" "${set#*=}" <<-'END'
			import json, sys
			state = json.load(open(sys.argv[1]))
			name, mask, names = sys.argv[2:]
			assert state["sets"][name] == {"mask": mask, "names": [] if names == "none" else names.split(",")}, name
			for one in state["capabilities"]:
			    assert (name in one["sets"]) == bool(int(mask, 16) >> one["number"] & 1), one
		END
	done
	[ "$(sed -n 's/^no_new_privs *//p' <<<"$printed")" = "$(sed -n 's/^NoNewPrivs:\t//p' <<<"$status")" ]
	[ "$(sed -n 's/^seccomp *//p' <<<"$printed")" = "$(sed -n 's/^Seccomp:\t//p' <<<"$status")" ]
	[ "$(sed -n 's/^umask *//p' <<<"$printed")" = "$(sed -n 's/^Umask:\t//p' <<<"$status")" ]
	[ "$(grep -E '^(user|group) ' <<<"$printed" | tr -d 'a-z, \n')" = "$(grep -E '^[UG]id:' <<<"$status" | tr -d 'UGid:\t\n')" ]
	[ "$(sed -n 's/^groups *//p' <<<"$printed" | tr -d , | sed 's/none//')" = "$(sed -n 's/^Groups:\t//p' <<<"$status" | tr -d ' ')" ]
}

@test "--print and --json agree with /proc/self/status and capsh, in many states" {
	requires capsh
	agrees
	agrees --drop chown,sys_admin
	agrees --drop all
	agrees --keep kill --allow-new-privs
	agrees --ambient kill --inheritable kill,chown --umask 077
	agrees --iab '!chown,^net_raw' --no-user-namespaces
	agrees --securebits noroot --ambient all
	! has root || agrees -u 1000:2000 --groups 4,20 --ambient net_bind_service
}

@test "--print: all capabilities of the kernel, each with an explanation; securebits by name" {
	local n
	run capjail --print
	assert_status 0
	for ((n = 0; n <= LAST; n++)); do
		grep -A 1 -E "^ ?$n [-ipeba]{5} cap_[a-z_]+$" <<<"$output" | grep -qE '^ {9}[A-Za-z].{10,}$'
	done
	[ "$(grep -cE '^ ?[0-9]+ [-ipeba]{5} cap_' <<<"$output")" = $((LAST + 1)) ]
	run "${PRIVILEGED[@]}" capjail --securebits noroot,no_setuid_fixup_locked --ambient none capjail --print
	grep -qx 'securebits    0x9=noroot,no_setuid_fixup_locked' <<<"$output"
	run capjail --parent-death=TERM capjail --print
	grep -qx 'parent_death  15' <<<"$output"
	# It changes nothing of what it shows.
	run --separate-stderr capjail --print
	grep -qx "no_new_privs  $(sed -n 's/^NoNewPrivs:\t//p' /proc/self/status)" <<<"$output"
}

@test "--print: without /proc" {
	requires static
	account_root
	run "${PRIVILEGED[@]}" rootjail --bare "$R" /bin/capjail --keep kill,chown /bin/capjail --print
	assert_status 0
	grep -qE '^bounding +[0-9a-f]*=cap_chown,cap_kill$' <<<"$output"
}

@test "--print and --explain-cap: stand alone, and fail when they cannot write" {
	assert_refuses alone capjail --print "${UNREACHED[@]}"
	assert_refuses alone capjail --print --drop chown
	assert_refuses alone capjail --allow-new-privs --print
	assert_refuses alone capjail --print --explain-cap kill
	assert_refuses alone capjail --explain-cap kill "${UNREACHED[@]}"
	assert_refuses --print capjail --json "${UNREACHED[@]}"
	run sh -c 'capjail --print >/dev/full'
	assert_status 125
	run sh -c 'capjail --explain-cap all >/dev/full'
	assert_status 125
	run sh -c 'capjail --print --json >&-'
	assert_status 125
}

@test "--explain-cap: each capability, in words; a misspelt one is guessed" {
	local n
	run capjail --explain-cap all
	assert_status 0
	[ "${#lines[@]}" = $((2 * (LAST + 1))) ]
	for ((n = 0; n <= LAST; n++)); do
		grep -qE "^cap_[a-z_]+ \\($n\\): [A-Za-z]" <<<"$output"
	done
	[ "$(grep -cE '.{81}' <<<"$output" || true)" = 0 ]
	run capjail --explain-cap NET_BIND_SERVICE
	[[ ${lines[0]} == 'cap_net_bind_service (10): '*'ports below 1024'* ]]
	assert_refuses "'chwon'" capjail --explain-cap chwon
	assert_says "did you mean 'chown'"
}
