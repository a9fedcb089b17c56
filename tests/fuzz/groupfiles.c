/* groupfiles: the files of a cgroup: counters, lists of controllers and of processes; and the report that is made of the counters. */
#include "common/accounting.h"
#include "common/subtree.c"
#include "tests/fuzz/fuzz.h"

enum { KEYED, NUMBER, DISKS, LIST, PARTS };

struct reading {
	struct cgroup *group;
	struct accounting accounting;
	bool killed;
	char missing[256];
	size_t processes;
};

static bool count_process(void *data, const char *pid)
{
	size_t *count = data;

	fuzz_check(!strchr(pid, '\n'));
	return ++*count < 1000;
}

static void read_all(void *data)
{
	static const struct timespec start;
	struct reading *reading = data;

	reading->accounting = accounting_read(reading->group, &start, 0);
	reading->killed = accounting_has_kills(reading->group);
	accounting_warn(&reading->accounting, reading->group);
	find_missing(AT_FDCWD, "+memory +pids +cpu", reading->missing, sizeof(reading->missing));
	visit_processes(AT_FDCWD, count_process, &reading->processes);
}

static void provide(const struct fuzz_part *parts)
{
	static const char *const keyed[] = { "cpu.stat", "memory.events", "memory.oom_control",
		"pids.events" };
	static const char *const numbers[] = { "memory.max", "memory.peak", "pids.peak",
		"memory.failcnt", "memory.memsw.failcnt" };

	for (size_t i = 0; i < sizeof(keyed) / sizeof(*keyed); i++)
		fuzz_file(keyed[i], parts[KEYED].text, parts[KEYED].size);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		fuzz_file(numbers[i], parts[NUMBER].text, parts[NUMBER].size);
	fuzz_file("io.stat", parts[DISKS].text, parts[DISKS].size);
	fuzz_file("cgroup.subtree_control", parts[LIST].text, parts[LIST].size);
	fuzz_file("cgroup.procs", parts[LIST].text, parts[LIST].size);
}

static void check_report(const struct accounting *accounting, bool json)
{
	char text[4096];
	int fd = memfd_create("report", MFD_CLOEXEC);
	size_t quotes = 0;

	fuzz_check(accounting_try_write(accounting, fd, json) == 0);

	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);

	/* What does not fit would be cut off without a word. */
	fuzz_check(length > 0 && length < 2047 && text[length - 1] == '\n');
	text[length] = '\0';
	for (ssize_t i = 0; i < length; i++)
		quotes += text[i] == '"';
	if (json)
		fuzz_check(quotes == 2 * 16 && text[0] == '{' && text[length - 2] == '}' &&
			strstr(text, "\"signal\": null"));
	close(fd);
}

/* "+word" is wanted and not in LIST as a word of its own. */
static void check_missing(const char *list, const char *missing)
{
	static const char *const wanted[] = { "memory", "pids", "cpu" };

	for (size_t i = 0; i < 3; i++)
		fuzz_check(!has_word(list, wanted[i]) || !has_word(missing, wanted[i]));
	fuzz_check(strlen(missing) <= sizeof("+memory +pids +cpu"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hierarchy hierarchy = {
		.version = 2, .controllers = ",cpu,memory,pids,io,", .own = (char *)"/group"
	};
	struct cgroup group = {
		.name = "group",
		.count = 1,
		.branches = { { .hierarchy = &hierarchy, .parent = AT_FDCWD, .directory = AT_FDCWD } },
	};
	struct reading reading = { .group = &group };
	struct fuzz_part parts[PARTS];

	fuzz_split(data, size, parts, PARTS);
	provide(parts);
	fuzz_check(fuzz_survive(read_all, &reading) == FUZZ_RETURNED);
	check_report(&reading.accounting, true);
	check_report(&reading.accounting, false);
	if (strlen(parts[LIST].text) < LIST_SIZE && !strchr(parts[LIST].text, '\n'))
		check_missing(parts[LIST].text, reading.missing);
	fuzz_free(parts, PARTS);
	return 0;
}
