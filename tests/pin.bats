# nsnew --pin, --KIND=FILE and --unpin: namespaces that stay when their processes have ended.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # text for inner shells; each test is a shell of its own

# Pins are mounts. Root makes them here, a plain user in a user and mount namespace that ends with the test.
setup() {
	load helpers
	[ "$(id -u)" = 0 ] || requires userns
	# A path as the list of mounts shows it.
	T=$(realpath "$BATS_TEST_TMPDIR")
	export T
	MARK=$T/reached
	export MARK
	if [ "$(id -u)" = 0 ]; then
		HOLDER=()
		OTHER_HOLDER=(unshare --mount --propagation private)
	else
		HOLDER=(nsnew -rm)
		OTHER_HOLDER=("${HOLDER[@]}")
	fi
}

teardown() {
	local place
	if [ -e "$T/started" ]; then
		while read -r place; do
			kill -KILL "$place" 2>/dev/null || true
		done <"$T/started"
	fi
	awk -v below="$T/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo | tac | while read -r place; do
		umount -l "$place"
	done
}

# What scripts of held have: the mounts below the directory of the test, and what is mounted on a path.
PRELUDE='
	mounts() { awk -v below="$T/" '\''index($5, below) == 1 { print substr($5, length(below) + 1) }'\'' /proc/self/mountinfo; }
	mounted() { awk -v path="$1" '\''$5 == path { root = $4 } END { print root }'\'' /proc/self/mountinfo; }
	own() { readlink "/proc/self/ns/$1"; }
	# What is left by an nsnew that failed goes a moment later.
	no_mounts() {
		tries=0
		while [ "$(mounts)" ] && [ "$tries" -lt 500 ]; do
			sleep 0.02
			tries=$((tries + 1))
		done
		same "$(mounts)" "" "mounts after $1"
	}
	same() { [ "$1" = "$2" ] || { echo "$3: $1 and not $2"; exit 99; }; }
	# unreached [NSNEW OPTION]...: with a COMMAND that leaves a mark.
	unreached() { nsnew "$@" sh -c '\''echo ran >"$MARK"'\''; }
	# refuses TEXT [NSNEW OPTION]...: status 125, TEXT in the message, COMMAND did not run, and no mount is there that was not before.
	refuses() {
		text=$1 before=$(mounts)
		shift
		status=0
		unreached "$@" 2>"$T/message" || status=$?
		cat "$T/message"
		same "$status" 125 "status of $*"
		grep -qF -e "$text" "$T/message" || { echo "does not say: $text"; exit 99; }
		[ ! -e "$MARK" ] || { echo "COMMAND ran after: $*"; exit 99; }
		same "$(mounts)" "$before" "mounts after $*"
	}
'

# held SCRIPT [ARGUMENT]...: runs the text where pins can be made; it exits 0 and leaves no mount below the directory of the test.
held() {
	local script=$1
	shift
	run "${HOLDER[@]}" sh -ec "$PRELUDE$script"'
		same "$(mounts)" "" "mounts that are left"' sh "$@"
	assert_status 0
}

# --- what a pin is ---

# pin_file OPTION KIND [NSJOIN OPTION]
pin_file() {
	held '
		file=$T/$2
		inside=$(nsnew "--$1=$file" readlink "/proc/self/ns/$2")
		[ "$inside" != "$(own "$2")" ]
		same "$(mounted "$file")" "$inside" "what is mounted"
		same "$(nsjoin "--$1=$file" $3 readlink "/proc/self/ns/$2")" "$inside" "what is joined"
		umount "$file"
		same "$(stat -c "%s %F" "$file")" "0 regular empty file" "what was below"
		rm "$file"' "$@"
}

@test "a namespace of each kind is pinned on a file, and joined when its processes have ended" {
	pin_file mount mnt
	pin_file uts uts
	pin_file ipc ipc
	pin_file net net
	pin_file cgroup cgroup
	# It maps no ids.
	pin_file user user --preserve-credentials
}

