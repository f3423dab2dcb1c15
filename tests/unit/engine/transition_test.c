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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_kill_comes_at_the_deadline_of_the_last_step),
	    cmocka_unit_test(test_kill_comes_after_all_steps_that_are_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
