/* SPDX-License-Identifier: ISC */
/*
 * expected.h: what a worker has to listen on before it is ready: all that the run before it in its
 * slot had, as far as it is open; or else, in a slot that had none, what all others have.
 *
 * So a release that forgets something is found out while the ones before it still serve.  A
 * look at the state, which changes nothing.
 */
#ifndef CLUSTER_EXPECTED_H
#define CLUSTER_EXPECTED_H

#include "supervisord/cluster/cluster.h"

/* The one that a `listening` is about; NULL: none of ours. */
const struct listener *expected_find_bound(
    const struct cluster *cluster, const struct worker *worker, const struct request *request);

bool expected_is_met(const struct cluster *cluster, const struct worker *worker);

/* Log what it lacks of that. */
void expected_tell_missing(const struct cluster *cluster, const struct worker *worker);

/* Whether a worker has yet to begin to listen, and the run before it had this one. */
bool expected_includes(const struct cluster *cluster, const struct listener *listener);

#endif
