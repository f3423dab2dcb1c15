/* SPDX-License-Identifier: ISC */
/* ipcread.h: bytes of an IPC channel of Node's, whose sender may attach sockets; see unix(7). */
#ifndef LIB_IPCREAD_H
#define LIB_IPCREAD_H

#include <stddef.h>
#include <sys/types.h>

/*
 * One recvmsg(2) without waiting.  Sockets that come along are closed: we have no use for them, and
 * with which message each came does not matter, then.  Returns the bytes, 0 at the end, or -errno;
 * -EAGAIN: nothing is there.
 */
ssize_t ipcread_receive(int fd, char *room, size_t size);

#endif
