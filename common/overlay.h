/*
 * overlay - a copy-on-write root: what COMMAND changes goes into another directory, and the root file system stays as it is.
 *
 * Kernel rules: what is mounted below a layer is not part of it; at most two overlays can be stacked, counting those that the layers lie on; and
 * before Linux 6.5 or so each layer has to be attached in the own mount namespace. Kernel documentation, filesystems/overlayfs
 */
#pragma once

#include <stdint.h>

/*
 * An overlay of the directory LOWER, an fd, detached, with ATTRIBUTES (MOUNT_ATTR_*); OBJECT is its name for messages. Changes are kept in DIRECTORY, which has to be for this root alone,
 * or for NULL in memory, gone with the last process. Call it in a mount namespace of one's own, whose mounts are private: something is mounted
 * over LOWER. Dies with a hint.
 */
int overlay_create(int lower, const char *object, const char *directory, uint64_t attributes);
