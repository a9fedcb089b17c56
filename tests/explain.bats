#!/usr/bin/env bats
# --explain: what a link says it would do is what it does, by strace(1), and saying so changes nothing and takes no privilege.
# shellcheck disable=SC2016,SC2030,SC2031 # shells inside of a chain; output and status are set by run

setup() {
	load helpers
	load helpers/processes
	prepare_alone
	cd "$BATS_TEST_TMPDIR" || return
	cp -a "$BATS_FILE_TMPDIR/rootfs" rootfs
	mkdir src place kept made
	echo text >src/file
	# What the real thing has not made, the next chain is not to find either.
	export TMPDIR=$BATS_TEST_TMPDIR
}

setup_file() {
	load helpers
	make_root "$BATS_FILE_TMPDIR/rootfs"
}

teardown() {
	end_started
	remove_alone
}

# As the system calls of a real run are. Each line is a chain.
true_to_life() {
	local line
	local -a words
	requires strace
	while read -r line; do
		[ -n "$line" ] || continue
		eval "words=($line)"
		run "${ALONE[@]}" python3 "$BATS_TEST_DIRNAME/helpers/explained.py" "${words[@]}"
		echo "$line: $output"
		assert_status 0
		assert_says 'calls as explained'
		rm -rf rootfs/made kept/*
	done
}

@test "nsnew does what it says" {
	requires userns static
	true_to_life <<-'END'
		nsnew -r true
		nsnew -cn --keep-caps true
		nsnew -r --no-nested-users true
		nsnew -rpm --mount-proc --hostname box --domainname lab true
		nsnew -rpm --init --new-session --mount-proc true
		nsnew -r --fork --propagation=slave --kill-child=TERM true
		nsnew -rT --boottime 100 --monotonic -50.5 true
		nsnew -rp --no-kill-child true
	END
}

@test "nsnew does what it says, with what takes privilege" {
	requires root static
	true_to_life <<-'END'
		nsnew -a true
		nsnew -muin --propagation=shared true
		nsnew -pm --map-users=0:100000:65536 --map-groups=0:100000:65536 --mount-proc true
		nsnew -U --map-users=0:100000:10 --map-groups=0:100000:10 --owner 100000:100000 true
	END
}

# Behind strace, a set-user-ID program is none.
@test "nsnew says by which program subordinate ids are mapped" {
	requires rootless subids
	run nsnew --explain -rm --map-auto true
	assert_status 0
	assert_says 'execve("/usr/bin/newuidmap", ["/usr/bin/newuidmap", "PID", "0'
	assert_says 'execve("/usr/bin/newgidmap"'
}

@test "capjail does what it says" {
	requires static
	true_to_life <<-'END'
		capjail true
		capjail --drop all true
		capjail --keep chown --umask 027 true
		capjail --preset none --no-user-namespaces true
	END
}

@test "capjail does what it says, with what takes privilege" {
	requires root static
	true_to_life <<-'END'
		capjail --preset docker true
		capjail --keep chown,kill,setpcap --ambient kill -u 1000:2000 --groups 4,20 --umask 027 --parent-death true
		capjail --iab '!%chown,^net_raw' --securebits noroot --allow-new-privs true
		capjail --user 0:0 --clear-groups capjail --preset nobody true
	END
}

@test "rootjail does what it says" {
	requires userns static
	true_to_life <<-'END'
		nsnew -r rootjail rootfs sh -c :
		nsnew -rp rootjail --bare rootfs sh -c :
		nsnew -rpin rootjail --new-session --sys --mqueue --keep-keyring rootfs sh -c :
		nsnew -rp rootjail --bind=src:/data --bind=src:/made/deep/data:ro --tmpfs=/tmp:size=1M,mode=1777 --mask=/data --ro-path=/bin rootfs sh -c :
		nsnew -rp rootjail --read-only --dir=/made/dir:mode=700 --symlink=dir:/made/link --file=src/file:/made/copy --workdir=/made rootfs sh -c :
		nsnew -rp rootjail --dev=/dev/null --no-masks --try-mask=/nowhere rootfs sh -c :
		nsnew -rp rootjail rootfs capjail --drop all sh -c :
	END
}

@test "rootjail does what it says, with an overlay" {
	requires root static
	true_to_life <<-'END'
		rootjail --overlay rootfs sh -c :
		rootjail --overlay=kept --read-only rootfs sh -c :
		nsnew -p rootjail --overlay --proc --bind=src:/data:ro,nosymfollow rootfs sh -c :
	END
}

@test "cgrun does what it says" {
	requires limits static
	true_to_life <<-'END'
		cgrun true
		cgrun -m 64M true
		cgrun -p 50 --cpus 0.5 --cpu-weight 200 true
		cgrun -m 64M -p 9 --name explained true
		cgrun -p 9 --exec true
	END
}

@test "a chain does what it says" {
	requires userns memory static
	true_to_life <<-'END'
		cgrun -m 100M nsnew -rpmuin rootjail rootfs capjail --preset docker sh -c :
		cgrun -m 100M -p 40 nsnew -rpmuinC --init --hostname box rootjail --read-only --tmpfs=/tmp rootfs capjail --drop all sh -c :
	END
}

@test "nsjoin does what it says" {
	requires userns setns_pidfd static
	start "${PRIVILEGED[@]}" nsnew -muin rootjail rootfs sleep 60
	eventually grep -qs ^sleep "/proc/$LINK_PID/comm"
	local join="nsjoin -t $LINK_PID" user=
	has root || user=-U
	true_to_life <<-END
		$join $user -a true
		$join $user -un true
		$join $user -n -r -w -e true
		$join $user -mn --wdns=/tmp true
		$join $user -n --preserve-credentials true
	END
}

@test "nsjoin does what it says to a container that comes to a pod" {
	requires userns setns_pidfd static
	mkfifo up
	nsnew -rniup --pid-file=pod.pid --ready-fd=3 rootjail rootfs sleep 60 3>up &
	STARTED+=("$!")
	read -r _ <up
	true_to_life <<-END
		nsjoin -t $(<pod.pid) -Uniup rootjail rootfs sh -c :
		nsjoin -t $(<pod.pid) -Uniup sh -c :
	END
}

@test "nsmount does what it says" {
	requires userns nsmount static
	true_to_life <<-'END'
		nsnew -rm nsmount -t tmpfs none place true
		nsnew -rm nsmount -o bind,ro src place true
	END
}

# What may be called while explaining: the next link is started, and the umask read.
ALLOWED='execve|execveat|umask|prctl\(PR_SET_PDEATHSIG|prctl\(PR_SET_NAME'

@test "explaining changes nothing, as strace sees it, and takes no privilege" {
	requires strace static
	local chain calls group
	calls=unshare,setns,mount,umount2,pivot_root,chroot,chdir,fchdir,open_tree,fsopen,fsconfig,fsmount,mount_setattr,move_mount,mkdir,mkdirat,mknod
	calls+=,mknodat,symlink,symlinkat,rename,renameat,renameat2,fchmod,fchmodat,fchown,fchownat,chmod,chown,unlink,unlinkat,sethostname,setdomainname
	calls+=,keyctl,setresuid,setresgid,setgroups,setuid,setgid,capset,clone,clone3,fork,vfork,kill,memfd_create,setsid,setpgid,bpf,seccomp,flock
	calls+=,execve,execveat,umask,prctl,link,linkat,truncate,ftruncate,setrlimit
	touch stamp
	while read -r chain; do
		eval "set -- $chain"
		local link=$1
		shift
		strace -f -qq -o trace -e "trace=$calls" -e signal=none "$link" --explain "$@" >said
		# capset and prctl are only for looking here.
		! grep -vE "^[0-9]+ +($ALLOWED|prctl\((PR_GET_|PR_CAPBSET_READ|PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET))" trace || return 1
		[ "$(grep -cE '^ +[0-9]+\. ' said)" -gt 3 ]
		grep -oE '/sys/fs/cgroup[^>]*/cgrun-[0-9a-f-]+' said >groups || true
		while read -r group; do
			[ ! -e "$group" ]
		done <groups
	done <<-'END'
		cgrun -m 100M nsnew -pmuin rootjail rootfs capjail --preset docker sh -c 'touch ran'
		nsnew -a --hostname box --init --pin=./pins --pid-file=pid rootjail --overlay=kept --file=src/file:/copy rootfs touch ran
		nsnew --map-users=0:100000:10 --map-groups=0:100000:10 --no-nested-users rootjail --bind=src:/new --dir=/made rootfs capjail --user 0:0 touch ran
		nsnew -m nsmount -o bind src place touch ran
		nsjoin -t $$ -a -S 0 -r capjail --keep chown touch ran
	END
	[ ! -e ran ] && [ ! -e pins ] && [ ! -e pid ] && [ ! -e rootfs/copy ] && [ ! -e rootfs/made ] && [ -z "$(ls kept)" ]
}

