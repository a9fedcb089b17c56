#include "common/keyring.h"

#include "common/report.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

void keyring_leave(void)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0 || errno == ENOSYS)
		return;
	die_hint(errno == EDQUOT ? "the user has too many keys: /proc/key-users" : NULL, errno,
		"cannot join a new session keyring");
}
