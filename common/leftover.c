#include "common/leftover.h"

#include "common/fd.h"
#include "common/grouptree.h"
#include "common/parse.h"
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

static const char prefix[] = "cgrun-";

void leftover_make_name(char ret[LEFTOVER_NAME])
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(ret, LEFTOVER_NAME, "%s%d-%08x", prefix, (int)getpid(),
		(unsigned int)now.tv_nsec ^ (unsigned int)now.tv_sec << 12);
}

bool leftover_is_name(const char *name)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

int leftover_try_lock(int parent, const char *name)
{
	autoclose int directory = fd_try_open(parent, name, O_RDONLY | O_DIRECTORY);

	if (directory >= 0 && flock(directory, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	return fd_take(&directory);
}

/* The name of a group that leftover_make_name() has named, with the PID of its maker. Rooms are not among them: subtree_restore() removes those. */
static bool parse_name(const char *name, int *pid)
{
	const char *cursor = name + strlen(prefix);
	char word[16];

	if (!leftover_is_name(name) || parse_word(&cursor, '-', word, sizeof(word)) || !cursor ||
		parse_pid(word, pid) || strspn(cursor, "0123456789abcdef") != 8)
		return false;
	return !cursor[8] || strcmp(cursor + 8, LEFTOVER_STAYS) == 0;
}

static bool is_to_stay(const char *name)
{
	size_t length = strlen(name), tail = strlen(LEFTOVER_STAYS);

	return length >= tail && strcmp(name + length - tail, LEFTOVER_STAYS) == 0;
}

struct sweep {
	bool all;
	bool failed;
};

static bool sweep_one(void *data, int parent, const char *name)
{
	struct sweep *sweep = data;
	int pid;

	if (!parse_name(name, &pid) || (!sweep->all && (kill(pid, 0) == 0 || errno != ESRCH)))
		return true;

	autoclose int lock = leftover_try_lock(parent, name);

	if (lock < 0)
		return true;
	if (is_to_stay(name))
		grouptree_try_prune(parent, name);
	else if (!sweep->all)
		grouptree_try_destroy(parent, name, 0);
	else if (!grouptree_destroy(parent, name, 0))
		sweep->failed = true;
	return true;
}

bool leftover_sweep(int parent, bool all)
{
	struct sweep sweep = { .all = all };

	if (faccessat(parent, ".", W_OK, AT_EACCESS) == 0)
		grouptree_visit(parent, sweep_one, &sweep);
	return !sweep.failed;
}

bool leftover_remove(int parent, const char *name, bool *found)
{
	autoclose int lock = leftover_try_lock(parent, name);
	int error = lock < 0 ? lock : grouptree_try_prune(parent, name);

	if (error == -ENOENT)
		return true;
	*found = true;
	if (error == 0)
		return true;
	warn_error(-error, "cannot remove the cgroup '%s'", name);
	if (error == -EBUSY || error == -EWOULDBLOCK)
		hint("it holds processes, or a live cgrun uses it");
	return false;
}
