/* SPDX-License-Identifier: ISC */
/*
 * Tests of supervisord/engine/confguard.h: what never reaches libconfuse, each with its message and
 * line, and that what is around it does.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "supervisord/engine/confguard.h"

/* Scan; the errors as "line: message\n", and the number of good slices. */
static size_t scan(const char *text, size_t length, char *ret_errors, size_t size)
{
	struct config_errors errors = {0};
	struct confreport report = {.errors = &errors};
	struct guard guard;
	size_t good = 0, at = 0;

	assert_int_equal(guard_scan("f", text, length, &report, &guard), 0);
	for (size_t i = 0; i < guard.slice_count; i++) {
		assert_true(guard.slices[i].bad || guard.slices[i].end > guard.slices[i].begin);
		good += !guard.slices[i].bad;
	}
	ret_errors[0] = '\0';
	for (size_t i = 0; i < errors.count && at < size; i++)
		at += (size_t)snprintf(ret_errors + at, size - at, "%d: %s\n", errors.list[i].line,
		    errors.list[i].message);
	assert_true(at < size);
	guard_done(&guard);
	config_errors_done(&errors);
	return good;
}

static void assert_scan(const char *text, size_t good, const char *expected)
{
	char errors[16 * 1024];

	assert_int_equal(scan(text, strlen(text), errors, sizeof(errors)), good);
	assert_string_equal(errors, expected);
}

static void test_good_text_is_cut_into_slices_with_lines(void **state)
{
	static const char text[] = "# c\nrun_dir = \"x\" // c\n\n/* a\nb */ program \"web\" "
				   "{\n\tcommand = {a, # no\n 'b',}\n"
				   "\tuser = ${X:-y}\n sub { deep { x = 1 } }\n}\nlog_dir=y";
	struct config_errors errors = {0};
	struct confreport report = {.errors = &errors};
	struct guard guard;

	(void)state;
	assert_int_equal(guard_scan("f", text, strlen(text), &report, &guard), 0);
	assert_int_equal(errors.count, 0);
	assert_int_equal(guard.slice_count, 3);
	assert_int_equal(guard.slices[0].line, 2);
	assert_false(guard.slices[0].section);
	assert_int_equal(guard.slices[0].count, 1);
	assert_int_equal(guard.slices[1].line, 5);
	assert_true(guard.slices[1].section);
	assert_true(guard.slices[1].titled);
	assert_int_equal(guard.slices[1].count, 4);
	assert_int_equal(guard.entries[1].line, 6);
	assert_int_equal(guard.entries[1].form, GUARD_LIST);
	assert_int_equal(guard.entries[2].line, 8);
	assert_int_equal(guard.entries[2].form, GUARD_VALUE);
	assert_int_equal(guard.entries[3].line, 9);
	assert_int_equal(guard.entries[3].form, GUARD_SECTION);
	assert_int_equal(guard.entries[3].inner, 1);
	assert_int_equal(guard.entries[4].line, 9);
	assert_int_equal(guard.entries[4].form, GUARD_SECTION);
	assert_int_equal(guard.entries[4].inner, 0);
	assert_int_equal(guard.slices[2].line, 11);
	assert_int_equal(guard.slices[2].end, strlen(text));
	/* Comments are gone, line ends are not. */
	assert_null(strchr(guard.text, '#'));
	assert_null(strstr(guard.text, "/*"));
	assert_null(strstr(guard.text, "no"));
	for (size_t i = 0; text[i] != '\0'; i++)
		assert_int_equal(text[i] == '\n', guard.text[i] == '\n');
	guard_done(&guard);
}

