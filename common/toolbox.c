#include "common/toolbox.h"

#include "common/fd.h"
#include "common/hide.h"
#include "common/parse.h"
#include "common/report.h"
#include "common/sealed.h"

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
#include <time.h>
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

/* What has the size of no program stands for one that is not there. */
enum { MISSING = 0, LEFT_BEHIND = 1 };

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

/* The fd of the first link of what this one was started from by STARTED, "/dev/fd/N"; not verified. -1 if that is something else. */
static int parse_started(const char *started, size_t own)
{
	static const char prefix[] = "/dev/fd/";
	int fd;

	if (!started || own == LINKS || strncmp(started, prefix, strlen(prefix)) != 0 ||
		parse_fd(started + strlen(prefix), &fd) || fd < (int)own)
		return -1;
	return fd - (int)own;
}

/* The fd of the first link of the toolbox that this one runs from, the others behind it in the order of LINKS; -1 if it does not. */
static int find_toolbox(void)
{
	int first = parse_started(
		(const char *)getauxval(AT_EXECFN), find_link(program_invocation_short_name));

	for (int i = 0; first >= 0 && i < LINKS; i++) {
		if (!sealed_is(first + i))
			return -1;
	}
	return first;
}

bool toolbox_is_held(void)
{
	return find_toolbox() >= 0;
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
	int first = find_toolbox();
	int *all = malloc((count + LINKS) * sizeof(*all));

	if (!all)
		die_error(errno, "cannot allocate memory");
	check_standard();
	memcpy(all, keep, count * sizeof(*keep));
	for (int i = 0; first >= 0 && i < LINKS; i++)
		all[count++] = first + i;
	fd_close_others(all, count);
	free(all);
}

static void close_on_exec(int first, bool close)
{
	for (int i = 0; i < LINKS; i++) {
		if (fcntl(first + i, F_SETFD, close ? FD_CLOEXEC : 0) < 0)
			die_error(errno,
				close ? "cannot keep the toolbox from COMMAND" :
					"cannot hand the toolbox on");
	}
}

void toolbox_adopt(void)
{
	int first = find_toolbox();

	if (first < 0)
		return;
	close_on_exec(first, true);
	/* The kernel names a process after the path of its file, which a memfd does not have. */
	prctl(PR_SET_NAME, program_invocation_short_name);
}

/* Becomes LINK of the toolbox at FIRST. Returns -errno. */
static int become(int first, size_t link, char *const argv[])
{
	int file = first + (int)link;
	struct stat status;

	if (fstat(file, &status) < 0)
		return -errno;
	if (status.st_size <= LEFT_BEHIND)
		return status.st_size == MISSING ? -ENOENT : -ENOTSUP;
	close_on_exec(first, false);
	syscall(SYS_execveat, file, "", argv, environ, AT_EMPTY_PATH);

	int error = -errno;

	close_on_exec(first, true);
	return error;
}

/* Somebody who may look into this process, and so could kill it, can hold a copy open for writing. That is all he can do with it, and often for a moment only. */
static int become_patiently(int first, size_t link, char *const argv[])
{
	enum { TRIES = 1000 };
	static const struct timespec moment = { .tv_nsec = 1000000 };
	int error = become(first, link, argv);

	for (int i = 0; error == -ETXTBSY && i < TRIES; i++) {
		nanosleep(&moment, NULL);
		error = become(first, link, argv);
	}
	return error;
}

/* Links with a loader go no further: theirs would be one of the new root. */
static int leave_dynamic(int first)
{
	struct stat status;

	for (int i = 0; i < LINKS; i++) {
		if (!links[i].dynamic || fstat(first + i, &status) < 0 || status.st_size <= LEFT_BEHIND)
			continue;

		autoclose int mark = sealed_try_blank(links[i].name, LEFT_BEHIND);

		if (mark < 0 || dup3(mark, first + i, O_CLOEXEC) < 0)
			return mark < 0 ? mark : -errno;
	}
	return 0;
}

int toolbox_try_exec(char *const argv[], bool root_changed)
{
	int first = find_toolbox(), error;
	size_t link = find_link(argv[0]);

	if (link == LINKS || first < 0)
		return -ENOENT;
	if (root_changed && links[link].dynamic)
		return -ENOTSUP;
	error = root_changed ? leave_dynamic(first) : 0;
	return error < 0 ? error : become_patiently(first, link, argv);
}

/* --- making one --- */

