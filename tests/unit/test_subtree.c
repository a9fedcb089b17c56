/*
 * subtree: who moves aside, what is handed down, and that it is put back. The kernel is one of this test's own making: a group is a directory, and
 * write(), mkdirat() and unlinkat(), which are defined here, do to its files what the kernel would.
 */
#include "common/subtree.h"

#include "tests/unit/groups.h"

#include <sys/file.h>
#include <sys/syscall.h>

#define ROOM "cgrun-1-00000000.self"
#define PARENT "0"

/* --- a kernel --- */

/* A group in which it happens. Lists of processes have '@' for the process of the test. */
struct machine {
	const char *name;
	const char *type; /* NULL: it is the root of the hierarchy */
	const char *processes;
	const char *handed_down;
	const char *groups;  /* another group below it */
	const char *refused; /* a controller that cannot be handed down */
	const char *ended;   /* a process that is not there any more when it is moved */
	const char *fixed;   /* one that must not be moved */
	const char *forked;  /* one that comes up when another is moved */
};

static const struct machine *machine; /* NULL: the kernel is the real one */

/* Adds WORD to the list in the file PATH, or takes it away. */
static void change_list(const char *path, const char *word, bool add, char separator)
{
	const char *cursor = groups_read(path);
	char text[256] = "";
	size_t used = 0;

	if (strcmp(cursor, "(unreadable)") == 0)
		return;
	while (*cursor) {
		size_t length = strcspn(cursor, " \n");
		bool same = length == strlen(word) && strncmp(cursor, word, length) == 0;

		if (length && !same)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%.*s%c",
				(int)length, cursor, separator);
		cursor += length + (cursor[length] != '\0');
	}
	if (add)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%c", word, separator);
	if (used)
		text[used - 1] = '\n';

	const struct machine *saved = machine;

	machine = NULL;
	groups_write(path, text);
	machine = saved;
}

static int change_control(const char *path, const char *text)
{
	char words[256];
	char *cursor = words;

	snprintf(words, sizeof(words), "%s", text);
	for (char *word; (word = strsep(&cursor, " "));) {
		if (word[0] == '+' && machine->refused && strcmp(word + 1, machine->refused) == 0)
			return EBUSY;
		if (word[0] != '+' && word[0] != '-')
			return EINVAL;
	}
	snprintf(words, sizeof(words), "%s", text);
	cursor = words;
	for (char *word; (word = strsep(&cursor, " "));) {
		change_list(path, word + 1, false, ' ');
		if (word[0] == '+')
			change_list(path, word + 1, true, ' ');
	}
	return 0;
}

static int move(const char *path, const char *pid)
{
	static bool forked;
	char self[16];

	snprintf(self, sizeof(self), "%d", (int)getpid());
	if (machine->ended && strcmp(pid, machine->ended) == 0) {
		change_list(PARENT "/cgroup.procs", pid, false, '\n');
		return ESRCH;
	}
	if (machine->fixed && strcmp(pid, machine->fixed) == 0)
		return EPERM;
	if (strcmp(pid, "0") == 0)
		pid = self;
	change_list(PARENT "/cgroup.procs", pid, false, '\n');
	change_list(PARENT "/" ROOM "/cgroup.procs", pid, false, '\n');
	change_list(path, pid, true, '\n');
	/* By then the list has been read. */
	if (machine->forked && !forked && pid != self) {
		change_list(PARENT "/cgroup.procs", machine->forked, true, '\n');
		forked = true;
	}
	return 0;
}

/* The file that FD is, below the directory of the test. False if it is another one. */
static bool find_path(int fd, char *path, size_t size)
{
	char link[64], target[512];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, target, sizeof(target) - 1);
	if (length < 0)
		return false;
	target[length] = '\0';
	if (strncmp(target, groups_base, strlen(groups_base)) != 0)
		return false;
	snprintf(path, size, "%s", target + strlen(groups_base) + 1);
	return true;
}

ssize_t write(int fd, const void *data, size_t length)
{
	char path[512], text[256];
	bool self;
	int error;

	if (!machine || !find_path(fd, path, sizeof(path)))
		return syscall(SYS_write, fd, data, length);
	snprintf(text, sizeof(text), "%.*s", (int)length, (const char *)data);
	self = strtol(text, NULL, 10) == getpid();
	printf("%s=%s|", path + strlen(PARENT) + 1, self ? "@" : text);
	error = strstr(path, "cgroup.procs") ? move(path, text) : change_control(path, text);
	if (error == 0)
		return (ssize_t)length;
	errno = error;
	return -1;
}

