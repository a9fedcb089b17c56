/*
 * cli - one option table for each link: parsing and --help come from it.
 *
 * getopt_long(3) does the parsing. It stops at the first operand, so that nothing of COMMAND is read. Stricter than getopt: a
 * shortened long option is refused (adding an option must not change what an old command line means), and so is an option with a
 * value given twice, unless the table says that it repeats, and an empty value where it may be left out.
 */
#pragma once

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * One row. A row without NAME is a heading of --help; with the id CLI_TRIES, each option below it is there as --try-NAME as well. The table ends with
 * a row that is all zero. Where all that an option does is to be remembered, its row says where, and cli_next() does not return it.
 */
struct cli_option {
	/* The letter of the short form; a number from CLI_LONG up, or 0, for a long form only. */
	int id;
	const char *name;
	/* NULL, "WHAT", "WHAT..." (may be repeated) or "[=WHAT]" (optional, and with the long form only). */
	const char *argument;
	/* At most 50 columns a line; '\n' starts another. */
	const char *help;
	/* CLI_STORED() of a bool for an option without argument, of a const char * for one with; 0: returned by cli_next(). */
	size_t stored;
};

/* The place of MEMBER in the struct of TYPE that cli_store() was given. */
#define CLI_STORED(type, member) (offsetof(type, member) + 1)

enum { CLI_TRIES = 1, CLI_LONG = 256 };

/* What a link is; a constant. */
struct cli_program {
	const char *name;
	const char *operands; /* behind [OPTION]... on the usage line */
	const char *summary;
	const struct cli_option *options;
};

enum { CLI_OPTIONS_MAX = 96 };

/*
 * The state of one parse. VALUE is the argument of the option that cli_next() returned, NULL if it has none; TRIED tells whether it was written as
 * --try-NAME, by which the user allows to go on without it.
 */
struct cli {
	const struct cli_program *program;
	int argc;
	char **argv;
	const char *value;
	bool tried;
	const struct cli_option *current;
	const char *operand; /* the last one taken */
	void *store;
	bool seen[CLI_OPTIONS_MAX];
	struct option longs[CLI_OPTIONS_MAX];
	char shorts[2 * CLI_OPTIONS_MAX];
	char try_names[CLI_OPTIONS_MAX][32];
};

/*
 * Begins a parse, first thing in main: fills closed standard fds, and takes the program's name for messages from PROGRAM,
 * because argv[0] is the caller's to choose. Dies if there is not even an argv[0].
 */
void cli_start(struct cli *cli, const struct cli_program *program, int argc, char **argv);

/* Says which struct it is that rows store into. Before cli_next(), if the table has such rows. */
void cli_store(struct cli *cli, void *plan);

/* The id of the next option that is not stored, 0 at the end of the options. --help and --version print and exit; anything wrong dies. */
int cli_next(struct cli *cli);

/* Dies naming the current option, its value and REASON (of parse.h) unless REASON is NULL. The hint is what REASON says would be right. */
void cli_check(const struct cli *cli, const char *reason);

/* The same about WORD, a part of the value. NEAREST is what was meant by it, "" for nothing; NULL: to be guessed from what is possible. */
_Noreturn void cli_refuse(
	const struct cli *cli, const char *word, const char *reason, const char *nearest);

/* Dies with a usage message and the hint to read --help. */
_Noreturn void cli_die(const struct cli *cli, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* After the options: takes the operand that WHAT names ("a root directory"), dies if there is none or it is empty. */
const char *cli_operand(struct cli *cli, const char *what);

/* After the options and operands: the COMMAND and its arguments, dies if there is none. Never empty. */
char **cli_command(struct cli *cli);

/* Whether COMMAND was left out; for the links that have something to do without one. */
bool cli_at_end(const struct cli *cli);
