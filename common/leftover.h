/*
 * leftover - cgroups whose maker was killed before it could remove them. flock(2), cgroups(7).
 *
 * A group does not go away with the process that made it. So whoever makes one holds a lock on its directory as long as it lives, and gives it a
 * name that tells its PID: what has such a name, no lock and no maker is left over. The lock is what counts, because PIDs are used again, and are others in
 * other PID namespaces; the PID spares a look at the groups of the living.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { LEFTOVER_NAME = 40 };

/* How the name of a group ends that is to outlive its maker. */
#define LEFTOVER_STAYS ".exec"

/* Makes up a name. Another process, or another second, has another one. */
void leftover_make_name(char ret[LEFTOVER_NAME]);

/* Whether NAME begins as such names do. */
bool leftover_is_name(const char *name);

/* Locks the group NAME of the directory PARENT. Returns an fd that holds the lock, -EWOULDBLOCK if another process has it, or -errno. */
int leftover_try_lock(int parent, const char *name);

/*
 * Removes the groups of the directory PARENT that are left over, with what still runs in them, unless they were to outlive their maker: those only when they
 * are empty. Nothing where the caller may not write. ALL: also those whose maker's PID some process has, which takes a look at each; and it waits
 * for what has to end. False after a message if, with ALL, one cannot be removed.
 */
bool leftover_sweep(int parent, bool all);

/* Removes the group NAME of PARENT, and sets *FOUND, if there is one. False after a message if it is locked or holds processes. */
bool leftover_remove(int parent, const char *name, bool *found);
