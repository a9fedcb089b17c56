/*
 * hog MIB [STEP [FILE]]: takes MIB megabytes, STEP (1) at a time, touches each of them, and exits 0 if it lives that long. With FILE it
 * writes after each step how many it has, and waits until FILE is there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long wanted = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	long step = argc > 2 ? strtol(argv[2], NULL, 10) : 1;

	if (wanted <= 0 || step <= 0)
		return 2;
	for (long taken = 0; taken < wanted; taken += step) {
		void *block = mmap(NULL, (size_t)step << 20, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (block == MAP_FAILED)
			return 3;
		/* Not a value that the compiler or the kernel could share. */
		memset(block, (int)(taken & 0x7f) + 1, (size_t)step << 20);
		__asm__ volatile("" : : "r"(block) : "memory");
		if (argc > 3) {
			printf("%ld\n", taken + step);
			fflush(stdout);
		}
		while (argc > 3 && access(argv[3], F_OK) < 0)
			usleep(1000);
	}
	return 0;
}
