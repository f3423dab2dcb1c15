/* SPDX-License-Identifier: ISC */
/* listeners.c: see listeners.h, Node's lib/internal/cluster/round_robin_handle.js. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/ownlog.h"
#include "supervisord/cluster/link.h"
#include "supervisord/cluster/listeners.h"
#include "supervisord/cluster/reply.h"
#include "supervisord/cluster/workers.h"

#define DEFAULT_BACKLOG 511

static uint64_t find_missing(const struct cluster *cluster, const struct worker *worker);
static bool is_awaited(const struct cluster *cluster, const struct listener *listener);
static int find_or_open(struct cluster *cluster, struct worker *worker,
    const struct request *request, const char *key, struct listener **ret_listener);
static bool is_permitted(const struct cluster *cluster, const struct request *request);
static void tell_forbidden(const struct worker *worker, const struct request *request);
static struct listener *add(
    struct cluster *cluster, const struct request *request, const char *key);
static struct listener *need(struct cluster *cluster, uint32_t number);
static int need_socket(
    struct cluster *cluster, struct worker *worker, struct listener *listener, uint32_t slot);
static int *get_fd(struct listener *listener, uint32_t slot);
static int take_socket(struct cluster *cluster, struct listener *listener, uint32_t slot, int fd);
static int begin_accepting(struct cluster *cluster, struct listener *listener, int backlog);
static int reply(struct cluster *cluster, struct worker *worker, const struct listener *listener,
    const struct request *request);
static int send_socket(struct cluster *cluster, struct worker *worker, struct listener *listener,
    int64_t ack, int error);
static bool reply_error(struct cluster *cluster, struct worker *worker,
    const struct request *request, const char *key, int error);
static struct listener *find(const struct cluster *cluster, const char *key);
static void set_data(struct listener *listener, const struct request *request);
static bool has_members(const struct cluster *cluster, const struct listener *listener);
static void close_listener(struct cluster *cluster, struct listener *listener);
static void close_socket(
    struct cluster *cluster, const struct listener *listener, uint32_t slot, int fd);
static void resume(struct cluster *cluster, struct listener *listener);

bool listeners_query(struct cluster *cluster, struct worker *worker, const struct request *request)
{
	struct listener *listener = NULL;
	char key[LIMIT_CLUSTER_KEY] = "";
	int error = request_make_key(request, key);

	if (error == 0)
		error = find_or_open(cluster, worker, request, key, &listener);
	if (error == -EINPROGRESS)
		return false;
	if (error == 0 && !listener->state->shared)
		error = begin_accepting(cluster, listener, request->backlog);
	if (error < 0)
		return reply_error(cluster, worker, request, key, error);
	set_data(listener, request);
	error = reply(cluster, worker, listener, request);
	if (error == -EAGAIN)
		return false;
	if (error == -ENOBUFS)
		return reply_error(cluster, worker, request, key, error);
	worker->state->member |= 1ULL << listener->number;
	cluster->deal_due |= 1ULL << listener->number;
	return true;
}

void listeners_pay(struct cluster *cluster, struct worker *worker)
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

bool listeners_pay_again(
    struct cluster *cluster, struct worker *worker, const struct handle *handle, bool once_more)
{
	struct listener *listener = cluster->listeners[handle->listener];
	int error = send_socket(cluster, worker, listener, handle->ack, once_more ? 0 : -EMFILE);

	worker->handle.nacks = handle->nacks;
	return once_more && error == 0;
}

void listeners_note_close(struct cluster *cluster, struct worker *worker, const char *key)
{
	struct listener *listener = find(cluster, key);

	if (listener == NULL || !(worker->state->member >> listener->number & 1))
		return;
	worker->state->member &= ~(1ULL << listener->number);
	/* One that goes does not mean it: the next one will want it. */
	if (worker->state->phase != PHASE_ONLINE)
		return;
	worker->state->listening &= ~(1ULL << listener->number);
	/* A datagram socket would stay bound until the guardian has let go of it, too. */
	if (!has_members(cluster, listener) && listener->state->place.type == SOCK_STREAM)
		close_listener(cluster, listener);
}

