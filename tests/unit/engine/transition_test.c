/* SPDX-License-Identifier: ISC */
/* Tests of what supervisord/engine/transition.h says beside the next state; that is for tests/sim.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "supervisord/engine/transition.h"

static struct life_config life;
static struct program_config config = {
    .life = &life, .key_stop_signal = 15, .key_stop_timeout = 10 * NS_PER_S};

static struct ledger_state stopping(uint8_t step, int64_t deadline_s)
{
	return (struct ledger_state){
	    .state = STATE_STOPPING, .stop_step = step, .deadline_ns = deadline_s * NS_PER_S};
}

static void test_kill_comes_at_the_deadline_of_the_last_step(void **state)
{
	struct ledger_state now = stopping(1, 100);

	(void)state;
	assert_int_equal(transition_kill_ns(&config, &now), 100 * NS_PER_S);
	now = stopping(2, 100); /* it was sent */
	assert_int_equal(transition_kill_ns(&config, &now), 0);
	now = stopping(1, 0);
	assert_int_equal(transition_kill_ns(&config, &now), 0);
	now = stopping(1, 100);
	now.state = STATE_RUNNING;
	assert_int_equal(transition_kill_ns(&config, &now), 0);
}

static void test_kill_comes_after_all_steps_that_are_left(void **state)
{
	static const struct stop_sequence sequence = {
	    .count = 3, .steps = {{2, 5 * NS_PER_S}, {15, 7 * NS_PER_S}, {9, NS_PER_S}}};
	struct ledger_state now = stopping(0, 100); /* stop_command */

	(void)state;
	life.key_stop_sequence = sequence;
	assert_int_equal(transition_kill_ns(&config, &now), 112 * NS_PER_S);
	now = stopping(1, 100);
	assert_int_equal(transition_kill_ns(&config, &now), 107 * NS_PER_S);
	now = stopping(2, 100);
	assert_int_equal(transition_kill_ns(&config, &now), 100 * NS_PER_S);
	now = stopping(3, 100);
	assert_int_equal(transition_kill_ns(&config, &now), 0);
	life.key_stop_sequence.count = 2; /* KILL of its own accord */
	assert_int_equal(transition_kill_ns(&config, &now), 0);
	now = stopping(1, 100);
	assert_int_equal(transition_kill_ns(&config, &now), 107 * NS_PER_S);
	life.key_stop_sequence.count = 0;
}

/* One run that exits 1 at once: the time of the next start, or 0 when there is none. */
static int64_t next_start(struct ledger_state *now, int64_t now_ns)
{
	struct happening happening = {.event = EVENT_EXIT,
	    .may_start = true,
	    .may_stop = true,
	    .launched = true,
	    .run = now->starts,
	    .wstatus = 1 << 8,
	    .random = UINT32_MAX,
	    .now_ns = now_ns};
	struct transition transition;

	assert_int_equal(transition_decide(now, &config, &happening, &transition), 0);
	*now = transition.state;
	if (now->state != STATE_BACKOFF)
		return 0;
	happening.event = EVENT_TIMER;
	happening.now_ns = now->deadline_ns;
	assert_int_equal(transition_decide(now, &config, &happening, &transition), 0);
	*now = transition.state;
	assert_int_equal(now->state, STATE_STARTING);
	return happening.now_ns;
}

/* Ten minutes of a program that crashes at its start. */
static void test_crash_loop_follows_its_schedule_and_recovers(void **state)
{
	static const int64_t end_ns = 600 * NS_PER_S;
	struct ledger_state now = {
	    .state = STATE_STARTING, .wanted = WANTED_UP, .starts = 1, .run_start_ns = 1};
	int64_t delay_ns = 200 * NS_PER_MS, at_ns = 1;
	struct transition transition;
	unsigned starts = 1;

	(void)state;
	config.key_restart = RESTART_ON_FAILURE;
	config.key_restart_delay = 200 * NS_PER_MS;
	config.key_restart_delay_max = 30 * NS_PER_S;
	config.key_restart_factor = 2;
	config.key_restart_reset_after = 60 * NS_PER_S;
	life.key_restart_jitter = 5;
	while (at_ns < end_ns) {
		int64_t next_ns = next_start(&now, at_ns), wait_ns = next_ns - at_ns;

		assert_true(wait_ns >= delay_ns && wait_ns <= delay_ns + delay_ns / 20);
		delay_ns = delay_ns * 2 < 30 * NS_PER_S ? delay_ns * 2 : 30 * NS_PER_S;
		at_ns = next_ns;
		starts++;
	}
	/* 0.2 to 25.6 s are eight starts in the first minute, then two a minute. */
	assert_in_range(starts, 25, 29);
	assert_int_equal(now.starts, starts);

	/* The cause ends: it stays up for restart_reset_after, and the next crash is a first one.
	 */
	const struct happening ready = {.event = EVENT_TIMER, .now_ns = at_ns + NS_PER_S};

	assert_int_equal(transition_decide(&now, &config, &ready, &transition), 0);
	now = transition.state;
	assert_int_equal(now.state, STATE_RUNNING);
	at_ns += 62 * NS_PER_S;
	delay_ns = next_start(&now, at_ns) - at_ns;
	assert_true(delay_ns >= 200 * NS_PER_MS && delay_ns <= 210 * NS_PER_MS);
}

/* Others of the run are left when its main process ends: which step does the stop begin with? */
static uint8_t step_after_exit(enum kill_mode mode)
{
	struct ledger_state before = {.state = STATE_RUNNING, .wanted = WANTED_UP, .starts = 1};
	struct happening happening = {
	    .event = EVENT_EXIT, .run = 1, .launched = true, .wstatus = 9, .leftovers = true};
	struct transition transition;

	life.key_kill_mode = mode;
	assert_int_equal(transition_decide(&before, &config, &happening, &transition), 0);
	assert_int_equal(transition.state.state, STATE_STOPPING);
	return transition.state.stop_step;
}

static void test_stop_of_the_rest_when_signals_are_for_the_main_process_then_kill(void **state)
{
	static const struct stop_sequence sequence = {
	    .count = 2, .steps = {{3, 30 * NS_PER_S}, {15, 5 * NS_PER_S}}};

	(void)state;
	config.key_restart = RESTART_ALWAYS;
	assert_int_equal(step_after_exit(KILL_ALL), 1);
	assert_int_equal(step_after_exit(KILL_MIXED), 2);
	life.key_stop_sequence = sequence;
	assert_int_equal(step_after_exit(KILL_ALL), 1);
	assert_int_equal(step_after_exit(KILL_MIXED), 3);
	life.key_stop_sequence.steps[1].signal = 9;
	assert_int_equal(step_after_exit(KILL_MIXED), 2);
	life.key_stop_sequence.count = 0;
	life.key_kill_mode = KILL_ALL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_kill_comes_at_the_deadline_of_the_last_step),
	    cmocka_unit_test(test_kill_comes_after_all_steps_that_are_left),
	    cmocka_unit_test(test_crash_loop_follows_its_schedule_and_recovers),
	    cmocka_unit_test(test_stop_of_the_rest_when_signals_are_for_the_main_process_then_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
