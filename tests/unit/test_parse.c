/* parse: each kind of value, what it takes, what it refuses, and that a refused text leaves the result alone. */
#include "common/parse.h"

#include "tests/unit/tap.h"

/* What *ret holds before a call, to see that a failure leaves it alone. */
enum { UNTOUCHED = 123454321 };

#define MAX UINT64_MAX

/* Checks one call that takes TEXT: WANTED is what it has to set, or the reason has to contain REASON. */
static void check(const char *parser, const char *text, const char *got, uint64_t value,
	const char *reason, uint64_t wanted)
{
	bool passed =
		reason ? got && strstr(got, reason) && value == UNTOUCHED : !got && value == wanted;

	ok(passed, "%s '%s' %s", parser, tap_show(text), reason ? reason : "is taken");
	if (!passed)
		note("reason %s, value %llu, wanted %llu", got ? got : "none",
			(unsigned long long)value, (unsigned long long)(reason ? UNTOUCHED : wanted));
}

/* Texts that no number, id, PID, decimal or size begins with or consists of. */
static const char *const refused[] = { "", " ", " 1", "1 ", "\t1", "1\n", "\n1", "+1", "-1", "-0",
	"+", "-", "1x", "x1", "0x10", "0X1", "0b1", "1e3", "1E", "1_000", "1'000", "1,5",
	"1:", ":1", "1:2:3", "1/2", "1;", "1\r", "\x80", "1\xff", "\xd9\xa1", "\xef\xbc\x91", "inf",
	"nan", "max", "ten", "1.", ".5", ".", "1..5", "1.5.5", "1.-5", "1. 5", "1.x", "--1", "1-",
	"1+1", "%1", "\\1", "$1" };

static void test_refused(void)
{
	for (size_t i = 0; i < TAP_ROWS(refused); i++) {
		uint64_t number = UNTOUCHED, decimal = UNTOUCHED, bytes = UNTOUCHED;
		uint32_t id = UNTOUCHED, mode = UNTOUCHED;
		int32_t pid = UNTOUCHED;
		const char *text = refused[i];

		check("number", text, parse_number(text, 0, MAX, &number), number, "", 0);
		check("id", text, parse_id(text, &id), id, "is not an id", 0);
		check("pid", text, parse_pid(text, &pid), (uint64_t)pid, "is not a PID", 0);
		check("decimal", text, parse_decimal(text, 3, &decimal), decimal, "", 0);
		check("bytes", text, parse_bytes(text, &bytes), bytes, "", 0);
		check("mode", text, parse_mode(text, &mode), mode, "is not an octal mode", 0);
	}
}

static const struct {
	const char *text;
	uint64_t min, max;
	const char *reason;
	uint64_t wanted;
} numbers[] = {
	{ "0", 0, MAX, NULL, 0 },
	{ "1", 0, MAX, NULL, 1 },
	{ "007", 0, MAX, NULL, 7 },
	{ "00000000000000000000000000000001", 0, MAX, NULL, 1 },
	{ "4294967295", 0, MAX, NULL, 4294967295 },
	{ "4294967296", 0, MAX, NULL, 4294967296 },
	{ "9223372036854775807", 0, MAX, NULL, INT64_MAX },
	{ "9223372036854775808", 0, MAX, NULL, UINT64_C(9223372036854775808) },
	{ "18446744073709551614", 0, MAX, NULL, MAX - 1 },
	{ "18446744073709551615", 0, MAX, NULL, MAX },
	{ "18446744073709551616", 0, MAX, "is too large", 0 },
	{ "18446744073709551620", 0, MAX, "is too large", 0 },
	{ "18446744073709551625", 0, MAX, "is too large", 0 },
	{ "36893488147419103232", 0, MAX, "is too large", 0 },
	{ "184467440737095516150", 0, MAX, "is too large", 0 },
	{ "99999999999999999999999999999999999999999", 0, MAX, "is too large", 0 },
	{ "0", 1, 10, "is too small", 0 },
	{ "1", 1, 10, NULL, 1 },
	{ "10", 1, 10, NULL, 10 },
	{ "11", 1, 10, "is too large", 0 },
	{ "5", 5, 5, NULL, 5 },
	{ "18446744073709551615", 0, MAX - 1, "is too large", 0 },
	{ "1.5", 0, MAX, "is not a number", 0 },
	{ "1K", 0, MAX, "is not a number", 0 },
};

