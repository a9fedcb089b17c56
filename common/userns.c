#include "common/userns.h"

#include "common/child.h"
#include "common/explain.h"
#include "common/fd.h"
#include "common/ids.h"
#include "common/namespace.h"
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

/* The id inside that a process takes whose own one, OWN outside, has no mapping: root if there is one, else the first. False: it keeps its own. */
static bool choose(const struct idmap *map, uint32_t own, uint32_t *ret)
{
	if (map->count == 0 || idmap_maps_outer(map, own))
		return false;
	*ret = idmap_maps_inner(map, 0) ? 0 : map->extents[0].inner;
	return true;
}

/* An id without a mapping shows as nobody's and still is the one outside: what a file of the host allows it, it would be allowed. */
static void take_mapped_ids(const struct idmap_plan *plan, uint32_t user, uint32_t group)
{
	uint32_t inner;

	explain_because("an id without a mapping would still be the one outside");
	int error = choose(&plan->groups, group, &inner) ? ids_try_set_group(inner) : 0;

	if (error == 0 && choose(&plan->users, user, &inner))
		error = ids_try_set_user(inner);
	if (error < 0)
		die_error(-error, "cannot take an id of the new user namespace");
}

static void drop_groups(const struct userns_plan *plan)
{
	explain_because("groups that do not show inside would still open files");
	if (plan->keep_groups || ids_try_drop_groups() == 0)
		return;
	die_hint("--keep-groups takes them along: they go on opening files, unseen", 0,
		"cannot drop the supplementary groups before entering a user namespace");
}

/* The helper of idmap_prepare() keeps the rights to write the maps when this process becomes the owner. */
static void enter(const struct userns_plan *plan, int namespaces)
{
	explain_because("a helper outside is to write the id maps");
	struct idmap_writer writer = idmap_prepare(&plan->idmap);
	/* With maps written from outside setgroups(2) may be allowed inside, also where it is not outside. */
	bool later = writer.pid && plan->idmap.setgroups != IDMAP_SETGROUPS_DENY;

	if (!later || plan->keep_groups || ids_try_drop_groups() == 0)
		drop_groups(plan);
	if (plan->idmap.from_outside &&
		(ids_try_set_group(plan->owner_group) < 0 || ids_try_set_user(plan->owner_user) < 0))
		die_hint("this needs CAP_SETUID and CAP_SETGID", 0, "cannot become the owner %u:%u",
			plan->owner_user, plan->owner_group);

	uint32_t user = ids_user(), group = ids_group();

	namespace_unshare(namespaces);
	idmap_write(&plan->idmap, &writer);
	if (later)
		drop_groups(plan);
	take_mapped_ids(&plan->idmap, user, group);
}

void userns_unshare(const struct userns_plan *plan, int namespaces)
{
	struct userns_plan inner = { .keep_groups = true };

	if (!plan->no_nested) {
		enter(plan, namespaces | CLONE_NEWUSER);
		return;
	}
	enter(plan, CLONE_NEWUSER);

	explain_because("one more user namespace, which is the last");
	/* One more, which is the last: counted here, out of reach from inside. */
	int error = fd_try_write(AT_FDCWD, "/proc/sys/user/max_user_namespaces", "1");

	if (error < 0)
		die_error(-error, "cannot limit '/proc/sys/user/max_user_namespaces'");
	/* A change of ids has made the files in /proc/PID root's; the inner maps have to be written all the same. */
	if (!explain_call("prctl(PR_SET_DUMPABLE, 1)"))
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	idmap_nest(&plan->idmap, &inner.idmap);
	enter(&inner, namespaces | CLONE_NEWUSER);
}

/* In a helper that shares its fds with the caller: makes the namespace, and SLOT an fd of it. */
static _Noreturn void help_to_create(const struct idmap_plan *plan, int slot)
{
	struct idmap_writer writer = idmap_prepare(plan);

	namespace_unshare(CLONE_NEWUSER);
	idmap_write(plan, &writer);

	autoclose int created = fd_open(AT_FDCWD, "/proc/self/ns/user", O_RDONLY);

	if (dup3(created, slot, O_CLOEXEC) < 0)
		die_error(errno, "cannot keep the new user namespace");
	fd_close(&created);
	_exit(EXIT_SUCCESS);
}

int userns_create(const struct idmap_plan *plan)
{
	if (explain_call("clone3({flags=CLONE_FILES})"))
		return explain_fd("user namespace of a helper, with that map");

	int slot = fd_open(AT_FDCWD, "/proc/self/ns/user", O_PATH);
	pid_t helper = child_fork_helper(CLONE_FILES);

	if (helper == 0)
		help_to_create(plan, slot);
	/* It has said why not. */
	if (child_reap_helper(helper) != 0)
		exit(STATUS_FAILED);
	return slot;
}
