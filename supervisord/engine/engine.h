/* SPDX-License-Identifier: ISC */
/*
 * engine.h: what exists in the engine, and its life: adopt, serve, apply, shut down.
 *
 * The engine decides and the guardian keeps: everything here can be lost at any instruction, and is
 * found again in the ledger, the held descriptors and the applied configuration.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <ev.h>
#include <stdbool.h>
#include <sys/resource.h>

#include "lib/ledger.h"
#include "supervisord/engine/accept.h"
#include "supervisord/engine/config.h"
#include "supervisord/engine/cgroup.h"
#include "supervisord/engine/control.h"
#include "supervisord/engine/drift.h"
#include "supervisord/engine/filelook.h"
#include "supervisord/engine/finding.h"
#include "supervisord/engine/helper.h"
#include "supervisord/engine/history.h"
#include "supervisord/engine/idcache.h"
#include "supervisord/engine/links.h"
#include "supervisord/engine/members.h"
#include "supervisord/engine/program.h"
#include "supervisord/engine/slots.h"
#include "supervisord/engine/sockets.h"
#include "supervisord/engine/timers.h"
#include "supervisord/engine/transient.h"
#include "supervisord/engine/trial.h"

struct engine {
	struct ev_loop *loop;
	struct ledger *ledger;
	struct history_memory *history;
	uint64_t history_told; /* those who follow it were told of what is before this number */
	struct slots slots;
	struct timers timers;
	struct control control;
	struct helpers doctors;
	struct helpers feeds;
	const char *config_path;
	const char *log_format; /* of the command line, or NULL */
	struct config *config;
	struct drift drift;
	struct finding_look finding_look;
	struct trial trial;
	struct transient transient;
	struct idcache ids;
	struct sockets sockets;
	struct accepts accepts;
	struct program **programs; /* by name, ascending */
	size_t program_count;
	size_t program_size;
	struct run *by_row[LIMIT_ROWS]; /* a program's or a task's */
	TAILQ_HEAD(pending_programs, program) pending;
	TAILQ_HEAD(pending_tasks, task) pending_tasks;
	struct cgroups cgroups;
	struct filelooks filelooks;
	size_t task_count;
	struct timer shutdown_timer;
	struct timer intent_timer;  /* of boot = last-state, where state_dir could not be written */
	struct timer rolling_timer; /* the next end of a soak */
	struct timer tell_timer;    /* of a shutdown that takes time: who is waited for */
	int exit_cursor;            /* row to look for exits from */
	bool safe_mode;
	bool has_conflicts; /* some programs cannot run beside others */
	bool has_on_event; /* some program is run because of events */
	bool config_lost; /* safe mode, and not even the applied configuration can be read */
	bool shutdown;
	bool shutdown_forced; /* shutdown_timeout is over: no order any more, KILL */
	bool done;
	struct members members; /* the machine's processes, read at most once a round */
	bool members_read;
	bool linger_known;
	bool may_linger;
	int empty_leaf; /* 1 + the row whose leaf was seen empty last in this round; or 0 */
	ev_io guardian_io;
	ev_io bell_io;
	ev_io logger_io;
	int64_t asked_second; /* … in which so many last words were asked for */
	unsigned asked;
	ev_io timer_io;
	ev_prepare prepare;
	ev_idle busy; /* active while work is put off: do not sleep */
};

struct engine_options {
	const char *config_path;
	bool safe_mode;
	const char *log_format; /* --log-format, in place of inherit_format; NULL: not given */
};

/* Run until shutdown.  Returns the exit code. */
int engine_run(const struct engine_options *options);

/* How programs that inherit our output are written; raw: they write themselves. */
enum logspec_format engine_inherit_format(const struct engine *engine);

/* The program of this name, or NULL. */
struct program *engine_find(const struct engine *engine, const char *name);

/* Add to and take out of the table. */
int engine_add(struct engine *engine, struct program *program);
void engine_remove(struct engine *engine, struct program *program);

/* After names in the ledger have changed. */
void engine_sort(struct engine *engine);

/* What a name in the configuration or in a command means: "web@2" that instance ("web@1" also where
 * it is the only one), "web" all of the program; one after the other.  *index is 0 before the first
 * call.  NULL: no more. */
struct program *engine_next_named(const struct engine *engine, const char *name, size_t *index);

/* The child limits as the guardian found them. */
struct rlimit engine_child_nofile(const struct engine *engine);

/* An instance has entered a state: whoever waits for that hears of it. */
void engine_program_changed(struct engine *engine, struct program *program);

/* The program of a ledger row, or NULL (none, or a task's). */
struct program *engine_program_of_row(const struct engine *engine, int row);

/* Ask the guardian to begin the shutdown, as a TERM would. */
void engine_request_shutdown(struct engine *engine);

/* Tell the guardian that the engine serves (and whether in safe mode). */
void engine_tell_ready(struct engine *engine);

#endif
