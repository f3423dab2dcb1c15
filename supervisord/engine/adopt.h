/* SPDX-License-Identifier: ISC */
/*
 * adopt.h: what a new engine finds: the rows of the ledger, the held descriptors, and the tasks
 * that were running, each given to whom it belongs.  Nothing is decided here: that is apply.h's.
 */
#ifndef ENGINE_ADOPT_H
#define ENGINE_ADOPT_H

#include "supervisord/engine/config.h"

struct engine;

/* Before the first apply.  A program goes by its stanza in `config`, or by retired_unknown.  0 or
 * -errno. */
int adopt_all(struct engine *engine, const struct config *config);

#endif
