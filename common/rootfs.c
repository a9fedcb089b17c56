#include "common/rootfs.h"

#include "common/explain.h"
#include "common/fd.h"
#include "common/mounttree.h"
#include "common/namespace.h"
#include "common/overlay.h"
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

bool rootfs_has_own_pids(void)
{
	char shown[16], own[16];
	ssize_t length = readlink("/proc/self", shown, sizeof(shown) - 1);

	if (explain_is_on())
		return explain_is_changed(EXPLAIN_PID);
	if (getpid() == 1)
		return true;
	if (length < 0)
		return false;
	shown[length] = '\0';
	snprintf(own, sizeof(own), "%d", (int)getpid());
	return strcmp(shown, own) != 0;
}

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

static int open_root(const char *path)
{
	int root = fd_try_open(AT_FDCWD, path, O_PATH | O_DIRECTORY);

	if (root < 0)
		die_hint(root == -ENOTDIR ?
				"it has to be a directory: unpack an archive, nsmount an image" :
				NULL,
			-root, "cannot use '%s' as the root", path);
	return root;
}

static void leave_chroot(void)
{
	explain_because("no chroot is left behind");
	int error = mounttree_try_leave_chroot();

	if (error < 0)
		die_hint(error == -EPERM ?
				"this needs CAP_SYS_CHROOT, to be sure that it is in no chroot" :
				NULL,
			-error, "cannot enter the root of this mount namespace");
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

/* Makes the clone TREE, attached over the directory PLACE it was cloned from, the root. */
static void switch_root(int tree, int place)
{
	int error = mounttree_try_attach(tree, place);

	if (error == 0)
		error = mounttree_try_pivot(tree);
	if (error < 0)
		die_hint(mounttree_advise_pivot(error), -error, "cannot change the root");
}

static void enter_workdir(int root, const char *workdir)
{
	explain_because("where COMMAND starts");
	autoclose int fd = fd_try_open_inside(root, workdir, O_PATH | O_DIRECTORY);

	if ((fd >= 0 || explain_has_fd(workdir)) && explain_call("fchdir(%p)", root, workdir))
		return;

	if (fd < 0 || fchdir(fd) < 0)
		die_error(fd < 0 ? -fd : errno, "cannot enter '%s' in the new root", workdir);
	if (!fd_is_inside_root())
		die("'%s' is not inside the new root", workdir);
}

static void make_read_only(int root)
{
	explain_because("nothing of the root can be changed");
	int error = mounttree_try_set(root, MOUNT_ATTR_RDONLY, 0, false);

	if (error < 0)
		die_error(-error, "cannot make the new root read-only");
	mounttree_verify(root, MOUNT_ATTR_RDONLY, "/");
}

void rootfs_enter(struct rootfs *rootfs)
{
	struct rlimit open_files = raise_open_files(rootfs->furnish.count);
	struct statvfs system;

	namespace_unshare(CLONE_NEWNS);
	/* Trees can only be cloned from the own mount namespace: open everything in the new one. */
	furnish_open(&rootfs->furnish);

	autoclose int place = open_root(rootfs->path);
	autoclose int changes =
		rootfs->changes ? fd_open(AT_FDCWD, rootfs->changes, O_PATH | O_DIRECTORY) : -1;

	if (fstatvfs(place, &system) < 0)
		die_error(errno, "cannot read the mount attributes of '%s'", rootfs->path);
	leave_chroot();
	mounttree_propagate(MS_PRIVATE);
	explain_because(
		"the new root, a clone of its mounts without devices and set-user-ID programs");

	autoclose int root = clone_root(rootfs, place, changes, &system);

	explain_because("what is to be mounted in it, while the old root is there");
	furnish_create(&rootfs->furnish);
	explain_because("the old root is out of reach");
	switch_root(root, place);
	fd_close(&place);
	fd_close(&changes);

	/* The old root is gone: from here on every path leads to the new one. Its top is writable again to make mount points. */
	explain_because("its top can be written to while mount points are made");
	if (rootfs->read_only && (rootfs->overlay || !(system.f_flag & ST_RDONLY)))
		mounttree_try_set(root, 0, MOUNT_ATTR_RDONLY, false);
	furnish_place(&rootfs->furnish, root);
	if (rootfs->read_only)
		make_read_only(root);
	explain_change(EXPLAIN_ROOT);
	enter_workdir(root, rootfs->workdir ? rootfs->workdir : "/");
	if (setrlimit(RLIMIT_NOFILE, &open_files) < 0)
		die_error(errno, "cannot restore the limit of open files");
}
