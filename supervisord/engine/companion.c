/* SPDX-License-Identifier: ISC */
/* companion.c: see companion.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/companion.h"
#include "supervisord/engine/expand.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/value.h"
#include "supervisord/engine/words.h"

static int make_room(struct build *build, size_t count);
static void add(struct build *build, const struct build_program *companion);
static void sort(struct build *build);
static int fill_keys(struct build *build, const struct build_program *owner,
    const bool is_shared[PROGRAM_KEY_COUNT], struct program_config *companion,
    struct life_config *life);
static int copy_value(const char *owner, const struct key_row *row, const void *from, void *to);
static int copy_named(const char *owner, const char *text, char **ret_copy);
static int copy_list(string_list list, string_list *ret_copy);
static int compare_names(const void *a, const void *b);

int companion_add_all(struct build *build, const struct companion_kind *kind)
{
	size_t owners = build->program_count, count = 0;
	int error;

	for (size_t i = 0; i < owners; i++)
		count += kind->has(&build->programs[i]);
	if (count == 0)
		return 0;
	error = make_room(build, count);
	for (size_t i = 0; i < owners && error == 0; i++) {
		struct build_program companion;

		if (!kind->has(&build->programs[i]))
			continue;
		error = kind->make(build, &build->programs[i], &companion);
		if (error < 0)
			break;
		add(build, &companion);
		error = kind->join(build, &build->programs[i], companion.program->name);
	}
	sort(build);
	return error;
}

/* For so many more, so that pointers to them stay good. */
static int make_room(struct build *build, size_t count)
{
	struct config *config = &build->whole->config;
	size_t room = build->program_count + count;
	struct program_config **given;
	struct build_program *programs;

	programs = reallocarray(build->programs, room, sizeof(*programs));
	if (programs == NULL)
		return -ENOMEM;
	build->programs = programs;
	build->program_room = room;
	given = reallocarray(config->programs, room + 1, sizeof(*given));
	if (given == NULL)
		return -ENOMEM;
	config->programs = given;
	return 0;
}

int companion_new(struct build *build, const struct build_program *owner, const char *name,
    const enum program_key *shared, size_t shared_count, struct build_program *ret_companion)
{
	struct program_config *companion = calloc(1, sizeof(*companion));
	struct life_config *life = calloc(1, sizeof(*life));
	bool is_shared[PROGRAM_KEY_COUNT] = {false};
	int error;

	if (companion != NULL)
		companion->name = build_keep_name(build, name);
	if (companion == NULL || companion->name == NULL || life == NULL) {
		free(companion);
		free(life);
		return -ENOMEM;
	}
	companion->instances = 1;
	companion->model = &build->whole->base;
	companion->life = life;
	companion->file = owner->program->file;
	companion->line = owner->program->line;
	for (size_t i = 0; i < shared_count; i++)
		is_shared[shared[i]] = true;
	error = fill_keys(build, owner, is_shared, companion, life);
	if (error < 0) {
		build_free_program(companion);
		return error;
	}
	*ret_companion = (struct build_program){
	    .program = companion, .life = life, .place = owner->place, .instances = 1};
	return 0;
}

/* Takes it. */
static void add(struct build *build, const struct build_program *companion)
{
	struct config *config = &build->whole->config;

	config->programs[config->program_count++] = companion->program;
	build->programs[build->program_count++] = *companion;
}

