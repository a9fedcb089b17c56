# cgrun: where the group is, what it is called, who may use it, and who removes what was left over.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # what is in single quotes is for the shell that is started; status and others are of bats

setup() {
	load helpers
	load helpers/groups
	begin_groups
}

teardown() {
	end_groups
}

# alone_path: the group of ALONE as /proc/PID/cgroup shows it where the controller pids is.
alone_path() {
	local place mount
	place=$(alone_at pids)
	mount=$(findmnt -rno TARGET -T "$place" | tail -n 1)
	echo "${place#"$mount"}"
}

# in_alone COMMAND...: a cgrun that need not be in ALONE to make a group there. On version 2 nobody can be where controllers are handed down.
in_alone() {
	cgrun --parent "$(alone_path)" "$@"
}

# has_group PATTERN: there is such a group in each hierarchy of ALONE that has one of the controllers of these tests.
has_group() {
	compgen -G "$(alone_at pids)/$1/" >/dev/null
}

# The PID that no process has, and the name of a group that such a one has made.
ORPHAN=cgrun-4194304-0123abcd

# as_other COMMAND...: as a user who has no right to anything here; cgrun is fd 9 then, as its directory may be closed to that user.
as_other() {
	setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$@"
}

# --- the group above ---

@test "parent: below the own group" {
	requires limits
	local group option=()
	for group in "${ALONE_GROUPS[@]}"; do
		mkdir -p "$group/above/more"
	done
	# On version 2 the own group holds cgrun itself and hands nothing down.
	! on_v1 pids || option=(-p 20)
	for group in above above/more; do
		run --separate-stderr "${ALONE[@]}" cgrun --parent "$group" "${option[@]}" cat /proc/self/cgroup
		assert_status 0
		grep -q "/nschain-test-$$-$BATS_TEST_NUMBER/$group/cgrun-[^/]*\$" <<<"$output"
		! on_v1 pids || grep -q ":pids:.*/nschain-test-$$-$BATS_TEST_NUMBER/$group/cgrun-[^/]*\$" <<<"$output"
		[ -z "$(find "${ALONE_GROUPS[@]}" -name 'cgrun-*')" ]
	done
}

@test "parent: by its whole path, from outside" {
	requires limits
	local before
	before=$(cat "$(alone_at v2)/cgroup.subtree_control" 2>/dev/null || true)
	run --separate-stderr in_alone -p 20 bash -c 'shown pids.max pids.max; cat /proc/self/cgroup'
	assert_status 0
	[ "${lines[0]}" = 20 ]
	grep -q ":$(alone_path)/cgrun-[^/]*\$" <<<"$output"
	nothing_left
	[ "$(cat "$(alone_at v2)/cgroup.subtree_control" 2>/dev/null || true)" = "$before" ]
}

@test "parent and join: what is not there, what leads out, what is no name" {
	requires limits
	local name
	for name in '' .. ../x a/../b a//b ./a a/ a/.. /.. /../x //; do
		assert_refuses "'$name'" "${ALONE[@]}" cgrun --parent "$name" "${UNREACHED[@]}"
		assert_refuses "'$name'" "${ALONE[@]}" cgrun --join "$name" "${UNREACHED[@]}"
	done
	for name in nosuch /nosuch/group nosuch/below; do
		assert_refuses "no cgroup '$name'" "${ALONE[@]}" cgrun --parent "$name" "${UNREACHED[@]}"
		assert_refuses "no cgroup '$name'" "${ALONE[@]}" cgrun --join "$name" "${UNREACHED[@]}"
	done
	nothing_left
}

@test "parent: one that the hierarchy of a limit does not have" {
	requires limits cgroup_v1
	mkdir "$(alone_at pids)/above"
	assert_refuses memory "${ALONE[@]}" cgrun --parent above -m 64M "${UNREACHED[@]}"
	run --separate-stderr "${ALONE[@]}" cgrun --parent above -p 20 bash -c 'shown pids.max pids.max'
	assert_status 0
	assert_output 20
}

@test "in a group with limits: nothing that cgrun is asked for leads out of it (S27)" {
	requires limits
	# Asked for more, and for a place of its own choice, in a row of three.
	run --separate-stderr "${ALONE[@]}" cgrun -m 16M cgrun -m max cgrun -m 256M hog 64
	assert_status 137
	nothing_left
	run --separate-stderr "${ALONE[@]}" cgrun -p 8 cgrun -p max bash -c 'for i in {1..20}; do sleep 1000 & done'
	[ "$status" -ne 0 ]
	assert_says 'Resource temporarily unavailable'
	nothing_left
}

# A script of bash that has the cgroup hierarchies as its own cgroup namespace shows them, and nothing else of them.
FRESH='
	kinds=$(findmnt -rnt cgroup -o FS-OPTIONS | tr , "\n" | grep -xE "memory|pids|cpu|freezer" | sort -u)
	findmnt -rnt cgroup,cgroup2 -o TARGET | sort -r | while read -r mount; do umount -l "$mount" || exit; done
	mkdir -p "$0" && mount -t tmpfs none "$0" || exit
	for kind in $kinds; do mkdir "$0/$kind" && mount -t cgroup -o "$kind" none "$0/$kind" || exit; done
	mkdir "$0/v2" && mount -t cgroup2 none "$0/v2" || exit
	exec "$@"'

