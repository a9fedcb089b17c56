/*
 * tap - what the unit tests share: results as lines of the Test Anything Protocol, and bodies that run in a process of their own, because
 * they change it or end it.
 *
 * A table-driven test calls one of the functions below for each row and ends main with `return tap_end()`. Nobody waits for time to
 * pass: processes wait for each other by pipes, and whatever hangs all the same is ended by an alarm.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Longer than anything here takes on a busy machine under sanitizers. */
enum { TAP_SECONDS = 60 };

#define TAP_FORMAT(at) __attribute__((format(printf, at, (at) + 1)))
#define TAP_ROWS(table) (sizeof(table) / sizeof(*(table)))

#ifdef __SANITIZE_ADDRESS__
/* Leaks are nothing to a process that execs or ends, and the check cannot trace one that hides. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

static unsigned int tap_count;
static unsigned int tap_failed;

/* TEXT on one line, as it would stand in C; NULL is NULL. The result is good for a few calls. */
static inline const char *tap_show(const char *text)
{
	static char results[4][256];
	static unsigned int turn;
	char *result = results[turn++ % 4];
	size_t used = 0;

	if (!text)
		return "NULL";
	for (; *text && used < sizeof(results[0]) - 8; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte < 0x20 || byte >= 0x7f || byte == '#')
			used += (size_t)snprintf(
				result + used, sizeof(results[0]) - used, "\\x%02x", byte);
		else
			result[used++] = (char)byte;
	}
	snprintf(result + used, sizeof(results[0]) - used, "%s", *text ? "..." : "");
	return result;
}

__attribute__((format(printf, 2, 0))) static inline void tap_line(
	bool passed, const char *format, va_list values)
{
	tap_count++;
	tap_failed += !passed;
	printf("%sok %u - ", passed ? "" : "not ", tap_count);
	vprintf(format, values);
	putchar('\n');
	fflush(stdout);
}

/* One check. Returns PASSED. */
TAP_FORMAT(2) static inline bool ok(bool passed, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	tap_line(passed, format, values);
	va_end(values);
	return passed;
}

/* More about a check that failed. */
TAP_FORMAT(1) static inline void note(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	fputs("# ", stdout);
	vprintf(format, values);
	putchar('\n');
	fflush(stdout);
	va_end(values);
}

TAP_FORMAT(3) static inline bool is_number(long long got, long long wanted, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	tap_line(got == wanted, format, values);
	va_end(values);
	if (got != wanted)
		note("got %lld (0x%llx), wanted %lld (0x%llx)", got, (unsigned long long)got,
			wanted, (unsigned long long)wanted);
	return got == wanted;
}

static inline bool tap_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Texts are the same, or both NULL. */
TAP_FORMAT(3)
static inline bool is_text(const char *got, const char *wanted, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	tap_line(tap_same(got, wanted), format, values);
	va_end(values);
	if (!tap_same(got, wanted))
		note("got '%s', wanted '%s'", tap_show(got), tap_show(wanted));
	return tap_same(got, wanted);
}

/* PART occurs in TEXT. */
TAP_FORMAT(3)
static inline bool has_text(const char *text, const char *part, const char *format, ...)
{
	bool passed = strstr(text, part) != NULL;
	va_list values;

	va_start(values, format);
	tap_line(passed, format, values);
	va_end(values);
	if (!passed)
		note("got '%s', wanted in it '%s'", tap_show(text), part);
	return passed;
}

/* A check that cannot be made here, and why. */
static inline void skip(const char *name, const char *reason)
{
	printf("ok %u - %s # skip %s\n", ++tap_count, name, reason);
	fflush(stdout);
}

/* What stops a test rather than fails it. */
TAP_FORMAT(1) static inline _Noreturn void bail_out(const char *format, ...)
{
	int error = errno;
	va_list values;

	va_start(values, format);
	fputs("Bail out! ", stdout);
	vprintf(format, values);
	printf(": %s\n", strerror(error));
	fflush(stdout);
	va_end(values);
	exit(2);
}

