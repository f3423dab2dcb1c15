/* SPDX-License-Identifier: ISC */
/*
 * jsonr_test.c: the JSON reader: what it takes, what it refuses, and that it agrees with jansson,
 * an independent reader, on many texts made by changing good ones.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "lib/jsonr.h"

#define DEPTH 32

/* Parse a copy that ends exactly where the text ends, so that a sanitizer sees a read past it. */
static int parse_exact(struct jsonr *json, const char *text, size_t length, char **ret_copy)
{
	*ret_copy = malloc(length > 0 ? length : 1);
	assert_non_null(*ret_copy);
	memcpy(*ret_copy, text, length);
	return jsonr_parse(json, *ret_copy, length, DEPTH);
}

static int parse_code(const char *text)
{
	struct jsonr json;
	char *copy;
	int r;

	jsonr_init(&json);
	r = parse_exact(&json, text, strlen(text), &copy);
	assert_true(r == 0 || json.count == 0);
	jsonr_done(&json);
	free(copy);
	return r;
}

static void test_parse_when_well_formed_then_taken(void **state)
{
	static const char *const texts[] = {"{}", "[]", " \t\r\n[ ] ", "null", "true", "false", "0",
	    "-0", "10.5e+3", "1E-2", "\"\"", "\"\\u00e9\\ud83d\\ude00\\/\"", "[1,[2,{\"a\":[]}]]",
	    "{\"a\" : 1 , \"b\":{}}", "\"\xf0\x9f\x98\x80\""};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (parse_code(texts[i]) != 0)
			fail_msg("refused: %s", texts[i]);
}

static void test_parse_when_malformed_then_ebadmsg(void **state)
{
	static const char *const texts[] = {"", " ", "{", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]",
	    "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}", "{\"a\":1", "nul", "nulll",
	    "True", "01", "-", "+1", ".5", "1.", "1e", "1e+", "0x1", "NaN", "\"", "\"\\", "\"\\x\"",
	    "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"",
	    "\"\\ud800\\ud800\"", "\"\n\"", "\"\x1f\"", "\"\xff\"", "\"\xc3\"", "\"\xed\xa0\x80\"",
	    "\"\xc0\xaf\"", "{} {}", "[]x", "'a'", "//", "\xef\xbb\xbf{}"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (parse_code(texts[i]) != -EBADMSG)
			fail_msg("taken: %s", texts[i]);
}

static void test_parse_when_nested_then_up_to_the_depth(void **state)
{
	char text[2 * (DEPTH + 1) + 1];

	(void)state;
	for (int depth = DEPTH; depth <= DEPTH + 1; depth++) {
		memset(text, '[', (size_t)depth);
		memset(text + depth, ']', (size_t)depth);
		text[2 * depth] = '\0';
		assert_int_equal(parse_code(text), depth <= DEPTH ? 0 : -EBADMSG);
	}
	assert_int_equal(parse_code("[[],[],[],{},{},[[]]]"), 0);
}

static void test_members_when_looked_up_then_found_or_none(void **state)
{
	char text[] = "{\"a\":{\"x\":1},\"b\":[10,\"s\",{}],\"a\":3,\"aa\":true}";
	struct jsonr json;
	int list, element;

	(void)state;
	jsonr_init(&json);
	assert_int_equal(jsonr_parse(&json, text, strlen(text), DEPTH), 0);
	assert_int_equal(
	    jsonr_int(&json, jsonr_member(&json, jsonr_member(&json, JSONR_ROOT, "a"), "x"), -1),
	    1);
	assert_true(jsonr_bool(&json, jsonr_member(&json, JSONR_ROOT, "aa"), false));
	assert_int_equal(jsonr_member(&json, JSONR_ROOT, "c"), JSONR_NONE);
	assert_int_equal(jsonr_member(&json, JSONR_NONE, "c"), JSONR_NONE);
	list = jsonr_member(&json, JSONR_ROOT, "b");
	assert_int_equal(jsonr_member(&json, list, "x"), JSONR_NONE);
	element = jsonr_first(&json, list);
	assert_int_equal(jsonr_int(&json, element, -1), 10);
	element = jsonr_next(&json, list, element);
	assert_string_equal(jsonr_text(&json, element, ""), "s");
	element = jsonr_next(&json, list, element);
	assert_true(jsonr_is(&json, element, JSONR_OBJECT));
	assert_int_equal(jsonr_first(&json, element), JSONR_NONE);
	assert_int_equal(jsonr_next(&json, list, element), JSONR_NONE);
	assert_int_equal(jsonr_first(&json, JSONR_NONE), JSONR_NONE);
	jsonr_done(&json);
}

static void test_text_when_escaped_then_decoded_and_raw_is_as_received(void **state)
{
	char text[] = "[\"a\\n\\u0041\\u00e9\\u20ac\\ud83d\\ude00\\\\\\\"\",\"z\\u0000y\",5]";
	struct jsonr json;
	size_t length = 0;
	const char *raw;
	int at;

	(void)state;
	jsonr_init(&json);
	assert_int_equal(jsonr_parse(&json, text, strlen(text), DEPTH), 0);
	raw = jsonr_raw(&json, JSONR_ROOT, &length);
	assert_int_equal(length, sizeof(text) - 1);
	assert_memory_equal(raw, text, length);
	at = jsonr_first(&json, JSONR_ROOT);
	raw = jsonr_raw(&json, at, &length);
	assert_int_equal(raw[0], '"');
	assert_int_equal(raw[length - 1], '"');
	for (int twice = 0; twice < 2; twice++)
		assert_string_equal(
		    jsonr_text(&json, at, ""), "a\nA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\\\"");
	at = jsonr_next(&json, JSONR_ROOT, at);
	assert_string_equal(jsonr_text(&json, at, "nul inside"), "nul inside");
	assert_memory_equal(jsonr_bytes(&json, at, &length), "z\0y", 3);
	assert_int_equal(length, 3);
	at = jsonr_next(&json, JSONR_ROOT, at);
	assert_null(jsonr_bytes(&json, at, &length));
	jsonr_done(&json);
}

