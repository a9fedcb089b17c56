/* hierarchy: where the own groups are, from the texts of /proc/self/cgroup and /proc/self/mountinfo on many kinds of machine. */
#include "common/hierarchy.h"

#include "common/report.h"
#include "tests/unit/groups.h"

/* Lines of mountinfo: ROOT of the hierarchy, mounted at POINT. */
#define UNIFIED(root, point) \
	"35 26 0:30 " root " " point \
	" rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
#define CGROUP(root, point, options) \
	"36 26 0:31 " root " " point " rw,relatime - cgroup cgroup rw," options "\n"
#define OTHERS \
	"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n" \
	"24 22 0:22 / /proc rw,relatime shared:12 - proc proc rw\n" \
	"26 22 0:25 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755\n"

enum { GROUPS_MAX = 12 };

struct machine {
	const char *name;
	const char *self;
	const char *mounts;
	const char *reason;             /* part of it; NULL: there is a layout */
	const char *groups[GROUPS_MAX]; /* "VERSION CONTROLLERS OWN", in the order of mounts */
};

#define NO_CGROUPS "no cgroups"
#define NOT_MOUNTED "no hierarchy is mounted that shows it"

static const struct machine machines[] = {
	{ "version 2", "0::/user.slice/user-1000.slice/session-3.scope\n",
		OTHERS UNIFIED("/", "/sys/fs/cgroup"), NULL,
		{ "2 ,, /sys/fs/cgroup/user.slice/user-1000.slice/session-3.scope" } },
	{ "version 2, at its root", "0::/\n", UNIFIED("/", "/sys/fs/cgroup"), NULL,
		{ "2 ,, /sys/fs/cgroup" } },
	{ "version 1 with controllers mounted together",
		"5:name=systemd:/init.scope\n4:cpu,cpuacct:/jobs\n3:memory:/jobs/one\n2:net_cls,net_prio:/\n1:cpuset:/\n",
		OTHERS CGROUP("/", "/sys/fs/cgroup/systemd",
			"xattr,release_agent=/lib/agent,name=systemd") CGROUP("/",
			"/sys/fs/cgroup/cpu,cpuacct",
			"cpu,cpuacct") CGROUP("/", "/sys/fs/cgroup/memory", "memory")
			CGROUP("/", "/sys/fs/cgroup/net_cls,net_prio", "net_cls,net_prio")
				CGROUP("/", "/sys/fs/cgroup/cpuset", "cpuset,clone_children"),
		NULL,
		{ "1 ,name=systemd, /sys/fs/cgroup/systemd/init.scope",
			"1 ,cpu,cpuacct, /sys/fs/cgroup/cpu,cpuacct/jobs",
			"1 ,memory, /sys/fs/cgroup/memory/jobs/one",
			"1 ,net_cls,net_prio, /sys/fs/cgroup/net_cls,net_prio",
			"1 ,cpuset, /sys/fs/cgroup/cpuset" } },
	{ "both versions, controllers on version 1",
		"4:name=systemd:/\n3:pids:/\n2:memory:/api/ad43d7d0\n1:cpu:/\n0::/\n",
		OTHERS CGROUP("/", "/sys/fs/cgroup/cpu", "cpu") CGROUP("/", "/sys/fs/cgroup/memory",
			"memory") CGROUP("/", "/sys/fs/cgroup/pids", "pids")
			CGROUP("/", "/sys/fs/cgroup/systemd", "name=systemd")
				UNIFIED("/", "/sys/fs/cgroup/unified"),
		NULL,
		{ "1 ,cpu, /sys/fs/cgroup/cpu", "1 ,memory, /sys/fs/cgroup/memory/api/ad43d7d0",
			"1 ,pids, /sys/fs/cgroup/pids", "1 ,name=systemd, /sys/fs/cgroup/systemd",
			"2 ,, /sys/fs/cgroup/unified" } },
	{ "a name that begins like another", "3:cpuset:/c\n2:cpu:/b\n1:cpuacct:/a\n",
		CGROUP("/", "/cpuacct", "cpuacct") CGROUP("/", "/cpuset", "cpuset")
			CGROUP("/", "/cpu", "cpu"),
		NULL, { "1 ,cpuacct, /cpuacct/a", "1 ,cpuset, /cpuset/c", "1 ,cpu, /cpu/b" } },
	{ "container that is shown its own part of version 1",
		"2:memory:/docker/4f5e\n1:cpu,cpuacct:/docker/4f5e/below\n",
		OTHERS CGROUP("/docker/4f5e", "/sys/fs/cgroup/memory", "memory")
			CGROUP("/docker/4f5e", "/sys/fs/cgroup/cpu,cpuacct", "cpu,cpuacct"),
		NULL,
		{ "1 ,memory, /sys/fs/cgroup/memory",
			"1 ,cpu,cpuacct, /sys/fs/cgroup/cpu,cpuacct/below" } },
	{ "container that is shown its own part of version 2", "0::/system.slice/docker-4f5e.scope\n",
		OTHERS UNIFIED("/system.slice/docker-4f5e.scope", "/sys/fs/cgroup"), NULL,
		{ "2 ,, /sys/fs/cgroup" } },
	{ "container that is shown the part of another", "0::/docker/4f5e\n",
		UNIFIED("/docker/4f5", "/sys/fs/cgroup"), NOT_MOUNTED, { NULL } },
	{ "container that is shown a part below its own", "0::/docker\n",
		UNIFIED("/docker/4f5e", "/sys/fs/cgroup"), NOT_MOUNTED, { NULL } },
	{ "cgroup namespace with mounts of its own", "1:memory:/\n0::/below\n",
		UNIFIED("/", "/sys/fs/cgroup/unified") CGROUP("/", "/sys/fs/cgroup/memory", "memory"),
		NULL, { "2 ,, /sys/fs/cgroup/unified/below", "1 ,memory, /sys/fs/cgroup/memory" } },
	{ "cgroup namespace with mounts from above it", "1:memory:/\n0::/\n",
		UNIFIED("/..", "/sys/fs/cgroup/unified")
			CGROUP("/../..", "/sys/fs/cgroup/memory", "memory"),
		NOT_MOUNTED, { NULL } },
	{ "cgroup namespace, of two mounts one from above it", "0::/below\n",
		UNIFIED("/../..", "/host/cgroup") UNIFIED("/", "/sys/fs/cgroup"), NULL,
		{ "2 ,, /sys/fs/cgroup/below" } },
	{ "cgroup namespace that the process has been moved out of", "0::/../other\n",
		UNIFIED("/", "/sys/fs/cgroup"), NOT_MOUNTED, { NULL } },
	{ "cgroup namespace left, beside a hierarchy of the name of the group",
		"2:memory:/../cpu\n1:cpu:/\n",
		CGROUP("/", "/sys/fs/cgroup/memory", "memory")
			CGROUP("/", "/sys/fs/cgroup/cpu", "cpu"),
		NULL, { "1 ,cpu, /sys/fs/cgroup/cpu" } },
	{ "cgroup namespace left, mounted from the group moved to", "0::/../other/below\n",
		UNIFIED("/../other", "/sys/fs/cgroup"), NULL, { "2 ,, /sys/fs/cgroup/below" } },
	{ "cgroup namespace left, mounted from above", "0::/../../other\n",
		UNIFIED("/..", "/sys/fs/cgroup"), NOT_MOUNTED, { NULL } },
	{ "groups with names like the way up", "0::/..a/.../b..\n", UNIFIED("/", "/sys/fs/cgroup"),
		NULL, { "2 ,, /sys/fs/cgroup/..a/.../b.." } },
	{ "spaces, tabs, newlines and backslashes in a mount point", "0::/a\n",
		UNIFIED("/", "/my\\040groups/a\\011b/c\\012d/e\\134f/\\134040"), NULL,
		{ "2 ,, /my groups/a\tb/c\nd/e\\f/\\040/a" } },
	{ "a space in the mounted part", "0::/my group/a\n", UNIFIED("/my\\040group", "/g"), NULL,
		{ "2 ,, /g/a" } },
	{ "bytes above 127 and a backslash at the end", "0::/\xc3\xbc\n",
		UNIFIED("/", "/\\303\\274\\"), NULL, { "2 ,, /\xc3\xbc\\/\xc3\xbc" } },
	{ "a group name with colons", "1:memory:/a:b:c\n0::/d:e\n",
		UNIFIED("/", "/u") CGROUP("/", "/m", "memory"), NULL,
		{ "2 ,, /u/d:e", "1 ,memory, /m/a:b:c" } },
	{ "several mounts of one hierarchy: the first that shows the own group", "1:memory:/a/b\n",
		CGROUP("/other", "/one", "memory") CGROUP("/a", "/two", "memory")
			CGROUP("/", "/three", "memory"),
		NULL, { "1 ,memory, /two/b" } },
	{ "optional fields: none, one, several", "2:b:/\n1:a:/\n0::/\n",
		"1 2 0:3 / /u rw - cgroup2 none rw\n"
		"1 2 0:3 / /a rw shared:1 - cgroup none rw,a\n"
		"1 2 0:3 / /b rw shared:1 master:2 propagate_from:3 unbindable - cgroup none rw,b\n",
		NULL, { "2 ,, /u", "1 ,a, /a", "1 ,b, /b" } },
	{ "an empty mount source", "0::/a\n", "1 2 0:3 / /u rw - cgroup2  rw\n", NULL,
		{ "2 ,, /u/a" } },
	{ "other file systems of such names", "1:memory:/\n0::/\n",
		"1 2 0:3 / /a rw - tmpfs cgroup2 rw,memory\n"
		"1 2 0:3 / /b rw - cgroup3 none rw,memory\n"
		"1 2 0:3 / /cgroup2 rw - fuse.cgroup none rw,memory\n",
		NOT_MOUNTED, { NULL } },
	{ "one hierarchy is not mounted", "2:memory:/\n1:cpu:/\n",
		CGROUP("/", "/sys/fs/cgroup/cpu", "cpu"), NULL, { "1 ,cpu, /sys/fs/cgroup/cpu" } },
	{ "none is mounted", "0::/\n", OTHERS, NOT_MOUNTED, { NULL } },
	{ "nothing is mounted", "0::/\n", "", NOT_MOUNTED, { NULL } },
	{ "no cgroups", "", OTHERS, NO_CGROUPS, { NULL } },
	{ "no cgroups, but mounts", "", UNIFIED("/", "/sys/fs/cgroup"), NO_CGROUPS, { NULL } },
	{ "no newline at the end", "0::/a", "1 2 0:3 / /u rw - cgroup2 none rw", NULL,
		{ "2 ,, /u/a" } },
	{ "lines that are none",
		"\n:\n::\n:::\n0\n0:\n0::\n0::relative\nx\n1:memory\n1:memory:\n1:memory:relative\n \n0::/a\n",
		"\n \n  \n-\n - \n - - - \n1\n1 2\n1 2 3\n1 2 3 /\n1 2 3 / /p\n1 2 3 / /p rw\n1 2 3 / /p rw -\n1 2 3 / /p rw - \n"
		"1 2 3 / /p rw - cgroup2\n1 2 3 / /p rw - cgroup2 \n1 2 3 / /p rw - cgroup2 none\n" UNIFIED(
			"/", "/u"),
		NULL, { "2 ,, /u/a" } },
	{ "nothing but lines that are none", "garbage\n\n1:2\n", "garbage\n", NO_CGROUPS, { NULL } },
};

