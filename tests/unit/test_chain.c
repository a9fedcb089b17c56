/* chain: which file a command is, and what is said when there is none. Each in a process of its own. */
#include "common/chain.h"

#include "common/report.h"
#include "tests/unit/tap.h"

#include <limits.h>

static char base[256];

/* A COMMAND and a PATH, in both of which '@' stands for the directory of this test; it is also the current directory. */
struct command {
	const char *path; /* NULL: not in the environment */
	const char *word;
	int status;
	const char *text; /* in its output, or in the message */
};

static const char *expand(const char *text, char *into, size_t size)
{
	size_t used = 0;

	into[0] = '\0';
	for (; *text && used < size; text++) {
		if (*text == '@')
			used += (size_t)snprintf(into + used, size - used, "%s", base);
		else
			used += (size_t)snprintf(into + used, size - used, "%c", *text);
	}
	return into;
}

static int execute(const void *data)
{
	static char path[32768], word[32768];
	const struct command *command = data;
	char argument[] = "one  argument", empty[] = "";
	char *argv[] = { word, argument, empty, NULL };

	program_invocation_short_name = (char *)"link";
	expand(command->word, word, sizeof(word));
	if (chdir(base) < 0)
		return 1;
	setenv("CANARY", "sings", 1);
	unsetenv("PATH");
	if (command->path)
		setenv("PATH", expand(command->path, path, sizeof(path)), 1);
	chain_exec(argv);
}

#define NOT_FOUND "cannot run"

static const struct command commands[] = {
	/* by a path */
	{ "/nonexistent", "@/one/script", 7, "one: script [one  argument] [] 2 sings" },
	{ "/nonexistent", "./one/script", 7, "one: script" },
	{ "/nonexistent", "one/script", 7, "one: script" },
	{ NULL, "@/link", 7, "one: script" },
	{ "@/one", "./script", STATUS_NOT_FOUND,
		"link: cannot run './script': No such file or directory\n" },
	{ "@/one", "@/missing", STATUS_NOT_FOUND, "No such file or directory\n" },
	{ "@/one", "@/missing/script", STATUS_NOT_FOUND, "No such file or directory\n" },
	{ "@/one", "@/one/script/below", STATUS_NOT_FOUND, "Not a directory\n" },
	{ "@/one", "@/dangling", STATUS_NOT_FOUND, "No such file or directory\n" },
	{ "@/one", "@/one/plain", STATUS_NOT_EXECUTABLE,
		"Permission denied\nlink: hint: no permission" },
	{ "@/one", "@/one", STATUS_NOT_EXECUTABLE,
		"Permission denied\nlink: hint: no permission, a directory" },
	{ "@/one", "/", STATUS_NOT_EXECUTABLE, "Permission denied\n" },
	{ "@/one", "@/one/text", STATUS_NOT_EXECUTABLE, "Exec format error\nlink: hint: no program" },
	{ "@/one", "@/one/empty", STATUS_NOT_EXECUTABLE, "Exec format error\n" },
	{ "@/one", "@/one/orphan", STATUS_NOT_EXECUTABLE,
		"No such file or directory\nlink: hint: it is there, but the interpreter" },
	{ "@/one", "@/loop", STATUS_NOT_EXECUTABLE, "loop': " },
	{ "@/one", "@/\x1b[31m", STATUS_NOT_FOUND, "\\x1b[31m': No such file" },
	/* by a name */
	{ "@/one", "script", 7, "one: script [one  argument] [] 2 sings" },
	{ "@/one:@/two", "script", 7, "one: script" },
	{ "@/two:@/one", "script", 7, "two: script" },
	{ "/nonexistent:@/one/script:@/two", "script", 7, "two: script" },
	{ "@/one/", "script", 7, "one: script" },
	{ "@/one:@/two", "only", 7, "two: only" },
	{ "@/one", "only", STATUS_NOT_FOUND, "link: cannot run 'only': No such file or directory\n" },
	{ "@/one", "", STATUS_NOT_FOUND, "link: cannot run ''" },
	{ "", "script", STATUS_NOT_FOUND, NOT_FOUND },
	/* the current directory, by whatever name, is not searched */
	{ "@/two", "here", STATUS_NOT_FOUND, NOT_FOUND },
	{ "", "here", STATUS_NOT_FOUND, NOT_FOUND },
	{ ":", "here", STATUS_NOT_FOUND, NOT_FOUND },
	{ ":@/two", "here", STATUS_NOT_FOUND, NOT_FOUND },
	{ "@/two:", "here", STATUS_NOT_FOUND, NOT_FOUND },
	{ "@/two::@/one", "here", STATUS_NOT_FOUND, NOT_FOUND },
	{ ".", "here", STATUS_NOT_FOUND, NOT_FOUND },
	{ "./:..:one", "script", STATUS_NOT_FOUND, NOT_FOUND },
	/* what cannot be run is passed over, and told if there is nothing better */
	{ "@/one:@/two", "plain", 7, "two: plain" },
	{ "@/one:@/two", "text", 7, "two: text" },
	{ "@/one:@/two", "orphan", 7, "two: orphan" },
	{ "@/one:@/two", "sub", 7, "two: sub" },
	{ "@/one", "plain", STATUS_NOT_EXECUTABLE,
		"link: cannot run 'plain': Permission denied\nlink: hint: no permission" },
	{ "@/one", "text", STATUS_NOT_EXECUTABLE, "Exec format error\nlink: hint: no program" },
	{ "@/one", "orphan", STATUS_NOT_EXECUTABLE,
		"No such file or directory\nlink: hint: it is there" },
	{ "@/one:/nonexistent", "sub", STATUS_NOT_EXECUTABLE,
		"Permission denied\nlink: hint: no permission, a directory" },
	{ "@/three", "script", STATUS_NOT_FOUND, "No such file or directory\n" },
	{ "@/three:@/one", "script", 7, "one: script" },
	/* without PATH: the directories of the system */
	{ NULL, "true", 0, "" },
	{ NULL, "nschain-no-such-command", STATUS_NOT_FOUND, NOT_FOUND },
};

