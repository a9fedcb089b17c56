/*
 * ids - the user, the group and the supplementary groups of this process. credentials(7).
 *
 * A change of user or group takes the parent-death signal away, prctl(2); a chain that counts on dying with its first link needs it back, so these
 * functions restore it.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* What this process does when its parent ends: dies of SIGNAL, 0 for nothing. */
struct ids_parent {
	int signal;
	pid_t pid; /* 0: in an outer PID namespace */
};

/* Remembers that, before something that may take it away: a change of ids, or joining a user namespace of another user. */
struct ids_parent ids_parent(void);

/* Restores it. Exits with STATUS_FAILED if the parent has ended meanwhile, as far as that can be seen. Dies. */
void ids_keep_parent(const struct ids_parent *parent);

/* Makes all user ids of this process UID. Returns 0 or -errno; -EINVAL if UID has no mapping in this user namespace. setresuid(2) */
int ids_try_set_user(uint32_t uid);

/* Makes all group ids of this process GID. The same. Before the user, who may not be allowed to. */
int ids_try_set_group(uint32_t gid);

/*
 * Gives up the supplementary groups. Returns 0, also if there are none but the own group; -EPERM if this process may not drop those it has.
 * setgroups(2)
 */
int ids_try_drop_groups(void);
