/* SPDX-License-Identifier: ISC */
/*
 * finding.h: what can be found out about the end of a run beside its wait status: who has killed
 * it, and how much memory it had.
 *
 * With the memory controller the leaf of the run says both.  Without, KILL that nobody here has
 * sent is said to be that; whether the kernel's OOM killer was at work on this machine since the
 * last look is told by a count in /proc/vmstat, a hint and no proof.
 */
#ifndef ENGINE_FINDING_H
#define ENGINE_FINDING_H

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisord/engine/reason.h"

struct engine;
struct program;

/* An engine begins: from now on the OOM killer's work counts. */
void finding_begin(struct engine *engine);

/* The main process has ended with `wstatus`.  `told`: we were stopping it, so that who has killed
 * it is no question. */
struct exit_finding finding_of(const struct program *program, int wstatus, bool told);

/* superctl signal. */
void finding_note_signal(const struct program *program, uid_t uid, int number);

#endif
