/* SPDX-License-Identifier: ISC */
/*
 * cluster.c: see cluster.h.
 *
 * Everything is edge-triggered: a flag remembers that there may be something to read or accept, so
 * a listening socket whose workers are all busy costs nothing, and neither does one nobody connects
 * to.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/ownlog.h"
#include "supervisord/cluster/cluster.h"
#include "supervisord/cluster/deal.h"
#include "supervisord/cluster/link.h"
#include "supervisord/cluster/listeners.h"
#include "supervisord/cluster/workers.h"

#define EVENTS 64
/* Messages that one start may send; the next one begins behind them. */
#define SEQ_BLOCK (1LL << 32)

static int set_up(struct cluster *cluster);
static void forget(struct cluster *cluster);
static int take_turn(struct cluster *cluster);
static int get_timeout(const struct cluster *cluster);
static bool is_busy(const struct cluster *cluster);
static void look_at_time(struct cluster *cluster);
static int dispatch(struct cluster *cluster, const struct epoll_event *event);

int cluster_run(const struct cluster_options *options)
{
	struct cluster *cluster = calloc(1, sizeof(*cluster));
	int error;

	if (cluster == NULL)
		return EXIT_FAILURE;
	cluster->options = options;
	error = set_up(cluster);
	while (error == 0)
		error = take_turn(cluster);
	if (error != -EPIPE)
		log_error("%s", strerror(-error));
	forget(cluster);
	return error == -EPIPE ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Not for the kernel's sake: so that a leak checker sees only what was really forgotten. */
static void forget(struct cluster *cluster)
{
	for (size_t i = 0; i < LIMIT_CLUSTER_WORKERS; i++)
		free(cluster->workers[i]);
	for (size_t i = 0; i < LIMIT_CLUSTER_LISTENERS; i++) {
		if (cluster->listeners[i] != NULL)
			free(cluster->listeners[i]->slot_fds);
		free(cluster->listeners[i]);
	}
	jsonw_done(&cluster->line);
	request_reader_done(&cluster->reader);
	free(cluster);
}

void cluster_arm(struct cluster *cluster, int64_t deadline_ns)
{
	if (deadline_ns < cluster->deadline_ns)
		cluster->deadline_ns = deadline_ns;
}

int64_t cluster_next_seq(struct cluster *cluster)
{
	return ++cluster->state->seq;
}

int cluster_watch(struct cluster *cluster, enum watch_kind kind, uint32_t number, int fd,
    uint32_t events, bool is_new)
{
	struct epoll_event event = {
	    .events = events | EPOLLET, .data.u64 = (uint64_t)kind << 32 | number};

	return epoll_ctl(cluster->epoll, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) < 0
		   ? -errno
		   : 0;
}

void cluster_unwatch(const struct cluster *cluster, int fd)
{
	(void)epoll_ctl(cluster->epoll, EPOLL_CTL_DEL, fd, NULL);
}

static int set_up(struct cluster *cluster)
{
	bool is_new;
	int error = state_open(
	    FD_CLUSTER_STATE, (uint32_t)cluster->options->mode, &cluster->state, &is_new);

	if (error < 0)
		return error;
	cluster->state->seq += SEQ_BLOCK;
	cluster->deadline_ns = INT64_MAX;
	jsonw_init(&cluster->line, LIMIT_IPC_LINE + 1);
	request_reader_init(&cluster->reader);
	cluster->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (cluster->epoll < 0)
		return -errno;
	return cluster_watch(cluster, WATCH_LINK, 0, FD_CLUSTER_LINK, EPOLLIN, true);
}

static int take_turn(struct cluster *cluster)
{
	struct epoll_event events[EVENTS];
	int count = epoll_wait(cluster->epoll, events, EVENTS, get_timeout(cluster));
	int error = 0;

	if (count < 0 && errno != EINTR)
		return -errno;
	for (int i = 0; i < count && error == 0; i++)
		error = dispatch(cluster, &events[i]);
	if (error < 0 || !cluster->given)
		return error;
	for (uint32_t i = 0; i < LIMIT_CLUSTER_WORKERS; i++)
		if (cluster->workers[i] != NULL)
			workers_read(cluster, cluster->workers[i]);
	if (clock_boot_ns() >= cluster->deadline_ns)
		look_at_time(cluster);
	deal_out(cluster);
	link_flush(cluster);
	return 0;
}

static int get_timeout(const struct cluster *cluster)
{
	int64_t left;

	if (is_busy(cluster))
		return 0;
	if (cluster->deadline_ns == INT64_MAX)
		return -1;
	left = (cluster->deadline_ns - clock_boot_ns() + NS_PER_MS - 1) / NS_PER_MS;
	return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

/* One that was put off for the sake of the others. */
static bool is_busy(const struct cluster *cluster)
{
	if (!cluster->given)
		return false;
	for (uint32_t i = 0; i < LIMIT_CLUSTER_WORKERS; i++)
		if (cluster->workers[i] != NULL && cluster->workers[i]->readable &&
		    !cluster->workers[i]->blocked)
			return true;
	return false;
}

static void look_at_time(struct cluster *cluster)
{
	int64_t now_ns = clock_boot_ns();

	cluster->deadline_ns = INT64_MAX;
	for (uint32_t i = 0; i < LIMIT_CLUSTER_WORKERS; i++)
		if (cluster->workers[i] != NULL)
			workers_look_at_time(cluster, cluster->workers[i], now_ns);
	for (uint32_t i = 0; i < LIMIT_CLUSTER_LISTENERS; i++)
		if (cluster->listeners[i] != NULL)
			deal_look_at_time(cluster, cluster->listeners[i], now_ns);
}

static int dispatch(struct cluster *cluster, const struct epoll_event *event)
{
	uint32_t number = (uint32_t)event->data.u64;

	switch ((enum watch_kind)(event->data.u64 >> 32)) {
	case WATCH_LINK:
		if (event->events & EPOLLOUT)
			cluster->link_full = false;
		return event->events & (EPOLLIN | EPOLLHUP | EPOLLERR) ? link_read(cluster) : 0;
	case WATCH_WORKER:
		if (cluster->workers[number] != NULL)
			workers_note_event(cluster, cluster->workers[number],
			    (event->events & EPOLLOUT) != 0,
			    (event->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
		break;
	case WATCH_LISTENER:
		if (cluster->listeners[number] != NULL) {
			cluster->listeners[number]->ready = true;
			cluster->deal_due |= 1ULL << number;
		}
		break;
	}
	return 0;
}
