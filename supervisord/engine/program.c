/* SPDX-License-Identifier: ISC */
/* program.c: see program.h. The order within program_event() is the contract with the next engine.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <bsd/string.h>

#include "lib/clock.h"
#include "lib/ownlog.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/launch.h"
#include "supervisord/engine/demand.h"
#include "supervisord/engine/giveup.h"
#include "supervisord/engine/health.h"
#include "supervisord/engine/hooks.h"
#include "supervisord/engine/laststate.h"
#include "supervisord/engine/cluster.h"
#include "supervisord/engine/ipc.h"
#include "supervisord/engine/notify.h"
#include "supervisord/engine/plan.h"
#include "supervisord/engine/program.h"
#include "supervisord/engine/programevent.h"
#include "supervisord/engine/readiness.h"
#include "supervisord/engine/retired.h"
#include "supervisord/engine/rolling.h"
#include "supervisord/engine/start.h"
#include "supervisord/engine/tty.h"

/* From one attempt to write down what the operator said to the next. */
#define INTENT_RETRY_NS (5 * NS_PER_S)

static void note_intent(struct program *program, const struct cause *cause, bool up);
static bool is_row_free(const void *context, int row);
static struct program *allocate(struct engine *engine, const struct program_config *config);
static void on_run_change(struct run *run);
static void resume_live(struct program *program);
static bool is_launch_lost(const struct program *program);
static void resume_launch(struct program *program);

int program_new(struct engine *engine, const struct program_config *config,
    const struct cause *start, struct program **ret_program)
{
	/* Wanted up from its first moment: an engine killed right after the claim must not forget
	 * it. */
	struct ledger_state state = {
	    .state = start->reason != REASON_NONE ? STATE_WAITING : STATE_STOPPED,
	    .wanted = start->reason != REASON_NONE ? WANTED_UP : WANTED_DOWN,
	    .reason = (uint8_t)start->reason,
	    .detail = start->detail,
	    .step = start->step,
	    .since_ns = clock_boot_ns(),
	    .since_wall_ns = clock_wall_ns(),
	};
	struct program *program = allocate(engine, config);
	int row;

	if (program == NULL)
		return -ENOMEM;
	row = ledger_claim_row(engine->ledger, config->name, NULL, &state, is_row_free, engine);
	if (row < 0) {
		free(program);
		return row;
	}
	program->run.row = row;
	*ret_program = program;
	return 0;
}

/* What a removed program said last must not end up in the log of one that gets its row. */
static bool is_row_free(const void *context, int row)
{
	const struct engine *engine = context;

	return !slots_is_draining(&engine->slots, row);
}

int program_adopt(struct engine *engine, const struct program_config *config, int row,
    struct program **ret_program)
{
	struct program *program = allocate(engine, config);

	if (program == NULL)
		return -ENOMEM;
	program->run.row = row;
	*ret_program = program;
	return 0;
}

void program_resume(struct program *program)
{
	struct ledger_row *row = &program->engine->ledger->table[program->run.row];
	const struct ledger_state *state = program_state(program);

	/* The kernel noted the pid; the engine that launched it may not have lived to do so. */
	if (program_pid(program) != 0 && row->last_pid == 0)
		row->last_pid = program_pid(program);
	if (state->deadline_ns != 0)
		(void)timers_arm(&program->engine->timers, &program->timer, state->deadline_ns);
	if (step_is_live((enum state)state->state))
		resume_live(program);
	else
		program_defer(program, PENDING_CHECK);
	if (state->flags & LEDGER_FLAG_OWED)
		program_defer(program, PENDING_OWED);
	if (program->config->life->key_accept)
		accept_resume(program);
}

/* Do again what was decided and maybe not done. */
static void resume_live(struct program *program)
{
	enum state state = program_state_of(program);

	if (state == STATE_STOPPING) {
		/* A second signal does no harm, none at all would; and so with KILL. */
		program_stop_by_step(program);
		program_defer(program, PENDING_PROBE);
		return;
	}
	if (hooks_kind_of(state) < TASK_COUNT)
		hooks_start(program); /* one that lives was adopted, and goes on */
	else if (is_launch_lost(program))
		resume_launch(program);
	program_defer(program, PENDING_CHECK);
	program_attend(program);
}

/*
 * No process and no word of one: its launch was decided and never made.  The guardian writes
 * exits[] before it takes the pid out, so an exit that is being posted right now is not mistaken
 * for that.
 */
