/*
 * userns - a user namespace around other new namespaces. user_namespaces(7).
 *
 * Its rules: whoever makes one owns it and has every capability inside, whatever was given up before; supplementary groups come along unseen; its limits
 * on further namespaces can be raised again by its own root, so a limit has to lie one namespace further out; and all other
 * namespaces belong to the one in which they are made.
 */
#pragma once

#include "common/idmap.h"

struct userns_plan {
	struct idmap_plan idmap; /* .from_outside with an owner */
	uint32_t owner_user;
	uint32_t owner_group;
	bool keep_groups;
	bool no_nested; /* no user namespaces inside */
};

/* Puts this process into a new user namespace with PLAN's maps, and into new namespaces of the other kinds in NAMESPACES which that owns. Dies. */
void userns_unshare(const struct userns_plan *plan, int namespaces);

/* Makes a user namespace with PLAN's maps, which nobody is in. Returns an fd of it. Dies. */
int userns_create(const struct idmap_plan *plan);
