#include "common/cli.h"

#include "common/explain.h"
#include "common/fd.h"
#include "common/parse.h"
#include "common/report.h"
#include "common/toolbox.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	FIRST_ROW = CLI_LONG,
	FIRST_TRY_ROW = FIRST_ROW + CLI_OPTIONS_MAX,
	FIRST_OWN_ROW = FIRST_TRY_ROW + CLI_OPTIONS_MAX,
};

static const struct cli_option own_options[] = {
	{ 'h', "help", NULL, "print this text and exit" },
	{ 'V', "version", NULL, "print the version and exit" },
	{ 0, "explain", "[=FORMAT]",
		"say what this and the links behind it would do, as\ntext or json, and do nothing" },
	{ 0 },
};

static bool takes_value(const struct cli_option *option)
{
	return option->argument && option->argument[0] != '[';
}

static bool may_repeat(const struct cli_option *option)
{
	return !option->argument || strstr(option->argument, "...");
}

static const struct cli_option *find_by_letter(const struct cli_option *options, int letter)
{
	for (; options->help; options++) {
		if (options->name && options->id == letter)
			return options;
	}
	return NULL;
}

static bool is_named(const struct cli_option *option, const char *name, size_t length)
{
	return strlen(option->name) == length && strncmp(option->name, name, length) == 0;
}

static const struct cli_option *find_by_name(
	const struct cli_option *options, const char *name, size_t length)
{
	bool trying = length > 4 && strncmp(name, "try-", 4) == 0;
	bool tries = false;

	for (; options->help; options++) {
		if (!options->name)
			tries = options->id == CLI_TRIES;
		else if (is_named(options, name, length) ||
			(trying && tries && is_named(options, name + 4, length - 4)))
			return options;
	}
	return NULL;
}

static bool has_letter(const struct cli_option *option)
{
	return option->id > 0 && option->id < CLI_LONG;
}

static void add_long(struct cli *cli, const struct cli_option *option, const char *name, int value,
	size_t *count)
{
	if (*count + 1 >= CLI_OPTIONS_MAX)
		die("the option table has more than %d names", CLI_OPTIONS_MAX - 1);
	cli->longs[(*count)++] = (struct option){
		.name = name,
		.has_arg = takes_value(option) ? required_argument :
			option->argument       ? optional_argument :
						 no_argument,
		.val = value,
	};
}

/* "try-NAME". Not by snprintf(3), as it is done for a dozen options at every start. */
static void name_try(char *ret, size_t size, const char *name)
{
	if (sizeof("try-") + strlen(name) > size)
		die("the option '--%s' has a name of more than %zu letters", name,
			size - sizeof("try-"));
	stpcpy(stpcpy(ret, "try-"), name);
}

/* A long form is to getopt_long(3) the number of its row, counted from FIRST to be out of the way of letters. */
static void add_options(
	struct cli *cli, const struct cli_option *options, int first, size_t *count, char **letter)
{
	bool tries = false;

	for (int row = 0; options[row].help; row++) {
		const struct cli_option *option = &options[row];

		if (!option->name) {
			tries = option->id == CLI_TRIES;
			continue;
		}
		if (row >= CLI_OPTIONS_MAX)
			die("the option table has more than %d rows", CLI_OPTIONS_MAX);
		add_long(cli, option, option->name, first + row, count);
		if (tries) {
			name_try(cli->try_names[row], sizeof(cli->try_names[row]), option->name);
			add_long(cli, option, cli->try_names[row], FIRST_TRY_ROW + row, count);
		}
		if (has_letter(option)) {
			*(*letter)++ = (char)option->id;
			if (takes_value(option))
				*(*letter)++ = ':';
		}
	}
}

