#include "common/rootfs.h"

#include "common/fd.h"
#include "common/mounttree.h"
#include "common/namespace.h"
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* The nodes that every program may expect, and what they have to be: a name in /dev proves nothing. */
static const struct device {
	const char *name;
	unsigned int major, minor;
} devices[] = {
	{ "null", 1, 3 },
	{ "zero", 1, 5 },
	{ "full", 1, 7 },
	{ "random", 1, 8 },
	{ "urandom", 1, 9 },
	{ "tty", 5, 0 },
};

enum { DEVICES = sizeof(devices) / sizeof(*devices) };

/* What the minimal /dev is built from: trees that are made before the old root goes. */
struct dev_trees {
	int nodes[DEVICES];
	int pts;
	int shm;
};

bool rootfs_has_own_pids(void)
{
	char shown[16], own[16];
	ssize_t length = readlink("/proc/self", shown, sizeof(shown) - 1);

	if (getpid() == 1)
		return true;
	if (length < 0)
		return false;
	shown[length] = '\0';
	snprintf(own, sizeof(own), "%d", (int)getpid());
	return strcmp(shown, own) != 0;
}

static unsigned long flags_of(int fd, const char *object)
{
	struct statvfs status;

	if (fstatvfs(fd, &status) < 0)
		die_error(errno, "cannot read the mount attributes of '%s'", object);
	return status.f_flag;
}

/* Dies unless the mount at FD has ATTRIBUTES. */
static void verify_attributes(int fd, uint64_t attributes, const char *object)
{
	unsigned long wanted = (attributes & MOUNT_ATTR_RDONLY ? ST_RDONLY : 0) |
		(attributes & MOUNT_ATTR_NOSUID ? ST_NOSUID : 0) |
		(attributes & MOUNT_ATTR_NODEV ? ST_NODEV : 0) |
		(attributes & MOUNT_ATTR_NOEXEC ? ST_NOEXEC : 0);

	if ((flags_of(fd, object) & wanted) != wanted)
		die("the mount attributes of '%s' are not the ones asked for", object);
}

static void set_attributes(int tree, uint64_t set, const char *object)
{
	int error = mounttree_try_set(tree, set, 0, true);

	if (error < 0)
		die_error(-error, "cannot set the mount attributes of '%s'", object);
	verify_attributes(tree, set, object);
}

static int clone_tree(int fd, const char *path)
{
	int tree = mounttree_try_clone(fd);

	if (tree < 0)
		die_hint(tree == -EPERM ? "this needs CAP_SYS_ADMIN: run it behind 'nsnew -r'" : NULL,
			-tree, "cannot clone the mount of '%s'", path);
	return tree;
}

static int create_tree(const char *type, const struct mounttree_option *options, uint64_t attributes)
{
	int tree = mounttree_try_create(type, options, attributes);

	if (tree < 0)
		die_error(-tree, "cannot make a file system of type %s", type);
	return tree;
}

static int create_tmpfs(const struct rootfs_mount *mount)
{
	const char *mode = mount->mode ? mount->mode : "755";
	const struct mounttree_option plain[] = { { "mode", mode }, { 0 } };
	const struct mounttree_option sized[] = { { "mode", mode }, { "size", mount->size }, { 0 } };

	return create_tree("tmpfs", mount->size ? sized : plain, mount->attributes);
}

/* The clone of a device node of the old root, sure to be that device. */
static int clone_device(const struct device *device)
{
	char path[32];
	struct stat status;

	snprintf(path, sizeof(path), "/dev/%s", device->name);

	autoclose int fd = fd_open(AT_FDCWD, path, O_PATH | O_NOFOLLOW);

	if (fstat(fd, &status) < 0)
		die_error(errno, "cannot look at '%s'", path);
	if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(device->major, device->minor))
		die_hint("--bare leaves /dev to the root file system", 0,
			"'%s' is not the character device %u:%u", path, device->major, device->minor);

	int tree = clone_tree(fd, path);

	/* Where the whole of /dev is nodev and that is not ours to change, opening the node will fail and be noticed. */
	mounttree_try_set(tree, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NODEV, false);
	return tree;
}

