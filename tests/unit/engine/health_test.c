/* SPDX-License-Identifier: ISC */
/*
 * health_test.c: verdicts follow exactly so many results in a row, what is done about them is done
 * once, and the deadlines of the watchdog and of max_runtime are the run's.
 */
#define _GNU_SOURCE
#include "tests/unit/engine/probeworld.h"

#include "supervisord/engine/health.h"

static char word[] = "check";
static char *words[] = {word, NULL};

static int set_up(void **context)
{
	int error = world_setup(context);

	world.end = health_end;
	world_set_state(STATE_RUNNING);
	world.life.key_health_on_failure.kind = HEALTH_NOTHING;
	return error;
}

static int tear_down(void **context)
{
	health_end(world.program);
	return world_teardown(context);
}

static void use_command(void)
{
	world.life.key_health_check = (struct check){.kind = CHECK_EXEC, .words = words};
	world.life.key_health_interval = NS_PER_MS;
}

static bool is_checking(void)
{
	return world.task_lives;
}

/* The next checks end so: '+' well, '-' badly, '!' not at all.  A space is nothing. */
static void check(const char *results)
{
	for (; *results != '\0'; results++) {
		struct task_end end = {
		    .kind = TASK_HEALTH, .ok = *results == '+', .launched = true};

		if (*results == ' ')
			continue;
		world_wait(is_checking);
		assert_int_equal(world.task_kind, TASK_HEALTH);
		world.task_lives = false;
		end.wstatus = end.ok ? 0 : 1 << 8;
		if (*results == '!') {
			end.launched = false;
			end.step = LAUNCH_CLONE;
			end.error = EAGAIN;
		}
		health_note_task(world.program, &end);
	}
}

/* What was said and done since the last call. */
static void assert_acts(const char *acts)
{
	assert_string_equal(world.acts, acts);
	world.acts[0] = '\0';
}

static void begin(uint32_t failures, uint32_t successes)
{
	use_command();
	world.life.key_health_failures = failures;
	world.life.key_health_successes = successes;
	health_begin(world.program);
	assert_acts("");
}

static void test_begin_when_there_is_nothing_to_watch_then_costs_nothing(void **context)
{
	(void)context;
	world.life.key_watchdog = NS_PER_MS; /* without a socket */
	health_begin(world.program);
	assert_null(world.program->health);
	health_ping(world.program);
	health_extend(world.program, clock_boot_ns());
	assert_null(world.program->health);
	assert_int_equal(world.engine->timers.count, 0);
}

static void test_verdicts_when_3_failures_and_2_successes_then_exactly_so_many(void **context)
{
	(void)context;
	begin(3, 2);
	check("+");
	assert_acts("");
	check("-+");
	assert_acts("");
	check("+");
	assert_acts("G");
	check("--+ --+ -+ ++");
	assert_acts("");
	check("--");
	assert_acts("");
	check("-");
	assert_acts("B");
	check("------ +- +- +--- +-");
	assert_acts("");
	check("++");
	assert_acts("G");
	check("+++");
	assert_acts("");
	check("---");
	assert_acts("B");
}

static void test_verdicts_when_1_and_1_then_each_result_is_one(void **context)
{
	(void)context;
	begin(1, 1);
	check("+-+--++");
	assert_acts("GBGBG");
}

static void test_verdicts_when_it_was_never_good_then_bad_all_the_same(void **context)
{
	(void)context;
	begin(2, 2);
	check("+-");
	assert_acts("");
	check("-");
	assert_acts("B");
}

static void test_verdicts_when_we_cannot_look_then_nothing_is_counted(void **context)
{
	(void)context;
	begin(2, 2);
	check("-!!!");
	assert_acts("");
	check("-");
	assert_acts("B");
	check("+!!!");
	assert_acts("");
	check("+");
	assert_acts("G");
}

static void test_on_failure_restart_then_fails_with_the_count(void **context)
{
	(void)context;
	world.life.key_health_on_failure.kind = HEALTH_RESTART;
	begin(3, 1);
	check("+---");
	assert_acts("GBF");
	assert_int_equal(world.fail_count, 1);
	assert_int_equal(world.fail_reason, REASON_UNHEALTHY);
	assert_int_equal(world.fail_detail, 3);
	assert_null(world.program->health);
}

