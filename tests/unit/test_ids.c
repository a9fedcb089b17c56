/* ids: what a change of ids leaves behind. */
#include "common/ids.h"

#include "tests/unit/tap.h"

#include <sched.h>
#include <signal.h>

/* Enough to meet a thread that ends late, which about one in a thousand does. */
enum { CHANGES = 2000 };

/* Whether a change to the own id keeps the parent-death signal, and leaves a process that may unshare anything. */
static int change(const void *data)
{
	int (*const *set)(uint32_t id) = data;
	uint32_t id = *set == ids_try_set_user ? geteuid() : getegid();

	ids_die_with_parent(SIGKILL);
	for (int n = 0; n < CHANGES; n++) {
		if ((*set)(id) != 0 || ids_parent_signal() != SIGKILL)
			return 1;
		if (unshare(CLONE_SIGHAND | CLONE_VM) < 0)
			return 2;
	}
	return 0;
}

int main(void)
{
	static int (*const user)(uint32_t id) = ids_try_set_user;
	static int (*const group)(uint32_t id) = ids_try_set_group;
	struct outcome outcome = run(change, &user);

	is_exit(&outcome, 0, "each of %d changes of the user leaves one thread, and the signal",
		CHANGES);
	outcome = run(change, &group);
	is_exit(&outcome, 0, "... of the group");
	return tap_end();
}
