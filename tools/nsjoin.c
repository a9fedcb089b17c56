/* nsjoin - run a command in namespaces that exist. setns(2), pidfd_open(2), namespaces(7) */
#include "common/cgroup.h"
#include "common/chain.h"
#include "common/child.h"
#include "common/cli.h"
#include "common/fd.h"
#include "common/hide.h"
#include "common/hierarchy.h"
#include "common/idmap.h"
#include "common/ids.h"
#include "common/namespace.h"
#include "common/nsfile.h"
#include "common/parse.h"
#include "common/report.h"
#include "common/target.h"
#include "common/toolbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct plan {
	struct target target;
	bool all, user_parent, join_cgroup, use_environment, preserve, no_fork;
	int asked;                         /* CLONE_NEW*, from wherever */
	int namespaces;                    /* ... of the target */
	const char *pins[NAMESPACE_KINDS]; /* files instead, in the order of namespace_kinds */
	struct target_place place;
	struct target_id user, group;
	int net_socket; /* fd in the target; -1 */
	struct fd_list kept;
	char **command;

	/* Opened before anything changes; -1 for none. */
	int self; /* the own /proc/PID, by the /proc of this side */
	int files[NAMESPACE_KINDS];
	struct hierarchy_layout cgroups;
};

enum { NET_SOCKET = CLI_LONG, KEEP_FD };

#define AT(member) CLI_STORED(struct plan, member)

static const struct cli_option options[] = {
	{ 't', "target", "TARGET",
		"PID, PID:INODE of its pidfd, or a directory of\npins (nsnew --pin)" },
	{ 0, NULL, NULL, "Namespaces (=FILE: of that pin):" },
	{ 'a', "all", NULL, "all that differ from the own ones" },
	{ 'm', "mount", "[=FILE]", "mount points" },
	{ 'u', "uts", "[=FILE]", "host name and domain name" },
	{ 'i', "ipc", "[=FILE]", "System V IPC and POSIX message queues" },
	{ 'n', "net", "[=FILE]", "network" },
	{ 'p', "pid", "[=FILE]", "process ids" },
	{ 'U', "user", "[=FILE]", "users, groups and capabilities" },
	{ 'C', "cgroup", "[=FILE]", "the view of the cgroup hierarchy" },
	{ 'T', "time", "[=FILE]", "the boot-time and monotonic clocks" },
	{ 'N', "net-socket", "FD", "the net namespace of the target's socket FD" },
	{ 0, "user-parent", NULL, "the user namespace that owns the ones given", AT(user_parent) },
	{ 0, NULL, NULL, "What else to take from the target:" },
	{ 'c', "join-cgroup", NULL, "its cgroups", AT(join_cgroup) },
	{ 'e', "env", NULL, "its environment", AT(use_environment) },
	{ 'r', "root", "[=DIR]", "its root directory, or DIR of this side" },
	{ 'w', "wd", "[=DIR]", "its working directory, or DIR of this side" },
	{ 'W', "wdns", "DIR", "start in DIR of the other side", AT(place.late_dir) },
	{ 'S', "setuid", "UID", "be user UID there, or the target's: follow" },
	{ 'G', "setgid", "GID", "be group GID there, or the target's: follow" },
	{ 0, "preserve-credentials", NULL, "change no ids and groups", AT(preserve) },
	{ 0, NULL, NULL, "Processes and files:" },
	{ 'F', "no-fork", NULL, "leave --pid to the children of COMMAND", AT(no_fork) },
	{ KEEP_FD, "keep-fd", "FD...", "leave FD open; all others from 3 up are closed" },
	{ 0 },
};

static const struct cli_program program = {
	.name = "nsjoin",
	.operands = "[--] COMMAND [ARG]...",
	.summary = "Run COMMAND in namespaces of a process, or in pinned ones.",
	.options = options,
};

/* A namespace option by its letter. */
static void parse_kind(struct cli *cli, struct plan *plan, int letter)
{
	size_t kind = namespace_by_letter(letter);

	if (cli->value)
		plan->pins[kind] = cli->value;
	else
		plan->namespaces |= namespace_kinds[kind].flag;
}

