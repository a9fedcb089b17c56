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
#include <sys/resource.h>
#include <unistd.h>

/* Stand-ins have numbers that nothing else is opened as. */
enum { STEP_TEXT = 4096, STAND_INS = 128, FIRST_STAND_IN = 640 };

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
	char *names[STAND_INS];
	int stand_ins;
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

	state.on = true;
	state.json = !reason && strcmp(word, "json") == 0;
	if (reason || (!state.json && strcmp(word, "text") != 0))
		return "is not text or json";
	while (cursor) {
		if (parse_word(&cursor, ',', word, sizeof(word)) || !take_word(word))
			return "is not text or json";
	}
	if (!state.json)
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

char *const *explain_strip(char *const argv[])
{
	static const char option[] = "--explain";
	size_t count = 0, kept = 0;
	bool found = false;

	while (argv[count])
		count++;

	char **shorter = calloc(count + 1, sizeof(*shorter));

	if (!shorter)
		die_error(errno, "cannot allocate memory");
	for (size_t i = 0; i < count; i++) {
		size_t length = strcspn(argv[i], "=");
		bool is_it = !found && i > 0 && length == strlen(option) &&
			strncmp(argv[i], option, length) == 0;

		found = found || is_it;
		if (!is_it)
			shorter[kept++] = argv[i];
	}
	return shorter;
}

void explain_because(const char *why)
{
	state.why_is_said = state.why_is_said && state.why && strcmp(state.why, why) == 0;
	state.why = why;
}

/* Makes room for numbers as high as those. */
static void raise_limit(void)
{
	const rlim_t needed = FIRST_STAND_IN + STAND_INS;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur >= needed)
		return;
	files.rlim_cur = files.rlim_max < needed ? files.rlim_max : needed;
	setrlimit(RLIMIT_NOFILE, &files);
}

int explain_fd(const char *name)
{
	int place = state.stand_ins % STAND_INS;
	int root = open("/", O_PATH | O_CLOEXEC);

	raise_limit();

	int fd = root < 0 ? -1 : dup3(root, FIRST_STAND_IN + place, O_CLOEXEC);

	if (fd < 0)
		die_hint("--explain takes numbers of files up to 768: raise the limit 'ulimit -Hn'",
			root < 0 ? errno : 0, "cannot explain what would be done with '%s'", name);
	close(root);
	free(state.names[place]);
	state.names[place] = strdup(name);
	if (!state.names[place])
		die_error(errno, "cannot allocate memory");
	state.stand_ins++;
	return fd;
}

bool explain_has_fd(const char *name)
{
	for (int i = 0; i < STAND_INS; i++) {
		if (state.names[i] && strcmp(state.names[i], name) == 0)
			return true;
	}
	return false;
}

bool explain_is_made(int fd)
{
	return state.on && fd >= FIRST_STAND_IN && fd < FIRST_STAND_IN + STAND_INS;
}

/* --- a step --- */

struct step {
	char text[STEP_TEXT];
	size_t used;
};

static void add(struct step *step, const char *text, size_t length)
{
	if (length > sizeof(step->text) - 1 - step->used)
		length = sizeof(step->text) - 1 - step->used;
	memcpy(step->text + step->used, text, length);
	step->used += length;
	step->text[step->used] = '\0';
}

static void add_text(struct step *step, const char *text)
{
	add(step, text, strlen(text));
}

/* As a string of C, in which whatever a terminal could act on is escaped. */
static void add_quoted(struct step *step, const char *text)
{
	char piece[PATH_MAX], shown[PATH_MAX];

	add_text(step, text ? "\"" : "NULL");
	while (text && *text) {
		size_t length = strcspn(text, "\n\"\\");

		snprintf(piece, sizeof(piece), "%.*s", (int)length, text);
		report_quote(piece, shown, sizeof(shown));
		add_text(step, shown);
		text += length;
		if (*text)
			add_text(step, *text == '\n' ? "\\n" : *text == '"' ? "\\\"" : "\\\\");
		text += *text ? 1 : 0;
	}
	add_text(step, text ? "\"" : "");
}

static void add_fd(struct step *step, int fd)
{
	char link[64], path[PATH_MAX] = "";
	ssize_t length = 0;

	if (fd == AT_FDCWD) {
		add_text(step, "AT_FDCWD");
		return;
	}
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (explain_is_made(fd))
		snprintf(path, sizeof(path), "%s", state.names[fd - FIRST_STAND_IN]);
	else
		length = readlink(link, path, sizeof(path) - 1);
	if (length < 0)
		snprintf(path, sizeof(path), "%d", fd);
	add_text(step, "<");
	add_text(step, path);
	add_text(step, ">");
}

/* PATH below DIRFD, as one path. */
static void add_path(struct step *step, int dirfd, const char *path)
{
	if (dirfd == AT_FDCWD || path[0] == '/') {
		add_text(step, "<");
	} else {
		add_fd(step, dirfd);
		step->text[step->used - 1] = '/';
	}
	add_text(step, path);
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
	int fd;

	switch (letter) {
	case 's':
		add_text(step, va_arg(*values, const char *));
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

static void print(const struct step *step)
{
	struct step text = { .used = 0 }, why = { .used = 0 };

	state.steps++;
	if (!state.json) {
		if (state.why && !state.why_is_said)
			printf("  # %s\n", state.why);
		printf("%4u. %s\n", state.steps, step->text);
		state.why_is_said = true;
		return;
	}
	add_quoted(&text, step->text);
	add_quoted(&why, state.why ? state.why : "");
	printf("{\"link\":\"%s\",\"step\":%u,\"call\":\"%.*s\",\"text\":%s,\"why\":%s}\n",
		program_invocation_short_name, state.steps, (int)strcspn(step->text, "("),
		step->text, text.text, why.text);
}

bool explain_call(const char *format, ...)
{
	struct step step = { .used = 0 };
	va_list values;

	if (!state.on)
		return false;
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
	print(&step);
	return true;
}

void explain_flush(void)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		die_error(errno, "cannot write to standard output");
}

void explain_end(int status)
{
	explain_flush();
	exit(status);
}
