/* SPDX-License-Identifier: ISC */
/*
 * listenfds.h: the descriptors of a run that LISTEN_FDS tells of (sd_listen_fds(3)): first the
 * sockets of its stanza, then what it has left with us (fdstore.h).
 */
#ifndef ENGINE_LISTENFDS_H
#define ENGINE_LISTENFDS_H

#include <stddef.h>

#include "supervisord/engine/launch.h"

struct program;

/* Entries that listenfds_add() needs at most: LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES. */
#define LISTENFDS_ENVIRONMENT 3

/*
 * Append them to `extra`, and what tells of them to `environment`, whose entries are to be freed.
 * They stay ours.  0 or -errno with *ret_step.
 */
int listenfds_add(struct program *program, char **environment, size_t *count,
    struct launch_fd *extra, size_t *extra_count, enum launch_step *ret_step);

/* With socket_as = "stdin": gives the socket, which stays ours.  0 or -errno. */
int listenfds_get_stdin(struct program *program, int *ret_fd);

#endif