@test "a time namespace is pinned on a file, and joined with its clocks" {
	requires time_namespace
	pin_file time time
	held '
		nsnew "--time=$T/clocks" --boottime=5000 true
		same "$(nsjoin "--time=$T/clocks" awk "\$1 == \"boottime\" { print \$2 }" /proc/self/timens_offsets)" 5000 offset
		umount "$T/clocks"'
}

@test "several kinds on a file each" {
	held '
		nsnew "--uts=$T/a" "--net=$T/b" "--mount=$T/c" readlink /proc/self/ns/uts /proc/self/ns/net /proc/self/ns/mnt >"$T/inside"
		same "$(for file in a b c; do mounted "$T/$file"; done)" "$(cat "$T/inside")" pins
		same "$(nsjoin "--uts=$T/a" "--net=$T/b" "--mount=$T/c" readlink /proc/self/ns/uts /proc/self/ns/net /proc/self/ns/mnt)" \
			"$(cat "$T/inside")" joined
		umount "$T/a" "$T/b" "$T/c"'
}

@test "a file that is there and empty is taken, and stays" {
	held '
		: >"$T/file"
		inside=$(nsnew "--uts=$T/file" readlink /proc/self/ns/uts)
		same "$(mounted "$T/file")" "$inside" pin
		umount "$T/file"
		[ -e "$T/file" ]'
}

@test "a pin keeps what the namespace holds" {
	held '
		mkdir "$T/place"
		nsnew --pin="$T/pins" -m --hostname=kept sh -c "mount -t tmpfs tmpfs \"\$T/place\" && echo text >\"\$T/place/file\""
		[ ! -e "$T/place/file" ]
		same "$(nsjoin --target="$T/pins" -m -u sh -c "uname -n; cat \"\$T/place/file\"")" "$(printf "kept\ntext")" "what is joined"
		nsnew --unpin="$T/pins"'
}

# all_kinds OPTION...: --pin with these pins the kinds of COMMAND's namespaces that are new, in a private mount only for this user.
all_kinds() {
	held '
		list="for kind in mnt uts ipc net pid cgroup time user; do [ ! -e /proc/self/ns/\$kind ] || readlink /proc/self/ns/\$kind; done"
		sh -c "$list" | sort >"$T/before"
		nsnew --pin="$T/pins" "$@" sh -c "$list" | sort | comm -13 "$T/before" - >"$T/new"
		[ -s "$T/new" ]
		for file in $(ls -A "$T/pins"); do
			case $(mounted "$T/pins/$file") in
			"$file:["*) mounted "$T/pins/$file" ;;
			*) echo "$file is a pin of $(mounted "$T/pins/$file")" ;;
			esac
		done | sort >"$T/pinned"
		same "$(cat "$T/pinned")" "$(cat "$T/new")" "pins after $*"
		same "$(stat -c "%a %u" "$T/pins")" "700 $(id -u)" "the directory"
		# Field 7 and those behind it up to "-" would be shared:N, master:N.
		same "$(awk -v path="$T/pins" "\$5 == path { print \$7 }" /proc/self/mountinfo)" - "propagation of the directory"
		same "$(nsjoin --target="$T/pins" $joins sh -c "$list" | sort | comm -13 "$T/before" -)" "$(grep -v ^pid: "$T/new")" joined
		nsnew --unpin="$T/pins"
		same "$(ls -A "$T/pins")" "" "what --unpin leaves"
		same "$(mounts)" "" "what --unpin leaves mounted"
		# And all that again, in the same directory.
		nsnew --pin="$T/pins" "$@" true
		nsnew --unpin="$T/pins"
		rmdir "$T/pins"
	' "$@"
}

@test "--pin=DIR pins all kinds at once, and --unpin leaves nothing" {
	requires time_namespace
	export joins='-m -u -i -n -C -T'
	all_kinds -a
	all_kinds -a --init
	all_kinds -a --new-session
	joins+=' -U'
	all_kinds -a -r
	all_kinds -a -r --init
}

@test "--pin=DIR pins the new kinds only" {
	export joins='-u -n'
	all_kinds -u -n
	export joins='-m'
	all_kinds -m -f
}

