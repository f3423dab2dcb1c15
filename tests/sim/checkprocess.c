/* SPDX-License-Identifier: ISC */
/*
 * checkprocess.c: every process that is made, told something, ends, or is forgotten: one main
 * process a program, each hook once, nobody is signalled who need not be, and no end is lost.
 */
#include <signal.h>
#include <string.h>

#include "supervisord/engine/launch.h"
#include "tests/sim/checkcount.h"
#include "tests/sim/checklink.h"
#include "tests/sim/checks.h"
#include "tests/sim/checkstep.h"
#include "tests/sim/kernel.h"

static void check_spawn_main(const struct sim_process *process);
static void check_spawn_task(const struct sim_process *process);
static void check_signal_main(const struct sim_process *process, int number);
static void check_signal_task(const struct sim_process *process);
static bool fits_state(enum task_kind kind, const struct ledger_state *state);
static bool is_hook(int kind);

void check_expect(int program, bool good, const char *what, const char *text)
{
	if (!good)
		world_fail("%s in %s: %s (%s)", stanza_name(program),
		    world_state_name((enum state)world_state(program)->state), text, what);
}

/* ---- rows ---- */

void check_claim(int row, int program)
{
	struct shadow *shadow = &world->shadows[program];
	const struct ledger_state *state = world_row_state(row);

	*shadow = (struct shadow){.begun = 0};
	check_run_claims(program);
	if (state->starts != 0 || state->flags != 0 || state->deadline_ns != 0)
		world_fail("%s: a row that is not new", stanza_name(program));
	for (int other = 0; other < LIMIT_ROWS; other++)
		if (other != row && world->rows[other].program == program &&
		    world->rows[other].kind == MAIN_PROCESS)
			world_fail("%s has two rows", stanza_name(program));
}

void check_free(int row)
{
	const struct sim_row *slot = &world->rows[row];

	if (slot->program < 0)
		return;
	for (int i = 0; i < world->process_count; i++) {
		const struct sim_process *process = &world->processes[i];

		if (process->row != row || process->claim != slot->claim || process->zombie)
			continue;
		if (slot->kind != MAIN_PROCESS || process->leader)
			world_fail("%s: its row is freed while process %d lives",
			    stanza_name(slot->program), process->pid);
	}
	if (slot->kind == MAIN_PROCESS)
		EXPECT_OF(slot->program, checklink_is_resting(world_row_state(row)),
		    "it is forgotten before it is at rest");
}

void check_refused_task(const struct ledger_owner *owner)
{
	int program = world->rows[owner->row - 1].program;

	if (program >= 0 && owner->kind < TASK_COUNT)
		world->shadows[program].tasks[owner->kind].failed++;
}

void check_drop(int row)
{
	const struct sim_row *slot = &world->rows[row];
	const struct ledger_exit *end = &world->ledger->exits[row];
	const struct ledger_state *state = world_row_state(row);

	/* Of a former main process, or of a forking program's command: those ends mean nothing. */
	if (slot->program < 0 || slot->kind != MAIN_PROCESS || end->run != state->starts ||
	    world->ledger->pids[row] != 0 ||
	    ((state->flags & LEDGER_FLAG_FORKED) && end->pid == state->forked_pid))
		return;
	EXPECT_OF(
	    slot->program, end->run == world->shadows[slot->program].acted, "an exit is lost");
}

/* ---- launches ---- */

void check_launch(int row, const struct launch_request *request)
{
	const struct sim_row *slot = &world->rows[row];
	int program = slot->program;
	const struct ledger_state *state = world_state(program);
	const struct engine *engine = world->engine.engine;
	bool quiet = engine->safe_mode || world->ledger->header.shutdown;

	if (slot->kind == MAIN_PROCESS) {
		EXPECT_OF(program, request->words == NULL, "a command in place of its own");
		EXPECT_OF(program, state->state == STATE_STARTING, "launched outside of STARTING");
		EXPECT_OF(program, request->run == state->starts, "launched with a wrong number");
		EXPECT_OF(program, !quiet, "launched in safe mode or shutdown");
		EXPECT_OF(program, !world_is_removed(program), "launched without a stanza");
		EXPECT_OF(program, !checklink_is_halting(state), "launched though it is to stop");
		EXPECT_OF(
		    program, checklink_lost(program) < 0, "launched without what it requires");
		if (request->config->life->key_accept)
			check_connection(program);
		return;
	}
	EXPECT_OF(program, stanza_kind_of_words(request->words) == slot->kind,
	    "a task with another one's command");
	EXPECT_OF(program,
	    !quiet || (slot->kind != TASK_PRE_START && slot->kind != TASK_ON_FAILURE),
	    "something new is begun in safe mode or shutdown");
	EXPECT_OF(program, slot->owner_run == state->starts, "a task for another run");
	EXPECT_OF(program, fits_state((enum task_kind)slot->kind, state),
	    world_task_name((enum task_kind)slot->kind));
}

