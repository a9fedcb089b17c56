/*
 * minidev - the minimal /dev of a new root: the devices that every program may expect, and terminals of its own.
 *
 * The nodes are bound from the old /dev, which needs no CAP_MKNOD and works in a user namespace; what the new root holds under these names is nobody's to
 * trust. So they are prepared while the old root is there and put in place when it is gone.
 */
#pragma once

enum { MINIDEV_NODES = 6 };

/* Detached trees. */
struct minidev {
	int nodes[MINIDEV_NODES]; /* null zero full random urandom tty */
	int pts;
	int shm;
};

/* A clone of the old root's /dev/null, sure to be that, detached. Dies. */
int minidev_clone_null(void);

/* Dies with a hint. */
void minidev_prepare(struct minidev *dev);

/* Fills the attached empty tmpfs DIRECTORY, tries each device, and closes what DEV holds. To be called with umask 0. Dies. */
void minidev_fill(int directory, struct minidev *dev);
