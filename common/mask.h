/*
 * mask - paths of a new root that COMMAND is not to read, or not to write.
 *
 * A file is covered by the null device, a directory by an empty one that is read-only. Like every mount these can be taken off by a COMMAND with CAP_SYS_ADMIN
 * in the user namespace that owns the mounts (mount_namespaces(7)).
 */
#pragma once

#include <stdbool.h>

/* What paths are covered with; each is attached the first time it is used and cloned from there on. */
struct mask_cover {
	int tree;
	bool attached;
};

struct mask {
	struct mask_cover file, directory;
};

/* While the old root is there. Dies. */
void mask_prepare(struct mask *mask);

/* What PLACE, an O_PATH fd, is of becomes empty. Returns 0 or -errno; -ELOOP for a symlink, which would be covered and not what it points to. */
int mask_try_cover(struct mask *mask, int place);

/* ... becomes read-only, with all that is mounted below it. Returns 0 or -errno as above; -ENOTSUP for a device, which can be written to all the same. */
int mask_try_protect(int place);

/* Covers and protects what nobody needs in PROC and in SYS, fds of their tops, that tells of the machine or changes it. Dies. */
void mask_proc(struct mask *mask, int proc);
void mask_sys(struct mask *mask, int sys);

/* Closes what is left. */
void mask_end(struct mask *mask);
