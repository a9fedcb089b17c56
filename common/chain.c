#include "common/chain.h"

#include "common/explain.h"
#include "common/report.h"
#include "common/toolbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the search goes on after: there is nothing at that name. Anything else is about a file that is there. */
static bool is_absent(int error)
{
	return error == ENOENT || error == ENOTDIR;
}

static const char *advice(int error)
{
	switch (error) {
	case ENOEXEC:
		return "no program, and no script with a '#!' line for its interpreter";
	case EACCES:
		return "no permission, a directory, or on a mount with noexec";
	case ENOENT:
		return "it is there, but the interpreter or loader that it names is not";
	default:
		return NULL;
	}
}

/* A word processor makes one long dash of "--": U+2010 to U+2015. */
static bool is_like_option(const char *name)
{
	return name[0] == '-' || strncmp(name, "\xe2\x80", 2) == 0;
}

static int give_up(const char *name, const char *path, const char *root, int error)
{
	/* ENOENT for a file that is there is about its interpreter. */
	bool found = !is_absent(error) || faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) == 0;
	const char *text = found ? advice(error) :
		is_like_option(name) ?
				   "it looks like an option: these stand in front of all operands" :
				   NULL;

	if (root)
		warn_error(error, "cannot run '%s' in '%s'", name, root);
	else
		warn_error(error, "cannot run '%s'", name);
	if (text)
		hint("%s", text);
	return found ? STATUS_NOT_EXECUTABLE : STATUS_NOT_FOUND;
}

/* Tries every directory of PATH; returns the error of the last file that was there but could not be run, else ENOENT. */
static int search(char *const command[], const char *directories, char *path, size_t size)
{
	int error = ENOENT;
	char candidate[PATH_MAX];

	while (directories) {
		const char *end = strchrnul(directories, ':');
		int length = snprintf(candidate, sizeof(candidate), "%.*s/%s",
			(int)(end - directories), directories, command[0]);

		/* An empty or relative entry means the current directory, which is not the caller's to trust. */
		if (directories[0] == '/' && length < (int)sizeof(candidate)) {
			toolbox_start(candidate, command);
			execve(candidate, command, environ);

			int refused = errno;

			if (!is_absent(refused) || access(candidate, F_OK) == 0) {
				error = refused;
				snprintf(path, size, "%s", candidate);
			}
		}
		directories = *end ? end + 1 : NULL;
	}
	return error;
}

char **chain_insert(char *const command[], const char *word)
{
	size_t count = 0;

	while (command[count])
		count++;

	char **longer = malloc((count + 2) * sizeof(*longer));
	char *copy = strdup(word);

	if (!longer || !copy)
		die_error(errno, "cannot allocate memory");
	longer[0] = command[0];
	longer[1] = copy;
	memcpy(longer + 2, command + 1, count * sizeof(*longer));
	return longer;
}

/* Whether search() would stop at PATH: not at a directory, which is no program. */
static bool is_program(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

/* The file that search() would run into PATH; the bare name where that cannot be known from here. */
static void find(const char *name, const char *directories, char *path, size_t size)
{
	snprintf(path, size, "%s", name);
	while (directories && !strchr(name, '/') && !explain_is_changed(EXPLAIN_ROOT)) {
		const char *end = strchrnul(directories, ':');

		snprintf(path, size, "%.*s/%s", (int)(end - directories), directories, name);
		if (directories[0] == '/' && is_program(path))
			return;
		snprintf(path, size, "%s", name);
		directories = *end ? end + 1 : NULL;
	}
}

/* Has the next link explain what it would do, if there is one. */
static _Noreturn void explain_exec(char *const command[], const char *directories)
{
	const char *slash = strrchr(command[0], '/');
	char path[PATH_MAX], option[EXPLAIN_OPTION];

	explain_because("the rest of the chain");
	find(command[0], directories, path, sizeof(path));
	if (slash || !toolbox_explain_start(command))
		explain_call("execve(%q, %v)", path, command);
	explain_flush();
	if (slash || !toolbox_is_link(command[0]))
		exit(EXIT_SUCCESS);
	explain_option(option);
	toolbox_run_beside(chain_insert(command, option));
}

static int try_exec(char *const command[], bool root_changed, const char *root)
{
	const char *name = command[0];
	const char *directories = getenv("PATH");
	char path[PATH_MAX] = "";

	if (name[0] == '\0') {
		warn("cannot run '': the name of COMMAND is empty");
		return STATUS_NOT_FOUND;
	}
	if (explain_is_on())
		explain_exec(command, directories ? directories : "/bin:/usr/bin");
	if (strchr(name, '/')) {
		execve(name, command, environ);
		return give_up(name, name, root, errno);
	}
	/* A link is run from the toolbox or not at all. */
	if (toolbox_is_link(name) && toolbox_is_held())
		return toolbox_try_exec(command, root_changed);
	/* The value that confstr(_CS_PATH) stands for. */
	return give_up(name, path, root,
		search(command, directories ? directories : "/bin:/usr/bin", path, sizeof(path)));
}

int chain_try_exec(char *const command[])
{
	return try_exec(command, false, NULL);
}

void chain_exec_inside(char *const command[], const char *root)
{
	exit(try_exec(command, true, root));
}

void chain_exec(char *const command[])
{
	exit(chain_try_exec(command));
}

/* WORD as it is, or between quotation marks if a shell would see more in it. False if it does not fit. */
static bool quote_word(const char *word, char *text, size_t size)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=/.,:@%";
	size_t used = 1;

	if (word[0] && !word[strspn(word, plain)])
		return snprintf(text, size, "%s", word) < (int)size;
	snprintf(text, size, "'");
	for (; *word && used < size; word++) {
		const char *letter = *word == '\'' ? "'\\''" : (char[]){ *word, '\0' };

		used += (size_t)snprintf(text + used, size - used, "%s", letter);
	}
	return used < size && snprintf(text + used, size - used, "'") < (int)(size - used);
}

void chain_quote(char *const vector[], int count, char *text, size_t size)
{
	char word[512];
	size_t used = 0;

	text[0] = '\0';
	for (int i = 0; i < count; i++) {
		if (!quote_word(vector[i], word, sizeof(word)) ||
			used + (i > 0) + strlen(word) + sizeof(" ...") > size) {
			snprintf(text + used, size - used, "%s...", i ? " " : "");
			return;
		}
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " " : "", word);
	}
}
