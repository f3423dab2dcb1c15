/* SPDX-License-Identifier: ISC */
/*
 * onevent_test.c: which events start a program of on_event, one after the other, each once, also
 * for an engine that follows; starts are counted, not done.
 */
#include "tests/unit/engine/engineworld.h"

#include "lib/ownlog.h"
#include "supervisord/engine/onevent.h"

#define WEB   "program \"web\" { command = x }\n"
#define ALARM "on_event \"alarm\" { match = {\"kind:command\", \"program:web\"} exec = x }\n"

static unsigned starts;
static uint64_t looked_at_start; /* what was written down before it was started */
static uint64_t detail;

void __wrap_program_start(struct program *program, const struct cause *cause);

/* It runs until end_run(). */
void __wrap_program_start(struct program *program, const struct cause *cause)
{
	struct engine *engine = program->engine;
	struct ledger_state next = *program_state(program);

	assert_string_equal(program_name(program), "alarm");
	assert_int_equal(cause->reason, REASON_EVENT);
	detail = (uint64_t)cause->detail;
	looked_at_start = engine->history->asked[program->run.row].looked;
	next.state = STATE_RUNNING;
	ledger_commit_state(engine->ledger, program->run.row, &next);
	starts++;
}

static struct history_asked *asked_of(struct engineworld *world)
{
	const struct program *alarm = engine_find(&world->engine, "alarm");

	return &world->engine.history->asked[alarm->run.row];
}

static void end_run(struct engineworld *world)
{
	const struct program *alarm = engine_find(&world->engine, "alarm");
	struct ledger_state next = *program_state(alarm);

	next.state = STATE_EXITED;
	ledger_commit_state(world->engine.ledger, alarm->run.row, &next);
}

static void begin(struct engineworld *world)
{
	engineworld_begin(world, WEB ALARM);
	starts = 0;
	end_run(world);
	onevent_take_config(&world->engine);
}

/* Gives its number. */
static uint64_t happen(struct engineworld *world, enum history_kind kind, const char *name)
{
	const struct program *program = name != NULL ? engine_find(&world->engine, name) : NULL;

	history_note(world->engine.history,
	    &(struct history_event){.kind = (uint8_t)kind,
		.row = program != NULL ? (uint16_t)program->run.row : HISTORY_NO_ROW,
		.uid = HISTORY_NO_UID});
	return history_next(world->engine.history) - 1;
}

static void test_run_when_events_come_then_one_run_for_each_that_it_is_about(void **state)
{
	struct engineworld world;
	uint64_t first, second;

	(void)state;
	begin(&world);
	assert_false(onevent_run(&world.engine));
	happen(&world, HISTORY_APPLIED, NULL);
	happen(&world, HISTORY_CONFIG, "web");
	first = happen(&world, HISTORY_COMMAND, "web");
	second = happen(&world, HISTORY_COMMAND, "web");
	assert_true(onevent_run(&world.engine));
	assert_int_equal(starts, 1);
	assert_int_equal(detail, first);
	assert_int_equal(asked_of(&world)->event, first);
	/* Before the start, so an engine that is killed then starts it no second time. */
	assert_int_equal(looked_at_start, first);
	/* One run at a time. */
	assert_false(onevent_run(&world.engine));
	assert_int_equal(starts, 1);
	end_run(&world);
	assert_true(onevent_run(&world.engine));
	assert_int_equal(starts, 2);
	assert_int_equal(asked_of(&world)->event, second);
	end_run(&world);
	assert_false(onevent_run(&world.engine));
	assert_int_equal(starts, 2);
	engineworld_end(&world);
}

/* What such a program does starts none, even where it is meant. */
static void test_run_when_the_event_is_of_an_on_event_then_not(void **state)
{
	struct engineworld world;

	(void)state;
	engineworld_begin(
	    &world, WEB "on_event \"alarm\" { match = {\"kind:command\"} exec = x }\n");
	starts = 0;
	end_run(&world);
	onevent_take_config(&world.engine);
	happen(&world, HISTORY_COMMAND, "alarm");
	assert_false(onevent_run(&world.engine));
	assert_int_equal(starts, 0);
	happen(&world, HISTORY_COMMAND, "web");
	assert_true(onevent_run(&world.engine));
	engineworld_end(&world);
}

static void test_run_when_the_engine_may_not_then_later(void **state)
{
	struct engineworld world;

	(void)state;
	begin(&world);
	happen(&world, HISTORY_COMMAND, "web");
	world.engine.safe_mode = true;
	assert_false(onevent_run(&world.engine));
	world.engine.safe_mode = false;
	world.engine.shutdown = true;
	assert_false(onevent_run(&world.engine));
	world.engine.shutdown = false;
	/* Its stanza is gone: it is only waited for. */
	engine_find(&world.engine, "alarm")->removed = true;
	assert_false(onevent_run(&world.engine));
	engine_find(&world.engine, "alarm")->removed = false;
	assert_int_equal(starts, 0);
	assert_true(onevent_run(&world.engine));
	engineworld_end(&world);
}

