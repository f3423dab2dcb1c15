/* SPDX-License-Identifier: ISC */
/* rolling.c: see rolling.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/ownlog.h"
#include "supervisord/engine/changes.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/logspecs.h"
#include "supervisord/engine/op.h"
#include "supervisord/engine/rolling.h"
#include "supervisord/engine/rollout.h"

#define FLAGS (LEDGER_FLAG_TURN | LEDGER_FLAG_FRESH)

/* The instances of one program, by number. */
struct party {
	struct engine *engine;
	struct instname name;
	size_t count;
	struct program **list;
	struct rollout_row *rows;
	enum rollout_act *acts;
	bool has_changed; /* extra ones have come, or are being removed */
};

static bool is_concerned(const struct program *program);
static bool is_follower(const struct program *program);
static int gather(struct party *party, const struct program *program);
static void note_waiting(const struct program *program, struct rollout_row *row);
static void party_done(struct party *party);
static int compare_numbers(const void *a, const void *b);
static struct rollout_limits limits_of(const struct party *party);
static void tell_given_up(const struct party *party, const struct rollout *rollout);
static void do_act(struct party *party, size_t index);
static void set_flags(struct program *program, unsigned drop, unsigned set);
static void replace(struct program *program);
static void link_again(const struct party *party);
static void retire_with_filter(struct program *program);
static void retire(struct program *program);
static void stop_with_filter(const struct party *party, size_t index);
static void add_surge(struct party *party, uint32_t count);
static void start_surge(const struct party *party);
static int32_t change_of(const struct program *program);
static bool add_one(const struct party *party, uint32_t number);
static int add_row(struct engine *engine, const char *name);
static void look_again(struct engine *engine, int64_t at_ns);

void rolling_mark(struct program *program)
{
	set_flags(program, LEDGER_FLAG_FRESH | LEDGER_FLAG_KEPT, LEDGER_FLAG_TURN);
	program_defer(program, PENDING_ROLL);
}

void rolling_note_change(struct program *program)
{
	if (is_concerned(program))
		program_defer(program, PENDING_ROLL);
}

void rolling_settle(struct program *program)
{
	const struct ledger_state *state = program_state(program);

	if ((state->flags & LEDGER_FLAG_KEPT) && state->config_hash == program_hash(program))
		set_flags(program, LEDGER_FLAG_KEPT, 0);
	rolling_note_change(program);
}

/* Programs that are not updated this way cost a look at their own flags. */
static bool is_concerned(const struct program *program)
{
	if (is_follower(program))
		return false;
	return (program_state(program)->flags & FLAGS) || program->config->surge ||
	       (program->config->instances > 1 && !program->config->life->key_accept) ||
	       program->config->life->key_update == UPDATE_START_FIRST;
}

/* The filter of an extra instance comes and goes with that. */
static bool is_follower(const struct program *program)
{
	return program->config->surge && strstr(program_name(program), INSTNAME_FILTER) != NULL;
}

void rolling_go_on(struct program *program)
{
	struct engine *engine = program->engine;
	struct party party = {.engine = engine};
	struct rollout_limits limits;
	struct rollout rollout;

	if (engine->safe_mode || engine->shutdown)
		return;
	if (gather(&party, program) < 0) {
		log_error("%s: out of memory for a rolling update", program_name(program));
		look_again(engine, clock_boot_ns() + NS_PER_S);
		party_done(&party);
		return;
	}
	if (party.count > 0) {
		limits = limits_of(&party);
		rollout_decide(
		    party.rows, party.count, &limits, clock_boot_ns(), party.acts, &rollout);
		if (rollout.given_up)
			tell_given_up(&party, &rollout);
		for (size_t i = 0; i < party.count; i++)
			do_act(&party, i);
		if (rollout.surge > 0)
			add_surge(&party, rollout.surge);
		if (party.has_changed)
			link_again(&party);
		for (size_t i = 0; i < party.count; i++)
			if (party.acts[i] == ROLLOUT_REMOVE)
				stop_with_filter(&party, i);
		if (rollout.surge > 0)
			start_surge(&party);
		if (rollout.look_again != 0)
			look_again(engine, rollout.look_again);
	}
	party_done(&party);
}

