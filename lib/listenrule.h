/* SPDX-License-Identifier: ISC */
/*
 * listenrule.h: what the workers of a cluster may listen to, the words of `cluster_listen`.
 *
 *   tcp:8124   tcp:8000-8099   tcp:*   tcp:0   tcp:127.0.0.1:8124   tcp:[::1]:*   udp:… likewise
 *   unix:/run/web.sock   unix:*   unix:/run/web/ and then *
 *
 * Without an address: on any.  `*` of ports means those that need no privilege, and 0, a free one;
 * a port that needs one must be named.  `*` of paths stands at the end, for one name in that
 * directory, or alone.  Pure.
 */
#ifndef LIB_LISTENRULE_H
#define LIB_LISTENRULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum listen_kind { LISTEN_TCP, LISTEN_UDP, LISTEN_UNIX };

struct listen_rule {
	enum listen_kind kind;
	bool any_port;
	uint16_t first_port, last_port;
	bool any_name;        /* unix: the last part of the path */
	unsigned char ip[16]; /* v4 as ::ffff:… */
	bool has_ip;
	char path[108]; /* unix; up to the last slash if any_name; "": every path */
};

/* 0; or -EINVAL, *ret_problem then says what is wrong and what is allowed. */
int listen_rule_parse(const char *text, struct listen_rule *ret_rule, const char **ret_problem);

/* Ports below that need a privilege; /proc/sys/net/ipv4/ip_unprivileged_port_start. */
#define LISTEN_PRIVILEGED 1024

/* `address`: numeric, NULL: any.  `privileged`: ports below need one. */
bool listen_rules_permit_port(const struct listen_rule *rules, size_t count, enum listen_kind kind,
    const char *address, unsigned port, unsigned privileged);
bool listen_rules_permit_path(const struct listen_rule *rules, size_t count, const char *path);

#endif
