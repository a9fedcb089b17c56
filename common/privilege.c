#include "common/privilege.h"

#include "common/caps.h"
#include "common/explain.h"
#include "common/report.h"
#include "common/seccomp.h"
#include "common/securebits.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint64_t setpcap = UINT64_C(1) << CAP_SETPCAP;
static const uint64_t sys_admin = UINT64_C(1) << CAP_SYS_ADMIN;

/* Where a reduction starts, and where it is to end. */
struct course {
	struct caps_sets before;
	struct caps_sets after;
	bool no_new_privs; /* in the end, by whomever */
	unsigned int securebits;
	int parent_signal;
};

static _Noreturn void die_of_set(const char *advice, const char *verb, uint64_t mask, const char *set)
{
	char names[CAPS_TEXT];

	caps_format(mask, names);
	die_hint(advice, 0, "cannot %s '%s' %s", verb, names, set);
}

/* What SET asks for: with "all", which has bits that no kernel has, as much of POSSIBLE as it names. */
static uint64_t meant(const struct privilege_set *set, uint64_t possible)
{
	return set->mask & ~caps_known() ? set->mask & possible : set->mask;
}

/* Whether the process becomes another user than root, who starts with no capabilities. */
static bool becomes_plain(const struct privilege_plan *plan)
{
	return plan->ids.ids && plan->ids.user != 0;
}

static uint64_t plan_bounding(const struct privilege_plan *plan, const struct course *course)
{
	const struct caps_sets *before = &course->before;
	bool may_bound = before->permitted & setpcap;
	uint64_t wanted = before->bounding & ~plan->drop & ~plan->blocked;

	if (plan->bounding.given)
		wanted = meant(&plan->bounding, wanted);
	if (wanted & ~before->bounding)
		die_of_set("that set only ever gets smaller", "put", wanted & ~before->bounding,
			"into the bounding set");
	if (may_bound || wanted == before->bounding)
		return wanted;
	if (plan->bounding.given || plan->blocked)
		die_of_set("--drop and --keep do without: no_new_privs makes that set moot", "drop",
			before->bounding & ~wanted, "from the bounding set without CAP_SETPCAP");
	if (!course->no_new_privs)
		die_hint("leave out --allow-new-privs: no_new_privs makes that set moot", 0,
			"cannot drop from the bounding set without CAP_SETPCAP");
	return before->bounding;
}

/* What comes into the inheritable set has to be in the bounding set, and without CAP_SETPCAP permitted. */
static uint64_t inheritable_from(const struct caps_sets *before)
{
	uint64_t source = before->permitted & setpcap ? UINT64_MAX : before->permitted;

	return before->inheritable | (before->bounding & source);
}

static uint64_t plan_inheritable(const struct privilege_plan *plan, const struct caps_sets *before)
{
	uint64_t wanted = becomes_plain(plan) ? 0 : before->inheritable & ~plan->drop;
	uint64_t possible = inheritable_from(before);

	if (plan->inheritable.given)
		wanted = meant(&plan->inheritable, possible & before->permitted & ~plan->drop);
	if (wanted & ~possible)
		die_of_set("it has to be bounding, and permitted unless there is CAP_SETPCAP",
			"make", wanted & ~possible, "inheritable");
	return wanted;
}

static uint64_t plan_ambient(
	const struct privilege_plan *plan, const struct caps_sets *before, uint64_t *inheritable)
{
	uint64_t permitted = before->permitted & ~plan->drop;
	uint64_t possible = plan->inheritable.given ? *inheritable : inheritable_from(before);

	if (!plan->ambient.given)
		return becomes_plain(plan) ? 0 : before->ambient & ~plan->drop & *inheritable;

	uint64_t wanted = meant(&plan->ambient, possible & permitted);

	if (wanted & ~permitted)
		die_of_set("capjail --print shows the permitted set, from which it has to be",
			"make", wanted & ~permitted, "ambient: this process is not permitted it");
	if (wanted & ~possible)
		die_of_set("it has to be in --inheritable, or without that bounding", "make",
			wanted & ~possible, "ambient: it is not inheritable");
	*inheritable |= wanted;
	return wanted;
}

static struct course plan_course(const struct privilege_plan *plan)
{
	struct course course = {
		.before = caps_read(),
		.no_new_privs = plan->no_new_privs || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1,
		.securebits = plan->sets_securebits ? plan->securebits : securebits_read(),
		.parent_signal = plan->parent_death ? plan->parent_death : ids_parent_signal(),
	};
	const struct caps_sets *before = &course.before;
	struct caps_sets *after = &course.after;
	bool becomes_root = plan->ids.ids && plan->ids.user == 0;

