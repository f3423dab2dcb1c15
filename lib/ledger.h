/* SPDX-License-Identifier: ISC */
/*
 * ledger.h: the shared memory in which a program's existence is written before it exists.
 *
 * A memfd, made and held by the guardian, mapped by guardian and engine, and by the logger to read
 * the numbers of runs.  It outlives the engine: a new engine maps it and knows every program, its
 * run, its state and its deadline.
 *
 * Who writes what (nobody else may):
 *   engine    rows, header.rows_high, header.shutdown*, header.shutdown_timeout_ns
 *   kernel    pids[row], at clone(2) through CLONE_PARENT_SETTID
 *   guardian  exits[row] (the engine empties it when it claims the row), exited[], pids[row] = 0 at
 * reap, the other header fields child     rows[row].failure, between clone and exec
 *
 * An exit is a mailbox, not a queue: a row has at most one live run, so one slot a row can neither
 * overflow nor mix two runs up.  A state change is two copies and a flip: the engine writes the
 * idle copy, then `active`; killed at any instruction it leaves the old or the new state, never
 * half of one.
 *
 * All times are CLOCK_BOOTTIME nanoseconds unless the name says wall.
 */
#ifndef LIB_LEDGER_H
#define LIB_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/limits.h"

#define LEDGER_MAGIC   0x7375706c65646731ULL /* "supledg1" */
#define LEDGER_VERSION 3

/* How a run ended, as waitid(2) told the guardian. */
struct ledger_exit {
	uint64_t run;   /* the run that ended */
	int64_t end_ns; /* when the guardian saw it */
	int64_t user_us;
	int64_t system_us;
	int64_t maxrss_kb;
	int32_t pid;
	int32_t wstatus; /* as wait(2) gives it: WIFEXITED() and friends apply */
};

/* What the engine remembers of an instance; see program.h for the meaning of each field. */
struct ledger_state {
	uint8_t state;          /* enum state (step.h) */
	uint8_t wanted;         /* enum wanted (step.h) */
	uint8_t reason;         /* enum reason (reason.h) */
	uint8_t stop_step;      /* how far the stop has come: see transition_stop_step() */
	uint16_t flags;         /* LEDGER_FLAG_* */
	uint8_t health;         /* enum ledger_health, of the present run */
	uint8_t been_up;        /* 1: it has been RUNNING since it was added */
	int32_t last_wstatus;   /* of the last run that ended; valid with LEDGER_FLAG_HAS_EXIT */
	int32_t detail;         /* belongs to reason: an errno, a wait status, a uid, a count */
	int32_t step;           /* likewise: enum launch_step that failed, a row, a hook */
	int32_t forked_pid;     /* with LEDGER_FLAG_FORKED: of the command */
	uint32_t failures;      /* failed runs in a row: exponent of the back-off */
	uint32_t window_starts; /* automatic restarts in the start_limit window */
	uint64_t run_acted;     /* last run whose exit was acted on */
	uint64_t starts; /* runs launched since the instance exists: the number of the last run */
	uint64_t config_hash; /* of what the last run was launched with */
	uint64_t next_marks;  /* likewise: of the keys that only a launch takes, see config.h */
	int64_t since_ns;     /* entered `state` */
	int64_t since_wall_ns;
	int64_t window_ns;    /* start of the start_limit window, 0 none */
	int64_t deadline_ns;  /* of the state's timer, 0 none */
	int64_t run_start_ns; /* launch of the last run */
	uint64_t event;       /* number of the one that made it so: see engine/history.h */
	int64_t demand_ns;    /* start of the trigger_limit window, 0 none */
	uint32_t demand_starts; /* by connections, in it */
};

#define LEDGER_FLAG_HAS_EXIT 0x0001
#define LEDGER_FLAG_KILLED   0x0002 /* this stop has escalated to KILL */
#define LEDGER_FLAG_BOUNCE   0x0004 /* the run is to end, and another one to follow */
#define LEDGER_FLAG_REST                                                                           \
	0x0008 /* the leader is dead, and the rest of the run were told to stop                    \
		*/
#define LEDGER_FLAG_LOST                                                                           \
	0x0010 /* what it requires has gone: the run is to end, and it waits then */
#define LEDGER_FLAG_FAILED    0x0020 /* the run failed, however its processes end */
#define LEDGER_FLAG_OWED      0x0040 /* at rest, but on_failure or essential are not done yet */
#define LEDGER_FLAG_RELOADING 0x0080 /* said so by sd_notify(3), and not READY since */
#define LEDGER_FLAG_FORKED    0x0100 /* type = forking: the command has ended with success */
#define LEDGER_FLAG_BEGUN     0x0200 /* there is a run, and its post_stop was not run yet */
#define LEDGER_FLAG_EARLY     0x0400 /* type = forking: READY before its main process was known */
#define LEDGER_FLAG_COMMAND   0x0800 /* of this stop: stop_command has had its turn */
#define LEDGER_FLAG_DEMAND    0x1000 /* start = on-demand: a run is asked for, by no connection */
#define LEDGER_FLAG_TURN      0x2000 /* of a rolling update: to be replaced when its turn comes */
#define LEDGER_FLAG_FRESH     0x4000 /* was replaced by one, and has yet to stay up */
#define LEDGER_FLAG_KEPT      0x8000 /* one was given up before its turn came */

enum ledger_health { LEDGER_HEALTH_UNKNOWN, LEDGER_HEALTH_GOOD, LEDGER_HEALTH_BAD };

