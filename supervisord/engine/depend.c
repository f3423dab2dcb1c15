/* SPDX-License-Identifier: ISC */
/* depend.c: see depend.h. */
#include <errno.h>
#include <string.h>

#include "supervisord/engine/depend.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/policy.h"
#include "supervisord/engine/transition.h"

const char *const depend_condition_names[] = {"started", "ready", "healthy", "completed", NULL};

static enum depend_condition resolve(
    enum depend_condition condition, const struct program_config *config);
static bool is_complete(const struct program_config *config, const struct ledger_state *first);
static bool is_reached(enum depend_condition condition, const struct program_config *config,
    const struct ledger_state *first);
static bool is_only_restarted(
    const struct program_config *config, const struct ledger_state *first);
static bool is_missed(const struct program_config *config, const struct ledger_state *first);
static bool is_unhealthy(enum depend_condition condition, const struct ledger_state *first);

const char *depend_condition_name(enum depend_condition condition)
{
	return condition == DEPEND_DEFAULT ? NULL
					   : depend_condition_names[condition - DEPEND_STARTED];
}

int depend_parse(const char *text, size_t *ret_length, enum depend_condition *ret_condition)
{
	const char *colon = strchr(text, ':');

	if (colon == NULL) {
		*ret_length = strlen(text);
		*ret_condition = DEPEND_DEFAULT;
		return 0;
	}
	for (size_t i = 0; depend_condition_names[i] != NULL; i++) {
		if (strcmp(colon + 1, depend_condition_names[i]) != 0)
			continue;
		*ret_length = (size_t)(colon - text);
		*ret_condition = (enum depend_condition)(DEPEND_STARTED + i);
		return 0;
	}
	return -EINVAL;
}

bool depend_holds(enum depend_condition condition, const struct program_config *config,
    const struct ledger_state *first)
{
	/* What is done is done, whatever becomes of the program; that it is up is over when it
	 * goes. */
	bool stays =
	    is_complete(config, first) &&
	    (resolve(condition, config) == DEPEND_COMPLETED || first->state == STATE_EXITED);

	return is_reached(resolve(condition, config), config, first) &&
	       (stays || !transition_is_halting(first) || is_only_restarted(config, first));
}

bool depend_blocks_start(enum depend_kind kind, enum depend_condition condition,
    const struct program_config *config, const struct ledger_state *first)
{
	enum state state = (enum state)first->state;

	if (depend_holds(condition, config, first))
		return false;
	switch (kind) {
	case DEPEND_REQUIRES:
		return true;
	case DEPEND_WANTS: /* one failed run is enough to go on without it */
		return first->wanted == WANTED_UP && state != STATE_EXITED &&
		       state != STATE_FATAL && state != STATE_BACKOFF &&
		       !is_unhealthy(condition, first);
	case DEPEND_AFTER: /* one that waits for a connection may do so for ever */
		return first->wanted == WANTED_UP && state != STATE_EXITED &&
		       state != STATE_FATAL &&
		       !(state == STATE_WAITING && transition_waits_for_demand(config, first));
	}
	return false;
}

bool depend_is_lost(enum depend_kind kind, enum depend_condition condition,
    const struct program_config *config, const struct ledger_state *first)
{
	return is_missed(config, first) && depend_is_missing(kind, condition, config, first);
}

bool depend_is_missing(enum depend_kind kind, enum depend_condition condition,
    const struct program_config *config, const struct ledger_state *first)
{
	condition = resolve(condition, config);
	if (kind != DEPEND_REQUIRES || condition == DEPEND_COMPLETED)
		return false;
	if (is_only_restarted(config, first))
		return false;
	/* What was healthy once and is not now has a policy of its own. */
	return !depend_holds(condition == DEPEND_HEALTHY ? DEPEND_READY : condition, config, first);
}

bool depend_blocks_stop(enum depend_kind kind, enum depend_condition condition,
    const struct program_config *config, const struct ledger_state *first,
    const struct ledger_state *last)
{
	if (!step_is_live((enum state)last->state))
		return false;
	if (kind != DEPEND_REQUIRES || resolve(condition, config) == DEPEND_COMPLETED)
		return transition_is_halting(last);
	/* Being up for the first time never lets it go: nobody would look again. */
	return !is_only_restarted(config, first) &&
	       (is_missed(config, first) || transition_is_halting(last));
}

