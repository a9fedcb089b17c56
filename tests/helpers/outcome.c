/*
 * outcome FILE COMMAND [ARGUMENT]...: runs COMMAND with the default action for all signals, its PID in FILE, and prints how it really
 * ended, which a shell does not tell: "exited 143" is not "killed by 15". Ends COMMAND when it is ended itself.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void write_pid(const char *path)
{
	char partial[4096];
	FILE *file;

	/* Whoever sees FILE sees all of it. */
	snprintf(partial, sizeof(partial), "%s.partial", path);
	file = fopen(partial, "we");
	if (!file || fprintf(file, "%d\n", (int)getpid()) < 0 || fclose(file) != 0 ||
		rename(partial, path) < 0) {
		perror(path);
		_exit(99);
	}
}

int main(int argc, char **argv)
{
	int status;
	sigset_t none;

	if (argc < 3)
		return 99;
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);

	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		write_pid(argv[1]);
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(99);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		perror("outcome");
		return 99;
	}
	if (WIFEXITED(status))
		printf("exited %d\n", WEXITSTATUS(status));
	else
		printf("killed by %d%s\n", WTERMSIG(status), WCOREDUMP(status) ? ", core dumped" : "");
	return EXIT_SUCCESS;
}
