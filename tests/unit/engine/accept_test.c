/* SPDX-License-Identifier: ISC */
/*
 * accept_test.c: who gets a connection, who waits in the backlog, who is refused, and what the
 * ledger has of one while it is taken; runs are begun in name only.
 */
#include "tests/unit/engine/engineworld.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/clock.h"
#include "lib/ownlog.h"
#include "supervisord/engine/acceptrule.h"
#include "supervisord/engine/peer.h"
#include "supervisord/engine/programevent.h"

#define PROGRAM  "program \"finger\" { command = x accept = true sockets = {\"s\"} "
#define MARKED   1 /* as accept.c marks what is being taken */
#define MAX_RUNS 32

static const char *given[MAX_RUNS]; /* who got one, in that order */
static unsigned given_count;
static uint64_t mark_when_given;
static bool launch_fails;

void __wrap_program_event(struct program *program, enum event event, const struct cause *cause);

static void put(struct program *program, enum state state)
{
	struct ledger_state next = *program_state(program);

	next.state = (uint8_t)state;
	next.wanted = WANTED_UP;
	ledger_commit_state(program->engine->ledger, program->run.row, &next);
	accept_attend(program);
}

/* It is launched, as far as accept.c is concerned. */
void __wrap_program_event(struct program *program, enum event event, const struct cause *cause)
{
	const struct engine *engine = program->engine;
	char *environment[PEER_ENVIRONMENT];
	size_t count = 0;
	int fd = -1;

	assert_ptr_equal(cause, &program_no_cause);
	assert_int_equal(event, EVENT_CHECK);
	assert_true(accept_has(program));
	assert_int_equal(accept_get(program, &fd), 0);
	assert_true(fd >= 0);
	mark_when_given = atomic_load(&engine->ledger->table[program->run.row].ready_mark);
	assert_true(given_count < MAX_RUNS);
	given[given_count++] = program_name(program);
	if (launch_fails)
		return;
	assert_int_equal(accept_tell(program, environment, &count), 0);
	while (count > 0)
		free(environment[--count]);
	put(program, STATE_RUNNING);
}

static void begin(struct engineworld *world, const char *keys)
{
	struct engine *engine = &world->engine;
	char text[1024];

	given_count = 0;
	launch_fails = false;
	unlink(confdir_path("s.sock"));
	snprintf(text, sizeof(text),
	    "socket \"s\" { listen = \"unix:%s/s.sock\" }\n" PROGRAM "%s }\n", confdir, keys);
	engineworld_begin(world, text);
	LIST_INIT(&engine->accepts.list);
	engine->loop = ev_loop_new(EVFLAG_AUTO);
	assert_non_null(engine->loop);
	assert_int_equal(sockets_use(engine), 0);
	for (size_t i = 0; i < engine->program_count; i++)
		put(engine->programs[i], STATE_WAITING);
}

static void end(struct engineworld *world)
{
	accept_done(&world->engine);
	ev_loop_destroy(world->engine.loop);
	sockets_done(&world->engine.sockets);
	engineworld_end(world);
}

