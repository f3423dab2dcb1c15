/* SPDX-License-Identifier: ISC */
/* world.h: a primary without its loop: state in ordinary memory, workers that are the test, and the
 * engine's end of the link. */
#ifndef TESTS_CLUSTER_WORLD_H
#define TESTS_CLUSTER_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/channel.h"
#include "lib/clock.h"
#include "supervisord/cluster/cluster.h"
#include "supervisord/cluster/deal.h"
#include "supervisord/cluster/expected.h"
#include "supervisord/cluster/link.h"
#include "supervisord/cluster/listeners.h"
#include "supervisord/cluster/queries.h"
#include "supervisord/cluster/workers.h"

#define WORLD_WORKERS 4

static struct cluster *cluster;
static struct cluster_options options;
static int world_engine;               /* our end of the link */
static int world_peers[WORLD_WORKERS]; /* the other ends of the workers' channels; -1: none */
static char world_heard[8192];         /* the line that world_hear() took */

static inline int world_set_up(void **state)
{
	const char *problem;
	int link[2];

	(void)state;
	memset(&options, 0, sizeof(options));
	options.mode = MODE_ROUND_ROBIN;
	options.privileged = 1024;
	options.patience_ns = LIMIT_CLUSTER_STUCK_NS;
	options.rule_count = 1;
	assert_int_equal(listen_rule_parse("tcp:*", &options.rules[0], &problem), 0);
	assert_int_equal(channel_pair(link), 0);
	/* Its number is fixed. */
	assert_int_equal(dup2(link[0], FD_CLUSTER_LINK), FD_CLUSTER_LINK);
	if (link[0] != FD_CLUSTER_LINK)
		close(link[0]);
	world_engine = link[1];
	cluster = calloc(1, sizeof(*cluster));
	assert_non_null(cluster);
	cluster->options = &options;
	cluster->state = calloc(1, sizeof(*cluster->state));
	assert_non_null(cluster->state);
	cluster->given = true;
	cluster->deadline_ns = INT64_MAX;
	cluster->epoll = epoll_create1(EPOLL_CLOEXEC);
	jsonw_init(&cluster->line, LIMIT_IPC_LINE + 1);
	request_reader_init(&cluster->reader);
	memset(world_peers, 0xff, sizeof(world_peers));
	return 0;
}

static inline int world_tear_down(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < WORLD_WORKERS; i++)
		if (world_peers[i] >= 0)
			close(world_peers[i]);
	for (uint32_t i = 0; i < LIMIT_CLUSTER_LISTENERS; i++)
		if (cluster->listeners[i] != NULL)
			listeners_close(cluster, cluster->listeners[i]);
	for (uint32_t i = 0; i < LIMIT_CLUSTER_WORKERS; i++) {
		struct worker *worker = cluster->workers[i];

		if (worker != NULL && worker->fd >= 0)
			close(worker->fd);
		for (uint32_t k = 0; worker != NULL && k < LIMIT_CLUSTER_LISTENERS; k++)
			if (worker->offers[k].fd >= 0)
				close(worker->offers[k].fd);
		free(worker);
	}
	jsonw_done(&cluster->line);
	request_reader_done(&cluster->reader);
	close(cluster->epoll);
	close(world_engine);
	close(FD_CLUSTER_LINK);
	free(cluster->state);
	free(cluster);
	return 0;
}

/* A run in that slot. */
static inline struct worker *world_begin(uint32_t slot, uint64_t id)
{
	int channel[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel), 0);
	if (world_peers[slot] >= 0)
		close(world_peers[slot]);
	world_peers[slot] = channel[1];
	workers_begin(cluster, slot, id, channel[0]);
	assert_non_null(cluster->workers[slot]);
	return cluster->workers[slot];
}

/* It says that, and the primary reads it. */
static inline void world_say(uint32_t slot, const char *text)
{
	struct worker *worker = cluster->workers[slot];

	assert_int_equal(write(world_peers[slot], text, strlen(text)), strlen(text));
	worker->readable = true;
	workers_read(cluster, worker);
}

