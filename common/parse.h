/*
 * parse - text to values. Pure: prints nothing, never exits, touches nothing but *ret.
 *
 * Every function returns NULL and sets *ret, or returns a static reason that completes the sentence "'TEXT' ..." and leaves *ret
 * alone. Behind a ": " a reason may say what would be right, which becomes the hint: "is no mode: one of private, slave". One strict grammar for each kind of value: no sign, no space, no hexadecimal, nothing behind the value, no overflow.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PARSE_ID_MAX = UINT32_MAX - 1 }; /* (uid_t)-1 means "leave as it is" to setresuid(2) */

/* A decimal number from MIN to MAX. */
const char *parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret);

/* A user or group id, 0 to 4294967294: see setresuid(2) for the one that is left out. */
const char *parse_id(const char *text, uint32_t *ret);

/* "USER:GROUP" in numbers. */
const char *parse_id_pair(const char *text, uint32_t *ret_user, uint32_t *ret_group);

/* A file descriptor. */
const char *parse_fd(const char *text, int *ret);

/* A PID, 1 to 4194304, the most that pid_max of proc_sys_kernel(5) allows. */
const char *parse_pid(const char *text, int32_t *ret);

/* A decimal number with at most DIGITS digits (0 to 9) behind the point, times 10^DIGITS: "1.5" with 3 digits is 1500. */
const char *parse_decimal(const char *text, unsigned int digits, uint64_t *ret);

/* "SECONDS" or "SECONDS.FRACTION" with up to nine digits, a '-' before it for less than zero; *RET_NANOSECONDS counts up from *RET_SECONDS. */
const char *parse_seconds(const char *text, int64_t *ret_seconds, uint32_t *ret_nanoseconds);

/* The name of a signal with or without "SIG", or its number. signal(7) */
const char *parse_signal(const char *text, int *ret);

enum { PARSE_SIGNAL = 16 };

/* The other way round: "SIGTERM", or the number of one that has no name here. */
void parse_name_signal(int signal, char text[PARSE_SIGNAL]);

/* A size in bytes: a decimal number and optionally one of K M G T P (powers of 1024, either case); "1.5G" is allowed. */
const char *parse_bytes(const char *text, uint64_t *ret);

/* Numbers from 0 to 8191, as CPUs and memory nodes have; bit N of the words is N. */
struct parse_set {
	uint64_t words[128];
};

/* Numbers and ranges between commas, "0-3,5", in any order; not empty. */
const char *parse_ranges(const char *text, struct parse_set *ret);

/* A mask in hexadecimal digits and nothing else, as in /proc/PID/status. */
const char *parse_hex(const char *text, uint64_t *ret);

/* File permissions in octal, "755" or "1777". */
const char *parse_mode(const char *text, uint32_t *ret);

/*
 * Takes the next word of a list off *CURSOR: the text up to SEPARATOR or the end, into WORD (SIZE bytes). Empty words count.
 * Start with *CURSOR at the list; it becomes NULL behind the last word. Not to be called with *CURSOR NULL.
 */
const char *parse_word(const char **cursor, char separator, char *word, size_t size);

/* Splits "KEY=VALUE" at the first '=': KEY (not empty) into *RET_KEY's SIZE bytes, *RET_VALUE points behind the '='. */
const char *parse_assignment(const char *text, char *ret_key, size_t size, const char **ret_value);

/*
 * Splits TEXT in place at each ':' into FIELDS (COUNT of them); those that are not there become NULL. A ':' or '\\' that belongs to a field has a
 * '\\' before it. Changes TEXT also when it fails.
 */
const char *parse_fields(char *text, char **fields, size_t count);

/*
 * The number of edits between A and B, at most LIMIT (also for words too long to compare): a letter more, less or another, or two
 * neighbours swapped.
 */
size_t parse_distance(const char *a, const char *b, size_t limit);

/* Which word was meant by TYPED: starts with nothing else set; each that is possible is offered. WORD is the likeliest, NULL if none is. */
struct parse_guess {
	const char *typed;
	const char *word;
	size_t rank;
};

/* Whether WORD is likelier than those before: by few edits in either case, as what TYPED shortens, or as a part of a compound. */
bool parse_offer(struct parse_guess *guess, const char *word);

/* What REASON says would be right, NULL if nothing. */
const char *parse_advice(const char *reason);

/* The word that was meant by TYPED, of an ADVICE that ends in "one of A, B, ...", into NEAREST; false if there is none. */
bool parse_nearest(const char *typed, const char *advice, char *nearest, size_t size);
