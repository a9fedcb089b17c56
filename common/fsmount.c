#include "common/fsmount.h"

#include "common/explain.h"
#include "common/fd.h"
#include "common/mounttree.h"
#include "common/parse.h"
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <libmount/libmount.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* A directory that each proc(5) has, that is in nobody's way, and whose path nobody can change. */
#define STAGE "/proc/tty"

/* Where targets are looked up. */
struct root {
	const char *path; /* NULL: the root of this process */
	int fd;
};

/* The flags that mount(2) and statvfs(3) have in common. */
static const struct flag {
	const char *name;
	unsigned long mount, status;
	uint64_t attribute;
} flags[] = {
	{ "ro", MS_RDONLY, ST_RDONLY, MOUNT_ATTR_RDONLY },
	{ "nosuid", MS_NOSUID, ST_NOSUID, MOUNT_ATTR_NOSUID },
	{ "nodev", MS_NODEV, ST_NODEV, MOUNT_ATTR_NODEV },
	{ "noexec", MS_NOEXEC, ST_NOEXEC, MOUNT_ATTR_NOEXEC },
	/* The kernel's ST_NOSYMFOLLOW, for which statvfs.h has no name. */
	{ "nosymfollow", MS_NOSYMFOLLOW, 0x2000, MOUNT_ATTR_NOSYMFOLLOW },
};

enum { FLAGS = sizeof(flags) / sizeof(*flags) };

static bool has_option(const char *options, const char *name)
{
	return options && mnt_optstr_get_option(options, name, NULL, NULL) == 0;
}

static bool is_bind(const char *options)
{
	return has_option(options, "bind") || has_option(options, "rbind");
}

const char *fsmount_check_options(const char *options)
{
	static const struct {
		const char *name, *reason;
	} refused[] = {
		{ "remount", "has 'remount', but only something new can be mounted" },
		{ "move", "has 'move', but only something new can be mounted" },
		/* It would leave a directory below /run, and needs mounts on paths of its own. */
		{ "X-mount.subdir",
			"has 'X-mount.subdir': mount it all, and then the part by '-o bind'" },
	};

	if (options[0] == '\0')
		return "is empty";
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		int found = mnt_optstr_get_option(options, refused[i].name, NULL, NULL);

		if (found < 0)
			return "is not a list of options";
		if (found == 0)
			return refused[i].reason;
	}
	return NULL;
}

/* --- the table --- */

static int refuse_line(struct libmnt_table *table, const char *path, int line)
{
	(void)table;
	die_hint("a line is: SOURCE TARGET TYPE OPTIONS, perhaps two numbers", 0,
		"cannot read '%s': line %d is none of fstab(5)", path, line);
}

static char *copy(const char *text)
{
	char *copied = text ? strdup(text) : NULL;

	if (text && !copied)
		die_error(errno, "cannot allocate memory");
	return copied;
}

static bool is_wanted(struct libmnt_fs *entry)
{
	const char *target = mnt_fs_get_target(entry);
	const char *type = mnt_fs_get_fstype(entry);

	return !mnt_fs_is_swaparea(entry) && !has_option(mnt_fs_get_options(entry), "noauto") &&
		target && strcmp(target, "none") != 0 &&
		!(type && (strcmp(type, "ignore") == 0 || strcmp(type, "none") == 0) &&
			!is_bind(mnt_fs_get_options(entry)));
}

static struct fsmount read_entry(struct libmnt_fs *entry, const char *path)
{
	struct fsmount mount = {
		.source = copy(mnt_fs_get_source(entry)),
		.target = copy(mnt_fs_get_target(entry)),
		.type = copy(mnt_fs_get_fstype(entry)),
		.options = copy(mnt_fs_get_options(entry)),
		.table = path,
	};
	const char *reason = mount.options ? fsmount_check_options(mount.options) : NULL;