static inline void world_ask(uint32_t slot, const char *act, unsigned port, int seq)
{
	char text[256];

	(void)snprintf(text, sizeof(text),
	    "{\"cmd\":\"NODE_CLUSTER\",\"act\":\"%s\",\"address\":\"127.0.0.1\",\"port\":%u,"
	    "\"addressType\":4,\"index\":0,\"seq\":%d}\n",
	    act, port, seq);
	world_say(slot, text);
}

/* What it is told next, into world_heard; *ret_fd: a socket with it, or -1.  False: nothing. */
static inline bool world_hear(uint32_t slot, int *ret_fd)
{
	size_t length = 0;

	*ret_fd = -1;
	for (;;) {
		union {
			struct cmsghdr align;
			unsigned char space[CMSG_SPACE(sizeof(int))];
		} control = {0};
		struct iovec part = {.iov_base = world_heard + length, .iov_len = 1};
		struct msghdr header = {.msg_iov = &part,
		    .msg_iovlen = 1,
		    .msg_control = &control,
		    .msg_controllen = sizeof(control.space)};

		if (recvmsg(world_peers[slot], &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
			break;
		if (CMSG_FIRSTHDR(&header) != NULL)
			memcpy(ret_fd, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof(int));
		if (world_heard[length] == '\n')
			break;
		length++;
		assert_true(length < sizeof(world_heard) - 1);
	}
	world_heard[length] = '\0';
	return length > 0;
}

static inline void world_expect(uint32_t slot, const char *part)
{
	int fd;

	assert_true(world_hear(slot, &fd));
	if (fd >= 0)
		close(fd);
	if (strstr(world_heard, part) == NULL)
		fail_msg("it heard %s, not %s", world_heard, part);
}

static inline void world_expect_silence(uint32_t slot)
{
	int fd;

	if (world_hear(slot, &fd))
		fail_msg("it heard %s", world_heard);
}

/* Whether the engine is told that, among what it is told now; *ret_fd as above. */
static inline bool world_told(enum link_type type, uint32_t slot, int *ret_fd)
{
	static char payload[LIMIT_IPC_LINE];
	struct msg_head head;
	size_t length;
	bool found = false;
	int fd;

	link_flush(cluster);
	*ret_fd = -1;
	while (channel_receive_long(world_engine, &head, payload, sizeof(payload), &length, &fd,
		   MSG_DONTWAIT) == 1) {
		if (head.type == type && head.slot == slot && !found) {
			found = true;
			*ret_fd = fd;
		} else if (fd >= 0) {
			close(fd);
		}
	}
	return found;
}

static inline bool world_is_told(enum link_type type, uint32_t slot)
{
	int fd;
	bool found = world_told(type, slot, &fd);

	if (fd >= 0)
		close(fd);
	return found;
}

/* One that is online and listens on that port (0: a free one, of index 0). */
static inline struct worker *world_listen(uint32_t slot, uint64_t id, unsigned port)
{
	struct worker *worker = world_begin(slot, id);

	world_say(slot, "{\"cmd\":\"NODE_CLUSTER\",\"act\":\"online\",\"seq\":1}\n");
	world_ask(slot, "queryServer", port, 2);
	world_expect(slot, "\"ack\":2");
	world_ask(slot, "listening", port, 3);
	return worker;
}

/* The port of the first listener. */
static inline unsigned world_port(void)
{
	assert_non_null(cluster->listeners[0]);
	return bind_get_port(&cluster->listeners[0]->state->place);
}

/* A client that has connected to the first listener, which knows. */
static inline int world_connect(void)
{
	const struct bind_place *place = &cluster->listeners[0]->state->place;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&place->address, place->length), 0);
	cluster->listeners[0]->ready = true;
	cluster->deal_due |= 1;
	return fd;
}

/* Let what takes time happen as if so much had passed. */
static inline void world_pass(int64_t length_ns)
{
	int64_t now_ns = clock_boot_ns() + length_ns;

	for (uint32_t i = 0; i < LIMIT_CLUSTER_WORKERS; i++)
		if (cluster->workers[i] != NULL)
			workers_look_at_time(cluster, cluster->workers[i], now_ns);
	for (uint32_t i = 0; i < LIMIT_CLUSTER_LISTENERS; i++)
		if (cluster->listeners[i] != NULL)
			deal_look_at_time(cluster, cluster->listeners[i], now_ns);
	deal_out(cluster);
}

#endif
