/*
 * accounting: what the files of a group say on version 2 and version 1, as lines and as JSON, and what is said about processes that were killed. The
 * group is a directory.
 */
#include "common/accounting.h"

#include "common/report.h"
#include "tests/unit/groups.h"

#include <inttypes.h>
#include <signal.h>
#include <sys/resource.h>

#define UNKNOWN ACCOUNTING_UNKNOWN

/* Status words of wait(2). */
#define EXITED(status) ((status) << 8)
#define KILLED(signal) (signal)

static const char *const version_2[] = { "2 ,cpu,memory,pids,io,", NULL };
static const char *const version_1[] = { "1 ,cpu,", "1 ,cpuacct,", "1 ,memory,", "1 ,pids,",
	"1 ,blkio,", NULL };
static const char *const none[] = { "1 ,freezer,", NULL };

static void open_group(struct cgroup *group, const char *const *hierarchies)
{
	static struct hierarchy_layout layout;

	make_layout(&layout, hierarchies);
	make_group(group, &layout);
	for (size_t i = 0; i < group->count; i++) {
		char path[32];

		snprintf(path, sizeof(path), "%zu/job", i);
		groups_make(path);
		group->branches[i].directory = fd_open(groups_directory, path, O_PATH | O_DIRECTORY);
	}
}

/* --- what is counted --- */

struct reading {
	const char *name;
	const char *const *layout;
	const char *files[14][2];
	struct accounting wanted; /* without the wall time */
};

#define IO_2 \
	"8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=99 dios=9\n" \
	"8:16 rbytes=1000000 wbytes=1 rios=1 wios=2 dbytes=99 dios=9\n"
#define IO_1 \
	"8:0 Read 4096\n8:0 Write 8192\n8:0 Sync 77\n8:0 Async 66\n8:0 Discard 5\n8:0 Total 12288\n" \
	"8:16 Read 1000000\n8:16 Write 1\n8:16 Total 1000001\nTotal 1012289"

/* All unknown but what is given. */
#define ACCOUNTING(...) \
	{ \
		.user = UNKNOWN, .system = UNKNOWN, .throttled = UNKNOWN, \
		.throttled_periods = UNKNOWN, .memory_limit = UNKNOWN, .memory_peak = UNKNOWN, \
		.memory_high = UNKNOWN, .memory_max = UNKNOWN, .out_of_memory = UNKNOWN, \
		.killed = UNKNOWN, .pids_peak = UNKNOWN, .pids_refused = UNKNOWN, .read = UNKNOWN, \
		.written = UNKNOWN, __VA_ARGS__ \
	}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"

