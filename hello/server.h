/* SPDX-License-Identifier: ISC */
/*
 * server.h: the event loop: accepting, deadlines, signals, the orderly end.  Called by main.c once
 * the sockets are bound and the rights are dropped.
 */
#ifndef HELLO_SERVER_H
#define HELLO_SERVER_H

#include "hello/ipc.h"
#include "hello/listener.h"
#include "hello/pool.h"

/* First of all: from now on a stop is taken note of, and served by server_run(). */
int server_block_signals(void);

/*
 * Serves until SIGTERM or SIGINT (*ret_code 0), or until /exit (its code).  Borrows the listeners
 * but unlinks and closes them at the end of accepting, and the channel, which may be none.  -errno:
 * the loop could not be set up.
 */
int server_run(struct listeners *listeners, struct ipc *ipc, const struct pool_settings *settings,
    int64_t grace_ns, int *ret_code);

#endif
