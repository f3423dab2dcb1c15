/* SPDX-License-Identifier: ISC */
/*
 * run_test.c: runs of real processes.  The test process is the guardian (subreaper, reaper, writer
 * of exits), and each test's body runs as the engine in a child of it: what it finds wrong it says
 * and ends with 1.  Most bodies run twice, with a cgroup a row and without.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisord/engine/engine.h"
#include "supervisord/engine/run.h"

#define PATIENCE_MS 20000
#define ROWS        4

static struct ledger *ledger;
static bool with_cgroups;

/* Of the engine, in its process. */
static struct engine engine;
static struct config config;
static struct program_config program_config;
static struct ids ids;
static struct run runs[ROWS];
static int changes;
static int said[2]; /* what the programs say comes here */

/* ---- the guardian ---- */

static int set_up_group(void **context)
{
	int fd;

	(void)context;
	if (ledger_create(&fd, &ledger) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return -1;
	close(fd);
	ledger->header.guardian_pid = getpid();
	ledger->header.nonce = (uint64_t)time(NULL) << 24 | (uint64_t)getpid();
	ledger->header.nofile_soft = ledger->header.nofile_hard = 512;
	return 0;
}

/* As guardian/reap.c: look, post, reap. */
static bool reap_one(pid_t engine_pid, int *engine_status)
{
	siginfo_t info = {0};
	int row, status;

	if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) < 0)
		return false;
	row = ledger_find_pid(ledger, info.si_pid);
	if (row >= 0) {
		struct ledger_exit end = {
		    .run = atomic_load(&ledger->table[row].run),
		    .pid = info.si_pid,
		    .wstatus = info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status,
		};

		ledger_post_exit(ledger, row, &end);
	}
	if (waitpid(info.si_pid, &status, 0) == engine_pid)
		*engine_status = status;
	return true;
}

static void kill_children(void)
{
	char path[64];
	FILE *file;
	int pid;

	(void)snprintf(
	    path, sizeof(path), "/proc/%d/task/%d/children", (int)getpid(), (int)getpid());
	file = fopen(path, "re");
	while (file != NULL && fscanf(file, "%d", &pid) == 1)
		kill(pid, SIGKILL);
	if (file != NULL)
		fclose(file);
}

static void set_up_engine(void);

/* Run a test's body as the engine, and be the guardian for it. */
static void with_engine(void (*body)(void))
{
	int status = -1;
	pid_t pid;

	for (int row = 0; row < ROWS; row++) {
		struct ledger_state state = {0};
		char name[16];

		(void)snprintf(name, sizeof(name), "row%d", row);
		ledger_free_row(ledger, row);
		assert_int_equal(ledger_claim_row(ledger, name, NULL, &state, NULL, NULL), row);
		atomic_store(&ledger->pids[row], 0);
	}
	pid = fork();
	if (pid == 0) {
		set_up_engine();
		body();
		_exit(0);
	}
	assert_true(pid > 0);
	atomic_store(&ledger->header.engine_pid, pid);
	while (status == -1 && reap_one(pid, &status))
		;
	while (kill_children(), reap_one(pid, &status))
		;
	assert_int_equal(status, 0);
}

static void both_ways(void (*body)(void))
{
	with_cgroups = false;
	with_engine(body);
	with_cgroups = true;
	with_engine(body);
}

/* ---- the engine ---- */

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			(void)fprintf(stderr, "%s:%d: %s: not true: %s\n", __FILE__, __LINE__,     \
			    with_cgroups ? "with cgroups" : "without cgroups", #condition);        \
			give_up();                                                                 \
		}                                                                                  \
	} while (0)

/* Wait until it is true, for a while. */
#define CHECK_SOON(condition)                                                                      \
	do {                                                                                       \
		for (int ms = 0; ms < PATIENCE_MS && !(condition); ms++)                           \
			usleep(1000);                                                              \
		CHECK(condition);                                                                  \
	} while (0)

static void give_up(void)
{
	_exit(1);
}

static void note_change(struct run *run)
{
	(void)run;
	changes++;
}

