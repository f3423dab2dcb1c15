/* SPDX-License-Identifier: ISC */
/*
 * instance.h: one instance and its processes as program.c and run.c handle
 * them, on the fake kernel.
 */
#ifndef SIM_INSTANCE_H
#define SIM_INSTANCE_H

#include "tests/sim/world.h"

/* enum program_pending of program.h */
#define PENDING_CHECK 0x01
#define PENDING_PROBE 0x02
#define PENDING_FAILED 0x04
#define PENDING_FREE 0x08

void instance_resume(struct world *world, int row);
void instance_start(struct world *world, int row, enum reason reason);
void instance_stop(struct world *world, int row, enum reason reason);
void instance_restart(struct world *world, int row, enum reason reason);
void instance_wish(struct world *world, int row, enum wanted wanted,
                   bool bounce);
void instance_note_exit(struct world *world, int row);
void instance_on_timer(struct world *world, int row);
void instance_work(struct world *world, int row);
void instance_defer(struct world *world, int row, unsigned what);
void instance_kill(struct world *world, int row);

/*
 * The engine is between two steps: others may take theirs, and this may be its
 * end.  Stands wherever another process could look: between two stores into the
 * ledger, and between the ledger and the kernel.
 */
void instance_point(struct world *world);

/* Whether the repair of something known is on. */
bool instance_knows(const struct world *world, unsigned known);

#endif
