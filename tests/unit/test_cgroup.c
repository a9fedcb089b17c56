/*
 * cgroup: which hierarchies a group has a part in, what is written where and what is made of it, on directories with files that only look like
 * cgroups. How the kernel answers is for the tests of the programs.
 */
#include "common/cgroup.h"

#include "common/fd.h"
#include "common/report.h"
#include "tests/unit/tap.h"

static char base[256];
static int directory = -1;

/* Groups of this process on a machine: "VERSION CONTROLLERS", each with a directory of its number. */
static void make_layout(struct hierarchy_layout *layout, const char *const *hierarchies)
{
	*layout = (struct hierarchy_layout){ .count = 0 };
	for (; hierarchies[layout->count]; layout->count++) {
		struct hierarchy *hierarchy = &layout->list[layout->count];
		char name[16];

		hierarchy->version = hierarchies[layout->count][0] - '0';
		snprintf(hierarchy->controllers, sizeof(hierarchy->controllers), "%s",
			hierarchies[layout->count] + 2);
		snprintf(hierarchy->own, sizeof(hierarchy->own), "%s/%zu", base, layout->count);
		snprintf(name, sizeof(name), "%zu", layout->count);
		if (mkdirat(directory, name, 0700) < 0 && errno != EEXIST)
			bail_out("cannot make a directory");
	}
}

enum { CONTROLLERS_MAX = 6, HIERARCHIES = 4 };

struct planned {
	const char *name;
	const char *hierarchies[HIERARCHIES];
	const char *controllers[CONTROLLERS_MAX]; /* asked for */
	const char *found;                        /* their versions */
	const char *branches;                     /* the hierarchies that have a part, by number */
	const char *enable;
};

static const struct planned plans[] = {
	{ "version 2", { "2 ,cpu,memory,pids," }, { "memory", "pids" }, "22", "0", "+memory +pids" },
	{ "version 2, nothing asked", { "2 ,cpu,memory,pids," }, { NULL }, "", "0", "" },
	{ "version 2, twice the same", { "2 ,cpu,memory," }, { "cpu", "cpu", "memory", "cpu" },
		"2222", "0", "+cpu +memory" },
	{ "version 2, a name that is part of another", { "2 ,cpuset,cpu,io," },
		{ "cpuset", "cpu", "io" }, "222", "0", "+cpuset +cpu +io" },
	{ "version 2, the other way round", { "2 ,cpuset,cpu," }, { "cpu", "cpuset" }, "22", "0",
		"+cpu +cpuset" },
	{ "version 2, not there", { "2 ,cpu," }, { "memory", "cpu" }, "02", "0", "+cpu" },
	{ "version 2, part of a name", { "2 ,cpuset," }, { "cpu", "set", "cpu,set" }, "000", "0", "" },
	{ "version 1, by freezer", { "1 ,memory,", "1 ,freezer,", "1 ,pids," }, { "pids" }, "1",
		"12", "" },
	{ "version 1, without freezer", { "1 ,memory,", "1 ,pids," }, { "pids" }, "1", "01", "" },
	{ "version 1, mounted together", { "1 ,cpu,cpuacct,", "1 ,freezer," },
		{ "cpu", "cpuacct", "cpu" }, "111", "10", "" },
	{ "both, by version 2", { "1 ,memory,", "1 ,freezer,", "2 ,," }, { "memory" }, "1", "20", "" },
	{ "both, a controller on each", { "1 ,memory,", "2 ,pids," }, { "pids", "memory" }, "21",
		"10", "+pids" },
};

