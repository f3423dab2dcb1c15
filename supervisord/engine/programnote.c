/* SPDX-License-Identifier: ISC */
/*
 * programnote.c: what the rest of the engine finds out about a program, turned into events: the end
 * of a process or a hook, readiness, health, a deadline.  See program.h and programevent.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <bsd/string.h>

#include "lib/clock.h"
#include "lib/ownlog.h"
#include "supervisord/engine/cluster.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/finding.h"
#include "supervisord/engine/health.h"
#include "supervisord/engine/hooks.h"
#include "supervisord/engine/launch.h"
#include "supervisord/engine/ipc.h"
#include "supervisord/engine/notify.h"
#include "supervisord/engine/programevent.h"
#include "supervisord/engine/readiness.h"
#include "supervisord/engine/start.h"

/* A deadline can be moved this far by EXTEND_TIMEOUT_USEC=, or to twice its length. */
#define EXTEND_MAX_NS (3600 * NS_PER_S)

static bool has_main(const struct program *program);
static void note_early(struct program *program);
static struct cause timer_cause(const struct ledger_state *state);
static struct cause hook_failure(const struct task_end *end);
static struct cause launch_failure(const struct program *program);
static void note_reload_end(struct program *program, const struct task_end *end);
static bool may_have_status_text(const struct program *program);

void program_note_exit(struct program *program)
{
	struct ledger *ledger = program->engine->ledger;
	const struct ledger_exit *end = &ledger->exits[program->run.row];
	const struct ledger_failure *failure = &ledger->table[program->run.row].failure;
	const struct ledger_state *state = program_state(program);
	struct happening happening = {
	    .event = EVENT_EXIT,
	    .cause = {.reason = REASON_EXIT, .detail = end->wstatus},
	    .run = end->run,
	    .pid = end->pid,
	    .wstatus = end->wstatus,
	    .launched = atomic_load(&failure->step) == LAUNCH_NONE,
	};

	/* Its last words were before its end. */
	if (program->notify != NULL && step_is_live((enum state)state->state))
		notify_catch_up(program);
	if (program->ipc != NULL && step_is_live((enum state)state->state))
		ipc_catch_up(program);
	state = program_state(program);
	if (end->run == state->run_acted || end->run != state->starts ||
	    !step_is_live((enum state)state->state) ||
	    (program_pid(program) != 0 && program_pid(program) != end->pid) ||
	    ((state->flags & LEDGER_FLAG_FORKED) && end->pid == state->forked_pid)) {
		/* Acted on already (the engine that did was killed before it could say so), or of
		 * one that is not the main process any more. */
		ledger_clear_exit(ledger, program->run.row);
		return;
	}
	if (ledger->table[program->run.row].last_pid == 0)
		ledger->table[program->run.row].last_pid = end->pid;
	cluster_note_exit(program);
	program_defer(program,
	    PENDING_CHECK); /* the guardian may not have reaped it yet: see run_forget_leader() */
	if (step_is_stopping((enum state)state->state))
		happening.cause = program_no_cause; /* why it stops is known already */
	else if (!happening.launched)
		happening.cause = launch_failure(program);
	else if (notify_errno(program) > 0 && end->wstatus != 0)
		happening.cause =
		    (struct cause){.reason = REASON_ERRNO, .detail = notify_errno(program)};
	if (happening.launched)
		happening.finding =
		    finding_of(program, end->wstatus, step_is_stopping((enum state)state->state));
	if (happening.cause.reason == REASON_EXIT)
		happening.cause.step = (int32_t)happening.finding.evidence;
	program_happen(program, &happening);
}

void program_note_failed_launch(struct program *program)
{
	struct happening happening = {
	    .event = EVENT_EXIT,
	    .cause = launch_failure(program),
	    .run = program_state(program)->starts,
	    .wstatus = TRANSITION_NOT_LAUNCHED,
	};
	enum state state = program_state_of(program);

	if (step_is_stopping(state))
		happening.cause = program_no_cause;
	if (step_is_live(state) && state != STATE_CLEANING && state != STATE_PREPARING)
		program_happen(program, &happening);
}

void program_note_timer(struct timer *timer)
{
	struct program *program =
	    (struct program *)(void *)((char *)timer - offsetof(struct program, timer));
	const struct ledger *ledger = program->engine->ledger;
	const struct ledger_state *state = program_state(program);
	struct cause cause;

	/* What has ended by now, or was never launched, did not live until its deadline. */
	if (program->pending & PENDING_FAILED) {
		/* (It stays in the list of pending ones.) */
		program->pending = (uint8_t)((program->pending & ~PENDING_FAILED) | PENDING_CHECK);
		program_note_failed_launch(program);
		return;
	}
	/* (Those that the engine looked for before the timers were a batch, perhaps not all.) */
	if (step_is_live((enum state)state->state) &&
	    ledger_next_exit(ledger, program->run.row) == program->run.row) {
		program_note_exit(program);
		return;
	}
	if (state->state == STATE_STARTING && !has_main(program) &&
	    !transition_waits_for_ready(program->config)) {
		program_fail(program, REASON_NO_MAIN, ESRCH); /* forking, as it was launched */
		return;
	}
	cause = timer_cause(state);
	if (state->state == STATE_STARTING && transition_waits_for_ready(program->config))
		cause.reason = state->flags & LEDGER_FLAG_FORKED && program_pid(program) == 0
				   ? REASON_NO_MAIN
				   : REASON_NOT_READY;
	program_event(program, EVENT_TIMER, &cause);
}

