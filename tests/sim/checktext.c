/* SPDX-License-Identifier: ISC */
/*
 * checktext.c: the text that is applied, the files, and who may change what in them: an apply, one
 * of superctl set, unset, enable, run and forget, and nobody else; all of it or nothing.
 */
#include <string.h>

#include "supervisord/engine/engine.h"
#include "tests/sim/checkcount.h"
#include "tests/sim/checklink.h"
#include "tests/sim/checks.h"
#include "tests/sim/checkstep.h"

/* What the command at hand has to come to. */
struct expected {
	int held; /* before, likewise */
	int files;
	struct stanza_set text;                          /* that is applied */
	struct stanza_override dropins[STANZA_PROGRAMS]; /* of the files */
	bool must_be_refused;
	bool must_be_done;
};

static struct expected expected;

static void expect_apply(unsigned programs);
static void expect_run(const struct sim_command *command);
static void expect_forget(const struct sim_command *command);
static void expect_set(const struct sim_command *command);
static void expect_enable(const struct sim_command *command);
static void lay(struct stanza_override *text, const struct stanza_override *given);
static void take_off(struct stanza_override *text, unsigned keys);
static int named(const struct sim_command *command);
static void compare(const struct stanza_set *text, const struct stanza_set *other);
static void compare_dropins(
    const struct stanza_override *dropins, const struct stanza_override *other, int program);
static bool says_the_same(
    const struct stanza_override *a, const struct stanza_override *b, enum stanza_key key);
static void check_forgotten(const struct stanza_set *old, const struct stanza_set *new);

/* ---- commands ---- */

void check_text_command(const struct sim_command *command)
{
	const struct engine *engine = world->engine.engine;
	bool apply = command->kind == COMMAND_APPLY;

	expected = (struct expected){.held = world->held, .files = world->files};
	expected.text = world->configs[world->held];
	memcpy(expected.dropins, world->configs[world->files].dropins, sizeof(expected.dropins));
	expected.must_be_refused = world->ledger->header.shutdown || world->trial.from >= 0 ||
				   (!apply && engine->safe_mode);
	switch (command->kind) {
	case COMMAND_APPLY:
		expect_apply(command->programs);
		break;
	case COMMAND_RUN:
		expect_run(command);
		break;
	case COMMAND_FORGET:
		expect_forget(command);
		break;
	case COMMAND_SET:
	case COMMAND_UNSET:
		expect_set(command);
		break;
	case COMMAND_ENABLE:
		expect_enable(command);
		break;
	case COMMAND_START:
	case COMMAND_STOP:
	case COMMAND_RESTART:
	case COMMAND_RELOAD:
	case COMMAND_NONE:
		break;
	}
}

/* Of what is named (nothing: of everything), the files alone count. */
static void expect_apply(unsigned programs)
{
	const struct stanza_set *files = &world->configs[world->files];
	struct stanza_set *text = &expected.text;
	bool party = programs == 0;

	for (int program = 0; program < world->program_count; program++)
		party =
		    party || (((programs >> program) & 1) && stanza_are_mates(program, program));
	for (int program = 0; program < world->program_count; program++) {
		bool takes = stanza_are_mates(program, program)
				 ? party
				 : programs == 0 || ((programs >> program) & 1);

		if (programs == 0)
			text->dropins[program] = files->dropins[program];
		if (!takes || stanza_is_run(text, program))
			continue;
		text->plain[program] = files->plain[program];
		text->dropins[program] = files->dropins[program];
		text->set[program].keys = 0;
	}
	if (party)
		text->plain_instances = files->plain_instances;
}

static void expect_run(const struct sim_command *command)
{
	int program = command->program;
	struct stanza_override *run = &expected.text.runs[program];

	if (expected.text.plain[program].present || world_row(program) >= 0 ||
	    stanza_are_mates(program, program))
		expected.must_be_refused = true;
	*run = command->given_keys;
	run->keys = (1U << STANZA_KEY_COUNT) - 1;
	run->values[STANZA_instances] = 1;
	if (!((command->given_keys.keys >> STANZA_restart) & 1))
		run->values[STANZA_restart] = RESTART_NEVER;
	stanza_make_run(&expected.text, program);
	/* Else there may be something against it. */
	expected.must_be_done = run->values[STANZA_restart] != RESTART_ALWAYS;
}

