/*
 * grouptree: groups with processes and groups in them, on the hierarchies of this machine in which groups can be made: version 2, the freezer, and
 * one of version 1 where nothing can be frozen. Whatever the outcome, nothing stays behind.
 */
#include "common/grouptree.h"

#include "common/fd.h"
#include "common/hierarchy.h"
#include "tests/unit/tap.h"

#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

/* Forking processes end by themselves some time, should nobody kill them. */
enum { CHAIN_SECONDS = 30, DEEP = 600, FDS = 24 };

static struct place {
	const char *name;
	const char *controller;
	int version;
	int directory; /* of a group of the test's own, -1: there is none */
	char path[PATH_MAX];
} places[] = {
	{ "version 2", NULL, 2, -1, "" },
	{ "freezer", "freezer", 1, -1, "" },
	{ "pids", "pids", 1, -1, "" },
};
static const struct place *place; /* where the tests are being made */
static pid_t tester;

/* --- cleaning up, in another way than the module --- */

static void kill_processes(int directory)
{
	char text[65536];
	char *cursor = text;

	if (fd_try_read(directory, "cgroup.procs", text, sizeof(text)) < 0)
		return;
	for (char *line; (line = strsep(&cursor, "\n"));) {
		pid_t pid = (pid_t)strtol(line, NULL, 10);

		if (pid > 1)
			kill(pid, SIGKILL);
	}
}

static bool find_group(int directory, char *name, size_t size)
{
	DIR *entries = fdopendir(fd_try_open(directory, ".", O_RDONLY | O_DIRECTORY));
	bool found = false;

	for (struct dirent *entry; entries && !found && (entry = readdir(entries));) {
		found = entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
			strcmp(entry->d_name, "..") != 0;
		snprintf(name, size, "%s", entry->d_name);
	}
	if (entries)
		closedir(entries);
	return found;
}

/* Empties the group at DIRECTORY: down to a leaf, up again without it. */
static void scrub(int directory)
{
	autoclose int current = fd_open(directory, ".", O_PATH | O_DIRECTORY);
	char name[NAME_MAX + 1];
	int depth = 0;

	for (int tries = 0; tries < 100000; tries++) {
		fd_try_write(current, "freezer.state", "THAWED");
		fd_try_write(current, "cgroup.freeze", "0");
		kill_processes(current);

		bool found = find_group(current, name, sizeof(name));

		if (!found && depth == 0)
			return;
		if (found && unlinkat(current, name, AT_REMOVEDIR) == 0)
			continue;

		autoclose int next = fd_try_open(current, found ? name : "..", O_PATH | O_DIRECTORY);

		if (next < 0)
			continue;
		if (found && !find_group(next, name, sizeof(name))) {
			kill_processes(next);
			poll(NULL, 0, 1);
			if (tries % 2)
				continue;
		}
		depth += found ? 1 : -1;
		fd_close(&current);
		current = fd_take(&next);
	}
	note("could not clean up");
}

static void leave_places(void)
{
	if (getpid() != tester)
		return;
	for (size_t i = 0; i < TAP_ROWS(places); i++) {
		if (places[i].directory < 0)
			continue;
		scrub(places[i].directory);
		fd_close(&places[i].directory);
		for (int tries = 0; rmdir(places[i].path) < 0 && errno == EBUSY && tries < 1000;
			tries++)
			poll(NULL, 0, 1);
	}
}

/* --- who is killed when --- */

static bool watched;    /* from now on */
static int killed_warm; /* how many were killed in a group that was to be frozen first, but was not */

int kill(pid_t pid, int number)
{
	char state[16] = "FROZEN";

	if (watched)
		fd_try_read(place->directory, "job/freezer.state", state, sizeof(state));
	killed_warm += strcmp(state, "FROZEN") != 0;
	return (int)syscall(SYS_kill, pid, number);
}

/* --- where groups can be made --- */

static void find_place(struct place *into, const struct hierarchy_layout *layout)
{
	for (size_t i = 0; i < layout->count; i++) {
		const struct hierarchy *hierarchy = &layout->list[i];
		char word[32];

		snprintf(word, sizeof(word), ",%s,", into->controller ? into->controller : "");
		if (hierarchy->version != into->version ||
			(into->controller && !strstr(hierarchy->controllers, word)))
			continue;
		snprintf(into->path, sizeof(into->path), "%.*s/nschain-unit-%d", PATH_MAX - 64,
			hierarchy->own, (int)getpid());
		if (mkdir(into->path, 0755) < 0)
			return;
		into->directory = fd_open(AT_FDCWD, into->path, O_RDONLY | O_DIRECTORY);
		/* The test may make groups there, and yet may not move processes. */
		if (faccessat(into->directory, "cgroup.procs", W_OK, AT_EACCESS) < 0) {
			rmdir(into->path);
			fd_close(&into->directory);
		}
	}
}

