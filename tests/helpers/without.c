/*
 * without [CALL]... -- COMMAND [ARGUMENT]...: runs COMMAND as on a kernel that does not have these system calls: they fail with ENOSYS, for it and all
 * its descendants. "setns-pidfd" is setns(2) of several kinds of namespaces at once, and of any by a pidfd, which fails with EINVAL as it did before
 * Linux 5.8. Root keeps its privileges and set-user-ID programs; others lose these by no_new_privs. Without a CALL the filter lets everything through,
 * so that its presence makes no difference.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST = 128, FAILED = 125 };

static const struct {
	const char *name;
	unsigned int number;
} calls[] = {
	{ "openat2", SYS_openat2 },
	{ "open_tree", SYS_open_tree },
	{ "move_mount", SYS_move_mount },
	{ "mount_setattr", SYS_mount_setattr },
	{ "fsopen", SYS_fsopen },
	{ "fsconfig", SYS_fsconfig },
	{ "fsmount", SYS_fsmount },
	{ "close_range", SYS_close_range },
	{ "clone3", SYS_clone3 },
	{ "pidfd_open", SYS_pidfd_open },
	{ "pidfd_send_signal", SYS_pidfd_send_signal },
	{ "memfd_create", SYS_memfd_create },
	{ "sendfile", SYS_sendfile },
	{ "statx", SYS_statx },
	{ "execveat", SYS_execveat },
	{ "faccessat2", SYS_faccessat2 },
	{ "keyctl", SYS_keyctl },
};

struct program {
	struct sock_filter list[MOST];
	unsigned short length;
};

static void add(struct program *program, struct sock_filter step)
{
	if (program->length < MOST)
		program->list[program->length++] = step;
}

static void load(struct program *program, unsigned int offset)
{
	add(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

/* Skips COUNT steps unless the word that was loaded is VALUE. */
static void unless(struct program *program, unsigned int value, unsigned char count)
{
	add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, count));
}

static void fail_with(struct program *program, unsigned int error)
{
	add(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error));
}

static void load_number(struct program *program)
{
	load(program, offsetof(struct seccomp_data, nr));
}

/* A namespace file is joined as itself (0) or as the one kind it is of; all that nsjoin asks of a pidfd has several bits, or is tried on one. */
static void refuse_setns_by_pidfd(struct program *program)
{
	static const unsigned int kinds[] = { 0, 0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000,
		0x10000000, 0x20000000, 0x40000000 };
	const unsigned char count = sizeof(kinds) / sizeof(*kinds);

	unless(program, SYS_setns, (unsigned char)(count + 2));
	load(program, offsetof(struct seccomp_data, args[1]));
	for (unsigned char i = 0; i < count; i++)
		add(program,
			(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kinds[i],
				(unsigned char)(count - i), 0));
	fail_with(program, EINVAL);
	load_number(program);
}

static int refuse(struct program *program, const char *name)
{
	if (strcmp(name, "setns-pidfd") == 0) {
		refuse_setns_by_pidfd(program);
		return 0;
	}
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		if (strcmp(calls[i].name, name) == 0) {
			unless(program, calls[i].number, 1);
			fail_with(program, ENOSYS);
			return 0;
		}
	}
	fprintf(stderr, "without: '%s' is no call that it knows\n", name);
	return -1;
}

static int install(const struct program *program)
{
	struct sock_fprog filter = { program->length, (struct sock_filter *)program->list };

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0)
		return 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0)
		return 0;
	perror("without: cannot install the filter");
	return -1;
}

int main(int argc, char **argv)
{
	struct program program = { .length = 0 };
	int i = 1;

	load_number(&program);
	for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (refuse(&program, argv[i]) < 0)
			return FAILED;
	}
	if (i + 1 >= argc)
		return FAILED;
	add(&program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	if (install(&program) < 0)
		return FAILED;
	execvp(argv[i + 1], argv + i + 1);
	perror("without: cannot run COMMAND");
	return FAILED;
}
