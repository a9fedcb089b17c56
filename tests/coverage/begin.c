/*
 * begin - maps the counters of a program built for coverage, in place of what compiler-rt does by itself: that makes the directories of its path
 * where they are not there, and complains where it may not, in every root that a test enters. There, nothing is counted.
 */
#include <stdlib.h>
#include <unistd.h>

/* That this is here keeps the other one out. */
extern int __llvm_profile_runtime;
int __llvm_profile_runtime;

void __llvm_profile_initialize_file(void);

__attribute__((constructor)) static void begin(void)
{
	static const char mark[] = "__LLVM_PROFILE_RT_INIT_ONCE";
	int marked = getenv(mark) != NULL;

	if (access(COUNTERS, W_OK) == 0)
		__llvm_profile_initialize_file();
	/* The environment is COMMAND's. */
	if (!marked)
		unsetenv(mark);
	/* Only to make the file. */
	if (getenv("NSCHAIN_COVERAGE"))
		_exit(0);
}
