/* SPDX-License-Identifier: ISC */
/*
 * confbuild.c: whole programs of what the files say, see confbuild.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "supervisord/engine/confbuild.h"
#include "supervisord/engine/cpus.h"
#include "supervisord/engine/value.h"

static bool is_told(
    const struct build *build, struct build_place place, enum program_key key, const char *message);
static const void *model_member(const struct program_config *program, const struct key_row *row);
static int fill_defaults(struct build *build);
static int compare_programs(const void *a, const void *b);
static void refuse_doubles(struct build *build);
static int finish_program(struct build *build, struct build_program *program);
static int fill_program(struct build *build, struct build_program *program);
static void copy_member(void *to, const void *from, size_t size);
static bool is_overridden(const struct build_program *program, enum program_key key);
static int make_command(struct build *build, struct build_program *program);
static int join_paths(struct build *build, struct build_program *program);
static int join_stream(struct build *build, struct build_program *program, enum program_key key);
static int join_check(struct build *build, struct build_program *program, enum program_key key);
static int join_pid_file(struct build *build, struct build_program *program);
static int join(const struct build_program *program, const char *path, char **ret_joined);
static int give_programs(struct build *build);

int build_finish_programs(struct build *build)
{
	int error;

	error = fill_defaults(build);
	if (error < 0)
		return error;
	if (build->program_count > 1)
		qsort(build->programs, build->program_count, sizeof(*build->programs),
		    compare_programs);
	refuse_doubles(build);
	error = build_take_overrides(build);
	if (error < 0)
		return error;
	if (build->program_count > LIMIT_ROWS)
		confreport_add(build->report, build_file(build, (struct build_place){0}), 0, NULL,
		    "%zu programs: at most %d are allowed", build->program_count, LIMIT_ROWS);
	error = give_programs(build);
	if (error == 0)
		error = build_finish_groups(build);
	if (error == 0)
		error = build_expand_defaults(build);
	for (size_t i = 0; i < build->program_count && error == 0; i++)
		error = finish_program(build, &build->programs[i]);
	return error;
}

void build_done(struct build *build)
{
	struct config *config = build->whole != NULL ? &build->whole->config : NULL;

	for (size_t i = 0; i < build->program_count; i++) {
		free(build->programs[i].command);
		/* What has not been given to the config yet. */
		if (config != NULL && config->programs == NULL)
			build_free_program(build->programs[i].program);
	}
	free(build->programs);
	build_free_overrides(build);
	for (size_t i = 0; i < build->group_count; i++) {
		free(build->groups[i].name);
		free(build->groups[i].members);
		free(build->groups[i].programs);
	}
	free(build->groups);
	for (size_t i = 0; i < build->socket_count; i++)
		build_free_socket(&build->sockets[i].config);
	free(build->sockets);
	config_free(config);
	*build = (struct build){0};
}

void build_free_program(struct program_config *program)
{
	build_free_values(program);
	free(program);
}

void build_free_values(struct program_config *program)
{
	/* Read-only to all others, but made and freed here. */
	struct life_config *life = program->life != program->model->life
				       ? (struct life_config *)(uintptr_t)program->life
				       : NULL;

	for (size_t k = 0; k < PROGRAM_KEY_COUNT; k++) {
		const struct key_row *row = &program_rows[k];

		void *owner = row->part == PART_PROGRAM ? (void *)program : life;

		if (owner != NULL && value_has_memory(row))
			value_done(row, build_member(owner, row), model_member(program, row));
	}
	free(life);
}

static const void *model_member(const struct program_config *program, const struct key_row *row)
{
	const void *owner = row->part == PART_LIFE ? (const void *)program->model->life
						   : (const void *)program->model;

	return (const char *)owner + row->offset;
}

void build_report(struct build *build, const struct build_program *program, enum program_key key,
    const char *format, ...)
{
	struct build_place place = program->place;
	char buffer[KEYTABLE_LABEL], *message;
	bool own = program->lines[key] > 0;
	va_list arguments;

	if (own)
		place = build_key_place(program, key);
	else if (build->defaults[key].line > 0)
		place = build->defaults[key];
	va_start(arguments, format);
	message = confreport_message(build->report, format, arguments);
	va_end(arguments);
	if (message != NULL && (own || !is_told(build, place, key, message)))
		confreport_add(build->report, build_file(build, place), place.line,
		    keytable_label(&program_rows[key], buffer), "%s", message);
	free(message);
}

struct build_place build_key_place(const struct build_program *program, enum program_key key)
{
	if (program->overridden != NULL && program->overridden[key].line > 0)
		return program->overridden[key];
	return (struct build_place){.source = program->place.source, .line = program->lines[key]};
}

/* An error of the defaults shows in each program. */
static bool is_told(
    const struct build *build, struct build_place place, enum program_key key, const char *message)
{
	const struct config_errors *errors = build->report->errors;
	char buffer[KEYTABLE_LABEL];
	const char *label = keytable_label(&program_rows[key], buffer);

	for (size_t i = 0; i < errors->count; i++) {
		const struct config_error *error = &errors->list[i];

		if (error->line == place.line && error->key != NULL &&
		    strcmp(error->key, label) == 0 && strcmp(error->message, message) == 0 &&
		    strcmp(error->file, build_file(build, place)) == 0)
			return true;
	}
	return false;
}

