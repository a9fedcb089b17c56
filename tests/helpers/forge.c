/*
 * forge KIND DIR FD COMMAND [ARG]...: runs COMMAND with FD open for DIR as KIND: as it is (directory), a read-only copy of its mount (clone); or with
 * copies of its links in memory from FD on, as in a toolbox, which can be written to (copies) or not (sealed). If COMMAND is @NAME, it is NAME of
 * FD, by execveat.
 */
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

/* In the order of common/toolbox.c. */
static const char *const links[] = { "nsnew", "nsjoin", "cgrun", "capjail", "rootjail", "nsmount" };

enum { LINKS = sizeof(links) / sizeof(*links) };

static int read_only_clone(const char *directory)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	int clone = (int)syscall(
		SYS_open_tree, AT_FDCWD, directory, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (clone < 0 || syscall(SYS_mount_setattr, clone, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return -1;
	return clone;
}

static int copy(int directory, const char *name, int sealed)
{
	int source = openat(directory, name, O_RDONLY | O_CLOEXEC);
	int file = (int)syscall(SYS_memfd_create, name, MFD_ALLOW_SEALING);

	/* DIR has no nsmount. */
	while (source >= 0 && sendfile(file, source, NULL, 1 << 20) > 0)
		continue;
	close(source);
	if (sealed &&
		fcntl(file, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return -1;
	return file;
}

static int make(const char *kind, const char *directory, int wanted)
{
	int made = strcmp(kind, "clone") == 0 ? read_only_clone(directory) :
						open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int done = made >= 0;

	if (strcmp(kind, "copies") != 0 && strcmp(kind, "sealed") != 0)
		return done && dup2(made, wanted) >= 0;
	for (int i = 0; done && i < LINKS; i++)
		done = dup2(copy(made, links[i], strcmp(kind, "sealed") == 0), wanted + i) >= 0;
	return done;
}

int main(int argc, char **argv, char **environment)
{
	if (argc < 5)
		return 2;

	int wanted = (int)strtol(argv[3], NULL, 10);

	if (!make(argv[1], argv[2], wanted)) {
		perror("forge");
		return 3;
	}
	if (argv[4][0] == '@')
		syscall(SYS_execveat, wanted, argv[4] + 1, argv + 4, environment, 0);
	else
		execvp(argv[4], argv + 4);
	perror(argv[4]);
	return 4;
}
