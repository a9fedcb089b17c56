/*
 * cgroup: which hierarchies a group has a part in, what is written where and what is made of it, on directories with files that only look like
 * cgroups. How the kernel answers is for the tests of the programs.
 */
#include "common/cgroup.h"

#include "common/report.h"
#include "tests/unit/groups.h"

#include <sys/file.h>

enum { CONTROLLERS_MAX = 6, HIERARCHIES = 4 };

struct planned {
	const char *name;
	const char *hierarchies[HIERARCHIES];
	const char *controllers[CONTROLLERS_MAX]; /* asked for; with '?' as a wish */
	const char *found;                        /* their versions */
	const char *branches;                     /* the hierarchies that have a part, by number */
	const char *enable, *wish;
};

static const struct planned plans[] = {
	{ "version 2", { "2 ,cpu,memory,pids," }, { "memory", "pids" }, "22", "0", "+memory +pids",
		"" },
	{ "version 2, nothing asked", { "2 ,cpu,memory,pids," }, { NULL }, "", "0", "", "" },
	{ "version 2, twice the same", { "2 ,cpu,memory," }, { "cpu", "cpu", "memory", "cpu" },
		"2222", "0", "+cpu +memory", "" },
	{ "version 2, a name that is part of another", { "2 ,cpuset,cpu,io," },
		{ "cpuset", "cpu", "io" }, "222", "0", "+cpuset +cpu +io", "" },
	{ "version 2, the other way round", { "2 ,cpuset,cpu," }, { "cpu", "cpuset" }, "22", "0",
		"+cpu +cpuset", "" },
	{ "version 2, not there", { "2 ,cpu," }, { "memory", "cpu" }, "02", "0", "+cpu", "" },
	{ "version 2, part of a name", { "2 ,cpuset," }, { "cpu", "set", "cpu,set" }, "000", "0",
		"", "" },
	{ "version 2, wishes", { "2 ,cpu,memory,io," }, { "?io", "memory", "?cpu", "?io" }, "2222",
		"0", "+memory", "+io +cpu" },
	{ "version 2, wished and needed", { "2 ,cpu," }, { "?cpu", "cpu" }, "22", "0", "+cpu", "+cpu" },
	{ "version 2, a wish that is not there", { "2 ,cpu," }, { "?io", "?cp" }, "00", "0", "", "" },
	{ "version 1, by freezer", { "1 ,memory,", "1 ,freezer,", "1 ,pids," }, { "pids" }, "1",
		"12", "", "" },
	{ "version 1, without freezer", { "1 ,memory,", "1 ,pids," }, { "pids" }, "1", "01", "", "" },
	{ "version 1, mounted together", { "1 ,cpu,cpuacct,", "1 ,freezer," },
		{ "cpu", "cpuacct", "cpu" }, "111", "10", "", "" },
	{ "version 1, wishes", { "1 ,cpu,", "1 ,freezer," }, { "?cpu", "?io" }, "10", "10", "", "" },
	{ "both, by version 2", { "1 ,memory,", "1 ,freezer,", "2 ,," }, { "memory" }, "1", "20",
		"", "" },
	{ "both, a controller on each", { "1 ,memory,", "2 ,pids," }, { "pids", "memory" }, "21",
		"10", "+pids", "" },
	{ "both, a wish on each", { "1 ,memory,", "2 ,pids," }, { "?pids", "?memory" }, "21", "10",
		"", "+pids" },
};

/* The parents of GROUP are the own groups, and no program that is run gets them. */
static bool has_parents(const struct cgroup *group)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct cgroup_branch *branch = &group->branches[i];
		struct stat wanted, got;

		if (stat(branch->hierarchy->own, &wanted) < 0 || fstat(branch->parent, &got) < 0 ||
			wanted.st_ino != got.st_ino || branch->state != CGROUP_ABSENT ||
			branch->directory != -1 || !(fcntl(branch->parent, F_GETFD) & FD_CLOEXEC))
			return false;
	}
	return true;
}