const char *build_file(const struct build *build, struct build_place place)
{
	return build->whole->config.sources[place.source].path;
}

struct build_program *build_find(const struct build *build, const char *name)
{
	size_t low = 0, high = build->program_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(build->programs[middle].program->name, name);

		if (order == 0)
			return &build->programs[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const char *build_name_of(const void *build, uint32_t index)
{
	return ((const struct build *)build)->programs[index].program->name;
}

bool build_count_links(struct build *build, size_t count)
{
	build->link_count += count;
	if (build->link_count <= LIMIT_LINKS)
		return true;
	if (!build->links_told)
		confreport_add(build->report, build_file(build, (struct build_place){0}), 0, NULL,
		    "too many names in groups and lists of programs: at most %d are allowed, each "
		    "group counting as its members",
		    LIMIT_LINKS);
	build->links_told = true;
	return false;
}

void *build_base_member(struct build *build, const struct key_row *row)
{
	return row->part == PART_LIFE ? build_member(&build->whole->base_life, row)
				      : build_member(&build->whole->base, row);
}

const void *build_program_member(
    const struct build *build, const struct build_program *program, const struct key_row *row)
{
	const void *owner = row->part == PART_LIFE ? (const void *)program->program->life
						   : (const void *)program->program;

	(void)build;
	return (const char *)owner + row->offset;
}

int build_replace(struct build *build, struct build_program *program, const struct key_row *row,
    const void *value)
{
	void *member;

	if (row->part == PART_LIFE && program->life == NULL) {
		program->life = malloc(sizeof(*program->life));
		if (program->life == NULL)
			return -ENOMEM;
		*program->life = *program->program->life;
		program->program->life = program->life;
	}
	member = row->part == PART_LIFE ? build_member(program->life, row)
					: build_member(program->program, row);
	(void)build;
	value_done(row, member, model_member(program->program, row));
	memcpy(member, value, row->size);
	return 0;
}

bool build_is_absolute(const char *text)
{
	return text[0] == '/' || strncmp(text, "%{home}", strlen("%{home}")) == 0 ||
	       strncmp(text, "%{run_dir}", strlen("%{run_dir}")) == 0;
}

/* The defaults of keys.h where the files give none. */
static int fill_defaults(struct build *build)
{
	int error = 0;

	for (size_t k = 0; k < PROGRAM_KEY_COUNT && error == 0; k++) {
		const struct key_row *row = &program_rows[k];

		if (build->defaults[k].line == 0)
			error = value_read_default(row, build_base_member(build, row));
	}
	return error;
}

/* By name, then in the order of reading. */
static int compare_programs(const void *a, const void *b)
{
	const struct build_program *x = a, *y = b;
	int order = strcmp(x->program->name, y->program->name);

	if (order != 0)
		return order;
	if (x->place.source != y->place.source)
		return x->place.source < y->place.source ? -1 : 1;
	return (x->place.line > y->place.line) - (x->place.line < y->place.line);
}

static void refuse_doubles(struct build *build)
{
	size_t first = 0;

	for (size_t i = 1; i < build->program_count; i++) {
		const struct build_program *program = &build->programs[i],
					   *other = &build->programs[first];

		if (strcmp(program->program->name, other->program->name) != 0) {
			first = i;
			continue;
		}
		confreport_add(build->report, build_file(build, program->place),
		    program->place.line, "program", "'%s' is already defined at %s:%d",
		    program->program->name, build_file(build, other->place), other->place.line);
	}
}

static int finish_program(struct build *build, struct build_program *program)
{
	struct program_config *config = program->program;
	int error;

	config->file = build_file(build, program->place);
	config->line = program->place.line;
	error = fill_program(build, program);
	program->instances = config->life->key_instances;
	if (program->instances == INSTANCES_CPUS) {
		if (build->cpus == 0)
			build->cpus = cpus_count();
		program->instances = build->cpus;
	}
	if (error == 0 && config->life->key_accept)
		error = build_take_accept(build, program);
	config->instances = program->instances;
	if (error == 0)
		error = make_command(build, program);
	if (error == 0)
		error = join_paths(build, program);
	return error < 0 ? error : build_expand_program(build, program);
}

/* With the defaults, where the stanza itself says nothing. */
static int fill_program(struct build *build, struct build_program *program)
{
	static const struct life_config nothing;
	int error = 0;

	for (size_t k = 0; k < PROGRAM_KEY_COUNT; k++) {
		const struct key_row *row = &program_rows[k];

		if (program->lines[k] > 0)
			continue;
		if (row->part == PART_PROGRAM)
			copy_member(build_member(program->program, row),
			    build_base_member(build, row), row->size);
		else if (program->life != NULL)
			copy_member(build_member(program->life, row), build_base_member(build, row),
			    row->size);
	}
	for (size_t k = 0; k < PROGRAM_KEY_COUNT && error == 0; k++)
		if (build->defaults[k].line > 0 && is_overridden(program, (enum program_key)k))
			error = build_replace(build, program, &program_rows[k],
			    (const char *)&nothing + program_rows[k].offset);
	return error;
}

/* Most are one word.  Where the compiler saves bytes it copies by them. */
static void copy_member(void *to, const void *from, size_t size)
{
	if (size == sizeof(uint64_t))
		memcpy(to, from, sizeof(uint64_t));
	else if (size == sizeof(uint32_t))
		memcpy(to, from, sizeof(uint32_t));
	else
		memcpy(to, from, size);
}

/* What the stanza says in one of two ways is not to lose against a default in the other one. */
static bool is_overridden(const struct build_program *program, enum program_key key)
{
	const int *lines = program->lines;

	if (key == PROGRAM_stop_sequence) /* stop_timeout is that of stop_command as well */
		return lines[key] == 0 &&
		       (lines[PROGRAM_stop_signal] > 0 ||
			   (lines[PROGRAM_stop_timeout] > 0 &&
			       program->program->life->key_stop_command == NULL));
	if (key == PROGRAM_reload_command)
		return lines[key] == 0 && lines[PROGRAM_reload_signal] > 0;
	return false;
}

static int make_command(struct build *build, struct build_program *program)
{
	const struct key_row *row = &program_rows[PROGRAM_command];
	struct value_input input = {
	    .row = row, .list = program->command_list, .shell = program->program->key_shell};
	char *problem = NULL;
	int error;

	if (program->command == NULL) {
		/* One that stood there and was refused has been reported. */
		if (program->lines[PROGRAM_command] == 0 && !program->spoiled)
			build_report(build, program, PROGRAM_command,
			    "is missing in program '%s': each program needs one",
			    program->program->name);
		return 0;
	}
	input.items = (const char *const *)program->command;
	while (program->command[input.count] != NULL)
		input.count++;
	error = value_parse(&input, &program->program->key_command, &problem);
	if (error == -EINVAL)
		build_report(build, program, PROGRAM_command, "%s", problem);
	free(problem);
	free(program->command);
	program->command = NULL;
	return error == -EINVAL ? 0 : error;
}

/* Paths are seen from the directory of the program. */
static int join_paths(struct build *build, struct build_program *program)
{
	static const enum program_key streams[] = {PROGRAM_stdin, PROGRAM_stdout, PROGRAM_stderr};
	int error = 0;

	if (program->program->key_directory == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]) && error == 0; i++)
		error = join_stream(build, program, streams[i]);
	if (error == 0)
		error = join_check(build, program, PROGRAM_ready);
	if (error == 0)
		error = join_check(build, program, PROGRAM_health_check);
	return error < 0 ? error : join_pid_file(build, program);
}