int mkdirat(int fd, const char *path, mode_t mode)
{
	char whole[512];

	if (syscall(SYS_mkdirat, fd, path, mode) < 0)
		return -1;
	if (machine && find_path(fd, whole, sizeof(whole)))
		printf("make %s|", path);
	if (machine) {
		const struct machine *saved = machine;
		char procs[512];

		machine = NULL;
		snprintf(procs, sizeof(procs), "%s/%s/cgroup.procs", PARENT, path);
		make_file(groups_directory, procs, 0600, "");
		machine = saved;
	}
	return 0;
}

int unlinkat(int fd, const char *path, int flags)
{
	char procs[512];

	if (machine && flags & AT_REMOVEDIR) {
		snprintf(procs, sizeof(procs), "%s/%s/cgroup.procs", PARENT, path);
		printf("remove %s|", path);
		if (faccessat(groups_directory, procs, F_OK, 0) == 0 && groups_read(procs)[0]) {
			errno = EBUSY;
			return -1;
		}
		syscall(SYS_unlinkat, groups_directory, procs, 0);
	}
	return (int)syscall(SYS_unlinkat, fd, path, flags);
}

static void build(const struct machine *built)
{
	char processes[256] = "";
	size_t used = 0;

	groups_clear(PARENT);
	if (built->type)
		groups_write(PARENT "/cgroup.type", built->type);
	for (const char *cursor = built->processes; *cursor; cursor++) {
		if (*cursor == '@')
			used += (size_t)snprintf(
				processes + used, sizeof(processes) - used, "%d", (int)getpid());
		else
			used += (size_t)snprintf(processes + used, sizeof(processes) - used, "%c",
				*cursor == ' ' ? '\n' : *cursor);
	}
	snprintf(processes + used, sizeof(processes) - used, "%s", used ? "\n" : "");
	groups_write(PARENT "/cgroup.procs", processes);
	groups_write(PARENT "/cgroup.subtree_control", built->handed_down);
	if (built->groups && built->groups[0]) {
		char path[64];

		snprintf(path, sizeof(path), PARENT "/%s/cgroup.procs", built->groups);
		groups_write(path, "");
	}
	machine = built;
}

/* What is in a file, with '@' for this process, and spaces. */
static void print_file(const char *path)
{
	char text[256], self[16];
	char *cursor = text;
	const char *gap = "";

	snprintf(text, sizeof(text), "%s", groups_read(path));
	snprintf(self, sizeof(self), "%d", (int)getpid());
	for (char *word; (word = strsep(&cursor, " \n"));) {
		printf("%s%s", gap, strcmp(word, self) == 0 ? "@" : word);
		gap = " ";
	}
}

/* --- handing down --- */

struct handing {
	struct machine machine;
	const char *enable, *wish;
	int watcher;
	bool evacuate;
	bool done;
	const char *writes;      /* each with '|' behind it */
	const char *handed_down; /* afterwards */
	const char *message;     /* part of standard error; "" for nothing at all */
	const char *restored; /* what is written to put it back, and '=' what is handed down then */
};

#define DOMAIN "domain"
#define CONTROL "cgroup.subtree_control="
#define ASIDE "make " ROOM "|" ROOM "/cgroup.procs=0|"
#define BACK "cgroup.procs="
#define REFUSED "cannot hand '+memory' down: the cgroup above holds other processes\n"

