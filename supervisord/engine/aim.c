/* SPDX-License-Identifier: ISC */
/* aim.c: see aim.h. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/units.h"
#include "supervisord/engine/aim.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/policy.h"
#include "supervisord/engine/programwords.h"

/* A program that speaks sd_notify(3) has this long to answer a reload by RELOADING=1; many never
 * do. */
#define RELOADING_WAIT_NS (300 * NS_PER_MS)

static bool is_overtaken(const struct aim *aim);
static enum verdict judge_up(const struct aim *aim);
static enum verdict judge_restarted(const struct aim *aim);
static enum verdict judge_rolled(const struct aim *aim);
static enum verdict judge_reloaded(struct aim *aim);
static enum verdict await_reloading(struct aim *aim);
static bool has_succeeded(const struct program *program);
static bool may_come(
    const struct program *program, const struct control_client *reader, char *buffer, size_t size);
static bool has_failed(const struct program *program);
static void describe_up(const struct aim *aim, char *buffer, size_t size);
static void describe_failure(const struct aim *aim, char *buffer, size_t size);
static void describe_reload_failure(const struct program *program, char *buffer, size_t size);

void aim_init(struct aim *aim, struct program *program, enum op_goal goal)
{
	*aim = (struct aim){
	    .program = program,
	    .goal = goal,
	    .run_before = program_state(program)->starts,
	    .state_before = program_state_of(program),
	};
}

enum verdict aim_judge(struct aim *aim)
{
	if (is_overtaken(aim))
		return VERDICT_FAILED;
	switch (aim->goal) {
	case OP_NONE:
		return VERDICT_OK;
	case OP_UP:
		return judge_up(aim);
	case OP_DOWN:
	case OP_ENDED:
		return step_is_at_rest(program_state_of(aim->program)) ? VERDICT_OK : VERDICT_OPEN;
	case OP_RESTARTED:
		return judge_restarted(aim);
	case OP_ROLLED:
		return judge_rolled(aim);
	case OP_RELOADED:
		return judge_reloaded(aim);
	}
	return VERDICT_OK;
}

bool aim_is_about_others(const struct aim *aim)
{
	return program_state_of(aim->program) == STATE_WAITING || aim->patience_ns != 0;
}

bool aim_has_changed(const struct aim *aim, enum verdict verdict)
{
	if (aim->goal == OP_RELOADED && verdict == VERDICT_OK)
		return true;
	return program_state_of(aim->program) != aim->state_before ||
	       program_state(aim->program)->starts != aim->run_before;
}

void aim_describe(const struct aim *aim, enum verdict verdict, char *buffer, size_t size)
{
	const struct ledger_state *state = program_state(aim->program);

	if (verdict == VERDICT_FAILED)
		describe_failure(aim, buffer, size);
	else if (aim->goal == OP_RELOADED)
		(void)snprintf(buffer, size, "%s",
		    aim->said_reloading || program_reload_end(aim->program) != NULL
			? "reloaded"
			: "told to reload");
	else if (aim->goal != OP_DOWN && aim->goal != OP_ENDED)
		describe_up(aim, buffer, size);
	else if (step_is_at_rest(aim->state_before))
		(void)snprintf(buffer, size, "was not running");
	else
		(void)snprintf(buffer, size, "stopped%s",
		    state->reason == REASON_FORCED ? " with what it requires" : "");
}

void aim_describe_late(const struct aim *aim, char *buffer, size_t size)
{
	char left[AIM_LEFT_TEXT] = "";

	if (program_state_of(aim->program) == STATE_STOPPING)
		(void)run_left_text(&aim->program->run, left, sizeof(left));
	(void)snprintf(buffer, size, "not there yet%s%s: the timeout is over, the command goes on",
	    left[0] != '\0' ? ", still there: " : "", left);
}

/* What is worth telling: what is left of one that stops, whom somebody else holds up, and that a
 * reload takes its time. */
