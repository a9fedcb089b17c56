#!/usr/bin/env bash
# tests/packages.sh: builds all that is handed out (packages/build.sh) here and once more in another place, which has to give the same bytes; runs
# the binaries in a root that holds nothing else; installs the Debian package in a fresh Debian, runs a chain there, and removes it.
# That Debian is made once, by debootstrap, and kept as an archive in build/packages (100 MB). Whoever is not root builds only.
#   MIRROR   where debootstrap gets it, or none to do without; default the mirror of this machine's apt
#   SUITE    which Debian; default that of this machine
# Mounts are in a mount namespace of its own. The last line is the total.
set -euo pipefail
if [[ $EUID -eq 0 && ${1:-} != --inside ]]; then
	exec unshare --mount --propagation private "$0" --inside
fi
umask 022
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export LC_ALL=C
# A make around this one has other goals; what it was told is in the environment all the same.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
cd "$(dirname "$0")/.."

version=$(<VERSION)
name=nschain-$version
source=build/dist/$name.tar.gz
binary=build/dist/$name-linux-$("${CC:-cc}" -dumpmachine | cut -d - -f 1).tar.gz
package=build/dist/nschain_${version}_$(dpkg --print-architecture).deb
static=(nsnew nsjoin cgrun capjail rootjail)
links=("${static[@]}" nsmount)
jobs=$(nproc)

