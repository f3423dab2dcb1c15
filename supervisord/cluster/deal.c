/* SPDX-License-Identifier: ISC */
/* deal.c: see deal.h, accept(2). */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/ownlog.h"
#include "supervisord/cluster/deal.h"
#include "supervisord/cluster/listeners.h"
#include "supervisord/cluster/queries.h"
#include "supervisord/cluster/reply.h"
#include "supervisord/cluster/workers.h"

/* As Node: so often the same again. */
#define NACKS_MAX 3
/* After accept(2) could not for want of descriptors or memory. */
#define ACCEPT_REST_NS (100 * NS_PER_MS)

static void deal_listener(struct cluster *cluster, struct listener *listener);
static struct worker *pick(const struct cluster *cluster, const struct listener *listener);
static int take_connection(struct cluster *cluster, struct listener *listener);
static int accept_one(int listening);
static int accept_orphan(struct listener *listener);
static void offer(
    struct cluster *cluster, struct listener *listener, struct worker *worker, int fd);
static void put_back(struct cluster *cluster, struct listener *listener, int fd);
static bool is_refused_by_all(const struct cluster *cluster, const struct listener *listener);
static void rest(struct cluster *cluster, struct listener *listener, int64_t length_ns);

void deal_out(struct cluster *cluster)
{
	while (cluster->deal_due != 0) {
		int number = __builtin_ctzll(cluster->deal_due);

		cluster->deal_due &= cluster->deal_due - 1;
		if (cluster->listeners[number] != NULL)
			deal_listener(cluster, cluster->listeners[number]);
	}
}

void deal_note_ack(struct cluster *cluster, struct worker *worker)
{
	worker->handle.seq = 0;
	queries_pay(cluster, worker);
	cluster->deal_due |= worker->state->member;
}

void deal_note_nack(struct cluster *cluster, struct worker *worker)
{
	struct handle handle = worker->handle;
	struct offer *offer = &worker->offers[handle.listener];
	struct listener *listener = cluster->listeners[handle.listener];

	if (handle.seq == 0 || listener == NULL)
		return;
	worker->handle.nacks++;
	if (handle.is_reply) {
		worker->handle.seq = 0;
		if (!queries_pay_again(cluster, worker, &handle, handle.nacks < NACKS_MAX))
			log_warning("worker %u cannot be given its socket", worker->slot + 1);
		return;
	}
	if (offer->fd >= 0 && handle.nacks < NACKS_MAX) {
		reply_write_newconn(&cluster->line, listener->state->key, offer->seq);
		if (workers_send(cluster, worker, offer->fd) == 0)
			return;
	}
	worker->handle.seq = 0;
	if (offer->fd >= 0)
		put_back(cluster, listener, offer->fd);
	offer->fd = -1;
	rest(cluster, listener, LIMIT_CLUSTER_REFUSED_NS);
}

void deal_note_answer(struct cluster *cluster, struct worker *worker, int64_t ack, bool accepted)
{
	for (uint32_t i = 0; i < LIMIT_CLUSTER_LISTENERS; i++) {
		struct offer *offer = &worker->offers[i];
		struct listener *listener = cluster->listeners[i];

		if (offer->fd < 0 || offer->seq != ack || listener == NULL)
			continue;
		worker->stuck = false;
		if (accepted) {
			close(offer->fd);
			listener->refusals = 0;
		} else {
			listener->refusals++;
			put_back(cluster, listener, offer->fd);
			if (is_refused_by_all(cluster, listener))
				rest(cluster, listener, LIMIT_CLUSTER_REFUSED_NS);
		}
		offer->fd = -1;
		cluster->deal_due |= 1ULL << i;
		return;
	}
}

void deal_take_back(struct cluster *cluster, struct worker *worker)
{
	unsigned count = 0;

	for (uint32_t i = 0; i < LIMIT_CLUSTER_LISTENERS; i++) {
		struct offer *offer = &worker->offers[i];

		if (offer->fd < 0)
			continue;
		if (cluster->listeners[i] != NULL)
			put_back(cluster, cluster->listeners[i], offer->fd);
		else
			close(offer->fd);
		offer->fd = -1;
		count++;
	}
	worker->handle = (struct handle){0};
	if (count > 0)
		log_notice("worker %u is gone with %u connections unanswered: others get them",
		    worker->slot + 1, count);
}

void deal_look_at_time(struct cluster *cluster, struct listener *listener, int64_t now_ns)
{
	if (listener->rest_until_ns == 0)
		return;
	if (now_ns < listener->rest_until_ns) {
		cluster_arm(cluster, listener->rest_until_ns);
		return;
	}
	listener->rest_until_ns = 0;
	listener->refusals = 0;
	cluster->deal_due |= 1ULL << listener->number;
}

int deal_pick(const uint64_t has_room[2], uint32_t next)
{
	for (uint32_t i = 0; i < LIMIT_CLUSTER_WORKERS; i++) {
		uint32_t slot = (next + i) % LIMIT_CLUSTER_WORKERS;

		if (has_room[slot / 64] >> slot % 64 & 1)
			return (int)slot;
	}
	return -1;
}