static int plan(const void *data)
{
	static struct hierarchy_layout layout;
	const struct planned *planned = data;
	struct cgroup *group;
	char prefix[32];

	make_layout(&layout, planned->hierarchies);
	group = cgroup_plan(&layout, NULL, false);
	for (size_t i = 0; planned->controllers[i]; i++) {
		bool wish = planned->controllers[i][0] == '?';

		printf("%d",
			cgroup_plan_controller(group, &layout, planned->controllers[i] + wish, wish));
	}
	printf("|");
	for (size_t i = 0; i < group->count; i++)
		printf("%d", (int)(group->branches[i].hierarchy - layout.list));
	printf("|%s|%s", group->subtree.enable, group->subtree.wish);
	if (!has_parents(group))
		return 1;
	snprintf(prefix, sizeof(prefix), "cgrun-%d-", (int)getpid());
	if (strncmp(group->name, prefix, strlen(prefix)) != 0 || strchr(group->name, '/'))
		return 2;
	return strncmp(group->subtree.room, prefix, strlen(prefix)) == 0 &&
			subtree_is_room(group->subtree.room) && !subtree_is_room(group->name) ?
		42 :
		3;
}

static void test_plans(void)
{
	for (size_t i = 0; i < TAP_ROWS(plans); i++) {
		struct outcome outcome = run(plan, &plans[i]);
		char wanted[128];

		snprintf(wanted, sizeof(wanted), "%s|%s|%s|%s", plans[i].found, plans[i].branches,
			plans[i].enable, plans[i].wish);
		is_exit(&outcome, 42, "plan: %s", plans[i].name);
		is_text(outcome.out, wanted, "... versions, hierarchies, what to enable, wishes");
	}
}

/* Whether the name of a group says what is to become of it when its maker has died. */
static int plan_name(const void *data)
{
	static struct hierarchy_layout layout;
	const char *name = data;

	make_layout(&layout, (const char *const[]){ "2 ,,", NULL });
	printf("%s\n", cgroup_plan(&layout, name, true)->name);
	printf("%s\n", cgroup_plan(&layout, name, false)->name);
	return 42;
}

static void test_stays(void)
{
	struct outcome outcome = run(plan_name, "job");
	size_t length;

	is_exit(&outcome, 42, "a name that is given");
	is_text(outcome.out, "job\njob\n", "... is the name, whether the group stays or not");
	outcome = run(plan_name, NULL);
	length = strcspn(outcome.out, "\n");
	is_exit(&outcome, 42, "a name of its own");
	ok(length > 5 && strncmp(outcome.out + length - 5, ".exec\n", 6) == 0,
		"... of one that stays ends so");
	ok(strlen(outcome.out) > 2 && !strstr(outcome.out + length, ".exec"),
		"... and of another does not");
}

static const char *const many[] = { "1 ,a,", "1 ,b,", "1 ,c,", "1 ,d,", "1 ,e,", "1 ,f,", "1 ,g,",
	"1 ,h,", "1 ,i,", "1 ,j,", "1 ,k,", "1 ,l,", "1 ,m,", "1 ,n,", "1 ,o,", NULL };

static int plan_all(const void *data)
{
	static struct hierarchy_layout layout;
	struct cgroup *group;

	make_layout(&layout, many);
	layout.count = *(const size_t *)data;
	group = cgroup_plan(&layout, "job", false);
	for (size_t i = 0; i < layout.count; i++)
		cgroup_plan_controller(group, &layout, (char[]){ (char)('a' + i), '\0' }, false);
	return group->count == layout.count && strcmp(group->name, "job") == 0 && has_parents(group) ?
		42 :
		1;
}

/* What a process that was forked meanwhile sees of it. */
static int share(const void *data)
{
	static struct hierarchy_layout layout;
	struct cgroup *group;
	pid_t child;

	(void)data;
	make_layout(&layout, (const char *const[]){ "1 ,memory,", NULL });
	group = cgroup_plan(&layout, "job", false);
	child = tap_fork();
	if (child == 0)
		_exit(cgroup_create(group, 0) ? 0 : 1);
	tap_wait(child);
	return group->branches[0].state == CGROUP_MADE && cgroup_destroy(group) &&
			strcmp(groups_read("0/job/nothing"), "(unreadable)") == 0 ?
		42 :
		1;
}

static void test_plan_all(void)
{
	for (size_t count = 1; count <= CGROUP_BRANCHES + 1; count++) {
		struct outcome outcome = run(plan_all, &count);

		is_exit(&outcome, count > CGROUP_BRANCHES ? STATUS_FAILED : 42,
			"plan of all %zu hierarchies", count);
		has_text(outcome.err, count > CGROUP_BRANCHES ? "more than 14 cgroup hierarchies" : "",
			"... message");
	}

	struct outcome outcome = run(share, NULL);

	is_exit(&outcome, 42, "what another process has made can be destroyed");
	ok(faccessat(groups_directory, "0/job", F_OK, 0) < 0, "... and is gone");
}

