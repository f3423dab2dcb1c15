/* SPDX-License-Identifier: ISC */
/*
 * ipc.h: the other side of Node's child_process channel, for each program with ipc = true.
 *
 * A socket pair a run: the program finds its end by NODE_CHANNEL_FD, ours is held by the guardian.
 * Lines of JSON both ways.  What has come and is not dealt with (lib/inbox.h) and the last messages
 * (ipcring.h) are in a memfd that is held, too, so a killed engine costs no message; one that it
 * was dealing with may be dealt with twice.  Nothing waits in memory for a program that does not
 * read: a message for it is refused when its channel is full.
 */
#ifndef ENGINE_IPC_H
#define ENGINE_IPC_H

#include <stddef.h>
#include <stdint.h>

#include "supervisord/engine/launch.h"

struct call;
struct ipc;
struct program;

/*
 * Before a launch, after everything else: a new channel where the stanza wants one.  Adds the
 * variables (room for IPC_ENVIRONMENT; strings are given) and the program's end, numbered behind
 * all others, which is *ret_close's to be closed afterwards (-1: none).  0 or -errno.
 */
#define IPC_ENVIRONMENT 3
int ipc_prepare(struct program *program, char **environment, size_t *count, struct launch_fd *extra,
    size_t *extra_count, int *ret_close);

/* Its end is about to be acted on: its last words were before that. */
void ipc_catch_up(struct program *program);

/* A slot of a previous engine (HELD_IPC, HELD_IPC_STATE). */
void ipc_adopt(struct program *program, uint64_t key, int slot);

/* The instance is gone. */
void ipc_release(struct program *program);

/* One JSON value, without a newline.  0, -ENOTCONN: there is no channel; -EAGAIN: it is full. */
int ipc_send(struct program *program, const char *text, size_t length);

/* Our end of the present channel, which stays ours; -1: none. */
int ipc_get_channel(const struct program *program);

/* A message that came by way of a cluster's primary. */
void ipc_take(struct program *program, const char *line, size_t length);

/* The methods SendMessage and Messages. */
void ipc_call_send(struct call *call);
void ipc_call_messages(struct call *call);

#endif
