/* SPDX-License-Identifier: ISC */
/* result.h: what became of the programs that a command named (type Result), one line each. */
#ifndef CTL_RESULT_H
#define CTL_RESULT_H

#include "ctl/call.h"

/*
 * Print `results`, an array in call->reply, at once: "web: started (pid 1234)" on stdout, failures
 * on stderr.  `needs_running`: a failure of a program that had no process is EXITCODE_NOT_RUNNING.
 * Returns the exit code of all of them.
 */
enum exitcode result_print_all(struct call *call, int results, bool needs_running);

/* "see: superctl why web", for a person at a terminal. */
void result_point_to_why(struct out *out, const char *name);
/* The same, and only those that failed are printed. */
enum exitcode result_print_failed(struct call *call, int results, bool needs_running);

/*
 * Print `waiting`, an array in call->reply (or none), on stderr at once: what the command still
 * waits for: "web: still there: sh (12), KILL in 7 s", "app: WAITING: waits for db"; `before`
 * stands before each.
 */
void result_print_waiting(struct call *call, int waiting, const char *before);

#endif
