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
 */
#ifndef ENGINE_STEP_H
#define ENGINE_STEP_H

#include <stdint.h>

/* As Supervisor's users know them; WAITING is ours. */
#define STEP_STATES(X)                                                                             \
	X(STOPPED)  /* no process, none wanted */                                                  \
	X(WAITING)  /* wanted up, not launched: something must come first */                       \
	X(STARTING) /* launched, younger than stable_after */                                      \
	X(RUNNING)                                                                                 \
	X(BACKOFF)  /* ended, will be launched again when the delay is over */                     \
	X(STOPPING) /* told to end; left when every process of the run is gone */                  \
	X(EXITED)   /* ended by itself, and restart says to leave it */                            \
	X(FATAL)    /* start_limit reached: given up */

#define STEP_EVENTS(X)                                                                             \
	X(START) /* someone wants it up; facts are those after the wish */                         \
	X(STOP)  /* someone wants it down, or (FACT_UP) down and up again */                       \
	X(CHECK) /* what it may wait for has changed */                                            \
	X(TIMER) /* the deadline of its state is over */                                           \
	X(EXIT)  /* the run's main process has ended, or could not be launched */                  \
	X(GONE)  /* no process of the run is left */

#define STEP_ENUM_STATE(name) STATE_##name,
#define STEP_ENUM_EVENT(name) EVENT_##name,

enum state { STEP_STATES(STEP_ENUM_STATE) STATE_COUNT };
enum event { STEP_EVENTS(STEP_ENUM_EVENT) EVENT_COUNT };

enum wanted { WANTED_DOWN, WANTED_UP };

/* What the table may ask about the world. */
enum fact {
	FACT_UP = 0x01,        /* wanted up */
	FACT_HALT = 0x02,      /* this run is to end: wanted down, or a restart was asked for */
	FACT_MAY_START = 0x04, /* nothing that comes first is missing, and launching is allowed */
	FACT_MAY_STOP = 0x08,  /* nothing that must stop first is still there */
	FACT_RESTART = 0x10,   /* the restart policy says: again */
	FACT_GIVE_UP = 0x20,   /* start_limit is reached */
	FACT_NO_DELAY = 0x40,  /* the restart delay is zero */
	FACT_LEFTOVERS = 0x80, /* the main process has ended, others of its group have not */
	FACT_ALL = 0xff,
};

/* What the shell does after it has entered the next state, in this order. */
enum action {
	ACTION_RESET = 0x01,  /* forget failures and the start limit's count */
	ACTION_COUNT = 0x02,  /* one more failed run */
	ACTION_LAUNCH = 0x04, /* start a new run */
	ACTION_SIGNAL = 0x08, /* stop_signal to every process of the run */
	ACTION_KILL = 0x10,   /* KILL to every process of the run */
	ACTION_PROBE = 0x20,  /* find out whether any process of the run is left; GONE follows */
	ACTION_TIMER = 0x40,  /* arm the timer of the next state; without it the timer is off */
	ACTION_ALL = 0x7f,
};

struct step {
	enum state next;
	uint8_t actions;
};

/*
 * The next state and what to do.  Returns 0 and a step, or -EPROTO when this event cannot happen in
 * this state (our own bug; the caller says so and goes on).
 */
int step_decide(enum state state, enum event event, unsigned facts, struct step *ret_step);

const char *step_state_name(enum state state);
const char *step_event_name(enum event event);

/* A run of it exists, or may exist. */
static inline int step_is_live(enum state state)
{
	return state == STATE_STARTING || state == STATE_RUNNING || state == STATE_STOPPING;
}

/* Nothing will change by itself. */
static inline int step_is_at_rest(enum state state)
{
	return state == STATE_STOPPED || state == STATE_EXITED || state == STATE_FATAL;
}

#endif
