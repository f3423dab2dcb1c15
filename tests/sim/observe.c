/* SPDX-License-Identifier: ISC */
/*
 * observe.c: the linker puts these between the engine and its ledger, and between its shell and its
 * core: so the checks see each decision and each commit, and the engine can be killed in them.
 */
#include <errno.h>
#include <string.h>

#include "tests/sim/checks.h"
#include "tests/sim/kernel.h"
#include "tests/sim/steps.h"
#include "tests/sim/world.h"

int __real_ledger_claim_row(struct ledger *ledger, const char *name,
    const struct ledger_owner *owner, const struct ledger_state *state,
    bool (*is_free)(const void *context, int row), const void *context);
void __real_ledger_free_row(struct ledger *ledger, int row);
void __real_ledger_commit_state(struct ledger *ledger, int row, const struct ledger_state *state);
void __real_ledger_clear_exit(struct ledger *ledger, int row);
int __real_transition_decide(const struct ledger_state *state, const struct program_config *config,
    const struct happening *happening, struct transition *ret_transition);
int64_t __real_transition_retime_ns(const struct ledger_state *state,
    const struct program_config *before, const struct program_config *after);
int64_t __wrap_transition_retime_ns(const struct ledger_state *state,
    const struct program_config *before, const struct program_config *after);
int __wrap_ledger_claim_row(struct ledger *ledger, const char *name,
    const struct ledger_owner *owner, const struct ledger_state *state,
    bool (*is_free)(const void *context, int row), const void *context);
void __wrap_ledger_free_row(struct ledger *ledger, int row);
void __wrap_ledger_commit_state(struct ledger *ledger, int row, const struct ledger_state *state);
void __wrap_ledger_clear_exit(struct ledger *ledger, int row);
int __wrap_transition_decide(const struct ledger_state *state, const struct program_config *config,
    const struct happening *happening, struct transition *ret_transition);

static void note_rows(void);
static void trace(const struct ledger_state *state, int row);
static int row_of(const struct ledger_state *state);

int __wrap_transition_decide(const struct ledger_state *state, const struct program_config *config,
    const struct happening *happening, struct transition *ret_transition)
{
	struct shadow_pending *pending = &world->pending;
	int error = __real_transition_decide(state, config, happening, ret_transition);

	*pending = (struct shadow_pending){
	    .valid = error == 0,
	    .row = row_of(state),
	    .happening = *happening,
	    .before = *state,
	    .transition = *ret_transition,
	    .config = config,
	};
	check_decision(pending);
	if (error < 0)
		world_fail("%s: %s cannot happen in %s",
		    stanza_name(world->rows[pending->row].program),
		    world_event_name(happening->event), world_state_name((enum state)state->state));
	else if (world->reached != NULL)
		world->reached->cells[state->state][happening->event]++;
	return error;
}

int64_t __wrap_transition_retime_ns(const struct ledger_state *state,
    const struct program_config *before, const struct program_config *after)
{
	int64_t deadline_ns = __real_transition_retime_ns(state, before, after);

	check_retime(row_of(state), state, before, after, deadline_ns);
	return deadline_ns;
}

int __wrap_ledger_claim_row(struct ledger *ledger, const char *name,
    const struct ledger_owner *owner, const struct ledger_state *state,
    bool (*is_free)(const void *context, int row), const void *context)
{
	int row;

	steps_effect();
	if (owner != NULL && !world->calm && world_chance(2)) {
		check_refused_task(owner);
		return -ENOSPC;
	}
	row = __real_ledger_claim_row(ledger, name, owner, state, is_free, context);
	note_rows();
	steps_effect();
	return row;
}

void __wrap_ledger_free_row(struct ledger *ledger, int row)
{
	bool is_program;

	steps_effect();
	check_free(row);
	is_program = world->rows[row].kind == MAIN_PROCESS;
	__real_ledger_free_row(ledger, row);
	if (is_program)
		check_told_removal(row);
	note_rows();
	steps_effect();
}

void __wrap_ledger_commit_state(struct ledger *ledger, int row, const struct ledger_state *state)
{
	const struct shadow_pending *pending = &world->pending;

	steps_effect();
	world->commit = (struct shadow_commit){
	    .active = true,
	    .row = row,
	    .decision = pending->valid && pending->row == row &&
			memcmp(&pending->transition.state, state, sizeof(*state)) == 0,
	    .active_before = ledger->table[row].active,
	    .before = *world_row_state(row),
	    .after = *state,
	};
	__real_ledger_commit_state(ledger, row, state);
	observe_end_commit();
	steps_effect();
}

/* Also called when the engine was killed in the middle: it has happened, or not. */
void observe_end_commit(void)
{
	struct shadow_commit commit = world->commit;

	world->commit.active = false;
	if (!commit.active || world->ledger->table[commit.row].active == commit.active_before)
		return;
	trace(&commit.after, commit.row);
	if (world->rows[commit.row].program < 0)
		return;
	if (commit.decision) {
		world->pending.valid = false;
		check_told_commit(commit.row, &commit.before, &commit.after,
		    (world->pending.transition.actions & ACTION_BEGIN) != 0);
		check_step(commit.row, &world->pending);
	} else {
		check_write(commit.row, &commit.before, &commit.after);
	}
}

/* The guardian may just be posting another one. */
void __wrap_ledger_clear_exit(struct ledger *ledger, int row)
{
	steps_effect();
	if ((ledger->exited[row / 64] >> (row % 64)) & 1)
		check_drop(row);
	__real_ledger_clear_exit(ledger, row);
	steps_effect();
}

/* Who has which row: read off the names, as a new engine does; so a claim or a free that was not
 * lived to its end counts as what it has come to. */
void observe_rows(void)
{
	note_rows();
}

static void note_rows(void)
{
	for (int row = 0; row < (int)world->ledger->header.rows_high; row++) {
		const struct ledger_row *slot = &world->ledger->table[row];
		struct sim_row *known = &world->rows[row];
		int program;

		if (slot->name[0] == '\0') {
			if (known->program >= 0 && known->kind == MAIN_PROCESS)
				world->main_rows[known->program] = -1;
			known->program = -1;
			continue;
		}
		if (known->program >= 0)
			continue;
		program = slot->owner.row == 0 ? stanza_index(slot->name)
					       : world->rows[slot->owner.row - 1].program;
		known->claim++;
		known->program = program;
		known->kind = slot->owner.row == 0 ? MAIN_PROCESS : slot->owner.kind;
		known->owner_run = slot->owner.run;
		if (known->kind == MAIN_PROCESS) {
			world->lives[program]++;
			world->main_rows[program] = row;
			check_claim(row, program);
		}
		known->life = program >= 0 ? world->lives[program] : 0;
	}
}

static void trace(const struct ledger_state *state, int row)
{
	struct ledger_state copy = *state;
	uint64_t words[sizeof(copy) / sizeof(uint64_t)];

	copy.since_wall_ns = 0;
	memcpy(words, &copy, sizeof(words));
	world->trace ^= (uint64_t)row;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		world->trace = (world->trace ^ words[i]) * 0x9e3779b97f4a7c15ULL;
}

static int row_of(const struct ledger_state *state)
{
	ptrdiff_t at = (const char *)state - (const char *)world->ledger->table;

	return (int)((size_t)at / sizeof(struct ledger_row));
}
