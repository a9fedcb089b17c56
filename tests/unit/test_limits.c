/*
 * limits: what each limit takes, and which values for which files come of it on version 2, version 1 and a machine with both. The groups are
 * directories, and the machine has 8 GiB of memory and 4 GiB of swap space: sysinfo() is defined here.
 */
#include "common/limits.h"

#include "common/report.h"
#include "tests/unit/groups.h"

#include <limits.h>
#include <sys/sysinfo.h>

#define K UINT64_C(1024)
#define M (1024 * K)
#define G (1024 * M)

static struct sysinfo machine = { .mem_unit = 1024, .totalram = 8 * M, .totalswap = 4 * M };

int sysinfo(struct sysinfo *info)
{
	*info = machine;
	return 0;
}

/* --- what is asked for --- */

/* A value, and what becomes of it or why it is refused. */
struct value {
	const char *name;
	const char *text;
	const char *reason; /* part of it; NULL: it is taken */
	uint64_t number;
	bool percent;
};

#define SIZE "is not a size"
#define PERCENTAGE "is not a percentage"
#define PAGE "is less than a page of memory"
#define NONE LIMIT_NONE
#define NUMBER "is not a number"
#define LARGE "is too large"
#define PIDS "is neither max nor a number from 1 to 4194304"
#define IO_FORM "is not DISK:KEY=RATE"
#define RATE "has a rate that is no number or size"
#define HUGE_FORM "is not SIZE:LIMIT"
#define HUGE_SIZE "begins with no size of huge pages"
#define LIST "is not a list of numbers and ranges"
#define SET_FORM "is not of the form KEY=VALUE"
#define SET_FILE "does not begin with the name of a file"

