#include "snapshot.h"

#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static void walk(FILE *out, const char *kind, const char *path, bool groups)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	struct stat status;
	char below[PATH_MAX];

	while (directory && (entry = readdir(directory))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
			(groups && entry->d_type != DT_DIR))
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
		if (lstat(below, &status) < 0)
			continue;
		if (groups)
			fprintf(out, "%s %s\n", kind, below);
		else
			fprintf(out, "%s %s mode %o owner %u:%u\n", kind, below, status.st_mode,
				status.st_uid, status.st_gid);
		if (S_ISDIR(status.st_mode))
			walk(out, kind, below, groups);
	}
	if (directory)
		closedir(directory);
}

/* "mount PLACE" with all that follows, without the numbers of a namespace that is gone when the next one comes. */
static void list_mounts(FILE *out)
{
	char *text = text_read("/proc/self/mountinfo", NULL), *rest = text, *line;

	while ((line = strsep(&rest, "\n"))) {
		for (int i = 0; line && i < 3; i++)
			strsep(&line, " ");
		if (!line || !*line)
			continue;

		char *root = strsep(&line, " "), *place = strsep(&line, " ");

		fprintf(out, "mount %s of %s\n", place, root);
	}
	free(text);
}

char *snapshot_take(const struct snapshot_places *places)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	list_mounts(out);
	for (size_t i = 0; i < places->directory_count; i++)
		walk(out, "file", places->directories[i], false);
	for (size_t i = 0; i < places->group_count; i++)
		walk(out, "group", places->groups[i], true);
	fclose(out);
	return text;
}

char *snapshot_compare(const char *before, const char *after)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	if (strcmp(before, after) != 0) {
		text_lack(out, before, after, "+", 1000);
		text_lack(out, after, before, "-", 1000);
	}
	fclose(out);
	text_normalise(text);
	return text;
}

static void clean_line(char *line)
{
	char *kind = strsep(&line, " "), *path = strsep(&line, " ");

	if (!path)
		return;
	if (strcmp(kind, "mount") == 0)
		umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
	else if (strcmp(kind, "group") == 0 || unlink(path) < 0)
		rmdir(path);
}

/* From the last line to the first, because what is in a directory comes after it; a file may have been a mount before. */
void snapshot_clean(const char *before, const char *after)
{
	char *text = NULL, *end;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	text_lack(out, before, after, "", 1000);
	fclose(out);
	for (int pass = 0; pass < 2; pass++) {
		char *copy = strdup(text);

		while (copy && (end = strrchr(copy, '\n'))) {
			*end = '\0';

			char *line = strrchr(copy, '\n');

			line = line ? line + 1 : copy;
			if ((pass == 0) == (strncmp(line, "mount ", 6) == 0)) {
				char *single = strdup(line);

				clean_line(single);
				free(single);
			}
			*line = '\0';
			if (line > copy)
				line[-1] = '\n';
		}
		free(copy);
	}
	free(text);
}
