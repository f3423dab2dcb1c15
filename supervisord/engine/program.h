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
#include "supervisord/engine/depend.h"
#include "supervisord/engine/run.h"
#include "supervisord/engine/streams.h"
#include "supervisord/engine/task.h"
#include "supervisord/engine/timers.h"
#include "supervisord/engine/transition.h"

struct engine;
struct control_client;
struct op_item;
struct readiness;
struct health;
struct notify;
struct demand;
struct ipc;
struct cluster;
struct tty;

/* Work that is put off to the end of the loop's round, so that no event is handled inside another.
 */
enum program_pending {
	PENDING_CHECK = 0x01,  /* EVENT_CHECK */
	PENDING_PROBE = 0x02,  /* find out whether the run is gone */
	PENDING_FAILED = 0x04, /* the launch failed without a process */
	PENDING_FREE = 0x08,   /* its stanza is gone, and so is its last process */
	PENDING_OWED = 0x10,   /* on_failure, essential */
	PENDING_ROLL = 0x40,   /* a rolling update may go on */
	PENDING_LOST = 0x20,   /* tell of the tasks that there was no memory for */
	PENDING_UNSEEN = 0x80, /* nobody would see that it is ready: it fails */
};

/* One side of a link; the other instance has the other side. */
struct program_link {
	struct program *other;
	uint8_t kind;      /* enum depend_kind */
	uint8_t condition; /* enum depend_condition */
};

struct program_links {
	uint32_t count;
	struct program_link *list;
};

struct program {
	struct run run; /* first */
	struct engine *engine;
	const struct program_config *config; /* points into the engine's config; never NULL */
	struct program_config
	    *last_config; /* ours: how to stop it, when its stanza is gone; else NULL */
	struct timer timer;
	struct streams streams;
	uint8_t pending;
	bool is_target;              /* some stdout = "program:THIS" exists: stdin is that pipe */
	uint16_t lost_tasks;         /* bit a kind: see task_start() */
	uint8_t outlook;             /* enum depend_outlook, as its links said last */
	bool removed;                /* to be freed once it has stopped */
	bool idle;                   /* it stops without having had a run: see accept_is_quiet() */
	bool unnoted;                /* what the operator said last could not be written down: */
	bool unnoted_up;
	bool files_differ; /* the files say something else of it than what is applied, drift.h */
	struct task_end *reload_end; /* of the last reload_command, or (TASK_READY) of a reload that
				      * it did not end; NULL: none */
	struct program_links firsts; /* those it comes after */
	struct program_links lasts;  /* those that come after it */
	struct program_links conflicts; /* those it cannot run beside */
	struct readiness *readiness; /* NULL where there is nothing to look at, as the next two */
	struct health *health;
	struct notify *notify;
	struct demand *demand;
	struct ipc *ipc;
	struct cluster *cluster;
	struct tty *tty;
	LIST_HEAD(program_tasks, task) tasks;
	LIST_HEAD(op_items, op_item) items; /* commands that wait for it */
	TAILQ_ENTRY(program) pending_link;
};

/*
 * A new instance in the ledger.  `start`: why it is wanted up from its first moment, or of
 * REASON_NONE.  -ENOSPC: no row.
 */
int program_new(struct engine *engine, const struct program_config *config,
    const struct cause *start, struct program **ret_program);

/* An instance that the ledger has from a previous engine. */
int program_adopt(struct engine *engine, const struct program_config *config, int row,
    struct program **ret_program);

/* After all are adopted: finish what the previous engine began. */
void program_resume(struct program *program);

void program_free(struct program *program);

/* Its stanza is gone: keep of it what it takes to stop the program and to write down what it still
 * says. */
void program_retire(struct program *program);

/* Its stanza is back before it was gone: drop what was kept of the old one. */
void program_unretire(struct program *program);

/* Its stanza in the next configuration; what it waits for now is over when that one says.  An
 * engine that is killed before the ledger has that is followed by one that waits as long as the
 * old one said. */