static int plan(const void *data)
{
	static struct hierarchy_layout layout;
	static struct cgroup group;
	const struct planned *planned = data;
	char prefix[32];

	make_layout(&layout, planned->hierarchies);
	cgroup_plan(&group, &layout);
	for (size_t i = 0; planned->controllers[i]; i++)
		printf("%d", cgroup_plan_controller(&group, &layout, planned->controllers[i]));
	printf("|");
	for (size_t i = 0; i < group.count; i++)
		printf("%d", (int)(group.branches[i].hierarchy - layout.list));
	printf("|%s", group.enable);
	for (size_t i = 0; i < group.count; i++) {
		struct stat wanted, got;

		if (stat(group.branches[i].hierarchy->own, &wanted) < 0 ||
			fstat(group.branches[i].parent, &got) < 0 || wanted.st_ino != got.st_ino ||
			!(fcntl(group.branches[i].parent, F_GETFD) & FD_CLOEXEC))
			return 1;
	}
	snprintf(prefix, sizeof(prefix), "cgrun-%d-", (int)getpid());
	return strncmp(group.name, prefix, strlen(prefix)) == 0 && !strchr(group.name, '/') ? 42 : 2;
}

static void test_plans(void)
{
	for (size_t i = 0; i < TAP_ROWS(plans); i++) {
		struct outcome outcome = run(plan, &plans[i]);
		char wanted[128];

		snprintf(wanted, sizeof(wanted), "%s|%s|%s", plans[i].found, plans[i].branches,
			plans[i].enable);
		is_exit(&outcome, 42, "plan: %s", plans[i].name);
		is_text(outcome.out, wanted, "... versions, hierarchies, controllers to enable");
	}
}

static int keep(const void *data)
{
	const struct cgroup group = { .count = 3,
		.branches = { { NULL, 7 }, { NULL, 9 }, { NULL, 8 } } };
	int places = *(const int *)data;
	int kept[4] = { -1, -1, -1, -1 };

	cgroup_keep(&group, kept, (size_t)places);
	return kept[0] == 7 && kept[1] == 9 && kept[2] == 8 && kept[3] == -1 ? 42 : 1;
}

static void test_keep(void)
{
	for (int places = 2; places <= 4; places++) {
		struct outcome outcome = run(keep, &places);

		is_exit(&outcome, places < 3 ? STATUS_FAILED : 42, "keep 3 fds in %d places", places);
	}
}

/* A group "job" in the directory of each hierarchy. */
static void make_group(struct cgroup *group, const struct hierarchy_layout *layout, const char *enable)
{
	*group = (struct cgroup){ .name = "job", .count = layout->count };
	snprintf(group->enable, sizeof(group->enable), "%s", enable);
	for (size_t i = 0; i < layout->count; i++) {
		group->branches[i].hierarchy = &layout->list[i];
		group->branches[i].parent =
			fd_open(AT_FDCWD, layout->list[i].own, O_PATH | O_DIRECTORY);
	}
}

static void close_group(struct cgroup *group)
{
	for (size_t i = 0; i < group->count; i++)
		fd_close(&group->branches[i].parent);
}

static const char *read_back(const char *path)
{
	static char text[256];

	return fd_try_read(directory, path, text, sizeof(text)) < 0 ? "(unreadable)" : text;
}

static const char *const mixed[] = { "1 ,cpu,cpuacct,", "1 ,memory,", "2 ,pids,", NULL };

/* What is set goes to the hierarchy of the controller, and what it has not is told; run where messages can be read. */
static int set_value(const void *data)
{
	static struct hierarchy_layout layout;
	static struct cgroup group;
	const char *const *setting = data;

	make_layout(&layout, mixed);
	make_group(&group, &layout, "");
	return cgroup_set(&group, setting[0], setting[1]) ? 42 : 43;
}

