/* rootjail - run a command in another root file system. pivot_root(2), mount_namespaces(7), mount_setattr(2) */
#include "common/chain.h"
#include "common/child.h"
#include "common/cli.h"
#include "common/fd.h"
#include "common/keyring.h"
#include "common/nsfile.h"
#include "common/parse.h"
#include "common/report.h"
#include "common/rootfs.h"
#include "common/rootspec.h"
#include "common/toolbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct plan {
	struct rootfs rootfs;
	bool bare, proc, sys, mqueue, cgroup;
	bool new_session, keep_keyring;
	int join_pid; /* the fd of a PID namespace as it was named; -1 */
	struct fd_list kept;
	char **command;
};

/* The id of an option that adds an entry is that of its kind, counted from here. */
enum { ENTRY = CLI_LONG, OVERLAY = ENTRY + 32, KEEP_FD, JOIN_PID };

#define AT(member) CLI_STORED(struct plan, member)

static const struct cli_option options[] = {
	{ 0, NULL, NULL, "The root:" },
	{ 0, "read-only", NULL, "nothing of it can be changed", AT(rootfs.read_only) },
	{ OVERLAY, "overlay", "[=DIR]", "copy-on-write: changes vanish, or are kept in DIR" },
	{ 0, "suid", NULL, "its set-user-ID programs count", AT(rootfs.suid) },
	{ 0, NULL, NULL, "What is mounted in it:" },
	{ 'b', "bind", "SRC[:DST[:OPTIONS]]...",
		"show SRC of the old root at DST (default: SRC)\n"
		"OPTIONS: ro,dev,suid,noexec,nosymfollow,norec,\n"
		"idmap=ON_DISK-SEEN-COUNT[+...]" },
	{ ENTRY + FURNISH_TMPFS, "tmpfs", "DST[:OPTIONS]...",
		"an empty directory in memory at DST\n"
		"OPTIONS: size=SIZE,mode=MODE,ro,noexec,dev,suid" },
	{ ENTRY + FURNISH_DEVICE, "dev", "PATH...", "the device PATH of the old root, as well" },
	{ 0, "proc", NULL, "a /proc, also where the PID namespace is the\ncaller's", AT(proc) },
	{ 0, "sys", NULL, "a /sys, read-only", AT(sys) },
	{ 0, "mqueue", NULL, "POSIX message queues at /dev/mqueue", AT(mqueue) },
	{ 0, "cgroup", NULL, "the own cgroups at /sys/fs/cgroup, read-only", AT(cgroup) },
	{ 0, "bare", NULL, "no /dev and no /proc unless asked for", AT(bare) },
	{ 0, NULL, NULL, "What is made in it:" },
	{ ENTRY + FURNISH_DIRECTORY, "dir", "PATH[:mode=MODE]...", "a directory" },
	{ ENTRY + FURNISH_FILE, "file", "SRC:PATH[:mode=MODE]...",
		"a copy of the file SRC of the old root" },
	{ ENTRY + FURNISH_SYMLINK, "symlink", "TARGET:PATH...", "a symlink to TARGET" },
	{ CLI_TRIES, NULL, NULL, "What is kept from COMMAND, also as --try-...: if it is there" },
	{ ENTRY + FURNISH_COVER, "mask", "PATH...", "PATH is empty" },
	{ ENTRY + FURNISH_PROTECT, "ro-path", "PATH...", "PATH is read-only" },
	{ 0, NULL, NULL, "The rest:" },
	{ 0, "no-masks", NULL, "show and allow all that is in /proc and /sys",
		AT(rootfs.furnish.unmasked) },
	{ 'w', "workdir", "DIR", "start in DIR of the new root (default: /)", AT(rootfs.workdir) },
	{ KEEP_FD, "keep-fd", "FD...", "leave FD open; all others from 3 up are closed" },
	{ JOIN_PID, "join-pid", "FD",
		"a child in the PID namespace open as FD becomes\nCOMMAND, when the old root is gone" },
	{ 0, "new-session", NULL, "a session of its own, without the terminal", AT(new_session) },
	{ 0, "keep-keyring", NULL, "leave COMMAND the session keyring", AT(keep_keyring) },
	{ 0 },
};

static const struct cli_program program = {
	.name = "rootjail",
	.operands = "ROOTFS COMMAND [ARG]...",
	.summary = "Run COMMAND in the root file system below the directory ROOTFS, with a minimal\n"
		   "/dev, and a /proc if it has a PID namespace of its own.",
	.options = options,
};

