/*
 * payload: the command of every chain that is measured, without a C library: ends at once; built with PAUSE, it writes a byte to standard
 * output and sleeps until it is killed.
 */
#include <sys/syscall.h>

static long call(long number, long first, const void *second, long third)
{
	register long result __asm__("rax") = number;

	__asm__ volatile("syscall"
			 : "+r"(result)
			 : "D"(first), "S"(second), "d"(third)
			 : "rcx", "r11", "memory");
	return result;
}

__attribute__((noreturn)) void start(void);

void start(void)
{
#ifdef PAUSE
	call(SYS_write, 1, "!", 1);
	for (;;)
		call(SYS_pause, 0, 0, 0);
#else
	for (;;)
		call(SYS_exit, 0, 0, 0);
#endif
}