	if (reason)
		die("cannot mount '%s' on '%s' of '%s': '%s' %s", mount.source, mount.target, path,
			mount.options, reason);
	return mount;
}

struct fsmount *fsmount_read_table(const char *path, size_t *ret_count)
{
	struct libmnt_table *table = mnt_new_table();
	struct libmnt_iter *cursor = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *entry;
	autoclose int fd = fd_open(AT_FDCWD, path, O_RDONLY);
	FILE *file = fdopen(fd, "re");
	size_t count = 0;

	if (!table || !cursor || !file)
		die_error(errno, "cannot read '%s'", path);
	fd_take(&fd);
	mnt_table_set_parser_errcb(table, refuse_line);

	int error = mnt_table_parse_stream(table, file, path);

	if (error != 0)
		die_error(error < 0 ? -error : EIO, "cannot read '%s'", path);

	/* One more, as none would be an error of calloc(3). */
	struct fsmount *mounts =
		calloc((size_t)mnt_table_get_nents(table) + 1, sizeof(struct fsmount));

	if (!mounts)
		die_error(errno, "cannot allocate memory");
	while (mnt_table_next_fs(table, cursor, &entry) == 0) {
		if (is_wanted(entry))
			mounts[count++] = read_entry(entry, path);
	}
	fclose(file);
	mnt_free_iter(cursor);
	mnt_unref_table(table);
	*ret_count = count;
	return mounts;
}

/* --- messages --- */

/* Dies for the reason TEXT, or without that (NULL) for ERROR. */
static _Noreturn void refuse(
	const struct fsmount *mount, const char *advice, const char *text, int error)
{
	const char *reason = text ? text : strerror(error);

	if (mount->table)
		die_hint(advice, 0, "cannot mount '%s' on '%s' of '%s': %s", mount->source,
			mount->target, mount->table, reason);
	die_hint(advice, 0, "cannot mount '%s' on '%s': %s", mount->source, mount->target, reason);
}

static const char *advice_for(int error, const struct fsmount *mount)
{
	switch (error) {
	case EPERM:
		return mount->type ? "in a user namespace an image or a disk takes root of the host" :
				     "a directory takes --options=bind, an image root of the host";
	case EINVAL:
		if (has_option(mount->options, "bind"))
			return "in a user namespace, 'rbind' takes along what is mounted below it";
		return mount->type ? "it is not of that type, an option is wrong, or it is damaged" :
				     "no file system is seen in it (--types), or an option is wrong";
	case EBUSY:
		return "it is in use; a file system is read-only everywhere, or nowhere";
	case ENOENT:
		return mount->type ? NULL : "SOURCE is not there; what needs none takes --types=TYPE";
	case ENODEV:
		return "the kernel has no such type, and there is no program mount.TYPE";
	case ENOTBLK:
		return "it is no disk and no image; a directory takes --options=bind";
	default:
		return NULL;
	}
}

/* Why libmount could not mount, as it tells it: RESULT is that of mnt_context_mount(). */
static _Noreturn void refuse_result(
	struct libmnt_context *context, int result, const struct fsmount *mount)
{
	char text[256];

	if (mnt_context_helper_executed(context)) {
		snprintf(text, sizeof(text), "its helper mount.TYPE failed with status %d",
			mnt_context_get_helper_status(context));
		refuse(mount, NULL, text, 0);
	}
	switch (-result) {
	case MNT_ERR_NOSOURCE:
		refuse(mount, NULL, "no device with that tag is found", 0);
	case MNT_ERR_NOFSTYPE:
		refuse(mount, advice_for(EINVAL, mount), "no file system is found in it", 0);
	case MNT_ERR_AMBIFS:
		refuse(mount, "--types=TYPE chooses one",
			"it looks like file systems of several types", 0);
	case MNT_ERR_LOOPDEV:
		refuse(mount, "an image takes root of the host and its /dev/loop-control",
			"cannot set up a loop device", 0);
	case MNT_ERR_LOOPOVERLAP:
		refuse(mount, NULL, "a loop device overlaps with that part of it", 0);
	case MNT_ERR_MOUNTOPT:
		refuse(mount, NULL, "an option is wrong", 0);
	case MNT_ERR_APPLYFLAGS:
		refuse(mount, NULL, "an option could not be applied to the mount", 0);
	default:
		break;
	}