/* The layout that SELF and MOUNTS describe; they are not changed, and their copies stay. */
static const char *parse(const char *self, const char *mounts, struct hierarchy_layout *layout)
{
	char *self_copy = strdup(self), *mounts_copy = strdup(mounts);

	if (!self_copy || !mounts_copy)
		bail_out("no memory");
	return hierarchy_parse(self_copy, mounts_copy, NULL, layout);
}

static void check_machine(const struct machine *machine)
{
	static struct hierarchy_layout layout;
	size_t wanted = 0;

	memset(&layout, 'x', sizeof(layout));

	const char *reason = parse(machine->self, machine->mounts, &layout);

	if (machine->reason)
		has_text(reason ? reason : "no reason", machine->reason, "%s: none", machine->name);
	else
		is_text(reason, NULL, "%s: a layout", machine->name);
	while (wanted < GROUPS_MAX && machine->groups[wanted])
		wanted++;
	is_number((long long)layout.count, (long long)wanted, "%s: hierarchies", machine->name);
	for (size_t i = 0; i < layout.count && i < wanted; i++) {
		const struct hierarchy *found = &layout.list[i];
		char text[2 * PATH_MAX];

		snprintf(text, sizeof(text), "%d %s %s", found->version, found->controllers,
			found->own);
		is_text(text, machine->groups[i], "%s: %s", machine->name,
			tap_show(machine->groups[i]));
	}
}

