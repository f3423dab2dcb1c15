/* SPDX-License-Identifier: ISC */
/* logline_test.c: lines of logs in each format, which of them are wanted, and the last of them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/timestamp.h"
#include "ctl/logfilter.h"
#include "ctl/logline.h"
#include "ctl/logshow.h"
#include "ctl/logtail.h"
#include "ctl/since.h"

static struct logline_reader reader;

static int set_up(void **state)
{
	(void)state;
	logline_reader_init(&reader);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	logline_reader_done(&reader);
	return 0;
}

static struct logline read_text(enum logline_format format, const char *text)
{
	struct logline line;

	logline_read(&reader, format, text, strlen(text), &line);
	assert_ptr_equal(line.whole, text);
	assert_int_equal(line.whole_length, strlen(text));
	return line;
}

static void assert_text(const struct logline *line, const char *expected)
{
	assert_int_equal(line->text_length, strlen(expected));
	assert_memory_equal(line->text, expected, strlen(expected));
}

static void assert_raw(enum logline_format format, const char *text)
{
	struct logline line = read_text(format, text);

	assert_text(&line, text);
	assert_null(line.time);
	assert_null(line.name);
	assert_null(line.stream);
	assert_int_equal(line.run, -1);
	assert_true(line.time_ns == LOGLINE_NO_TIME);
	assert_false(line.partial);
}

static void test_read_when_stamped_then_its_parts(void **state)
{
	struct logline line =
	    read_text(LOGLINE_STAMP, "2026-01-31T12:00:00.123456Z web@3 7 out hello  world ");

	(void)state;
	assert_text(&line, "hello  world ");
	assert_true(line.time_ns == 1769860800123456000LL);
	assert_int_equal(line.time_length, 27);
	assert_int_equal(line.name_length, 5);
	assert_memory_equal(line.name, "web@3", 5);
	assert_int_equal(line.run, 7);
	assert_string_equal(line.stream, "out");
	assert_false(line.partial);
	line = read_text(LOGLINE_STAMP, "2026-01-31T12:00:00.123456Z web 7 err+ part");
	assert_string_equal(line.stream, "err");
	assert_true(line.partial);
	line = read_text(LOGLINE_STAMP, "2026-01-31T12:00:00.123456Z web 7 log 3 lines dropped");
	assert_string_equal(line.stream, "log");
	assert_text(&line, "3 lines dropped");
	line = read_text(LOGLINE_STAMP, "2026-01-31T12:00:00.123456Z web 7 out ");
	assert_text(&line, "");
}

static void test_read_when_not_of_the_format_then_raw(void **state)
{
	(void)state;
	assert_raw(LOGLINE_RAW, "2026-01-31T12:00:00.123456Z web 7 out text");
	assert_raw(LOGLINE_STAMP, "");
	assert_raw(LOGLINE_STAMP, "some text of before");
	assert_raw(LOGLINE_STAMP, "2026-01-31T12:00:00.123456Z web 7");
	assert_raw(LOGLINE_STAMP, "2026-01-31T12:00:00.123456Z web seven out text");
	assert_raw(LOGLINE_STAMP, "2026-01-31T12:00:00.123456Z web 7 outer text");
	assert_raw(LOGLINE_STAMP, "2026-01-31T12:00:00.123456Z web 7 ou text");
	assert_raw(LOGLINE_STAMP, "2026-01-31T12:00:00.123456Z  web 7 out text");
	assert_raw(LOGLINE_STAMP, "2026-13-31T12:00:00.123456Z web 7 out text");
	assert_raw(
	    LOGLINE_STAMP, "2026-01-31T12:00:00.123456Z web 9999999999999999999999 out text");
	assert_raw(LOGLINE_OWN, "(3 own messages were dropped here)");
	assert_raw(LOGLINE_JSON, "{\"time\":\"2026-01-31T12:00:00Z\"");
	assert_raw(LOGLINE_JSON, "{\"level\":\"info\",\"text\":\"of the program\"}");
	assert_raw(LOGLINE_JSON, "{\"time\":1,\"stream\":\"out\",\"text\":\"x\"}");
	assert_raw(LOGLINE_JSON, "[]");
	assert_raw(LOGLINE_JSON, "");
}

static void test_read_when_own_then_time_and_text(void **state)
{
	struct logline line =
	    read_text(LOGLINE_OWN, "2026-01-31T12:00:00.123Z engine: web: RUNNING");

	(void)state;
	assert_text(&line, "engine: web: RUNNING");
	assert_true(line.time_ns == 1769860800123000000LL);
	assert_string_equal(line.stream, "log");
}

static void test_read_when_json_then_its_parts_decoded(void **state)
{
	struct logline line = read_text(LOGLINE_JSON,
	    "{\"time\":\"2026-01-31T12:00:00.123456Z\",\"program\":\"web\",\"name\":\"web@3\","
	    "\"run\":7,\"stream\":\"err\",\"text\":\"a \\\"b\\\"\\u0041\",\"partial\":true}");

	(void)state;
	assert_text(&line, "a \"b\"A");
	assert_true(line.time_ns == 1769860800123456000LL);
	assert_memory_equal(line.name, "web@3", 5);
	assert_int_equal(line.run, 7);
	assert_string_equal(line.stream, "err");
	assert_true(line.partial);
}

static bool wants(
    int64_t since_ns, int64_t run, const char *grep, const struct logline *line, int64_t time_ns)
{
	struct logfilter filter;
	char problem[64];
	bool is_wanted;

	assert_int_equal(logfilter_init(&filter, since_ns, run, grep, problem, sizeof(problem)), 0);
	is_wanted = logfilter_wants(&filter, line, time_ns);
	logfilter_done(&filter);
	return is_wanted;
}

static void test_filter_when_one_condition_fails_then_not_wanted(void **state)
{
	struct logline line =
	    read_text(LOGLINE_STAMP, "2026-01-31T12:00:00.123456Z web 7 out error 12");
	int64_t at = line.time_ns;

	(void)state;
	assert_true(wants(LOGLINE_NO_TIME, -1, NULL, &line, at));
	assert_true(wants(at, 7, "^error [0-9]+$", &line, at));
	assert_false(wants(at + 1, 7, "^error [0-9]+$", &line, at));
	assert_false(wants(at, 8, "^error [0-9]+$", &line, at));
	assert_false(wants(at, 7, "web", &line, at));
	/* Its time is that of the line before it, as far as there is one. */
	line = read_text(LOGLINE_STAMP, "of before");
	assert_true(wants(at, -1, NULL, &line, LOGLINE_NO_TIME));
	assert_false(wants(at, -1, NULL, &line, at - 1));
	assert_false(wants(LOGLINE_NO_TIME, 7, NULL, &line, at));
	line.is_note = true;
	assert_true(wants(at, 7, "never", &line, at - 1));
}