@test "in a cgroup namespace: the topmost group there is the one with the limits (S27)" {
	requires limits root
	local inside=("${ALONE[@]}" cgrun -m 16M -p 30 unshare -Cm bash -c "$FRESH" "$BATS_TEST_TMPDIR/groups")
	run --separate-stderr "${inside[@]}" cgrun --parent / -m 256M hog 64
	assert_status 137
	nothing_left
	run --separate-stderr "${inside[@]}" cgrun --parent / -p 20 bash -c 'shown pids.max pids.max; cat /proc/self/cgroup'
	assert_status 0
	[ "${lines[0]}" = 20 ]
	grep -q '^[0-9]*:\(pids\)\?:/cgrun-[^/]*$' <<<"$output"
	nothing_left
	# With the mounts of outside alone there is no own group to be found.
	assert_refuses 'nsnew -C' "${ALONE[@]}" cgrun -p 30 unshare -C cgrun -p 20 "${UNREACHED[@]}"
	assert_refuses 'nsnew -C' "${ALONE[@]}" cgrun -p 30 unshare -C cgrun --parent / -p 20 "${UNREACHED[@]}"
	nothing_left
}

@test "nsdelegate: root in a cgroup namespace cannot raise the limit, and cgrun works there (S27)" {
	requires limits root cgroup_v2 nsdelegate
	local inside=("${ALONE[@]}" cgrun -m 64M -p 30 unshare -Cm bash -c "$FRESH" "$BATS_TEST_TMPDIR/groups")
	run "${inside[@]}" bash -c 'echo 128M >"$1/memory.max"' bash "$BATS_TEST_TMPDIR/groups/v2"
	[ "$status" -ne 0 ]
	assert_says 'Operation not permitted'
	run --separate-stderr "${inside[@]}" cgrun -m 32M bash -c 'shown - memory.max'
	assert_status 0
	assert_output 33554432
	run --separate-stderr "${inside[@]}" cgrun -m 1G hog 96
	assert_status 137
	nothing_left
}

@test "version 2: what is threaded takes no group, and stays as it is (R12)" {
	requires limits unified
	local group name
	group=$(alone_at v2)
	mkdir "$group/threaded"
	echo threaded >"$group/threaded/cgroup.type"
	mkdir "$group/threaded/invalid"
	for name in threaded threaded/invalid; do
		assert_refuses "'$(cat "$group/$name/cgroup.type")'" "${ALONE[@]}" cgrun --parent "$name" "${UNREACHED[@]}"
	done
	assert_refuses "'domain threaded'" "${ALONE[@]}" cgrun "${UNREACHED[@]}"
	[ "$(cat "$group/threaded/cgroup.type")" = threaded ]
	[ "$(find "$group" -mindepth 1 -type d | wc -l)" = 2 ]
}

# --- beside others, version 2 ---

# beside: makes a process in ALONE, in NEIGHBOUR.
beside() {
	inside "$(alone_at v2)" sleep 1000 3>&- &
	NEIGHBOUR=$!
	echo "$NEIGHBOUR" >>"$PIDS"
	eventually grep -qx "$NEIGHBOUR" "$(alone_at v2)/cgroup.procs"
}

# is_in PID GROUP: by the end of its path on version 2.
is_in() {
	local path
	path=$(sed -n 's/^0:://p' "/proc/$1/cgroup")
	[ "${path##*/}" = "$2" ]
}

@test "evacuate: others stand aside meanwhile and are back afterwards" {
	requires limits cgroup_v2
	local group before
	group=$(alone_at v2)
	before=$(cat "$group/cgroup.subtree_control")
	beside
	run --separate-stderr "${ALONE[@]}" cgrun --evacuate -m 64M -p 20 bash -c 'shown - memory.max; sed -n "s/^0:://p" "/proc/$1/cgroup"' bash "$NEIGHBOUR"
	assert_status 0
	[ "${lines[0]}" = 67108864 ]
	[[ ${lines[1]} == */"${group##*/}"/cgrun-*.self ]]
	is_in "$NEIGHBOUR" "${group##*/}"
	[ "$(cat "$group/cgroup.subtree_control")" = "$before" ]
	[ -z "$(find "$group" -mindepth 1 -type d)" ]
	all_live
	# Not what the watcher or a refusal would do without the word.
	assert_refuses '--evacuate' "${ALONE[@]}" cgrun -m 64M "${UNREACHED[@]}"
	is_in "$NEIGHBOUR" "${group##*/}"
}

@test "evacuate: killed, and all is as before" {
	requires limits cgroup_v2
	local group
	group=$(alone_at v2)
	beside
	start "${ALONE[@]}" cgrun --evacuate -p 20 sleep 1000
	eventually compgen -G "$group/cgrun-*-????????/pids.max" >/dev/null
	eventually has_child "$LINK_PID" sleep
	kill -KILL "$LINK_PID"
	ended 'killed by 9'
	eventually is_in "$NEIGHBOUR" "${group##*/}"
	gone() { [ -z "$(find "$group" -mindepth 1 -type d)" ]; }
	eventually gone
	[ -z "$(cat "$group/cgroup.subtree_control")" ]
}

