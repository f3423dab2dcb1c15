/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/depend.h. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "supervisord/engine/depend.h"
#include "supervisord/engine/step.h"

static struct life_config service_life, oneshot_life = {.key_type = TYPE_ONESHOT};
static struct program_config service = {.life = &service_life};
static struct program_config oneshot = {.life = &oneshot_life, .key_success_exit = {.codes = {1}}};

static struct ledger_state in_state(enum state state, enum wanted wanted)
{
	return (struct ledger_state){
	    .state = (uint8_t)state, .wanted = (uint8_t)wanted, .starts = 1};
}

static void test_names_are_split_from_conditions(void **state)
{
	enum depend_condition condition = DEPEND_HEALTHY;
	size_t length = 99;

	(void)state;
	assert_int_equal(depend_parse("db", &length, &condition), 0);
	assert_int_equal(length, 2);
	assert_int_equal(condition, DEPEND_DEFAULT);
	assert_int_equal(depend_parse("db@1:completed", &length, &condition), 0);
	assert_int_equal(length, 4);
	assert_int_equal(condition, DEPEND_COMPLETED);
	assert_int_equal(depend_parse("db:gone", &length, &condition), -EINVAL);
	assert_int_equal(length, 4);
	assert_null(depend_condition_name(DEPEND_DEFAULT));
	assert_string_equal(depend_condition_name(DEPEND_STARTED), "started");
}

/* What a link to one that is wanted up does in each of its states. */
static void test_links_by_state_of_the_first(void **state)
{
	/* clang-format off */
	static const struct {
		enum state state;
		bool started, ready;           /* holds */
		bool requires, wants, after;   /* blocks the start */
		bool lost;
		enum depend_outlook outlook;   /* with one that may come, where the first is WAITING */
	} rows[STATE_COUNT] = {
		/*                   started ready  requires wants after  lost */
		[STATE_STOPPED]   = {STATE_STOPPED,   false, false, true, true,  true,  true,  DEPEND_MAY_COME},
		[STATE_WAITING]   = {STATE_WAITING,   false, false, true, true,  true,  true,  DEPEND_MAY_COME},
		[STATE_PREPARING] = {STATE_PREPARING, false, false, true, true,  true,  true,  DEPEND_MAY_COME},
		[STATE_STARTING]  = {STATE_STARTING,  true,  false, true, true,  true,  true,  DEPEND_MAY_COME},
		[STATE_SETTLING]  = {STATE_SETTLING,  true,  false, true, true,  true,  true,  DEPEND_MAY_COME},
		[STATE_RUNNING]   = {STATE_RUNNING,   true,  true,  false, false, false, false, DEPEND_MAY_COME},
		[STATE_BACKOFF]   = {STATE_BACKOFF,   false, false, true, false, true,  true,  DEPEND_DELAYED},
		[STATE_ENDING]    = {STATE_ENDING,    false, false, true, true,  true,  true,  DEPEND_MAY_COME},
		[STATE_STOPPING]  = {STATE_STOPPING,  false, false, true, true,  true,  true,  DEPEND_MAY_COME},
		[STATE_CLEANING]  = {STATE_CLEANING,  false, false, true, true,  true,  true,  DEPEND_MAY_COME},
		[STATE_EXITED]    = {STATE_EXITED,    false, false, true, false, false, true,  DEPEND_IN_VAIN},
		[STATE_FATAL]     = {STATE_FATAL,     false, false, true, false, false, true,  DEPEND_IN_VAIN},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < STATE_COUNT; i++) {
		struct ledger_state first = in_state(rows[i].state, WANTED_UP);

		assert_int_equal(depend_holds(DEPEND_STARTED, &service, &first), rows[i].started);
		assert_int_equal(depend_holds(DEPEND_DEFAULT, &service, &first), rows[i].ready);
		assert_int_equal(
		    depend_blocks_start(DEPEND_REQUIRES, DEPEND_DEFAULT, &service, &first),
		    rows[i].requires);
		assert_int_equal(
		    depend_blocks_start(DEPEND_WANTS, DEPEND_DEFAULT, &service, &first),
		    rows[i].wants);
		assert_int_equal(
		    depend_blocks_start(DEPEND_AFTER, DEPEND_DEFAULT, &service, &first),
		    rows[i].after);
		assert_int_equal(depend_is_lost(DEPEND_REQUIRES, DEPEND_DEFAULT, &service, &first),
		    rows[i].lost);
		assert_false(depend_is_lost(DEPEND_WANTS, DEPEND_DEFAULT, &service, &first));
		assert_int_equal(depend_outlook(DEPEND_REQUIRES, DEPEND_DEFAULT, &service, &first,
				     DEPEND_MAY_COME),
		    rows[i].outlook);
		/* What is only wanted never makes a wait hopeless. */
		assert_int_equal(
		    depend_outlook(DEPEND_WANTS, DEPEND_DEFAULT, &service, &first, DEPEND_IN_VAIN),
		    DEPEND_MAY_COME);
	}
}