static int join_stream(struct build *build, struct build_program *program, enum program_key key)
{
	const struct key_row *row = &program_rows[key];
	struct stdio stdio = *(const struct stdio *)build_program_member(build, program, row);
	int error;

	if (stdio.target == NULL || stdio.kind == STDIO_PROGRAM || build_is_absolute(stdio.target))
		return 0;
	error = join(program, stdio.target, &stdio.target);
	return error < 0 ? error : build_replace(build, program, row, &stdio);
}

static int join_check(struct build *build, struct build_program *program, enum program_key key)
{
	const struct key_row *row = &program_rows[key];
	struct check check = *(const struct check *)build_program_member(build, program, row);
	int error;

	if ((check.kind != CHECK_UNIX && check.kind != CHECK_FILE) ||
	    build_is_absolute(check.target))
		return 0;
	error = join(program, check.target, &check.target);
	if (error < 0)
		return error;
	error = build_replace(build, program, row, &check);
	if (error < 0)
		free(check.target);
	return error;
}

static int join_pid_file(struct build *build, struct build_program *program)
{
	const struct key_row *row = &program_rows[PROGRAM_pid_file];
	char *path = program->program->life->key_pid_file;
	int error;

	if (path == NULL || build_is_absolute(path))
		return 0;
	error = join(program, path, &path);
	if (error < 0)
		return error;
	error = build_replace(build, program, row, &path);
	if (error < 0)
		free(path);
	return error;
}

static int join(const struct build_program *program, const char *path, char **ret_joined)
{
	const char *directory = program->program->key_directory;
	char *joined;

	if (asprintf(&joined, "%s/%s", strcmp(directory, "/") == 0 ? "" : directory, path) < 0)
		return -ENOMEM;
	*ret_joined = joined;
	return 0;
}

static int give_programs(struct build *build)
{
	struct config *config = &build->whole->config;

	config->programs = calloc(build->program_count + 1, sizeof(*config->programs));
	if (config->programs == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < build->program_count; i++)
		config->programs[i] = build->programs[i].program;
	config->program_count = build->program_count;
	return 0;
}
