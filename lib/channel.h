/* SPDX-License-Identifier: ISC */
/*
 * channel.h: messages with descriptors over an AF_UNIX SOCK_SEQPACKET socket, see unix(7), cmsg(3).
 * One datagram is one message: no framing, no partial read, no reassembly.  Allocates nothing.
 */
#ifndef LIB_CHANNEL_H
#define LIB_CHANNEL_H

#include <stddef.h>

#include "lib/limits.h"
#include "lib/protocol.h"

struct msg {
	struct msg_head head;
	size_t length; /* bytes of payload */
	unsigned fd_count;
	int fds[LIMIT_MSG_FDS]; /* close-on-exec; the receiver owns them */
	_Alignas(8) unsigned char payload[LIMIT_MSG_BYTES];
};

/* A connected pair, both ends close-on-exec and blocking.  Returns 0 or -errno. */
int channel_pair(int ret_fds[2]);

/*
 * Send one message.  Borrows everything.  `flags` as send(2): MSG_DONTWAIT to get -EAGAIN instead
 * of waiting.  Never raises SIGPIPE: -EPIPE.  Returns 0 or -errno; all or nothing.
 */
int channel_send(int fd, const struct msg_head *head, const void *payload, size_t length,
    const int *fds, unsigned fd_count, int flags);

/* Short form: no payload, at most one descriptor (-1: none). */
int channel_send_head(int fd, const struct msg_head *head, int passed_fd, int flags);

/*
 * Receive one message.  Returns 1 with a message, 0 at end of file, -EAGAIN with MSG_DONTWAIT in
 * `flags` and nothing there, -EBADMSG for a message that was cut (its descriptors are closed), else
 * -errno.
 */
int channel_receive(int fd, struct msg *ret_msg, int flags);

/*
 * The same for messages with long payloads and one descriptor at most (-1: none); a message whose
 * payload is longer than `size` is cut: -EBADMSG.  *ret_fd is the receiver's.
 */
int channel_send_long(int fd, const struct msg_head *head, const void *payload, size_t length,
    int passed_fd, int flags);
int channel_receive_long(int fd, struct msg_head *ret_head, void *payload, size_t size,
    size_t *ret_length, int *ret_fd, int flags);

/* Close every descriptor of a message that nobody took. */
void channel_drop_fds(struct msg *msg);

#endif