bool aim_describe_waiting(
    const struct aim *aim, char *reason, size_t reason_size, char *left, size_t left_size)
{
	struct program *program = aim->program;
	const struct ledger_state *state = program_state(program);
	bool held = step_is_up((enum state)state->state) && transition_is_halting(state);

	left[0] = '\0';
	if (state->state == STATE_STOPPING)
		(void)run_left_text(&program->run, left, left_size);
	if (aim->goal == OP_RELOADED && !held)
		(void)snprintf(reason, reason_size, "%s",
		    state->flags & LEDGER_FLAG_RELOADING ? "is reloading, says the program"
							 : "reload_command is running");
	else
		(void)program_reason(program, aim->reader, reason, reason_size);
	return left[0] != '\0' || held || (state->flags & LEDGER_FLAG_FRESH) ||
	       aim->goal == OP_RELOADED || state->state == STATE_WAITING ||
	       step_is_stopping((enum state)state->state);
}

bool aim_describe_start(const struct aim *aim, char *reason, size_t size)
{
	const struct program *program = aim->program;
	const struct ledger_state *state = program_state(program);
	int64_t left_ns = state->deadline_ns - clock_boot_ns();
	char age[32];

	if (aim->goal != OP_UP && aim->goal != OP_RESTARTED && aim->goal != OP_ROLLED)
		return false;
	(void)units_format_age(
	    left_ns > NS_PER_S ? left_ns / NS_PER_S * NS_PER_S : NS_PER_S, age, sizeof(age));
	switch (program_state_of(program)) {
	case STATE_PREPARING:
		(void)snprintf(reason, size, "pre_start is running");
		return true;
	case STATE_SETTLING:
		(void)snprintf(reason, size, "post_start is running");
		return true;
	case STATE_STARTING:
		if (!transition_waits_for_ready(program->config))
			(void)snprintf(reason, size, "it counts as RUNNING in %s", age);
		else if (state->deadline_ns != 0)
			(void)snprintf(reason, size, "not ready yet, its start fails in %s", age);
		else
			(void)snprintf(reason, size, "not ready yet");
		return true;
	case STATE_BACKOFF:
		(void)program_reason(program, aim->reader, reason, size);
		return true;
	case STATE_STOPPED:
	case STATE_WAITING:
	case STATE_RUNNING:
	case STATE_STOPPING:
	case STATE_ENDING:
	case STATE_CLEANING:
	case STATE_EXITED:
	case STATE_FATAL:
	case STATE_COUNT:
		break;
	}
	return false;
}

int64_t aim_kill_ns(const struct aim *aim)
{
	const struct program *program = aim->program;
	const struct engine *engine = program->engine;
	int64_t kill_ns = transition_kill_ns(program->config, program_state(program));

	/* The whole shutdown has a deadline of its own. */
	if (kill_ns != 0 && engine->shutdown && !engine->shutdown_forced &&
	    engine->shutdown_timer.deadline_ns < kill_ns)
		return engine->shutdown_timer.deadline_ns;
	return kill_ns;
}

/*
 * Somebody has asked for the contrary meanwhile.  It is told at once: what was asked for first need
 * not come about any more, not even for a moment (a restart that waits for others to stop is taken
 * back by a stop and a start before that).
 */
static bool is_overtaken(const struct aim *aim)
{
	const struct ledger_state *state = program_state(aim->program);

	if (step_is_at_rest((enum state)state->state))
		return false;
	switch (aim->goal) {
	case OP_UP:
	case OP_RESTARTED:
		return state->wanted != WANTED_UP;
	case OP_ROLLED: /* or it is an extra instance now: those have no turn */
		return state->wanted != WANTED_UP || aim->program->config->surge;
	case OP_DOWN:
		return state->wanted == WANTED_UP;
	case OP_NONE:
	case OP_ENDED:
	case OP_RELOADED:
		break;
	}
	return false;
}

static enum verdict judge_up(const struct aim *aim)
{
	const struct program *program = aim->program;
	const struct ledger_state *state = program_state(program);

