/*
 * settings - values in the files of a cgroup, written and then held against what the kernel made of them.
 *
 * The kernel rounds sizes down to pages, orders lists, adds keys that were not given, and some values it takes without following them. What is read back
 * after the last write is compared as the values that they stand for.
 */
#pragma once

#include "common/cgroup.h"

#include <stdbool.h>
#include <stddef.h>

enum { SETTINGS_MAX = 128 };

/* FILE is to hold VALUE. */
struct setting {
	const char *option;  /* for whom, in messages */
	const char *instead; /* the file to use where FILE is not there; NULL */
	bool tried;          /* go on after a message if it cannot be had */
	bool optional;       /* go on without a word if the file is not there */
	char file[64];
	char value[512];
};

struct settings {
	size_t count;
	struct setting list[SETTINGS_MAX];
};

/* Adds one and returns it, for its other members. Dies if there are too many. */
struct setting *settings_add(
	struct settings *settings, const char *option, const char *file, const char *value);

/* Writes them in their order to GROUP, which has been created, then reads them all back. False after a message if one does not hold. */
bool settings_apply(const struct settings *settings, const struct cgroup *group);