static void set_up_engine(void)
{
	static char name[] = "program", directory[] = "/", user[] = "root", run_dir[] = "/run/x";
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	CHECK(launch_init() == 0);
	engine.ledger = ledger;
	engine.loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	engine.config = &config;
	config.settings.key_run_dir = run_dir;
	program_config =
	    (struct program_config){.name = name, .key_directory = directory, .key_umask = 022};
	ids = (struct ids){.user = user, .home = directory, .shell = directory};
	if (with_cgroups)
		(void)unsetenv("SUPERVISORD_NO_CGROUP");
	else
		(void)setenv("SUPERVISORD_NO_CGROUP", "1", 1);
	cgroups_init(&engine.cgroups, ledger->header.nonce);
	if (with_cgroups && engine.cgroups.base < 0) {
		(void)fprintf(stderr, "no cgroups: %s\n", engine.cgroups.reason);
		_exit(0);
	}
	CHECK(pipe2(said, O_CLOEXEC) == 0);
	for (int row = 0; row < ROWS; row++)
		runs[row] = (struct run){
		    .engine = &engine, .kind = RUN_PROGRAM, .row = row, .on_change = note_change};
}

static void launch(int row, uint64_t number, const char *script)
{
	static char sh[] = "/bin/sh", option[] = "-c";
	char *text = strdup(script), *words[] = {sh, option, text, NULL};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const struct launch_request request = {
	    .config = &program_config,
	    .ids = &ids,
	    .name = "program",
	    .words = words,
	    .run = number,
	    .streams = {null, said[1], STDERR_FILENO},
	};

	CHECK(run_launch(&runs[row], &request) == 0);
	close(null);
	free(text);
}

/* The next line that a program says, as a number. */
static int hear(void)
{
	char line[32];
	size_t length = 0;

	while (length < sizeof(line) - 1 && read(said[0], line + length, 1) == 1 &&
	       line[length] != '\n')
		length++;
	line[length] = '\0';
	return atoi(line);
}

static bool is_alive(pid_t pid)
{
	return kill(pid, 0) == 0;
}

static bool is_gone(int row, size_t *ret_left)
{
	run_end_round(&engine); /* each look is a new one */
	return run_is_gone(&runs[row], false, ret_left);
}

static void kill_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	run_end_round(&engine);
	run_kill(timer->data, NULL);
	changes++;
}

/* As an engine does: KILL, look, and look again when the run tells that something has changed; and
 * KILL again from time to time, for what was being forked while all processes were looked at. */
static void kill_all(int row)
{
	struct ev_timer again;

	run_end_round(&engine);
	run_kill(&runs[row], NULL);
	ev_timer_init(&again, kill_again, 0.2, 0.2);
	again.data = &runs[row];
	ev_timer_start(engine.loop, &again);
	for (;;) {
		changes = 0;
		if (is_gone(row, NULL))
			break;
		while (changes == 0)
			ev_run(engine.loop, EVRUN_ONCE);
	}
	ev_timer_stop(engine.loop, &again);
	run_end_round(&engine);
}

/* What everything ends with: nothing is left, and the leaf goes. */
static void clean_up(int row)
{
	kill_all(row);
	run_release(&runs[row]);
	CHECK(cgroup_is_populated(&engine.cgroups, row, ledger->table[row].name) == -ENOENT);
	cgroups_remove(&engine.cgroups);
}

/* ---- launch and end ---- */

static void body_launch(void)
{
	pid_t pid;

	ledger->exits[0].run = 1; /* of the run before, acted on and not cleared */
	atomic_store(&ledger->exited[0], 1);
	launch(0, 2, "echo $$; exec sleep 1000");
	pid = hear();
	CHECK(run_pid(&runs[0]) == pid);
	CHECK(ledger_next_exit(ledger, 0) == -1);
	CHECK(!run_has_group(&runs[0]));
	CHECK(!is_gone(0, NULL));
	CHECK(run_signal_main(&runs[0], SIGTERM) == 0);
	CHECK_SOON(ledger_next_exit(ledger, 0) == 0);
	CHECK(ledger->exits[0].run == 2);
	CHECK(ledger->exits[0].wstatus == SIGTERM);
	CHECK(run_pid(&runs[0]) == 0);
	CHECK(run_signal_main(&runs[0], SIGTERM) == -ESRCH);
	CHECK_SOON(is_gone(0, NULL));
	clean_up(0);
}

