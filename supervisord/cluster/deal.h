/* SPDX-License-Identifier: ISC */
/*
 * deal.h: connections to workers, in turn.
 *
 * One is accepted when a worker has room for it, so that what is too much waits in the kernel and
 * outlives this process.  It is closed here when the worker has said that it has it; one that a
 * worker refuses, or dies without a word about, goes to another.  A worker has at most one offer of
 * each listener, and one socket on its way.
 */
#ifndef CLUSTER_DEAL_H
#define CLUSTER_DEAL_H

#include "supervisord/cluster/cluster.h"

/* Whatever can be dealt out now, of the listeners in cluster->deal_due. */
void deal_out(struct cluster *cluster);

/* NODE_HANDLE_ACK, _NACK, and the answer to an offer. */
void deal_note_ack(struct cluster *cluster, struct worker *worker);
void deal_note_nack(struct cluster *cluster, struct worker *worker);
void deal_note_answer(struct cluster *cluster, struct worker *worker, int64_t ack, bool accepted);

/* The worker is gone: its offers are for others. */
void deal_take_back(struct cluster *cluster, struct worker *worker);

void deal_look_at_time(struct cluster *cluster, struct listener *listener, int64_t now_ns);

/* The number of the worker whose turn it is from `next` on, of those whose bit is set; -1: none.
 * Pure. */
int deal_pick(const uint64_t has_room[2], uint32_t next);

#endif
