/* SPDX-License-Identifier: ISC */
/* jsonw_test.c: what is written is JSON, valid UTF-8 and within its limit, whatever goes in. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/jsonw.h"

#define REPLACED "\xef\xbf\xbd"

static void assert_written(const struct jsonw *w, const char *expected)
{
	assert_int_equal(jsonw_error(w), 0);
	assert_int_equal(w->length, strlen(expected));
	assert_memory_equal(w->data, expected, w->length);
}

static void assert_string(const char *bytes, size_t length, const char *expected)
{
	struct jsonw w;

	jsonw_init(&w, 1000);
	jsonw_string_n(&w, bytes, length);
	assert_written(&w, expected);
	jsonw_done(&w);
}

static void test_containers_when_nested_then_commas_where_due(void **state)
{
	struct jsonw w;

	(void)state;
	jsonw_init(&w, 1000);
	jsonw_begin_object(&w);
	jsonw_member_string(&w, "a", "x");
	jsonw_member_int(&w, "b", 1);
	jsonw_key(&w, "c");
	jsonw_begin_array(&w);
	jsonw_begin_object(&w);
	jsonw_end_object(&w);
	jsonw_begin_array(&w);
	jsonw_end_array(&w);
	jsonw_null(&w);
	jsonw_bool(&w, true);
	jsonw_end_array(&w);
	jsonw_member_bool(&w, "d", false);
	jsonw_member_null(&w, "e");
	jsonw_member_string(&w, "f", NULL);
	jsonw_end_object(&w);
	assert_written(
	    &w, "{\"a\":\"x\",\"b\":1,\"c\":[{},[],null,true],\"d\":false,\"e\":null,\"f\":null}");
	jsonw_done(&w);
}

static void test_reset_when_used_again_then_nothing_is_left(void **state)
{
	struct jsonw w;

	(void)state;
	jsonw_init(&w, 4);
	jsonw_string(&w, "too long");
	assert_int_equal(jsonw_error(&w), -EMSGSIZE);
	jsonw_reset(&w);
	jsonw_int(&w, 7);
	assert_written(&w, "7");
	jsonw_done(&w);
	assert_null(w.data);
}

static void test_int_when_at_the_ends_of_its_range_then_exact(void **state)
{
	static const struct {
		int64_t value;
		const char *text;
	} cases[] = {
	    {0, "0"},
	    {-1, "-1"},
	    {10, "10"},
	    {INT64_MAX, "9223372036854775807"},
	    {INT64_MIN, "-9223372036854775808"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct jsonw w;

		jsonw_init(&w, 100);
		jsonw_int(&w, cases[i].value);
		assert_written(&w, cases[i].text);
		jsonw_done(&w);
	}
}

static void test_string_when_it_has_controls_then_escaped(void **state)
{
	(void)state;
	assert_string("", 0, "\"\"");
	assert_string("a\"b\\c", 5, "\"a\\\"b\\\\c\"");
	assert_string("\n\t\r\b\f", 5, "\"\\n\\t\\r\\u0008\\u000c\"");
	assert_string("a\0b", 3, "\"a\\u0000b\"");
	assert_string("\x1b[31m\x7f", 6, "\"\\u001b[31m\\u007f\"");
}

static void test_string_when_well_formed_utf8_then_unchanged(void **state)
{
	static const char *const texts[] = {
	    "\xc2\x80",         /* U+0080, the first of two bytes */
	    "\xdf\xbf",         /* U+07FF */
	    "\xe0\xa0\x80",     /* U+0800 */
	    "\xed\x9f\xbf",     /* U+D7FF, before the surrogates */
	    "\xee\x80\x80",     /* U+E000, after them */
	    "\xef\xbf\xbf",     /* U+FFFF */
	    "\xf0\x90\x80\x80", /* U+10000 */
	    "\xf4\x8f\xbf\xbf", /* U+10FFFF */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char expected[8] = "\"";

		memcpy(expected + 1, texts[i], strlen(texts[i]));
		expected[1 + strlen(texts[i])] = '"';
		assert_string(texts[i], strlen(texts[i]), expected);
	}
}

static void test_string_when_malformed_utf8_then_each_byte_replaced(void **state)
{
	static const char *const texts[] = {
	    "\x80", /* continuation alone */
	    "\xbf",
	    "\xc0\xaf", /* overlong */
	    "\xc1\xbf",
	    "\xe0\x9f\xbf", /* overlong */
	    "\xed\xa0\x80", /* surrogates */
	    "\xed\xbf\xbf",
	    "\xf0\x8f\xbf\xbf", /* overlong */
	    "\xf4\x90\x80\x80", /* past U+10FFFF */
	    "\xf5\x80\x80\x80",
	    "\xff",
	    "\xfe\xff",
	    "\xc3", /* cut off */
	    "\xe2\x82",
	    "\xf0\x9f\x98",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char expected[32] = "\"";
		size_t at = 1;

		for (size_t j = 0; j < strlen(texts[i]); j++, at += 3)
			memcpy(expected + at, REPLACED, 3);
		expected[at] = '"';
		assert_string(texts[i], strlen(texts[i]), expected);
	}
	assert_string("a\xc3(b", 4, "\"a" REPLACED "(b\"");
	assert_string("\xe2\x82\xc3\xa9", 4, "\"" REPLACED REPLACED "\xc3\xa9\"");
}

