#include "common/pin.h"

#include "common/child.h"
#include "common/explain.h"
#include "common/fd.h"
#include "common/mounttree.h"
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the two say to each other, a byte each. */
enum { PIN = 'p', KEEP = 'k', UNDO = 'u', DONE = 'd', ELSEWHERE = 'e' };

/* The helper's view of one pin. */
struct pin {
	const struct namespace_kind *kind;
	int directory; /* fd; AT_FDCWD for a file of the user's naming */
	const char *name;
	bool ours; /* the file was made for the pin */
	bool made;
};

struct pins {
	int socket;
	const char *directory; /* a mount that was made for the pins; NULL */
	size_t count;
	struct pin list[2 * NAMESPACE_KINDS];
};

/* Whoever can write to the directory could put another namespace in place of a pin. */
static bool check_directory(int fd, const char *path)
{
	struct stat status;

	if (fstat(fd, &status) < 0) {
		warn_error(errno, "cannot look at '%s'", path);
		return false;
	}
	if (status.st_uid == geteuid() && !(status.st_mode & (S_IWGRP | S_IWOTH)))
		return true;
	warn("'%s' is not a directory that only this user can write to", path);
	hint("make it with: mkdir -m 700");
	return false;
}

/* An fd of it, or -1 after a message. */
static int try_open_directory(const char *path)
{
	autoclose int fd = fd_try_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

	if (fd < 0)
		warn_error(-fd, "cannot open '%s'", path);
	return fd >= 0 && check_directory(fd, path) ? fd_take(&fd) : -1;
}

static int open_directory(const char *path)
{
	int fd = try_open_directory(path);

	if (fd < 0)
		exit(STATUS_FAILED);
	return fd;
}

/* Makes the directory at PATH a mount of its own, private; returns an fd in that mount. *RET_MADE: it was none before. */
static int make_private(const char *path, bool *ret_made)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		die_error(errno, "cannot make the directory '%s'", path);

	autoclose int plain = open_directory(path);
	int error = mounttree_try_set_propagation(plain, MS_PRIVATE);

	/* EINVAL: not a mount point yet. */
	*ret_made = error == -EINVAL;
	if (*ret_made) {
		autoclose int tree = mounttree_try_clone(plain, true);

		error = tree < 0 ? tree : mounttree_try_set_propagation(tree, MS_PRIVATE);
		if (error == 0)
			error = mounttree_try_attach(tree, plain);
	}
	if (error < 0)
		die_hint(error == -EPERM ?
				"pins are mounts: as a plain user, make them behind 'nsnew -rm'" :
				NULL,
			-error, "cannot make '%s' a private mount", path);
	/* Only a path leads onto the mount; it is checked again for what it leads to. */
	int fd = try_open_directory(path);

	/* Below a shared mount it has become shared itself. */
	error = fd >= 0 && *ret_made ? mounttree_try_set_propagation(fd, MS_PRIVATE) : 0;
	if (error < 0)
		warn_error(-error, "cannot make '%s' a private mount", path);
	if (fd >= 0 && error == 0)
		return fd;
	if (*ret_made)
		mounttree_try_detach(AT_FDCWD, path);
	exit(STATUS_FAILED);
}

static void add_pin(struct pins *pins, size_t kind, int directory, const char *name)
{
	pins->list[pins->count++] =
		(struct pin){ .kind = &namespace_kinds[kind], .directory = directory, .name = name };
}

/* Makes the file that PIN is to be mounted on, or takes an empty one that is there if the user named it. */
static int open_place(struct pin *pin)
{
	int fd = fd_try_create(pin->directory, pin->name, O_RDONLY | O_EXCL, 0600);

	pin->ours = fd >= 0;
	if (fd == -EEXIST && pin->directory == AT_FDCWD) {
		struct stat status;

		fd = fd_try_open(AT_FDCWD, pin->name, O_PATH | O_NOFOLLOW);
		if (fd >= 0 &&
			(fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size != 0)) {
			close(fd);
			warn("'%s' exists and is not an empty file", pin->name);
			return -1;
		}
	}
	if (fd < 0) {
		warn_error(-fd, "cannot make '%s' to pin the %s namespace", pin->name,
			pin->kind->name);
		if (fd == -EEXIST)
			hint("release older pins with --unpin");
	}
	return fd;
}

