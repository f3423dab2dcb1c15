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

/* queryServer.  False: it waits for something. */
bool listeners_query(struct cluster *cluster, struct worker *worker, const struct request *request);

/* A reply with a socket that has waited for the one before.  Also again, after a NACK: false when
 * it is given up, or the channel is full. */
void listeners_pay(struct cluster *cluster, struct worker *worker);
bool listeners_pay_again(
    struct cluster *cluster, struct worker *worker, const struct handle *handle, bool once_more);

void listeners_note_close(struct cluster *cluster, struct worker *worker, const char *key);

/* The one that a `listening` is about; NULL: none of ours. */
const struct listener *listeners_find_bound(
    const struct cluster *cluster, const struct worker *worker, const struct request *request);

/* Whether it listens on all that is expected: what the run before it in its slot had, or else what
 * all others have. */
bool listeners_are_all(const struct cluster *cluster, const struct worker *worker);

/* Log what it lacks of that. */
void listeners_tell_missing(const struct cluster *cluster, const struct worker *worker);

/* A held socket, which is taken; and that these were all. */
void listeners_give(struct cluster *cluster, uint32_t number, uint32_t slot, int fd);
void listeners_resume(struct cluster *cluster);

/* The engine's answer: 0 with a socket, which is taken, or -errno. */
void listeners_note_bound(
    struct cluster *cluster, uint32_t number, uint32_t slot, int error, int fd);

/* But what a worker that has yet to listen may ask for. */
void listeners_close_unused(struct cluster *cluster);

/* No worker has come to that slot: the kernel shall give its own sockets no more connections. */
void listeners_close_slot(struct cluster *cluster, uint32_t slot);

#endif
