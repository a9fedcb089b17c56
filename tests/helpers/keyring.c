/*
 * keyring add NAME COMMAND [ARGUMENT]...: becomes COMMAND in a new session keyring that holds a key NAME.
 * keyring find NAME: prints whether the session keyring holds such a key, "found" or "absent". keyrings(7)
 */
#include <errno.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int add(const char *name, char **command)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ||
		syscall(SYS_add_key, "user", name, "text", 4UL, KEY_SPEC_SESSION_KEYRING) < 0) {
		perror("keyring");
		return 99;
	}
	execvp(command[0], command);
	return errno == ENOENT ? 127 : 126;
}

int main(int argc, char **argv)
{
	if (argc > 3 && strcmp(argv[1], "add") == 0)
		return add(argv[2], argv + 3);
	if (argc != 3 || strcmp(argv[1], "find") != 0)
		return 98;
	puts(syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", argv[2], 0) < 0 ?
			"absent" :
			"found");
	return fflush(stdout) == 0 ? 0 : 99;
}
