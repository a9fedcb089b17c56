/*
 * securebits - by which rules this process gets and loses capabilities when ids change or a program is started. capabilities(7).
 *
 * Each rule has a bit that turns it on and, above it, one that locks it for this process and all its descendants. Changing
 * one takes CAP_SETPCAP, so it comes before that is given up.
 */
#pragma once

#include <stddef.h>

/*
 * The bits of LIST: names between commas such as "noroot,noroot_locked", in any case and with or without "secbit_", or "none". Returns NULL and sets *RET;
 * else, as parse.h, the reason against it, with the word that is wrong in WORD and, if one is like it, the name that was meant in NEAREST (SIZE bytes
 * each). keep_caps is refused, since exec clears it.
 */
const char *securebits_parse(
	const char *list, unsigned int *ret, char *word, char *nearest, size_t size);

/* The name of bit NUMBER (0 to 31), NULL if it has none. */
const char *securebits_name(int number);

/* Those of this process. Dies. PR_GET_SECUREBITS of prctl(2) */
unsigned int securebits_read(void);

/* Makes them BITS and no others. Needs CAP_SETPCAP. Dies. PR_SET_SECUREBITS of prctl(2) */
void securebits_set(unsigned int bits);
