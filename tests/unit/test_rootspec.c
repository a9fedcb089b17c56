/* rootspec: what each option of rootjail that adds to a root takes and refuses, and that a refused text leaves the result alone. */
#include "common/rootspec.h"

#include "common/mounttree.h"
#include "tests/unit/tap.h"

#define INERT (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

static const struct {
	enum furnish_kind kind;
	const char *text;
	const char *source, *target;
	uint64_t attributes;
	uint64_t size;
	mode_t mode;
	bool alone;
} good[] = {
	{ FURNISH_BIND, "/a", "/a", "/a", INERT, 0, 0755, false },
	{ FURNISH_BIND, "a:/b", "a", "/b", INERT, 0, 0755, false },
	{ FURNISH_BIND, "../a:/b", "../a", "/b", INERT, 0, 0755, false },
	{ FURNISH_BIND, "/a:/b:ro", "/a", "/b", INERT | MOUNT_ATTR_RDONLY, 0, 0755, false },
	{ FURNISH_BIND, "/a:/b:rw", "/a", "/b", INERT, 0, 0755, false },
	{ FURNISH_BIND, "/a:/b:ro,rw", "/a", "/b", INERT, 0, 0755, false },
	{ FURNISH_BIND, "/a:/b:rw,ro", "/a", "/b", INERT | MOUNT_ATTR_RDONLY, 0, 0755, false },
	{ FURNISH_BIND, "/a:/b:dev", "/a", "/b", MOUNT_ATTR_NOSUID, 0, 0755, false },
	{ FURNISH_BIND, "/a:/b:suid", "/a", "/b", MOUNT_ATTR_NODEV, 0, 0755, false },
	{ FURNISH_BIND, "/a:/b:suid,dev", "/a", "/b", 0, 0, 0755, false },
	{ FURNISH_BIND, "/a:/b:suid,dev,nodev,nosuid", "/a", "/b", INERT, 0, 0755, false },
	{ FURNISH_BIND, "/a:/b:noexec", "/a", "/b", INERT | MOUNT_ATTR_NOEXEC, 0, 0755, false },
	{ FURNISH_BIND, "/a:/b:noexec,exec", "/a", "/b", INERT, 0, 0755, false },
	{ FURNISH_BIND, "/a:/b:nosymfollow", "/a", "/b", INERT | MOUNT_ATTR_NOSYMFOLLOW, 0, 0755,
		false },
	{ FURNISH_BIND, "/a:/b:nosymfollow,symfollow", "/a", "/b", INERT, 0, 0755, false },
	{ FURNISH_BIND, "/a:/b:norec", "/a", "/b", INERT, 0, 0755, true },
	{ FURNISH_BIND, "/a:/b:norec,rec", "/a", "/b", INERT, 0, 0755, false },
	{ FURNISH_BIND, "/a:/b:rec", "/a", "/b", INERT, 0, 0755, false },
	{ FURNISH_BIND, "/a\\:b\\\\c:/d\\:e", "/a:b\\c", "/d:e", INERT, 0, 0755, false },
	{ FURNISH_BIND, "/a,b c\n:/d,e f\n:ro", "/a,b c\n", "/d,e f\n", INERT | MOUNT_ATTR_RDONLY,
		0, 0755, false },
	{ FURNISH_BIND, "/a:/b//c/./d/", "/a", "/b/c/d", INERT, 0, 0755, false },
	{ FURNISH_BIND, "/a:/.b/..c/d..", "/a", "/.b/..c/d..", INERT, 0, 0755, false },
	{ FURNISH_BIND, "/a:/...", "/a", "/...", INERT, 0, 0755, false },
	{ FURNISH_TMPFS, "/t", "/t", "/t", INERT, 0, 0755, false },
	{ FURNISH_TMPFS, "/t:size=1", "/t", "/t", INERT, 1, 0755, false },
	{ FURNISH_TMPFS, "/t:size=1K,mode=1777", "/t", "/t", INERT, 1024, 01777, false },
	{ FURNISH_TMPFS, "/t:size=1.5M,size=2", "/t", "/t", INERT, 2, 0755, false },
	{ FURNISH_TMPFS, "/t:mode=0", "/t", "/t", INERT, 0, 0, false },
	{ FURNISH_TMPFS, "/t:mode=7777,noexec,dev,suid,ro", "/t", "/t",
		MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY, 0, 07777, false },
	{ FURNISH_TMPFS, "/t\\:u:nosymfollow", "/t:u", "/t:u", INERT | MOUNT_ATTR_NOSYMFOLLOW, 0,
		0755, false },
	{ FURNISH_DIRECTORY, "/d", "/d", "/d", INERT, 0, 0755, false },
	{ FURNISH_DIRECTORY, "/d:mode=0700", "/d", "/d", INERT, 0, 0700, false },
	{ FURNISH_DIRECTORY, "/d\\\\\\:", "/d\\:", "/d\\:", INERT, 0, 0755, false },
	{ FURNISH_FILE, "a:/f", "a", "/f", INERT, 0, 0644, false },
	{ FURNISH_FILE, "/a:/f:mode=4750", "/a", "/f", INERT, 0, 04750, false },
	{ FURNISH_SYMLINK, "t:/s", "t", "/s", INERT, 0, 0755, false },
	{ FURNISH_SYMLINK, "../t\\:u:/s", "../t:u", "/s", INERT, 0, 0755, false },
	{ FURNISH_SYMLINK, "/..:/s", "/..", "/s", INERT, 0, 0755, false },
	/* A path and nothing else: nothing in it is special. */
	{ FURNISH_DEVICE, "/dev/x:y\\z,ro", "/dev/x:y\\z,ro", "/dev/x:y\\z,ro", INERT, 0, 0755, false },
	{ FURNISH_COVER, "/c:ro", "/c:ro", "/c:ro", INERT, 0, 0755, false },
	{ FURNISH_PROTECT, "/p\\", "/p\\", "/p\\", INERT, 0, 0755, false },
};

