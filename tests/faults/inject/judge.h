/* What one run shows, and whether that is allowed. */
#ifndef FAULTS_JUDGE_H
#define FAULTS_JUDGE_H

#include "snapshot.h"
#include "trace.h"

enum verdict { TOLERATED, REFUSED, FAIL_OPEN, HANG, LEFTOVER, WRONG_STATUS, VERDICTS };

struct run_result {
	struct outcome outcome;
	char *output, *errors; /* of COMMAND */
	char *left;            /* what is different from before, see snapshot_compare() */
	bool stays;            /* and cannot be put right: no further run is possible */
};

struct subject {
	struct start start;
	struct snapshot_places places;
	char *before; /* a snapshot */
	bool makes;   /* files that stay, also if it is refused later */
	bool foreign; /* programs of others: their statuses and messages are their own */
};

/* Runs the subject once, as trace_run(), and cleans up behind it. */
void judge_run(const struct subject *subject, const struct fault *fault, struct points *record,
	struct run_result *result);

void judge_free(struct run_result *result);

/* RESULT beside the WANTED one of a run without a fault. Writes to WHY what is wrong, if something is. POINT is NULL if calls fail throughout. */
enum verdict judge(const struct subject *subject, const struct run_result *wanted,
	const struct run_result *result, const struct point *point, FILE *why);

#endif
