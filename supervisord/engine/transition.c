/* SPDX-License-Identifier: ISC */
/* transition.c: see transition.h. */
#include <stddef.h>

#include "lib/wstatus.h"
#include "supervisord/engine/backoff.h"
#include "supervisord/engine/policy.h"
#include "supervisord/engine/transition.h"

/* Between two KILLs at processes that do not go (state D, or new ones being forked). */
#define KILL_AGAIN_NS (1 * NS_PER_S)
/* Before a restart, when the old run's group does not vanish at once. */
#define LEFTOVER_WAIT_NS (50 * NS_PER_MS)
#define NO_TIMER         (-1)

static void note_event(struct ledger_state *state, const struct program_config *config,
    const struct happening *happening);
static bool is_asked_for(const struct ledger_state *state, const struct life_config *life,
    const struct happening *happening);
static void note_exit(struct ledger_state *state, const struct program_config *config,
    const struct happening *happening);
static bool has_failed(const struct ledger_state *state, const struct program_config *config);
static void note_news(struct transition *transition, const struct ledger_state *before,
    const struct happening *happening);
static bool is_flooded(const struct ledger_state *state, const struct life_config *life,
    const struct happening *happening);
static bool is_by_connection(const struct ledger_state *state, const struct program_config *config,
    const struct happening *happening);
static void note_demand(
    struct ledger_state *state, const struct life_config *life, const struct happening *happening);
static bool is_success(const struct program_config *config, const struct ledger_state *state);
static unsigned gather_facts(const struct ledger_state *state, const struct program_config *config,
    const struct happening *happening);
static unsigned gather_end_facts(const struct ledger_state *state,
    const struct program_config *config, const struct happening *happening);
static unsigned gather_hooks(const struct ledger_state *state, const struct life_config *life);
static struct backoff_policy backoff_policy(const struct program_config *config);
static void enter(struct ledger_state *state, const struct program_config *config,
    const struct step *step, const struct happening *happening, bool moved);
static void enter_flags(struct ledger_state *state, const struct program_config *config,
    const struct step *step, enum state from);
static void begin_run(struct ledger_state *state, const struct program_config *config,
    const struct happening *happening);
static uint8_t first_stop_step(
    const struct program_config *config, const struct happening *happening, enum state from);
static uint8_t kill_step(const struct program_config *config);
static int64_t timer_length_ns(const struct ledger_state *state,
    const struct program_config *config, const struct happening *happening, unsigned actions);

int transition_decide(const struct ledger_state *state, const struct program_config *config,
    const struct happening *happening, struct transition *ret_transition)
{
	struct transition *transition = ret_transition;
	struct step step;
	int error;

	*transition = (struct transition){.state = *state};
	note_event(&transition->state, config, happening);
	error = step_decide((enum state)state->state, happening->event,
	    gather_facts(&transition->state, config, happening), &step);
	if (error < 0)
		return error;
	transition->actions = step.actions;
	transition->failed = (step.actions & (ACTION_FAIL | ACTION_COUNT)) ||
			     has_failed(&transition->state, config);
	transition->moved = state->state != step.next || (step.actions & ACTION_BEGIN);
	enter(&transition->state, config, &step, happening, transition->moved);
	note_news(transition, state, happening);
	return 0;
}

/* The run that has just ended, whether or not it is to be followed by another.  What it is told to
 * end by is no failure. */
static bool has_failed(const struct ledger_state *state, const struct program_config *config)
{
	return (state->flags & LEDGER_FLAG_FAILED) ||
	       (!transition_is_halting(state) &&
		   !policy_is_success(&config->key_success_exit, state->last_wstatus));
}

/* What is told of it, under its number. */
static void note_news(struct transition *transition, const struct ledger_state *before,
    const struct happening *happening)
{
	struct ledger_state *state = &transition->state;

	transition->from = (enum state)before->state;
	transition->waited_ns = before->state == STATE_WAITING ? before->since_ns : 0;
	transition->ended = state->run_acted != before->run_acted;
	transition->news = transition->moved || transition->ended ||
			   state->reason != before->reason || state->detail != before->detail ||
			   state->step != before->step;
	if (transition->news)
		state->event = happening->number;
}