static const struct reading readings[] = {
	{ "version 2", version_2,
		{ { "0/job/cpu.stat",
			  "usage_usec 30\nuser_usec 10\nsystem_usec 20\nnr_periods 5\nnr_throttled 3\nthrottled_usec 4444\n" },
			{ "0/job/memory.max", "104857600\n" }, { "0/job/memory.peak", "99999744\n" },
			{ "0/job/memory.events",
				"low 7\nhigh 1\nmax 2\noom 3\noom_kill 4\noom_group_kill 5\n" },
			{ "0/job/pids.peak", "12\n" }, { "0/job/pids.events", "max 6\n" },
			{ "0/job/io.stat", IO_2 } },
		{ .user = 10,
			.system = 20,
			.throttled = 4444,
			.throttled_periods = 3,
			.memory_limit = 104857600,
			.memory_peak = 99999744,
			.memory_high = 1,
			.memory_max = 2,
			.out_of_memory = 3,
			.killed = 4,
			.pids_peak = 12,
			.pids_refused = 6,
			.read = 1004096,
			.written = 8193 } },
	{ "version 2, without limits and peaks", version_2,
		{ { "0/job/cpu.stat", "usage_usec 30\nuser_usec 10\nsystem_usec 20\n" },
			{ "0/job/memory.max", "max\n" },
			{ "0/job/memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n" },
			{ "0/job/io.stat", "" } },
		ACCOUNTING(.user = 10, .system = 20, .memory_high = 0, .memory_max = 0,
			.out_of_memory = 0, .killed = 0, .read = 0, .written = 0) },
	{ "version 1", version_1,
		{ { "0/job/cpu.stat", "nr_periods 5\nnr_throttled 3\nthrottled_time 4444999\n" },
			{ "1/job/cpuacct.usage_user", "10999\n" },
			{ "1/job/cpuacct.usage_sys", "20000\n" },
			{ "2/job/memory.limit_in_bytes", "104857600\n" },
			{ "2/job/memory.max_usage_in_bytes", "99999744\n" },
			{ "2/job/memory.failcnt", "2\n" },
			{ "2/job/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n" },
			{ "3/job/pids.peak", "12\n" }, { "3/job/pids.events", "max 6\n" },
			{ "4/job/blkio.throttle.io_service_bytes_recursive", IO_1 },
			{ "4/job/blkio.throttle.io_service_bytes", "8:0 Read 1\n" } },
		ACCOUNTING(.user = 10, .system = 20, .throttled = 4444, .throttled_periods = 3,
			.memory_limit = 104857600, .memory_peak = 99999744, .memory_max = 2,
			.killed = 4, .pids_peak = 12, .pids_refused = 6, .read = 1004096,
			.written = 8193) },
	{ "version 1, without limits", version_1,
		{ { "0/job/cpu.stat", "nr_periods 0\nnr_throttled 0\nthrottled_time 0\n" },
			{ "2/job/memory.limit_in_bytes", "9223372036854771712\n" },
			{ "2/job/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\n" },
			{ "4/job/blkio.throttle.io_service_bytes_recursive", "Total 0\n" } },
		ACCOUNTING(.user = 0, .system = 0, .throttled = 0, .throttled_periods = 0,
			.memory_limit = 9223372036854771712U, .read = 0, .written = 0) },
	{ "nothing is counted", none, { { NULL } }, ACCOUNTING(.user = 0, .system = 0) },
	{ "files that say nothing", version_2,
		{ { "0/job/cpu.stat", "" }, { "0/job/memory.max", "" }, { "0/job/memory.peak", "x\n" },
			{ "0/job/memory.events", "oom_kill\nhigh  1\nmax -1\nmaximum 5\n" },
			{ "0/job/pids.peak", "-1\n" },
			{ "0/job/io.stat", "8:0 rbytes= wbytes=x\n8:16 \nrbytes=5" } },
		ACCOUNTING(.user = 0, .system = 0, .read = 5, .written = 0) },
	{ "numbers that are as large as can be", version_2,
		{ { "0/job/memory.peak", "18446744073709551614\n" },
			{ "0/job/pids.peak", "18446744073709551616\n" } },
		ACCOUNTING(.user = 0, .system = 0, .memory_peak = UINT64_MAX - 1) },
};

#pragma GCC diagnostic pop

static int read_all(const void *data)
{
	const struct reading *row = data;
	static struct cgroup group;
	struct timespec start;
	struct accounting got, wanted = row->wanted;

	for (size_t i = 0; i < TAP_ROWS(row->files) && row->files[i][0]; i++)
		groups_write(row->files[i][0], row->files[i][1]);
	open_group(&group, row->layout);
	clock_gettime(CLOCK_MONOTONIC, &start);
	start.tv_sec -= 3;
	/* The nanoseconds of now are less than those of the start, or not. */
	start.tv_nsec = start.tv_nsec % 2 ? 0 : 999999999;
	got = accounting_read(&group, &start, 1234);
	if (got.wall < 1900000 || got.wall > (3 + TAP_SECONDS) * UINT64_C(1000000))
		return 1;
	if (got.status != 1234)
		return 2;
	wanted.wall = got.wall;
	wanted.status = got.status;
	for (size_t i = 0; i < offsetof(struct accounting, status) / sizeof(uint64_t); i++) {
		uint64_t one, other;

		memcpy(&one, (char *)&got + i * sizeof(one), sizeof(one));
		memcpy(&other, (char *)&wanted + i * sizeof(other), sizeof(other));
		if (one != other)
			printf("member %zu is %" PRIu64 " and not %" PRIu64 "\n", i, one, other);
	}
	return 42;
}