static void test_int_when_at_the_ends_then_exact_and_else_the_fallback(void **state)
{
	char text[] = "[9223372036854775807,-9223372036854775808,9223372036854775808,"
		      "-9223372036854775809,99999999999999999999,1.0,1e2,-0,\"5\"]";
	static const int64_t expected[] = {INT64_MAX, INT64_MIN, 7, 7, 7, 7, 7, 0, 7};
	struct jsonr json;
	size_t i = 0;

	(void)state;
	jsonr_init(&json);
	assert_int_equal(jsonr_parse(&json, text, strlen(text), DEPTH), 0);
	for (int at = jsonr_first(&json, 0); at >= 0; at = jsonr_next(&json, 0, at))
		assert_true(jsonr_int(&json, at, 7) == expected[i++]);
	assert_int_equal(i, sizeof(expected) / sizeof(expected[0]));
	jsonr_done(&json);
}

/* jansson's view; it limits integers and reals, which we leave to the one who reads the number. */
static int jansson_takes(const char *text, size_t length, json_t **ret_root)
{
	json_error_t error;

	*ret_root = json_loadb(text, length, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	if (*ret_root != NULL)
		return 1;
	return json_error_code(&error) == json_error_numeric_overflow ? -1 : 0;
}

static void assert_same(struct jsonr *json, int value, const json_t *theirs)
{
	size_t length = 0;
	size_t index = 0;

	if (json_is_object(theirs)) {
		assert_true(jsonr_is(json, value, JSONR_OBJECT));
	} else if (json_is_array(theirs)) {
		assert_true(jsonr_is(json, value, JSONR_ARRAY));
		for (int at = jsonr_first(json, value); at >= 0; at = jsonr_next(json, value, at))
			assert_same(json, at, json_array_get(theirs, index++));
		assert_int_equal(index, json_array_size(theirs));
	} else if (json_is_string(theirs)) {
		const char *bytes = jsonr_bytes(json, value, &length);

		assert_non_null(bytes);
		assert_int_equal(length, json_string_length(theirs));
		assert_memory_equal(bytes, json_string_value(theirs), length);
	} else if (json_is_integer(theirs)) {
		assert_true(jsonr_int(json, value, 77) == json_integer_value(theirs));
	} else if (json_is_boolean(theirs)) {
		assert_int_equal(
		    jsonr_bool(json, value, !json_is_true(theirs)), json_is_true(theirs));
	}
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void test_parse_when_texts_are_changed_at_random_then_as_jansson(void **state)
{
	static const char good[] =
	    "{\"a\":[1,-2.5e3,true,false,null,\"x\\u00e9\\ud83d\\ude00\\n\xc3\xa9\"],\"b\":{\"c\":["
	    "[],{}]}}"
	    " [\"\\u0000\\\\\\\"\",123456789012345678,\"\xf0\x9f\x98\x80\"] ";
	static const char bytes[] =
	    "{}[]:,\"\\ntu0129.eE+- dDcC8\xc3\xa9\xf0\x9f\xed\xa0\x80\xff\x01";
	uint32_t seed = 1;
	unsigned taken = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		size_t from = next_random(&seed) % (sizeof(good) - 1);
		size_t length = next_random(&seed) % (sizeof(good) - from);
		char text[sizeof(good)];
		struct jsonr json;
		json_t *theirs = NULL;
		char *copy;
		int expected, r;

		/* Values begin at a few places: mostly begin there. */
		if (i % 4 != 0) {
			const char *begin = strchr(good + from, "[\"{"[i % 3]);

			from = begin != NULL ? (size_t)(begin - good) : 0;
		}
		if (length > sizeof(good) - 1 - from)
			length = sizeof(good) - 1 - from;
		memcpy(text, good + from, length);
		for (uint32_t n = next_random(&seed) % 3; n > 0 && length > 0; n--)
			text[next_random(&seed) % length] =
			    bytes[next_random(&seed) % (sizeof(bytes) - 1)];
		expected = jansson_takes(text, length, &theirs);
		jsonr_init(&json);
		r = parse_exact(&json, text, length, &copy);
		if (expected >= 0 && (r == 0) != (expected == 1))
			fail_msg("%d %d: %.*s", r, expected, (int)length, text);
		if (expected == 1) {
			taken++;
			assert_same(&json, JSONR_ROOT, theirs);
		}
		json_decref(theirs);
		jsonr_done(&json);
		free(copy);
	}
	assert_true(taken > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse_when_well_formed_then_taken),
	    cmocka_unit_test(test_parse_when_malformed_then_ebadmsg),
	    cmocka_unit_test(test_parse_when_nested_then_up_to_the_depth),
	    cmocka_unit_test(test_members_when_looked_up_then_found_or_none),
	    cmocka_unit_test(test_text_when_escaped_then_decoded_and_raw_is_as_received),
	    cmocka_unit_test(test_int_when_at_the_ends_then_exact_and_else_the_fallback),
	    cmocka_unit_test(test_parse_when_texts_are_changed_at_random_then_as_jansson),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
