/* cli: how a command line is read, and --help. Each in a process of its own, since getopt_long(3) has state and mistakes exit. */
#include "common/cli.h"

#include "common/report.h"
#include "tests/unit/tap.h"

enum { LEVEL = CLI_LONG, MAYBE };

static const struct cli_option options[] = {
	{ 0, NULL, NULL, "First things:" },
	{ 'a', "all", NULL, "all of it" },
	{ 'b', "bare", NULL, "none of it, which takes more words\nand another line" },
	{ 'm', "memory", "SIZE", "at most SIZE bytes" },
	{ 'l', "list", "NAME...", "add NAME" },
	{ 0, NULL, NULL, "Second things:" },
	{ LEVEL, "level", "N", "a long form only" },
	{ MAYBE, "maybe", "[=WHAT]", "with a value or without" },
	{ 'w', "a-name-that-takes-all-the-room", "OF-THE-COLUMN...", "so that this stands below" },
	{ 0 },
};

static const struct cli_program program = {
	.name = "link",
	.operands = "[--] COMMAND [ARG]...",
	.summary = "Do one thing and run COMMAND.",
	.options = options,
};

enum { WORDS_MAX = 10 };

/* A command line, and what its options and the rest of it are, written down; or how it ends. */
struct line {
	const char *words[WORDS_MAX];
	const char *read;  /* "a m=1 | COMMAND ARG"; NULL: it fails */
	const char *error; /* the message of a failure */
};

static int parse_line(const void *data)
{
	const struct line *line = data;
	char *argv[WORDS_MAX + 2] = { (char *)"called-otherwise" };
	struct cli cli;
	int argc = 1;

	for (; line->words[argc - 1]; argc++)
		argv[argc] = (char *)line->words[argc - 1];
	cli_start(&cli, &program, argc, argv);
	for (int id; (id = cli_next(&cli));) {
		if (cli.current->id != id)
			return 1;
		printf("%s", cli.current->name);
		if (cli.value)
			printf("=%s", cli.value);
		putchar(' ');
	}
	putchar('|');
	for (char **word = cli_command(&cli); *word; word++)
		printf(" %s", *word);
	return 0;
}

