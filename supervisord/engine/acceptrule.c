/* SPDX-License-Identifier: ISC */
/* acceptrule.c: see acceptrule.h. */
#include <string.h>

#include "supervisord/engine/acceptrule.h"

/* Before what is no network of IPv6: its first bits are those of addresses for many (multicast),
 * which nobody connects from. */
#define IS_IPV4  0xffff000000000000ULL
#define IS_USER  0xfffe000000000000ULL
#define IS_SMALL 0xfffd000000000000ULL

static uint64_t number_of(const unsigned char *bytes, size_t count);

uint64_t acceptrule_source(const struct sockaddr_storage *peer, uint32_t uid)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	uint64_t network;

	if (peer->ss_family == AF_INET) {
		memcpy(&in, peer, sizeof(in));
		return IS_IPV4 | ntohl(in.sin_addr.s_addr);
	}
	if (peer->ss_family != AF_INET6)
		return IS_USER | uid;
	memcpy(&in6, peer, sizeof(in6));
	if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
		return IS_IPV4 | number_of(in6.sin6_addr.s6_addr + 12, 4);
	network = number_of(in6.sin6_addr.s6_addr, 8);
	return network < ACCEPTRULE_SOURCES ? IS_SMALL | network : network;
}

int64_t acceptrule_rests_until(
    const struct acceptrule *rule, const struct acceptrule_window *window, int64_t now_ns)
{
	if (rule->limit == 0 || window->begin_ns == 0 || window->count < rule->limit ||
	    now_ns - window->begin_ns >= rule->interval_ns)
		return 0;
	return window->begin_ns + rule->interval_ns;
}

void acceptrule_note(
    const struct acceptrule *rule, struct acceptrule_window *window, int64_t now_ns)
{
	if (window->begin_ns == 0 || now_ns - window->begin_ns >= rule->interval_ns)
		*window = (struct acceptrule_window){.begin_ns = now_ns};
	window->count++;
}

bool acceptrule_refuses(const struct acceptrule *rule, uint32_t present)
{
	return rule->per_source > 0 && present >= rule->per_source;
}

/* The most significant first. */
static uint64_t number_of(const unsigned char *bytes, size_t count)
{
	uint64_t number = 0;

	for (size_t i = 0; i < count; i++)
		number = number << 8 | bytes[i];
	return number;
}
