/* Command lines on a kernel that lacks a system call altogether. */
#ifndef FAULTS_DENY_H
#define FAULTS_DENY_H

#include "judge.h"

enum { DENY_CALLS = 24 };

struct deny_plan {
	const char *without; /* the program */
	const char *calls[DENY_CALLS];
	size_t count;
	const char *user; /* uid to become behind the filter; NULL */
};

/* Prints a line of CALL=WORD for each call: same or refused, or what is wrong, and that in full before. Returns an exit status. */
int deny_all(struct subject *subject, const struct deny_plan *plan, const char *name);

#endif
