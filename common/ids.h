/*
 * ids - the user, the group and the supplementary groups of this process. credentials(7).
 *
 * A change of user or group takes the parent-death signal away, prctl(2); a chain that counts on dying with its first link needs it back, so these
 * functions restore it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What this process does when its parent ends: dies of SIGNAL, 0 for nothing. */
struct ids_parent {
	int signal;
	pid_t pid; /* 0: in an outer PID namespace */
};

/* Remembers that, before something that may take it away: a change of ids, or joining a user namespace of another user. Dies. prctl(2) */
struct ids_parent ids_parent(void);

/* Restores it. Exits with STATUS_FAILED if the parent has ended meanwhile, as far as that can be seen. Dies. */
void ids_keep_parent(const struct ids_parent *parent);

/*
 * Lets this process be sent SIGNAL when its parent ends; exec keeps that, unless it raises privileges. Exits with STATUS_FAILED if the parent ends
 * meanwhile, as far as that can be seen: a parent outside of the own PID namespace cannot be asked for. First thing to do, as the
 * functions below keep it. Dies. PR_SET_PDEATHSIG of prctl(2)
 */
void ids_die_with_parent(int signal);

/* The signal that this process is sent when its parent ends, 0 for none. Dies. */
int ids_parent_signal(void);

/* The effective user id and group id of this process, or those it would have by now where it is explained. */
uint32_t ids_user(void);
uint32_t ids_group(void);

/* Makes all user ids of this process UID. Returns 0 or -errno; -EINVAL if UID has no mapping in this user namespace. setresuid(2) */
int ids_try_set_user(uint32_t uid);

/* Makes all group ids of this process GID. The same. Before the user, who may not be allowed to. */
int ids_try_set_group(uint32_t gid);

/*
 * Gives up the supplementary groups. Returns 0, also if there are none but the own group; -EPERM if this process may not drop those it has.
 * setgroups(2)
 */
int ids_try_drop_groups(void);

/* What to become. */
struct ids_change {
	bool ids; /* of USER and GROUP */
	uint32_t user;
	uint32_t group;
	bool groups; /* exactly these supplementary ones, no two the same; COUNT 0: none */
	size_t count;
	const gid_t *list;
};

/*
 * Makes the change: supplementary groups, group, user, in that order, because a new user may not be allowed the rest. Where they cannot be given
 * up, the group of the process itself may stay among the supplementary ones: it gives nothing more. Dies, also if ids_verify() would.
 * setgroups(2), setresgid(2), setresuid(2)
 */
void ids_apply(const struct ids_change *change);

/* Reads all ids and groups again, those for file systems included, and dies unless they are those of CHANGE. */
void ids_verify(const struct ids_change *change);
