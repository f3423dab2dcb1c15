/* SPDX-License-Identifier: ISC */
/* event.h: one event as a person reads it (type Event of io.superctl.varlink). */
#ifndef CTL_EVENT_H
#define CTL_EVENT_H

#include "lib/jsonr.h"
#include "ctl/out.h"

/* Its words: "STARTING -> RUNNING: ready (notify)"; users by their names. */
void event_print_words(struct out *out, struct jsonr *json, int event);

/* A sentence in which "uid 1000" becomes "uid 1000 (alice)". */
void event_print_text(struct out *out, const char *text);

#endif