void program_take_stanza(struct program *program, const struct program_config *stanza);

const char *program_name(const struct program *program);
const struct ledger_state *program_state(const struct program *program);
static inline enum state program_state_of(const struct program *program)
{
	return (enum state)program_state(program)->state;
}
/* Its stanza is gone and it has stopped (not only ended: something may be left of it then). */
static inline bool program_is_over(const struct program *program)
{
	return program->removed && program_state_of(program) == STATE_STOPPED;
}
/* Of an on_event: events start it. */
static inline bool program_is_on_event(const struct program *program)
{
	return program->config->life->key_match != NULL;
}
/* Pid of the live main process, or 0. */
pid_t program_pid(const struct program *program);

/* Note what is wanted (`bounce`: by another run than the present one) without acting on it yet: the
 * command that follows will. */
void program_wish(struct program *program, enum wanted wanted, bool bounce);

/* engine->intent_timer: what the operator said is not lost because a disk was full for a while. */
void program_note_intents(struct timer *timer);

/* Wishes.  A restart keeps the instance wanted up. */
void program_start(struct program *program, const struct cause *cause);
void program_stop(struct program *program, const struct cause *cause);
void program_restart(struct program *program, const struct cause *cause);

/* The guardian has posted the end of its run. */
void program_note_exit(struct program *program);

/*
 * What readiness.h, health.h, notify.h and task.h find out.  All may be called from any watcher;
 * what does not fit the present state is ignored.
 */
/* It is ready, says a check of this kind. */
void program_note_ready(struct program *program, enum check_kind kind);
/* Its run is not acceptable any more: stop it, as a failed one. */
void program_fail(struct program *program, enum reason reason, int32_t detail);
void program_note_health(struct program *program, enum ledger_health health);
/* Nobody was connected for idle_stop. */
void program_note_idle(struct program *program);
/* A task has ended, and nothing is left of it. */
void program_note_task(struct program *program, const struct task_end *end);
/* RELOADING=1; ended by program_note_ready().  Returns whether it is news. */
bool program_note_reloading(struct program *program);
/* It has not been, in time. */
void program_note_reload_late(struct program *program);
/* EXTEND_TIMEOUT_USEC=: the deadline of STARTING or of a stop is not before that; never past twice
 * the stanza's limit or an hour, whichever is more. */
void program_extend(struct program *program, int64_t until_ns);
/* STATUS= of the last run, or who it is connected with (accept); else there can be none, "". */
void program_set_status_text(struct program *program, const char *text);
const char *program_status_text(const struct program *program);
/* Another process of the run is the main one from now on (MAINPID=, pid_file); as run_set_main().
 */
int program_set_main(struct program *program, pid_t pid, uid_t voucher);

/* Its stanza may have changed: what looks after it takes the new values. */
void program_attend(struct program *program);

/* superctl reload.  0: signalled, or the command runs (program_note_task() follows); -ESRCH: it is
 * not RUNNING; -ENOTSUP: its stanza says nothing about it; -EALREADY: a reload is under way. */
int program_reload(struct program *program);
/* The reload that was asked for last is not over yet. */
bool program_is_reloading(const struct program *program);
/* How the last reload_command ended; NULL when there was none since the last program_reload(). */
const struct task_end *program_reload_end(const struct program *program);

/* Tells whether a run was launched with what is configured now. */
uint64_t program_hash(const struct program *program);

/* Put off some work; see program_work(). */
void program_defer(struct program *program, enum program_pending what);

/* Do what was put off. */
void program_work(struct program *program);

/* Send a signal to the main process.  -ESRCH when there is none. */
int program_signal_main(const struct program *program, int number);

/* The reason of its state as a sentence, for who may read no name of a program that it may not see
 * (programwords.h; NULL: all of them).  Returns `buffer`. */
const char *program_reason(
    const struct program *program, const struct control_client *reader, char *buffer, size_t size);

#endif