static void test_number(void)
{
	for (size_t i = 0; i < TAP_ROWS(numbers); i++) {
		uint64_t value = UNTOUCHED;
		const char *reason =
			parse_number(numbers[i].text, numbers[i].min, numbers[i].max, &value);

		check("number", numbers[i].text, reason, value, numbers[i].reason, numbers[i].wanted);
	}
}

static void test_id(void)
{
	static const struct {
		const char *text;
		bool taken;
		uint32_t wanted;
	} rows[] = {
		{ "0", true, 0 },
		{ "1", true, 1 },
		{ "00", true, 0 },
		{ "65534", true, 65534 },
		{ "2147483648", true, 2147483648 },
		{ "4294967294", true, 4294967294 },
		{ "4294967295", false, 0 },
		{ "4294967296", false, 0 },
		{ "4294967297", false, 0 },
		{ "8589934592", false, 0 },
		{ "18446744073709551615", false, 0 },
		{ "18446744073709551616", false, 0 },
		{ "1.5", false, 0 },
		{ "1k", false, 0 },
		{ "root", false, 0 },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		uint32_t value = UNTOUCHED;
		const char *reason = parse_id(rows[i].text, &value);

		check("id", rows[i].text, reason, value, rows[i].taken ? NULL : "is not an id",
			rows[i].wanted);
	}
}

static void test_pid(void)
{
	static const struct {
		const char *text;
		bool taken;
		uint64_t wanted;
	} rows[] = {
		{ "1", true, 1 },
		{ "4194304", true, 4194304 },
		{ "0", false, 0 },
		{ "4194305", false, 0 },
		{ "2147483648", false, 0 },
		{ "4294967297", false, 0 },
		{ "18446744073709551617", false, 0 },
		{ "self", false, 0 },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		int32_t value = UNTOUCHED;
		const char *reason = parse_pid(rows[i].text, &value);

		check("pid", rows[i].text, reason, (uint64_t)value,
			rows[i].taken ? NULL : "is not a PID", rows[i].wanted);
	}
}

static const struct {
	const char *text;
	unsigned int digits;
	const char *reason;
	uint64_t wanted;
} decimals[] = {
	{ "0", 3, NULL, 0 },
	{ "1", 0, NULL, 1 },
	{ "1", 3, NULL, 1000 },
	{ "1.5", 3, NULL, 1500 },
	{ "1.500", 3, NULL, 1500 },
	{ "0.001", 3, NULL, 1 },
	{ "0.000", 3, NULL, 0 },
	{ "1.05", 3, NULL, 1050 },
	{ "01.5", 1, NULL, 15 },
	{ "1.5", 1, NULL, 15 },
	{ "1.0001", 3, "too many digits", 0 },
	{ "1.50", 1, "too many digits", 0 },
	{ "1.0", 0, "too many digits", 0 },
	{ "1.", 3, "no digit behind", 0 },
	{ "1.", 0, "no digit behind", 0 },
	{ ".5", 3, "is not a number", 0 },
	{ "1.5x", 3, "is not a number", 0 },
	{ "1.5 ", 3, "is not a number", 0 },
	{ "1.5.", 3, "is not a number", 0 },
	{ "18446744073709551615", 0, NULL, MAX },
	{ "1844674407370955161.5", 1, NULL, MAX },
	{ "1844674407370955161.6", 1, "is too large", 0 },
	{ "1844674407370955162", 1, "is too large", 0 },
	{ "18446744073709551615", 1, "is too large", 0 },
	{ "18446744073709551616", 0, "is too large", 0 },
	{ "18446744073709551615.1", 1, "is too large", 0 },
	{ "1", 19, NULL, UINT64_C(10000000000000000000) },
	{ "1", 20, "is too large", 0 },
	{ "0", 20, NULL, 0 },
};

static void test_decimal(void)
{
	for (size_t i = 0; i < TAP_ROWS(decimals); i++) {
		uint64_t value = UNTOUCHED;
		const char *reason = parse_decimal(decimals[i].text, decimals[i].digits, &value);

		check("decimal", decimals[i].text, reason, value, decimals[i].reason,
			decimals[i].wanted);
	}
}

#define SIZE_HINT "is not a size such as"

