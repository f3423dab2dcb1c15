/* SPDX-License-Identifier: ISC */
/*
 * health.h: while a program is RUNNING: its health check, its watchdog, max_runtime.
 *
 * Belongs to the run: begins when it is RUNNING, ends with that state, and a new engine begins it
 * anew (with whole intervals).  What is found out goes to program_note_health() and
 * program_fail().  A program without any of the three costs nothing.
 *
 * The first check of a run is made at once, so that those who wait for "healthy" do not wait for an
 * interval.  The watchdog is what the run was told at its start (or has set itself), whatever an
 * apply says meanwhile.
 */
#ifndef ENGINE_HEALTH_H
#define ENGINE_HEALTH_H

#include <stdint.h>

struct program;
struct health; /* program.c keeps one a program, NULL when there is nothing to watch */
struct task_end;

/*
 * The program is RUNNING, or its stanza has changed while it is; of one that is STARTING only
 * max_runtime counts.  Idempotent.
 */
void health_begin(struct program *program);
void health_end(struct program *program);

/* WATCHDOG=1, WATCHDOG=trigger (REASON_WATCHDOG with detail 0), WATCHDOG_USEC= (0: off). */
void health_ping(struct program *program);
void health_trigger(struct program *program);
void health_set_watchdog(struct program *program, int64_t interval_ns);

/* EXTEND_TIMEOUT_USEC= while RUNNING: max_runtime (only) is not over before `until_ns`. */
void health_extend(struct program *program, int64_t until_ns);

/* A TASK_HEALTH has ended. */
void health_note_task(struct program *program, const struct task_end *end);

#endif
