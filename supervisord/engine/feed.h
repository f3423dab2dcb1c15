/* SPDX-License-Identifier: ISC */
/*
 * feed.h: superctl attach: from a client to the standard input of a program with stdin = "pipe".
 *
 * The program may read slowly and the person type for days, so a helper does it: it gets the
 * connection and the pipe, which outlives it and every run of the program.  What the helper has
 * taken from the connection and not written is lost with it; nothing of it is in the engine.
 */
#ifndef ENGINE_FEED_H
#define ENGINE_FEED_H

#include "supervisord/engine/helper.h"

struct call;

/* The first word of the helper's command line. */
#define FEED_OPTION "--feed"

/* What it finds open. */
enum {
	FEED_FD_CLIENT = HELPER_FD,
	FEED_FD_PIPE, /* to write to; shared with others, and blocking */
};

/* The method Attach. */
void feed_call(struct call *call);

/* main() of the helper. */
int feed_main(void);

#endif
