/* SPDX-License-Identifier: ISC */
/*
 * checkhistory.c: whatever is committed and can be told is told once, by the next number, and the
 * end of each run has left its record; wherever the engine dies.
 */
#include "tests/sim/checks.h"

static void take(uint64_t number);
static void take_transition(const struct history_event *event, uint64_t number);
static bool is_transition(enum history_kind kind);

/* It is committed: its event must be prepared, and be the next that counts. */
void check_told_commit(
    int row, const struct ledger_state *before, const struct ledger_state *after, bool begun)
{
	struct shadow_told *told = &world->told;
	uint64_t next = world->history->next;
	bool is_news = before->state != after->state || begun ||
		       before->run_acted != after->run_acted || before->reason != after->reason ||
		       before->detail != after->detail || before->step != after->step;

	check_history();
	told->owed = is_news ? next : 0;
	told->row = row;
	told->state = *after;
	told->ended = before->run_acted != after->run_acted;
	if (is_news != (after->event != before->event))
		world_fail("%s: the number of its event is %d, and it was %d",
		    stanza_name(world->rows[row].program), (int)after->event, (int)before->event);
}

/* A row of a program is free. */
void check_told_removal(int row)
{
	(void)row;
	world->told.removals++;
}

/* Called when everything that was committed before must be told: at the next commit, when the
 * engine sleeps, when a new one has looked. */
void check_history(void)
{
	struct shadow_told *told = &world->told;

	while (told->seen + 1 < world->history->next)
		take(++told->seen);
	if (told->owed != 0)
		world_fail("%s: event %d is committed, and not told",
		    stanza_name(world->rows[told->row].program), (int)told->owed);
	if (told->removals != 0)
		world_fail("a program is removed, and that is not told");
	told->owed = 0;
}

static void take(uint64_t number)
{
	struct shadow_told *told = &world->told;
	const struct history_event *event = &world->history->events[number % LIMIT_EVENTS];

	if (event->number != number)
		world_fail("event %d is not where it should be", (int)number);
	else if (is_transition((enum history_kind)event->kind))
		take_transition(event, number);
	else if (event->kind == HISTORY_REMOVED && told->removals-- == 0)
		world_fail("a program is removed, says event %d, and it is not", (int)number);
}

static void take_transition(const struct history_event *event, uint64_t number)
{
	struct shadow_told *told = &world->told;
	const struct history_run *run;

	if (number != told->owed) {
		world_fail("event %d tells what was not committed", (int)number);
		return;
	}
	told->owed = 0;
	if (event->row != told->row || event->state != told->state.state ||
	    event->reason != told->state.reason || event->run != told->state.starts ||
	    event->ended != told->ended)
		world_fail("event %d tells something else than was committed", (int)number);
	if (!told->ended)
		return;
	run = &world->history->runs[told->row][told->state.run_acted % LIMIT_RUNS];
	if (run->run != told->state.run_acted || run->event != number ||
	    run->wstatus != told->state.last_wstatus || run->length_ns < 0)
		world_fail("run %d has ended, and is not on record", (int)told->state.run_acted);
}

static bool is_transition(enum history_kind kind)
{
	return kind == HISTORY_STATE || kind == HISTORY_EXIT || kind == HISTORY_REASON;
}
