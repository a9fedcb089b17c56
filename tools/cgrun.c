/* cgrun - run a command under resource limits. cgroups(7), clone3(2) */
#include "common/accounting.h"
#include "common/cgroup.h"
#include "common/chain.h"
#include "common/child.h"
#include "common/cli.h"
#include "common/devices.h"
#include "common/fd.h"
#include "common/hierarchy.h"
#include "common/limits.h"
#include "common/parse.h"
#include "common/report.h"
#include "common/toolbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LIMIT = CLI_LONG, ALLOW, DENY, PARENT, JOIN, DELEGATE, STATS, STATS_FD };

struct plan {
	struct limits limits;
	struct devices devices;
	const char *name, *parent, *join;
	bool delegate;
	uint32_t uid, gid; /* --delegate */
	bool evacuate, freeze, keep, exec, gc, stats, json;
	const char *stats_file;
	int stats_fd;
	struct timespec started;
	char **command;
	char advice[512];

	struct hierarchy_layout layout;
	struct cgroup *group;
};

#define STORED(member) .stored = CLI_STORED(struct plan, member)

static const struct cli_option options[] = {
	{ CLI_TRIES, NULL, NULL, "Limits, each also as --try-LIMIT: without it if it cannot be had" },
	{ 'm', "memory", "SIZE", "memory at most; beyond it the kernel kills" },
	{ LIMIT, "swap", "SIZE", "swap space at most (default with --memory: 0)" },
	{ LIMIT, "memory-high", "SIZE", "beyond this COMMAND is slowed down" },
	{ LIMIT, "memory-low", "SIZE", "keep this much while others have some to give" },
	{ LIMIT, "memory-min", "SIZE", "keep this much in any case" },
	{ LIMIT, "swappiness", "NUMBER", "0 to 200: how readily it is swapped (version 1)" },
	{ LIMIT, "oom-group", NULL, "out of memory, kill all of it" },
	{ 'c', "cpus", "NUMBER", "processor time at most, in processors: 1.5" },
	{ LIMIT, "cpu-burst", "USEC", "what may be saved up of it, in microseconds" },
	{ LIMIT, "cpu-weight", "NUMBER", "share of processor time, 1 to 10000 (default 100)" },
	{ LIMIT, "cpuset", "LIST", "the processors to run on, such as 0-2,5" },
	{ LIMIT, "mems", "LIST", "the memory nodes to use" },
	{ 'p', "pids", "NUMBER", "processes and threads at most" },
	{ LIMIT, "io-max", "DISK:KEY=RATE...",
		"by path or MAJOR:MINOR; keys rbps, wbps (bytes),\nriops, wiops (operations a second), with commas" },
	{ LIMIT, "io-weight", "NUMBER", "share of the disks, 1 to 10000 (default 100)" },
	{ LIMIT, "hugetlb", "PAGE:SIZE...", "huge pages of this size at most: 2M:1G" },
	{ LIMIT, "set", "FILE=VALUE...", "any other file of the cgroup: memory.high=90M" },
	{ .help = "Devices" },
	{ ALLOW, "device-allow", "RULE...", "these devices and no others" },
	{ DENY, "device-deny", "RULE...", "all devices but these" },
	{ .help = "The cgroup" },
	{ 'n', "name", "NAME", "its name (default: one of its own)" },
	{ PARENT, "parent", "GROUP", "the group above it (default: the own one)" },
	{ 0, "evacuate", NULL, "first move others in the group above aside (v2)", STORED(evacuate) },
	{ JOIN, "join", "GROUP", "run COMMAND in this one, without waiting" },
	{ DELEGATE, "delegate", "UID[:GID]", "let this user make groups below it" },
	{ 0, "freeze", NULL, "COMMAND waits until somebody thaws the group", STORED(freeze) },
	{ 0, "keep", NULL, "leave it and what runs in it (needs --name)", STORED(keep) },
	{ 0, "exec", NULL,
		"become COMMAND instead of waiting; the empty\ngroup stays until the next cgrun",
		STORED(exec) },
	{ 0, "gc", NULL, "remove what killed cgruns left; no COMMAND", STORED(gc) },
	{ .help = "Report" },
	{ STATS, "stats", "[=FILE]", "what COMMAND used (default: on standard error)" },
	{ STATS_FD, "stats-fd", "FD", "the same to an open file" },
	{ 0, "json", NULL, "as JSON", STORED(json) },
	{ .help = "SIZE is bytes, 100M, 1.5G, max, or 50% of what the group above may use.\nGROUP is below the own one, or with a '/' in front as in /proc/PID/cgroup.\nRULE is all, PATH[:ACCESS], or c|b:MAJOR:MINOR[:ACCESS] with letters of rwm." },
	{ 0 },
};

