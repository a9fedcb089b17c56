#include "common/cgroup.h"

#include "common/fd.h"
#include "common/mounttree.h"
#include "common/parse.h"
#include "common/report.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { VALUE_SIZE = 4096, PATH_SIZE = 320 };

/* Opens the directory that the group goes into; as a mount of its own where that is allowed, so that the fd leads nowhere else. */
static int open_parent(const struct hierarchy *hierarchy)
{
	autoclose int plain = fd_open(AT_FDCWD, hierarchy->own, O_PATH | O_DIRECTORY);
	int detached = mounttree_try_clone(plain);

	return detached < 0 ? fd_take(&plain) : detached;
}

static void add_branch(struct cgroup *group, const struct hierarchy *hierarchy)
{
	for (size_t i = 0; i < group->count; i++) {
		if (group->branches[i].hierarchy == hierarchy)
			return;
	}
	if (group->count == CGROUP_BRANCHES)
		die("the settings are in more than %d cgroup hierarchies", CGROUP_BRANCHES);
	group->branches[group->count].hierarchy = hierarchy;
	group->branches[group->count].parent = open_parent(hierarchy);
	group->count++;
}

void cgroup_plan(struct cgroup *group, const struct hierarchy_layout *layout)
{
	struct timespec now;
	const struct hierarchy *killer = hierarchy_of(layout, "freezer");

	clock_gettime(CLOCK_REALTIME, &now);
	*group = (struct cgroup){ .count = 0 };
	snprintf(group->name, sizeof(group->name), "cgrun-%d-%08x", (int)getpid(),
		(unsigned int)now.tv_nsec ^ (unsigned int)now.tv_sec << 12);
	for (size_t i = 0; i < layout->count; i++) {
		if (layout->list[i].version == 2)
			killer = &layout->list[i];
	}
	add_branch(group, killer ? killer : &layout->list[0]);
}

/* Whether "+CONTROLLER" is in the list already; "cpu" is not in "+cpuset". */
static bool is_enabled(const struct cgroup *group, const char *controller)
{
	const char *cursor = group->enable;
	char word[64];

	while (cursor && !parse_word(&cursor, ' ', word, sizeof(word))) {
		if (word[0] == '+' && strcmp(word + 1, controller) == 0)
			return true;
	}
	return false;
}

int cgroup_plan_controller(
	struct cgroup *group, const struct hierarchy_layout *layout, const char *controller)
{
	const struct hierarchy *hierarchy = hierarchy_of(layout, controller);
	size_t used = strlen(group->enable);

	if (!hierarchy)
		return 0;
	add_branch(group, hierarchy);
	if (hierarchy->version == 2 && !is_enabled(group, controller))
		snprintf(group->enable + used, sizeof(group->enable) - used, "%s+%s",
			used ? " " : "", controller);
	return hierarchy->version;
}

void cgroup_keep(const struct cgroup *group, int *keep, size_t count)
{
	if (group->count > count)
		die("the group has a part in more than %zu hierarchies", count);
	for (size_t i = 0; i < group->count; i++)
		keep[i] = group->branches[i].parent;
}

static bool fail(int error, const char *hint_text, const char *verb, const char *object)
{
	warn_error(-error, "cannot %s '%s'", verb, object);
	if (hint_text)
		hint("%s", hint_text);
	return false;
}

static const char *refusal(int error)
{
	if (error == -EACCES || error == -EPERM)
		return geteuid() == 0 ?
			"the own cgroup is not to be changed from here" :
			"the own cgroup is not yours; try: systemd-run --user --scope -p Delegate=yes cgrun ...";
	if (error == -EROFS)
		return "the cgroup file system is mounted read-only here";
	if (error == -EAGAIN)
		return "a cgroup.max.descendants or cgroup.max.depth above is reached";
	return NULL;
}

