/* SPDX-License-Identifier: ISC */
/* One line a message, none forged, none that waits. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/ownlog.h"

static int ends[2];
static int saved_stderr;
static char text[1 << 17];

static int set_up(void **state)
{
	(void)state;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	if (saved_stderr < 0 || dup2(ends[1], STDERR_FILENO) < 0)
		return -1;
	close(ends[1]);
	ownlog_init("tester", OWNLOG_NOTICE);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(ends[0]);
	return 0;
}

static const char *read_text(void)
{
	ssize_t got = read(ends[0], text, sizeof(text) - 1);

	assert_true(got >= 0);
	text[got] = '\0';
	return text;
}

static void test_line_when_logged_then_stamp_and_sender(void **state)
{
	int year, day, milliseconds, at = 0;

	(void)state;
	log_notice("hello %d", 5);
	(void)read_text();
	assert_int_equal(
	    sscanf(text, "%4d-%*2d-%2dT%*2d:%*2d:%*2d.%3dZ%n", &year, &day, &milliseconds, &at), 3);
	assert_true(year > 2000);
	assert_int_equal(at, 24);
	assert_string_equal(text + at, " tester: hello 5\n");
}

static void test_line_when_a_level_then_named_unless_notice(void **state)
{
	(void)state;
	log_error("x");
	log_warning("y");
	(void)read_text();
	assert_non_null(strstr(text, " tester: error: x\n"));
	assert_non_null(strstr(text, " tester: warning: y\n"));
}

static void test_level_when_lower_then_silent_until_set(void **state)
{
	(void)state;
	log_debug("hidden");
	ownlog_set_level(OWNLOG_DEBUG);
	log_debug("shown");
	(void)read_text();
	assert_null(strstr(text, "hidden"));
	assert_non_null(strstr(text, "debug: shown\n"));
}

static void test_line_when_control_bytes_then_visible_and_one_line(void **state)
{
	(void)state;
	log_notice("a\nb\x1b[31m\tc\x7f");
	(void)read_text();
	assert_non_null(strstr(text, "a\\x0ab\\x1b[31m\\x09c\\x7f\n"));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void test_line_when_too_long_then_still_one_line(void **state)
{
	char huge[4 * OWNLOG_LINE];

	(void)state;
	memset(huge, '\n', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	log_notice("%s", huge);
	(void)read_text();
	assert_true(strlen(text) <= OWNLOG_LINE);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void test_line_when_the_pipe_is_full_then_dropped_and_counted(void **state)
{
	(void)state;
	for (int i = 0; i < 10000; i++)
		log_notice("message %d", i);
	(void)read_text();
	assert_non_null(strstr(text, "message 0\n"));
	log_notice("after");
	(void)read_text();
	assert_non_null(strstr(text, "own messages were dropped here)\n"));
	assert_non_null(strstr(text, "tester: after\n"));
	log_notice("once");
	assert_null(strstr(read_text(), "dropped"));
}

static void test_errno_when_logging_then_untouched(void **state)
{
	(void)state;
	errno = ENOTDIR;
	log_notice("x");
	assert_int_equal(errno, ENOTDIR);
	(void)read_text();
}

static void test_level_name_when_out_of_range_then_null(void **state)
{
	(void)state;
	assert_string_equal(ownlog_level_name(OWNLOG_ERROR), "error");
	assert_string_equal(ownlog_level_name(OWNLOG_DEBUG), "debug");
	assert_null(ownlog_level_name(-1));
	assert_null(ownlog_level_name(OWNLOG_DEBUG + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_line_when_logged_then_stamp_and_sender, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_line_when_a_level_then_named_unless_notice, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_level_when_lower_then_silent_until_set, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_line_when_control_bytes_then_visible_and_one_line, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_line_when_too_long_then_still_one_line, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_line_when_the_pipe_is_full_then_dropped_and_counted, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_errno_when_logging_then_untouched, set_up, tear_down),
	    cmocka_unit_test(test_level_name_when_out_of_range_then_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