/* The plan and the exit status. */
static inline int tap_end(void)
{
	printf("1..%u\n", tap_count);
	return tap_failed == 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* How a body in a process of its own ended, and what it wrote. */
struct outcome {
	int exited; /* its exit status, -1 if a signal ended it */
	int signal; /* ... that signal, else 0 */
	int status; /* as of wait(2) */
	char out[8192];
	char err[8192];
};

static inline void tap_collect(int fd, char *text, size_t size)
{
	ssize_t length = pread(fd, text, size - 1, 0);

	text[length < 0 ? 0 : length] = '\0';
	close(fd);
}

/* A process of its own that an alarm ends, and the end of the test. Returns as fork(2) does. */
static inline pid_t tap_fork(void)
{
	pid_t parent = getpid();

	fflush(stdout);

	pid_t pid = fork();

	if (pid < 0)
		bail_out("cannot fork");
	if (pid == 0) {
		alarm(TAP_SECONDS);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(2);
	}
	return pid;
}

static inline int tap_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			bail_out("cannot wait for process %d", (int)pid);
	}
	return status;
}

/* Runs BODY(DATA) in a process of its own, with its standard output and error in files; what it returns is its exit status. */
static inline struct outcome run(int (*body)(const void *data), const void *data)
{
	struct outcome outcome = { .exited = -1 };
	int out = memfd_create("out", MFD_CLOEXEC);
	int err = memfd_create("err", MFD_CLOEXEC);
	pid_t pid = tap_fork();

	if (pid == 0) {
		dup2(out, STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		close(out);
		close(err);
		exit(body(data));
	}
	outcome.status = tap_wait(pid);
	if (WIFEXITED(outcome.status))
		outcome.exited = WEXITSTATUS(outcome.status);
	else
		outcome.signal = WTERMSIG(outcome.status);
	tap_collect(out, outcome.out, sizeof(outcome.out));
	tap_collect(err, outcome.err, sizeof(outcome.err));
	return outcome;
}

/* The exit status, and on failure what was written. */
TAP_FORMAT(3)
static inline bool is_exit(const struct outcome *outcome, int status, const char *format, ...)
{
	bool passed = outcome->exited == status;
	va_list values;

	va_start(values, format);
	tap_line(passed, format, values);
	va_end(values);
	if (!passed)
		note("exit status %d, signal %d, wanted %d; standard error '%s'", outcome->exited,
			outcome->signal, status, tap_show(outcome->err));
	return passed;
}

/* Reads FD to its end, until everybody who could write has closed it. False if that takes too long. */
static inline bool read_to_end(int fd, char *text, size_t size)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	size_t used = 0;

	text[0] = '\0';
	while (used + 1 < size) {
		if (poll(&ready, 1, TAP_SECONDS * 1000) == 0)
			return false;

		ssize_t length = read(fd, text + used, size - 1 - used);

		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0)
			break;
		used += (size_t)length;
		text[used] = '\0';
	}
	return true;
}

/* A directory of the test's own, for remove_directory() to take away. */
static inline void make_directory(char *path, size_t size)
{
	const char *base = getenv("TMPDIR");

	snprintf(path, size, "%s/nschain-unit.XXXXXX", base && base[0] == '/' ? base : "/tmp");
	if (!mkdtemp(path))
		bail_out("cannot make the directory '%s'", path);
}

static inline int tap_remove(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status, (void)type, (void)walk;
	return remove(path);
}

static inline void remove_directory(const char *path)
{
	if (nftw(path, tap_remove, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
		bail_out("cannot remove '%s'", path);
}

/* Writes TEXT to a new file. */
static inline void make_file(int directory, const char *path, mode_t mode, const char *text)
{
	int fd = openat(directory, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	size_t length = strlen(text);

	if (fd < 0 || write(fd, text, length) != (ssize_t)length || fchmod(fd, mode) < 0)
		bail_out("cannot make the file '%s'", path);
	close(fd);
}