static void test_of(void)
{
	static const struct {
		const char *controller;
		const char *own;
	} rows[] = {
		{ "memory", "/m" },
		{ "cpu", "/c" },
		{ "cpuacct", "/c" },
		{ "cpuset", NULL },
		{ "cp", NULL },
		{ "pu", NULL },
		{ "mem", NULL },
		{ "memory2", NULL },
		{ "name=systemd", "/s" },
		{ "systemd", NULL },
		{ "pids", "/u" },
		{ "io", "/u" },
	};
	static struct hierarchy_layout layout = {
		.count = 4,
		.list = {
			{ .version = 1, .controllers = ",name=systemd,", .own = (char *)"/s" },
			{ .version = 1, .controllers = ",cpu,cpuacct,", .own = (char *)"/c" },
			{ .version = 1, .controllers = ",memory,", .own = (char *)"/m" },
			{ .version = 2, .controllers = ",io,pids,", .own = (char *)"/u" },
		},
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		const struct hierarchy *found = hierarchy_of(&layout, rows[i].controller);

		is_text(found ? found->own : NULL, rows[i].own, "the hierarchy of '%s'",
			rows[i].controller);
	}
	layout.count = 0;
	ok(!hierarchy_of(&layout, "memory"), "none in an empty layout");
}

/* More hierarchies than there is room for, and than any kernel has. */
static void test_many(void)
{
	static struct {
		struct hierarchy_layout layout;
		char guard[64];
	} into;
	static char self[4096], mounts[8192];
	size_t self_used = 0, mounts_used = 0;

	memset(into.guard, '!', sizeof(into.guard));
	for (int i = 0; i < HIERARCHIES_MAX + 8; i++) {
		self_used += (size_t)snprintf(
			self + self_used, sizeof(self) - self_used, "%d:name=h%d:/own\n", i + 1, i);
		mounts_used += (size_t)snprintf(mounts + mounts_used, sizeof(mounts) - mounts_used,
			"1 2 0:3 / /h%d rw - cgroup none rw,name=h%d\n", i, i);
	}
	is_text(parse(self, mounts, &into.layout), NULL, "many hierarchies: a layout");
	is_number((long long)into.layout.count, HIERARCHIES_MAX, "... of the first of them");
	is_text(into.layout.list[HIERARCHIES_MAX - 1].own, "/h23/own", "... up to the last");
	ok(into.guard[0] == '!' && into.guard[63] == '!', "... and not beyond");
}

