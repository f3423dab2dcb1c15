/* SPDX-License-Identifier: ISC */
/*
 * clustername.h: who belongs to which cluster: its primary is the companion NAME+cluster of the
 * program whose instances are its workers.  Read off the names, so nothing is stored.
 */
#ifndef ENGINE_CLUSTERNAME_H
#define ENGINE_CLUSTERNAME_H

#include <stdbool.h>
#include <stdint.h>

struct program;

bool clustername_is_primary(const struct program *program);

/* That of a worker, whether or not it runs.  NULL: there is none, or it is no worker. */
struct program *clustername_find_primary(const struct program *worker);

/* Which of the workers it is, from 0. */
uint32_t clustername_slot(const struct program *worker);

#endif