static int dial(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(snprintf(address.sun_path, sizeof(address.sun_path), "%s/s.sock", confdir) <
		    (int)sizeof(address.sun_path));
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* A round of the engine: what is put off, a wait, what came. */
static void turn(struct engineworld *world)
{
	accept_settle(&world->engine);
	ev_run(world->engine.loop, EVRUN_NOWAIT);
	accept_settle(&world->engine);
}

static bool is_closed(int fd)
{
	char byte;

	return recv(fd, &byte, 1, 0) == 0;
}

static struct ledger_row *row_of(struct engineworld *world, const char *name)
{
	return &world->engine.ledger->table[engine_find(&world->engine, name)->run.row];
}

static void test_connections_go_to_the_lowest_free_place_until_none_is(void **state)
{
	struct engineworld world;
	int fds[4];

	(void)state;
	begin(&world, "max_connections = 3");
	turn(&world);
	assert_int_equal(given_count, 0);
	for (int i = 0; i < 4; i++)
		fds[i] = dial();
	turn(&world);
	assert_int_equal(given_count, 3);
	assert_string_equal(given[0], "finger@1");
	assert_string_equal(given[1], "finger@2");
	assert_string_equal(given[2], "finger@3");
	/* Marked while it was taken, so that an engine that follows can say so. */
	assert_int_equal(mark_when_given, MARKED);
	assert_int_not_equal(atomic_load(&row_of(&world, "finger@3")->ready_mark), MARKED);
	/* The fourth waits, and gets the place that is free first. */
	turn(&world);
	assert_int_equal(given_count, 3);
	put(engine_find(&world.engine, "finger@2"), STATE_WAITING);
	turn(&world);
	assert_int_equal(given_count, 4);
	assert_string_equal(given[3], "finger@2");
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	end(&world);
}

/* Our copy is closed in any case: a launch that fails ends the connection. */
static void test_launch_that_fails_closes_the_connection(void **state)
{
	struct engineworld world;
	int fd;

	(void)state;
	begin(&world, "max_connections = 2 trigger_limit = 1 trigger_limit_interval = 1h");
	launch_fails = true;
	fd = dial();
	turn(&world);
	assert_int_equal(given_count, 1);
	assert_true(is_closed(fd));
	assert_false(accept_has(engine_find(&world.engine, "finger@1")));
	assert_int_equal(accept_get(engine_find(&world.engine, "finger@1"), &fd), -ECONNABORTED);
	close(fd);
	end(&world);
}

static void test_source_with_too_many_is_refused_and_uses_up_nothing(void **state)
{
	struct engineworld world;
	int fds[4];

	(void)state;
	begin(&world, "max_connections = 3 max_connections_per_source = 1 trigger_limit = 2 "
		      "trigger_limit_interval = 1h");
	ownlog_set_level(OWNLOG_ERROR);
	for (int i = 0; i < 4; i++)
		fds[i] = dial();
	turn(&world);
	assert_int_equal(given_count, 1);
	for (int i = 1; i < 4; i++)
		assert_true(is_closed(fds[i]));
	/* No mark is left where it was refused. */
	assert_int_equal(atomic_load(&row_of(&world, "finger@2")->ready_mark), 0);
	/* When that has ended, there is room again, and of trigger_limit one more. */
	put(engine_find(&world.engine, "finger@1"), STATE_WAITING);
	close(fds[1]);
	fds[1] = dial();
	turn(&world);
	assert_int_equal(given_count, 2);
	ownlog_set_level(OWNLOG_NOTICE);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	end(&world);
}

/* Of a place that has ended nothing counts any more. */
static void test_source_s_connections_that_have_ended_do_not_count(void **state)
{
	struct engineworld world;
	int fds[4];

	(void)state;
	begin(&world, "max_connections = 3 max_connections_per_source = 2");
	for (int i = 0; i < 2; i++)
		fds[i] = dial();
	turn(&world);
	put(engine_find(&world.engine, "finger@1"), STATE_WAITING);
	put(engine_find(&world.engine, "finger@2"), STATE_STOPPED);
	for (int i = 2; i < 4; i++)
		fds[i] = dial();
	turn(&world);
	assert_int_equal(given_count, 4);
	assert_string_equal(given[3], "finger@3");
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	end(&world);
}

/* Everything else has its turn between. */
static void test_many_at_once_are_taken_in_several_turns(void **state)
{
	struct engineworld world;
	int fds[LIMIT_ACCEPT_BATCH + 2];

	(void)state;
	begin(&world, "max_connections = 20");
	accept_settle(&world.engine);
	for (int i = 0; i < LIMIT_ACCEPT_BATCH + 2; i++)
		fds[i] = dial();
	ev_run(world.engine.loop, EVRUN_NOWAIT);
	assert_int_equal(given_count, LIMIT_ACCEPT_BATCH);
	turn(&world);
	assert_int_equal(given_count, LIMIT_ACCEPT_BATCH + 2);
	for (int i = 0; i < LIMIT_ACCEPT_BATCH + 2; i++)
		close(fds[i]);
	end(&world);
}

static void test_trigger_limit_leaves_the_rest_in_the_backlog_until_it_is_over(void **state)
{
	struct engineworld world;
	int fds[3];

	(void)state;
	begin(&world, "max_connections = 8 trigger_limit = 2 trigger_limit_interval = 1h");
	ownlog_set_level(OWNLOG_ERROR);
	for (int i = 0; i < 3; i++)
		fds[i] = dial();
	turn(&world);
	turn(&world);
	assert_int_equal(given_count, 2);
	/* Nothing is watched, so nothing wakes up; its timer does. */
	ev_run(world.engine.loop, EVRUN_NOWAIT);
	assert_false(world.engine.accepts.stale);
	assert_int_equal(world.engine.timers.count, 1);
	timers_run(&world.engine.timers, clock_boot_ns() + 2 * 3600 * NS_PER_S, 8);
	assert_true(world.engine.accepts.stale);
	ownlog_set_level(OWNLOG_NOTICE);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	end(&world);
}

/* Nobody is taken whom nobody would serve. */
static void test_nothing_is_taken_while_no_run_may_begin(void **state)
{
	struct engineworld world;
	struct engine *engine = &world.engine;
	struct program *only;
	int fd;

	(void)state;
	begin(&world, "max_connections = 1");
	only = engine->programs[0];
	fd = dial();
	engine->safe_mode = true;
	turn(&world);
	engine->safe_mode = false;
	atomic_store(&engine->ledger->header.shutdown, 1);
	engine->accepts.stale = true;
	turn(&world);
	atomic_store(&engine->ledger->header.shutdown, 0);
	put(only, STATE_STOPPED);
	turn(&world);
	put(only, STATE_BACKOFF);
	turn(&world);
	only->removed = true;
	put(only, STATE_WAITING);
	turn(&world);
	/* Nobody is left to accept for. */
	assert_true(LIST_EMPTY(&engine->accepts.list));
	only->removed = false;
	assert_int_equal(given_count, 0);
	put(only, STATE_WAITING);
	turn(&world);
	assert_int_equal(given_count, 1);
	close(fd);
	end(&world);
}

/* Between an apply that closes sockets and the next look at them. */
static void test_unwatch_all_then_watched_again_at_the_next_look(void **state)
{
	struct engineworld world;
	int fd;

	(void)state;
	begin(&world, "max_connections = 2");
	turn(&world);
	accept_unwatch_all(&world.engine);
	fd = dial();
	ev_run(world.engine.loop, EVRUN_NOWAIT);
	assert_int_equal(given_count, 0);
	turn(&world);
	assert_int_equal(given_count, 1);
	close(fd);
	end(&world);
}

/* What the engine before this one had in its hands. */
static void test_resume_when_marked_then_the_mark_is_gone(void **state)
{
	struct engineworld world;
	struct program *only;
	_Atomic uint64_t *mark;

	(void)state;
	begin(&world, "max_connections = 1");
	ownlog_set_level(OWNLOG_ERROR);
	only = world.engine.programs[0];
	mark = &world.engine.ledger->table[only->run.row].ready_mark;
	atomic_store(mark, MARKED);
	accept_resume(only);
	assert_int_equal(atomic_load(mark), 0);
	/* Whose run it is stays. */
	atomic_store(mark, ACCEPTRULE_SOURCES);
	accept_resume(only);
	assert_int_equal(atomic_load(mark), ACCEPTRULE_SOURCES);
	ownlog_set_level(OWNLOG_NOTICE);
	end(&world);
}

/* A stop of a hundred places that wait is one line, not a hundred. */
static void test_places_without_a_run_come_and_go_quietly_but_the_first(void **state)
{
	struct engineworld world;
	struct program *first, *second;

	(void)state;
	begin(&world, "max_connections = 2");
	first = engine_find(&world.engine, "finger@1");
	second = engine_find(&world.engine, "finger@2");
	assert_true(accept_is_quiet(second, STATE_STOPPED));
	assert_false(accept_is_quiet(first, STATE_STOPPED));
	put(second, STATE_STOPPING);
	assert_true(accept_is_quiet(second, STATE_WAITING));
	put(second, STATE_STOPPED);
	assert_true(accept_is_quiet(second, STATE_STOPPING));
	/* With a run it is told. */
	put(second, STATE_STOPPING);
	assert_false(accept_is_quiet(second, STATE_RUNNING));
	put(second, STATE_STOPPED);
	assert_false(accept_is_quiet(second, STATE_STOPPING));
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_connections_go_to_the_lowest_free_place_until_none_is),
	    cmocka_unit_test(test_launch_that_fails_closes_the_connection),
	    cmocka_unit_test(test_source_with_too_many_is_refused_and_uses_up_nothing),
	    cmocka_unit_test(test_source_s_connections_that_have_ended_do_not_count),
	    cmocka_unit_test(test_many_at_once_are_taken_in_several_turns),
	    cmocka_unit_test(test_trigger_limit_leaves_the_rest_in_the_backlog_until_it_is_over),
	    cmocka_unit_test(test_nothing_is_taken_while_no_run_may_begin),
	    cmocka_unit_test(test_unwatch_all_then_watched_again_at_the_next_look),
	    cmocka_unit_test(test_resume_when_marked_then_the_mark_is_gone),
	    cmocka_unit_test(test_places_without_a_run_come_and_go_quietly_but_the_first),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
