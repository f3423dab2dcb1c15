/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/demand.h: the loop, the timers and poll(2) are real, the program and
 * its sockets are made up here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <unistd.h>

#include "lib/clock.h"
#include "supervisord/engine/demand.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/programevent.h"
#include "supervisord/engine/sockettable.h"

static char name[] = "lazy", socket_name[] = "http";
static char *socket_names[] = {socket_name, NULL};
static struct socket_config socket_config = {.name = socket_name};
static struct listener listener = {.config = &socket_config};
static struct engine engine;
static struct life_config life;
static const struct program_config config = {.name = name, .life = &life};
static struct program program = {.engine = &engine, .config = &config};
static struct ledger_state state_now;

/* What the world is like, and what was called. */
static struct {
	int fd; /* of the socket; somebody waits when it can be read */
	int error;
	bool connected;
	bool needed;
	unsigned checks;
	unsigned idles;
	unsigned attended;
} world;

int sockets_of_program(struct engine *of, const struct program_config *stanza, int *fds,
    const char **names, size_t *ret_count)
{
	(void)of;
	(void)stanza;
	if (world.error < 0)
		return world.error;
	fds[0] = world.fd;
	names[0] = socket_name;
	*ret_count = 1;
	return 0;
}

void sockettable_each(const struct socket_address *address,
    bool (*each)(void *context, const struct socket_entry *entry), void *context)
{
	const struct socket_entry entry = {.connected = true};

	assert_ptr_equal(address, &listener.address);
	if (world.connected)
		(void)each(context, &entry);
}

const struct ledger_state *program_state(const struct program *of)
{
	(void)of;
	return &state_now;
}

const char *program_name(const struct program *of)
{
	(void)of;
	return name;
}

void program_defer(struct program *of, enum program_pending what)
{
	assert_ptr_equal(of, &program);
	assert_int_equal(what, PENDING_CHECK);
	world.checks++;
}

void program_note_idle(struct program *of)
{
	assert_ptr_equal(of, &program);
	world.idles++;
}

bool engine_is_needed(const struct program *of)
{
	(void)of;
	return world.needed;
}

bool accept_has(const struct program *of)
{
	(void)of;
	return false;
}

void accept_attend(struct program *of)
{
	assert_ptr_equal(of, &program);
	world.attended++;
}

static int fds[2];

static int begin(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	life = (struct life_config){.key_start = START_ON_DEMAND, .key_sockets = socket_names};
	state_now = (struct ledger_state){.state = STATE_WAITING, .wanted = WANTED_UP, .starts = 1};
	engine = (struct engine){.sockets = {.list = &listener, .count = 1}};
	engine.loop = ev_loop_new(EVFLAG_NOENV);
	if (engine.loop == NULL || timers_init(&engine.timers) < 0 || pipe(fds) < 0)
		return -1;
	world.fd = fds[0];
	return 0;
}

static int end(void **state)
{
	(void)state;
	demand_end(&program);
	timers_done(&engine.timers);
	ev_loop_destroy(engine.loop);
	close(fds[0]);
	close(fds[1]);
	return 0;
}

static void somebody_comes(void)
{
	assert_int_equal(write(fds[1], "x", 1), 1);
}

/* What is due now happens. */
static void turn(void)
{
	(void)ev_run(engine.loop, EVRUN_NOWAIT);
}

static void pass(int64_t length_ns)
{
	timers_run(&engine.timers, clock_boot_ns() + length_ns, 100);
}

static void test_somebody_is_there_as_long_as_he_waits(void **state)
{
	(void)state;
	assert_false(demand_is_there(&program));
	somebody_comes();
	assert_true(demand_is_there(&program));
	assert_true(demand_is_there(&program));
	world.error = -EADDRINUSE;
	assert_false(demand_is_there(&program));
}

