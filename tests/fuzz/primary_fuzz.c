/* SPDX-License-Identifier: ISC */
/*
 * primary_fuzz.c: libFuzzer target: the primary of a cluster between workers that say anything, an
 * engine that says anything, clients that come and time that passes.  What a worker hears is a line
 * of JSON each time, with a socket where it says so; no descriptor is left behind.
 *
 * Links supervisord/cluster but main.c, compiled with clang -fsanitize=fuzzer,address,undefined.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/channel.h"
#include "lib/clock.h"
#include "lib/ownlog.h"
#include "supervisord/cluster/cluster.h"
#include "supervisord/cluster/deal.h"
#include "supervisord/cluster/link.h"
#include "supervisord/cluster/listeners.h"
#include "supervisord/cluster/queries.h"
#include "supervisord/cluster/workers.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WORKERS 3

static struct cluster_options options;
static struct cluster *cluster;
static struct jsonr json;
static int engine, peers[WORKERS];
static uint64_t runs;
static char heard[LIMIT_IPC_LINE * 2];

static void require(int holds)
{
	if (!holds)
		abort();
}

/* The number of the link is nobody else's: the symbolizer takes what is free. */
static void keep_number(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	require(fd >= 0 && dup2(fd, FD_CLUSTER_LINK) == FD_CLUSTER_LINK);
	if (fd != FD_CLUSTER_LINK)
		close(fd);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	keep_number();
	return 0;
}

static void set_up(uint8_t mode)
{
	static const char *const rules[] = {"tcp:127.0.0.1:0", "udp:127.0.0.1:0", "tcp:81-90"};
	const char *problem;
	int link[2];

	ownlog_init("fuzz", OWNLOG_ERROR);
	memset(&options, 0, sizeof(options));
	options.mode = (enum cluster_mode)(mode % 3);
	options.privileged = 1024;
	options.patience_ns = LIMIT_CLUSTER_STUCK_NS;
	for (size_t i = 0; i < 3; i++)
		require(listen_rule_parse(rules[i], &options.rules[i], &problem) == 0);
	options.rule_count = 3;
	require(channel_pair(link) == 0);
	require(dup2(link[0], FD_CLUSTER_LINK) == FD_CLUSTER_LINK);
	close(link[0]);
	engine = link[1];
	cluster = calloc(1, sizeof(*cluster));
	cluster->options = &options;
	/* 17 MB, of which little is touched. */
	cluster->state = mmap(NULL, sizeof(*cluster->state), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	require(cluster->state != MAP_FAILED);
	cluster->given = !(mode & 128);
	cluster->deadline_ns = INT64_MAX;
	cluster->epoll = epoll_create1(EPOLL_CLOEXEC);
	jsonw_init(&cluster->line, LIMIT_IPC_LINE + 1);
	request_reader_init(&cluster->reader);
	memset(peers, 0xff, sizeof(peers));
}

static void tear_down(void)
{
	for (uint32_t i = 0; i < WORKERS; i++)
		if (peers[i] >= 0)
			close(peers[i]);
	for (uint32_t i = 0; i < LIMIT_CLUSTER_WORKERS; i++) {
		if (cluster->workers[i] == NULL)
			continue;
		workers_end(cluster, cluster->workers[i]);
		if (cluster->workers[i]->fd >= 0)
			close(cluster->workers[i]->fd);
	}
	for (uint32_t i = 0; i < LIMIT_CLUSTER_LISTENERS; i++)
		if (cluster->listeners[i] != NULL)
			listeners_close(cluster, cluster->listeners[i]);
	for (uint32_t i = 0; i < LIMIT_CLUSTER_WORKERS; i++)
		free(cluster->workers[i]);
	jsonw_done(&cluster->line);
	request_reader_done(&cluster->reader);
	close(cluster->epoll);
	close(engine);
	keep_number();
	munmap(cluster->state, sizeof(*cluster->state));
	free(cluster);
}

static void begin(uint32_t slot, int again)
{
	int channel[2];

	require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) == 0);
	if (peers[slot] >= 0)
		close(peers[slot]);
	peers[slot] = channel[1];
	runs += !again;
	workers_begin(cluster, slot, runs, channel[0]);
}

/* Each line is JSON; a message with a handle has its one socket.  Sockets come with the first byte
 * of theirs, and a read ends behind what it came with. */
