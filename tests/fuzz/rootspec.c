/* rootspec: what a new root is given; targets are in normal form and inside the root, whatever the text. */
#include "common/rootspec.h"

#include "common/mounttree.h"
#include "tests/fuzz/fuzz.h"

static void check_entry(const struct furnish_entry *entry, enum furnish_kind kind)
{
	const uint64_t all = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
		MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW;
	const char *target = entry->target;
	char path[4096];

	fuzz_check(entry->kind == kind && entry->fd == -1 && entry->source);
	fuzz_check(target[0] == '/' && target[1] && target[strlen(target) - 1] != '/');
	snprintf(path, sizeof(path), "%s/", target);
	fuzz_check(!strstr(path, "//") && !strstr(path, "/./") && !strstr(path, "/../"));
	fuzz_check(entry->mode <= 07777 && !(entry->attributes & ~all));
	fuzz_check(kind == FURNISH_BIND || (!entry->ids && !entry->alone));
	fuzz_check(kind == FURNISH_TMPFS || entry->size == 0);
	fuzz_check(kind == FURNISH_BIND || kind == FURNISH_TMPFS ||
		entry->attributes == (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV));
	if (entry->ids)
		fuzz_check(entry->ids->count > 0 && !entry->ids->words);
}

/* A target that was accepted is accepted alone and stays what it is, unless it needs a '\\'. */
static void check_again(const char *target)
{
	struct furnish_entry entry;
	const char *word;
	char *copy = fuzz_copy(target, strlen(target)).text;

	fuzz_check(!rootspec_parse(FURNISH_COVER, copy, &entry, &word) &&
		strcmp(entry.target, target) == 0);
	free((void *)entry.target);
	free(copy);
}

static void check_kind(enum furnish_kind kind, const char *text)
{
	static const struct furnish_entry untouched = { .mode = 1 };
	struct furnish_entry entry = untouched;
	char *copy = fuzz_copy(text, strlen(text)).text;
	const char *word = NULL;
	const char *reason = rootspec_parse(kind, copy, &entry, &word);

	if (reason) {
		fuzz_check(word && memcmp(&entry, &untouched, sizeof(entry)) == 0);
		/* For a message, so it has to be readable. */
		fuzz_check(strlen(word) <= strlen(text));
	} else {
		check_entry(&entry, kind);
		check_again(entry.target);
		free(entry.ids);
		free((void *)entry.target);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_part part = fuzz_copy(size ? (const char *)data : "", size < 4000 ? size : 4000);

	for (enum furnish_kind kind = FURNISH_TMPFS; kind <= FURNISH_COVER; kind++)
		check_kind(kind, part.text);
	free(part.text);
	return 0;
}
