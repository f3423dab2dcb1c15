/* SPDX-License-Identifier: ISC */
/* Rotation on the file system: archives move up, nothing but the oldest is overwritten, gaps heal.
 */
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
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "supervisord/logger/chain.h"

static char directory[] = "/tmp/chain_test.XXXXXX";
static char path[64];

static void put(unsigned number, const char *text)
{
	char name[128];
	FILE *file;

	assert_int_equal(chain_format_path(name, sizeof(name), path, number), 0);
	file = fopen(name, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* Every file of the chain in one text, newest first: "0:text 2:text ". */
static const char *show(void)
{
	static char shown[512];
	size_t at = 0;

	shown[0] = '\0';
	for (unsigned number = 0; number < 20; number++) {
		char name[128], text[32] = "";
		FILE *file;

		assert_int_equal(chain_format_path(name, sizeof(name), path, number), 0);
		file = fopen(name, "r");
		if (file == NULL)
			continue;
		assert_non_null(fgets(text, sizeof(text), file));
		(void)fclose(file);
		at += (size_t)snprintf(shown + at, sizeof(shown) - at, "%u:%s ", number, text);
	}
	return shown;
}

static int clean(void **state)
{
	char command[96];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -f %s/*", directory);
	return system(command);
}

static void test_shift_when_numbers_are_free_then_all_move_up(void **state)
{
	(void)state;
	put(0, "a");
	put(1, "b");
	assert_int_equal(chain_shift(path, 3), 0);
	assert_string_equal(show(), "1:a 2:b ");
}

static void test_shift_when_all_are_taken_then_only_the_oldest_goes(void **state)
{
	(void)state;
	put(0, "a");
	put(1, "b");
	put(2, "c");
	put(3, "d");
	assert_int_equal(chain_shift(path, 3), 0);
	assert_string_equal(show(), "1:a 2:b 3:c ");
}

static void test_shift_when_a_number_is_missing_then_it_is_filled_and_nothing_goes(void **state)
{
	(void)state;
	put(0, "a");
	put(1, "b");
	put(3, "d");
	put(4, "e");
	assert_int_equal(chain_shift(path, 4), 0);
	assert_string_equal(show(), "1:a 2:b 3:d 4:e ");
}

static void test_shift_when_keep_is_zero_then_the_file_and_archives_go(void **state)
{
	(void)state;
	put(0, "a");
	put(1, "b");
	assert_int_equal(chain_shift(path, 0), 0);
	assert_string_equal(show(), "");
}

static void test_shift_when_keep_is_one_then_one_archive_stays(void **state)
{
	(void)state;
	put(0, "a");
	put(1, "b");
	put(2, "c");
	assert_int_equal(chain_shift(path, 1), 0);
	assert_string_equal(show(), "1:a ");
}

static void test_shift_when_there_is_no_file_then_no_error(void **state)
{
	(void)state;
	assert_int_equal(chain_shift(path, 3), 0);
	assert_string_equal(show(), "");
}

static void test_trim_when_a_number_is_missing_then_all_known_go(void **state)
{
	(void)state;
	put(0, "a");
	put(2, "c");
	put(3, "d");
	put(5, "f");
	put(9, "not ours");
	chain_trim(path, 2, 5);
	assert_string_equal(show(), "0:a 2:c 9:not ours ");
}

static void test_find_when_renamed_then_the_new_number(void **state)
{
	struct stat st;

	(void)state;
	put(0, "a");
	put(1, "b");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(chain_find(path, 3, &st), 0);
	assert_int_equal(chain_shift(path, 3), 0);
	assert_int_equal(chain_find(path, 3, &st), 1);
	assert_int_equal(chain_find(path, 0, &st), -ENOENT);
}

static void test_open_when_numbers_are_missing_then_the_next_in_that_direction(void **state)
{
	struct stat st;
	int fd, number;

	(void)state;
	put(0, "a");
	put(3, "d");
	assert_int_equal(chain_open(path, 5, 1, 1, &fd, &st, &number), 0);
	assert_int_equal(number, 3);
	close(fd);
	assert_int_equal(chain_open(path, 5, 2, -1, &fd, &st, &number), 0);
	assert_int_equal(number, 0);
	close(fd);
	assert_int_equal(chain_open(path, 5, 4, 1, &fd, &st, &number), -ENOENT);
}

static void test_format_path_when_it_does_not_fit_then_error(void **state)
{
	char name[8];

	(void)state;
	assert_int_equal(chain_format_path(name, sizeof(name), "/a/b.c", 0), 0);
	assert_int_equal(chain_format_path(name, sizeof(name), "/a/b.c", 1), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(test_shift_when_numbers_are_free_then_all_move_up, clean),
	    cmocka_unit_test_teardown(
		test_shift_when_all_are_taken_then_only_the_oldest_goes, clean),
	    cmocka_unit_test_teardown(
		test_shift_when_a_number_is_missing_then_it_is_filled_and_nothing_goes, clean),
	    cmocka_unit_test_teardown(
		test_shift_when_keep_is_zero_then_the_file_and_archives_go, clean),
	    cmocka_unit_test_teardown(test_shift_when_keep_is_one_then_one_archive_stays, clean),
	    cmocka_unit_test_teardown(test_shift_when_there_is_no_file_then_no_error, clean),
	    cmocka_unit_test_teardown(test_trim_when_a_number_is_missing_then_all_known_go, clean),
	    cmocka_unit_test_teardown(test_find_when_renamed_then_the_new_number, clean),
	    cmocka_unit_test_teardown(
		test_open_when_numbers_are_missing_then_the_next_in_that_direction, clean),
	    cmocka_unit_test(test_format_path_when_it_does_not_fit_then_error),
	};
	int failed;

	if (mkdtemp(directory) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/web.log", directory);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(directory);
	return failed;
}
