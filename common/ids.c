#include "common/ids.h"

#include "common/report.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

struct ids_parent ids_parent(void)
{
	struct ids_parent parent = { .pid = getppid() };

	prctl(PR_GET_PDEATHSIG, &parent.signal, 0, 0, 0);
	return parent;
}

void ids_keep_parent(const struct ids_parent *parent)
{
	if (!parent->signal)
		return;
	if (prctl(PR_SET_PDEATHSIG, (unsigned long)parent->signal, 0, 0, 0) < 0)
		die_error(errno, "cannot set the parent-death signal");
	if (getppid() != parent->pid)
		exit(STATUS_FAILED);
}

int ids_try_set_user(uint32_t uid)
{
	struct ids_parent parent = ids_parent();

	if (setresuid(uid, uid, uid) < 0)
		return -errno;
	ids_keep_parent(&parent);
	return 0;
}

int ids_try_set_group(uint32_t gid)
{
	struct ids_parent parent = ids_parent();

	if (setresgid(gid, gid, gid) < 0)
		return -errno;
	ids_keep_parent(&parent);
	return 0;
}

int ids_try_drop_groups(void)
{
	gid_t only;
	int count = getgroups(0, NULL);

	if (count == 0 || setgroups(0, NULL) == 0)
		return 0;

	int error = -errno;

	/* The own group gives nothing that the process does not have anyway. */
	if (error == -EPERM && count == 1 && getgroups(1, &only) == 1 && only == getegid())
		return 0;
	return error;
}
