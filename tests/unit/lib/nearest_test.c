/* SPDX-License-Identifier: ISC */
/* nearest_test.c: what a mistyped word was meant to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/nearest.h"

static void test_distance_when_words_differ_then_counted(void **state)
{
	(void)state;
	assert_int_equal(nearest_distance("status", "status"), 0);
	assert_int_equal(nearest_distance("statsu", "status"), 1);
	assert_int_equal(nearest_distance("", "stop"), 4);
	assert_int_equal(nearest_distance("sto", "stop"), 1);
	assert_int_equal(nearest_distance("kitten", "sitting"), 3);
	assert_int_equal(nearest_distance("stop", "tsop"), 1);
	assert_int_equal(
	    nearest_distance(
		"a word that is much too long to be one, longer than the longest name we have",
		"x"),
	    NEAREST_WORD);
}

static void test_find_when_a_name_is_near_then_that_one(void **state)
{
	static const char *const names[] = {"command", "directory", "user", "umask"};

	(void)state;
	assert_string_equal(nearest_find("comand", names, 4), "command");
	assert_string_equal(nearest_find("direcotry", names, 4), "directory");
	assert_string_equal(nearest_find("usr", names, 4), "user");
	assert_null(nearest_find("zzz", names, 4));
	assert_null(nearest_find("x", names, 4));
	assert_null(nearest_find("comand", names, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_distance_when_words_differ_then_counted),
	    cmocka_unit_test(test_find_when_a_name_is_near_then_that_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
