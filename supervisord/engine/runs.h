/* SPDX-License-Identifier: ISC */
/* runs.h: the last runs of a program, from the history: the method Runs. */
#ifndef ENGINE_RUNS_H
#define ENGINE_RUNS_H

struct call;

void runs(struct call *call);

#endif
