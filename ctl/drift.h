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

/* After a restart, of the results of it: it took what is applied, not what the files say. */
void drift_print_restarted(struct call *call, int results);

#endif
