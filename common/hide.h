/*
 * hide - a process that waits gives away what others could reach through it.
 *
 * Whoever is in the same PID namespace sees a waiting process in /proc: its root by /proc/PID/root and its files by /proc/PID/fd. For a payload
 * in another root that is a way out (proc(5), ptrace(2)). In the initial PID namespace there is nothing to hide from: a payload that sees that
 * sees every process of the machine.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether somebody in this PID namespace who does not see the whole machine could see the root of a process that waits in it. */
bool hide_is_needed(void);

/* Until exec, nobody without privilege over it can trace this process, nor reach its files and root by /proc. Dies. */
void hide_from_tracers(void);

/* A gate (fd.h) to wait at until another process is hidden. Dies. */
void hide_make_gate(int gate[2]);

/* Waits until the process at the other end of GATE is hidden, and closes it; if that process died instead, which it has told, this one exits with
 * STATUS_FAILED. Dies. */
void hide_pass_gate(int gate[2]);

/*
 * Closes every fd but 2 and the COUNT in KEEP and makes this process not dumpable, so id maps have to be written before
 * (user_namespaces(7)). If ROOT_TOO, it also leaves its root for an empty one in a mount namespace of its own, where it has the privilege. Then
 * opens GATE, its side of it. Dies.
 */
void hide_self(const int *keep, size_t count, bool root_too, int gate);

/*
 * The same for a process that COMMAND cannot find, while COMMAND may be running already: so what cannot be done is said and does not end it.
 */
void hide_stand_back(const int *keep, size_t count);
