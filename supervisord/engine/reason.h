/* SPDX-License-Identifier: ISC */
/*
 * reason.h: why an instance is in its state, as a code and two numbers in the ledger, and as a
 * sentence for people.  The log line of a transition, `superctl status` and (later) `superctl why`
 * all read the same record.  Pure.
 */
#ifndef ENGINE_REASON_H
#define ENGINE_REASON_H

#include <stddef.h>

#include "lib/ledger.h"

/* `detail` and `step` of struct ledger_state belong to the reason. */
enum reason {
	REASON_NONE,
	REASON_AUTOSTART,
	REASON_STARTED,   /* by an operator; detail: uid */
	REASON_STOPPED,   /* likewise */
	REASON_RESTARTED, /* likewise */
	REASON_ADDED,     /* by an apply */
	REASON_CHANGED,   /* its stanza changed: restart */
	REASON_REMOVED,   /* its stanza is gone */
	REASON_SHUTDOWN,
	REASON_EXIT,   /* the run ended; detail: wait status */
	REASON_LAUNCH, /* the launch failed; step: which, detail: errno */
	REASON_RETRY,  /* launched again after a delay; detail: which attempt */
	REASON_STABLE, /* has lived for stable_after */
	REASON_KILLED, /* stop_timeout: KILL was sent */
	REASON_COUNT,
};

/* Enough for every sentence but a path in it, which is cut visibly ("…"). */
#define REASON_TEXT 256

/* What a sentence may need of the stanza; NULL where unknown. */
struct reason_words {
	const char *program_path; /* argv[0] */
	const char *directory;
	const char *stream_target[3]; /* stdin, stdout, stderr as written in the stanza */
	const char *user;
	const char *waits_for; /* the instance it waits for, NULL: none */
	long long retry_ms;    /* BACKOFF: the delay, -1: none */
	int safe_mode;
};

/* The sentence for a state; "" when there is nothing to say.  Returns `buffer`. */
const char *reason_text(
    const struct ledger_state *state, const struct reason_words *words, char *buffer, size_t size);

/* "exited with status 1", "was killed by signal KILL (core dumped)". Returns `buffer`. */
const char *reason_exit_text(int wstatus, char *buffer, size_t size);

#endif
