/* idmap: what a map may hold, and maps that are really written, each in a process of its own. */
#include "common/idmap.h"
#include "common/ids.h"

#include "common/report.h"
#include "tests/unit/tap.h"

#include <grp.h>
#include <sched.h>

enum { TEXTS_MAX = 5 };

#define FORM "is no map: INNER:OUTER:COUNT"
#define BEYOND "goes beyond the last id"
#define INNER_TWICE "maps an inner id that is mapped already"
#define OUTER_TWICE "maps an outer id that is mapped already"

/* Extents that are added one after the other; all but the last are taken, and the last unless REASON says why not. */
struct extents {
	const char *texts[TEXTS_MAX];
	const char *reason;
	struct idmap_extent last;
};

static const struct extents rows[] = {
	{ { "0:0:1" }, NULL, { 0, 0, 1 } },
	{ { "0:1000:1" }, NULL, { 0, 1000, 1 } },
	{ { "0:100000:65536" }, NULL, { 0, 100000, 65536 } },
	{ { "007:08:09" }, NULL, { 7, 8, 9 } },
	{ { "1:2:3" }, NULL, { 1, 2, 3 } },
	/* the last id is 4294967294 */
	{ { "4294967294:4294967294:1" }, NULL, { 4294967294, 4294967294, 1 } },
	{ { "4294967293:0:2" }, NULL, { 4294967293, 0, 2 } },
	{ { "0:4294967293:2" }, NULL, { 0, 4294967293, 2 } },
	{ { "0:0:4294967294" }, NULL, { 0, 0, 4294967294 } },
	{ { "1:1:4294967294" }, NULL, { 1, 1, 4294967294 } },
	{ { "0:0:4294967295" }, NULL, { 0, 0, 4294967295 } },
	{ { "4294967294:0:2" }, BEYOND, { 0, 0, 0 } },
	{ { "0:4294967294:2" }, BEYOND, { 0, 0, 0 } },
	{ { "1:0:4294967295" }, BEYOND, { 0, 0, 0 } },
	{ { "0:1:4294967295" }, BEYOND, { 0, 0, 0 } },
	{ { "2:0:4294967294" }, BEYOND, { 0, 0, 0 } },
	{ { "4294967294:4294967294:4294967294" }, BEYOND, { 0, 0, 0 } },
	{ { "2147483648:0:2147483648" }, BEYOND, { 0, 0, 0 } },
	{ { "2147483648:0:2147483647" }, NULL, { 2147483648, 0, 2147483647 } },
	{ { "4294967295:0:1" }, FORM, { 0, 0, 0 } },
	{ { "0:4294967295:1" }, FORM, { 0, 0, 0 } },
	{ { "0:0:4294967296" }, FORM, { 0, 0, 0 } },
	{ { "4294967296:0:1" }, FORM, { 0, 0, 0 } },
	{ { "0:4294967296:1" }, FORM, { 0, 0, 0 } },
	{ { "0:0:18446744073709551617" }, FORM, { 0, 0, 0 } },
	{ { "0:0:0" }, "has a count of 0", { 0, 0, 0 } },
	{ { "5:5:00" }, "has a count of 0", { 0, 0, 0 } },
	/* the form */
	{ { "" }, FORM, { 0, 0, 0 } },
	{ { "0" }, FORM, { 0, 0, 0 } },
	{ { "0:0" }, FORM, { 0, 0, 0 } },
	{ { "0:0:" }, FORM, { 0, 0, 0 } },
	{ { ":0:1" }, FORM, { 0, 0, 0 } },
	{ { "0::1" }, FORM, { 0, 0, 0 } },
	{ { "::" }, FORM, { 0, 0, 0 } },
	{ { "0:0:1:" }, FORM, { 0, 0, 0 } },
	{ { "0:0:1:1" }, FORM, { 0, 0, 0 } },
	{ { "0:0:1 " }, FORM, { 0, 0, 0 } },
	{ { " 0:0:1" }, FORM, { 0, 0, 0 } },
	{ { "0: 0:1" }, FORM, { 0, 0, 0 } },
	{ { "0:0:1\n" }, FORM, { 0, 0, 0 } },
	{ { "0 0 1" }, FORM, { 0, 0, 0 } },
	{ { "0,0,1" }, FORM, { 0, 0, 0 } },
	{ { "+0:0:1" }, FORM, { 0, 0, 0 } },
	{ { "0:-1:1" }, FORM, { 0, 0, 0 } },
	{ { "0:0:0x10" }, FORM, { 0, 0, 0 } },
	{ { "0:0:1K" }, FORM, { 0, 0, 0 } },
	{ { "0:0:1.0" }, FORM, { 0, 0, 0 } },
	{ { "root:0:1" }, FORM, { 0, 0, 0 } },
	{ { "0:00000000000000000000000000000000000000000001:1" }, FORM, { 0, 0, 0 } },
	/* more than one, in any order */
	{ { "0:1000:1", "1:100000:65536" }, NULL, { 1, 100000, 65536 } },
	{ { "1:100000:65536", "0:1000:1" }, NULL, { 0, 1000, 1 } },
	{ { "0:10:10", "10:20:10", "20:0:10", "30:30:1" }, NULL, { 30, 30, 1 } },
	{ { "4294967294:0:1", "0:1:4294967294" }, NULL, { 0, 1, 4294967294 } },
	/* inner ids that meet */
	{ { "0:0:1", "0:1:1" }, INNER_TWICE, { 0, 0, 0 } },
	{ { "0:0:10", "9:20:1" }, INNER_TWICE, { 0, 0, 0 } },
	{ { "9:20:1", "0:0:10" }, INNER_TWICE, { 0, 0, 0 } },
	{ { "5:100:10", "0:200:6" }, INNER_TWICE, { 0, 0, 0 } },
	{ { "5:100:10", "14:200:6" }, INNER_TWICE, { 0, 0, 0 } },
	{ { "5:100:10", "7:200:2" }, INNER_TWICE, { 0, 0, 0 } },
	{ { "7:200:2", "5:100:10" }, INNER_TWICE, { 0, 0, 0 } },
	{ { "0:0:1", "2:2:1", "4:4:1", "0:6:5" }, INNER_TWICE, { 0, 0, 0 } },
	{ { "4294967294:0:1", "1:1:4294967294" }, INNER_TWICE, { 0, 0, 0 } },
	{ { "5:100:10", "0:200:5" }, NULL, { 0, 200, 5 } },
	{ { "5:100:10", "15:200:5" }, NULL, { 15, 200, 5 } },
	/* outer ids that meet */
	{ { "0:0:1", "1:0:1" }, OUTER_TWICE, { 0, 0, 0 } },
	{ { "0:0:10", "20:9:1" }, OUTER_TWICE, { 0, 0, 0 } },
	{ { "20:9:1", "0:0:10" }, OUTER_TWICE, { 0, 0, 0 } },
	{ { "100:5:10", "200:7:2" }, OUTER_TWICE, { 0, 0, 0 } },
	{ { "0:4294967294:1", "1:1:4294967294" }, OUTER_TWICE, { 0, 0, 0 } },
	{ { "100:5:10", "200:0:5", "300:15:5" }, NULL, { 300, 15, 5 } },
	/* the same twice is a mistake as well */
	{ { "0:1000:1", "0:1000:1" }, INNER_TWICE, { 0, 0, 0 } },
};

