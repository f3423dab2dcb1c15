/* SPDX-License-Identifier: ISC */
/*
 * draftleft.h: what an apply of some programs leaves as it is, though the files say something else:
 * so that nobody thinks that it is done.
 */
#ifndef ENGINE_DRAFTLEFT_H
#define ENGINE_DRAFTLEFT_H

#include "lib/jsonw.h"
#include "supervisord/engine/config.h"

/* What would still differ when `mixed` is in force: elements of an array, "log_level changed",
 * "socket http", "program db", "defaults"; at most LIMIT_DRAFT_LEFT, and how many more there are.
 */
void draftleft_write(const struct config *mixed, const struct config *files, struct jsonw *w);

#endif
