/* SPDX-License-Identifier: ISC */
/*
 * confoverride.c: override "NAME" { … }: other values for keys of a stanza, see confbuild.h.
 *
 * All overrides are read before one is used, so it does not matter where they stand.  What files
 * say of a key they say once; what superctl set says is laid over that.  A value that was laid over
 * is the stanza's own from then on, but for its place: what a default is, and what is refused
 * beside what, is decided behind this.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/nearest.h"
#include "supervisord/engine/confbuild.h"
#include "supervisord/engine/dropin.h"
#include "supervisord/engine/value.h"

static int take(struct build *build, struct build_override *override);
static void tell_missing(struct build *build, const struct build_override *override);
static int begin(struct build *build, struct build_program *program);
static int take_keys(
    struct build *build, struct build_program *program, struct build_override *override);
static bool is_free(const struct build *build, const struct build_program *program,
    const struct build_override *override, enum program_key key);
static int take_key(
    struct build_program *program, struct build_program *given, enum program_key key);
static void drop_other_ways(struct build_program *program);
static void drop_other_way(
    struct build_program *program, enum program_key key, enum program_key other);
static void drop(struct build_program *program, enum program_key key);
static int note_all(struct build *build);
static void *member_of(struct build_program *program, const struct key_row *row);

int build_take_overrides(struct build *build)
{
	int error = 0;

	for (size_t i = 0; i < build->override_count && error == 0; i++)
		if (!build->overrides[i].set)
			error = take(build, &build->overrides[i]);
	for (size_t i = 0; i < build->override_count && error == 0; i++)
		if (build->overrides[i].set)
			error = take(build, &build->overrides[i]);
	for (size_t i = 0; i < build->program_count && error == 0; i++)
		if (build->programs[i].overridden != NULL)
			drop_other_ways(&build->programs[i]);
	return error < 0 ? error : note_all(build);
}

void build_free_overrides(struct build *build)
{
	for (size_t i = 0; i < build->override_count; i++) {
		free(build->overrides[i].given.command);
		build_free_program(build->overrides[i].given.program);
	}
	free(build->overrides);
	for (size_t i = 0; i < build->overridden_count; i++)
		free(build->overridden[i]);
	free(build->overridden);
}

static int take(struct build *build, struct build_override *override)
{
	struct build_program *program = build_find(build, override->given.program->name);
	struct config_source *source = &build->whole->config.sources[override->given.place.source];
	int error = 0;

	source->ours = dropin_is_ours(source);

	if (program == NULL) {
		tell_missing(build, override);
		return 0;
	}
	if (program->lines[PROGRAM_match] > 0) {
		confreport_add(build->report, build_file(build, override->given.place),
		    override->given.place.line, "override",
		    "'%s' is an on_event (%s:%d): only a program can be overridden",
		    override->given.program->name, build_file(build, program->place),
		    program->place.line);
		return 0;
	}
	if (program->overridden == NULL)
		error = begin(build, program);
	return error < 0 ? error : take_keys(build, program, override);
}

/* Where every stanza was understood: it may be in the part that was not.  Who takes a stanza out of
 * his files did not write what superctl has laid over it: it waits there for the stanza. */
static void tell_missing(struct build *build, const struct build_override *override)
{
	const char *name = override->given.program->name, *nearest = NULL;
	struct config_source *source = &build->whole->config.sources[override->given.place.source];
	const char **names;
	size_t count = build->program_count;

	if (!build->complete)
		return;
	if (source->ours) {
		source->left = true;
		return;
	}
	names = calloc(count + 1, sizeof(*names));
	if (names != NULL) {
		for (size_t i = 0; i < count; i++)
			names[i] = build->programs[i].program->name;
		nearest = nearest_find(name, names, count);
	}
	confreport_add(build->report, build_file(build, override->given.place),
	    override->given.place.line, "override",
	    nearest != NULL ? "there is no program '%s': did you mean '%s'?"
			    : "there is no program '%s': the name of a stanza program is "
			      "allowed; remove what is for one that is gone",
	    name, nearest);
	free(names);
}

static int begin(struct build *build, struct build_program *program)
{
	struct build_place **list = reallocarray(
	    build->overridden, build->overridden_count + 1, sizeof(*build->overridden));
	struct build_place *places;

	if (list == NULL)
		return -ENOMEM;
	build->overridden = list;
	places = calloc(PROGRAM_KEY_COUNT, sizeof(*places));
	if (places == NULL)
		return -ENOMEM;
	list[build->overridden_count++] = places;
	program->overridden = places;
	return 0;
}

