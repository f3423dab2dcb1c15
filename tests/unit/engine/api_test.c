/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/api.h: the table of methods against the text of the interface. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "supervisord/engine/api.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
static const char interface_text[] =
#include "interface.inc"
    ;
#pragma GCC diagnostic pop

static void test_each_method_of_the_interface_needs_a_right(void **state)
{
	static const char mark[] = "\nmethod ";
	unsigned count = 0;

	(void)state;
	for (const char *at = interface_text; (at = strstr(at, mark)) != NULL;) {
		char name[128];

		at += strlen(mark);
		snprintf(name, sizeof(name), "io.superctl.%.*s", (int)strcspn(at, "("), at);
		count++;
		/* None of ours is for everybody. */
		if (api_right(name) == RIGHT_UNSET || api_right(name) == RIGHT_OPEN)
			fail_msg("%s needs no right: see the table in api.c", name);
	}
	assert_true(count >= 14);
}

static void test_what_is_no_method_has_no_right(void **state)
{
	(void)state;
	assert_int_equal(api_right("io.superctl.Nothing"), RIGHT_UNSET);
	assert_int_equal(api_right("Status"), RIGHT_UNSET);
	assert_int_equal(api_right(""), RIGHT_UNSET);
	assert_int_equal(api_right("org.varlink.service.GetInfo"), RIGHT_OPEN);
	assert_int_equal(api_right("io.superctl.Stop"), RIGHT_STOP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_method_of_the_interface_needs_a_right),
	    cmocka_unit_test(test_what_is_no_method_has_no_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
