/* SPDX-License-Identifier: ISC */
/*
 * clock.h: the two clocks.  Intervals and deadlines are CLOCK_BOOTTIME nanoseconds (they survive
 * suspend and never jump); the wall clock is for showing a time to a person and nothing else.
 * Both are signed 64 bit: good until the year 2262.
 */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_MS 1000000LL
#define NS_PER_S  1000000000LL

static inline int64_t clock_read_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static inline int64_t clock_boot_ns(void)
{
	return clock_read_ns(CLOCK_BOOTTIME);
}

static inline int64_t clock_wall_ns(void)
{
	return clock_read_ns(CLOCK_REALTIME);
}

#endif