static int create_pts(void)
{
	static const struct mounttree_option with_group[] = { { "ptmxmode", "0666" },
		{ "mode", "620" }, { "gid", "5" }, { 0 } };
	/* In a user namespace that has no group tty. */
	static const struct mounttree_option without[] = { { "ptmxmode", "0666" },
		{ "mode", "620" }, { 0 } };
	int tree = mounttree_try_create("devpts", with_group, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);

	return tree >= 0 ? tree :
			   create_tree("devpts", without, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
}

static void create_dev_trees(struct dev_trees *trees)
{
	static const struct rootfs_mount shm = {
		.mode = "1777",
		.attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
	};

	for (size_t i = 0; i < DEVICES; i++)
		trees->nodes[i] = clone_device(&devices[i]);
	trees->pts = create_pts();
	trees->shm = create_tmpfs(&shm);
}

/* The detached tree of MOUNT; what it comes from was opened in .opened. */
static int create_mount(const struct rootfs_mount *mount)
{
	switch (mount->kind) {
	case ROOTFS_BIND: {
		int tree = clone_tree(mount->opened, mount->source);

		set_attributes(tree, mount->attributes, mount->source);
		return tree;
	}
	case ROOTFS_PROC:
		return mounttree_create_proc();
	case ROOTFS_TMPFS:
	case ROOTFS_DEV:
		break;
	}
	return create_tmpfs(mount);
}

static void leave_chroot(void)
{
	int error = mounttree_try_leave_chroot();

	if (error < 0)
		die_hint(error == -EPERM ?
				"this needs CAP_SYS_CHROOT, to be sure that no chroot is left behind" :
				NULL,
			-error, "cannot enter the root of the own mount namespace");
}

/* Opens PATH in the new root as a place to mount on; -errno. A symlink on the way stays inside, a last one is opened itself. */
static int open_place(int root, const char *path)
{
	return fd_try_open_inside(root, path, O_PATH | O_NOFOLLOW);
}

/* Makes the last component of PATH, its directory being there: a directory or an empty file. */
static int make_place(int root, const char *path, bool directory)
{
	char above[PATH_MAX];
	const char *slash = strrchr(path, '/');

	snprintf(above, sizeof(above), "%.*s", slash ? (int)(slash - path) : 0, path);

	autoclose int parent = fd_try_open_inside(root, above[0] ? above : ".", O_PATH | O_DIRECTORY);
	const char *name = slash ? slash + 1 : path;

	if (parent < 0)
		return parent;
	if (directory ? mkdirat(parent, name, 0755) < 0 : mknodat(parent, name, S_IFREG | 0644, 0) < 0)
		return errno == EEXIST ? 0 : -errno;
	return 0;
}

/* An fd of PATH in the new root, made with all directories above it where it is not there. */
static int find_place(int root, const char *path, bool directory)
{
	char part[PATH_MAX];
	int place = open_place(root, path);

	for (const char *end = path; place == -ENOENT && *end;) {
		end += strspn(end, "/");
		end += strcspn(end, "/");
		snprintf(part, sizeof(part), "%.*s", (int)(end - path), path);

		bool last = end[strspn(end, "/")] == '\0';
		int error = make_place(root, part, directory || !last);

		if (error < 0)
			return error;
		if (last)
			place = open_place(root, path);
	}
	return place;
}

/* Whether PLACE is the top of the root's own mount: what is mounted on that nobody sees. */
static bool is_top(int root, int place)
{
	struct statx top, other;

	return statx(root, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &top) == 0 &&
		statx(place, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &other) == 0 &&
		top.stx_ino == other.stx_ino && top.stx_mnt_id == other.stx_mnt_id;
}

static void attach(int root, int tree, const char *target)
{
	struct stat status;

	if (fstat(tree, &status) < 0)
		die_error(errno, "cannot look at what goes to '%s'", target);

	autoclose int place = find_place(root, target, S_ISDIR(status.st_mode));
	const char *advice = NULL;

	if (place >= 0 && is_top(root, place))
		die("cannot mount on '%s' in the new root: it is that root itself", target);

	int error = place < 0 ? place : mounttree_try_attach(tree, place);

	if (error == -ELOOP)
		advice = "it is a symlink in the root file system; name what it points to";
	else if (error == -EROFS)
		advice = "it does not exist in the root file system, which is read-only: make it there first";
	if (error < 0)
		die_hint(advice, -error, "cannot mount on '%s' in the new root", target);
}

/* Opening proves more than looking: a device on a nodev mount can be seen and not used. */
static void probe_device(int dev, const char *name)
{
	autoclose int fd = fd_try_open(dev, name, O_RDWR | O_NONBLOCK | O_NOCTTY);

	/* ENXIO is what /dev/tty says to a process that has no terminal. */
	if (fd < 0 && fd != -ENXIO)
		die_hint("the old root's /dev is mounted nodev; --bare leaves /dev to the root file system",
			-fd, "cannot use '/dev/%s' in the new root", name);
}

static void attach_device(int dev, int tree, const char *name)
{
	if (mknodat(dev, name, S_IFREG | 0666, 0) < 0)
		die_error(errno, "cannot make '/dev/%s'", name);

	autoclose int place = fd_open(dev, name, O_PATH | O_NOFOLLOW);
	int error = mounttree_try_attach(tree, place);

	if (error < 0)
		die_error(-error, "cannot mount on '/dev/%s'", name);
	probe_device(dev, name);
}

static void attach_directory(int dev, int tree, const char *name)
{
	if (mkdirat(dev, name, 0755) < 0)
		die_error(errno, "cannot make '/dev/%s'", name);

	autoclose int place = fd_open(dev, name, O_PATH | O_NOFOLLOW);
	int error = mounttree_try_attach(tree, place);

	if (error < 0)
		die_error(-error, "cannot mount on '/dev/%s'", name);
}

/* Fills the tmpfs DEV, which is attached. */
static void fill_dev(int dev, struct dev_trees *trees)
{
	static const struct {
		const char *name, *target;
	} links[] = {
		{ "ptmx", "pts/ptmx" },
		{ "fd", "/proc/self/fd" },
		{ "stdin", "/proc/self/fd/0" },
		{ "stdout", "/proc/self/fd/1" },
		{ "stderr", "/proc/self/fd/2" },
	};

	for (size_t i = 0; i < DEVICES; i++) {
		attach_device(dev, trees->nodes[i], devices[i].name);
		fd_close(&trees->nodes[i]);
	}
	attach_directory(dev, trees->pts, "pts");
	attach_directory(dev, trees->shm, "shm");
	fd_close(&trees->pts);
	fd_close(&trees->shm);
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
		if (symlinkat(links[i].target, dev, links[i].name) < 0)
			die_error(errno, "cannot make '/dev/%s'", links[i].name);
	}
}

