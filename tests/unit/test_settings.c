/*
 * settings: what is written in which order, and what counts as the same when it is read back. The cgroup is one of this test's own making, which
 * can answer anything: cgroup_try_write() and cgroup_try_read() are defined here.
 */
#include "common/settings.h"

#include "common/report.h"
#include "tests/unit/tap.h"

/* A file of the cgroup. */
struct file {
	const char *name;
	const char *text; /* what it reads as, whatever is written; NULL: it can only be written */
	int write_error;  /* 0 or -errno */
	int read_error;   /* 0 or -errno, once something has been written */
};

enum { FILES_MAX = 6 };

static const struct file *files;
static int written;

static const struct file *find_file(const char *name)
{
	for (size_t i = 0; i < FILES_MAX && files[i].name; i++) {
		if (strcmp(files[i].name, name) == 0)
			return &files[i];
	}
	return NULL;
}

int cgroup_try_write(const struct cgroup *group, const char *file, const char *value)
{
	const struct file *found = find_file(file);

	(void)group;
	printf("%s=%s\n", file, value);
	written++;
	return found ? found->write_error : -ENOENT;
}

ssize_t cgroup_try_read(const struct cgroup *group, const char *file, char *text, size_t size)
{
	const struct file *found = find_file(file);

	(void)group;
	if (!found)
		return -ENOENT;
	if (!found->text)
		return -EINVAL;
	if (written && found->read_error)
		return found->read_error;
	snprintf(text, size, "%s", found->text);
	return (ssize_t)strlen(text);
}

bool cgroup_nearest_file(const struct cgroup *group, const char *file, char *nearest, size_t size)
{
	(void)group;
	snprintf(nearest, size, "meant.x");
	return strcmp(file, "maent.x") == 0;
}

/* --- what is the same --- */

struct comparison {
	const char *file;
	const char *wanted;
	const char *got;
	bool same;
};

#define IO "8:0 rbps=1048576 wbps=max riops=max wiops=max"
#define IO_OTHER "18:0 rbps=max wbps=2097152 riops=max wiops=120"
#define OOM(disabled) "oom_kill_disable " disabled "\nunder_oom 0\noom_kill 0"

