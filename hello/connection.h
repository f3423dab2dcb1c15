/* SPDX-License-Identifier: ISC */
/*
 * connection.h: the work on one connection: read what is there, take requests off it, answer them
 * all with one write.  Called by server.c when epoll or a deadline says so.
 *
 * Nothing that was read is ever kept: `out` of the pool has room for the answers to everything one
 * read can bring.  Only answers that the peer does not take are kept, and until it takes them
 * nothing is read, so a peer that sends but never reads costs at most one buffer.
 *
 * Each function may drop the connection: the pointer is not to be used afterwards.
 */
#ifndef HELLO_CONNECTION_H
#define HELLO_CONNECTION_H

#include "hello/pool.h"

/* For epoll's events of this connection. */
void connection_handle(struct pool *pool, struct connection *connection, uint32_t events);

/* Its deadline has passed: 408 in the middle of a request, else it is just closed. */
void connection_expire(struct pool *pool, struct connection *connection);

/* There is to be one more request at most: serves one that is there already, else waits for it as
 * long as an idle connection may. */
void connection_drain(struct pool *pool, struct connection *connection);

#endif
