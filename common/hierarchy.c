#include "common/hierarchy.h"

#include "common/fd.h"
#include "common/parse.h"
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Undoes the octal escapes of proc_pid_mountinfo(5) in place. */
static void unescape(char *text)
{
	char *out = text;

	for (char *in = text; *in; in++) {
		if (*in == '\\' && strspn(in + 1, "01234567") >= 3) {
			*out++ = (char)((in[1] & 3) << 6 | (in[2] & 7) << 3 | (in[3] & 7));
			in += 3;
		} else {
			*out++ = *in;
		}
	}
	*out = '\0';
}

static char *copy(const char *text)
{
	char *copied = strdup(text);

	if (!copied)
		die_error(errno, "cannot remember '%s'", text);
	return copied;
}

/* Adds the line "ID:CONTROLLERS:PATH" of /proc/self/cgroup; until its mount is found, OWN is the path in the hierarchy. */
static void add_hierarchy(struct hierarchy_layout *layout, char *line)
{
	struct hierarchy *hierarchy = &layout->list[layout->count];
	char *controllers = strchr(line, ':');
	char *path = controllers ? strchr(controllers + 1, ':') : NULL;

	if (!path || path[1] != '/' || layout->count == HIERARCHIES_MAX)
		return;
	*path++ = '\0';
	controllers++;
	*hierarchy =
		(struct hierarchy){ .version = strncmp(line, "0:", 2) == 0 ? 2 : 1, .own = path };
	if (snprintf(hierarchy->controllers, sizeof(hierarchy->controllers), ",%s,", controllers) <
		(int)sizeof(hierarchy->controllers))
		layout->count++;
}

/* Where the group PATH of a hierarchy shows when the group ROOT of it is mounted at POINT; false if it is not below. */
static bool locate(const char *root, const char *point, const char *path, char *ret, size_t size)
{
	size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);

	if (strncmp(path, root, length) != 0 || (path[length] != '/' && path[length] != '\0'))
		return false;
	path += length;
	/* Outside of the own cgroup namespace, cgroup_namespaces(7): ".." of the mount point is something else. */
	if (strncmp(path, "/..", 3) == 0 && (path[3] == '/' || path[3] == '\0'))
		return false;
	/* The topmost group is "/". */
	return snprintf(ret, size, "%s%s", point, strcmp(path, "/") == 0 ? "" : path) < (int)size;
}

struct mount_line {
	uint64_t id;
	char *root;
	char *point;
	char *type;
	char *options; /* of the superblock: on version 1 the controllers are among them */
};

/* "ID PARENT MAJOR:MINOR ROOT POINT OPTIONS TAG... - TYPE SOURCE SUPEROPTIONS" */
static bool split_mount(char *line, struct mount_line *mount)
{
	char *cursor = line;

	if (parse_number(strsep(&cursor, " "), 0, UINT64_MAX, &mount->id))
		return false;
	for (int i = 0; i < 2; i++)
		strsep(&cursor, " ");
	mount->root = strsep(&cursor, " ");
	mount->point = strsep(&cursor, " ");

	char *tail = cursor ? strstr(cursor, " - ") : NULL;

	if (!tail)
		return false;
	tail += 3;
	mount->type = strsep(&tail, " ");
	strsep(&tail, " ");
	mount->options = tail;
	if (!mount->options)
		return false;
	unescape(mount->root);
	unescape(mount->point);
	return true;
}

/* Whether MOUNT is of HIERARCHY: on version 1 one of its controllers (or its name=) is an option of the superblock. */
static bool is_mount_of(const struct mount_line *mount, const struct hierarchy *hierarchy)
{
	const char *first = hierarchy->controllers + 1;
	const char *option = mount->options;
	size_t length = strcspn(first, ",");

	if (hierarchy->version == 2)
		return strcmp(mount->type, "cgroup2") == 0;
	if (strcmp(mount->type, "cgroup") != 0)
		return false;
	while (strncmp(option, first, length) != 0 || (option[length] && option[length] != ',')) {
		option += strcspn(option, ",");
		if (!*option++)
			return false;
	}
	return true;
}

const char *hierarchy_parse(char *self, char *mounts,
	bool (*is_shown)(const char *path, uint64_t mount), struct hierarchy_layout *layout)
{
	struct hierarchy_layout wanted;

	layout->count = wanted.count = 0;
	for (char *line; (line = strsep(&self, "\n"));)
		add_hierarchy(&wanted, line);
	for (char *line; (line = strsep(&mounts, "\n"));) {
		struct mount_line mount;

		if (!split_mount(line, &mount))
			continue;
		for (size_t i = 0; i < wanted.count; i++) {
			struct hierarchy *hierarchy = &wanted.list[i];
			struct hierarchy *found = &layout->list[layout->count];
			char own[PATH_MAX];

			if (hierarchy->version == 0 || !is_mount_of(&mount, hierarchy) ||
				!locate(mount.root, mount.point, hierarchy->own, own, sizeof(own)) ||
				(is_shown && !is_shown(own, mount.id)))
				continue;
			*found = *hierarchy;
			found->own = copy(own);
			found->root = mount.root;
			found->point = mount.point;
			layout->count++;
			hierarchy->version = 0; /* found */
		}
	}
	if (wanted.count == 0)
		return "this kernel has no cgroups";
	return layout->count ? NULL : "no hierarchy is mounted that shows it";
}