static void test_set(void)
{
	static const struct {
		const char *setting[2];
		const char *path;   /* the file that it has to be written to */
		const char *before; /* in it; NULL: it is not there */
		const char *after;
		int status;
		const char *message;
	} rows[] = {
		{ { "memory.limit", "4096" }, "1/job/memory.limit", "", "4096", 42, "" },
		{ { "cpu.shares", "100" }, "0/job/cpu.shares", "", "100", 42, "" },
		{ { "cpuacct.usage", "0" }, "0/job/cpuacct.usage", "1", "0", 42, "" },
		{ { "pids.max", "7" }, "2/job/pids.max", "", "7", 42, "" },
		{ { "cgroup.freeze", "1" }, "0/job/cgroup.freeze", "", "1", 42, "" },
		/* files of more than one value read otherwise than they are written */
		{ { "memory.list", "8:0 rbps=1" }, "1/job/memory.list", "8:0 rbps=1 wbps=max",
			"8:0 rbps=1 wbps=max", 42, "" },
		{ { "cpu.max", "50000 100000" }, "0/job/cpu.max", "max 100000\n\n\n",
			"50000 100000", 42, "" },
		/* but a number that is another number is not what was asked */
		{ { "memory.limit", "4097" }, "1/job/memory.limit", "40960", "40970", 43,
			"'memory.limit' of the cgroup is '40970' and not '4097'" },
		{ { "memory.limit", "1" }, "1/job/memory.limit", "00", "10", 43,
			"is '10' and not '1'" },
		{ { "memory.none", "1" }, "1/job/memory.none", NULL, "(unreadable)", 43,
			"cannot write '1' to 'memory.none'" },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		if (rows[i].before)
			make_file(directory, rows[i].path, 0600, rows[i].before);

		struct outcome outcome = run(set_value, rows[i].setting);

		is_exit(&outcome, rows[i].status, "set %s=%s", rows[i].setting[0], rows[i].setting[1]);
		is_text(read_back(rows[i].path), rows[i].after, "... in %s", rows[i].path);
		has_text(outcome.err, rows[i].message, "... message '%s'", rows[i].message);
		if (rows[i].before)
			unlinkat(directory, rows[i].path, 0);
	}
}

static void test_count(struct cgroup *group)
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

		make_file(directory, "1/job/memory.events", 0600, rows[i].content);
		ok(cgroup_try_count(group, "memory.events", rows[i].key, &value) == rows[i].there,
			"count %s in '%s'", rows[i].key ? rows[i].key : "all",
			tap_show(rows[i].content));
		is_number((long long)value, (long long)(rows[i].there ? rows[i].wanted : 12345),
			"... the number");
	}

	uint64_t value = 12345;

	ok(cgroup_has(group, "memory.events"), "has a file");
	unlinkat(directory, "1/job/memory.events", 0);
	ok(!cgroup_has(group, "memory.events"), "... no more");
	ok(!cgroup_try_count(group, "memory.events", NULL, &value) && value == 12345,
		"... and no count of it");
}

static void test_group(void)
{
	static struct hierarchy_layout layout;
	static struct cgroup group;

	make_layout(&layout, mixed);
	make_group(&group, &layout, "");
	ok(cgroup_create(&group, 0), "a group is made");
	for (int i = 0; i < 3; i++) {
		char path[16];

		snprintf(path, sizeof(path), "%d/job", i);
		ok(faccessat(directory, path, F_OK, 0) == 0, "... in hierarchy %d", i);
	}
	test_set();
	test_count(&group);

	autoclose int birthplace = cgroup_open_birthplace(&group);
	struct stat wanted, got;

	ok(fstatat(directory, "2/job", &wanted, 0) == 0 && fstat(birthplace, &got) == 0 &&
			wanted.st_ino == got.st_ino,
		"processes are born in the group of version 2");
	ok(fcntl(birthplace, F_GETFD) & FD_CLOEXEC, "... and do not keep it");
	ok(cgroup_destroy(&group), "the group is removed");
	ok(faccessat(directory, "0/job", F_OK, 0) < 0 && faccessat(directory, "1/job", F_OK, 0) < 0 &&
			faccessat(directory, "2/job", F_OK, 0) < 0,
		"... everywhere");
	ok(cgroup_destroy(&group), "removing what is not there is no mistake");
	group.count = 2;
	is_number(cgroup_open_birthplace(&group), 0, "version 1 has no birthplace");
	group.count = 3;
	close_group(&group);
}

/* --- version 2: controllers that are handed down --- */

struct enabling {
	const char *name;
	const char *enable;
	const char *handed_down; /* before */
	const char *type;        /* NULL: the root of the hierarchy */
	const char *processes;   /* '@' is this one */
	int status;
	const char *after; /* handed down, as written */
	const char *message;
};

