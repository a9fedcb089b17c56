/*
 * lookout FILE [KIND]...: looks again and again, until FILE is there, at all that /proc shows of the other processes: their root, working directory, program,
 * namespaces of each KIND, and files. Prints each thing once that does not belong where this process is and is no empty directory, then how often it met a process, and how often
 * it was not let in. For a process in a root on a file system that nothing outside is on.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { SEEN = 256, LINE = 512 };

static char seen[SEEN][LINE];
static size_t seen_count;
static unsigned long met, refused;
static struct stat root;
static dev_t own_proc;
static char **kinds;

static void report(const char *what, int file)
{
	char path[64], line[LINE], target[LINE / 2] = "?";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);

	ssize_t length = readlink(path, target, sizeof(target) - 1);

	if (length >= 0)
		target[length] = '\0';
	snprintf(line, sizeof(line), "%s %s", what, target);
	for (size_t i = 0; i < seen_count; i++) {
		if (strcmp(seen[i], line) == 0)
			return;
	}
	if (seen_count < SEEN)
		snprintf(seen[seen_count++], sizeof(seen[0]), "%s", line);
	puts(line);
	fflush(stdout);
}

/* An fd of what is at PATH, or -1; not to be let in there is the better answer. */
static int look(const char *path, struct stat *status)
{
	int file = open(path, O_PATH | O_CLOEXEC);

	refused += file < 0 && (errno == EACCES || errno == EPERM);
	if (file >= 0 && fstat(file, status) < 0) {
		close(file);
		return -1;
	}
	return file;
}

static bool is_ours(const struct stat *status)
{
	return status->st_dev == root.st_dev || status->st_dev == own_proc;
}

/* What a process that hides has for a root. */
static bool is_empty(int directory)
{
	struct statvfs system;
	int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = copy < 0 ? NULL : fdopendir(copy);
	size_t count = 0;

	if (!list)
		return false;
	while (readdir(list))
		count++;
	closedir(list);
	return count == 2 && fstatvfs(directory, &system) == 0 && (system.f_flag & ST_RDONLY);
}

static bool is_ours_or_stream(const struct stat *status)
{
	return is_ours(status) || (!S_ISREG(status->st_mode) && !S_ISDIR(status->st_mode));
}

static void check(const char *what, const char *path, bool (*allowed)(const struct stat *))
{
	struct stat status;
	int file = look(path, &status);

	if (file >= 0 && !allowed(&status) && !(S_ISDIR(status.st_mode) && is_empty(file)))
		report(what, file);
	if (file >= 0)
		close(file);
}

static void watch_namespaces(const char *pid)
{
	char path[LINE], own[LINE];
	struct stat theirs, mine;

	for (char **kind = kinds; *kind; kind++) {
		snprintf(path, sizeof(path), "/proc/%s/ns/%.16s", pid, *kind);
		snprintf(own, sizeof(own), "/proc/self/ns/%.16s", *kind);

		int file = look(path, &theirs);

		if (file >= 0 && stat(own, &mine) == 0 && theirs.st_ino != mine.st_ino)
			report("namespace", file);
		if (file >= 0)
			close(file);
	}
}

/* 0 to 2 are for the one who runs a command to choose, but not as a file or directory. */
static void watch_files(const char *pid)
{
	char path[LINE];

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);

	DIR *fds = opendir(path);

	refused += !fds && (errno == EACCES || errno == EPERM);
	if (!fds)
		return;
	for (struct dirent *entry; (entry = readdir(fds));) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/fd/%.8s", pid, entry->d_name);
		check("fd", path, strtol(entry->d_name, NULL, 10) > 2 ? is_ours : is_ours_or_stream);
	}
	closedir(fds);
}

static void watch_process(const char *pid)
{
	char path[LINE];

	met++;
	snprintf(path, sizeof(path), "/proc/%s/root", pid);
	check("root", path, is_ours);
	snprintf(path, sizeof(path), "/proc/%s/cwd", pid);
	check("cwd", path, is_ours);
	snprintf(path, sizeof(path), "/proc/%s/exe", pid);
	check("exe", path, is_ours);
	watch_namespaces(pid);
	watch_files(pid);
}

int main(int argc, char **argv)
{
	struct stat proc;
	pid_t self = getpid();

	if (argc < 2 || stat("/", &root) < 0 || stat("/proc/self", &proc) < 0)
		return 2;
	own_proc = proc.st_dev;
	kinds = argv + 2;
	puts("watching");
	fflush(stdout);
	while (access(argv[1], F_OK) < 0) {
		DIR *processes = opendir("/proc");

		if (!processes)
			return 3;
		for (struct dirent *entry; (entry = readdir(processes));) {
			if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9' &&
				strtol(entry->d_name, NULL, 10) != self)
				watch_process(entry->d_name);
		}
		closedir(processes);
	}
	printf("met %lu\nrefused %lu\n", met, refused);
	return fflush(stdout) == 0 ? 0 : 4;
}
