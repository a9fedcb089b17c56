/*
 * rootfs - another root file system for this process, with what is mounted and made in it. pivot_root(2), mount_namespaces(7).
 *
 * The new root is not trusted: its symlinks, device nodes and directories may be anybody's. So everything that comes from the old root is opened while
 * that is still there, and only after the old root is gone are paths of the new one walked: then they lead nowhere else. What
 * is mounted on must not be a symlink, since the mount would cover the link and leave what it points to in reach.
 */
#pragma once

#include "common/idmap.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A set of them is a mask with bit KIND. */
enum rootfs_kind {
	ROOTFS_DEV, /* null zero full random urandom tty of the old root; pts, ptmx and shm of its own */
	ROOTFS_PROC, /* the processes of this PID namespace */
	ROOTFS_SYS, /* devices and settings of the machine, read-only; in a user namespace with a net namespace of its own */
	ROOTFS_MQUEUE,    /* POSIX message queues of this IPC namespace */
	ROOTFS_CGROUP,    /* cgroup version 2, read-only, from the root of this cgroup namespace */
	ROOTFS_TMPFS,     /* an empty directory in memory */
	ROOTFS_BIND,      /* SOURCE of the old root */
	ROOTFS_DEVICE,    /* the device SOURCE of the old root, usable */
	ROOTFS_DIRECTORY, /* made where there is none */
	ROOTFS_SYMLINK,   /* to SOURCE */
	ROOTFS_FILE,      /* a copy of the file SOURCE of the old root, in place of what is there */
	ROOTFS_PROTECT,   /* read-only, with all that is mounted below it */
	ROOTFS_COVER,     /* empty */
};

struct rootfs_entry {
	enum rootfs_kind kind;
	const char *source;
	const char *target; /* in the new root; what is mounted on is made, as a directory or a file, where it does not exist */
	uint64_t attributes; /* MOUNT_ATTR_* that are set */
	bool alone;          /* a bind without what is mounted below SOURCE */
	bool tried;          /* PROTECT and COVER: nothing needs to be there */
	uint64_t size; /* of a tmpfs, in bytes; 0 for the kernel's default of half the memory */
	mode_t mode;   /* of what is made, or of a tmpfs */
	struct idmap *ids; /* of a bind: ids on disk (inner) and as they are seen (outer); NULL for the same */
	int fd;            /* for this module */
	bool attached; /* for this module */
};

struct rootfs {
	const char *path;    /* the directory that becomes the root */
	bool read_only;      /* ... with all that is mounted below it, but not what ENTRIES add */
	bool suid;           /* set-user-ID programs of it count */
	bool overlay;        /* copy-on-write, without what is mounted below it */
	const char *changes; /* the directory that takes the changes of an overlay; NULL for memory */
	bool unmasked;       /* PROC and SYS show all */
	const char *workdir; /* in the new root; NULL for "/" */
	size_t count;
	/* In this order, but then COVER and PROTECT. */
	struct rootfs_entry *entries;
};

/*
 * Puts this process into a mount namespace of its own with ROOTFS as its root and nothing of the old root left, reads the attributes of the new
 * root back, and ends in the working directory. The root is nodev, and nosuid unless SUID. Needs CAP_SYS_ADMIN and CAP_SYS_CHROOT. Dies. The caller must
 * not hold an fd of the old root across exec: see fd_close_others().
 */
void rootfs_enter(struct rootfs *rootfs);

/* Whether a /proc of its own shows this process no more than its own PID namespace, and that is not the one its /proc shows now. */
bool rootfs_has_own_pids(void);
