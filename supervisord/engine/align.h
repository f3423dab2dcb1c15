/* SPDX-License-Identifier: ISC */
/*
 * align.h: names of rows as a configuration has them.
 *
 * Where a program has one instance and is to have several, or the other way round, its first one is
 * called otherwise from then on, and goes on running (instname.h).  What the name is follows from
 * the configuration and the rows alone, so it does not matter how often this is done, nor which
 * engine does it.
 */
#ifndef ENGINE_ALIGN_H
#define ENGINE_ALIGN_H

#include <stdbool.h>

#include "supervisord/engine/config.h"

struct engine;

/* Every first instance gets the name that the configuration has for it. */
void align_names(struct engine *engine, const struct config *config);

/* Would the row get another name?  Which one. */
bool align_finds_other(
    const struct engine *engine, const struct config *config, int row, char ret_name[LIMIT_NAME]);

#endif
