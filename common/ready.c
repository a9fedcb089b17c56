#include "common/ready.h"

#include "common/explain.h"
#include "common/fd.h"
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void check_open(const char *option, bool used, int fd)
{
	if (used && !fd_is_inherited(fd))
		die_hint("FD>FILE in a shell opens it", 0, "--%s: '%d' is not open", option, fd);
}

void ready_prepare(struct ready_plan *plan)
{
	plan->pid_file = plan->proc = -1;
	check_open("ready-fd", plan->announces, plan->announce);
	check_open("block-fd", plan->blocks, plan->block);
	if (!plan->pid_path)
		return;
	if (explain_is_on())
		return;
	plan->proc = fd_open(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY);
	plan->pid_file = fd_try_create(
		AT_FDCWD, plan->pid_path, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_NONBLOCK, 0644);
	if (plan->pid_file < 0)
		die_error(-plan->pid_file, "cannot write the PID to '%s'", plan->pid_path);
}

/* /proc/self names this process in the PID namespace of that /proc, which is the caller's. */
static void write_pid(struct ready_plan *plan)
{
	char text[32];
	ssize_t length = readlinkat(plan->proc, "self", text, sizeof(text) - 1);

	if (length < 0)
		die_error(errno, "cannot read the own PID from '/proc/self'");
	text[length++] = '\n';
	if (write(plan->pid_file, text, (size_t)length) != length)
		die_error(errno, "cannot write the PID to '%s'", plan->pid_path);
	fd_close(&plan->pid_file);
	fd_close(&plan->proc);
}

static void explain_announcement(const struct ready_plan *plan)
{
	explain_because("others are told, and waited for");
	if (plan->pid_path)
		explain_call("write(%p, \"PID\\n\")", AT_FDCWD, plan->pid_path);
	if (plan->announces)
		explain_call("write(%f, \"\\n\", 1)", plan->announce);
	if (plan->blocks)
		explain_call("poll([{fd=%f, events=POLLIN}], 1, -1)", plan->block);
}

void ready_announce(struct ready_plan *plan)
{
	struct pollfd go = { .fd = plan->block, .events = POLLIN };

	if (explain_is_on()) {
		explain_announcement(plan);
		return;
	}
	if (plan->pid_path)
		write_pid(plan);
	if (plan->announces && write(plan->announce, "\n", 1) != 1)
		die_error(errno, "cannot write to file descriptor %d", plan->announce);
	while (plan->blocks && poll(&go, 1, -1) < 0) {
		if (errno != EINTR)
			die_error(errno, "cannot wait for file descriptor %d", plan->block);
	}
}