/* Everything that has to be looked up in the old root, opened; cloning comes later, from these. */
static int open_sources(struct rootfs *rootfs)
{
	for (size_t i = 0; i < rootfs->count; i++) {
		struct rootfs_mount *mount = &rootfs->mounts[i];

		mount->opened =
			mount->kind == ROOTFS_BIND ? fd_open(AT_FDCWD, mount->source, O_PATH) : -1;
	}

	int root = fd_try_open(AT_FDCWD, rootfs->path, O_PATH | O_DIRECTORY);

	if (root < 0)
		die_hint(root == -ENOTDIR ?
				"a root file system is a directory; unpack an archive, mount an image" :
				NULL,
			-root, "cannot use '%s' as the root", rootfs->path);
	return root;
}

/* Makes the clone TREE, attached over the directory PLACE it was cloned from, the root. */
static void switch_root(int tree, int place)
{
	int error = mounttree_try_attach(tree, place);

	if (error == 0)
		error = mounttree_try_pivot(tree);
	if (error < 0)
		die_hint(error == -EINVAL ?
				"the current root cannot be pivoted away from (an initramfs?)" :
				NULL,
			-error, "cannot change the root");
}

static void enter_workdir(int root, const char *workdir)
{
	autoclose int fd = fd_try_open_inside(root, workdir, O_PATH | O_DIRECTORY);

	if (fd < 0 || fchdir(fd) < 0)
		die_error(fd < 0 ? -fd : errno, "cannot enter '%s' in the new root", workdir);
	if (!fd_is_inside_root())
		die("'%s' is not inside the new root", workdir);
}

void rootfs_enter(struct rootfs *rootfs)
{
	const uint64_t attributes =
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (rootfs->read_only ? MOUNT_ATTR_RDONLY : 0);
	struct dev_trees dev = { .pts = -1, .shm = -1 };

	namespace_unshare(CLONE_NEWNS);

	/* Trees can only be cloned from the own mount namespace: open everything in the new one, by the caller's idea of paths. */
	autoclose int place = open_sources(rootfs);

	bool was_read_only = flags_of(place, rootfs->path) & ST_RDONLY;

	leave_chroot();
	mounttree_propagate(MS_PRIVATE);

	autoclose int root = clone_tree(place, rootfs->path);

	set_attributes(root, attributes, rootfs->path);
	for (size_t i = 0; i < rootfs->count; i++) {
		rootfs->mounts[i].tree = create_mount(&rootfs->mounts[i]);
		fd_close(&rootfs->mounts[i].opened);
		if (rootfs->mounts[i].kind == ROOTFS_DEV)
			create_dev_trees(&dev);
	}
	switch_root(root, place);
	fd_close(&place);

	/* The old root is gone: from here on every path leads to the new one. Its top is writable again to make mount points. */
	if (rootfs->read_only && !was_read_only)
		mounttree_try_set(root, 0, MOUNT_ATTR_RDONLY, false);

	mode_t mask = umask(0);

	for (size_t i = 0; i < rootfs->count; i++) {
		attach(root, rootfs->mounts[i].tree, rootfs->mounts[i].target);
		if (rootfs->mounts[i].kind == ROOTFS_DEV)
			fill_dev(rootfs->mounts[i].tree, &dev);
		fd_close(&rootfs->mounts[i].tree);
	}
	umask(mask);
	if (rootfs->read_only) {
		int error = mounttree_try_set(root, MOUNT_ATTR_RDONLY, 0, false);

		if (error < 0)
			die_error(-error, "cannot make the new root read-only");
	}
	verify_attributes(root, attributes, rootfs->path);
	enter_workdir(root, rootfs->workdir ? rootfs->workdir : "/");
}
