/* SPDX-License-Identifier: ISC */
/* changes_test.c: which keys an apply has changed, and whether that is told of the right launch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "supervisord/engine/changes.h"

#define ROW 3

struct world {
	struct history_memory *history;
	struct changes_maker maker;
	struct life_config life;
	struct program_config old, new;
	char *words[2][2];
};

static int make_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	world->history = calloc(1, sizeof(*world->history));
	world->history->begin = 1;
	atomic_store(&world->history->next, 1);
	world->maker =
	    (struct changes_maker){.history = world->history, .uid = 7, .by = APPLIED_BY_COMMAND};
	world->old.life = world->new.life = &world->life;
	world->words[0][0] = (char *)(uintptr_t) "/bin/old";
	world->words[1][0] = (char *)(uintptr_t) "/bin/new";
	world->old.key_command = world->words[0];
	world->new.key_command = world->words[1];
	world->old.hash = 10;
	world->new.hash = 11;
	*state = world;
	return 0;
}

static int free_world(void **state)
{
	struct world *world = *state;

	free(world->history);
	free(world);
	return 0;
}

static void test_change_when_found_by_hash_then_names_keys_and_user(void **state)
{
	struct world *world = *state;
	const struct history_change *change;
	char text[REASON_TEXT];

	changes_begin(&world->maker);
	(void)changes_add(&world->maker, ROW, &world->old, &world->new);
	assert_int_equal(changes_find(world->history, ROW, 10), 0);
	assert_int_equal(changes_find(world->history, ROW + 1, 11), 0);
	change = changes_get(world->history, changes_find(world->history, ROW, 11));
	assert_non_null(change);
	assert_string_equal(change->keys, "command");
	assert_string_equal(
	    changes_text(change, text, sizeof(text)), "command changed, applied by uid 7");
}

/* One that no run had to end for is not why one was replaced later. */
static void test_change_when_live_then_not_taken_for_one_of_the_run(void **state)
{
	struct world *world = *state;
	int32_t of_run = changes_add(&world->maker, ROW, &world->old, &world->new), live;

	/* Of a program that does not run it is all there is to tell. */
	assert_int_equal(changes_find_newest(world->history, ROW, 11), of_run);
	world->old = world->new;
	live = changes_add(&world->maker, ROW, &world->old, &world->new);
	assert_int_equal(changes_find(world->history, ROW, 11), of_run);
	assert_int_equal(changes_find_newest(world->history, ROW, 11), live);
}

static void test_change_when_many_followed_then_not_known(void **state)
{
	struct world *world = *state;
	int32_t first = changes_add(&world->maker, ROW, &world->old, &world->new);

	for (int i = 0; i < LIMIT_CHANGES; i++)
		(void)changes_add(&world->maker, ROW + 1, &world->old, &world->new);
	assert_null(changes_get(world->history, first));
	assert_int_equal(changes_find(world->history, ROW, 11), 0);
	assert_int_not_equal(changes_find(world->history, ROW + 1, 11), 0);
	assert_null(changes_get(world->history, 0));
	assert_null(changes_get(world->history, INT32_MAX));
}

/* The row had another owner then. */
static void test_change_when_of_former_owner_then_not_found(void **state)
{
	struct world *world = *state;

	(void)changes_add(&world->maker, ROW, &world->old, &world->new);
	world->history->born[ROW] = 2;
	assert_int_equal(changes_find(world->history, ROW, 11), 0);
}

static void test_keys_when_too_many_then_the_rest_is_dots(void **state)
{
	struct world *world = *state;
	const struct history_change *change;

	world->new.key_directory = world->new.key_user = world->new.key_group =
	    (char *)(uintptr_t) "x";
	world->new.key_umask = 7;
	world->new.key_stop_signal = 9;
	world->new.key_stop_timeout = 9;
	world->new.key_restart_delay = 9;
	world->new.key_restart_delay_max = 9;
	world->new.key_start_limit = 9;
	world->new.key_start_limit_interval = 9;
	world->new.key_stable_after = 9;
	change =
	    changes_get(world->history, changes_add(&world->maker, ROW, &world->old, &world->new));
	assert_non_null(change);
	assert_true(strlen(change->keys) < LIMIT_CHANGED_KEYS);
	assert_string_equal(change->keys + strlen(change->keys) - 5, ", ...");
}

static void test_reason_when_of_each_kind_then_said_by_whom(void **state)
{
	static const struct {
		enum reason reason;
		enum applied_by by;
		const char *keys, *text;
	} rows[] = {
	    {REASON_CHANGED, APPLIED_BY_COMMAND, "command, user",
		"command, user changed, applied by uid 7"},
	    {REASON_CHANGED, APPLIED_BY_HANGUP, "", "its configuration changed, applied by HUP"},
	    {REASON_CHANGED, APPLIED_BY_ROLLBACK, "command",
		"command changed, by the rollback of an apply"},
	    {REASON_ADDED, APPLIED_BY_COMMAND, "", "new in the configuration, applied by uid 7"},
	    {REASON_ROLLED, APPLIED_BY_COMMAND, "user",
		"rolling update: user changed, applied by uid 7"},
	};
	char text[REASON_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct reason_change change = {rows[i].keys, 7, rows[i].by};
		const struct reason_words words = {.retry_ms = -1, .change = &change};
		const struct ledger_state ledger = {
		    .state = STATE_STOPPED, .reason = (uint8_t)rows[i].reason};

		assert_string_equal(reason_text(&ledger, &words, text, sizeof(text)), rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_change_when_found_by_hash_then_names_keys_and_user, make_world, free_world),
	    cmocka_unit_test_setup_teardown(
		test_change_when_live_then_not_taken_for_one_of_the_run, make_world, free_world),
	    cmocka_unit_test_setup_teardown(
		test_change_when_many_followed_then_not_known, make_world, free_world),
	    cmocka_unit_test_setup_teardown(
		test_change_when_of_former_owner_then_not_found, make_world, free_world),
	    cmocka_unit_test_setup_teardown(
		test_keys_when_too_many_then_the_rest_is_dots, make_world, free_world),
	    cmocka_unit_test(test_reason_when_of_each_kind_then_said_by_whom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
