#include "common/explain.h"

#include "common/parse.h"
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* What stands in for a file that would be made: known by its inode, which is its own as long as it is open. */
struct stand_in {
	ino_t inode;
	char *name;
};

static const char *const changes[EXPLAIN_CHANGES] = { "pid", "user", "cgroup", "notty", "root",
	"toolbox" };

/* One for the process: whether it acts or explains is the same for everything it does, and settled before it does anything. */
static struct {
	bool on, json;
	bool changed[EXPLAIN_CHANGES];
	bool becomes[2]; /* of user and group */
	uint32_t ids[2];
	unsigned int steps;
	const char *why;
	bool why_is_said;
	struct stand_in *stand_ins;
	size_t count;
} state;

bool explain_is_on(void)
{
	return state.on;
}

bool explain_is_changed(enum explain_change what)
{
	return state.changed[what];
}

void explain_change(enum explain_change what)
{
	state.changed[what] = true;
}

void explain_become(bool group, uint32_t id)
{
	state.becomes[group] = true;
	state.ids[group] = id;
}

uint32_t explain_id(bool group, uint32_t actual)
{
	return state.becomes[group] ? state.ids[group] : actual;
}

/* "uid=0" */
static bool take_id(const char *word)
{
	uint32_t id;

	if ((strncmp(word, "uid=", 4) != 0 && strncmp(word, "gid=", 4) != 0) ||
		parse_id(word + 4, &id))
		return false;
	explain_become(word[0] == 'g', id);
	return true;
}

static bool take_word(const char *word)
{
	for (size_t i = 0; i < EXPLAIN_CHANGES; i++) {
		if (strcmp(word, changes[i]) == 0)
			return state.changed[i] = true;
	}
	return take_id(word);
}

const char *explain_begin(const char *words)
{
	const char *cursor = words ? words : "text";
	char word[32];
	const char *reason = parse_word(&cursor, ',', word, sizeof(word));
	bool again = state.on;

	state.on = true;
	state.json = !reason && strcmp(word, "json") == 0;
	if (reason || (!state.json && strcmp(word, "text") != 0))
		return "is not text or json";
	while (cursor) {
		if (parse_word(&cursor, ',', word, sizeof(word)) || !take_word(word))
			return "is not text or json";
	}
	/* What goes wrong is said on another stream, which may lead to the same place. */
	if (!again)
		setvbuf(stdout, NULL, _IOLBF, 0);
	if (!state.json && !again)
		printf("%s:\n", program_invocation_short_name);
	return NULL;
}

void explain_option(char text[EXPLAIN_OPTION])
{
	size_t used =
		(size_t)snprintf(text, EXPLAIN_OPTION, "--explain=%s", state.json ? "json" : "text");

	for (size_t i = 0; i < EXPLAIN_CHANGES; i++) {
		if (state.changed[i])
			used += (size_t)snprintf(
				text + used, EXPLAIN_OPTION - used, ",%s", changes[i]);
	}
	for (int i = 0; i < 2; i++) {
		if (state.becomes[i])
			used += (size_t)snprintf(text + used, EXPLAIN_OPTION - used, ",%cid=%u",
				"ug"[i], state.ids[i]);
	}
}

static bool is_option(const char *word)
{
	static const char option[] = "--explain";
	size_t length = strlen(option);

	return strncmp(word, option, length) == 0 && (!word[length] || word[length] == '=');
}

char *const *explain_strip(char *const argv[])
{
	size_t count = 0, kept = 0;
	bool found = false;

	while (argv[count])
		count++;

	char **shorter = calloc(count + 1, sizeof(*shorter));

	if (!shorter)
		die_error(errno, "cannot allocate memory");
	for (size_t i = 0; i < count; i++) {
		/* The first one, and others if they come before anything else. */
		bool stripped = i > 0 && is_option(argv[i]) && (!found || kept == 1);

		found = found || stripped;
		if (!stripped)
			shorter[kept++] = argv[i];
	}
	return shorter;
}

void explain_because(const char *why)
{
	state.why_is_said = state.why_is_said && state.why && strcmp(state.why, why) == 0;
	state.why = why;
}

int explain_fd(const char *name)
{
	/* Of all files that take no place in a file system, a socket has an inode of its own. */
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stand_in *longer =
		reallocarray(state.stand_ins, state.count + 1, sizeof(*state.stand_ins));
	struct stat status;

	if (fd < 0 || !longer || fstat(fd, &status) < 0)
		die_error(errno, "cannot stand in for '%s'", name);
	state.stand_ins = longer;
	longer[state.count] = (struct stand_in){ status.st_ino, strdup(name) };
	if (!longer[state.count++].name)
		die_error(errno, "cannot allocate memory");
	return fd;
}

bool explain_has_fd(const char *name)
{
	for (size_t i = 0; i < state.count; i++) {
		if (strcmp(state.stand_ins[i].name, name) == 0)
			return true;
	}
	return false;
}

/* The name of what FD stands in for, NULL for any other file. */
static const char *find_name(int fd)
{
	struct stat status;

	if (!state.on || fstat(fd, &status) < 0 || !S_ISSOCK(status.st_mode))
		return NULL;
	/* The last one of an inode is the one that is open. */
	for (size_t i = state.count; i-- > 0;) {
		if (state.stand_ins[i].inode == status.st_ino)
			return state.stand_ins[i].name;
	}
	return NULL;
}

bool explain_is_made(int fd)
{
	return find_name(fd);
}

/* --- a step --- */

struct step {
	char *text;
	size_t length;
};

