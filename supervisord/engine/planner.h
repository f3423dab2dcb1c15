/* SPDX-License-Identifier: ISC */
/*
 * planner.h: the plan (plan.h) from what exists to a configuration, and how it is told.
 *
 * Gathers what the ledger and the two configurations say and gives it to the pure part.  Changes
 * nothing, so that `superctl plan` and an apply see the same steps.
 */
#ifndef ENGINE_PLANNER_H
#define ENGINE_PLANNER_H

#include <stdbool.h>

#include "supervisord/engine/plan.h"

struct engine;
struct jsonw;

/* What exists, under the name that the new configuration has for it. */
struct planner_row {
	const char *name;
	char other_name[LIMIT_NAME]; /* when that is another one than now */
	struct program *program;
};

struct planner {
	struct engine *engine;
	const struct config *config; /* the new one, borrowed */
	struct plan_input *inputs;   /* their old stanzas are gone once the new ones are in force */
	struct planner_row *rows;    /* by name */
	struct plan plan;
};

/* `boot`: it is the first configuration since the guardian started.  0 or -ENOMEM;
 * planner_done() is due in both cases. */
int planner_make(
    struct planner *planner, struct engine *engine, const struct config *config, bool boot);
void planner_done(struct planner *planner);

/* The program that a step is about; NULL: it does not exist yet. */
struct program *planner_program(const struct planner *planner, const struct plan_step *step);

/* Before the new configuration is in force: the member `steps`; `values`: with what each changed
 * key was and is to be. */
void planner_write(const struct planner *planner, bool values, struct jsonw *w);

/* Likewise, a line of our own log a step. */
void planner_log(const struct planner *planner);

#endif
