#include "common/furnish.h"

#include "common/explain.h"
#include "common/fd.h"
#include "common/mounttree.h"
#include "common/namespace.h"
#include "common/place.h"
#include "common/procfs.h"
#include "common/report.h"
#include "common/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const uint64_t inert = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

static const char *const purposes[] = {
	[FURNISH_DEV] =
		"a minimal /dev: devices of the old root, terminals and shared memory of its own",
	[FURNISH_PROC] =
		"a /proc, in which what tells of the machine is empty and what changes it read-only",
	[FURNISH_SYS] = "a /sys, read-only",
	[FURNISH_MQUEUE] = "POSIX message queues",
	[FURNISH_CGROUP] = "the own cgroups, read-only",
	[FURNISH_TMPFS] = "an empty directory in memory",
	[FURNISH_BIND] = "a part of the old root",
	[FURNISH_DEVICE] = "a device of the old root",
	[FURNISH_DIRECTORY] = "a directory that was asked for",
	[FURNISH_SYMLINK] = "a symlink that was asked for",
	[FURNISH_FILE] = "a copy of a file of the old root",
	[FURNISH_PROTECT] = "a path that is read-only for COMMAND",
	[FURNISH_COVER] = "a path that is empty for COMMAND",
};

/* What ENTRY comes from; -1 if from nothing. By the caller's idea of paths. */
static int open_source(const struct furnish_entry *entry)
{
	bool file = entry->kind == FURNISH_FILE;
	struct stat status;

	if (!file && entry->kind != FURNISH_BIND && entry->kind != FURNISH_DEVICE)
		return -1;

	int fd = fd_try_open(AT_FDCWD, entry->source, file ? O_RDONLY : O_PATH);

	if (fd < 0)
		die_error(-fd, "cannot open '%s'", entry->source);
	if (file && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
		die("cannot copy '%s': it is a directory, for --bind", entry->source);
	return fd;
}

void furnish_open(struct furnish *furnish)
{
	for (size_t i = 0; i < furnish->count; i++)
		furnish->entries[i].fd = open_source(&furnish->entries[i]);
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

static int create_tmpfs(const struct furnish_entry *entry)
{
	char mode[16], size[24];

	snprintf(mode, sizeof(mode), "%o", entry->mode);
	snprintf(size, sizeof(size), "%llu", (unsigned long long)entry->size);

	const struct mounttree_option options[] = { { "mode", mode },
		{ entry->size ? "size" : NULL, size }, { 0 } };

	return create("tmpfs", options, entry->attributes, NULL);
}

static void map_ids(int tree, const struct furnish_entry *entry)
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
				"not every file system can do it; 'norec' leaves out what is below" :
				NULL,
			-error, "cannot map the ids of '%s'", entry->source);
}

static int clone_source(const struct furnish_entry *entry, int source)
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

static int clone_device(const struct furnish_entry *entry, int source)
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
			"--cgroup would show the groups of the whole machine");
	return create("cgroup2", none, inert | MOUNT_ATTR_RDONLY,
		"in a user namespace that takes 'nsnew -C'");
}