static void test_good(void)
{
	for (size_t i = 0; i < TAP_ROWS(good); i++) {
		char text[128];
		const char *word = NULL;
		struct furnish_entry entry = { .fd = 7, .tried = true };

		snprintf(text, sizeof(text), "%s", good[i].text);

		const char *reason = rootspec_parse(good[i].kind, text, &entry, &word);

		if (!ok(!reason, "kind %d takes '%s'", good[i].kind, tap_show(good[i].text))) {
			note("'%s' %s", tap_show(word), reason);
			continue;
		}
		is_text(entry.source, good[i].source, "... its source");
		is_text(entry.target, good[i].target, "... its target");
		is_number((long long)entry.attributes, (long long)good[i].attributes,
			"... its attributes");
		is_number((long long)entry.size, (long long)good[i].size, "... its size");
		is_number(entry.mode, good[i].mode, "... its mode");
		ok(entry.kind == good[i].kind && entry.alone == good[i].alone && entry.fd == -1 &&
				!entry.tried && !entry.ids,
			"... and the rest");
	}
}

#define PATH_OF_256 \
	"/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* WORD NULL: what the text has become; it is taken apart in place. */
static const struct {
	enum furnish_kind kind;
	const char *text, *word, *reason;
} bad[] = {
	{ FURNISH_BIND, "", "", "" },
	{ FURNISH_BIND, ":", NULL, "before the ':'" },
	{ FURNISH_BIND, ":/b", NULL, "before the ':'" },
	{ FURNISH_BIND, "a", "a", "not an absolute path" },
	{ FURNISH_BIND, "/a:", "", "not an absolute path" },
	{ FURNISH_BIND, "/a:b", "b", "not an absolute path" },
	{ FURNISH_BIND, "/a:/", "/", "is the root itself" },
	{ FURNISH_BIND, "/a://", "//", "is the root itself" },
	{ FURNISH_BIND, "/a:/./.", "/./.", "is the root itself" },
	{ FURNISH_BIND, "/a:/..", "/..", "" },
	{ FURNISH_BIND, "/a:/b/..", "/b/..", "'..'" },
	{ FURNISH_BIND, "/a:/../b", "/../b", "'..'" },
	{ FURNISH_BIND, "/a:/b/../c", "/b/../c", "'..'" },
	{ FURNISH_BIND, "..", "..", "not an absolute path" },
	{ FURNISH_BIND, "/a:/b:", "", "is no option of it: one of" },
	{ FURNISH_BIND, "/a:/b:ro,", "", "is no option of it: one of" },
	{ FURNISH_BIND, "/a:/b:,ro", "", "is no option of it: one of" },
	{ FURNISH_BIND, "/a:/b:ro,,rw", "", "is no option of it: one of" },
	{ FURNISH_BIND, "/a:/b:RO", "RO", "is no option of it: one of" },
	{ FURNISH_BIND, "/a:/b:ro ", "ro ", "is no option of it: one of" },
	{ FURNISH_BIND, "/a:/b:rox", "rox", "is no option of it: one of" },
	{ FURNISH_BIND, "/a:/b:ro=1", "ro=1", "is no option of it: one of" },
	{ FURNISH_BIND, "/a:/b:size=1", "size=1", "is no option of it: one of" },
	{ FURNISH_BIND, "/a:/b:mode=755", "mode=755", "is no option of it: one of" },
	{ FURNISH_BIND, "/a:/b:idmap", "idmap", "is no option of it: one of" },
	{ FURNISH_BIND, "/a:/b:idmap=", "idmap=", "" },
	{ FURNISH_BIND, "/a:/b:ro,idmap=1", "idmap=1", "" },
	{ FURNISH_BIND, "/a:/b:idmap=1-2", "idmap=1-2", "" },
	{ FURNISH_BIND, "/a:/b:idmap=1-2-0", "idmap=1-2-0", "" },
	{ FURNISH_BIND, "/a:/b:idmap=1-2-3-4", "idmap=1-2-3-4", "" },
	{ FURNISH_BIND, "/a:/b:idmap=1-2-3+", "idmap=1-2-3+", "" },
	{ FURNISH_BIND, "/a:/b:idmap=+1-2-3", "idmap=+1-2-3", "" },
	{ FURNISH_BIND, "/a:/b:idmap=1-2-3+3-9-1", "idmap=1-2-3+3-9-1", "" },
	{ FURNISH_BIND, "/a:/b:idmap=1-2-3+9-4-1", "idmap=1-2-3+9-4-1", "" },
	{ FURNISH_BIND, "/a:/b:idmap=auto", "idmap=auto", "ON_DISK-SEEN-COUNT" },
	{ FURNISH_BIND, "/a:/b:idmap=all", "idmap=all", "ON_DISK-SEEN-COUNT" },
	{ FURNISH_BIND, "/a:/b:idmap=4294967295-0-1", "idmap=4294967295-0-1", "" },
	{ FURNISH_BIND, "/a:/b:idmap=0-1-4294967296", "idmap=0-1-4294967296", "" },
	{ FURNISH_BIND, "/a:/b:ro:rw", NULL, "too many parts" },
	{ FURNISH_BIND, "/a\\b:/c", NULL, "'\\'" },
	{ FURNISH_BIND, "/a\\", NULL, "'\\'" },
	{ FURNISH_BIND, "/a:" PATH_OF_256, PATH_OF_256, "" },
	{ FURNISH_TMPFS, "", "", "" },
	{ FURNISH_TMPFS, ":", NULL, "" },
	{ FURNISH_TMPFS, "t", "t", "not an absolute path" },
	{ FURNISH_TMPFS, "/", "/", "is the root itself" },
	{ FURNISH_TMPFS, "/t:size", "size", "is no option of it: one of" },
	{ FURNISH_TMPFS, "/t:size=", "size=", "" },
	{ FURNISH_TMPFS, "/t:size=0", "size=0", "is no size" },
	{ FURNISH_TMPFS, "/t:size=-1", "size=-1", "" },
	{ FURNISH_TMPFS, "/t:size=50%", "size=50%", "" },
	{ FURNISH_TMPFS, "/t:size=1M:x", NULL, "too many parts" },
	{ FURNISH_TMPFS, "/t:mode=8", "mode=8", "is not an octal mode" },
	{ FURNISH_TMPFS, "/t:mode=10000", "mode=10000", "is not an octal mode" },
	{ FURNISH_TMPFS, "/t:norec", "norec", "is no option of it: one of" },
	{ FURNISH_TMPFS, "/t:uid=0", "uid=0", "is no option of it: one of" },
	{ FURNISH_TMPFS, "/t:idmap=0-1-1", "idmap=0-1-1", "is no option of it: one of" },
	{ FURNISH_DIRECTORY, "", "", "" },
	{ FURNISH_DIRECTORY, "d", "d", "not an absolute path" },
	{ FURNISH_DIRECTORY, "/d/..", "/d/..", "'..'" },
	{ FURNISH_DIRECTORY, "/d:", "", "one of mode=MODE" },
	{ FURNISH_DIRECTORY, "/d:0755", "0755", "one of mode=MODE" },
	{ FURNISH_DIRECTORY, "/d:ro", "ro", "one of mode=MODE" },
	{ FURNISH_DIRECTORY, "/d:mode=", "mode=", "is not an octal mode" },
	{ FURNISH_DIRECTORY, "/d:mode=755:ro", NULL, "too many parts" },
	{ FURNISH_FILE, "/f", "/f", "SOURCE:PATH" },
	{ FURNISH_FILE, ":/f", NULL, "before the ':'" },
	{ FURNISH_FILE, "a:", "", "not an absolute path" },
	{ FURNISH_FILE, "a:f", "f", "not an absolute path" },
	{ FURNISH_FILE, "a:/f:ro", "ro", "one of mode=MODE" },
	{ FURNISH_FILE, "a:/f:mode=999", "mode=999", "is not an octal mode" },
	{ FURNISH_SYMLINK, "/s", "/s", "TARGET:PATH" },
	{ FURNISH_SYMLINK, ":/s", NULL, "before the ':'" },
	{ FURNISH_SYMLINK, "t:s", "s", "not an absolute path" },
	{ FURNISH_SYMLINK, "t:/", "/", "is the root itself" },
	{ FURNISH_SYMLINK, "t:/s:mode=755", NULL, "too many parts" },
	{ FURNISH_DEVICE, "", "", "" },
	{ FURNISH_DEVICE, "dev/null", "dev/null", "not an absolute path" },
	{ FURNISH_DEVICE, "/dev/../x", "/dev/../x", "'..'" },
	{ FURNISH_COVER, "", "", "" },
	{ FURNISH_COVER, "/", "/", "is the root itself" },
	{ FURNISH_COVER, "/a/../b", "/a/../b", "'..'" },
	{ FURNISH_PROTECT, "p", "p", "not an absolute path" },
};