static const struct {
	const char *text;
	const char *reason;
	uint64_t wanted;
} sizes[] = {
	{ "0", NULL, 0 },
	{ "1", NULL, 1 },
	{ "0K", NULL, 0 },
	{ "1K", NULL, UINT64_C(1) << 10 },
	{ "1k", NULL, UINT64_C(1) << 10 },
	{ "1M", NULL, UINT64_C(1) << 20 },
	{ "1m", NULL, UINT64_C(1) << 20 },
	{ "1G", NULL, UINT64_C(1) << 30 },
	{ "1g", NULL, UINT64_C(1) << 30 },
	{ "1T", NULL, UINT64_C(1) << 40 },
	{ "1t", NULL, UINT64_C(1) << 40 },
	{ "1P", NULL, UINT64_C(1) << 50 },
	{ "1p", NULL, UINT64_C(1) << 50 },
	{ "16E", SIZE_HINT, 0 },
	{ "1E", SIZE_HINT, 0 },
	{ "1B", SIZE_HINT, 0 },
	{ "1KB", SIZE_HINT, 0 },
	{ "1KiB", SIZE_HINT, 0 },
	{ "1Ki", SIZE_HINT, 0 },
	{ "1KK", SIZE_HINT, 0 },
	{ "1 K", SIZE_HINT, 0 },
	{ "1K ", SIZE_HINT, 0 },
	{ "1K\n", SIZE_HINT, 0 },
	{ "K", SIZE_HINT, 0 },
	{ "K1", SIZE_HINT, 0 },
	{ "1K1", SIZE_HINT, 0 },
	{ "1K.5", SIZE_HINT, 0 },
	{ "1.5KB", SIZE_HINT, 0 },
	{ "1[", SIZE_HINT, 0 },
	{ "1\xcd", SIZE_HINT, 0 },
	{ "max", SIZE_HINT, 0 },
	{ "50%", SIZE_HINT, 0 },
	{ "1.5K", NULL, 1536 },
	{ "1.5G", NULL, UINT64_C(3) << 29 },
	{ "0.5M", NULL, UINT64_C(1) << 19 },
	{ "0.25k", NULL, 256 },
	{ "0.001K", NULL, 1 },
	{ "0.125T", NULL, UINT64_C(1) << 37 },
	{ "1.0G", NULL, UINT64_C(1) << 30 },
	{ "1.", "no digit behind", 0 },
	{ "1.G", "no digit behind", 0 },
	{ ".5G", SIZE_HINT, 0 },
	{ "1.5", "is a fraction of a byte", 0 },
	{ "1.0001G", "too many digits", 0 },
	{ "18446744073709551615", NULL, MAX },
	{ "18446744073709551616", "is too large", 0 },
	{ "18014398509481983K", NULL, MAX - 1023 },
	{ "18014398509481984K", "is too large", 0 },
	{ "18014398509481985K", "is too large", 0 },
	{ "17592186044415M", NULL, MAX - 1048575 },
	{ "17592186044416M", "is too large", 0 },
	{ "9999999999999M", NULL, UINT64_C(9999999999999) << 20 },
	{ "99999999999999M", "is too large", 0 },
	{ "16383P", NULL, UINT64_C(16383) << 50 },
	{ "16384P", "is too large", 0 },
	{ "18446744073709551615P", "is too large", 0 },
	{ "18446744073709551.616K", "is too large", 0 },
	{ "15.5P", NULL, UINT64_C(31) << 49 },
	/* Not too large as a size, only 1000 times it would be. */
	{ "16.5P", NULL, UINT64_C(33) << 49 },
	{ "16383.5P", NULL, UINT64_C(32767) << 49 },
	{ "16384.5P", "is too large", 0 },
};

static void test_bytes(void)
{
	for (size_t i = 0; i < TAP_ROWS(sizes); i++) {
		uint64_t value = UNTOUCHED;
		const char *reason = parse_bytes(sizes[i].text, &value);

		check("bytes", sizes[i].text, reason, value, sizes[i].reason, sizes[i].wanted);
	}
}

static void test_mode(void)
{
	static const struct {
		const char *text;
		bool taken;
		uint32_t wanted;
	} rows[] = {
		{ "0", true, 0 },
		{ "7", true, 7 },
		{ "755", true, 0755 },
		{ "0755", true, 0755 },
		{ "1777", true, 01777 },
		{ "7777", true, 07777 },
		{ "0000", true, 0 },
		{ "8", false, 0 },
		{ "758", false, 0 },
		{ "9", false, 0 },
		{ "77777", false, 0 },
		{ "00755", false, 0 },
		{ "17777777777", false, 0 },
		{ "u+x", false, 0 },
		{ "0o755", false, 0 },
		{ "755,", false, 0 },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		uint32_t value = UNTOUCHED;
		const char *reason = parse_mode(rows[i].text, &value);

		check("mode", rows[i].text, reason, value,
			rows[i].taken ? NULL : "is not an octal mode", rows[i].wanted);
	}
}

