#include "common/keyring.h"

#include "common/explain.h"
#include "common/report.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

void keyring_leave(void)
{
	explain_because("the keys of the caller's session stay with the caller");
	if (explain_call("keyctl(KEYCTL_JOIN_SESSION_KEYRING, NULL)"))
		return;
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0)
		return;

	int error = errno;

	/* The same is said by a kernel without keyrings, which has no such file, and by a filter of system calls. */
	if (error == ENOSYS && access("/proc/keys", F_OK) < 0)
		return;
	die_hint(error == EDQUOT ? "the user has too many keys: /proc/key-users" :
				   "a filter of system calls may forbid it; see --keep-keyring",
		error, "cannot join a new session keyring");
}
