/* SPDX-License-Identifier: ISC */
/*
 * giveup.h: what else happens when a program has ended for good: on_failure and essential.
 *
 * LEDGER_FLAG_OWED is set by the transition that put the program at rest and taken away here when
 * all is done, so an engine that is killed in between is followed by one that does it.
 */
#ifndef ENGINE_GIVEUP_H
#define ENGINE_GIVEUP_H

#include <stdbool.h>

struct program;

/* Do what is owed, if anything is. */
void giveup_settle(struct program *program);

/* Those that `on_failure = "start:NAME"` of `program` means.  False: there are none. */
bool giveup_visit(const struct program *program,
    void (*visit)(struct program *other, void *context), void *context);

#endif
