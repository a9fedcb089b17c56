/*
 * devices: what a rule may be, and what the kernel makes of the rules. The same rules and operations are tried on both cgroup versions, in groups of the
 * test's own, and have to come out the same.
 */
#include "common/devices.h"

#include "common/fd.h"
#include "common/hierarchy.h"
#include "common/report.h"
#include "tests/unit/tap.h"

#include <limits.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

/* --- rules --- */

enum { READ = DEVICE_READ, WRITE = DEVICE_WRITE, MKNOD = DEVICE_MKNOD, ALL = 7, ANY = -1 };

static const struct {
	const char *text;
	char type;
	int major, minor;
	unsigned int access;
} good[] = {
	{ "c:1:3", 'c', 1, 3, ALL },
	{ "b:8:0", 'b', 8, 0, ALL },
	{ "c:1:3:r", 'c', 1, 3, READ },
	{ "c:1:3:w", 'c', 1, 3, WRITE },
	{ "c:1:3:m", 'c', 1, 3, MKNOD },
	{ "c:1:3:rw", 'c', 1, 3, READ | WRITE },
	{ "c:1:3:mwr", 'c', 1, 3, ALL },
	{ "c:*:*", 'c', ANY, ANY, ALL },
	{ "b:*:*:m", 'b', ANY, ANY, MKNOD },
	{ "c:136:*:rw", 'c', 136, ANY, READ | WRITE },
	{ "c:*:3", 'c', ANY, 3, ALL },
	{ "c:0:0", 'c', 0, 0, ALL },
	{ "c:4095:1048575", 'c', 4095, 1048575, ALL },
	{ "b:007:01", 'b', 7, 1, ALL },
	{ "/dev/null", 'c', 1, 3, ALL },
	{ "/dev/null:r", 'c', 1, 3, READ },
	{ "/dev/zero:wm", 'c', 1, 5, WRITE | MKNOD },
	{ "/dev/../dev/null:rw", 'c', 1, 3, READ | WRITE },
	{ "./link:r", 'c', 1, 3, READ },
	{ "./a\\:b:w", 'c', 1, 3, WRITE },
	{ "./a\\:b", 'c', 1, 3, ALL },
	{ "./c:r", 'c', 1, 3, READ },
};

static const struct {
	const char *text;
	const char *reason;
} bad[] = {
	{ "", "is no rule" },
	{ "none", "is no rule" },
	{ "All", "is no rule" },
	{ "all:r", "is no rule" },
	{ "all ", "is no rule" },
	{ "null", "is no rule" },
	{ "c", "is no rule" },
	{ "c:1", "is no rule" },
	{ "a:1:3", "is no rule" },
	{ "a:*:*:rwm", "is no rule" },
	{ "u:1:3", "is no rule" },
	{ "C:1:3", "is no rule" },
	{ "cb:1:3", "is no rule" },
	{ ":1:3", "is no rule" },
	{ "c 1:3 rwm", "is no rule" },
	{ "c:1:3:", "empty ACCESS" },
	{ "/dev/null:", "empty ACCESS" },
	{ "c:1:3:rr", "ACCESS" },
	{ "c:1:3:rwmr", "ACCESS" },
	{ "c:1:3:x", "ACCESS" },
	{ "c:1:3:R", "ACCESS" },
	{ "c:1:3:r ", "ACCESS" },
	{ "c:1:3:r:w", "too many parts" },
	{ "c::3", "number" },
	{ "c:1:", "number" },
	{ "c:-1:3", "number" },
	{ "c:+1:3", "number" },
	{ "c: 1:3", "number" },
	{ "c:0x1:3", "number" },
	{ "c:1:3x", "number" },
	{ "c:**:3", "number" },
	{ "c:1*:3", "number" },
	{ "c:4096:0", "number" },
	{ "c:1:1048576", "number" },
	{ "c:4294967295:3", "number" },
	{ "c:4294967297:3", "number" },
	{ "c:18446744073709551617:3", "number" },
	{ "/dev/null:r:w", "is no rule" },
	{ "/dev/null:/dev/zero", "ACCESS" },
	{ "/dev/null\\r", "'\\'" },
	{ "/dev/nschain-none", "not there" },
	{ "./dangling", "not there" },
	{ "./loop", "cannot be looked up" },
	{ "/dev/null/x", "cannot be looked up" },
	{ "/dev", "no device" },
	{ "./file:r", "no device" },
};

