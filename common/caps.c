#include "common/caps.h"

#include "common/explain.h"
#include "common/parse.h"
#include "common/report.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/capability.h>
#include <sys/prctl.h>

enum { CAPABILITIES_MAX = 64, NAME_SIZE = 40 };

static uint64_t bit(int capability)
{
	return UINT64_C(1) << capability;
}

/* 1 if CAPABILITY is in the bounding set, 0 if not, -1 if the kernel has no such capability. Dies for any other answer. */
static int look_up(int capability)
{
	int answer = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);

	if (answer < 0 && errno != EINVAL)
		die_error(errno, "cannot read capability %d of the bounding set", capability);
	return answer < 0 ? -1 : answer == 1;
}

/* All capabilities of the kernel; sets those in the bounding set. */
static uint64_t walk(uint64_t *ret_bounding)
{
	uint64_t known = 0, bounding = 0;

	for (int i = 0; i < CAPABILITIES_MAX; i++) {
		int answer = look_up(i);

		/* The end is looked at twice, because what comes behind it is not looked at at all. */
		if (answer < 0)
			answer = look_up(i);
		if (answer < 0)
			break;
		known |= bit(i);
		bounding |= answer ? bit(i) : 0;
	}
	*ret_bounding = bounding;
	return known;
}

uint64_t caps_known(void)
{
	uint64_t bounding;

	return walk(&bounding);
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

static bool is_ambient(int capability)
{
	int answer = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0);

	if (answer < 0)
		die_error(errno, "cannot read capability %d of the ambient set", capability);
	return answer == 1;
}

struct caps_sets caps_read(void)
{
	uint64_t bounding;
	uint64_t known = walk(&bounding);
	cap_t state = cap_get_proc();

	if (!state)
		die_error(errno, "cannot read the capabilities of this process");

	struct caps_sets sets = {
		.bounding = bounding,
		.inheritable = mask_of(state, CAP_INHERITABLE, known),
		.permitted = mask_of(state, CAP_PERMITTED, known),
		.effective = mask_of(state, CAP_EFFECTIVE, known),
	};

	cap_free(state);
	/* Who makes a user namespace has them all there. */
	if (explain_is_changed(EXPLAIN_USER))
		return (struct caps_sets){ .bounding = known, .permitted = known, .effective = known };
	/* No other can be ambient, capabilities(7). */
	uint64_t possible = sets.permitted & sets.inheritable;

	for (int i = 0; i < CAPABILITIES_MAX; i++)
		sets.ambient |= (possible & bit(i)) && is_ambient(i) ? bit(i) : 0;
	return sets;
}

void caps_name(int capability, char *name, size_t size)
{
	char *found = cap_to_name(capability);

	if (found && strncmp(found, "cap_", 4) == 0)
		snprintf(name, size, "%s", found);
	else
		snprintf(name, size, "cap_%d", capability);
	cap_free(found);
}

void caps_format(uint64_t mask, char text[CAPS_TEXT])
{
	size_t used = 0;

	snprintf(text, CAPS_TEXT, "none");
	for (int i = 0; i < CAPABILITIES_MAX; i++) {
		char name[NAME_SIZE];

		if (!(mask & bit(i)))
			continue;
		caps_name(i, name, sizeof(name));
		used += (size_t)snprintf(text + used, CAPS_TEXT - used, "%s%s", used ? "," : "", name);
	}
}

