#include "common/limits.h"

#include "common/fd.h"
#include "common/parse.h"
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
	VALUE_SIZE = 4096,
	PERIOD = 100000,
	CPU_DIGITS = 5
}; /* PERIOD in microseconds; a processor is 10^5 of them */

struct limit_rule {
	const char *name; /* of the option */
	/* Takes the text. Pure; returns a reason as parse.h does. */
	const char *(*parse)(struct limit *limit, const char *text);
	/* Adds what is to be written on VERSION. */
	void (*plan)(struct limits *limits, const struct limit *limit, int version);
	const char *files[3]; /* by version; NULL: it has no such limit */
};

/* --- what is asked for --- */

static const char *parse_size(struct limit *limit, const char *text)
{
	size_t length = strlen(text);
	char number[32];

	if (strcmp(text, "max") == 0) {
		limit->number = LIMIT_NONE;
		return NULL;
	}
	if (length == 0 || text[length - 1] != '%' || length > sizeof(number))
		return parse_bytes(text, &limit->number);
	limit->percent = true;
	snprintf(number, sizeof(number), "%.*s", (int)length - 1, text);
	if (parse_decimal(number, 3, &limit->number) || limit->number > 100000)
		return "is not a percentage up to 100%";
	return NULL;
}

static const char *parse_memory(struct limit *limit, const char *text)
{
	const char *reason = parse_size(limit, text);

	if (!reason && limit->number < (limit->percent ? 1 : (uint64_t)sysconf(_SC_PAGESIZE)))
		return "is less than a page of memory: without K, M or G it counts bytes";
	return reason;
}

static const char *parse_swappiness(struct limit *limit, const char *text)
{
	return parse_number(text, 0, 200, &limit->number) ? "is not a number from 0 to 200" : NULL;
}

static const char *parse_flag(struct limit *limit, const char *text)
{
	(void)text;
	limit->number = 1;
	return NULL;
}

static const char *parse_cpus(struct limit *limit, const char *text)
{
	if (strcmp(text, "max") == 0) {
		limit->number = LIMIT_NONE;
		return NULL;
	}

	const char *reason = parse_decimal(text, CPU_DIGITS, &limit->number);

	if (reason && strcmp(reason, "is not a number") == 0)
		return "is not a number of processors: 2 and 0.25 are some";
	return !reason && limit->number < 1000 ? "is below 0.01, the least that the kernel takes" :
						 reason;
}

static const char *parse_microseconds(struct limit *limit, const char *text)
{
	return parse_number(text, 0, UINT32_MAX, &limit->number) ? "is not a number of microseconds" :
								   NULL;
}

static const char *parse_weight(struct limit *limit, const char *text)
{
	return parse_number(text, 1, 10000, &limit->number) ? "is not a number from 1 to 10000" :
							      NULL;
}

static const char *parse_list(struct limit *limit, const char *text)
{
	struct parse_set set;

	(void)limit;
	return parse_ranges(text, &set);
}

static const char *parse_pids(struct limit *limit, const char *text)
{
	if (strcmp(text, "max") == 0) {
		limit->number = LIMIT_NONE;
		return NULL;
	}
	return parse_number(text, 1, 4194304, &limit->number) ?
		"is neither max nor a number from 1 to 4194304" :
		NULL;
}

static const char *const rate_keys[] = { "rbps", "wbps", "riops", "wiops" };
enum { RATES = sizeof(rate_keys) / sizeof(*rate_keys) };

/* "KEY=VALUE": bytes for the first two keys, operations for the others. */
static const char *parse_rate(struct limit *limit, const char *text)
{
	char key[16];
	const char *value;
	size_t i = 0;

	if (parse_assignment(text, key, sizeof(key), &value))
		return "is not DISK:KEY=RATE[,KEY=RATE]";
	while (i < RATES && strcmp(key, rate_keys[i]) != 0)
		i++;
	if (i == RATES)
		return "has a key other than rbps, wbps, riops, wiops";
	if (limit->rates[i])
		return "has a key twice";
	if (strcmp(value, "max") == 0) {
		limit->rates[i] = LIMIT_NONE;
		return NULL;
	}
	if (i < 2 ? parse_bytes(value, &limit->rates[i]) :
		    parse_number(value, 1, UINT32_MAX, &limit->rates[i]))
		return "has a rate that is no number or size";
	return limit->rates[i] ? NULL : "has a rate of 0";
}

