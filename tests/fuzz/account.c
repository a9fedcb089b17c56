/* account: users and groups of a command line, looked up in passwd and group files of a root that nobody vouches for. */
#include "common/account.h"

#include "common/users.h"
#include "tests/fuzz/fuzz.h"

enum { USER, GROUPS, PASSWD, GROUP, PARTS };

struct look_up {
	const char *user, *groups;
	bool memberships;
	struct ids_change change;
};

static void provide(const struct fuzz_part *parts)
{
	fuzz_file(USERS_PASSWD, parts[PASSWD].text, parts[PASSWD].size);
	fuzz_file(USERS_GROUP, parts[GROUP].text, parts[GROUP].size);
}

static void look_up(void *data)
{
	struct look_up *wanted = data;

	account_find_user("user", wanted->user, &wanted->change);
	if (wanted->memberships)
		account_find_memberships("init-groups", &wanted->change);
	else
		account_find_groups("groups", wanted->groups, &wanted->change);
}

static bool is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

static void check_change(const struct look_up *found)
{
	const struct ids_change *change = &found->change;

	fuzz_check(change->ids && change->user != UINT32_MAX && change->group != UINT32_MAX);
	fuzz_check(change->groups && (change->count == 0 || change->list));
	for (size_t i = 0; i < change->count; i++) {
		fuzz_check(change->list[i] != UINT32_MAX);
		for (size_t j = 0; j < i; j++)
			fuzz_check(change->list[i] != change->list[j]);
	}
	/* No text of digits becomes another user. */
	if (is_number(found->user))
		fuzz_check(strtoull(found->user, NULL, 10) == change->user);
	if (!found->memberships && is_number(found->groups))
		fuzz_check(change->count == 1 && strtoull(found->groups, NULL, 10) == change->list[0]);
}

static void find_any(void *data)
{
	struct users_entry entry;

	(void)data;
	for (uint32_t uid = 0; uid < 3; uid++) {
		if (users_try_find(uid, &entry) == 1)
			fuzz_check(entry.uid == uid && strlen(entry.name) < sizeof(entry.name));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_part parts[PARTS];

	fuzz_split(data, size, parts, PARTS);
	for (int memberships = 0; memberships < 2; memberships++) {
		struct look_up wanted = {
			.user = parts[USER].text,
			.groups = parts[GROUPS].text,
			.memberships = memberships,
		};

		provide(parts);
		if (fuzz_survive(look_up, &wanted) == FUZZ_RETURNED) {
			check_change(&wanted);
			free((void *)wanted.change.list);
		}
	}
	provide(parts);
	fuzz_survive(find_any, NULL);
	fuzz_free(parts, PARTS);
	return 0;
}
