/*
 * pin - namespaces that outlive their processes: bind mounts of /proc/PID/ns/KIND on files. namespaces(7), mount_namespaces(7).
 *
 * The mount has to be in the mount namespace of those who will join, so a helper that stays outside makes it. Kernel rules: a mount or user namespace
 * cannot be pinned from inside itself; a mount namespace cannot be pinned where mounts are shared, so a directory of pins is made a private mount; a
 * PID namespace can be joined only while its init lives.
 */
#pragma once

#include "common/namespace.h"

#include <sys/types.h>

struct pin_plan {
	const char *directory;              /* all kinds, as DIRECTORY/KIND; NULL */
	const char *files[NAMESPACE_KINDS]; /* one kind each, in the order of namespace_kinds; NULL */
};

/* The helper; the socket is -1 if there is nothing to pin. */
struct pin_helper {
	int socket;
};

/* Starts the helper. Call before namespace_unshare(). Dies. */
struct pin_helper pin_prepare(const struct pin_plan *plan, int namespaces);

/*
 * Has the namespaces of this process pinned: call in the process that will be COMMAND. A mount namespace may be made anew on the way (see pin.c). Dies with
 * nothing pinned.
 */
void pin_make(const struct pin_helper *helper, int namespaces);

/* Has the pins stay when this process calls exec; until then they go when it ends. */
void pin_keep(const struct pin_helper *helper);

/* Takes the pins back, after all, and waits for that. */
void pin_undo(const struct pin_helper *helper);

/* Releases all pins in DIRECTORY and makes it an ordinary directory again. Returns 0, the exit status of nsnew then. Dies. */
int pin_release(const char *directory);