static void test_bad(void)
{
	struct furnish_entry untouched;

	memset(&untouched, 0x5a, sizeof(untouched));
	for (size_t i = 0; i < TAP_ROWS(bad); i++) {
		char text[512];
		const char *word = NULL;
		struct furnish_entry entry = untouched;

		snprintf(text, sizeof(text), "%s", bad[i].text);

		const char *reason = rootspec_parse(bad[i].kind, text, &entry, &word);

		ok(reason && strstr(reason, bad[i].reason), "kind %d refuses '%s': %s", bad[i].kind,
			tap_show(bad[i].text), bad[i].reason);
		is_text(word, bad[i].word ? bad[i].word : text, "... with the word at fault");
		ok(entry.kind == untouched.kind && entry.source == untouched.source &&
				entry.target == untouched.target &&
				entry.attributes == untouched.attributes &&
				entry.size == untouched.size && entry.mode == untouched.mode &&
				entry.ids == untouched.ids && entry.fd == untouched.fd,
			"... and leaves the result alone");
	}
}

static void test_ids(void)
{
	char one[] = "/a:/b:idmap=0-100000-1",
	     more[] = "/a:/b:ro,idmap=0-1000-10+20-5-1,idmap=50-60-2";
	const char *word;
	struct furnish_entry entry = { 0 };

	ok(!rootspec_parse(FURNISH_BIND, one, &entry, &word) && entry.ids, "a map of one extent");
	if (entry.ids)
		ok(entry.ids->count == 1 && entry.ids->extents[0].inner == 0 &&
				entry.ids->extents[0].outer == 100000 &&
				entry.ids->extents[0].count == 1,
			"... on disk, seen, count");
	ok(!rootspec_parse(FURNISH_BIND, more, &entry, &word) && entry.ids,
		"several, behind '+' and again");
	if (entry.ids)
		ok(entry.ids->count == 3 && entry.ids->extents[1].inner == 20 &&
				entry.ids->extents[1].outer == 5 &&
				entry.ids->extents[2].outer == 60 && entry.ids->extents[2].count == 2,
			"... all of them");
	ok(entry.attributes == (INERT | MOUNT_ATTR_RDONLY), "... beside other options");
}

int main(void)
{
	test_good();
	test_bad();
	test_ids();
	return tap_end();
}
