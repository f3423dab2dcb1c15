/* SPDX-License-Identifier: ISC */
/*
 * pause.c: pauses at random between any two basic blocks of an executable.
 *
 * Compiled with -fsanitize-coverage=trace-pc a program calls __sanitizer_cov_trace_pc in each of
 * its basic blocks.  Linked with this it sleeps there now and then: mostly for less than a
 * millisecond, rarely for a tenth of a second, never for more than about half of its time.  So the
 * processes of a test meet in orders that a quiet machine never shows, and a signal comes between
 * a look and the wait behind it.
 *
 * It is called between clone(2) and exec, in threads and in signal handlers: it takes no lock, and
 * threads that tear its state only pause elsewhere.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

/* Between two pauses there are up to so many basic blocks. */
#ifndef PAUSE_BLOCKS
#define PAUSE_BLOCKS 6000
#endif

#define NS_PER_MS INT64_C(1000000)
/* What may be slept at the begin of a process, before half of its time is more. */
#define ALLOWANCE_NS (200 * NS_PER_MS)
#define LONG_NS      (150 * NS_PER_MS) /* one of a hundred */
#define MIDDLE_NS    (15 * NS_PER_MS)  /* one of ten */
#define SHORT_NS     (1 * NS_PER_MS)

static volatile uint32_t blocks_left;
static uint64_t number;
static int64_t begin_ns, slept_ns;

void __sanitizer_cov_trace_pc(void);

static int64_t get_time(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
}

/* xorshift64 */
static uint32_t draw(uint32_t below)
{
	number ^= number << 13;
	number ^= number >> 7;
	number ^= number << 17;
	return (uint32_t)(number >> 32) % below;
}

static void pause_a_while(void)
{
	int64_t now = get_time();
	struct timespec time = {.tv_sec = 0};
	uint32_t kind;

	if (number == 0) {
		begin_ns = now;
		number =
		    ((uint64_t)now * 31 + (uint64_t)getpid()) * UINT64_C(0x9e3779b97f4a7c15) | 1;
	}
	blocks_left = draw(PAUSE_BLOCKS);
	if (slept_ns > (now - begin_ns) / 2 + ALLOWANCE_NS)
		return;
	kind = draw(100);
	time.tv_nsec = draw(kind == 0 ? LONG_NS : kind < 10 ? MIDDLE_NS : SHORT_NS);
	slept_ns += time.tv_nsec;
	(void)nanosleep(&time, NULL);
}

/* Weak: the simulator has one of its own. */
__attribute__((weak)) void __sanitizer_cov_trace_pc(void)
{
	int error = errno;

	if (blocks_left > 0) {
		blocks_left--;
		return;
	}
	pause_a_while();
	errno = error;
}
