#include "common/idmap.h"

#include "common/child.h"
#include "common/explain.h"
#include "common/fd.h"
#include "common/ids.h"
#include "common/parse.h"
#include "common/report.h"
#include "common/users.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The group that /dev/pts is given. */
enum { TTY = 5 };

/* How a helper that is only explained would write the maps; for the PID of one. */
enum { WRITES = 1, ASKS };

static bool overlaps(uint32_t a, uint32_t a_count, uint32_t b, uint32_t b_count)
{
	return a < (uint64_t)b + b_count && b < (uint64_t)a + a_count;
}

static const char *add_extent(struct idmap *map, struct idmap_extent extent)
{
	if (extent.count == 0)
		return "has a count of 0";
	if ((uint64_t)extent.inner + extent.count > UINT32_MAX ||
		(uint64_t)extent.outer + extent.count > UINT32_MAX)
		return "goes beyond the last id 4294967294";
	if (map->count == IDMAP_EXTENTS_MAX)
		return "is one extent more than the 340 that the kernel takes";
	for (size_t i = 0; i < map->count; i++) {
		const struct idmap_extent *there = &map->extents[i];

		if (overlaps(extent.inner, extent.count, there->inner, there->count))
			return "maps an inner id that is mapped already";
		if (overlaps(extent.outer, extent.count, there->outer, there->count))
			return "maps an outer id that is mapped already";
	}
	map->extents[map->count++] = extent;
	return NULL;
}

/* In the order of the bits of enum idmap_word. */
static const char *const map_words[] = { "auto", "subids", "all" };
static const char no_map[] = "is no map: INNER:OUTER:COUNT in numbers, or one of auto, subids, all";

const char *idmap_add_text(struct idmap *map, const char *text)
{
	uint64_t values[3];
	const char *cursor = text;
	char word[16];

	for (size_t i = 0; i < sizeof(map_words) / sizeof(*map_words); i++) {
		if (strcmp(text, map_words[i]) == 0) {
			map->words |= 1U << i;
			return NULL;
		}
	}
	for (size_t i = 0; i < 3; i++) {
		if (!cursor || parse_word(&cursor, ':', word, sizeof(word)) ||
			parse_number(word, 0, i < 2 ? PARSE_ID_MAX : UINT32_MAX, &values[i]))
			return no_map;
	}
	if (cursor)
		return no_map;
	return add_extent(map,
		(struct idmap_extent){ (uint32_t)values[0], (uint32_t)values[1], (uint32_t)values[2] });
}

const char *idmap_add_id(struct idmap *map, uint32_t inner, uint32_t outer)
{
	return add_extent(map, (struct idmap_extent){ inner, outer, 1 });
}

/* The numbers of a line such as "         0       1000          1". */
static bool read_extent(char *line, struct idmap_extent *ret)
{
	uint32_t values[3];
	size_t count = 0;

	for (char *word; (word = strsep(&line, " "));) {
		uint64_t number;

		if (!*word)
			continue;
		if (count == 3 || parse_number(word, 0, UINT32_MAX, &number))
			return false;
		values[count++] = (uint32_t)number;
	}
	*ret = (struct idmap_extent){ values[0], values[1], values[2] };
	return count == 3;
}

/* Calls TAKE(DATA, extent) for each line of the map in FILE below the directory fd PROCESS. Dies. */
static void visit_map(int process, const char *file,
	void (*take)(void *data, struct idmap_extent extent), void *data)
{
	char text[16384];
	char *cursor = text;
	ssize_t length = fd_try_read(process, file, text, sizeof(text));

	if (length < 0)
		die_error((int)-length, "cannot read %s", file);
	for (char *line; (line = strsep(&cursor, "\n"));) {
		struct idmap_extent extent;

		if (!*line)
			continue;
		if (!read_extent(line, &extent))
			die("cannot understand %s", file);
		take(data, extent);
	}
}

static void add_or_die(struct idmap *map, struct idmap_extent extent)
{
	const char *reason = add_extent(map, extent);

	if (reason)
		die("'%u:%u:%u' %s", extent.inner, extent.outer, extent.count, reason);
}