static void clear_all(void)
{
	static const char *const all[] = { "0", "1", "2", "3", "4" };

	for (size_t i = 0; i < TAP_ROWS(all); i++)
		groups_clear(all[i]);
}

static void test_readings(void)
{
	for (size_t i = 0; i < TAP_ROWS(readings); i++) {
		struct outcome outcome = run(read_all, &readings[i]);

		is_exit(&outcome, 42, "read: %s", readings[i].name);
		is_text(outcome.out, "", "... every counter");
		is_text(outcome.err, "", "... no message");
		clear_all();
	}
}

/* Without a controller that counts it, the times are those of children. */
static int read_usage(const void *data)
{
	static struct cgroup group;
	struct timespec start;
	struct accounting accounting;
	pid_t pid = tap_fork();

	(void)data;
	if (pid == 0) {
		struct timespec used = { 0 };

		while (used.tv_sec == 0 && used.tv_nsec < 50000000)
			clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
		_exit(0);
	}
	tap_wait(pid);
	open_group(&group, none);
	clock_gettime(CLOCK_MONOTONIC, &start);
	accounting = accounting_read(&group, &start, 0);
	return accounting.user + accounting.system >= 30000 &&
			accounting.user + accounting.system < TAP_SECONDS * UINT64_C(1000000) ?
		42 :
		1;
}

/* --- what is planned --- */

static int plan(const void *data)
{
	static struct hierarchy_layout layout;
	struct cgroup *group;

	make_layout(&layout, data);
	group = cgroup_plan(&layout, "job", false);
	cgroup_plan_controller(group, &layout, "memory", false);
	accounting_plan(group, &layout);
	printf("%zu %s?%s", group->count, group->subtree.enable, group->subtree.wish);
	return 42;
}

static void test_plan(void)
{
	static const char *const few[] = { "2 ,pids,cpuset,", NULL };
	struct outcome outcome = run(plan, version_2);

	is_exit(&outcome, 42, "plan on version 2");
	is_text(outcome.out, "1 +memory?+cpu +memory +pids +io", "... as wishes");
	outcome = run(plan, few);
	is_text(outcome.out, "1 ?+pids", "... of what is there");
	outcome = run(plan, version_1);
	is_text(outcome.out, "5 ?", "plan on version 1");
	clear_all();
}

/* --- what is written --- */

struct writing {
	const char *name;
	struct accounting accounting;
	const char *text, *json;
};

#define NULLS \
	"\"throttled_seconds\": null, \"throttled_periods\": null, \"memory_peak_bytes\": null, " \
	"\"memory_high_events\": null, \"memory_max_events\": null, \"memory_oom_events\": null, " \
	"\"memory_oom_kills\": null, \"pids_peak\": null, \"pids_max_events\": null, " \
	"\"io_read_bytes\": null, \"io_written_bytes\": null, "

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"

