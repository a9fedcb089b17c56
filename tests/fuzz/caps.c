/* caps: lists of capabilities and the IAB notation; what is accepted prints back as the same sets. */
#include "common/caps.h"

#include "common/capinfo.h"
#include "tests/fuzz/fuzz.h"

static void check_list(const char *text)
{
	char word[64], nearest[64], printed[CAPS_TEXT];
	uint64_t mask = 0, again = 0, known = caps_known();
	const char *reason = caps_parse_list(text, &mask, word, nearest, sizeof(word));

	fuzz_check(strlen(nearest) < sizeof(nearest) && strlen(word) < sizeof(word));
	if (reason)
		return;
	/* Bits that the kernel does not have come with "all" only. */
	fuzz_check(!(mask & ~known) || strcasestr(text, "all"));
	caps_format(mask & known, printed);
	if (mask & known)
		fuzz_check(!caps_parse_list(printed, &again, word, nearest, sizeof(word)) &&
			again == (mask & known));
}

static void check_iab(const char *text)
{
	char word[64], nearest[64];
	struct caps_iab iab = { 0 };

	if (caps_parse_iab(text, &iab, word, nearest, sizeof(word)))
		return;
	fuzz_check(!(iab.ambient & ~iab.inheritable));
	fuzz_check(!((iab.ambient | iab.inheritable | iab.blocked) & ~caps_known()));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_part part = fuzz_copy(size ? (const char *)data : "", size);
	char *text = fuzz_copy(part.text, strlen(part.text)).text;

	check_list(text);
	check_iab(text);
	for (int i = 0; i < 64; i++)
		fuzz_check(capinfo_of(i) && capinfo_of(i)->summary);
	free(text);
	free(part.text);
	return 0;
}
