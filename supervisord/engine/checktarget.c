/* SPDX-License-Identifier: ISC */
/* checktarget.c: see checktarget.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/units.h"
#include "supervisord/engine/checktarget.h"

#define HTTP      "http://"
#define HTTP_PORT 80
/* Bytes of HOST with its NUL, and of PORT. */
#define HOST_SIZE INET6_ADDRSTRLEN
#define PORT_SIZE 6

struct split {
	const char *host;
	size_t host_length;
	const char *port; /* NULL: none */
	size_t port_length;
	bool brackets;
};

static int split_address(const char *text, size_t length, struct split *ret_split);
static int read_port(const struct split *split, uint16_t *ret_port);
static int make_address(const struct split *split, uint16_t port,
    struct sockaddr_storage *ret_address, unsigned *ret_length);

int checktarget_parse_tcp(
    const char *target, struct sockaddr_storage *ret_address, unsigned *ret_length)
{
	struct split split;
	uint16_t port = 0;
	int error;

	error = split_address(target, strlen(target), &split);
	if (error == 0)
		error = split.port == NULL ? -EINVAL : read_port(&split, &port);
	return error < 0 ? error : make_address(&split, port, ret_address, ret_length);
}

int checktarget_parse_http(const char *target, struct sockaddr_storage *ret_address,
    unsigned *ret_length, const char **ret_path)
{
	const char *host = target + strlen(HTTP), *path;
	struct split split;
	uint16_t port = HTTP_PORT;
	int error;

	if (strncmp(target, HTTP, strlen(HTTP)) != 0)
		return -EINVAL;
	path = strchr(host, '/');
	if (path == NULL)
		return -EINVAL;
	/* A blank would end the request line's path, a control byte the line. */
	for (const char *at = path; *at != '\0'; at++)
		if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 0x7f || *at == '#')
			return -EINVAL;
	error = split_address(host, (size_t)(path - host), &split);
	if (error == 0 && split.port != NULL)
		error = read_port(&split, &port);
	if (error == 0)
		error = make_address(&split, port, ret_address, ret_length);
	if (error == 0)
		*ret_path = path;
	return error;
}

/* "HOST", "HOST:PORT", "[V6]", "[V6]:PORT". */
static int split_address(const char *text, size_t length, struct split *ret_split)
{
	struct split split = {.host = text, .brackets = length > 0 && text[0] == '['};
	const char *end;

	if (split.brackets) {
		split.host++;
		end = memchr(text, ']', length);
		if (end == NULL)
			return -EINVAL;
		split.host_length = (size_t)(end - split.host);
		end++;
	} else {
		end = memchr(text, ':', length);
		if (end == NULL)
			end = text + length;
		split.host_length = (size_t)(end - text);
	}
	if (end < text + length) {
		if (*end != ':')
			return -EINVAL;
		split.port = end + 1;
		split.port_length = (size_t)(text + length - split.port);
	}
	*ret_split = split;
	return 0;
}

static int read_port(const struct split *split, uint16_t *ret_port)
{
	char text[PORT_SIZE];
	uint64_t port;

	if (split->port_length >= sizeof(text))
		return -EINVAL;
	memcpy(text, split->port, split->port_length);
	text[split->port_length] = '\0';
	if (units_parse_count(text, 1, UINT16_MAX, &port) < 0)
		return -EINVAL;
	*ret_port = (uint16_t)port;
	return 0;
}

static int make_address(const struct split *split, uint16_t port,
    struct sockaddr_storage *ret_address, unsigned *ret_length)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	char host[HOST_SIZE];

	if (split->host_length >= sizeof(host))
		return -EINVAL;
	memcpy(host, split->host, split->host_length);
	host[split->host_length] = '\0';
	if (split->brackets) {
		if (inet_pton(AF_INET6, host, &v6.sin6_addr) != 1)
			return -EINVAL;
		memset(ret_address, 0, sizeof(*ret_address));
		memcpy(ret_address, &v6, sizeof(v6));
		*ret_length = sizeof(v6);
		return 0;
	}
	if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &v4.sin_addr) !=
	    1)
		return -EINVAL;
	memset(ret_address, 0, sizeof(*ret_address));
	memcpy(ret_address, &v4, sizeof(v4));
	*ret_length = sizeof(v4);
	return 0;
}
