/* SPDX-License-Identifier: ISC */
/*
 * peer.h: who is at the other end of a connection: for people, and for the program that gets it, as
 * systemd's Accept=yes tells it: REMOTE_ADDR and REMOTE_PORT; of a unix socket, where an address
 * says nothing, REMOTE_UID, REMOTE_GID and REMOTE_PID, and REMOTE_ADDR where it has a name.
 */
#ifndef ENGINE_PEER_H
#define ENGINE_PEER_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

struct peer {
	struct sockaddr_storage address;
	socklen_t length;
	uid_t uid; /* of a unix socket; -1: not known, as the next one */
	gid_t gid;
	pid_t pid; /* 0: not known */
};

/* 0; or -errno: it is not a connection, or not one any more. */
int peer_of(int fd, struct peer *ret_peer);

/* "192.0.2.1:4711", "[2001:db8::1]:4711", "uid 1000, pid 4711".  Returns `buffer`. */
#define PEER_TEXT 72
const char *peer_text(const struct peer *peer, char *buffer, size_t size);

/* Add the variables (at most PEER_ENVIRONMENT, to be freed).  0 or -ENOMEM. */
#define PEER_ENVIRONMENT 4
int peer_add(const struct peer *peer, char **environment, size_t *count);

#endif
