/* SPDX-License-Identifier: ISC */
/*
 * backoff.h: when to try again, and when to give up.  Pure arithmetic over the counters of a
 * ledger_state.
 */
#ifndef ENGINE_BACKOFF_H
#define ENGINE_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/ledger.h"

/* The keys of a program that rule its restarts; nanoseconds. */
struct backoff_policy {
	int64_t delay_ns;
	int64_t delay_max_ns;
	double factor;
	int64_t reset_after_ns;
	uint32_t limit; /* 0: never give up */
	int64_t interval_ns;
};

/* The delay before the run that follows `failures` failed ones (0: the first restart). */
int64_t backoff_delay_ns(const struct backoff_policy *policy, uint32_t failures);

/* What to add to a delay: a random part of at most `percent` of it. `random`: any number. */
int64_t backoff_jitter_ns(int64_t delay_ns, uint32_t percent, uint32_t random);

/* Count a launch at `now_ns` in the window of the start limit. */
void backoff_note_start(
    const struct backoff_policy *policy, struct ledger_state *state, int64_t now_ns);

/* A run ended at `now_ns` after `steady_ns` in RUNNING: a long one clears delay and limit. */
void backoff_note_end(
    const struct backoff_policy *policy, struct ledger_state *state, int64_t steady_ns);

/* Whether one more launch at `now_ns` would be one too many. */
bool backoff_is_exhausted(
    const struct backoff_policy *policy, const struct ledger_state *state, int64_t now_ns);

/* Begin anew: someone started it by hand. */
void backoff_reset(struct ledger_state *state);

#endif
