/* SPDX-License-Identifier: ISC */
/* cgroup_test.c: leaves in the machine's own cgroup2 file system; skipped where none is writable.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/limits.h"
#include "supervisord/engine/cgroup.h"

#define ROW  7
#define NAME "web@1"

static struct cgroups cgroups;
static pid_t children[256];
static size_t child_count;

static int set_up(void **context)
{
	(void)context;
	(void)unsetenv("SUPERVISORD_NO_CGROUP");
	cgroups_init(&cgroups, ((uint64_t)getpid() << 32) | (uint32_t)time(NULL));
	if (cgroups.base < 0)
		print_message("no cgroups: %s\n", cgroups.reason);
	return 0;
}

static void reap_all(void)
{
	while (child_count > 0) {
		pid_t pid = children[--child_count];

		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

static int tear_down(void **context)
{
	(void)context;
	reap_all();
	cgroups_remove(&cgroups);
	cgroups_done(&cgroups);
	return 0;
}

static void need_cgroups(void)
{
	if (cgroups.base < 0)
		skip();
}

static int pause_forever(void *argument)
{
	(void)argument;
	while (pause() < 0)
		;
	return 0;
}

/* A process that is in `directory`, and does what `body` says. */
static pid_t spawn_in(int directory, int (*body)(void *), void *argument)
{
	pid_t pid = fork();

	if (pid == 0) {
		int procs = openat(directory, "cgroup.procs", O_WRONLY);

		if (procs < 0 || write(procs, "0", 1) != 1)
			_exit(99);
		_exit(body(argument));
	}
	assert_true(pid > 0);
	children[child_count++] = pid;
	return pid;
}

/* The same in the row's leaf; returns when it is there. */
static pid_t spawn(int (*body)(void *), void *argument)
{
	int leaf = cgroup_open(&cgroups, ROW, NAME);
	pid_t pid;

	assert_true(leaf >= 0);
	pid = spawn_in(leaf, body, argument);
	close(leaf);
	for (int i = 0; i < 10000 && !cgroup_has(&cgroups, ROW, NAME, pid); i++)
		usleep(1000);
	assert_true(cgroup_has(&cgroups, ROW, NAME, pid));
	return pid;
}

static void wait_populated(int wanted)
{
	for (int i = 0; i < 10000 && cgroup_is_populated(&cgroups, ROW, NAME) != wanted; i++)
		usleep(1000);
	assert_int_equal(cgroup_is_populated(&cgroups, ROW, NAME), wanted);
}

static void test_populated_when_the_leaf_was_made_anew_then_it_is_the_new_one(void **context)
{
	pid_t pid;

	(void)context;
	need_cgroups();
	assert_int_equal(cgroup_make(&cgroups, ROW, NAME), 0);
	assert_int_equal(cgroup_make(&cgroups, ROW, NAME), -EEXIST);
	assert_int_equal(cgroup_is_populated(&cgroups, ROW, NAME), 0); /* and it stays open */
	assert_int_equal(unlinkat(cgroups.base, "7-web", AT_REMOVEDIR), 0);
	assert_int_equal(cgroup_is_populated(&cgroups, ROW, NAME), -ENOENT);
	pid = spawn(pause_forever, NULL);
	assert_int_equal(cgroup_is_populated(&cgroups, ROW, NAME), 1);
	/* Another row that has its place. */
	assert_int_equal(cgroup_is_populated(&cgroups, ROW + LIMIT_CGROUP_LOOKS, NAME), -ENOENT);
	assert_int_equal(cgroup_make(&cgroups, ROW + LIMIT_CGROUP_LOOKS, NAME), 0);
	assert_int_equal(cgroup_is_populated(&cgroups, ROW + LIMIT_CGROUP_LOOKS, NAME), 0);
	assert_int_equal(cgroup_is_populated(&cgroups, ROW, NAME), 1);
	assert_int_equal(cgroup_remove(&cgroups, ROW + LIMIT_CGROUP_LOOKS, NAME), 0);
	assert_int_equal(cgroup_kill(&cgroups, ROW, NAME), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	child_count--;
	wait_populated(0);
	/* The row's next owner has another leaf. */
	assert_int_equal(cgroup_remove(&cgroups, ROW, NAME), 0);
	assert_int_equal(cgroup_is_populated(&cgroups, ROW, NAME "-too"), -ENOENT);
}

static void test_leaf_with_a_process_then_it_is_found_there(void **context)
{
	pid_t pid, listed[4];

	(void)context;
	need_cgroups();
	assert_int_equal(cgroup_is_populated(&cgroups, ROW, NAME), -ENOENT);
	assert_int_equal(cgroup_list(&cgroups, ROW, NAME, listed, 4), -ENOENT);
	assert_int_equal(cgroup_watch(&cgroups, ROW, NAME), -ENOENT);
	pid = spawn(pause_forever, NULL);
	assert_int_equal(cgroup_is_populated(&cgroups, ROW, NAME), 1);
	assert_int_equal(cgroup_list(&cgroups, ROW, NAME, listed, 4), 1);
	assert_int_equal(listed[0], pid);
	assert_true(cgroups_hold(&cgroups, pid));
	assert_false(cgroups_hold(&cgroups, getpid()));
	assert_false(cgroup_has(&cgroups, ROW, NAME, getpid()));
	/* Another leaf whose name begins like this one's. */
	assert_false(cgroup_has(&cgroups, ROW, "web@", pid));
	assert_false(cgroup_has(&cgroups, ROW + 1, NAME, pid));
	assert_int_equal(cgroup_open_process(&cgroups, ROW, NAME, getpid()), -1);
	assert_int_equal(cgroup_remove(&cgroups, ROW, NAME), -EBUSY);
}

static void test_kill_then_a_zombie_does_not_count(void **context)
{
	pid_t pid;
	int fd;

	(void)context;
	need_cgroups();
	pid = spawn(pause_forever, NULL);
	fd = cgroup_watch(&cgroups, ROW, NAME);
	assert_true(fd >= 0);
	assert_int_equal(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0), 0);
	assert_int_equal(cgroup_kill(&cgroups, ROW, NAME), 0);
	assert_int_equal(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 10000), 1);
	close(fd);
	wait_populated(0);
	assert_int_equal(kill(pid, 0), 0); /* still a zombie of ours */
	assert_int_equal(cgroup_list(&cgroups, ROW, NAME, NULL, 0), 0);
	assert_int_equal(cgroup_watch(&cgroups, ROW, NAME), -ESRCH);
	reap_all();
	assert_int_equal(cgroup_remove(&cgroups, ROW, NAME), 0);
	assert_int_equal(cgroup_is_populated(&cgroups, ROW, NAME), -ENOENT);
}

