#include "common/hide.h"

#include "common/explain.h"
#include "common/fd.h"
#include "common/mounttree.h"
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

bool hide_is_needed(void)
{
	char target[64];
	ssize_t length = readlink("/proc/self/ns/pid", target, sizeof(target) - 1);

	/* PROC_PID_INIT_INO of linux/proc_ns.h: whoever sees this process there sees the machine's PID 1 as well. */
	return length <= 0 || strncmp(target, "pid:[4026531836]", (size_t)length) != 0;
}

/* Leaves the link with an empty read-only root in a mount namespace of its own; without the privilege it is as it was. */
static void leave_root(void)
{
	static const struct mounttree_option empty[] = { { "mode", "0" }, { 0 } };
	int error = unshare(CLONE_NEWNS) < 0 ? -errno : mounttree_try_leave_chroot();

	if (error == -EPERM)
		return;
	if (error < 0)
		die_error(-error, "cannot leave the root file system while waiting");
	mounttree_propagate(MS_PRIVATE);

	autoclose int root = fd_open(AT_FDCWD, "/", O_PATH | O_DIRECTORY);
	autoclose int tree = mounttree_try_create("tmpfs", empty, MOUNT_ATTR_RDONLY);

	error = tree < 0 ? tree : mounttree_try_attach(tree, root);
	if (error == 0)
		error = mounttree_try_pivot(tree);
	if (error < 0)
		die_hint(mounttree_advise_pivot(error), -error,
			"cannot leave the root file system while waiting");
}

void hide_from_tracers(void)
{
	explain_because("others that see this process cannot look into it");
	if (explain_call("prctl(PR_SET_DUMPABLE, SUID_DUMP_DISABLE)"))
		return;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		die_error(errno, "cannot make this process one that others cannot trace");
}

/* EPIPE: the other side has ended, and said why. */
static void open_gate(int gate)
{
	int error = fd_try_knock(gate);

	if (error < 0 && error != -EPIPE)
		die_error(-error, "cannot tell that the waiting process is hidden");
}

void hide_self(const int *keep, size_t count, bool root_too, int gate)
{
	fd_close_others(keep, count);
	/* A pipe ends for its reader when COMMAND closes it, not when the link ends. */
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	fd_fill_standard();
	hide_from_tracers();
	if (root_too)
		leave_root();
	open_gate(gate);
}

void hide_stand_back(const int *keep, size_t count)
{
	int error = fd_try_close_others(keep, count);

	if (error == 0) {
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		error = fd_try_fill_standard();
	}
	if (error < 0)
		warn_error(-error, "cannot close all files while waiting");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		warn_error(errno, "cannot keep others from tracing the process that waits");
}

void hide_make_gate(int gate[2])
{
	int error = fd_try_make_gate(gate);

	if (error < 0)
		die_error(-error, "cannot make a pair of sockets");
}

void hide_pass_gate(int gate[2])
{
	fd_close(&gate[1]);

	int error = fd_try_await(gate[0]);

	if (error < 0 && error != -EPIPE)
		die_error(-error, "cannot wait for the waiting process to be hidden");
	if (error < 0)
		exit(STATUS_FAILED);
	fd_close(&gate[0]);
}
