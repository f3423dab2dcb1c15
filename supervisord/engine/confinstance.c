/* SPDX-License-Identifier: ISC */
/*
 * confinstance.c: a stanza with instances = N becomes N programs, see confbuild.h.
 *
 * All checks have seen one program a stanza.  What each instance has of the stanza it shares with
 * the others: the stanza itself is kept as their model.  In lists and groups the name of a program
 * means all of its instances, "web@3" one; afterwards they name nothing else, so that nobody behind
 * this has to know what an instance is.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "supervisord/engine/confbuild.h"
#include "supervisord/engine/depend.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/route.h"
#include "supervisord/engine/words.h"

/* A list while its names are taken apart. */
struct names {
	struct build *build;
	char **list;
	size_t count;
	size_t room;
	int error;
};

static const enum program_key list_keys[] = {
    PROGRAM_requires, PROGRAM_wants, PROGRAM_after, PROGRAM_before, PROGRAM_conflicts};
#define LIST_KEY_COUNT (sizeof(list_keys) / sizeof(list_keys[0]))

static void check_update(struct build *build, const struct build_program *program);
static void check_numbers(struct build *build, const struct build_program *program);
static void check_number(struct build *build, const struct build_program *program,
    enum program_key key, const char *text, size_t length);
static void check_own_files(struct build *build, const struct build_program *program);
static void check_readers(struct build *build, const struct build_program *program,
    enum program_key key, const struct stdio *stdio);
static bool differs_by_instance(const char *text);
static int name_in_defaults(struct build *build);
static int name_in_program(struct build *build, struct build_program *program);
static int name_reader(struct build *build, struct build_program *program, enum program_key key);
static int copy_stdio(const struct stdio *stdio, struct stdio *ret_copy);
static int name_in_groups(struct build *build);
static int take_apart(struct build *build, const string_list list, string_list *ret_list);
static bool needs_it(const struct build *build, const string_list list);
static void add_named(struct names *names, const char *text);
static void add(struct names *names, const char *program, uint32_t number, const char *rest);
static int make_all(struct build *build, size_t total);
static int multiply(struct build *build, struct build_program *stanza);
static struct program_config *make_copy(
    struct build *build, const struct build_program *stanza, uint32_t index);
static int compare_names(const void *a, const void *b);

void build_check_instances(struct build *build)
{
	size_t total = 0;

	for (size_t i = 0; i < build->program_count; i++) {
		const struct build_program *program = &build->programs[i];

		total += build_count_rows(program);
		check_update(build, program);
		check_numbers(build, program);
		check_readers(build, program, PROGRAM_stdout, &program->program->key_stdout);
		check_readers(build, program, PROGRAM_stderr, &program->program->key_stderr);
		if (program->instances > 1)
			check_own_files(build, program);
	}
	if (build->program_count <= LIMIT_ROWS && total > LIMIT_ROWS)
		confreport_add(build->report, build_file(build, (struct build_place){0}), 0, NULL,
		    "%zu instances of programs: at most %d are allowed", total, LIMIT_ROWS);
}

int build_add_instances(struct build *build)
{
	size_t total = 0;
	int error;

	error = name_in_defaults(build);
	for (size_t i = 0; i < build->program_count && error == 0; i++) {
		total += build_count_rows(&build->programs[i]);
		error = name_in_program(build, &build->programs[i]);
	}
	if (error == 0)
		error = name_in_groups(build);
	if (error == 0 && total > build->program_count)
		error = make_all(build, total);
	return error;
}

struct build_program *build_find_named(
    const struct build *build, const char *text, size_t length, uint32_t *ret_number)
{
	char name[LIMIT_NAME];
	size_t program;

	if (instname_parse(text, length, &program, ret_number) < 0 || program >= sizeof(name))
		return NULL;
	memcpy(name, text, program);
	name[program] = '\0';
	return build_find(build, name);
}

/* With the extra ones. */
uint32_t build_count_rows(const struct build_program *program)
{
	const struct life_config *life = program->program->life;

	return program->instances +
	       (life->key_update == UPDATE_START_FIRST ? life->key_max_surge : 0);
}

/* ---- checks ---------------------------------------------------------------------------------- */

