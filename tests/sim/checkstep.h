/* SPDX-License-Identifier: ISC */
/* checkstep.h: one decision, as the checks see it; what checkstep.c and checknext.c share. */
#ifndef SIM_CHECKSTEP_H
#define SIM_CHECKSTEP_H

#include "tests/sim/world.h"

struct decision {
	int program;
	enum event event;
	enum state from;
	enum state to;
	const struct happening *happening;
	const struct ledger_state *before;
	const struct ledger_state *after;
	unsigned actions;
	const struct program_config *config;
	struct shadow *shadow;
	const struct shadow_pending *pending;
	bool begins;  /* a new run */
	bool lost;    /* only just */
	bool halting; /* the run is to end, with what the event says */
	bool counted; /* one more failed run in a row */
	bool lazy;    /* it is started on demand */
	bool flooded; /* it is, and connections have started it too often */
	bool rearmed; /* its run has ended well, if it has: it waits for the next connection */
	bool may_start; /* and is asked for, where it has to be */
};

#define DEADLINE_STAYS (-2)

void decision_expect(const struct decision *d, bool good, const char *what, const char *text);
#define EXPECT(condition, text) decision_expect(d, (condition), #condition, text)

/* Where this event has to lead in this state. */
enum state decision_expected(const struct decision *d);
/* It is one more failed run in a row; to be asked before anything of the next run is noted. */
bool decision_is_counted(const struct decision *d);

/* What the engine would launch now (of its stanza, and of those that write to it). */
uint64_t program_hash_of(int program);

/* Nothing of a run that is over is left, but for what is left alone.  `quick`: only its group was
 * looked at, and its cgroup.  `stays`: it may. */
void check_leftovers(int program, bool quick, bool stays);

/* Of everything, plus one, if its end in this state is that. */
int check_exit_code_of(const struct shadow *shadow, enum state state);

/* Nobody is waiting for it: see checkop.c. */
void check_no_op(int program, const struct program *there);
void check_quiet_ops(void);

/* It is launched for a connection: see checkaccept.c. */
void check_connection(int program);

/* Of the instances of one program: see checkparty.c. */
void check_turn(const struct decision *d);
void check_kept(int program);
bool check_waits_for_mates(int program);
void check_has_extra(int program);
void check_settled_extra(int program);

/* A hook of its present run is running. */
bool check_has_hook(int program, enum task_kind kind);

#endif
