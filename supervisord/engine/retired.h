/* SPDX-License-Identifier: ISC */
/*
 * retired.h: what is kept of a stanza that is gone, until its program is: how to stop it, its place
 * in the order of stops, and where its last words go.
 */
#ifndef ENGINE_RETIRED_H
#define ENGINE_RETIRED_H

#include "supervisord/engine/config.h"

/* A copy of what matters of `config`, under `name`.  NULL: out of memory. */
struct program_config *retired_new(const char *name, const struct program_config *config);

void retired_free(struct program_config *config);

/* A stanza for a program of which no stanza is known. */
extern const struct program_config retired_unknown;

#endif
