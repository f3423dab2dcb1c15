/* SPDX-License-Identifier: ISC */
/* retired.c: see retired.h. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "supervisord/engine/retired.h"
#include "supervisord/engine/words.h"

/* The two in one allocation; the strings are their own. */
struct retired {
	struct program_config config;
	struct life_config life;
};

static bool copy_order(struct retired *retired, const struct program_config *config);
static bool copy_surroundings(struct retired *retired, const struct program_config *config);
static bool copy_stop(struct retired *retired, const struct program_config *config);
static bool copy_log(struct retired *retired, const struct life_config *life);
static bool copy_stdio(struct stdio *copy, const struct stdio *stdio);
static bool copy_text(char **ret_copy, const char *text);
static bool copy_list(string_list *ret_copy, string_list list);
static size_t count_of(string_list list);

static const struct life_config unknown_life = {
    .key_ready_interval = 200 * NS_PER_MS,
    .key_hook_timeout = 30 * NS_PER_S,
    .key_log_mode = LOGSPEC_MODE,
};

const struct program_config retired_unknown = {
    .life = &unknown_life,
    .key_stop_signal = 15,
    .key_stop_timeout = 10 * NS_PER_S,
    .key_restart = RESTART_NEVER,
    /* Whatever it may still say goes where logs of its name go by default. */
    .key_stdout = {.kind = STDIO_LOG},
    .key_stderr = {.kind = STDIO_LOG},
    .key_log_max_size = 10 * 1000 * 1000,
    .key_log_keep = 5,
};

struct program_config *retired_new(const char *name, const struct program_config *config)
{
	struct retired *retired = calloc(1, sizeof(*retired));
	struct program_config *last;

	if (retired == NULL)
		return NULL;
	last = &retired->config;
	last->life = &retired->life;
	last->key_restart = RESTART_NEVER;
	last->key_stop_signal = config->key_stop_signal;
	last->key_stop_timeout = config->key_stop_timeout;
	last->key_log_max_size = config->key_log_max_size;
	last->key_log_keep = config->key_log_keep;
	last->key_umask = config->key_umask;
	last->surge = config->surge;
	retired->life.key_accept = config->life->key_accept; /* it is said by the log's name */
	if (copy_text(&last->name, name) && copy_order(retired, config) &&
	    copy_surroundings(retired, config) && copy_stop(retired, config) &&
	    copy_stdio(&last->key_stdout, &config->key_stdout) &&
	    copy_stdio(&last->key_stderr, &config->key_stderr) && copy_log(retired, config->life))
		return last;
	retired_free(last);
	return NULL;
}

void retired_free(struct program_config *config)
{
	struct retired *retired = (struct retired *)(void *)config; /* its first member */

	free(config->name);
	free(config->key_after);
	free(config->key_directory);
	free(config->key_user);
	free(config->key_group);
	free(config->key_environment);
	free(retired->life.key_before);
	free(retired->life.key_stop_command);
	free(retired->life.key_pre_stop);
	free(retired->life.key_post_stop);
	free(retired->life.key_log_file);
	free(retired->life.key_log_file_stderr);
	free(retired->life.key_log_user);
	free(retired->life.key_log_group);
	free(retired->life.key_syslog_tag);
	free(config->key_stdout.targets);
	free(config->key_stderr.targets);
	free(retired);
}

/* Whom it stops before, for whatever reason; nothing is required any more. */
static bool copy_order(struct retired *retired, const struct program_config *config)
{
	const string_list lists[] = {
	    config->key_after, config->life->key_requires, config->life->key_wants};
	size_t count = 0;
	const char **all;
	bool ok = true;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		count += count_of(lists[i]);
	if (count > 0) {
		all = calloc(count, sizeof(*all));
		if (all == NULL)
			return false;
		count = 0;
		for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
			for (size_t k = 0; lists[i] != NULL && lists[i][k] != NULL; k++)
				all[count++] = lists[i][k];
		retired->config.key_after = words_copy(all, count);
		ok = retired->config.key_after != NULL;
		free(all);
	}
	return ok && copy_list(&retired->life.key_before, config->life->key_before);
}

/* What the commands that stop it need. */
static bool copy_surroundings(struct retired *retired, const struct program_config *config)
{
	struct program_config *last = &retired->config;

	return copy_text(&last->key_directory, config->key_directory) &&
	       copy_text(&last->key_user, config->key_user) &&
	       copy_text(&last->key_group, config->key_group) &&
	       copy_list(&last->key_environment, config->key_environment);
}

static bool copy_stop(struct retired *retired, const struct program_config *config)
{
	struct life_config *life = &retired->life;

	life->key_type = config->life->key_type;
	/* What it waits for, it waits for at this pace. */
	life->key_ready_interval = config->life->key_ready_interval;
	life->key_kill_mode = config->life->key_kill_mode;
	life->key_stop_sequence = config->life->key_stop_sequence;
	life->key_hook_timeout = config->life->key_hook_timeout;
	/* It is told to disconnect. */
	life->key_cluster = config->life->key_cluster;
	life->key_cluster_gap = config->life->key_cluster_gap;
	return copy_list(&life->key_stop_command, config->life->key_stop_command) &&
	       copy_list(&life->key_pre_stop, config->life->key_pre_stop) &&
	       copy_list(&life->key_post_stop, config->life->key_post_stop);
}

/* Where it still writes, and as before. */
static bool copy_log(struct retired *retired, const struct life_config *life)
{
	struct life_config *last = &retired->life;

	last->key_log_rotate = life->key_log_rotate;
	last->key_log_max_age = life->key_log_max_age;
	last->key_log_total_size = life->key_log_total_size;
	last->key_log_compress = life->key_log_compress;
	last->key_log_mode = life->key_log_mode;
	last->key_log_format = life->key_log_format;
	last->key_log_line_max = life->key_log_line_max;
	last->key_log_full = life->key_log_full;
	last->key_syslog_facility = life->key_syslog_facility;
	return copy_text(&last->key_log_file, life->key_log_file) &&
	       copy_text(&last->key_log_file_stderr, life->key_log_file_stderr) &&
	       copy_text(&last->key_log_user, life->key_log_user) &&
	       copy_text(&last->key_log_group, life->key_log_group) &&
	       copy_text(&last->key_syslog_tag, life->key_syslog_tag);
}

static bool copy_stdio(struct stdio *copy, const struct stdio *stdio)
{
	/* What inherits our output is not opened again. */
	copy->kind =
	    stdio->kind == STDIO_LOG || stdio->kind == STDIO_INHERIT ? stdio->kind : STDIO_NULL;
	return copy_list(&copy->targets, stdio->targets);
}

static bool copy_text(char **ret_copy, const char *text)
{
	*ret_copy = text != NULL ? strdup(text) : NULL;
	return text == NULL || *ret_copy != NULL;
}

static bool copy_list(string_list *ret_copy, string_list list)
{
	*ret_copy = list != NULL ? words_copy((const char *const *)list, count_of(list)) : NULL;
	return list == NULL || *ret_copy != NULL;
}

static size_t count_of(string_list list)
{
	size_t count = 0;

	while (list != NULL && list[count] != NULL)
		count++;
	return count;
}
