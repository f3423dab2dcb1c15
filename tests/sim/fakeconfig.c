/* SPDX-License-Identifier: ISC */
/*
 * fakeconfig.c: the texts of configurations (in place of draft.c, confsource.c and the load): the
 * main source is the number of one of the world's, beside it stand what superctl set, run and set
 * --persist have said (stanzatext.c), and that of a trial has the engine's note behind it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/protocol.h"
#include "supervisord/engine/confsource.h"
#include "supervisord/engine/draft.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/transient.h"
#include "tests/sim/checklink.h"
#include "tests/sim/checks.h"
#include "tests/sim/fake.h"
#include "tests/sim/steps.h"
#include "tests/sim/world.h"

/* As trial.c has it. */
#define TRIAL_PATH "superctl trial"

static struct config *load(int index);
static int compose(int base, bool dropins, const struct config_source *sources, size_t count);
static int make_mixture(int applied, int files, unsigned programs);
static char *copy(const char *text);

/* ---- draft.h ---- */

int draft_from_files(const struct engine *engine, const struct draft_names *names,
    struct config **ret_config, struct draft_problem *problem)
{
	struct config *files;
	int index, error;

	steps_effect();
	error = transient_load_files(engine, &files, &problem->errors);
	if (error < 0)
		return error;
	if (names->count == 0) {
		*ret_config = files;
		return 0;
	}
	index = engine->config_lost ? -ENODATA
				    : make_mixture(stanza_config_index(engine->config),
					  stanza_config_index(files), world->command.programs);
	config_free(files);
	if (index < 0)
		return index;
	*ret_config = load(index);
	return 0;
}

void draft_problem_done(struct draft_problem *problem)
{
	(void)problem;
}

/* All instances of one program are one stanza.  A negative one: it would be refused. */
static int make_mixture(int applied, int files, unsigned programs)
{
	int index = world_free_config();
	struct stanza_set *set = &world->configs[index];
	const struct stanza_set *from = &world->configs[files];
	bool party = false;

	*set = world->configs[applied];
	for (int program = 0; program < world->program_count; program++)
		party =
		    party || (((programs >> program) & 1) && stanza_are_mates(program, program));
	for (int program = 0; program < world->program_count; program++) {
		if (stanza_is_run(set, program) ||
		    !(((programs >> program) & 1) || (party && stanza_are_mates(program, program))))
			continue;
		set->plain[program] = from->plain[program];
		set->dropins[program] = from->dropins[program];
		set->set[program] = (struct stanza_override){.keys = 0};
	}
	if (party)
		set->plain_instances = from->plain_instances;
	return stanza_compose(set) ? index : -EINVAL;
}

/* It is made from its number, whoever asks. */
static struct config *load(int index)
{
	const struct engine *engine = world->engine.engine;
	int from =
	    engine->config != NULL ? stanza_config_index(engine->config) : world->engine.applied;

	check_apply(from, index);
	world->engine.applied = index;
	return stanza_build(&world->configs[index], index);
}

/* The stanzas of files as `base` has them, and whatever the sources say. */
static int compose(int base, bool dropins, const struct config_source *sources, size_t count)
{
	int index = world_free_config();
	struct stanza_set *set = &world->configs[index];

	*set = world->configs[base];
	for (int program = 0; program < STANZA_PROGRAMS; program++)
		if (stanza_is_run(set, program))
			set->plain[program].present = false;
	memset(set->runs, 0, sizeof(set->runs));
	memset(set->set, 0, sizeof(set->set));
	if (!dropins)
		memset(set->dropins, 0, sizeof(set->dropins));
	for (size_t i = 0; i < count; i++)
		if (stanza_take_source(set, sources[i].path, sources[i].text) < 0)
			return -EINVAL;
	return stanza_compose(set) ? index : -EINVAL;
}

/* ---- config.h ---- */

int config_load(const char *path, struct config **ret_config, struct config_errors *errors)
{
	(void)path;
	(void)errors;
	steps_effect();
	*ret_config = load(world->files);
	return 0;
}

int config_load_beside(const char *path, const struct config_source *sources, size_t count,
    struct config **ret_config, struct config_errors *errors, struct confstamp **ret_stamp)
{
	int index = count > 0 ? compose(world->files, true, sources, count) : world->files;