static const struct comparison comparisons[] = {
	/* as it was written */
	{ "pids.max", "100", "100", true },
	{ "pids.max", "max", "max", true },
	{ "memory.max", "max", "max", true },
	{ "cpuset.cpus.partition", "root", "root", true },
	{ "cpuset.cpus.partition", "isolated", "isolated", true },
	{ "net_cls.classid", "1048577", "1048577", true },
	{ "freezer.state", "FROZEN", "FROZEN", true },
	{ "a.file", "several words", "several words", true },
	{ "cgroup.max.depth", "3", "3", true },
	/* another value */
	{ "pids.max", "100", "1000", false },
	{ "pids.max", "100", "10", false },
	{ "pids.max", "100", "max", false },
	{ "pids.max", "max", "100", false },
	{ "pids.max", "100", "", false },
	{ "pids.max", "100", "99", false },
	{ "pids.max", "100", "100 ", false },
	{ "pids.max", "1", "10", false },
	{ "cpuset.cpus.partition", "root", "root invalid", false },
	{ "cpuset.cpus.partition", "root", "root invalid (Parent is not a partition root)", false },
	{ "cpuset.cpus.partition", "isolated", "isolated invalid (Cpu list is empty)", false },
	{ "cpuset.cpus.partition", "root", "member", false },
	{ "cpuset.cpus.partition", "member", "root", false },
	{ "freezer.state", "FROZEN", "FREEZING", false },
	{ "a.file", "word", "another", false },
	{ "a.file", "word", "word and more", false },
	{ "a.file", "word", "wor", false },
	/* numbers, and letters for sizes */
	{ "pids.max", "0100", "100", true },
	{ "pids.max", "1K", "1024", true },
	{ "pids.max", "1k", "1024", true },
	{ "cpu.weight", "100", "100", true },
	{ "cpu.weight.nice", "-5", "-5", true },
	{ "cpu.weight.nice", "-5", "5", false },
	{ "cpu.weight.nice", "-5", "-6", false },
	{ "cpu.cfs_quota_us", "50000", "50001", false },
	{ "cpu.max.burst", "5000", "5000", true },
	{ "cpu.max.burst", "5000", "0", false },
	{ "cpu.uclamp.min", "50.00", "50.00", true },
	{ "cpu.uclamp.min", "50.00", "0.00", false },
	/* pages */
	{ "memory.max", "104857600", "104857600", true },
	{ "memory.max", "100M", "104857600", true },
	{ "memory.max", "100M", "104857601", false },
	{ "memory.max", "100M", "100", false },
	{ "memory.max", "100M", "max", false },
	{ "memory.max", "5000000", "4997120", true },
	{ "memory.max", "5000000", "5001216", false },
	{ "memory.max", "5000000", "4993024", false },
	{ "memory.max", "5000000", "49971200", false },
	{ "memory.high", "1.5K", "0", false },
	{ "memory.limit_in_bytes", "8191", "4096", true },
	{ "memory.limit_in_bytes", "8192", "4096", false },
	{ "memory.limit_in_bytes", "8192", "12288", false },
	{ "memory.memsw.limit_in_bytes", "10001", "8192", true },
	{ "memory.swap.max", "0", "0", true },
	{ "memory.swap.max", "0", "max", false },
	{ "memory.swap.max", "0", "4096", false },
	/* not everything of memory is a size */
	{ "memory.swappiness", "60", "60", true },
	{ "memory.oom.group", "1", "1", true },
	/* huge pages */
	{ "hugetlb.2MB.max", "5M", "4194304", true },
	{ "hugetlb.2MB.max", "5M", "5242880", false },
	{ "hugetlb.2MB.max", "4M", "4194304", true },
	{ "hugetlb.2MB.max", "4M", "2097152", false },
	{ "hugetlb.2MB.max", "1M", "0", false },
	{ "hugetlb.2MB.rsvd.max", "5M", "4194304", true },
	{ "hugetlb.1GB.max", "1.5G", "1073741824", true },
	{ "hugetlb.1GB.max", "2G", "1073741824", false },
	{ "hugetlb.64KB.limit_in_bytes", "100000", "65536", true },
	{ "hugetlb.64KB.limit_in_bytes", "100000", "98304", false },
	{ "hugetlb.2MB.limit_in_bytes", "5M", "4194304", true },
	/* no limit, on version 1 */
	{ "memory.limit_in_bytes", "-1", "9223372036854771712", true },
	{ "memory.limit_in_bytes", "-1", "9223372036854775807", true },
	{ "hugetlb.2MB.limit_in_bytes", "-1", "9223372036852678656", true },
	{ "cpu.cfs_quota_us", "-1", "-1", true },
	{ "cpu.cfs_quota_us", "-1", "100000", false },
	{ "memory.limit_in_bytes", "-1", "104857600", false },
	{ "memory.limit_in_bytes", "-1", "1", false },
	{ "memory.limit_in_bytes", "-1", "", false },
	{ "memory.limit_in_bytes", "-10", "9223372036854771712", false },
	{ "memory.limit_in_bytes", "100M", "9223372036854771712", false },
	/* lists */
	{ "cpuset.cpus", "0-1", "0-1", true },
	{ "cpuset.cpus", "0,1", "0-1", true },
	{ "cpuset.cpus", "1,0", "0-1", true },
	{ "cpuset.cpus", "0-2,1-3,5", "0-3,5", true },
	{ "cpuset.cpus", "00", "0", true },
	{ "cpuset.cpus", "0-1", "0-3", false },
	{ "cpuset.cpus", "0-3", "0-1", false },
	{ "cpuset.cpus", "0,1", "0", false },
	{ "cpuset.cpus", "1", "10", false },
	{ "cpuset.cpus", "1", "0-1", false },
	{ "cpuset.cpus", "0", "", false },
	{ "cpuset.mems", "0,1", "0-1", true },
	{ "cpuset.mems", "0", "1", false },
	{ "cpuset.cpus.exclusive", "2,3", "2-3", true },
	{ "cpuset.cpus.exclusive", "2-3", "2", false },
	{ "pids.list", "0,1", "0-1", false },
	/* a limit and its period */
	{ "cpu.max", "50000 100000", "50000 100000", true },
	{ "cpu.max", "50000", "50000 100000", true },
	{ "cpu.max", "max", "max 100000", true },
	{ "cpu.max", "max 50000", "max 50000", true },
	{ "cpu.max", "50000 100000", "50000 10000", false },
	{ "cpu.max", "50000 100000", "100000 50000", false },
	{ "cpu.max", "50000 100000", "max 100000", false },
	{ "cpu.max", "50000", "5000 100000", false },
	{ "cpu.max", "50000", "500000 100000", false },
	{ "cpu.max", "50000", "max 100000", false },
	{ "cpu.max", "max", "50000 100000", false },
	{ "cpu.max", "100000", "max 100000", false },
	{ "cpu.max", "100000", "50000 100000", false },
	/* a key that is not written */
	{ "memory.oom_control", "1", OOM("1"), true },
	{ "memory.oom_control", "0", OOM("0"), true },
	{ "memory.oom_control", "1", OOM("0"), false },
	{ "memory.oom_control", "0", OOM("1"), false },
	{ "memory.oom_control", "0", "oom_kill_disable 1\nunder_oom 0", false },
	{ "io.weight", "200", "default 200", true },
	{ "io.weight", "default 200", "default 200", true },
	{ "io.weight", "200", "default 200\n8:0 100", true },
	{ "io.weight", "default 200", "default 200\n8:0 100", true },
	{ "io.bfq.weight", "200", "default 200", true },
	{ "io.weight", "200", "default 100", false },
	{ "io.weight", "200", "default 2000", false },
	{ "io.weight", "20", "default 200", false },
	{ "io.weight", "200", "default 100\n8:0 200", false },
	{ "io.weight", "8:0 200", "default 100\n8:0 200", true },
	{ "io.weight", "8:0 200", "default 200\n8:0 100", false },
	{ "io.weight", "8:0 200", "default 200", false },
	{ "blkio.bfq.weight", "200", "200", true },
	{ "blkio.bfq.weight", "200", "100", false },
	{ "cpu.weight", "100", "1000", false },
	/* a line for each device */
	{ "io.max", "8:0 rbps=1048576", IO, true },
	{ "io.max", "8:0 rbps=1048576", IO_OTHER "\n" IO, true },
	{ "io.max", "8:0 rbps=1048576", IO "\n" IO_OTHER, true },
	{ "io.max", "18:0 wbps=2097152 wiops=120", IO "\n" IO_OTHER, true },
	{ "io.max", "18:0 wiops=120 wbps=2097152", IO "\n" IO_OTHER, true },
	{ "io.max", "18:0 wiops=120 rbps=max", IO "\n" IO_OTHER, true },
	{ "io.max", "8:0 rbps=10", "8:0 rbps=100 wbps=max riops=max wiops=max", false },
	{ "io.max", "8:0 rbps=100", "8:0 rbps=10 wbps=max riops=max wiops=max", false },
	{ "io.max", "8:0 rbps=10", "8:0 rbps=max wbps=10 riops=10 wiops=10", false },
	{ "io.max", "8:0 rbps=10", "8:0 rbps=max wbps=max riops=max wiops=max", false },
	{ "io.max", "8:0 rbps=1048576", "18:0 rbps=1048576 wbps=max riops=max wiops=max", false },
	{ "io.max", "18:0 rbps=1048576", IO, false },
	{ "io.max", "8:0 rbps=1048576", "8:01 rbps=1048576 wbps=max riops=max wiops=max", false },
	{ "io.max", "8:0 rbps=1048576 wbps=1", IO, false },
	{ "io.max", "8:0 wbps=2097152", IO "\n" IO_OTHER, false },
	{ "io.max", "8:0 bps=1048576", IO, false },
	{ "io.max", "8:0 rbps=10", "", false },
	{ "blkio.throttle.read_bps_device", "8:0 1048576", "8:0 1048576", true },
	{ "blkio.throttle.read_bps_device", "8:0 1048576", "18:0 1048576\n8:0 1048576", true },
	{ "blkio.throttle.read_bps_device", "8:0 1048576", "8:0 10485760", false },
	{ "blkio.throttle.read_bps_device", "8:0 1048576", "18:0 1048576", false },
	{ "blkio.throttle.read_bps_device", "8:0 1048576", "18:0 1048576\n8:0 1", false },
	{ "blkio.throttle.read_bps_device", "8:0 1048576", "", false },
	{ "rdma.max", "mlx4_0 hca_handle=2", "mlx4_0 hca_handle=2 hca_object=max", true },
	{ "rdma.max", "mlx4_0 hca_handle=2", "mlx4_0 hca_handle=3 hca_object=max", false },
	/* a device without limits is not listed */
	{ "io.max", "8:0 rbps=max", IO_OTHER, true },
	{ "io.max", "8:0 rbps=max wiops=max", IO_OTHER, true },
	{ "io.max", "8:0 rbps=max", "", true },
	{ "io.max", "8:0 rbps=max", IO, false },
	{ "io.max", "8:0 rbps=max wbps=10", IO_OTHER, false },
	{ "io.max", "8:0 rbps=10max", IO_OTHER, false },
	{ "blkio.throttle.read_bps_device", "8:0 0", "18:0 1048576", true },
	{ "blkio.throttle.read_bps_device", "8:0 0", "", true },
	{ "blkio.throttle.read_bps_device", "8:0 0", "8:0 1048576", false },
	{ "blkio.throttle.read_bps_device", "8:0 10", "18:0 1048576", false },
};