static bool is_launch_lost(const struct program *program)
{
	const struct ledger_state *state = program_state(program);

	/* One that we have tried ourselves has failed, and that is still to be acted on. */
	return program_pid(program) == 0 && !(program->pending & PENDING_FAILED) &&
	       state->run_acted != state->starts &&
	       program->engine->ledger->exits[program->run.row].run != state->starts;
}

/* Decided, but the process was never made: make it, unless that is not allowed any more, or what it
 * requires has gone meanwhile. */
static void resume_launch(struct program *program)
{
	const struct engine *engine = program->engine;

	if (!engine->safe_mode && !program->removed &&
	    !atomic_load(&engine->ledger->header.shutdown) &&
	    !transition_is_halting(program_state(program)) &&
	    engine_lost_link(engine, program) == NULL) {
		program_act(program, ACTION_LAUNCH);
		return;
	}
	run_note_failure(&program->run, LAUNCH_CLONE, ECANCELED);
	program_defer(program, PENDING_FAILED);
}

void program_free(struct program *program)
{
	struct engine *engine = program->engine;

	timers_cancel(&engine->timers, &program->timer);
	if (program->pending != 0)
		TAILQ_REMOVE(&engine->pending, program, pending_link);
	task_abandon_all(program);
	readiness_end(program);
	health_end(program);
	demand_end(program);
	cluster_release(program);
	tty_release(program);
	ipc_release(program);
	notify_release(program);
	run_forget_watch(&program->run);
	free(program->firsts.list);
	free(program->lasts.list);
	free(program->conflicts.list);
	free(program->reload_end);
	program_unretire(program);
	free(program);
}

void program_retire(struct program *program)
{
	struct program_config *last = retired_new(program_name(program), program->config);

	if (last == NULL)
		log_error("%s: out of memory for what its stanza says about its end",
		    program_name(program));
	program_unretire(program); /* what a lost configuration left */
	program->config = last != NULL ? last : &retired_unknown;
	program->last_config = last;
	program->removed = true;
}

void program_unretire(struct program *program)
{
	program->removed = false;
	/* It stays in the list of pending ones: a round with nothing to do for it harms nobody. */
	if (program->pending & PENDING_FREE)
		program->pending = (uint8_t)((program->pending & ~PENDING_FREE) | PENDING_CHECK);
	if (program->last_config == NULL)
		return;
	retired_free(program->last_config);
	program->last_config = NULL;
}

void program_take_stanza(struct program *program, const struct program_config *stanza)
{
	struct ledger_state state = *program_state(program);
	int64_t deadline_ns = state.deadline_ns;

	if (!program->removed) /* of one that is, only how to stop it is known */
		deadline_ns = transition_retime_ns(program_state(program), program->config, stanza);
	program->config = stanza;
	program_unretire(program);
	if (deadline_ns == state.deadline_ns)
		return;
	state.deadline_ns = deadline_ns;
	ledger_commit_state(program->engine->ledger, program->run.row, &state);
	program_set_timer(program, deadline_ns);
}

const char *program_name(const struct program *program)
{
	return program->engine->ledger->table[program->run.row].name;
}

const struct ledger_state *program_state(const struct program *program)
{
	return ledger_get_state(program->engine->ledger, program->run.row);
}

pid_t program_pid(const struct program *program)
{
	return run_pid(&program->run);
}

void program_wish(struct program *program, enum wanted wanted, bool bounce)
{
	struct ledger_state state = *program_state(program);

	state.wanted = (uint8_t)wanted;
	if (bounce && step_is_live((enum state)state.state))
		state.flags |= LEDGER_FLAG_BOUNCE;
	else if (wanted == WANTED_DOWN)
		state.flags &= (uint16_t)~LEDGER_FLAG_BOUNCE;
	ledger_commit_state(program->engine->ledger, program->run.row, &state);
}

void program_start(struct program *program, const struct cause *cause)
{
	const struct ledger_state *state = program_state(program);

	/* Its stop has waited, and its stanza changed meanwhile: it is not the old run that is
	 * wanted.  But where a rolling update decides about that. */
	if (step_is_up((enum state)state->state) && state->config_hash != program_hash(program) &&
	    !program->config->life->key_accept &&
	    !(state->flags & (LEDGER_FLAG_TURN | LEDGER_FLAG_KEPT))) {
		program_restart(program, cause);
		return;
	}
	note_intent(program, cause, true);
	/* On its way down: another run is to follow. */
	program_wish(program, WANTED_UP, step_is_stopping((enum state)state->state));
	program_event(program, EVENT_START, cause);
}

