/*
 * keyring - the session keyring of a process, which its children share with it. session-keyring(7)
 */
#pragma once

/* Joins a new, empty one, so that keys in the caller's are not for COMMAND. A kernel without keyrings has nothing to leave. Dies with a hint. */
void keyring_leave(void);
