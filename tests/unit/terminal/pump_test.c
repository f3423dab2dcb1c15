/* SPDX-License-Identifier: ISC */
/*
 * From a terminal to the output, with deaths in between: a child pumps and is killed at any moment,
 * another one goes on, and every byte has arrived once.  And each step, as it may have been left.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/ttylink.h"
#include "supervisord/terminal/pump.h"

struct world {
	struct terminal terminal;
	int slave;
	int read_end; /* of the output */
};

static void put_at(int fd, int number)
{
	assert_true(fd >= 0);
	if (fd == number)
		return;
	assert_int_equal(dup2(fd, number), number);
	close(fd);
}

static int set_up(void **ret_world)
{
	struct world *world = calloc(1, sizeof(*world));
	int ends[2], low = 20, unlocked = 0, fd;
	char path[32];

	assert_non_null(world);
	/* Above those that the relay has. */
	fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, TIOCSPTLCK, &unlocked), 0);
	world->slave = fcntl(ioctl(fd, TIOCGPTPEER, O_RDWR | O_NOCTTY), F_DUPFD, low);
	put_at(fcntl(fd, F_DUPFD, low), FD_TTY_MASTER);
	assert_int_equal(pipe(ends), 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
	fd = open(path, O_RDWR | O_NONBLOCK);
	assert_true(fd >= 0);
	put_at(fcntl(fd, F_DUPFD, low), FD_TTY_PIPE);
	put_at(fcntl(memfd_create("state", 0), F_DUPFD, low), FD_TTY_STATE);
	assert_int_equal(pipe(ends), 0);
	world->read_end = fcntl(ends[0], F_DUPFD, low);
	world->terminal.output = fcntl(ends[1], F_DUPFD, low);
	assert_int_equal(fcntl(world->read_end, F_SETFL, O_NONBLOCK), 0);
	world->terminal.epoll = -1;
	assert_int_equal(state_open(FD_TTY_STATE, &world->terminal.state), 0);
	*ret_world = world;
	return 0;
}

static int tear_down(void **world)
{
	munmap(((struct world *)*world)->terminal.state, sizeof(struct state));
	free(*world);
	for (int fd = 3; fd < 64; fd++)
		close(fd);
	return 0;
}

static void expect_output(struct world *world, const char *text)
{
	char buffer[256];
	ssize_t got = read(world->read_end, buffer, sizeof(buffer));

	assert_int_equal(got, strlen(text));
	assert_memory_equal(buffer, text, (size_t)got);
}

static void expect_ring(const struct state *state, const char *text)
{
	char buffer[256];
	size_t length = strlen(text);

	assert_int_equal(state->total, length);
	assert_int_equal(pump_copy(state, 0, buffer, sizeof(buffer)), length);
	assert_memory_equal(buffer, text, length);
}

static void test_pump_when_a_program_writes_then_log_and_ring_have_it(void **context)
{
	struct world *world = *context;
	struct state *state = world->terminal.state;

	assert_int_equal(pump_run(&world->terminal), PUMP_EMPTY);
	assert_int_equal(write(world->slave, "one\ntwo\n", 8), 8);
	assert_int_equal(pump_run(&world->terminal), PUMP_EMPTY);
	expect_output(world, "one\ntwo\n");
	expect_ring(state, "one\r\ntwo\r\n");
	close(world->slave);
	assert_int_equal(pump_run(&world->terminal), PUMP_HUNG_UP);
}

/* The state as somebody who was killed has left it. */
static void test_pump_when_a_step_was_left_then_it_is_finished(void **context)
{
	struct world *world = *context;
	struct state *state = world->terminal.state;

	/* Right behind the splice. */
	assert_int_equal(write(FD_TTY_PIPE, "a\r\n", 3), 3);
	assert_int_equal(pump_run(&world->terminal), PUMP_EMPTY);
	expect_output(world, "a\n");
	/* Two of five were taken, and nobody wrote that down. */
	memcpy(state->raw, "bc", 2);
	state->level = 5;
	state->raw_length = 0;
	assert_int_equal(write(FD_TTY_PIPE, "de\n", 3), 3);
	state_set_phase(state, PHASE_TAKE);
	assert_int_equal(pump_run(&world->terminal), PUMP_EMPTY);
	expect_output(world, "bcde\n");
	/* All were. */
	memcpy(state->raw, "fg\n", 3);
	state->level = 3;
	state->raw_length = 0;
	state_set_phase(state, PHASE_TAKE);
	assert_int_equal(pump_run(&world->terminal), PUMP_EMPTY);
	expect_output(world, "fg\n");
	/* They were in the ring already. */
	memcpy(state->raw, "h\n", 2);
	state->raw_length = 2;
	memcpy(state->ring + state->total, "h\n", 2);
	state->total += 2;
	state_set_phase(state, PHASE_SHOW);
	assert_int_equal(pump_run(&world->terminal), PUMP_EMPTY);
	expect_output(world, "h\n");
	/* They were in the pipe already. */
	memcpy(state->raw, "i\n", 2);
	state->raw_length = 2;
	memcpy(state->ring + state->total, "i\n", 2);
	state->total += 2;
	assert_int_equal(write(FD_TTY_PIPE, "i\n", 2), 2);
	state_set_phase(state, PHASE_PUT);
	assert_int_equal(pump_run(&world->terminal), PUMP_EMPTY);
	expect_output(world, "i\n");
	/* The last of them had been passed on. */
	state->carry_after = 1;
	state_set_phase(state, PHASE_DRAIN);
	assert_int_equal(write(world->slave, "j", 1), 1);
	assert_int_equal(pump_run(&world->terminal), PUMP_EMPTY);
	expect_output(world, "\rj");
	expect_ring(state, "a\r\nbcde\nfg\nh\ni\nj");
}