static void test_soft_links_go_without_what_waits_in_vain(void **state)
{
	struct ledger_state waits = in_state(STATE_WAITING, WANTED_UP);
	struct ledger_state starts = in_state(STATE_STARTING, WANTED_UP);

	(void)state;
	for (int of_first = DEPEND_MAY_COME; of_first <= DEPEND_IN_VAIN; of_first++) {
		enum depend_outlook outlook = (enum depend_outlook)of_first;

		assert_int_equal(
		    depend_outlook(DEPEND_REQUIRES, DEPEND_DEFAULT, &service, &waits, outlook),
		    outlook);
		assert_false(depend_goes_without(DEPEND_REQUIRES, &waits, outlook));
		assert_false(depend_goes_without(DEPEND_WANTS, &starts, outlook));
		assert_int_equal(
		    depend_goes_without(DEPEND_WANTS, &waits, outlook), outlook != DEPEND_MAY_COME);
		assert_int_equal(
		    depend_goes_without(DEPEND_AFTER, &waits, outlook), outlook == DEPEND_IN_VAIN);
	}
}

/* Of several, the second. */
static void test_further_instance_counts_for_who_is_up_when_it_has_been_up(void **state)
{
	struct program_config further = service;
	struct ledger_state last = in_state(STATE_RUNNING, WANTED_UP);
	char name[] = "web@2";

	(void)state;
	further.name = name;
	further.instances = 2;
	for (int i = 0; i < STATE_COUNT; i++) {
		struct ledger_state first = in_state((enum state)i, WANTED_UP);
		bool up = i == STATE_RUNNING;

		assert_false(depend_is_lost(DEPEND_REQUIRES, DEPEND_DEFAULT, &further, &first));
		assert_int_equal(
		    depend_blocks_stop(DEPEND_REQUIRES, DEPEND_DEFAULT, &further, &first, &last),
		    up);
		/* Who is not up needs all of them. */
		assert_int_equal(
		    depend_blocks_start(DEPEND_REQUIRES, DEPEND_DEFAULT, &further, &first), !up);
		assert_int_equal(
		    depend_is_missing(DEPEND_REQUIRES, DEPEND_DEFAULT, &further, &first), !up);
		first.been_up = 1;
		assert_int_equal(
		    depend_is_lost(DEPEND_REQUIRES, DEPEND_DEFAULT, &further, &first), !up);
		assert_true(
		    depend_blocks_stop(DEPEND_REQUIRES, DEPEND_DEFAULT, &further, &first, &last));
		/* The first one always does: it may be all that there is. */
		first.been_up = 0;
		further.name[4] = '1';
		assert_int_equal(
		    depend_is_lost(DEPEND_REQUIRES, DEPEND_DEFAULT, &further, &first), !up);
		further.name[4] = '2';
	}
	/* On the way down the order is kept. */
	last.wanted = WANTED_DOWN;
	assert_true(depend_blocks_stop(DEPEND_REQUIRES, DEPEND_DEFAULT, &further,
	    &(struct ledger_state){.state = STATE_STARTING}, &last));
}

/* When it comes up nobody looks at its own stop again. */
static void test_coming_up_never_lets_a_stop_go(void **state)
{
	struct program_config further = service;
	struct life_config life = *service.life;
	char name[] = "web@2";

	(void)state;
	further.name = name;
	further.instances = 2;
	further.life = &life;
	for (int i = 0; i < 8; i++) {
		struct ledger_state first = in_state(STATE_STARTING, WANTED_UP);
		struct ledger_state last =
		    in_state(STATE_STOPPING, i & 1 ? WANTED_UP : WANTED_DOWN);
		bool blocks;

		life.key_smooth = (i & 2) != 0;
		first.flags = i & 4 ? LEDGER_FLAG_BOUNCE : 0;
		last.flags = LEDGER_FLAG_LOST;
		blocks =
		    depend_blocks_stop(DEPEND_REQUIRES, DEPEND_DEFAULT, &further, &first, &last);
		first.state = STATE_RUNNING;
		first.been_up = 1;
		if (blocks)
			assert_true(depend_blocks_stop(
			    DEPEND_REQUIRES, DEPEND_DEFAULT, &further, &first, &last));
	}
}

static void test_who_is_stopped_by_hand_blocks_only_who_requires_it(void **state)
{
	struct ledger_state first = in_state(STATE_STOPPED, WANTED_DOWN);

	(void)state;
	assert_true(depend_blocks_start(DEPEND_REQUIRES, DEPEND_DEFAULT, &service, &first));
	assert_false(depend_blocks_start(DEPEND_WANTS, DEPEND_DEFAULT, &service, &first));
	assert_false(depend_blocks_start(DEPEND_AFTER, DEPEND_DEFAULT, &service, &first));
	assert_int_equal(
	    depend_outlook(DEPEND_REQUIRES, DEPEND_DEFAULT, &service, &first, DEPEND_MAY_COME),
	    DEPEND_IN_VAIN);
	assert_true(depend_pulls(DEPEND_REQUIRES, DEPEND_DEFAULT, &service, &first));
	assert_true(depend_pulls(DEPEND_WANTS, DEPEND_DEFAULT, &service, &first));
	assert_false(depend_pulls(DEPEND_AFTER, DEPEND_DEFAULT, &service, &first));
}