static void parse_option(struct cli *cli, struct plan *plan, int id)
{
	switch (id) {
	case 'a':
		plan->namespaces = namespace_all();
		plan->all = true;
		break;
	case 't':
		cli_check(cli, target_parse(cli->value, &plan->target));
		break;
	case 'N':
		cli_check(cli, parse_fd(cli->value, &plan->net_socket));
		break;
	case 'r':
	case 'w':
		*(id == 'r' ? &plan->place.root : &plan->place.workdir) =
			cli->value ? cli->value : "";
		break;
	case 'S':
		cli_check(cli, target_parse_id(cli->value, &plan->user));
		break;
	case 'G':
		cli_check(cli, target_parse_id(cli->value, &plan->group));
		break;
	case KEEP_FD:
		cli_check(cli, fd_list_add(&plan->kept, cli->value));
		break;
	default:
		parse_kind(cli, plan, id);
	}
}

/* What the options need of each other. */
static void check(struct cli *cli, struct plan *plan)
{
	bool process = plan->target.pid;
	bool of_process = plan->join_cgroup || plan->use_environment || plan->net_socket >= 0 ||
		(plan->place.root && !*plan->place.root) ||
		(plan->place.workdir && !*plan->place.workdir);

	plan->asked = plan->namespaces;
	for (size_t i = 0; i < NAMESPACE_KINDS; i++)
		plan->asked |= plan->pins[i] ? namespace_kinds[i].flag : 0;
	if (!process && !plan->target.pins && plan->namespaces)
		cli_die(cli, "missing option '--target': whose namespaces to join, or --net=FILE");
	if (!process && of_process)
		cli_die(cli, "what is to be taken from the target needs a PID as --target");
	if (!plan->asked && !of_process && !plan->place.root && !plan->place.workdir)
		cli_die(cli, "nothing to join: name a namespace (-m -u -i -n -p -U -C -T) or --all");
	if (plan->place.workdir && plan->place.late_dir)
		cli_die(cli, "--wd and --wdns exclude each other");
	plan->asked |= plan->user_parent ? CLONE_NEWUSER : 0;
}

static void parse(struct cli *cli, struct plan *plan)
{
	*plan = (struct plan){ .net_socket = -1 };
	cli_store(cli, plan);
	for (int id; (id = cli_next(cli));)
		parse_option(cli, plan, id);
	check(cli, plan);
	plan->command = cli_command(cli);
}

/* Namespaces that are not simply those of the process are files; then all are, so that there is one order for them. */
static void open_files(struct plan *plan)
{
	const struct target *at = &plan->target;
	bool files = plan->user_parent || plan->net_socket >= 0 || at->pins;

	for (size_t i = 0; i < NAMESPACE_KINDS; i++) {
		plan->files[i] = plan->pins[i] ? nsfile_open(AT_FDCWD, plan->pins[i], i) : -1;
		files |= plan->pins[i] != NULL;
	}
	if (at->pins)
		nsfile_open_pins(at->directory, at->pins, plan->namespaces, plan->all, plan->files);
	if (plan->net_socket >= 0)
		plan->files[NSFILE_NET] = nsfile_open_socket(at->pidfd, plan->net_socket);
	if (files && at->pid)
		nsfile_open_process(at->process, plan->namespaces, plan->files);
	if (files)
		plan->namespaces = 0;
	if (plan->user_parent)
		plan->files[NSFILE_USER] = nsfile_open_owner(plan->files);
	nsfile_leave_out_own(plan->files);
}

/* Until it has changed the root, rootjail would show those in the PID namespace this side: so it is told to join that one itself, afterwards. */
static void leave_pid_to_rootjail(struct plan *plan)
{
	char option[32];
	bool asked = !plan->no_fork && strcmp(plan->command[0], "rootjail") == 0;
	int file = asked ? nsfile_take_pid(plan->target.process, &plan->namespaces, plan->files) : -1;

	if (file < 0)
		return;
	snprintf(option, sizeof(option), "--join-pid=%d", file);
	plan->command = chain_insert(plan->command, option);
	fd_hand_over(&plan->kept, &file);
}