@test "evacuate: two at once, and one after another" {
	requires limits cgroup_v2
	local group go=$BATS_TEST_TMPDIR/go round script pid runs
	group=$(alone_at v2)
	beside
	script='until [ -e "$1" ]; do sleep 0.05; done; exec cgrun --evacuate -p 20 bash -c "shown - pids.max"'
	for round in 1 2 3; do
		rm -f "$go" "$BATS_TEST_TMPDIR"/said.*
		runs=()
		for n in a b; do
			"${ALONE[@]}" bash -c "$script" bash "$go" >"$BATS_TEST_TMPDIR/said.$n" 3>&- &
			runs+=("$!")
		done
		in_it() { [ "$(wc -l <"$group/cgroup.procs")" -ge 3 ]; }
		eventually in_it
		: >"$go"
		for pid in "${runs[@]}"; do
			wait "$pid"
		done
		[ "$(cat "$BATS_TEST_TMPDIR"/said.*)" = $'20\n20' ] || {
			echo "round $round"
			cat "$BATS_TEST_TMPDIR"/said.*
			return 1
		}
	done
	run --separate-stderr "${ALONE[@]}" bash -c 'cgrun --evacuate -p 21 bash -c "shown - pids.max"; cgrun --evacuate -p 22 bash -c "shown - pids.max"'
	assert_status 0
	assert_output $'21\n22'
	all_live
	# Whoever was last has put all of it back.
	is_in "$NEIGHBOUR" "${group##*/}"
	[ -z "$(find "$group" -mindepth 1 -type d)" ]
}

@test "evacuate: while another one's group is there its limits stay" {
	requires limits cgroup_v2
	local group go=$BATS_TEST_TMPDIR/go
	group=$(alone_at v2)
	start "${ALONE[@]}" sh -c 'cgrun -n first --evacuate -p 33 sleep 1000 & until [ -e "$0" ]; do sleep 0.05; done; cgrun --evacuate -p 22 true; echo second; wait' "$go"
	eventually grep -q . "$group/first/cgroup.procs"
	: >"$go"
	eventually said second
	[ "$(cat "$group/first/pids.max")" = 33 ]
	grep -q . "$group/first/cgroup.procs"
	kill -KILL "$(head -n 1 "$group/first/cgroup.procs")"
	ended 'exited 0'
	eventually nothing_left
}

# --- its name ---

@test "name: the group has it in each hierarchy, and is gone afterwards" {
	requires limits
	run --separate-stderr "${ALONE[@]}" cgrun -n 'my box' -m 64M -p 20 bash -c 'cat /proc/self/cgroup'
	assert_status 0
	# Memory and pids; version 2, or the freezer that is not among those of ALONE.
	[ "$(grep -c "/nschain-test-$$-$BATS_TEST_NUMBER/my box\$" <<<"$output")" = "$(on_v1 memory && has unified && echo 3 || on_v1 memory && echo 2)" ] || ! on_v1 memory
	nothing_left
}

@test "name: what no group is to be called (S08)" {
	local name
	for name in '' . .. ../x a/b /a a/ cgrun- cgrun-1-2 $'a\nb' "$(printf 'x%.0s' {1..256})"; do
		assert_refuses 'cgrun: ' cgrun -n "$name" "${UNREACHED[@]}"
		assert_says "'${name%%$'\n'*}"
	done
}

@test "name: two with one, and the first one is left alone" {
	requires limits
	local group
	start "${ALONE[@]}" cgrun -n box sleep 1000
	group=${ALONE_GROUPS[-1]}/box
	on_v1 freezer || has unified || skip "needs version 2 or the freezer"
	has unified || group=$(alone_at pids)/box
	eventually has_child "$LINK_PID" sleep
	child_of "$LINK_PID" sleep >>"$PIDS"
	assert_refuses '--join=box' "${ALONE[@]}" cgrun -n box "${UNREACHED[@]}"
	all_live
	grep -qx "$(cat "$PIDS")" "$group/cgroup.procs"
	kill -TERM "$LINK_PID"
	ended 'killed by 15'
	nothing_left
}

# killed_anywhere CHECK ARGUMENT...: cgrun is killed at its calls about files, one after another; CHECK holds each time.
killed_anywhere() {
	local check=$1 call n step kills=0
	shift
	for call in faccessat faccessat2 mkdirat flock unlinkat openat; do
		# There are many of the last kind.
		[ "$call" = openat ] && step=4 || step=1
		for ((n = 1; n < 100; n += step)); do
			run strace -qq -o "$BATS_TEST_TMPDIR/log" -e signal=none -e "trace=$call" -e "inject=$call:signal=KILL:when=$n" "${ALONE[@]}" cgrun "$@"
			"$check" || {
				echo "killed at $call $n"
				return 1
			}
			[ "$status" = 137 ] || break
			kills=$((kills + 1))
		done
		assert_status 125 || return
	done
	[ "$kills" -gt 4 ]
}