static int probe(const void *data)
{
	(void)data;

	static struct hierarchy_layout layout;

	hierarchy_find_own(&layout);
	return 0;
}

static void find_places(void)
{
	static struct hierarchy_layout layout;

	tester = getpid();
	/* It dies where there are none. */
	if (run(probe, NULL).exited != 0)
		return;
	hierarchy_find_own(&layout);
	atexit(leave_places);
	for (size_t i = 0; i < TAP_ROWS(places); i++)
		find_place(&places[i], &layout);
}

/* --- processes --- */

enum kind { SLEEPS = 1, STOPPED = 2, FORKS = 4, CHAIN = 8, IGNORES = 16 };

static int64_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static _Noreturn void behave(enum kind kind)
{
	int64_t end = seconds() + CHAIN_SECONDS;

	if (kind == STOPPED)
		raise(SIGSTOP);
	if (kind == IGNORES) {
		for (int i = 1; i < NSIG; i++)
			signal(i, SIG_IGN);
	}
	while (seconds() < end) {
		/* One that forks and ends, its child does the same; or one that has ever more children. */
		pid_t pid = kind == CHAIN || kind == FORKS ? fork() : -1;

		if (pid > 0 && kind == CHAIN)
			_exit(0);
		if (pid == 0 && kind == FORKS) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			sleep(1);
			_exit(0);
		}
		if (kind == FORKS)
			poll(NULL, 0, 10);
		else if (kind != CHAIN)
			poll(NULL, 0, 1000);
	}
	_exit(0);
}

/* Starts a process in the group at DIRECTORY and waits until it is there. */
static pid_t start(int directory, enum kind kind)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) < 0)
		bail_out("cannot make a pipe");
	pid = tap_fork();
	if (pid == 0) {
		if (fd_try_write(directory, "cgroup.procs", "0") < 0)
			_exit(3);
		if (write(ready[1], "x", 1) != 1)
			_exit(4);
		close(ready[0]);
		close(ready[1]);
		behave(kind);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1) {
		fprintf(stderr, "cannot start a process in the group\n");
		exit(1);
	}
	close(ready[0]);
	if (kind == STOPPED)
		waitpid(pid, NULL, WUNTRACED);
	return pid;
}

/* --- scenarios --- */

struct scenario {
	const char *name;
	int depth; /* groups in groups; 0: there is no group */
	int width; /* groups in each */
	unsigned int at_top, at_middle, at_bottom, in_each;
	bool frozen, frozen_inside; /* the top, or the bottom */
};

enum { STARTED_MAX = 512 };

static pid_t started[STARTED_MAX];
static size_t started_count;

static void start_all(int directory, unsigned int kinds)
{
	for (unsigned int kind = 1; kind <= IGNORES; kind *= 2) {
		if (kinds & kind && started_count < STARTED_MAX)
			started[started_count++] = start(directory, kind);
	}
}

static void freeze(int directory)
{
	char state[16] = "";

	if (fd_try_write(directory, "cgroup.freeze", "1") == 0 ||
		fd_try_write(directory, "freezer.state", "FROZEN") < 0)
		return;
	for (int i = 0; i < 1000 && strcmp(state, "FROZEN") != 0; i++) {
		poll(NULL, 0, 1);
		fd_try_read(directory, "freezer.state", state, sizeof(state));
	}
}

/* Makes the group "job" with all that is in it. */
static void build(const struct scenario *scenario)
{
	autoclose int current = fd_open(place->directory, ".", O_PATH | O_DIRECTORY);
	autoclose int top = -1;
	char name[16];

	for (int level = 0; level < scenario->depth; level++) {
		snprintf(name, sizeof(name), "%s", level ? "group" : "job");
		if (mkdirat(current, name, 0755) < 0) {
			fprintf(stderr, "cannot make group %d: %s\n", level, strerror(errno));
			exit(1);
		}

		autoclose int next = fd_open(current, name, O_PATH | O_DIRECTORY);

		for (int i = 1; i < scenario->width; i++) {
			snprintf(name, sizeof(name), "side%d", i);
			if (mkdirat(next, name, 0755) == 0 && scenario->in_each) {
				autoclose int side = fd_open(next, name, O_PATH | O_DIRECTORY);

				start_all(side, scenario->in_each);
			}
		}
		start_all(next,
			scenario->in_each | (level == 0 ? scenario->at_top : 0) |
				(level == scenario->depth / 2 ? scenario->at_middle : 0) |
				(level == scenario->depth - 1 ? scenario->at_bottom : 0));
		if (level == 0)
			top = fd_open(next, ".", O_PATH | O_DIRECTORY);
		fd_close(&current);
		current = fd_take(&next);
	}
	if (scenario->frozen_inside)
		freeze(current);
	if (scenario->frozen)
		freeze(top);
}

