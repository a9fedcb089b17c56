#include "common/toolbox.h"

#include "common/explain.h"
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

/* A toolbox is one fd for each of them, in this order. */
static const struct link {
	const char *name;
	bool enters; /* a toolbox, always and first of all */
	bool dynamic;
} links[] = {
	{ "nsnew", false, false },
	{ "nsjoin", false, false },
	{ "cgrun", false, false },
	{ "capjail", false, false },
	{ "rootjail", true, false },
	{ "nsmount", false, true },
};

enum { LINKS = sizeof(links) / sizeof(*links) };

/* What stands for a link that cannot be run has one of these sizes, which no program has. */
enum { MISSING, LEFT_BEHIND, FORBIDDEN };

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

/* Returns 0 or -errno. */
static int close_on_exec(int first, bool close)
{
	for (int i = 0; i < LINKS; i++) {
		if (fcntl(first + i, F_SETFD, close ? FD_CLOEXEC : 0) < 0)
			return -errno;
	}
	return 0;
}

/* Not for COMMAND, from here on. */
static void keep_back(int first)
{
	int error = close_on_exec(first, true);

	if (error < 0)
		die_error(-error, "cannot keep the toolbox from COMMAND");
}

void toolbox_adopt(void)
{
	int first = find_toolbox();

	if (first < 0)
		return;
	keep_back(first);
	/* The kernel names a process after the path of its file, which a memfd does not have. */
	prctl(PR_SET_NAME, program_invocation_short_name);
}

/* What became of an attempt to run a link: -errno, and the status to exit with. */
struct failure {
	int error;
	int status;
};

/* Becomes LINK of the toolbox at FIRST. */
static struct failure become(int first, size_t link, char *const argv[])
{
	static const struct failure reasons[] = {
		[MISSING] = { -ENOENT, STATUS_NOT_FOUND },
		[LEFT_BEHIND] = { -ENOTSUP, STATUS_FAILED },
		[FORBIDDEN] = { -EACCES, STATUS_NOT_EXECUTABLE },
	};
	int file = first + (int)link;
	struct stat status;

	if (fstat(file, &status) < 0)
		return (struct failure){ -errno, STATUS_FAILED };
	if (status.st_size <= FORBIDDEN)
		return reasons[status.st_size];

	struct failure failure = { close_on_exec(first, false), STATUS_FAILED };

	if (failure.error == 0) {
		syscall(SYS_execveat, file, "", argv, environ, AT_EMPTY_PATH);
		failure = (struct failure){ -errno, STATUS_NOT_EXECUTABLE };
	}
	keep_back(first);
	return failure;
}

/* Somebody who may look into this process, and so could kill it, can hold a copy open for writing. That is all he can do with it, and often for a moment only. */
static struct failure become_patiently(int first, size_t link, char *const argv[])
{
	enum { ATTEMPTS = 1000 };
	static const struct timespec moment = { .tv_nsec = 1000000 };
	struct failure failure = become(first, link, argv);

	for (int i = 0; failure.error == -ETXTBSY && i < ATTEMPTS; i++) {
		nanosleep(&moment, NULL);
		failure = become(first, link, argv);
	}
	return failure;
}

/* FILE is at the place of link I as well. Returns 0 or -errno. */
static int give_place(int first, size_t i, int file)
{
	if (dup3(file, first + (int)i, O_CLOEXEC) >= 0)
		return 0;
	/* Beyond the limit of open files. */
	return errno == EBADF ? -EMFILE : -errno;
}

/* FILE, or -errno, is at the place of link I alone. Returns 0 or -errno. */
static int take_place(int first, size_t i, int file)
{
	int error = file < 0 ? file : give_place(first, i, file);

	fd_close(&file);
	return error;
}

/* Links with a loader go no further: theirs would be one of the new root. */
static void leave_dynamic(int first)
{
	struct stat status;

	for (size_t i = 0; i < LINKS; i++) {
		if (!links[i].dynamic || fstat(first + (int)i, &status) < 0 ||
			status.st_size <= FORBIDDEN)
			continue;

		int error = take_place(first, i, sealed_try_blank(links[i].name, LEFT_BEHIND));

		if (error < 0)
			die_error(-error, "cannot leave the link '%s' behind", links[i].name);
	}
}

