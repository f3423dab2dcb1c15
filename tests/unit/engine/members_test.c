/* SPDX-License-Identifier: ISC */
/* members_test.c: which processes belong to a run; the test process is the guardian (subreaper). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisord/engine/members.h"
#include "supervisord/engine/procstat.h"

#define MARK "web:3:00000000000000aa"

static struct ledger *ledger;
static const struct cgroups no_cgroups = {.base = -1};
static struct members members;
static int heard[2];

static int set_up(void **context)
{
	int fd;

	(void)context;
	if (ledger == NULL) {
		if (ledger_create(&fd, &ledger) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
			return -1;
		close(fd);
	}
	ledger->header.guardian_pid = getpid();
	atomic_store(&ledger->header.rows_high, 2);
	atomic_store(&ledger->pids[0], 0);
	atomic_store(&ledger->pids[1], 0);
	return pipe2(heard, O_CLOEXEC);
}

/* Whatever the test has made is our child by now, or becomes it when its parent ends. */
static int tear_down(void **context)
{
	char path[64];
	int pid;

	(void)context;
	members_done(&members);
	close(heard[0]);
	close(heard[1]);
	(void)snprintf(
	    path, sizeof(path), "/proc/%d/task/%d/children", (int)getpid(), (int)getpid());
	for (;;) {
		FILE *file = fopen(path, "re");

		while (file != NULL && fscanf(file, "%d", &pid) == 1)
			kill(pid, SIGKILL);
		if (file != NULL)
			fclose(file);
		if (waitpid(-1, NULL, 0) < 0)
			return 0;
	}
}

static void say_pid(void)
{
	pid_t pid = getpid();

	if (write(heard[1], &pid, sizeof(pid)) != sizeof(pid))
		_exit(1);
}

static void live(void)
{
	say_pid();
	for (;;)
		pause();
}

static pid_t hear_pid(void)
{
	pid_t pid;

	assert_int_equal(read(heard[0], &pid, sizeof(pid)), sizeof(pid));
	return pid;
}

static pid_t spawn(void (*body)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		body();
		_exit(0);
	}
	assert_true(pid > 0);
	return pid;
}

/* A leader of a session with a child that has a group of its own, and that one's child a session.
 */
static void lead_family(void)
{
	setsid();
	if (fork() == 0) {
		setpgid(0, 0);
		if (fork() == 0) {
			setsid();
			live();
		}
		live();
	}
	live();
}

static struct members_run run_of(pid_t leader, bool lives)
{
	return (struct members_run){
	    .ledger = ledger, .leader = leader, .leader_lives = lives, .mark = MARK};
}

static size_t mark(const struct members_run *run)
{
	members_done(&members);
	assert_int_equal(members_read(&members), 0);
	return members_mark(&members, run, &no_cgroups);
}

static bool is_marked(pid_t pid)
{
	for (size_t i = 0; i < members.count; i++)
		if (members.list[i].pid == pid)
			return members.list[i].in_run;
	return false;
}