static void test_pump_when_the_output_is_appended_to_then_by_writing(void **context)
{
	struct world *world = *context;
	char path[] = "/tmp/pump.XXXXXX", buffer[16];
	int file = mkstemp(path);

	assert_true(file >= 0);
	close(world->terminal.output);
	world->terminal.output = open(path, O_WRONLY | O_APPEND);
	assert_true(world->terminal.output >= 0);
	assert_int_equal(write(world->slave, "one\n", 4), 4);
	assert_int_equal(pump_run(&world->terminal), PUMP_EMPTY);
	assert_int_equal(read(file, buffer, sizeof(buffer)), 4);
	assert_memory_equal(buffer, "one\n", 4);
	close(file);
	assert_int_equal(unlink(path), 0);
}

static void test_ring_when_more_was_said_then_the_last_of_it_is_there(void **context)
{
	struct world *world = *context;
	struct state *state = world->terminal.state;
	char piece[100];

	memset(piece, 'x', sizeof(piece));
	piece[98] = '\r';
	piece[99] = '\n';
	for (size_t i = 0; i < 2 * LIMIT_TTY_RING / sizeof(piece); i++) {
		memcpy(state->raw, piece, sizeof(piece));
		state->raw_length = sizeof(piece);
		state_set_phase(state, PHASE_SHOW);
		assert_int_equal(pump_run(&world->terminal), PUMP_EMPTY);
		while (read(world->read_end, state->put, 64) > 0)
			;
	}
	assert_int_equal(pump_oldest(state), state->total - LIMIT_TTY_RING);
	/* At the beginning of a line. */
	assert_int_equal(pump_replay(state) % sizeof(piece), 0);
	assert_true(pump_replay(state) >= state->total - LIMIT_TTY_REPLAY);
	assert_int_equal(pump_copy(state, state->total - 2, piece, sizeof(piece)), 2);
	assert_memory_equal(piece, "\r\n", 2);
}

/* Pump for ever. */
static void be_a_relay(struct world *world) __attribute__((noreturn));
static void be_a_relay(struct world *world)
{
	for (;;)
		if (pump_run(&world->terminal) < 0)
			_exit(1);
}

#define LINES 20000

static void test_pump_when_it_is_killed_at_any_moment_then_each_byte_arrives_once(void **context)
{
	struct world *world = *context;
	char buffer[4096], line[16];
	long next = 0, digits = 0, kills = 0;
	pid_t writer = fork(), relay = -1;

	assert_true(writer >= 0);
	if (writer == 0) {
		for (int i = 0; i < LINES; i++)
			(void)dprintf(world->slave, "%d\n", i);
		_exit(0);
	}
	while (next < LINES) {
		ssize_t got;
		struct timespec pause = {.tv_nsec = (kills * 7919 % 300) * 1000};

		if (relay < 0) {
			relay = fork();
			if (relay == 0)
				be_a_relay(world);
		}
		(void)nanosleep(&pause, NULL);
		(void)kill(relay, SIGKILL);
		assert_int_equal(waitpid(relay, NULL, 0), relay);
		relay = -1;
		kills++;
		while ((got = read(world->read_end, buffer, sizeof(buffer))) > 0) {
			for (ssize_t i = 0; i < got; i++) {
				assert_true(digits < (long)sizeof(line));
				line[digits++] = buffer[i];
				if (buffer[i] != '\n')
					continue;
				line[digits - 1] = '\0';
				assert_int_equal(atol(line), next);
				next++;
				digits = 0;
			}
		}
	}
	assert_int_equal(waitpid(writer, NULL, 0), writer);
	assert_int_equal(digits, 0);
	assert_true(kills > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_pump_when_a_program_writes_then_log_and_ring_have_it, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_pump_when_a_step_was_left_then_it_is_finished, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_pump_when_the_output_is_appended_to_then_by_writing, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_ring_when_more_was_said_then_the_last_of_it_is_there, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_pump_when_it_is_killed_at_any_moment_then_each_byte_arrives_once, set_up,
		tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
