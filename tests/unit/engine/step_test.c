/* SPDX-License-Identifier: ISC */
/*
 * step_test.c: a walk over every cell of the state machine: each state, event and set of facts.
 * What must hold in all of them is checked here; what one cell does is checked by name below.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <errno.h>
#include <cmocka.h>

#include "supervisord/engine/step.h"

/* Bits of states. */
#define IN(state) (1U << STATE_##state)

/* Cells that cannot happen: without a process there is no exit, without a deadline no timer, and
 * only some states have a hook. */
static bool is_legal(enum state state, enum event event)
{
	static const unsigned live = IN(PREPARING) | IN(STARTING) | IN(SETTLING) | IN(RUNNING) |
				     IN(ENDING) | IN(STOPPING) | IN(CLEANING);
	static const unsigned allowed[EVENT_COUNT] = {
	    [EVENT_START] = ~0U,
	    [EVENT_STOP] = ~0U,
	    [EVENT_CHECK] = ~0U,
	    [EVENT_GONE] = ~0U,
	    [EVENT_TIMER] = IN(STARTING) | IN(BACKOFF) | IN(STOPPING) | IN(FATAL),
	    [EVENT_READY] = live & ~IN(PREPARING),
	    [EVENT_HOOK] = IN(PREPARING) | IN(SETTLING) | IN(ENDING) | IN(STOPPING) | IN(CLEANING),
	    [EVENT_FAIL] = live,
	    [EVENT_EXIT] = live & ~(IN(PREPARING) | IN(CLEANING)),
	};

	return (allowed[event] >> state) & 1;
}

static void for_all(
    void (*check)(enum state state, enum event event, unsigned facts, const struct step *step))
{
	for (int state = 0; state < STATE_COUNT; state++) {
		for (int event = 0; event < EVENT_COUNT; event++) {
			for (unsigned facts = 0; facts <= FACT_ALL; facts++) {
				struct step step = {.next = STATE_COUNT, .actions = 0};

				/* What cannot be true together is not a case. */
				if (!(facts & FACT_UP) && !(facts & FACT_HALT))
					continue;
				if (step_decide(
					(enum state)state, (enum event)event, facts, &step) == 0)
					check((enum state)state, (enum event)event, facts, &step);
			}
		}
	}
}

static void test_every_legal_cell_decides_and_no_other_does(void **context)
{
	(void)context;
	for (int state = 0; state < STATE_COUNT; state++) {
		for (int event = 0; event < EVENT_COUNT; event++) {
			for (unsigned facts = 0; facts <= FACT_ALL; facts++) {
				struct step step;
				int expected =
				    is_legal((enum state)state, (enum event)event) ? 0 : -EPROTO;

				if (step_decide((enum state)state, (enum event)event, facts,
					&step) != expected)
					fail_msg("%s/%s facts %#x",
					    step_state_name((enum state)state),
					    step_event_name((enum event)event), facts);
			}
		}
	}
}

static void check_known(enum state state, enum event event, unsigned facts, const struct step *step)
{
	(void)state;
	(void)event;
	(void)facts;
	assert_true(step->next < STATE_COUNT);
	assert_int_equal(step->actions & ~ACTION_ALL, 0);
}

static void test_steps_lead_to_known_states_and_actions(void **context)
{
	(void)context;
	for_all(check_known);
}

static void check_launch(
    enum state state, enum event event, unsigned facts, const struct step *step)
{
	if (!(step->actions & (ACTION_LAUNCH | ACTION_BEGIN)))
		return;
	assert_true(facts & FACT_MAY_START);
	/* The main process of a run that has begun already. */
	if (!(step->actions & ACTION_BEGIN)) {
		assert_int_equal(state, STATE_PREPARING);
		assert_int_equal(step->next, STATE_STARTING);
		return;
	}
	/* Never a second run beside a live one, never unwanted. */
	if (step_is_live(state) && event != EVENT_EXIT && event != EVENT_GONE &&
	    event != EVENT_HOOK)
		fail_msg(
		    "a run begins in %s on %s", step_state_own_name(state), step_event_name(event));
	if (step_is_live(state) && (event == EVENT_EXIT || state == STATE_STOPPING))
		assert_false((facts & FACT_POST_STOP) != 0);
	if (event == EVENT_CHECK || event == EVENT_STOP)
		assert_true(facts & FACT_UP);
	assert_int_equal(step->next, facts & FACT_PRE_START ? STATE_PREPARING : STATE_STARTING);
	assert_int_equal((step->actions & ACTION_HOOK) != 0, (facts & FACT_PRE_START) != 0);
	assert_int_equal((step->actions & ACTION_LAUNCH) != 0, (facts & FACT_PRE_START) == 0);
}

