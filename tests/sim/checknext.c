/* SPDX-License-Identifier: ISC */
/*
 * checknext.c: where an event has to lead, said once more in other words than the table of step.c
 * does: by what is wanted, what there is, and what the manual says of it.
 */
#include "tests/sim/checkcount.h"
#include "tests/sim/checklink.h"
#include "tests/sim/checkstep.h"

static enum state up_or_waiting(const struct decision *d);
static enum state begin(const struct decision *d);
static enum state without_run(const struct decision *d);
static enum state on_start(const struct decision *d);
static enum state on_wish(const struct decision *d);
static enum state on_ready(const struct decision *d);
static enum state on_exit_of_run(const struct decision *d);
static enum state on_hook(const struct decision *d);
static enum state on_timer(const struct decision *d);
static enum state on_gone(const struct decision *d);
static enum state after_run(const struct decision *d);
static enum state by_policy(const struct decision *d);
static bool has_leftovers(const struct decision *d);
static bool has_cleaning(const struct decision *d);
static bool wants_restart(const struct decision *d);
static bool is_done(const struct decision *d);

enum state decision_expected(const struct decision *d)
{
	switch (d->event) {
	case EVENT_START:
		return on_start(d);
	case EVENT_STOP:
	case EVENT_CHECK:
		return on_wish(d);
	case EVENT_TIMER:
		return on_timer(d);
	case EVENT_READY:
		return d->from == STATE_STARTING ? on_ready(d) : d->from;
	case EVENT_HOOK:
		return on_hook(d);
	case EVENT_FAIL:
		return d->from == STATE_STARTING || d->from == STATE_SETTLING ||
			       d->from == STATE_RUNNING
			   ? STATE_STOPPING
			   : d->from;
	case EVENT_EXIT:
		return on_exit_of_run(d);
	case EVENT_GONE:
		return on_gone(d);
	case EVENT_COUNT:
		break;
	}
	return STATE_COUNT;
}

bool decision_is_counted(const struct decision *d)
{
	bool over = checklink_is_live(d->before) && !d->halting &&
		    (d->begins || !checklink_is_live(d->after));

	return over && wants_restart(d);
}

static enum state begin(const struct decision *d)
{
	return d->config->life->key_pre_start != NULL ? STATE_PREPARING : STATE_STARTING;
}

static enum state up_or_waiting(const struct decision *d)
{
	return d->may_start ? begin(d) : STATE_WAITING;
}

/* There is none, and what an old one has left goes first. */
static enum state without_run(const struct decision *d)
{
	if (d->before->wanted != WANTED_UP)
		return d->from == STATE_STOPPED ? STATE_STOPPED : STATE_STOPPING;
	if (has_leftovers(d) && d->from != STATE_STOPPED && d->from != STATE_WAITING)
		return STATE_STOPPING;
	return up_or_waiting(d);
}

static enum state on_start(const struct decision *d)
{
	if (checklink_is_live(d->before))
		return d->from;
	if (d->from != STATE_WAITING && has_leftovers(d))
		return STATE_STOPPING;
	return up_or_waiting(d);
}

/* A wish to go down (and maybe up again), or something that it may wait for has changed. */
static enum state on_wish(const struct decision *d)
{
	switch (d->from) {
	case STATE_WAITING:
		if (d->event == EVENT_CHECK && d->flooded && d->before->wanted == WANTED_UP)
			return STATE_FATAL;
		return without_run(d);
	case STATE_STOPPED:
		return without_run(d);
	case STATE_BACKOFF:
		if (d->event == EVENT_CHECK)
			return d->before->wanted == WANTED_UP ? STATE_BACKOFF : STATE_STOPPING;
		return without_run(d);
	case STATE_EXITED:
	case STATE_FATAL:
		if (d->event == EVENT_CHECK)
			return d->before->wanted == WANTED_UP ? d->from : STATE_STOPPING;
		return without_run(d);
	case STATE_PREPARING:
	case STATE_STARTING:
	case STATE_SETTLING:
		return d->halting && d->happening->may_stop ? STATE_STOPPING : d->from;
	case STATE_RUNNING:
		if (!d->halting || !d->happening->may_stop)
			return STATE_RUNNING;
		return d->config->life->key_pre_stop != NULL ? STATE_ENDING : STATE_STOPPING;
	case STATE_ENDING:
	case STATE_STOPPING:
	case STATE_CLEANING:
	case STATE_COUNT:
		break;
	}
	return d->from;
}

