/* SPDX-License-Identifier: ISC */
/* programevent.c: see programevent.h.  The order within program_happen() is the contract with the
 * next engine. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <bsd/string.h>

#include "lib/clock.h"
#include "lib/ownlog.h"
#include "supervisord/engine/cluster.h"
#include "supervisord/engine/demand.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/health.h"
#include "supervisord/engine/hooks.h"
#include "supervisord/engine/lastwords.h"
#include "supervisord/engine/launch.h"
#include "supervisord/engine/notify.h"
#include "supervisord/engine/programevent.h"
#include "supervisord/engine/readiness.h"
#include "supervisord/engine/start.h"
#include "supervisord/engine/tty.h"

const struct cause program_no_cause = {REASON_NONE, 0, 0};

static void commit(struct program *program, const struct transition *transition,
    const struct happening *happening);
static void forget_last_run(struct program *program);
static int end_input(struct program *program);
static bool is_up_long_enough(const struct program *program);
static bool is_gone(struct program *program);
static bool is_end_unread(const struct program *program);
static void stop_rest(struct program *program, size_t left);
static void look_around(struct program *program, struct happening *happening);
static void note_missing(struct program *program, struct happening *happening);
static void note_outlook(struct program *program);
static void log_transition(struct program *program, enum state from);

void program_event(struct program *program, enum event event, const struct cause *cause)
{
	struct happening happening = {.event = event, .cause = *cause};

	program_happen(program, &happening);
}

/* Decide, commit, then act: see program.h. */
void program_happen(struct program *program, struct happening *happening)
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
		    step_state_own_name(from));
	else
		commit(program, &transition, happening);
	/* The news may go now, and must before a launch: the next run's exit would be cleared with
	 * it. */
	if (happening->event == EVENT_EXIT)
		ledger_clear_exit(engine->ledger, program->run.row);
	if (error < 0)
		return;
	program_set_timer(program, transition.state.deadline_ns);
	program_act(program, transition.actions);
	if (transition.state.state != from)
		log_transition(
		    program, from); /* after the act: a crashed program is back the sooner */
	if (transition.state.state == STATE_RUNNING && from != STATE_RUNNING)
		cluster_note_change(program);
	if (transition.ended && transition.failed &&
	    !tty_drain(program, transition.state.run_acted))
		lastwords_note_end(program, transition.state.run_acted);
	program_attend(program);
	if (program_is_over(program))
		program_defer(program, PENDING_FREE);
	/* Its cell may not have been one that stops it. */
	if (happening->lost && step_is_up((enum state)transition.state.state))
		program_defer(program, PENDING_CHECK);
	/* An end may be what somebody waits for though it moves nothing: `completed`. */
	if (transition.moved || happening->lost || happening->event == EVENT_START ||
	    happening->event == EVENT_STOP || happening->event == EVENT_READY ||
	    happening->event == EVENT_EXIT)
		engine_program_changed(engine, program);
	note_outlook(program);
}

/* What is told of it is written before it, and counts when it is committed. */
static void commit(
    struct program *program, const struct transition *transition, const struct happening *happening)
{
	struct engine *engine = program->engine;
	int row = program->run.row;

	history_prepare(engine->history, engine->ledger, row, transition, happening);
	ledger_commit_state(engine->ledger, row, &transition->state);
	if (transition->news)
		history_publish(engine->history, happening->number);
}

void program_act(struct program *program, unsigned actions)
{
	if (actions & ACTION_BEGIN)
		forget_last_run(program);
	if (actions & ACTION_LAUNCH)
		start_run(program);
	if (actions & (ACTION_SIGNAL | ACTION_ESCALATE))
		program_stop_by_step(program);
	if (actions & ACTION_HOOK)
		hooks_start(program);
	if (actions & ACTION_ADOPT)
		readiness_find_main(program);
	if (actions & ACTION_PROBE)
		program_defer(program, PENDING_PROBE);
	if (actions & ACTION_GIVEN_UP)
		program_defer(program, PENDING_OWED);
}

/* What looked after it must not look at the next one, which may begin at once. */
static void forget_last_run(struct program *program)
{
	program_set_status_text(program, "");
	health_end(program);
	(void)task_cancel_kinds(program, 1U << TASK_RELOAD);
}

