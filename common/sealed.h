/*
 * sealed - programs in files that nobody can change, whatever his privileges, nor lead to others. overlayfs, memfd_create(2).
 *
 * A directory is shown by an overlay without an upper layer that is attached nowhere: its superblock is read-only for ever, unlike a read-only mount,
 * which whoever gets hold of can make writable. A file is copied into memory that has all seals.
 */
#pragma once

#include <stdbool.h>

/* A sealed view of DIRECTORY, made by this process alone, from Linux 6.5 or so on. Returns an fd or -errno. */
int sealed_try_overlay(int directory);

/*
 * The same, where it needs one by a helper in a mount namespace, and perhaps a user namespace, of its own; that opens DIRECTORY by its PATH. Returns an fd
 * that has to pass sealed_is_directory(), because it may be something else if there is no way.
 */
int sealed_try_directory(int directory, const char *path);

/* Whether FD is of a read-only overlay. False for a negative or closed one. Dies if that cannot be told. */
bool sealed_is_overlay(int fd);

/* Whether FD is such an overlay's top, attached nowhere, so that there is nothing above it, and with the regular file NAME in it. Dies as above. */
bool sealed_is_directory(int fd, const char *name);

/* A copy of the file SOURCE, or an empty one if that is negative; NAME is for messages and /proc. Returns an fd. Dies. */
int sealed_copy(const char *name, int source);

/* Whether FD is of such a copy. Dies if that cannot be told. */
bool sealed_is_copy(int fd);