static void listen_to(uint32_t slot)
{
	static int fds_due;
	size_t length = 0;
	ssize_t got;

	fds_due = 0;
	do {
		union {
			struct cmsghdr align;
			unsigned char space[CMSG_SPACE(sizeof(int) * 4)];
		} control = {0};
		struct iovec part = {.iov_base = heard + length, .iov_len = sizeof(heard) - length};
		struct msghdr header = {.msg_iov = &part,
		    .msg_iovlen = 1,
		    .msg_control = &control,
		    .msg_controllen = sizeof(control.space)};

		got = recvmsg(peers[slot], &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (got > 0 && CMSG_FIRSTHDR(&header) != NULL) {
			int fd;

			require(CMSG_FIRSTHDR(&header)->cmsg_len == CMSG_LEN(sizeof(int)));
			memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof(fd));
			close(fd);
			fds_due++;
		}
		length += got > 0 ? (size_t)got : 0;
	} while (got > 0 && length < sizeof(heard));
	for (size_t at = 0; at < length;) {
		char *end = memchr(heard + at, '\n', length - at);

		require(end != NULL && end > heard + at);
		*end = '\0';
		if (strncmp(heard + at, "{\"cmd\":\"NODE_HANDLE\",", 21) == 0)
			fds_due--;
		require(jsonr_parse(&json, heard + at, (size_t)(end - heard) - at, 64) == 0);
		at = (size_t)(end - heard) + 1;
	}
	require(fds_due == 0);
}

static void drain_link(void)
{
	static char payload[LIMIT_IPC_LINE];
	struct msg_head head;
	size_t length;
	int fd;

	cluster->link_full = false;
	link_flush(cluster);
	while (channel_receive_long(
		   engine, &head, payload, sizeof(payload), &length, &fd, MSG_DONTWAIT) > 0)
		if (fd >= 0)
			close(fd);
}

static void connect_client(uint8_t number)
{
	struct listener *listener = cluster->listeners[number % LIMIT_CLUSTER_LISTENERS];
	int fd;

	if (listener == NULL || listener->state->place.type != SOCK_STREAM ||
	    listener->state->place.address.ss_family != AF_INET)
		return;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	(void)connect(fd, (const struct sockaddr *)&listener->state->place.address,
	    listener->state->place.length);
	close(fd);
	listener->ready = true;
	cluster->deal_due |= 1ULL << listener->number;
}

static void pass(int64_t length_ns)
{
	int64_t now_ns = clock_boot_ns() + length_ns;

	for (uint32_t i = 0; i < LIMIT_CLUSTER_WORKERS; i++)
		if (cluster->workers[i] != NULL)
			workers_look_at_time(cluster, cluster->workers[i], now_ns);
	for (uint32_t i = 0; i < LIMIT_CLUSTER_LISTENERS; i++)
		if (cluster->listeners[i] != NULL)
			deal_look_at_time(cluster, cluster->listeners[i], now_ns);
}

/* What the engine pleases to say; but it only passes JSON on. */
static void say_as_engine(uint8_t type, uint8_t slot, uint8_t key, const uint8_t *text, size_t size)
{
	struct msg_head head = {.type = 128U + type % 10U,
	    .slot = slot,
	    .key = key & 1 ? runs : key,
	    .value = key & 2 ? -98 : key * NS_PER_MS};
	int fd = key & 4 ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;

	if (head.type == LINK_SEND) {
		text = (const uint8_t *)"[7]";
		size = 3;
	}
	(void)channel_send_long(engine, &head, text, size, fd, MSG_DONTWAIT);
	if (fd >= 0)
		close(fd);
	(void)link_read(cluster);
}

/* One act; returns how much of the input it took. */
static size_t act(const uint8_t *data, size_t size)
{
	uint8_t slot = data[1] % WORKERS;
	struct worker *worker = cluster->workers[slot];
	const uint8_t *end = memchr(data, '\n', size);
	size_t length = end != NULL ? (size_t)(end - data) + 1 : size;

	switch (data[0] % 8) {
	case 0:
		begin(slot, data[1] & 128);
		return 2;
	case 1:
		if (worker != NULL && data[1] & 128)
			workers_end(cluster, worker);
		else if (worker != NULL)
			workers_disconnect(cluster, worker, data[1] * NS_PER_MS);
		return 2;
	case 2:
		pass(data[1] * 100 * NS_PER_MS);
		return 2;
	case 3:
		connect_client(data[1]);
		return 2;
	case 4:
		if (size < 4)
			return size;
		say_as_engine(data[1], data[2], data[3], data + 4, size - 4 < 100 ? size - 4 : 100);
		return 4;
	default:
		if (length > 2 && peers[slot] >= 0 && worker != NULL &&
		    send(peers[slot], data + 2, length - 2, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
			worker->readable = true;
		return length > 2 ? length : 2;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int first;

	if (size < 4 || size > 4096)
		return 0;
	first = open("/dev/null", O_RDONLY | O_CLOEXEC);
	set_up(data[0]);
	data++;
	size--;
	begin(0, 0);
	begin(1, 0);
	while (size >= 2) {
		size_t taken = act(data, size);

		data += taken;
		size -= taken;
		for (uint32_t i = 0; i < WORKERS; i++)
			if (cluster->workers[i] != NULL)
				workers_read(cluster, cluster->workers[i]);
		deal_out(cluster);
		for (uint32_t i = 0; i < WORKERS; i++)
			if (peers[i] >= 0)
				listen_to(i);
		drain_link();
	}
	tear_down();
	close(first);
	require(open("/dev/null", O_RDONLY | O_CLOEXEC) == first);
	close(first);
	return 0;
}