@test "name: cgrun killed at any moment beside a group of that name leaves it and what is in it alone" {
	requires limits unified strace
	local group before
	group=$(alone_at v2)
	start "${ALONE[@]}" cgrun -n box sleep 1000
	eventually has_child "$LINK_PID" sleep
	child_of "$LINK_PID" sleep >>"$PIDS"
	before=$(stat -c %i "$group/box")
	# cgrun and its watcher, no other watcher any more.
	at_rest() { [ "$(wc -l <"$group/cgroup.procs")" = 2 ]; }
	# shellcheck disable=SC2317 # called by its name
	untouched() { eventually at_rest && all_live && [ "$(stat -c %i "$group/box")" = "$before" ] && grep -qx "$(cat "$PIDS")" "$group/box/cgroup.procs"; }
	untouched
	killed_anywhere untouched -n box true
}

@test "name: cgrun killed at any moment leaves an empty group of that name that was there before" {
	requires limits unified strace
	local group before
	group=$(alone_at v2)
	mkdir "$group/box"
	before=$(stat -c %i "$group/box")
	alone() { ! grep -q . "$group/cgroup.procs"; }
	# shellcheck disable=SC2317 # called by its name
	untouched() { eventually alone && [ "$(stat -c %i "$group/box")" = "$before" ]; }
	killed_anywhere untouched -n box true
}

@test "name: what of it is somebody else's is left, what of it was made is removed" {
	requires limits cgroup_v1 unified strace
	local box
	box=$(alone_at pids)/box
	mkdir "$box"
	inside "$box" sleep 1000 3>&- &
	echo $! >>"$PIDS"
	eventually grep -q . "$box/cgroup.procs"
	assert_refuses box "${ALONE[@]}" cgrun -n box -p 20 "${UNREACHED[@]}"
	all_live
	[ ! -e "$(alone_at v2)/box" ]
	none() { ! grep -q . "$(alone_at v2)/cgroup.procs" && [ ! -e "$(alone_at v2)/box" ]; }
	# shellcheck disable=SC2317 # called by its name
	untouched() { eventually none && all_live && [ "$(cat "$box/pids.max")" = max ]; }
	killed_anywhere untouched -n box -p 20 true
}

# --- in another one's group ---

@test "join: COMMAND is in it in each hierarchy, instead of cgrun" {
	requires limits
	local group count
	for group in "${ALONE_GROUPS[@]}"; do
		mkdir "$group/below"
	done
	run --separate-stderr outcome "$BATS_TEST_TMPDIR/pid" "${ALONE[@]}" cgrun --join below sh -c 'echo "$$"; cat /proc/self/cgroup; exit 5'
	[ "${lines[0]}" = "$(cat "$BATS_TEST_TMPDIR/pid")" ]
	count=$(grep -c "/nschain-test-$$-$BATS_TEST_NUMBER/below\$" <<<"$output")
	[ "$count" = "${#ALONE_GROUPS[@]}" ]
	[ "${lines[-1]}" = 'exited 5' ]
	for group in "${ALONE_GROUPS[@]}"; do
		[ -d "$group/below" ]
		rmdir "$group/below"
	done
}

@test "join: the group of a cgrun, with its limits and its end" {
	requires limits
	start "${ALONE[@]}" cgrun -n box -p 20 sleep 1000
	eventually has_child "$LINK_PID" sleep
	run --separate-stderr cgrun --join "$(alone_path)/box" bash -c 'shown pids.max pids.max'
	assert_status 0
	assert_output 20
	cgrun --join "$(alone_path)/box" setsid sleep 1000 3>&- &
	two() { [ "$(wc -l <"$(alone_at pids)/box/cgroup.procs")" = 2 ]; }
	eventually two
	cat "$(alone_at pids)/box/cgroup.procs" >>"$PIDS"
	kill -TERM "$LINK_PID"
	ended 'killed by 15'
	all_gone
	nothing_left
}

@test "join: the own group takes no right" {
	requires limits root setpriv
	exec 9<"$BIN/cgrun"
	run --separate-stderr "${ALONE[@]}" setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
		/proc/self/fd/9 --join "$(alone_path)" grep -c "nschain-test-$$-$BATS_TEST_NUMBER\$" /proc/self/cgroup
	exec 9<&-
	assert_status 0
	[ "$output" -ge 1 ]
}

@test "join: a group that may not be entered" {
	requires limits root setpriv
	local group
	for group in "${ALONE_GROUPS[@]}"; do
		mkdir "$group/below"
	done
	exec 9<"$BIN/cgrun"
	assert_refuses 'Permission denied' "${ALONE[@]}" setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
		/proc/self/fd/9 --join below "${UNREACHED[@]}"
	exec 9<&-
}

@test "join: version 2: a threaded group, and one that hands controllers down (R12)" {
	requires limits unified
	local group
	group=$(alone_at v2)
	mkdir "$group/threaded"
	echo threaded >"$group/threaded/cgroup.type"
	run --separate-stderr cgrun --join "$(alone_path)/threaded" sed -n 's/^0:://p' /proc/self/cgroup
	assert_status 0
	[[ $output == */threaded ]]
	mkdir "$group/threaded/invalid"
	assert_refuses 'threaded, or invalid' cgrun --join "$(alone_path)/threaded/invalid" "${UNREACHED[@]}"
	rmdir "$group/threaded/invalid" "$group/threaded"
	has cgroup_v2 || return 0
	mkdir "$group/busy"
	echo +memory >"$group/cgroup.subtree_control"
	echo +memory >"$group/busy/cgroup.subtree_control"
	assert_refuses 'hands controllers down' cgrun --join "$(alone_path)/busy" "${UNREACHED[@]}"
}

