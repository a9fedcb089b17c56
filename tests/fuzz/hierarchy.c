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
	bool above;

	do {
		const char *own = hierarchy->own;

		fuzz_check(strncmp(own, hierarchy->point, point) == 0);
		fuzz_check(!own[point] || own[point] == '/');
		/* ".." of the mount point is outside of the hierarchy. */
		fuzz_check(strncmp(own + point, "/..", 3) != 0 ||
			(own[point + 3] && own[point + 3] != '/'));
		above = hierarchy_ascend(hierarchy);
		free((void *)own);
	} while (above);
}

static FILE *open_part(const struct fuzz_part *part)
{
	FILE *file = fmemopen(part->text, part->size + 1, "r");

	fuzz_check(file);
	return file;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hierarchy_layout layout;
	struct fuzz_part parts[PARTS];
	FILE *self, *mounts;

	fuzz_split(data, size, parts, PARTS);
	self = open_part(&parts[SELF]);
	mounts = open_part(&parts[MOUNTS]);
	layout.count = 0;

	const char *reason = hierarchy_parse(self, mounts, NULL, &layout);

	fuzz_check(layout.count <= HIERARCHIES_MAX && !reason == (layout.count > 0));
	for (size_t i = 0; i < layout.count; i++) {
		struct hierarchy *hierarchy = &layout.list[i];

		check_hierarchy(hierarchy);
		free((void *)hierarchy->root);
		free((void *)hierarchy->point);
	}
	fclose(self);
	fclose(mounts);
	fuzz_free(parts, PARTS);
	return 0;
}
