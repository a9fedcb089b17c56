#include "common/child.h"

#include "common/explain.h"
#include "common/fd.h"
#include "common/hide.h"
#include "common/keyring.h"
#include "common/mounttree.h"
#include "common/parse.h"
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the kernel is asked for once more, although it has no reason to refuse it: how COMMAND ended would be lost. */
enum { TRIES = 3 };

/* What the link hears of, besides the state of its child. */
static const int forwarded[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH,
	SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU };

static void change_mask(int how, const sigset_t *set, sigset_t *before)
{
	if (sigprocmask(how, set, before) < 0)
		die_error(errno, "cannot change the signal mask");
}

static void held_signals(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(*forwarded); i++)
		sigaddset(set, forwarded[i]);
	sigaddset(set, SIGCHLD);
	/* A stub has reported. */
	sigaddset(set, SIGIO);
}

/* clone(2) without a stack is fork(2); EXIT_SIGNAL 0 is the kind of child that only __WALL waits for. */
static pid_t clone_process(unsigned int flags, int exit_signal, int cgroup)
{
	struct clone_args arguments = {
		.flags = flags | (cgroup > 0 ? CLONE_INTO_CGROUP : 0),
		.exit_signal = (unsigned int)exit_signal,
		.cgroup = cgroup > 0 ? (unsigned int)cgroup : 0,
	};
	pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));

	if (pid < 0 && errno == ENOSYS && cgroup <= 0)
		pid = (pid_t)syscall(SYS_clone, (long)flags | exit_signal, NULL, NULL, NULL, 0L);
	return pid;
}

pid_t child_fork_helper(unsigned int flags)
{
	pid_t pid = clone_process(flags, 0, 0);

	if (pid < 0)
		die_error(errno, "cannot fork");
	return pid;
}

int child_reap_helper(pid_t helper)
{
	int status;

	for (int i = 0; waitpid(helper, &status, __WALL) < 0; i += errno != EINTR) {
		if (errno == ECHILD || i >= TRIES)
			die_error(errno, "cannot wait for process %d", (int)helper);
	}
	return status;
}

void child_die_with(int parent, int signal)
{
	if (prctl(PR_SET_PDEATHSIG, (unsigned long)signal, 0, 0, 0) < 0)
		die_error(errno, "cannot set the parent-death signal");
	/* Only a parent that dies from now on is noticed; getppid() is 0 in a new PID namespace, so it cannot tell. */
	int ended = fd_try_poll(parent, 0);

	if (ended < 0)
		die_error(-ended, "cannot look at the parent process");
	if (ended)
		exit(STATUS_FAILED);
}

static int open_self(void)
{
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (fd < 0)
		die_error(errno, "cannot open a pidfd (Linux 5.3)");
	return fd;
}

pid_t child_watch(void (*clean_up)(void *data), void *data, const int keep[CHILD_KEEP])
{
	explain_because("a watcher cleans up if this process is killed");
	if (explain_call("clone3({flags=0})"))
		return 0;

	autoclose int parent = open_self();
	sigset_t all, before;
	int gate[2];

	/* Waited for in any case: until it is in a session of its own, a signal to the whole process group reaches the watcher too. */
	hide_make_gate(gate);
	/* Only SIGKILL, or the end of the PID namespace, ends it early. */
	sigfillset(&all);
	change_mask(SIG_BLOCK, &all, &before);

	pid_t watcher = child_fork_helper(0);

	if (watcher > 0) {
		hide_pass_gate(gate);
		change_mask(SIG_SETMASK, &before, NULL);
		return watcher;
	}

	int kept[CHILD_KEEP + 2] = { parent, gate[1] };

	memcpy(kept + 2, keep, CHILD_KEEP * sizeof(*keep));
	if (setsid() < 0)
		die_error(errno, "cannot start a session");

	int error = fd_try_poll(parent, 0);

	if (error < 0)
		die_error(-error, "cannot watch this process");
	hide_self(kept, CHILD_KEEP + 2, hide_is_needed(), gate[1]);
	close(gate[1]);
	/* Too early would be the end of COMMAND; and it has worked before. */
	while (fd_try_poll(parent, -1) <= 0)
		continue;
	clean_up(data);
	_exit(EXIT_SUCCESS);
}

void child_unwatch(pid_t watcher)
{
	if (watcher > 0 && kill(watcher, SIGKILL) == 0)
		child_reap_helper(watcher);
}

static void set_action(int signal, const struct sigaction *action, struct sigaction *before)
{
	if (sigaction(signal, action, before) < 0)
		die_error(errno, "cannot change what signal %d does", signal);
}