@test "join: goes with nothing else" {
	local option
	for option in '-m 64M' -p1 --keep '-n x' '--parent x' --freeze --exec --gc --stats --evacuate '--delegate 1' '--device-deny all' --json; do
		# shellcheck disable=SC2086 # an option and its value
		assert_refuses cgrun cgrun --join x $option "${UNREACHED[@]}"
	done
	assert_refuses "--keep needs --name" cgrun --keep "${UNREACHED[@]}"
	assert_refuses "--exec" cgrun --exec --stats "${UNREACHED[@]}"
	assert_refuses "--json needs" cgrun --json "${UNREACHED[@]}"
	assert_refuses "--gc" cgrun --gc -m 64M
	assert_refuses "--gc" cgrun --gc "${UNREACHED[@]}"
}

# --- for another user ---

@test "delegate: the user makes groups, moves processes, and cannot raise the limits" {
	requires limits root setpriv
	run --separate-stderr "${ALONE[@]}" cgrun -m 64M -p 50 --delegate 54321 setpriv --reuid 54321 --regid 54321 --clear-groups --inh-caps=-all \
		bash -c '
			sleep 1000 >/dev/null 2>&1 3>&- &
			for controller in memory pids; do
				cd "$(here "$controller")" || exit
				entry=cgroup.procs
				[ ! -e tasks ] || entry=tasks
				mkdir below || exit
				echo $! >"below/$entry" || exit
				grep -qx $! below/cgroup.procs && echo moved
				for file in memory.max memory.limit_in_bytes pids.max; do
					[ ! -e "$file" ] || ! echo max >"$file" || echo "raised $file"
				done 2>/dev/null
				echo $! >"$entry" && rmdir below || exit
			done
			shown memory.limit_in_bytes memory.max
			shown pids.max pids.max'
	assert_status 0
	assert_output $'moved\nmoved\n67108864\n50'
	nothing_left
}

@test "delegate: the directory and the files that the kernel names belong to the user, and no others" {
	requires limits root
	run --separate-stderr "${ALONE[@]}" cgrun -m 64M -p 50 --delegate 54321:54322 bash -c '
		for controller in memory pids v2; do
			group=$(here "$controller")
			[ -n "$group" ] || continue
			find "$group" -maxdepth 1 -user 54321 -group 54322 -printf "%P\n" | sort >"$0/owned"
			find "$group" -maxdepth 1 \( -user 54321 -o -group 54322 \) -printf "%P\n" | sort | cmp - "$0/owned" || exit
			{
				echo
				if [ -e "$group/tasks" ]; then
					printf "tasks\ncgroup.procs\n"
				else
					(cd "$group" && ls $(cat /sys/kernel/cgroup/delegate) 2>/dev/null)
				fi
			} | sort | diff - "$0/owned" || exit
			echo same
		done' "$BATS_TEST_TMPDIR"
	assert_status 0
	[ "${#lines[@]}" = "$(has unified && echo 3 || echo 2)" ]
	nothing_left
}

@test "delegate: a cgrun of that user works in it" {
	requires limits root setpriv
	exec 9<"$BIN/cgrun"
	run --separate-stderr "${ALONE[@]}" cgrun -m 64M -p 50 --delegate 54321 setpriv --reuid 54321 --regid 54321 --clear-groups --inh-caps=-all \
		/proc/self/fd/9 -m 32M -p 20 bash -c 'id -u; shown memory.limit_in_bytes memory.max; shown pids.max pids.max; setsid sleep 1000 >/dev/null & exit 3'
	exec 9<&-
	assert_status 3
	assert_output $'54321\n33554432\n20'
	nothing_left
	for value in '' x -1 4294967295 1:x 1: :1 1:2:3; do
		assert_refuses "'$value'" cgrun --delegate "$value" "${UNREACHED[@]}"
	done
}

# --- kept, or become COMMAND ---

@test "keep: the group and what runs in it stay, and --gc --name takes it only when it is empty" {
	requires limits
	local group
	run "${ALONE[@]}" cgrun -n box --keep -p 20 sh -c 'sleep 1000 >/dev/null 2>&1 3>&- & echo $! >>"$PIDS"; exit 3'
	assert_status 3
	all_live
	group=$(alone_at pids)/box
	[ "$(cat "$group/pids.max")" = 20 ]
	grep -qx "$(cat "$PIDS")" "$group/cgroup.procs"
	# Its name is taken.
	assert_refuses '--join=box' in_alone -n box -p 20 "${UNREACHED[@]}"
	run in_alone --gc
	assert_status 0
	run in_alone --gc --name=box
	assert_status 125
	all_live
	[ -d "$group" ]
	# Groups of other names are none of its business.
	mkdir "$(alone_at pids)/other"
	kill -KILL "$(cat "$PIDS")"
	empty() { ! grep -q . "$group/cgroup.procs"; }
	eventually empty
	run in_alone --gc --name=box
	assert_status 0
	[ ! -e "$group" ]
	[ -d "$(alone_at pids)/other" ]
	rmdir "$(alone_at pids)/other"
	in_alone --gc
	nothing_left
}

