#include "common/users.h"

#include "common/fd.h"
#include "common/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A file that is read line by line; each line in fields between colons. */
struct table {
	FILE *file;
	char *line;
	size_t size;
	char *fields[4];
	int error; /* -errno of a line that could not be read */
};

/* Returns 0 or -errno. A FIFO of an untrusted root, which would block, is refused. */
static int open_table(struct table *table, const char *path)
{
	struct stat status;
	autoclose int fd = fd_try_open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

	*table = (struct table){ 0 };
	if (fd < 0)
		return fd;
	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	table->file = fdopen(fd, "re");
	if (!table->file)
		return -errno;
	fd_take(&fd);
	return 0;
}

/* Returns RESULT, or -errno if the table has not been read to its end although it was tried. */
static int close_table(struct table *table, int result)
{
	free(table->line);
	if (table->file)
		fclose(table->file);
	return table->error ? table->error : result;
}

/* The next line that has at least COUNT fields. False at the end. */
static bool next_line(struct table *table, size_t count)
{
	while (table->file && getline(&table->line, &table->size, table->file) >= 0) {
		char *cursor = table->line;
		size_t found = 0;

		cursor[strcspn(cursor, "\n")] = '\0';
		while (cursor && found < count)
			table->fields[found++] = strsep(&cursor, ":");
		if (found == count)
			return true;
	}
	if (table->file && ferror(table->file))
		table->error = -errno;
	return false;
}

static int find_user(const char *name, uint32_t uid, struct users_entry *ret)
{
	struct table table;
	int result = open_table(&table, USERS_PASSWD);

	while (result == 0 && next_line(&table, 4)) {
		struct users_entry entry;
		bool valid = !parse_id(table.fields[2], &entry.uid) &&
			!parse_id(table.fields[3], &entry.gid) &&
			snprintf(entry.name, sizeof(entry.name), "%s", table.fields[0]) <
				(int)sizeof(entry.name);

		if (valid && (name ? strcmp(entry.name, name) == 0 : entry.uid == uid)) {
			*ret = entry;
			result = 1;
		}
	}
	return close_table(&table, result);
}

int users_try_find(uint32_t uid, struct users_entry *ret)
{
	return find_user(NULL, uid, ret);
}

int users_try_find_name(const char *name, struct users_entry *ret)
{
	return find_user(name, 0, ret);
}

int users_try_find_group(const char *name, uint32_t *ret)
{
	struct table table;
	int result = open_table(&table, USERS_GROUP);

	while (result == 0 && next_line(&table, 3)) {
		if (strcmp(table.fields[0], name) == 0 && !parse_id(table.fields[2], ret))
			result = 1;
	}
	return close_table(&table, result);
}

int users_visit_groups(const char *name, void (*visit)(void *data, uint32_t gid), void *data)
{
	struct table table;
	int result = open_table(&table, USERS_GROUP);

	while (result == 0 && next_line(&table, 4)) {
		char *members = table.fields[3];
		uint32_t gid;
		bool member = false;

		for (char *word; (word = strsep(&members, ","));)
			member = member || strcmp(word, name) == 0;
		if (member && !parse_id(table.fields[2], &gid))
			visit(data, gid);
	}
	return close_table(&table, result);
}

int users_visit_ranges(const char *path, uint32_t uid,
	void (*visit)(void *data, uint32_t first, uint32_t count), void *data)
{
	struct users_entry user = { .name = "" };
	struct table table;
	int result = open_table(&table, path);

	/* Without a passwd file there are numbers. */
	int found = result == 0 ? users_try_find(uid, &user) : 0;

	if (found < 0 && found != -ENOENT)
		return close_table(&table, found);
	while (result >= 0 && next_line(&table, 3)) {
		uint32_t number, first, count;
		bool own = (user.name[0] && strcmp(table.fields[0], user.name) == 0) ||
			(!parse_id(table.fields[0], &number) && number == uid);

		if (own && !parse_id(table.fields[1], &first) &&
			!parse_id(table.fields[2], &count) && count > 0) {
			visit(data, first, count);
			result++;
		}
	}
	return close_table(&table, result);
}
