/* SPDX-License-Identifier: ISC */
/*
 * readiness_test.c: each form of ready, from before the launch to READY, with an engine that is
 * replaced in between; what can never become ready fails; and nothing is left when it is over.
 */
#define _GNU_SOURCE
#include "tests/unit/engine/probeworld.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>

#include "supervisord/engine/readiness.h"

static struct launch_fd extra[LAUNCH_EXTRA];
static size_t extra_count;
static int to_close;
static char target[256];
static bool out_of_memory;

static int set_up(void **context)
{
	int error = world_setup(context);

	world.end = readiness_end;
	extra_count = 0;
	to_close = -1;
	return error;
}

static int tear_down(void **context)
{
	readiness_end(world.program);
	if (to_close >= 0)
		close(to_close);
	return world_teardown(context);
}

static void set_ready(enum check_kind kind, const char *path)
{
	world.life.key_ready = (struct check){.kind = kind, .target = target};
	snprintf(target, sizeof(target), "%s", path);
}

static void prepare(void)
{
	if (to_close >= 0)
		close(to_close);
	assert_int_equal(readiness_prepare(world.program, extra, &extra_count, &to_close), 0);
}

static void launch(void)
{
	prepare();
	readiness_begin(world.program);
	assert_int_equal(world.ready_count + world.fail_count, 0);
}

/* The engine is killed, and another one finds the program STARTING. */
static void replace_engine(void)
{
	int slot = slots_find(
	    &world.engine->slots, held_key(HELD_READY_READ, (uint32_t)world.program->run.row, 0));
	int copy = slot >= 0 ? dup(slots_get_fd(&world.engine->slots, slot)) : -1;

	readiness_end(world.program);
	if (copy >= 0) {
		slot = slots_hold(&world.engine->slots,
		    held_key(HELD_READY_READ, (uint32_t)world.program->run.row, 0), copy);
		assert_true(slot >= 0);
		readiness_adopt(world.program, slot);
	}
	readiness_begin(world.program);
}

static void assert_ready(enum check_kind kind)
{
	world_wait(world_is_ready);
	assert_int_equal(world.ready_count, 1);
	assert_int_equal(world.ready_kind, kind);
	assert_int_equal(world.fail_count, 0);
	assert_null(world.program->readiness);
}

/* Several looks find that it is not. */
static void assert_not_ready(void)
{
	world_pass(5 * world.life.key_ready_interval);
	assert_int_equal(world.ready_count, 0);
	assert_int_equal(world.fail_count, 0);
}

static bool is_fd_held(void)
{
	return slots_find(&world.engine->slots,
		   held_key(HELD_READY_READ, (uint32_t)world.program->run.row, 0)) >= 0;
}

static void test_begin_when_there_is_nothing_to_look_at_then_costs_nothing(void **context)
{
	(void)context;
	launch();
	assert_null(world.program->readiness);
	world.life.key_ready.kind = CHECK_NOTIFY;
	launch();
	assert_null(world.program->readiness);
	assert_int_equal(world.engine->timers.count, 0);
	assert_int_equal(extra_count, 0);
}

static void test_tcp_when_it_listens_then_ready(void **context)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)context;
	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	set_ready(CHECK_TCP, "");
	snprintf(target, sizeof(target), "localhost:%d", ntohs(address.sin_port));
	launch();
	assert_not_ready();
	replace_engine();
	assert_not_ready();
	assert_int_equal(listen(fd, 5), 0);
	assert_ready(CHECK_TCP);
	close(fd);
}

static void test_begin_when_called_again_then_nothing_changes(void **context)
{
	const struct readiness *readiness;

	(void)context;
	set_ready(CHECK_FILE, world_path("f"));
	launch();
	assert_not_ready();
	readiness = world.program->readiness;
	/* A new stanza: its form of ready is for the next start. */
	world.life.key_ready.kind = CHECK_TCP;
	readiness_begin(world.program);
	assert_ptr_equal(world.program->readiness, readiness);
	assert_not_ready();
	world_write(world_path("f"), "w", "");
	assert_ready(CHECK_FILE);
}