static const struct line lines[] = {
	/* what is read */
	{ { "run" }, "| run", NULL },
	{ { "-a", "run" }, "all | run", NULL },
	{ { "--all", "run" }, "all | run", NULL },
	{ { "-ab", "run" }, "all bare | run", NULL },
	{ { "-a", "-b", "run" }, "all bare | run", NULL },
	{ { "-aab", "-a", "--all", "run" }, "all all bare all all | run", NULL },
	{ { "-m1", "run" }, "memory=1 | run", NULL },
	{ { "-m", "1", "run" }, "memory=1 | run", NULL },
	{ { "-m=1", "run" }, "memory==1 | run", NULL },
	{ { "-abm1", "run" }, "all bare memory=1 | run", NULL },
	{ { "-abm", "1", "run" }, "all bare memory=1 | run", NULL },
	{ { "-mab", "run" }, "memory=ab | run", NULL },
	{ { "-all", "run" }, "all list=l | run", NULL },
	{ { "--memory=1", "run" }, "memory=1 | run", NULL },
	{ { "--memory", "1", "run" }, "memory=1 | run", NULL },
	{ { "--memory=", "run" }, "memory= | run", NULL },
	{ { "--memory", "", "run" }, "memory= | run", NULL },
	{ { "-m", "", "run" }, "memory= | run", NULL },
	{ { "--memory==", "run" }, "memory== | run", NULL },
	{ { "--memory=a=b", "run" }, "memory=a=b | run", NULL },
	{ { "--level=2", "run" }, "level=2 | run", NULL },
	{ { "--level", "2", "run" }, "level=2 | run", NULL },
	/* a value may look like anything */
	{ { "-m", "-a", "run" }, "memory=-a | run", NULL },
	{ { "-m", "--all", "run" }, "memory=--all | run", NULL },
	{ { "-m", "--unknown", "run" }, "memory=--unknown | run", NULL },
	{ { "--memory", "--unknown", "run" }, "memory=--unknown | run", NULL },
	{ { "--memory", "--", "run" }, "memory=-- | run", NULL },
	{ { "-m", "--", "run" }, "memory=-- | run", NULL },
	{ { "-m", "--help", "run" }, "memory=--help | run", NULL },
	/* repeated, optional */
	{ { "-l", "x", "-ly", "--list=z", "--list", "x", "run" },
		"list=x list=y list=z list=x | run", NULL },
	{ { "--maybe", "run" }, "maybe | run", NULL },
	{ { "--maybe=x", "run" }, "maybe=x | run", NULL },
	{ { "--maybe=", "run" }, NULL, "option '--maybe' takes WHAT, not ''" },
	{ { "--maybe", "-a", "run" }, "maybe all | run", NULL },
	/* a value is not that of the option before */
	{ { "-m1", "-a", "run" }, "memory=1 all | run", NULL },
	{ { "--maybe=x", "--all", "run" }, "maybe=x all | run", NULL },
	/* the first operand is the end */
	{ { "run", "-a" }, "| run -a", NULL },
	{ { "-a", "run", "-b", "--unknown", "--help" }, "all | run -b --unknown --help", NULL },
	{ { "-a", "--", "run", "-b" }, "all | run -b", NULL },
	{ { "--", "-a" }, "| -a", NULL },
	{ { "--", "--help" }, "| --help", NULL },
	{ { "--", "--", "run" }, "| -- run", NULL },
	{ { "run", "--", "-a" }, "| run -- -a", NULL },
	{ { "-", "-a" }, "| - -a", NULL },
	{ { "", "-a" }, "|  -a", NULL },
	/* no COMMAND */
	{ { NULL }, NULL, "missing COMMAND" },
	{ { "-a" }, NULL, "missing COMMAND" },
	{ { "--" }, NULL, "missing COMMAND" },
	{ { "-m", "run" }, NULL, "missing COMMAND" },
	/* missing values */
	{ { "-m" }, NULL, "option '--memory' needs a value: SIZE" },
	{ { "-am" }, NULL, "option '--memory' needs a value: SIZE" },
	{ { "--memory" }, NULL, "option '--memory' needs a value: SIZE" },
	{ { "--level" }, NULL, "option '--level' needs a value: N" },
	{ { "-l" }, NULL, "option '--list' needs a value: NAME" },
	/* values where none is taken */
	{ { "--all=1", "run" }, NULL, "option '--all' takes no value, not '1'" },
	{ { "--all=", "run" }, NULL, "option '--all' takes no value, not ''" },
	{ { "--help=1" }, NULL, "option '--help' takes no value, not '1'" },
	/* unknown */
	{ { "-x", "run" }, NULL, "unknown option '-x'" },
	{ { "-ax", "run" }, NULL, "unknown option '-x'" },
	{ { "-?", "run" }, NULL, "unknown option '-?'" },
	{ { "-:", "run" }, NULL, "unknown option '-:'" },
	{ { "-+", "run" }, NULL, "unknown option '-+'" },
	{ { "-\xc3\xbc", "run" }, NULL, "unknown option '-\\xc3'" },
	{ { "-\n", "run" }, NULL, "unknown option '-\\x0a'" },
	{ { "-a-", "run" }, NULL, "unknown option '--'" },
	{ { "--unknown", "run" }, NULL, "unknown option '--unknown'" },
	{ { "--unknown=x", "run" }, NULL, "unknown option '--unknown'" },
	{ { "-a", "--unknown", "run" }, NULL, "unknown option '--unknown'" },
	{ { "--=x", "run" }, NULL, "unknown option '--'" },
	{ { "---", "run" }, NULL, "unknown option '---'" },
	{ { "---all", "run" }, NULL, "unknown option '---all'" },
	{ { "--All", "run" }, NULL, "unknown option '--All'" },
	{ { "--\x1b[31m", "run" }, NULL, "unknown option '--\\x1b[31m'" },
	/* shortened */
	{ { "--mem=1", "run" }, NULL, "unknown option '--mem'" },
	{ { "--memor", "1", "run" }, NULL, "unknown option '--memor'" },
	{ { "--al", "run" }, NULL, "unknown option '--al'" },
	{ { "--m", "1", "run" }, NULL, "unknown option '--m'" },
	{ { "--hel" }, NULL, "unknown option '--hel'" },
	{ { "--vers" }, NULL, "unknown option '--vers'" },
	/* twice */
	{ { "-m1", "-m1", "run" }, NULL, "option '--memory' is given twice" },
	{ { "-m1", "--memory=2", "run" }, NULL, "option '--memory' is given twice" },
	{ { "--level=1", "--level=2", "run" }, NULL, "option '--level' is given twice" },
	{ { "--maybe=1", "--maybe=2", "run" }, NULL, "option '--maybe' is given twice" },
};