@test "json: an object a line, of all links, numbered from 1 in each" {
	run --separate-stderr nsnew --explain=json -rp --hostname 'a "b"\c' rootjail --tmpfs=/tmp rootfs capjail --drop all sh -c $'two\nlines'
	assert_status 0
	python3 -c '
import json, sys
steps = [json.loads(line) for line in sys.stdin]
assert [s["link"] for s in steps if s["step"] == 1] == ["nsnew", "rootjail", "capjail"], steps
for link in "nsnew", "rootjail", "capjail":
    numbers = [s["step"] for s in steps if s["link"] == link]
    assert numbers == list(range(1, len(numbers) + 1)), numbers
assert all(s["why"] and s["text"].startswith(s["call"] + "(") for s in steps), steps
assert steps[-1]["text"] == "execve(\"sh\", [\"sh\", \"-c\", \"two\\nlines\"])", steps[-1]
assert any(s["text"].startswith("sethostname(\"a \\\"b\\\"\\\\c\"") for s in steps), steps
' <<<"$output"
}

@test "each step has a reason, the last is the exec of COMMAND, and the last line ends" {
	local link
	cd rootfs
	for link in "${LINKS[@]}"; do
		case $link in
		nsjoin) set -- nsjoin --explain -t $$ -u capjail --explain --explain=text true ;;
		rootjail) set -- rootjail --explain . true ;;
		nsmount) set -- nsmount --explain -t tmpfs none tmp true ;;
		*) set -- "$link" --explain true ;;
		esac
		run "$@"
		assert_status 0
		[ "${lines[0]}" = "$link:" ]
		[[ ${lines[1]} == '  # '* ]]
		[[ ${lines[-1]} == *'execve("'*'true", ["true"])' ]]
	done
}

