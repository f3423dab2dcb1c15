/* SPDX-License-Identifier: ISC */
/* socketaddress.c: see socketaddress.h, unix(7). */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "lib/fnv.h"
#include "lib/units.h"
#include "supervisord/engine/checktarget.h"
#include "supervisord/engine/socketaddress.h"

#define HASH_BITS 48

static int parse_internet(
    const char *text, struct socket_address *address, const char **ret_problem);
static int parse_unix(const char *text, struct socket_address *address, const char **ret_problem);
static int parse_fifo(const char *text, struct socket_address *address, const char **ret_problem);

int socketaddress_parse(
    const char *text, struct socket_address *ret_address, const char **ret_problem)
{
#define WORD(name, word) word,
	static const char *const words[] = {SOCKET_KINDS(WORD)};
#undef WORD
	size_t length = strcspn(text, ":");
	struct socket_address address = {.kind = SOCKET_KIND_COUNT};
	int error = -EINVAL;

	for (int i = 0; text[length] == ':' && i < SOCKET_KIND_COUNT; i++)
		if (strlen(words[i]) == length && strncmp(words[i], text, length) == 0)
			address.kind = (enum socket_kind)i;
	*ret_problem = "is not known";
	switch (address.kind) {
	case SOCKET_TCP:
	case SOCKET_UDP:
		error = parse_internet(text + length + 1, &address, ret_problem);
		break;
	case SOCKET_UNIX:
	case SOCKET_UNIX_DGRAM:
	case SOCKET_UNIX_SEQPACKET:
		error = parse_unix(text + length + 1, &address, ret_problem);
		break;
	case SOCKET_FIFO:
		error = parse_fifo(text + length + 1, &address, ret_problem);
		break;
	case SOCKET_KIND_COUNT:
		break;
	}
	if (error == 0)
		*ret_address = address;
	return error;
}

bool socketaddress_is_stream(const struct socket_address *address)
{
	return address->kind == SOCKET_TCP || address->kind == SOCKET_UNIX ||
	       address->kind == SOCKET_UNIX_SEQPACKET;
}

bool socketaddress_is_internet(const struct socket_address *address)
{
	return address->kind == SOCKET_TCP || address->kind == SOCKET_UDP;
}

uint16_t socketaddress_port(const struct socket_address *address)
{
	return ntohs(
	    address->any.sa_family == AF_INET6 ? address->in6.sin6_port : address->in.sin_port);
}

uint64_t socketaddress_hash(const struct socket_address *address)
{
	uint64_t hash = FNV_START;

	hash = fnv_add_bytes(hash, &address->kind, sizeof(address->kind));
	if (address->path != NULL)
		hash = fnv_add_bytes(hash, address->path, strlen(address->path));
	else
		hash = fnv_add_bytes(hash, &address->storage, address->length);
	return (hash ^ hash >> HASH_BITS) & ((1ULL << HASH_BITS) - 1);
}

bool socketaddress_covers(
    const struct socket_address *address, bool v6_only, const struct socket_address *other)
{
	bool is_v6 = address->any.sa_family == AF_INET6;

	if (!socketaddress_is_internet(address) || address->kind != other->kind ||
	    socketaddress_port(address) != socketaddress_port(other))
		return false;
	if (is_v6 ? !IN6_IS_ADDR_UNSPECIFIED(&address->in6.sin6_addr)
		  : address->in.sin_addr.s_addr != htonl(INADDR_ANY))
		return false;
	return (is_v6 && !v6_only) || address->any.sa_family == other->any.sa_family;
}

/* "PORT" or "HOST:PORT". */
static int parse_internet(
    const char *text, struct socket_address *address, const char **ret_problem)
{
	uint64_t port;

	if (units_parse_count(text, 1, UINT16_MAX, &port) == 0) {
		address->everywhere = true;
		address->in6 = (struct sockaddr_in6){
		    .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
		address->length = sizeof(address->in6);
		return 0;
	}
	*ret_problem = "has no address and port that are numbers";
	return checktarget_parse_tcp(text, &address->storage, &address->length);
}

/* "PATH", or "@NAME" in the abstract namespace. */
static int parse_unix(const char *text, struct socket_address *address, const char **ret_problem)
{
	size_t length = strlen(text);

	*ret_problem = "has neither an absolute path nor an @NAME";
	if ((text[0] != '/' && text[0] != '@') || length < 2)
		return -EINVAL;
	*ret_problem = "is too long: a name of at most 107 bytes";
	if (length >= sizeof(address->un.sun_path))
		return -EINVAL;
	address->un.sun_family = AF_UNIX;
	memcpy(address->un.sun_path, text, length + 1);
	address->abstract = text[0] == '@';
	if (address->abstract) {
		address->un.sun_path[0] = '\0';
		address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	} else {
		address->path = text;
		address->length = sizeof(address->un);
	}
	return 0;
}

static int parse_fifo(const char *text, struct socket_address *address, const char **ret_problem)
{
	*ret_problem = "has no absolute path";
	if (text[0] != '/' || text[1] == '\0' || strlen(text) >= PATH_MAX)
		return -EINVAL;
	address->path = text;
	return 0;
}
