/* SPDX-License-Identifier: ISC */
/*
 * clusterbind.h: a port that needs a privilege, bound for the primary of a cluster.
 *
 * Who asks runs as the program's user and reads what its workers send: nothing of the wish is
 * believed.  Allowed are TCP and UDP ports that `cluster_listen` names; "*" is none of them.
 */
#ifndef ENGINE_CLUSTERBIND_H
#define ENGINE_CLUSTERBIND_H

#include "lib/clusterlink.h"
#include "supervisord/engine/config.h"

/* A bound socket, close-on-exec and non-blocking; or -EACCES: no rule names it; or another -errno.
 * `rules` may be NULL: none. */
int clusterbind_open(string_list rules, const struct link_bind *wish);

#endif
