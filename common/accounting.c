#include "common/accounting.h"

#include "common/explain.h"
#include "common/fd.h"
#include "common/parse.h"
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { VALUE_SIZE = 16384 };

void accounting_plan(struct cgroup *group, const struct hierarchy_layout *layout)
{
	static const char *const controllers[] = { "cpu", "cpuacct", "memory", "pids", "io", "blkio" };

	for (size_t i = 0; i < sizeof(controllers) / sizeof(*controllers); i++)
		cgroup_plan_controller(group, layout, controllers[i], true);
}

/* A counter, where it is on version 2 and on version 1: behind KEY, or all of FILE. */
struct source {
	size_t member;
	uint64_t divisor; /* to microseconds */
	const char *file;
	const char *key;
};

#define MEMBER(name) offsetof(struct accounting, name)

static const struct source sources[] = {
	{ MEMBER(user), 1, "cpu.stat", "user_usec" },
	{ MEMBER(user), 1000, "cpuacct.usage_user", NULL },
	{ MEMBER(system), 1, "cpu.stat", "system_usec" },
	{ MEMBER(system), 1000, "cpuacct.usage_sys", NULL },
	{ MEMBER(throttled), 1, "cpu.stat", "throttled_usec" },
	{ MEMBER(throttled), 1000, "cpu.stat", "throttled_time" },
	{ MEMBER(throttled_periods), 1, "cpu.stat", "nr_throttled" },
	{ MEMBER(memory_limit), 1, "memory.max", NULL },
	{ MEMBER(memory_limit), 1, "memory.limit_in_bytes", NULL },
	{ MEMBER(memory_peak), 1, "memory.peak", NULL },
	{ MEMBER(memory_peak), 1, "memory.max_usage_in_bytes", NULL },
	{ MEMBER(memory_high), 1, "memory.events", "high" },
	{ MEMBER(memory_max), 1, "memory.events", "max" },
	{ MEMBER(memory_max), 1, "memory.failcnt", NULL },
	{ MEMBER(out_of_memory), 1, "memory.events", "oom" },
	{ MEMBER(killed), 1, "memory.events", "oom_kill" },
	{ MEMBER(killed), 1, "memory.oom_control", "oom_kill" },
	{ MEMBER(pids_peak), 1, "pids.peak", NULL },
	{ MEMBER(pids_refused), 1, "pids.events", "max" },
};

/* The sum of what is behind KEY on all lines: "8:0 rbytes=4096 wbytes=0 ..." (version 2) or "8:0 Read 4096" (version 1). */
static uint64_t sum(const struct cgroup *group, const char *file, const char *key)
{
	char text[VALUE_SIZE];
	char *cursor = text;
	uint64_t total = 0, number;

	if (cgroup_try_read(group, file, text, sizeof(text)) < 0)
		return ACCOUNTING_UNKNOWN;
	for (char *place = cursor; (place = strstr(place, key));) {
		place += strlen(key);
		cursor = place + strcspn(place, " \n");

		char end = *cursor;

		*cursor = '\0';
		if (!parse_number(place, 0, UINT64_MAX, &number))
			total += number;
		*cursor = end;
	}
	return total;
}

static uint64_t sum_either(const struct cgroup *group, const char *key, const char *old_key)
{
	uint64_t total = sum(group, "io.stat", key);

	return total == ACCOUNTING_UNKNOWN ?
		sum(group, "blkio.throttle.io_service_bytes_recursive", old_key) :
		total;
}

static uint64_t microseconds(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

/* Without a controller that counts it: of COMMAND, and of what it has waited for. */
static void add_usage(struct accounting *accounting)
{
	struct rusage usage;

	if (accounting->user != ACCOUNTING_UNKNOWN || getrusage(RUSAGE_CHILDREN, &usage) < 0)
		return;
	accounting->user = microseconds(&usage.ru_utime);
	accounting->system = microseconds(&usage.ru_stime);
}

int accounting_open(const char *file, int fd)
{
	if (explain_is_on())
		return -1;
	if (!file) {
		int copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

		if (copy < 0 || (fd > STDERR_FILENO && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0))
			die_error(errno, "cannot write statistics to fd %d", fd);
		return copy;
	}
	fd = fd_try_create(AT_FDCWD, file, O_WRONLY | O_TRUNC, 0666);
	if (fd < 0)
		die_error(-fd, "cannot write '%s'", file);
	return fd;
}

bool accounting_has_kills(const struct cgroup *group)
{
	uint64_t killed = 0;

	return (cgroup_try_count(group, "memory.events", "oom_kill", &killed) ||
		       cgroup_try_count(group, "memory.oom_control", "oom_kill", &killed)) &&
		killed > 0;
}

struct accounting accounting_read(const struct cgroup *group, const struct timespec *start, int status)
{
	struct accounting accounting;
	struct timespec now;
	uint64_t both;

	clock_gettime(CLOCK_MONOTONIC, &now);
	memset(&accounting, 0xff, sizeof(accounting));
	accounting.wall = (uint64_t)(now.tv_sec - start->tv_sec) * 1000000 +
		(uint64_t)((now.tv_nsec - start->tv_nsec) / 1000);
	accounting.status = status;
	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		const struct source *source = &sources[i];
		uint64_t *member = (uint64_t *)(void *)((char *)&accounting + source->member);

		if (*member == ACCOUNTING_UNKNOWN &&
			cgroup_try_count(group, source->file, source->key, member))
			*member /= source->divisor;
	}
	/* Version 1 counts apart how often memory and swap together met theirs; without swap that is the first to be met. */
	if (cgroup_try_count(group, "memory.memsw.failcnt", NULL, &both))
		accounting.memory_max += both;
	accounting.read = sum_either(group, "rbytes=", "Read ");
	accounting.written = sum_either(group, "wbytes=", "Write ");
	add_usage(&accounting);
	return accounting;
}

