/* SPDX-License-Identifier: ISC */
/*
 * drift.h: what is to be said when files, applied configuration and runs do not agree.  On stderr,
 * a line each, and nothing when they do.
 */
#ifndef CTL_DRIFT_H
#define CTL_DRIFT_H

#include "ctl/call.h"
#include "ctl/program.h"

/* Under a status of `programs`; `parameters` of the reply of Status. */
void drift_print(struct call *call, int parameters, const struct program *programs, size_t count);

/* Names as they come: "web, db and 3 more". */
struct drift_names {
	struct out text; /* .fd = -1 */
	size_t count;
};

/* Of the results of a restart, those of whom the files say something else: it took what is applied.
 * And say so, when all are known; the names are emptied. */
void drift_note_restarted(struct call *call, int results, struct drift_names *names);
void drift_print_applied(struct ctl *ctl, struct drift_names *names);

/* The same of the programs that the command names, which are asked about. */
void drift_look(struct ctl *ctl);

#endif
