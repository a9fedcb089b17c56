/*
 * newkernel COMMAND...: runs COMMAND as on a kernel with three capabilities more than there are, all of them in the bounding set, so newer than any
 * header. It answers the calls of prctl(2) that name one of them itself (seccomp_unotify(2)), and ends with COMMAND's status.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MORE = 3 };

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF(kind, value, yes, no) BPF_JUMP(BPF_JMP | (kind) | BPF_K, value, yes, no)

/* From the listener's number on, the calls of this process that name one of the new capabilities wait for an answer. */
static int listen_for(uint32_t first)
{
	struct sock_filter filter[] = {
		LOAD(nr),
		IF(BPF_JEQ, SYS_prctl, 0, 10),
		LOAD(args[0]),
		IF(BPF_JEQ, PR_CAPBSET_READ, 4, 0),
		IF(BPF_JEQ, PR_CAPBSET_DROP, 3, 0),
		IF(BPF_JEQ, PR_CAP_AMBIENT, 0, 6),
		LOAD(args[2]),
		BPF_STMT(BPF_JMP | BPF_JA, 1),
		LOAD(args[1]),
		IF(BPF_JGE, first, 0, 2),
		IF(BPF_JGE, first + MORE, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(*filter), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(
		SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static int answer(const struct seccomp_data *call, int first, unsigned int *bounding)
{
	unsigned int bit = 1U << ((int)call->args[call->args[0] == PR_CAP_AMBIENT ? 2 : 1] - first);

	if (call->args[0] == PR_CAPBSET_DROP)
		*bounding &= ~bit;
	return call->args[0] == PR_CAPBSET_READ && (*bounding & bit) ? 1 : 0;
}

static void serve(int listener, int first)
{
	unsigned int bounding = (1U << MORE) - 1;

	for (;;) {
		struct seccomp_notif request = { 0 };
		struct seccomp_notif_resp response = { 0 };

		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0)
			return;
		response.id = request.id;
		response.val = answer(&request.data, first, &bounding);
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
	}
}

int main(int argc, char **argv)
{
	int first = 0, number = -1, status = 0, ends[2];
	pid_t child, server;

	if (argc < 2 || pipe(ends) < 0)
		return 125;
	while (prctl(PR_CAPBSET_READ, first, 0, 0, 0) >= 0)
		first++;
	child = fork();
	if (child == 0) {
		number = listen_for((uint32_t)first);
		/* The number of the listener, by which the other side takes it. */
		if (write(ends[1], &number, sizeof(number)) != sizeof(number) || number < 0)
			_exit(125);
		/* Answered when the other side has it. */
		if (prctl(PR_CAPBSET_READ, first, 0, 0, 0) != 1)
			_exit(125);
		close(number);
		close(ends[0]);
		close(ends[1]);
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (child < 0 || read(ends[0], &number, sizeof(number)) != sizeof(number) || number < 0)
		return 125;
	server = fork();
	if (server == 0) {
		int pidfd = (int)syscall(SYS_pidfd_open, child, 0);

		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		serve((int)syscall(SYS_pidfd_getfd, pidfd, number, 0), first);
		_exit(125);
	}
	if (waitpid(child, &status, 0) != child)
		return 125;
	kill(server, SIGKILL);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}
