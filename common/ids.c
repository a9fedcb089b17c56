#include "common/ids.h"

#include "common/explain.h"
#include "common/parse.h"
#include "common/report.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int ids_parent_signal(void)
{
	/* Stays if the call does nothing, which would lose a signal that is there. */
	int signal = -1;

	if (prctl(PR_GET_PDEATHSIG, &signal, 0, 0, 0) < 0 || signal < 0)
		die_error(errno, "cannot read the parent-death signal");
	return signal;
}

struct ids_parent ids_parent(void)
{
	return (struct ids_parent){ .pid = getppid(), .signal = ids_parent_signal() };
}

void ids_die_with_parent(int signal)
{
	const struct ids_parent parent = { .pid = getppid(), .signal = signal };

	explain_because("this process does not outlive its parent");
	ids_keep_parent(&parent);
}

void ids_keep_parent(const struct ids_parent *parent)
{
	char name[PARSE_SIGNAL];

	if (!parent->signal)
		return;
	/* Also where it is explained: it is no more than this process's own, and has to be known to what is explained next. */
	parse_name_signal(parent->signal, name);
	explain_call("prctl(PR_SET_PDEATHSIG, %s)", name);
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
	atomic_int alive; /* not 0 while the thread may still use its stack */
	void *stack;      /* NULL without a thread */
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
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
		CLONE_SYSVSEM | CLONE_CHILD_CLEARTID;

	*guard = (struct guard){ .signal = signal, .alive = 1 };
	if (!signal)
		return;
	guard->stack = mmap(NULL, GUARD_STACK, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (guard->stack == MAP_FAILED)
		die_error(errno, "cannot allocate memory");

	pid_t thread = clone(guard_run, (char *)guard->stack + GUARD_STACK, flags, guard, NULL,
		NULL, &guard->alive);

	/* No threads for a process whose children go to another PID namespace, clone(2); getppid() has to do for that. */
	if (thread < 0 && errno == EINVAL) {
		munmap(guard->stack, GUARD_STACK);
		guard->stack = NULL;
		return;
	}
	if (thread < 0)
		die_error(errno, "cannot start a thread");
	while (atomic_load(&guard->state) == STARTING)
		sched_yield();
	if (atomic_load(&guard->state) == FAILED)
		die("cannot set the parent-death signal");
}

/*
 * What follows may need a process of one thread. One whose number is free can still hold the signal handlers, which fails unshare(2) once in a thousand
 * times: so the kernel is asked what it will ask then. Unsharing the handlers of a single thread changes nothing.
 */
static void guard_end(struct guard *guard)
{
	if (!guard->stack)
		return;
	atomic_store(&guard->state, ENDING);
	while (atomic_load(&guard->alive))
		sched_yield();
	while (unshare(CLONE_SIGHAND) < 0 && errno == EINVAL)
		sched_yield();
	munmap(guard->stack, GUARD_STACK);
}

/*
 * The bare system calls: a C library makes a change in all threads it knows of, of which there is but one, and blocks all signals meanwhile, musl without
 * looking whether they are unblocked again.
 */
#ifdef SYS_setresuid32
enum { SET_USERS = SYS_setresuid32, SET_GROUPS = SYS_setresgid32, SET_LIST = SYS_setgroups32 };
#else
enum { SET_USERS = SYS_setresuid, SET_GROUPS = SYS_setresgid, SET_LIST = SYS_setgroups };
#endif

/* "[4, 20]"; groups that do not fit are "..." */
static void explain_list(size_t count, const gid_t *list)
{
	enum { LONGEST = 14 };
	char text[512] = "";
	size_t used = 0;

	for (size_t i = 0; i < count && used < sizeof(text) - LONGEST; i++)
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "%s%u", i ? ", " : "", list[i]);
	explain_call("setgroups(%d, [%s])", (int)count, text);
}

static int set_list(size_t count, const gid_t *list)
{
	if (explain_is_on()) {
		explain_list(count, list);
		return 0;
	}
	return (int)syscall(SET_LIST, count, list);
}

