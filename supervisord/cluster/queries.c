/* SPDX-License-Identifier: ISC */
/* queries.c: see queries.h, Node's lib/internal/cluster/primary.js. */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "lib/ownlog.h"
#include "supervisord/cluster/listeners.h"
#include "supervisord/cluster/queries.h"
#include "supervisord/cluster/reply.h"
#include "supervisord/cluster/workers.h"

static int find_or_open(struct cluster *cluster, struct worker *worker,
    const struct request *request, const char *key, struct listener **ret_listener);
static bool is_permitted(const struct cluster *cluster, const struct request *request);
static void tell_forbidden(const struct worker *worker, const struct request *request);
static void set_data(struct listener *listener, const struct request *request);
static int reply(struct cluster *cluster, struct worker *worker, const struct listener *listener,
    const struct request *request);
static int send_socket(struct cluster *cluster, struct worker *worker, struct listener *listener,
    int64_t ack, int error);
static bool reply_error(struct cluster *cluster, struct worker *worker,
    const struct request *request, const char *key, int error);

bool queries_answer(struct cluster *cluster, struct worker *worker, const struct request *request)
{
	struct listener *listener = NULL;
	char key[LIMIT_CLUSTER_KEY] = "";
	int error = request_make_key(request, key);

	if (error == 0)
		error = find_or_open(cluster, worker, request, key, &listener);
	if (error == -EINPROGRESS)
		return false;
	if (error == 0 && !listener->state->shared)
		error = listeners_accept(cluster, listener, request->backlog);
	if (error < 0)
		return reply_error(cluster, worker, request, key, error);
	assert(listener != NULL);
	set_data(listener, request);
	error = reply(cluster, worker, listener, request);
	if (error == -EAGAIN)
		return false;
	if (error == -ENOBUFS)
		return reply_error(cluster, worker, request, key, error);
	listeners_return_slot(cluster, listener, worker->slot);
	worker->state->member |= 1ULL << listener->number;
	cluster->deal_due |= 1ULL << listener->number;
	return true;
}

void queries_pay(struct cluster *cluster, struct worker *worker)
{
	struct owed *owed = worker->state->owed;

	while (owed[0].seq != 0 && worker->handle.seq == 0) {
		struct listener *listener = cluster->listeners[owed[0].listener];

		if (listener != NULL &&
		    send_socket(cluster, worker, listener, owed[0].seq, 0) == -EAGAIN)
			return;
		memmove(owed, owed + 1, (LIMIT_CLUSTER_OWED - 1) * sizeof(*owed));
		owed[LIMIT_CLUSTER_OWED - 1] = (struct owed){0};
	}
}

bool queries_pay_again(
    struct cluster *cluster, struct worker *worker, const struct handle *handle, bool once_more)
{
	struct listener *listener = cluster->listeners[handle->listener];
	int error = send_socket(cluster, worker, listener, handle->ack, once_more ? 0 : -EMFILE);

	worker->handle.nacks = handle->nacks;
	return once_more && error == 0;
}

/* 0, -EINPROGRESS: the engine has been asked, or another -errno for the worker. */
static int find_or_open(struct cluster *cluster, struct worker *worker,
    const struct request *request, const char *key, struct listener **ret_listener)
{
	struct listener *listener = listeners_find(cluster, key);
	bool is_new = listener == NULL;
	int error;

	if (request->error < 0)
		return request->error;
	if (listener != NULL && (worker->state->member >> listener->number & 1))
		return -EADDRINUSE;
	if (!is_permitted(cluster, request)) {
		tell_forbidden(worker, request);
		return -EACCES;
	}
	if (is_new)
		listener = listeners_add(cluster, request, key);
	if (listener == NULL) {
		log_warning("worker %u cannot listen on %s: %d sockets of a cluster are the most",
		    worker->slot + 1, key, LIMIT_CLUSTER_LISTENERS);
		return -ENOBUFS;
	}
	error = is_new ? bind_resolve(request, false, &listener->state->place) : 0;
	if (error == 0)
		error = listeners_need_socket(cluster, worker, listener, worker->slot);
	if (error == -EAFNOSUPPORT && is_new && !request->has_address &&
	    bind_resolve(request, true, &listener->state->place) == 0)
		error = listeners_need_socket(cluster, worker, listener, worker->slot);
	if (error == 0 && is_new)
		error = bind_add_mode(&listener->state->place, request);
	if (error < 0 && error != -EINPROGRESS && is_new) {
		log_warning(
		    "worker %u cannot listen on %s: %s", worker->slot + 1, key, strerror(-error));
		listeners_close(cluster, listener);
	}
	*ret_listener = listener;
	return error;
}

