/* SPDX-License-Identifier: ISC */
/* planner_test.c: the plan from what exists to a configuration, as people are told of it. */
#include "tests/unit/engine/engineworld.h"

#include "supervisord/engine/planner.h"

/* From `applied`, with everything running, to `wanted`: "NAME ACTION: REASON" a step, follows in
 * brackets. */
static const char *steps_of(struct engineworld *world, const char *wanted)
{
	static char text[2048];
	struct config *config = confdir_accept(wanted);
	struct planner planner;
	size_t at = 0;

	assert_int_equal(planner_make(&planner, &world->engine, config, false), 0);
	text[0] = '\0';
	for (size_t i = 0; i < planner.plan.count; i++) {
		const struct plan_step *step = &planner.plan.steps[i];
		const struct program *program = planner_program(&planner, step);
		char reason[128];

		(void)plan_step_reason(&planner.plan, step, reason, sizeof(reason));
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s%s %s: %s%s%s",
		    i > 0 ? "; " : "", step->follows ? "(" : "", planner.inputs[step->program].name,
		    plan_action_name(step->action), reason, program != NULL ? "" : " [no row]",
		    step->follows ? ")" : "");
	}
	planner_done(&planner);
	config_free(config);
	return text;
}

static void test_plan_when_nothing_differs_then_empty(void **state)
{
	struct engineworld world;

	(void)state;
	engineworld_begin(&world, "program web { command = x }\n");
	assert_string_equal(steps_of(&world, "# more\nprogram web { command = x }\n"), "");
	engineworld_end(&world);
}

static void test_plan_when_each_kind_then_in_order_with_reasons(void **state)
{
	struct engineworld world;

	(void)state;
	engineworld_begin(&world, "program gone { command = x }\nprogram live { command = x }\n"
				  "program web { command = x }\n"
				  "program worker { command = x requires = {\"web\"} }\n");
	assert_string_equal(
	    steps_of(&world, "program live { command = x log_keep = 9 }\n"
			     "program new { command = x }\n"
			     "program off { command = x autostart = false }\n"
			     "program web { command = y }\n"
			     "program worker { command = x requires = {\"web\"} }\n"),
	    "gone stop: its stanza is gone; gone remove: its stanza is gone; live live: log_keep "
	    "changed; off add: new stanza [no row]; new start: new stanza [no row]; web restart: "
	    "command changed; (worker restart: requires web)");
	engineworld_end(&world);
}

/* The only one goes on as the first of several. */
static void test_plan_when_more_instances_then_the_row_keeps_its_run(void **state)
{
	struct engineworld world;

	(void)state;
	engineworld_begin(&world, "program web { command = x }\n");
	assert_string_equal(steps_of(&world, "program web { command = x instances = 3 }\n"),
	    "web@2 start: instances: 3, not 1 [no row]; web@3 start: instances: 3, not 1 [no "
	    "row]");
	engineworld_end(&world);
}

/* One more of a program that was stopped stays down, too. */
static void test_plan_when_program_is_stopped_then_its_new_instances_are_added(void **state)
{
	struct engineworld world;

	(void)state;
	engineworld_begin(&world, "program web { command = x instances = 2 }\n");
	for (size_t i = 0; i < world.engine.program_count; i++)
		ledger_commit_state(world.engine.ledger, world.engine.programs[i]->run.row,
		    &(struct ledger_state){.state = STATE_STOPPED, .starts = 1});
	assert_string_equal(steps_of(&world, "program web { command = x instances = 3 }\n"),
	    "web@3 add: instances: 3, not 2 [no row]");
	engineworld_end(&world);
}

static void test_write_when_settings_and_sockets_differ_then_steps_of_their_own(void **state)
{
	struct engineworld world;
	struct config *config;
	struct planner planner;
	struct jsonw w;

	(void)state;
	engineworld_begin(&world, "program web { command = x }\n");
	config = confdir_accept("log_level = debug\nsocket s { listen = \"tcp:127.0.0.1:1\" }\n"
				"program web { command = y }\n");
	assert_int_equal(planner_make(&planner, &world.engine, config, false), 0);
	jsonw_init(&w, 8192);
	planner_write(&planner, true, &w);
	assert_string_equal(engineworld_text(&w),
	    "\"steps\":[{\"name\":\"supervisord\",\"action\":\"live\",\"reason\":\"log_level "
	    "changed\",\"other\":null,\"follows\":false,\"changes\":[{\"key\":\"log_level\","
	    "\"class\":\"live\",\"old\":\"notice\",\"new\":\"debug\"}]},"
	    "{\"name\":\"socket s\",\"action\":\"open\",\"reason\":\"new stanza\",\"other\":null,"
	    "\"follows\":false,\"changes\":[]},"
	    "{\"name\":\"web\",\"action\":\"restart\",\"reason\":\"command "
	    "changed\",\"other\":null,"
	    "\"follows\":false,\"changes\":[{\"key\":\"command\",\"class\":\"restart\",\"old\":\"{"
	    "\\\"x\\\"}\","
	    "\"new\":\"{\\\"y\\\"}\"}]}]");
	planner_done(&planner);
	config_free(config);
	engineworld_end(&world);
}

/* It says nothing about anybody. */
static void test_plan_when_configuration_is_lost_then_empty(void **state)
{
	struct engineworld world;
	struct config *applied, *empty = confdir_accept("log_level = notice\n");
	struct planner planner;

	(void)state;
	engineworld_begin(&world, "program web { command = x }\n");
	applied = world.engine.config;
	world.engine.config = NULL;
	world.engine.config_lost = true;
	assert_int_equal(planner_make(&planner, &world.engine, empty, false), 0);
	assert_int_equal(planner.plan.count, 0);
	planner_done(&planner);
	world.engine.config = applied;
	config_free(empty);
	engineworld_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plan_when_nothing_differs_then_empty),
	    cmocka_unit_test(test_plan_when_each_kind_then_in_order_with_reasons),
	    cmocka_unit_test(test_plan_when_more_instances_then_the_row_keeps_its_run),
	    cmocka_unit_test(test_plan_when_program_is_stopped_then_its_new_instances_are_added),
	    cmocka_unit_test(test_write_when_settings_and_sockets_differ_then_steps_of_their_own),
	    cmocka_unit_test(test_plan_when_configuration_is_lost_then_empty),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
