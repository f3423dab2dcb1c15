/* SPDX-License-Identifier: ISC */
/*
 * step.c: the table of step.h.
 *
 * A cell is a list of rules; the first whose facts hold wins: all of `with` must be there.  The
 * last rule of every cell asks for nothing, so a cell always decides.  A cell without rules is
 * illegal.  STAY keeps the state; it also keeps a timer that runs, unless ACTION_TIMER arms it
 * anew.
 */
#include <errno.h>
#include <stddef.h>

#include "supervisord/engine/step.h"

#define RULES_MAX 8

#define NAME(name) #name,
static const char *const state_names[] = {STEP_STATES(NAME)};
static const char *const event_names[] = {STEP_EVENTS(NAME)};
#undef NAME

struct rule {
	uint8_t set; /* 0: end of the cell */
	uint8_t with;
	uint8_t next;
	uint8_t actions;
};

/* clang-format off */
#define IF(with, next, actions) {1, (with), STATE_##next, (actions)}
#define ELSE(next, actions)     {1, 0, STATE_##next, (actions)}

#define UP        FACT_UP
#define HALT      FACT_HALT
#define MAY_START FACT_MAY_START
#define MAY_STOP  FACT_MAY_STOP
#define RESTART   FACT_RESTART
#define GIVE_UP   FACT_GIVE_UP
#define NO_DELAY  FACT_NO_DELAY
#define LEFTOVERS FACT_LEFTOVERS

#define RESET  ACTION_RESET
#define COUNT  ACTION_COUNT
#define LAUNCH (ACTION_LAUNCH | ACTION_TIMER)
#define SIGNAL (ACTION_SIGNAL | ACTION_TIMER)
#define KILL   (ACTION_KILL | ACTION_TIMER)
#define PROBE  ACTION_PROBE
#define TIMER  ACTION_TIMER

/* Someone asks for it while no process of it runs. */
#define START_ANEW \
	IF(LEFTOVERS, STOPPING, SIGNAL | PROBE), \
	IF(MAY_START, STARTING, RESET | LAUNCH), \
	ELSE(WAITING, RESET)

/* Nothing is left of the last run: up again if that is wanted. */
#define AT_REST \
	IF(UP | MAY_START, STARTING, RESET | LAUNCH), \
	IF(UP, WAITING, RESET), \
	ELSE(STOPPED, 0)

#define STILL_WANTED \
	IF(UP | MAY_START, STARTING, LAUNCH), \
	IF(UP, WAITING, 0), \
	ELSE(STOPPING, SIGNAL | PROBE) /* an earlier run may have left something */

/* A stop when the main process has ended already: others of the run may be left. */
#define STOP_REST \
	IF(UP | LEFTOVERS, STOPPING, SIGNAL | PROBE), \
	IF(UP | MAY_START, STARTING, RESET | LAUNCH), \
	IF(UP, WAITING, RESET), \
	ELSE(STOPPING, SIGNAL | PROBE)

/* The main process ended by itself. */
#define ENDED \
	IF(HALT, STOPPING, SIGNAL | PROBE), \
	IF(RESTART | GIVE_UP, FATAL, COUNT), \
	IF(RESTART | LEFTOVERS, BACKOFF, COUNT | SIGNAL), \
	IF(RESTART | NO_DELAY | MAY_START, STARTING, COUNT | LAUNCH), \
	IF(RESTART, BACKOFF, COUNT | TIMER), \
	ELSE(EXITED, 0)

#define HALT_WHEN_IT_MAY(stay) \
	IF(HALT | MAY_STOP, STOPPING, SIGNAL), \
	ELSE(stay, 0)

static const struct rule table[STATE_COUNT][EVENT_COUNT][RULES_MAX] = {
	[STATE_STOPPED] = {
		[EVENT_START] = {START_ANEW},
		[EVENT_STOP]  = {AT_REST},
		[EVENT_CHECK] = {AT_REST}, /* wanted up: a command that its engine did not live to carry out */
		[EVENT_GONE]  = {ELSE(STOPPED, 0)},
	},
	[STATE_WAITING] = {
		[EVENT_START] = {IF(MAY_START, STARTING, LAUNCH), ELSE(WAITING, 0)},
		[EVENT_STOP]  = {STILL_WANTED},
		[EVENT_CHECK] = {STILL_WANTED},
		[EVENT_GONE]  = {ELSE(WAITING, 0)},
	},
	[STATE_STARTING] = {
		[EVENT_START] = {ELSE(STARTING, 0)},
		[EVENT_STOP]  = {HALT_WHEN_IT_MAY(STARTING)},
		[EVENT_CHECK] = {HALT_WHEN_IT_MAY(STARTING)},
		[EVENT_TIMER] = {ELSE(RUNNING, 0)},
		[EVENT_EXIT]  = {ENDED},
		[EVENT_GONE]  = {ELSE(STARTING, 0)},
	},
	[STATE_RUNNING] = {
		[EVENT_START] = {ELSE(RUNNING, 0)},
		[EVENT_STOP]  = {HALT_WHEN_IT_MAY(RUNNING)},
		[EVENT_CHECK] = {HALT_WHEN_IT_MAY(RUNNING)},
		[EVENT_EXIT]  = {ENDED},
		[EVENT_GONE]  = {ELSE(RUNNING, 0)},
	},
	[STATE_BACKOFF] = {
		[EVENT_START] = {START_ANEW},
		[EVENT_STOP]  = {STOP_REST},
		[EVENT_CHECK] = {IF(UP, BACKOFF, 0), ELSE(STOPPING, SIGNAL | PROBE)},
		[EVENT_TIMER] = {IF(LEFTOVERS, BACKOFF, KILL), IF(MAY_START, STARTING, LAUNCH), ELSE(WAITING, 0)},
		[EVENT_GONE]  = {ELSE(BACKOFF, 0)},
	},
	[STATE_STOPPING] = {
		[EVENT_START] = {ELSE(STOPPING, 0)},
		[EVENT_STOP]  = {ELSE(STOPPING, 0)},
		[EVENT_CHECK] = {ELSE(STOPPING, 0)},
		[EVENT_TIMER] = {ELSE(STOPPING, KILL | PROBE)},
		[EVENT_EXIT]  = {ELSE(STOPPING, PROBE)},
		[EVENT_GONE]  = {AT_REST},
	},
	[STATE_EXITED] = {
		[EVENT_START] = {START_ANEW},
		[EVENT_STOP]  = {STOP_REST},
		[EVENT_CHECK] = {ELSE(EXITED, 0)},
		[EVENT_GONE]  = {ELSE(EXITED, 0)},
	},
	[STATE_FATAL] = {
		[EVENT_START] = {START_ANEW},
		[EVENT_STOP]  = {STOP_REST},
		[EVENT_CHECK] = {ELSE(FATAL, 0)},
		[EVENT_GONE]  = {ELSE(FATAL, 0)},
	},
};
/* clang-format on */

int step_decide(enum state state, enum event event, unsigned facts, struct step *ret_step)
{
	const struct rule *rule = table[state][event];

	for (size_t i = 0; i < RULES_MAX && rule[i].set; i++) {
		if ((facts & rule[i].with) != rule[i].with)
			continue;
		*ret_step =
		    (struct step){.next = (enum state)rule[i].next, .actions = rule[i].actions};
		return 0;
	}
	return -EPROTO;
}

const char *step_state_name(enum state state)
{
	return state_names[state];
}

const char *step_event_name(enum event event)
{
	return event_names[event];
}
