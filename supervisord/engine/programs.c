/* SPDX-License-Identifier: ISC */
/* programs.c: the engine's table of programs, by name and by row; see engine.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/engine.h"
#include "supervisord/engine/instname.h"

static size_t first_not_before(const struct engine *engine, const char *name);
static int compare_programs(const void *a, const void *b);
static int compare_name(const void *key, const void *entry);

struct program *engine_find(const struct engine *engine, const char *name)
{
	struct program **found = engine->program_count == 0
				     ? NULL
				     : bsearch(name, engine->programs, engine->program_count,
					   sizeof(*engine->programs), compare_name);

	return found != NULL ? *found : NULL;
}

int engine_add(struct engine *engine, struct program *program)
{
	const char *name = program_name(program);
	size_t at = engine->program_count;

	if (engine->program_count == engine->program_size) {
		size_t size = engine->program_size > 0 ? engine->program_size * 2 : 16;
		struct program **list = realloc(engine->programs, size * sizeof(struct program *));

		if (list == NULL)
			return -ENOMEM;
		engine->programs = list;
		engine->program_size = size;
	}
	/* Stanzas come sorted, so this usually moves nothing. */
	while (at > 0 && strcmp(program_name(engine->programs[at - 1]), name) > 0) {
		engine->programs[at] = engine->programs[at - 1];
		at--;
	}
	engine->programs[at] = program;
	engine->program_count++;
	engine->by_row[program->run.row] = &program->run;
	return timers_reserve(&engine->timers, engine->program_count + LIMIT_CONTROL_CLIENTS + 4);
}

void engine_sort(struct engine *engine)
{
	if (engine->program_count > 1)
		qsort(engine->programs, engine->program_count, sizeof(*engine->programs),
		    compare_programs);
}

struct program *engine_next_named(const struct engine *engine, const char *name, size_t *index)
{
	struct program *found = NULL;
	char other[LIMIT_NAME];
	size_t length = strlen(name);

	if (*index == 0 && strchr(name, '@') != NULL) {
		*index = engine->program_count;
		found = engine_find(engine, name);
		return found == NULL && instname_other(name, other) ? engine_find(engine, other)
								    : found;
	}
	if (*index == 0)
		*index = first_not_before(engine, name);
	/* The names that begin with it stand together. */
	while (*index < engine->program_count) {
		found = engine->programs[(*index)++];
		if (strncmp(program_name(found), name, length) != 0)
			break;
		if (instname_is_of(program_name(found), name))
			return found;
	}
	*index = engine->program_count;
	return NULL;
}

void engine_remove(struct engine *engine, struct program *program)
{
	size_t at = 0;

	while (at < engine->program_count && engine->programs[at] != program)
		at++;
	if (at == engine->program_count)
		return;
	engine->program_count--;
	memmove(engine->programs + at, engine->programs + at + 1,
	    (engine->program_count - at) * sizeof(struct program *));
	engine->by_row[program->run.row] = NULL;
	engine_unlink(engine, program);
}

struct program *engine_program_of_row(const struct engine *engine, int row)
{
	struct run *run = row >= 0 && row < LIMIT_ROWS ? engine->by_row[row] : NULL;

	return run != NULL && run->kind == RUN_PROGRAM ? (struct program *)(void *)run : NULL;
}

static size_t first_not_before(const struct engine *engine, const char *name)
{
	size_t low = 0, high = engine->program_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(program_name(engine->programs[middle]), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int compare_programs(const void *a, const void *b)
{
	return strcmp(
	    program_name(*(struct program *const *)a), program_name(*(struct program *const *)b));
}

static int compare_name(const void *key, const void *entry)
{
	return strcmp(key, program_name(*(struct program *const *)entry));
}
