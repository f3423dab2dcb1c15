/* SPDX-License-Identifier: ISC */
/*
 * checkquiet.c: what holds whenever the engine sleeps: everything waits for something that has a
 * deadline or a name, and nothing that could go on does not.
 */
#include "supervisord/engine/task.h"
#include "tests/sim/checkcount.h"
#include "tests/sim/checklink.h"
#include "tests/sim/checks.h"
#include "tests/sim/checkstep.h"
#include "tests/sim/fake.h"
#include "tests/sim/kernel.h"

static void check_quiet_program(int program, const struct program *there);
static void check_quiet_live(int program);
static bool is_oneshot(int program);
static void check_quiet_stopping(int program, const struct program *there);
static bool is_rest_told(int program);
static void check_quiet_task(int row);
static int count_alive(int program);

void check_quiet(void)
{
	const struct engine *engine = world->engine.engine;
	int watches = 0;

	if (!world->engine.serving)
		return;
	for (int i = 0; i < world->engine.io_count; i++)
		watches += world->engine.ios[i]->fd >= FAKE_PIDFD;
	if (world->engine.connection != 0)
		world_fail("a connection of %s is neither given to a run nor closed",
		    stanza_name(world->engine.connection - 1));
	if (watches != world->engine.descriptors)
		world_fail("%d descriptors of processes are open, %d are watched",
		    world->engine.descriptors, watches);
	check_history();
	check_quiet_text();
	check_quiet_ops();
	if (!TAILQ_EMPTY(&engine->pending) || !TAILQ_EMPTY(&engine->pending_tasks))
		world_fail("the engine sleeps with work put off");
	for (int row = 0; row < (int)world->ledger->header.rows_high; row++)
		if (world->rows[row].program >= 0 && world->rows[row].kind != MAIN_PROCESS)
			check_quiet_task(row);
	for (int program = 0; program < world->program_count; program++) {
		const struct program *there = world_program(program);

		if (there != NULL)
			check_quiet_program(program, there);
		else if (world_row(program) >= 0)
			world_fail(
			    "%s has a row that the engine does not know", stanza_name(program));
	}
}

static void check_quiet_program(int program, const struct program *there)
{
	const struct ledger_state *state = world_state(program);
	const struct engine *engine = there->engine;
	bool forbidden = engine->safe_mode || world->ledger->header.shutdown || there->removed;
	int64_t deadline_ns = there->timer.index != 0 ? there->timer.deadline_ns : 0;

	EXPECT_OF(program, deadline_ns == state->deadline_ns, "its timer is not that of its state");
	EXPECT_OF(program, !(state->flags & LEDGER_FLAG_OWED) || engine->safe_mode,
	    "what is owed for its end is not done");
	EXPECT_OF(program,
	    !step_is_up((enum state)state->state) || forbidden || checklink_is_halting(state) ||
		!(state->flags & LEDGER_FLAG_TURN) || check_waits_for_mates(program),
	    "its turn to be replaced has come, and it is not");
	if (!forbidden && state->wanted == WANTED_UP && (state->flags & LEDGER_FLAG_TURN))
		check_has_extra(program);
	EXPECT_OF(program,
	    state->state != STATE_RUNNING || forbidden || checklink_is_halting(state) ||
		there->config->life->key_soak > 0 || !(state->flags & LEDGER_FLAG_FRESH),
	    "it was replaced and is ready, and that is not the end of it");
	switch ((enum state)state->state) {
	case STATE_WAITING:
		EXPECT_OF(program, state->wanted == WANTED_UP, "waits for nothing");
		EXPECT_OF(program, checklink_is_told(program), "it hopes for something else");
		EXPECT_OF(program,
		    forbidden || checklink_start_blocker(program) >= 0 ||
			(checklink_is_lazy(program) && world->callers[world_socket(program)] == 0),
		    "to be started, and nothing is in the way");
		break;
	case STATE_BACKOFF:
		EXPECT_OF(program, state->wanted == WANTED_UP,
		    "to be started again though it is wanted down");
		EXPECT_OF(program, state->deadline_ns != 0, "it waits without a deadline");
		break;
	case STATE_STOPPED:
		EXPECT_OF(program, state->wanted != WANTED_UP || forbidden,
		    "wanted up, and left STOPPED");
		break;
	case STATE_FATAL:
		EXPECT_OF(program,
		    state->deadline_ns != 0 ||
			there->config->life->key_on_failure.kind != ON_FAILURE_RETRY ||
			world->shadows[program].fatal_without_retry,
		    "it is not tried again");
		break;
	case STATE_EXITED:
		break;
	case STATE_STOPPING:
		check_quiet_stopping(program, there);
		return;
	case STATE_PREPARING:
	case STATE_STARTING:
	case STATE_SETTLING:
	case STATE_RUNNING:
	case STATE_ENDING:
	case STATE_CLEANING:
		check_quiet_live(program);
		return;
	case STATE_COUNT:
		EXPECT_OF(program, false, "no state");
		break;
	}
	EXPECT_OF(program, kernel_main(program) == NULL, "a process that nobody knows");
	/* One whose turn to be replaced is yet to come is started then. */
	if (checklink_is_resting(state) && !(state->flags & LEDGER_FLAG_TURN))
		check_no_op(program, there);
	EXPECT_OF(program,
	    there->removed == false || state->state == STATE_WAITING || engine->safe_mode ||
		fake_is_draining(there->run.row),
	    "its stanza is gone, it is at rest, and its row is kept");
}

