/* SPDX-License-Identifier: ISC */
/* The backward search for lines, and reading on across rotations. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/archives.h"
#include "supervisord/logger/place.h"
#include "supervisord/logger/rotation.h"

#define KEEP 3

static char directory[] = "/tmp/place_test.XXXXXX";
static char path[64];
static struct place place;
static struct archives archives;

static int set_up(void **state)
{
	(void)state;
	place_init(&place);
	archives_init(&archives, path);
	return 0;
}

static int tear_down(void **state)
{
	char command[96];

	(void)state;
	place_done(&place);
	archives_done(&archives);
	(void)snprintf(command, sizeof(command), "rm -f %s/*", directory);
	return system(command);
}

static void append(unsigned number, const char *text)
{
	char name[128];
	FILE *file;

	/* 0 is the log, a higher number is older. */
	(void)snprintf(name, sizeof(name), "%s", path);
	if (number > 0)
		assert_int_equal(archive_format_path(name, sizeof(name), path,
				     &(struct archive){.time_us = 100 - (int64_t)number}),
		    0);
	file = fopen(name, "a");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void rotate(void)
{
	static struct archives written = {.path = path};
	const struct logspec spec = {.keep = KEEP};
	struct archive archive;
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(archives_read(&written), 0);
	assert_int_equal(rotation_rotate(&written, &st, KEEP, 1000, &archive), 0);
	assert_int_equal(rotation_trim(&written, &spec, 1000), 0);
	archives_done(&written);
}

/* All there is from the place on. */
static const char *read_all(uint64_t *ret_lost)
{
	static char all[1024];
	size_t at = 0;
	ssize_t got;
	uint64_t lost;

	*ret_lost = 0;
	while ((got = place_read(&place, &archives, all + at, sizeof(all) - 1 - at, &lost)) > 0) {
		at += (size_t)got;
		*ret_lost += lost;
	}
	assert_int_equal(got, 0);
	all[at] = '\0';
	return all;
}

static const char *find_last(uint64_t lines)
{
	struct line_search search = {.lines = lines};
	uint64_t lost;
	int done;

	assert_int_equal(place_seek_end(&place, &archives, 0, &lost), 0);
	while ((done = place_search(&place, &archives, &search)) == 0)
		continue;
	assert_int_equal(done, 1);
	return read_all(&lost);
}

static size_t search_block(const char *block, uint64_t lines)
{
	struct line_search search = {.lines = lines};
	size_t start;

	return line_search_block(&search, block, strlen(block), &start) ? start : SIZE_MAX;
}

static void test_search_block_when_it_ends_with_a_newline(void **state)
{
	(void)state;
	assert_int_equal(search_block("a\nbb\nccc\n", 1), 5);
	assert_int_equal(search_block("a\nbb\nccc\n", 2), 2);
	assert_true(search_block("a\nbb\nccc\n", 3) == SIZE_MAX);
}

static void test_search_block_when_the_last_line_is_open_then_it_counts(void **state)
{
	(void)state;
	assert_int_equal(search_block("a\nbb\nccc", 1), 5);
	assert_int_equal(search_block("a\nbb\nccc", 2), 2);
	assert_true(search_block("ccc", 1) == SIZE_MAX);
}

static void test_search_block_when_split_then_the_same_as_whole(void **state)
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

static void test_last_lines_when_in_archives_then_across_files(void **state)
{
	(void)state;
	append(3, "1\n2\n");
	append(1, "3\n4\n");
	append(0, "5\n6");
	assert_string_equal(find_last(0), "");
	assert_string_equal(find_last(1), "6");
	assert_string_equal(find_last(2), "5\n6");
	assert_string_equal(find_last(3), "4\n5\n6");
	assert_string_equal(find_last(5), "2\n3\n4\n5\n6");
	assert_string_equal(find_last(99), "1\n2\n3\n4\n5\n6");
}

static void test_last_lines_when_the_file_is_empty_or_missing(void **state)
{
	(void)state;
	assert_string_equal(find_last(3), "");
	append(0, "");
	assert_string_equal(find_last(3), "");
	append(1, "old\n");
	assert_string_equal(find_last(3), "old\n");
}

static void test_last_lines_when_longer_than_a_block(void **state)
{
	static char line[20001];
	uint64_t lost;
	struct line_search search = {.lines = 2};

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	append(0, "first\n");
	append(0, line);
	append(0, "\nlast\n");
	assert_int_equal(place_seek_end(&place, &archives, 0, &lost), 0);
	while (place_search(&place, &archives, &search) == 0)
		continue;
	assert_int_equal(place.offset, 6);
	assert_int_equal(place.behind, sizeof(line) + 5);
}

static void test_read_when_rotated_then_goes_on_in_the_next_file(void **state)
{
	uint64_t lost;

	(void)state;
	append(0, "1\n");
	assert_int_equal(place_seek_end(&place, &archives, UINT64_MAX, &lost), 0);
	assert_string_equal(read_all(&lost), "1\n");
	append(0, "2\n");
	rotate();
	append(0, "3\n");
	rotate();
	append(0, "4\n");
	place.behind += 6;
	assert_string_equal(read_all(&lost), "2\n3\n4\n");
	assert_int_equal(lost, 0);
	assert_int_equal(place.behind, 0);
}

static void test_read_when_rotated_away_then_the_loss_is_told_exactly(void **state)
{
	uint64_t lost;

	(void)state;
	append(0, "0\n");
	assert_int_equal(place_seek_end(&place, &archives, 0, &lost), 0);
	for (int i = 1; i <= 6; i++) {
		rotate();
		append(0, i % 2 ? "odd\n" : "even!\n");
		place.behind += i % 2 ? 4 : 6;
	}
	/* 1 and 2 are gone, 3 to 6 are there. */
	assert_string_equal(read_all(&lost), "odd\neven!\nodd\neven!\n");
	assert_int_equal(lost, 10);
}

static void test_read_when_deleted_then_waits_for_the_new_file(void **state)
{
	uint64_t lost;

	(void)state;
	append(0, "0\n");
	assert_int_equal(place_seek_end(&place, &archives, 0, &lost), 0);
	assert_int_equal(unlink(path), 0);
	assert_string_equal(read_all(&lost), "");
	append(0, "1\n");
	place.behind += 2;
	assert_string_equal(read_all(&lost), "1\n");
	assert_int_equal(lost, 0);
}

static void test_read_when_truncated_then_from_its_start(void **state)
{
	uint64_t lost;

	(void)state;
	append(0, "a long line\n");
	assert_int_equal(place_seek_end(&place, &archives, 0, &lost), 0);
	assert_int_equal(truncate(path, 0), 0);
	append(0, "1\n");
	place.behind += 2;
	assert_string_equal(read_all(&lost), "1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_search_block_when_it_ends_with_a_newline),
	    cmocka_unit_test(test_search_block_when_the_last_line_is_open_then_it_counts),
	    cmocka_unit_test(test_search_block_when_split_then_the_same_as_whole),
	    cmocka_unit_test_setup_teardown(
		test_last_lines_when_in_archives_then_across_files, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_last_lines_when_the_file_is_empty_or_missing, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_last_lines_when_longer_than_a_block, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_read_when_rotated_then_goes_on_in_the_next_file, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_read_when_rotated_away_then_the_loss_is_told_exactly, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_read_when_deleted_then_waits_for_the_new_file, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_read_when_truncated_then_from_its_start, set_up, tear_down),
	};
	int failed;

	if (mkdtemp(directory) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/web.log", directory);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(directory);
	return failed;
}
