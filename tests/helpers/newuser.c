/*
 * newuser: tries each way into another user namespace in a process of its own and prints how it ended, "unshare=ok" or "unshare=EPERM".
 * newuser FILE: tries to join that of FILE as well. "i386" and "x32" are unshare(2) by the numbers of those programs.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *file;

static long by_unshare(void)
{
	return syscall(SYS_unshare, CLONE_NEWUSER);
}

static long by_unshare_with(void)
{
	return syscall(SYS_unshare, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS);
}

/* A child is no error; it ends at once. */
static long born(long pid)
{
	if (pid == 0)
		_exit(0);
	return pid < 0 ? pid : 0;
}

static long by_clone(void)
{
	return born(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
}

static long by_clone3(void)
{
	struct clone_args arguments = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };

	return born(syscall(SYS_clone3, &arguments, sizeof(arguments)));
}

static long by_setns(int kind)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : syscall(SYS_setns, fd, kind);
}

static long by_setns_user(void)
{
	return by_setns(CLONE_NEWUSER);
}

static long by_setns_any(void)
{
	return by_setns(0);
}

#ifdef __x86_64__
static long by_i386(void)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(310L), "b"((long)CLONE_NEWUSER)
			 : "memory", "r8", "r9", "r10", "r11");
	errno = result < 0 ? (int)-result : 0;
	return result < 0 ? -1 : 0;
}

static long by_x32(void)
{
	return syscall(0x40000000L + SYS_unshare, CLONE_NEWUSER);
}
#endif

static void try(const char *name, long (*way)(void))
{
	int status = 0;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(way() == 0 ? 0 : errno);
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
		printf("%s=died ", name);
		return;
	}
	switch (WEXITSTATUS(status)) {
	case 0:
		printf("%s=ok ", name);
		break;
	case EPERM:
		printf("%s=EPERM ", name);
		break;
	case ENOSYS:
		printf("%s=ENOSYS ", name);
		break;
	default:
		printf("%s=%d ", name, WEXITSTATUS(status));
	}
}

int main(int argc, char **argv)
{
	try("unshare", by_unshare);
	try("several", by_unshare_with);
	try("clone", by_clone);
	try("clone3", by_clone3);
#ifdef __x86_64__
	try("i386", by_i386);
	try("x32", by_x32);
#endif
	if (argc > 1) {
		file = argv[1];
		try("setns", by_setns_user);
		try("setns0", by_setns_any);
	}
	putchar('\n');
	return fflush(stdout) == 0 ? 0 : 3;
}