	switch ((enum state)state->state) {
	case STATE_WAITING:
		if (state->wanted == WANTED_UP &&
		    transition_waits_for_demand(program->config, state) &&
		    engine_start_blocker(program->engine, program) == NULL)
			return VERDICT_OK;
		return may_come(program, NULL, NULL, 0) ? VERDICT_OPEN : VERDICT_FAILED;
	case STATE_PREPARING:
	case STATE_STARTING:
	case STATE_SETTLING:
	case STATE_ENDING:
	case STATE_STOPPING:
	case STATE_CLEANING:
		return VERDICT_OPEN;
	case STATE_RUNNING: /* about to end: what follows counts */
		return transition_is_halting(state) ? VERDICT_OPEN : VERDICT_OK;
	case STATE_EXITED:
		return has_succeeded(program) ? VERDICT_OK : VERDICT_FAILED;
	case STATE_STOPPED:
	case STATE_BACKOFF:
	case STATE_FATAL:
	case STATE_COUNT:
		break;
	}
	return VERDICT_FAILED;
}

static enum verdict judge_restarted(const struct aim *aim)
{
	const struct ledger_state *state = program_state(aim->program);

	/* At rest by itself: it is not stopped any more, so nothing starts it again. */
	return state->starts != aim->run_before || state->wanted == WANTED_DOWN ||
		       state->state == STATE_WAITING || state->state == STATE_EXITED ||
		       state->state == STATE_FATAL
		   ? judge_up(aim)
		   : VERDICT_OPEN;
}

/* The command has marked it; the mark goes when it was replaced and has stayed up. */
static enum verdict judge_rolled(const struct aim *aim)
{
	const struct ledger_state *state = program_state(aim->program);

	if (state->flags & LEDGER_FLAG_KEPT)
		return VERDICT_FAILED;
	return state->flags & (LEDGER_FLAG_TURN | LEDGER_FLAG_FRESH) ? VERDICT_OPEN : judge_up(aim);
}

static enum verdict judge_reloaded(struct aim *aim)
{
	const struct ledger_state *state = program_state(aim->program);
	const struct task_end *end;

	if (state->state != STATE_RUNNING || state->starts != aim->run_before)
		return VERDICT_FAILED;
	if (state->flags & LEDGER_FLAG_RELOADING)
		aim->said_reloading = true;
	if (program_is_reloading(aim->program)) {
		aim->patience_ns = 0;
		return VERDICT_OPEN;
	}
	end = program_reload_end(aim->program);
	if (end != NULL && !end->ok)
		return VERDICT_FAILED;
	if (aim->said_reloading || aim->program->config->life->key_ready.kind != CHECK_NOTIFY)
		return VERDICT_OK;
	return await_reloading(aim);
}

static enum verdict await_reloading(struct aim *aim)
{
	int64_t now_ns = clock_boot_ns();

	if (aim->patience_ns == 0)
		aim->patience_ns = now_ns + RELOADING_WAIT_NS;
	return now_ns >= aim->patience_ns ? VERDICT_OK : VERDICT_OPEN;
}

/* Its last run has ended as it should. */
static bool has_succeeded(const struct program *program)
{
	const struct ledger_state *state = program_state(program);

	return state->run_acted == state->starts && !(state->flags & LEDGER_FLAG_FAILED) &&
	       policy_is_success(&program->config->key_success_exit, state->last_wstatus);
}

/*
 * Whether a WAITING program may get what it waits for by itself: somebody is at work on it, or at
 * the end of the chain, or it will go on without it.  If not, `buffer` (unless its size is 0) says
 * what is missing: "requires app, which requires db, which is FATAL".
 */