int toolbox_try_exec(char *const argv[], bool root_changed)
{
	int first = find_toolbox();
	size_t link = find_link(argv[0]);
	struct failure failure = { -ENOTSUP, STATUS_FAILED };

	if (root_changed)
		leave_dynamic(first);
	if (!root_changed || !links[link].dynamic)
		failure = become_patiently(first, link, argv);
	warn_error(-failure.error, "cannot run the link '%s'", argv[0]);
	if (failure.error == -ENOTSUP)
		hint("it is not static: put it in front of the change of root");
	if (failure.error == -ENOENT)
		hint("it is not beside the link that this one was started from");
	return failure.status;
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

/* The program NAME in DIRECTORY. Returns an fd or -errno; -EACCES if it may not be executed, -ENOENT if it is no program. */
static int open_beside(int directory, const char *name)
{
	autoclose int fd = fd_try_open(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	struct stat status;

	if (fd == -ELOOP || fd == -ENXIO ||
		(fd >= 0 && fstat(fd, &status) == 0 && !S_ISREG(status.st_mode)))
		return -ENOENT;
	if (fd >= 0 && faccessat(directory, name, X_OK, AT_EACCESS) < 0)
		return -errno;
	return fd_take(&fd);
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

/* The first of LINKS fds in a row that are not open, with as many free below as are open meanwhile, since the kernel gives out the lowest ones. */
static int find_free_fds(void)
{
	enum { MEANWHILE = 2 };
	int first = STDERR_FILENO + 1, spare = MEANWHILE;

	for (int fd = first; fd < first + spare + LINKS; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			continue;
		spare -= fd - first < spare ? fd - first : spare;
		first = fd + 1;
	}
	return first + spare;
}

/* A copy of link I for the place of it: of PROGRAM if that is one, else of what lies in DIRECTORY. Returns 0 or -errno. */
static int copy_link(int first, size_t i, int directory, int program)
{
	autoclose int beside = program < 0 ? open_beside(directory, links[i].name) : -1;
	int source = program < 0 ? beside : program;

	/* It will be missed when it is called. */
	if (source == -ENOENT)
		return 0;
	if (source == -EACCES)
		return take_place(first, i, sealed_try_blank(links[i].name, FORBIDDEN));
	return take_place(first, i, source < 0 ? source : sealed_try_copy(links[i].name, source));
}

/*
 * Makes a toolbox of what ARGV names, from which OWN, a copy of PROGRAM, is to be run with ARGV. Returns the fd of its first link; -errno, with the name of the
 * one it is about.
 */
static int make(int directory, size_t own, int program, char *const argv[], const char **ret_name)
{
	int first = find_free_fds();
	int blank = sealed_try_blank("none", MISSING);
	int error = blank < 0 ? blank : 0;

	for (size_t i = 0; error == 0 && i < LINKS; i++)
		error = give_place(first, i, blank);
	fd_close(&blank);
	for (size_t i = 0; error == 0 && i < LINKS; i++) {
		*ret_name = links[i].name;
		if (i == own || is_among(argv + 1, links[i].name))
			error = copy_link(first, i, directory, i == own ? program : -1);
	}
	for (int i = 0; error < 0 && i < LINKS; i++)
		close(first + i);
	return error < 0 ? error : first;
}

/* The copies that make() makes, and the exec from there. Not twice along a chain. */
static void explain_making(size_t own, char *const argv[])
{
	if (explain_is_changed(EXPLAIN_TOOLBOX))
		return;
	explain_because(
		"links that may run inside of a root that is not trusted are copied into sealed memory");
	for (size_t i = 0; i < LINKS; i++) {
		if (i != own && !is_among(argv + 1, links[i].name))
			continue;
		explain_call(
			"memfd_create(%q, MFD_CLOEXEC|MFD_ALLOW_SEALING|MFD_EXEC)", links[i].name);
		explain_call("sendfile(<memfd:%s>, <%s>)", links[i].name, links[i].name);
		explain_call(
			"fcntl(<memfd:%s>, F_ADD_SEALS, F_SEAL_SEAL|F_SEAL_SHRINK|F_SEAL_GROW|F_SEAL_WRITE)",
			links[i].name);
	}
	explain_call("execveat(<memfd:%s>, \"\", %v, AT_EMPTY_PATH)", links[own].name,
		explain_strip(argv));
	explain_change(EXPLAIN_TOOLBOX);
}

bool toolbox_explain_start(char *const argv[])
{
	size_t link = find_link(argv[0]);
	bool held = explain_is_changed(EXPLAIN_TOOLBOX);

	if (link == LINKS || (!held && !links[link].enters))
		return false;
	if (held)
		explain_call("execveat(<memfd:%s>, \"\", %v, AT_EMPTY_PATH)", argv[0], argv);
	else
		explain_making(link, argv);
	return true;
}

void toolbox_run_beside(char *const argv[])
{
	autoclose int self = fd_try_open_self();
	autoclose int directory = open_directory(self);
	autoclose int program = directory < 0 ? directory : open_beside(directory, argv[0]);

	if (program >= 0)
		syscall(SYS_execveat, program, "", argv, environ, AT_EMPTY_PATH);
	die_error(program < 0 ? -program : errno, "cannot run the link '%s' for it to explain",
		argv[0]);
}

void toolbox_enter(char *const argv[])
{
	const char *name = program_invocation_short_name;
	size_t own = find_link(name);

	if (toolbox_is_held())
		return;
	if (explain_is_on()) {
		explain_making(own, argv);
		return;
	}

	autoclose int self = fd_try_open_self();
	autoclose int directory = open_directory(self);
	autoclose int program = directory < 0 ? directory : open_program(self, directory, name);

	if (program < 0)
		die_hint(program == -EACCES ? "it has to be readable for whom it runs as" : NULL,
			-program, "cannot open the own program file");

	int first = make(directory, own, program, argv, &name);

	if (first < 0)
		die_hint(first == -EACCES       ? "the sysctl vm.memfd_noexec forbids it" :
				first == -EFBIG ? "raise the limit 'ulimit -f'" :
						  NULL,
			-first, "cannot copy the link '%s' into memory", name);
	fd_close(&program);
	fd_close(&directory);
	fd_close(&self);
	die_error(-become_patiently(first, own, argv).error, "cannot run '%s' again from a toolbox",
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
