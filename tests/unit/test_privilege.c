/* privilege: what is left of the sets of this process, and how it is refused to go on. */
#include "common/privilege.h"

#include "common/caps.h"
#include "common/report.h"
#include "tests/unit/tap.h"

#include <linux/capability.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define BIT(capability) (UINT64_C(1) << (capability))

/* The set NAME in /proc/self/status. */
static uint64_t status_set(const char *name)
{
	char line[256];
	unsigned long long value = 0;
	bool found = false;
	FILE *file = fopen("/proc/self/status", "re");

	if (!file)
		bail_out("cannot open /proc/self/status");
	while (!found && fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':') {
			value = strtoull(line + strlen(name) + 1, NULL, 16);
			found = true;
		}
	}
	fclose(file);
	return found ? value : 0xbad;
}

static bool same_as_status(const struct caps_sets *sets)
{
	return sets->inheritable == status_set("CapInh") &&
		sets->permitted == status_set("CapPrm") && sets->effective == status_set("CapEff") &&
		sets->bounding == status_set("CapBnd") && sets->ambient == status_set("CapAmb");
}

/* Applies DATA and exits with 42 if nothing of it is left, and everything else is. */
static int apply(const void *data)
{
	const struct privilege_plan *plan = data;
	struct caps_sets before = caps_read();

	privilege_reduce(plan);

	struct caps_sets after = caps_read();
	bool bounds = before.effective & BIT(CAP_SETPCAP);

	if (!same_as_status(&after))
		return 1;
	if (after.permitted != (before.permitted & ~plan->drop) ||
		after.effective != (before.effective & ~plan->drop) ||
		after.inheritable != (before.inheritable & ~plan->drop) ||
		after.ambient != (before.ambient & ~plan->drop))
		return 2;
	if (after.bounding != (bounds ? before.bounding & ~plan->drop : before.bounding))
		return 3;
	if (plan->no_new_privs && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 4;
	return 42;
}

/* The same for a process that has capabilities in its inheritable and ambient sets. */
static int apply_ambient(const void *data)
{
	static const int raised[] = { CAP_SYS_ADMIN, CAP_CHOWN, CAP_NET_RAW };
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2];

	if ((int)syscall(SYS_capget, &header, sets) < 0)
		return 5;
	for (size_t i = 0; i < TAP_ROWS(raised); i++)
		sets[0].inheritable |= 1U << raised[i];
	if ((int)syscall(SYS_capset, &header, sets) < 0)
		return 6;
	for (size_t i = 0; i < TAP_ROWS(raised); i++) {
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, raised[i], 0, 0) < 0)
			return 7;
	}
	return caps_read().ambient == (BIT(CAP_SYS_ADMIN) | BIT(CAP_CHOWN) | BIT(CAP_NET_RAW)) ?
		apply(data) :
		8;
}

/* ... and for one without CAP_SETPCAP. */
static int apply_unbounded(const void *data)
{
	const struct privilege_plan first = { .drop = BIT(CAP_SETPCAP), .no_new_privs = false };

	if (caps_read().effective & BIT(CAP_SETPCAP))
		privilege_reduce(&first);
	return apply(data);
}

static void test_apply(void)
{
	static const struct privilege_plan plans[] = {
		{ .drop = 0, .no_new_privs = false },
		{ .drop = 0, .no_new_privs = true },
		{ .drop = BIT(CAP_SYS_ADMIN) | BIT(CAP_NET_RAW), .no_new_privs = true },
		{ .drop = BIT(CAP_SETPCAP), .no_new_privs = true },
		{ .drop = UINT64_MAX, .no_new_privs = true },
	};
	const struct privilege_plan bounded = { .drop = BIT(CAP_SYS_ADMIN), .no_new_privs = false };
	uint64_t effective = caps_read().effective;

	for (size_t i = 0; i < TAP_ROWS(plans); i++) {
		struct outcome outcome = run(apply, &plans[i]);

		is_exit(&outcome, 42, "drop %#llx, no_new_privs %d",
			(unsigned long long)plans[i].drop, plans[i].no_new_privs);
		outcome = run(apply_unbounded, &plans[i]);
		is_exit(&outcome, 42, "... without CAP_SETPCAP");
		if ((effective & bounded.drop) && (effective & BIT(CAP_SETPCAP))) {
			outcome = run(apply_ambient, &plans[i]);
			is_exit(&outcome, 42, "... with ambient capabilities");
		} else {
			skip("... with ambient capabilities", "is for root");
		}
	}
	if (caps_read().bounding & bounded.drop) {
		struct outcome outcome = run(apply_unbounded, &bounded);

		is_exit(&outcome, STATUS_FAILED, "neither CAP_SETPCAP nor no_new_privs is refused");
		has_text(outcome.err, "hint: ", "... with a hint");
	} else {
		skip("neither CAP_SETPCAP nor no_new_privs", "the bounding set is small already");
	}
}

/* What DATA asks for beyond what is dropped. */
static int apply_rest(const void *data)
{
	const struct privilege_plan *plan = data;
	int signal = 0;

	privilege_reduce(plan);
	prctl(PR_GET_PDEATHSIG, &signal, 0, 0, 0);
	if (plan->parent_death && signal != plan->parent_death)
		return 1;
	if (plan->sets_umask && umask(0) != plan->umask)
		return 2;
	return 42;
}

static void test_rest(void)
{
	const struct privilege_plan plan = {
		.no_new_privs = true, .sets_umask = true, .umask = 0137, .parent_death = SIGTERM
	};
	const struct privilege_plan filter = { .no_new_privs = true, .no_user_namespaces = true };
	const struct privilege_plan raise = { .no_new_privs = true,
		.bounding = { true, ~caps_read().bounding & caps_known() } };
	const struct privilege_plan ambient = { .no_new_privs = true,
		.ambient = { true, ~caps_read().permitted & caps_known() } };
	struct outcome outcome = run(apply_rest, &plan);

	is_exit(&outcome, 42, "umask and parent-death signal");
	outcome = run(apply_rest, &filter);
	is_exit(&outcome, 42, "no user namespaces, which is tried");
	if (raise.bounding.mask) {
		outcome = run(apply_rest, &raise);
		is_exit(&outcome, STATUS_FAILED, "a bounding set with more in it is refused");
		has_text(outcome.err, "bounding set", "... by its name");
	} else {
		skip("a larger bounding set", "it is full");
	}
	if (ambient.ambient.mask) {
		outcome = run(apply_rest, &ambient);
		is_exit(&outcome, STATUS_FAILED, "ambient without permitted is refused");
		has_text(outcome.err, "ambient", "... by its name");
	} else {
		skip("ambient without permitted", "all are permitted");
	}
}

int main(void)
{
	test_apply();
	test_rest();
	return tap_end();
}