/* Mounts the namespace of process TARGET. Returns 0, 1 if it has to be made on another CPU, -1 after a message. */
static int make_pin(struct pin *pin, pid_t target)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)target, pin->kind->name);

	autoclose int namespace = fd_try_open(AT_FDCWD, path, O_PATH);
	int tree = namespace < 0 ? namespace : mounttree_try_clone(namespace, true);

	/*
	 * From Linux 6.18 on, whether a mount namespace may be mounted in another is told by ids that are handed out by CPU, and by chance that of the newer is
	 * the smaller. EINVAL then.
	 */
	if (tree == -EINVAL && pin->kind->flag == CLONE_NEWNS)
		return 1;

	autoclose int place = tree < 0 ? -1 : open_place(pin);
	int error = tree < 0 ? tree : place < 0 ? 0 : mounttree_try_attach(tree, place);

	pin->made = place >= 0 && error == 0;
	if (tree >= 0)
		close(tree);
	if (error == -ELOOP && pin->kind->flag == CLONE_NEWNS) {
		if (pin->ours)
			unlinkat(pin->directory, pin->name, 0);
		pin->ours = false;
		return 1;
	}
	if (error < 0) {
		warn_error(-error, "cannot pin the %s namespace on '%s'", pin->kind->name, pin->name);
		if (error == -EINVAL && pin->kind->flag == CLONE_NEWNS)
			hint("not below a shared mount: use --pin=DIR, or mount --make-private");
		else if (error == -EPERM)
			hint("pins are mounts: as a plain user, make them behind 'nsnew -rm'");
	}
	return pin->made ? 0 : -1;
}

static void undo(struct pins *pins)
{
	for (size_t i = 0; i < pins->count; i++) {
		struct pin *pin = &pins->list[i];

		if (pin->made)
			mounttree_try_detach(pin->directory, pin->name);
		if (pin->ours)
			unlinkat(pin->directory, pin->name, 0);
		pin->made = pin->ours = false;
	}
	if (pins->directory)
		mounttree_try_detach(AT_FDCWD, pins->directory);
}

/* Receives one byte and, from the kernel, the PID of the sender as it is in this process's PID namespace. 0 when the other side is gone. */
static char receive(int socket, pid_t *sender)
{
	char byte = 0;
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	struct ucred credentials;

	while (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) < 0) {
		if (errno != EINTR) {
			warn_error(errno, "cannot hear what is to be pinned");
			return 0;
		}
	}
	/* SO_PASSCRED: each message has them, and nothing else has room. */
	const struct cmsghdr *part = CMSG_FIRSTHDR(&message);

	if (part && part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_CREDENTIALS) {
		memcpy(&credentials, CMSG_DATA(part), sizeof(credentials));
		*sender = credentials.pid;
	}
	return byte;
}

/* Returns 0 or -errno. */
static int try_send(int socket, char byte)
{
	ssize_t count;

	do
		count = send(socket, &byte, 1, MSG_NOSIGNAL);
	while (count < 0 && errno == EINTR);
	return count < 0 ? -errno : 0;
}

static void answer(struct pins *pins, char byte)
{
	int error = try_send(pins->socket, byte);

	if (error == 0)
		return;
	/* EPIPE: the other side has ended, and said why. */
	if (error != -EPIPE)
		warn_error(-error, "cannot tell that namespaces are pinned");
	undo(pins);
	_exit(STATUS_FAILED);
}