static const struct cli_program program = {
	.name = "cgrun",
	.operands = "[--] COMMAND [ARG]...",
	.summary = "Run COMMAND under limits in a cgroup of its own, which ends with it.",
	.options = options,
};

static void parse_option(struct cli *cli, struct plan *plan, int id)
{
	switch (id) {
	case ALLOW:
	case DENY:
		cli_check(cli, devices_add(&plan->devices, id == ALLOW, cli->value));
		break;
	case 'n':
		plan->name = cli->value;
		cli_check(cli, cgroup_check_name(cli->value));
		break;
	case PARENT:
	case JOIN:
		*(id == JOIN ? &plan->join : &plan->parent) = cli->value;
		cli_check(cli, hierarchy_check_group(cli->value));
		break;
	case DELEGATE:
		plan->delegate = true;
		if (!parse_id(cli->value, &plan->uid))
			plan->gid = plan->uid;
		else
			cli_check(cli, parse_id_pair(cli->value, &plan->uid, &plan->gid));
		break;
	case STATS:
		plan->stats = true;
		plan->stats_file = cli->value;
		break;
	case STATS_FD:
		plan->stats = true;
		cli_check(cli, parse_fd(cli->value, &plan->stats_fd));
		cli_check(cli, fd_check_inherited(plan->stats_fd));
		break;
	default:
		cli_check(cli, limits_add(&plan->limits, cli->current->name, cli->value, cli->tried));
	}
}

/* What does not go together. */
static void check(const struct cli *cli, struct plan *plan)
{
	const char *reason = limits_complete(&plan->limits);
	bool changes = plan->limits.count || devices_any(&plan->devices) || plan->delegate ||
		plan->evacuate || plan->freeze || plan->keep || plan->exec || plan->stats;

	if (reason)
		cli_die(cli, "%s", reason);
	if (plan->gc && changes)
		cli_die(cli, "--gc goes with --name and --parent only");
	if (plan->join && (changes || plan->gc || plan->name || plan->parent))
		cli_die(cli, "--join takes a group as it is, without other options");
	if (plan->keep && !plan->name)
		cli_die(cli, "--keep needs --name, to find the group again");
	if (plan->exec && plan->stats)
		cli_die(cli, "--exec leaves nobody to write --stats");
	if (plan->json && !plan->stats)
		cli_die(cli, "--json needs --stats or --stats-fd");
	if (plan->stats_file && plan->stats_fd != STDERR_FILENO)
		cli_die(cli, "--stats=FILE and --stats-fd exclude each other");
	if (plan->gc && !cli_at_end(cli))
		cli_die(cli, "--gc takes no COMMAND");
}

static void parse(struct cli *cli, struct plan *plan)
{
	plan->stats_fd = STDERR_FILENO;
	cli_store(cli, plan);
	for (int id; (id = cli_next(cli));)
		parse_option(cli, plan, id);
	check(cli, plan);
	if (!plan->gc)
		plan->command = cli_command(cli);
}

/* Nothing is changed yet. */
static struct cgroup *resolve(struct plan *plan, const struct cli *cli)
{
	struct cgroup *group;
	int used = snprintf(plan->advice, sizeof(plan->advice),
		"systemd-run %s--scope -p Delegate=yes ", geteuid() == 0 ? "" : "--user ");