static const struct value values[] = {
	{ "memory", "100M", NULL, 100 * M, false },
	{ "memory", "104857600", NULL, 100 * M, false },
	{ "memory", "1.5G", NULL, 1536 * M, false },
	{ "memory", "4096", NULL, 4096, false },
	{ "memory", "4K", NULL, 4096, false },
	{ "memory", "4097", NULL, 4097, false },
	{ "memory", "max", NULL, NONE, false },
	{ "memory", "50%", NULL, 50000, true },
	{ "memory", "100%", NULL, 100000, true },
	{ "memory", "0.001%", NULL, 1, true },
	{ "memory", "33.333%", NULL, 33333, true },
	{ "memory", "007%", NULL, 7000, true },
	{ "memory", "", SIZE },
	{ "memory", "0", PAGE },
	{ "memory", "1", PAGE },
	{ "memory", "4095", PAGE },
	{ "memory", "3.999K", PAGE },
	{ "memory", "0%", PAGE },
	{ "memory", "0.000%", PAGE },
	{ "memory", "-1", SIZE },
	{ "memory", "+1", SIZE },
	{ "memory", " 100M", SIZE },
	{ "memory", "100M ", SIZE },
	{ "memory", "100 M", SIZE },
	{ "memory", "0x10000", SIZE },
	{ "memory", "100MB", SIZE },
	{ "memory", "1.5", "is a fraction of a byte" },
	{ "memory", "MAX", SIZE },
	{ "memory", "max ", SIZE },
	{ "memory", "maximum", SIZE },
	{ "memory", "100.001%", PERCENTAGE },
	{ "memory", "101%", PERCENTAGE },
	{ "memory", "1000%", PERCENTAGE },
	{ "memory", "-50%", PERCENTAGE },
	{ "memory", "50.%", PERCENTAGE },
	{ "memory", ".5%", PERCENTAGE },
	{ "memory", "50.0001%", PERCENTAGE },
	{ "memory", "50M%", PERCENTAGE },
	{ "memory", "max%", PERCENTAGE },
	{ "memory", "%", PERCENTAGE },
	{ "memory", "%%", PERCENTAGE },
	{ "memory", "50%%", PERCENTAGE },
	{ "memory", "50 %", PERCENTAGE },
	{ "memory", "%50", SIZE },
	{ "memory", "50%M", SIZE },
	{ "memory", "99999999999999999999%", PERCENTAGE },
	{ "memory", "0000000000000000000000000000050%", NULL, 50000, true },
	{ "memory", "00000000000000000000000000000050%", SIZE },
	{ "memory", "18446744073709551615", NULL, UINT64_MAX, false },
	{ "memory", "18446744073709551616", LARGE },
	{ "memory", "16384P", LARGE },
	{ "swap", "0", NULL, 0, false },
	{ "swap", "1", NULL, 1, false },
	{ "swap", "1G", NULL, G, false },
	{ "swap", "0%", NULL, 0, true },
	{ "swap", "50%", NULL, 50000, true },
	{ "swap", "max", NULL, NONE, false },
	{ "swap", "", SIZE },
	{ "swap", "-1", SIZE },
	{ "swap", "101%", PERCENTAGE },
	{ "memory-high", "0", NULL, 0, false },
	{ "memory-high", "90M", NULL, 90 * M, false },
	{ "memory-high", "90%", NULL, 90000, true },
	{ "memory-high", "max", NULL, NONE, false },
	{ "memory-high", "90 M", SIZE },
	{ "memory-low", "0", NULL, 0, false },
	{ "memory-low", "10M", NULL, 10 * M, false },
	{ "memory-low", "max", NULL, NONE, false },
	{ "memory-low", "x", SIZE },
	{ "memory-min", "10M", NULL, 10 * M, false },
	{ "memory-min", "10%", NULL, 10000, true },
	{ "memory-min", "1.0.0M", SIZE },
	{ "swappiness", "0", NULL, 0, false },
	{ "swappiness", "60", NULL, 60, false },
	{ "swappiness", "200", NULL, 200, false },
	{ "swappiness", "201", NUMBER " from 0 to 200" },
	{ "swappiness", "max", NUMBER },
	{ "swappiness", "50%", NUMBER },
	{ "swappiness", "", NUMBER },
	{ "swappiness", "-1", NUMBER },
	{ "oom-group", NULL, NULL, 1, false },
	{ "cpus", "1", NULL, 100000, false },
	{ "cpus", "1.5", NULL, 150000, false },
	{ "cpus", "0.01", NULL, 1000, false },
	{ "cpus", "0.12345", NULL, 12345, false },
	{ "cpus", "64", NULL, 6400000, false },
	{ "cpus", "max", NULL, NONE, false },
	{ "cpus", "0", "is below 0.01" },
	{ "cpus", "0.001", "is below 0.01" },
	{ "cpus", "0.00999", "is below 0.01" },
	{ "cpus", "0.123456", "too many digits" },
	{ "cpus", "", NUMBER },
	{ "cpus", "-1", NUMBER },
	{ "cpus", " 1", NUMBER },
	{ "cpus", "1 ", NUMBER },
	{ "cpus", "1.", "no digit behind" },
	{ "cpus", ".5", NUMBER },
	{ "cpus", "1,5", NUMBER },
	{ "cpus", "1e3", NUMBER },
	{ "cpus", "0x1", NUMBER },
	{ "cpus", "50%", NUMBER },
	{ "cpus", "1K", NUMBER },
	{ "cpus", "18446744073709551615", LARGE },
	{ "cpu-burst", "0", NULL, 0, false },
	{ "cpu-burst", "5000", NULL, 5000, false },
	{ "cpu-burst", "4294967295", NULL, UINT32_MAX, false },
	{ "cpu-burst", "4294967296", NUMBER " of microseconds" },
	{ "cpu-burst", "1.5", NUMBER },
	{ "cpu-burst", "max", NUMBER },
	{ "cpu-weight", "1", NULL, 1, false },
	{ "cpu-weight", "100", NULL, 100, false },
	{ "cpu-weight", "10000", NULL, 10000, false },
	{ "cpu-weight", "0", NUMBER " from 1 to 10000" },
	{ "cpu-weight", "10001", NUMBER " from 1 to 10000" },
	{ "cpu-weight", "max", NUMBER },
	{ "cpu-weight", "1.5", NUMBER },
	{ "cpu-weight", "1K", NUMBER },
	{ "cpuset", "0", NULL, 0, false },
	{ "cpuset", "0-3,5", NULL, 0, false },
	{ "cpuset", "", LIST },
	{ "cpuset", "3-0", LIST },
	{ "cpuset", "0,", LIST },
	{ "cpuset", "8192", LIST },
	{ "cpuset", "all", LIST },
	{ "cpuset", "max", LIST },
	{ "mems", "0", NULL, 0, false },
	{ "mems", "0 1", LIST },
	{ "mems", "-1", LIST },
	{ "pids", "1", NULL, 1, false },
	{ "pids", "4194304", NULL, 4194304, false },
	{ "pids", "max", NULL, NONE, false },
	{ "pids", "0", PIDS },
	{ "pids", "4194305", PIDS },
	{ "pids", "", PIDS },
	{ "pids", "-1", PIDS },
	{ "pids", "1K", PIDS },
	{ "pids", "50%", PIDS },
	{ "pids", "0x10", PIDS },
	{ "pids", "1.5", PIDS },
	{ "pids", "99999999999999999999", PIDS },
	{ "io-weight", "1", NULL, 1, false },
	{ "io-weight", "10000", NULL, 10000, false },
	{ "io-weight", "0", NUMBER " from 1 to 10000" },
	{ "io-weight", "10001", NUMBER " from 1 to 10000" },
	{ "io-weight", "8:0 100", NUMBER },
	{ "io-max", "8:0:rbps=1M", NULL, 0, false },
	{ "io-max", "/dev/a:b:rbps=1", NULL, 0, false },
	{ "io-max", "x:rbps=1", NULL, 0, false },
	{ "io-max", "", IO_FORM },
	{ "io-max", ":", IO_FORM },
	{ "io-max", ":rbps=1", IO_FORM },
	{ "io-max", "/dev/sda", IO_FORM },
	{ "io-max", "/dev/sda:", IO_FORM },
	{ "io-max", "8:0", IO_FORM },
	{ "io-max", "8:0:", IO_FORM },
	{ "io-max", "8:0:rbps", IO_FORM },
	{ "io-max", "8:0:=1", IO_FORM },
	{ "io-max", "8:0:rbps=1,", IO_FORM },
	{ "io-max", "8:0:,rbps=1", IO_FORM },
	{ "io-max", "8:0:rbps=1,,wbps=1", IO_FORM },
	{ "io-max", "8:0 rbps=1", "has a key other than" },
	{ "io-max", "8:0:bps=1", "has a key other than rbps, wbps, riops, wiops" },
	{ "io-max", "8:0:RBPS=1", "has a key other than" },
	{ "io-max", "8:0: rbps=1", "has a key other than" },
	{ "io-max", "8:0:rbps =1", "has a key other than" },
	{ "io-max", "8:0:rbps=1,x=1", "has a key other than" },
	{ "io-max", "8:0:rbps=1,rbps=1", "has a key twice" },
	{ "io-max", "8:0:rbps=max,wbps=1,rbps=2", "has a key twice" },
	{ "io-max", "8:0:rbps=", RATE },
	{ "io-max", "8:0:rbps=x", RATE },
	{ "io-max", "8:0:rbps=-1", RATE },
	{ "io-max", "8:0:rbps=1.5", RATE },
	{ "io-max", "8:0:rbps=50%", RATE },
	{ "io-max", "8:0:rbps=1=1", RATE },
	{ "io-max", "8:0:rbps=0", "has a rate of 0" },
	{ "io-max", "8:0:wbps=0K", "has a rate of 0" },
	{ "io-max", "8:0:riops=1K", RATE },
	{ "io-max", "8:0:riops=0", RATE },
	{ "io-max", "8:0:riops=4294967296", RATE },
	{ "io-max", "8:0:wiops=1.5", RATE },
	{ "io-max", "8:0:rbps=18446744073709551616", RATE },
	{ "io-max", "8:0:rbps=1,a-word-that-is-much-longer-than-any-word-of-this-can-ever-be-so-no=1",
		"too long" },
	{ "hugetlb", "2M:1G", NULL, G, false },
	{ "hugetlb", "1G:max", NULL, NONE, false },
	{ "hugetlb", "64K:0", NULL, 0, false },
	{ "hugetlb", "2097152:1", NULL, 1, false },
	{ "hugetlb", "", HUGE_FORM },
	{ "hugetlb", "2M", HUGE_FORM },
	{ "hugetlb", "1G", HUGE_FORM },
	{ "hugetlb", ":1G", HUGE_SIZE },
	{ "hugetlb", "x:1G", HUGE_SIZE },
	{ "hugetlb", "0:1G", HUGE_SIZE },
	{ "hugetlb", "1023:1G", HUGE_SIZE },
	{ "hugetlb", "max:1G", HUGE_SIZE },
	{ "hugetlb", "2MB:1G", HUGE_SIZE },
	{ "hugetlb", "2M:", SIZE },
	{ "hugetlb", "2M:x", SIZE },
	{ "hugetlb", "2M:-1", SIZE },
	{ "hugetlb", "2M:1G:1G", SIZE },
	{ "hugetlb", "2M:50%", "is a percentage, of nothing" },
	{ "hugetlb", "2M: 1G", SIZE },
	/* no size of a page */
	{ "hugetlb", "3M:1G", HUGE_SIZE },
	{ "hugetlb", "1.5G:1G", HUGE_SIZE },
	{ "hugetlb", "2097153:1G", HUGE_SIZE },
	{ "set", "cpu.weight=50", NULL, 0, false },
	{ "set", "io.max=8:0 rbps=1", NULL, 0, false },
	{ "set", "a.b=c=d", NULL, 0, false },
	{ "set", "hugetlb.2MB.max=0", NULL, 0, false },
	{ "set", "cgroup.max.depth=1", NULL, 0, false },
	{ "set", "cgroup.max.descendants=max", NULL, 0, false },
	{ "set", "", SET_FORM },
	{ "set", "cpu.weight", SET_FORM },
	{ "set", "=50", SET_FORM },
	{ "set", "cpu.weight=", "has no value" },
	{ "set", "tasks=0", SET_FILE },
	{ "set", "release_agent=/bin/x", SET_FILE },
	{ "set", "../cpu.weight=1", SET_FILE },
	{ "set", "below/cpu.weight=1", SET_FILE },
	{ "set", "/proc/x.y=1", SET_FILE },
	{ "set", ".=1", SET_FILE },
	{ "set", "..=1", SET_FILE },
	{ "set", ".weight=1", SET_FILE },
	{ "set", "cgroup.procs=0", "is no setting of the group" },
	{ "set", "cgroup.threads=0", "is no setting of the group" },
	{ "set", "cgroup.kill=1", "is no setting of the group" },
	{ "set", "cgroup.freeze=1", "is no setting of the group" },
	{ "set", "cgroup.type=threaded", "is no setting of the group" },
	{ "set", "cgroup.subtree_control=+cpu", "is no setting of the group" },
	{ "set", "cgroup.clone_children=1", "is no setting of the group" },
	{ "set", "cgroup.maximum=1", "is no setting of the group" },
	{ "set", "a.name-that-is-much-longer-than-any-name-of-a-file-of-a-cgroup-can-be=1",
		"has a key that is too long" },
	{ "speed", "1", "is no limit" },
	{ "", "1", "is no limit" },
	{ "memor", "1", "is no limit" },
	{ "memory.max", "100M", "is no limit" },
	{ "try-memory", "100M", "is no limit" },
	{ "devices", "1", "is no limit" },
};

