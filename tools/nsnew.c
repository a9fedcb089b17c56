/* nsnew - run a command in new namespaces. unshare(2), namespaces(7), user_namespaces(7), pid_namespaces(7) */
#include "common/chain.h"
#include "common/child.h"
#include "common/cli.h"
#include "common/fd.h"
#include "common/idmap.h"
#include "common/mounttree.h"
#include "common/namespace.h"
#include "common/parse.h"
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <string.h>
#include <unistd.h>

enum {
	MAP_USER = CLI_LONG,
	MAP_GROUP,
	MAP_USERS,
	MAP_GROUPS,
	SETGROUPS,
	KEEP_GROUPS,
	HOSTNAME,
	PROPAGATION,
	MOUNT_PROC,
	NO_LOOPBACK,
	NO_KILL_CHILD,
};

static const struct cli_option options[] = {
	{ 0, NULL, NULL, "Namespaces" },
	{ 'm', "mount", NULL, "mount points" },
	{ 'u', "uts", NULL, "host name and domain name" },
	{ 'i', "ipc", NULL, "System V IPC and POSIX message queues" },
	{ 'n', "net", NULL, "network; its loopback interface is up" },
	{ 'p', "pid", NULL, "process ids: COMMAND is PID 1, the rest dies\nwith it" },
	{ 'U', "user", NULL, "users, groups and capabilities" },
	{ 'C', "cgroup", NULL, "the view of the cgroup hierarchy" },
	{ 'T', "time", NULL, "the boot-time and monotonic clocks" },
	{ 'a', "all", NULL, "all of these but user" },
	{ 0, NULL, NULL, "Users and groups (each implies --user)" },
	{ 'r', "map-root-user", NULL, "be root inside" },
	{ 'c', "map-current-user", NULL, "be the same user and group inside" },
	{ MAP_USER, "map-user", "UID", "be user UID inside" },
	{ MAP_GROUP, "map-group", "GID", "be group GID inside" },
	{ MAP_USERS, "map-users", "INNER:OUTER:COUNT...",
		"map COUNT users from INNER on to those from\nOUTER on" },
	{ MAP_GROUPS, "map-groups", "INNER:OUTER:COUNT...", "the same for groups" },
	{ SETGROUPS, "setgroups", "allow|deny", "whether setgroups(2) is allowed inside" },
	{ KEEP_GROUPS, "keep-groups", NULL, "keep supplementary groups that cannot be\ndropped" },
	{ 0, NULL, NULL, "What is set up inside" },
	{ HOSTNAME, "hostname", "NAME", "set the host name (implies --uts)" },
	{ PROPAGATION, "propagation", "MODE",
		"mount propagation: private (default), slave,\nshared or unchanged" },
	{ MOUNT_PROC, "mount-proc", "[=DIR]",
		"mount a /proc of the new PID namespace (implies\n--mount)" },
	{ NO_LOOPBACK, "no-loopback", NULL, "leave the loopback interface down" },
	{ 0, NULL, NULL, "Processes" },
	{ 'f', "fork", NULL, "run COMMAND as a child, as --pid always does" },
	{ NO_KILL_CHILD, "no-kill-child", NULL, "let COMMAND live on when nsnew is killed" },
	{ 0 },
};

static const struct cli_program program = {
	.name = "nsnew",
	.operands = "[--] COMMAND [ARG]...",
	.summary = "Run COMMAND in new namespaces.",
	.options = options,
};

struct plan {
	int namespaces; /* CLONE_NEW* */
	struct idmap_plan idmap;
	bool keep_groups;
	unsigned long propagation; /* 0: unchanged */
	const char *hostname;
	const char *proc; /* where to mount /proc; NULL */
	bool no_loopback;
	bool fork;
	bool outlives;
	char **command;
};

static const char *parse_propagation(const char *text, unsigned long *ret)
{
	static const struct {
		const char *name;
		unsigned long flag;
	} modes[] = { { "private", MS_PRIVATE }, { "slave", MS_SLAVE }, { "shared", MS_SHARED },
		{ "unchanged", 0 } };

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		if (strcmp(text, modes[i].name) == 0) {
			*ret = modes[i].flag;
			return NULL;
		}
	}
	return "is not one of private, slave, shared, unchanged";
}

static const char *parse_setgroups(const char *text, enum idmap_setgroups *ret)
{
	if (strcmp(text, "allow") != 0 && strcmp(text, "deny") != 0)
		return "is neither allow nor deny";
	*ret = text[0] == 'a' ? IDMAP_SETGROUPS_ALLOW : IDMAP_SETGROUPS_DENY;
	return NULL;
}

/* One id, the caller's own, shows as TEXT inside. */
static const char *map_own(struct idmap *map, const char *text, uint32_t own)
{
	uint32_t inner;
	const char *reason = parse_id(text, &inner);

	return reason ? reason : idmap_add_id(map, inner, own);
}

static void parse_namespace(struct cli *cli, struct plan *plan, int id)
{
	static const char letters[NAMESPACE_KINDS + 1] =
		"muinpCTU"; /* in the order of namespace_kinds */
	const char *letter = strchr(letters, id);

	if (!letter)
		cli_die(cli, "option '--%s' is not handled", cli->current->name);
	plan->namespaces |= namespace_kinds[letter - letters].flag;
}

