/* SPDX-License-Identifier: ISC */
/*
 * timers.h: deadlines on CLOCK_BOOTTIME: a heap, and one timerfd(2) set to its earliest.
 *
 * libev's own timers run on CLOCK_MONOTONIC, which stands still while the machine sleeps, and wake
 * the loop more often than needed.  A timer lives in its owner's struct; it is armed, cancelled and
 * fires once.
 */
#ifndef ENGINE_TIMERS_H
#define ENGINE_TIMERS_H

#include <stddef.h>
#include <stdint.h>

struct timer {
	int64_t deadline_ns;
	size_t index; /* place in the heap + 1; 0: not armed */
	void (*fire)(struct timer *timer);
};

struct timers {
	struct timer **heap;
	size_t count;
	size_t size;
	int fd;           /* readable when a deadline is over */
	int64_t armed_ns; /* what the descriptor is set to, 0: nothing */
};

/* Returns 0 or -errno. */
int timers_init(struct timers *timers);
void timers_done(struct timers *timers);

/* Arm, or arm anew.  Room for `expected` timers can be made beforehand, then arming cannot fail. */
int timers_reserve(struct timers *timers, size_t expected);
int timers_arm(struct timers *timers, struct timer *timer, int64_t deadline_ns);
void timers_cancel(struct timers *timers, struct timer *timer);

/* Fire what is due, at most `most` timers; call when the descriptor is readable. */
void timers_run(struct timers *timers, int64_t now_ns, unsigned most);

/* Set the descriptor to the earliest deadline; once before each wait is enough. */
void timers_settle(struct timers *timers);

#endif
