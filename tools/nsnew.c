/* nsnew - run a command in new namespaces. unshare(2), namespaces(7), user_namespaces(7), pid_namespaces(7) */
#include "common/caps.h"
#include "common/chain.h"
#include "common/child.h"
#include "common/cli.h"
#include "common/idmap.h"
#include "common/ids.h"
#include "common/mounttree.h"
#include "common/namespace.h"
#include "common/parse.h"
#include "common/pin.h"
#include "common/ready.h"
#include "common/report.h"
#include "common/toolbox.h"
#include "common/userns.h"

#include <errno.h>
#include <linux/sched.h>
#include <string.h>
#include <unistd.h>

/* The clocks of a time namespace, by the names of /proc/PID/timens_offsets. */
static const char *const clocks[] = { "boottime", "monotonic" };

struct plan {
	int namespaces; /* CLONE_NEW* */
	struct userns_plan user;
	bool keep_caps;
	const char *hostname, *domainname;
	struct namespace_offset offsets[2]; /* of the clocks */
	unsigned long propagation;          /* 0: unchanged */
	const char *proc;                   /* where to mount /proc; NULL */
	bool no_loopback, fork, no_fork;
	struct child_plan child;
	struct pin_plan pins;
	struct ready_plan ready;
	const char *unpin;
	char **command;
};

enum { MAP_USER = CLI_LONG, MAP_GROUP, MAP_USERS, MAP_GROUPS, MAP_AUTO, SETGROUPS, OWNER };
enum { BOOTTIME = OWNER + 1, MONOTONIC, PROPAGATION, MOUNT_PROC, KILL_CHILD, READY_FD, BLOCK_FD };

#define AT(member) CLI_STORED(struct plan, member)

static const struct cli_option options[] = {
	{ 0, NULL, NULL, "Namespaces (=FILE pins them there, see --pin):" },
	{ 'm', "mount", "[=FILE]", "mount points" },
	{ 'u', "uts", "[=FILE]", "host name and domain name" },
	{ 'i', "ipc", "[=FILE]", "System V IPC and POSIX message queues" },
	{ 'n', "net", "[=FILE]", "network; its loopback interface is up" },
	{ 'p', "pid", "[=FILE]", "process ids; COMMAND is PID 1" },
	{ 'U', "user", "[=FILE]", "users, groups and capabilities" },
	{ 'C', "cgroup", "[=FILE]", "the view of the cgroup hierarchy" },
	{ 'T', "time", "[=FILE]", "the boot-time and monotonic clocks" },
	{ 'a', "all", NULL, "all of these but user" },
	{ 0, NULL, NULL, "Users and groups (these imply --user):" },
	{ 'r', "map-root-user", NULL, "be root inside" },
	{ 'c', "map-current-user", NULL, "be the same user and group inside" },
	{ MAP_USER, "map-user", "UID", "be user UID inside" },
	{ MAP_GROUP, "map-group", "GID", "be group GID inside" },
	{ MAP_USERS, "map-users", "MAP...", "INNER:OUTER:COUNT, auto, subids or all" },
	{ MAP_GROUPS, "map-groups", "MAP...", "the same for groups" },
	{ MAP_AUTO, "map-auto", NULL, "--map-users=auto --map-groups=auto" },
	{ SETGROUPS, "setgroups", "allow|deny", "whether setgroups(2) is allowed inside" },
	{ OWNER, "owner", "UID:GID", "who owns the user namespace" },
	{ 0, "keep-groups", NULL, "take supplementary groups along", AT(user.keep_groups) },
	{ 0, "keep-caps", NULL, "keep all capabilities also if not root", AT(keep_caps) },
	{ 0, "no-nested-users", NULL, "no further user namespaces inside", AT(user.no_nested) },
	{ 0, NULL, NULL, "What is set up inside:" },
	{ 0, "hostname", "NAME", "the host name (implies --uts)", AT(hostname) },
	{ 0, "domainname", "NAME", "the NIS domain name (implies --uts)", AT(domainname) },
	{ BOOTTIME, "boottime", "SECONDS", "set the boot-time clock off (implies --time)" },
	{ MONOTONIC, "monotonic", "SECONDS", "set the monotonic clock off (implies --time)" },
	{ PROPAGATION, "propagation", "MODE", "private (default), slave, shared, unchanged" },
	{ MOUNT_PROC, "mount-proc", "[=DIR]", "a /proc of the new processes (implies --mount)" },
	{ 0, "no-loopback", NULL, "leave the loopback interface down", AT(no_loopback) },
	{ 0, NULL, NULL, "Processes:" },
	{ 'f', "fork", NULL, "run COMMAND as a child, as --pid always does", AT(fork) },
	{ 0, "init", NULL, "a PID 1 around COMMAND (implies --pid)", AT(child.stub) },
	{ 0, "no-fork", NULL, "leave --pid to the first child of COMMAND", AT(no_fork) },
	{ KILL_CHILD, "kill-child", "[=SIGNAL]", "what it dies of with nsnew (default: KILL)" },
	{ 0, "no-kill-child", NULL, "let it outlive nsnew", AT(child.outlives) },
	{ 0, "new-session", NULL, "a session and keyring of its own", AT(child.new_session) },
	{ 0, NULL, NULL, "For others:" },
	{ 0, "pin", "DIR", "pin the namespaces as DIR/KIND for nsjoin", AT(pins.directory) },
	{ 0, "unpin", "DIR", "release such pins; no COMMAND then", AT(unpin) },
	{ 0, "pid-file", "FILE", "write COMMAND's PID as seen from here", AT(ready.pid_path) },
	{ READY_FD, "ready-fd", "FD", "write a line to FD when all is set up" },
	{ BLOCK_FD, "block-fd", "FD", "then wait until FD can be read or has ended" },
	{ 0 },
};

