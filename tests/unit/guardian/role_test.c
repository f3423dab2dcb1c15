/* SPDX-License-Identifier: ISC */
/* When a role that has ended is started again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "supervisord/guardian/role.h"

#define NOW (1000 * NS_PER_S)

static struct role steady_role(void)
{
	return (struct role){.name = "logger", .pid = 1, .channel = -1, .started_ns = 1};
}

static void test_note_crash_when_repeated_then_the_delay_grows(void **state)
{
	static const int64_t wanted_s[] = {0, 1, 2, 4, 8, 16, 30, 30};
	struct role role = steady_role();

	(void)state;
	for (size_t i = 0; i < sizeof(wanted_s) / sizeof(wanted_s[0]); i++) {
		role.started_ns = NOW;
		assert_int_equal(role_note_crash(&role, NOW), wanted_s[i] * NS_PER_S);
		assert_int_equal(role.restart_ns, NOW + wanted_s[i] * NS_PER_S);
	}
}

static void test_note_again_when_it_asks_then_it_is_due_at_once_and_no_crash(void **state)
{
	struct role role = steady_role();

	(void)state;
	assert_true(role_note_again(&role, NOW));
	assert_int_equal(role.restart_ns, NOW);
	assert_int_equal(role.pid, 0);
	assert_int_equal(role.crashes, 0);
	assert_false(role_is_crash_looping(&role, NOW));
}

static void test_note_again_when_it_asks_too_often_then_it_is_a_crash(void **state)
{
	struct role role = steady_role();

	(void)state;
	for (int i = 0; i < ROLE_AGAIN_LIMIT; i++)
		assert_true(role_note_again(&role, NOW + i * NS_PER_S));
	assert_false(role_note_again(&role, NOW + ROLE_AGAIN_LIMIT * NS_PER_S));
}

static void test_note_again_when_it_asks_now_and_then_then_never_a_crash(void **state)
{
	struct role role = steady_role();

	(void)state;
	for (int i = 0; i < 10 * ROLE_AGAIN_LIMIT; i++)
		assert_true(role_note_again(&role, NOW + i * ROLE_AGAIN_NS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_note_crash_when_repeated_then_the_delay_grows),
	    cmocka_unit_test(test_note_again_when_it_asks_then_it_is_due_at_once_and_no_crash),
	    cmocka_unit_test(test_note_again_when_it_asks_too_often_then_it_is_a_crash),
	    cmocka_unit_test(test_note_again_when_it_asks_now_and_then_then_never_a_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