static void test_lines(void)
{
	for (size_t i = 0; i < TAP_ROWS(lines); i++) {
		struct outcome outcome = run(parse_line, &lines[i]);
		char shown[256] = "link";
		size_t used = strlen(shown);

		for (size_t j = 0; lines[i].words[j]; j++)
			used += (size_t)snprintf(shown + used, sizeof(shown) - used, " %s",
				tap_show(lines[i].words[j]));
		is_exit(&outcome, lines[i].read ? 0 : STATUS_FAILED, "%s", shown);
		if (lines[i].read) {
			is_text(outcome.out, lines[i].read, "... is read so");
			is_text(outcome.err, "", "... without a message");
		} else {
			has_text(outcome.err, lines[i].error, "... %s", tap_show(lines[i].error));
			ok(strncmp(outcome.err, "link: ", 6) == 0 &&
					strstr(outcome.err, "\nlink: hint: ") != NULL,
				"... in the name of the link, with a hint");
		}
	}
}

static void test_nearest(void)
{
	static const struct {
		const char *word;
		const char *hint;
	} rows[] = {
		{ "--mem", "did you mean '--memory'?" },
		{ "--memry", "did you mean '--memory'?" },
		{ "--memoyr", "did you mean '--memory'?" },
		{ "--levle", "did you mean '--level'?" },
		{ "--hlep", "did you mean '--help'?" },
		{ "--verson", "did you mean '--version'?" },
		{ "--al", "did you mean '--all'?" },
		{ "--Memory", "did you mean '--memory'?\n" },
		{ "--memory-limit", "did you mean '--memory'?\n" },
		{ "--cap-drop", "here that is 'capjail --drop'\n" },
		{ "--cap-drops", "try 'link --help'" },
		{ "--something-else", "try 'link --help'" },
		{ "--a-name-that-takes-all-the-room-and-then-some-more-of-the-column-and-of-the-line",
			"try 'link --help'" },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		struct line line = { .words = { rows[i].word, "run" } };
		struct outcome outcome = run(parse_line, &line);

		is_exit(&outcome, STATUS_FAILED, "%s is refused", rows[i].word);
		has_text(outcome.err, rows[i].hint, "... with the hint %s", rows[i].hint);
	}
}

/* --- options that may be tried --- */

static const struct cli_option tried_options[] = {
	{ 'a', "above", "N", "before all headings" },
	{ CLI_TRIES, NULL, NULL, "Limits:" },
	{ 'm', "memory", "SIZE", "a limit" },
	{ LEVEL, "swap", "SIZE", "another" },
	{ LEVEL, "group", NULL, "one without a value" },
	{ LEVEL, "io", "RATE...", "one that repeats" },
	{ 0, NULL, NULL, "Others:" },
	{ LEVEL, "name", "NAME", "no limit" },
	{ LEVEL, "try-this", NULL, "named like one" },
	{ CLI_TRIES, NULL, NULL, "More limits:" },
	{ 'p', "pids", "N", "a limit" },
	{ 0 },
};

static const struct cli_program tried_program = {
	.name = "link",
	.operands = "",
	.summary = "",
	.options = tried_options,
};

static int parse_tried(const void *data)
{
	const struct line *line = data;
	char *argv[WORDS_MAX + 2] = { (char *)"link" };
	struct cli cli;
	int argc = 1;

	for (; line->words[argc - 1]; argc++)
		argv[argc] = (char *)line->words[argc - 1];
	cli_start(&cli, &tried_program, argc, argv);
	for (int id; (id = cli_next(&cli));) {
		if (cli.current->id != id)
			return 1;
		printf("%s%s", cli.tried ? "?" : "", cli.current->name);
		if (cli.value)
			printf("=%s", cli.value);
		putchar(' ');
		if (cli.value && strcmp(cli.value, "bad") == 0)
			cli_check(&cli, "is not good");
		if (!cli.value && cli_at_end(&cli))
			cli_check(&cli, "is the last");
	}
	putchar('|');
	return 0;
}

