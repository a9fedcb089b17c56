#include "common/grouptree.h"

#include "common/fd.h"
#include "common/parse.h"
#include "common/report.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_group(const struct dirent *entry)
{
	return entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
		strcmp(entry->d_name, "..") != 0;
}

void grouptree_visit(
	int directory, bool (*visit)(void *data, int directory, const char *name), void *data)
{
	int copy = fd_try_open(directory, ".", O_RDONLY | O_DIRECTORY);
	DIR *entries = copy < 0 ? NULL : fdopendir(copy);

	if (!entries)
		return;
	for (struct dirent *entry; (entry = readdir(entries));) {
		if (is_group(entry) && !visit(data, copy, entry->d_name))
			break;
	}
	closedir(entries);
}

/* Kills the processes of the group at DIRECTORY. */
static void kill_listed(int directory)
{
	autoclose int file = fd_try_open(directory, "cgroup.procs", O_RDONLY);
	FILE *list = file < 0 ? NULL : fdopen(fd_take(&file), "re");
	char *line = NULL;
	size_t size = 0;

	while (list && getline(&line, &size, list) >= 0) {
		int pid;

		line[strcspn(line, "\n")] = '\0';
		if (!parse_pid(line, &pid))
			kill(pid, SIGKILL);
	}
	free(line);
	if (list)
		fclose(list);
}

static bool kill_tree(void *data, int parent, const char *name)
{
	autoclose int directory = fd_try_open(parent, name, O_PATH | O_DIRECTORY);

	if (directory >= 0) {
		kill_listed(directory);
		grouptree_visit(directory, kill_tree, data);
	}
	return true;
}

/* Waits up to MILLISECONDS, less if the kernel says sooner that the group at DIRECTORY has changed between empty and not. */
static void await_change(int directory, int milliseconds)
{
	autoclose int events = fd_try_open(directory, "cgroup.events", O_RDONLY);
	struct pollfd change = { .fd = events, .events = POLLPRI };
	char text[64] = "";

	/* A change is what happens after the file was read. */
	if (events >= 0 && read(events, text, sizeof(text) - 1) > 0 && strstr(text, "populated 0"))
		return;
	poll(&change, 1, milliseconds);
}

/* Version 1 has to be asked until all are frozen. */
static void await_frozen(int directory)
{
	char state[16] = "";

	for (int i = 0; i < 100 && strcmp(state, "FROZEN") != 0; i++) {
		poll(NULL, 0, 1);
		if (fd_try_read(directory, "freezer.state", state, sizeof(state)) < 0)
			break;
	}
}

/* On version 1 what is frozen does not even die, and groups below may be frozen on their own. */
static bool thaw_tree(void *data, int parent, const char *name)
{
	autoclose int directory = fd_try_open(parent, name, O_PATH | O_DIRECTORY);

	if (directory >= 0 && fd_try_write(directory, "freezer.state", "THAWED") == 0)
		grouptree_visit(directory, thaw_tree, data);
	return true;
}

