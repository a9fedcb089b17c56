/*
 * limit: what a chain of links asks the kernel for, done by one program and with nothing beside it: no options, no reading back, no
 * toolbox, no hiding, and no exec but that of COMMAND. It is what `make bench` measures chains against; tests/bench.bats compares
 * its system calls with theirs.
 *
 *   limit STEPS V2 V1 ROOT PID COMMAND [ARG]...
 *
 * STEPS are letters, one for each link, in the order of the chain:
 *   g  cgrun -m 100M          in V2 (the directory of a group of version 2) and V1 (the same of memory on version 1, or -)
 *   S  nsnew -pmuin           s  nsnew -pmui           u  nsnew -u
 *   r  rootjail ROOT          b  rootjail --bare ROOT
 *   k  capjail --preset docker                         d  capjail --drop chown
 *   j  nsjoin --all --target PID
 *   x  nothing but to exec this program again for the rest, as a chain does for each link; not without a /proc
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	MAX_GROUPS = 2,
	/* What the headers of an older C library lack. */
	TREE_CLONE = 1,
	TREE_RECURSIVE = 0x8000,
	SET_FLAG = 0,
	SET_STRING = 1,
	CREATE = 6,
	MOVE_FROM_FD = 4,
	MOVE_TO_FD = 0x40,
	RDONLY = 1,
	NOSUID = 2,
	NODEV = 4,
	NOEXEC = 8,
};

/* The argument of clone3 up to the cgroup, and that of mount_setattr. */
struct start {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
		set_tid_size, cgroup;
};

struct attributes {
	uint64_t set, clear, propagation, userns;
};

struct work {
	const char *places[MAX_GROUPS];
	const char *root;
	pid_t target;
	bool own_pids;
};

static long must(long result, const char *what)
{
	if (result < 0) {
		fprintf(stderr, "limit: %s: %s\n", what, strerror(errno));
		_exit(125);
	}
	return result;
}

static void put(int dir, const char *file, const char *text)
{
	int fd = (int)must(openat(dir, file, O_WRONLY | O_CLOEXEC), file);

	must(write(fd, text, strlen(text)), file);
	close(fd);
}

static pid_t start(uint64_t flags, int exit_signal, int group)
{
	struct start args = { .flags = flags, .exit_signal = (uint64_t)exit_signal };

	args.cgroup = group < 0 ? 0 : (uint64_t)group;
	return (pid_t)must(syscall(SYS_clone3, &args, sizeof(args)), "clone3");
}

static int wait_for(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, __WALL), "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* --- cgrun --- */

/* A process that outlives this one, to remove the groups if it is killed. */
static pid_t start_watcher(void)
{
	int gate[2];
	int self = (int)must(syscall(SYS_pidfd_open, getpid(), 0), "pidfd_open");
	struct pollfd ends = { .fd = self, .events = POLLIN };
	char byte = 0;
	pid_t pid;

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate), "socketpair");
	pid = start(0, 0, -1);
	if (pid == 0) {
		setsid();
		must(send(gate[1], &byte, 1, MSG_NOSIGNAL), "send");
		poll(&ends, 1, -1);
		_exit(0);
	}
	must(read(gate[0], &byte, 1), "read");
	close(self);
	close(gate[0]);
	close(gate[1]);
	return pid;
}

static int make_group(int place, const char *name)
{
	int fd;

	must(mkdirat(place, name, 0700), "mkdir of the group");
	fd = (int)must(openat(place, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), name);
	flock(fd, LOCK_EX);
	must(fchmod(fd, 0755), "fchmod");
	return fd;
}

static void limit_memory(int group, bool second_version)
{
	put(group, second_version ? "memory.max" : "memory.limit_in_bytes", "104857600");
	put(group, second_version ? "memory.swap.max" : "memory.memsw.limit_in_bytes",
		second_version ? "0" : "104857600");
}

/* COMMAND may be a program that leaves processes behind which are about to end (bwrap); those of limit itself have ended. */
static void remove_group(int place, const char *name)
{
	while (unlinkat(place, name, AT_REMOVEDIR) < 0) {
		if (errno != EBUSY)
			must(-1, "rmdir of the group");
		sched_yield();
	}
}

