/* SPDX-License-Identifier: ISC */
/* timers.c: see timers.h.  A binary heap of pointers; each timer knows its place, so cancelling is
 * O(log n). */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/clock.h"
#include "supervisord/engine/timers.h"

static void sift_up(struct timers *timers, size_t at);
static void sift_down(struct timers *timers, size_t at);
static void put(struct timers *timers, size_t at, struct timer *timer);

int timers_init(struct timers *timers)
{
	*timers = (struct timers){.fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)};
	return timers->fd < 0 ? -errno : 0;
}

void timers_done(struct timers *timers)
{
	if (timers->fd >= 0)
		close(timers->fd);
	free(timers->heap);
	*timers = (struct timers){.fd = -1};
}

int timers_reserve(struct timers *timers, size_t expected)
{
	struct timer **heap;
	size_t size = timers->size > 0 ? timers->size : 16;

	if (expected <= timers->size)
		return 0;
	while (size < expected)
		size *= 2;
	heap = realloc(timers->heap, size * sizeof(struct timer *));
	if (heap == NULL)
		return -ENOMEM;
	timers->heap = heap;
	timers->size = size;
	return 0;
}

int timers_arm(struct timers *timers, struct timer *timer, int64_t deadline_ns)
{
	if (timer->index == 0) {
		int error = timers_reserve(timers, timers->count + 1);

		if (error < 0)
			return error;
		put(timers, timers->count++, timer);
	}
	timer->deadline_ns = deadline_ns;
	sift_up(timers, timer->index - 1);
	sift_down(timers, timer->index - 1);
	return 0;
}

void timers_cancel(struct timers *timers, struct timer *timer)
{
	size_t at = timer->index - 1;
	struct timer *last;

	if (timer->index == 0)
		return;
	timer->index = 0;
	last = timers->heap[--timers->count];
	if (last == timer)
		return;
	put(timers, at, last);
	sift_up(timers, at);
	sift_down(timers, last->index - 1);
}

void timers_run(struct timers *timers, int64_t now_ns, unsigned most)
{
	uint64_t expirations;

	if (read(timers->fd, &expirations, sizeof(expirations)) > 0)
		timers->armed_ns = 0;
	while (most-- > 0 && timers->count > 0 && timers->heap[0]->deadline_ns <= now_ns) {
		struct timer *timer = timers->heap[0];

		timers_cancel(timers, timer);
		timer->fire(timer);
	}
}

void timers_settle(struct timers *timers)
{
	int64_t next_ns = timers->count > 0 ? timers->heap[0]->deadline_ns : 0;
	struct itimerspec spec = {0};

	if (next_ns == timers->armed_ns)
		return;
	/* Zero would disarm: a deadline that is long over still has to fire. */
	if (timers->count > 0 && next_ns <= 0)
		next_ns = 1;
	spec.it_value.tv_sec = (time_t)(next_ns / NS_PER_S);
	spec.it_value.tv_nsec = (long)(next_ns % NS_PER_S);
	if (timerfd_settime(timers->fd, TFD_TIMER_ABSTIME, &spec, NULL) == 0)
		timers->armed_ns = next_ns;
}

static void put(struct timers *timers, size_t at, struct timer *timer)
{
	timers->heap[at] = timer;
	timer->index = at + 1;
}

static void sift_up(struct timers *timers, size_t at)
{
	struct timer *timer = timers->heap[at];

	for (; at > 0 && timers->heap[(at - 1) / 2]->deadline_ns > timer->deadline_ns;
	     at = (at - 1) / 2)
		put(timers, at, timers->heap[(at - 1) / 2]);
	put(timers, at, timer);
}

static void sift_down(struct timers *timers, size_t at)
{
	struct timer *timer = timers->heap[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= timers->count)
			break;
		if (child + 1 < timers->count &&
		    timers->heap[child + 1]->deadline_ns < timers->heap[child]->deadline_ns)
			child++;
		if (timers->heap[child]->deadline_ns >= timer->deadline_ns)
			break;
		put(timers, at, timers->heap[child]);
		at = child;
	}
	put(timers, at, timer);
}
