#include "common/child.h"

#include "common/fd.h"
#include "common/mounttree.h"
#include "common/parse.h"
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the link hears of, besides the state of its child. */
static const int forwarded[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH,
	SIGCONT, SIGTSTP };

static void held_signals(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(*forwarded); i++)
		sigaddset(set, forwarded[i]);
	sigaddset(set, SIGCHLD);
}

/* clone(2) without a stack is fork(2); EXIT_SIGNAL 0 is the kind of child that only __WALL waits for. */
static pid_t clone_process(int exit_signal, int cgroup)
{
	struct clone_args arguments = {
		.flags = cgroup > 0 ? CLONE_INTO_CGROUP : 0,
		.exit_signal = (unsigned int)exit_signal,
		.cgroup = cgroup > 0 ? (unsigned int)cgroup : 0,
	};
	pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));

	if (pid < 0 && errno == ENOSYS && cgroup <= 0)
		pid = (pid_t)syscall(SYS_clone, (long)exit_signal, NULL, NULL, NULL, 0L);
	return pid;
}

pid_t child_fork_helper(void)
{
	pid_t pid = clone_process(0, 0);

	if (pid < 0)
		die_error(errno, "cannot fork");
	return pid;
}

int child_reap_helper(pid_t helper)
{
	int status;

	while (waitpid(helper, &status, __WALL) < 0) {
		if (errno != EINTR)
			die_error(errno, "cannot wait for process %d", (int)helper);
	}
	return status;
}

void child_die_with(int parent, int signal)
{
	struct pollfd ended = { .fd = parent, .events = POLLIN };

	if (prctl(PR_SET_PDEATHSIG, (unsigned long)signal, 0, 0, 0) < 0)
		die_error(errno, "cannot set the parent-death signal");
	/* Only a parent that dies from now on is noticed; getppid() is 0 in a new PID namespace, so it cannot tell. */
	if (poll(&ended, 1, 0) != 0)
		exit(STATUS_FAILED);
}

/* Whether everybody who can see this process can see the machine's PID 1 as well, so that hiding would hide nothing. */
static bool in_initial_pid_namespace(void)
{
	char target[64];
	ssize_t length = readlink("/proc/self/ns/pid", target, sizeof(target) - 1);

	/* PROC_PID_INIT_INO of linux/proc_ns.h */
	return length > 0 && strncmp(target, "pid:[4026531836]", (size_t)length) == 0;
}

/* Leaves the link with an empty read-only root in a mount namespace of its own; without the privilege it is as it was. */
static void leave_root(void)
{
	static const struct mounttree_option empty[] = { { "mode", "0" }, { 0 } };

	if (unshare(CLONE_NEWNS) < 0)
		return;
	mounttree_propagate(MS_PRIVATE);

	autoclose int root = fd_open(AT_FDCWD, "/", O_PATH | O_DIRECTORY);
	autoclose int tree = mounttree_try_create("tmpfs", empty, MOUNT_ATTR_RDONLY);
	int error = tree < 0 ? tree : mounttree_try_attach(tree, root);

	if (error == 0)
		error = mounttree_try_pivot(tree);
	if (error < 0)
		die_error(-error, "cannot leave the root file system while waiting");
}

/*
 * The files of a waiting process are nobody's business: a payload in the same PID namespace would see them in /proc. GATE is the write end
 * of a pipe on which somebody waits for this to be done, -1 where there is nothing to hide from.
 */
static void hide(const int keep[CHILD_KEEP], int status, int terminal, int gate)
{
	int kept[CHILD_KEEP + 3] = { status, terminal, gate };

	memcpy(kept + 3, keep, CHILD_KEEP * sizeof(*keep));
	fd_close_others(kept, CHILD_KEEP + 3);
	/* A pipe ends for its reader when COMMAND closes it, not when the link ends. */
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	fd_fill_standard();
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (gate < 0)
		return;
	leave_root();
	if (write(gate, "", 1) != 1)
		die_error(errno, "cannot tell that the waiting process is hidden");
}

