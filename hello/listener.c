/* SPDX-License-Identifier: ISC */
/* listener.c: see listener.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hello/listener.h"
#include "lib/units.h"

/* SD_LISTEN_FDS_START of sd_listen_fds(3). */
#define FIRST_INHERITED 3

static int inherit(struct listeners *listeners, int fd);
static int set_up(int fd, const struct address *address);
static int clear_path(const char *path);
static int finish(struct listeners *listeners, int fd);
static void remember_path(struct listener *listener);
static bool is_path(const struct address *address);
static void speed_up(int fd, const struct address *address);

int listeners_inherit(struct listeners *listeners, unsigned *ret_count, int *ret_fd)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t number;

	*ret_count = 0;
	if (!pid || !fds || units_parse_count(pid, 1, INT32_MAX, &number) ||
	    number != (uint64_t)getpid())
		return 0;
	if (units_parse_count(fds, 0, INT32_MAX, &number))
		return -EBADMSG;
	if (number > LIMIT_HELLO_LISTENERS - listeners->count)
		return -E2BIG;
	for (unsigned i = 0; i < number; i++) {
		int r = inherit(listeners, FIRST_INHERITED + (int)i);

		if (r) {
			*ret_fd = FIRST_INHERITED + (int)i;
			return r;
		}
	}
	*ret_count = (unsigned)number;
	return 0;
}

int listeners_open(struct listeners *listeners, const struct address *address)
{
	int fd, r;

	if (listeners->count == LIMIT_HELLO_LISTENERS)
		return -E2BIG;
	fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = set_up(fd, address);
	if (!r)
		r = finish(listeners, fd);
	if (r) {
		(void)close(fd);
		return r;
	}
	if (is_path(address))
		remember_path(&listeners->items[listeners->count - 1]);
	return 0;
}

void listeners_unlink(struct listeners *listeners)
{
	for (unsigned i = 0; i < listeners->count; i++) {
		struct listener *listener = &listeners->items[i];
		struct stat status;

		/* Another server may have put its own socket there meanwhile. */
		if (listener->is_ours && !lstat(listener->address.un.sun_path, &status) &&
		    status.st_dev == listener->device && status.st_ino == listener->inode)
			(void)unlink(listener->address.un.sun_path);
		listener->is_ours = false;
	}
}

void listeners_close(struct listeners *listeners)
{
	listeners_unlink(listeners);
	for (unsigned i = 0; i < listeners->count; i++)
		(void)close(listeners->items[i].fd);
	listeners->count = 0;
}

static int inherit(struct listeners *listeners, int fd)
{
	int type = 0, listens = 0, flags;
	socklen_t length = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) < 0)
		return -errno;
	if (type != SOCK_STREAM || !listens)
		return -ENOTSOCK;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	return finish(listeners, fd);
}

static int set_up(int fd, const struct address *address)
{
	const int on = 1, off = 0;
	int r;

	if (is_path(address)) {
		r = clear_path(address->un.sun_path);
		if (r)
			return r;
	} else if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0) {
		return -errno;
	}
	/* Said, so that "[::]" does not depend on net.ipv6.bindv6only: it serves IPv4 as well. */
	if (address->any.sa_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0)
		return -errno;
	if (bind(fd, &address->any, address->length) < 0 || listen(fd, SOMAXCONN) < 0)
		return -errno;
	return 0;
}

/* Only connecting tells a socket left behind from one that is served. */
static int clear_path(const char *path)
{
	struct address address;
	struct stat status;
	int fd, r = 0;

	if (lstat(path, &status) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(status.st_mode))
		return -EEXIST;
	address = (struct address){.un = {.sun_family = AF_UNIX}, .length = sizeof(address.un)};
	for (size_t i = 0; path[i]; i++)
		address.un.sun_path[i] = path[i];
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, &address.any, address.length) || errno == EAGAIN)
		r = -EADDRINUSE;
	else if (errno != ECONNREFUSED)
		r = -errno;
	(void)close(fd);
	if (!r && unlink(path) < 0)
		r = -errno;
	return r;
}

static int finish(struct listeners *listeners, int fd)
{
	struct listener *listener = &listeners->items[listeners->count];

	*listener = (struct listener){.source = SOURCE_LISTENER, .fd = fd};
	listener->address.length = sizeof(listener->address) - offsetof(struct address, any);
	if (getsockname(fd, &listener->address.any, &listener->address.length) < 0)
		return -errno;
	speed_up(fd, &listener->address);
	listeners->count++;
	return 0;
}

static void remember_path(struct listener *listener)
{
	struct stat status;

	if (lstat(listener->address.un.sun_path, &status) < 0)
		return;
	listener->is_ours = true;
	listener->device = status.st_dev;
	listener->inode = status.st_ino;
}

static bool is_path(const struct address *address)
{
	return address->any.sa_family == AF_UNIX;
}

/* Accepted sockets take this over from the listening one: one system call for all. */
static void speed_up(int fd, const struct address *address)
{
	const int on = 1;

	if (!is_path(address))
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}
