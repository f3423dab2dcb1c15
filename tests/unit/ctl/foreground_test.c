/* SPDX-License-Identifier: ISC */
/* foreground_test.c: who gets Ctrl-C while a child runs. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/foreground.h"

/* A child that waits for a signal that never comes is ended by this. */
#define PATIENCE_S 60

static int status_of(pid_t pid)
{
	int status = 0;

	assert_true(pid > 0);
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	return status;
}

static void become_one_that_waits(void) __attribute__((noreturn));
static void become_one_that_waits(void)
{
	(void)alarm(PATIENCE_S);
	for (;;)
		(void)pause();
}

static bool is_pending(int number)
{
	sigset_t set;

	assert_int_equal(sigpending(&set), 0);
	return sigismember(&set, number) == 1;
}

static bool is_blocked(int number)
{
	sigset_t set;

	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &set), 0);
	return sigismember(&set, number) == 1;
}

static void test_fork_when_key_came_before_then_child_gets_it(void **state)
{
	static const int keys[] = {SIGINT, SIGQUIT};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct foreground foreground;
		int status;
		pid_t pid;

		foreground_begin(&foreground);
		assert_int_equal(raise(keys[i]), 0);
		pid = foreground_fork(&foreground);
		if (pid == 0)
			become_one_that_waits();
		status = status_of(pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), keys[i]);
		foreground_end(&foreground);
		assert_false(is_pending(keys[i]));
		assert_false(is_blocked(keys[i]));
	}
}

static void test_fork_when_no_key_came_then_child_gets_none(void **state)
{
	struct foreground foreground;
	int status;
	pid_t pid;

	(void)state;
	foreground_begin(&foreground);
	pid = foreground_fork(&foreground);
	if (pid == 0)
		_exit(7);
	status = status_of(pid);
	foreground_end(&foreground);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

static void test_fork_when_we_ignore_keys_then_child_does_not(void **state)
{
	struct sigaction now;
	struct foreground foreground;
	int status;
	pid_t pid;

	(void)state;
	(void)signal(SIGINT, SIG_IGN);
	foreground_begin(&foreground);
	pid = foreground_fork(&foreground);
	if (pid == 0) {
		(void)raise(SIGINT);
		_exit(0);
	}
	status = status_of(pid);
	foreground_end(&foreground);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGINT);
	assert_int_equal(sigaction(SIGINT, NULL, &now), 0);
	assert_ptr_equal(now.sa_handler, SIG_IGN);
	(void)signal(SIGINT, SIG_DFL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fork_when_key_came_before_then_child_gets_it),
	    cmocka_unit_test(test_fork_when_no_key_came_then_child_gets_none),
	    cmocka_unit_test(test_fork_when_we_ignore_keys_then_child_does_not),
	};

	/* SIGQUIT is to leave no core. */
	if (setrlimit(RLIMIT_CORE, &(struct rlimit){0}) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
