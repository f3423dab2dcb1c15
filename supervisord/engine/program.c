/* SPDX-License-Identifier: ISC */
/* program.c: see program.h. The order within program_event() is the contract with the next engine.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/ownlog.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/launch.h"
#include "supervisord/engine/program.h"
#include "supervisord/engine/run.h"

/* The wait status of a run that had no process; as a shell's for what it cannot execute. */
#define NOT_LAUNCHED_STATUS (127 << 8)

static const struct cause no_cause = {REASON_NONE, 0, 0};

static void resume_launch(struct program *program);
static bool is_row_free(const void *context, int row);
static struct program *allocate(struct engine *engine, const struct program_config *config);
static void on_timer(struct timer *timer);
static struct cause launch_failure(const struct program *program);
static void program_event(struct program *program, enum event event, const struct cause *cause);
static void happen(struct program *program, struct happening *happening);
static void look_around(struct program *program, struct happening *happening);
static void set_timer(struct program *program, int64_t deadline_ns);
static void log_transition(const struct program *program, enum state from);
static void act(struct program *program, unsigned actions);

int program_new(struct engine *engine, const struct program_config *config, enum reason start,
    struct program **ret_program)
{
	/* Wanted up from its first moment: an engine killed right after the claim must not forget
	 * it. */
	struct ledger_state state = {
	    .state = start != REASON_NONE ? STATE_WAITING : STATE_STOPPED,
	    .wanted = start != REASON_NONE ? WANTED_UP : WANTED_DOWN,
	    .reason = (uint8_t)start,
	    .since_ns = clock_boot_ns(),
	    .since_wall_ns = clock_wall_ns(),
	};
	struct program *program = allocate(engine, config);
	int row;

	if (program == NULL)
		return -ENOMEM;
	row = ledger_claim_row(engine->ledger, config->name, &state, is_row_free, engine);
	if (row < 0) {
		free(program);
		return row;
	}
	program->row = row;
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
	program->row = row;
	*ret_program = program;
	return 0;
}

void program_resume(struct program *program)
{
	struct ledger_row *row = &program->engine->ledger->table[program->row];
	const struct ledger_state *state = program_state(program);
	/*
	 * No process and no word of one: its launch was decided and never made.  The guardian
	 * writes exits[] before it takes the pid out, so an exit that is being posted right now is
	 * not mistaken for that.
	 */
	bool lost = program_pid(program) == 0 && state->run_acted != state->starts &&
		    program->engine->ledger->exits[program->row].run != state->starts;

	/* The kernel noted the pid; the engine that launched it may not have lived to do so. */
	if (program_pid(program) != 0)
		row->last_pid = program_pid(program);
	if (state->deadline_ns != 0)
		(void)timers_arm(&program->engine->timers, &program->timer, state->deadline_ns);
	switch ((enum state)state->state) {
	case STATE_STARTING:
	case STATE_RUNNING:
		if (lost)
			resume_launch(program);
		else
			program_defer(program, PENDING_CHECK);
		break;
	case STATE_STOPPING:
		/* Maybe decided and not done: a second signal does no harm, none at all would. */
		if (program_pid(program) != 0 && !(state->flags & LEDGER_FLAG_KILLED))
			run_signal(program, program->config->key_stop_signal);
		program_defer(program, PENDING_PROBE);
		break;
	case STATE_STOPPED:
	case STATE_WAITING:
	case STATE_BACKOFF:
		program_defer(program, PENDING_CHECK);
		break;
	case STATE_EXITED:
	case STATE_FATAL:
	case STATE_COUNT:
		break;
	}
}

/* Decided, but the process was never made: make it, unless that is not allowed any more. */
static void resume_launch(struct program *program)
{
	struct engine *engine = program->engine;
	struct ledger_failure *failure = &engine->ledger->table[program->row].failure;

	if (!engine->safe_mode && !program->removed &&
	    !atomic_load(&engine->ledger->header.shutdown)) {
		act(program, ACTION_LAUNCH);
		return;
	}
	atomic_store(&failure->error, ECANCELED);
	atomic_store(&failure->step, LAUNCH_CLONE);
	program_defer(program, PENDING_FAILED);
}

void program_free(struct program *program)
{
	struct engine *engine = program->engine;

	timers_cancel(&engine->timers, &program->timer);
	if (program->pending != 0)
		TAILQ_REMOVE(&engine->pending, program, pending_link);
	run_forget_watch(program);
	free(program->dependents);
	program_unretire(program);
	free(program);
}

void program_unretire(struct program *program)
{
	program->removed = false;
	/* It stays in the list of pending ones: a round with nothing to do for it harms nobody. */
	if (program->pending & PENDING_FREE)
		program->pending = (uint8_t)((program->pending & ~PENDING_FREE) | PENDING_CHECK);
	if (program->last_config == NULL)
		return;
	free(program->last_config->name);
	free(program->last_config->key_after);
	free(program->last_config);
	program->last_config = NULL;
}