static const struct writing writings[] = {
	{ "all that there is",
		{ .wall = 61234567,
			.user = 1000,
			.system = 999,
			.throttled = 1000000,
			.throttled_periods = 5,
			.memory_limit = 1,
			.memory_peak = 104857600,
			.memory_high = 1,
			.memory_max = 2,
			.out_of_memory = 3,
			.killed = 4,
			.pids_peak = 7,
			.pids_refused = 8,
			.read = 1536,
			.written = 0,
			.status = EXITED(0) },
		"wall                 61.234 s\n"
		"user                 0.001 s\n"
		"system               0.000 s\n"
		"throttled            1.000 s\n"
		"throttled periods    5\n"
		"memory peak          100.0M\n"
		"memory high events   1\n"
		"memory max events    2\n"
		"memory oom events    3\n"
		"memory oom kills     4\n"
		"pids peak            7\n"
		"pids max events      8\n"
		"io read              1.5K\n"
		"io written           0.0K\n"
		"exit status          0\n",
		"{\"wall_seconds\": 61.234567, \"user_seconds\": 0.001000, \"system_seconds\": 0.000999, "
		"\"throttled_seconds\": 1.000000, \"throttled_periods\": 5, \"memory_peak_bytes\": 104857600, "
		"\"memory_high_events\": 1, \"memory_max_events\": 2, \"memory_oom_events\": 3, "
		"\"memory_oom_kills\": 4, \"pids_peak\": 7, \"pids_max_events\": 8, "
		"\"io_read_bytes\": 1536, \"io_written_bytes\": 0, \"exit_status\": 0, \"signal\": null}\n" },
	{ "nothing but times", ACCOUNTING(.wall = 5, .user = 0, .system = 0, .status = EXITED(255)),
		"wall                 0.000 s\n"
		"user                 0.000 s\n"
		"system               0.000 s\n"
		"exit status          255\n",
		"{\"wall_seconds\": 0.000005, \"user_seconds\": 0.000000, \"system_seconds\": 0.000000, " NULLS
		"\"exit_status\": 255, \"signal\": null}\n" },
	{ "ended by a signal", ACCOUNTING(.wall = 3600000000, .status = KILLED(SIGKILL)),
		"wall                 3600.000 s\n"
		"signal               9\n",
		"{\"wall_seconds\": 3600.000000, \"user_seconds\": null, \"system_seconds\": null, " NULLS
		"\"exit_status\": null, \"signal\": 9}\n" },
	{ "ended by a signal with a core dump",
		ACCOUNTING(.wall = 0, .status = KILLED(SIGSEGV) | 0x80),
		"wall                 0.000 s\nsignal               11\n",
		"{\"wall_seconds\": 0.000000, \"user_seconds\": null, \"system_seconds\": null, " NULLS
		"\"exit_status\": null, \"signal\": 11}\n" },
};

#pragma GCC diagnostic pop

static int write_text(const void *data)
{
	return accounting_try_write(data, STDOUT_FILENO, false) == 0 ? 42 : 1;
}

static int write_json(const void *data)
{
	return accounting_try_write(data, STDOUT_FILENO, true) == 0 ? 42 : 1;
}

static void test_writings(void)
{
	for (size_t i = 0; i < TAP_ROWS(writings); i++) {
		struct outcome outcome = run(write_text, &writings[i].accounting);

		is_exit(&outcome, 42, "write: %s", writings[i].name);
		is_text(outcome.out, writings[i].text, "... the lines");
		outcome = run(write_json, &writings[i].accounting);
		is_exit(&outcome, 42, "... as JSON");
		is_text(outcome.out, writings[i].json, "... the object");
	}
}

/* The longest report that there can be is whole. */
static void test_longest(void)
{
	struct accounting accounting;
	struct outcome outcome;
	size_t length;

	memset(&accounting, 0xff, sizeof(accounting));
	for (size_t i = 0; i < offsetof(struct accounting, status) / sizeof(uint64_t); i++)
		((uint64_t *)(void *)&accounting)[i]--;
	accounting.status = EXITED(255);
	outcome = run(write_json, &accounting);
	length = strlen(outcome.out);
	is_exit(&outcome, 42, "the longest report");
	ok(length > 2 && strcmp(outcome.out + length - 2, "}\n") == 0, "... is whole as JSON");
	outcome = run(write_text, &accounting);
	has_text(outcome.out, "\nexit status          255\n", "... and in lines");
	has_text(outcome.out, "\nmemory peak          none\n", "... with a size beyond all sizes");
}

