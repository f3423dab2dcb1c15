/* SPDX-License-Identifier: ISC */
/*
 * history.h: what has happened: events by number, and how the last runs of each instance went.
 *
 * A memfd that the guardian holds and the engine alone maps, so that it outlives the engine.  Of
 * fixed size, and what was never used of it takes no memory: a ring of events, LIMIT_RUNS runs a
 * row (so that one that crashes without end pushes out no run of another), and of each row how its
 * present run began.
 *
 * Exactly once.  An event that tells of a transition is prepared first, in the place after the last
 * one that counts, under the next number; the transition is committed with that number in it
 * (ledger_state.event); then the event is published, which is one store.  An engine that is killed
 * between any two of these is followed by one that finds the prepared event, and in the ledger
 * whether what it tells has come true: history_recover().  A run that ended stands in the place of
 * an older one and counts when its event does.
 *
 * An event names its instance by the row.  Rows are used again: the number from which on a row is
 * its present owner's stands in `born`, and what former owners were called in `formers`.
 *
 * It decides nothing, and nobody decides by it.
 */
#ifndef ENGINE_HISTORY_H
#define ENGINE_HISTORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ledger.h"
#include "lib/limits.h"
#include "supervisord/engine/transition.h"

#define HISTORY_MAGIC   0x7375706869737431ULL /* "suphist1" */
#define HISTORY_VERSION 5

/* X(name, as people and programs read it) */
#define HISTORY_KINDS(X)                                                                           \
	X(STATE, "state")       /* an instance has entered a state, or begun a new run in it */    \
	X(EXIT, "exit")         /* a main process has ended, and the state stays */                \
	X(REASON, "reason")     /* neither, but there is another reason for the state */           \
	X(HEALTH, "health")     /* detail: enum ledger_health */                                   \
	X(COMMAND, "command")   /* of an operator; step: enum history_command, detail: signal */   \
	X(CONFIG, "config")     /* its stanza changed, and its run goes on; detail: changes.h */   \
	X(REMOVED, "removed")   /* an instance is gone with its stanza */                          \
	X(APPLIED, "applied")   /* a configuration is in force; detail: programs in it */          \
	X(DAEMON, "daemon")     /* supervisord has started */                                      \
	X(ENGINE, "engine")     /* its engine was started again; detail: how often now */          \
	X(SAFE, "safe-mode")    /* detail: 1 it has begun, 0 it is over */                         \
	X(LOGGER, "logger")     /* the logger was started again; detail: how often now */          \
	X(LOG, "log")           /* of its log; step: enum log_news, from: stream, detail: errno,   \
				 * lines or bytes */                                               \
	X(SHUTDOWN, "shutdown") /* it has begun to shut down */

#define HISTORY_ENUM(name, word) HISTORY_##name,
enum history_kind { HISTORY_KINDS(HISTORY_ENUM) HISTORY_KIND_COUNT };

enum history_command { HISTORY_RELOAD, HISTORY_SIGNAL };

#define HISTORY_NO_ROW UINT16_MAX
#define HISTORY_NO_UID UINT32_MAX

struct history_event {
	_Atomic uint64_t number; /* of who stands in this place of the ring; 0: nobody yet */
	int64_t wall_ns;
	int64_t boot_ns;
	uint32_t run; /* of the instance, at that time */
	uint16_t row; /* or HISTORY_NO_ROW */
	uint8_t kind; /* enum history_kind */
	uint8_t from; /* enum state: before and after */
	uint8_t state;
	uint8_t reason; /* enum reason, with detail and step as in struct ledger_state */
	uint8_t wanted;
	uint8_t ended; /* a run ended with it: `wstatus` is how */
	uint8_t failed;
	int32_t detail;
	int32_t step;
	int32_t wstatus;
	uint32_t starts;   /* of the start_limit window */
	uint32_t delay_ms; /* how long the state lasts by its timer, UINT32_MAX: it has none */
	uint32_t uid;      /* who asked, or HISTORY_NO_UID */
};

/* A run that is over. */
struct history_run {
	uint64_t run;
	uint64_t event; /* of its end; 0: there is none here */
	uint64_t config_hash;
	int64_t start_wall_ns;
	int64_t end_wall_ns;
	int64_t length_ns;
	int64_t user_us; /* of the main process and what it has waited for */
	int64_t system_us;
	int64_t maxrss_kb;
	int64_t peak_kb;  /* of all its processes; 0: not known */
	int64_t limit_kb; /* that they had together; 0: none, or not known */
	uint32_t killer;  /* EXIT_BY_OPERATOR: uid */
	int32_t wstatus;
	int32_t start_detail; /* as in struct ledger_state */
	int32_t start_step;
	int32_t end_detail;
	int32_t end_step;
	uint8_t start_reason;
	uint8_t end_reason;
	uint8_t launched; /* it had a process */
	uint8_t failed;
	uint8_t evidence; /* enum exit_evidence */
	uint64_t words; /* which ones of words[] are its last; 0: none are known */
};

/* What a run wrote last, NUL-terminated. */
struct history_words {
	uint64_t number; /* of who stands in this place */
	char text[LIMIT_LAST_WORDS_BYTES + 1];
};

/* How a run began. */
struct history_start {
	uint64_t run;
	uint64_t config_hash;
	int64_t asked_ns; /* it waited for what comes first from then on */
	int64_t begin_ns;
	int64_t begin_wall_ns;
	int64_t up_ns;  /* when it was RUNNING, or EXITED if it was never; 0: not yet */
	int32_t detail; /* as in struct ledger_state */
	int32_t step;
	uint8_t reason;
};

