/*
 * heard COUNT [SIGNAL]...: catches the signals that a waiting link forwards, or those of them that are named, prints "ready", then the
 * name of each one that arrives, and exits with 42 after COUNT of them, or at SIGTERM if COUNT is 0.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATUS = 42 };

static const struct {
	int number;
	const char *name;
} signals[] = {
	{ SIGTERM, "TERM" },
	{ SIGINT, "INT" },
	{ SIGHUP, "HUP" },
	{ SIGQUIT, "QUIT" },
	{ SIGUSR1, "USR1" },
	{ SIGUSR2, "USR2" },
	{ SIGWINCH, "WINCH" },
	{ SIGCONT, "CONT" },
};

enum { SIGNALS = sizeof(signals) / sizeof(*signals) };

static volatile sig_atomic_t left;
static volatile sig_atomic_t until_term;

static void hear(int number)
{
	char line[16] = "";

	for (size_t i = 0; i < SIGNALS; i++) {
		if (signals[i].number == number) {
			snprintf(line, sizeof(line), "%s\n", signals[i].name);
		}
	}
	if (write(STDOUT_FILENO, line, strlen(line)) < 0)
		_exit(99);
	if (until_term ? number == SIGTERM : --left == 0)
		_exit(STATUS);
}

static int is_wanted(int argc, char **argv, const char *name)
{
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], name) == 0)
			return 1;
	}
	return argc < 3;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = hear };

	if (argc < 2)
		return 99;
	left = (int)strtol(argv[1], NULL, 10);
	until_term = left == 0;
	/* One at a time, so that every line is whole. */
	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < SIGNALS; i++) {
		if (is_wanted(argc, argv, signals[i].name))
			sigaction(signals[i].number, &action, NULL);
	}
	if (write(STDOUT_FILENO, "ready\n", 6) != 6)
		return 99;
	for (;;)
		pause();
}
