#include "common/caps.h"

#include "common/ids.h"
#include "common/parse.h"
#include "common/report.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { CAPABILITIES_MAX = 64 };

static uint64_t bit(int capability)
{
	return UINT64_C(1) << capability;
}

/* Whether the kernel has CAPABILITY. Dies for any answer but yes or EINVAL. */
static bool exists(int capability)
{
	if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0)
		return true;
	if (errno != EINVAL)
		die_error(errno, "cannot read capability %d of the bounding set", capability);
	return false;
}

uint64_t caps_known(void)
{
	uint64_t known = 0;

	for (int i = 0; i < CAPABILITIES_MAX; i++) {
		bool there = exists(i);

		/* The end is looked at twice, because what comes behind it is not looked at at all. */
		if (!there && !exists(i))
			break;
		known |= bit(i);
	}
	return known;
}

static uint64_t mask_of(cap_t state, cap_flag_t set, uint64_t known)
{
	uint64_t mask = 0;

	for (int i = 0; i < CAPABILITIES_MAX && (known & bit(i)); i++) {
		cap_flag_value_t value = CAP_CLEAR;

		if (cap_get_flag(state, i, set, &value) < 0)
			die_error(errno, "cannot read capability %d", i);
		if (value == CAP_SET)
			mask |= bit(i);
	}
	return mask;
}

struct caps_sets caps_read(void)
{
	uint64_t known = caps_known();
	cap_t state = cap_get_proc();

	if (!state)
		die_error(errno, "cannot read the capabilities of this process");

	struct caps_sets sets = {
		.inheritable = mask_of(state, CAP_INHERITABLE, known),
		.permitted = mask_of(state, CAP_PERMITTED, known),
		.effective = mask_of(state, CAP_EFFECTIVE, known),
	};

	cap_free(state);
	for (int i = 0; i < CAPABILITIES_MAX && (known & bit(i)); i++) {
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
			sets.bounding |= bit(i);
		/* Before Linux 4.3 there was no ambient set: EINVAL. */
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) == 1)
			sets.ambient |= bit(i);
	}
	return sets;
}

/* How many letters two names share at the start; enough to guess which one was meant. */
static size_t common_start(const char *a, const char *b)
{
	size_t length = 0;

	while (a[length] && tolower((unsigned char)a[length]) == b[length])
		length++;
	return length;
}

static void find_nearest(const char *word, uint64_t known, char *nearest, size_t size)
{
	size_t best = 2;

	word += strncasecmp(word, "cap_", 4) == 0 ? 4 : 0;
	nearest[0] = '\0';
	for (int i = 0; i < CAPABILITIES_MAX && (known & bit(i)); i++) {
		char *name = cap_to_name(i);
		const char *bare = name && strncmp(name, "cap_", 4) == 0 ? name + 4 : "";
		size_t score = common_start(word, bare);

		if (strcasestr(bare, word))
			score += strlen(word);
		if (score > best) {
			best = score;
			snprintf(nearest, size, "%s", bare);
		}
		cap_free(name);
	}
}

/* cap_from_name(3) is content with a name at the start: to it "cap_chown;sys_admin" is chown. */
static bool is_name_of(cap_value_t value, const char *name)
{
	char *full = cap_to_name(value);
	bool same = full && strcasecmp(full, name) == 0;

	cap_free(full);
	return same;
}

/* The capability called WORD, -1 if there is none; "cap_63" is one that has no name yet. */
static int find(const char *word, uint64_t known)
{
	char name[64];
	cap_value_t value;
	uint64_t number;
	const char *bare = strncasecmp(word, "cap_", 4) == 0 ? word + 4 : word;

	if (!parse_number(bare, 0, CAPABILITIES_MAX - 1, &number))
		value = (cap_value_t)number;
	else if (snprintf(name, sizeof(name), "cap_%s", bare) >= (int)sizeof(name) ||
		cap_from_name(name, &value) < 0 || !is_name_of(value, name))
		return -1;
	return value < CAPABILITIES_MAX && (known & bit(value)) ? value : -1;
}

const char *caps_parse_list(const char *list, uint64_t *ret, char *word, char *nearest, size_t size)
{
	uint64_t known = caps_known();
	uint64_t mask = 0;
	const char *cursor = list;

	word[0] = nearest[0] = '\0';
	while (cursor) {
		const char *reason = parse_word(&cursor, ',', word, size);

		if (reason)
			return reason;
		if (strcasecmp(word, "all") == 0) {
			mask = ~UINT64_C(0);
			continue;
		}

		int capability = find(word, known);

		if (capability < 0) {
			find_nearest(word, known, nearest, size);
			return word[0] ? "is not a capability of this kernel" :
					 "is empty: name a capability";
		}
		mask |= bit(capability);
	}
	*ret = mask;
	return NULL;
}