int64_t transition_retry_ns(const struct program_config *config, const struct ledger_state *state)
{
	struct backoff_policy policy = backoff_policy(config);

	return backoff_delay_ns(&policy, state->failures > 0 ? state->failures - 1 : 0);
}

struct transition_stop transition_stop_step(
    const struct program_config *config, const struct ledger_state *state)
{
	const struct stop_sequence *sequence = &config->life->key_stop_sequence;
	enum kill_mode mode = config->life->key_kill_mode;
	uint32_t count = sequence->count > 0 ? sequence->count : 1;
	struct transition_stop stop = {.all = mode == KILL_ALL};

	if (state->stop_step == 0) {
		stop.command = true;
		stop.wait_ns =
		    sequence->count > 0 ? sequence->steps[0].wait_ns : config->key_stop_timeout;
	} else if (state->stop_step > count) {
		stop.signal = TRANSITION_KILL;
		stop.wait_ns = KILL_AGAIN_NS;
	} else if (sequence->count > 0) {
		stop.signal = sequence->steps[state->stop_step - 1].signal;
		stop.wait_ns = sequence->steps[state->stop_step - 1].wait_ns;
	} else {
		stop.signal = config->key_stop_signal;
		stop.wait_ns = config->key_stop_timeout;
	}
	if (stop.signal == TRANSITION_KILL)
		stop.all = mode != KILL_PROCESS;
	return stop;
}

int64_t transition_kill_ns(const struct program_config *config, const struct ledger_state *state)
{
	struct ledger_state at = *state;
	int64_t kill_ns = state->deadline_ns;

	if (state->state != STATE_STOPPING || state->deadline_ns == 0 ||
	    transition_stop_step(config, state).signal == TRANSITION_KILL)
		return 0;
	for (at.stop_step++;; at.stop_step++) {
		struct transition_stop stop = transition_stop_step(config, &at);

		if (stop.signal == TRANSITION_KILL)
			return kill_ns;
		kill_ns += stop.wait_ns;
	}
}

int64_t transition_retime_ns(const struct ledger_state *state, const struct program_config *before,
    const struct program_config *after)
{
	const struct happening least = {.random = 0}, most = {.random = UINT32_MAX};
	int64_t was_ns = timer_length_ns(state, before, &least, 0);
	int64_t is_ns = timer_length_ns(state, after, &least, 0);
	int64_t deadline_ns, last_ns;

	if (is_ns == was_ns)
		return state->deadline_ns;
	if (is_ns == NO_TIMER)
		return 0;
	/* It had none; or, after a kill, one of a stanza that was before `before`. */
	if (state->deadline_ns == 0 || was_ns == NO_TIMER)
		return state->since_ns + is_ns;
	deadline_ns = state->deadline_ns + is_ns - was_ns;
	if (state->state != STATE_BACKOFF)
		return deadline_ns;
	/* Of a long delay the jitter was a long one, too. */
	last_ns = state->since_ns + timer_length_ns(state, after, &most, 0);
	return deadline_ns < last_ns ? deadline_ns : last_ns;
}

bool transition_waits_for_ready(const struct program_config *config)
{
	return config->life->key_ready.kind != CHECK_NONE || config->life->key_type == TYPE_FORKING;
}

bool transition_waits_for_demand(
    const struct program_config *config, const struct ledger_state *state)
{
	return config->life->key_start == START_ON_DEMAND && !(state->flags & LEDGER_FLAG_DEMAND);
}

bool transition_is_complete(const struct program_config *config, const struct ledger_state *state)
{
	return config->life->key_type == TYPE_ONESHOT && state->starts > 0 &&
	       state->run_acted == state->starts && !(state->flags & LEDGER_FLAG_FAILED) &&
	       policy_is_success(&config->key_success_exit, state->last_wstatus);
}