static void test_commands(void)
{
	for (size_t i = 0; i < TAP_ROWS(commands); i++) {
		const struct command *command = &commands[i];
		struct outcome outcome = run(execute, command);
		bool failed = command->status >= STATUS_FAILED;

		is_exit(&outcome, command->status, "'%s' with PATH=%s", tap_show(command->word),
			command->path ? command->path : " not set");
		has_text(failed ? outcome.err : outcome.out, command->text, "... %s",
			tap_show(command->text));
		is_text(failed ? outcome.out : outcome.err, "", "... and nothing else");
	}
}

static int execute_long(const void *data)
{
	static char path[PATH_MAX + 64];
	struct command command = { .path = path, .word = "script" };

	memset(path, 'x', PATH_MAX);
	path[0] = '/';
	snprintf(path + PATH_MAX, sizeof(path) - PATH_MAX, "%s", (const char *)data);
	return execute(&command);
}

static void test_long(void)
{
	static char name[8192];
	struct command command = { "@/one", name, STATUS_NOT_EXECUTABLE, "name too long\n" };
	struct outcome outcome = run(execute_long, ":@/one");

	is_exit(&outcome, 7, "a directory of PATH that is too long is passed over");
	outcome = run(execute_long, "");
	is_exit(&outcome, STATUS_NOT_FOUND, "... and alone it is as none");
	memset(name, 'x', 300);
	outcome = run(execute, &command);
	ok(outcome.exited >= STATUS_NOT_EXECUTABLE && strstr(outcome.err, command.text),
		"a name that is too long");
	memset(name, 'x', sizeof(name) - 1);
	outcome = run(execute, &command);
	ok(outcome.exited >= STATUS_NOT_EXECUTABLE, "... for a path");
	name[0] = '/';
	outcome = run(execute, &command);
	ok(outcome.exited >= STATUS_NOT_EXECUTABLE && strstr(outcome.err, command.text),
		"a path that is too long");
}

#define SCRIPT(name) "#!/bin/sh\necho " name " \"[$1] [$2] $# $CANARY\"; exit 7\n"

static const struct {
	const char *path;
	mode_t mode;
	const char *text; /* NULL: a directory */
} files[] = {
	{ "one", 0700, NULL },
	{ "two", 0700, NULL },
	{ "three", 0700, NULL },
	{ "one/sub", 0700, NULL },
	{ "here", 0700, SCRIPT("here") },
	{ "one/script", 0700, SCRIPT("one: script") },
	{ "two/script", 0700, SCRIPT("two: script") },
	{ "two/only", 0700, SCRIPT("two: only") },
	{ "one/plain", 0600, SCRIPT("one: plain") },
	{ "two/plain", 0700, SCRIPT("two: plain") },
	{ "one/text", 0700, "echo no interpreter\n" },
	{ "two/text", 0700, SCRIPT("two: text") },
	{ "one/empty", 0700, "" },
	{ "one/orphan", 0700, "#!/nonexistent/interpreter\n" },
	{ "two/orphan", 0700, SCRIPT("two: orphan") },
	{ "two/sub", 0700, SCRIPT("two: sub") },
};

static void make_tree(void)
{
	make_directory(base, sizeof(base));

	int directory = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < TAP_ROWS(files); i++) {
		if (files[i].text)
			make_file(directory, files[i].path, files[i].mode, files[i].text);
		else if (mkdirat(directory, files[i].path, files[i].mode) < 0)
			bail_out("cannot make the directory '%s'", files[i].path);
	}
	if (symlinkat("one/script", directory, "link") < 0 ||
		symlinkat("missing", directory, "dangling") < 0 ||
		symlinkat("loop", directory, "loop") < 0 ||
		symlinkat("missing", directory, "three/script") < 0)
		bail_out("cannot make a symlink");
	close(directory);
}

/* --- a command line as a shell reads it --- */

enum { QUOTED_MAX = 6 };

struct quoting {
	const char *words[QUOTED_MAX];
	const char *text;
};