static void test_a_launch_happens_only_without_a_live_run_and_when_allowed(void **context)
{
	(void)context;
	for_all(check_launch);
}

static void check_starting(
    enum state state, enum event event, unsigned facts, const struct step *step)
{
	if (step->next == STATE_STARTING && state != STATE_STARTING)
		assert_true(step->actions & ACTION_LAUNCH);
	if (step->next != STATE_RUNNING || state == STATE_RUNNING)
		return;
	assert_true(state == STATE_STARTING || state == STATE_SETTLING);
	/* Ready, with its post_start behind it; a oneshot when it remains. */
	if (state == STATE_STARTING && event != EVENT_EXIT)
		assert_false((facts & FACT_POST_START) != 0);
	if (event == EVENT_TIMER || event == EVENT_HOOK)
		assert_false((facts & FACT_FAILED) != 0);
	if (event == EVENT_EXIT)
		assert_true((facts & FACT_COMPLETE) && (facts & FACT_REMAIN));
}

static void test_starting_is_entered_by_a_launch_and_running_from_starting_only(void **context)
{
	(void)context;
	for_all(check_starting);
}

static void check_end(enum state state, enum event event, unsigned facts, const struct step *step)
{
	/* A live run is left only by its end; STOPPED is reached from it only when everything is
	 * gone, its post_stop too. */
	if (step_is_live(state) && !step_is_live(step->next))
		assert_true(event == EVENT_EXIT || event == EVENT_GONE || event == EVENT_HOOK);
	if (state == STATE_STOPPING && step->next != STATE_STOPPING) {
		assert_int_equal(event, EVENT_GONE);
		assert_int_equal(step->next == STATE_CLEANING, (facts & FACT_POST_STOP) != 0);
	}
	if (state == STATE_CLEANING && step->next != STATE_CLEANING)
		assert_int_equal(event, EVENT_HOOK);
	if (step_is_live(state) && step->next == STATE_STOPPED)
		assert_true(event == EVENT_GONE || state == STATE_CLEANING);
}

static void test_a_live_run_is_left_only_when_it_is_gone(void **context)
{
	(void)context;
	for_all(check_end);
}

static void check_deadline(
    enum state state, enum event event, unsigned facts, const struct step *step)
{
	bool entered = step->next != state;

	(void)event;
	(void)facts;
	/* States that wait for time or processes have a deadline, those that wait for a hook have
	 * the hook's. */
	if (entered && (step->next == STATE_STARTING || step->next == STATE_BACKOFF ||
			   step->next == STATE_STOPPING || step->next == STATE_FATAL))
		assert_true(step->actions & ACTION_TIMER);
	if (entered && (step->next == STATE_PREPARING || step->next == STATE_SETTLING ||
			   step->next == STATE_ENDING || step->next == STATE_CLEANING))
		assert_true(step->actions & ACTION_HOOK);
	if (step->next == STATE_STOPPED || step->next == STATE_EXITED ||
	    step->next == STATE_RUNNING || step->next == STATE_WAITING)
		assert_false(step->actions & ACTION_TIMER);
}

static void test_states_that_wait_have_a_deadline(void **context)
{
	(void)context;
	for_all(check_deadline);
}

static void check_stop(enum state state, enum event event, unsigned facts, const struct step *step)
{
	if (event != EVENT_STOP || (facts & FACT_UP))
		return;
	/* Wanted down: on its way, at rest, or (when its turn has not come) waiting for the CHECK.
	 */
	if (step_is_stopping(state))
		assert_int_equal(step->next, state);
	else if (step->next == STATE_STOPPING)
		assert_true(step->actions & ACTION_SIGNAL);
	else if (step->next == STATE_ENDING)
		assert_true(state == STATE_RUNNING && (facts & FACT_PRE_STOP));
	else if (step_is_live(step->next))
		assert_false((facts & FACT_MAY_STOP) != 0);
	else
		assert_int_equal(step->next, STATE_STOPPED);
}

