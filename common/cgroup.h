/*
 * cgroup - a control group of one's own, on version 2, version 1, or a machine that has controllers on both. cgroups(7),
 * Documentation/admin-guide/cgroup-v2.rst.
 *
 * A group is one directory of the same name in each hierarchy that it needs, below the group that the caller is in there, so that the caller's own limits
 * hold for it too. The rules that shape it: on version 2 a group (but the root) that holds processes cannot hand controllers to
 * children; entering a version 1 group by `tasks` is far cheaper than by `cgroup.procs`; a group does not go away with the process that
 * made it, so each live one is locked, see leftover.h.
 *
 * Functions that return bool have written a message when it is false: their caller has a group to take away before it exits.
 */
#pragma once

#include "common/hierarchy.h"
#include "common/subtree.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { CGROUP_BRANCHES = 14, CGROUP_KEEP = 2 * CGROUP_BRANCHES };

/* Its part in one hierarchy. */
struct cgroup_branch {
	const struct hierarchy *hierarchy;
	int parent; /* fd of the directory above it */
	int directory; /* fd of its own, locked; no meaning before it is made, nor in another process */
	ino_t inode; /* of that directory; a group that somebody else makes in its place has another */
	enum cgroup_state { CGROUP_ABSENT, CGROUP_MAKING, CGROUP_MADE } state;
};

/* A group: a name, and a part in each hierarchy that it needs. */
struct cgroup {
	char name[NAME_MAX + 1];
	struct subtree subtree; /* what version 2 has to hand down to it */
	size_t count;
	struct cgroup_branch branches[CGROUP_BRANCHES];
};

/* Why NAME cannot be that of a group, NULL if it can. Pure. */
const char *cgroup_check_name(const char *name);

/* Fills LAYOUT with the hierarchies of this process; with GROUP, not NULL, for its own group there, see hierarchy_change_group(). Dies. */
void cgroup_find(struct hierarchy_layout *layout, const char *group);

/*
 * Begins a group of NAME, NULL for one of its own, below the own groups in LAYOUT, in the hierarchy alone that serves to kill it. Makes nothing yet. STAYS: it
 * is to outlive this process. Returns it in memory shared with processes that are forked from now on, so that they know how far it has been
 * made. Dies.
 */
struct cgroup *cgroup_plan(const struct hierarchy_layout *layout, const char *name, bool stays);

/*
 * Adds the hierarchy of CONTROLLER. With WISH, the group is made also if version 2 cannot hand it down. Returns its version, 0 if no hierarchy has
 * it. Makes nothing yet. Dies if it cannot be opened.
 */
int cgroup_plan_controller(struct cgroup *group, const struct hierarchy_layout *layout,
	const char *controller, bool wish);

/* The fds of GROUP that a waiting process has to keep, into KEEP (COUNT places, CGROUP_KEEP are enough). Dies if they are too few. */
void cgroup_keep(const struct cgroup *group, int *keep, size_t count);

/*
 * Makes the group's directories, with its controllers enabled, see subtree_hand_down() for what may move meanwhile; WATCHER is the PID of a helper
 * that may move with this process, 0 for none.
 */
bool cgroup_create(struct cgroup *group, pid_t watcher);

/* Writes VALUE to FILE of the group, in the hierarchy of the controller that the name of FILE begins with. Returns 0 or -errno. */
int cgroup_try_write(const struct cgroup *group, const char *file, const char *value);

/* Reads FILE in the same way, as fd_try_read() does. */
ssize_t cgroup_try_read(const struct cgroup *group, const char *file, char *text, size_t size);

/* The file beside FILE, which is not there, that was meant by it, into NEAREST; false if none is like it. */
bool cgroup_nearest_file(const struct cgroup *group, const char *file, char *nearest, size_t size);

/* A number in FILE: behind KEY on its line, or all of it when KEY is NULL. False if it is not there; no message. */
bool cgroup_try_count(const struct cgroup *group, const char *file, const char *key, uint64_t *ret);

/* The fd of the group's directory in the hierarchy of CONTROLLER, with its version in *RET_VERSION; -1 if it has no part there. */
int cgroup_directory(const struct cgroup *group, const char *controller, int *ret_version);

/*
 * Gives the group to user UID and group GID, so that they can make groups below it and move processes between them, and cannot change its own
 * limits: its directory and the files that the kernel names in /sys/kernel/cgroup/delegate. chown(2)
 */
bool cgroup_delegate(const struct cgroup *group, uint32_t uid, uint32_t gid);

/* Freezes what is in the group, this process too if it is, until somebody thaws it: cgroup.freeze (Linux 5.2), freezer.state on version 1. */
bool cgroup_freeze(const struct cgroup *group);

/* The group's directory on version 2 for struct child_plan, 0 if it has no part there. */
int cgroup_birthplace(const struct cgroup *group);

/*
 * Moves this single-threaded process into the group, on version 2 unless it was BORN there, and reads back that it is there. False after a message. Do it before entering another
 * user, mount or cgroup namespace.
 */
bool cgroup_enter(const struct cgroup *group, bool born);

/* Moves this single-threaded process back out of the group, for cgroup_destroy(). False after a message. */
bool cgroup_leave(const struct cgroup *group);

/* Moves this single-threaded process into the groups that LAYOUT names as its own, and reads back that it is there. Dies. */
void cgroup_join(const struct hierarchy_layout *layout);

/* The same for GROUP, as cgroup_find() has it. */
void cgroup_join_group(const char *group);

/*
 * Kills every process in the group, as far as cgroup_create() has made it, waits until it is empty and removes it with all groups below it; puts back what
 * had to be changed above it. What is not there is no error. False if something is left.
 */
bool cgroup_destroy(const struct cgroup *group);

/* Removes what dead makers have left beside GROUP, in its hierarchies, see leftover_sweep(). */
bool cgroup_sweep(const struct cgroup *group);

/*
 * Removes what dead makers have left below the own group or PARENT (as cgroup_find() has it), in all hierarchies; with NAME, not NULL, the group of that
 * name, which may hold no process. False after a message if that cannot be. Dies.
 */
bool cgroup_collect(const char *parent, const char *name);
