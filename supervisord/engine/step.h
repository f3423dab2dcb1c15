/* SPDX-License-Identifier: ISC */
/*
 * step.h: the state machine of a program instance, as data.
 *
 * step(state, event, facts) says what comes next and what is to be done; it reads no clock, calls
 * no kernel and logs nothing, so the table can be walked cell by cell and run in a simulator.
 *
 * Two values describe an instance: the state it is in, and whether it is wanted up or down.  Events
 * never wait: what cannot be done now is remembered as wanted, and a CHECK comes when something it
 * waits for has changed.  A restart is a stop of an instance that stays wanted up.
 *
 * People know eight states; four more tell apart which hook is running (their second column is the
 * name that people see).
 */
#ifndef ENGINE_STEP_H
#define ENGINE_STEP_H

#include <stdbool.h>
#include <stdint.h>

/* X(name, as Supervisor's users know it; WAITING is ours) */
#define STEP_STATES(X)                                                                             \
	X(STOPPED, STOPPED)    /* no process, none wanted */                                       \
	X(WAITING, WAITING)    /* wanted up, not launched: something must come first */            \
	X(PREPARING, STARTING) /* a new run has begun: its pre_start hook is running */            \
	X(STARTING, STARTING)  /* launched, not ready yet */                                       \
	X(SETTLING, STARTING)  /* ready: its post_start hook is running */                         \
	X(RUNNING, RUNNING)                                                                        \
	X(BACKOFF, BACKOFF)   /* ended, will be launched again when the delay is over */           \
	X(ENDING, STOPPING)   /* to be told to end: its pre_stop hook is running */                \
	X(STOPPING, STOPPING) /* told to end; left when every process of the run is gone */        \
	X(CLEANING, STOPPING) /* gone: its post_stop hook is running */                            \
	X(EXITED, EXITED)     /* ended by itself, and restart says to leave it */                  \
	X(FATAL, FATAL)       /* start_limit reached: given up */

#define STEP_EVENTS(X)                                                                             \
	X(START) /* someone wants it up; facts are those after the wish */                         \
	X(STOP)  /* someone wants it down, or (FACT_HALT, FACT_UP) down and up again */            \
	X(CHECK) /* what it may wait for has changed */                                            \
	X(TIMER) /* the deadline of its state is over */                                           \
	X(READY) /* the run is ready */                                                            \
	X(HOOK)  /* the hook of its state has ended, and nothing is left of it */                  \
	X(FAIL)  /* the run lives but has failed: watchdog, health, max_runtime */                 \
	X(EXIT)  /* the run's main process has ended, or could not be launched */                  \
	X(GONE)  /* no process of the run is left, nor of its hook */

#define STEP_ENUM_STATE(name, seen) STATE_##name,
#define STEP_ENUM_EVENT(name)       EVENT_##name,

enum state { STEP_STATES(STEP_ENUM_STATE) STATE_COUNT };
enum event { STEP_EVENTS(STEP_ENUM_EVENT) EVENT_COUNT };

enum wanted { WANTED_DOWN, WANTED_UP };

/* What the table may ask about the world. */
enum fact {
	FACT_UP = 0x0001,   /* wanted up */
	FACT_HALT = 0x0002, /* this run is to end: wanted down, a restart, a requirement lost */
	FACT_MAY_START = 0x0004, /* nothing that comes first is missing, launching is allowed, and
				  * somebody asks for it where that is needed */
	FACT_MAY_STOP = 0x0008,  /* nothing that must stop first is still there */
	FACT_RESTART = 0x0010,   /* the restart policy says: again */
	FACT_GIVE_UP = 0x0020,   /* start_limit is reached */
	FACT_NO_DELAY = 0x0040,  /* the restart delay is zero */
	FACT_LEFTOVERS = 0x0080, /* the main process has ended, others of its run have not */
	FACT_PRE_START = 0x0100, /* the stanza has that hook */
	FACT_POST_START = 0x0200,
	FACT_PRE_STOP = 0x0400,
	FACT_POST_STOP = 0x0800,
	FACT_FAILED = 0x1000,   /* of HOOK: it failed; of TIMER in STARTING: not ready in time */
	FACT_COMPLETE = 0x2000, /* a oneshot whose main process has ended with success */
	FACT_REMAIN = 0x4000,   /* such a one counts as RUNNING */
	FACT_FORKED = 0x8000,   /* of EXIT: the command of a forking program has done its part */
	FACT_REARM = 0x10000,   /* of an end: a success of one that is started on demand */
	FACT_FLOODED = 0x20000, /* somebody waits for it, and trigger_limit is reached */
	FACT_ALL = 0x3ffff,
};

/* What the shell does after it has entered the next state, in this order. */
enum action {
	ACTION_RESET = 0x001,    /* forget failures and the start limit's count */
	ACTION_COUNT = 0x002,    /* one more failed run */
	ACTION_FAIL = 0x004,     /* remember that this run failed, however it ends */
	ACTION_BEGIN = 0x008,    /* a new run: the next number */
	ACTION_LAUNCH = 0x010,   /* make its main process */
	ACTION_HOOK = 0x020,     /* start the hook of the next state */
	ACTION_SIGNAL = 0x040,   /* begin the stop: stop_command, or the first signal */
	ACTION_ESCALATE = 0x080, /* the next step of the stop, in the end KILL to every process */
	ACTION_ADOPT = 0x100,    /* find the main process that the command has left */
	ACTION_PROBE = 0x200,    /* find out whether any process of the run is left; GONE follows */
	ACTION_TIMER = 0x400,    /* arm the timer of the next state; without it the timer is off */
	ACTION_GIVEN_UP =
	    0x800, /* it is at rest and nobody asked for that: on_failure, essential */
	ACTION_ALL = 0xfff,
};

struct step {
	enum state next;
	uint16_t actions;
};

/*
 * The next state and what to do.  Returns 0 and a step, or -EPROTO when this event cannot happen in
 * this state (our own bug; the caller says so and goes on).
 */
int step_decide(enum state state, enum event event, unsigned facts, struct step *ret_step);

/* As people know it. */
const char *step_state_name(enum state state);
/* As it stands in the table. */
const char *step_state_own_name(enum state state);
const char *step_event_name(enum event event);

/* A run of it exists, or may exist. */
static inline bool step_is_live(enum state state)
{
	return state == STATE_PREPARING || state == STATE_STARTING || state == STATE_SETTLING ||
	       state == STATE_RUNNING || state == STATE_ENDING || state == STATE_STOPPING ||
	       state == STATE_CLEANING;
}

/* On its way down. */
static inline bool step_is_stopping(enum state state)
{
	return state == STATE_ENDING || state == STATE_STOPPING || state == STATE_CLEANING;
}

/* On its way up, or there. */
static inline bool step_is_up(enum state state)
{
	return step_is_live(state) && !step_is_stopping(state);
}

/* Nothing will change by itself (but FATAL with on_failure = retry). */
static inline bool step_is_at_rest(enum state state)
{
	return state == STATE_STOPPED || state == STATE_EXITED || state == STATE_FATAL;
}

#endif
