/*
 * namespace - the eight kinds: make new ones, join those of a process. namespaces(7), unshare(2), setns(2).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct namespace_kind {
	const char *name; /* in /proc/PID/ns */
	int flag;         /* CLONE_NEW*, see sched.h */
	char letter;      /* the option of nsnew and nsjoin, as of unshare(1) and nsenter(1) */
};

enum { NAMESPACE_KINDS = 8 };

/* In the order of /proc/PID/ns as nsnew and nsjoin list them; the user namespace is the last. */
extern const struct namespace_kind namespace_kinds[NAMESPACE_KINDS];

/* The row of namespace_kinds with LETTER, which has to be one of theirs. */
size_t namespace_by_letter(int letter);

/* The name of the flag of KIND, a row of namespace_kinds. */
const char *namespace_flag_name(size_t kind);

/* The flags of all kinds. */
int namespace_all(void);

/* Whether this process is in the initial namespace of KIND, CLONE_NEWUSER or CLONE_NEWCGROUP. Dies if /proc cannot tell. */
bool namespace_is_initial(int kind);

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
 * Joins the namespaces in FLAGS of the process that PIDFD names, all or none; the PID namespace is entered by the next child. FLAGS must not hold the user
 * namespace this process is in already, which the kernel refuses. Returns 0, or -EINVAL where a pidfd cannot be joined (before Linux 5.8). Dies.
 */
int namespace_try_join(int pidfd, int flags);

/* For --explain: what follows would be done in other namespaces of the kinds in FLAGS. */
void namespace_explain_entry(int flags);

/* Dies for the reason ERROR with which namespaces of the kinds in FLAGS could not be joined. */
_Noreturn void namespace_refuse_join(int error, int flags);

/* How far a clock of a time namespace is off: SECONDS and then NANOSECONDS more. Not at all unless SET. */
struct namespace_offset {
	bool set;
	int64_t seconds;
	uint32_t nanoseconds;
};

/* Sets CLOCK ("monotonic" or "boottime") of the new time namespace off, before anybody enters it. Dies. */
void namespace_set_clock(const char *clock, const struct namespace_offset *offset);

/* Enters the time namespace made by namespace_unshare(). Dies. time_namespaces(7) */
void namespace_enter_time(void);

/* Brings the loopback interface of this net namespace up. Dies. netdevice(7) */
void namespace_raise_loopback(void);

/* Sets the host name, or the NIS domain name, of this UTS namespace. Die. sethostname(2), setdomainname(2) */
void namespace_set_host_name(const char *name);
void namespace_set_domain_name(const char *name);