static void test_values(void)
{
	static struct limits limits;

	for (size_t i = 0; i < TAP_ROWS(values); i++) {
		const struct value *row = &values[i];
		const char *reason;

		limits.count = 0;
		reason = limits_add(&limits, row->name, row->text, i % 2);
		if (row->reason) {
			has_text(reason ? reason : "taken", row->reason, "--%s '%s' %s", row->name,
				tap_show(row->text), row->reason);
			is_number((long long)limits.count, 0, "... no limit");
			continue;
		}
		if (!ok(!reason && limits.count == 1, "--%s '%s'", row->name, tap_show(row->text))) {
			note("%s", reason ? reason : "no limit");
			continue;
		}
		is_number((long long)limits.list[0].number, (long long)row->number, "... its number");
		ok(limits.list[0].percent == row->percent, "... is %sa percentage",
			row->percent ? "" : "not ");
		ok(limits.list[0].tried == i % 2 && !limits.list[0].optional, "... is tried, or not");
		ok(limits.list[0].text == row->text, "... has its text");
	}
}

static void test_rates(void)
{
	static const struct {
		const char *text;
		uint64_t rates[4];
	} rows[] = {
		{ "8:0:rbps=1M", { M, 0, 0, 0 } },
		{ "8:0:wbps=1.5K", { 0, 1536, 0, 0 } },
		{ "8:0:riops=100", { 0, 0, 100, 0 } },
		{ "8:0:wiops=4294967295", { 0, 0, 0, UINT32_MAX } },
		{ "8:0:wiops=1,riops=2,wbps=3,rbps=4", { 4, 3, 2, 1 } },
		{ "8:0:rbps=max,riops=max", { NONE, 0, NONE, 0 } },
		{ "rbps=1:wbps=2", { 0, 2, 0, 0 } },
	};
	static struct limits limits;

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		limits.count = 0;
		is_text(limits_add(&limits, "io-max", rows[i].text, false), NULL, "--io-max %s",
			rows[i].text);
		ok(memcmp(limits.list[0].rates, rows[i].rates, sizeof(rows[i].rates)) == 0,
			"... its rates");
	}
}

