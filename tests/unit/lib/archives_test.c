/* SPDX-License-Identifier: ISC */
/* Names of archives, and the list of those that a directory has. */
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

#include "lib/archives.h"

static char directory[] = "/tmp/archives_test.XXXXXX";
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
	char whole[160];
	FILE *file;

	(void)snprintf(whole, sizeof(whole), "%s/%s", directory, name);
	file = fopen(whole, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void test_name_when_formatted_then_parsed_back(void **state)
{
	static const int64_t times[] = {0, 1, 999999, 1000000, 1769904000123456, 32503679999999999};
	char name[64];

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		for (int form = LOGSPEC_PLAIN; form <= LOGSPEC_ZSTD; form++) {
			struct archive found,
			    archive = {.time_us = times[i], .form = (enum logspec_compress)form};
			size_t stem;

			assert_int_equal(
			    archive_format_path(name, sizeof(name), "a.log", &archive), 0);
			assert_true(archive_parse_name(name, &stem, &found));
			assert_int_equal(stem, 5);
			assert_int_equal(found.time_us, times[i]);
			assert_int_equal(found.form, form);
		}
	assert_int_equal(
	    archive_format_path(name, 20, "a.log", &(struct archive){0}), -ENAMETOOLONG);
}

static void test_name_when_it_is_none_of_ours_then_refused(void **state)
{
	static const char *const names[] = {"", "a", "a.1", "a.log", ".20260131T235959.123456Z",
	    "a.20260131T235959.123456", "a.20260131T235959.123456Z.tmp",
	    "a.20260131T235959.123456Z.gz.tmp", "a.20260131T235959.123456Z.bz2",
	    "a.20260231T235959.123456Z", "a.20261331T235959.123456Z", "a.20260131T245959.123456Z",
	    "a.20260131T236059.123456Z", "a.20260131T235960.123456Z", "a.2026013 T235959.123456Z",
	    "a.20260131t235959.123456Z", "a.20260131T235959,123456Z", "a.20260131T235959.12345-Z",
	    "a.00000131T235959.123456Z"};
	struct archive archive;
	size_t stem;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (archive_parse_name(names[i], &stem, &archive))
			fail_msg("'%s' is taken for an archive", names[i]);
}

static void test_read_when_others_are_there_then_only_its_own_in_order(void **state)
{
	(void)state;
	put("web.log", "now");
	put("web.log.20260131T235959.123456Z", "c");
	put("web.log.20250131T235959.123456Z.zst", "a");
	put("web.log.20260131T235959.123455Z.gz", "b");
	put("web.log.20260131T235959.123455Z.gz.tmp", "half");
	put("web.log.old.20260131T235959.123455Z", "another log");
	put("xweb.log.20260131T235959.123455Z", "another log");
	put("web.log.1", "1");
	assert_int_equal(archives_read(&archives), 0);
	assert_int_equal(archives.count, 3);
	assert_int_equal(archives.list[0].form, LOGSPEC_ZSTD);
	assert_int_equal(archives.list[1].form, LOGSPEC_GZIP);
	assert_int_equal(archives.list[2].form, LOGSPEC_PLAIN);
	assert_int_equal(archives.list[2].time_us - archives.list[1].time_us, 1);
	assert_int_equal(archives_find_after(&archives, 0), 0);
	assert_int_equal(archives_find_after(&archives, archives.list[0].time_us), 1);
	assert_int_equal(archives_find_after(&archives, archives.list[2].time_us), 3);
}

static void test_read_when_there_is_no_directory_then_none(void **state)
{
	struct archives none;

	(void)state;
	archives_init(&none, "/tmp/archives_test.no/such/file");
	assert_int_equal(archives_read(&none), 0);
	assert_int_equal(none.count, 0);
}

static void test_read_when_plain_and_compressed_are_there_then_once_as_plain(void **state)
{
	struct stat st;
	enum logspec_compress form;
	int fd;

	(void)state;
	put("web.log.20260131T235959.123456Z.gz", "compressed");
	put("web.log.20260131T235959.123456Z", "plain");
	assert_int_equal(archives_read(&archives), 0);
	assert_int_equal(archives.count, 1);
	assert_int_equal(archives.list[0].form, LOGSPEC_PLAIN);
	assert_int_equal(archives_open(&archives, 0, &fd, &st, &form), 0);
	assert_int_equal(form, LOGSPEC_PLAIN);
	assert_int_equal(st.st_size, 5);
	close(fd);
	assert_int_equal(archives_unlink(&archives, &archives.list[0]), 0);
	assert_int_equal(archives_stat(&archives, 0, &st), -ENOENT);
}

static void test_file_when_it_was_compressed_then_still_found_by_its_inode(void **state)
{
	char name[128];
	struct stat was, st;
	enum logspec_compress form;
	int fd;

	(void)state;
	put("web.log", "now");
	put("web.log.20260131T235959.123456Z", "plain");
	(void)snprintf(name, sizeof(name), "%s.20260131T235959.123456Z", path);
	assert_int_equal(stat(name, &was), 0);
	assert_int_equal(archives_read(&archives), 0);
	assert_int_equal(archives_find_file(&archives, &was), 0);
	archives.list[0].ino = was.st_ino;
	put("web.log.20260131T235959.123456Z.gz", "c");
	assert_int_equal(unlink(name), 0);
	assert_int_equal(archives_open(&archives, 0, &fd, &st, &form), 0);
	assert_int_equal(form, LOGSPEC_GZIP);
	close(fd);
	assert_int_equal(archives_find_file(&archives, &was), 0);
	assert_int_equal(archives_read(&archives), 0);
	assert_int_equal(archives.list[0].form, LOGSPEC_GZIP);
	assert_int_equal(archives_find_file(&archives, &was), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(archives_find_file(&archives, &st), 1);
	assert_int_equal(stat(directory, &st), 0);
	assert_int_equal(archives_find_file(&archives, &st), -ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_name_when_formatted_then_parsed_back),
	    TEST(test_name_when_it_is_none_of_ours_then_refused),
	    TEST(test_read_when_others_are_there_then_only_its_own_in_order),
	    TEST(test_read_when_there_is_no_directory_then_none),
	    TEST(test_read_when_plain_and_compressed_are_there_then_once_as_plain),
	    TEST(test_file_when_it_was_compressed_then_still_found_by_its_inode),
	};
	int failed;

	if (mkdtemp(directory) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/web.log", directory);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(directory);
	return failed;
}
