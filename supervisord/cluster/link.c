/* SPDX-License-Identifier: ISC */
/* link.c: see link.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/channel.h"
#include "lib/ownlog.h"
#include "supervisord/cluster/link.h"
#include "supervisord/cluster/listeners.h"
#include "supervisord/cluster/workers.h"

static void take(struct cluster *cluster, const struct msg_head *head, size_t length, int fd);
static void hold_again(struct cluster *cluster, struct listener *listener);
static struct worker *find(const struct cluster *cluster, const struct msg_head *head);
static int send_head(struct cluster *cluster, const struct msg_head *head, const void *payload,
    size_t length, int fd);

int link_read(struct cluster *cluster)
{
	struct msg_head head;
	size_t length;
	int got, fd;

	for (;;) {
		got = channel_receive_long(FD_CLUSTER_LINK, &head, cluster->payload,
		    sizeof(cluster->payload), &length, &fd, MSG_DONTWAIT);
		if (got == -EAGAIN)
			return 0;
		if (got == 0 || got == -ECONNRESET)
			return -EPIPE;
		if (got == -EBADMSG)
			log_error("a message of the engine was cut");
		else if (got < 0)
			return got;
		else
			take(cluster, &head, length, fd);
	}
}

void link_flush(struct cluster *cluster)
{
	static const enum link_type types[] = {
	    LINK_ONLINE, LINK_LISTENING, LINK_LEAVING, LINK_CLOSED, LINK_STUCK};

	for (uint32_t i = 0; i < LIMIT_CLUSTER_LISTENERS && !cluster->link_full; i++)
		if (cluster->listeners[i] != NULL && cluster->listeners[i]->hold_due)
			hold_again(cluster, cluster->listeners[i]);
	for (uint32_t i = 0; i < LIMIT_CLUSTER_WORKERS && !cluster->link_full; i++) {
		struct worker *worker = cluster->workers[i];

		for (unsigned bit = 0; worker != NULL && worker->due >> bit != 0; bit++) {
			struct msg_head head = {
			    .type = types[bit], .slot = i, .key = worker->state->id};
			if (head.type == LINK_STUCK)
				head.value = worker->state->phase == PHASE_CLOSED;

			if (!(worker->due >> bit & 1))
				continue;
			if (send_head(cluster, &head, NULL, 0, -1) < 0)
				return;
			worker->due &= ~(1U << bit);
		}
	}
}

void link_hold(struct cluster *cluster, uint32_t listener, uint32_t slot, int fd)
{
	struct msg_head head = {.type = LINK_HOLD, .slot = listener, .key = slot};

	if (send_head(cluster, &head, NULL, 0, fd) < 0)
		cluster->listeners[listener]->hold_due = true;
}

void link_unhold(struct cluster *cluster, uint32_t listener, uint32_t slot)
{
	struct msg_head head = {.type = LINK_UNHOLD, .slot = listener, .key = slot};

	(void)send_head(cluster, &head, NULL, 0, -1);
}

int link_bind(
    struct cluster *cluster, uint32_t listener, uint32_t slot, const struct bind_place *place)
{
	struct msg_head head = {.type = LINK_BIND, .slot = listener, .key = slot};
	struct link_bind wish = {
	    .address = place->address,
	    .length = place->length,
	    .type = place->type,
	    .v6_only = place->v6_only,
	    .reuse_address = place->reuse_address,
	    .reuse_port = place->reuse_port,
	};

	return send_head(cluster, &head, &wish, sizeof(wish), -1);
}

void link_pass_message(
    struct cluster *cluster, const struct worker *worker, const char *line, size_t length)
{
	struct msg_head head = {
	    .type = LINK_MESSAGE, .slot = worker->slot, .key = worker->state->id};

	if (send_head(cluster, &head, line, length, -1) < 0)
		log_warning(
		    "worker %u: a message is dropped: the engine takes none now", worker->slot + 1);
}

static void take(struct cluster *cluster, const struct msg_head *head, size_t length, int fd)
{
	struct worker *worker = find(cluster, head);
	const char *payload = cluster->payload;

	switch (head->type) {
	case LINK_WORKER:
		workers_begin(cluster, head->slot, head->key, fd);
		return;
	case LINK_LISTENER:
		listeners_give(cluster, head->slot, (uint32_t)head->key, fd);
		return;
	case LINK_BOUND:
		listeners_note_bound(
		    cluster, head->slot, (uint32_t)head->key, (int)head->value, fd);
		return;
	case LINK_GIVEN:
		if (!cluster->given)
			listeners_resume(cluster);
		cluster->given = true;
		break;
	case LINK_DISCONNECT:
		if (worker != NULL)
			workers_disconnect(cluster, worker, head->value);
		break;
	case LINK_GONE:
		if (worker != NULL)
			workers_end(cluster, worker);
		break;
	case LINK_SEND:
		if (worker != NULL)
			workers_send_message(cluster, worker, payload, length);
		break;
	case LINK_TELL:
		listeners_tell_again(cluster);
		for (uint32_t i = 0; i < LIMIT_CLUSTER_WORKERS; i++)
			if (cluster->workers[i] != NULL)
				workers_tell(cluster->workers[i]);
		break;
	case LINK_SETTLED:
		listeners_close_unused(cluster);
		break;
	default: /* of a newer engine */
		log_warning("message %u of the engine is not understood", head->type);
		break;
	}
	if (fd >= 0)
		close(fd);
}

static void hold_again(struct cluster *cluster, struct listener *listener)
{
	listener->hold_due = false;
	if (listener->fd >= 0)
		link_hold(cluster, listener->number, 0, listener->fd);
	for (uint32_t i = 0; listener->slot_fds != NULL && i < LIMIT_CLUSTER_WORKERS; i++)
		if (listener->slot_fds[i] >= 0)
			link_hold(cluster, listener->number, i, listener->slot_fds[i]);
}

static struct worker *find(const struct cluster *cluster, const struct msg_head *head)
{
	struct worker *worker =
	    head->slot < LIMIT_CLUSTER_WORKERS ? cluster->workers[head->slot] : NULL;

	return worker != NULL && worker->state->id == head->key ? worker : NULL;
}

static int send_head(struct cluster *cluster, const struct msg_head *head, const void *payload,
    size_t length, int fd)
{
	int error = channel_send_long(FD_CLUSTER_LINK, head, payload, length, fd, MSG_DONTWAIT);

	if (error == -EAGAIN && !cluster->link_full) {
		cluster->link_full = true;
		(void)cluster_watch(
		    cluster, WATCH_LINK, 0, FD_CLUSTER_LINK, EPOLLIN | EPOLLOUT, false);
	}
	return error;
}