static int find_terminal(void)
{
	autoclose int fd = fd_try_open(AT_FDCWD, "/dev/tty", O_RDWR | O_NOCTTY);

	/* In another root that may be anything. */
	if (fd >= 0 && tcgetpgrp(fd) >= 0)
		return fd_take(&fd);
	for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; standard++) {
		if (tcgetpgrp(standard) >= 0)
			return fcntl(standard, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	}
	return -1;
}

static void hold_signals(struct child *child)
{
	sigset_t set;
	struct sigaction standard = { .sa_handler = SIG_DFL };

	held_signals(&set);
	/* The link outlives a reader of its messages. */
	sigaddset(&set, SIGPIPE);
	change_mask(SIG_BLOCK, &set, &child->mask);
	/* An ignored SIGCHLD would make the kernel reap the child unseen, wait(2). */
	set_action(SIGCHLD, &standard, &child->on_child);
}

/* The child's part of the start. */
static void begin(const struct child *child, const struct child_plan *plan, int parent, int *gate)
{
	if (!plan->outlives)
		child_die_with(parent, plan->death_signal ? plan->death_signal : SIGKILL);
	if (plan->new_session) {
		if (setsid() < 0)
			die_error(errno, "cannot start a session");
		if (!plan->keep_keyring)
			keyring_leave();
	} else if (child->apart && setpgid(0, 0) < 0) {
		die_error(errno, "cannot start a process group");
	}
	if (gate[0] >= 0)
		hide_pass_gate(gate);
	set_action(SIGCHLD, &child->on_child, NULL);
	change_mask(SIG_SETMASK, &child->mask, NULL);
}

/* From a stub to the link, which may have gone and left COMMAND alone (EPIPE). */
static void tell(int report, int status)
{
	for (int i = 0; i < TRIES; i++) {
		if (write(report, &status, sizeof(status)) == sizeof(status) || errno == EPIPE)
			return;
	}
	die_error(errno, "cannot report on COMMAND");
}

/* Stays as PID 1 and tells the link by REPORT of every stop and of the end of its child; returns in that child. */
static void become_stub(int report)
{
	struct child_plan plan = { .keep = { report } };
	struct child child;

	if (child_start(&child, &plan)) {
		close(report);
		return;
	}
	child.report = report;

	int status = child_wait(&child);

	tell(report, status);
	_exit(EXIT_SUCCESS);
}

/* Makes the pipe on which a stub reports; the reading end has this process told by SIGIO, fcntl(2). */
static void make_report(int report[2])
{
	if (pipe2(report, O_CLOEXEC) < 0 || fcntl(report[0], F_SETOWN, getpid()) < 0 ||
		fcntl(report[0], F_SETFL, O_ASYNC | O_NONBLOCK) < 0)
		die_error(errno, "cannot make a pipe");
}

/* A /proc of the own PID namespace: the one that is there, else one of its own, which needs no place to be mounted on; -1. */
static int open_proc(void)
{
	static const struct mounttree_option none[] = { { 0 } };
	char shown[16] = "", own[16];
	autoclose int proc = fd_try_open(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY);

	snprintf(own, sizeof(own), "%d", (int)getpid());
	if (proc >= 0 && readlinkat(proc, "self", shown, sizeof(shown) - 1) > 0 &&
		strcmp(shown, own) == 0)
		return fd_take(&proc);
	return mounttree_try_create("proc", none, 0);
}

/* The file in which the signal handlers of PID 1 of a namespace show. PROC was opened before the child could mount another. */
static int open_status(int proc, pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "%d/status", (int)pid);
	return proc < 0 ? -1 : fd_try_open(proc, path, O_RDONLY);
}

/* Never runs: the signals are held. But its being there tells a link outside, by left_to_default(), that somebody waits for them. */
static void caught(int signal)
{
	(void)signal;
}

/* The link's part of the start. */
static void stand_by(struct child *child, const struct child_plan *plan, int proc, int gate)
{
	enum { OWN = 4 };
	struct sigaction handler = { .sa_handler = caught };

	child->status = open_status(proc, child->pid);

	int keep[OWN + CHILD_KEEP] = { child->status, child->terminal, child->report, gate };

	memcpy(keep + OWN, plan->keep, sizeof(plan->keep));
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(*forwarded); i++)
		sigaction(forwarded[i], &handler, NULL);
	if (gate >= 0)
		hide_self(keep, OWN + CHILD_KEEP, true, gate);
	else
		hide_stand_back(keep, OWN + CHILD_KEEP);
}

static void fork_child(struct child *child, int cgroup)
{
	child->born = cgroup > 0;
	child->pid = clone_process(0, SIGCHLD, cgroup);
	/* clone3(2) came before its cgroup member did. */
	if (child->pid < 0 && child->born && (errno == ENOSYS || errno == E2BIG)) {
		child->born = false;
		child->pid = clone_process(0, SIGCHLD, 0);
	}
	if (child->pid < 0)
		die_hint(errno == EOPNOTSUPP ?
				"the cgroup above is threaded (cgroup.type): it takes no process" :
				errno == ENOMEM ?
				"a PID namespace whose PID 1 has ended takes no more processes" :
				NULL,
			errno, "cannot fork");
}

