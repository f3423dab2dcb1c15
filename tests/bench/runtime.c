/* SPDX-License-Identifier: ISC */
/*
 * runtime.c: runs a client command again and again and prints what each run took:
 *
 *   runtime COUNT INTERVAL_MS BUDGET_MS TIMEOUT_MS COMMAND...
 *
 * One line a run: wall time ns, CPU ns, exit status (-1: killed after TIMEOUT_MS).  A run begins
 * INTERVAL_MS after the one before began, or at once when that took longer; the first run is always
 * made, no run begins after BUDGET_MS.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "tests/bench/client.h"

static void runtime_sleep_until(int64_t ns)
{
	struct timespec ts = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static int runtime_run_once(char **argv, int timeout_ms)
{
	struct client_result result;
	struct client_run run;
	int r = client_start(argv, &run);

	if (r == 0)
		r = client_wait(&run, timeout_ms, &result);
	if (r < 0) {
		fprintf(stderr, "runtime: %s: %s\n", argv[0], strerror(-r));
		return r;
	}
	printf("%" PRId64 " %" PRId64 " %d\n", result.wall_ns, result.cpu_ns, result.status);
	return 0;
}

int main(int argc, char **argv)
{
	int64_t begin = clock_read_ns(CLOCK_MONOTONIC);
	long count, interval_ms, budget_ms;

	if (argc < 6) {
		fprintf(
		    stderr, "usage: runtime COUNT INTERVAL_MS BUDGET_MS TIMEOUT_MS COMMAND...\n");
		return 2;
	}
	count = strtol(argv[1], NULL, 10);
	interval_ms = strtol(argv[2], NULL, 10);
	budget_ms = strtol(argv[3], NULL, 10);
	for (long i = 0; i < count; i++) {
		int64_t next = clock_read_ns(CLOCK_MONOTONIC) + interval_ms * NS_PER_MS;

		if (runtime_run_once(argv + 5, (int)strtol(argv[4], NULL, 10)) < 0)
			return 1;
		if (next - begin >= budget_ms * NS_PER_MS)
			break;
		runtime_sleep_until(next);
		if (clock_read_ns(CLOCK_MONOTONIC) - begin >= budget_ms * NS_PER_MS)
			break;
	}
	return 0;
}