/* Where the stop is now: its command, a signal, or KILL. */
void program_stop_by_step(struct program *program)
{
	const struct ledger_state *state = program_state(program);
	struct transition_stop stop = transition_stop_step(program->config, state);
	int number = stop.signal;

	if (state->state == STATE_BACKOFF) { /* what crashed has left something */
		run_kill(&program->run, program_name(program));
		return;
	}
	if (stop.command && (state->flags & LEDGER_FLAG_COMMAND))
		return; /* done, and the engine before this one has waited for what comes of it */
	if (stop.command) {
		(void)task_cancel_kinds(program, HOOKS_ALL & ~(1U << TASK_STOP_COMMAND));
		hooks_start_kind(program, TASK_STOP_COMMAND);
		return;
	}
	(void)task_cancel_kinds(program, HOOKS_ALL);
	if (number == STOP_DISCONNECT) {
		if (cluster_disconnect(program) == 0)
			return;
		number = SIGTERM;
	}
	if (number == STOP_END_OF_INPUT)
		number = end_input(program);
	if (number == STOP_END_OF_INPUT)
		return;
	if (state->stop_step == 1 && state->reason == REASON_WATCHDOG)
		number = SIGABRT; /* for a core dump that tells why */
	if (number == STOP_NOTHING)
		return;
	if (number == SIGKILL && stop.all)
		run_kill(&program->run, program_name(program));
	else
		run_signal(&program->run, number, stop.all ? RUN_ALL : RUN_MAIN);
}

/*
 * A filter ends by itself when its input does, and not before it has read what is in the pipe.  The
 * input does not end while its program is there: then it is told to by the signal that is given.
 * Done again by a new engine it does nothing.
 */
static int end_input(struct program *program)
{
	struct streams *streams = &program->streams;

	for (uint32_t i = 0; i < program->lasts.count; i++)
		if (step_is_live(program_state_of(program->lasts.list[i].other)))
			return SIGTERM;
	slots_release(&program->engine->slots, streams->stdin_write);
	streams->stdin_write = -1;
	return STOP_END_OF_INPUT;
}

/* Look after what the present state needs to be looked after. */
void program_attend(struct program *program)
{
	const struct ledger_state *state = program_state(program);
	const struct life_config *life = program->config->life;
	bool limited = life->key_max_runtime > 0;

	if (is_up_long_enough(program)) {
		program_note_ready(program, CHECK_NONE); /* which brings us here again */
		return;
	}
	if (state->state == STATE_STARTING && transition_waits_for_ready(program->config)) {
		if ((state->flags & LEDGER_FLAG_FORKED) && program_pid(program) == 0)
			readiness_find_main(program);
		else if (life->key_type != TYPE_FORKING || (state->flags & LEDGER_FLAG_FORKED))
			readiness_begin(program);
	} else if (program->readiness != NULL) {
		readiness_end(program);
	}
	if (state->state == STATE_RUNNING || (state->state == STATE_STARTING && limited))
		health_begin(program);
	else if (program->health != NULL && !step_is_up((enum state)state->state))
		health_end(program); /* what was said before it is RUNNING counts then */
	if (state->state != STATE_RUNNING && !LIST_EMPTY(&program->tasks))
		(void)task_cancel_kinds(program, 1U << TASK_RELOAD);
	demand_attend(program);
	if (state->state == STATE_STOPPED && program->notify != NULL)
		notify_forget_store(program);
}

/* It was launched to say when it is ready, in whatever time it likes, and its stanza does not ask
 * for that any more. */
static bool is_up_long_enough(const struct program *program)
{
	const struct ledger_state *state = program_state(program);

	return state->state == STATE_STARTING && state->deadline_ns == 0 && !program->removed &&
	       program_pid(program) != 0 && program->config->life->key_type == TYPE_SERVICE &&
	       !transition_waits_for_ready(program->config);
}

void program_set_timer(struct program *program, int64_t deadline_ns)
{
	struct timers *timers = &program->engine->timers;

	if (deadline_ns == 0)
		timers_cancel(timers, &program->timer);
	else if (timers_arm(timers, &program->timer, deadline_ns) < 0)
		log_error("%s: out of memory for a timer", program_name(program));
}

void program_probe(struct program *program)
{
	if (program_state_of(program) == STATE_STOPPING && is_gone(program))
		program_event(program, EVENT_GONE, &program_no_cause);
}

/* Whether nothing is left of the run, nor of what was run for it. */
static bool is_gone(struct program *program)
{
	enum kill_mode mode = program->config->life->key_kill_mode;
	size_t left = 0;

	if (program_pid(program) != 0 || is_end_unread(program))
		return false; /* its EXIT brings the next probe */
	if (!run_is_gone(&program->run, mode == KILL_PROCESS, &left)) {
		if (mode == KILL_ALL)
			stop_rest(program, left);
		return false;
	}
	/* Each brings another probe when it is gone.  A stop_command is let to do its part to the
	 * end: of a oneshot that remains it is all there is to stop. */
	if (program_state(program)->stop_step == 0 &&
	    task_find(program, TASK_STOP_COMMAND) != NULL) {
		(void)task_cancel_kinds(program, HOOKS_ALL & ~(1U << TASK_STOP_COMMAND));
		return false;
	}
	return !task_cancel_kinds(program, HOOKS_ALL);
}

