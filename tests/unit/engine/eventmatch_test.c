/* SPDX-License-Identifier: ISC */
/* eventmatch_test.c: the terms of match, and what they hold for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "supervisord/engine/eventmatch.h"

static bool holds(const struct event_view *view, const char *one, const char *other)
{
	char *const terms[] = {(char *)(uintptr_t)one, (char *)(uintptr_t)other, NULL};

	return eventmatch_holds(terms, view);
}

static void test_term_when_it_is_none_then_said_what_is_wrong(void **context)
{
	static const char *const bad[] = {
	    "", "FATAL", "state:", "state:fatal", "exit:1", "kind:x", "program:", "states:FATAL"};
	static const char *const good[] = {"state:FATAL", "state:RUNNING", "exit:failure",
	    "exit:success", "exit:signal", "kind:applied", "program:web*"};

	(void)context;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(eventmatch_problem(bad[i]));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_null(eventmatch_problem(good[i]));
}

static void test_terms_when_of_one_sort_then_one_does_of_two_both_must(void **context)
{
	const struct event_view view = {.name = "web@2", .state = "FATAL", .kind = "state"};

	(void)context;
	assert_true(holds(&view, "state:EXITED", "state:FATAL"));
	assert_true(holds(&view, "state:FATAL", "program:web*"));
	assert_false(holds(&view, "state:FATAL", "program:db*"));
	assert_false(holds(&view, "state:RUNNING", "program:web*"));
	assert_false(holds(&view, "program:web", NULL));
}

static void test_exit_when_a_run_ended_then_by_how(void **context)
{
	struct event_view view = {.name = "web", .kind = "exit", .ended = true};

	(void)context;
	assert_true(holds(&view, "exit:success", NULL));
	assert_false(holds(&view, "exit:failure", NULL));
	view.failed = view.by_signal = true;
	assert_true(holds(&view, "exit:failure", NULL));
	assert_true(holds(&view, "exit:signal", NULL));
	assert_false(holds(&view, "exit:success", NULL));
	view.ended = false;
	assert_false(holds(&view, "exit:failure", NULL));
	assert_false(holds(&view, "exit:success", NULL));
}

static void test_event_when_it_is_about_no_program_then_only_its_kind_holds(void **context)
{
	const struct event_view view = {.kind = "applied"};

	(void)context;
	assert_true(holds(&view, "kind:applied", NULL));
	assert_false(holds(&view, "program:*", NULL));
	assert_false(holds(&view, "kind:applied", "state:RUNNING"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_term_when_it_is_none_then_said_what_is_wrong),
	    cmocka_unit_test(test_terms_when_of_one_sort_then_one_does_of_two_both_must),
	    cmocka_unit_test(test_exit_when_a_run_ended_then_by_how),
	    cmocka_unit_test(test_event_when_it_is_about_no_program_then_only_its_kind_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