/* The text ends where its line does and may have a NUL inside. */
static void test_filter_when_the_text_goes_on_in_memory_then_it_is_not_looked_at(void **state)
{
	struct logline line;

	(void)state;
	logline_read(&reader, LOGLINE_RAW, "one\0two three", 7, &line);
	assert_true(wants(LOGLINE_NO_TIME, -1, "two$", &line, 0));
	assert_false(wants(LOGLINE_NO_TIME, -1, "three", &line, 0));
}

static void test_filter_when_the_expression_is_bad_then_what_is_wrong(void **state)
{
	struct logfilter filter;
	char problem[64] = "";

	(void)state;
	assert_int_equal(logfilter_init(&filter, 0, -1, "a(b", problem, sizeof(problem)), -EINVAL);
	assert_true(strlen(problem) > 0);
	logfilter_done(&filter);
}

static void assert_tail(struct logtail *tail, const char *expected)
{
	struct logtail_line line;
	char all[64] = "";

	while (logtail_take(tail, &line)) {
		strncat(all, line.bytes, line.length);
		free(line.bytes);
	}
	assert_string_equal(all, expected);
}

static void test_tail_when_more_than_it_holds_then_the_last(void **state)
{
	struct logtail tail;

	(void)state;
	for (uint64_t most = 0; most <= 40; most++) {
		const char *all = "abcdefghijklmnopqrstuvwxyz";

		logtail_init(&tail, most);
		for (int i = 0; i < 26; i++)
			assert_int_equal(logtail_add(&tail, &all[i], 1, false), 0);
		assert_tail(&tail, all + (most < 26 ? 26 - most : 0));
		assert_false(tail.is_cut);
		logtail_done(&tail);
	}
}

