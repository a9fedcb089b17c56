#include "common/toolbox.h"

#include "common/fd.h"
#include "common/hide.h"
#include "common/parse.h"
#include "common/report.h"
#include "common/sealed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* All that the directory of a toolbox may hold. */
static const struct link {
	const char *name;
	bool enters; /* a toolbox, always and first of all */
	bool dynamic;
} links[] = {
	{ "nsnew", false, false },
	{ "nsjoin", true, false },
	{ "cgrun", false, false },
	{ "capjail", false, false },
	{ "rootjail", true, false },
	{ "nsmount", false, true },
};

enum { LINKS = sizeof(links) / sizeof(*links) };

/* In front of the name that a link is started by, where the root is not the one that the toolbox was made in. */
static const char elsewhere[] = "./";

/* One fd of a directory, or one for each of LINKS in their order. */
struct toolbox {
	bool directory;
	bool elsewhere;
	int first;
};

/* The place of NAME in LINKS; LINKS if it is none of them. */
static size_t find_link(const char *name)
{
	size_t i = 0;

	while (i < LINKS && strcmp(links[i].name, name) != 0)
		i++;
	return i;
}

bool toolbox_is_link(const char *name)
{
	return find_link(name) < LINKS;
}

/* One that this link was started from, by STARTED, "/dev/fd/N/NAME" or "/dev/fd/N"; not verified. False if it was not. */
static bool parse_started(const char *started, size_t own, struct toolbox *toolbox)
{
	static const char prefix[] = "/dev/fd/";
	char number[16];
	const char *name;
	int fd;

	if (!started || own == LINKS || strncmp(started, prefix, strlen(prefix)) != 0)
		return false;
	started += strlen(prefix);
	name = started + strcspn(started, "/");
	snprintf(number, sizeof(number), "%.*s", (int)(name - started), started);
	if (parse_fd(number, &fd))
		return false;
	*toolbox = (struct toolbox){ .directory = *name, .first = fd };
	if (!toolbox->directory) {
		toolbox->first -= (int)own;
		return toolbox->first >= 0;
	}
	name++;
	toolbox->elsewhere = strncmp(name, elsewhere, strlen(elsewhere)) == 0;
	return strcmp(name + (toolbox->elsewhere ? strlen(elsewhere) : 0), links[own].name) == 0;
}

/*
 * The toolbox that this link runs from. False if it does not; somebody may call it by an fd of an ordinary directory. Dies if it does and that is not sealed any more:
 * with the rights of this link, a mount can be moved to where it can be mounted on.
 */
static bool find_toolbox(struct toolbox *toolbox)
{
	size_t own = find_link(program_invocation_short_name);

	if (!parse_started((const char *)getauxval(AT_EXECFN), own, toolbox))
		return false;
	if (toolbox->directory && sealed_is_overlay(toolbox->first) &&
		!sealed_is_directory(toolbox->first, links[own].name))
		die("the toolbox that this link was started from is not sealed");
	if (toolbox->directory)
		return sealed_is_overlay(toolbox->first);
	for (int i = 0; i < LINKS; i++) {
		if (!sealed_is_copy(toolbox->first + i))
			return false;
	}
	return true;
}

bool toolbox_is_held(void)
{
	struct toolbox toolbox;

	return find_toolbox(&toolbox);
}

static size_t list_fds(const struct toolbox *toolbox, int fds[LINKS])
{
	size_t count = toolbox->directory ? 1 : LINKS;

	for (size_t i = 0; i < count; i++)
		fds[i] = toolbox->first + (int)i;
	return count;
}

static void check_standard(void)
{
	struct stat status;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
			die("file descriptor %d is a directory, which would lead COMMAND out of its root",
				fd);
	}
}

void toolbox_close_others(const int *keep, size_t count)
{
	struct toolbox toolbox;
	int *all = malloc((count + LINKS) * sizeof(*all));

	if (!all)
		die_error(errno, "cannot allocate memory");
	check_standard();
	memcpy(all, keep, count * sizeof(*keep));
	if (find_toolbox(&toolbox))
		count += list_fds(&toolbox, all + count);
	fd_close_others(all, count);
	free(all);
}

static void close_on_exec(const struct toolbox *toolbox, bool close)
{
	int fds[LINKS];
	size_t count = list_fds(toolbox, fds);

	for (size_t i = 0; i < count; i++) {
		if (fcntl(fds[i], F_SETFD, close ? FD_CLOEXEC : 0) < 0)
			die_error(errno,
				close ? "cannot keep the toolbox from COMMAND" :
					"cannot hand the toolbox on");
	}
}