	(void)path;
	(void)errors;
	*ret_stamp = NULL;
	steps_effect();
	if (index < 0)
		return index;
	*ret_config = load(index);
	return 0;
}

int config_load_sources(struct config_source *sources, size_t count, struct config **ret_config,
    struct config_errors *errors)
{
	int index = compose(atoi(sources[0].text), false, sources + 1, count - 1);

	(void)errors;
	steps_effect();
	confsource_free(sources, count);
	if (index < 0)
		return index;
	*ret_config = load(index);
	return 0;
}

int config_load_applied(int fd, struct config **ret_config, struct config_errors *errors)
{
	(void)errors;
	steps_effect();
	*ret_config = load(fd - FAKE_CONFIG);
	return 0;
}

bool config_is_transient(const struct program_config *program)
{
	return program->file != NULL &&
	       strncmp(program->file, CONFIG_RUN_PATH, strlen(CONFIG_RUN_PATH)) == 0;
}

bool config_is_set(const struct program_override *override)
{
	return strncmp(override->file, CONFIG_SET_PATH, strlen(CONFIG_SET_PATH)) == 0;
}

const struct program_override *config_find_override(
    const struct program_config *program, uint32_t key)
{
	for (uint32_t i = 0; i < program->override_count; i++)
		if (program->overrides[i].key == key)
			return &program->overrides[i];
	return NULL;
}

const struct group_config *config_find_group(const struct config *config, const char *name)
{
	(void)config;
	(void)name;
	return NULL;
}

char *config_error_text(const struct config_error *error)
{
	(void)error;
	return NULL;
}

void config_errors_done(struct config_errors *errors)
{
	*errors = (struct config_errors){0};
}

int config_write_applied(const struct config *config, int *ret_fd)
{
	*ret_fd = FAKE_CONFIG + stanza_config_index(config);
	return 0;
}

/* ---- confsource.h ---- */

int confsource_read_applied(int fd, struct config_source **ret_sources, size_t *ret_count)
{
	static struct stanza_source texts[STANZA_SOURCES];
	struct config_source *sources = calloc(STANZA_SOURCES + 1, sizeof(*sources));
	int index = fd == FAKE_TRIAL ? world->trial.from : fd - FAKE_CONFIG;
	size_t count = stanza_write_sources(&world->configs[index], index, texts);

	for (size_t i = 0; i < count; i++)
		sources[i] = (struct config_source){
		    .path = copy(texts[i].path), .text = copy(texts[i].text)};
	if (fd == FAKE_TRIAL)
		sources[count++] = (struct config_source){
		    .path = copy(TRIAL_PATH), .text = copy(world->trial.note)};
	for (size_t i = 0; i < count; i++)
		sources[i].length = strlen(sources[i].text);
	*ret_sources = sources;
	*ret_count = count;
	return 0;
}

/* They are what they were read as. */
int confsource_write(const struct config_source *sources, size_t count, int *ret_fd)
{
	const struct config_source *last = &sources[count - 1];
	int index = atoi(sources[0].text);

	*ret_fd = FAKE_CONFIG + index;
	if (strcmp(last->path, TRIAL_PATH) != 0)
		return 0;
	world->trial_made = (struct sim_trial){.from = index};
	if (last->length >= sizeof(world->trial_made.note))
		return -E2BIG;
	memcpy(world->trial_made.note, last->text, last->length + 1);
	*ret_fd = FAKE_TRIAL;
	return 0;
}

void confsource_free(struct config_source *sources, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(sources[i].path);
		free(sources[i].text);
	}
	free(sources);
}

int confsource_copy(
    const char *path, const char *text, size_t length, struct config_source *ret_source)
{
	*ret_source =
	    (struct config_source){.path = copy(path), .text = copy(text), .length = length};
	return 0;
}

static char *copy(const char *text)
{
	return strdup(text);
}

/* ---- what the guardian holds of them ---- */

void fake_note_held(uint64_t key, int fd)
{
	if (held_key_kind(key) == HELD_CONFIG) {
		check_text_held(world->held, fd - FAKE_CONFIG);
		if (world->trial.from == fd - FAKE_CONFIG && world->held != world->trial.from)
			check_taken_back();
		world->held = fd - FAKE_CONFIG;
	}
	if (held_key_kind(key) != HELD_TRIAL)
		return;
	world->trial = world->trial_made;
	world->trial_made.from = -1;
	check_trial_begins();
}
