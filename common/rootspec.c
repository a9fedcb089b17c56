#include "common/rootspec.h"

#include "common/mounttree.h"
#include "common/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BIND = 1 << FURNISH_BIND, TMPFS = 1 << FURNISH_TMPFS };
enum { MADE = 1 << FURNISH_DIRECTORY | 1 << FURNISH_FILE };

static const char no_memory[] = "is too much for the memory";

/* Each attribute of mount(8), and how to be without it. */
static const struct attribute {
	const char *name, *opposite;
	uint64_t bit;
	bool set; /* by NAME */
} attributes[] = {
	{ "ro", "rw", MOUNT_ATTR_RDONLY, true },
	{ "dev", "nodev", MOUNT_ATTR_NODEV, false },
	{ "suid", "nosuid", MOUNT_ATTR_NOSUID, false },
	{ "exec", "noexec", MOUNT_ATTR_NOEXEC, false },
	{ "symfollow", "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, false },
};

static bool take_attribute(const char *word, uint64_t *bits)
{
	for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes); i++) {
		const struct attribute *row = &attributes[i];
		bool named = strcmp(word, row->name) == 0;

		if (named || strcmp(word, row->opposite) == 0) {
			*bits = named == row->set ? *bits | row->bit : *bits & ~row->bit;
			return true;
		}
	}
	return false;
}

/* "DISK-SEEN-COUNT", and more of them behind a '+'. */
static const char *parse_ids(const char *text, struct furnish_entry *entry)
{
	char word[64];

	/* One for the life of the process; a spec that is refused ends it. */
	if (!entry->ids)
		entry->ids = calloc(1, sizeof(*entry->ids));
	if (!entry->ids)
		return no_memory;
	for (const char *cursor = text; cursor;) {
		const char *reason = parse_word(&cursor, '+', word, sizeof(word));

		for (char *dash = word; !reason && (dash = strchr(dash, '-'));)
			*dash = ':';
		/* Its words are not for this. */
		if (reason || idmap_add_text(entry->ids, word) || entry->ids->words)
			return "is no map: ON_DISK-SEEN-COUNT[+...] in numbers, without overlap";
	}
	return NULL;
}

static const char *parse_option(unsigned int kind, char *word, struct furnish_entry *entry)
{
	char *value = strchr(word, '=');
	uint32_t mode;

	if ((kind & (BIND | TMPFS)) && take_attribute(word, &entry->attributes))
		return NULL;
	if ((kind & BIND) && (strcmp(word, "rec") == 0 || strcmp(word, "norec") == 0)) {
		entry->alone = word[0] == 'n';
		return NULL;
	}
	if ((kind & BIND) && strncmp(word, "idmap=", 6) == 0)
		return parse_ids(value + 1, entry);
	if ((kind & TMPFS) && strncmp(word, "size=", 5) == 0) {
		const char *reason = parse_bytes(value + 1, &entry->size);

		/* To the kernel that would be no limit. */
		return !reason && entry->size == 0 ?
			"is no size: to the kernel it would be no limit" :
			reason;
	}
	if ((kind & (TMPFS | MADE)) && strncmp(word, "mode=", 5) == 0) {
		const char *reason = parse_mode(value + 1, &mode);

		entry->mode = reason ? entry->mode : mode;
		return reason;
	}
	if (kind & BIND)
		return "is no option of it: one of ro, dev, suid, noexec, nosymfollow, norec, idmap=MAP";
	if (kind & TMPFS)
		return "is no option of it: one of size=SIZE, mode=MODE, ro, noexec, dev, suid, nosymfollow";
	return "is no option of it: one of mode=MODE";
}

/* *TARGET, an absolute path of the new root but not that root itself, becomes a copy of it without "." and empty parts. */
static const char *normalize(const char **target)
{
	const char *cursor = *target + 1;
	char word[256], *copy, *end;

	if (*target[0] != '/')
		return "is not an absolute path of the new root";
	copy = end = calloc(1, strlen(*target) + 1);
	if (!copy)
		return no_memory;
	while (cursor) {
		const char *reason = parse_word(&cursor, '/', word, sizeof(word));

		if (!reason && strcmp(word, "..") == 0)
			reason = "has a '..' in it";
		if (reason) {
			free(copy);
			return reason;
		}
		if (word[0] && strcmp(word, ".") != 0) {
			*end++ = '/';
			end = stpcpy(end, word);
		}
	}
	if (end == copy) {
		free(copy);
		return "is the root itself";
	}
	*target = copy;
	return NULL;
}

/* Takes TEXT apart: into where it comes from, where it goes, and options. */
static const char *split(
	enum furnish_kind kind, char *text, struct furnish_entry *entry, char **ret_options)
{
	bool source = kind == FURNISH_BIND || kind == FURNISH_FILE || kind == FURNISH_SYMLINK;
	char *fields[3];
	const char *reason;

	*ret_options = NULL;
	entry->source = entry->target = text;
	if (!source && kind != FURNISH_TMPFS && kind != FURNISH_DIRECTORY)
		return NULL;
	reason = parse_fields(text, fields, source && kind != FURNISH_SYMLINK ? 3 : 2);
	if (reason)
		return reason;
	entry->target = source && fields[1] ? fields[1] : fields[0];
	*ret_options = source ? fields[2] : fields[1];
	if (kind == FURNISH_SYMLINK)
		*ret_options = NULL;
	if (!fields[1] && (kind == FURNISH_SYMLINK || kind == FURNISH_FILE))
		return kind == FURNISH_FILE ? "is not of the form SOURCE:PATH" :
					      "is not of the form TARGET:PATH";
	return entry->source[0] ? NULL : "has nothing before the ':'";
}

const char *rootspec_parse(
	enum furnish_kind kind, char *text, struct furnish_entry *ret, const char **ret_word)
{
	struct furnish_entry entry = {
		.kind = kind,
		.attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
		.mode = kind == FURNISH_FILE ? 0644 : 0755,
		.fd = -1,
	};
	char *options;
	const char *reason = split(kind, text, &entry, &options);

	*ret_word = text;
	if (reason)
		return reason;
	const char *given = *ret_word = entry.target;

	reason = normalize(&entry.target);
	for (char *word; !reason && (word = strsep(&options, ","));) {
		*ret_word = word;
		reason = parse_option(1U << kind, word, &entry);
	}
	if (!reason) {
		*ret = entry;
		return NULL;
	}
	free(entry.ids);
	if (entry.target != given)
		free((void *)entry.target);
	return reason;
}