static void test_launch_then_its_end_is_posted_under_its_number(void **context)
{
	(void)context;
	both_ways(body_launch);
}

static void body_no_process(void)
{
	static char nowhere[] = "%{nonsense}";

	program_config.key_directory = nowhere;
	{
		static char word[] = "true";
		char *words[] = {word, NULL};
		const struct launch_request request = {.config = &program_config,
		    .ids = &ids,
		    .name = "program",
		    .words = words,
		    .run = 1,
		    .streams = {0, 1, 2}};

		CHECK(run_launch(&runs[0], &request) == -EINVAL);
	}
	CHECK(atomic_load(&ledger->table[0].failure.step) == LAUNCH_PREPARE);
	CHECK(atomic_load(&ledger->table[0].failure.error) == EINVAL);
	CHECK(run_pid(&runs[0]) == 0);
	CHECK(is_gone(0, NULL));
	clean_up(0);
}

static void test_launch_that_makes_no_process_then_the_row_says_why(void **context)
{
	(void)context;
	both_ways(body_no_process);
}

/* The leader ends on TERM; its child ignores it; a grandchild has a session and an environment of
 * its own and ignores it, too. */
#define STUBBORN                                                                                   \
	"sh -c 'trap \"\" TERM; echo $$; while :; do sleep 1000; done' & "                         \
	"env -i PATH=\"$PATH\" setsid sh -c 'trap \"\" TERM; echo $$; while :; do sleep 1000; "    \
	"done' & "                                                                                 \
	"wait"

static void body_stubborn(void)
{
	pid_t first, second;
	size_t left = 0;
	char text[256];

	launch(0, 1, STUBBORN);
	first = hear();
	second = hear();
	CHECK(!is_gone(0, &left));
	CHECK(left == 1);
	CHECK(run_reaches_all(&runs[0]) == with_cgroups);
	run_signal(&runs[0], SIGTERM, RUN_ALL);
	CHECK_SOON(run_pid(&runs[0]) == 0);
	CHECK(run_has_leftovers(&runs[0]));
	run_end_round(&engine);
	CHECK(run_is_gone(&runs[0], true, &left)); /* kill_mode = process */
	CHECK(left == 0);
	CHECK(!is_gone(0, &left));
	CHECK(left >= 2);
	run_left_text(&runs[0], text, sizeof(text));
	CHECK(strstr(text, "sh (") != NULL && strstr(text, ", ") != NULL);
	CHECK(strlen(run_left_text(&runs[0], text, 20)) < 20);
	CHECK(is_alive(first) && is_alive(second));
	kill_all(0);
	CHECK_SOON(!is_alive(first) && !is_alive(second));
	CHECK(!run_has_leftovers(&runs[0]));
	clean_up(0);
}

static void test_stop_of_the_stubborn_then_gone_means_all(void **context)
{
	(void)context;
	with_cgroups = true;
	with_engine(body_stubborn);
}

/* The same without cgroups, where an environment of its own would hide it once its parent is gone.
 */
static void body_marked(void)
{
	pid_t stray;

	launch(
	    0, 7, "setsid sh -c 'trap \"\" TERM; echo $$; while :; do sleep 1000; done' & exit 0");
	stray = hear();
	CHECK_SOON(run_pid(&runs[0]) == 0);
	CHECK(run_has_leftovers(&runs[0]));
	CHECK(!is_gone(0, NULL));
	CHECK(run_has_member(&runs[0], stray));
	CHECK(!run_has_member(&runs[1], stray));
	CHECK(!run_has_member(&runs[0], getpid()));
	CHECK(!run_has_member(&runs[0], ledger->header.guardian_pid));
	kill_all(0);
	CHECK_SOON(!is_alive(stray));
	CHECK(!run_has_member(&runs[0], stray));
	clean_up(0);
}

