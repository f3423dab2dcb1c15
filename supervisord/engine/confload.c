/* SPDX-License-Identifier: ISC */
/*
 * confload.c: config_load(): from files to values, see config.h and confbuild.h.
 *
 * Each file is parsed on its own and then what it includes.  An error never ends the load, only
 * lack of memory does: the config that comes out of a load with errors is thrown away at its end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "supervisord/engine/conftake.h"

static int parse_sources(struct loader *loader);
static int loader_init(struct loader *loader, struct config_errors *errors);
static int loader_finish(struct loader *loader, int error, struct config **ret_config);
static int read_first(struct loader *loader, const char *path);
static int read_file(struct loader *loader, const char *path, struct build_place from);
static bool is_edited(const struct loader *loader, const char *path);
static bool find_source(struct loader *loader, struct confsource_id id, struct build_place from);
static void report_recursion(struct loader *loader, size_t first, struct build_place from);
static int add_source(
    struct loader *loader, char *path, char *text, size_t length, struct confsource_id id);
static int take_beside(struct loader *loader, const struct config_source *source);
static int parse_source(struct loader *loader, size_t source);
static int read_includes(
    struct loader *loader, size_t source, const string_list patterns, int line);
static int read_pattern(struct loader *loader, const char *pattern, struct build_place from);

int config_load(const char *path, struct config **ret_config, struct config_errors *errors)
{
	struct confstamp *stamp = NULL;
	int error = config_load_stamped(path, ret_config, errors, &stamp);

	if (error == 0)
		(*ret_config)->stamp = stamp;
	else
		confstamp_free(stamp);
	return error;
}

int config_load_stamped(const char *path, struct config **ret_config, struct config_errors *errors,
    struct confstamp **ret_stamp)
{
	return config_load_beside(path, NULL, 0, ret_config, errors, ret_stamp);
}

int config_load_beside(const char *path, const struct config_source *sources, size_t count,
    struct config **ret_config, struct config_errors *errors, struct confstamp **ret_stamp)
{
	struct loader loader;
	int error;

	error = loader_init(&loader, errors);
	if (error == 0)
		error = confstamp_new(ret_stamp);
	loader.stamp = *ret_stamp;
	if (error == 0)
		error = read_first(&loader, path);
	loader.stamp = NULL;
	for (size_t i = 0; i < count && error == 0; i++)
		error = take_beside(&loader, &sources[i]);
	return loader_finish(&loader, error, ret_config);
}

int config_load_files(const char *const *paths, size_t count, const struct config_instead *instead,
    struct config **ret_config, struct config_errors *errors)
{
	struct loader loader;
	int error;

	error = loader_init(&loader, errors);
	loader.instead = *instead;
	for (size_t i = 0; i < count && error == 0; i++)
		error = read_first(&loader, paths[i]);
	return loader_finish(&loader, error, ret_config);
}

int config_load_applied(int fd, struct config **ret_config, struct config_errors *errors)
{
	struct loader loader;
	struct config *config;
	int error;

	error = loader_init(&loader, errors);
	if (error < 0)
		return loader_finish(&loader, error, ret_config);
	loader.build.applied = true;
	config = &loader.build.whole->config;
	error = confsource_read_applied(fd, &config->sources, &config->source_count);
	if (error < 0 && error != -ENOMEM) {
		confreport_add(&loader.report, "applied configuration", 0, NULL,
		    "cannot be read: %s", strerror(-error));
		error = 0;
	}
	if (error == 0)
		error = parse_sources(&loader);
	return loader_finish(&loader, error, ret_config);
}

int config_load_sources(struct config_source *sources, size_t count, struct config **ret_config,
    struct config_errors *errors)
{
	struct loader loader;
	int error;

	error = loader_init(&loader, errors);
	if (error < 0) {
		confsource_free(sources, count);
	} else {
		loader.build.whole->config.sources = sources;
		loader.build.whole->config.source_count = count;
		error = parse_sources(&loader);
	}
	return loader_finish(&loader, error, ret_config);
}

/* In the order of reading, so that there is nothing left to include. */
static int parse_sources(struct loader *loader)
{
	int error = 0;

	for (size_t i = 0; i < loader->build.whole->config.source_count && error == 0; i++) {
		error = parse_source(loader, i);
		free(loader->include);
		loader->include = NULL;
	}
	return error;
}

static int loader_init(struct loader *loader, struct config_errors *errors)
{
	*loader = (struct loader){.report.errors = errors};
	loader->build.report = &loader->report;
	loader->build.complete = true;
	loader->build.whole = calloc(1, sizeof(*loader->build.whole));
	if (loader->build.whole == NULL)
		return -ENOMEM;
	loader->build.whole->base.life = &loader->build.whole->base_life;
	return 0;
}