/* LENGTH times a letter, with TEXT before and behind it. */
static char *stretch(const char *before, char letter, size_t length, const char *behind)
{
	size_t size = strlen(before) + length + strlen(behind) + 1;
	char *text = malloc(size);

	if (!text)
		bail_out("no memory");
	snprintf(text, size, "%s", before);
	memset(text + strlen(before), letter, length);
	snprintf(text + strlen(before) + length, strlen(behind) + 1, "%s", behind);
	return text;
}

static void test_long(void)
{
	static const struct {
		const char *name;
		size_t length;
		const char *self[2], *mounts[2];
		size_t wanted;
	} rows[] = {
		{ "a path that just fits", PATH_MAX - 4, { "0::/", "\n" },
			{ UNIFIED("/", "/u"), "" }, 1 },
		{ "a path that does not fit behind its mount point", PATH_MAX - 3, { "0::/", "\n" },
			{ UNIFIED("/", "/u"), "" }, 0 },
		{ "a path of 100 kB", 100000, { "0::/", "\n" }, { UNIFIED("/", "/u"), "" }, 0 },
		{ "... and another group", 100000, { "0::/", "\n1:memory:/\n" },
			{ UNIFIED("/", "/u") CGROUP("/", "/m", "memory"), "" }, 1 },
		{ "controllers of 100 kB", 100000, { "1:", ":/\n" },
			{ CGROUP("/", "/m", "memory"), "" }, 0 },
		{ "controllers that just fit", 253, { "1:", ":/\n" },
			{ CGROUP("/", "/m", "memory"), "" }, 0 },
		{ "a mount point of 100 kB", 100000, { "0::/\n", "" },
			{ "1 2 0:3 / /", " rw - cgroup2 none rw\n" }, 0 },
		{ "a mounted part of 100 kB", 100000, { "0::/\n", "" },
			{ "1 2 0:3 /", " /u rw - cgroup2 none rw\n" }, 0 },
		{ "options of 100 kB", 100000, { "0::/\n1:memory:/\n", "" },
			{ "1 2 0:3 / /u rw - cgroup2 none ", "\n" CGROUP("/", "/m", "memory") }, 2 },
		{ "a line of garbage of 1 MB", 1 << 20, { "", "\n0::/\n" },
			{ "", "\n" UNIFIED("/", "/u") }, 1 },
	};
	static struct hierarchy_layout layout;

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		bool in_mounts = rows[i].mounts[0][0] == '\0' || rows[i].mounts[1][0] != '\0';
		bool in_self = !in_mounts || rows[i].self[0][0] == '\0';
		char *self =
			stretch(rows[i].self[0], 'x', in_self ? rows[i].length : 0, rows[i].self[1]);
		char *mounts = stretch(
			rows[i].mounts[0], 'x', in_mounts ? rows[i].length : 0, rows[i].mounts[1]);
		const char *reason = parse(self, mounts, &layout);

		is_number((long long)layout.count, (long long)rows[i].wanted, "%s: hierarchies",
			rows[i].name);
		ok(rows[i].wanted ? !reason : reason != NULL, "... and the reason");
		free(self);
		free(mounts);
	}
}