static void test_file_when_an_earlier_run_left_it_then_not_ready_until_it_is_new(void **context)
{
	(void)context;
	world_write(world_path("f"), "w", "");
	set_ready(CHECK_FILE, "%{run_dir}/f");
	launch();
	assert_not_ready();
	replace_engine();
	assert_not_ready();
	assert_int_equal(unlink(world_path("f")), 0);
	world_write(world_path("f"), "w", "");
	assert_ready(CHECK_FILE);
}

static void test_exec_when_it_succeeds_then_ready(void **context)
{
	static char word[] = "true";
	char *words[] = {word, NULL};
	struct task_end end = {.kind = TASK_READY, .launched = true, .wstatus = 1 << 8};

	(void)context;
	world.life.key_ready = (struct check){.kind = CHECK_EXEC, .words = words};
	world.life.key_start_timeout = 2 * NS_PER_S;
	launch();
	for (int i = 1; i <= 3; i++) {
		while (world.task_starts < i)
			world_pass(NS_PER_MS);
		assert_int_equal(world.task_kind, TASK_READY);
		assert_true(world.task_timeout_ns == 2 * NS_PER_S);
		assert_int_equal(world.ready_count, 0);
		world.task_lives = false;
		end.ok = i == 3;
		end.wstatus = i == 3 ? 0 : 1 << 8;
		readiness_note_task(world.program, &end);
	}
	assert_ready(CHECK_EXEC);
}

static void test_end_when_a_command_runs_then_it_is_killed(void **context)
{
	static char word[] = "sleep";
	char *words[] = {word, NULL};

	(void)context;
	world.life.key_ready = (struct check){.kind = CHECK_EXEC, .words = words};
	launch();
	while (world.task_starts == 0)
		world_pass(NS_PER_MS);
	assert_true(world.task_timeout_ns == 5 * NS_PER_S);
	readiness_end(world.program);
	assert_int_equal(world.task_cancels, 1);
	assert_int_equal(world.engine->timers.count, 0);
}

static void test_log_when_a_line_matches_then_ready(void **context)
{
	char archive[96];

	(void)context;
	world_write(world.log, "w", "listening, said the first run\n");
	set_ready(CHECK_LOG, "^listening");
	launch();
	assert_not_ready();
	world_write(world.log, "a", "hello\nnot yet listening\n");
	assert_not_ready();
	snprintf(archive, sizeof(archive), "%s.1", world.log);
	assert_int_equal(rename(world.log, archive), 0);
	replace_engine();
	assert_not_ready();
	world_write(world.log, "w", "listening on port 80\n");
	assert_ready(CHECK_LOG);
}

static void test_log_when_the_line_came_while_no_engine_lived_then_ready(void **context)
{
	(void)context;
	set_ready(CHECK_LOG, "^listening");
	prepare();
	world_write(world.log, "w", "listening\n");
	readiness_begin(world.program);
	assert_ready(CHECK_LOG);
}

