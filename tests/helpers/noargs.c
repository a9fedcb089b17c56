/* noargs PROGRAM: runs PROGRAM with an empty argument vector, not even an argv[0] (Linux makes that one empty string since 5.18). */
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char *const none[] = { NULL };

	if (argc != 2)
		return 99;
	execve(argv[1], none, environ);
	perror(argv[1]);
	return 99;
}