static void test_a_stop_stops_or_waits_for_its_turn(void **context)
{
	(void)context;
	for_all(check_stop);
}

static void expect(
    enum state state, enum event event, unsigned facts, enum state next, unsigned actions)
{
	struct step step;

	assert_int_equal(step_decide(state, event, facts, &step), 0);
	if (step.next != next || step.actions != actions)
		fail_msg("%s/%s facts %#x: got %s %#x, expected %s %#x", step_state_name(state),
		    step_event_name(event), facts, step_state_name(step.next), step.actions,
		    step_state_name(next), actions);
}

/* What goes together in the table. */
#define BEGIN_RUN (ACTION_BEGIN | ACTION_LAUNCH | ACTION_TIMER)
#define STOP_RUN  (ACTION_SIGNAL | ACTION_PROBE | ACTION_TIMER)

static void test_exit_when_policy_says_restart_then_backs_off(void **context)
{
	(void)context;
	expect(STATE_RUNNING, EVENT_EXIT, FACT_UP | FACT_RESTART | FACT_MAY_START, STATE_BACKOFF,
	    ACTION_COUNT | ACTION_TIMER);
	expect(STATE_STARTING, EVENT_EXIT, FACT_UP | FACT_RESTART | FACT_GIVE_UP, STATE_FATAL,
	    ACTION_COUNT | ACTION_TIMER | ACTION_GIVEN_UP);
	expect(STATE_RUNNING, EVENT_EXIT, FACT_UP | FACT_RESTART | FACT_NO_DELAY | FACT_MAY_START,
	    STATE_STARTING, ACTION_COUNT | BEGIN_RUN);
}

static void test_exit_when_not_to_be_restarted_then_exited(void **context)
{
	(void)context;
	expect(STATE_RUNNING, EVENT_EXIT, FACT_UP | FACT_MAY_START, STATE_EXITED, ACTION_GIVEN_UP);
}

static void test_exit_with_leftovers_when_restarting_then_the_rest_is_stopped_first(void **context)
{
	(void)context;
	expect(STATE_RUNNING, EVENT_EXIT,
	    FACT_UP | FACT_RESTART | FACT_LEFTOVERS | FACT_NO_DELAY | FACT_MAY_START,
	    STATE_STOPPING, STOP_RUN);
	expect(STATE_STOPPING, EVENT_GONE, FACT_UP | FACT_RESTART | FACT_MAY_START, STATE_BACKOFF,
	    ACTION_COUNT | ACTION_TIMER);
	expect(STATE_BACKOFF, EVENT_TIMER, FACT_UP | FACT_LEFTOVERS | FACT_MAY_START, STATE_BACKOFF,
	    ACTION_ESCALATE | ACTION_TIMER);
	expect(STATE_BACKOFF, EVENT_TIMER, FACT_UP | FACT_MAY_START, STATE_STARTING, BEGIN_RUN);
}

static void test_restart_of_a_running_one_then_stops_and_starts_when_gone(void **context)
{
	(void)context;
	expect(STATE_RUNNING, EVENT_STOP, FACT_UP | FACT_HALT | FACT_MAY_STOP | FACT_MAY_START,
	    STATE_STOPPING, STOP_RUN);
	expect(STATE_STOPPING, EVENT_GONE, FACT_UP | FACT_HALT | FACT_MAY_START, STATE_STARTING,
	    ACTION_RESET | BEGIN_RUN);
}

static void test_stop_during_stop_of_a_restart_then_stays_down(void **context)
{
	(void)context;
	expect(STATE_STOPPING, EVENT_STOP, FACT_HALT | FACT_MAY_STOP, STATE_STOPPING, 0);
	expect(STATE_STOPPING, EVENT_GONE, FACT_HALT | FACT_MAY_START, STATE_STOPPED, 0);
}

static void test_timer_in_stopping_then_escalates_and_looks_again(void **context)
{
	(void)context;
	expect(STATE_STOPPING, EVENT_TIMER, FACT_HALT, STATE_STOPPING,
	    ACTION_ESCALATE | ACTION_TIMER | ACTION_PROBE);
}

