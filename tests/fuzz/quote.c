/* quote: texts of others in messages are harmless, whatever their length, and words quoted for a shell are the same words to it. */
#include "common/chain.h"
#include "common/report.h"
#include "tests/fuzz/fuzz.h"

enum { WORDS = 8 };

/* Takes one word off *CURSOR as sh(1) does, of those that chain_quote() writes: plain, or in '...' with '\'' in it. */
static void read_word(const char **cursor, char *word)
{
	bool quoted = false;

	for (; **cursor && (quoted || **cursor != ' '); (*cursor)++) {
		if (**cursor == '\'')
			quoted = !quoted;
		else if (**cursor == '\\' && !quoted)
			*word++ = *++*cursor;
		else
			*word++ = **cursor;
	}
	*cursor += **cursor == ' ';
	*word = '\0';
	fuzz_check(!quoted);
}

static void check_shell(const char *text)
{
	char *vector[WORDS], quoted[512], word[512];
	char *copy = fuzz_copy(text, strlen(text)).text, *rest = copy;
	int count = 0;

	for (char *line; count < WORDS && (line = fuzz_line(&rest));)
		vector[count++] = line;
	for (size_t size = 16; size <= sizeof(quoted); size *= 2) {
		const char *cursor = quoted;

		chain_quote(vector, count, quoted, size);
		fuzz_check(strlen(quoted) < size);

		size_t length = strlen(quoted);
		bool cut = length >= 3 && strcmp(quoted + length - 3, "...") == 0;

		for (int i = 0; i < count && (!cut || strcmp(cursor, "...") != 0); i++) {
			read_word(&cursor, word);
			fuzz_check(strcmp(word, vector[i]) == 0);
		}
	}
	for (int i = 0; i < count; i++)
		free(vector[i]);
	free(copy);
}

static void check_quote(const char *text)
{
	char quoted[300], again[300];

	for (size_t size = 1; size <= sizeof(quoted); size = size * 2 + 1) {
		size_t length = report_quote(text, quoted, size);

		fuzz_check(length < size && strlen(quoted) == length);
		for (size_t i = 0; i < length; i++)
			fuzz_check((unsigned char)quoted[i] >= 0x20 && quoted[i] != 0x7f);
		/* All that is left is printable, and so stays as it is. */
		fuzz_check(report_quote(quoted, again, sizeof(again)) == length &&
			strcmp(quoted, again) == 0);
	}
}

/* The wrapped write(2) looks at it. */
static void say(void *text)
{
	warn("%s", (const char *)text);
	warn_error(ENOENT, "cannot open '%s'", (const char *)text);
	die_hint(text, 0, "'%s'", (const char *)text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_part part = fuzz_copy(size ? (const char *)data : "", size);
	char *text = fuzz_copy(part.text, strlen(part.text)).text;

	check_quote(text);
	check_shell(text);
	fuzz_check(fuzz_survive(say, text) == STATUS_FAILED);
	free(text);
	free(part.text);
	return 0;
}
