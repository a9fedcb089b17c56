/* capjail - run a command with fewer privileges. capabilities(7), credentials(7), prctl(2) */
#include "common/account.h"
#include "common/capinfo.h"
#include "common/caps.h"
#include "common/chain.h"
#include "common/cli.h"
#include "common/inspect.h"
#include "common/parse.h"
#include "common/privilege.h"
#include "common/report.h"
#include "common/securebits.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct plan {
	struct privilege_plan privilege;
	uint64_t dropped, kept;
	bool keeps;
	const struct capinfo_preset *preset;
	bool has_iab;
	struct caps_iab iab;
	const char *user, *groups;
	bool clear_groups, init_groups, allow_new_privs;
	bool print, json;
	uint64_t explain;
	char **command;
};

enum { DROP = CLI_LONG, KEEP, PRESET, BOUNDING, INHERITABLE, AMBIENT };
enum { IAB = AMBIENT + 1, SECUREBITS, UMASK, PARENT_DEATH, EXPLAIN };

#define AT(member) CLI_STORED(struct plan, member)

static const struct cli_option options[] = {
	{ DROP, "drop", "LIST...", "give up these capabilities, for good" },
	{ KEEP, "keep", "LIST...", "give up all but these" },
	{ PRESET, "preset", "none|docker|nobody",
		"keep a well-known list; --keep adds, --drop\ntakes away" },
	{ 0, "allow-new-privs", NULL,
		"let set-user-ID programs and files with\ncapabilities have effect",
		AT(allow_new_privs) },
	{ 0, "no-user-namespaces", NULL,
		"forbid new user namespaces, which give all\ncapabilities back inside",
		AT(privilege.no_user_namespaces) },
	{ 0, NULL, NULL, "Single sets, exactly:" },
	{ BOUNDING, "bounding", "LIST", "what exec can give at most" },
	{ INHERITABLE, "inheritable", "LIST", "what files with capabilities can let through" },
	{ AMBIENT, "ambient", "LIST", "what a COMMAND that is not root has" },
	{ IAB, "iab", "TEXT", "the three in one, as capsh(1) writes them" },
	{ SECUREBITS, "securebits", "LIST",
		"noroot, no_setuid_fixup, no_cap_ambient_raise,\n..., and their locks, noroot_locked" },
	{ 0, NULL, NULL, "Users (by name or number) and more:" },
	{ 'u', "user", "USER[:GROUP]", "be this user, without supplementary groups", AT(user) },
	{ 0, "groups", "GROUPS", "have these supplementary groups", AT(groups) },
	{ 0, "clear-groups", NULL, "have none", AT(clear_groups) },
	{ 0, "init-groups", NULL, "have those of the user in /etc/group", AT(init_groups) },
	{ UMASK, "umask", "MODE", "file permissions that are left out, in octal" },
	{ PARENT_DEATH, "parent-death", "[=SIGNAL]",
		"signal COMMAND when its parent ends\n(default: KILL)" },
	{ 0, NULL, NULL, "Instead of a COMMAND:" },
	{ 0, "print", NULL, "show the privileges of this process", AT(print) },
	{ 0, "json", NULL, "with --print: as JSON", AT(json) },
	{ EXPLAIN, "explain-cap", "LIST", "say what these capabilities allow" },
	{ 0, NULL, NULL,
		"LIST is names between commas, such as chown,net_raw or CAP_CHOWN, or all, or\n"
		"all,-chown; of single sets and securebits also none." },
	{ 0 },
};

static const struct cli_program program = {
	.name = "capjail",
	.operands = "[--] COMMAND [ARG]...",
	.summary = "Run COMMAND with fewer capabilities, and without the means to regain them.",
	.options = options,
};

static uint64_t parse_list(const struct cli *cli)
{
	char word[64], nearest[64];
	uint64_t mask = 0;
	const char *reason = caps_parse_list(cli->value, &mask, word, nearest, sizeof(word));

	if (reason)
		cli_refuse(cli, word, reason, nearest);
	return mask;
}

static struct privilege_set parse_set(const struct cli *cli)
{
	bool none = strcmp(cli->value, "none") == 0;

	return (struct privilege_set){ .given = true, .mask = none ? 0 : parse_list(cli) };
}

static void parse_iab(const struct cli *cli, struct plan *plan)
{
	char word[64], nearest[64];
	const char *reason = caps_parse_iab(cli->value, &plan->iab, word, nearest, sizeof(word));

	if (reason)
		cli_refuse(cli, word, reason, nearest);
	plan->has_iab = true;
}

static void parse_securebits(const struct cli *cli, struct privilege_plan *privilege)
{
	char word[64], nearest[64];
	const char *reason =
		securebits_parse(cli->value, &privilege->securebits, word, nearest, sizeof(word));

	if (reason)
		cli_refuse(cli, word, reason, nearest);
	privilege->sets_securebits = true;
}

static void parse_umask(const struct cli *cli, struct privilege_plan *privilege)
{
	uint32_t mode;

	cli_check(cli, parse_mode(cli->value, &mode));
	if (mode > 0777)
		cli_check(cli, "is no mask of permissions: 0 to 777 in octal");
	privilege->sets_umask = true;
	privilege->umask = mode;
}

