/* SPDX-License-Identifier: ISC */
/*
 * confbuild.c: whole programs of what the files say, see confbuild.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "supervisord/engine/confbuild.h"
#include "supervisord/engine/value.h"

#define FNV_OFFSET 0xcbf29ce484222325ULL
#define FNV_PRIME  0x100000001b3ULL

static int fill_defaults(struct build *build);
static int compare_programs(const void *a, const void *b);
static void refuse_doubles(struct build *build);
static int finish_program(struct build *build, struct build_program *program);
static int make_command(struct build *build, struct build_program *program);
static int join_streams(struct build *build, struct build_program *program);
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
	if (build->program_count > LIMIT_ROWS)
		confreport_add(build->report, build_file(build, (struct build_place){0}), 0, NULL,
		    "%zu programs: at most %d are allowed", build->program_count, LIMIT_ROWS);
	for (size_t i = 0; i < build->program_count && error == 0; i++)
		error = finish_program(build, &build->programs[i]);
	return error < 0 ? error : give_programs(build);
}

int build_hash(struct build *build)
{
	char *text = NULL;
	size_t length = 0;
	FILE *file;
	int error = 0;

	/* One stream for all: it is rewound for each program. */
	file = open_memstream(&text, &length);
	if (file == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < build->program_count && error == 0; i++) {
		struct program_config *program = build->programs[i].program;
		uint64_t hash = FNV_OFFSET;
		long end;

		rewind(file);
		for (size_t k = 0; k < PROGRAM_KEY_COUNT; k++) {
			if (program_rows[k].change != CHANGE_RESTART)
				continue;
			fprintf(file, "%s=", program_rows[k].name);
			value_write(
			    &program_rows[k], build_member(program, &program_rows[k]), file);
			putc('\n', file);
		}
		end = ftell(file);
		if (end < 0 || fflush(file) != 0 || ferror(file)) {
			error = -ENOMEM;
			break;
		}
		for (long at = 0; at < end; at++)
			hash = (hash ^ (unsigned char)text[at]) * FNV_PRIME;
		program->hash = hash;
	}
	fclose(file);
	free(text);
	return error;
}

void build_done(struct build *build)
{
	struct config *config = build->whole != NULL ? &build->whole->config : NULL;

	/* What has not been given to the config yet. */
	for (size_t i = 0; i < build->program_count; i++) {
		free(build->programs[i].command);
		if (config == NULL || config->programs != NULL)
			continue;
		for (size_t k = 0; k < PROGRAM_KEY_COUNT; k++)
			value_done(&program_rows[k],
			    build_member(build->programs[i].program, &program_rows[k]),
			    build_member(&build->whole->base, &program_rows[k]));
		free(build->programs[i].program);
	}
	free(build->programs);
	config_free(config);
	*build = (struct build){0};
}

void build_report(struct build *build, const struct build_program *program, enum program_key key,
    const char *format, ...)
{
	struct build_place place = program->place;
	char *message = NULL;
	va_list arguments;

	if (program->lines[key] > 0)
		place.line = program->lines[key];
	else if (build->defaults[key].line > 0)
		place = build->defaults[key];
	va_start(arguments, format);
	if (vasprintf(&message, format, arguments) < 0) {
		build->report->no_memory = true;
		message = NULL;
	}
	va_end(arguments);
	if (message != NULL)
		confreport_add(build->report, build_file(build, place), place.line,
		    program_rows[key].name, "%s", message);
	free(message);
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

bool build_is_absolute(const char *text)
{
	return text[0] == '/' || strncmp(text, "%{home}", strlen("%{home}")) == 0 ||
	       strncmp(text, "%{run_dir}", strlen("%{run_dir}")) == 0;
}

/* The defaults of keys.h where the files give none. */
static int fill_defaults(struct build *build)
{
	for (size_t k = 0; k < PROGRAM_KEY_COUNT; k++) {
		const struct key_row *row = &program_rows[k];
		struct value_input input = {.row = row, .items = &row->def, .count = 1};
		char *problem = NULL;
		int error;

		if (row->def == NULL || build->defaults[k].line > 0)
			continue;
		error = value_parse(&input, build_member(&build->whole->base, row), &problem);
		free(problem);
		/* A default that is not allowed is a fault of keys.h; the unit test walks over all.
		 */
		if (error < 0)
			return error;
	}
	return 0;
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
	for (size_t k = 0; k < PROGRAM_KEY_COUNT; k++)
		if (program->lines[k] == 0)
			memcpy(build_member(config, &program_rows[k]),
			    build_member(&build->whole->base, &program_rows[k]),
			    program_rows[k].size);
	error = make_command(build, program);
	return error < 0 ? error : join_streams(build, program);
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

/* Paths of streams are seen from the directory of the program. */
static int join_streams(struct build *build, struct build_program *program)
{
	static const enum program_key keys[] = {PROGRAM_stdin, PROGRAM_stdout, PROGRAM_stderr};
	const char *directory = program->program->key_directory;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct key_row *row = &program_rows[keys[i]];
		struct stdio *stdio = build_member(program->program, row), joined = *stdio;

		if (stdio->target == NULL || stdio->kind == STDIO_PROGRAM ||
		    build_is_absolute(stdio->target) || directory == NULL)
			continue;
		if (asprintf(&joined.target, "%s/%s", strcmp(directory, "/") == 0 ? "" : directory,
			stdio->target) < 0)
			return -ENOMEM;
		value_done(row, stdio, build_member(&build->whole->base, row));
		*stdio = joined;
	}
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