static void test_many(void)
{
	static struct {
		struct limits limits;
		char guard[64];
	} into;
	static char text[sizeof(((struct setting *)NULL)->value) + 16] = "a.b=";

	for (int i = 0; i < LIMITS_MAX; i++)
		ok(!limits_add(&into.limits, "set", "a.b=1", false), "limit number %d", i + 1);
	is_text(limits_add(&into.limits, "set", "a.b=1", false), "is one limit too many",
		"... and one more");
	is_number((long long)into.limits.count, LIMITS_MAX, "... is not taken");
	ok(into.guard[0] == 0, "... and overwrites nothing");
	into.limits.count = LIMITS_MAX - 1;
	ok(!limits_add(&into.limits, "memory", "1M", false), "--memory as the last of them");
	has_text(limits_complete(&into.limits), "one limit too many",
		"... has no room for its --swap");

	into.limits.count = 0;
	memset(text + 4, 'x', sizeof(((struct setting *)NULL)->value) - 1);
	is_text(limits_add(&into.limits, "set", text, false), NULL, "--set with the longest value");
	text[strlen(text)] = 'x';
	is_text(limits_add(&into.limits, "set", text, false), "has a value that is too long",
		"... and a longer one");
}

/* --- what is written for it --- */

enum { ASKED_MAX = 8 };

#define VERSION_2 "2 ,cpuset,cpu,io,memory,hugetlb,pids, a/b"
#define VERSION_1 \
	"1 ,cpu,cpuacct,", "1 ,cpuset,", "1 ,memory,", "1 ,pids,", "1 ,blkio,", "1 ,hugetlb,", \
		"1 ,freezer,"
#define BOTH "1 ,memory,", "1 ,cpu,", "2 ,pids,io,"

static const char *const version_2[] = { VERSION_2, NULL };
static const char *const version_1[] = { VERSION_1, NULL };
static const char *const both[] = { BOTH, NULL };
static const char *const bare[] = { "2 ,pids,", NULL };
static const char *const bare_1[] = { "1 ,pids,", NULL };

/* Limits "NAME=TEXT" (with '?' before it if tried), and the settings of them. */
struct resolved {
	const char *const *layout;
	const char *asked[ASKED_MAX];
	/* each "FILE=VALUE|" in order; '?' before it: tried, '~': optional, "(FILE)" behind it: instead */
	const char *settings;
	const char *plan; /* the controllers to enable, '?' and those that are wished */
	const char *message; /* part of standard error; "" for nothing at all; it dies if settings is NULL */
};

#define SWAP_0 "~memory.swap.max=0|"