static void make_names(void)
{
	if (symlink("/dev/null", "link") < 0 || symlink("none", "dangling") < 0 ||
		symlink("loop", "loop") < 0 || symlink("/dev/null", "a:b") < 0 ||
		symlink("/dev/null", "c") < 0)
		bail_out("cannot make symlinks");
	make_file(AT_FDCWD, "file", 0600, "");
}

static uint32_t number(int value)
{
	return value == ANY ? DEVICE_ANY : (uint32_t)value;
}

static void test_rules(void)
{
	for (size_t i = 0; i < TAP_ROWS(good); i++) {
		for (int allow = 0; allow <= 1; allow++) {
			struct devices devices = { .count = 0 };
			const char *reason = devices_add(&devices, allow, good[i].text);
			const struct device_rule *rule = &devices.rules[0];

			is_text(reason, NULL, "%s '%s'", allow ? "allow" : "deny", good[i].text);
			ok(devices.count == 1 && devices.allow_list == allow &&
					rule->type == good[i].type &&
					rule->major == number(good[i].major) &&
					rule->minor == number(good[i].minor) &&
					rule->access == good[i].access,
				"... is one rule, of what it says");
		}
	}
	for (size_t i = 0; i < TAP_ROWS(bad); i++) {
		struct devices devices = { .count = 0 };
		const char *reason = devices_add(&devices, i % 2, bad[i].text);

		has_text(reason ? reason : "", bad[i].reason, "bad '%s'", tap_show(bad[i].text));
		ok(devices.count == 0 && !devices.allow_list, "... leaves no trace");
	}
}

enum { RULES_MAX = 6 };

/* Rules have a '+' or '-' before them, for one that allows or denies. Returns the reason against the first that is not taken. */
static const char *add_rules(struct devices *devices, const char *const *rules)
{
	const char *reason = NULL;

	*devices = (struct devices){ .count = 0 };
	for (size_t i = 0; i < RULES_MAX && rules[i] && !reason; i++)
		reason = devices_add(devices, rules[i][0] == '+', rules[i] + 1);
	return reason;
}

static void test_lists(void)
{
	static const struct {
		const char *rules[RULES_MAX];
		const char *reason;
		bool allow_list;
		size_t count;
	} rows[] = {
		{ { "-all" }, NULL, true, 0 },
		{ { "-all", "-all" }, NULL, true, 0 },
		{ { "-all", "+c:1:3" }, NULL, true, 1 },
		{ { "+c:1:3", "-all" }, NULL, true, 1 },
		{ { "+c:1:3", "+c:1:5", "+b:1:3" }, NULL, true, 3 },
		{ { "+c:1:3:r", "+c:1:3:w", "+/dev/null:m" }, NULL, true, 1 },
		{ { "+c:1:3:r", "+c:1:*:w", "+c:*:3:w", "+c:*:*:m" }, NULL, true, 4 },
		{ { "-c:1:3:r", "-c:1:5", "-c:1:3:r" }, NULL, false, 2 },
		{ { "+all" }, "without any rule", false, 0 },
		{ { "+c:1:3", "+all" }, "without any rule", true, 1 },
		{ { "+c:1:3", "-c:1:5" }, "one list", true, 1 },
		{ { "-c:1:3", "+c:1:5" }, "one list", false, 1 },
		{ { "-c:1:3", "-all" }, "one list", false, 1 },
		{ { "-all", "-c:1:3" }, "one list", true, 0 },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		struct devices devices;
		const char *reason = add_rules(&devices, rows[i].rules);

		ok(rows[i].reason ? reason && strstr(reason, rows[i].reason) : !reason,
			"list %zu: %s", i + 1, reason ? reason : "taken");
		is_number((long long)devices.count, (long long)rows[i].count, "... its length");
		is_number(devices.allow_list, rows[i].allow_list, "... its kind");
	}
}

