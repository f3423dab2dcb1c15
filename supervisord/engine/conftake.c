/* SPDX-License-Identifier: ISC */
/* conftake.c: see conftake.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "supervisord/engine/conftake.h"
#include "supervisord/engine/value.h"
#include "supervisord/engine/words.h"

static int take_setting(struct loader *loader, const struct stanza_entry *entry);
static int take_control(struct loader *loader, const struct stanza *stanza);
static int take_defaults(struct loader *loader, const struct stanza *stanza);
static int take_program(struct loader *loader, const struct stanza *stanza);
static int take_key(
    struct loader *loader, struct build_program *program, const struct stanza_entry *entry);
static int take_group(struct loader *loader, const struct stanza *stanza);
static int take_socket(struct loader *loader, const struct stanza *stanza);
static int take_override(struct loader *loader, const struct stanza *stanza);
static void check_name(struct loader *loader, const struct stanza *stanza, const char *key);
static int take_on_event(struct loader *loader, const struct stanza *stanza);
static struct build_program *add_program(struct loader *loader, const char *name);
static struct program_config *new_config(struct loader *loader, const char *name);
static struct build_override *add_override(struct loader *loader, const char *name);
static struct build_group *add_group(struct loader *loader, const char *name);
static struct build_socket *add_socket(struct loader *loader, const char *name);
static int take_value(struct loader *loader, const struct key_row *row,
    const struct stanza_entry *entry, void *ret_value);

int conftake_stanza(void *context, const struct stanza *stanza)
{
	struct loader *loader = context;

	switch (stanza->kind) {
	case STANZA_SETTING:
		return take_setting(loader, &stanza->entries[0]);
	case STANZA_CONTROL:
		return take_control(loader, stanza);
	case STANZA_DEFAULTS:
		return take_defaults(loader, stanza);
	case STANZA_PROGRAM:
		return take_program(loader, stanza);
	case STANZA_ON_EVENT:
		return take_on_event(loader, stanza);
	case STANZA_GROUP:
		return take_group(loader, stanza);
	case STANZA_SOCKET:
		return take_socket(loader, stanza);
	case STANZA_OVERRIDE:
		return take_override(loader, stanza);
	}
	return 0;
}

/* True when `place` is free, and then taken; else the error names both. */
static bool take_place(struct loader *loader, struct build_place *place, int line, const char *key)
{
	if (place->line > 0) {
		confreport_add(&loader->report,
		    loader->build.whole->config.sources[loader->source].path, line, key,
		    "is already given at %s:%d", build_file(&loader->build, *place), place->line);
		return false;
	}
	*place = (struct build_place){.source = loader->source, .line = line};
	return true;
}

static int take_setting(struct loader *loader, const struct stanza_entry *entry)
{
	const struct key_row *row = &setting_rows[entry->key];
	struct build_place *place = &loader->build.settings[entry->key];
	struct settings settings = {0}, *target = &loader->build.whole->config.settings;
	char label[KEYTABLE_LABEL];
	int error;

	if (entry->key != SETTING_include)
		return take_place(loader, place, entry->line, keytable_label(row, label))
			   ? take_value(loader, row, entry, build_member(target, row))
			   : 0;

	/* Each file has its own; the config keeps that of the first. */
	if (place->line > 0 && place->source == loader->source) {
		take_place(loader, place, entry->line, row->name);
		return 0;
	}
	*place = (struct build_place){.source = loader->source, .line = entry->line};
	error = take_value(loader, row, entry, build_member(&settings, row));
	if (error < 0 || settings.key_include == NULL)
		return error;
	loader->include = settings.key_include;
	loader->include_line = entry->line;
	if (loader->source == 0)
		error = take_value(loader, row, entry, build_member(target, row));
	return error;
}

static int take_control(struct loader *loader, const struct stanza *stanza)
{
	int error = 0;

	for (size_t i = 0; i < stanza->count && error == 0; i++)
		error = take_setting(loader, &stanza->entries[i]);
	return error;
}

static int take_defaults(struct loader *loader, const struct stanza *stanza)
{
	int error = 0;

	for (size_t i = 0; i < stanza->count && error == 0; i++) {
		const struct stanza_entry *entry = &stanza->entries[i];
		const struct key_row *row = &program_rows[entry->key];
		char label[KEYTABLE_LABEL];

		if (take_place(loader, &loader->build.defaults[entry->key], entry->line,
			keytable_label(row, label)))
			error =
			    take_value(loader, row, entry, build_base_member(&loader->build, row));
	}
	return error;
}