static const struct handing handings[] = {
	/* no process is in the way */
	{ { "nothing is needed", DOMAIN, "@ 5", "" }, "", "", 0, false, true, "", "", "", "=" },
	{ { "all is there", DOMAIN, "@ 5", "cpu memory pids" }, "+memory +pids", "+cpu", 0, false,
		true, "", "cpu memory pids", "", "=cpu memory pids" },
	{ { "the root", NULL, "1 2 @", "" }, "+memory +pids", "", 0, false, true,
		CONTROL "+memory +pids|" CONTROL "+memory|" CONTROL "+pids|", "memory pids", "",
		CONTROL "-memory|" CONTROL "-pids|=" },
	{ { "an empty group", DOMAIN, "", "" }, "+memory", "", 0, false, true,
		CONTROL "+memory|" CONTROL "+memory|", "memory", "", CONTROL "-memory|=" },
	{ { "only what is missing", DOMAIN, "", "cpu" }, "+cpu +memory", "", 0, false, true,
		CONTROL "+memory|" CONTROL "+memory|", "cpu memory", "", CONTROL "-memory|=cpu" },
	{ { "a name that is part of another", DOMAIN, "", "cpuset" }, "+cpu", "", 0, false, true,
		CONTROL "+cpu|" CONTROL "+cpu|", "cpuset cpu", "", CONTROL "-cpu|=cpuset" },
	{ { "a name that another is part of", DOMAIN, "", "cpu" }, "+cpuset", "", 0, false, true,
		CONTROL "+cpuset|" CONTROL "+cpuset|", "cpu cpuset", "", CONTROL "-cpuset|=cpu" },
	{ { "one that is refused", NULL, "1", "", .refused = "memory" }, "+memory +pids", "", 0,
		false, false, CONTROL "+memory +pids|", "",
		"cannot enable in cgroup.subtree_control '+memory +pids': ",
		CONTROL "-memory|" CONTROL "-pids|=" },
	{ { "it stays for another group", NULL, "1", "", "job" }, "+memory", "", 0, false, true,
		CONTROL "+memory|" CONTROL "+memory|", "memory", "", "=memory" },
	{ { "another room is no other group", NULL, "1", "", "cgrun-2-00000000.self" }, "+memory",
		"", 0, false, true, CONTROL "+memory|" CONTROL "+memory|", "memory", "",
		CONTROL "-memory|remove cgrun-2-00000000.self|=" },
	{ { "what another has left with its room", NULL, "1", "cpu", "cgrun-2-00000000.self" },
		"+memory", "", 0, false, true, CONTROL "+memory|" CONTROL "+memory|", "cpu memory",
		"", CONTROL "-memory|" CONTROL "-cpu|remove cgrun-2-00000000.self|=" },
	/* wishes */
	{ { "wishes", NULL, "1", "" }, "", "+cpu +io", 0, false, true,
		CONTROL "+cpu|" CONTROL "+io|", "cpu io", "", CONTROL "-cpu|" CONTROL "-io|=" },
	{ { "a wish that is refused", NULL, "1", "", .refused = "cpu" }, "", "+cpu +io", 0, false,
		true, CONTROL "+cpu|" CONTROL "+io|", "io", "", CONTROL "-cpu|" CONTROL "-io|=" },
	{ { "a wish beside what is needed", NULL, "1", "", .refused = "cpu" }, "+memory", "+cpu +io",
		0, false, true, CONTROL "+memory|" CONTROL "+memory|" CONTROL "+cpu|" CONTROL "+io|",
		"memory io", "", CONTROL "-memory|" CONTROL "-cpu|" CONTROL "-io|=" },
	{ { "wished and needed", NULL, "1", "" }, "+cpu", "+cpu", 0, false, true,
		CONTROL "+cpu|" CONTROL "+cpu|", "cpu", "", CONTROL "-cpu|=" },
	{ { "wishes are no reason to move others", DOMAIN, "@ 5", "" }, "", "+cpu", 0, false, true,
		"", "", "", "=" },
	{ { "wishes with others, beside what is there", DOMAIN, "@ 5", "memory" }, "+memory",
		"+cpu", 0, false, true, "", "memory", "", "=memory" },
	{ { "a wish moves this process", DOMAIN, "@", "" }, "", "+cpu", 0, false, true,
		ASIDE CONTROL "+cpu|", "cpu", "", CONTROL "-cpu|" BACK "@|remove " ROOM "|=" },
	/* this process stands aside */
	{ { "this process alone", DOMAIN, "@", "" }, "+memory", "", 0, false, true,
		ASIDE CONTROL "+memory|" CONTROL "+memory|", "memory", "",
		CONTROL "-memory|" BACK "@|remove " ROOM "|=" },
	{ { "this process and its watcher", DOMAIN, "77 @", "" }, "+memory", "", 77, false, true,
		ASIDE ROOM "/cgroup.procs=77|" CONTROL "+memory|" CONTROL "+memory|", "memory", "",
		CONTROL "-memory|" BACK "@|" BACK "77|remove " ROOM "|=" },
	{ { "the watcher has ended", DOMAIN, "77 @", "", .ended = "77" }, "+memory", "", 77, false,
		true, ASIDE ROOM "/cgroup.procs=77|" CONTROL "+memory|" CONTROL "+memory|",
		"memory", "", CONTROL "-memory|" BACK "@|remove " ROOM "|=" },
	{ { "this process, and another group", DOMAIN, "@", "", "job" }, "+memory", "", 0, false,
		true, ASIDE CONTROL "+memory|" CONTROL "+memory|", "memory", "", "=memory" },
	{ { "this process, which may not be moved", DOMAIN, "@", "", .fixed = "0" }, "+memory", "",
		0, false, false, ASIDE, "",
		"cannot move a process into the cgroup '" ROOM
		"/cgroup.procs': Operation not permitted\n",
		"remove " ROOM "|=" },
	{ { "this process, for what is refused", DOMAIN, "@", "", .refused = "memory" }, "+memory",
		"", 0, false, false, ASIDE CONTROL "+memory|", "", "cannot enable",
		CONTROL "-memory|" BACK "@|remove " ROOM "|=" },
	/* others are in the way */
	{ { "another process", DOMAIN, "@ 5", "" }, "+memory", "", 0, false, false, "", "", REFUSED,
		"=" },
	{ { "another process alone", DOMAIN, "5", "" }, "+memory", "", 0, false, false, "", "",
		REFUSED, "=" },
	{ { "another beside the watcher", DOMAIN, "@ 77 5", "" }, "+memory", "", 77, false, false,
		"", "", REFUSED, "=" },
	{ { "one whose number is like the watcher's", DOMAIN, "@ 777", "" }, "+memory", "", 77,
		false, false, "", "", REFUSED, "=" },
	{ { "one of another PID namespace", DOMAIN, "@ 0", "" }, "+memory", "", 0, false, false, "",
		"", REFUSED, "=" },
	{ { "the hint", DOMAIN, "5", "" }, "+memory", "", 0, false, false, "", "",
		"hint: no internal processes (cgroups(7)): --evacuate moves them aside, --parent=GROUP takes another place, or: try-this\n",
		"=" },
	/* others are moved */
	{ { "evacuate others", DOMAIN, "@ 5 6", "" }, "+memory", "", 0, true, true,
		ASIDE ROOM "/cgroup.procs=5|" ROOM "/cgroup.procs=6|" CONTROL "+memory|" CONTROL
			   "+memory|",
		"memory", "", CONTROL "-memory|" BACK "@|" BACK "5|" BACK "6|remove " ROOM "|=" },
	{ { "evacuate others and the watcher", DOMAIN, "@ 77 5", "" }, "+memory", "", 77, true, true,
		ASIDE ROOM "/cgroup.procs=77|" ROOM "/cgroup.procs=5|" CONTROL "+memory|" CONTROL
			   "+memory|",
		"memory", "", CONTROL "-memory|" BACK "@|" BACK "77|" BACK "5|remove " ROOM "|=" },
	{ { "evacuate one that forks", DOMAIN, "@ 5", "", .forked = "6" }, "+memory", "", 0, true, true,
		ASIDE ROOM "/cgroup.procs=5|" ROOM "/cgroup.procs=6|" CONTROL "+memory|" CONTROL
			   "+memory|",
		"memory", "", CONTROL "-memory|" BACK "@|" BACK "5|" BACK "6|remove " ROOM "|=" },
	{ { "evacuate one that has ended", DOMAIN, "@ 5 6", "", .ended = "5" }, "+memory", "", 0,
		true, true,
		ASIDE ROOM "/cgroup.procs=5|" ROOM "/cgroup.procs=6|" CONTROL "+memory|" CONTROL
			   "+memory|",
		"memory", "", CONTROL "-memory|" BACK "@|" BACK "6|remove " ROOM "|=" },
	{ { "evacuate one that may not be moved", DOMAIN, "@ 5 6", "", .fixed = "5" }, "+memory",
		"", 0, true, false, ASIDE ROOM "/cgroup.procs=5|", "",
		"cannot move a process into the cgroup '" ROOM
		"/cgroup.procs': Operation not permitted\n",
		BACK "@|remove " ROOM "|=" },
	{ { "evacuate one of another PID namespace", DOMAIN, "@ 0", "" }, "+memory", "", 0, true, false,
		ASIDE, "", "cannot move a process of another PID namespace out of the own cgroup\n",
		BACK "@|remove " ROOM "|=" },
	{ { "evacuate nobody", DOMAIN, "", "" }, "+memory", "", 0, true, true,
		CONTROL "+memory|" CONTROL "+memory|", "memory", "", CONTROL "-memory|=" },
	{ { "evacuate for wishes", DOMAIN, "@ 5", "" }, "", "+cpu", 0, true, true,
		ASIDE ROOM "/cgroup.procs=5|" CONTROL "+cpu|", "cpu", "",
		CONTROL "-cpu|" BACK "@|" BACK "5|remove " ROOM "|=" },
};

