/* SPDX-License-Identifier: ISC */
/* channel.c: see channel.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/channel.h"

union control {
	struct cmsghdr align;
	unsigned char space[CMSG_SPACE(sizeof(int) * LIMIT_MSG_FDS)];
};

static void put_fds(struct msghdr *header, union control *control, const int *fds, unsigned count);
static void take_fds(struct msghdr *header, struct msg *msg);

int channel_pair(int ret_fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) < 0 ? -errno : 0;
}

int channel_send(int fd, const struct msg_head *head, const void *payload, size_t length,
    const int *fds, unsigned fd_count, int flags)
{
	/* sendmsg(2) only reads, but struct iovec has no const: copy rather than cast it away. */
	struct msg_head copy = *head;
	unsigned char bytes[LIMIT_MSG_BYTES];
	union control control;
	struct iovec parts[2] = {{.iov_base = &copy, .iov_len = sizeof(copy)}};
	struct msghdr header = {.msg_iov = parts, .msg_iovlen = 1};

	if (length > LIMIT_MSG_BYTES || fd_count > LIMIT_MSG_FDS)
		return -EMSGSIZE;
	if (length > 0) {
		memcpy(bytes, payload, length);
		parts[1] = (struct iovec){.iov_base = bytes, .iov_len = length};
		header.msg_iovlen = 2;
	}
	if (fd_count > 0)
		put_fds(&header, &control, fds, fd_count);
	while (sendmsg(fd, &header, flags | MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int channel_send_head(int fd, const struct msg_head *head, int passed_fd, int flags)
{
	return channel_send(fd, head, NULL, 0, &passed_fd, passed_fd >= 0, flags);
}

int channel_receive(int fd, struct msg *ret_msg, int flags)
{
	union control control;
	struct iovec parts[2] = {
	    {.iov_base = &ret_msg->head, .iov_len = sizeof(ret_msg->head)},
	    {.iov_base = ret_msg->payload, .iov_len = sizeof(ret_msg->payload)},
	};
	struct msghdr header = {
	    .msg_iov = parts,
	    .msg_iovlen = 2,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control),
	};
	ssize_t got;

	do
		got = recvmsg(fd, &header, flags | MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	if (got == 0)
		return 0;
	ret_msg->fd_count = 0;
	take_fds(&header, ret_msg);
	if ((size_t)got < sizeof(ret_msg->head) || (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		channel_drop_fds(ret_msg);
		return -EBADMSG;
	}
	ret_msg->length = (size_t)got - sizeof(ret_msg->head);
	return 1;
}

int channel_send_long(int fd, const struct msg_head *head, const void *payload, size_t length,
    int passed_fd, int flags)
{
	struct msg_head copy = *head;
	union control control;
	/* sendmsg(2) does not write to it. */
	struct iovec parts[2] = {{.iov_base = &copy, .iov_len = sizeof(copy)},
	    {.iov_base = (void *)(uintptr_t)payload, .iov_len = length}};
	struct msghdr header = {.msg_iov = parts, .msg_iovlen = length > 0 ? 2 : 1};

	if (passed_fd >= 0)
		put_fds(&header, &control, &passed_fd, 1);
	while (sendmsg(fd, &header, flags | MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int channel_receive_long(int fd, struct msg_head *ret_head, void *payload, size_t size,
    size_t *ret_length, int *ret_fd, int flags)
{
	union control control;
	struct iovec parts[2] = {{.iov_base = ret_head, .iov_len = sizeof(*ret_head)},
	    {.iov_base = payload, .iov_len = size}};
	struct msghdr header = {
	    .msg_iov = parts,
	    .msg_iovlen = 2,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control),
	};
	struct msg fds = {.fd_count = 0};
	ssize_t got;

	do
		got = recvmsg(fd, &header, flags | MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return got == 0 ? 0 : errno == EWOULDBLOCK ? -EAGAIN : -errno;
	take_fds(&header, &fds);
	if ((size_t)got < sizeof(*ret_head) || (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
	    fds.fd_count > 1) {
		channel_drop_fds(&fds);
		return -EBADMSG;
	}
	*ret_length = (size_t)got - sizeof(*ret_head);
	*ret_fd = fds.fd_count == 1 ? fds.fds[0] : -1;
	return 1;
}

void channel_drop_fds(struct msg *msg)
{
	for (unsigned i = 0; i < msg->fd_count; i++)
		if (msg->fds[i] >= 0)
			close(msg->fds[i]);
	msg->fd_count = 0;
}

static void put_fds(struct msghdr *header, union control *control, const int *fds, unsigned count)
{
	struct cmsghdr *cmsg;

	memset(control, 0, sizeof(*control));
	header->msg_control = control;
	header->msg_controllen = CMSG_SPACE(sizeof(int) * count);
	cmsg = CMSG_FIRSTHDR(header);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int) * count);
	memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * count);
}

static void take_fds(struct msghdr *header, struct msg *msg)
{
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(header); cmsg != NULL;
	     cmsg = CMSG_NXTHDR(header, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		msg->fd_count = (unsigned)((cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(msg->fds, CMSG_DATA(cmsg), msg->fd_count * sizeof(int));
	}
}
