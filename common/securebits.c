#include "common/securebits.h"

#include "common/explain.h"
#include "common/parse.h"
#include "common/report.h"

#include <ctype.h>
#include <errno.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>

enum { BITS = 32 };

/* By number. The last four came with Linux 6.14. */
static const char *const names[BITS] = { "noroot", "noroot_locked", "no_setuid_fixup",
	"no_setuid_fixup_locked", "keep_caps", "keep_caps_locked", "no_cap_ambient_raise",
	"no_cap_ambient_raise_locked", "exec_restrict_file", "exec_restrict_file_locked",
	"exec_deny_interactive", "exec_deny_interactive_locked" };

const char *securebits_name(int number)
{
	return names[number];
}

static void find_nearest(const char *word, char *nearest, size_t size)
{
	struct parse_guess guess = { .typed = word };

	for (int i = 0; i < BITS; i++) {
		if (names[i] && parse_offer(&guess, names[i]))
			snprintf(nearest, size, "%s", names[i]);
	}
}

const char *securebits_parse(
	const char *list, unsigned int *ret, char *word, char *nearest, size_t size)
{
	unsigned int bits = 0;

	word[0] = nearest[0] = '\0';
	for (const char *cursor = strcmp(list, "none") == 0 ? NULL : list; cursor;) {
		const char *reason = parse_word(&cursor, ',', word, size);
		int number = 0;

		if (reason) {
			snprintf(word, size, "%s", cursor);
			return reason;
		}
		if (!word[0])
			return "is empty: name a securebit";

		const char *bare = strncasecmp(word, "secbit_", 7) == 0 ? word + 7 : word;

		while (number < BITS && (!names[number] || strcasecmp(names[number], bare) != 0))
			number++;
		if (number == BITS) {
			find_nearest(bare, nearest, size);
			return "is not a securebit: capabilities(7) names them, noroot and so on";
		}
		if (number == SECURE_KEEP_CAPS)
			return "would be cleared by the exec of COMMAND: --ambient keeps capabilities";
		bits |= 1U << number;
	}
	*ret = bits;
	return NULL;
}

unsigned int securebits_read(void)
{
	int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);

	if (bits < 0)
		die_error(errno, "cannot read the securebits");
	return (unsigned int)bits;
}

static void explain_bits(unsigned int bits)
{
	char text[512] = "";
	size_t used = 0;

	for (unsigned int i = 0; i < BITS && used < sizeof(text); i++) {
		if (names[i] && (bits & 1U << i))
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%sSECBIT_%s",
				used ? "|" : "", names[i]);
	}
	for (char *letter = text; *letter; letter++)
		*letter = (char)toupper((unsigned char)*letter);
	explain_because("the securebits that were asked for");
	explain_call("prctl(PR_SET_SECUREBITS, %s)", used ? text : "0");
}

void securebits_set(unsigned int bits)
{
	if (explain_is_on()) {
		explain_bits(bits);
		return;
	}
	if (prctl(PR_SET_SECUREBITS, (unsigned long)bits, 0, 0, 0) == 0)
		return;
	die_hint(errno == EPERM ? "this needs CAP_SETPCAP, no lock, and a kernel that knows them" :
				  NULL,
		errno, "cannot change the securebits from %#x to %#x", securebits_read(), bits);
}
