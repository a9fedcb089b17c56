/*
 * target - the process, or the directory of pins, whose namespaces are joined. pidfd_open(2), proc(5).
 *
 * A PID may be given to another process at any moment. So the process is held by one pidfd, what is read of it comes from one directory fd of
 * its /proc/PID, and target_verify() tells afterwards that both were of the same process all along.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct target {
	pid_t pid;      /* 0 for none */
	uint64_t inode; /* of its pidfd; 0 if any will do */
	const char *pins;
	int pidfd;     /* -1 for none */
	int process;   /* its /proc/PID; -1 */
	int directory; /* of pins; -1 */
};

/* "PID", "PID:INODE", or the path of a directory, with a '/'. Returns NULL or, as parse.h, the reason against TEXT. */
const char *target_parse(const char *text, struct target *ret);

/* Opens what TARGET names. Dies. INODE is that of a pidfd, unique since boot from Linux 6.9 on. */
void target_open(struct target *target);

/*
 * The own /proc/PID, by the /proc of this side, for when another is there. Where it is explained that a user namespace would be joined (USER) it is
 * that of the process which has the id maps of that namespace. Dies.
 */
int target_open_self(const struct target *target, bool user);

/* Where COMMAND is to be, NULL for where this process is: a directory of this side, or "" for that of the target; LATE_DIR is a path of the other side. */
struct target_place {
	const char *root, *workdir, *late_dir;
	int root_fd, workdir_fd; /* for this module */
};

/* Opens the directories of PLACE that are of this side or the target's. Dies. */
void target_open_place(const struct target *target, struct target_place *place);

/* After the namespaces are joined: makes PLACE the root and working directory, "/" if MOUNTS says that the mount namespace is another. Dies. chroot(2) */
void target_enter_place(const struct target_place *place, bool mounts);

/* Dies if the process has ended. */
void target_verify(const struct target *target);

/* A user or group id: none, a number, or what the target's is. */
struct target_id {
	bool given;
	bool follow;
	uint32_t number;
};

/* A number or "follow". Returns NULL or the reason against TEXT. */
const char *target_parse_id(const char *text, struct target_id *ret);

/*
 * Makes the number of an ID that follows: FIELD is "Uid" or "Gid" of /proc/PID/status, and MAP the map to see it through, for a user namespace that will
 * be joined, or NULL. Dies.
 */
void target_resolve_id(
	const struct target *target, struct target_id *id, const char *field, const char *map);

/*
 * Makes the environment that the process was started with the one of this process, and so of the program that it becomes. Not where it is explained: the next link
 * would run with it on this side. Dies. environ(7)
 */
void target_take_environment(const struct target *target);