static const struct resolved resolves[] = {
	{ version_2, { "memory=100M" }, "memory.max=104857600|" SWAP_0, "+memory?", "" },
	{ version_2, { "memory=5000000" }, "memory.max=5000000|" SWAP_0, "+memory?", "" },
	{ version_2, { "memory=max" }, "memory.max=max|", "+memory?", "" },
	{ version_2, { "memory=100M", "swap=0" }, "memory.max=104857600|memory.swap.max=0|",
		"+memory?", "" },
	{ version_2, { "swap=1G", "memory=100M" },
		"memory.max=104857600|memory.swap.max=1073741824|", "+memory?", "" },
	{ version_2, { "memory=100M", "swap=max" }, "memory.max=104857600|memory.swap.max=max|",
		"+memory?", "" },
	{ version_2, { "memory=max", "swap=1K" }, "memory.max=max|memory.swap.max=1024|",
		"+memory?", "" },
	{ version_2, { "?memory=100M" }, "?memory.max=104857600|?" SWAP_0, "?+memory", "" },
	{ version_2, { "memory=100M", "?swap=1M" },
		"memory.max=104857600|?memory.swap.max=1048576|", "+memory?+memory", "" },
	{ version_2, { "memory-min=1M", "memory-low=2M", "memory-high=3M" },
		"memory.high=3145728|memory.low=2097152|memory.min=1048576|", "+memory?", "" },
	{ version_2, { "memory-high=max", "memory-low=max", "memory-min=0" },
		"memory.high=max|memory.low=max|memory.min=0|", "+memory?", "" },
	{ version_2, { "oom-group" }, "memory.oom.group=1|", "+memory?", "" },
	{ version_2, { "?oom-group" }, "?memory.oom.group=1|", "?+memory", "" },
	{ version_2, { "cpus=1.5" }, "cpu.max=150000 100000|", "+cpu?", "" },
	{ version_2, { "cpus=0.01" }, "cpu.max=1000 100000|", "+cpu?", "" },
	{ version_2, { "cpus=max" }, "cpu.max=max 100000|", "+cpu?", "" },
	{ version_2, { "cpu-burst=5000", "cpus=1" }, "cpu.max=100000 100000|cpu.max.burst=5000|",
		"+cpu?", "" },
	{ version_2, { "cpu-weight=1" }, "cpu.weight=1|", "+cpu?", "" },
	{ version_2, { "cpu-weight=10000" }, "cpu.weight=10000|", "+cpu?", "" },
	{ version_2, { "cpuset=1,0-3" }, "cpuset.cpus=1,0-3|", "+cpuset?", "" },
	{ version_2, { "mems=0" }, "cpuset.mems=0|", "+cpuset?", "" },
	{ version_2, { "pids=100" }, "pids.max=100|", "+pids?", "" },
	{ version_2, { "pids=max" }, "pids.max=max|", "+pids?", "" },
	{ version_2, { "io-max=8:0:rbps=1M" }, "io.max=8:0 rbps=1048576|", "+io?", "" },
	{ version_2, { "io-max=8:16:wiops=1,riops=2,wbps=3,rbps=max" },
		"io.max=8:16 rbps=max wbps=3 riops=2 wiops=1|", "+io?", "" },
	{ version_2, { "io-max=8:0:rbps=1", "io-max=8:16:wbps=2" },
		"io.max=8:0 rbps=1|io.max=8:16 wbps=2|", "+io?", "" },
	{ version_2, { "io-max=008:00:rbps=1" }, "io.max=8:0 rbps=1|", "+io?", "" },
	{ version_2, { "io-weight=500" }, "io.weight=500(io.bfq.weight)|", "+io?", "" },
	{ version_2, { "hugetlb=2M:4M" }, "hugetlb.2MB.max=4194304|~hugetlb.2MB.rsvd.max=4194304|",
		"+hugetlb?", "" },
	{ version_2, { "hugetlb=1G:max" }, "hugetlb.1GB.max=max|~hugetlb.1GB.rsvd.max=max|",
		"+hugetlb?", "" },
	{ version_2, { "hugetlb=64K:1M" },
		"hugetlb.64KB.max=1048576|~hugetlb.64KB.rsvd.max=1048576|", "+hugetlb?", "" },
	{ version_2, { "hugetlb=512M:0" }, "hugetlb.512MB.max=0|~hugetlb.512MB.rsvd.max=0|",
		"+hugetlb?", "" },
	{ version_2, { "hugetlb=16G:0" }, "hugetlb.16GB.max=0|~hugetlb.16GB.rsvd.max=0|",
		"+hugetlb?", "" },
	{ version_2, { "hugetlb=1048576K:0" }, "hugetlb.1GB.max=0|~hugetlb.1GB.rsvd.max=0|",
		"+hugetlb?", "" },
	{ version_2, { "set=cpu.idle=1" }, "cpu.idle=1|", "+cpu?", "" },
	{ version_2, { "set=cpu.idle=1", "cpu-weight=5", "memory=1M" },
		"memory.max=1048576|" SWAP_0 "cpu.weight=5|cpu.idle=1|", "+memory +cpu?", "" },
	{ version_2, { "set=cpu.idle=1", "set=cpu.weight=5", "set=cpu.idle=0" },
		"cpu.idle=0|cpu.weight=5|", "+cpu?", "" },
	{ version_2, { "set=cpu.idle=1", "?set=cpu.idle=0" }, "cpu.idle=1|?cpu.idle=0|",
		"+cpu?+cpu", "" },
	{ version_2, { "?set=cpu.idle=1", "set=cpu.idle=0" }, "?cpu.idle=1|cpu.idle=0|",
		"+cpu?+cpu", "" },
	{ version_2, { "cpu-weight=5", "set=cpu.weight=6" }, "cpu.weight=5|cpu.weight=6|", "+cpu?",
		"" },
	{ version_2, { "set=cgroup.max.depth=0" }, "cgroup.max.depth=0|", "?", "" },
	{ version_2, { "set=io.max=8:0 rbps=1" }, "io.max=8:0 rbps=1|", "+io?", "" },
	{ version_2, { "pids=5", "?cpus=1", "set=pids.max=6" },
		"?cpu.max=100000 100000|pids.max=5|pids.max=6|", "+pids?+cpu", "" },
	/* version 1 */
	{ version_1, { "memory=100M" },
		"memory.limit_in_bytes=104857600|~memory.memsw.limit_in_bytes=104857600|", "?", "" },
	{ version_1, { "memory=100M", "swap=50M" },
		"memory.limit_in_bytes=104857600|memory.memsw.limit_in_bytes=157286400|", "?", "" },
	{ version_1, { "swap=0", "memory=100M" },
		"memory.limit_in_bytes=104857600|memory.memsw.limit_in_bytes=104857600|", "?", "" },
	{ version_1, { "memory=100M", "swap=max" },
		"memory.limit_in_bytes=104857600|memory.memsw.limit_in_bytes=-1|", "?", "" },
	{ version_1, { "memory=max" }, "memory.limit_in_bytes=-1|", "?", "" },
	{ version_1, { "?memory=1M" },
		"?memory.limit_in_bytes=1048576|?~memory.memsw.limit_in_bytes=1048576|", "?", "" },
	{ version_1, { "memory-low=1M" }, "memory.soft_limit_in_bytes=1048576|", "?", "" },
	{ version_1, { "memory-low=max" }, "memory.soft_limit_in_bytes=-1|", "?", "" },
	{ version_1, { "swappiness=60" }, "memory.swappiness=60|", "?", "" },
	{ version_1, { "cpus=1.5" }, "cpu.cfs_period_us=100000|cpu.cfs_quota_us=150000|", "?", "" },
	{ version_1, { "cpus=max" }, "cpu.cfs_period_us=100000|cpu.cfs_quota_us=-1|", "?", "" },
	{ version_1, { "?cpus=1" }, "?cpu.cfs_period_us=100000|?cpu.cfs_quota_us=100000|", "?", "" },
	{ version_1, { "cpus=1", "cpu-burst=7" },
		"cpu.cfs_period_us=100000|cpu.cfs_quota_us=100000|cpu.cfs_burst_us=7|", "?", "" },
	{ version_1, { "cpu-weight=100" }, "cpu.shares=1024|", "?", "" },
	{ version_1, { "cpu-weight=1" }, "cpu.shares=10|", "?", "" },
	{ version_1, { "cpu-weight=39" }, "cpu.shares=399|", "?", "" },
	{ version_1, { "cpu-weight=200" }, "cpu.shares=2048|", "?", "" },
	{ version_1, { "cpu-weight=10000" }, "cpu.shares=102400|", "?", "" },
	{ version_1, { "cpuset=0-1", "mems=0" }, "cpuset.cpus=0-1|cpuset.mems=0|", "?", "" },
	{ version_1, { "pids=max" }, "pids.max=max|", "?", "" },
	{ version_1, { "io-max=8:0:rbps=1M,wbps=2,riops=3,wiops=4" },
		"blkio.throttle.read_bps_device=8:0 1048576|blkio.throttle.write_bps_device=8:0 2|"
		"blkio.throttle.read_iops_device=8:0 3|blkio.throttle.write_iops_device=8:0 4|",
		"?", "" },
	{ version_1, { "io-max=8:0:wiops=max,rbps=max" },
		"blkio.throttle.read_bps_device=8:0 0|blkio.throttle.write_iops_device=8:0 0|", "?",
		"" },
	{ version_1, { "io-weight=500" }, "blkio.bfq.weight=500(blkio.weight)|", "?", "" },
	{ version_1, { "hugetlb=2M:max" },
		"hugetlb.2MB.limit_in_bytes=-1|~hugetlb.2MB.rsvd.limit_in_bytes=-1|", "?", "" },
	{ version_1, { "hugetlb=1G:1G" },
		"hugetlb.1GB.limit_in_bytes=1073741824|~hugetlb.1GB.rsvd.limit_in_bytes=1073741824|",
		"?", "" },
	{ version_1, { "set=memory.swappiness=5" }, "memory.swappiness=5|", "?", "" },
	{ version_1, { "set=cgroup.max.depth=0" }, "cgroup.max.depth=0|", "?", "" },
	/* each controller where it is */
	{ both, { "memory=1M", "pids=5", "cpus=1", "io-max=8:0:rbps=1" },
		"memory.limit_in_bytes=1048576|~memory.memsw.limit_in_bytes=1048576|"
		"cpu.cfs_period_us=100000|cpu.cfs_quota_us=100000|pids.max=5|io.max=8:0 rbps=1|",
		"+pids +io?", "" },
	{ both, { "set=pids.max=1", "set=memory.x=2" }, "pids.max=1|memory.x=2|", "+pids?", "" },
	/* what cannot be had */
	{ version_1, { "memory-high=1M" }, NULL, "",
		"cannot limit by --memory-high: cgroup version 1 does not have that\n" },
	{ version_1, { "memory-min=1M" }, NULL, "", "cannot limit by --memory-min: cgroup version 1" },
	{ version_1, { "oom-group" }, NULL, "", "cannot limit by --oom-group: cgroup version 1" },
	{ version_2, { "swappiness=1" }, NULL, "",
		"cannot limit by --swappiness: cgroup version 2 does not have that" },
	{ both, { "memory-high=1M" }, NULL, "", "cannot limit by --memory-high: cgroup version 1" },
	{ bare, { "cpus=1" }, NULL, "", "cannot limit by --cpus: no cgroup controller 'cpu' here\n" },
	{ bare, { "memory=1M" }, NULL, "",
		"--memory: no cgroup controller 'memory' here\ntest_limits: hint: it is off here" },
	{ bare, { "io-max=8:0:rbps=1" }, NULL, "",
		"cannot limit by --io-max: no cgroup controller 'io' here\n" },
	{ bare, { "io-weight=1" }, NULL, "",
		"cannot limit by --io-weight: no cgroup controller 'io' here\n" },
	{ bare_1, { "io-max=8:0:rbps=1" }, NULL, "",
		"cannot limit by --io-max: no cgroup controller '" },
	{ bare_1, { "memory=1M" }, NULL, "", "no cgroup controller 'memory' here\n" },
	{ bare, { "set=memory.max=1" }, NULL, "",
		"cannot limit by --set: no cgroup controller 'memory'" },
	{ bare, { "set=pid.max=1" }, NULL, "",
		"no cgroup controller 'pid' here\ntest_limits: hint: did you mean 'pids'?\n" },
	{ bare, { "hugetlb=2M:0" }, NULL, "", "no cgroup controller 'hugetlb' here" },
	{ version_1, { "memory=max", "swap=1M" }, NULL, "",
		"cannot limit swap alone: cgroup version 1 counts it together with memory\ntest_limits: hint: give --memory a size\n" },
	{ version_1, { "memory=max", "swap=0" }, NULL, "", "cannot limit swap alone" },
	{ version_1, { "memory=10000P", "swap=10000P" }, NULL, "", "cannot limit swap alone" },
	{ version_1, { "memory=max", "?swap=1M" }, "memory.limit_in_bytes=-1|", "?",
		"cannot limit swap alone: cgroup version 1 counts it together with memory\ntest_limits: hint: COMMAND runs without it, as --try-swap allows\n" },
	{ version_1, { "memory=max", "swap=max" },
		"memory.limit_in_bytes=-1|memory.memsw.limit_in_bytes=-1|", "?", "" },
	/* ... and is only tried */
	{ version_1, { "?memory-high=1M", "pids=5" }, "pids.max=5|", "?",
		"does not have that\ntest_limits: hint: COMMAND runs without it, as --try-memory-high allows\n" },
	{ version_2, { "?swappiness=1", "pids=5" }, "pids.max=5|", "+pids?",
		"as --try-swappiness allows" },
	{ bare, { "?memory=1M", "pids=5" }, "pids.max=5|", "+pids?",
		"cannot limit by --memory: no cgroup controller 'memory' here\n"
		"test_limits: hint: COMMAND runs without it, as --try-memory allows\n" },
	{ bare, { "?set=memory.max=1" }, "", "?", "as --try-set allows" },
	{ bare, { "?memory=50%", "?swap=50%" }, "", "?", "as --try-swap allows" },
	{ bare, { "?io-max=/nonexistent:rbps=1" }, "", "?", "as --try-io-max allows" },
	/* devices */
	{ version_2, { "io-max=/nonexistent:rbps=1" }, NULL, "",
		"--io-max: cannot find the disk '/nonexistent': No such file or directory\n" },
	{ version_2, { "io-max=/dev/null:rbps=1" }, NULL, "",
		"--io-max: '/dev/null' is not a block device" },
	{ version_2, { "io-max=/:rbps=1" }, NULL, "", "--io-max: '/' is not a block device" },
	{ version_2, { "io-max=8:0:0:rbps=1" }, NULL, "", "cannot find the disk '8:0:0'" },
	{ version_2, { "io-max=8:x:rbps=1" }, NULL, "", "cannot find the disk '8:x'" },
	{ version_2, { "io-max=8::rbps=1" }, NULL, "", "cannot find the disk '8:'" },
	{ version_2, { "io-max=4294967296:0:rbps=1" }, NULL, "", "cannot find the disk" },
};