/* Changes the user ids, or the group ids if GROUP, under a guard. */
static int set_id(uint32_t id, bool group)
{
	struct ids_parent parent = ids_parent();
	struct guard guard;

	if (explain_call(group ? "setresgid(%d, %d, %d)" : "setresuid(%d, %d, %d)", id, id, id)) {
		explain_become(group, id);
		ids_keep_parent(&parent);
		return 0;
	}
	guard_start(&guard, parent.signal);

	int error = syscall(group ? SET_GROUPS : SET_USERS, id, id, id) < 0 ? -errno : 0;

	if (error == 0)
		ids_keep_parent(&parent);
	guard_end(&guard);
	return error;
}

uint32_t ids_user(void)
{
	return explain_id(false, geteuid());
}

uint32_t ids_group(void)
{
	return explain_id(true, getegid());
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

	if (count == 0 || set_list(0, NULL) == 0)
		return 0;

	int error = -errno;

	/* The own group gives nothing that the process does not have anyway. */
	if (error == -EPERM && count == 1 && getgroups(1, &only) == 1 && only == getegid())
		return 0;
	return error;
}

static const char *id_hint(int error)
{
	if (error == -EPERM)
		return "this needs CAP_SETUID and CAP_SETGID";
	return error == -EINVAL ? "that id has no mapping in this user namespace" : NULL;
}

static void set_groups(const struct ids_change *change)
{
	int error = change->count == 0                    ? ids_try_drop_groups() :
		set_list(change->count, change->list) < 0 ? -errno :
							    0;

	if (error == -EPERM)
		die_hint("this needs CAP_SETGID, and that setgroups(2) is allowed here", -error,
			"cannot %s the supplementary groups", change->count ? "set" : "give up");
	if (error < 0)
		die_hint(id_hint(error), -error, "cannot set the supplementary groups");
}

void ids_apply(const struct ids_change *change)
{
	int error;

	if (change->groups)
		set_groups(change);
	if (change->ids) {
		error = ids_try_set_group(change->group);
		if (error == 0)
			error = ids_try_set_user(change->user);
		if (error < 0)
			die_hint(id_hint(error), -error, "cannot become user %u and group %u",
				change->user, change->group);
	}
	ids_verify(change);
}

static int compare_groups(const void *left, const void *right)
{
	gid_t a = *(const gid_t *)left, b = *(const gid_t *)right;

	return (a > b) - (a < b);
}

/* The supplementary groups of this process, sorted; to be freed. */
static gid_t *read_groups(size_t *ret_count)
{
	int count = getgroups(0, NULL);

	if (count < 0)
		die_error(errno, "cannot read the supplementary groups");

	gid_t *list = calloc((size_t)count + 1, sizeof(*list));

	if (!list || getgroups(count, list) != count)
		die_error(errno, "cannot read the supplementary groups");
	qsort(list, (size_t)count, sizeof(*list), compare_groups);
	*ret_count = (size_t)count;
	return list;
}

static bool has_groups(const struct ids_change *change)
{
	size_t count;
	gid_t *list = read_groups(&count);
	bool same = count == change->count;

	/* As many, and each of them: no two are the same. */
	for (size_t i = 0; same && i < count; i++)
		same = bsearch(&change->list[i], list, count, sizeof(*list), compare_groups);
	if (change->count == 0 && count == 1 && list[0] == getegid())
		same = true;
	free(list);
	return same;
}

void ids_verify(const struct ids_change *change)
{
	if (explain_is_on())
		return;

	const uid_t user = change->user;
	const gid_t group = change->group;
	/* No id, so that a call which does nothing is found. */
	uid_t users[3] = { (uid_t)-1, (uid_t)-1, (uid_t)-1 };
	gid_t groups[3] = { (gid_t)-1, (gid_t)-1, (gid_t)-1 };

	if (change->groups && !has_groups(change))
		die("the supplementary groups of this process are not the ones asked for");
	if (!change->ids)
		return;
	if (getresuid(&users[0], &users[1], &users[2]) < 0 ||
		getresgid(&groups[0], &groups[1], &groups[2]) < 0)
		die_error(errno, "cannot read the ids of this process");
	for (int i = 0; i < 3; i++) {
		if (users[i] != user || groups[i] != group)
			die("the ids of this process are not the ones asked for");
	}
	/* An id that is none changes nothing and tells the one that is there. */
	if ((uid_t)setfsuid((uid_t)-1) != user || (gid_t)setfsgid((gid_t)-1) != group)
		die("the ids of this process for files are not the ones asked for");
}