	after->bounding = plan_bounding(plan, &course);
	after->inheritable = plan_inheritable(plan, before);
	after->ambient = plan_ambient(plan, before, &after->inheritable);
	after->permitted = becomes_plain(plan) ? after->ambient : before->permitted & ~plan->drop;
	after->effective = becomes_plain(plan) || becomes_root ? after->permitted :
								 before->effective & ~plan->drop;
	return course;
}

/* Everything permitted in effect, and all inheritable that will be: out of a smaller bounding set nothing would come in. */
static void raise_for_steps(const struct course *course)
{
	struct caps_sets sets = course->before;

	sets.effective = sets.permitted;
	sets.inheritable |= course->after.inheritable;
	if (sets.effective != course->before.effective ||
		sets.inheritable != course->before.inheritable)
		caps_write(&sets);
}

/* The kernel clears the permitted set of root who becomes another user, unless told not to. */
static void change_ids(const struct privilege_plan *plan, uint64_t needed)
{
	bool keep = needed && becomes_plain(plan);

	explain_because("the ids that were asked for");
	if (keep && !explain_call("prctl(PR_SET_KEEPCAPS, 1)") &&
		prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		die_hint(errno == EPERM ? "the securebit keep_caps_locked forbids it" : NULL, errno,
			"cannot keep capabilities across a change of user");
	ids_apply(&plan->ids);
	if (keep && !explain_call("prctl(PR_SET_KEEPCAPS, 0)") &&
		prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		die_error(errno, "cannot end keeping capabilities across a change of user");
}

/* What is to be in the end, and NEEDED as well. */
static void write_sets(const struct caps_sets *after, uint64_t needed)
{
	struct caps_sets sets = *after;

	sets.permitted |= needed;
	sets.effective |= needed;
	caps_write(&sets);
}

static void verify(const struct privilege_plan *plan, const struct course *course)
{
	if (explain_is_on())
		return;
	caps_verify(&course->after);
	if (securebits_read() != course->securebits)
		die("the securebits are %#x and not %#x as planned", securebits_read(),
			course->securebits);
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != (course->no_new_privs ? 1 : 0))
		die("no_new_privs is not as planned");
	ids_verify(&plan->ids);
	if (ids_parent_signal() != course->parent_signal)
		die("the parent-death signal is not %d as planned", course->parent_signal);
	/* The one way to read it is to set it. */
	if (plan->sets_umask && umask(plan->umask) != plan->umask)
		die("the umask is not %04o as asked", plan->umask);
	if (plan->no_user_namespaces)
		seccomp_verify_user_namespaces();
}

void privilege_reduce(const struct privilege_plan *plan)
{
	const struct course course = plan_course(plan);
	bool change_bits = plan->sets_securebits && plan->securebits != securebits_read();
	uint64_t needed = course.before.permitted &
		((change_bits ? setpcap : 0) |
			(plan->no_user_namespaces && !course.no_new_privs ? sys_admin : 0));

	if (plan->parent_death)
		ids_die_with_parent(plan->parent_death);
	explain_because("what the next steps need");
	raise_for_steps(&course);
	explain_because("gone from the bounding set, they cannot be had again by any exec");
	caps_drop_bounding(course.before.bounding & ~course.after.bounding);
	change_ids(plan, needed | course.after.ambient);
	explain_because("the capabilities that stay, and what the next steps need");
	write_sets(&course.after, needed);
	/* Only what is to go, so that one which was misread before is found in the end. */
	caps_change_ambient(course.before.ambient & ~course.after.ambient, course.after.ambient);
	if (change_bits)
		securebits_set(plan->securebits);
	explain_because("no exec gives more privileges, not even of a set-user-ID program");
	if (plan->no_new_privs && !explain_call("prctl(PR_SET_NO_NEW_PRIVS, 1)") &&
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		die_error(errno, "cannot set no_new_privs");
	if (plan->no_user_namespaces)
		seccomp_forbid_user_namespaces();
	explain_because("the capabilities that stay");
	write_sets(&course.after, 0);
	if (plan->sets_umask && !explain_call("umask(%o)", plan->umask))
		umask(plan->umask);
	verify(plan, &course);
}
