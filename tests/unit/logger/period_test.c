/* SPDX-License-Identifier: ISC */
/* Hours, days and weeks of local time, also where the clock is changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "supervisord/logger/period.h"

#define HOUR 3600

/* Central Europe without the help of a database: summer time from the last Sunday of March. */
static int set_up(void **state)
{
	(void)state;
	return setenv("TZ", "CET-1CEST,M3.5.0/2,M10.5.0/3", 1);
}

/* Seconds of a time in UTC. */
static int64_t utc(int year, int month, int day, int hour, int minute)
{
	struct tm tm = {.tm_year = year - 1900,
	    .tm_mon = month - 1,
	    .tm_mday = day,
	    .tm_hour = hour,
	    .tm_min = minute};

	return (int64_t)timegm(&tm);
}

static void expect(enum logspec_rotate rotate, int64_t at_s, int64_t start_s, int64_t end_s)
{
	int64_t start = 0, end = 0;

	period_find(rotate, at_s, &start, &end);
	assert_int_equal(start, start_s);
	assert_int_equal(end, end_s);
}

static void test_hour_when_any_then_as_the_clock_shows_it(void **state)
{
	(void)state;
	expect(
	    LOGSPEC_HOURLY, utc(2026, 5, 1, 9, 59), utc(2026, 5, 1, 9, 0), utc(2026, 5, 1, 10, 0));
	assert_int_equal(setenv("TZ", "IST-5:30", 1), 0);
	expect(
	    LOGSPEC_HOURLY, utc(2026, 5, 1, 9, 29), utc(2026, 5, 1, 8, 30), utc(2026, 5, 1, 9, 30));
	expect(LOGSPEC_HOURLY, utc(2026, 5, 1, 9, 30), utc(2026, 5, 1, 9, 30),
	    utc(2026, 5, 1, 10, 30));
	(void)set_up(NULL);
}

static void test_day_when_the_clock_is_changed_then_shorter_or_longer(void **state)
{
	int64_t spring = utc(2026, 3, 28, 23, 0), autumn = utc(2026, 10, 24, 22, 0);

	(void)state;
	expect(LOGSPEC_DAILY, spring, spring, spring + 23 * HOUR);
	expect(LOGSPEC_DAILY, spring + 23 * HOUR - 1, spring, spring + 23 * HOUR);
	expect(LOGSPEC_DAILY, autumn + 2 * HOUR, autumn, autumn + 25 * HOUR);
	expect(LOGSPEC_DAILY, autumn + 25 * HOUR, autumn + 25 * HOUR, autumn + 49 * HOUR);
}

static void test_week_when_any_day_of_it_then_from_monday(void **state)
{
	/* Monday, 28 December 2026; it ends in the next year. */
	int64_t monday = utc(2026, 12, 27, 23, 0);

	(void)state;
	for (int day = 0; day < 7; day++)
		expect(LOGSPEC_WEEKLY, monday + day * 24 * HOUR, monday, monday + 7 * 24 * HOUR);
	expect(LOGSPEC_WEEKLY, monday - 1, monday - 7 * 24 * HOUR, monday);
}

static void test_periods_when_walked_then_without_gap_or_overlap(void **state)
{
	static const enum logspec_rotate kinds[] = {LOGSPEC_HOURLY, LOGSPEC_DAILY, LOGSPEC_WEEKLY};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int64_t start, end, at = utc(2025, 12, 31, 12, 0);

		period_find(kinds[i], at, &start, &end);
		while (at < utc(2027, 2, 1, 0, 0)) {
			int64_t next_start, next_end;

			assert_true(start <= at && at < end);
			period_find(kinds[i], end - 1, &next_start, &next_end);
			assert_int_equal(next_start, start);
			assert_int_equal(next_end, end);
			at = end;
			period_find(kinds[i], at, &next_start, &next_end);
			assert_int_equal(next_start, end);
			start = next_start;
			end = next_end;
		}
	}
}

static void test_never_then_all_times(void **state)
{
	(void)state;
	expect(LOGSPEC_NEVER, 0, INT64_MIN, INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hour_when_any_then_as_the_clock_shows_it),
	    cmocka_unit_test(test_day_when_the_clock_is_changed_then_shorter_or_longer),
	    cmocka_unit_test(test_week_when_any_day_of_it_then_from_monday),
	    cmocka_unit_test(test_periods_when_walked_then_without_gap_or_overlap),
	    cmocka_unit_test(test_never_then_all_times),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