static void test_fd_when_a_newline_comes_then_ready(void **context)
{
	(void)context;
	set_ready(CHECK_FD, "");
	world.life.key_ready.fd = 7;
	extra[0] = (struct launch_fd){.fd = 100, .number = 3};
	extra[1] = (struct launch_fd){.fd = 101, .number = 9};
	extra_count = 2;
	launch();
	assert_int_equal(extra_count, 3);
	assert_int_equal(extra[0].number, 3);
	assert_int_equal(extra[1].number, 7);
	assert_int_equal(extra[1].fd, to_close);
	assert_int_equal(extra[2].number, 9);
	/* The program's end is an ordinary one, and nobody else gets it. */
	assert_int_equal(fcntl(to_close, F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(fcntl(to_close, F_GETFD), FD_CLOEXEC);
	assert_true(is_fd_held());
	assert_not_ready();
	assert_int_equal(write(to_close, "not yet", 7), 7);
	assert_not_ready();
	assert_int_equal(write(to_close, "now\n", 4), 4);
	assert_ready(CHECK_FD);
	assert_false(is_fd_held());
}

static void test_fd_when_the_newline_came_while_no_engine_lived_then_ready(void **context)
{
	(void)context;
	set_ready(CHECK_FD, "");
	world.life.key_ready.fd = 3;
	launch();
	assert_not_ready();
	assert_int_equal(write(to_close, "\n", 1), 1);
	close(to_close);
	to_close = -1;
	replace_engine();
	assert_ready(CHECK_FD);
	assert_false(is_fd_held());
}

static void test_fd_when_closed_without_a_newline_then_fails(void **context)
{
	(void)context;
	set_ready(CHECK_FD, "");
	world.life.key_ready.fd = 3;
	launch();
	assert_int_equal(write(to_close, "x", 1), 1);
	close(to_close);
	to_close = -1;
	world_wait(world_has_failed);
	assert_int_equal(world.ready_count, 0);
	assert_int_equal(world.fail_reason, REASON_NOT_READY);
	assert_int_equal(world.fail_detail, EPIPE);
	assert_false(is_fd_held());
}

static void test_fd_when_closed_by_the_end_of_the_program_then_that_is_heard_first(void **context)
{
	(void)context;
	set_ready(CHECK_FD, "");
	world.life.key_ready.fd = 3;
	launch();
	close(to_close);
	to_close = -1;
	/* Its exit comes a little later, and with it: */
	world_pass(50 * NS_PER_MS);
	assert_int_equal(world.fail_count, 0);
	readiness_end(world.program);
	world_pass(600 * NS_PER_MS);
	assert_int_equal(world.fail_count, 0);
}

static void test_fd_when_the_stanza_is_newer_than_the_run_then_fails(void **context)
{
	(void)context;
	set_ready(CHECK_FD, "");
	readiness_begin(world.program);
	assert_int_equal(world.fail_count, 0);
	world_wait(world_has_failed);
	assert_int_equal(world.fail_reason, REASON_NOT_READY);
}

static void test_prepare_when_an_earlier_run_has_a_pipe_then_it_is_released(void **context)
{
	(void)context;
	set_ready(CHECK_FD, "");
	world.life.key_ready.fd = 3;
	prepare();
	assert_true(is_fd_held());
	set_ready(CHECK_TCP, "127.0.0.1:1");
	prepare();
	assert_false(is_fd_held());
	assert_int_equal(to_close, -1);
}

static void test_adopt_when_it_is_not_starting_then_the_pipe_is_released(void **context)
{
	int fds[2], slot;

	(void)context;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	slot = slots_hold(&world.engine->slots,
	    held_key(HELD_READY_READ, (uint32_t)world.program->run.row, 0), fds[0]);
	world_set_state(STATE_RUNNING);
	readiness_adopt(world.program, slot);
	assert_null(world.program->readiness);
	assert_false(is_fd_held());
	close(fds[1]);
}

/* ---- forking --------------------------------------------------------------------------------- */

/* The command has ended with success. */
static void fork_away(const char *pid_file)
{
	static char path[128];

	world.life.key_type = TYPE_FORKING;
	world.pid = 0;
	snprintf(path, sizeof(path), "%s", pid_file);
	if (pid_file[0] != '\0')
		world.life.key_pid_file = path;
	prepare();
	readiness_find_main(world.program);
	assert_int_equal(world.ready_count + world.fail_count, 0);
}

static void test_forking_when_one_process_is_left_then_it_is_the_main_one(void **context)
{
	(void)context;
	fork_away("");
	assert_not_ready();
	world.only_one = world.member = 1234;
	assert_ready(CHECK_NONE);
	assert_int_equal(world.pid, 1234);
}

static void test_forking_when_nothing_is_left_then_fails(void **context)
{
	(void)context;
	fork_away("");
	assert_not_ready();
	world.leftovers = false;
	world_wait(world_has_failed);
	assert_int_equal(world.fail_reason, REASON_NO_MAIN);
	assert_int_equal(world.fail_detail, ESRCH);
}

static void test_forking_when_the_pid_file_names_a_member_then_it_is_the_main_one(void **context)
{
	(void)context;
	world.member = 4321;
	fork_away("%{run_dir}/pid");
	assert_not_ready();
	world_write(world_path("pid"), "w", "4321\n");
	assert_ready(CHECK_NONE);
	assert_int_equal(world.pid, 4321);
}

static void test_forking_when_the_pid_file_is_not_to_be_believed_then_waits(void **context)
{
	static const char *const texts[] = {"", "\n", "abc\n", "4321x", "-4321\n", "4321 4321\n",
	    " 4321", "1\n", "0\n", "99999999999999\n", "4321\n\n",
	    "00000000000000000000000000000000004321\n"};

	(void)context;
	world.member = 4321;
	fork_away(world_path("pid"));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		world_write(world_path("pid"), "w", texts[i]);
		assert_not_ready();
		assert_int_equal(world.set_main_count, 0);
	}
	/* Of an earlier run, say. */
	world_write(world_path("pid"), "w", "4322\n");
	assert_not_ready();
	assert_true(world.set_main_count > 1);
	assert_int_equal(world.pid, 0);
	world_write(world_path("pid"), "w", "4321");
	assert_ready(CHECK_NONE);
}

static void test_forking_when_the_pid_file_is_a_fifo_then_the_engine_does_not_hang(void **context)
{
	(void)context;
	assert_int_equal(mkfifo(world_path("pid"), 0600), 0);
	fork_away(world_path("pid"));
	assert_not_ready();
}

static void test_forking_with_a_check_then_it_follows(void **context)
{
	(void)context;
	set_ready(CHECK_FILE, world_path("f"));
	fork_away("");
	world_write(world_path("f"), "w", "");
	assert_not_ready();
	world.only_one = world.member = 1234;
	assert_ready(CHECK_FILE);
}

static void test_forking_when_an_engine_before_has_found_it_then_only_the_check_is_left(
    void **context)
{
	(void)context;
	world.life.key_type = TYPE_FORKING;
	readiness_begin(world.program);
	assert_int_equal(world.ready_count, 0);
	assert_ready(CHECK_NONE);
	assert_int_equal(world.set_main_count, 0);
}

static void test_forking_when_the_program_has_named_its_main_process_then_that_one_it_is(
    void **context)
{
	(void)context;
	fork_away(world_path("pid"));
	assert_not_ready();
	world.pid = 77; /* MAINPID= */
	assert_ready(CHECK_NONE);
	assert_int_equal(world.set_main_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* The linker makes the engine's calloc() this one. */
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
	return out_of_memory ? NULL : __real_calloc(count, size);
}

static void test_begin_when_out_of_memory_then_fails_in_the_end(void **context)
{
	(void)context;
	set_ready(CHECK_FILE, world_path("f"));
	out_of_memory = true;
	readiness_begin(world.program);
	out_of_memory = false;
	assert_null(world.program->readiness);
	assert_int_equal(world.fail_count, 0); /* not inside of what goes on */
	assert_int_equal(world.deferred, PENDING_UNSEEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_begin_when_there_is_nothing_to_look_at_then_costs_nothing),
	    TEST(test_tcp_when_it_listens_then_ready),
	    TEST(test_begin_when_called_again_then_nothing_changes),
	    TEST(test_file_when_an_earlier_run_left_it_then_not_ready_until_it_is_new),
	    TEST(test_exec_when_it_succeeds_then_ready),
	    TEST(test_end_when_a_command_runs_then_it_is_killed),
	    TEST(test_log_when_a_line_matches_then_ready),
	    TEST(test_log_when_the_line_came_while_no_engine_lived_then_ready),
	    TEST(test_fd_when_a_newline_comes_then_ready),
	    TEST(test_fd_when_the_newline_came_while_no_engine_lived_then_ready),
	    TEST(test_fd_when_closed_without_a_newline_then_fails),
	    TEST(test_fd_when_closed_by_the_end_of_the_program_then_that_is_heard_first),
	    TEST(test_fd_when_the_stanza_is_newer_than_the_run_then_fails),
	    TEST(test_prepare_when_an_earlier_run_has_a_pipe_then_it_is_released),
	    TEST(test_adopt_when_it_is_not_starting_then_the_pipe_is_released),
	    TEST(test_forking_when_one_process_is_left_then_it_is_the_main_one),
	    TEST(test_forking_when_nothing_is_left_then_fails),
	    TEST(test_forking_when_the_pid_file_names_a_member_then_it_is_the_main_one),
	    TEST(test_forking_when_the_pid_file_is_not_to_be_believed_then_waits),
	    TEST(test_forking_when_the_pid_file_is_a_fifo_then_the_engine_does_not_hang),
	    TEST(test_forking_with_a_check_then_it_follows),
	    TEST(test_forking_when_an_engine_before_has_found_it_then_only_the_check_is_left),
	    TEST(test_forking_when_the_program_has_named_its_main_process_then_that_one_it_is),
	    TEST(test_begin_when_out_of_memory_then_fails_in_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