/* This machine's own, if it has any: the directories are there. */
static int find_here(const void *data)
{
	static struct hierarchy_layout layout;

	(void)data;
	hierarchy_find_own(&layout);
	for (size_t i = 0; i < layout.count; i++) {
		struct stat status;

		if (stat(layout.list[i].own, &status) < 0 || !S_ISDIR(status.st_mode))
			return 1;
	}
	return layout.count > 0 ? 0 : 2;
}

static void test_here(void)
{
	struct outcome outcome = run(find_here, NULL);

	if (outcome.exited == 125 && strstr(outcome.err, "cannot find the cgroup"))
		skip("the own groups", "there are none here");
	else
		is_exit(&outcome, 0, "the own groups are directories");
}

/* --- other groups --- */

static void test_check_group(void)
{
	static char longest[NAME_MAX + 16], longer[NAME_MAX + 16];
	static const struct {
		const char *group;
		const char *reason; /* part of it; NULL: it can be one */
	} rows[] = {
		{ "job", NULL },
		{ "a/b/c", NULL },
		{ "/", NULL },
		{ "/a", NULL },
		{ "/a/b", NULL },
		{ "...", NULL },
		{ "..a", NULL },
		{ "a..", NULL },
		{ ".a", NULL },
		{ "a b", NULL },
		{ "user.slice/user-1000.slice", NULL },
		{ longest, NULL },
		{ longer, "too long" },
		{ "", "has an empty part" },
		{ "//", "has an empty part" },
		{ "//a", "has an empty part" },
		{ "a//b", "has an empty part" },
		{ "a/", "has an empty part" },
		{ "/a/", "has an empty part" },
		{ ".", "has a part '.' or '..'" },
		{ "..", "has a part '.' or '..'" },
		{ "/.", "has a part '.' or '..'" },
		{ "/..", "has a part '.' or '..'" },
		{ "../a", "has a part '.' or '..'" },
		{ "a/..", "has a part '.' or '..'" },
		{ "a/../b", "has a part '.' or '..'" },
		{ "a/./b", "has a part '.' or '..'" },
		{ "/a/../../b", "has a part '.' or '..'" },
		{ "a/b/.", "has a part '.' or '..'" },
	};

	snprintf(longest, sizeof(longest), "a/%0*d/b", NAME_MAX, 0);
	snprintf(longer, sizeof(longer), "a/%0*d/b", NAME_MAX + 1, 0);
	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		const char *reason = hierarchy_check_group(rows[i].group);

		if (rows[i].reason)
			has_text(reason ? reason : "none", rows[i].reason, "the group '%.20s' %s",
				rows[i].group, rows[i].reason);
		else
			is_text(reason, NULL, "the group '%.20s'", rows[i].group);
	}
}