static void test_keys_of_a_section_follow_it(void **state)
{
	static const char text[] =
	    "program \"web\" {\n health {\n  check = \"x\" # c\n  list = {a, b}\n"
	    "  deep { x = 1 y { z = 1 } }\n }\n user = u\n empty { }\n}\n";
	static const struct {
		const char *text;
		int line;
		enum guard_form form;
		uint32_t inner;
	} expected[] = {
	    {"health {\n  check = \"x\"    \n  list = {a, b}\n  deep { x = 1 y { z = 1 } }\n }", 2,
		GUARD_SECTION, 3},
	    {"check = \"x\"", 3, GUARD_VALUE, 0},
	    {"list = {a, b}", 4, GUARD_LIST, 0},
	    {"deep { x = 1 y { z = 1 } }", 5, GUARD_SECTION, 0},
	    {"user = u", 7, GUARD_VALUE, 0},
	    {"empty { }", 8, GUARD_SECTION, 0},
	};
	struct config_errors errors = {0};
	struct confreport report = {.errors = &errors};
	struct guard guard;

	(void)state;
	assert_int_equal(guard_scan("f", text, strlen(text), &report, &guard), 0);
	assert_int_equal(errors.count, 0);
	assert_int_equal(guard.slice_count, 1);
	assert_int_equal(guard.slices[0].count, sizeof(expected) / sizeof(expected[0]));
	for (size_t i = 0; i < guard.slices[0].count; i++) {
		const struct guard_entry *entry = &guard.entries[i];

		assert_int_equal(entry->end - entry->begin, strlen(expected[i].text));
		assert_memory_equal(
		    guard.text + entry->begin, expected[i].text, strlen(expected[i].text));
		assert_int_equal(entry->line, expected[i].line);
		assert_int_equal(entry->form, expected[i].form);
		assert_int_equal(entry->inner, expected[i].inner);
	}
	guard_done(&guard);
}

static void test_byte_order_mark_is_refused(void **state)
{
	(void)state;
	assert_scan("\xef\xbb\xbfrun_dir = x", 0,
	    "1: begins with a byte order mark: save it as UTF-8 without BOM\n");
	assert_scan(
	    "\xff\xfer", 0, "1: begins with a byte order mark: save it as UTF-8 without BOM\n");
}

static void test_nul_and_control_bytes_are_refused(void **state)
{
	char errors[256];

	(void)state;
	assert_int_equal(scan("a = b\nc = \"\0\"", 12, errors, sizeof(errors)), 0);
	assert_string_equal(errors, "2: a NUL byte: a configuration file is plain text\n");
	assert_scan(
	    "a = b\n\n# \x1b", 0, "3: the control byte 0x1b: in a string write \\x1b for it\n");
	assert_scan(
	    "a = \"\x7f\"", 0, "1: the control byte 0x7f: in a string write \\x7f for it\n");
	assert_scan(
	    "a = b\rc = d", 0, "1: the control byte 0x0d: in a string write \\x0d for it\n");
	assert_scan("a = b\r\nc = d\r\n# x\r\n", 2, "");
	assert_scan("a = \"\\0\"\nb = c", 1, "1: an escaped NUL byte: no value can hold one\n");
	assert_scan("a = \"\\x00\"\nb = \"\\000\"", 0,
	    "1: an escaped NUL byte: no value can hold one\n2: an escaped NUL byte: no value can "
	    "hold one\n");
	assert_scan("a = \"\\x01\\001\\x10\"", 1, "");
}

static void test_unclosed_things_are_refused_where_they_begin(void **state)
{
	(void)state;
	assert_scan("a = b\nc = \"x\nprogram \"w\" { d = e }", 2,
	    "2: the string that begins here ends right before other text some lines below: is a "
	    "quote missing?\n");
	assert_scan("a = b\nc = \"x\n", 1,
	    "2: the string that begins here is not closed: a quote is missing\n");
	assert_scan(
	    "a = 'x\\'", 0, "1: the string that begins here is not closed: a quote is missing\n");
	assert_scan(
	    "a = \"x\\", 0, "1: the string that begins here is not closed: a quote is missing\n");
	assert_scan("a = b\n/* c\nd = e", 1,
	    "2: the comment that begins here is not closed: '*/' is missing\n");
	assert_scan(
	    "a = b\n/*/", 1, "2: the comment that begins here is not closed: '*/' is missing\n");
	assert_scan("a = b\nprogram \"w\" {\n c = d\n", 1,
	    "2: the section that begins here is not closed: a '}' is missing\n");
	assert_scan(
	    "a = {b,\nc", 0, "1: the list that begins here is not closed: a '}' is missing\n");
	assert_scan("a = \"${x\"\nb = \"}\"", 1,
	    "1: '${' that is not ${NAME} or ${NAME:-text}: in a string write \\${ for the "
	    "characters themselves\n");
	assert_scan("a = ${x", 0,
	    "1: '${' that is not ${NAME} or ${NAME:-text}: in a string write \\${ for the "
	    "characters themselves\n");
	assert_scan("a = '${x' b = \"\\${x\"", 2, "");
}

