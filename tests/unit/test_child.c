/*
 * child: a waiting process that is to its parent what its child is. Three processes: the test, the link that it forks, and the child that the
 * link starts. They tell each other by pipes and by their ends; the end of a pipe tells that a process is gone.
 */
#include "common/child.h"

#include "common/fd.h"
#include "tests/unit/tap.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum { LAST_SIGNAL = 64 };

/* What the links and children of a test write, and what they wait on. */
struct wires {
	int say[2];
	int hear[2];
};

static struct wires wires;

static void lay_wires(void)
{
	if (pipe2(wires.say, O_CLOEXEC) < 0 || pipe2(wires.hear, O_CLOEXEC) < 0)
		bail_out("cannot make a pipe");
}

/* The test's side, after the fork: only others hold the end to write. */
static void hold_own_ends(void)
{
	fd_close(&wires.say[1]);
	fd_close(&wires.hear[0]);
}

static void cut_wires(void)
{
	for (int i = 0; i < 2; i++) {
		fd_close(&wires.say[i]);
		fd_close(&wires.hear[i]);
	}
}

static void say(const char *text)
{
	if (write(wires.say[1], text, strlen(text)) != (ssize_t)strlen(text))
		_exit(99);
}

/* Waits until everybody has closed the wire; what they said. */
static const char *hear_all(void)
{
	static char text[256];

	return read_to_end(wires.say[0], text, sizeof(text)) ? text : "(still open)";
}

/* Waits for COUNT bytes. */
static const char *hear(size_t count)
{
	static char text[64];
	size_t used = 0;

	while (used < count) {
		struct pollfd ready = { .fd = wires.say[0], .events = POLLIN };

		if (poll(&ready, 1, TAP_SECONDS * 1000) <= 0)
			break;

		ssize_t length = read(wires.say[0], text + used, count - used);

		if (length <= 0)
			break;
		used += (size_t)length;
	}
	text[used] = '\0';
	return text;
}

static _Noreturn void wait_for_end(void)
{
	for (;;)
		pause();
}

