#include "view.h"

#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct view_places view_places;

static char *read_of(pid_t pid, const char *name, size_t *length)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return text_read(path, length);
}

static void show_status(FILE *view, pid_t pid)
{
	static const char *const wanted[] = { "Umask", "Uid", "Gid", "Groups", "Threads", "SigPnd",
		"ShdPnd", "SigBlk", "SigIgn", "SigCgt", "CapInh", "CapPrm", "CapEff", "CapBnd",
		"CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters", "Cpus_allowed_list",
		"Mems_allowed_list" };
	char *text = read_of(pid, "status", NULL), *rest = text, *line;

	while ((line = strsep(&rest, "\n"))) {
		size_t length = strcspn(line, ":");

		for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
			if (strlen(wanted[i]) == length && strncmp(line, wanted[i], length) == 0)
				fprintf(view, "status %s\n", line);
		}
		/* How deep it is nested; the numbers themselves vary. */
		if (strncmp(line, "NSpid:", 6) == 0) {
			size_t levels = 0;

			for (const char *at = line; (at = strchr(at, '\t')); at++)
				levels++;
			fprintf(view, "status pid in %zu namespaces\n", levels);
		}
	}
	free(text);
}

static bool is_same(const char *path, pid_t pid, const char *name)
{
	char other[128];
	struct stat one, two;

	snprintf(other, sizeof(other), "/proc/%d/%s", (int)pid, name);
	return stat(path, &one) == 0 && stat(other, &two) == 0 && one.st_ino == two.st_ino &&
		one.st_dev == two.st_dev;
}

static void show_namespaces(FILE *view, pid_t pid)
{
	static const char *const names[] = { "ns/mnt", "ns/uts", "ns/ipc", "ns/net", "ns/pid",
		"ns/pid_for_children", "ns/cgroup", "ns/time", "ns/time_for_children", "ns/user",
		"root", "cwd" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[128];

		snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, names[i]);

		bool starter = is_same(path, getpid(), names[i]);
		bool target = view_places.target && is_same(path, view_places.target, names[i]);

		fprintf(view, "%s is %s\n", names[i],
			starter        ? "the starter's" :
				target ? "the target's" :
					 "its own");
	}
}

/* A line without the numbers that the kernel gave away in this run. */
static void show_mount(FILE *view, char *line)
{
	char *field;

	for (int i = 0; (field = strsep(&line, " ")); i++) {
		if (i < 3)
			continue;
		if (strchr(field, ':') &&
			(strncmp(field, "shared:", 7) == 0 || strncmp(field, "master:", 7) == 0 ||
				strncmp(field, "propagate_from:", 15) == 0))
			*strchr(field, ':') = '\0';
		fprintf(view, " %s", field);
	}
	fputc('\n', view);
}

static void show_mounts(FILE *view, pid_t pid)
{
	char *text = read_of(pid, "mountinfo", NULL), *rest = text, *line;

	text_normalise(text);
	while ((line = strsep(&rest, "\n"))) {
		if (*line) {
			fputs("mount", view);
			show_mount(view, line);
		}
	}
	free(text);
}

static void show_files(FILE *view, pid_t pid)
{
	char path[128], target[PATH_MAX];

	for (int fd = 0; fd < 256; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);

		ssize_t length = readlink(path, target, sizeof(target) - 1);

		if (length < 0)
			continue;
		target[length] = '\0';
		text_normalise(target);
		fprintf(view, "fd %d is %s\n", fd, target);
	}
}

/* A file of /proc/PID whole, each line after its name. */
static void show_whole(FILE *view, pid_t pid, const char *name)
{
	size_t length;
	char *text = read_of(pid, name, &length), *rest = text, *line;

	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\0')
			text[i] = '\n';
	}
	text_normalise(text);
	while ((line = strsep(&rest, "\n"))) {
		if (*line)
			fprintf(view, "%s %s\n", name, line);
	}
	free(text);
}

/* PID beside SELF and its parent; how many helpers were forked before does not matter. */
static void show_relative(FILE *view, const char *what, pid_t pid, pid_t self, pid_t parent,
	const char *(*name_of)(pid_t pid))
{
	const char *name = pid == self ? "itself" : pid == parent ? "its parent" : name_of(pid);

	fprintf(view, "%s is %s\n", what, name);
}

