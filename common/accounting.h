/*
 * accounting - what the processes of a cgroup have used, and what its limits did to them. Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/.
 *
 * The counters are files of the group and go with it, so they are read when its last process has ended and before it is removed.
 */
#pragma once

#include "common/cgroup.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define ACCOUNTING_UNKNOWN UINT64_MAX /* no controller counts it here */

struct accounting {
	uint64_t wall; /* microseconds, as all times here */
	uint64_t user;
	uint64_t system;
	uint64_t throttled; /* waited for the limit on CPUs */
	uint64_t throttled_periods;
	uint64_t memory_limit; /* bytes; of this group, not of those above */
	uint64_t memory_peak;
	uint64_t memory_high; /* how often memory was reclaimed for memory.high, or the limit was met */
	uint64_t memory_max;
	uint64_t out_of_memory; /* how often the limit could not be kept */
	uint64_t killed; /* processes, by the kernel for lack of memory, in groups below too */
	uint64_t pids_peak;
	uint64_t pids_refused; /* forks, at the limit of this group */
	uint64_t read;         /* bytes, from disks */
	uint64_t written;
	int status; /* wait(2) status of COMMAND */
};

/* Adds the controllers that count to the plan of GROUP, as wishes. */
void accounting_plan(struct cgroup *group, const struct hierarchy_layout *layout);

/*
 * Opens FILE to be written anew or, if it is NULL, takes FD, which COMMAND then does not get unless it is a standard one. Returns the fd for
 * accounting_try_write(). Dies.
 */
int accounting_open(const char *file, int fd);

/* Whether the kernel killed processes of GROUP for lack of memory. */
bool accounting_has_kills(const struct cgroup *group);

/* Reads the counters of GROUP for a command that ran from START (CLOCK_MONOTONIC) until now and ended with STATUS. What is not counted is ACCOUNTING_UNKNOWN. */
struct accounting accounting_read(
	const struct cgroup *group, const struct timespec *start, int status);

/* Says on standard error how many processes of GROUP the kernel has killed for lack of memory. Nothing if none. */
void accounting_warn(const struct accounting *accounting, const struct cgroup *group);

/*
 * Writes all of it to FD, as lines "NAME VALUE UNIT" or as one JSON object; what is unknown is left out of the lines and null in JSON.
 * Returns 0 or -errno.
 */
int accounting_try_write(const struct accounting *accounting, int fd, bool json);
