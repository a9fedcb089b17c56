#include "common/cgroup.h"

#include "common/explain.h"
#include "common/fd.h"
#include "common/grouptree.h"
#include "common/leftover.h"
#include "common/mounttree.h"
#include "common/parse.h"
#include "common/report.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VALUE_SIZE = 4096 };

/* --- planning --- */

const char *cgroup_check_name(const char *name)
{
	if (!name[0])
		return "is empty";
	if (strchr(name, '/'))
		return "has a '/': --parent names the group above";
	if (strlen(name) > NAME_MAX - sizeof(".self"))
		return "is too long";
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strchr(name, '\n'))
		return "is not a name that a group can have";
	if (leftover_is_name(name))
		return "begins with 'cgrun-': that is for groups without --name";
	return NULL;
}

/* Opens the directory that the group goes into; as a mount of its own where that is allowed, so that the fd leads nowhere else. */
static int open_parent(const struct hierarchy *hierarchy)
{
	autoclose int plain = fd_open(AT_FDCWD, hierarchy->own, O_PATH | O_DIRECTORY);

	explain_because("the place of the group, as a mount that leads nowhere else");
	int detached = mounttree_try_clone(plain, true);

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
	group->branches[group->count++] = (struct cgroup_branch){
		.hierarchy = hierarchy,
		.parent = open_parent(hierarchy),
		.directory = -1,
	};
}

static void name_group(struct cgroup *group, const char *name, bool stays)
{
	char own[LEFTOVER_NAME];

	leftover_make_name(own);
	snprintf(group->subtree.room, sizeof(group->subtree.room), "%s.self", own);
	snprintf(group->name, sizeof(group->name), "%s%s", name ? name : own,
		stays && !name ? LEFTOVER_STAYS : "");
}

/* Who stands aside in a room is, for all that matters, in the group above it. */
static void leave_room(struct hierarchy *hierarchy)
{
	const char *slash = strrchr(hierarchy->own, '/');

	if (hierarchy->version == 2 && slash && subtree_is_room(slash + 1) &&
		subtree_is_unlimited(hierarchy->own))
		hierarchy_ascend(hierarchy);
}

void cgroup_find(struct hierarchy_layout *layout, const char *group)
{
	hierarchy_find_own(layout);
	for (size_t i = 0; i < layout->count; i++)
		leave_room(&layout->list[i]);
	if (group)
		hierarchy_change_group(layout, group);
}

struct cgroup *cgroup_plan(const struct hierarchy_layout *layout, const char *name, bool stays)
{
	const struct hierarchy *killer;
	struct cgroup *group = mmap(
		NULL, sizeof(*group), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (group == MAP_FAILED)
		die_error(errno, "cannot get memory");
	name_group(group, name, stays);
	killer = hierarchy_of(layout, "freezer");
	for (size_t i = 0; i < layout->count; i++) {
		if (layout->list[i].version == 2)
			killer = &layout->list[i];
	}
	add_branch(group, killer ? killer : &layout->list[0]);
	return group;
}

int cgroup_plan_controller(struct cgroup *group, const struct hierarchy_layout *layout,
	const char *controller, bool wish)
{
	const struct hierarchy *hierarchy = hierarchy_of(layout, controller);
	struct subtree *subtree = &group->subtree;

	if (!hierarchy)
		return 0;
	add_branch(group, hierarchy);
	if (hierarchy->version == 2 && wish)
		subtree_add(subtree->wish, sizeof(subtree->wish), controller);
	else if (hierarchy->version == 2)
		subtree_add(subtree->enable, sizeof(subtree->enable), controller);
	return hierarchy->version;
}

void cgroup_keep(const struct cgroup *group, int *keep, size_t count)
{
	if (2 * group->count > count)
		die("the group has a part in more than %zu hierarchies", count / 2);
	for (size_t i = 0; i < group->count; i++) {
		keep[2 * i] = group->branches[i].parent;
		keep[2 * i + 1] = group->branches[i].directory;
	}
}

/* --- making it --- */

static bool fail(int error, const char *hint_text, const char *verb, const char *object)
{
	warn_error(-error, "cannot %s '%s'", verb, object);
	if (hint_text)
		hint("%s", hint_text);
	return false;
}

/* A version 1 cpuset without CPUs and memory nodes takes no process. */
static bool fill_cpuset(int directory, int parent)
{
	static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		char text[VALUE_SIZE];
		ssize_t length = fd_try_read(parent, files[i], text, sizeof(text));
		int error = length < 0 ? (int)length : fd_try_write(directory, files[i], text);

		if (error < 0)
			return fail(error, NULL, "write", files[i]);
	}
	return true;
}

