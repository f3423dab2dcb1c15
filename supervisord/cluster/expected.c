/* SPDX-License-Identifier: ISC */
/* expected.c: see expected.h. */
#include "lib/ownlog.h"
#include "supervisord/cluster/expected.h"
#include "supervisord/cluster/listeners.h"

static uint64_t find_missing(const struct cluster *cluster, const struct worker *worker);

const struct listener *expected_find_bound(
    const struct cluster *cluster, const struct worker *worker, const struct request *request)
{
	char key[LIMIT_CLUSTER_KEY];
	const struct listener *listener =
	    request_make_key(request, key) == 0 ? listeners_find(cluster, key) : NULL;

	if (listener != NULL)
		return listener;
	/* Asked for with port 0, and told with the one that it got. */
	for (uint32_t i = 0; i < LIMIT_CLUSTER_LISTENERS; i++) {
		listener = cluster->listeners[i];
		if (listener != NULL && (worker->state->member >> i & 1) &&
		    listener->state->request_type == request->type &&
		    listener->state->index == request->index &&
		    bind_get_port(&listener->state->place) == (unsigned)request->port)
			return listener;
	}
	return NULL;
}

bool expected_is_met(const struct cluster *cluster, const struct worker *worker)
{
	return find_missing(cluster, worker) == 0;
}

void expected_tell_missing(const struct cluster *cluster, const struct worker *worker)
{
	uint64_t missing = find_missing(cluster, worker);

	for (uint32_t i = 0; i < LIMIT_CLUSTER_LISTENERS; i++)
		if (missing >> i & 1)
			log_warning(
			    "worker %u has never been ready: it did not listen on %s, as the "
			    "workers before it do",
			    worker->slot + 1, cluster->listeners[i]->state->key);
}

/* One that has not begun to listen, where the run before it had. */
bool expected_includes(const struct cluster *cluster, const struct listener *listener)
{
	for (uint32_t i = 0; i < LIMIT_CLUSTER_WORKERS; i++) {
		const struct worker_state *state = &cluster->state->workers[i];

		if (state->id != 0 && state->phase <= PHASE_ONLINE && state->listening == 0 &&
		    (state->expected >> listener->number & 1))
			return true;
	}
	return false;
}

/* Of what is expected of it, what it does not listen on. */
static uint64_t find_missing(const struct cluster *cluster, const struct worker *worker)
{
	uint64_t open = 0, expected = UINT64_MAX;
	bool has_other = false;

	for (uint32_t i = 0; i < LIMIT_CLUSTER_LISTENERS; i++)
		if (cluster->listeners[i] != NULL &&
		    cluster->listeners[i]->state->phase == LISTENER_OPEN)
			open |= 1ULL << i;
	if ((worker->state->expected & open) != 0)
		return worker->state->expected & open & ~worker->state->listening;
	for (uint32_t i = 0; i < LIMIT_CLUSTER_WORKERS; i++) {
		const struct worker *other = cluster->workers[i];

		if (other == NULL || other == worker || other->state->phase != PHASE_ONLINE ||
		    !other->state->listening_told)
			continue;
		has_other = true;
		expected &= other->state->listening;
	}
	return has_other ? expected & open & ~worker->state->listening : 0;
}