static void test_on_failure_restart_when_the_engine_died_before_it_then_the_next_one_does_it(
    void **context)
{
	(void)context;
	world.life.key_health_on_failure.kind = HEALTH_RESTART;
	program_note_health(world.program, LEDGER_HEALTH_BAD);
	world.acts[0] = '\0';
	begin(2, 1);
	check("--");
	assert_acts("F");
}

static void test_on_failure_signal_then_once_a_turn(void **context)
{
	(void)context;
	world.life.key_health_on_failure =
	    (struct health_action){.kind = HEALTH_SIGNAL, .signal = SIGUSR1};
	begin(2, 1);
	check("----");
	assert_acts("S10B");
	check("+");
	assert_acts("G");
	check("---");
	assert_acts("S10B");
}

static void test_begin_when_the_run_is_new_then_nothing_of_the_last_one_counts(void **context)
{
	struct ledger_state state;

	(void)context;
	begin(2, 2);
	check("-");
	health_end(world.program);
	world.task_lives = false;
	state = *program_state(world.program);
	state.starts++;
	state.health = LEDGER_HEALTH_UNKNOWN;
	ledger_commit_state(world.engine->ledger, world.program->run.row, &state);
	health_begin(world.program);
	check("-");
	assert_acts("");
	check("-");
	assert_acts("B");
}

static void test_begin_when_called_again_then_the_counts_stay(void **context)
{
	(void)context;
	begin(3, 1);
	check("--");
	health_begin(world.program);
	check("-");
	assert_acts("B");
}

static void test_begin_when_the_limits_have_changed_then_they_hold_for_what_was_counted(
    void **context)
{
	(void)context;
	begin(5, 1);
	check("--");
	world.life.key_health_failures = 3;
	health_begin(world.program);
	check("-");
	assert_acts("B");
}

static void test_begin_when_the_check_has_changed_then_counts_anew(void **context)
{
	char *others[] = {word, word, NULL};

	(void)context;
	begin(3, 1);
	check("--");
	world_wait(is_checking);
	world.life.key_health_check.words = others;
	health_begin(world.program);
	assert_int_equal(world.task_cancels, 1);
	check("--");
	assert_acts("");
	assert_string_equal(world.task_words[1], word);
	check("-");
	assert_acts("B");
}

static void test_begin_when_the_check_is_gone_then_the_verdict_goes(void **context)
{
	(void)context;
	begin(1, 1);
	check("-");
	assert_acts("B");
	world.life.key_health_check = (struct check){.kind = CHECK_NONE};
	health_begin(world.program);
	assert_acts("U");
	world_pass(20 * NS_PER_MS);
	assert_false(world.task_lives);
	assert_int_equal(world.engine->timers.count, 0);
}

static void test_begin_when_the_interval_has_become_shorter_then_it_counts_at_once(void **context)
{
	(void)context;
	begin(1, 1);
	world.life.key_health_interval = 3600 * NS_PER_S;
	check("+");
	world_pass(20 * NS_PER_MS);
	assert_false(world.task_lives);
	world.life.key_health_interval = NS_PER_MS;
	health_begin(world.program);
	check("-");
	assert_acts("GB");
}

static void test_begin_when_a_verdict_is_there_then_the_first_check_waits(void **context)
{
	(void)context;
	program_note_health(world.program, LEDGER_HEALTH_GOOD);
	world.acts[0] = '\0';
	begin(1, 1);
	world.life.key_health_interval = 3600 * NS_PER_S;
	health_begin(world.program);
	world_pass(10 * NS_PER_MS);
	assert_int_equal(world.task_starts, 0);
	world.life.key_health_interval = NS_PER_MS;
	health_begin(world.program);
	check("-");
	assert_acts("B");
}

static void test_end_when_a_check_is_under_way_then_it_is_killed(void **context)
{
	(void)context;
	begin(1, 1);
	world_wait(is_checking);
	assert_true(world.task_timeout_ns == world.life.key_health_timeout);
	health_end(world.program);
	assert_int_equal(world.task_cancels, 1);
	assert_int_equal(world.engine->timers.count, 0);
}

/* ---- watchdog and max_runtime ---------------------------------------------------------------- */

static void begin_watchdog(int64_t interval_ns)
{
	world.program->notify = (struct notify *)(void *)&world; /* it has a socket */
	world.life.key_watchdog = interval_ns;
	health_begin(world.program);
}