static void test_stray_then_it_belongs_to_the_run_and_to_no_other(void **context)
{
	(void)context;
	both_ways(body_marked);
}

/* Row 1 has leftovers, and row 0 is gone all the same. */
static void body_neighbours(void)
{
	launch(1, 1, "setsid sleep 1000 & echo; exit 0");
	(void)hear();
	launch(0, 1, "exit 0");
	CHECK_SOON(run_pid(&runs[0]) == 0 && run_pid(&runs[1]) == 0);
	CHECK_SOON(is_gone(0, NULL));
	CHECK(!is_gone(1, NULL));
	run_end_round(&engine);
	run_kill(&runs[0], NULL);
	CHECK(!is_gone(1, NULL));
	clean_up(0);
	clean_up(1);
}

static void test_leftovers_of_another_then_this_one_is_gone(void **context)
{
	(void)context;
	both_ways(body_neighbours);
}

/* What kill_mode = process leaves behind is not of the next run. */
static void body_left_alone(void)
{
	pid_t old, now;

	launch(0, 1, "setsid sleep 1000 & echo $!; exit 0");
	old = hear();
	CHECK_SOON(run_pid(&runs[0]) == 0);
	launch(0, 2, "echo $$; exec sleep 1000");
	now = hear();
	CHECK(run_has_member(&runs[0], now));
	CHECK(!run_has_member(&runs[0], old));
	kill_all(0);
	CHECK(!is_alive(now));
	CHECK(is_alive(old));
	kill(old, SIGKILL);
	CHECK_SOON(!is_alive(old));
	clean_up(0);
}

static void test_left_alone_then_it_is_not_of_the_next_run(void **context)
{
	(void)context;
	both_ways(body_left_alone);
}

/* The main process has left the leaf, as it may do as root; it is found by other means. */
static void body_moved(void)
{
	pid_t pid, child;
	char path[64];
	FILE *file;

	launch(0, 1, "sleep 1000 & echo $$; echo $!; wait");
	pid = hear();
	child = hear();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/../cgroup.procs", engine.cgroups.base);
	file = fopen(path, "we");
	CHECK(file != NULL && fprintf(file, "%d\n", (int)pid) > 0 && fclose(file) == 0);
	CHECK(!cgroups_hold(&engine.cgroups, pid) && cgroups_hold(&engine.cgroups, child));
	CHECK(run_has_member(&runs[0], pid) && run_has_member(&runs[0], child));
	run_signal(&runs[0], SIGTERM, RUN_ALL);
	CHECK_SOON(run_pid(&runs[0]) == 0);
	CHECK_SOON(is_gone(0, NULL));
	CHECK_SOON(!is_alive(child)); /* a zombie until the guardian has reaped it */
	clean_up(0);
}

static void test_moved_out_of_its_leaf_then_it_is_signalled_all_the_same(void **context)
{
	(void)context;
	with_cgroups = true;
	with_engine(body_moved);
}

/* ---- another main process ---- */

static void body_forking(void)
{
	pid_t main_pid;

	launch(0, 1, "setsid sh -c 'sleep 1000 & echo $$; wait' & exit 0");
	main_pid = hear();
	CHECK_SOON(run_pid(&runs[0]) == 0);
	CHECK_SOON((run_end_round(&engine), run_find_main(&runs[0])) == main_pid);
	CHECK(run_set_main(&runs[0], main_pid, RUN_NO_VOUCHER) == 0);
	CHECK(run_pid(&runs[0]) == main_pid);
	CHECK(!is_gone(0, NULL));
	CHECK(run_set_main(&runs[0], main_pid, RUN_NO_VOUCHER) == 0);
	/* The command's end is still unread: whoever reads it sees that it is not of this one. */
	CHECK(ledger_next_exit(ledger, 0) == 0);
	ledger_clear_exit(ledger, 0);
	CHECK(run_signal_main(&runs[0], SIGKILL) == 0);
	CHECK_SOON(ledger_next_exit(ledger, 0) == 0);
	CHECK(ledger->exits[0].pid == main_pid && ledger->exits[0].run == 1);
	CHECK(ledger->exits[0].wstatus == SIGKILL);
	CHECK(!is_gone(0, NULL)); /* the sleep of its session */
	clean_up(0);
}

