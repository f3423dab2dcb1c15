/* SPDX-License-Identifier: ISC */
/*
 * step.c: the table of step.h.
 *
 * A cell is a list of rules; the first that fits wins: all facts of `with` must be there and none of
 * `without`.  The last rule of every cell asks for nothing, so a cell always decides.  A cell
 * without rules is illegal.  A rule that keeps the state also keeps a timer that runs, unless
 * ACTION_TIMER arms it anew.
 */
#include <errno.h>
#include <stddef.h>

#include "supervisord/engine/step.h"

#define RULES_MAX 17

#define SEEN(name, seen) #seen,
static const char *const state_names[] = {STEP_STATES(SEEN)};
#undef SEEN
#define OWN(name, seen) #name,
static const char *const own_names[] = {STEP_STATES(OWN)};
#undef OWN
#define NAME(name) #name,
static const char *const event_names[] = {STEP_EVENTS(NAME)};
#undef NAME

struct rule {
	uint32_t with;
	uint32_t without;
	uint16_t actions;
	uint8_t next;
	bool set; /* false: end of the cell */
};

/* clang-format off */
#define IF(facts, to, does)     {.with = (facts), .next = STATE_##to, .actions = (does), .set = true}
#define UNLESS(facts, to, does) {.without = (facts), .next = STATE_##to, .actions = (does), .set = true}
#define ELSE(to, does)          {.next = STATE_##to, .actions = (does), .set = true}

#define UP         FACT_UP
#define HALT       FACT_HALT
#define MAY_START  FACT_MAY_START
#define MAY_STOP   FACT_MAY_STOP
#define RESTART    FACT_RESTART
#define GIVE_UP    FACT_GIVE_UP
#define NO_DELAY   FACT_NO_DELAY
#define LEFTOVERS  FACT_LEFTOVERS
#define PRE_START  FACT_PRE_START
#define POST_START FACT_POST_START
#define PRE_STOP   FACT_PRE_STOP
#define POST_STOP  FACT_POST_STOP
#define FAILED     FACT_FAILED
#define COMPLETE   FACT_COMPLETE
#define REMAIN     FACT_REMAIN
#define FORKED     FACT_FORKED
#define REARM      FACT_REARM
#define FLOODED    FACT_FLOODED

#define RESET    ACTION_RESET
#define COUNT    ACTION_COUNT
#define PREPARE  (ACTION_BEGIN | ACTION_HOOK)
#define LAUNCH   (ACTION_BEGIN | ACTION_LAUNCH | ACTION_TIMER)
#define HOOK     ACTION_HOOK
#define SIGNAL   (ACTION_SIGNAL | ACTION_PROBE | ACTION_TIMER)
#define ESCALATE (ACTION_ESCALATE | ACTION_PROBE | ACTION_TIMER)
#define FAIL     (ACTION_FAIL | SIGNAL)
#define PROBE    ACTION_PROBE
#define TIMER    ACTION_TIMER
#define GIVEN_UP ACTION_GIVEN_UP

/* A new run, if nothing forbids it now; `more` facts, `does` beside that. */
#define BEGIN(more, does) \
	IF((more) | MAY_START | PRE_START, PREPARING, (does) | PREPARE), \
	IF((more) | MAY_START, STARTING, (does) | LAUNCH)

/* Someone asks for it while it has no run. */
#define START_ANEW \
	IF(LEFTOVERS, STOPPING, SIGNAL), \
	BEGIN(0, RESET), \
	ELSE(WAITING, RESET)

/* It has no run: up if that is wanted. */
#define AS_WANTED \
	BEGIN(UP, RESET), \
	IF(UP, WAITING, RESET), \
	ELSE(STOPPED, 0)

#define STILL_WANTED \
	BEGIN(UP, 0), \
	IF(UP, WAITING, 0), \
	ELSE(STOPPING, SIGNAL) /* an earlier run may have left something */

/* A stop when the main process has ended already: others of the run may be left. */
#define STOP_REST \
	IF(UP | LEFTOVERS, STOPPING, SIGNAL), \
	BEGIN(UP, RESET), \
	IF(UP, WAITING, RESET), \
	ELSE(STOPPING, SIGNAL)

/* The run ended without having been told to, and nothing more is to be done for it. */
#define BY_POLICY \
	IF(RESTART | GIVE_UP, FATAL, COUNT | GIVEN_UP | TIMER), \
	BEGIN(RESTART | NO_DELAY, COUNT), \
	IF(RESTART, BACKOFF, COUNT | TIMER), \
	BEGIN(REARM, RESET), \
	IF(REARM, WAITING, RESET), \
	ELSE(EXITED, GIVEN_UP)

