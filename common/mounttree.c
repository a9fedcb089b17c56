#include "common/mounttree.h"

#include "common/explain.h"
#include "common/fd.h"
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* umount2(2); the header that declares it clashes with linux/mount.h in some C libraries, hence the bare system calls. */
enum { DETACH = 2, NOFOLLOW = 8 };

/* The kernel's ST_NOSYMFOLLOW, for which statvfs.h has no name. */
enum { NO_SYMLINKS = 0x2000 };

static int result(long value)
{
	return value < 0 ? -errno : (int)value;
}

const char *mounttree_parse_propagation(const char *text, unsigned long *ret)
{
	static const struct {
		const char *name;
		unsigned long flag;
	} modes[] = { { "private", MS_PRIVATE }, { "slave", MS_SLAVE }, { "shared", MS_SHARED },
		{ "unchanged", 0 } };

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		if (strcmp(text, modes[i].name) == 0) {
			*ret = modes[i].flag;
			return NULL;
		}
	}
	return "is no propagation: one of private, slave, shared, unchanged";
}

/* The names of the bits in FLAGS, as a program would be written with them. */
static const char *name_attributes(uint64_t flags, char *text, size_t size)
{
	static const struct {
		uint64_t flag;
		const char *name;
	} names[] = {
		{ MOUNT_ATTR_RDONLY, "MOUNT_ATTR_RDONLY" },
		{ MOUNT_ATTR_NOSUID, "MOUNT_ATTR_NOSUID" },
		{ MOUNT_ATTR_NODEV, "MOUNT_ATTR_NODEV" },
		{ MOUNT_ATTR_NOEXEC, "MOUNT_ATTR_NOEXEC" },
		{ MOUNT_ATTR_NOSYMFOLLOW, "MOUNT_ATTR_NOSYMFOLLOW" },
		{ MOUNT_ATTR_IDMAP, "MOUNT_ATTR_IDMAP" },
	};
	size_t used = (size_t)snprintf(text, size, "0");

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!(flags & names[i].flag))
			continue;
		used = strcmp(text, "0") == 0 ? 0 : used;
		used += (size_t)snprintf(
			text + used, size - used, "%s%s", used ? "|" : "", names[i].name);
	}
	return text;
}

enum { ATTRIBUTES_TEXT = 160 };

/* "MS_PRIVATE" */
static const char *name_propagation(unsigned long propagation)
{
	return propagation == MS_PRIVATE     ? "MS_PRIVATE" :
		propagation == MS_SLAVE      ? "MS_SLAVE" :
		propagation == MS_UNBINDABLE ? "MS_UNBINDABLE" :
					       "MS_SHARED";
}

void mounttree_propagate(unsigned long propagation)
{
	explain_because(propagation == MS_PRIVATE ?
			"mounts that are made here do not show outside, nor those of outside here" :
			"which mounts show on the other side");
	if (explain_call("mount(NULL, \"/\", NULL, MS_REC|%s, NULL)", name_propagation(propagation)))
		return;

	int error = result(syscall(SYS_mount, NULL, "/", NULL, MS_REC | propagation, NULL));

	if (error < 0)
		die_hint(error == -EINVAL ?
				"the caller is chrooted to a directory that is no mount point" :
				NULL,
			-error, "cannot change the propagation of the mounts at '/'");
}

int mounttree_try_set_propagation(int fd, unsigned long propagation)
{
	struct mount_attr attributes = { .propagation = propagation };

	if (explain_call("mount_setattr(%f, \"\", AT_EMPTY_PATH, {propagation=%s})", fd,
		    name_propagation(propagation)))
		return 0;
	return result(
		syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)));
}

int mounttree_try_detach(int dirfd, const char *path)
{
	char below[64];

	if (explain_call("umount2(\"%s%s\", MNT_DETACH|UMOUNT_NOFOLLOW)",
		    dirfd == AT_FDCWD ? "" : "/proc/self/fd/N/", path))
		return 0;
	/* umount2(2) takes no directory fd; the magic link stands for one. */
	if (dirfd != AT_FDCWD) {
		if (snprintf(below, sizeof(below), "/proc/self/fd/%d/%s", dirfd, path) >=
			(int)sizeof(below))
			return -ENAMETOOLONG;
		path = below;
	}
	return result(syscall(SYS_umount2, path, DETACH | NOFOLLOW));
}

