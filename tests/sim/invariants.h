/* SPDX-License-Identifier: ISC */
/*
 * invariants.h: the invariants.  They are told what the shell does, keep their
 * own count of everything the core counts, and never ask the core: a rule that
 * is wrong there must not be right here.
 */
#ifndef SIM_INVARIANTS_H
#define SIM_INVARIANTS_H

#include "tests/sim/world.h"

/* A new owner of the row. */
void check_claim(struct world *world, int row);
/* A decision has been committed. `error`: of transition_decide(). */
void check_step(struct world *world, int row, const struct happening *happening,
                const struct ledger_state *before,
                const struct transition *transition, int error);
/* A launch is being tried. */
void check_launch(struct world *world, int row);
/* A process has been made. */
void check_spawn(struct world *world, int row);
/* The stop signal or KILL is sent to this run. */
void check_signal(struct world *world, int row, bool kill);
/* News are thrown away without a decision. */
void check_drop(struct world *world, int row);
/* Nothing more happens at this instant. */
void check_quiet(struct world *world);
/* Faults have stopped long ago. */
void check_settled(struct world *world);
/* The engine says that the shutdown is over. */
void check_finished(struct world *world);
/* order.c against a transitive closure. */
void check_order(struct world *world, const unsigned *after, int count);

/* What comes first, or must stop first, and keeps `row` from it; -1 none. */
int check_start_blocker(const struct world *world, int row);
int check_stop_blocker(const struct world *world, int row);

#endif
