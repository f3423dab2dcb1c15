/* SPDX-License-Identifier: ISC */
/*
 * demand.h: start = "on-demand": a program that waits is watched at its sockets, and one that runs
 * is told to end when nobody has been connected for idle_stop.
 *
 * Nothing of it is remembered: a connection that waits in a socket waits until somebody takes it,
 * so each decision looks for itself (demand_is_there()), and a new engine sees what the one before
 * saw.
 */
#ifndef ENGINE_DEMAND_H
#define ENGINE_DEMAND_H

#include <stdbool.h>

struct engine;
struct program;
struct demand; /* program.c keeps one a program, NULL: none */

/* Somebody waits in one of its sockets. */
bool demand_is_there(struct program *program);

/* After each event: watch what its state needs to be watched. */
void demand_attend(struct program *program);

/* Its descriptors may be closed now, or it is gone. */
void demand_end(struct program *program);
void demand_end_all(struct engine *engine);

#endif
