#include "common/rootfs.h"

#include "common/fd.h"
#include "common/mask.h"
#include "common/minidev.h"
#include "common/mounttree.h"
#include "common/namespace.h"
#include "common/overlay.h"
#include "common/place.h"
#include "common/report.h"
#include "common/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const uint64_t inert = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

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

/* --- while the old root is there --- */

/* Each entry holds an fd open until its turn comes. Returns the limit to go back to. */
static struct rlimit raise_open_files(size_t count)
{
	enum { OTHERS = 64 };
	struct rlimit before, raised;

	if (getrlimit(RLIMIT_NOFILE, &before) < 0)
		die_error(errno, "cannot read the limit of open files");
	raised = before;
	if (raised.rlim_cur < count + OTHERS)
		raised.rlim_cur = raised.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &raised) < 0)
		die_error(errno, "cannot raise the limit of open files");
	return before;
}

/* What ENTRY comes from; -1 if from nothing. By the caller's idea of paths. */
static int open_source(const struct rootfs_entry *entry)
{
	bool file = entry->kind == ROOTFS_FILE;
	struct stat status;

	if (!file && entry->kind != ROOTFS_BIND && entry->kind != ROOTFS_DEVICE)
		return -1;

	int fd = fd_try_open(AT_FDCWD, entry->source, file ? O_RDONLY : O_PATH);

	if (fd < 0)
		die_error(-fd, "cannot open '%s'", entry->source);
	if (file && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
		die("cannot copy '%s': it is a directory, which --bind can show", entry->source);
	return fd;
}

static int open_root(const char *path)
{
	int root = fd_try_open(AT_FDCWD, path, O_PATH | O_DIRECTORY);

	if (root < 0)
		die_hint(root == -ENOTDIR ?
				"a root file system is a directory; unpack an archive, mount an image (nsmount)" :
				NULL,
			-root, "cannot use '%s' as the root", path);
	return root;
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

/* What the mount that ROOTFS is on denies, an overlay of it does not know of. */
static uint64_t denied_by(const struct statvfs *system)
{
	return (system->f_flag & ST_NOEXEC ? MOUNT_ATTR_NOEXEC : 0) |
		(system->f_flag & ST_NOSUID ? MOUNT_ATTR_NOSUID : 0) |
		(system->f_flag & ST_NODEV ? MOUNT_ATTR_NODEV : 0);
}

/* Dies unless it can be had; PLACE is the directory, CHANGES that of an overlay or -1. */
static int clone_root(
	const struct rootfs *rootfs, int place, int changes, const struct statvfs *system)
{
	struct overlay overlay = {
		.lower = place,
		.lower_name = rootfs->path,
		.changes = changes,
		.changes_name = rootfs->changes ? rootfs->changes : "memory",
		.attributes = denied_by(system),
	};
	int root = rootfs->overlay ? overlay_create(&overlay) :
				     mounttree_clone(place, rootfs->path, true);

	mounttree_restrict(root,
		MOUNT_ATTR_NODEV | (rootfs->suid ? 0 : MOUNT_ATTR_NOSUID) |
			(rootfs->read_only ? MOUNT_ATTR_RDONLY : 0),
		rootfs->path);
	return root;
}

static int create(const char *type, const struct mounttree_option *options, uint64_t attributes,
	const char *advice)
{
	int tree = mounttree_try_create(type, options, attributes);

	if (tree < 0)
		die_hint(tree == -EPERM ? advice : NULL, -tree,
			"cannot make a file system of type %s", type);
	return tree;
}

static int create_tmpfs(const struct rootfs_entry *entry)
{
	char mode[16], size[24];

	snprintf(mode, sizeof(mode), "%o", entry->mode);
	snprintf(size, sizeof(size), "%llu", (unsigned long long)entry->size);

	const struct mounttree_option options[] = { { "mode", mode },
		{ entry->size ? "size" : NULL, size }, { 0 } };

	return create("tmpfs", options, entry->attributes, NULL);
}

static void map_ids(int tree, const struct rootfs_entry *entry)
{
	static const char privilege[] =
		"this needs CAP_SYS_ADMIN over the file system: no user namespace";
	const struct idmap_plan plan = { .users = *entry->ids, .groups = *entry->ids };

	if (!namespace_is_initial(CLONE_NEWUSER))
		die_hint(privilege, EPERM, "cannot map the ids of '%s'", entry->source);

	autoclose int users = userns_create(&plan);
	int error = mounttree_try_map_ids(tree, users, !entry->alone);

	if (error < 0)
		die_hint(error == -EPERM ?
				privilege :
				error == -EINVAL ?
				"not every file system can do it; 'norec' leaves out what is mounted below" :
				NULL,
			-error, "cannot map the ids of '%s'", entry->source);
}

static int clone_source(const struct rootfs_entry *entry, int source)
{
	int tree = mounttree_clone(source, entry->source, !entry->alone);
	struct stat status;

	if (fstat(source, &status) < 0)
		die_error(errno, "cannot look at '%s'", entry->source);
	if ((entry->attributes & MOUNT_ATTR_RDONLY) &&
		(S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)))
		die("'%s' is a device, which can be written to also where it is mounted read-only",
			entry->source);
	if (entry->ids)
		map_ids(tree, entry);
	mounttree_restrict(tree, entry->attributes, entry->source);
	return tree;
}

static int clone_device(const struct rootfs_entry *entry, int source)
{
	struct stat status;
	struct statvfs system;

	if (fstat(source, &status) < 0)
		die_error(errno, "cannot look at '%s'", entry->source);
	if (!S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode))
		die("'%s' is not a device", entry->source);

	int tree = mounttree_clone(source, entry->source, false);

	/* Not opened to see whether it can be: to some devices that does something. */
	mounttree_restrict_device(tree, entry->source);
	if (fstatvfs(tree, &system) < 0 || system.f_flag & ST_NODEV)
		die("'%s' cannot be used: its file system is mounted nodev", entry->source);
	return tree;
}

