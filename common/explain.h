/*
 * explain - what a link would do, said in place of doing it (--explain).
 *
 * Once explain_begin() was called, every function of this library that would change something says which call it would make, by explain_call(), and
 * leaves it at that; what only looks is done as ever. So the order and the arguments are those of the real thing. The link then
 * has the next one go on, with the same option, and COMMAND is not run.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the links in front would have changed, so that what is here now is not what would be there. */
enum explain_change {
	EXPLAIN_PID,     /* another PID namespace */
	EXPLAIN_USER,    /* another user namespace, with all capabilities in it */
	EXPLAIN_CGROUP,  /* another cgroup namespace */
	EXPLAIN_NO_TTY,  /* no mapping for the group 5, which is tty */
	EXPLAIN_ROOT,    /* another root: paths of this one say nothing */
	EXPLAIN_TOOLBOX, /* the link runs from a toolbox */
	EXPLAIN_CHANGES
};

enum { EXPLAIN_OPTION = 128 };

/* Begins, from the value of --explain: "text" or "json", then names of changes, with ',' between; NULL for "text". Returns NULL or, as parse.h, the reason against it. */
const char *explain_begin(const char *words);

/* Whether steps are explained, and so not taken. */
bool explain_is_on(void);

/* Whether WHAT is changed by what was explained so far, and that it is from here on. */
bool explain_is_changed(enum explain_change what);
void explain_change(enum explain_change what);

/* Tells that the user, or group, would be ID from here on; and what it would be by now, ACTUAL if nothing was told. */
void explain_become(bool group, uint32_t id);
uint32_t explain_id(bool group, uint32_t actual);

/* Why the calls that follow are made: a clause. Nothing if steps are not explained. */
void explain_because(const char *why);

/*
 * False if steps are not explained. Else prints the call, the next step, and returns true: it is not to be made. FORMAT is the call as strace(1) writes
 * it, with %s for a text, %q one in quotation marks or NULL, %d an int, %o an octal mode, %f an fd by the path that it was opened by,
 * %p an fd of a directory and a path from there, %P the same as two arguments, %v a vector of words.
 */
bool explain_call(const char *format, ...);

/* A stand-in for the fd of something that would be made, shown as NAME; nothing is in it. Dies. */
int explain_fd(const char *name);

/* Whether there has been one of that NAME. */
bool explain_has_fd(const char *name);

/* Whether FD is one of these. */
bool explain_is_made(int fd);

/* A copy of ARGV without that option. Dies. */
char *const *explain_strip(char *const argv[]);

/* The option by which the next link goes on. */
void explain_option(char text[EXPLAIN_OPTION]);

/* Writes what is explained so far. Before exec. Dies. */
void explain_flush(void);