static const char *parse_io_max(struct limit *limit, const char *text)
{
	const char *cursor = strrchr(text, ':');
	char word[64];

	if (!cursor || cursor == text)
		return "is not DISK:KEY=RATE[,KEY=RATE]";
	for (cursor++; cursor;) {
		const char *reason = parse_word(&cursor, ',', word, sizeof(word));

		if (!reason)
			reason = parse_rate(limit, word);
		if (reason)
			return reason;
	}
	return NULL;
}

/* "SIZE:LIMIT"; the size goes to the first of the rates. */
static const char *parse_hugetlb(struct limit *limit, const char *text)
{
	const char *cursor = text;
	char size[32];

	if (parse_word(&cursor, ':', size, sizeof(size)) || !cursor)
		return "is not SIZE:LIMIT, such as 2M:1G";
	if (parse_bytes(size, &limit->rates[0]) || limit->rates[0] < 1024 ||
		(limit->rates[0] & (limit->rates[0] - 1)))
		return "begins with no size of huge pages: as 2M:1G does";
	return strchr(cursor, '%') ? "is a percentage, of nothing" : parse_size(limit, cursor);
}

static const char *parse_setting(struct limit *limit, const char *text)
{
	struct setting setting = { .file = "" };
	const char *value;
	const char *reason = parse_assignment(text, setting.file, sizeof(setting.file), &value);

	(void)limit;
	if (reason)
		return reason;
	if (strchr(setting.file, '/') || !strchr(setting.file, '.') || setting.file[0] == '.')
		return "does not begin with the name of a file: as memory.high=90M does";
	/* These act on processes, of whom some may be others'. */
	if (strncmp(setting.file, "cgroup.", 7) == 0 && strncmp(setting.file, "cgroup.max.", 11) != 0)
		return "is no setting of the group: cgroup.max.* are";
	if (!*value)
		return "has no value";
	return strlen(value) >= sizeof(setting.value) ? "has a value that is too long" : NULL;
}

/* --- what is written for it --- */

static struct setting *add_text(
	struct limits *limits, const struct limit *limit, const char *file, const char *value)
{
	struct setting *setting = settings_add(&limits->settings, limit->rule->name, file, value);

	setting->tried = limit->tried;
	setting->optional = limit->optional;
	return setting;
}

static struct setting *add_number(struct limits *limits, const struct limit *limit,
	const char *file, uint64_t number, const char *none)
{
	char value[32];

	snprintf(value, sizeof(value), "%" PRIu64, number);
	return add_text(limits, limit, file, number == LIMIT_NONE ? none : value);
}

static void plan_number(struct limits *limits, const struct limit *limit, int version)
{
	add_number(limits, limit, limit->rule->files[version], limit->number,
		version == 1 ? "-1" : "max");
}

static void plan_pids(struct limits *limits, const struct limit *limit, int version)
{
	add_number(limits, limit, limit->rule->files[version], limit->number, "max");
}

static const struct limit *find_limit(const struct limits *limits, const char *name)
{
	for (size_t i = 0; i < limits->count; i++) {
		if (strcmp(limits->list[i].rule->name, name) == 0)
			return &limits->list[i];
	}
	return NULL;
}