const struct listener *listeners_find_bound(
    const struct cluster *cluster, const struct worker *worker, const struct request *request)
{
	char key[LIMIT_CLUSTER_KEY];
	const struct listener *listener =
	    request_make_key(request, key) == 0 ? find(cluster, key) : NULL;

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

bool listeners_are_all(const struct cluster *cluster, const struct worker *worker)
{
	return find_missing(cluster, worker) == 0;
}

void listeners_tell_missing(const struct cluster *cluster, const struct worker *worker)
{
	uint64_t missing = find_missing(cluster, worker);

	for (uint32_t i = 0; i < LIMIT_CLUSTER_LISTENERS; i++)
		if (missing >> i & 1)
			log_warning(
			    "worker %u has never been ready: it did not listen on %s, as the "
			    "workers before it do",
			    worker->slot + 1, cluster->listeners[i]->state->key);
}

void listeners_give(struct cluster *cluster, uint32_t number, uint32_t slot, int fd)
{
	struct listener *listener = number < LIMIT_CLUSTER_LISTENERS && fd >= 0 &&
					    cluster->state->listeners[number].phase == LISTENER_OPEN
					? need(cluster, number)
					: NULL;
	int *place = listener != NULL ? get_fd(listener, slot) : NULL;

	/* Let go of a moment before we were killed, or of another state. */
	if (place == NULL || *place >= 0) {
		if (fd >= 0)
			close(fd);
		if (place == NULL && number < LIMIT_CLUSTER_LISTENERS)
			link_unhold(cluster, number, slot);
		return;
	}
	*place = fd;
}

void listeners_resume(struct cluster *cluster)
{
	for (uint32_t i = 0; i < LIMIT_CLUSTER_LISTENERS; i++) {
		struct listener *listener;

		if (cluster->state->listeners[i].phase == LISTENER_ASKED) /* asked again */
			atomic_store(&cluster->state->listeners[i].phase, LISTENER_NONE);
		if (cluster->state->listeners[i].phase == LISTENER_NONE)
			continue;
		listener = need(cluster, i);
		if (listener != NULL)
			resume(cluster, listener);
	}
}

void listeners_note_bound(
    struct cluster *cluster, uint32_t number, uint32_t slot, int error, int fd)
{
	struct listener *listener =
	    number < LIMIT_CLUSTER_LISTENERS ? cluster->listeners[number] : NULL;

	if (listener == NULL || (error == 0 && fd < 0))
		error = -EINVAL;
	if (error == 0)
		error = take_socket(cluster, listener, slot, fd);
	else if (fd >= 0)
		close(fd);
	if (listener != NULL && error < 0 && listener->state->phase == LISTENER_ASKED)
		close_listener(cluster, listener);
	for (uint32_t i = 0; i < LIMIT_CLUSTER_WORKERS; i++) {
		struct worker *worker = cluster->workers[i];

		if (worker == NULL || !worker->blocked || worker->full)
			continue;
		worker->bind_error = error;
		workers_unblock(worker);
	}
}

void listeners_close_unused(struct cluster *cluster)
{
	for (uint32_t i = 0; i < LIMIT_CLUSTER_LISTENERS; i++) {
		struct listener *listener = cluster->listeners[i];

		if (listener != NULL && listener->state->phase == LISTENER_OPEN &&
		    !has_members(cluster, listener) && !is_awaited(cluster, listener)) {
			log_notice(
			    "%s: no worker listens on it any more: closed", listener->state->key);
			close_listener(cluster, listener);
		}
	}
}

void listeners_close_slot(struct cluster *cluster, uint32_t slot)
{
	for (uint32_t i = 0; i < LIMIT_CLUSTER_LISTENERS; i++) {
		struct listener *listener = cluster->listeners[i];

		if (listener == NULL || listener->slot_fds == NULL || listener->slot_fds[slot] < 0)
			continue;
		close_socket(cluster, listener, slot, listener->slot_fds[slot]);
		listener->slot_fds[slot] = -1;
	}
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

/* One that has not begun to listen, where the run before it had. */
static bool is_awaited(const struct cluster *cluster, const struct listener *listener)
{
	for (uint32_t i = 0; i < LIMIT_CLUSTER_WORKERS; i++) {
		const struct worker_state *state = &cluster->state->workers[i];

		if (state->id != 0 && state->phase <= PHASE_ONLINE && state->listening == 0 &&
		    (state->expected >> listener->number & 1))
			return true;
	}
	return false;
}

/* 0, -EINPROGRESS: the engine has been asked, or another -errno for the worker. */
static int find_or_open(struct cluster *cluster, struct worker *worker,
    const struct request *request, const char *key, struct listener **ret_listener)
{
	struct listener *listener = find(cluster, key);
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
		listener = add(cluster, request, key);
	if (listener == NULL)
		return -ENOBUFS;
	error = is_new ? bind_resolve(request, false, &listener->state->place) : 0;
	if (error == 0)
		error = need_socket(cluster, worker, listener, worker->slot);
	if (error == -EAFNOSUPPORT && is_new && !request->has_address &&
	    bind_resolve(request, true, &listener->state->place) == 0)
		error = need_socket(cluster, worker, listener, worker->slot);
	if (error < 0 && error != -EINPROGRESS && is_new)
		close_listener(cluster, listener);
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

static struct listener *add(struct cluster *cluster, const struct request *request, const char *key)
{
	uint32_t number = 0;
	struct listener *listener;
	struct listener_state *state;

	while (number < LIMIT_CLUSTER_LISTENERS &&
	       cluster->state->listeners[number].phase != LISTENER_NONE)
		number++;
	listener = number < LIMIT_CLUSTER_LISTENERS ? need(cluster, number) : NULL;
	if (listener == NULL)
		return NULL;
	state = listener->state;
	memset(state, 0, sizeof(*state));
	state->shared = cluster->options->mode != MODE_ROUND_ROBIN || request->type == TYPE_UDP4 ||
			request->type == TYPE_UDP6;
	state->per_slot = cluster->options->mode == MODE_REUSE_PORT && request->type == TYPE_TCP;
	state->request_type = (uint8_t)request->type;
	state->index = request->index;
	memcpy(state->key, key, strlen(key) + 1);
	return listener;
}

static struct listener *need(struct cluster *cluster, uint32_t number)
{
	struct listener *listener = cluster->listeners[number];

	if (listener != NULL)
		return listener;
	listener = calloc(1, sizeof(*listener));
	if (listener == NULL)
		return NULL;
	listener->number = number;
	listener->state = &cluster->state->listeners[number];
	listener->fd = -1;
	cluster->listeners[number] = listener;
	return listener;
}

/* The socket of that slot is there: 0.  -EINPROGRESS: it will be. */
static int need_socket(
    struct cluster *cluster, struct worker *worker, struct listener *listener, uint32_t slot)
{
	struct bind_place place = listener->state->place;
	int *fd = get_fd(listener, slot);
	unsigned port = bind_get_port(&place);
	int error = worker->bind_error;

	worker->bind_error = 0;
	if (fd == NULL)
		return -ENOMEM;
	if (*fd >= 0)
		return 0;
	if (error < 0)
		return error;
	if (listener->state->phase == LISTENER_ASKED && !listener->state->per_slot)
		return -EINPROGRESS; /* by another worker */
	place.reuse_port = listener->state->per_slot;
	if (port != 0 && port < cluster->options->privileged) {
		error = link_bind(cluster, listener->number, slot, &place);
		if (listener->state->phase == LISTENER_NONE)
			atomic_store(&listener->state->phase, LISTENER_ASKED);
		return error < 0 ? error : -EINPROGRESS;
	}
	error = bind_open(&place);
	return error < 0 ? error : take_socket(cluster, listener, slot, error);
}

/* Where the descriptor of a slot is; NULL when out of memory. */
static int *get_fd(struct listener *listener, uint32_t slot)
{
	if (!listener->state->per_slot)
		return &listener->fd;
	if (slot >= LIMIT_CLUSTER_WORKERS)
		return NULL;
	if (listener->slot_fds == NULL) {
		listener->slot_fds = malloc(LIMIT_CLUSTER_WORKERS * sizeof(int));
		if (listener->slot_fds == NULL)
			return NULL;
		memset(listener->slot_fds, 0xff, LIMIT_CLUSTER_WORKERS * sizeof(int));
	}
	return &listener->slot_fds[slot];
}

/* Takes the socket.  From here on it is held. */
static int take_socket(struct cluster *cluster, struct listener *listener, uint32_t slot, int fd)
{
	int *place = get_fd(listener, slot);
	int error = place == NULL ? -ENOMEM : bind_get_name(fd, &listener->state->place);

	if (error == 0 && fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		error = -errno;
	if (error < 0) {
		close(fd);
		return error;
	}
	if (*place >= 0) { /* asked for twice */
		close(fd);
		return 0;
	}
	*place = fd;
	link_hold(cluster, listener->number, listener->state->per_slot ? slot : 0, fd);
	atomic_store(&listener->state->phase, LISTENER_OPEN);
	return 0;
}

/* Idempotent, but that a larger backlog replaces a smaller one. */
static int begin_accepting(struct cluster *cluster, struct listener *listener, int backlog)
{
	int wanted = backlog > 0 ? backlog : DEFAULT_BACKLOG, error;

	if (wanted <= listener->state->backlog)
		return 0;
	if (listen(listener->fd, wanted) < 0)
		return -errno;
	if (listener->state->backlog == 0) {
		error = cluster_watch(
		    cluster, WATCH_LISTENER, listener->number, listener->fd, EPOLLIN, true);
		if (error < 0)
			return error;
	}
	listener->state->backlog = wanted;
	return 0;
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
	const int *fd = get_fd(listener, worker->slot);
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

static struct listener *find(const struct cluster *cluster, const char *key)
{
	for (uint32_t i = 0; i < LIMIT_CLUSTER_LISTENERS; i++) {
		struct listener *listener = cluster->listeners[i];

		if (listener != NULL && listener->state->phase != LISTENER_NONE &&
		    strcmp(listener->state->key, key) == 0)
			return listener;
	}
	return NULL;
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

static bool has_members(const struct cluster *cluster, const struct listener *listener)
{
	for (uint32_t i = 0; i < LIMIT_CLUSTER_WORKERS; i++)
		if (cluster->state->workers[i].id != 0 &&
		    (cluster->state->workers[i].member >> listener->number & 1))
			return true;
	return false;
}

static void close_listener(struct cluster *cluster, struct listener *listener)
{
	struct listener_state *state = listener->state;
	const struct sockaddr_un *un = (const struct sockaddr_un *)&state->place.address;

	if (state->phase == LISTENER_OPEN && state->place.address.ss_family == AF_UNIX)
		(void)unlink(un->sun_path);
	atomic_store(&state->phase, LISTENER_NONE);
	for (unsigned i = 0; i < listener->waiting_count; i++)
		close(listener->waiting[i]);
	if (listener->fd >= 0) {
		cluster_unwatch(cluster, listener->fd);
		close_socket(cluster, listener, 0, listener->fd);
	}
	for (uint32_t i = 0; listener->slot_fds != NULL && i < LIMIT_CLUSTER_WORKERS; i++)
		if (listener->slot_fds[i] >= 0)
			close_socket(cluster, listener, i, listener->slot_fds[i]);
	/* Its number means another one from now on. */
	for (uint32_t i = 0; i < LIMIT_CLUSTER_WORKERS; i++) {
		cluster->state->workers[i].listening &= ~(1ULL << listener->number);
		cluster->state->workers[i].expected &= ~(1ULL << listener->number);
		if (cluster->workers[i] != NULL &&
		    cluster->workers[i]->offers[listener->number].fd >= 0) {
			close(cluster->workers[i]->offers[listener->number].fd);
			cluster->workers[i]->offers[listener->number].fd = -1;
		}
	}
	cluster->listeners[listener->number] = NULL;
	free(listener->slot_fds);
	free(listener);
}

/* The guardian closes its copy later; nobody shall be able to connect from now on, and the next one
 * to bind. */
static void close_socket(
    struct cluster *cluster, const struct listener *listener, uint32_t slot, int fd)
{
	(void)shutdown(fd, SHUT_RDWR);
	close(fd);
	link_unhold(cluster, listener->number, slot);
}

/* What was open before us is again, or its place has to be taken anew. */
static void resume(struct cluster *cluster, struct listener *listener)
{
	struct listener_state *state = listener->state;
	int fd, backlog = state->backlog, error = 0;

	if (state->per_slot) /* each at the next query of its slot */
		return;
	if (listener->fd < 0) {
		fd = bind_open(&state->place);
		error = fd < 0 ? fd : take_socket(cluster, listener, 0, fd);
	}
	state->backlog = 0;
	if (error == 0 && !state->shared)
		error = begin_accepting(cluster, listener, backlog);
	if (error < 0) {
		log_error("%s: cannot go on listening: %s", state->key, strerror(-error));
		close_listener(cluster, listener);
		return;
	}
	listener->ready = !state->shared;
	cluster->deal_due |= 1ULL << listener->number;
}