static bool is_permitted(const struct cluster *cluster, const struct request *request)
{
	const struct cluster_options *options = cluster->options;

	if (request->type == TYPE_PATH)
		return listen_rules_permit_path(
		    options->rules, options->rule_count, request->address);
	return listen_rules_permit_port(options->rules, options->rule_count,
	    request->type == TYPE_TCP ? LISTEN_TCP : LISTEN_UDP,
	    request->has_address ? request->address : NULL, (unsigned)request->port,
	    options->privileged);
}

static void tell_forbidden(const struct worker *worker, const struct request *request)
{
	unsigned id = worker->slot + 1;

	if (request->type == TYPE_PATH)
		log_warning("worker %u may not listen on %s: cluster_listen has no unix: for it",
		    id, request->address);
	else
		log_warning("worker %u may not listen on port %d of %s: cluster_listen has no "
			    "%s:%d for it",
		    id, request->port, request->has_address ? request->address : "any address",
		    request->type == TYPE_TCP ? "tcp" : "udp", request->port);
}

/* What the first worker has: the others get the same, so that all can go on with a TLS session. */
static void set_data(struct listener *listener, const struct request *request)
{
	struct listener_state *state = listener->state;

	if (state->data_length > 0 || request->data == NULL)
		return;
	if (request->data_length > sizeof(state->data)) {
		log_warning("%s: %zu bytes of data of a worker are not shared: %zu are the most",
		    state->key, request->data_length, sizeof(state->data));
		return;
	}
	memcpy(state->data, request->data, request->data_length);
	atomic_signal_fence(memory_order_seq_cst);
	state->data_length = (uint32_t)request->data_length;
}

/* 0, -EAGAIN, or -ENOBUFS: too many wait for theirs. */
static int reply(struct cluster *cluster, struct worker *worker, const struct listener *listener,
    const struct request *request)
{
	const struct listener_state *state = listener->state;
	struct owed *owed = worker->state->owed;
	struct reply_query query = {
	    .ack = request->seq,
	    .seq = cluster_next_seq(cluster),
	    .key = state->key,
	    .data = state->data_length > 0 ? state->data : request->data,
	    .data_length = state->data_length > 0 ? state->data_length : request->data_length,
	    .name = state->request_type == TYPE_TCP ? (const struct sockaddr *)&state->place.address
						    : NULL,
	};

	if (!state->shared) {
		reply_write_query(&cluster->line, &query);
		return workers_send(cluster, worker, -1) == -EAGAIN ? -EAGAIN : 0;
	}
	if (worker->handle.seq == 0 && owed[0].seq == 0)
		return send_socket(
		    cluster, worker, cluster->listeners[listener->number], request->seq, 0);
	for (size_t i = 0; i < LIMIT_CLUSTER_OWED; i++)
		if (owed[i].seq == 0) {
			owed[i] = (struct owed){request->seq, listener->number};
			return 0;
		}
	return -ENOBUFS;
}

/* With the socket; or with an error without. */
static int send_socket(struct cluster *cluster, struct worker *worker, struct listener *listener,
    int64_t ack, int error)
{
	const struct listener_state *state = listener->state;
	const int *fd = listeners_get_fd(listener, worker->slot);
	bool is_datagram = state->place.type == SOCK_DGRAM;
	struct reply_query query = {
	    .ack = ack,
	    .seq = cluster_next_seq(cluster),
	    .key = state->key,
	    .error = error,
	    .data = state->data_length > 0 ? state->data : NULL,
	    .data_length = state->data_length,
	    .handle_type = error < 0     ? NULL
			   : is_datagram ? "dgram.Native"
					 : "net.Native",
	};
	int sent;

	reply_write_query(&cluster->line, &query);
	sent = workers_send(cluster, worker, error < 0 || fd == NULL ? -1 : *fd);
	if (sent == 0 && error == 0)
		worker->handle = (struct handle){
		    .seq = query.seq, .listener = listener->number, .is_reply = true, .ack = ack};
	return sent == -EAGAIN ? -EAGAIN : 0;
}

static bool reply_error(struct cluster *cluster, struct worker *worker,
    const struct request *request, const char *key, int error)
{
	struct reply_query query = {
	    .ack = request->seq,
	    .seq = cluster_next_seq(cluster),
	    .key = key,
	    .error = error,
	    .data = request->data,
	    .data_length = request->data_length,
	};

	reply_write_query(&cluster->line, &query);
	return workers_send(cluster, worker, -1) != -EAGAIN;
}