static void test_sizes(void)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
		{ 0, "0.0K" },
		{ 512, "0.5K" },
		{ 1024, "1.0K" },
		{ 4096, "4.0K" },
		{ 1047552, "1023.0K" },
		{ 1048575, "1.0M" },
		{ 1048576, "1.0M" },
		{ 1572864, "1.5M" },
		{ 1073741823, "1.0G" },
		{ 1073741824, "1.0G" },
		{ UINT64_C(1) << 40, "1.0T" },
		{ UINT64_C(1) << 50, "1.0P" },
		{ UINT64_C(1) << 60, "1.0E" },
		{ UINT64_C(9223372036854771712), "none" },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		struct accounting accounting = { .memory_peak = rows[i].bytes };
		struct outcome outcome = run(write_text, &accounting);
		char wanted[64];

		snprintf(wanted, sizeof(wanted), "\nmemory peak          %s\n", rows[i].text);
		has_text(outcome.out, wanted, "%" PRIu64 " bytes are %s", rows[i].bytes, rows[i].text);
	}
}

/* A disk that is full behind the first bytes. */
static int write_short(const void *data)
{
	struct rlimit limit = { .rlim_cur = 16, .rlim_max = 16 };
	int fd = openat(groups_directory, "short", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)data;
	signal(SIGXFSZ, SIG_IGN);
	return setrlimit(RLIMIT_FSIZE, &limit) == 0 &&
			accounting_try_write(&(struct accounting){ 0 }, fd, true) == -ENOSPC ?
		42 :
		1;
}

static void test_unwritable(void)
{
	static const struct accounting accounting;
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	int plain = open("/dev/null", O_RDONLY | O_CLOEXEC);

	for (int json = 0; json < 2; json++) {
		is_number(accounting_try_write(&accounting, full, json), -ENOSPC,
			"write to a full disk");
		is_number(accounting_try_write(&accounting, plain, json), -EBADF,
			"... to what is open for reading");
		is_number(accounting_try_write(&accounting, 9999, json), -EBADF, "... to no fd");
	}
	close(full);
	close(plain);

	struct outcome outcome = run(write_short, NULL);

	is_exit(&outcome, 42, "write to a disk that gets full");
}

/* --- where to --- */

static int open_file(const void *data)
{
	int fd = accounting_open(data, STDERR_FILENO);

	return fd > STDERR_FILENO && (fcntl(fd, F_GETFD) & FD_CLOEXEC) &&
			accounting_try_write(&(struct accounting){ 0 }, fd, true) == 0 ?
		42 :
		1;
}

static int open_closed(const void *data)
{
	(void)data;
	accounting_open(NULL, 999);
	return 42;
}

static void test_open(void)
{
	char path[sizeof(groups_base) + 16];
	int fd = open("/dev/null", O_WRONLY); /* NOLINT: COMMAND would get it */
	struct outcome outcome;
	struct stat status;
	int copy;

	copy = accounting_open(NULL, STDERR_FILENO);
	ok(copy > STDERR_FILENO && (fcntl(copy, F_GETFD) & FD_CLOEXEC), "standard error is copied");
	ok(!(fcntl(STDERR_FILENO, F_GETFD) & FD_CLOEXEC), "... it stays with COMMAND");
	close(copy);
	copy = accounting_open(NULL, fd);
	ok(copy > STDERR_FILENO && (fcntl(copy, F_GETFD) & FD_CLOEXEC), "an fd is copied");
	ok(fcntl(fd, F_GETFD) & FD_CLOEXEC, "... it does not");
	close(copy);
	close(fd);
	outcome = run(open_closed, NULL);
	is_exit(&outcome, STATUS_FAILED, "an fd that is not open");
	has_text(outcome.err, "cannot write statistics to fd 999: Bad file descriptor\n",
		"... the message");

	snprintf(path, sizeof(path), "%s/used", groups_base);
	outcome = run(open_file, path);
	is_exit(&outcome, 42, "a new file");
	make_file(groups_directory, "used", 0600, "much more than that before it was opened anew\n");
	outcome = run(open_file, path);
	is_exit(&outcome, 42, "a file that is there");
	ok(fstatat(groups_directory, "used", &status, 0) == 0 && status.st_size > 300 &&
			strncmp(groups_read("used"), "(unreadable)", 5) == 0,
		"... holds the report");
	snprintf(path, sizeof(path), "%s/no/such", groups_base);
	outcome = run(open_file, path);
	is_exit(&outcome, STATUS_FAILED, "a file that cannot be made");
	has_text(outcome.err, "no/such': No such file or directory\n", "... the message");
}

