/* SPDX-License-Identifier: ISC */
/*
 * reply.h: what the primary says to a worker, one line each.
 *
 * A worker dies of an empty line, of what is not JSON, of an unknown type of handle and of an ACK
 * that it did not ask for; so all that is ever sent is made here.  Pure: makes bytes.
 */
#ifndef CLUSTER_REPLY_H
#define CLUSTER_REPLY_H

#include <sys/socket.h>

#include "lib/jsonw.h"
#include "supervisord/cluster/request.h"

/* Each forgets what was in `w`, and leaves one line with its newline in it, or jsonw_error(). */

/* Take this connection; goes with its descriptor.  It answers with `seq` as its ack. */
void reply_write_newconn(struct jsonw *w, const char *key, int64_t seq);

struct reply_query {
	int64_t ack; /* seq of the query */
	const char *key;
	int error;        /* 0, or a negative errno: then no handle and no name */
	const char *data; /* JSON or NULL */
	size_t data_length;
	const struct sockaddr *name; /* of a TCP socket whose connections are dealt out, or NULL */
	const char *handle_type;     /* "net.Native", "dgram.Native": goes with a socket; or NULL */
	int64_t seq;                 /* ours */
};

void reply_write_query(struct jsonw *w, const struct reply_query *query);

/* For worker.cjs: nothing new comes, and the word to disconnect in so long. */
void reply_write_gap(struct jsonw *w, int64_t gap_ms);

/* {act:"disconnect"}: close your servers and go. */
void reply_write_disconnect(struct jsonw *w, int64_t seq);

/* To exitedAfterDisconnect. */
void reply_write_ack(struct jsonw *w, int64_t ack, int64_t seq);

#endif
