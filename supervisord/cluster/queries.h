/* SPDX-License-Identifier: ISC */
/*
 * queries.h: what workers ask to listen on, and what they are answered.
 *
 * The socket is that of listeners.h, if the stanza allows it; where connections are dealt out the
 * answer is a name, else it goes with the socket.  One socket is on its way to a worker at a time:
 * further answers are owed, and paid when it has that one.
 */
#ifndef CLUSTER_QUERIES_H
#define CLUSTER_QUERIES_H

#include "supervisord/cluster/cluster.h"

/* queryServer.  False: it waits for something. */
bool queries_answer(struct cluster *cluster, struct worker *worker, const struct request *request);

/* A reply with a socket that has waited for the one before.  Also again, after a NACK: false when
 * it is given up, or the channel is full. */
void queries_pay(struct cluster *cluster, struct worker *worker);
bool queries_pay_again(
    struct cluster *cluster, struct worker *worker, const struct handle *handle, bool once_more);

#endif
