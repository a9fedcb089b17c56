#include "common/settings.h"

#include "common/explain.h"
#include "common/parse.h"
#include "common/report.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A word is no longer than a value that is written. */
enum { VALUE_SIZE = 16384, WORD_SIZE = sizeof(((struct setting *)NULL)->value) };

struct setting *settings_add(
	struct settings *settings, const char *option, const char *file, const char *value)
{
	struct setting *setting = &settings->list[settings->count];

	if (settings->count == SETTINGS_MAX)
		die("more than %d settings of the cgroup", SETTINGS_MAX);
	settings->count++;
	*setting = (struct setting){ .option = option };
	if (snprintf(setting->file, sizeof(setting->file), "%s", file) >= (int)sizeof(setting->file) ||
		snprintf(setting->value, sizeof(setting->value), "%s", value) >=
			(int)sizeof(setting->value))
		die("--%s: the value '%s' is too long", option, value);
	return setting;
}

static bool begins_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* What the kernel rounds sizes in FILE down to: pages, or the pages of "hugetlb.2MB.max". */
static uint64_t granularity(const char *file)
{
	char size[32];
	uint64_t unit;

	if (begins_with(file, "memory."))
		return (uint64_t)sysconf(_SC_PAGESIZE);
	if (!begins_with(file, "hugetlb."))
		return 1;
	snprintf(size, sizeof(size), "%.*s", (int)strcspn(file + 8, "B."), file + 8);
	return parse_bytes(size, &unit) || unit == 0 ? 1 : unit;
}

/* Numbers, also with the letters for sizes, which the kernel knows too. On version 1, -1 stands for the most there is, rounded. */
static bool is_same_number(const char *file, const char *got, const char *wanted)
{
	uint64_t number, written;

	if (parse_number(got, 0, UINT64_MAX, &number))
		return false;
	if (strcmp(wanted, "-1") == 0)
		return number > INT64_MAX / 2;
	/* Less than the unit is no size: 1 is not 0. */
	return !parse_bytes(wanted, &written) && written >= granularity(file) &&
		number == written - written % granularity(file);
}

/* "0,1" and "0-1". */
static bool is_same_set(const char *got, const char *wanted)
{
	struct parse_set one, other;

	return !parse_ranges(got, &one) && !parse_ranges(wanted, &other) &&
		memcmp(&one, &other, sizeof(one)) == 0;
}

/* Whether all words of WANTED are in LINE. */
static bool has_words(const char *line, const char *wanted)
{
	char list[VALUE_SIZE + 2], word[WORD_SIZE], entry[WORD_SIZE + 2];
	const char *cursor = wanted;

	snprintf(list, sizeof(list), " %s ", line);
	while (cursor) {
		if (parse_word(&cursor, ' ', word, sizeof(word)))
			return false;
		snprintf(entry, sizeof(entry), " %s ", word);
		if (!strstr(list, entry))
			return false;
	}
	return true;
}

/* Whether WANTED, a device and what is "max" or 0, takes limits away: then the device is not listed. */
static bool is_unlimited(const char *wanted)
{
	const char *cursor = wanted;
	char word[WORD_SIZE] = "";

	parse_word(&cursor, ' ', word, sizeof(word));
	while (cursor) {
		if (parse_word(&cursor, ' ', word, sizeof(word)))
			return false;

		size_t length = strlen(word);

		if (strcmp(word, "0") != 0 && (length < 4 || strcmp(word + length - 4, "=max") != 0))
			return false;
	}
	return true;
}

/* "8:0 rbps=1048576" among lines of "8:0 rbps=1048576 wbps=max riops=max wiops=max" */
static bool has_line(const char *got, const char *wanted)
{
	char text[VALUE_SIZE];
	char *cursor = text;
	bool listed = false;
	size_t key = strcspn(wanted, " ") + 1;

	snprintf(text, sizeof(text), "%s", got);
	for (char *line; (line = strsep(&cursor, "\n"));) {
		if (strncmp(line, wanted, key) != 0)
			continue;
		listed = true;
		if (has_words(line, wanted))
			return true;
	}
	return !listed && is_unlimited(wanted);
}