	int error = mnt_context_syscall_called(context) ? mnt_context_get_syscall_errno(context) : 0;

	if (error == 0)
		error = abs(result) < MNT_ERR_NOFSTAB ? abs(result) : EIO;
	refuse(mount, advice_for(error, mount), NULL, error);
}

/* --- where it goes --- */

static int open_place(const struct root *root, const char *path)
{
	return root->path ? fd_try_open_inside(root->fd, path, O_PATH) :
			    fd_try_open_without_links(AT_FDCWD, path, O_PATH);
}

/* Makes the last component of PATH, its parent being there. Returns 0 or -errno. */
static int make_directory(const struct root *root, const char *path, mode_t mode)
{
	char above[PATH_MAX];
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	/* With the slash, so that it is "/" for the topmost one. */
	snprintf(above, sizeof(above), "%.*s", (int)(name - path), path);

	autoclose int parent = open_place(root, above[0] ? above : ".");

	if (parent < 0)
		return parent;
	if (explain_call("mkdirat(%f, %q, %o)", parent, name, mode))
		return 0;
	return mkdirat(parent, name, mode) < 0 && errno != EEXIST ? -errno : 0;
}

/* An fd of the directory PATH, made with all directories above it where it is not there; -errno. */
static int make_place(const struct root *root, const char *path, mode_t mode)
{
	char part[PATH_MAX];
	int error = 0;

	if (strlen(path) >= sizeof(part))
		return -ENAMETOOLONG;
	for (const char *end = path; error == 0 && end[strspn(end, "/")];) {
		end += strspn(end, "/");
		end += strcspn(end, "/");
		snprintf(part, sizeof(part), "%.*s", (int)(end - path), path);

		autoclose int there = open_place(root, part);

		if (there == -ENOENT)
			error = make_directory(root, part, mode);
	}
	if (explain_is_on())
		return explain_fd(path);
	return error < 0 ? error : open_place(root, path);
}

/* The mode of X-mount.mkdir[=MODE] among the options of MOUNT. */
static mode_t directory_mode(const struct fsmount *mount)
{
	char *value = NULL;
	size_t length = 0;
	uint32_t mode = 0755;
	char text[8];

	mnt_optstr_get_option(mount->options, "X-mount.mkdir", &value, &length);
	if (!value)
		return mode;
	snprintf(text, sizeof(text), "%.*s", (int)length, value);
	if (length >= sizeof(text) || parse_mode(text, &mode))
		refuse(mount, NULL, "the value of X-mount.mkdir is not a mode", 0);
	return mode;
}

static int find_place(const struct fsmount *mount, const struct root *root)
{
	int place = open_place(root, mount->target);
	const char *advice = NULL;

	if (place == -ENOENT && has_option(mount->options, "X-mount.mkdir"))
		place = make_place(root, mount->target, directory_mode(mount));
	if (place == -ELOOP && !root->path)
		advice = "a symlink is on the way: name what it points to, or see --root";
	if (place == -ENOENT)
		advice = "it is not made, unless the option X-mount.mkdir is given";
	if (place < 0 && mount->table)
		die_hint(advice, -place, "cannot open the mount point '%s' of '%s'", mount->target,
			mount->table);
	if (place < 0)
		die_hint(advice, -place, "cannot open the mount point '%s'", mount->target);
	return place;
}

/* --- mounting --- */

