/* SPDX-License-Identifier: ISC */
/*
 * trial.h: a configuration on trial: what `superctl apply --rollback` has put in force goes when
 * one of the programs that it started or restarted does not come up.
 *
 * The configuration from before is held by the guardian, with the programs that are on trial and
 * the number of the run that each has to get past.  It is held before the new one is and let go of
 * when every program has come up, or the old one is in force again.  So neither the client nor this
 * engine is needed: another one finds it, judges by the ledger, and, where the two configurations
 * are the same, knows that the apply had not begun or is taken back, and starts what was up before
 * and has ended in a later run.
 */
#ifndef ENGINE_TRIAL_H
#define ENGINE_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/limits.h"
#include "supervisord/engine/timers.h"

struct engine;
struct op;
struct planner;
struct program;

struct trial_item {
	char name[LIMIT_NAME];
	uint64_t run; /* it needs a later one */
	int up;       /* 1: it was up before, and is to be so again */
};

struct trial {
	struct timer timer; /* of its deadline */
	struct trial_item *items;
	size_t count;
	int64_t deadline_ns; /* 0: none */
	struct op *op;       /* whose client waits for the end of it, or NULL */
	bool active;
	bool due;  /* something has changed since it was judged */
	bool late; /* the deadline is over */
};

/* Before the new configuration is held: keep the present one.  0 or -errno, then nothing is on
 * trial. */
int trial_begin(struct engine *engine, const struct planner *planner, int64_t deadline_ns);

/* The new one is not in force after all. */
void trial_abandon(struct engine *engine);

/* What an engine before this one has left. */
void trial_adopt(struct engine *engine);

/* `op` waits for the end of the trial; it is told in its replies. */
void trial_tell(struct engine *engine, struct op *op);

/* The next program that it waits for, from *index on, which begins with 0; NULL: no more. */
const struct program *trial_next_open(struct engine *engine, size_t *index);

/* Something about a program has changed. */
static inline void trial_note_change(struct trial *trial)
{
	trial->due = true;
}

/* Once a round: judge it, and do what follows.  Returns whether something was done. */
bool trial_review(struct engine *engine);

void trial_done(struct trial *trial);

#endif
