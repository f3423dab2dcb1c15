/* SPDX-License-Identifier: ISC */
/*
 * transition.h: the whole next state of an instance: step.h's decision, and the counters, times and
 * deadline that go with it.  Pure: what it knows of the world comes in, what is to be done goes
 * out, so the engine and the simulator decide by the same code.
 */
#ifndef ENGINE_TRANSITION_H
#define ENGINE_TRANSITION_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/ledger.h"
#include "supervisord/engine/config.h"
#include "supervisord/engine/reason.h"
#include "supervisord/engine/step.h"

/* What an event is due to. */
struct cause {
	enum reason reason; /* REASON_NONE: keep what is there */
	int32_t detail;
	int32_t step;
};

/* What happened, and how the world is at that moment. */
struct happening {
	enum event event;
	struct cause cause;
	bool may_start;   /* nothing that comes first is missing, and launching is allowed at all */
	bool may_stop;    /* nothing that must stop first is still there */
	bool leftovers;   /* the main process has ended, others of its run have not */
	bool demand;      /* start = on-demand: somebody waits in one of its sockets */
	bool needed;      /* likewise: another program that waits for it is to come up */
	bool idle;        /* EVENT_CHECK: nobody was connected for idle_stop */
	bool lost;        /* something it requires is not there any more, or about to go */
	bool hook_failed; /* EVENT_HOOK only */
	uint64_t config_hash; /* of what a launch would launch now */
	uint64_t number;      /* of the event that would tell of it: see history.h */
	uint64_t next_marks;  /* likewise */
	/* EVENT_EXIT only: */
	uint64_t run; /* the run that ended */
	int32_t pid;
	int32_t wstatus; /* as of wait(2) */
	bool launched;   /* false: it could not even be executed */
	struct exit_finding finding;
	uint32_t random; /* any number, for the jitter */
	int64_t now_ns;  /* CLOCK_BOOTTIME */
	int64_t wall_ns;
};

struct transition {
	struct ledger_state state; /* to be committed as a whole */
	unsigned actions;          /* enum action: to be done after that */
	bool moved;                /* another state, or the same one by a new run */
	bool ended;                /* a run has */
	bool failed;               /* that one, also where the policy says: not again */
	bool news;                 /* either, or there is another reason: to be told of, once */
	enum state from;
	int64_t waited_ns; /* since when it was WAITING, 0: it was not */
};

/* The end of a run, or of the attempt to make one, of a run that had no process: as a shell's for
 * what it cannot execute. */
#define TRANSITION_NOT_LAUNCHED (127 << 8)

/*
 * Returns 0, or -EPROTO when this cannot happen in this state; then *ret_transition has the
 * counters of an exit and nothing else changed.
 */
int transition_decide(const struct ledger_state *state, const struct program_config *config,
    const struct happening *happening, struct transition *ret_transition);

/* The delay in BACKOFF, given the failures counted so far; without the jitter. */
int64_t transition_retry_ns(const struct program_config *config, const struct ledger_state *state);

/* SIGKILL of signal(7): the one signal that the core knows. */
#define TRANSITION_KILL 9

/* What the stop is at, by state->stop_step. */
struct transition_stop {
	bool command; /* stop_command is (to be) running */
	int signal;   /* sent at this step; TRANSITION_KILL at the end; 0 with command */
	bool all;     /* to every process of the run, else to the main one */
	int64_t wait_ns;
};
struct transition_stop transition_stop_step(
    const struct program_config *config, const struct ledger_state *state);

/* When KILL goes to what is left of a run in STOPPING, if nothing of it ends before; 0: it was sent
 * already, or there is no stop. */
int64_t transition_kill_ns(const struct program_config *config, const struct ledger_state *state);

/*
 * The deadline of the present wait when the stanza is another one now: as if it had been so from
 * the beginning of that wait.  What the program asked for by EXTEND_TIMEOUT_USEC= stays.
 */
int64_t transition_retime_ns(const struct ledger_state *state, const struct program_config *before,
    const struct program_config *after);

/* STARTING waits for something to say that it is ready, so that its deadline is a failure. */
bool transition_waits_for_ready(const struct program_config *config);

/* It is started when somebody asks for it, and nobody who is not a connection has. */
bool transition_waits_for_demand(
    const struct program_config *config, const struct ledger_state *state);

/* A oneshot whose present run has ended with success. */
bool transition_is_complete(const struct program_config *config, const struct ledger_state *state);

/* Wanted down, to be replaced by a new run, or without what it requires. */
bool transition_is_halting(const struct ledger_state *state);

#endif
