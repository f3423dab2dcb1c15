/* SPDX-License-Identifier: ISC */
/*
 * address.h: where to listen, as written and as shown: "127.0.0.1:8124", "[::1]:8124",
 * "unix:/run/hello.sock".  Numbers only, no names are looked up.  Pure.
 */
#ifndef HELLO_ADDRESS_H
#define HELLO_ADDRESS_H

#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#define ADDRESS_ALLOWED "IPV4:PORT, [IPV6]:PORT or unix:PATH"
/* Enough for any address_format(). */
#define ADDRESS_TEXT 160

struct address {
	socklen_t length;
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	};
};

/* -EINVAL: not of the form ADDRESS_ALLOWED; -ENAMETOOLONG: the path does not fit a sockaddr_un. */
int address_parse(const char *text, struct address *ret_address);

/* "http://127.0.0.1:8124/", "http://[::1]:8124/", "unix:/run/hello.sock".  Returns `buffer`. */
const char *address_format(const struct address *address, char *buffer, size_t size);

#endif
