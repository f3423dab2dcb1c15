/* SPDX-License-Identifier: ISC */
/*
 * ipcsend.h: lines to an IPC channel, a Unix stream socket that we alone write to: whole or not at
 * all.
 *
 * Half a line would be worse than none: what comes next would be taken for the rest of it, and Node
 * dies of that.  The kernel takes what is longer than some 36 KB in parts, and may have room for
 * the first only; so who sends a long line looks first how much room there is.
 */
#ifndef LIB_IPCSEND_H
#define LIB_IPCSEND_H

#include <stddef.h>
#include <sys/socket.h>

/*
 * Send what `header` says, `length` bytes in all, without waiting.  0; -EAGAIN: no room now;
 * -ENOBUFS, -ETOOMANYREFS: likewise, and nobody will tell when there is; -EMSGSIZE: there never is;
 * another -errno for a channel that is at its end, as it is after -EPIPE.
 */
int ipcsend_line(int fd, const struct msghdr *header, size_t length);

#endif
