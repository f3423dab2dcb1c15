/* SPDX-License-Identifier: ISC */
/*
 * waiter.h: somebody who waits for the end of a program, on a connection of its own, while
 * something else is done: its descriptor is polled.
 *
 * The call changes nothing, so it is made again when the connection is lost.
 */
#ifndef CTL_WAITER_H
#define CTL_WAITER_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl/call.h"
#include "lib/varlink.h"

/* How it ended, or how it is. */
struct waiter_end {
	bool ended;           /* at rest */
	bool failed_to_start; /* no process of it has ended */
	int code;             /* of a shell: its status, or 128 and the signal */
	int64_t unlogged;     /* bytes that its log does not have yet */
	char reason[512];     /* in words */
};

struct waiter {
	const char *name;
	struct call call;
	struct varlink_input in;
	int fd; /* -1: not connected */
	int64_t give_up_ns;
};

/* Borrows both. */
void waiter_init(struct waiter *waiter, struct ctl *ctl, const char *name);
void waiter_done(struct waiter *waiter);

/*
 * One step without waiting.  1: *ret_end says how it ended; 0: not yet: poll the fd, or where that
 * is -1 come again in WAITER_PAUSE_MS; -1: it is not known any more, and the user was told.
 */
#define WAITER_PAUSE_MS 20
int waiter_look(struct waiter *waiter, struct waiter_end *ret_end);

#endif
