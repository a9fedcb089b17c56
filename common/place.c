#include "common/place.h"

#include "common/explain.h"
#include "common/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIRECTORY_MODE = 0755, FILE_MODE = 0644 };

/* The directory that PATH is in, as an fd; *RET_NAME is the name there. */
static int open_above(int root, const char *path, const char **ret_name)
{
	char above[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int length = slash ? (int)(slash - path) : 0;

	if (length >= (int)sizeof(above))
		return -ENAMETOOLONG;
	snprintf(above, sizeof(above), "%.*s", length, path);
	*ret_name = slash ? slash + 1 : path;
	return fd_try_open_inside_mounts(root, above[0] ? above : ".", O_PATH | O_DIRECTORY);
}

/* Makes the directories above the last component of PATH that are not there. */
static int make_above(int root, const char *path)
{
	char part[PATH_MAX];
	const char *end = path + strspn(path, "/");

	for (end += strcspn(end, "/"); *end; end += strcspn(end, "/")) {
		const char *name;

		if (end - path >= (int)sizeof(part))
			return -ENAMETOOLONG;
		snprintf(part, sizeof(part), "%.*s", (int)(end - path), path);

		autoclose int parent = open_above(root, part, &name);

		if (parent < 0)
			return parent;
		if (mkdirat(parent, name, DIRECTORY_MODE) < 0 && errno != EEXIST)
			return -errno;
		end += strspn(end, "/");
	}
	return 0;
}

/* PATH without the slashes behind it, which would make its last component empty. */
static int trim(const char *path, char trimmed[PATH_MAX])
{
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	if (length >= PATH_MAX)
		return -ENAMETOOLONG;
	snprintf(trimmed, PATH_MAX, "%.*s", (int)length, path);
	return 0;
}

int place_try_open(int root, const char *path)
{
	char trimmed[PATH_MAX];

	if (explain_is_made(root))
		return explain_has_fd(path) ? explain_fd(path) : -ENOENT;

	int error = trim(path, trimmed);

	return error < 0 ? error : fd_try_open_inside(root, trimmed, O_PATH | O_NOFOLLOW);
}

/* Whether it would be there by now. */
static bool is_there(int root, const char *path)
{
	autoclose int place = place_try_open(root, path);

	return place >= 0 || explain_has_fd(path);
}

/* Says that the directory PATH is made with MODE, where it is not there. */
static void explain_directory(int root, const char *path, mode_t mode)
{
	if (is_there(root, path))
		return;
	explain_call("mkdirat(%P, %o)", root, path, mode);

	autoclose int made = explain_fd(path);

	(void)made;
}

/* Says what prepare() makes. */
static void explain_above(int root, const char *path)
{
	char part[PATH_MAX];

	for (const char *slash = strchr(path + strspn(path, "/"), '/'); slash && slash[1];
		slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		explain_directory(root, part, DIRECTORY_MODE);
	}
}

/* The directory that PATH is in, which is made; TRIMMED is PATH, and *RET_NAME points into it. */
static int prepare(int root, const char *path, char trimmed[PATH_MAX], const char **ret_name)
{
	int error = trim(path, trimmed);

	if (error == 0)
		error = make_above(root, trimmed);
	return error < 0 ? error : open_above(root, trimmed, ret_name);
}

int place_try_make(int root, const char *path, bool directory)
{
	char trimmed[PATH_MAX];
	const char *name;
	int place = place_try_open(root, path);

	if (place != -ENOENT)
		return place;
	if (explain_is_on()) {
		explain_above(root, path);
		explain_call(directory ? "mkdirat(%P, 0755)" : "mknodat(%P, S_IFREG|0644, 0)", root,
			path);
		return explain_fd(path);
	}

	autoclose int parent = prepare(root, path, trimmed, &name);

	if (parent < 0)
		return parent;

	int error = directory ? mkdirat(parent, name, DIRECTORY_MODE) :
				mknodat(parent, name, S_IFREG | FILE_MODE, 0);

	return error < 0 && errno != EEXIST ? -errno : place_try_open(root, trimmed);
}

int place_try_make_directory(int root, const char *path, mode_t mode)
{
	if (explain_is_on()) {
		explain_above(root, path);
		explain_directory(root, path, mode);
		return 0;
	}

	char trimmed[PATH_MAX];
	const char *name;
	struct stat status;
	autoclose int parent = prepare(root, path, trimmed, &name);

	if (parent < 0)
		return parent;
	if (mkdirat(parent, name, mode) == 0)
		return 0;
	if (errno != EEXIST || fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return S_ISDIR(status.st_mode) ? 0 : -EEXIST;
}

int place_try_make_symlink(int root, const char *path, const char *target)
{
	if (explain_is_on()) {
		explain_above(root, path);
		if (!is_there(root, path))
			explain_call("symlinkat(%q, %P)", target, root, path);
		return 0;
	}

	char trimmed[PATH_MAX], there[PATH_MAX];
	const char *name;
	autoclose int parent = prepare(root, path, trimmed, &name);

	if (parent < 0)
		return parent;
	if (symlinkat(target, parent, name) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;

	ssize_t length = readlinkat(parent, name, there, sizeof(there));

	return length == (ssize_t)strlen(target) && memcmp(there, target, (size_t)length) == 0 ?
		0 :
		-EEXIST;
}

static int copy_content(int source, int copy)
{
	char buffer[16384];
	ssize_t count;

	/* Not sendfile(2): a source may be a pipe. */
	while ((count = read(source, buffer, sizeof(buffer))) != 0) {
		if (count < 0 && errno == EINTR)
			continue;
		for (ssize_t done = 0; done < count;) {
			ssize_t written = write(copy, buffer + done, (size_t)(count - done));

			if (written < 0 && errno != EINTR)
				return -errno;
			done += written > 0 ? written : 0;
		}
		if (count < 0)
			return -errno;
	}
	return 0;
}

/* By another name, so that what is there is replaced at once or not at all. */
static int explain_copy(int root, const char *path, int source, mode_t mode)
{
	explain_above(root, path);
	explain_call("openat(%f, \".nschain-RANDOM\", O_WRONLY|O_CREAT|O_EXCL, 0600)", root);
	explain_call("write(%p, the content of %f)", root, ".nschain-RANDOM", source);
	explain_call("fchmod(%p, %o)", root, ".nschain-RANDOM", mode);
	explain_call("renameat(%f, \".nschain-RANDOM\", %P)", root, root, path);
	return 0;
}

int place_try_copy(int root, const char *path, int source, mode_t mode)
{
	if (explain_is_on())
		return explain_copy(root, path, source, mode);

	char trimmed[PATH_MAX], temporary[32];
	uint64_t number;
	const char *name;
	struct stat there;
	autoclose int parent = prepare(root, path, trimmed, &name);

	if (parent < 0)
		return parent;
	if (fstatat(parent, name, &there, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(there.st_mode))
		return -EISDIR;
	/* What was left by one that was killed must not be in the way. */
	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -EIO;
	snprintf(temporary, sizeof(temporary), ".nschain-%016" PRIx64, number);

	autoclose int copy = fd_try_create(parent, temporary, O_WRONLY | O_EXCL, 0600);

	if (copy < 0)
		return copy;

	int error = copy_content(source, copy);

	if (error == 0 && (fchmod(copy, mode) < 0 || renameat(parent, temporary, parent, name) < 0))
		error = -errno;
	if (error < 0)
		unlinkat(parent, temporary, 0);
	return error;
}