/* Version 1 counts memory and swap together. */
static void plan_swap(struct limits *limits, const struct limit *limit, int version)
{
	struct limit both = *limit;
	const struct limit *memory = find_limit(limits, "memory");

	if (version == 1 && limit->number != LIMIT_NONE &&
		(!memory || memory->number == LIMIT_NONE ||
			__builtin_add_overflow(limit->number, memory->number, &both.number))) {
		warn("cannot limit swap alone: cgroup version 1 counts it together with memory");
		hint(limit->tried ? "COMMAND runs without it, as --try-swap allows" :
				    "give --memory a size");
		if (!limit->tried)
			exit(STATUS_FAILED);
		return;
	}
	plan_number(limits, &both, version);
}

static void plan_cpus(struct limits *limits, const struct limit *limit, int version)
{
	char both[64];

	if (version == 1) {
		add_number(limits, limit, "cpu.cfs_period_us", PERIOD, NULL);
		plan_number(limits, limit, version);
		return;
	}
	snprintf(both, sizeof(both), "%" PRIu64 " %d", limit->number, PERIOD);
	if (limit->number == LIMIT_NONE)
		snprintf(both, sizeof(both), "max %d", PERIOD);
	add_text(limits, limit, limit->rule->files[version], both);
}

/* The same ratio to the default: 100 on version 2, 1024 on version 1. */
static void plan_weight(struct limits *limits, const struct limit *limit, int version)
{
	add_number(limits, limit, limit->rule->files[version],
		version == 1 ? (limit->number * 1024 + 50) / 100 : limit->number, NULL);
}

static void plan_text(struct limits *limits, const struct limit *limit, int version)
{
	add_text(limits, limit, limit->rule->files[version], limit->text);
}

/* The number of the device that TEXT begins with. */
static void find_device(const struct limit *limit, char *ret, size_t size)
{
	const char *end = strrchr(limit->text, ':');
	struct stat status;
	char name[PATH_MAX];
	const char *cursor = name;
	uint64_t first, second;
	char word[16];

	snprintf(name, sizeof(name), "%.*s", (int)(end - limit->text), limit->text);
	if (!parse_word(&cursor, ':', word, sizeof(word)) && cursor &&
		!parse_number(word, 0, UINT32_MAX, &first) &&
		!parse_number(cursor, 0, UINT32_MAX, &second)) {
		snprintf(ret, size, "%" PRIu64 ":%" PRIu64, first, second);
		return;
	}
	if (stat(name, &status) < 0)
		die_error(errno, "--%s: cannot find the disk '%s'", limit->rule->name, name);
	if (!S_ISBLK(status.st_mode))
		die_hint("give a disk, such as /dev/sda, or its MAJOR:MINOR (see lsblk(8))", 0,
			"--%s: '%s' is not a block device", limit->rule->name, name);
	snprintf(ret, size, "%u:%u", major(status.st_rdev), minor(status.st_rdev));
}

static void format_rate(char *text, size_t size, uint64_t rate, const char *none)
{
	if (rate == LIMIT_NONE)
		snprintf(text, size, "%s", none);
	else
		snprintf(text, size, "%" PRIu64, rate);
}

static void plan_io_max(struct limits *limits, const struct limit *limit, int version)
{
	static const char *const files[] = { "blkio.throttle.read_bps_device",
		"blkio.throttle.write_bps_device", "blkio.throttle.read_iops_device",
		"blkio.throttle.write_iops_device" };
	char device[32], rate[32], value[192];
	int used;

	find_device(limit, device, sizeof(device));
	used = snprintf(value, sizeof(value), "%s", device);
	for (size_t i = 0; i < RATES; i++) {
		if (!limit->rates[i])
			continue;
		format_rate(rate, sizeof(rate), limit->rates[i], version == 1 ? "0" : "max");
		used += snprintf(value + used, sizeof(value) - (size_t)used,
			version == 1 ? " %.0s%s" : " %s=%s", rate_keys[i], rate);
		if (version == 2)
			continue;
		add_text(limits, limit, files[i], value);
		used = snprintf(value, sizeof(value), "%s", device);
	}
	if (version == 2)
		add_text(limits, limit, limit->rule->files[version], value);
}

