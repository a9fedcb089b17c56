#include "text.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Writes "N" to *TO in place of the characters at *FROM that are among ACCEPTED. */
static void replace(const char **from, char **to, const char *accepted)
{
	size_t length = strspn(*from, accepted);

	if (length > 0)
		*(*to)++ = 'N';
	*from += length;
}

void text_normalise(char *text)
{
	static const char group[] = "cgrun-", file[] = "/proc/self/fd/";
	const char *from = text;
	char *to = text;

	while (*from) {
		if (strncmp(from, group, strlen(group)) == 0) {
			memmove(to, from, strlen(group));
			to += strlen(group);
			from += strlen(group);
			replace(&from, &to, "0123456789abcdef-");
		} else if (strncmp(from, file, strlen(file)) == 0) {
			memmove(to, from, strlen(file));
			to += strlen(file);
			from += strlen(file);
			replace(&from, &to, "0123456789");
		} else if (strncmp(from, ":[", 2) == 0 && isdigit((unsigned char)from[2])) {
			*to++ = *from++;
			*to++ = *from++;
			replace(&from, &to, "0123456789");
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

char *text_read(const char *path, size_t *length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t room = 1 << 14, used = 0;
	char *text = malloc(room);
	ssize_t count = 0;

	while (text && fd >= 0 && (count = read(fd, text + used, room - used - 1)) > 0) {
		used += (size_t)count;
		if (used + 1 < room)
			continue;

		char *more = realloc(text, room *= 2);

		if (!more)
			free(text);
		text = more;
	}
	if (fd >= 0)
		close(fd);
	if (!text)
		abort();
	text[used] = '\0';
	if (length)
		*length = used;
	return text;
}

static bool has_line(const char *text, const char *line, size_t length)
{
	while (*text) {
		size_t other = strcspn(text, "\n");

		if (other == length && memcmp(text, line, length) == 0)
			return true;
		text += other + (text[other] == '\n');
	}
	return false;
}

size_t text_lack(FILE *out, const char *one, const char *other, const char *sign, size_t most)
{
	size_t count = 0;

	while (*other) {
		size_t length = strcspn(other, "\n");

		if (!has_line(one, other, length) && count++ < most && out)
			fprintf(out, "%s%.*s\n", sign, (int)length, other);
		other += length + (other[length] == '\n');
	}
	return count;
}