/* The group that this process and the watcher wait in when controllers have to go past them. */
static void waiting_room(const struct cgroup *group, char *path, size_t size, const char *file)
{
	snprintf(path, size, "%s.self%s", group->name, file);
}

/* Whether the processes of the group at PARENT are all among these two. */
static bool holds_only(int parent, pid_t one, pid_t other)
{
	char text[VALUE_SIZE];
	char *cursor = text;

	if (fd_try_read(parent, "cgroup.procs", text, sizeof(text)) < 0)
		return false;
	for (char *word; (word = strsep(&cursor, "\n"));) {
		int pid;

		if (*word && (parse_pid(word, &pid) || (pid != one && pid != other)))
			return false;
	}
	return true;
}

static bool move_aside(const struct cgroup *group, int parent, pid_t watcher)
{
	char path[PATH_SIZE], pid[16];

	waiting_room(group, path, sizeof(path), "");
	if (mkdirat(parent, path, 0755) < 0)
		return fail(-errno, refusal(-errno), "make the cgroup", path);
	waiting_room(group, path, sizeof(path), "/cgroup.procs");
	snprintf(pid, sizeof(pid), "%d", (int)watcher);

	int error = fd_try_write(parent, path, "0");

	if (error == 0 && watcher > 0)
		error = fd_try_write(parent, path, pid);
	return error == 0 || fail(error, refusal(error), "move into", path);
}

/* Whether all of "+memory +pids" is in the list that the group at PARENT hands down. */
static bool hands_down(int parent, const char *enable)
{
	char text[VALUE_SIZE], list[VALUE_SIZE + 2], word[64], entry[66];
	const char *cursor = enable;

	if (fd_try_read(parent, "cgroup.subtree_control", text, sizeof(text)) < 0)
		return false;
	snprintf(list, sizeof(list), " %s ", text);
	while (cursor && !parse_word(&cursor, ' ', word, sizeof(word))) {
		/* Without the '+'. */
		snprintf(entry, sizeof(entry), " %s ", word + 1);
		if (!strstr(list, entry))
			return false;
	}
	return true;
}

/*
 * Version 2 hands controllers to children of a group only if the group holds no process itself, save for the root of the hierarchy. Trying it all
 * the same must not be the test: for some controllers the kernel then makes the group threaded, with no way back.
 */
static bool enable_controllers(const struct cgroup *group, int parent, pid_t watcher)
{
	bool root = faccessat(parent, "cgroup.type", F_OK, 0) < 0;

	if (hands_down(parent, group->enable))
		return true;
	if (!root && !holds_only(parent, 0, 0)) {
		if (!holds_only(parent, getpid(), watcher)) {
			warn("cannot enable '%s' for a group below the own cgroup: it holds other processes",
				group->enable);
			hint("no internal processes (cgroups(7)): give cgrun a cgroup of its own, such as: "
			     "systemd-run %s--scope -p Delegate=yes cgrun ...",
				geteuid() == 0 ? "" : "--user ");
			return false;
		}
		if (!move_aside(group, parent, watcher))
			return false;
	}

	int error = fd_try_write(parent, "cgroup.subtree_control", group->enable);

	return error == 0 ||
		fail(error, refusal(error), "enable in cgroup.subtree_control", group->enable);
}

/* A version 1 cpuset without CPUs and memory nodes takes no process. */
static bool fill_cpuset(const struct cgroup *group, int parent)
{
	static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		char text[VALUE_SIZE], path[PATH_SIZE];
		ssize_t length = fd_try_read(parent, files[i], text, sizeof(text));

		snprintf(path, sizeof(path), "%s/%s", group->name, files[i]);

		int error = length < 0 ? (int)length : fd_try_write(parent, path, text);

		if (error < 0)
			return fail(error, NULL, "write", path);
	}
	return true;
}

