/* parse: what each parser of a value accepts is printed back as the same value and lies within its bounds. */
#include "common/parse.h"

#include "tests/fuzz/fuzz.h"

#include <ctype.h>
#include <inttypes.h>

/* TEXT without the zeros in front. */
static const char *significant(const char *text)
{
	while (text[0] == '0' && text[1])
		text++;
	return text;
}

static bool prints_as(uint64_t value, const char *text)
{
	char printed[32];

	snprintf(printed, sizeof(printed), "%" PRIu64, value);
	return strcmp(printed, significant(text)) == 0;
}

static void check_numbers(const char *text)
{
	uint64_t number;
	uint32_t id, group, mode;
	int32_t pid;
	int fd, signal;
	char pair[32];

	if (!parse_number(text, 3, UINT64_MAX - 1, &number))
		fuzz_check(number >= 3 && number < UINT64_MAX && prints_as(number, text));
	if (!parse_id(text, &id))
		fuzz_check(id != UINT32_MAX && prints_as(id, text));
	if (!parse_fd(text, &fd))
		fuzz_check(fd >= 0 && prints_as((uint64_t)fd, text));
	if (!parse_pid(text, &pid))
		fuzz_check(pid >= 1 && pid <= 4194304 && prints_as((uint64_t)pid, text));
	if (!parse_id_pair(text, &id, &group)) {
		uint32_t other_id, other_group;

		fuzz_check(id != UINT32_MAX && group != UINT32_MAX);
		snprintf(pair, sizeof(pair), "%u:%u", id, group);
		fuzz_check(!parse_id_pair(pair, &other_id, &other_group) && other_id == id &&
			other_group == group);
	}
	if (!parse_mode(text, &mode))
		fuzz_check(mode <= 07777 && strtoul(text, NULL, 8) == mode);
	if (!parse_hex(text, &number))
		fuzz_check(strtoull(text, NULL, 16) == number && strlen(text) <= 16);
	if (!parse_signal(text, &signal))
		fuzz_check(signal >= 1 && signal <= 64);
}

/* Whether VALUE is EXACT, as far as a long double can tell. */
static bool is_near(unsigned __int128 value, long double exact)
{
	long double off = (long double)value - exact;

	return (off < 0 ? -off : off) <= exact / 0x1p60L + 1;
}

static void check_fractions(const char *text)
{
	static const char units[] = "KMGTP";
	uint64_t value;
	int64_t seconds;
	uint32_t nanoseconds;
	char *end;

	for (unsigned int digits = 0, scale = 1; digits <= 9; digits++, scale *= 10) {
		if (parse_decimal(text, digits, &value))
			continue;
		fuzz_check(is_near(value, strtold(text, &end) * scale) && !*end);
	}
	if (!parse_seconds(text, &seconds, &nanoseconds)) {
		__int128 all = (__int128)seconds * 1000000000 + nanoseconds;
		long double exact = strtold(text, &end) * 1e9L;

		fuzz_check(nanoseconds < 1000000000 && !*end);
		fuzz_check(is_near(
			(unsigned __int128)(all < 0 ? -all : all), exact < 0 ? -exact : exact));
		fuzz_check(all == 0 || (all < 0) == (text[0] == '-'));
	}
	if (!parse_bytes(text, &value)) {
		long double exact = strtold(text, &end);
		const char *unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;

		fuzz_check(!*end || (unit && !end[1]));
		for (long times = unit ? unit - units + 1 : 0; times > 0; times--)
			exact *= 1024;
		fuzz_check(is_near(value, exact));
	}
}

static void format_set(const struct parse_set *set, char *text, size_t size)
{
	size_t used = 0;

	for (unsigned int i = 0; i < 64 * 128; i++) {
		if (set->words[i / 64] >> i % 64 & 1)
			used += (size_t)snprintf(text + used, size - used, "%s%u", used ? "," : "", i);
	}
}

static void check_set(const char *text)
{
	static char printed[5 * 64 * 128];
	struct parse_set set, again;

	if (parse_ranges(text, &set))
		return;
	format_set(&set, printed, sizeof(printed));
	fuzz_check(!parse_ranges(printed, &again) && memcmp(&set, &again, sizeof(set)) == 0);
}

static void check_words(const char *text)
{
	char word[8], *joined = calloc(1, strlen(text) + 2);
	const char *cursor = text, *value;
	size_t used = 0;

	fuzz_check(joined);
	while (cursor && !parse_word(&cursor, ',', word, sizeof(word))) {
		fuzz_check(!strchr(word, ','));
		used = (size_t)(stpcpy(stpcpy(joined + used, word), cursor ? "," : "") - joined);
	}
	fuzz_check(cursor ? strncmp(joined, text, used) == 0 : strcmp(joined, text) == 0);
	free(joined);
	if (!parse_assignment(text, word, sizeof(word), &value))
		fuzz_check(word[0] && !strchr(word, '=') && value[-1] == '=' &&
			strncmp(text, word, strlen(word)) == 0 && value == text + strlen(word) + 1);
}

/* Splits, joins with the escapes that are needed, and splits again. */
static void check_fields(const char *text, size_t count)
{
	struct fuzz_part copy = fuzz_copy(text, strlen(text));
	struct fuzz_part joined = fuzz_copy("", 0);
	char *fields[4], *again[4], *out;

	joined.text = realloc(joined.text, 2 * copy.size + 8);
	out = joined.text;
	fuzz_check(out);
	if (!parse_fields(copy.text, fields, count)) {
		for (size_t i = 0; i < count && fields[i]; i++) {
			if (i)
				*out++ = ':';
			for (const char *in = fields[i]; *in; in++) {
				if (*in == ':' || *in == '\\')
					*out++ = '\\';
				*out++ = *in;
			}
		}
		*out = '\0';
		fuzz_check(!parse_fields(joined.text, again, count));
		for (size_t i = 0; i < count; i++)
			fuzz_check(!fields[i] == !again[i] &&
				(!fields[i] || strcmp(fields[i], again[i]) == 0));
	}
	free(copy.text);
	free(joined.text);
}

static void check_distance(const char *text)
{
	enum { LIMIT = 5 };
	size_t half = strlen(text) / 2;
	struct fuzz_part one = fuzz_copy(text, half);
	const char *other = text + half;
	size_t distance = parse_distance(one.text, other, LIMIT);

	fuzz_check(distance <= LIMIT && distance == parse_distance(other, one.text, LIMIT));
	fuzz_check(distance > 0 || strcmp(one.text, other) == 0);
	fuzz_check(strlen(other) > 40 || parse_distance(other, other, LIMIT) == 0);
	free(one.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_part part = fuzz_copy(size ? (const char *)data : "", size);
	char *text = fuzz_copy(part.text, strlen(part.text)).text;

	check_numbers(text);
	check_fractions(text);
	check_set(text);
	check_words(text);
	for (size_t count = 1; count <= 4; count++)
		check_fields(text, count);
	check_distance(text);
	free(text);
	free(part.text);
	return 0;
}
