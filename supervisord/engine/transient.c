/* SPDX-License-Identifier: ISC */
/* transient.c: see transient.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/ownlog.h"
#include "lib/protocol.h"
#include "supervisord/engine/apply.h"
#include "supervisord/engine/confsource.h"
#include "supervisord/engine/confstamp.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/policy.h"
#include "supervisord/engine/transient.h"

/* After a try that failed. */
#define AGAIN_NS (5 * NS_PER_S)

static bool is_any(const struct config *config);
static int copy_transient(int applied, struct config_source **ret_sources, size_t *ret_count);
static bool has_run(const struct config_source *sources, size_t count, const char *program);
static void swap(struct config_source *a, struct config_source *b);
static int copy_rest(
    const struct engine *engine, struct config_source **ret_sources, size_t *ret_count);
static int applied_fd(const struct engine *engine);
static const char *program_of(const char *path);
static bool is_not_over(const struct engine *engine, const char *program);
static int64_t end_of_keeping(const struct program *program);
static bool has_ended_well(const struct program *program);
static int forget(struct engine *engine);
static void on_timer(struct timer *timer);

int transient_load_files(
    const struct engine *engine, struct config **ret_config, struct config_errors *errors)
{
	const bool any = engine->config != NULL && is_any(engine->config);
	struct confstamp *stamp = NULL;
	int error = transient_load_stamped(
	    engine->config_path, any ? applied_fd(engine) : -1, ret_config, errors, &stamp);

	if (error == 0)
		(*ret_config)->stamp = stamp;
	else
		confstamp_free(stamp);
	return error;
}

int transient_load_stamped(const char *path, int applied, struct config **ret_config,
    struct config_errors *errors, struct confstamp **ret_stamp)
{
	struct config_source *sources = NULL;
	size_t count = 0;
	int error = applied >= 0 ? copy_transient(applied, &sources, &count) : 0;

	if (error == 0)
		error = config_load_beside(path, sources, count, ret_config, errors, ret_stamp);
	confsource_free(sources, count);
	return error;
}

bool transient_review(struct engine *engine)
{
	struct transient *transient = &engine->transient;
	int64_t now_ns = clock_boot_ns(), next_ns = INT64_MAX;

	if (!transient->due || engine->shutdown || engine->safe_mode || engine->trial.active)
		return false;
	transient->due = false;
	timers_cancel(&engine->timers, &transient->timer);
	for (size_t i = 0; i < engine->program_count; i++) {
		int64_t end_ns = end_of_keeping(engine->programs[i]);

		if (end_ns < next_ns)
			next_ns = end_ns;
	}
	if (next_ns == INT64_MAX)
		return false;
	if (next_ns <= now_ns && forget(engine) == 0)
		return true;
	transient->timer.fire = on_timer;
	(void)timers_arm(
	    &engine->timers, &transient->timer, next_ns > now_ns ? next_ns : now_ns + AGAIN_NS);
	return false;
}

static bool is_any(const struct config *config)
{
	for (size_t i = 0; i < config->source_count; i++)
		if (strncmp(config->sources[i].path, CONFIG_RUN_PATH, strlen(CONFIG_RUN_PATH)) == 0)
			return true;
	return false;
}

/* What superctl set has said of one goes with it. */
static int copy_transient(int applied, struct config_source **ret_sources, size_t *ret_count)
{
	struct config_source *sources;
	size_t count, kept = 0;
	int error = confsource_read_applied(applied, &sources, &count);

	if (error < 0)
		return error;
	/* Those that are wanted to the front. */
	for (size_t i = 0; i < count; i++) {
		const char *program = program_of(sources[i].path);

		if (program == NULL || !has_run(sources, count, program))
			continue;
		swap(&sources[kept++], &sources[i]);
	}
	for (size_t i = kept; i < count; i++) {
		free(sources[i].path);
		free(sources[i].text);
	}
	*ret_sources = sources;
	*ret_count = kept;
	return 0;
}

