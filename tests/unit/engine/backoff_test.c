/* SPDX-License-Identifier: ISC */
/* backoff_test.c: delays, the start limit's window, and policy.h: what the end of a run means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <cmocka.h>

#include "lib/clock.h"
#include "supervisord/engine/backoff.h"
#include "supervisord/engine/policy.h"

static const struct backoff_policy usual = {
    .delay_ns = 200 * NS_PER_MS,
    .delay_max_ns = 30 * NS_PER_S,
    .factor = 2,
    .reset_after_ns = 60 * NS_PER_S,
    .limit = 5,
    .interval_ns = 60 * NS_PER_S,
};

static int64_t delay_ms(const struct backoff_policy *policy, uint32_t failures)
{
	return backoff_delay_ns(policy, failures) / NS_PER_MS;
}

static void test_delay_when_failing_on_then_doubles_to_the_cap(void **context)
{
	(void)context;
	assert_int_equal(delay_ms(&usual, 0), 200);
	assert_int_equal(delay_ms(&usual, 1), 400);
	assert_int_equal(delay_ms(&usual, 4), 3200);
	assert_int_equal(delay_ms(&usual, 7), 25600);
	assert_int_equal(delay_ms(&usual, 8), 30000);
	assert_int_equal(delay_ms(&usual, UINT32_MAX), 30000);
}

static void test_delay_when_factor_is_one_then_constant(void **context)
{
	struct backoff_policy policy = usual;

	(void)context;
	policy.factor = 1;
	assert_int_equal(delay_ms(&policy, 0), 200);
	assert_int_equal(delay_ms(&policy, UINT32_MAX), 200);
}

static void test_delay_when_zero_then_zero_for_ever(void **context)
{
	struct backoff_policy policy = usual;

	(void)context;
	policy.delay_ns = 0;
	assert_int_equal(delay_ms(&policy, 0), 0);
	assert_int_equal(delay_ms(&policy, 1000000), 0);
}

static void test_limit_when_reached_within_the_window_then_exhausted(void **context)
{
	struct ledger_state state = {0};
	int64_t now_ns = 1000 * NS_PER_S;

	(void)context;
	for (int i = 0; i < 5; i++) {
		assert_false(backoff_is_exhausted(&usual, &state, now_ns));
		backoff_note_start(&usual, &state, now_ns);
		now_ns += NS_PER_S;
	}
	assert_true(backoff_is_exhausted(&usual, &state, now_ns));
	backoff_reset(&state);
	assert_false(backoff_is_exhausted(&usual, &state, now_ns));
}

static void test_limit_when_the_window_is_over_then_counts_anew(void **context)
{
	struct ledger_state state = {0};
	int64_t now_ns = NS_PER_S;

	(void)context;
	for (int i = 0; i < 100; i++) {
		backoff_note_start(&usual, &state, now_ns);
		assert_false(
		    backoff_is_exhausted(&usual, &state, now_ns + 14 * NS_PER_S) && i % 5 != 4);
		now_ns += 15 * NS_PER_S; /* four starts a window: never too many */
		assert_false(backoff_is_exhausted(&usual, &state, now_ns));
	}
}

static void test_limit_when_zero_then_never_exhausted(void **context)
{
	struct backoff_policy policy = usual;
	struct ledger_state state = {0};

	(void)context;
	policy.limit = 0;
	for (int i = 0; i < 1000; i++)
		backoff_note_start(&policy, &state, NS_PER_S);
	assert_false(backoff_is_exhausted(&policy, &state, NS_PER_S));
}

static void test_end_of_a_long_run_then_everything_is_forgiven(void **context)
{
	struct ledger_state state = {.failures = 4, .window_ns = 1, .window_starts = 4};

	(void)context;
	backoff_note_end(&usual, &state, 59 * NS_PER_S);
	assert_int_equal(state.failures, 4);
	backoff_note_end(&usual, &state, 60 * NS_PER_S);
	assert_int_equal(state.failures, 0);
	assert_int_equal(state.window_starts, 0);
}

/* wait(2) statuses */
#define EXITED(code)   ((code) << 8)
#define KILLED(signal) (signal)

