/*
 * enter FILE... -- COMMAND [ARGUMENT]...: writes "0" to each FILE, by which a process enters a cgroup, and becomes COMMAND. It does so by pwrite(2),
 * so that the writes that a tracer counts are COMMAND's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int i = 1;

	for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
		int fd = open(argv[i], O_WRONLY | O_CLOEXEC);

		if (fd < 0 || pwrite(fd, "0", 1, 0) != 1) {
			perror(argv[i]);
			return 99;
		}
		close(fd);
	}
	if (i + 1 >= argc)
		return 98;
	execvp(argv[i + 1], argv + i + 1);
	return errno == ENOENT ? 127 : 126;
}
