/* SPDX-License-Identifier: ISC */
/* timestamp_test.c: RFC 3339 in both directions. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/timestamp.h"

static void test_parse_when_valid_then_exact(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} cases[] = {
	    {"1970-01-01T00:00:00Z", 0},
	    {"1970-01-01T00:00:00.000000001Z", 1},
	    {"1970-01-01T01:00:00+01:00", 0},
	    {"1969-12-31T23:00:00-01:00", -1}, /* years before 1970 are not told */
	    {"2000-02-29T12:34:56.5Z", 951827696500000000LL},
	    {"2026-01-31T12:00:00.123Z", 1769860800123000000LL},
	    {"2100-03-01T00:00:00Z", 4107542400000000000LL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t ns = -1;
		int r = timestamp_parse(cases[i].text, strlen(cases[i].text), &ns);

		assert_int_equal(r, cases[i].ns < 0 ? -EINVAL : 0);
		assert_true(ns == cases[i].ns);
	}
}

static void test_parse_when_not_a_time_then_einval(void **state)
{
	static const char *const texts[] = {"", "now", "2026-01-31", "2026-01-31T12:00:00",
	    "2026-13-01T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-31T24:00:00Z",
	    "2026-01-31T12:00:00Zx", "2026-01-31 12:00:00Z", "2026-01-31T12:00:00+1",
	    "9999-01-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-01-31T12:00:00.Z",
	    "2026-01-31T12:00:00+24:00", "2026-01-31T12:00:00+01:60"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int64_t ns = 5;

		assert_int_equal(timestamp_parse(texts[i], strlen(texts[i]), &ns), -EINVAL);
		assert_true(ns == 5);
	}
}

/* A line of a log goes on after its time: nothing past the length is looked at. */
static void test_parse_when_cut_anywhere_then_only_the_whole_is_a_time(void **state)
{
	const char *text = "2026-01-31T12:00:00.123456+01:00";
	int64_t ns;

	(void)state;
	for (size_t length = 0; length < strlen(text); length++)
		assert_int_equal(timestamp_parse(text, length, &ns), -EINVAL);
	assert_int_equal(timestamp_parse(text, strlen(text), &ns), 0);
	assert_true(ns == 1769857200123456000LL);
}

static void test_format_when_parsed_again_then_the_same_microsecond(void **state)
{
	static const int64_t times[] = {
	    0, 999, 951827696500000000LL, 1769860800123456789LL, 4107542400000000000LL};
	char text[TIMESTAMP_SIZE];
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		timestamp_format(times[i], text);
		assert_int_equal(strlen(text), TIMESTAMP_SIZE - 1);
		assert_int_equal(timestamp_parse(text, strlen(text), &ns), 0);
		assert_true(ns == times[i] - times[i] % 1000);
	}
	assert_string_equal(
	    timestamp_format(1769860800123456789LL, text), "2026-01-31T12:00:00.123456Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse_when_valid_then_exact),
	    cmocka_unit_test(test_parse_when_not_a_time_then_einval),
	    cmocka_unit_test(test_parse_when_cut_anywhere_then_only_the_whole_is_a_time),
	    cmocka_unit_test(test_format_when_parsed_again_then_the_same_microsecond),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
