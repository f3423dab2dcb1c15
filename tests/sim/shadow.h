/* SPDX-License-Identifier: ISC */
/*
 * shadow.h: what the checks remember of a program, counted from the outside: by what was really
 * launched, what really ended, and what was really committed.
 */
#ifndef SIM_SHADOW_H
#define SIM_SHADOW_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisord/engine/taskkind.h"
#include "supervisord/engine/transition.h"
#include "tests/sim/stanza.h"

/* How often a task of a kind came to what, for one run of its program. */
struct shadow_task {
	unsigned made;   /* processes */
	unsigned failed; /* launches without one, or without a row */
	unsigned good;   /* ended with status 0, nothing having been done to it */
	unsigned bad;    /* ended otherwise */
	unsigned killed; /* were told to */
};

struct shadow {
	/* Of the life of the row. */
	int64_t since_ns;  /* it is in its state */
	uint64_t begun;    /* runs that were begun */
	uint64_t launched; /* of the last launch that was decided */
	uint64_t created;  /* of the last main process */
	uint64_t forked;   /* of the last one whose command has done its part */
	uint64_t acted;    /* of the last end that was acted on */
	bool been_up;      /* since its stanza was added */
	uint32_t failures;
	uint32_t window_starts;
	int64_t window_ns;
	bool asked;          /* on demand: a run is asked for, by no connection */
	int64_t triggers_ns; /* the window of trigger_limit */
	uint32_t triggers;
	/* Of the present run. */
	bool failed; /* whatever its status says */
	bool was_running;
	bool cleaned;    /* its post_stop has had its turn */
	int command_pid; /* of what was launched */
	uint32_t peer;   /* whose connection it has, the run that has one */
	uint64_t peer_run;
	int peer_socket;
	bool stays;      /* what it has left may go on beside its post_stop */
	int wstatus;     /* of its end */
	bool ended;
	enum program_type type; /* as it was launched */
	bool no_deadline;       /* of STARTING: whoever gets ready gets ready */
	int64_t retimed_ns;     /* the deadline that its new stanza gives to the present wait */
	int64_t running_ns;
	struct shadow_task tasks[TASK_COUNT];
	unsigned troubles; /* tasks of whatever kind that could not be launched */
	/* Of the present stop. */
	bool stop_all; /* kill_mode = all, from its beginning on */
	enum kill_mode
	    stop_mode; /* when it began, or one that came since and leaves nobody alone */
	/* Of the present rest. */
	bool fatal_without_retry; /* its stanza said so only later */
	bool owed;
	int exit_code;          /* plus one, of everything, if its last end was that */
	unsigned owed_commands; /* of on_failure that were begun */
	unsigned owed_wishes;   /* another program was started */
	unsigned owed_shutdowns;
	/* What was kept of its links when its stanza went. */
	struct stanza_link last_links[STANZA_PROGRAMS];
	enum program_type last_type;
};

/* A decision that is made and not yet committed. */
struct shadow_pending {
	bool valid;
	int row;
	struct happening happening;
	struct ledger_state before;
	struct transition transition;
	const struct program_config *config;
	/* Who is in the way, when it was made. */
	int start_blocker;
	bool unheard; /* what it waits for knows of itself what the engine is yet to tell it */
	int stop_blocker;
	int missing;
	int lost;
	bool overlooked; /* the end of the run is in its mailbox, and that is not what is decided on
			  */
};

/* The last commit that is to be told of. */
struct shadow_told {
	uint64_t owed; /* number of the event, 0: it is told */
	uint64_t seen; /* events that were looked at */
	int row;
	bool ended;
	int removals; /* rows that were freed, and that is not told yet */
	struct ledger_state state;
};

/* A commit that is under way: the engine may be killed in it. */
struct shadow_commit {
	bool active;
	int row;
	bool decision;
	unsigned active_before;
	struct ledger_state before;
	struct ledger_state after;
};

#endif
