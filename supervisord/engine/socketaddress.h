/* SPDX-License-Identifier: ISC */
/*
 * socketaddress.h: what a socket's listen says: "tcp:HOST:PORT", "unix:PATH" and so on.
 *
 * HOST is a number (IPv6 in brackets) or "localhost", which is 127.0.0.1: names are not looked up,
 * as that may wait.  Pure.
 */
#ifndef ENGINE_SOCKETADDRESS_H
#define ENGINE_SOCKETADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

/* X(name, as it is written before the colon) */
#define SOCKET_KINDS(X)                                                                            \
	X(TCP, "tcp")                                                                              \
	X(UDP, "udp")                                                                              \
	X(UNIX, "unix")                                                                            \
	X(UNIX_DGRAM, "unix-dgram")                                                                \
	X(UNIX_SEQPACKET, "unix-seqpacket")                                                        \
	X(FIFO, "fifo")

#define SOCKET_KIND_ENUM(name, word) SOCKET_##name,
enum socket_kind { SOCKET_KINDS(SOCKET_KIND_ENUM) SOCKET_KIND_COUNT };
#undef SOCKET_KIND_ENUM

struct socket_address {
	enum socket_kind kind;
	bool everywhere;  /* "tcp:PORT": [::], or 0.0.0.0 on a machine without IPv6 */
	bool abstract;    /* "unix:@NAME" */
	const char *path; /* of a unix socket that is not abstract, and of a fifo: into the text */
	socklen_t length;
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	};
};

/*
 * Read `text`, which the result points into.  Returns 0, or -EINVAL with what is wrong in
 * *ret_problem (static text).
 */
int socketaddress_parse(
    const char *text, struct socket_address *ret_address, const char **ret_problem);

/* Clients connect to it. */
bool socketaddress_is_stream(const struct socket_address *address);

/* tcp or udp. */
bool socketaddress_is_internet(const struct socket_address *address);

/* Of tcp and udp. */
uint16_t socketaddress_port(const struct socket_address *address);

/* The same for two texts that mean one socket, and different for two sockets: 48 bits. */
uint64_t socketaddress_hash(const struct socket_address *address);

/* Of tcp and udp: it means every address, and so `other`, too.  `v6_only`: what its stanza says. */
bool socketaddress_covers(
    const struct socket_address *address, bool v6_only, const struct socket_address *other);

#endif