static int compare(const void *data)
{
	const struct comparison *row = data;
	const struct file list[FILES_MAX] = { { row->file, row->got } };
	static struct settings settings;
	static const struct cgroup group;

	files = list;
	settings_add(&settings, "option", row->file, row->wanted);
	return settings_apply(&settings, &group) ? 42 : 43;
}

static void test_comparisons(void)
{
	for (size_t i = 0; i < TAP_ROWS(comparisons); i++) {
		const struct comparison *row = &comparisons[i];
		struct outcome outcome = run(compare, row);
		char message[512];

		is_exit(&outcome, row->same ? 42 : 43, "%s: '%s' %s '%s'", row->file, row->wanted,
			row->same ? "holds as" : "does not hold as", tap_show(row->got));
		snprintf(message, sizeof(message), "'%s' of the cgroup is '", row->file);
		if (row->same)
			is_text(outcome.err, "", "... without a message");
		else
			has_text(outcome.err, message, "... it is said");
	}
}

/* What the kernel has for 1 where it is no size: rounding would hide a 0. */
static void test_flags(void)
{
	static const struct comparison rows[] = {
		{ "memory.oom.group", "1", "0", false },
		{ "memory.swappiness", "60", "0", false },
		{ "memory.use_hierarchy", "1", "0", false },
		{ "memory.zswap.writeback", "1", "0", false },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		struct outcome outcome = run(compare, &rows[i]);

		is_exit(&outcome, 43, "%s: '%s' does not hold as '%s'", rows[i].file,
			rows[i].wanted, rows[i].got);
	}
}

