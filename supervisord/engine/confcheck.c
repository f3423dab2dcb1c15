/* SPDX-License-Identifier: ISC */
/*
 * confcheck.c: checks of a configuration that span keys or programs, see confbuild.h.
 *
 * Programs are found by binary search and cycles by one walk over all edges, so that ten thousand
 * programs are checked in no time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/units.h"
#include "supervisord/engine/confbuild.h"
#include "supervisord/engine/ids.h"
#include "supervisord/engine/order.h"

/* Different users that are remembered; with more of them the oldest is looked up again. */
#define ID_CACHE 32
/* Programs named of a cycle. */
#define CYCLE_SHOWN 10

struct known_ids {
	const char *user;
	const char *group;
	const char *what;
	int result;
	bool told; /* an error in the defaults is reported once */
	bool used;
};

struct graph {
	struct order_edge *edges;
	size_t count;
	size_t room;
};

static void check_directory(struct build *build, const struct build_program *program);
static void check_delays(struct build *build, const struct build_program *program);
static int check_ids(struct build *build, const struct build_program *program,
    struct known_ids *cache, size_t *next);
static void report_ids(
    struct build *build, const struct build_program *program, const struct known_ids *ids);
static int check_after(
    struct build *build, const struct build_program *program, struct graph *graph);
static int check_stream(struct build *build, const struct build_program *program,
    enum program_key key, const struct stdio *stdio, struct graph *graph);
static int check_cycle(
    struct build *build, const struct graph *graph, enum program_key key, const char *what);
static int add_edge(struct build *build, struct graph *graph, const struct build_program *from,
    const struct build_program *to);

int build_check(struct build *build)
{
	struct graph order = {0}, streams = {0};
	struct known_ids cache[ID_CACHE] = {0};
	size_t next = 0;
	int error = 0;

	for (size_t i = 0; i < build->program_count && error == 0; i++) {
		const struct build_program *program = &build->programs[i];

		check_directory(build, program);
		check_delays(build, program);
		if (!build->applied)
			error = check_ids(build, program, cache, &next);
		if (error == 0)
			error = check_after(build, program, &order);
		if (error == 0)
			error = check_stream(build, program, PROGRAM_stdout,
			    &program->program->key_stdout, &streams);
		if (error == 0)
			error = check_stream(build, program, PROGRAM_stderr,
			    &program->program->key_stderr, &streams);
	}
	if (error == 0)
		error =
		    check_cycle(build, &order, PROGRAM_after, "a program cannot come after itself");
	if (error == 0)
		error = check_cycle(
		    build, &streams, PROGRAM_stdout, "a program cannot read what it has written");
	free(order.edges);
	free(streams.edges);
	return error;
}

static void check_directory(struct build *build, const struct build_program *program)
{
	const char *directory = program->program->key_directory;
	char quoted[CONFREPORT_QUOTE];

	if (directory != NULL && !build_is_absolute(directory))
		build_report(build, program, PROGRAM_directory,
		    "'%s' is not absolute: a path that begins with /, %%{home} or %%{run_dir} is "
		    "allowed",
		    confreport_quote(directory, quoted));
}

