/*
 * account - users and groups of a command line, by number or by name in the files of the root that this process stands in. passwd(5), group(5).
 *
 * A text of digits alone is always a number, and has to be a valid one; so no name that looks like a number and no number too
 * large becomes another user. All of it is looked up before anything changes; what is not found dies naming OPTION and the file.
 */
#pragma once

#include "common/ids.h"

/* Sets the user and group of CHANGE from TEXT, "USER[:GROUP]"; without a group, that of the user in the passwd file. Dies. */
void account_find_user(const char *option, const char *text, struct ids_change *change);

/* Makes the groups of LIST, separated by commas, the supplementary ones of CHANGE. Dies. */
void account_find_groups(const char *option, const char *list, struct ids_change *change);

/*
 * Makes those of CHANGE the group it changes to and all that list its user as a member, as initgroups(3) does; of the own user and group if
 * CHANGE is of groups only. Dies, also if the user is not in the passwd file.
 */
void account_find_memberships(const char *option, struct ids_change *change);