bool transition_is_halting(const struct ledger_state *state)
{
	return state->wanted != WANTED_UP ||
	       (state->flags & (LEDGER_FLAG_BOUNCE | LEDGER_FLAG_LOST));
}

/* What the event itself leaves in the state, whatever the table says. */
static void note_event(struct ledger_state *state, const struct program_config *config,
    const struct happening *happening)
{
	if (happening->event == EVENT_EXIT)
		note_exit(state, config, happening);
	if (happening->lost && step_is_up((enum state)state->state))
		state->flags |= LEDGER_FLAG_LOST;
	/* As if it had lost what it needs: the run ends, and it waits. */
	if (happening->idle && state->state == STATE_RUNNING)
		state->flags |= LEDGER_FLAG_LOST;
	if (config->life->key_start == START_ON_DEMAND &&
	    is_asked_for(state, config->life, happening))
		state->flags |= LEDGER_FLAG_DEMAND;
	if (happening->event == EVENT_READY)
		state->flags &= (uint16_t)~LEDGER_FLAG_RELOADING;
	if (happening->event == EVENT_HOOK && state->state == STATE_STOPPING)
		state->flags |= LEDGER_FLAG_COMMAND;
}

/* By somebody who means it now: the start of the daemon and an apply only let it wait.  Without a
 * connection there is nothing to run for it that takes one each. */
static bool is_asked_for(const struct ledger_state *state, const struct life_config *life,
    const struct happening *happening)
{
	if (state->wanted != WANTED_UP || life->key_accept)
		return false;
	if (happening->event == EVENT_STOP) /* a restart */
		return true;
	return happening->event == EVENT_START && !step_is_up((enum state)state->state) &&
	       happening->cause.reason != REASON_AUTOSTART &&
	       happening->cause.reason != REASON_ADDED &&
	       happening->cause.reason != REASON_CHANGED &&
	       happening->cause.reason != REASON_LAST_STATE;
}

/* The end of a run, as far as the counters are concerned. */
static void note_exit(struct ledger_state *state, const struct program_config *config,
    const struct happening *happening)
{
	struct backoff_policy policy = backoff_policy(config);
	bool forked = config->life->key_type == TYPE_FORKING && state->state == STATE_STARTING &&
		      !(state->flags & LEDGER_FLAG_FORKED) && happening->launched &&
		      wstatus_is_exit(happening->wstatus) && wstatus_code(happening->wstatus) == 0;

	if (forked) { /* not the end of the run, but of the command that has begun it */
		state->flags |= LEDGER_FLAG_FORKED;
		state->forked_pid = happening->pid;
		return;
	}
	state->run_acted = happening->run;
	state->last_wstatus = happening->wstatus;
	state->flags |= LEDGER_FLAG_HAS_EXIT;
	if (!happening->launched)
		state->flags |= LEDGER_FLAG_FAILED;
	backoff_note_end(&policy, state,
	    state->state == STATE_RUNNING ? happening->now_ns - state->since_ns : 0);
}

static unsigned gather_facts(const struct ledger_state *state, const struct program_config *config,
    const struct happening *happening)
{
	unsigned facts = gather_hooks(state, config->life);

	if (state->wanted == WANTED_UP)
		facts |= FACT_UP;
	if (transition_is_halting(state))
		facts |= FACT_HALT;
	/* What has been prepared for was asked for. */
	if (happening->may_start &&
	    (!transition_waits_for_demand(config, state) || state->state == STATE_PREPARING ||
		happening->needed ||
		(happening->demand && !is_flooded(state, config->life, happening))))
		facts |= FACT_MAY_START;
	if (is_by_connection(state, config, happening) && happening->may_start &&
	    is_flooded(state, config->life, happening))
		facts |= FACT_FLOODED;
	if (happening->may_stop)
		facts |= FACT_MAY_STOP;
	if (happening->leftovers && config->life->key_kill_mode != KILL_PROCESS)
		facts |= FACT_LEFTOVERS;
	if (config->life->key_remain)
		facts |= FACT_REMAIN;
	if (transition_is_complete(config, state))
		facts |= FACT_COMPLETE;
	if ((happening->event == EVENT_HOOK && happening->hook_failed) ||
	    (happening->event == EVENT_TIMER && transition_waits_for_ready(config)))
		facts |= FACT_FAILED;
	if (happening->event == EVENT_EXIT || happening->event == EVENT_GONE ||
	    happening->event == EVENT_HOOK)
		facts |= gather_end_facts(state, config, happening);
	return facts;
}