/* Everything that names the target is opened here, while it is sure to be the process that was meant. */
static void resolve(struct plan *plan)
{
	struct target *target = &plan->target;

	target_open(target);
	if (target->pid)
		plan->namespaces = namespace_different(target->process, plan->namespaces);

	bool user = plan->namespaces & CLONE_NEWUSER;

	plan->self = target_open_self(target, user);
	target_resolve_id(target, &plan->user, "Uid", user ? "uid_map" : NULL);
	target_resolve_id(target, &plan->group, "Gid", user ? "gid_map" : NULL);
	target_open_place(target, &plan->place);
	open_files(plan);
	leave_pid_to_rootjail(plan);
	if (plan->join_cgroup)
		hierarchy_find(target->process, &plan->cgroups);
	if (plan->use_environment)
		target_take_environment(target);
	target_verify(target);
}

/* EPERM: what is denied here may be allowed on the other side, or the other way round. */
static void drop_groups(void)
{
	int error = ids_try_drop_groups();

	if (error < 0 && error != -EPERM)
		die_error(-error, "cannot drop the supplementary groups");
}

static void took(const char *what, uint32_t number, int error)
{
	if (error < 0)
		die_error(-error, "cannot become %s %u there", what, number);
}

/*
 * In a user namespace just joined, an id without a mapping would still be the one outside to files of the host: so be root there, else what maps. Where
 * setgroups(2) is denied, groups that could not be dropped before stay.
 */
static void take_ids(const struct plan *plan, bool joined_user)
{
	bool change = joined_user && !plan->preserve;
	uint32_t user = plan->user.number, group = plan->group.number;

	if (change || plan->group.given)
		drop_groups();
	if (plan->group.given ||
		(change && idmap_choose_inner(plan->self, "gid_map", ids_group(), &group)))
		took("group", group, ids_try_set_group(group));
	if (plan->user.given ||
		(change && idmap_choose_inner(plan->self, "uid_map", ids_user(), &user)))
		took("user", user, ids_try_set_user(user));
}

static void apply(struct plan *plan)
{
	int joined = plan->namespaces;
	struct ids_parent parent = ids_parent();
	struct child_plan start = { .new_pids = true };
	struct child child;

	for (size_t i = 0; i < NAMESPACE_KINDS; i++)
		joined |= plan->files[i] >= 0 ? namespace_kinds[i].flag : 0;
	if (plan->join_cgroup)
		cgroup_join(&plan->cgroups);
	if ((joined & CLONE_NEWUSER) && !plan->preserve)
		drop_groups();
	/* Until exec, processes on the other side could trace this one, which still holds what is of this side. */
	hide_from_tracers();
	if (namespace_try_join(plan->target.pidfd, plan->namespaces) < 0)
		nsfile_open_process(plan->target.process, plan->namespaces, plan->files);
	nsfile_join(plan->files);
	take_ids(plan, joined & CLONE_NEWUSER);
	ids_keep_parent(&parent);
	hide_from_tracers();
	target_enter_place(&plan->place, joined & CLONE_NEWNS);
	toolbox_close_others(plan->kept.list, plan->kept.count);
	if ((joined & CLONE_NEWPID) && !plan->no_fork && !child_start(&child, &start))
		child_finish(child_wait(&child));
}

int main(int argc, char **argv)
{
	struct cli cli;
	static struct plan plan;

	cli_start(&cli, &program, argc, argv);
	parse(&cli, &plan);
	bool new_root = plan.place.root || (plan.asked & CLONE_NEWNS);

	/* Whoever is on the other side may see this process. */
	if (new_root || (plan.asked & (CLONE_NEWPID | CLONE_NEWUSER)))
		toolbox_enter(argv);
	resolve(&plan);
	apply(&plan);
	if (new_root)
		chain_exec_inside(plan.command, NULL);
	chain_exec(plan.command);
}
