/* SPDX-License-Identifier: ISC */
/*
 * plan.h: what follows when what exists is to agree with a configuration: steps in order, each with
 * its reason.  Pure.
 *
 * A step is decided by what the ledger says and by the new stanza; the old stanza only serves to
 * name the keys that changed.  So an engine that is killed in the middle of an apply needs to know
 * nothing of it: the plan that the next one makes, without old stanzas, is the rest.  A plan made
 * after everything was done is empty.
 *
 * Some steps follow from others (who requires what is restarted, what a start pulls up): they are
 * in the plan because people want to know beforehand, and nobody has to do them.
 */
#ifndef ENGINE_PLAN_H
#define ENGINE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ledger.h"
#include "supervisord/engine/config.h"
#include "supervisord/engine/reason.h"

/* X(name, as people read it); the plan has them in this order, stops from the last to the first of
 * the dependencies, all that comes up from the first to the last. */
#define PLAN_ACTIONS(X)                                                                            \
	X(STOP, "stop")                                                                            \
	X(FREE, "remove")     /* its row, after the stop if there is one to be done */             \
	X(LIVE, "live")       /* the new values are taken; the run, if any, goes on */             \
	X(ADD, "add")         /* a row, not to be started */                                       \
	X(RESTART, "restart") /* its run is replaced */                                            \
	X(START, "start")     /* with a row where it has none */

#define PLAN_ENUM_ACTION(name, text) PLAN_##name,
enum plan_action { PLAN_ACTIONS(PLAN_ENUM_ACTION) PLAN_NONE };

enum plan_cause {
	PLAN_NEW,       /* the stanza is new */
	PLAN_BACK,      /* it was gone, and is back before its program was */
	PLAN_GONE,      /* the stanza is gone */
	PLAN_CHANGED,   /* keys of it differ */
	PLAN_NEEDED,    /* `other`, which starts, requires or wants it */
	PLAN_REQUIRES,  /* it requires `other`, which ends or is restarted */
	PLAN_CONFLICTS, /* with `other`, which starts */
};

/* What is known of one program, of the old configuration, the new one, or the ledger. */
struct plan_input {
	const char *name;
	const struct program_config *old_config; /* what it goes by; NULL: none, or not known */
	const struct program_config *new_config; /* NULL: its stanza is gone */
	const struct ledger_state *state;        /* NULL: it has no row */
	bool retired;              /* it goes by what was kept of a stanza: it is being removed */
	uint32_t instances_before; /* that its program had, 0: none; and is to have */
	uint32_t instances_now;
	bool resumed; /* found by a new engine: who was kept by a rolling update stays so */
	bool start;   /* a program that has no row, or is back, is to be started */
	enum reason start_reason; /* for who makes the row; not looked at here */
};

struct plan_step {
	size_t program; /* index of the input */
	size_t other;   /* likewise; of NEEDED, REQUIRES and CONFLICTS */
	enum plan_action action;
	enum plan_cause cause;
	bool follows; /* from the step of another program: not to be done by itself */
};

struct plan {
	const struct plan_input *inputs; /* borrowed */
	size_t input_count;
	struct plan_step *steps;
	size_t count;
};

/*
 * `inputs`: by name, ascending, each once; borrows them for the life of the plan.  Gives a plan
 * (plan_done()); 0 or -ENOMEM.
 */
int plan_make(const struct plan_input *inputs, size_t count, struct plan *ret_plan);
void plan_done(struct plan *plan);

const char *plan_action_name(enum plan_action action);

/* "command changed", "requires web", "its stanza is gone": looks at the stanzas again.  What does
 * not fit ends in "...".  Returns `buffer`. */
const char *plan_step_reason(
    const struct plan *plan, const struct plan_step *step, char *buffer, size_t size);

/* What differs outside the programs: settings that take effect before the next start of the
 * daemon, and groups; likewise, "" when there is nothing. */
const char *plan_settings_reason(
    const struct config *old, const struct config *new, char *buffer, size_t size);

/* In the hash of a stanza, and so of a run: it has got a connection (accept = true). */
#define PLAN_HASH_ACCEPTED 1ULL
static inline uint64_t plan_mark_hash(uint64_t hash, bool accepts)
{
	return (hash & ~PLAN_HASH_ACCEPTED) | (accepts ? PLAN_HASH_ACCEPTED : 0);
}

/*
 * Tells whether a run was launched with what its stanza says now.  `is_target`: some stdout =
 * "program:THIS" exists, which makes its stdin that pipe: that is said by other stanzas, so it is
 * not in its own hash.
 */
static inline uint64_t plan_run_hash(const struct program_config *config, bool is_target)
{
	return is_target ? config->hash ^ ~PLAN_HASH_ACCEPTED : config->hash;
}

/* Its instances are restarted in turn, see rollout.h. */
static inline bool plan_is_rolled(const struct program_config *config)
{
	return config->life->key_update == UPDATE_START_FIRST ||
	       (config->life->key_update == UPDATE_ROLLING && config->instances > 1);
}

/* The present run is not what `hash` says; other states than these launch what the stanza says
 * then, or nothing. */
bool plan_is_outdated(const struct ledger_state *state, uint64_t hash);

#endif
