/*
 * capstate: prints the ids, the five capability sets, no_new_privs, the securebits, groups, umask, parent-death signal and seccomp mode of this
 * process, asked from the kernel by system calls alone, so that it works without /proc and in any root.
 * capstate --raise COMMAND...: makes the inheritable and the ambient set as large as the permitted one, then runs COMMAND.
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct state {
	struct __user_cap_data_struct data[2];
};

static struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };

static uint64_t both(uint32_t low, uint32_t high)
{
	return (uint64_t)high << 32 | low;
}

static int raise_all(char **command)
{
	struct state state;

	if (syscall(SYS_capget, &header, state.data) < 0)
		return 3;
	for (int i = 0; i < 2; i++)
		state.data[i].inheritable = state.data[i].permitted;
	if (syscall(SYS_capset, &header, state.data) < 0)
		return 3;
	for (int i = 0; i < 64; i++) {
		if (both(state.data[0].permitted, state.data[1].permitted) >> i & 1 &&
			prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
			return 3;
	}
	execvp(command[0], command);
	return errno == ENOENT ? 127 : 126;
}

int main(int argc, char **argv)
{
	struct state state;
	uint64_t bounding = 0, ambient = 0;

	if (argc > 2 && strcmp(argv[1], "--raise") == 0)
		return raise_all(argv + 2);
	if (syscall(SYS_capget, &header, state.data) < 0)
		return 3;
	for (int i = 0; i < 64; i++) {
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
			bounding |= UINT64_C(1) << i;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) == 1)
			ambient |= UINT64_C(1) << i;
	}
	uid_t users[3];
	gid_t groups[3], list[64];
	int signal = -1, count = getgroups(64, list);

	if (count < 0 || getresuid(&users[0], &users[1], &users[2]) < 0 ||
		getresgid(&groups[0], &groups[1], &groups[2]) < 0 ||
		prctl(PR_GET_PDEATHSIG, &signal, 0, 0, 0) < 0)
		return 3;
	printf("uids=%u,%u,%u,%u gids=%u,%u,%u,%u groups=", users[0], users[1], users[2],
		(unsigned int)setfsuid((uid_t)-1), groups[0], groups[1], groups[2],
		(unsigned int)setfsgid((gid_t)-1));
	for (int i = 0; i < count; i++)
		printf("%s%u", i ? "," : "", list[i]);
	printf(" umask=%03o pdeath=%d seccomp=%d ", umask(0), signal,
		prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
	printf("uid=%u euid=%u inheritable=%016llx permitted=%016llx effective=%016llx bounding=%016llx ambient=%016llx nnp=%d securebits=%x\n",
		(unsigned int)getuid(), (unsigned int)geteuid(),
		(unsigned long long)both(state.data[0].inheritable, state.data[1].inheritable),
		(unsigned long long)both(state.data[0].permitted, state.data[1].permitted),
		(unsigned long long)both(state.data[0].effective, state.data[1].effective),
		(unsigned long long)bounding, (unsigned long long)ambient,
		prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
		(unsigned int)prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
	return fflush(stdout) == 0 ? 0 : 3;
}