/* A pipe to wait on until another process is hidden. Both ends are -1 where there is nothing to hide from. */
static void make_gate(int *gate)
{
	gate[0] = gate[1] = -1;
	if (!in_initial_pid_namespace() && pipe2(gate, O_CLOEXEC) < 0)
		die_error(errno, "cannot make a pipe");
}

/* Waits until the other side is hidden; if it died instead, this process does not go on. */
static void pass_gate(int *gate)
{
	char hidden;

	fd_close(&gate[1]);
	if (gate[0] >= 0 && read(gate[0], &hidden, 1) != 1)
		exit(STATUS_FAILED);
	fd_close(&gate[0]);
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
	autoclose int parent = open_self();
	int gate[2];

	make_gate(gate);

	pid_t watcher = child_fork_helper();

	if (watcher > 0) {
		pass_gate(gate);
		return watcher;
	}

	struct pollfd ended = { .fd = parent, .events = POLLIN };
	sigset_t all;

	/* Only SIGKILL, or the end of the PID namespace, ends it early. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	hide(keep, parent, -1, gate[1]);
	while (poll(&ended, 1, -1) < 0 && errno == EINTR)
		continue;
	clean_up(data);
	_exit(EXIT_SUCCESS);
}

void child_unwatch(pid_t watcher)
{
	kill(watcher, SIGKILL);
	child_reap_helper(watcher);
}

static int find_terminal(void)
{
	int fd = fd_try_open(AT_FDCWD, "/dev/tty", O_RDWR | O_NOCTTY);

	for (int standard = STDIN_FILENO; fd < 0 && standard <= STDERR_FILENO; standard++) {
		if (tcgetpgrp(standard) >= 0)
			fd = fcntl(standard, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	}
	return fd < 0 ? -1 : fd;
}

static void hold_signals(struct child *child)
{
	sigset_t set;
	struct sigaction standard = { .sa_handler = SIG_DFL };

	held_signals(&set);
	/* The link outlives a reader of its messages and a terminal that it is not in the foreground of. */
	sigaddset(&set, SIGPIPE);
	sigaddset(&set, SIGTTOU);
	sigprocmask(SIG_BLOCK, &set, &child->mask);
	/* An ignored SIGCHLD would make the kernel reap the child unseen, wait(2). */
	sigaction(SIGCHLD, &standard, &child->on_child);
}

/* The child's part of the start. */
static void begin(const struct child *child, const struct child_plan *plan, int parent, int *gate)
{
	if (!plan->outlives)
		child_die_with(parent, plan->death_signal ? plan->death_signal : SIGKILL);
	if (plan->new_session && setsid() < 0)
		die_error(errno, "cannot start a session");
	if (child->apart && !plan->new_session && setpgid(0, 0) < 0)
		die_error(errno, "cannot start a process group");
	pass_gate(gate);
	sigaction(SIGCHLD, &child->on_child, NULL);
	sigprocmask(SIG_SETMASK, &child->mask, NULL);
}

/*
 * The file in which the signal handlers of PID 1 of a namespace show. PROC was opened before the child could mount another /proc; it is of
 * no use if it counts the processes of another PID namespace.
 */
static int open_status(int proc, pid_t pid)
{
	char path[64], own[16];
	ssize_t length = proc < 0 ? -1 : readlinkat(proc, "self", own, sizeof(own) - 1);

	if (length < 0)
		return -1;
	own[length] = '\0';
	snprintf(path, sizeof(path), "%d", (int)getpid());
	if (strcmp(own, path) != 0)
		return -1;
	snprintf(path, sizeof(path), "%d/status", (int)pid);
	return fd_try_open(proc, path, O_RDONLY);
}

