/*
 * idmap - user and group ids of a user namespace. user_namespaces(7).
 *
 * A map may be written once, in one write(2). A process that just unshared may map only its own id to itself; any other map is
 * written from outside by somebody who may: this program's helper if it has CAP_SETUID and CAP_SETGID, else newuidmap(1) and newgidmap(1).
 * So the helper is forked before unshare(2) and writes after it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct idmap_extent {
	uint32_t inner;
	uint32_t outer;
	uint32_t count;
};

enum { IDMAP_EXTENTS_MAX = 340 }; /* UID_GID_MAP_MAX_EXTENTS of the kernel */

/* One map: of users or of groups. All zero is an empty one, which leaves every id unmapped. */
struct idmap {
	size_t count;
	struct idmap_extent extents[IDMAP_EXTENTS_MAX];
};

/* Adds "INNER:OUTER:COUNT" to MAP. Returns NULL, or the reason against it (as parse.h): not of that form, a count of 0, beyond the last id,
 * an overlap with an extent that is there, too many. */
const char *idmap_add_text(struct idmap *map, const char *text);

/* Adds one id. Returns NULL or the reason against it. */
const char *idmap_add_id(struct idmap *map, uint32_t inner, uint32_t outer);

/* What setgroups(2) may do in the new namespace. */
enum idmap_setgroups { IDMAP_SETGROUPS_DEFAULT, IDMAP_SETGROUPS_ALLOW, IDMAP_SETGROUPS_DENY };

struct idmap_plan {
	struct idmap users;
	struct idmap groups;
	enum idmap_setgroups setgroups;
};

/* A helper on the outside. */
struct idmap_writer {
	pid_t pid; /* 0: the maps are ones that the process may write itself */
	int start; /* write end of the pipe that it waits on */
};

/* Forks the helper if PLAN needs one. Call before unshare(CLONE_NEWUSER). Dies. */
struct idmap_writer idmap_prepare(const struct idmap_plan *plan);

/*
 * Has the maps of this process written and reads them back. Call after unshare(CLONE_NEWUSER) and while this process is dumpable.
 * Dies, naming the map and what would be allowed.
 */
void idmap_write(const struct idmap_plan *plan, struct idmap_writer *writer);

/*
 * Gives up supplementary groups, which a new user namespace would keep without showing them: a file of such a group stays readable.
 * Call before unshare(CLONE_NEWUSER). Returns 0, or -EPERM if this process has some and may not drop them. setgroups(2)
 */
int idmap_try_drop_groups(void);
