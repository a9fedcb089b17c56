/*
 * chain - handing over to the rest of the command line.
 *
 * A link that runs from a toolbox (toolbox.h) hands that on to the next link, which is run from there if COMMAND is the bare name of one, and to nobody else.
 */
#pragma once

#include <stddef.h>

/*
 * Becomes COMMAND (an argument vector, not empty) in this process: environment, open files, signal state and all else as they are. A
 * name without '/' is looked for in the directories of PATH that are named absolutely; unlike execvp(3), nothing is looked for in the current
 * directory and a file without '#!' is not handed to a shell. Exits with STATUS_NOT_FOUND, STATUS_NOT_EXECUTABLE after a message.
 */
_Noreturn void chain_exec(char *const command[]);

/* The same, for a link that has something to undo when it fails: returns the status to exit with, after the message. */
int chain_try_exec(char *const command[]);

/* chain_exec() for a link that has changed its root, to what messages call ROOT unless that is NULL: no program of it is run in place of a link. */
_Noreturn void chain_exec_inside(char *const command[], const char *root);

/* COMMAND with WORD, a copy of it, as its first argument. For a process that becomes it. Dies. */
char **chain_insert(char *const command[], const char *word);

/* The COUNT words of VECTOR as a shell would read them, into TEXT (SIZE bytes); "..." for what does not fit. */
void chain_quote(char *const vector[], int count, char *text, size_t size);
