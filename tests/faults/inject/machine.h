/* What differs between machines: registers, and the address of main. */
#ifndef FAULTS_MACHINE_H
#define FAULTS_MACHINE_H

#include <stdbool.h>
#include <sys/types.h>

struct machine_trap {
	unsigned long address; /* 0: not set */
	long word;             /* what was there */
};

/* ptrace(2), the bare call: the headers of C libraries and of the kernel clash. */
long machine_ptrace(int request, pid_t pid, unsigned long address, unsigned long data);

/* NULL, or the reason why nothing can be failed on this machine. */
const char *machine_lacks(void);

/* At the entry of the call NUMBER: it will not be made. */
void machine_begin_failure(pid_t pid, long number);

/* At its end: it returns ERROR. */
void machine_end_failure(pid_t pid, long number, int error);

/* Right after exec: has PROGRAM, a file in DIRECTORY, stop at main. False if it has no such symbol. */
bool machine_trap_main(
	struct machine_trap *trap, pid_t pid, const char *directory, const char *program);

/* Whether the SIGTRAP of this process is that stop, which is over then. */
bool machine_pass_trap(struct machine_trap *trap, pid_t pid);

#endif
