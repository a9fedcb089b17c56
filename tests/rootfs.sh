#!/usr/bin/env bash
# tests/rootfs.sh DIR: makes DIR a root file system of busybox and nothing else, for the examples of README.md, the demo and the picture.
set -euo pipefail

root=${1:?directory to make}
# A dynamic one could not run in it.
if ! busybox=$(type -P busybox) || ldd "$busybox" 2>/dev/null | grep -q '=>'; then
	echo 'rootfs.sh: a static busybox is missing: install busybox-static, or run: make setup SETS=demo' >&2
	exit 1
fi
mkdir -p "$root"/{bin,dev,etc,proc,root,sys,tmp}
chmod 1777 "$root/tmp"
cp "$busybox" "$root/bin/busybox"
"$busybox" --list | grep -vx busybox | while read -r applet; do
	ln -sf busybox "$root/bin/$applet"
done
echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
echo 'root:x:0:' >"$root/etc/group"
