/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/logger/lines.h: what is a line, what a part, what stays. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "supervisord/logger/lines.h"

/* "line|part+|…", then what is left after "<". */
static const char *split(const char *bytes, size_t length, size_t max, bool flush)
{
	static char text[512];
	struct lines lines;
	struct line line;
	size_t at = 0;

	lines_init(&lines, bytes, length, max, flush);
	while (lines_next(&lines, &line))
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%.*s%s|", (int)line.length,
		    line.text, line.is_continued ? "+" : "");
	(void)snprintf(
	    text + at, sizeof(text) - at, "<%.*s", (int)(lines.end - lines.at), lines.at);
	return text;
}

static const char *split_text(const char *text, size_t max, bool flush)
{
	return split(text, strlen(text), max, flush);
}

static void test_lines_when_whole_then_each_is_given(void **state)
{
	(void)state;
	assert_string_equal(split_text("", 10, false), "<");
	assert_string_equal(split_text("", 10, true), "<");
	assert_string_equal(split_text("one\n\ntwo\n", 10, false), "one||two|<");
}

static void test_lines_when_unfinished_then_it_stays_unless_flushed(void **state)
{
	(void)state;
	assert_string_equal(split_text("one\ntw", 10, false), "one|<tw");
	assert_string_equal(split_text("one\ntw", 10, true), "one|tw+|<");
}

static void test_lines_when_as_long_as_allowed_then_whole(void **state)
{
	(void)state;
	assert_string_equal(split_text("12345\n", 5, false), "12345|<");
	/* The newline may be the next byte. */
	assert_string_equal(split_text("12345", 5, false), "<12345");
	assert_string_equal(split_text("123456", 5, false), "12345+|<6");
	assert_string_equal(split_text("123456\n", 5, false), "12345+|6|<");
	assert_string_equal(split_text("12345678901234\n", 5, false), "12345+|67890+|1234|<");
	assert_string_equal(split_text("1234567890\n", 5, false), "12345+|67890|<");
}

static void test_lines_when_cut_then_not_within_a_character(void **state)
{
	(void)state;
	assert_string_equal(split_text("123\xe2\x82\xac-\n", 5, false), "123+|\xe2\x82\xac-|<");
	assert_string_equal(split_text("12\xe2\x82\xac-\n", 5, false), "12\xe2\x82\xac+|-|<");
	assert_string_equal(
	    split_text("12\xf0\x9f\x98\x80-\n", 5, false), "12+|\xf0\x9f\x98\x80-|<");
	/* No UTF-8 at all: cut where it must be. */
	assert_string_equal(
	    split_text("\x80\x80\x80\x80\x80\x80\n", 5, false), "\x80\x80\x80\x80\x80+|\x80|<");
	assert_string_equal(split_text("1234\x80\x80\n", 5, false), "1234\x80+|\x80|<");
}

static void test_lines_when_they_have_a_nul_then_it_is_a_byte(void **state)
{
	static const char bytes[] = "a\0b\nc";
	struct lines lines;
	struct line line;

	(void)state;
	lines_init(&lines, bytes, sizeof(bytes) - 1, 10, false);
	assert_true(lines_next(&lines, &line));
	assert_int_equal(line.length, 3);
	assert_memory_equal(line.text, "a\0b", 3);
	assert_false(lines_next(&lines, &line));
	assert_int_equal(lines.end - lines.at, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines_when_whole_then_each_is_given),
	    cmocka_unit_test(test_lines_when_unfinished_then_it_stays_unless_flushed),
	    cmocka_unit_test(test_lines_when_as_long_as_allowed_then_whole),
	    cmocka_unit_test(test_lines_when_cut_then_not_within_a_character),
	    cmocka_unit_test(test_lines_when_they_have_a_nul_then_it_is_a_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
