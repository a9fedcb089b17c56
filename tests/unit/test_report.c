/* report: what a terminal may get to see, and the form of messages. */
#include "common/report.h"

#include "tests/unit/tap.h"

#include <signal.h>
#include <sys/socket.h>

static const struct {
	const char *text;
	const char *quoted; /* NULL: as it is */
} quotes[] = {
	{ "", NULL },
	{ "plain text, with 'quotes' \"and\" $signs ~", NULL },
	{ "\n", "\\x0a" },
	{ "a\tb", "a\\x09b" },
	{ "\x01\x02\x1f", "\\x01\\x02\\x1f" },
	{ "\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m" },
	{ "\r\b\a", "\\x0d\\x08\\x07" },
	{ "\x7f", "\\x7f" },
	/* the first and last character of each length */
	{ "\xc2\xa0", NULL },
	{ "\xdf\xbf", NULL },
	{ "\xe0\xa0\x80", NULL },
	{ "\xed\x9f\xbf", NULL },
	{ "\xee\x80\x80", NULL },
	{ "\xef\xbf\xbf", NULL },
	{ "\xf0\x90\x80\x80", NULL },
	{ "\xf4\x8f\xbf\xbf", NULL },
	{ "gr\xc3\xbc\xc3\x9f", NULL },
	{ "\xe2\x82\xac \xf0\x9f\x98\x80", NULL },
	/* C1 controls: some terminals take U+009B for ESC [ */
	{ "\xc2\x80", "\\xc2\\x80" },
	{ "\xc2\x9b"
	  "31m",
		"\\xc2\\x9b31m" },
	{ "\xc2\x9f", "\\xc2\\x9f" },
	{ "\x9b"
	  "31m",
		"\\x9b31m" },
	/* overlong forms */
	{ "\xc0\x80", "\\xc0\\x80" },
	{ "\xc0\xaf", "\\xc0\\xaf" },
	{ "\xc1\xbf", "\\xc1\\xbf" },
	{ "\xe0\x80\x9b", "\\xe0\\x80\\x9b" },
	{ "\xe0\x9f\xbf", "\\xe0\\x9f\\xbf" },
	{ "\xf0\x80\x80\x9b", "\\xf0\\x80\\x80\\x9b" },
	{ "\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf" },
	/* surrogates, beyond the last character, bytes that never occur */
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
	{ "\xed\xbf\xbf", "\\xed\\xbf\\xbf" },
	{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
	{ "\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80" },
	{ "\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80" },
	{ "\xfe\xff", "\\xfe\\xff" },
	/* characters that are cut short, and what follows them */
	{ "\x80", "\\x80" },
	{ "\xc3", "\\xc3" },
	{ "\xc3z", "\\xc3z" },
	{ "\xe2\x82", "\\xe2\\x82" },
	{ "\xe2\x82z", "\\xe2\\x82z" },
	{ "\xf0\x9f\x98", "\\xf0\\x9f\\x98" },
	{ "\xf0\x9f\x98\n", "\\xf0\\x9f\\x98\\x0a" },
	{ "\xc3\xc3\xbc", "\\xc3\xc3\xbc" },
	{ "\xe2\xe2\x82\xac", "\\xe2\xe2\x82\xac" },
};

static void test_quote(void)
{
	for (size_t i = 0; i < TAP_ROWS(quotes); i++) {
		const char *wanted = quotes[i].quoted ? quotes[i].quoted : quotes[i].text;
		char quoted[256];
		size_t length = report_quote(quotes[i].text, quoted, sizeof(quoted));

		is_text(quoted, wanted, "quote '%s'", tap_show(quotes[i].text));
		is_number((long long)length, (long long)strlen(wanted), "its length");
	}
}

/* What does not fit is left out: whole characters and whole escapes. */
static void test_quote_truncated(void)
{
	static const struct {
		const char *text;
		size_t size;
		const char *quoted;
	} rows[] = {
		{ "abc", 1, "" },
		{ "abc", 2, "a" },
		{ "abc", 3, "ab" },
		{ "abc", 4, "abc" },
		{ "a\xc3\xbc", 3, "a" },
		{ "a\xc3\xbc", 4, "a\xc3\xbc" },
		{ "\xe2\x82\xac", 3, "" },
		{ "\xe2\x82\xac", 4, "\xe2\x82\xac" },
		{ "\xf0\x9f\x98\x80", 4, "" },
		{ "\xf0\x9f\x98\x80", 5, "\xf0\x9f\x98\x80" },
		{ "\n", 4, "" },
		{ "\n", 5, "\\x0a" },
		{ "a\nb", 5, "a" },
		{ "a\nb", 6, "a\\x0a" },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		char quoted[16];

		memset(quoted, '!', sizeof(quoted));

		size_t length = report_quote(rows[i].text, quoted, rows[i].size);

		is_text(quoted, rows[i].quoted, "'%s' in %zu bytes", tap_show(rows[i].text),
			rows[i].size);
		ok(length == strlen(rows[i].quoted) && quoted[rows[i].size] == '!',
			"its length, and nothing behind");
	}
}

static void test_quote_all_bytes(void)
{
	char text[256], quoted[4 * 256];
	bool printable = true;

	for (int i = 1; i < 256; i++)
		text[i - 1] = (char)i;
	text[255] = '\0';
	report_quote(text, quoted, sizeof(quoted));
	for (const char *c = quoted; *c; c++)
		printable = printable && *c >= 0x20 && *c < 0x7f;
	ok(printable, "bytes 1 to 255 one after the other leave nothing unprintable");
	is_number((long long)strlen(quoted), 95 + 4 * 160, "95 of them are printable");
}

enum message {
	WARN,
	WARN_ERROR,
	HINT,
	DIE,
	DIE_ERROR,
	DIE_HINT,
	DIE_HINT_ONLY,
	DIE_NO_HINT,
	DIE_PLAIN,
	UNPRINTABLE
};

static int say(const void *data)
{
	program_invocation_short_name = (char *)"link";
	errno = EXDEV;
	switch (*(const enum message *)data) {
	case WARN:
		warn("one %d '%s'", 1, "two");
		break;
	case WARN_ERROR:
		warn_error(ENOENT, "cannot open '%s'", "file");
		break;
	case HINT:
		hint("do %s", "that");
		break;
	case DIE:
		die("one %d", 1);
	case DIE_ERROR:
		die_error(EPERM, "cannot %s", "do");
	case DIE_HINT:
		die_hint("do 100%s that", EACCES, "cannot %s", "do");
	case DIE_HINT_ONLY:
		die_hint("do that", 0, "cannot %s", "do");
	case DIE_NO_HINT:
		die_hint(NULL, EACCES, "cannot %s", "do");
	case DIE_PLAIN:
		die_hint(NULL, 0, "%s", "%s%n");
	case UNPRINTABLE:
		warn("'%s'", "\x1b]0;title\a\n\xc3\xbc");
	}
	return errno == EXDEV ? 42 : 43;
}

static void test_messages(void)
{
	static const struct {
		enum message message;
		int status;
		const char *text;
	} rows[] = {
		{ WARN, 42, "link: one 1 'two'\n" },
		{ WARN_ERROR, 42, "link: cannot open 'file': No such file or directory\n" },
		{ HINT, 42, "link: hint: do that\n" },
		{ DIE, STATUS_FAILED, "link: one 1\n" },
		{ DIE_ERROR, STATUS_FAILED, "link: cannot do: Operation not permitted\n" },
		{ DIE_HINT, STATUS_FAILED,
			"link: cannot do: Permission denied\nlink: hint: do 100%s that\n" },
		{ DIE_HINT_ONLY, STATUS_FAILED, "link: cannot do\nlink: hint: do that\n" },
		{ DIE_NO_HINT, STATUS_FAILED, "link: cannot do: Permission denied\n" },
		{ DIE_PLAIN, STATUS_FAILED, "link: %s%n\n" },
		{ UNPRINTABLE, 42, "link: '\\x1b]0;title\\x07\\x0a\xc3\xbc'\n" },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		struct outcome outcome = run(say, &rows[i].message);

		is_exit(&outcome, rows[i].status, "exit status after '%s'", tap_show(rows[i].text));
		is_text(outcome.err, rows[i].text, "the message");
		is_text(outcome.out, "", "nothing goes to standard output");
	}
	is_number(STATUS_FAILED, 125, "STATUS_FAILED");
	is_number(STATUS_NOT_EXECUTABLE, 126, "STATUS_NOT_EXECUTABLE");
	is_number(STATUS_NOT_FOUND, 127, "STATUS_NOT_FOUND");
}

/* Says DATA, too long for a line, with standard error a socket that keeps writes apart. */
static int say_long(const void *data)
{
	const char *text = data;

	program_invocation_short_name = (char *)"link";
	warn("'%s'", text);
	warn_error(ENOENT, "'%s'", text);
	hint("'%s'", text);
	die_hint(text, EACCES, "'%s'", text);
}

/* Takes one message off SOCKET and checks that it is one line of a size that a pipe takes as a whole. */
static void check_long(int socket, const char *name, const char *start, const char *end)
{
	static char line[1 << 18];
	ssize_t length = recv(socket, line, sizeof(line) - 1, 0);

	line[length < 0 ? 0 : length] = '\0';

	size_t last = strlen(line) - strlen(end);

	ok(length > 1000 && length <= 4096, "%s: one write of %zd bytes", name, length);
	ok(strncmp(line, start, strlen(start)) == 0, "%s: it begins as it should", name);
	is_text(length > 1000 ? line + last : NULL, end, "%s: ... and ends", name);
	ok(strchr(line, '\n') == line + length - 1, "%s: it is one line", name);
}

static void test_long(const char *name, const char *piece, const char *start)
{
	static char text[100 * 1024 + 1];
	int sockets[2];

	for (size_t used = 0; used + strlen(piece) < sizeof(text); used += strlen(piece))
		memcpy(text + used, piece, strlen(piece) + 1);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		bail_out("cannot make a socket pair");

	pid_t pid = tap_fork();

	if (pid == 0) {
		dup2(sockets[1], STDERR_FILENO);
		say_long(text);
	}
	close(sockets[1]);
	check_long(sockets[0], name, start, "\n");
	check_long(sockets[0], name, start, ": No such file or directory\n");
	check_long(sockets[0], name, "link: hint: ", "\n");
	check_long(sockets[0], name, start, ": Permission denied\n");
	check_long(sockets[0], name, "link: hint: ", "\n");
	is_number(recv(sockets[0], text, 1, 0), 0, "%s: and that was all", name);
	is_number(tap_wait(pid), STATUS_FAILED << 8, "%s: exit status", name);
	close(sockets[0]);
}

static int say_into_nothing(const void *data)
{
	int fd = data ? open("/dev/full", O_WRONLY | O_CLOEXEC) : -1;

	close(STDERR_FILENO);
	if (fd >= 0)
		dup2(fd, STDERR_FILENO);
	warn("one");
	die_hint("two", EPERM, "three");
}

static void test_nobody_listens(void)
{
	struct outcome outcome = run(say_into_nothing, NULL);

	is_exit(&outcome, STATUS_FAILED, "standard error closed: the exit status stays");
	outcome = run(say_into_nothing, "full");
	is_exit(&outcome, STATUS_FAILED, "standard error full: the exit status stays");
}

int main(void)
{
	test_quote();
	test_quote_truncated();
	test_quote_all_bytes();
	test_messages();
	test_long("100 kB", "0123456789", "link: '0123456789");
	test_long("100 kB of escapes", "\x1b", "link: '\\x1b\\x1b");
	test_long("100 kB of UTF-8", "\xe2\x82\xac", "link: '\xe2\x82\xac");
	test_nobody_listens();
	return tap_end();
}
