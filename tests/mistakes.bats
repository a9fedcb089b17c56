# What a new user does wrong, and what is said about it, as a whole. A table has, for each mistake, "$ STATUS COMMAND LINE", and below it the lines on
# standard error. With "$+" they may be wider than 80 columns, since names or the C library's words are long; with "$*" they are a pattern.
# Where the C libraries call an error differently, the words are those of glibc.
# shellcheck disable=SC2016 # for the shell that is started

setup() {
	load helpers
	cd "$BATS_TEST_TMPDIR" || return
	mkdir d empty bin
	make_little_root
	printf '#!/bin/sh\n: >%q\n' "$PWD/reached" >bin/ran
	echo data >f
	ln -s d l
	ln -s loop loop
	head -c 65536 /dev/zero >image
	printf '#!/no/such/interpreter\n' >script
	printf 'exit 0\n' >text
	# For a machine that there is not.
	{ head -c 18 /bin/busybox && printf '\1\1' && tail -c +21 /bin/busybox | head -c 4096; } >foreign
	chmod 755 bin/ran script text foreign
	PATH=$PWD/bin:$PATH
	# For command lines: in front of a link that needs privilege, and of a cgrun.
	P=${PRIVILEGED[*]} A=
	export P A
}

teardown() {
	[ -z "${ALONE_GROUPS+set}" ] || remove_alone
}

make_little_root() {
	mkdir -p rootfs/{bin,proc,dev}
	cp /bin/busybox rootfs/bin/
	ln -s busybox rootfs/bin/sh
	ln -s busybox rootfs/bin/true
}

common_words() {
	sed 's/Symbolic link loop$/Too many levels of symbolic links/; s/Result not representable$/Numerical result out of range/
		s/: Not supported$/: Operation not supported/; s/Filename too long$/File name too long/' "$1"
}

