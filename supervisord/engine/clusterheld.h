/* SPDX-License-Identifier: ISC */
/*
 * clusterheld.h: listening sockets of clusters, held by the guardian for their primaries.
 *
 * A primary says what is to be held (lib/clusterlink.h: LINK_HOLD, LINK_UNHOLD), by the number of
 * its listener and, where each worker has a socket of its own, that of the worker.  The key of the
 * slot is made of these and of the primary's row, so nothing else has to be remembered.
 */
#ifndef ENGINE_CLUSTERHELD_H
#define ENGINE_CLUSTERHELD_H

#include <stdbool.h>
#include <stdint.h>

struct msg_head;
struct program;

/* Is it the key of a socket of that primary? */
bool clusterheld_is_of(const struct program *primary, uint64_t key);

/* Listener and worker of a key, as slot and key of a message. */
void clusterheld_name(uint64_t key, struct msg_head *ret_head);

/* Have it held.  Takes the descriptor, -1 is none. */
void clusterheld_keep(const struct program *primary, const struct msg_head *head, int fd);

/* Let go of it. */
void clusterheld_release(const struct program *primary, const struct msg_head *head);

#endif
