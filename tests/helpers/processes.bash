# Loaded behind helpers by the tests that start a link in the background or on a terminal. Such a file calls end_started in its teardown.
# shellcheck shell=bash disable=SC2034 # used by the tests

STARTED=()

# start COMMAND...: in the background, with its PID in LINK_PID and what it says in OUT. It gets the default action for all signals.
start() {
	OUT=$BATS_TEST_TMPDIR/out
	# A file of its own: what was started before may still write to the last one.
	rm -f "$BATS_TEST_TMPDIR/pid" "$OUT"
	outcome "$BATS_TEST_TMPDIR/pid" "$@" </dev/null >"$OUT" 2>&1 3>&- &
	STARTED+=("$!")
	eventually test -e "$BATS_TEST_TMPDIR/pid" || return
	LINK_PID=$(<"$BATS_TEST_TMPDIR/pid")
}

# ended OUTCOME: what was started last has ended like that, by its true wait status: "exited 3", "killed by 15".
ended() {
	local deadline=$((SECONDS + 20))
	until is_gone "${STARTED[-1]}"; do
		if [ "$SECONDS" -ge "$deadline" ]; then
			echo 'not ended within 20 seconds:'
			cat "$OUT"
			return 1
		fi
		read -rt 0.01 <> <(:) || true
	done
	wait "${STARTED[-1]}" 2>/dev/null || true
	unset 'STARTED[-1]'
	[ "$(tail -n 1 "$OUT")" = "$1" ] && return
	echo "not '$1' but:"
	cat "$OUT"
	return 1
}

# What was started dies with its parent, outcome; but not if it has another user meanwhile, so it is killed too.
end_started() {
	local pid children
	for pid in "${STARTED[@]}"; do
		children=()
		# There is no end of line.
		read -ra children 2>/dev/null <"/proc/$pid/task/$pid/children" || true
		kill -KILL "${children[@]}" "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	STARTED=()
}

# said LINE: what was started last has written LINE.
said() {
	grep -qxF -e "$1" "$OUT"
}

# child_of PID NAME: the first child of the process that is called NAME.
child_of() {
	local child children
	read -ra children 2>/dev/null <"/proc/$1/task/$1/children" || true
	for child in "${children[@]}"; do
		[ "$(cat "/proc/$child/comm" 2>/dev/null)" != "$2" ] || {
			echo "$child"
			return
		}
	done
	return 1
}

has_child() {
	child_of "$@" >/dev/null
}

is_stopped() {
	grep -q '^State:.T' "/proc/$1/status"
}

# terminal COMMAND...: runs it on a terminal of its own, with the steps on standard input (see terminal.py).
terminal() {
	run python3 "$BATS_TEST_DIRNAME/helpers/terminal.py" "$@"
	assert_status 0
}

# rounds MILLISECONDS COMMAND...: starts and kills it at random moments; nothing may survive (see rounds.py).
rounds() {
	python3 "$BATS_TEST_DIRNAME/helpers/rounds.py" "${ROUNDS:-100}" "$@" 3>&-
}

# start_holder: for a whole file, HOLDER is something for nsjoin to join: PID 1 of a PID namespace, with a UTS namespace of its own.
start_holder() {
	"${PRIVILEGED[@]}" nsnew -pu sleep infinity </dev/null >/dev/null 2>&1 3>&- &
	export HOLDER_PARENT=$!
	eventually has_child "$HOLDER_PARENT" sleep || true
	HOLDER=$(child_of "$HOLDER_PARENT" sleep)
	export HOLDER
}

end_holder() {
	kill -KILL "$HOLDER_PARENT" 2>/dev/null || true
	wait
}