static int hand_down(const void *data)
{
	const struct handing *row = data;
	struct subtree subtree = { .room = ROOM, .evacuate = row->evacuate, .advice = "try-this" };
	autoclose int parent = -1;
	bool done;

	snprintf(subtree.enable, sizeof(subtree.enable), "%s", row->enable);
	snprintf(subtree.wish, sizeof(subtree.wish), "%s", row->wish);
	build(&row->machine);
	parent = fd_open(groups_directory, PARENT, O_PATH | O_DIRECTORY);
	done = subtree_hand_down(&subtree, parent, row->watcher);
	printf("\n");
	print_file(PARENT "/cgroup.subtree_control");
	printf("\n");
	subtree_restore(&subtree, parent);
	printf("=");
	print_file(PARENT "/cgroup.subtree_control");
	printf("\n");
	print_file(PARENT "/cgroup.procs");
	return done ? 42 : 43;
}

static size_t count_words(const char *list)
{
	size_t count = 0;

	for (; *list; list += strcspn(list, " "), list += *list != '\0')
		count++;
	return count;
}

/* Whether the processes of LIST are those that were there, as far as they have not ended. */
static bool are_back(const struct machine *before, const char *list)
{
	size_t wanted = count_words(before->processes);
	const char *cursor = before->processes;
	char now[256], entry[32];

	snprintf(now, sizeof(now), " %s ", list);
	while (*cursor) {
		int length = (int)strcspn(cursor, " ");

		snprintf(entry, sizeof(entry), " %.*s ", length, cursor);
		cursor += length + (cursor[length] != '\0');
		if (!strstr(now, entry) &&
			!(before->ended && strncmp(before->ended, entry + 1, (size_t)length) == 0))
			return false;
	}
	return count_words(list) == wanted + (before->forked != NULL) - (before->ended != NULL);
}