/* The guardian has taken the pid out, and what it says of the end has yet to be acted on. */
static bool is_end_unread(const struct program *program)
{
	const struct ledger_state *state = program_state(program);
	const struct ledger_exit *end = &program->engine->ledger->exits[program->run.row];

	return end->run == state->starts && state->run_acted != state->starts &&
	       !((state->flags & LEDGER_FLAG_FORKED) && end->pid == state->forked_pid);
}

/* The leader heard the stop signal; what it left behind hears it now, once. */
static void stop_rest(struct program *program, size_t left)
{
	struct ledger_state state = *program_state(program);
	struct transition_stop stop = transition_stop_step(program->config, &state);

	if ((state.flags & (LEDGER_FLAG_REST | LEDGER_FLAG_KILLED)) || stop.signal <= 0)
		return;
	log_notice("%s: its main process has ended, %zu other%s left", program_name(program), left,
	    left == 1 ? " is" : "s are");
	if (!run_reaches_all(&program->run)) /* else each of them has heard it */
		run_signal(&program->run, stop.signal, RUN_ALL);
	state.flags |= LEDGER_FLAG_REST; /* done, so not again */
	ledger_commit_state(program->engine->ledger, program->run.row, &state);
}

/* How the world is for this instance now. */
static void look_around(struct program *program, struct happening *happening)
{
	const struct engine *engine = program->engine;
	const struct ledger_state *state = program_state(program);
	const struct program_link *lost = NULL;

	happening->may_start = !engine->safe_mode &&
			       !atomic_load(&engine->ledger->header.shutdown) &&
			       !program->removed && engine_start_blocker(engine, program) == NULL;
	happening->may_stop = engine_stop_blocker(engine, program) == NULL;
	if (step_is_up((enum state)state->state) && !(state->flags & LEDGER_FLAG_LOST))
		lost = engine_lost_link(engine, program);
	if (lost != NULL) {
		happening->lost = true;
		if (happening->event == EVENT_CHECK && !transition_is_halting(state))
			happening->cause = (struct cause){REASON_LOST, 0, lost->other->run.row + 1};
	}
	if (state->state == STATE_WAITING && happening->may_start)
		note_missing(program, happening);
	if (program->config->life->key_start == START_ON_DEMAND && happening->may_start) {
		happening->demand = demand_is_there(program);
		happening->needed = engine_is_needed(program);
	}
	/* In a storm the group must do; who commands can wait for a look at every process, of
	 * which a stop that came to its end has had one. */
	if (happening->event == EVENT_STOP ||
	    (happening->event == EVENT_START && state->state != STATE_STOPPED) ||
	    (happening->event == EVENT_HOOK && transition_is_halting(state)))
		happening->leftovers = run_has_leftovers(&program->run);
	else if (happening->event == EVENT_START || happening->event == EVENT_EXIT ||
		 happening->event == EVENT_TIMER || happening->event == EVENT_HOOK)
		happening->leftovers = run_has_group(&program->run);
	happening->config_hash = program_hash(program);
	happening->next_marks = program->config->next_marks;
	/* It costs a system call, and a look around leads to no delay. */
	if (happening->event != EVENT_CHECK && program->config->life->key_restart_jitter > 0)
		happening->random = arc4random();
	happening->number = history_next(engine->history);
	happening->now_ns = clock_boot_ns();
	happening->wall_ns = clock_wall_ns();
}

/* It has waited, and goes on without something: that is why it starts now. */
static void note_missing(struct program *program, struct happening *happening)
{
	const struct program_link *missed =
	    happening->event == EVENT_CHECK ? engine_missed_link(program) : NULL;

	if (missed != NULL)
		happening->cause = (struct cause){REASON_WITHOUT, 0, missed->other->run.row + 1};
}

/* Whoever waits for this one looks again when it has become hopeless, or is so no more. */
static void note_outlook(struct program *program)
{
	uint8_t outlook = engine_outlook(program);

	if (outlook == program->outlook)
		return;
	program->outlook = outlook;
	engine_defer_linked(program);
}

/* One line a transition that people can see; the hooks' states are in its reason. */
static void log_transition(struct program *program, enum state from)
{
	char reason[REASON_TEXT];
	const char *was = step_state_name(from), *is = step_state_name(program_state_of(program));

	program_reason(program, NULL, reason, sizeof(reason));
	if (program->config->life->key_accept && accept_is_quiet(program, from))
		log_debug("%s: %s -> %s: %s", program_name(program), was, is, reason);
	else if (strcmp(was, is) != 0)
		log_notice("%s: %s -> %s%s%s", program_name(program), was, is,
		    reason[0] != '\0' ? ": " : "", reason);
	else
		log_notice("%s: %s: %s", program_name(program), is, reason);
	tty_tell(program, is, reason);
}
