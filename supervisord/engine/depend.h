/* SPDX-License-Identifier: ISC */
/*
 * depend.h: what one instance means for another one.  Pure.
 *
 * A link has a first and a last: the last one comes after the first, and stops before it.  All
 * that a link can say is read off the first's (or the last's) state, so nothing has to be stored
 * and a new engine knows it at once.  Sources: systemd.unit(5) for the separation of requirement
 * and order; ours is that requires and wants imply the order.
 */
#ifndef ENGINE_DEPEND_H
#define ENGINE_DEPEND_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/ledger.h"
#include "supervisord/engine/config.h"

enum depend_kind {
	DEPEND_REQUIRES, /* the last cannot be up without the first */
	DEPEND_WANTS,    /* the first is started too, and waited for */
	DEPEND_AFTER,    /* order only */
};

/* How far the first must be. */
enum depend_condition {
	DEPEND_DEFAULT,   /* ready; of a oneshot: completed */
	DEPEND_STARTED,   /* it has a process, or is past that */
	DEPEND_READY,     /* RUNNING */
	DEPEND_HEALTHY,   /* RUNNING, and its health check (if any) says so */
	DEPEND_COMPLETED, /* ended with success */
};

/* The names, NULL-terminated, for messages: "started", "ready", "healthy", "completed". */
extern const char *const depend_condition_names[];

/* The name of one, NULL of DEPEND_DEFAULT. */
const char *depend_condition_name(enum depend_condition condition);

/*
 * Split "NAME" or "NAME:CONDITION".  Returns 0, or -EINVAL for an unknown condition.
 * *ret_length is that of the name, which is not checked.
 */
int depend_parse(const char *text, size_t *ret_length, enum depend_condition *ret_condition);

/* Whether the first is as far as the condition asks. */
bool depend_holds(enum depend_condition condition, const struct program_config *config,
    const struct ledger_state *first);

/* The first keeps the last from starting: it is not there yet (requires), or it may still come. */
bool depend_blocks_start(enum depend_kind kind, enum depend_condition condition,
    const struct program_config *config, const struct ledger_state *first);

/*
 * The last, which is up, cannot stay up: what it requires has gone, or is about to.  A further
 * instance (web@2 and on) that has never been up since it was added is not missed: whoever is up
 * was launched without it.
 */
bool depend_is_lost(enum depend_kind kind, enum depend_condition condition,
    const struct program_config *config, const struct ledger_state *first);

/* The same, but of one that is not up yet, which misses every instance. */
bool depend_is_missing(enum depend_kind kind, enum depend_condition condition,
    const struct program_config *config, const struct ledger_state *first);

/*
 * The last keeps the first from stopping.  `config` and `first` as above: a smooth first that is
 * only restarted does not wait.
 */
bool depend_blocks_stop(enum depend_kind kind, enum depend_condition condition,
    const struct program_config *config, const struct ledger_state *first,
    const struct ledger_state *last);

/*
 * What a WAITING program can expect of what it requires; worse is more.  A soft dependency (wants,
 * after) on it does not wait in vain.  Each program's follows from its direct links, and from the
 * outlooks at their other ends.
 */
enum depend_outlook {
	DEPEND_MAY_COME, /* somebody is at work on it */
	DEPEND_DELAYED,  /* a run of it has failed, or is not healthy: it may come, or never */
	DEPEND_IN_VAIN,  /* nobody will bring it but an operator */
};

/* Of one link; `of_first`: the first's own outlook, where it is WAITING itself. */
enum depend_outlook depend_outlook(enum depend_kind kind, enum depend_condition condition,
    const struct program_config *config, const struct ledger_state *first,
    enum depend_outlook of_first);

/* The first, whose outlook that is, need not be waited for, as far as a link of this kind goes. */
bool depend_goes_without(
    enum depend_kind kind, const struct ledger_state *first, enum depend_outlook of_first);

/* Starting the last starts the first (it is not there, and nothing else will bring it). */
bool depend_pulls(enum depend_kind kind, enum depend_condition condition,
    const struct program_config *config, const struct ledger_state *first);

#endif
