/*
 * devices - which device files the processes of a cgroup may open or make: by the devices controller of version 1, by a BPF program on version 2,
 * with the same meaning on both. Documentation/admin-guide/cgroup-v1/devices.rst, "Device controller" in cgroup-v2.rst, bpf(2).
 *
 * The rules are a list of what is allowed, all else being denied, or a list of what is denied, all else being allowed; never both, because version 1
 * can only have one. A process asks for a set of accesses at once, O_RDWR for two. A rule that allows must hold all of the set by itself, one that
 * denies needs only a part of it. The rules of the groups above hold as well, and those of this group for all below it. What is asked is open(2),
 * access(2) and mknod(2): a device that is open stays open. Nothing is asked about the character device 0:0, which is a whiteout of overlayfs
 * and no device.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DEVICES_MAX = 64 };

/* As in BPF_DEVCG_ACC_* of linux/bpf.h. */
enum { DEVICE_MKNOD = 1, DEVICE_READ = 2, DEVICE_WRITE = 4 };

#define DEVICE_ANY UINT32_MAX

struct device_rule {
	char type;             /* 'b' block or 'c' character */
	unsigned int access;   /* DEVICE_*, at least one */
	uint32_t major, minor; /* DEVICE_ANY for every number */
};

/* Filled by devices_add() alone. All zero: nothing was asked for. */
struct devices {
	bool allow_list; /* the rules allow; with none of them all is denied */
	size_t count;
	struct device_rule rules[DEVICES_MAX]; /* no two for the same type and numbers */
};

/*
 * Adds RULE of an option that allows (ALLOW) or denies: "all" (only to deny; it may stand beside those that allow and changes nothing then),
 * "PATH[:ACCESS]" or "c|b:MAJOR:MINOR[:ACCESS]". PATH holds a '/', is of a device or a symlink to one, and is looked up now, by stat(2), for its
 * numbers; a ':' or '\\' in it has a '\\' before it. MAJOR is 0 to 4095, MINOR 0 to 1048575, or '*' for every one. ACCESS is one to three
 * of r (open for reading), w (for writing) and m (mknod); all of them if it is left out. Rules for the same device add up.
 * Returns NULL or, as parse.h, the reason against RULE, with *DEVICES as it was. The order of the calls does not matter.
 */
const char *devices_add(struct devices *devices, bool allow, const char *rule);

/* Whether anything was asked for. */
bool devices_any(const struct devices *devices);

/*
 * Puts the rules in force for the group whose directory is the fd DIRECTORY (O_PATH suffices), on VERSION 1 in the hierarchy of the controller
 * `devices`, and reads back what can be read. Do it once, before the group holds a process or another group. Nothing asked for is
 * nothing done. Returns true, or false after a message: the rules are then in force in part or not at all, and the group is for the
 * caller to remove.
 *
 * Refused rather than widened or narrowed: on version 1, allowing what the group above does not, and denying a part of what it allows by a
 * pattern; on version 2, a group below a program that ours would be run in place of (BPF_F_ALLOW_OVERRIDE), or that lets none be
 * below it. On version 2 a rule that allows more than the groups above is no error and gives no more than they do.
 *
 * Needs CAP_SYS_ADMIN in the initial user namespace; on version 2 CAP_BPF with CAP_NET_ADMIN will do.
 */
bool devices_apply(const struct devices *devices, int directory, int version);
