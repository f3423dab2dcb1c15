/* SPDX-License-Identifier: ISC */
/*
 * complete.h: what may stand at a place of the command line.
 *
 * The arguments that help shows ("SIGNAL NAME...") say it: words in capitals are kinds, words in
 * small letters stand for themselves.  The completion files of bash, zsh and fish are generated
 * from that, and the shell of superctl uses it.
 */
#ifndef CTL_COMPLETE_H
#define CTL_COMPLETE_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/verbs.h"

enum complete_kind {
	COMPLETE_NOTHING,
	COMPLETE_NAMES,   /* NAME: of programs */
	COMPLETE_KEYS,    /* KEY, KEY=VALUE: those of a program */
	COMPLETE_EITHER,  /* NAME|KEY: names if the argument before is show, else all keys */
	COMPLETE_SIGNALS, /* SIGNAL */
	COMPLETE_FILES,   /* FILE, SOCKET */
	COMPLETE_VERBS,   /* COMMAND: of superctl */
	COMPLETE_WORDS,   /* show|keys|defaults */
	COMPLETE_LINE     /* CMD: a command of the system and its arguments */
};

struct complete_slot {
	enum complete_kind kind;
	bool repeats;      /* it is the last, and may come again */
	const char *words; /* COMPLETE_WORDS: with '|' between them */
	size_t length;
};

/* More arguments than a verb has. */
#define COMPLETE_SLOTS 8

/* The slots of what `arguments` of a verb or an option says.  Returns how many. */
size_t complete_read(const char *arguments, struct complete_slot slots[COMPLETE_SLOTS]);

/* The slot of argument `index`, counted from 0; kind NOTHING past the last. */
struct complete_slot complete_slot_at(const char *arguments, size_t index);

/*
 * Call `each` with what may stand after `words` (without superctl's name), where `current` has been
 * typed so far: it says whether options are wanted, the rest is for the caller to compare.  Asks
 * the daemon of `ctl` for names; says nothing when there is none.
 */
void complete_offer(struct ctl *ctl, char *const *words, size_t count, const char *current,
    void (*each)(void *context, const char *word), void *context);

/* NULL-terminated names of signals, as people write them. */
extern const char *const complete_signals[];

#endif
