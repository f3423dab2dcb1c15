/* SPDX-License-Identifier: ISC */
/*
 * backoff.c: see backoff.h.  The window is a fixed one, opened by the first start in it: two
 * numbers instead of a list of times, and never more starts than the limit in any window that was
 * opened.
 */
#include "supervisord/engine/backoff.h"

static bool window_is_over(
    const struct backoff_policy *policy, const struct ledger_state *state, int64_t now_ns)
{
	return state->window_ns == 0 || now_ns - state->window_ns >= policy->interval_ns;
}

int64_t backoff_delay_ns(const struct backoff_policy *policy, uint32_t failures)
{
	double delay = (double)policy->delay_ns;

	for (uint32_t i = 0; i < failures && delay < (double)policy->delay_max_ns && delay > 0;
	     i++) {
		if (policy->factor <= 1)
			break;
		delay *= policy->factor;
	}
	return delay >= (double)policy->delay_max_ns ? policy->delay_max_ns : (int64_t)delay;
}

int64_t backoff_jitter_ns(int64_t delay_ns, uint32_t percent, uint32_t random)
{
	return (int64_t)((double)delay_ns * percent / 100 * random / UINT32_MAX);
}

void backoff_note_start(
    const struct backoff_policy *policy, struct ledger_state *state, int64_t now_ns)
{
	if (window_is_over(policy, state, now_ns)) {
		state->window_ns = now_ns;
		state->window_starts = 0;
	}
	state->window_starts++;
}

void backoff_note_end(
    const struct backoff_policy *policy, struct ledger_state *state, int64_t steady_ns)
{
	if (steady_ns > 0 && steady_ns >= policy->reset_after_ns)
		backoff_reset(state);
}

bool backoff_is_exhausted(
    const struct backoff_policy *policy, const struct ledger_state *state, int64_t now_ns)
{
	return policy->limit > 0 && !window_is_over(policy, state, now_ns) &&
	       state->window_starts >= policy->limit;
}

void backoff_reset(struct ledger_state *state)
{
	state->failures = 0;
	state->window_ns = 0;
	state->window_starts = 0;
}
