/*
 * caps - the five capability sets of this process, their names and texts. capabilities(7), libcap(3).
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
 * The mask of LIST, names separated by commas, with or without "cap_", in any case, or numbers; or "all", which is every bit, those that the kernel
 * does not have included, and may be followed by "-NAME" for those to leave out. Returns NULL and sets *RET; else the
 * reason against it, with the word that is wrong copied into WORD and, into NEAREST, a name that was perhaps meant (or ""), SIZE bytes each.
 */
const char *caps_parse_list(const char *list, uint64_t *ret, char *word, char *nearest, size_t size);

/* What a text such as "!chown,^kill,net_raw" says, cap_iab(3): '!' blocked (not in the bounding set), '^' ambient and so inheritable, '%' or nothing inheritable. */
struct caps_iab {
	uint64_t inheritable;
	uint64_t ambient;
	uint64_t blocked;
};

/* Reads such a TEXT, or "none"; names as in a list. Returns as caps_parse_list() does. */
const char *caps_parse_iab(
	const char *text, struct caps_iab *ret, char *word, char *nearest, size_t size);

/* Room for the names of all capabilities with commas between. */
enum { CAPS_TEXT = 2048 };

/* The name of CAPABILITY, "cap_chown", or "cap_41" for one without a name, into NAME (SIZE bytes). */
void caps_name(int capability, char *name, size_t size);

/* The names of those in MASK with commas between, "none" if there are none, into TEXT. In numbers order. */
void caps_format(uint64_t mask, char text[CAPS_TEXT]);

/* The sets of this process in the two notations of libcap: cap_to_text(3) for three of them, cap_iab(3) for the others. Dies. */
void caps_describe(char sets[CAPS_TEXT], char iab[CAPS_TEXT]);

/* Sets the inheritable, permitted and effective set, no other. What leaves the first two leaves the ambient set as well. Dies. capset(2) */
void caps_write(const struct caps_sets *sets);

/* Takes those in MASK out of the bounding set. Needs CAP_SETPCAP in the effective set. Dies. PR_CAPBSET_DROP of prctl(2) */
void caps_drop_bounding(uint64_t mask);

/* Takes LOWER out of the ambient set and puts RAISE, which has to be permitted and inheritable, into it. Dies. PR_CAP_AMBIENT of prctl(2), Linux 4.3 */
void caps_change_ambient(uint64_t lower, uint64_t raise);

/* Dies unless the sets of this process are WANTED, bit by bit. */
void caps_verify(const struct caps_sets *wanted);

/* Makes what is permitted now inheritable and ambient, so that a COMMAND that is not root keeps it over exec. Dies. */
void caps_keep_over_exec(void);