static void test_texts(void)
{
	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		static struct idmap map, before;
		const char *reason = NULL;
		size_t count = 0;

		memset(&map, 0, sizeof(map));
		for (; count < TEXTS_MAX && rows[i].texts[count] && !reason; count++) {
			before = map;
			reason = idmap_add_text(&map, rows[i].texts[count]);
		}

		const char *last = tap_show(rows[i].texts[count - 1]);

		ok(count == TEXTS_MAX || !rows[i].texts[count], "map '%s': those before are taken",
			last);
		if (rows[i].reason) {
			ok(reason && strstr(reason, rows[i].reason), "... it %s", rows[i].reason);
			ok(map.count == before.count && map.words == before.words &&
					memcmp(map.extents, before.extents, sizeof(map.extents)) == 0,
				"... and the map is left alone");
			if (!reason || !strstr(reason, rows[i].reason))
				note("reason: %s", reason ? reason : "none");
		} else {
			is_text(reason, NULL, "... it is taken");
			ok(!reason && map.count == count &&
					memcmp(&map.extents[count - 1], &rows[i].last,
						sizeof(rows[i].last)) == 0,
				"... and stands last in the map");
		}
	}
}

static void test_ids(void)
{
	static struct idmap map;

	is_text(idmap_add_id(&map, 0, 1000), NULL, "one id");
	ok(map.count == 1 && map.extents[0].inner == 0 && map.extents[0].outer == 1000 &&
			map.extents[0].count == 1,
		"... is an extent");
	is_text(idmap_add_id(&map, 4294967294, 4294967294), NULL, "the last id");
	ok(idmap_add_id(&map, 4294967295, 5) != NULL, "no id inside");
	ok(idmap_add_id(&map, 5, 4294967295) != NULL, "no id outside");
	is_text(idmap_add_id(&map, 0, 5), INNER_TWICE, "an inner id twice");
	is_text(idmap_add_id(&map, 5, 1000), OUTER_TWICE, "an outer id twice");
	is_text(idmap_add_text(&map, "1:1001:10"), NULL, "a range beside them");
	is_text(idmap_add_id(&map, 10, 5), INNER_TWICE, "an id in the range");
	is_number((long long)map.count, 3, "what was refused is not there");
}