	cgroup_find(&plan->layout, plan->parent);
	plan->group = group = cgroup_plan(&plan->layout, plan->name, plan->exec);
	limits_resolve(&plan->limits, group, &plan->layout);
	if (devices_any(&plan->devices) && !cgroup_birthplace(group) &&
		!cgroup_plan_controller(group, &plan->layout, "devices", false))
		die("cannot limit devices: no cgroup version 2, no controller 'devices'");
	if (plan->stats) {
		accounting_plan(group, &plan->layout);
		plan->stats_fd = accounting_open(plan->stats_file, plan->stats_fd);
	}
	chain_quote(cli->argv, cli->argc, plan->advice + used, sizeof(plan->advice) - (size_t)used);
	group->subtree.advice = plan->advice;
	group->subtree.evacuate = plan->evacuate;
	return group;
}

static bool limit_devices(const struct plan *plan)
{
	int version = 2, directory = cgroup_birthplace(plan->group);

	if (!directory)
		directory = cgroup_directory(plan->group, "devices", &version);
	return devices_apply(&plan->devices, directory, version);
}

static bool make_group(const struct plan *plan, pid_t watcher)
{
	struct cgroup *group = plan->group;

	return cgroup_create(group, watcher) && limit_devices(plan) &&
		settings_apply(&plan->limits.settings, group) &&
		(!plan->delegate || cgroup_delegate(group, plan->uid, plan->gid));
}

/* To be called while the group is still there: its counters go with it. */
static void report(const struct plan *plan, int status)
{
	if (!plan->stats && !accounting_has_kills(plan->group))
		return;

	struct accounting accounting = accounting_read(plan->group, &plan->started, status);
	int error = 0;

	accounting_warn(&accounting, plan->group);
	if (plan->stats)
		error = accounting_try_write(&accounting, plan->stats_fd, plan->json);
	if (error < 0)
		warn_error(-error, "cannot write the statistics");
}

static void clean_up(void *group)
{
	cgroup_destroy(group);
}

/* With --freeze, COMMAND begins when somebody thaws it. */
static bool enter(const struct plan *plan, bool born)
{
	return cgroup_enter(plan->group, born) && (!plan->freeze || cgroup_freeze(plan->group));
}

/* --exec: nobody will be there to remove the group unless COMMAND cannot be run. */
static _Noreturn void become(const struct plan *plan)
{
	int status = enter(plan, false) ? chain_try_exec(plan->command) : STATUS_FAILED;

	if (cgroup_leave(plan->group))
		cgroup_destroy(plan->group);
	exit(status);
}

static _Noreturn void wait_and_end(const struct plan *plan, struct child *child, pid_t watcher)
{
	cgroup_sweep(plan->group);
	int status = child_wait(child);

	report(plan, status);
	/* What is left is for the watcher to try again. */
	if (plan->keep || cgroup_destroy(plan->group))
		child_unwatch(watcher);
	child_finish(status);
}

static void apply(struct plan *plan, const struct cli *cli)
{
	if (!plan->exec)
		toolbox_enter_to_wait(cli->argv);

	struct cgroup *group = resolve(plan, cli);
	struct child_plan start = { .keep = { 0 } };
	struct child child;
	pid_t watcher = 0;

	cgroup_keep(group, start.keep, CGROUP_KEEP);
	/* First, so that there is no moment in which a group exists and nobody would remove it. */
	if (!plan->keep && !plan->exec)
		watcher = child_watch(clean_up, group, start.keep);
	if (!make_group(plan, watcher)) {
		cgroup_destroy(group);
		child_unwatch(watcher);
		exit(STATUS_FAILED);
	}
	if (plan->exec)
		become(plan);
	cgroup_keep(group, start.keep, CGROUP_KEEP);
	start.keep[CGROUP_KEEP] = plan->stats_fd;
	start.cgroup = cgroup_birthplace(group);
	clock_gettime(CLOCK_MONOTONIC, &plan->started);
	if (!child_start(&child, &start))
		wait_and_end(plan, &child, watcher);
	if (!enter(plan, child.born))
		exit(STATUS_FAILED);
}

int main(int argc, char **argv)
{
	struct cli cli;
	static struct plan plan;

	cli_start(&cli, &program, argc, argv);
	parse(&cli, &plan);
	if (plan.gc)
		exit(cgroup_collect(plan.parent, plan.name) ? EXIT_SUCCESS : STATUS_FAILED);
	if (plan.join)
		cgroup_join_group(plan.join);
	else
		apply(&plan, &cli);
	chain_exec(plan.command);
}