void program_note_ready(struct program *program, enum check_kind kind)
{
	enum state state = program_state_of(program);
	struct cause cause = {.reason = REASON_READY, .detail = (int32_t)kind};

	if (state == STATE_STARTING && !has_main(program))
		note_early(program);
	else if (state == STATE_STARTING)
		program_event(program, EVENT_READY, &cause);
	else if (step_is_live(state) && state != STATE_PREPARING)
		program_event(program, EVENT_READY, &program_no_cause); /* a reload is over */
}

/* Of a forking program it is known only some time after its command has ended. */
static bool has_main(const struct program *program)
{
	bool forked = (program_state(program)->flags & LEDGER_FLAG_FORKED) != 0;

	return forked ? program_pid(program) != 0 : program->config->life->key_type != TYPE_FORKING;
}

/* It is ready before that: to be remembered until then. */
static void note_early(struct program *program)
{
	struct ledger_state state = *program_state(program);

	state.flags |= LEDGER_FLAG_EARLY;
	ledger_commit_state(program->engine->ledger, program->run.row, &state);
}

void program_fail(struct program *program, enum reason reason, int32_t detail)
{
	enum state state = program_state_of(program);

	if (state == STATE_STARTING || state == STATE_SETTLING || state == STATE_RUNNING)
		program_event(program, EVENT_FAIL, &(struct cause){reason, detail, 0});
}

void program_note_idle(struct program *program)
{
	struct happening happening = {
	    .event = EVENT_CHECK,
	    .cause = {.reason = REASON_IDLE,
		.detail = (int32_t)(program->config->life->key_idle_stop / NS_PER_S)},
	    .idle = true,
	};

	if (program_state_of(program) == STATE_RUNNING)
		program_happen(program, &happening);
}

void program_note_health(struct program *program, enum ledger_health health)
{
	struct ledger_state state = *program_state(program);

	if (state.health == health)
		return;
	state.health = (uint8_t)health;
	ledger_commit_state(program->engine->ledger, program->run.row, &state);
	if (health != LEDGER_HEALTH_UNKNOWN)
		history_note(program->engine->history, &(struct history_event){
							   .kind = HISTORY_HEALTH,
							   .row = (uint16_t)program->run.row,
							   .run = (uint32_t)state.starts,
							   .detail = (int32_t)health,
							   .delay_ms = UINT32_MAX,
							   .uid = HISTORY_NO_UID,
						       });
	if (health != LEDGER_HEALTH_UNKNOWN)
		log_notice("%s: %s", program_name(program),
		    health == LEDGER_HEALTH_GOOD ? "healthy" : "unhealthy");
	engine_program_changed(program->engine, program);
}

void program_note_task(struct program *program, const struct task_end *end)
{
	struct happening happening = {.event = EVENT_HOOK, .hook_failed = !end->ok};

	if (end->kind == TASK_READY || end->kind == TASK_HEALTH) {
		if (end->kind == TASK_READY)
			readiness_note_task(program, end);
		else
			health_note_task(program, end);
		return;
	}
	if (!end->ok)
		hooks_log_failure(program, end);
	if (end->kind == TASK_RELOAD) {
		note_reload_end(program, end);
		return;
	}
	/* One that was meant for a state that is over already has nothing to say. */
	if (end->kind == TASK_ON_FAILURE || end->run != program_state(program)->starts ||
	    hooks_kind_of(program_state_of(program)) != end->kind)
		return;
	if (!end->ok && (end->kind == TASK_PRE_START || end->kind == TASK_POST_START))
		happening.cause = hook_failure(end);
	program_happen(program, &happening);
}

static void note_reload_end(struct program *program, const struct task_end *end)
{
	free(program->reload_end);
	program->reload_end = malloc(sizeof(*end));
	if (program->reload_end != NULL)
		*program->reload_end = *end;
	engine_program_changed(program->engine, program);
}

bool program_note_reloading(struct program *program)
{
	struct ledger_state state = *program_state(program);

	if (state.state != STATE_RUNNING || (state.flags & LEDGER_FLAG_RELOADING))
		return false;
	state.flags |= LEDGER_FLAG_RELOADING;
	ledger_commit_state(program->engine->ledger, program->run.row, &state);
	engine_program_changed(program->engine, program);
	return true;
}

