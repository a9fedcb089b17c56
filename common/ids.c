#include "common/ids.h"

#include "common/report.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
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

/*
 * A change of ids takes the parent-death signal away from the thread that changes, prctl(2). A parent that dies just then would not be noticed, and PID 1 of a
 * namespace cannot even ask whether it did. But the signal of any thread reaches the whole process, and ids are a thread's own for
 * the kernel: so a second thread keeps the signal armed until the first has it again.
 */
struct guard {
	int signal;
	atomic_int state;
	pid_t thread;
	void *stack;
};

enum { GUARD_STACK = 16384 };
enum { STARTING, ARMED, FAILED, ENDING };

__attribute__((no_sanitize("address", "undefined"))) static int guard_run(void *data)
{
	struct guard *guard = data;
	int result = prctl(PR_SET_PDEATHSIG, (unsigned long)guard->signal, 0, 0, 0);

	atomic_store(&guard->state, result == 0 ? ARMED : FAILED);
	while (atomic_load(&guard->state) != ENDING)
		sched_yield();
	return 0;
}

static void guard_start(struct guard *guard, int signal)
{
	const int flags =
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;

	*guard = (struct guard){ .signal = signal };
	if (!signal)
		return;
	guard->stack = mmap(NULL, GUARD_STACK, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (guard->stack == MAP_FAILED)
		die_error(errno, "cannot allocate memory");
	guard->thread = clone(guard_run, (char *)guard->stack + GUARD_STACK, flags, guard);
	/* No threads for a process whose children go to another PID namespace, clone(2); getppid() has to do for that. */
	if (guard->thread < 0 && errno == EINVAL) {
		munmap(guard->stack, GUARD_STACK);
		guard->thread = 0;
		return;
	}
	if (guard->thread < 0)
		die_error(errno, "cannot start a thread");
	while (atomic_load(&guard->state) == STARTING)
		sched_yield();
	if (atomic_load(&guard->state) == FAILED)
		die("cannot set the parent-death signal");
}

/* Gone is gone: what follows may need a process of one thread, such as unshare(2). */
static void guard_end(struct guard *guard)
{
	if (!guard->thread)
		return;
	atomic_store(&guard->state, ENDING);
	while (syscall(SYS_tgkill, getpid(), guard->thread, 0) == 0)
		sched_yield();
	munmap(guard->stack, GUARD_STACK);
}

/* Changes the user ids, or the group ids if GROUP, under a guard. */
static int set_id(uint32_t id, bool group)
{
	struct ids_parent parent = ids_parent();
	struct guard guard;

	guard_start(&guard, parent.signal);

	int error = (group ? setresgid(id, id, id) : setresuid(id, id, id)) < 0 ? -errno : 0;

	if (error == 0)
		ids_keep_parent(&parent);
	guard_end(&guard);
	return error;
}

int ids_try_set_user(uint32_t uid)
{
	return set_id(uid, false);
}

int ids_try_set_group(uint32_t gid)
{
	return set_id(gid, true);
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
