/*
 * users - names of users in the passwd file of the root that this process stands in. passwd(5), subuid(5).
 *
 * Read by hand and not by getpwnam(3): behind a change of root or in another user namespace, what the name service would load and ask is not
 * to be trusted, and a static program cannot load it anyway.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct users_entry {
	char name[64];
	uint32_t uid;
	uint32_t gid;
};

/* The entry of user UID. False if there is none; no message. */
bool users_try_find(uint32_t uid, struct users_entry *ret);

/*
 * Calls VISIT(DATA, first id, count) for each range that FILE (of the form of /etc/subuid, also for groups) grants to user UID, by name or
 * number. Returns how many there are, -errno if FILE cannot be read.
 */
int users_visit_ranges(const char *file, uint32_t uid,
	void (*visit)(void *data, uint32_t first, uint32_t count), void *data);
