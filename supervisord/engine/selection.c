/* SPDX-License-Identifier: ISC */
/* selection.c: see selection.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "lib/nearest.h"
#include "supervisord/engine/access.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/selection.h"

/* What the client may do, while its names are read. */
struct reader {
	struct call *call;
	bool is_command;    /* programs of on_event are meant by their own names alone */
	struct access may;  /* the right of the call */
	struct access sees; /* status */
	struct selection selection;
};

static bool read_names(struct reader *reader, const json_t *names);
static bool add_name(struct reader *reader, const char *name);
static bool add_program(struct reader *reader, struct program *program, const char *name);
static bool add_group(struct reader *reader, const struct group_config *group);
static void tell_several(
    struct call *call, const char *name, const struct program *first, size_t count);
static bool tell_group(struct call *call, const char *name, const struct access *sees);
static int add_matches(struct reader *reader, const char *glob);
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
	struct reader reader = {.call = call, .is_command = needs_name};
	bool ok = false;

	if ((names != NULL && !json_is_null(names) && !json_is_array(names)) ||
	    (needs_name && count == 0) || count > LIMIT_COMMAND_NAMES) {
		call_invalid_parameter(call, "names");
		return false;
	}
	if (access_init(&reader.may, call->client, call->right) < 0 ||
	    access_init(&reader.sees, call->client, RIGHT_STATUS) < 0 ||
	    selection_init(&reader.selection, call->engine) < 0)
		call_out_of_memory(call);
	else
		ok = read_names(&reader, names);
	access_done(&reader.may);
	access_done(&reader.sees);
	if (ok)
		*ret_selection = reader.selection;
	else
		selection_done(&reader.selection);
	return ok;
}

void selection_tell_missing(struct call *call, const char *name, bool groups)
{
	const struct engine *engine = call->engine;
	size_t group_count = groups ? engine->config->group_count : 0, count = 0;
	const char **names;
	struct access sees;

	if (!access_may_name(call->client, call->right, name)) {
		access_refuse(call, call->right, name);
		return;
	}
	(void)access_init(&sees, call->client, RIGHT_STATUS);
	if (!groups && tell_group(call, name, &sees)) {
		access_done(&sees);
		return;
	}
	names = calloc(engine->program_count + group_count + 1, sizeof(*names));
	for (size_t i = 0; names != NULL && i < engine->program_count; i++)
		if (access_has(&sees, engine->programs[i]))
			names[count++] = program_name(engine->programs[i]);
	for (size_t i = 0; names != NULL && i < group_count; i++)
		if (access_may_name(call->client, RIGHT_STATUS, engine->config->groups[i].name))
			names[count++] = engine->config->groups[i].name;
	call_error_begin(call, CALL_INTERFACE ".NoSuchProgram");
	jsonw_member_string(&call->w, "name", name);
	jsonw_member_string(
	    &call->w, "nearest", names != NULL ? nearest_find(name, names, count) : NULL);
	call_error_end(call);
	free(names);
	access_done(&sees);
}

struct program *selection_find_one(struct call *call, const char *name)
{
	struct program *program;
	size_t index = 0, count = 1;

	if (name == NULL) {
		call_invalid_parameter(call, "name");
		return NULL;
	}
	program = engine_next_named(call->engine, name, &index);
	if (!selection_allows(call, program, name))
		return NULL;
	while (engine_next_named(call->engine, name, &index) != NULL)
		count++;
	if (count == 1)
		return program;
	tell_several(call, name, program, count);
	return NULL;
}

/* More than one has that name, and the call takes one. */
static void tell_several(
    struct call *call, const char *name, const struct program *first, size_t count)
{
	call_error_begin(call, CALL_INTERFACE ".NoSuchProgram");
	jsonw_member_string(&call->w, "name", name);
	jsonw_member_string(&call->w, "nearest", program_name(first));
	jsonw_member_int(&call->w, "several", (int64_t)count);
	call_error_end(call);
}