static bool may_come(
    const struct program *program, const struct control_client *reader, char *buffer, size_t size)
{
	const struct engine *engine = program->engine;
	const struct program_link *link = engine_start_blocker(engine, program);
	size_t length = 0;

	for (size_t i = 0; link != NULL && i < engine->program_count; i++) {
		const struct program *other = link->other;

		if (link->kind != DEPEND_REQUIRES)
			return true;
		if (length < size)
			length += (size_t)snprintf(buffer + length, size - length,
			    "requires %s, which ", programwords_name(other, reader));
		if (has_failed(other)) {
			if (length < size)
				(void)snprintf(buffer + length, size - length, "is %s",
				    step_state_name(program_state_of(other)));
			return false;
		}
		if (program_state_of(other) != STATE_WAITING)
			return true;
		link = engine_start_blocker(engine, other);
	}
	return true;
}

/* At rest, and not because its start is only just about to be decided. */
static bool has_failed(const struct program *program)
{
	const struct ledger_state *state = program_state(program);

	return step_is_at_rest((enum state)state->state) &&
	       !(state->state == STATE_STOPPED && state->wanted == WANTED_UP);
}

static void describe_up(const struct aim *aim, char *buffer, size_t size)
{
	const struct ledger_state *state = program_state(aim->program);
	int pid = (int)program_pid(aim->program);
	const char *what = aim->goal == OP_RESTARTED ? "restarted"
			   : aim->goal == OP_ROLLED  ? "replaced"
						     : "started";
	char ended[64];

	if (state->state == STATE_WAITING)
		(void)snprintf(buffer, size, "waits for a connection");
	else if (state->state != STATE_RUNNING)
		(void)snprintf(buffer, size, "%s; it %s", what,
		    reason_exit_text(state->last_wstatus, ended, sizeof(ended)));
	else if (pid == 0) /* a oneshot that remains */
		(void)snprintf(buffer, size, "%s",
		    state->starts == aim->run_before ? "is completed already" : "completed");
	else if (aim->state_before == STATE_RUNNING && state->starts == aim->run_before)
		(void)snprintf(buffer, size, "is running already (pid %d)", pid);
	else
		(void)snprintf(buffer, size, "%s (pid %d)", what, pid);
}

static void describe_failure(const struct aim *aim, char *buffer, size_t size)
{
	const struct program *program = aim->program;
	const char *state = step_state_name(program_state_of(program));
	char reason[REASON_TEXT];

	if (aim->goal == OP_RELOADED && program_state_of(program) == STATE_RUNNING) {
		if (program_state(program)->starts != aim->run_before)
			(void)snprintf(buffer, size, "ended while it was to reload");
		else
			describe_reload_failure(program, buffer, size);
		return;
	}
	if (aim->goal == OP_ROLLED && (program_state(program)->flags & LEDGER_FLAG_KEPT)) {
		(void)snprintf(buffer, size, "not replaced: the rolling update was given up");
		return;
	}
	if (is_overtaken(aim) && program->config->surge) {
		(void)snprintf(buffer, size, "superseded: it is not one of its instances any more");
		return;
	}
	if (is_overtaken(aim))
		state = "superseded";
	if (program_state_of(program) != STATE_WAITING ||
	    may_come(program, aim->reader, reason, sizeof(reason)))
		program_reason(program, aim->reader, reason, sizeof(reason));
	(void)snprintf(buffer, size, "%s%s%s", state, reason[0] != '\0' ? ": " : "", reason);
}

static void describe_reload_failure(const struct program *program, char *buffer, size_t size)
{
	const struct task_end *end = program_reload_end(program);
	const char *name = task_kind_name(end->kind);
	char ended[64];

	if (end->kind == TASK_READY)
		(void)snprintf(
		    buffer, size, "has not said that it is ready again in time (start_timeout)");
	else if (!end->launched)
		(void)snprintf(buffer, size, "%s: %s", name, strerror(end->error));
	else if (end->timed_out)
		(void)snprintf(buffer, size, "%s took too long", name);
	else
		(void)snprintf(buffer, size, "%s %s", name,
		    reason_exit_text(end->wstatus, ended, sizeof(ended)));
}
