/* SPDX-License-Identifier: ISC */
/*
 * selection.h: a set of programs: those that a command names, and those that it touches besides.
 *
 * A name is a program, a group (all its members), a glob over the programs' names, or "all".  The
 * names of a call are resolved as a whole before anything is done to the first program.
 */
#ifndef ENGINE_SELECTION_H
#define ENGINE_SELECTION_H

#include <stdbool.h>
#include <stddef.h>

struct call;
struct engine;
struct program;

struct selection {
	struct program **list;
	size_t count;
	bool *known; /* by row */
};

/* An empty one with room for every program.  0 or -ENOMEM; selection_done() is due in both cases.
 */
int selection_init(struct selection *selection, const struct engine *engine);
void selection_done(struct selection *selection);

/* Once each. */
void selection_add(struct selection *selection, struct program *program);
bool selection_has(const struct selection *selection, const struct program *program);

/*
 * The programs of the parameter `names`, ascending; none given: all of them, unless `needs_name`.
 * The client has the right of the call over each; globs and "all" are made of what it has that
 * right over or may see, without what is run because of events (on_event) where `needs_name` says
 * that something is done to them.  False: the call has been answered, and there is no selection.
 */
bool selection_read(struct call *call, bool needs_name, struct selection *ret_selection);

/*
 * Answer that there is no such program, or, where the client would not have the right of the call
 * over one of this name, NotAllowed.  `groups`: a group might have been meant.
 */
void selection_tell_missing(struct call *call, const char *name, bool groups);

/*
 * The one program that `name` (NULL: not given) means, and over which the client has the right of
 * the call.  NULL: answered; of several instances one has to be named.
 */
struct program *selection_find_one(struct call *call, const char *name);

/* Is there such a program (NULL: no), and may the client do what it calls for?  False: answered. */
bool selection_allows(struct call *call, const struct program *program, const char *name);

#endif
