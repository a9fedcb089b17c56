/* rootjail - run a command in another root file system. pivot_root(2), mount_namespaces(7), mount_setattr(2) */
#include "common/chain.h"
#include "common/cli.h"
#include "common/fd.h"
#include "common/mounttree.h"
#include "common/parse.h"
#include "common/report.h"
#include "common/rootfs.h"
#include "common/toolbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct plan {
	struct rootfs rootfs;
	bool proc;
	bool bare;
	struct fd_list kept;
	char **command;
};

enum { TMPFS = CLI_LONG, KEEP_FD };

#define AT(member) CLI_STORED(struct plan, member)

static const struct cli_option options[] = {
	{ 0, "read-only", NULL, "make the root read-only", AT(rootfs.read_only) },
	{ 'b', "bind", "SRC[:DST[:OPTIONS]]...",
		"show SRC of the old root at DST (default: SRC)\nOPTIONS: ro,dev,suid,noexec" },
	{ TMPFS, "tmpfs", "DST[:OPTIONS]...",
		"an empty directory in memory at DST\nOPTIONS: size=SIZE,mode=MODE,ro,noexec,dev,suid" },
	{ 0, "proc", NULL, "a /proc, also where the PID namespace is the\ncaller's", AT(proc) },
	{ 0, "bare", NULL, "no /dev and no /proc unless asked for", AT(bare) },
	{ 'w', "workdir", "DIR", "start in DIR of the new root (default: /)", AT(rootfs.workdir) },
	{ KEEP_FD, "keep-fd", "FD...", "leave FD open; all others from 3 up are closed" },
	{ 0 },
};

static const struct cli_program program = {
	.name = "rootjail",
	.operands = "ROOTFS COMMAND [ARG]...",
	.summary = "Run COMMAND in the root file system below the directory ROOTFS, with a minimal\n"
		   "/dev, and a /proc if it has a PID namespace of its own.",
	.options = options,
};

/* Where something is mounted: an absolute path of the new root, but not that root itself. */
static void check_target(const struct cli *cli, const char *target)
{
	const char *cursor = target + 1;
	char word[256];

	if (target[0] != '/')
		cli_die(cli, "--%s: the place '%s' is not an absolute path", cli->current->name,
			target);
	if (target[strspn(target, "/.")] == '\0')
		cli_die(cli, "--%s: '%s' is the root itself", cli->current->name, target);
	while (cursor) {
		cli_check(cli, parse_word(&cursor, '/', word, sizeof(word)));
		if (strcmp(word, "..") == 0)
			cli_die(cli, "--%s: the place '%s' has a '..' in it", cli->current->name,
				target);
	}
}

/* The attribute that option WORD stands for; false if it is none. */
static bool parse_attribute(const char *word, uint64_t *attributes)
{
	static const struct {
		const char *name;
		uint64_t set, clear;
	} names[] = {
		{ "ro", MOUNT_ATTR_RDONLY, 0 },
		{ "dev", 0, MOUNT_ATTR_NODEV },
		{ "suid", 0, MOUNT_ATTR_NOSUID },
		{ "noexec", MOUNT_ATTR_NOEXEC, 0 },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(word, names[i].name) == 0) {
			*attributes = (*attributes | names[i].set) & ~names[i].clear;
			return true;
		}
	}
	return false;
}

/* "size=64M" and "mode=1777" of a tmpfs; the kernel gets the size in plain bytes. */
static void parse_tmpfs_option(const struct cli *cli, struct rootfs_mount *mount, char *word)
{
	uint64_t bytes;
	uint32_t mode;
	char *value = strchr(word, '=');
	const char *reason = "is not one of size=SIZE, mode=MODE, noexec, ro, dev, suid";

	if (value && strncmp(word, "size=", 5) == 0) {
		reason = parse_bytes(value + 1, &bytes);
		/* To the kernel that is no limit. */
		if (!reason && bytes == 0)
			reason = "is no size";
		if (!reason && asprintf((char **)&mount->size, "%llu", (unsigned long long)bytes) < 0)
			die_error(errno, "cannot allocate memory");
	} else if (value && strncmp(word, "mode=", 5) == 0) {
		reason = parse_mode(value + 1, &mode);
		mount->mode = value + 1;
	}
	if (reason)
		cli_die(cli, "--%s: '%s' %s", cli->current->name, word, reason);
}

