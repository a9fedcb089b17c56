#include "common/overlay.h"

#include "common/fd.h"
#include "common/mounttree.h"
#include "common/namespace.h"
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* "/proc/self/fd/N" needs no quoting in an option, whatever the directory is called. */
struct layer {
	int fd;
	char path[32];
};

static bool is_overlay(int fd)
{
	struct statfs system;

	return fstatfs(fd, &system) == 0 && system.f_type == OVERLAYFS_SUPER_MAGIC;
}

/* The directory NAME below DIRECTORY, made where it is not there. True in *RET_NEW if it was made. */
static struct layer open_layer(int directory, const char *name, const char *where, bool *ret_new)
{
	struct layer layer;

	*ret_new = mkdirat(directory, name, 0755) == 0;
	if (!*ret_new && errno != EEXIST)
		die_error(errno, "cannot make the directory '%s/%s'", where, name);
	layer.fd = fd_try_open(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	if (layer.fd < 0)
		die_error(-layer.fd, "cannot open the directory '%s/%s'", where, name);
	snprintf(layer.path, sizeof(layer.path), "/proc/self/fd/%d", layer.fd);
	return layer;
}

/* The top of the overlay shows the owner and mode of the upper directory. */
static void copy_owner(int lower, int upper, const char *object)
{
	struct stat status;

	if (fstat(lower, &status) < 0)
		die_error(errno, "cannot look at '%s'", object);
	/* EINVAL: no id of this user namespace. EPERM: not the caller's to give away. */
	if (fchown(upper, status.st_uid, status.st_gid) < 0 && errno != EINVAL && errno != EPERM)
		die_error(errno, "cannot set the owner of the upper directory");
	if (fchmod(upper, status.st_mode & 07777) < 0)
		die_error(errno, "cannot set the mode of the upper directory");
}

/* Where the two directories of the upper layer go. */
static int open_upper(int lower, const char *directory)
{
	static const struct mounttree_option options[] = { { "mode", "755" }, { 0 } };

	if (directory)
		return fd_open(AT_FDCWD, directory, O_PATH | O_DIRECTORY);

	int tree = mounttree_try_create("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	int error = tree < 0 ? tree : mounttree_try_attach(tree, lower);

	if (error < 0)
		die_error(-error, "cannot make a file system of type tmpfs for '--overlay'");
	return tree;
}

static const char *advice(int error, int lower, int upper)
{
	if (error == -EBUSY)
		return "it is in use by another overlay: each has to have a DIR of its own";
	if (error == -ESTALE)
		return "DIR holds the changes to another root file system";
	if (error == -ELOOP)
		return "DIR has to lie outside of the root file system";
	if (error == -EPERM)
		return "this needs CAP_SYS_ADMIN, and in a user namespace Linux 5.11";
	if (error == -EINVAL && is_overlay(upper))
		return "DIR lies on an overlay, which cannot take the changes of another";
	if (error == -EINVAL && is_overlay(lower))
		return "it lies on an overlay itself, and the kernel stacks two at most; or it is no overlay's own, in a user namespace: mounts below it are in the way";
	if (error == -EINVAL)
		return "in a user namespace, nothing may be mounted below it; and DIR needs a file system with extended attributes";
	return NULL;
}

int overlay_create(int lower, const char *object, const char *directory, uint64_t attributes)
{
	const char *where = directory ? directory : "overlay";
	autoclose int parent = open_upper(lower, directory);
	bool new_upper, new_work;
	struct layer upper = open_layer(parent, "upper", where, &new_upper);
	struct layer work = open_layer(parent, "work", where, &new_work);
	char lower_path[32];

	snprintf(lower_path, sizeof(lower_path), "/proc/self/fd/%d", lower);

	/* Without privilege over the file system, marks of what is deleted are kept in attributes that a user may write. With an index, the kernel refuses
	 * an upper directory that is in use or belongs to another lower one. */
	const struct mounttree_option options[] = { { "lowerdir", lower_path },
		{ "upperdir", upper.path }, { "workdir", work.path },
		namespace_is_initial(CLONE_NEWUSER) ?
			(struct mounttree_option){ "index", directory ? "on" : "off" } :
			(struct mounttree_option){ "userxattr", NULL },
		{ 0 } };

	if (new_upper)
		copy_owner(lower, upper.fd, object);

	int tree = mounttree_try_create("overlay", options, attributes);

	if (tree < 0)
		die_hint(advice(tree, lower, parent), -tree, "cannot make an overlay of '%s'%s%s%s",
			object, directory ? " and '" : "", directory ? directory : "",
			directory ? "'" : "");
	fd_close(&upper.fd);
	fd_close(&work.fd);
	/* The layers stay with the overlay. */
	int error = directory ? 0 : mounttree_try_detach(parent, ".");

	if (error < 0)
		die_error(-error, "cannot take the upper layer of the overlay off '%s'", object);
	return tree;
}
