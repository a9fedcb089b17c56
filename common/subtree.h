/*
 * subtree - handing controllers down to the groups below one, on version 2. cgroups(7), Documentation/admin-guide/cgroup-v2.rst "No Internal Process
 * Constraint".
 *
 * A group that is not the root hands controllers down by its cgroup.subtree_control, and may then hold no process itself. So the processes that are
 * in it have to stand aside, in a group of their own beside the new one: the room. It has no limits, so that whoever is in it is held by those
 * above as before. The kernel is not asked by trying: for some controllers it turns a group that holds processes threaded, with no way back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct subtree {
	char room[80];
	char enable[128];   /* what has to be handed down: "+memory +pids" */
	char wish[128];     /* what may be missing */
	char enabled[256];  /* what was not handed down before, by subtree_hand_down() */
	bool evacuate;      /* others' processes may be moved to the room as well */
	const char *advice; /* a command line that would give this one a group of its own */
};

/* Adds CONTROLLER to LIST, which is SUBTREE's enable or wish, unless it is in it. */
void subtree_add(char *list, size_t size, const char *controller);

/*
 * Has the group at the fd PARENT hand down what SUBTREE needs. This process and WATCHER (0 for none) move to the room if they are the only ones in
 * the group; others only if SUBTREE says so. False after a message.
 */
bool subtree_hand_down(struct subtree *subtree, int parent, pid_t watcher);

/*
 * Holds off subtree_restore() of other processes, from before subtree_hand_down() until there is a group that shows them not to: a lock on
 * cgroup.subtree_control of PARENT. Returns an fd to close then, -1 if SUBTREE needs nothing. Dies if it takes more than two seconds. flock(2)
 */
int subtree_lock(const struct subtree *subtree, int parent);

/*
 * Undoes what subtree_hand_down() did, and what others did who were not the last ones here: disables, moves who is in a room back, removes it. Not while
 * there are other groups below PARENT, whose limits would go with the controllers: then all stays as it is.
 */
void subtree_restore(const struct subtree *subtree, int parent);

/* Moves this process from a group below PARENT to SUBTREE's room, for subtree_restore() to move it on. False after a message. */
bool subtree_step_aside(const struct subtree *subtree, int parent);

/* Whether NAME is that of a room. What is in one counts as being in the group above, if that one has no limits of its own. */
bool subtree_is_room(const char *name);

/* Whether the group whose directory is GROUP has no limits of its own, as far as its files *.max, *.high, cpuset.cpus and cpuset.mems tell. */
bool subtree_is_unlimited(const char *group);