void cli_start(struct cli *cli, const struct cli_program *program, int argc, char **argv)
{
	size_t count = 0;
	char *letter = cli->shorts;

	*cli = (struct cli){ .program = program, .argc = argc, .argv = argv };
	program_invocation_short_name = (char *)program->name;
	fd_fill_standard();
	toolbox_adopt();
	if (argc < 1)
		die("called without an argument vector");

	/* "+": stop at the first operand. ":": leave the messages to us. */
	*letter++ = '+';
	*letter++ = ':';
	add_options(cli, program->options, FIRST_ROW, &count, &letter);
	add_options(cli, own_options, FIRST_OWN_ROW, &count, &letter);
	*letter = '\0';
	opterr = 0;
	optind = 1;
}

/* The left column of a row: "  -m, --memory=SIZE". Returns its width. */
static int print_names(const struct cli_option *option)
{
	const char *argument = option->argument;
	int width = has_letter(option) ? printf("  -%c, ", option->id) : printf("      ");

	width += printf("--%s", option->name);
	if (!argument)
		return width;
	/* An optional one comes with its '='. */
	return width + printf("%s%s", takes_value(option) ? "=" : "", argument);
}

static void print_rows(const struct cli_option *options)
{
	enum { HELP_COLUMN = 30 };

	for (; options->help; options++) {
		if (!options->name) {
			printf("\n%s\n", options->help);
			continue;
		}

		int width = print_names(options);
		const char *line = options->help;

		if (width > HELP_COLUMN - 2) {
			putchar('\n');
			width = 0;
		}
		while (line) {
			size_t length = strcspn(line, "\n");

			printf("%*s%.*s\n", HELP_COLUMN - width, "", (int)length, line);
			line = line[length] ? line + length + 1 : NULL;
			width = 0;
		}
	}
}

static _Noreturn void finish_output(void)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		die_error(errno, "cannot write to standard output");
	exit(EXIT_SUCCESS);
}

static _Noreturn void print_help(const struct cli_program *program)
{
	printf("Usage: %s [OPTION]... %s\n%s\n", program->name, program->operands, program->summary);
	if (program->options->name)
		putchar('\n');
	print_rows(program->options);
	putchar('\n');
	print_rows(own_options);
	printf("\nExit status: 125 %s itself failed, 126 COMMAND cannot be run, 127 it was\n"
	       "not found, otherwise that of COMMAND.\n",
		program->name);
	finish_output();
}

static _Noreturn void print_version(const struct cli_program *program)
{
	printf("%s (nschain) %s\n", program->name, NSCHAIN_VERSION);
	finish_output();
}

/* Ends with that hint; NULL: to read --help. */
static _Noreturn void cli_exit(const struct cli *cli, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static _Noreturn void cli_exit(const struct cli *cli, const char *format, ...)
{
	char text[512];
	va_list values;

	snprintf(text, sizeof(text), "try '%s --help'", cli->program->name);
	va_start(values, format);
	if (format)
		vsnprintf(text, sizeof(text), format, values);
	va_end(values);
	hint("%s", text);
	exit(STATUS_FAILED);
}

/* What other programs call an option that a link has by another name, or that another link has. */
static const struct {
	const char *name, *here;
} elsewhere[] = {
	{ "ambient-caps", "'capjail --ambient'" },
	{ "bind", "'rootjail --bind', or 'nsmount --options=bind'" },
	{ "bounding-set", "'capjail --bounding'" },
	{ "cap-add", "'capjail --keep'" },
	{ "cap-drop", "'capjail --drop'" },
	{ "chdir", "'rootjail --workdir'" },
	{ "cpu-quota", "'cgrun --cpus'" },
	{ "cpus", "'cgrun --cpus'" },
	{ "cpuset-mems", "'cgrun --mems'" },
	{ "die-with-parent", "'nsnew --kill-child', the default" },
	{ "drop", "'capjail --drop'" },
	{ "hostname", "'nsnew --hostname'" },
	{ "inh-caps", "'capjail --inheritable'" },
	{ "memory", "'cgrun --memory'" },
	{ "memory-max", "'cgrun --memory'" },
	{ "memory-swap", "'cgrun --swap'" },
	{ "no-new-privs", "what capjail does without being asked" },
	{ "pid", "'nsnew --pid'" },
	{ "preset", "'capjail --preset'" },
	{ "read-only", "'rootjail --read-only'" },
	{ "reuid", "'capjail --user'" },
	{ "ro-bind", "'rootjail --bind=SRC:DST:ro'" },
	{ "target", "'nsjoin --target'" },
	{ "unshare-all", "'nsnew --all --user'" },
	{ "volume", "'rootjail --bind=SRC:DST'" },
};

static _Noreturn void unknown_option(const struct cli *cli, const char *typed, size_t length)
{
	char word[64];
	struct parse_guess guess = { .typed = word };

	snprintf(word, sizeof(word), "%.*s", (int)length, typed);
	for (const struct option *option = cli->longs; option->name; option++)
		parse_offer(&guess, option->name);
	warn("unknown option '--%s'", word);
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++) {
		if (strcmp(word, elsewhere[i].name) == 0)
			cli_exit(cli, "here that is %s", elsewhere[i].here);
	}
	if (!guess.word)
		cli_exit(cli, NULL);
	cli_exit(cli, "did you mean '--%s'?%s", guess.word,
		strncmp(guess.word, word, length) == 0 ? " options may not be shortened" : "");
}