static void drop_bounding(uint64_t drop)
{
	for (int i = 0; i < CAPABILITIES_MAX; i++) {
		if ((drop & bit(i)) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
			die_error(errno, "cannot drop capability %d from the bounding set", i);
	}
}

static void write_sets(const struct caps_sets *sets, uint64_t known)
{
	const struct {
		cap_flag_t set;
		uint64_t mask;
	} wanted[] = {
		{ CAP_INHERITABLE, sets->inheritable },
		{ CAP_PERMITTED, sets->permitted },
		{ CAP_EFFECTIVE, sets->effective },
	};
	cap_t state = cap_init();

	if (!state)
		die_error(errno, "cannot prepare capabilities");
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		for (cap_value_t j = 0; j < CAPABILITIES_MAX && (known & bit(j)); j++) {
			if ((wanted[i].mask & bit(j)) &&
				cap_set_flag(state, wanted[i].set, 1, &j, CAP_SET) < 0)
				die_error(errno, "cannot prepare capability %d", j);
		}
	}
	if (cap_set_proc(state) < 0)
		die_error(errno, "cannot set the capabilities of this process");
	cap_free(state);
}

static void verify(const char *name, uint64_t got, uint64_t wanted)
{
	if (got != wanted)
		die("the %s set is %016llx and not %016llx as asked", name, (unsigned long long)got,
			(unsigned long long)wanted);
}

void caps_keep_over_exec(void)
{
	uint64_t known = caps_known();
	struct caps_sets sets = caps_read();

	sets.inheritable = sets.permitted;
	write_sets(&sets, known);
	for (int i = 0; i < CAPABILITIES_MAX; i++) {
		if ((sets.permitted & bit(i)) &&
			prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
			die_error(errno, "cannot make capability %d ambient", i);
	}
	verify("ambient", caps_read().ambient, sets.permitted);
}

/* Groups before the user, who may not be allowed to change them. */
static void become(const struct caps_plan *plan)
{
	int error = ids_try_drop_groups();

	if (error == 0)
		error = ids_try_set_group(plan->group);
	if (error == 0)
		error = ids_try_set_user(plan->user);
	if (error < 0)
		die_hint(error == -EPERM         ? "this needs CAP_SETUID and CAP_SETGID" :
				error == -EINVAL ? "that id has no mapping in this user namespace" :
						   NULL,
			-error, "cannot become user %u and group %u", plan->user, plan->group);
	if (getuid() != plan->user || getgid() != plan->group || getgroups(0, NULL) > 1)
		die("the ids of this process are not the ones asked for");
}

void caps_apply(const struct caps_plan *plan)
{
	uint64_t known = caps_known();
	struct caps_sets sets = caps_read();
	bool may_bound = sets.effective & bit(CAP_SETPCAP);
	uint64_t bounding = sets.bounding;

	if (may_bound)
		drop_bounding(sets.bounding & plan->drop);
	else if (!plan->no_new_privs && (sets.bounding & plan->drop))
		die_hint("leave out --allow-new-privs: with no_new_privs the bounding set is out of reach",
			0, "cannot drop from the bounding set without CAP_SETPCAP");

	if (plan->change_user) {
		become(plan);
		sets = caps_read();
	}
	sets.bounding = bounding & (may_bound ? ~plan->drop : ~UINT64_C(0));
	sets.inheritable &= ~plan->drop;
	sets.permitted &= ~plan->drop;
	sets.effective &= ~plan->drop;
	/* The kernel keeps the ambient set within the permitted and inheritable ones. */
	sets.ambient &= ~plan->drop;
	write_sets(&sets, known);
	if (plan->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		die_error(errno, "cannot set no_new_privs");

	struct caps_sets got = caps_read();

	verify("bounding", got.bounding, sets.bounding);
	verify("inheritable", got.inheritable, sets.inheritable);
	verify("permitted", got.permitted, sets.permitted);
	verify("effective", got.effective, sets.effective);
	verify("ambient", got.ambient, sets.ambient);
	if (plan->no_new_privs && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		die("no_new_privs does not hold");
}
