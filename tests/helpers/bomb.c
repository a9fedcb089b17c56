/*
 * bomb: every process that it makes makes more, until a fork is refused to the first one, which exits 7 then and leaves the others at it. It exits 8 if
 * none is refused. All of them end by themselves after half a minute.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST = 2000, SECONDS = 30 };

int main(void)
{
	bool first = true;
	atomic_int *made =
		mmap(NULL, sizeof(*made), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (made == MAP_FAILED)
		return 9;
	alarm(SECONDS);
	for (;;) {
		if (atomic_fetch_add(made, 1) > MOST)
			return 8;

		pid_t pid = fork();

		if (pid < 0) {
			atomic_fetch_sub(made, 1);
			if (first)
				return 7;
			/* So that the first one and who is to end it all get to run. */
			usleep(1000);
		} else if (pid == 0) {
			first = false;
			alarm(SECONDS);
		}
	}
}