enum depend_outlook depend_outlook(enum depend_kind kind, enum depend_condition condition,
    const struct program_config *config, const struct ledger_state *first,
    enum depend_outlook of_first)
{
	enum state state = (enum state)first->state;

	if (kind != DEPEND_REQUIRES || depend_holds(condition, config, first))
		return DEPEND_MAY_COME;
	if (state == STATE_WAITING)
		return of_first;
	/* Wanted up and STOPPED: its start is only just about to be decided. */
	if (step_is_at_rest(state) && !(state == STATE_STOPPED && first->wanted == WANTED_UP))
		return DEPEND_IN_VAIN;
	return state == STATE_BACKOFF || is_unhealthy(condition, first) ? DEPEND_DELAYED
									: DEPEND_MAY_COME;
}

bool depend_goes_without(
    enum depend_kind kind, const struct ledger_state *first, enum depend_outlook of_first)
{
	if (first->state != STATE_WAITING)
		return false;
	return (kind == DEPEND_WANTS && of_first != DEPEND_MAY_COME) ||
	       (kind == DEPEND_AFTER && of_first == DEPEND_IN_VAIN);
}

bool depend_pulls(enum depend_kind kind, enum depend_condition condition,
    const struct program_config *config, const struct ledger_state *first)
{
	if (kind == DEPEND_AFTER || depend_holds(condition, config, first))
		return false;
	return first->wanted != WANTED_UP || step_is_at_rest((enum state)first->state);
}

static enum depend_condition resolve(
    enum depend_condition condition, const struct program_config *config)
{
	if (condition != DEPEND_DEFAULT)
		return condition;
	return config->life->key_type == TYPE_ONESHOT ? DEPEND_COMPLETED : DEPEND_READY;
}

static bool is_complete(const struct program_config *config, const struct ledger_state *first)
{
	if (first->state == STATE_RUNNING) /* a oneshot that remains */
		return transition_is_complete(config, first);
	return first->state == STATE_EXITED && (first->flags & LEDGER_FLAG_HAS_EXIT) &&
	       !(first->flags & LEDGER_FLAG_FAILED) &&
	       policy_is_success(&config->key_success_exit, first->last_wstatus);
}

static bool is_reached(enum depend_condition condition, const struct program_config *config,
    const struct ledger_state *first)
{
	switch (condition) {
	case DEPEND_STARTED:
		return first->state == STATE_STARTING || first->state == STATE_SETTLING ||
		       first->state == STATE_RUNNING || is_complete(config, first);
	case DEPEND_DEFAULT:
	case DEPEND_READY:
		return first->state == STATE_RUNNING;
	case DEPEND_HEALTHY:
		return first->state == STATE_RUNNING &&
		       (config->life->key_health_check.kind == CHECK_NONE ||
			   first->health == LEDGER_HEALTH_GOOD);
	case DEPEND_COMPLETED:
		return is_complete(config, first);
	}
	return false;
}

/* A smooth program on its way from one run to the next one; or one of several instances, while the
 * others are there. */
static bool is_only_restarted(const struct program_config *config, const struct ledger_state *first)
{
	bool rolls = (first->flags & (LEDGER_FLAG_TURN | LEDGER_FLAG_FRESH)) != 0;

	return (config->life->key_smooth || rolls) && first->wanted == WANTED_UP &&
	       !step_is_at_rest((enum state)first->state);
}

/* By who is up.  The first instance always is: it may be all that there is. */
static bool is_missed(const struct program_config *config, const struct ledger_state *first)
{
	return first->been_up || first->state == STATE_RUNNING || config->instances < 2 ||
	       instname_number(config->name) < 2;
}

static bool is_unhealthy(enum depend_condition condition, const struct ledger_state *first)
{
	return condition == DEPEND_HEALTHY && first->state == STATE_RUNNING &&
	       first->health == LEDGER_HEALTH_BAD;
}
