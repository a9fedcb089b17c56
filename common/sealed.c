#include "common/sealed.h"

#include "common/child.h"
#include "common/fd.h"
#include "common/mounttree.h"
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* MFD_EXEC of Linux 6.3 */
enum { EXECUTABLE = 0x10 };

enum { SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

bool sealed_is_overlay(int fd)
{
	struct statfs system;

	if (fstatfs(fd, &system) < 0) {
		if (errno != EBADF)
			die_error(errno, "cannot look at the toolbox");
		return false;
	}
	return system.f_type == OVERLAYFS_SUPER_MAGIC && system.f_flags & ST_RDONLY;
}

bool sealed_is_directory(int fd, const char *name)
{
	struct stat top, above, file;

	return sealed_is_overlay(fd) && fstat(fd, &top) == 0 && S_ISDIR(top.st_mode) &&
		fstatat(fd, "..", &above, 0) == 0 && top.st_dev == above.st_dev &&
		top.st_ino == above.st_ino && fstatat(fd, name, &file, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISREG(file.st_mode);
}

bool sealed_is_copy(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	/* EINVAL: a file of another kind. */
	if (seals < 0 && errno != EBADF && errno != EINVAL)
		die_error(errno, "cannot look at the toolbox");
	return seals >= 0 && (seals & SEALS) == SEALS;
}

/*
 * An overlay of DIRECTORY and an empty directory, because one layer alone is refused; -errno. Before Linux 6.5 or so a layer has to be attached, which the
 * empty one then is over DIRECTORY: the mount namespace must be nobody else's.
 */
static int make_overlay(int directory, bool attached)
{
	static const struct mounttree_option none[] = { { 0 } };
	autoclose int empty = mounttree_try_create("tmpfs", none, MOUNT_ATTR_RDONLY);
	int error = empty >= 0 && attached ? mounttree_try_attach(empty, directory) : empty;
	char links_path[FD_PATH_SIZE], empty_path[FD_PATH_SIZE], layers[2 * FD_PATH_SIZE];

	if (error < 0)
		return error;
	error = fd_try_path(directory, links_path);
	if (error == 0)
		error = fd_try_path(empty, empty_path);
	if (error < 0)
		return error;
	snprintf(layers, sizeof(layers), "%s:%s", links_path, empty_path);

	const struct mounttree_option options[] = { { "lowerdir", layers }, { 0 } };

	return mounttree_try_create("overlay", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

/* The helper that shares its fds with this process makes the overlay in a mount namespace of its own, in place of the fd SLOT. */
static _Noreturn void help_to_seal(const char *path, int slot)
{
	if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		_exit(EXIT_FAILURE);
	if (mounttree_try_propagate(MS_PRIVATE) < 0)
		_exit(EXIT_FAILURE);

	/* What is mounted from has to be opened in this mount namespace. */
	autoclose int directory = fd_try_open(AT_FDCWD, path[0] ? path : "/", O_PATH | O_DIRECTORY);
	struct stat here, there;
	bool same = fstat(directory, &here) == 0 && fstat(slot, &there) == 0 &&
		here.st_dev == there.st_dev && here.st_ino == there.st_ino;
	autoclose int overlay = same ? make_overlay(directory, true) : -1;
	bool made = overlay >= 0 && dup3(overlay, slot, O_CLOEXEC) == slot;

	fd_close(&overlay);
	fd_close(&directory);
	_exit(made ? EXIT_SUCCESS : EXIT_FAILURE);
}

int sealed_try_overlay(int directory)
{
	return make_overlay(directory, false);
}

int sealed_try_directory(int directory, const char *path)
{
	int overlay = make_overlay(directory, false);

	if (overlay >= 0)
		return overlay;
	overlay = fcntl(directory, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	pid_t helper = child_fork_helper(CLONE_FILES);

	if (helper == 0)
		help_to_seal(path, overlay);
	child_reap_helper(helper);
	return overlay;
}

static int make_memfd(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | EXECUTABLE);

	/* Linux 6.3 wants to be told, and Linux before it does not know the word. */
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd;
}

int sealed_copy(const char *name, int source)
{
	int copy = make_memfd(name);
	struct stat status = { 0 };
	off_t done = 0;

	if (copy < 0)
		die_hint(errno == EACCES ?
				"the sysctl vm.memfd_noexec forbids it; with nothing but links in their directory, an overlay will do" :
				NULL,
			errno, "cannot copy '%s' into memory", name);
	if (source >= 0 && fstat(source, &status) < 0)
		die_error(errno, "cannot look at '%s'", name);
	while (done < status.st_size) {
		if (sendfile(copy, source, &done, (size_t)(status.st_size - done)) <= 0)
			die_error(errno, "cannot copy '%s' into memory", name);
	}
	if (fcntl(copy, F_ADD_SEALS, SEALS) < 0)
		die_error(errno, "cannot seal the copy of '%s'", name);
	return copy;
}
