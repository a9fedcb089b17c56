/*
 * fd - scoped file descriptors, small kernel files below a directory fd, and paths inside a root that is not trusted.
 *
 * Everything opened here is O_CLOEXEC. Functions named _try_ return -errno where the others die with a message.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* An fd that is closed when it goes out of scope: `autoclose int fd = fd_open(...)`. Start it at -1 if it may stay unused. */
#define autoclose __attribute__((cleanup(fd_close)))

/* Closes *FD if it is open (not negative) and makes it -1. errno is kept. */
void fd_close(int *fd);

/* Hands *FD over to the caller: returns it and makes it -1, so that its scope no longer closes it. */
int fd_take(int *fd);

/* openat(2) with O_CLOEXEC. Returns an fd, -errno on failure. */
int fd_try_open(int dirfd, const char *path, int flags);

/* The same with O_CREAT and the mode of a file that is made. */
int fd_try_create(int dirfd, const char *path, int flags, mode_t mode);

/* fd_try_open(); dies, naming the path. */
int fd_open(int dirfd, const char *path, int flags);

/*
 * Reads the file PATH below DIRFD into TEXT (SIZE bytes) as a string without its last newline. Returns the length, -errno on
 * failure, with TEXT as it was or empty; -EFBIG when it does not fit.
 */
ssize_t fd_try_read(int dirfd, const char *path, char *text, size_t size);

/* Reads all of the file PATH below DIRFD, however long, as a string into memory that the caller frees. Returns 0 or -errno. */
int fd_try_read_all(int dirfd, const char *path, char **ret);

/* Writes TEXT to the file PATH below DIRFD in one write(2), as kernel files want it. Returns 0 or -errno. */
int fd_try_write(int dirfd, const char *path, const char *text);

/*
 * Waits so long (-1: without end) until there is something to read from FD, or its other side has ended; of a pidfd, until the process has ended. Returns 1,
 * 0 when the time is over, or -errno. poll(2).
 */
int fd_try_poll(int fd, int milliseconds);

/* Whether the caller handed FD over: what this program opens itself closes on exec, the toolbox and what fills a closed standard fd included. */
bool fd_is_inherited(int fd);

/* The reason, as parse.h has them, against an FD that is not inherited; else NULL. */
const char *fd_check_inherited(int fd);

/*
 * A way for one process to tell another one to go on: connected sockets, since who writes to a pipe that nobody reads any more dies of SIGPIPE. The one that is
 * to wait keeps gate[0] alone, the other one gate[1]. Returns 0 or -errno.
 */
int fd_try_make_gate(int gate[2]);

/* Goes through a gate, at either side. Return 0 or -errno; -EPIPE when the other process has ended. */
int fd_try_knock(int gate);
int fd_try_await(int gate);

/* Hands FD through a gate. Returns 0 or -errno. unix(7) */
int fd_try_send(int gate, int fd);

/* Takes what is handed through a gate: an fd, close-on-exec, or -errno; -EPIPE when the other process has ended. */
int fd_try_receive(int gate);

/*
 * Opens PATH as a process whose root is ROOTFD would: a symlink, absolute or with "..", cannot lead out of ROOTFD. Magic links of
 * proc(5) are refused; O_NOFOLLOW opens (with O_PATH) a last symlink itself. openat2(2), Linux 5.6. Returns an fd or -errno.
 */
int fd_try_open_inside(int rootfd, const char *path, int flags);

/* The same for a PATH on which no symlink leads from one mount into another: -EXDEV. */
int fd_try_open_inside_mounts(int rootfd, const char *path, int flags);

/*
 * Opens PATH, relative to DIRFD, as long as no component of it is a symlink or a magic link of proc(5). openat2(2), Linux 5.6. Returns an fd
 * or -errno; -ELOOP for a link, but a last one that O_PATH and O_NOFOLLOW open itself.
 */
int fd_try_open_without_links(int dirfd, const char *path, int flags);

/* The id that the mount has which PATH below DIRFD is in (FLAGS as for statx(2), Linux 5.8); 0 if that cannot be told. */
uint64_t fd_mount_id(int dirfd, const char *path, int flags);

/* Whether both are the same file or directory, of the same mount: 1 or 0; -ENOTSUP if the kernel does not tell mounts (statx(2), Linux 5.8), -errno. */
int fd_try_same(int one, int other);

/* The same for those who need to be sure that they are: false also if it cannot be told. */
bool fd_is_same(int one, int other);

/* The directory /proc/self, if /proc is the kernel's; -errno. proc(5) */
int fd_try_open_self(void);

enum { FD_PATH_SIZE = 32 };

/* The path of FD below /proc, which needs no quoting anywhere, into PATH. Returns 0, or -errno if there it is not what FD is: /proc may be missing, or anything. */
int fd_try_path(int fd, char path[FD_PATH_SIZE]);

/* Whether the working directory is below the root directory of this process: the kernel calls one that is not "(unreachable)". getcwd(2) */
bool fd_is_inside_root(void);

/*
 * Fills each closed one of the fds 0 to 2 with something that can be neither read, written nor walked, closed again by exec, so that
 * no file opened later takes its place and receives messages. Call it first thing in main.
 */
void fd_fill_standard(void);

/* The same. Returns 0 or -errno. */
int fd_try_fill_standard(void);

/* The fds that a command line names to be kept. */
enum { FD_LIST_MAX = 64 };

struct fd_list {
	size_t count;
	int list[FD_LIST_MAX + 1]; /* and one of fd_hand_over() */
};

/* Adds the fd whose number is TEXT. Returns NULL or, as parse.h, the reason against it: no number, not open, too many. */
const char *fd_list_add(struct fd_list *list, const char *text);

/* Leaves *FD, which becomes -1, open for the program that is run next, and adds it to LIST. Once for a LIST. Dies. */
void fd_hand_over(struct fd_list *list, int *fd);

/* Closes every fd from 3 up but the COUNT ones in KEEP (any order, values below 3 are ignored). Dies. close_range(2). */
void fd_close_others(const int *keep, size_t count);

/* The same. Returns 0 or -errno, and then some are closed. */
int fd_try_close_others(const int *keep, size_t count);