static void advise(const struct cgroup *group, int error, const char *directory)
{
	if (error == EEXIST)
		hint("--join=%s runs COMMAND in it, --gc removes it if empty", group->name);
	else if ((error == EACCES || error == EPERM) && geteuid() == 0)
		hint("'%s' is not to be changed from here", directory);
	else if (error == EACCES || error == EPERM)
		hint("'%s' is not yours; try: %s", directory, group->subtree.advice);
	else if (error == EROFS)
		hint("the cgroup file system is mounted read-only here");
	else if (error == EAGAIN)
		hint("a cgroup.max.descendants or cgroup.max.depth above is reached");
}

/* Makes the directory, if there is none yet. */
static int make_directory(struct cgroup_branch *branch, const char *name)
{
	branch->state = CGROUP_ABSENT;
	if (faccessat(branch->parent, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	branch->state = CGROUP_MAKING;
	if (mkdirat(branch->parent, name, 0700) == 0)
		return 0;

	int error = -errno;

	branch->state = CGROUP_ABSENT;
	return error;
}

/* Locks the directory that was just made and opens it to others; an fd, -ENOENT if it is not there any more. */
static int take_directory(int parent, const char *name)
{
	autoclose int directory = fd_try_open(parent, name, O_RDONLY | O_DIRECTORY);
	struct stat named, opened;
	int locked;

	if (directory < 0)
		return directory;
	do
		locked = flock(directory, LOCK_EX);
	while (locked < 0 && errno == EINTR);
	if (locked < 0 || fstatat(parent, name, &named, AT_SYMLINK_NOFOLLOW) < 0 ||
		fstat(directory, &opened) < 0)
		return -errno;
	if (named.st_ino != opened.st_ino)
		return -ENOENT;
	return fchmod(directory, 0755) < 0 ? -errno : fd_take(&directory);
}

/*
 * Makes the group in one hierarchy and locks it, before another user can. Between the two it may look left over to cgroup_sweep(), so it is made again if
 * it is gone.
 */
static int make_branch(struct cgroup_branch *branch, const char *name)
{
	enum { TRIES = 10 };

	for (int i = 0; i < TRIES; i++) {
		int error = make_directory(branch, name);
		struct stat status;

		if (error < 0)
			return error;
		branch->directory = take_directory(branch->parent, name);
		if (branch->directory == -ENOENT)
			continue;
		if (branch->directory < 0)
			return branch->directory;
		if (fstat(branch->directory, &status) < 0)
			return -errno;
		branch->inode = status.st_ino;
		branch->state = CGROUP_MADE;
		return 0;
	}
	return -ENOENT;
}

/* A group in a threaded subtree takes no limits on memory and no processes like this one. */
static bool is_domain(int parent, const char *directory)
{
	char type[32];

	if (fd_try_read(parent, "cgroup.type", type, sizeof(type)) < 0 || strcmp(type, "domain") == 0)
		return true;
	warn("cannot make a cgroup below '%s': its cgroup.type is '%s'", directory, type);
	hint("threads only (cgroups(7)); --parent=GROUP takes another place");
	return false;
}

/* What make_branch() does. */
static int explain_branch(struct cgroup_branch *branch, const char *name)
{
	char path[PATH_MAX];

	if (faccessat(branch->parent, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	snprintf(path, sizeof(path), "%s/%s", branch->hierarchy->own, name);
	explain_because("the group; while it is locked nobody takes it for a leftover");
	explain_call("mkdirat(<%s>, %q, 0700)", branch->hierarchy->own, name);
	explain_call("flock(<%s>, LOCK_EX)", path);
	explain_call("fchmod(<%s>, 0755)", path);
	branch->directory = explain_fd(path);
	return 0;
}

static bool create_branch(struct cgroup *group, struct cgroup_branch *branch)
{
	const struct hierarchy *hierarchy = branch->hierarchy;
	int error = explain_is_on() ? explain_branch(branch, group->name) :
				      make_branch(branch, group->name);

	if (error < 0) {
		warn_error(-error, "cannot make the cgroup '%s/%s'", hierarchy->own, group->name);
		advise(group, -error, hierarchy->own);
		return false;
	}
	return hierarchy->version == 2 || !hierarchy_has(hierarchy, "cpuset", strlen("cpuset")) ||
		fill_cpuset(branch->directory, branch->parent);
}

/* On version 2 nobody is to take the controllers away before the group is there. */
static bool create_unified(struct cgroup *group, struct cgroup_branch *branch, pid_t watcher)
{
	int lock = subtree_lock(&group->subtree, branch->parent);
	bool done = is_domain(branch->parent, branch->hierarchy->own) &&
		subtree_hand_down(&group->subtree, branch->parent, watcher) &&
		create_branch(group, branch);

	fd_close(&lock);
	return done;
}

bool cgroup_create(struct cgroup *group, pid_t watcher)
{
	for (size_t i = 0; i < group->count; i++) {
		struct cgroup_branch *branch = &group->branches[i];
		bool unified = branch->hierarchy->version == 2;

		if (!(unified ? create_unified(group, branch, watcher) : create_branch(group, branch)))
			return false;
	}
	return true;
}

/* --- its files --- */

/* The branch with the controller that the first LENGTH bytes of NAME are; NULL without one. */
static const struct cgroup_branch *find_branch(
	const struct cgroup *group, const char *name, size_t length)
{
	for (size_t i = 0; i < group->count; i++) {
		if (hierarchy_has(group->branches[i].hierarchy, name, length))
			return &group->branches[i];
	}
	return NULL;
}

int cgroup_directory(const struct cgroup *group, const char *controller, int *ret_version)
{
	const struct cgroup_branch *branch = find_branch(group, controller, strlen(controller));

	if (!branch)
		return -1;
	*ret_version = branch->hierarchy->version;
	return branch->directory;
}

/* The directory that FILE is in: of the controller that its name begins with, else of the first branch. */
static int find_directory(const struct cgroup *group, const char *file)
{
	const struct cgroup_branch *branch = find_branch(group, file, strcspn(file, "."));

	return branch ? branch->directory : group->branches[0].directory;
}

int cgroup_try_write(const struct cgroup *group, const char *file, const char *value)
{
	return fd_try_write(find_directory(group, file), file, value);
}

ssize_t cgroup_try_read(const struct cgroup *group, const char *file, char *text, size_t size)
{
	return fd_try_read(find_directory(group, file), file, text, size);
}

bool cgroup_nearest_file(const struct cgroup *group, const char *file, char *nearest, size_t size)
{
	struct parse_guess guess = { .typed = file };
	int copy = fd_try_open(find_directory(group, file), ".", O_RDONLY | O_DIRECTORY);
	DIR *entries = copy < 0 ? NULL : fdopendir(copy);

	if (!entries)
		return false;
	for (struct dirent *entry; (entry = readdir(entries));) {
		/* Its name does not last. */
		if (entry->d_type == DT_REG && parse_offer(&guess, entry->d_name))
			snprintf(nearest, size, "%s", entry->d_name);
	}
	closedir(entries);
	return guess.word != NULL;
}

bool cgroup_try_count(const struct cgroup *group, const char *file, const char *key, uint64_t *ret)
{
	char text[VALUE_SIZE];
	char *cursor = text;

	if (cgroup_try_read(group, file, text, sizeof(text)) < 0)
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

/* Files that are not there, such as memory.oom.group without its controller, need no owner; and one that is set is a limit. */
static bool is_delegated(int directory, const char *file)
{
	char text[16];

	return file[0] &&
		(strcmp(file, "memory.oom.group") != 0 ||
			fd_try_read(directory, file, text, sizeof(text)) < 0 ||
			strcmp(text, "0") == 0);
}

static bool change_owners(int directory, char *files, uint32_t uid, uint32_t gid)
{
	explain_because("the user that groups below it are left to");
	if (!explain_call("fchown(%f, %d, %d)", directory, (int)uid, (int)gid) &&
		fchown(directory, uid, gid) < 0)
		return fail(-errno, NULL, "change the owner of the cgroup's", "directory");
	for (char *file; (file = strsep(&files, "\n"));) {
		if (explain_is_on() &&
			(strncmp(file, "cgroup.", 7) == 0 || strcmp(file, "tasks") == 0))
			explain_call("fchownat(%f, %q, %d, %d, AT_SYMLINK_NOFOLLOW)", directory,
				file, (int)uid, (int)gid);
		else if (!explain_is_on() && is_delegated(directory, file) &&
			fchownat(directory, file, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 &&
			errno != ENOENT)
			return fail(-errno, NULL, "change the owner of the cgroup's", file);
	}
	return true;
}

/* The files that a delegated group of version 2 needs, by the kernel's own list, which Linux 4.15 brought and /sys need not show. */
static bool list_delegated(char *files, size_t size)
{
	static const char list[] = "/sys/kernel/cgroup/delegate";
	ssize_t length = fd_try_read(AT_FDCWD, list, files, size);

	if (length == -ENOENT)
		snprintf(files, size, "cgroup.procs\ncgroup.threads\ncgroup.subtree_control");
	else if (length < 0)
		return fail((int)length, NULL, "read", list);
	return true;
}

bool cgroup_delegate(const struct cgroup *group, uint32_t uid, uint32_t gid)
{
	for (size_t i = 0; i < group->count; i++) {
		char files[VALUE_SIZE];

		if (group->branches[i].hierarchy->version == 1)
			snprintf(files, sizeof(files), "tasks\ncgroup.procs");
		else if (!list_delegated(files, sizeof(files)))
			return false;
		if (!change_owners(group->branches[i].directory, files, uid, gid))
			return false;
	}
	return true;
}

bool cgroup_freeze(const struct cgroup *group)
{
	explain_because("it waits here until somebody thaws the group");
	int error = cgroup_try_write(group, "cgroup.freeze", "1");

	if (error == -ENOENT)
		error = cgroup_try_write(group, "freezer.state", "FROZEN");
	return error == 0 ||
		fail(error,
			error == -ENOENT ?
				"this needs version 2 of Linux 5.2, or the freezer of version 1" :
				NULL,
			"freeze the cgroup", group->name);
}

/* --- being in it --- */

int cgroup_birthplace(const struct cgroup *group)
{
	for (size_t i = 0; i < group->count; i++) {
		if (group->branches[i].hierarchy->version == 2)
			return group->branches[i].directory;
	}
	return 0;
}

/* Whether the group at DIRECTORY lists this process, which has one thread. A threaded group lists no processes. */
static bool is_inside(int directory, bool unified)
{
	if (explain_is_on())
		return true;

	autoclose int fd = fd_try_open(directory, unified ? "cgroup.threads" : "tasks", O_RDONLY);
	char text[1024];
	ssize_t count = 1;
	pid_t pid = 0;

	while (count > 0 || (count < 0 && errno == EINTR)) {
		count = read(fd, text, sizeof(text));
		for (ssize_t i = 0; i < count; i++) {
			if (text[i] != '\n') {
				pid = 10 * pid + (text[i] - '0');
				continue;
			}
			if (pid == getpid())
				return true;
			pid = 0;
		}
	}
	return false;
}

bool cgroup_enter(const struct cgroup *group, bool born)
{
	for (size_t i = 0; i < group->count; i++) {
		bool unified = group->branches[i].hierarchy->version == 2;
		/* `tasks` moves one thread, without the grace period that moving a whole process by `cgroup.procs` waits for. */
		const char *file = unified ? "cgroup.procs" : "tasks";

		int directory = group->branches[i].directory;

		explain_because("this process enters the group");
		int error = unified && born ? 0 : fd_try_write(directory, file, "0");

		if (error < 0) {
			warn_error(-error, "cannot enter the cgroup '%s' by its %s", group->name,
				file);
			return false;
		}
		if (!is_inside(directory, unified)) {
			warn("the cgroup '%s' does not list this process", group->name);
			return false;
		}
		/* Empty now, unless another process stands aside in it. */
		if (unified && !born && !explain_is_on())
			unlinkat(group->branches[i].parent, group->subtree.room, AT_REMOVEDIR);
	}
	return true;
}

/* On version 2 the group above may hand controllers down, and so hold no process. */
bool cgroup_leave(const struct cgroup *group)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct cgroup_branch *branch = &group->branches[i];
		bool unified = branch->hierarchy->version == 2;
		int error = fd_try_write(branch->parent, unified ? "cgroup.procs" : "tasks", "0");

		if (error == -EBUSY && unified && subtree_step_aside(&group->subtree, branch->parent))
			continue;
		if (error < 0)
			return fail(error, NULL, "leave the cgroup", group->name);
	}
	return true;
}

static bool is_among(const struct hierarchy_layout *layout, const char *directory)
{
	for (size_t i = 0; i < layout->count; i++) {
		if (strcmp(layout->list[i].own, directory) == 0)
			return true;
	}
	return false;
}

static const char *advice_on_joining(int error)
{
	switch (error) {
	case -EACCES:
	case -EPERM:
		return "version 2: cgroup.procs has to be yours there and above both groups";
	case -EBUSY:
		return "it hands controllers down and holds no process: take a group below";
	case -EOPNOTSUPP:
		return "its cgroup.type is threaded, or invalid: it takes no process";
	default:
		return NULL;
	}
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
		const char *file = hierarchy->version == 2 ? "cgroup.procs" : "tasks";

		explain_because("this process enters the group");
		int error = fd_try_write(directory, file, "0");

		if (error < 0)
			die_hint(advice_on_joining(error), -error, "cannot enter the cgroup '%s'",
				hierarchy->own);
		if (!is_inside(directory, hierarchy->version == 2))
			die("the cgroup '%s' does not list this process", hierarchy->own);
	}
}

void cgroup_join_group(const char *group)
{
	struct hierarchy_layout layout;

	cgroup_find(&layout, group);
	cgroup_join(&layout);
}

/* --- its end --- */

bool cgroup_destroy(const struct cgroup *group)
{
	bool gone = true;

	if (explain_is_on())
		return true;

	for (size_t i = 0; i < group->count; i++) {
		const struct cgroup_branch *branch = &group->branches[i];

		if (branch->state == CGROUP_MADE)
			gone = grouptree_destroy(branch->parent, group->name, branch->inode) && gone;
		/* Nobody was in it yet; and just perhaps it is somebody else's. */
		if (branch->state == CGROUP_MAKING)
			grouptree_try_prune(branch->parent, group->name);
		if (branch->hierarchy->version == 2)
			subtree_restore(&group->subtree, branch->parent);
	}
	return gone;
}

bool cgroup_sweep(const struct cgroup *group)
{
	bool done = true;

	for (size_t i = 0; i < group->count; i++)
		done = leftover_sweep(group->branches[i].parent, false) && done;
	return done;
}

bool cgroup_collect(const char *parent_group, const char *name)
{
	struct hierarchy_layout layout;
	static const struct subtree nothing;
	bool done = true, found = false;

	if (explain_is_on())
		die("--gc has nothing that --explain could know beforehand");
	cgroup_find(&layout, parent_group);
	for (size_t i = 0; i < layout.count; i++) {
		autoclose int parent = open_parent(&layout.list[i]);

		done = (name ? leftover_remove(parent, name, &found) : leftover_sweep(parent, true)) &&
			done;
		if (layout.list[i].version == 2)
			subtree_restore(&nothing, parent);
	}
	if (name && done && !found)
		warn("there is no cgroup '%s' to remove", name);
	return done && (!name || found);
}
