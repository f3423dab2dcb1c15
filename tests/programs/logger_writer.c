/* SPDX-License-Identifier: ISC */
/*
 * logger_writer: write COUNT numbered lines of LENGTH bytes each (with their newline) to stdout, in
 * write(2)s of BLOCK lines:  "000000000017 xxxx…".  A write is never cut by us, and a failing one
 * is exit 1.
 *
 *   logger_writer COUNT LENGTH BLOCK [FILL [CHUNK [MICROSECONDS]]]
 *
 * FILL stands for x, and tells writers that share a log apart; with CHUNK each block is written in
 * pieces of so many bytes, which end anywhere (0: whole).  MICROSECONDS: a pause after each block.
 * logger_verify.c proves what has become of the lines.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NUMBER_WIDTH 12

static int write_all(const char *bytes, size_t length, size_t chunk)
{
	while (length > 0) {
		ssize_t count = write(STDOUT_FILENO, bytes, length < chunk ? length : chunk);

		if (count < 0 && errno != EINTR)
			return -1;
		if (count > 0) {
			bytes += count;
			length -= (size_t)count;
		}
	}
	return 0;
}

static void pause_us(long us)
{
	struct timespec span = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};

	if (us > 0)
		(void)nanosleep(&span, NULL);
}

int main(int argc, char *argv[])
{
	unsigned long count, length, block, chunk, filled = 0;
	char *bytes;

	if (argc < 4 || argc > 7)
		return 2;
	chunk = argc > 5 ? strtoul(argv[5], NULL, 10) : 0;
	if (chunk == 0)
		chunk = ULONG_MAX;
	count = strtoul(argv[1], NULL, 10);
	length = strtoul(argv[2], NULL, 10);
	block = strtoul(argv[3], NULL, 10);
	if (length < NUMBER_WIDTH + 2 || block == 0)
		return 2;
	bytes = malloc(block * length + 1);
	if (bytes == NULL)
		return 1;
	memset(bytes, argc > 4 ? argv[4][0] : 'x', block * length);
	for (unsigned long i = 0; i < count; i++) {
		char *line = bytes + filled * length;
		char number[32];

		(void)snprintf(number, sizeof(number), "%0*lu ", NUMBER_WIDTH, i);
		memcpy(line, number, NUMBER_WIDTH + 1);
		line[length - 1] = '\n';
		if (++filled == block || i + 1 == count) {
			if (write_all(bytes, filled * length, chunk) < 0)
				return 1;
			filled = 0;
			pause_us(argc > 6 ? strtol(argv[6], NULL, 10) : 0);
		}
	}
	free(bytes);
	return 0;
}
