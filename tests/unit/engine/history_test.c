/* SPDX-License-Identifier: ISC */
/* history_test.c: events and runs, and an engine that is killed between any two of its stores. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "supervisord/engine/history.h"

struct world {
	struct ledger *ledger;
	struct history_memory *history;
	int fd;
	int row;
};

static int set_up(void **context)
{
	static struct world world;
	struct ledger_state state = {.state = STATE_WAITING, .since_ns = 5};
	int fd;

	assert_int_equal(ledger_create(&fd, &world.ledger), 0);
	close(fd);
	assert_int_equal(history_create(1, &world.fd, &world.history), 0);
	world.row = ledger_claim_row(world.ledger, "web", NULL, &state, NULL, NULL);
	*context = &world;
	return 0;
}

static int tear_down(void **context)
{
	struct world *world = *context;

	close(world->fd);
	munmap(world->history, sizeof(*world->history));
	return munmap(world->ledger, sizeof(*world->ledger));
}

/* How far an engine comes with a transition. */
enum progress { PREPARED, COMMITTED, PUBLISHED };

/* One that ends run `run` of the row and begins the next one. */
static void next_run(struct world *world, uint64_t run, enum progress until)
{
	struct happening happening = {.event = EVENT_EXIT,
	    .launched = true,
	    .now_ns = (int64_t)run * 1000 + 1000,
	    .number = history_next(world->history)};
	struct transition transition = {.state = *ledger_get_state(world->ledger, world->row),
	    .from = STATE_STARTING,
	    .actions = ACTION_BEGIN,
	    .moved = true,
	    .ended = run > 0,
	    .news = true};

	world->ledger->exits[world->row] = (struct ledger_exit){
	    .run = run, .end_ns = (int64_t)run * 1000 + 500, .user_us = 7, .maxrss_kb = 9};
	transition.state.state = STATE_STARTING;
	transition.state.starts = run + 1;
	transition.state.run_acted = run;
	transition.state.last_wstatus = 256;
	transition.state.event = happening.number;
	history_prepare(world->history, world->ledger, world->row, &transition, &happening);
	if (until >= COMMITTED)
		ledger_commit_state(world->ledger, world->row, &transition.state);
	if (until >= PUBLISHED)
		history_publish(world->history, happening.number);
}

static void test_event_when_published_then_found_by_number_and_name(void **context)
{
	struct world *world = *context;
	const struct history_event *event;

	next_run(world, 0, PUBLISHED);
	event = history_find(world->history, 1);
	assert_non_null(event);
	assert_int_equal(event->kind, HISTORY_STATE);
	assert_int_equal(event->run, 1);
	assert_string_equal(
	    history_name(world->history, world->ledger, event->row, event->number), "web");
	assert_null(history_find(world->history, 0));
	assert_null(history_find(world->history, 2));
	assert_int_equal(history_find_start(world->history, world->row, 1)->begin_ns, 1000);
}

static void test_run_when_it_ends_then_its_record_says_how(void **context)
{
	struct world *world = *context;
	const struct history_run *run;

	next_run(world, 0, PUBLISHED);
	assert_null(history_find_run(world->history, world->row, 1));
	next_run(world, 1, PUBLISHED);
	run = history_find_run(world->history, world->row, 1);
	assert_non_null(run);
	assert_int_equal(run->wstatus, 256);
	assert_int_equal(run->length_ns, 500);
	assert_int_equal(run->user_us, 7);
	assert_int_equal(run->maxrss_kb, 9);
	assert_int_equal(run->event, 2);
}

static void test_runs_when_there_are_many_then_the_last_are_kept(void **context)
{
	struct world *world = *context;

	for (uint64_t run = 0; run < LIMIT_RUNS + 3; run++)
		next_run(world, run, PUBLISHED);
	assert_null(history_find_run(world->history, world->row, 2));
	assert_non_null(history_find_run(world->history, world->row, 3));
	assert_non_null(history_find_run(world->history, world->row, LIMIT_RUNS + 2));
}

static void test_recover_when_killed_before_the_commit_then_it_is_told_once(void **context)
{
	struct world *world = *context;

	next_run(world, 0, PUBLISHED);
	next_run(world, 1, PREPARED);
	assert_null(history_find(world->history, 2));
	history_recover(world->history, world->ledger);
	assert_int_equal(history_next(world->history), 2);
	assert_null(history_find_run(world->history, world->row, 1));
	/* Decided again, at another time: the run is as long as it was. */
	next_run(world, 1, PUBLISHED);
	assert_int_equal(history_next(world->history), 3);
	assert_int_equal(history_find_run(world->history, world->row, 1)->length_ns, 500);
}