/* `length` ends the text, whatever stands behind it. */
static void test_string_when_cut_inside_a_character_then_replaced(void **state)
{
	(void)state;
	assert_string("\xc3\xa9", 1, "\"" REPLACED "\"");
	assert_string("\xf0\x9f\x98\x80", 3, "\"" REPLACED REPLACED REPLACED "\"");
}

static void test_string_when_any_two_bytes_then_valid_utf8(void **state)
{
	(void)state;
	for (unsigned pair = 0; pair < 65536; pair++) {
		const char bytes[2] = {(char)(pair >> 8), (char)(pair & 0xff)};
		struct jsonw w;
		size_t at = 0;

		jsonw_init(&w, 100);
		jsonw_string_n(&w, bytes, 2);
		assert_int_equal(jsonw_error(&w), 0);
		while (at < w.length) {
			unsigned char c = (unsigned char)w.data[at];

			if (c >= 0x80 && c < 0xe0) {
				assert_in_range(c, 0xc2, 0xdf);
				assert_int_equal((unsigned char)w.data[at + 1] & 0xc0, 0x80);
				at += 2;
			} else if (c >= 0x80) {
				assert_memory_equal(w.data + at, REPLACED, 3);
				at += 3;
			} else {
				assert_in_range(c, 0x20, 0x7e);
				at++;
			}
		}
		assert_int_equal(at, w.length);
		jsonw_done(&w);
	}
}

static void test_limit_when_reached_exactly_then_all_of_it(void **state)
{
	struct jsonw w;

	(void)state;
	jsonw_init(&w, 6);
	jsonw_string(&w, "four");
	assert_written(&w, "\"four\"");
	jsonw_done(&w);
	jsonw_init(&w, 5);
	jsonw_string(&w, "four");
	assert_int_equal(jsonw_error(&w), -EMSGSIZE);
	assert_true(w.length <= 5);
	jsonw_done(&w);
}

static void test_limit_when_passed_then_the_error_sticks(void **state)
{
	struct jsonw w;
	size_t length;

	(void)state;
	jsonw_init(&w, 10);
	jsonw_begin_array(&w);
	jsonw_string(&w, "much too long");
	length = w.length;
	jsonw_int(&w, 1);
	jsonw_end_array(&w);
	assert_int_equal(jsonw_error(&w), -EMSGSIZE);
	assert_int_equal(w.length, length);
	jsonw_done(&w);
}

static void test_raw_when_nul_then_kept(void **state)
{
	struct jsonw w;

	(void)state;
	jsonw_init(&w, 100);
	jsonw_begin_object(&w);
	jsonw_end_object(&w);
	jsonw_raw(&w, "", 1);
	assert_int_equal(w.length, 3);
	assert_memory_equal(w.data, "{}\0", 3);
	jsonw_done(&w);
}

static void test_growth_when_long_then_nothing_is_lost(void **state)
{
	struct jsonw w;
	size_t at = 1;

	(void)state;
	jsonw_init(&w, 1024 * 1024);
	jsonw_begin_array(&w);
	for (int i = 0; i < 10000; i++)
		jsonw_string(&w, "abcdefgh");
	jsonw_end_array(&w);
	assert_int_equal(jsonw_error(&w), 0);
	assert_int_equal(w.length, 1 + 10000 * 10 + 9999 + 1);
	for (int i = 0; i < 10000; i++, at += 11)
		assert_memory_equal(w.data + at, "\"abcdefgh\"", 10);
	jsonw_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_containers_when_nested_then_commas_where_due),
	    cmocka_unit_test(test_reset_when_used_again_then_nothing_is_left),
	    cmocka_unit_test(test_int_when_at_the_ends_of_its_range_then_exact),
	    cmocka_unit_test(test_string_when_it_has_controls_then_escaped),
	    cmocka_unit_test(test_string_when_well_formed_utf8_then_unchanged),
	    cmocka_unit_test(test_string_when_malformed_utf8_then_each_byte_replaced),
	    cmocka_unit_test(test_string_when_cut_inside_a_character_then_replaced),
	    cmocka_unit_test(test_string_when_any_two_bytes_then_valid_utf8),
	    cmocka_unit_test(test_limit_when_reached_exactly_then_all_of_it),
	    cmocka_unit_test(test_limit_when_passed_then_the_error_sticks),
	    cmocka_unit_test(test_raw_when_nul_then_kept),
	    cmocka_unit_test(test_growth_when_long_then_nothing_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
