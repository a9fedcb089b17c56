/*
 * child - a link that has to stay while the rest of the chain runs: start it, stand in for it, end as it ended.
 *
 * To its caller the waiting link is COMMAND: signals reach COMMAND, stops and ends of COMMAND show in the link. Three kernel rules make
 * it hard. A process that is PID 1 of its namespace loses every signal that it has no handler for (pid_namespaces(7)), so
 * the link does to it what the signal would have done. What the terminal sends, it sends to the whole process group, so forwarding
 * that would deliver it twice. And a process that waits in a PID namespace shows everybody there its root by /proc/PID/root, so the link
 * gives its own away (proc(5), ptrace(2)).
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

enum { CHILD_KEEP = 32 };

/* How to start. All zero is a plain fork that dies with its parent. */
struct child_plan {
	bool new_pids;    /* the child will be in another PID namespace than the link */
	bool init;        /* ... and PID 1 of it */
	bool stub;        /* PID 1 is a stub that reaps orphans, and the child is a child of it */
	bool new_session; /* in a session and with a session keyring of its own, session-keyring(7) */
	bool keep_keyring; /* ... but for the keyring */
	bool outlives;     /* the child is not to die with the link */
	int death_signal;  /* what it dies of, 0 for SIGKILL */
	int cgroup; /* cgroup v2 directory fd the child is born in, 0 for none (clone3(2), Linux 5.7) */
	int keep[CHILD_KEEP]; /* fds that the waiting link still needs, 0 for none */
};

/* A started child: its PID; whether it was born in the cgroup of the plan or has to enter it itself; the rest is for this module. */
struct child {
	pid_t pid;
	int status; /* /proc/PID/status of a PID 1, where its signal handlers show; -1 */
	int report; /* the pipe on which a stub tells what becomes of COMMAND, its end or the link's; -1 */
	int terminal;    /* the controlling terminal; -1 */
	bool foreground; /* the link's process group was the terminal's when it started */
	bool apart;      /* the child left the link's process group */
	bool init;
	bool born; /* the child was born in the plan's cgroup; else it has to enter it itself */
	int killed_for;  /* the signal that SIGKILL was sent for; 0 */
	int stopped_for; /* the signal that SIGSTOP was sent for; 0 */
	sigset_t mask;   /* the caller's */
	struct sigaction on_child;
};

/*
 * Forks. Returns true in the child, which has the caller's signal mask and dispositions, dies with the link and goes on with the chain;
 * false in the link, which holds back all signals that child_wait() will handle, has closed every fd but PLAN's, and is hidden
 * before the child goes on if both are in one PID namespace below the initial one. Dies, and then the child has not gone on. Write id maps before: a link that is
 * hidden is not dumpable and may not any more.
 */
bool child_start(struct child *child, const struct child_plan *plan);

/*
 * Forwards signals and follows stops until the child has ended; takes the terminal back. Returns its wait(2) status, with the signal that
 * it was killed for in place of the SIGKILL that this module had to send.
 */
int child_wait(struct child *child);

/* Ends this process as a child with that wait(2) status ended: same exit status, or the same signal without a core dump, or 128+N
 * where that cannot be (a PID 1 does not die of its own signals). */
_Noreturn void child_finish(int status);

/* Forks a helper that does not signal its end, so that no disposition of SIGCHLD matters; FLAGS of clone(2) may let it share, as CLONE_FILES does.
 * Returns 0 in the helper, its PID in the caller. The helper leaves with _exit(2). Dies. */
pid_t child_fork_helper(unsigned int flags);

/* Waits for such a helper to end. Returns its wait(2) status. */
int child_reap_helper(pid_t helper);

/*
 * Forks a watcher in a session of its own that does nothing until this process is gone, however it ended, and then calls
 * CLEAN_UP(DATA) once. It keeps the fds in KEEP (as in struct child_plan) and is hidden like a waiting link before this returns. Call it before the thing to clean up
 * exists: a kill between the two would leave it. Returns its PID. Dies.
 */
pid_t child_watch(void (*clean_up)(void *data), void *data, const int keep[CHILD_KEEP]);

/* Ends a watcher, if it is one and not 0, without its cleaning up. */
void child_unwatch(pid_t watcher);

/* Arms PR_SET_PDEATHSIG with SIGNAL for the parent that PARENT (a pidfd) names and exits with STATUS_FAILED if it is gone already. */
void child_die_with(int parent, int signal);
