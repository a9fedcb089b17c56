/*
 * ready - telling others that a link has set up everything, and waiting for their word before COMMAND runs.
 */
#pragma once

#include <stdbool.h>

struct ready_plan {
	const char *pid_path; /* file to write the PID to; NULL */
	bool announces;       /* on fd ANNOUNCE */
	bool blocks;          /* on fd BLOCK */
	int announce;
	int block;
	int pid_file; /* for this module */
	int proc;     /* for this module */
};

/* Opens what will be written, and the /proc that says what PID this process has for the caller. Before anything changes. Dies. */
void ready_prepare(struct ready_plan *plan);

/* Writes the PID that the caller knows this process by, then a line to the one fd, then waits for the other to be readable or at its end. Dies. */
void ready_announce(struct ready_plan *plan);
