/*
 * sealed - programs in memory that nobody can change, whatever his privileges. memfd_create(2), F_ADD_SEALS of fcntl(2).
 *
 * A copy takes the memory that its file has on disk, in the cgroup of who makes it, as long as it runs or is open. What could be written to is the
 * file itself only, and that is not reachable from the copy.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* A copy of the file SOURCE; NAME is what /proc shows. Returns an fd or -errno: -EACCES where the sysctl vm.memfd_noexec forbids programs in memory. */
int sealed_try_copy(const char *name, int source);

/* In place of a copy: a file of SIZE bytes, which nothing runs. Returns an fd or -errno. */
int sealed_try_blank(const char *name, off_t size);

/* Whether nobody can change FD. False if it is closed, or a file of another kind. Dies if that cannot be told. */
bool sealed_is(int fd);