static void check_update(struct build *build, const struct build_program *program)
{
	const struct life_config *life = program->program->life;

	if (life->key_update != UPDATE_STOP_START && life->key_type == TYPE_ONESHOT)
		build_report(build, program, PROGRAM_update,
		    "is for programs that stay up: a oneshot is replaced at once (stop-start)");
}

/* Is there an instance of each number that is named? */
static void check_numbers(struct build *build, const struct build_program *program)
{
	const char *name = program->program->life->key_on_failure.name;
	const char *ipc_to = program->program->life->key_ipc_to;

	for (size_t k = 0; k < LIST_KEY_COUNT; k++) {
		const string_list names = *(const string_list *)build_program_member(
		    build, program, &program_rows[list_keys[k]]);

		for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
			enum depend_condition condition;
			size_t length;

			(void)depend_parse(names[i], &length, &condition);
			check_number(build, program, list_keys[k], names[i], length);
		}
	}
	if (name != NULL)
		check_number(build, program, PROGRAM_on_failure, name, strlen(name));
	if (ipc_to != NULL && strncmp(ipc_to, IPC_TO_PROGRAM, strlen(IPC_TO_PROGRAM)) == 0)
		check_number(build, program, PROGRAM_ipc_to, ipc_to + strlen(IPC_TO_PROGRAM),
		    strlen(ipc_to + strlen(IPC_TO_PROGRAM)));
}

static void check_number(struct build *build, const struct build_program *program,
    enum program_key key, const char *text, size_t length)
{
	uint32_t number;
	const struct build_program *other = build_find_named(build, text, length, &number);

	if (other != NULL && number > other->instances)
		build_report(build, program, key,
		    "there is no '%.*s': program '%s' has %u instance%s", (int)length, text,
		    other->program->name, other->instances, other->instances == 1 ? "" : "s");
}

/* What there can be only one of must have the instance in its name. */
static void check_own_files(struct build *build, const struct build_program *program)
{
	const struct life_config *life = program->program->life;
	char quoted[CONFREPORT_QUOTE];

	if (life->key_pid_file != NULL && !differs_by_instance(life->key_pid_file))
		build_report(build, program, PROGRAM_pid_file,
		    "'%s' is one file for %u instances: one with %%{instance} or %%{name} in it is "
		    "allowed",
		    confreport_quote(life->key_pid_file, quoted), program->instances);
	if (life->key_ready.kind == CHECK_LOG && life->key_log_file != NULL &&
	    !differs_by_instance(life->key_log_file))
		build_report(build, program, PROGRAM_ready,
		    "'log:' looks into '%s', which %u instances share: a log_file with "
		    "%%{instance} or %%{name} in it is needed",
		    confreport_quote(life->key_log_file, quoted), program->instances);
}

/* A pipe has one reader. */
static void check_readers(struct build *build, const struct build_program *program,
    enum program_key key, const struct stdio *stdio)
{
	const char *name;
	size_t index = 0;
	uint32_t number;

	while ((name = route_next_program(stdio, &index)) != NULL) {
		const struct build_program *reader =
		    build_find_named(build, name, strlen(name), &number);

		if (reader == NULL)
			continue;
		check_number(build, program, key, name, strlen(name));
		if (number == 0 && reader->instances > 1)
			build_report(build, program, key,
			    "program '%s' has %u instances: one of them, such as '%s@1', is "
			    "allowed",
			    name, reader->instances, name);
	}
}

static bool differs_by_instance(const char *text)
{
	return strstr(text, "%{instance}") != NULL || strstr(text, "%{name}") != NULL;
}

/* ---- names ----------------------------------------------------------------------------------- */

/* Programs that have nothing of their own in a list have that of the defaults. */
static int name_in_defaults(struct build *build)
{
	int error = 0;

	for (size_t k = 0; k < LIST_KEY_COUNT && error == 0; k++) {
		const struct key_row *row = &program_rows[list_keys[k]];
		string_list *base = build_base_member(build, row), old = *base, list = NULL;

		error = take_apart(build, old, &list);
		if (list == NULL)
			continue;
		for (size_t i = 0; i < build->program_count; i++) {
			struct build_program *program = &build->programs[i];
			string_list *own =
			    row->part == PART_PROGRAM ? build_member(program->program, row)
			    : program->life != NULL   ? build_member(program->life, row)
						      : NULL;

			if (own != NULL && *own == old)
				*own = list;
		}
		*base = list;
		free(old);
	}
	return error;
}

