/*
 * grab DIR: attacks, again and again until DIR/stop is there, every program, directory and file that /proc shows of the other processes and that is
 * on no mount of its own: overwrites it, makes the mount writable, or a copy of the mount, and all that also in a new user namespace. What it found
 * it tries once more when asked to by DIR/ask, which it removes then, and at the end. If DIR/take is there it takes the mounts themselves away.
 *   target PATH NAME   something that ends with the line of a copy (below), or a directory with such a link in it
 *   sees PATH NAME     something else; of a directory, what else it holds
 *   wrote NAME HOW     an attack that succeeded
 *   met N, refused N, targets N   at the end: processes, times that it was not let in, and what it attacked
 * Only files with that line are written to: a test that fails harms nothing else. By any other name than grab it only tells that it ran, on
 * standard output and in the file /evil.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEPT = 400, PATH = 512, MOUNTS = 1024 };

/* Behind it are the byte to overwrite and a newline. */
static const char copy_line[] = "\nthis copy may be overwritten: ";
static const char *const links[] = { "nsnew", "nsjoin", "cgrun", "capjail", "rootjail", "nsmount" };
enum { LINKS = sizeof(links) / sizeof(*links) };

static struct target {
	int file;
	bool is_directory;
	uint64_t mount, inode;
} kept[KEPT];
static size_t kept_count;
static struct {
	uint64_t mount, inode;
} seen[KEPT];
static size_t seen_count;
static unsigned long targets, met, refused;
static uint64_t own_mounts[MOUNTS];
static size_t own_mounts_count;
static struct stat root;
static char take[PATH];
static const char place[2][32] = { "/tmp/grab.file", "/tmp/grab.directory" };

static void say(const char *what, const char *path, const char *name)
{
	printf("%s %s %s\n", what, path, name);
	fflush(stdout);
}

/* --- writing --- */

/* How large the file is if it may be overwritten, else 0. */
static off_t marked(int at, const char *path)
{
	char end[sizeof(copy_line) + 1] = "";
	struct stat status;
	int file = openat(at, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool is_copy = file >= 0 && fstat(file, &status) == 0 && S_ISREG(status.st_mode) &&
		status.st_size > (off_t)sizeof(end) &&
		pread(file, end, sizeof(end), status.st_size - (off_t)sizeof(end)) == sizeof(end) &&
		memcmp(end, copy_line, sizeof(copy_line) - 1) == 0;

	if (file >= 0)
		close(file);
	return is_copy ? status.st_size : 0;
}

/* What can be done with a file that is open for writing; NULL if nothing. */
static const char *spoil(int file, off_t size)
{
	struct stat status;
	off_t page = (size - 2) & ~(off_t)4095;

	if (pwrite(file, "X", 1, size - 2) == 1)
		return "write";

	char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, page);

	if (map != MAP_FAILED) {
		map[size - 2 - page] = 'X';
		munmap(map, 4096);
		return "mmap";
	}
	if (fcntl(file, F_ADD_SEALS, F_SEAL_GROW) == 0)
		return "seals";
	if (ftruncate(file, size + 1) == 0 || ftruncate(file, size - 1) == 0)
		return "ftruncate";
	return fstat(file, &status) == 0 && status.st_size != size ? "truncate" : NULL;
}

static bool overwrite(int at, const char *path, const char *way, const char *name)
{
	static const int modes[] = { O_WRONLY, O_RDWR, O_RDWR | O_TRUNC };
	char how[64];
	off_t size = marked(at, path);

	for (size_t i = 0; size > 0 && i < sizeof(modes) / sizeof(*modes); i++) {
		int file = openat(at, path, modes[i] | O_CLOEXEC);
		const char *done = file >= 0 ? spoil(file, size) : NULL;

		if (file >= 0)
			close(file);
		if (done) {
			snprintf(how, sizeof(how), "%s by %s", way, done);
			say("wrote", name, how);
			return true;
		}
	}
	return false;
}

static const char *own_path(int file)
{
	static char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	return path;
}