/* --- what was killed --- */

static int warn_of(const void *data)
{
	const struct cgroup group = { .name = "job" };

	program_invocation_short_name = (char *)"test_accounting";
	accounting_warn(data, &group);
	return 42;
}

static void test_warn(void)
{
#define OOM "test_accounting: out of memory: the kernel killed "
	static const struct {
		struct accounting accounting;
		const char *message;
	} rows[] = {
		{ { .killed = 0, .memory_max = 5 }, "" },
		{ { .killed = UNKNOWN, .memory_max = 5 }, "" },
		{ { .killed = 1, .memory_max = 5, .memory_limit = 104857600, .memory_peak = 104857600 },
			OOM "1 process of cgroup 'job' (limit 100.0M, peak 100.0M)\n" },
		{ { .killed = 2, .memory_max = UNKNOWN, .memory_limit = UNKNOWN, .memory_peak = 1536 },
			OOM "2 processes of cgroup 'job' (limit none, peak 1.5K)\n" },
		{ { .killed = 3,
			  .memory_max = 0,
			  .memory_limit = 9223372036854771712U,
			  .memory_peak = 1048576 },
			OOM
			"3 processes of cgroup 'job' (limit none, peak 1.0M)\n"
			"test_accounting: hint: not by its own limit: by that of another cgroup, or of the machine\n" },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		struct outcome outcome = run(warn_of, &rows[i].accounting);

		is_exit(&outcome, 42, "%lld were killed", (long long)rows[i].accounting.killed);
		is_text(outcome.err, rows[i].message, "... the message");
	}
}

static int has_kills(const void *data)
{
	static struct cgroup group;

	open_group(&group, data);
	return accounting_has_kills(&group) ? 42 : 43;
}

static void test_kills(void)
{
	static const struct {
		const char *const *layout;
		const char *file, *text;
		bool killed;
	} rows[] = {
		{ version_2, "0/job/memory.events", "oom 5\noom_kill 0\noom_group_kill 7\n", false },
		{ version_2, "0/job/memory.events", "oom 0\noom_kill 1\n", true },
		{ version_2, "0/job/memory.events", "oom 1\n", false },
		{ version_2, "0/job/other", "oom_kill 1\n", false },
		{ version_1, "2/job/memory.oom_control", "oom_kill_disable 0\noom_kill 2\n", true },
		{ version_1, "2/job/memory.oom_control", "oom_kill_disable 1\noom_kill 0\n", false },
		{ none, "0/job/freezer.state", "THAWED\n", false },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		groups_write(rows[i].file, rows[i].text);

		struct outcome outcome = run(has_kills, rows[i].layout);

		is_exit(&outcome, rows[i].killed ? 42 : 43, "kills in '%s'", tap_show(rows[i].text));
		clear_all();
	}
}

int main(void)
{
	struct outcome outcome;

	groups_begin();
	test_readings();
	outcome = run(read_usage, NULL);
	is_exit(&outcome, 42, "the times of children");
	test_plan();
	test_writings();
	test_longest();
	test_sizes();
	test_unwritable();
	test_open();
	test_warn();
	test_kills();
	groups_end();
	return tap_end();
}
