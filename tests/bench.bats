#!/usr/bin/env bats
# tests/bench/limit.c is what chains are measured against (`make bench`), so it has to do what they do: all system calls that change
# something are made as often, but for those that are listed here.
load helpers

setup() {
	requires root memory strace shipped cgroup_v1 cgroup first_pids
	[ -n "$(own_cgroup v2)" ] || skip "needs version 2 beside version 1"
	LIMIT=$(dirname "$HELPERS")/bench/limit
	ROOT=$BATS_TEST_TMPDIR/root
	make_root "$ROOT"
	CHANGES=clone,clone3,fork,vfork,unshare,setns,mount,umount2,open_tree,mount_setattr,move_mount,fsopen,fsconfig,fsmount
	CHANGES+=,pivot_root,chroot,mkdirat,mkdir,unlinkat,rmdir,mknodat,symlinkat,write,capset,prctl,setsid,setpgid,setuid,setgid
	CHANGES+=,setgroups,setresuid,setresgid,sethostname,setdomainname,ioctl,keyctl,kill,fchmod,flock,execve,execveat
}

# What the chain makes more often than limit, and why that is no part of the work.
allowed() { # STEPS
	case $1 in *g*)
		echo '1 flock: on version 2 it tells other cgruns that nobody takes controllers back meanwhile'
		echo '2 kill: is the watched process still there, when its group is removed by another'
		echo '1 prctl SET_DUMPABLE: cgrun hides while it waits'
		echo '1 prctl SET_DUMPABLE: its watcher hides'
		;;
	esac
	case $1 in *[Ssj]*)
		echo '1 prctl SET_DUMPABLE: the parent of the first process of a PID namespace hides while it waits'
		;;
	esac
	case $1 in *j*)
		echo '2 prctl SET_DUMPABLE: nsjoin is not to be looked at on its way, by those whose namespaces it enters'
		;;
	esac
	case $1 in *[rbj]*)
		echo '1 execveat: into the toolbox'
		echo '1 prctl SET_NAME: what runs from memory has no name of its own'
		;;
	esac
	case $1 in *[kd]*)
		echo '1 capset: twice, because the ambient set and securebits are set between'
		;;
	esac
	# The first program is one in both.
	case $1 in
	gSrk | gsrk) echo '1 execve: a program for each link'; echo '1 execveat: capjail is in the toolbox'; echo '1 prctl SET_NAME: it runs from memory' ;;
	gdr) echo '1 execve: a program for each link' ;;
	esac
}

# made FILE: how often each of the calls was made, "COUNT NAME"; which of its operations is part of the name.
made() {
	awk '
		/resumed>|^[0-9]+ +(\+\+\+|---)/ { next }
		/ (execve|execveat)\(/ && / = -1 / { next }
		{
			sub(/^[0-9]+ +/, "")
			name = $0
			sub(/\(.*/, "", name)
			if (name == "ioctl" && $0 !~ /SIOCS/ || name == "prctl" && $0 ~ /PR_GET|CAPBSET_READ|AMBIENT_IS_SET/) next
			if (name == "prctl" && match($0, /PR_[A-Z_]+/)) name = name " " substr($0, RSTART + 3, RLENGTH - 3)
			count[name]++
		}
		END { for (name in count) print count[name], name }' "$1" | LC_ALL=C sort -k 2
}

# compare STEPS PID COMMAND...: the chain and limit with STEPS.
compare() {
	local steps=$1 target=$2 v2 v1
	shift 2
	v2=$(own_cgroup v2) v1=$(own_cgroup memory)
	strace -f -qq -e "trace=$CHANGES" -o "$BATS_TEST_TMPDIR/chain" "$@"
	strace -f -qq -e "trace=$CHANGES" -o "$BATS_TEST_TMPDIR/limit" "$LIMIT" "$steps" "$v2" "$v1" "$ROOT" "$target" /bin/true
	made "$BATS_TEST_TMPDIR/chain" >"$BATS_TEST_TMPDIR/chain.made"
	{
		made "$BATS_TEST_TMPDIR/limit"
		allowed "$steps" | sed 's/:.*//'
	} | awk '{ count = $1; sub(/^[0-9]+ /, ""); total[$0] += count } END { for (name in total) print total[name], name }' |
		LC_ALL=C sort -k 2 >"$BATS_TEST_TMPDIR/limit.made"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/limit.made")" -gt 1 ]
	# < is the chain, > is limit with what is allowed.
	diff "$BATS_TEST_TMPDIR/chain.made" "$BATS_TEST_TMPDIR/limit.made"
}

@test "limit does what the chain of a whole container does" {
	compare gSrk 0 cgrun -m 100M nsnew -pmuin rootjail "$ROOT" capjail --preset docker /bin/true
}

@test "limit does what a chain without a network does" {
	compare gsrk 0 cgrun -m 100M nsnew -pmui rootjail "$ROOT" capjail --preset docker /bin/true
}

@test "limit does what a chain without namespaces does" {
	compare gdr 0 cgrun -m 100M capjail --drop chown rootjail "$ROOT" /bin/true
}

@test "limit does what each link does" {
	compare g 0 cgrun -m 100M /bin/true
	compare S 0 nsnew -pmuin /bin/true
	compare s 0 nsnew -pmui /bin/true
	compare u 0 nsnew -u /bin/true
	compare r 0 rootjail "$ROOT" /bin/true
	compare b 0 rootjail --bare "$ROOT" /bin/true
	compare k 0 capjail --preset docker /bin/true
	compare d 0 capjail --drop chown /bin/true
}

@test "limit does what nsjoin does" {
	nsnew -pmuin --pid-file="$BATS_TEST_TMPDIR/pid" --ready-fd=5 rootjail "$ROOT" sleep infinity 5>"$BATS_TEST_TMPDIR/up" &
	local target=$!
	eventually test -s "$BATS_TEST_TMPDIR/up"
	run compare j "$(cat "$BATS_TEST_TMPDIR/pid")" nsjoin --all --target "$(cat "$BATS_TEST_TMPDIR/pid")" /bin/true
	kill $target
	wait $target || true
	assert_status 0
}

@test "what limit starts is limited, also with an exec for each link" {
	local steps
	for steps in gSrk gxSxrxk; do
		run "$LIMIT" "$steps" "$(own_cgroup v2)" "$(own_cgroup memory)" "$ROOT" 0 /bin/sh -c \
			'echo "I am $$"; ls /sys; grep -E "CapEff|NoNewPrivs" /proc/self/status; tail /dev/zero'
		assert_status 137
		assert_says "I am 1"
		assert_says "00000000a80425fb"
		assert_says "NoNewPrivs:	1"
	done
}
