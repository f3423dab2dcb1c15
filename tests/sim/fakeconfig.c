/* SPDX-License-Identifier: ISC */
/*
 * fakeconfig.c: the texts of configurations (in place of draft.c, confsource.c and the load): each
 * is the number of one of the world's, and that of a trial has the engine's note behind it.
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
#include "tests/sim/checklink.h"
#include "tests/sim/checks.h"
#include "tests/sim/fake.h"
#include "tests/sim/steps.h"
#include "tests/sim/world.h"

static struct config *load(int index);
static int make_mixture(int applied, int files, unsigned programs);
static char *copy(const char *text);

/* ---- draft.h ---- */

int draft_from_files(const struct engine *engine, const struct draft_names *names,
    struct config **ret_config, struct draft_problem *problem)
{
	int index = world->files;

	(void)problem;
	steps_effect();
	if (names->count > 0) {
		if (engine->config_lost)
			return -ENODATA;
		index = make_mixture(
		    stanza_config_index(engine->config), world->files, world->command.programs);
		if (index < 0)
			return -EINVAL;
	}
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
	bool party = false;

	*set = world->configs[applied];
	for (int program = 0; program < world->program_count; program++)
		party =
		    party || (((programs >> program) & 1) && stanza_are_mates(program, program));
	for (int program = 0; program < world->program_count; program++)
		if (((programs >> program) & 1) || (party && stanza_are_mates(program, program)))
			set->programs[program] = world->configs[files].programs[program];
	if (party)
		set->instances = world->configs[files].instances;
	return stanza_is_valid(set) ? index : -EINVAL;
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

/* ---- config.h ---- */

int config_load_applied(int fd, struct config **ret_config, struct config_errors *errors)
{
	(void)errors;
	steps_effect();
	*ret_config = load(fd - FAKE_CONFIG);
	return 0;
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
	struct config_source *sources = calloc(2, sizeof(*sources));
	char number[16];

	(void)snprintf(
	    number, sizeof(number), "%d", fd == FAKE_TRIAL ? world->trial.from : fd - FAKE_CONFIG);
	sources[0] = (struct config_source){.path = copy("/sim"), .text = copy(number)};
	if (fd == FAKE_TRIAL)
		sources[1] = (struct config_source){
		    .path = copy("superctl trial"), .text = copy(world->trial.note)};
	*ret_count = fd == FAKE_TRIAL ? 2 : 1;
	for (size_t i = 0; i < *ret_count; i++)
		sources[i].length = strlen(sources[i].text);
	*ret_sources = sources;
	return 0;
}

int confsource_write(const struct config_source *sources, size_t count, int *ret_fd)
{
	int index = atoi(sources[0].text);

	*ret_fd = FAKE_CONFIG + index;
	if (count == 1)
		return 0;
	world->trial_made = (struct sim_trial){.from = index};
	if (sources[1].length >= sizeof(world->trial_made.note))
		return -E2BIG;
	memcpy(world->trial_made.note, sources[1].text, sources[1].length + 1);
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
