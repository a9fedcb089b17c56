#include "common/parse.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Takes the digits at *CURSOR; false on overflow. */
static bool take_digits(const char **cursor, uint64_t *value)
{
	for (; is_digit(**cursor); (*cursor)++) {
		if (__builtin_mul_overflow(*value, 10, value) ||
			__builtin_add_overflow(*value, (uint64_t)(**cursor - '0'), value))
			return false;
	}
	return true;
}

const char *parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	const char *cursor = text;
	uint64_t value = 0;

	if (!is_digit(*text))
		return "is not a number";
	if (!take_digits(&cursor, &value))
		return "is too large";
	if (*cursor)
		return "is not a number";
	if (value < min)
		return "is too small";
	if (value > max)
		return "is too large";
	*ret = value;
	return NULL;
}

const char *parse_id(const char *text, uint32_t *ret)
{
	uint64_t value;

	if (parse_number(text, 0, PARSE_ID_MAX, &value))
		return "is not an id from 0 to 4294967294";
	*ret = (uint32_t)value;
	return NULL;
}

const char *parse_id_pair(const char *text, uint32_t *ret_user, uint32_t *ret_group)
{
	const char *cursor = text;
	uint32_t user, group;
	char word[16];

	if (parse_word(&cursor, ':', word, sizeof(word)) || parse_id(word, &user) || !cursor ||
		parse_id(cursor, &group))
		return "is not of the form UID:GID in numbers";
	*ret_user = user;
	*ret_group = group;
	return NULL;
}

const char *parse_fd(const char *text, int *ret)
{
	uint64_t value;

	if (parse_number(text, 0, INT32_MAX, &value))
		return "is not a file descriptor";
	*ret = (int)value;
	return NULL;
}

const char *parse_pid(const char *text, int32_t *ret)
{
	uint64_t value;

	if (parse_number(text, 1, 4194304, &value))
		return "is not a PID from 1 to 4194304";
	*ret = (int32_t)value;
	return NULL;
}

const char *parse_hex(const char *text, uint64_t *ret)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t value = 0;

	if (!*text || strlen(text) > 16)
		return "is not a mask of 64 bits in hexadecimal";
	for (; *text; text++) {
		const char *digit = strchr(digits, *text);

		if (!digit)
			return "is not a mask of 64 bits in hexadecimal";
		value = value << 4 | (uint64_t)(digit - digits);
	}
	*ret = value;
	return NULL;
}

const char *parse_mode(const char *text, uint32_t *ret)
{
	uint32_t mode = 0;
	size_t length = strspn(text, "01234567");

	if (length == 0 || length > 4 || text[length])
		return "is not an octal mode such as 755";
	for (; *text; text++)
		mode = mode * 8 + (uint32_t)(*text - '0');
	*ret = mode;
	return NULL;
}

/* A decimal number at *CURSOR with up to DIGITS digits behind the point, times 10^DIGITS. */
static const char *take_decimal(const char **cursor, unsigned int digits, uint64_t *ret)
{
	uint64_t value = 0;

	if (!is_digit(**cursor))
		return "is not a number";
	if (!take_digits(cursor, &value))
		return "is too large";
	if (**cursor == '.') {
		(*cursor)++;
		if (!is_digit(**cursor))
			return "has no digit behind its point";
		for (; is_digit(**cursor); (*cursor)++, digits--) {
			if (digits == 0)
				return "has too many digits behind its point";
			if (__builtin_mul_overflow(value, 10, &value) ||
				__builtin_add_overflow(value, (uint64_t)(**cursor - '0'), &value))
				return "is too large";
		}
	}
	for (; digits > 0; digits--) {
		if (__builtin_mul_overflow(value, 10, &value))
			return "is too large";
	}
	*ret = value;
	return NULL;
}

const char *parse_decimal(const char *text, unsigned int digits, uint64_t *ret)
{
	const char *cursor = text;
	uint64_t value;
	const char *reason = take_decimal(&cursor, digits, &value);

	if (reason)
		return reason;
	if (*cursor)
		return "is not a number";
	*ret = value;
	return NULL;
}

const char *parse_seconds(const char *text, int64_t *ret_seconds, uint32_t *ret_nanoseconds)
{
	enum { DIGITS = 9, BILLION = 1000000000 };
	bool negative = text[0] == '-';
	uint64_t value;
	const char *reason = parse_decimal(text + negative, DIGITS, &value);

	if (reason)
		return reason;

	int64_t seconds = (int64_t)(value / BILLION);
	uint32_t rest = (uint32_t)(value % BILLION);

	/* -1.25 is 0.75 seconds after -2. */
	*ret_seconds = !negative ? seconds : rest ? -seconds - 1 : -seconds;
	*ret_nanoseconds = negative && rest ? BILLION - rest : rest;
	return NULL;
}

