/* leftover: which groups are left over, by name, lock and maker. The groups are directories; with processes in them they are for cgrun.bats. */
#include "common/leftover.h"

#include "tests/unit/groups.h"

#include <sys/file.h>

/* The number of a process that was, and is no more. */
static int dead_pid(void)
{
	pid_t pid = tap_fork();

	if (pid == 0)
		_exit(0);
	tap_wait(pid);
	return (int)pid;
}

static int print_name(const void *data)
{
	char name[LEFTOVER_NAME];

	(void)data;
	leftover_make_name(name);
	printf("%d %s", (int)getpid(), name);
	return leftover_is_name(name) ? 42 : 1;
}

static void test_names(void)
{
	static const struct {
		const char *name;
		bool own;
	} rows[] = {
		{ "cgrun-1-00000000", true },
		{ "cgrun-1-00000000.exec", true },
		{ "cgrun-1-00000000.self", true },
		{ "cgrun", false },
		{ "cgrunner-1", false },
		{ "job", false },
		{ "xcgrun-1-00000000", false },
		{ "Cgrun-1-00000000", false },
		{ "", false },
	};
	struct outcome outcome = run(print_name, NULL), another = run(print_name, NULL);
	char wanted[64];
	int pid = (int)strtol(outcome.out, NULL, 10);
	const char *name = strchr(outcome.out, ' ');

	is_exit(&outcome, 42, "a name is made up");
	snprintf(wanted, sizeof(wanted), " cgrun-%d-", pid);
	ok(name && strncmp(name, wanted, strlen(wanted)) == 0 && strlen(name) == strlen(wanted) + 8 &&
			strspn(name + strlen(wanted), "0123456789abcdef") == 8,
		"... with the PID and something more");
	ok(strcmp(outcome.out, another.out) != 0, "... another process has another");
	for (size_t i = 0; i < TAP_ROWS(rows); i++)
		ok(leftover_is_name(rows[i].name) == rows[i].own, "'%s' is %ssuch a name",
			rows[i].name, rows[i].own ? "" : "not ");
}

static void test_lock(void)
{
	int lock, again;

	is_number(leftover_try_lock(groups_directory, "job"), -ENOENT, "lock what is not there");
	groups_make("job");
	lock = leftover_try_lock(groups_directory, "job");
	ok(lock >= 0, "lock a group");
	ok(fcntl(lock, F_GETFD) & FD_CLOEXEC, "... no program gets the lock");
	is_number(leftover_try_lock(groups_directory, "job"), -EWOULDBLOCK, "... not twice");
	close(lock);
	again = leftover_try_lock(groups_directory, "job");
	ok(again >= 0, "... but again when it is gone");
	close(again);
	make_file(groups_directory, "file", 0600, "");
	is_number(leftover_try_lock(groups_directory, "file"), -ENOTDIR, "lock what is no group");
	groups_clear("job");
}

/* --- sweeping --- */

struct sweeping {
	const char *name; /* '@' is the PID of a process that has ended, '!' of one that lives */
	bool locked;
	bool swept, swept_all;
};

static const struct sweeping sweepings[] = {
	{ "cgrun-@-0123abcd", false, true, true },
	{ "cgrun-@-0123abcd", true, false, false },
	{ "cgrun-!-0123abcd", false, false, true },
	{ "cgrun-!-0123abcd", true, false, false },
	{ "cgrun-@-0123abcd.exec", false, true, true },
	{ "cgrun-@-0123abcd.exec", true, false, false },
	{ "cgrun-!-0123abcd.exec", false, false, true },
	/* a room, which has its own end and nobody's lock */
	{ "cgrun-@-0123abcd.self", false, false, false },
	{ "cgrun-!-0123abcd.self", false, false, false },
	/* not of this making */
	{ "cgrun-@-0123abc", false, false, false },
	{ "cgrun-@-0123abcde", false, false, false },
	{ "cgrun-@-0123ABCD", false, false, false },
	{ "cgrun-@-0123abcg", false, false, false },
	{ "cgrun-@-0123abcd.other", false, false, false },
	{ "cgrun-@-0123abcd.exec2", false, false, false },
	{ "cgrun-@-0123abcd-2", false, false, false },
	{ "cgrun-@", false, false, false },
	{ "cgrun@-0123abcd", false, false, false },
	{ "mycgrun-@-0123abcd", false, false, false },
	{ "job", false, false, false },
	{ "job.exec", false, false, false },
	{ "cgrun-", false, false, false },
	{ "cgrun-tests", false, false, false },
	{ "cgrun-x-0123abcd", false, false, false },
	{ "cgrun-0-0123abcd", false, false, false },
	{ "cgrun-99999999999999999999-0123abcd", false, false, false },
};