static void check_quiet_live(int program)
{
	const struct ledger_state *state = world_state(program);
	const struct sim_process *main = kernel_main(program);
	bool up = step_is_up((enum state)state->state);
	/* An apply may make a oneshot of it, which takes effect with the next run. */
	bool done = (world->shadows[program].type == TYPE_ONESHOT ||
			world_program(program)->config->life->key_type == TYPE_ONESHOT) &&
		    world->shadows[program].ended;
	bool forked = (state->flags & LEDGER_FLAG_FORKED) != 0;

	if (up && checklink_is_halting(state))
		EXPECT_OF(program, checklink_stop_blocker(program) >= 0,
		    "to be stopped, and nothing is in the way");
	if (up && !checklink_is_halting(state))
		EXPECT_OF(program, checklink_lost(program) < 0, "up, and what it requires is not");
	switch ((enum state)state->state) {
	case STATE_PREPARING:
		EXPECT_OF(
		    program, check_has_hook(program, TASK_PRE_START), "there is no pre_start");
		EXPECT_OF(program, main == NULL, "launched before its pre_start is over");
		break;
	case STATE_STARTING:
		EXPECT_OF(program, main != NULL || forked, "no process and nobody will tell");
		/* In safe mode one whose stanza is gone is not stopped, and nobody waits for it;
		 * what one is that is to be stopped does not matter any more. */
		EXPECT_OF(program,
		    state->deadline_ns != 0 || world_is_removed(program) ||
			checklink_is_halting(state) ||
			(world->shadows[program].no_deadline &&
			    (world->shadows[program].type == TYPE_ONESHOT || is_oneshot(program) ||
				checkcount_waits_for_ready(world_program(program)->config))),
		    "it starts without a deadline");
		break;
	case STATE_SETTLING:
		EXPECT_OF(
		    program, check_has_hook(program, TASK_POST_START), "there is no post_start");
		break;
	case STATE_RUNNING:
		/* (In safe mode one without a stanza stays, whatever it was.) */
		EXPECT_OF(program,
		    main != NULL || done ||
			(world->shadows[program].ended && world_is_removed(program) &&
			    world->engine.engine->safe_mode),
		    "no process and nobody will tell");
		break;
	case STATE_ENDING:
		EXPECT_OF(program, check_has_hook(program, TASK_PRE_STOP), "there is no pre_stop");
		break;
	case STATE_CLEANING:
		EXPECT_OF(
		    program, check_has_hook(program, TASK_POST_STOP), "there is no post_stop");
		EXPECT_OF(program, main == NULL, "a process beside its post_stop");
		break;
	case STATE_STOPPED:
	case STATE_WAITING:
	case STATE_BACKOFF:
	case STATE_STOPPING:
	case STATE_EXITED:
	case STATE_FATAL:
	case STATE_COUNT:
		break;
	}
}

