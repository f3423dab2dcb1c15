/* SPDX-License-Identifier: ISC */
/*
 * programwords.h: what a sentence about the reason of a state (reason.h) needs to know beside the
 * state: of the stanza, of the run that ended, of the apply that changed something, and what other
 * programs are called.
 *
 * The name of a program is told to nobody who may not see that program: `reader` is who will read
 * the sentence, NULL somebody who may see all (our own log).
 */
#ifndef ENGINE_PROGRAMWORDS_H
#define ENGINE_PROGRAMWORDS_H

#include "supervisord/engine/program.h"

/* What is said in place of a name. */
#define PROGRAMWORDS_HIDDEN "a program that you may not see"

/* What the words point to. */
struct programwords {
	struct reason_words words;
	struct reason_change change;
	struct exit_finding finding;
};

/* Of whom a sentence is. */
struct programwords_subject {
	const struct engine *engine;
	const struct program *program; /* NULL: its stanza is not known */
	int row;
	uint64_t number; /* of the event that it is about: names are those of then */
	uint64_t run;    /* the last one that had ended then */
};

/* `words` then borrows of the engine and of *ret_words. */
void programwords_fill(const struct programwords_subject *subject, const struct ledger_state *state,
    const struct control_client *reader, struct programwords *ret_words);

/* The name of a program, or PROGRAMWORDS_HIDDEN. */
const char *programwords_name(const struct program *program, const struct control_client *reader);

#endif
