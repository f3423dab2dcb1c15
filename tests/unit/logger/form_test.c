/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/logger/stamp.h, form.h and message.h: every form, byte by byte. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/clock.h"
#include "supervisord/logger/form.h"
#include "supervisord/logger/message.h"

#define WALL_NS (1795771812LL * NS_PER_S + 123456789)
#define TIME    "2026-11-27T09:30:12.123456Z"

static struct origin origin;
static struct jsonw out;
static struct form form;

static int set_up(void **state)
{
	(void)state;
	origin = (struct origin){
	    .name = "web@3", .run = 7, .pid = 42, .facility = 3, .wall_ns = WALL_NS};
	form = (struct form){0};
	jsonw_init(&out, 4096);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	jsonw_done(&out);
	return 0;
}

static void assert_out_is(const char *bytes, size_t length)
{
	assert_int_equal(jsonw_error(&out), 0);
	assert_int_equal(out.length, length);
	assert_memory_equal(out.data, bytes, length);
	jsonw_reset(&out);
}

#define assert_out(text) assert_out_is(text, sizeof(text) - 1)

static void put(enum logspec_format format, const char *text, size_t length, bool is_continued)
{
	const struct line line = {.text = text, .length = length, .is_continued = is_continued};

	form_begin(&form, format, &origin);
	form_write(&form, &out, &line);
}

static void test_stamp_when_time_goes_on_then_each_is_right(void **state)
{
	struct stamp stamp = {0};

	(void)state;
	assert_string_equal(stamp_get(&stamp, WALL_NS), TIME);
	assert_string_equal(stamp_get(&stamp, WALL_NS + 1000), "2026-11-27T09:30:12.123457Z");
	assert_string_equal(stamp_get(&stamp, WALL_NS + NS_PER_S), "2026-11-27T09:30:13.123456Z");
	assert_string_equal(stamp_get(&stamp, WALL_NS), TIME);
	assert_string_equal(stamp_get(&stamp, 0), "1970-01-01T00:00:00.000000Z");
	/* Past the year 2038. */
	assert_string_equal(
	    stamp_get(&stamp, 2208988800LL * NS_PER_S), "2040-01-01T00:00:00.000000Z");
}

static void test_form_when_stamped_then_as_documented(void **state)
{
	(void)state;
	put(LOGSPEC_STAMP, "hello world", 11, false);
	assert_out(TIME " web@3 7 out hello world\n");
	put(LOGSPEC_STAMP, "", 0, false);
	assert_out(TIME " web@3 7 out \n");
	put(LOGSPEC_STAMP, "a\0\xff", 3, true);
	assert_out(TIME " web@3 7 out+ a\0\xff\n");
	origin.stream = 1;
	put(LOGSPEC_STAMP, "x", 1, false);
	assert_out(TIME " web@3 7 err x\n");
	put(LOGSPEC_STAMP, "x", 1, true);
	assert_out(TIME " web@3 7 err+ x\n");
	form_write_note(&form, &out, "12 lines dropped");
	assert_out(TIME " web@3 7 log 12 lines dropped\n");
}

static void test_form_when_json_then_one_object_a_line(void **state)
{
	(void)state;
	put(LOGSPEC_JSON, "say \"hi\"\t\xff", 10, false);
	assert_out("{\"time\":\"" TIME "\",\"program\":\"web\",\"name\":\"web@3\",\"run\":7,"
		   "\"stream\":\"out\",\"text\":\"say \\\"hi\\\"\\t\xef\xbf\xbd\"}\n");
	put(LOGSPEC_JSON, "x", 1, true);
	put(LOGSPEC_JSON, "y", 1, false);
	assert_out("{\"time\":\"" TIME "\",\"program\":\"web\",\"name\":\"web@3\",\"run\":7,"
		   "\"stream\":\"out\",\"text\":\"x\",\"partial\":true}\n"
		   "{\"time\":\"" TIME "\",\"program\":\"web\",\"name\":\"web@3\",\"run\":7,"
		   "\"stream\":\"out\",\"text\":\"y\"}\n");
	form_write_note(&form, &out, "1 line dropped");
	assert_out("{\"time\":\"" TIME "\",\"program\":\"web\",\"name\":\"web@3\",\"run\":7,"
		   "\"stream\":\"log\",\"text\":\"1 line dropped\"}\n");
}

