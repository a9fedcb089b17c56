/*
 * toolbox - the links themselves, sealed, so that a chain can go on behind a change of root.
 *
 * There, PATH belongs to a root file system that nobody vouches for. And a link that runs there can be reached by /proc/PID/exe, which would be
 * the host's own file: to be overwritten by a root on that side (CVE-2019-5736). So a link that changes root, or joins another one's processes,
 * first runs itself again from a toolbox, unless the link in front has started it from one, and hands that on from link to link: copies in
 * sealed memory (sealed.h) of the links that its command line names, one fd for each link there is. A mount that is only read-only would not do,
 * because whoever gets hold of it can make it writable; and an overlay, whose superblock is, takes grace periods of RCU to go away.
 *
 * Nothing is remembered: a link that was started from a toolbox sees that by AT_EXECFN, which the kernel sets and no environment can
 * change (getauxval(3)), and verifies the fds that this names.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* First thing in main: has exec close the toolbox that this link runs from, so that only toolbox_try_exec() hands it on. */
void toolbox_adopt(void);

/*
 * Runs this link again from a new toolbox, with ARGV, the vector of main; returns at once if it runs from one already. Call it before anything
 * changes. Needs no privilege. Dies.
 */
void toolbox_enter(char *const argv[]);

/* The same for a link that is going to wait: only where others could look at it meanwhile. */
void toolbox_enter_to_wait(char *const argv[]);

/*
 * Becomes ARGV[0] at PATH from a new toolbox, if it is a link that lies beside this one and would enter one itself: that spares it an exec. Returns if it is
 * not, or for any other reason why PATH has to do.
 */
void toolbox_start(const char *path, char *const argv[]);

/* Whether this link runs from a toolbox. */
bool toolbox_is_held(void);

/* For a link that has changed the root: closes every fd from 3 up but the COUNT ones in KEEP and the toolbox. Dies, also if one of 0 to 2 is a directory, which
 * would be a way back. */
void toolbox_close_others(const int *keep, size_t count);

/* Whether NAME is that of a link. */
bool toolbox_is_link(const char *name);

/*
 * For --explain: explains how the link ARGV[0] would be run if that is from a toolbox, which one that is to be made then; false if it would be run like any other program.
 */
bool toolbox_explain_start(char *const argv[]);

/* For --explain: becomes the link ARGV[0] in the directory of this one, whatever would be changed by now. Dies. */
_Noreturn void toolbox_run_beside(char *const argv[]);

/*
 * Becomes the link ARGV[0] of the toolbox that this link runs from (both have to be), and leaves it the toolbox. ROOT_CHANGED: the root is another one
 * than before this link; that is known from here on, and no link goes on that is not static, because its loader would be of that root.
 * Returns the status to exit with, after a message. Dies.
 */
int toolbox_try_exec(char *const argv[], bool root_changed);
