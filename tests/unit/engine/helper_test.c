/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/helper.h: why none is started. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>
#include <ev.h>

#include "supervisord/engine/helper.h"

/* Neither is to be taken for the other: a fork that fails says EAGAIN. */
static void test_start_when_there_are_enough_or_no_descriptors_then_says_which(void **state)
{
	char name[] = "helper";
	char *argv[] = {name, NULL};
	struct rlimit limit, none;
	struct helpers helpers;

	(void)state;
	helpers_init(&helpers, 0);
	assert_int_equal(helper_start(&helpers, NULL, argv, NULL, 0), -EUSERS);
	helpers_init(&helpers, 1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(helper_start(&helpers, NULL, argv, NULL, 0), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_start_when_there_are_enough_or_no_descriptors_then_says_which),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
