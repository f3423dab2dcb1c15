/* SPDX-License-Identifier: ISC */
/* checklink.c: see checklink.h. */
#include <string.h>

#include "supervisord/engine/depend.h"
#include "tests/sim/checklink.h"
#include "tests/sim/checkcount.h"
#include "tests/sim/checks.h"

enum hope { HOPE_FULL, HOPE_SOME, HOPE_NONE };

static enum hope hope_for(int program);
static bool is_ailing(uint8_t condition, int first);
static bool is_there(int program);
static bool is_linked(int program, int other);
static struct stanza_link said_by(int program, int other);
static uint8_t meant(uint8_t condition, int first);
static bool is_done(int first);
static bool is_being_replaced(int first);
static bool is_missed(int first);
static bool stays(uint8_t condition, int first);

void checklink_note_config(int index, bool anew)
{
	static const struct stanza_link none = {.requires = false};

	for (int program = 0; program < STANZA_PROGRAMS; program++) {
		const struct stanza *stanza = &world->configs[index].programs[program];

		if (anew)
			world->linked[program] = 0;
		for (int other = 0; other < STANZA_PROGRAMS; other++) {
			const struct stanza_link *back =
			    &world->configs[index].programs[other].links[program];

			if (memcmp(&stanza->links[other], &none, sizeof(none)) != 0 ||
			    memcmp(back, &none, sizeof(none)) != 0)
				world->linked[program] |= 1U << other;
		}
	}
}

struct stanza_link checklink_between(int program, int other)
{
	struct stanza_link link = said_by(program, other), back = said_by(other, program);

	link.before = false;
	if (back.before) {
		/* Two of them need not agree: the weaker kinds only. */
		link.before = true;
		link.before_condition = back.condition;
	}
	link.conflicts = link.conflicts || back.conflicts;
	return link;
}

bool checklink_is_lazy(int program)
{
	const struct program *there = world_program(program);

	return world_state(program)->state == STATE_WAITING && there != NULL &&
	       there->config->life->key_start == START_ON_DEMAND && !world->shadows[program].asked;
}

int checklink_start_blocker(int program)
{
	for (int first = 0; first < world->program_count; first++) {
		const struct ledger_state *state = world_state(first);
		struct stanza_link link;
		bool may_come, waits;
		enum hope hope;

		if (first == program || !is_linked(program, first))
			continue;
		link = checklink_between(program, first);
		if (link.conflicts && checklink_is_live(state))
			return first;
		if (link.requires && !stays(meant(link.condition, first), first))
			return first;
		/* What is only to come before is waited for as long as it may come. */
		hope = hope_for(first);
		may_come = state->wanted == WANTED_UP && state->state != STATE_EXITED &&
			   state->state != STATE_FATAL;
		may_come = may_come && !checklink_is_lazy(first);
		waits = (link.after && !stays(meant(link.condition, first), first)) ||
			(link.before && !stays(meant(link.before_condition, first), first));
		if (may_come && waits && hope != HOPE_NONE)
			return first;
		/* One that has failed once is not waited for by who only wants it. */
		may_come = state->wanted == WANTED_UP && state->state != STATE_EXITED &&
			   state->state != STATE_FATAL;
		if (link.wants && may_come && state->state != STATE_BACKOFF && hope == HOPE_FULL &&
		    !is_ailing(meant(link.condition, first), first) &&
		    !stays(meant(link.condition, first), first))
			return first;
	}
	return -1;
}

/* What one that is WAITING waits for may come, has failed and may yet come, or comes by no means.
 */
static enum hope hope_for(int program)
{
	enum hope worst = HOPE_FULL;

	if (world_state(program)->state != STATE_WAITING)
		return HOPE_FULL;
	for (int first = 0; first < world->program_count; first++) {
		const struct ledger_state *state = world_state(first);
		struct stanza_link link;
		enum hope hope = HOPE_FULL;

		if (first == program || !is_linked(program, first))
			continue;
		link = checklink_between(program, first);
		if (link.conflicts && state->wanted == WANTED_UP &&
		    step_is_up((enum state)state->state))
			return HOPE_NONE;
		if (!link.requires || stays(meant(link.condition, first), first))
			continue;
		if (state->state == STATE_WAITING)
			hope = hope_for(first);
		else if (state->state == STATE_EXITED || state->state == STATE_FATAL ||
			 (state->state == STATE_STOPPED && state->wanted != WANTED_UP))
			hope = HOPE_NONE;
		else if (state->state == STATE_BACKOFF ||
			 is_ailing(meant(link.condition, first), first))
			hope = HOPE_SOME;
		if (hope > worst)
			worst = hope;
	}
	return worst;
}

