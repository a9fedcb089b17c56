/*
 * soak CHAINS PARALLEL PERCENT COMMAND [ARGUMENT]... [';' COMMAND...]...: runs so many of the commands, one after the other and from the start
 * again, PARALLEL at a time, and kills PERCENT of them, or a process that they have started, with SIGKILL after a random time. Each has to
 * end with status 7 (a payload is "soak exit"), or is one of those that were killed. Prints how many were started, how many were killed, how
 * many ended otherwise and how many processes were still there ten seconds after the last had ended; all orphans come to this process.
 *
 * soak alive COUNT COMMAND [ARGUMENT]...: starts COMMAND COUNT times; when each has written a byte (a payload is "soak pause") prints how
 * many there are, how many different PID, mount and network namespaces they are in and what the machine's memory has lost to each (KiB),
 * then ends all of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	EXPECTED = 7,
	PATIENCE = 10000, /* ms */
	LONGEST = 20000,  /* us until a chain is killed: most have ended by then */
};

struct chain {
	pid_t pid;       /* 0: free */
	int64_t kill_at; /* us, 0: never */
	bool killed;
};

struct figures {
	int started, killed, wrong;
};

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(99);
}

static void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		fail("soak: calloc");
	return memory;
}

static int number(const char *text)
{
	return (int)strtol(text, NULL, 10);
}

/* One of the numbers from 0 up to but without LIMIT. */
static int any(int limit)
{
	uint32_t value;

	if (getrandom(&value, sizeof(value), 0) != sizeof(value))
		fail("soak: getrandom");
	return (int)(value % (uint32_t)limit);
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

/* What the file says, at most so much of it, as a string. */
static void take(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd >= 0 ? read(fd, text, size - 1) : 0;

	text[length > 0 ? length : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

/* The children of the process, as numbers with a space behind each. */
static void children_of(pid_t pid, char *text, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	take(path, text, size);
}

/* 0 if it has none. */
static pid_t first_child(pid_t pid)
{
	char text[256];

	children_of(pid, text, sizeof(text));
	return number(text);
}

/* The process, or one that it has started, that runs this program; 0 if there is none. */
static pid_t find_payload(pid_t pid)
{
	char path[64], text[256];
	pid_t found = 0;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	take(path, text, sizeof(text));
	if (strcmp(text, "soak\n") == 0)
		return pid;
	children_of(pid, text, sizeof(text));
	for (char *child = text, *end; !found && strtol(child, &end, 10) > 0; child = end)
		found = find_payload((pid_t)strtol(child, NULL, 10));
	return found;
}

static pid_t descendant(pid_t pid, int generations)
{
	for (pid_t child; generations > 0 && (child = first_child(pid)) > 0; generations--)
		pid = child;
	return pid;
}

/* Until a child ends or so much time is over; SIGCHLD is blocked. */
static void await_child(long milliseconds)
{
	const struct timespec most = { .tv_nsec = milliseconds * 1000000 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigtimedwait(&set, NULL, &most);
}

static pid_t start(char **command, int out)
{
	if (!command[0])
		exit(99);

	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (out >= 0)
		dup2(out, STDOUT_FILENO);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(command[0], command);
	perror(command[0]);
	_exit(99);
}

/* Splits the words at each ";" and returns how many commands there are. */
static int split(char **words, char **commands[])
{
	int count = 0;

	commands[count++] = words;
	for (; *words; words++) {
		if (strcmp(*words, ";") == 0) {
			*words = NULL;
			commands[count++] = words + 1;
		}
	}
	return count;
}

static void kill_due(struct chain *chains, int parallel, struct figures *figures)
{
	for (int i = 0; i < parallel; i++) {
		struct chain *chain = &chains[i];

		if (!chain->pid || !chain->kill_at || chain->kill_at > now())
			continue;
		/* Who is asked for here may have ended since, but its PID cannot have been used again so soon. */
		kill(descendant(chain->pid, any(3)), SIGKILL);
		chain->kill_at = 0;
		chain->killed = true;
		figures->killed++;
	}
}

static void reap(
	struct chain *chains, int parallel, struct figures *figures, char ***commands, int count)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (int i = 0; i < parallel; i++) {
			struct chain *chain = &chains[i];

			if (chain->pid != pid)
				continue;
			chain->pid = 0;
			if (chain->killed || (WIFEXITED(status) && WEXITSTATUS(status) == EXPECTED))
				continue;
			figures->wrong++;
			fprintf(stderr,
				"soak: wait status %#x, one of the first %d commands (%s ...)\n",
				(unsigned int)status, count, commands[0][0]);
		}
	}
}

/* How many are still there when PATIENCE is over; ends them. */
static int left_over(void)
{
	int64_t end = now() + PATIENCE * 1000LL;
	int left = 0;
	pid_t pid;

	while (now() < end) {
		pid = waitpid(-1, NULL, WNOHANG);
		if (pid < 0 && errno == ECHILD)
			return 0;
		if (pid == 0)
			await_child(100);
	}
	while ((pid = first_child(getpid())) > 0) {
		fprintf(stderr, "soak: process %d is left\n", (int)pid);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		left++;
	}
	return left;
}

static int run(int total, int parallel, int percent, char **words, int words_count)
{
	struct chain *chains = allocate((size_t)parallel, sizeof(*chains));
	char ***commands = allocate((size_t)words_count, sizeof(*commands));
	int count = split(words, commands);
	struct figures figures = { 0 };
	int busy = 1;

	while (figures.started < total || busy > 0) {
		busy = 0;
		for (int i = 0; i < parallel; i++) {
			if (!chains[i].pid && figures.started < total) {
				chains[i] = (struct chain){
					.pid = start(commands[figures.started % count], -1),
					.kill_at = any(100) < percent ? now() + any(LONGEST) : 0,
				};
				figures.started++;
			}
			busy += chains[i].pid != 0;
		}
		await_child(1);
		kill_due(chains, parallel, &figures);
		reap(chains, parallel, &figures, commands, count);
	}
	int left = left_over();
	printf("%d %d %d %d\n", figures.started, figures.killed, figures.wrong, left);
	free(chains);
	free((void *)commands);
	return figures.wrong || left;
}

/* Of /proc/meminfo. */
static long kilobytes(const char *name)
{
	char line[256];
	long value = 0;
	FILE *file = fopen("/proc/meminfo", "re");

	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, strlen(name)) == 0)
			value = strtol(line + strlen(name), NULL, 10);
	}
	if (file)
		fclose(file);
	return value;
}

