# Loaded behind helpers by the tests of rootjail: a root file system to start in, and what there is to say of it afterwards.
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2034,SC2154 # text for inner shells; used by the tests; set by run

prepare_template() {
	make_root "$BATS_FILE_TMPDIR/template"
	cp "$HELPERS/breakout" "$HELPERS/keyring" "$BATS_FILE_TMPDIR/template/bin"
	echo inside >"$BATS_FILE_TMPDIR/template/marker"
}

# R is the root file system, and HOST a directory beside it.
prepare_jail() {
	R=$BATS_TEST_TMPDIR/root
	cp -a "$BATS_FILE_TMPDIR/template" "$R"
	HOST=$BATS_TEST_TMPDIR/host
	mkdir "$HOST"
	echo host >"$HOST/file"
	# With a /proc of its own.
	JAIL=("${PRIVILEGED[@]}" nsnew -pm rootjail)
	# A mount namespace in which a test can mount: there is no privilege to ask for in it.
	if [ "$(id -u)" = 0 ]; then WORLD=(unshare -m); else WORLD=(unshare -Urm); fi
	# With it UNREACHED could leave its mark.
	MARKABLE=(-b "$BATS_TEST_TMPDIR:$BATS_TEST_TMPDIR")
	export R HOST BIN HELPERS PATH
	export -f bytes
}

# Nothing is left mounted; and a directory that an overlay worked in can be removed.
end_jail() {
	! grep -F " $BATS_TEST_TMPDIR" /proc/self/mountinfo || return
	find "$BATS_TEST_TMPDIR" -type d ! -perm -700 -exec chmod u+rwx {} + 2>/dev/null || true
}

# world SCRIPT: runs SCRIPT, which may mount, in a mount namespace whose mounts are all shared, as on a machine with systemd.
world() {
	run --separate-stderr "${WORLD[@]}" --propagation unchanged bash -euo pipefail -c '
		mount --make-rprivate / 2>/dev/null || mount --make-rslave /
		mount --make-rshared /
		'"$1"
}

# mounted ROOTJAIL_ARGUMENT...: "PLACE OPTIONS" of each mount that COMMAND sees.
mounted() {
	"${JAIL[@]}" "$@" cat /proc/self/mountinfo | cut -d ' ' -f 5,6
}

# bytes DIRECTORY: all there is to say of it; equal means untouched.
bytes() {
	find "$1" -printf '%P %y %m %U %s %l %T@\n' | sort
	find "$1" -type f -exec md5sum {} + | sort
}

# says_count COUNT TEXT: so many lines of standard output and error hold TEXT.
says_count() {
	local count
	count=$(printf '%s\n%s\n' "${output:-}" "${stderr:-}" | grep -cF -e "$2" || true)
	[ "$count" -eq "$1" ] && return
	printf '%s lines and not %s say: %s\noutput:\n%s\n%s\n' "$count" "$1" "$2" "${output:-}" "${stderr:-}"
	return 1
}
