/*
 * report - the only writer to standard error, and the exit statuses of a link's own failures.
 *
 * A message is one line, `PROGRAM: text`, and may be followed by one `PROGRAM: hint: text`. Bytes that a terminal could act
 * on are shown as \xNN, because names in a message may come from an untrusted root file system or from another user. PROGRAM
 * is libc's program_invocation_short_name, which cli_start() sets to the name of the link.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/* What a link itself exits with, as env(1), chroot(1) and timeout(1) do; any other status is COMMAND's own. */
enum {
	STATUS_FAILED = 125,
	STATUS_NOT_EXECUTABLE = 126,
	STATUS_NOT_FOUND = 127,
};

#define REPORT_FORMAT(at) __attribute__((format(printf, at, (at) + 1)))

/* Writes `PROGRAM: text`. Returns; errno is kept. */
void warn(const char *format, ...) REPORT_FORMAT(1);

/* Writes `PROGRAM: text: strerror(error)`. Returns; errno is kept. */
void warn_error(int error, const char *format, ...) REPORT_FORMAT(2);

/* Writes `PROGRAM: hint: text`, to follow a message: what the reader can do about it. Returns; errno is kept. */
void hint(const char *format, ...) REPORT_FORMAT(1);

/* Writes the message and exits with STATUS_FAILED. */
_Noreturn void die(const char *format, ...) REPORT_FORMAT(1);

/* The same with the text of ERROR (an errno value) behind the message. */
_Noreturn void die_error(int error, const char *format, ...) REPORT_FORMAT(2);

/* The same with HINT as a second line; HINT may be NULL, ERROR may be 0 for a message without strerror(3). */
_Noreturn void die_hint(const char *hint, int error, const char *format, ...) REPORT_FORMAT(3);

/*
 * Copies TEXT into QUOTED (SIZE bytes, at least 1), each control byte and each byte that is not part of a valid printable UTF-8
 * character as \xNN. What does not fit is left out. Returns the length written.
 */
size_t report_quote(const char *text, char *quoted, size_t size);