static void enter_group(const struct work *work)
{
	int places[MAX_GROUPS], groups[MAX_GROUPS], fd, status;
	int count = strcmp(work->places[1], "-") == 0 ? 1 : MAX_GROUPS;
	char name[32];
	pid_t watcher, child;

	for (int i = 0; i < count; i++) {
		fd = (int)must(open(work->places[i], O_PATH | O_CLOEXEC), work->places[i]);
		places[i] =
			(int)must(syscall(SYS_open_tree, fd, "",
					  TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH | TREE_RECURSIVE),
				"open_tree");
		close(fd);
	}
	snprintf(name, sizeof(name), "limit-%d", (int)getpid());
	watcher = start_watcher();
	for (int i = 0; i < count; i++)
		groups[i] = make_group(places[i], name);
	limit_memory(groups[count - 1], count == 1);
	child = start(CLONE_INTO_CGROUP, SIGCHLD, groups[0]);
	if (child == 0) {
		must(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
		if (count == MAX_GROUPS)
			put(groups[1], "tasks", "0");
		return;
	}
	status = wait_for(child);
	for (int i = 0; i < count; i++)
		remove_group(places[i], name);
	kill(watcher, SIGKILL);
	wait_for(watcher);
	_exit(status);
}

/* --- nsnew, nsjoin --- */

/* The parent waits; the child goes on. */
static void go_on_below(void)
{
	pid_t child = start(0, SIGCHLD, -1);

	if (child != 0)
		_exit(wait_for(child));
	must(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
	setpgid(0, 0);
}

static void make_namespaces(struct work *work, int kinds)
{
	struct ifreq loopback = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	must(syscall(SYS_unshare, kinds), "unshare");
	if (kinds & CLONE_NEWNS)
		must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "mount");
	if (kinds & CLONE_NEWNET) {
		fd = (int)must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
		must(ioctl(fd, SIOCSIFFLAGS, &loopback), "loopback");
		close(fd);
	}
	if (kinds & CLONE_NEWPID) {
		work->own_pids = true;
		go_on_below();
	}
}

static void join(const struct work *work)
{
	int fd = (int)must(syscall(SYS_pidfd_open, work->target, 0), "pidfd_open");

	must(syscall(SYS_setns, fd,
		     CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET),
		"setns");
	close(fd);
	must(chdir("/"), "chdir");
	go_on_below();
}

/* --- rootjail --- */

static int make_mount(const char *type, const char *const options[], unsigned int attributes)
{
	int context = (int)must(syscall(SYS_fsopen, type, 1), type);
	int fd;

	must(syscall(SYS_fsconfig, context, SET_STRING, "source", type, 0), type);
	for (; options && *options; options += 2)
		must(syscall(SYS_fsconfig, context, options[1] ? SET_STRING : SET_FLAG, options[0],
			     options[1], 0),
			options[0]);
	must(syscall(SYS_fsconfig, context, CREATE, NULL, NULL, 0), type);
	fd = (int)must(syscall(SYS_fsmount, context, 1, attributes), type);
	close(context);
	return fd;
}

static int clone_tree(int from, const char *path, int flags, uint64_t set, uint64_t clear)
{
	struct attributes attributes = { .set = set, .clear = clear };
	int tree =
		(int)must(syscall(SYS_open_tree, from, path, TREE_CLONE | O_CLOEXEC | flags), path);

	if (set || clear)
		must(syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | (flags & TREE_RECURSIVE),
			     &attributes, sizeof(attributes)),
			path);
	return tree;
}

static void attach(int tree, int dir, const char *path)
{
	must(syscall(SYS_move_mount, tree, "", dir, path, MOVE_FROM_FD | (*path ? 0 : MOVE_TO_FD)),
		path);
}

static const char *const devices[] = { "null", "zero", "full", "random", "urandom", "tty" };
enum { DEVICES = sizeof(devices) / sizeof(*devices) };

struct furniture {
	int dev, proc, pts, shm, empty, null, nodes[DEVICES];
};

static int clone_device(const char *name)
{
	char path[16];

	snprintf(path, sizeof(path), "/dev/%s", name);
	return clone_tree(AT_FDCWD, path, 0, NOSUID | NOEXEC, NODEV);
}

static void collect(struct furniture *furniture, bool proc)
{
	static const char *const dev[] = { "mode", "755", NULL };
	static const char *const pts[] = { "ptmxmode", "0666", "mode", "620", "gid", "5", NULL };
	static const char *const shm[] = { "mode", "1777", NULL };
	static const char *const empty[] = { "mode", "755", "ro", NULL, NULL };

	furniture->dev = make_mount("tmpfs", dev, NOSUID | NODEV | NOEXEC);
	if (proc)
		furniture->proc = make_mount("proc", NULL, NOSUID | NODEV | NOEXEC);
	for (int i = 0; i < DEVICES; i++)
		furniture->nodes[i] = clone_device(devices[i]);
	furniture->pts = make_mount("devpts", pts, NOSUID | NOEXEC);
	furniture->shm = make_mount("tmpfs", shm, NOSUID | NODEV | NOEXEC);
	if (proc) {
		furniture->empty = make_mount("tmpfs", empty, RDONLY | NOSUID | NODEV | NOEXEC);
		furniture->null = clone_device("null");
	}
}

static void furnish_dev(const struct furniture *furniture)
{
	int dev = furniture->dev;

	attach(dev, AT_FDCWD, "/dev");
	for (int i = 0; i < DEVICES; i++) {
		must(mknodat(dev, devices[i], S_IFREG | 0666, 0), devices[i]);
		attach(furniture->nodes[i], dev, devices[i]);
	}
	must(mkdirat(dev, "pts", 0755), "pts");
	attach(furniture->pts, dev, "pts");
	must(mkdirat(dev, "shm", 0755), "shm");
	attach(furniture->shm, dev, "shm");
	must(symlinkat("pts/ptmx", dev, "ptmx"), "ptmx");
	must(symlinkat("/proc/self/fd", dev, "fd"), "fd");
	must(symlinkat("/proc/self/fd/0", dev, "stdin"), "stdin");
	must(symlinkat("/proc/self/fd/1", dev, "stdout"), "stdout");
	must(symlinkat("/proc/self/fd/2", dev, "stderr"), "stderr");
}