@test "pins are there when COMMAND starts and when readiness is told" {
	held '
		for option in --ipc --fork --pid --init; do
			nsnew --pin="$T/pins" -u "$option" sh -c "cat /proc/1/mountinfo /proc/self/mountinfo" | grep -qF " $T/pins/uts " ||
				{ echo "not before COMMAND with $option"; exit 99; }
			nsnew --unpin="$T/pins"
			mkfifo "$T/fifo"
			nsnew --pin="$T/pins" -u "$option" --ready-fd=3 sleep 60 3>"$T/fifo" >/dev/null 2>&1 &
			echo $! >>"$T/started"
			read -r _ <"$T/fifo"
			same "$(mounted "$T/pins/uts" | cut -c 1-4)" "uts:" "at readiness with $option"
			kill -KILL $!
			wait $! || true
			nsnew --unpin="$T/pins"
			rm "$T/fifo"
		done'
}

@test "COMMAND has no child that it has not started (R17)" {
	held '
		for options in "" -f -p --init "-r --init" "-r -p"; do
			same "$(nsnew --pin="$T/pins" -mu $options sh -c "read -r children </proc/thread-self/children; echo \"\$children\"")" "" \
				"children with $options"
			nsnew --unpin="$T/pins"
		done'
}

@test "a pinned PID namespace is joined while its init lives, and why not later is said" {
	held '
		mkfifo "$T/fifo"
		for pin in "-p --pin=$T/pins" "--pid=$T/file"; do
			nsnew $pin --ready-fd=3 sleep 60 3>"$T/fifo" >/dev/null 2>&1 &
			echo $! >>"$T/started"
			read -r _ <"$T/fifo"
			case $pin in
			-p*) joined="--target=$T/pins -p" place=$T/pins/pid ;;
			*) joined="--pid=$T/file" place=$T/file ;;
			esac
			same "$(nsjoin $joined readlink /proc/self/ns/pid)" "$(mounted "$place")" joined
			[ "$(nsjoin $joined sh -c "echo \$\$")" -gt 1 ]
			# Which nsnew waits for.
			kill -TERM $!
			wait $! || true
			status=0
			nsjoin $joined true 2>"$T/message" || status=$?
			same "$status" 125 "status when the init has ended"
			cat "$T/message"
			grep -q "hint: .*PID 1" "$T/message"
		done
		umount "$T/file"
		nsnew --unpin="$T/pins"'
}

# --- refusals ---

@test "a second --pin is refused, and the first ones stay" {
	held '
		inside=$(nsnew --pin="$T/pins" -u readlink /proc/self/ns/uts)
		refuses "hint: release older pins with --unpin" --pin="$T/pins" -u
		# All or none.
		refuses uts --pin="$T/pins" -u -n -i
		same "$(ls -A "$T/pins")" uts pins
		same "$(mounted "$T/pins/uts")" "$inside" "the first pin"
		# Another kind can be added.
		nsnew --pin="$T/pins" -n true
		same "$(ls -A "$T/pins" | paste -sd " ")" "net uts" pins
		same "$(mounts | paste -sd " ")" "pins pins/uts pins/net" mounts
		nsnew --unpin="$T/pins"'
}

@test "a DIR that is a symlink, a file, or missing further up is refused (S37)" {
	held '
		mkdir -m 700 "$T/real"
		ln -s real "$T/link"
		ln -s nowhere "$T/dangling"
		: >"$T/file"
		refuses "$T/link" --pin="$T/link" -u
		refuses "$T/dangling" --pin="$T/dangling" -u
		refuses "$T/file" --pin="$T/file" -u
		refuses "$T/missing/pins" --pin="$T/missing/pins" -u
		refuses "cannot" --pin= -u
		same "$(ls -A "$T/real")" "" "the directory behind the link"
		[ ! -e "$T/nowhere" ]'
}

@test "a DIR that others can write to is refused (S37)" {
	held '
		for mode in 770 702 777 1777; do
			mkdir -p "$T/pins"
			chmod "$mode" "$T/pins"
			refuses "mkdir -m 700" --pin="$T/pins" -u
			rmdir "$T/pins"
		done
		for mode in 700 755; do
			mkdir "$T/pins"
			chmod "$mode" "$T/pins"
			nsnew --pin="$T/pins" -u true
			nsnew --unpin="$T/pins"
			same "$(stat -c %a "$T/pins")" "$mode" "mode after --unpin"
			rmdir "$T/pins"
		done'
}