/* --- how they are applied --- */

struct application {
	const char *name;
	struct setting settings[4];
	struct file files[FILES_MAX];
	const char *written;
	bool applied;
	const char *message; /* part of standard error; "" for nothing at all */
};

static const struct application applications[] = {
	{ "nothing", { { 0 } }, { { 0 } }, "", true, "" },
	{ "in their order",
		{ { .file = "b.x", .value = "1" }, { .file = "a.x", .value = "2" },
			{ .file = "c.x", .value = "3" } },
		{ { "a.x", "2" }, { "b.x", "1" }, { "c.x", "3" } }, "b.x=1\na.x=2\nc.x=3\n", true,
		"" },
	{ "all are written before any is read back",
		{ { .file = "a.x", .value = "1" }, { .file = "b.x", .value = "2" } },
		{ { "a.x", "9" }, { "b.x", "2" } }, "a.x=1\nb.x=2\n", false,
		"'a.x' of the cgroup is '9' and not '1' as asked\n" },
	{ "one that a later one undoes",
		{ { .file = "a.x", .value = "1" }, { .file = "a.x", .value = "2" } },
		{ { "a.x", "2" } }, "a.x=1\na.x=2\n", false, "is '2' and not '1'" },
	{ "what can only be written", { { .file = "a.x", .value = "1" } }, { { "a.x", NULL } },
		"a.x=1\n", true, "" },
	{ "what may not be read", { { .file = "a.x", .value = "1" } },
		{ { "a.x", "1", .read_error = -EACCES } }, "a.x=1\n", true, "" },
	{ "a file that cannot be read any more", { { .file = "a.x", .value = "1" } },
		{ { "a.x", "1", .read_error = -ENODEV } }, "a.x=1\n", false,
		"cannot read 'a.x' of the cgroup back: No such device\n" },
	{ "more than can be compared",
		{ { .option = "this", .file = "a.x", .value = "1", .tried = true } },
		{ { "a.x", "1", .read_error = -EFBIG } }, "a.x=1\n", true,
		"cannot read 'a.x' of the cgroup back: File too large\n"
		"test_settings: hint: COMMAND runs without it, as --try-this allows\n" },
	{ "a file that is not there",
		{ { .file = "a.x", .value = "1" }, { .file = "b.x", .value = "2" } },
		{ { "b.x", "2" } }, "a.x=1\n", false,
		"cannot set 'a.x' to '1': No such file or directory\n"
		"test_settings: hint: this kernel, or this version of cgroups, has no such file" },
	{ "a file that is not there, like one that is", { { .file = "maent.x", .value = "1" } },
		{ { 0 } }, "maent.x=1\n", false,
		"cannot set 'maent.x' to '1': No such file or directory\n"
		"test_settings: hint: did you mean 'meant.x'?\n" },
	{ "a value that is refused", { { .file = "a.x", .value = "1" } },
		{ { "a.x", "0", -EINVAL } }, "a.x=1\n", false,
		"Invalid argument\ntest_settings: hint: the kernel, or a limit of a group above, does not allow this" },
	{ "a value out of range", { { .file = "a.x", .value = "1" } }, { { "a.x", "0", -ERANGE } },
		"a.x=1\n", false,
		"hint: the kernel, or a limit of a group above, does not allow this value" },
	{ "a disk that is not there", { { .file = "io.max", .value = "8:1 rbps=1" } },
		{ { "io.max", "", -ENODEV } }, "io.max=8:1 rbps=1\n", false,
		"hint: there is no such disk; a partition" },
	{ "no permission", { { .file = "a.x", .value = "1" } }, { { "a.x", "0", -EACCES } },
		"a.x=1\n", false, "cannot set 'a.x' to '1': Permission denied\n" },
	{ "no permission, for what reads as asked", { { .file = "a.x", .value = "1" } },
		{ { "a.x", "1", -EACCES } }, "a.x=1\n", false, "Permission denied\n" },
	/* tried */
	{ "tried, not there",
		{ { .option = "this", .file = "a.x", .value = "1", .tried = true },
			{ .file = "b.x", .value = "2" } },
		{ { "b.x", "2" } }, "a.x=1\nb.x=2\n", true,
		"cannot set 'a.x' to '1': No such file or directory\n"
		"test_settings: hint: COMMAND runs without it, as --try-this allows\n" },
	{ "tried, refused", { { .option = "this", .file = "a.x", .value = "1", .tried = true } },
		{ { "a.x", "7", -EPERM } }, "a.x=1\n", true,
		"cannot set 'a.x' to '1': Operation not permitted\n"
		"test_settings: hint: COMMAND runs without it, as --try-this allows\n" },
	{ "tried, something else than asked",
		{ { .option = "this", .file = "a.x", .value = "1", .tried = true },
			{ .file = "b.x", .value = "2" } },
		{ { "a.x", "9" }, { "b.x", "3" } }, "a.x=1\nb.x=2\n", false,
		"hint: COMMAND runs without it, as --try-this allows\n"
		"test_settings: 'b.x' of the cgroup is '3' and not '2'" },
	{ "tried, and it holds", { { .option = "this", .file = "a.x", .value = "1", .tried = true } },
		{ { "a.x", "1" } }, "a.x=1\n", true, "" },
	/* optional */
	{ "optional, not there", { { .file = "a.x", .value = "1", .optional = true } }, { { 0 } },
		"a.x=1\n", true, "" },
	{ "optional, refused", { { .file = "a.x", .value = "1", .optional = true } },
		{ { "a.x", "0", -EINVAL } }, "a.x=1\n", false, "Invalid argument" },
	{ "optional, something else than asked", { { .file = "a.x", .value = "1", .optional = true } },
		{ { "a.x", "0" } }, "a.x=1\n", false, "is '0' and not '1'" },
	{ "optional and tried, not there",
		{ { .file = "a.x", .value = "1", .optional = true, .tried = true } }, { { 0 } },
		"a.x=1\n", true, "" },
	{ "optional and tried, refused",
		{ { .option = "this", .file = "a.x", .value = "1", .optional = true, .tried = true } },
		{ { "a.x", "0", -EINVAL } }, "a.x=1\n", true, "as --try-this allows" },
	/* another file for it */
	{ "instead, not needed", { { .file = "a.x", .value = "1", .instead = "b.x" } },
		{ { "a.x", "1" }, { "b.x", "0" } }, "a.x=1\n", true, "" },
	{ "instead, needed", { { .file = "a.x", .value = "1", .instead = "b.x" } },
		{ { "b.x", "1" } }, "b.x=1\n", true, "" },
	{ "instead, and that is not there", { { .file = "a.x", .value = "1", .instead = "b.x" } },
		{ { 0 } }, "b.x=1\n", false, "cannot set 'b.x' to '1': No such file" },
	{ "instead, and that reads as something else",
		{ { .file = "a.x", .value = "1", .instead = "b.x" } }, { { "b.x", "0" } },
		"b.x=1\n", false, "'b.x' of the cgroup is '0' and not '1' as asked" },
	{ "instead is for what is not there alone",
		{ { .file = "a.x", .value = "1", .instead = "b.x" } },
		{ { "a.x", NULL, -EACCES }, { "b.x", "1" } }, "a.x=1\n", false, "Permission denied" },
	{ "instead, optional and not there",
		{ { .file = "a.x", .value = "1", .instead = "b.x", .optional = true } }, { { 0 } },
		"b.x=1\n", true, "" },
	/* CPUs that the group above does not have */
	{ "cpuset that is in force", { { .file = "cpuset.cpus", .value = "0,1" } },
		{ { "cpuset.cpus", "0-1" }, { "cpuset.cpus.effective", "0-1" } },
		"cpuset.cpus=0,1\n", true, "" },
	{ "cpuset that is in force in part", { { .file = "cpuset.cpus", .value = "0-3" } },
		{ { "cpuset.cpus", "0-3" }, { "cpuset.cpus.effective", "0-1" } }, "cpuset.cpus=0-3\n",
		false, "'cpuset.cpus.effective' of the cgroup is '0-1' and not '0-3' as asked" },
	{ "cpuset that is not in force", { { .file = "cpuset.cpus", .value = "7" } },
		{ { "cpuset.cpus", "7" }, { "cpuset.cpus.effective", "0-1" } }, "cpuset.cpus=7\n",
		false, "'cpuset.cpus.effective' of the cgroup is '0-1' and not '7' as asked" },
	{ "mems that are not in force", { { .file = "cpuset.mems", .value = "1" } },
		{ { "cpuset.mems", "1" }, { "cpuset.mems.effective", "0" } }, "cpuset.mems=1\n",
		false, "'cpuset.mems.effective' of the cgroup is '0' and not '1' as asked" },
	{ "cpuset not in force, tried",
		{ { .option = "cpuset", .file = "cpuset.cpus", .value = "7", .tried = true } },
		{ { "cpuset.cpus", "7" }, { "cpuset.cpus.effective", "0-1" } }, "cpuset.cpus=7\n",
		true, "as --try-cpuset allows" },
	{ "cpuset of version 1", { { .file = "cpuset.cpus", .value = "0" } },
		{ { "cpuset.cpus", "0" }, { "cpuset.effective_cpus", "1" } }, "cpuset.cpus=0\n",
		true, "" },
	{ "of another file there is no effective one", { { .file = "cpuset.x", .value = "0" } },
		{ { "cpuset.x", "0" }, { "cpuset.x.effective", "1" } }, "cpuset.x=0\n", true, "" },
};

