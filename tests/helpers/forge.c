/*
 * forge KIND DIR FD COMMAND [ARG]...: runs COMMAND with FD open for DIR as KIND: as it is (directory), a read-only copy of its mount (clone), an overlay
 * of it that is never attached and read-only (overlay) or not (writable), or a read-only one at DIR.place (attached). If COMMAND is @NAME, it is NAME of FD,
 * by execveat. Overlays take DIR.empty, DIR.upper and DIR.work, which are there.
 */
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PATH = 4096 };

static int set(int context, const char *key, const char *value, const char *suffix)
{
	char path[PATH];

	snprintf(path, sizeof(path), "%s%s", value, suffix);
	return (int)syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, key, path, 0);
}

static int overlay(const char *directory, int writable)
{
	char lower[PATH * 2];
	int context = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);

	snprintf(lower, sizeof(lower), "%s:%s.empty", directory, directory);
	if (context < 0 || set(context, "lowerdir", lower, "") < 0)
		return -1;
	if (writable) {
		/* Only where there is no privilege over the attributes that it would use otherwise. */
		syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, "userxattr", NULL, 0);
		if (set(context, "upperdir", directory, ".upper") < 0 ||
			set(context, "workdir", directory, ".work") < 0)
			return -1;
	}
	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC,
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (writable ? 0 : MOUNT_ATTR_RDONLY));
}

static int read_only_clone(const char *directory)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	int clone = (int)syscall(
		SYS_open_tree, AT_FDCWD, directory, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (clone < 0 || syscall(SYS_mount_setattr, clone, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return -1;
	return clone;
}

static int make(const char *kind, const char *directory)
{
	char place[PATH];

	if (strcmp(kind, "directory") == 0)
		return open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (strcmp(kind, "clone") == 0)
		return read_only_clone(directory);
	if (strcmp(kind, "attached") != 0)
		return overlay(directory, strcmp(kind, "writable") == 0);
	snprintf(place, sizeof(place), "%s.place", directory);

	int made = overlay(directory, 0);

	return made >= 0 &&
			syscall(SYS_move_mount, made, "", AT_FDCWD, place,
				MOVE_MOUNT_F_EMPTY_PATH) == 0 ?
		made :
		-1;
}

int main(int argc, char **argv, char **environment)
{
	if (argc < 5)
		return 2;

	int wanted = (int)strtol(argv[3], NULL, 10);
	int made = make(argv[1], argv[2]);

	if (made < 0 || dup2(made, wanted) < 0) {
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
