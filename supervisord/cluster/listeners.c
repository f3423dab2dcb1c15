/* SPDX-License-Identifier: ISC */
/* listeners.c: see listeners.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/ownlog.h"
#include "supervisord/cluster/expected.h"
#include "supervisord/cluster/link.h"
#include "supervisord/cluster/listeners.h"
#include "supervisord/cluster/workers.h"

#define DEFAULT_BACKLOG 511
/* 0 would mean that it waits for nothing; see ask_engine(). */
#define ASKED_LONG_AGO (INT64_MIN / 2)

static struct listener *need(struct cluster *cluster, uint32_t number);
static int take_socket(struct cluster *cluster, struct listener *listener, uint32_t slot, int fd);
static int ask_engine(struct cluster *cluster, struct worker *worker, struct listener *listener,
    const struct bind_place *place);
static void end_question(struct worker *worker, int error);
static bool has_members(const struct cluster *cluster, const struct listener *listener);
static void close_socket(
    struct cluster *cluster, const struct listener *listener, uint32_t slot, int fd);
static void resume(struct cluster *cluster, struct listener *listener);

struct listener *listeners_find(const struct cluster *cluster, const char *key)
{
	for (uint32_t i = 0; i < LIMIT_CLUSTER_LISTENERS; i++) {
		struct listener *listener = cluster->listeners[i];

		if (listener != NULL && listener->state->phase != LISTENER_NONE &&
		    strcmp(listener->state->key, key) == 0)
			return listener;
	}
	return NULL;
}

struct listener *listeners_add(
    struct cluster *cluster, const struct request *request, const char *key)
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

int listeners_need_socket(
    struct cluster *cluster, struct worker *worker, struct listener *listener, uint32_t slot)
{
	struct bind_place place = listener->state->place;
	int *fd = listeners_get_fd(listener, slot);
	unsigned port = bind_get_port(&place);
	int error = worker->bind_error;

	worker->bind_error = 0;
	if (fd == NULL)
		return -ENOMEM;
	if (*fd >= 0)
		return 0;
	if (error < 0)
		return error;
	place.reuse_port = listener->state->per_slot;
	if (port != 0 && port < cluster->options->privileged)
		return ask_engine(cluster, worker, listener, &place);
	error = bind_open(&place);
	return error < 0 ? error : take_socket(cluster, listener, slot, error);
}

int listeners_accept(struct cluster *cluster, struct listener *listener, int backlog)
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

void listeners_note_close(struct cluster *cluster, struct worker *worker, const char *key)
{
	struct listener *listener = listeners_find(cluster, key);

	if (listener == NULL || !(worker->state->member >> listener->number & 1))
		return;
	worker->state->member &= ~(1ULL << listener->number);
	listeners_adopt_slot(cluster, listener, worker->slot);
	/* One that goes does not mean it: the next one will want it. */
	if (worker->state->phase != PHASE_ONLINE)
		return;
	worker->state->listening &= ~(1ULL << listener->number);
	/* A datagram socket would stay bound until the guardian has let go of it, too. */
	if (!has_members(cluster, listener) && listener->state->place.type == SOCK_STREAM)
		listeners_close(cluster, listener);
}

void listeners_give(struct cluster *cluster, uint32_t number, uint32_t slot, int fd)
{
	struct listener *listener = number < LIMIT_CLUSTER_LISTENERS && fd >= 0 &&
					    cluster->state->listeners[number].phase == LISTENER_OPEN
					? need(cluster, number)
					: NULL;
	int *place = listener != NULL ? listeners_get_fd(listener, slot) : NULL;

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

	const int *place = listener != NULL ? listeners_get_fd(listener, slot) : NULL;
	bool is_waited_for = false;

	if (error == 0 && fd < 0)
		error = -EINVAL;
	if (error == 0 && place != NULL)
		error = take_socket(cluster, listener, slot, fd);
	else if (fd >= 0)
		close(fd);
	/* What was asked twice is there already, and the second answer says that it is in use. */
	if (place == NULL || *place >= 0)
		error = 0;
	for (uint32_t i = 0; i < LIMIT_CLUSTER_WORKERS; i++) {
		struct worker *worker = cluster->workers[i];

		if (worker == NULL || worker->asked_ns == 0 || worker->asked_for != number)
			continue;
		if (place == NULL || !listener->state->per_slot || i == slot)
			end_question(worker, error);
		else
			is_waited_for = true;
	}
	if (error < 0 && listener->state->phase == LISTENER_ASKED && !is_waited_for)
		listeners_close(cluster, listener);
}

void listeners_tell_again(struct cluster *cluster)
{
	for (uint32_t i = 0; i < LIMIT_CLUSTER_WORKERS; i++) {
		struct worker *worker = cluster->workers[i];

		if (worker == NULL || worker->asked_ns == 0)
			continue;
		worker->asked_ns = ASKED_LONG_AGO;
		workers_unblock(worker);
	}
	for (uint32_t i = 0; i < LIMIT_CLUSTER_LISTENERS; i++)
		if (cluster->listeners[i] != NULL)
			cluster->listeners[i]->hold_due = true;
}

