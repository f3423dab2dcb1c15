/* SPDX-License-Identifier: ISC */
/*
 * Tests of supervisord/engine/config.h: programs that name others: names, conditions, cycles,
 * conflicts.
 */
#define _GNU_SOURCE
#include "tests/unit/engine/confdir.h"

#include "lib/clock.h"
#include "lib/limits.h"

static void test_names_must_exist_and_be_others(void **state)
{
	(void)state;
	confdir_refuse("program a { command = x\n requires = {b, nope}\n wants = {\"a:ready\"}\n"
		       " after = {\"a\"}\n before = {nada}\n conflicts = {a, nix}\n on_failure = "
		       "\"start:nil\"\n}\nprogram b { command = x }\n",
	    "@/main.conf:2: requires: there is no program or group 'nope'\n"
	    "@/main.conf:3: wants: 'a' is this program itself: others are allowed\n"
	    "@/main.conf:4: after: 'a' is this program itself: others are allowed\n"
	    "@/main.conf:5: before: there is no program or group 'nada'\n"
	    "@/main.conf:6: conflicts: 'a' is this program itself: others are allowed\n"
	    "@/main.conf:6: conflicts: there is no program or group 'nix'\n"
	    "@/main.conf:7: on_failure: there is no program or group 'nil'\n");
	confdir_refuse(
	    "defaults {\n wants = {nope}\n}\nprogram a { command = x }\nprogram b { command "
	    "= x }\n",
	    "@/main.conf:2: wants: there is no program or group 'nope'\n");
}

static void test_on_failure_starts_another_program(void **state)
{
	(void)state;
	confdir_refuse(
	    "program a { command = x\n on_failure = \"start:a\"\n}\n"
	    "program b { command = x\n on_failure = \"start:g\"\n}\n"
	    "program c { command = x on_failure = \"start:b\" }\ngroup g { members = {a, b} }\n",
	    "@/main.conf:2: on_failure: 'start:a' is this program itself: retry:DURATION starts it "
	    "again\n");
}

static void test_on_failure_starts_nobody_by_whom_it_is_started(void **state)
{
	static const char end[] =
	    ": they would start each other without end: retry:DURATION tries again after a while\n";
	char expected[256];

	(void)state;
	snprintf(expected, sizeof(expected), "@/main.conf:2: on_failure: a -> b -> a%s", end);
	confdir_refuse("program a { command = x\n on_failure = \"start:b\"\n}\n"
		       "program b { command = x on_failure = \"start:a\" }\n",
	    expected);
	/* What is started brings it. */
	snprintf(expected, sizeof(expected),
	    "@/main.conf:2: on_failure: a (on_failure) -> b (wants) -> c (requires) -> a%s", end);
	confdir_refuse("program a { command = x\n on_failure = \"start:g\"\n}\n"
		       "program b { command = x wants = {c} }\n"
		       "program c { command = x requires = {a} }\ngroup g { members = {a, b} }\n",
	    expected);
	config_free(confdir_accept(
	    "program a { command = x on_failure = \"start:b\" }\n"
	    "program b { command = x conflicts = {a} after = {a} autostart = false }\n"));
}

static void test_condition_must_be_possible(void **state)
{
	(void)state;
	confdir_refuse(
	    "program a { command = x\n requires = {\"b:healthy\"}\n after = {\"c:completed\", "
	    "\"b:started\"}\n}\n"
	    "program b { command = x }\nprogram c { command = x restart = always }\n"
	    "program d { command = x after = {\"e:healthy\", \"b:completed\", \"c:ready\"} }\n"
	    "program e { command = x health { check = \"exec:y\" } }\n"
	    "group g { members = {b, e} }\n"
	    "program f { command = x\n wants = {\"g:healthy\"} }\n",
	    "@/main.conf:2: requires: 'b:healthy': program 'b' has no health check: give it a "
	    "section "
	    "health { check = ... }, or ask for ready\n"
	    "@/main.conf:3: after: 'c:completed': program 'c' is started again whenever it ends: "
	    "give "
	    "it another restart than always, or ask for ready\n"
	    "@/main.conf:11: wants: 'b:healthy': program 'b' has no health check: give it a "
	    "section "
	    "health { check = ... }, or ask for ready\n");
	/* The condition of before is about the program itself. */
	confdir_refuse(
	    "program a { command = x\n before = {\"b:healthy\"}\n}\nprogram b { command = x "
	    "health { check = \"exec:y\" }\n before = {\"c:healthy\"} }\nprogram c { "
	    "command = x }\n",
	    "@/main.conf:2: before: 'b:healthy': program 'a' has no health check: give it a "
	    "section "
	    "health { check = ... }, or ask for ready\n");
}

static void test_cycle_of_different_keys_names_them(void **state)
{
	(void)state;
	confdir_refuse(
	    "program a { command = x\n requires = {b} }\nprogram b { command = x\n after = "
	    "{a} }\n",
	    "@/main.conf:2: requires: a (requires) -> b (after) -> a: a program cannot come after "
	    "itself\n");
	confdir_refuse(
	    "program a { command = x\n wants = {b} }\nprogram b { command = x\n wants = {a} "
	    "}\n",
	    "@/main.conf:2: wants: a -> b -> a: a program cannot come after itself\n");
	/* c comes after a because a says so. */
	confdir_refuse(
	    "program a { command = x\n wants = {b}\n before = {c} }\nprogram b { command = "
	    "x\n requires = {c} }\nprogram c { command = x }\n",
	    "@/main.conf:2: wants: a (wants) -> b (requires) -> c (before of a) -> a: a program "
	    "cannot come after itself\n");
	/* Where the first step is of that kind, the place is the one that says so. */
	confdir_refuse(
	    "program b { command = x\n before = {a}\n after = {a} }\nprogram a { command = x "
	    "}\n",
	    "@/main.conf:2: before: a (before of b) -> b (after) -> a: a program cannot come after "
	    "itself\n");
}

