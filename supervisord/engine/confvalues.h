/* SPDX-License-Identifier: ISC */
/*
 * confvalues.h: what differs between two stanzas, key by key, as text that a file could have.
 *
 * confdiff.c says which keys differ, for decisions; this says how, for people.
 */
#ifndef ENGINE_CONFVALUES_H
#define ENGINE_CONFVALUES_H

#include "supervisord/engine/config.h"

struct jsonw;

/*
 * An object for each key that differs: `key`, `class` (live, next, restart), and `old` and `new`,
 * null where a key has no value.  Of a stanza that is new (old NULL), all that differs from the
 * defaults of the manual, with an old value of null.
 */
void confvalues_write_program(const struct program_config *old_config,
    const struct program_config *new_config, struct jsonw *w);

/* The same of the settings of the daemon, and of groups (key "group NAME"). */
void confvalues_write_daemon(
    const struct config *old_config, const struct config *new_config, struct jsonw *w);

#endif
