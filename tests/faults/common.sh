# What check.sh and kernels.sh share: a place for each command line, and the end of it all. Sourced by both.
# shellcheck shell=bash disable=SC2034 # used by both

test_id=${TEST_ID:-54321}
jobs=${JOBS:-$(nproc)}
# What tells inject the user: -u, or -a where that is to come after a filter.
user_option=${user_option:--u}

# Everything happens in a mount namespace of its own.
enter_namespace() { # SCRIPT
	if [[ -v FAULTS_INSIDE ]]; then
		work=$FAULTS_INSIDE
		trap end_targets EXIT
		return
	fi
	if [[ $EUID -ne 0 ]]; then
		echo "$(basename "$1"): this takes root"
		echo '0 passed, 0 failed, 1 skipped'
		exit 0
	fi
	FAULTS_INSIDE=$(mktemp -d "${TMPDIR:-/tmp}/nschain-faults.XXXXXX")
	export FAULTS_INSIDE
	trap 'rm -rf --one-file-system "$FAULTS_INSIDE"' EXIT
	trap 'exit 130' INT TERM HUP
	unshare --mount "$1" || exit
	exit 0
}

# Ends what is still there after an interruption; inject dies with its shell, and its processes with it.
end_targets() {
	local file
	for file in "$work"/*/target; do
		[[ ! -e $file ]] || kill -KILL "$(<"$file")" 2>/dev/null || true
	done
}

# Programs where everybody can read them, and an account that newuidmap(1) knows.
prepare() {
	local file
	local -A entries=(
		[passwd]="nschain-test:x:$test_id:$test_id::/:/bin/sh"
		[group]="nschain-test:x:$test_id:"
		[subuid]="nschain-test:1000000000:65536"
		[subgid]="nschain-test:1000000000:65536"
	)
	chmod 755 "$work"
	mkdir "$work/bin" "$work/account" "$work/results"
	cp build/release/bin/* "$work/bin"
	cp build/release/faults/payload build/release/helpers/without "$work"
	for file in "${!entries[@]}"; do
		[[ -e /etc/$file ]] || continue
		{ cat "/etc/$file" && echo "${entries[$file]}"; } >"$work/account/$file"
		chmod --reference="/etc/$file" "$work/account/$file"
		mount --bind "$work/account/$file" "/etc/$file"
	done
}

make_root() { # DIR
	mkdir -p "$1"/{bin,etc,tmp,proc,sys,dev,data/ro}
	cp /bin/busybox "$work/payload" "$1/bin"
	echo 'root:x:0:0:root:/:/bin/sh' >"$1/etc/passwd"
}

# Leaves in GROUPS_MADE a group in each hierarchy, below that of this process, for nobody but what is started.
make_groups() { # SUFFIX
	local controllers path place group
	groups_made=()
	while IFS=: read -r _ controllers path; do
		place=$(findmnt -rno TARGET,FSTYPE,OPTIONS -t cgroup,cgroup2 | awk -v want="${controllers%%,*}" '
			want == "" ? $2 == "cgroup2" : $2 == "cgroup" && ("," $3 ",") ~ ("," want ",") { print $1; exit }')
		[[ -n $place && -d $place$path ]] || continue
		group=${place}${path%/}/nschain-faults-$$-$1
		mkdir "$group" 2>/dev/null || continue
		if [[ -e $group/tasks && -e $group/cpuset.cpus ]]; then
			cat "${group%/*}/cpuset.cpus" >"$group/cpuset.cpus"
			cat "${group%/*}/cpuset.mems" >"$group/cpuset.mems"
		fi
		groups_made+=("$group")
	done </proc/self/cgroup
}

remove_groups() {
	local group below
	for group in "${groups_made[@]}"; do
		find "$group" -depth -type d 2>/dev/null | while read -r below; do
			for _ in {1..100}; do
				rmdir "$below" 2>/dev/null && break
				[[ -d $below ]] || break
				read -rt 0.02 <> <(:) || true
			done
		done
	done
}

# The target of nsjoin as WHO, in DIR; leaves its PID in DIR/target and its pins in DIR/pins.
start_target() { # WHO DIR
	local -a start=(nsnew -pmuinCT --hostname target --init --pin="$2/pins" --pid-file="$2/target")
	mkfifo "$2/up"
	[[ $1 == root ]] || start=(setpriv --reuid "$test_id" --regid "$test_id" --clear-groups
		nsnew -rpmuin --hostname target --init --pid-file="$2/target")
	env -i PATH="$work/bin:/usr/sbin:/usr/bin:/sbin:/bin" "${start[@]}" "$work/payload" --wait >"$2/up" &
	target_link=$!
	read -r _ <"$2/up"
}

# next_line NAME: waits until one more may run, and counts it in STARTED. False if FAULTS does not name it.
started=0
next_line() {
	[[ -z ${FAULTS:-} || " $FAULTS " == *" $1 "* ]] || return
	while [[ $(jobs -rp | wc -l) -ge $jobs ]]; do
		wait -n || true
	done
	started=$((started + 1))
}

# Runs PROGRAM OPTION... -- COMMAND... with what a line needs; OPTIONs are for inject. In a mount namespace whose mounts are shared with
# nobody, but with copies of it: what a link leaks shows there.
with_line() { # PROGRAM NAME WHO FLAGS COMMAND...
	export work test_id user_option
	# shellcheck disable=SC2016 # for the shell that is started
	unshare --mount --propagation private "$BASH" -euc '
		mount --make-rshared /
		. tests/faults/common.sh
		run_line "$@"' bash "$@"
}

run_line() { # PROGRAM NAME WHO FLAGS COMMAND...
	local program=$1 name=$2 who=$3 flags=$4 dir=$work/$2 group word
	local -a options=(-n "$name") command=() groups_made=()
	local target_link=
	shift 4
	mkdir "$dir" "$dir/tmp" "$dir/src" "$dir/place"
	make_root "$dir/root"
	echo text >"$dir/src/file"
	mkdir "$dir/src/ro" "$dir/kept"
	if [[ $who == user ]]; then
		options+=("${user_option:--u}" "$test_id")
		chown -R "$test_id:$test_id" "$dir"
	fi
	if [[ $flags == *t* ]]; then
		start_target "$who" "$dir"
		options+=(-t "$(<"$dir/target")")
	fi
	if [[ $flags == *g* ]]; then
		make_groups "${name#cgrun-}"
		for group in "${groups_made[@]}"; do
			options+=(-g "$group")
		done
	fi
	for word in "$@"; do
		[[ $word != @target ]] || word=$(<"$dir/target")
		word=${word//@dir/$dir}
		word=${word//@src/$dir/src}
		word=${word//@root/$dir/root}
		word=${word//@place/$dir/place}
		word=${word//@pins/$dir/pins}
		command+=("${word//@payload/$work/payload}")
	done
	[[ $flags != *m* ]] || options+=(-m)
	options+=(-w "$dir")
	(
		cd "$dir"
		exec env -i PATH="$work/bin:/usr/sbin:/usr/bin:/sbin:/bin" LC_ALL=C TMPDIR="$dir/tmp" \
			"$program" "${options[@]}" -- "${command[@]}"
	) || true
	[[ -z $target_link ]] || kill "$target_link"
	wait
	remove_groups
}
