/* SPDX-License-Identifier: ISC */
/* linesearch_test.c: where the last lines begin, in plain and in compressed files. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/logger/archivefiles.h"
#include "supervisord/logger/linesearch.h"

static struct place place;
static struct archives archives;

static int set_up(void **state)
{
	(void)state;
	place_init(&place);
	archives_init(&archives, files_log);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	place_done(&place);
	archives_done(&archives);
	return files_remove_all();
}

static void search_back(uint64_t lines)
{
	struct line_search search = {.lines = lines};
	int done;

	assert_int_equal(place_seek_end(&place, &archives), 0);
	while ((done = line_search_step(&search, &place, &archives)) == 0)
		continue;
	assert_int_equal(done, 1);
}

/* The last lines, as they are read. */
static const char *find_last(uint64_t lines)
{
	static char all[1024];
	enum place_loss loss;
	size_t at = 0;
	ssize_t got;

	search_back(lines);
	while ((got = place_read(&place, &archives, all + at, sizeof(all) - 1 - at, &loss)) > 0 ||
	       got == -EAGAIN)
		at += got > 0 ? (size_t)got : 0;
	assert_int_equal(got, 0);
	all[at] = '\0';
	return all;
}

static size_t search_block(const char *block, uint64_t lines)
{
	struct line_search search = {.lines = lines};
	size_t start;

	return line_search_block(&search, block, strlen(block), &start) ? start : SIZE_MAX;
}

static void test_block_when_it_ends_with_a_newline(void **state)
{
	(void)state;
	assert_int_equal(search_block("a\nbb\nccc\n", 1), 5);
	assert_int_equal(search_block("a\nbb\nccc\n", 2), 2);
	assert_true(search_block("a\nbb\nccc\n", 3) == SIZE_MAX);
}

static void test_block_when_the_last_line_is_open_then_it_counts(void **state)
{
	(void)state;
	assert_int_equal(search_block("a\nbb\nccc", 1), 5);
	assert_int_equal(search_block("a\nbb\nccc", 2), 2);
	assert_true(search_block("ccc", 1) == SIZE_MAX);
}

static void test_block_when_split_then_the_same_as_whole(void **state)
{
	const char *text = "a\nbb\n\nccc\n";
	size_t length = strlen(text);

	(void)state;
	for (uint64_t lines = 1; lines < 5; lines++)
		for (size_t cut = 1; cut < length; cut++) {
			struct line_search search = {.lines = lines};
			size_t start, found = SIZE_MAX;

			if (line_search_block(&search, text + cut, length - cut, &start))
				found = cut + start;
			else if (line_search_block(&search, text, cut, &start))
				found = start;
			assert_int_equal(found, search_block(text, lines));
		}
}

/* Whatever the archives are: 1 2, 3 4, 5 6 without an end. */
static void test_last_lines_when_in_archives_then_across_files(void **state)
{
	static const char *const expected[] = {"", "6", "5\n6", "4\n5\n6", "3\n4\n5\n6",
	    "2\n3\n4\n5\n6", "1\n2\n3\n4\n5\n6", "1\n2\n3\n4\n5\n6"};

	(void)state;
	for (int older = LOGSPEC_PLAIN; older <= LOGSPEC_ZSTD; older++)
		for (int newer = LOGSPEC_PLAIN; newer <= LOGSPEC_ZSTD; newer++) {
			files_archive(100, (enum logspec_compress)older, "1\n2\n");
			files_archive(200, (enum logspec_compress)newer, "3\n4\n");
			files_append("5\n6");
			for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
				assert_string_equal(find_last(i), expected[i]);
			assert_int_equal(files_remove_all(), 0);
		}
}

static void test_last_lines_when_the_log_is_empty_or_missing_then_of_the_archives(void **state)
{
	(void)state;
	assert_string_equal(find_last(3), "");
	files_append("");
	assert_string_equal(find_last(3), "");
	for (int form = LOGSPEC_PLAIN; form <= LOGSPEC_ZSTD; form++) {
		files_archive(100, (enum logspec_compress)form, "older\nold\n");
		files_append("");
		assert_string_equal(find_last(1), "old\n");
		assert_string_equal(find_last(2), "older\nold\n");
		assert_int_equal(unlink(files_log), 0);
		assert_string_equal(find_last(1), "old\n");
		assert_string_equal(find_last(9), "older\nold\n");
		assert_int_equal(files_remove_all(), 0);
	}
}

static void test_last_lines_when_longer_than_a_block(void **state)
{
	static char line[20001];

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	files_append("first\n");
	files_append(line);
	files_append("\nlast\n");
	search_back(2);
	assert_int_equal(place.offset, 6);
}

/* More than any buffer, so that the archive is begun anew for each of its passes. */
static void test_last_lines_when_an_archive_is_long_then_found_in_it(void **state)
{
	static char text[600000];
	size_t at = 0;
	int lines = 0;

	(void)state;
	while (at < sizeof(text) - 32)
		at += (size_t)snprintf(text + at, 32, "line %d\n", ++lines);
	for (int form = LOGSPEC_PLAIN; form <= LOGSPEC_ZSTD; form++) {
		files_archive_bytes(100, (enum logspec_compress)form, text, at);
		files_append("end\n");
		for (int back = 1; back < lines; back += 7001) {
			char expected[32], found[32] = {0};
			enum place_loss loss;
			ssize_t got;

			search_back((uint64_t)back + 1);
			(void)snprintf(expected, sizeof(expected), "line %d\n", lines - back + 1);
			while ((got = place_read(
				    &place, &archives, found, strlen(expected), &loss)) == -EAGAIN)
				continue;
			assert_int_equal(got, strlen(expected));
			assert_string_equal(found, expected);
		}
		assert_int_equal(files_remove_all(), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_block_when_it_ends_with_a_newline),
	    cmocka_unit_test(test_block_when_the_last_line_is_open_then_it_counts),
	    cmocka_unit_test(test_block_when_split_then_the_same_as_whole),
	    cmocka_unit_test_setup_teardown(
		test_last_lines_when_in_archives_then_across_files, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_last_lines_when_the_log_is_empty_or_missing_then_of_the_archives, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		test_last_lines_when_longer_than_a_block, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_last_lines_when_an_archive_is_long_then_found_in_it, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, files_set_up_group, files_tear_down_group);
}