static void deal_listener(struct cluster *cluster, struct listener *listener)
{
	if (listener->state->shared && !listener->state->per_slot)
		return;
	for (unsigned i = 0; i < LIMIT_CLUSTER_BATCH; i++) {
		struct worker *worker;
		int fd;

		if (listener->rest_until_ns != 0 ||
		    (!listener->ready && listener->waiting_count == 0))
			return;
		worker = pick(cluster, listener);
		if (worker == NULL)
			return;
		fd = take_connection(cluster, listener);
		if (fd < 0)
			return;
		listener->next = worker->slot + 1;
		offer(cluster, listener, worker, fd);
	}
	cluster->deal_due |= 1ULL << listener->number;
}

static struct worker *pick(const struct cluster *cluster, const struct listener *listener)
{
	uint64_t has_room[2] = {0};
	int slot;

	for (uint32_t i = 0; i < LIMIT_CLUSTER_WORKERS; i++)
		if (cluster->workers[i] != NULL &&
		    workers_has_room(cluster->workers[i], listener->number))
			has_room[i / 64] |= 1ULL << i % 64;
	slot = deal_pick(has_room, listener->next);
	if (slot < 0)
		return NULL;
	return cluster->workers[slot];
}

/* One that waits, or a new one.  -1: none. */
static int take_connection(struct cluster *cluster, struct listener *listener)
{
	int fd;

	if (listener->waiting_count > 0) {
		fd = listener->waiting[0];
		listener->waiting_count--;
		memmove(listener->waiting, listener->waiting + 1,
		    listener->waiting_count * sizeof(int));
		return fd;
	}
	if (listener->state->per_slot)
		fd = accept_orphan(listener);
	else
		fd = accept_one(listener->fd);
	if (fd >= 0)
		return fd;
	if (errno == EAGAIN || errno == EWOULDBLOCK) {
		listener->ready = false;
		return -1;
	}
	log_warning("%s: accept: %s", listener->state->key, strerror(errno));
	rest(cluster, listener, ACCEPT_REST_NS);
	return -1;
}

static int accept_one(int listening)
{
	int fd;

	do
		fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	while (fd < 0 && (errno == EINTR || errno == ECONNABORTED || errno == EPROTO));
	return fd;
}

/* Each in its turn.  -1 with EAGAIN: no socket that we accept on has one. */
static int accept_orphan(struct listener *listener)
{
	int first = listeners_next_orphan(listener, listener->next_orphan), slot = first;

	errno = EAGAIN;
	while (slot >= 0) {
		int fd = accept_one(listener->slot_fds[slot]);

		/* EINVAL: its worker has never listened on it. */
		if (fd >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINVAL)) {
			listener->next_orphan = (uint32_t)slot + 1;
			return fd;
		}
		slot = listeners_next_orphan(listener, (uint32_t)slot + 1);
		if (slot == first)
			break;
	}
	errno = EAGAIN;
	return -1;
}

static void offer(struct cluster *cluster, struct listener *listener, struct worker *worker, int fd)
{
	struct offer *offer = &worker->offers[listener->number];
	int64_t seq = cluster_next_seq(cluster), now_ns;

	reply_write_newconn(&cluster->line, listener->state->key, seq);
	if (workers_send(cluster, worker, fd) < 0) {
		put_back(cluster, listener, fd);
		/* Another may have room; of one whose channel has ended its end will tell. */
		if (worker->full)
			cluster->deal_due |= 1ULL << listener->number;
		else
			rest(cluster, listener, LIMIT_CLUSTER_REFUSED_NS);
		return;
	}
	now_ns = clock_boot_ns();
	*offer = (struct offer){.fd = fd, .seq = seq, .since_ns = now_ns};
	worker->handle = (struct handle){.seq = seq, .listener = listener->number};
	cluster_arm(cluster, now_ns + cluster->options->patience_ns);
}

/* As many as there are offers can come back. */
static void put_back(struct cluster *cluster, struct listener *listener, int fd)
{
	if (listener->waiting_count == LIMIT_CLUSTER_WORKERS) {
		close(fd);
		return;
	}
	listener->waiting[listener->waiting_count++] = fd;
	cluster->deal_due |= 1ULL << listener->number;
}

static bool is_refused_by_all(const struct cluster *cluster, const struct listener *listener)
{
	uint32_t members = 0;

	for (uint32_t i = 0; i < LIMIT_CLUSTER_WORKERS; i++)
		if (cluster->workers[i] != NULL &&
		    cluster->workers[i]->state->phase == PHASE_ONLINE &&
		    (cluster->workers[i]->state->member >> listener->number & 1))
			members++;
	return listener->refusals >= members;
}

static void rest(struct cluster *cluster, struct listener *listener, int64_t length_ns)
{
	listener->rest_until_ns = clock_boot_ns() + length_ns;
	cluster_arm(cluster, listener->rest_until_ns);
}
