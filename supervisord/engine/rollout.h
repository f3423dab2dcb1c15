/* SPDX-License-Identifier: ISC */
/*
 * rollout.h: whose turn it is when the instances of a program are replaced one after the other.
 *
 * Nothing is remembered of a rolling update but a flag in each row (lib/ledger.h: TURN, FRESH,
 * KEPT): whenever an instance has changed, all are looked at, and what may be done next follows.
 * So an engine that was killed in the middle is followed by one that goes on.  Pure.
 *
 * rolling       instances are restarted in place, while no more than max_unavailable are away.
 * start-first   extra instances, at most max_surge, are started with the new configuration before;
 *               what they serve may be away of the others, which are restarted in place; then the
 *               extra ones go.  So the numbers are 1 to N all the time.
 *
 * An instance counts as available when it is ready and, if it was replaced, has stayed so for
 * `soak`.  The first replaced one that fails ends the update, and so does any other that is missing
 * for good when that leaves nobody who may be away: who has not had its turn is left alone.  An
 * extra instance is kept as long as fewer than N would be available without it.
 */
#ifndef ENGINE_ROLLOUT_H
#define ENGINE_ROLLOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ledger.h"

struct rollout_limits {
	bool start_first;
	uint32_t max_unavailable;
	uint32_t max_surge;
	int64_t soak_ns;
};

/* One instance, as far as this is concerned. */
struct rollout_row {
	bool surge;    /* an extra one */
	bool outdated; /* of an extra one: it runs what is not wanted any more */
	bool up;       /* wanted up */
	bool turn;     /* to be replaced */
	bool fresh;    /* was replaced, and has to stay up */
	bool ready;
	bool down;   /* no run of it and none on its way, an unhealthy one, or one that is to be
		      * replaced before it was ready */
	bool dead;   /* likewise, and nothing will start it by itself */
	bool failed; /* its last run was not good */
	int64_t since_ns;
};

enum rollout_act {
	ROLLOUT_NOTHING,
	ROLLOUT_REPLACE, /* its turn has come */
	ROLLOUT_SETTLE,  /* no flag any more: it has stayed up, or is not wanted up */
	ROLLOUT_KEEP,    /* the update is over without it */
	ROLLOUT_REMOVE,  /* an extra one that is not needed */
};

struct rollout {
	bool given_up;
	size_t culprit;     /* with given_up: who has failed */
	uint32_t surge;     /* so many more extra ones are to be started */
	int64_t look_again; /* CLOCK_BOOTTIME; 0: nothing to wait for */
};

/* What the ledger says of an instance; extra ones come behind the others. */
struct rollout_row rollout_row_of(const struct ledger_state *state, bool surge, uint64_t hash);

/* `rows` by number; writes an act for each. */
void rollout_decide(const struct rollout_row *rows, size_t count,
    const struct rollout_limits *limits, int64_t now_ns, enum rollout_act *ret_acts,
    struct rollout *ret_rollout);

#endif