/* What the child does, which is who goes on. */
static void explain_start(const struct child_plan *plan)
{
	char signal[PARSE_SIGNAL];

	parse_name_signal(plan->death_signal ? plan->death_signal : SIGKILL, signal);
	explain_because(plan->init && !plan->stub ?
			"the child is PID 1 of the new PID namespace; the link waits outside" :
			"a child goes on, and the link waits for it");
	if (plan->cgroup > 0)
		explain_call("clone3({flags=CLONE_INTO_CGROUP, exit_signal=SIGCHLD, cgroup=%f})",
			plan->cgroup);
	else
		explain_call("clone3({flags=0, exit_signal=SIGCHLD})");
	if (!plan->outlives) {
		explain_because("it does not outlive the link");
		explain_call("prctl(PR_SET_PDEATHSIG, %s)", signal);
		/* See ids_keep_parent(). */
		prctl(PR_SET_PDEATHSIG,
			(unsigned long)(plan->death_signal ? plan->death_signal : SIGKILL), 0, 0, 0);
	}
	if (plan->new_session) {
		explain_because("it cannot put input into the terminal");
		explain_call("setsid()");
		if (!plan->keep_keyring)
			keyring_leave();
	}
	if (plan->stub) {
		explain_because("PID 1 stays as a stub that reaps orphans, and a child of it goes on");
		explain_call("clone3({flags=0, exit_signal=SIGCHLD})");
		explain_call("prctl(PR_SET_PDEATHSIG, SIGKILL)");
	}
}

bool child_start(struct child *child, const struct child_plan *plan)
{
	if (explain_is_on()) {
		explain_start(plan);
		*child = (struct child){ .born = plan->cgroup > 0 };
		return true;
	}

	int parent = open_self();
	int proc = plan->init ? open_proc() : -1;
	int gate[2] = { -1, -1 }, report[2] = { -1, -1 };

	/* Only then, because it costs time. Without it nothing that may fail is left to do after the fork. */
	if (!plan->new_pids && hide_is_needed())
		hide_make_gate(gate);
	*child = (struct child){ .status = -1, .terminal = find_terminal(), .init = plan->init };
	child->foreground = child->terminal >= 0 && tcgetpgrp(child->terminal) == getpgrp();
	/* kill(0) in a PID namespace would reach the link's process group outside; but a shell's job has to stay in it. */
	child->apart = plan->new_session || (plan->new_pids && child->terminal < 0);
	hold_signals(child);
	if (plan->stub)
		make_report(report);
	child->report = report[0];

	fork_child(child, plan->cgroup);
	if (child->pid > 0) {
		stand_by(child, plan, proc, gate[1]);
		/* All others of the above are closed now. */
		fd_close(&gate[1]);
		return false;
	}
	fd_close(&proc);
	fd_close(&child->terminal);
	fd_close(&report[0]);
	begin(child, plan, parent, gate);
	fd_close(&parent);
	if (plan->stub)
		become_stub(report[1]);
	return true;
}

/* Takes the masks in LINE of /proc/PID/status, if it is one of theirs, into *OTHERS. Returns how many. */
static size_t take_mask(char *line, uint64_t *others)
{
	static const char *const names[] = { "SigBlk", "SigIgn", "SigCgt" };
	const char *name = strsep(&line, ":");
	uint64_t mask;

	for (size_t i = 0; line && i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(name, names[i]) == 0 && !parse_hex(line + strspn(line, "\t"), &mask)) {
			*others |= mask;
			return 1;
		}
	}
	return 0;
}

