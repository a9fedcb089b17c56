/*
 * mounttree - mounts by file descriptor: detached trees, their attributes, where they are attached, and the change of root.
 *
 * A detached tree has no path, so nobody can reach or race it before it is attached. Kernel rules that shape the callers: a tree can
 * only be cloned from the caller's own mount namespace (so unshare first), a less privileged mount namespace may clone only
 * with all submounts, and attributes can be set on the root of a detached tree alone, or on all of it (open_tree(2), Linux 5.2;
 * mount_setattr(2), Linux 5.12). The only module that calls mount(2) and its successors.
 */
#pragma once

#include <linux/mount.h>
#include <stdbool.h>
#include <stdint.h>

/* One option of a new file system; VALUE NULL for a flag such as "ro". */
struct mounttree_option {
	const char *key;
	const char *value;
};

/* Makes the mount at "/" and all below it private, so that nothing mounted from here on reaches another mount namespace. PROPAGATION
 * is one of MS_PRIVATE, MS_SLAVE, MS_SHARED. Dies; in a chroot this fails, since "/" is no mount there. mount_namespaces(7). */
void mounttree_propagate(unsigned long propagation);

/* "private", "slave", "shared", or "unchanged" (0). Returns NULL or, as parse.h, the reason against TEXT. */
const char *mounttree_parse_propagation(const char *text, unsigned long *ret);

/* Sets the propagation of the mount whose root FD is, attached or not, alone. Returns 0 or -errno; -EINVAL if FD is not the root of a mount. */
int mounttree_try_set_propagation(int fd, unsigned long propagation);

/* Takes the mount at PATH below DIRFD off, lazily, without following a last symlink. Returns 0 or -errno; -EINVAL if there is none. */
int mounttree_try_detach(int dirfd, const char *path);

/*
 * Clones the mount at FD (any fd in it, O_PATH suffices), if RECURSIVE with all mounts below it. Returns the detached tree, -errno on failure; -EINVAL if
 * FD is of another mount namespace, or not RECURSIVE and what would be left out belongs to a more privileged one.
 */
int mounttree_try_clone(int fd, bool recursive);

/* The same; dies with a hint, naming OBJECT. */
int mounttree_clone(int fd, const char *object, bool recursive);

/*
 * Makes a new file system, detached. OPTIONS end with a row whose key is NULL; ATTRIBUTES are MOUNT_ATTR_*. Returns its tree, -errno on
 * failure. Not for file systems on a block device: the kernel looks their source up by path.
 */
int mounttree_try_create(
	const char *type, const struct mounttree_option *options, uint64_t attributes);

/* Begins a file system of TYPE, of the namespaces of this process. Returns an fd or -errno. fsopen(2) */
int mounttree_try_open(const char *type);

/* A proc, detached, nosuid, nodev and noexec, of what mounttree_try_open() returned. Dies with a hint. */
int mounttree_create_proc(int context);

/* Mounts such a proc on the directory PATH. Dies. */
void mounttree_mount_proc(const char *path);

/* Sets and clears MOUNT_ATTR_* on a mount and, if RECURSIVE, on all below it, as a whole or not at all. Returns 0 or -errno. */
int mounttree_try_set(int tree, uint64_t set, uint64_t clear, bool recursive);

/* Sets ATTRIBUTES on a tree and all below it and reads those of its root back. Dies, naming OBJECT. */
void mounttree_restrict(int tree, uint64_t attributes, const char *object);

/* The same for the clone of a device node: nosuid, noexec, and usable unless the nodev of its mount belongs to a more privileged user namespace. */
void mounttree_restrict_device(int tree, const char *object);

/* Dies, naming OBJECT, unless the mount at FD has ATTRIBUTES; of these, RDONLY, NOSUID, NODEV, NOEXEC and NOSYMFOLLOW show. fstatvfs(3) */
void mounttree_verify(int fd, uint64_t attributes, const char *object);

/*
 * Shows the files of the detached TREE, and if RECURSIVE of all mounts below it, with the ids that the map of USER_NAMESPACE makes of those on disk. Needs
 * CAP_SYS_ADMIN over the file systems. Returns 0 or -errno; -EINVAL where one of them cannot do it. mount_setattr(2), Linux 5.12
 */
int mounttree_try_map_ids(int tree, int user_namespace, bool recursive);

/*
 * Attaches a detached tree at TARGET, an O_PATH fd opened without following a last symlink: it must be a directory for a
 * directory, and must not be a symlink, since the mount would cover the link and not what it points to. Returns 0 or -errno (-ELOOP
 * for a symlink). Close TREE afterwards: an open fd keeps the mount busy.
 */
int mounttree_try_attach(int tree, int target);

/* The same at NAME in DIRECTORY, which nobody else can reach: what is there was just made, of the same kind. Returns 0 or -errno. */
int mounttree_try_attach_new(int tree, int directory, const char *name);

/*
 * Makes the root of the own mount namespace the root of this process, which it is not in a chroot. There pivot_root(2) would fail, or, in a chroot
 * to a mount point, succeed and leave the real root in reach behind it. Returns 0 or -errno. Needs CAP_SYS_CHROOT. setns(2)
 */
int mounttree_try_leave_chroot(void);

/*
 * Makes an attached TREE the root of this mount namespace and drops the old root with all its mounts; ends in the new root.
 * Returns 0, -errno on failure; -EINVAL also when the caller is chrooted, -ENOTSUP if what covers the new root cannot be told. pivot_root(2).
 */
int mounttree_try_pivot(int tree);

/* What may be the reason for ERROR of that, or NULL. */
const char *mounttree_advise_pivot(int error);
