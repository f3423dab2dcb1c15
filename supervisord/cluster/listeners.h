/* SPDX-License-Identifier: ISC */
/*
 * listeners.h: the listening sockets of a cluster, by what workers ask for.
 *
 * A socket is made at the first query for it, if the stanza allows it, and stays when workers come
 * and go, so that what connects meanwhile waits.  It is closed when the last worker that has it
 * closes it of its own accord, or when no worker has it and none is being replaced.  A port that
 * needs a privilege is the engine's to bind: the query waits for its answer.
 */
#ifndef CLUSTER_LISTENERS_H
#define CLUSTER_LISTENERS_H

#include "supervisord/cluster/cluster.h"

/* By the name of request_make_key(), or NULL. */
struct listener *listeners_find(const struct cluster *cluster, const char *key);

/* One that is not open yet; NULL: there are too many. */
struct listener *listeners_add(
    struct cluster *cluster, const struct request *request, const char *key);

/* The socket that workers in that slot get is there: 0.  -EINPROGRESS: it will be, the engine has
 * been asked.  Or another -errno, for the worker. */
int listeners_need_socket(
    struct cluster *cluster, struct worker *worker, struct listener *listener, uint32_t slot);

/* Where the descriptor for a slot is; NULL when out of memory. */
int *listeners_get_fd(struct listener *listener, uint32_t slot);

/* Accept on it.  Idempotent, but that a larger backlog replaces a smaller one.  0 or -errno. */
int listeners_accept(struct cluster *cluster, struct listener *listener, int backlog);

/* Nobody can connect any more; frees it. */
void listeners_close(struct cluster *cluster, struct listener *listener);

void listeners_note_close(struct cluster *cluster, struct worker *worker, const char *key);

/* A held socket, which is taken; and that these were all. */
void listeners_give(struct cluster *cluster, uint32_t number, uint32_t slot, int fd);
void listeners_resume(struct cluster *cluster);

/* The engine's answer: 0 with a socket, which is taken, or -errno. */
void listeners_note_bound(
    struct cluster *cluster, uint32_t number, uint32_t slot, int error, int fd);

/* There is another engine: it may have died over what it was asked, or given to hold. */
void listeners_tell_again(struct cluster *cluster);

/* But what a worker that has yet to listen may ask for. */
void listeners_close_unused(struct cluster *cluster);

/*
 * reuse-port: the worker of that slot does not listen on it any more.  The kernel goes on choosing
 * its socket, and what it has chosen it for would be reset by closing it; so it is accepted on, for
 * the other workers, until the next one in that slot has it.
 */
void listeners_adopt_slot(struct cluster *cluster, struct listener *listener, uint32_t slot);
void listeners_return_slot(struct cluster *cluster, struct listener *listener, uint32_t slot);

/* The next slot from `from` on whose socket is accepted on; -1: none. */
int listeners_next_orphan(const struct listener *listener, uint32_t from);

#endif
