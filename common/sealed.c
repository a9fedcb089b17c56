#include "common/sealed.h"

#include "common/fd.h"
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

/* MFD_EXEC of Linux 6.3 */
enum { EXECUTABLE = 0x10 };

enum { SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

/* An empty one that can become as long as SIZE; beyond the limit of the length of files the kernel would send SIGXFSZ. */
static int make(const char *name, off_t size)
{
	struct rlimit longest;

	if (getrlimit(RLIMIT_FSIZE, &longest) < 0)
		return -errno;
	if ((rlim_t)size > longest.rlim_cur)
		return -EFBIG;

	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | EXECUTABLE);

	/* Linux 6.3 wants to be told, and Linux before it does not know the word. */
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd < 0 ? -errno : fd;
}

/* For file systems that cannot do it otherwise. */
static int copy_by_hand(int source, int copy, off_t done)
{
	char text[4096];
	ssize_t count;

	while ((count = pread(source, text, sizeof(text), done)) > 0) {
		ssize_t written = pwrite(copy, text, (size_t)count, done);

		if (written <= 0)
			return written < 0 ? -errno : -EIO;
		done += written;
	}
	return count < 0 ? -errno : 0;
}

static int copy(int source, int copy, off_t size)
{
	off_t done = 0;

	while (done < size) {
		ssize_t count = sendfile(copy, source, &done, (size_t)(size - done));

		if (count < 0 && (errno == EINVAL || errno == ENOSYS))
			return copy_by_hand(source, copy, done);
		if (count < 0 && errno != EINTR)
			return -errno;
		if (count == 0)
			return -EIO;
	}
	return 0;
}

static int seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, SEALS) < 0 ? -errno : 0;
}

int sealed_try_copy(const char *name, int source)
{
	struct stat status;
	autoclose int fd = fstat(source, &status) < 0 ? -errno : make(name, status.st_size);

	if (fd < 0)
		return fd;

	int error = copy(source, fd, status.st_size);

	if (error == 0)
		error = seal(fd);
	return error < 0 ? error : fd_take(&fd);
}

int sealed_try_blank(const char *name, off_t size)
{
	autoclose int fd = make(name, size);

	if (fd < 0)
		return fd;

	int error = ftruncate(fd, size) < 0 ? -errno : seal(fd);

	return error < 0 ? error : fd_take(&fd);
}

bool sealed_is(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	/* EINVAL: a file of another kind. */
	if (seals < 0 && errno != EBADF && errno != EINVAL)
		die_error(errno, "cannot look at the toolbox");
	return seals >= 0 && (seals & SEALS) == SEALS;
}