int companion_want(struct build *build, struct build_program *owner, const char *name)
{
	const struct key_row *row = &program_rows[PROGRAM_wants];
	const string_list wants = *(const string_list *)build_program_member(build, owner, row);
	char entry[LIMIT_NAME + sizeof(":started")];
	const char **names;
	string_list list;
	size_t count = 0;
	int error;

	while (wants != NULL && wants[count] != NULL)
		count++;
	names = calloc(count + 1, sizeof(*names));
	if (names == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		names[i] = wants[i];
	(void)snprintf(entry, sizeof(entry), "%s:started", name);
	names[count] = entry;
	list = words_copy(names, count + 1);
	free(names);
	if (list == NULL)
		return -ENOMEM;
	error = build_replace(build, owner, row, &list);
	if (error < 0)
		free(list);
	return error;
}

/* By name, as they are looked for. */
static void sort(struct build *build)
{
	struct config *config = &build->whole->config;

	if (build->program_count > 0)
		qsort(
		    build->programs, build->program_count, sizeof(*build->programs), compare_names);
	for (size_t i = 0; i < build->program_count && i < config->program_count; i++)
		config->programs[i] = build->programs[i].program;
}

int companion_copy_names(const char *owner, string_list list, string_list *ret_copy)
{
	char **texts;
	size_t count = 0;
	int error = 0;

	*ret_copy = NULL;
	if (list == NULL)
		return 0;
	while (list[count] != NULL)
		count++;
	texts = calloc(count + 1, sizeof(*texts));
	if (texts == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count && error == 0; i++)
		error = copy_named(owner, list[i], &texts[i]);
	if (error == 0)
		error = copy_list(texts, ret_copy);
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
	return error;
}

/* What is the owner's, and of all else the default of keys.h. */
static int fill_keys(struct build *build, const struct build_program *owner,
    const bool is_shared[PROGRAM_KEY_COUNT], struct program_config *companion,
    struct life_config *life)
{
	int error = 0;

	for (size_t k = 0; k < PROGRAM_KEY_COUNT && error == 0; k++) {
		const struct key_row *row = &program_rows[k];
		void *member =
		    row->part == PART_LIFE ? build_member(life, row) : build_member(companion, row);

		error = is_shared[k] ? copy_value(owner->program->name, row,
					   build_program_member(build, owner, row), member)
				     : value_read_default(row, member);
	}
	return error;
}

/* A copy of its own, of the types that are shared. */
static int copy_value(const char *owner, const struct key_row *row, const void *from, void *to)
{
	if (row->type == KEY_STRING) {
		const char *text = *(char *const *)from;
		char *copy = text != NULL ? strdup(text) : NULL;

		*(char **)to = copy;
		return text == NULL || copy != NULL ? 0 : -ENOMEM;
	}
	if (row->type == KEY_PATH)
		return copy_named(owner, *(char *const *)from, to);
	if (row->type == KEY_ENVIRONMENT)
		return companion_copy_names(owner, *(const string_list *)from, to);
	if (row->type == KEY_STDOUT) {
		const struct stdio *stdio = from;
		struct stdio *copy = to;

		*copy = (struct stdio){.kind = stdio->kind}; /* a log has no other target */
		return copy_list(stdio->targets, &copy->targets);
	}
	memcpy(to, from, row->size);
	return 0;
}

/* The names in it are the program's, wherever it is used; the rest is for the launch. */
static int copy_named(const char *owner, const char *text, char **ret_copy)
{
	struct instname parts;
	const struct expand_words words = {
	    .name = owner,
	    .program = parts.program,
	    .instance = parts.number,
	    .user = "%{user}",
	    .home = "%{home}",
	    .run_dir = "%{run_dir}",
	    .percent = "%{percent}",
	};

	instname_split(owner, &parts);
	*ret_copy = NULL;
	return text != NULL ? expand_string(text, &words, ret_copy) : 0;
}

static int copy_list(string_list list, string_list *ret_copy)
{
	size_t count = 0;

	*ret_copy = NULL;
	if (list == NULL)
		return 0;
	while (list[count] != NULL)
		count++;
	*ret_copy = words_copy((const char *const *)list, count);
	return *ret_copy != NULL ? 0 : -ENOMEM;
}

static int compare_names(const void *a, const void *b)
{
	const struct build_program *x = a, *y = b;

	return strcmp(x->program->name, y->program->name);
}
