/* nsmount - run a command with something mounted that only it sees. mount(8), mount_namespaces(7), libmount(3) */
#include "common/chain.h"
#include "common/cli.h"
#include "common/fsmount.h"
#include "common/mounttree.h"
#include "common/namespace.h"

#include <sched.h>
#include <stddef.h>

struct plan {
	struct fsmount single; /* of the command line */
	const struct fsmount *mounts;
	size_t count;
	const char *table;
	const char *root;
	bool read_only;
	char **command;
};

#define AT(member) CLI_STORED(struct plan, member)

static const struct cli_option options[] = {
	{ 't', "types", "TYPE", "the type of file system, or several with ','\n(default: found out)",
		AT(single.type) },
	{ 'o', "options", "LIST", "options of mount(8), such as bind, ro, nosuid", AT(single.options) },
	{ 'r', "read-only", NULL, "mount read-only", AT(read_only) },
	{ 'R', "root", "DIR",
		"TARGET is a path inside DIR, and links in DIR\ncannot lead out of it", AT(root) },
	{ 0, "fstab", "FILE", "mount what FILE lists, as fstab(5) does, in place\nof SOURCE",
		AT(table) },
	{ 0 },
};

static const struct cli_program program = {
	.name = "nsmount",
	.operands = "SOURCE TARGET COMMAND [ARG]...",
	.summary = "Run COMMAND in a mount namespace of its own in which SOURCE, a device, image\n"
		   "file or whatever mount(8) takes, is mounted on TARGET. With --fstab there is\n"
		   "no SOURCE and no TARGET.",
	.options = options,
};

static void check(const struct cli *cli, const struct plan *plan)
{
	const struct fsmount *single = &plan->single;
	const char *reason = single->options ? fsmount_check_options(single->options) : NULL;

	if (reason)
		cli_die(cli, "--options: '%s' %s", single->options, reason);
	if (single->type && !single->type[0])
		cli_die(cli, "--types: '' is no type");
	if (plan->table && (single->type || single->options))
		cli_die(cli, "--fstab: '%s' has the types and options: leave out --%s", plan->table,
			single->type ? "types" : "options");
}

static void parse(struct cli *cli, struct plan *plan)
{
	cli_store(cli, plan);
	cli_next(cli);
	check(cli, plan);
	if (!plan->table) {
		plan->single.source = cli_operand(cli, "what to mount");
		plan->single.target = cli_operand(cli, "where to mount it");
		plan->mounts = &plan->single;
		plan->count = 1;
	}
	plan->command = cli_command(cli);
}

static void resolve(struct plan *plan)
{
	if (plan->table)
		plan->mounts = fsmount_read_table(plan->table, &plan->count);
}

static void apply(const struct plan *plan)
{
	namespace_unshare(CLONE_NEWNS);
	mounttree_propagate(MS_PRIVATE);
	fsmount_all(plan->mounts, plan->count, plan->root, plan->read_only);
}

int main(int argc, char **argv)
{
	struct cli cli;
	struct plan plan = { 0 };

	cli_start(&cli, &program, argc, argv);
	parse(&cli, &plan);
	resolve(&plan);
	apply(&plan);
	chain_exec(plan.command);
}
