/* Runs a command under ptrace(2) and fails one system call of it. */
#ifndef FAULTS_TRACE_H
#define FAULTS_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

enum { PROCESS_NAME = 32, PROGRAM_NAME = 16 };

/*
 * A system call that a subject makes. Processes are named by descent, "1" and "1.2" for the second child of that, and calls are counted from the
 * last exec or fork on, so that a point is the same one in each run however the processes take turns.
 */
struct point {
	char process[PROCESS_NAME];
	char program[PROGRAM_NAME];
	unsigned int image; /* how many programs the process has executed */
	unsigned int call;
	long number;
	bool early; /* before main */
};

struct points {
	struct point *list;
	size_t count, room;
	size_t exempt; /* calls that cannot fail, which are not in the list */
};

struct fault {
	const struct point *point;
	int error;
};

struct start {
	char **command;
	const char *const *subjects; /* names of programs whose calls count, up to NULL */
	const char *programs;        /* directory of them, for the address of main; NULL */
	uid_t user;                  /* 0: as it is */
	const char *const *groups; /* directories of cgroups that it enters, one in each hierarchy */
	size_t group_count;
	int output, errors;   /* what COMMAND has as standard output and error */
	unsigned int seconds; /* that it may take */
	/* Writes to VIEW what the payload PID is about to begin as; NAME_OF tells who other processes are. */
	void (*look)(FILE *view, pid_t pid, const char *(*name_of)(pid_t pid));
};

struct outcome {
	bool reached; /* the call has been failed */
	long number;  /* of it */
	int status;   /* of the first process, wait(2) */
	bool hung;    /* not all of them ended in time */
	int payloads; /* how often the payload was started */
	char *view;   /* by look() */
	size_t view_size;
};

/* Runs START; fails the call of FAULT unless that is NULL; adds to RECORD the calls made unless that is NULL. */
void trace_run(const struct start *start, const struct fault *fault, struct points *record,
	struct outcome *outcome);

#endif
