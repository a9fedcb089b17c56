#include "common/subtree.h"

#include "common/explain.h"
#include "common/fd.h"
#include "common/grouptree.h"
#include "common/parse.h"
#include "common/report.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIST_SIZE = 256, PATH_SIZE = 128 };

/* Not the directory: that may be locked by who has made it, see leftover.h. */
static const char lock_file[] = "cgroup.subtree_control";

bool subtree_is_room(const char *name)
{
	size_t length = strlen(name);

	return strncmp(name, "cgrun-", 6) == 0 && length > 5 &&
		strcmp(name + length - 5, ".self") == 0;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);

	return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* Whether FILE of the group at DIRECTORY holds those in it to less than the group above does. */
static bool is_limit(int directory, const char *file)
{
	char text[LIST_SIZE] = "";

	if (!ends_with(file, ".max") && !ends_with(file, ".high") &&
		strcmp(file, "cpuset.cpus") != 0 && strcmp(file, "cpuset.mems") != 0)
		return false;
	return fd_try_read(directory, file, text, sizeof(text)) != 0 && strncmp(text, "max", 3) != 0;
}

bool subtree_is_unlimited(const char *group)
{
	DIR *entries = opendir(group);
	bool unlimited = entries != NULL;

	if (!entries)
		return false;
	for (struct dirent *entry; unlimited && (entry = readdir(entries));)
		unlimited = !is_limit(dirfd(entries), entry->d_name);
	closedir(entries);
	return unlimited;
}

/* Whether WORD is in LIST between spaces; "cpu" is not in "cpuset". */
static bool has_word(const char *list, const char *word)
{
	char entry[70], text[64];
	const char *cursor = list;

	snprintf(entry, sizeof(entry), "%s", word);
	while (cursor && *cursor && !parse_word(&cursor, ' ', text, sizeof(text))) {
		if (strcmp(text, entry) == 0)
			return true;
	}
	return false;
}

void subtree_add(char *list, size_t size, const char *controller)
{
	char word[64];
	size_t used = strlen(list);

	snprintf(word, sizeof(word), "+%s", controller);
	if (!has_word(list, word))
		snprintf(list + used, size - used, "%s%s", used ? " " : "", word);
}

/* Adds to MISSING (SIZE bytes) what of LIST the group at PARENT does not hand down. */
static void find_missing(int parent, const char *list, char *missing, size_t size)
{
	char text[LIST_SIZE] = "", word[64];
	const char *cursor = list;

	fd_try_read(parent, "cgroup.subtree_control", text, sizeof(text));
	while (cursor && *cursor && !parse_word(&cursor, ' ', word, sizeof(word))) {
		/* Without the '+'. */
		if (!has_word(text, word + 1))
			subtree_add(missing, size, word + 1);
	}
}

/* Calls VISIT(DATA, pid) for each process of the group at PARENT until it returns false. False then, or if they cannot be read. */
static bool visit_processes(int parent, bool (*visit)(void *data, const char *pid), void *data)
{
	autoclose int file = fd_try_open(parent, "cgroup.procs", O_RDONLY);
	FILE *list = file < 0 ? NULL : fdopen(fd_take(&file), "re");
	bool go_on = list != NULL;
	char *line = NULL;
	size_t size = 0;

	while (go_on && getline(&line, &size, list) > 0) {
		line[strcspn(line, "\n")] = '\0';
		go_on = visit(data, line);
	}
	free(line);
	if (!list)
		return false;
	go_on = go_on && !ferror(list);
	fclose(list);
	return go_on;
}

static bool is_one_of(void *data, const char *pid)
{
	const pid_t *pair = data;
	int number;

	return !parse_pid(pid, &number) && (number == pair[0] || number == pair[1]);
}

/* Whether the processes of the group at PARENT are all among these two; 0 is none. A process of another PID namespace shows as 0. */
static bool holds_only(int parent, pid_t one, pid_t other)
{
	pid_t pair[] = { one, other };

	return visit_processes(parent, is_one_of, pair);
}

static bool fail(int error, const char *verb, const char *object)
{
	warn_error(-error, "cannot %s '%s'", verb, object);
	return false;
}

static bool move_process(int parent, const char *path, const char *pid)
{
	int error = fd_try_write(parent, path, pid);

	/* It may have ended. */
	return error == 0 || error == -ESRCH || fail(error, "move a process into the cgroup", path);
}

struct move {
	int parent;
	const char *path;
	bool failed;
};

static bool move_visited(void *data, const char *pid)
{
	struct move *move = data;

	if (strcmp(pid, "0") == 0) {
		warn("cannot move a process of another PID namespace out of the own cgroup");
		move->failed = true;
	} else {
		move->failed = !move_process(move->parent, move->path, pid);
	}
	return !move->failed;
}

/* Moves all processes of the group at FROM by the file PATH below PARENT; those that they fork meanwhile are for the next round. */
static bool move_all(int from, int parent, const char *path)
{
	enum { ROUNDS = 100 };
	struct move move = { .parent = parent, .path = path };

	for (int i = 0; i < ROUNDS && !holds_only(from, 0, 0); i++) {
		visit_processes(from, move_visited, &move);
		if (move.failed)
			return false;
	}
	return true;
}

