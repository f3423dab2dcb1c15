/* SPDX-License-Identifier: ISC */
/* Tests of lib/signame.h. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/signame.h"

static void test_parse_takes_every_form(void **state)
{
	(void)state;
	assert_int_equal(signame_parse("TERM"), SIGTERM);
	assert_int_equal(signame_parse("SIGTERM"), SIGTERM);
	assert_int_equal(signame_parse("term"), SIGTERM);
	assert_int_equal(signame_parse("sigHup"), SIGHUP);
	assert_int_equal(signame_parse("15"), 15);
	assert_int_equal(signame_parse("IOT"), SIGABRT);
	assert_int_equal(signame_parse("RTMIN"), SIGRTMIN);
	assert_int_equal(signame_parse("RTMIN+3"), SIGRTMIN + 3);
	assert_int_equal(signame_parse("SIGRTMAX-1"), SIGRTMAX - 1);
	assert_int_equal(signame_parse("rtmax"), SIGRTMAX);
}

static void test_parse_of_no_signal_is_refused(void **state)
{
	static const char *const bad[] = {"", "0", "-1", "65", "999", "FOO", "SIG", "SIGSIGTERM",
	    "TERM ", " TERM", "RTMIN+", "RTMIN+99", "RTMIN-1", "RTMAX+1", "RTMIN+-1", "RTMAX-99",
	    "15x"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (signame_parse(bad[i]) != -EINVAL)
			fail_msg("'%s' was not refused", bad[i]);
}

static void test_format_of_every_signal_is_read_back(void **state)
{
	char buffer[16];

	(void)state;
	for (int number = 1; number <= SIGRTMAX; number++) {
		/* The C library keeps some for itself. */
		if (number >= 32 && number < SIGRTMIN)
			continue;
		assert_int_equal(
		    signame_parse(signame_format(number, buffer, sizeof(buffer))), number);
		assert_int_not_equal(strncmp(buffer, "SIG", 3), 0);
	}
}

static void test_format_of_an_unknown_number_shows_it(void **state)
{
	char buffer[16];

	(void)state;
	assert_string_equal(signame_format(99, buffer, sizeof(buffer)), "SIG99");
	assert_string_equal(signame_format(SIGABRT, buffer, sizeof(buffer)), "ABRT");
	assert_string_equal(signame_format(SIGRTMIN + 3, buffer, sizeof(buffer)), "RTMIN+3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse_takes_every_form),
	    cmocka_unit_test(test_parse_of_no_signal_is_refused),
	    cmocka_unit_test(test_format_of_every_signal_is_read_back),
	    cmocka_unit_test(test_format_of_an_unknown_number_shows_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
