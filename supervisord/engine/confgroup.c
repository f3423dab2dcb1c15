/* SPDX-License-Identifier: ISC */
/*
 * confgroup.c: groups come down to the programs in them, see confbuild.h.
 *
 * Afterwards nobody has to know that groups can contain groups.  Cycles are looked for first, so
 * that the walk down may be recursive.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "supervisord/engine/confbuild.h"
#include "supervisord/engine/confgraph.h"

struct flattener {
	struct build *build;
	bool *wanted;      /* a program: it is in the group at hand */
	unsigned *heights; /* of a group: levels of groups, it included; 0: not known yet */
};

static void report(struct build *build, const struct build_group *group, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int compare_groups(const void *a, const void *b);
static void refuse_doubles(struct build *build);
static int check_members(struct build *build, bool *ret_cyclic);
static int check_group(
    struct build *build, const struct build_group *group, struct confgraph *graph);
static const char *name_of(const void *context, uint32_t node);
static int flatten_all(struct build *build);
static int flatten(struct flattener *flattener, struct build_group *group);
static int collect(struct flattener *flattener, struct build_group *group);
static int give_groups(struct build *build);

int build_finish_groups(struct build *build)
{
	bool cyclic = false;
	int error;

	if (build->group_count == 0)
		return 0;
	qsort(build->groups, build->group_count, sizeof(*build->groups), compare_groups);
	refuse_doubles(build);
	if (build->group_count > LIMIT_GROUPS) {
		confreport_add(build->report, build_file(build, (struct build_place){0}), 0, NULL,
		    "%zu groups: at most %d are allowed", build->group_count, LIMIT_GROUPS);
		return 0;
	}
	error = check_members(build, &cyclic);
	if (error == 0 && !cyclic)
		error = flatten_all(build);
	return error < 0 ? error : give_groups(build);
}

struct build_group *build_find_group(const struct build *build, const char *name)
{
	size_t low = 0, high = build->group_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(build->groups[middle].name, name);

		if (order == 0)
			return &build->groups[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* At the members of a group. */
static void report(struct build *build, const struct build_group *group, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	confreport_add_list(build->report, build_file(build, group->place),
	    group->line > 0 ? group->line : group->place.line, group_rows[GROUP_members].name,
	    format, arguments);
	va_end(arguments);
}

/* By name, then in the order of reading. */
static int compare_groups(const void *a, const void *b)
{
	const struct build_group *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order != 0)
		return order;
	if (x->place.source != y->place.source)
		return x->place.source < y->place.source ? -1 : 1;
	return (x->place.line > y->place.line) - (x->place.line < y->place.line);
}

/* A name that two groups have, or a group and a program. */
static void refuse_doubles(struct build *build)
{
	size_t first_at = 0;

	for (size_t i = 0; i < build->group_count; i++) {
		const struct build_program *program = build_find(build, build->groups[i].name);
		const struct build_group *group = &build->groups[i], *first;

		if (strcmp(group->name, build->groups[first_at].name) != 0)
			first_at = i;
		first = &build->groups[first_at];
		if (first != group)
			confreport_add(build->report, build_file(build, group->place),
			    group->place.line, "group", "'%s' is already defined at %s:%d",
			    group->name, build_file(build, first->place), first->place.line);
		else if (program != NULL)
			confreport_add(build->report, build_file(build, group->place),
			    group->place.line, "group",
			    "'%s' is already the name of a program, defined at %s:%d", group->name,
			    build_file(build, program->place), program->place.line);
	}
}

static int check_members(struct build *build, bool *ret_cyclic)
{
	struct confgraph_cycle cycle = {0};
	struct confgraph graph = {0};
	int error = 0;

	for (size_t i = 0; i < build->group_count && error == 0; i++)
		error = check_group(build, &build->groups[i], &graph);
	if (error == 0)
		error = confgraph_find_cycle(&graph, build->group_count, name_of, build, &cycle);
	if (error == 0 && cycle.length > 0)
		report(build, &build->groups[cycle.path[0]], "%s: a group cannot contain itself",
		    cycle.text);
	*ret_cyclic = cycle.length > 0;
	confgraph_cycle_done(&cycle);
	confgraph_done(&graph);
	return error;
}

static int check_group(
    struct build *build, const struct build_group *group, struct confgraph *graph)
{
	int error = 0;

	/* Members that stood there and were refused have been reported. */
	if (group->members == NULL && !group->spoiled)
		report(build, group, "%s in group '%s': a group needs at least one member",
		    group->line > 0 ? "are none" : "are missing", group->name);
	for (size_t i = 0; group->members != NULL && group->members[i] != NULL && error == 0; i++) {
		const struct build_group *inner = build_find_group(build, group->members[i]);

		/* The key only says that all edges are alike. */
		if (inner != NULL)
			error = confgraph_add(graph, (uint32_t)(group - build->groups),
			    (uint32_t)(inner - build->groups), PROGRAM_after);
		else if (build_find(build, group->members[i]) == NULL && build->complete)
			report(
			    build, group, "there is no program or group '%s'", group->members[i]);
	}
	return error;
}

static const char *name_of(const void *context, uint32_t node)
{
	const struct build *build = context;

	return build->groups[node].name;
}

static int flatten_all(struct build *build)
{
	struct flattener flattener = {.build = build};
	int error = 0;

	flattener.wanted = calloc(build->program_count + 1, sizeof(*flattener.wanted));
	flattener.heights = calloc(build->group_count, sizeof(*flattener.heights));
	if (flattener.wanted == NULL || flattener.heights == NULL)
		error = -ENOMEM;
	for (size_t i = 0; i < build->group_count && error == 0; i++)
		error = flatten(&flattener, &build->groups[i]);
	free(flattener.wanted);
	free(flattener.heights);
	return error;
}

/* Those in it first.  There is no cycle, and so no deeper recursion than LIMIT_GROUPS. */
static int flatten(struct flattener *flattener, struct build_group *group)
{
	struct build *build = flattener->build;
	unsigned *height = &flattener->heights[group - build->groups];
	unsigned most = 0;
	int error = 0;

	if (*height > 0)
		return 0;
	for (size_t i = 0; group->members != NULL && group->members[i] != NULL && error == 0; i++) {
		struct build_group *inner = build_find_group(build, group->members[i]);

		if (inner == NULL)
			continue;
		error = flatten(flattener, inner);
		if (flattener->heights[inner - build->groups] > most)
			most = flattener->heights[inner - build->groups];
	}
	*height = most + 1;
	/* Once, and not again for each group around it. */
	if (*height == LIMIT_GROUP_DEPTH + 1)
		report(build, group,
		    "are nested too deeply: at most %d groups may be in one another",
		    LIMIT_GROUP_DEPTH);
	return error < 0 ? error : collect(flattener, group);
}

static int collect(struct flattener *flattener, struct build_group *group)
{
	struct build *build = flattener->build;
	uint32_t count = 0;

	memset(flattener->wanted, 0, build->program_count * sizeof(*flattener->wanted));
	for (size_t i = 0; group->members != NULL && group->members[i] != NULL; i++) {
		const struct build_program *program = build_find(build, group->members[i]);
		const struct build_group *inner = build_find_group(build, group->members[i]);

		if (program != NULL)
			flattener->wanted[program - build->programs] = true;
		for (uint32_t j = 0; inner != NULL && j < inner->count; j++)
			flattener->wanted[inner->programs[j]] = true;
	}
	for (size_t i = 0; i < build->program_count; i++)
		count += flattener->wanted[i];
	if (!build_count_links(build, count))
		return 0;
	group->programs = calloc(count + 1, sizeof(*group->programs));
	if (group->programs == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < build->program_count; i++)
		if (flattener->wanted[i])
			group->programs[group->count++] = (uint32_t)i;
	return 0;
}

/* The members' names are those of the programs, which live as long. */
static int give_groups(struct build *build)
{
	struct config *config = &build->whole->config;

	config->groups = calloc(build->group_count, sizeof(*config->groups));
	if (config->groups == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < build->group_count; i++) {
		const struct build_group *group = &build->groups[i];
		struct group_config *given = &config->groups[config->group_count];

		config->group_count++;
		given->name = strdup(group->name);
		given->members = calloc((size_t)group->count + 1, sizeof(*given->members));
		if (given->name == NULL || given->members == NULL)
			return -ENOMEM;
		for (uint32_t j = 0; j < group->count; j++)
			given->members[j] = build->programs[group->programs[j]].program->name;
	}
	return 0;
}
