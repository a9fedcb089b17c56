/* cgrun - run a command under resource limits. cgroups(7), clone3(2) */
#include "common/cgroup.h"
#include "common/chain.h"
#include "common/child.h"
#include "common/cli.h"
#include "common/hierarchy.h"
#include "common/parse.h"
#include "common/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SET = CLI_LONG, SWAP };

static const struct cli_option options[] = {
	{ 'm', "memory", "SIZE", "memory at most, such as 100M or 1.5G; beyond\nit the kernel kills" },
	{ SWAP, "swap", "SIZE", "swap space at most (default with --memory: 0)" },
	{ 'c', "cpus", "NUMBER", "processor time at most, in processors: 1.5" },
	{ 'p', "pids", "NUMBER", "processes and threads at most" },
	{ SET, "set", "FILE=VALUE...",
		"any other setting, by the name of its file in\nthe cgroup, such as memory.high=90M" },
	{ 0 },
};

static const struct cli_program program = {
	.name = "cgrun",
	.operands = "[--] COMMAND [ARG]...",
	.summary = "Run COMMAND under limits in a cgroup of its own, which ends with it.",
	.options = options,
};

enum { SETTINGS_MAX = 64 };

/* One file of the group. */
struct setting {
	int version; /* of the cgroup that has this file; 0: both */
	bool asked;  /* by the user; else it is left out where the kernel has no such file */
	char file[64];
	char value[192];
};

struct plan {
	size_t count;
	struct setting settings[SETTINGS_MAX]; /* in the order in which they are written */
	uint64_t memory;                       /* bytes, 0: no limit */
	uint64_t swap;
	bool swap_asked;
	char **command;

	struct hierarchy_layout layout;
	struct cgroup group;
};

static void add(struct cli *cli, struct plan *plan, struct setting setting)
{
	if (plan->count == SETTINGS_MAX)
		cli_die(cli, "more than %d settings", SETTINGS_MAX);
	plan->settings[plan->count++] = setting;
}

static void add_number(
	struct cli *cli, struct plan *plan, int version, const char *file, uint64_t value)
{
	struct setting setting = { .version = version, .asked = true };

	snprintf(setting.file, sizeof(setting.file), "%s", file);
	snprintf(setting.value, sizeof(setting.value), "%" PRIu64, value);
	add(cli, plan, setting);
}

/* Memory beyond the limit would go to swap and never be missed, so swap is limited as well. */
static void add_memory(struct cli *cli, struct plan *plan)
{
	uint64_t both;

	if (!plan->memory)
		return;
	if (__builtin_add_overflow(plan->memory, plan->swap, &both))
		cli_die(cli, "--memory and --swap are too large together");
	add_number(cli, plan, 2, "memory.max", plan->memory);
	add_number(cli, plan, 1, "memory.limit_in_bytes", plan->memory);
	add_number(cli, plan, 2, "memory.swap.max", plan->swap);
	plan->settings[plan->count - 1].asked = plan->swap_asked;
	/* Version 1 counts both together. */
	add_number(cli, plan, 1, "memory.memsw.limit_in_bytes", both);
	plan->settings[plan->count - 1].asked = plan->swap_asked;
}

static void parse_cpus(struct cli *cli, struct plan *plan)
{
	enum { PERIOD = 100000, DIGITS = 5 }; /* microseconds; a processor is 10^5 of them */
	struct setting both = { .version = 2, .asked = true, .file = "cpu.max" };
	uint64_t quota;

	cli_check(cli, parse_decimal(cli->value, DIGITS, &quota));
	if (quota < 1000)
		cli_check(cli, "is below 0.01, the least that the kernel takes");
	snprintf(both.value, sizeof(both.value), "%" PRIu64 " %d", quota, PERIOD);
	add(cli, plan, both);
	add_number(cli, plan, 1, "cpu.cfs_period_us", PERIOD);
	add_number(cli, plan, 1, "cpu.cfs_quota_us", quota);
}

static void parse_set(struct cli *cli, struct plan *plan)
{
	struct setting setting = { .asked = true };
	const char *value;

	cli_check(cli, parse_assignment(cli->value, setting.file, sizeof(setting.file), &value));
	if (strchr(setting.file, '/') || !strchr(setting.file, '.'))
		cli_check(cli, "does not begin with the name of a cgroup file such as memory.high");
	/* These act on processes, of whom some may be others'. */
	if (strncmp(setting.file, "cgroup.", 7) == 0 && strncmp(setting.file, "cgroup.max.", 11) != 0)
		cli_check(cli, "is no setting of the group");
	if (!*value)
		cli_check(cli, "has no value");
	if (snprintf(setting.value, sizeof(setting.value), "%s", value) >= (int)sizeof(setting.value))
		cli_check(cli, "has a value that is too long");
	add(cli, plan, setting);
}

