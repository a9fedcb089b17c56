/* flip A B: exchanges the two paths as fast as it can until it is killed or its parent ends; writes a line once it has begun. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc != 3 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return 2;
	for (unsigned long count = 0;; count++) {
		if (renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) < 0)
			return perror("flip"), 3;
		if (count == 0 && write(STDOUT_FILENO, "\n", 1) != 1)
			return 4;
	}
}