/* The default of everything, whatever the test was started with and the sanitizers have set. */
static void reset_signals(void)
{
	sigset_t none;

	for (int signal_number = 1; signal_number <= LAST_SIGNAL; signal_number++)
		signal(signal_number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A link: starts CHILD by PLAN, waits for it and ends as it did. */
static _Noreturn void be_link(
	const struct child_plan *plan, void (*body)(const void *data), const void *data)
{
	struct child child;

	if (child_start(&child, plan)) {
		body(data);
		_exit(98);
	}
	child_finish(child_wait(&child));
}

/* Forks a link that runs BODY(DATA) as its child. */
static pid_t start_link(
	const struct child_plan *plan, void (*body)(const void *data), const void *data)
{
	pid_t pid = tap_fork();

	if (pid == 0) {
		setpgid(0, 0);
		reset_signals();
		be_link(plan, body, data);
	}
	return pid;
}

/* --- how it ends --- */

static void end_with(const void *data)
{
	_exit(*(const int *)data);
}

static void die_of(const void *data)
{
	const struct rlimit core = { 0, RLIM_INFINITY };

	setrlimit(RLIMIT_CORE, &core);
	kill(getpid(), *(const int *)data);
	wait_for_end();
}

static void test_ends(void)
{
	static const int statuses[] = { 0, 1, 42, 125, 126, 127, 128, 255 };
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGABRT, SIGBUS, SIGFPE,
		SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGSYS, SIGTRAP,
		SIGXCPU, 40, 64 };
	const struct child_plan plan = { .init = false };

	for (size_t i = 0; i < TAP_ROWS(statuses); i++) {
		int status = tap_wait(start_link(&plan, end_with, &statuses[i]));

		ok(WIFEXITED(status) && WEXITSTATUS(status) == statuses[i], "exit status %d",
			statuses[i]);
	}
	for (size_t i = 0; i < TAP_ROWS(signals); i++) {
		int status = tap_wait(start_link(&plan, die_of, &signals[i]));

		ok(WIFSIGNALED(status) && WTERMSIG(status) == signals[i], "death by signal %d",
			signals[i]);
		ok(!WCOREDUMP(status), "... without a core dump");
	}
}

/* What the link was started with does not change how it ends. */
static void test_ends_anyhow(void)
{
	static const struct {
		const char *name;
		int ignored, blocked;
	} rows[] = {
		{ "SIGCHLD ignored", SIGCHLD, 0 },
		{ "SIGCHLD blocked", 0, SIGCHLD },
		{ "SIGCHLD ignored and blocked", SIGCHLD, SIGCHLD },
		{ "SIGTERM ignored", SIGTERM, 0 },
		{ "SIGTERM blocked", 0, SIGTERM },
	};
	static const int forty_two = 42, killer = SIGKILL;
	const struct child_plan plan = { .init = false };

	for (size_t i = 0; i < 2 * TAP_ROWS(rows); i++) {
		bool killed = i % 2;
		pid_t pid = tap_fork();

		if (pid == 0) {
			sigset_t set;

			reset_signals();
			sigemptyset(&set);
			if (rows[i / 2].blocked)
				sigaddset(&set, rows[i / 2].blocked);
			sigprocmask(SIG_SETMASK, &set, NULL);
			if (rows[i / 2].ignored)
				signal(rows[i / 2].ignored, SIG_IGN);
			be_link(&plan, killed ? die_of : end_with, killed ? &killer : &forty_two);
		}
		is_number(tap_wait(pid), killed ? SIGKILL : 42 << 8, "%s: %s", rows[i / 2].name,
			killed ? "death by a signal" : "exit status");
	}
}

/* A link that has SIGTERM ignored and blocked still dies of it as its child did. */
static void test_finish(void)
{
	static const int deaths[] = { SIGTERM, SIGKILL, SIGSEGV, SIGQUIT, 64 };

	for (size_t i = 0; i < TAP_ROWS(deaths); i++) {
		pid_t pid = tap_fork();

		if (pid == 0) {
			sigset_t all;

			sigfillset(&all);
			sigprocmask(SIG_BLOCK, &all, NULL);
			signal(deaths[i], SIG_IGN);
			child_finish(deaths[i]);
		}
		is_number(tap_wait(pid), deaths[i],
			"child_finish of signal %d, blocked and ignored", deaths[i]);
	}
}

/* --- what the child is given --- */

static void on_signal(int signal_number)
{
	(void)signal_number;
}

struct signal_state {
	sigset_t mask;
	struct sigaction actions[LAST_SIGNAL + 1];
};

static void read_signals(struct signal_state *state)
{
	memset(state, 0, sizeof(*state));
	sigprocmask(SIG_SETMASK, NULL, &state->mask);
	for (int i = 1; i <= LAST_SIGNAL; i++)
		sigaction(i, NULL, &state->actions[i]);
}

/* Exits with 42 if all is as in the link before, else with the number of the first signal that is not. */
static void compare_signals(const void *data)
{
	const struct signal_state *before = data;
	struct signal_state now;

	read_signals(&now);
	for (int i = 1; i <= LAST_SIGNAL; i++) {
		if (sigismember(&now.mask, i) != sigismember(&before->mask, i))
			_exit(100 + i);
		if (now.actions[i].sa_handler != before->actions[i].sa_handler ||
			now.actions[i].sa_flags != before->actions[i].sa_flags)
			_exit(i);
	}
	_exit(42);
}

static void set_signals(bool many)
{
	sigset_t set;

	reset_signals();
	if (!many)
		return;
	signal(SIGHUP, on_signal);
	signal(SIGUSR1, on_signal);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	signal(SIGTSTP, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, 40);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

static void test_signal_state(void)
{
	for (int many = 0; many < 2; many++) {
		const struct child_plan plan = { .init = false };
		pid_t pid = tap_fork();

		if (pid == 0) {
			struct signal_state before;

			set_signals(many);
			read_signals(&before);
			be_link(&plan, compare_signals, &before);
		}

		int status = tap_wait(pid);

		ok(WIFEXITED(status) && WEXITSTATUS(status) == 42,
			"mask and dispositions are unchanged in the child, %s",
			many ? "many set" : "none set");
		if (status != 42 << 8)
			note("wait status %#x", (unsigned int)status);
	}
}

/* A non-standard fd, and the standard ones, which the link closes for itself only. */
static void compare_files(const void *data)
{
	const struct stat *before = data;
	struct stat now;

	for (int fd = 0; fd < 4; fd++) {
		if (fstat(fd < 3 ? fd : 200, &now) < 0 || now.st_ino != before[fd].st_ino ||
			now.st_rdev != before[fd].st_rdev)
			_exit(fd);
	}
	_exit(fcntl(200, F_GETFD) == 0 ? 42 : 4);
}

static void test_files_of_child(void)
{
	const struct child_plan plan = { .init = false };
	pid_t pid = tap_fork();

	if (pid == 0) {
		struct stat before[4];

		dup2(STDERR_FILENO, 200);
		for (int fd = 0; fd < 4; fd++)
			fstat(fd < 3 ? fd : 200, &before[fd]);
		be_link(&plan, compare_files, before);
	}
	is_number(tap_wait(pid), 42 << 8, "the child has the files of the link");
}

static void tell_session(const void *data)
{
	const pid_t *link = data;
	char text[64];

	snprintf(text, sizeof(text), "%s%s",
		getsid(0) == getpid() ? "own session" : "session of the link",
		getpgrp() == getpid()               ? ", own group" :
			getpgrp() == getpgid(*link) ? ", group of the link" :
						      "");
	say(text);
	_exit(0);
}

static void test_session(void)
{
	for (int new_session = 0; new_session < 2; new_session++) {
		const struct child_plan plan = { .new_session = new_session };

		lay_wires();

		pid_t pid = tap_fork();

		if (pid == 0) {
			pid_t self = getpid();

			be_link(&plan, tell_session, &self);
		}
		hold_own_ends();
		is_text(hear_all(),
			new_session ? "own session, own group" :
				      "session of the link, group of the link",
			"session and process group, new_session %d", new_session);
		is_number(tap_wait(pid), 0, "... and it ends well");
		cut_wires();
	}
}

/* --- what the link keeps --- */

/* The fds of the link while it waits, told by the link's child through the link's /proc, which is shut: so by the other ends. */
static void test_files_of_link(void)
{
	int kept[2], closed[2];
	char text[8];
	struct pollfd ends[2];

	lay_wires();
	if (pipe2(kept, O_CLOEXEC) < 0 || pipe2(closed, O_CLOEXEC) < 0)
		bail_out("cannot make a pipe");

	pid_t pid = tap_fork();

	if (pid == 0) {
		const struct child_plan plan = { .keep = { kept[1] } };
		struct child child;

		fd_close(&wires.hear[1]);
		if (child_start(&child, &plan)) {
			close(kept[1]);
			close(closed[1]);
			say("!");
			(void)!read(wires.hear[0], text, 1);
			_exit(0);
		}
		child_finish(child_wait(&child));
	}
	hold_own_ends();
	close(kept[1]);
	close(closed[1]);
	is_text(hear(1), "!", "the child is up");
	ok(read_to_end(closed[0], text, sizeof(text)), "the link closes what it does not keep");
	ends[0] = (struct pollfd){ .fd = kept[0], .events = POLLIN };
	is_number(poll(ends, 1, 0), 0, "... and keeps what the plan says");
	(void)!write(wires.hear[1], "!", 1);
	is_number(tap_wait(pid), 0, "... to the end");
	ok(read_to_end(kept[0], text, sizeof(text)), "... then it is closed");
	close(kept[0]);
	close(closed[0]);
	cut_wires();
}

/* Not dumpable: its /proc files belong to root, and nobody of its own user may look. */
static void test_hidden(void)
{
	char path[64], target[64];
	struct stat status;

	lay_wires();

	pid_t pid = tap_fork();

	if (pid == 0) {
		const struct child_plan plan = { .keep = { wires.say[1] } };
		struct child child;

		fd_close(&wires.hear[1]);
		if (child_start(&child, &plan)) {
			(void)!read(wires.hear[0], target, 1);
			_exit(0);
		}
		say(prctl(PR_GET_DUMPABLE) == 0 ? "hidden" : "seen");
		child_finish(child_wait(&child));
	}
	hold_own_ends();
	is_text(hear(6), "hidden", "a waiting link is not dumpable");
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	ok(stat(path, &status) == 0 && status.st_uid == 0, "its /proc directory is root's");
	snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
	if (geteuid() == 0)
		skip("its /proc/PID/root is shut", "root may look");
	else
		ok(readlink(path, target, sizeof(target)) < 0 && errno == EACCES,
			"its /proc/PID/root is shut");
	(void)!write(wires.hear[1], "!", 1);
	is_number(tap_wait(pid), 0, "... to the end");
	cut_wires();
}

/* --- signals and stops --- */

/* Waits for one signal of those that are blocked and exits with its number. */
static void wait_for_signal(const void *data)
{
	sigset_t set;
	int got = 0;

	(void)data;
	sigprocmask(SIG_SETMASK, NULL, &set);
	sigwait(&set, &got);
	_exit(got);
}

static void test_forwarding(void)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH,
		SIGCONT, SIGTSTP };
	const struct child_plan plan = { .init = false };

	for (size_t i = 0; i < TAP_ROWS(signals); i++) {
		pid_t pid = tap_fork();

		if (pid == 0) {
			sigset_t set;

			reset_signals();
			/* The child inherits it, so that nothing is lost before it waits. */
			sigemptyset(&set);
			sigaddset(&set, signals[i]);
			sigprocmask(SIG_SETMASK, &set, NULL);
			kill(getpid(), signals[i]);
			be_link(&plan, wait_for_signal, NULL);
		}
		is_number(tap_wait(pid), signals[i] << 8, "signal %d to the link reaches the child",
			signals[i]);
	}
}

