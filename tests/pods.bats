# Pods from shell lines: a pause process holds namespaces that containers share, each with its own root and, where that can be, its own cgroup.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # text for inner shells; each test is a shell of its own

setup() {
	load helpers
	load helpers/processes
	[ "$(id -u)" = 0 ] || requires userns
	cd "$BATS_TEST_TMPDIR" || return
	cp -a "$BATS_FILE_TMPDIR/roots/." .
	# What everything in the pod has in its environment.
	export POD_OF_TEST=$BATS_TEST_TMPDIR
	AS_ROOT=(nsnew -m) ALONE_GROUPS=()
	[ "$(id -u)" = 0 ] || AS_ROOT=(nsnew -rm)
}

setup_file() {
	load helpers
	local roots=$BATS_FILE_TMPDIR/roots name
	for name in pause web app debug; do
		make_root "$roots/$name"
		echo "$name" >"$roots/$name/etc/name"
	done
	mkdir "$roots/web/www"
	echo "the page of web" >"$roots/web/www/index.html"
	cp "$(command -v hog)" "$(command -v breakout)" "$roots/app/bin/"
}

# Everything is in a process that dies with the test, but for the pins of root.
teardown() {
	end_started
	nsnew --unpin=./pod 2>/dev/null || true
	remove_alone
}

# members: the processes of the pod, by what is in their environment.
members() {
	local file
	for file in /proc/[0-9]*/environ; do
		[ "$file" = "/proc/$$/environ" ] || [ "$file" = "/proc/$BASHPID/environ" ] ||
			! grep -qsaz "^POD_OF_TEST=$BATS_TEST_TMPDIR\$" "$file" || echo "$file"
	done
}

no_members() {
	[ -z "$(members)" ]
}

# Nothing of the pod is left: process, mount, file.
assert_nothing_left() {
	eventually no_members
	! grep -F " $BATS_TEST_TMPDIR/" /proc/self/mountinfo || return 1
	[ ! -e pod ] && [ ! -e up ] && [ ! -e pod.pid ]
}

# The lines of the pod. The pause process has a root of its own as well, because every container sees it.
POD='mkfifo up
nsnew -niup --init --hostname pod --pin=./pod --ready-fd=3 rootjail pause sleep infinity 3>up &
pause=$!
read -r _ <up
nsjoin -t ./pod -niup rootjail web httpd -f -p 80 -h /www &
web=$!'

TEAR_DOWN='kill $pause
wait
nsnew --unpin=./pod
rmdir pod
rm up'

# pod LINES: runs the pod with LINES in it and tears it down.
pod() {
	printf '%s\n' "$POD" "$1" "$TEAR_DOWN" >pod.sh
	run timeout 60 "${AS_ROOT[@]}" sh pod.sh 3>&-
	echo "$output"
}

FETCH='until wget -qO- 127.0.0.1 2>/dev/null; do usleep 20000; done'

# --- what is shared and what is not ---

# httpd makes a process for each request; pidof names the oldest last.

@test "two containers see each other on 127.0.0.1, by PID and by host name, each in its own root" {
	pod "nsjoin -t ./pod -niup rootjail app sh -c '
		$FETCH
		hostname
		cat /etc/name
		for web in \$(pidof httpd); do :; done
		echo \"web is \$(cat /proc/\$web/comm)\"
		for kind in net ipc uts pid mnt; do
			[ \$(readlink /proc/self/ns/\$kind) = \$(readlink /proc/\$web/ns/\$kind) ] && echo same \$kind
		done
		kill -TERM \$web && while kill -0 \$web 2>/dev/null; do usleep 10000; done
		echo ended
	'
	wait \$web
	echo \"status \$?\""
	assert_status 0
	assert_output 'the page of web
pod
app
web is httpd
same net
same ipc
same uts
same pid
ended
status 143'
	assert_nothing_left
}