static void test_handings(void)
{
	for (size_t i = 0; i < TAP_ROWS(handings); i++) {
		const struct handing *row = &handings[i];
		struct outcome outcome = run(hand_down, row);
		char *cursor = outcome.out;

		is_exit(&outcome, row->done ? 42 : 43, "hand down: %s", row->machine.name);
		is_text(strsep(&cursor, "\n"), row->writes, "... what is written");
		is_text(cursor ? strsep(&cursor, "\n") : NULL, row->handed_down,
			"... what is handed down");
		is_text(cursor ? strsep(&cursor, "\n") : NULL, row->restored, "... what is put back");
		/* Beside another group the room stays. */
		if (!row->machine.groups || strncmp(row->machine.groups, "job", 3) != 0)
			ok(are_back(&row->machine, cursor ? cursor : ""), "... and who");
		if (row->message[0])
			has_text(outcome.err, row->message, "... message");
		else
			is_text(outcome.err, "", "... no message");
	}
}

/* --- the lock --- */

struct locking {
	const char *name;
	const char *enable, *wish;
	int held;   /* LOCK_SH or LOCK_EX, by another process; 0 */
	int status; /* 42: locked, 43: not needed */
};

static int take_lock(const void *data)
{
	static const struct machine root = { "", NULL, "1", "memory" };
	const struct locking *row = data;
	struct subtree subtree = { .room = ROOM };
	autoclose int parent = -1, maker = -1, other = -1;
	int lock;

	build(&root);
	parent = fd_open(groups_directory, PARENT, O_PATH | O_DIRECTORY);
	/* Whoever has made the group above holds this one as long as it lives. */
	maker = fd_open(groups_directory, PARENT, O_RDONLY | O_DIRECTORY);
	flock(maker, LOCK_EX);
	other = fd_open(groups_directory, PARENT "/cgroup.subtree_control", O_RDONLY);

	snprintf(subtree.enable, sizeof(subtree.enable), "%s", row->enable);
	snprintf(subtree.wish, sizeof(subtree.wish), "%s", row->wish);
	if (row->held)
		flock(other, row->held);
	lock = subtree_lock(&subtree, parent);
	if (lock < 0)
		return 43;
	if (!(fcntl(lock, F_GETFD) & FD_CLOEXEC))
		return 1;
	return flock(other, LOCK_EX | LOCK_NB) < 0 && flock(other, LOCK_SH | LOCK_NB) == 0 ? 42 : 2;
}

