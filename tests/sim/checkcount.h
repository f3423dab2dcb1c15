/* SPDX-License-Identifier: ISC */
/*
 * checkcount.h: what the keys of supervisord.conf(5) come to in numbers, worked out once more: what
 * counts as success, who is started again, how long that takes, when it is given up, how a stop
 * goes on.
 */
#ifndef SIM_CHECKCOUNT_H
#define SIM_CHECKCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisord/engine/config.h"
#include "tests/sim/shadow.h"

bool checkcount_is_success(const struct program_config *config, int wstatus);
bool checkcount_wants_restart(const struct program_config *config, int wstatus, bool failed);
/* After so many failures before this one. */
int64_t checkcount_delay_ns(const struct program_config *config, uint32_t failures);
bool checkcount_is_too_many(
    const struct program_config *config, const struct shadow *shadow, int64_t now_ns);
void checkcount_note_begin(
    const struct program_config *config, struct shadow *shadow, int64_t now_ns);
void checkcount_clear(struct shadow *shadow);

/* Step 0 is stop_command; the signal of the others, and how long each may take. */
int checkcount_stop_signal(const struct program_config *config, unsigned step);
int64_t checkcount_stop_wait_ns(const struct program_config *config, unsigned step);
/* How long the wait of this state is; DEADLINE_NONE: without an end, or there is none. */
#define DEADLINE_NONE (-1)
int64_t checkcount_wait_ns(
    const struct program_config *config, const struct ledger_state *state, uint32_t failures);
/* That KILL goes to all. */
bool checkcount_is_last_step(const struct program_config *config, unsigned step);

/* It has to say that it is ready. */
bool checkcount_waits_for_ready(const struct program_config *config);

#endif
