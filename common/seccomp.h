/*
 * seccomp - a filter that the kernel asks before each system call of this process and its descendants. seccomp(2).
 *
 * Nothing takes a filter away again, no capability and no exec of a set-user-ID program. It sees numbers and registers, not what pointers
 * point to, and the same call has other numbers for programs of another architecture that the kernel runs as well.
 */
#pragma once

/*
 * Forbids to make and to join user namespaces, user_namespaces(7): clone(2) and unshare(2) with CLONE_NEWUSER and setns(2) with it or with 0,
 * which could mean it, fail with EPERM; clone3(2), whose flags are out of sight, with ENOSYS, for which libc uses clone(2). The same for
 * 32-bit programs; calls of any other architecture fail with ENOSYS. Then tries each of them, in a way that would do nothing. Needs
 * no_new_privs or CAP_SYS_ADMIN. Dies if it does not hold. Linux 3.5.
 */
void seccomp_forbid_user_namespaces(void);

/* Only tries: dies unless the calls are forbidden. */
void seccomp_verify_user_namespaces(void);
