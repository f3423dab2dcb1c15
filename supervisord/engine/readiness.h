/* SPDX-License-Identifier: ISC */
/*
 * readiness.h: from STARTING to ready: whatever the stanza's `ready` (and type = forking) says.
 *
 * Works while the program is STARTING; the time limit is the state's own deadline (start_timeout).
 * Everything here can be made anew by a new engine from the ledger, the held descriptors and the
 * stanza.  Answers by program_note_ready() and, for what can never get ready, program_fail().
 */
#ifndef ENGINE_READINESS_H
#define ENGINE_READINESS_H

#include <stdint.h>

#include "supervisord/engine/launch.h"

struct program;
struct task_end;
struct readiness; /* program.c keeps one a program, NULL for the plain case */

/*
 * Before a launch: note what is there already (ready_mark of log: and file:), make the pipe of
 * fd:N, hold its read end, and add its write end to `extra` (room for one more).  `*ret_close` is a
 * descriptor for the caller to close after the launch, or -1.  Returns 0 or -errno.
 */
int readiness_prepare(
    struct program *program, struct launch_fd *extra, size_t *extra_count, int *ret_close);

/* The program is STARTING (just launched, or found so by a new engine): begin to look.  Idempotent.
 */
void readiness_begin(struct program *program);

/* It is not STARTING any more, or gone: stop looking. */
void readiness_end(struct program *program);

/* type = forking: the command has ended with success: find the main process (pid_file, or the only
 * one that is left), then go on. */
void readiness_find_main(struct program *program);

/* A TASK_READY has ended. */
void readiness_note_task(struct program *program, const struct task_end *end);

/* A held HELD_READY_READ of a previous engine. */
void readiness_adopt(struct program *program, int slot);

#endif