static void test_names(void)
{
	static char longest[300], longer[300];
	static const struct {
		const char *name;
		const char *reason; /* part of it; NULL: it is one */
	} rows[] = {
		{ "job", NULL },
		{ "a", NULL },
		{ "my job", NULL },
		{ "job.slice", NULL },
		{ "a..b", NULL },
		{ "-", NULL },
		{ "--help", NULL },
		{ "cgrun", NULL },
		{ ".hidden", NULL },
		{ "...", NULL },
		{ "..a", NULL },
		{ "cgrunner", NULL },
		{ "mycgrun-1-2", NULL },
		{ "\xc3\xbc", NULL },
		{ longest, NULL },
		{ longer, "is too long" },
		{ "", "is empty" },
		{ "/", "has a '/'" },
		{ "a/b", "has a '/'" },
		{ "/a", "has a '/'" },
		{ "a/", "has a '/'" },
		{ ".", "is not a name that a group can have" },
		{ "..", "is not a name that a group can have" },
		{ "a\nb", "is not a name that a group can have" },
		{ "\n", "is not a name that a group can have" },
		{ "cgrun-", "begins with 'cgrun-'" },
		{ "cgrun-1-00000000", "begins with 'cgrun-'" },
		{ "cgrun-1-00000000.self", "begins with 'cgrun-'" },
	};

	memset(longest, 'x', NAME_MAX - strlen(".self") - 1);
	memset(longer, 'x', NAME_MAX - strlen(".self"));
	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		const char *reason = cgroup_check_name(rows[i].name);

		if (rows[i].reason)
			has_text(reason ? reason : "taken", rows[i].reason, "the name '%.40s'",
				tap_show(rows[i].name));
		else
			is_text(reason, NULL, "the name '%.40s'", tap_show(rows[i].name));
	}
}

static int keep(const void *data)
{
	const struct cgroup group = { .count = 3,
		.branches = { { .parent = 7, .directory = 17 }, { .parent = 9, .directory = -1 },
			{ .parent = 8, .directory = 18 } } };
	static const int wanted[] = { 7, 17, 9, -1, 8, 18, -2, -2 };
	int places = *(const int *)data;
	int kept[8] = { -2, -2, -2, -2, -2, -2, -2, -2 };

	cgroup_keep(&group, kept, (size_t)places);
	return memcmp(kept, wanted, sizeof(kept)) == 0 ? 42 : 1;
}

static void test_keep(void)
{
	for (int places = 4; places <= 8; places++) {
		struct outcome outcome = run(keep, &places);

		is_exit(&outcome, places < 6 ? STATUS_FAILED : 42, "keep 6 fds in %d places", places);
	}
}

/* --- its files --- */

static const char *const mixed[] = { "1 ,cpu,cpuacct,", "1 ,memory,", "2 ,pids,", NULL };

static void test_files(const struct cgroup *group)
{
	static const struct {
		const char *file;
		const char *path; /* the file that it has to be */
	} rows[] = {
		{ "memory.limit", "1/job/memory.limit" },
		{ "cpu.shares", "0/job/cpu.shares" },
		{ "cpuacct.usage", "0/job/cpuacct.usage" },
		{ "pids.max", "2/job/pids.max" },
		/* of no controller here: of the first hierarchy */
		{ "cgroup.freeze", "0/job/cgroup.freeze" },
		{ "cpuset.cpus", "0/job/cpuset.cpus" },
		{ "cpus.x", "0/job/cpus.x" },
		{ "memory", "1/job/memory" },
	};
	char text[16];

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		const char *file = rows[i].file;

		is_number(cgroup_try_write(group, file, "1"), -ENOENT, "write %s: not there", file);
		is_number(cgroup_try_read(group, file, text, sizeof(text)), -ENOENT, "... nor read");
		groups_write(rows[i].path, "old 123456789\n");
		is_number(cgroup_try_read(group, file, text, sizeof(text)), 13, "... read");
		is_text(text, "old 123456789", "... what is in it");
		is_number(cgroup_try_read(group, file, text, 8), -EFBIG, "... too much");
		is_number(cgroup_try_write(group, file, "new"), 0, "... written");
		is_text(groups_read(rows[i].path), "new 123456789", "... to %s", rows[i].path);
		unlinkat(groups_directory, rows[i].path, 0);
	}
}

