/* SPDX-License-Identifier: ISC */
/*
 * trial_test.c: an apply on trial: what is held of it, when it has proved good or bad, and what an
 * engine that follows makes of it.  What it applies then is written down here.
 */
#include "tests/unit/engine/engineworld.h"

#include <errno.h>

#include "supervisord/engine/apply.h"
#include "supervisord/engine/planner.h"

static const char before[] = "program web { command = x }\nprogram db { command = x }\n";
static const char after[] = "program web { command = y }\nprogram db { command = x }\n";

static char applied[64]; /* the command of web that was applied */
static char why[256];

int __wrap_apply_config(
    struct engine *engine, const struct apply_request *request, struct config *config);

int __wrap_apply_config(
    struct engine *engine, const struct apply_request *request, struct config *config)
{
	(void)engine;
	assert_int_equal(request->by, APPLIED_BY_ROLLBACK);
	(void)snprintf(
	    applied, sizeof(applied), "%s", config_find_program(config, "web")->key_command[0]);
	(void)snprintf(why, sizeof(why), "%s", request->taken_back);
	config_free(config);
	return 0;
}

static bool is_held(const struct engineworld *world)
{
	return slots_find(&world->engine.slots, held_key(HELD_TRIAL, 0, 0)) >= 0;
}

/* As apply_config() does up to where the new text is held. */
static void begin(struct engineworld *world, int64_t deadline_ns)
{
	struct config *config;
	struct planner planner;

	applied[0] = why[0] = '\0';
	engineworld_begin(world, before);
	config = confdir_accept(after);
	assert_int_equal(planner_make(&planner, &world->engine, config, false), 0);
	assert_int_equal(trial_begin(&world->engine, &planner, deadline_ns), 0);
	planner_done(&planner);
	assert_true(world->engine.trial.active);
	assert_true(is_held(world));
	assert_int_equal(world->engine.trial.count, 1);
	assert_string_equal(world->engine.trial.items[0].name, "web");
	engineworld_hold(world, config);
	config_free(config);
}

static void end(struct engineworld *world)
{
	timers_cancel(&world->engine.timers, &world->engine.trial.timer);
	trial_done(&world->engine.trial);
	engineworld_end(world);
}

static void put(struct engineworld *world, enum state state, uint64_t starts)
{
	const struct program *web = engine_find(&world->engine, "web");

	ledger_commit_state(world->engine.ledger, web->run.row,
	    &(struct ledger_state){.state = (uint8_t)state,
		.wanted = WANTED_UP,
		.starts = starts,
		.reason = REASON_EXIT,
		.detail = 1 << 8,
		.window_starts = 1,
		.config_hash = web->config->hash});
	trial_note_change(&world->engine.trial);
}

static void test_review_when_the_next_run_is_up_then_it_stays(void **state)
{
	struct engineworld world;

	(void)state;
	begin(&world, 0);
	/* The run from before says nothing. */
	assert_false(trial_review(&world.engine));
	assert_true(is_held(&world));
	put(&world, STATE_STARTING, 2);
	assert_false(trial_review(&world.engine));
	put(&world, STATE_RUNNING, 2);
	assert_true(trial_review(&world.engine));
	assert_false(world.engine.trial.active);
	assert_false(is_held(&world));
	assert_string_equal(applied, "");
	end(&world);
}

static void test_review_when_nothing_has_changed_then_not_judged_again(void **state)
{
	struct engineworld world;

	(void)state;
	begin(&world, 0);
	put(&world, STATE_RUNNING, 2);
	world.engine.trial.due = false;
	assert_false(trial_review(&world.engine));
	assert_true(is_held(&world));
	end(&world);
}

static void test_review_when_it_has_failed_then_taken_back_with_the_reason(void **state)
{
	struct engineworld world;

	(void)state;
	begin(&world, 0);
	world.engine.safe_mode = true; /* what is to be started again is not, here */
	put(&world, STATE_FATAL, 2);
	assert_true(trial_review(&world.engine));
	assert_string_equal(applied, "x");
	assert_string_equal(why, "web: FATAL: exited with status 1; gave up after 1 start");
	assert_false(world.engine.trial.active);
	assert_false(is_held(&world));
	end(&world);
}

static void test_review_when_time_is_over_then_taken_back(void **state)
{
	struct engineworld world;

	(void)state;
	begin(&world, INT64_MAX);
	put(&world, STATE_STARTING, 2);
	assert_false(trial_review(&world.engine));
	world.engine.trial.timer.fire(&world.engine.trial.timer);
	assert_true(trial_review(&world.engine));
	assert_string_equal(applied, "x");
	assert_string_equal(why, "web: is not up in time");
	end(&world);
}

/* What was judged by an engine is judged by the next one, of the same programs. */
static void test_adopt_when_the_new_text_is_held_then_it_goes_on(void **state)
{
	struct engineworld world;

	(void)state;
	begin(&world, INT64_MAX - 5);
	timers_cancel(&world.engine.timers, &world.engine.trial.timer);
	trial_done(&world.engine.trial);
	trial_adopt(&world.engine);
	assert_true(world.engine.trial.active);
	assert_int_equal(world.engine.trial.count, 1);
	assert_string_equal(world.engine.trial.items[0].name, "web");
	assert_int_equal(world.engine.trial.items[0].run, 1);
	assert_int_equal(world.engine.trial.items[0].up, 1);
	assert_true(world.engine.trial.deadline_ns == INT64_MAX - 5);
	put(&world, STATE_RUNNING, 2);
	assert_true(trial_review(&world.engine));
	assert_false(is_held(&world));
	end(&world);
}

/* The engine was killed before it held the new text, or after it held the old one again. */
static void test_adopt_when_both_texts_are_the_same_then_it_is_over(void **state)
{
	struct engineworld world;

	(void)state;
	begin(&world, 0);
	engineworld_hold(&world, world.engine.config);
	trial_done(&world.engine.trial);
	trial_adopt(&world.engine);
	assert_false(world.engine.trial.active);
	assert_false(is_held(&world));
	assert_string_equal(applied, "");
	end(&world);
}

static void test_begin_when_nothing_is_started_then_there_is_no_trial(void **state)
{
	struct engineworld world;
	struct config *config;
	struct planner planner;

	(void)state;
	engineworld_begin(&world, before);
	config = confdir_accept("program web { command = x log_keep = 9 }\n"
				"program db { command = x }\n");
	assert_int_equal(planner_make(&planner, &world.engine, config, false), 0);
	assert_int_equal(trial_begin(&world.engine, &planner, 0), 0);
	assert_false(world.engine.trial.active);
	assert_false(is_held(&world));
	world.engine.config_lost = true;
	assert_int_equal(trial_begin(&world.engine, &planner, 0), -ENODATA);
	planner_done(&planner);
	config_free(config);
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_review_when_the_next_run_is_up_then_it_stays),
	    cmocka_unit_test(test_review_when_nothing_has_changed_then_not_judged_again),
	    cmocka_unit_test(test_review_when_it_has_failed_then_taken_back_with_the_reason),
	    cmocka_unit_test(test_review_when_time_is_over_then_taken_back),
	    cmocka_unit_test(test_adopt_when_the_new_text_is_held_then_it_goes_on),
	    cmocka_unit_test(test_adopt_when_both_texts_are_the_same_then_it_is_over),
	    cmocka_unit_test(test_begin_when_nothing_is_started_then_there_is_no_trial),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