static int create_unified(const void *data)
{
	static const char *const unified[] = { "2 ,memory,pids,cpu,cpuset,", NULL };
	static struct hierarchy_layout layout;
	static struct cgroup group;
	const struct enabling *row = data;
	char self[16];

	make_layout(&layout, unified);
	make_file(directory, "0/cgroup.subtree_control", 0600, row->handed_down);
	unlinkat(directory, "0/cgroup.type", 0);
	if (row->type)
		make_file(directory, "0/cgroup.type", 0600, row->type);
	snprintf(self, sizeof(self), "%d\n", (int)getpid());
	make_file(directory, "0/cgroup.procs", 0600, row->processes[0] == '@' ? self : row->processes);
	make_group(&group, &layout, row->enable);
	return cgroup_create(&group, 0) ? 42 : 43;
}

static void test_unified(void)
{
	static const struct enabling rows[] = {
		{ "all handed down already", "+memory +pids", "cpu memory pids\n", "domain", "1\n",
			42, "cpu memory pids", "" },
		{ "none needed", "", "", "domain", "1\n", 42, "", "" },
		{ "the root may hold processes", "+memory +pids", "", NULL, "1\n2\n", 42,
			"+memory +pids", "" },
		{ "an empty group", "+memory", "", "domain", "", 42, "+memory", "" },
		{ "one of two", "+memory +pids", "pids", "domain", "", 42, "+memory +pids", "" },
		{ "a name that is part of one handed down", "+cpu", "cpuset", "domain", "", 42,
			"+cpuet", "" },
		{ "other processes", "+memory", "", "domain", "1\n", 43, "",
			"it holds other processes" },
		{ "processes that are not seen", "+memory", "", "domain", "0\n", 43, "",
			"it holds other processes" },
		/* There is nobody here to fill the new directory with files. */
		{ "this process, which has to move aside", "+memory", "", "domain", "@", 43, "",
			"cannot move into" },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		struct outcome outcome = run(create_unified, &rows[i]);

		is_exit(&outcome, rows[i].status, "enable: %s", rows[i].name);
		is_text(read_back("0/cgroup.subtree_control"), rows[i].after,
			"... what is handed down");
		has_text(outcome.err, rows[i].message, "... message '%s'", rows[i].message);
		ok((unlinkat(directory, "0/job", AT_REMOVEDIR) == 0) == (rows[i].status == 42),
			"... the group is %s", rows[i].status == 42 ? "there" : "not there");
		unlinkat(directory, "0/job.self", AT_REMOVEDIR);
	}
}

/* --- what cannot be --- */

static int create_or_destroy(const void *data)
{
	static const char *const one[] = { "1 ,memory,", NULL };
	static struct hierarchy_layout layout;
	static struct cgroup group;
	bool create = *(const bool *)data;

	make_layout(&layout, one);
	make_group(&group, &layout, "");
	return (create ? cgroup_create(&group, 0) : cgroup_destroy(&group)) ? 42 : 43;
}

static void test_failures(void)
{
	bool create = true;

	if (mkdirat(directory, "0/job", 0700) < 0)
		bail_out("cannot make a directory");
	make_file(directory, "0/job/file", 0600, "");

	struct outcome outcome = run(create_or_destroy, &create);

	is_exit(&outcome, 43, "a group that is there already is not taken");
	has_text(outcome.err, "/0/job': File exists\n", "... the message");
	create = false;
	outcome = run(create_or_destroy, &create);
	is_exit(&outcome, 43, "a directory that cannot be removed");
	has_text(outcome.err, "cannot remove the cgroup 'job': Directory not empty\n",
		"... the message");
}

int main(void)
{
	make_directory(base, sizeof(base));
	directory = fd_open(AT_FDCWD, base, O_RDONLY | O_DIRECTORY);
	test_plans();
	test_keep();
	test_group();
	test_unified();
	test_failures();
	fd_close(&directory);
	remove_directory(base);
	return tap_end();
}