/* Of an on_event (onevent.h). */
struct history_asked {
	uint64_t looked; /* the last event that it was asked about; 0: none yet */
	uint64_t event;  /* that of its run */
	uint64_t missed; /* how many were overwritten before */
};

/* What an operator has sent to a main process last. */
struct history_signal {
	uint64_t run;
	uint32_t uid;
	int32_t number;
};

/* What an apply has changed of an instance; written before the apply is committed, and true when
 * the instance is launched with this hash.  See changes.h. */
struct history_change {
	uint64_t number; /* of who stands in this place; 0: nobody */
	uint64_t event;  /* those from this number on came after it */
	uint64_t hash;   /* config->hash of the new stanza */
	uint64_t from;   /* likewise of the old one; the same: the run goes on */
	int64_t wall_ns;
	uint32_t uid; /* who asked, or HISTORY_NO_UID */
	uint16_t row; /* HISTORY_NO_ROW: the apply itself */
	uint8_t by;   /* enum applied_by */
	char keys[LIMIT_CHANGED_KEYS];
};

struct history_former {
	uint64_t from, to; /* its events; to 0: nobody stands here */
	int32_t row;
	char name[LIMIT_NAME];
};

struct history_memory {
	uint64_t magic;
	uint32_t version;
	uint32_t size;
	_Atomic uint64_t next;   /* the number of the next event; those before it count */
	uint64_t begin;          /* the number of the first one */
	_Atomic uint64_t former; /* how many names were put into formers[] */
	uint32_t shutdown_told;
	struct history_former formers[LIMIT_FORMER_NAMES];
	/* Of the instance that has a row; apart, as what is not used is to take no memory. */
	uint64_t born[LIMIT_ROWS]; /* events of the row before this number are a former owner's */
	/* The present run and the one before, by their lowest bit: one commit may end one and begin
	 * the other, and be repeated by the next engine. */
	struct history_start starts[2][LIMIT_ROWS];
	struct history_asked asked[LIMIT_ROWS];
	struct history_signal signals[LIMIT_ROWS];
	struct history_event events[LIMIT_EVENTS];
	struct history_run runs[LIMIT_ROWS][LIMIT_RUNS];
	uint64_t words_count;
	struct history_words words[LIMIT_LAST_WORDS];
	uint64_t change_count;
	struct history_change changes[LIMIT_CHANGES];
	/* What the machine's count of processes that were killed for want of memory was at the last
	 * look, and when that was; 0: never. */
	uint64_t oom_kills;
	int64_t oom_looked_ns;
};

/* A new memfd with nothing in it; its numbers begin at `first` (from 1 on).  Gives descriptor
 * (close-on-exec) and mapping.  0 or -errno. */
int history_create(uint64_t first, int *ret_fd, struct history_memory **ret_history);

/* Map what `fd` holds; borrows it.  -EPROTO: it is of another version, and *ret_next is the number
 * to go on with (1 if that cannot be said). */
int history_map(int fd, struct history_memory **ret_history, uint64_t *ret_next);

/* A new engine: what the one before it has prepared counts, or not. */
void history_recover(struct history_memory *history, const struct ledger *ledger);

/* The number that the next event will have. */
static inline uint64_t history_next(const struct history_memory *history)
{
	return atomic_load_explicit(&history->next, memory_order_acquire);
}

/* What is going to be committed, with transition->state.event: call it before.  Does nothing if
 * there is nothing to tell of it. */
void history_prepare(struct history_memory *history, const struct ledger *ledger, int row,
    const struct transition *transition, const struct happening *happening);

/* It is committed: history_prepare()d before with this number; nothing if it was 0. */
void history_publish(struct history_memory *history, uint64_t number);

/* Something that is no transition, and has happened: time and number are filled in. */
void history_note(struct history_memory *history, const struct history_event *event);

/* An instance leaves its row: before, and when the row is free. */
void history_prepare_removal(struct history_memory *history, const struct ledger *ledger, int row);
void history_publish_removal(struct history_memory *history, int row);

/* The oldest event that is still there; history_next() if there is none. */
uint64_t history_first(const struct history_memory *history);

/* The event of this number; NULL if it was never, or is not there any more. */
const struct history_event *history_find(const struct history_memory *history, uint64_t number);

/* Who had `row` when the event of this number came; NULL: that is not known any more. */
const char *history_name(
    const struct history_memory *history, const struct ledger *ledger, int row, uint64_t number);

/* Whether events of one of this name, which is gone, may be there. */
bool history_has_former(const struct history_memory *history, const char *name);

/* The run of this number of the instance that has `row`; NULL: it has not ended, or that was long
 * ago. */
const struct history_run *history_find_run(
    const struct history_memory *history, int row, uint64_t run);

/* The last words of a run: those that came for it are kept, until there are too many of others.
 * NULL: there are none. */
void history_put_words(
    struct history_memory *history, int row, uint64_t run, const char *text, size_t length);
const char *history_words(const struct history_memory *history, const struct history_run *run);

/* How the present or the last run of the instance began; NULL: that is not known. */
const struct history_start *history_find_start(
    const struct history_memory *history, int row, uint64_t run);

/* As in the X-list. */
const char *history_kind_name(enum history_kind kind);

#endif
