/*
 * nsfile - namespaces by the files that stand for them: pins, /proc/PID/ns/KIND, sockets. namespaces(7), ioctl_ns(2).
 *
 * A set of them is an array in the order of namespace_kinds, with -1 where there is none.
 */
#pragma once

#include "common/namespace.h"

enum { NSFILE_NET = 3, NSFILE_PID = 4, NSFILE_USER = NAMESPACE_KINDS - 1 };

/* Opens PATH below DIRFD as a namespace of KIND (a row of namespace_kinds). A last symlink is followed only if it is one of proc(5) itself. Dies if it is
 * anything else. */
int nsfile_open(int dirfd, const char *path, size_t kind);

/* A namespace of KIND that the caller handed over as FD: another fd of it, above the standard ones. Dies if it is anything else. */
int nsfile_inherit(int fd, size_t kind);

/* Opens the pins DIRECTORY/KIND (PATH in messages) for the kinds in FLAGS into FILES. Dies if one is missing, unless ANY will do and there is at least one. */
void nsfile_open_pins(
	int directory, const char *path, int flags, bool any, int files[NAMESPACE_KINDS]);

/* Opens those in FLAGS of the process whose /proc/PID is the fd PROCESS, where FILES has none. Dies. */
void nsfile_open_process(int process, int flags, int files[NAMESPACE_KINDS]);

/* The net namespace of the socket that is fd SOCKET in the process that PIDFD names. Dies. pidfd_getfd(2), Linux 5.6 */
int nsfile_open_socket(int pidfd, int socket);

/* The user namespace that owns the one in FILES: the parent of the user namespace, else the owner of the first other. Dies. */
int nsfile_open_owner(const int files[NAMESPACE_KINDS]);

/* Closes the user namespace in FILES if this process is in it, because the kernel refuses to join that again. */
void nsfile_leave_out_own(int files[NAMESPACE_KINDS]);

/*
 * Takes the PID namespace out of FILES, or out of those in *FLAGS of the process whose /proc/PID is PROCESS: for who joins it when all others are joined.
 * Returns an fd; -1 if there is none to join, or if the right to do so comes from the user namespace that this process is about to leave. Dies.
 */
int nsfile_take_pid(int process, int *flags, int files[NAMESPACE_KINDS]);

/* The next child of this process will be in the PID namespace FILE, which is closed. Dies. */
void nsfile_join_pid(int file);

/*
 * Joins all in FILES and closes them; the PID namespace is entered by the next child. The user namespace comes first for those that it gives the rights
 * for, and last for the others. Dies, so that it is all or no command. setns(2)
 */
void nsfile_join(int files[NAMESPACE_KINDS]);