/* Whether GOT is what the kernel makes of WANTED in FILE. */
static bool holds(const char *file, const char *got, const char *wanted)
{
	char line[WORD_SIZE + 32];

	if (strcmp(got, wanted) == 0 || is_same_number(file, got, wanted))
		return true;
	if (begins_with(file, "cpuset.cpus") || begins_with(file, "cpuset.mems"))
		return is_same_set(got, wanted);
	/* Without a period the old one stays. */
	if (strcmp(file, "cpu.max") == 0)
		return strncmp(got, wanted, strlen(wanted)) == 0 && got[strlen(wanted)] == ' ';
	if (strcmp(file, "memory.oom_control") == 0)
		snprintf(line, sizeof(line), "oom_kill_disable %s", wanted);
	else if (strstr(file, "weight") && !strchr(wanted, ' '))
		snprintf(line, sizeof(line), "default %s", wanted);
	else
		snprintf(line, sizeof(line), "%s", wanted);
	return strchr(line, ' ') && (strchr(got, ' ') || !got[0]) && has_line(got, line);
}

/* The file that SETTING goes to. */
static const char *choose_file(const struct setting *setting, const struct cgroup *group)
{
	char text[VALUE_SIZE];

	if (setting->instead && !explain_is_on() &&
		cgroup_try_read(group, setting->file, text, sizeof(text)) == -ENOENT)
		return setting->instead;
	return setting->file;
}

static bool refuse(const struct setting *setting, const char *advice)
{
	if (setting->tried)
		hint("COMMAND runs without it, as --try-%s allows", setting->option);
	else if (advice)
		hint("%s", advice);
	return setting->tried;
}

static const char *advice_on(int error)
{
	switch (error) {
	case -ENOENT:
		return "this kernel, or this version of cgroups, has no such file";
	case -EINVAL:
	case -ERANGE:
		return "the kernel, or a limit of a group above, does not allow this value";
	case -ENODEV:
		return "there is no such disk; a partition cannot be limited, a disk can";
	default:
		return NULL;
	}
}

/* False if COMMAND may not run. *WRITTEN tells whether there is something to read back. */
static bool write_one(const struct setting *setting, const struct cgroup *group, bool *written)
{
	const char *file = choose_file(setting, group);

	explain_because("the limits that were asked for");
	int error = cgroup_try_write(group, file, setting->value);
	char nearest[64], advice[96] = "";

	*written = error == 0 && !explain_is_on();
	if (error == 0 || (error == -ENOENT && setting->optional))
		return true;
	warn_error(-error, "cannot set '%s' to '%s'", file, setting->value);
	if (error == -ENOENT && cgroup_nearest_file(group, file, nearest, sizeof(nearest)))
		snprintf(advice, sizeof(advice), "did you mean '%s'?", nearest);
	return refuse(setting, advice[0] ? advice : advice_on(error));
}

static bool check_one(const struct setting *setting, const struct cgroup *group, const char *file)
{
	char got[VALUE_SIZE];

	ssize_t length = cgroup_try_read(group, file, got, sizeof(got));

	/* Some files can only be written. */
	if (length == -EINVAL || length == -EACCES ||
		(length >= 0 && holds(file, got, setting->value)))
		return true;
	if (length < 0) {
		warn_error((int)-length, "cannot read '%s' of the cgroup back", file);
		return refuse(setting, NULL);
	}
	warn("'%s' of the cgroup is '%s' and not '%s' as asked", file, got, setting->value);
	return refuse(setting, NULL);
}

/* Version 2 takes any list of CPUs and uses those that the group above has, or all of these if there is none among them. */
static bool check_effective(const struct setting *setting, const struct cgroup *group)
{
	char file[80], got[VALUE_SIZE];

	if (strcmp(setting->file, "cpuset.cpus") != 0 && strcmp(setting->file, "cpuset.mems") != 0)
		return true;
	snprintf(file, sizeof(file), "%s.effective", setting->file);
	/* Version 1 has no such file, and takes what the group above has only. */
	return cgroup_try_read(group, file, got, sizeof(got)) == -ENOENT ||
		check_one(setting, group, file);
}

bool settings_apply(const struct settings *settings, const struct cgroup *group)
{
	bool written[SETTINGS_MAX] = { false };

	for (size_t i = 0; i < settings->count; i++) {
		if (!write_one(&settings->list[i], group, &written[i]))
			return false;
	}
	for (size_t i = 0; i < settings->count; i++) {
		const struct setting *setting = &settings->list[i];

		if (written[i] &&
			(!check_one(setting, group, choose_file(setting, group)) ||
				!check_effective(setting, group)))
			return false;
	}
	return true;
}
