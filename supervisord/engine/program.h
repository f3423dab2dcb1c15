/* SPDX-License-Identifier: ISC */
/*
 * program.h: a program instance: the shell around step.h.
 *
 * Events come in (from the operator, the ledger, a timer), the table decides, the new state is
 * committed to the ledger with its reason, and only then are the actions carried out.  So whenever
 * the engine dies, the ledger says either "not yet decided" or "decided, do it": program_adopt() of
 * the next engine finishes what was begun.  This is the only writer of an instance's state.
 */
#ifndef ENGINE_PROGRAM_H
#define ENGINE_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <bsd/sys/queue.h>

#include "lib/ledger.h"
#include "supervisord/engine/streams.h"
#include "supervisord/engine/timers.h"
#include "supervisord/engine/transition.h"

struct engine;
struct op_item;
struct member_watch;

/* Work that is put off to the end of the loop's round, so that no event is handled inside another.
 */
enum program_pending {
	PENDING_CHECK = 0x01,  /* EVENT_CHECK */
	PENDING_PROBE = 0x02,  /* find out whether the run is gone */
	PENDING_FAILED = 0x04, /* the launch failed without a process */
	PENDING_FREE = 0x08,   /* its stanza is gone, and so is its last process */
};

struct program {
	struct engine *engine;
	const struct program_config *config; /* points into the engine's config; never NULL */
	struct program_config
	    *last_config; /* ours: how to stop it, when its stanza is gone; else NULL */
	struct timer timer;
	struct streams streams;
	int row;
	uint8_t pending;
	bool removed;             /* to be freed once it is at rest */
	bool is_back;             /* its stanza came back before it was gone: start it again */
	bool is_target;           /* some stdout = "program:THIS" exists: stdin is that pipe */
	uint32_t dependent_count; /* programs with `after` = this */
	struct program **dependents;
	struct member_watch *watch;         /* a process that outlives its leader, while stopping */
	LIST_HEAD(op_items, op_item) items; /* commands that wait for it */
	TAILQ_ENTRY(program) pending_link;
};

/*
 * A new instance in the ledger.  `start`: why it is wanted up from its first moment, or
 * REASON_NONE.  -ENOSPC: no row.
 */
int program_new(struct engine *engine, const struct program_config *config, enum reason start,
    struct program **ret_program);

/* An instance that the ledger has from a previous engine. */
int program_adopt(struct engine *engine, const struct program_config *config, int row,
    struct program **ret_program);

/* After all are adopted: finish what the previous engine began. */
void program_resume(struct program *program);

void program_free(struct program *program);

/* Its stanza is back before it was gone: drop what was kept of the old one. */
void program_unretire(struct program *program);

const char *program_name(const struct program *program);
const struct ledger_state *program_state(const struct program *program);
static inline enum state program_state_of(const struct program *program)
{
	return (enum state)program_state(program)->state;
}
/* Pid of the live main process, or 0. */
pid_t program_pid(const struct program *program);

/* Note what is wanted (`bounce`: by another run than the present one) without acting on it yet: the
 * command that follows will. */
void program_wish(struct program *program, enum wanted wanted, bool bounce);

/* Wishes.  A restart keeps the instance wanted up. */
void program_start(struct program *program, const struct cause *cause);
void program_stop(struct program *program, const struct cause *cause);
void program_restart(struct program *program, const struct cause *cause);

/* The guardian has posted the end of its run. */
void program_note_exit(struct program *program);

/* Tells whether a run was launched with what is configured now. */
uint64_t program_hash(const struct program *program);

/* Put off some work; see program_work(). */
void program_defer(struct program *program, enum program_pending what);

/* Do what was put off. */
void program_work(struct program *program);

/* Send a signal to the main process.  -ESRCH when there is none. */
int program_signal_leader(const struct program *program, int number);

/* The reason of its state as a sentence.  Returns `buffer`. */
const char *program_reason(const struct program *program, char *buffer, size_t size);

#endif
