/* SPDX-License-Identifier: ISC */
/*
 * stamp.c: the program that every supervisor under test runs, so that an exec costs all of them the
 * same.  Its first act is to read the clock; then it writes its slot of the board (board.h).
 *
 *   stamp BOARD INDEX sleep                       then sleeps until a signal ends it
 *   stamp BOARD INDEX crash                       then exits 1 at once
 *   stamp BOARD INDEX chat PERIOD_US              then writes a line of 100 bytes, that begins with
 *                                                 the time in ns, each period, when board.go is set
 *   stamp BOARD INDEX write BLOCK MAX_BYTES MAX_MS  then writes lines of 100 bytes to standard
 *                                                 output, BLOCK bytes a write(2), when board.go is
 * set stamp                                         takes the words from the symbolic link "args"
 * in the working directory
 *
 * The last form is for supervisors whose service is a "run" file without arguments: with it they
 * are spared the shell script that would otherwise be counted against them.
 */
#include <string.h>
#include <sys/ioctl.h>

#include "lib/clock.h"
#include "tests/bench/board.h"

#define STAMP_WORDS 8
#define STAMP_ARGS  256
#define STAMP_LINE  100
#define STAMP_BLOCK (64 * 1024)

static int stamp_write_load(struct board *board, struct board_slot *slot, char **words);
static int stamp_chat(struct board *board, struct board_slot *slot, int64_t period_us);

static void stamp_nap(int64_t ns)
{
	struct timespec ts = {.tv_nsec = ns};

	nanosleep(&ts, NULL);
}

static int stamp_split_link(char *text, size_t size, char **words)
{
	ssize_t length = readlink("args", text, size - 1);
	int count = 0;

	if (length <= 0 || (size_t)length == size - 1)
		return -EINVAL;
	text[length] = '\0';
	for (char *p = text; *p && count < STAMP_WORDS;) {
		words[count++] = p;
		while (*p && *p != ' ')
			p++;
		if (*p)
			*p++ = '\0';
	}
	return count;
}

static int64_t stamp_number(const char *word)
{
	int64_t value = 0;

	while (*word >= '0' && *word <= '9')
		value = value * 10 + (*word++ - '0');
	return value;
}

int main(int argc, char **argv)
{
	int64_t now = clock_read_ns(CLOCK_MONOTONIC);
	char *from_link[STAMP_WORDS + 1] = {NULL};
	char **words = argv + 1;
	char text[STAMP_ARGS];
	struct board_slot *slot;
	struct board *board = NULL;
	uint32_t index;

	if (argc < 4) {
		argc = 1 + stamp_split_link(text, sizeof(text), from_link);
		words = from_link;
	}
	if (argc < 4)
		return 2;
	index = (uint32_t)stamp_number(words[1]);
	if (board_map(words[0], index + 1, &board) < 0)
		return 2;
	slot = &board->slots[index];
	slot->pid = (uint32_t)getpid();
	slot->stamp_ns = now;
	if (atomic_fetch_add(&slot->execs, 1) == 0)
		atomic_fetch_add(&board->distinct, 1);
	atomic_fetch_add(&board->execs, 1);
	if (!strcmp(words[2], "crash"))
		return 1;
	if (!strcmp(words[2], "write") && argc >= 7 && stamp_write_load(board, slot, words + 3) < 0)
		return 2;
	if (!strcmp(words[2], "chat") && argc >= 5 &&
	    stamp_chat(board, slot, stamp_number(words[3])) < 0)
		return 2;
	for (;;)
		pause();
}

/* Programs begin at different times of the period, by their start. */
static int stamp_chat(struct board *board, struct board_slot *slot, int64_t period_us)
{
	char line[STAMP_LINE];

	memset(line, 'x', sizeof(line));
	line[19] = ' ';
	line[STAMP_LINE - 1] = '\n';
	while (!board->go)
		stamp_nap(100 * NS_PER_MS + slot->pid % 64 * 157000);
	for (;;) {
		int64_t left = clock_read_ns(CLOCK_MONOTONIC);

		for (int at = 18; at >= 0; at--, left /= 10)
			line[at] = (char)('0' + left % 10);
		if (write(STDOUT_FILENO, line, sizeof(line)) != STAMP_LINE)
			return -EIO;
		slot->bytes += STAMP_LINE;
		stamp_nap(period_us * 1000);
	}
}

/* Lines stay whole within a block, and blocks end on a line: what a program with stdio does. */
static size_t stamp_fill_block(char *block, size_t size)
{
	size_t used = 0;

	while (used + STAMP_LINE <= size) {
		memset(block + used, 'a' + (int)(used / STAMP_LINE % 26), STAMP_LINE - 1);
		block[used + STAMP_LINE - 1] = '\n';
		used += STAMP_LINE;
	}
	return used;
}

/* The load ends when the reader has emptied the pipe, not when the last write(2) went into it. */
static void stamp_await_empty_pipe(void)
{
	int left = 0;

	while (!ioctl(STDOUT_FILENO, FIONREAD, &left) && left > 0)
		stamp_nap(50000);
}

static int stamp_write_load(struct board *board, struct board_slot *slot, char **words)
{
	static char block[STAMP_BLOCK];
	int64_t max_bytes = stamp_number(words[1]);
	int64_t max_ns = stamp_number(words[2]) * NS_PER_MS;
	int64_t bytes = 0, begin, writes = 0;
	size_t size = (size_t)stamp_number(words[0]);

	if (size < STAMP_LINE || size > sizeof(block))
		return -EINVAL;
	size = stamp_fill_block(block, size);
	while (!board->go)
		stamp_nap(200000);
	begin = clock_read_ns(CLOCK_MONOTONIC);
	slot->begin_ns = begin;
	while (bytes < max_bytes) {
		ssize_t wrote = write(STDOUT_FILENO, block, size);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return -errno;
		bytes += wrote;
		slot->bytes = bytes;
		if (++writes % 16 == 0 && clock_read_ns(CLOCK_MONOTONIC) - begin > max_ns)
			break;
	}
	stamp_await_empty_pipe();
	slot->end_ns = clock_read_ns(CLOCK_MONOTONIC);
	return 0;
}
