/*
 * furnish - what a new root is given: what is mounted and made in it, and what of it is kept from COMMAND.
 *
 * It comes in three steps, between which rootfs.c changes the root. What the caller names is opened by the caller's idea of paths; then all trees are made, detached, as long as
 * the old root lends what they are made of; and only when the old root is gone are paths of the new one walked, which nobody vouches for. A path
 * below something that was mounted here is walked from there, so that who renames directories of the root meanwhile leads nowhere.
 */
#pragma once

#include "common/idmap.h"
#include "common/mask.h"
#include "common/minidev.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A set of them is a mask with bit KIND. */
enum furnish_kind {
	FURNISH_DEV, /* null zero full random urandom tty of the old root; pts, ptmx and shm of its own */
	FURNISH_PROC, /* the processes of a PID namespace */
	FURNISH_SYS, /* devices and settings of the machine, read-only; in a user namespace with a net namespace of its own */
	FURNISH_MQUEUE,    /* POSIX message queues of this IPC namespace */
	FURNISH_CGROUP,    /* cgroup version 2, read-only, from the root of this cgroup namespace */
	FURNISH_TMPFS,     /* an empty directory in memory */
	FURNISH_BIND,      /* SOURCE of the old root */
	FURNISH_DEVICE,    /* the device SOURCE of the old root, usable */
	FURNISH_DIRECTORY, /* made where there is none */
	FURNISH_SYMLINK,   /* to SOURCE */
	FURNISH_FILE,    /* a copy of the file SOURCE of the old root, in place of what is there */
	FURNISH_PROTECT, /* read-only, with all that is mounted below it */
	FURNISH_COVER,   /* empty */
};

struct furnish_entry {
	enum furnish_kind kind;
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

struct furnish {
	bool unmasked; /* PROC and SYS show all */
	int pids;      /* the PID namespace that PROC shows, as an fd; 0 for the own one */
	size_t count;
	/* In this order, but then COVER and PROTECT. */
	struct furnish_entry *entries;
	struct minidev dev; /* for this module */
	struct mask mask;   /* for this module */
};

/* Opens what the entries name of the old root, in the mount namespace that is to be changed. Dies. */
void furnish_open(struct furnish *furnish);

/* Makes all that is to be mounted, detached. The old root has to be there, with a /proc of which no less may be seen. Dies with a hint. */
void furnish_create(struct furnish *furnish);

/* Mounts and makes everything below ROOT, an fd of the root directory of this process, which the old root is gone from; closes all fds. Dies with a hint. */
void furnish_place(struct furnish *furnish, int root);
