/*
 * grouptree - a cgroup with all groups below it, as directories: empty it and take it away. cgroups(7).
 *
 * A group can be removed when it holds no process and no other group. Processes that fork while they are killed are the difficulty: cgroup.kill (Linux
 * 5.14) has them all at once; else they are frozen first, because what is frozen cannot fork. And for a moment after its last process has ended
 * a group may still be busy.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/*
 * Kills every process in the group NAME of the directory PARENT and in those below it, waits until they are gone and removes it all. INODE is that of the
 * group's directory, 0 for any: another one of that name is not touched. What is not there is no error. False after a message if something is
 * left.
 */
bool grouptree_destroy(int parent, const char *name, ino_t inode);

/* The same, once and without waiting for long. Returns 0 or -errno. */
int grouptree_try_destroy(int parent, const char *name, ino_t inode);

/* Removes the group NAME with those below it if none of them holds a process. Kills nothing. Returns 0 or -errno; -EBUSY if one does. */
int grouptree_try_prune(int parent, const char *name);

/* Calls VISIT(DATA, DIRECTORY, name) for each group directly in DIRECTORY until it returns false. Groups that come and go meanwhile may be missed. */
void grouptree_visit(
	int directory, bool (*visit)(void *data, int directory, const char *name), void *data);