@test "a DIR of another user is refused (S37)" {
	if has root; then
		mkdir -m 700 "$T/foreign"
		chown 54321:54321 "$T/foreign"
	else
		# Not ours, but in our mount namespace.
		ln -s /usr "$T/foreign"
	fi
	held '
		foreign=$(realpath "$T/foreign")
		refuses "$foreign" --pin="$foreign" -u
		same "$(mounted "$foreign")" "" "what is mounted on it"
		status=0
		nsnew --unpin="$foreign" || status=$?
		same "$status" 125 "status of --unpin"'
}

@test "a FILE that is a symlink, not empty, or no file is refused (S15)" {
	held '
		: >"$T/real"
		ln -s real "$T/link"
		ln -s nowhere "$T/dangling"
		echo text >"$T/full"
		mkdir "$T/directory"
		mkfifo "$T/fifo"
		for file in link dangling full directory fifo missing/file; do
			refuses "$T/$file" "--uts=$T/$file"
		done
		same "$(cat "$T/full")" text "the file"
		[ ! -e "$T/nowhere" ]
		# Nor is what came before it left.
		refuses "$T/full" "--uts=$T/new" "--net=$T/full"
		refuses "$T/full" "--mount=$T/new" "--net=$T/full" -p
		[ ! -e "$T/new" ]'
}

@test "a PID namespace without a process is not pinned" {
	held '
		refuses no-fork -p --no-fork --pin="$T/pins"
		refuses no-fork "--pid=$T/file" --no-fork
		[ ! -e "$T/file" ]'
}

@test "without a namespace there is nothing to pin, and no directory of pins" {
	assert_refuses 'nothing to pin' nsnew "--pin=$T/pins" "${UNREACHED[@]}"
	assert_refuses 'nothing to pin' nsnew -f "--pin=$T/pins" "${UNREACHED[@]}"
	[ ! -e "$T/pins" ]
}

@test "without the privilege pins are refused, with the way out" {
	requires rootless
	assert_refuses 'nsnew -rm' nsnew -r -u "--pin=$T/pins" "${UNREACHED[@]}"
	assert_refuses 'nsnew -rm' nsnew -r "--uts=$T/file" "${UNREACHED[@]}"
	[ ! -e "$T/file" ]
}

@test "--unpin takes nothing else, and a directory only" {
	local options
	mkdir -m 700 "$T/pins"
	for options in -u --all --user --hostname=x; do
		assert_refuses --unpin nsnew "--unpin=$T/pins" "$options"
	done
	assert_refuses --unpin nsnew "--unpin=$T/pins" "${UNREACHED[@]}"
	ln -s pins "$T/link"
	echo text >"$T/file"
	assert_refuses "$T/link" nsnew "--unpin=$T/link"
	assert_refuses "$T/file" nsnew "--unpin=$T/file"
	assert_refuses "$T/missing" nsnew "--unpin=$T/missing"
	[ "$(<"$T/file")" = text ]
}

@test "--unpin removes nothing that is not a pin" {
	held '
		mkdir -m 700 "$T/data"
		echo text >"$T/data/user"
		echo text >"$T/data/other"
		nsnew --unpin="$T/data" || true
		same "$(cat "$T/data/user" "$T/data/other")" "$(printf "text\ntext")" "files with the names of kinds"
		nsnew --pin="$T/data" -u true
		nsnew --unpin="$T/data" || true
		same "$(cat "$T/data/other")" text "another file beside pins"'
}

