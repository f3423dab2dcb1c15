/* SPDX-License-Identifier: ISC */
/*
 * gone.c: runs the stop command of a supervisor and waits until every process is gone:
 *
 *   gone TIMEOUT_MS COMMAND... <PIDS
 *
 * Prints: ns until the last of the processes had ended, ns the command took, exit status of the
 * command, number of processes that were still there at the deadline.
 *
 * The processes are waited for one after another in the order given: the supervisor's own come
 * first, so that in the usual case one poll(2) sleeps through everything and disturbs nothing.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "tests/bench/client.h"

#define GONE_MAX 16384

/* A process that is gone already (ESRCH) needs no waiting. */
static int gone_read_pids(int *fds, size_t max, size_t *ret_count)
{
	size_t count = 0;
	long pid;

	while (scanf("%ld", &pid) == 1) {
		int fd = client_open_pidfd((pid_t)pid);

		if (fd == -ESRCH)
			continue;
		if (fd < 0)
			return fd;
		if (count == max) {
			close(fd);
			return -E2BIG;
		}
		fds[count++] = fd;
	}
	*ret_count = count;
	return 0;
}

int main(int argc, char **argv)
{
	static int fds[GONE_MAX];
	int timeout_ms = argc > 2 ? (int)strtol(argv[1], NULL, 10) : 0;
	struct client_result result;
	struct client_run run;
	size_t count, left = 0;
	int64_t ended;
	int r;

	if (timeout_ms <= 0) {
		fprintf(stderr, "usage: gone TIMEOUT_MS COMMAND... <PIDS\n");
		return 2;
	}
	r = gone_read_pids(fds, GONE_MAX, &count);
	if (r == 0)
		r = client_start(argv + 2, &run);
	if (r < 0) {
		fprintf(stderr, "gone: %s\n", strerror(-r));
		return 1;
	}
	for (size_t i = 0; i < count; i++)
		left += client_await_end(fds[i], run.begin_ns + timeout_ms * NS_PER_MS) < 0;
	ended = clock_read_ns(CLOCK_MONOTONIC) - run.begin_ns;
	r = client_wait(&run, timeout_ms, &result);
	if (r < 0)
		return 1;
	printf("%" PRId64 " %" PRId64 " %d %zu\n", ended, result.wall_ns, result.status, left);
	return 0;
}