@test "what is outside of the pod is not inside: network, processes, files" {
	touch mark
	pod "nsjoin -t ./pod -niup rootjail app sh -c '
		ip -o link | grep -c LOOPBACK,UP
		[ -z \"\$(ls /home)\" ] && cat /etc/name
		ps -o pid,comm
		breakout $PWD/mark
		echo \"breakout \$?\"
	'"
	assert_status 0
	assert_says 'breakout 1'
	[ "${lines[0]} ${lines[1]}" = '1 app' ]
	# The stub, the pause process, web with its nsjoin's child, the shell and ps.
	[ "$(grep -cE '^ *[0-9]+ [a-z]' <<<"$output")" -le 6 ]
	grep -qE '^ *1 nsnew$' <<<"$output"
	grep -qE '^ *2 sleep$' <<<"$output"
}

@test "no host file is to be had from PID 1 and the pause process (S40)" {
	# With everything that root may do.
	pod "nsjoin -t ./pod -niup rootjail app sh -c '
		until grep -q sleep /proc/2/comm; do usleep 10000; done
		for pid in 1 2; do
			for door in root cwd; do
				[ ! -e /proc/\$pid/\$door$PWD/pause ] || echo \"\$pid \$door\"
			done
			for fd in /proc/\$pid/fd/*; do
				[ ! -d \$fd/. ] || echo \"\$fd is a directory\"
			done
		done
		cat /proc/2/root/etc/name
	'"
	assert_status 0
	assert_output pause
}

@test "orphans of a container are reaped, and the others go on when it ends (R03)" {
	pod "nsjoin -t ./pod -niup rootjail app sh -c 'for i in 1 2 3 4 5; do (usleep 1000 &); done; exit 3'
	echo \"status \$?\"
	nsjoin -t ./pod -niup rootjail app sh -c '
		while ps -o stat | grep Z; do usleep 20000; done
		while pidof usleep; do usleep 20000; done
		$FETCH
	' | tail -n 1"
	assert_status 0
	assert_output $'status 3\nthe page of web'
}

# --- debugging ---

@test "a debug container joins later: the target's files at /proc/PID/root, its network and processes" {
	pod "nsjoin -t ./pod -niup rootjail debug sh -c '
		$FETCH
		for web in \$(pidof httpd); do :; done
		cat /etc/name /proc/\$web/root/etc/name /proc/\$web/root/www/index.html
		echo patched >/proc/\$web/root/www/patch
		wget -qO- 127.0.0.1/patch
		netstat -ltn | grep -c :80
	'"
	assert_status 0
	assert_output $'the page of web\ndebug\nweb\nthe page of web\npatched\n1'
	[ "$(<web/www/patch)" = patched ]
	[ ! -e debug/www ]
}

@test "a command in a container that runs" {
	pod "until nsjoin -t \$(pgrep -P \$web) -a -r cat /etc/name 2>/dev/null; do :; done
	nsjoin -t \$(pgrep -P \$web) -a sh -c 'cat /etc/name; ls /; hostname; pidof httpd >/dev/null && echo beside httpd'"
	assert_status 0
	[ "${lines[0]}" = web ]
	[ "${lines[1]}" = web ]
	grep -qx www <<<"$output"
	grep -qx 'beside httpd' <<<"$output"
	grep -qx pod <<<"$output"
}

# --- ends ---

@test "tear-down leaves nothing" {
	# The server may still be on its way in, and say that it was too late.
	pod ':'
	assert_status 0
	assert_nothing_left
	# The same again, in the same place.
	pod "nsjoin -t ./pod -niup rootjail app sh -c '$FETCH'"
	assert_status 0
	assert_output 'the page of web'
	assert_nothing_left
}

@test "the pod ends with its pause process, even if that is killed" {
	pod "nsjoin -t ./pod -niup rootjail app sh -c '$FETCH'
	kill -KILL \$pause
	wait \$web
	echo \"status \$?\""
	# The kill of the tear-down has nobody to kill.
	assert_says 'status 137'
	assert_nothing_left
}

@test "the pod ends with the shell that holds it" {
	printf '%s\n' "$POD" 'echo up' 'wait' >pod.sh
	# As PID 1, so that what it has started cannot outlive it.
	start "${AS_ROOT[@]}" -p --mount-proc sh pod.sh
	eventually said up
	[ -n "$(members)" ]
	kill -KILL "$LINK_PID"
	ended 'killed by 9'
	eventually no_members
}

# --- rootless, by PID ---

@test "a pod with a user namespace of its own, joined by PID" {
	cat >pod.sh <<-'END'
		mkfifo up
		nsnew -rniup --init --hostname pod --pid-file=pod.pid --ready-fd=3 rootjail pause sleep infinity 3>up &
		pause=$!
		read -r _ <up
		nsjoin -t $(cat pod.pid) -Uniup rootjail web httpd -f -p 80 -h /www &
		nsjoin -t $(cat pod.pid) -Uniup rootjail app sh -c '
			until wget -qO- 127.0.0.1 2>/dev/null; do usleep 20000; done
			for web in $(pidof httpd); do :; done
			cat /proc/$web/root/etc/name
			[ $(readlink /proc/self/ns/user) = $(readlink /proc/$web/ns/user) ] && id -u
			hostname
		'
		kill $pause
		wait
		rm up pod.pid
	END
	run timeout 60 sh pod.sh 3>&-
	assert_status 0
	assert_output $'the page of web\nweb\n0\npod'
	assert_nothing_left
}

# --- limits ---

# As root, and where the pins of root usually are: in the mount namespace of the host.
LIMITED_POD='mkfifo up
nsnew -niup --init --hostname pod --pin=./pod --ready-fd=3 rootjail pause sleep infinity 3>up &
pause=$!
read -r _ <up
cgrun -m 16M nsjoin -t ./pod -niup rootjail web httpd -f -p 80 -h /www &'

limited_pod() {
	# On version 2 a group that holds the shell hands no memory on.
	requires root cgroup_v1 limits
	prepare_alone
	[ "${#ALONE_GROUPS[@]}" -gt 0 ]
	printf '%s\n' "$LIMITED_POD" "$1" "$TEAR_DOWN" >pod.sh
	run timeout 60 "${ALONE[@]}" cgrun -m 64M sh pod.sh 3>&-
	echo "$output"
}

@test "each container is in its own cgroup under the pod's" {
	mkfifo app/tmp/there
	limited_pod "cgrun -m 32M nsjoin -t ./pod -niup rootjail app sh -c '
		$FETCH
		sed -n s/^.*memory://p /proc/self/cgroup
		for web in \$(pidof httpd); do :; done
		sed -n s/^.*memory://p /proc/\$web/cgroup
		sed -n s/^.*memory://p /proc/2/cgroup
		echo >/tmp/there
		exec sleep infinity
	' &
	read -r _ <>app/tmp/there
	find \"$(own_cgroup memory)\" -name memory.limit_in_bytes -exec grep -H . {} + >groups"
	assert_status 0
	[ "${lines[0]}" = 'the page of web' ]
	local app=${lines[1]} web=${lines[2]} pod=${lines[3]} base
	# Two groups beside each other in the one of the pause process.
	[[ $pod =~ /cgrun-[0-9]+-[0-9a-f]+$ ]]
	[ "${app%/*}" = "$pod" ]
	[ "${web%/*}" = "$pod" ]
	[ "$app" != "$web" ]
	base=$(own_cgroup memory)
	base=${base%"$(sed -n 's/^.*memory://p' /proc/self/cgroup)"}
	grep -qxF "$base$app/memory.limit_in_bytes:33554432" groups
	grep -qxF "$base$web/memory.limit_in_bytes:16777216" groups
	grep -qxF "$base$pod/memory.limit_in_bytes:67108864" groups
	nothing_left
	assert_nothing_left
}

@test "a container that takes more memory than its own is ended alone" {
	limited_pod "cgrun -m 32M nsjoin -t ./pod -niup rootjail app hog 48
	echo \"status \$?\"
	# Below its own limit it still gets no more than there is for the pod.
	cgrun -m 512M nsjoin -t ./pod -niup rootjail app hog 128
	echo \"status \$?\"
	nsjoin -t ./pod -niup rootjail app hog 24
	echo \"status \$?\""
	assert_status 0
	[ "$(grep -c '^status 137$' <<<"$output")" = 2 ]
	[ "${lines[-1]}" = 'status 0' ]
	grep -q 'cgrun: out of memory' <<<"$output"
	nothing_left
	assert_nothing_left
}

# --- who may join what ---

@test "a PID namespace that belongs to an outer user namespace is joined before that is left, also in front of rootjail" {
	local outer=(nsnew -p)
	[ "$(id -u)" = 0 ] || outer=(nsnew -r nsnew -p)
	mkfifo up
	"${outer[@]}" nsnew -rm --ready-fd=3 sleep 60 3>up &
	STARTED+=("$!")
	read -r _ <up
	local pid=$! child
	while child=$(pgrep -P "$pid"); do pid=$child; done
	run nsjoin -t "$pid" --all readlink /proc/self/ns/pid
	assert_status 0
	assert_output "$(readlink "/proc/$pid/ns/pid")"
	run nsjoin -t "$pid" --all rootjail --bare --bind=/proc / readlink /proc/self/ns/pid
	echo "$output"
	assert_status 0
}

@test "as many files as may be kept go to a container of a pod" {
	local words=() fd
	for fd in {100..163}; do
		words+=("--keep-fd=$fd")
	done
	pod "bash -c 'for fd in {100..163}; do eval \"exec \$fd</dev/null\"; done; exec \"\$@\"' bash \\
		nsjoin -t ./pod -niup ${words[*]} rootjail ${words[*]} app sh -c 'ls /proc/self/fd | grep -c ^1..\$'"
	assert_status 0
	[ "${lines[0]}" = 64 ]
}