static int create_cgroup(void)
{
	static const struct mounttree_option none[] = { { 0 } };

	if (namespace_is_initial(CLONE_NEWCGROUP))
		die_hint("put 'nsnew -C' in front, behind cgrun", 0,
			"--cgroup needs a cgroup namespace of its own: it would show those of the whole machine");
	return create("cgroup2", none, inert | MOUNT_ATTR_RDONLY,
		"in a user namespace that takes a cgroup namespace of its own (nsnew -C)");
}

/* The detached tree that is mounted for ENTRY, or the open file, or -1. SOURCE was opened for it. */
static int create_entry(const struct rootfs_entry *entry, int source)
{
	static const struct mounttree_option none[] = { { 0 } },
					     readable[] = { { "mode", "755" }, { 0 } };

	switch (entry->kind) {
	case ROOTFS_BIND:
		return clone_source(entry, source);
	case ROOTFS_DEVICE:
		return clone_device(entry, source);
	case ROOTFS_PROC:
		return mounttree_create_proc();
	case ROOTFS_SYS:
		return create("sysfs", none, inert | MOUNT_ATTR_RDONLY,
			"in a user namespace that takes a net namespace of its own (nsnew -n), and a /sys of which nothing is hidden");
	case ROOTFS_MQUEUE:
		return create("mqueue", none, inert,
			"in a user namespace that takes an IPC namespace of its own (nsnew -i)");
	case ROOTFS_CGROUP:
		return create_cgroup();
	case ROOTFS_TMPFS:
		return create_tmpfs(entry);
	case ROOTFS_DEV:
		return create("tmpfs", readable, inert, NULL);
	default:
		return fcntl(source, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	}
}

/* --- the change of root --- */

/* Makes the clone TREE, attached over the directory PLACE it was cloned from, the root. */
static void switch_root(int tree, int place)
{
	int error = mounttree_try_attach(tree, place);

	if (error == 0)
		error = mounttree_try_pivot(tree);
	if (error < 0)
		die_hint(error == -EINVAL ?
				"the current root cannot be pivoted away from: it is an initramfs, or lies below another mount" :
				NULL,
			-error, "cannot change the root");
}

/* --- when the old root is gone --- */

static bool is_mounted(const struct rootfs_entry *entry)
{
	return entry->kind != ROOTFS_DIRECTORY && entry->kind != ROOTFS_SYMLINK &&
		entry->kind != ROOTFS_FILE && entry->kind != ROOTFS_PROTECT &&
		entry->kind != ROOTFS_COVER;
}

static bool is_restriction(const struct rootfs_entry *entry)
{
	return entry->kind == ROOTFS_PROTECT || entry->kind == ROOTFS_COVER;
}

/* What is left of TARGET behind ABOVE, without a slash before it; NULL if it is not there or below. */
static const char *rest_below(const char *target, const char *above)
{
	size_t length = strlen(above);

	if (strncmp(target, above, length) != 0 || (target[length] && target[length] != '/'))
		return NULL;
	return target[length] ? target + length + 1 : target + length;
}

/*
 * Where TARGET is looked up: in what was mounted nearest above it, so that nobody who exchanges directories of the root meanwhile can lead elsewhere; else in
 * the root. *REST becomes the path from there, "" for that itself.
 */
static int find_base(const struct rootfs *rootfs, int root, const char *target, const char **rest)
{
	int base = root;

	*rest = target;
	for (size_t i = 0; i < rootfs->count; i++) {
		const struct rootfs_entry *entry = &rootfs->entries[i];
		const char *below = entry->attached ? rest_below(target, entry->target) : NULL;

		if (below && strlen(below) <= strlen(*rest)) {
			base = entry->fd;
			*rest = below;
		}
	}
	return base;
}

static _Noreturn void cannot_make(int error, const char *verb, const char *target)
{
	const char *advice = NULL;

	if (error == -ELOOP)
		advice = "it is a symlink in the root file system; name what it points to";
	else if (error == -EROFS)
		advice = "it does not exist in the root file system, which is read-only: make it there first, or use --overlay";
	else if (error == -EXDEV)
		advice = "a symlink in the root file system leads into another mount, where nothing is made";
	die_hint(advice, -error, "cannot %s '%s' in the new root", verb, target);
}

static void attach(const struct rootfs *rootfs, int root, struct rootfs_entry *entry)
{
	struct stat status;
	const char *path;
	int base = find_base(rootfs, root, entry->target, &path);

	if (fstat(entry->fd, &status) < 0)
		die_error(errno, "cannot look at what goes to '%s'", entry->target);

	autoclose int place = *path ? place_try_make(base, path, S_ISDIR(status.st_mode)) :
				      fcntl(base, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	if (place >= 0 && fd_is_same(root, place))
		die("cannot mount on '%s' in the new root: it is that root itself", entry->target);

	int error = place < 0 ? place : mounttree_try_attach(entry->fd, place);

	if (error < 0)
		cannot_make(error, "mount on", entry->target);
	entry->attached = true;
}

static void make(const struct rootfs *rootfs, int root, const struct rootfs_entry *entry)
{
	const char *path;
	int base = find_base(rootfs, root, entry->target, &path);
	int error = 0;

	if (!*path)
		die("cannot make '%s' in the new root: something is mounted there", entry->target);
	if (entry->kind == ROOTFS_DIRECTORY)
		error = place_try_make_directory(base, path, entry->mode);
	if (entry->kind == ROOTFS_SYMLINK)
		error = place_try_make_symlink(base, path, entry->source);
	if (entry->kind == ROOTFS_FILE)
		error = place_try_copy(base, path, entry->fd, entry->mode);
	if (error < 0)
		cannot_make(error, "make", entry->target);
}

static void put_in_place(const struct rootfs *rootfs, int root, struct rootfs_entry *entry,
	struct minidev *dev, struct mask *mask)
{
	if (is_mounted(entry))
		attach(rootfs, root, entry);
	else
		make(rootfs, root, entry);
	if (entry->kind == ROOTFS_DEV)
		minidev_fill(entry->fd, dev);
	if (entry->kind == ROOTFS_PROC && !rootfs->unmasked)
		mask_proc(mask, entry->fd);
	if (entry->kind == ROOTFS_SYS && !rootfs->unmasked)
		mask_sys(mask, entry->fd);
}

static _Noreturn void cannot_restrict(const struct rootfs_entry *entry, int error)
{
	const char *advice = NULL;

	if (error == -ENOENT || error == -ENOTDIR)
		advice = "--try-mask and --try-ro-path do without where there is nothing";
	else if (error == -ELOOP)
		advice = "it is a symlink in the root file system; name what it points to";
	else if (error == -ENOTSUP)
		advice = "it is a device, which can be written to also where it is mounted read-only";
	die_hint(advice, -error, "cannot %s '%s' in the new root",
		entry->kind == ROOTFS_COVER ? "mask" : "protect", entry->target);
}

/* What is to be restricted, open; -1 if nothing is there and that is allowed. */
static int open_restricted(const struct rootfs *rootfs, int root, const struct rootfs_entry *entry)
{
	const char *path;
	int base = find_base(rootfs, root, entry->target, &path);
	int place = *path ? place_try_open(base, path) :
			    fcntl(base, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	struct stat status;

	if ((place == -ENOENT || place == -ENOTDIR) && entry->tried)
		return -1;
	if (place >= 0 && (fd_is_same(root, place) || fstat(place, &status) < 0))
		die("cannot restrict '%s' in the new root: it is that root itself", entry->target);
	if (place < 0 || S_ISLNK(status.st_mode))
		cannot_restrict(entry, place < 0 ? place : -ELOOP);
	return place;
}

/* Whether what the others add may have to do with whether ENTRY's target is there. */
static bool depends_on_others(const struct rootfs *rootfs, const struct rootfs_entry *entry)
{
	for (size_t i = 0; i < rootfs->count; i++) {
		const struct rootfs_entry *other = &rootfs->entries[i];

		if (!is_restriction(other) &&
			(rest_below(entry->target, other->target) ||
				rest_below(other->target, entry->target)))
			return true;
	}
	return false;
}

/* What can be known to be wrong before anything is made in the root file system. */
static void check_restrictions(const struct rootfs *rootfs, int root)
{
	for (size_t i = 0; i < rootfs->count; i++) {
		const struct rootfs_entry *entry = &rootfs->entries[i];

		if (is_restriction(entry) && !depends_on_others(rootfs, entry)) {
			autoclose int place = open_restricted(rootfs, root, entry);

			(void)place;
		}
	}
}

static void restrict_all(const struct rootfs *rootfs, enum rootfs_kind kind, struct mask *mask)
{
	for (size_t i = 0; i < rootfs->count; i++) {
		const struct rootfs_entry *entry = &rootfs->entries[i];

		if (entry->kind != kind || entry->fd < 0)
			continue;

		int error = kind == ROOTFS_COVER ? mask_try_cover(mask, entry->fd) :
						   mask_try_protect(entry->fd);

		if (error < 0)
			cannot_restrict(entry, error);
	}
}

static void furnish(struct rootfs *rootfs, int root, struct minidev *dev, struct mask *mask)
{
	mode_t before = umask(0);

	check_restrictions(rootfs, root);
	for (size_t i = 0; i < rootfs->count; i++) {
		if (!is_restriction(&rootfs->entries[i]))
			put_in_place(rootfs, root, &rootfs->entries[i], dev, mask);
	}
	umask(before);
	/* All are opened before the first takes effect, so that one may lie below another. What is read-only is a clone with the covers in it; a cover that came later
	 * would be below that. */
	for (size_t i = 0; i < rootfs->count; i++) {
		if (is_restriction(&rootfs->entries[i]))
			rootfs->entries[i].fd = open_restricted(rootfs, root, &rootfs->entries[i]);
	}
	restrict_all(rootfs, ROOTFS_COVER, mask);
	restrict_all(rootfs, ROOTFS_PROTECT, mask);
	for (size_t i = 0; i < rootfs->count; i++)
		fd_close(&rootfs->entries[i].fd);
	mask_end(mask);
}

static void enter_workdir(int root, const char *workdir)
{
	autoclose int fd = fd_try_open_inside(root, workdir, O_PATH | O_DIRECTORY);

	if (fd < 0 || fchdir(fd) < 0)
		die_error(fd < 0 ? -fd : errno, "cannot enter '%s' in the new root", workdir);
	if (!fd_is_inside_root())
		die("'%s' is not inside the new root", workdir);
}

/* Whether there is an entry of one of KINDS, a mask. */
static bool has_any(const struct rootfs *rootfs, unsigned int kinds)
{
	size_t i = 0;

	while (i < rootfs->count && !(1U << rootfs->entries[i].kind & kinds))
		i++;
	return i < rootfs->count;
}

/* What comes from the old root or has to be made while it is there, detached. */
static void prepare(struct rootfs *rootfs, struct minidev *dev, struct mask *mask)
{
	unsigned int masked = rootfs->unmasked ? 0 : 1U << ROOTFS_PROC | 1U << ROOTFS_SYS;

	for (size_t i = 0; i < rootfs->count; i++) {
		autoclose int source = rootfs->entries[i].fd;

		rootfs->entries[i].fd = create_entry(&rootfs->entries[i], source);
	}
	if (has_any(rootfs, 1U << ROOTFS_DEV))
		minidev_prepare(dev);
	if (has_any(rootfs, masked | 1U << ROOTFS_COVER))
		mask_prepare(mask);
}

static void make_read_only(int root)
{
	int error = mounttree_try_set(root, MOUNT_ATTR_RDONLY, 0, false);

	if (error < 0)
		die_error(-error, "cannot make the new root read-only");
	mounttree_verify(root, MOUNT_ATTR_RDONLY, "/");
}

void rootfs_enter(struct rootfs *rootfs)
{
	struct minidev dev;
	struct mask mask = { .file.tree = -1, .directory.tree = -1 };
	struct rlimit open_files = raise_open_files(rootfs->count);
	struct statvfs system;

	namespace_unshare(CLONE_NEWNS);
	/* Trees can only be cloned from the own mount namespace: open everything in the new one. */
	for (size_t i = 0; i < rootfs->count; i++)
		rootfs->entries[i].fd = open_source(&rootfs->entries[i]);

	autoclose int place = open_root(rootfs->path);
	autoclose int changes =
		rootfs->changes ? fd_open(AT_FDCWD, rootfs->changes, O_PATH | O_DIRECTORY) : -1;

	if (fstatvfs(place, &system) < 0)
		die_error(errno, "cannot read the mount attributes of '%s'", rootfs->path);
	leave_chroot();
	mounttree_propagate(MS_PRIVATE);

	autoclose int root = clone_root(rootfs, place, changes, &system);

	prepare(rootfs, &dev, &mask);
	switch_root(root, place);
	fd_close(&place);
	fd_close(&changes);

	/* The old root is gone: from here on every path leads to the new one. Its top is writable again to make mount points. */
	if (rootfs->read_only && (rootfs->overlay || !(system.f_flag & ST_RDONLY)))
		mounttree_try_set(root, 0, MOUNT_ATTR_RDONLY, false);
	furnish(rootfs, root, &dev, &mask);
	if (rootfs->read_only)
		make_read_only(root);
	enter_workdir(root, rootfs->workdir ? rootfs->workdir : "/");
	if (setrlimit(RLIMIT_NOFILE, &open_files) < 0)
		die_error(errno, "cannot restore the limit of open files");
}
