/*
 * fsmount - mounts what mount(8) can mount, in the caller's mount namespace, safe from what is done to the way to where it is to be.
 *
 * libmount finds tags, sets up loop devices, guesses types and runs helpers; but it mounts on a path, which somebody else may exchange for a
 * symlink meanwhile. So it gets a path below /proc, where nobody can rename anything, and what it has mounted there is moved
 * to the real place, which was opened once. The only module that includes libmount. libmount(3), move_mount(2)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* One thing to mount, as on the command line of mount(8) or in a line of fstab(5). */
struct fsmount {
	const char *source; /* device, image, tag, directory (with "bind"), or whatever TYPE takes */
	const char *target;
	const char *type;    /* NULL: found out */
	const char *options; /* between commas; NULL: none */
	const char *table;   /* the file that it is an entry of, for messages; NULL */
};

/* Returns NULL or, as parse.h, the reason against OPTIONS, which is text of the command line or a table: what does not mount anything new. */
const char *fsmount_check_options(const char *options);

/*
 * Reads a file of the form of fstab(5). Returns its entries, *RET_COUNT of them, without those that are not to be mounted: noauto, swap,
 * "none" and "ignore". Dies, naming the line, if one is broken. Reads nothing else: call it before the world changes.
 */
struct fsmount *fsmount_read_table(const char *path, size_t *ret_count);

/*
 * Mounts the COUNT entries of MOUNTS in their order. Without ROOT (NULL) the targets are paths of this process, in which no component may be a symlink;
 * otherwise they are paths inside the directory ROOT, whose symlinks cannot lead out of it. What was asked for of READ_ONLY, ro,
 * nosuid, nodev, noexec and nosymfollow is set on all of a mount and read back at its top. An entry with nofail whose source is missing is left out. Leaves
 * nothing else behind. To be called in a mount namespace of its own with private propagation. Dies.
 */
void fsmount_all(const struct fsmount *mounts, size_t count, const char *root, bool read_only);
