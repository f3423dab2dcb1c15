/* SPDX-License-Identifier: ISC */
/* peer.c: see peer.h, getpeername(2), unix(7), systemd.exec(5). */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "supervisord/engine/launch.h"
#include "supervisord/engine/peer.h"

/* Address and port, as text and as a number. */
struct internet {
	char text[INET6_ADDRSTRLEN];
	unsigned port;
	bool bracketed;
};

static void read_internet(const struct peer *peer, struct internet *ret_internet);
static int add_unix(const struct peer *peer, char **environment, size_t *count);

int peer_of(int fd, struct peer *ret_peer)
{
	struct peer peer = {.uid = (uid_t)-1, .gid = (gid_t)-1};
	struct ucred user;
	socklen_t length = sizeof(user);

	peer.length = sizeof(peer.address);
	if (getpeername(fd, (struct sockaddr *)&peer.address, &peer.length) < 0)
		return -errno;
	if (peer.address.ss_family == AF_UNIX) {
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &user, &length) < 0)
			return -errno;
		peer.uid = user.uid;
		peer.gid = user.gid;
		peer.pid = user.pid;
	}
	*ret_peer = peer;
	return 0;
}

const char *peer_text(const struct peer *peer, char *buffer, size_t size)
{
	struct internet internet;

	if (peer->address.ss_family == AF_UNIX) {
		(void)snprintf(buffer, size, "uid %lld, pid %d",
		    peer->uid == (uid_t)-1 ? -1LL : (long long)peer->uid, (int)peer->pid);
		return buffer;
	}
	read_internet(peer, &internet);
	(void)snprintf(buffer, size, "%s%s%s:%u", internet.bracketed ? "[" : "", internet.text,
	    internet.bracketed ? "]" : "", internet.port);
	return buffer;
}

int peer_add(const struct peer *peer, char **environment, size_t *count)
{
	struct internet internet;
	int error;

	if (peer->address.ss_family == AF_UNIX)
		return add_unix(peer, environment, count);
	read_internet(peer, &internet);
	error = launch_add_variable(environment, count, "REMOTE_ADDR=%s", internet.text);
	return error < 0 ? error
			 : launch_add_variable(environment, count, "REMOTE_PORT=%u", internet.port);
}

/* What came by IPv4 is called so, whatever the socket is. */
static void read_internet(const struct peer *peer, struct internet *ret_internet)
{
	struct sockaddr_in in = {0};
	struct sockaddr_in6 in6 = {0};

	*ret_internet = (struct internet){.text = "?"};
	if (peer->address.ss_family == AF_INET6) {
		memcpy(&in6, &peer->address, sizeof(in6));
		ret_internet->port = ntohs(in6.sin6_port);
		ret_internet->bracketed = !IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr);
		if (ret_internet->bracketed)
			(void)inet_ntop(AF_INET6, &in6.sin6_addr, ret_internet->text,
			    sizeof(ret_internet->text));
		else
			(void)inet_ntop(AF_INET, in6.sin6_addr.s6_addr + 12, ret_internet->text,
			    sizeof(ret_internet->text));
	} else if (peer->address.ss_family == AF_INET) {
		memcpy(&in, &peer->address, sizeof(in));
		ret_internet->port = ntohs(in.sin_port);
		(void)inet_ntop(
		    AF_INET, &in.sin_addr, ret_internet->text, sizeof(ret_internet->text));
	}
}

static int add_unix(const struct peer *peer, char **environment, size_t *count)
{
	struct sockaddr_un un = {0};
	int error = 0;

	memcpy(&un, &peer->address,
	    peer->length < (socklen_t)sizeof(un) ? peer->length : (socklen_t)sizeof(un) - 1);
	if (un.sun_path[0] != '\0')
		error = launch_add_variable(environment, count, "REMOTE_ADDR=%s", un.sun_path);
	if (error < 0 || peer->uid == (uid_t)-1)
		return error;
	error = launch_add_variable(environment, count, "REMOTE_UID=%u", (unsigned)peer->uid);
	if (error == 0)
		error =
		    launch_add_variable(environment, count, "REMOTE_GID=%u", (unsigned)peer->gid);
	/* 0: it lives in another pid namespace, or did. */
	if (error == 0 && peer->pid > 0)
		error = launch_add_variable(environment, count, "REMOTE_PID=%d", (int)peer->pid);
	return error;
}