static const struct cli_program program = {
	.name = "nsnew",
	.operands = "[--] COMMAND [ARG]...",
	.summary = "Run COMMAND in new namespaces.",
	.options = options,
};

/* A namespace option by its letter. */
static void parse_kind(struct cli *cli, struct plan *plan, int letter)
{
	size_t kind = namespace_by_letter(letter);

	plan->namespaces |= namespace_kinds[kind].flag;
	if (cli->value)
		plan->pins.files[kind] = cli->value;
}

/* The own id shows as TEXT inside. */
static const char *map_own(struct idmap *map, const char *text, uint32_t own)
{
	uint32_t inner;
	const char *reason = parse_id(text, &inner);

	return reason ? reason : idmap_add_id(map, inner, own);
}

static void parse_map(struct cli *cli, struct plan *plan, int id)
{
	struct idmap *users = &plan->user.idmap.users, *groups = &plan->user.idmap.groups;
	const char *value = id == MAP_AUTO ? "auto" : cli->value;

	plan->namespaces |= CLONE_NEWUSER;
	if (id == 'r' || id == 'c') {
		cli_check(cli, idmap_add_id(users, id == 'r' ? 0 : ids_user(), ids_user()));
		cli_check(cli, idmap_add_id(groups, id == 'r' ? 0 : ids_group(), ids_group()));
	}
	if (id == MAP_USER)
		cli_check(cli, map_own(users, value, ids_user()));
	if (id == MAP_GROUP)
		cli_check(cli, map_own(groups, value, ids_group()));
	if (id == MAP_USERS || id == MAP_AUTO)
		cli_check(cli, idmap_add_text(users, value));
	if (id == MAP_GROUPS || id == MAP_AUTO)
		cli_check(cli, idmap_add_text(groups, value));
	if (id == SETGROUPS)
		cli_check(cli, idmap_parse_setgroups(value, &plan->user.idmap.setgroups));
	if (id == OWNER) {
		cli_check(cli, parse_id_pair(value, &plan->user.owner_user, &plan->user.owner_group));
		plan->user.idmap.from_outside = plan->user.owner_user != ids_user() ||
			plan->user.owner_group != ids_group();
	}
}

static void parse_clock(struct cli *cli, struct plan *plan, int id)
{
	struct namespace_offset *offset = &plan->offsets[id - BOOTTIME];

	cli_check(cli, parse_seconds(cli->value, &offset->seconds, &offset->nanoseconds));
	offset->set = true;
	plan->namespaces |= CLONE_NEWTIME;
}

static void parse_option(struct cli *cli, struct plan *plan, int id)
{
	switch (id) {
	case 'a':
		plan->namespaces |= namespace_all() & ~CLONE_NEWUSER;
		break;
	case BOOTTIME:
	case MONOTONIC:
		parse_clock(cli, plan, id);
		break;
	case PROPAGATION:
		cli_check(cli, mounttree_parse_propagation(cli->value, &plan->propagation));
		break;
	case MOUNT_PROC:
		plan->proc = cli->value ? cli->value : "/proc";
		plan->namespaces |= CLONE_NEWNS;
		break;
	case KILL_CHILD:
		cli_check(cli,
			parse_signal(cli->value ? cli->value : "KILL", &plan->child.death_signal));
		break;
	case READY_FD:
		cli_check(cli, parse_fd(cli->value, &plan->ready.announce));
		plan->ready.announces = true;
		break;
	case BLOCK_FD:
		cli_check(cli, parse_fd(cli->value, &plan->ready.block));
		plan->ready.blocks = true;
		break;
	default:
		parse_kind(cli, plan, id);
	}
}