/* Another apply, or another engine, goes on where it was: nothing twice, nothing left out. */
static void test_take_config_when_it_was_there_before_then_it_goes_on(void **state)
{
	struct engineworld world;

	(void)state;
	begin(&world);
	happen(&world, HISTORY_COMMAND, "web");
	assert_true(onevent_run(&world.engine));
	happen(&world, HISTORY_COMMAND, "web");
	onevent_take_config(&world.engine);
	end_run(&world);
	assert_true(onevent_run(&world.engine));
	assert_int_equal(starts, 2);
	end_run(&world);
	assert_false(onevent_run(&world.engine));
	engineworld_end(&world);
}

static void test_take_config_when_it_is_new_then_not_asked_about_before(void **state)
{
	struct engineworld world;

	(void)state;
	engineworld_begin(&world, WEB ALARM);
	starts = 0;
	end_run(&world);
	happen(&world, HISTORY_COMMAND, "web");
	onevent_take_config(&world.engine);
	assert_false(onevent_run(&world.engine));
	assert_int_equal(starts, 0);
	engineworld_end(&world);
}

/* The ring has gone on without it: counted, and the oldest that is left is the next. */
static void test_run_when_it_is_too_slow_then_what_it_missed_is_counted(void **state)
{
	struct engineworld world;
	uint64_t first;

	(void)state;
	begin(&world);
	ownlog_set_level(OWNLOG_ERROR);
	for (int i = 0; i < LIMIT_EVENTS + 10; i++)
		happen(&world, HISTORY_COMMAND, "web");
	first = history_first(world.engine.history);
	assert_true(first > 1);
	assert_true(onevent_run(&world.engine));
	assert_int_equal(asked_of(&world)->event, first);
	assert_int_equal(asked_of(&world)->missed, first - 1);
	/* Counted once. */
	end_run(&world);
	assert_true(onevent_run(&world.engine));
	assert_int_equal(asked_of(&world)->missed, first - 1);
	assert_int_equal(asked_of(&world)->event, first + 1);
	/* Also while it runs. */
	for (int i = 0; i < LIMIT_EVENTS; i++)
		happen(&world, HISTORY_COMMAND, "web");
	assert_false(onevent_run(&world.engine));
	first = asked_of(&world)->missed;
	assert_true(first > LIMIT_EVENTS);
	assert_false(onevent_run(&world.engine));
	assert_int_equal(asked_of(&world)->missed, first);
	ownlog_set_level(OWNLOG_NOTICE);
	engineworld_end(&world);
}

static bool has(char **environment, size_t count, const char *entry)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(environment[i], entry) == 0)
			return true;
	return false;
}

static void free_all(char **environment, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(environment[i]);
}

static void test_add_then_the_event_of_its_run_is_told(void **state)
{
	struct engineworld world;
	const struct program *alarm;
	char *environment[ONEVENT_ENVIRONMENT];
	char number[64];
	size_t count = 0;

	(void)state;
	begin(&world);
	alarm = engine_find(&world.engine, "alarm");
	/* By hand: there is no event. */
	assert_int_equal(onevent_add(alarm, environment, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(onevent_add(engine_find(&world.engine, "web"), environment, &count), 0);
	assert_int_equal(count, 0);
	snprintf(number, sizeof(number), "EVENT_NUMBER=%llu",
	    (unsigned long long)happen(&world, HISTORY_COMMAND, "web"));
	assert_true(onevent_run(&world.engine));
	asked_of(&world)->missed = 3;
	assert_int_equal(onevent_add(alarm, environment, &count), 0);
	assert_int_equal(count, ONEVENT_ENVIRONMENT);
	assert_true(has(environment, count, number));
	assert_true(has(environment, count, "EVENT_KIND=command"));
	assert_true(has(environment, count, "EVENT_PROGRAM=web"));
	assert_true(has(environment, count, "EVENT_STATE="));
	assert_true(has(environment, count, "EVENT_MISSED=3"));
	free_all(environment, count);
	/* It is overwritten meanwhile: the number is what is left of it. */
	for (int i = 0; i < LIMIT_EVENTS + 1; i++)
		happen(&world, HISTORY_APPLIED, NULL);
	count = 0;
	assert_int_equal(onevent_add(alarm, environment, &count), 0);
	assert_int_equal(count, 1);
	assert_string_equal(environment[0], number);
	free_all(environment, count);
	engineworld_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_run_when_events_come_then_one_run_for_each_that_it_is_about),
	    cmocka_unit_test(test_run_when_the_event_is_of_an_on_event_then_not),
	    cmocka_unit_test(test_run_when_the_engine_may_not_then_later),
	    cmocka_unit_test(test_take_config_when_it_was_there_before_then_it_goes_on),
	    cmocka_unit_test(test_take_config_when_it_is_new_then_not_asked_about_before),
	    cmocka_unit_test(test_run_when_it_is_too_slow_then_what_it_missed_is_counted),
	    cmocka_unit_test(test_add_then_the_event_of_its_run_is_told),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