static void parse_entry(const struct cli *cli, struct furnish *furnish, enum furnish_kind kind)
{
	struct furnish_entry *entry = &furnish->entries[furnish->count++];
	char *text = strdup(cli->value);
	const char *word, *reason;

	if (!text)
		die_error(errno, "cannot allocate memory");
	reason = rootspec_parse(kind, text, entry, &word);
	if (reason)
		cli_refuse(cli, word == text ? cli->value : word, reason, NULL);
	entry->tried = cli->tried;
}

static void parse(struct cli *cli, struct plan *plan)
{
	plan->join_pid = -1;
	cli_store(cli, plan);
	for (int id; (id = cli_next(cli));) {
		if (id == KEEP_FD) {
			cli_check(cli, fd_list_add(&plan->kept, cli->value));
		} else if (id == JOIN_PID) {
			cli_check(cli, parse_fd(cli->value, &plan->join_pid));
		} else if (id == OVERLAY) {
			plan->rootfs.overlay = true;
			plan->rootfs.changes = cli->value;
		} else {
			parse_entry(cli, &plan->rootfs.furnish,
				id == 'b' ? FURNISH_BIND : (enum furnish_kind)(id - ENTRY));
		}
	}
	plan->rootfs.path = cli_operand(cli, "the directory that holds the root file system");
	plan->command = cli_command(cli);
}

static void resolve(struct plan *plan)
{
	if (plan->join_pid >= 0)
		plan->rootfs.furnish.pids = nsfile_inherit(plan->join_pid, NSFILE_PID);
}

/* What a root has without being asked for, or by an option that needs no value, comes first, so that the rest may lie on it. */
static void add_standard_entries(struct plan *plan)
{
	bool own_pids = plan->rootfs.furnish.pids || rootfs_has_own_pids();
	const struct {
		bool wanted;
		enum furnish_kind kind;
		const char *target;
	} standard[] = {
		{ !plan->bare, FURNISH_DEV, "/dev" },
		{ plan->proc || (!plan->bare && own_pids), FURNISH_PROC, "/proc" },
		{ plan->sys, FURNISH_SYS, "/sys" },
		{ plan->mqueue, FURNISH_MQUEUE, "/dev/mqueue" },
		{ plan->cgroup, FURNISH_CGROUP, "/sys/fs/cgroup" },
	};
	struct furnish *furnish = &plan->rootfs.furnish;
	size_t count = sizeof(standard) / sizeof(*standard);

	for (size_t i = count; i-- > 0;) {
		if (!standard[i].wanted)
			continue;
		memmove(furnish->entries + 1, furnish->entries,
			furnish->count++ * sizeof(*furnish->entries));
		furnish->entries[0] = (struct furnish_entry){
			.kind = standard[i].kind,
			.target = standard[i].target,
			.fd = -1,
		};
	}
}

static void become_child(const struct child_plan *start)
{
	struct child child;

	if (!child_start(&child, start))
		child_finish(child_wait(&child));
}

/* COMMAND's PID namespace comes last: whoever is in it would see what this process still has of the old root. */
static void apply(struct plan *plan)
{
	int pids = plan->rootfs.furnish.pids;
	struct child_plan start = {
		.new_pids = pids,
		.new_session = plan->new_session,
		.keep_keyring = plan->keep_keyring,
	};

	if (plan->new_session && !pids)
		become_child(&start);
	if (!plan->keep_keyring && !plan->new_session)
		keyring_leave();
	rootfs_enter(&plan->rootfs);
	if (pids)
		nsfile_join_pid(pids);
	toolbox_close_others(plan->kept.list, plan->kept.count);
	if (pids)
		become_child(&start);
}

int main(int argc, char **argv)
{
	struct cli cli;
	/* Each entry takes an argument at least, and some are standard. */
	struct plan plan = { .rootfs.furnish.entries =
				     calloc((size_t)argc + 8, sizeof(struct furnish_entry)) };

	cli_start(&cli, &program, argc, argv);
	if (!plan.rootfs.furnish.entries)
		die_error(errno, "cannot allocate memory");
	parse(&cli, &plan);
	toolbox_enter(argv);
	resolve(&plan);
	add_standard_entries(&plan);
	apply(&plan);
	chain_exec_inside(plan.command, plan.rootfs.path);
}