/* Lays COUNT outer ids from FIRST on over the lowest inner ids that nothing else maps to. */
static void add_free(void *data, uint32_t first, uint32_t count)
{
	struct idmap *map = data;
	uint64_t inner = 0;

	while (count > 0) {
		uint64_t end = UINT32_MAX;
		bool taken = false;

		for (size_t i = 0; i < map->count; i++) {
			const struct idmap_extent *there = &map->extents[i];

			if (there->inner <= inner && inner < (uint64_t)there->inner + there->count) {
				inner = (uint64_t)there->inner + there->count;
				taken = true;
			} else if (there->inner > inner && there->inner < end) {
				end = there->inner;
			}
		}
		if (taken)
			continue;

		uint32_t part = end - inner < count ? (uint32_t)(end - inner) : count;

		add_or_die(map, (struct idmap_extent){ (uint32_t)inner, first, part });
		first += part;
		count -= part;
	}
}

static void add_same(void *data, uint32_t first, uint32_t count)
{
	add_or_die(data, (struct idmap_extent){ first, first, count });
}

static void add_current(void *data, struct idmap_extent extent)
{
	add_same(data, extent.inner, extent.count);
}

/* The caller has none in the file SUBORDINATE. */
static _Noreturn void die_of_ranges(int error, const char *subordinate)
{
	unsigned int user = getuid();
	struct users_entry entry;
	char advice[128];

	if (users_try_find(user, &entry) != 1) {
		snprintf(advice, sizeof(advice), "a line of it is: %u:FIRST:COUNT", user);
		die_hint(advice, error, "no ids for user %u in '%s'", user, subordinate);
	}
	snprintf(advice, sizeof(advice), "as root: usermod --add-%ss=FIRST-LAST %s",
		strrchr(subordinate, '/') + 1, entry.name);
	die_hint(advice, error, "no ids for user '%s' (%u) in '%s'", entry.name, user, subordinate);
}

static void resolve_map(struct idmap *map, const char *subordinate, const char *current)
{
	int found = 1;

	if (map->words & IDMAP_ALL)
		visit_map(AT_FDCWD, current, add_current, map);
	if (map->words & IDMAP_SUBIDS)
		found = users_visit_ranges(subordinate, getuid(), add_same, map);
	if (found > 0 && (map->words & IDMAP_AUTO))
		found = users_visit_ranges(subordinate, getuid(), add_free, map);
	if (found <= 0)
		die_of_ranges(found < 0 ? -found : 0, subordinate);
	map->words = 0;
}

void idmap_resolve(struct idmap_plan *plan)
{
	resolve_map(&plan->users, "/etc/subuid", "/proc/self/uid_map");
	/* By the name of the user, not of a group: subgid(5). */
	resolve_map(&plan->groups, "/etc/subgid", "/proc/self/gid_map");
}

static void nest_map(const struct idmap *map, struct idmap *ret)
{
	*ret = (struct idmap){ .count = 0 };
	for (size_t i = 0; i < map->count; i++)
		add_same(ret, map->extents[i].inner, map->extents[i].count);
}

void idmap_nest(const struct idmap_plan *plan, struct idmap_plan *ret)
{
	nest_map(&plan->users, &ret->users);
	nest_map(&plan->groups, &ret->groups);
	ret->setgroups = plan->setgroups;
	ret->from_outside = false;
}

struct inner_search {
	uint32_t outer;
	uint32_t inner;
	bool found;
};

static void search_extent(void *data, struct idmap_extent extent)
{
	struct inner_search *search = data;

	if (search->outer < extent.outer || search->outer - extent.outer >= extent.count)
		return;
	search->inner = extent.inner + (search->outer - extent.outer);
	search->found = true;
}

bool idmap_find_inner(int process, const char *map, uint32_t outer, uint32_t *ret)
{
	struct inner_search search = { .outer = outer };

	visit_map(process, map, search_extent, &search);
	if (search.found)
		*ret = search.inner;
	return search.found;
}

const char *idmap_parse_setgroups(const char *text, enum idmap_setgroups *ret)
{
	if (strcmp(text, "allow") != 0 && strcmp(text, "deny") != 0)
		return "is neither of the two: one of allow, deny";
	*ret = text[0] == 'a' ? IDMAP_SETGROUPS_ALLOW : IDMAP_SETGROUPS_DENY;
	return NULL;
}

