/* place: what is opened and made below a root that holds all kinds of traps, and that nothing beside it is touched. */
#include "common/place.h"

#include "common/fd.h"
#include "tests/unit/tap.h"

#include <sched.h>
#include <sys/mount.h>

static char base[256];
static int root = -1; /* base/root; what must not be reached lies beside it */
static int top = -1;  /* base */

/* 'd', 'f', 'l', 'p' for what is at PATH below DIRECTORY, '-' for nothing. */
static char kind(int directory, const char *path)
{
	struct stat status;

	if (fstatat(directory, path, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return '-';
	return S_ISDIR(status.st_mode)  ? 'd' :
		S_ISREG(status.st_mode) ? 'f' :
		S_ISLNK(status.st_mode) ? 'l' :
					  'p';
}

static mode_t mode_of(const char *path)
{
	struct stat status = { 0 };

	fstatat(root, path, &status, AT_SYMLINK_NOFOLLOW);
	return status.st_mode & 07777;
}

static bool is_same(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && fstatat(root, path, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
		a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static void make_tree(void)
{
	static const char *const links[][2] = {
		{ "dir", "to-dir" },
		{ "/dir", "absolute" },
		{ "../../../../dir", "up" },
		{ "absolute/sub", "chain" },
		{ "file", "to-file" },
		{ "/outside", "out" },
		{ "../outside", "out-up" },
		{ "../secret", "out-file" },
		{ "missing", "dangling" },
		{ "/missing/far", "dangling-far" },
		{ "loop", "loop" },
		{ "/", "to-root" },
	};

	if (mkdirat(top, "root", 0700) < 0 || mkdirat(top, "outside", 0700) < 0 ||
		mkdirat(top, "root/dir", 0700) < 0 || mkdirat(top, "root/dir/sub", 0700) < 0)
		bail_out("cannot make a directory");
	root = fd_open(top, "root", O_PATH | O_DIRECTORY);
	make_file(top, "secret", 0600, "secret");
	make_file(root, "file", 0600, "old");
	make_file(root, "dir/file", 0600, "old");
	if (mknodat(root, "fifo", S_IFIFO | 0600, 0) < 0)
		bail_out("cannot make a fifo");
	for (size_t i = 0; i < TAP_ROWS(links); i++) {
		if (symlinkat(links[i][0], root, links[i][1]) < 0)
			bail_out("cannot make a symlink");
	}
}

static void start_over(void)
{
	fd_close(&root);
	fd_close(&top);
	if (base[0])
		remove_directory(base);
	make_directory(base, sizeof(base));
	top = fd_open(AT_FDCWD, base, O_RDONLY | O_DIRECTORY);
	make_tree();
}

static int count_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	const char *inside = path + strlen(base);

	(void)status, (void)type;
	if (walk->level == 0 || strncmp(inside, "/root/", 6) == 0)
		return 0;
	return strcmp(inside, "/root") != 0 && strcmp(inside, "/outside") != 0 &&
		strcmp(inside, "/secret") != 0;
}

/* What lies beside the root is as it was made. */
static bool outside_is_untouched(void)
{
	char text[16] = "";

	return nftw(base, count_entry, 8, FTW_PHYS) == 0 && kind(top, "outside") == 'd' &&
		fd_try_read(top, "secret", text, sizeof(text)) == 6 && strcmp(text, "secret") == 0;
}

static void test_open(void)
{
	static const struct {
		const char *path, *same;
		int error;
	} rows[] = {
		{ "/file", "file", 0 },
		{ "file", "file", 0 },
		{ "//dir///file", "dir/file", 0 },
		{ "/dir/", "dir", 0 },
		{ "/../../file", "file", 0 },
		{ "/dir/../file", "file", 0 },
		{ "/to-dir/file", "dir/file", 0 },
		{ "/absolute/file", "dir/file", 0 },
		{ "/up/file", "dir/file", 0 },
		{ "/chain", "chain", 0 },
		{ "/to-dir", "to-dir", 0 },
		{ "/dangling", "dangling", 0 },
		{ "/loop", "loop", 0 },
		{ "/out-file", "out-file", 0 },
		{ "/fifo", "fifo", 0 },
		{ "/", ".", 0 },
		{ "/to-root/file", "file", 0 },
		{ "/missing", NULL, ENOENT },
		{ "/missing/x", NULL, ENOENT },
		{ "/out/x", NULL, ENOENT },
		{ "/out-up/x", NULL, ENOENT },
		{ "/../secret", NULL, ENOENT },
		{ "/dangling/x", NULL, ENOENT },
		{ "/loop/x", NULL, ELOOP },
		{ "/file/x", NULL, ENOTDIR },
		{ "/file/", "file", 0 },
		{ "", NULL, ENOENT },
	};

	start_over();
	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		autoclose int fd = place_try_open(root, rows[i].path);

		if (rows[i].same)
			ok(fd >= 0 && is_same(fd, rows[i].same), "open '%s'", rows[i].path);
		else
			is_number(fd, -rows[i].error, "open '%s' fails", rows[i].path);
	}
}

static const struct {
	const char *path;
	const char *same; /* what is returned */
	int error;
	bool directory;
} made[] = {
	{ "/new", "new", 0, true },
	{ "/new", "new", 0, false },
	{ "/new2", "new2", 0, false },
	{ "/a/b/c", "a/b/c", 0, true },
	{ "/d/e/f", "d/e/f", 0, false },
	{ "//g///h//", "g/h", 0, true },
	{ "i/j", "i/j", 0, true },
	{ "/dir/k/", "dir/k", 0, false },
	{ "/to-dir/l", "dir/l", 0, true },
	{ "/absolute/m", "dir/m", 0, false },
	{ "/up/n/o", "dir/n/o", 0, true },
	{ "/chain/p", "dir/sub/p", 0, true },
	{ "/to-root/q", "q", 0, true },
	{ "/../../r", "r", 0, true },
	{ "/dir/../s", "s", 0, true },
	{ "/./t/./u", "t/u", 0, true },
	/* What is there is left, whatever it is. */
	{ "/file", "file", 0, true },
	{ "/dir", "dir", 0, false },
	{ "/fifo", "fifo", 0, false },
	{ "/to-dir", "to-dir", 0, true },
	{ "/dangling", "dangling", 0, false },
	{ "/out", "out", 0, true },
	/* Nothing is made where a symlink leads nowhere inside. */
	{ "/dangling/x", NULL, ENOENT, true },
	{ "/dangling-far/x", NULL, ENOENT, false },
	{ "/out/x", NULL, ENOENT, true },
	{ "/out-up/x/y", NULL, ENOENT, false },
	{ "/loop/x", NULL, ELOOP, true },
	{ "/file/x", NULL, ENOTDIR, true },
	{ "/to-file/x/y", NULL, ENOTDIR, true },
	{ "/fifo/x", NULL, ENOTDIR, false },
};

static void test_make(void)
{
	start_over();
	umask(0);
	for (size_t i = 0; i < TAP_ROWS(made); i++) {
		autoclose int fd = place_try_make(root, made[i].path, made[i].directory);

		if (made[i].same)
			ok(fd >= 0 && is_same(fd, made[i].same), "make '%s'", made[i].path);
		else
			is_number(fd, -made[i].error, "make '%s' fails", made[i].path);
	}
	ok(kind(root, "new") == 'd' && kind(root, "new2") == 'f' && kind(root, "a/b/c") == 'd' &&
			kind(root, "d/e") == 'd' && kind(root, "d/e/f") == 'f' &&
			kind(root, "dir/k") == 'f',
		"what is made is what it has to be");
	ok(mode_of("a") == 0755 && mode_of("a/b/c") == 0755 && mode_of("d/e/f") == 0644,
		"... with modes 755 and 644");
	ok(kind(root, "missing") == '-' && kind(root, "far") == '-', "no symlink's target is made");
	umask(077);
	fd_close(&(int){ place_try_make(root, "/umask/x", false) });
	ok(mode_of("umask") == 0700 && mode_of("umask/x") == 0600, "... less the umask");
	ok(outside_is_untouched(), "nothing outside is touched");
}

static void test_directory(void)
{
	static const struct {
		const char *path;
		int result;
	} rows[] = {
		{ "/a", 0 },
		{ "/a", 0 },
		{ "/b/c/", 0 },
		{ "/dir", 0 },
		{ "/up/e", 0 },
		{ "/file", -EEXIST },
		{ "/fifo", -EEXIST },
		{ "/to-dir", -EEXIST },
		{ "/to-dir/", -EEXIST },
		{ "/dangling", -EEXIST },
		{ "/dangling/", -EEXIST },
		{ "/out", -EEXIST },
		{ "/out/x", -ENOENT },
		{ "/file/x", -ENOTDIR },
		{ "/dangling/x", -ENOENT },
		{ "/loop/x", -ELOOP },
	};

	start_over();
	umask(0);
	for (size_t i = 0; i < TAP_ROWS(rows); i++)
		is_number(place_try_make_directory(root, rows[i].path, 01770), rows[i].result,
			"directory '%s'", rows[i].path);
	ok(mode_of("a") == 01770 && mode_of("b/c") == 01770, "it has the mode");
	ok(mode_of("b") == 0755, "... what is above it has its own");
	ok(mode_of("dir") == 0700, "... and one that is there keeps what it has");
	ok(kind(root, "dir/e") == 'd' && kind(root, "missing") == '-',
		"symlinks are passed, not filled in");
	ok(outside_is_untouched(), "nothing outside is touched");
}

static void test_symlink(void)
{
	static const struct {
		const char *path, *target;
		int result;
	} rows[] = {
		{ "/a", "target", 0 },
		{ "/a", "target", 0 },
		{ "/a", "targe", -EEXIST },
		{ "/a", "target2", -EEXIST },
		{ "/a", "", -ENOENT },
		{ "/b/c", "../../..", 0 },
		{ "/up/d", "/outside", 0 },
		{ "/out", "/outside", 0 },
		{ "/out", "/secret", -EEXIST },
		{ "/to-dir", "dir", 0 },
		{ "/to-dir/", "dir", 0 },
		{ "/dir", "dir", -EEXIST },
		{ "/file", "x", -EEXIST },
		{ "/out/x", "y", -ENOENT },
		{ "/file/x", "y", -ENOTDIR },
		{ "/new", "", -ENOENT },
	};

	start_over();
	for (size_t i = 0; i < TAP_ROWS(rows); i++)
		is_number(place_try_make_symlink(root, rows[i].path, rows[i].target),
			rows[i].result, "symlink '%s' to '%s'", rows[i].path, rows[i].target);
	ok(kind(root, "a") == 'l' && kind(root, "b/c") == 'l' && kind(root, "dir/d") == 'l',
		"they are there");
	ok(outside_is_untouched(), "nothing outside is touched");
}

static int source_of(const char *text)
{
	int fd = memfd_create("source", MFD_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		bail_out("cannot make a source");
	return fd;
}

static void test_copy(void)
{
	static const struct {
		const char *path;
		int result;
		const char *copy; /* where it is */
	} rows[] = {
		{ "/new", 0, "new" },
		{ "/a/b", 0, "a/b" },
		{ "/file", 0, "file" },
		{ "/up/file", 0, "dir/file" },
		{ "/fifo", 0, "fifo" },
		{ "/to-dir", 0, "to-dir" },
		{ "/dangling", 0, "dangling" },
		{ "/out", 0, "out" },
		{ "/out-file", 0, "out-file" },
		{ "/loop", 0, "loop" },
		{ "/dir", -EISDIR, NULL },
		{ "/dir/sub/", -EISDIR, NULL },
		{ "/out-up/x", -ENOENT, NULL },
		{ "/to-file/x", -ENOTDIR, NULL },
	};

	start_over();
	umask(077);
	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		autoclose int source = source_of("content");
		char text[16] = "";

		is_number(place_try_copy(root, rows[i].path, source, 04751), rows[i].result,
			"copy to '%s'", rows[i].path);
		if (!rows[i].copy)
			continue;
		ok(kind(root, rows[i].copy) == 'f' && mode_of(rows[i].copy) == 04751,
			"... is a file with the mode");
		fd_try_read(root, rows[i].copy, text, sizeof(text));
		is_text(text, "content", "... and the content");
	}
	ok(kind(root, "missing") == '-', "no symlink is followed");
	ok(outside_is_untouched(), "nothing outside is touched");
}

static void test_copy_links(void)
{
	autoclose int source = source_of("content");
	autoclose int none = source_of("");
	char text[16] = "";
	struct stat status;

	start_over();
	if (linkat(root, "file", root, "other", 0) < 0)
		bail_out("cannot make a link");
	is_number(place_try_copy(root, "/file", source, 0600), 0, "copy over a file with two names");
	fd_try_read(root, "other", text, sizeof(text));
	is_text(text, "old", "... of which the other keeps the content");
	is_number(place_try_copy(root, "/file", none, 0600), 0, "copy nothing");
	ok(fstatat(root, "file", &status, 0) == 0 && status.st_size == 0, "... is an empty file");
}

static void test_long(void)
{
	char deep[6000] = "", name[400] = "/";

	memset(name + 1, 'n', 300);
	for (size_t i = 0; i < 5000; i++)
		deep[i] = i % 3 ? 'd' : '/';
	start_over();
	is_number(place_try_open(root, deep), -ENAMETOOLONG, "open a path that is too long");
	is_number(place_try_make(root, deep, true), -ENAMETOOLONG, "make it");
	is_number(place_try_make_directory(root, deep, 0755), -ENAMETOOLONG, "... as a directory");
	is_number(place_try_make_symlink(root, deep, "x"), -ENAMETOOLONG, "... as a symlink");
	is_number(place_try_copy(root, deep, -1, 0644), -ENAMETOOLONG, "... as a copy");
	is_number(place_try_make(root, name, true), -ENAMETOOLONG, "a name that is too long");
	is_number(place_try_make_directory(root, name, 0755), -ENAMETOOLONG, "... as a directory");
	is_number(place_try_open(9999, "/file"), -EBADF, "below a closed fd");
	is_number(place_try_make(9999, "/x", true), -EBADF, "make below a closed fd");
}

static void test_magic(void)
{
	char opened[16];
	const char *const links[] = { "root", "cwd", "exe", opened };
	autoclose int proc = fd_open(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY);

	start_over();
	snprintf(opened, sizeof(opened), "fd/%d", root);
	for (size_t i = 0; i < TAP_ROWS(links); i++) {
		char path[64];
		struct stat status;

		snprintf(path, sizeof(path), "/self/%s", links[i]);

		autoclose int fd = place_try_open(proc, path);

		ok(fd >= 0 && fstat(fd, &status) == 0 && S_ISLNK(status.st_mode),
			"open '%s' is the magic link itself", path);
		snprintf(path, sizeof(path), "/self/%s/x", links[i]);
		is_number(place_try_open(proc, path), -ELOOP, "open '%s' fails", path);
		is_number(place_try_make(proc, path, true), -ELOOP, "make '%s' fails", path);
		is_number(place_try_make_directory(proc, path, 0700), -ELOOP,
			"directory '%s' fails", path);
		is_number(place_try_make_symlink(proc, path, "y"), -ELOOP, "symlink '%s' fails", path);
		is_number(place_try_copy(proc, path, -1, 0600), -ELOOP, "copy to '%s' fails", path);
	}
	ok(kind(root, "x") == '-', "nothing is made behind one");
}

static int look_at_mounts(const void *data)
{
	char path[300];

	(void)data;
	snprintf(path, sizeof(path), "%s/root", base);
	if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return 77;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount(path, path, NULL, MS_BIND, NULL) < 0)
		return 1;

	int over = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int below = openat(over, "dir", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd_is_same(over, over) && !fd_is_same(over, below) && !fd_is_same(root, over) &&
			!fd_is_same(over, root) ?
		0 :
		2;
}

static void test_top(void)
{
	static const struct {
		const char *path;
		bool is_top;
	} rows[] = {
		{ "/", true },
		{ "/.", true },
		{ "/to-root/.", true },
		{ "/dir/..", true },
		{ "/..", true },
		{ "/dir", false },
		{ "/file", false },
		{ "/to-root", false },
	};

	start_over();
	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		autoclose int place = place_try_open(root, rows[i].path);

		ok(place >= 0 && fd_is_same(root, place) == rows[i].is_top, "'%s' is %sthe top",
			rows[i].path, rows[i].is_top ? "" : "not ");
	}
	ok(!fd_is_same(root, top), "the directory above is not the top");
	ok(!fd_is_same(root, -1) && !fd_is_same(-1, root), "a closed fd is not the top");

	struct outcome outcome = run(look_at_mounts, NULL);

	if (outcome.exited == 77)
		skip("the same directory in another mount", "no mount namespace is allowed");
	else
		is_exit(&outcome, 0, "the same directory in another mount is not the top");
}

int main(void)
{
	test_open();
	test_make();
	test_directory();
	test_symlink();
	test_copy();
	test_copy_links();
	test_long();
	test_magic();
	test_top();
	fd_close(&root);
	fd_close(&top);
	remove_directory(base);
	return tap_end();
}