static void show_family(FILE *view, pid_t pid, const char *(*name_of)(pid_t pid))
{
	char *text = read_of(pid, "stat", NULL), *behind = strrchr(text, ')');
	int parent, group, session, terminal;

	/* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
	if (behind && sscanf(behind, ") %*c %d %d %d %d", &parent, &group, &session, &terminal) == 4) {
		size_t depth = 0;

		for (const char *at = name_of(pid); (at = strchr(at, '.')); at++)
			depth++;
		fprintf(view, "process at depth %zu, terminal %d\n", depth, terminal);
		show_relative(view, "parent", parent, pid, 0, name_of);
		show_relative(view, "group", group, pid, parent, name_of);
		show_relative(view, "session", session, pid, parent, name_of);
	}
	free(text);
}

static void show_group_file(FILE *view, int group, const char *name, bool with_text)
{
	struct stat status;
	char text[512];
	int fd;

	if (fstatat(group, name, &status, 0) < 0)
		return;
	fprintf(view, "group file %s owner %u:%u mode %o", name, status.st_uid, status.st_gid,
		status.st_mode);
	fd = with_text ? openat(group, name, O_RDONLY | O_CLOEXEC) : -1;

	ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	for (ssize_t i = 0; i < length; i++) {
		if (text[i] == '\n')
			text[i] = ' ';
	}
	fprintf(view, " %.*s\n", (int)(length < 0 ? 0 : length), text);
}

/* Whether PID is listed in the group. */
static bool holds(int group, pid_t pid)
{
	int fd = openat(group, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "re");
	bool found = false;
	int member;

	while (file && fscanf(file, "%d", &member) == 1) /* NOLINT(cert-err34-c): the kernel's own numbers */
		found |= member == pid;
	if (file)
		fclose(file);
	return found;
}

static void show_group(FILE *view, int above, const char *name, pid_t pid)
{
	static const char *const files[] = { "memory.limit_in_bytes", "memory.memsw.limit_in_bytes",
		"memory.soft_limit_in_bytes", "memory.swappiness", "pids.max", "cpu.cfs_quota_us",
		"cpu.cfs_period_us", "cpu.shares", "cpuset.cpus", "cpuset.mems", "devices.list",
		"freezer.state", "memory.max", "memory.high", "memory.swap.max", "cpu.max",
		"cpu.weight", "cgroup.freeze", "cgroup.subtree_control" };
	char shown[NAME_MAX + 1];
	int group = openat(above, name, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (group < 0)
		return;
	snprintf(shown, sizeof(shown), "%s", name);
	text_normalise(shown);
	fprintf(view, "group %s %s\n", shown, holds(group, pid) ? "holds it" : "is without it");
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		show_group_file(view, group, files[i], true);
	show_group_file(view, group, ".", false);
	show_group_file(view, group, "tasks", false);
	show_group_file(view, group, "cgroup.procs", false);
	close(group);
}

/* In the order of their names: that of the directory is by chance. */
static void show_groups(FILE *view, const char *above, pid_t pid)
{
	struct dirent **entries;
	int directory = open(above, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int count = scandir(above, &entries, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		if (entries[i]->d_type == DT_DIR && entries[i]->d_name[0] != '.')
			show_group(view, directory, entries[i]->d_name, pid);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	if (directory >= 0)
		close(directory);
}

void view_process(FILE *view, pid_t pid, const char *(*name_of)(pid_t pid))
{
	static const char *const whole[] = { "uid_map", "gid_map", "setgroups", "projid_map",
		"timens_offsets", "cgroup", "limits", "personality", "oom_score_adj",
		"coredump_filter", "comm", "cmdline", "environ" };

	show_status(view, pid);
	show_family(view, pid, name_of);
	show_namespaces(view, pid);
	show_mounts(view, pid);
	show_files(view, pid);
	for (size_t i = 0; i < sizeof(whole) / sizeof(*whole); i++)
		show_whole(view, pid, whole[i]);
	for (size_t i = 0; i < view_places.group_count; i++)
		show_groups(view, view_places.groups[i], pid);
}
