/*
 * namespace - the eight kinds: make new ones, join those of a process. namespaces(7), unshare(2), setns(2).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct namespace_kind {
	int flag;         /* CLONE_NEW*, see sched.h */
	const char *name; /* in /proc/PID/ns */
};

enum { NAMESPACE_KINDS = 8 };

/* In the order of /proc/PID/ns as nsnew and nsjoin list them; the user namespace is the last. */
extern const struct namespace_kind namespace_kinds[NAMESPACE_KINDS];

/* The flags of all kinds. */
int namespace_all(void);

/*
 * Puts this process into new namespaces of the kinds in FLAGS; PID and time namespaces are entered by its next child. Dies,
 * naming the kinds and, where it can be told, why the kernel refused.
 */
void namespace_unshare(int flags);

/*
 * The kinds in FLAGS in which the process whose /proc/PID is PROCESS (a directory fd) is not in the same namespace as this one. Dies if
 * that cannot be read.
 */
int namespace_different(int process, int flags);

/*
 * Joins the namespaces in FLAGS of the process that PIDFD names, all or none; the PID namespace is entered by the next child. FLAGS must not hold
 * the user namespace this process is in already, which the kernel refuses. Dies. Linux 5.8.
 */
void namespace_join(int pidfd, int flags);

/* Brings the loopback interface of this net namespace up. Dies. netdevice(7) */
void namespace_raise_loopback(void);