/* What the options imply together. */
static void complete(struct cli *cli, struct plan *plan)
{
	bool user = plan->keep_caps || plan->user.no_nested || plan->user.keep_groups;

	plan->namespaces |= user ? CLONE_NEWUSER : 0;
	plan->namespaces |= plan->hostname || plan->domainname ? CLONE_NEWUTS : 0;
	plan->namespaces |= plan->child.stub ? CLONE_NEWPID : 0;
	plan->child.init = plan->child.new_pids = plan->namespaces & CLONE_NEWPID;
	bool needs_fork = plan->fork || plan->child.stub || plan->proc || plan->child.new_session ||
		plan->child.death_signal;
	bool pins_pids = plan->pins.directory || plan->pins.files[namespace_by_letter('p')];

	if (plan->proc && !plan->child.init)
		cli_die(cli, "--mount-proc needs a PID namespace of its own (--pid)");
	if (plan->no_fork && needs_fork)
		cli_die(cli,
			"--no-fork excludes --fork --init --mount-proc --new-session --kill-child");
	if (plan->pins.directory && !plan->namespaces)
		cli_die(cli, "nothing to pin: name a namespace (-m -u -i -n -p -U -C -T) or --all");
	if (plan->no_fork && plan->child.init && pins_pids)
		cli_die(cli, "--no-fork excludes --pin: a PID namespace without a process has no pin");
	if (plan->user.no_nested && !plan->user.idmap.users.count && !plan->user.idmap.users.words)
		cli_die(cli, "--no-nested-users needs a map of users, such as --map-root-user");
	plan->fork = !plan->no_fork && (needs_fork || plan->child.init);
	if (!plan->unpin)
		plan->command = cli_command(cli);
	else if (!cli_at_end(cli) || plan->namespaces)
		cli_die(cli, "--unpin takes no namespaces and no COMMAND");
}

static void parse(struct cli *cli, struct plan *plan)
{
	*plan = (struct plan){ .propagation = MS_PRIVATE };
	cli_store(cli, plan);
	for (int id; (id = cli_next(cli));) {
		if (id == 'r' || id == 'c' || (id >= MAP_USER && id <= OWNER))
			parse_map(cli, plan, id);
		else
			parse_option(cli, plan, id);
	}
	complete(cli, plan);
}

/* What the caller's own world says, before it changes. */
static void resolve(struct plan *plan, char *const argv[])
{
	if (plan->fork)
		toolbox_enter_to_wait(argv);
	idmap_resolve(&plan->user.idmap);
	ready_prepare(&plan->ready);
}

/* What belongs to the new namespaces themselves, whoever will live in them. */
static void set_up(const struct plan *plan)
{
	for (size_t i = 0; i < sizeof(clocks) / sizeof(*clocks); i++)
		namespace_set_clock(clocks[i], &plan->offsets[i]);
	if (plan->namespaces & CLONE_NEWTIME)
		namespace_enter_time();
	if ((plan->namespaces & CLONE_NEWNS) && plan->propagation)
		mounttree_propagate(plan->propagation);
	if (plan->hostname)
		namespace_set_host_name(plan->hostname);
	if (plan->domainname)
		namespace_set_domain_name(plan->domainname);
	if ((plan->namespaces & CLONE_NEWNET) && !plan->no_loopback)
		namespace_raise_loopback();
}

static struct pin_helper apply(struct plan *plan)
{
	struct pin_helper helper = pin_prepare(&plan->pins, plan->namespaces);
	struct child child;

	if (plan->namespaces & CLONE_NEWUSER)
		userns_unshare(&plan->user, plan->namespaces);
	else
		namespace_unshare(plan->namespaces);
	set_up(plan);
	if (plan->fork && !child_start(&child, &plan->child))
		child_finish(child_wait(&child));
	/* From here on in the process that becomes COMMAND: the first one of a new PID namespace. */
	if (plan->proc)
		mounttree_mount_proc(plan->proc);
	if (plan->keep_caps)
		caps_keep_over_exec();
	pin_make(&helper, plan->namespaces);
	ready_announce(&plan->ready);
	return helper;
}

int main(int argc, char **argv)
{
	struct cli cli;
	struct plan plan;

	cli_start(&cli, &program, argc, argv);
	parse(&cli, &plan);
	if (plan.unpin)
		return pin_release(plan.unpin);
	resolve(&plan, argv);
	struct pin_helper pins = apply(&plan);

	pin_keep(&pins);
	int status = chain_try_exec(plan.command);

	pin_undo(&pins);
	return status;
}
