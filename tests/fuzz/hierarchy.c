/* hierarchy: /proc/PID/cgroup and mountinfo; a group that is found is below the mount that shows it, and so are those above it. */
#include "common/hierarchy.h"

#include "tests/fuzz/fuzz.h"

enum { SELF, MOUNTS, PARTS };

static void check_hierarchy(struct hierarchy *hierarchy)
{
	size_t point = strlen(hierarchy->point), length = strlen(hierarchy->controllers);

	fuzz_check(hierarchy->version == 1 || hierarchy->version == 2);
	fuzz_check(length >= 2 && hierarchy->controllers[0] == ',' &&
		hierarchy->controllers[length - 1] == ',');
	do {
		const char *own = hierarchy->own;

		fuzz_check(strncmp(own, hierarchy->point, point) == 0);
		fuzz_check(!own[point] || own[point] == '/');
		/* ".." of the mount point is outside of the hierarchy. */
		fuzz_check(strncmp(own + point, "/..", 3) != 0 ||
			(own[point + 3] && own[point + 3] != '/'));
	} while (hierarchy_ascend(hierarchy));
	free(hierarchy->own);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hierarchy_layout layout;
	struct fuzz_part parts[PARTS];

	fuzz_split(data, size, parts, PARTS);
	layout.count = 0;

	const char *reason = hierarchy_parse(parts[SELF].text, parts[MOUNTS].text, NULL, &layout);

	fuzz_check(layout.count <= HIERARCHIES_MAX && !reason == (layout.count > 0));
	for (size_t i = 0; i < layout.count; i++)
		check_hierarchy(&layout.list[i]);
	fuzz_free(parts, PARTS);
	return 0;
}