/* A tmpfs on STAGE, with a directory and a file to mount on. */
static int open_stage(void)
{
	static const struct mounttree_option options[] = { { "mode", "755" }, { 0 } };
	autoclose int below = fd_try_open_without_links(AT_FDCWD, STAGE, O_PATH | O_DIRECTORY);
	struct statfs status;

	if (below < 0 || fstatfs(below, &status) < 0 || status.f_type != PROC_SUPER_MAGIC)
		die("cannot mount by way of '%s': this takes a proc(5) on '/proc'", STAGE);

	explain_because(
		"a place aside, so that what is mounted is nowhere seen before it is as asked");
	int stage = mounttree_try_create("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);

	if (stage < 0)
		die_error(-stage, "cannot make a file system of type tmpfs");
	if (!(explain_call("mkdirat(%f, \"directory\", 0755)", stage) &&
		    explain_call("mknodat(%f, \"file\", S_IFREG|0644, 0)", stage)) &&
		(mkdirat(stage, "directory", 0755) < 0 ||
			mknodat(stage, "file", S_IFREG | 0644, 0) < 0))
		die_error(errno, "cannot make a place to mount on");

	int error = mounttree_try_attach(stage, below);

	/* Unbindable, so that it is not in what "rbind" brings along. */
	if (error == 0)
		error = mounttree_try_set_propagation(stage, MS_UNBINDABLE);
	if (error < 0)
		die_error(-error, "cannot mount on '%s'", STAGE);
	return stage;
}

static void close_stage(int *stage)
{
	/* By the fd, since what was mounted may cover /proc. */
	int error = mounttree_try_detach(*stage, ".");

	if (error < 0)
		die_error(-error, "cannot take the mount on '%s' off", STAGE);
	fd_close(stage);
}

static void expect(const struct fsmount *mount, int result)
{
	if (result != 0)
		refuse(mount, NULL, NULL, result < 0 ? -result : EINVAL);
}

static char *effective_options(const struct fsmount *mount, bool read_only)
{
	char *options = copy(mount->options);

	/* Done already, where libmount would not know of it. */
	while (has_option(options, "X-mount.mkdir"))
		expect(mount, mnt_optstr_remove_option(&options, "X-mount.mkdir"));
	if (read_only)
		expect(mount, mnt_optstr_append_option(&options, "ro", NULL));
	return options;
}

/* Whether TYPE is a list of types to try, or with "no" before it those not to try. As a pattern, one type would not be taken at its word. */
static bool is_pattern(const char *type)
{
	return strchr(type, ',') || strncmp(type, "no", 2) == 0;
}

static struct libmnt_context *make_context(
	const struct fsmount *mount, const char *options, const char *target)
{
	struct libmnt_context *context = mnt_new_context();

	if (!context)
		die_error(errno, "cannot allocate memory");
	/* What a user may mount is for the kernel to say, not for /etc/fstab, in which nothing is looked up; and nothing is recorded in /run. */
	expect(mount, mnt_context_force_unrestricted(context));
	expect(mount, mnt_context_set_optsmode(context, MNT_OMODE_NOTAB));
	expect(mount, mnt_context_disable_mtab(context, 1));
	expect(mount, mnt_context_set_source(context, mount->source));
	expect(mount, mnt_context_set_target(context, target));
	if (mount->type)
		expect(mount,
			is_pattern(mount->type) ?
				mnt_context_set_fstype_pattern(context, mount->type) :
				mnt_context_set_fstype(context, mount->type));
	expect(mount, mnt_context_set_options(context, options));
	return context;
}

/* Whether the source has to be there and is not: the device of a tag, or a path. */
static bool is_missing(const struct fsmount *mount)
{
	struct libmnt_fs *entry = mnt_new_fs();
	const char *tag, *value;
	bool missing = false;

	if (!entry)
		die_error(errno, "cannot allocate memory");
	expect(mount, mnt_fs_set_source(entry, mount->source));
	expect(mount, mnt_fs_set_fstype(entry, mount->type));
	if (mnt_fs_get_tag(entry, &tag, &value) == 0) {
		char *device = mnt_resolve_tag(tag, value, NULL);

		missing = !device;
		free(device);
	} else if (is_bind(mount->options) ||
		(mount->source[0] == '/' && !mnt_fs_is_pseudofs(entry) && !mnt_fs_is_netfs(entry))) {
		missing = access(mount->source, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR);
	}
	mnt_unref_fs(entry);
	return missing;
}

/* A helper that failed is a success to libmount but for its status. */
static bool is_mounted(struct libmnt_context *context, int result)
{
	return result == 0 && mnt_context_get_status(context) == 1 &&
		!(mnt_context_helper_executed(context) && mnt_context_get_helper_status(context) != 0);
}

/*
 * Takes the flags of a bind out of its options, for set_flags(): libmount would remount it with these and no others, which the kernel refuses where the source
 * has some that belong to a more privileged user namespace.
 */
static unsigned long take_flags(const struct fsmount *mount, char **options)
{
	unsigned long taken = 0;

	for (size_t i = 0; is_bind(*options) && i < FLAGS; i++) {
		/* It may be there more than once. */
		while (has_option(*options, flags[i].name)) {
			expect(mount, mnt_optstr_remove_option(options, flags[i].name));
			taken |= flags[i].mount;
		}
	}
	return taken;
}

/* Mounts on TARGET. The MS_* flags asked for are in *RET_FLAGS. */
static void mount_by_path(
	const struct fsmount *mount, const char *target, bool read_only, unsigned long *ret_flags)
{
	char *options = effective_options(mount, read_only);

	explain_because(
		"mounted by libmount, which finds out the type, and may set up a loop device or run a helper");
	if (explain_call("mount(%q, %q, %q, 0, %q)", mount->source, target,
		    mount->type ? mount->type : "auto", options && options[0] ? options : NULL)) {
		free(options);
		return;
	}

	unsigned long taken = take_flags(mount, &options);
	struct libmnt_context *context = make_context(mount, options, target);
	int result = mnt_context_mount(context);
	/* One that is never writable, such as squashfs, cannot be mounted a second time unless it is asked for as read-only. */
	bool again = !read_only && result == EBUSY && mnt_context_syscall_called(context);

	if (!again && !is_mounted(context, result))
		refuse_result(context, result, mount);
	expect(mount, mnt_context_get_mflags(context, ret_flags));
	*ret_flags |= taken;
	mnt_free_context(context);
	free(options);
	if (again)
		mount_by_path(mount, target, true, ret_flags);
}

/* As refuse(), after taking what was mounted off: a helper that serves it would keep it, and the mount namespace, for ever. */
static _Noreturn void undo(
	const struct fsmount *mount, int tree, const char *advice, const char *text, int error)
{
	mounttree_try_detach(tree, ".");
	refuse(mount, advice, text, error);
}

/* The flags asked for hold for all of TREE, which for "rbind" libmount does to the top alone. */
static void set_flags(const struct fsmount *mount, int tree, unsigned long asked)
{
	struct statvfs status;
	uint64_t attributes = 0;

	for (size_t i = 0; i < FLAGS; i++)
		attributes |= asked & flags[i].mount ? flags[i].attribute : 0;

	int error = attributes ? mounttree_try_set(tree, attributes, 0, true) : 0;

	if (error < 0 || fstatvfs(tree, &status) < 0)
		undo(mount, tree, NULL, NULL, error < 0 ? -error : errno);
	for (size_t i = 0; i < FLAGS; i++) {
		if ((asked & flags[i].mount) && !(status.f_flag & flags[i].status))
			undo(mount, tree, NULL, "its flags are not the ones asked for", 0);
	}
}

/* Dies unless TREE is what is now seen at the target. */
static void verify(const struct fsmount *mount, const struct root *root, int tree)
{
	autoclose int seen = open_place(root, mount->target);

	if (seen >= 0 && fd_is_same(seen, tree))
		return;
	undo(mount, tree, "it is the root, the working directory, or the way there changed",
		"what was mounted is not seen there", 0);
}

/* The rest of mount_one(). */
static void explain_move(const struct fsmount *mount, bool read_only, int place, int *stage)
{
	autoclose int tree = explain_fd(mount->source);
	uint64_t attributes = read_only ? MOUNT_ATTR_RDONLY : 0;

	for (size_t i = 0; i < FLAGS; i++)
		attributes |= has_option(mount->options, flags[i].name) ? flags[i].attribute : 0;
	explain_because("its flags hold for all that came with it, and it is moved to its place");
	if (attributes)
		mounttree_try_set(tree, attributes, 0, true);
	mounttree_try_attach(tree, place);
	close_stage(stage);
}

static void mount_one(const struct fsmount *mount, struct root *root, bool read_only)
{
	autoclose int place = find_place(mount, root);
	struct stat status;

	if (fstat(place, &status) < 0)
		refuse(mount, NULL, NULL, errno);

	bool directory = S_ISDIR(status.st_mode);
	int is_root = root->path ? fd_try_same(place, root->fd) : 0;
	int stage = open_stage();
	unsigned long asked = 0;

	if (is_root < 0)
		refuse(mount, NULL, "cannot tell mounts from each other", -is_root);
	mount_by_path(mount, directory ? STAGE "/directory" : STAGE "/file", read_only, &asked);
	if (explain_is_on()) {
		explain_move(mount, read_only, place, &stage);
		return;
	}

	autoclose int tree = fd_open(stage, directory ? "directory" : "file", O_PATH);
	uint64_t mounted = fd_mount_id(tree, "", AT_EMPTY_PATH);

	if (!mounted)
		refuse(mount, NULL, "cannot tell mounts from each other", ENOTSUP);
	if (mounted == fd_mount_id(stage, "", AT_EMPTY_PATH))
		refuse(mount, NULL, "its helper mounted nothing", 0);
	set_flags(mount, tree, asked);

	int error = mounttree_try_attach(tree, place);

	if (error < 0)
		undo(mount, tree, NULL, NULL, -error);
	close_stage(&stage);
	/* The root is covered now, and what comes next goes into the new one. */
	if (is_root) {
		fd_close(&root->fd);
		root->fd = fd_open(AT_FDCWD, root->path, O_PATH | O_DIRECTORY);
	}
	verify(mount, root, tree);
}

/* The environment of this process with one more variable before the others. */
static char **environment_with(char *variable)
{
	size_t count = 0;

	while (environ[count])
		count++;

	char **environment = calloc(count + 2, sizeof(char *));

	if (!environment)
		die_error(errno, "cannot allocate memory");
	environment[0] = variable;
	for (size_t i = 0; i < count; i++)
		environment[i + 1] = environ[i];
	return environment;
}

void fsmount_all(const struct fsmount *mounts, size_t count, const char *path, bool read_only)
{
	/* Else looking for a tag would write to the host's cache in /run. */
	static char no_cache[] = "BLKID_FILE=/dev/null";
	struct root root = {
		.path = path,
		.fd = path ? fd_open(AT_FDCWD, path, O_PATH | O_DIRECTORY) : -1,
	};
	const struct sigaction usual = { .sa_handler = SIG_DFL };
	struct sigaction before;
	char **environment = environ;

	/* libmount waits for helpers, which it could not if the caller ignores their end. */
	sigaction(SIGCHLD, &usual, &before);
	environ = environment_with(no_cache);
	for (size_t i = 0; i < count; i++) {
		if (!has_option(mounts[i].options, "nofail") || !is_missing(&mounts[i]))
			mount_one(&mounts[i], &root, read_only);
	}
	free(environ);
	environ = environment;
	sigaction(SIGCHLD, &before, NULL);
	fd_close(&root.fd);
}