/* Exits with 42 if what was handed down is put back while another process holds a lock, 43 if not. */
static int restore_locked(const void *data)
{
	static const struct machine root = { "", NULL, "1", "memory" };
	struct subtree subtree = { .room = ROOM, .enabled = "+memory" };
	autoclose int parent = -1, other = -1;

	build(&root);
	parent = fd_open(groups_directory, PARENT, O_PATH | O_DIRECTORY);
	other = fd_open(groups_directory, PARENT "/cgroup.subtree_control", O_RDONLY);
	flock(other, *(const int *)data);
	subtree_restore(&subtree, parent);
	return groups_read(PARENT "/cgroup.subtree_control")[0] ? 43 : 42;
}

static void test_lock(void)
{
	static const struct locking rows[] = {
		{ "nothing needed", "", "", 0, 43 },
		{ "nothing needed, locked", "", "", LOCK_EX, 43 },
		{ "something needed", "+cpu", "", 0, 42 },
		{ "something wished", "", "+cpu", 0, 42 },
		{ "another makes a group as well", "+cpu", "", LOCK_SH, 42 },
		{ "another does not let go", "+cpu", "", LOCK_EX, 125 },
	};
	static const int locks[] = { LOCK_UN, LOCK_SH, LOCK_EX };
	struct outcome outcome;

	groups_clear(PARENT);
	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		outcome = run(take_lock, &rows[i]);
		is_exit(&outcome, rows[i].status, "lock: %s", rows[i].name);
		has_text(outcome.err, rows[i].status == 125 ? "another process has locked" : "",
			"... message");
	}
	for (size_t i = 0; i < TAP_ROWS(locks); i++) {
		outcome = run(restore_locked, &locks[i]);
		is_exit(&outcome, i ? 43 : 42, "it is %sput back while another has %s",
			i ? "not " : "", i ? "a lock" : "none");
		is_text(outcome.err, "", "... without a message");
	}
	groups_clear(PARENT);
}

/* --- stepping aside --- */

static int step_aside(const void *data)
{
	static const struct machine domain = { "", DOMAIN, "5", "memory" };
	struct subtree subtree = { .room = ROOM, .evacuate = true };
	autoclose int parent = -1;

	build(&domain);
	if (data) {
		machine = NULL;
		groups_write(PARENT "/" ROOM "/cgroup.procs", "");
		machine = &domain;
	}
	parent = fd_open(groups_directory, PARENT, O_PATH | O_DIRECTORY);
	return subtree_step_aside(&subtree, parent) ? 42 : 43;
}

static void test_aside(void)
{
	struct outcome outcome = run(step_aside, NULL);

	is_exit(&outcome, 42, "step aside");
	is_text(outcome.out, ASIDE, "... into the room, alone");
	outcome = run(step_aside, "there");
	is_exit(&outcome, 42, "step aside where the room is still there");
	is_text(outcome.out, ROOM "/cgroup.procs=0|", "... into it");
	groups_clear(PARENT);
}

/* --- limits of a room --- */

