/* SPDX-License-Identifier: ISC */
/* clusterbind.c: see clusterbind.h. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/listenrule.h"
#include "supervisord/engine/clusterbind.h"

static bool is_permitted(string_list rules, const struct link_bind *wish);
static bool is_whole(const struct link_bind *wish);
static int set_options(int fd, const struct link_bind *wish);

int clusterbind_open(string_list rules, const struct link_bind *wish)
{
	int fd, error;

	if (!is_permitted(rules, wish))
		return -EACCES;
	fd = socket(wish->address.ss_family, wish->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	error = set_options(fd, wish);
	if (error == 0 && bind(fd, (const struct sockaddr *)&wish->address, wish->length) < 0)
		error = -errno;
	if (error == 0)
		return fd;
	close(fd);
	return error;
}

static bool is_permitted(string_list rules, const struct link_bind *wish)
{
	char address[INET6_ADDRSTRLEN] = "";
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&wish->address;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&wish->address;
	bool is_v6 = wish->address.ss_family == AF_INET6;
	const void *ip = is_v6 ? (const void *)&v6->sin6_addr : (const void *)&v4->sin_addr;
	static const unsigned char any[16];
	struct listen_rule rule;
	const char *problem;
	bool is_any;

	if (!is_whole(wish) ||
	    inet_ntop(wish->address.ss_family, ip, address, sizeof(address)) == NULL)
		return false;
	is_any = memcmp(ip, any, is_v6 ? 16 : 4) == 0;
	for (size_t i = 0; rules != NULL && rules[i] != NULL; i++)
		if (listen_rule_parse(rules[i], &rule, &problem) == 0 && !rule.any_port &&
		    listen_rules_permit_port(&rule, 1,
			wish->type == SOCK_STREAM ? LISTEN_TCP : LISTEN_UDP,
			is_any ? NULL : address, ntohs(is_v6 ? v6->sin6_port : v4->sin_port), 0))
			return true;
	return false;
}

static bool is_whole(const struct link_bind *wish)
{
	sa_family_t family = wish->address.ss_family;

	if (wish->type != SOCK_STREAM && wish->type != SOCK_DGRAM)
		return false;
	return (family == AF_INET && wish->length == sizeof(struct sockaddr_in)) ||
	       (family == AF_INET6 && wish->length == sizeof(struct sockaddr_in6));
}

static int set_options(int fd, const struct link_bind *wish)
{
	int on = 1, v6_only = wish->v6_only;

	if (wish->reuse_address && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	if (wish->reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0)
		return -errno;
	if (wish->address.ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only)) < 0)
		return -errno;
	return 0;
}