static void parse_option(const struct cli *cli, struct plan *plan, int id)
{
	struct privilege_plan *privilege = &plan->privilege;

	switch (id) {
	case DROP:
		plan->dropped |= parse_list(cli);
		break;
	case KEEP:
		plan->kept |= parse_list(cli);
		plan->keeps = true;
		break;
	case PRESET:
		plan->preset = capinfo_preset(cli->value);
		if (!plan->preset)
			cli_check(cli, "is no preset: one of none, docker, nobody");
		break;
	case BOUNDING:
		privilege->bounding = parse_set(cli);
		break;
	case INHERITABLE:
		privilege->inheritable = parse_set(cli);
		break;
	case AMBIENT:
		privilege->ambient = parse_set(cli);
		break;
	case IAB:
		parse_iab(cli, plan);
		break;
	case SECUREBITS:
		parse_securebits(cli, privilege);
		break;
	case UMASK:
		parse_umask(cli, privilege);
		break;
	case PARENT_DEATH:
		privilege->parent_death = SIGKILL;
		if (cli->value)
			cli_check(cli, parse_signal(cli->value, &privilege->parent_death));
		break;
	default:
		plan->explain = parse_list(cli);
	}
}

/* No capability is asked for in one option and refused in another. */
static void refuse_both(const struct cli *cli, uint64_t wanted, uint64_t refused, const char *where)
{
	uint64_t known = wanted & refused ? caps_known() : 0;
	char names[CAPS_TEXT];

	/* "all" with bits that no kernel has is what there is, less what is refused. */
	if (!(wanted & refused & known) || (wanted & ~known))
		return;
	caps_format(wanted & refused & known, names);
	cli_die(cli, "'%s' is both %s", names, where);
}

/* What the lists leave, and whether it goes together with the single sets. */
static void combine(const struct cli *cli, struct plan *plan)
{
	struct privilege_plan *privilege = &plan->privilege;
	uint64_t preset = plan->preset ? plan->preset->keep : 0;
	uint64_t both = plan->dropped & plan->kept;

	refuse_both(cli, both ? both & caps_known() : 0, UINT64_MAX, "in --drop and in --keep");
	privilege->drop = plan->dropped;
	if (plan->keeps || plan->preset)
		privilege->drop |= ~(plan->kept | preset);
	if (plan->has_iab) {
		if (privilege->bounding.given || privilege->inheritable.given ||
			privilege->ambient.given)
			cli_die(cli, "--iab is all of --bounding, --inheritable and --ambient");
		privilege->inheritable = (struct privilege_set){ true, plan->iab.inheritable };
		privilege->ambient = (struct privilege_set){ true, plan->iab.ambient };
		privilege->blocked = plan->iab.blocked;
	}
	refuse_both(cli, privilege->bounding.mask, privilege->drop, "dropped and in --bounding");
	refuse_both(cli, privilege->inheritable.mask, privilege->drop, "dropped and inheritable");
	refuse_both(cli, privilege->ambient.mask, privilege->drop, "dropped and ambient");
	if (plan->preset && plan->preset->nobody && plan->user)
		cli_die(cli, "--preset=nobody is a user of its own: --preset=none goes with --user");
	if ((plan->groups != NULL) + plan->clear_groups + plan->init_groups > 1)
		cli_die(cli, "--groups, --clear-groups and --init-groups are alternatives");
}

/* --print and --explain-cap show what is, which other options would change. */
static void check_alone(const struct cli *cli, const struct plan *plan, bool others)
{
	others = others || plan->user || plan->groups || plan->clear_groups || plan->init_groups ||
		plan->allow_new_privs || plan->privilege.no_user_namespaces;
	if (others || (plan->print && plan->explain) || !cli_at_end(cli))
		cli_die(cli,
			"--print and --explain-cap stand alone: put 'capjail OPTION...' in front");
}

static void parse(struct cli *cli, struct plan *plan)
{
	bool others = false;

	cli_store(cli, plan);
	for (int id; (id = cli_next(cli));) {
		others = others || id != EXPLAIN;
		parse_option(cli, plan, id);
	}
	if (plan->json && !plan->print)
		cli_die(cli, "--json goes with --print");
	if (plan->print || plan->explain) {
		check_alone(cli, plan, others);
		return;
	}
	combine(cli, plan);
	plan->privilege.no_new_privs = !plan->allow_new_privs;
	plan->command = cli_command(cli);
}

/* Names become numbers here, while the files are those of the caller. */
static void resolve(struct plan *plan)
{
	struct ids_change *ids = &plan->privilege.ids;

	if (plan->preset && plan->preset->nobody)
		*ids = (struct ids_change){
			.ids = true, .user = CAPINFO_NOBODY, .group = CAPINFO_NOBODY
		};
	if (plan->user)
		account_find_user("user", plan->user, ids);
	ids->groups = ids->ids || plan->clear_groups;
	if (plan->groups)
		account_find_groups("groups", plan->groups, ids);
	if (plan->init_groups)
		account_find_memberships("init-groups", ids);
}

static _Noreturn void show(const struct plan *plan)
{
	if (plan->print)
		inspect_print(plan->json);
	else
		inspect_explain(plan->explain);
	exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
	struct cli cli;
	struct plan plan = { 0 };

	cli_start(&cli, &program, argc, argv);
	parse(&cli, &plan);
	if (plan.print || plan.explain)
		show(&plan);
	resolve(&plan);
	privilege_reduce(&plan.privilege);
	chain_exec(plan.command);
}
