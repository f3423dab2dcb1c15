/* SPDX-License-Identifier: ISC */
/*
 * workers.h: the channels of the workers, and what is said on them.
 *
 * A line of a worker is dealt with whole or not at all: where the answer cannot be sent now, or the
 * engine has to be asked, the line stays first in the inbox and is dealt with again later.  So
 * there is no queue of answers; and a line of ours is sent whole or not at all (lib/ipcsend.h), so
 * there is no half of one either.
 */
#ifndef CLUSTER_WORKERS_H
#define CLUSTER_WORKERS_H

#include "supervisord/cluster/cluster.h"

/* A run's channel, which is taken: one that was known goes on where it was. */
void workers_begin(struct cluster *cluster, uint32_t slot, uint64_t id, int fd);

/* Its process has ended: what it had not answered for is another's. */
void workers_end(struct cluster *cluster, struct worker *worker);

/* Stop: no more connections; it is told how long that will be (worker.cjs listens), and then, after
 * `gap_ns`, to disconnect. */
void workers_disconnect(struct cluster *cluster, struct worker *worker, int64_t gap_ns);

/* A JSON value for its application; dropped, which is said, when its channel is full. */
void workers_send_message(
    struct cluster *cluster, struct worker *worker, const char *value, size_t length);

/* Tell the engine again what it is. */
void workers_tell(struct worker *worker);

void workers_note_event(
    struct cluster *cluster, struct worker *worker, bool writable, bool readable);

/* Read and deal with what is there, up to LIMIT_IPC_BUDGET. */
void workers_read(struct cluster *cluster, struct worker *worker);

void workers_look_at_time(struct cluster *cluster, struct worker *worker, int64_t now_ns);

/* Deal with the line that has waited. */
void workers_unblock(struct worker *worker);

/* The line in cluster->line, and maybe a socket with it.  0, -EAGAIN (it is noted that the channel
 * is full), or another -errno for a channel that is at its end. */
int workers_send(struct cluster *cluster, struct worker *worker, int fd);

/* Whether it may be offered a connection of that listener. */
bool workers_has_room(const struct worker *worker, uint32_t listener);

#endif