/* A failed launch: which step, which errno.  Written by the child itself, so it survives us. */
struct ledger_failure {
	_Atomic int32_t step; /* enum launch_step; 0: none failed */
	_Atomic int32_t error;
};

/* A row of a task (engine/task.h) says whose it is. */
struct ledger_owner {
	int32_t row;  /* of the program + 1; 0: this row is a program's */
	int32_t kind; /* enum task_kind */
	uint64_t run; /* of the program, for which it was started */
};

struct ledger_row {
	char name[LIMIT_NAME]; /* "web", "web@3", of a task "#12.pre_start"; empty: the row is free
				*/
	struct ledger_owner owner;
	_Atomic uint64_t ready_mark; /* what ready = "log:" and "file:" saw before the launch */
	_Atomic uint64_t run;        /* of the process in pids[]: written before it is made */
	struct ledger_failure failure;
	int32_t last_pid;        /* leader of the last run: names its group and session */
	_Atomic uint32_t active; /* which of state[] counts */
	struct ledger_state state[2];
};

struct ledger_header {
	uint64_t magic;
	uint32_t version;
	uint32_t rows;         /* LIMIT_ROWS of the guardian that made it */
	int64_t start_wall_ns; /* of the guardian */
	uint64_t nofile_soft;  /* RLIMIT_NOFILE as the guardian found it: the children's */
	uint64_t nofile_hard;
	uint64_t nonce;             /* tells runs of this guardian from another one's */
	int32_t guardian_pid;       /* as the guardian sees itself */
	_Atomic uint32_t rows_high; /* rows at and past this index were never used */
	_Atomic uint32_t engine_starts;
	_Atomic uint32_t logger_starts;
	_Atomic int32_t engine_pid;
	_Atomic int32_t logger_pid;
	_Atomic uint32_t shutdown; /* 1: shutting down; a new engine carries on with that */
	_Atomic int64_t shutdown_timeout_ns; /* the longest the engine may take for it */
	_Atomic uint32_t served; /* 1: an engine has served since the guardian started */
	_Atomic int32_t
	    exit_code; /* of the guardian when all has ended well: an essential program's */
	_Atomic uint32_t reboot; /* 1: the machine is to be started again after the shutdown */
};

struct ledger {
	struct ledger_header header;
	_Atomic int32_t
	    pids[LIMIT_ROWS]; /* live leader of a row, 0 none; dense: scanned at each reap */
	_Atomic uint64_t exited[LIMIT_ROWS / 64]; /* bit a row: exits[row] is news for the engine */
	struct ledger_exit exits[LIMIT_ROWS];
	struct ledger_row table[LIMIT_ROWS];
	char status_text[LIMIT_ROWS]
			[LIMIT_STATUS_TEXT]; /* STATUS= of sd_notify(3); seldom touched */
};

/*
 * Make the ledger (guardian) in a new sealed memfd.  Gives the descriptor (close-on-exec) and the
 * mapping.  Returns 0 or -errno.
 */
int ledger_create(int *ret_fd, struct ledger **ret_ledger);

/*
 * Map the ledger that `fd` holds (engine).  Borrows the descriptor.  -EPROTO: not a ledger, or one
 * of another version.
 */
int ledger_map(int fd, struct ledger **ret_ledger);

/* The same for who only looks (logger): the mapping, and a descriptor that allows nothing more. */
int ledger_map_readonly(int fd, const struct ledger **ret_ledger);
int ledger_open_readonly(int fd, int *ret_fd);

/* The row of this name, or -1. */
int ledger_find_row(const struct ledger *ledger, const char *name);

/*
 * Claim a free row for `name` with its first state; `owner` is NULL for a program.  Returns the
 * row, -ENOSPC when all are taken, -ENAMETOOLONG.  The name is written last: a row with a name is
 * complete.
 */
int ledger_claim_row(struct ledger *ledger, const char *name, const struct ledger_owner *owner,
    const struct ledger_state *state, bool (*is_free)(const void *context, int row),
    const void *context);

/*
 * Give a row another name, of which one is the beginning of the other: whoever is killed in the
 * middle leaves the old one or the new one.
 */
void ledger_rename_row(struct ledger *ledger, int row, const char *name);

/* Free a row.  The caller has made sure that no run of it is live. */
void ledger_free_row(struct ledger *ledger, int row);

/* The state that counts now; valid until the next ledger_commit_state() of this row. */
const struct ledger_state *ledger_get_state(const struct ledger *ledger, int row);

/* Replace a row's state, all or nothing. */
void ledger_commit_state(struct ledger *ledger, int row, const struct ledger_state *state);

/* The row whose live leader is `pid`, or -1. */
int ledger_find_pid(const struct ledger *ledger, pid_t pid);

/*
 * Guardian: record the end of a row's run and take its pid out, before the kernel forgets the pid.
 * Keeps nothing of `end`.
 */
void ledger_post_exit(struct ledger *ledger, int row, const struct ledger_exit *end);

/*
 * Engine: the lowest row >= `from` with unread news, or -1; the news stay unread until
 * ledger_clear_exit().
 */
int ledger_next_exit(const struct ledger *ledger, int from);
/* Whether there are any of this row; of one that never had an end, exits[row] is no memory yet. */
bool ledger_has_exit(const struct ledger *ledger, int row);
void ledger_clear_exit(struct ledger *ledger, int row);

#endif