bool cgroup_create(const struct cgroup *group, pid_t watcher)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct hierarchy *hierarchy = group->branches[i].hierarchy;
		int parent = group->branches[i].parent;

		if (hierarchy->version == 2 && group->enable[0] &&
			!enable_controllers(group, parent, watcher))
			return false;
		if (mkdirat(parent, group->name, 0755) < 0) {
			warn_error(errno, "cannot make the cgroup '%s/%s'", hierarchy->own,
				group->name);
			if (refusal(-errno))
				hint("%s", refusal(-errno));
			return false;
		}
		if (hierarchy->version == 1 && strstr(hierarchy->controllers, ",cpuset,") &&
			!fill_cpuset(group, parent))
			return false;
	}
	return true;
}

/* The path of FILE below *RET_PARENT: in the branch of the controller that its name begins with, else in the first. */
static void find_file(
	const struct cgroup *group, const char *file, int *ret_parent, char *path, size_t size)
{
	char word[64];

	snprintf(word, sizeof(word), ",%.*s,", (int)strcspn(file, "."), file);
	*ret_parent = group->branches[0].parent;
	for (size_t i = 0; i < group->count; i++) {
		if (strstr(group->branches[i].hierarchy->controllers, word))
			*ret_parent = group->branches[i].parent;
	}
	snprintf(path, size, "%s/%s", group->name, file);
}

/* What the kernel rounds sizes in FILE down to: pages, or the pages of "hugetlb.2MB.max". */
static uint64_t granularity(const char *file)
{
	char size[32];
	uint64_t unit;

	if (strncmp(file, "memory.", 7) == 0)
		return (uint64_t)sysconf(_SC_PAGESIZE);
	if (strncmp(file, "hugetlb.", 8) != 0)
		return 1;
	snprintf(size, sizeof(size), "%.*s", (int)strcspn(file + 8, "B."), file + 8);
	return parse_bytes(size, &unit) || unit == 0 ? 1 : unit;
}

/* Whether GOT is what the kernel makes of WANTED in FILE. What is not a number may be written in more than one way. */
static bool holds(const char *file, const char *got, const char *wanted)
{
	uint64_t number, written;

	if (strcmp(got, wanted) == 0)
		return true;
	/* The kernel knows the letters for sizes too. */
	if (parse_bytes(wanted, &written))
		return strcmp(wanted, "max") != 0;
	return !parse_number(got, 0, UINT64_MAX, &number) &&
		number == written - written % granularity(file);
}

bool cgroup_set(const struct cgroup *group, const char *file, const char *value)
{
	char path[PATH_SIZE], got[VALUE_SIZE];
	const char *advice = NULL;
	int parent;

	find_file(group, file, &parent, path, sizeof(path));

	int error = fd_try_write(parent, path, value);

	if (error == -ENOENT)
		advice = "this kernel has no such file, or its controller is on the other cgroup version";
	else if (error == -EINVAL || error == -ERANGE)
		advice = "the kernel does not take this value, or not within the limits of the groups above";
	if (error < 0) {
		warn_error(-error, "cannot write '%s' to '%s' of the cgroup", value, file);
		if (advice)
			hint("%s", advice);
		return false;
	}
	/* Some files can only be written. */
	if (fd_try_read(parent, path, got, sizeof(got)) < 0 || holds(file, got, value))
		return true;
	warn("'%s' of the cgroup is '%s' and not '%s' as asked", file, got, value);
	return false;
}

bool cgroup_has(const struct cgroup *group, const char *file)
{
	char path[PATH_SIZE];
	int parent;

	find_file(group, file, &parent, path, sizeof(path));
	return faccessat(parent, path, F_OK, 0) == 0;
}