# A message, at most one hint, both in lower case and without a full stop, and nothing that a terminal would act on; what other programs say aside.
has_form() { # WIDE
	local lines line
	mapfile -t lines <said
	[ "${#lines[@]}" -gt 0 ] && [ "${#lines[@]}" -le 2 ] || return
	[[ ${#lines[@]} -eq 1 || ${lines[1]} =~ ^[a-z]+:\ hint:\ . ]] || return
	for line in "${lines[@]}"; do
		[[ $line =~ ^(nsnew|nsjoin|cgrun|capjail|rootjail|nsmount):\ [^A-Z] && $line != *. && $line != *[[:cntrl:]]* ]] || return
		[[ -n $1 || ${#line} -le 80 ]] || return
	done
}

# One mistake. COMMAND is "ran", of which nothing may be seen.
check() { # KIND STATUS COMMAND-LINE EXPECTED
	local status=0 said
	bash -c "$3" </dev/null >out 2>said || status=$?
	said=$(common_words said)
	if [[ $status -ne $2 ]]; then
		echo "status $status and not $2"
	elif [[ -e reached ]]; then
		echo "COMMAND ran"
	elif [[ -s out ]]; then
		echo "written to standard output: $(cat out)"
	elif [[ $1 == '*' ]]; then
		# shellcheck disable=SC2053 # a pattern
		[[ $said == $4 ]] && has_form wide && return
	elif [[ $said == "$4" ]]; then
		has_form "$1" && return
		echo 'said in the wrong form, or too wide'
	fi
	printf '$ %s\n%s\nwanted\n%s\n' "$3" "$said" "$4"
	return 1
}

# says LEAST: checks the table on standard input, of at least that many mistakes.
says() {
	local line kind='' status='' command='' expected='' count=0 failed=0
	local -a row
	while IFS= read -r line || [ -n "$line" ]; do
		if [[ $line =~ ^\$([+*]?)\ ([0-9]+)\ (.*)$ ]]; then
			row=("${BASH_REMATCH[@]:1}")
			[ "$count" -eq 0 ] || check "$kind" "$status" "$command" "$expected" || failed=$((failed + 1))
			kind=${row[0]} status=${row[1]} command=${row[2]} expected=
			count=$((count + 1))
		else
			expected+=${expected:+$'\n'}$line
		fi
	done
	[ "$count" -ge "$1" ] || { echo "only $count mistakes" && return 1; }
	check "$kind" "$status" "$command" "$expected" || failed=$((failed + 1))
	[ "$failed" -eq 0 ] || { echo "$failed of $count" && return 1; }
}

@test "nsnew: options and values" {
	says 59 <<-'TABLE'
		$ 125 nsnew
		nsnew: missing COMMAND: the program to run
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew --
		nsnew: missing COMMAND: the program to run
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew -U -u
		nsnew: missing COMMAND: the program to run
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew --memry ran
		nsnew: unknown option '--memry'
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew --hostn box ran
		nsnew: unknown option '--hostn'
		nsnew: hint: did you mean '--hostname'? options may not be shortened
		$ 125 nsnew --map-root ran
		nsnew: unknown option '--map-root'
		nsnew: hint: did you mean '--map-root-user'? options may not be shortened
		$ 125 nsnew --map_root_user ran
		nsnew: unknown option '--map_root_user'
		nsnew: hint: did you mean '--map-root-user'?
		$ 125 nsnew --map-root-users ran
		nsnew: unknown option '--map-root-users'
		nsnew: hint: did you mean '--map-root-user'?
		$ 125 nsnew --map-usr 0 ran
		nsnew: unknown option '--map-usr'
		nsnew: hint: did you mean '--map-user'?
		$ 125 nsnew --Mount ran
		nsnew: unknown option '--Mount'
		nsnew: hint: did you mean '--mount'?
		$ 125 nsnew --proc ran
		nsnew: unknown option '--proc'
		nsnew: hint: did you mean '--mount-proc'?
		$ 125 nsnew --unshare-all ran
		nsnew: unknown option '--unshare-all'
		nsnew: hint: here that is 'nsnew --all --user'
		$ 125 nsnew --die-with-parent ran
		nsnew: unknown option '--die-with-parent'
		nsnew: hint: here that is 'nsnew --kill-child', the default
		$ 125 nsnew --memory 100M ran
		nsnew: unknown option '--memory'
		nsnew: hint: here that is 'cgrun --memory'
		$ 125 nsnew --cap-drop all ran
		nsnew: unknown option '--cap-drop'
		nsnew: hint: here that is 'capjail --drop'
		$ 125 nsnew -S 0 ran
		nsnew: unknown option '-S'
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew -pmx ran
		nsnew: unknown option '-x' in '-pmx'
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew -m/pins/mnt ran
		nsnew: unknown option '-/' in '-m/pins/mnt'
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew --mount= ran
		nsnew: option '--mount' takes FILE, not ''
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew --fork=yes ran
		nsnew: option '--fork' takes no value, not 'yes'
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew --hostname ran
		nsnew: missing COMMAND: the program to run
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew --hostname
		nsnew: option '--hostname' needs a value: NAME
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew --pid-file '' ran
		nsnew: cannot write the PID to '': No such file or directory
		$ 125 nsnew --hostname a --hostname b ran
		nsnew: option '--hostname' is given twice
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew --propagation=privat ran
		nsnew: --propagation: 'privat' is no propagation
		nsnew: hint: did you mean 'private'?
		$ 125 nsnew --propagation=rprivate ran
		nsnew: --propagation: 'rprivate' is no propagation
		nsnew: hint: did you mean 'private'?
		$ 125 nsnew --propagation=none ran
		nsnew: --propagation: 'none' is no propagation
		nsnew: hint: one of private, slave, shared, unchanged
		$ 125 nsnew --setgroups=alow ran
		nsnew: --setgroups: 'alow' is neither of the two
		nsnew: hint: did you mean 'allow'?
		$ 125 nsnew --setgroups=no ran
		nsnew: --setgroups: 'no' is neither of the two
		nsnew: hint: one of allow, deny
		$ 125 nsnew --kill-child=TRM ran
		nsnew: --kill-child: 'TRM' is no signal
		nsnew: hint: did you mean 'TERM'?
		$ 125 nsnew --kill-child=SIGTRM ran
		nsnew: --kill-child: 'SIGTRM' is no signal
		nsnew: hint: did you mean 'TERM'?
		$ 125 nsnew --kill-child=term ran
		nsnew: --kill-child: 'term' is no signal
		nsnew: hint: did you mean 'TERM'?
		$ 125 nsnew --kill-child=sigkill ran
		nsnew: --kill-child: 'sigkill' is no signal
		nsnew: hint: did you mean 'KILL'?
		$ 125 nsnew --kill-child=0 ran
		nsnew: --kill-child: '0' is no signal
		nsnew: hint: a number, or one of TERM, KILL, INT, HUP, QUIT, USR1, USR2, STOP
		$ 125 nsnew --map-user=root ran
		nsnew: --map-user: 'root' is not an id from 0 to 4294967294
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew --map-user=-1 ran
		nsnew: --map-user: '-1' is not an id from 0 to 4294967294
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew --map-user=4294967295 ran
		nsnew: --map-user: '4294967295' is not an id from 0 to 4294967294
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew --map-users=0:0 ran
		nsnew: --map-users: '0:0' is no map
		nsnew: hint: INNER:OUTER:COUNT in numbers, or one of auto, subids, all
		$ 125 nsnew --map-users=0,0,1 ran
		nsnew: --map-users: '0,0,1' is no map
		nsnew: hint: INNER:OUTER:COUNT in numbers, or one of auto, subids, all
		$ 125 nsnew --map-users=atuo ran
		nsnew: --map-users: 'atuo' is no map
		nsnew: hint: did you mean 'auto'?
		$ 125 nsnew --map-users=subid ran
		nsnew: --map-users: 'subid' is no map
		nsnew: hint: did you mean 'subids'?
		$ 125 nsnew --map-users=0:100000:0 ran
		nsnew: --map-users: '0:100000:0' has a count of 0
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew --map-users=0:1000:10 --map-users=5:2000:10 ran
		nsnew: --map-users: '5:2000:10' maps an inner id that is mapped already
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew --map-users=0:1000:10 --map-users=50:1005:10 ran
		nsnew: --map-users: '50:1005:10' maps an outer id that is mapped already
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew --map-users=0:4294967290:100 ran
		nsnew: --map-users: '0:4294967290:100' goes beyond the last id 4294967294
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew -r --map-user=0 ran
		nsnew: --map-user: '0' maps an inner id that is mapped already
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew --owner=root:root ran
		nsnew: --owner: 'root:root' is not of the form UID:GID in numbers
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew --owner=1000 ran
		nsnew: --owner: '1000' is not of the form UID:GID in numbers
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew --boottime 10d ran
		nsnew: --boottime: '10d' is not a number
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew --mount-proc ran
		nsnew: --mount-proc needs a PID namespace of its own (--pid)
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew -p --no-fork --fork ran
		nsnew: --no-fork excludes --fork --init --mount-proc --new-session --kill-child
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew --pin=pins ran
		nsnew: nothing to pin: name a namespace (-m -u -i -n -p -U -C -T) or --all
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew -p --no-fork --pin=pins ran
		nsnew: --no-fork excludes --pin: a PID namespace without a process has no pin
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew --no-nested-users ran
		nsnew: --no-nested-users needs a map of users, such as --map-root-user
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew --unpin=empty ran
		nsnew: --unpin takes no namespaces and no COMMAND
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew --unpin=f
		nsnew: cannot open 'f': Not a directory
		$ 125 nsnew --ready-fd=9 ran
		nsnew: --ready-fd: '9' is not open
		nsnew: hint: FD>FILE in a shell opens it
		$ 125 nsnew --ready-fd=x ran
		nsnew: --ready-fd: 'x' is not a file descriptor
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew --block-fd=-1 ran
		nsnew: --block-fd: '-1' is not a file descriptor
		nsnew: hint: try 'nsnew --help'
	TABLE
}

@test "nsnew: maps, clocks and files" {
	requires userns time_namespace
	says 3 <<-'TABLE'
		$ 125 nsnew --pid-file=no/such/file ran
		nsnew: cannot write the PID to 'no/such/file': No such file or directory
		$+ 125 nsnew -r nsnew --boottime -99999999 ran
		nsnew: cannot set the clock to 'boottime -99999999 0': Numerical result out of range
		nsnew: hint: a clock cannot go below zero, nor above half of its range
		$ 125 nsnew -r nsnew --owner=7:7 ran
		nsnew: cannot become the owner 7:7
		nsnew: hint: this needs CAP_SETUID and CAP_SETGID
	TABLE
}

@test "nsjoin: options, targets and pins" {
	says 39 <<-'TABLE'
		$ 125 nsjoin
		nsjoin: nothing to join: name a namespace (-m -u -i -n -p -U -C -T) or --all
		nsjoin: hint: try 'nsjoin --help'
		$ 125 nsjoin ran
		nsjoin: nothing to join: name a namespace (-m -u -i -n -p -U -C -T) or --all
		nsjoin: hint: try 'nsjoin --help'
		$ 125 nsjoin -t 1 ran
		nsjoin: nothing to join: name a namespace (-m -u -i -n -p -U -C -T) or --all
		nsjoin: hint: try 'nsjoin --help'
		$ 125 nsjoin -a ran
		nsjoin: missing option '--target': whose namespaces to join, or --net=FILE
		nsjoin: hint: try 'nsjoin --help'
		$ 125 nsjoin -u ran
		nsjoin: missing option '--target': whose namespaces to join, or --net=FILE
		nsjoin: hint: try 'nsjoin --help'
		$ 125 nsjoin --pid 1 ran
		nsjoin: missing option '--target': whose namespaces to join, or --net=FILE
		nsjoin: hint: try 'nsjoin --help'
		$ 125 nsjoin --net pins/net ran
		nsjoin: missing option '--target': whose namespaces to join, or --net=FILE
		nsjoin: hint: try 'nsjoin --help'
		$ 125 nsjoin -at 1
		nsjoin: missing COMMAND: the program to run
		nsjoin: hint: try 'nsjoin --help'
		$ 125 nsjoin --target
		nsjoin: option '--target' needs a value: TARGET
		nsjoin: hint: try 'nsjoin --help'
		$ 125 nsjoin -t '' -a ran
		nsjoin: --target: '' is no target
		nsjoin: hint: a PID from 1 to 4194304, or a directory with a '/' in its path
		$ 125 nsjoin -t 0 -a ran
		nsjoin: --target: '0' is no target
		nsjoin: hint: a PID from 1 to 4194304, or a directory with a '/' in its path
		$ 125 nsjoin -t bash -a ran
		nsjoin: --target: 'bash' is no target
		nsjoin: hint: a PID from 1 to 4194304, or a directory with a '/' in its path
		$ 125 nsjoin -t pins -a ran
		nsjoin: --target: 'pins' is no target
		nsjoin: hint: a PID from 1 to 4194304, or a directory with a '/' in its path
		$ 125 nsjoin -t 99999999 -a ran
		nsjoin: --target: '99999999' is no target
		nsjoin: hint: a PID from 1 to 4194304, or a directory with a '/' in its path
		$ 125 nsjoin -t 12:x -a ran
		nsjoin: --target: '12:x' is not of the form PID:INODE
		nsjoin: hint: try 'nsjoin --help'
		$ 125 nsjoin -t 4194304 -a ran
		nsjoin: cannot find process 4194304: No such process
		$ 125 nsjoin -t ./empty -a ran
		nsjoin: './empty' holds no pins
		nsjoin: hint: nsnew --pin=DIR makes some
		$ 125 nsjoin -t ./empty -n ran
		nsjoin: './empty' holds no pin 'net'
		nsjoin: hint: --all joins those that are there
		$ 125 nsjoin -t ./no -a ran
		nsjoin: cannot open './no': No such file or directory
		$ 125 nsjoin -t ./f -a ran
		nsjoin: cannot open './f': Not a directory
		$ 125 nsjoin --net=f ran
		nsjoin: 'f' is not a namespace
		$ 125 nsjoin --net=no ran
		nsjoin: cannot open 'no': No such file or directory
		$ 125 nsjoin --net= ran
		nsjoin: option '--net' takes FILE, not ''
		nsjoin: hint: try 'nsjoin --help'
		$ 125 nsjoin --net=/proc/self/ns/uts ran
		nsjoin: '/proc/self/ns/uts' is not a namespace of kind net
		$ 125 nsjoin -n/proc/self/ns/net ran
		nsjoin: unknown option '-/' in '-n/proc/self/ns/net'
		nsjoin: hint: try 'nsjoin --help'
		$ 125 nsjoin --follow-context -t 1 -a ran
		nsjoin: unknown option '--follow-context'
		nsjoin: hint: try 'nsjoin --help'
		$ 125 nsjoin -t 1 -Z -a ran
		nsjoin: unknown option '-Z'
		nsjoin: hint: try 'nsjoin --help'
		$ 125 nsjoin -t 1 -a -S root ran
		nsjoin: --setuid: 'root' is neither an id from 0 to 4294967294 nor follow
		nsjoin: hint: try 'nsjoin --help'
		$ 125 nsjoin -t 1 -u -G folow ran
		nsjoin: --setgid: 'folow' is neither an id from 0 to 4294967294 nor follow
		nsjoin: hint: try 'nsjoin --help'
		$ 125 nsjoin -t 1 -N x ran
		nsjoin: --net-socket: 'x' is not a file descriptor
		nsjoin: hint: try 'nsjoin --help'
		$ 125 nsjoin -t $$ -u --wd=no ran
		nsjoin: cannot open 'no': No such file or directory
		$ 125 nsjoin -t $$ -u --wd=/ --wdns=/ ran
		nsjoin: --wd and --wdns exclude each other
		nsjoin: hint: try 'nsjoin --help'
		$ 125 nsjoin -t $$ -u --root=no ran
		nsjoin: cannot open 'no': No such file or directory
		$ 125 nsjoin -t $$ -u --root= ran
		nsjoin: option '--root' takes DIR, not ''
		nsjoin: hint: try 'nsjoin --help'
		$ 125 nsjoin -t $$ -u --keep-fd 77 ran
		nsjoin: --keep-fd: '77' is not open
		nsjoin: hint: FD>FILE in a shell opens it
		$ 125 nsjoin --user-parent ran
		nsjoin: nothing to join: name a namespace (-m -u -i -n -p -U -C -T) or --all
		nsjoin: hint: try 'nsjoin --help'
		$ 125 nsjoin -t 1 -t 2 -a ran
		nsjoin: option '--target' is given twice
		nsjoin: hint: try 'nsjoin --help'
		$ 125 nsjoin --targt 1 -a ran
		nsjoin: unknown option '--targt'
		nsjoin: hint: did you mean '--target'?
		$ 125 nsjoin --no-frok -t 1 -p ran
		nsjoin: unknown option '--no-frok'
		nsjoin: hint: did you mean '--no-fork'?
	TABLE
}

@test "cgrun: options and values" {
	says 73 <<-'TABLE'
		$ 125 cgrun
		cgrun: missing COMMAND: the program to run
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun -m 100M
		cgrun: missing COMMAND: the program to run
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun -m
		cgrun: option '--memory' needs a value: SIZE
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --memry 100M ran
		cgrun: unknown option '--memry'
		cgrun: hint: did you mean '--memory'?
		$ 125 cgrun --mem 100M ran
		cgrun: unknown option '--mem'
		cgrun: hint: did you mean '--memory'? options may not be shortened
		$ 125 cgrun --memory-max 100M ran
		cgrun: unknown option '--memory-max'
		cgrun: hint: here that is 'cgrun --memory'
		$ 125 cgrun --memory-swap 100M ran
		cgrun: unknown option '--memory-swap'
		cgrun: hint: here that is 'cgrun --swap'
		$ 125 cgrun --pids-limit 5 ran
		cgrun: unknown option '--pids-limit'
		cgrun: hint: did you mean '--pids'?
		$ 125 cgrun --cpu-quota=50% ran
		cgrun: unknown option '--cpu-quota'
		cgrun: hint: here that is 'cgrun --cpus'
		$ 125 cgrun --try-memry 100M ran
		cgrun: unknown option '--try-memry'
		cgrun: hint: did you mean '--try-memory'?
		$ 125 cgrun --try-name x ran
		cgrun: unknown option '--try-name'
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --device /dev/null ran
		cgrun: unknown option '--device'
		cgrun: hint: did you mean '--device-allow'? options may not be shortened
		$ 125 cgrun -g memory:mygroup ran
		cgrun: unknown option '-g'
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun -p MemoryMax=100M ran
		cgrun: --pids: 'MemoryMax=100M' is neither max nor a number from 1 to 4194304
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun -m 100MB ran
		cgrun: --memory: '100MB' is not a size such as 64M or 1.5G
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun -m 100 M ran
		cgrun: --memory: '100' is less than a page of memory
		cgrun: hint: without K, M or G it counts bytes
		$ 125 cgrun -m '100 M' ran
		cgrun: --memory: '100 M' is not a size such as 64M or 1.5G
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun -m 1,5G ran
		cgrun: --memory: '1,5G' is not a size such as 64M or 1.5G
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun -m -1 ran
		cgrun: --memory: '-1' is not a size such as 64M or 1.5G
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun -m 0 ran
		cgrun: --memory: '0' is less than a page of memory
		cgrun: hint: without K, M or G it counts bytes
		$ 125 cgrun -m unlimited ran
		cgrun: --memory: 'unlimited' is not a size such as 64M or 1.5G
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun -m 99999999999999G ran
		cgrun: --memory: '99999999999999G' is too large
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun -m 150% ran
		cgrun: --memory: '150%' is not a percentage up to 100%
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun -m '' ran
		cgrun: --memory: '' is not a size such as 64M or 1.5G
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun -m 0x100000 ran
		cgrun: --memory: '0x100000' is not a size such as 64M or 1.5G
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun -m 100M --memory 200M ran
		cgrun: option '--memory' is given twice
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun -c 150% ran
		cgrun: --cpus: '150%' is not a number of processors
		cgrun: hint: 2 and 0.25 are some
		$ 125 cgrun -c 500m ran
		cgrun: --cpus: '500m' is not a number of processors
		cgrun: hint: 2 and 0.25 are some
		$ 125 cgrun -c 0 ran
		cgrun: --cpus: '0' is below 0.01, the least that the kernel takes
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun -c 1.123456 ran
		cgrun: --cpus: '1.123456' has too many digits behind its point
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun -p 0 ran
		cgrun: --pids: '0' is neither max nor a number from 1 to 4194304
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun -p 10k ran
		cgrun: --pids: '10k' is neither max nor a number from 1 to 4194304
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --cpu-weight 20000 ran
		cgrun: --cpu-weight: '20000' is not a number from 1 to 10000
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --io-weight 0 ran
		cgrun: --io-weight: '0' is not a number from 1 to 10000
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --swappiness 300 ran
		cgrun: --swappiness: '300' is not a number from 0 to 200
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --cpu-burst 10 ran
		cgrun: --cpu-burst needs --cpus
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --cpu-burst 10ms -c 1 ran
		cgrun: --cpu-burst: '10ms' is not a number of microseconds
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --swap 10M ran
		cgrun: --swap needs --memory
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --cpuset 0..2 ran
		cgrun: --cpuset: '0..2' is not a list of numbers and ranges such as 0-3,5
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --cpuset 3-1 ran
		cgrun: --cpuset: '3-1' is not a list of numbers and ranges such as 0-3,5
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --io-max /dev/sda ran
		cgrun: --io-max: '/dev/sda' is not DISK:KEY=RATE[,KEY=RATE]
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --io-max /dev/sda:bps=1M ran
		cgrun: --io-max: '/dev/sda:bps=1M' has a key other than rbps, wbps, riops, wiops
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --io-max /dev/sda:rbps=fast ran
		cgrun: --io-max: '/dev/sda:rbps=fast' has a rate that is no number or size
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --hugetlb 2M ran
		cgrun: --hugetlb: '2M' is not SIZE:LIMIT, such as 2M:1G
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --hugetlb 3M:1G ran
		cgrun: --hugetlb: '3M:1G' begins with no size of huge pages
		cgrun: hint: as 2M:1G does
		$ 125 cgrun --set memory.high ran
		cgrun: --set: 'memory.high' is not of the form KEY=VALUE
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --set high=90M ran
		cgrun: --set: 'high=90M' does not begin with the name of a file
		cgrun: hint: as memory.high=90M does
		$ 125 cgrun --set ../x.y=1 ran
		cgrun: --set: '../x.y=1' does not begin with the name of a file
		cgrun: hint: as memory.high=90M does
		$ 125 cgrun --set memory.high= ran
		cgrun: --set: 'memory.high=' has no value
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --set cgroup.procs=1 ran
		cgrun: --set: 'cgroup.procs=1' is no setting of the group
		cgrun: hint: cgroup.max.* are
		$ 125 cgrun --name a/b ran
		cgrun: --name: 'a/b' has a '/'
		cgrun: hint: --parent names the group above
		$ 125 cgrun --name . ran
		cgrun: --name: '.' is not a name that a group can have
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --name cgrun-1 ran
		cgrun: --name: 'cgrun-1' begins with 'cgrun-'
		cgrun: hint: that is for groups without --name
		$ 125 cgrun --parent a//b ran
		cgrun: --parent: 'a//b' has an empty part
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --parent ../x ran
		cgrun: --parent: '../x' has a part '.' or '..', which no group is called
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --join x --memory 1M ran
		cgrun: --join takes a group as it is, without other options
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --delegate nobody ran
		cgrun: --delegate: 'nobody' is not of the form UID:GID in numbers
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --keep ran
		cgrun: --keep needs --name, to find the group again
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --exec --stats ran
		cgrun: --exec leaves nobody to write --stats
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --json ran
		cgrun: --json needs --stats or --stats-fd
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --gc ran
		cgrun: --gc takes no COMMAND
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --gc -m 1M
		cgrun: --gc goes with --name and --parent only
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --stats= ran
		cgrun: option '--stats' takes FILE, not ''
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --stats-fd 9 ran
		cgrun: --stats-fd: '9' is not open
		cgrun: hint: FD>FILE in a shell opens it
		$ 125 cgrun --stats-fd x ran
		cgrun: --stats-fd: 'x' is not a file descriptor
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --stats=s --stats-fd=1 ran
		cgrun: --stats=FILE and --stats-fd exclude each other
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --device-allow null ran
		cgrun: --device-allow: 'null' is no rule
		cgrun: hint: all, PATH[:ACCESS] with a '/', or c|b:MAJOR:MINOR[:ACCESS]
		$ 125 cgrun --device-allow /dev/no-such ran
		cgrun: --device-allow: '/dev/no-such' names a file that is not there
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --device-allow /etc/passwd ran
		cgrun: --device-allow: '/etc/passwd' names a file that is no device
		cgrun: hint: try 'cgrun --help'
		$ 125 cgrun --device-allow c:1:3:rx ran
		cgrun: --device-allow: 'c:1:3:rx' has an ACCESS that is none
		cgrun: hint: letters of rwm, each at most once
		$ 125 cgrun --device-allow c:1:x ran
		cgrun: --device-allow: 'c:1:x' has a number that is none
		cgrun: hint: MAJOR up to 4095, MINOR up to 1048575, or '*'
		$ 125 cgrun --device-deny /dev/null --device-allow /dev/zero ran
		cgrun: --device-allow: '/dev/zero' cannot stand in one list with those before
		cgrun: hint: either some are allowed, or some denied
		$ 125 cgrun --device-allow all ran
		cgrun: --device-allow: 'all' is what holds without any rule
		cgrun: hint: try 'cgrun --help'
	TABLE
}

@test "capjail: options and lists" {
	says 52 <<-'TABLE'
		$ 125 capjail
		capjail: missing COMMAND: the program to run
		capjail: hint: try 'capjail --help'
		$ 125 capjail --drop
		capjail: option '--drop' needs a value: LIST
		capjail: hint: try 'capjail --help'
		$ 125 capjail --drop net_admn ran
		capjail: --drop: 'net_admn' is not a capability of this kernel
		capjail: hint: did you mean 'net_admin'?
		$ 125 capjail --drop CAP_SYS_ADMN ran
		capjail: --drop: 'CAP_SYS_ADMN' is not a capability of this kernel
		capjail: hint: did you mean 'sys_admin'?
		$ 125 capjail --drop sys_admin,cap_chwon ran
		capjail: --drop: 'cap_chwon' is not a capability of this kernel
		capjail: hint: did you mean 'chown'?
		$ 125 capjail --drop ptrace ran
		capjail: --drop: 'ptrace' is not a capability of this kernel
		capjail: hint: did you mean 'sys_ptrace'?
		$ 125 capjail --drop 'chown net_raw' ran
		capjail: --drop: 'chown net_raw' is not a capability of this kernel
		capjail: hint: a LIST has commas between names
		$ 125 capjail --drop 'chown, net_raw' ran
		capjail: --drop: ' net_raw' is not a capability of this kernel
		capjail: hint: did you mean 'net_raw'?
		$ 125 capjail --drop chown:net_raw ran
		capjail: --drop: 'chown:net_raw' is not a capability of this kernel
		capjail: hint: a LIST has commas between names
		$ 125 capjail --drop '' ran
		capjail: --drop: '' is empty
		capjail: hint: name a capability
		$ 125 capjail --drop chown, ran
		capjail: --drop: '' is empty
		capjail: hint: name a capability
		$ 125 capjail --drop 99 ran
		capjail: --drop: '99' is not a capability of this kernel
		capjail: hint: try 'capjail --help'
		$ 125 capjail --drop CAP_ALL ran
		capjail: --drop: 'CAP_ALL' is not a capability of this kernel
		capjail: hint: did you mean 'all'?
		$ 125 capjail --drop=-chown ran
		capjail: --drop: '-chown' is not a capability of this kernel
		capjail: hint: did you mean 'chown'?
		$ 125 capjail --drop=-xyzzy ran
		capjail: --drop: '-xyzzy' is not a capability of this kernel
		capjail: hint: '-' is for what an 'all' before it leaves out
		$ 125 capjail --keep none ran
		capjail: --keep: 'none' is not a capability of this kernel
		capjail: hint: --drop=all leaves none
		$ 125 capjail --keep all,-foo ran
		capjail: --keep: '-foo' is not a capability of this kernel
		capjail: hint: try 'capjail --help'
		$ 125 capjail --keep all,chown,-chown ran
		capjail: --keep: '-chown' is both named and left out
		capjail: hint: try 'capjail --help'
		$ 125 capjail --drop chown --keep chown ran
		capjail: 'cap_chown' is both in --drop and in --keep
		capjail: hint: try 'capjail --help'
		$ 125 capjail --ambient chwn ran
		capjail: --ambient: 'chwn' is not a capability of this kernel
		capjail: hint: did you mean 'chown'?
		$ 125 capjail --iab '^chwn' ran
		capjail: --iab: '^chwn' is not a capability of this kernel
		capjail: hint: did you mean 'chown'?
		$ 125 capjail --explain-cap chwn
		capjail: --explain-cap: 'chwn' is not a capability of this kernel
		capjail: hint: did you mean 'chown'?
		$ 125 capjail --preset dokcer ran
		capjail: --preset: 'dokcer' is no preset
		capjail: hint: did you mean 'docker'?
		$ 125 capjail --preset Docker ran
		capjail: --preset: 'Docker' is no preset
		capjail: hint: did you mean 'docker'?
		$ 125 capjail --preset podman ran
		capjail: --preset: 'podman' is no preset
		capjail: hint: one of none, docker, nobody
		$ 125 capjail --preset '' ran
		capjail: --preset: '' is no preset
		capjail: hint: one of none, docker, nobody
		$ 125 capjail --preset nobody --user 5:5 ran
		capjail: --preset=nobody is a user of its own: --preset=none goes with --user
		capjail: hint: try 'capjail --help'
		$ 125 capjail --securebits norot ran
		capjail: --securebits: 'norot' is not a securebit
		capjail: hint: did you mean 'noroot'?
		$ 125 capjail --securebits no-root ran
		capjail: --securebits: 'no-root' is not a securebit
		capjail: hint: did you mean 'noroot'?
		$ 125 capjail --securebits xyzzy ran
		capjail: --securebits: 'xyzzy' is not a securebit
		capjail: hint: capabilities(7) names them, noroot and so on
		$ 125 capjail --securebits keep_caps ran
		capjail: --securebits: 'keep_caps' would be cleared by the exec of COMMAND
		capjail: hint: --ambient keeps capabilities
		$ 125 capjail --securebits noroot, ran
		capjail: --securebits: '' is empty
		capjail: hint: name a securebit
		$ 125 capjail --user no-such ran
		capjail: --user: user 'no-such' is not in /etc/passwd
		capjail: hint: a number may be given instead of a name
		$ 125 capjail --user 0:no-such ran
		capjail: --user: group 'no-such' is not in /etc/group
		capjail: hint: a number may be given instead of a name
		$ 125 capjail --user 99999999999 ran
		capjail: --user: '99999999999' is not an id from 0 to 4294967294
		$ 125 capjail --user :5 ran
		capjail: --user: the name or number of a user or group is empty
		$ 125 capjail --groups 0,no-such ran
		capjail: --groups: group 'no-such' is not in /etc/group
		capjail: hint: a number may be given instead of a name
		$ 125 capjail --groups 5 --clear-groups ran
		capjail: --groups, --clear-groups and --init-groups are alternatives
		capjail: hint: try 'capjail --help'
		$ 125 capjail --umask 999 ran
		capjail: --umask: '999' is not an octal mode such as 755
		capjail: hint: try 'capjail --help'
		$ 125 capjail --umask 1777 ran
		capjail: --umask: '1777' is no mask of permissions
		capjail: hint: 0 to 777 in octal
		$ 125 capjail --umask u=rwx ran
		capjail: --umask: 'u=rwx' is not an octal mode such as 755
		capjail: hint: try 'capjail --help'
		$ 125 capjail --parent-death=KIL ran
		capjail: --parent-death: 'KIL' is no signal
		capjail: hint: did you mean 'KILL'?
		$ 125 capjail --parent-death= ran
		capjail: option '--parent-death' takes SIGNAL, not ''
		capjail: hint: try 'capjail --help'
		$ 125 capjail --cap-drop net_admin ran
		capjail: unknown option '--cap-drop'
		capjail: hint: here that is 'capjail --drop'
		$ 125 capjail --cap-add net_admin ran
		capjail: unknown option '--cap-add'
		capjail: hint: here that is 'capjail --keep'
		$ 125 capjail --no-new-privs ran
		capjail: unknown option '--no-new-privs'
		capjail: hint: here that is what capjail does without being asked
		$ 125 capjail --inh-caps=-all ran
		capjail: unknown option '--inh-caps'
		capjail: hint: here that is 'capjail --inheritable'
		$ 125 capjail --bounding-set=-all ran
		capjail: unknown option '--bounding-set'
		capjail: hint: here that is 'capjail --bounding'
		$ 125 capjail --reuid 1000 ran
		capjail: unknown option '--reuid'
		capjail: hint: here that is 'capjail --user'
		$ 125 capjail --iab chown --ambient chown ran
		capjail: --iab is all of --bounding, --inheritable and --ambient
		capjail: hint: try 'capjail --help'
		$ 125 capjail --json ran
		capjail: --json goes with --print
		capjail: hint: try 'capjail --help'
		$ 125 capjail -d chown ran
		capjail: unknown option '-d'
		capjail: hint: try 'capjail --help'
	TABLE
}

@test "rootjail: options and what is mounted" {
	says 40 <<-'TABLE'
		$ 125 rootjail
		rootjail: missing operand: the directory that holds the root file system
		rootjail: hint: usage: 'rootjail [OPTION]... ROOTFS COMMAND [ARG]...'
		$ 125 rootjail sh
		rootjail: missing COMMAND behind 'sh': the program to run
		rootjail: hint: usage: 'rootjail [OPTION]... ROOTFS COMMAND [ARG]...'
		$ 125 rootjail rootfs
		rootjail: missing COMMAND behind 'rootfs': the program to run
		rootjail: hint: usage: 'rootjail [OPTION]... ROOTFS COMMAND [ARG]...'
		$ 125 rootjail '' sh
		rootjail: an operand is empty: the directory that holds the root file system
		rootjail: hint: try 'rootjail --help'
		$ 125 rootjail --readonly rootfs ran
		rootjail: unknown option '--readonly'
		rootjail: hint: did you mean '--read-only'?
		$ 125 rootjail --ro-bind d /x rootfs ran
		rootjail: unknown option '--ro-bind'
		rootjail: hint: here that is 'rootjail --bind=SRC:DST:ro'
		$ 125 rootjail --volume d:/x rootfs ran
		rootjail: unknown option '--volume'
		rootjail: hint: here that is 'rootjail --bind=SRC:DST'
		$ 125 rootjail -v d:/x rootfs ran
		rootjail: unknown option '-v'
		rootjail: hint: try 'rootjail --help'
		$ 125 rootjail --unshare-all rootfs ran
		rootjail: unknown option '--unshare-all'
		rootjail: hint: here that is 'nsnew --all --user'
		$ 125 rootjail --pid rootfs ran
		rootjail: unknown option '--pid'
		rootjail: hint: here that is 'nsnew --pid'
		$ 125 rootjail --chdir /tmp rootfs ran
		rootjail: unknown option '--chdir'
		rootjail: hint: here that is 'rootjail --workdir'
		$ 125 rootjail --masks rootfs ran
		rootjail: unknown option '--masks'
		rootjail: hint: did you mean '--mask'?
		$ 125 rootjail --bind '' rootfs ran
		rootjail: --bind: '' has nothing before the ':'
		rootjail: hint: try 'rootjail --help'
		$ 125 rootjail --bind :/x rootfs ran
		rootjail: --bind: ':/x' has nothing before the ':'
		rootjail: hint: try 'rootjail --help'
		$ 125 rootjail --bind d:x rootfs ran
		rootjail: --bind: 'x' is not an absolute path of the new root
		rootjail: hint: try 'rootjail --help'
		$ 125 rootjail --bind d rootfs ran
		rootjail: --bind: 'd' is not an absolute path of the new root
		rootjail: hint: try 'rootjail --help'
		$ 125 rootjail --bind d:/x:r rootfs ran
		rootjail: --bind: 'r' is no option of it
		rootjail: hint: one of ro, dev, suid, noexec, nosymfollow, norec, idmap=MAP
		$ 125 rootjail --bind d:/x:readonly rootfs ran
		rootjail: --bind: 'readonly' is no option of it
		rootjail: hint: one of ro, dev, suid, noexec, nosymfollow, norec, idmap=MAP
		$ 125 rootjail --bind d:/x:rw,noexc rootfs ran
		rootjail: --bind: 'noexc' is no option of it
		rootjail: hint: did you mean 'noexec'?
		$ 125 rootjail --bind d:/x:ro:x rootfs ran
		rootjail: --bind: 'd:/x:ro:x' has too many parts between ':'
		rootjail: hint: write '\:' for one that belongs to a name
		$ 125 rootjail --bind d:/x:idmap=0:1000:1 rootfs ran
		rootjail: --bind: 'd:/x:idmap=0:1000:1' has too many parts between ':'
		rootjail: hint: write '\:' for one that belongs to a name
		$ 125 rootjail --bind d:/x:idmap=0-1000 rootfs ran
		rootjail: --bind: 'idmap=0-1000' is no map
		rootjail: hint: ON_DISK-SEEN-COUNT[+...] in numbers, without overlap
		$ 125 rootjail --bind d:/../x rootfs ran
		rootjail: --bind: '/../x' has a '..' in it
		rootjail: hint: try 'rootjail --help'
		$ 125 rootjail --bind d:/ rootfs ran
		rootjail: --bind: '/' is the root itself
		rootjail: hint: try 'rootjail --help'
		$ 125 rootjail --tmpfs /tmp:size=16MB rootfs ran
		rootjail: --tmpfs: 'size=16MB' is not a size such as 64M or 1.5G
		rootjail: hint: try 'rootjail --help'
		$ 125 rootjail --tmpfs /tmp:siez=16M rootfs ran
		rootjail: --tmpfs: 'siez=16M' is no option of it
		rootjail: hint: did you mean 'size=SIZE'?
		$ 125 rootjail --tmpfs /tmp:mode=rwx rootfs ran
		rootjail: --tmpfs: 'mode=rwx' is not an octal mode such as 755
		rootjail: hint: try 'rootjail --help'
		$ 125 rootjail --tmpfs /tmp:size=0 rootfs ran
		rootjail: --tmpfs: 'size=0' is no size
		rootjail: hint: to the kernel it would be no limit
		$ 125 rootjail --tmpfs tmp rootfs ran
		rootjail: --tmpfs: 'tmp' is not an absolute path of the new root
		rootjail: hint: try 'rootjail --help'
		$ 125 rootjail --dir /x:mod=755 rootfs ran
		rootjail: --dir: 'mod=755' is no option of it
		rootjail: hint: did you mean 'mode=MODE'?
		$ 125 rootjail --file f rootfs ran
		rootjail: --file: 'f' is not of the form SOURCE:PATH
		rootjail: hint: try 'rootjail --help'
		$ 125 rootjail --symlink /x rootfs ran
		rootjail: --symlink: '/x' is not of the form TARGET:PATH
		rootjail: hint: try 'rootjail --help'
		$ 125 rootjail --dev null rootfs ran
		rootjail: --dev: 'null' is not an absolute path of the new root
		rootjail: hint: try 'rootjail --help'
		$ 125 rootjail --mask proc rootfs ran
		rootjail: --mask: 'proc' is not an absolute path of the new root
		rootjail: hint: try 'rootjail --help'
		$ 125 rootjail --ro-path / rootfs ran
		rootjail: --ro-path: '/' is the root itself
		rootjail: hint: try 'rootjail --help'
		$ 125 rootjail --overlay= rootfs ran
		rootjail: option '--overlay' takes DIR, not ''
		rootjail: hint: try 'rootjail --help'
		$ 125 rootjail --keep-fd 9 rootfs ran
		rootjail: --keep-fd: '9' is not open
		rootjail: hint: FD>FILE in a shell opens it
		$ 125 rootjail --keep-fd x rootfs ran
		rootjail: --keep-fd: 'x' is not a file descriptor
		rootjail: hint: try 'rootjail --help'
		$ 125 rootjail --keep-fd '' rootfs ran
		rootjail: --keep-fd: '' is not a file descriptor
		rootjail: hint: try 'rootjail --help'
		$ 125 rootjail -w /a -w /b rootfs ran
		rootjail: option '--workdir' is given twice
		rootjail: hint: try 'rootjail --help'
	TABLE
}

@test "rootjail: roots, sources and places" {
	requires userns static
	says 23 <<-'TABLE'
		$ 125 $P rootjail no sh
		rootjail: cannot use 'no' as the root: No such file or directory
		$ 125 $P rootjail f sh
		rootjail: cannot use 'f' as the root: Not a directory
		rootjail: hint: it has to be a directory: unpack an archive, nsmount an image
		$ 127 $P rootjail rootfs no-such
		rootjail: cannot run 'no-such' in 'rootfs': No such file or directory
		$ 127 $P rootjail rootfs /bin/no
		rootjail: cannot run '/bin/no' in 'rootfs': No such file or directory
		$ 127 $P rootjail rootfs ''
		rootjail: cannot run '': the name of COMMAND is empty
		$ 127 $P rootjail rootfs --bind d:/x sh
		rootjail: cannot run '--bind' in 'rootfs': No such file or directory
		rootjail: hint: it looks like an option: these stand in front of all operands
		$ 127 $P rootjail rootfs -w /tmp sh
		rootjail: cannot run '-w' in 'rootfs': No such file or directory
		rootjail: hint: it looks like an option: these stand in front of all operands
		$ 126 $P rootjail rootfs /bin
		rootjail: cannot run '/bin' in 'rootfs': Permission denied
		rootjail: hint: no permission, a directory, or on a mount with noexec
		$ 125 $P rootjail --bind d rootfs sh
		rootjail: --bind: 'd' is not an absolute path of the new root
		rootjail: hint: try 'rootjail --help'
		$ 125 $P rootjail --bind no:/x rootfs sh
		rootjail: cannot open 'no': No such file or directory
		$+ 125 $P rootjail --bind d:/bin/sh rootfs sh
		rootjail: cannot mount on '/bin/sh' in the new root: Too many levels of symbolic links
		rootjail: hint: it is a symlink in the root file system; name what it points to
		$ 125 $P rootjail --bind d:/bin/busybox rootfs sh
		rootjail: cannot mount on '/bin/busybox' in the new root: Not a directory
		$ 125 $P rootjail --dev /dev/no rootfs sh
		rootjail: cannot open '/dev/no': No such file or directory
		$ 125 $P rootjail --dev /etc/passwd rootfs sh
		rootjail: '/etc/passwd' is not a device
		$ 125 $P rootjail --file no:/x rootfs sh
		rootjail: cannot open 'no': No such file or directory
		$ 125 $P rootjail --file d:/x rootfs sh
		rootjail: cannot copy 'd': it is a directory, for --bind
		$ 125 $P rootjail --mask /no rootfs sh
		rootjail: cannot mask '/no' in the new root: No such file or directory
		rootjail: hint: --try-mask and --try-ro-path do without where there is nothing
		$ 125 $P rootjail --overlay=f rootfs sh
		rootjail: cannot open 'f': Not a directory
		$ 127 $P rootjail --overlay d rootfs sh
		rootjail: cannot run 'rootfs' in 'd': No such file or directory
		$ 125 $P rootjail -w /no rootfs sh
		rootjail: cannot enter '/no' in the new root: No such file or directory
		$ 125 $P rootjail -w /bin/busybox rootfs sh
		rootjail: cannot enter '/bin/busybox' in the new root: Not a directory
		$ 125 $P rootjail --cgroup rootfs sh
		rootjail: --cgroup would show the groups of the whole machine
		rootjail: hint: put 'nsnew -C' in front, behind cgrun
		$ 125 $P rootjail --bind d:/bin/sh/x rootfs true
		rootjail: cannot mount on '/bin/sh/x' in the new root: Not a directory
	TABLE
}

@test "nsmount: options and operands" {
	requires nsmount
	says 13 <<-'TABLE'
		$ 125 nsmount
		nsmount: missing operand: what to mount
		nsmount: hint: usage: 'nsmount [OPTION]... SOURCE TARGET COMMAND [ARG]...'
		$ 125 nsmount none
		nsmount: missing operand: where to mount it
		nsmount: hint: usage: 'nsmount [OPTION]... SOURCE TARGET COMMAND [ARG]...'
		$ 125 nsmount none d
		nsmount: missing COMMAND behind 'd': the program to run
		nsmount: hint: usage: 'nsmount [OPTION]... SOURCE TARGET COMMAND [ARG]...'
		$ 125 nsmount --fstab no
		nsmount: missing COMMAND: the program to run
		nsmount: hint: try 'nsmount --help'
		$ 125 nsmount '' d ran
		nsmount: an operand is empty: what to mount
		nsmount: hint: try 'nsmount --help'
		$ 125 nsmount -t '' none d ran
		nsmount: --types: '' is no type
		nsmount: hint: try 'nsmount --help'
		$ 125 nsmount -o '' none d ran
		nsmount: --options: '' is empty
		nsmount: hint: try 'nsmount --help'
		$ 125 nsmount --bind d d ran
		nsmount: unknown option '--bind'
		nsmount: hint: here that is 'rootjail --bind', or 'nsmount --options=bind'
		$ 125 nsmount --ro none d ran
		nsmount: unknown option '--ro'
		nsmount: hint: did you mean '--root'? options may not be shortened
		$ 125 nsmount --type tmpfs none d ran
		nsmount: unknown option '--type'
		nsmount: hint: did you mean '--types'? options may not be shortened
		$ 125 nsmount --fstab no ran
		nsmount: cannot open 'no': No such file or directory
		$ 125 nsmount --fstab f ran
		nsmount: cannot read 'f': line 1 is none of fstab(5)
		nsmount: hint: a line is: SOURCE TARGET TYPE OPTIONS, perhaps two numbers
		$ 125 nsmount --fstab f -t tmpfs ran
		nsmount: --fstab: 'f' has the types and options: leave out --types
		nsmount: hint: try 'nsmount --help'
	TABLE
}

@test "nsmount: what is not there or cannot be mounted" {
	requires userns nsmount
	says 9 <<-'TABLE'
		$ 125 $P nsmount -t tmpfs none no ran
		nsmount: cannot open the mount point 'no': No such file or directory
		nsmount: hint: it is not made, unless the option X-mount.mkdir is given
		$ 125 $P nsmount -t tmpfs none f ran
		nsmount: cannot mount 'none' on 'f': Not a directory
		$ 125 $P nsmount -t tmpfs none l ran
		nsmount: cannot open the mount point 'l': Too many levels of symbolic links
		nsmount: hint: a symlink is on the way: name what it points to, or see --root
		$ 125 $P nsmount -t tmfs none d ran
		nsmount: cannot mount 'none' on 'd': No such device
		nsmount: hint: the kernel has no such type, and there is no program mount.TYPE
		$ 125 $P nsmount -o bind no d ran
		nsmount: cannot mount 'no' on 'd': No such file or directory
		nsmount: hint: SOURCE is not there; what needs none takes --types=TYPE
		$ 125 $P nsmount -o bind f d ran
		nsmount: cannot mount 'f' on 'd': Not a directory
		$ 125 $P nsmount -o size=abc -t tmpfs none d ran
		nsmount: cannot mount 'none' on 'd': Invalid argument
		nsmount: hint: it is not of that type, an option is wrong, or it is damaged
		$ 125 $P nsmount LABEL=no d ran
		nsmount: cannot mount 'LABEL=no' on 'd': no device with that tag is found
		$ 125 $P nsmount --root=no -t tmpfs none /x ran
		nsmount: cannot open 'no': No such file or directory
	TABLE
}

@test "nsmount: sources, as root" {
	requires root nsmount
	says 5 <<-'TABLE'
		$ 125 nsmount tmpfs d ran
		nsmount: cannot mount 'tmpfs' on 'd': No such file or directory
		nsmount: hint: SOURCE is not there; what needs none takes --types=TYPE
		$ 125 nsmount no d ran
		nsmount: cannot mount 'no' on 'd': No such file or directory
		nsmount: hint: SOURCE is not there; what needs none takes --types=TYPE
		$ 125 nsmount d d ran
		nsmount: cannot mount 'd' on 'd': Block device required
		nsmount: hint: it is no disk and no image; a directory takes --options=bind
		$ 125 nsmount f d ran
		nsmount: cannot mount 'f' on 'd': Block device required
		nsmount: hint: it is no disk and no image; a directory takes --options=bind
		$ 125 nsnew -r nsmount image d ran
		nsmount: cannot mount 'image' on 'd': Operation not permitted
		nsmount: hint: a directory takes --options=bind, an image root of the host
	TABLE
}

@test "COMMAND: not there, or cannot be run" {
	says 14 <<-'TABLE'
		$ 127 capjail no-such
		capjail: cannot run 'no-such': No such file or directory
		$ 127 capjail ./no-such
		capjail: cannot run './no-such': No such file or directory
		$ 127 capjail ''
		capjail: cannot run '': the name of COMMAND is empty
		$ 127 capjail d
		capjail: cannot run 'd': No such file or directory
		$ 126 capjail ./d
		capjail: cannot run './d': Permission denied
		capjail: hint: no permission, a directory, or on a mount with noexec
		$ 126 capjail ./f
		capjail: cannot run './f': Permission denied
		capjail: hint: no permission, a directory, or on a mount with noexec
		$ 126 capjail ./script
		capjail: cannot run './script': No such file or directory
		capjail: hint: it is there, but the interpreter or loader that it names is not
		$ 126 capjail ./text
		capjail: cannot run './text': Exec format error
		capjail: hint: no program, and no script with a '#!' line for its interpreter
		$ 126 capjail ./loop
		capjail: cannot run './loop': Too many levels of symbolic links
		$ 127 capjail f/x
		capjail: cannot run 'f/x': Not a directory
		$ 126 capjail ./foreign
		capjail: cannot run './foreign': Exec format error
		capjail: hint: no program, and no script with a '#!' line for its interpreter
		$ 127 capjail -- --drop chown
		capjail: cannot run '--drop': No such file or directory
		capjail: hint: it looks like an option: these stand in front of all operands
		$ 127 capjail —drop chown ran
		capjail: cannot run '—drop': No such file or directory
		capjail: hint: it looks like an option: these stand in front of all operands
		$ 127 capjail --parent-death KILL ran
		capjail: cannot run 'KILL': No such file or directory
	TABLE
}

@test "order: a link that lacks what one in front took away" {
	requires userns static
	says 8 <<-'TABLE'
		$ 125 $P capjail --drop sys_admin nsnew -p ran
		nsnew: cannot create namespaces (pid): Operation not permitted
		nsnew: hint: this needs CAP_SYS_ADMIN: behind 'nsnew -r' a plain user has it
		$ 125 $P capjail --drop sys_admin nsnew -m ran
		nsnew: cannot create namespaces (mnt): Operation not permitted
		nsnew: hint: this needs CAP_SYS_ADMIN: behind 'nsnew -r' a plain user has it
		$ 125 $P capjail --drop sys_admin rootjail rootfs sh
		rootjail: cannot create namespaces (mnt): Operation not permitted
		rootjail: hint: this needs CAP_SYS_ADMIN: behind 'nsnew -r' a plain user has it
		$ 125 $P capjail --drop sys_chroot rootjail rootfs sh
		rootjail: cannot enter the root of this mount namespace: Operation not permitted
		rootjail: hint: this needs CAP_SYS_CHROOT, to be sure that it is in no chroot
		$ 125 $P capjail --no-user-namespaces nsnew -U ran
		nsnew: cannot create namespaces (user): Operation not permitted
		nsnew: hint: a chroot or a filter forbids it, or the own ids are not mapped here
		$ 125 $P capjail --drop all capjail --keep chown --ambient chown ran
		capjail: cannot make 'cap_chown' ambient: this process is not permitted it
		capjail: hint: capjail --print shows the permitted set, from which it has to be
		$ 125 $P rootjail rootfs capjail --drop sys_admin rootjail / true
		rootjail: cannot create namespaces (mnt): Operation not permitted
		rootjail: hint: this needs CAP_SYS_ADMIN: behind 'nsnew -r' a plain user has it
		$ 125 $P rootjail rootfs rootjail no true
		rootjail: cannot use 'no' as the root: No such file or directory
	TABLE
}

@test "order: nsmount behind a change of root" {
	requires userns static nsmount
	says 3 <<-'TABLE'
		$ 125 $P rootjail rootfs nsmount -t tmpfs none /tmp true
		rootjail: cannot run the link 'nsmount': Operation not supported
		rootjail: hint: it is not static: put it in front of the change of root
		$ 125 $P rootjail rootfs rootjail / nsmount -t tmpfs none /tmp true
		rootjail: cannot run the link 'nsmount': Operation not supported
		rootjail: hint: it is not static: put it in front of the change of root
		$ 125 $P capjail --drop sys_admin nsmount -t tmpfs none d ran
		nsmount: cannot create namespaces (mnt): Operation not permitted
		nsmount: hint: this needs CAP_SYS_ADMIN: behind 'nsnew -r' a plain user has it
	TABLE
}

@test "order: as root" {
	requires root userns
	says 3 <<-'TABLE'
		$ 125 capjail --drop setfcap nsnew -r ran
		nsnew: cannot write the map '0:0:1' to uid_map: Operation not permitted
		nsnew: hint: to map id 0, whoever makes the namespace needs CAP_SETFCAP
		$ 125 capjail --drop setuid capjail --user 7:7 ran
		capjail: cannot become user 7 and group 7: Operation not permitted
		capjail: hint: this needs CAP_SETUID and CAP_SETGID
		$ 125 capjail --drop setgid capjail --groups 7 ran
		capjail: cannot set the supplementary groups: Operation not permitted
		capjail: hint: this needs CAP_SETGID, and that setgroups(2) is allowed here
	TABLE
}

@test "no /proc, or one that is masked" {
	requires userns static
	says 5 <<-'TABLE'
		$ 125 nsnew -rm sh -c 'mount -t tmpfs none /proc; nsnew -r ran'
		nsnew: cannot write 'deny' to '/proc/self/setgroups': No such file or directory
		$ 125 nsnew -rm sh -c 'mount -t tmpfs none /proc; nsnew --pid-file=x ran'
		nsnew: cannot read the own PID from '/proc/self': No such file or directory
		$* 125 nsnew -rm sh -c 'mount -t tmpfs none /proc; nsjoin -t $$ -u ran'
		nsjoin: cannot open '/proc/*': No such file or directory
		$ 125 nsnew -rm sh -c 'mount -t tmpfs none /proc; cgrun ran'
		cgrun: cannot open '/proc/self': No such file or directory
		$ 125 nsnew -rm sh -c 'mount -t tmpfs none /proc; rootjail --proc rootfs true'
		rootjail: cannot make a file system of type proc: Operation not permitted
		rootjail: hint: in a user namespace: 'nsnew -p', and a /proc with nothing hidden
	TABLE
}

@test "no permission" {
	requires rootless
	says 13 <<-'TABLE'
		$ 125 nsnew -p ran
		nsnew: cannot create namespaces (pid): Operation not permitted
		nsnew: hint: this needs CAP_SYS_ADMIN: behind 'nsnew -r' a plain user has it
		$ 125 nsnew -m --pin=pins ran
		nsnew: cannot make 'pins' a private mount: Operation not permitted
		nsnew: hint: pins are mounts: as a plain user, make them behind 'nsnew -rm'
		$ 125 nsnew -rm --pin=no/such ran
		nsnew: cannot make the directory 'no/such': No such file or directory
		$ 125 nsjoin -t 1 -a ran
		nsjoin: cannot look at the target's 'ns/mnt': Permission denied
		nsjoin: hint: a process of another user: this needs CAP_SYS_PTRACE
		$ 125 nsjoin -t 1 -r ran
		nsjoin: cannot open 'root' of process 1: Permission denied
		nsjoin: hint: a process of another user: this needs CAP_SYS_PTRACE
		$ 125 nsjoin -t 1 -e -u ran
		nsjoin: cannot look at the target's 'ns/uts': Permission denied
		nsjoin: hint: a process of another user: this needs CAP_SYS_PTRACE
		$ 125 rootjail rootfs true
		rootjail: cannot create namespaces (mnt): Operation not permitted
		rootjail: hint: this needs CAP_SYS_ADMIN: behind 'nsnew -r' a plain user has it
		$ 125 capjail --user 7:7 ran
		capjail: cannot become user 7 and group 7: Operation not permitted
		capjail: hint: this needs CAP_SETUID and CAP_SETGID
		$ 125 capjail --groups 5 ran
		capjail: cannot set the supplementary groups: Operation not permitted
		capjail: hint: this needs CAP_SETGID, and that setgroups(2) is allowed here
		$ 125 capjail --ambient chown ran
		capjail: cannot make 'cap_chown' ambient: this process is not permitted it
		capjail: hint: capjail --print shows the permitted set, from which it has to be
		$ 125 capjail --inheritable chown ran
		capjail: cannot make 'cap_chown' inheritable
		capjail: hint: it has to be bounding, and permitted unless there is CAP_SETPCAP
		$ 125 capjail --securebits noroot ran
		capjail: cannot change the securebits from 0 to 0x1: Operation not permitted
		capjail: hint: this needs CAP_SETPCAP, no lock, and a kernel that knows them
		$ 125 capjail --allow-new-privs --drop chown ran
		capjail: cannot drop from the bounding set without CAP_SETPCAP
		capjail: hint: leave out --allow-new-privs: no_new_privs makes that set moot
	TABLE
}

@test "no permission to mount" {
	requires rootless nsmount
	says 1 <<-'TABLE'
		$ 125 nsmount -t tmpfs none d ran
		nsmount: cannot create namespaces (mnt): Operation not permitted
		nsmount: hint: this needs CAP_SYS_ADMIN: behind 'nsnew -r' a plain user has it
	TABLE
}

@test "subordinate ids: whose are missing" {
	requires root userns
	says 4 <<-'TABLE'
		$ 125 unshare -m sh -c 'mount --bind f /etc/subuid; nsnew --map-auto ran'
		nsnew: no ids for user 'root' (0) in '/etc/subuid'
		nsnew: hint: as root: usermod --add-subuids=FIRST-LAST root
		$ 125 unshare -m sh -c 'mount --bind f /etc/subuid; nsnew --map-users=subids ran'
		nsnew: no ids for user 'root' (0) in '/etc/subuid'
		nsnew: hint: as root: usermod --add-subuids=FIRST-LAST root
		$ 125 unshare -m sh -c 'printf 0:1:1 >sub; mount --bind sub /etc/subuid; mount --bind f /etc/subgid; nsnew --map-auto ran'
		nsnew: no ids for user 'root' (0) in '/etc/subgid'
		nsnew: hint: as root: usermod --add-subgids=FIRST-LAST root
		$ 125 unshare -m sh -c 'mount --bind f /etc/subuid; mount --bind f /etc/passwd; nsnew --map-auto ran'
		nsnew: no ids for user 0 in '/etc/subuid'
		nsnew: hint: a line of it is: 0:FIRST:COUNT
	TABLE
}

@test "cgroups: names, files and values" {
	prepare_alone
	requires limits
	A=${ALONE[*]}
	says 11 <<-'TABLE'
		$ 125 $A cgrun --parent no-such ran
		cgrun: there is no cgroup 'no-such'
		cgrun: hint: it is below the own one, or with a '/' as in /proc/PID/cgroup
		$ 125 $A cgrun --parent /no-such ran
		cgrun: there is no cgroup '/no-such'
		cgrun: hint: it is below the own one, or with a '/' as in /proc/PID/cgroup
		$ 125 $A cgrun --join no-such ran
		cgrun: there is no cgroup 'no-such'
		cgrun: hint: it is below the own one, or with a '/' as in /proc/PID/cgroup
		$ 125 $A cgrun --gc --name no-such
		cgrun: there is no cgroup 'no-such' to remove
		$ 125 $A cgrun --set pids.amx=9 ran
		cgrun: cannot set 'pids.amx' to '9': No such file or directory
		cgrun: hint: did you mean 'pids.max'?
		$ 125 $A cgrun --set memry.max=1 ran
		cgrun: cannot limit by --set: no cgroup controller 'memry' here
		cgrun: hint: did you mean 'memory'?
		$ 125 $A cgrun --set pids.max=abc ran
		cgrun: cannot set 'pids.max' to 'abc': Invalid argument
		cgrun: hint: the kernel, or a limit of a group above, does not allow this value
		$ 125 $A cgrun --io-max /dev/null:rbps=1M ran
		cgrun: --io-max: '/dev/null' is not a block device
		cgrun: hint: give a disk, such as /dev/sda, or its MAJOR:MINOR (see lsblk(8))
		$ 125 $A cgrun --stats=no/such/file ran
		cgrun: cannot write 'no/such/file': No such file or directory
		$ 127 $A cgrun -m 64M no-such
		cgrun: cannot run 'no-such': No such file or directory
		$ 126 $A cgrun -m 64M ./f
		cgrun: cannot run './f': Permission denied
		cgrun: hint: no permission, a directory, or on a mount with noexec
	TABLE
}

@test "cgroups: what only version 2 has" {
	prepare_alone
	requires root limits cgroup_v1
	A=${ALONE[*]}
	says 5 <<-'TABLE'
		$ 125 $A cgrun --memory-high 100M ran
		cgrun: cannot limit by --memory-high: cgroup version 1 does not have that
		cgrun: hint: 'memory' is on that version here; --try-memory-high does without
		$ 125 $A cgrun --memory-min 100M ran
		cgrun: cannot limit by --memory-min: cgroup version 1 does not have that
		cgrun: hint: 'memory' is on that version here; --try-memory-min does without
		$ 125 $A cgrun --oom-group ran
		cgrun: cannot limit by --oom-group: cgroup version 1 does not have that
		cgrun: hint: 'memory' is on that version here; --try-oom-group does without
		$ 125 $A cgrun --set memory.hihg=90M ran
		cgrun: cannot set 'memory.hihg' to '90M': No such file or directory
		cgrun: hint: this kernel, or this version of cgroups, has no such file
		$ 125 $A cgrun -c 0.5 cgrun -c 1 ran
		cgrun: cannot set 'cpu.cfs_quota_us' to '100000': Invalid argument
		cgrun: hint: the kernel, or a limit of a group above, does not allow this value
	TABLE
}

@test "values that a terminal would act on" {
	says 11 <<-'TABLE'
		$ 125 capjail --drop $'cho\nwn' ran
		capjail: --drop: 'cho\x0awn' is not a capability of this kernel
		capjail: hint: did you mean 'chown'?
		$ 125 capjail --drop $'cho\e[31mwn' ran
		capjail: --drop: 'cho\x1b[31mwn' is not a capability of this kernel
		capjail: hint: try 'capjail --help'
		$ 125 capjail --drop $'chown\r' ran
		capjail: --drop: 'chown\x0d' is not a capability of this kernel
		capjail: hint: did you mean 'chown'?
		$ 125 cgrun --name $'a\xffb/' ran
		cgrun: --name: 'a\xffb/' has a '/'
		cgrun: hint: --parent names the group above
		$ 125 cgrun --name $'a\n' ran
		cgrun: --name: 'a\x0a' is not a name that a group can have
		cgrun: hint: try 'cgrun --help'
		$ 125 nsnew --$'m\xc3\xa9mory' ran
		nsnew: unknown option '--mémory'
		nsnew: hint: try 'nsnew --help'
		$ 125 nsnew --$'\e]0;x' ran
		nsnew: unknown option '--\x1b]0;x'
		nsnew: hint: try 'nsnew --help'
		$ 125 nsjoin -t $'./\x01' -u ran
		nsjoin: cannot open './\x01': No such file or directory
		$ 125 nsnew --hostname $'a\tb' --hostname b ran
		nsnew: option '--hostname' is given twice
		nsnew: hint: try 'nsnew --help'
		$ 127 capjail $'./a\x7f'
		capjail: cannot run './a\x7f': No such file or directory
		$ 127 capjail $'./\xc2\x9b'
		capjail: cannot run './\xc2\x9b': No such file or directory
	TABLE
}

@test "standard files that are closed or full" {
	says 6 <<-'TABLE'
		$ 125 capjail --help >/dev/full
		capjail: cannot write to standard output: No space left on device
		$ 125 capjail --version >/dev/full
		capjail: cannot write to standard output: No space left on device
		$ 125 nsnew --help >/dev/full
		nsnew: cannot write to standard output: No space left on device
		$ 125 capjail --print >/dev/full
		capjail: cannot write to standard output: No space left on device
		$ 125 capjail --drop chwon ran <&- >&-
		capjail: --drop: 'chwon' is not a capability of this kernel
		capjail: hint: did you mean 'chown'?
		$ 125 nsnew --memry ran <&- >&-
		nsnew: unknown option '--memry'
		nsnew: hint: try 'nsnew --help'
	TABLE
}

@test "cgroups: a name that is taken" {
	prepare_alone
	requires limits
	A=${ALONE[*]}
	says 1 <<-'TABLE'
		$* 125 $A sh -c 'cgrun --name taken --keep true; cgrun --name taken ran; status=$?; cgrun --gc --name taken; exit $status'
		cgrun: cannot make the cgroup '*/taken': File exists
		cgrun: hint: --join=taken runs COMMAND in it, --gc removes it if empty
	TABLE
}

@test "cgroups: no permission" {
	requires rootless
	! has cgroup || skip 'needs a user who may make no cgroup'
	says 1 <<-'TABLE'
		$* 125 cgrun -m 64M ran
		cgrun: cannot make the cgroup '/*/cgrun-*': Permission denied
		cgrun: hint: '/*' is not yours; try: systemd-run --user --scope -p Delegate=yes cgrun -m 64M ran
	TABLE
}

@test "nsjoin: a process that is another one by now" {
	requires pidfs
	says 1 <<-'TABLE'
		$* 125 nsjoin -t $$:1 -u ran
		nsjoin: process * is another one by now: inode * and not 1
	TABLE
}

@test "COMMAND on a mount that is noexec" {
	requires userns static
	says 1 <<-'TABLE'
		$ 126 nsnew -rm sh -c 'mount -t tmpfs -o noexec none d; cp /bin/true d/t; exec capjail --drop chown d/t'
		capjail: cannot run 'd/t': Permission denied
		capjail: hint: no permission, a directory, or on a mount with noexec
	TABLE
}

@test "very long values: what is wrong is still said" {
	local long
	long=$(printf '%03000d' 0)
	check + 125 "capjail --drop $long ran" "capjail: --drop: '${long:0:63}' holds a word that is too long"$'\n'"capjail: hint: try 'capjail --help'"
	check + 125 "nsnew --x$long ran" "nsnew: unknown option '--x${long:0:62}'"$'\n'"nsnew: hint: try 'nsnew --help'"
	check '*' 126 "capjail ./$long$long" "capjail: cannot run './00*: File name too long"
	[ "$(wc -c <said)" -le 4096 ]
}

# Names of other programs' options, in cli.c: each is of no link that it is hinted at for, and what it is called here is there.
@test "options of other programs: what they are called here is there" {
	local name here link option count=0
	while IFS=$'\t' read -r name here; do
		while read -r link option; do
			[ -e "$BIN/$link" ] || continue
			"$link" --help | grep -qE -- "^  (-[A-Za-z], |    )--${option#--}([=[ ]|\$)"
			count=$((count + 1))
		done < <(grep -oE "(nsnew|nsjoin|cgrun|capjail|rootjail|nsmount) --[a-z-]+" <<<"$here")
		for link in "${LINKS[@]}"; do
			! "$link" --help | grep -qE -- "--$name([=[ ]|\$)" || continue
			run --separate-stderr "$link" "--$name" ran
			assert_status 125
			assert_says "$link: unknown option '--$name'"$'\n'"$link: hint: here that is $here"
		done
	done < <(sed -nE '/^} elsewhere\[\]/,/^};/s/^\t\{ "(.*)", "(.*)" \},/\1\t\2/p' "$BATS_TEST_DIRNAME/../common/cli.c")
	[ "$count" -ge 20 ]
}