@test "bad input is refused as ever, and what cannot be explained as well" {
	assert_refuses "'xml' is not text or json" nsnew --explain=xml "${UNREACHED[@]}"
	assert_refuses "'text,nothing' is not text or json" nsnew --explain=text,nothing "${UNREACHED[@]}"
	assert_refuses "/nonexistent" rootjail --explain /nonexistent "${UNREACHED[@]}"
	assert_refuses 'missing COMMAND' capjail --explain
	assert_refuses "chwon" capjail --explain --drop chwon "${UNREACHED[@]}"
	assert_refuses '--gc' cgrun --explain --gc
	run sh -c 'capjail --explain true >/dev/full'
	assert_status 125
	# A link further on that is wrong is found before anything is done.
	run --separate-stderr nsnew --explain -r capjail --drop chwon true
	assert_status 125
	[[ ${stderr:?} == *chwon* ]]
}

@test "a program that is called like a link, but by a path, is not run" {
	printf '#!/bin/sh\ntouch ran\n' >capjail
	chmod +x capjail
	run nsnew --explain -r ./capjail --drop all
	assert_status 0
	[[ ${lines[-1]} == *'execve("./capjail", ["./capjail", "--drop", "all"])' ]]
	PATH=$PWD:$PATH run "$BIN/nsnew" --explain -r capjail --drop all true
	[ ! -e ran ]
}

@test "a directory in PATH that is called like COMMAND is passed over, as exec does" {
	mkdir -p first/tool second
	printf '#!/bin/sh\necho ran\n' >second/tool
	chmod 755 second/tool
	run env PATH="$PWD/first:$PWD/second:$PATH" capjail --keep all tool
	assert_status 0
	assert_output ran
	run env PATH="$PWD/first:$PWD/second:$PATH" capjail --explain --keep all tool
	assert_status 0
	assert_says "execve(\"$PWD/second/tool\""
}

@test "a release of pins is explained, and the pins stay" {
	mkdir -m 700 pins
	touch pins/net pins/uts
	run nsnew --explain --unpin=./pins
	assert_status 0
	assert_says 'umount2("/proc/self/fd/N/uts", MNT_DETACH|UMOUNT_NOFOLLOW)'
	assert_says 'unlinkat('
	[[ $output != */mnt* ]]
	[ -e pins/net ] && [ -e pins/uts ]
}

@test "the environment of a target is not that of the links that explain (S09)" {
	requires strace userns
	start "${PRIVILEGED[@]}" nsnew -u env -i MARK_OF_TARGET=1 LD_PRELOAD=/nonexistent.so "$(command -v sleep)" 60
	eventually grep -qs ^sleep "/proc/$LINK_PID/comm"
	run strace -f -v -s 100000 -o trace -e trace=execve,execveat nsjoin --explain -t "$LINK_PID" -u -e nsnew -u true
	assert_status 0
	grep -q '"nsnew", "--explain=text' trace
	! grep -q MARK_OF_TARGET trace || return 1
}

@test "json and text of bytes that nobody would write, and of long words" {
	local long strange=$'a\x1b\xff"\\\t\n\u00e9'
	long=$(printf '"%.0s' {1..30000})
	nsnew --explain=json -u "$strange" "$long" >said.json
	python3 -c '
import json, sys
steps = [json.loads(line) for line in open("said.json", encoding="utf-8")]
assert steps[-1]["text"].count("\\\"") >= 30000, steps
' "$strange"
	nsnew --explain -u "$strange" "$long" >said
	[ "$(wc -c <said)" -gt 60000 ]
	! LC_ALL=C grep -q $'[\x01-\x09\x0b-\x1f\x7f\xff]' said || return 1
}

@test "files that the caller left open are not taken for others, and many steps take many files" {
	local many=()
	mapfile -t many < <(printf -- '--tmpfs=/many/%s\n' {1..150})
	run rootjail --explain --keep-fd=640 "${many[@]}" rootfs nsnew -u --ready-fd=640 true 640>kept/file
	assert_status 0
	assert_says 'kept/file>, "\n", 1)'
	run sh -c 'ulimit -n 80 && exec rootjail --explain rootfs true'
	assert_status 0
}
