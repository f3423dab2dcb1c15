/* SPDX-License-Identifier: ISC */
/*
 * checktrial.c: a configuration on trial (superctl apply --rollback): it is taken back for a cause,
 * it stays only when everything that it has replaced is up again, and nothing is held for ever.
 */
#include <string.h>

#include "supervisord/engine/plan.h"
#include "tests/sim/checklink.h"
#include "tests/sim/checks.h"
#include "tests/sim/checkstep.h"

static void check_restored(int program);
static bool is_replaced(int program, int to);
static bool has_failed(int program);

/* It is held, and what it is about is not yet. */
void check_trial_begins(void)
{
	struct sim_trial *trial = &world->trial;

	if (trial->from != world->held)
		world_fail("what is held for the way back is not what is applied");
	trial->to = world->engine.applied;
	trial->deadline_ns = world->engine.engine->trial.deadline_ns;
	trial->programs = 0;
	for (int program = 0; program < world->program_count; program++) {
		trial->starts[program] = world_state(program)->starts;
		if (is_replaced(program, trial->to))
			trial->programs |= 1U << program;
	}
}

void check_taken_back(void)
{
	bool good = world->now_ns >= world->trial.deadline_ns;

	if (world->engine.engine->shutdown)
		world_fail("a configuration is taken back in a shutdown");

	for (int program = 0; program < world->program_count; program++)
		good = good || has_failed(program);
	if (!good)
		world_fail("a configuration is taken back for nothing");
}

void check_trial_over(void)
{
	const struct sim_trial *trial = &world->trial;

	/* In safe mode nobody looks at what it has come to. */
	bool stays = world->held != trial->from && !world->engine.safe;

	if (stays && world->engine.engine->shutdown)
		world_fail("a configuration has proved good in a shutdown");
	for (int program = 0; program < world->program_count && !world->engine.safe; program++)
		if (world->held == trial->from && ((trial->programs >> program) & 1))
			check_restored(program);
	for (int program = 0; program < world->program_count && stays; program++) {
		const struct ledger_state *state = world_state(program);
		bool up = state->state == STATE_RUNNING || state->state == STATE_EXITED ||
			  checklink_is_lazy(program);

		if (!((trial->programs >> program) & 1) || world_row(program) < 0 ||
		    world_is_removed(program) || state->wanted != WANTED_UP)
			continue;
		/* One that has ended by itself meanwhile needs no other run; one that is for
		 * connections now waits for the first. */
		EXPECT_OF(program,
		    up && (state->starts > trial->starts[program] ||
			      state->state == STATE_EXITED ||
			      (checklink_is_lazy(program) &&
				  world_program(program)->config->life->key_accept)),
		    "a configuration stays, and this has not come up in it");
	}
	world->trial.from = -1;
}

/* It was up, and what has ended it is taken back. */
static void check_restored(int program)
{
	const struct ledger_state *state = world_state(program);

	EXPECT_OF(program,
	    world_row(program) < 0 || world_is_removed(program) || state->wanted == WANTED_DOWN ||
		world->ledger->header.shutdown || state->starts == world->trial.starts[program] ||
		!checklink_is_resting(state),
	    "it was up before the configuration that is taken back, and is not now");
}

/* It is up, and will not be as it is. */
static bool is_replaced(int program, int to)
{
	const struct ledger_state *state = world_state(program);
	const struct stanza *stanza = &world->configs[to].programs[program];

	/* What has a connection goes on with it. */
	if (stanza->life.key_accept && (state->config_hash & PLAN_HASH_ACCEPTED))
		return false;
	return world_row(program) >= 0 && stanza->present && !stanza->config.surge &&
	       state->state == STATE_RUNNING && !checklink_is_halting(state) &&
	       !(state->flags & LEDGER_FLAG_TURN) && state->config_hash != stanza->config.hash &&
	       state->config_hash != (stanza->config.hash ^ ~PLAN_HASH_ACCEPTED);
}

static bool has_failed(int program)
{
	const struct ledger_state *state = world_state(program);

	/* Who was stopped by hand has not. */
	if (state->wanted == WANTED_DOWN)
		return false;
	return state->state == STATE_BACKOFF ||
	       (state->state == STATE_WAITING && checklink_missing(program) >= 0) ||
	       state->state == STATE_FATAL || state->state == STATE_EXITED ||
	       state->state == STATE_STOPPED || (state->flags & LEDGER_FLAG_FAILED) ||
	       (state->state == STATE_RUNNING && state->health == LEDGER_HEALTH_BAD);
}
