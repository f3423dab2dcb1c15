/* SPDX-License-Identifier: ISC */
/*
 * accept.h: accept = true: each connection of a program's sockets is given to a run of its own.
 *
 * The stanza's max_connections are as many instances, the places: one that waits is free, one that
 * runs has its connection, and its end frees it.  So status, stop, logs and history of a connection
 * are those of its instance, and nothing else has to know of connections.
 *
 * A connection is taken when there is a free place for it, and not before, and the run for it is
 * decided, committed and launched before the next one is looked at.  So at most one is in our
 * hands, for microseconds; that is what is lost, and closed with us, when the engine is killed
 * then, and what the ledger has of it (`ready_mark` of the row) lets the next engine say so.
 */
#ifndef ENGINE_ACCEPT_H
#define ENGINE_ACCEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <bsd/sys/queue.h>

#include "supervisord/engine/step.h"

struct engine;
struct program;
struct acceptor; /* what the instances of one program have in common */

struct accepts {
	LIST_HEAD(acceptors, acceptor) list;
	bool stale;                    /* something may have changed: accept_settle() looks */
	const struct program *program; /* that is being given a connection, NULL: none is */
	int fd;                        /* that connection */
};

/* Is it being given one now?  Then it is to begin a run. */
bool accept_has(const struct program *program);

/* The connection, which stays ours; -ECONNABORTED: it has none. */
int accept_get(const struct program *program, int *ret_fd);

/* Who is connected, for the environment (PEER_ENVIRONMENT) and for status.  0 or -errno. */
int accept_tell(struct program *program, char **environment, size_t *count);

/* Who its run is connected with, as text; NULL: it has no run, or takes no connections. */
const char *accept_peer(const struct program *program);

/* After each event of an instance, and after an apply. */
void accept_attend(struct program *program);

/* Before each wait: watch the sockets of those that have a free place. */
void accept_settle(struct engine *engine);

/* The sockets may be closed now: do not watch any. */
void accept_unwatch_all(struct engine *engine);
void accept_done(struct engine *engine);

/* It has just come from there, without a run, as the first place of its program has: told once. */
bool accept_is_quiet(struct program *program, enum state from);

/* A new engine: say what the one before it has lost. */
void accept_resume(struct program *program);

#endif
