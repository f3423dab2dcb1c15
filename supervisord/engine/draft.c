/* SPDX-License-Identifier: ISC */
/* draft.c: see draft.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/nearest.h"
#include "lib/protocol.h"
#include "supervisord/engine/confmix.h"
#include "supervisord/engine/confsource.h"
#include "supervisord/engine/draft.h"
#include "supervisord/engine/draftleft.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/transient.h"

/* Before the name of a socket in a scope; no name has a blank. */
#define SOCKET "socket "

/* The stanzas that names mean. */
struct scope {
	const struct config *configs[2]; /* applied, files */
	char **list;                     /* "web", "socket http"; ascending once it is complete */
	size_t count;
	size_t room;
	bool no_memory;
};

static bool is_everything(const struct draft_names *names);
static int find_scope(
    struct scope *scope, const struct draft_names *names, struct draft_problem *problem);
static bool add_name(struct scope *scope, const char *name);
static bool add_matches(struct scope *scope, const struct config *config, const char *name);
static void add(struct scope *scope, const char *name);
static void add_socket(struct scope *scope, const char *name);
static void put(struct scope *scope, const char *name);
static int add_sockets(struct scope *scope);
static int sort(struct scope *scope);
static bool has(const struct scope *scope, size_t count, const char *name);
static bool takes(const void *context, bool is_socket, const char *name);
static int compare_names(const void *a, const void *b);
static char *find_nearest(const struct scope *scope, const char *name);
static int mix(const struct engine *engine, const struct scope *scope, struct config **ret_config,
    struct draft_problem *problem);

int draft_from_files(const struct engine *engine, const struct draft_names *names,
    struct config **ret_config, struct draft_problem *problem)
{
	struct config *files;
	struct scope scope;
	int error;

	error = transient_load_files(engine, &files, &problem->errors);
	if (error < 0)
		return error;
	if (is_everything(names)) {
		*ret_config = files;
		return 0;
	}
	if (engine->config_lost) {
		config_free(files);
		return -ENODATA;
	}
	scope = (struct scope){.configs = {engine->config, files}};
	error = find_scope(&scope, names, problem);
	if (error == 0)
		error = add_sockets(&scope);
	if (error == 0)
		error = mix(engine, &scope, ret_config, problem);
	if (error == 0 && names->left != NULL)
		draftleft_write(*ret_config, files, names->left);
	for (size_t i = 0; i < scope.count; i++)
		free(scope.list[i]);
	free(scope.list);
	config_free(files);
	return error;
}

void draft_problem_done(struct draft_problem *problem)
{
	config_errors_done(&problem->errors);
	free(problem->nearest);
	*problem = (struct draft_problem){0};
}

static bool is_everything(const struct draft_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->list[i], "all") == 0)
			return true;
	return names->count == 0;
}

static int find_scope(
    struct scope *scope, const struct draft_names *names, struct draft_problem *problem)
{
	for (size_t i = 0; i < names->count; i++) {
		if (add_name(scope, names->list[i]))
			continue;
		problem->missing = names->list[i];
		problem->nearest = find_nearest(scope, names->list[i]);
		return -ENOENT;
	}
	return sort(scope);
}

/* What they use is taken with them where it is new: without it they would be refused. */
static int add_sockets(struct scope *scope)
{
	const struct config *applied = scope->configs[0], *files = scope->configs[1];
	const size_t named = scope->count; /* those are sorted */
	struct instname parts;

	for (size_t i = 0; i < files->program_count; i++) {
		const string_list sockets = files->programs[i]->life->key_sockets;

		instname_split(files->programs[i]->name, &parts);
		if (sockets == NULL || !has(scope, named, parts.program))
			continue;
		for (size_t k = 0; sockets[k] != NULL; k++)
			if (config_find_socket(applied, sockets[k]) == NULL)
				add_socket(scope, sockets[k]);
	}
	return sort(scope);
}

static int sort(struct scope *scope)
{
	if (scope->no_memory)
		return -ENOMEM;
	if (scope->count > 1)
		qsort(scope->list, scope->count, sizeof(*scope->list), compare_names);
	return 0;
}

static bool has(const struct scope *scope, size_t count, const char *name)
{
	return count > 0 &&
	       bsearch(&name, scope->list, count, sizeof(*scope->list), compare_names) != NULL;
}

