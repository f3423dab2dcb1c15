/* SPDX-License-Identifier: ISC */
/* Tests of lib/units.h: what is a number with a unit, and above all what is not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/units.h"

static int64_t duration(const char *text)
{
	int64_t ns = -1;
	int error = units_parse_duration(text, &ns);

	return error < 0 ? error : ns;
}

static void test_duration_with_units_is_exact(void **state)
{
	(void)state;
	assert_int_equal(duration("500ms"), 500 * NS_PER_MS);
	assert_int_equal(duration("10s"), 10 * NS_PER_S);
	assert_int_equal(duration("2min"), 120 * NS_PER_S);
	assert_int_equal(duration("2m"), 120 * NS_PER_S);
	assert_int_equal(duration("1h"), 3600 * NS_PER_S);
	assert_int_equal(duration("1d"), 86400 * NS_PER_S);
	assert_int_equal(duration("7us"), 7000);
	assert_int_equal(duration("1min30s"), 90 * NS_PER_S);
	assert_int_equal(duration("1h1m1s1ms1us"), 3661001001000);
	assert_int_equal(duration("10"), 10 * NS_PER_S);
	assert_int_equal(duration("010"), 10 * NS_PER_S);
	assert_int_equal(duration("0"), 0);
	assert_int_equal(duration("0.5"), 500 * NS_PER_MS);
	assert_int_equal(duration("1.5h"), 5400 * NS_PER_S);
	assert_int_equal(duration("0.00002min"), 1200000);
	assert_int_equal(duration("1.50000000000000000000s"), 1500 * NS_PER_MS);
	assert_int_equal(duration("0.5us"), 500);
}

static void test_duration_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = {"", " 1s", "1s ", "1 s", "-1s", "+1s", "s", "1x", "1sec",
	    "1S", "1s1s", "30s1min", "1min30", "1.s", ".5s", "1..5s", "0x10", "1e3", "1mins",
	    "0.0001us", "0.0000000001"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (duration(bad[i]) != -EINVAL)
			fail_msg("'%s' was not refused", bad[i]);
}

static void test_duration_that_overflows_is_out_of_range(void **state)
{
	(void)state;
	assert_int_equal(duration("99999999999999999999"), -ERANGE);
	assert_int_equal(duration("9223372037s"), -ERANGE);
	assert_int_equal(duration("106752d"), -ERANGE);
	assert_int_equal(duration("9223372036s"), 9223372036 * NS_PER_S);
}

static void test_size_with_units_is_exact(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {{"0", 0}, {"12", 12}, {"12B", 12}, {"1KB", 1000}, {"10MB", 10000000},
	    {"2GB", 2000000000}, {"64K", 65536}, {"64KiB", 65536}, {"1M", 1048576},
	    {"1MiB", 1048576}, {"3G", 3221225472}, {"1GiB", 1073741824}, {"1.5K", 1536},
	    {"0.001KB", 1}, {"18446744073709551615", UINT64_MAX}};
	uint64_t bytes;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(units_parse_size(good[i].text, &bytes), 0);
		assert_true(bytes == good[i].bytes);
	}
}

static void test_size_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = {
	    "", "K", "1 K", "-1", "1k", "1kb", "1KBs", "1K1B", "0.5", "0.0001KB", "10MB ", "0x10"};
	uint64_t bytes = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (units_parse_size(bad[i], &bytes) != -EINVAL)
			fail_msg("'%s' was not refused", bad[i]);
	assert_int_equal(units_parse_size("18446744073709551616", &bytes), -ERANGE);
	assert_int_equal(units_parse_size("18014398509481984KiB", &bytes), -ERANGE);
	assert_int_equal(bytes, 77);
}

static void test_count_is_decimal_and_within_bounds(void **state)
{
	uint64_t value = 77;

	(void)state;
	assert_int_equal(units_parse_count("010", 0, 100, &value), 0);
	assert_int_equal(value, 10);
	assert_int_equal(units_parse_count("18446744073709551615", 0, UINT64_MAX, &value), 0);
	assert_true(value == UINT64_MAX);
	assert_int_equal(units_parse_count("", 0, 100, &value), -EINVAL);
	assert_int_equal(units_parse_count("-1", 0, UINT64_MAX, &value), -EINVAL);
	assert_int_equal(units_parse_count(" 1", 0, 100, &value), -EINVAL);
	assert_int_equal(units_parse_count("1x", 0, 100, &value), -EINVAL);
	assert_int_equal(units_parse_count("101", 0, 100, &value), -ERANGE);
	assert_int_equal(units_parse_count("4", 5, 100, &value), -ERANGE);
	assert_int_equal(units_parse_count("18446744073709551616", 0, UINT64_MAX, &value), -ERANGE);
	/* Rubbish is rubbish also behind too many digits. */
	assert_int_equal(units_parse_count("99999999999999999999x", 0, 100, &value), -EINVAL);
}

