/* SPDX-License-Identifier: ISC */
/* rundir_test.c: the default run directory of root and of users. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/rundir.h"

static void assert_of_user(uid_t uid, const char *xdg, const char *expected)
{
	char path[108];

	assert_int_equal(rundir_of_user(uid, xdg, path, sizeof(path)), 0);
	assert_string_equal(path, expected);
}

static void test_of_user_when_root_then_the_systems(void **state)
{
	(void)state;
	assert_of_user(0, "/run/user/0", RUNSTATEDIR "/supervisord");
	assert_of_user(0, NULL, RUNSTATEDIR "/supervisord");
}

static void test_of_user_when_xdg_is_absolute_then_in_it(void **state)
{
	(void)state;
	assert_of_user(1000, "/run/user/1000", "/run/user/1000/supervisord");
}

static void test_of_user_when_xdg_is_missing_or_relative_then_in_tmp(void **state)
{
	(void)state;
	assert_of_user(1000, NULL, "/tmp/supervisord-1000");
	assert_of_user(1000, "", "/tmp/supervisord-1000");
	assert_of_user(1000, "run", "/tmp/supervisord-1000");
	assert_of_user(4294967294U, NULL, "/tmp/supervisord-4294967294");
}

static void test_default_when_called_then_of_this_process(void **state)
{
	char expected[108], path[108];

	(void)state;
	assert_int_equal(setenv("XDG_RUNTIME_DIR", "/somewhere", 1), 0);
	assert_int_equal(rundir_of_user(geteuid(), "/somewhere", expected, sizeof(expected)), 0);
	assert_int_equal(rundir_default(path, sizeof(path)), 0);
	assert_string_equal(path, expected);
}

static void test_names_when_they_just_fit_or_not_then_whole_or_error(void **state)
{
	static const char expected[] = "/tmp/supervisord-1000";
	char path[sizeof(expected)];

	(void)state;
	assert_int_equal(rundir_of_user(1000, NULL, path, sizeof(path)), 0);
	assert_string_equal(path, expected);
	assert_int_equal(rundir_of_user(1000, NULL, path, sizeof(path) - 1), -ENAMETOOLONG);
	assert_int_equal(rundir_socket("/r", path, sizeof("/r/control.sock")), 0);
	assert_string_equal(path, "/r/control.sock");
	assert_int_equal(rundir_socket("/r", path, sizeof("/r/control.sock") - 1), -ENAMETOOLONG);
	assert_int_equal(rundir_system(path, 1), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_of_user_when_root_then_the_systems),
	    cmocka_unit_test(test_of_user_when_xdg_is_absolute_then_in_it),
	    cmocka_unit_test(test_of_user_when_xdg_is_missing_or_relative_then_in_tmp),
	    cmocka_unit_test(test_default_when_called_then_of_this_process),
	    cmocka_unit_test(test_names_when_they_just_fit_or_not_then_whole_or_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
