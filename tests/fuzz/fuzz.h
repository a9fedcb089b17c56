/*
 * fuzz - what the fuzz targets share: a parser that ends its process is survived, and files that it opens are parts of the input.
 *
 * A target is one file, with common/ linked to it unchanged. The linker turns its exit, _exit, write and openat into the functions below
 * (ld(1), --wrap); outside of fuzz_survive() these are what they always are. Inside it nothing of the machine is opened.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int __real_openat(int directory, const char *path, int how, ...);
ssize_t __real_write(int fd, const void *data, size_t size);
_Noreturn void __real_exit(int status);
_Noreturn void __real__exit(int status);
int __wrap_openat(int directory, const char *path, int how, ...);
ssize_t __wrap_write(int fd, const void *data, size_t size);
_Noreturn void __wrap_exit(int status);
_Noreturn void __wrap__exit(int status);

enum { FUZZ_FILES = 16, FUZZ_RETURNED = -1 };

static struct {
	bool armed;
	jmp_buf end;
	int status;
	int first; /* fd from which on nothing is open but what a target opens */
	struct fuzz_file {
		const char *path;
		const char *text;
		size_t size;
	} files[FUZZ_FILES];
	size_t count;
} fuzz_state;

/* What has to hold of anything that was accepted. */
#define fuzz_check(condition) ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))

static inline _Noreturn void fuzz_fail(const char *file, int line, const char *text)
{
	fuzz_state.armed = false;
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, text);
	abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	fuzz_state.first = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close(fuzz_state.first);
	/* What a parser prints, as for --help, is of no interest. */
	if (!freopen("/dev/null", "we", stdout))
		abort();
	return 0;
}

_Noreturn void __wrap_exit(int status)
{
	if (!fuzz_state.armed)
		__real_exit(status);
	fuzz_state.status = status;
	longjmp(fuzz_state.end, 1);
}

_Noreturn void __wrap__exit(int status)
{
	if (!fuzz_state.armed)
		__real__exit(status);
	fuzz_state.status = status;
	longjmp(fuzz_state.end, 1);
}

/* A message is one line that begins with the program's name and has no byte that a terminal could act on. */
ssize_t __wrap_write(int fd, const void *data, size_t size)
{
	const unsigned char *text = data;
	size_t name = strlen(program_invocation_short_name);

	if (!fuzz_state.armed)
		return __real_write(fd, data, size);
	if (fd != STDERR_FILENO)
		return (ssize_t)size;
	fuzz_check(size > name + 2 && size <= 4096 && text[size - 1] == '\n');
	fuzz_check(memcmp(text, program_invocation_short_name, name) == 0 && text[name] == ':');
	for (size_t i = 0; i + 1 < size; i++)
		fuzz_check(text[i] >= 0x20 && text[i] != 0x7f);
	return (ssize_t)size;
}

static inline int fuzz_open(const struct fuzz_file *file)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0 || __real_write(fd, file->text, file->size) != (ssize_t)file->size ||
		lseek(fd, 0, SEEK_SET) != 0)
		fuzz_fail(__FILE__, __LINE__, "a file for the input");
	return fd;
}

int __wrap_openat(int directory, const char *path, int how, ...)
{
	mode_t mode = 0;
	va_list values;

	va_start(values, how);
	if ((how & O_CREAT) || (how & O_TMPFILE) == O_TMPFILE)
		mode = (mode_t)va_arg(values, int);
	va_end(values);
	if (!fuzz_state.armed)
		return __real_openat(directory, path, how, mode);
	for (size_t i = 0; i < fuzz_state.count; i++) {
		if (strcmp(fuzz_state.files[i].path, path) == 0)
			return fuzz_open(&fuzz_state.files[i]);
	}
	errno = ENOENT;
	return -1;
}

/* While BODY runs, the file PATH, as it is asked for, holds the SIZE bytes of TEXT. Forgotten afterwards. */
static inline void fuzz_file(const char *path, const char *text, size_t size)
{
	fuzz_check(fuzz_state.count < FUZZ_FILES);
	fuzz_state.files[fuzz_state.count++] = (struct fuzz_file){ path, text, size };
}

/*
 * Calls BODY(DATA). Returns FUZZ_RETURNED if it came back, else the status that it exited with: that of a link that failed, or 0 after --help.
 * What a function that ended had allocated is lost; what it had opened is closed here.
 */
static inline int fuzz_survive(void (*body)(void *data), void *data)
{
	fuzz_state.status = FUZZ_RETURNED;
	fuzz_state.armed = true;
	if (setjmp(fuzz_state.end) == 0)
		body(data);
	fuzz_state.armed = false;
	fuzz_state.count = 0;
	fuzz_check(fuzz_state.status == FUZZ_RETURNED || fuzz_state.status == 0 ||
		(fuzz_state.status >= 125 && fuzz_state.status <= 127));
	if (fuzz_state.status != FUZZ_RETURNED)
		syscall(SYS_close_range, fuzz_state.first, ~0U, 0);
	return fuzz_state.status;
}

/* A part of the input, as long as it says and with a '\0' behind it. */
struct fuzz_part {
	char *text;
	size_t size;
};

static inline struct fuzz_part fuzz_copy(const char *text, size_t size)
{
	struct fuzz_part part = { .text = malloc(size + 1), .size = size };

	fuzz_check(part.text);
	memcpy(part.text, text, size);
	part.text[size] = '\0';
	return part;
}

/* Takes the input apart at lines "--", into COUNT parts; those that are not there are empty. */
static inline void fuzz_split(const uint8_t *data, size_t size, struct fuzz_part *parts, size_t count)
{
	static const char line[] = "\n--\n";
	const char *cursor = (const char *)data;

	for (size_t i = 0; i < count; i++) {
		const char *end =
			i + 1 < count && size ? memmem(cursor, size, line, sizeof(line) - 1) : NULL;
		size_t length = end ? (size_t)(end - cursor) : size;

		parts[i] = fuzz_copy(size ? cursor : "", length);
		if (end)
			length += sizeof(line) - 1;
		if (size)
			cursor += length;
		size -= length;
	}
}

static inline void fuzz_free(struct fuzz_part *parts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(parts[i].text);
}

/* The next line of *CURSOR, NULL at the end; as strsep(3), of a copy that has just the room. Free it. */
static inline char *fuzz_line(char **cursor)
{
	char *line = strsep(cursor, "\n");

	return line ? fuzz_copy(line, strlen(line)).text : NULL;
}