/* 64 rules, the last of them for /dev/null. */
static void fill(struct devices *devices)
{
	*devices = (struct devices){ .count = 0 };
	for (int i = 1; i <= DEVICES_MAX; i++) {
		char rule[32];

		snprintf(rule, sizeof(rule), i < DEVICES_MAX ? "b:4095:%d" : "c:1:3", 1048575 - i);
		if (devices_add(devices, true, rule))
			bail_out("cannot add the rule %d", i);
	}
}

static void test_limit(void)
{
	struct devices devices;
	static char text[4 * PATH_MAX] = "/";

	fill(&devices);
	has_text(devices_add(&devices, true, "c:1:5") ?: "", "64", "one rule too many");
	is_text(devices_add(&devices, true, "c:1:3:r"), NULL, "the same device again");
	is_number((long long)devices.count, DEVICES_MAX, "... takes no place");
	memset(text, '/', sizeof(text) - 1);
	has_text(devices_add(&devices, true, text) ?: "", "too long", "a path that is too long");
}

/* --- what the kernel makes of them --- */

/* The hierarchy that each version's groups are made in, and why there is none. */
static struct place {
	char own[PATH_MAX];
	const char *missing;
} places[3];

static char base[256];
static pid_t maker;

static void group_path(char *path, size_t size, int version, const char *name)
{
	snprintf(path, size, "%s/nschain-unit-%d%s", places[version].own, (int)maker, name);
}

/* Processes may hold a group for a moment after they were waited for. */
static bool try_remove(const char *path)
{
	for (int i = 0; i < 500; i++) {
		if (rmdir(path) == 0 || errno == ENOENT)
			return true;
		poll(NULL, 0, 10);
	}
	return false;
}

static void remove_groups(void)
{
	static const char *const names[] = { "/inner", "" };

	for (int version = 1; version <= 2; version++) {
		for (size_t i = 0; i < TAP_ROWS(names) && !places[version].missing; i++) {
			char path[2 * PATH_MAX];

			group_path(path, sizeof(path), version, names[i]);
			if (!try_remove(path))
				note("cannot remove '%s'", path);
		}
	}
}