/* Makes `path` below the leaf and puts a process there. */
static pid_t spawn_below(const char *path)
{
	int leaf = cgroup_open(&cgroups, ROW, NAME), below;
	pid_t pid;

	assert_int_equal(mkdirat(leaf, path, 0755), 0);
	below = openat(leaf, path, O_PATH | O_DIRECTORY);
	assert_true(below >= 0);
	pid = spawn_in(below, pause_forever, NULL);
	close(below);
	close(leaf);
	return pid;
}

static void test_cgroups_of_the_program_then_they_belong_to_the_leaf(void **context)
{
	pid_t first, second, listed[8];
	int count;

	(void)context;
	need_cgroups();
	first = spawn_below("a");
	second = spawn_below("a/b");
	for (int i = 0; i < 10000 && cgroup_list(&cgroups, ROW, NAME, NULL, 0) < 2; i++)
		usleep(1000);
	count = cgroup_list(&cgroups, ROW, NAME, listed, 8);
	assert_int_equal(count, 2);
	assert_true((listed[0] == first && listed[1] == second) ||
		    (listed[0] == second && listed[1] == first));
	assert_true(cgroup_has(&cgroups, ROW, NAME, second));
	assert_int_equal(cgroup_remove(&cgroups, ROW, NAME), -EBUSY);
	assert_int_equal(cgroup_kill(&cgroups, ROW, NAME), 0);
	wait_populated(0);
	reap_all();
	assert_int_equal(cgroup_remove(&cgroups, ROW, NAME), 0);
}

/* Ends when SIGRTMIN + 1 comes, with the number of SIGRTMIN that came before: those are queued, and
 * lower numbers are delivered first. */
static int count_signals(void *argument)
{
	sigset_t set;
	int count = 0;

	(void)argument;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGRTMIN + 1);
	while (sigwaitinfo(&set, NULL) == SIGRTMIN)
		count++;
	return count;
}

static void test_signal_then_each_process_gets_it_once(void **context)
{
	enum { PROCESSES = 40 };
	sigset_t set, old;

	(void)context;
	need_cgroups();
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGRTMIN + 1);
	sigprocmask(SIG_BLOCK, &set, &old);
	for (int i = 0; i < PROCESSES; i++)
		(void)spawn(count_signals, NULL);
	assert_int_equal(cgroup_signal(&cgroups, ROW, NAME, SIGRTMIN), PROCESSES);
	assert_int_equal(cgroup_signal(&cgroups, ROW, NAME, SIGRTMIN + 1), PROCESSES);
	while (child_count > 0) {
		int status;

		assert_true(waitpid(children[--child_count], &status, 0) > 0);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 1);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	assert_int_equal(cgroup_signal(&cgroups, ROW, NAME, SIGTERM), 0);
	assert_int_equal(cgroup_remove(&cgroups, ROW, NAME), 0);
	assert_int_equal(cgroup_signal(&cgroups, ROW, NAME, SIGTERM), -ENOENT);
}

static void test_signal_to_a_stopped_process_then_it_can_act_on_it(void **context)
{
	siginfo_t info;
	pid_t pid;
	int status;

	(void)context;
	need_cgroups();
	pid = spawn(pause_forever, NULL);
	kill(pid, SIGSTOP);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WSTOPPED), 0);
	assert_int_equal(cgroup_signal(&cgroups, ROW, NAME, SIGTERM), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	child_count--;
	assert_int_equal(status, SIGTERM);
}