bool cgroup_try_count(const struct cgroup *group, const char *file, const char *key, uint64_t *ret)
{
	char path[PATH_SIZE], text[VALUE_SIZE];
	char *cursor = text;
	int parent;

	find_file(group, file, &parent, path, sizeof(path));
	if (fd_try_read(parent, path, text, sizeof(text)) < 0)
		return false;
	if (!key)
		return !parse_number(text, 0, UINT64_MAX, ret);
	for (char *line; (line = strsep(&cursor, "\n"));) {
		size_t length = strlen(key);

		if (strncmp(line, key, length) == 0 && line[length] == ' ')
			return !parse_number(line + length + 1, 0, UINT64_MAX, ret);
	}
	return false;
}

int cgroup_open_birthplace(const struct cgroup *group)
{
	for (size_t i = 0; i < group->count; i++) {
		if (group->branches[i].hierarchy->version == 2)
			return fd_open(group->branches[i].parent, group->name, O_PATH | O_DIRECTORY);
	}
	return 0;
}

/* Whether /proc/self/cgroup names the group once for each of its branches. */
static bool is_inside(const struct cgroup *group)
{
	char text[4 * VALUE_SIZE];
	char *cursor = text;
	size_t inside = 0;

	if (fd_try_read(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text)) < 0)
		return false;
	for (char *line; (line = strsep(&cursor, "\n"));) {
		const char *last = strrchr(line, '/');

		inside += last && strcmp(last + 1, group->name) == 0;
	}
	return inside == group->count;
}

void cgroup_enter(const struct cgroup *group, bool born)
{
	for (size_t i = 0; i < group->count; i++) {
		bool unified = group->branches[i].hierarchy->version == 2;
		char path[PATH_SIZE];

		if (unified && born)
			continue;
		/* `tasks` moves one thread, without the grace period that moving a whole process by `cgroup.procs` waits for. */
		snprintf(path, sizeof(path), "%s/%s", group->name, unified ? "cgroup.procs" : "tasks");

		int error = fd_try_write(group->branches[i].parent, path, "0");

		if (error < 0)
			die_error(-error, "cannot enter the cgroup by '%s'", path);
	}
	if (!is_inside(group))
		die("'/proc/self/cgroup' does not show this process in '%s'", group->name);
}

static bool is_among(const struct hierarchy_layout *layout, const char *directory)
{
	for (size_t i = 0; i < layout->count; i++) {
		if (strcmp(layout->list[i].own, directory) == 0)
			return true;
	}
	return false;
}