work=$(mktemp -d "${TMPDIR:-/tmp}/nschain-packages.XXXXXX")
maker=
clean_up() {
	# It takes no other signal.
	if [[ -n $maker ]]; then
		kill -KILL "$maker" || true
		wait "$maker" || true
	fi 2>/dev/null
	# In the reverse order.
	awk -v below="$work/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo | tac | while read -r mount; do
		umount -l "$mount" || true
	done
	rm -rf --one-file-system "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
chmod 755 "$work"
# The other place has another name, no git, and another environment.
there=$work/another-place/$name

passed=0 failed=0 skipped=0

# check TEXT COMMAND...: COMMAND has to succeed, each part of it.
check() {
	local text=$1 status
	shift
	# In a condition set -e would have no effect inside either.
	set +e
	(set -e; "$@") </dev/null >"$work/log" 2>&1
	status=$?
	set -e
	if [[ $status -eq 0 ]]; then
		passed=$((passed + 1))
		echo "ok $text"
	else
		failed=$((failed + 1))
		echo "not ok $text (status $status)"
		sed 's/^/    /' "$work/log"
	fi
}

skip() { # TEXT REASON
	skipped=$((skipped + 1))
	echo "ok $1 # skip $2"
}

# absent ARGUMENT...: grep finds nothing.
absent() {
	local status=0
	grep "$@" || status=$?
	[[ $status -eq 1 ]]
}

# --- what is built ---

# What a target leaves outside of build/ shows here.
state_of_tree() {
	git status --porcelain --ignored | grep -v '^!! build/$' || true
}

build_here() {
	[[ ! -e .git ]] || state_of_tree >"$work/state"
	make -s dist
	make -s -j "$jobs" dist-binary
	make -s deb
	ls "$source" "$binary" "$package"
}

build_there() {
	mkdir -p "$there"
	tar -C "$there" --strip-components=1 -xf "$source"
	(
		cd "$there"
		umask 077
		export TZ=Asia/Tokyo LC_ALL=C.UTF-8 HOME=/nonexistent DEB_BUILD_OPTIONS="parallel=$jobs"
		make -s -j "$jobs" dist-binary build/compile_commands.json
		make -s deb
		# Last, so that it holds whatever the others may have left beside build/.
		make -s dist
	)
}

same() { # FILE
	cmp "$1" "$there/$1"
}

same_again() {
	cp "$source" "$work/first"
	make -s dist
	cmp "$source" "$work/first"
	(
		tree=$PWD
		cd /
		make -s -C "$tree" dist
	)
	cmp "$source" "$work/first"
}

same_from_clone() {
	git clone -q --no-checkout . "$work/clone"
	tar -C "$work/clone" --strip-components=1 -xf "$source"
	cd "$work/clone"
	git add -A
	chmod -R go-rwx .
	touch VERSION not-tracked
	make -s dist
	cmp "$source" "$OLDPWD/$source"
}

other_time() {
	cp "$source" "$work/first"
	SOURCE_DATE_EPOCH=86400 packages/build.sh source
	tar --utc -tvf "$source" | awk '{ print $2, $4, $5 }' | sort -u | diff <(echo '0/0 1970-01-02 00:00') -
	mv "$work/first" "$source"
}

holds_what_is_tracked() {
	diff <(tar -tf "$source") <(git ls-files | sed "s,^,$name/,")
}

tree_is_clean() {
	state_of_tree | diff "$work/state" -
}

# --- the static links ---

elf_is_static() {
	local tree=$work/tree link
	mkdir "$tree"
	tar -C "$tree" --strip-components=1 -xf "$binary"
	diff <(printf '%s\n' "${static[@]}" | sort) <(ls "$tree/bin")
	for link in "${static[@]}"; do
		readelf -h "$tree/bin/$link" | grep -q 'Type: *DYN'
		readelf -ldS "$tree/bin/$link" >"$work/parts"
		absent -E 'INTERP|NEEDED|\.symtab|\.debug_' "$work/parts"
	done
}

has_pages_and_completions() { # ROOT BINDIR MANSUFFIX ZSHDIR LINK...
	local root=$1 suffix=$3 zsh=$4 link
	[[ -e $root/share/man/man7/nschain.7$suffix && -e $root/share/$zsh/_nschain && -e $root/share/fish/vendor_functions.d/__nschain.fish ]]
	for link in "${@:5}"; do
		[[ -x $root/$2/$link && -e $root/share/man/man1/$link.1$suffix && -e $root/share/fish/vendor_completions.d/$link.fish ]]
		bash -c '. "$0" && complete -p "$1"' "$root/share/bash-completion/completions/$link" "$link"
	done
}

# in_root ROOT COMMAND...
in_root() {
	env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin LC_ALL=C "$(type -P chroot)" "$@"
}

versions() { # ROOT LINK...
	local root=$1 link
	for link in "${@:2}"; do
		[[ $(in_root "$root" "$link" --version) == "$link (nschain) $version" ]]
	done
}

# small_root DIR: nothing but busybox.
small_root() {
	mkdir -p "$1/bin"
	cp "$(type -P busybox)" "$1/bin/busybox"
	ln -s busybox "$1/bin/sh"
}

# chain ROOT NAME: in ROOT, a container in its directory NAME, with a PID namespace, another root and no capabilities.
chain() {
	local output
	# shellcheck disable=SC2016 # for the shell inside
	output=$(in_root "$1" nsnew -pmuin --hostname box rootjail "$2" capjail --drop all \
		sh -c 'echo "$$ $(busybox uname -n)"; busybox ls /; busybox grep CapEff /proc/self/status; busybox chown 1 /bin' 2>&1) || true
	diff - <(printf '%s\n' "$output" | tr -s '\t' ' ') <<'END'
1 box
bin
dev
proc
CapEff: 0000000000000000
chown: /bin: Operation not permitted
END
}

run_in_empty_root() {
	local root=$work/empty
	mkdir "$root"
	mount -t tmpfs -o mode=755 none "$root"
	mkdir -p "$root/usr/local"
	small_root "$root"
	small_root "$root/inner"
	tar -C "$root/usr/local" --strip-components=1 -xf "$binary"
	versions "$root" "${static[@]}"
	chain "$root" inner
}

# --- the Debian package ---

# dbgsym is among what is built, and the source package.
lint_package() {
	local -a user=()
	[[ $EUID -ne 0 ]] || user=(--allow-root)
	# The field is older than the lintian of Debian 12, which does not know it.
	lintian "${user[@]}" --fail-on error,warning --suppress-tags unknown-field build/deb/*.changes
}

needs_libmount() {
	local depends
	depends=$(dpkg-deb -f "$package" Depends)
	[[ $depends =~ (^| )libmount1\  && $depends =~ (^| )libc6\  && ! $depends =~ libcap ]]
	[[ $(dpkg-deb -f "$package" Static-Built-Using) =~ libcap2.*musl ]]
}

# Sets MIRROR and SUITE from what apt has.
find_mirror() {
	# shellcheck disable=SC2016 # for apt-get
	local form=(--format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Component: main')
	SUITE=${SUITE:-$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)}
	[[ -z ${MIRROR:-} ]] || return 0
	MIRROR=$(apt-get indextargets "${form[@]}" "Codename: $SUITE" | head -n 1)
	if [[ -z $MIRROR ]]; then
		apt-get -qq update || true
		MIRROR=$(apt-get indextargets "${form[@]}" "Codename: $SUITE" | head -n 1)
	fi
	[[ -n $MIRROR ]]
}

# Goes on while packages are built. All that it runs ends with it.
make_base() {
	exec unshare --pid --fork --kill-child debootstrap --variant=minbase "$SUITE" "$base" "$MIRROR"
}

# An archive, because whoever copies this tree need not be able to read what is in it.
is_made() { # STATUS
	if [[ $1 -ne 0 ]]; then
		cat "$work/made"
		tail -n 5 "$base/debootstrap/debootstrap.log"
		return 1
	fi
	mkdir -p "${archive%/*}"
	tar -C "$base" --numeric-owner -cf - . | gzip -1 >"$archive.new"
	mv "$archive.new" "$archive"
}

# Whatever is changed goes to memory. /mnt is not part of it.
mount_debian() {
	local upper=$work/upper
	mkdir "$upper" "$debian"
	mount -t tmpfs -o mode=755 none "$upper"
	mkdir "$upper/changes" "$upper/work"
	mount -t overlay -o "lowerdir=$base,upperdir=$upper/changes,workdir=$upper/work" none "$debian"
	mount -t proc proc "$debian/proc"
	mount --rbind /sys "$debian/sys"
	mount -t tmpfs -o mode=755 none "$debian/mnt"
	small_root "$debian/mnt/inner"
	cp "$package" "$debian/mnt/nschain.deb"
}

# All there is but what dpkg keeps of what it does.
list_debian() {
	find "$debian" -xdev -printf '%P %y %m %U:%G %l\n' | grep -vE '^var/(lib/dpkg|log)/' | sort
}

install_package() {
	list_debian >"$work/before"
	in_root "$debian" dpkg --install /mnt/nschain.deb
	# shellcheck disable=SC2016 # for dpkg-query
	[[ $(in_root "$debian" dpkg-query -W -f '${db:Status-Status} ${Version}' nschain) == "installed $version" ]]
	# Nobody has changed what the package brought.
	[[ -z $(in_root "$debian" dpkg --verify nschain) ]]
}

run_package() {
	versions "$debian" "${links[@]}"
	has_pages_and_completions "$debian/usr" bin .gz zsh/vendor-completions "${links[@]}"
	chain "$debian" /mnt/inner
}

run_limited() {
	[[ $(in_root "$debian" cgrun -m 64M rootjail /mnt/inner sh -c 'busybox echo inside') == inside ]]
	[[ $(in_root "$debian" nsmount -t tmpfs none /srv sh -c 'stat -fc %T /srv') == tmpfs ]]
}

purge_package() {
	in_root "$debian" dpkg --purge nschain
	[[ -z $(in_root "$debian" dpkg-query -W -f x nschain 2>/dev/null) ]]
	list_debian | diff "$work/before" -
	# What else has changed is what dpkg keeps.
	find "$work/upper/changes" ! -type d -printf '%P\n' >"$work/changed"
	absent -vE '^var/(lib/dpkg/|log/dpkg\.log$|log/alternatives\.log$)' "$work/changed"
	absent -r --exclude='*-old' nschain "$debian/var/lib/dpkg"
	[[ -z $(find "$debian/var/lib/dpkg" -name '*nschain*') ]]
}

debian=$work/debian base='' archive=''
if [[ $EUID -eq 0 && ${MIRROR:-} != none ]] && find_mirror; then
	# Nobody else gets to its set-user-ID programs.
	install -d -m 700 "$work/private"
	base=$work/private/base
	archive=build/packages/root-$SUITE.tar.gz
	mkdir "$base"
	if [[ -e $archive ]]; then
		tar -C "$base" --numeric-owner -xpf "$archive"
	else
		make_base >"$work/made" 2>&1 </dev/null &
		maker=$!
	fi
fi

check 'all packages are built' build_here
check 'all packages are built in another place' build_there
check 'the source tarball is the same each time' same_again
check 'the source tarball is the same without git, after all that was built there' same "$source"
if [[ -e .git ]]; then
	check 'the source tarball is the same in a clone' same_from_clone
	check 'the source tarball holds what git tracks' holds_what_is_tracked
fi
check 'the source tarball has the time it is told' other_time
check 'the binary tarball is the same in another place' same "$binary"
check 'the binary tarball has stripped static-pie programs' elf_is_static
check 'the binary tarball has pages and completions' has_pages_and_completions "$work/tree" bin '' zsh/site-functions "${static[@]}"
check 'the Debian package is the same in another place' same "$package"
check 'the Debian package has no complaint of lintian' lint_package
check 'the Debian package needs what is linked' needs_libmount
[[ ! -e .git ]] || check 'nothing is left outside of build/' tree_is_clean

if [[ $EUID -ne 0 ]]; then
	skip 'the static links run in an empty root' 'needs root'
else
	check 'the static links run in an empty root' run_in_empty_root
fi
if [[ -z $base ]]; then
	skip 'the Debian package in a fresh Debian' 'needs root, and a mirror: MIRROR=URL SUITE=NAME'
else
	if [[ -n $maker ]]; then
		made=0
		wait "$maker" || made=$?
		maker=
		check "a fresh Debian is made ($SUITE)" is_made "$made"
	fi
	check 'the fresh Debian is mounted' mount_debian
	check 'the Debian package installs' install_package
	check 'the Debian package runs a chain' run_package
	if build/release/bin/cgrun -m 64M true 2>/dev/null; then
		check 'the Debian package sets limits and mounts' run_limited
	else
		skip 'the Debian package sets limits and mounts' 'no group can be made'
	fi
	check 'the Debian package is purged, and nothing is left' purge_package
fi

echo "$passed passed, $failed failed, $skipped skipped"
[[ $failed -eq 0 ]]