static bool make_room(const struct subtree *subtree, int parent, pid_t watcher)
{
	if (explain_is_on()) {
		explain_call("mkdirat(%f, %q, 0755)", parent, subtree->room);
		explain_call("write(%p/cgroup.procs, each process of the group above)", parent,
			subtree->room);
		return true;
	}

	char path[PATH_SIZE], pid[16];

	if (mkdirat(parent, subtree->room, 0755) < 0 && errno != EEXIST)
		return fail(-errno, "make the cgroup", subtree->room);
	snprintf(path, sizeof(path), "%s/cgroup.procs", subtree->room);
	snprintf(pid, sizeof(pid), "%d", (int)watcher);
	if (!move_process(parent, path, "0") || (watcher > 0 && !move_process(parent, path, pid)))
		return false;
	return !subtree->evacuate || move_all(parent, parent, path);
}

/* Whether somebody may stand aside: this process and WATCHER alone, or all. */
static bool may_stand_aside(const struct subtree *subtree, int parent, pid_t watcher)
{
	return subtree->evacuate || holds_only(parent, getpid(), watcher);
}

static bool refuse_others(const struct subtree *subtree)
{
	warn("cannot hand '%s' down: the cgroup above holds other processes", subtree->enable);
	hint("no internal processes (cgroups(7)): --evacuate moves them aside, --parent=GROUP takes another place, or: %s",
		subtree->advice);
	return false;
}

/* Writes LIST word by word, because one that cannot be had is no reason to be without the others. */
static void write_each(int parent, const char *list)
{
	const char *cursor = list;
	char word[64];

	while (cursor && *cursor && !parse_word(&cursor, ' ', word, sizeof(word)))
		fd_try_write(parent, "cgroup.subtree_control", word);
}

bool subtree_hand_down(struct subtree *subtree, int parent, pid_t watcher)
{
	char needed[sizeof(subtree->enable)] = "", missing[sizeof(subtree->enabled)] = "";
	/* The root of the hierarchy is exempt. */
	bool free = faccessat(parent, "cgroup.type", F_OK, 0) < 0 || holds_only(parent, 0, 0);

	find_missing(parent, subtree->enable, needed, sizeof(needed));
	snprintf(missing, sizeof(missing), "%s", needed);
	find_missing(parent, subtree->wish, missing, sizeof(missing));
	if (!missing[0])
		return true;
	if (!free && !may_stand_aside(subtree, parent, watcher))
		return !needed[0] || refuse_others(subtree);
	if (!free && !make_room(subtree, parent, watcher))
		return false;
	snprintf(subtree->enabled, sizeof(subtree->enabled), "%s", missing);

	int error = needed[0] ? fd_try_write(parent, "cgroup.subtree_control", needed) : 0;

	if (error < 0)
		return fail(error, "enable in cgroup.subtree_control", needed);
	write_each(parent, missing);
	return true;
}

struct children {
	bool rooms;
	bool others;
};

static bool note_child(void *data, int directory, const char *name)
{
	struct children *children = data;

	(void)directory;
	*(subtree_is_room(name) ? &children->rooms : &children->others) = true;
	return !children->others;
}

/* Who is in a room goes back to the group above it, which hands nothing down any more. */
static bool clear_room(void *data, int parent, const char *name)
{
	autoclose int room = fd_try_open(parent, name, O_PATH | O_DIRECTORY);

	(void)data;
	if (room < 0 || !subtree_is_room(name))
		return true;
	if (move_all(room, parent, "cgroup.procs") && unlinkat(parent, name, AT_REMOVEDIR) < 0)
		warn_error(errno, "cannot remove the cgroup '%s'", name);
	return true;
}

/* Has the group at PARENT hand LIST, "+memory +pids" or "memory pids", down no more. */
static void disable(int parent, const char *list)
{
	const char *cursor = list;
	char word[64], minus[66];

	while (cursor && *cursor && !parse_word(&cursor, ' ', word, sizeof(word))) {
		snprintf(minus, sizeof(minus), "-%s", word + (word[0] == '+'));
		fd_try_write(parent, "cgroup.subtree_control", minus);
	}
}

void subtree_restore(const struct subtree *subtree, int parent)
{
	autoclose int lock = fd_try_open(parent, lock_file, O_RDONLY);
	struct children children = { false };
	char all[LIST_SIZE];

	/* Another one is about to make a group here. */
	if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0)
		return;
	grouptree_visit(parent, note_child, &children);
	if (children.others)
		return;
	disable(parent, subtree->enabled);
	if (!children.rooms)
		return;
	/* Before there was a room, the group above held processes, and so handed nothing down. */
	if (fd_try_read(parent, "cgroup.subtree_control", all, sizeof(all)) > 0)
		disable(parent, all);
	grouptree_visit(parent, clear_room, NULL);
}

bool subtree_step_aside(const struct subtree *subtree, int parent)
{
	struct subtree alone = *subtree;

	alone.evacuate = false;
	return make_room(&alone, parent, 0);
}

int subtree_lock(const struct subtree *subtree, int parent)
{
	enum { TRIES = 2000 };
	autoclose int lock = -1;

	if (!subtree->enable[0] && !subtree->wish[0])
		return -1;
	lock = fd_open(parent, lock_file, O_RDONLY);
	explain_because("the group above hands the controllers down, and is locked meanwhile");
	if (explain_call("flock(%p, LOCK_SH|LOCK_NB)", parent, lock_file))
		return fd_take(&lock);
	for (int i = 0; flock(lock, LOCK_SH | LOCK_NB) < 0; i++) {
		if (i == TRIES)
			die("cannot make a cgroup: another process has locked '%s' above it",
				lock_file);
		poll(NULL, 0, 1);
	}
	return fd_take(&lock);
}