/* Long options are checked before getopt sees them: by their whole name, and that no value is given where none is taken. */
static void check_long_option(const struct cli *cli, const char *text)
{
	size_t length = strcspn(text, "=");
	const struct cli_option *option = find_by_name(cli->program->options, text, length);

	if (!option)
		option = find_by_name(own_options, text, length);
	if (!option)
		unknown_option(cli, text, length);
	if (text[length] && !option->argument)
		cli_die(cli, "option '--%s' takes no value, not '%s'", option->name,
			text + length + 1);
}

/* "WHAT" of "WHAT..." or "[=WHAT]". */
static void name_value(const struct cli_option *option, char *text, size_t size)
{
	bool optional = !takes_value(option);
	const char *name = option->argument + (optional ? strlen("[=") : 0);
	size_t length = optional ? strlen(name) - 1 : strcspn(name, ".");

	snprintf(text, size, "%.*s", (int)length, name);
}

static void check_value(const struct cli *cli, bool missing)
{
	char name[64];

	if (!missing && (takes_value(cli->current) || !cli->value || cli->value[0]))
		return;
	name_value(cli->current, name, sizeof(name));
	if (missing)
		cli_die(cli, "option '--%s' needs a value: %s", cli->current->name, name);
	/* Most often a variable of a script that is not set; it is not the same as no value. */
	cli_die(cli, "option '--%s' takes %s, not ''", cli->current->name, name);
}

static void check_repetition(struct cli *cli)
{
	bool *seen = &cli->seen[cli->current - cli->program->options];

	if (*seen && !may_repeat(cli->current))
		cli_die(cli, "option '--%s' is given twice", cli->current->name);
	*seen = cli->value != NULL;
}

void cli_store(struct cli *cli, void *plan)
{
	cli->store = plan;
}

/* The row of what getopt_long(3) returned; NULL for none. */
static const struct cli_option *find_row(const struct cli *cli, int value)
{
	const struct cli_option *option;

	if (value >= FIRST_OWN_ROW)
		return &own_options[value - FIRST_OWN_ROW];
	if (value >= FIRST_TRY_ROW)
		return &cli->program->options[value - FIRST_TRY_ROW];
	if (value >= FIRST_ROW)
		return &cli->program->options[value - FIRST_ROW];
	option = find_by_letter(cli->program->options, value);
	return option ? option : find_by_letter(own_options, value);
}

static bool is_own(const struct cli_option *option)
{
	return option >= own_options &&
		option < own_options + sizeof(own_options) / sizeof(*own_options);
}

