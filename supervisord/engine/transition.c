/* SPDX-License-Identifier: ISC */
/* transition.c: see transition.h. */
#include "supervisord/engine/backoff.h"
#include "supervisord/engine/policy.h"
#include "supervisord/engine/transition.h"

/* Between two KILLs at processes that do not go (state D, or new ones being forked). */
#define KILL_AGAIN_NS (1 * NS_PER_S)
/* Before a restart, when the old run's group does not vanish at once. */
#define LEFTOVER_WAIT_NS (50 * NS_PER_MS)

static unsigned gather_facts(const struct ledger_state *state, const struct program_config *config,
    const struct happening *happening);
static struct backoff_policy backoff_policy(const struct program_config *config);
static void note_exit(struct ledger_state *state, const struct program_config *config,
    const struct happening *happening);
static void enter(struct ledger_state *state, const struct program_config *config,
    const struct step *step, const struct happening *happening, bool moved);
static int64_t timer_length_ns(
    const struct ledger_state *state, const struct program_config *config, unsigned actions);

int transition_decide(const struct ledger_state *state, const struct program_config *config,
    const struct happening *happening, struct transition *ret_transition)
{
	struct transition *transition = ret_transition;
	struct step step;
	int error;

	*transition = (struct transition){.state = *state};
	if (happening->event == EVENT_EXIT)
		note_exit(&transition->state, config, happening);
	error = step_decide((enum state)state->state, happening->event,
	    gather_facts(&transition->state, config, happening), &step);
	if (error < 0)
		return error;
	transition->actions = step.actions;
	transition->moved = state->state != step.next || (step.actions & ACTION_LAUNCH);
	enter(&transition->state, config, &step, happening, transition->moved);
	return 0;
}

int64_t transition_retry_ns(const struct program_config *config, const struct ledger_state *state)
{
	struct backoff_policy policy = backoff_policy(config);

	return backoff_delay_ns(&policy, state->failures > 0 ? state->failures - 1 : 0);
}

bool transition_blocks_start(const struct ledger_state *first)
{
	bool there = first->state == STATE_RUNNING || first->state == STATE_EXITED ||
		     first->state == STATE_FATAL;

	/* One that is about to be restarted is not there, either. */
	return first->wanted == WANTED_UP && (!there || (first->flags & LEDGER_FLAG_BOUNCE));
}

bool transition_blocks_stop(const struct ledger_state *last)
{
	return transition_is_halting(last) && step_is_live((enum state)last->state);
}

bool transition_is_halting(const struct ledger_state *state)
{
	return state->wanted != WANTED_UP || (state->flags & LEDGER_FLAG_BOUNCE);
}

static unsigned gather_facts(const struct ledger_state *state, const struct program_config *config,
    const struct happening *happening)
{
	struct backoff_policy policy = backoff_policy(config);
	unsigned facts = 0;

	if (state->wanted == WANTED_UP)
		facts |= FACT_UP;
	if (transition_is_halting(state))
		facts |= FACT_HALT;
	if (happening->may_start)
		facts |= FACT_MAY_START;
	if (happening->may_stop)
		facts |= FACT_MAY_STOP;
	if (happening->leftovers)
		facts |= FACT_LEFTOVERS;
	if (happening->event != EVENT_EXIT)
		return facts;
	if (policy_wants_restart(config->key_restart, &config->key_success_exit, happening->wstatus,
		happening->launched))
		facts |= FACT_RESTART;
	if (backoff_is_exhausted(&policy, state, happening->now_ns))
		facts |= FACT_GIVE_UP;
	if (backoff_delay_ns(&policy, state->failures) == 0)
		facts |= FACT_NO_DELAY;
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

/* The end of a run, as far as the counters are concerned. */
static void note_exit(struct ledger_state *state, const struct program_config *config,
    const struct happening *happening)
{
	struct backoff_policy policy = backoff_policy(config);

	state->run_acted = happening->run;
	state->last_wstatus = happening->wstatus;
	state->flags |= LEDGER_FLAG_HAS_EXIT;
	backoff_note_end(&policy, state,
	    state->state == STATE_RUNNING ? happening->now_ns - state->since_ns : 0);
}

/* Fill in everything of the next state, so that one commit says it all. */
static void enter(struct ledger_state *state, const struct program_config *config,
    const struct step *step, const struct happening *happening, bool moved)
{
	const struct cause *cause = &happening->cause;
	struct backoff_policy policy = backoff_policy(config);

	if (moved) {
		state->since_ns = happening->now_ns;
		state->since_wall_ns = happening->wall_ns;
		state->deadline_ns = 0;
	}
	if (cause->reason != REASON_NONE) {
		state->reason = (uint8_t)cause->reason;
		state->detail = cause->detail;
		state->step = cause->step;
	}
	state->state = (uint8_t)step->next;
	if (step->actions & ACTION_RESET)
		backoff_reset(state);
	if (step->actions & ACTION_COUNT)
		state->failures++;
	if (step->next != STATE_STOPPING || moved)
		state->flags &= (uint8_t) ~(LEDGER_FLAG_KILLED | LEDGER_FLAG_REST);
	if (step->actions & ACTION_KILL)
		state->flags |= LEDGER_FLAG_KILLED;
	if (step->actions & ACTION_LAUNCH) {
		state->flags &= (uint8_t)~LEDGER_FLAG_BOUNCE;
		state->starts++;
		state->run_start_ns = happening->now_ns;
		state->config_hash = happening->config_hash;
		backoff_note_start(&policy, state, happening->now_ns);
	}
	if (step->actions & ACTION_TIMER)
		state->deadline_ns =
		    happening->now_ns + timer_length_ns(state, config, step->actions);
}

static int64_t timer_length_ns(
    const struct ledger_state *state, const struct program_config *config, unsigned actions)
{
	if (actions & ACTION_KILL)
		return state->state == STATE_BACKOFF ? LEFTOVER_WAIT_NS : KILL_AGAIN_NS;
	switch ((enum state)state->state) {
	case STATE_STARTING:
		return config->key_stable_after;
	case STATE_BACKOFF:
		return transition_retry_ns(config, state);
	case STATE_STOPPING:
		return config->key_stop_timeout;
	case STATE_STOPPED:
	case STATE_WAITING:
	case STATE_RUNNING:
	case STATE_EXITED:
	case STATE_FATAL:
	case STATE_COUNT:
		break;
	}
	return 0;
}
