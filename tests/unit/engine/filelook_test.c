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
static char file[] = "/tmp/filelook.XXXXXX";

static int set_up(void **state)
{
	int fd = mkstemp(file);

	(void)state;
	close(fd);
	return fd < 0;
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(file);
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
	struct filelook_answer first = {.mark = 0}, second = first, third = first;
	int fd;

	(void)state;
	assert_int_equal(filelook_now(&looks, file, filelook_stat, 0, PATIENCE_MS, &first), 0);
	assert_int_equal(filelook_now(&looks, file, filelook_stat, 0, PATIENCE_MS, &second), 0);
	assert_int_not_equal(first.mark, 0);
	assert_int_equal(first.mark, second.mark);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	assert_int_equal(filelook_now(&looks, file, filelook_stat, 0, PATIENCE_MS, &third), 0);
	assert_int_not_equal(first.mark, third.mark);
	settle();
}

static void test_no_file_is_told_by_errno(void **state)
{
	struct filelook_answer look = {.mark = 5};

	(void)state;
	assert_int_equal(
	    filelook_now(&looks, "/nonexistent/file", filelook_stat, 0, PATIENCE_MS, &look),
	    -ENOENT);
	assert_int_equal(look.mark, 5);
	settle();
}

static void test_descriptor_is_readable_when_there_is_an_answer(void **state)
{
	struct filelook *look;
	struct pollfd wait = {.events = POLLIN};
	struct filelook_answer answer = {.mark = 0};

	(void)state;
	assert_int_equal(filelook_begin(&looks, file, filelook_stat, 0, &look), 0);
	wait.fd = filelook_fd(look);
	assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
	assert_int_equal(filelook_get(look, &answer), 0);
	assert_int_not_equal(answer.mark, 0);
	filelook_end(look);
	settle();
}

/* Opens a file; with an option, only when that descriptor has something to read. */
static FILELOOK_ACT(open_late)
{
	struct pollfd wait = {.fd = option, .events = POLLIN};

	if (option > 0)
		(void)poll(&wait, 1, PATIENCE_MS);
	ret_answer->fd = open(path, O_RDONLY | O_CLOEXEC);
	return ret_answer->fd < 0 ? -errno : 0;
}

static void test_what_is_opened_is_the_callers(void **state)
{
	struct filelook_answer look;

	(void)state;
	assert_int_equal(filelook_now(&looks, file, open_late, 0, PATIENCE_MS, &look), 0);
	settle();
	assert_true(fcntl(look.fd, F_GETFD) & FD_CLOEXEC);
	close(look.fd);
}

/* The lowest free one. */
static int next_fd(void)
{
	int fd = dup(STDERR_FILENO);

	close(fd);
	return fd;
}

static void test_what_is_opened_too_late_is_closed(void **state)
{
	struct filelook_answer look = {.fd = -2};
	int gate[2], before = next_fd();

	(void)state;
	assert_int_equal(pipe(gate), 0);
	assert_int_equal(filelook_now(&looks, file, open_late, gate[0], 20, &look), -ETIMEDOUT);
	assert_int_equal(look.fd, -2);
	assert_int_equal(write(gate[1], "x", 1), 1);
	settle();
	close(gate[0]);
	close(gate[1]);
	assert_int_equal(next_fd(), before);
}

struct subject {
	int gate; /* waited for; -1: not */
	int worked;
	int released;
};

static FILELOOK_ACT(work)
{
	struct subject *subject = ret_answer->subject;
	struct pollfd wait = {.fd = subject->gate, .events = POLLIN};

	(void)path;
	(void)option;
	if (subject->gate >= 0)
		(void)poll(&wait, 1, PATIENCE_MS);
	subject->worked++;
	return 0;
}

static void release(void *context)
{
	((struct subject *)context)->released++;
}

static void test_subject_comes_back_with_the_answer(void **state)
{
	struct subject subject = {.gate = -1};
	struct filelook_answer answer = {.mark = 0};
	struct filelook *look;
	struct pollfd wait = {.events = POLLIN};

	(void)state;
	assert_int_equal(filelook_begin_with(&looks, file, work, &subject, release, &look), 0);
	wait.fd = filelook_fd(look);
	assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
	assert_int_equal(filelook_get(look, &answer), 0);
	assert_ptr_equal(answer.subject, &subject);
	filelook_end(look);
	settle();
	assert_int_equal(subject.worked, 1);
	assert_int_equal(subject.released, 0);
}

static void test_subject_of_a_look_that_was_let_go_is_released_when_the_thread_is_back(void **state)
{
	struct subject subject;
	struct filelook *look;
	int gate[2];

	(void)state;
	assert_int_equal(pipe(gate), 0);
	subject = (struct subject){.gate = gate[0]};
	assert_int_equal(filelook_begin_with(&looks, file, work, &subject, release, &look), 0);
	filelook_end(look);
	filelooks_done(&looks);
	assert_int_equal(subject.released, 0);
	assert_int_equal(write(gate[1], "x", 1), 1);
	settle();
	assert_int_equal(subject.worked, 1);
	assert_int_equal(subject.released, 1);
	close(gate[0]);
	close(gate[1]);
}

static void test_look_that_cannot_begin_takes_no_subject(void **state)
{
	struct subject subject = {.gate = -1};
	struct filelooks full = {.count = LIMIT_FILE_LOOKS};
	struct filelook *look;

	(void)state;
	assert_int_equal(filelook_begin_with(&full, file, work, &subject, release, &look), -EAGAIN);
	assert_int_equal(subject.worked + subject.released, 0);
}

static void test_looks_that_are_not_over_have_a_limit(void **state)
{
	struct filelook *look[LIMIT_FILE_LOOKS], *more;

	(void)state;
	/* One that nobody has let go of counts as one that hangs. */
	for (int i = 0; i < LIMIT_FILE_LOOKS; i++)
		assert_int_equal(filelook_begin(&looks, file, filelook_stat, 0, &look[i]), 0);
	assert_int_equal(filelook_begin(&looks, file, filelook_stat, 0, &more), -EAGAIN);
	for (int i = 0; i < LIMIT_FILE_LOOKS; i++)
		filelook_end(look[i]);
	settle();
	assert_int_equal(filelook_begin(&looks, file, filelook_stat, 0, &more), 0);
	filelook_end(more);
	settle();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_mark_is_the_same_until_the_file_changes),
	    cmocka_unit_test(test_no_file_is_told_by_errno),
	    cmocka_unit_test(test_descriptor_is_readable_when_there_is_an_answer),
	    cmocka_unit_test(test_what_is_opened_is_the_callers),
	    cmocka_unit_test(test_what_is_opened_too_late_is_closed),
	    cmocka_unit_test(test_subject_comes_back_with_the_answer),
	    cmocka_unit_test(
		test_subject_of_a_look_that_was_let_go_is_released_when_the_thread_is_back),
	    cmocka_unit_test(test_look_that_cannot_begin_takes_no_subject),
	    cmocka_unit_test(test_looks_that_are_not_over_have_a_limit),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
