/*
 * rootfs - another root file system for this process, with what is mounted and made in it. pivot_root(2), mount_namespaces(7).
 *
 * The new root is not trusted: its symlinks, device nodes and directories may be anybody's. So everything that comes from the old root is opened while
 * that is still there, and only after the old root is gone are paths of the new one walked: then they lead nowhere else. What
 * is mounted on must not be a symlink, since the mount would cover the link and leave what it points to in reach.
 */
#pragma once

#include "common/furnish.h"

#include <stdbool.h>

struct rootfs {
	const char *path;    /* the directory that becomes the root */
	bool read_only;      /* ... with all that is mounted below it, but not what FURNISH adds */
	bool suid;           /* set-user-ID programs of it count */
	bool overlay;        /* copy-on-write, without what is mounted below it */
	const char *changes; /* the directory that takes the changes of an overlay; NULL for memory */
	const char *workdir; /* in the new root; NULL for "/" */
	struct furnish furnish;
};

/*
 * Puts this process into a mount namespace of its own with ROOTFS as its root and nothing of the old root left, reads the attributes of the new
 * root back, and ends in the working directory. The root is nodev, and nosuid unless SUID. Needs CAP_SYS_ADMIN and CAP_SYS_CHROOT. Dies. The caller must
 * not hold an fd of the old root across exec: see fd_close_others().
 */
void rootfs_enter(struct rootfs *rootfs);

/* Whether a /proc of its own shows this process no more than its own PID namespace, and that is not the one its /proc shows now. */
bool rootfs_has_own_pids(void);