/* Bytes as people write them: "100.0M". */
static void format_bytes(uint64_t bytes, char *text, size_t size)
{
	static const char units[] = "KMGTPE";
	size_t unit = 0;
	double value = (double)bytes / 1024;

	/* What would be rounded to 1024.0 is 1.0 of the next one. */
	for (; value >= 1023.95 && units[unit + 1]; unit++)
		value /= 1024;
	snprintf(text, size, "%.1f%c", value, units[unit]);
	/* "max", or on version 1 the largest number of pages */
	if (bytes > INT64_MAX / 2)
		snprintf(text, size, "none");
}

void accounting_warn(const struct accounting *accounting, const struct cgroup *group)
{
	char limit[32], peak[32];
	uint64_t killed = accounting->killed;

	if (killed == 0 || killed == ACCOUNTING_UNKNOWN)
		return;
	format_bytes(accounting->memory_limit, limit, sizeof(limit));
	format_bytes(accounting->memory_peak, peak, sizeof(peak));
	warn("out of memory: the kernel killed %" PRIu64
	     " process%s of cgroup '%s' (limit %s, peak %s)",
		killed, killed == 1 ? "" : "es", group->name, limit, peak);
	/* Some kernels do not count it on version 1; then the peak tells. */
	if (accounting->memory_max == 0 &&
		accounting->memory_peak < accounting->memory_limit - accounting->memory_limit / 4)
		hint("not by its own limit: by that of another cgroup, or of the machine");
}

/* In the order of the report. The name ends with the unit of a time or size. */
static const struct field {
	const char *name;
	size_t member;
} fields[] = {
	{ "wall_seconds", MEMBER(wall) },
	{ "user_seconds", MEMBER(user) },
	{ "system_seconds", MEMBER(system) },
	{ "throttled_seconds", MEMBER(throttled) },
	{ "throttled_periods", MEMBER(throttled_periods) },
	{ "memory_peak_bytes", MEMBER(memory_peak) },
	{ "memory_high_events", MEMBER(memory_high) },
	{ "memory_max_events", MEMBER(memory_max) },
	{ "memory_oom_events", MEMBER(out_of_memory) },
	{ "memory_oom_kills", MEMBER(killed) },
	{ "pids_peak", MEMBER(pids_peak) },
	{ "pids_max_events", MEMBER(pids_refused) },
	{ "io_read_bytes", MEMBER(read) },
	{ "io_written_bytes", MEMBER(written) },
};

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);

	return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* "memory_peak_bytes" becomes "memory peak". */
static void put_line(FILE *file, const char *name, const char *value)
{
	char words[32];

	snprintf(words, sizeof(words), "%s", name);
	if (ends_with(words, "_seconds") || ends_with(words, "_bytes"))
		*strrchr(words, '_') = '\0';
	for (char *line = words; (line = strchr(line, '_'));)
		*line = ' ';
	fprintf(file, "%-20s %s\n", words, value);
}

static void put_text(FILE *file, const struct field *field, uint64_t number)
{
	char value[64];

	if (number == ACCOUNTING_UNKNOWN)
		return;
	if (ends_with(field->name, "_bytes"))
		format_bytes(number, value, sizeof(value));
	else if (ends_with(field->name, "_seconds"))
		snprintf(value, sizeof(value), "%" PRIu64 ".%03" PRIu64 " s", number / 1000000,
			number % 1000000 / 1000);
	else
		snprintf(value, sizeof(value), "%" PRIu64, number);
	put_line(file, field->name, value);
}

static void put_json(FILE *file, const struct field *field, uint64_t number)
{
	if (number == ACCOUNTING_UNKNOWN)
		fprintf(file, "\"%s\": null, ", field->name);
	else if (ends_with(field->name, "_seconds"))
		fprintf(file, "\"%s\": %" PRIu64 ".%06" PRIu64 ", ", field->name, number / 1000000,
			number % 1000000);
	else
		fprintf(file, "\"%s\": %" PRIu64 ", ", field->name, number);
}

/* How COMMAND ended: by itself or by a signal. */
static void put_end(FILE *file, int status, bool json)
{
	bool killed = WIFSIGNALED(status);
	int number = killed ? WTERMSIG(status) : WEXITSTATUS(status);
	char value[16];

	snprintf(value, sizeof(value), "%d", number);
	if (json)
		fprintf(file, "\"exit_status\": %s, \"signal\": %s", killed ? "null" : value,
			killed ? value : "null");
	else
		put_line(file, killed ? "signal" : "exit_status", value);
}

int accounting_try_write(const struct accounting *accounting, int fd, bool json)
{
	char text[2048] = "";
	FILE *file = fmemopen(text, sizeof(text), "w");
	size_t length;

	if (!file)
		return -errno;
	fputs(json ? "{" : "", file);
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		uint64_t number;

		memcpy(&number, (const char *)accounting + fields[i].member, sizeof(number));
		(json ? put_json : put_text)(file, &fields[i], number);
	}
	put_end(file, accounting->status, json);
	fputs(json ? "}\n" : "", file);
	fclose(file);
	length = strlen(text);

	ssize_t written = write(fd, text, length);

	return written < 0 ? -errno : (size_t)written < length ? -ENOSPC : 0;
}