bool checklink_has_news(int program)
{
	for (int first = 0; first < world->program_count; first++)
		if (first != program && is_linked(program, first) && !checklink_is_told(first))
			return true;
	return false;
}

bool checklink_is_told(int program)
{
	static const enum depend_outlook outlooks[] = {
	    [HOPE_FULL] = DEPEND_MAY_COME,
	    [HOPE_SOME] = DEPEND_DELAYED,
	    [HOPE_NONE] = DEPEND_IN_VAIN,
	};

	return world_program(program)->outlook == outlooks[hope_for(program)];
}

/* It is up, and not well, where that was asked for. */
static bool is_ailing(uint8_t condition, int first)
{
	return condition == DEPEND_HEALTHY && world_state(first)->state == STATE_RUNNING &&
	       world_state(first)->health == LEDGER_HEALTH_BAD;
}

int checklink_missing(int program)
{
	for (int first = 0; first < world->program_count; first++) {
		struct stanza_link link;

		if (first == program || !is_linked(program, first))
			continue;
		link = checklink_between(program, first);
		if (link.requires && !stays(meant(link.condition, first), first))
			return first;
	}
	return -1;
}

int checklink_stop_blocker(int program)
{
	if (world->engine.engine->shutdown_forced)
		return -1;
	for (int last = 0; last < world->program_count; last++) {
		const struct ledger_state *state = world_state(last);
		struct stanza_link link;
		bool strict;

		if (last == program || !is_linked(program, last) || !checklink_is_live(state))
			continue;
		link = checklink_between(last, program);
		strict = link.requires && meant(link.condition, program) != DEPEND_COMPLETED;
		if (strict && !is_being_replaced(program) &&
		    (is_missed(program) || checklink_is_halting(state)))
			return last;
		if ((link.wants || link.after || link.before || (link.requires && !strict)) &&
		    checklink_is_halting(state))
			return last;
	}
	return -1;
}

int checklink_lost(int program)
{
	for (int first = 0; first < world->program_count; first++) {
		struct stanza_link link;
		uint8_t condition;

		if (first == program || !is_linked(program, first))
			continue;
		link = checklink_between(program, first);
		condition = meant(link.condition, first);
		if (!link.requires || condition == DEPEND_COMPLETED || is_being_replaced(first) ||
		    !is_missed(first))
			continue;
		/* Health has a policy of its own. */
		if (!stays(condition == DEPEND_HEALTHY ? DEPEND_READY : condition, first))
			return first;
	}
	return -1;
}

unsigned checklink_pulled(int program)
{
	unsigned pulled = 0, todo = 1U << program;

	while (todo != 0) {
		int next = __builtin_ctz(todo);

		todo &= todo - 1;
		for (int first = 0; first < world->program_count; first++) {
			struct stanza_link link = checklink_between(next, first);
			const struct ledger_state *state = world_state(first);

			if (first == program || ((pulled >> first) & 1) || !is_there(first) ||
			    world_is_removed(first) || (!link.requires && !link.wants) ||
			    stays(meant(link.condition, first), first) ||
			    (state->wanted == WANTED_UP && !checklink_is_resting(state)))
				continue;
			pulled |= 1U << first;
			todo |= 1U << first;
		}
	}
	return pulled;
}

unsigned checklink_conflicting(unsigned programs)
{
	unsigned found = 0;

	for (int program = 0; program < world->program_count; program++)
		for (int other = 0; other < world->program_count; other++)
			if (((programs >> program) & 1) && is_there(other) &&
			    checklink_between(program, other).conflicts &&
			    world_state(other)->wanted == WANTED_UP &&
			    !checklink_is_resting(world_state(other)))
				found |= 1U << other;
	return found;
}

unsigned checklink_requirers(int program)
{
	unsigned found = 0, todo = 1U << program;

	while (todo != 0) {
		int next = __builtin_ctz(todo);

		todo &= todo - 1;
		for (int last = 0; last < world->program_count; last++) {
			struct stanza_link link = checklink_between(last, next);
			const struct ledger_state *state = world_state(last);

			if (last == program || ((found >> last) & 1) || !is_there(last) ||
			    !link.requires || meant(link.condition, next) == DEPEND_COMPLETED ||
			    !is_missed(next) || state->wanted != WANTED_UP ||
			    checklink_is_resting(state))
				continue;
			found |= 1U << last;
			todo |= 1U << last;
		}
	}
	return found;
}