static enum state on_ready(const struct decision *d)
{
	return d->config->life->key_post_start != NULL ? STATE_SETTLING : STATE_RUNNING;
}

static enum state on_exit_of_run(const struct decision *d)
{
	if (d->from == STATE_ENDING || d->from == STATE_STOPPING || d->halting)
		return STATE_STOPPING;
	if (d->from == STATE_STARTING && d->after->run_acted != d->happening->run)
		return STATE_STARTING; /* a forking program's command has done its part */
	if (d->from == STATE_SETTLING)
		return is_done(d) ? STATE_SETTLING : STATE_STOPPING;
	if (is_done(d) && d->from == STATE_STARTING && d->config->life->key_post_start != NULL)
		return STATE_SETTLING;
	if (is_done(d) && d->config->life->key_remain)
		return STATE_RUNNING;
	if (has_leftovers(d) && (wants_restart(d) || d->rearmed))
		return STATE_STOPPING;
	return has_cleaning(d) ? STATE_CLEANING : by_policy(d);
}

static enum state on_hook(const struct decision *d)
{
	switch (d->from) {
	case STATE_PREPARING:
		return d->halting || d->happening->hook_failed || !d->may_start ? STATE_STOPPING
										: STATE_STARTING;
	case STATE_SETTLING:
		if (d->happening->hook_failed)
			return STATE_STOPPING;
		if (!is_done(d) || d->config->life->key_remain)
			return STATE_RUNNING;
		if (d->halting || (has_leftovers(d) && (wants_restart(d) || d->rearmed)))
			return STATE_STOPPING;
		return has_cleaning(d) ? STATE_CLEANING : by_policy(d);
	case STATE_ENDING:
	case STATE_STOPPING:
		return STATE_STOPPING;
	case STATE_CLEANING:
		return has_leftovers(d) && (d->halting || wants_restart(d) || d->rearmed)
			   ? STATE_STOPPING
			   : after_run(d);
	case STATE_STOPPED:
	case STATE_WAITING:
	case STATE_STARTING:
	case STATE_RUNNING:
	case STATE_BACKOFF:
	case STATE_EXITED:
	case STATE_FATAL:
	case STATE_COUNT:
		break;
	}
	return STATE_COUNT;
}

static enum state on_timer(const struct decision *d)
{
	switch (d->from) {
	case STATE_STARTING:
		return checkcount_waits_for_ready(d->config) ? STATE_STOPPING : on_ready(d);
	case STATE_BACKOFF:
		return has_leftovers(d) ? STATE_BACKOFF : up_or_waiting(d);
	case STATE_FATAL:
		return has_leftovers(d) || d->before->wanted != WANTED_UP ? STATE_STOPPING
									  : up_or_waiting(d);
	case STATE_STOPPING:
		return STATE_STOPPING;
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
	return STATE_COUNT;
}

static enum state on_gone(const struct decision *d)
{
	if (d->from != STATE_STOPPING)
		return d->from;
	return has_cleaning(d) ? STATE_CLEANING : after_run(d);
}

/* Every process of it is gone, and its post_stop is over. */
static enum state after_run(const struct decision *d)
{
	if (!d->halting)
		return by_policy(d);
	return d->before->wanted == WANTED_UP ? up_or_waiting(d) : STATE_STOPPED;
}

static enum state by_policy(const struct decision *d)
{
	if (d->rearmed)
		return up_or_waiting(d);
	if (!wants_restart(d))
		return STATE_EXITED;
	if (checkcount_is_too_many(d->config, d->shadow, d->happening->now_ns))
		return STATE_FATAL;
	if (checkcount_delay_ns(d->config, d->shadow->failures) == 0 && d->may_start)
		return begin(d);
	return STATE_BACKOFF;
}

/* Of the last run; what kill_mode leaves alone is none. */
static bool has_leftovers(const struct decision *d)
{
	return d->happening->leftovers && d->config->life->key_kill_mode != KILL_PROCESS;
}

static bool has_cleaning(const struct decision *d)
{
	return d->config->life->key_post_stop != NULL && !d->shadow->cleaned &&
	       (d->before->flags & LEDGER_FLAG_BEGUN);
}

static bool wants_restart(const struct decision *d)
{
	return !d->rearmed &&
	       checkcount_wants_restart(d->config, d->shadow->wstatus, d->shadow->failed);
}

static bool is_done(const struct decision *d)
{
	return d->config->life->key_type == TYPE_ONESHOT && d->shadow->ended &&
	       !d->shadow->failed && checkcount_is_success(d->config, d->shadow->wstatus);
}
