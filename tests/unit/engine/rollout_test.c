/* SPDX-License-Identifier: ISC */
/*
 * Tests of supervisord/engine/rollout.h: every combination of states that a few instances can be
 * in, and whole updates of a small model in which each act is carried out.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "supervisord/engine/rollout.h"
#include "supervisord/engine/step.h"

#define NOW  1000
#define HASH 7

/* What an instance can look like. */
enum look {
	OLD_UP,
	OLD_DOWN,
	OLD_AWAY,
	NEW_AWAY,
	NEW_SOAKS,
	NEW_DONE,
	NEW_FAILED,
	NEW_DEAD,
	DOWN,
	LOOKS
};

static const struct rollout_row looks[LOOKS] = {
    [OLD_UP] = {.up = true, .turn = true, .ready = true},
    [OLD_DOWN] = {.up = true, .turn = true, .down = true, .failed = true},
    [OLD_AWAY] = {.up = true, .turn = true},
    [NEW_AWAY] = {.up = true, .fresh = true},
    [NEW_SOAKS] = {.up = true, .fresh = true, .ready = true, .since_ns = NOW - 1},
    [NEW_DONE] = {.up = true, .ready = true},
    [NEW_FAILED] = {.up = true, .fresh = true, .down = true, .failed = true},
    [NEW_DEAD] = {.up = true, .down = true, .dead = true, .failed = true},
    [DOWN] = {.down = true},
};

/* Of an extra one. */
enum extra { NO_EXTRA, EXTRA_AWAY, EXTRA_SOAKS, EXTRA_READY, EXTRA_FAILED, EXTRA_OUTDATED, EXTRAS };

static const struct rollout_row extras[EXTRAS] = {
    [EXTRA_AWAY] = {.surge = true, .up = true},
    [EXTRA_SOAKS] = {.surge = true, .up = true, .ready = true, .since_ns = NOW - 1},
    [EXTRA_READY] = {.surge = true, .up = true, .ready = true},
    [EXTRA_FAILED] = {.surge = true, .up = true, .down = true, .failed = true},
    [EXTRA_OUTDATED] = {.surge = true, .up = true, .ready = true, .outdated = true},
};

static const struct rollout_limits rolling = {.max_unavailable = 1, .max_surge = 1, .soak_ns = 10};
static const struct rollout_limits start_first = {
    .start_first = true, .max_unavailable = 1, .max_surge = 1, .soak_ns = 10};

static bool is_available(const struct rollout_row *row)
{
	return row->up && row->ready &&
	       (row->fresh || row->surge ? NOW - row->since_ns >= 10 : true);
}

static void check_all(const struct rollout_limits *limits, uint32_t most)
{
	for (unsigned code = 0; code < LOOKS * LOOKS * LOOKS * EXTRAS; code++) {
		const struct rollout_row rows[] = {looks[code % LOOKS], looks[code / LOOKS % LOOKS],
		    looks[code / LOOKS / LOOKS % LOOKS], extras[code / LOOKS / LOOKS / LOOKS]};
		size_t count = rows[3].surge ? 4 : 3;
		unsigned wanted = 0, available = 0, after = 0, surge = rows[3].surge, replaced = 0;
		bool failed = false, turns = false, dead = false, moves = surge > 0;
		enum rollout_act acts[4];
		struct rollout rollout;

		rollout_decide(rows, count, limits, NOW, acts, &rollout);
		for (size_t i = 0; i < count; i++) {
			bool ready = is_available(&rows[i]) && !rows[i].outdated;

			wanted += !rows[i].surge && rows[i].up;
			turns |= rows[i].turn;
			available += ready;
			after += ready && acts[i] != ROLLOUT_REPLACE && acts[i] != ROLLOUT_REMOVE;
			replaced += acts[i] == ROLLOUT_REPLACE;
			failed |= rows[i].up && rows[i].failed && rows[i].fresh;
			dead |= rows[i].dead;
			moves |= acts[i] == ROLLOUT_REPLACE;
			if (acts[i] == ROLLOUT_REPLACE)
				assert_true(rows[i].turn && rows[i].up && !rows[i].surge &&
					    (rows[i].ready || rows[i].down));
			if (acts[i] == ROLLOUT_REMOVE)
				assert_true(rows[i].surge);
			if (acts[i] == ROLLOUT_SETTLE)
				assert_true(rows[i].fresh || rows[i].turn);
		}
		failed |= rows[3].surge && rows[3].failed && turns;
		if (failed || !dead || moves || !turns)
			assert_int_equal(
			    rollout.given_up, failed || (dead && turns && rollout.given_up));
		/* Nobody is taken away below what must be there. */
		if (after < available)
			assert_true(after + (limits->start_first ? 0 : most) >= wanted);
		if (rollout.given_up)
			assert_int_equal(replaced + rollout.surge, 0);
		assert_true(replaced <= most);
		/* Never more than allowed, those that are told to go included. */
		assert_true(surge + rollout.surge <=
			    limits->max_surge + (unsigned)(acts[3] == ROLLOUT_REMOVE && surge));
		if (!limits->start_first)
			assert_int_equal(rollout.surge, 0);
		/* What must be kept is told so, what is over has no flag. */
		for (size_t i = 0; i < 3; i++)
			if (rollout.given_up && rows[i].up && (rows[i].turn || rows[i].fresh))
				assert_int_equal(
				    acts[i], rows[i].turn ? ROLLOUT_KEEP : ROLLOUT_SETTLE);
	}
}

