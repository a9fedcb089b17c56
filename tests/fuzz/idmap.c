/* idmap: maps of a command line, a line each, with /etc/subuid, /etc/passwd and the map of the current namespace from outside. */
#include "common/idmap.h"

#include "common/users.h"
#include "tests/fuzz/fuzz.h"

enum { LINES, SUBUID, PASSWD, CURRENT, PARTS };

static void check_extent(const struct idmap *map, size_t index)
{
	const struct idmap_extent *extent = &map->extents[index];

	/* (uid_t)-1 is no id, so it is not the last of a range either. */
	fuzz_check(extent->count > 0 && (uint64_t)extent->inner + extent->count <= UINT32_MAX &&
		(uint64_t)extent->outer + extent->count <= UINT32_MAX);
	fuzz_check(idmap_maps_inner(map, extent->inner) &&
		idmap_maps_outer(map, extent->outer + extent->count - 1));
	for (size_t i = 0; i < index; i++) {
		const struct idmap_extent *other = &map->extents[i];

		fuzz_check((uint64_t)other->inner + other->count <= extent->inner ||
			(uint64_t)extent->inner + extent->count <= other->inner);
		fuzz_check((uint64_t)other->outer + other->count <= extent->outer ||
			(uint64_t)extent->outer + extent->count <= other->outer);
	}
}

static void check_map(const struct idmap *map)
{
	fuzz_check(map->count <= IDMAP_EXTENTS_MAX);
	fuzz_check(!idmap_maps_inner(map, UINT32_MAX) && !idmap_maps_outer(map, UINT32_MAX));
	for (size_t i = 0; i < map->count; i++)
		check_extent(map, i);
}

static void resolve(void *plan)
{
	idmap_resolve(plan);
}

static void find_inner(void *plan)
{
	const struct idmap_plan *const all = plan;
	uint32_t inner = 0;

	(void)all;
	idmap_find_inner(AT_FDCWD, "/proc/self/uid_map", 1000, &inner);
}

static void choose_inner(void *plan)
{
	uint32_t inner;

	(void)plan;
	idmap_choose_inner(AT_FDCWD, "/proc/self/uid_map", 65534, &inner);
}

static void provide(const struct fuzz_part *parts)
{
	fuzz_file("/etc/subuid", parts[SUBUID].text, parts[SUBUID].size);
	fuzz_file("/etc/subgid", parts[SUBUID].text, parts[SUBUID].size);
	fuzz_file(USERS_PASSWD, parts[PASSWD].text, parts[PASSWD].size);
	fuzz_file("/proc/self/uid_map", parts[CURRENT].text, parts[CURRENT].size);
	fuzz_file("/proc/self/gid_map", parts[CURRENT].text, parts[CURRENT].size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct idmap_plan plan, nested;
	struct fuzz_part parts[PARTS];
	char *cursor;

	fuzz_split(data, size, parts, PARTS);
	cursor = parts[LINES].text;
	plan = (struct idmap_plan){ 0 };
	for (char *line; (line = fuzz_line(&cursor)); free(line)) {
		size_t count = plan.users.count;

		if (idmap_add_text(&plan.users, line))
			fuzz_check(plan.users.count == count);
	}
	check_map(&plan.users);
	plan.groups = plan.users;
	provide(parts);
	if (fuzz_survive(resolve, &plan) == FUZZ_RETURNED) {
		fuzz_check(!plan.users.words && !plan.groups.words);
		check_map(&plan.users);
		check_map(&plan.groups);
		idmap_nest(&plan, &nested);
		check_map(&nested.users);
	}
	provide(parts);
	fuzz_survive(find_inner, &plan);
	provide(parts);
	fuzz_survive(choose_inner, &plan);
	fuzz_free(parts, PARTS);
	return 0;
}
