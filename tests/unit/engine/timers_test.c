/* SPDX-License-Identifier: ISC */
/* timers_test.c: the heap fires in order, whatever is armed and cancelled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <poll.h>
#include <cmocka.h>

#include "lib/clock.h"
#include "supervisord/engine/timers.h"

#define COUNT 500

static int64_t last_fired_ns;
static unsigned fired;

static void on_fire(struct timer *timer)
{
	assert_int_equal(timer->index, 0);
	assert_true(timer->deadline_ns >= last_fired_ns);
	last_fired_ns = timer->deadline_ns;
	fired++;
}

static void test_timers_when_armed_moved_and_cancelled_then_fire_in_order(void **context)
{
	struct timer timer[COUNT];
	struct timers timers;
	unsigned armed = 0;

	(void)context;
	srand(1);
	assert_int_equal(timers_init(&timers), 0);
	for (int i = 0; i < COUNT; i++) {
		timer[i] = (struct timer){.fire = on_fire};
		assert_int_equal(timers_arm(&timers, &timer[i], 1 + rand() % 1000), 0);
	}
	for (int i = 0; i < 5 * COUNT; i++) {
		struct timer *some = &timer[rand() % COUNT];

		if (rand() % 3 == 0)
			timers_cancel(&timers, some);
		else
			assert_int_equal(timers_arm(&timers, some, 1 + rand() % 1000), 0);
	}
	for (int i = 0; i < COUNT; i++)
		armed += timer[i].index != 0;
	assert_int_equal(timers.count, armed);
	last_fired_ns = 0;
	fired = 0;
	timers_run(&timers, 400, UINT32_MAX);
	assert_true(last_fired_ns <= 400);
	for (int i = 0; i < COUNT; i++)
		assert_true(timer[i].index == 0 || timer[i].deadline_ns > 400);
	timers_run(&timers, 2000, UINT32_MAX);
	assert_int_equal(fired, armed);
	assert_int_equal(timers.count, 0);
	timers_done(&timers);
}

static void test_timers_run_is_bounded(void **context)
{
	struct timer timer[10];
	struct timers timers;

	(void)context;
	assert_int_equal(timers_init(&timers), 0);
	for (int i = 0; i < 10; i++) {
		timer[i] = (struct timer){.fire = on_fire};
		assert_int_equal(timers_arm(&timers, &timer[i], 1), 0);
	}
	last_fired_ns = fired = 0;
	timers_run(&timers, 10, 4);
	assert_int_equal(fired, 4);
	timers_done(&timers);
}

static void test_descriptor_when_a_deadline_is_over_then_readable(void **context)
{
	struct timer timer = {.fire = on_fire};
	struct timers timers;
	struct pollfd ready;

	(void)context;
	assert_int_equal(timers_init(&timers), 0);
	ready = (struct pollfd){.fd = timers.fd, .events = POLLIN};
	timers_settle(&timers);
	assert_int_equal(poll(&ready, 1, 0), 0);
	assert_int_equal(timers_arm(&timers, &timer, clock_boot_ns() + 5 * NS_PER_MS), 0);
	timers_settle(&timers);
	assert_int_equal(poll(&ready, 1, 10000), 1);
	last_fired_ns = fired = 0;
	timers_run(&timers, clock_boot_ns(), 1);
	assert_int_equal(fired, 1);
	timers_settle(&timers);
	assert_int_equal(poll(&ready, 1, 0), 0);
	timers_done(&timers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_timers_when_armed_moved_and_cancelled_then_fire_in_order),
	    cmocka_unit_test(test_timers_run_is_bounded),
	    cmocka_unit_test(test_descriptor_when_a_deadline_is_over_then_readable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
