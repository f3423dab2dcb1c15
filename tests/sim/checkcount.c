/* SPDX-License-Identifier: ISC */
/* checkcount.c: see checkcount.h. */
#include <signal.h>
#include <sys/wait.h>

#include "tests/sim/checkcount.h"

static bool has(const struct exit_set *set, int wstatus);

bool checkcount_is_success(const struct program_config *config, int wstatus)
{
	return has(&config->key_success_exit, wstatus);
}

bool checkcount_wants_restart(const struct program_config *config, int wstatus, bool failed)
{
	bool bad;

	if (!failed) {
		if (has(&config->life->key_restart_prevent_exit, wstatus))
			return false;
		if (has(&config->life->key_restart_force_exit, wstatus))
			return true;
	}
	bad = failed || !has(&config->key_success_exit, wstatus);
	return config->key_restart == RESTART_ALWAYS ||
	       (config->key_restart == RESTART_ON_FAILURE && bad) ||
	       (config->key_restart == RESTART_ON_ABNORMAL && bad &&
		   (failed || WIFSIGNALED(wstatus)));
}

int64_t checkcount_delay_ns(const struct program_config *config, uint32_t failures)
{
	double delay = (double)config->key_restart_delay;
	double most = (double)config->key_restart_delay_max;

	while (failures-- > 0 && delay < most && delay > 0 && config->key_restart_factor > 1)
		delay *= config->key_restart_factor;
	return (int64_t)(delay < most ? delay : most);
}

bool checkcount_is_too_many(
    const struct program_config *config, const struct shadow *shadow, int64_t now_ns)
{
	return config->key_start_limit > 0 && shadow->window_ns != 0 &&
	       now_ns - shadow->window_ns < config->key_start_limit_interval &&
	       shadow->window_starts >= config->key_start_limit;
}

void checkcount_note_begin(
    const struct program_config *config, struct shadow *shadow, int64_t now_ns)
{
	if (shadow->window_ns == 0 ||
	    now_ns - shadow->window_ns >= config->key_start_limit_interval) {
		shadow->window_ns = now_ns;
		shadow->window_starts = 0;
	}
	shadow->window_starts++;
}

void checkcount_clear(struct shadow *shadow)
{
	shadow->failures = shadow->window_starts = 0;
	shadow->window_ns = 0;
}

int checkcount_stop_signal(const struct program_config *config, unsigned step)
{
	const struct stop_sequence *sequence = &config->life->key_stop_sequence;

	if (checkcount_is_last_step(config, step))
		return SIGKILL;
	return sequence->count > 0 ? sequence->steps[step - 1].signal : config->key_stop_signal;
}

int64_t checkcount_stop_wait_ns(const struct program_config *config, unsigned step)
{
	const struct stop_sequence *sequence = &config->life->key_stop_sequence;

	if (checkcount_is_last_step(config, step))
		return NS_PER_S;
	if (sequence->count == 0)
		return config->key_stop_timeout;
	return sequence->steps[step > 0 ? step - 1 : 0].wait_ns;
}

int64_t checkcount_wait_ns(
    const struct program_config *config, const struct ledger_state *state, uint32_t failures)
{
	const struct life_config *life = config->life;

	switch ((enum state)state->state) {
	case STATE_STARTING:
		if (checkcount_waits_for_ready(config))
			return life->key_start_timeout > 0 ? life->key_start_timeout
							   : DEADLINE_NONE;
		return life->key_type == TYPE_ONESHOT ? DEADLINE_NONE : config->key_stable_after;
	case STATE_BACKOFF:
		return checkcount_delay_ns(config, failures > 0 ? failures - 1 : 0);
	case STATE_STOPPING:
		return checkcount_stop_wait_ns(config, state->stop_step);
	case STATE_FATAL:
		return life->key_on_failure.kind == ON_FAILURE_RETRY ? life->key_on_failure.delay_ns
								     : DEADLINE_NONE;
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
	return DEADLINE_NONE;
}

bool checkcount_is_last_step(const struct program_config *config, unsigned step)
{
	uint32_t count = config->life->key_stop_sequence.count;

	return step > (count > 0 ? count : 1);
}

bool checkcount_waits_for_ready(const struct program_config *config)
{
	return config->life->key_type == TYPE_FORKING || config->life->key_ready.kind != CHECK_NONE;
}

static bool has(const struct exit_set *set, int wstatus)
{
	unsigned code = (unsigned)WEXITSTATUS(wstatus);

	if (WIFEXITED(wstatus))
		return set->codes[code / 64] & (1ULL << (code % 64));
	return set->signals & (1ULL << (WTERMSIG(wstatus) - 1));
}