static int take_keys(
    struct build *build, struct build_program *program, struct build_override *override)
{
	/* Its own, lent by begin(). */
	struct build_place *places = (struct build_place *)(uintptr_t)program->overridden;
	struct build_program *given = &override->given;

	program->spoiled = program->spoiled || given->spoiled;
	for (size_t k = 0; k < PROGRAM_KEY_COUNT; k++) {
		enum program_key key = (enum program_key)k;
		int error;

		if (given->lines[k] == 0 || !is_free(build, program, override, key))
			continue;
		error = take_key(program, given, key);
		if (error < 0)
			return error;
		places[k] =
		    (struct build_place){.source = given->place.source, .line = given->lines[k]};
		program->lines[k] = given->lines[k];
	}
	return 0;
}

/* What superctl set says is laid over what a file does; two files, or two sections, may not. */
static bool is_free(const struct build *build, const struct build_program *program,
    const struct build_override *override, enum program_key key)
{
	const struct build_place place = program->overridden[key];
	char buffer[KEYTABLE_LABEL];

	if (place.line == 0)
		return true;
	if (override->set &&
	    strncmp(build_file(build, place), CONFIG_SET_PATH, strlen(CONFIG_SET_PATH)) != 0)
		return true;
	confreport_add(build->report, build_file(build, override->given.place),
	    override->given.lines[key], keytable_label(&program_rows[key], buffer),
	    "of program '%s' is already overridden at %s:%d: one override of a key is allowed",
	    program->program->name, build_file(build, place), place.line);
	return false;
}

/* The value itself moves. */
static int take_key(
    struct build_program *program, struct build_program *given, enum program_key key)
{
	const struct key_row *row = &program_rows[key];
	void *from, *to;

	if (key == PROGRAM_command) {
		free(program->command);
		program->command = given->command;
		program->command_list = given->command_list;
		given->command = NULL;
		return 0;
	}
	if (row->part == PART_LIFE && program->life == NULL) {
		program->life = calloc(1, sizeof(*program->life));
		if (program->life == NULL)
			return -ENOMEM;
		program->program->life = program->life;
	}
	from = member_of(given, row);
	to = member_of(program, row);
	value_done(row, to, NULL);
	memcpy(to, from, row->size);
	memset(from, 0, row->size);
	return 0;
}

/* What is said in one of two ways by an override is not to be refused beside what the stanza says
 * in the other one. */
static void drop_other_ways(struct build_program *program)
{
	bool has_command = program->program->life->key_stop_command != NULL &&
			   program->lines[PROGRAM_stop_command] > 0;

	drop_other_way(program, PROGRAM_stop_signal, PROGRAM_stop_sequence);
	if (!has_command) /* whose timeout it is as well */
		drop_other_way(program, PROGRAM_stop_timeout, PROGRAM_stop_sequence);
	drop_other_way(program, PROGRAM_reload_signal, PROGRAM_reload_command);
}

static void drop_other_way(
    struct build_program *program, enum program_key key, enum program_key other)
{
	bool by_override = program->overridden[key].line > 0;

	if (program->lines[key] == 0 || program->lines[other] == 0 ||
	    by_override == (program->overridden[other].line > 0))
		return;
	drop(program, by_override ? other : key);
}

static void drop(struct build_program *program, enum program_key key)
{
	value_done(&program_rows[key], member_of(program, &program_rows[key]), NULL);
	program->lines[key] = 0;
}

/* For those who ask later; instances of a stanza share it. */
static int note_all(struct build *build)
{
	struct program_override *at;
	size_t count = 0;

	for (size_t i = 0; i < build->program_count; i++)
		for (size_t k = 0; build->programs[i].overridden != NULL && k < PROGRAM_KEY_COUNT;
		     k++)
			count += build->programs[i].overridden[k].line > 0;
	if (count == 0)
		return 0;
	at = build->whole->overrides = calloc(count, sizeof(*at));
	if (at == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < build->program_count; i++) {
		struct build_program *program = &build->programs[i];

		if (program->overridden == NULL)
			continue;
		program->program->overrides = at;
		for (size_t k = 0; k < PROGRAM_KEY_COUNT; k++)
			if (program->overridden[k].line > 0)
				*at++ = (struct program_override){.key = (uint32_t)k,
				    .name = program_rows[k].name,
				    .file = build_file(build, program->overridden[k]),
				    .line = program->overridden[k].line};
		program->program->override_count = (uint32_t)(at - program->program->overrides);
	}
	return 0;
}

/* Of its own life, which it has where it has the key. */
static void *member_of(struct build_program *program, const struct key_row *row)
{
	return row->part == PART_LIFE ? build_member(program->life, row)
				      : build_member(program->program, row);
}