/* A group, where one program is wanted.  False: none that the client may see; not answered. */
static bool tell_group(struct call *call, const char *name, const struct access *sees)
{
	const struct group_config *group = config_find_group(call->engine->config, name);
	const struct program *first = NULL;
	size_t count = 0;

	for (size_t i = 0; group != NULL && group->members != NULL && group->members[i] != NULL;
	     i++) {
		const struct program *member = engine_find(call->engine, group->members[i]);

		if (member == NULL || !access_has(sees, member))
			continue;
		first = first != NULL ? first : member;
		count++;
	}
	if (first != NULL)
		tell_several(call, name, first, count);
	return first != NULL;
}

bool selection_allows(struct call *call, const struct program *program, const char *name)
{
	if (program == NULL) {
		selection_tell_missing(call, name, false);
		return false;
	}
	if (!access_may(call->client, call->right, program)) {
		access_refuse(call, call->right, name);
		return false;
	}
	return true;
}

/* False: answered. */
static bool read_names(struct reader *reader, const json_t *names)
{
	struct call *call = reader->call;
	size_t count = json_array_size(names);

	for (size_t i = 0; i < count; i++) {
		const char *name = json_string_value(json_array_get(names, i));

		if (name == NULL) {
			call_invalid_parameter(call, "names");
			return false;
		}
		if (!add_name(reader, name))
			return false;
	}
	if (count == 0 && add_matches(reader, NULL) < 0)
		return false;
	sort(call->engine, &reader->selection);
	return true;
}

/* False: answered. */
static bool add_name(struct reader *reader, const char *name)
{
	struct call *call = reader->call;
	const struct group_config *group = config_find_group(call->engine->config, name);
	struct program *program;
	bool found = group != NULL;
	size_t index = 0;
	int matches;

	if (strcmp(name, "all") == 0)
		return add_matches(reader, NULL) >= 0;
	while ((program = engine_next_named(call->engine, name, &index)) != NULL) {
		if (!add_program(reader, program, name))
			return false;
		found = true;
	}
	if (group != NULL && !add_group(reader, group))
		return false;
	if (found)
		return true;
	if (strpbrk(name, "*?[\\") == NULL) {
		selection_tell_missing(call, name, true);
		return false;
	}
	matches = add_matches(reader, name);
	if (matches == 0) {
		call_error_begin(call, CALL_INTERFACE ".NoSuchProgram");
		jsonw_member_string(&call->w, "name", name);
		jsonw_member_null(&call->w, "nearest");
		call_error_end(call);
	}
	return matches > 0;
}

/* False: answered.  `name` is what the client has said. */
static bool add_program(struct reader *reader, struct program *program, const char *name)
{
	if (!access_has(&reader->may, program)) {
		access_refuse(reader->call, reader->call->right, name);
		return false;
	}
	selection_add(&reader->selection, program);
	return true;
}

/* False: answered. */
static bool add_group(struct reader *reader, const struct group_config *group)
{
	const struct call *call = reader->call;
	bool empty = group->members == NULL || group->members[0] == NULL;

	/* That there is such a group is not for everybody either. */
	if (empty && !access_may_name(call->client, call->right, group->name)) {
		access_refuse(reader->call, call->right, group->name);
		return false;
	}
	for (size_t i = 0; !empty && group->members[i] != NULL; i++) {
		struct program *member = engine_find(call->engine, group->members[i]);

		if (member != NULL && !add_program(reader, member, group->name))
			return false;
	}
	return true;
}

/* Of what the client may see or act on; NULL: all of it.  How many there are, or -1: answered. */
static int add_matches(struct reader *reader, const char *glob)
{
	const struct engine *engine = reader->call->engine;
	int matches = 0;

	for (size_t i = 0; i < engine->program_count; i++) {
		struct program *program = engine->programs[i];

		if (reader->is_command && program_is_on_event(program))
			continue;
		if ((!access_has(&reader->sees, program) && !access_has(&reader->may, program)) ||
		    (glob != NULL && fnmatch(glob, program_name(program), 0) != 0))
			continue;
		if (!add_program(reader, program, program_name(program)))
			return -1;
		matches++;
	}
	return matches;
}

/* As the engine's own table is sorted, but web@2 before web@10.  One needs no look at the others.
 */
static void sort(const struct engine *engine, struct selection *selection)
{
	size_t count = 0;
	bool any = false;

	if (selection->count < 2)
		return;
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