static void test_every_combination_keeps_within_the_limits(void **state)
{
	(void)state;
	check_all(&rolling, 1);
	check_all(&start_first, 1);
}

/* ---- whole updates --------------------------------------------------------------------------- */

#define MODEL_ROWS 16

struct model {
	struct rollout_row rows[MODEL_ROWS];
	size_t count;
	size_t instances;
	int64_t now_ns;
	size_t least_available;
	size_t most_live;
	size_t fails_at; /* the launch of that number fails; 0: none */
	size_t launches;
	bool given_up;
};

static void model_init(struct model *model, size_t instances)
{
	memset(model, 0, sizeof(*model));
	model->now_ns = NOW;
	model->instances = model->count = instances;
	model->least_available = instances;
	for (size_t i = 0; i < instances; i++)
		model->rows[i] = looks[OLD_UP];
}

static void launch(struct model *model, struct rollout_row *row)
{
	*row = (struct rollout_row){.up = true, .surge = row->surge, .fresh = !row->surge};
	if (++model->launches == model->fails_at)
		row->down = row->failed = true;
}

/* One decision and what follows at once; true while something is to come. */
static bool model_step(struct model *model, const struct rollout_limits *limits)
{
	enum rollout_act acts[MODEL_ROWS];
	struct rollout rollout;
	size_t ready = 0, live = 0;
	bool more = false;

	rollout_decide(model->rows, model->count, limits, model->now_ns, acts, &rollout);
	model->given_up |= rollout.given_up;
	for (size_t i = model->count; i-- > 0;) {
		struct rollout_row *row = &model->rows[i];

		more |= acts[i] != ROLLOUT_NOTHING;
		if (acts[i] == ROLLOUT_REPLACE)
			launch(model, row);
		else if (acts[i] == ROLLOUT_SETTLE)
			row->fresh = row->turn = false;
		else if (acts[i] == ROLLOUT_KEEP)
			row->turn = false;
		else if (acts[i] == ROLLOUT_REMOVE)
			memmove(row, row + 1, (--model->count - i) * sizeof(*row));
	}
	for (uint32_t i = 0; i < rollout.surge; i++) {
		assert_true(model->count < MODEL_ROWS);
		model->rows[model->count] = (struct rollout_row){.surge = true};
		launch(model, &model->rows[model->count++]);
		more = true;
	}
	for (size_t i = 0; i < model->count; i++) {
		ready += model->rows[i].ready;
		live += !model->rows[i].down;
	}
	if (ready < model->least_available)
		model->least_available = ready;
	if (live > model->most_live)
		model->most_live = live;
	/* The next event: somebody becomes ready, or the soak is over. */
	for (size_t i = 0; i < model->count; i++) {
		struct rollout_row *row = &model->rows[i];

		if (row->ready || row->down)
			continue;
		row->ready = true;
		row->since_ns = model->now_ns;
		return true;
	}
	if (rollout.look_again != 0)
		model->now_ns = rollout.look_again;
	return more || rollout.look_again != 0;
}

