/* SPDX-License-Identifier: ISC */
/*
 * checktarget.h: the address in the target of a tcp or http check.
 *
 * The configuration uses it to refuse what could never be looked at, a probe to know where to
 * connect.  HOST is a number (IPv6 in brackets) or "localhost", which is 127.0.0.1: names are not
 * looked up, as that may wait.  Pure.
 */
#ifndef ENGINE_CHECKTARGET_H
#define ENGINE_CHECKTARGET_H

struct sockaddr_storage;

/* "HOST:PORT".  Returns 0 and an address with its length, or -EINVAL: not understood. */
int checktarget_parse_tcp(
    const char *target, struct sockaddr_storage *ret_address, unsigned *ret_length);

/*
 * "http://HOST[:PORT]/PATH", the port being 80 without one.  Likewise; *ret_path is what to ask
 * for: it points into `target`, begins with '/' and has only bytes that may stand in a request.
 */
int checktarget_parse_http(const char *target, struct sockaddr_storage *ret_address,
    unsigned *ret_length, const char **ret_path);

#endif
