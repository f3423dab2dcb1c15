/* SPDX-License-Identifier: ISC */
/* start.h: make the main process of a program's new run: everything it gets, gathered and released.
 */
#ifndef ENGINE_START_H
#define ENGINE_START_H

struct program;

/*
 * Launch the run that the ledger has just been told of.  A failure without a process is noted in
 * the row's failure and comes as PENDING_FAILED.
 */
void start_run(struct program *program);

#endif