static void parse_options(const struct cli *cli, struct rootfs_mount *mount, char *text)
{
	for (char *word; (word = strsep(&text, ","));) {
		if (parse_attribute(word, &mount->attributes))
			continue;
		if (mount->kind == ROOTFS_BIND)
			cli_die(cli, "--%s: '%s' is not one of ro, dev, suid, noexec",
				cli->current->name, word);
		parse_tmpfs_option(cli, mount, word);
	}
}

/* SRC[:DST[:OPTION,...]] of --bind, DST[:OPTION,...] of --tmpfs */
static void parse_mount(const struct cli *cli, struct plan *plan, enum rootfs_kind kind)
{
	struct rootfs_mount *mount = &plan->rootfs.mounts[plan->rootfs.count++];
	bool bind = kind == ROOTFS_BIND;
	char *fields[3];
	char *text = strdup(cli->value);

	if (!text)
		die_error(errno, "cannot allocate memory");
	cli_check(cli, parse_fields(text, fields, bind ? 3 : 2));
	*mount = (struct rootfs_mount){
		.kind = kind,
		.source = bind ? fields[0] : NULL,
		.target = bind && fields[1] ? fields[1] : fields[0],
		.attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
	};
	check_target(cli, mount->target);
	if (fields[bind ? 2 : 1])
		parse_options(cli, mount, fields[bind ? 2 : 1]);
}

static void parse(struct cli *cli, struct plan *plan)
{
	cli_store(cli, plan);
	for (int id; (id = cli_next(cli));) {
		if (id == KEEP_FD)
			cli_check(cli, fd_list_add(&plan->kept, cli->value));
		else
			parse_mount(cli, plan, id == TMPFS ? ROOTFS_TMPFS : ROOTFS_BIND);
	}
	plan->rootfs.path = cli_operand(cli, "the directory that holds the root file system");
	plan->command = cli_command(cli);
}

/* The mounts that a root has unless it is --bare come first, so that the ones asked for may lie on them. */
static void add_standard_mounts(struct plan *plan)
{
	struct rootfs *rootfs = &plan->rootfs;
	struct rootfs_mount standard[2];
	size_t count = 0;

	if (!plan->bare)
		standard[count++] = (struct rootfs_mount){ .kind = ROOTFS_DEV,
			.target = "/dev",
			.attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };
	if (plan->proc || (!plan->bare && rootfs_has_own_pids()))
		standard[count++] = (struct rootfs_mount){ .kind = ROOTFS_PROC, .target = "/proc" };
	memmove(rootfs->mounts + count, rootfs->mounts, rootfs->count * sizeof(*rootfs->mounts));
	memcpy(rootfs->mounts, standard, count * sizeof(*standard));
	rootfs->count += count;
}

int main(int argc, char **argv)
{
	struct cli cli;
	/* Each mount takes an argument at least, and two are standard. */
	struct plan plan = { .rootfs.mounts = calloc((size_t)argc + 2, sizeof(struct rootfs_mount)) };

	cli_start(&cli, &program, argc, argv);
	if (!plan.rootfs.mounts)
		die_error(errno, "cannot allocate memory");
	parse(&cli, &plan);
	toolbox_enter(argv);
	add_standard_mounts(&plan);
	rootfs_enter(&plan.rootfs);
	toolbox_close_others(plan.kept.list, plan.kept.count);
	chain_exec_inside(plan.command, plan.rootfs.path);
}