/* It is one of superctl run, and at rest, however it has come to that. */
static void expect_forget(const struct sim_command *command)
{
	int program = command->program;

	if (world_row(program) < 0 || !stanza_is_run(&expected.text, program) ||
	    !checklink_is_resting(world_state(program)))
		expected.must_be_refused = true;
	expected.must_be_done = true;
	expected.text.runs[program].keys = expected.text.set[program].keys = 0;
	expected.text.plain[program].present = false;
}

/* What is written into a file needs not be set as well. */
static void expect_set(const struct sim_command *command)
{
	int program = named(command);
	unsigned keys = command->given_keys.keys != 0 ? command->given_keys.keys : ~0U;
	struct stanza_override *set = &expected.text.set[program];
	struct stanza_override *dropins[] = {
	    &expected.text.dropins[program], &expected.dropins[program]};

	if (command->persist || command->kind == COMMAND_UNSET)
		take_off(set, keys);
	else
		lay(set, &command->given_keys);
	for (int i = 0; i < 2 && command->persist; i++) {
		if (command->kind == COMMAND_UNSET)
			take_off(dropins[i], keys);
		else
			lay(dropins[i], &command->given_keys);
	}
}

static void expect_enable(const struct sim_command *command)
{
	take_off(&expected.text.set[named(command)], 1U << STANZA_autostart);
}

/* A command names a program, not an instance. */
static int named(const struct sim_command *command)
{
	return stanza_are_mates(command->program, command->program) ? world->party_base
								    : command->program;
}

static void lay(struct stanza_override *text, const struct stanza_override *given)
{
	text->keys |= given->keys;
	for (int key = 0; key < STANZA_KEY_COUNT; key++)
		if ((given->keys >> key) & 1)
			text->values[key] = given->values[key];
}

static void take_off(struct stanza_override *text, unsigned keys)
{
	text->keys &= ~keys;
}

/* ---- what came of it ---- */

void check_text_held(int old, int new)
{
	if (old < 0 && new != world->files)
		world_fail("the first configuration is not that of the files");
	if (old < 0 || old == new)
		return;
	if (world->trial.from >= 0 && new != world->trial.to &&new != world->trial.from)
		world_fail("something else is applied while a configuration is on trial");
	if (world->engine.operation == COMMAND_NONE && new != world->trial.from)
		check_forgotten(&world->configs[old], &world->configs[new]);
	else if (world->engine.operation != COMMAND_NONE)
		compare(&world->configs[new], &expected.text);
	/* Who is killed now leaves what the next apply would do. */
	if (world->engine.operation != COMMAND_NONE && world->command.persist &&
	    world->engine.operation != COMMAND_APPLY)
		for (int program = 0; program < world->program_count; program++)
			compare_dropins(
			    world->configs[world->files].dropins, expected.dropins, program);
}

void check_text_done(const struct sim_command *command)
{
	const struct stanza_set *files = &world->configs[world->files];
	bool keeps = command->refused || !command->persist;
	int program = named(command);

	if (command->refused ? expected.must_be_done && !expected.must_be_refused
			     : expected.must_be_refused && command->kind != COMMAND_ENABLE)
		world_fail("a change of what is applied is %s",
		    command->refused ? "refused" : "not refused");
	if (command->refused && world->held != expected.held)
		world_fail("a change that was refused has changed something");
	if (!command->refused)
		compare(&world->configs[world->held], &expected.text);
	/* What an update was given up for has come otherwise. */
	for (program = 0; program < world->program_count; program++)
		EXPECT_OF(program,
		    command->refused || command->kind != COMMAND_APPLY || world_row(program) < 0 ||
			world_is_removed(program) ||
			!(world_state(program)->flags & LEDGER_FLAG_KEPT) ||
			world_state(program)->config_hash != program_hash_of(program),
		    "it is left as it was, and that is what it is to be");
	program = named(command);
	if (command->kind == COMMAND_ENABLE && !command->refused) {
		EXPECT_OF(program,
		    files->programs[program].config.key_autostart == command->enabled,
		    "the files do not say what was asked for");
		EXPECT_OF(program,
		    world->files == expected.files ||
			says_the_same(&world->configs[world->held].dropins[program],
			    &files->dropins[program], STANZA_autostart),
		    "what is written is not what is applied");
		return;
	}
	if (keeps)
		memcpy(expected.dropins, world->configs[expected.files].dropins,
		    sizeof(expected.dropins));
	for (program = 0; program < world->program_count; program++)
		compare_dropins(files->dropins, expected.dropins, program);
}