static const struct line tried_lines[] = {
	{ { "--memory=1", "x" }, "memory=1 |", NULL },
	{ { "-m1", "x" }, "memory=1 |", NULL },
	{ { "--try-memory=1", "x" }, "?memory=1 |", NULL },
	{ { "--try-memory", "1", "x" }, "?memory=1 |", NULL },
	{ { "--try-memory", "--swap", "x" }, "?memory=--swap |", NULL },
	{ { "--try-memory=1", "--swap=2", "x" }, "?memory=1 swap=2 |", NULL },
	{ { "--memory=1", "--try-swap=2", "--name=n", "x" }, "memory=1 ?swap=2 name=n |", NULL },
	{ { "--try-group", "--group", "--try-group", "x" }, "?group group ?group |", NULL },
	{ { "--io=1", "--try-io=2", "--io=3", "x" }, "io=1 ?io=2 io=3 |", NULL },
	{ { "--try-pids=1", "x" }, "?pids=1 |", NULL },
	{ { "--try-this", "x" }, "try-this |", NULL },
	{ { "--try-memory=", "x" }, "?memory= |", NULL },
	{ { "x", "--try-memory=1" }, "|", NULL },
	{ { "--", "--try-memory=1" }, "|", NULL },
	/* given twice, by whichever name */
	{ { "--try-memory=1", "--try-memory=1" }, NULL, "option '--memory' is given twice" },
	{ { "--memory=1", "--try-memory=2" }, NULL, "option '--memory' is given twice" },
	{ { "--try-memory=1", "--memory=2" }, NULL, "option '--memory' is given twice" },
	{ { "--try-memory=1", "-m2" }, NULL, "option '--memory' is given twice" },
	/* not below such a heading */
	{ { "--try-above=1" }, NULL, "unknown option '--try-above'" },
	{ { "--try-name=1" }, NULL, "unknown option '--try-name'" },
	{ { "--try-try-this" }, NULL, "unknown option '--try-try-this'" },
	{ { "--try-try-memory=1" }, NULL, "unknown option '--try-try-memory'" },
	{ { "--try-help" }, NULL, "unknown option '--try-help'" },
	{ { "--try-version" }, NULL, "unknown option '--try-version'" },
	{ { "--try-m=1" }, NULL, "unknown option '--try-m'" },
	{ { "--try-" }, NULL, "unknown option '--try-'" },
	{ { "--try" }, NULL, "unknown option '--try'" },
	{ { "--try-mem=1" }, NULL, "unknown option '--try-mem'" },
	{ { "--Try-memory=1" }, NULL, "unknown option '--Try-memory'" },
	{ { "--trymemory=1" }, NULL, "unknown option '--trymemory'" },
	/* values */
	{ { "--try-memory" }, NULL, "option '--memory' needs a value: SIZE" },
	{ { "--try-group=1" }, NULL, "option '--group' takes no value, not '1'" },
	/* as the user has written it */
	{ { "--try-memory=bad", "x" }, NULL, "link: --try-memory: 'bad' is not good\n" },
	{ { "--memory=bad", "x" }, NULL, "link: --memory: 'bad' is not good\n" },
	{ { "--try-swap=1", "--memory=bad", "x" }, NULL, "link: --memory: 'bad' is not good\n" },
	{ { "--try-group" }, NULL, "link: --try-group is the last\n" },
	{ { "--group" }, NULL, "link: --group is the last\n" },
};

static void test_tried(void)
{
	static const struct {
		const char *word;
		const char *hint;
	} nearest[] = {
		{ "--try-memry=1", "did you mean '--try-memory'?" },
		{ "--try-mem=1", "did you mean '--try-memory'?" },
		{ "--try-swpa=1", "did you mean '--try-swap'?" },
		{ "--tri-swap=1", "did you mean '--try-swap'?" },
		{ "--try-thsi", "did you mean '--try-this'?" },
		{ "--memoyr=1", "did you mean '--memory'?" },
		{ "--try-name=1", "hint: " },
	};

	for (size_t i = 0; i < TAP_ROWS(tried_lines); i++) {
		const struct line *line = &tried_lines[i];
		struct outcome outcome = run(parse_tried, line);

		is_exit(&outcome, line->read ? 0 : STATUS_FAILED, "link %s %s", line->words[0],
			line->words[1] ? line->words[1] : "");
		if (line->read)
			is_text(outcome.out, line->read, "... is read so");
		else
			has_text(outcome.err, line->error, "... %s", tap_show(line->error));
	}
	for (size_t i = 0; i < TAP_ROWS(nearest); i++) {
		struct line line = { .words = { nearest[i].word } };
		struct outcome outcome = run(parse_tried, &line);

		is_exit(&outcome, STATUS_FAILED, "%s is refused", nearest[i].word);
		has_text(outcome.err, nearest[i].hint, "... with the hint %s", nearest[i].hint);
	}

	struct line line = { .words = { "--help" } };
	struct outcome outcome = run(parse_tried, &line);

	ok(!strstr(outcome.out, "--try-memory") && strstr(outcome.out, "\nLimits:\n"),
		"--help has each option once");
}