static void assert_barks(int32_t seconds)
{
	world_wait(world_has_failed);
	assert_int_equal(world.fail_reason, REASON_WATCHDOG);
	assert_int_equal(world.fail_detail, seconds);
	assert_int_equal(world.fail_count, 1);
	assert_null(world.program->health);
}

static void test_watchdog_when_there_is_no_ping_then_fails(void **context)
{
	int64_t began_ns = clock_boot_ns();

	(void)context;
	begin_watchdog(100 * NS_PER_MS);
	assert_barks(1);
	assert_true(clock_boot_ns() - began_ns >= 100 * NS_PER_MS);
}

static void test_watchdog_when_it_pings_then_lives_until_it_stops(void **context)
{
	(void)context;
	begin_watchdog(300 * NS_PER_MS);
	for (int i = 0; i < 12; i++) {
		world_pass(50 * NS_PER_MS);
		assert_int_equal(world.fail_count, 0);
		health_ping(world.program);
	}
	assert_barks(1);
}

static void test_watchdog_when_a_ping_has_waited_in_the_socket_then_it_counts(void **context)
{
	(void)context;
	begin_watchdog(50 * NS_PER_MS);
	/* The engine was busy elsewhere, and looks at its timers first. */
	usleep(60 * 1000);
	timers_run(&world.engine->timers, clock_boot_ns(), 16);
	assert_int_equal(world.fail_count, 0);
	health_ping(world.program);
	world_pass(20 * NS_PER_MS);
	assert_int_equal(world.fail_count, 0);
	assert_barks(1);
}

static void test_watchdog_when_the_engine_stood_still_then_a_new_interval_begins(void **context)
{
	int64_t later_ns = clock_boot_ns() + 3600 * NS_PER_S;

	(void)context;
	begin_watchdog(100 * NS_PER_MS);
	/* The deadline is long over when the timer fires: pretend by moving it into the past. */
	for (size_t i = 0; i < world.engine->timers.count; i++)
		world.engine->timers.heap[i]->deadline_ns -= 5 * NS_PER_S;
	usleep(110 * 1000);
	timers_run(&world.engine->timers, later_ns, 1);
	usleep(10 * 1000);
	assert_int_equal(world.fail_count, 0);
	assert_true(world.engine->timers.heap[0]->deadline_ns > clock_boot_ns());
	assert_barks(1);
}

static void test_watchdog_when_the_stanza_changes_then_the_run_keeps_its_own(void **context)
{
	(void)context;
	begin_watchdog(0);
	world.life.key_watchdog = NS_PER_MS;
	health_begin(world.program);
	world_pass(150 * NS_PER_MS);
	assert_int_equal(world.fail_count, 0);
}

static void test_set_watchdog_then_it_replaces_the_stanzas(void **context)
{
	(void)context;
	begin_watchdog(20 * NS_PER_MS);
	health_set_watchdog(world.program, 0);
	world_pass(200 * NS_PER_MS);
	assert_int_equal(world.fail_count, 0);
	health_set_watchdog(world.program, 1500 * NS_PER_MS);
	health_set_watchdog(world.program, 30 * NS_PER_MS);
	assert_barks(1);
}

static void test_set_watchdog_when_it_is_not_running_yet_then_holds_from_then_on(void **context)
{
	(void)context;
	world_set_state(STATE_STARTING);
	health_set_watchdog(world.program, 20 * NS_PER_MS);
	world_pass(150 * NS_PER_MS);
	assert_int_equal(world.fail_count, 0);
	world_set_state(STATE_RUNNING);
	begin_watchdog(3600 * NS_PER_S);
	assert_barks(1);
}

static void test_trigger_then_fails_at_once(void **context)
{
	(void)context;
	health_trigger(world.program);
	assert_int_equal(world.fail_count, 1);
	assert_int_equal(world.fail_reason, REASON_WATCHDOG);
	assert_int_equal(world.fail_detail, 0);
}

static void set_run_start(int64_t ns)
{
	struct ledger_state state = *program_state(world.program);

	state.run_start_ns = ns;
	ledger_commit_state(world.engine->ledger, world.program->run.row, &state);
}

static void test_max_runtime_counts_from_the_launch(void **context)
{
	(void)context;
	set_run_start(clock_boot_ns() - 3600 * NS_PER_S);
	world.life.key_max_runtime = 3600 * NS_PER_S + 50 * NS_PER_MS;
	health_begin(world.program);
	assert_int_equal(world.fail_count, 0);
	world_wait(world_has_failed);
	assert_int_equal(world.fail_reason, REASON_RUNTIME);
	assert_int_equal(world.fail_detail, 3601);
}

