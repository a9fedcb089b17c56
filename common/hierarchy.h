/*
 * hierarchy - the cgroup hierarchies of this machine and where the caller's own groups are in them. cgroups(7), cgroup_namespaces(7).
 *
 * Version 2 is one hierarchy for all of its controllers; version 1 has one for each controller or few of them; a hybrid machine has both, and
 * each controller is in exactly one of them. What is mounted may be a part of a hierarchy, as in a container.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HIERARCHIES_MAX = 24 };

/* One mounted hierarchy and the caller's own group in it. Its paths live as long as the process. */
struct hierarchy {
	int version;
	char controllers[256]; /* names between commas, ",cpu,cpuacct,"; on version 2 those that the own group has */
	char *own;         /* the directory of the own group */
	const char *root;  /* what is mounted: this group and those below it */
	const char *point; /* ... and where */
};

struct hierarchy_layout {
	size_t count;
	struct hierarchy list[HIERARCHIES_MAX];
};

/*
 * Reads the layout out of SELF, /proc/self/cgroup, and MOUNTS, /proc/self/mountinfo, which are cut into pieces, and MOUNTS has to stay; the controllers of version 2
 * stay empty. Pure, but for IS_SHOWN, which tells whether a path leads to the mount of that number and not to one that hides it; NULL: it
 * does. Returns NULL or the reason why there is none. A hierarchy that is mounted nowhere that the own group shows is left out.
 */
const char *hierarchy_parse(char *self, char *mounts,
	bool (*is_shown)(const char *path, uint64_t mount), struct hierarchy_layout *layout);

/* The layout for the process whose /proc/PID is the fd PROCESS, seen through the own mounts. Dies. */
void hierarchy_find(int process, struct hierarchy_layout *layout);

/* The layout for this process. Dies. */
void hierarchy_find_own(struct hierarchy_layout *layout);

/* Why GROUP cannot name a group: NULL if it can. Empty parts, "." and ".." are refused; a '/' at the start is allowed. Pure. */
const char *hierarchy_check_group(const char *group);

/*
 * Makes GROUP the own group in LAYOUT: with a '/' at the start as /proc/PID/cgroup would show it, else below the own one. A hierarchy that does
 * not have it, or does not show it, is left out. Dies if none has it.
 */
void hierarchy_change_group(struct hierarchy_layout *layout, const char *group);

/* Makes the group above the own one of HIERARCHY the own one, by cutting its path short. False at the topmost group that is shown. */
bool hierarchy_ascend(struct hierarchy *hierarchy);

/* The nearest group above the own one of a version 2 HIERARCHY that has CONTROLLER and does not hand it down, into RET. False if there is none. */
bool hierarchy_find_holder(
	const struct hierarchy *hierarchy, const char *controller, char *ret, size_t size);

/* Whether HIERARCHY has the controller that the first LENGTH bytes of NAME are. Pure. */
bool hierarchy_has(const struct hierarchy *hierarchy, const char *name, size_t length);

/* The hierarchy that has CONTROLLER, NULL if none. */
const struct hierarchy *hierarchy_of(const struct hierarchy_layout *layout, const char *controller);
