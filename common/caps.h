/*
 * caps - what this process may do: the five capability sets, and no_new_privs. capabilities(7).
 *
 * A set is a mask with bit N for capability N, as in /proc/PID/status. The kernel's rules make the order: the bounding set shrinks only
 * with CAP_SETPCAP, so it goes first; ambient capabilities fall with the permitted and inheritable ones; and what exec gives a root process back
 * comes from the bounding set, so a drop that leaves that alone is none. The only module that includes libcap.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct caps_sets {
	uint64_t bounding;
	uint64_t inheritable;
	uint64_t permitted;
	uint64_t effective;
	uint64_t ambient;
};

/* All capabilities of the running kernel, also those newer than this program; found without /proc. */
uint64_t caps_known(void);

/* The sets of this process. Dies. */
struct caps_sets caps_read(void);

/*
 * The mask of LIST, names separated by commas, with or without "cap_", in any case, or "all". Returns NULL and sets *RET; else the
 * reason against it, with the word that is wrong copied into WORD and, into NEAREST, a name that was perhaps meant (or ""), SIZE bytes each.
 */
const char *caps_parse_list(const char *list, uint64_t *ret, char *word, char *nearest, size_t size);

struct caps_plan {
	uint64_t drop; /* taken out of all five sets */
	bool change_user;
	uint32_t user;
	uint32_t group;
	bool no_new_privs;
};

/* Makes what is permitted now inheritable and ambient, so that a COMMAND that is not root keeps it over exec. Dies. */
void caps_keep_over_exec(void);

/*
 * Becomes PLAN's user and group, if it changes them, with no supplementary groups; of root's capabilities the kernel leaves another user none. Reduces the sets of this process to what PLAN leaves of them, sets no_new_privs, and reads all of it back. Dies if any of
 * it does not hold. Without CAP_SETPCAP the bounding set stays as it is; that is allowed with no_new_privs only, which keeps it out of
 * reach of exec.
 */
void caps_apply(const struct caps_plan *plan);
