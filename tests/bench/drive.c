/*
 * drive: starts programs in turn and writes down how long each took, from before the start until it is reaped.
 *
 *   drive run SUBJECTS RESULTS ROUNDS PAUSE STARTERS COUNT
 *   drive exec COMMAND [ARG]...
 *
 * Each line of the file SUBJECTS is a subject: NAME, EVERY, PLACE and the words of its command, between tabs. In each round each subject
 * has its turn (those with an EVERY above 1 only in each EVERY-th), and each round begins with another one, so that what disturbs the
 * machine hits all alike. PAUSE is in microseconds, before each turn. In a turn STARTERS processes run the command COUNT times each, one
 * after the other. {} in a word but the first becomes a number that was not used before. PLACE is - or alone: then the command runs in a mount namespace
 * where nothing is mounted on /sys/fs/cgroup/unified, for programs that take a hybrid of cgroups for version 2. RESULTS gets lines of
 * NAME, round and nanoseconds.
 * exec runs COMMAND there.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { MAX_SUBJECTS = 32, MAX_WORDS = 128, MAX_WORD = 512 };

struct subject {
	char *line;
	char *name;
	char *words[MAX_WORDS + 1];
	unsigned int every;
	bool alone;
};

struct plan {
	struct subject subjects[MAX_SUBJECTS];
	unsigned int count, rounds, pause, starters, starts, number;
	int here, alone;
	FILE *results;
};

static void fail(const char *what)
{
	fprintf(stderr, "drive: %s: %s\n", what, strerror(errno));
	exit(1);
}

static unsigned int number(const char *text)
{
	return (unsigned int)strtoul(text, NULL, 10);
}

static char *next_word(char **rest)
{
	char *word = strsep(rest, "\t\n");

	return word && *word ? word : NULL;
}

static void read_subject(struct subject *subject, char *rest)
{
	const char *every, *place;

	subject->name = next_word(&rest);
	every = next_word(&rest);
	place = next_word(&rest);
	subject->words[0] = next_word(&rest);
	if (!subject->name || !every || !place || !subject->words[0]) {
		fputs("drive: a subject has less than four words\n", stderr);
		exit(1);
	}
	subject->every = number(every);
	subject->alone = strcmp(place, "alone") == 0;
	for (int i = 1; (subject->words[i] = next_word(&rest)); i++) {
		if (i == MAX_WORDS) {
			fprintf(stderr, "drive: a command has more than %d words\n", MAX_WORDS);
			exit(1);
		}
	}
}

static void read_subjects(struct plan *plan, const char *path)
{
	FILE *file = fopen(path, "re");
	size_t size = 0;

	if (!file)
		fail(path);
	while (plan->count < MAX_SUBJECTS) {
		struct subject *subject = &plan->subjects[plan->count];

		if (getline(&subject->line, &size, file) <= 0)
			break;
		size = 0;
		read_subject(subject, subject->line);
		plan->count++;
	}
	fclose(file);
}

/* --- where a command runs --- */

static void leave_unified(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		fail("a mount namespace");
	if (umount2("/sys/fs/cgroup/unified", MNT_DETACH) < 0 && errno != EINVAL && errno != ENOENT)
		fail("/sys/fs/cgroup/unified");
}

static int own_mounts(void)
{
	int fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail("/proc/self/ns/mnt");
	return fd;
}

static void prepare_places(struct plan *plan)
{
	plan->here = own_mounts();
	leave_unified();
	plan->alone = own_mounts();
	if (setns(plan->here, CLONE_NEWNS) < 0)
		fail("setns");
}

/* --- one turn --- */

static void start_once(const struct subject *subject, unsigned int unused)
{
	static char copies[MAX_WORDS][MAX_WORD];
	char *words[MAX_WORDS + 1] = { subject->words[0] };
	int status, error;
	pid_t pid;

	for (int i = 1; subject->words[i]; i++) {
		const char *mark = strstr(subject->words[i], "{}");

		words[i] = subject->words[i];
		if (!mark)
			continue;
		snprintf(copies[i], MAX_WORD, "%.*s%d-%u%s", (int)(mark - words[i]), words[i],
			(int)getpid(), unused, mark + 2);
		words[i] = copies[i];
	}
	error = posix_spawn(&pid, subject->words[0], NULL, NULL, words, environ);
	if (error) {
		errno = error;
		fail(subject->words[0]);
	}
	if (waitpid(pid, &status, 0) != pid)
		fail("waitpid");
	if (status != 0) {
		fprintf(stderr, "drive: %s: wait status %#x\n", subject->name, (unsigned int)status);
		exit(1);
	}
}

static void start_all(const struct plan *plan, const struct subject *subject)
{
	pid_t starters[MAX_SUBJECTS];
	bool failed = false;

	for (unsigned int i = 0; i < plan->starters && i < MAX_SUBJECTS; i++) {
		starters[i] = fork();
		if (starters[i] < 0)
			fail("fork");
		if (starters[i] > 0)
			continue;
		for (unsigned int n = 0; n < plan->starts; n++)
			start_once(subject, n);
		_exit(0);
	}
	for (unsigned int i = 0; i < plan->starters && i < MAX_SUBJECTS; i++) {
		int status;

		failed |= waitpid(starters[i], &status, 0) != starters[i] || status != 0;
	}
	if (failed)
		exit(1);
}

static unsigned long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (unsigned long long)time.tv_sec * 1000000000 + (unsigned long long)time.tv_nsec;
}

static void take_turn(struct plan *plan, const struct subject *subject, unsigned int round)
{
	unsigned long long begun, ended;

	if (subject->alone && setns(plan->alone, CLONE_NEWNS) < 0)
		fail("setns");
	if (plan->pause)
		usleep(plan->pause);
	begun = now();
	if (plan->starters * plan->starts == 1)
		start_once(subject, plan->number++);
	else
		start_all(plan, subject);
	ended = now();
	if (subject->alone && setns(plan->here, CLONE_NEWNS) < 0)
		fail("setns");
	fprintf(plan->results, "%s\t%u\t%llu\n", subject->name, round, ended - begun);
}

int main(int argc, char **argv)
{
	static struct plan plan;

	if (argc > 2 && strcmp(argv[1], "exec") == 0) {
		leave_unified();
		execvp(argv[2], argv + 2);
		fail(argv[2]);
	}
	if (argc != 8) {
		fputs("usage: drive run SUBJECTS RESULTS ROUNDS PAUSE STARTERS COUNT\n", stderr);
		return 1;
	}
	read_subjects(&plan, argv[2]);
	plan.results = fopen(argv[3], "we");
	if (!plan.results)
		fail(argv[3]);
	plan.rounds = number(argv[4]);
	plan.pause = number(argv[5]);
	plan.starters = number(argv[6]);
	plan.starts = number(argv[7]);
	prepare_places(&plan);
	for (unsigned int round = 0; round < plan.rounds; round++)
		for (unsigned int i = 0; i < plan.count; i++) {
			const struct subject *subject = &plan.subjects[(round + i) % plan.count];

			if (round % subject->every == 0)
				take_turn(&plan, subject, round);
		}
	return fclose(plan.results) == 0 ? 0 : 1;
}
