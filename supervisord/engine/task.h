/* SPDX-License-Identifier: ISC */
/*
 * task.h: a command that is run for a program: a hook, a check, what on_failure says.
 *
 * A task has a ledger row of its own, so its process is in the ledger before it runs, the guardian
 * collects its status, and a new engine finds it: task_adopt() gives it back to its owner.  It has
 * a deadline, it is a run like a program's (run.h), and nothing of it outlives it: whatever it
 * leaves behind gets KILL, and only then its owner hears of the end.  Nothing restarts a task.
 *
 * Its output goes where the program's stderr goes (a log), or to the daemon's own stderr.
 */
#ifndef ENGINE_TASK_H
#define ENGINE_TASK_H

#include <stdbool.h>
#include <stdint.h>
#include <bsd/sys/queue.h>

#include "supervisord/engine/run.h"
#include "supervisord/engine/taskkind.h"
#include "supervisord/engine/timers.h"

struct program;

struct task {
	struct run run;        /* first; its row is -1 when there was none for it */
	struct program *owner; /* NULL: its owner has gone, it is only waited for */
	enum task_kind kind;
	uint64_t owner_run;
	struct timer timer;
	bool cancelled; /* its owner does not want to hear of it any more */
	bool timed_out;
	bool ended;   /* the main process has, or there was none */
	bool swept;   /* what it has left has got KILL, since that */
	bool pending; /* to be looked at at the end of the round */
	int step;     /* enum launch_step and errno: why there was no process */
	int error;
	int wstatus;
	LIST_ENTRY(task) owner_link;
	TAILQ_ENTRY(task) pending_link;
};

/* How a task ended. */
struct task_end {
	enum task_kind kind;
	uint64_t run; /* of the owner, for which it was started */
	bool ok;      /* exit status 0 */
	bool timed_out;
	bool launched; /* false: step and error say why not */
	int wstatus;
	int step;
	int error;
};

/*
 * Start a task of `owner` for its present run.  `environment` (NULL-terminated, may be NULL) is
 * added to the program's own.  timeout_ns 0: no deadline.  Always ends in program_note_task(), also
 * when nothing could be launched, but never before this returns; unless it is cancelled.
 *
 * One of this kind that lives already and is not cancelled is left alone when it is of the same
 * run, or on_failure's; else it is cancelled.
 */
void task_start(struct program *owner, enum task_kind kind, char *const *words,
    char *const *environment, int64_t timeout_ns);

/* PENDING_LOST: the ends of those that there was no memory for (as not launched, ENOMEM). */
void task_tell_lost(struct program *owner);

/* The live task of a kind that is not cancelled, or NULL. */
struct task *task_find(const struct program *owner, enum task_kind kind);

/* KILL to all of it; its owner does not hear of it.  When it is gone, PENDING_PROBE comes. */
void task_cancel(struct task *task);

/* Cancel those of these kinds (bit a kind), and tell whether any of them is still there. */
bool task_cancel_kinds(struct program *owner, unsigned kinds);

/* KILL to all of it; its owner hears of the end (as timed out). */
void task_kill(struct task *task);

/*
 * A row that a previous engine left; `owner` NULL: its program is not there any more.  Goes on, or
 * is cancelled where it does not fit its owner's state.  What was never launched is forgotten:
 * whoever decided it, decides it again (program_resume()).  0 or -ENOMEM.
 */
int task_adopt(struct engine *engine, int row, struct program *owner);

/* The guardian has posted the end of a task's main process. */
void task_note_exit(struct task *task);

/* The owner is freed: its tasks are cancelled and belong to nobody. */
void task_abandon_all(struct program *owner);

/* Do what was put off, at most `most` tasks; true: there is more. */
bool task_work(struct engine *engine, unsigned most);

/* The engine ends: forget every task; ledger and processes stay as they are. */
void task_forget_all(struct engine *engine);

#endif
