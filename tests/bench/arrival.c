/* SPDX-License-Identifier: ISC */
/*
 * arrival.c: how long a line takes from the write(2) of its program to the file:
 *
 *   arrival MS FILE...
 *
 * The lines are those of `stamp … chat`: each begins with the time at which it was written.  The
 * files are watched (inotify(7)) for MS milliseconds; a line that has come is read at once.  Prints
 * the latency of each in ns, one a line.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "lib/clock.h"

#define ARRIVAL_FILES 64
#define ARRIVAL_LINE  100
#define ARRIVAL_MOST  (1 << 20)

struct arrival {
	int fd;
	int watch;
	off_t at;
};

static struct arrival arrivals[ARRIVAL_FILES];
static int64_t latencies[ARRIVAL_MOST];
static size_t latency_count;

static int arrival_open(int notify, const char *path, struct arrival *ret_arrival)
{
	struct arrival arrival = {.fd = open(path, O_RDONLY | O_CLOEXEC)};

	if (arrival.fd < 0)
		return -errno;
	arrival.watch = inotify_add_watch(notify, path, IN_MODIFY);
	if (arrival.watch < 0)
		return -errno;
	arrival.at = lseek(arrival.fd, 0, SEEK_END) / ARRIVAL_LINE * ARRIVAL_LINE;
	*ret_arrival = arrival;
	return 0;
}

static void arrival_read(struct arrival *arrival)
{
	char line[ARRIVAL_LINE + 1];

	line[ARRIVAL_LINE] = '\0';
	while (latency_count < ARRIVAL_MOST &&
	       pread(arrival->fd, line, ARRIVAL_LINE, arrival->at) == ARRIVAL_LINE) {
		latencies[latency_count++] =
		    clock_read_ns(CLOCK_MONOTONIC) - strtoll(line, NULL, 10);
		arrival->at += ARRIVAL_LINE;
	}
}

static void arrival_serve(int notify, int count)
{
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t got = read(notify, events, sizeof(events));

	for (ssize_t at = 0; at < got;) {
		struct inotify_event event;

		memcpy(&event, events + at, sizeof(event));
		for (int i = 0; i < count; i++)
			if (arrivals[i].watch == event.wd)
				arrival_read(&arrivals[i]);
		at += (ssize_t)(sizeof(event) + event.len);
	}
}

int main(int argc, char **argv)
{
	int notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), count = argc - 2;
	struct pollfd poller = {.fd = notify, .events = POLLIN};
	int64_t end;

	if (argc < 3 || count > ARRIVAL_FILES || notify < 0) {
		fprintf(stderr, "usage: arrival MS FILE...\n");
		return 2;
	}
	for (int i = 0; i < count; i++) {
		int r = arrival_open(notify, argv[i + 2], &arrivals[i]);

		if (r < 0) {
			fprintf(stderr, "arrival: %s: %s\n", argv[i + 2], strerror(-r));
			return 1;
		}
	}
	end = clock_read_ns(CLOCK_MONOTONIC) + strtol(argv[1], NULL, 10) * NS_PER_MS;
	while (clock_read_ns(CLOCK_MONOTONIC) < end)
		if (poll(&poller, 1, 10) > 0)
			arrival_serve(notify, count);
	for (size_t i = 0; i < latency_count; i++)
		printf("%" PRId64 "\n", latencies[i]);
	return 0;
}
