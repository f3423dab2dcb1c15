/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/confedit.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "supervisord/engine/confedit.h"

static int set(const char *text, const char *program, char **ret_text)
{
	const struct confedit edit = {.text = text,
	    .length = strlen(text),
	    .program = program,
	    .key = "instances",
	    .value = "8"};
	size_t length = 0;
	int error = confedit_set(&edit, ret_text, &length);

	if (error == 0)
		assert_int_equal(strlen(*ret_text), length);
	return error;
}

static void assert_becomes(const char *text, const char *expected)
{
	char *result = NULL;

	assert_int_equal(set(text, "web", &result), 0);
	assert_string_equal(result, expected);
	free(result);
}

static void assert_fails(const char *text, const char *program, int error)
{
	char *result = NULL;

	assert_int_equal(set(text, program, &result), error);
	assert_null(result);
}

static void test_value_that_is_there_is_replaced_and_nothing_else(void **state)
{
	(void)state;
	assert_becomes(
	    "# instances = 1\nprogram web { # web {\n command = x instances = 10 # ten\n}\n",
	    "# instances = 1\nprogram web { # web {\n command = x instances = 8 # ten\n}\n");
	assert_becomes(
	    "program \"web\" { instances = \"cpus\" }", "program \"web\" { instances = 8 }");
	assert_becomes("program 'web' {instances={1}}", "program 'web' {instances=8}");
}

static void test_key_that_is_not_there_goes_to_the_end(void **state)
{
	(void)state;
	assert_becomes("program web {\n\tcommand = x\n}\n",
	    "program web {\n\tcommand = x\n instances = 8 }\n");
	assert_becomes("program web {}", "program web { instances = 8 }");
}

static void test_other_stanzas_and_sections_are_passed_over(void **state)
{
	(void)state;
	assert_becomes("defaults { instances = 2 }\ngroup g { members = {web} }\n"
		       "program api { command = {program, web} instances = 3 }\n"
		       "program web { health { check = \"exec:x\" instances = 4 } command = \"} "
		       "instances = 5\" "
		       "instances = 6 }\n",
	    "defaults { instances = 2 }\ngroup g { members = {web} }\n"
	    "program api { command = {program, web} instances = 3 }\n"
	    "program web { health { check = \"exec:x\" instances = 4 } command = \"} instances = "
	    "5\" "
	    "instances = 8 }\n");
}

static void test_text_without_the_program_is_told(void **state)
{
	(void)state;
	assert_fails("program api { command = x }", "web", -ENOENT);
	assert_fails("", "web", -ENOENT);
	assert_fails("log_level = debug\ngroup web { members = {a} }", "web", -ENOENT);
	assert_fails("program web { command = \"x", "web", -EBADMSG);
	assert_fails("program web { command = x", "web", -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_value_that_is_there_is_replaced_and_nothing_else),
	    cmocka_unit_test(test_key_that_is_not_there_goes_to_the_end),
	    cmocka_unit_test(test_other_stanzas_and_sections_are_passed_over),
	    cmocka_unit_test(test_text_without_the_program_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