static void test_directories(const struct cgroup *group)
{
	static const struct {
		const char *controller;
		int branch; /* -1: none */
		int version;
	} rows[] = {
		{ "memory", 1, 1 },
		{ "cpu", 0, 1 },
		{ "cpuacct", 0, 1 },
		{ "pids", 2, 2 },
		{ "cpuset", -1, 0 },
		{ "cp", -1, 0 },
		{ "devices", -1, 0 },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		int version = 0;
		int directory = cgroup_directory(group, rows[i].controller, &version);

		is_number(directory,
			rows[i].branch < 0 ? -1 : group->branches[rows[i].branch].directory,
			"the directory for %s", rows[i].controller);
		is_number(version, rows[i].version, "... its version");
	}
}

static void test_count(const struct cgroup *group)
{
	static const struct {
		const char *content;
		const char *key;
		bool there;
		uint64_t wanted;
	} rows[] = {
		{ "5\n", NULL, true, 5 },
		{ "0", NULL, true, 0 },
		{ "18446744073709551615\n", NULL, true, UINT64_MAX },
		{ "max\n", NULL, false, 0 },
		{ "", NULL, false, 0 },
		{ "-1\n", NULL, false, 0 },
		{ "5\n6\n", NULL, false, 0 },
		{ "low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\n", "oom_kill", true, 5 },
		{ "low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\n", "oom", true, 4 },
		{ "low 1\nhigh 2\nmax 3\noom_kill 5\n", "oom", false, 0 },
		{ "oom_kill 5\noom 4", "oom", true, 4 },
		{ "oom_kill 5\n", "kill", false, 0 },
		{ "oom_kill\n", "oom_kill", false, 0 },
		{ "oom_kill \n", "oom_kill", false, 0 },
		{ "oom_kill x\n", "oom_kill", false, 0 },
		{ "oom_kill  5\n", "oom_kill", false, 0 },
		{ "", "oom_kill", false, 0 },
		{ "\n\n", "oom_kill", false, 0 },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		uint64_t value = 12345;

		groups_write("1/job/memory.events", rows[i].content);
		ok(cgroup_try_count(group, "memory.events", rows[i].key, &value) == rows[i].there,
			"count %s in '%s'", rows[i].key ? rows[i].key : "all",
			tap_show(rows[i].content));
		is_number((long long)value, (long long)(rows[i].there ? rows[i].wanted : 12345),
			"... the number");
	}

	uint64_t value = 12345;

	unlinkat(groups_directory, "1/job/memory.events", 0);
	ok(!cgroup_try_count(group, "memory.events", NULL, &value) && value == 12345,
		"no count of a file that is not there");
}

/* Whether the other process that a lock would be taken by finds the directory of BRANCH locked. */
static int is_locked(const void *data)
{
	autoclose int fd = fd_open(groups_directory, data, O_RDONLY | O_DIRECTORY);

	return flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK ? 42 : 1;
}

static void test_made(const struct cgroup *group)
{
	for (int i = 0; i < 3; i++) {
		const struct cgroup_branch *branch = &group->branches[i];
		struct stat named, opened;
		char path[16];

		snprintf(path, sizeof(path), "%d/job", i);
		ok(fstatat(groups_directory, path, &named, 0) == 0 &&
				fstat(branch->directory, &opened) == 0 &&
				named.st_ino == opened.st_ino,
			"... in hierarchy %d", i);
		ok(branch->state == CGROUP_MADE, "... it knows that");
		ok(fcntl(branch->directory, F_GETFD) & FD_CLOEXEC, "... no program gets it");

		struct outcome outcome = run(is_locked, path);

		is_exit(&outcome, 42, "... it is locked");
	}
}