/* What is in one of the two only is to be added or removed. */
static bool add_name(struct scope *scope, const char *name)
{
	bool found = false;

	for (size_t i = 0; i < 2; i++)
		found |= add_matches(scope, scope->configs[i], name);
	return found;
}

static bool add_matches(struct scope *scope, const struct config *config, const char *name)
{
	const struct group_config *group = config_find_group(config, name);
	bool glob = strpbrk(name, "*?[\\") != NULL, found = group != NULL;

	if (group != NULL)
		add(scope, group->name);
	for (size_t i = 0; group != NULL && group->members != NULL && group->members[i] != NULL;
	     i++)
		add(scope, group->members[i]);
	for (size_t i = 0; i < config->program_count; i++) {
		const char *instance = config->programs[i]->name;

		if (strcmp(name, instance) != 0 && !instname_is_of(instance, name) &&
		    !(glob && fnmatch(name, instance, 0) == 0))
			continue;
		/* In no file, so nothing newer of it can be taken from one. */
		if (!config_is_transient(config->programs[i]))
			add(scope, instance);
		found = true;
	}
	return found;
}

/* The stanza of an instance, or of a group. */
static void add(struct scope *scope, const char *name)
{
	struct instname parts;

	instname_split(name, &parts);
	put(scope, parts.program);
}

static void add_socket(struct scope *scope, const char *name)
{
	char key[LIMIT_NAME + sizeof(SOCKET)];

	(void)snprintf(key, sizeof(key), SOCKET "%s", name);
	put(scope, key);
}

static void put(struct scope *scope, const char *name)
{
	char *copy;

	if (scope->count == scope->room) {
		size_t room = scope->room == 0 ? 16 : scope->room * 2;
		char **list = realloc(scope->list, room * sizeof(*list));

		if (list == NULL) {
			scope->no_memory = true;
			return;
		}
		scope->list = list;
		scope->room = room;
	}
	copy = strdup(name);
	if (copy != NULL)
		scope->list[scope->count++] = copy;
	else
		scope->no_memory = true;
}

static bool takes(const void *context, bool is_socket, const char *name)
{
	const struct scope *scope = context;
	char key[LIMIT_NAME + sizeof(SOCKET)];

	if (!is_socket)
		return has(scope, scope->count, name);
	(void)snprintf(key, sizeof(key), SOCKET "%s", name);
	return has(scope, scope->count, key);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* To be freed; NULL: none. */
static char *find_nearest(const struct scope *scope, const char *name)
{
	size_t count = 0, room = 0;
	const char **names, *nearest;
	char *copy;

	for (size_t i = 0; i < 2; i++)
		room += scope->configs[i]->program_count + scope->configs[i]->group_count;
	names = calloc(room + 1, sizeof(*names));
	if (names == NULL)
		return NULL;
	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < scope->configs[i]->program_count; k++)
			names[count++] = scope->configs[i]->programs[k]->name;
		for (size_t k = 0; k < scope->configs[i]->group_count; k++)
			names[count++] = scope->configs[i]->groups[k].name;
	}
	nearest = nearest_find(name, names, count);
	copy = nearest != NULL ? strdup(nearest) : NULL;
	free(names);
	return copy;
}

static int mix(const struct engine *engine, const struct scope *scope, struct config **ret_config,
    struct draft_problem *problem)
{
	int fd =
	    slots_get_fd(&engine->slots, slots_find(&engine->slots, held_key(HELD_CONFIG, 0, 0)));
	const struct confmix_names names = {.takes = takes, .context = scope};
	const struct config *files = scope->configs[1];
	struct config_source *applied, *mixed;
	size_t applied_count, mixed_count;
	int error;

	error = confsource_read_applied(fd, &applied, &applied_count);
	if (error < 0)
		return error;
	error = confmix_make((struct confmix_text){applied, applied_count},
	    (struct confmix_text){files->sources, files->source_count}, &names, &mixed,
	    &mixed_count);
	confsource_free(applied, applied_count);
	if (error < 0)
		return error;
	if (mixed_count > LIMIT_CONFIG_FILES) {
		confsource_free(mixed, mixed_count);
		return -E2BIG;
	}
	return config_load_sources(mixed, mixed_count, ret_config, &problem->errors);
}
