/* SPDX-License-Identifier: ISC */
/* selection.c: see selection.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "lib/nearest.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/selection.h"

static bool add_name(struct call *call, const char *name, struct selection *selection);
static bool add_group(const struct engine *engine, const char *name, struct selection *selection);
static bool add_glob(const struct engine *engine, const char *glob, struct selection *selection);
static void add_all(const struct engine *engine, struct selection *selection);
static void sort(const struct engine *engine, struct selection *selection);
static int compare_instances(const void *a, const void *b);

int selection_init(struct selection *selection, const struct engine *engine)
{
	selection->count = 0;
	selection->known = calloc(LIMIT_ROWS, sizeof(*selection->known));
	selection->list = calloc(engine->program_count + 1, sizeof(*selection->list));
	return selection->known != NULL && selection->list != NULL ? 0 : -ENOMEM;
}

void selection_done(struct selection *selection)
{
	free(selection->list);
	free(selection->known);
	*selection = (struct selection){0};
}

void selection_add(struct selection *selection, struct program *program)
{
	if (selection->known[program->run.row])
		return;
	selection->known[program->run.row] = true;
	selection->list[selection->count++] = program;
}

bool selection_has(const struct selection *selection, const struct program *program)
{
	return selection->known[program->run.row];
}

bool selection_read(struct call *call, bool needs_name, struct selection *ret_selection)
{
	const json_t *names = json_object_get(call->parameters, "names");
	size_t count = json_array_size(names);
	struct selection selection;

	if ((names != NULL && !json_is_null(names) && !json_is_array(names)) ||
	    (needs_name && count == 0) || count > LIMIT_COMMAND_NAMES) {
		call_invalid_parameter(call, "names");
		return false;
	}
	if (selection_init(&selection, call->engine) < 0) {
		selection_done(&selection);
		call_out_of_memory(call);
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		const char *name = json_string_value(json_array_get(names, i));

		if (name == NULL)
			call_invalid_parameter(call, "names");
		if (name == NULL || !add_name(call, name, &selection)) {
			selection_done(&selection);
			return false;
		}
	}
	if (count == 0)
		add_all(call->engine, &selection);
	sort(call->engine, &selection);
	*ret_selection = selection;
	return true;
}

void selection_tell_missing(struct call *call, const char *name, bool groups)
{
	const struct engine *engine = call->engine;
	size_t group_count = groups ? engine->config->group_count : 0, count = 0;
	const char **names = calloc(engine->program_count + group_count + 1, sizeof(*names));

	for (size_t i = 0; names != NULL && i < engine->program_count; i++)
		names[count++] = program_name(engine->programs[i]);
	for (size_t i = 0; names != NULL && i < group_count; i++)
		names[count++] = engine->config->groups[i].name;
	call_error_begin(call, CALL_INTERFACE ".NoSuchProgram");
	jsonw_member_string(&call->w, "name", name);
	jsonw_member_string(
	    &call->w, "nearest", names != NULL ? nearest_find(name, names, count) : NULL);
	call_error_end(call);
	free(names);
}

static bool add_name(struct call *call, const char *name, struct selection *selection)
{
	const struct engine *engine = call->engine;
	struct program *program;
	bool found = false;
	size_t index = 0;

	if (strcmp(name, "all") == 0) {
		add_all(engine, selection);
		return true;
	}
	while ((program = engine_next_named(engine, name, &index)) != NULL) {
		selection_add(selection, program);
		found = true;
	}
	found |= add_group(engine, name, selection);
	if (strpbrk(name, "*?[\\") != NULL)
		found |= add_glob(engine, name, selection);
	if (!found)
		selection_tell_missing(call, name, true);
	return found;
}

static bool add_group(const struct engine *engine, const char *name, struct selection *selection)
{
	const struct group_config *group = config_find_group(engine->config, name);

	for (size_t i = 0; group != NULL && group->members != NULL && group->members[i] != NULL;
	     i++) {
		struct program *member = engine_find(engine, group->members[i]);

		if (member != NULL)
			selection_add(selection, member);
	}
	return group != NULL;
}

static bool add_glob(const struct engine *engine, const char *glob, struct selection *selection)
{
	bool found = false;

	for (size_t i = 0; i < engine->program_count; i++) {
		if (fnmatch(glob, program_name(engine->programs[i]), 0) != 0)
			continue;
		selection_add(selection, engine->programs[i]);
		found = true;
	}
	return found;
}

static void add_all(const struct engine *engine, struct selection *selection)
{
	for (size_t i = 0; i < engine->program_count; i++)
		selection_add(selection, engine->programs[i]);
}

/* As the engine's own table is sorted, but web@2 before web@10. */
static void sort(const struct engine *engine, struct selection *selection)
{
	size_t count = 0;
	bool any = false;

	for (size_t i = 0; i < engine->program_count; i++) {
		if (!selection_has(selection, engine->programs[i]))
			continue;
		selection->list[count++] = engine->programs[i];
		any = any || instname_number(program_name(engine->programs[i])) > 9;
	}
	if (any)
		qsort(selection->list, count, sizeof(*selection->list), compare_instances);
}

static int compare_instances(const void *a, const void *b)
{
	const char *x = program_name(*(struct program *const *)a);
	const char *y = program_name(*(struct program *const *)b);
	size_t x_length = instname_program_length(x), y_length = instname_program_length(y);
	int order = memcmp(x, y, x_length < y_length ? x_length : y_length);

	if (order != 0 || x_length != y_length)
		return order != 0 ? order : x_length < y_length ? -1 : 1;
	return (instname_number(x) > instname_number(y)) -
	       (instname_number(x) < instname_number(y));
}
