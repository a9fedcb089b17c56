/*
 * limits - what a cgroup may use: each limit by one name, for the files that version 1 or 2 has for it. Documentation/admin-guide/cgroup-v2.rst,
 * cgroup-v1/.
 *
 * A limit is asked for by the long name of its option. Which files that means, and how its value is written there, depends on which version its
 * controller is on; so a limit is first parsed, then turned into settings.
 */
#pragma once

#include "common/cgroup.h"
#include "common/hierarchy.h"
#include "common/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LIMITS_MAX = 64 };

/* A limit as it was asked for. */
struct limit {
	const struct limit_rule *rule;
	const char *text;
	bool tried;        /* the command may run without it */
	bool optional;     /* nobody asked for it: without a word if the kernel has no such file */
	bool percent;      /* NUMBER is thousandths of a percent of what the group above may use */
	uint64_t number;   /* in the unit of the limit; LIMIT_NONE for "max" */
	uint64_t rates[4]; /* of --io-max, in the order of its keys, 0 for those not given; the first is the page size of --hugetlb */
};

#define LIMIT_NONE UINT64_MAX

struct limits {
	size_t count;
	struct limit list[LIMITS_MAX];
	struct settings settings; /* of limits_resolve() */
};

/*
 * Adds the limit of the option NAME with the value TEXT, NULL for an option without one; TEXT has to stay. TRIED: without it if it cannot be had.
 * Pure. Returns NULL, or the reason against TEXT as parse.h does.
 */
const char *limits_add(struct limits *limits, const char *name, const char *text, bool tried);

/* After the last one: what the limits need of each other, and what comes with them unasked. Pure. Returns NULL or a whole message. */
const char *limits_complete(struct limits *limits);

/*
 * Finds the controller of each limit in LAYOUT, adds it to the plan of GROUP, and works out what is to be written. Looks up devices, and what percentages are
 * of. Dies if a limit cannot be had here that was not only tried.
 */
void limits_resolve(
	struct limits *limits, struct cgroup *group, const struct hierarchy_layout *layout);