static const struct quoting quotings[] = {
	{ { "cgrun" }, "cgrun" },
	{ { "cgrun", "-m", "100M", "--", "./a.out" }, "cgrun -m 100M -- ./a.out" },
	{ { "a", "b c" }, "a 'b c'" },
	{ { "a", "" }, "a ''" },
	{ { "", "" }, "'' ''" },
	{ { "a", "it's" }, "a 'it'\\''s'" },
	{ { "'" }, "''\\'''" },
	{ { "''''" }, "''\\'''\\'''\\'''\\'''" },
	{ { "\"" }, "'\"'" },
	{ { "$HOME", "`id`", "$(id)" }, "'$HOME' '`id`' '$(id)'" },
	{ { "a;b", "a&b", "a|b", "a>b", "a<b" }, "'a;b' 'a&b' 'a|b' 'a>b' 'a<b'" },
	{ { "*", "?", "[a]", "{a,b}", "~" }, "'*' '?' '[a]' '{a,b}' '~'" },
	{ { "~root", "#a", "!a", "(a)", "a\\b" }, "'~root' '#a' '!a' '(a)' 'a\\b'" },
	{ { "a\nb", "a\tb" }, "'a\nb' 'a\tb'" },
	{ { "A=b", "--set=io.max=8:0 rbps=1", "a,b:c@d%e+f" },
		"A=b '--set=io.max=8:0 rbps=1' a,b:c@d%e+f" },
	{ { "\xc3\xbc", "\x01" }, "'\xc3\xbc' '\x01'" },
	{ { "\\" }, "'\\'" },
	{ { "-n", "-e" }, "-n -e" },
};

static int count_of(char **vector)
{
	int count = 0;

	while (vector[count])
		count++;
	return count;
}

/* What a shell makes of TEXT: each word of it between < and >. */
static int read_by_shell(const void *data)
{
	char script[2048];

	snprintf(script, sizeof(script), "printf '<%%s>' %s", (const char *)data);
	execl("/bin/sh", "sh", "-c", script, (char *)NULL);
	return 1;
}

static void test_quote(void)
{
	for (size_t i = 0; i < TAP_ROWS(quotings); i++) {
		char *vector[QUOTED_MAX + 1] = { NULL };
		char text[512], wanted[512] = "";
		size_t used = 0;

		for (size_t j = 0; quotings[i].words[j]; j++) {
			vector[j] = (char *)quotings[i].words[j];
			used += (size_t)snprintf(
				wanted + used, sizeof(wanted) - used, "<%s>", quotings[i].words[j]);
		}
		memset(text, 'x', sizeof(text));
		chain_quote(vector, count_of(vector), text, sizeof(text));
		is_text(text, quotings[i].text, "quote %s", tap_show(quotings[i].text));

		struct outcome outcome = run(read_by_shell, text);

		is_exit(&outcome, 0, "... a shell takes it");
		is_text(outcome.out, wanted, "... as the same words");
	}
}

/* What does not fit ends in "...", and nothing is written behind the place that there is. */
static void test_quote_long(void)
{
	static char word[600] = "short", quote[600];
	char *vector[] = { word, word, quote, word, NULL };
	char text[128];

	bool whole = false;
	size_t size = 8;

	memset(quote, '\'', 20);
	for (; size < sizeof(text); size++) {
		memset(text, '!', sizeof(text));
		chain_quote(vector, 4, text, size);

		size_t length = strnlen(text, size);

		whole = length > 6 && strstr(text, "short short '") &&
			strcmp(text + length - 6, " short") == 0;
		if (length == size || text[size] != '!' ||
			!(whole || (length >= 3 && strcmp(text + length - 3, "...") == 0)))
			break;
	}
	ok(size == sizeof(text), "words that do not fit into %zu bytes: '%.*s'", size, (int)size,
		size < sizeof(text) ? text : "");
	ok(whole, "what is short is whole");
	ok(text[sizeof(text) - 1] == '!' && strnlen(text, sizeof(text)) < sizeof(text) - 1,
		"what is too long for its place ends with '...'");

	/* A word that is longer than any that is shown. */
	char *long_one[] = { word, NULL };
	static char into[2048];

	memset(word, 'w', sizeof(word) - 1);
	chain_quote(long_one, 1, into, sizeof(into));
	ok(strcmp(into, word) == 0 || strstr(into, "..."), "a long word is whole or marked");
	memset(word, '$', sizeof(word) - 1);
	chain_quote(long_one, 1, into, sizeof(into));
	ok(strlen(into) == sizeof(word) + 1 || strstr(into, "..."),
		"a long word between quotation marks is whole or marked");
	chain_quote(long_one, 0, into, sizeof(into));
	is_text(into, "", "no words");
}

int main(void)
{
	struct command probe = { NULL, "@/one/script", 7, NULL };

	test_quote();
	test_quote_long();
	make_tree();
	if (run(execute, &probe).exited == STATUS_NOT_EXECUTABLE) {
		skip("chain", "the directory for temporary files is mounted noexec");
	} else {
		test_commands();
		test_long();
	}
	remove_directory(base);
	return tap_end();
}
