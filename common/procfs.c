#include "common/procfs.h"

#include "common/child.h"
#include "common/explain.h"
#include "common/fd.h"
#include "common/hide.h"
#include "common/mounttree.h"
#include "common/nsfile.h"
#include "common/report.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a process of the namespace: whose processes a proc shows is settled when it is begun. */
static _Noreturn void begin_inside(int gate)
{
	autoclose int context = mounttree_try_open("proc");
	int error = context < 0 ? context : fd_try_send(gate, context);

	if (error < 0)
		die_error(-error, "cannot begin a file system of type proc");
	_exit(EXIT_SUCCESS);
}

/* Gives away what could be found through a process before it has one in the namespace, where others could look. */
static _Noreturn void begin(int pids, int gate)
{
	const int keep[] = { pids, gate };

	hide_self(keep, sizeof(keep) / sizeof(*keep), true, gate);
	nsfile_join_pid(pids);

	pid_t inside = child_fork_helper(0);

	if (inside == 0)
		begin_inside(gate);
	int status = child_reap_helper(inside);

	/* So that it looks like this one's own end. */
	if (WIFSIGNALED(status))
		kill(getpid(), SIGKILL);
	_exit(status == 0 ? EXIT_SUCCESS : STATUS_FAILED);
}

/* A helper, and a child of it that is in the namespace. */
static int explain_inside(int pids)
{
	explain_call("clone3({flags=0})");
	explain_call("setns(%f, CLONE_NEWPID)", pids);
	explain_call("clone3({flags=0})");
	return mounttree_try_open("proc");
}

/* What mounttree_try_open() returns in the namespace PIDS. */
static int open_inside(int pids)
{
	int gate[2];

	if (explain_is_on())
		return explain_inside(pids);

	hide_make_gate(gate);

	pid_t helper = child_fork_helper(0);

	if (helper == 0)
		begin(pids, gate[1]);
	fd_close(&gate[1]);

	int error = fd_try_await(gate[0]);
	int context = error < 0 ? error : fd_try_receive(gate[0]);

	int status = child_reap_helper(helper);

	if (WIFSIGNALED(status))
		die("a helper in the PID namespace was killed by signal %d", WTERMSIG(status));
	/* It has said why. */
	if (status != 0)
		exit(STATUS_FAILED);
	if (context < 0)
		die_error(-context, "cannot begin a file system of type proc");
	fd_close(&gate[0]);
	return context;
}

int procfs_create(int pids)
{
	autoclose int context = pids > 0 ? open_inside(pids) : mounttree_try_open("proc");

	return mounttree_create_proc(context);
}