/* Attaches TREE to those of NAMES that there are: itself first, then copies. */
static void cover(int proc, const char *const names[], int tree)
{
	bool used = false;

	for (; *names; names++) {
		int at = openat(proc, *names, O_PATH | O_NOFOLLOW | O_CLOEXEC);

		if (at < 0)
			continue;
		attach(used ? clone_tree(tree, "", AT_EMPTY_PATH, 0, 0) : tree, at, "");
		used = true;
	}
}

/* What common/mask.c has for /proc. */
static void furnish_proc(const struct furniture *furniture)
{
	static const char *const fixed[] = { "bus", "fs", "irq", "sys", "sysrq-trigger", NULL };
	static const char *const directories[] = { "acpi", "asound", "scsi", NULL };
	static const char *const files[] = { "interrupts", "kcore", "keys", "latency_stats",
		"sched_debug", "timer_list", "timer_stats", NULL };

	attach(furniture->proc, AT_FDCWD, "/proc");
	for (size_t i = 0; fixed[i]; i++) {
		int at = openat(furniture->proc, fixed[i], O_PATH | O_NOFOLLOW | O_CLOEXEC);

		if (at < 0)
			continue;
		attach(clone_tree(at, "", AT_EMPTY_PATH | TREE_RECURSIVE, RDONLY, 0), at, "");
	}
	cover(furniture->proc, directories, furniture->empty);
	cover(furniture->proc, files, furniture->null);
}

static void change_root(const struct work *work, bool bare)
{
	struct furniture furniture = { 0 };
	int self, old, root;

	must(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL), "keyctl");
	must(syscall(SYS_unshare, CLONE_NEWNS), "unshare");
	old = (int)must(open(work->root, O_PATH | O_DIRECTORY | O_CLOEXEC), work->root);
	/* Whoever is in a chroot comes out of it, so that the root that is left is the real one. */
	self = (int)must(syscall(SYS_pidfd_open, getpid(), 0), "pidfd_open");
	must(syscall(SYS_setns, self, CLONE_NEWNS), "setns");
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "mount");
	root = clone_tree(old, "", AT_EMPTY_PATH | TREE_RECURSIVE, NOSUID | NODEV, 0);
	if (!bare)
		collect(&furniture, work->own_pids);
	attach(root, old, "");
	must(fchdir(root), "fchdir");
	must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	must(umount2(".", MNT_DETACH), "umount");
	must(chdir("/"), "chdir");
	if (bare)
		return;
	furnish_dev(&furniture);
	if (work->own_pids)
		furnish_proc(&furniture);
}

/* --- capjail --- */

static void drop(uint64_t lost)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	uint64_t have;

	must(syscall(SYS_capget, &head, data), "capget");
	have = data[0].permitted | (uint64_t)data[1].permitted << 32;
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (have & lost & 1ULL << cap)
			must(prctl(PR_CAPBSET_DROP, cap), "prctl");
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t) ~(lost >> i * 32);
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl");
	must(syscall(SYS_capset, &head, data), "capset");
}

static uint64_t of_docker(void)
{
	static const int list[] = { CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_KILL,
		CAP_SETGID, CAP_SETUID, CAP_SETPCAP, CAP_NET_BIND_SERVICE, CAP_NET_RAW,
		CAP_SYS_CHROOT, CAP_MKNOD, CAP_AUDIT_WRITE, CAP_SETFCAP };
	uint64_t set = 0;

	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++)
		set |= 1ULL << list[i];
	return set;
}

static void exec_again(char **argv, char *rest)
{
	argv[1] = rest;
	execv("/proc/self/exe", argv);
	must(-1, "exec");
}

static void take(struct work *work, char step)
{
	const int common = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID;

	switch (step) {
	case 'g':
		enter_group(work);
		break;
	case 'S':
		make_namespaces(work, common | CLONE_NEWNET);
		break;
	case 's':
		make_namespaces(work, common);
		break;
	case 'u':
		make_namespaces(work, CLONE_NEWUTS);
		break;
	case 'r':
	case 'b':
		change_root(work, step == 'b');
		break;
	case 'k':
		drop(~of_docker());
		break;
	case 'd':
		drop(1ULL << CAP_CHOWN);
		break;
	case 'j':
		join(work);
		break;
	}
}

int main(int argc, char **argv)
{
	struct work work = { .own_pids = getpid() == 1 };

	if (argc < 7) {
		fputs("usage: limit STEPS V2 V1 ROOT PID COMMAND [ARG]...\n", stderr);
		return 125;
	}
	work.places[0] = argv[2];
	work.places[1] = argv[3];
	work.root = argv[4];
	work.target = (pid_t)strtoul(argv[5], NULL, 10);
	for (char *step = argv[1]; *step; step++) {
		if (*step == 'x')
			exec_again(argv, step + 1);
		take(&work, *step);
	}
	execv(argv[6], argv + 6);
	must(-1, argv[6]);
}
