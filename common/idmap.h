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

/* What is only known when the map is resolved. */
enum idmap_word {
	IDMAP_AUTO = 1, /* the subordinate ids of the caller, from the lowest inner id that is free */
	IDMAP_SUBIDS = 2, /* the subordinate ids, as themselves */
	IDMAP_ALL = 4,    /* every id of the current user namespace, as itself */
};

/* One map: of users or of groups. All zero is an empty one, which leaves every id unmapped. */
struct idmap {
	unsigned int words;
	size_t count;
	struct idmap_extent extents[IDMAP_EXTENTS_MAX];
};

/* Adds "INNER:OUTER:COUNT", "auto", "subids" or "all" to MAP. Returns NULL, or the reason against it (as parse.h): not of that form, a count of 0, beyond the last id,
 * an overlap with an extent that is there, too many. */
const char *idmap_add_text(struct idmap *map, const char *text);

/* Adds one id. Returns NULL or the reason against it. */
const char *idmap_add_id(struct idmap *map, uint32_t inner, uint32_t outer);

/* Whether MAP has a number inside for ID of the outer namespace; whether it has ID as a number inside. */
bool idmap_maps_outer(const struct idmap *map, uint32_t id);
bool idmap_maps_inner(const struct idmap *map, uint32_t id);

/* What setgroups(2) may do in the new namespace. */
enum idmap_setgroups { IDMAP_SETGROUPS_DEFAULT, IDMAP_SETGROUPS_ALLOW, IDMAP_SETGROUPS_DENY };

/* "allow" or "deny". Returns NULL or the reason against TEXT. */
const char *idmap_parse_setgroups(const char *text, enum idmap_setgroups *ret);

struct idmap_plan {
	struct idmap users;
	struct idmap groups;
	enum idmap_setgroups setgroups;
	bool from_outside; /* the process will not be the one that may map its own id */
};

/* A helper on the outside. */
struct idmap_writer {
	pid_t pid; /* 0: the maps are ones that the process may write itself */
	int start; /* this side of the gate that it waits at */
};

/* Replaces the words of PLAN's maps by what they stand for: /etc/subuid, /etc/subgid and the current maps say so. Dies. */
void idmap_resolve(struct idmap_plan *plan);

/* The plan that maps every id which PLAN maps, as itself: for a user namespace inside the one of PLAN. */
void idmap_nest(const struct idmap_plan *plan, struct idmap_plan *ret);

/* What OUTER (an id in the caller's user namespace) is inside the user namespace of the process whose /proc/PID is the fd PROCESS; MAP is "uid_map" or
 * "gid_map". False if it has no mapping there. Dies if the map cannot be read. */
bool idmap_find_inner(int process, const char *map, uint32_t outer, uint32_t *ret);

/*
 * The id that a process should take in the user namespace it is in, if its present one, SHOWN, is none there: root if there is one, else the first of
 * MAP ("uid_map" or "gid_map" of its /proc/PID, the fd SELF). False if it can stay as it is. Dies, also if there are none to take.
 */
bool idmap_choose_inner(int self, const char *map, uint32_t shown, uint32_t *ret);

/* Forks the helper if PLAN needs one. Call before unshare(CLONE_NEWUSER). Dies. */
struct idmap_writer idmap_prepare(const struct idmap_plan *plan);

/*
 * Has the maps of this process written and reads them back. Call after unshare(CLONE_NEWUSER) and while this process is dumpable.
 * Dies, naming the map and what would be allowed.
 */
void idmap_write(const struct idmap_plan *plan, struct idmap_writer *writer);