static void print_settings(const struct limits *limits, const struct cgroup *group)
{
	for (size_t i = 0; i < limits->settings.count; i++) {
		const struct setting *setting = &limits->settings.list[i];

		printf("%s%s%s=%s", setting->tried ? "?" : "", setting->optional ? "~" : "",
			setting->file, setting->value);
		if (setting->instead)
			printf("(%s)", setting->instead);
		putchar('|');
	}
	printf("\n%s?%s", group->subtree.enable, group->subtree.wish);
}

static int resolve(const void *data)
{
	static struct hierarchy_layout layout;
	static struct limits limits;
	const struct resolved *row = data;
	struct cgroup *group;

	program_invocation_short_name = (char *)"test_limits";
	make_layout(&layout, row->layout);
	group = cgroup_plan(&layout, "job", false);
	for (size_t i = 0; i < ASKED_MAX && row->asked[i]; i++) {
		bool tried = row->asked[i][0] == '?';
		const char *name = row->asked[i] + tried;
		const char *equals = strchr(name, '=');
		char *copy = strdup(name);

		copy[strcspn(copy, "=")] = '\0';
		if (limits_add(&limits, copy, equals ? equals + 1 : NULL, tried))
			return 1;
	}
	if (limits_complete(&limits))
		return 2;
	limits_resolve(&limits, group, &layout);
	print_settings(&limits, group);
	return 42;
}