bool checklink_is_live(const struct ledger_state *state)
{
	return state->state != STATE_STOPPED && state->state != STATE_WAITING &&
	       state->state != STATE_BACKOFF && state->state != STATE_EXITED &&
	       state->state != STATE_FATAL;
}

bool checklink_is_halting(const struct ledger_state *state)
{
	return state->wanted == WANTED_DOWN || (state->flags & LEDGER_FLAG_BOUNCE) ||
	       (state->flags & LEDGER_FLAG_LOST);
}

bool checklink_is_resting(const struct ledger_state *state)
{
	return state->state == STATE_STOPPED || state->state == STATE_EXITED ||
	       state->state == STATE_FATAL;
}

static bool is_linked(int program, int other)
{
	return ((world->linked[program] >> other) & 1) && is_there(other);
}

static bool is_there(int program)
{
	return world_program(program) != NULL;
}

/* Of one whose stanza is gone, the order alone is kept. */
static struct stanza_link said_by(int program, int other)
{
	const struct stanza *stanza = world_stanza(program);
	struct stanza_link link = {.requires = false}, kept;

	if (stanza != NULL && !world_is_removed(program))
		return stanza->links[other];
	if (!world_is_removed(program))
		return link;
	kept = world->shadows[program].last_links[other];
	link.after = kept.requires || kept.wants || kept.after;
	link.before = kept.before;
	link.condition = kept.condition;
	return link;
}

/* What "no condition" means. */
static uint8_t meant(uint8_t condition, int first)
{
	const struct stanza *stanza = world_stanza(first);
	enum program_type type = TYPE_SERVICE;

	if (stanza != NULL && !world_is_removed(first))
		type = stanza->life.key_type;
	else if (world_is_removed(first))
		type = world->shadows[first].last_type;
	if (condition != DEPEND_DEFAULT)
		return condition;
	return type == TYPE_ONESHOT ? DEPEND_COMPLETED : DEPEND_READY;
}

/* It has done what it was there for. */
static bool is_done(int first)
{
	const struct ledger_state *state = world_state(first);
	const struct shadow *shadow = &world->shadows[first];
	const struct stanza *stanza = world_stanza(first);

	if (stanza == NULL || world_is_removed(first))
		return false;
	if (state->state == STATE_RUNNING)
		return stanza->life.key_type == TYPE_ONESHOT && shadow->ended && !shadow->failed &&
		       checkcount_is_success(&stanza->config, shadow->wstatus);
	return state->state == STATE_EXITED && shadow->ended && !shadow->failed &&
	       checkcount_is_success(&stanza->config, shadow->wstatus);
}

/* One that says so, or that is replaced in its turn, is as good as there while it goes from one run
 * to the next. */
static bool is_being_replaced(int first)
{
	const struct stanza *stanza = world_stanza(first);

	return stanza != NULL && !world_is_removed(first) &&
	       (stanza->life.key_smooth ||
		   (world_state(first)->flags & (LEDGER_FLAG_TURN | LEDGER_FLAG_FRESH))) &&
	       world_state(first)->wanted == WANTED_UP && !checklink_is_resting(world_state(first));
}

/* Who is up does without an instance that was added since, until that is up; not without the first
 * one. */
static bool is_missed(int first)
{
	return first == world->party_base || !stanza_are_mates(first, world->party_base) ||
	       world->shadows[first].been_up || world_state(first)->state == STATE_RUNNING;
}

/* It is as far as it has to be, and not about to go. */
static bool stays(uint8_t condition, int first)
{
	const struct ledger_state *state = world_state(first);
	const struct stanza *stanza = world_stanza(first);
	bool going = checklink_is_halting(state) && !is_being_replaced(first);

	switch ((enum depend_condition)condition) {
	case DEPEND_STARTED:
		return (is_done(first) && state->state == STATE_EXITED) ||
		       (!going &&
			   (state->state == STATE_STARTING || state->state == STATE_SETTLING ||
			       state->state == STATE_RUNNING));
	case DEPEND_COMPLETED:
		return is_done(first);
	case DEPEND_HEALTHY:
		return !going && state->state == STATE_RUNNING &&
		       (stanza == NULL || stanza->life.key_health_check.kind == CHECK_NONE ||
			   state->health == LEDGER_HEALTH_GOOD);
	case DEPEND_DEFAULT:
	case DEPEND_READY:
		break;
	}
	return !going && state->state == STATE_RUNNING;
}