int mounttree_try_clone(int fd, bool recursive)
{
	unsigned int depth = recursive ? AT_RECURSIVE : 0;

	if (explain_call("open_tree(%f, \"\", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH%s)",
		    fd, recursive ? "|AT_RECURSIVE" : ""))
		return result(fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
	return result(syscall(SYS_open_tree, fd, "",
		depth | AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
}

int mounttree_clone(int fd, const char *object, bool recursive)
{
	int tree = mounttree_try_clone(fd, recursive);

	if (tree < 0)
		die_hint(tree == -EPERM ?
				"this needs CAP_SYS_ADMIN: run it behind 'nsnew -r'" :
				tree == -EINVAL && !recursive ?
				"in a user namespace, what is mounted below it cannot be left out" :
				NULL,
			-tree, "cannot clone the mount of '%s'", object);
	return tree;
}

static int set_option(int context, const char *key, const char *value)
{
	unsigned int command = value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;

	if (explain_call("fsconfig(%f, FSCONFIG_SET_%s, %q, %q, 0)", context,
		    value ? "STRING" : "FLAG", key, value))
		return 0;
	return result(syscall(SYS_fsconfig, context, command, key, value, 0));
}

static int configure(int context, const char *type, const struct mounttree_option *options)
{
	/* What the list of mounts shows in place of a device. */
	int error = set_option(context, "source", type);

	for (; error == 0 && options->key; options++)
		error = set_option(context, options->key, options->value);
	if (error < 0)
		return error;
	if (explain_call("fsconfig(%f, FSCONFIG_CMD_CREATE, NULL, NULL, 0)", context))
		return 0;
	return result(syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
}

/* Stands in for a new file system. */
static int explain_type(const char *type)
{
	char name[64];

	snprintf(name, sizeof(name), "new %s", type);
	return explain_fd(name);
}

int mounttree_try_open(const char *type)
{
	if (explain_call("fsopen(%q, FSOPEN_CLOEXEC)", type))
		return explain_type(type);
	return result(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));
}

/* What is in a new proc or sysfs is much like what is in the present one. */
static int explain_create(int context, const char *type, uint64_t attributes)
{
	const char *like = strcmp(type, "proc") == 0 ? "/proc" :
		strcmp(type, "sysfs") == 0           ? "/sys" :
						       NULL;
	char text[ATTRIBUTES_TEXT];

	explain_call("fsmount(%f, FSMOUNT_CLOEXEC, %s)", context,
		name_attributes(attributes, text, sizeof(text)));
	return like ? fd_open(AT_FDCWD, like, O_PATH | O_DIRECTORY) : explain_type(type);
}

static int create(
	int context, const char *type, const struct mounttree_option *options, uint64_t attributes)
{
	int error = context < 0 ? context : configure(context, type, options);

	if (explain_is_on())
		return explain_create(context, type, attributes);
	return error < 0 ? error : result(syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes));
}

int mounttree_try_create(const char *type, const struct mounttree_option *options, uint64_t attributes)
{
	autoclose int context = mounttree_try_open(type);

	return create(context, type, options, attributes);
}

int mounttree_create_proc(int context)
{
	struct statfs system;
	static const struct mounttree_option none[] = { { 0 } };
	int tree = create(
		context, "proc", none, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);

	if (tree == -EPERM)
		die_hint("in a user namespace: 'nsnew -p', and a /proc with nothing hidden", EPERM,
			"cannot make a file system of type proc");
	if (tree < 0)
		die_error(-tree, "cannot make a file system of type proc");
	/* It may have been begun where others could lay hands on it. */
	if (!explain_is_on() && (fstatfs(tree, &system) < 0 || system.f_type != PROC_SUPER_MAGIC))
		die("what was made as a file system of type proc is something else");
	return tree;
}

void mounttree_mount_proc(const char *path)
{
	autoclose int place = fd_open(AT_FDCWD, path, O_PATH | O_DIRECTORY);
	autoclose int context = mounttree_try_open("proc");
	autoclose int tree = mounttree_create_proc(context);

	/* On a mount that is still shared the new one would show in other mount namespaces too. EINVAL: not a mount. */
	int error = mounttree_try_set_propagation(place, MS_PRIVATE);

	if (error == 0 || error == -EINVAL)
		error = mounttree_try_attach(tree, place);

	if (error < 0)
		die_error(-error, "cannot mount on '%s'", path);
}

static int explain_set(int tree, uint64_t set, uint64_t clear, bool recursive)
{
	char added[ATTRIBUTES_TEXT], removed[ATTRIBUTES_TEXT];

	explain_call("mount_setattr(%f, \"\", AT_EMPTY_PATH%s, {attr_set=%s, attr_clr=%s})", tree,
		recursive ? "|AT_RECURSIVE" : "", name_attributes(set, added, sizeof(added)),
		name_attributes(clear, removed, sizeof(removed)));
	return 0;
}

int mounttree_try_set(int tree, uint64_t set, uint64_t clear, bool recursive)
{
	struct mount_attr attributes = { .attr_set = set, .attr_clr = clear };
	int flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);

	if (explain_is_on())
		return explain_set(tree, set, clear, recursive);
	return result(syscall(SYS_mount_setattr, tree, "", flags, &attributes, sizeof(attributes)));
}

void mounttree_verify(int fd, uint64_t attributes, const char *object)
{
	unsigned long wanted = (attributes & MOUNT_ATTR_RDONLY ? ST_RDONLY : 0) |
		(attributes & MOUNT_ATTR_NOSUID ? ST_NOSUID : 0) |
		(attributes & MOUNT_ATTR_NODEV ? ST_NODEV : 0) |
		(attributes & MOUNT_ATTR_NOEXEC ? ST_NOEXEC : 0) |
		(attributes & MOUNT_ATTR_NOSYMFOLLOW ? NO_SYMLINKS : 0);
	struct statvfs status;

	if (explain_is_on())
		return;
	if (fstatvfs(fd, &status) < 0)
		die_error(errno, "cannot read the mount attributes of '%s'", object);
	if ((status.f_flag & wanted) != wanted)
		die("the mount attributes of '%s' are not the ones asked for", object);
}

void mounttree_restrict(int tree, uint64_t attributes, const char *object)
{
	int error = mounttree_try_set(tree, attributes, 0, true);

	if (error < 0)
		die_error(-error, "cannot set the mount attributes of '%s'", object);
	mounttree_verify(tree, attributes, object);
}

void mounttree_restrict_device(int tree, const char *object)
{
	const uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;

	if (mounttree_try_set(tree, attributes, MOUNT_ATTR_NODEV, false) < 0)
		mounttree_restrict(tree, attributes, object);
	else
		mounttree_verify(tree, attributes, object);
}

int mounttree_try_map_ids(int tree, int user_namespace, bool recursive)
{
	struct mount_attr attributes = {
		.attr_set = MOUNT_ATTR_IDMAP,
		.userns_fd = (unsigned int)user_namespace,
	};

	if (explain_call(
		    "mount_setattr(%f, \"\", AT_EMPTY_PATH%s, {attr_set=MOUNT_ATTR_IDMAP, userns_fd=%f})",
		    tree, recursive ? "|AT_RECURSIVE" : "", user_namespace))
		return 0;
	return result(syscall(SYS_mount_setattr, tree, "",
		AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attributes, sizeof(attributes)));
}

int mounttree_try_attach(int tree, int target)
{
	struct stat source, place;

	if (explain_call(
		    "move_mount(%f, \"\", %f, \"\", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)",
		    tree, target))
		return 0;
	if (fstat(target, &place) < 0)
		return -errno;
	if (S_ISLNK(place.st_mode))
		return -ELOOP;

	int error = result(syscall(SYS_move_mount, tree, "", target, "",
		MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));

	if (error == -EINVAL && fstat(tree, &source) == 0 &&
		S_ISDIR(source.st_mode) != S_ISDIR(place.st_mode))
		return S_ISDIR(place.st_mode) ? -EISDIR : -ENOTDIR;
	return error;
}

int mounttree_try_attach_new(int tree, int directory, const char *name)
{
	if (explain_call(
		    "move_mount(%f, \"\", %f, %q, MOVE_MOUNT_F_EMPTY_PATH)", tree, directory, name))
		return 0;
	return result(syscall(SYS_move_mount, tree, "", directory, name, MOVE_MOUNT_F_EMPTY_PATH));
}

int mounttree_try_leave_chroot(void)
{
	if (explain_call("setns(<pidfd of this process>, CLONE_NEWNS)"))
		return 0;

	autoclose int self = (int)syscall(SYS_pidfd_open, getpid(), 0);

	/* Joining the mount namespace that one is in resets the root. */
	if (self >= 0 && setns(self, CLONE_NEWNS) == 0)
		return 0;
	if (self >= 0 && errno != EINVAL)
		return -errno;

	/* Before Linux 5.8 a pidfd could not be joined. */
	autoclose int file = fd_try_open(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY);

	return file < 0 ? file : result(setns(file, CLONE_NEWNS));
}

/* Whether something is mounted on the root directory TREE: ".." of a root is what is on top of it. -ENOTSUP if the kernel does not say. */
static int is_covered(int tree)
{
	uint64_t own = fd_mount_id(tree, "", AT_EMPTY_PATH);
	uint64_t top = fd_mount_id(AT_FDCWD, "/..", 0);

	return own && top ? own != top : -ENOTSUP;
}

const char *mounttree_advise_pivot(int error)
{
	if (error == -EINVAL)
		return "the current root is an initramfs, or lies below another mount";
	if (error == -ENOTSUP)
		return "statx(2) with STATX_MNT_ID (Linux 5.8) is refused or not there";
	return NULL;
}

static int explain_pivot(int tree)
{
	explain_call("fchdir(%f)", tree);
	explain_call("pivot_root(\".\", \".\")");
	explain_call("umount2(\".\", MNT_DETACH)");
	explain_call("chdir(\"/\")");
	return 0;
}

int mounttree_try_pivot(int tree)
{
	if (explain_is_on())
		return explain_pivot(tree);
	if (fchdir(tree) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return -errno;
	/* With "." for both, the old root is on top of the new one now, and on top of that what was mounted over the old root. */
	int covered = 1;

	while (covered > 0) {
		if (syscall(SYS_umount2, ".", DETACH) < 0)
			return -errno;
		covered = is_covered(tree);
	}
	return covered < 0 ? covered : chdir("/") < 0 ? -errno : 0;
}
