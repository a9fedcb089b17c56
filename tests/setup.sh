#!/usr/bin/env bash
# tests/setup.sh SET...: installs the Debian packages of the sets build, demo, cast, test, vm, lint, fuzz, coverage, bench, dist, deb, packages that are missing.
# Where it cannot (no root, no apt-get) it names them and fails; it says nothing when all is there.
set -euo pipefail
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

declare -A packages=(
	[build]='gcc make libc6-dev libcap-dev libmount-dev musl-tools'
	[demo]='busybox-static'
	[cast]='termtosvg python3'
	[test]='bats busybox-static strace uidmap libcap2-bin util-linux procps python3 perl squashfs-tools erofs-utils e2fsprogs patch bash-completion zsh fish'
	[vm]='qemu-system-x86 linux-image-amd64 busybox-static cpio kmod'
	[fuzz]='clang libclang-rt-dev perl'
	[coverage]='clang libclang-rt-dev llvm'
	[bench]='crun runc bubblewrap cgroup-tools util-linux libcap2-bin python3'
	[dist]='git'
	[deb]='build-essential dpkg-dev debhelper'
	[packages]='lintian debootstrap busybox-static util-linux'
	[lint]='clang clang-format clang-tidy cppcheck shellcheck mandoc perl'
)

has_archive() {
	[[ -e $("${CC:-cc}" -print-file-name="$1" 2>/dev/null) ]]
}

# What clang links to programs that are to be fuzzed or to count.
has_runtime() {
	local place
	place=$("${CLANG:-clang}" -print-runtime-dir 2>/dev/null) || return
	compgen -G "$place/libclang_rt.profile*.a"
}

# A dynamic busybox cannot run alone in a root file system.
has_static_busybox() {
	type -P busybox >/dev/null && ! ldd "$(type -P busybox)" 2>/dev/null | grep -q '=>'
}

# A kernel with the modules that tests/vm/run.sh needs beside it.
has_kernel() {
	local kernel
	for kernel in /boot/vmlinuz-*; do
		! compgen -G "/lib/modules/${kernel#*/vmlinuz-}/kernel/net/9p/9pnet_virtio.ko*" || return 0
	done
	return 1
}

# Whether what Debian packs as PACKAGE is there, wherever it came from.
has() {
	if dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null | grep -q '^installed'; then
		return 0
	fi
	case $1 in
	gcc) type -P "${CC:-cc}" ;;
	libc6-dev) has_archive libc.a ;;
	libcap-dev) has_archive libcap.a ;;
	libmount-dev) has_archive libmount.so ;;
	musl-tools) compgen -G '/usr/lib/*-linux-musl/rcrt1.o' ;;
	busybox-static) has_static_busybox ;;
	uidmap) type -P newuidmap ;;
	libcap2-bin) type -P capsh ;;
	util-linux) type -P setpriv ;;
	dpkg-dev) type -P dpkg-buildpackage ;;
	debhelper) type -P dh ;;
	procps) type -P ps ;;
	squashfs-tools) type -P mksquashfs ;;
	erofs-utils) type -P mkfs.erofs ;;
	e2fsprogs) type -P mkfs.ext4 ;;
	qemu-system-x86) type -P qemu-system-x86_64 ;;
	linux-image-amd64) has_kernel ;;
	kmod) type -P modprobe ;;
	# It alone knows which files are tracked; a tree from a tarball has no need of it.
	git) [[ ! -e $(dirname "$0")/../.git ]] || type -P git ;;
	libclang-rt-dev) has_runtime ;;
	bash-completion) [[ -e /usr/share/bash-completion/bash_completion ]] ;;
	bubblewrap) type -P bwrap ;;
	cgroup-tools) type -P cgexec ;;
	llvm) type -P llvm-cov ;;
	*) type -P "$1" ;;
	esac >/dev/null
}

missing=()
for set; do
	for package in ${packages[$set]:?no such set}; do
		has "$package" || missing+=("$package")
	done
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

if ! type -P apt-get >/dev/null; then
	echo "setup: missing, by Debian's package names: ${missing[*]}" >&2
	exit 1
fi
if [[ $EUID -ne 0 ]]; then
	echo "setup: missing; as root: apt-get install ${missing[*]}" >&2
	exit 1
fi

echo "setup: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A list that cannot be renewed matters only if the packages cannot be had either.
apt-get -qq update >"$log" 2>&1 || true
if ! apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 \
	install "${missing[@]}" </dev/null >>"$log" 2>&1; then
	tail -n 30 "$log" >&2
	echo "setup: cannot install ${missing[*]}" >&2
	exit 1
fi