/* Where the scheduler of the disks is BFQ; it knows weights up to 1000. */
static void plan_io_weight(struct limits *limits, const struct limit *limit, int version)
{
	struct setting *setting =
		add_number(limits, limit, limit->rule->files[version], limit->number, NULL);

	setting->instead = version == 1 ? "blkio.weight" : "io.bfq.weight";
}

/* The size as the kernel has it in names of files. With reservations limited too, a program is refused the memory instead of killed when it uses it. */
static void plan_hugetlb(struct limits *limits, const struct limit *limit, int version)
{
	uint64_t size = limit->rates[0];
	int unit = size >= 1 << 30 ? 2 : size >= 1 << 20 ? 1 : 0;

	for (int reserved = 0; reserved < 2; reserved++) {
		char file[64];

		snprintf(file, sizeof(file), "hugetlb.%" PRIu64 "%cB.%s%s", size >> 10 * (unit + 1),
			"KMG"[unit], reserved ? "rsvd." : "",
			version == 1 ? "limit_in_bytes" : "max");
		add_number(limits, limit, file, limit->number, version == 1 ? "-1" : "max")->optional |=
			reserved;
	}
}

static void plan_setting(struct limits *limits, const struct limit *limit, int version)
{
	char file[64];
	const char *value;

	(void)version;
	parse_assignment(limit->text, file, sizeof(file), &value);
	/* The last one for a file is in force. */
	for (size_t i = 0; i < limits->settings.count; i++) {
		struct setting *setting = &limits->settings.list[i];

		/* What may be done without does not take the place of what may not. */
		if (setting->option == limit->rule->name && setting->tried == limit->tried &&
			strcmp(setting->file, file) == 0) {
			snprintf(setting->value, sizeof(setting->value), "%s", value);
			return;
		}
	}
	add_text(limits, limit, file, value);
}

/* In the order in which they are written: memory before swap (version 1), the quota before the burst, and what the user knows best at the end. */
static const struct limit_rule rules[] = {
	{ "memory", parse_memory, plan_number, { NULL, "memory.limit_in_bytes", "memory.max" } },
	{ "swap", parse_size, plan_swap, { NULL, "memory.memsw.limit_in_bytes", "memory.swap.max" } },
	{ "memory-high", parse_size, plan_number, { NULL, NULL, "memory.high" } },
	{ "memory-low", parse_size, plan_number, { NULL, "memory.soft_limit_in_bytes", "memory.low" } },
	{ "memory-min", parse_size, plan_number, { NULL, NULL, "memory.min" } },
	{ "swappiness", parse_swappiness, plan_number, { NULL, "memory.swappiness", NULL } },
	{ "oom-group", parse_flag, plan_number, { NULL, NULL, "memory.oom.group" } },
	{ "cpus", parse_cpus, plan_cpus, { NULL, "cpu.cfs_quota_us", "cpu.max" } },
	{ "cpu-burst", parse_microseconds, plan_number, { NULL, "cpu.cfs_burst_us", "cpu.max.burst" } },
	{ "cpu-weight", parse_weight, plan_weight, { NULL, "cpu.shares", "cpu.weight" } },
	{ "cpuset", parse_list, plan_text, { NULL, "cpuset.cpus", "cpuset.cpus" } },
	{ "mems", parse_list, plan_text, { NULL, "cpuset.mems", "cpuset.mems" } },
	{ "pids", parse_pids, plan_pids, { NULL, "pids.max", "pids.max" } },
	{ "io-max", parse_io_max, plan_io_max, { NULL, "blkio.throttle", "io.max" } },
	{ "io-weight", parse_weight, plan_io_weight, { NULL, "blkio.bfq.weight", "io.weight" } },
	{ "hugetlb", parse_hugetlb, plan_hugetlb, { NULL, "hugetlb", "hugetlb" } },
	{ "set", parse_setting, plan_setting, { NULL } },
};

enum { RULES = sizeof(rules) / sizeof(*rules), RULE_SET = RULES - 1 };