static void test_tail_when_too_many_bytes_then_the_last_and_said(void **state)
{
	size_t length = LIMIT_LOG_TAIL / 4;
	struct logtail tail;
	char *line = calloc(1, length);

	(void)state;
	assert_non_null(line);
	logtail_init(&tail, 100);
	for (int i = 0; i < 5; i++)
		assert_int_equal(logtail_add(&tail, line, length, false), 0);
	assert_int_equal(tail.count, 4);
	assert_true(tail.is_cut);
	logtail_done(&tail);
	free(line);
}

static void assert_since(const char *text, const char *expected)
{
	const char *now = "2026-01-31T12:00:00Z";
	int64_t now_ns, ns = -1, expected_ns = -1;

	assert_int_equal(timestamp_parse(now, strlen(now), &now_ns), 0);
	if (expected == NULL) {
		assert_int_equal(since_parse(text, now_ns, &ns), -EINVAL);
		return;
	}
	assert_int_equal(timestamp_parse(expected, strlen(expected), &expected_ns), 0);
	assert_int_equal(since_parse(text, now_ns, &ns), 0);
	assert_true(ns == expected_ns);
}

static void test_since_when_a_duration_then_so_long_ago(void **state)
{
	(void)state;
	assert_since("10min", "2026-01-31T11:50:00Z");
	assert_since("1h30min", "2026-01-31T10:30:00Z");
	assert_since("2d", "2026-01-29T12:00:00Z");
	assert_since("90", "2026-01-31T11:58:30Z");
	assert_since("20000d", "1971-04-30T12:00:00Z");
	assert_since("100000d", "1970-01-01T00:00:00Z");
}

static void test_since_when_a_time_then_that_one(void **state)
{
	(void)state;
	assert_int_equal(setenv("TZ", "XYZ-1", 1), 0); /* an hour before UTC */
	assert_since("2026-01-31T09:30:00.5Z", "2026-01-31T09:30:00.5Z");
	assert_since("2026-01-31T09:30:00+02:00", "2026-01-31T07:30:00Z");
	assert_since("2026-01-31T09:30:15", "2026-01-31T08:30:15Z");
	assert_since("2026-01-31T09:30", "2026-01-31T08:30:00Z");
	assert_since("2026-01-31 09:30:15", "2026-01-31T08:30:15Z");
	assert_since("2026-01-30 09:30", "2026-01-30T08:30:00Z");
	assert_since("2026-01-30", "2026-01-29T23:00:00Z");
	assert_since("09:30", "2026-01-31T08:30:00Z");
	assert_since("09:30:15", "2026-01-31T08:30:15Z");
}