/* A machine with both versions, whose own groups are below the topmost ones that show; of the second a part is mounted. */
static const char *const machine[] = { "2 ,pids, own/sub", "1 ,memory, sub", "1 ,cpu,", NULL };

struct change {
	const char *group;
	const char *groups; /* the own ones then, each with its number and '|' behind it; NULL: it dies */
};

static const struct change changes[] = {
	{ "job", "0/own/sub/job|1/sub/job|" },
	{ "job/below", "0/own/sub/job/below|" },
	{ "only", "2/only|" },
	{ "/", "0|2|" },
	{ "/own", "0/own|" },
	{ "/own/sub", "0/own/sub|" },
	{ "/own/sub/job", "0/own/sub/job|" },
	{ "/docker/4f5e", "1|" },
	{ "/docker/4f5e/sub", "1/sub|" },
	{ "/docker/4f5e/sub/job", "1/sub/job|" },
	{ "/only", "2/only|" },
	{ "missing", NULL },
	{ "/missing", NULL },
	{ "/docker", NULL },
	{ "/docker/4f5", NULL },
	{ "/docker/4f5ee", NULL },
	{ "/sub", NULL },
	{ "own", NULL },
	{ "file", NULL },
	{ "/own/file", NULL },
};

static int change(const void *data)
{
	static struct hierarchy_layout layout;

	make_layout(&layout, machine);
	layout.list[1].root = "/docker/4f5e";
	hierarchy_change_group(&layout, data);
	for (size_t i = 0; i < layout.count; i++) {
		const char *own = layout.list[i].own;

		if (strncmp(own, groups_base, strlen(groups_base)) != 0)
			return 1;
		printf("%s|", own + strlen(groups_base) + 1);
	}
	printf("\n%s", layout.list[0].version == 2 ? layout.list[0].controllers : "-");
	return 42;
}

static void test_change(void)
{
	struct outcome outcome;

	groups_make("0/own/sub/job/below");
	groups_make("1/sub/job");
	groups_make("2/only");
	groups_write("0/own/file", "");
	groups_write("0/own/sub/file", "");
	for (size_t i = 0; i < TAP_ROWS(changes); i++) {
		const char *wanted = changes[i].groups;

		outcome = run(change, changes[i].group);
		is_exit(&outcome, wanted ? 42 : STATUS_FAILED, "change to '%s'", changes[i].group);
		if (wanted)
			ok(strncmp(outcome.out, wanted, strlen(wanted)) == 0 &&
					outcome.out[strlen(wanted)] == '\n',
				"... is %s", wanted);
		else
			has_text(outcome.err, "there is no cgroup '", "... is said");
	}
	groups_write("0/own/sub/job/cgroup.controllers", "cpu io\n");
	outcome = run(change, "job");
	has_text(outcome.out, "\n,cpu,io,", "the controllers are those of the group");
	outcome = run(change, "missing");
	has_text(outcome.err, "hint: it is below the own one, or with a '/' as in /proc/PID/cgroup",
		"the hint");
}

static void test_ascend(void)
{
	static const struct {
		const char *point, *own;
		const char *above; /* NULL: it is the topmost */
	} rows[] = {
		{ "/sys/fs/cgroup", "/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a" },
		{ "/sys/fs/cgroup", "/sys/fs/cgroup/a", "/sys/fs/cgroup" },
		{ "/sys/fs/cgroup", "/sys/fs/cgroup", NULL },
		{ "/c", "/c/a", "/c" },
		{ "/c", "/c", NULL },
		{ "/", "//a/b", "//a" },
		{ "/", "//a", "/" },
		{ "/", "/", NULL },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		struct hierarchy hierarchy = {
			.version = 1,
			.controllers = ",cpu,",
			.own = strdup(rows[i].own),
			.root = "/",
			.point = rows[i].point,
		};
		bool above = hierarchy_ascend(&hierarchy);

		ok(above == (rows[i].above != NULL), "above '%s' of '%s' is %s", rows[i].own,
			rows[i].point, rows[i].above ? "one" : "none");
		is_text(hierarchy.own, rows[i].above ? rows[i].above : rows[i].own, "... it is");
		is_text(hierarchy.controllers, ",cpu,", "... with the same controllers");
		free(hierarchy.own);
	}
}

