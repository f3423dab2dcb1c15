/* SPDX-License-Identifier: ISC */
/* The arithmetic of rotation, and what logfile_refresh() notices. */
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
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "supervisord/logger/logfile.h"

static char directory[] = "/tmp/logfile_test.XXXXXX";
static char path[64];
static struct logspec spec = {.name = "web", .path = path, .max_bytes = 10, .keep = 2};
static struct logfile file;

static int set_up(void **state)
{
	(void)state;
	logfile_init(&file, path);
	return 0;
}

static int tear_down(void **state)
{
	char command[96];

	(void)state;
	logfile_done(&file);
	(void)snprintf(command, sizeof(command), "rm -rf %s/*", directory);
	return system(command);
}

static void append(const char *text)
{
	struct stat st;

	assert_int_equal(fstat(file.fd, &st), 0);
	assert_int_equal(pwrite(file.fd, text, strlen(text), st.st_size), (ssize_t)strlen(text));
}

static void refresh(uint64_t expected_size, bool expected_displaced)
{
	uint64_t size;
	bool displaced;

	assert_int_equal(logfile_refresh(&file, &spec, &size, &displaced), 0);
	assert_int_equal(size, expected_size);
	assert_int_equal(displaced, expected_displaced);
}

static void test_room_when_below_at_and_past_the_limit(void **state)
{
	(void)state;
	assert_int_equal(logfile_room(0, 10), 10);
	assert_int_equal(logfile_room(9, 10), 1);
	assert_int_equal(logfile_room(10, 10), 0);
	assert_int_equal(logfile_room(11, 10), 0);
	assert_true(logfile_room(UINT64_MAX / 2, 0) == UINT64_MAX);
}

static void test_line_room_when_a_line_is_long_then_twice_the_limit_ends_it(void **state)
{
	(void)state;
	assert_int_equal(logfile_line_room(10, 10, 10), 10);
	assert_int_equal(logfile_line_room(19, 10, 10), 1);
	assert_int_equal(logfile_line_room(20, 10, 10), 0);
	assert_int_equal(logfile_line_room(25, 10, 10), 0);
	assert_true(logfile_line_room(25, 0, 0) == UINT64_MAX);
	assert_true(logfile_line_room(25, UINT64_MAX - 1, UINT64_MAX - 1) == UINT64_MAX);
}

static void test_refresh_when_deleted_then_opened_anew(void **state)
{
	(void)state;
	refresh(0, false);
	append("one\n");
	refresh(4, false);
	assert_int_equal(unlink(path), 0);
	refresh(0, false);
	assert_int_equal(access(path, F_OK), 0);
}

static void test_refresh_when_moved_then_displaced_until_reopened(void **state)
{
	char moved[80];
	uint64_t size;

	(void)state;
	refresh(0, false);
	append("one");
	(void)snprintf(moved, sizeof(moved), "%s.moved", path);
	assert_int_equal(rename(path, moved), 0);
	refresh(3, true);
	refresh(3, true);
	assert_int_equal(logfile_reopen(&file, &spec, &size), 0);
	refresh(0, false);
}

static void test_refresh_when_truncated_then_the_new_size(void **state)
{
	(void)state;
	refresh(0, false);
	append("one\ntwo\n");
	assert_int_equal(truncate(path, 4), 0);
	refresh(4, false);
}

static void test_refresh_when_not_a_regular_file_then_error_and_no_wait(void **state)
{
	uint64_t size;
	bool displaced;

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(logfile_refresh(&file, &spec, &size, &displaced), -EINVAL);
	assert_int_equal(file.fd, -1);
}

static void test_line_is_open_when_the_last_byte_is_no_newline(void **state)
{
	(void)state;
	refresh(0, false);
	assert_int_equal(logfile_line_is_open(&file, 0), 0);
	append("one");
	assert_int_equal(logfile_line_is_open(&file, 3), 1);
	append("\n");
	assert_int_equal(logfile_line_is_open(&file, 4), 0);
}

