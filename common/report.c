#include "common/report.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Up to PIPE_BUF bytes are written as a whole, so that lines of links that share a pipe do not mix. */
enum { LINE_SIZE = 4096 };

static const char raise_limit[] = "each mount and file takes one: raise the limit 'ulimit -Hn'";

/* The bytes of the printable UTF-8 character at TEXT, 0 if there is none (C1 controls and overlong forms included). */
static size_t printable(const unsigned char *text)
{
	if (text[0] < 0x80)
		return text[0] >= 0x20 && text[0] != 0x7f;

	size_t length = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
	unsigned int smallest = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0xa0;
	unsigned int code = text[0] & (0x7fU >> length);

	if (text[0] < 0xc2 || text[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	return code >= smallest && (code < 0xd800 || code > 0xdfff) && code <= 0x10ffff ? length : 0;
}

size_t report_quote(const char *text, char *quoted, size_t size)
{
	size_t used = 0;

	while (*text) {
		size_t length = printable((const unsigned char *)text);
		char escape[5];
		const char *piece = text;
		size_t width = length;

		if (length == 0) {
			snprintf(escape, sizeof(escape), "\\x%02x", (unsigned char)*text);
			piece = escape;
			width = 4;
		}
		if (used + width >= size)
			break;
		memcpy(quoted + used, piece, width);
		used += width;
		text += length ? length : 1;
	}
	quoted[used] = '\0';
	return used;
}

__attribute__((format(printf, 3, 0))) static void put_line(
	const char *label, int error, const char *format, va_list values)
{
	int saved = errno;
	char text[LINE_SIZE / 2];
	char line[LINE_SIZE];

	vsnprintf(text, sizeof(text), format, values);

	int start = snprintf(line, sizeof(line), "%s: %s", program_invocation_short_name, label);
	size_t used = (size_t)start;
	const char *reason = error ? strerror(error) : "";

	/* The reason is what a reader needs most, so a long text gives way to it. */
	size_t room = sizeof(line) - used - strlen(reason) - sizeof(": \n");
	used += report_quote(text, line + used, room);
	used += (size_t)snprintf(
		line + used, sizeof(line) - used, "%s%s\n", error ? ": " : "", reason);

	/* With standard error gone there is nobody left to tell. */
	(void)!write(STDERR_FILENO, line, used);
	errno = saved;
}

void warn(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	put_line("", 0, format, values);
	va_end(values);
}

void warn_error(int error, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	put_line("", error, format, values);
	va_end(values);
}

void hint(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	put_line("hint: ", 0, format, values);
	va_end(values);
}

void die(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	put_line("", 0, format, values);
	va_end(values);
	exit(STATUS_FAILED);
}

void die_error(int error, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	put_line("", error, format, values);
	va_end(values);
	if (error == EMFILE)
		hint("%s", raise_limit);
	exit(STATUS_FAILED);
}

void die_hint(const char *advice, int error, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	put_line("", error, format, values);
	va_end(values);
	if (!advice && error == EMFILE)
		advice = raise_limit;
	if (advice)
		hint("%s", advice);
	exit(STATUS_FAILED);
}