static void test_program_that_waits_is_checked_once_when_somebody_comes(void **state)
{
	(void)state;
	demand_attend(&program);
	turn();
	assert_int_equal(world.checks, 0);
	somebody_comes();
	turn();
	assert_int_equal(world.checks, 1);
	/* He still waits, and that keeps nobody busy. */
	turn();
	turn();
	assert_int_equal(world.checks, 1);
	/* The decision has seen him, and it may not start yet. */
	assert_true(demand_is_there(&program));
	demand_attend(&program);
	turn();
	assert_int_equal(world.checks, 1);
}

/* Between the decision and the watch. */
static void test_who_came_since_the_decision_is_not_missed(void **state)
{
	(void)state;
	demand_attend(&program);
	somebody_comes();
	demand_attend(&program);
	assert_int_equal(world.checks, 1);
}

static void test_socket_that_cannot_be_opened_is_tried_again(void **state)
{
	(void)state;
	world.error = -EADDRINUSE;
	demand_attend(&program);
	pass(60 * NS_PER_S);
	assert_int_equal(world.checks, 1);
}

static void test_nobody_looks_after_those_that_do_not_wait(void **state)
{
	static const enum state states[] = {
	    STATE_STOPPED, STATE_STARTING, STATE_RUNNING, STATE_BACKOFF, STATE_FATAL};

	(void)state;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		state_now.state = STATE_WAITING;
		demand_attend(&program);
		assert_non_null(program.demand);
		state_now.state = (uint8_t)states[i];
		demand_attend(&program);
		assert_null(program.demand);
	}
	state_now.state = STATE_WAITING;
	engine.safe_mode = true;
	demand_attend(&program);
	assert_null(program.demand);
	engine.safe_mode = false;
	life.key_start = START_NOW;
	demand_attend(&program);
	assert_null(program.demand);
}

static void test_who_takes_connections_himself_is_not_watched_here(void **state)
{
	(void)state;
	life.key_accept = true;
	somebody_comes();
	demand_attend(&program);
	assert_null(program.demand);
	assert_int_equal(world.attended, 1);
	assert_false(demand_is_there(&program));
}

static void test_nobody_is_connected_for_long_enough_then_that_is_noted(void **state)
{
	(void)state;
	state_now.state = STATE_RUNNING;
	life.key_idle_stop = 1;
	demand_attend(&program);
	assert_int_equal(world.idles, 0); /* not within the event */
	pass(NS_PER_S);
	assert_int_equal(world.idles, 1);
}

static void test_who_is_busy_is_not_idle(void **state)
{
	(void)state;
	state_now.state = STATE_RUNNING;
	life.key_idle_stop = NS_PER_S * 3600;
	world.connected = true;
	demand_attend(&program);
	pass(NS_PER_S * 1800);
	pass(NS_PER_S * 1800);
	assert_int_equal(world.idles, 0);
	/* Nor is one that another program needs, or that somebody waits for. */
	world.connected = false;
	world.needed = true;
	life.key_idle_stop = 1;
	pass(NS_PER_S * 7200);
	assert_int_equal(world.idles, 0);
	world.needed = false;
	somebody_comes();
	pass(NS_PER_S * 7200);
	assert_int_equal(world.idles, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_somebody_is_there_as_long_as_he_waits, begin, end),
	    cmocka_unit_test_setup_teardown(
		test_program_that_waits_is_checked_once_when_somebody_comes, begin, end),
	    cmocka_unit_test_setup_teardown(
		test_who_came_since_the_decision_is_not_missed, begin, end),
	    cmocka_unit_test_setup_teardown(
		test_socket_that_cannot_be_opened_is_tried_again, begin, end),
	    cmocka_unit_test_setup_teardown(
		test_nobody_looks_after_those_that_do_not_wait, begin, end),
	    cmocka_unit_test_setup_teardown(
		test_who_takes_connections_himself_is_not_watched_here, begin, end),
	    cmocka_unit_test_setup_teardown(
		test_nobody_is_connected_for_long_enough_then_that_is_noted, begin, end),
	    cmocka_unit_test_setup_teardown(test_who_is_busy_is_not_idle, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