static void test_section_that_was_not_closed_costs_only_itself(void **state)
{
	(void)state;
	assert_scan(
	    "program \"a\" {\n b = c\nprogram \"d\" {\n b = c\n}\nprogram \"e\" {\n b = c\n}\n", 2,
	    "3: a section with a title begins here, but the one of line 1 is not closed: a '}' is "
	    "missing\n");
	assert_scan("program \"a\" {\n b = {c\n}\nprogram \"d\" {\n b = c\n}\n", 1,
	    "4: a section with a title begins here, but the one of line 1 is not closed: a '}' is "
	    "missing\n");
}

static void test_characters_outside_quotes_are_refused(void **state)
{
	(void)state;
	assert_scan("a = *\nb = c", 1, "1: '*' outside quotes: put the value in quotes\n");
	assert_scan("a = b|c\nb = c", 1, "1: '|' outside quotes: put the value in quotes\n");
	assert_scan("a|b = c\nb = c", 1, "1: '|' outside quotes: put the value in quotes\n");
	assert_scan("a = b;\nb = c", 1,
	    "1: ';' outside quotes: nothing ends in ';' here, and a value that has one needs "
	    "quotes\n");
	assert_scan("include(x)\nb = c", 1, "1: '(' outside quotes: put the value in quotes\n");
	assert_scan("a = b#c\nb = c", 1, "1: '#' outside quotes: put the value in quotes\n");
	assert_scan("a = b//c\nb = c", 1, "1: '/' outside quotes: put the value in quotes\n");
	assert_scan("a = $b\nb = c", 1, "1: '$' outside quotes: put the value in quotes\n");
	assert_scan("a += b\nb = c", 1, "1: '+=': only '=' is allowed\n");
	assert_scan("a+= b\nb = c", 1, "1: '+=': only '=' is allowed\n");
	assert_scan("a = ${b}/c\nb = c", 1,
	    "1: text around ${...} outside quotes: put the value in quotes\n");
	assert_scan("a = \"b\"c\nb = c", 1,
	    "1: the string that begins here ends right before other text: is a blank missing?\n");
}

static void test_wrong_structure_is_refused(void **state)
{
	(void)state;
	assert_scan("\"program=a|user\" = root\nb = c", 1,
	    "1: a string instead of a setting or a section\n");
	assert_scan("a \"b\" = c\nb = c", 1,
	    "1: '=' instead of '{' after the title, or '=' after the name\n");
	assert_scan(
	    "a b\nb = c", 1, "2: 'b' instead of '{' after the title, or '=' after the name\n");
	assert_scan("}\nb = c", 1, "1: '}' instead of a setting or a section\n");
	assert_scan("a = }\nb = c", 1, "1: '}' instead of a value after '='\n");
	assert_scan(
	    "a = {b c}\nb = c", 1, "1: 'c' instead of ',' or '}' after a value of the list\n");
	assert_scan("a = {{b}}\nb = c", 1, "1: '{' instead of a value of the list or '}'\n");
	assert_scan("a = {,}\nb = c", 1, "1: ',' instead of a value of the list or '}'\n");
	assert_scan("s { \"k\" = v }\nb = c", 1, "1: a string instead of a key or '}'\n");
	assert_scan("s { k v }\nb = c", 1, "1: '}' instead of '=' after the name\n");
	assert_scan("s", 0, "1: the end of the file instead of '=' after the name\n");
}

static void test_depth_and_words_have_limits(void **state)
{
	char text[2 * LIMIT_CONFIG_WORD + 64];
	int length;

	(void)state;
	assert_scan("a { a { a { a { a { a { a { a { b = c } } } } } } } }", 1, "");
	assert_scan("a { a { a { a { a { a { a { a { a { b = c } } } } } } } } }\nb = c", 1,
	    "1: sections are nested too deeply: at most 8 levels\n");
	length = snprintf(text, sizeof(text), "a = \"%0*d\"\nb = c", LIMIT_CONFIG_WORD - 1, 0);
	assert_true(length > 0);
	assert_scan(text, 2, "");
	snprintf(text, sizeof(text), "a = \"%0*d\"\nb = c", LIMIT_CONFIG_WORD + 1, 0);
	assert_scan(
	    text, 1, "1: the string that begins here is longer than 4096 bytes, or not closed\n");
	snprintf(text, sizeof(text), "a = %0*d\nb = c", LIMIT_CONFIG_WORD + 1, 0);
	assert_scan(text, 1, "1: a word of more than 4096 bytes\n");
}

