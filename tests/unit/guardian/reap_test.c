/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/guardian/reap.h. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/wstatus.h"
#include "supervisord/guardian/reap.h"

static int make_ledger(void **context)
{
	struct ledger *ledger;
	int fd;

	assert_int_equal(ledger_create(&fd, &ledger), 0);
	close(fd);
	*context = ledger;
	return 0;
}

static int drop_ledger(void **context)
{
	return munmap(*context, sizeof(struct ledger));
}

/* A child that has ended with `code`, and is not reaped yet. */
static pid_t make_dead(int code)
{
	pid_t pid = fork();
	siginfo_t info;

	if (pid == 0)
		_exit(code);
	assert_true(pid > 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	return pid;
}

static pid_t make_sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	assert_true(pid > 0);
	return pid;
}

static int claim(struct ledger *ledger, const char *name, pid_t pid)
{
	struct ledger_state state = {0};
	int row = ledger_claim_row(ledger, name, NULL, &state, NULL, NULL);

	assert_true(row >= 0);
	atomic_store(&ledger->table[row].run, 7);
	atomic_store(&ledger->pids[row], pid);
	return row;
}

static void test_child_that_is_asked_for_then_it_before_those_that_ended_earlier(void **context)
{
	struct ledger *ledger = *context;
	pid_t first = make_dead(1), second = make_dead(2);
	int row_of_first = claim(ledger, "first", first);
	int row_of_second = claim(ledger, "second", second), wstatus = -1;
	bool news = false;

	assert_int_equal(reap_next(ledger, second, &wstatus, &news), second);
	assert_true(news);
	assert_int_equal(wstatus_code(wstatus), 2);
	assert_int_equal(ledger_next_exit(ledger, 0), row_of_second);
	assert_int_equal(ledger->exits[row_of_second].run, 7);
	assert_int_equal(atomic_load(&ledger->pids[row_of_second]), 0);
	assert_false(ledger_has_exit(ledger, row_of_first));
	assert_int_equal(atomic_load(&ledger->pids[row_of_first]), first);

	/* It is gone, and asked for again: nobody; any: the other one. */
	assert_int_equal(reap_next(ledger, second, &wstatus, &news), 0);
	assert_int_equal(reap_next(ledger, 0, &wstatus, &news), first);
	assert_int_equal(wstatus_code(wstatus), 1);
	assert_true(ledger_has_exit(ledger, row_of_first));
	assert_int_equal(reap_next(ledger, 0, &wstatus, &news), 0);
}

static void test_child_that_lives_then_it_is_left_alone(void **context)
{
	struct ledger *ledger = *context;
	pid_t sleeper = make_sleeper(), dead = make_dead(3);
	int row = claim(ledger, "sleeper", sleeper), wstatus;
	bool news = false;

	assert_int_equal(reap_next(ledger, sleeper, &wstatus, &news), 0);
	assert_false(news);
	assert_int_equal(atomic_load(&ledger->pids[row]), sleeper);
	/* One that is in no row is reaped, and no news. */
	assert_int_equal(reap_next(ledger, 0, &wstatus, &news), dead);
	assert_false(news);
	assert_int_equal(kill(sleeper, SIGKILL), 0);
	assert_int_equal(waitpid(sleeper, &wstatus, 0), sleeper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_child_that_is_asked_for_then_it_before_those_that_ended_earlier, make_ledger,
		drop_ledger),
	    cmocka_unit_test_setup_teardown(
		test_child_that_lives_then_it_is_left_alone, make_ledger, drop_ledger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