bool idmap_maps_outer(const struct idmap *map, uint32_t id)
{
	for (size_t i = 0; i < map->count; i++) {
		if (overlaps(id, 1, map->extents[i].outer, map->extents[i].count))
			return true;
	}
	return false;
}

bool idmap_maps_inner(const struct idmap *map, uint32_t id)
{
	for (size_t i = 0; i < map->count; i++) {
		if (overlaps(id, 1, map->extents[i].inner, map->extents[i].count))
			return true;
	}
	return false;
}

/* A map that the process may write itself, with no privilege outside: nothing, or its own id alone. */
static bool is_own(const struct idmap *map, uint32_t id)
{
	return map->count == 0 ||
		(map->count == 1 && map->extents[0].count == 1 && map->extents[0].outer == id);
}

static bool needs_writer(const struct idmap_plan *plan)
{
	return plan->from_outside || !is_own(&plan->users, ids_user()) ||
		!is_own(&plan->groups, ids_group()) ||
		(plan->setgroups == IDMAP_SETGROUPS_ALLOW && plan->groups.count > 0);
}

struct inner_choice {
	uint32_t shown;
	uint32_t first;
	bool any, root, mapped;
};

static void consider_extent(void *data, struct idmap_extent extent)
{
	struct inner_choice *choice = data;

	if (!choice->any)
		choice->first = extent.inner;
	choice->any = true;
	choice->root |= extent.inner == 0;
	choice->mapped |= overlaps(choice->shown, 1, extent.inner, extent.count);
}

static void find_tty(void *data, struct idmap_extent extent)
{
	bool *found = data;

	*found = *found || (extent.inner <= TTY && TTY - extent.inner < extent.count);
}

static void explain_joined(int process)
{
	bool found = false;

	visit_map(process, "gid_map", find_tty, &found);
	if (!found)
		explain_change(EXPLAIN_NO_TTY);
}

bool idmap_choose_inner(int self, const char *map, uint32_t shown, uint32_t *ret)
{
	struct inner_choice choice = { .shown = shown };

	visit_map(self, map, consider_extent, &choice);
	if (explain_is_on())
		explain_joined(self);
	if (!choice.any)
		die_hint("--preserve-credentials keeps the ids of this side", 0,
			"the joined user namespace maps no ids (%s)", map);
	/* An id without a mapping shows as the overflow id, which may be mapped as well: so root has the preference. */
	if (choice.mapped && !choice.root)
		return false;
	*ret = choice.root ? 0 : choice.first;
	return true;
}

/* The text of the kernel file, one extent a line; SEPARATOR is ' ' between ids. Returns false if SIZE is too small. */
static bool format_map(const struct idmap *map, char *text, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < map->count; i++) {
		const struct idmap_extent *extent = &map->extents[i];

		used += (size_t)snprintf(text + used, size - used, "%u %u %u\n", extent->inner,
			extent->outer, extent->count);
		if (used >= size)
			return false;
	}
	return true;
}

/* The kernel takes one write of less than a page. Returns 0 or -errno; nothing is written of an empty map. */
static int try_write_map(int process, const char *name, const struct idmap *map)
{
	char text[4096];

	if (map->count == 0)
		return 0;
	if (!format_map(map, text, sizeof(text)))
		die("cannot write %s: the map does not fit into the %zu bytes that the kernel takes",
			name, sizeof(text) - 1);
	return fd_try_write(process, name, text);
}

static _Noreturn void map_refused(int error, const char *name, const struct idmap *map)
{
	const struct idmap_extent *first = &map->extents[0];
	const char *advice = NULL;

	if (error == EPERM && first->inner == 0)
		advice = "to map id 0, whoever makes the namespace needs CAP_SETFCAP";
	else if (error == EPERM)
		advice = "a plain user maps the own id, and groups only with --setgroups=deny";
	die_hint(advice, error, "cannot write the map '%u:%u:%u' to %s", first->inner, first->outer,
		first->count, name);
}

