/*
 * keyring - the session keyring of a process, which its children share with it. session-keyring(7)
 */
#pragma once

/* Joins a new, empty one, so that keys in the caller's are not for COMMAND. Where the kernel knows no keyrings there is nothing to leave. Dies with a hint. */
void keyring_leave(void);
