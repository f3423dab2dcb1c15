/* SPDX-License-Identifier: ISC */
/* What goes to the client, and where a message is cut. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "supervisord/logger/reply.h"

static void test_reply_when_written_then_a_varlink_message_with_its_nul(void **state)
{
	struct reply reply = {.bytes = "a\"b\n\xff",
	    .length = 5,
	    .format = "raw",
	    .next = "f1",
	    .lost = true,
	    .continues = true};
	struct jsonw w;

	(void)state;
	jsonw_init(&w, 1000);
	reply_write(&w, &reply);
	assert_string_equal(w.data, "{\"parameters\":{\"data\":\"a\\\"b\\n\xef\xbf\xbd\","
				    "\"format\":\"raw\",\"next\":\"f1\",\"lost\":true},"
				    "\"continues\":true}");
	assert_int_equal(w.length, strlen(w.data) + 1);
	reply = (struct reply){.bytes = "", .format = "own", .next = "f2"};
	reply_write(&w, &reply);
	assert_string_equal(
	    w.data, "{\"parameters\":{\"data\":\"\",\"format\":\"own\",\"next\":\"f2\"}}");
	jsonw_done(&w);
}

static void test_last_reply_when_it_does_not_fit_then_the_newest_lines(void **state)
{
	const struct reply reply = {
	    .bytes = "first\nsecond\nthird\nlast\n", .length = 24, .format = "raw", .next = ""};
	struct jsonw w;

	(void)state;
	jsonw_init(&w, 66);
	reply_write_last(&w, &reply);
	assert_int_equal(jsonw_error(&w), 0);
	assert_string_equal(w.data, "{\"parameters\":{\"data\":\"third\\nlast\\n\","
				    "\"format\":\"raw\",\"next\":\"\"}}");
	jsonw_done(&w);
}

static void test_errors_when_written_then_as_the_interface_says(void **state)
{
	struct jsonw w;

	(void)state;
	jsonw_init(&w, 1000);
	reply_write_busy(&w, "full");
	assert_string_equal(
	    w.data, "{\"error\":\"io.superctl.Busy\",\"parameters\":{\"reason\":\"full\"}}");
	reply_write_invalid_parameter(&w, "from");
	assert_string_equal(w.data, "{\"error\":\"org.varlink.service.InvalidParameter\","
				    "\"parameters\":{\"parameter\":\"from\"}}");
	jsonw_done(&w);
}

static void test_cut_when_full_then_at_the_last_line_end(void **state)
{
	(void)state;
	assert_int_equal(reply_cut("ab\ncd\nef", 8, true), 6);
	assert_int_equal(reply_cut("ab\ncd\nef", 8, false), 8);
	assert_int_equal(reply_cut("abcdef", 6, true), 6);
}

static void test_cut_when_a_character_is_begun_then_before_it(void **state)
{
	(void)state;
	assert_int_equal(reply_cut("a\xc3", 2, false), 1);
	assert_int_equal(reply_cut("a\xc3\xa4", 3, false), 3);
	assert_int_equal(reply_cut("a\xe2\x82", 3, false), 1);
	assert_int_equal(reply_cut("a\xf0\x9f\x98", 4, false), 1);
	assert_int_equal(reply_cut("a\xf0\x9f\x98\x80", 5, false), 5);
	/* No character begins with these: they are not worth waiting for. */
	assert_int_equal(reply_cut("a\x80\x80\x80", 4, false), 4);
	assert_int_equal(reply_cut("a\xff", 2, false), 2);
	assert_int_equal(reply_cut("", 0, false), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reply_when_written_then_a_varlink_message_with_its_nul),
	    cmocka_unit_test(test_last_reply_when_it_does_not_fit_then_the_newest_lines),
	    cmocka_unit_test(test_errors_when_written_then_as_the_interface_says),
	    cmocka_unit_test(test_cut_when_full_then_at_the_last_line_end),
	    cmocka_unit_test(test_cut_when_a_character_is_begun_then_before_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