static void read_controllers(struct hierarchy *hierarchy)
{
	char text[sizeof(hierarchy->controllers) - 2];
	autoclose int directory = fd_try_open(AT_FDCWD, hierarchy->own, O_PATH | O_DIRECTORY);

	hierarchy->controllers[0] = '\0';
	if (directory < 0 || fd_try_read(directory, "cgroup.controllers", text, sizeof(text)) < 0)
		return;
	for (char *space = text; (space = strchr(space, ' '));)
		*space = ',';
	snprintf(hierarchy->controllers, sizeof(hierarchy->controllers), ",%s,", text);
}

/* A mount on top of another one hides it; then its path leads to other groups. STATX_MNT_ID: Linux 5.8 */
static bool leads_to(const char *path, uint64_t mount)
{
	uint64_t found = fd_mount_id(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);

	return found == mount || (found == 0 && access(path, F_OK) == 0);
}

void hierarchy_find(int process, struct hierarchy_layout *layout)
{
	char *self, *mounts;
	int error = fd_try_read_all(process, "cgroup", &self);

	if (error < 0)
		die_error(-error, "cannot read the cgroups of the process");
	error = fd_try_read_all(AT_FDCWD, "/proc/self/mountinfo", &mounts);
	if (error < 0)
		die_error(-error, "cannot read '/proc/self/mountinfo'");

	const char *reason = hierarchy_parse(self, mounts, leads_to, layout);

	free(self);
	if (reason)
		die_hint("put cgrun in front of nsnew -C, or mount cgroups anew", 0,
			"cannot find the cgroup: %s", reason);
	for (size_t i = 0; i < layout->count; i++) {
		if (layout->list[i].version == 2)
			read_controllers(&layout->list[i]);
	}
}

void hierarchy_find_own(struct hierarchy_layout *layout)
{
	autoclose int process = fd_open(AT_FDCWD, "/proc/self", O_PATH | O_DIRECTORY);

	hierarchy_find(process, layout);
}

const char *hierarchy_check_group(const char *group)
{
	const char *cursor = group + (group[0] == '/');
	char word[NAME_MAX + 1];

	if (strcmp(group, "/") == 0)
		return NULL;
	while (cursor) {
		const char *reason = parse_word(&cursor, '/', word, sizeof(word));

		if (reason)
			return reason;
		if (!word[0])
			return "has an empty part";
		if (strcmp(word, ".") == 0 || strcmp(word, "..") == 0)
			return "has a part '.' or '..', which no group is called";
	}
	return NULL;
}

/* The directory of GROUP, if HIERARCHY shows it. */
static bool find_group(const struct hierarchy *hierarchy, const char *group, char *ret, size_t size)
{
	struct stat status;

	if (group[0] != '/' && snprintf(ret, size, "%s/%s", hierarchy->own, group) >= (int)size)
		return false;
	if (group[0] == '/' && !locate(hierarchy->root, hierarchy->point, group, ret, size))
		return false;
	return stat(ret, &status) == 0 && S_ISDIR(status.st_mode);
}

void hierarchy_change_group(struct hierarchy_layout *layout, const char *group)
{
	size_t kept = 0;

	for (size_t i = 0; i < layout->count; i++) {
		struct hierarchy *changed = &layout->list[kept];
		char own[PATH_MAX];

		if (!find_group(&layout->list[i], group, own, sizeof(own)))
			continue;
		*changed = layout->list[i];
		changed->own = copy(own);
		if (changed->version == 2)
			read_controllers(changed);
		kept++;
	}
	layout->count = kept;
	if (kept == 0)
		die_hint("it is below the own one, or with a '/' as in /proc/PID/cgroup", 0,
			"there is no cgroup '%s'", group);
}

bool hierarchy_ascend(struct hierarchy *hierarchy)
{
	char *slash = strrchr(hierarchy->own, '/');

	if (!slash || strlen(hierarchy->own) <= strlen(hierarchy->point))
		return false;
	*slash = '\0';
	if (hierarchy->version == 2)
		read_controllers(hierarchy);
	return true;
}

bool hierarchy_find_holder(
	const struct hierarchy *hierarchy, const char *controller, char *ret, size_t size)
{
	struct hierarchy above = *hierarchy;
	char own[PATH_MAX];

	snprintf(own, sizeof(own), "%s", hierarchy->own);
	above.own = own;
	while (hierarchy_ascend(&above)) {
		if (hierarchy_has(&above, controller, strlen(controller)))
			return snprintf(ret, size, "%s", above.own) < (int)size;
	}
	return false;
}

bool hierarchy_has(const struct hierarchy *hierarchy, const char *name, size_t length)
{
	for (const char *word = hierarchy->controllers; (word = strchr(word, ','));) {
		word++;
		if (strncmp(word, name, length) == 0 && word[length] == ',')
			return true;
	}
	return false;
}

const struct hierarchy *hierarchy_of(const struct hierarchy_layout *layout, const char *controller)
{
	for (size_t i = 0; i < layout->count; i++) {
		if (hierarchy_has(&layout->list[i], controller, strlen(controller)))
			return &layout->list[i];
	}
	return NULL;
}
