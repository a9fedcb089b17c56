/* nsjoin - run a command in the namespaces of a process. setns(2), pidfd_open(2), namespaces(7) */
#include "common/chain.h"
#include "common/child.h"
#include "common/cli.h"
#include "common/fd.h"
#include "common/namespace.h"
#include "common/parse.h"
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { KEEP_FD = CLI_LONG, FDS_MAX = 64 };

static const struct cli_option options[] = {
	{ 't', "target", "PID", "the process whose namespaces to join" },
	{ 0, NULL, NULL, "Namespaces" },
	{ 'a', "all", NULL, "all that differ from the own ones" },
	{ 'm', "mount", NULL, "mount points" },
	{ 'u', "uts", NULL, "host name and domain name" },
	{ 'i', "ipc", NULL, "System V IPC and POSIX message queues" },
	{ 'n', "net", NULL, "network" },
	{ 'p', "pid", NULL, "process ids" },
	{ 'U', "user", NULL, "users, groups and capabilities" },
	{ 'C', "cgroup", NULL, "the view of the cgroup hierarchy" },
	{ 'T', "time", NULL, "the boot-time and monotonic clocks" },
	{ 0, NULL, NULL, "Where COMMAND starts" },
	{ 'r', "root", "[=DIR]", "in DIR as its root, by default the target's" },
	{ 'w', "wd", "[=DIR]", "in DIR, by default the target's working\ndirectory" },
	{ 0, NULL, NULL, "Processes and files" },
	{ 'F', "no-fork", NULL,
		"do not fork for --pid: only COMMAND's children\nare in the PID namespace" },
	{ KEEP_FD, "keep-fd", "FD...", "leave FD open; all others from 3 up are closed" },
	{ 0 },
};

static const struct cli_program program = {
	.name = "nsjoin",
	.operands = "--target=PID [--] COMMAND [ARG]...",
	.summary = "Run COMMAND in namespaces of another process.",
	.options = options,
};

struct plan {
	pid_t target;
	int namespaces; /* CLONE_NEW* */
	const char *root;
	const char *workdir;
	bool no_fork;
	int kept[FDS_MAX];
	size_t kept_count;
	char **command;

	/* Opened before anything changes. */
	int pidfd;
	int root_fd;
	int workdir_fd;
};

static void parse_kind(struct cli *cli, struct plan *plan, int id)
{
	static const char letters[NAMESPACE_KINDS + 1] =
		"muinpCTU"; /* in the order of namespace_kinds */
	const char *letter = strchr(letters, id);

	if (!letter)
		cli_die(cli, "option '--%s' is not handled", cli->current->name);
	plan->namespaces |= namespace_kinds[letter - letters].flag;
}

static void parse_kept_fd(struct cli *cli, struct plan *plan)
{
	uint64_t fd;

	cli_check(cli, parse_number(cli->value, 0, INT32_MAX, &fd));
	if (plan->kept_count == FDS_MAX)
		cli_die(cli, "--keep-fd: more than %d are given", FDS_MAX);
	plan->kept[plan->kept_count++] = (int)fd;
}

static void parse(struct cli *cli, struct plan *plan)
{
	*plan = (struct plan){ .pidfd = -1, .root_fd = -1, .workdir_fd = -1 };
	for (int id; (id = cli_next(cli));) {
		switch (id) {
		case 't':
			cli_check(cli, parse_pid(cli->value, &plan->target));
			break;
		case 'a':
			plan->namespaces |= namespace_all();
			break;
		case 'r':
			plan->root = cli->value ? cli->value : "";
			break;
		case 'w':
			plan->workdir = cli->value ? cli->value : "";
			break;
		case 'F':
			plan->no_fork = true;
			break;
		case KEEP_FD:
			parse_kept_fd(cli, plan);
			break;
		default:
			parse_kind(cli, plan, id);
		}
	}
	if (!plan->target)
		cli_die(cli, "missing option '--target=PID'");
	if (!plan->namespaces && !plan->root && !plan->workdir)
		cli_die(cli, "nothing to join: name a namespace (-m -u -i -n -p -U -C -T) or --all");
	plan->command = cli_command(cli);
}

static int open_directory(int process, const char *asked, const char *targets)
{
	if (!asked)
		return -1;
	return *asked ? fd_open(AT_FDCWD, asked, O_PATH | O_DIRECTORY) :
			fd_open(process, targets, O_PATH | O_DIRECTORY);
}

/* Everything that names the target is opened here, while it is sure to be the process that was meant. */
static void resolve(struct plan *plan)
{
	char path[32];
	struct pollfd ended = { .events = POLLIN };

	plan->pidfd = (int)syscall(SYS_pidfd_open, plan->target, 0);
	if (plan->pidfd < 0)
		die_error(errno, "cannot find process %d", (int)plan->target);
	snprintf(path, sizeof(path), "/proc/%d", (int)plan->target);

	autoclose int process = fd_open(AT_FDCWD, path, O_PATH | O_DIRECTORY);

	plan->namespaces = namespace_different(process, plan->namespaces);
	plan->root_fd = open_directory(process, plan->root, "root");
	plan->workdir_fd = open_directory(process, plan->workdir, "cwd");
	/* If it is alive now, what was read above was its own: its PID cannot have gone to another process. */
	ended.fd = plan->pidfd;
	if (poll(&ended, 1, 0) != 0)
		die("process %d has ended", (int)plan->target);
}

/* In a user namespace just joined: be its root where it has one. Where setgroups(2) is denied, groups stay as they are. */
static void take_ids(void)
{
	int death_signal = 0;

	prctl(PR_GET_PDEATHSIG, &death_signal, 0, 0, 0);
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		die_error(errno, "cannot drop the supplementary groups");
	/* EINVAL: it has no root. */
	if ((setresgid(0, 0, 0) < 0 && errno != EINVAL) || (setresuid(0, 0, 0) < 0 && errno != EINVAL))
		die_error(errno, "cannot become root of the joined user namespace");
	/* Lost with the change of ids, prctl(2). */
	if (death_signal)
		prctl(PR_SET_PDEATHSIG, (unsigned long)death_signal, 0, 0, 0);
}

static void enter_directories(const struct plan *plan)
{
	if (plan->root && (fchdir(plan->root_fd) < 0 || chroot(".") < 0))
		die_error(errno, "cannot enter the root directory");
	if ((plan->root || (plan->namespaces & CLONE_NEWNS)) && chdir("/") < 0)
		die_error(errno, "cannot enter '/' on the other side");
	if (plan->workdir && fchdir(plan->workdir_fd) < 0)
		die_error(errno, "cannot enter the working directory");
}

static void apply(struct plan *plan)
{
	struct child_plan start = { .new_pids = true };
	struct child child;

	/* Until exec, processes on the other side could trace this one, which still holds what is of this side. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	namespace_join(plan->pidfd, plan->namespaces);
	if (plan->namespaces & CLONE_NEWUSER)
		take_ids();
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	enter_directories(plan);
	fd_close_others(plan->kept, plan->kept_count);
	if ((plan->namespaces & CLONE_NEWPID) && !plan->no_fork && !child_start(&child, &start))
		child_finish(child_wait(&child));
}

int main(int argc, char **argv)
{
	struct cli cli;
	struct plan plan;

	cli_start(&cli, &program, argc, argv);
	parse(&cli, &plan);
	resolve(&plan);
	apply(&plan);
	chain_exec(plan.command);
}
