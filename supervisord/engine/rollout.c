/* SPDX-License-Identifier: ISC */
/* rollout.c: see rollout.h. */
#include "supervisord/engine/rollout.h"
#include "supervisord/engine/step.h"
#include "supervisord/engine/transition.h"

/* All of a program, counted. */
struct tally {
	const struct rollout_row *rows;
	size_t count;
	const struct rollout_limits *limits;
	int64_t now_ns;
	enum rollout_act *acts;
	struct rollout *rollout;
	uint32_t wanted;          /* up, without extra ones */
	uint32_t available;       /* of those */
	uint32_t turns;           /* still to come */
	uint32_t busy;            /* away because of the update */
	uint32_t surge;           /* extra ones */
	uint32_t surge_available; /* of those */
};

static void count(struct tally *tally);
static void count_row(struct tally *tally, const struct rollout_row *row);
static bool is_available(const struct tally *tally, const struct rollout_row *row);
static bool is_soaked(const struct tally *tally, const struct rollout_row *row);
static void find_failure(struct tally *tally);
static void settle(struct tally *tally);
static uint32_t replace(struct tally *tally);
static void find_hindrance(struct tally *tally);
static void balance_surge(struct tally *tally);
static uint32_t least(uint32_t a, uint32_t b);

struct rollout_row rollout_row_of(const struct ledger_state *state, bool surge, uint64_t hash)
{
	enum state at = (enum state)state->state;
	bool unhealthy = at == STATE_RUNNING && state->health == LEDGER_HEALTH_BAD;
	/* It would get ready with what is to be replaced, if ever. */
	bool belated = (state->flags & LEDGER_FLAG_TURN) && step_is_up(at) && at != STATE_RUNNING;

	return (struct rollout_row){
	    .surge = surge,
	    .outdated = state->starts > 0 && state->config_hash != hash,
	    .up = state->wanted == WANTED_UP,
	    .turn = (state->flags & LEDGER_FLAG_TURN) != 0,
	    .fresh = (state->flags & LEDGER_FLAG_FRESH) != 0,
	    .ready = at == STATE_RUNNING && !unhealthy && !transition_is_halting(state),
	    .down = step_is_at_rest(at) || at == STATE_BACKOFF ||
		    ((unhealthy || belated) && !transition_is_halting(state)),
	    .dead = at == STATE_FATAL || at == STATE_EXITED,
	    .failed = unhealthy || at == STATE_BACKOFF || at == STATE_FATAL || at == STATE_EXITED ||
		      (step_is_stopping(at) && (state->flags & LEDGER_FLAG_FAILED)),
	    .since_ns = state->since_ns,
	};
}

void rollout_decide(const struct rollout_row *rows, size_t row_count,
    const struct rollout_limits *limits, int64_t now_ns, enum rollout_act *ret_acts,
    struct rollout *ret_rollout)
{
	struct tally tally = {.rows = rows,
	    .count = row_count,
	    .limits = limits,
	    .now_ns = now_ns,
	    .acts = ret_acts,
	    .rollout = ret_rollout};

	*ret_rollout = (struct rollout){0};
	for (size_t i = 0; i < row_count; i++)
		ret_acts[i] = ROLLOUT_NOTHING;
	count(&tally);
	find_failure(&tally);
	if (!ret_rollout->given_up && replace(&tally) == 0)
		find_hindrance(&tally);
	settle(&tally);
	balance_surge(&tally);
}

static void count(struct tally *tally)
{
	for (size_t i = 0; i < tally->count; i++)
		count_row(tally, &tally->rows[i]);
}

static void count_row(struct tally *tally, const struct rollout_row *row)
{
	bool available = is_available(tally, row);

	if (!row->up)
		return;
	if (row->surge) {
		tally->surge++;
		tally->surge_available += available && !row->outdated;
		return;
	}
	tally->wanted++;
	tally->available += available;
	tally->turns += row->turn;
	/* A marked one on its way down, or one that has yet to prove itself. */
	tally->busy += (row->turn && !row->ready && !row->down) || (row->fresh && !available);
}

static bool is_available(const struct tally *tally, const struct rollout_row *row)
{
	return row->up && row->ready && (!(row->fresh || row->surge) || is_soaked(tally, row));
}