static void test_forked_main_then_its_end_is_posted(void **context)
{
	(void)context;
	both_ways(body_forking);
}

static void body_several(void)
{
	pid_t grandchild, other;

	launch(0, 1, "sleep 1001 & sleep 1002 & echo; exit 0");
	(void)hear();
	CHECK_SOON(run_pid(&runs[0]) == 0);
	run_end_round(&engine);
	CHECK(run_find_main(&runs[0]) == 0); /* which of the two? */
	launch(1, 1, "sleep 1003 & echo $!; wait");
	grandchild = hear();
	launch(2, 1, "echo $$; exec sleep 1004");
	other = hear();
	CHECK(run_set_main(&runs[1], grandchild, RUN_NO_VOUCHER) == -ECHILD);
	CHECK(run_set_main(&runs[1], other, RUN_NO_VOUCHER) == -EPERM);
	CHECK(run_set_main(&runs[1], 0, RUN_NO_VOUCHER) == -ESRCH);
	CHECK(run_set_main(&runs[1], -1, RUN_NO_VOUCHER) == -ESRCH);
	CHECK(run_set_main(&runs[1], getpid(), RUN_NO_VOUCHER) == -EPERM);
	kill(other, SIGKILL);
	CHECK_SOON(!is_alive(other));
	CHECK(run_set_main(&runs[1], other, RUN_NO_VOUCHER) == -ESRCH);
	CHECK(run_pid(&runs[1]) != 0);
	for (int row = 2; row >= 0; row--)
		clean_up(row);
}

static void test_wrong_main_then_it_is_refused(void **context)
{
	(void)context;
	both_ways(body_several);
}

/* A daemon that has left its session and has another environment now, as nginx has. */
static void body_vouched(void)
{
	struct ledger_state state = *ledger_get_state(ledger, 1);
	pid_t bare, marked;

	launch(0, 1, "setsid env -i sh -c 'echo $$; exec sleep 1005' & exit 0");
	bare = hear();
	CHECK_SOON(run_pid(&runs[0]) == 0);
	/* What began before a run is none of its processes, whoever says so. */
	state.run_start_ns = clock_boot_ns() + NS_PER_S;
	ledger_commit_state(ledger, 1, &state);
	CHECK(run_set_main(&runs[1], bare, 0) == -EPERM);
	CHECK(run_set_main(&runs[1], bare, RUN_NO_VOUCHER) == -EPERM);
	if (!with_cgroups) {
		CHECK(run_set_main(&runs[0], bare, RUN_NO_VOUCHER) == -EPERM);
		CHECK(run_set_main(&runs[0], bare, geteuid() + 1) == -EPERM);
	}
	/* One that bears the mark of a run can be of no other one. */
	launch(2, 1, "setsid sh -c 'echo $$; exec sleep 1006' & exit 0");
	marked = hear();
	CHECK_SOON(run_pid(&runs[2]) == 0);
	CHECK(run_set_main(&runs[0], marked, geteuid()) == -EPERM);

	CHECK(run_set_main(&runs[0], bare, geteuid()) == 0);
	CHECK(run_pid(&runs[0]) == bare);
	ledger_clear_exit(ledger, 0);
	CHECK(run_signal_main(&runs[0], SIGKILL) == 0);
	CHECK_SOON(ledger_next_exit(ledger, 0) == 0);
	CHECK(ledger->exits[0].pid == bare && ledger->exits[0].wstatus == SIGKILL);
	for (int row = 2; row >= 0; row--)
		clean_up(row);
}

static void test_vouched_main_then_it_is_believed_only_if_nothing_speaks_against_it(void **context)
{
	(void)context;
	both_ways(body_vouched);
}

