/*
 * cgroup - a control group of one's own, on version 2, version 1, or a machine that has controllers on both. cgroups(7),
 * Documentation/admin-guide/cgroup-v2.rst.
 *
 * A group is one directory of the same name in each hierarchy that it needs, below the group that the caller is in there, so that the caller's own limits
 * hold for it too. The rules that shape it: on version 2 a group (but the root) that holds processes cannot hand controllers to
 * children, and writing to it all the same may turn it threaded for good; entering a version 1 group by `tasks` is far cheaper than by
 * `cgroup.procs`; values are rounded down to pages.
 *
 * Functions that return bool have written a message when it is false: their caller has a group to take away before it exits.
 */
#pragma once

#include "common/hierarchy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { CGROUP_BRANCHES = 14 };

/* A group: a name, and in each hierarchy that it has a part in, the group that it is below. */
struct cgroup {
	char name[64];
	char enable[128]; /* what version 2 has to hand down to it: "+memory +pids" */
	size_t count;
	struct {
		const struct hierarchy *hierarchy;
		int parent; /* directory fd, all that the group's life hangs on */
	} branches[CGROUP_BRANCHES];
};

/* Begins a group below the caller's own, in the hierarchy alone that serves to kill it. Makes nothing yet. Dies. */
void cgroup_plan(struct cgroup *group, const struct hierarchy_layout *layout);

/* Adds the hierarchy of CONTROLLER. Returns its version, 0 if no hierarchy has it. Makes nothing yet. Dies if it cannot be opened. */
int cgroup_plan_controller(
	struct cgroup *group, const struct hierarchy_layout *layout, const char *controller);

/* The fds of GROUP that a waiting process has to keep, into KEEP (COUNT places). Dies if they are too few. */
void cgroup_keep(const struct cgroup *group, int *keep, size_t count);

/*
 * Makes the group's directories, with its controllers enabled. On version 2, where the group above must not hold processes then, this process and
 * WATCHER (0 for none) move out of the way if they are the only ones there.
 */
bool cgroup_create(const struct cgroup *group, pid_t watcher);

/*
 * Writes VALUE to FILE of the group, in the hierarchy of the controller that the name of FILE begins with, and reads it back. A number may
 * read back rounded down to pages.
 */
bool cgroup_set(const struct cgroup *group, const char *file, const char *value);

/* Whether the group has FILE. */
bool cgroup_has(const struct cgroup *group, const char *file);

/* A number in FILE: behind KEY on its line, or all of it when KEY is NULL. False if it is not there; no message. */
bool cgroup_try_count(const struct cgroup *group, const char *file, const char *key, uint64_t *ret);

/* An fd of the group's directory on version 2 for struct child_plan, 0 if it has no part there. Dies. */
int cgroup_open_birthplace(const struct cgroup *group);

/*
 * Moves this single-threaded process into the group, on version 2 unless it was BORN there, and reads back that it is there. Dies. Do it before entering another
 * user, mount or cgroup namespace.
 */
void cgroup_enter(const struct cgroup *group, bool born);

/* Moves this single-threaded process into the groups that LAYOUT (of another process) names as its own. Dies. */
void cgroup_join(const struct hierarchy_layout *layout);

/*
 * Kills every process in the group, waits until it is empty and removes it with all groups below it; puts back what cgroup_create() had to
 * change above it. What is not there is no error. False if something is left.
 */
bool cgroup_destroy(const struct cgroup *group);