static void test_group(void)
{
	static struct hierarchy_layout layout;
	static struct cgroup group;

	make_layout(&layout, mixed);
	make_group(&group, &layout);
	is_number(cgroup_try_write(&group, "pids.max", "1"), -EBADF, "nothing to write to yet");
	ok(cgroup_create(&group, 0), "a group is made");
	test_made(&group);
	test_files(&group);
	test_directories(&group);
	test_count(&group);
	is_number(cgroup_birthplace(&group), group.branches[2].directory,
		"processes are born in the group of version 2");
	group.count = 2;
	is_number(cgroup_birthplace(&group), 0, "version 1 has no birthplace");
	group.count = 3;
	ok(cgroup_destroy(&group), "the group is removed");
	for (int i = 0; i < 3; i++) {
		char path[16];

		snprintf(path, sizeof(path), "%d/job", i);
		ok(faccessat(groups_directory, path, F_OK, 0) < 0, "... from hierarchy %d", i);
	}
	ok(cgroup_destroy(&group), "removing what is not there is no mistake");
	close_group(&group);
}

/* --- what version 1 asks for --- */

static int create_cpuset(const void *data)
{
	static struct hierarchy_layout layout;
	static struct cgroup group;

	(void)data;
	make_layout(&layout, (const char *const[]){ "1 ,cpu,cpuset,", NULL });
	make_group(&group, &layout);
	return cgroup_create(&group, 0) ? 42 : 43;
}

static void test_cpuset(void)
{
	struct outcome outcome = run(create_cpuset, NULL);

	is_exit(&outcome, 43, "a cpuset below one that has no CPUs to read");
	has_text(outcome.err, "cannot write 'cpuset.cpus': No such file", "... the message");
	groups_clear("0");
	groups_write("0/cpuset.cpus", "0-1\n");
	groups_write("0/cpuset.mems", "0\n");
	outcome = run(create_cpuset, NULL);
	is_exit(&outcome, 43, "... or has none to write");
	has_text(outcome.err, "cannot write 'cpuset.cpus': No such file", "... the message");
	groups_clear("0");
}

/* --- delegation, freezing --- */

static int delegate(const void *data)
{
	static struct hierarchy_layout layout;
	static struct cgroup group;

	make_layout(&layout, mixed);
	make_group(&group, &layout);
	if (!cgroup_create(&group, 0))
		return 1;
	groups_write("0/job/tasks", "");
	groups_write("0/job/cgroup.procs", "");
	groups_write("0/job/cpu.shares", "");
	groups_write("1/job/tasks", "");
	groups_write("2/job/cgroup.procs", "");
	groups_write("2/job/cgroup.threads", "");
	groups_write("2/job/pids.max", "");
	groups_write("2/job/memory.oom.group", data);
	return cgroup_delegate(&group, 12345, 23456) ? 42 : 43;
}

static void test_delegate(void)
{
	static const struct {
		const char *path;
		bool given;
	} rows[] = {
		{ "0/job", true },
		{ "0/job/tasks", true },
		{ "0/job/cgroup.procs", true },
		{ "0/job/cpu.shares", false },
		{ "1/job", true },
		{ "1/job/tasks", true },
		{ "2/job", true },
		{ "2/job/cgroup.procs", true },
		{ "2/job/cgroup.threads", true },
		{ "2/job/pids.max", false },
		/* It is set, so it is a limit. */
		{ "2/job/memory.oom.group", false },
		{ "2", false },
	};
	struct outcome outcome = run(delegate, "1\n");

	if (geteuid() != 0) {
		is_exit(&outcome, 43, "only root can give a group away");
		has_text(outcome.err, "cannot change the owner of the cgroup's 'directory'",
			"... the message");
	} else {
		is_exit(&outcome, 42, "a group is given away");
		is_text(outcome.err, "", "... without a message");
	}
	for (size_t i = 0; geteuid() == 0 && i < TAP_ROWS(rows); i++) {
		struct stat status;

		if (fstatat(groups_directory, rows[i].path, &status, 0) < 0)
			bail_out("'%s' is not there", rows[i].path);
		ok((status.st_uid == 12345) == rows[i].given &&
				(status.st_gid == 23456) == rows[i].given,
			"... %s is %sgiven", rows[i].path, rows[i].given ? "" : "not ");
	}
	groups_clear("0");
	groups_clear("1");
	groups_clear("2");
}

static int freeze(const void *data)
{
	static struct hierarchy_layout layout;
	static struct cgroup group;

	make_layout(&layout, data);
	make_group(&group, &layout);
	for (size_t i = 0; i < group.count; i++) {
		char path[32];

		snprintf(path, sizeof(path), "%zu/job", i);
		groups_make(path);
		group.branches[i].directory = fd_open(groups_directory, path, O_PATH | O_DIRECTORY);
	}
	return cgroup_freeze(&group) ? 42 : 43;
}

