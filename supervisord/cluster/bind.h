/* SPDX-License-Identifier: ISC */
/*
 * bind.h: the socket that a worker has asked for.
 *
 * As libuv makes it: SO_REUSEADDR for TCP, any address means [::] for both families where there is
 * IPv6.  The path of a Unix socket nobody listens on any more is taken over; one that answers is in
 * use.
 */
#ifndef CLUSTER_BIND_H
#define CLUSTER_BIND_H

#include <stdbool.h>
#include <sys/socket.h>

#include "supervisord/cluster/request.h"

struct bind_place {
	struct sockaddr_storage address;
	socklen_t length;
	int type; /* SOCK_STREAM, SOCK_DGRAM */
	bool v6_only;
	bool reuse_address;
	bool reuse_port; /* one socket for each worker */
};

/* What the request means; any address as IPv4 if `v4` (there is no IPv6 here).  0 or -errno. */
int bind_resolve(const struct request *request, bool v4, struct bind_place *ret_place);

/* A socket bound there, non-blocking.  Returns it or -errno. */
int bind_open(const struct bind_place *place);

/* Where it is bound: a port that was 0 is known then.  0 or -errno. */
int bind_get_name(int fd, struct bind_place *place);

/* readableAll and writableAll of a path: what its file's mode has besides.  0 or -errno. */
int bind_add_mode(const struct bind_place *place, const struct request *request);

unsigned bind_get_port(const struct bind_place *place);

#endif
