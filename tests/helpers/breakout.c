/*
 * breakout MARK: tries the known ways out of a root directory and prints the name of each one that leads to the file MARK of the root
 * outside. Exits 0 if it found one.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *mark;

/* MARK, seen from the current directory after climbing as far as it goes. */
static bool climb(void)
{
	for (int i = 0; i < 100; i++) {
		if (chdir("..") < 0)
			return false;
	}
	return access(mark + strspn(mark, "/"), F_OK) == 0;
}

static bool see(void)
{
	return access(mark, F_OK) == 0;
}

static bool just_climb(void)
{
	return climb();
}

/* chroot(2) leaves the current directory where it is: above the new root then. */
static bool second_chroot(void)
{
	mkdir("/breakout", 0700);

	bool out = chroot("/breakout") == 0 && climb();

	return out;
}

/* The same by a directory that is kept open. */
static bool kept_directory(void)
{
	int top = open("/", O_RDONLY | O_DIRECTORY);

	mkdir("/breakout", 0700);
	return top >= 0 && chroot("/breakout") == 0 && fchdir(top) == 0 && climb();
}

/* Joining the mount namespace that one is in leads to its root. */
static bool own_namespace(void)
{
	int own = open("/proc/self/ns/mnt", O_RDONLY);

	return own >= 0 && setns(own, CLONE_NEWNS) == 0 && (see() || climb());
}

static bool inherited_fds(void)
{
	for (int fd = 0; fd < 1024; fd++) {
		if (faccessat(fd, mark + strspn(mark, "/"), F_OK, 0) == 0)
			return true;
		if (fchdir(fd) == 0 && climb())
			return true;
	}
	return false;
}

/* The root, working directory and files of every process that shows in /proc. */
static bool other_processes(void)
{
	static const char *const doors[] = { "root", "cwd" };
	char path[4096];

	for (int pid = 1; pid < 100; pid++) {
		for (int i = 0; i < 2; i++) {
			snprintf(path, sizeof(path), "/proc/%d/%s%s", pid, doors[i], mark);
			if (access(path, F_OK) == 0)
				return true;
		}
		for (int fd = 0; fd < 64; fd++) {
			snprintf(path, sizeof(path), "/proc/%d/fd/%d%s", pid, fd, mark);
			if (access(path, F_OK) == 0)
				return true;
		}
	}
	return false;
}

static const struct {
	const char *name;
	bool (*way)(void);
} ways[] = {
	{ "see", see },
	{ "climb", just_climb },
	{ "second chroot", second_chroot },
	{ "kept directory", kept_directory },
	{ "own namespace", own_namespace },
	{ "inherited fds", inherited_fds },
	{ "other processes", other_processes },
};

int main(int argc, char **argv)
{
	int status, found = 0;

	if (argc != 2)
		return 2;
	mark = argv[1];
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		pid_t pid = fork();

		if (pid < 0)
			return 2;
		/* A way may change what the process is: each is for a process of its own. */
		if (pid == 0)
			_exit(ways[i].way() ? 0 : 1);
		if (waitpid(pid, &status, 0) < 0)
			return 2;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
			puts(ways[i].name);
			found++;
		}
	}
	rmdir("/breakout");
	return found ? 0 : 1;
}
