/* cli: command lines, a word each line, over a table with every kind of row. */
#include "common/cli.h"

#include "tests/fuzz/fuzz.h"

enum { WORDS = 32, SIZE = CLI_LONG };

struct plan {
	bool quiet;
	const char *name, *place;
};

static const struct cli_option options[] = {
	{ 'm', "memory", "SIZE", "memory" },
	{ 'q', "quiet", NULL, "no word", CLI_STORED(struct plan, quiet) },
	{ 0, "name", "NAME", "the name", CLI_STORED(struct plan, name) },
	{ 0, "place", "[=DIR]", "the place", CLI_STORED(struct plan, place) },
	{ CLI_TRIES, NULL, NULL, "Limits" },
	{ SIZE, "size", "SIZE...", "sizes" },
	{ 'p', "pid", "[=FILE]", "pids" },
	{ 0 },
};

static const struct cli_program program = {
	.name = "cli",
	.operands = "[--] COMMAND [ARG]...",
	.summary = "Nothing.",
	.options = options,
};

struct line {
	int argc;
	char *argv[WORDS + 2];
	struct plan plan;
};

/* TEXT is a part of a word, or NULL. */
static bool is_of_line(const struct line *line, const char *text)
{
	for (int i = 1; i < line->argc; i++) {
		const char *word = line->argv[i];

		if (!text || (text >= word && text <= word + strlen(word)))
			return true;
	}
	return false;
}

static void parse(void *data)
{
	struct line *line = data;
	struct cli cli;
	bool memory = false;

	cli_start(&cli, &program, line->argc, line->argv);
	cli_store(&cli, &line->plan);
	for (int id; (id = cli_next(&cli));) {
		fuzz_check(id == 'm' || id == SIZE || id == 'p');
		fuzz_check(!cli.tried || id != 'm');
		fuzz_check(is_of_line(line, cli.value) && (id == 'p' || cli.value));
		/* Given twice, it is an error. */
		fuzz_check(id != 'm' || !memory);
		memory |= id == 'm';
		if (cli.value && !cli.value[0])
			cli_check(&cli, "is empty");
	}
	fuzz_check(is_of_line(line, line->plan.name) && is_of_line(line, line->plan.place));

	const char *operand = cli_operand(&cli, "an operand");
	char **command = cli_command(&cli);

	fuzz_check(is_of_line(line, operand) && command > line->argv && *command &&
		!line->argv[line->argc]);
	fuzz_check(command[-1] == operand);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char name[] = "cli";
	struct fuzz_part part = fuzz_copy(size ? (const char *)data : "", size);
	char *cursor = part.text;
	struct line line = { .argc = 1, .argv = { name } };

	for (char *word; line.argc <= WORDS && (word = fuzz_line(&cursor));)
		line.argv[line.argc++] = word;
	/* The one before may have left getopt(3) in the middle of a word; with 0 it begins anew. */
	optind = 0;
	getopt(1, line.argv, "");
	fuzz_survive(parse, &line);
	for (int i = 1; i < line.argc; i++)
		free(line.argv[i]);
	free(part.text);
	return 0;
}