/* Also when the test bails out, but not in its children. */
static void clean_up(void)
{
	if (getpid() != maker)
		return;
	remove_groups();
	if (chdir("/") == 0 && base[0])
		nftw(base, tap_remove, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static int make_group(int version, const char *name)
{
	char path[2 * PATH_MAX];

	group_path(path, sizeof(path), version, name);
	if (mkdir(path, 0755) < 0)
		bail_out("cannot make the group '%s'", path);
	return fd_open(AT_FDCWD, path, O_PATH | O_DIRECTORY);
}

static const char *why_missing(int version, const char *own)
{
	char path[2 * PATH_MAX], list[256];

	if (!own[0])
		return version == 1 ? "no devices hierarchy of version 1" : "no version 2";
	snprintf(places[version].own, sizeof(places[version].own), "%s", own);
	group_path(path, sizeof(path), version, "");
	if (mkdir(path, 0755) < 0 || rmdir(path) < 0)
		return "groups cannot be made here";
	snprintf(path, sizeof(path), "%s/devices.list", own);
	if (version == 1 &&
		(fd_try_read(AT_FDCWD, path, list, sizeof(list)) < 0 || strcmp(list, "a *:* rwm") != 0))
		return "the own group has a list of its own";
	return NULL;
}

static int find_hierarchies(const void *data)
{
	struct hierarchy_layout layout;

	(void)data;
	hierarchy_find_own(&layout);
	for (size_t i = 0; i < layout.count; i++) {
		const struct hierarchy *hierarchy = &layout.list[i];

		if (hierarchy->version == 2 || strstr(hierarchy->controllers, ",devices,"))
			printf("%d%s\n", hierarchy->version, hierarchy->own);
	}
	return 0;
}

static void find_places(void)
{
	struct outcome outcome = run(find_hierarchies, NULL);
	char *cursor = outcome.out;
	char own[3][PATH_MAX] = { "" };

	for (char *line; (line = strsep(&cursor, "\n")) && *line;)
		snprintf(own[line[0] == '2' ? 2 : 1], PATH_MAX, "%s", line + 1);
	for (int version = 1; version <= 2; version++)
		places[version].missing = why_missing(version, own[version]);
}

enum kind { GAP, OPEN, LOOK, MAKE };

/* What is tried, and shown as a '+' if it works, a '-' if it is EPERM; a blank for a gap. */
static const struct operation {
	enum kind kind;
	int flags; /* of open(2) or access(2); the type for mknod(2) */
	const char *path;
	unsigned int major, minor;
} operations[] = {
	{ OPEN, O_RDONLY, "/dev/null" },
	{ OPEN, O_WRONLY, "/dev/null" },
	{ OPEN, O_RDWR, "/dev/null" },
	{ LOOK, F_OK, "/dev/null" },
	{ MAKE, S_IFCHR, "made", 1, 3 },
	{ GAP },
	{ OPEN, O_RDONLY, "/dev/zero" },
	{ OPEN, O_RDWR, "/dev/zero" },
	{ MAKE, S_IFCHR, "made", 1, 5 },
	{ GAP },
	{ MAKE, S_IFCHR, "made", 200, 3 },
	{ GAP },
	/* Only looked at, since to open it might load a module. */
	{ LOOK, R_OK, "block" },
	{ LOOK, R_OK | W_OK, "block" },
	{ MAKE, S_IFBLK, "made", 1, 3 },
};

enum { OPERATIONS = TAP_ROWS(operations) };

static int try_operation(const struct operation *operation)
{
	int fd;

	switch (operation->kind) {
	case GAP:
		return 0;
	case OPEN:
		fd = fd_try_open(AT_FDCWD, operation->path, operation->flags | O_NOCTTY);
		if (fd < 0)
			return -fd;
		close(fd);
		return 0;
	case LOOK:
		return access(operation->path, operation->flags) < 0 ? errno : 0;
	case MAKE:
		if (mknod(operation->path, (mode_t)operation->flags | 0600,
			    makedev(operation->major, operation->minor)) < 0)
			return errno;
		unlink(operation->path);
		return 0;
	}
	return ENOSYS;
}

/* Whether all of it works outside of a group, so that what fails inside fails because of it. */
static const char *try_outside(void)
{
	if (mknod("block", S_IFBLK | 0600, makedev(1, 3)) < 0)
		return "devices cannot be made here";
	for (size_t i = 0; i < OPERATIONS; i++) {
		if (try_operation(&operations[i]) != 0)
			return "devices cannot be used here";
	}
	return NULL;
}

struct inside {
	int version;
	int group;
};

static int operate(const void *data)
{
	const struct inside *inside = data;

	if (fd_try_write(inside->group, inside->version == 2 ? "cgroup.procs" : "tasks", "0") < 0)
		return 1;
	for (size_t i = 0; i < OPERATIONS; i++) {
		int error = try_operation(&operations[i]);

		putchar(operations[i].kind == GAP ? ' ' :
				error == 0        ? '+' :
				error == EPERM    ? '-' :
						    '?');
	}
	return 0;
}

struct application {
	struct devices devices;
	int group;
	int version;
};

static int apply(const void *data)
{
	const struct application *application = data;

	return devices_apply(&application->devices, application->group, application->version) ? 42 :
												43;
}

/* Applies RULES to a group and says what its processes can do, "" if they were refused; the message is in *OUTCOME. */
static struct outcome apply_rules(int version, int group, const char *const *rules)
{
	struct application application = { .group = group, .version = version };

	if (add_rules(&application.devices, rules))
		bail_out("cannot add rules");
	return run(apply, &application);
}

static const struct {
	const char *name;
	const char *rules[RULES_MAX];
	const char *wanted;
} rows[] = {
	{ "nothing", { NULL }, "+++++ +++ + +++" },
	{ "deny all", { "-all" }, "----- --- - ---" },
	{ "allow a device", { "+/dev/null" }, "+++++ --- - ---" },
	{ "allow to read", { "+c:1:3:r" }, "+--+- --- - ---" },
	{ "allow to write", { "+c:1:3:w" }, "-+-+- --- - ---" },
	{ "allow to read and write", { "+c:1:3:rw" }, "++++- --- - ---" },
	{ "allow to make", { "+c:1:3:m" }, "---++ --- - ---" },
	{ "allow to read and make", { "+c:1:3:rm" }, "+--++ --- - ---" },
	{ "allow by parts", { "+c:1:3:r", "+c:1:3:w" }, "++++- --- - ---" },
	{ "no two rules together allow", { "+c:1:3:r", "+c:1:*:w" }, "++-+- --- - ---" },
	{ "allow any minor", { "+c:1:*:rm" }, "+--++ +-+ - ---" },
	{ "allow any major", { "+c:*:3:m" }, "---++ --- + ---" },
	{ "allow characters", { "+c:*:*" }, "+++++ +++ + ---" },
	{ "allow blocks", { "+b:*:*" }, "----- --- - +++" },
	{ "allow to read a block", { "+b:1:3:r" }, "----- --- - +--" },
	{ "allow after all is denied", { "-all", "+/dev/zero" }, "----- +++ - ---" },
	{ "allow before all is denied", { "+/dev/zero", "-all" }, "----- +++ - ---" },
	{ "allow more", { "+c:9:9", "+/dev/null:r", "+/dev/zero:rm", "+b:*:3:m", "+c:200:*:m" },
		"+--+- +-+ + --+" },
	{ "deny a device", { "-c:1:3" }, "---+- +++ + +++" },
	{ "deny to write", { "-/dev/null:w" }, "+--++ +++ + +++" },
	{ "deny to make", { "-c:1:3:m" }, "++++- +++ + +++" },
	{ "deny by parts", { "-c:1:3:r", "-c:1:3:w" }, "---++ +++ + +++" },
	{ "deny by two rules", { "-c:1:3:r", "-c:1:*:w" }, "---++ +-+ + +++" },
	{ "deny any minor", { "-c:1:*:w" }, "+--++ +-+ + +++" },
	{ "deny any major", { "-c:*:3:m" }, "++++- +++ - +++" },
	{ "deny characters", { "-c:*:*" }, "---+- --- - +++" },
	{ "deny to write a block", { "-b:1:3:w" }, "+++++ +++ + +-+" },
	{ "deny more", { "-b:*:*", "-c:9:9", "-c:*:*:m" }, "++++- ++- - ---" },
};

static void check_inside(int version, int group, const char *wanted)
{
	struct inside inside = { version, group };
	struct outcome outcome = run(operate, &inside);

	is_text(outcome.exited == 0 ? outcome.out : "not inside", wanted, "... and what it can do");
}

static void test_rows(int version)
{
	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		autoclose int group = make_group(version, "");
		struct outcome outcome = apply_rules(version, group, rows[i].rules);

		is_exit(&outcome, 42, "version %d: %s", version, rows[i].name);
		is_text(outcome.err, "", "... without a message");
		check_inside(version, group, rows[i].wanted);
		remove_groups();
	}
}

static void test_full(int version)
{
	struct application application = { .version = version };
	autoclose int group = make_group(version, "");

	fill(&application.devices);
	application.group = group;

	struct outcome outcome = run(apply, &application);

	is_exit(&outcome, 42, "version %d: as many rules as there may be", version);
	check_inside(version, group, "+++++ --- - ---");
	remove_groups();
}

/* A group below one that has rules too. Version 1 refuses what it could not do as exactly as version 2. */
static const struct {
	const char *name;
	const char *outer[RULES_MAX];
	const char *inner[RULES_MAX];
	const char *wanted;
	const char *refusal; /* on version 1 */
} nested[] = {
	{ "nothing below a list", { "+c:1:*" }, { NULL }, "+++++ +++ - ---" },
	{ "nothing below denied", { "-c:1:3:w" }, { NULL }, "+--++ +++ + +++" },
	{ "allow less", { "+c:1:*" }, { "+/dev/null:r" }, "+--+- --- - ---" },
	{ "allow more", { "+/dev/null:r" }, { "+/dev/null" }, "+--+- --- - ---", "no group can allow" },
	{ "allow what is denied above", { "-/dev/null:w" }, { "+/dev/null" }, "+--++ --- - ---",
		"no group can allow" },
	{ "allow what is not denied above", { "-/dev/null:w" }, { "+/dev/null:rm" },
		"+--++ --- - ---" },
	{ "deny all below a list", { "+/dev/null" }, { "-all" }, "----- --- - ---" },
	{ "deny more", { "-/dev/null:w" }, { "-/dev/null:m", "-b:*:*" }, "+--+- +++ + ---" },
	{ "deny a device of a list", { "+/dev/null", "+/dev/zero" }, { "-/dev/null:wm" },
		"+--+- +++ - ---" },
	{ "deny several of a list", { "+/dev/null", "+/dev/zero", "+c:200:3" }, { "-c:1:*:w" },
		"+--++ +-+ + ---" },
	{ "deny what no list has", { "+/dev/null" }, { "-/dev/zero", "-b:*:*" }, "+++++ --- - ---" },
	{ "deny a part of a pattern", { "+c:1:*" }, { "-/dev/null:w" }, "+--++ +++ - ---",
		"all of that or nothing" },
	{ "deny what a pattern does not have", { "+c:1:*:rw", "+c:*:*:r" }, { "-/dev/null:m" },
		"++++- ++- - ---" },
	{ "deny a pattern with another", { "+c:1:*", "+c:200:*:m" }, { "-c:*:*:m" },
		"++++- ++- - ---" },
};

static void test_nested(int version)
{
	for (size_t i = 0; i < TAP_ROWS(nested); i++) {
		autoclose int outer = make_group(version, "");
		struct outcome first = apply_rules(version, outer, nested[i].outer);
		autoclose int inner = make_group(version, "/inner");
		struct outcome second = apply_rules(version, inner, nested[i].inner);
		bool refused = version == 1 && nested[i].refusal;

		is_exit(&first, 42, "version %d, below: %s", version, nested[i].name);
		is_exit(&second, refused ? 43 : 42, "... is %s", refused ? "refused" : "applied");
		if (refused)
			has_text(second.err, nested[i].refusal, "... because");
		else
			check_inside(version, inner, nested[i].wanted);
		remove_groups();
	}
}

/* What goes wrong is told, and is not taken for done. */
static void test_refusals(int version)
{
	static const char *const rules[2][RULES_MAX] = { { "+/dev/null" }, { "-/dev/null" } };
	autoclose int elsewhere = fd_open(AT_FDCWD, base, O_PATH | O_DIRECTORY);

	for (size_t i = 0; i < TAP_ROWS(rules); i++) {
		struct outcome outcome = apply_rules(version, elsewhere, rules[i]);

		is_exit(&outcome, 43, "version %d: a directory that is no group", version);
		has_text(outcome.err, "cannot ", "... with a message");
	}
}

static int apply_as_user(const void *data)
{
	if (setgid(65534) < 0 || setuid(65534) < 0)
		return 1;
	return apply(data);
}

static void test_user(int version)
{
	static const char *const rules[2][RULES_MAX] = { { "+/dev/null" }, { "-/dev/null" } };

	for (size_t i = 0; i < TAP_ROWS(rules); i++) {
		struct application application = { .version = version };
		autoclose int group = make_group(version, "");
		char path[2 * PATH_MAX + 16];

		/* As if delegated. */
		group_path(path, sizeof(path), version, "/devices.deny");
		if (version == 1 && chown(path, 65534, 65534) < 0)
			bail_out("cannot give '%s' away", path);
		add_rules(&application.devices, rules[i]);
		application.group = group;

		struct outcome outcome = run(apply_as_user, &application);

		is_exit(&outcome, 43, "version %d: as a user", version);
		has_text(outcome.err, "hint: it takes CAP_SYS_ADMIN", "... with a hint");
		remove_groups();
	}
}

/* Attaches a program that allows all, or denies all. */
static void attach_program(int group, bool allow, unsigned int flags)
{
	struct bpf_insn code[] = {
		{ .code = BPF_ALU | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = allow },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof(attributes));
	attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attributes.insns = (uintptr_t)code;
	attributes.insn_cnt = TAP_ROWS(code);
	attributes.license = (uintptr_t) "MIT";

	autoclose int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof(attributes));

	memset(&attributes, 0, sizeof(attributes));
	attributes.target_fd = (uint32_t)group;
	attributes.attach_bpf_fd = (uint32_t)fd;
	attributes.attach_type = BPF_CGROUP_DEVICE;
	attributes.attach_flags = flags;
	if (fd < 0 || syscall(SYS_bpf, BPF_PROG_ATTACH, &attributes, sizeof(attributes)) < 0)
		bail_out("cannot attach a program");
}