static void wait_dead(pid_t pid)
{
	siginfo_t info;

	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static void test_family_of_a_live_leader_then_all_belong_to_it(void **context)
{
	pid_t leader = spawn(lead_family), stranger, pids[3];
	struct members_run run = run_of(leader, true);

	(void)context;
	for (int i = 0; i < 3; i++)
		pids[i] = hear_pid();
	stranger = spawn(live);
	(void)hear_pid();
	atomic_store(&ledger->pids[0], leader);
	assert_int_equal(mark(&run), 3);
	for (int i = 0; i < 3; i++) {
		assert_true(is_marked(pids[i]));
		assert_true(members_has(&run, pids[i]));
	}
	assert_false(is_marked(stranger));
	assert_false(members_has(&run, stranger));
	assert_false(members_has(&run, getpid()));
	assert_int_equal(members_signal(&members, 0), 3);
}

static void test_family_of_a_dead_leader_then_its_session_names_the_rest(void **context)
{
	pid_t leader = spawn(lead_family);
	struct members_run run = run_of(leader, false);
	int fd;

	(void)context;
	for (int i = 0; i < 3; i++)
		(void)hear_pid();
	kill(leader, SIGKILL);
	wait_dead(leader); /* not reaped yet: that makes no difference */
	assert_int_equal(mark(&run), 2);
	fd = members_open_one(&members);
	assert_true(fd >= 0);
	close(fd);
	assert_true(members_group_exists(leader));
}

static void test_number_of_the_leader_given_away_then_nobody_belongs_to_it(void **context)
{
	pid_t somebody = spawn(lead_family);
	struct members_run run = run_of(somebody, false); /* as if that had been the leader's */

	(void)context;
	for (int i = 0; i < 3; i++)
		(void)hear_pid();
	assert_int_equal(mark(&run), 0);
	assert_false(members_has(&run, somebody));
	assert_int_equal(members_open_one(&members), -1);
}

static void exec_sleep_marked(const char *variable)
{
	static char sleep_word[] = "sleep", long_word[] = "1000";
	char *text = strdup(variable), *arguments[] = {sleep_word, long_word, NULL},
	     *environment[] = {text, NULL};

	(void)execvpe("sleep", arguments, environment);
	_exit(127);
}

static void be_stray(void)
{
	setsid();
	exec_sleep_marked("SUPERVISORD_RUN=" MARK);
}

static void be_stray_of_another_run(void)
{
	setsid();
	exec_sleep_marked("SUPERVISORD_RUN=web:2:00000000000000aa");
}

static void wait_exec(pid_t pid)
{
	char name[PROCSTAT_NAME] = "";

	for (int i = 0; i < 10000 && strcmp(name, "sleep") != 0; i++) {
		usleep(1000);
		(void)procstat_read_name(pid, name);
	}
	assert_string_equal(name, "sleep");
}

static void test_stray_then_its_mark_tells_whose_it_is(void **context)
{
	pid_t stray = spawn(be_stray), other = spawn(be_stray_of_another_run);
	struct members_run run = run_of(0, false);

	(void)context;
	wait_exec(stray);
	wait_exec(other);
	assert_int_equal(mark(&run), 1);
	assert_true(is_marked(stray));
	assert_true(members_has(&run, stray));
	assert_false(members_has(&run, other));
	/* The main process of a row has its mark, and is that row's. */
	atomic_store(&ledger->pids[1], stray);
	assert_int_equal(mark(&run), 0);
	assert_false(members_has(&run, stray));
}

static void test_linger_then_it_is_told_by_a_child_that_nobody_knows(void **context)
{
	pid_t first = spawn(live), second = spawn(live);

	(void)context;
	(void)hear_pid();
	(void)hear_pid();
	atomic_store(&ledger->pids[0], first);
	assert_true(members_may_linger(ledger, &no_cgroups));
	atomic_store(&ledger->pids[1], second);
	assert_false(members_may_linger(ledger, &no_cgroups));
	atomic_store(&ledger->pids[1], 0);
	atomic_store(&ledger->header.logger_pid, second);
	assert_false(members_may_linger(ledger, &no_cgroups));
	atomic_store(&ledger->header.logger_pid, 0);
}

static void *live_on(void *argument)
{
	(void)argument;
	live();
	return NULL;
}

static void end_first_thread(void)
{
	pthread_t thread;

	setsid();
	if (pthread_create(&thread, NULL, live_on, NULL) == 0)
		pthread_exit(NULL);
}

static void test_first_thread_has_ended_then_the_process_still_counts(void **context)
{
	pid_t pid = spawn(end_first_thread);
	struct members_run run = run_of(pid, true);
	struct procstat stat = {0};

	(void)context;
	(void)hear_pid();
	for (int i = 0; i < 10000 && stat.state != 'Z'; i++) {
		usleep(1000);
		assert_true(procstat_read(pid, &stat));
	}
	assert_int_equal(stat.state, 'Z');
	assert_true(procstat_is_alive(&stat));
	assert_int_equal(mark(&run), 1);
	kill(pid, SIGKILL);
	wait_dead(pid);
	assert_true(procstat_read(pid, &stat));
	assert_false(procstat_is_alive(&stat));
	assert_int_equal(mark(&run), 0);
}

static void test_name_with_anything_in_it_then_it_can_be_printed(void **context)
{
	char name[PROCSTAT_NAME], own[PROCSTAT_NAME];

	(void)context;
	prctl(PR_GET_NAME, own);
	prctl(PR_SET_NAME, "a b\x01\n\xff.");
	assert_true(procstat_read_name(getpid(), name));
	prctl(PR_SET_NAME, own);
	assert_string_equal(name, "a b???.");
	assert_false(procstat_read_name(0, name));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_family_of_a_live_leader_then_all_belong_to_it),
	    TEST(test_family_of_a_dead_leader_then_its_session_names_the_rest),
	    TEST(test_number_of_the_leader_given_away_then_nobody_belongs_to_it),
	    TEST(test_stray_then_its_mark_tells_whose_it_is),
	    TEST(test_linger_then_it_is_told_by_a_child_that_nobody_knows),
	    TEST(test_first_thread_has_ended_then_the_process_still_counts),
	    TEST(test_name_with_anything_in_it_then_it_can_be_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