static void test_too_many(void)
{
	static struct {
		struct idmap map;
		char guard[64];
	} into;
	bool taken = true;

	memset(into.guard, '!', sizeof(into.guard));
	for (uint32_t i = 0; i < IDMAP_EXTENTS_MAX; i++)
		taken = taken && !idmap_add_id(&into.map, 2 * i, 3 * i);
	ok(taken && into.map.count == 340, "340 extents");

	const char *reason = idmap_add_id(&into.map, 4000000, 4000000);

	has_text(reason ? reason : "none", "340", "... and no more");
	reason = idmap_add_text(&into.map, "4000000:4000000:5");
	has_text(reason ? reason : "none", "340", "... in a text neither");
	ok(into.map.count == 340 && into.guard[0] == '!', "... nothing behind them");
}

/* --- maps that are written --- */

enum { CANNOT_UNSHARE = 77 };

struct written {
	const char *name;
	const char *users[2], *groups[2]; /* "@N": N is the own id */
	enum idmap_setgroups setgroups;
	bool privileged;
	const char *allowed; /* what /proc/self/setgroups has to say */
	uint32_t id;         /* what the own user and group show as */
};

static void add_all(struct idmap *map, const char *const texts[2], uint32_t own)
{
	for (size_t i = 0; i < 2 && texts[i]; i++) {
		bool is_own = texts[i][0] == '@';
		uint32_t inner = is_own ? (uint32_t)strtoul(texts[i] + 1, NULL, 10) : 0;

		if (is_own ? idmap_add_id(map, inner, own) : idmap_add_text(map, texts[i]))
			_exit(2);
	}
}

static bool file_has(const char *path, const char *text)
{
	char got[64] = "";
	FILE *file = fopen(path, "re");
	bool same = file && fgets(got, sizeof(got), file) && strncmp(got, text, strlen(text)) == 0;

	if (file)
		fclose(file);
	return same;
}

static int write_maps(const void *data)
{
	static struct idmap_plan plan;
	const struct written *written = data;

	add_all(&plan.users, written->users, geteuid());
	add_all(&plan.groups, written->groups, getegid());
	plan.setgroups = written->setgroups;

	struct idmap_writer writer = idmap_prepare(&plan);

	if (unshare(CLONE_NEWUSER) < 0)
		return CANNOT_UNSHARE;
	idmap_write(&plan, &writer);
	if (geteuid() != written->id || getegid() != written->id)
		return 3;
	if (!file_has("/proc/self/setgroups", written->allowed))
		return 4;
	return waitpid(-1, NULL, __WALL | WNOHANG) == -1 && errno == ECHILD ? 42 : 5;
}

