/*
 * rootspec - what a new root is to have, from the text of an option. Pure, as parse.h.
 */
#pragma once

#include "common/furnish.h"

/*
 * Parses TEXT, which it changes and which *RET then points into; its target is in normal form: "/", then parts with one '/' between them.
 *   BIND                SRC[:DST[:OPTION,...]]
 *   FILE                SRC:DST[:OPTION,...]
 *   SYMLINK             TARGET:PATH
 *   TMPFS, DIRECTORY    DST[:OPTION,...]
 *   all others          PATH
 * With ':' in it, a ':' or '\\' of a path has a '\\' before it, and a ',' of an option cannot be. Returns NULL and sets *RET, or the reason that completes "'*RET_WORD' ...", with the word at fault.
 */
const char *rootspec_parse(
	enum furnish_kind kind, char *text, struct furnish_entry *ret, const char **ret_word);