static void test_since_when_anything_else_then_einval(void **state)
{
	static const char *const texts[] = {"", "now", "yesterday", "-10min", "10 min", "25:00",
	    "09:30x", " 09:30", "2026-02-30x", "2026-01-31T", "2026-01", "09:"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_since(texts[i], NULL);
}

static void assert_shown(struct logshow *show, const struct logline *line, const char *expected)
{
	const struct logshow_origin origin = {"web@3", "web", "out", 0};

	show->out->length = 0;
	logshow_line(show, &origin, line);
	out_bytes(show->out, "", 1);
	assert_string_equal(show->out->data, expected);
}

static void test_show_when_one_log_then_as_it_is(void **state)
{
	struct logline line =
	    read_text(LOGLINE_STAMP, "2026-01-31T12:00:00.123456Z web@3 7 out hello");
	struct out out = {.fd = -1};
	struct logshow show;

	(void)state;
	logshow_init(&show, &out, false);
	assert_shown(&show, &line, "2026-01-31T12:00:00.123456Z web@3 7 out hello\n");
	logshow_done(&show);
	out_done(&out);
}

static void test_show_when_several_logs_then_names_in_a_column(void **state)
{
	struct out out = {.fd = -1};
	struct logshow show;
	struct logline line;

	(void)state;
	logshow_init(&show, &out, false);
	logshow_add_name(&show, "web@3");
	logshow_add_name(&show, "database");
	line = read_text(LOGLINE_STAMP, "2026-01-31T12:00:00.123456Z web@3 7 out hello");
	assert_shown(&show, &line, "web@3    | 2026-01-31T12:00:00.123456Z hello\n");
	line = read_text(LOGLINE_RAW, "hello");
	assert_shown(&show, &line, "web@3    | hello\n");
	out.colour = true;
	assert_shown(&show, &line, "\033[36mweb@3    | \033[0mhello\n");
	line = read_text(LOGLINE_RAW, "\033[31mred");
	assert_shown(&show, &line, "\033[36mweb@3    | \033[0m\033[31mred\033[0m\n");
	logshow_done(&show);
	out_done(&out);
}

static void test_show_when_json_then_one_shape_for_every_format(void **state)
{
	struct out out = {.fd = -1};
	struct logshow show;
	struct logline line;

	(void)state;
	logshow_init(&show, &out, true);
	line = read_text(LOGLINE_RAW, "a \"b\"");
	assert_shown(&show, &line,
	    "{\"time\":null,\"program\":\"web\",\"name\":\"web@3\",\"run\":null,"
	    "\"stream\":\"out\",\"text\":\"a \\\"b\\\"\"}\n");
	line.is_note = true;
	assert_shown(&show, &line,
	    "{\"time\":null,\"program\":\"web\",\"name\":\"web@3\",\"run\":null,"
	    "\"stream\":\"log\",\"text\":\"a \\\"b\\\"\"}\n");
	line = read_text(LOGLINE_STAMP, "2026-01-31T12:00:00.123456Z web@3 7 err+ part");
	assert_shown(&show, &line,
	    "{\"time\":\"2026-01-31T12:00:00.123456Z\",\"program\":\"web\",\"name\":\"web@3\","
	    "\"run\":7,\"stream\":\"err\",\"text\":\"part\",\"partial\":true}\n");
	line = read_text(LOGLINE_JSON, "{\"time\":\"2026-01-31T12:00:00.123456Z\",\"program\":"
				       "\"web\",\"name\":\"web@3\",\"run\":7,\"stream\":\"out\","
				       "\"text\":\"x\"}");
	assert_shown(&show, &line,
	    "{\"time\":\"2026-01-31T12:00:00.123456Z\",\"program\":\"web\",\"name\":\"web@3\","
	    "\"run\":7,\"stream\":\"out\",\"text\":\"x\"}\n");
	logshow_done(&show);
	out_done(&out);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_read_when_stamped_then_its_parts),
	    TEST(test_read_when_not_of_the_format_then_raw),
	    TEST(test_read_when_own_then_time_and_text),
	    TEST(test_read_when_json_then_its_parts_decoded),
	    TEST(test_filter_when_one_condition_fails_then_not_wanted),
	    TEST(test_filter_when_the_text_goes_on_in_memory_then_it_is_not_looked_at),
	    TEST(test_filter_when_the_expression_is_bad_then_what_is_wrong),
	    TEST(test_tail_when_more_than_it_holds_then_the_last),
	    TEST(test_tail_when_too_many_bytes_then_the_last_and_said),
	    TEST(test_since_when_a_duration_then_so_long_ago),
	    TEST(test_since_when_a_time_then_that_one),
	    TEST(test_since_when_anything_else_then_einval),
	    TEST(test_show_when_one_log_then_as_it_is),
	    TEST(test_show_when_several_logs_then_names_in_a_column),
	    TEST(test_show_when_json_then_one_shape_for_every_format),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
