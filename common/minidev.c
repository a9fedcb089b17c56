#include "common/minidev.h"

#include "common/explain.h"
#include "common/fd.h"
#include "common/mounttree.h"
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* The nodes that every program may expect, and what they have to be: a name in /dev proves nothing. */
static const struct device {
	const char *name;
	unsigned int major, minor;
} devices[MINIDEV_NODES] = {
	{ "null", 1, 3 },
	{ "zero", 1, 5 },
	{ "full", 1, 7 },
	{ "random", 1, 8 },
	{ "urandom", 1, 9 },
	{ "tty", 5, 0 },
};

static int check_tree(int tree, const char *type)
{
	if (tree < 0)
		die_error(-tree, "cannot make a file system of type %s for '/dev'", type);
	return tree;
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

	int tree = mounttree_clone(fd, path, false);

	/* Where the whole of /dev is nodev and that is not ours to change, opening the node will fail and be noticed. */
	mounttree_restrict_device(tree, path);
	return tree;
}

static int create_pts(void)
{
	static const struct mounttree_option with_group[] = { { "ptmxmode", "0666" },
		{ "mode", "620" }, { "gid", "5" }, { 0 } };
	/* In a user namespace that has no group tty. */
	static const struct mounttree_option without[] = { { "ptmxmode", "0666" },
		{ "mode", "620" }, { 0 } };
	const uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
	/* Who is explained to would be told of an attempt that fails. */
	bool grouped = !explain_is_changed(EXPLAIN_NO_TTY);
	int tree = grouped ? mounttree_try_create("devpts", with_group, attributes) : -EINVAL;

	if (tree == -EINVAL)
		tree = mounttree_try_create("devpts", without, attributes);
	return check_tree(tree, "devpts");
}

int minidev_clone_null(void)
{
	return clone_device(&devices[0]);
}

void minidev_prepare(struct minidev *dev)
{
	static const struct mounttree_option open_to_all[] = { { "mode", "1777" }, { 0 } };

	for (size_t i = 0; i < MINIDEV_NODES; i++)
		dev->nodes[i] = clone_device(&devices[i]);
	dev->pts = create_pts();
	dev->shm = check_tree(mounttree_try_create("tmpfs", open_to_all,
				      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC),
		"tmpfs");
}

/* Opening proves more than looking: a device on a nodev mount can be seen and not used. */
static void probe_device(int dev, const char *name)
{
	if (explain_is_on())
		return;

	autoclose int fd = fd_try_open(dev, name, O_RDWR | O_NONBLOCK | O_NOCTTY);

	/* ENXIO is what /dev/tty says to a process that has no terminal. */
	if (fd < 0 && fd != -ENXIO)
		die_hint("/dev is mounted nodev; --bare leaves it to the root file system", -fd,
			"cannot use '/dev/%s' in the new root", name);
}

/* The directory or file to attach something to. */
static void make_place(int dev, const char *name, bool directory)
{
	if (explain_call(directory ? "mkdirat(%f, %q, 0755)" : "mknodat(%f, %q, S_IFREG|0666, 0)",
		    dev, name)) {
		/* For entries of this name that come later. */
		int made = explain_fd(name);

		fd_close(&made);
		return;
	}
	if (directory ? mkdirat(dev, name, 0755) < 0 : mknodat(dev, name, S_IFREG | 0666, 0) < 0)
		die_error(errno, "cannot make '/dev/%s'", name);
}

static void link_to(int dev, const char *name, const char *target)
{
	if (explain_call("symlinkat(%q, %f, %q)", target, dev, name))
		return;
	if (symlinkat(target, dev, name) < 0)
		die_error(errno, "cannot make '/dev/%s'", name);
}

/* Attaches *TREE and closes it. */
static void attach(int dev, const char *name, bool directory, int *tree)
{
	make_place(dev, name, directory);

	int error = mounttree_try_attach_new(*tree, dev, name);

	if (error < 0)
		die_error(-error, "cannot mount on '/dev/%s'", name);
	fd_close(tree);
}

void minidev_fill(int directory, struct minidev *dev)
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

	for (size_t i = 0; i < MINIDEV_NODES; i++) {
		attach(directory, devices[i].name, false, &dev->nodes[i]);
		probe_device(directory, devices[i].name);
	}
	attach(directory, "pts", true, &dev->pts);
	attach(directory, "shm", true, &dev->shm);
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		link_to(directory, links[i].name, links[i].target);
}
