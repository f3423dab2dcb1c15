/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/cpus.h. */
#define _GNU_SOURCE
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "supervisord/engine/cpus.h"

static void test_quota_is_rounded_up(void **state)
{
	(void)state;
	assert_int_equal(cpus_of_quota("100000 100000\n"), 1);
	assert_int_equal(cpus_of_quota("150000 100000\n"), 2);
	assert_int_equal(cpus_of_quota("1000 100000\n"), 1);
	assert_int_equal(cpus_of_quota("800000 100000\n"), 8);
}

static void test_no_quota_is_no_limit(void **state)
{
	(void)state;
	assert_int_equal(cpus_of_quota("max 100000\n"), UINT32_MAX);
	assert_int_equal(cpus_of_quota(""), UINT32_MAX);
	assert_int_equal(cpus_of_quota("100000 0"), UINT32_MAX);
}

static void test_affinity_bounds_the_count(void **state)
{
	cpu_set_t before, one;
	int cpu = 0;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	assert_in_range(cpus_count(), 1, CPU_COUNT(&before));
	while (!CPU_ISSET(cpu, &before))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(cpus_count(), 1);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_quota_is_rounded_up),
	    cmocka_unit_test(test_no_quota_is_no_limit),
	    cmocka_unit_test(test_affinity_bounds_the_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