static void run_update(struct model *model, const struct rollout_limits *limits)
{
	int steps = 0;

	while (model_step(model, limits))
		assert_true(++steps < 1000);
}

static void assert_all_replaced(const struct model *model, size_t launches)
{
	assert_int_equal(model->count, model->instances);
	assert_int_equal(model->launches, launches);
	assert_false(model->given_up);
	for (size_t i = 0; i < model->count; i++)
		assert_true(model->rows[i].ready && !model->rows[i].turn && !model->rows[i].fresh);
}

static void test_rolling_replaces_all_with_one_away(void **state)
{
	struct model model;

	(void)state;
	model_init(&model, 5);
	run_update(&model, &rolling);
	assert_all_replaced(&model, 5);
	assert_int_equal(model.least_available, 4);
	assert_int_equal(model.most_live, 5);
}

static void test_rolling_may_have_more_away(void **state)
{
	struct rollout_limits limits = rolling;
	struct model model;

	(void)state;
	limits.max_unavailable = 3;
	model_init(&model, 5);
	run_update(&model, &limits);
	assert_all_replaced(&model, 5);
	assert_int_equal(model.least_available, 2);
}

static void test_start_first_has_never_fewer_and_ends_with_the_same_numbers(void **state)
{
	struct rollout_limits limits = start_first;
	struct model model;

	(void)state;
	model_init(&model, 4);
	run_update(&model, &limits);
	assert_all_replaced(&model, 5);
	assert_int_equal(model.least_available, 4);
	assert_int_equal(model.most_live, 5);
	limits.max_surge = 3;
	model_init(&model, 4);
	run_update(&model, &limits);
	assert_int_equal(model.count, 4);
	assert_int_equal(model.least_available, 4);
	assert_int_equal(model.most_live, 7);
	model_init(&model, 1);
	run_update(&model, &limits);
	assert_all_replaced(&model, 2);
	assert_int_equal(model.least_available, 1);
}

static void test_first_failure_spares_the_rest(void **state)
{
	struct model model;

	(void)state;
	for (size_t at = 1; at <= 4; at++) {
		model_init(&model, 4);
		model.fails_at = at;
		run_update(&model, &rolling);
		assert_true(model.given_up);
		assert_int_equal(model.launches, at);
		assert_int_equal(model.least_available, 3);
		/* An extra one that fails has cost nothing, and is not kept. */
		model_init(&model, 4);
		model.fails_at = at;
		run_update(&model, &start_first);
		assert_true(model.given_up);
		assert_int_equal(model.launches, at);
		assert_int_equal(model.least_available, 4);
		assert_int_equal(model.count, at == 1 ? 4 : 5);
	}
}

static void test_extra_one_is_kept_while_it_is_needed(void **state)
{
	struct model model;
	enum rollout_act acts[MODEL_ROWS];
	struct rollout rollout;

	(void)state;
	model_init(&model, 3);
	model.fails_at = 3;
	run_update(&model, &start_first);
	assert_int_equal(model.count, 4);
	/* The one that failed has come back. */
	for (size_t i = 0; i < model.count; i++) {
		model.rows[i].ready = true;
		model.rows[i].down = model.rows[i].failed = false;
	}
	rollout_decide(model.rows, model.count, &start_first, model.now_ns, acts, &rollout);
	assert_int_equal(acts[3], ROLLOUT_REMOVE);
}

