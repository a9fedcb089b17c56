#include "common/fd.h"

#include "common/explain.h"
#include "common/parse.h"
#include "common/report.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

void fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

int fd_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

int fd_try_open(int dirfd, const char *path, int flags)
{
	int fd;

	do
		fd = openat(dirfd, path, flags | O_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

int fd_try_create(int dirfd, const char *path, int flags, mode_t mode)
{
	int fd;

	do
		fd = openat(dirfd, path, flags | O_CREAT | O_CLOEXEC, mode);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

int fd_open(int dirfd, const char *path, int flags)
{
	int fd = fd_try_open(dirfd, path, flags);

	if (fd < 0)
		die_error(-fd, "cannot open '%s'", path);
	return fd;
}

ssize_t fd_try_read(int dirfd, const char *path, char *text, size_t size)
{
	autoclose int fd = fd_try_open(dirfd, path, O_RDONLY);
	size_t used = 0;

	if (fd < 0)
		return fd;
	for (;;) {
		ssize_t count = read(fd, text + used, size - used);

		if (count == 0)
			break;
		if (count < 0 && errno == EINTR)
			continue;
		if (count >= 0)
			used += (size_t)count;
		if (count >= 0 && used < size)
			continue;
		/* A part of it is no text, and has no end. */
		text[0] = '\0';
		return count < 0 ? -errno : -EFBIG;
	}
	if (used > 0 && text[used - 1] == '\n')
		used--;
	text[used] = '\0';
	return (ssize_t)used;
}

int fd_try_read_all(int dirfd, const char *path, char **ret)
{
	autoclose int fd = fd_try_open(dirfd, path, O_RDONLY);
	char *text = NULL;
	size_t used = 0, size = 0;
	ssize_t count = 1;

	if (fd < 0)
		return fd;
	while (count != 0) {
		if (size - used < 2) {
			char *more = realloc(text, size += 8192 + size);

			if (!more) {
				free(text);
				return -ENOMEM;
			}
			text = more;
		}
		count = read(fd, text + used, size - used - 1);
		if (count < 0 && errno != EINTR) {
			int error = -errno;

			free(text);
			return error;
		}
		used += count > 0 ? (size_t)count : 0;
	}
	text[used] = '\0';
	*ret = text;
	return 0;
}

int fd_try_write(int dirfd, const char *path, const char *text)
{
	if (explain_call("write(%p, %q)", dirfd, path, text))
		return 0;

	autoclose int fd = fd_try_open(dirfd, path, O_WRONLY);
	size_t length = strlen(text);
	ssize_t count;

	if (fd < 0)
		return fd;
	do
		count = write(fd, text, length);
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return -errno;
	return (size_t)count == length ? 0 : -EIO;
}

int fd_try_poll(int fd, int milliseconds)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	int found;

	do
		found = poll(&readable, 1, milliseconds);
	while (found < 0 && errno == EINTR);
	return found < 0 ? -errno : found;
}

int fd_try_make_gate(int gate[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate) < 0 ? -errno : 0;
}

int fd_try_knock(int gate)
{
	ssize_t count;

	do
		count = send(gate, "", 1, MSG_NOSIGNAL);
	while (count < 0 && errno == EINTR);
	return count < 0 ? -errno : 0;
}

int fd_try_await(int gate)
{
	char byte;
	ssize_t count;

	do
		count = read(gate, &byte, 1);
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return -errno;
	return count == 1 ? 0 : -EPIPE;
}

/* Ancillary data of one fd, cmsg(3). */
union rights {
	char space[CMSG_SPACE(sizeof(int))];
	struct cmsghdr header;
};

int fd_try_send(int gate, int fd)
{
	char byte = 0;
	struct iovec text = { &byte, 1 };
	union rights rights = { .header = {
					.cmsg_len = CMSG_LEN(sizeof(fd)),
					.cmsg_level = SOL_SOCKET,
					.cmsg_type = SCM_RIGHTS,
				} };
	struct msghdr message = {
		.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = &rights,
		.msg_controllen = sizeof(rights),
	};

	memcpy(CMSG_DATA(&rights.header), &fd, sizeof(fd));
	return sendmsg(gate, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int fd_try_receive(int gate)
{
	char byte;
	struct iovec text = { &byte, 1 };
	union rights rights = { .header.cmsg_len = 0 };
	struct msghdr message = {
		.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = &rights,
		.msg_controllen = sizeof(rights),
	};
	ssize_t count;
	int fd;

	do
		count = recvmsg(gate, &message, MSG_CMSG_CLOEXEC);
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return -errno;
	if (count == 0)
		return -EPIPE;
	/* Without it, there was no room for another open file. */
	if (rights.header.cmsg_len != CMSG_LEN(sizeof(fd)))
		return -EMFILE;
	memcpy(&fd, CMSG_DATA(&rights.header), sizeof(fd));
	return fd;
}

static int open_resolved(int dirfd, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = (unsigned int)(flags | O_CLOEXEC),
		.resolve = resolve,
	};
	long fd = -1;

	/* EAGAIN: something on the way was renamed meanwhile and ".." could not be vouched for, openat2(2). Not for ever. */
	errno = EAGAIN;
	for (int i = 0; i < 1000 && fd < 0 && (errno == EINTR || errno == EAGAIN); i++)
		fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

int fd_try_open_inside(int rootfd, const char *path, int flags)
{
	return open_resolved(rootfd, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int fd_try_open_inside_mounts(int rootfd, const char *path, int flags)
{
	const uint64_t inside = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
	int fd = open_resolved(rootfd, path, flags, inside | RESOLVE_NO_XDEV);

	if (fd != -EXDEV)
		return fd;
	fd = open_resolved(rootfd, path, flags, inside | RESOLVE_NO_SYMLINKS);
	return fd == -ELOOP ? -EXDEV : fd;
}

int fd_try_open_without_links(int dirfd, const char *path, int flags)
{
	return open_resolved(dirfd, path, flags, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

uint64_t fd_mount_id(int dirfd, const char *path, int flags)
{
	struct statx status;

	/* The bare system call: not every C library has a function for it. */
	if (syscall(SYS_statx, dirfd, path, flags, STATX_MNT_ID, &status) < 0)
		return 0;
	return status.stx_mask & STATX_MNT_ID ? status.stx_mnt_id : 0;
}

int fd_try_same(int one, int other)
{
	uint64_t mount = fd_mount_id(one, "", AT_EMPTY_PATH);
	uint64_t other_mount = fd_mount_id(other, "", AT_EMPTY_PATH);
	struct stat first, second;

	if (explain_is_made(one) || explain_is_made(other))
		return one == other;
	if (!mount || !other_mount)
		return -ENOTSUP;
	if (fstat(one, &first) < 0 || fstat(other, &second) < 0)
		return -errno;
	return mount == other_mount && first.st_ino == second.st_ino && first.st_dev == second.st_dev;
}

bool fd_is_same(int one, int other)
{
	return fd_try_same(one, other) == 1;
}

int fd_try_open_self(void)
{
	int self = fd_try_open(AT_FDCWD, "/proc/self", O_PATH | O_DIRECTORY);
	struct statfs system;

	if (self >= 0 && (fstatfs(self, &system) < 0 || system.f_type != PROC_SUPER_MAGIC)) {
		close(self);
		return -ENOENT;
	}
	return self;
}

int fd_try_path(int fd, char path[FD_PATH_SIZE])
{
	snprintf(path, FD_PATH_SIZE, "/proc/self/fd/%d", fd);

	autoclose int reached = fd_try_open(AT_FDCWD, path, O_PATH);

	if (reached < 0)
		return reached;

	int same = fd_try_same(fd, reached);

	return same < 0 ? same : same ? 0 : -ENOENT;
}

bool fd_is_inherited(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	return flags >= 0 && !(flags & FD_CLOEXEC);
}

const char *fd_check_inherited(int fd)
{
	return fd_is_inherited(fd) ? NULL : "is not open: FD>FILE in a shell opens it";
}

bool fd_is_inside_root(void)
{
	char path[PATH_MAX];

	return syscall(SYS_getcwd, path, sizeof(path)) > 0 && path[0] == '/';
}

const char *fd_list_add(struct fd_list *list, const char *text)
{
	int fd;
	const char *reason = parse_fd(text, &fd);

	if (!reason)
		reason = fd_check_inherited(fd);
	if (!reason && list->count == FD_LIST_MAX)
		reason = "is one more than can be kept";
	if (!reason)
		list->list[list->count++] = fd;
	return reason;
}

void fd_hand_over(struct fd_list *list, int *fd)
{
	if (fcntl(*fd, F_SETFD, 0) < 0)
		die_error(errno, "cannot hand over file descriptor %d", *fd);
	list->list[list->count++] = *fd;
	*fd = -1;
}

int fd_try_fill_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;

		/* An epoll instance needs no path and leads nowhere, unlike "/" or a /dev/null that may not be one. */
		int filled = epoll_create1(EPOLL_CLOEXEC);

		if (filled < 0)
			return -errno;
		if (filled != fd) {
			close(filled);
			return -EBADF;
		}
	}
	return 0;
}

void fd_fill_standard(void)
{
	int error = fd_try_fill_standard();

	if (error < 0)
		die_error(-error, "cannot fill a closed standard file descriptor");
}

/* For kernels before 5.9. In a root that is not trusted, what is called /proc need not be the kernel's. */
static int close_each(unsigned int first, unsigned int last)
{
	DIR *directory = opendir("/proc/self/fd");
	struct statfs system;

	if (!directory)
		return -errno;

	int error = fstatfs(dirfd(directory), &system) < 0 ? -errno :
		system.f_type != PROC_SUPER_MAGIC          ? -ENOENT :
							     0;

	for (struct dirent *entry; error == 0 && (errno = 0, entry = readdir(directory));) {
		uint64_t fd;

		if (!parse_number(entry->d_name, first, last, &fd) && (int)fd != dirfd(directory))
			close((int)fd);
	}
	if (error == 0)
		error = -errno;
	closedir(directory);
	return error;
}

static int close_span(unsigned int first, unsigned int last)
{
	if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
		return 0;
	return close_each(first, last);
}

int fd_try_close_others(const int *keep, size_t count)
{
	unsigned int first = STDERR_FILENO + 1;
	int error = 0;

	while (error == 0) {
		unsigned int next = ~0U;

		for (size_t i = 0; i < count; i++) {
			if (keep[i] >= 0 && (unsigned int)keep[i] >= first &&
				(unsigned int)keep[i] < next)
				next = (unsigned int)keep[i];
		}
		if (next == ~0U)
			return close_span(first, ~0U);
		error = close_span(first, next - 1);
		first = next + 1;
	}
	return error;
}

void fd_close_others(const int *keep, size_t count)
{
	explain_because("no file of this side stays open, but for those that are to be kept");
	if (explain_call("close_range(3, ~0U, 0)"))
		return;

	int error = fd_try_close_others(keep, count);

	if (error < 0)
		die_hint("it takes close_range(2) (Linux 5.9), or the kernel's '/proc'", -error,
			"cannot close file descriptors by '/proc/self/fd'");
}
