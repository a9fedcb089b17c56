/*
 * Debian's libcap.a was compiled for glibc with _FORTIFY_SOURCE, and so calls these in place of what their names say; musl does not have
 * them. The size they are told is that of the buffer, so the length of what is written is checked here as well. Part of the build with
 * musl only; nobody else calls them.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int __asprintf_chk(char **text, int flag, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int __sprintf_chk(char *text, int flag, size_t size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

int __asprintf_chk(char **text, int flag, const char *format, ...)
{
	va_list arguments;

	(void)flag;
	va_start(arguments, format);
	int length = vasprintf(text, format, arguments);

	va_end(arguments);
	return length;
}

int __sprintf_chk(char *text, int flag, size_t size, const char *format, ...)
{
	va_list arguments;

	(void)flag;
	va_start(arguments, format);
	int written = vsnprintf(text, size, format, arguments);

	va_end(arguments);
	if (written >= 0 && (size_t)written >= size)
		abort();
	return written;
}
