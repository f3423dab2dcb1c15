/* SPDX-License-Identifier: ISC */
/* Rotation on the file system: later names for later files, and limits by number, age and size. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "supervisord/logger/rotation.h"

#define S INT64_C(1000000)

static char directory[] = "/tmp/rotation_test.XXXXXX";
static char path[64];
static struct archives archives;

static int set_up(void **state)
{
	(void)state;
	archives_init(&archives, path);
	return 0;
}

static int tear_down(void **state)
{
	char command[96];

	(void)state;
	archives_done(&archives);
	(void)snprintf(command, sizeof(command), "rm -rf %s/*", directory);
	return system(command);
}

static void put(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* A log of this text is rotated at that time. */
static void rotate(const char *text, unsigned keep, int64_t now_us)
{
	struct archive archive;
	struct stat st;

	put(path, text);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(rotation_rotate(&archives, &st, keep, now_us, &archive), 0);
	assert_int_equal(stat(path, &st), -1);
}

/* The archives that a fresh look finds, by time: "1:text 2:text ". */
static const char *show(void)
{
	static char shown[512];
	struct archives found;
	size_t at = 0;

	archives_init(&found, path);
	assert_int_equal(archives_read(&found), 0);
	shown[0] = '\0';
	for (size_t i = 0; i < found.count; i++) {
		char name[128], text[32] = "";
		FILE *file;

		assert_int_equal(archive_format_path(name, sizeof(name), path, &found.list[i]), 0);
		file = fopen(name, "r");
		assert_non_null(file);
		assert_non_null(fgets(text, sizeof(text), file));
		(void)fclose(file);
		at += (size_t)snprintf(shown + at, sizeof(shown) - at, "%lld:%s ",
		    (long long)found.list[i].time_us, text);
	}
	archives_done(&found);
	return shown;
}

static void test_rotate_when_the_clock_stands_or_goes_back_then_the_order_stays(void **state)
{
	(void)state;
	rotate("a", 9, 50);
	rotate("b", 9, 50);
	rotate("c", 9, 7);
	rotate("d", 9, 53);
	assert_string_equal(show(), "50:a 51:b 52:c 53:d ");
}

static void test_rotate_when_the_name_is_taken_then_nothing_is_overwritten(void **state)
{
	char name[128];

	(void)state;
	assert_int_equal(
	    archive_format_path(name, sizeof(name), path, &(struct archive){.time_us = 50}), 0);
	put(name, "not in the list");
	rotate("a", 9, 50);
	assert_string_equal(show(), "50:not in the list 51:a ");
}

static void test_rotate_when_keep_is_zero_then_the_file_goes(void **state)
{
	(void)state;
	rotate("a", 0, 50);
	assert_string_equal(show(), "");
	assert_int_equal(archives.count, 0);
}

static void test_rotate_when_there_is_no_file_then_no_error(void **state)
{
	struct archive archive;
	struct stat st = {0};

	(void)state;
	assert_int_equal(rotation_rotate(&archives, &st, 3, 50, &archive), 0);
	assert_int_equal(archive.time_us, 0);
	assert_string_equal(show(), "");
}

static void test_trim_when_there_are_too_many_then_the_oldest_go(void **state)
{
	const struct logspec spec = {.keep = 2};

	(void)state;
	for (int64_t i = 1; i <= 5; i++)
		rotate("x", 9, i);
	assert_int_equal(rotation_trim(&archives, &spec, 9), 0);
	assert_string_equal(show(), "4:x 5:x ");
	assert_int_equal(archives.count, 2);
}

static void test_trim_when_they_are_too_old_then_they_go(void **state)
{
	const struct logspec spec = {.keep = 9, .max_age_s = 10};

	(void)state;
	rotate("a", 9, 1 * S);
	rotate("b", 9, 5 * S);
	assert_true(rotation_next_expiry_us(&archives, &spec) == 11 * S);
	assert_int_equal(rotation_trim(&archives, &spec, 11 * S - 1), 0);
	assert_string_equal(show(), "1000000:a 5000000:b ");
	assert_int_equal(rotation_trim(&archives, &spec, 11 * S), 0);
	assert_string_equal(show(), "5000000:b ");
	assert_int_equal(rotation_trim(&archives, &spec, 99 * S), 0);
	assert_string_equal(show(), "");
	assert_true(rotation_next_expiry_us(&archives, &spec) == INT64_MAX);
}

static void test_trim_when_all_is_too_much_then_room_is_left_for_a_full_log(void **state)
{
	const struct logspec spec = {.keep = 9, .total_bytes = 10, .max_bytes = 4};

	(void)state;
	rotate("111", 9, 1);
	rotate("222", 9, 2);
	rotate("333", 9, 3);
	assert_int_equal(rotation_trim(&archives, &spec, 9), 0);
	assert_string_equal(show(), "2:222 3:333 ");
	/* As it is on disk, of those that were found there. */
	assert_int_equal(archives_read(&archives), 0);
	rotate("4", 9, 4);
	assert_int_equal(rotation_trim(&archives, &spec, 9), 0);
	assert_string_equal(show(), "3:333 4:4 ");
}

static void test_trim_when_somebody_has_compressed_or_removed_them_then_counted_as_they_are(
    void **state)
{
	const struct logspec spec = {.keep = 1};
	char name[128], packed[160];

	(void)state;
	rotate("a", 9, 1);
	rotate("b", 9, 2);
	rotate("c", 9, 3);
	assert_int_equal(archive_format_path(name, sizeof(name), path, &archives.list[0]), 0);
	(void)snprintf(packed, sizeof(packed), "%s.gz", name);
	assert_int_equal(rename(name, packed), 0);
	assert_int_equal(archive_format_path(name, sizeof(name), path, &archives.list[1]), 0);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(rotation_trim(&archives, &spec, 9), 0);
	assert_string_equal(show(), "3:c ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_rotate_when_the_clock_stands_or_goes_back_then_the_order_stays),
	    TEST(test_rotate_when_the_name_is_taken_then_nothing_is_overwritten),
	    TEST(test_rotate_when_keep_is_zero_then_the_file_goes),
	    TEST(test_rotate_when_there_is_no_file_then_no_error),
	    TEST(test_trim_when_there_are_too_many_then_the_oldest_go),
	    TEST(test_trim_when_they_are_too_old_then_they_go),
	    TEST(test_trim_when_all_is_too_much_then_room_is_left_for_a_full_log),
	    TEST(test_trim_when_somebody_has_compressed_or_removed_them_then_counted_as_they_are),
	};
	int failed;

	if (mkdtemp(directory) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/web.log", directory);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(directory);
	return failed;
}
