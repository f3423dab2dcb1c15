/* SPDX-License-Identifier: ISC */
/*
 * killer.c: crash to exec.  Kills one program after another (SIGKILL) and reads on the board when
 * its replacement was executed:
 *
 *   killer BOARD SLOTS KILLS INTERVAL_US TIMEOUT_MS
 *
 * Prints one latency a line, ns.  It does not wait for one replacement before the next kill: some
 * supervisors sleep a second before they restart, and 200 kills must still end in a few seconds.
 * The times come from the stamps, so how often this tool looks does not enter them.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "tests/bench/board.h"

/* Slots are visited with this stride (a prime), so that neighbours are not hit in a row. */
#define KILLER_STRIDE 7919

struct killer {
	struct board *board;
	int64_t *killed_ns; /* by slot; 0: no kill outstanding */
	uint32_t *execs;    /* by slot: its execs before the kill */
	uint32_t slots;
	long wanted, killed, seen;
};

static bool killer_kill_next(struct killer *killer);
static void killer_collect(struct killer *killer);

static int killer_init(struct killer *killer, char **argv)
{
	killer->slots = (uint32_t)strtoul(argv[2], NULL, 10);
	killer->wanted = strtol(argv[3], NULL, 10);
	if (killer->slots == 0 || killer->slots % KILLER_STRIDE == 0)
		return -EINVAL;
	killer->killed_ns = calloc(killer->slots, sizeof(*killer->killed_ns));
	killer->execs = calloc(killer->slots, sizeof(*killer->execs));
	if (!killer->killed_ns || !killer->execs)
		return -ENOMEM;
	return board_map(argv[1], killer->slots, &killer->board);
}

int main(int argc, char **argv)
{
	struct killer killer = {0};
	struct timespec look = {.tv_nsec = NS_PER_MS};
	int64_t interval, deadline, next;
	int r = argc == 6 ? killer_init(&killer, argv) : -EINVAL;

	if (r < 0) {
		fprintf(
		    stderr, "killer BOARD SLOTS KILLS INTERVAL_US TIMEOUT_MS: %s\n", strerror(-r));
		return 2;
	}
	interval = strtoll(argv[4], NULL, 10) * 1000;
	next = clock_read_ns(CLOCK_MONOTONIC);
	deadline = next + strtoll(argv[5], NULL, 10) * NS_PER_MS;
	while (killer.seen < killer.wanted && clock_read_ns(CLOCK_MONOTONIC) < deadline) {
		if (killer.killed < killer.wanted && clock_read_ns(CLOCK_MONOTONIC) >= next) {
			killer_kill_next(&killer);
			next = clock_read_ns(CLOCK_MONOTONIC) + interval;
		}
		nanosleep(&look, NULL);
		killer_collect(&killer);
	}
	return killer.seen == killer.wanted ? 0 : 1;
}

/* False: the slot whose turn it is has not come back yet from an earlier kill. */
static bool killer_kill_next(struct killer *killer)
{
	uint32_t i = (uint32_t)((uint64_t)killer->killed * KILLER_STRIDE % killer->slots);
	struct board_slot *slot = &killer->board->slots[i];

	if (killer->killed_ns[i] != 0)
		return false;
	killer->execs[i] = slot->execs;
	killer->killed_ns[i] = clock_read_ns(CLOCK_MONOTONIC);
	if (kill((pid_t)slot->pid, SIGKILL) < 0) {
		fprintf(stderr, "killer: slot %u: %s\n", i, strerror(errno));
		exit(1);
	}
	killer->killed++;
	return true;
}

static void killer_collect(struct killer *killer)
{
	for (uint32_t i = 0; i < killer->slots; i++) {
		struct board_slot *slot = &killer->board->slots[i];

		if (killer->killed_ns[i] == 0 || slot->execs == killer->execs[i])
			continue;
		printf("%" PRId64 "\n", slot->stamp_ns - killer->killed_ns[i]);
		killer->killed_ns[i] = 0;
		killer->seen++;
	}
}