static void check_delays(struct build *build, const struct build_program *program)
{
	const struct program_config *config = program->program;
	char delay[64], most[64];

	if (config->key_restart_delay_max >= config->key_restart_delay)
		return;
	units_format_duration(config->key_restart_delay, delay, sizeof(delay));
	units_format_duration(config->key_restart_delay_max, most, sizeof(most));
	if (program->lines[PROGRAM_restart_delay_max] > 0 ||
	    program->lines[PROGRAM_restart_delay] == 0)
		build_report(build, program, PROGRAM_restart_delay_max,
		    "'%s' is less than restart_delay: at least %s is allowed", most, delay);
	else
		build_report(build, program, PROGRAM_restart_delay,
		    "'%s' is more than restart_delay_max: at most %s is allowed", delay, most);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static int check_ids(
    struct build *build, const struct build_program *program, struct known_ids *cache, size_t *next)
{
	const char *user = program->program->key_user, *group = program->program->key_group;
	struct known_ids *known = NULL;
	struct ids ids;
	bool own = program->lines[PROGRAM_user] > 0 || program->lines[PROGRAM_group] > 0;

	if (user == NULL && group == NULL)
		return 0;
	for (size_t i = 0; i < ID_CACHE && known == NULL; i++)
		if (cache[i].used && same_text(cache[i].user, user) &&
		    same_text(cache[i].group, group))
			known = &cache[i];
	if (known == NULL) {
		known = &cache[(*next)++ % ID_CACHE];
		*known = (struct known_ids){.user = user, .group = group, .used = true};
		known->result = ids_resolve(user, group, &ids, &known->what);
		if (known->result == 0)
			ids_done(&ids);
		if (known->result == -ENOMEM)
			return -ENOMEM;
	}
	if (known->result < 0 && (own || !known->told))
		report_ids(build, program, known);
	known->told = known->told || !own;
	return 0;
}

static void report_ids(
    struct build *build, const struct build_program *program, const struct known_ids *ids)
{
	bool is_group = strcmp(ids->what, "group") == 0;
	enum program_key key = is_group && ids->group != NULL ? PROGRAM_group : PROGRAM_user;
	const char *text = key == PROGRAM_group ? ids->group : ids->user;
	char quoted[CONFREPORT_QUOTE];

	confreport_quote(text != NULL ? text : "", quoted);
	if (ids->result == -EPERM)
		build_report(build, program, key,
		    "'%s' is somebody else: only root may run programs as another %s", quoted,
		    ids->what);
	else if (ids->result == -ENOENT && is_group && ids->group == NULL)
		build_report(build, program, key,
		    "'%s' has no entry in passwd(5) and so no login group: give a group too",
		    quoted);
	else if (ids->result == -ENOENT)
		build_report(build, program, key,
		    "'%s' does not exist: a %s of this system is allowed", quoted, ids->what);
	else
		build_report(build, program, key, "'%s' cannot be looked up: %s", quoted,
		    strerror(-ids->result));
}

static int check_after(
    struct build *build, const struct build_program *program, struct graph *graph)
{
	const string_list names = program->program->key_after;
	int error = 0;

	for (size_t i = 0; names != NULL && names[i] != NULL && error == 0; i++) {
		const struct build_program *other = build_find(build, names[i]);

		if (other != NULL)
			error = add_edge(build, graph, program, other);
		else if (build->complete)
			build_report(
			    build, program, PROGRAM_after, "there is no program '%s'", names[i]);
	}
	return error;
}

static int check_stream(struct build *build, const struct build_program *program,
    enum program_key key, const struct stdio *stdio, struct graph *graph)
{
	const struct build_program *reader;

	if (stdio->kind != STDIO_PROGRAM)
		return 0;
	reader = build_find(build, stdio->target);
	if (reader == NULL) {
		if (build->complete)
			build_report(
			    build, program, key, "there is no program '%s'", stdio->target);
		return 0;
	}
	if (reader->program->key_stdin.kind != STDIO_NULL) {
		struct build_place place = build->defaults[PROGRAM_stdin];

		if (reader->lines[PROGRAM_stdin] > 0)
			place = (struct build_place){
			    reader->place.source, reader->lines[PROGRAM_stdin]};
		build_report(build, program, key,
		    "program '%s' has a stdin of its own (%s:%d): only one whose stdin is null can "
		    "read a pipe",
		    stdio->target, build_file(build, place), place.line);
	}
	return add_edge(build, graph, program, reader);
}

static int check_cycle(
    struct build *build, const struct graph *graph, enum program_key key, const char *what)
{
	uint32_t *path;
	char *text = NULL;
	size_t size = 0;
	FILE *file;
	int length;

	if (graph->count == 0)
		return 0;
	path = calloc(build->program_count, sizeof(*path));
	if (path == NULL)
		return -ENOMEM;
	length = order_find_cycle(build->program_count, graph->edges, graph->count, path);
	if (length <= 0) {
		free(path);
		return length;
	}
	file = open_memstream(&text, &size);
	if (file != NULL) {
		for (int i = 0; i < length && i < CYCLE_SHOWN; i++)
			fprintf(file, "%s -> ", build->programs[path[i]].program->name);
		if (length > CYCLE_SHOWN)
			fputs("... -> ", file);
		fputs(build->programs[path[0]].program->name, file);
	}
	if (file == NULL || fclose(file) != 0) {
		free(text);
		free(path);
		return -ENOMEM;
	}
	build_report(build, &build->programs[path[0]], key, "%s: %s", text, what);
	free(text);
	free(path);
	return 0;
}

static int add_edge(struct build *build, struct graph *graph, const struct build_program *from,
    const struct build_program *to)
{
	if (graph->count == graph->room) {
		size_t room = graph->room == 0 ? 64 : graph->room * 2;
		struct order_edge *edges = realloc(graph->edges, room * sizeof(*edges));

		if (edges == NULL)
			return -ENOMEM;
		graph->edges = edges;
		graph->room = room;
	}
	graph->edges[graph->count++] =
	    (struct order_edge){.node = (uint32_t)(from - build->programs),
		.dependency = (uint32_t)(to - build->programs)};
	return 0;
}
