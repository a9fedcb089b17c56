#include "common/overlay.h"

#include "common/explain.h"
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

struct layer {
	int fd;
	bool made;
	char path[FD_PATH_SIZE];
};

static bool is_overlay(int fd)
{
	struct statfs system;

	return fstatfs(fd, &system) == 0 && system.f_type == OVERLAYFS_SUPER_MAGIC;
}

/* Whether the directory PLACE is TOP or below it. */
static bool is_inside(int place, int top)
{
	struct stat wanted, here, below = { 0 };
	autoclose int fd = fd_open(place, ".", O_PATH | O_DIRECTORY);

	if (fstat(top, &wanted) < 0)
		return true;
	while (fstat(fd, &here) == 0 && (here.st_dev != below.st_dev || here.st_ino != below.st_ino)) {
		if (here.st_dev == wanted.st_dev && here.st_ino == wanted.st_ino)
			return true;
		below = here;

		int above = fd_open(fd, "..", O_PATH | O_DIRECTORY);

		fd_close(&fd);
		fd = above;
	}
	return false;
}

static _Noreturn void refuse(const struct overlay *overlay, const char *advice, int error)
{
	if (overlay->changes < 0)
		die_hint(advice, error, "cannot make an overlay of '%s'", overlay->lower_name);
	die_hint(advice, error, "cannot make an overlay of '%s' and '%s'", overlay->lower_name,
		overlay->changes_name);
}

static void find_path(const struct overlay *overlay, struct layer *layer)
{
	if (explain_is_on()) {
		snprintf(layer->path, sizeof(layer->path), "/proc/self/fd/N");
		return;
	}

	int error = fd_try_path(layer->fd, layer->path);

	if (error < 0)
		refuse(overlay, error == -EMFILE ? NULL : "this needs the kernel's /proc", -error);
}

static struct layer explain_layer(const struct overlay *overlay, int directory, const char *name)
{
	struct layer layer = { .fd = fd_try_open(directory, name, O_PATH | O_DIRECTORY) };

	layer.made = layer.fd < 0 || explain_is_made(directory);
	if (layer.made) {
		explain_call("mkdirat(%f, %q, 0755)", directory, name);
		fd_close(&layer.fd);
		layer.fd = explain_fd(name);
	}
	find_path(overlay, &layer);
	return layer;
}

/* The directory NAME below DIRECTORY, made where it is not there. */
static struct layer open_layer(const struct overlay *overlay, int directory, const char *name)
{
	if (explain_is_on())
		return explain_layer(overlay, directory, name);

	struct layer layer = { .made = mkdirat(directory, name, 0755) == 0 };

	if (!layer.made && errno != EEXIST)
		die_error(errno, "cannot make the directory '%s/%s'", overlay->changes_name, name);
	layer.fd = fd_try_open(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	if (layer.fd < 0)
		die_error(-layer.fd, "cannot open the directory '%s/%s'", overlay->changes_name, name);
	find_path(overlay, &layer);
	return layer;
}

/* The top of the overlay shows the owner and mode of the upper directory. */
static void copy_owner(const struct overlay *overlay, int upper)
{
	struct stat status;

	if (fstat(overlay->lower, &status) < 0)
		die_error(errno, "cannot look at '%s'", overlay->lower_name);
	if (explain_call("fchown(%f, the owner and group of %f)", upper, overlay->lower) &&
		explain_call("fchmod(%f, %o)", upper, status.st_mode & 07777))
		return;
	/* EINVAL: no id of this user namespace. EPERM: not the caller's to give away. */
	if (fchown(upper, status.st_uid, status.st_gid) < 0 && errno != EINVAL && errno != EPERM)
		die_error(errno, "cannot set the owner of the upper directory");
	if (fchmod(upper, status.st_mode & 07777) < 0)
		die_error(errno, "cannot set the mode of the upper directory");
}

/* Where the two directories of the upper layer go. */
static int open_changes(const struct overlay *overlay)
{
	static const struct mounttree_option options[] = { { "mode", "755" }, { 0 } };

	if (overlay->changes >= 0) {
		if (is_inside(overlay->changes, overlay->lower))
			refuse(overlay, "DIR has to lie outside of the root file system", ELOOP);
		return fd_open(overlay->changes, ".", O_PATH | O_DIRECTORY);
	}

	int tree = mounttree_try_create("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	int error = tree < 0 ? tree : mounttree_try_attach(tree, overlay->lower);

	if (error < 0)
		die_error(-error, "cannot make a file system of type tmpfs for '--overlay'");
	return tree;
}

static const char *advice(int error, const struct overlay *overlay)
{
	switch (error) {
	case -EBUSY:
		return "it is in use by another overlay: each has to have a DIR of its own";
	case -ESTALE:
		return "DIR holds the changes to another root file system";
	case -EPERM:
		return "this needs CAP_SYS_ADMIN, and in a user namespace Linux 5.11";
	case -EINVAL:
		if (overlay->changes >= 0 && is_overlay(overlay->changes))
			return "DIR lies on an overlay, which cannot take the changes of another";
		if (is_overlay(overlay->lower))
			return "it lies on an overlay itself: the kernel stacks two at most";
		return "rootless, without mounts below it; DIR needs extended attributes";
	default:
		return NULL;
	}
}

static int create(const struct overlay *overlay, const struct layer *upper, const struct layer *work)
{
	struct layer lower = { .fd = overlay->lower };
	struct mounttree_option options[6] = { { "lowerdir", lower.path },
		{ "upperdir", upper->path }, { "workdir", work->path } };
	size_t count = 3;

	find_path(overlay, &lower);
	/* With an index, the kernel refuses an upper directory that is in use or belongs to another lower one. */
	if (overlay->changes >= 0)
		options[count++] = (struct mounttree_option){ "index", "on" };
	/* Without privilege over the file system, what is deleted is marked in attributes that a user may write. */
	if (!namespace_is_initial(CLONE_NEWUSER))
		options[count++] = (struct mounttree_option){ "userxattr", NULL };
	return mounttree_try_create("overlay", options, overlay->attributes);
}

int overlay_create(const struct overlay *overlay)
{
	autoclose int changes = open_changes(overlay);
	struct layer upper = open_layer(overlay, changes, "upper");
	struct layer work = open_layer(overlay, changes, "work");

	if (upper.made)
		copy_owner(overlay, upper.fd);

	int tree = create(overlay, &upper, &work);

	if (tree < 0) {
		/* What is not empty was somebody's before. */
		if (work.made)
			unlinkat(changes, "work", AT_REMOVEDIR);
		if (upper.made)
			unlinkat(changes, "upper", AT_REMOVEDIR);
		refuse(overlay, advice(tree, overlay), -tree);
	}
	/* Much of what is in it is in the lower layer. */
	if (explain_is_on())
		tree = fd_open(overlay->lower, ".", O_PATH | O_DIRECTORY);
	fd_close(&upper.fd);
	fd_close(&work.fd);
	/* The layers stay with the overlay. */
	int error = overlay->changes >= 0 ? 0 : mounttree_try_detach(changes, ".");

	if (error < 0)
		die_error(-error, "cannot take the upper layer of the overlay off '%s'",
			overlay->lower_name);
	return tree;
}
