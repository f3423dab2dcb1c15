/* SPDX-License-Identifier: ISC */
/*
 * rolling.h: rolling updates: who is to be replaced is marked in the ledger, and whenever an
 * instance has changed, rollout.h says what is next.
 *
 * An extra instance (start-first) is an instance like any other: its stanza is made by the load,
 * its row only while it is needed.
 */
#ifndef ENGINE_ROLLING_H
#define ENGINE_ROLLING_H

#include <stdbool.h>

#include "supervisord/engine/program.h"

/* To be replaced in its turn.  What follows comes with the end of the round. */
void rolling_mark(struct program *program);

/* Something about it has changed: look at its program, if that is being replaced. */
void rolling_note_change(struct program *program);

/* A configuration was applied, also by a new engine: limits may be others, what was left as it was
 * may be what is wanted again, and in safe mode nothing was done. */
void rolling_settle(struct program *program);

/* PENDING_ROLL: look at all instances of its program, and do what is next. */
void rolling_go_on(struct program *program);

/* engine->rolling_timer */
void rolling_on_timer(struct timer *timer);

#endif