static int parse_nothing(const void *data)
{
	char *argv[] = { NULL };
	struct cli cli;

	(void)data;
	cli_start(&cli, &program, 0, argv);
	return 0;
}

static void test_no_words(void)
{
	struct outcome outcome = run(parse_nothing, NULL);

	is_exit(&outcome, STATUS_FAILED, "no argument vector");
	is_text(outcome.err, "link: called without an argument vector\n", "... is said");
}

/* The widest line of TEXT. */
static size_t widest(const char *text)
{
	size_t most = 0;

	while (*text) {
		size_t length = strcspn(text, "\n");

		most = length > most ? length : most;
		text += length + (text[length] != '\0');
	}
	return most;
}

static void check_help(const char *word)
{
	struct line line = { .words = { word } };
	struct outcome outcome = run(parse_line, &line);

	is_exit(&outcome, 0, "link %s", word);
	is_text(outcome.err, "", "... says nothing on standard error");
	ok(widest(outcome.out) <= 80, "... fits 80 columns");
	has_text(outcome.out,
		"Usage: link [OPTION]... [--] COMMAND [ARG]...\nDo one thing and run COMMAND.\n\nFirst things:\n",
		"... begins with usage and summary");
	for (const struct cli_option *option = options; option->help; option++) {
		char wanted[64];

		if (option->name)
			snprintf(wanted, sizeof(wanted), "--%s", option->name);
		else
			snprintf(wanted, sizeof(wanted), "\n%s\n", option->help);
		has_text(outcome.out, wanted, "... has %s", tap_show(wanted));
	}
	has_text(outcome.out, "\n  -a, --all                   all of it\n", "... a row");
	has_text(outcome.out, "\n  -m, --memory=SIZE           at most SIZE bytes\n",
		"... one with a value");
	has_text(outcome.out, "\n  -l, --list=NAME...          add NAME\n", "... one that repeats");
	has_text(outcome.out, "\n      --level=N               a long form only\n",
		"... one without a letter");
	has_text(outcome.out, "\n      --maybe[=WHAT]          with a value or without\n",
		"... an optional value");
	has_text(outcome.out, "\n                              and another line\n",
		"... a second line");
	has_text(outcome.out, "=OF-THE-COLUMN...\n                              so that this",
		"... a name that is too wide");
	has_text(outcome.out, "\n  -h, --help ", "... --help");
	has_text(outcome.out, "\n  -V, --version ", "... --version");
	has_text(outcome.out, "125", "... the exit status");
}

static void test_version(void)
{
	static const char *const words[] = { "-V", "--version" };

	for (size_t i = 0; i < TAP_ROWS(words); i++) {
		struct line line = { .words = { words[i], "--unknown" } };
		struct outcome outcome = run(parse_line, &line);

		is_exit(&outcome, 0, "link %s", words[i]);
		is_text(outcome.out, "link (nschain) " NSCHAIN_VERSION "\n", "... is one line");
	}
}

/* The row of "link WORD" with standard output closed, or full. */
struct unwritable {
	const char *word;
	bool full;
};

static int write_nowhere(const void *data)
{
	const struct unwritable *unwritable = data;
	struct line line = { .words = { unwritable->word } };
	int fd = unwritable->full ? open("/dev/full", O_WRONLY | O_CLOEXEC) : -1;

	close(STDOUT_FILENO);
	if (fd >= 0)
		dup2(fd, STDOUT_FILENO);
	return parse_line(&line);
}

static void test_unwritable(void)
{
	static const char *const words[] = { "--help", "-h", "--version", "-V" };

	for (size_t i = 0; i < 2 * TAP_ROWS(words); i++) {
		struct unwritable unwritable = { .word = words[i / 2], .full = i % 2 };
		struct outcome outcome = run(write_nowhere, &unwritable);

		is_exit(&outcome, STATUS_FAILED, "link %s with standard output %s", unwritable.word,
			unwritable.full ? "full" : "closed");
		has_text(outcome.err, "link: cannot write to standard output: ", "... is an error");
	}
}