static int take_program(struct loader *loader, const struct stanza *stanza)
{
	struct build_program *program;
	int error = 0;

	check_name(loader, stanza, "program");
	program = add_program(loader, stanza->title);
	if (program == NULL)
		return -ENOMEM;
	program->place = (struct build_place){.source = loader->source, .line = stanza->line};
	program->spoiled = stanza->spoiled;
	for (size_t i = 0; i < stanza->count && error == 0; i++)
		error = take_key(loader, program, &stanza->entries[i]);
	return error;
}

static int take_key(
    struct loader *loader, struct build_program *program, const struct stanza_entry *entry)
{
	const struct key_row *row = &program_rows[entry->key];

	program->lines[entry->key] = entry->line;
	if (entry->key == PROGRAM_command) {
		program->command_list = entry->list;
		program->command = words_copy(entry->items, entry->count);
		return program->command == NULL ? -ENOMEM : 0;
	}
	if (row->part == PART_PROGRAM)
		return take_value(loader, row, entry, build_member(program->program, row));
	if (program->life == NULL) {
		program->life = calloc(1, sizeof(*program->life));
		if (program->life == NULL)
			return -ENOMEM;
		program->program->life = program->life;
	}
	return take_value(loader, row, entry, build_member(program->life, row));
}

static int take_group(struct loader *loader, const struct stanza *stanza)
{
	struct build_group *group;
	int error = 0;

	check_name(loader, stanza, "group");
	group = add_group(loader, stanza->title);
	if (group == NULL)
		return -ENOMEM;
	group->place = (struct build_place){.source = loader->source, .line = stanza->line};
	group->spoiled = stanza->spoiled;
	for (size_t i = 0; i < stanza->count && error == 0; i++) {
		const struct stanza_entry *entry = &stanza->entries[i];
		size_t errors = loader->report.errors->count;

		group->line = entry->line;
		error = take_value(loader, &group_rows[entry->key], entry, &group->members);
		group->spoiled = group->spoiled || loader->report.errors->count > errors;
	}
	return error;
}

static int take_socket(struct loader *loader, const struct stanza *stanza)
{
	struct build_socket *socket;
	int error = 0;

	check_name(loader, stanza, "socket");
	socket = add_socket(loader, stanza->title);
	if (socket == NULL)
		return -ENOMEM;
	socket->place = (struct build_place){.source = loader->source, .line = stanza->line};
	socket->spoiled = stanza->spoiled;
	for (size_t i = 0; i < stanza->count && error == 0; i++) {
		const struct stanza_entry *entry = &stanza->entries[i];
		size_t errors = loader->report.errors->count;

		socket->lines[entry->key] = entry->line;
		error = take_value(loader, &socket_rows[entry->key], entry,
		    build_member(&socket->config, &socket_rows[entry->key]));
		socket->spoiled = socket->spoiled || loader->report.errors->count > errors;
	}
	return error;
}

/* Its values stay apart until all programs are known: confoverride.c. */
static int take_override(struct loader *loader, const struct stanza *stanza)
{
	const char *file = loader->build.whole->config.sources[loader->source].path;
	struct build_override *override;
	int error = 0;

	check_name(loader, stanza, "override");
	override = add_override(loader, stanza->title);
	if (override == NULL)
		return -ENOMEM;
	override->set = strncmp(file, CONFIG_SET_PATH, strlen(CONFIG_SET_PATH)) == 0;
	override->given.place =
	    (struct build_place){.source = loader->source, .line = stanza->line};
	override->given.spoiled = stanza->spoiled;
	for (size_t i = 0; i < stanza->count && error == 0; i++)
		error = take_key(loader, &override->given, &stanza->entries[i]);
	return error;
}

static void check_name(struct loader *loader, const struct stanza *stanza, const char *key)
{
	const char *rule = value_check_name(stanza->title);
	char quoted[CONFREPORT_QUOTE];

	if (rule != NULL)
		confreport_add(&loader->report,
		    loader->build.whole->config.sources[loader->source].path, stanza->line, key,
		    "the name '%s' %s", confreport_quote(stanza->title, quoted), rule);
}

/* What stands in no such stanza, and makes a program one of events; what has a default of its own.
 */