static const struct {
	const char *name;
	int number;
} signals[] = { { "HUP", SIGHUP }, { "INT", SIGINT }, { "QUIT", SIGQUIT }, { "ILL", SIGILL },
	{ "TRAP", SIGTRAP }, { "ABRT", SIGABRT }, { "BUS", SIGBUS }, { "FPE", SIGFPE },
	{ "KILL", SIGKILL }, { "USR1", SIGUSR1 }, { "SEGV", SIGSEGV }, { "USR2", SIGUSR2 },
	{ "PIPE", SIGPIPE }, { "ALRM", SIGALRM }, { "TERM", SIGTERM }, { "CHLD", SIGCHLD },
	{ "CONT", SIGCONT }, { "STOP", SIGSTOP }, { "TSTP", SIGTSTP }, { "TTIN", SIGTTIN },
	{ "TTOU", SIGTTOU }, { "URG", SIGURG }, { "XCPU", SIGXCPU }, { "XFSZ", SIGXFSZ },
	{ "VTALRM", SIGVTALRM }, { "PROF", SIGPROF }, { "WINCH", SIGWINCH }, { "IO", SIGIO },
	{ "PWR", SIGPWR }, { "SYS", SIGSYS } };

const char *parse_signal(const char *text, int *ret)
{
	const char *bare = strncmp(text, "SIG", 3) == 0 ? text + 3 : text;
	uint64_t number;

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		if (strcmp(bare, signals[i].name) == 0) {
			*ret = signals[i].number;
			return NULL;
		}
	}
	/* 64 is the kernel's _NSIG. */
	if (parse_number(text, 1, 64, &number))
		return "is no signal: a number, or one of TERM, KILL, INT, HUP, QUIT, USR1, USR2, STOP";
	*ret = (int)number;
	return NULL;
}

void parse_name_signal(int signal, char text[PARSE_SIGNAL])
{
	snprintf(text, PARSE_SIGNAL, "%d", signal);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		if (signals[i].number == signal)
			snprintf(text, PARSE_SIGNAL, "SIG%s", signals[i].name);
	}
}

const char *parse_bytes(const char *text, uint64_t *ret)
{
	static const char units[] = "KMGTP";
	enum { FRACTION = 3, SCALE = 1000 };
	const char *cursor = text;
	bool whole = !strchr(text, '.');
	uint64_t value = 0;
	const char *reason = take_decimal(&cursor, whole ? 0 : FRACTION, &value);
	/* 64 bits of digits times at most 2^50 fit. */
	unsigned __int128 scaled = value;

	if (reason)
		return strstr(reason, "not a number") ? "is not a size such as 64M or 1.5G" : reason;
	if (*cursor) {
		char letter = *cursor >= 'a' ? (char)(*cursor - 'a' + 'A') : *cursor;
		const char *unit = strchr(units, letter);

		if (!unit || cursor[1])
			return "is not a size such as 64M or 1.5G";
		scaled *= UINT64_C(1) << 10 * (unit - units + 1);
	} else if (!whole) {
		return "is a fraction of a byte";
	}
	scaled /= whole ? 1 : SCALE;
	if (scaled > UINT64_MAX)
		return "is too large";
	*ret = (uint64_t)scaled;
	return NULL;
}

const char *parse_word(const char **cursor, char separator, char *word, size_t size)
{
	const char *end = strchrnul(*cursor, separator);
	size_t length = (size_t)(end - *cursor);

	if (length >= size)
		return "holds a word that is too long";
	memcpy(word, *cursor, length);
	word[length] = '\0';
	*cursor = *end ? end + 1 : NULL;
	return NULL;
}

/* "5" or "0-3" */
static bool take_range(const char *text, uint64_t last, uint64_t *from, uint64_t *to)
{
	const char *cursor = text;
	char word[16];

	if (parse_word(&cursor, '-', word, sizeof(word)) || parse_number(word, 0, last, from))
		return false;
	*to = *from;
	return !cursor || (!parse_number(cursor, 0, last, to) && *from <= *to);
}

const char *parse_ranges(const char *text, struct parse_set *ret)
{
	enum { LAST = 8 * sizeof(ret->words) - 1 };
	struct parse_set set = { { 0 } };
	const char *cursor = text;
	uint64_t from, to;
	char word[32];

	while (cursor) {
		if (parse_word(&cursor, ',', word, sizeof(word)) ||
			!take_range(word, LAST, &from, &to))
			return "is not a list of numbers and ranges such as 0-3,5";
		for (; from <= to; from++)
			set.words[from / 64] |= UINT64_C(1) << from % 64;
	}
	*ret = set;
	return NULL;
}