static void test_cycle_through_a_group_is_found(void **state)
{
	(void)state;
	confdir_refuse("program a { command = x\n requires = {g} }\nprogram b { command = x }\n"
		       "program c { command = x after = {a} }\ngroup g { members = {a, b, c} }\n",
	    "@/main.conf:2: requires: a (requires) -> c (after) -> a: a program cannot come after "
	    "itself\n");
}

static void test_diamond_is_no_cycle(void **state)
{
	struct config *config = confdir_accept(
	    "program a { command = x requires = {b, c} }\nprogram b { command = x wants = {d} }\n"
	    "program c { command = x after = {d} before = {e} }\nprogram d { command = x }\n"
	    "program e { command = x after = {a} requires = {d} }\n");

	(void)state;
	assert_int_equal(config->program_count, 5);
	config_free(config);
}

static void test_conflict_of_two_that_start_by_themselves_is_refused(void **state)
{
	static const char *both =
	    "@/main.conf:2: conflicts: 'a' and 'b' cannot run side by side, but supervisord would "
	    "start both: set autostart = false in one of them\n";

	(void)state;
	confdir_refuse(
	    "program a { command = x\n conflicts = {b} }\nprogram b { command = x }\n", both);
	/* Both say it: once. */
	confdir_refuse("program a { command = x\n conflicts = {b} }\nprogram b { command = x\n "
		       "conflicts = {a} }\n",
	    both);
	config_free(confdir_accept("program a { command = x conflicts = {b} }\nprogram b { command "
				   "= x autostart = false }\n"));
	confdir_refuse(
	    "program a { command = x\n conflicts = {b} }\nprogram b { command = x autostart = "
	    "false }\nprogram c { command = x wants = {b} }\n",
	    "@/main.conf:2: conflicts: 'a' and 'b' cannot run side by side, but supervisord would "
	    "start both ('b' because of 'c'): set autostart = false where it begins\n");
}

static void test_conflict_with_what_is_required_is_refused(void **state)
{
	(void)state;
	confdir_refuse(
	    "defaults { autostart = false }\nprogram a { command = x requires = {b}\n "
	    "conflicts = {c} }\nprogram b { command = x wants = {c} }\nprogram c { command "
	    "= x }\n",
	    "@/main.conf:3: conflicts: 'a' cannot run beside 'c', which it brings itself "
	    "(requires, "
	    "wants): take it out of one of the two\n");
	/* The other side has said it. */
	confdir_refuse("defaults { autostart = false }\nprogram a { command = x requires = {b} }\n"
		       "program b { command = x\n conflicts = {a} }\n",
	    "@/main.conf:4: conflicts: 'a' cannot run beside 'b', which it brings itself "
	    "(requires, "
	    "wants): take it out of one of the two\n");
	/* Two that a third one needs. */
	confdir_refuse(
	    "defaults { autostart = false }\nprogram a { command = x\n conflicts = {b} }\n"
	    "program b { command = x }\nprogram c { command = x wants = {d} }\n"
	    "program d { command = x requires = {a, b} }\n",
	    "@/main.conf:3: conflicts: 'a' and 'b' cannot run side by side, but 'd' brings both "
	    "(requires, wants): take one of them out of that\n");
	/* Order alone brings nobody. */
	config_free(confdir_accept(
	    "defaults { autostart = false }\nprogram a { command = x conflicts = {b} after = {b} "
	    "}\n"
	    "program b { command = x }\nprogram c { command = x after = {a, b} before = {d} "
	    "on_failure = \"start:b\" }\nprogram d { command = x conflicts = {c} }\n"));
}

static void test_many_links_are_checked_in_no_time(void **state)
{
	FILE *file = fopen(confdir_path("many.conf"), "w");
	int64_t begin = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
	struct config *config;

	(void)state;
	assert_non_null(file);
	/* A chain as long as it can be, with a conflict at each link. */
	fputs("defaults { autostart = false }\n", file);
	for (int i = 0; i < 8000; i++)
		fprintf(file,
		    "program p%d { command = x requires = {\"p%d:started\"} conflicts = {q} }\n", i,
		    i + 1);
	fputs("program p8000 { command = x }\nprogram q { command = x }\n", file);
	fclose(file);
	confdir_write("main.conf", "include = many.conf\n");
	config = confdir_load();
	assert_int_equal(config->program_count, 8002);
	config_free(config);
	assert_true(clock_read_ns(CLOCK_PROCESS_CPUTIME_ID) - begin < 10 * NS_PER_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names_must_exist_and_be_others),
	    cmocka_unit_test(test_on_failure_starts_another_program),
	    cmocka_unit_test(test_on_failure_starts_nobody_by_whom_it_is_started),
	    cmocka_unit_test(test_condition_must_be_possible),
	    cmocka_unit_test(test_cycle_of_different_keys_names_them),
	    cmocka_unit_test(test_cycle_through_a_group_is_found),
	    cmocka_unit_test(test_diamond_is_no_cycle),
	    cmocka_unit_test(test_conflict_of_two_that_start_by_themselves_is_refused),
	    cmocka_unit_test(test_conflict_with_what_is_required_is_refused),
	    cmocka_unit_test(test_many_links_are_checked_in_no_time),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
