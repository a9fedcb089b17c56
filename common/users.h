/*
 * users - names of users and groups in the passwd and group files of the root that this process stands in. passwd(5), group(5), subuid(5).
 *
 * Read by hand and not by getpwnam(3): behind a change of root or in another user namespace, what the name service would load and ask is not
 * to be trusted, and a static program cannot load it anyway. A line that is not of the right form is passed over; of two with the
 * same name the first counts. What is no regular file is not read: -EINVAL.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define USERS_PASSWD "/etc/passwd"
#define USERS_GROUP "/etc/group"

struct users_entry {
	char name[64];
	uint32_t uid;
	uint32_t gid;
};

/* The entry of user UID in the passwd file. 1 if there is one, 0 if not, -errno if the file cannot be read; no message. */
int users_try_find(uint32_t uid, struct users_entry *ret);

/* The entry of the user called NAME. The same. */
int users_try_find_name(const char *name, struct users_entry *ret);

/* The id of the group called NAME, in the group file. The same. */
int users_try_find_group(const char *name, uint32_t *ret);

/* Calls VISIT(DATA, id) for each group that lists the user called NAME as a member. Returns 0, -errno if the group file cannot be read. */
int users_visit_groups(const char *name, void (*visit)(void *data, uint32_t gid), void *data);

/*
 * Calls VISIT(DATA, first id, count) for each range that FILE (of the form of /etc/subuid, also for groups) grants to user UID, by name or
 * number. Returns how many there are, -errno if FILE cannot be read.
 */
int users_visit_ranges(const char *file, uint32_t uid,
	void (*visit)(void *data, uint32_t first, uint32_t count), void *data);