@test "keep: a cgrun that is killed leaves the group" {
	requires limits
	start "${ALONE[@]}" cgrun -n box --keep -p 20 sh -c 'setsid sleep 1000 >/dev/null & echo $! >>"$PIDS"; exec sleep 1000'
	eventually lines_in "$PIDS" 1
	kill -KILL "$LINK_PID"
	ended 'killed by 9'
	all_live
	grep -qx "$(cat "$PIDS")" "$(alone_at pids)/box/cgroup.procs"
}

@test "gc: --name does not take an empty group that a live cgrun is in charge of" {
	requires limits
	# Its process has left it.
	start "${ALONE[@]}" cgrun -n box -p 20 bash -c '
		for group in "$(here pids)" "$(own_cgroup v2)"; do
			[ -n "$group" ] || continue
			mkdir "$group/../aside" 2>/dev/null
			echo $$ >"$group/../aside/cgroup.procs"
		done
		echo out; exec sleep 1000'
	eventually said out
	[ ! -s "$(alone_at pids)/box/cgroup.procs" ]
	run in_alone --gc --name=box
	assert_status 125
	[ -d "$(alone_at pids)/box" ]
	kill -KILL "$LINK_PID"
	gone() { [ ! -e "$(alone_at pids)/box" ]; }
	eventually gone
}

@test "exec: COMMAND instead of cgrun, and the next cgrun removes the empty group (R11)" {
	requires limits
	local next
	for next in true --gc; do
		start "${ALONE[@]}" cgrun --exec -p 20 bash -c 'shown pids.max pids.max; echo "$$ $PPID"; exec sleep 1000'
		eventually said "$LINK_PID $(awk '/^PPid/ { print $2 }' "/proc/$LINK_PID/status")"
		said 20
		# Nobody waits.
		run -1 pgrep -P "$LINK_PID"
		grep -qx "$LINK_PID" "$(alone_at pids)"/cgrun-*.exec/cgroup.procs
		# It is in use.
		in_alone --gc
		grep -qx "$LINK_PID" "$(alone_at pids)"/cgrun-*.exec/cgroup.procs
		kill -KILL "$LINK_PID"
		ended 'killed by 9'
		has_group 'cgrun-*.exec'
		if [ "$next" = true ]; then in_alone -p 20 true; else in_alone --gc; fi
		eventually nothing_left
		# On version 2 nobody is left who would take back what was handed down, so that no process can be there.
		alone_in
	done
	run --separate-stderr "${ALONE[@]}" cgrun --exec -p 20 sh -c 'exit 3'
	assert_status 3
	run -127 in_alone --exec -p 20 /nonexistent/command
	in_alone --gc
	nothing_left
}

@test "exec: what COMMAND leaves behind is nobody's to kill" {
	requires limits
	run "${ALONE[@]}" cgrun --exec -p 20 sh -c 'setsid sleep 1000 >/dev/null 2>&1 3>&- & echo $! >>"$PIDS"'
	assert_status 0
	in_alone --gc
	in_alone -p 20 true
	all_live
	grep -qx "$(cat "$PIDS")" "$(alone_at pids)"/cgrun-*.exec/cgroup.procs
	kill -KILL "$(cat "$PIDS")"
	swept() { in_alone --gc && nothing_left; }
	eventually swept
}

@test "exec: with a name the group keeps it" {
	requires limits
	run "${ALONE[@]}" cgrun --exec -n box -p 20 cat /proc/self/cgroup
	assert_status 0
	grep -q '/box$' <<<"$output"
	[ -d "$(alone_at pids)/box" ]
	in_alone --gc
	[ -d "$(alone_at pids)/box" ]
	run in_alone --gc --name nosuch
	assert_status 125
	in_alone --gc --name box
	nothing_left
}

# --- what is left over ---

# orphan: a cgrun and its watcher, killed together, and what they leave: two processes that nothing else ends.
orphan() {
	local watcher
	start "${ALONE[@]}" cgrun -p 20 sh -c 'setsid sleep 1000 & echo $! >>"$PIDS"; (setsid sh -c "trap \"\" TERM; echo \$\$ >>\$PIDS; while :; do sleep 1000; done" &); exec sleep 1000'
	eventually lines_in "$PIDS" 2
	watcher=$(child_of "$LINK_PID" cgrun)
	kill -STOP "$watcher"
	kill -KILL "$LINK_PID"
	kill -KILL "$watcher"
	ended 'killed by 9'
	eventually is_gone "$watcher"
}

@test "gc: what is left of a cgrun that was killed with its watcher ends (R11)" {
	requires limits
	orphan
	all_live
	has_group 'cgrun-*'
	run in_alone --gc
	assert_status 0
	all_gone
	nothing_left
}

@test "gc: the next cgrun does the same, before COMMAND has ended (R11)" {
	requires limits
	orphan
	all_live
	start cgrun --parent "$(alone_path)" -p 20 sleep 1000
	eventually all_gone
	one() { [ "$(compgen -G "$(alone_at pids)/cgrun-*-????????/" | wc -l)" = 1 ]; }
	eventually one
	kill -TERM "$LINK_PID"
	ended 'killed by 15'
	nothing_left
}

