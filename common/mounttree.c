#include "common/mounttree.h"

#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* umount2(2); the header that declares it clashes with linux/mount.h in some C libraries, hence the bare system calls. */
enum { DETACH = 2 };

static int result(long value)
{
	return value < 0 ? -errno : (int)value;
}

void mounttree_propagate(unsigned long propagation)
{
	if (syscall(SYS_mount, NULL, "/", NULL, MS_REC | propagation, NULL) == 0)
		return;
	die_hint(errno == EINVAL ? "the caller is chrooted to a directory that is no mount point" :
				   NULL,
		errno, "cannot change the propagation of the mounts at '/'");
}

int mounttree_try_clone(int fd)
{
	return result(syscall(SYS_open_tree, fd, "",
		AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
}

static int set_option(int context, const char *key, const char *value)
{
	unsigned int command = value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;

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
	return result(syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
}

int mounttree_try_create(const char *type, const struct mounttree_option *options, uint64_t attributes)
{
	int context = result(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));

	if (context < 0)
		return context;

	int tree = configure(context, type, options);

	if (tree == 0)
		tree = result(syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes));
	close(context);
	return tree;
}

int mounttree_try_set(int tree, uint64_t set, uint64_t clear, bool recursive)
{
	struct mount_attr attributes = { .attr_set = set, .attr_clr = clear };
	int flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);

	return result(syscall(SYS_mount_setattr, tree, "", flags, &attributes, sizeof(attributes)));
}

int mounttree_try_attach(int tree, int target)
{
	struct stat source, place;

	if (fstat(tree, &source) < 0 || fstat(target, &place) < 0)
		return -errno;
	if (S_ISLNK(place.st_mode))
		return -ELOOP;
	if (S_ISDIR(source.st_mode) != S_ISDIR(place.st_mode))
		return S_ISDIR(place.st_mode) ? -EISDIR : -ENOTDIR;
	return result(syscall(SYS_move_mount, tree, "", target, "",
		MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

int mounttree_try_pivot(int tree)
{
	/* With "." for both, the old root ends up on top of the new one and is taken off from there. */
	if (fchdir(tree) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
		syscall(SYS_umount2, ".", DETACH) < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}