static int apply(const void *data)
{
	const struct application *row = data;
	static struct settings settings;
	static const struct cgroup group;

	program_invocation_short_name = (char *)"test_settings";
	files = row->files;
	for (size_t i = 0; i < TAP_ROWS(row->settings) && row->settings[i].file[0]; i++) {
		const struct setting *wanted = &row->settings[i];
		struct setting *added =
			settings_add(&settings, wanted->option, wanted->file, wanted->value);

		if (memcmp(added->file, wanted->file, sizeof(added->file)) != 0 || added->tried ||
			added->optional || added->instead || added->option != wanted->option)
			return 1;
		*added = *wanted;
	}
	return settings_apply(&settings, &group) ? 42 : 43;
}

static void test_applications(void)
{
	for (size_t i = 0; i < TAP_ROWS(applications); i++) {
		const struct application *row = &applications[i];
		struct outcome outcome = run(apply, row);

		is_exit(&outcome, row->applied ? 42 : 43, "apply: %s", row->name);
		is_text(outcome.out, row->written, "... what is written");
		if (row->message[0])
			has_text(outcome.err, row->message, "... message");
		else
			is_text(outcome.err, "", "... no message");
	}
}

static int add_many(const void *data)
{
	static struct {
		struct settings settings;
		char guard[64];
	} into;
	int count = *(const int *)data;

	for (int i = 0; i < count; i++)
		settings_add(&into.settings, "option", "a.x", "1");
	return into.settings.count == (size_t)count && into.guard[0] == 0 ? 42 : 1;
}

