/* SPDX-License-Identifier: ISC */
/*
 * config.c: the finished configuration: look-ups and the end of it.  How one is made: confload.c.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/confbuild.h"
#include "supervisord/engine/confsource.h"
#include "supervisord/engine/confstamp.h"
#include "supervisord/engine/expand.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/value.h"

void config_forget_text(struct config *config)
{
	for (size_t i = 0; i < config->source_count; i++) {
		free(config->sources[i].text);
		config->sources[i].text = NULL;
		config->sources[i].length = 0;
	}
}

void config_free(struct config *config)
{
	/* The first member of it, see confbuild.h. */
	struct config_whole *whole = (struct config_whole *)(void *)config;

	if (config == NULL)
		return;
	if (whole->pack != NULL)
		build_free_pack(whole);
	else
		for (size_t i = 0; i < config->program_count; i++)
			build_free_program(config->programs[i]);
	free(config->programs);
	for (size_t i = 0; i < whole->model_count; i++)
		build_free_program(whole->models[i]);
	free(whole->models);
	build_free_names(whole->names);
	for (size_t i = 0; i < config->group_count; i++) {
		free(config->groups[i].name);
		free(config->groups[i].members);
	}
	free(config->groups);
	for (size_t i = 0; i < config->socket_count; i++)
		build_free_socket(&config->sockets[i]);
	free(config->sockets);
	free(whole->overrides);
	for (size_t k = 0; k < PROGRAM_KEY_COUNT; k++)
		value_done(&program_rows[k],
		    program_rows[k].part == PART_LIFE
			? build_member(&whole->base_life, &program_rows[k])
			: build_member(&whole->base, &program_rows[k]),
		    NULL);
	for (size_t k = 0; k < SETTING_KEY_COUNT; k++)
		value_done(
		    &setting_rows[k], build_member(&config->settings, &setting_rows[k]), NULL);
	rights_done(&config->rights);
	confsource_free(config->sources, config->source_count);
	confstamp_free(config->stamp);
	free(whole);
}

int config_write_applied(const struct config *config, int *ret_fd)
{
	return confsource_write(config->sources, config->source_count, ret_fd);
}

const struct program_config *config_find_program(const struct config *config, const char *name)
{
	size_t low = 0, high = config->program_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(config->programs[middle]->name, name);

		if (order == 0)
			return config->programs[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct program_override *config_find_override(
    const struct program_config *program, uint32_t key)
{
	for (uint32_t i = 0; i < program->override_count; i++)
		if (program->overrides[i].key == key)
			return &program->overrides[i];
	return NULL;
}

bool config_is_transient(const struct program_config *program)
{
	return program->file != NULL &&
	       strncmp(program->file, CONFIG_RUN_PATH, strlen(CONFIG_RUN_PATH)) == 0;
}

bool config_is_set(const struct program_override *override)
{
	return strncmp(override->file, CONFIG_SET_PATH, strlen(CONFIG_SET_PATH)) == 0;
}

uint32_t config_count_instances(const struct config *config, const char *program)
{
	const struct program_config *found = config_find_program(config, program);
	char first[LIMIT_NAME];

	if (found == NULL && instname_other(program, first))
		found = config_find_program(config, first);
	return found != NULL ? found->instances : 0;
}

const struct group_config *config_find_group(const struct config *config, const char *name)
{
	size_t low = 0, high = config->group_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(config->groups[middle].name, name);

		if (order == 0)
			return &config->groups[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct socket_config *config_find_socket(const struct config *config, const char *name)
{
	size_t low = 0, high = config->socket_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(config->sockets[middle].name, name);

		if (order == 0)
			return &config->sockets[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

char *config_log_path(const struct config *config, const struct program_config *program, int stream)
{
	const char *file =
	    stream == 1 ? program->life->key_log_file_stderr : program->life->key_log_file;
	const char *directory = config->settings.key_log_dir;
	struct instname parts;
	struct expand_words words = {
	    .name = program->name,
	    .program = parts.program,
	    .instance = parts.number,
	    /* Refused by the check of the configuration: nobody is looked up for a log file. */
	    .user = "",
	    .home = "",
	    .run_dir = config->settings.key_run_dir,
	};
	char *expanded, *path;
	int length;

	instname_split(program->name, &parts);
	if (file == NULL) {
		/* The connections of a program have one log. */
		length = asprintf(&path, "%s/%s%s.log", directory,
		    program->life->key_accept ? parts.program : program->name,
		    stream == 1 ? ".err" : "");
		return length < 0 ? NULL : path;
	}
	if (expand_string(file, &words, &expanded) < 0)
		return NULL;
	if (expanded[0] == '/')
		return expanded;
	length = asprintf(&path, "%s/%s", directory, expanded);
	free(expanded);
	return length < 0 ? NULL : path;
}