@test "--unpin does not unmount a file system that --pin has not mounted" {
	held '
		mkdir -m 700 "$T/disk"
		mount -t tmpfs -o mode=700 tmpfs "$T/disk"
		echo text >"$T/disk/file"
		nsnew --unpin="$T/disk" || true
		same "$(cat "$T/disk/file")" text "a file on it"
		# Nor after it has held pins.
		nsnew --pin="$T/disk" -u true
		[ -e "$T/disk/uts" ]
		nsnew --unpin="$T/disk"
		[ ! -e "$T/disk/uts" ]
		same "$(cat "$T/disk/file")" text "a file on it after --unpin"
		umount "$T/disk"'
}

# --- a later step fails ---

# nothing_stays STATUS [NSNEW ARGUMENT]...: nsnew fails like that, and neither pins nor the mount of their directory are left, nor is a
# file that was made for one.
nothing_stays() {
	held '
		expected=$1
		shift
		: >"$T/there"
		for place in "--pin=$T/pins -u" "--uts=$T/file" "--uts=$T/there"; do
			status=0
			nsnew $place "$@" 2>"$T/message" 3</dev/null || status=$?
			cat "$T/message"
			same "$status" "$expected" "status of $place $*"
			no_mounts "$place $*"
			# They go right after their mounts.
			tries=0
			while { [ -e "$T/file" ] || [ "$(ls -A "$T/pins" 2>/dev/null)" ]; } && [ "$tries" -lt 500 ]; do
				sleep 0.02
				tries=$((tries + 1))
			done
			same "$(ls -A "$T/pins" 2>&1 | grep -v "No such file")" "" "files after $place $*"
			[ ! -e "$T/file" ] || { echo "a file is left after $place $*"; exit 99; }
			[ -e "$T/there" ]
		done' "$@"
}

@test "nothing stays pinned or mounted when COMMAND cannot be run (R17)" {
	local options
	echo text >"$T/text"
	chmod +x "$T/text"
	for options in -m -n -p --init -f -r '-r -m --init'; do
		# shellcheck disable=SC2086 # words
		nothing_stays 127 $options "$T/missing"
		# shellcheck disable=SC2086
		nothing_stays 126 $options "$T/text"
	done
}

@test "nothing stays pinned or mounted when what is to be set up cannot be (R17)" {
	nothing_stays 125 "--hostname=$(printf %070d 0)" true
	nothing_stays 125 -p "--mount-proc=$T/missing" true
	nothing_stays 125 -p -f "--domainname=$(printf %070d 0)" true
	nothing_stays 125 --map-users=0:4294967294:1 -r true
}

@test "nothing stays pinned or mounted when readiness cannot be told (R17)" {
	nothing_stays 125 --ready-fd=3 true
	nothing_stays 125 -p --ready-fd=3 true
	nothing_stays 125 --init --ready-fd=3 true
}

@test "nothing stays pinned or mounted when a system call fails (R17)" {
	requires strace
	local call number
	for call in unshare mount move_mount open_tree mount_setattr sethostname; do
		# Each time that it is called, until there is none.
		for ((number = 1; ; number++)); do
			held '
				rm -f "$T/trace"
				status=0
				strace -f -o "$T/trace" -e trace="$1" -e inject="$1:error=EIO:when=$2" \
					nsnew --pin="$T/pins" -mu --hostname=x sh -c "echo ran >\"\$MARK\"" || status=$?
				if ! grep -q INJECTED "$T/trace"; then
					same "$status" 0 status
					nsnew --unpin="$T/pins"
					exit
				fi
				same "$status" 125 "status after $1 number $2"
				[ ! -e "$MARK" ] || { echo "COMMAND ran after $1 number $2"; exit 99; }
				no_mounts "$1 number $2"
				same "$(ls -A "$T/pins")" "" "files after $1 number $2"' "$call" "$number"
			grep -q INJECTED "$T/trace" || break
		done
		[ "$number" -gt 1 ]
		rm "$MARK"
	done
}

# --- mount namespaces ---

cpus() {
	python3 -c 'import os; print(*sorted(os.sched_getaffinity(0)))'
}