static void test_unhealthy_is_waited_for_only_by_who_requires_health(void **state)
{
	struct ledger_state first = in_state(STATE_RUNNING, WANTED_UP);

	(void)state;
	service_life.key_health_check.kind = CHECK_EXEC;
	first.health = LEDGER_HEALTH_UNKNOWN;
	assert_true(depend_blocks_start(DEPEND_REQUIRES, DEPEND_HEALTHY, &service, &first));
	assert_true(depend_blocks_start(DEPEND_WANTS, DEPEND_HEALTHY, &service, &first));
	first.health = LEDGER_HEALTH_BAD;
	assert_true(depend_blocks_start(DEPEND_REQUIRES, DEPEND_HEALTHY, &service, &first));
	assert_false(depend_blocks_start(DEPEND_WANTS, DEPEND_HEALTHY, &service, &first));
	assert_int_equal(
	    depend_outlook(DEPEND_REQUIRES, DEPEND_HEALTHY, &service, &first, DEPEND_MAY_COME),
	    DEPEND_DELAYED);
	/* It was healthy once: what follows is its own policy's. */
	assert_false(depend_is_lost(DEPEND_REQUIRES, DEPEND_HEALTHY, &service, &first));
	first.health = LEDGER_HEALTH_GOOD;
	assert_false(depend_blocks_start(DEPEND_WANTS, DEPEND_HEALTHY, &service, &first));
	service_life.key_health_check.kind = CHECK_NONE;
}

static void test_oneshot_is_there_when_it_has_ended_with_success(void **state)
{
	struct ledger_state first = in_state(STATE_EXITED, WANTED_UP);

	(void)state;
	first.flags = LEDGER_FLAG_HAS_EXIT;
	first.run_acted = 1;
	assert_true(depend_holds(DEPEND_DEFAULT, &oneshot, &first));
	assert_false(depend_is_lost(DEPEND_REQUIRES, DEPEND_DEFAULT, &oneshot, &first));
	first.last_wstatus = 3 << 8;
	assert_false(depend_holds(DEPEND_DEFAULT, &oneshot, &first));
	assert_true(depend_blocks_start(DEPEND_REQUIRES, DEPEND_DEFAULT, &oneshot, &first));
	assert_false(depend_blocks_start(DEPEND_WANTS, DEPEND_DEFAULT, &oneshot, &first));
}

static void test_restart_of_a_smooth_one_bounces_nobody(void **state)
{
	struct ledger_state first = in_state(STATE_STOPPING, WANTED_UP);
	struct ledger_state last = in_state(STATE_RUNNING, WANTED_UP);

	(void)state;
	first.flags = LEDGER_FLAG_BOUNCE;
	assert_true(depend_is_lost(DEPEND_REQUIRES, DEPEND_DEFAULT, &service, &first));
	assert_true(depend_blocks_stop(DEPEND_REQUIRES, DEPEND_DEFAULT, &service, &first, &last));
	service_life.key_smooth = true;
	assert_false(depend_is_lost(DEPEND_REQUIRES, DEPEND_DEFAULT, &service, &first));
	assert_false(depend_blocks_stop(DEPEND_REQUIRES, DEPEND_DEFAULT, &service, &first, &last));
	first.wanted = WANTED_DOWN;
	assert_true(depend_is_lost(DEPEND_REQUIRES, DEPEND_DEFAULT, &service, &first));
	service_life.key_smooth = false;
}

static void test_stop_waits_for_those_that_come_after(void **state)
{
	struct ledger_state first = in_state(STATE_RUNNING, WANTED_DOWN);
	struct ledger_state last = in_state(STATE_RUNNING, WANTED_UP);

	(void)state;
	assert_true(depend_blocks_stop(DEPEND_REQUIRES, DEPEND_DEFAULT, &service, &first, &last));
	/* Order alone: only who is to stop, too. */
	assert_false(depend_blocks_stop(DEPEND_AFTER, DEPEND_DEFAULT, &service, &first, &last));
	last.wanted = WANTED_DOWN;
	assert_true(depend_blocks_stop(DEPEND_AFTER, DEPEND_DEFAULT, &service, &first, &last));
	last.state = STATE_STOPPED;
	assert_false(depend_blocks_stop(DEPEND_REQUIRES, DEPEND_DEFAULT, &service, &first, &last));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names_are_split_from_conditions),
	    cmocka_unit_test(test_links_by_state_of_the_first),
	    cmocka_unit_test(test_soft_links_go_without_what_waits_in_vain),
	    cmocka_unit_test(test_further_instance_counts_for_who_is_up_when_it_has_been_up),
	    cmocka_unit_test(test_coming_up_never_lets_a_stop_go),
	    cmocka_unit_test(test_who_is_stopped_by_hand_blocks_only_who_requires_it),
	    cmocka_unit_test(test_unhealthy_is_waited_for_only_by_who_requires_health),
	    cmocka_unit_test(test_oneshot_is_there_when_it_has_ended_with_success),
	    cmocka_unit_test(test_restart_of_a_smooth_one_bounces_nobody),
	    cmocka_unit_test(test_stop_waits_for_those_that_come_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