static bool is_there(void)
{
	return faccessat(place->directory, "job", F_OK, 0) == 0;
}

/* Exits with 42 if it is all gone, with no more files open than there were and few at a time. */
static int destroy(const void *data)
{
	struct rlimit limit;
	int before, after;

	build(data);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = FDS;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1;
	before = dup(0);
	close(before);
	watched = true;
	if (!grouptree_destroy(place->directory, "job", 0))
		return 43;
	after = dup(0);
	if (before != after)
		return 4;
	if (killed_warm)
		return 5;
	if (is_there())
		return 2;
	for (size_t i = 0; i < started_count; i++) {
		int status = tap_wait(started[i]);

		/* Of a chain the first one ends by itself. */
		if (!(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) &&
			!(WIFEXITED(status) && WEXITSTATUS(status) == 0))
			return 3;
	}
	return 42;
}

static const struct scenario destroyed[] = {
	{ "what is not there", 0 },
	{ "an empty group", 1 },
	{ "a group of groups", 4, 3 },
	{ "a process", 1, 1, .at_top = SLEEPS },
	{ "a process that ignores all signals", 1, 1, .at_top = IGNORES },
	{ "a stopped process", 1, 1, .at_top = STOPPED },
	{ "a process that has ever more children", 1, 1, .at_top = FORKS },
	{ "processes in groups below", 4, 3, .in_each = SLEEPS },
	{ "stopped and forking processes in groups below", 4, 3, .in_each = STOPPED | FORKS },
	{ "a process below empty groups", 5, 1, .at_bottom = SLEEPS },
	{ "a frozen group", 2, 2, .in_each = SLEEPS, .frozen = true },
	{ "a frozen group with a stopped process", 1, 1, .at_top = STOPPED | SLEEPS, .frozen = true },
	{ "a group that is frozen below", 3, 2, .in_each = SLEEPS, .frozen_inside = true },
	{ "a group that is frozen, and below as well", 3, 2, .in_each = SLEEPS, .frozen = true,
		.frozen_inside = true },
	{ "deeper than there are fds", DEEP, 3 },
	{ "... with a process at the top", DEEP, 3, .at_top = SLEEPS },
	{ "... with processes half way down", DEEP, 3, .at_middle = SLEEPS | STOPPED },
	{ "... with processes at the bottom", DEEP, 3, .at_bottom = SLEEPS | FORKS },
};

/* Only what can be frozen, or killed at once, holds still. */
static const struct scenario chained[] = {
	{ "a process that forks and ends", 1, 1, .at_top = CHAIN },
	{ "... in groups below", 3, 2, .in_each = CHAIN },
	{ "... deeper than there are fds", DEEP, 1, .at_bottom = CHAIN },
};

static void check_destroyed(const struct scenario *scenario)
{
	struct outcome outcome = run(destroy, scenario);

	is_exit(&outcome, 42, "%s: destroy %s", place->name, scenario->name);
	is_text(outcome.err, "", "... without a message");
	ok(!is_there(), "... it is gone");
	scrub(place->directory);
}

/* --- pruning --- */

static bool count_groups(void *data, int directory, const char *name)
{
	autoclose int group = fd_try_open(directory, name, O_PATH | O_DIRECTORY);

	++*(int *)data;
	grouptree_visit(group, count_groups, data);
	return true;
}

/* Exits with what it returns, 100 more if a process was killed, 50 more if something was removed beside one. */
static int prune(const void *data)
{
	const struct scenario *scenario = data;
	int error, before = 0, after = 0;

	build(data);
	if (scenario->depth < DEEP)
		grouptree_visit(place->directory, count_groups, &before);
	error = -grouptree_try_prune(place->directory, "job");
	if (scenario->depth < DEEP)
		grouptree_visit(place->directory, count_groups, &after);
	if (started_count && before != after)
		error += 50;
	for (size_t i = 0; i < started_count; i++) {
		if (waitpid(started[i], NULL, WNOHANG) != 0)
			error += 100;
		kill(started[i], SIGKILL);
	}
	return error;
}