void toolbox_adopt(void)
{
	struct toolbox toolbox;

	if (!find_toolbox(&toolbox))
		return;
	close_on_exec(&toolbox, true);
	/* The kernel names a process after the path of its file, which a memfd does not have. */
	if (!toolbox.directory)
		prctl(PR_SET_NAME, program_invocation_short_name);
}

/* Becomes LINK of TOOLBOX. Returns -errno. */
static int become(const struct toolbox *toolbox, size_t link, char *const argv[])
{
	int file = toolbox->directory ? toolbox->first : toolbox->first + (int)link;
	char name[32] = "";
	struct stat status;

	/* What stands for a link that was not beside the others. */
	if (!toolbox->directory && fstat(file, &status) == 0 && status.st_size == 0)
		return -ENOENT;
	if (toolbox->directory)
		snprintf(name, sizeof(name), "%s%s", toolbox->elsewhere ? elsewhere : "",
			links[link].name);
	close_on_exec(toolbox, false);
	syscall(SYS_execveat, file, name, argv, environ, toolbox->directory ? 0 : AT_EMPTY_PATH);

	int error = -errno;

	close_on_exec(toolbox, true);
	return error;
}

/* Somebody who may look into this process can hold a copy open for writing, which is all that he can do with it, but only for a moment if he tries again and again. */
static int become_patiently(const struct toolbox *toolbox, size_t link, char *const argv[])
{
	int error = -ETXTBSY;

	for (int i = 0; error == -ETXTBSY && i < 1000; i++)
		error = become(toolbox, link, argv);
	return error;
}

int toolbox_try_exec(char *const argv[], bool root_changed)
{
	struct toolbox toolbox;
	size_t link = find_link(argv[0]);

	if (link == LINKS || !find_toolbox(&toolbox))
		return -ENOENT;
	toolbox.elsewhere |= root_changed;
	/* Copies do not tell whether the root has changed. */
	if (links[link].dynamic && (toolbox.elsewhere || !toolbox.directory))
		return -ENOTSUP;
	return become_patiently(&toolbox, link, argv);
}

/* --- making one --- */

/* Where this link lies. */
struct origin {
	char path[PATH_MAX]; /* of the directory */
	char *name;
	int directory;
	int self;    /* /proc/self; negative where there is none */
	int program; /* the file that runs, which may not be at that name any more; negative where /proc does not show it */
};

/* Without a /proc, the kernel's word for what was executed has to do. False if there is none. */
static bool find_origin(struct origin *origin)
{
	ssize_t length = -1;

	*origin = (struct origin){ .self = fd_try_open_self(), .directory = -1, .program = -1 };
	if (origin->self >= 0)
		length = readlinkat(origin->self, "exe", origin->path, sizeof(origin->path) - 1);
	if (length >= 0)
		origin->path[length] = '\0';
	else if (!realpath((const char *)getauxval(AT_EXECFN), origin->path))
		return false;
	origin->name = strrchr(origin->path, '/');
	*origin->name++ = '\0';
	origin->directory =
		fd_try_open(AT_FDCWD, origin->path[0] ? origin->path : "/", O_PATH | O_DIRECTORY);
	if (origin->self >= 0)
		origin->program = fd_try_open(origin->self, "exe", O_PATH);
	errno = origin->directory < 0 ? -origin->directory : 0;
	return origin->directory >= 0;
}

static void forget_origin(struct origin *origin)
{
	fd_close(&origin->directory);
	fd_close(&origin->program);
	fd_close(&origin->self);
}

/* Whether NAME in the directory is the file PROGRAM; yes if that is not known. */
static bool holds(const struct origin *origin, const char *name, int program)
{
	autoclose int there = fd_try_open(origin->directory, name, O_PATH | O_NOFOLLOW);

	return there >= 0 && (program < 0 || fd_is_same(there, program));
}

