/*
 * hierarchy - the cgroup hierarchies of this machine and where the caller's own groups are in them. cgroups(7), cgroup_namespaces(7).
 *
 * Version 2 is one hierarchy for all of its controllers; version 1 has one for each controller or few of them; a hybrid machine has both, and
 * each controller is in exactly one of them. What is mounted may be a part of a hierarchy, as in a container.
 */
#pragma once

#include <limits.h>
#include <stddef.h>
#include <stdio.h>

enum { HIERARCHIES_MAX = 24 };

/* One mounted hierarchy and the caller's own group in it. */
struct hierarchy {
	int version;
	char controllers[256]; /* names between commas, ",cpu,cpuacct,"; on version 2 those that the own group has */
	char own[PATH_MAX]; /* the directory of the own group */
};

struct hierarchy_layout {
	size_t count;
	struct hierarchy list[HIERARCHIES_MAX];
};

/*
 * Reads the layout out of the texts of /proc/self/cgroup and /proc/self/mountinfo; the controllers of version 2 stay empty. Pure. Returns
 * NULL or the reason why there is none. A hierarchy that is mounted nowhere that the own group shows is left out.
 */
const char *hierarchy_parse(FILE *self, FILE *mounts, struct hierarchy_layout *layout);

/* The layout for the process whose /proc/PID is the fd PROCESS, seen through the own mounts. Dies. */
void hierarchy_find(int process, struct hierarchy_layout *layout);

/* The layout for this process. Dies. */
void hierarchy_find_own(struct hierarchy_layout *layout);

/* The hierarchy that has CONTROLLER, NULL if none. */
const struct hierarchy *hierarchy_of(const struct hierarchy_layout *layout, const char *controller);
