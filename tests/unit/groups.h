/*
 * groups - hierarchies and cgroups that are plain directories below one of the test's own. How the kernel answers is for the tests of the
 * programs.
 */
#pragma once

#include "common/cgroup.h"
#include "common/fd.h"
#include "tests/unit/tap.h"

static char groups_base[256];
static int groups_directory = -1;

static inline void groups_begin(void)
{
	make_directory(groups_base, sizeof(groups_base));
	groups_directory = fd_open(AT_FDCWD, groups_base, O_RDONLY | O_DIRECTORY);
}

static inline void groups_end(void)
{
	fd_close(&groups_directory);
	remove_directory(groups_base);
}

/* Makes the directory PATH and those above it, as far as they are not there. */
static inline void groups_make(const char *path)
{
	char part[256];

	for (const char *end = path; *end; end += *end == '/') {
		end += strcspn(end, "/");
		snprintf(part, sizeof(part), "%.*s", (int)(end - path), path);
		if (mkdirat(groups_directory, part, 0700) < 0 && errno != EEXIST)
			bail_out("cannot make the directory '%s'", part);
	}
}

/* The file PATH with TEXT, in a directory that is made if need be. */
static inline void groups_write(const char *path, const char *text)
{
	char parent[256];

	snprintf(parent, sizeof(parent), "%.*s", (int)(strrchr(path, '/') - path), path);
	groups_make(parent);
	make_file(groups_directory, path, 0600, text);
}

/* What is in the file PATH. */
static inline const char *groups_read(const char *path)
{
	static char text[4][256];
	static unsigned int turn;
	char *into = text[turn++ % 4];

	return fd_try_read(groups_directory, path, into, sizeof(text[0])) < 0 ? "(unreadable)" : into;
}

/* Removes the directory PATH with all that is in it, and makes it again. */
static inline void groups_clear(const char *path)
{
	char whole[sizeof(groups_base) + 256];

	snprintf(whole, sizeof(whole), "%s/%s", groups_base, path);
	if (faccessat(groups_directory, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		remove_directory(whole);
	groups_make(path);
}

/*
 * The hierarchies of a machine by texts "VERSION CONTROLLERS [GROUP]", up to NULL. Each is mounted at the directory of its number; the own group
 * is that, or GROUP below it.
 */
static inline void make_layout(struct hierarchy_layout *layout, const char *const *hierarchies)
{
	static char points[HIERARCHIES_MAX][sizeof(groups_base) + 16];

	*layout = (struct hierarchy_layout){ .count = 0 };
	for (; hierarchies[layout->count]; layout->count++) {
		struct hierarchy *hierarchy = &layout->list[layout->count];
		const char *text = hierarchies[layout->count];
		size_t length = strcspn(text + 2, " ");
		const char *own = text[2 + length] ? text + 2 + length + 1 : "";
		char path[256];

		hierarchy->version = text[0] - '0';
		snprintf(hierarchy->controllers, sizeof(hierarchy->controllers), "%.*s",
			(int)length, text + 2);
		hierarchy->root = "/";
		snprintf(points[layout->count], sizeof(points[0]), "%s/%zu", groups_base,
			layout->count);
		hierarchy->point = points[layout->count];
		snprintf(path, sizeof(path), "%zu%s%s", layout->count, *own ? "/" : "", own);
		if (asprintf(&hierarchy->own, "%s/%s", groups_base, path) < 0)
			bail_out("no memory");
		groups_make(path);
	}
}

/* A group "job" with a part in each hierarchy of LAYOUT; not made yet. */
static inline void make_group(struct cgroup *group, const struct hierarchy_layout *layout)
{
	*group = (struct cgroup){ .name = "job", .count = layout->count };
	snprintf(group->subtree.room, sizeof(group->subtree.room), "cgrun-1-00000000.self");
	group->subtree.advice = "try-this";
	for (size_t i = 0; i < layout->count; i++) {
		group->branches[i] = (struct cgroup_branch){
			.hierarchy = &layout->list[i],
			.parent = fd_open(AT_FDCWD, layout->list[i].own, O_PATH | O_DIRECTORY),
			.directory = -1,
		};
	}
}

static inline void close_group(struct cgroup *group)
{
	for (size_t i = 0; i < group->count; i++) {
		fd_close(&group->branches[i].parent);
		fd_close(&group->branches[i].directory);
	}
}