/* The main process ended by itself. */
#define ENDED \
	IF(HALT, STOPPING, SIGNAL), \
	IF(RESTART | LEFTOVERS, STOPPING, SIGNAL), \
	IF(REARM | LEFTOVERS, STOPPING, SIGNAL), \
	IF(POST_STOP, CLEANING, HOOK), \
	BY_POLICY

/* No process of the run is left, and its post_stop is over. */
#define OVER \
	BEGIN(HALT | UP, RESET), \
	IF(HALT | UP, WAITING, RESET), \
	IF(HALT, STOPPED, 0), \
	BY_POLICY

#define HALT_WHEN_IT_MAY(stay) \
	IF(HALT | MAY_STOP, STOPPING, SIGNAL), \
	ELSE(stay, 0)

#define READY_NOW \
	IF(POST_START, SETTLING, HOOK), \
	ELSE(RUNNING, 0)

#define STAY(state) {ELSE(state, 0)}

static const struct rule table[STATE_COUNT][EVENT_COUNT][RULES_MAX] = {
	[STATE_STOPPED] = {
		[EVENT_START] = {START_ANEW},
		[EVENT_STOP]  = {AS_WANTED},
		[EVENT_CHECK] = {AS_WANTED}, /* wanted up: a command that its engine did not live to carry out */
		[EVENT_GONE]  = STAY(STOPPED),
	},
	[STATE_WAITING] = {
		[EVENT_START] = {BEGIN(0, 0), ELSE(WAITING, 0)},
		[EVENT_STOP]  = {STILL_WANTED},
		[EVENT_CHECK] = {IF(UP | FLOODED, FATAL, GIVEN_UP | TIMER), STILL_WANTED},
		[EVENT_GONE]  = STAY(WAITING),
	},
	[STATE_PREPARING] = {
		[EVENT_START] = STAY(PREPARING),
		[EVENT_STOP]  = {HALT_WHEN_IT_MAY(PREPARING)},
		[EVENT_CHECK] = {HALT_WHEN_IT_MAY(PREPARING)},
		[EVENT_HOOK]  = {
			IF(HALT, STOPPING, SIGNAL),
			IF(FAILED, STOPPING, FAIL),
			IF(MAY_START, STARTING, ACTION_LAUNCH | TIMER),
			ELSE(STOPPING, SIGNAL), /* not now (BOUNCE: see enter_flags()): safe mode, or what comes first is being restarted */
		},
		[EVENT_FAIL]  = STAY(PREPARING),
		[EVENT_GONE]  = STAY(PREPARING),
	},
	[STATE_STARTING] = {
		[EVENT_START] = STAY(STARTING),
		[EVENT_STOP]  = {HALT_WHEN_IT_MAY(STARTING)},
		[EVENT_CHECK] = {HALT_WHEN_IT_MAY(STARTING)},
		[EVENT_TIMER] = {IF(FAILED, STOPPING, FAIL), READY_NOW},
		[EVENT_READY] = {READY_NOW},
		[EVENT_FAIL]  = {ELSE(STOPPING, FAIL)},
		[EVENT_EXIT]  = {
			IF(HALT, STOPPING, SIGNAL),
			IF(FORKED, STARTING, ACTION_ADOPT),
			IF(COMPLETE | POST_START, SETTLING, HOOK),
			IF(COMPLETE | REMAIN, RUNNING, 0),
			ENDED,
		},
		[EVENT_GONE]  = STAY(STARTING),
	},
	[STATE_SETTLING] = {
		[EVENT_START] = STAY(SETTLING),
		[EVENT_STOP]  = {HALT_WHEN_IT_MAY(SETTLING)},
		[EVENT_CHECK] = {HALT_WHEN_IT_MAY(SETTLING)},
		[EVENT_READY] = STAY(SETTLING),
		[EVENT_HOOK]  = {
			IF(FAILED, STOPPING, FAIL),
			IF(COMPLETE | REMAIN, RUNNING, 0),
			UNLESS(COMPLETE, RUNNING, 0),
			ENDED,
		},
		[EVENT_FAIL]  = {ELSE(STOPPING, FAIL)},
		[EVENT_EXIT]  = {IF(HALT, STOPPING, SIGNAL), IF(COMPLETE, SETTLING, 0), ELSE(STOPPING, SIGNAL)},
		[EVENT_GONE]  = STAY(SETTLING),
	},
	[STATE_RUNNING] = {
		[EVENT_START] = STAY(RUNNING),
		[EVENT_STOP]  = {IF(HALT | MAY_STOP | PRE_STOP, ENDING, HOOK), HALT_WHEN_IT_MAY(RUNNING)},
		[EVENT_CHECK] = {IF(HALT | MAY_STOP | PRE_STOP, ENDING, HOOK), HALT_WHEN_IT_MAY(RUNNING)},
		[EVENT_READY] = STAY(RUNNING),
		[EVENT_FAIL]  = {ELSE(STOPPING, FAIL)},
		[EVENT_EXIT]  = {IF(HALT, STOPPING, SIGNAL), IF(COMPLETE | REMAIN, RUNNING, 0), ENDED},
		[EVENT_GONE]  = STAY(RUNNING),
	},
	[STATE_BACKOFF] = {
		[EVENT_START] = {START_ANEW},
		[EVENT_STOP]  = {STOP_REST},
		[EVENT_CHECK] = {IF(UP, BACKOFF, 0), ELSE(STOPPING, SIGNAL)},
		[EVENT_TIMER] = {
			IF(LEFTOVERS, BACKOFF, ACTION_ESCALATE | TIMER),
			BEGIN(0, 0),
			ELSE(WAITING, 0),
		},
		[EVENT_GONE]  = STAY(BACKOFF),
	},
	[STATE_ENDING] = {
		[EVENT_START] = STAY(ENDING),
		[EVENT_STOP]  = STAY(ENDING),
		[EVENT_CHECK] = STAY(ENDING),
		[EVENT_READY] = STAY(ENDING),
		[EVENT_HOOK]  = {ELSE(STOPPING, SIGNAL)},
		[EVENT_FAIL]  = STAY(ENDING),
		[EVENT_EXIT]  = {ELSE(STOPPING, SIGNAL)},
		[EVENT_GONE]  = STAY(ENDING),
	},
	[STATE_STOPPING] = {
		[EVENT_START] = STAY(STOPPING),
		[EVENT_STOP]  = STAY(STOPPING),
		[EVENT_CHECK] = STAY(STOPPING),
		[EVENT_TIMER] = {ELSE(STOPPING, ESCALATE)},
		[EVENT_READY] = STAY(STOPPING),
		[EVENT_HOOK]  = {IF(FAILED, STOPPING, ESCALATE), ELSE(STOPPING, PROBE)}, /* stop_command */
		[EVENT_FAIL]  = STAY(STOPPING),
		[EVENT_EXIT]  = {ELSE(STOPPING, PROBE)},
		[EVENT_GONE]  = {IF(POST_STOP, CLEANING, HOOK), OVER},
	},
	[STATE_CLEANING] = {
		[EVENT_START] = STAY(CLEANING),
		[EVENT_STOP]  = STAY(CLEANING),
		[EVENT_CHECK] = STAY(CLEANING),
		[EVENT_READY] = STAY(CLEANING),
		[EVENT_HOOK]  = {
			IF(HALT | LEFTOVERS, STOPPING, SIGNAL),
			IF(RESTART | LEFTOVERS, STOPPING, SIGNAL),
			IF(REARM | LEFTOVERS, STOPPING, SIGNAL),
			OVER,
		},
		[EVENT_FAIL]  = STAY(CLEANING),
		[EVENT_GONE]  = STAY(CLEANING),
	},
	[STATE_EXITED] = {
		[EVENT_START] = {START_ANEW},
		[EVENT_STOP]  = {STOP_REST},
		[EVENT_CHECK] = {UNLESS(UP, STOPPING, SIGNAL), ELSE(EXITED, 0)}, /* as in STOPPED */
		[EVENT_GONE]  = STAY(EXITED),
	},
	[STATE_FATAL] = {
		[EVENT_START] = {START_ANEW},
		[EVENT_STOP]  = {STOP_REST},
		[EVENT_CHECK] = {UNLESS(UP, STOPPING, SIGNAL), ELSE(FATAL, 0)},
		[EVENT_TIMER] = {UNLESS(UP, STOPPING, SIGNAL), START_ANEW}, /* on_failure = "retry:..." */
		[EVENT_GONE]  = STAY(FATAL),
	},
};
/* clang-format on */

int step_decide(enum state state, enum event event, unsigned facts, struct step *ret_step)
{
	const struct rule *rule = table[state][event];

	for (size_t i = 0; i < RULES_MAX && rule[i].set; i++) {
		if ((facts & rule[i].with) != rule[i].with || (facts & rule[i].without) != 0)
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

const char *step_state_own_name(enum state state)
{
	return own_names[state];
}

const char *step_event_name(enum event event)
{
	return event_names[event];
}