static void test_recover_when_killed_after_the_commit_then_it_is_told_once(void **context)
{
	struct world *world = *context;

	next_run(world, 0, PUBLISHED);
	next_run(world, 1, COMMITTED);
	assert_null(history_find(world->history, 2));
	assert_null(history_find_run(world->history, world->row, 1));
	history_recover(world->history, world->ledger);
	history_recover(world->history, world->ledger);
	assert_int_equal(history_next(world->history), 3);
	assert_non_null(history_find(world->history, 2));
	assert_non_null(history_find_run(world->history, world->row, 1));
}

/* The place of the next event is being written: what the ring holds there is neither old nor new.
 */
static void test_recover_when_killed_while_it_prepares_then_nothing_is_told(void **context)
{
	struct world *world = *context;

	for (uint64_t run = 0; run < LIMIT_EVENTS; run++)
		next_run(world, run, PUBLISHED);
	atomic_store(&world->history->events[(LIMIT_EVENTS + 1) % LIMIT_EVENTS].number, 0);
	history_recover(world->history, world->ledger);
	assert_int_equal(history_next(world->history), LIMIT_EVENTS + 1);
	assert_int_equal(history_first(world->history), 2);
	assert_null(history_find(world->history, 1));
	assert_non_null(history_find(world->history, 2));
}

static void test_words_when_too_many_came_since_then_none(void **context)
{
	struct world *world = *context;
	const struct history_run *run;

	next_run(world, 0, PUBLISHED);
	next_run(world, 1, PUBLISHED);
	run = history_find_run(world->history, world->row, 1);
	assert_null(history_words(world->history, run));
	history_put_words(world->history, world->row, 2, "not of it", 9); /* it has not ended */
	history_put_words(world->history, world->row, 1, "its words", 9);
	assert_string_equal(history_words(world->history, run), "its words");
	next_run(world, 2, PUBLISHED);
	for (int i = 0; i < LIMIT_LAST_WORDS; i++)
		history_put_words(world->history, world->row, 2, "x", 1);
	assert_null(history_words(world->history, run));
}

static void test_removal_when_the_row_is_used_again_then_each_has_its_name(void **context)
{
	struct world *world = *context;
	struct ledger_state state = {.state = STATE_WAITING};

	next_run(world, 0, PUBLISHED);
	history_prepare_removal(world->history, world->ledger, world->row);
	ledger_free_row(world->ledger, world->row);
	history_publish_removal(world->history, world->row);
	assert_int_equal(
	    ledger_claim_row(world->ledger, "db", NULL, &state, NULL, NULL), world->row);
	next_run(world, 0, PUBLISHED);
	for (uint64_t number = 1; number <= 2; number++)
		assert_string_equal(
		    history_name(world->history, world->ledger, world->row, number), "web");
	assert_string_equal(history_name(world->history, world->ledger, world->row, 3), "db");
	assert_int_equal(history_find(world->history, 2)->kind, HISTORY_REMOVED);
}

static void test_removal_when_killed_then_it_counts_if_the_row_is_free(void **context)
{
	struct world *world = *context;

	history_prepare_removal(world->history, world->ledger, world->row);
	history_recover(world->history, world->ledger);
	assert_int_equal(history_next(world->history), 1);
	assert_string_equal(history_name(world->history, world->ledger, world->row, 1), "web");
	history_prepare_removal(world->history, world->ledger, world->row);
	ledger_free_row(world->ledger, world->row);
	history_recover(world->history, world->ledger);
	assert_int_equal(history_next(world->history), 2);
	assert_string_equal(history_name(world->history, world->ledger, world->row, 1), "web");
	assert_int_equal(world->history->born[world->row], 2);
}

static void test_map_when_it_is_ours_then_the_same_else_its_number(void **context)
{
	struct world *world = *context;
	struct history_memory *again;
	uint64_t next = 0;

	next_run(world, 0, PUBLISHED);
	assert_int_equal(history_map(world->fd, &again, &next), 0);
	assert_int_equal(history_next(again), 2);
	munmap(again, sizeof(*again));
	world->history->version++;
	assert_int_equal(history_map(world->fd, &again, &next), -EPROTO);
	assert_int_equal(next, 2);
	world->history->magic++;
	assert_int_equal(history_map(world->fd, &again, &next), -EPROTO);
	assert_int_equal(next, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_event_when_published_then_found_by_number_and_name),
	    TEST(test_run_when_it_ends_then_its_record_says_how),
	    TEST(test_runs_when_there_are_many_then_the_last_are_kept),
	    TEST(test_recover_when_killed_before_the_commit_then_it_is_told_once),
	    TEST(test_recover_when_killed_after_the_commit_then_it_is_told_once),
	    TEST(test_recover_when_killed_while_it_prepares_then_nothing_is_told),
	    TEST(test_words_when_too_many_came_since_then_none),
	    TEST(test_removal_when_the_row_is_used_again_then_each_has_its_name),
	    TEST(test_removal_when_killed_then_it_counts_if_the_row_is_free),
	    TEST(test_map_when_it_is_ours_then_the_same_else_its_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
