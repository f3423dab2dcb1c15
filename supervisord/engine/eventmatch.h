/* SPDX-License-Identifier: ISC */
/*
 * eventmatch.h: which events an on_event is about: the terms of its key match.  Pure.
 *
 *   state:STATE      an instance has entered this state
 *   exit:HOW         a run has ended: failure, success, or by a signal
 *   kind:KIND        as in superctl events --json
 *   program:GLOB     it is about an instance of such a name
 *
 * Of terms of one sort one must hold, and each sort that is there.
 */
#ifndef ENGINE_EVENTMATCH_H
#define ENGINE_EVENTMATCH_H

#include <stdbool.h>

/* An event, as far as terms ask. */
struct event_view {
	const char *name;  /* of the instance; NULL: it is about none */
	const char *state; /* that it has entered, as people know it; NULL: none */
	const char *kind;
	bool ended; /* a run has */
	bool failed;
	bool by_signal;
};

/* What is wrong with a term, as the part of a sentence; NULL: nothing. */
const char *eventmatch_problem(const char *term);

/* Borrows a NULL-terminated list of good terms. */
bool eventmatch_holds(char *const *terms, const struct event_view *view);

#endif
