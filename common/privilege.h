/*
 * privilege - reduces what this process and its descendants may do, once, in the order that the kernel asks for, and proves it.
 * capabilities(7), credentials(7), PR_SET_NO_NEW_PRIVS of prctl(2).
 *
 * Each step takes rights that an earlier one may have given up: the bounding set and the securebits need CAP_SETPCAP, another user CAP_SETUID; a change of
 * user clears capabilities and the parent-death signal; ambient capabilities have to be permitted and inheritable first. So what the
 * process is to be in the end is worked out before anything changes, and compared with what it is after the last call.
 */
#pragma once

#include "common/ids.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What a set is to be; if it is not GIVEN, what it is now less what is dropped. */
struct privilege_set {
	bool given;
	uint64_t mask; /* all bits: as much as this process can have there */
};

struct privilege_plan {
	uint64_t drop;    /* taken out of all five sets */
	uint64_t blocked; /* taken out of the bounding set alone */
	struct privilege_set bounding;
	struct privilege_set inheritable;
	struct privilege_set ambient; /* becomes inheritable too, unless that set is given */
	/* Another user than root starts with no capabilities but those of INHERITABLE and AMBIENT. */
	struct ids_change ids;
	int parent_death; /* the signal when the parent ends; 0: the one that is set, if any */
	unsigned int securebits;
	mode_t umask;
	bool sets_securebits;
	bool sets_umask;
	bool no_new_privs;
	bool no_user_namespaces;
};

/*
 * Does it. Dies before anything changes where the sets asked for cannot be reached, at any step that fails, and if in the end one bit is not as
 * planned. Without CAP_SETPCAP the bounding set stays as it is, which is allowed if it is not given and only with no_new_privs, which keeps it
 * out of reach of exec. To be called once, last before exec, in a process of one thread.
 */
void privilege_reduce(const struct privilege_plan *plan);
