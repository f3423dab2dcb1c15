/* SPDX-License-Identifier: ISC */
/*
 * launch.c: notes the time on the board and becomes the daemon under test, so that neither the
 * fork nor the interpreter of run.py is part of "launch to last exec".
 *
 *   launch BOARD COMMAND...
 */
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "tests/bench/board.h"

int main(int argc, char **argv)
{
	struct board *board = NULL;
	int r;

	if (argc < 3) {
		fprintf(stderr, "usage: launch BOARD COMMAND...\n");
		return 2;
	}
	r = board_map(argv[1], 0, &board);
	if (r < 0) {
		fprintf(stderr, "launch: %s: %s\n", argv[1], strerror(-r));
		return 2;
	}
	board->launch_ns = clock_read_ns(CLOCK_MONOTONIC);
	execvp(argv[2], argv + 2);
	fprintf(stderr, "launch: %s: %s\n", argv[2], strerror(errno));
	return 127;
}
