/* SPDX-License-Identifier: ISC */
/*
 * checkparty.c: the instances of one program while they are replaced in turn: never more of them
 * away than their stanza allows, nobody left out or given up without a cause, and no extra one
 * that outlives its use.
 */
#include "tests/sim/checklink.h"
#include "tests/sim/checks.h"
#include "tests/sim/checkstep.h"

/* All instances but one, counted. */
struct others {
	unsigned missing;   /* wanted up, not extra, and not ready or not long enough */
	unsigned extra;     /* extra ones that serve */
	bool has_turn;      /* somebody is yet to be replaced */
	bool is_any_broken; /* has failed, or may be about to be started again */
	bool is_any_moving; /* somebody has yet to come, to go, or to stay */
};

static struct others count_others(int program);
static void count_one(int program, struct others *others);
static bool is_soaking(int program);
static bool is_fine(int program);

/* It has to go because its turn has come. */
void check_turn(const struct decision *d)
{
	const struct life_config *life = &world_stanza(d->program)->life;
	struct others others = count_others(d->program);

	EXPECT(d->before->flags & LEDGER_FLAG_TURN, "it is replaced, and it is not its turn");
	if (d->from != STATE_RUNNING || d->before->health == LEDGER_HEALTH_BAD)
		return; /* it served nobody */
	if (life->key_update == UPDATE_START_FIRST)
		EXPECT(others.missing < others.extra, "replaced with nobody in its place");
	else
		EXPECT(others.missing < life->key_max_unavailable,
		    "replaced while too many others are away");
}

/* The update goes on without it. */
void check_kept(int program)
{
	struct others others = count_others(program);

	count_one(program, &others);
	EXPECT_OF(program, others.is_any_broken, "a rolling update is given up for nothing");
}

/* It has its turn and runs: somebody must be on the way, for whom it waits. */
bool check_waits_for_mates(int program)
{
	return count_others(program).is_any_moving;
}

/* It has its turn: extra ones are there, or on their way, as many as there may be. */
void check_has_extra(int program)
{
	const struct life_config *life = &world_stanza(program)->life;
	unsigned turns = 0, extra = 0, room = 0;

	if (life->key_update != UPDATE_START_FIRST)
		return;
	for (int mate = 0; mate < world->program_count; mate++) {
		const struct ledger_state *state = world_state(mate);
		const struct stanza *stanza = world_stanza(mate);

		if (!stanza_are_mates(program, mate) || stanza == NULL)
			continue;
		room += stanza->config.surge && world_row(mate) < 0;
		if (world_row(mate) < 0 || world_is_removed(mate) || state->wanted != WANTED_UP)
			continue;
		extra += stanza->config.surge;
		turns += !stanza->config.surge && (state->flags & LEDGER_FLAG_TURN);
	}
	EXPECT_OF(program, room == 0 || extra >= life->key_max_surge || extra >= turns,
	    "its turn to be replaced has come, and nobody is started in its place");
}

/* Everything has come to where it stays. */
void check_settled_extra(int program)
{
	struct others others = count_others(program);

	if (!world->configs[world->held].programs[program].config.surge)
		return;
	EXPECT_OF(program, others.has_turn || others.missing > others.extra,
	    "an extra instance is left, and serves in nobody's place");
}

static struct others count_others(int program)
{
	struct others others = {.missing = 0};

	for (int other = 0; other < world->program_count; other++)
		if (other != program && stanza_are_mates(program, other))
			count_one(other, &others);
	return others;
}

static void count_one(int program, struct others *others)
{
	const struct ledger_state *state = world_state(program);
	const struct stanza *stanza = world_stanza(program);
	bool fine = is_fine(program) && !is_soaking(program);

	if (world_row(program) < 0 || stanza == NULL)
		return;
	others->is_any_moving = others->is_any_moving || world_is_removed(program);
	if (world_is_removed(program) || state->wanted != WANTED_UP)
		return;
	others->is_any_moving = others->is_any_moving || (!fine && !checklink_is_lazy(program));
	others->is_any_broken =
	    others->is_any_broken || state->state == STATE_FATAL || state->state == STATE_EXITED ||
	    state->state == STATE_BACKOFF || (state->flags & LEDGER_FLAG_FAILED) ||
	    (state->state == STATE_WAITING && checklink_is_lazy(program)) ||
	    (state->state == STATE_RUNNING && state->health == LEDGER_HEALTH_BAD);
	if (stanza->config.surge) {
		others->extra += fine && state->config_hash == program_hash_of(program);
		return;
	}
	others->has_turn = others->has_turn || (state->flags & LEDGER_FLAG_TURN);
	/* On demand one without a run is what it is to be. */
	others->missing +=
	    !fine && (state->state != STATE_WAITING || stanza->life.key_start != START_ON_DEMAND);
}

static bool is_fine(int program)
{
	const struct ledger_state *state = world_state(program);

	return state->state == STATE_RUNNING && state->health != LEDGER_HEALTH_BAD &&
	       !checklink_is_halting(state);
}

/* It has yet to show that it stays up. */
static bool is_soaking(int program)
{
	const struct ledger_state *state = world_state(program);
	const struct stanza *stanza = world_stanza(program);

	return stanza != NULL && ((state->flags & LEDGER_FLAG_FRESH) || stanza->config.surge) &&
	       world->now_ns - state->since_ns < stanza->life.key_soak;
}