/* What becomes of a run that ended without having been told to. */
static unsigned gather_end_facts(const struct ledger_state *state,
    const struct program_config *config, const struct happening *happening)
{
	struct backoff_policy policy = backoff_policy(config);
	unsigned facts = 0;

	if (happening->event == EVENT_EXIT && (state->flags & LEDGER_FLAG_FORKED) &&
	    state->run_acted != happening->run)
		facts |= FACT_FORKED;
	/* However one connection ended: the next one is another one's. */
	if (config->life->key_start == START_ON_DEMAND &&
	    (config->life->key_accept || is_success(config, state)))
		facts |= FACT_REARM;
	else if (policy_wants_restart(
		     config, state->last_wstatus, (state->flags & LEDGER_FLAG_FAILED) != 0))
		facts |= FACT_RESTART;
	if (backoff_is_exhausted(&policy, state, happening->now_ns))
		facts |= FACT_GIVE_UP;
	if (backoff_delay_ns(&policy, state->failures) == 0)
		facts |= FACT_NO_DELAY;
	return facts;
}

/* How its last run ended. */
static bool is_success(const struct program_config *config, const struct ledger_state *state)
{
	return !(state->flags & LEDGER_FLAG_FAILED) &&
	       policy_is_success(&config->key_success_exit, state->last_wstatus);
}

/* What would start it now is a connection, and nothing else. */
static bool is_by_connection(const struct ledger_state *state, const struct program_config *config,
    const struct happening *happening)
{
	return transition_waits_for_demand(config, state) && happening->demand &&
	       !happening->needed;
}

/* A program that ends without taking the connection would be started by it again at once.  One that
 * was taken is not there any more; how often that happens is accept.c's business. */
static bool is_flooded(const struct ledger_state *state, const struct life_config *life,
    const struct happening *happening)
{
	return !life->key_accept && state->demand_ns != 0 &&
	       happening->now_ns - state->demand_ns < life->key_trigger_limit_interval &&
	       state->demand_starts >= life->key_trigger_limit;
}

static void note_demand(
    struct ledger_state *state, const struct life_config *life, const struct happening *happening)
{
	if (state->demand_ns == 0 ||
	    happening->now_ns - state->demand_ns >= life->key_trigger_limit_interval) {
		state->demand_ns = happening->now_ns;
		state->demand_starts = 0;
	}
	state->demand_starts++;
}

static unsigned gather_hooks(const struct ledger_state *state, const struct life_config *life)
{
	unsigned facts = 0;

	if (life->key_pre_start != NULL)
		facts |= FACT_PRE_START;
	if (life->key_post_start != NULL)
		facts |= FACT_POST_START;
	if (life->key_pre_stop != NULL)
		facts |= FACT_PRE_STOP;
	if (life->key_post_stop != NULL && (state->flags & LEDGER_FLAG_BEGUN))
		facts |= FACT_POST_STOP;
	return facts;
}

static struct backoff_policy backoff_policy(const struct program_config *config)
{
	return (struct backoff_policy){
	    .delay_ns = config->key_restart_delay,
	    .delay_max_ns = config->key_restart_delay_max,
	    .factor = config->key_restart_factor,
	    .reset_after_ns = config->key_restart_reset_after,
	    .limit = config->key_start_limit,
	    .interval_ns = config->key_start_limit_interval,
	};
}

