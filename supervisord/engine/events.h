/* SPDX-License-Identifier: ISC */
/*
 * events.h: the history for those who ask: an event as JSON, and the method Events.
 *
 * Who follows has a number, that of the next event to tell, and no queue: the ring of the history
 * is it, and what has been overwritten before it was told is a gap that the reader is told of.
 * Nothing is written to a client that has not read what was written before.
 */
#ifndef ENGINE_EVENTS_H
#define ENGINE_EVENTS_H

#include <stdbool.h>

#include "lib/jsonw.h"
#include "supervisord/engine/history.h"

struct call;
struct control_client;
struct engine;

/* The method Events. */
void events_read(struct call *call);

/* A client that follows: tell it what is new; forget it. */
void events_serve(struct control_client *client);
void events_forget(struct control_client *client);

/* Once a round: there is something new for those who follow. */
bool events_are_new(struct engine *engine);

/* Type Exit of io.superctl.varlink. */
void events_write_exit(struct jsonw *w, int wstatus);

/* Type Event of io.superctl.varlink; `reader` as of program_reason(). */
void events_write(struct jsonw *w, const struct engine *engine, const struct control_client *reader,
    const struct history_event *event);

/* The words of it, without what it is about: "exited with status 1; again in 200 ms". */
const char *events_text(const struct engine *engine, const struct control_client *reader,
    const struct history_event *event, char *buffer, size_t size);

#endif