static int sweep(const void *data)
{
	return leftover_sweep(groups_directory, *(const bool *)data) ? 42 : 43;
}

static void expand(const char *pattern, char *name, size_t size)
{
	size_t plain = strcspn(pattern, "@!");

	snprintf(name, size, "%.*s", (int)plain, pattern);
	if (pattern[plain])
		snprintf(name + plain, size - plain, "%d%s",
			pattern[plain] == '@' ? dead_pid() : (int)getpid(), pattern + plain + 1);
}

static void test_sweeps(void)
{
	for (size_t i = 0; i < 2 * TAP_ROWS(sweepings); i++) {
		const struct sweeping *row = &sweepings[i / 2];
		bool all = i % 2, swept = all ? row->swept_all : row->swept;
		char name[64];
		struct outcome outcome;

		expand(row->name, name, sizeof(name));
		groups_make(name);

		autoclose int lock = fd_open(groups_directory, name, O_RDONLY | O_DIRECTORY);

		if (row->locked && flock(lock, LOCK_EX) < 0)
			bail_out("cannot lock '%s'", name);
		outcome = run(sweep, &all);
		is_exit(&outcome, 42, "sweep %s%s%s", row->name, row->locked ? ", locked" : "",
			all ? ", among all" : "");
		is_text(outcome.err, "", "... without a message");
		ok((faccessat(groups_directory, name, F_OK, 0) < 0) == swept, "... it is %s",
			swept ? "gone" : "there");
		unlinkat(groups_directory, name, AT_REMOVEDIR);
	}
}

/* One that cannot be removed: it is no cgroup. */
static void test_stubborn(void)
{
	static const struct {
		const char *suffix;
		bool all;
		int status;
		const char *message; /* part of standard error; "" for nothing at all */
	} rows[] = {
		{ "", true, 43, "cannot remove the cgroup 'cgrun-" },
		{ "", false, 42, "" },
		{ ".exec", true, 42, "" },
		{ ".exec", false, 42, "" },
		{ ".self", true, 42, "" },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		int pid = dead_pid();
		char name[64], path[80], other[64];

		snprintf(name, sizeof(name), "cgrun-%d-00000000%s", pid, rows[i].suffix);
		snprintf(path, sizeof(path), "%s/file", name);
		snprintf(other, sizeof(other), "cgrun-%d-00000001", pid);
		groups_write(path, "");
		groups_make(other);

		struct outcome outcome = run(sweep, &rows[i].all);

		is_exit(&outcome, rows[i].status, "sweep what stays, '%s'", rows[i].suffix);
		if (rows[i].message[0])
			has_text(outcome.err, rows[i].message, "... message");
		else
			is_text(outcome.err, "", "... without a message");
		ok(faccessat(groups_directory, other, F_OK, 0) < 0, "... the others are gone");
		unlinkat(groups_directory, path, 0);
		unlinkat(groups_directory, name, AT_REMOVEDIR);
	}
}

/* --- removing one --- */

/* Exits with 42 for success, and 2 more if there was one. */
static int remove_one(const void *data)
{
	bool found = false;

	(void)data;
	return 43 - leftover_remove(groups_directory, "job", &found) + 2 * found;
}

static void test_remove(void)
{
	struct outcome outcome = run(remove_one, NULL);
	int lock;

	is_exit(&outcome, 42, "remove what is not there");
	is_text(outcome.err, "", "... without a message");
	groups_make("job/below/it");
	outcome = run(remove_one, NULL);
	is_exit(&outcome, 45, "remove a directory that is no group, with others in it");
	unlinkat(groups_directory, "job/below/it", AT_REMOVEDIR);
	unlinkat(groups_directory, "job/below", AT_REMOVEDIR);
	lock = leftover_try_lock(groups_directory, "job");
	outcome = run(remove_one, NULL);
	is_exit(&outcome, 45, "remove one that is in use");
	has_text(outcome.err, "cannot remove the cgroup 'job': Resource temporarily unavailable\n",
		"... the message");
	has_text(outcome.err, "hint: it holds processes, or a live cgrun uses it\n", "... the hint");
	close(lock);
	outcome = run(remove_one, NULL);
	is_exit(&outcome, 44, "remove one");
	is_text(outcome.err, "", "... without a message");
	ok(faccessat(groups_directory, "job", F_OK, 0) < 0, "... it is gone");
}

int main(void)
{
	groups_begin();
	test_names();
	test_lock();
	test_sweeps();
	test_stubborn();
	test_remove();
	groups_end();
	return tap_end();
}
