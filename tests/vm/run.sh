#!/usr/bin/env bash
# tests/vm/run.sh COMMAND...: boots Debian's own kernel under qemu, without KVM, and runs COMMAND there as root in this directory. The root file
# system is this machine's, read-only below a tmpfs, so that everything built here is there too; cgroups are pure version 2 with all
# controllers. Prints what COMMAND prints and exits with its status; with 99 if the machine never said.
#   VM_MEMORY   MiB (3072)
#   VM_SECONDS  after which it is ended (1500)
# Needs, as Debian's packages: qemu-system-x86 linux-image-amd64 busybox-static cpio kmod.
set -euo pipefail

here=$PWD
kernel=$(find /boot -name 'vmlinuz-*' | sort -V | tail -n 1)
version=${kernel#/boot/vmlinuz-}
[[ -n $kernel ]] || { echo 'tests/vm/run.sh: no kernel in /boot: install linux-image-amd64' >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{root/{bin,modules,proc,sys,dev,lower,memory,new},share}

# What the first process needs: a shell, and the modules that lead to the root file system.
cp /bin/busybox "$work/root/bin/"
for module in virtio_pci 9pnet_virtio 9p overlay; do
	modprobe -S "$version" --show-depends "$module" | awk '$1 == "insmod" { print $2 }'
done | awk '!seen[$0]++' | while read -r file; do
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
mkdir -p /new/run/share
mount -t tmpfs -o mode=755 tmpfs /new/run
mkdir -p /new/run/share
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=none share /new/run/share
exec /bin/busybox switch_root /new /bin/bash /run/share/guest
END
chmod +x "$work/root/init"
(cd "$work/root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initramfs"

cat >"$work/share/guest" <<'END'
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LC_ALL=C
mkdir -p /dev/pts /dev/shm /run/lock
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup
sed 's/[^ ]*/+&/g' /sys/fs/cgroup/cgroup.controllers >/sys/fs/cgroup/cgroup.subtree_control
mount --make-rshared /
ip link set lo up
hostname vm
cd "$(cat /run/share/directory)"
setsid bash /run/share/command </dev/null >/run/share/output 2>&1
echo $? >/run/share/status
sync
echo o >/proc/sysrq-trigger
sleep 60
END
printf '%s\n' "$here" >"$work/share/directory"
printf '%s\n' "$*" >"$work/share/command"
: >"$work/share/output"

timeout -k 5 "${VM_SECONDS:-1500}" qemu-system-x86_64 -M q35,accel=tcg -cpu max -smp 2 -m "${VM_MEMORY:-3072}" \
	-display none -no-reboot -nodefaults -serial "file:$work/console" -monitor none \
	-kernel "$kernel" -initrd "$work/initramfs" \
	-append 'console=ttyS0 quiet loglevel=3 panic=-1 cgroup_no_v1=all mitigations=off tsc=reliable random.trust_cpu=on' \
	-fsdev local,id=host,path=/,security_model=none,readonly=on,multidevs=remap \
	-device virtio-9p-pci,fsdev=host,mount_tag=host \
	-fsdev local,id=share,path="$work/share",security_model=none \
	-device virtio-9p-pci,fsdev=share,mount_tag=share </dev/null &
qemu=$!
tail -n +1 -s 0.5 -f --pid="$qemu" "$work/share/output"
wait "$qemu" || true
[[ -s $work/share/status ]] || { cat "$work/console" >&2; exit 99; }
exit "$(cat "$work/share/status")"
