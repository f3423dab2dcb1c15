/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/instname.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "supervisord/engine/instname.h"

static void assert_other(const char *name, const char *expected)
{
	char other[LIMIT_NAME];

	assert_int_equal(instname_other(name, other), expected != NULL);
	if (expected != NULL)
		assert_string_equal(other, expected);
}

static void assert_parses(const char *text, size_t program, uint32_t number)
{
	uint32_t got_number = 77;
	size_t got_program = 77;

	assert_int_equal(instname_parse(text, strlen(text), &got_program, &got_number), 0);
	assert_int_equal(got_program, program);
	assert_int_equal(got_number, number);
}

static void assert_refused(const char *text)
{
	uint32_t number;
	size_t program;

	assert_int_equal(instname_parse(text, strlen(text), &program, &number), -EINVAL);
}

static void test_name_is_split_into_program_and_number(void **state)
{
	struct instname parts;

	(void)state;
	instname_split("web@12", &parts);
	assert_string_equal(parts.program, "web");
	assert_string_equal(parts.number, "12");
	instname_split("web", &parts);
	assert_string_equal(parts.program, "web");
	assert_string_equal(parts.number, "1");
	assert_int_equal(instname_number("web@3"), 3);
	assert_int_equal(instname_number("web"), 1);
	assert_true(instname_is_of("web@3", "web"));
	assert_true(instname_is_of("web", "web"));
	assert_false(instname_is_of("web2@3", "web"));
	assert_false(instname_is_of("we", "web"));
	assert_false(instname_is_of("web+filter@1", "web"));
}

static void test_meant_then_all_by_the_program_and_one_by_its_number(void **state)
{
	(void)state;
	assert_true(instname_is_meant("web@3", "web"));
	assert_true(instname_is_meant("web@3", "web@3"));
	assert_false(instname_is_meant("web@3", "web@2"));
	assert_false(instname_is_meant("web@3", "web2@3"));
	/* An only one has no number. */
	assert_true(instname_is_meant("web", "web@1"));
	assert_true(instname_is_meant("web@1", "web"));
	assert_false(instname_is_meant("web+cluster", "web"));
}

static void test_first_instance_has_two_names_and_one_that_stays(void **state)
{
	char longest[LIMIT_NAME];

	(void)state;
	assert_other("web", "web@1");
	assert_other("web@1", "web");
	assert_other("web@2", NULL);
	assert_other("web@11", NULL);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_other(longest, NULL);
	assert_int_equal(instname_stable_length("web@1"), 3);
	assert_int_equal(instname_stable_length("web"), 3);
	assert_int_equal(instname_stable_length("web@11"), 6);
	assert_int_equal(instname_stable_length("#3.pre_start"), 12);
}

static void test_filter_has_the_number_of_its_program(void **state)
{
	char name[LIMIT_NAME];

	(void)state;
	instname_of_filter("web", name);
	assert_string_equal(name, "web" INSTNAME_FILTER);
	instname_of_filter("web@3", name);
	assert_string_equal(name, "web" INSTNAME_FILTER "@3");
}

static void test_relay_of_a_terminal_has_the_number_of_its_program(void **state)
{
	char name[LIMIT_NAME];

	(void)state;
	instname_of_tty("web@3", name);
	assert_string_equal(name, "web" INSTNAME_TTY "@3");
	assert_true(instname_owner_of_tty("web+tty@3", name));
	assert_string_equal(name, "web@3");
	assert_true(instname_owner_of_tty("web+tty", name));
	assert_string_equal(name, "web");
	assert_false(instname_owner_of_tty("web", name));
	assert_false(instname_owner_of_tty("web+filter@3", name));
	assert_false(instname_owner_of_tty("+tty", name));
}

static void test_number_is_written_in_one_way(void **state)
{
	(void)state;
	assert_parses("web", 3, 0);
	assert_parses("web@1", 3, 1);
	assert_parses("web@1024", 3, LIMIT_INSTANCES);
	assert_refused("web@");
	assert_refused("web@0");
	assert_refused("web@03");
	assert_refused("web@x");
	assert_refused("web@1@2");
	assert_refused("web@1089");
	assert_refused("web@99999999999999999999");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_name_is_split_into_program_and_number),
	    cmocka_unit_test(test_meant_then_all_by_the_program_and_one_by_its_number),
	    cmocka_unit_test(test_first_instance_has_two_names_and_one_that_stays),
	    cmocka_unit_test(test_filter_has_the_number_of_its_program),
	    cmocka_unit_test(test_relay_of_a_terminal_has_the_number_of_its_program),
	    cmocka_unit_test(test_number_is_written_in_one_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