static void test_rotate_when_it_works_then_a_new_empty_file(void **state)
{
	char name[128];
	struct logfile_rotated rotated;
	struct stat st;
	uint64_t size = 12;

	(void)state;
	refresh(0, false);
	append("eleven bytes");
	assert_int_equal(logfile_rotate(&file, &spec, &size, &rotated), 0);
	assert_int_equal(rotated.rename_error, 0);
	assert_int_equal(size, 0);
	assert_int_equal(archive_format_path(name, sizeof(name), path, &rotated.archive), 0);
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_size, 12);
	assert_int_equal(st.st_ino, rotated.archive.ino);
	refresh(0, false);
}

static void test_rotate_when_it_fails_then_the_file_grows_on(void **state)
{
	struct logspec long_spec = spec;
	char long_path[320];
	struct logfile_rotated rotated;
	uint64_t size = 10;

	(void)state;
	/* There is a name for the file, but none for an archive, whoever we are. */
	(void)snprintf(long_path, sizeof(long_path), "%s/%0240d", directory, 0);
	long_spec.path = long_path;
	logfile_init(&file, long_path);
	assert_int_equal(logfile_reopen(&file, &long_spec, &size), 0);
	size = 10;
	assert_int_equal(logfile_rotate(&file, &long_spec, &size, &rotated), 0);
	assert_true(rotated.rename_error < 0);
	assert_int_equal(rotated.archive.time_us, 0);
	assert_int_equal(size, 10);
	assert_int_equal(file.rotate_at, 20);
	logfile_set_limits(&file, &spec);
	assert_int_equal(file.rotate_at, 10);
}

static void test_due_when_it_was_written_in_an_earlier_hour(void **state)
{
	struct logspec hourly = spec;
	struct timespec past[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = time(NULL) - 3600}};

	(void)state;
	hourly.rotate = LOGSPEC_HOURLY;
	refresh(0, false);
	assert_int_equal(futimens(file.fd, past), 0);
	refresh(0, false);
	assert_false(logfile_is_due(&file, &hourly, 0)); /* there is nothing in it */
	append("old\n");
	assert_int_equal(futimens(file.fd, past), 0);
	refresh(4, false);
	assert_true(logfile_is_due(&file, &hourly, 4));
	assert_false(logfile_is_due(&file, &spec, 4));
	/* The clock was set back: its time is to come. */
	past[1].tv_sec = time(NULL) + 24 * 3600;
	assert_int_equal(futimens(file.fd, past), 0);
	refresh(4, false);
	assert_false(logfile_is_due(&file, &hourly, 4));
}

static void test_reopen_when_the_file_is_new_then_it_has_its_mode_and_owner(void **state)
{
	struct logspec own = spec;
	struct stat st;
	uint64_t size;

	(void)state;
	own.mode = 0604;
	own.has_uid = own.has_gid = true;
	own.uid = geteuid() == 0 ? 12345 : geteuid();
	own.gid = geteuid() == 0 ? 54321 : getegid();
	(void)umask(077);
	assert_int_equal(logfile_reopen(&file, &own, &size), 0);
	(void)umask(022);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0604);
	assert_int_equal(st.st_uid, own.uid);
	assert_int_equal(st.st_gid, own.gid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_room_when_below_at_and_past_the_limit),
	    cmocka_unit_test(test_line_room_when_a_line_is_long_then_twice_the_limit_ends_it),
	    cmocka_unit_test_setup_teardown(
		test_refresh_when_deleted_then_opened_anew, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_refresh_when_moved_then_displaced_until_reopened, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_refresh_when_truncated_then_the_new_size, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_refresh_when_not_a_regular_file_then_error_and_no_wait, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_line_is_open_when_the_last_byte_is_no_newline, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_rotate_when_it_works_then_a_new_empty_file, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_rotate_when_it_fails_then_the_file_grows_on, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_due_when_it_was_written_in_an_earlier_hour, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_reopen_when_the_file_is_new_then_it_has_its_mode_and_owner, set_up, tear_down),
	};
	int failed;

	if (mkdtemp(directory) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/web.log", directory);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(directory);
	return failed;
}