static int name_in_program(struct build *build, struct build_program *program)
{
	int error = 0;

	for (size_t k = 0; k < LIST_KEY_COUNT && error == 0; k++) {
		const struct key_row *row = &program_rows[list_keys[k]];
		const string_list old =
		    *(const string_list *)build_program_member(build, program, row);
		string_list list = NULL;

		if (old == *(const string_list *)build_base_member(build, row))
			continue;
		error = take_apart(build, old, &list);
		if (list == NULL)
			continue;
		error = build_replace(build, program, row, &list);
		if (error < 0)
			free(list);
	}
	if (error == 0)
		error = name_reader(build, program, PROGRAM_stdout);
	return error < 0 ? error : name_reader(build, program, PROGRAM_stderr);
}

/* "program:web@1" of a program that has only one. */
static int name_reader(struct build *build, struct build_program *program, enum program_key key)
{
	const struct key_row *row = &program_rows[key];
	const struct stdio *stdio = build_program_member(build, program, row);
	const char *name;
	struct stdio copy;
	size_t index = 0;
	int error;

	while ((name = route_next_program(stdio, &index)) != NULL)
		if (strchr(name, '@') != NULL && build_find(build, name) == NULL &&
		    build_find_named(build, name, strlen(name), &(uint32_t){0})->instances == 1)
			break;
	if (name == NULL)
		return 0;
	error = copy_stdio(stdio, &copy);
	if (error < 0)
		return error;
	/* The strings are the copy's own. */
	index = 0;
	while ((name = route_next_program(&copy, &index)) != NULL)
		if (strchr(name, '@') != NULL &&
		    build_find_named(build, name, strlen(name), &(uint32_t){0})->instances == 1)
			((char *)(uintptr_t)name)[instname_program_length(name)] = '\0';
	error = build_replace(build, program, row, &copy);
	if (error < 0) {
		free(copy.target);
		free(copy.targets);
	}
	return error;
}

static int copy_stdio(const struct stdio *stdio, struct stdio *ret_copy)
{
	struct stdio copy = {.kind = stdio->kind};
	size_t count = 0;

	while (stdio->targets != NULL && stdio->targets[count] != NULL)
		count++;
	copy.target = stdio->target != NULL ? strdup(stdio->target) : NULL;
	copy.targets = count > 0 ? words_copy((const char *const *)stdio->targets, count) : NULL;
	if ((stdio->target != NULL && copy.target == NULL) || (count > 0 && copy.targets == NULL)) {
		free(copy.target);
		free(copy.targets);
		return -ENOMEM;
	}
	*ret_copy = copy;
	return 0;
}

static int name_in_groups(struct build *build)
{
	struct config *config = &build->whole->config;
	int error = 0;

	for (size_t i = 0; i < config->group_count && error == 0; i++) {
		struct group_config *group = &config->groups[i];
		string_list list = NULL;

		error = take_apart(build, group->members, &list);
		if (list == NULL)
			continue;
		free(group->members);
		group->members = list;
	}
	return error;
}

/* Gives no list where the one that was written can stay. */
static int take_apart(struct build *build, const string_list list, string_list *ret_list)
{
	struct names names = {.build = build};

	if (list == NULL || !needs_it(build, list))
		return 0;
	for (size_t i = 0; list[i] != NULL; i++)
		add_named(&names, list[i]);
	if (names.error == 0) {
		*ret_list = words_copy((const char *const *)names.list, names.count);
		if (*ret_list == NULL)
			names.error = -ENOMEM;
	}
	for (size_t i = 0; i < names.count; i++)
		free(names.list[i]);
	free(names.list);
	return names.error;
}

/* Most lists say what they mean. */
static bool needs_it(const struct build *build, const string_list list)
{
	enum depend_condition condition;
	const struct build_program *program;
	uint32_t number;
	size_t length;

	for (size_t i = 0; list[i] != NULL; i++) {
		(void)depend_parse(list[i], &length, &condition);
		program = build_find_named(build, list[i], length, &number);
		if (program != NULL && (number > 0 || program->instances > 1))
			return true;
	}
	return false;
}