/* By a stanza that is newer than its run, where no apply has been able to replace that yet: what it
 * waits for is its end. */
static bool is_oneshot(int program)
{
	return world_program(program)->config->life->key_type == TYPE_ONESHOT;
}

static void check_quiet_stopping(int program, const struct program *there)
{
	const struct ledger_state *state = world_state(program);
	struct shadow *shadow = &world->shadows[program];
	const struct sim_process *main = kernel_main(program);
	/* If it is told to leave them alone only now, that may take until the next step. */
	bool others =
	    there->config->life->key_kill_mode != KILL_PROCESS || shadow->stop_mode != KILL_PROCESS;
	bool tasks = !LIST_EMPTY(&there->tasks);

	if (there->config->life->key_kill_mode != KILL_PROCESS)
		shadow->stop_mode = there->config->life->key_kill_mode;
	EXPECT_OF(program, state->deadline_ns != 0, "it stops without a deadline");
	EXPECT_OF(program, main != NULL || tasks || (others && count_alive(program) > 0),
	    "everything is gone and nobody has looked");
	if (state->stop_step == 0)
		EXPECT_OF(program,
		    check_has_hook(program, TASK_STOP_COMMAND) ||
			shadow->tasks[TASK_STOP_COMMAND].made > 0,
		    "there is no stop_command");
	else
		EXPECT_OF(program, main == NULL || main->told != 0,
		    "its main process was never told to stop");
	shadow->stop_all = shadow->stop_all && there->config->life->key_kill_mode == KILL_ALL;
	if (state->stop_step > 0 && main == NULL && shadow->stop_all)
		EXPECT_OF(program, is_rest_told(program),
		    "what its main process has left was never told to stop");
}

static bool is_rest_told(int program)
{
	for (int i = 0; i < world->process_count; i++) {
		const struct sim_process *process = &world->processes[i];

		if (process->program == program && process->kind == MAIN_PROCESS &&
		    !process->zombie && !process->left_alone && !process->outside &&
		    process->told == 0)
			return false;
	}
	return true;
}

/* A task's row that the engine has: it runs, with a deadline where it has one, or gets KILL until
 * it is gone. */
static void check_quiet_task(int row)
{
	const struct engine *engine = world->engine.engine;
	const struct run *run = engine->by_row[row];
	const struct task *task = (const struct task *)(const void *)run;
	const struct sim_row *slot = &world->rows[row];
	const struct ledger_state *state = world_row_state(row);
	bool alive = false;

	if (run == NULL || run->kind != RUN_TASK) {
		world_fail(
		    "%s: a task's row that the engine does not know", stanza_name(slot->program));
		return;
	}
	for (int i = 0; i < world->process_count; i++)
		alive = alive || (world->processes[i].row == row &&
				     world->processes[i].claim == slot->claim);
	if (!alive)
		world_fail("%s: %s is over and nobody has looked", stanza_name(slot->program),
		    world_task_name((enum task_kind)slot->kind));
	if (task->timer.index == 0 && state->deadline_ns != 0)
		world_fail("%s: %s has no timer", stanza_name(slot->program),
		    world_task_name((enum task_kind)slot->kind));
}

/* Of its runs; what is left alone does not count. */
static int count_alive(int program)
{
	int count = 0;

	for (int i = 0; i < world->process_count; i++)
		count += world->processes[i].program == program && !world->processes[i].zombie &&
			 world->processes[i].kind == MAIN_PROCESS;
	return count;
}

bool check_has_hook(int program, enum task_kind kind)
{
	const struct ledger_state *state = world_state(program);

	for (int row = 0; row < (int)world->ledger->header.rows_high; row++)
		if (world->rows[row].program == program && world->rows[row].kind == (int)kind &&
		    world->rows[row].owner_run == state->starts &&
		    world_row_state(row)->wanted == WANTED_UP)
			return true;
	return false;
}