/* Fill in everything of the next state, so that one commit says it all. */
static void enter(struct ledger_state *state, const struct program_config *config,
    const struct step *step, const struct happening *happening, bool moved)
{
	const struct cause *cause = &happening->cause;
	struct backoff_policy policy = backoff_policy(config);
	enum state from = (enum state)state->state;
	int64_t length;

	/* A run that is ended because it failed may have been a long one before. */
	if ((step->actions & ACTION_FAIL) && from == STATE_RUNNING)
		backoff_note_end(&policy, state, happening->now_ns - state->since_ns);
	if (moved) {
		state->since_ns = happening->now_ns;
		state->since_wall_ns = happening->wall_ns;
		state->deadline_ns = 0;
	}
	/* That the command of a forking program has ended is no reason: it starts still. */
	if (cause->reason != REASON_NONE && !(step->actions & ACTION_ADOPT)) {
		state->reason = (uint8_t)cause->reason;
		state->detail = cause->detail;
		state->step = cause->step;
	}
	if (step->next == STATE_FATAL && from == STATE_WAITING) {
		state->reason = REASON_FLOOD;
		state->detail = (int32_t)state->demand_starts;
		state->demand_ns = 0; /* whoever starts it again begins anew */
	}
	if ((step->actions & ACTION_BEGIN) && is_by_connection(state, config, happening)) {
		if (!config->life->key_accept) /* see is_flooded() */
			note_demand(state, config->life, happening);
		if (happening->event != EVENT_TIMER) /* that one tries again after a failure */
			state->reason = REASON_DEMAND;
	}
	state->state = (uint8_t)step->next;
	if (step->next == STATE_RUNNING || from == STATE_RUNNING)
		state->been_up = 1;
	if (state->reason == REASON_REMOVED) /* should its stanza come back, it is added anew */
		state->been_up = 0;
	if (step->actions & ACTION_RESET)
		backoff_reset(state);
	if (step->actions & ACTION_COUNT)
		state->failures++;
	if (step->actions & ACTION_SIGNAL)
		state->stop_step = first_stop_step(config, happening, from);
	if ((step->actions & ACTION_ESCALATE) && state->stop_step < UINT8_MAX)
		state->stop_step++;
	enter_flags(state, config, step, from);
	if (step->actions & ACTION_BEGIN)
		begin_run(state, config, happening);
	if (step->actions & ACTION_LAUNCH)
		state->run_start_ns = happening->now_ns;
	if (!(step->actions & ACTION_TIMER))
		return;
	length = timer_length_ns(state, config, happening, step->actions);
	state->deadline_ns = length == NO_TIMER ? 0 : happening->now_ns + length;
}

static void enter_flags(struct ledger_state *state, const struct program_config *config,
    const struct step *step, enum state from)
{
	const struct life_config *life = config->life;
	bool fatal = step->next == STATE_FATAL;
	unsigned drop = 0;

	if (step->next != STATE_STOPPING || from != STATE_STOPPING)
		drop |= LEDGER_FLAG_KILLED | LEDGER_FLAG_REST | LEDGER_FLAG_COMMAND;
	if (step->next != STATE_RUNNING)
		drop |= LEDGER_FLAG_RELOADING;
	if (!step_is_live(step->next))
		drop |= LEDGER_FLAG_BOUNCE | LEDGER_FLAG_LOST | LEDGER_FLAG_BEGUN;
	if (step->next == STATE_CLEANING)
		drop |= LEDGER_FLAG_BEGUN;
	if (step_is_at_rest(step->next))
		drop |= LEDGER_FLAG_DEMAND;
	if (state->wanted != WANTED_UP)
		drop |= LEDGER_FLAG_TURN | LEDGER_FLAG_FRESH | LEDGER_FLAG_KEPT;
	if (step->next != from)
		drop |= LEDGER_FLAG_OWED;
	state->flags &= (uint16_t)~drop;
	if (step->actions & ACTION_FAIL)
		state->flags |= LEDGER_FLAG_FAILED;
	/* What an old run has left goes first; then it is to come up.  So is what is prepared and
	 * may not be launched now: that is no failure, it waits. */
	if (step->next == STATE_STOPPING && state->wanted == WANTED_UP &&
	    (!step_is_live(from) || (from == STATE_PREPARING && !(step->actions & ACTION_FAIL))))
		state->flags |= LEDGER_FLAG_BOUNCE;
	if ((step->actions & ACTION_ESCALATE) &&
	    transition_stop_step(config, state).signal == TRANSITION_KILL)
		state->flags |= LEDGER_FLAG_KILLED;
	if ((step->actions & ACTION_GIVEN_UP) &&
	    (life->key_essential || (fatal && life->key_on_failure.kind != ON_FAILURE_NONE &&
					life->key_on_failure.kind != ON_FAILURE_RETRY)))
		state->flags |= LEDGER_FLAG_OWED;
}

