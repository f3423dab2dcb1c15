/* SPDX-License-Identifier: ISC */
/*
 * helper.h: processes that the engine starts for one call of a client, because what they do may
 * wait: for a file system, for a person.
 *
 * A helper is this executable with another first word (main.c); it gets descriptors, the client's
 * connection among them, and answers there.  It is the guardian's child, as programs are, so a new
 * engine neither knows nor disturbs it.  How many there are is known by a pipe whose one end each
 * of them has, and nobody else.
 */
#ifndef ENGINE_HELPER_H
#define ENGINE_HELPER_H

#include <ev.h>
#include <stddef.h>

#include "lib/limits.h"

/* The first descriptor of helper_start() in the helper, and the most of them. */
#define HELPER_FD  3
#define HELPER_FDS 4

/* Those of one kind that are at work; a member of the engine's.  Set on_end after helpers_init().
 */
struct helpers {
	size_t most;               /* at most LIMIT_HELPERS */
	void (*on_end)(struct helpers *helpers); /* one has ended; NULL: nobody wants to know */
	ev_io ends[LIMIT_HELPERS]; /* the other ends; fd -1: none */
};

void helpers_init(struct helpers *helpers, size_t most);
void helpers_done(struct helpers *helpers, struct ev_loop *loop);

/*
 * Start one: `argv` (NULL-terminated, argv[0] is for the show) and `count` descriptors, which
 * become HELPER_FD and on; all borrowed.  Standard input is /dev/null, the other two are the
 * daemon's stderr.  0 or -errno; -EUSERS: there are enough.
 */
int helper_start(
    struct helpers *helpers, struct ev_loop *loop, char **argv, const int *fds, size_t count);

#endif
