/* SPDX-License-Identifier: ISC */
/*
 * programevent.h: one event of a program: look around, decide, commit, act.  For program.c and
 * programnote.c; everybody else speaks to program.h.
 */
#ifndef ENGINE_PROGRAMEVENT_H
#define ENGINE_PROGRAMEVENT_H

#include "supervisord/engine/program.h"

/* REASON_NONE: the reason stays. */
extern const struct cause program_no_cause;

/* Let it happen.  The facts about the world are filled in; what belongs to the event is given. */
void program_happen(struct program *program, struct happening *happening);

/* One without more than a cause. */
void program_event(struct program *program, enum event event, const struct cause *cause);

/* Do (again) what a transition has decided; bits of enum action. */
void program_act(struct program *program, unsigned actions);

/* Where the stop is now: its command, a signal, or KILL. */
void program_stop_by_step(struct program *program);

/* Arm the timer of the state, 0: no deadline. */
void program_set_timer(struct program *program, int64_t deadline_ns);

/* Find out whether nothing is left of what is being stopped; EVENT_GONE follows. */
void program_probe(struct program *program);

/* programnote.c: the deadline of the state is over; the launch left no process. */
void program_note_timer(struct timer *timer);
void program_note_failed_launch(struct program *program);

#endif
