/* SPDX-License-Identifier: ISC */
/* ipcsend.c: see ipcsend.h, unix(7). */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "lib/ipcsend.h"

/* As long, and the kernel takes it as one. */
#define ONE_PART 16384U
/* What it counts for a line beside its bytes, at most: pages that are not full, its own. */
#define OVERHEAD 16384U

static int look_for_room(int fd, size_t length);

int ipcsend_line(int fd, const struct msghdr *header, size_t length)
{
	ssize_t sent;
	int error = length > ONE_PART ? look_for_room(fd, length) : 0;

	if (error < 0)
		return error;
	do
		sent = sendmsg(fd, header, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	if ((size_t)sent == length)
		return 0;
	/* No memory for the rest: there is no way back, so nothing may follow. */
	(void)shutdown(fd, SHUT_RDWR);
	return -EPIPE;
}

static int look_for_room(int fd, size_t length)
{
	int taken, room;
	socklen_t size = sizeof(room);

	if (ioctl(fd, SIOCOUTQ, &taken) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, &size) < 0)
		return -errno;
	if (length + OVERHEAD > (size_t)room)
		return -EMSGSIZE;
	return (size_t)taken + length + OVERHEAD > (size_t)room ? -EAGAIN : 0;
}
