/* What a process is, as the kernel shows it from outside in /proc. */
#ifndef FAULTS_VIEW_H
#define FAULTS_VIEW_H

#include <stdio.h>
#include <sys/types.h>

enum { VIEW_GROUPS = 16 };

/* Set before view_process is used. */
struct view_places {
	pid_t target;                    /* whose namespaces are told from others; 0 */
	const char *groups[VIEW_GROUPS]; /* directories of cgroups whose children are shown */
	size_t group_count;
};

extern struct view_places view_places;

void view_process(FILE *view, pid_t pid, const char *(*name_of)(pid_t pid));

#endif