static void test_form_when_raw_then_nothing_is_added(void **state)
{
	(void)state;
	put(LOGSPEC_RAW, "a", 1, true);
	put(LOGSPEC_RAW, "b", 1, false);
	assert_out("ab\n");
	form_write_note(&form, &out, "2 lines dropped");
	assert_out("[supervisord: 2 lines dropped]\n");
}

static void test_form_when_prefixed_then_the_name_is_in_front(void **state)
{
	(void)state;
	put(LOGSPEC_PREFIX, "a", 1, false);
	assert_out("web@3 | a\n");
}

static void test_form_when_all_is_long_then_within_the_bound(void **state)
{
	static char text[500];
	char name[LIMIT_NAME];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	origin.name = name;
	origin.run = UINT64_MAX;
	put(LOGSPEC_JSON, text, sizeof(text), true);
	assert_true(out.length <= form_bound(sizeof(text)));
	assert_true(out.length > 6 * sizeof(text));
	/* The head is whole. */
	assert_non_null(memmem(out.data, out.length, "\"text\":\"\\u0000", 14));
}

static struct message make_message(const char *text, size_t length)
{
	return (struct message){
	    .origin = &origin, .time = TIME, .host = "host", .text = text, .length = length};
}

static void test_syslog_when_a_line_is_sent_then_as_rfc_5424(void **state)
{
	struct message message = make_message("hello\tthere", 11);

	(void)state;
	message_write_syslog(&out, &message);
	assert_out("<30>1 " TIME " host web@3 42 out - hello\tthere");
	origin.stream = 1;
	origin.pid = 0;
	origin.tag = "www";
	origin.facility = 16;
	message_write_syslog(&out, &message);
	assert_out("<131>1 " TIME " host www - err - hello\tthere");
	message.is_note = true;
	message.host = "";
	message_write_syslog(&out, &message);
	assert_out("<133>1 " TIME " - www - log - hello\tthere");
}

static void test_syslog_when_bytes_control_then_they_are_escaped(void **state)
{
	struct message message = make_message("a\nb\0\x7f\xc3\xa9", 7);

	(void)state;
	origin.tag = "t g\x01";
	message.host = "h\n";
	message_write_syslog(&out, &message);
	assert_out("<30>1 " TIME " h_ t_g_ 42 out - a#012b#000#177\xc3\xa9");
}

static void test_syslog_when_the_name_is_long_then_the_tag_has_its_limit(void **state)
{
	struct message message = make_message("x", 1);

	(void)state;
	origin.name = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn@12345";
	message_write_syslog(&out, &message);
	assert_out(
	    "<30>1 " TIME " host nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn 42 out - x");
}

static void test_journal_when_a_line_is_sent_then_its_fields(void **state)
{
	struct message message = make_message("hello=\0", 7);

	(void)state;
	message_write_journal(&out, &message);
	assert_out("PRIORITY=6\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=web@3\nSYSLOG_PID=42\n"
		   "SUPERVISORD_PROGRAM=web\nSUPERVISORD_NAME=web@3\nSUPERVISORD_RUN=7\n"
		   "SUPERVISORD_STREAM=out\nMESSAGE=hello=\0\n");
	origin.pid = 0;
	message = make_message("a\nb", 3);
	message_write_journal(&out, &message);
	assert_out("PRIORITY=6\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=web@3\n"
		   "SUPERVISORD_PROGRAM=web\nSUPERVISORD_NAME=web@3\nSUPERVISORD_RUN=7\n"
		   "SUPERVISORD_STREAM=out\nMESSAGE\n\3\0\0\0\0\0\0\0a\nb\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_stamp_when_time_goes_on_then_each_is_right),
	    TEST(test_form_when_stamped_then_as_documented),
	    TEST(test_form_when_json_then_one_object_a_line),
	    TEST(test_form_when_raw_then_nothing_is_added),
	    TEST(test_form_when_prefixed_then_the_name_is_in_front),
	    TEST(test_form_when_all_is_long_then_within_the_bound),
	    TEST(test_syslog_when_a_line_is_sent_then_as_rfc_5424),
	    TEST(test_syslog_when_bytes_control_then_they_are_escaped),
	    TEST(test_syslog_when_the_name_is_long_then_the_tag_has_its_limit),
	    TEST(test_journal_when_a_line_is_sent_then_its_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