/* The walk takes two fds for each level that a payload has nested groups. */
static void allow_fds(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Frozen processes cannot fork, so one pass over them kills them all. */
static void kill_all(int directory)
{
	if (fd_try_write(directory, "cgroup.kill", "1") == 0)
		return;
	allow_fds();
	if (fd_try_write(directory, "freezer.state", "FROZEN") == 0)
		await_frozen(directory);
	else if (fd_try_write(directory, "cgroup.freeze", "1") == 0)
		await_change(directory, 100);
	kill_tree(NULL, directory, ".");
	thaw_tree(NULL, directory, ".");
	fd_try_write(directory, "cgroup.freeze", "0");
}

static bool find_process(void *data, int parent, const char *name)
{
	bool *found = data;
	autoclose int directory = fd_try_open(parent, name, O_PATH | O_DIRECTORY);
	autoclose int list = fd_try_open(directory, "cgroup.procs", O_RDONLY);
	char first;

	/* What cannot be read may hold anything. */
	*found = *found || list < 0 || read(list, &first, 1) != 0;
	if (!*found)
		grouptree_visit(directory, find_process, data);
	return !*found;
}

/* Whether the group at DIRECTORY or one below it holds a process. */
static bool is_populated(int directory)
{
	char events[256];
	bool found = false;

	if (fd_try_read(directory, "cgroup.events", events, sizeof(events)) >= 0)
		return strstr(events, "populated 0") == NULL;
	allow_fds();
	find_process(&found, directory, ".");
	return found;
}

/* The name of a group in DIRECTORY, whichever comes first. */
static bool find_below(int directory, char name[NAME_MAX + 1])
{
	int copy = fd_try_open(directory, ".", O_RDONLY | O_DIRECTORY);
	DIR *entries = copy < 0 ? NULL : fdopendir(copy);
	bool found = false;

	if (!entries)
		return false;
	for (struct dirent *entry; !found && (entry = readdir(entries));) {
		found = is_group(entry);
		snprintf(name, NAME_MAX + 1, "%s", entry->d_name);
	}
	closedir(entries);
	return found;
}

/* Goes from DIRECTORY down to a leaf, removes it, goes up again: a payload may nest groups deeper than there are fds. */
static int remove_below(int directory)
{
	char name[NAME_MAX + 1], below[NAME_MAX + 1];
	autoclose int current = fd_try_open(directory, ".", O_PATH | O_DIRECTORY);
	int depth = 0;

	for (;;) {
		bool found = find_below(current, name);

		if (!found && depth == 0)
			return 0;
		if (found && (unlinkat(current, name, AT_REMOVEDIR) == 0 || errno == ENOENT))
			continue;
		if (found && errno != EBUSY)
			return -errno;

		autoclose int next = fd_try_open(current, found ? name : "..", O_PATH | O_DIRECTORY);

		if (found && next == -ENOENT)
			continue;
		if (next < 0)
			return next;
		/* It holds processes, not groups. */
		if (found && !find_below(next, below))
			return -EBUSY;
		depth += found ? 1 : -1;
		fd_close(&current);
		current = fd_take(&next);
	}
}

static int prune(int parent, const char *name, int directory)
{
	int error = remove_below(directory);

	if (error < 0)
		return error;
	return unlinkat(parent, name, AT_REMOVEDIR) == 0 ? 0 : -errno;
}

int grouptree_try_prune(int parent, const char *name)
{
	if (unlinkat(parent, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno != EBUSY)
		return -errno;

	autoclose int directory = fd_try_open(parent, name, O_PATH | O_DIRECTORY);

	if (directory < 0)
		return directory;
	/* Looked at before anything is removed: the empty groups in one that is in use are in use. */
	return is_populated(directory) ? -EBUSY : prune(parent, name, directory);
}

/* Tries once, and waits up to MILLISECONDS for what it has killed. */
static int destroy_once(int parent, const char *name, ino_t inode, int milliseconds)
{
	autoclose int directory = fd_try_open(parent, name, O_PATH | O_DIRECTORY);
	struct stat status;

	if (directory == -ENOENT)
		return 0;
	if (directory < 0)
		return directory;
	if (fstat(directory, &status) < 0)
		return -errno;
	/* Somebody has removed it and made another one. */
	if (inode && status.st_ino != inode)
		return 0;
	if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != EBUSY)
		return -errno;
	/* Before anything is removed, so that nobody makes groups meanwhile. */
	kill_all(directory);
	await_change(directory, milliseconds);

	int error = prune(parent, name, directory);

	return error == -ENOENT ? 0 : error;
}

int grouptree_try_destroy(int parent, const char *name, ino_t inode)
{
	return destroy_once(parent, name, inode, 10);
}

/* What another try may get over. */
static bool is_transient(int error)
{
	return error == -EBUSY || error == -EACCES || error == -EMFILE || error == -ENFILE ||
		error == -ENOMEM;
}

bool grouptree_destroy(int parent, const char *name, ino_t inode)
{
	enum { TRIES = 40, LONGEST = 250 };
	int wait = 1, error = -EBUSY;

	for (int i = 0; i < TRIES && is_transient(error); i++) {
		error = destroy_once(parent, name, inode, wait);
		wait = wait < LONGEST / 2 ? wait * 2 : LONGEST;
	}
	if (error < 0)
		warn_error(-error, "cannot remove the cgroup '%s'", name);
	return error == 0;
}