static void stop_and_end(const void *data)
{
	kill(getpid(), *(const int *)data);
	_exit(42);
}

static void test_stops(void)
{
	static const int signals[] = { SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU };
	const struct child_plan plan = { .init = false };

	for (size_t i = 0; i < TAP_ROWS(signals); i++) {
		pid_t pid = start_link(&plan, stop_and_end, &signals[i]);
		int status;

		/* The link's group has its parent, this process, outside, so it is no orphan and may stop. */
		if (waitpid(pid, &status, WUNTRACED) != pid)
			bail_out("cannot wait");
		ok(WIFSTOPPED(status) && WSTOPSIG(status) == signals[i],
			"the child stops by signal %d, so does the link", signals[i]);
		kill(pid, SIGCONT);
		is_number(tap_wait(pid), 42 << 8, "... SIGCONT lets both go on");
	}
}

static void stop_twice(const void *data)
{
	kill(getpid(), SIGSTOP);
	stop_and_end(data);
}

static void test_stops_again(void)
{
	static const int signal_number = SIGTSTP;
	const struct child_plan plan = { .init = false };
	pid_t pid = start_link(&plan, stop_twice, &signal_number);
	int status = 0;

	waitpid(pid, &status, WUNTRACED);
	ok(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP, "a first stop");
	kill(pid, SIGCONT);
	waitpid(pid, &status, WUNTRACED);
	ok(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP, "... and a second by another signal");
	kill(pid, SIGCONT);
	is_number(tap_wait(pid), 42 << 8, "... and the end");
}

