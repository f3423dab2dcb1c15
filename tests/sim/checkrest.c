/* SPDX-License-Identifier: ISC */
/*
 * checkrest.c: what must hold when faults have stopped long ago, and at the end of everything.
 */
#include <string.h>

#include "supervisord/engine/order.h"
#include "supervisord/engine/plan.h"
#include "tests/sim/checklink.h"
#include "tests/sim/checks.h"
#include "tests/sim/checkstep.h"
#include "tests/sim/kernel.h"
#include "tests/sim/steps.h"

static void check_settled_program(int program);
static bool is_settled(int program);
static bool reloads(int program);
static bool never_ends(int program);
static bool is_stuck_for_a_reason(int program);

void check_settled(void)
{
	if (world->trial.from >= 0)
		world_fail("a configuration is on trial for ever");
	for (int program = 0; program < world->program_count; program++)
		check_settled_program(program);
}

static void check_settled_program(int program)
{
	const struct ledger_state *state = world_state(program);
	const struct shadow *shadow = &world->shadows[program];
	const struct stanza *stanza = &world->configs[world->held].programs[program];

	if (world_row(program) < 0) {
		if (stanza->present && !stanza->config.surge)
			world_fail("%s has a stanza and no row", stanza_name(program));
		return;
	}
	EXPECT_OF(program, stanza->present, "its stanza is gone, and it stays");
	check_settled_extra(program);
	/* A reload that it tells of itself ends by a timer that is not here. */
	if (state->state == STATE_RUNNING && !check_waits_for_mates(program) &&
	    !(state->flags & LEDGER_FLAG_RELOADING))
		check_no_op(program, world_program(program));
	EXPECT_OF(program,
	    state->state != STATE_RUNNING || checklink_is_halting(state) ||
		!(state->flags & LEDGER_FLAG_TURN) || check_waits_for_mates(program),
	    "its turn to be replaced never comes");
	EXPECT_OF(program, is_settled(program),
	    state->state == STATE_WAITING  ? "it waits for nobody"
	    : state->wanted == WANTED_DOWN ? "wanted down, and is not"
					   : "wanted up, and is not");
	EXPECT_OF(program,
	    shadow->created == 0 || shadow->acted >= shadow->created ||
		shadow->forked == shadow->created || kernel_main(program) != NULL,
	    "the end of its last run was never acted on");
	EXPECT_OF(program,
	    state->state != STATE_RUNNING ||
		(state->flags & (LEDGER_FLAG_KEPT | LEDGER_FLAG_TURN)) ||
		state->config_hash == program_hash_of(program) ||
		(stanza->life.key_accept && (state->config_hash & PLAN_HASH_ACCEPTED)),
	    "it runs with an old configuration");
	for (int kind = 0; kind <= TASK_POST_STOP; kind++)
		EXPECT_OF(
		    program, !check_has_hook(program, (enum task_kind)kind), "a hook is left");
}

bool check_is_settled(void)
{
	for (int program = 0; program < world->program_count; program++)
		if (world_row(program) >= 0 && (world_is_removed(program) || !is_settled(program)))
			return false;
	return true;
}

/* Where it is wanted, or where nothing can be done about it. */
static bool is_settled(int program)
{
	const struct ledger_state *state = world_state(program);

	if (state->wanted == WANTED_DOWN)
		return checklink_is_resting(state);
	switch ((enum state)state->state) {
	case STATE_RUNNING:
		return !checklink_is_halting(state) && !reloads(program);
	case STATE_EXITED:
		return true;
	case STATE_FATAL:
		return state->deadline_ns == 0;
	case STATE_WAITING:
		return is_stuck_for_a_reason(program);
	case STATE_STARTING:
		return world->shadows[program].no_deadline &&
		       (world->shadows[program].type != TYPE_ONESHOT || never_ends(program));
	case STATE_STOPPED:
	case STATE_PREPARING:
	case STATE_SETTLING:
	case STATE_BACKOFF:
	case STATE_ENDING:
	case STATE_STOPPING:
	case STATE_CLEANING:
	case STATE_COUNT:
		break;
	}
	return false;
}

/* By a command, which has a limit. */
static bool reloads(int program)
{
	for (int i = 0; i < world->process_count; i++)
		if (world->processes[i].program == program &&
		    world->processes[i].kind == TASK_RELOAD)
			return true;
	return false;
}

/* Its main process is one that somebody named in place of the one that was launched. */
static bool never_ends(int program)
{
	const struct sim_process *main = kernel_main(program);

	return main != NULL && !main->zombie && main->end_ns == 0;
}

/* Whoever is in its way has come to where it stays by itself. */
static bool is_stuck_for_a_reason(int program)
{
	int last = program;

	for (int steps = 0; steps < STANZA_PROGRAMS; steps++) {
		enum state at;

		program = checklink_start_blocker(program);
		if (program < 0)
			return checklink_is_lazy(last) && world->callers[world_socket(last)] == 0;
		last = program;
		at = (enum state)world_state(program)->state;
		if (at != STATE_WAITING)
			return checklink_is_resting(world_state(program)) || is_settled(program);
	}
	return false;
}

void check_finished(void)
{
	const struct engine *engine = world->engine.engine;

	for (int i = 0; i < world->process_count; i++) {
		const struct sim_process *process = &world->processes[i];

		if (!process->zombie && !process->left_alone && !process->sluggish)
			world_fail("process %d of %s lives after the shutdown", process->pid,
			    stanza_name(process->program));
	}
	if (!engine->shutdown_forced)
		for (int program = 0; program < world->program_count; program++)
			EXPECT_OF(program, checklink_is_resting(world_state(program)),
			    "the shutdown is over, and it is not at rest");
}

void check_order(const unsigned *after, int count)
{
	struct order_edge edges[STANZA_PROGRAMS * STANZA_PROGRAMS] = {{0, 0}};
	unsigned reach[STANZA_PROGRAMS];
	uint32_t path[STANZA_PROGRAMS];
	size_t edge_count = 0;
	bool cycle = false;
	int length;

	memcpy(reach, after, sizeof(*after) * (size_t)count);
	for (int row = 0; row < count; row++)
		for (int first = 0; first < count; first++)
			if ((after[row] >> first) & 1)
				edges[edge_count++] =
				    (struct order_edge){(uint32_t)row, (uint32_t)first};
	for (int k = 0; k < count; k++)
		for (int row = 0; row < count; row++)
			if ((reach[row] >> k) & 1)
				reach[row] |= reach[k];
	for (int row = 0; row < count; row++)
		cycle = cycle || ((reach[row] >> row) & 1);
	steps_hold();
	length = order_find_cycle((size_t)count, edges, edge_count, path);
	steps_go_on();
	if ((length > 0) != cycle)
		world_fail("order: %s", cycle ? "a cycle is not found" : "a cycle that is none");
	for (int i = 0; i < length; i++)
		if (!((after[path[i]] >> path[(i + 1) % length]) & 1))
			world_fail("order: the path named is not a cycle");
}