static void find_nearest(const char *word, uint64_t known, char *nearest, size_t size)
{
	struct parse_guess guess = { .typed = word };

	guess.typed += guess.typed[0] == '-' ? 1 : 0;
	guess.typed += strncasecmp(guess.typed, "cap_", 4) == 0 ? 4 : 0;
	nearest[0] = '\0';
	if (parse_offer(&guess, "all"))
		snprintf(nearest, size, "all");
	for (int i = 0; i < CAPABILITIES_MAX && (known & bit(i)); i++) {
		char name[NAME_SIZE];

		caps_name(i, name, sizeof(name));
		if (parse_offer(&guess, name + 4))
			snprintf(nearest, size, "%s", name + 4);
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

/* The one capability that WORD names, or the reason against it. */
static const char *find_or_guess(
	const char *word, uint64_t known, uint64_t *ret, char *nearest, size_t size)
{
	int capability = find(word, known);

	if (capability < 0) {
		find_nearest(word, known, nearest, size);
		if (strcasecmp(word, "none") == 0)
			return "is not a capability of this kernel: --drop=all leaves none";
		if (strpbrk(word, " ;:|"))
			return "is not a capability of this kernel: a LIST has commas between names";
		return word[0] ? "is not a capability of this kernel" : "is empty: name a capability";
	}
	*ret = bit(capability);
	return NULL;
}

/* The next word of a list; of one that is too long the beginning is in WORD, for the message. */
static const char *take_name(const char **cursor, char *word, size_t size)
{
	const char *reason = parse_word(cursor, ',', word, size);

	if (reason)
		snprintf(word, size, "%s", *cursor);
	return reason;
}

const char *caps_parse_list(const char *list, uint64_t *ret, char *word, char *nearest, size_t size)
{
	const uint64_t known = caps_known();
	uint64_t mask = 0, without = 0, one = 0;
	bool all = false;

	word[0] = nearest[0] = '\0';
	for (const char *cursor = list; cursor;) {
		const char *reason = take_name(&cursor, word, size);
		bool minus = word[0] == '-' && all;

		if (reason)
			return reason;
		if (strcasecmp(word, "all") == 0) {
			all = true;
			continue;
		}
		reason = find_or_guess(word + minus, known, &one, nearest, size);
		if (reason && word[0] == '-' && !all)
			return "is not a capability of this kernel: '-' is for what an 'all' before it leaves out";
		if (reason)
			return reason;
		mask |= minus ? 0 : one;
		without |= minus ? one : 0;
		if (mask & without)
			return "is both named and left out";
	}
	*ret = (all ? ~UINT64_C(0) : mask) & ~without;
	return NULL;
}

const char *caps_parse_iab(
	const char *text, struct caps_iab *ret, char *word, char *nearest, size_t size)
{
	const uint64_t known = caps_known();
	struct caps_iab iab = { 0 };

	word[0] = nearest[0] = '\0';
	for (const char *cursor = strcmp(text, "none") == 0 ? NULL : text; cursor;) {
		const char *reason = take_name(&cursor, word, size);
		size_t signs = strspn(word, "!^%");
		uint64_t one = 0;

		if (!reason && signs > 3)
			reason = "has more than one of each of the signs '!', '^' and '%'";
		if (!reason)
			reason = find_or_guess(word + signs, known, &one, nearest, size);
		if (reason)
			return reason;

		const char *name = word + signs;
		bool blocked = memchr(word, '!', signs), ambient = memchr(word, '^', signs);
		bool inheritable = memchr(word, '%', signs) || ambient || name == word;

		iab.blocked |= blocked ? one : 0;
		iab.ambient |= ambient ? one : 0;
		iab.inheritable |= inheritable ? one : 0;
	}
	*ret = iab;
	return NULL;
}

static void explain_sets(const struct caps_sets *sets)
{
	char effective[CAPS_TEXT], permitted[CAPS_TEXT], inheritable[CAPS_TEXT];

	caps_format(sets->effective, effective);
	caps_format(sets->permitted, permitted);
	caps_format(sets->inheritable, inheritable);
	explain_call("capset({effective=%s, permitted=%s, inheritable=%s})", effective, permitted,
		inheritable);
}

void caps_write(const struct caps_sets *sets)
{
	if (explain_is_on()) {
		explain_sets(sets);
		return;
	}

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
		for (cap_value_t j = 0; j < CAPABILITIES_MAX; j++) {
			if ((wanted[i].mask & bit(j)) &&
				cap_set_flag(state, wanted[i].set, 1, &j, CAP_SET) < 0)
				die_error(errno, "cannot prepare capability %d", j);
		}
	}
	if (cap_set_proc(state) < 0)
		die_error(errno, "cannot set the capabilities of this process");
	cap_free(state);
}

/* "PR_CAPBSET_DROP, CAP_SYS_ADMIN": an OPERATION of prctl(2) and a capability, as a program would be written with them. */
static bool explain_one(const char *operation, int capability)
{
	char name[NAME_SIZE];

	caps_name(capability, name, sizeof(name));
	for (char *letter = name; *letter; letter++)
		*letter = (char)toupper((unsigned char)*letter);
	return explain_call("prctl(%s, %s)", operation, name);
}

void caps_drop_bounding(uint64_t mask)
{
	for (int i = 0; i < CAPABILITIES_MAX; i++) {
		if (!(mask & bit(i)) || (explain_is_on() && explain_one("PR_CAPBSET_DROP", i)))
			continue;
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
			die_error(errno, "cannot drop capability %d from the bounding set", i);
	}
}

static void change_ambient(int operation, uint64_t mask)
{
	const char *name = operation == PR_CAP_AMBIENT_RAISE ?
		"PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE" :
		"PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER";

	for (int i = 0; i < CAPABILITIES_MAX; i++) {
		if (!(mask & bit(i)) || (explain_is_on() && explain_one(name, i)))
			continue;
		if (prctl(PR_CAP_AMBIENT, operation, i, 0, 0) < 0)
			die_hint(errno == EPERM && operation == PR_CAP_AMBIENT_RAISE ?
					"it has to be permitted and inheritable; see no_cap_ambient_raise" :
					NULL,
				errno, "cannot change capability %d of the ambient set", i);
	}
}

void caps_change_ambient(uint64_t lower, uint64_t raise)
{
	change_ambient(PR_CAP_AMBIENT_LOWER, lower);
	if (raise)
		change_ambient(PR_CAP_AMBIENT_RAISE, raise & ~caps_read().ambient);
}

static void verify(const char *name, uint64_t got, uint64_t wanted)
{
	if (got != wanted && !explain_is_on())
		die("the %s set is %016llx and not %016llx as asked", name, (unsigned long long)got,
			(unsigned long long)wanted);
}

void caps_verify(const struct caps_sets *wanted)
{
	const struct caps_sets got = caps_read();

	verify("bounding", got.bounding, wanted->bounding);
	verify("inheritable", got.inheritable, wanted->inheritable);
	verify("permitted", got.permitted, wanted->permitted);
	verify("effective", got.effective, wanted->effective);
	verify("ambient", got.ambient, wanted->ambient);
}

void caps_keep_over_exec(void)
{
	struct caps_sets sets = caps_read();

	explain_because("all capabilities stay across exec, also without being root");
	sets.inheritable = sets.permitted;
	caps_write(&sets);
	caps_change_ambient(0, sets.permitted);
	verify("ambient", caps_read().ambient, sets.permitted);
}

void caps_describe(char sets[CAPS_TEXT], char iab[CAPS_TEXT])
{
	cap_t state = cap_get_proc();
	cap_iab_t vectors = cap_iab_get_proc();
	char *sets_text = state ? cap_to_text(state, NULL) : NULL;
	char *iab_text = vectors ? cap_iab_to_text(vectors) : NULL;

	if (!sets_text || !iab_text)
		die_error(errno, "cannot write the capabilities of this process as text");
	snprintf(sets, CAPS_TEXT, "%s", sets_text);
	snprintf(iab, CAPS_TEXT, "%s", iab_text);
	cap_free(sets_text);
	cap_free(iab_text);
	cap_free(state);
	cap_free(vectors);
}
