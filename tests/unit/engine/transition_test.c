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

static void test_retime_when_a_length_changed_then_the_wait_ends_as_if_it_had_been_so(void **state)
{
	static const struct stop_sequence long_stop = {
	    .count = 2, .steps = {{15, 30 * NS_PER_S}, {2, 30 * NS_PER_S}}};
	struct life_config lives[2] = {
	    {.key_ready.kind = CHECK_NOTIFY,
		.key_start_timeout = 60 * NS_PER_S,
		.key_on_failure = {.kind = ON_FAILURE_RETRY, .delay_ns = 3600 * NS_PER_S},
		.key_stop_sequence = long_stop},
	    {.key_ready.kind = CHECK_NOTIFY,
		.key_start_timeout = 90 * NS_PER_S,
		.key_on_failure = {.kind = ON_FAILURE_RETRY, .delay_ns = NS_PER_S}}};
	const struct program_config before = {.life = &lives[0],
	    .key_stop_timeout = 10 * NS_PER_S,
	    .key_restart_delay = 30 * NS_PER_S,
	    .key_restart_delay_max = 30 * NS_PER_S,
	    .key_restart_factor = 1};
	const struct program_config after = {.life = &lives[1],
	    .key_stop_timeout = 5 * NS_PER_S,
	    .key_restart_delay = 3 * NS_PER_S,
	    .key_restart_delay_max = 3 * NS_PER_S,
	    .key_restart_factor = 1};
	/* All are entered at 100 s. */
	static const struct {
		enum state state;
		uint8_t step;
		int64_t deadline_s, expected_s;
	} rows[] = {
	    {STATE_STARTING, 0, 160, 190},
	    {STATE_STARTING, 0, 300, 330}, /* it has been extended */
	    {STATE_BACKOFF, 0, 133, 103},  /* 3 of them are jitter, which there is no more */
	    {STATE_FATAL, 0, 3700, 101},
	    {STATE_STOPPING, 1, 130, 105},
	    {STATE_STOPPING, 2, 160, 131}, /* there is one step now: the second is KILL */
	    {STATE_RUNNING, 0, 0, 0},
	    {STATE_WAITING, 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct ledger_state now = {.state = (uint8_t)rows[i].state,
		    .stop_step = rows[i].step,
		    .failures = 1,
		    .since_ns = 100 * NS_PER_S,
		    .deadline_ns = rows[i].deadline_s * NS_PER_S};

		assert_int_equal(transition_retime_ns(&now, &before, &before), now.deadline_ns);
		assert_int_equal(
		    transition_retime_ns(&now, &before, &after), rows[i].expected_s * NS_PER_S);
	}
}

static void test_retime_when_there_is_an_end_no_more_or_only_now_then_so_it_is(void **state)
{
	struct life_config lives[2] = {
	    {.key_ready.kind = CHECK_NOTIFY}, {.key_ready.kind = CHECK_NOTIFY}};
	const struct program_config ends = {.life = &lives[0]}, endless = {.life = &lives[1]};
	struct ledger_state now = {
	    .state = STATE_STARTING, .since_ns = 100 * NS_PER_S, .deadline_ns = 160 * NS_PER_S};

	(void)state;
	lives[0].key_start_timeout = 60 * NS_PER_S;
	assert_int_equal(transition_retime_ns(&now, &ends, &endless), 0);
	now.deadline_ns = 0;
	assert_int_equal(transition_retime_ns(&now, &endless, &ends), 160 * NS_PER_S);
	/* An engine was killed before it wrote down that there is an end no more. */
	now.deadline_ns = 500 * NS_PER_S;
	assert_int_equal(transition_retime_ns(&now, &endless, &ends), 160 * NS_PER_S);
	now.deadline_ns = 0;
	lives[0].key_on_failure.kind = ON_FAILURE_RETRY;
	lives[0].key_on_failure.delay_ns = 7 * NS_PER_S;
	now.state = STATE_FATAL;
	assert_int_equal(transition_retime_ns(&now, &endless, &ends), 107 * NS_PER_S);
}

/* A forking program's command ends: nothing that is told changes. */
static void test_fork_when_its_command_ends_then_the_reason_stays(void **state)
{
	struct life_config forking_life = {.key_type = TYPE_FORKING};
	const struct program_config forking = {.life = &forking_life};
	const struct ledger_state before = {
	    .state = STATE_STARTING, .wanted = WANTED_UP, .starts = 1, .reason = REASON_AUTOSTART};
	const struct happening end = {.event = EVENT_EXIT,
	    .cause = {.reason = REASON_EXIT},
	    .run = 1,
	    .pid = 7,
	    .launched = true};
	struct transition transition;

	(void)state;
	assert_int_equal(transition_decide(&before, &forking, &end, &transition), 0);
	assert_int_equal(transition.state.state, STATE_STARTING);
	assert_int_equal(transition.state.forked_pid, 7);
	assert_int_equal(transition.state.reason, REASON_AUTOSTART);
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

/* What is told of a run does not hang on what the policy makes of it. */
static void test_bad_end_then_the_run_has_failed_whatever_comes_next(void **state)
{
	static const struct {
		enum restart_policy restart;
		uint8_t wanted;
		int32_t wstatus;
		bool failed;
	} rows[] = {
	    {RESTART_NEVER, WANTED_UP, 1 << 8, true},
	    {RESTART_ON_ABNORMAL, WANTED_UP, 1 << 8, true},
	    {RESTART_ALWAYS, WANTED_UP, 1 << 8, true},
	    {RESTART_NEVER, WANTED_UP, 15, true},
	    {RESTART_NEVER, WANTED_UP, 0, false},
	    {RESTART_NEVER, WANTED_DOWN, 15, false},
	};

	(void)state;
	config.key_success_exit.codes[0] = 1;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ledger_state now = {
		    .state = rows[i].wanted == WANTED_UP ? STATE_RUNNING : STATE_STOPPING,
		    .wanted = rows[i].wanted,
		    .starts = 1};
		struct happening happening = {.event = EVENT_EXIT,
		    .may_start = true,
		    .may_stop = true,
		    .launched = true,
		    .run = 1,
		    .wstatus = rows[i].wstatus};
		struct transition transition;

		config.key_restart = rows[i].restart;
		assert_int_equal(transition_decide(&now, &config, &happening, &transition), 0);
		assert_true(transition.ended);
		assert_int_equal(transition.failed, rows[i].failed);
	}
	config.key_success_exit.codes[0] = 0;
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

/* ---- start = "on-demand" ---- */

static struct life_config lazy_life = {.key_start = START_ON_DEMAND,
    .key_trigger_limit = 2,
    .key_trigger_limit_interval = 2 * NS_PER_S};
static const struct program_config lazy = {.life = &lazy_life,
    .key_stop_signal = 15,
    .key_success_exit = {.codes = {1}},
    .key_restart = RESTART_ON_FAILURE,
    .key_restart_delay = NS_PER_S,
    .key_restart_delay_max = NS_PER_S,
    .key_restart_factor = 1};

static struct life_config accepting_life = {.key_start = START_ON_DEMAND,
    .key_accept = true,
    .key_trigger_limit = 2,
    .key_trigger_limit_interval = 2 * NS_PER_S};
static const struct program_config accepting = {.life = &accepting_life,
    .key_stop_signal = 15,
    .key_success_exit = {.codes = {1}},
    .key_restart = RESTART_ALWAYS,
    .key_start_limit = 1,
    .key_start_limit_interval = NS_PER_S};
static bool lazy_accepts;

/* The next state, by an event when everything else allows a start. */
static void lazily(struct ledger_state *now, struct happening happening)
{
	struct transition transition;

	happening.may_start = happening.may_stop = happening.launched = true;
	if (happening.event == EVENT_EXIT)
		happening.run = now->starts;
	assert_int_equal(
	    transition_decide(now, lazy_accepts ? &accepting : &lazy, &happening, &transition), 0);
	*now = transition.state;
}

static void test_on_demand_then_only_who_asks_starts_it(void **state)
{
	static const struct {
		enum reason reason;
		bool starts;
	} asks[] = {{REASON_ADDED, false}, {REASON_CHANGED, false}, {REASON_AUTOSTART, false},
	    {REASON_LAST_STATE, false}, {REASON_STARTED, true}, {REASON_REQUIRED, true},
	    {REASON_GAVE_UP, true}};

	(void)state;
	for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
		struct ledger_state now = {.state = STATE_STOPPED, .wanted = WANTED_UP};

		lazily(&now,
		    (struct happening){.event = EVENT_START, .cause = {.reason = asks[i].reason}});
		assert_int_equal(now.state, asks[i].starts ? STATE_STARTING : STATE_WAITING);
		assert_false(now.flags & LEDGER_FLAG_DEMAND); /* the run is the answer */
	}
}

static void test_on_demand_then_a_connection_or_a_need_ends_the_wait(void **state)
{
	struct ledger_state now = {.state = STATE_WAITING, .wanted = WANTED_UP};

	(void)state;
	lazily(&now, (struct happening){.event = EVENT_CHECK});
	assert_int_equal(now.state, STATE_WAITING);
	lazily(&now, (struct happening){.event = EVENT_CHECK, .needed = true});
	assert_int_equal(now.state, STATE_STARTING);
	assert_int_equal(now.demand_starts, 0);
	now = (struct ledger_state){.state = STATE_WAITING, .wanted = WANTED_UP};
	lazily(&now, (struct happening){.event = EVENT_CHECK, .demand = true, .now_ns = 1});
	assert_int_equal(now.state, STATE_STARTING);
	assert_int_equal(now.reason, REASON_DEMAND);
	assert_int_equal(now.demand_starts, 1);
}

/* Who was asked for while it could not start is not forgotten. */
static void test_on_demand_and_asked_for_then_it_starts_as_soon_as_it_may(void **state)
{
	struct ledger_state now = {.state = STATE_STOPPED, .wanted = WANTED_UP};
	struct happening start = {.event = EVENT_START, .cause = {.reason = REASON_STARTED}};
	struct transition transition;

	(void)state;
	assert_int_equal(transition_decide(&now, &lazy, &start, &transition), 0);
	now = transition.state;
	assert_int_equal(now.state, STATE_WAITING);
	assert_false(transition_waits_for_demand(&lazy, &now));
	lazily(&now, (struct happening){.event = EVENT_CHECK});
	assert_int_equal(now.state, STATE_STARTING);
}

/* The connection may have gone meanwhile, and who asked by hand is no connection. */
static void test_on_demand_and_prepared_then_it_is_launched(void **state)
{
	static char word[] = "/bin/true";
	static char *hook[] = {word, NULL};
	struct ledger_state now = {.state = STATE_STOPPED, .wanted = WANTED_UP};

	(void)state;
	lazy_life.key_pre_start = hook;
	lazily(&now, (struct happening){.event = EVENT_START, .cause = {.reason = REASON_STARTED}});
	assert_int_equal(now.state, STATE_PREPARING);
	lazily(&now, (struct happening){.event = EVENT_HOOK});
	assert_int_equal(now.state, STATE_STARTING);
	lazy_life.key_pre_start = NULL;
}

static void test_on_demand_and_ended_well_then_it_waits_again(void **state)
{
	struct ledger_state now = {
	    .state = STATE_RUNNING, .wanted = WANTED_UP, .starts = 1, .failures = 2};

	(void)state;
	lazily(&now, (struct happening){.event = EVENT_EXIT});
	assert_int_equal(now.state, STATE_WAITING);
	assert_int_equal(now.failures, 0);
	/* Somebody waits already. */
	now = (struct ledger_state){.state = STATE_RUNNING, .wanted = WANTED_UP, .starts = 1};
	lazily(&now, (struct happening){.event = EVENT_EXIT, .demand = true});
	assert_int_equal(now.state, STATE_STARTING);
	assert_int_equal(now.starts, 2);
	/* What is left of the run goes first. */
	now = (struct ledger_state){.state = STATE_RUNNING, .wanted = WANTED_UP, .starts = 1};
	lazily(&now, (struct happening){.event = EVENT_EXIT, .demand = true, .leftovers = true});
	assert_int_equal(now.state, STATE_STOPPING);
	lazily(&now, (struct happening){.event = EVENT_GONE});
	assert_int_equal(now.state, STATE_WAITING);
}

static void test_on_demand_and_failed_then_the_delay_comes_first(void **state)
{
	struct ledger_state now = {.state = STATE_RUNNING, .wanted = WANTED_UP, .starts = 1};

	(void)state;
	lazily(&now, (struct happening){.event = EVENT_EXIT, .wstatus = 1 << 8, .demand = true});
	assert_int_equal(now.state, STATE_BACKOFF);
	lazily(&now, (struct happening){.event = EVENT_TIMER, .now_ns = NS_PER_S});
	assert_int_equal(now.state, STATE_WAITING);
}

static void test_idle_then_the_run_ends_and_it_waits_or_serves_who_has_come(void **state)
{
	(void)state;
	for (int demand = 0; demand < 2; demand++) {
		struct ledger_state now = {
		    .state = STATE_RUNNING, .wanted = WANTED_UP, .starts = 1};

		lazily(&now, (struct happening){.event = EVENT_CHECK, .idle = true});
		assert_int_equal(now.state, STATE_STOPPING);
		lazily(&now, (struct happening){.event = EVENT_EXIT, .wstatus = 15});
		assert_int_equal(now.state, STATE_STOPPING);
		lazily(&now, (struct happening){.event = EVENT_GONE, .demand = demand != 0});
		assert_int_equal(now.state, demand ? STATE_STARTING : STATE_WAITING);
		assert_false(now.flags & LEDGER_FLAG_LOST);
	}
}

static void test_connection_that_is_never_taken_then_it_is_given_up(void **state)
{
	struct ledger_state now = {.state = STATE_WAITING, .wanted = WANTED_UP};
	struct happening connected = {.event = EVENT_CHECK, .demand = true, .now_ns = NS_PER_S};

	(void)state;
	for (int i = 0; i < 2; i++) {
		lazily(&now, connected);
		assert_int_equal(now.state, STATE_STARTING);
		lazily(&now, (struct happening){.event = EVENT_EXIT, .now_ns = NS_PER_S});
		assert_int_equal(now.state, STATE_WAITING);
	}
	lazily(&now, connected);
	assert_int_equal(now.state, STATE_FATAL);
	assert_int_equal(now.reason, REASON_FLOOD);
	assert_int_equal(now.detail, 2);
	/* By hand it begins anew. */
	lazily(&now,
	    (struct happening){
		.event = EVENT_START, .cause = {.reason = REASON_STARTED}, .now_ns = NS_PER_S});
	assert_int_equal(now.state, STATE_STARTING);
	lazily(&now, (struct happening){.event = EVENT_EXIT, .now_ns = NS_PER_S});
	lazily(&now, connected);
	assert_int_equal(now.state, STATE_STARTING);
	/* As often in a longer time is nothing. */
	now = (struct ledger_state){.state = STATE_WAITING, .wanted = WANTED_UP};
	for (int i = 1; i < 10; i++) {
		connected.now_ns = i * NS_PER_S + 1;
		lazily(&now, connected);
		assert_int_equal(now.state, STATE_STARTING);
		lazily(&now, (struct happening){.event = EVENT_EXIT, .now_ns = connected.now_ns});
	}
}

/* ---- accept = true ---- */

static int begin_accepting(void **state)
{
	(void)state;
	lazy_accepts = true;
	return 0;
}

static int end_accepting(void **state)
{
	(void)state;
	lazy_accepts = false;
	return 0;
}

static void test_place_for_connections_then_nobody_but_one_starts_it(void **state)
{
	struct ledger_state now = {.state = STATE_STOPPED, .wanted = WANTED_UP};

	(void)state;
	lazily(&now, (struct happening){.event = EVENT_START, .cause = {.reason = REASON_STARTED}});
	assert_int_equal(now.state, STATE_WAITING);
	assert_false(now.flags & LEDGER_FLAG_DEMAND);
	lazily(
	    &now, (struct happening){.event = EVENT_STOP, .cause = {.reason = REASON_RESTARTED}});
	assert_int_equal(now.state, STATE_WAITING);
	lazily(&now, (struct happening){.event = EVENT_CHECK, .demand = true});
	assert_int_equal(now.state, STATE_STARTING);
	assert_int_equal(now.reason, REASON_DEMAND);
}

static void test_connection_ends_then_the_place_is_free_however_it_ended(void **state)
{
	static const int ends[] = {0, 1 << 8, 9, TRANSITION_NOT_LAUNCHED};

	(void)state;
	/* More often than start_limit and trigger_limit allow others. */
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct ledger_state now = {.state = STATE_WAITING, .wanted = WANTED_UP};

		for (int64_t k = 1; k < 10; k++) {
			lazily(&now,
			    (struct happening){.event = EVENT_CHECK, .demand = true, .now_ns = k});
			assert_int_equal(now.state, STATE_STARTING);
			lazily(&now, (struct happening){
					 .event = EVENT_EXIT, .wstatus = ends[i], .now_ns = k});
			assert_int_equal(now.state, STATE_WAITING);
		}
		/* Nor is it held against what it is to be by another stanza. */
		assert_int_equal(now.demand_starts, 0);
	}
}