void listeners_close_unused(struct cluster *cluster)
{
	for (uint32_t i = 0; i < LIMIT_CLUSTER_LISTENERS; i++) {
		struct listener *listener = cluster->listeners[i];

		if (listener != NULL && listener->state->phase == LISTENER_OPEN &&
		    !has_members(cluster, listener) && !expected_includes(cluster, listener)) {
			log_notice(
			    "%s: no worker listens on it any more: closed", listener->state->key);
			listeners_close(cluster, listener);
		}
	}
}

void listeners_adopt_slot(struct cluster *cluster, struct listener *listener, uint32_t slot)
{
	uint64_t bit = 1ULL << slot % 64;

	if (listener->slot_fds == NULL || listener->slot_fds[slot] < 0 ||
	    (listener->orphans[slot / 64] & bit))
		return;
	if (cluster_watch(cluster, WATCH_LISTENER, listener->number, listener->slot_fds[slot],
		EPOLLIN, true) < 0) {
		log_warning("%s: the socket of worker %u is not watched: %s", listener->state->key,
		    slot + 1, strerror(errno));
		return;
	}
	listener->orphans[slot / 64] |= bit;
	listener->ready = true;
	cluster->deal_due |= 1ULL << listener->number;
}

void listeners_return_slot(struct cluster *cluster, struct listener *listener, uint32_t slot)
{
	uint64_t bit = 1ULL << slot % 64;

	if (!(listener->orphans[slot / 64] & bit))
		return;
	cluster_unwatch(cluster, listener->slot_fds[slot]);
	listener->orphans[slot / 64] &= ~bit;
}

int listeners_next_orphan(const struct listener *listener, uint32_t from)
{
	for (uint32_t i = 0; i < LIMIT_CLUSTER_WORKERS; i++) {
		uint32_t slot = (from + i) % LIMIT_CLUSTER_WORKERS;

		if (listener->orphans[slot / 64] >> slot % 64 & 1)
			return (int)slot;
	}
	return -1;
}

void listeners_close(struct cluster *cluster, struct listener *listener)
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
		if (listener->slot_fds[i] >= 0) {
			listeners_return_slot(cluster, listener, i);
			close_socket(cluster, listener, i, listener->slot_fds[i]);
		}
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

/*
 * -EINPROGRESS.  One question a socket; whoever waits too long for its answer asks again, as an
 * engine may have had no room to send it.
 */
static int ask_engine(struct cluster *cluster, struct worker *worker, struct listener *listener,
    const struct bind_place *place)
{
	_Atomic uint32_t *phase = &listener->state->phase;
	int64_t now_ns = clock_boot_ns(), patience_ns = cluster->options->patience_ns;
	bool waits = worker->asked_ns != 0 && now_ns < worker->asked_ns + patience_ns;
	bool is_asked = worker->asked_ns == 0 && !listener->state->per_slot &&
			*phase == LISTENER_ASKED; /* by another worker */

	if (!waits && !is_asked && link_bind(cluster, listener->number, worker->slot, place) < 0) {
		worker->retry = true;
		cluster_arm(cluster, now_ns + LIMIT_CLUSTER_REFUSED_NS);
		return -EINPROGRESS;
	}
	if (!waits) {
		worker->asked_ns = now_ns;
		worker->asked_for = listener->number;
	}
	if (*phase == LISTENER_NONE)
		atomic_store(phase, LISTENER_ASKED);
	cluster_arm(cluster, worker->asked_ns + patience_ns);
	return -EINPROGRESS;
}

static void end_question(struct worker *worker, int error)
{
	worker->asked_ns = 0;
	worker->bind_error = error;
	workers_unblock(worker);
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

int *listeners_get_fd(struct listener *listener, uint32_t slot)
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
	int *place = listeners_get_fd(listener, slot);
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

static bool has_members(const struct cluster *cluster, const struct listener *listener)
{
	for (uint32_t i = 0; i < LIMIT_CLUSTER_WORKERS; i++)
		if (cluster->state->workers[i].id != 0 &&
		    (cluster->state->workers[i].member >> listener->number & 1))
			return true;
	return false;
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

	/* What is missing is opened at the next query of its slot. */
	for (uint32_t i = 0; state->per_slot && i < LIMIT_CLUSTER_WORKERS; i++)
		if (!(cluster->state->workers[i].member >> listener->number & 1))
			listeners_adopt_slot(cluster, listener, i);
	if (state->per_slot)
		return;
	if (listener->fd < 0) {
		fd = bind_open(&state->place);
		error = fd < 0 ? fd : take_socket(cluster, listener, 0, fd);
	}
	state->backlog = 0;
	if (error == 0 && !state->shared)
		error = listeners_accept(cluster, listener, backlog);
	if (error < 0) {
		log_error("%s: cannot go on listening: %s", state->key, strerror(-error));
		listeners_close(cluster, listener);
		return;
	}
	listener->ready = !state->shared;
	cluster->deal_due |= 1ULL << listener->number;
}