static bool is_soaked(const struct tally *tally, const struct rollout_row *row)
{
	return tally->now_ns - row->since_ns >= tally->limits->soak_ns;
}

/* Of what the update has started, nothing may fail while there is somebody left to be spared. */
static void find_failure(struct tally *tally)
{
	for (size_t i = 0; i < tally->count && !tally->rollout->given_up; i++) {
		const struct rollout_row *row = &tally->rows[i];

		if (!row->up || !row->failed || !(row->fresh || (row->surge && tally->turns > 0)))
			continue;
		tally->rollout->given_up = true;
		tally->rollout->culprit = i;
	}
}

static void settle(struct tally *tally)
{
	bool given_up = tally->rollout->given_up;
	int64_t *look_again = &tally->rollout->look_again;

	for (size_t i = 0; i < tally->count; i++) {
		const struct rollout_row *row = &tally->rows[i];
		bool soaks =
		    row->up && row->ready && (row->fresh || row->surge) && !is_soaked(tally, row);
		int64_t until_ns = row->since_ns + tally->limits->soak_ns;

		if (soaks && !given_up && (*look_again == 0 || until_ns < *look_again))
			*look_again = until_ns;
		/* One that has become an extra one has no turn. */
		if (row->surge && (row->turn || row->fresh))
			tally->acts[i] = ROLLOUT_SETTLE;
		if (row->surge)
			continue;
		if (row->turn && given_up && row->up)
			tally->acts[i] = ROLLOUT_KEEP;
		else if ((row->turn || row->fresh) && !row->up)
			tally->acts[i] = ROLLOUT_SETTLE;
		else if (row->fresh && (given_up || is_available(tally, row)))
			tally->acts[i] = ROLLOUT_SETTLE;
	}
}

/* Nobody is on the way, and nobody may go: because of one that will not come back. */
static void find_hindrance(struct tally *tally)
{
	const struct rollout_limits *limits = tally->limits;
	bool surging =
	    limits->start_first && tally->surge_available < least(limits->max_surge, tally->turns);

	if (tally->turns == 0 || tally->busy > 0 || surging)
		return;
	for (size_t i = 0; i < tally->count && !tally->rollout->given_up; i++) {
		const struct rollout_row *row = &tally->rows[i];

		if (!row->up || !row->dead || row->turn || row->surge)
			continue;
		tally->rollout->given_up = true;
		tally->rollout->culprit = i;
	}
}

/* Returns how many. */
static uint32_t replace(struct tally *tally)
{
	const struct rollout_limits *limits = tally->limits;
	uint32_t busy = tally->busy;
	uint32_t allowed = limits->start_first ? tally->surge_available : limits->max_unavailable;
	uint32_t away = tally->wanted - tally->available;
	uint32_t most = limits->start_first ? limits->max_surge : limits->max_unavailable;

	for (size_t i = 0; i < tally->count; i++) {
		const struct rollout_row *row = &tally->rows[i];

		if (!row->up || !row->turn || row->surge)
			continue;
		/* What serves nobody can be tried at once. */
		if (row->down && tally->busy < most) {
			tally->acts[i] = ROLLOUT_REPLACE;
			tally->busy++;
		} else if (row->ready && away < allowed && tally->busy < most) {
			tally->acts[i] = ROLLOUT_REPLACE;
			tally->busy++;
			tally->available--;
			away++;
		}
	}
	return tally->busy - busy;
}

static void balance_surge(struct tally *tally)
{
	uint32_t needed = tally->limits->start_first && !tally->rollout->given_up
			      ? least(tally->limits->max_surge, tally->turns)
			      : 0;
	uint32_t left = tally->surge, serving = tally->surge_available;

	/* From the highest number down. */
	for (size_t i = tally->count; i-- > 0;) {
		const struct rollout_row *row = &tally->rows[i];
		bool serves = is_available(tally, row) && !row->outdated;
		bool useless = !row->up || row->outdated || row->failed;

		if (!row->surge)
			continue;
		if (!useless &&
		    (left <= needed || (serves && tally->available + serving <= tally->wanted)))
			continue;
		tally->acts[i] = ROLLOUT_REMOVE;
		left -= row->up;
		serving -= serves;
	}
	if (left < needed)
		tally->rollout->surge = needed - left;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}
