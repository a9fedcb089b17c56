/*
 * inspect - shows what this process may do, as the kernel says it. Asks by system calls alone, so it works without /proc.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Prints to standard output the ids, groups, umask, no_new_privs, securebits, seccomp mode, parent-death signal, the five sets, and each capability of the
 * kernel with the sets that it is in and what it allows; as text, or as one JSON object. Dies, also of what cannot be written.
 */
void inspect_print(bool json);

/* Prints what each capability in MASK allows, those that the kernel does not have left out. Dies of what cannot be written. */
void inspect_explain(uint64_t mask);
