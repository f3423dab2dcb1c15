/* SPDX-License-Identifier: ISC */
/*
 * link.h: the primary's side of lib/clusterlink.h.
 *
 * What the engine is told is noted as due and sent when the link has room: an engine that is dead
 * for a while delays nobody.  Only messages of applications are dropped then, and that is said.
 */
#ifndef CLUSTER_LINK_H
#define CLUSTER_LINK_H

#include "supervisord/cluster/cluster.h"

enum link_due {
	DUE_ONLINE = 1,
	DUE_LISTENING = 2,
	DUE_LEAVING = 4,
	DUE_CLOSED = 8,
	DUE_STUCK = 16,
};

/* All there is to read.  Returns 0, or -EPIPE when the engine has let go of the link. */
int link_read(struct cluster *cluster);

/* Send what is due. */
void link_flush(struct cluster *cluster);

/* Have a socket held.  Before anybody gets to know of it. */
void link_hold(struct cluster *cluster, uint32_t listener, uint32_t slot, int fd);
void link_unhold(struct cluster *cluster, uint32_t listener, uint32_t slot);

/* Ask for a socket.  0 or -errno: the link is full. */
int link_bind(
    struct cluster *cluster, uint32_t listener, uint32_t slot, const struct bind_place *place);

/* A message of the application in a worker. */
void link_pass_message(
    struct cluster *cluster, const struct worker *worker, const char *line, size_t length);

#endif