/* Whether nothing but links lies in DIRECTORY: all that does could be seen by whoever gets hold of the toolbox. What is mounted on one would not be in an overlay. */
static bool holds_links_only(int directory)
{
	int fd = fd_try_open(directory, ".", O_RDONLY | O_DIRECTORY);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	bool only = stream;

	while (only) {
		struct dirent *entry = readdir(stream);
		struct stat status;

		if (!entry)
			break;
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			only = toolbox_is_link(entry->d_name) &&
				fd_mount_id(directory, entry->d_name, AT_SYMLINK_NOFOLLOW) ==
					fd_mount_id(directory, "", AT_EMPTY_PATH) &&
				fstatat(directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
				S_ISREG(status.st_mode);
	}
	if (stream)
		closedir(stream);
	return only;
}

static bool is_among(char *const argv[], const char *name)
{
	while (*argv && strcmp(*argv, name) != 0)
		argv++;
	return *argv;
}

/* The first of COUNT fds in a row that are not open. */
static int find_free_fds(int count)
{
	int first = STDERR_FILENO + 1;

	for (int fd = first; fd < first + count; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			first = fd + 1;
	}
	return first;
}

/* The own program as it runs, another link as it lies beside it. */
static int open_link(const struct origin *origin, size_t link, size_t own)
{
	int fd = -ENOENT;

	if (link == own && origin->self >= 0)
		fd = fd_try_open(origin->self, "exe", O_RDONLY);
	if (fd == -ENOENT)
		fd = fd_try_open(origin->directory, link == own ? origin->name : links[link].name,
			O_RDONLY | O_NOFOLLOW);
	/* One that is not there will be missed when it is called. */
	if (fd < 0 && (fd != -ENOENT || link == own))
		die_error(-fd, "cannot read the link '%s'", links[link].name);
	return fd;
}

/* Copies of the links that ARGV names, and of the own one, OWN. */
static void seal_files(
	const struct origin *origin, size_t own, char *const argv[], struct toolbox *toolbox)
{
	/* Below them there is room for the two that are open meanwhile, since the kernel gives out the lowest ones. */
	enum { SPARE = 2 };

	*toolbox = (struct toolbox){ .first = find_free_fds(SPARE + LINKS) + SPARE };
	for (size_t i = 0; i < LINKS; i++) {
		bool needed = !links[i].dynamic && (i == own || is_among(argv + 1, links[i].name));
		autoclose int source = needed ? open_link(origin, i, own) : -1;
		autoclose int copy = sealed_copy(links[i].name, source);

		/* EBADF: beyond the limit of open files. */
		if (dup3(copy, toolbox->first + (int)i, O_CLOEXEC) < 0)
			die_error(errno == EBADF ? EMFILE : errno,
				"cannot keep a copy of the link '%s' open", links[i].name);
	}
}

void toolbox_enter(char *const argv[])
{
	struct toolbox toolbox = { .directory = true, .first = -1 };
	size_t own = find_link(program_invocation_short_name);
	struct origin origin;

	if (toolbox_is_held())
		return;
	if (!find_origin(&origin))
		die_error(errno, "cannot find the own program file");
	if (strcmp(origin.name, links[own].name) == 0 &&
		holds(&origin, origin.name, origin.program) && holds_links_only(origin.directory))
		toolbox.first = sealed_try_directory(origin.directory, origin.path);
	if (!sealed_is_directory(toolbox.first, origin.name))
		fd_close(&toolbox.first);
	if (toolbox.first < 0)
		seal_files(&origin, own, argv, &toolbox);
	forget_origin(&origin);

	int error = become_patiently(&toolbox, own, argv);

	die_hint(error == -EACCES ? "the links have to be readable for whom they run as" : NULL,
		-error, "cannot run '%s' again from a toolbox", links[own].name);
}

void toolbox_enter_to_wait(char *const argv[])
{
	if (hide_is_needed())
		toolbox_enter(argv);
}

/* What make_overlay() can do at once; for more, the link does it itself. */
static int seal_beside(const char *path, const char *name)
{
	struct origin origin;
	autoclose int program = fd_try_open(AT_FDCWD, path, O_PATH);
	int overlay = -1;

	if (program < 0)
		return -1;
	if (find_origin(&origin) && holds(&origin, name, program) &&
		holds_links_only(origin.directory))
		overlay = sealed_try_overlay(origin.directory);
	forget_origin(&origin);
	if (!sealed_is_directory(overlay, name))
		fd_close(&overlay);
	return overlay;
}

void toolbox_start(const char *path, char *const argv[])
{
	struct toolbox toolbox = { .directory = true, .first = -1 };
	size_t link = find_link(argv[0]);

	if (link < LINKS && links[link].enters)
		toolbox.first = seal_beside(path, argv[0]);
	if (toolbox.first >= 0) {
		become(&toolbox, link, argv);
		close(toolbox.first);
	}
}
