/*
 * capinfo - what each capability allows, and well-known selections of them. capabilities(7).
 *
 * Data alone: nothing here asks the kernel. Numbers are those of linux/capability.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* At most 56 columns each. */
struct capinfo {
	const char *summary; /* what it allows */
	const char *remark;  /* how far that goes */
};

/* Of CAPABILITY (0 to 63); a text that says so for one that is newer than this program. Never NULL. */
const struct capinfo *capinfo_of(int capability);

/* A named list of the capabilities that are kept. */
struct capinfo_preset {
	const char *name;
	uint64_t keep;
	bool nobody; /* as user and group CAPINFO_NOBODY, without supplementary groups */
};

enum { CAPINFO_NOBODY = 65534 };

/* The preset called NAME, NULL if there is none. */
const struct capinfo_preset *capinfo_preset(const char *name);
