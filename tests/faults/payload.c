/*
 * payload: what the command lines of tests/faults end in. Prints what only the process itself can ask the kernel, by system calls alone, so that it
 * works in any root; the rest of its state is read from outside by inject, when it is about to begin.
 *   --root   it stands in a root of its own: what is in there too
 *   --wait   says that it is there and waits to be killed
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { ENDED_WELL = 42 };

static void show_attributes(void)
{
	int death = -1, reaper = -1;

	prctl(PR_GET_PDEATHSIG, &death, 0, 0, 0);
	prctl(PR_GET_CHILD_SUBREAPER, &reaper, 0, 0, 0);
	printf("securebits %#x dumpable %d keepcaps %d no_new_privs %d pdeathsig %d subreaper %d slack %d\n",
		(unsigned int)prctl(PR_GET_SECUREBITS), prctl(PR_GET_DUMPABLE),
		prctl(PR_GET_KEEPCAPS), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), death, reaper,
		prctl(PR_GET_TIMERSLACK));
}

static void show_processes(void)
{
	pid_t self = getpid();

	printf("pid1 %d parent %s session %s group %s\n", self == 1, getppid() ? "seen" : "not seen",
		getsid(0) == self      ? "leader" :
			getsid(0) == 0 ? "not seen" :
					 "member",
		getpgrp() == self      ? "leader" :
			getpgrp() == 0 ? "not seen" :
					 "member");
}

static void show_host(void)
{
	struct utsname names;
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	uname(&names);
	printf("host %s domain %s\n", names.nodename, names.domainname);
	if (fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0)
		printf("loopback %s\n", request.ifr_flags & IFF_UP ? "up" : "down");
	close(fd);
}

static void show_keyring(void)
{
	char text[256] = "";

	if (syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text, sizeof(text) - 1) < 0)
		snprintf(text, sizeof(text), "%s", strerror(errno));
	printf("keyring %s\n", text);
}

static int by_name(const struct dirent **one, const struct dirent **other)
{
	return strcmp((*one)->d_name, (*other)->d_name);
}

static void show_directory(const char *path)
{
	struct dirent **list;
	struct statvfs flags;
	struct statfs type;
	int count = scandir(path, &list, NULL, by_name);

	if (count < 0 || statvfs(path, &flags) < 0 || statfs(path, &type) < 0) {
		printf("%s: %s\n", path, strerror(errno));
		return;
	}
	printf("%s of type %lx flags %lx:", path, (unsigned long)type.f_type, flags.f_flag);
	/* Processes come and go. */
	for (int i = 0; i < count; i++) {
		const char *name = list[i]->d_name;

		if (name[0] < '0' || name[0] > '9')
			printf(" %s", name);
		free(list[i]);
	}
	free(list);
	putchar('\n');
}

static void show_device(const char *path)
{
	char data[4];
	int fd = open(path, O_RDWR | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, data, sizeof(data));

	printf("%s: %s %zd\n", path, fd < 0 ? strerror(errno) : "opens", got);
	if (fd >= 0)
		close(fd);
}

/* Last of all, because it cannot be undone. */
static void show_further_users(void)
{
	printf("further user namespace: %s\n", unshare(CLONE_NEWUSER) < 0 ? strerror(errno) : "yes");
}

int main(int argc, char **argv)
{
	static const char *const directories[] = { "/", "/dev", "/dev/shm", "/dev/pts", "/proc",
		"/proc/fs", "/proc/scsi", "/sys", "/tmp", "/data" };
	char cwd[4096] = "?";
	bool jail = argc > 1 && strcmp(argv[1], "--root") == 0;

	if (argc > 1 && strcmp(argv[1], "--wait") == 0) {
		/* The target of nsjoin: until killed. */
		puts("ready");
		fflush(stdout);
		for (;;)
			pause();
	}
	printf("arguments %d cwd %s\n", argc,
		syscall(SYS_getcwd, cwd, sizeof(cwd)) > 0 ? cwd : "unreachable");
	show_attributes();
	show_processes();
	show_host();
	show_keyring();
	show_directory(".");
	for (size_t i = 0; jail && i < sizeof(directories) / sizeof(*directories); i++)
		show_directory(directories[i]);
	show_device("/dev/null");
	show_device("/dev/zero");
	show_further_users();
	puts("end");
	return fflush(stdout) == 0 ? ENDED_WELL : 3;
}