static void test_word(void)
{
	static const struct {
		const char *list;
		const char *words; /* each followed by '|' */
		const char *reason;
	} rows[] = {
		{ "", "|", NULL },
		{ "a", "a|", NULL },
		{ "a,b", "a|b|", NULL },
		{ ",", "||", NULL },
		{ ",,", "|||", NULL },
		{ "a,", "a||", NULL },
		{ ",a", "|a|", NULL },
		{ "a,,b", "a||b|", NULL },
		{ " a , b ", " a | b |", NULL },
		{ "a:b", "a:b|", NULL },
		{ "1234567", "1234567|", NULL },
		{ "12345678", "", "too long" },
		{ "a,12345678,b", "a|", "too long" },
		{ "1234567,1234567", "1234567|1234567|", NULL },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		const char *cursor = rows[i].list, *before, *reason;
		char words[64] = "";
		size_t used = 0;

		do {
			struct {
				char word[8];
				char guard;
			} into = { .word = "before", .guard = '!' };

			before = cursor;
			reason = parse_word(&cursor, ',', into.word, sizeof(into.word));
			if (!reason)
				used += (size_t)snprintf(
					words + used, sizeof(words) - used, "%s|", into.word);
			if (into.guard != '!' || (reason && strcmp(into.word, "before") != 0))
				snprintf(words, sizeof(words), "the word was overwritten");
		} while (cursor && !reason);
		is_text(words, rows[i].words, "words of '%s'", rows[i].list);
		ok(rows[i].reason ? reason && strstr(reason, rows[i].reason) && cursor == before :
				    !reason,
			"reason and cursor for '%s'", rows[i].list);
	}
}

static void test_assignment(void)
{
	static const struct {
		const char *text;
		const char *key;
		const char *value;
		const char *reason;
	} rows[] = {
		{ "a=b", "a", "b", NULL },
		{ "a=", "a", "", NULL },
		{ "a==b", "a", "=b", NULL },
		{ "a=b=c", "a", "b=c", NULL },
		{ " a =b", " a ", "b", NULL },
		{ "1234567=x", "1234567", "x", NULL },
		{ "12345678=x", NULL, NULL, "too long" },
		{ "", NULL, NULL, "KEY=VALUE" },
		{ "a", NULL, NULL, "KEY=VALUE" },
		{ "=", NULL, NULL, "KEY=VALUE" },
		{ "=b", NULL, NULL, "KEY=VALUE" },
		{ "==", NULL, NULL, "KEY=VALUE" },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		char key[8] = "before";
		const char *value = "before";
		const char *reason = parse_assignment(rows[i].text, key, sizeof(key), &value);

		ok(rows[i].reason ? reason && strstr(reason, rows[i].reason) : !reason,
			"assignment '%s' %s", rows[i].text,
			rows[i].reason ? rows[i].reason : "is taken");
		is_text(key, rows[i].key ? rows[i].key : "before", "key of '%s'", rows[i].text);
		is_text(value, rows[i].value ? rows[i].value : "before", "value of '%s'",
			rows[i].text);
	}
}

