/* What a run can leave behind: mounts, files, cgroups, System V IPC is in namespaces. */
#ifndef FAULTS_SNAPSHOT_H
#define FAULTS_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>

enum { SNAPSHOT_PLACES = 16 };

struct snapshot_places {
	const char *directories[SNAPSHOT_PLACES]; /* whose files are looked at */
	size_t directory_count;
	const char *groups[SNAPSHOT_PLACES]; /* cgroups below which there may be new ones */
	size_t group_count;
};

/* A line for each thing, to be freed. */
char *snapshot_take(const struct snapshot_places *places);

/* What differs between two, a line each with "+" or "-" before it, to be freed; empty if nothing does. */
char *snapshot_compare(const char *before, const char *after);

/* Removes what is new in AFTER. */
void snapshot_clean(const char *before, const char *after);

#endif
