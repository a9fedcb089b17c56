/*
 * procfs - file systems of type proc. proc(5), pid_namespaces(7).
 */
#pragma once

/*
 * A detached proc, nosuid, nodev and noexec, of the PID namespace that the fd PIDS stands for, or of the own one if that is 0. The processes of another
 * namespace find nothing of this one's root and files on the way: who begins it there has an empty root. Root of a user namespace that was joined may trace
 * that process, and so have another PID namespace shown, or none. Dies with a hint.
 */
int procfs_create(int pids);