static void parse_map(struct cli *cli, struct plan *plan, int id)
{
	struct idmap *users = &plan->idmap.users, *groups = &plan->idmap.groups;

	plan->namespaces |= CLONE_NEWUSER;
	switch (id) {
	case 'r':
	case 'c':
		cli_check(cli, idmap_add_id(users, id == 'r' ? 0 : geteuid(), geteuid()));
		cli_check(cli, idmap_add_id(groups, id == 'r' ? 0 : getegid(), getegid()));
		break;
	case MAP_USER:
		cli_check(cli, map_own(users, cli->value, geteuid()));
		break;
	case MAP_GROUP:
		cli_check(cli, map_own(groups, cli->value, getegid()));
		break;
	case MAP_USERS:
		cli_check(cli, idmap_add_text(users, cli->value));
		break;
	case MAP_GROUPS:
		cli_check(cli, idmap_add_text(groups, cli->value));
		break;
	default:
		cli_check(cli, parse_setgroups(cli->value, &plan->idmap.setgroups));
	}
}

static void parse_setup(struct cli *cli, struct plan *plan, int id)
{
	switch (id) {
	case HOSTNAME:
		plan->hostname = cli->value;
		plan->namespaces |= CLONE_NEWUTS;
		break;
	case PROPAGATION:
		cli_check(cli, parse_propagation(cli->value, &plan->propagation));
		break;
	case MOUNT_PROC:
		plan->proc = cli->value ? cli->value : "/proc";
		plan->namespaces |= CLONE_NEWNS;
		break;
	case NO_LOOPBACK:
		plan->no_loopback = true;
		break;
	default:
		parse_namespace(cli, plan, id);
	}
}

static void parse(struct cli *cli, struct plan *plan)
{
	*plan = (struct plan){ .propagation = MS_PRIVATE };
	for (int id; (id = cli_next(cli));) {
		switch (id) {
		case 'a':
			plan->namespaces |= namespace_all() & ~CLONE_NEWUSER;
			break;
		case 'r':
		case 'c':
		case MAP_USER:
		case MAP_GROUP:
		case MAP_USERS:
		case MAP_GROUPS:
		case SETGROUPS:
			parse_map(cli, plan, id);
			break;
		case KEEP_GROUPS:
			plan->keep_groups = true;
			break;
		case 'f':
			plan->fork = true;
			break;
		case NO_KILL_CHILD:
			plan->outlives = true;
			break;
		default:
			parse_setup(cli, plan, id);
		}
	}
	if (plan->proc && !(plan->namespaces & CLONE_NEWPID))
		cli_die(cli, "--mount-proc needs a PID namespace of its own (--pid)");
	plan->command = cli_command(cli);
}

/* What changes is the part of the kernel that this process lives in; every step is for the ones after it. */
static void apply_namespaces(const struct plan *plan)
{
	bool user = plan->namespaces & CLONE_NEWUSER;
	struct idmap_writer writer = { .start = -1 };

	if (user && idmap_try_drop_groups() < 0 && !plan->keep_groups)
		die_hint("give --keep-groups to take them along, where they keep opening files although they do not show",
			0, "cannot drop the supplementary groups before entering a user namespace");
	if (user)
		writer = idmap_prepare(&plan->idmap);
	namespace_unshare(plan->namespaces);
	if (user)
		idmap_write(&plan->idmap, &writer);
	if ((plan->namespaces & CLONE_NEWNS) && plan->propagation)
		mounttree_propagate(plan->propagation);
	if (plan->hostname && sethostname(plan->hostname, strlen(plan->hostname)) < 0)
		die_error(errno, "cannot set the host name '%s'", plan->hostname);
	if ((plan->namespaces & CLONE_NEWNET) && !plan->no_loopback)
		namespace_raise_loopback();
}

/* In the first process of the new PID namespace, which is the one whose processes the new /proc shows. */
static void mount_proc(const char *path)
{
	static const struct mounttree_option none[] = { { 0 } };
	autoclose int place = fd_open(AT_FDCWD, path, O_PATH | O_DIRECTORY);
	autoclose int tree = mounttree_try_create(
		"proc", none, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	int error = tree < 0 ? tree : mounttree_try_attach(tree, place);

	if (error < 0)
		die_hint(error == -EPERM ?
				"parts of the /proc seen here are hidden, so a user namespace gets no other one" :
				NULL,
			-error, "cannot mount /proc on '%s'", path);
}

static void apply(const struct plan *plan)
{
	bool new_pids = plan->namespaces & CLONE_NEWPID;
	struct child_plan start = { .new_pids = new_pids, .init = new_pids, .outlives = plan->outlives };
	struct child child;

	apply_namespaces(plan);
	if (!new_pids && !plan->fork)
		return;
	if (!child_start(&child, &start))
		child_finish(child_wait(&child));
	if (plan->proc)
		mount_proc(plan->proc);
}

int main(int argc, char **argv)
{
	struct cli cli;
	struct plan plan;

	cli_start(&cli, &program, argc, argv);
	parse(&cli, &plan);
	apply(&plan);
	chain_exec(plan.command);
}