/* Runs newuidmap(1) or newgidmap(1), which are privileged and check /etc/subuid, with an environment of their own. */
static void run_mapper(const char *program, const char *target, const struct idmap *map)
{
	enum { NUMBER_SIZE = 12 };
	char path[] = "PATH=/usr/bin:/bin:/usr/sbin:/sbin";
	char *const environment[] = { path, NULL };
	char numbers[1 + 3 * IDMAP_EXTENTS_MAX][NUMBER_SIZE];
	char *arguments[3 + 3 * IDMAP_EXTENTS_MAX] = { (char *)program, numbers[0] };
	size_t used = 1;

	snprintf(numbers[0], NUMBER_SIZE, "%s", target);
	for (size_t i = 0; i < map->count; i++) {
		const struct idmap_extent *extent = &map->extents[i];
		const uint32_t values[] = { extent->inner, extent->outer, extent->count };

		for (size_t j = 0; j < 3; j++, used++) {
			snprintf(numbers[used], NUMBER_SIZE, "%u", values[j]);
			arguments[used + 1] = numbers[used];
		}
	}

	pid_t helper = child_fork_helper(0);

	if (helper == 0) {
		execve(program, arguments, environment);
		warn_error(errno, "cannot run '%s'", program);
		hint("other ids take newuidmap and newgidmap (package uidmap), or root");
		_exit(STATUS_FAILED);
	}
	if (child_reap_helper(helper) == 0)
		return;
	warn("'%s' did not write the map '%u:%u:%u'", program, map->extents[0].inner,
		map->extents[0].outer, map->extents[0].count);
	hint("it maps what /etc/subuid and subgid grant; no_new_privs disables it");
	exit(STATUS_FAILED);
}

/* The process to be mapped, as /proc knows it, which may be that of another PID namespace than the one that getpid(2) is about. */
struct target {
	int process;
	char number[16];
};

static void find_self(struct target *target)
{
	ssize_t length = readlink("/proc/self", target->number, sizeof(target->number) - 1);

	if (length < 0)
		die_error(errno, "cannot find the own process in '/proc'");
	target->number[length] = '\0';
	target->process = fd_try_open_self();
	if (target->process < 0)
		die_error(-target->process, "cannot open '/proc/self'");
}

static void map_from_outside(
	const struct target *target, const char *name, const struct idmap *map, const char *program)
{
	int error = try_write_map(target->process, name, map);

	if (error == -EPERM)
		run_mapper(program, target->number, map);
	else if (error < 0)
		map_refused(-error, name, map);
}

/* The helper: waits until TARGET has its namespace, writes, ends. */
static _Noreturn void help(const struct idmap_plan *plan, const struct target *target, int start)
{
	int error = fd_try_await(start);

	if (error < 0 && error != -EPIPE)
		warn_error(-error, "cannot wait for the new user namespace");
	if (error < 0)
		_exit(STATUS_FAILED);
	map_from_outside(target, "uid_map", &plan->users, "/usr/bin/newuidmap");
	map_from_outside(target, "gid_map", &plan->groups, "/usr/bin/newgidmap");
	_exit(EXIT_SUCCESS);
}

/* Stands in for a helper: who is not root here has others write. */
static struct idmap_writer explain_writer(void)
{
	return (struct idmap_writer){ .pid = ids_user() == 0 ? WRITES : ASKS, .start = -1 };
}

struct idmap_writer idmap_prepare(const struct idmap_plan *plan)
{
	struct idmap_writer writer = { .start = -1 };
	struct target target;
	int gate[2], error;

	if (!needs_writer(plan))
		return writer;
	if (explain_call("clone3({flags=0})"))
		return explain_writer();
	error = fd_try_make_gate(gate);
	if (error < 0)
		die_error(-error, "cannot make a pair of sockets");
	find_self(&target);
	writer.pid = child_fork_helper(0);
	if (writer.pid == 0) {
		close(gate[1]);
		help(plan, &target, gate[0]);
	}
	close(gate[0]);
	close(target.process);
	writer.start = gate[1];
	return writer;
}

static bool has_extent(const struct idmap *map, const struct idmap_extent *extent)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct idmap_extent *there = &map->extents[i];

		if (there->inner == extent->inner && there->outer == extent->outer &&
			there->count == extent->count)
			return true;
	}
	return false;
}

struct comparison {
	const struct idmap *map;
	size_t same;
	size_t other;
};

static void compare_extent(void *data, struct idmap_extent extent)
{
	struct comparison *comparison = data;

	if (has_extent(comparison->map, &extent))
		comparison->same++;
	else
		comparison->other++;
}