const char *limits_add(struct limits *limits, const char *name, const char *text, bool tried)
{
	struct limit *limit = &limits->list[limits->count];
	const struct limit_rule *rule = NULL;

	for (size_t i = 0; i < RULES; i++) {
		if (strcmp(rules[i].name, name) == 0)
			rule = &rules[i];
	}
	if (!rule)
		return "is no limit";
	if (limits->count == LIMITS_MAX)
		return "is one limit too many";
	*limit = (struct limit){ .rule = rule, .text = text, .tried = tried };

	const char *reason = rule->parse(limit, text);

	limits->count += reason ? 0 : 1;
	return reason;
}

const char *limits_complete(struct limits *limits)
{
	const struct limit *memory = find_limit(limits, "memory");

	if (find_limit(limits, "swap") && !memory)
		return "--swap needs --memory";
	if (find_limit(limits, "cpu-burst") && !find_limit(limits, "cpus"))
		return "--cpu-burst needs --cpus";
	if (!memory || memory->number == LIMIT_NONE || find_limit(limits, "swap"))
		return NULL;
	/* Memory beyond the limit would go to swap and never be missed. */
	if (limits_add(limits, "swap", "0", memory->tried))
		return "one limit too many: --memory brings one for swap along";
	limits->list[limits->count - 1].optional = true;
	return NULL;
}

/* --- where it is --- */

/* What the group above may use of FILE's kind, on version 2 through all groups above it. */
static uint64_t walk_up(const struct hierarchy *hierarchy, const char *file)
{
	struct hierarchy above = *hierarchy;
	uint64_t least = UINT64_MAX;
	char own[PATH_MAX];

	snprintf(own, sizeof(own), "%s", hierarchy->own);
	above.own = own;

	do {
		autoclose int directory = fd_try_open(AT_FDCWD, above.own, O_PATH | O_DIRECTORY);
		char text[32];
		uint64_t number;

		if (directory >= 0 && fd_try_read(directory, file, text, sizeof(text)) > 0 &&
			!parse_number(text, 0, UINT64_MAX, &number) && number < least)
			least = number;
	} while (hierarchy_ascend(&above));
	return least;
}

static uint64_t read_stat(const struct hierarchy *hierarchy, const char *key)
{
	autoclose int directory = fd_try_open(AT_FDCWD, hierarchy->own, O_PATH | O_DIRECTORY);
	char text[VALUE_SIZE];
	char *cursor = text;
	uint64_t number = UINT64_MAX;
	size_t length = strlen(key);

	if (directory < 0 || fd_try_read(directory, "memory.stat", text, sizeof(text)) < 0)
		return number;
	for (char *line; (line = strsep(&cursor, "\n"));) {
		if (strncmp(line, key, length) == 0 && line[length] == ' ')
			parse_number(line + length + 1, 0, UINT64_MAX, &number);
	}
	return number;
}

/* What a percentage is of: the memory, or swap space, that the group above may use; at most what the machine has. */
static uint64_t find_whole(const struct hierarchy *hierarchy, bool swap)
{
	struct sysinfo machine;
	uint64_t memory, most;

	sysinfo(&machine);
	most = (swap ? machine.totalswap : machine.totalram) * machine.mem_unit;
	if (hierarchy->version == 2)
		memory = walk_up(hierarchy, swap ? "memory.swap.max" : "memory.max");
	else
		memory = read_stat(hierarchy, "hierarchical_memory_limit");
	if (hierarchy->version == 1 && swap) {
		uint64_t both = read_stat(hierarchy, "hierarchical_memsw_limit");

		/* Both without a limit is no limit, and not a difference of 0. */
		memory = both > INT64_MAX / 2 ? UINT64_MAX : both > memory ? both - memory : 0;
	}
	return memory < most ? memory : most;
}

static void resolve_percent(struct limit *limit, const struct hierarchy *hierarchy)
{
	uint64_t whole = find_whole(hierarchy, strcmp(limit->rule->name, "swap") == 0);

	limit->number = (uint64_t)((unsigned __int128)whole * limit->number / 100000);
	limit->percent = false;
}