/* The detached tree that is mounted for ENTRY, or the open file, or -1. SOURCE was opened for it. */
static int create_entry(const struct furnish *furnish, const struct furnish_entry *entry, int source)
{
	static const struct mounttree_option none[] = { { 0 } },
					     readable[] = { { "mode", "755" }, { 0 } };

	switch (entry->kind) {
	case FURNISH_BIND:
		return clone_source(entry, source);
	case FURNISH_DEVICE:
		return clone_device(entry, source);
	case FURNISH_PROC:
		return procfs_create(furnish->pids);
	case FURNISH_SYS:
		return create("sysfs", none, inert | MOUNT_ATTR_RDONLY,
			"in a user namespace: 'nsnew -n', and a /sys with nothing hidden");
	case FURNISH_MQUEUE:
		return create("mqueue", none, inert, "in a user namespace that takes 'nsnew -i'");
	case FURNISH_CGROUP:
		return create_cgroup();
	case FURNISH_TMPFS:
		return create_tmpfs(entry);
	case FURNISH_DEV:
		return create("tmpfs", readable, inert, NULL);
	default:
		return fcntl(source, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	}
}

/* Whether there is an entry of one of KINDS, a mask. */
static bool has_any(const struct furnish *furnish, unsigned int kinds)
{
	size_t i = 0;

	while (i < furnish->count && !(1U << furnish->entries[i].kind & kinds))
		i++;
	return i < furnish->count;
}

void furnish_create(struct furnish *furnish)
{
	unsigned int masked = furnish->unmasked ? 0 : 1U << FURNISH_PROC | 1U << FURNISH_SYS;

	for (size_t i = 0; i < furnish->count; i++) {
		autoclose int source = furnish->entries[i].fd;

		furnish->entries[i].fd = create_entry(furnish, &furnish->entries[i], source);
	}
	if (has_any(furnish, 1U << FURNISH_DEV))
		minidev_prepare(&furnish->dev);
	furnish->mask = (struct mask){ .file.tree = -1, .directory.tree = -1 };
	if (has_any(furnish, masked | 1U << FURNISH_COVER))
		mask_prepare(&furnish->mask);
}

/* --- when the old root is gone --- */

static bool is_mounted(const struct furnish_entry *entry)
{
	return entry->kind != FURNISH_DIRECTORY && entry->kind != FURNISH_SYMLINK &&
		entry->kind != FURNISH_FILE && entry->kind != FURNISH_PROTECT &&
		entry->kind != FURNISH_COVER;
}

static bool is_restriction(const struct furnish_entry *entry)
{
	return entry->kind == FURNISH_PROTECT || entry->kind == FURNISH_COVER;
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
static int find_base(const struct furnish *furnish, int root, const char *target, const char **rest)
{
	int base = root;

	*rest = target;
	for (size_t i = 0; i < furnish->count; i++) {
		const struct furnish_entry *entry = &furnish->entries[i];
		const char *below = entry->attached ? rest_below(target, entry->target) : NULL;

		if (below && strlen(below) <= strlen(*rest)) {
			base = entry->fd;
			*rest = below;
		}
	}
	return base;
}

/* Another fd of BASE itself, or -errno. */
static int open_base(int base)
{
	int fd = fcntl(base, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	return fd < 0 ? -errno : fd;
}

static _Noreturn void cannot_make(int error, const char *verb, const char *target)
{
	const char *advice = NULL;

	if (error == -ELOOP)
		advice = "it is a symlink in the root file system; name what it points to";
	else if (error == -EROFS)
		advice = "the root is read-only: make it there first, or use --overlay";
	else if (error == -EXDEV)
		advice = "a symlink leads into another mount, where nothing is made";
	die_hint(advice, -error, "cannot %s '%s' in the new root", verb, target);
}

static void attach(const struct furnish *furnish, int root, struct furnish_entry *entry)
{
	struct stat status;
	const char *path;
	int base = find_base(furnish, root, entry->target, &path);

	if (fstat(entry->fd, &status) < 0)
		die_error(errno, "cannot look at what goes to '%s'", entry->target);
	explain_because(purposes[entry->kind]);

	/* What is explained to be made is a file system. */
	bool directory = S_ISDIR(status.st_mode) || explain_is_made(entry->fd);
	autoclose int place = *path ? place_try_make(base, path, directory) : open_base(base);

	int error = place < 0 ? place : fd_try_same(root, place);

	if (error == 1)
		die("cannot mount on '%s' in the new root: it is that root itself", entry->target);
	if (error == 0)
		error = mounttree_try_attach(entry->fd, place);
	if (error < 0)
		cannot_make(error, "mount on", entry->target);
	entry->attached = true;
}

static void make(const struct furnish *furnish, int root, const struct furnish_entry *entry)
{
	const char *path;
	int base = find_base(furnish, root, entry->target, &path);
	int error = 0;

	explain_because(purposes[entry->kind]);
	if (!*path)
		die("cannot make '%s' in the new root: something is mounted there", entry->target);
	if (entry->kind == FURNISH_DIRECTORY)
		error = place_try_make_directory(base, path, entry->mode);
	if (entry->kind == FURNISH_SYMLINK)
		error = place_try_make_symlink(base, path, entry->source);
	if (entry->kind == FURNISH_FILE)
		error = place_try_copy(base, path, entry->fd, entry->mode);
	if (error < 0)
		cannot_make(error, "make", entry->target);
}

static void put_in_place(struct furnish *furnish, int root, struct furnish_entry *entry)
{
	if (is_mounted(entry))
		attach(furnish, root, entry);
	else
		make(furnish, root, entry);
	if (entry->kind == FURNISH_DEV)
		minidev_fill(entry->fd, &furnish->dev);
	if (entry->kind == FURNISH_PROC && !furnish->unmasked)
		mask_proc(&furnish->mask, entry->fd);
	if (entry->kind == FURNISH_SYS && !furnish->unmasked)
		mask_sys(&furnish->mask, entry->fd);
}

static _Noreturn void cannot_restrict(const struct furnish_entry *entry, int error)
{
	const char *advice = NULL;

	if (error == -ENOENT || error == -ENOTDIR)
		advice = "--try-mask and --try-ro-path do without where there is nothing";
	else if (error == -ELOOP)
		advice = "it is a symlink in the root file system; name what it points to";
	else if (error == -ENOTSUP)
		advice = "a device can be written to also where it is mounted read-only";
	die_hint(advice, -error, "cannot %s '%s' in the new root",
		entry->kind == FURNISH_COVER ? "mask" : "protect", entry->target);
}

/* What is to be restricted, open; -1 if nothing is there and that is allowed. */
static int open_restricted(const struct furnish *furnish, int root, const struct furnish_entry *entry)
{
	const char *path;
	int base = find_base(furnish, root, entry->target, &path);
	int place = *path ? place_try_open(base, path) : open_base(base);
	struct stat status;

	/* Who comes before will have made it. */
	if (place == -ENOENT && explain_is_made(base) && !entry->tried)
		return explain_fd(entry->target);

	if ((place == -ENOENT || place == -ENOTDIR) && entry->tried)
		return -1;
	if (place < 0)
		cannot_restrict(entry, place);

	int same = fd_try_same(root, place);

	if (same < 0)
		cannot_restrict(entry, same);
	if (same)
		die("cannot restrict '%s' in the new root: it is that root itself", entry->target);
	if (fstat(place, &status) < 0)
		cannot_restrict(entry, -errno);
	if (S_ISLNK(status.st_mode))
		cannot_restrict(entry, -ELOOP);
	return place;
}

/* Whether what the others add may have to do with whether ENTRY's target is there. */
static bool depends_on_others(const struct furnish *furnish, const struct furnish_entry *entry)
{
	for (size_t i = 0; i < furnish->count; i++) {
		const struct furnish_entry *other = &furnish->entries[i];

		if (!is_restriction(other) &&
			(rest_below(entry->target, other->target) ||
				rest_below(other->target, entry->target)))
			return true;
	}
	return false;
}

/* What can be known to be wrong before anything is made in the root file system. */
static void check_restrictions(const struct furnish *furnish, int root)
{
	for (size_t i = 0; i < furnish->count; i++) {
		const struct furnish_entry *entry = &furnish->entries[i];

		if (is_restriction(entry) && !depends_on_others(furnish, entry)) {
			autoclose int place = open_restricted(furnish, root, entry);

			(void)place;
		}
	}
}

static void restrict_all(struct furnish *furnish, enum furnish_kind kind)
{
	for (size_t i = 0; i < furnish->count; i++) {
		const struct furnish_entry *entry = &furnish->entries[i];

		if (entry->kind != kind || entry->fd < 0)
			continue;

		explain_because(purposes[kind]);
		int error = kind == FURNISH_COVER ? mask_try_cover(&furnish->mask, entry->fd) :
						    mask_try_protect(entry->fd);

		if (error < 0)
			cannot_restrict(entry, error);
	}
}

void furnish_place(struct furnish *furnish, int root)
{
	mode_t before = umask(0);

	explain_because("what is made has the mode that was asked for");
	explain_call("umask(0)");
	check_restrictions(furnish, root);
	for (size_t i = 0; i < furnish->count; i++) {
		if (!is_restriction(&furnish->entries[i]))
			put_in_place(furnish, root, &furnish->entries[i]);
	}
	umask(before);
	explain_because("the umask is COMMAND's again");
	explain_call("umask(%o)", before);
	/* All are opened before the first takes effect, so that one may lie below another. What is read-only is a clone with the covers in it; a cover that came later
	 * would be below that. */
	for (size_t i = 0; i < furnish->count; i++) {
		if (is_restriction(&furnish->entries[i]))
			furnish->entries[i].fd = open_restricted(furnish, root, &furnish->entries[i]);
	}
	restrict_all(furnish, FURNISH_COVER);
	restrict_all(furnish, FURNISH_PROTECT);
	for (size_t i = 0; i < furnish->count; i++)
		fd_close(&furnish->entries[i].fd);
	mask_end(&furnish->mask);
}
