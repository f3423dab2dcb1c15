/* SPDX-License-Identifier: ISC */
/* ipcread.c: see ipcread.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/ipcread.h"

/* Sockets of one message that are received to be closed; the kernel drops the rest. */
#define READ_FDS 32

static void drop_sockets(struct msghdr *header);

ssize_t ipcread_receive(int fd, char *room, size_t size)
{
	union {
		struct cmsghdr align;
		unsigned char space[CMSG_SPACE(sizeof(int) * READ_FDS)];
	} control;
	struct iovec part = {.iov_base = room, .iov_len = size};
	struct msghdr header = {.msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control.space)};
	ssize_t got;

	do
		got = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	drop_sockets(&header);
	return got;
}

static void drop_sockets(struct msghdr *header)
{
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(header); cmsg != NULL;
	     cmsg = CMSG_NXTHDR(header, cmsg)) {
		size_t count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		int fds[READ_FDS];

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS ||
		    count > READ_FDS)
			continue;
		memcpy(fds, CMSG_DATA(cmsg), count * sizeof(int));
		for (size_t i = 0; i < count; i++)
			close(fds[i]);
	}
}
