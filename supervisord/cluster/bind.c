/* SPDX-License-Identifier: ISC */
/* bind.c: see bind.h. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisord/cluster/bind.h"

static int resolve_v4(const struct request *request, struct bind_place *place);
static int resolve_v6(const struct request *request, struct bind_place *place);
static int resolve_path(const struct request *request, struct bind_place *place);
static int set_options(int fd, const struct bind_place *place);
static int take_over(int fd, const struct bind_place *place);
static bool is_listened_to(const struct bind_place *place);

int bind_resolve(const struct request *request, bool v4, struct bind_place *ret_place)
{
	*ret_place = (struct bind_place){
	    .type =
		request->type == TYPE_UDP4 || request->type == TYPE_UDP6 ? SOCK_DGRAM : SOCK_STREAM,
	    .v6_only = request->v6_only,
	    .reuse_address = request->reuse_address || request->type == TYPE_TCP,
	};
	if (request->error < 0)
		return request->error;
	if (request->type == TYPE_PATH)
		return resolve_path(request, ret_place);
	if (request->type == TYPE_UDP4 || (!request->has_address && v4))
		return resolve_v4(request, ret_place);
	if (request->has_address && strchr(request->address, ':') == NULL)
		return resolve_v4(request, ret_place);
	return resolve_v6(request, ret_place);
}

int bind_open(const struct bind_place *place)
{
	const struct sockaddr *address = (const struct sockaddr *)&place->address;
	int fd = socket(address->sa_family, place->type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return -errno;
	error = set_options(fd, place);
	if (error == 0 && bind(fd, address, place->length) < 0)
		error = -errno;
	if (error == -EADDRINUSE && address->sa_family == AF_UNIX)
		error = take_over(fd, place);
	if (error < 0) {
		close(fd);
		return error;
	}
	return fd;
}

int bind_get_name(int fd, struct bind_place *place)
{
	socklen_t length = sizeof(place->address);

	if (getsockname(fd, (struct sockaddr *)&place->address, &length) < 0)
		return -errno;
	place->length = length;
	return 0;
}

/* As uv_pipe_chmod() of libuv. */
int bind_add_mode(const struct bind_place *place, const struct request *request)
{
	const char *path = ((const struct sockaddr_un *)&place->address)->sun_path;
	mode_t mode = (request->readable_all ? S_IRUSR | S_IRGRP | S_IROTH : 0) |
		      (request->writable_all ? S_IWUSR | S_IWGRP | S_IWOTH : 0);
	struct stat st;

	if (mode == 0 || place->address.ss_family != AF_UNIX)
		return 0;
	if (stat(path, &st) < 0 || chmod(path, (st.st_mode & 07777) | mode) < 0)
		return -errno;
	return 0;
}

unsigned bind_get_port(const struct bind_place *place)
{
	if (place->address.ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)&place->address)->sin_port);
	if (place->address.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)&place->address)->sin6_port);
	return 0;
}

static int resolve_v4(const struct request *request, struct bind_place *place)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&place->address;

	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)request->port);
	place->length = sizeof(*v4);
	place->v6_only = false;
	if (request->has_address && inet_pton(AF_INET, request->address, &v4->sin_addr) != 1)
		return -EINVAL;
	return 0;
}

/* Link-local addresses carry the name of their interface, which inet_pton(3) does not take. */
static int resolve_v6(const struct request *request, struct bind_place *place)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&place->address;

	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)request->port);
	place->length = sizeof(*v6);
	if (request->has_address && inet_pton(AF_INET6, request->address, &v6->sin6_addr) != 1)
		return -EINVAL;
	return 0;
}

static int resolve_path(const struct request *request, struct bind_place *place)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&place->address;
	size_t length = strlen(request->address);

	if (length >= sizeof(un->sun_path))
		return -ENAMETOOLONG;
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, request->address, length + 1);
	place->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
	return 0;
}

static int set_options(int fd, const struct bind_place *place)
{
	int on = 1, v6_only = place->v6_only;

	if (place->reuse_address && place->address.ss_family != AF_UNIX &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	if (place->reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0)
		return -errno;
	/* Always: net.ipv6.bindv6only may say otherwise. */
	if (place->address.ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only)) < 0)
		return -errno;
	return 0;
}

/* 0 when it is bound now; else -EADDRINUSE or what is wrong. */
static int take_over(int fd, const struct bind_place *place)
{
	const char *path = ((const struct sockaddr_un *)&place->address)->sun_path;
	struct stat st;

	if (lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode) || is_listened_to(place))
		return -EADDRINUSE;
	if (unlink(path) < 0)
		return -errno;
	return bind(fd, (const struct sockaddr *)&place->address, place->length) < 0 ? -errno : 0;
}

static bool is_listened_to(const struct bind_place *place)
{
	int fd = socket(AF_UNIX, place->type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int result;

	if (fd < 0)
		return true;
	result = connect(fd, (const struct sockaddr *)&place->address, place->length);
	if (result < 0 && errno == ECONNREFUSED) {
		close(fd);
		return false;
	}
	close(fd);
	return true;
}