void program_stop(struct program *program, const struct cause *cause)
{
	note_intent(program, cause, false);
	program_wish(program, WANTED_DOWN, false);
	program_event(program, EVENT_STOP, cause);
}

void program_restart(struct program *program, const struct cause *cause)
{
	note_intent(program, cause, true);
	program_wish(program, WANTED_UP, true);
	program_event(program, EVENT_STOP, cause);
}

/* What the operator said is remembered over a start of the machine, where the stanza asks for that.
 */
static void note_intent(struct program *program, const struct cause *cause, bool up)
{
	struct engine *engine = program->engine;
	const char *dir = engine->config->settings.key_state_dir;
	int error;

	if (program->config->life->key_boot != BOOT_LAST_STATE ||
	    (cause->reason != REASON_STARTED && cause->reason != REASON_STOPPED &&
		cause->reason != REASON_RESTARTED && cause->reason != REASON_FORCED))
		return;
	error = laststate_write(&engine->filelooks, dir, program_name(program), up);
	program->unnoted = error < 0;
	program->unnoted_up = up;
	if (error == 0)
		return;
	log_error("%s: cannot note its last state in %s (this is tried again): %s",
	    program_name(program), dir, strerror(-error));
	(void)timers_arm(&engine->timers, &engine->intent_timer, clock_boot_ns() + INTENT_RETRY_NS);
}

void program_note_intents(struct timer *timer)
{
	struct engine *engine =
	    (struct engine *)(void *)((char *)timer - offsetof(struct engine, intent_timer));
	const char *dir = engine->config->settings.key_state_dir;

	for (size_t i = 0; i < engine->program_count; i++) {
		struct program *program = engine->programs[i];

		if (!program->unnoted || program->config->life->key_boot != BOOT_LAST_STATE)
			continue;
		if (laststate_write(
			&engine->filelooks, dir, program_name(program), program->unnoted_up) < 0) {
			(void)timers_arm(&engine->timers, timer, clock_boot_ns() + INTENT_RETRY_NS);
			return;
		}
		program->unnoted = false;
		log_notice("%s: its last state is noted now", program_name(program));
	}
}

uint64_t program_hash(const struct program *program)
{
	return plan_run_hash(program->config, program->is_target);
}

void program_defer(struct program *program, enum program_pending what)
{
	if (program->pending == 0)
		TAILQ_INSERT_TAIL(&program->engine->pending, program, pending_link);
	program->pending |= (uint8_t)what;
}

void program_work(struct program *program)
{
	uint8_t pending = program->pending;

	program->pending = 0;
	if (pending & PENDING_FAILED)
		program_note_failed_launch(program);
	if (pending & PENDING_LOST)
		task_tell_lost(program);
	run_forget_leader(&program->run);
	if ((pending & PENDING_UNSEEN) && program_state_of(program) == STATE_STARTING)
		program_fail(program, REASON_NOT_READY, ENOMEM);
	if (pending & PENDING_CHECK)
		program_event(program, EVENT_CHECK, &program_no_cause);
	if (pending & PENDING_PROBE)
		program_probe(program);
	if (pending & PENDING_OWED)
		giveup_settle(program);
	if (pending & PENDING_ROLL)
		rolling_go_on(program);
	if (program_is_over(program))
		program_defer(program, PENDING_FREE);
}

int program_signal_main(const struct program *program, int number)
{
	return run_signal_main(&program->run, number);
}

static struct program *allocate(struct engine *engine, const struct program_config *config)
{
	struct program *program = calloc(1, sizeof(*program));

	if (program == NULL)
		return NULL;
	program->engine = engine;
	program->config = config;
	program->timer.fire = program_note_timer;
	program->run = (struct run){
	    .engine = engine, .kind = RUN_PROGRAM, .row = -1, .on_change = on_run_change};
	streams_init(&program->streams);
	LIST_INIT(&program->tasks);
	LIST_INIT(&program->items);
	return program;
}

/* A process that outlived its leader has ended. */
static void on_run_change(struct run *run)
{
	program_defer((struct program *)(void *)run, PENDING_PROBE);
}
