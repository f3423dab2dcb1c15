/* SPDX-License-Identifier: ISC */
/*
 * onevent.h: programs that are run because something has happened: stanzas on_event.
 *
 * Such a program is a oneshot like any other, with its own user, log and limits; what is special is
 * who starts it.  The history remembers of each how far it has looked through the events: that
 * number is written before the program is started, so an event starts it at most once, whatever is
 * killed.  One run at a time; the next event waits in the ring of the history, and what is
 * overwritten there before its turn is counted and said.  What such programs do starts none of
 * them.
 */
#ifndef ENGINE_ONEVENT_H
#define ENGINE_ONEVENT_H

#include <stdbool.h>
#include <stddef.h>

struct engine;
struct program;

/* Another configuration is in force. */
void onevent_take_config(struct engine *engine);

/* Something has happened: start those that are about it.  Returns whether one was started. */
bool onevent_run(struct engine *engine);

/* Entries that onevent_add() needs at most. */
#define ONEVENT_ENVIRONMENT 9

/* What the program is told of its event.  Gives the strings.  0 or -ENOMEM. */
int onevent_add(const struct program *program, char **environment, size_t *count);

#endif
