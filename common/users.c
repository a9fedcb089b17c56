#include "common/users.h"

#include "common/parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The next line of FILE that has at least COUNT fields between colons, split in place. False at the end. */
static bool next_entry(FILE *file, char **line, size_t *size, char **fields, size_t count)
{
	while (getline(line, size, file) >= 0) {
		char *cursor = *line;
		size_t found = 0;

		cursor[strcspn(cursor, "\n")] = '\0';
		while (cursor && found < count)
			fields[found++] = strsep(&cursor, ":");
		if (found == count)
			return true;
	}
	return false;
}

bool users_try_find(uint32_t uid, struct users_entry *ret)
{
	FILE *file = fopen("/etc/passwd", "re");
	char *line = NULL, *fields[4];
	size_t size = 0;
	bool found = false;

	while (file && !found && next_entry(file, &line, &size, fields, 4)) {
		struct users_entry entry;

		found = !parse_id(fields[2], &entry.uid) && entry.uid == uid &&
			!parse_id(fields[3], &entry.gid) &&
			snprintf(entry.name, sizeof(entry.name), "%s", fields[0]) <
				(int)sizeof(entry.name);
		if (found)
			*ret = entry;
	}
	free(line);
	if (file)
		fclose(file);
	return found;
}

int users_visit_ranges(const char *path, uint32_t uid,
	void (*visit)(void *data, uint32_t first, uint32_t count), void *data)
{
	FILE *file = fopen(path, "re");
	struct users_entry user = { .name = "" };
	char *line = NULL, *fields[3];
	size_t size = 0;
	int ranges = 0;

	if (!file)
		return -errno;
	users_try_find(uid, &user);
	while (next_entry(file, &line, &size, fields, 3)) {
		uint32_t number, first, count;
		bool own = (user.name[0] && strcmp(fields[0], user.name) == 0) ||
			(!parse_id(fields[0], &number) && number == uid);

		if (own && !parse_id(fields[1], &first) && !parse_id(fields[2], &count) && count > 0) {
			visit(data, first, count);
			ranges++;
		}
	}
	free(line);
	fclose(file);
	return ranges;
}