static int check_value(const void *data)
{
	char word[] = "-m1\n", run_word[] = "run", name[] = "link";
	char *argv[] = { name, word, run_word, NULL };
	struct cli cli;

	cli_start(&cli, &program, 3, argv);
	if (cli_next(&cli) != 'm')
		return 1;
	cli_check(&cli, NULL);
	cli_check(&cli, data);
	return 0;
}

static int take_operands(const void *data)
{
	char name[] = "link", all[] = "-a", one[] = "one", two[] = "-two";
	char *argv[] = { name, all, one, two, NULL };
	struct cli cli;

	cli_start(&cli, &program, data ? 2 : 4, argv);
	while (cli_next(&cli))
		continue;
	printf("%d ", cli_at_end(&cli));
	printf("%s ", cli_operand(&cli, "a root directory"));
	printf("%d ", cli_at_end(&cli));
	printf("%s ", cli_operand(&cli, "another"));
	printf("%d", cli_at_end(&cli));
	cli_command(&cli);
	return 0;
}

static void test_checks(void)
{
	struct outcome outcome = run(check_value, NULL);

	is_exit(&outcome, 0, "cli_check without a reason");
	outcome = run(check_value, "is not a size");
	is_exit(&outcome, STATUS_FAILED, "cli_check with one");
	is_text(outcome.err, "link: --memory: '1\\x0a' is not a size\nlink: hint: try 'link --help'\n",
		"... names option and value");

	outcome = run(check_value, "is no size: one of max, 64M");
	is_text(outcome.err, "link: --memory: '1\\x0a' is no size\nlink: hint: one of max, 64M\n",
		"what would be right is a hint of its own");

	outcome = run(take_operands, NULL);
	is_exit(&outcome, STATUS_FAILED, "two operands, no COMMAND");
	is_text(outcome.out, "0 one 0 -two 1", "... the operands");
	has_text(outcome.err,
		"link: missing COMMAND behind '-two': the program to run\nlink: hint: usage: 'link ",
		"... the message");
	outcome = run(take_operands, "none");
	is_exit(&outcome, STATUS_FAILED, "no operand");
	has_text(outcome.err, "link: missing operand: a root directory\n", "... is named");
}

/* A table with more rows than there is room for is refused, whatever the rows are. */
static int start_crowded(const void *data)
{
	static struct cli_option many[2 * CLI_OPTIONS_MAX];
	static char names[2 * CLI_OPTIONS_MAX][16];
	static struct cli_program crowded = {
		.name = "link", .operands = "", .summary = "", .options = many
	};
	char name[] = "link", last[16];
	char *argv[] = { name, last, name, NULL };
	int headings = *(const int *)data;
	int rows = CLI_OPTIONS_MAX - 4 + headings;
	struct cli cli;

	for (int i = 0; i < rows; i++) {
		snprintf(names[i], sizeof(names[i]), "o%d", i);
		many[i] = (struct cli_option){ CLI_LONG + i, i < headings ? NULL : names[i], NULL,
			"help" };
	}
	/* With --try-NAME there are twice as many. */
	if (headings == 4)
		many[0].id = CLI_TRIES;
	snprintf(last, sizeof(last), "--o%d", rows - 1);
	cli_start(&cli, &crowded, 3, argv);

	/* Reading an option must change nothing but what was read. */
	struct cli before = cli;

	if (cli_next(&cli) != CLI_LONG + rows - 1)
		return 1;
	for (int i = 0; i < CLI_OPTIONS_MAX; i++) {
		if (cli.longs[i].name != before.longs[i].name ||
			cli.longs[i].has_arg != before.longs[i].has_arg ||
			cli.longs[i].flag != before.longs[i].flag ||
			cli.longs[i].val != before.longs[i].val)
			return 2;
	}
	return 42;
}

static void test_crowded(void)
{
	static const int headings[] = { 0, 4, 40 };

	for (size_t i = 0; i < TAP_ROWS(headings); i++) {
		struct outcome outcome = run(start_crowded, &headings[i]);

		ok(outcome.exited == 42 || outcome.exited == STATUS_FAILED,
			"a crowded table with %d headings works or is refused", headings[i]);
	}
}

int main(void)
{
	test_lines();
	test_nearest();
	test_tried();
	test_no_words();
	check_help("--help");
	check_help("-h");
	check_help("-ah");
	test_version();
	test_unwritable();
	test_checks();
	test_crowded();
	return tap_end();
}