static void parse(struct cli *cli, struct plan *plan)
{
	uint64_t number;

	for (int id; (id = cli_next(cli));) {
		switch (id) {
		case 'm':
			cli_check(cli, parse_bytes(cli->value, &plan->memory));
			if (plan->memory < (uint64_t)sysconf(_SC_PAGESIZE))
				cli_check(cli, "is less than a page of memory");
			break;
		case SWAP:
			cli_check(cli, parse_bytes(cli->value, &plan->swap));
			plan->swap_asked = true;
			break;
		case 'c':
			parse_cpus(cli, plan);
			break;
		case 'p':
			cli_check(cli, parse_number(cli->value, 1, 4194304, &number));
			add_number(cli, plan, 0, "pids.max", number);
			break;
		default:
			parse_set(cli, plan);
		}
	}
	if (plan->swap_asked && !plan->memory)
		cli_die(cli, "--swap needs --memory");
	add_memory(cli, plan);
	plan->command = cli_command(cli);
}

/* Finds the hierarchy of each setting and drops the settings that are for the other version. */
static void resolve(struct plan *plan)
{
	size_t kept = 0;

	hierarchy_find_own(&plan->layout);
	cgroup_plan(&plan->group, &plan->layout);
	for (size_t i = 0; i < plan->count; i++) {
		const struct setting *setting = &plan->settings[i];
		char controller[sizeof(setting->file)];

		snprintf(controller, sizeof(controller), "%.*s", (int)strcspn(setting->file, "."),
			setting->file);
		if (strcmp(controller, "cgroup") == 0) {
			plan->settings[kept++] = *setting;
			continue;
		}

		int version = cgroup_plan_controller(&plan->group, &plan->layout, controller);

		if (version == 0)
			die_hint("it is off in this kernel, not enabled for the own cgroup (cgroup.controllers), or out of sight behind nsnew -C",
				0, "cannot limit '%s': no cgroup controller '%s' here",
				setting->file, controller);
		if (setting->version == 0 || setting->version == version)
			plan->settings[kept++] = *setting;
	}
	plan->count = kept;
}

static bool make_group(const struct plan *plan, pid_t watcher)
{
	if (!cgroup_create(&plan->group, watcher))
		return false;
	for (size_t i = 0; i < plan->count; i++) {
		const struct setting *setting = &plan->settings[i];

		if (!setting->asked && !cgroup_has(&plan->group, setting->file))
			continue;
		if (!cgroup_set(&plan->group, setting->file, setting->value))
			return false;
	}
	return true;
}

/* Bytes as people write them: "100.0M". */
static void format_bytes(uint64_t bytes, char *text, size_t size)
{
	static const char units[] = "KMGTPE";
	size_t unit = 0;
	double value = (double)bytes / 1024;

	for (; value >= 1024 && units[unit + 1]; unit++)
		value /= 1024;
	snprintf(text, size, "%.1f%c", value, units[unit]);
}

/* To be called while the group is still there: its counters go with it. */
static void report_out_of_memory(const struct cgroup *group)
{
	uint64_t killed = 0, limit = 0, peak = 0;
	char limit_text[32] = "?", peak_text[32] = "?";

	if (!cgroup_try_count(group, "memory.events", "oom_kill", &killed) &&
		!cgroup_try_count(group, "memory.oom_control", "oom_kill", &killed))
		return;
	if (killed == 0)
		return;
	if (cgroup_try_count(group, "memory.max", NULL, &limit) ||
		cgroup_try_count(group, "memory.limit_in_bytes", NULL, &limit))
		format_bytes(limit, limit_text, sizeof(limit_text));
	if (cgroup_try_count(group, "memory.peak", NULL, &peak) ||
		cgroup_try_count(group, "memory.max_usage_in_bytes", NULL, &peak))
		format_bytes(peak, peak_text, sizeof(peak_text));
	warn("out of memory: the kernel killed %" PRIu64
	     " process%s of cgroup '%s' (limit %s, peak %s)",
		killed, killed == 1 ? "" : "es", group->name, limit_text, peak_text);
}

static void clean_up(void *group)
{
	cgroup_destroy(group);
}

static void apply(struct plan *plan)
{
	struct cgroup *group = &plan->group;
	struct child_plan start = { .keep = { 0 } };
	struct child child;

	cgroup_keep(group, start.keep, CHILD_KEEP);

	/* First, so that there is no moment in which a group exists and nobody would remove it. */
	pid_t watcher = child_watch(clean_up, group, start.keep);

	if (!make_group(plan, watcher)) {
		cgroup_destroy(group);
		child_unwatch(watcher);
		exit(STATUS_FAILED);
	}
	start.cgroup = cgroup_open_birthplace(group);
	if (child_start(&child, &start)) {
		cgroup_enter(group, child.born);
		return;
	}

	int status = child_wait(&child);

	report_out_of_memory(group);
	cgroup_destroy(group);
	child_unwatch(watcher);
	child_finish(status);
}

int main(int argc, char **argv)
{
	struct cli cli;
	struct plan plan = { .count = 0 };

	cli_start(&cli, &program, argc, argv);
	parse(&cli, &plan);
	resolve(&plan);
	apply(&plan);
	chain_exec(plan.command);
}