static void test_written(void)
{
	static const struct written maps[] = {
		{ "no map", { NULL }, { NULL }, IDMAP_SETGROUPS_DEFAULT, false, "allow", 65534 },
		{ "no map, setgroups denied", { NULL }, { NULL }, IDMAP_SETGROUPS_DENY, false,
			"deny", 65534 },
		{ "the own ids as root", { "@0" }, { "@0" }, IDMAP_SETGROUPS_DEFAULT, false, "deny",
			0 },
		{ "the own ids as 77, setgroups denied", { "@77" }, { "@77" }, IDMAP_SETGROUPS_DENY,
			false, "deny", 77 },
		{ "the own ids, setgroups allowed", { "@0" }, { "@0" }, IDMAP_SETGROUPS_ALLOW, true,
			"allow", 0 },
		{ "ranges", { "@5", "10:100000:65536" }, { "@5", "10:200000:65536" },
			IDMAP_SETGROUPS_DEFAULT, true, "allow", 5 },
		{ "ranges, setgroups denied", { "@5", "10:100000:65536" },
			{ "@5", "10:200000:65536" }, IDMAP_SETGROUPS_DENY, true, "deny", 5 },
		{ "all ids", { "0:0:4294967295" }, { "0:0:4294967295" }, IDMAP_SETGROUPS_DEFAULT,
			true, "allow", 0 },
	};

	/* In a user namespace root has only some ids to map. */
	bool privileged = geteuid() == 0 &&
		file_has("/proc/self/uid_map", "         0          0 4294967295");

	for (size_t i = 0; i < TAP_ROWS(maps); i++) {
		if (maps[i].privileged && !privileged) {
			skip(maps[i].name, "is for root with all ids");
			continue;
		}

		struct outcome outcome = run(write_maps, &maps[i]);

		if (outcome.exited == CANNOT_UNSHARE)
			skip(maps[i].name, "no user namespaces here");
		else
			is_exit(&outcome, 42, "written: %s", maps[i].name);
	}
}

/* Without privilege the map of somebody else's ids is refused, and the reader is told. */
static void test_refused(void)
{
	static const struct written map = { "", { "0:4294967000:2" }, { "@0" },
		IDMAP_SETGROUPS_DEFAULT, false, "", 0 };

	if (geteuid() == 0) {
		skip("the ids of somebody else", "root may map them");
		return;
	}

	struct outcome outcome = run(write_maps, &map);

	if (outcome.exited == CANNOT_UNSHARE) {
		skip("the ids of somebody else", "no user namespaces here");
		return;
	}
	is_exit(&outcome, STATUS_FAILED, "the ids of somebody else are refused");
	has_text(outcome.err, "hint: ", "... with a hint");
}

static int drop_groups(const void *data)
{
	static const gid_t groups[] = { 10, 20 };
	gid_t own = getegid();
	const int *which = data;

	if (*which == 1 && setgroups(2, groups) < 0)
		return CANNOT_UNSHARE;
	if (*which == 2 && setgroups(1, &own) < 0)
		return CANNOT_UNSHARE;
	if (*which == 3 && (setgroups(2, groups) < 0 || setresuid(12345, 12345, 12345) < 0))
		return CANNOT_UNSHARE;
	if (*which == 4 && (setgroups(1, &own) < 0 || setresuid(12345, 12345, 12345) < 0))
		return CANNOT_UNSHARE;
	if (*which == 3)
		return ids_try_drop_groups() == -EPERM && getgroups(0, NULL) == 2 ? 42 : 1;
	return ids_try_drop_groups() == 0 && (*which == 4 || getgroups(0, NULL) == 0) ? 42 : 1;
}

static void test_drop_groups(void)
{
	static const char *const names[] = { "", "two groups are dropped", "the own group is dropped",
		"two groups that may not be dropped are told", "the own group alone is nothing" };

	for (int i = 1; i < (int)TAP_ROWS(names); i++) {
		struct outcome outcome = run(drop_groups, &i);

		if (outcome.exited == CANNOT_UNSHARE)
			skip(names[i], "is for root");
		else
			is_exit(&outcome, 42, "%s", names[i]);
	}
}

int main(void)
{
	test_texts();
	test_ids();
	test_too_many();
	test_written();
	test_refused();
	test_drop_groups();
	return tap_end();
}
