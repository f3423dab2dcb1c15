/* SPDX-License-Identifier: ISC */
/*
 * checklife.c: what the lives of the engine, commands and applies mean for the shadows, and that a
 * command does what it says, or nothing.
 */
#include <string.h>

#include "tests/sim/checklink.h"
#include "tests/sim/checks.h"

void __real_program_retire(struct program *program);
void __wrap_program_retire(struct program *program);

void check_boot(void)
{
	world->pending.valid = false;
	/* What was kept of links is lost with the engine that kept it. */
	for (int program = 0; program < STANZA_PROGRAMS; program++) {
		memset(world->shadows[program].last_links, 0,
		    sizeof(world->shadows[program].last_links));
		world->shadows[program].last_type = TYPE_SERVICE;
	}
}

void check_death(void)
{
	const struct engine *engine = world->engine.engine;

	if (world->engine.alive && engine != NULL && engine->shutdown_forced)
		world->was_forced = true;
	observe_end_commit();
	observe_rows();
}

void check_machine(void)
{
	memset(world->shadows, 0, sizeof(world->shadows));
	world->pending.valid = false;
}

void check_shutdown_begins(void)
{
	for (int program = 0; program < world->program_count; program++)
		if (world->shadows[program].owed)
			world->shadows[program].owed_shutdowns++;
}

void check_apply(int from, int to)
{
	checklink_note_config(to, false);
	for (int program = 0; program < world->program_count; program++) {
		const struct stanza *old = &world->configs[from].programs[program];

		if (!old->present || world->configs[to].programs[program].present)
			continue;
		memcpy(world->shadows[program].last_links, old->links, sizeof(old->links));
		world->shadows[program].last_type = old->life.key_type;
	}
}

/* An extra instance that goes: its stanza stays. */
void __wrap_program_retire(struct program *program)
{
	int index = world->rows[program->run.row].program;
	const struct stanza *stanza = world_stanza(index);

	if (stanza != NULL) {
		memcpy(world->shadows[index].last_links, stanza->links, sizeof(stanza->links));
		world->shadows[index].last_type = stanza->life.key_type;
	}
	__real_program_retire(program);
}

/* What the command must come to, if it is not refused. */
void check_command(struct sim_command *command)
{
	const struct engine *engine = world->engine.engine;
	unsigned there = 0;

	command->refused = false;
	command->starts = command->stops = 0;
	for (int program = 0; program < world->program_count; program++) {
		const struct program *known = world_program(program);
		bool is_extra = world->configs[world->held].programs[program].config.surge;

		if (((command->programs >> program) & 1) && known != NULL &&
		    (command->kind == COMMAND_STOP || (!known->removed && !is_extra)))
			there |= 1U << program;
	}
	command->programs = there;
	command->may_be_refused = false;
	command->must_be_refused =
	    (command->kind == COMMAND_START || command->kind == COMMAND_RESTART) &&
	    (engine->safe_mode || engine->shutdown);
	for (int program = 0; program < world->program_count; program++) {
		if (!((there >> program) & 1) || command->must_be_refused)
			continue;
		if (command->kind == COMMAND_STOP)
			command->stops |=
			    1U << program | (checklink_is_resting(world_state(program))
						    ? 0
						    : checklink_requirers(program));
		else if (command->kind == COMMAND_START ||
			 (command->kind == COMMAND_RESTART &&
			     (!step_is_up((enum state)world_state(program)->state) ||
				 checklink_is_halting(world_state(program)))))
			command->starts |= 1U << program | checklink_pulled(program);
		else if (command->kind == COMMAND_RESTART)
			command->starts |= 1U << program;
	}
	if (command->kind == COMMAND_STOP && (command->stops & ~there) != 0 && !command->force)
		command->must_be_refused = true;
	/* What somebody has started meanwhile, the apply that is on trial had not to. */
	world->trial.programs &= ~command->starts;
	if (command->kind == COMMAND_START || command->kind == COMMAND_RESTART)
		command->may_be_refused = checklink_conflicting(command->starts) != 0;
	for (int program = 0; program < STANZA_PROGRAMS; program++)
		command->before[program] = (int)world_state(program)->wanted;
}

void check_command_done(const struct sim_command *command)
{
	unsigned conflicts = checklink_conflicting(command->starts);

	if (command->refused != command->must_be_refused && !command->may_be_refused)
		world_fail("a command is %s", command->refused ? "refused" : "not refused");
	for (int program = 0; program < world->program_count; program++) {
		int wanted = world_state(program)->wanted;

		if (world_program(program) == NULL)
			continue;
		if (command->refused) {
			EXPECT_OF(program, wanted == command->before[program],
			    "a command that was refused has changed something");
			continue;
		}
		if ((command->stops >> program) & 1)
			EXPECT_OF(program, wanted == WANTED_DOWN, "stopped, and still wanted up");
		/* Who names two that cannot run side by side gets one of them. */
		if (((command->starts >> program) & 1) && conflicts == 0 &&
		    !command->may_be_refused)
			EXPECT_OF(program, wanted == WANTED_UP, "started, and not wanted up");
	}
}