static void test_freeze(void)
{
	static const char *const new[] = { "2 ,,", NULL };
	static const char *const old[] = { "1 ,memory,", "1 ,freezer,", NULL };
	struct outcome outcome;

	groups_write("0/job/cgroup.freeze", "0");
	outcome = run(freeze, new);
	is_exit(&outcome, 42, "freeze on version 2");
	is_text(groups_read("0/job/cgroup.freeze"), "1", "... by cgroup.freeze");
	groups_clear("0");
	groups_write("1/job/freezer.state", "THAWED");
	outcome = run(freeze, old);
	is_exit(&outcome, 42, "freeze on version 1");
	is_text(groups_read("1/job/freezer.state"), "FROZEN", "... by freezer.state");
	groups_clear("1");
	outcome = run(freeze, old);
	is_exit(&outcome, 43, "freeze without a file for it");
	has_text(outcome.err, "hint: this needs version 2 of Linux 5.2, or the freezer",
		"... the hint");
	groups_clear("0");
	groups_clear("1");
}

/* --- version 2; what is handed down is for test_subtree --- */

static const char *const unified[] = { "2 ,memory,pids,cpu,cpuset,", NULL };

static int create_unified(const void *data)
{
	static struct hierarchy_layout layout;
	static struct cgroup group;

	make_layout(&layout, unified);
	make_group(&group, &layout);
	snprintf(group.subtree.enable, sizeof(group.subtree.enable), "%s", (const char *)data);
	return cgroup_create(&group, 0) ? 42 : 43;
}

static void test_unified(void)
{
	static const struct {
		const char *name;
		const char *enable;
		const char *type; /* NULL: the root of the hierarchy */
		const char *processes;
		int status;
		const char *after; /* handed down */
		const char *message;
	} rows[] = {
		{ "nothing needed", "", "domain", "1\n", 42, "", "" },
		{ "a controller", "+memory", "domain", "", 42, "+memory", "" },
		{ "a controller at the root", "+memory", NULL, "1\n", 42, "+memory", "" },
		{ "a controller above others", "+memory", "domain", "1\n", 43, "",
			"holds other processes" },
		{ "below a threaded group", "", "threaded", "", 43, "",
			"its cgroup.type is 'threaded'" },
		{ "below one that is invalid so", "+memory", "domain invalid", "", 43, "",
			"its cgroup.type is 'domain invalid'" },
		{ "below one that has threaded groups", "", "domain threaded", "", 43, "",
			"its cgroup.type is 'domain threaded'" },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		groups_clear("0");
		groups_write("0/cgroup.subtree_control", "");
		groups_write("0/cgroup.procs", rows[i].processes);
		if (rows[i].type)
			groups_write("0/cgroup.type", rows[i].type);

		struct outcome outcome = run(create_unified, rows[i].enable);

		is_exit(&outcome, rows[i].status, "version 2: %s", rows[i].name);
		is_text(groups_read("0/cgroup.subtree_control"), rows[i].after,
			"... what is handed down");
		has_text(outcome.err, rows[i].message, "... message '%s'", rows[i].message);
		ok((faccessat(groups_directory, "0/job", F_OK, 0) == 0) == (rows[i].status == 42),
			"... the group is %s", rows[i].status == 42 ? "there" : "not there");
	}
	groups_clear("0");
}

/* --- what cannot be --- */

static int create(const void *data)
{
	static struct hierarchy_layout layout;
	static struct cgroup group;
	bool created;

	(void)data;
	make_layout(&layout, mixed);
	make_group(&group, &layout);
	created = cgroup_create(&group, 0);
	return !created && cgroup_destroy(&group) ? 43 : 42;
}

static int destroy(const void *data)
{
	static struct hierarchy_layout layout;
	static struct cgroup group;

	make_layout(&layout, (const char *const[]){ "1 ,memory,", NULL });
	make_group(&group, &layout);
	group.branches[0].state = *(const enum cgroup_state *)data;
	return cgroup_destroy(&group) ? 42 : 43;
}