static void check_resolved(const struct resolved *row)
{
	struct outcome outcome = run(resolve, row);
	char asked[256] = "", wanted[512];
	size_t used = 0;

	for (size_t i = 0; i < ASKED_MAX && row->asked[i]; i++)
		used += (size_t)snprintf(asked + used, sizeof(asked) - used, " %s", row->asked[i]);
	is_exit(&outcome, row->settings ? 42 : STATUS_FAILED, "version%s%s:%s",
		row->layout[0][0] == '2' ? " 2" : " 1", row->layout == both ? " and 2" : "", asked);
	if (row->settings) {
		snprintf(wanted, sizeof(wanted), "%s\n%s", row->settings, row->plan);
		is_text(outcome.out, wanted, "... settings and controllers");
	}
	if (row->message[0])
		has_text(outcome.err, row->message, "... message '%s'", tap_show(row->message));
	else
		is_text(outcome.err, "", "... no message");
}

static void test_resolves(void)
{
	for (size_t i = 0; i < TAP_ROWS(resolves); i++)
		check_resolved(&resolves[i]);
}

/* A disk of this machine, by its path. */
static void test_disk(void)
{
	static const char *const disks[] = { "/dev/sda", "/dev/vda", "/dev/nvme0n1", "/dev/loop0",
		"/dev/ram0", "/dev/xvda" };

	for (size_t i = 0; i < TAP_ROWS(disks); i++) {
		struct stat status;
		char asked[64], settings[64];
		struct resolved row = { version_2, { asked }, settings, "+io?", "" };

		if (stat(disks[i], &status) < 0 || !S_ISBLK(status.st_mode))
			continue;
		snprintf(asked, sizeof(asked), "io-max=%s:rbps=1", disks[i]);
		snprintf(settings, sizeof(settings), "io.max=%u:%u rbps=1|",
			(unsigned int)(status.st_rdev >> 8 & 0xfff),
			(unsigned int)(status.st_rdev & 0xff));
		check_resolved(&row);
		return;
	}
	skip("a disk by its path", "there is none");
}

/* --- what limits need of each other --- */

static void test_complete(void)
{
	static const struct {
		const char *names[3], *texts[3];
		const char *reason; /* part of it */
		size_t count;       /* of limits afterwards */
	} rows[] = {
		{ { NULL }, { NULL }, NULL, 0 },
		{ { "pids" }, { "1" }, NULL, 1 },
		{ { "memory" }, { "1M" }, NULL, 2 },
		{ { "memory" }, { "50%" }, NULL, 2 },
		{ { "memory" }, { "max" }, NULL, 1 },
		{ { "memory", "swap" }, { "1M", "1M" }, NULL, 2 },
		{ { "swap", "memory" }, { "1M", "1M" }, NULL, 2 },
		{ { "swap", "memory" }, { "1M", "max" }, NULL, 2 },
		{ { "swap" }, { "1M" }, "--swap needs --memory", 1 },
		{ { "swap", "memory-high" }, { "1M", "1M" }, "--swap needs --memory", 2 },
		{ { "memory-high" }, { "1M" }, NULL, 1 },
		{ { "cpu-burst", "cpus" }, { "1", "1" }, NULL, 2 },
		{ { "cpu-burst" }, { "1" }, "--cpu-burst needs --cpus", 1 },
		{ { "cpu-burst", "cpu-weight" }, { "1", "1" }, "--cpu-burst needs --cpus", 2 },
	};
	static struct limits limits;

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		limits.count = 0;
		for (size_t j = 0; j < TAP_ROWS(rows[i].names) && rows[i].names[j]; j++)
			limits_add(&limits, rows[i].names[j], rows[i].texts[j], false);
		is_text(limits_complete(&limits), rows[i].reason, "complete: %s %s%s%s",
			rows[i].names[0] ? rows[i].names[0] : "nothing",
			rows[i].texts[0] ? rows[i].texts[0] : "", rows[i].names[1] ? " and " : "",
			rows[i].names[1] ? rows[i].names[1] : "");
		is_number((long long)limits.count, (long long)rows[i].count, "... limits");
	}
}

/* --- percentages --- */

struct share {
	const char *name;
	const char *const *layout;
	const char *files[4][2];
	const char *asked[4];
	const char *settings;
	const char *plan;
};

#define STAT_1(memory, memsw) \
	"cache 4096\nhierarchical_memory_limit " memory "\nhierarchical_memsw_limit " memsw \
	"\nrss 0\n"
#define UNLIMITED "9223372036854771712"

