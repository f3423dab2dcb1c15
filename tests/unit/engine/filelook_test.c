/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/filelook.h; a file system that hangs is in tests/e2e/ready.bats. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/limits.h"
#include "supervisord/engine/filelook.h"

/* What should take no time; only a test that fails waits that long. */
#define PATIENCE_MS 10000

static struct filelooks looks;
static char path[] = "/tmp/filelook.XXXXXX";

static int set_up(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	close(fd);
	return fd < 0;
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

/* Until every thread has come back. */
static void settle(void)
{
	for (int i = 0; looks.count > 0 && i < PATIENCE_MS / 100; i++)
		filelooks_done(&looks);
	assert_int_equal(looks.count, 0);
	assert_null(looks.list);
}

static void test_mark_is_the_same_until_the_file_changes(void **state)
{
	uint64_t first = 0, second = 0, third = 0;
	int fd;

	(void)state;
	assert_int_equal(filelook_now(&looks, path, PATIENCE_MS, &first), 0);
	assert_int_equal(filelook_now(&looks, path, PATIENCE_MS, &second), 0);
	assert_int_not_equal(first, 0);
	assert_int_equal(first, second);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	assert_int_equal(filelook_now(&looks, path, PATIENCE_MS, &third), 0);
	assert_int_not_equal(first, third);
	settle();
}

static void test_no_file_is_told_by_errno(void **state)
{
	uint64_t mark = 5;

	(void)state;
	assert_int_equal(filelook_now(&looks, "/nonexistent/file", PATIENCE_MS, &mark), -ENOENT);
	assert_int_equal(mark, 5);
	settle();
}

static void test_descriptor_is_readable_when_there_is_an_answer(void **state)
{
	struct filelook *look;
	struct pollfd wait = {.events = POLLIN};
	uint64_t mark = 0;

	(void)state;
	assert_int_equal(filelook_begin(&looks, path, &look), 0);
	wait.fd = filelook_fd(look);
	assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
	assert_int_equal(filelook_get(look, &mark), 0);
	assert_int_not_equal(mark, 0);
	filelook_end(look);
	settle();
}

static void test_looks_that_are_not_over_have_a_limit(void **state)
{
	struct filelook *look[LIMIT_FILE_LOOKS], *more;

	(void)state;
	/* One that nobody has let go of counts as one that hangs. */
	for (int i = 0; i < LIMIT_FILE_LOOKS; i++)
		assert_int_equal(filelook_begin(&looks, path, &look[i]), 0);
	assert_int_equal(filelook_begin(&looks, path, &more), -EAGAIN);
	for (int i = 0; i < LIMIT_FILE_LOOKS; i++)
		filelook_end(look[i]);
	settle();
	assert_int_equal(filelook_begin(&looks, path, &more), 0);
	filelook_end(more);
	settle();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_mark_is_the_same_until_the_file_changes),
	    cmocka_unit_test(test_no_file_is_told_by_errno),
	    cmocka_unit_test(test_descriptor_is_readable_when_there_is_an_answer),
	    cmocka_unit_test(test_looks_that_are_not_over_have_a_limit),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
