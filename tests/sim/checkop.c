/* SPDX-License-Identifier: ISC */
/*
 * checkop.c: what a client is told that its command has come to is so, and nobody waits for what
 * has come true, or does not come any more.
 */
#include "supervisord/engine/aim.h"
#include "supervisord/engine/task.h"
#include "tests/sim/checkcount.h"
#include "tests/sim/checklink.h"
#include "tests/sim/checks.h"
#include "tests/sim/checkstep.h"

enum verdict __real_aim_judge(struct aim *aim);
enum verdict __wrap_aim_judge(struct aim *aim);

static enum verdict judge(const struct aim *aim, int program);
static enum verdict judge_up(int program);
static bool is_overtaken(const struct aim *aim, int program);
static bool has_succeeded(int program);

enum verdict __wrap_aim_judge(struct aim *aim)
{
	enum verdict verdict = __real_aim_judge(aim);
	int program = world->rows[aim->program->run.row].program;
	enum verdict expected = judge(aim, program);

	/* One that waits may or may not wait in vain; a reload is the program's business as well.
	 */
	if (verdict != expected && aim->goal != OP_RELOADED &&
	    (world_state(program)->state != STATE_WAITING || is_overtaken(aim, program)))
		world_fail("%s in %s: a command (goal %d) is taken to be %s", stanza_name(program),
		    world_state_name((enum state)world_state(program)->state), (int)aim->goal,
		    verdict == VERDICT_OPEN ? "not there yet"
		    : verdict == VERDICT_OK ? "done"
					    : "in vain");
	if (verdict == VERDICT_FAILED && world_state(program)->state == STATE_WAITING &&
	    !is_overtaken(aim, program))
		EXPECT_OF(program,
		    checklink_missing(program) >= 0 || aim->goal == OP_ROLLED ||
			aim->goal == OP_RELOADED,
		    "a command is taken to be in vain, and everything is there");
	if (verdict == VERDICT_OK && aim->goal == OP_RELOADED)
		EXPECT_OF(program,
		    world_state(program)->state == STATE_RUNNING &&
			world_state(program)->starts == aim->run_before &&
			!(world_state(program)->flags & LEDGER_FLAG_RELOADING),
		    "a reload is taken to be done");
	return verdict;
}

static enum verdict judge(const struct aim *aim, int program)
{
	const struct ledger_state *state = world_state(program);

	if (is_overtaken(aim, program))
		return VERDICT_FAILED;
	switch (aim->goal) {
	case OP_NONE:
		return VERDICT_OK;
	case OP_UP:
		return judge_up(program);
	case OP_DOWN:
	case OP_ENDED:
		return checklink_is_resting(state) ? VERDICT_OK : VERDICT_OPEN;
	case OP_RESTARTED:
		return state->starts == aim->run_before && state->wanted == WANTED_UP &&
			       state->state != STATE_EXITED && state->state != STATE_FATAL
			   ? VERDICT_OPEN
			   : judge_up(program);
	case OP_ROLLED:
		if (state->flags & LEDGER_FLAG_KEPT)
			return VERDICT_FAILED;
		return state->flags & (LEDGER_FLAG_TURN | LEDGER_FLAG_FRESH) ? VERDICT_OPEN
									     : judge_up(program);
	case OP_RELOADED:
		break;
	}
	return VERDICT_OPEN;
}

/* It is not at rest, and another command wants the contrary: nobody is left to bring about what
 * this one is for.  Of an extra instance, that it has a turn. */
static bool is_overtaken(const struct aim *aim, int program)
{
	const struct ledger_state *state = world_state(program);
	bool up = aim->goal == OP_UP || aim->goal == OP_RESTARTED || aim->goal == OP_ROLLED;

	if (checklink_is_resting(state))
		return false;
	if (aim->goal == OP_ROLLED && world_program(program)->config->surge)
		return true;
	return (up && state->wanted == WANTED_DOWN) ||
	       (aim->goal == OP_DOWN && state->wanted == WANTED_UP);
}

/* It runs and is to go on, or has done what it is for; or it is at rest otherwise, if only for a
 * while. */
static enum verdict judge_up(int program)
{
	const struct ledger_state *state = world_state(program);

	if (state->state == STATE_BACKOFF)
		return VERDICT_FAILED;
	if (checklink_is_resting(state))
		return has_succeeded(program) ? VERDICT_OK : VERDICT_FAILED;
	return state->state == STATE_RUNNING && !checklink_is_halting(state) ? VERDICT_OK
									     : VERDICT_OPEN;
}

static bool has_succeeded(int program)
{
	const struct shadow *shadow = &world->shadows[program];

	return world_state(program)->state == STATE_EXITED && shadow->ended && !shadow->failed &&
	       checkcount_is_success(world_program(program)->config, shadow->wstatus);
}

/* It is where it stays. */
void check_no_op(int program, const struct program *there)
{
	EXPECT_OF(program, LIST_EMPTY(&there->items), "a client waits for what does not come");
}

/* Somebody waits: then for one of the programs, or for the end of a trial. */
void check_quiet_ops(void)
{
	bool waits = false, any = world->engine.engine->trial.active;

	for (int i = 0; i < WORLD_CLIENTS; i++)
		waits = waits || world->engine.clients[i].op != NULL;
	for (int program = 0; program < world->program_count && waits && !any; program++) {
		const struct program *there = world_program(program);

		any = there != NULL && !LIST_EMPTY(&there->items);
	}
	if (waits && !any)
		world_fail("a client waits for nobody");
}
