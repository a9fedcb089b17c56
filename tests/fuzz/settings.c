/* settings: what was written to a file of a cgroup against what the kernel shows of it. */
#include "common/settings.c"
#include "tests/fuzz/fuzz.h"

enum { NAME, GOT, WANTED, PARTS };

static bool is_number(const char *text)
{
	return *text && strlen(text) < 19 && !text[strspn(text, "0123456789")];
}

static void check(const char *file, const char *got, const char *wanted)
{
	uint64_t unit = granularity(file);
	bool same = holds(file, got, wanted);

	fuzz_check(unit > 0);
	fuzz_check(holds(file, wanted, wanted) && holds(file, got, got));
	if (!is_number(got) || !is_number(wanted) || !same)
		return;

	/* Of two plain numbers the one is the other, rounded down and never up. */
	unsigned long long one = strtoull(got, NULL, 10), other = strtoull(wanted, NULL, 10);

	fuzz_check(one <= other && other - one < unit);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_part parts[PARTS];

	fuzz_split(data, size, parts, PARTS);
	if (strlen(parts[NAME].text) < sizeof(((struct setting *)NULL)->file) &&
		strlen(parts[GOT].text) < VALUE_SIZE && strlen(parts[WANTED].text) < WORD_SIZE &&
		parts[WANTED].text[0])
		check(parts[NAME].text, parts[GOT].text, parts[WANTED].text);
	fuzz_free(parts, PARTS);
	return 0;
}