static void test_policy_of_each_kind_and_end(void **context)
{
	struct life_config life = {.key_type = TYPE_SERVICE};
	struct program_config config = {
	    .life = &life,
	    .key_success_exit = {.codes = {1}, .signals = UINT64_C(1) << (SIGTERM - 1)},
	};
	static const struct {
		enum restart_policy restart;
		int wstatus;
		bool launched;
		bool again;
	} cases[] = {
	    {RESTART_NEVER, EXITED(1), true, false},
	    {RESTART_NEVER, KILLED(SIGKILL), true, false},
	    {RESTART_NEVER, EXITED(127), false, false},
	    {RESTART_ON_FAILURE, EXITED(0), true, false},
	    {RESTART_ON_FAILURE, EXITED(1), true, true},
	    {RESTART_ON_FAILURE, EXITED(255), true, true},
	    {RESTART_ON_FAILURE, KILLED(SIGKILL), true, true},
	    {RESTART_ON_FAILURE, KILLED(SIGTERM), true, false},
	    {RESTART_ON_FAILURE, KILLED(SIGSEGV) | 0x80, true, true},
	    {RESTART_ON_FAILURE, EXITED(127), false, true},
	    {RESTART_ON_ABNORMAL, EXITED(1), true, false},
	    {RESTART_ON_ABNORMAL, KILLED(SIGKILL), true, true},
	    {RESTART_ON_ABNORMAL, KILLED(SIGTERM), true, false},
	    {RESTART_ON_ABNORMAL, EXITED(127), false, true},
	    {RESTART_ALWAYS, EXITED(0), true, true},
	    {RESTART_ALWAYS, KILLED(SIGTERM), true, true},
	};

	(void)context;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		config.key_restart = cases[i].restart;
		if (policy_wants_restart(&config, cases[i].wstatus, !cases[i].launched) !=
		    cases[i].again)
			fail_msg("case %zu", i);
	}
}

static void test_forced_and_prevented_exits_then_they_decide(void **context)
{
	struct life_config life = {
	    .key_restart_prevent_exit = {.codes = {1 << 3}},
	    .key_restart_force_exit = {.codes = {1}, .signals = UINT64_C(1) << (SIGUSR1 - 1)},
	};
	struct program_config config = {
	    .life = &life, .key_success_exit = {.codes = {1}}, .key_restart = RESTART_ALWAYS};

	(void)context;
	assert_false(policy_wants_restart(&config, EXITED(3), false));
	/* A run that failed otherwise has a status that says nothing. */
	assert_true(policy_wants_restart(&config, EXITED(3), true));
	config.key_restart = RESTART_NEVER;
	assert_true(policy_wants_restart(&config, EXITED(0), false));
	assert_true(policy_wants_restart(&config, KILLED(SIGUSR1), false));
	assert_false(policy_wants_restart(&config, EXITED(0), true));
	assert_false(policy_wants_restart(&config, EXITED(1), false));
}

static void test_jitter_then_at_most_the_part_that_was_asked_for(void **context)
{
	(void)context;
	assert_int_equal(backoff_jitter_ns(NS_PER_S, 10, 0), 0);
	assert_int_equal(backoff_jitter_ns(NS_PER_S, 10, UINT32_MAX), NS_PER_S / 10);
	assert_in_range(
	    backoff_jitter_ns(NS_PER_S, 10, UINT32_MAX / 2), NS_PER_S / 20 - 1, NS_PER_S / 20 + 1);
	assert_int_equal(backoff_jitter_ns(NS_PER_S, 0, UINT32_MAX), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_delay_when_failing_on_then_doubles_to_the_cap),
	    cmocka_unit_test(test_delay_when_factor_is_one_then_constant),
	    cmocka_unit_test(test_delay_when_zero_then_zero_for_ever),
	    cmocka_unit_test(test_limit_when_reached_within_the_window_then_exhausted),
	    cmocka_unit_test(test_limit_when_the_window_is_over_then_counts_anew),
	    cmocka_unit_test(test_limit_when_zero_then_never_exhausted),
	    cmocka_unit_test(test_end_of_a_long_run_then_everything_is_forgiven),
	    cmocka_unit_test(test_policy_of_each_kind_and_end),
	    cmocka_unit_test(test_forced_and_prevented_exits_then_they_decide),
	    cmocka_unit_test(test_jitter_then_at_most_the_part_that_was_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