static void add(struct step *step, const char *text, size_t length)
{
	char *longer = realloc(step->text, step->length + length + 1);

	if (!longer)
		die_error(errno, "cannot allocate memory");
	memcpy(longer + step->length, text, length);
	step->text = longer;
	step->length += length;
	step->text[step->length] = '\0';
}

static void add_text(struct step *step, const char *text)
{
	add(step, text, strlen(text));
}

/* The LENGTH bytes at TEXT, with whatever a terminal could act on escaped. */
static void add_shown(struct step *step, const char *text, size_t length)
{
	enum { ESCAPED = 4 };
	char *piece = strndup(text, length);
	char *shown = malloc(ESCAPED * length + 1);

	if (!piece || !shown)
		die_error(errno, "cannot allocate memory");
	report_quote(piece, shown, ESCAPED * length + 1);
	add_text(step, shown);
	free(shown);
	free(piece);
}

/* As a string of C. */
static void add_quoted(struct step *step, const char *text)
{
	add_text(step, text ? "\"" : "NULL");
	while (text && *text) {
		size_t length = strcspn(text, "\n\"\\");

		add_shown(step, text, length);
		text += length;
		if (*text)
			add_text(step, *text == '\n' ? "\\n" : *text == '"' ? "\\\"" : "\\\\");
		text += *text ? 1 : 0;
	}
	add_text(step, text ? "\"" : "");
}

/* As a string of JSON. No control characters are left in it. */
static void add_json(struct step *step, const char *text)
{
	add_text(step, "\"");
	while (*text) {
		size_t length = strcspn(text, "\"\\");

		add(step, text, length);
		text += length;
		if (*text)
			add_text(step, *text == '"' ? "\\\"" : "\\\\");
		text += *text ? 1 : 0;
	}
	add_text(step, "\"");
}

static void add_fd(struct step *step, int fd)
{
	const char *name = find_name(fd);
	char link[64], path[PATH_MAX];

	if (fd == AT_FDCWD) {
		add_text(step, "AT_FDCWD");
		return;
	}
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);

	ssize_t length = name ? -1 : readlink(link, path, sizeof(path));

	if (!name && length < 0)
		length = snprintf(path, sizeof(path), "%d", fd);
	add_text(step, "<");
	add_shown(step, name ? name : path, name ? strlen(name) : (size_t)length);
	add_text(step, ">");
}

/* PATH below DIRFD, as one path. */
static void add_path(struct step *step, int dirfd, const char *path)
{
	if (dirfd == AT_FDCWD || path[0] == '/') {
		add_text(step, "<");
	} else {
		add_fd(step, dirfd);
		step->text[step->length - 1] = '/';
	}
	add_shown(step, path, strlen(path));
	add_text(step, ">");
}

/* The same as the directory that it is in, and the name there. */
static void add_place(struct step *step, int dirfd, const char *path)
{
	const char *slash = strrchr(path, '/');
	char above[PATH_MAX];

	snprintf(above, sizeof(above), "%.*s", slash ? (int)(slash - path) : 0, path);
	if (above[0])
		add_path(step, dirfd, above + (above[0] == '/'));
	else
		add_fd(step, dirfd);
	add_text(step, ", ");
	add_quoted(step, slash ? slash + 1 : path);
}

static void add_vector(struct step *step, char *const vector[])
{
	add_text(step, "[");
	for (size_t i = 0; vector[i]; i++) {
		add_text(step, i ? ", " : "");
		add_quoted(step, vector[i]);
	}
	add_text(step, "]");
}

static void add_value(struct step *step, char letter, va_list *values)
{
	char number[16];
	const char *text;
	int fd;

	switch (letter) {
	case 's':
		text = va_arg(*values, const char *);
		add_shown(step, text, strlen(text));
		break;
	case 'q':
		add_quoted(step, va_arg(*values, const char *));
		break;
	case 'f':
		add_fd(step, va_arg(*values, int));
		break;
	case 'p':
		fd = va_arg(*values, int);
		add_path(step, fd, va_arg(*values, const char *));
		break;
	case 'P':
		fd = va_arg(*values, int);
		add_place(step, fd, va_arg(*values, const char *));
		break;
	case 'v':
		add_vector(step, va_arg(*values, char *const *));
		break;
	default:
		snprintf(number, sizeof(number), letter == 'o' ? "0%o" : "%d",
			va_arg(*values, unsigned int));
		add_text(step, number);
	}
}

static void print_json(const struct step *step)
{
	struct step line = { .length = 0 };

	add_json(&line, step->text);
	add_text(&line, ",\"why\":");
	add_json(&line, state.why ? state.why : "");
	printf("{\"link\":\"%s\",\"step\":%u,\"call\":\"%.*s\",\"text\":%s}\n",
		program_invocation_short_name, state.steps, (int)strcspn(step->text, "("),
		step->text, line.text);
	free(line.text);
}

static void print_text(const struct step *step)
{
	if (state.why && !state.why_is_said)
		printf("  # %s\n", state.why);
	state.why_is_said = true;
	printf("%4u. %s\n", state.steps, step->text);
}

bool explain_call(const char *format, ...)
{
	struct step step = { .length = 0 };
	va_list values;

	if (!state.on)
		return false;
	add_text(&step, "");
	va_start(values, format);
	while (*format) {
		size_t length = strcspn(format, "%");

		add(&step, format, length);
		format += length;
		if (!*format)
			break;
		add_value(&step, format[1], &values);
		format += 2;
	}
	va_end(values);
	state.steps++;
	if (state.json)
		print_json(&step);
	else
		print_text(&step);
	free(step.text);
	return true;
}

void explain_flush(void)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		die_error(errno, "cannot write to standard output");
}