@test "a mount namespace is pinned from one that is not the initial one, on whichever CPU each is made" {
	requires python3 taskset
	local all cpu try
	all=$(cpus)
	for cpu in $all; do
		for try in 1 2 3 4; do
			run taskset -c "$cpu" "${OTHER_HOLDER[@]}" taskset -c "${all// /,}" sh -ec "$PRELUDE"'
				inside=$(nsnew --pin="$T/pins" -m sh -c "grep Cpus_allowed: /proc/self/status >\"\$T/inside\"; readlink /proc/self/ns/mnt")
				same "$(mounted "$T/pins/mnt")" "$inside" pin
				same "$(cat "$T/inside")" "$(grep Cpus_allowed: /proc/self/status)" "the CPUs of COMMAND"
				same "$(nsjoin --target="$T/pins" -m readlink /proc/self/ns/mnt)" "$inside" joined
				nsnew --unpin="$T/pins"'
			echo "try $try on CPU $cpu"
			assert_status 0
		done
	done
}

@test "a mount namespace that can be made on one CPU only is pinned, or why not is said and nothing stays" {
	requires python3 taskset
	local outer inner
	for outer in $(cpus); do
		for inner in $(cpus); do
			run taskset -c "$outer" "${OTHER_HOLDER[@]}" taskset -c "$inner" sh -ec "$PRELUDE"'
				status=0
				unreached --pin="$T/pins" -mu 2>"$T/message" || status=$?
				cat "$T/message"
				if [ "$status" = 0 ]; then
					[ -e "$MARK" ]
					[ "$(mounted "$T/pins/mnt")" ]
					nsnew --unpin="$T/pins"
				else
					same "$status" 125 status
					grep -q "initial mount namespace" "$T/message"
					[ ! -e "$MARK" ]
				fi
				same "$(mounts)" "" "what stays"
				same "$(ls -A "$T/pins")" "" "files that stay"'
			echo "CPUs $outer and $inner"
			assert_status 0
			rm -f "$MARK"
		done
	done
}

@test "what is mounted before a mount namespace is made anew is in it" {
	requires python3 taskset
	local cpu
	for cpu in $(cpus); do
		run taskset -c "$cpu" "${OTHER_HOLDER[@]}" sh -ec "$PRELUDE"'
			mkdir -p "$T/proc"
			same "$(nsnew --pin="$T/pins" -p --mount-proc="$T/proc" sh -c "read -r pid _ <\"\$T/proc/self/stat\"; echo \$pid")" 1 \
				"the PID in its own /proc"
			nsnew --unpin="$T/pins"'
		assert_status 0
	done
}

@test "on a shared mount --pin=DIR works, and a file of a mount namespace does or is explained" {
	local propagation
	for propagation in private slave shared unchanged; do
		run "${OTHER_HOLDER[@]}" sh -ec "$PRELUDE"'
			mkdir -p "$T/shared"
			mount -t tmpfs -o mode=700 tmpfs "$T/shared"
			mount --make-shared "$T/shared"
			inside=$(nsnew --pin="$T/shared/pins" -mu "--propagation=$1" readlink /proc/self/ns/mnt)
			same "$(mounted "$T/shared/pins/mnt")" "$inside" "pin in a directory"
			same "$(awk -v path="$T/shared/pins" "\$5 == path { print \$7 }" /proc/self/mountinfo)" - "propagation of the directory"
			same "$(nsjoin --target="$T/shared/pins" -m readlink /proc/self/ns/mnt)" "$inside" joined
			nsnew --unpin="$T/shared/pins"
			status=0
			nsnew "--mount=$T/shared/file" "--propagation=$1" true 2>"$T/message" || status=$?
			cat "$T/message"
			if [ "$status" = 0 ]; then
				[ "$(mounted "$T/shared/file")" ]
				echo pinned
			else
				same "$status" 125 "status of a file"
				grep -q "hint: .*shared" "$T/message"
				[ ! -e "$T/shared/file" ]
				echo explained
			fi
			# Other kinds do not mind.
			nsnew "--uts=$T/shared/uts" -m "--propagation=$1" true
			[ "$(mounted "$T/shared/uts")" ]' sh "$propagation"
		echo "propagation $propagation"
		assert_status 0
		# A copy of the mount that is a peer of it would receive the pin, of itself.
		[[ $propagation == private || ${lines[*]} == *explained* ]]
	done
}
