/*
 * overlay - a copy-on-write root: what COMMAND changes goes into another directory, and the root file system stays as it is.
 *
 * Kernel rules: what is mounted below a layer is not part of it; at most two overlays can be stacked, counting those that the layers lie on; and
 * before Linux 6.5 or so each layer has to be attached in the own mount namespace. Kernel documentation, filesystems/overlayfs
 */
#pragma once

#include <stdint.h>

struct overlay {
	int lower;              /* the directory that stays as it is */
	const char *lower_name; /* ... for messages */
	int changes; /* the directory that takes the changes, for this root alone; -1: in memory, gone with the last process */
	const char *changes_name;
	uint64_t attributes; /* MOUNT_ATTR_* */
};

/* The overlay, detached. Call it in a mount namespace of one's own, whose mounts are private: something is mounted over LOWER meanwhile. Dies with a hint; then
 * nothing is left in CHANGES. */
int overlay_create(const struct overlay *overlay);
