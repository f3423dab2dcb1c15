/* SPDX-License-Identifier: ISC */
/*
 * cluster.h: the engine's part of a cluster of Node workers: it starts the primary (a companion,
 * confcluster.c) and the workers, and tells them of each other; see lib/clusterlink.h.
 *
 * The guardian holds what a new primary or a new engine needs: our end of the link, the primary's
 * state, its listening sockets, and each worker's channel.  So whoever is killed, the next one is
 * given the same.  Ports that need a privilege are bound here, if the stanza names them.
 */
#ifndef ENGINE_CLUSTER_H
#define ENGINE_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisord/engine/config.h"
#include "supervisord/engine/launch.h"

struct cluster;
struct program;

/* Behind the name of the program, as that of the primary. */
#define CLUSTER_SUFFIX "+cluster"

const char *cluster_mode_name(enum cluster_kind kind);

/* NODE_UNIQUE_ID of the present run of a worker: never that of another run of this instance, nor
 * of one that lives. */
uint64_t cluster_worker_id(const struct program *worker);

/* The script that a worker is to load before its application, or NULL; to be freed.  0 or -ENOMEM.
 */
int cluster_find_preload(const struct program_config *config, char **ret_path);

/*
 * Before the launch of a primary: a new link, with all that is held sent on it.  Adds its
 * descriptors; that of the link is *ret_close's to be closed after the launch (-1: this is no
 * primary).  0 or -errno.
 */
int cluster_prepare(
    struct program *program, struct launch_fd *extra, size_t *extra_count, int *ret_close);

/* Before the launch of a worker, when its channel is held: the primary is given it.  Not an error
 * when there is none now: it will be given it at its start. */
void cluster_give_worker(struct program *worker, int channel);

/* Its process has ended: before what follows from that. */
void cluster_note_exit(struct program *worker);

/* A worker of the program is RUNNING now, or has been taken away: perhaps none is on its way any
 * more. */
void cluster_note_change(const struct program *worker);

/* The first step of a stop.  0: a primary that is on its way is told when it is there; or
 * -ENOTCONN: there is none. */
int cluster_disconnect(struct program *worker);

/* A message for the application.  As ipc_send(). */
int cluster_send(struct program *worker, const char *text, size_t length);

/* A slot of a previous engine (HELD_CLUSTER_LINK, _STATE, _SOCKET). */
void cluster_adopt(struct program *program, uint64_t key, int slot);

/* It has been removed, and its workers before it: from now on nobody connects to its sockets,
 * though the guardian closes its copies a moment later. */
void cluster_shut(const struct program *program);

/* The instance is gone. */
void cluster_release(struct program *program);

#endif