bool child_start(struct child *child, const struct child_plan *plan)
{
	autoclose int parent = open_self();
	autoclose int proc = plan->init ? fd_try_open(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY) : -1;
	int gate[2] = { -1, -1 };

	if (!plan->new_pids)
		make_gate(gate);
	*child = (struct child){ .status = -1, .terminal = find_terminal(), .init = plan->init };
	child->foreground = child->terminal >= 0 && tcgetpgrp(child->terminal) == getpgrp();
	/* kill(0) in a PID namespace would reach the link's process group outside; but a shell's job has to stay in it. */
	child->apart = plan->new_session || (plan->new_pids && child->terminal < 0);
	hold_signals(child);

	child->born = plan->cgroup > 0;
	child->pid = clone_process(SIGCHLD, plan->cgroup);
	/* clone3(2) came before its cgroup member did. */
	if (child->pid < 0 && child->born && (errno == ENOSYS || errno == E2BIG)) {
		child->born = false;
		child->pid = clone_process(SIGCHLD, 0);
	}
	if (child->pid < 0)
		die_error(errno, "cannot fork");
	if (child->pid == 0) {
		fd_close(&child->terminal);
		begin(child, plan, parent, gate);
		return true;
	}
	fd_close(&gate[0]);
	child->status = open_status(proc, child->pid);
	fd_close(&parent);
	fd_close(&proc);
	hide(plan->keep, child->status, child->terminal, gate[1]);
	fd_close(&gate[1]);
	return false;
}

/* Whether the child leaves SIGNAL to its default action: no handler, not ignored, not held back. */
static bool left_to_default(const struct child *child, int signal)
{
	static const char *const names[] = { "SigBlk", "SigIgn", "SigCgt" };
	char text[4096];
	char *cursor = text;
	ssize_t length = child->status < 0 ? -1 : pread(child->status, text, sizeof(text) - 1, 0);
	uint64_t others = 0, mask;
	size_t found = 0;

	if (length <= 0)
		return false;
	text[length] = '\0';
	for (char *line; (line = strsep(&cursor, "\n"));) {
		char *name = strsep(&line, ":\t");

		for (size_t i = 0; line && i < sizeof(names) / sizeof(*names); i++) {
			if (strcmp(name, names[i]) == 0 &&
				!parse_hex(line + strspn(line, "\t"), &mask)) {
				others |= mask;
				found++;
			}
		}
	}
	return found == sizeof(names) / sizeof(*names) && !(others >> (signal - 1) & 1);
}

static void forward(struct child *child, const siginfo_t *info)
{
	int signal = info->si_signo;
	bool harmless = signal == SIGWINCH || signal == SIGCONT;

	if (child->init && !harmless && left_to_default(child, signal)) {
		child->stood_for = signal;
		kill(child->pid, signal == SIGTSTP ? SIGSTOP : SIGKILL);
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

	if (signal == SIGSTOP && child->stood_for)
		signal = child->stood_for;
	child->stood_for = 0;
	sigemptyset(&set);
	sigaddset(&set, signal);
	sigaction(signal, &standard, &before);
	kill(getpid(), signal);
	sigprocmask(SIG_UNBLOCK, &set, &held);
	sigprocmask(SIG_SETMASK, &held, NULL);
	sigaction(signal, &before, NULL);
}

/*
 * Looks at the child after a SIGCHLD, which may stand for several changes. True when it has ended. Other processes are reaped on the way:
 * a link that is PID 1 of its namespace inherits all orphans.
 */
static bool has_ended(struct child *child, int *status)
{
	for (;;) {
		pid_t pid = waitpid(-1, status, WNOHANG | WUNTRACED);

		if (pid < 0 && errno != EINTR)
			die_error(errno, "cannot wait for process %d", (int)child->pid);
		if (pid == 0)
			return false;
		if (pid != child->pid)
			continue;
		if (!WIFSTOPPED(*status))
			return true;
		stop_too(child, WSTOPSIG(*status));
	}
}

int child_wait(struct child *child)
{
	sigset_t set;
	siginfo_t info;
	int status;

	held_signals(&set);
	while (!has_ended(child, &status)) {
		if (sigwaitinfo(&set, &info) > 0 && info.si_signo != SIGCHLD)
			forward(child, &info);
	}
	/* An interactive shell leaves the terminal with a process group that is gone now. */
	if (child->foreground && tcgetpgrp(child->terminal) != getpgrp())
		tcsetpgrp(child->terminal, getpgrp());
	fd_close(&child->terminal);
	fd_close(&child->status);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && child->stood_for)
		return child->stood_for;
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
