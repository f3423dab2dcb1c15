/* SPDX-License-Identifier: ISC */
/* world.c: see world.h: one world, its dice and its words. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/world.h"

#define STATE_NAME(name, seen) #name,
static const char *const state_names[] = {STEP_STATES(STATE_NAME)};
#undef STATE_NAME
#define EVENT_NAME(name) #name,
static const char *const event_names[] = {STEP_EVENTS(EVENT_NAME)};
#undef EVENT_NAME
#define TASK_NAME(name, text) text,
static const char *const task_names[] = {TASK_KINDS(TASK_NAME)};
#undef TASK_NAME

static struct world the_world;
static struct ledger the_ledger;
static struct history_memory the_history;

struct world *world = &the_world;

uint64_t world_mix(uint64_t value)
{
	value += 0x9e3779b97f4a7c15ULL;
	value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
	value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
	return value ^ (value >> 31);
}

unsigned world_roll(unsigned limit)
{
	world->dice = world_mix(world->dice);
	return (unsigned)((world->dice >> 8) % limit);
}

bool world_chance(unsigned percent)
{
	return world_roll(100) < percent;
}

void world_init(uint64_t seed)
{
	struct reached *reached = world->reached;

	memset(world, 0, sizeof(*world));
	memset(&the_ledger, 0, sizeof(the_ledger));
	world_forget_history();
	world->reached = reached;
	world->seed = seed;
	world->ledger = &the_ledger;
	world->now_ns = 1000 * NS_PER_S;
	world->last_pid = 100;
	world->held = world->trial.from = world->trial_made.from = -1;
	world_forget_rows();
	memset(world->last_state, -1, sizeof(world->last_state));
	the_ledger.header.guardian_pid = WORLD_GUARDIAN;
	the_ledger.header.engine_pid = WORLD_ENGINE;
	the_ledger.header.nonce = 1;
}

int world_free_config(void)
{
	int index = 0;

	while (index < WORLD_CONFIGS &&
	       (index == world->held || index == world->files || index == world->engine.applied ||
		   index == world->trial.from || index == world->trial_made.from ||
		   world->engine.users[index] > 0))
		index++;
	if (index < WORLD_CONFIGS)
		return index;
	world_fail("too many configurations are in use");
	return WORLD_CONFIGS - 1;
}

void world_forget_history(void)
{
	memset(&the_history, 0, sizeof(the_history));
	the_history.begin = the_history.next = 1;
	world->history = &the_history;
	world->told = (struct shadow_told){0};
}

void world_forget_rows(void)
{
	for (int row = 0; row < LIMIT_ROWS; row++)
		world->rows[row].program = -1;
	for (int program = 0; program < STANZA_PROGRAMS; program++)
		world->main_rows[program] = -1;
}

void world_fail(const char *format, ...)
{
	va_list args;

	if (world->failed)
		return;
	world->failed = true;
	va_start(args, format);
	(void)vsnprintf(world->message, sizeof(world->message), format, args);
	va_end(args);
	world_say("VIOLATION: %s", world->message);
}

void world_say(const char *format, ...)
{
	va_list args;

	if (!world->verbose)
		return;
	printf("    %10.3f  ", (double)(world->now_ns - 1000 * NS_PER_S) / NS_PER_S);
	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
	printf("\n");
}

const char *world_state_name(enum state state)
{
	return state_names[state];
}

const char *world_event_name(enum event event)
{
	return event_names[event];
}

const char *world_task_name(enum task_kind kind)
{
	return task_names[kind];
}

struct program *world_program(int program)
{
	const struct engine *engine = world->engine.engine;
	int row = engine != NULL ? world_row(program) : -1;

	struct run *run = row >= 0 ? engine->by_row[row] : NULL;

	return run != NULL && run->kind == RUN_PROGRAM ? (struct program *)(void *)run : NULL;
}

int world_row(int program)
{
	return world->main_rows[program];
}

const struct ledger_state *world_row_state(int row)
{
	const struct ledger_row *slot = &world->ledger->table[row];

	return &slot->state[slot->active & 1];
}

const struct ledger_state *world_state(int program)
{
	static const struct ledger_state none = {.state = STATE_STOPPED, .wanted = WANTED_DOWN};
	int row = world_row(program);

	return row >= 0 ? world_row_state(row) : &none;
}

const struct stanza *world_stanza(int program)
{
	const struct engine *engine = world->engine.engine;
	const struct stanza *stanza;

	if (engine == NULL || engine->config == NULL)
		return NULL;
	stanza = &world->configs[stanza_config_index(engine->config)].programs[program];
	return stanza->present ? stanza : NULL;
}

bool world_is_removed(int program)
{
	const struct program *there = world_program(program);

	return there != NULL && there->removed;
}

int world_socket(int program)
{
	const struct stanza *stanza = world_stanza(program);

	return stanza != NULL && stanza->life.key_accept && stanza_are_mates(program, program)
		   ? world->party_base
		   : program;
}