static bool has_run(const struct config_source *sources, size_t count, const char *program)
{
	for (size_t i = 0; i < count; i++)
		if (strncmp(sources[i].path, CONFIG_RUN_PATH, strlen(CONFIG_RUN_PATH)) == 0 &&
		    strcmp(sources[i].path + strlen(CONFIG_RUN_PATH), program) == 0)
			return true;
	return false;
}

static void swap(struct config_source *a, struct config_source *b)
{
	const struct config_source other = *a;

	*a = *b;
	*b = other;
}

/* All that is applied but of those whose time is over. */
static int copy_rest(
    const struct engine *engine, struct config_source **ret_sources, size_t *ret_count)
{
	struct config_source *sources;
	size_t count, kept = 0;
	int error = confsource_read_applied(applied_fd(engine), &sources, &count);

	if (error < 0)
		return error;
	for (size_t i = 0; i < count; i++) {
		const char *program = program_of(sources[i].path);

		if (program == NULL || is_not_over(engine, program)) {
			sources[kept++] = sources[i];
		} else {
			free(sources[i].path);
			free(sources[i].text);
		}
	}
	*ret_sources = sources;
	*ret_count = kept;
	return 0;
}

static int applied_fd(const struct engine *engine)
{
	const struct slots *slots = &engine->slots;

	return slots_get_fd(slots, slots_find(slots, held_key(HELD_CONFIG, 0, 0)));
}

/* Whose source it is, where it is no file; or NULL. */
static const char *program_of(const char *path)
{
	if (strncmp(path, CONFIG_RUN_PATH, strlen(CONFIG_RUN_PATH)) == 0)
		return path + strlen(CONFIG_RUN_PATH);
	if (strncmp(path, CONFIG_SET_PATH, strlen(CONFIG_SET_PATH)) == 0)
		return path + strlen(CONFIG_SET_PATH);
	return NULL;
}

static bool is_not_over(const struct engine *engine, const char *program)
{
	const struct program *found = engine_find(engine, program);

	return found == NULL || end_of_keeping(found) > clock_boot_ns();
}

/* INT64_MAX: it is to stay; a companion goes with its program, however it is itself. */
static int64_t end_of_keeping(const struct program *program)
{
	if (program->removed || strchr(program_name(program), '+') != NULL ||
	    !config_is_transient(program->config) || program->config->instances > 1 ||
	    !has_ended_well(program))
		return INT64_MAX;
	return program_state(program)->since_ns + LIMIT_TRANSIENT_KEEP_NS;
}

/* By itself, or because somebody wanted it; or it was never begun. */
static bool has_ended_well(const struct program *program)
{
	const struct ledger_state *state = program_state(program);

	if (state->state == STATE_STOPPED)
		return true;
	return state->state == STATE_EXITED && !(state->flags & LEDGER_FLAG_FAILED) &&
	       policy_is_success(&program->config->key_success_exit, state->last_wstatus);
}

/* All whose time is over. */
static int forget(struct engine *engine)
{
	struct config_errors errors = {0};
	const struct apply_request request = {.uid = HISTORY_NO_UID, .errors = &errors};
	struct config_source *sources;
	struct config *config = NULL;
	size_t count;
	int error = copy_rest(engine, &sources, &count);

	if (error == 0)
		error = config_load_sources(sources, count, &config, &errors);
	if (error == 0) {
		error = apply_config(engine, &request, config);
		if (error < 0)
			config_free(config);
	}
	if (error < 0)
		log_warning("what superctl run started, and has ended, cannot be forgotten yet: %s",
		    errors.count > 0 ? errors.list[0].message : strerror(-error));
	config_errors_done(&errors);
	return error;
}

static void on_timer(struct timer *timer)
{
	struct transient *transient =
	    (struct transient *)(void *)((char *)timer - offsetof(struct transient, timer));

	transient->due = true;
}