/* The directory of this link; -errno, also without a /proc if the kernel's word for what was executed does not do. */
static int open_directory(int self)
{
	char path[PATH_MAX];
	ssize_t length = self < 0 ? -1 : readlinkat(self, "exe", path, sizeof(path) - 1);

	if (length >= 0)
		path[length] = '\0';
	else if (!realpath((const char *)getauxval(AT_EXECFN), path))
		return -errno;
	strrchr(path, '/')[1] = '\0';
	return fd_try_open(AT_FDCWD, path, O_PATH | O_DIRECTORY);
}

static int open_beside(int directory, const char *name)
{
	return fd_try_open(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
}

/* This program as it runs, which may lie in DIRECTORY no more; without a /proc what lies there has to do. */
static int open_program(int self, int directory, const char *name)
{
	int program = self < 0 ? -ENOENT : fd_try_open(self, "exe", O_RDONLY);

	return program == -ENOENT ? open_beside(directory, name) : program;
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

/* The fds from FIRST on become copies of the links in DIRECTORY that ARGV names, but OWN is one of PROGRAM. -errno, with the name of the one it is about. */
static int fill(int first, int directory, size_t own, int program, char *const argv[],
	const char **ret_name)
{
	for (size_t i = 0; i < LINKS; i++) {
		bool needed = i == own || is_among(argv + 1, links[i].name);
		autoclose int beside =
			!needed || i == own ? -ENOENT : open_beside(directory, links[i].name);
		int source = i == own ? program : beside;

		*ret_name = links[i].name;
		/* One that is not there will be missed when it is called. */
		if (source < 0 && source != -ENOENT)
			return source;

		autoclose int file = source < 0 ? sealed_try_blank(links[i].name, MISSING) :
						  sealed_try_copy(links[i].name, source);

		if (file < 0)
			return file;
		/* EBADF: beyond the limit of open files. */
		if (dup3(file, first + (int)i, O_CLOEXEC) < 0)
			return errno == EBADF ? -EMFILE : -errno;
	}
	return 0;
}

/* The fd of the first link of a new toolbox, from which OWN is to be run with ARGV; -errno. */
static int make(int directory, size_t own, int program, char *const argv[], const char **ret_name)
{
	/* Below them there is room for those that are open meanwhile, since the kernel gives out the lowest ones. */
	enum { SPARE = 2 };
	int first = find_free_fds(SPARE + LINKS) + SPARE;
	int error = fill(first, directory, own, program, argv, ret_name);

	for (int i = 0; error < 0 && i < LINKS; i++)
		close(first + i);
	return error < 0 ? error : first;
}

void toolbox_enter(char *const argv[])
{
	static const char readable[] =
		"it has to be readable for whom it runs as, and the sysctl vm.memfd_noexec less than 2";
	const char *name = program_invocation_short_name;
	size_t own = find_link(name);

	if (toolbox_is_held())
		return;

	autoclose int self = fd_try_open_self();
	autoclose int directory = open_directory(self);
	autoclose int program = directory < 0 ? directory : open_program(self, directory, name);

	if (program < 0)
		die_hint(program == -EACCES ? readable : NULL, -program,
			"cannot open the own program file");

	int first = make(directory, own, program, argv, &name);

	if (first < 0)
		die_hint(first == -EACCES       ? readable :
				first == -EFBIG ? "raise the limit 'ulimit -f'" :
						  NULL,
			-first, "cannot copy the link '%s' into memory", name);
	fd_close(&program);
	fd_close(&directory);
	fd_close(&self);
	die_error(-become_patiently(first, own, argv), "cannot run '%s' again from a toolbox",
		links[own].name);
}

void toolbox_enter_to_wait(char *const argv[])
{
	if (hide_is_needed())
		toolbox_enter(argv);
}

void toolbox_start(const char *path, char *const argv[])
{
	const char *name = argv[0];
	size_t link = find_link(name);

	if (link == LINKS || !links[link].enters)
		return;

	autoclose int found = fd_try_open(AT_FDCWD, path, O_PATH);
	autoclose int self = found < 0 ? -1 : fd_try_open_self();
	autoclose int directory = found < 0 ? -1 : open_directory(self);
	autoclose int program = directory < 0 ? -1 : open_beside(directory, name);

	if (program < 0 || !fd_is_same(program, found))
		return;

	int first = make(directory, link, program, argv, &name);

	if (first < 0)
		return;
	become_patiently(first, link, argv);
	for (int i = 0; i < LINKS; i++)
		close(first + i);
}
