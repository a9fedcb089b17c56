/*
 * place - where something is mounted or made in a root file system that is not trusted.
 *
 * ROOT is an fd of its top directory; PATH is walked as by a process whose root that is, so no symlink leads out of it (openat2(2)). Use these only
 * when the old root is gone, or whatever a symlink of another process's making could hit is one's own all the same. Everything is made with
 * mkdirat(2), mknodat(2), symlinkat(2) or O_EXCL: nothing that is there is written to or followed, and no symlink leads from one mount into another (-EXDEV). Slashes at the end of PATH mean nothing. All return -errno on failure.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* An O_PATH fd of PATH; of the symlink itself if PATH ends in one. */
int place_try_open(int root, const char *path);

/* The same, made where it is not there: a directory or an empty file, with the directories above it. Modes are 755 and 644 less the umask. */
int place_try_make(int root, const char *path, bool directory);

/* A directory with MODE and the directories above it. One that is there is left as it is: 0; -EEXIST for anything else. */
int place_try_make_directory(int root, const char *path, mode_t mode);

/* A symlink to TARGET. One that is there and leads to the same is left: 0; -EEXIST for anything else. */
int place_try_make_symlink(int root, const char *path, const char *target);

/* A file with MODE and the content of the fd SOURCE, in place of what is there, which stays if anything fails, or is a directory (-EISDIR). */
int place_try_copy(int root, const char *path, int source, mode_t mode);