const char *program_name(const struct program *program)
{
	return program->engine->ledger->table[program->row].name;
}

const struct ledger_state *program_state(const struct program *program)
{
	return ledger_get_state(program->engine->ledger, program->row);
}

pid_t program_pid(const struct program *program)
{
	return atomic_load(&program->engine->ledger->pids[program->row]);
}

void program_wish(struct program *program, enum wanted wanted, bool bounce)
{
	struct ledger_state state = *program_state(program);

	state.wanted = (uint8_t)wanted;
	if (bounce && step_is_live((enum state)state.state))
		state.flags |= LEDGER_FLAG_BOUNCE;
	else if (wanted == WANTED_DOWN)
		state.flags &= (uint8_t)~LEDGER_FLAG_BOUNCE;
	ledger_commit_state(program->engine->ledger, program->row, &state);
}

void program_start(struct program *program, const struct cause *cause)
{
	const struct ledger_state *state = program_state(program);

	/* Its stop has waited, and its stanza changed meanwhile: it is not the old run that is
	 * wanted. */
	if ((state->state == STATE_STARTING || state->state == STATE_RUNNING) &&
	    state->config_hash != program_hash(program)) {
		program_restart(program, cause);
		return;
	}
	program_wish(program, WANTED_UP, false);
	program_event(program, EVENT_START, cause);
}

void program_stop(struct program *program, const struct cause *cause)
{
	program_wish(program, WANTED_DOWN, false);
	program_event(program, EVENT_STOP, cause);
}

void program_restart(struct program *program, const struct cause *cause)
{
	program_wish(program, WANTED_UP, true);
	program_event(program, EVENT_STOP, cause);
}

uint64_t program_hash(const struct program *program)
{
	/* Its stdin is a pipe because of what other stanzas say, so that is not in the stanza's own
	 * hash. */
	return program->is_target ? ~program->config->hash : program->config->hash;
}

void program_note_exit(struct program *program)
{
	struct ledger *ledger = program->engine->ledger;
	const struct ledger_exit *end = &ledger->exits[program->row];
	const struct ledger_failure *failure = &ledger->table[program->row].failure;
	struct happening happening = {
	    .event = EVENT_EXIT,
	    .cause = {.reason = REASON_EXIT, .detail = end->wstatus},
	    .run = end->run,
	    .wstatus = end->wstatus,
	    .launched = atomic_load(&failure->step) == LAUNCH_NONE,
	};

	ledger->table[program->row].last_pid = end->pid;
	if (end->run == program_state(program)->run_acted ||
	    end->run != program_state(program)->starts ||
	    !step_is_live(program_state_of(program))) {
		/* Acted on already; the engine that did was killed before it could say so. */
		ledger_clear_exit(ledger, program->row);
		return;
	}
	program_defer(program,
	    PENDING_CHECK); /* the guardian may not have reaped it yet: see run_forget_leader() */
	if (program_state_of(program) == STATE_STOPPING)
		happening.cause = no_cause; /* why it stops is known already */
	else if (!happening.launched)
		happening.cause = launch_failure(program);
	happen(program, &happening);
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
	if (pending & PENDING_FAILED) {
		struct happening happening = {
		    .event = EVENT_EXIT,
		    .cause = launch_failure(program),
		    .run = program_state(program)->starts,
		    .wstatus = NOT_LAUNCHED_STATUS,
		};

		if (step_is_live(program_state_of(program)))
			happen(program, &happening);
	}
	run_forget_leader(program);
	if (pending & PENDING_CHECK)
		program_event(program, EVENT_CHECK, &no_cause);
	if ((pending & PENDING_PROBE) && program_state_of(program) == STATE_STOPPING &&
	    run_is_gone(program))
		program_event(program, EVENT_GONE, &no_cause);
	if (program->removed && step_is_at_rest(program_state_of(program)))
		program_defer(program, PENDING_FREE);
}

int program_signal_leader(const struct program *program, int number)
{
	return run_signal_leader(program, number);
}

const char *program_reason(const struct program *program, char *buffer, size_t size)
{
	const struct ledger_state *state = program_state(program);
	const struct program_config *config = program->config;
	const struct program *blocker = NULL;
	struct reason_words words = {
	    .program_path = config->key_command != NULL ? config->key_command[0] : NULL,
	    .directory = config->key_directory,
	    .stream_target = {config->key_stdin.target, config->key_stdout.target,
		config->key_stderr.target},
	    .user = config->key_user,
	    .retry_ms = state->failures > 0 ? transition_retry_ns(config, state) / NS_PER_MS : -1,
	    .safe_mode = program->engine->safe_mode,
	};

	if (state->state == STATE_WAITING)
		blocker = engine_start_blocker(program->engine, program);
	else if (step_is_live((enum state)state->state) && state->state != STATE_STOPPING &&
		 transition_is_halting(state))
		blocker = engine_stop_blocker(program->engine, program);
	words.waits_for = blocker != NULL ? program_name(blocker) : NULL;
	return reason_text(state, &words, buffer, size);
}