static void test_holder(void)
{
	static const char *const deep[] = { "2 ,pids, a/b/c", NULL };
	static const struct {
		const char *controller;
		const char *holder; /* NULL: there is none */
	} rows[] = {
		{ "memory", "0/a" },
		{ "cpu", "0/a/b" },
		{ "cpuset", "0" },
		{ "io", NULL },
		{ "pids", "0/a" },
		{ "mem", NULL },
		{ "memory,cpu", NULL },
		{ "own", NULL },
	};
	static struct hierarchy_layout layout;
	char path[PATH_MAX], wanted[PATH_MAX];

	groups_clear("0");
	make_layout(&layout, deep);
	groups_write("0/cgroup.controllers", "cpuset cpu memory pids\n");
	groups_write("0/a/cgroup.controllers", "cpu memory pids\n");
	groups_write("0/a/b/cgroup.controllers", "cpu\n");
	groups_write("0/a/b/c/cgroup.controllers", "own\n");
	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		bool found = hierarchy_find_holder(
			&layout.list[0], rows[i].controller, path, sizeof(path));

		ok(found == (rows[i].holder != NULL), "who has %s is %s", rows[i].controller,
			rows[i].holder ? "above" : "nowhere");
		if (!rows[i].holder)
			continue;
		snprintf(wanted, sizeof(wanted), "%s/%s", groups_base, rows[i].holder);
		is_text(path, wanted, "... it is the nearest");
	}
	ok(!hierarchy_find_holder(&layout.list[0], "memory", path, 5), "a path that does not fit");
	ok(strstr(layout.list[0].own, "/a/b/c") && strcmp(layout.list[0].controllers, ",pids,") == 0,
		"the hierarchy stays as it was");
	groups_clear("0");
}

static bool is_on_top(const char *path, uint64_t mount)
{
	note("asked for mount %u at '%s'", (unsigned int)mount, path);
	return mount == 7;
}

/* A mount may be hidden by one on top of it. */
static void test_hidden(void)
{
	static struct hierarchy_layout layout;
	static char self[] = "1:memory:/a\n0::/a\n";
	static char mounts[] = "6 1 0:3 / /one rw - cgroup2 none rw\n"
			       "7 1 0:3 / /two rw - cgroup2 none rw\n"
			       "8 1 0:4 / /three rw - cgroup none rw,memory\n"
			       "x 1 0:3 / /four rw - cgroup2 none rw\n";

	is_text(hierarchy_parse(self, mounts, is_on_top, &layout), NULL, "mounts that are hidden");
	is_number((long long)layout.count, 1, "... are not used");
	is_text(layout.list[0].own, "/two/a", "... but another one of that hierarchy");
}

static void test_roots(void)
{
	static struct hierarchy_layout layout;

	is_text(parse("2:memory:/docker/4f5e/x\n0::/a\n",
			UNIFIED("/", "/u\\040u") CGROUP("/docker/4f5e", "/m", "memory"), &layout),
		NULL, "what is mounted where");
	is_text(layout.list[0].root, "/", "... of version 2: all of it");
	is_text(layout.list[0].point, "/u u", "... there");
	is_text(layout.list[1].root, "/docker/4f5e", "... of version 1: a part");
	is_text(layout.list[1].point, "/m", "... there");
}

int main(void)
{
	for (size_t i = 0; i < TAP_ROWS(machines); i++)
		check_machine(&machines[i]);
	test_of();
	test_many();
	test_long();
	test_here();
	test_check_group();
	test_ascend();
	test_hidden();
	test_roots();
	groups_begin();
	test_change();
	test_holder();
	groups_end();
	return tap_end();
}
