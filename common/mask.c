#include "common/mask.h"

#include "common/explain.h"
#include "common/fd.h"
#include "common/minidev.h"
#include "common/mounttree.h"
#include "common/place.h"
#include "common/report.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* Below /proc: what shows memory, keys and devices of the machine. Not all of it is in every kernel. */
static const char *const proc_covered[] = { "acpi", "asound", "interrupts", "kcore", "keys",
	"latency_stats", "sched_debug", "scsi", "timer_list", "timer_stats", NULL };

/* ... and what is written to change the machine. */
static const char *const proc_protected[] = { "bus", "fs", "irq", "sys", "sysrq-trigger", NULL };

/* Below /sys, which is read-only as a whole. */
static const char *const sys_covered[] = { "firmware", "devices/virtual/powercap", NULL };

void mask_prepare(struct mask *mask)
{
	static const struct mounttree_option options[] = { { "mode", "755" }, { "ro", NULL }, { 0 } };

	int empty = mounttree_try_create("tmpfs", options,
		MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);

	if (empty < 0)
		die_error(-empty, "cannot make a file system of type tmpfs");
	*mask = (struct mask){
		.file.tree = minidev_clone_null(),
		.directory.tree = empty,
	};
}

/* Attaches COVER, or from the second time on a clone: before Linux 6.15 or so only what is attached can be cloned. */
static int attach(struct mask_cover *cover, int place)
{
	if (!cover->attached) {
		int error = mounttree_try_attach(cover->tree, place);

		cover->attached = error == 0;
		return error;
	}

	autoclose int clone = mounttree_try_clone(cover->tree, false);

	return clone < 0 ? clone : mounttree_try_attach(clone, place);
}

int mask_try_cover(struct mask *mask, int place)
{
	struct stat status;

	if (fstat(place, &status) < 0)
		return -errno;
	return attach(
		S_ISDIR(status.st_mode) || explain_is_made(place) ? &mask->directory : &mask->file,
		place);
}

int mask_try_protect(int place)
{
	struct stat status;

	if (fstat(place, &status) < 0)
		return -errno;
	if (S_ISLNK(status.st_mode))
		return -ELOOP;
	if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode))
		return -ENOTSUP;

	autoclose int tree = mounttree_try_clone(place, true);
	int error = tree < 0 ? tree : mounttree_try_set(tree, MOUNT_ATTR_RDONLY, 0, true);

	if (error < 0)
		return error;
	mounttree_verify(tree, MOUNT_ATTR_RDONLY, "a read-only path");
	return mounttree_try_attach(tree, place);
}

/* One path of what the kernel shows; it need not be there. MASK is NULL to protect it. */
static void restrict_one(struct mask *mask, int top, const char *file_system, const char *path)
{
	autoclose int place = place_try_open(top, path);
	int error = place < 0 ? place :
		mask          ? mask_try_cover(mask, place) :
				mask_try_protect(place);

	if (error < 0 && error != -ENOENT)
		die_error(-error, "cannot hide or protect '%s/%s'", file_system, path);
}

void mask_proc(struct mask *mask, int proc)
{
	for (size_t i = 0; proc_protected[i]; i++)
		restrict_one(NULL, proc, "/proc", proc_protected[i]);
	for (size_t i = 0; proc_covered[i]; i++)
		restrict_one(mask, proc, "/proc", proc_covered[i]);
}

void mask_sys(struct mask *mask, int sys)
{
	for (size_t i = 0; sys_covered[i]; i++)
		restrict_one(mask, sys, "/sys", sys_covered[i]);
}

void mask_end(struct mask *mask)
{
	fd_close(&mask->file.tree);
	fd_close(&mask->directory.tree);
}