static struct program *allocate(struct engine *engine, const struct program_config *config)
{
	struct program *program = calloc(1, sizeof(*program));

	if (program == NULL)
		return NULL;
	program->engine = engine;
	program->config = config;
	program->timer.fire = on_timer;
	program->row = -1;
	streams_init(&program->streams);
	LIST_INIT(&program->items);
	return program;
}

static void on_timer(struct timer *timer)
{
	struct program *program =
	    (struct program *)(void *)((char *)timer - offsetof(struct program, timer));
	const struct ledger *ledger = program->engine->ledger;
	const struct ledger_state *state = program_state(program);
	struct cause cause = no_cause;

	/* What has ended by now did not live until its deadline. */
	if (step_is_live((enum state)state->state) &&
	    ledger_next_exit(ledger, program->row) == program->row) {
		program_note_exit(program);
		return;
	}
	if (state->state == STATE_STARTING)
		cause.reason = REASON_STABLE;
	else if (state->state == STATE_STOPPING)
		cause.reason = REASON_KILLED;
	else if (state->state == STATE_BACKOFF)
		cause = (struct cause){
		    .reason = REASON_RETRY, .detail = (int32_t)state->window_starts + 1};
	program_event(program, EVENT_TIMER, &cause);
}

static struct cause launch_failure(const struct program *program)
{
	const struct ledger_failure *failure =
	    &program->engine->ledger->table[program->row].failure;

	return (struct cause){
	    .reason = REASON_LAUNCH,
	    .step = atomic_load(&failure->step),
	    .detail = atomic_load(&failure->error),
	};
}

static void program_event(struct program *program, enum event event, const struct cause *cause)
{
	struct happening happening = {.event = event, .cause = *cause};

	happen(program, &happening);
}

/* Decide, commit, then act: see program.h. */
static void happen(struct program *program, struct happening *happening)
{
	struct engine *engine = program->engine;
	enum state from = program_state_of(program);
	struct transition transition;
	int error;

	look_around(program, happening);
	error = transition_decide(program_state(program), program->config, happening, &transition);
	if (error < 0)
		log_error("%s: %s cannot happen in state %s: please report this",
		    program_name(program), step_event_name(happening->event),
		    step_state_name(from));
	else
		ledger_commit_state(engine->ledger, program->row, &transition.state);
	/* The news may go now, and must before a launch: the next run's exit would be cleared with
	 * it. */
	if (happening->event == EVENT_EXIT)
		ledger_clear_exit(engine->ledger, program->row);
	if (error < 0)
		return;
	set_timer(program, transition.state.deadline_ns);
	act(program, transition.actions);
	if (transition.state.state != from)
		log_transition(
		    program, from); /* after the act: a crashed program is back the sooner */
	if (program->removed && step_is_at_rest((enum state)transition.state.state))
		program_defer(program, PENDING_FREE);
	if (transition.moved || happening->event == EVENT_START || happening->event == EVENT_STOP)
		engine_program_changed(engine, program);
}

/* How the world is for this instance now. */
static void look_around(struct program *program, struct happening *happening)
{
	const struct engine *engine = program->engine;

	happening->may_start = !engine->safe_mode &&
			       !atomic_load(&engine->ledger->header.shutdown) &&
			       !program->removed && engine_start_blocker(engine, program) == NULL;
	happening->may_stop = engine_stop_blocker(engine, program) == NULL;
	/* In a storm the group must do; who commands can wait for a look at every process. */
	if (happening->event == EVENT_EXIT || happening->event == EVENT_TIMER)
		happening->leftovers = run_has_group(program);
	else if (happening->event == EVENT_START || happening->event == EVENT_STOP)
		happening->leftovers = run_has_leftovers(program);
	happening->config_hash = program_hash(program);
	happening->now_ns = clock_boot_ns();
	happening->wall_ns = clock_wall_ns();
}

static void set_timer(struct program *program, int64_t deadline_ns)
{
	struct timers *timers = &program->engine->timers;

	if (deadline_ns == 0)
		timers_cancel(timers, &program->timer);
	else if (timers_arm(timers, &program->timer, deadline_ns) < 0)
		log_error("%s: out of memory for a timer", program_name(program));
}

static void log_transition(const struct program *program, enum state from)
{
	char reason[REASON_TEXT];

	program_reason(program, reason, sizeof(reason));
	log_notice("%s: %s -> %s%s%s", program_name(program), step_state_name(from),
	    step_state_name(program_state_of(program)), reason[0] != '\0' ? ": " : "", reason);
}

static void act(struct program *program, unsigned actions)
{
	if (actions & ACTION_LAUNCH)
		run_launch(program);
	if (actions & ACTION_SIGNAL)
		run_signal(program, program->config->key_stop_signal);
	if (actions & ACTION_KILL)
		run_kill(program);
	if (actions & ACTION_PROBE)
		program_defer(program, PENDING_PROBE);
}