/* Leaves an orphan to the link, which ends, and goes on until the link has taken notice of that. */
static void leave_orphan(const void *data)
{
	int tell[2];
	pid_t orphan = 0;

	(void)data;
	if (pipe2(tell, O_CLOEXEC) < 0)
		_exit(97);

	pid_t pid = fork();

	if (pid == 0) {
		orphan = fork();
		if (orphan == 0)
			_exit(1);
		_exit(write(tell[1], &orphan, sizeof(orphan)) == sizeof(orphan) ? 0 : 96);
	}
	if (waitpid(pid, NULL, 0) != pid || read(tell[0], &orphan, sizeof(orphan)) != sizeof(orphan))
		_exit(95);
	alarm(TAP_SECONDS);
	while (kill(orphan, 0) == 0)
		sched_yield();
	_exit(42);
}

/* A link may be given orphans, as PID 1 of a namespace is: only the end of its child is its own. */
static void test_orphans(void)
{
	const struct child_plan plan = { .init = false };
	pid_t pid = tap_fork();

	if (pid == 0) {
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		reset_signals();
		be_link(&plan, leave_orphan, NULL);
	}
	is_number(tap_wait(pid), 42 << 8, "an orphan that the link is given is reaped and no more");
}

/* --- the end of the parent --- */