/* All pins or none. */
static void pin_all(struct pins *pins, pid_t target)
{
	for (size_t i = 0; i < pins->count; i++) {
		int result = pins->list[i].made ? 0 : make_pin(&pins->list[i], target);

		if (result == 1) {
			answer(pins, ELSEWHERE);
			return;
		}
		if (result < 0) {
			undo(pins);
			_exit(STATUS_FAILED);
		}
	}
	answer(pins, DONE);
}

/* The helper: does what it is told until the other side has called exec or ended. */
static _Noreturn void serve(const struct pin_plan *plan, int namespaces, int socket)
{
	struct pins pins = { .socket = socket };
	bool made = false;
	int directory = plan->directory ? make_private(plan->directory, &made) : -1;
	pid_t sender = 0;
	bool keep = false;

	for (size_t i = 0; i < NAMESPACE_KINDS; i++) {
		if (!(namespaces & namespace_kinds[i].flag))
			continue;
		if (plan->files[i])
			add_pin(&pins, i, AT_FDCWD, plan->files[i]);
		if (directory >= 0)
			add_pin(&pins, i, directory, namespace_kinds[i].name);
	}
	pins.directory = made ? plan->directory : NULL;
	answer(&pins, DONE);
	for (char order; (order = receive(socket, &sender));) {
		if (order == PIN) {
			pin_all(&pins, sender);
		} else if (order == KEEP) {
			answer(&pins, DONE);
			keep = true;
		} else {
			keep = false;
			break;
		}
	}
	if (!keep)
		undo(&pins);
	_exit(EXIT_SUCCESS);
}

/* The helper's answer. Returns recv(2)'s result: 0 if the helper has ended. */
static ssize_t receive_answer(int socket, char *ret)
{
	ssize_t count;

	do
		count = recv(socket, ret, 1, 0);
	while (count < 0 && errno == EINTR);
	return count;
}

/* Waits for the helper's answer; if it has ended, it has written the message. */
static char await(int socket)
{
	char byte;
	ssize_t count = receive_answer(socket, &byte);

	if (count < 0)
		die_error(errno, "cannot hear from the helper that pins namespaces");
	if (count == 0)
		exit(STATUS_FAILED);
	return byte;
}

static void explain_pins(const struct pin_plan *plan, int namespaces)
{
	explain_because(
		"a helper stays outside; when the namespaces are there, it mounts each on a file");
	explain_call("clone3({flags=0})");
	for (size_t i = 0; i < NAMESPACE_KINDS; i++) {
		const char *name = namespace_kinds[i].name;
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s", plan->directory ? plan->directory : "", name);
		if (!(namespaces & namespace_kinds[i].flag) || !(plan->directory || plan->files[i]))
			continue;
		explain_call(
			"open_tree(</proc/PID/ns/%s>, \"\", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH|AT_RECURSIVE)",
			name);
		explain_call(
			"move_mount(<%s namespace>, \"\", <%s>, \"\", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)",
			name, plan->files[i] ? plan->files[i] : path);
	}
}

struct pin_helper pin_prepare(const struct pin_plan *plan, int namespaces)
{
	struct pin_helper helper = { .socket = -1 };
	bool wanted = plan->directory;
	int sockets[2], on = 1;

