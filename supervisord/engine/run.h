/* SPDX-License-Identifier: ISC */
/*
 * run.h: the processes of an instance's present run: launch, signal, and the proof that all are
 * gone. The hands of program.c; it decides nothing about states.
 */
#ifndef ENGINE_RUN_H
#define ENGINE_RUN_H

#include <stdbool.h>

#include "supervisord/engine/program.h"

/*
 * Launch the run that the ledger has just been told of.  A failure without a process is noted in
 * the row's failure and comes as PENDING_FAILED.
 */
void run_launch(struct program *program);

/* A signal (and CONT, so that a stopped process can act on it) to the run's group, or, when the
 * leader is dead, to each process that is left. */
void run_signal(struct program *program, int number);

/* KILL to every process of the run. */
void run_kill(struct program *program);

/* A signal to the main process alone.  -ESRCH: there is none. */
int run_signal_leader(const struct program *program, int number);

/* The leader is dead but its group is not. */
bool run_has_group(const struct program *program);

/* The leader is dead, but some process of its run is not: a look at every process if there is any
 * doubt. */
bool run_has_leftovers(struct program *program);

/* The leader's number names its group for as long as the group exists; after that it may be
 * anybody's. */
void run_forget_leader(struct program *program);

/*
 * Whether every process of the run is gone.  If not, a process that is left is watched and
 * PENDING_PROBE comes when it ends; the first time, it gets stop_signal too.
 */
bool run_is_gone(struct program *program);

void run_forget_watch(struct program *program);

/* What was read of /proc for this round of the loop is out of date from now on. */
void run_end_round(struct engine *engine);

#endif