/* A child for each process, over and over, until it has had enough. */
static int fork_on(void *argument)
{
	(void)argument;
	for (int i = 0; i < 200; i++)
		if (fork() == 0)
			break;
	return pause_forever(NULL);
}

static void test_kill_of_two_hundred_then_all_are_gone(void **context)
{
	(void)context;
	need_cgroups();
	(void)spawn(fork_on, NULL);
	for (int i = 0; i < 10000 && cgroup_list(&cgroups, ROW, NAME, NULL, 0) < 201; i++)
		usleep(1000);
	assert_int_equal(cgroup_list(&cgroups, ROW, NAME, NULL, 0), 201);
	assert_int_equal(cgroup_kill(&cgroups, ROW, NAME), 0);
	wait_populated(0);
	reap_all();
	assert_int_equal(cgroup_remove(&cgroups, ROW, NAME), 0);
}

static void test_abandon_then_the_leaf_is_free_and_the_process_lives(void **context)
{
	pid_t pid;

	(void)context;
	need_cgroups();
	pid = spawn(pause_forever, NULL);
	assert_int_equal(cgroup_abandon(&cgroups, ROW, NAME), 0);
	wait_populated(0);
	assert_int_equal(kill(pid, 0), 0);
	assert_false(cgroup_has(&cgroups, ROW, NAME, pid));
	assert_true(cgroups_hold(&cgroups, pid));
	assert_int_equal(cgroup_remove(&cgroups, ROW, NAME), 0);
}

static void test_second_engine_then_it_finds_the_leaves(void **context)
{
	struct cgroups second;
	uint64_t nonce;
	pid_t pid;

	(void)context;
	need_cgroups();
	pid = spawn(pause_forever, NULL);
	close(cgroup_open(&cgroups, ROW + 1, NAME));
	nonce = strtoull(strrchr(cgroups.path, '.') + 1, NULL, 16);
	cgroups_init(&second, nonce);
	assert_true(second.base >= 0);
	assert_string_equal(second.path, cgroups.path);
	assert_true(cgroup_has(&second, ROW, NAME, pid));
	cgroups_done(&second);
	assert_int_equal(second.base, -1);
	/* When that ends, too: what is empty goes, and what lives stays. */
	assert_int_equal(cgroup_is_populated(&cgroups, ROW + 1, NAME), -ENOENT);
	assert_true(cgroup_has(&cgroups, ROW, NAME, pid));
}

static void test_remove_then_nothing_is_left_but_what_lives(void **context)
{
	struct cgroups own;
	int leaf, parent;

	(void)context;
	need_cgroups();
	cgroups_init(&own, UINT64_C(0xfeed0000) + (uint64_t)getpid());
	assert_true(own.base >= 0);
	parent = openat(own.base, "..", O_PATH | O_DIRECTORY);
	leaf = cgroup_open(&own, 1, "#3.pre_start");
	assert_true(leaf >= 0);
	close(leaf);
	cgroups_remove(&own);
	assert_int_equal(faccessat(parent, strrchr(own.path, '/') + 1, F_OK, 0), -1);
	cgroups_done(&own);
	close(parent);
}

static void test_switched_off_then_nothing_is_there(void **context)
{
	struct cgroups off;

	(void)context;
	(void)setenv("SUPERVISORD_NO_CGROUP", "1", 1);
	cgroups_init(&off, 1);
	(void)unsetenv("SUPERVISORD_NO_CGROUP");
	assert_int_equal(off.base, -1);
	assert_string_equal(off.reason, "SUPERVISORD_NO_CGROUP is set");
	assert_int_equal(cgroup_open(&off, ROW, NAME), -ENOENT);
	assert_int_equal(cgroup_is_populated(&off, ROW, NAME), -ENOENT);
	assert_int_equal(cgroup_list(&off, ROW, NAME, NULL, 0), -ENOENT);
	assert_int_equal(cgroup_kill(&off, ROW, NAME), -ENOENT);
	assert_int_equal(cgroup_signal(&off, ROW, NAME, SIGTERM), -ENOENT);
	assert_int_equal(cgroup_watch(&off, ROW, NAME), -ENOENT);
	assert_int_equal(cgroup_remove(&off, ROW, NAME), 0);
	assert_false(cgroup_has(&off, ROW, NAME, getpid()));
	assert_false(cgroups_hold(&off, getpid()));
	cgroups_remove(&off);
	cgroups_done(&off);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_populated_when_the_leaf_was_made_anew_then_it_is_the_new_one),
	    TEST(test_leaf_with_a_process_then_it_is_found_there),
	    TEST(test_kill_then_a_zombie_does_not_count),
	    TEST(test_cgroups_of_the_program_then_they_belong_to_the_leaf),
	    TEST(test_signal_then_each_process_gets_it_once),
	    TEST(test_signal_to_a_stopped_process_then_it_can_act_on_it),
	    TEST(test_kill_of_two_hundred_then_all_are_gone),
	    TEST(test_abandon_then_the_leaf_is_free_and_the_process_lives),
	    TEST(test_second_engine_then_it_finds_the_leaves),
	    TEST(test_remove_then_nothing_is_left_but_what_lives),
	    cmocka_unit_test(test_switched_off_then_nothing_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