/* "web", "web@2", "web:ready": of all instances, or the one, with what stands behind. */
static void add_named(struct names *names, const char *text)
{
	enum depend_condition condition;
	const struct build_program *program;
	uint32_t number = 0;
	size_t length;

	(void)depend_parse(text, &length, &condition);
	program = build_find_named(names->build, text, length, &number);
	if (program == NULL || program->instances == 1) {
		add(names, program != NULL ? program->program->name : text, 0,
		    program != NULL ? text + length : "");
		return;
	}
	if (number > 0) {
		add(names, program->program->name, number, text + length);
		return;
	}
	if (!build_count_links(names->build, program->instances))
		return;
	for (uint32_t i = 1; i <= program->instances; i++)
		add(names, program->program->name, i, text + length);
}

static void add(struct names *names, const char *program, uint32_t number, const char *rest)
{
	char digits[INSTNAME_NUMBER + 1] = "";
	char *text;

	if (number > 0)
		(void)snprintf(digits, sizeof(digits), "@%u", number);
	if (names->count == names->room && names->error == 0) {
		size_t room = names->room > 0 ? names->room * 2 : 16;
		char **list = reallocarray(names->list, room, sizeof(*list));

		if (list == NULL)
			names->error = -ENOMEM;
		else
			names->list = list;
		names->room = room;
	}
	if (names->error < 0)
		return;
	if (asprintf(&text, "%s%s%s", program, digits, rest) < 0) {
		names->error = -ENOMEM;
		return;
	}
	names->list[names->count++] = text;
}

/* ---- instances ------------------------------------------------------------------------------- */

static int make_all(struct build *build, size_t total)
{
	struct config_whole *whole = build->whole;
	size_t stanzas = build->program_count;
	struct program_config **given;
	struct build_program *programs;
	int error = 0;

	programs = reallocarray(build->programs, total, sizeof(*programs));
	if (programs == NULL)
		return -ENOMEM;
	build->programs = programs;
	build->program_room = total;
	given = reallocarray(whole->config.programs, total + 1, sizeof(struct program_config *));
	if (given == NULL)
		return -ENOMEM;
	whole->config.programs = given;
	whole->models = calloc(stanzas, sizeof(*whole->models));
	if (whole->models == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < stanzas && error == 0; i++)
		if (build_count_rows(&programs[i]) > 1)
			error = multiply(build, &programs[i]);
	qsort(programs, build->program_count, sizeof(*programs), compare_names);
	for (size_t i = 0; i < build->program_count; i++)
		given[i] = programs[i].program;
	return error;
}

/* The first instance takes the place of the stanza.  All of them or none: a model must outlive
 * them. */
static int multiply(struct build *build, struct build_program *stanza)
{
	struct config_whole *whole = build->whole;
	struct program_config *model = stanza->program;
	struct program_config *copies[LIMIT_INSTANCES + LIMIT_SURGE];
	uint32_t made = 0, rows = build_count_rows(stanza);

	while (made < rows && (copies[made] = make_copy(build, stanza, made)) != NULL)
		made++;
	if (made < rows) {
		while (made > 0)
			free(copies[--made]);
		return -ENOMEM;
	}
	whole->models[whole->model_count++] = model;
	whole->config.programs[stanza - build->programs] = copies[0];
	stanza->program = copies[0];
	stanza->life = NULL;
	for (uint32_t i = 1; i < made; i++) {
		struct build_program *program = &build->programs[build->program_count++];

		*program = *stanza;
		program->program = copies[i];
		whole->config.programs[whole->config.program_count++] = copies[i];
	}
	return 0;
}

/* The instance of this index. */
static struct program_config *make_copy(
    struct build *build, const struct build_program *stanza, uint32_t index)
{
	struct program_config *copy = malloc(sizeof(*copy));
	char name[LIMIT_NAME];

	if (copy == NULL)
		return NULL;
	(void)snprintf(name, sizeof(name), stanza->instances == 1 && index == 0 ? "%s" : "%s@%u",
	    stanza->program->name, index + 1);
	*copy = *stanza->program;
	copy->model = stanza->program;
	copy->surge = index >= stanza->instances;
	copy->name = build_keep_name(build, name);
	if (copy->name == NULL) {
		free(copy);
		return NULL;
	}
	return copy;
}

static int compare_names(const void *a, const void *b)
{
	const struct build_program *x = a, *y = b;

	return strcmp(x->program->name, y->program->name);
}
