/* SPDX-License-Identifier: ISC */
/* complete_test.c: what may stand at a place, read off the arguments that help shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/complete.h"
#include "ctl/keys.h"

static void test_slots_when_arguments_are_read_then_kinds_in_order(void **state)
{
	struct complete_slot slots[COMPLETE_SLOTS];

	(void)state;
	assert_int_equal(complete_read("", slots), 0);
	assert_int_equal(complete_read("SIGNAL NAME...", slots), 2);
	assert_int_equal(slots[0].kind, COMPLETE_SIGNALS);
	assert_false(slots[0].repeats);
	assert_int_equal(slots[1].kind, COMPLETE_NAMES);
	assert_true(slots[1].repeats);
	assert_int_equal(complete_read("show|keys [NAME|KEY...]", slots), 2);
	assert_int_equal(slots[0].kind, COMPLETE_WORDS);
	assert_int_equal(slots[0].length, strlen("show|keys"));
	assert_int_equal(slots[1].kind, COMPLETE_EITHER);
	assert_int_equal(complete_read("NAME KEY=VALUE... [FILE] SOMETHING", slots), 4);
	assert_int_equal(slots[1].kind, COMPLETE_KEYS);
	assert_int_equal(slots[2].kind, COMPLETE_FILES);
	assert_int_equal(slots[3].kind, COMPLETE_NOTHING);
}

static void test_slots_when_there_are_too_many_then_the_first(void **state)
{
	struct complete_slot slots[COMPLETE_SLOTS];

	(void)state;
	assert_int_equal(complete_read("A B C D E F G H I J", slots), COMPLETE_SLOTS);
}

static void test_slot_at_when_past_the_last_then_it_repeats_or_there_is_none(void **state)
{
	(void)state;
	assert_int_equal(complete_slot_at("SIGNAL NAME...", 0).kind, COMPLETE_SIGNALS);
	assert_int_equal(complete_slot_at("SIGNAL NAME...", 9).kind, COMPLETE_NAMES);
	assert_int_equal(complete_slot_at("[COMMAND]", 0).kind, COMPLETE_VERBS);
	assert_int_equal(complete_slot_at("[COMMAND]", 1).kind, COMPLETE_NOTHING);
	assert_int_equal(complete_slot_at("", 0).kind, COMPLETE_NOTHING);
}

static void test_keys_when_looked_up_then_the_row_or_what_was_meant(void **state)
{
	const struct key *key = keys_find("umask", keys_table);

	(void)state;
	assert_non_null(key);
	assert_string_equal(key->stanza, "program");
	assert_string_equal(key->def, "022");
	assert_string_equal(key->change, "restart");
	assert_null(keys_find("umask", key + 1));
	assert_non_null(keys_find("health.check", keys_table));
	assert_null(keys_find("restrat", keys_table));
	assert_string_equal(keys_nearest("restrat"), "restart");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_slots_when_arguments_are_read_then_kinds_in_order),
	    cmocka_unit_test(test_slots_when_there_are_too_many_then_the_first),
	    cmocka_unit_test(test_slot_at_when_past_the_last_then_it_repeats_or_there_is_none),
	    cmocka_unit_test(test_keys_when_looked_up_then_the_row_or_what_was_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