static const struct share shares[] = {
	{ "of the machine", version_2, { { NULL } }, { "memory=50%", "swap=25%" },
		"memory.max=4294967296|memory.swap.max=1073741824|", "+memory?" },
	{ "all of it", version_2, { { NULL } }, { "memory=100%" }, "memory.max=8589934592|" SWAP_0,
		"+memory?" },
	{ "with decimals", version_2, { { NULL } }, { "memory-high=0.001%", "memory-low=33.333%" },
		"memory.high=85899|memory.low=2863282897|", "+memory?" },
	{ "no limit above", version_2,
		{ { "0/a/b/memory.max", "max\n" }, { "0/a/memory.max", "max\n" } },
		{ "memory=50%" }, "memory.max=4294967296|" SWAP_0, "+memory?" },
	{ "of the own group", version_2, { { "0/a/b/memory.max", "1048576\n" } }, { "memory=50%" },
		"memory.max=524288|" SWAP_0, "+memory?" },
	{ "of the group above", version_2, { { "0/a/memory.max", "1048576\n" } },
		{ "memory=50%", "memory-min=10%" },
		"memory.max=524288|" SWAP_0 "memory.min=104857|", "+memory?" },
	{ "of the topmost group", version_2, { { "0/memory.max", "1048576\n" } }, { "memory=50%" },
		"memory.max=524288|" SWAP_0, "+memory?" },
	{ "of the least of all", version_2,
		{ { "0/a/b/memory.max", "4194304\n" }, { "0/a/memory.max", "2097152\n" },
			{ "0/memory.max", "8388608\n" } },
		{ "memory=50%" }, "memory.max=1048576|" SWAP_0, "+memory?" },
	{ "not of what is outside", version_2, { { "memory/memory.max", "4096\n" } },
		{ "memory=50%" }, "memory.max=4294967296|" SWAP_0, "+memory?" },
	{ "more than the machine has", version_2, { { "0/a/memory.max", "1099511627776\n" } },
		{ "memory=50%" }, "memory.max=4294967296|" SWAP_0, "+memory?" },
	{ "swap of the group above", version_2,
		{ { "0/a/memory.swap.max", "1048576\n" }, { "0/a/memory.max", "4096\n" } },
		{ "memory=max", "swap=50%" }, "memory.max=max|memory.swap.max=524288|", "+memory?" },
	{ "no swap above", version_2, { { "0/a/memory.swap.max", "0\n" } },
		{ "memory=1M", "swap=50%" }, "memory.max=1048576|memory.swap.max=0|", "+memory?" },
	{ "0% of swap", version_2, { { NULL } }, { "memory=1M", "swap=0%" },
		"memory.max=1048576|memory.swap.max=0|", "+memory?" },
	/* version 1: what holds for the own group is in one file */
	{ "version 1, of the machine", version_1, { { NULL } }, { "memory=50%" },
		"memory.limit_in_bytes=4294967296|~memory.memsw.limit_in_bytes=4294967296|", "?" },
	{ "version 1, no limit", version_1, { { "2/memory.stat", STAT_1(UNLIMITED, UNLIMITED) } },
		{ "memory=50%" },
		"memory.limit_in_bytes=4294967296|~memory.memsw.limit_in_bytes=4294967296|", "?" },
	{ "version 1, a limit", version_1, { { "2/memory.stat", STAT_1("1048576", UNLIMITED) } },
		{ "memory=50%", "memory-low=25%" },
		"memory.limit_in_bytes=524288|~memory.memsw.limit_in_bytes=524288|"
		"memory.soft_limit_in_bytes=262144|",
		"?" },
	{ "version 1, swap of a limit", version_1,
		{ { "2/memory.stat", STAT_1("1048576", "3145728") } }, { "memory=50%", "swap=50%" },
		"memory.limit_in_bytes=524288|memory.memsw.limit_in_bytes=1572864|", "?" },
	{ "version 1, swap of which there is none", version_1,
		{ { "2/memory.stat", STAT_1("1048576", "1048576") } }, { "memory=50%", "swap=50%" },
		"memory.limit_in_bytes=524288|memory.memsw.limit_in_bytes=524288|", "?" },
	{ "version 1, swap without its limit", version_1,
		{ { "2/memory.stat", STAT_1("1048576", UNLIMITED) } }, { "memory=1M", "swap=50%" },
		"memory.limit_in_bytes=1048576|memory.memsw.limit_in_bytes=2148532224|", "?" },
	{ "version 1, swap without a limit at all", version_1,
		{ { "2/memory.stat", STAT_1(UNLIMITED, UNLIMITED) } }, { "memory=1M", "swap=50%" },
		"memory.limit_in_bytes=1048576|memory.memsw.limit_in_bytes=2148532224|", "?" },
	{ "version 1, swap of the machine", version_1, { { NULL } }, { "memory=1M", "swap=50%" },
		"memory.limit_in_bytes=1048576|memory.memsw.limit_in_bytes=2148532224|", "?" },
	{ "both, memory on version 1", both, { { "0/memory.stat", STAT_1("1048576", UNLIMITED) } },
		{ "memory=50%" },
		"memory.limit_in_bytes=524288|~memory.memsw.limit_in_bytes=524288|", "?" },
};

static void test_shares(void)
{
	for (size_t i = 0; i < TAP_ROWS(shares); i++) {
		const struct share *share = &shares[i];
		struct resolved row = { share->layout,
			{ share->asked[0], share->asked[1], share->asked[2], share->asked[3] },
			share->settings, share->plan, "" };

		for (size_t j = 0; j < TAP_ROWS(share->files) && share->files[j][0]; j++)
			groups_write(share->files[j][0], share->files[j][1]);
		note("percentage: %s", share->name);
		check_resolved(&row);
		groups_clear("0");
		groups_clear("2");
	}
}

/* --- who has it and keeps it --- */

static void test_holder(void)
{
	static const char *const below[] = { "2 ,pids, a/b/c", NULL };
	struct resolved row = { below, { "memory=1M" }, NULL, "", "" };
	char message[512];

	groups_write("0/cgroup.controllers", "cpu io memory pids\n");
	groups_write("0/a/cgroup.controllers", "cpu memory pids\n");
	groups_write("0/a/b/cgroup.controllers", "pids\n");
	snprintf(message, sizeof(message), "hint: '%s/0/a' has it and does not hand it down",
		groups_base);
	row.message = message;
	check_resolved(&row);
	row.asked[0] = "io-weight=5";
	snprintf(message, sizeof(message), "hint: '%s/0' has it and does not hand it down",
		groups_base);
	check_resolved(&row);
	row.asked[0] = "hugetlb=2M:0";
	snprintf(message, sizeof(message), "hint: it is off here");
	check_resolved(&row);
	groups_clear("0");
}

int main(void)
{
	groups_begin();
	if (sysconf(_SC_PAGESIZE) == 4096)
		test_values();
	else
		skip("values", "they are for pages of 4096 bytes");
	test_rates();
	test_many();
	test_complete();
	test_resolves();
	test_disk();
	test_shares();
	test_holder();
	groups_end();
	return tap_end();
}
