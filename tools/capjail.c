/* capjail - run a command with fewer privileges. capabilities(7), prctl(2) */
#include "common/caps.h"
#include "common/chain.h"
#include "common/cli.h"
#include "common/parse.h"
#include "common/report.h"
#include "common/users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DROP = CLI_LONG, KEEP, ALLOW_NEW_PRIVS };

static const struct cli_option options[] = {
	{ DROP, "drop", "LIST...", "give up these capabilities, for good" },
	{ KEEP, "keep", "LIST...", "give up all but these" },
	{ 'u', "user", "UID[:GID]",
		"be this user, without supplementary groups (GID:\nof the user in /etc/passwd)" },
	{ ALLOW_NEW_PRIVS, "allow-new-privs", NULL,
		"let set-user-ID programs and files with\ncapabilities have effect" },
	{ 0, NULL, NULL, "LIST is names between commas, such as chown,net_raw or CAP_CHOWN, or all" },
	{ 0 },
};

static const struct cli_program program = {
	.name = "capjail",
	.operands = "[--] COMMAND [ARG]...",
	.summary = "Run COMMAND with fewer capabilities, and without the means to regain them.",
	.options = options,
};

struct plan {
	struct caps_plan caps;
	char **command;
};

static uint64_t parse_list(const struct cli *cli)
{
	char word[64], nearest[64];
	uint64_t mask = 0;
	const char *reason = caps_parse_list(cli->value, &mask, word, nearest, sizeof(word));

	if (!reason)
		return mask;
	if (!nearest[0])
		cli_die(cli, "--%s: '%s' %s", cli->current->name, word, reason);
	warn("--%s: '%s' %s", cli->current->name, word, reason);
	hint("did you mean '%s'?", nearest);
	exit(STATUS_FAILED);
}

/* Without a GID, the user's own group: of the passwd file that is here. */
static void parse_user(const struct cli *cli, struct caps_plan *caps)
{
	struct users_entry entry;

	caps->change_user = true;
	if (strchr(cli->value, ':')) {
		cli_check(cli, parse_id_pair(cli->value, &caps->user, &caps->group));
		return;
	}
	cli_check(cli, parse_id(cli->value, &caps->user));
	if (!users_try_find(caps->user, &entry))
		cli_check(cli, "is not in /etc/passwd: give its group as well, UID:GID");
	caps->group = entry.gid;
}

static void parse(struct cli *cli, struct plan *plan)
{
	uint64_t drop = 0, keep = 0;
	bool keeps = false;

	for (int id; (id = cli_next(cli));) {
		switch (id) {
		case DROP:
			drop |= parse_list(cli);
			break;
		case KEEP:
			keep |= parse_list(cli);
			keeps = true;
			break;
		case 'u':
			parse_user(cli, &plan->caps);
			break;
		default:
			plan->caps.no_new_privs = false;
		}
	}
	if (drop & keep)
		cli_die(cli, "a capability is both in --drop and in --keep");
	plan->caps.drop = drop | (keeps ? ~keep : 0);
	plan->command = cli_command(cli);
}

int main(int argc, char **argv)
{
	struct cli cli;
	struct plan plan = { .caps.no_new_privs = true };

	cli_start(&cli, &program, argc, argv);
	parse(&cli, &plan);
	caps_apply(&plan.caps);
	chain_exec(plan.command);
}