/* A value that is one letter too long for its place is not cut. */
static int add_long(const void *data)
{
	static struct settings settings;
	static char value[sizeof(((struct setting *)NULL)->value) + 1];

	memset(value, 'x', sizeof(((struct setting *)NULL)->value) - 1);
	if (data)
		value[strlen(value)] = 'x';
	return strcmp(settings_add(&settings, "option", "a.x", value)->value, value) == 0 ? 42 : 43;
}

static void test_long(void)
{
	struct outcome outcome = run(add_long, NULL);

	is_exit(&outcome, 42, "the longest value");
	outcome = run(add_long, "more");
	is_exit(&outcome, STATUS_FAILED, "... and a longer one");
	has_text(outcome.err, "--option: the value 'xxx", "... message");
}

static void test_many(void)
{
	int count = SETTINGS_MAX;
	struct outcome outcome = run(add_many, &count);

	is_exit(&outcome, 42, "%d settings", count);
	count++;
	outcome = run(add_many, &count);
	is_exit(&outcome, STATUS_FAILED, "... and one more");
	has_text(outcome.err, "more than 128 settings of the cgroup\n", "... message");
}

int main(void)
{
	if (sysconf(_SC_PAGESIZE) == 4096)
		test_comparisons();
	else
		skip("comparisons", "they are for pages of 4096 bytes");
	test_flags();
	test_applications();
	test_many();
	test_long();
	return tap_end();
}
