/* SPDX-License-Identifier: ISC */
/*
 * driver.h: a schedule is carried out: the engine is started again and again, and between two
 * things that it has to do, the next event is taken.
 */
#ifndef SIM_DRIVER_H
#define SIM_DRIVER_H

#include "tests/sim/schedule.h"

/* All of it, in a new world; world->failed tells. */
void driver_run(const struct schedule *schedule, bool verbose);

/*
 * Called by the loop when the engine is idle: go on until it has something to do (or is dead, or
 * all is over).
 */
void driver_advance(void);

/* A descriptor is ready, or something else that the engine does not wait for (fakeloop.c). */
bool loop_is_ready(void);

#endif
