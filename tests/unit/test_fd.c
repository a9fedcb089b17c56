/* fd: small files, which fds are open, and paths that must not lead out of a root. */
#include "common/fd.h"

#include "common/report.h"
#include "tests/unit/tap.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static char base[256];
static int root = -1; /* base/root; what must not be reached lies beside it */

static bool is_cloexec(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	return flags >= 0 && (flags & FD_CLOEXEC);
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void test_scope(void)
{
	int fd = fd_open(AT_FDCWD, "/dev/null", O_RDONLY);
	int seen = fd;

	errno = EXDEV;
	fd_close(&fd);
	ok(fd == -1 && !is_open(seen), "fd_close closes and makes it -1");
	errno = EXDEV;
	fd_close(&fd);
	ok(fd == -1 && errno == EXDEV, "fd_close of -1 is nothing");
	fd = 9999;
	fd_close(&fd);
	ok(fd == -1 && errno == EXDEV, "fd_close keeps errno");

	fd = fd_open(AT_FDCWD, "/dev/null", O_RDONLY);
	seen = fd;

	int taken = fd_take(&fd);

	ok(fd == -1 && taken == seen && is_open(taken), "fd_take hands it over open");
	{
		autoclose int scoped = taken;

		ok(is_open(scoped), "open in its scope");
	}
	ok(!is_open(seen), "closed behind its scope");
}

static int open_missing(const void *data)
{
	fd_open(AT_FDCWD, data, O_RDONLY);
	return 0;
}

static void test_open(void)
{
	static const int flags[] = { O_RDONLY, O_WRONLY, O_RDWR, O_PATH, O_RDONLY | O_NONBLOCK };

	for (size_t i = 0; i < TAP_ROWS(flags); i++) {
		autoclose int fd = fd_try_open(AT_FDCWD, "/dev/null", flags[i]);
		autoclose int other = fd_open(AT_FDCWD, "/dev/null", flags[i]);
		autoclose int inside = fd_try_open_inside(root, "file", flags[i]);

		ok(is_cloexec(fd) && is_cloexec(other) && is_cloexec(inside),
			"O_CLOEXEC with flags %#x", flags[i]);
	}
	is_number(fd_try_open(root, "missing", O_RDONLY), -ENOENT, "a missing file");
	is_number(fd_try_open(root, "file/x", O_RDONLY), -ENOTDIR, "a file taken for a directory");
	is_number(fd_try_open(root, "file", O_RDONLY | O_DIRECTORY), -ENOTDIR,
		"O_DIRECTORY of a file");
	is_number(fd_try_open(9999, "file", O_RDONLY), -EBADF, "below a closed fd");

	struct outcome outcome = run(open_missing, "/nonexistent/\nfile");

	is_exit(&outcome, STATUS_FAILED, "fd_open dies");
	has_text(outcome.err, "cannot open '/nonexistent/\\x0afile': No such file or directory\n",
		"... naming the path");
}

static void test_read(void)
{
	static const struct {
		const char *content;
		size_t size;
		ssize_t wanted;
		const char *text;
	} rows[] = {
		{ "", 8, 0, "" },
		{ "", 1, 0, "" },
		{ "\n", 8, 0, "" },
		{ "abc", 8, 3, "abc" },
		{ "abc\n", 8, 3, "abc" },
		{ "abc\n\n", 8, 4, "abc\n" },
		{ "\nabc", 8, 4, "\nabc" },
		{ "a\nb\n", 8, 3, "a\nb" },
		{ " abc ", 8, 5, " abc " },
		{ "1234567", 8, 7, "1234567" },
		{ "123456\n", 8, 6, "123456" },
		{ "12345678", 8, -EFBIG, "" },
		{ "123456789", 8, -EFBIG, "" },
		{ "1", 1, -EFBIG, "" },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		struct {
			char text[8];
			char guard;
		} into = { .guard = '!' };

		make_file(root, "content", 0600, rows[i].content);
		is_number(fd_try_read(root, "content", into.text, rows[i].size), rows[i].wanted,
			"read '%s' into %zu bytes", tap_show(rows[i].content), rows[i].size);
		ok((!rows[i].text || strcmp(into.text, rows[i].text) == 0) && into.guard == '!',
			"... the text of it");
	}
}

static void test_read_more(void)
{
	static char large[1 << 18], text[1 << 18];

	memset(large, 'x', sizeof(large) - 2);
	make_file(root, "content", 0600, large);
	is_number(fd_try_read(root, "content", text, sizeof(text)), (long long)strlen(large),
		"read 256 kB");
	is_number(fd_try_read(root, "content", text, strlen(large)), -EFBIG, "... into one byte less");
	is_text(text, "", "... leaves no part of it");
	snprintf(text, sizeof(text), "default");
	is_number(fd_try_read(root, "missing", text, sizeof(text)), -ENOENT, "read a missing file");
	is_text(text, "default", "... leaves the text alone");
	is_number(fd_try_read(root, ".", text, sizeof(text)), -EISDIR, "read a directory");
	ok(fd_try_read(AT_FDCWD, "/proc/self/status", text, sizeof(text)) > 0 &&
			strstr(text, "\nPid:"),
		"read a file of /proc");
	is_number(fd_try_read(AT_FDCWD, "/proc/self/status", text, 16), -EFBIG,
		"... that is too large");
}

static void test_write(void)
{
	char text[64] = "";

	make_file(root, "content", 0600, "0123456789");
	is_number(fd_try_write(root, "content", "abc"), 0, "write");
	fd_try_read(root, "content", text, sizeof(text));
	is_text(text, "abc3456789", "... replaces nothing else");
	is_number(fd_try_write(root, "content", ""), 0, "write nothing");
	is_number(fd_try_write(root, "missing", "abc"), -ENOENT, "a missing file is not made");
	is_number(fd_try_write(root, ".", "abc"), -EISDIR, "write a directory");
	is_number(fd_try_write(AT_FDCWD, "/dev/full", "abc"), -ENOSPC,
		"what write(2) says is returned");
	is_number(fd_try_write(AT_FDCWD, "/proc/self/comm", "renamed"), 0, "write a file of /proc");
	fd_try_read(AT_FDCWD, "/proc/self/comm", text, sizeof(text));
	is_text(text, "renamed", "... and read it back");
	make_file(root, "read-only", 0400, "");
	if (geteuid() == 0)
		skip("a file without permission", "root needs none");
	else
		is_number(fd_try_write(root, "read-only", "abc"), -EACCES,
			"a file without permission");
}

/* A file cannot grow beyond its limit, so that only a part is written. */
static int write_part(const void *data)
{
	static const struct rlimit limit = { 4, 4 };

	(void)data;
	setrlimit(RLIMIT_FSIZE, &limit);
	return -fd_try_write(root, "part", "12345678");
}

static void test_write_part(void)
{
	make_file(root, "part", 0600, "");

	struct outcome outcome = run(write_part, NULL);

	is_exit(&outcome, EIO, "a part that is written is a failure");
}

/* What PATH leads to from the root: one letter for each file. */
static char reached(int fd)
{
	char letter = '?';

	if (fd < 0 || read(fd, &letter, 1) != 1)
		return '?';
	return letter;
}

static void test_inside(void)
{
	static const struct {
		const char *path;
		char letter; /* what the file reached begins with; 0: ERROR */
		int error;
	} rows[] = {
		{ "file", 'i', 0 },
		{ "/file", 'i', 0 },
		{ "//file", 'i', 0 },
		{ "./dir/../file", 'i', 0 },
		{ "../file", 'i', 0 },
		{ "../../../../../../../../file", 'i', 0 },
		{ "/../file", 'i', 0 },
		{ "dir/../../file", 'i', 0 },
		{ "../outside", 0, ENOENT },
		{ "dir/../../outside", 0, ENOENT },
		{ "relative", 'i', 0 },
		{ "absolute", 'i', 0 },
		{ "up", 'i', 0 },
		{ "dir/up", 'i', 0 },
		{ "chain", 'i', 0 },
		{ "out-relative", 0, ENOENT },
		{ "out-absolute", 0, ENOENT },
		{ "to-root/file", 'i', 0 },
		{ "to-root/../file", 'i', 0 },
		{ "to-root/etc/passwd", 0, ENOENT },
		{ "loop", 0, ELOOP },
		{ "dangling", 0, ENOENT },
		{ "file/x", 0, ENOTDIR },
		{ "", 0, ENOENT },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		autoclose int fd = fd_try_open_inside(root, rows[i].path, O_RDONLY);

		if (rows[i].letter)
			is_number(reached(fd), rows[i].letter,
				"inside: '%s' leads to the file inside", rows[i].path);
		else
			is_number(fd, -rows[i].error, "inside: '%s' leads nowhere", rows[i].path);
	}
}

static void test_inside_links(void)
{
	autoclose int link = fd_try_open_inside(root, "out-absolute", O_PATH | O_NOFOLLOW);
	autoclose int proc = fd_open(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY);
	autoclose int plain = fd_try_open_inside(proc, "self/status", O_RDONLY);
	char magic[32];
	char target[16] = "";
	struct stat status;

	ok(link >= 0 && fstat(link, &status) == 0 && S_ISLNK(status.st_mode),
		"O_PATH and O_NOFOLLOW open the symlink itself");
	is_number(readlinkat(link, "", target, sizeof(target)), sizeof("/outside") - 1,
		"... and it can be read");
	is_number(fd_try_open_inside(root, "absolute", O_RDONLY | O_NOFOLLOW), -ELOOP,
		"O_NOFOLLOW alone refuses it");
	ok(plain >= 0, "the symlink /proc/self is followed");
	is_number(fd_try_open_inside(proc, "self/root", O_PATH), -ELOOP,
		"the magic link /proc/self/root is refused");
	is_number(fd_try_open_inside(proc, "self/cwd/.", O_PATH), -ELOOP, "... /proc/self/cwd");
	is_number(fd_try_open_inside(proc, "self/exe", O_PATH), -ELOOP, "... /proc/self/exe");
	is_number(fd_try_open_inside(proc, "self/ns/user", O_RDONLY), -ELOOP,
		"... /proc/self/ns/user");
	snprintf(magic, sizeof(magic), "self/fd/%d", root);
	is_number(fd_try_open_inside(proc, magic, O_PATH), -ELOOP, "... /proc/self/fd/N");
	is_number(fd_try_open_inside(9999, "file", O_PATH), -EBADF, "below a closed fd");
}

struct standard {
	int closed; /* bit N: fd N */
};

/* Closes some standard fds and checks what fd_fill_standard() makes of it; the exit status says what is wrong. */
static int fill(const void *data)
{
	int closed = ((const struct standard *)data)->closed;
	struct stat before[3], after;
	char byte = 'x';

	for (int fd = 0; fd < 3; fd++) {
		fcntl(fd, F_SETFD, 0);
		if (closed & 1 << fd)
			close(fd);
		else
			fstat(fd, &before[fd]);
	}
	fd_fill_standard();
	for (int fd = 0; fd < 3; fd++) {
		if (fstat(fd, &after) < 0)
			_exit(1);
		if (!(closed & 1 << fd)) {
			if (before[fd].st_ino != after.st_ino || is_cloexec(fd))
				_exit(2);
			continue;
		}
		if (!is_cloexec(fd))
			_exit(3);
		if (read(fd, &byte, 1) >= 0 || write(fd, &byte, 1) >= 0)
			_exit(4);
		if (openat(fd, "..", O_PATH | O_CLOEXEC) >= 0 || fchdir(fd) == 0)
			_exit(5);
	}
	_exit(open("/dev/null", O_RDONLY | O_CLOEXEC) > 2 ? 42 : 6);
}

static void test_fill_standard(void)
{
	for (int closed = 0; closed < 8; closed++) {
		struct standard standard = { closed };
		struct outcome outcome = run(fill, &standard);

		is_exit(&outcome, 42, "fill:%s%s%s%s closed", closed ? "" : " none",
			closed & 1 ? " 0" : "", closed & 2 ? " 1" : "", closed & 4 ? " 2" : "");
	}
}

enum { KEEP_MAX = 8, FDS = 40 };

struct keeping {
	const char *name;
	size_t count;
	int keep[KEEP_MAX];
	bool old_kernel; /* one without close_range(2) */
};

static void refuse_close_range(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = TAP_ROWS(code), .filter = code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(77);
}

static int keep_some(const void *data)
{
	const struct keeping *keeping = data;

	for (int fd = 3; fd < FDS; fd++) {
		if (dup2(STDOUT_FILENO, fd) != fd)
			return 1;
	}
	if (keeping->old_kernel)
		refuse_close_range();
	fd_close_others(keeping->keep, keeping->count);
	for (int fd = 0; fd < FDS + 8; fd++) {
		bool wanted = fd < 3;

		for (size_t i = 0; i < keeping->count && fd < FDS; i++)
			wanted = wanted || keeping->keep[i] == fd;
		if (is_open(fd) != wanted)
			return 100 + fd;
	}
	return 42;
}

static void test_close_others(void)
{
	static const struct keeping rows[] = {
		{ .name = "none", .count = 0 },
		{ .name = "the first", .count = 1, .keep = { 3 } },
		{ .name = "the last", .count = 1, .keep = { FDS - 1 } },
		{ .name = "sorted", .count = 3, .keep = { 5, 7, 20 } },
		{ .name = "unsorted", .count = 5, .keep = { 20, 3, 39, 7, 5 } },
		{ .name = "neighbours", .count = 4, .keep = { 6, 5, 4, 3 } },
		{ .name = "duplicates", .count = 6, .keep = { 9, 4, 9, 4, 4, 9 } },
		{ .name = "below 3", .count = 6, .keep = { 0, 1, 2, -1, 0, -100 } },
		{ .name = "below 3 and above", .count = 7, .keep = { 0, 11, -1, 3, 2, 11, 0 } },
		{ .name = "one that is not open", .count = 2, .keep = { 1000, 4 } },
		{ .name = "one that no fd can be", .count = 2, .keep = { 2147483646, 4 } },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		struct keeping old = rows[i];
		struct outcome outcome = run(keep_some, &rows[i]);

		is_exit(&outcome, 42, "close others: keep %s", rows[i].name);
		old.old_kernel = true;
		outcome = run(keep_some, &old);
		if (outcome.exited == 77)
			skip("close others without close_range(2)", "seccomp(2) is not allowed");
		else
			is_exit(&outcome, 42, "close others: keep %s, without close_range(2)",
				rows[i].name);
	}
}

static void make_tree(void)
{
	static const char *const links[][2] = {
		{ "file", "root/relative" },
		{ "/file", "root/absolute" },
		{ "../../../../file", "root/up" },
		{ "../../file", "root/dir/up" },
		{ "dir/up", "root/chain" },
		{ "../outside", "root/out-relative" },
		{ "/outside", "root/out-absolute" },
		{ "/", "root/to-root" },
		{ "loop", "root/loop" },
		{ "missing", "root/dangling" },
	};

	make_directory(base, sizeof(base));

	autoclose int directory = fd_open(AT_FDCWD, base, O_PATH | O_DIRECTORY);

	make_file(directory, "file", 0600, "outside\n");
	make_file(directory, "outside", 0600, "outside\n");
	if (mkdirat(directory, "root", 0700) < 0 || mkdirat(directory, "root/dir", 0700) < 0)
		bail_out("cannot make a directory");
	make_file(directory, "root/file", 0600, "inside\n");
	for (size_t i = 0; i < TAP_ROWS(links); i++) {
		if (symlinkat(links[i][0], directory, links[i][1]) < 0)
			bail_out("cannot make a symlink");
	}
	root = fd_open(directory, "root", O_RDONLY | O_DIRECTORY);
}

static void test_without_links(void)
{
	static const struct {
		const char *path;
		int error; /* 0: the file of root is reached */
	} rows[] = {
		{ "file", 0 },
		{ "./dir//..///file", 0 },
		{ "../root/file", 0 },
		{ "relative", ELOOP },
		{ "up", ELOOP },
		{ "to-root/file", ELOOP },
		{ "to-root/../file", ELOOP },
		{ "loop", ELOOP },
		{ "dangling", ELOOP },
		{ "missing", ENOENT },
		{ "file/x", ENOTDIR },
		{ "", ENOENT },
		{ "/proc/self/root", ELOOP },
		{ "/proc/self/status", ELOOP },
		{ "/proc/thread-self/cwd/.", ELOOP },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		autoclose int fd = fd_try_open_without_links(root, rows[i].path, O_RDONLY);

		if (rows[i].error)
			is_number(fd, -rows[i].error, "without links: '%s' is refused", rows[i].path);
		else
			is_number(reached(fd), 'i', "without links: '%s' is opened", rows[i].path);
	}

	autoclose int absolute = fd_try_open_without_links(root, "/proc/version", O_PATH);

	ok(is_cloexec(absolute), "without links: an absolute path, close-on-exec");
	is_number(fd_try_open_without_links(root, "relative", O_PATH | O_NOFOLLOW) >= 0, 1,
		"without links: O_PATH and O_NOFOLLOW open a last one itself");
}

static void test_mount_ids(void)
{
	autoclose int top = fd_open(AT_FDCWD, "/", O_PATH), again = fd_open(AT_FDCWD, "/..", O_PATH);
	autoclose int proc = fd_open(AT_FDCWD, "/proc", O_PATH), file = fd_open(root, "file", O_PATH);

	ok(fd_mount_id(AT_FDCWD, "/", 0) > 0, "mount id: of a path");
	is_number((long)fd_mount_id(AT_FDCWD, "/proc/self", 0),
		(long)fd_mount_id(proc, "", AT_EMPTY_PATH), "mount id: the same for all of a mount");
	is_number((long)fd_mount_id(AT_FDCWD, "/nonexistent", 0), 0, "mount id: none of nothing");
	ok(fd_is_same(top, again), "same: '/' and '/..'");
	ok(!fd_is_same(top, proc), "same: not '/' and '/proc'");
	ok(!fd_is_same(root, file), "same: not a directory and a file in it");
	ok(!fd_is_same(top, -1), "same: not what is not open");
}

/* A process that waits, and one that lets it go on. */
static void test_handing_over(void)
{
	struct fd_list list = { 0 };
	struct stat given, taken;
	int gate[2];

	fd_try_make_gate(gate);
	is_number(fd_try_send(gate[1], root), 0, "an fd goes through a gate");

	int fd = fd_try_receive(gate[0]);

	ok(fd > STDERR_FILENO && fd != root && is_cloexec(fd), "... as another one, that exec closes");
	ok(fstat(root, &given) == 0 && fstat(fd, &taken) == 0 && given.st_ino == taken.st_ino,
		"... of the same file");
	is_number(fd_try_send(gate[1], 9999), -EBADF, "... only if it is open");
	fd_try_knock(gate[1]);
	is_number(fd_try_receive(gate[0]), -EMFILE, "... and a byte without one is none");
	fd_close(&gate[0]);
	is_number(fd_try_send(gate[1], root), -EPIPE, "... nobody is left to take it");
	fd_close(&gate[1]);

	int handed = fd;

	fd_hand_over(&list, &handed);
	ok(handed == -1 && list.count == 1 && list.list[0] == fd && !is_cloexec(fd),
		"fd_hand_over leaves it to the next program alone");
	close(fd);
}

static void test_gates(void)
{
	int gate[2];

	is_number(fd_try_make_gate(gate), 0, "a gate");
	ok(is_cloexec(gate[0]) && is_cloexec(gate[1]), "... that exec closes");
	is_number(fd_try_poll(gate[0], 0), 0, "... nobody has knocked");
	is_number(fd_try_knock(gate[1]), 0, "... knock");
	is_number(fd_try_poll(gate[0], -1), 1, "... which shows");
	is_number(fd_try_await(gate[0]), 0, "... and lets go on");
	fd_close(&gate[0]);
	/* A pipe would be the end of this process here. */
	is_number(fd_try_knock(gate[1]), -EPIPE, "... nobody is left to hear");
	fd_close(&gate[1]);
	fd_try_make_gate(gate);
	fd_close(&gate[1]);
	is_number(fd_try_await(gate[0]), -EPIPE, "... nobody is left to knock");
	is_number(fd_try_receive(gate[0]), -EPIPE, "... nor to hand anything over");
	fd_close(&gate[0]);
	is_number(fd_try_poll(9999, 0), 1, "poll: what is not open is no reason to wait");
}

static void test_read_all(void)
{
	static char long_text[100000];
	char *text = NULL;
	int fd = fd_try_create(root, "long", O_WRONLY, 0600);

	memset(long_text, 'x', sizeof(long_text));
	ok(write(fd, long_text, sizeof(long_text)) == sizeof(long_text), "a long file");
	fd_close(&fd);
	is_number(fd_try_read_all(root, "long", &text), 0, "... is read");
	ok(text && strlen(text) == sizeof(long_text) && text[0] == 'x', "... as a whole");
	free(text);
	is_number(fd_try_read_all(root, "missing", &text), -ENOENT, "read all: of nothing");
	is_number(fd_try_read_all(root, ".", &text), -EISDIR, "read all: of a directory");
	unlinkat(root, "long", 0);
}

static void test_inherited(void)
{
	int fd = fd_open(AT_FDCWD, "/dev/null", O_RDONLY);

	ok(!fd_is_inherited(fd), "an fd of this program's own is not inherited");
	fcntl(fd, F_SETFD, 0);
	ok(fd_is_inherited(fd), "one that exec leaves open may be");
	close(fd);
	ok(!fd_is_inherited(fd), "one that is not open is not");
}

int main(void)
{
	make_tree();
	test_gates();
	test_handing_over();
	test_read_all();
	test_inherited();
	test_mount_ids();
	test_scope();
	test_open();
	test_read();
	test_read_more();
	test_write();
	test_write_part();
	test_inside();
	test_inside_links();
	test_without_links();
	test_fill_standard();
	test_close_others();
	fd_close(&root);
	remove_directory(base);
	return tap_end();
}