static void check_pruned(void)
{
	static const struct {
		struct scenario scenario;
		int error;
	} rows[] = {
		{ { "what is not there", 0 }, ENOENT },
		{ { "an empty group", 1 }, 0 },
		{ { "groups of groups", 4, 3 }, 0 },
		{ { "groups deeper than there are fds", DEEP, 2 }, 0 },
		{ { "a group with a process", 1, 1, .at_top = SLEEPS }, EBUSY },
		{ { "a process at the top of groups", 3, 3, .at_top = SLEEPS }, EBUSY },
		{ { "a process in a group below", 3, 3, .at_bottom = SLEEPS }, EBUSY },
		{ { "a process half way down", 5, 2, .at_middle = STOPPED }, EBUSY },
		{ { "a process in each", 3, 3, .in_each = SLEEPS }, EBUSY },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		struct outcome outcome = run(prune, &rows[i].scenario);

		is_exit(&outcome, rows[i].error, "%s: prune %s", place->name, rows[i].scenario.name);
		is_text(outcome.err, "", "... without a message");
		ok(is_there() == (rows[i].error == EBUSY), "... it is %s",
			rows[i].error == EBUSY ? "there" : "gone");
		scrub(place->directory);
	}
}

/* --- once, and only the one that is meant --- */

static int destroy_another(const void *data)
{
	static const struct scenario one = { "", 1, 1, .at_top = SLEEPS };
	struct stat status;
	int error = -EBUSY;

	(void)data;
	build(&one);
	if (fstatat(place->directory, "job", &status, 0) < 0)
		return 1;
	if (!grouptree_destroy(place->directory, "job", status.st_ino + 1) ||
		grouptree_try_destroy(place->directory, "job", status.st_ino + 1) != 0)
		return 2;
	if (!is_there() || waitpid(started[0], NULL, WNOHANG) != 0)
		return 3;
	for (int i = 0; i < 1000 && error == -EBUSY; i++)
		error = grouptree_try_destroy(place->directory, "job", status.st_ino);
	if (error != 0 || is_there() || !WIFSIGNALED(tap_wait(started[0])))
		return 4;
	return grouptree_try_destroy(place->directory, "job", 0) == 0 ? 42 : 5;
}

static void check_another(void)
{
	struct outcome outcome = run(destroy_another, NULL);

	is_exit(&outcome, 42, "%s: a group of another inode is left alone", place->name);
	is_text(outcome.err, "", "... without a message");
	scrub(place->directory);
}

/* --- visiting --- */

struct seen {
	int a, b, others;
	bool opened;
	bool enough;
};

static bool see(void *data, int directory, const char *name)
{
	struct seen *seen = data;
	autoclose int group = fd_try_open(directory, name, O_PATH | O_DIRECTORY);

	seen->a += strcmp(name, "a") == 0;
	seen->b += strcmp(name, "b") == 0;
	seen->others += name[0] != 'a' && name[0] != 'b';
	seen->opened = seen->opened && group >= 0;
	return !seen->enough;
}

static void check_visits(void)
{
	struct seen none = { .opened = true }, two = { .opened = true }, bad = { .opened = true };
	struct seen one = { .enough = true };
	autoclose int path = fd_open(place->directory, ".", O_PATH | O_DIRECTORY);

	grouptree_visit(place->directory, see, &none);
	ok(none.a == 0 && none.b == 0 && none.others == 0, "%s: visit no groups", place->name);
	mkdirat(place->directory, "a", 0755);
	mkdirat(place->directory, "a/c", 0755);
	mkdirat(place->directory, "b", 0755);
	mkdirat(place->directory, ".d", 0755);
	grouptree_visit(path, see, &two);
	ok(two.a == 1 && two.b == 1, "%s: visit two groups", place->name);
	ok(two.others == 1 && two.opened, "... and one with a dot, not what is in them, nor files");
	grouptree_visit(path, see, &one);
	is_number(one.a + one.b + one.others, 1, "... no more than asked for");
	grouptree_visit(-1, see, &bad);
	ok(bad.a == 0 && bad.b == 0 && bad.others == 0, "... nor what cannot be read");
	scrub(place->directory);
}

static volatile pid_t worker;

static void end_worker(int number)
{
	(void)number;
	/* Not the kill() of this program; a bare system call is safe. */
	syscall(SYS_kill, worker, SIGKILL); /* NOLINT */
}

/* Cleans up also when the tests are ended from outside: they go on in a child of the one that does. */
static void guard(void)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	int status;

	worker = tap_fork();
	if (worker == 0) {
		alarm(0);
		return;
	}
	for (size_t i = 0; i < TAP_ROWS(signals); i++)
		signal(signals[i], end_worker);
	status = tap_wait(worker);
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

int main(void)
{
	find_places();
	guard();
	for (size_t i = 0; i < TAP_ROWS(places); i++) {
		place = &places[i];
		if (place->directory < 0) {
			skip(place->name, "no groups can be made there");
			continue;
		}
		check_visits();
		check_another();
		check_pruned();
		for (size_t j = 0; j < TAP_ROWS(destroyed); j++)
			check_destroyed(&destroyed[j]);
		for (size_t j = 0; i < 2 && j < TAP_ROWS(chained); j++)
			check_destroyed(&chained[j]);
	}
	return tap_end();
}
