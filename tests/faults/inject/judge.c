#include "judge.h"

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REFUSAL = 125, NOT_EXECUTABLE = 126, SHOWN = 12 };

static int make_file(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0 || fcntl(fd, F_SETFL, O_APPEND) < 0 || fchmod(fd, 0666) < 0) {
		perror("inject: memfd_create");
		exit(2);
	}
	return fd;
}

static char *take_file(int fd)
{
	struct stat status;
	char *text;

	if (fstat(fd, &status) < 0 || !(text = calloc(1, (size_t)status.st_size + 1)))
		abort();
	if (pread(fd, text, (size_t)status.st_size, 0) < 0)
		text[0] = '\0';
	close(fd);
	return text;
}

void judge_run(const struct subject *subject, const struct fault *fault, struct points *record,
	struct run_result *result)
{
	struct start start = subject->start;

	start.output = make_file("output");
	start.errors = make_file("errors");
	trace_run(&start, fault, record, &result->outcome);
	result->output = take_file(start.output);
	result->errors = take_file(start.errors);

	char *after = snapshot_take(&subject->places);

	result->stays = false;
	result->left = snapshot_compare(subject->before, after);
	if (*result->left) {
		snapshot_clean(subject->before, after);
		free(after);
		after = snapshot_take(&subject->places);

		char *still = snapshot_compare(subject->before, after);

		result->stays = *still;
		free(still);
	}
	free(after);
}

void judge_free(struct run_result *result)
{
	free(result->outcome.view);
	free(result->output);
	free(result->errors);
	free(result->left);
}

/* Whether LINE says more than the text of an error. */
static bool says_something(const char *text)
{
	for (int error = 1; error < 134; error++) {
		size_t length = strlen(strerror(error));

		if (strncmp(text, strerror(error), length) == 0 &&
			(text[length] == '\n' || !text[length]))
			return false;
	}
	return *text && *text != '\n' && strncmp(text, "hint: ", 6) != 0;
}

/* Whether there is a line "LINK: what is wrong". */
static bool has_message(const struct start *start, const char *errors)
{
	for (const char *line = errors; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		for (const char *const *name = start->subjects; *name; name++) {
			size_t length = strlen(*name);

			if (strncmp(line, *name, length) == 0 && strncmp(line + length, ": ", 2) == 0 &&
				says_something(line + length + 2))
				return true;
		}
	}
	return false;
}

static void describe_status(FILE *why, const struct run_result *result, const char *what)
{
	int status = result->outcome.status;

	if (WIFSIGNALED(status))
		fprintf(why, "    %s: killed by signal %d\n", what, WTERMSIG(status));
	else
		fprintf(why, "    %s: status %d\n", what, WEXITSTATUS(status));
	fprintf(why, "    standard error: %s\n", *result->errors ? "" : "nothing");
	text_lack(why, "", result->errors, "    ", SHOWN);
}

/* COMMAND ran. */
static enum verdict judge_ran(const struct run_result *wanted, const struct run_result *result,
	const struct point *point, FILE *why)
{
	size_t ran = strlen(result->output);
	bool cut = result->outcome.status != wanted->outcome.status &&
		ran < strlen(wanted->output) && strncmp(result->output, wanted->output, ran) == 0;

	if (result->outcome.payloads != wanted->outcome.payloads ||
		strcmp(result->outcome.view, wanted->outcome.view) != 0 ||
		(strcmp(result->output, wanted->output) != 0 && !cut)) {
		fprintf(why, "    COMMAND ran %d times, without (-) and with (+):\n",
			result->outcome.payloads);
		text_lack(why, result->outcome.view, wanted->outcome.view, "    - ", SHOWN);
		text_lack(why, wanted->outcome.view, result->outcome.view, "    + ", SHOWN);
		text_lack(why, result->output, wanted->output, "    - ", SHOWN);
		text_lack(why, wanted->output, result->output, "    + ", SHOWN);
		return FAIL_OPEN;
	}
	if (strcmp(result->left, wanted->left) != 0) {
		fputs("    COMMAND ran; left behind:\n", why);
		text_lack(why, "", result->left, "    ", SHOWN);
		describe_status(why, result, "COMMAND ran");
		return LEFTOVER;
	}
	if (result->outcome.status == wanted->outcome.status || (point && point->early))
		return TOLERATED;
	describe_status(why, result, cut ? "COMMAND ran and was cut off" : "COMMAND ran");
	return WRONG_STATUS;
}

/* Whether LEFT is nothing but files that WANTED has too. */
static bool made_files(const char *wanted, const char *left)
{
	for (const char *line = left; *line; line = strchr(line, '\n') + 1) {
		if (strncmp(line, "+file ", 6) != 0)
			return false;
	}
	return text_lack(NULL, wanted, left, "", 0) == 0;
}

enum verdict judge(const struct subject *subject, const struct run_result *wanted,
	const struct run_result *result, const struct point *point, FILE *why)
{
	int status = result->outcome.status, code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	long number = result->outcome.number;
	bool execs = point && (number == SYS_execve || number == SYS_execveat);

	if (result->outcome.hung) {
		fputs("    not ended in time, then killed\n", why);
		return HANG;
	}
	if (result->outcome.payloads > 0)
		return judge_ran(wanted, result, point, why);
	if (*result->left && !(subject->makes && made_files(wanted->left, result->left))) {
		fputs("    COMMAND did not run; left behind:\n", why);
		text_lack(why, "", result->left, "    ", SHOWN);
		describe_status(why, result, "COMMAND did not run");
		return LEFTOVER;
	}
	if ((point && point->early) || (subject->foreign && code > 0))
		return REFUSED;
	if ((code == REFUSAL || (code == NOT_EXECUTABLE && execs)) &&
		has_message(&subject->start, result->errors))
		return REFUSED;
	describe_status(why, result, "COMMAND did not run");
	return WRONG_STATUS;
}