static void test_failures(void)
{
	enum cgroup_state state;
	struct outcome outcome;

	/* Somebody else's, in one of the hierarchies. */
	groups_clear("1");
	groups_make("1/job");
	outcome = run(create, NULL);
	is_exit(&outcome, 43, "a group that is there already is not taken");
	has_text(outcome.err, "/1/job': File exists\n", "... the message");
	has_text(outcome.err, "hint: --join=job runs COMMAND in it, --gc removes it", "... the hint");
	ok(faccessat(groups_directory, "0/job", F_OK, 0) < 0, "... what had been made is removed");
	ok(faccessat(groups_directory, "1/job", F_OK, 0) == 0, "... but not what was there");
	ok(faccessat(groups_directory, "2/job", F_OK, 0) < 0, "... and nothing is made behind it");
	groups_clear("1");

	groups_write("0/job/file", "");
	state = CGROUP_MADE;
	outcome = run(destroy, &state);
	is_exit(&outcome, 43, "a directory that cannot be removed");
	has_text(outcome.err, "cannot remove the cgroup 'job': Directory not empty\n",
		"... the message");
	state = CGROUP_MAKING;
	outcome = run(destroy, &state);
	is_exit(&outcome, 42, "... is left alone if it may be another's");
	is_text(outcome.err, "", "... without a message");
	groups_clear("0");
	groups_make("0/job");
	state = CGROUP_ABSENT;
	outcome = run(destroy, &state);
	ok(outcome.exited == 42 && faccessat(groups_directory, "0/job", F_OK, 0) == 0,
		"one that was not made is left alone");
	state = CGROUP_MAKING;
	outcome = run(destroy, &state);
	ok(outcome.exited == 42 && faccessat(groups_directory, "0/job", F_OK, 0) < 0,
		"one that was just being made is removed");
}

/* A group that somebody else has made in the place of one that was made, and then removed. */
static int destroy_other(const void *data)
{
	static struct hierarchy_layout layout;
	static struct cgroup group;

	(void)data;
	make_layout(&layout, (const char *const[]){ "1 ,memory,", NULL });
	make_group(&group, &layout);
	if (!cgroup_create(&group, 0) || unlinkat(groups_directory, "0/job", AT_REMOVEDIR) < 0)
		return 1;
	groups_make("0/job");
	return cgroup_destroy(&group) ? 42 : 43;
}

static void test_other(void)
{
	struct outcome outcome;

	groups_clear("0");
	outcome = run(destroy_other, NULL);
	is_exit(&outcome, 42, "a group that another has made in its place");
	is_text(outcome.err, "", "... is nothing to tell of");
	ok(faccessat(groups_directory, "0/job", F_OK, 0) == 0, "... and left alone");
	groups_clear("0");
}

/* --- what is left over; more in test_leftover --- */

/* The number of a process that was, and is no more. */
static int dead_pid(void)
{
	pid_t pid = tap_fork();

	if (pid == 0)
		_exit(0);
	tap_wait(pid);
	return (int)pid;
}

static int sweep(const void *data)
{
	static struct hierarchy_layout layout;
	static struct cgroup group;

	(void)data;
	make_layout(&layout, mixed);
	make_group(&group, &layout);
	group.count = 2;
	return cgroup_sweep(&group) ? 42 : 43;
}

static bool is_there(const char *path)
{
	return faccessat(groups_directory, path, F_OK, 0) == 0;
}

static void test_sweep(void)
{
	char paths[3][64];
	int pid = dead_pid();
	struct outcome outcome;

	for (int i = 0; i < 3; i++) {
		snprintf(paths[i], sizeof(paths[0]), "%d/cgrun-%d-0123abcd", i, pid);
		groups_make(paths[i]);
	}
	groups_make("1/job");
	outcome = run(sweep, NULL);
	is_exit(&outcome, 42, "sweep");
	ok(!is_there(paths[0]) && !is_there(paths[1]), "... where the group has a part");
	ok(is_there(paths[2]) && is_there("1/job"), "... and not elsewhere, or another");
	groups_clear("2");
	groups_clear("0");
	groups_clear("1");
}

int main(void)
{
	groups_begin();
	test_plans();
	test_stays();
	test_plan_all();
	test_names();
	test_keep();
	test_group();
	test_cpuset();
	test_delegate();
	test_freeze();
	test_unified();
	test_failures();
	test_other();
	test_sweep();
	groups_end();
	return tap_end();
}