/* One that is being removed requires nothing any more, and a new one does. */
static void link_again(const struct party *party)
{
	int error = engine_link_programs(party->engine);

	if (error == 0)
		error = logspecs_hold(party->engine);
	if (error < 0)
		log_error("%s: rolling update: %s", party->name.program, strerror(-error));
}

void rolling_on_timer(struct timer *timer)
{
	struct engine *engine =
	    (struct engine *)(void *)((char *)timer - offsetof(struct engine, rolling_timer));

	for (size_t i = 0; i < engine->program_count; i++)
		rolling_note_change(engine->programs[i]);
}

/* Those that are being removed have nothing to do with it. */
static int gather(struct party *party, const struct program *program)
{
	struct engine *engine = party->engine;
	struct program *other;
	size_t index = 0, room = 0;

	instname_split(program_name(program), &party->name);
	while (engine_next_named(engine, party->name.program, &index) != NULL)
		room++;
	party->list = calloc(room + 1, sizeof(struct program *));
	party->rows = calloc(room + 1, sizeof(*party->rows));
	party->acts = calloc(room + 1, sizeof(*party->acts));
	if (party->list == NULL || party->rows == NULL || party->acts == NULL)
		return -ENOMEM;
	index = 0;
	while ((other = engine_next_named(engine, party->name.program, &index)) != NULL)
		if (!other->removed && !is_follower(other))
			party->list[party->count++] = other;
	if (party->count > 1)
		qsort(party->list, party->count, sizeof(struct program *), compare_numbers);
	for (size_t i = 0; i < party->count; i++) {
		other = party->list[i];
		party->rows[i] =
		    rollout_row_of(program_state(other), other->config->surge, program_hash(other));
		if (program_state_of(other) == STATE_WAITING &&
		    other->config->life->key_start == START_ON_DEMAND)
			note_waiting(other, &party->rows[i]);
	}
	return 0;
}

/* On demand: without a run it is what it is to be; but an extra one is there to run. */
static void note_waiting(const struct program *program, struct rollout_row *row)
{
	const struct ledger_state *state = program_state(program);

	if (!program->config->surge)
		row->up = false;
	else if (!(state->flags & LEDGER_FLAG_DEMAND) && state->starts > 0)
		row->failed = true;
	else if (!(state->flags & LEDGER_FLAG_DEMAND))
		row->up = false;
}

static void party_done(struct party *party)
{
	free(party->list);
	free(party->rows);
	free(party->acts);
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t x = instname_number(program_name(*(struct program *const *)a));
	uint32_t y = instname_number(program_name(*(struct program *const *)b));

	return (x > y) - (x < y);
}

static struct rollout_limits limits_of(const struct party *party)
{
	const struct life_config *life = party->list[0]->config->life;

	return (struct rollout_limits){
	    .start_first = life->key_update == UPDATE_START_FIRST,
	    .max_unavailable = life->key_max_unavailable,
	    .max_surge = life->key_max_surge,
	    .soak_ns = life->key_soak,
	};
}

static void tell_given_up(const struct party *party, const struct rollout *rollout)
{
	const struct program *culprit = party->list[rollout->culprit];
	char reason[REASON_TEXT];
	size_t kept = 0;

	for (size_t i = 0; i < party->count; i++)
		kept += party->acts[i] == ROLLOUT_KEEP;
	log_warning("%s: the rolling update is given up, %zu instance%s left as %s: %s: %s",
	    party->name.program, kept, kept == 1 ? " is" : "s are",
	    kept == 1 ? "it is" : "they are", program_name(culprit),
	    program_reason(culprit, NULL, reason, sizeof(reason)));
}

static void do_act(struct party *party, size_t index)
{
	struct program *program = party->list[index];

	switch (party->acts[index]) {
	case ROLLOUT_NOTHING:
		break;
	case ROLLOUT_REPLACE:
		replace(program);
		break;
	case ROLLOUT_SETTLE:
		set_flags(program, FLAGS, 0);
		program_defer(program, PENDING_ROLL);
		op_note_change(program);
		break;
	case ROLLOUT_KEEP:
		set_flags(program, FLAGS, LEDGER_FLAG_KEPT);
		op_note_change(program);
		break;
	case ROLLOUT_REMOVE:
		retire_with_filter(program);
		party->has_changed = true;
		break;
	}
}

static void set_flags(struct program *program, unsigned drop, unsigned set)
{
	struct ledger_state state = *program_state(program);

	state.flags = (uint16_t)((state.flags & ~drop) | set);
	ledger_commit_state(program->engine->ledger, program->run.row, &state);
	/* While it is being replaced, who requires it puts up with more. */
	engine_defer_linked(program);
}

