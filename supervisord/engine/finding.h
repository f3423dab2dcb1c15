/* SPDX-License-Identifier: ISC */
/*
 * finding.h: what can be found out about the end of a run beside its wait status: who has killed
 * it, and how much memory it had.
 *
 * With the memory controller the leaf of the run says both.  Without, KILL that nobody here has
 * sent is said to be that; whether the kernel's OOM killer was at work on this machine since the
 * last look is told by a count in /proc/vmstat, a hint and no proof.  That takes the kernel longer
 * than anything else between a crash and the next launch, so where /proc/pressure says that nobody
 * has waited for memory since, which comes before every killing for want of it, that is all.
 */
#ifndef ENGINE_FINDING_H
#define ENGINE_FINDING_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisord/engine/reason.h"

struct engine;
struct program;

/* What was seen at the last look for it. */
struct finding_look {
	int pressure_fd;     /* /proc/pressure/memory; -1: there is none */
	uint64_t stalled_us; /* that anybody has waited for memory, since boot */
	bool is_known;       /* the latter is */
};

/* An engine begins: from now on the OOM killer's work counts. */
void finding_begin(struct engine *engine);

/* The main process has ended with `wstatus`.  `told`: we were stopping it, so that who has killed
 * it is no question. */
struct exit_finding finding_of(const struct program *program, int wstatus, bool told);

/* superctl signal. */
void finding_note_signal(const struct program *program, uid_t uid, int number);

#endif