const char *parse_assignment(const char *text, char *ret_key, size_t size, const char **ret_value)
{
	const char *equals = strchr(text, '=');

	if (!equals || equals == text)
		return "is not of the form KEY=VALUE";

	size_t length = (size_t)(equals - text);

	if (length >= size)
		return "has a key that is too long";
	memcpy(ret_key, text, length);
	ret_key[length] = '\0';
	*ret_value = equals + 1;
	return NULL;
}

const char *parse_fields(char *text, char **fields, size_t count)
{
	char *out = text;
	size_t used = 0;

	memset(fields, 0, count * sizeof(*fields));
	fields[used++] = text;
	for (const char *in = text; *in; in++) {
		if (*in == '\\') {
			if (in[1] != ':' && in[1] != '\\')
				return "has a '\\' that is not followed by ':' or '\\'";
			*out++ = *++in;
		} else if (*in == ':') {
			if (used == count)
				return "has too many parts between ':': write '\\:' for one that belongs to a name";
			*out++ = '\0';
			fields[used++] = out;
		} else {
			*out++ = *in;
		}
	}
	*out = '\0';
	return NULL;
}

size_t parse_distance(const char *a, const char *b, size_t limit)
{
	enum { WORD_MAX = 40 };
	/* Of the letters of A before this one, before the last one, and before the one before it. */
	size_t rows[3][WORD_MAX + 1];
	size_t width = strlen(b), height = strlen(a);

	if (width > WORD_MAX || height > WORD_MAX)
		return limit;
	for (size_t j = 0; j <= width; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= height; i++) {
		size_t *row = rows[i % 3];
		const size_t *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= width; j++) {
			row[j] = least(last[j - 1] + (a[i - 1] != b[j - 1]),
				least(last[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return least(rows[height % 3][width], limit);
}

/* TEXT up to the first '=' in small letters, '_' as '-'; false if it does not fit. */
static bool simplify(const char *text, char *ret, size_t size)
{
	size_t length = strcspn(text, "=");

	if (length >= size)
		return false;
	for (size_t i = 0; i < length; i++) {
		bool capital = text[i] >= 'A' && text[i] <= 'Z';

		ret[i] = capital ? (char)(text[i] - 'A' + 'a') : text[i] == '_' ? '-' : text[i];
	}
	ret[length] = '\0';
	return true;
}

/* Whether a part of WORD, from a '-' on, begins with PART. */
static bool has_part(const char *word, const char *part, size_t length)
{
	for (const char *dash = strchr(word, '-'); dash; dash = strchr(dash + 1, '-')) {
		if (strncmp(dash + 1, part, length) == 0)
			return true;
	}
	return false;
}

bool parse_offer(struct parse_guess *guess, const char *word)
{
	enum { PART = 3, LONGER, UNLIKE };
	char typed[48] = "", offered[48] = "";
	size_t rank = UNLIKE;

	if (!simplify(guess->typed, typed, sizeof(typed)) || !simplify(word, offered, sizeof(offered)))
		return false;

	size_t length = strlen(typed), whole = strlen(offered);
	size_t edits = length < 3 ? 0 : length < 6 ? 1 : 2;
	size_t distance = parse_distance(typed, offered, UNLIKE);

	if (distance <= edits)
		rank = distance;
	else if (length > 1 && strncmp(offered, typed, length) == 0)
		rank = 1;
	else if (length > 2 && has_part(offered, typed, length))
		rank = PART;
	else if (whole > 2 && strncmp(offered, typed, whole) == 0 && typed[whole] == '-')
		rank = LONGER;
	if (rank == UNLIKE || (guess->word && rank >= guess->rank))
		return false;
	guess->word = word;
	guess->rank = rank;
	return true;
}

const char *parse_advice(const char *reason)
{
	const char *colon = strstr(reason, ": ");

	return colon ? colon + 2 : NULL;
}

bool parse_nearest(const char *typed, const char *advice, char *nearest, size_t size)
{
	/* The names of signals are in lists without it. */
	struct parse_guess guess = { .typed = strncasecmp(typed, "SIG", 3) == 0 ? typed + 3 : typed };
	const char *list = strstr(advice, "one of ");
	char word[48];

	list = list ? list + strlen("one of ") : NULL;
	while (list && !parse_word(&list, ',', word, sizeof(word))) {
		if (parse_offer(&guess, word))
			snprintf(nearest, size, "%s", word);
		list += list ? strspn(list, " ") : 0;
	}
	return guess.word != NULL;
}