static void on_term(int signal_number)
{
	(void)signal_number;
	(void)!write(wires.say[1], "T", 1);
	_exit(0);
}

static void live_on(const void *data)
{
	char byte;

	if (data)
		signal(*(const int *)data, on_term);
	fd_close(&wires.hear[1]);
	say("!");
	/* Ends when the test says so, or gives up. */
	if (read(wires.hear[0], &byte, 1) == 1)
		say("alive");
	_exit(0);
}

static void test_parent_death(void)
{
	static const int term = SIGTERM;
	static const struct {
		const char *name;
		struct child_plan plan;
		const int *handled;
		const char *last;
	} rows[] = {
		{ "the child dies with its link", { .init = false }, NULL, "" },
		{ "... in a session of its own", { .new_session = true }, NULL, "" },
		{ "... whatever it handles", { .init = false }, &term, "" },
		{ "... by the signal of the plan", { .death_signal = SIGTERM }, &term, "T" },
		{ "... or outlives it", { .outlives = true }, NULL, "alive" },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		lay_wires();

		pid_t pid = start_link(&rows[i].plan, live_on, rows[i].handled);

		hold_own_ends();
		is_text(hear(1), "!", "%s: it is up", rows[i].name);
		kill(pid, SIGKILL);
		is_number(tap_wait(pid), SIGKILL, "... the link is killed");
		/* The link is gone, and with it goes the child, unless it reads this. */
		if (rows[i].plan.outlives)
			(void)!write(wires.hear[1], "!", 1);
		is_text(hear_all(), rows[i].last, "%s", rows[i].name);
		cut_wires();
	}
}

/* --- helpers --- */

static void test_helper(void)
{
	static const int statuses[] = { 0, 42, 255 };

	for (size_t i = 0; i < 2 * TAP_ROWS(statuses); i++) {
		int wanted = statuses[i / 2];
		pid_t pid;

		signal(SIGCHLD, i % 2 ? SIG_IGN : SIG_DFL);
		pid = child_fork_helper(0);
		if (pid == 0)
			_exit(wanted);
		is_number(child_reap_helper(pid), wanted << 8, "a helper ends with %d, SIGCHLD %s",
			wanted, i % 2 ? "ignored" : "default");
	}
	signal(SIGCHLD, SIG_DFL);

	pid_t pid = child_fork_helper(0);

	if (pid == 0)
		wait_for_end();
	is_number(waitpid(-1, NULL, WNOHANG), -1,
		"a helper is none of the children that wait(2) knows");
	kill(pid, SIGKILL);
	is_number(child_reap_helper(pid), SIGKILL, "... it is reaped all the same");
}

/* --- the watcher --- */

static void clean_up(void *data)
{
	say(data);
}