/* MAINPID= of a new process, and the old one goes: now, later, or just then. */
static void body_handover(void)
{
	for (int round = 0; round < 60; round++) {
		pid_t old, new;
		char script[160];

		/* The child becomes the guardian's by a parent in between that ends. */
		(void)snprintf(script, sizeof(script), "sh -c 'sleep 1000 & echo $!'; echo $$; %s",
		    round % 3 == 0 ? "exit 3" : "sleep 1000");
		launch(0, (uint64_t)round + 1, script);
		new = hear();
		old = hear();
		if (round % 3 == 1)
			kill(old, SIGKILL);
		if (round % 6 == 0)
			usleep((useconds_t)round * 20);
		int error = run_set_main(&runs[0], new, RUN_NO_VOUCHER);

		CHECK(error == 0);
		CHECK(run_pid(&runs[0]) == new);
		if (round % 3 == 2)
			kill(old, SIGKILL);
		CHECK_SOON(!is_alive(old));
		/* Whatever there was of the old one: the row is the new one's. */
		CHECK(run_pid(&runs[0]) == new);
		ledger_clear_exit(ledger, 0);
		kill(new, SIGTERM);
		CHECK_SOON(ledger_next_exit(ledger, 0) == 0);
		CHECK(ledger->exits[0].pid == new &&run_pid(&runs[0]) == 0);
		kill_all(0);
		ledger_clear_exit(ledger, 0);
	}
	clean_up(0);
}

static void test_handover_then_the_row_is_the_new_ones(void **context)
{
	(void)context;
	both_ways(body_handover);
}

/* The new one ends while it is made the main one: then there is either no main one, or news. */
static void body_short_lived(void)
{
	for (int round = 0; round < 150; round++) {
		pid_t new;
		int error;

		launch(0, (uint64_t)round + 1, "sh -c 'sleep 1000 & echo $!'; exit 0");
		new = hear();
		CHECK_SOON(run_pid(&runs[0]) == 0);
		ledger_clear_exit(ledger, 0);
		if (fork() == 0) {
			usleep((useconds_t)(round * 7 % 400));
			kill(new, SIGKILL);
			_exit(0);
		}
		usleep((useconds_t)(round * 11 % 300));
		error = run_set_main(&runs[0], new, RUN_NO_VOUCHER);
		CHECK(error == 0 || error == -ESRCH || error == -EPERM);
		CHECK_SOON(!is_alive(new));
		CHECK_SOON(run_pid(&runs[0]) == 0);
		if (error == 0)
			CHECK_SOON(ledger_next_exit(ledger, 0) == 0 && ledger->exits[0].pid == new);
		ledger_clear_exit(ledger, 0);
		while (waitpid(-1, NULL, 0) > 0)
			;
		CHECK_SOON(is_gone(0, NULL));
	}
	clean_up(0);
}

static void test_main_that_ends_meanwhile_then_it_is_posted_or_not_taken(void **context)
{
	(void)context;
	both_ways(body_short_lived);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_launch_then_its_end_is_posted_under_its_number),
	    cmocka_unit_test(test_launch_that_makes_no_process_then_the_row_says_why),
	    cmocka_unit_test(test_stop_of_the_stubborn_then_gone_means_all),
	    cmocka_unit_test(test_stray_then_it_belongs_to_the_run_and_to_no_other),
	    cmocka_unit_test(test_leftovers_of_another_then_this_one_is_gone),
	    cmocka_unit_test(test_left_alone_then_it_is_not_of_the_next_run),
	    cmocka_unit_test(test_moved_out_of_its_leaf_then_it_is_signalled_all_the_same),
	    cmocka_unit_test(test_forked_main_then_its_end_is_posted),
	    cmocka_unit_test(test_wrong_main_then_it_is_refused),
	    cmocka_unit_test(
		test_vouched_main_then_it_is_believed_only_if_nothing_speaks_against_it),
	    cmocka_unit_test(test_handover_then_the_row_is_the_new_ones),
	    cmocka_unit_test(test_main_that_ends_meanwhile_then_it_is_posted_or_not_taken),
	};

	return cmocka_run_group_tests(tests, set_up_group, NULL);
}