static void remember(const struct cli *cli)
{
	void *place = (char *)cli->store + cli->current->stored - 1;

	if (cli->current->argument)
		*(const char **)place = cli->value;
	else
		*(bool *)place = true;
}

/* Takes one option. False at their end. */
static bool take_option(struct cli *cli)
{
	const char *word = optind < cli->argc ? cli->argv[optind] : "";

	if (strncmp(word, "--", 2) == 0 && word[2])
		check_long_option(cli, word + 2);

	int value = getopt_long(cli->argc, cli->argv, cli->shorts, cli->longs, NULL);

	if (value == -1)
		return false;
	if (value == '?' && word[0] && word[1] && word[2])
		cli_die(cli, "unknown option '-%c' in '%s'", optopt, word);
	if (value == '?')
		cli_die(cli, "unknown option '-%c'", optopt);
	int name = value == ':' ? optopt : value;

	cli->current = find_row(cli, name);
	cli->tried = name >= FIRST_TRY_ROW && name < FIRST_OWN_ROW;
	if (!cli->current)
		cli_die(cli, "option %d is not in the table", value);
	cli->value = optarg;
	if (cli->current->argument)
		check_value(cli, value == ':');
	if (cli->current == &own_options[0])
		print_help(cli->program);
	if (cli->current == &own_options[1])
		print_version(cli->program);
	if (!is_own(cli->current))
		check_repetition(cli);
	return true;
}

int cli_next(struct cli *cli)
{
	while (take_option(cli)) {
		if (is_own(cli->current))
			cli_check(cli, explain_begin(cli->value));
		else if (!cli->current->stored)
			return cli->current->id;
		else
			remember(cli);
	}
	return 0;
}

void cli_check(const struct cli *cli, const char *reason)
{
	if (reason)
		cli_refuse(cli, cli->value, reason, NULL);
}

void cli_refuse(const struct cli *cli, const char *word, const char *reason, const char *nearest)
{
	const char *prefix = cli->tried ? "try-" : "";
	const char *advice = parse_advice(reason);
	int length = advice ? (int)(advice - reason) - (int)strlen(": ") : (int)strlen(reason);
	char meant[64] = "";

	if (nearest)
		snprintf(meant, sizeof(meant), "%s", nearest);
	else if (word && advice)
		parse_nearest(word, advice, meant, sizeof(meant));
	if (word)
		warn("--%s%s: '%s' %.*s", prefix, cli->current->name, word, length, reason);
	else
		warn("--%s%s %.*s", prefix, cli->current->name, length, reason);
	if (meant[0])
		cli_exit(cli, "did you mean '%s'?", meant);
	if (advice)
		cli_exit(cli, "%s", advice);
	cli_exit(cli, NULL);
}

void cli_die(const struct cli *cli, const char *format, ...)
{
	char text[1024];
	va_list values;

	va_start(values, format);
	vsnprintf(text, sizeof(text), format, values);
	va_end(values);
	warn("%s", text);
	cli_exit(cli, NULL);
}

const char *cli_operand(struct cli *cli, const char *what)
{
	if (cli_at_end(cli)) {
		warn("missing operand: %s", what);
		cli_exit(cli, "usage: '%s [OPTION]... %s'", cli->program->name,
			cli->program->operands);
	}
	cli->operand = cli->argv[optind++];
	if (!cli->operand[0])
		cli_die(cli, "an operand is empty: %s", what);
	return cli->operand;
}

char **cli_command(struct cli *cli)
{
	if (cli_at_end(cli) && cli->operand) {
		warn("missing COMMAND behind '%s': the program to run", cli->operand);
		cli_exit(cli, "usage: '%s [OPTION]... %s'", cli->program->name,
			cli->program->operands);
	}
	if (cli_at_end(cli))
		cli_die(cli, "missing COMMAND: the program to run");
	return &cli->argv[optind];
}

bool cli_at_end(const struct cli *cli)
{
	return optind >= cli->argc;
}
