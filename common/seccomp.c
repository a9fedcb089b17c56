#include "common/seccomp.h"

#include "common/explain.h"
#include "common/report.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_clone3
#define SYS_clone3 435
#endif

/* The numbers that one architecture has for the calls. */
struct abi {
	uint32_t arch;
	uint32_t clone, unshare, setns, clone3;
};

/* The own one, and what programs of 32 bits use. All of them are little-endian and have clone's flags first. */
static const struct abi abis[] = {
#if defined(__x86_64__)
	{ AUDIT_ARCH_X86_64, SYS_clone, SYS_unshare, SYS_setns, SYS_clone3 },
	{ AUDIT_ARCH_I386, 120, 310, 346, 435 },
#elif defined(__i386__)
	{ AUDIT_ARCH_I386, SYS_clone, SYS_unshare, SYS_setns, SYS_clone3 },
#elif defined(__aarch64__)
	{ AUDIT_ARCH_AARCH64, SYS_clone, SYS_unshare, SYS_setns, SYS_clone3 },
	{ AUDIT_ARCH_ARM, 120, 337, 375, 435 },
#elif defined(__riscv) && __riscv_xlen == 64
	{ AUDIT_ARCH_RISCV64, SYS_clone, SYS_unshare, SYS_setns, SYS_clone3 },
#else
	/* Matches nothing, so every call would fail; seccomp_forbid_user_namespaces() refuses before that. */
	{ 0, 0, 0, 0, 0 },
#endif
};

enum { ABIS = sizeof(abis) / sizeof(*abis), BLOCK = 15 };
/* x32 has the architecture of x86-64 and this bit in its numbers, -1 of a tracer as well. */
enum { X32_BIT = 0x40000000 };

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)
#define REFUSE(error) RETURN(SECCOMP_RET_ERRNO | (error))

/* From the architecture in the accumulator: falls through to what follows if it is not ABI's. The kernel looks at the low halves of the arguments only. */
static void add_block(struct sock_filter *block, const struct abi *abi)
{
	const struct sock_filter filter[BLOCK] = {
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, abi->arch, 0, 14),
		LOAD(nr),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 11, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, abi->clone3, 10, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, abi->clone, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, abi->unshare, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, abi->setns, 1, 0),
		RETURN(SECCOMP_RET_ALLOW),
		LOAD(args[1]), /* of setns */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 1),
		LOAD(args[0]), /* of clone and unshare */
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_NEWUSER, 1, 0),
		RETURN(SECCOMP_RET_ALLOW),
		REFUSE(EPERM),
		REFUSE(ENOSYS),
	};

	for (int i = 0; i < BLOCK; i++)
		block[i] = filter[i];
}

void seccomp_forbid_user_namespaces(void)
{
	struct sock_filter filter[1 + ABIS * BLOCK + 1] = { LOAD(arch) };
	const struct sock_fprog program = { sizeof(filter) / sizeof(*filter), filter };

	explain_because("no user namespaces, by a filter of system calls");
	if (explain_call("prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, {len=%d})", (int)program.len))
		return;
	if (abis[0].arch == 0)
		die("cannot forbid user namespaces: the system calls of this machine are not known");
	for (size_t i = 0; i < ABIS; i++)
		add_block(&filter[1 + i * BLOCK], &abis[i]);
	filter[1 + ABIS * BLOCK] = (struct sock_filter)REFUSE(ENOSYS);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
		die_hint(errno == EACCES ? "without no_new_privs this needs CAP_SYS_ADMIN" : NULL,
			errno, "cannot forbid user namespaces by a system call filter");
	seccomp_verify_user_namespaces();
}

/* What the kernel itself refuses without doing anything fails with NOT_IT then. */
static void expect_refusal(const char *name, long result, int not_it)
{
	if (result >= 0 || errno == not_it)
		die("user namespaces are not forbidden as asked: %s(2) gets through", name);
}

void seccomp_verify_user_namespaces(void)
{
	if (explain_is_on())
		return;
	expect_refusal("unshare", syscall(SYS_unshare, CLONE_NEWUSER | CLONE_PARENT), EINVAL);
	expect_refusal("clone", syscall(SYS_clone, CLONE_NEWUSER | CLONE_FS, 0, 0, 0, 0), EINVAL);
	expect_refusal("setns", syscall(SYS_setns, -1, CLONE_NEWUSER), EBADF);
	expect_refusal("setns", syscall(SYS_setns, -1, 0), EBADF);
	expect_refusal("clone3", syscall(SYS_clone3, NULL, 0), EINVAL);
}