static void test_start_of_a_fatal_one_then_counters_are_reset(void **context)
{
	(void)context;
	expect(STATE_FATAL, EVENT_START, FACT_UP | FACT_MAY_START, STATE_STARTING,
	    ACTION_RESET | BEGIN_RUN);
	expect(STATE_FATAL, EVENT_START, FACT_UP, STATE_WAITING, ACTION_RESET);
}

static void test_backoff_when_launching_is_not_allowed_then_waits(void **context)
{
	(void)context;
	expect(STATE_BACKOFF, EVENT_TIMER, FACT_UP, STATE_WAITING, 0);
	expect(STATE_WAITING, EVENT_CHECK, FACT_UP | FACT_MAY_START, STATE_STARTING, BEGIN_RUN);
}

static void test_hooks_then_each_has_its_state(void **context)
{
	(void)context;
	expect(STATE_WAITING, EVENT_CHECK, FACT_UP | FACT_MAY_START | FACT_PRE_START,
	    STATE_PREPARING, ACTION_BEGIN | ACTION_HOOK);
	expect(STATE_PREPARING, EVENT_HOOK, FACT_UP | FACT_MAY_START | FACT_PRE_START,
	    STATE_STARTING, ACTION_LAUNCH | ACTION_TIMER);
	expect(STATE_STARTING, EVENT_READY, FACT_UP | FACT_POST_START, STATE_SETTLING, ACTION_HOOK);
	expect(STATE_SETTLING, EVENT_HOOK, FACT_UP | FACT_POST_START, STATE_RUNNING, 0);
	expect(STATE_RUNNING, EVENT_STOP, FACT_HALT | FACT_MAY_STOP | FACT_PRE_STOP, STATE_ENDING,
	    ACTION_HOOK);
	expect(STATE_ENDING, EVENT_HOOK, FACT_HALT | FACT_FAILED, STATE_STOPPING, STOP_RUN);
	expect(STATE_STOPPING, EVENT_GONE, FACT_HALT | FACT_POST_STOP, STATE_CLEANING, ACTION_HOOK);
	expect(STATE_CLEANING, EVENT_HOOK, FACT_HALT, STATE_STOPPED, 0);
}

static void test_failed_hook_of_a_start_then_the_run_has_failed(void **context)
{
	(void)context;
	expect(STATE_PREPARING, EVENT_HOOK, FACT_UP | FACT_MAY_START | FACT_FAILED, STATE_STOPPING,
	    ACTION_FAIL | STOP_RUN);
	expect(STATE_SETTLING, EVENT_HOOK, FACT_UP | FACT_FAILED, STATE_STOPPING,
	    ACTION_FAIL | STOP_RUN);
}

static void test_oneshot_then_completes(void **context)
{
	(void)context;
	expect(STATE_STARTING, EVENT_EXIT, FACT_UP | FACT_COMPLETE, STATE_EXITED, ACTION_GIVEN_UP);
	expect(STATE_STARTING, EVENT_EXIT, FACT_UP | FACT_COMPLETE | FACT_REMAIN, STATE_RUNNING, 0);
}

static void test_oneshot_that_was_ready_before_its_end_then_completes(void **context)
{
	(void)context;
	expect(STATE_RUNNING, EVENT_EXIT, FACT_UP | FACT_COMPLETE | FACT_REMAIN, STATE_RUNNING, 0);
	expect(STATE_RUNNING, EVENT_EXIT, FACT_UP | FACT_COMPLETE, STATE_EXITED, ACTION_GIVEN_UP);
	expect(STATE_SETTLING, EVENT_EXIT, FACT_UP | FACT_COMPLETE, STATE_SETTLING, 0);
	expect(STATE_SETTLING, EVENT_EXIT, FACT_UP, STATE_STOPPING, STOP_RUN);
	expect(STATE_SETTLING, EVENT_EXIT, FACT_UP | FACT_COMPLETE | FACT_HALT, STATE_STOPPING,
	    STOP_RUN);
}

static void test_prepared_when_it_may_not_start_any_more_then_that_is_no_failure(void **context)
{
	(void)context;
	expect(STATE_PREPARING, EVENT_HOOK, FACT_UP, STATE_STOPPING, STOP_RUN);
}