void program_note_reload_late(struct program *program)
{
	struct ledger_state state = *program_state(program);
	const struct task_end late = {
	    .kind = TASK_READY, .run = state.starts, .launched = true, .timed_out = true};

	if (!(state.flags & LEDGER_FLAG_RELOADING))
		return;
	state.flags &= (uint16_t)~LEDGER_FLAG_RELOADING;
	ledger_commit_state(program->engine->ledger, program->run.row, &state);
	note_reload_end(program, &late);
	log_warning("%s: its reload has failed: it has not said READY=1 again in start_timeout",
	    program_name(program));
}

void program_extend(struct program *program, int64_t until_ns)
{
	struct ledger_state state = *program_state(program);
	int64_t length_ns = state.deadline_ns - state.since_ns;
	int64_t most_ns;

	if ((state.state != STATE_STARTING && state.state != STATE_STOPPING) ||
	    state.deadline_ns == 0 || until_ns <= state.deadline_ns)
		return;
	most_ns = state.since_ns + (2 * length_ns > EXTEND_MAX_NS ? 2 * length_ns : EXTEND_MAX_NS);
	state.deadline_ns = until_ns < most_ns ? until_ns : most_ns;
	ledger_commit_state(program->engine->ledger, program->run.row, &state);
	program_set_timer(program, state.deadline_ns);
}

void program_set_status_text(struct program *program, const char *text)
{
	if (may_have_status_text(program))
		(void)strlcpy(program->engine->ledger->status_text[program->run.row], text,
		    LIMIT_STATUS_TEXT); /* notify_parse() has cut it visibly */
}

const char *program_status_text(const struct program *program)
{
	return may_have_status_text(program)
		   ? program->engine->ledger->status_text[program->run.row]
		   : "";
}

/* Else nothing was ever said: it is no memory yet, and is not to become some. */
static bool may_have_status_text(const struct program *program)
{
	return program->notify != NULL || program->config->life->key_accept;
}

int program_set_main(struct program *program, pid_t pid, uid_t voucher)
{
	struct ledger_state state = *program_state(program);
	bool lived = program_pid(program) != 0;
	int error = run_set_main(&program->run, pid, voucher);

	/* Both have ended, and nobody will tell. */
	if (error == -ESRCH && lived && program_pid(program) == 0 &&
	    program->engine->ledger->exits[program->run.row].run != state.starts)
		program_fail(program, REASON_NO_MAIN, 0);
	if (error < 0)
		return error;
	/* The next exit is this one's: that of the command is not waited for any more. */
	if (program->config->life->key_type == TYPE_FORKING && state.state == STATE_STARTING) {
		state.flags |= LEDGER_FLAG_FORKED;
		ledger_commit_state(program->engine->ledger, program->run.row, &state);
		program_defer(
		    program, PENDING_CHECK); /* it is looked at for readiness from now on */
	}
	engine_program_changed(program->engine, program);
	return 0;
}

int program_reload(struct program *program)
{
	const struct life_config *life = program->config->life;

	if (program_state_of(program) != STATE_RUNNING)
		return -ESRCH;
	if (program_is_reloading(program))
		return -EALREADY;
	free(program->reload_end);
	program->reload_end = NULL;
	if (life->key_reload_command != NULL) {
		hooks_start_kind(program, TASK_RELOAD);
		return 0;
	}
	if (life->key_reload_signal == 0)
		return -ENOTSUP;
	if (program->notify != NULL)
		notify_note_reload(program);
	return run_signal_main(&program->run, life->key_reload_signal);
}

bool program_is_reloading(const struct program *program)
{
	return (program_state(program)->flags & LEDGER_FLAG_RELOADING) ||
	       task_find(program, TASK_RELOAD) != NULL ||
	       (program->lost_tasks & (1U << TASK_RELOAD));
}

const struct task_end *program_reload_end(const struct program *program)
{
	return program->reload_end;
}

static struct cause timer_cause(const struct ledger_state *state)
{
	switch ((enum state)state->state) {
	case STATE_STARTING:
		return (struct cause){.reason = REASON_STABLE};
	case STATE_BACKOFF:
		return (struct cause){
		    .reason = REASON_RETRY, .detail = (int32_t)state->window_starts + 1};
	case STATE_FATAL:
		return (struct cause){.reason = REASON_SLOW_RETRY};
	case STATE_STOPPING:
	case STATE_STOPPED:
	case STATE_WAITING:
	case STATE_PREPARING:
	case STATE_SETTLING:
	case STATE_RUNNING:
	case STATE_ENDING:
	case STATE_CLEANING:
	case STATE_EXITED:
	case STATE_COUNT:
		break;
	}
	return program_no_cause;
}

static struct cause hook_failure(const struct task_end *end)
{
	if (!end->launched)
		return (struct cause){REASON_HOOK_LAUNCH, end->error, (int32_t)end->kind};
	return (struct cause){REASON_HOOK, end->timed_out ? -1 : end->wstatus, (int32_t)end->kind};
}

static struct cause launch_failure(const struct program *program)
{
	const struct ledger_failure *failure =
	    &program->engine->ledger->table[program->run.row].failure;

	return (struct cause){
	    .reason = REASON_LAUNCH,
	    .step = atomic_load(&failure->step),
	    .detail = atomic_load(&failure->error),
	};
}