static int take_on_event(struct loader *loader, const struct stanza *stanza)
{
	static const struct {
		enum program_key key;
		const char *value;
	} given[] = {
	    {PROGRAM_type, "oneshot"},
	    {PROGRAM_autostart, "false"},
	    {PROGRAM_restart, "never"},
	    {PROGRAM_max_runtime, "60s"},
	};
	int error = take_program(loader, stanza);
	struct build_program *program = &loader->build.programs[loader->build.program_count - 1];

	for (size_t i = 0; error == 0 && i < sizeof(given) / sizeof(given[0]); i++) {
		const char *items[] = {given[i].value};
		const struct stanza_entry entry = {
		    .key = given[i].key, .line = stanza->line, .count = 1, .items = items};

		if (program->lines[given[i].key] == 0)
			error = take_key(loader, program, &entry);
	}
	if (error == 0 && program->lines[PROGRAM_match] == 0 && !program->spoiled)
		confreport_add(&loader->report,
		    loader->build.whole->config.sources[loader->source].path, stanza->line, "match",
		    "is missing in on_event \"%s\": match = {\"state:FATAL\"}, say", stanza->title);
	return error;
}

static struct build_program *add_program(struct loader *loader, const char *name)
{
	struct build *build = &loader->build;
	struct program_config *config;

	if (build->program_count == build->program_room) {
		size_t room = build->program_room == 0 ? 16 : build->program_room * 2;
		struct build_program *programs = realloc(build->programs, room * sizeof(*programs));

		if (programs == NULL)
			return NULL;
		build->programs = programs;
		build->program_room = room;
	}
	config = new_config(loader, name);
	if (config == NULL)
		return NULL;
	build->programs[build->program_count] = (struct build_program){.program = config};
	return &build->programs[build->program_count++];
}

static struct program_config *new_config(struct loader *loader, const char *name)
{
	struct program_config *config = calloc(1, sizeof(*config));

	if (config == NULL)
		return NULL;
	config->name = build_keep_name(&loader->build, name);
	if (config->name == NULL) {
		free(config);
		return NULL;
	}
	config->life = &loader->build.whole->base_life;
	config->model = &loader->build.whole->base;
	return config;
}

static struct build_override *add_override(struct loader *loader, const char *name)
{
	struct build *build = &loader->build;
	struct program_config *config;

	if (build->override_count == build->override_room) {
		size_t room = build->override_room == 0 ? 4 : build->override_room * 2;
		struct build_override *overrides =
		    realloc(build->overrides, room * sizeof(*overrides));

		if (overrides == NULL)
			return NULL;
		build->overrides = overrides;
		build->override_room = room;
	}
	config = new_config(loader, name);
	if (config == NULL)
		return NULL;
	build->overrides[build->override_count] =
	    (struct build_override){.given = {.program = config}};
	return &build->overrides[build->override_count++];
}

static struct build_group *add_group(struct loader *loader, const char *name)
{
	struct build *build = &loader->build;
	char *copy;

	if (build->group_count == build->group_room) {
		size_t room = build->group_room == 0 ? 16 : build->group_room * 2;
		struct build_group *groups = realloc(build->groups, room * sizeof(*groups));

		if (groups == NULL)
			return NULL;
		build->groups = groups;
		build->group_room = room;
	}
	copy = strdup(name);
	if (copy == NULL)
		return NULL;
	build->groups[build->group_count] = (struct build_group){.name = copy};
	return &build->groups[build->group_count++];
}

static struct build_socket *add_socket(struct loader *loader, const char *name)
{
	struct build *build = &loader->build;
	char *copy;

	if (build->socket_count == build->socket_room) {
		size_t room = build->socket_room == 0 ? 8 : build->socket_room * 2;
		struct build_socket *sockets = realloc(build->sockets, room * sizeof(*sockets));

		if (sockets == NULL)
			return NULL;
		build->sockets = sockets;
		build->socket_room = room;
	}
	copy = strdup(name);
	if (copy == NULL)
		return NULL;
	build->sockets[build->socket_count] = (struct build_socket){.config.name = copy};
	return &build->sockets[build->socket_count++];
}

/* A value that is refused is reported and stays unset. */
static int take_value(struct loader *loader, const struct key_row *row,
    const struct stanza_entry *entry, void *ret_value)
{
	struct value_input input = {
	    .row = row,
	    .items = entry->items,
	    .count = entry->count,
	    .list = entry->list,
	};
	const char *file = loader->build.whole->config.sources[loader->source].path;
	char label[KEYTABLE_LABEL], *problem = NULL;
	int error;

	error = value_parse(&input, ret_value, &problem);
	if (error != -EINVAL)
		return error;
	confreport_add(
	    &loader->report, file, entry->line, keytable_label(row, label), "%s", problem);
	free(problem);
	return 0;
}
