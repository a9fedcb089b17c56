/* limits: lines "NAME=VALUE" of limits, and what is written for them on each cgroup version. */
#include "common/limits.c"
#include "tests/fuzz/fuzz.h"

enum { LINES, MAX, STAT, PARTS };

struct planning {
	struct limits limits;
	struct hierarchy hierarchy;
};

static void plan_all(void *data)
{
	struct planning *planning = data;
	struct limits *limits = &planning->limits;
	int version = planning->hierarchy.version;

	for (size_t i = 0; i < limits->count; i++) {
		struct limit *limit = &limits->list[i];

		if (!limit->rule->files[version] && limit->rule != &rules[RULE_SET])
			continue;
		if (limit->percent)
			resolve_percent(limit, &planning->hierarchy);
		limit->rule->plan(limits, limit, version);
	}
}

static bool is_size(const char *value)
{
	return strcmp(value, "max") == 0 || strcmp(value, "-1") == 0 ||
		(*value && !value[strspn(value, "0123456789")]);
}

static void check_settings(const struct settings *settings)
{
	fuzz_check(settings->count <= SETTINGS_MAX);
	for (size_t i = 0; i < settings->count; i++) {
		const struct setting *setting = &settings->list[i];

		fuzz_check(setting->file[0] && !strchr(setting->file, '/') &&
			strchr(setting->file, '.') && setting->file[0] != '.');
		fuzz_check(strcmp(setting->file, "cgroup.kill") != 0 &&
			strcmp(setting->file, "cgroup.procs") != 0);
		fuzz_check(setting->value[0]);
		if (strcmp(setting->option, "set") != 0 &&
			(strncmp(setting->file, "memory.", 7) == 0 ||
				strncmp(setting->file, "hugetlb.", 8) == 0))
			fuzz_check(is_size(setting->value));
	}
}

static void check_limit(const struct limit *limit)
{
	fuzz_check(limit->rule && limit->text);
	fuzz_check(!limit->percent || limit->number <= 100000);
	if (strcmp(limit->rule->name, "cpu-weight") == 0)
		fuzz_check(limit->number >= 1 && limit->number <= 10000);
	if (strcmp(limit->rule->name, "memory") == 0)
		fuzz_check(limit->number > 0);
	if (strcmp(limit->rule->name, "pids") == 0)
		fuzz_check(limit->number > 0);
}

static void provide(const struct fuzz_part *parts)
{
	fuzz_file("/group", "", 0);
	fuzz_file("memory.max", parts[MAX].text, parts[MAX].size);
	fuzz_file("memory.swap.max", parts[MAX].text, parts[MAX].size);
	fuzz_file("memory.stat", parts[STAT].text, parts[STAT].size);
}

/* The lines stay where they are, because a limit points to its text. */
static void add_lines(struct limits *limits, char *text)
{
	for (char *line; (line = strsep(&text, "\n"));) {
		char *value = strchr(line, '=');
		size_t count = limits->count;

		if (value)
			*value++ = '\0';
		else
			value = line + strlen(line);
		if (limits_add(limits, line, value, count % 2))
			fuzz_check(limits->count == count);
		else
			check_limit(&limits->list[count]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct planning planning, fresh;
	struct fuzz_part parts[PARTS];

	fuzz_split(data, size, parts, PARTS);
	fresh = (struct planning){
		.hierarchy = { .own = (char *)"/group", .point = "/group", .root = "/" }
	};
	add_lines(&fresh.limits, parts[LINES].text);
	fuzz_check(fresh.limits.count <= LIMITS_MAX);
	for (int version = 1; version <= 2; version++) {
		planning = fresh;
		planning.hierarchy.version = version;
		if (limits_complete(&planning.limits))
			break;
		provide(parts);
		if (fuzz_survive(plan_all, &planning) == FUZZ_RETURNED)
			check_settings(&planning.limits.settings);
	}
	fuzz_free(parts, PARTS);
	return 0;
}