/* Programs of others on the group above. */
static void test_programs(void)
{
	static const struct {
		const char *name;
		bool allow;
		unsigned int flags;
		const char *message; /* NULL: it is applied */
		const char *wanted;
	} above[] = {
		{ "allows all, and others", true, BPF_F_ALLOW_MULTI, NULL, "+++++ --- - ---" },
		{ "denies all, and others do too", false, BPF_F_ALLOW_MULTI, NULL, "----- --- - ---" },
		{ "lets none be below it", true, 0, "has one that is alone", NULL },
		{ "gives way to those below", false, BPF_F_ALLOW_OVERRIDE, "no longer be run", NULL },
	};
	static const char *const rules[RULES_MAX] = { "+/dev/null" };

	for (size_t i = 0; i < TAP_ROWS(above); i++) {
		autoclose int outer = make_group(2, "");

		attach_program(outer, above[i].allow, above[i].flags);

		autoclose int inner = make_group(2, "/inner");
		struct outcome outcome = apply_rules(2, inner, rules);

		is_exit(&outcome, above[i].message ? 43 : 42, "a program above %s", above[i].name);
		if (above[i].message)
			has_text(outcome.err, above[i].message, "... and why not");
		else
			check_inside(2, inner, above[i].wanted);
		remove_groups();
	}
}

int main(void)
{
	maker = getpid();
	for (int version = 1; version <= 2; version++)
		places[version].missing = "not yet known";
	make_directory(base, sizeof(base));
	atexit(clean_up);
	if (chdir(base) < 0)
		bail_out("cannot enter '%s'", base);
	make_names();
	test_rules();
	test_lists();
	test_limit();

	find_places();

	const char *useless = geteuid() == 0 ? try_outside() : "is for root";

	for (int version = 1; version <= 2; version++) {
		const char *missing = useless ? useless : places[version].missing;

		if (missing) {
			skip(version == 1 ? "version 1" : "version 2", missing);
			continue;
		}
		test_rows(version);
		test_full(version);
		test_nested(version);
		test_refusals(version);
		test_user(version);
		if (version == 2)
			test_programs();
	}
	return tap_end();
}
