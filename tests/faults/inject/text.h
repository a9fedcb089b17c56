/* Texts that are compared between runs. */
#ifndef FAULTS_TEXT_H
#define FAULTS_TEXT_H

#include <stdio.h>

/* Replaces in place what differs from run to run: the numbers in the names of groups, namespaces, sockets, pipes and fds. */
void text_normalise(char *text);

/* The whole file PATH, to be freed; empty if it cannot be read. *LENGTH may hold NULs. */
char *text_read(const char *path, size_t *length);

/* Writes the lines of OTHER that are not in ONE, after SIGN, at most MOST of them. Returns how many there are. */
size_t text_lack(FILE *out, const char *one, const char *other, const char *sign, size_t most);

#endif
