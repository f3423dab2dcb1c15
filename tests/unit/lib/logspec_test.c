/* SPDX-License-Identifier: ISC */
/* The table of log specs survives its memfd, and a bad one is refused. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/logspec.h"

static const struct logspec examples[] = {
    {.row = 7,
	.stream = 0,
	.keep = 5,
	.max_bytes = 1ULL << 40,
	.name = "web@1",
	.path = "/l/web@1.log"},
    {.row = 7,
	.stream = 1,
	.rotate = LOGSPEC_WEEKLY,
	.max_age_s = 3600,
	.total_bytes = 1ULL << 41,
	.compress = LOGSPEC_ZSTD,
	.mode = 0604,
	.has_gid = true,
	.gid = 7,
	.name = "web@1",
	.path = "/l/web@1.err"},
    {.row = LOGSPEC_ROW_OWN, .name = "supervisord", .path = "/l/own.log"},
};

static int make_memfd(const void *bytes, size_t length)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), (ssize_t)length);
	return fd;
}

static void test_read_when_written_then_the_same(void **state)
{
	struct logspec_table table;
	const struct logspec *found;
	int fd;

	(void)state;
	assert_int_equal(logspec_write(examples, 3, &fd), 0);
	assert_int_equal(logspec_read(fd, &table), 0);
	assert_int_equal(table.count, 3);
	found = logspec_find(&table, 7, 0);
	assert_non_null(found);
	assert_true(found->max_bytes == 1ULL << 40);
	assert_int_equal(found->keep, 5);
	assert_string_equal(found->name, "web@1");
	assert_string_equal(found->path, "/l/web@1.log");
	found = logspec_find(&table, 7, 1);
	assert_string_equal(found->path, "/l/web@1.err");
	assert_int_equal(found->rotate, LOGSPEC_WEEKLY);
	assert_int_equal(found->max_age_s, 3600);
	assert_true(found->total_bytes == 1ULL << 41);
	assert_int_equal(found->compress, LOGSPEC_ZSTD);
	assert_int_equal(found->mode, 0604);
	assert_false(found->has_uid);
	assert_true(found->has_gid);
	assert_int_equal(found->gid, 7);
	assert_string_equal(logspec_find(&table, LOGSPEC_ROW_OWN, 0)->path, "/l/own.log");
	assert_null(logspec_find(&table, 8, 0));
	logspec_done(&table);
	close(fd);
}

static void test_read_when_empty_then_no_specs(void **state)
{
	struct logspec_table table;
	int fd;

	(void)state;
	assert_int_equal(logspec_write(NULL, 0, &fd), 0);
	assert_int_equal(logspec_read(fd, &table), 0);
	assert_int_equal(table.count, 0);
	assert_null(logspec_find(&table, 0, 0));
	logspec_done(&table);
	close(fd);
}

static void test_write_when_done_then_nobody_can_change_it(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(logspec_write(examples, 3, &fd), 0);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	close(fd);
}

static void test_read_when_cut_anywhere_then_refused(void **state)
{
	struct logspec_table table;
	char bytes[1024];
	ssize_t length;
	int fd;

	(void)state;
	assert_int_equal(logspec_write(examples, 3, &fd), 0);
	length = pread(fd, bytes, sizeof(bytes), 0);
	assert_true(length > 0 && (size_t)length < sizeof(bytes));
	close(fd);
	for (ssize_t cut = 0; cut < length; cut++) {
		int error;

		fd = make_memfd(bytes, (size_t)cut);
		error = logspec_read(fd, &table);
		/* A cut at the end of a string can only hide what follows it. */
		if (error == 0)
			logspec_done(&table);
		else
			assert_int_equal(error, -EBADMSG);
		if (bytes[cut > 0 ? cut - 1 : 0] != '\0')
			assert_int_equal(error, -EBADMSG);
		close(fd);
	}
}

static void test_read_when_not_a_table_then_refused(void **state)
{
	struct logspec_table table;
	int fd = make_memfd("this is no table of log specs at all", 36);

	(void)state;
	assert_int_equal(logspec_read(fd, &table), -EBADMSG);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_read_when_written_then_the_same),
	    cmocka_unit_test(test_read_when_empty_then_no_specs),
	    cmocka_unit_test(test_write_when_done_then_nobody_can_change_it),
	    cmocka_unit_test(test_read_when_cut_anywhere_then_refused),
	    cmocka_unit_test(test_read_when_not_a_table_then_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
