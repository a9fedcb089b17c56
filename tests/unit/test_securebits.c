/* securebits: names to bits. */
#include "common/securebits.h"

#include "tests/unit/tap.h"

#include <linux/securebits.h>

static const struct {
	const char *list;
	unsigned int bits;
	const char *reason;
} lists[] = {
	{ "none", 0, NULL },
	{ "noroot", SECBIT_NOROOT, NULL },
	{ "NOROOT", SECBIT_NOROOT, NULL },
	{ "secbit_noroot_locked", SECBIT_NOROOT_LOCKED, NULL },
	{ "no_setuid_fixup,no_setuid_fixup_locked",
		SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED, NULL },
	{ "no_cap_ambient_raise,SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED",
		SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED, NULL },
	{ "keep_caps_locked", SECBIT_KEEP_CAPS_LOCKED, NULL },
	{ "exec_restrict_file", 1U << 8, NULL },
	{ "exec_deny_interactive_locked", 1U << 11, NULL },
	{ "keep_caps", 0, "exec" },
	{ "", 0, "empty" },
	{ "noroot,", 0, "empty" },
	{ "none,noroot", 0, "not a securebit" },
	{ "no_root", 0, "not a securebit" },
	{ "noroot_lock", 0, "not a securebit" },
	{ " noroot", 0, "not a securebit" },
	{ "1", 0, "not a securebit" },
	{ "+noroot", 0, "not a securebit" },
};

int main(void)
{
	for (size_t i = 0; i < TAP_ROWS(lists); i++) {
		unsigned int bits = 12345;
		char word[40], nearest[40];
		const char *reason =
			securebits_parse(lists[i].list, &bits, word, nearest, sizeof(word));

		if (lists[i].reason) {
			ok(reason && strstr(reason, lists[i].reason) && bits == 12345, "'%s': %s",
				lists[i].list, lists[i].reason);
			continue;
		}
		is_text(reason, NULL, "'%s' is taken", lists[i].list);
		is_number(bits, lists[i].bits, "... as its bits");
	}
	is_text(securebits_name(0), "noroot", "bit 0 has its name");
	is_text(securebits_name(31), NULL, "bit 31 has none");
	is_number(securebits_read(), prctl(PR_GET_SECUREBITS, 0, 0, 0, 0), "those of this process");
	return tap_end();
}