static void test_end_of_a_hook_with_leftovers_then_the_rest_is_stopped_first(void **context)
{
	(void)context;
	expect(STATE_SETTLING, EVENT_HOOK,
	    FACT_UP | FACT_COMPLETE | FACT_RESTART | FACT_LEFTOVERS | FACT_MAY_START,
	    STATE_STOPPING, STOP_RUN);
	expect(STATE_CLEANING, EVENT_HOOK, FACT_HALT | FACT_LEFTOVERS, STATE_STOPPING, STOP_RUN);
	expect(STATE_CLEANING, EVENT_HOOK, FACT_UP | FACT_RESTART | FACT_LEFTOVERS, STATE_STOPPING,
	    STOP_RUN);
	expect(STATE_CLEANING, EVENT_HOOK, FACT_UP | FACT_LEFTOVERS, STATE_EXITED, ACTION_GIVEN_UP);
}

static void test_at_rest_and_not_wanted_then_the_stop_is_made_up_for(void **context)
{
	(void)context;
	expect(STATE_EXITED, EVENT_CHECK, 0, STATE_STOPPING, STOP_RUN);
	expect(STATE_EXITED, EVENT_CHECK, FACT_UP | FACT_MAY_START, STATE_EXITED, 0);
	expect(STATE_FATAL, EVENT_CHECK, 0, STATE_STOPPING, STOP_RUN);
	expect(STATE_FATAL, EVENT_TIMER, FACT_MAY_START, STATE_STOPPING, STOP_RUN);
	expect(STATE_FATAL, EVENT_TIMER, FACT_UP | FACT_MAY_START, STATE_STARTING,
	    ACTION_RESET | BEGIN_RUN);
}

static void test_not_ready_in_time_then_the_run_has_failed(void **context)
{
	(void)context;
	expect(STATE_STARTING, EVENT_TIMER, FACT_UP | FACT_FAILED, STATE_STOPPING,
	    ACTION_FAIL | STOP_RUN);
	expect(STATE_STARTING, EVENT_TIMER, FACT_UP, STATE_RUNNING, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_legal_cell_decides_and_no_other_does),
	    cmocka_unit_test(test_steps_lead_to_known_states_and_actions),
	    cmocka_unit_test(test_a_launch_happens_only_without_a_live_run_and_when_allowed),
	    cmocka_unit_test(test_starting_is_entered_by_a_launch_and_running_from_starting_only),
	    cmocka_unit_test(test_a_live_run_is_left_only_when_it_is_gone),
	    cmocka_unit_test(test_states_that_wait_have_a_deadline),
	    cmocka_unit_test(test_a_stop_stops_or_waits_for_its_turn),
	    cmocka_unit_test(test_exit_when_policy_says_restart_then_backs_off),
	    cmocka_unit_test(test_exit_when_not_to_be_restarted_then_exited),
	    cmocka_unit_test(
		test_exit_with_leftovers_when_restarting_then_the_rest_is_stopped_first),
	    cmocka_unit_test(test_restart_of_a_running_one_then_stops_and_starts_when_gone),
	    cmocka_unit_test(test_stop_during_stop_of_a_restart_then_stays_down),
	    cmocka_unit_test(test_timer_in_stopping_then_escalates_and_looks_again),
	    cmocka_unit_test(test_start_of_a_fatal_one_then_counters_are_reset),
	    cmocka_unit_test(test_backoff_when_launching_is_not_allowed_then_waits),
	    cmocka_unit_test(test_hooks_then_each_has_its_state),
	    cmocka_unit_test(test_failed_hook_of_a_start_then_the_run_has_failed),
	    cmocka_unit_test(test_oneshot_then_completes),
	    cmocka_unit_test(test_oneshot_that_was_ready_before_its_end_then_completes),
	    cmocka_unit_test(test_prepared_when_it_may_not_start_any_more_then_that_is_no_failure),
	    cmocka_unit_test(test_end_of_a_hook_with_leftovers_then_the_rest_is_stopped_first),
	    cmocka_unit_test(test_at_rest_and_not_wanted_then_the_stop_is_made_up_for),
	    cmocka_unit_test(test_not_ready_in_time_then_the_run_has_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