	for (size_t i = 0; i < NAMESPACE_KINDS; i++)
		wanted |= plan->files[i] != NULL;
	if (wanted && explain_is_on())
		explain_pins(plan, namespaces);
	if (!wanted || explain_is_on())
		return helper;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0 ||
		setsockopt(sockets[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
		die_error(errno, "cannot make a pair of sockets");

	/* The helper outlives exec for a moment, so COMMAND must not be its parent. */
	pid_t middle = child_fork_helper(0);

	if (middle == 0) {
		if (child_fork_helper(0) > 0)
			_exit(EXIT_SUCCESS);
		close(sockets[0]);
		serve(plan, namespaces, sockets[1]);
	}
	close(sockets[1]);
	child_reap_helper(middle);
	helper.socket = sockets[0];
	await(helper.socket);
	return helper;
}

static void order(int socket, char byte)
{
	int error = try_send(socket, byte);

	if (error < 0)
		die_error(-error, "cannot reach the helper that pins namespaces");
}

/* Makes the mount namespace of this process anew on the CPU that comes after the last one. False when all have been tried. */
static bool renew_mounts(int *cpu)
{
	cpu_set_t allowed, one;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		die_error(errno, "cannot read the CPU affinity");
	while (++*cpu < CPU_SETSIZE && !CPU_ISSET((size_t)*cpu, &allowed))
		continue;
	if (*cpu >= CPU_SETSIZE)
		return false;
	CPU_ZERO(&one);
	CPU_SET((size_t)*cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one) < 0)
		die_error(errno, "cannot move to CPU %d", *cpu);
	namespace_unshare(CLONE_NEWNS);
	if (sched_setaffinity(0, sizeof(allowed), &allowed) < 0)
		die_error(errno, "cannot restore the CPU affinity");
	return true;
}

void pin_make(const struct pin_helper *helper, int namespaces)
{
	int cpu = -1;

	if (helper->socket < 0)
		return;
	for (;;) {
		order(helper->socket, PIN);
		if (await(helper->socket) == DONE)
			return;
		if (!(namespaces & CLONE_NEWNS) || !renew_mounts(&cpu))
			break;
	}
	pin_undo(helper);
	die("cannot pin the mnt namespace: on this kernel, one made outside the initial mount namespace can be pinned only by chance");
}

void pin_keep(const struct pin_helper *helper)
{
	char byte;

	if (helper->socket < 0)
		return;
	order(helper->socket, KEEP);

	ssize_t count = receive_answer(helper->socket, &byte);
	int error = errno;

	if (count == 1)
		return;
	if (count == 0)
		exit(STATUS_FAILED);
	/* It may have heard, and would take the end of this process for exec. */
	pin_undo(helper);
	die_error(error, "cannot hear from the helper that pins namespaces");
}

void pin_undo(const struct pin_helper *helper)
{
	char byte;

	if (helper->socket < 0)
		return;
	order(helper->socket, UNDO);
	/* It closes its end when it is done. */
	while (receive_answer(helper->socket, &byte) > 0)
		continue;
}

/* Whether the directory is a mount of a directory of the file system around it, as --pin makes it, and not one of another file system. */
static bool is_own_mount(int directory)
{
	struct stat status, above;

	return fstat(directory, &status) == 0 && fstatat(directory, "..", &above, 0) == 0 &&
		status.st_dev == above.st_dev;
}

/* Nothing is lost with an empty file. */
static bool is_place(int directory, const char *name)
{
	struct stat status;

	return fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISREG(status.st_mode) && status.st_size == 0;
}

int pin_release(const char *path)
{
	autoclose int directory = open_directory(path);

	for (size_t i = 0; i < NAMESPACE_KINDS; i++) {
		const char *name = namespace_kinds[i].name;

		if (explain_is_on() && faccessat(directory, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		explain_because(
			"a pin is taken off its file, and an empty file that is left is removed");

		int error = mounttree_try_detach(directory, name);

		/* EINVAL: a file without a mount on it. */
		if (error < 0 && error != -ENOENT && error != -EINVAL)
			die_error(-error, "cannot unmount '%s' in '%s'", name, path);
		if (error != -ENOENT && is_place(directory, name) &&
			!explain_call("unlinkat(%f, %q, 0)", directory, name) &&
			unlinkat(directory, name, 0) < 0)
			die_error(errno, "cannot remove '%s' from '%s'", name, path);
	}

	explain_because("the directory is no mount of its own any more");
	int error = is_own_mount(directory) ? mounttree_try_detach(AT_FDCWD, path) : 0;

	if (error < 0 && error != -EINVAL)
		die_error(-error, "cannot unmount '%s'", path);
	return 0;
}