static void test_fields(void)
{
	static const struct {
		const char *text;
		const char *fields[3];
		const char *reason;
	} rows[] = {
		{ "", { "", NULL, NULL }, NULL },
		{ "a", { "a", NULL, NULL }, NULL },
		{ "a:b", { "a", "b", NULL }, NULL },
		{ "a:b:c", { "a", "b", "c" }, NULL },
		{ ":", { "", "", NULL }, NULL },
		{ "::", { "", "", "" }, NULL },
		{ "a:", { "a", "", NULL }, NULL },
		{ ":a", { "", "a", NULL }, NULL },
		{ "a::c", { "a", "", "c" }, NULL },
		{ "a\\:b", { "a:b", NULL, NULL }, NULL },
		{ "\\:", { ":", NULL, NULL }, NULL },
		{ "\\\\", { "\\", NULL, NULL }, NULL },
		{ "a\\\\:b", { "a\\", "b", NULL }, NULL },
		{ "a\\\\\\:b:c\\:\\:", { "a\\:b", "c::", NULL }, NULL },
		{ "a:b:c\\:d", { "a", "b", "c:d" }, NULL },
		{ "a:b:c:d", { NULL }, "too many parts" },
		{ ":::", { NULL }, "too many parts" },
		{ "a\\", { NULL }, "'\\' that is not followed" },
		{ "a\\b", { NULL }, "'\\' that is not followed" },
		{ "a:\\n", { NULL }, "'\\' that is not followed" },
		{ "\\\\\\", { NULL }, "'\\' that is not followed" },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		char text[32];
		char guard[] = "guard";
		char *fields[4] = { guard, guard, guard, guard };

		snprintf(text, sizeof(text), "%s", rows[i].text);

		const char *reason = parse_fields(text, fields, 3);

		if (rows[i].reason) {
			ok(reason && strstr(reason, rows[i].reason), "fields '%s' %s", rows[i].text,
				rows[i].reason);
		} else {
			ok(!reason, "fields '%s' is taken", rows[i].text);
			for (size_t j = 0; j < 3; j++)
				is_text(fields[j], rows[i].fields[j], "field %zu of '%s'", j,
					rows[i].text);
		}
		ok(fields[3] == guard, "fields '%s' stays in its array", rows[i].text);
	}
}

static const struct {
	const char *text;
	const char *set; /* its numbers, each with a space behind it; NULL: it is refused */
} ranges[] = {
	{ "0", "0 " },
	{ "5", "5 " },
	{ "00", "0 " },
	{ "0-3", "0 1 2 3 " },
	{ "3-3", "3 " },
	{ "0,1", "0 1 " },
	{ "1,0", "0 1 " },
	{ "0-3,5", "0 1 2 3 5 " },
	{ "5,0-3", "0 1 2 3 5 " },
	{ "0-2,1-3,2", "0 1 2 3 " },
	{ "1,1,1", "1 " },
	{ "62-65", "62 63 64 65 " },
	{ "63,64,127,128", "63 64 127 128 " },
	{ "8191", "8191 " },
	{ "8190-8191", "8190 8191 " },
	{ "0,8191", "0 8191 " },
	{ "8192", NULL },
	{ "8191-8192", NULL },
	{ "0-8192", NULL },
	{ "18446744073709551616", NULL },
	{ "4294967296", NULL },
	{ "0-18446744073709551615", NULL },
	{ "", NULL },
	{ ",", NULL },
	{ "0,", NULL },
	{ ",0", NULL },
	{ "0,,1", NULL },
	{ "-", NULL },
	{ "-1", NULL },
	{ "1-", NULL },
	{ "1--2", NULL },
	{ "1-2-3", NULL },
	{ "3-1", NULL },
	{ "0-3,2-1", NULL },
	{ "a", NULL },
	{ "0-a", NULL },
	{ "0x1", NULL },
	{ "0 1", NULL },
	{ " 0", NULL },
	{ "0 ", NULL },
	{ "0, 1", NULL },
	{ "0 - 1", NULL },
	{ "0;1", NULL },
	{ "0:1", NULL },
	{ "0-3:1/2", NULL },
	{ "0-7:2", NULL },
	{ "0\n", NULL },
	{ "+1", NULL },
	{ "1.5", NULL },
	{ "all", NULL },
	{ "max", NULL },
	{ "1234567890123456789012345678901234567890", NULL },
};

static void test_ranges(void)
{
	for (size_t i = 0; i < TAP_ROWS(ranges); i++) {
		struct parse_set set, untouched;
		char listed[128] = "";
		size_t used = 0;

		memset(&set, 0x5a, sizeof(set));
		memset(&untouched, 0x5a, sizeof(untouched));

		const char *reason = parse_ranges(ranges[i].text, &set);

		if (!ranges[i].set) {
			ok(reason && strstr(reason, "is not a list of numbers and ranges") &&
					memcmp(&set, &untouched, sizeof(set)) == 0,
				"ranges '%s' are refused", tap_show(ranges[i].text));
			continue;
		}
		for (unsigned int n = 0; n < 8 * sizeof(set) && used + 8 < sizeof(listed); n++) {
			if (set.words[n / 64] >> n % 64 & 1)
				used += (size_t)snprintf(
					listed + used, sizeof(listed) - used, "%u ", n);
		}
		ok(!reason, "ranges '%s' are taken", ranges[i].text);
		is_text(listed, ranges[i].set, "... the numbers");
	}
}

