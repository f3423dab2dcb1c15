/* SPDX-License-Identifier: ISC */
/* ringplace_test.c: what a reader gets of a stream that has no file. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "supervisord/logger/ringplace.h"

#define LIFE 7
#define T    1769860800000000000LL /* 2026-01-31T12:00:00Z */

static struct rings rings;
static struct ring ring;
static struct jsonw out;

static int set_up(void **state)
{
	(void)state;
	rings_init(&rings, 1024 * 1024);
	ring_init(&ring, &rings);
	jsonw_init(&out, 1024 * 1024);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ring_done(&ring);
	jsonw_done(&out);
	return 0;
}

static void append(int64_t second, const char *text)
{
	ring_append(&ring, T + second * 1000000000, 3, text, strlen(text));
}

/* The texts of all lines from the place on, one behind the other. */
static const char *read_from(struct ringplace *place, enum place_loss *ret_loss)
{
	static char texts[256];
	const char *at;

	jsonw_reset(&out);
	*ret_loss = PLACE_LOST_NOTHING;
	while (ringplace_read(place, &ring, UINT64_MAX, "web", 0, &out, ret_loss))
		continue;
	assert_int_equal(jsonw_error(&out), 0);
	jsonw_raw(&out, "", 1);
	texts[0] = '\0';
	for (at = out.data; (at = strstr(at, " web 3 out")) != NULL;) {
		const char *end = strchr(at, '\n');

		at += strlen(" web 3 out");
		strncat(texts, at, (size_t)(end - at));
	}
	return texts;
}

static void assert_last(uint64_t lines, const char *expected)
{
	struct ringplace place;
	enum place_loss loss;

	ringplace_seek_lines(&place, &ring, lines);
	assert_string_equal(read_from(&place, &loss), expected);
	assert_int_equal(loss, PLACE_LOST_NOTHING);
}

static void test_lines_when_in_records_then_the_last_of_them(void **state)
{
	(void)state;
	assert_last(5, "");
	append(0, "a\nb\n");
	append(1, "c\nd\ne\n");
	assert_last(0, "");
	assert_last(1, " e");
	assert_last(2, " d e");
	assert_last(3, " c d e");
	assert_last(4, " b c d e");
	assert_last(UINT64_MAX, " a b c d e");
}

static void test_read_when_stamped_then_time_and_run_of_the_record(void **state)
{
	struct ringplace place = {0};
	enum place_loss loss;

	(void)state;
	append(1, "hello\n");
	read_from(&place, &loss);
	assert_string_equal(out.data, "2026-01-31T12:00:01.000000Z web 3 out hello\n");
	append(2, "more\n");
	assert_string_equal(read_from(&place, &loss), " more");
}

static void test_time_when_records_are_older_then_passed_over(void **state)
{
	struct ringplace place;
	enum place_loss loss;

	(void)state;
	append(0, "a\n");
	append(5, "b\n");
	append(9, "c\n");
	ringplace_seek_time(&place, &ring, T + 5000000000);
	assert_string_equal(read_from(&place, &loss), " b c");
	ringplace_seek_time(&place, &ring, T + 99000000000);
	assert_string_equal(read_from(&place, &loss), "");
}

static void test_read_when_overwritten_then_told(void **state)
{
	struct ringplace place = {0};
	enum place_loss loss;

	(void)state;
	append(0, "a\n");
	assert_string_equal(read_from(&place, &loss), " a");
	for (int i = 0; i < LIMIT_LOG_RING; i++)
		append(1, "x\n");
	jsonw_reset(&out);
	loss = PLACE_LOST_NOTHING;
	assert_true(ringplace_read(&place, &ring, UINT64_MAX, "web", 0, &out, &loss));
	assert_int_equal(loss, PLACE_LOST_ROTATED);
}

static void test_text_when_of_this_life_then_exactly_there(void **state)
{
	struct ringplace place = {0};
	enum place_loss loss = PLACE_LOST_NOTHING;
	char text[LIMIT_LOG_PLACE];

	(void)state;
	append(0, "a\n");
	assert_string_equal(read_from(&place, &loss), " a");
	ringplace_format(&place, LIFE, text, sizeof(text));
	append(1, "b\n");
	assert_int_equal(ringplace_seek_text(&place, &ring, LIFE, text, &loss), 0);
	assert_int_equal(loss, PLACE_LOST_NOTHING);
	assert_string_equal(read_from(&place, &loss), " b");
	assert_int_equal(ringplace_seek_text(&place, &ring, LIFE + 1, text, &loss), 0);
	assert_int_equal(loss, PLACE_LOST_UNSURE);
	assert_string_equal(read_from(&place, &loss), " a b");
}

static void test_text_when_it_is_none_then_einval(void **state)
{
	static const char *const texts[] = {
	    "", "m", "m1", "m1.", "m1.2.3", "f1.2", "m-1.2", "m1.x"};
	struct ringplace place;
	enum place_loss loss;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(
		    ringplace_seek_text(&place, &ring, LIFE, texts[i], &loss), -EINVAL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_lines_when_in_records_then_the_last_of_them),
	    TEST(test_read_when_stamped_then_time_and_run_of_the_record),
	    TEST(test_time_when_records_are_older_then_passed_over),
	    TEST(test_read_when_overwritten_then_told),
	    TEST(test_text_when_of_this_life_then_exactly_there),
	    TEST(test_text_when_it_is_none_then_einval),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