/* What FILE leads to: itself, or all links of the directory. */
static void overwrite_all(int file, bool is_directory, const char *way)
{
	char name[PATH] = "?";
	ssize_t length = readlink(own_path(file), name, sizeof(name) - 1);

	if (length >= 0)
		name[length] = '\0';
	if (!is_directory) {
		overwrite(AT_FDCWD, own_path(file), way, name);
		return;
	}
	for (size_t i = 0; i < LINKS; i++)
		overwrite(file, links[i], way, links[i]);

	int made = openat(file, "grabbed", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (made >= 0) {
		close(made);
		unlinkat(file, "grabbed", 0);
		say("wrote", name, "a new file");
	}
}

/* --- mounts --- */

static void clear_read_only(int file)
{
	struct mount_attr attr = { .attr_clr = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
			MOUNT_ATTR_NODEV };

	if (syscall(SYS_mount_setattr, file, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0) {
		attr.attr_clr = MOUNT_ATTR_RDONLY;
		syscall(SYS_mount_setattr, file, "", AT_EMPTY_PATH, &attr, sizeof(attr));
	}
}

static void reconfigure(const char *path)
{
	int context = (int)syscall(SYS_fspick, AT_FDCWD, path, FSPICK_CLOEXEC);

	mount(NULL, path, NULL, MS_REMOUNT | MS_BIND, NULL);
	mount(NULL, path, NULL, MS_REMOUNT, NULL);
	if (context >= 0) {
		syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, "rw", NULL, 0);
		syscall(SYS_fsconfig, context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
		close(context);
	}
}

static bool move_to_place(int file, bool is_directory)
{
	return syscall(SYS_move_mount, file, "", AT_FDCWD, place[is_directory],
		       MOVE_MOUNT_F_EMPTY_PATH) == 0;
}

static void attack_mount(int file, bool is_directory)
{
	clear_read_only(file);
	overwrite_all(file, is_directory, "cleared");

	int clone = (int)syscall(
		SYS_open_tree, file, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (clone < 0)
		return;
	clear_read_only(clone);
	overwrite_all(clone, is_directory, "cloned");
	if (move_to_place(clone, is_directory)) {
		reconfigure(place[is_directory]);
		overwrite_all(clone, is_directory, "moved");
		umount2(place[is_directory], MNT_DETACH);
	}
	close(clone);
}

/* Takes the mount itself, if that is wanted: who has it open is left without. */
static void attack_moved(int file, bool is_directory)
{
	if (access(take, F_OK) < 0 || !move_to_place(file, is_directory))
		return;
	reconfigure(place[is_directory]);
	overwrite_all(file, is_directory, "taken");
}

/* --- the attack --- */

/* The same by one who has no capability to begin with. */
static void attack_as_user(int file, bool is_directory)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
			_exit(1);
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
		attack_mount(file, is_directory);
		attack_moved(file, is_directory);
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static void attack(int file, bool is_directory)
{
	overwrite_all(file, is_directory, "opened");
	attack_mount(file, is_directory);
	attack_moved(file, is_directory);
	attack_as_user(file, is_directory);
}

/* --- looking --- */

static void read_own_mounts(void)
{
	char line[4096];
	FILE *table = fopen("/proc/self/mountinfo", "re");

	own_mounts_count = 0;
	while (table && own_mounts_count < MOUNTS && fgets(line, sizeof(line), table))
		own_mounts[own_mounts_count++] = strtoull(line, NULL, 10);
	if (table)
		fclose(table);
}

static bool is_foreign(int file, struct statx *status)
{
	/* Pidfds, sockets, pipes, namespaces, /proc, and cgroups, by which a link waits. */
	static const unsigned long kinds[] = { 0x50494446, 0x09041934, 0x534f434b, 0x50495045,
		0x6e736673, 0x9fa0, 0x27e0eb, 0x63677270 };
	struct statfs system;

	if (statx(file, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, status) < 0 ||
		fstatfs(file, &system) < 0)
		return false;
	if (!S_ISREG(status->stx_mode) && !S_ISDIR(status->stx_mode))
		return false;
	if (status->stx_ino == root.st_ino &&
		makedev(status->stx_dev_major, status->stx_dev_minor) == root.st_dev)
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if ((unsigned long)system.f_type == kinds[i])
			return false;
	}
	for (size_t i = 0; i < own_mounts_count; i++) {
		if (own_mounts[i] == status->stx_mnt_id)
			return false;
	}
	return true;
}

static bool is_link(const char *name)
{
	for (size_t i = 0; i < LINKS; i++) {
		if (strcmp(name, links[i]) == 0)
			return true;
	}
	return false;
}

/* Whether it holds links; what else it holds is put into OTHER. */
static bool look_into(int file, char *other, size_t size)
{
	int readable = open(own_path(file), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = readable >= 0 ? fdopendir(readable) : NULL;
	bool has_links = false;

	if (!directory)
		return false;
	for (struct dirent *entry; (entry = readdir(directory));) {
		if (is_link(entry->d_name)) {
			has_links |= marked(file, entry->d_name) > 0;
		} else if (entry->d_name[0] != '.') {
			snprintf(other, size, "%s", entry->d_name);
		}
	}
	closedir(directory);
	return has_links;
}

static bool is_seen(const struct statx *status)
{
	for (size_t i = 0; i < seen_count; i++) {
		if (seen[i].mount == status->stx_mnt_id && seen[i].inode == status->stx_ino)
			return true;
	}
	if (seen_count < KEPT) {
		seen[seen_count].mount = status->stx_mnt_id;
		seen[seen_count++].inode = status->stx_ino;
	}
	return false;
}

static bool is_known(const struct statx *status)
{
	for (size_t i = 0; i < kept_count; i++) {
		if (kept[i].mount == status->stx_mnt_id && kept[i].inode == status->stx_ino)
			return true;
	}
	return false;
}

static void try(const char *path)
{
	struct statx status;
	char name[PATH] = "?", other[PATH] = "";
	int file = open(path, O_PATH | O_CLOEXEC);

	if (file < 0) {
		refused += errno == EACCES || errno == EPERM;
		return;
	}
	if (!is_foreign(file, &status) || is_known(&status)) {
		close(file);
		return;
	}

	bool is_directory = S_ISDIR(status.stx_mode);
	ssize_t length = readlink(own_path(file), name, sizeof(name) - 1);

	if (length >= 0)
		name[length] = '\0';

	bool wanted = is_directory ? look_into(file, other, sizeof(other)) :
				     marked(AT_FDCWD, own_path(file)) > 0;

	/* What stands in a toolbox for a link that is not needed. */
	bool blank = strncmp(name, "/memfd:", 7) == 0 && status.stx_size <= 1;

	if ((is_directory ? other[0] : !wanted && !blank) && !is_seen(&status))
		say("sees", path, is_directory ? other : name);
	if (wanted) {
		targets++;
		say("target", path, name);
		attack(file, is_directory);
	}
	if (!wanted || kept_count == KEPT) {
		close(file);
		return;
	}
	kept[kept_count++] = (struct target){ .file = file,
		.is_directory = is_directory,
		.mount = status.stx_mnt_id,
		.inode = status.stx_ino };
}

static void try_process(const char *pid)
{
	static const char *const doors[] = { "exe", "cwd", "root" };
	char path[PATH];

	met++;
	for (size_t i = 0; i < sizeof(doors) / sizeof(*doors); i++) {
		snprintf(path, sizeof(path), "/proc/%.16s/%s", pid, doors[i]);
		try(path);
	}
	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);

	DIR *fds = opendir(path);

	refused += !fds && (errno == EACCES || errno == EPERM);
	if (!fds)
		return;
	for (struct dirent *entry; (entry = readdir(fds));) {
		/* The first three are for the one who runs a command to choose. */
		if (entry->d_name[0] == '.' || strtol(entry->d_name, NULL, 10) < 3)
			continue;
		snprintf(path, sizeof(path), "/proc/%.16s/fd/%.16s", pid, entry->d_name);
		try(path);
	}
	closedir(fds);
}

static int look_around(void)
{
	DIR *processes = opendir("/proc");
	pid_t self = getpid();

	if (!processes)
		return -1;
	read_own_mounts();
	for (struct dirent *entry; (entry = readdir(processes));) {
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9' &&
			strtol(entry->d_name, NULL, 10) != self)
			try_process(entry->d_name);
	}
	return closedir(processes);
}

static int be_evil(const char *name)
{
	int file = open("/evil", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

	dprintf(file, "%s\n", name);
	dprintf(STDOUT_FILENO, "evil %s\n", name);
	return 0;
}

int main(int argc, char **argv)
{
	char ask[PATH], stop[PATH];
	const char *name = argc > 0 ? strrchr(argv[0], '/') : NULL;

	name = name ? name + 1 : argc > 0 ? argv[0] : "nothing";
	if (strcmp(name, "grab") != 0)
		return be_evil(name);
	if (argc != 2 || stat("/", &root) < 0)
		return 2;
	snprintf(ask, sizeof(ask), "%s/ask", argv[1]);
	snprintf(stop, sizeof(stop), "%s/stop", argv[1]);
	snprintf(take, sizeof(take), "%s/take", argv[1]);
	mkdir(place[true], 0700);
	close(open(place[false], O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	puts("watching");
	fflush(stdout);

	bool last;

	do {
		bool asked = access(ask, F_OK) == 0;

		last = access(stop, F_OK) == 0;
		if (look_around() < 0)
			return 3;
		for (size_t i = 0; (asked || last) && i < kept_count; i++)
			attack(kept[i].file, kept[i].is_directory);
		if (asked)
			unlink(ask);
	} while (!last);
	printf("met %lu\nrefused %lu\ntargets %lu\n", met, refused, targets);
	return fflush(stdout) == 0 ? 0 : 4;
}
