#include "common/account.h"

#include "common/parse.h"
#include "common/report.h"
#include "common/users.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct groups {
	size_t count;
	gid_t *list;
};

static void add_group(void *data, uint32_t gid)
{
	struct groups *groups = data;

	for (size_t i = 0; i < groups->count; i++) {
		if (groups->list[i] == gid)
			return;
	}
	if (groups->count == NGROUPS_MAX)
		die("more than %d supplementary groups", NGROUPS_MAX);
	groups->list = reallocarray(groups->list, groups->count + 1, sizeof(*groups->list));
	if (!groups->list)
		die_error(ENOMEM, "cannot remember the supplementary groups");
	groups->list[groups->count++] = gid;
}

static void hand_over(const struct groups *groups, struct ids_change *change)
{
	change->groups = true;
	change->count = groups->count;
	change->list = groups->list;
}

/* FOUND is what a look-up in FILE returned. */
static void check_found(
	int found, const char *option, const char *kind, const char *text, const char *file)
{
	if (found < 0)
		die_hint("a number needs no file", -found, "--%s: cannot look up %s '%s' in '%s'",
			option, kind, text, file);
	if (found == 0)
		die_hint("a number may be given instead of a name", 0, "--%s: %s '%s' is not in %s",
			option, kind, text, file);
}

/* Takes a text of digits as a number. False if it is none. */
static bool take_number(const char *option, const char *text, uint32_t *ret)
{
	if (!*text)
		die("--%s: the name or number of a user or group is empty", option);
	if (text[strspn(text, "0123456789")])
		return false;

	const char *reason = parse_id(text, ret);

	if (reason)
		die("--%s: '%s' %s", option, text, reason);
	return true;
}

static uint32_t find_group(const char *option, const char *text)
{
	uint32_t gid = 0;

	if (!take_number(option, text, &gid))
		check_found(users_try_find_group(text, &gid), option, "group", text, USERS_GROUP);
	return gid;
}

void account_find_user(const char *option, const char *text, struct ids_change *change)
{
	struct users_entry entry;
	const char *cursor = text;
	char user[sizeof(entry.name)];
	const char *reason = parse_word(&cursor, ':', user, sizeof(user));
	bool number;
	int found = 1;

	if (reason)
		die("--%s: '%s' %s", option, text, reason);
	change->ids = true;
	number = take_number(option, user, &change->user);
	if (!number || !cursor)
		found = number ? users_try_find(change->user, &entry) :
				 users_try_find_name(user, &entry);
	if (number && !cursor && found <= 0)
		die_hint("give the group as well, UID:GID", found < 0 ? -found : 0,
			"--%s: user %s is not in %s, so its group is not known", option, user,
			USERS_PASSWD);
	check_found(found, option, "user", user, USERS_PASSWD);
	if (!number)
		change->user = entry.uid;
	change->group = cursor ? find_group(option, cursor) : entry.gid;
}

void account_find_groups(const char *option, const char *list, struct ids_change *change)
{
	struct groups groups = { 0 };
	char word[64];

	for (const char *cursor = list; cursor;) {
		const char *reason = parse_word(&cursor, ',', word, sizeof(word));

		if (reason)
			die("--%s: '%s' %s", option, list, reason);
		add_group(&groups, find_group(option, word));
	}
	hand_over(&groups, change);
}

void account_find_memberships(const char *option, struct ids_change *change)
{
	struct groups groups = { 0 };
	struct users_entry entry;
	uint32_t user = change->ids ? change->user : getuid();
	int found = users_try_find(user, &entry);

	if (found <= 0)
		die_hint("--groups takes numbers", found < 0 ? -found : 0,
			"--%s: user %u is not in %s", option, user, USERS_PASSWD);
	add_group(&groups, change->ids ? change->group : getegid());
	found = users_visit_groups(entry.name, add_group, &groups);
	if (found < 0)
		die_hint("--groups takes numbers", -found, "--%s: cannot read '%s'", option,
			USERS_GROUP);
	hand_over(&groups, change);
}