enum way { KILLED, EXITS, UNWATCHED, WATCHER_SIGNALLED, GROUP_KILLED };

static _Noreturn void be_watched(enum way way)
{
	static char text[] = "clean ";
	const int keep[CHILD_KEEP] = { wires.say[1] };
	char byte;

	fd_close(&wires.hear[1]);
	setpgid(0, 0);
	if (way == GROUP_KILLED)
		say("!");

	pid_t watcher = child_watch(clean_up, text, keep);

	/* What comes after is the process's own: the watcher has its memory as it was. */
	text[0] = 'X';
	if (way == GROUP_KILLED)
		kill(0, SIGKILL);
	if (way == UNWATCHED)
		child_unwatch(watcher);
	if (way == WATCHER_SIGNALLED) {
		/* Those that libc keeps to itself, 32 and 33, it does not let anybody block. */
		for (int i = 1; i <= LAST_SIGNAL; i++) {
			if (i != SIGKILL && i != SIGSTOP && (i < 32 || i > 34))
				kill(watcher, i);
		}
	}
	say("!");
	if (way == KILLED || way == WATCHER_SIGNALLED)
		wait_for_end();
	_exit(read(wires.hear[0], &byte, 1) == 1 ? 42 : 96);
}

static void test_watcher(void)
{
	static const struct {
		const char *name;
		enum way way;
		int status;
		const char *last;
	} rows[] = {
		{ "killed", KILLED, SIGKILL, "clean " },
		{ "exits", EXITS, 42 << 8, "clean " },
		{ "unwatched, then exits", UNWATCHED, 42 << 8, "" },
		/* From the moment that child_watch() has returned nothing but the watcher's own SIGKILL may keep it from its work. */
		{ "killed, the watcher got every signal before", WATCHER_SIGNALLED, SIGKILL, "clean " },
		{ "its process group killed", GROUP_KILLED, SIGKILL, "clean " },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		lay_wires();

		pid_t pid = tap_fork();

		if (pid == 0)
			be_watched(rows[i].way);
		hold_own_ends();
		is_text(hear(1), "!", "%s: it is watched", rows[i].name);

		struct pollfd early = { .fd = wires.say[0], .events = POLLIN };

		if (rows[i].way != GROUP_KILLED)
			is_number(poll(&early, 1, 0), 0, "... nothing is cleaned up yet");
		if (rows[i].way == KILLED || rows[i].way == WATCHER_SIGNALLED)
			kill(pid, SIGKILL);
		else if (rows[i].way != GROUP_KILLED)
			(void)!write(wires.hear[1], "!", 1);
		is_number(tap_wait(pid), rows[i].status, "... it ends");
		is_text(hear_all(), rows[i].last, "... cleaned up %s, and the watcher is gone",
			rows[i].last[0] ? "once" : "never");
		cut_wires();
	}
}

/* --- child_die_with --- */

static int die_with_the_dead(const void *data)
{
	const int *parent = data;

	child_die_with(*parent, SIGKILL);
	return 42;
}

static void test_die_with(void)
{
	pid_t pid = tap_fork();

	if (pid == 0)
		wait_for_end();

	int other = (int)syscall(SYS_pidfd_open, pid, 0);
	struct outcome outcome = run(die_with_the_dead, &other);

	is_exit(&outcome, 42, "child_die_with of a process that lives");
	kill(pid, SIGKILL);
	tap_wait(pid);
	outcome = run(die_with_the_dead, &other);
	is_exit(&outcome, 125, "... of one that is gone");
	close(other);
}

static void (*const tests[])(void) = { test_ends, test_ends_anyhow, test_finish, test_signal_state,
	test_files_of_child, test_session, test_files_of_link, test_hidden, test_forwarding,
	test_stops, test_stops_again, test_orphans, test_parent_death, test_die_with, test_helper,
	test_watcher };

int main(void)
{
	/* What has ended too early shows as a failed check. */
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < TAP_ROWS(tests); i++)
		tests[i]();
	return tap_end();
}
