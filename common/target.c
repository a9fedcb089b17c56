#include "common/target.h"

#include "common/explain.h"
#include "common/fd.h"
#include "common/idmap.h"
#include "common/parse.h"
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *target_parse(const char *text, struct target *ret)
{
	const char *cursor = text;
	char word[16];
	int pid;
	uint64_t inode = 0;

	if (strchr(text, '/')) {
		ret->pins = text;
		return NULL;
	}
	if (parse_word(&cursor, ':', word, sizeof(word)) || parse_pid(word, &pid))
		return "is no target: a PID from 1 to 4194304, or a directory with a '/' in its path";
	if (cursor && parse_number(cursor, 1, UINT64_MAX, &inode))
		return "is not of the form PID:INODE";
	ret->pid = pid;
	ret->inode = inode;
	return NULL;
}

/* Before Linux 6.9 all pidfds have the inode of one anonymous file. */
static void check_inode(const struct target *target)
{
	struct stat status, own;
	autoclose int self = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (self < 0 || fstat(self, &own) < 0 || fstat(target->pidfd, &status) < 0)
		die_error(errno, "cannot look at the pidfd of process %d", (int)target->pid);
	if (own.st_ino == status.st_ino && getpid() != target->pid)
		die("pidfds have no inodes of their own on this kernel (Linux 6.9)");
	if (status.st_ino != target->inode)
		die("process %d is another one by now: inode %" PRIu64 " and not %" PRIu64,
			(int)target->pid, (uint64_t)status.st_ino, target->inode);
}

void target_open(struct target *target)
{
	char path[32];

	target->pidfd = target->process = target->directory = -1;
	if (target->pins)
		target->directory = fd_open(AT_FDCWD, target->pins, O_PATH | O_DIRECTORY);
	if (!target->pid)
		return;
	target->pidfd = (int)syscall(SYS_pidfd_open, target->pid, 0);
	if (target->pidfd < 0)
		die_hint(errno == EINVAL || errno == ENOENT ?
				"it is a thread; give the PID of its process" :
				NULL,
			errno, "cannot find process %d", (int)target->pid);
	if (target->inode)
		check_inode(target);
	snprintf(path, sizeof(path), "/proc/%d", (int)target->pid);
	target->process = fd_open(AT_FDCWD, path, O_PATH | O_DIRECTORY);
}

/* NAME in /proc/PID. */
static int open_of(const struct target *target, const char *name, int flags)
{
	int fd = fd_try_open(target->process, name, flags);

	if (fd < 0)
		die_hint(fd == -EACCES ? "a process of another user: this needs CAP_SYS_PTRACE" : NULL,
			-fd, "cannot open '%s' of process %d", name, (int)target->pid);
	return fd;
}

/* Opens the directory ASKED; if that is "", NAME ("root" or "cwd") of the process. -1 if ASKED is NULL. */
static int open_directory(const struct target *target, const char *asked, const char *name)
{
	if (!asked)
		return -1;
	if (*asked)
		return fd_open(AT_FDCWD, asked, O_PATH | O_DIRECTORY);
	return open_of(target, name, O_PATH | O_DIRECTORY);
}

int target_open_self(const struct target *target, bool user)
{
	if (explain_is_on() && user && target->process >= 0)
		return fd_open(target->process, ".", O_PATH | O_DIRECTORY);
	return fd_open(AT_FDCWD, "/proc/self", O_PATH | O_DIRECTORY);
}

void target_open_place(const struct target *target, struct target_place *place)
{
	place->root_fd = open_directory(target, place->root, "root");
	place->workdir_fd = open_directory(target, place->workdir, "cwd");
}

static void explain_place(const struct target_place *place, bool mounts)
{
	explain_because("the root and working directory of the other side");
	if (place->root) {
		explain_call("fchdir(%f)", place->root_fd);
		explain_call("chroot(\".\")");
	}
	if (place->root || mounts)
		explain_call("chdir(\"/\")");
	if (place->workdir)
		explain_call("fchdir(%f)", place->workdir_fd);
	if (place->late_dir)
		explain_call("chdir(%q)", place->late_dir);
	if (place->root || mounts)
		explain_change(EXPLAIN_ROOT);
}

void target_enter_place(const struct target_place *place, bool mounts)
{
	if (explain_is_on()) {
		explain_place(place, mounts);
		return;
	}
	if (place->root && (fchdir(place->root_fd) < 0 || chroot(".") < 0))
		die_error(errno, "cannot enter the root directory");
	if ((place->root || mounts) && chdir("/") < 0)
		die_error(errno, "cannot enter '/' on the other side");
	if (place->workdir && fchdir(place->workdir_fd) < 0)
		die_error(errno, "cannot enter the working directory");
	if (place->late_dir && chdir(place->late_dir) < 0)
		die_error(errno, "cannot enter '%s' on the other side", place->late_dir);
	/* ".." of a directory outside would lead on there. */
	if ((place->workdir || place->late_dir) && !fd_is_inside_root())
		die_hint("--wdns=DIR names one of the other side", 0,
			"the working directory is outside of the root directory there");
}

void target_verify(const struct target *target)
{
	/* Also if that cannot be told. */
	if (target->pid && fd_try_poll(target->pidfd, 0) != 0)
		die("process %d has ended", (int)target->pid);
}

const char *target_parse_id(const char *text, struct target_id *ret)
{
	struct target_id id = { .given = true, .follow = strcmp(text, "follow") == 0 };

	if (!id.follow && parse_id(text, &id.number))
		return "is neither an id from 0 to 4294967294 nor follow";
	*ret = id;
	return NULL;
}

void target_resolve_id(
	const struct target *target, struct target_id *id, const char *field, const char *map)
{
	char text[8192];
	char *cursor = text;
	uint32_t outer;
	bool found = false;

	if (!id->follow)
		return;
	if (!target->pid)
		die("to follow the target's ids, the target has to be a process");

	ssize_t length = fd_try_read(target->process, "status", text, sizeof(text));

	if (length < 0)
		die_error((int)-length, "cannot read the status of process %d", (int)target->pid);
	for (char *line; !found && (line = strsep(&cursor, "\n"));) {
		char *name = strsep(&line, ":");

		if (!line || strcmp(name, field) != 0)
			continue;
		/* "\tREAL\tEFFECTIVE..." */
		strsep(&line, "\t");
		strsep(&line, "\t");
		found = line && !parse_id(strsep(&line, "\t"), &outer);
	}
	if (!found)
		die("cannot find %s in the status of process %d", field, (int)target->pid);
	id->number = outer;
	if (map && !idmap_find_inner(target->process, map, outer, &id->number))
		die("the target's %s %u has no mapping in its user namespace", field, outer);
}

static char **read_environment(const struct target *target)
{
	FILE *file = fdopen(open_of(target, "environ", O_RDONLY), "re");
	char **list = NULL;

	for (size_t count = 0; file; count++) {
		char **longer = reallocarray(list, count + 1, sizeof(*list));
		size_t size = 0;

		if (!longer)
			break;
		list = longer;
		list[count] = NULL;
		if (getdelim(&list[count], &size, '\0', file) < 0) {
			if (ferror(file))
				break;
			free(list[count]);
			list[count] = NULL;
			fclose(file);
			return list;
		}
	}
	die_error(errno, "cannot read the environment of process %d", (int)target->pid);
}

void target_take_environment(const struct target *target)
{
	autoclose int readable = explain_is_on() ? open_of(target, "environ", O_RDONLY) : -1;

	if (readable < 0)
		environ = read_environment(target);
}