@test "gc: COMMAND that is alone ends with cgrun and its watcher, and the empty group goes" {
	requires limits
	start "${ALONE[@]}" cgrun -p 20 sleep 1000
	eventually has_child "$LINK_PID" sleep
	child_of "$LINK_PID" sleep >>"$PIDS"
	local watcher
	watcher=$(child_of "$LINK_PID" cgrun)
	kill -STOP "$watcher"
	kill -KILL "$LINK_PID"
	kill -KILL "$watcher"
	eventually all_gone
	has_group 'cgrun-*'
	in_alone --gc
	nothing_left
}

@test "gc: groups of live makers, of other names, and below others are left alone (R11)" {
	requires limits
	local group
	group=$(alone_at pids)
	start "${ALONE[@]}" cgrun -p 20 sleep 1000
	eventually has_child "$LINK_PID" sleep
	child_of "$LINK_PID" sleep >>"$PIDS"
	mkdir "$group/$ORPHAN" "$group/other" "$group/cgrun-$$-0123abcd" "$group/cgrun-$$-0123abcd.self"
	mkdir "$group/other/$ORPHAN"
	in_alone -p 20 true
	[ ! -e "$group/$ORPHAN" ]
	[ -d "$group/cgrun-$$-0123abcd" ]
	mkdir "$group/$ORPHAN"
	in_alone --gc
	all_live
	[ ! -e "$group/$ORPHAN" ]
	# Its PID may have been used again: it is not locked.
	[ ! -e "$group/cgrun-$$-0123abcd" ]
	[ -d "$group/cgrun-$$-0123abcd.self" ]
	[ -d "$group/other/$ORPHAN" ]
	rmdir "$group/other/$ORPHAN" "$group/other" "$group/cgrun-$$-0123abcd.self"
	kill -TERM "$LINK_PID"
	ended 'killed by 15'
	nothing_left
}

@test "gc: what is in a room or in a group that stays is not killed" {
	requires limits
	local group name
	group=$(alone_at pids)
	for name in "$ORPHAN.self" "$ORPHAN.exec"; do
		mkdir "$group/$name"
		inside "$group/$name" sleep 1000 3>&- &
		echo $! >>"$PIDS"
		eventually grep -q . "$group/$name/cgroup.procs"
	done
	run in_alone --gc
	assert_status 0
	run in_alone -p 20 true
	all_live
	[ -d "$group/$ORPHAN.self" ] && [ -d "$group/$ORPHAN.exec" ]
}

@test "gc: a group with groups below it goes with them (R10)" {
	requires limits
	mkdir -p "$(alone_at pids)/$ORPHAN/a/b/c"
	inside "$(alone_at pids)/$ORPHAN/a/b/c" sleep 1000 3>&- &
	echo $! >>"$PIDS"
	eventually grep -q . "$(alone_at pids)/$ORPHAN/a/b/c/cgroup.procs"
	in_alone --gc
	all_gone
	nothing_left
}

@test "gc: another user's are left without a word (R11)" {
	requires limits root setpriv
	mkdir "$(alone_at pids)/$ORPHAN"
	inside "$(alone_at pids)/$ORPHAN" sleep 1000 3>&- &
	echo $! >>"$PIDS"
	eventually grep -q . "$(alone_at pids)/$ORPHAN/cgroup.procs"
	exec 9<"$BIN/cgrun"
	run --separate-stderr as_other /proc/self/fd/9 --gc --parent "$(alone_path)"
	exec 9<&-
	assert_status 0
	[ -z "$stderr" ]
	all_live
	[ -d "$(alone_at pids)/$ORPHAN" ]
}

# meanwhile INJECTION: a cgrun that takes a second at that moment is not disturbed by others that see its group and not its maker.
meanwhile() {
	local pid found=$BATS_TEST_TMPDIR/found
	strace -qq -o "$BATS_TEST_TMPDIR/log" -e signal=none -e "trace=${1%%:*}" -e "inject=$1" "${ALONE[@]}" \
		cgrun -p 20 bash -c 'shown pids.max pids.max' >"$found" 3>&- &
	pid=$!
	# Not the room: while that is made cgrun is still in the way of others.
	eventually has_group 'cgrun-*-????????'
	run "${PRIVILEGED[@]}" nsnew -p "$BIN/cgrun" --gc --parent "$(alone_path)"
	assert_status 0
	run "${PRIVILEGED[@]}" nsnew -p "$BIN/cgrun" --parent "$(alone_path)" -p 20 true
	assert_status 0
	wait "$pid"
	[ "$(cat "$found")" = 20 ]
	nothing_left
}

@test "gc: a group that is being made, seen from a PID namespace without its maker" {
	requires limits root strace
	! on_v1 pids || meanwhile mkdirat:delay_exit=1000000
	meanwhile flock:delay_enter=1000000
	meanwhile flock:delay_exit=1000000
	meanwhile clone3:delay_enter=1000000
}

# --- freezing ---

# frozen GROUP: it is, with a process in it.
frozen() {
	if [ -e "$1/freezer.state" ]; then
		[ "$(cat "$1/freezer.state")" = FROZEN ] && grep -q . "$1/tasks"
	else
		grep -qx 'frozen 1' "$1/cgroup.events" && grep -q . "$1/cgroup.procs"
	fi
}

