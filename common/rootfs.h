/*
 * rootfs - another root file system for this process, with what is mounted in it. pivot_root(2), mount_namespaces(7).
 *
 * The new root is not trusted: its symlinks, device nodes and directories may be anybody's. So everything that comes from the old root is opened while
 * that is still there, and only after the old root is gone are paths of the new one walked: then they lead nowhere else. What
 * is mounted on must not be a symlink, since the mount would cover the link and leave what it points to in reach.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rootfs_kind {
	ROOTFS_BIND,  /* SOURCE of the old root, with all that is mounted below it */
	ROOTFS_TMPFS, /* an empty directory in memory */
	ROOTFS_PROC,  /* the processes of this PID namespace */
	ROOTFS_DEV, /* null zero full random urandom tty of the old root; pts, ptmx and shm of its own */
};

struct rootfs_mount {
	enum rootfs_kind kind;
	const char *source;
	const char *target; /* in the new root; made, as a directory or a file, where it does not exist */
	uint64_t attributes; /* MOUNT_ATTR_* that are set */
	const char *size; /* of a tmpfs, as its "size" option; NULL for the kernel's default of half the memory */
	const char *mode; /* of a tmpfs, in octal; NULL for 755 */
	int opened;       /* for this module */
	int tree;         /* for this module */
};

struct rootfs {
	const char *path;    /* the directory that becomes the root */
	bool read_only;      /* ... with all that is mounted below it, but not what MOUNTS adds */
	const char *workdir; /* in the new root; NULL for "/" */
	size_t count;
	struct rootfs_mount *mounts; /* attached in this order */
};

/*
 * Puts this process into a mount namespace of its own with ROOTFS as its root and nothing of the old root left, reads the attributes of the new
 * root back, and ends in the working directory. The root is nosuid and nodev. Needs CAP_SYS_ADMIN and CAP_SYS_CHROOT. Dies. The caller must
 * not hold an fd of the old root across exec: see fd_close_others().
 */
void rootfs_enter(struct rootfs *rootfs);

/* Whether a /proc of its own shows this process no more than its own PID namespace, and that is not the one its /proc shows now. */
bool rootfs_has_own_pids(void);
