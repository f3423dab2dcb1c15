/* SPDX-License-Identifier: ISC */
/*
 * acceptrule.h: accept = true: may another connection be taken now, and may this one?  Pure.
 *
 * Who waits for a place or for the rate waits in the kernel, in the backlog of the socket, which is
 * bounded and loses nobody; only of one who has as many as are allowed to a source the next one is
 * closed, as it cannot be seen before it is taken.
 */
#ifndef ENGINE_ACCEPTRULE_H
#define ENGINE_ACCEPTRULE_H

#include <stdbool.h>
#include <stdint.h>
#include <netinet/in.h>

/* Of the stanza. */
struct acceptrule {
	uint32_t per_source; /* max_connections_per_source, 0: no limit */
	uint32_t limit;      /* trigger_limit, 0: none */
	int64_t interval_ns; /* its window */
};

/* Of trigger_limit: what was taken since it began. */
struct acceptrule_window {
	int64_t begin_ns; /* 0: it has not begun */
	uint32_t count;
};

/*
 * Who is at the other end, as far as it is counted: the address of IPv4 (also within IPv6), the
 * first 64 bits of IPv6 (whoever has one such address has them all), or the user of a unix socket
 * (`uid`).  Never below ACCEPTRULE_SOURCES.
 */
#define ACCEPTRULE_SOURCES 2
uint64_t acceptrule_source(const struct sockaddr_storage *peer, uint32_t uid);

/* When the next one may be taken as far as trigger_limit is concerned; 0: now. */
int64_t acceptrule_rests_until(
    const struct acceptrule *rule, const struct acceptrule_window *window, int64_t now_ns);

/* One was taken. */
void acceptrule_note(
    const struct acceptrule *rule, struct acceptrule_window *window, int64_t now_ns);

/* One of a source that has `present` others. */
bool acceptrule_refuses(const struct acceptrule *rule, uint32_t present);

#endif
