/* SPDX-License-Identifier: ISC */
/*
 * steps.h: what may happen between any two steps of the engine: it dies, a process ends, the
 * guardian goes on.
 *
 * A step is a basic block of the engine's code (the compiler calls us in each), or an effect: a
 * call into the world.  Most blocks change nothing that outlives the engine, so a death is placed
 * by either count.
 */
#ifndef SIM_STEPS_H
#define SIM_STEPS_H

#include <stdbool.h>

/* The engine dies so many blocks (or effects) on. */
void steps_plan_kill(unsigned amount, bool effects);
/* The main process of `program` ends so many blocks on. */
void steps_plan_end(unsigned amount, int program, int wstatus);
/* The guardian does something every so many blocks; 0: only when the engine is idle. */
void steps_plan_guardian(unsigned every);
void steps_forget_plans(void);

/* Until steps_go_on() nothing happens: the checks ask the engine's code something. */
void steps_hold(void);
void steps_go_on(void);

/* An effect. */
void steps_effect(void);

/* The engine dies here and now. */
void steps_kill(void) __attribute__((noreturn));

/* A crash of the engine is a violation like any other (not with sanitizers: they say more). */
void steps_catch_crashes(void);

#endif