static void test_octal_takes_octal_digits_only(void **state)
{
	unsigned value;

	(void)state;
	assert_int_equal(units_parse_octal("022", 0777, &value), 0);
	assert_int_equal(value, 022);
	assert_int_equal(units_parse_octal("0022", 0777, &value), 0);
	assert_int_equal(units_parse_octal("22", 0777, &value), 0);
	assert_int_equal(value, 022);
	assert_int_equal(units_parse_octal("1000", 0777, &value), -ERANGE);
	assert_int_equal(units_parse_octal("8", 0777, &value), -EINVAL);
	assert_int_equal(units_parse_octal("", 0777, &value), -EINVAL);
	assert_int_equal(units_parse_octal("0x1", 0777, &value), -EINVAL);
}

static void test_format_duration_is_read_back_as_the_same(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = {{0, "0s"}, {200 * NS_PER_MS, "200ms"}, {90 * NS_PER_S, "1min30s"},
	    {1500 * NS_PER_MS, "1s500ms"}, {3600 * NS_PER_S, "1h"}, {86400 * NS_PER_S, "1d"},
	    {500, "0.5us"}, {1500, "1.5us"}, {1, "0.001us"},
	    {INT64_MAX, "106751d23h47min16s854ms775.807us"}};
	char buffer[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_string_equal(
		    units_format_duration(rows[i].ns, buffer, sizeof(buffer)), rows[i].text);
		assert_int_equal(duration(buffer), rows[i].ns);
	}
	assert_string_equal(
	    units_format_duration(-90 * NS_PER_S, buffer, sizeof(buffer)), "-1min30s");
}

static void test_format_age_has_two_units_at_most(void **state)
{
	char b[32];

	(void)state;
	assert_string_equal(
	    units_format_age(3 * 86400 * NS_PER_S + 4 * 3600 * NS_PER_S + 59, b, sizeof(b)),
	    "3d4h");
	assert_string_equal(units_format_age(312 * NS_PER_S, b, sizeof(b)), "5min12s");
	assert_string_equal(units_format_age(300 * NS_PER_S, b, sizeof(b)), "5min");
	assert_string_equal(units_format_age(850 * NS_PER_MS, b, sizeof(b)), "850ms");
	assert_string_equal(units_format_age(7 * NS_PER_S + 1, b, sizeof(b)), "7s");
	assert_string_equal(units_format_age(0, b, sizeof(b)), "0ms");
	assert_string_equal(units_format_age(-5, b, sizeof(b)), "0ms");
	assert_string_equal(units_format_age(3661 * NS_PER_S, b, sizeof(b)), "1h1min");
}

static void test_format_size_is_short(void **state)
{
	char b[32];

	(void)state;
	assert_string_equal(units_format_size(0, b, sizeof(b)), "0B");
	assert_string_equal(units_format_size(12, b, sizeof(b)), "12B");
	assert_string_equal(units_format_size(1023, b, sizeof(b)), "1023B");
	assert_string_equal(units_format_size(640 * 1024, b, sizeof(b)), "640K");
	assert_string_equal(units_format_size(1536 * 1024, b, sizeof(b)), "1.5M");
	assert_string_equal(units_format_size(1024 * 1024 - 1, b, sizeof(b)), "1M");
	assert_string_equal(units_format_size(150 * 1024 + 512, b, sizeof(b)), "151K");
	assert_string_equal(units_format_size(UINT64_MAX, b, sizeof(b)), "16E");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_duration_with_units_is_exact),
	    cmocka_unit_test(test_duration_that_is_none_is_refused),
	    cmocka_unit_test(test_duration_that_overflows_is_out_of_range),
	    cmocka_unit_test(test_size_with_units_is_exact),
	    cmocka_unit_test(test_size_that_is_none_is_refused),
	    cmocka_unit_test(test_count_is_decimal_and_within_bounds),
	    cmocka_unit_test(test_octal_takes_octal_digits_only),
	    cmocka_unit_test(test_format_duration_is_read_back_as_the_same),
	    cmocka_unit_test(test_format_age_has_two_units_at_most),
	    cmocka_unit_test(test_format_size_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