static void test_unlimited(void)
{
	static const struct {
		const char *file, *text; /* beside files that are no limits */
		bool unlimited;
	} rows[] = {
		{ "memory.current", "4096\n", true },
		{ "memory.max", "max\n", true },
		{ "memory.max", "4096\n", false },
		{ "memory.max", "0\n", false },
		{ "memory.high", "max\n", true },
		{ "memory.high", "4096\n", false },
		{ "memory.swap.max", "0\n", false },
		{ "memory.low", "4096\n", true },
		{ "pids.max", "max\n", true },
		{ "pids.max", "5\n", false },
		{ "cpu.max", "max 100000\n", true },
		{ "cpu.max", "50000 100000\n", false },
		{ "cpu.weight", "5\n", true },
		{ "io.max", "", true },
		{ "io.max", "\n", true },
		{ "io.max", "8:0 rbps=1 wbps=max riops=max wiops=max\n", false },
		{ "cgroup.max.depth", "max\n", true },
		{ "cgroup.max.descendants", "max\n", true },
		{ "cpuset.cpus", "\n", true },
		{ "cpuset.cpus", "0\n", false },
		{ "cpuset.mems", "0\n", false },
		{ "cpuset.cpus.effective", "0\n", true },
		{ "hugetlb.2MB.max", "max\n", true },
		{ "hugetlb.2MB.max", "0\n", false },
	};
	char path[sizeof(groups_base) + 16];

	snprintf(path, sizeof(path), "%s/" PARENT, groups_base);
	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		char file[64];

		groups_clear(PARENT);
		snprintf(file, sizeof(file), PARENT "/%s", rows[i].file);
		groups_write(PARENT "/cgroup.procs", "1\n");
		groups_write(PARENT "/memory.peak", "5\n");
		groups_write(file, rows[i].text);
		ok(subtree_is_unlimited(path) == rows[i].unlimited, "%s of '%s' is %s limit",
			rows[i].file, tap_show(rows[i].text), rows[i].unlimited ? "no" : "a");
	}
	groups_clear(PARENT);
	ok(!subtree_is_unlimited("/nonexistent"), "what is not there is not without limits");
}

/* --- names --- */

static void test_rooms(void)
{
	static const struct {
		const char *name;
		bool room;
	} rows[] = {
		{ ROOM, true },
		{ "cgrun-4194304-ffffffff.self", true },
		{ "cgrun-.self", true },
		{ "cgrun-1-00000000", false },
		{ "cgrun-1-00000000.exec", false },
		{ "cgrun-1-00000000.self2", false },
		{ "cgrun-1-00000000.selfs", false },
		{ "cgrun-1-00000000self", false },
		{ "cgrun-", false },
		{ "cgrun-self", false },
		{ "cgrun.self", false },
		{ "xcgrun-1-00000000.self", false },
		{ "job.self", false },
		{ ".self", false },
		{ "self", false },
		{ "", false },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++)
		ok(subtree_is_room(rows[i].name) == rows[i].room, "'%s' is %sa room", rows[i].name,
			rows[i].room ? "" : "not ");
}

static void test_add(void)
{
	static const struct {
		const char *list;
		const char *controller;
		const char *wanted;
	} rows[] = {
		{ "", "cpu", "+cpu" },
		{ "+cpu", "memory", "+cpu +memory" },
		{ "+cpu", "cpu", "+cpu" },
		{ "+cpu +memory +io", "memory", "+cpu +memory +io" },
		{ "+cpu +memory +io", "io", "+cpu +memory +io" },
		{ "+cpuset", "cpu", "+cpuset +cpu" },
		{ "+cpu", "cpuset", "+cpu +cpuset" },
		{ "+cpu", "pu", "+cpu +pu" },
	};

	for (size_t i = 0; i < TAP_ROWS(rows); i++) {
		char list[64];

		snprintf(list, sizeof(list), "%s", rows[i].list);
		subtree_add(list, sizeof(list), rows[i].controller);
		is_text(list, rows[i].wanted, "add %s to '%s'", rows[i].controller, rows[i].list);
	}

	char list[12 + 4] = "";

	memset(list + 12, '!', 4);
	subtree_add(list, 12, "cpu");
	subtree_add(list, 12, "controller");
	ok(memcmp(list + 12, "!!!!", 4) == 0 && strnlen(list, 12) < 12, "a list stays in its place");
}

int main(void)
{
	groups_begin();
	test_handings();
	test_lock();
	test_aside();
	test_unlimited();
	test_rooms();
	test_add();
	groups_end();
	return tap_end();
}