static void test_all_ranges(void)
{
	struct parse_set set;
	bool all = true;

	is_text(parse_ranges("0-8191", &set), NULL, "all numbers");
	for (size_t i = 0; i < TAP_ROWS(set.words); i++)
		all = all && set.words[i] == UINT64_MAX;
	ok(all, "... are in the set");
}

static void test_distance(void)
{
	is_number((long long)parse_distance("chown", "chown", 3), 0, "a word is itself");
	is_number((long long)parse_distance("chwon", "chown", 3), 1, "two letters swapped");
	is_number((long long)parse_distance("chow", "chown", 3), 1, "one letter missing");
	is_number((long long)parse_distance("cohwn", "chown", 3), 1, "two others swapped");
	is_number((long long)parse_distance("chonw!", "chown", 3), 2, "swapped, and one more");
	is_number((long long)parse_distance("nwohc", "chown", 9), 4, "the other way round");
	is_number((long long)parse_distance("", "ab", 9), 2, "nothing to two letters");
	is_number((long long)parse_distance("kill", "sys_admin", 3), 3, "at most the limit");
	is_number((long long)parse_distance("a_word_that_is_longer_than_the_forty_bytes", "a", 3),
		3, "too long to compare");
}

/* What is meant by TYPED, of words that stand in this order. */
static void test_offers(void)
{
	static const char *const words[] = { "memory", "memory-high", "mems", "cpus",
		"map-root-user", "read-only", "net_admin", "size=SIZE", "KILL", "dir", "ro" };
	static const struct {
		const char *typed, *word;
	} rows[] = { { "memory", "memory" }, { "memry", "memory" }, { "memroy", "memory" },
		{ "MEMORY", "memory" }, { "mem", "memory" }, { "mesm", "mems" },
		{ "memory-hihg", "memory-high" }, { "memory-limit", "memory" }, { "cpu", "cpus" },
		{ "map_root_user", "map-root-user" }, { "root-user", "map-root-user" },
		{ "readonly", "read-only" }, { "admin", "net_admin" }, { "siez=16M", "size=SIZE" },
		{ "kil", "KILL" },
		/* too short, or too far */
		{ "m", NULL }, { "x", NULL }, { "", NULL }, { "re", "read-only" }, { "rw", NULL },
		{ "chdir", NULL }, { "elephant", NULL }, { "user=memory", "map-root-user" },
		{ "a-word-that-is-longer-than-what-there-is-room-for", NULL } };

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		struct parse_guess guess = { .typed = rows[i].typed };
		size_t better = 0;

		for (size_t j = 0; j < TAP_ROWS(words); j++) {
			const char *before = guess.word;

			better += parse_offer(&guess, words[j]) && guess.word == words[j];
			if (guess.word != before)
				better--;
		}
		is_text(guess.word, rows[i].word, "'%s' is meant so", rows[i].typed);
		is_number((long long)better, 0, "... and each one that is likelier is said to be");
	}
}

static void test_advice(void)
{
	static const char reason[] = "is no mode: a number, or one of private, slave, TERM, size=N";
	static const struct {
		const char *typed, *nearest;
	} rows[] = { { "privat", "private" }, { "Slave", "slave" }, { "TRM", "TERM" },
		{ "SIGTRM", "TERM" }, { "sigterm", "TERM" }, { "szie=1", "size=N" },
		{ "number", NULL }, { "", NULL }, { "SIG", NULL } };
	const char *advice = parse_advice(reason);

	is_text(advice, reason + strlen("is no mode: "), "what would be right");
	is_text(parse_advice("is no mode"), NULL, "a reason that does not say it");
	is_text(parse_advice("has a '/' and a ':'"), NULL, "a colon of another kind");
	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		char nearest[16] = "";
		bool found = parse_nearest(rows[i].typed, advice, nearest, sizeof(nearest));

		ok(found == (rows[i].nearest != NULL), "'%s' means %s", rows[i].typed,
			rows[i].nearest ? rows[i].nearest : "nothing");
		is_text(nearest, found ? rows[i].nearest : "", "... and that is what is found");
	}

	char nearest[16] = "";

	ok(!parse_nearest("private", "no list", nearest, sizeof(nearest)), "no list, no word");
}

int main(void)
{
	test_refused();
	test_number();
	test_id();
	test_pid();
	test_decimal();
	test_bytes();
	test_mode();
	test_word();
	test_assignment();
	test_fields();
	test_ranges();
	test_all_ranges();
	test_distance();
	test_offers();
	test_advice();
	return tap_end();
}