static int compare(const void *left, const void *right)
{
	ino_t a = *(const ino_t *)left, b = *(const ino_t *)right;

	return (a > b) - (a < b);
}

static int distinct(const pid_t *pids, int count, const char *kind)
{
	ino_t *inodes = allocate((size_t)count, sizeof(*inodes));
	int different = 0;

	for (int i = 0; i < count; i++) {
		char path[64];
		struct stat status = { 0 };

		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)find_payload(pids[i]), kind);
		if (stat(path, &status) == 0)
			inodes[i] = status.st_ino;
	}
	qsort(inodes, (size_t)count, sizeof(*inodes), compare);
	for (int i = 0; i < count; i++)
		different += inodes[i] && (i == 0 || inodes[i] != inodes[i - 1]);
	free(inodes);
	return different;
}

static int alive(int count, char **command)
{
	pid_t *pids = allocate((size_t)count, sizeof(*pids));
	long before = kilobytes("MemAvailable:");
	int running = 0, channel[2];
	char byte;

	if (pipe2(channel, O_CLOEXEC) < 0)
		fail("soak: pipe2");
	for (int i = 0; i < count; i++)
		pids[i] = start(command, channel[1]);
	close(channel[1]);
	while (running < count && read(channel[0], &byte, 1) == 1)
		running++;
	printf("%d %d %d %d %ld", running, distinct(pids, count, "pid"), distinct(pids, count, "mnt"),
		distinct(pids, count, "net"), (before - kilobytes("MemAvailable:")) / count);
	fflush(stdout);
	for (int i = 0; i < count; i++)
		kill(pids[i], SIGTERM);
	for (int i = 0; i < count; i++)
		waitpid(pids[i], NULL, 0);
	int left = left_over();
	printf(" %d\n", left);
	free(pids);
	return left || running != count;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "exit") == 0)
		return EXPECTED;
	if (argc == 2 && strcmp(argv[1], "pause") == 0) {
		signal(SIGTERM, _exit);
		return write(STDOUT_FILENO, "r", 1) == 1 ? pause() : 99;
	}
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (argc > 3 && strcmp(argv[1], "alive") == 0)
		return alive(number(argv[2]), argv + 3);
	if (argc > 4)
		return run(number(argv[1]), number(argv[2]), number(argv[3]), argv + 4, argc - 4);
	return 99;
}