static void compare(const struct stanza_set *text, const struct stanza_set *other)
{
	for (int program = 0; program < world->program_count; program++) {
		EXPECT_OF(program,
		    memcmp(&text->plain[program], &other->plain[program],
			sizeof(text->plain[program])) == 0 ||
			(!text->plain[program].present && !other->plain[program].present),
		    "another stanza than it should be is applied");
		EXPECT_OF(program,
		    stanza_overrides_are_same(&text->set[program], &other->set[program]),
		    "what superctl set has said is another than it should be");
		EXPECT_OF(program,
		    stanza_overrides_are_same(&text->runs[program], &other->runs[program]),
		    "one of superctl run is another than it should be");
		compare_dropins(text->dropins, other->dropins, program);
	}
	if (text->plain_instances != other->plain_instances)
		world_fail("how many instances there are is another than it should be");
}

static bool says_the_same(
    const struct stanza_override *a, const struct stanza_override *b, enum stanza_key key)
{
	if (((a->keys ^ b->keys) >> key) & 1)
		return false;
	return !((a->keys >> key) & 1) || a->values[key] == b->values[key];
}

/* Whether it is started is said only where something else would be. */
static void compare_dropins(
    const struct stanza_override *dropins, const struct stanza_override *other, int program)
{
	struct stanza_override a = dropins[program], b = other[program];

	if (world->engine.operation == COMMAND_ENABLE || world->command.kind == COMMAND_ENABLE) {
		take_off(&a, 1U << STANZA_autostart);
		take_off(&b, 1U << STANZA_autostart);
	}
	EXPECT_OF(program, stanza_overrides_are_same(&a, &b),
	    "what a file lays over it is another than it should be");
}

/* ---- of superctl run ---- */

/* Nobody has asked for it: its time is over, and nothing else is different. */
static void check_forgotten(const struct stanza_set *old, const struct stanza_set *new)
{
	expected.text = *old;
	for (int program = 0; program < world->program_count; program++) {
		if (!stanza_is_run(old, program) || stanza_is_run(new, program))
			continue;
		EXPECT_OF(program, check_run_is_over(program), "it is forgotten before its time");
		expected.text.runs[program].keys = expected.text.set[program].keys = 0;
		expected.text.plain[program].present = false;
	}
	compare(new, &expected.text);
}

bool check_run_is_over(int program)
{
	const struct ledger_state *state = world_state(program);
	const struct shadow *shadow = &world->shadows[program];
	const struct stanza *stanza = world_stanza(program);

	return world->now_ns >= shadow->since_ns + LIMIT_TRANSIENT_KEEP_NS &&
	       (state->state == STATE_STOPPED ||
		   (state->state == STATE_EXITED && stanza != NULL && shadow->ended &&
		       !shadow->failed && checkcount_is_success(&stanza->config, shadow->wstatus)));
}

/* A row is made for it. */
void check_run_claims(int program)
{
	const struct stanza_set *set = &world->configs[world->held];
	unsigned number = set->runs[program].values[STANZA_command];

	world->shadows[program].since_ns = world->now_ns;
	if (!stanza_is_run(set, program))
		return;
	EXPECT_OF(program, world->run_rows[program] != number, "one of superctl run comes twice");
	world->run_rows[program] = number;
}

void check_quiet_text(void)
{
	const struct engine *engine = world->engine.engine;
	const struct stanza_set *set = &world->configs[world->held];

	if (stanza_config_index(engine->config) != world->held)
		world_fail("what is in force is not what is held");
	if (world->trial.from >= 0 && world->trial.from == world->held &&
	    world->trial.from != world->trial.to)
		world_fail("what was taken back is still on trial");
	for (int program = 0; program < world->program_count; program++) {
		if (!stanza_is_run(set, program))
			continue;
		EXPECT_OF(program, world_row(program) >= 0, "one of superctl run is lost");
		EXPECT_OF(program,
		    engine->safe_mode || world->ledger->header.shutdown || world->trial.from >= 0 ||
			!check_run_is_over(program),
		    "it has ended well long ago, and is not forgotten");
	}
}
