/* SPDX-License-Identifier: ISC */
/*
 * confdepend.c: the lists in which programs name others, see confbuild.h: groups in them become
 * their members, and then what is asked of each other program is checked.
 *
 * A list without a group stays as it was written.  One of the defaults is taken apart once and
 * shared; a program that is in it itself gets a copy without itself.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/confbuild.h"
#include "supervisord/engine/confgraph.h"
#include "supervisord/engine/depend.h"

/* In `seen`, beside a bit a condition: the program is listed by its own name. */
#define BY_NAME 0x80

/* One program of a list. */
struct item {
	const char *name; /* the program's own string */
	const char *rest; /* "@2:ready" behind the name as it was written, or "" */
};

/* A list while its groups are taken apart. */
struct expansion {
	struct build *build;
	const struct build_program *owner; /* NULL: the defaults */
	enum program_key key;
	bool groups;   /* there are some */
	uint8_t *seen; /* of each program */
	struct item *items;
	size_t count;
	size_t room;
};

static void report(const struct expansion *expansion, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int expand(struct expansion *expansion, const string_list written, string_list *ret_list);
static int look_up(struct expansion *expansion, const char *text);
static int add_group(
    struct expansion *expansion, const struct build_group *group, const char *text, size_t length);
static int add_item(struct expansion *expansion, const struct item *item);
static int make_list(const struct expansion *expansion, string_list *ret_list);
static int replace_list(
    struct build *build, struct build_program *program, enum program_key key, string_list list);
static int leave_out(struct build *build, struct build_program *program, enum program_key key);
static int check_program(
    struct build *build, const struct build_program *program, struct confgraph *order);
static int check_list(struct build *build, const struct build_program *program,
    enum program_key key, struct confgraph *order);
static void check_condition(struct build *build, const struct build_program *program,
    enum program_key key, const struct build_program *first, const char *text);
static void check_on_failure(struct build *build, const struct build_program *program);
static int check_cycle(struct build *build, const struct confgraph *order, bool *ret_found);
static int check_failures(struct build *build);
static int add_failure(
    struct build *build, const struct build_program *program, struct confgraph *starts);
static int add_pulled(struct build *build, const struct build_program *program,
    enum program_key key, struct confgraph *starts);

static const enum program_key name_keys[] = {
    PROGRAM_requires, PROGRAM_wants, PROGRAM_after, PROGRAM_before, PROGRAM_conflicts};
#define NAME_KEY_COUNT (sizeof(name_keys) / sizeof(name_keys[0]))

/* "NAME:CONDITION" has passed depend_parse() when it was read. */
static enum depend_condition split(const char *text, size_t *ret_length)
{
	enum depend_condition condition = DEPEND_DEFAULT;

	*ret_length = 0;
	(void)depend_parse(text, ret_length, &condition);
	return condition;
}

/* The whole program, also where one instance of it is named. */
static const struct build_program *find_program(
    const struct build *build, const char *text, size_t length)
{
	uint32_t number;

	return build_find_named(build, text, length, &number);
}

static const struct build_group *find_group(
    const struct build *build, const char *text, size_t length)
{
	char name[LIMIT_NAME];

	if (build->group_count == 0 || length >= sizeof(name))
		return NULL;
	memcpy(name, text, length);
	name[length] = '\0';
	return build_find_group(build, name);
}

/* ---- groups in lists ------------------------------------------------------------------------- */

int build_expand_defaults(struct build *build)
{
	int error = 0;

	for (size_t i = 0; i < NAME_KEY_COUNT && error == 0; i++) {
		const struct key_row *row = &program_rows[name_keys[i]];
		string_list *list = build_base_member(build, row), expanded = NULL;
		struct expansion expansion = {.build = build, .key = name_keys[i]};

		if (*list == NULL)
			continue;
		error = expand(&expansion, *list, &expanded);
		if (expanded != NULL) {
			free(*list);
			*list = expanded;
		}
	}
	return error;
}

int build_expand_program(struct build *build, struct build_program *program)
{
	int error = 0;

	for (size_t i = 0; i < NAME_KEY_COUNT && error == 0; i++) {
		const struct key_row *row = &program_rows[name_keys[i]];
		const string_list *list = build_program_member(build, program, row);
		struct expansion expansion = {
		    .build = build, .owner = program, .key = name_keys[i]};
		string_list expanded = NULL;

		if (*list == NULL)
			continue;
		if (program->lines[name_keys[i]] == 0) {
			error = leave_out(build, program, name_keys[i]);
			continue;
		}
		error = expand(&expansion, *list, &expanded);
		if (expanded != NULL)
			error = replace_list(build, program, name_keys[i], expanded);
	}
	return error;
}

/* Takes `list`. */
static int replace_list(
    struct build *build, struct build_program *program, enum program_key key, string_list list)
{
	int error = build_replace(build, program, &program_rows[key], &list);

	if (error < 0)
		free(list);
	return error;
}

/* At the list that is taken apart. */
static void report(const struct expansion *expansion, const char *format, ...)
{
	struct build *build = expansion->build;
	struct build_place place = build->defaults[expansion->key];
	char *message;
	va_list arguments;

	va_start(arguments, format);
	message = confreport_message(build->report, format, arguments);
	va_end(arguments);
	if (message != NULL && expansion->owner != NULL)
		build_report(build, expansion->owner, expansion->key, "%s", message);
	else if (message != NULL)
		confreport_add(build->report, build_file(build, place), place.line,
		    program_rows[expansion->key].name, "%s", message);
	free(message);
}

/* Gives no list when the written one can stay. */
static int expand(struct expansion *expansion, const string_list written, string_list *ret_list)
{
	const struct build *build = expansion->build;
	int error = 0;

	expansion->seen = calloc(build->program_count + 1, sizeof(*expansion->seen));
	if (expansion->seen == NULL)
		return -ENOMEM;
	for (size_t i = 0; written[i] != NULL && error == 0; i++)
		error = look_up(expansion, written[i]);
	for (size_t i = 0; expansion->groups && written[i] != NULL && error == 0; i++) {
		size_t length;
		const struct build_program *program;
		const struct build_group *group;

		split(written[i], &length);
		program = find_program(build, written[i], length);
		group = find_group(build, written[i], length);
		if (program != NULL && program != expansion->owner)
			error =
			    add_item(expansion, &(struct item){program->program->name,
						    written[i] + strlen(program->program->name)});
		else if (program == NULL && group != NULL)
			error = add_group(expansion, group, written[i], length);
	}
	if (error == 0 && expansion->groups)
		error = make_list(expansion, ret_list);
	free(expansion->seen);
	free(expansion->items);
	return error;
}

/* Does it exist, and may it stand here? */
static int look_up(struct expansion *expansion, const char *text)
{
	const struct build *build = expansion->build;
	const struct build_program *program;
	size_t length;

	split(text, &length);
	program = find_program(build, text, length);
	if (program != NULL && program == expansion->owner)
		report(expansion, "'%.*s' is this program itself: others are allowed", (int)length,
		    text);
	else if (program != NULL)
		expansion->seen[program - build->programs] = BY_NAME;
	else if (find_group(build, text, length) != NULL)
		expansion->groups = true;
	else if (build->complete)
		report(expansion, "there is no program or group '%.*s'", (int)length, text);
	return 0;
}

/* A program that the list names itself is meant as it says there. */
static int add_group(
    struct expansion *expansion, const struct build_group *group, const char *text, size_t length)
{
	const struct build *build = expansion->build;
	uint8_t bit = (uint8_t)(1u << split(text, &length));
	int error = 0;

	if (!build_count_links(expansion->build, group->count))
		return 0;
	for (uint32_t i = 0; i < group->count && error == 0; i++) {
		const struct build_program *member = &build->programs[group->programs[i]];
		uint8_t *seen = &expansion->seen[group->programs[i]];

		if (member == expansion->owner || (*seen & (BY_NAME | bit)) != 0)
			continue;
		*seen |= bit;
		error = add_item(expansion, &(struct item){member->program->name, text + length});
	}
	return error;
}

static int add_item(struct expansion *expansion, const struct item *item)
{
	if (expansion->count == expansion->room) {
		size_t room = expansion->room == 0 ? 16 : expansion->room * 2;
		struct item *items = realloc(expansion->items, room * sizeof(*items));

		if (items == NULL)
			return -ENOMEM;
		expansion->items = items;
		expansion->room = room;
	}
	expansion->items[expansion->count++] = *item;
	return 0;
}

/* One allocation; what has no condition is the program's own name, which lives as long. */
static int make_list(const struct expansion *expansion, string_list *ret_list)
{
	size_t bytes = 0, room;
	string_list list;
	char *at;

	for (size_t i = 0; i < expansion->count; i++)
		if (expansion->items[i].rest[0] != '\0')
			bytes +=
			    strlen(expansion->items[i].name) + strlen(expansion->items[i].rest) + 1;
	list = malloc((expansion->count + 1) * sizeof(*list) + bytes);
	if (list == NULL)
		return -ENOMEM;
	at = (char *)(list + expansion->count + 1);
	for (size_t i = 0; i < expansion->count; i++) {
		const struct item *item = &expansion->items[i];

		if (item->rest[0] == '\0') {
			list[i] = (char *)(uintptr_t)item->name;
			continue;
		}
		room = strlen(item->name) + strlen(item->rest) + 1;
		snprintf(at, room, "%s%s", item->name, item->rest);
		list[i] = at;
		at += room;
	}
	list[expansion->count] = NULL;
	*ret_list = list;
	return 0;
}

/* The list is that of the defaults: if the program is in it, a copy without it. */
static int leave_out(struct build *build, struct build_program *program, enum program_key key)
{
	const struct key_row *row = &program_rows[key];
	const string_list list = *(const string_list *)build_program_member(build, program, row);
	struct expansion expansion = {.build = build, .owner = program, .key = key};
	string_list copy = NULL;
	bool found = false;
	size_t count = 0;
	int error = 0;

	for (; list[count] != NULL; count++) {
		size_t length;

		split(list[count], &length);
		found = found || find_program(build, list[count], length) == program;
	}
	if (!build_count_links(build, count) || !found)
		return 0;
	for (size_t i = 0; i < count && error == 0; i++) {
		const struct build_program *other;
		size_t length;

		split(list[i], &length);
		other = find_program(build, list[i], length);
		if (other != NULL && other != program)
			error = add_item(&expansion, &(struct item){other->program->name,
							 list[i] + strlen(other->program->name)});
	}
	if (error == 0)
		error = make_list(&expansion, &copy);
	free(expansion.items);
	return error < 0 ? error : replace_list(build, program, key, copy);
}

/* ---- checks ---------------------------------------------------------------------------------- */

int build_check_links(struct build *build)
{
	struct confgraph order = {0};
	bool cycle = false;
	int error = 0;

	if (build->links_told)
		return 0;
	for (size_t i = 0; i < build->program_count && error == 0; i++)
		error = check_program(build, &build->programs[i], &order);
	if (error == 0)
		error = check_cycle(build, &order, &cycle);
	if (error == 0 && !cycle)
		error = check_failures(build);
	if (error == 0)
		error = build_check_conflicts(build, &order);
	confgraph_done(&order);
	return error;
}

static int check_program(
    struct build *build, const struct build_program *program, struct confgraph *order)
{
	int error = 0;

	check_on_failure(build, program);
	for (size_t i = 0; i < NAME_KEY_COUNT && error == 0; i++)
		if (name_keys[i] != PROGRAM_conflicts)
			error = check_list(build, program, name_keys[i], order);
	return error;
}

static int check_list(struct build *build, const struct build_program *program,
    enum program_key key, struct confgraph *order)
{
	const string_list names =
	    *(const string_list *)build_program_member(build, program, &program_rows[key]);
	int error = 0;

	for (size_t i = 0; names != NULL && names[i] != NULL && error == 0; i++) {
		const struct build_program *first, *last;
		size_t length;

		split(names[i], &length);
		first = find_program(build, names[i], length);
		last = program;
		/* What is not there, or is the program itself, has been told. */
		if (first == NULL || first == program)
			continue;
		if (key == PROGRAM_before) {
			last = first;
			first = program;
		}
		check_condition(build, program, key, first, names[i]);
		error = confgraph_add(order, (uint32_t)(last - build->programs),
		    (uint32_t)(first - build->programs), key);
	}
	return error;
}

/* Can `first` ever be what is asked of it? */
static void check_condition(struct build *build, const struct build_program *program,
    enum program_key key, const struct build_program *first, const char *text)
{
	const struct program_config *config = first->program;
	size_t length;

	if (config->life->key_accept && (key == PROGRAM_requires || key == PROGRAM_wants)) {
		build_report(build, program, key,
		    "'%s': program '%s' has accept = true, so it only runs while somebody is "
		    "connected: after is allowed",
		    text, config->name);
		return;
	}
	switch (split(text, &length)) {
	case DEPEND_DEFAULT:
	case DEPEND_STARTED:
	case DEPEND_READY:
		break;
	case DEPEND_HEALTHY:
		if (config->life->key_health_check.kind == CHECK_NONE)
			build_report(build, program, key,
			    "'%s': program '%s' has no health check: give it a section health { "
			    "check = ... }, or ask for ready",
			    text, config->name);
		break;
	case DEPEND_COMPLETED:
		if (config->key_restart == RESTART_ALWAYS)
			build_report(build, program, key,
			    "'%s': program '%s' is started again whenever it ends: give it another "
			    "restart than always, or ask for ready",
			    text, config->name);
		else if (config->life->key_start == START_ON_DEMAND)
			build_report(build, program, key,
			    "'%s': program '%s' waits for the next connection whenever it ends: "
			    "start = \"now\" is needed, or ask for ready",
			    text, config->name);
		break;
	}
}

static void check_on_failure(struct build *build, const struct build_program *program)
{
	const char *name = program->program->life->key_on_failure.name;
	const struct build_program *other;

	if (name == NULL)
		return;
	other = find_program(build, name, strlen(name));
	if (other == program)
		build_report(build, program, PROGRAM_on_failure,
		    "'start:%s' is this program itself: retry:DURATION starts it again", name);
	else if (other == NULL && build_find_group(build, name) == NULL && build->complete)
		build_report(
		    build, program, PROGRAM_on_failure, "there is no program or group '%s'", name);
}

static int check_cycle(struct build *build, const struct confgraph *order, bool *ret_found)
{
	const struct build_program *writer;
	struct confgraph_cycle cycle;
	int error;

	error = confgraph_find_cycle(order, build->program_count, build_name_of, build, &cycle);
	if (error < 0 || cycle.length == 0)
		return error;
	/* What comes after another one by its `before` does not say so itself. */
	writer = &build->programs[cycle.path[cycle.key == PROGRAM_before ? 1 : 0]];
	build_report(
	    build, writer, cycle.key, "%s: a program cannot come after itself", cycle.text);
	confgraph_cycle_done(&cycle);
	*ret_found = true;
	return 0;
}

/*
 * Who is started by on_failure begins anew, without a delay and with all its starts; so are those
 * that it brings.  In a circle that would never end.  One of requires and wants alone has been
 * told.
 */
static int check_failures(struct build *build)
{
	struct confgraph starts = {0};
	struct confgraph_cycle cycle = {0};
	int error = 0;

	for (size_t i = 0; i < build->program_count && error == 0; i++)
		error = add_failure(build, &build->programs[i], &starts);
	for (size_t i = 0; starts.count > 0 && i < build->program_count && error == 0; i++) {
		error = add_pulled(build, &build->programs[i], PROGRAM_requires, &starts);
		if (error == 0)
			error = add_pulled(build, &build->programs[i], PROGRAM_wants, &starts);
	}
	if (error == 0)
		error = confgraph_find_cycle(
		    &starts, build->program_count, build_name_of, build, &cycle);
	if (cycle.length > 0)
		build_report(build, &build->programs[cycle.path[0]], cycle.key,
		    "%s: they would start each other without end: retry:DURATION tries again after "
		    "a while",
		    cycle.text);
	confgraph_cycle_done(&cycle);
	confgraph_done(&starts);
	return error;
}

static int add_failure(
    struct build *build, const struct build_program *program, struct confgraph *starts)
{
	const char *name = program->program->life->key_on_failure.name;
	const struct build_program *other =
	    name != NULL ? find_program(build, name, strlen(name)) : NULL;
	const struct build_group *group = name != NULL ? build_find_group(build, name) : NULL;
	uint32_t node = (uint32_t)(program - build->programs);
	int error = 0;

	if (other != NULL && other != program)
		return confgraph_add(
		    starts, node, (uint32_t)(other - build->programs), PROGRAM_on_failure);
	for (uint32_t i = 0; group != NULL && i < group->count && error == 0; i++)
		if (group->programs[i] != node)
			error = confgraph_add(starts, node, group->programs[i], PROGRAM_on_failure);
	return error;
}

static int add_pulled(struct build *build, const struct build_program *program,
    enum program_key key, struct confgraph *starts)
{
	const string_list names =
	    *(const string_list *)build_program_member(build, program, &program_rows[key]);
	int error = 0;

	for (size_t i = 0; names != NULL && names[i] != NULL && error == 0; i++) {
		const struct build_program *other;
		size_t length;

		split(names[i], &length);
		other = find_program(build, names[i], length);
		if (other != NULL && other != program)
			error = confgraph_add(starts, (uint32_t)(program - build->programs),
			    (uint32_t)(other - build->programs), key);
	}
	return error;
}