static void test_connection_is_stopped_then_its_place_is_closed_or_free_again(void **state)
{
	struct ledger_state now = {.state = STATE_RUNNING, .wanted = WANTED_DOWN, .starts = 1};

	(void)state;
	lazily(&now, (struct happening){.event = EVENT_STOP});
	lazily(&now, (struct happening){.event = EVENT_EXIT});
	lazily(&now, (struct happening){.event = EVENT_GONE});
	assert_int_equal(now.state, STATE_STOPPED);
	now = (struct ledger_state){
	    .state = STATE_RUNNING, .wanted = WANTED_UP, .flags = LEDGER_FLAG_BOUNCE, .starts = 1};
	lazily(&now, (struct happening){.event = EVENT_STOP});
	lazily(&now, (struct happening){.event = EVENT_EXIT});
	lazily(&now, (struct happening){.event = EVENT_GONE});
	assert_int_equal(now.state, STATE_WAITING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_kill_comes_at_the_deadline_of_the_last_step),
	    cmocka_unit_test(test_kill_comes_after_all_steps_that_are_left),
	    cmocka_unit_test(
		test_retime_when_a_length_changed_then_the_wait_ends_as_if_it_had_been_so),
	    cmocka_unit_test(test_retime_when_there_is_an_end_no_more_or_only_now_then_so_it_is),
	    cmocka_unit_test(test_fork_when_its_command_ends_then_the_reason_stays),
	    cmocka_unit_test(test_crash_loop_follows_its_schedule_and_recovers),
	    cmocka_unit_test(test_bad_end_then_the_run_has_failed_whatever_comes_next),
	    cmocka_unit_test(test_stop_of_the_rest_when_signals_are_for_the_main_process_then_kill),
	    cmocka_unit_test(test_on_demand_then_only_who_asks_starts_it),
	    cmocka_unit_test(test_on_demand_then_a_connection_or_a_need_ends_the_wait),
	    cmocka_unit_test(test_on_demand_and_asked_for_then_it_starts_as_soon_as_it_may),
	    cmocka_unit_test(test_on_demand_and_prepared_then_it_is_launched),
	    cmocka_unit_test(test_on_demand_and_ended_well_then_it_waits_again),
	    cmocka_unit_test(test_on_demand_and_failed_then_the_delay_comes_first),
	    cmocka_unit_test(test_idle_then_the_run_ends_and_it_waits_or_serves_who_has_come),
	    cmocka_unit_test(test_connection_that_is_never_taken_then_it_is_given_up),
	    cmocka_unit_test_setup_teardown(
		test_place_for_connections_then_nobody_but_one_starts_it, begin_accepting,
		end_accepting),
	    cmocka_unit_test_setup_teardown(
		test_connection_ends_then_the_place_is_free_however_it_ended, begin_accepting,
		end_accepting),
	    cmocka_unit_test_setup_teardown(
		test_connection_is_stopped_then_its_place_is_closed_or_free_again, begin_accepting,
		end_accepting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