/* What takes libconfuse minutes must take us no time, whatever it is made of. */
static void test_a_megabyte_of_anything_is_quick(void **state)
{
	static const char *const units[] = {"a", "\"", "'", "\\\"", "${", "${a}", "{", "}", "a {",
	    "a = b\n", "\"a\n", "/*", "#", "/", "a \"", "\n", "a={", "\"\\\n", "\xc3\xa4",
	    "a \"b\" {", "\"${a}\"\n"};
	char *text = malloc(LIMIT_CONFIG_FILE_BYTES), *errors = malloc(64 * 1024);

	(void)state;
	assert_non_null(text);
	assert_non_null(errors);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		static const char *const starts[] = {"", "a = \"", "a = ", "program \"x\" { a = "};

		for (size_t j = 0; j < sizeof(starts) / sizeof(starts[0]); j++) {
			size_t unit = strlen(units[i]), at = strlen(starts[j]);
			int64_t begin = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);

			memcpy(text, starts[j], at);
			for (; at + unit <= LIMIT_CONFIG_FILE_BYTES; at += unit)
				memcpy(text + at, units[i], unit);
			scan(text, at, errors, 64 * 1024);
			if (clock_read_ns(CLOCK_PROCESS_CPUTIME_ID) - begin > 2 * NS_PER_S)
				fail_msg("a megabyte of '%s' after '%s' takes too long", units[i],
				    starts[j]);
		}
	}
	free(text);
	free(errors);
}

static void test_too_large_a_text_is_refused(void **state)
{
	char *text = malloc(LIMIT_CONFIG_FILE_BYTES + 1), errors[256];

	(void)state;
	assert_non_null(text);
	memset(text, ' ', LIMIT_CONFIG_FILE_BYTES + 1);
	assert_int_equal(scan(text, LIMIT_CONFIG_FILE_BYTES + 1, errors, sizeof(errors)), 0);
	assert_string_equal(errors, "0: is too large: at most 1048576 bytes\n");
	assert_int_equal(scan(text, LIMIT_CONFIG_FILE_BYTES, errors, sizeof(errors)), 0);
	assert_string_equal(errors, "");
	free(text);
}

static void test_many_errors_end_with_a_note(void **state)
{
	struct config_errors errors = {0};
	struct confreport report = {.errors = &errors};
	struct guard guard;
	char text[2000] = "";

	(void)state;
	for (size_t i = 0; i < 200; i++)
		strcat(text, "a = *\n");
	assert_int_equal(guard_scan("f", text, strlen(text), &report, &guard), 0);
	assert_int_equal(errors.count, LIMIT_CONFIG_ERRORS);
	assert_int_equal(errors.list[98].line, 99);
	assert_string_equal(errors.list[99].message, "there are more errors, which are not shown");
	guard_done(&guard);
	config_errors_done(&errors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good_text_is_cut_into_slices_with_lines),
	    cmocka_unit_test(test_keys_of_a_section_follow_it),
	    cmocka_unit_test(test_byte_order_mark_is_refused),
	    cmocka_unit_test(test_nul_and_control_bytes_are_refused),
	    cmocka_unit_test(test_unclosed_things_are_refused_where_they_begin),
	    cmocka_unit_test(test_section_that_was_not_closed_costs_only_itself),
	    cmocka_unit_test(test_characters_outside_quotes_are_refused),
	    cmocka_unit_test(test_wrong_structure_is_refused),
	    cmocka_unit_test(test_depth_and_words_have_limits),
	    cmocka_unit_test(test_a_megabyte_of_anything_is_quick),
	    cmocka_unit_test(test_too_large_a_text_is_refused),
	    cmocka_unit_test(test_many_errors_end_with_a_note),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
