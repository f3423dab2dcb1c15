/* SPDX-License-Identifier: ISC */
/* What a terminal is sent, as lines of a log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "supervisord/terminal/newline.h"

/* However it is cut in two, it comes to the same. */
static void expect(const char *from, const char *to, bool carry)
{
	size_t length = strlen(from);

	for (size_t cut = 0; cut <= length; cut++) {
		char buffer[64];
		bool held = false;
		size_t at = newline_convert(from, cut, &held, buffer);

		assert_true(at <= cut);
		at += newline_convert(from + cut, length - cut, &held, buffer + at);
		assert_int_equal(at, strlen(to));
		assert_memory_equal(buffer, to, at);
		assert_int_equal(held, carry);
	}
}

static void test_newline_when_a_terminal_made_two_bytes_of_it_then_one_is_left(void **state)
{
	(void)state;
	expect("one\r\ntwo\r\n", "one\ntwo\n", false);
	expect("\r\n\r\n", "\n\n", false);
	expect("plain\n", "plain\n", false);
	/* The program has written CR LF itself. */
	expect("dos\r\r\n", "dos\n", false);
}

static void test_return_when_no_newline_follows_then_it_stays(void **state)
{
	(void)state;
	expect("10%\r20%\r100%\r\n", "10%\r20%\r100%\n", false);
	expect("a\r\rb", "a\rb", false);
	expect("a\r", "a", true);
	expect("\r", "", true);
}

static void test_bytes_when_they_are_others_then_they_are_kept(void **state)
{
	char buffer[8];
	bool held = true;

	(void)state;
	assert_int_equal(newline_convert("\0\xff\n", 3, &held, buffer), 4);
	assert_memory_equal(buffer, "\r\0\xff\n", 4);
	assert_false(held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_newline_when_a_terminal_made_two_bytes_of_it_then_one_is_left),
	    cmocka_unit_test(test_return_when_no_newline_follows_then_it_stays),
	    cmocka_unit_test(test_bytes_when_they_are_others_then_they_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