void cgroup_join(const struct hierarchy_layout *layout)
{
	struct hierarchy_layout present;

	hierarchy_find_own(&present);
	for (size_t i = 0; i < layout->count; i++) {
		const struct hierarchy *hierarchy = &layout->list[i];

		/* To be where one is takes no right. */
		if (is_among(&present, hierarchy->own))
			continue;

		autoclose int directory = fd_open(AT_FDCWD, hierarchy->own, O_PATH | O_DIRECTORY);
		int error = fd_try_write(
			directory, hierarchy->version == 2 ? "cgroup.procs" : "tasks", "0");

		if (error < 0)
			die_error(-error, "cannot enter the target's cgroup '%s'", hierarchy->own);
	}
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

/* Kills in the group at DIRECTORY and in all below it. */
static void kill_tree(int directory)
{
	int copy = fd_try_open(directory, ".", O_RDONLY | O_DIRECTORY);
	DIR *entries = copy < 0 ? NULL : fdopendir(copy);

	if (!entries)
		return;
	kill_listed(copy);
	for (struct dirent *entry; (entry = readdir(entries));) {
		autoclose int below = -1;

		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			below = fd_try_open(copy, entry->d_name, O_PATH | O_DIRECTORY);
		if (below >= 0)
			kill_tree(below);
	}
	closedir(entries);
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

/* Frozen processes cannot fork, so one pass over them kills them all. */
static void kill_group(int directory)
{
	char state[16] = "";

	/* Linux 5.14 */
	if (fd_try_write(directory, "cgroup.kill", "1") == 0)
		return;
	if (fd_try_write(directory, "freezer.state", "FROZEN") == 0) {
		for (int i = 0; i < 100 && strcmp(state, "FROZEN") != 0; i++) {
			poll(NULL, 0, 1);
			if (fd_try_read(directory, "freezer.state", state, sizeof(state)) < 0)
				break;
		}
	} else if (fd_try_write(directory, "cgroup.freeze", "1") == 0) {
		await_change(directory, 100);
	}
	kill_tree(directory);
	fd_try_write(directory, "freezer.state", "THAWED");
	fd_try_write(directory, "cgroup.freeze", "0");
}

static bool remove_tree(int parent, const char *name);

/* Removes all groups below the one at DIRECTORY. */
static void remove_below(int directory)
{
	int copy = fd_try_open(directory, ".", O_RDONLY | O_DIRECTORY);
	DIR *entries = copy < 0 ? NULL : fdopendir(copy);

	if (!entries)
		return;
	for (struct dirent *entry; (entry = readdir(entries));) {
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			remove_tree(copy, entry->d_name);
	}
	closedir(entries);
}

/* Removes the group NAME below PARENT once its processes, killed again as often as it takes, are gone. */
static bool remove_tree(int parent, const char *name)
{
	enum { TRIES = 40, LONGEST = 250 };
	int wait = 1, error = EBUSY;

	for (int i = 0; i < TRIES && error == EBUSY; i++) {
		if (unlinkat(parent, name, AT_REMOVEDIR) == 0)
			return true;
		error = errno;
		if (error != EBUSY)
			break;

		autoclose int directory = fd_try_open(parent, name, O_PATH | O_DIRECTORY);

		kill_group(directory);
		remove_below(directory);
		await_change(directory, wait);
		wait = wait < LONGEST / 2 ? wait * 2 : LONGEST;
	}
	return error == ENOENT || fail(-error, NULL, "remove the cgroup", name);
}

/* Moves the processes that wait in the group ROOM back to PARENT. */
static void empty_room(int parent, const char *room)
{
	char path[PATH_SIZE + 16], text[VALUE_SIZE];
	char *cursor = text;

	snprintf(path, sizeof(path), "%s/cgroup.procs", room);
	if (fd_try_read(parent, path, text, sizeof(text)) < 0)
		return;
	for (char *pid; (pid = strsep(&cursor, "\n"));)
		fd_try_write(parent, "cgroup.procs", pid);
}

/* Whether the group at PARENT has a child other than ROOM. */
static bool has_other_child(int parent, const char *room)
{
	int copy = fd_try_open(parent, ".", O_RDONLY | O_DIRECTORY);
	DIR *entries = copy < 0 ? NULL : fdopendir(copy);
	bool found = false;

	if (!entries)
		return true;
	for (struct dirent *entry; (entry = readdir(entries));)
		found |= entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
			strcmp(entry->d_name, room) != 0;
	closedir(entries);
	return found;
}

/* Undoes move_aside(), unless somebody else has made groups meanwhile, whose limits would go with the controllers. */
static void move_back(const struct cgroup *group, int parent)
{
	char path[PATH_SIZE], disable[sizeof(group->enable)];

	waiting_room(group, path, sizeof(path), "");
	if (faccessat(parent, path, F_OK, 0) < 0 || has_other_child(parent, path))
		return;
	for (size_t i = 0; i < sizeof(disable); i++)
		disable[i] = group->enable[i] == '+' ? '-' : group->enable[i];
	fd_try_write(parent, "cgroup.subtree_control", disable);
	empty_room(parent, path);
	unlinkat(parent, path, AT_REMOVEDIR);
}

bool cgroup_destroy(const struct cgroup *group)
{
	bool gone = true;

	for (size_t i = 0; i < group->count; i++) {
		int parent = group->branches[i].parent;

		gone = remove_tree(parent, group->name) && gone;
		if (group->branches[i].hierarchy->version == 2)
			move_back(group, parent);
	}
	return gone;
}
