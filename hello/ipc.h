/* SPDX-License-Identifier: ISC */
/*
 * ipc.h: the IPC channel that a parent which speaks Node's protocol has given us (NODE_CHANNEL_FD).
 *
 * A line {"hello":"x"} is answered by {"hello":"X"}; what else comes is not for us.  Never waits:
 * an answer for which the channel has no room is dropped, a line longer than the buffer ends the
 * channel.
 */
#ifndef HELLO_IPC_H
#define HELLO_IPC_H

#include <stddef.h>

#include "hello/pool.h"
#include "lib/jsonr.h"

struct ipc {
	enum source_kind source; /* SOURCE_IPC */
	int fd;                  /* -1: no channel */
	struct jsonr json;
	size_t length;
	char buffer[LIMIT_HELLO_IPC];
};

/* Takes the channel from the environment, where there is one.  0, or -EBADF: it names none. */
int ipc_open(struct ipc *ipc);
void ipc_close(struct ipc *ipc);

/* There is something to read. */
void ipc_handle(struct ipc *ipc);

#endif