static void begin_run(struct ledger_state *state, const struct program_config *config,
    const struct happening *happening)
{
	struct backoff_policy policy = backoff_policy(config);

	/* Whoever launches it: it runs what it was to be replaced for. */
	if (state->flags & LEDGER_FLAG_TURN)
		state->flags |= LEDGER_FLAG_FRESH;
	state->flags &= (uint16_t) ~(LEDGER_FLAG_BOUNCE | LEDGER_FLAG_LOST | LEDGER_FLAG_FAILED |
				     LEDGER_FLAG_FORKED | LEDGER_FLAG_EARLY | LEDGER_FLAG_DEMAND |
				     LEDGER_FLAG_TURN | LEDGER_FLAG_KEPT);
	state->flags |= LEDGER_FLAG_BEGUN;
	state->health = LEDGER_HEALTH_UNKNOWN;
	state->stop_step = 0;
	state->forked_pid = 0;
	state->starts++;
	state->run_start_ns = happening->now_ns;
	state->config_hash = happening->config_hash;
	state->next_marks = happening->next_marks;
	backoff_note_start(&policy, state, happening->now_ns);
}

/* The command is for a program that can still act on it, and that did not fail. */
static uint8_t first_stop_step(
    const struct program_config *config, const struct happening *happening, enum state from)
{
	bool up = from == STATE_STARTING || from == STATE_SETTLING || from == STATE_RUNNING ||
		  from == STATE_ENDING;
	bool ended = !up || happening->event == EVENT_EXIT;
	bool failed = happening->event == EVENT_FAIL || happening->event == EVENT_TIMER;

	/* Its signals are for a main process that has ended: nobody would hear them. */
	if (ended && config->life->key_kill_mode == KILL_MIXED)
		return kill_step(config);
	return config->life->key_stop_command != NULL && !ended && !failed ? 0 : 1;
}

/* The first one that sends KILL. */
static uint8_t kill_step(const struct program_config *config)
{
	struct ledger_state at = {.stop_step = 1};

	while (transition_stop_step(config, &at).signal != TRANSITION_KILL)
		at.stop_step++;
	return at.stop_step;
}

static int64_t timer_length_ns(const struct ledger_state *state,
    const struct program_config *config, const struct happening *happening, unsigned actions)
{
	const struct life_config *life = config->life;
	int64_t retry_ns;

	switch ((enum state)state->state) {
	case STATE_STARTING:
		if (transition_waits_for_ready(config))
			return life->key_start_timeout > 0 ? life->key_start_timeout : NO_TIMER;
		return life->key_type == TYPE_ONESHOT ? NO_TIMER : config->key_stable_after;
	case STATE_BACKOFF:
		if (actions & ACTION_ESCALATE)
			return LEFTOVER_WAIT_NS;
		retry_ns = transition_retry_ns(config, state);
		return retry_ns +
		       backoff_jitter_ns(retry_ns, life->key_restart_jitter, happening->random);
	case STATE_STOPPING:
		return transition_stop_step(config, state).wait_ns;
	case STATE_FATAL:
		return life->key_on_failure.kind == ON_FAILURE_RETRY ? life->key_on_failure.delay_ns
								     : NO_TIMER;
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
	return NO_TIMER;
}
