/* SPDX-License-Identifier: ISC */
/*
 * ipcfollow.h: clients that follow the messages of a program (superctl messages -f).
 *
 * The control socket has handed their connections over.  Each is told a message at once, or, when
 * it does not read, is disconnected: nothing is kept for it.  It comes back with the number of the
 * last message that it has seen.
 */
#ifndef ENGINE_IPCFOLLOW_H
#define ENGINE_IPCFOLLOW_H

#include <ev.h>

#include "lib/jsonw.h"
#include "lib/limits.h"
#include "supervisord/engine/ipcring.h"

struct program;

struct ipc_followers {
	struct ev_loop *loop;
	ev_io ends[LIMIT_IPC_FOLLOWERS]; /* of connections, ours; fd -1: none */
};

void ipc_followers_init(struct ipc_followers *followers, struct ev_loop *loop);
void ipc_followers_done(struct ipc_followers *followers);

/* Takes the connection on success.  0 or -EAGAIN: there are enough. */
int ipc_followers_add(struct ipc_followers *followers, int fd);

void ipc_followers_tell(struct ipc_followers *followers, const struct ipcring_message *message);

/* One message, as the interface has it. */
void ipc_write_message(struct jsonw *w, const struct ipcring_message *message);

/* Of ipc.c: the last messages, NULL: there were none; who follows them, NULL: out of memory. */
const struct ipcring *ipc_get_ring(const struct program *program);
struct ipc_followers *ipc_get_followers(struct program *program);

#endif