static void test_max_runtime_of_a_oneshot_that_is_starting_then_nothing_else_begins(void **context)
{
	(void)context;
	use_command();
	world.program->notify = (struct notify *)(void *)&world;
	world.life.key_watchdog = NS_PER_MS;
	world.life.key_max_runtime = 150 * NS_PER_MS;
	set_run_start(clock_boot_ns());
	world_set_state(STATE_STARTING);
	health_begin(world.program);
	world_wait(world_has_failed);
	assert_int_equal(world.fail_reason, REASON_RUNTIME);
	assert_int_equal(world.task_starts, 0);
}

static void test_max_runtime_when_changed_or_extended_then_that_holds(void **context)
{
	int64_t now_ns = clock_boot_ns();

	(void)context;
	set_run_start(now_ns);
	world.life.key_max_runtime = 3600 * NS_PER_S;
	health_begin(world.program);
	assert_true(world.engine->timers.heap[0]->deadline_ns == now_ns + 3600 * NS_PER_S);
	health_extend(world.program, now_ns + 7200 * NS_PER_S);
	assert_true(world.engine->timers.heap[0]->deadline_ns == now_ns + 7200 * NS_PER_S);
	health_extend(world.program, now_ns + 1800 * NS_PER_S);
	assert_true(world.engine->timers.heap[0]->deadline_ns == now_ns + 7200 * NS_PER_S);
	world.life.key_max_runtime = 0;
	health_begin(world.program);
	assert_int_equal(world.engine->timers.count, 0);
}

static void test_max_runtime_when_a_oneshot_has_ended_and_remains_then_is_off(void **context)
{
	(void)context;
	world.pid = 0;
	set_run_start(clock_boot_ns() - NS_PER_S);
	world.life.key_max_runtime = NS_PER_MS;
	health_begin(world.program);
	assert_int_equal(world.engine->timers.count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_begin_when_there_is_nothing_to_watch_then_costs_nothing),
	    TEST(test_verdicts_when_3_failures_and_2_successes_then_exactly_so_many),
	    TEST(test_verdicts_when_1_and_1_then_each_result_is_one),
	    TEST(test_verdicts_when_it_was_never_good_then_bad_all_the_same),
	    TEST(test_verdicts_when_we_cannot_look_then_nothing_is_counted),
	    TEST(test_on_failure_restart_then_fails_with_the_count),
	    TEST(test_on_failure_restart_when_the_engine_died_before_it_then_the_next_one_does_it),
	    TEST(test_on_failure_signal_then_once_a_turn),
	    TEST(test_begin_when_the_run_is_new_then_nothing_of_the_last_one_counts),
	    TEST(test_begin_when_called_again_then_the_counts_stay),
	    TEST(test_begin_when_the_limits_have_changed_then_they_hold_for_what_was_counted),
	    TEST(test_begin_when_the_check_has_changed_then_counts_anew),
	    TEST(test_begin_when_the_check_is_gone_then_the_verdict_goes),
	    TEST(test_begin_when_the_interval_has_become_shorter_then_it_counts_at_once),
	    TEST(test_begin_when_a_verdict_is_there_then_the_first_check_waits),
	    TEST(test_end_when_a_check_is_under_way_then_it_is_killed),
	    TEST(test_watchdog_when_there_is_no_ping_then_fails),
	    TEST(test_watchdog_when_it_pings_then_lives_until_it_stops),
	    TEST(test_watchdog_when_a_ping_has_waited_in_the_socket_then_it_counts),
	    TEST(test_watchdog_when_the_engine_stood_still_then_a_new_interval_begins),
	    TEST(test_watchdog_when_the_stanza_changes_then_the_run_keeps_its_own),
	    TEST(test_set_watchdog_then_it_replaces_the_stanzas),
	    TEST(test_set_watchdog_when_it_is_not_running_yet_then_holds_from_then_on),
	    TEST(test_trigger_then_fails_at_once),
	    TEST(test_max_runtime_counts_from_the_launch),
	    TEST(test_max_runtime_of_a_oneshot_that_is_starting_then_nothing_else_begins),
	    TEST(test_max_runtime_when_changed_or_extended_then_that_holds),
	    TEST(test_max_runtime_when_a_oneshot_has_ended_and_remains_then_is_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
