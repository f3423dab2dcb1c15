/* SPDX-License-Identifier: ISC */
/* address.c: see address.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "hello/address.h"

static int parse_unix(const char *path, struct address *ret_address);
static int parse_host(const char *text, size_t length, struct address *address);
static int parse_port(const char *text, in_port_t *ret_port);

int address_parse(const char *text, struct address *ret_address)
{
	struct address address = {0};
	const char *colon;
	in_port_t port;
	int r;

	if (!strncmp(text, "unix:", 5))
		return parse_unix(text + 5, ret_address);
	colon = strrchr(text, ':');
	if (!colon)
		return -EINVAL;
	r = parse_host(text, (size_t)(colon - text), &address);
	if (!r)
		r = parse_port(colon + 1, &port);
	if (r)
		return r;
	if (address.any.sa_family == AF_INET)
		address.in.sin_port = htons(port);
	else
		address.in6.sin6_port = htons(port);
	*ret_address = address;
	return 0;
}

const char *address_format(const struct address *address, char *buffer, size_t size)
{
	char host[INET6_ADDRSTRLEN] = "?";
	size_t path_at = offsetof(struct sockaddr_un, sun_path);

	switch (address->any.sa_family) {
	case AF_INET:
		inet_ntop(AF_INET, &address->in.sin_addr, host, sizeof(host));
		(void)snprintf(buffer, size, "http://%s:%u/", host, ntohs(address->in.sin_port));
		break;
	case AF_INET6:
		inet_ntop(AF_INET6, &address->in6.sin6_addr, host, sizeof(host));
		(void)snprintf(
		    buffer, size, "http://[%s]:%u/", host, ntohs(address->in6.sin6_port));
		break;
	case AF_UNIX:
		if (address->length <= path_at)
			(void)snprintf(buffer, size, "unix:(unnamed)");
		else if (address->un.sun_path[0])
			(void)snprintf(buffer, size, "unix:%.*s", (int)(address->length - path_at),
			    address->un.sun_path);
		else /* the abstract namespace, which inherited sockets may use */
			(void)snprintf(buffer, size, "unix:@%.*s",
			    (int)(address->length - path_at - 1), address->un.sun_path + 1);
		break;
	default:
		(void)snprintf(buffer, size, "address family %d", address->any.sa_family);
		break;
	}
	return buffer;
}

static int parse_unix(const char *path, struct address *ret_address)
{
	struct address address = {.un = {.sun_family = AF_UNIX}};
	size_t length = strlen(path);

	if (length == 0)
		return -EINVAL;
	if (length >= sizeof(address.un.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.un.sun_path, path, length);
	address.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
	*ret_address = address;
	return 0;
}

static int parse_host(const char *text, size_t length, struct address *address)
{
	char host[INET6_ADDRSTRLEN];
	int family = AF_INET;

	if (length > 2 && text[0] == '[' && text[length - 1] == ']') {
		family = AF_INET6;
		text++;
		length -= 2;
	}
	if (length == 0 || length >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, length);
	host[length] = '\0';
	if (family == AF_INET6) {
		address->in6.sin6_family = AF_INET6;
		address->length = sizeof(address->in6);
		return inet_pton(AF_INET6, host, &address->in6.sin6_addr) == 1 ? 0 : -EINVAL;
	}
	address->in.sin_family = AF_INET;
	address->length = sizeof(address->in);
	return inet_pton(AF_INET, host, &address->in.sin_addr) == 1 ? 0 : -EINVAL;
}

static int parse_port(const char *text, in_port_t *ret_port)
{
	unsigned long value = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		value = value * 10 + (unsigned long)(*text - '0');
		if (value > UINT16_MAX)
			return -EINVAL;
	}
	*ret_port = (in_port_t)value;
	return 0;
}