static int loader_finish(struct loader *loader, int error, struct config **ret_config)
{
	struct build *build = &loader->build;

	if (error == 0 && build->whole->config.source_count > 0) {
		error = build_finish_settings(build);
		if (error == 0)
			error = build_finish_control(build);
		if (error == 0)
			error = build_finish_sockets(build);
		if (error == 0)
			error = build_finish_programs(build);
		if (error == 0)
			error = build_check(build);
		if (error == 0 && loader->report.errors->count == 0)
			error = build_add_clusters(build);
		if (error == 0 && loader->report.errors->count == 0)
			error = build_add_instances(build);
		if (error == 0 && loader->report.errors->count == 0)
			error = build_add_filters(build);
		if (error == 0 && loader->report.errors->count == 0)
			error = build_add_ttys(build);
		if (error == 0 && loader->report.errors->count == 0)
			error = build_hash(build);
		if (error == 0 && loader->report.errors->count == 0)
			error = build_pack(build);
	}
	if (error == 0 && loader->report.no_memory)
		error = -ENOMEM;
	if (error == 0 && loader->report.errors->count > 0) {
		confreport_sort(&loader->report);
		error = -EINVAL;
	}
	if (error == 0) {
		*ret_config = &build->whole->config;
		build->whole = NULL;
	}
	free(loader->ids);
	build_done(build);
	return error;
}

/* A file that no other one includes. */
static int read_first(struct loader *loader, const char *path)
{
	char *absolute = confsource_absolute(NULL, path);
	int error = absolute != NULL ? 0 : -ENOMEM;

	if (error == 0 && loader->stamp != NULL)
		error = confstamp_set_first(loader->stamp, absolute);
	if (error == 0)
		error = read_file(loader, absolute, (struct build_place){0});
	free(absolute);
	return error;
}

/* One that is no file. */
static int take_beside(struct loader *loader, const struct config_source *source)
{
	struct config_source copy;
	int error = confsource_copy(source->path, source->text, source->length, &copy);

	if (error == 0)
		error = add_source(
		    loader, copy.path, copy.text, copy.length, (struct confsource_id){0});
	if (error == -E2BIG) {
		confreport_add(&loader->report, source->path, 0, NULL,
		    "too much beside the files: at most %d files and %d bytes are allowed",
		    LIMIT_CONFIG_FILES, LIMIT_CONFIG_BYTES);
		return 0;
	}
	return error < 0 ? error
			 : parse_source(loader, loader->build.whole->config.source_count - 1);
}

/* `from`: the include that names it, line 0 for the first file. */
static int read_file(struct loader *loader, const char *path, struct build_place from)
{
	struct confsource_id id;
	char *text = NULL, *problem = NULL, *copy;
	size_t length;
	int error;

	error = confsource_read(
	    is_edited(loader, path) ? loader->instead.copy : path, &text, &length, &id, &problem);
	if (error == -EINVAL) {
		loader->build.complete = false;
		if (from.line > 0)
			confreport_add(&loader->report, build_file(&loader->build, from), from.line,
			    "include", "%s %s", path, problem);
		else
			confreport_add(&loader->report, path, 0, NULL, "%s", problem);
		free(problem);
		return 0;
	}
	if (error < 0)
		return error;
	if (find_source(loader, id, from)) {
		free(text);
		return 0;
	}
	copy = strdup(path);
	if (copy == NULL) {
		free(text);
		return -ENOMEM;
	}
	error = add_source(loader, copy, text, length, id);
	if (error == -E2BIG) {
		confreport_add(&loader->report, build_file(&loader->build, from), from.line,
		    "include", "too much to read: at most %d files and %d bytes are allowed",
		    LIMIT_CONFIG_FILES, LIMIT_CONFIG_BYTES);
		return 0;
	}
	if (error == 0)
		error = parse_source(loader, loader->build.whole->config.source_count - 1);
	if (error == 0) {
		string_list patterns = loader->include;

		loader->include = NULL;
		error = read_includes(loader, loader->source, patterns, loader->include_line);
		free(patterns);
	}
	free(loader->include);
	loader->include = NULL;
	return error;
}

static bool is_edited(const struct loader *loader, const char *path)
{
	return loader->instead.path != NULL && strcmp(loader->instead.path, path) == 0;
}

/* A file that two patterns name is read once; one that includes itself, also through others, is an
 * error. */