void check_refused_launch(int row)
{
	const struct sim_row *slot = &world->rows[row];

	if (slot->kind != MAIN_PROCESS)
		world->shadows[slot->program].tasks[slot->kind].failed++;
}

void check_trouble(int row)
{
	world->shadows[world->rows[row].program].troubles++;
}

void check_spawn(const struct sim_process *process)
{
	if ((world->ledger->exited[process->row / 64] >> (process->row % 64)) & 1)
		world_fail("%s: launched over an exit that nobody has read",
		    stanza_name(process->program));
	if (process->kind == MAIN_PROCESS)
		check_spawn_main(process);
	else
		check_spawn_task(process);
}

static void check_spawn_main(const struct sim_process *process)
{
	int program = process->program;
	struct shadow *shadow = &world->shadows[program];

	EXPECT_OF(program, shadow->created != process->run, "two processes for one run");
	shadow->created = process->run;
	shadow->command_pid = process->pid;
	for (int i = 0; i < world->process_count; i++) {
		const struct sim_process *other = &world->processes[i];
		bool check = other->kind != MAIN_PROCESS && other->kind <= TASK_HEALTH;

		if (other == process || other->zombie)
			continue;
		if (other->program != program) {
			if (other->leader && other->kind == MAIN_PROCESS &&
			    other->pid == world->ledger->pids[other->row] &&
			    checklink_between(program, other->program).conflicts)
				world_fail("%s runs beside %s", stanza_name(program),
				    stanza_name(other->program));
			continue;
		}
		if (other->kind == MAIN_PROCESS)
			EXPECT_OF(program, other->left_alone, "something of the last run is left");
		else if (is_hook(other->kind))
			EXPECT_OF(program, false, "a hook of the last run is left");
		else
			EXPECT_OF(
			    program, !check || other->killed, "a check of the last run goes on");
	}
}

static void check_spawn_task(const struct sim_process *process)
{
	struct shadow_task *task = &world->shadows[process->program].tasks[process->kind];

	if (process->kind == TASK_ON_FAILURE) {
		world->shadows[process->program].owed_commands++;
		return;
	}
	EXPECT_OF(
	    process->program, !is_hook(process->kind) || task->made == 0, "a hook is run twice");
	task->made++;
	if (process->kind != TASK_POST_STOP)
		return;
	for (int i = 0; i < world->process_count; i++) {
		const struct sim_process *other = &world->processes[i];

		if (other->program == process->program && other->kind == MAIN_PROCESS &&
		    !other->zombie)
			EXPECT_OF(process->program,
			    other->left_alone || world->shadows[process->program].stays,
			    "post_stop before the end of everything");
	}
}

static bool fits_state(enum task_kind kind, const struct ledger_state *state)
{
	switch (kind) {
	case TASK_PRE_START:
		return state->state == STATE_PREPARING;
	case TASK_POST_START:
		return state->state == STATE_SETTLING;
	case TASK_PRE_STOP:
		return state->state == STATE_ENDING;
	case TASK_STOP_COMMAND:
		return state->state == STATE_STOPPING && state->stop_step == 0;
	case TASK_POST_STOP:
		return state->state == STATE_CLEANING;
	case TASK_RELOAD:
	case TASK_HEALTH:
		return state->state == STATE_RUNNING;
	case TASK_READY:
		return state->state == STATE_STARTING;
	case TASK_ON_FAILURE:
		return state->state == STATE_FATAL && (state->flags & LEDGER_FLAG_OWED);
	case TASK_COUNT:
		break;
	}
	return false;
}

static bool is_hook(int kind)
{
	return kind >= 0 && kind <= TASK_POST_STOP;
}

/* ---- signals ---- */

void check_signal(const struct sim_process *process, int number)
{
	world_say(
	    "signal %d to process %d of %s", number, process->pid, stanza_name(process->program));
	if (world->rows[process->row].claim != process->claim)
		return; /* of a row that was freed: the sweep of a task */
	if (process->kind == MAIN_PROCESS)
		check_signal_main(process, number);
	else if (number != SIGKILL)
		world_fail("%s: signal %d to a task", stanza_name(process->program), number);
	else
		check_signal_task(process);
}

