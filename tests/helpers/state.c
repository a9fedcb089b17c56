/*
 * state [FILE [ARGUMENT]...]: writes what it was started with, one line each, to FILE or standard output. By system calls alone, so
 * that it works without /proc and with every fd closed.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FDS = 1024, SIGNALS = 64 };

static void list_fds(FILE *out, const int *open_fds)
{
	fputs("fds:", out);
	for (int fd = 0; fd < FDS; fd++) {
		if (open_fds[fd])
			fprintf(out, " %d", fd);
	}
	fputc('\n', out);
}

static void list_signals(FILE *out)
{
	sigset_t blocked;

	sigprocmask(SIG_SETMASK, NULL, &blocked);
	fputs("blocked:", out);
	for (int i = 1; i <= SIGNALS; i++) {
		if (sigismember(&blocked, i) == 1)
			fprintf(out, " %d", i);
	}
	fputs("\nignored:", out);
	for (int i = 1; i <= SIGNALS; i++) {
		struct sigaction action;

		if (sigaction(i, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			fprintf(out, " %d", i);
	}
	fputc('\n', out);
}

int main(int argc, char **argv)
{
	static int open_fds[FDS];
	char directory[PATH_MAX];
	mode_t mask = umask(0);

	for (int fd = 0; fd < FDS; fd++)
		open_fds[fd] = fcntl(fd, F_GETFD) >= 0;
	umask(022);

	FILE *out = argc > 1 && *argv[1] ? fopen(argv[1], "we") : stdout;

	if (!out)
		return 99;
	fprintf(out, "cwd: %s\numask: %04o\n",
		getcwd(directory, sizeof(directory)) ? directory : "?", (unsigned int)mask);
	list_signals(out);
	list_fds(out, open_fds);
	fprintf(out, "argc: %d\n", argc);
	for (int i = 2; i < argc; i++)
		fprintf(out, "argument: <%s>\n", argv[i]);
	return fclose(out) == 0 ? EXIT_SUCCESS : 99;
}
