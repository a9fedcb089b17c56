/* chain: the search for COMMAND along PATH; what is tried is an absolute path that ends in its name, or the path that it is. */
#include "tests/fuzz/fuzz.h"

static int fuzz_execve(const char *path, char *const argv[], char *const envp[]);
static int fuzz_access(const char *path, int mode);

#include <errno.h>
#include <limits.h>

#define execve fuzz_execve
#define access fuzz_access
#include "common/chain.c"
#undef execve
#undef access

enum { DIRECTORIES, NAME, ERRORS, PARTS };

static struct {
	const char *name;
	const char *errors;
} tried;

/* As long as the input has digits, they are what the kernel says. */
static int fuzz_execve(const char *path, char *const argv[], char *const envp[])
{
	static const int errors[] = { ENOENT, EACCES, ENOTDIR, ENOEXEC, ELOOP, ENAMETOOLONG, ENOMEM,
		ETXTBSY, EPERM, E2BIG };
	size_t length = strlen(path), tail = strlen(tried.name);

	fuzz_check(argv[0] == tried.name && envp == environ);
	fuzz_check(strlen(path) < PATH_MAX || path == tried.name);
	if (strchr(tried.name, '/'))
		fuzz_check(path == tried.name);
	else
		fuzz_check(path[0] == '/' && length > tail && path[length - tail - 1] == '/' &&
			strcmp(path + length - tail, tried.name) == 0);
	errno = *tried.errors >= '0' && *tried.errors <= '9' ? errors[*tried.errors++ - '0'] : ENOENT;
	return -1;
}

static int fuzz_access(const char *path, int mode)
{
	fuzz_check(mode == F_OK && path[0]);
	return *tried.errors == 'y' ? 0 : -1;
}

static void run(void *data)
{
	char *command[] = { data, NULL };

	chain_exec_inside(command, *tried.errors == 'r' ? "root" : NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_part parts[PARTS];

	fuzz_split(data, size, parts, PARTS);
	setenv("PATH", parts[DIRECTORIES].text, 1);
	tried.name = parts[NAME].text;
	tried.errors = parts[ERRORS].text;

	int status = fuzz_survive(run, parts[NAME].text);

	fuzz_check(status == STATUS_NOT_FOUND || status == STATUS_NOT_EXECUTABLE);
	fuzz_free(parts, PARTS);
	return 0;
}