/* Whether the child leaves SIGNAL to its default action: no handler, not ignored, not held back. */
static bool left_to_default(const struct child *child, int signal)
{
	int copy = child->status < 0 ? -1 : fcntl(child->status, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	FILE *file = copy < 0 ? NULL : fdopen(copy, "re");
	char *line = NULL;
	size_t size = 0, found = 0;
	uint64_t others = 0;

	if (!file)
		return false;
	rewind(file);
	while (getline(&line, &size, file) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		found += take_mask(line, &others);
	}
	free(line);
	fclose(file);
	return found == 3 && !(others >> (signal - 1) & 1);
}

static void forward(struct child *child, const siginfo_t *info)
{
	int signal = info->si_signo;
	bool harmless = signal == SIGWINCH || signal == SIGCONT;
	bool stops = signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;

	if (child->killed_for)
		return;
	if (child->init && !harmless && left_to_default(child, signal)) {
		*(stops ? &child->stopped_for : &child->killed_for) = signal;
		kill(child->pid, stops ? SIGSTOP : SIGKILL);
		return;
	}
	/* The terminal has sent it to every process of the group, so to the child as well. */
	if (info->si_code == SI_KERNEL && !child->apart)
		return;
	kill(child->pid, signal);
}

/* Stops as the child did, until somebody continues this process: SIGCONT then goes to the child by forward(). */
static void stop_too(struct child *child, int signal)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	struct sigaction before;
	sigset_t set, held;

	if (signal == SIGSTOP && child->stopped_for)
		signal = child->stopped_for;
	child->stopped_for = 0;
	sigemptyset(&set);
	sigaddset(&set, signal);
	sigaction(signal, &standard, &before);
	kill(getpid(), signal);
	sigprocmask(SIG_UNBLOCK, &set, &held);
	sigprocmask(SIG_SETMASK, &held, NULL);
	sigaction(signal, &before, NULL);
	/* Either somebody has continued this process, or nobody could: the kernel stops no orphaned group from the terminal, and no PID 1. */
	if (signal == SIGTSTP)
		kill(child->pid, SIGCONT);
}

/* The child stopped: so does this process, or, as a stub, has the link do so. */
static void follow_stop(struct child *child, int status)
{
	if (child->report < 0 || child->init)
		stop_too(child, WSTOPSIG(status));
	else
		tell(child->report, status);
}

static pid_t reap(int *status)
{
	pid_t pid = -1;

	errno = EINTR;
	for (int i = 0; i < TRIES && pid < 0 && errno != ECHILD; i++)
		pid = waitpid(-1, status, WNOHANG | WUNTRACED);
	return pid;
}

/*
 * Looks at the child after a SIGCHLD, which may stand for several changes. True when it has ended. Other processes are reaped on the way:
 * a link that is PID 1 of its namespace inherits all orphans.
 */
static bool has_ended(struct child *child, int *status)
{
	for (;;) {
		pid_t pid = reap(status);

		if (pid < 0)
			die_error(errno, "cannot wait for process %d", (int)child->pid);
		if (pid == 0)
			return false;
		if (pid != child->pid)
			continue;
		if (!WIFSTOPPED(*status))
			return true;
		follow_stop(child, *status);
	}
}

static bool take_report(int report, int *status)
{
	ssize_t count = -1;

	errno = EINTR;
	for (int i = 0; i < TRIES && count < 0 && errno != EAGAIN; i++)
		count = read(report, status, sizeof(*status));
	return count == sizeof(*status);
}

/* Takes what a stub has reported. *STATUS becomes how COMMAND ended, if that is among it. */
static void read_report(struct child *child, int *status)
{
	int reported;

	while (take_report(child->report, &reported)) {
		if (WIFSTOPPED(reported))
			stop_too(child, WSTOPSIG(reported));
		else
			*status = reported;
	}
}

/* How the child ended; behind a stub, how COMMAND did, unless the stub was killed. */
static int wait_for_end(struct child *child)
{
	bool reports = child->report >= 0 && child->init;
	int status, reported = -1;
	sigset_t set;
	siginfo_t info;

	held_signals(&set);
	while (!has_ended(child, &status)) {
		if (sigwaitinfo(&set, &info) < 0)
			continue;
		if (info.si_signo == SIGIO && reports)
			read_report(child, &reported);
		else if (info.si_signo != SIGCHLD)
			forward(child, &info);
	}
	if (reports)
		read_report(child, &reported);
	return reported >= 0 ? reported : status;
}

/* An interactive shell leaves the terminal with a process group that is gone by now. Nobody else's group is to lose it. */
static void take_terminal_back(const struct child *child)
{
	pid_t holder = child->foreground ? tcgetpgrp(child->terminal) : -1;

	if (holder > 0 && holder != getpgrp() && kill(-holder, 0) < 0 && errno == ESRCH)
		tcsetpgrp(child->terminal, getpgrp());
}

int child_wait(struct child *child)
{
	int status = wait_for_end(child);

	take_terminal_back(child);
	fd_close(&child->terminal);
	fd_close(&child->status);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && child->killed_for)
		return child->killed_for;
	return status;
}

void child_finish(int status)
{
	static const struct rlimit none = { 0, 0 };
	struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t set;

	if (!WIFSIGNALED(status))
		exit(WEXITSTATUS(status));

	/* COMMAND has dumped its core already. */
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	sigaction(WTERMSIG(status), &standard, NULL);
	sigemptyset(&set);
	sigaddset(&set, WTERMSIG(status));
	kill(getpid(), WTERMSIG(status));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	exit(128 + WTERMSIG(status));
}