/* Dies unless the kernel's FILE holds the extents of MAP and no others; their order is the kernel's. */
static void verify_map(const char *file, const struct idmap *map)
{
	struct comparison comparison = { .map = map };

	visit_map(AT_FDCWD, file, compare_extent, &comparison);
	if (comparison.same != map->count || comparison.other > 0)
		die("'%s' is not the map that was asked for", file);
}

/* newgidmap(1) denies it to users who could use it to lose a group that is kept out of something. */
static void verify_setgroups(enum idmap_setgroups wanted)
{
	const char *word = wanted == IDMAP_SETGROUPS_ALLOW ? "allow" : "deny";
	char text[16];

	if (wanted == IDMAP_SETGROUPS_DEFAULT)
		return;
	if (fd_try_read(AT_FDCWD, "/proc/self/setgroups", text, sizeof(text)) < 0 ||
		strcmp(text, word) != 0)
		die_hint("that takes CAP_SETGID outside, or ranges in /etc/subgid", 0,
			"cannot %s setgroups(2) in the new user namespace", word);
}

static void write_own(const char *name, const struct idmap *map)
{
	autoclose int process = fd_open(AT_FDCWD, "/proc/self", O_PATH | O_DIRECTORY);
	int error = try_write_map(process, name, map);

	if (error < 0)
		map_refused(-error, name, map);
}

/* Who may write any map does so from outside, and others have it done for them. */
static void explain_map(const char *name, const struct idmap *map, pid_t writer)
{
	char text[4096], program[32];

	if (map->count == 0 || !format_map(map, text, sizeof(text)))
		return;
	snprintf(program, sizeof(program), "/usr/bin/newuidmap");
	program[strlen("/usr/bin/new")] = name[0];
	if (!writer)
		explain_call("write(</proc/self/%s>, %q)", name, text);
	else if (writer == WRITES)
		explain_call("write(</proc/PID/%s>, %q)", name, text);
	else
		explain_call("execve(%q, [%q, \"PID\", %q])", program, program, text);
}

/* What ID would be inside. */
static void explain_inner(const struct idmap *map, bool group, uint32_t id)
{
	struct inner_search search = { .outer = id };

	for (size_t i = 0; i < map->count; i++)
		search_extent(&search, map->extents[i]);
	if (search.found)
		explain_become(group, search.inner);
}

static void explain_maps(const struct idmap_plan *plan, pid_t writer)
{
	if (!idmap_maps_inner(&plan->groups, TTY))
		explain_change(EXPLAIN_NO_TTY);
	explain_map("uid_map", &plan->users, writer);
	explain_map("gid_map", &plan->groups, writer);
	explain_inner(&plan->users, false, ids_user());
	explain_inner(&plan->groups, true, ids_group());
}

void idmap_write(const struct idmap_plan *plan, struct idmap_writer *writer)
{
	/* The own group may only be mapped by a process that has given up setgroups(2) before. */
	explain_because(writer->pid ? "a helper outside of the new user namespace maps ids into it" :
				      "the own ids are mapped into the new user namespace");
	bool deny = plan->setgroups == IDMAP_SETGROUPS_DENY ||
		(plan->setgroups == IDMAP_SETGROUPS_DEFAULT && !writer->pid && plan->groups.count > 0);
	int error = deny ? fd_try_write(AT_FDCWD, "/proc/self/setgroups", "deny") : 0;

	if (error < 0)
		die_error(-error, "cannot write 'deny' to '/proc/self/setgroups'");
	if (explain_is_on()) {
		explain_maps(plan, writer->pid);
		return;
	}
	if (writer->pid) {
		error = fd_try_knock(writer->start);
		/* EPIPE: it has ended, and said why. */
		if (error < 0 && error != -EPIPE)
			die_error(-error, "cannot wake the helper that writes the id maps");
		fd_close(&writer->start);
		if (child_reap_helper(writer->pid) != 0)
			exit(STATUS_FAILED);
	} else {
		write_own("uid_map", &plan->users);
		write_own("gid_map", &plan->groups);
	}
	verify_setgroups(plan->setgroups);
	verify_map("/proc/self/uid_map", &plan->users);
	verify_map("/proc/self/gid_map", &plan->groups);
}