static void replace(struct program *program)
{
	const struct cause cause = {.reason = REASON_ROLLED, .detail = change_of(program)};

	if (step_is_up(program_state_of(program)))
		program_restart(program, &cause);
	else
		engine_start(program->engine, program, &cause);
}

/* What makes it another one; 0: nothing, or that is not known. */
static int32_t change_of(const struct program *program)
{
	return program_state(program)->config_hash != program_hash(program)
		   ? changes_find(program->engine->history, program->run.row, program->config->hash)
		   : 0;
}

/* With the filter of its log. */
static void retire_with_filter(struct program *program)
{
	struct program *filter = engine_find_filter(program->engine, program);

	retire(program);
	if (filter != NULL)
		retire(filter);
}

static void retire(struct program *program)
{
	engine_defer_linked(program); /* its conflicts and what it requires are gone with that */
	program_retire(program);
	program_wish(program, WANTED_DOWN, false);
}

/* When the links are those of what is being removed. */
static void stop_with_filter(const struct party *party, size_t index)
{
	struct program *program = party->list[index];
	struct program *filter = engine_find_filter(party->engine, program);
	const struct cause cause = {.reason = REASON_REMOVED,
	    .detail = (int32_t)config_count_instances(party->engine->config, party->name.program)};

	program_stop(program, &cause);
	program_defer(program, PENDING_CHECK);
	if (filter == NULL)
		return;
	program_stop(filter, &cause);
	program_defer(filter, PENDING_CHECK);
}

/* The lowest free numbers behind those of the stanza. */
static void add_surge(struct party *party, uint32_t count)
{
	struct engine *engine = party->engine;
	uint32_t first = config_count_instances(engine->config, party->name.program) + 1;

	for (uint32_t number = first; count > 0 && number < first + LIMIT_SURGE; number++) {
		if (!add_one(party, number))
			continue;
		party->has_changed = true;
		count--;
	}
}

/* Their neighbours have something new to look at; and on demand nobody would ask for them. */
static void start_surge(const struct party *party)
{
	const struct cause cause = {.reason = REASON_ROLLED};
	struct program *program;
	size_t index = 0;

	while ((program = engine_next_named(party->engine, party->name.program, &index)) != NULL) {
		if (!program->config->surge || program->removed)
			continue;
		engine_defer_linked(program);
		if (program->config->life->key_start == START_ON_DEMAND && !is_follower(program) &&
		    program_state(program)->starts == 0)
			program_start(program, &cause);
	}
}

static bool add_one(const struct party *party, uint32_t number)
{
	const struct program_config *stanza;
	char name[LIMIT_NAME + INSTNAME_NUMBER], filter[LIMIT_NAME];
	int error;

	(void)snprintf(name, sizeof(name), "%s@%u", party->name.program, number);
	if (strlen(name) >= LIMIT_NAME)
		return false; /* no stanza can be called so */
	stanza = config_find_program(party->engine->config, name);
	/* One that is still being removed has its name; its end brings us here again. */
	if (stanza == NULL || !stanza->surge || engine_find(party->engine, name) != NULL)
		return false;
	instname_of_filter(name, filter);
	error = add_row(party->engine, filter);
	if (error == 0)
		error = add_row(party->engine, name);
	if (error < 0)
		log_error("%s: cannot be started for a rolling update: %s", name, strerror(-error));
	return error == 0;
}

/* 0 also when there is no stanza of that name. */
static int add_row(struct engine *engine, const char *name)
{
	const struct program_config *stanza = config_find_program(engine->config, name);
	const struct cause rolled = {.reason = REASON_ROLLED};
	struct program *program;
	int error;

	if (stanza == NULL || engine_find(engine, name) != NULL)
		return 0;
	error = program_new(engine, stanza, &rolled, &program);
	if (error == 0)
		error = engine_add(engine, program);
	if (error == 0)
		program_defer(program, PENDING_CHECK);
	return error;
}

static void look_again(struct engine *engine, int64_t at_ns)
{
	struct timer *timer = &engine->rolling_timer;

	if (timer->index == 0 || at_ns < timer->deadline_ns)
		(void)timers_arm(&engine->timers, timer, at_ns);
}