static bool find_source(struct loader *loader, struct confsource_id id, struct build_place from)
{
	for (size_t i = 0; i < loader->build.whole->config.source_count; i++) {
		if (loader->ids[i].device != id.device || loader->ids[i].inode != id.inode)
			continue;
		for (size_t j = 0; j < loader->depth; j++)
			if (loader->stack[j] == i)
				report_recursion(loader, j, from);
		return true;
	}
	return false;
}

static void report_recursion(struct loader *loader, size_t first, struct build_place from)
{
	const struct config_source *sources = loader->build.whole->config.sources;
	char *text = NULL;
	size_t size = 0;
	FILE *file;

	file = open_memstream(&text, &size);
	if (file == NULL) {
		loader->report.no_memory = true;
		return;
	}
	for (size_t i = first; i < loader->depth; i++)
		fprintf(file, "%s includes ", sources[loader->stack[i]].path);
	fputs(sources[loader->stack[first]].path, file);
	if (fclose(file) == 0)
		confreport_add(&loader->report, build_file(&loader->build, from), from.line,
		    "include", "recursive include: %s", text);
	else
		loader->report.no_memory = true;
	free(text);
}

/* Takes path and text in each case.  -E2BIG: beyond the limits. */
static int add_source(
    struct loader *loader, char *path, char *text, size_t length, struct confsource_id id)
{
	struct config *config = &loader->build.whole->config;
	int error = 0;

	if (config->source_count == LIMIT_CONFIG_FILES ||
	    loader->bytes + length > LIMIT_CONFIG_BYTES)
		error = -E2BIG;
	if (error == 0 && config->source_count == loader->source_room) {
		size_t room = loader->source_room == 0 ? 4 : loader->source_room * 2;
		struct config_source *sources = realloc(config->sources, room * sizeof(*sources));
		struct confsource_id *ids;

		if (sources != NULL)
			config->sources = sources;
		ids = realloc(loader->ids, room * sizeof(*ids));
		if (ids != NULL)
			loader->ids = ids;
		if (sources == NULL || ids == NULL)
			error = -ENOMEM;
		else
			loader->source_room = room;
	}
	if (error < 0) {
		free(path);
		free(text);
		return error;
	}
	loader->bytes += length;
	loader->ids[config->source_count] = id;
	if (loader->stamp != NULL)
		confstamp_add_file(loader->stamp, &id);
	config->sources[config->source_count++] =
	    (struct config_source){.path = path, .text = text, .length = length};
	return 0;
}

static int parse_source(struct loader *loader, size_t source)
{
	const struct config_source *file = &loader->build.whole->config.sources[source];
	struct parse_result result;
	int error;

	loader->source = source;
	error = parse_text(file->path, file->text, file->length, &loader->report, conftake_stanza,
	    loader, &result);
	if (error == 0 && !result.complete)
		loader->build.complete = false;
	return error;
}

static int read_includes(struct loader *loader, size_t source, const string_list patterns, int line)
{
	struct build_place from = {.source = source, .line = line};
	int error = 0;

	if (patterns == NULL)
		return 0;
	if (loader->depth == LIMIT_CONFIG_INCLUDES) {
		confreport_add(&loader->report, build_file(&loader->build, from), line, "include",
		    "too deep: at most %d files may include one another", LIMIT_CONFIG_INCLUDES);
		return 0;
	}
	loader->stack[loader->depth++] = source;
	for (size_t i = 0; patterns[i] != NULL && error == 0; i++)
		error = read_pattern(loader, patterns[i], from);
	loader->depth--;
	return error;
}

static int read_pattern(struct loader *loader, const char *pattern, struct build_place from)
{
	char **paths = NULL, *problem = NULL, *directory;
	size_t count = 0;
	int error;

	directory = confsource_directory(build_file(&loader->build, from));
	if (directory == NULL)
		return -ENOMEM;
	error =
	    loader->stamp != NULL ? confstamp_add_pattern(loader->stamp, directory, pattern) : 0;
	if (error == 0)
		error = confsource_expand(directory, pattern, &paths, &count, &problem);
	if (error == 0 && loader->instead.path != NULL)
		error = confsource_add(directory, pattern, loader->instead.path, &paths, &count);
	free(directory);
	if (error == -EINVAL) {
		loader->build.complete = false;
		confreport_add(&loader->report, build_file(&loader->build, from), from.line,
		    "include", "'%s': %s", pattern, problem);
		free(problem);
		return 0;
	}
	for (size_t i = 0; i < count && error == 0; i++)
		error = read_file(loader, paths[i], from);
	confsource_free_paths(paths, count);
	return error;
}
