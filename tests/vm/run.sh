#!/usr/bin/env bash
# tests/vm/run.sh COMMAND [ARG]...: boots Debian's own kernel under qemu, without KVM, and runs COMMAND there as root in this directory. The
# root file system is this machine's, read-only below a tmpfs, so that everything built here is there too and nothing that happens there
# comes back; cgroups are pure version 2 with all controllers. Prints what COMMAND prints and exits with its status, with 99 if the machine
# never told it. COMMAND gets the variables of tests/run.sh and of the Makefile, and no others.
#   VM_MEMORY   MiB (3072)
#   VM_SECONDS  after which the machine is ended (1500)
# Needs tests/setup.sh vm.
set -euo pipefail
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

passed_on=(TESTS RUN_AS JOBS ROUNDS THIN TEST_ID TEST_SECONDS MUST_RUN MUST_RUN_USER CI WERROR CC CPPFLAGS CFLAGS LDFLAGS BENCH BENCH_ROUNDS BENCH_LIVE BENCH_JSON)
# What leads to the root file system.
modules=(virtio_pci 9pnet_virtio 9p overlay)

fail() {
	echo "tests/vm/run.sh: $*" >&2
	exit 99
}

[[ $# -gt 0 ]] || fail 'COMMAND is missing'
for program in qemu-system-x86_64 cpio modprobe busybox; do
	type -P "$program" >/dev/null || fail "$program is missing: run tests/setup.sh vm"
done

# The newest kernel with these modules.
found=
while read -r kernel; do
	version=${kernel#/boot/vmlinuz-}
	if files=$(for module in "${modules[@]}"; do modprobe -S "$version" --show-depends "$module" || exit; done 2>/dev/null); then
		found=$kernel
		break
	fi
done < <(find /boot -name 'vmlinuz-*' | sort -rV)
[[ -n $found ]] || fail 'no kernel with its modules in /boot: run tests/setup.sh vm'
[[ -r $kernel ]] || fail "cannot read $kernel"

machine=
work=$(mktemp -d)
# shellcheck disable=SC2317 # by the trap
clean_up() {
	local pid
	for pid in $machine $(jobs -p); do
		kill "$pid" 2>/dev/null || true
	done
	wait
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# --- the first process: a shell, the modules, the root file system ---

mkdir -p "$work"/{root/{bin,modules,proc,sys,dev,lower,memory,new},share}
cp "$(type -P busybox)" "$work/root/bin/"
awk '$1 == "insmod" && !seen[$2]++ { print $2 }' <<<"$files" | while read -r file; do
	cp "$file" "$work/root/modules/"
	basename "$file" >>"$work/root/modules/order"
done
cat >"$work/root/init" <<'END'
#!/bin/busybox sh
exec >/dev/console 2>&1
alias mount='/bin/busybox mount' mkdir='/bin/busybox mkdir'
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
while read -r module; do /bin/busybox insmod "/modules/$module"; done </modules/order
mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose host /lower
mount -t tmpfs -o mode=755,size=75% tmpfs /memory
mkdir /memory/upper /memory/work
mount -t overlay -o lowerdir=/lower,upperdir=/memory/upper,workdir=/memory/work overlay /new
for directory in proc sys dev; do mount --move "/$directory" "/new/$directory"; done
mount -t tmpfs -o mode=755 tmpfs /new/run
mkdir -p /new/run/share
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=none share /new/run/share
exec /bin/busybox switch_root /new /bin/bash /run/share/guest
END
chmod +x "$work/root/init"
(cd "$work/root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initramfs"

# --- then: what a machine has, and COMMAND ---

cat >"$work/share/guest" <<'END'
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LC_ALL=C TMPDIR=/run/tmp
mkdir -p /dev/pts /dev/shm /run/lock
mkdir -m 1777 "$TMPDIR"
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
ln -s /proc/self/fd /dev/fd
for number in 0=stdin 1=stdout 2=stderr; do ln -s "fd/${number%=*}" "/dev/${number#*=}"; done
mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup
sed 's/[^ ]*/+&/g' /sys/fs/cgroup/cgroup.controllers >/sys/fs/cgroup/cgroup.subtree_control
mount --make-rshared /
ip link set lo up
hostname vm
cd "$(cat /run/share/directory)" || exit
# What is run all the time is copied into the tmpfs: to open it on the machine outside takes as long as to run it.
touch -ca build/*/{bin,bench,helpers,unit}/* /usr/bin/{bash,sh,env,cat,mkdir,rm,sed,mawk,grep,readlink,date,sleep,true,id,strace,findmnt} \
	/lib64/ld-* /lib/x86_64-linux-gnu/{libc,libtinfo,libselinux,libpcre2-8,libm,libmount,libblkid}.so.* \
	/etc/ld.so.cache /usr/lib/bats-core/* /usr/libexec/bats-core/*
setsid bash /run/share/command </dev/null >/run/share/output 2>&1
echo $? >/run/share/status
sync
echo o >/proc/sysrq-trigger
sleep 60
END
{
	for name in "${passed_on[@]}"; do
		[[ -z ${!name+set} ]] || printf 'export %s=%q\n' "$name" "${!name}"
	done
	printf exec
	printf ' %q' "$@"
} >"$work/share/command"
printf '%s\n' "$PWD" >"$work/share/directory"
: >"$work/share/output"

# norandmaps: what qemu has translated once, it finds again only at the same address; this makes an exec three times as fast.
# Ends with this script, even if that is killed.
setpriv --pdeathsig TERM timeout -k 5 "${VM_SECONDS:-1500}" qemu-system-x86_64 -M q35,accel=tcg -cpu qemu64 -smp 1 \
	-m "${VM_MEMORY:-3072}" -display none -no-reboot -nodefaults -serial "file:$work/console" -monitor none \
	-kernel "$kernel" -initrd "$work/initramfs" -append "console=ttyS0 quiet loglevel=3 panic=-1 cgroup_no_v1=all \
mitigations=off norandmaps init_on_alloc=0 random.trust_cpu=on" \
	-fsdev local,id=host,path=/,security_model=none,readonly=on,multidevs=remap \
	-device virtio-9p-pci,fsdev=host,mount_tag=host \
	-fsdev "local,id=share,path=${work//,/,,}/share,security_model=none" \
	-device virtio-9p-pci,fsdev=share,mount_tag=share </dev/null &
machine=$!
tail -n +1 -s 0.5 -f --pid="$machine" "$work/share/output" &
wait "$!" || true
status=0
wait "$machine" || status=$?
machine=
if [[ ! -s $work/share/status ]]; then
	cat "$work/console" >&2 || true
	[[ $status -ne 124 ]] || fail "not done after ${VM_SECONDS:-1500} seconds"
	fail "the machine ended without a word, qemu with status $status"
fi
exit "$(cat "$work/share/status")"