static void test_one_that_is_missing_for_good_ends_the_update(void **state)
{
	const struct rollout_row rows[] = {looks[NEW_DEAD], looks[OLD_UP], looks[OLD_UP]};
	struct rollout_limits limits = rolling;
	enum rollout_act acts[3];
	struct rollout rollout;

	(void)state;
	rollout_decide(rows, 3, &limits, NOW, acts, &rollout);
	assert_true(rollout.given_up);
	assert_int_equal(rollout.culprit, 0);
	assert_int_equal(acts[1], ROLLOUT_KEEP);
	/* Where more may be away it goes on. */
	limits.max_unavailable = 2;
	rollout_decide(rows, 3, &limits, NOW, acts, &rollout);
	assert_false(rollout.given_up);
	assert_int_equal(acts[1], ROLLOUT_REPLACE);
	assert_int_equal(acts[2], ROLLOUT_NOTHING);
}

/* By a stanza with fewer instances, while it was to be replaced. */
static void test_one_that_becomes_an_extra_one_has_no_turn_any_more(void **state)
{
	struct rollout_row rows[] = {looks[NEW_DEAD], extras[EXTRA_READY]};
	enum rollout_act acts[2];
	struct rollout rollout;

	(void)state;
	rows[1].fresh = true;
	rollout_decide(rows, 2, &start_first, NOW, acts, &rollout);
	assert_int_equal(acts[1], ROLLOUT_SETTLE);
	rows[1].fresh = false;
	rows[1].turn = true;
	rollout_decide(rows, 2, &start_first, NOW, acts, &rollout);
	assert_int_equal(acts[1], ROLLOUT_SETTLE);
}

static void test_row_is_read_off_the_ledger(void **state)
{
	struct ledger_state ledger = {.state = STATE_RUNNING,
	    .wanted = WANTED_UP,
	    .starts = 1,
	    .config_hash = HASH,
	    .since_ns = 5,
	    .flags = LEDGER_FLAG_TURN};
	struct rollout_row row = rollout_row_of(&ledger, false, HASH);

	(void)state;
	assert_true(row.ready && row.up && row.turn && !row.fresh && !row.failed && !row.outdated);
	assert_int_equal(row.since_ns, 5);
	ledger.flags = LEDGER_FLAG_BOUNCE | LEDGER_FLAG_FRESH;
	assert_false(rollout_row_of(&ledger, false, HASH).ready);
	ledger.flags = 0;
	ledger.health = LEDGER_HEALTH_BAD;
	row = rollout_row_of(&ledger, false, HASH + 1);
	assert_true(row.failed && !row.ready && row.down && row.outdated);
	ledger.health = LEDGER_HEALTH_UNKNOWN;
	/* Nobody waits for a run that is to be replaced to get ready. */
	ledger.state = STATE_STARTING;
	assert_false(rollout_row_of(&ledger, false, HASH).down);
	ledger.flags = LEDGER_FLAG_TURN;
	assert_true(rollout_row_of(&ledger, false, HASH).down);
	ledger.flags = LEDGER_FLAG_TURN | LEDGER_FLAG_BOUNCE;
	assert_false(rollout_row_of(&ledger, false, HASH).down);
	ledger.flags = 0;
	for (int at = 0; at < STATE_COUNT; at++) {
		ledger.state = (uint8_t)at;
		row = rollout_row_of(&ledger, false, HASH);
		assert_int_equal(row.ready, at == STATE_RUNNING);
		assert_int_equal(
		    row.failed, at == STATE_BACKOFF || at == STATE_FATAL || at == STATE_EXITED);
		assert_int_equal(row.dead, at == STATE_FATAL || at == STATE_EXITED);
		assert_int_equal(row.down, row.failed || at == STATE_STOPPED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_combination_keeps_within_the_limits),
	    cmocka_unit_test(test_rolling_replaces_all_with_one_away),
	    cmocka_unit_test(test_rolling_may_have_more_away),
	    cmocka_unit_test(test_start_first_has_never_fewer_and_ends_with_the_same_numbers),
	    cmocka_unit_test(test_first_failure_spares_the_rest),
	    cmocka_unit_test(test_extra_one_is_kept_while_it_is_needed),
	    cmocka_unit_test(test_one_that_is_missing_for_good_ends_the_update),
	    cmocka_unit_test(test_one_that_becomes_an_extra_one_has_no_turn_any_more),
	    cmocka_unit_test(test_row_is_read_off_the_ledger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
