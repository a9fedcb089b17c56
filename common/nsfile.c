#include "common/nsfile.h"

#include "common/explain.h"
#include "common/fd.h"
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

static void check(int file, const char *path, size_t kind)
{
	struct statfs status;

	if (fstatfs(file, &status) < 0)
		die_error(errno, "cannot look at '%s'", path);
	if (status.f_type != NSFS_MAGIC)
		die("'%s' is not a namespace", path);
	if (ioctl(file, NS_GET_NSTYPE) != namespace_kinds[kind].flag)
		die("'%s' is not a namespace of kind %s", path, namespace_kinds[kind].name);
}

/* Whether PATH is a magic link of proc(5), such as /proc/PID/ns/net: that is no path that somebody could have laid. */
static bool is_magic_link(int dirfd, const char *path)
{
	struct statfs status;
	autoclose int link = fd_try_open(dirfd, path, O_PATH | O_NOFOLLOW);

	return link >= 0 && fstatfs(link, &status) == 0 && status.f_type == PROC_SUPER_MAGIC;
}

int nsfile_open(int dirfd, const char *path, size_t kind)
{
	int follow = is_magic_link(dirfd, path) ? 0 : O_NOFOLLOW;
	/* O_NONBLOCK, for a FIFO that is there instead. */
	int file = fd_open(dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | follow);

	check(file, path, kind);
	return file;
}

int nsfile_inherit(int fd, size_t kind)
{
	char name[32];

	snprintf(name, sizeof(name), "file descriptor %d", fd);
	if (!fd_is_inherited(fd))
		die("%s is not open", name);
	check(fd, name, kind);

	int own = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	if (own < 0)
		die_error(errno, "cannot take over %s", name);
	return own;
}

static bool is_there(int directory, const char *name)
{
	struct stat status;

	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	if (errno != ENOENT)
		die_error(errno, "cannot look for the pin '%s'", name);
	return false;
}

void nsfile_open_pins(int directory, const char *path, int flags, bool any, int files[NAMESPACE_KINDS])
{
	size_t found = 0;

	for (size_t i = 0; i < NAMESPACE_KINDS; i++) {
		const char *name = namespace_kinds[i].name;

		if (!(flags & namespace_kinds[i].flag) || files[i] >= 0)
			continue;
		if (!is_there(directory, name)) {
			if (any)
				continue;
			die_hint("--all joins those that are there", 0, "'%s' holds no pin '%s'",
				path, name);
		}
		files[i] = nsfile_open(directory, name, i);
		found++;
	}
	if (any && found == 0)
		die_hint("nsnew --pin=DIR makes some", 0, "'%s' holds no pins", path);
}

void nsfile_open_process(int process, int flags, int files[NAMESPACE_KINDS])
{
	for (size_t i = 0; i < NAMESPACE_KINDS; i++) {
		char path[32];

		snprintf(path, sizeof(path), "ns/%s", namespace_kinds[i].name);
		if ((flags & namespace_kinds[i].flag) && files[i] < 0)
			files[i] = fd_open(process, path, O_RDONLY);
	}
}

int nsfile_open_socket(int pidfd, int socket)
{
	autoclose int copy = (int)syscall(SYS_pidfd_getfd, pidfd, socket, 0);
	int file = copy < 0 ? -1 : ioctl(copy, SIOCGSKNS);

	if (file < 0)
		die_error(errno, "cannot find the net namespace of the target's fd %d", socket);
	return file;
}

int nsfile_open_owner(const int files[NAMESPACE_KINDS])
{
	int owned = files[NSFILE_USER];

	for (size_t i = 0; owned < 0 && i < NSFILE_USER; i++)
		owned = files[i];
	if (owned < 0)
		die("no namespace is given whose owner could be joined");

	int owner = ioctl(owned, NS_GET_USERNS);

	if (owner < 0)
		die_hint(errno == EPERM ? "it is outside of the own user namespace" : NULL, errno,
			"cannot find the user namespace that owns the given ones");
	return owner;
}

void nsfile_leave_out_own(int files[NAMESPACE_KINDS])
{
	struct stat own, other;

	if (files[NSFILE_USER] < 0)
		return;
	if (stat("/proc/self/ns/user", &own) < 0 || fstat(files[NSFILE_USER], &other) < 0)
		die_error(errno, "cannot compare the user namespace with the own one");
	if (own.st_dev == other.st_dev && own.st_ino == other.st_ino)
		fd_close(&files[NSFILE_USER]);
}

/* Whether who is root in the user namespace USER has rights over the namespace FILE. -1 for the own user namespace. */
static bool is_owned(int file, int user)
{
	autoclose int owner = user < 0 ? -1 : ioctl(file, NS_GET_USERNS);
	struct stat one, other;

	return user < 0 ||
		(owner >= 0 && fstat(owner, &one) == 0 && fstat(user, &other) == 0 &&
			one.st_ino == other.st_ino && one.st_dev == other.st_dev);
}

int nsfile_take_pid(int process, int *flags, int files[NAMESPACE_KINDS])
{
	autoclose int user = -1, pid = -1;

	if (files[NSFILE_USER] >= 0)
		user = fcntl(files[NSFILE_USER], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	else if (*flags & CLONE_NEWUSER)
		user = fd_open(process, "ns/user", O_RDONLY);
	if (files[NSFILE_PID] >= 0)
		pid = fcntl(files[NSFILE_PID], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	else if (*flags & CLONE_NEWPID)
		pid = fd_open(process, "ns/pid", O_RDONLY);
	if (pid < 0 || !is_owned(pid, user))
		return -1;
	*flags &= ~CLONE_NEWPID;
	fd_close(&files[NSFILE_PID]);
	return fd_take(&pid);
}

/* Returns 0 or -errno. */
static int try_join(int file, size_t kind)
{
	const struct namespace_kind *entry = &namespace_kinds[kind];

	namespace_explain_entry(entry->flag);
	explain_because("the namespaces that are joined");
	if (explain_call("setns(%f, %s)", file, namespace_flag_name(kind)))
		return 0;
	return setns(file, entry->flag) < 0 ? -errno : 0;
}

void nsfile_join_pid(int file)
{
	int error = try_join(file, NSFILE_PID);

	if (error < 0)
		namespace_refuse_join(-error, CLONE_NEWPID);
	close(file);
}

void nsfile_join(int files[NAMESPACE_KINDS])
{
	bool user = files[NSFILE_USER] >= 0;
	int error = 0;

	for (size_t i = 0; i < NSFILE_USER; i++) {
		error = files[i] >= 0 ? try_join(files[i], i) : -EBADF;
		if (error == 0)
			fd_close(&files[i]);
		else if (files[i] >= 0 && !user)
			namespace_refuse_join(-error, namespace_kinds[i].flag);
	}
	error = user ? try_join(files[NSFILE_USER], NSFILE_USER) : 0;
	if (error < 0)
		namespace_refuse_join(-error, CLONE_NEWUSER);
	fd_close(&files[NSFILE_USER]);
	for (size_t i = 0; i < NSFILE_USER; i++) {
		error = files[i] >= 0 ? try_join(files[i], i) : 0;
		if (error < 0)
			namespace_refuse_join(-error, namespace_kinds[i].flag | CLONE_NEWUSER);
		fd_close(&files[i]);
	}
}