static void explain_absence(const struct hierarchy_layout *layout, const char *controller)
{
	char holder[PATH_MAX];

	for (size_t i = 0; i < layout->count; i++) {
		if (layout->list[i].version == 2 &&
			hierarchy_find_holder(&layout->list[i], controller, holder, sizeof(holder))) {
			hint("'%s' has it and does not hand it down: subtree_control, Delegate=",
				holder);
			return;
		}
	}
	hint("it is off here, hidden by nsnew -C, or has no such --parent");
}

/* Whether CONTROLLER, of --set, is one mistyped. */
static bool explain_name(const char *controller)
{
	struct parse_guess guess = { .typed = controller };
	char name[64], nearest[64] = "";

	for (size_t i = 0; i < RULE_SET; i++) {
		for (int version = 1; version <= 2; version++) {
			const char *file = rules[i].files[version] ? rules[i].files[version] : "";

			snprintf(name, sizeof(name), "%.*s", (int)strcspn(file, "."), file);
			if (name[0] && parse_offer(&guess, name))
				snprintf(nearest, sizeof(nearest), "%s", name);
		}
	}
	if (!guess.word || strcmp(nearest, controller) == 0)
		return false;
	hint("did you mean '%s'?", nearest);
	return true;
}

/* CONTROLLER is not here, or only on the version that does not have LIMIT. Dies unless COMMAND may run without it. */
static void do_without(
	const struct limit *limit, const struct hierarchy_layout *layout, const char *controller)
{
	const struct hierarchy *other = hierarchy_of(layout, controller);
	const char *name = limit->rule->name;

	if (limit->optional)
		return;
	if (other)
		warn("cannot limit by --%s: cgroup version %d does not have that", name,
			other->version);
	else
		warn("cannot limit by --%s: no cgroup controller '%s' here", name, controller);
	if (limit->tried)
		hint("COMMAND runs without it, as --try-%s allows", name);
	else if (other)
		hint("'%s' is on that version here; --try-%s does without", controller, name);
	else if (limit->rule != &rules[RULE_SET] || !explain_name(controller))
		explain_absence(layout, controller);
	if (!limit->tried)
		exit(STATUS_FAILED);
}

/* The hierarchy in whose files LIMIT is written, its controller in the plan of GROUP; NULL if COMMAND runs without. Dies. */
static const struct hierarchy *find_hierarchy(
	const struct limit *limit, struct cgroup *group, const struct hierarchy_layout *layout)
{
	bool set = limit->rule == &rules[RULE_SET];
	char controller[64], first[64] = "";

	for (int version = 2; version >= 1; version--) {
		const char *file = set ? limit->text : limit->rule->files[version];

		if (!file)
			continue;
		snprintf(controller, sizeof(controller), "%.*s", (int)strcspn(file, ".="), file);
		if (!first[0])
			memcpy(first, controller, sizeof(first));
		/* Every group has these. */
		if (set && strcmp(controller, "cgroup") == 0)
			return group->branches[0].hierarchy;

		const struct hierarchy *hierarchy = hierarchy_of(layout, controller);

		if (hierarchy && (set || hierarchy->version == version)) {
			cgroup_plan_controller(group, layout, controller, limit->tried);
			return hierarchy;
		}
	}
	do_without(limit, layout, first);
	return NULL;
}

void limits_resolve(struct limits *limits, struct cgroup *group, const struct hierarchy_layout *layout)
{
	for (size_t i = 0; i < RULES; i++) {
		for (size_t j = 0; j < limits->count; j++) {
			struct limit *limit = &limits->list[j];
			const struct hierarchy *hierarchy;

			if (limit->rule != &rules[i])
				continue;
			hierarchy = find_hierarchy(limit, group, layout);
			if (!hierarchy)
				continue;
			if (limit->percent)
				resolve_percent(limit, hierarchy);
			limit->rule->plan(limits, limit, hierarchy->version);
		}
	}
}