thaw() {
	if [ -e "$1/freezer.state" ]; then echo THAWED >"$1/freezer.state"; else echo 0 >"$1/cgroup.freeze"; fi
}

# waits_frozen GROUP WORD...: COMMAND waits until GROUP is thawed; and killing works.
waits_frozen() {
	local group=$1
	shift
	start "$@" cgrun -n box --freeze -p 20 sh -c 'echo ran; exit 3'
	eventually frozen "$group/box"
	[ ! -s "$OUT" ]
	thaw "$group/box"
	ended 'exited 3'
	said ran
	eventually nothing_left
	start "$@" cgrun -n box --freeze -p 20 sh -c 'echo ran'
	eventually frozen "$group/box"
	cat "$group/box/cgroup.procs" >>"$PIDS"
	kill -KILL "$LINK_PID"
	ended 'killed by 9'
	eventually all_gone
	eventually nothing_left
}

@test "freeze: COMMAND does not begin before somebody thaws the group" {
	requires limits unified
	waits_frozen "$(alone_at v2)" "${ALONE[@]}"
}

@test "freeze: by the freezer of version 1" {
	requires limits pure_v1
	alone_in freezer
	waits_frozen "$(alone_at freezer)" "${ALONE[@]}" "${ON_V1[@]}"
}

@test "version 1 alone: limits, leftovers that fork, groups below" {
	requires limits pure_v1
	alone_in freezer
	run --separate-stderr "${ALONE[@]}" "${ON_V1[@]}" cgrun -m 64M -p 50 bash -c '
		shown memory.limit_in_bytes -; shown pids.max -
		mkdir -p "$(own_cgroup freezer)/a/b"
		setsid sh -c "while :; do (sleep 0.1 &); done" >/dev/null 2>&1 3>&- &
		echo $! >>"$PIDS"
		setsid sleep 1000 >/dev/null 2>&1 3>&- &
		echo $! >>"$PIDS"
		echo $! >"$(own_cgroup freezer)/a/b/tasks"
		exit 4'
	assert_status 4
	assert_output $'67108864\n50'
	all_gone
	nothing_left
}

# as_delegate COMMAND...: as an unprivileged user to whom the groups of ALONE are delegated. Links come by fd, as their directory may be closed to that user.
@test "a user to whom a group is delegated" {
	requires limits root setpriv
	local group file
	for group in "${ALONE_GROUPS[@]}"; do
		chown 65534:65534 "$group"
		for file in cgroup.procs tasks cgroup.subtree_control cgroup.threads; do
			[ ! -e "$group/$file" ] || chown 65534:65534 "$group/$file"
		done
	done
	exec 9<"$BIN/cgrun"
	run --separate-stderr "${ALONE[@]}" setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
		/proc/self/fd/9 -m 64M -p 20 bash -c 'id -u; shown memory.limit_in_bytes memory.max; shown pids.max pids.max; setsid sleep 1000 & exit 3'
	exec 9<&-
	assert_status 3
	assert_output $'65534\n67108864\n20'
	nothing_left
}

@test "behind a user namespace" {
	requires limits userns
	run --separate-stderr "${ALONE[@]}" nsnew -r cgrun -m 64M bash -c 'shown memory.limit_in_bytes memory.max'
	assert_status 0
	assert_output 67108864
	nothing_left
}

@test "behind a PID namespace: limits, leftovers, out of memory" {
	requires limits
	run --separate-stderr "${PRIVILEGED[@]}" nsnew -p "${ALONE[@]}" cgrun -m 64M bash -c 'setsid sleep 1000 & shown memory.limit_in_bytes memory.max; exit 4'
	assert_status 4
	assert_output 67108864
	nothing_left
	run --separate-stderr "${PRIVILEGED[@]}" nsnew -p "${ALONE[@]}" cgrun -m 16M hog 48
	assert_status 137
	assert_says 'out of memory'
	nothing_left
}

@test "in front of all namespaces, COMMAND's PID namespace included" {
	requires limits
	run --separate-stderr "${ALONE[@]}" cgrun -m 64M -p 20 "${PRIVILEGED[@]}" nsnew -pm --mount-proc sh -c 'echo $$; sleep 1000 & exit 6'
	assert_status 6
	assert_output 1
	nothing_left
}

@test "with standard input, output and error closed (R18)" {
	requires limits
	"${ALONE[@]}" cgrun -m 64M sh -c 'exit 11' <&- >&- 2>&- || status=$?
	assert_status 11
	nothing_left
}

@test "with SIGCHLD ignored (R01)" {
	requires limits perl
	run perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV' timeout 10 "${ALONE[@]}" cgrun -m 64M sh -c 'exit 12'
	assert_status 12
	nothing_left
}

@test "40 in a row, two at a time: none disturbs the other" {
	requires limits
	run xargs -P 2 -I{} "${ALONE[@]}" cgrun -p 20 sh -c '[ "$1" -gt 0 ] || exit 1' sh {} < <(seq 40)
	# On version 2 two of them cannot share a group that has to hand controllers on.
	on_v1 pids || return 0
	assert_status 0
	nothing_left
}