static void check_signal_main(const struct sim_process *process, int number)
{
	int program = process->program;
	const struct ledger_state *state = world_state(program);
	const struct program *there = world_program(program);
	const struct program_config *config = there != NULL ? there->config : NULL;
	bool main = process->pid == world->ledger->pids[process->row];
	bool forced = world->engine.engine->shutdown_forced;
	int expected;

	if (config == NULL)
		return;
	if (number == SIGUSR1) {
		EXPECT_OF(program, main && state->state == STATE_RUNNING,
		    "a reload or health signal to whom it is not for");
		return;
	}
	EXPECT_OF(program,
	    state->state == STATE_STOPPING || state->state == STATE_BACKOFF ||
		(forced && number == SIGKILL),
	    "signalled though it is not to stop");
	EXPECT_OF(
	    program, !main || state->state != STATE_BACKOFF, "a live run is taken for leftovers");
	EXPECT_OF(program,
	    main || config->life->key_kill_mode == KILL_ALL ||
		(config->life->key_kill_mode == KILL_MIXED && number == SIGKILL) || forced,
	    "signalled against kill_mode");
	EXPECT_OF(program,
	    process->owner_run == state->starts || process->left_alone || !checklink_is_live(state),
	    "a process of another run is signalled");
	if (state->state != STATE_STOPPING || forced)
		return;
	EXPECT_OF(program, state->stop_step > 0, "signalled before its stop_command is over");
	expected = checkcount_stop_signal(config, state->stop_step);
	/* For a core dump; what the main process has left gets the plain one. */
	if (state->stop_step == 1 && state->reason == REASON_WATCHDOG && number == SIGABRT)
		expected = SIGABRT;
	EXPECT_OF(program, number == expected, "another signal than that of the step");
}

/* A hook gets KILL when its time is over, when nobody needs it any more, and after its own end for
 * what it has left. */
static void check_signal_task(const struct sim_process *process)
{
	int program = process->program;
	const struct ledger_state *own = world_row_state(process->row);
	const struct ledger_state *state = world_state(program);

	world->shadows[program].tasks[process->kind].killed += process->leader;
	/* (A second KILL says no more than the first.) */
	if (!process->leader || !is_hook(process->kind) || world_program(program) == NULL ||
	    world->engine.engine->shutdown_forced || world->was_forced || process->killed)
		return;
	EXPECT_OF(program,
	    !fits_state((enum task_kind)process->kind, state) ||
		process->owner_run != state->starts ||
		(own->deadline_ns != 0 && own->deadline_ns <= world->now_ns),
	    "a hook is killed before its time");
}

/* ---- ends ---- */

void check_end(const struct sim_process *process)
{
	struct shadow_task *task;

	if (!process->leader || process->kind == MAIN_PROCESS ||
	    world->lives[process->program] != process->life ||
	    process->owner_run != world->shadows[process->program].begun)
		return;
	task = &world->shadows[process->program].tasks[process->kind];
	if (process->wstatus == 0)
		task->good++;
	else
		task->bad++;
	/* Its time was over, whatever it said in the end. */
	if (world->rows[process->row].claim == process->claim &&
	    world_row_state(process->row)->deadline_ns != 0 &&
	    world_row_state(process->row)->deadline_ns <= world->now_ns)
		task->killed++;
}

void check_post(const struct sim_process *process, int row)
{
	const struct sim_row *slot = &world->rows[row];

	if (slot->kind == MAIN_PROCESS && slot->program >= 0 &&
	    ((world->ledger->exited[row / 64] >> (row % 64)) & 1))
		EXPECT_OF(slot->program,
		    world->ledger->exits[row].run == world->shadows[slot->program].acted ||
			world->ledger->exits[row].pid != process->pid,
		    "an exit is posted over one that nobody has read");
}

/* Into the cgroup of those that nobody looks after any more. */
void check_abandon(struct sim_process *process)
{
	EXPECT_OF(process->program, process->left_alone, "a process is abandoned");
}

/* What the end of a run may leave is left alone from now on; the rest must be gone. */
void check_leftovers(int program, bool quick, bool stays)
{
	const struct program *there = world_program(program);
	bool allowed = there->config->life->key_kill_mode == KILL_PROCESS;
	int row = world_row(program);

	for (int i = 0; i < world->process_count; i++) {
		struct sim_process *process = &world->processes[i];
		bool escaped =
		    process->leaf == 0 && quick &&
		    (process->outside || process->group != world->ledger->table[row].last_pid);

		if (process->program != program || process->kind != MAIN_PROCESS ||
		    process->zombie || process->left_alone)
			continue;
		process->left_alone = allowed || (escaped && !stays);
		EXPECT_OF(program, allowed || escaped || stays,
		    "its run is taken to be over, and is not");
	}
}
