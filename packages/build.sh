#!/usr/bin/env bash
# packages/build.sh KIND: what is handed out, in build/dist: the same bytes each time and wherever it is made, if the compiler is the same.
#   source   the files that git tracks or, where there is no git tree, all but build/
#   binary   the static links with pages and completions, from build/dist/tree, where make has installed them
#   deb      a Debian package, built from the source tarball
# Variables:
#   SOURCE_DATE_EPOCH   the time of all files; default that of the commit or, without git, of the file VERSION, which has it from the tarball
#   MACHINE             the processor, for the name (binary)
#   STRIP               takes symbols out (binary)
#   NOTICES             the licences of what is linked in (binary); default where Debian has them
set -euo pipefail
umask 022
export LC_ALL=C
cd "$(dirname "$0")/.."

version=$(<VERSION)
name=nschain-$version
dist=build/dist

die() {
	echo "packages: $*" >&2
	exit 1
}

time_of_files() {
	if [[ -n ${SOURCE_DATE_EPOCH:-} ]]; then
		echo "$SOURCE_DATE_EPOCH"
	elif [[ -e .git ]]; then
		git log -1 --format=%ct
	else
		stat -c %Y VERSION
	fi
}

# pack ARCHIVE DIRECTORY: the files of DIRECTORY that stdin names, with NUL behind each, below the name and version, and without what only
# this machine has.
pack() {
	local epoch
	epoch=$(time_of_files)
	tar --create --format=ustar --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime="@$epoch" --transform="flags=rh;s,^,$name/," \
		--directory="$2" --no-recursion --null --files-from=- | gzip -9 -n >"$1.new"
	mv "$1.new" "$1"
	echo "$1"
}

list_source() {
	if [[ -e .git ]]; then
		git ls-files -z
	else
		find . \( -path ./build -prune -o ! -type d -printf '%P\0' \) | sort -z
	fi
}

source_tarball() {
	list_source | pack "$dist/$name.tar.gz" .
}

binary_tarball() {
	local tree=$dist/tree notice
	local -a notices
	# nsmount is dynamic: it would start only where its libraries are.
	find "$tree" -name '*nsmount*' -delete
	"${STRIP:-strip}" --strip-all "$tree"/bin/*
	mkdir -p "$tree/share/doc/nschain"
	read -ra notices <<<"${NOTICES:-/usr/share/doc/musl-dev/copyright /usr/share/doc/libcap-dev/copyright}"
	for notice in "${notices[@]}"; do
		[[ -e $notice ]] || die "$notice is missing: NOTICES=\"FILE...\" names the licences of musl and libcap, which are linked in"
		install -m 644 "$notice" "$tree/share/doc/nschain/$(basename "$(dirname "$notice")").$(basename "$notice")"
	done
	install -m 644 LICENSE README.md README.svg "$tree/share/doc/nschain"
	find "$tree" -mindepth 1 -printf '%P\0' | sort -z | pack "$dist/$name-linux-${MACHINE:-$(uname -m)}.tar.gz" "$tree"
	rm -r "$tree"
}

# Nothing of the caller's environment gets there, of a make around it least of all.
deb() {
	local place=build/deb
	rm -rf "$place"
	mkdir -p "$place"
	source_tarball >"$place/log"
	tar -C "$place" -xf "$dist/$name.tar.gz"
	[[ $(dpkg-parsechangelog -l debian/changelog -S Version) == "$version" ]] || die "debian/changelog does not begin with version $version"
	(
		cd "$place/$name"
		env -i PATH="$PATH" HOME="${HOME:-/}" LC_ALL=C.UTF-8 ${SOURCE_DATE_EPOCH:+SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH"} \
			DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS:-}" dpkg-buildpackage -us -uc
	) </dev/null >>"$place/log" 2>&1 || {
		tail -n 30 "$place/log" >&2
		die "dpkg-buildpackage failed: $place/log has all of it"
	}
	rm -rf "${place:?}/$name"
	cp -p "$place/nschain_${version}_"*.deb "$dist"
	echo "$dist/$(cd "$place" && echo "nschain_${version}_"*.deb)"
}

mkdir -p "$dist"
case ${1:-} in
source) source_tarball ;;
binary) binary_tarball ;;
deb) deb ;;
*) die 'usage: packages/build.sh source|binary|deb' ;;
esac
