/* SPDX-License-Identifier: ISC */
/* apply.c: see apply.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/logspec.h"
#include "lib/ownlog.h"
#include "supervisord/engine/apply.h"
#include "supervisord/engine/boot.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/laststate.h"
#include "supervisord/engine/notify.h"
#include "supervisord/engine/op.h"
#include "supervisord/engine/readiness.h"
#include "supervisord/engine/retired.h"

/* Of the daemon's own log, which no stanza describes. */
#define OWN_LOG_MAX_BYTES (10 * 1000 * 1000)
#define OWN_LOG_KEEP      5

#define STEP_REASON 256

/* One apply while it runs. */
struct apply {
	struct engine *engine;
	struct op *op;
	struct jsonw steps;
	char changed[STEP_REASON]; /* keys of the program at hand that differ */
};

static void leave_safe_mode(struct engine *engine);
static int adopt_rows(struct engine *engine, const struct config *config);
static void adopt_slots(struct engine *engine);
static void adopt_slot(struct program *program, uint64_t key, int slot);
static int adopt_tasks(struct engine *engine, uint32_t high);
static int commit(struct apply *apply, struct config *config);
static int hold_config(struct engine *engine, const struct config *config);
static int retire(struct program *program);
static void switch_configs(struct apply *apply, const struct config *config);
static void note_settings(
    struct apply *apply, const struct settings *old, const struct settings *new);
static void note_changed(void *context, const char *key, enum change_class change);
static int add_new(struct apply *apply, const struct config *config, bool start);
static void recall(
    const struct config *config, const char *name, bool *wanted, enum reason *reason);
static int hold_log_specs(struct engine *engine);
static size_t add_log_specs(
    struct engine *engine, const struct program *program, struct logspec *specs);
static void act(struct apply *apply);
static bool is_outdated(const struct program *program);
static void act_on(struct apply *apply, struct program *program);
static void add_step(struct apply *apply, const char *name, const char *action, const char *reason);
static void watch(struct apply *apply, struct program *program, enum op_goal goal);

int apply_files(struct engine *engine, struct op *op, struct config_errors *errors)
{
	struct apply apply = {.engine = engine, .op = op};
	struct config *config;
	int error;

	error = config_load(engine->config_path, &config, errors);
	if (error < 0)
		return error;
	if (strcmp(config->settings.key_run_dir, engine->config->settings.key_run_dir) != 0)
		log_warning("run_dir changed: it takes effect at the next start of supervisord");
	(void)boot_take_run_dir(engine, engine->config->settings.key_run_dir);
	if (engine->safe_mode)
		leave_safe_mode(engine);
	jsonw_init(&apply.steps, LIMIT_CONTROL_QUEUE);
	jsonw_key(&apply.steps, "steps");
	jsonw_begin_array(&apply.steps);
	error = commit(&apply, config);
	jsonw_end_array(&apply.steps);
	if (error < 0)
		config_free(config);
	else if (op != NULL)
		op_set_extra(op, &apply.steps);
	jsonw_done(&apply.steps);
	return error;
}

int apply_first(struct engine *engine, struct config *config)
{
	struct apply apply = {.engine = engine};
	int error;

	jsonw_init(&apply.steps, LIMIT_CONTROL_QUEUE);
	error = adopt_rows(engine, config);
	if (error == 0)
		error = commit(&apply, config);
	jsonw_done(&apply.steps);
	return error;
}

static void leave_safe_mode(struct engine *engine)
{
	engine->safe_mode = engine->config_lost = false;
	log_notice("safe mode is over");
	engine_tell_ready(engine);
	/* What ended meanwhile: on_failure and essential have waited. */
	for (size_t i = 0; i < engine->program_count; i++)
		if (program_state(engine->programs[i])->flags & LEDGER_FLAG_OWED)
			program_defer(engine->programs[i], PENDING_OWED);
}

/* A row without a stanza is of a program whose removal the last engine did not live to finish. */
static int adopt_rows(struct engine *engine, const struct config *config)
{
	uint32_t high = atomic_load(&engine->ledger->header.rows_high);

	for (uint32_t row = 0; row < high; row++) {
		const char *name = engine->ledger->table[row].name;
		const struct program_config *stanza;
		struct program *program;
		int error;

		if (name[0] == '\0' || engine->ledger->table[row].owner.row != 0)
			continue;
		stanza = config_find_program(config, name);
		error = program_adopt(
		    engine, stanza != NULL ? stanza : &retired_unknown, (int)row, &program);
		if (error == 0 && stanza == NULL) {
			error = retire(program);
			program->removed = !engine->config_lost;
		}
		if (error == 0)
			error = engine_add(engine, program);
		if (error < 0)
			return error;
	}
	adopt_slots(engine);
	return adopt_tasks(engine, high);
}

static void adopt_slots(struct engine *engine)
{
	for (size_t slot = HELD_SINGLE_MAX; slot < engine->slots.count; slot++) {
		uint64_t key = engine->slots.list[slot].key;
		struct program *program =
		    key != 0 ? engine_program_of_row(engine, (int)held_key_row(key)) : NULL;

		if (engine->slots.list[slot].draining)
			continue;
		if (program == NULL)
			slots_release(&engine->slots, (int)slot);
		else
			adopt_slot(program, key, (int)slot);
		if (held_key_kind(key) == HELD_LOG_READ)
			slots_forget_fd(&engine->slots, (int)slot);
	}
}

static void adopt_slot(struct program *program, uint64_t key, int slot)
{
	switch (held_key_kind(key)) {
	case HELD_NOTIFY:
	case HELD_STORE:
	case HELD_STORE_NAMES:
		notify_adopt(program, key, slot);
		break;
	case HELD_READY_READ:
		readiness_adopt(program, slot);
		break;
	case HELD_LOG_READ:
	case HELD_LOG_WRITE:
	case HELD_STDIN_READ:
	case HELD_STDIN_WRITE:
		streams_adopt(&program->streams, key, slot);
		break;
	case HELD_NONE:
	case HELD_LOCK:
	case HELD_CONTROL:
	case HELD_CONFIG:
	case HELD_LOG_SPECS:
	case HELD_OWN_READ:
	case HELD_OWN_WRITE:
		break;
	}
}

/* Commands that were running for programs: they look at their programs, so those come first. */
static int adopt_tasks(struct engine *engine, uint32_t high)
{
	int error = 0;

	for (uint32_t row = 0; row < high && error == 0; row++) {
		const struct ledger_row *entry = &engine->ledger->table[row];

		if (entry->name[0] != '\0' && entry->owner.row != 0)
			error = task_adopt(
			    engine, (int)row, engine_program_of_row(engine, entry->owner.row - 1));
	}
	return error;
}

/*
 * From here on it is done: the guardian gets the text first, so that an engine that is killed now
 * is followed by one that applies the same.
 */
static int commit(struct apply *apply, struct config *config)
{
	struct engine *engine = apply->engine;
	struct config *old = engine->config;
	int error = engine->config_lost ? 0 : hold_config(engine, config);

	if (error < 0)
		return error;
	config_forget_text(config);
	if (old != NULL)
		note_settings(apply, &old->settings, &config->settings);
	switch_configs(apply, config);
	idcache_clear(&engine->ids);
	engine->config = config;
	config_free(old);
	error = add_new(apply, config, !engine->shutdown);
	if (error == 0)
		error = engine_link_programs(engine);
	if (error == 0)
		error = hold_log_specs(engine);
	if (error < 0)
		log_error("apply: %s", strerror(-error)); /* the next apply tries again */
	boot_prepare_log_dir(config->settings.key_log_dir);
	ownlog_set_level((enum ownlog_level)config->settings.key_log_level);
	atomic_store(
	    &engine->ledger->header.shutdown_timeout_ns, config->settings.key_shutdown_timeout);
	act(apply);
	return 0;
}

static int hold_config(struct engine *engine, const struct config *config)
{
	int fd, slot, error;

	error = config_write_applied(config, &fd);
	if (error < 0)
		return error;
	slot = slots_hold(&engine->slots, held_key(HELD_CONFIG, 0, 0), fd);
	if (slot < 0) {
		close(fd);
		return slot;
	}
	slots_forget_fd(&engine->slots, slot);
	return 0;
}

/* Keep of its stanza what it takes to stop it and to write down what it still says. */
static int retire(struct program *program)
{
	struct program_config *last = retired_new(program_name(program), program->config);

	if (last == NULL)
		return -ENOMEM;
	program_unretire(program); /* what a lost configuration left */
	program->config = program->last_config = last;
	program->removed = true;
	return 0;
}

/* Every program from its old stanza to its new one; no pointer into the old configuration is left.
 */
static void switch_configs(struct apply *apply, const struct config *config)
{
	struct engine *engine = apply->engine;

	for (size_t i = 0; i < engine->program_count; i++) {
		struct program *program = engine->programs[i];
		const struct program_config *stanza =
		    config_find_program(config, program_name(program));
		enum change_class change;

		if (stanza == NULL) {
			if (!program->removed && retire(program) == 0)
				add_step(
				    apply, program_name(program), "remove", "its stanza is gone");
			continue;
		}
		if (program->removed) { /* back before it was gone */
			program_unretire(program);
			program->config = stanza;
			program->is_back = stanza->key_autostart && !engine->shutdown;
			add_step(apply, program_name(program), program->is_back ? "start" : "add",
			    "its stanza is back");
			continue;
		}
		if (program->config == stanza)
			continue;
		apply->changed[0] = '\0';
		change = config_diff_program(program->config, stanza, note_changed, apply);
		program->config = stanza;
		program_unretire(program);
		if (change == CHANGE_NONE)
			continue;
		add_step(apply, program_name(program),
		    change == CHANGE_RESTART && program_state(program)->wanted == WANTED_UP
			? "restart"
			: "live",
		    apply->changed);
	}
}

/* The ones that take effect now; who changed nothing else should not read that nothing changed. */
static void note_settings(
    struct apply *apply, const struct settings *old, const struct settings *new)
{
	apply->changed[0] = '\0';
	if (old->key_log_level != new->key_log_level)
		note_changed(apply, "log_level", CHANGE_LIVE);
	if (old->key_shutdown_timeout != new->key_shutdown_timeout)
		note_changed(apply, "shutdown_timeout", CHANGE_LIVE);
	if (strcmp(old->key_log_dir, new->key_log_dir) != 0)
		note_changed(apply, "log_dir", CHANGE_LIVE);
	if (apply->changed[0] != '\0')
		add_step(apply, "supervisord", "live", apply->changed);
}

static void note_changed(void *context, const char *key, enum change_class change)
{
	struct apply *apply = context;
	size_t length = strlen(apply->changed);

	(void)change;
	(void)snprintf(apply->changed + length, sizeof(apply->changed) - length, "%s%s changed",
	    length > 0 ? ", " : "", key);
}

static int add_new(struct apply *apply, const struct config *config, bool start)
{
	struct engine *engine = apply->engine;
	bool boot = apply->op == NULL && atomic_load(&engine->ledger->header.served) == 0;

	for (size_t i = 0; i < config->program_count; i++) {
		const struct program_config *stanza = config->programs[i];
		bool wanted = start && stanza->key_autostart;
		enum reason reason = boot ? REASON_AUTOSTART : REASON_ADDED;
		struct program *program;
		int error;

		if (engine_find(engine, stanza->name) != NULL)
			continue;
		if (boot && start && stanza->life->key_boot == BOOT_LAST_STATE)
			recall(config, stanza->name, &wanted, &reason);
		error = program_new(engine, stanza, wanted ? reason : REASON_NONE, &program);
		if (error == 0)
			error = engine_add(engine, program);
		if (error < 0)
			return error;
		add_step(apply, stanza->name, wanted ? "start" : "add", "new stanza");
		if (wanted)
			watch(apply, program, OP_UP);
	}
	return 0;
}

/* What the operator said last, before the machine or the daemon was started anew. */
static void recall(const struct config *config, const char *name, bool *wanted, enum reason *reason)
{
	int up = laststate_read(config->settings.key_state_dir, name);

	if (up >= 0) {
		*wanted = up == 1;
		*reason = REASON_LAST_STATE;
	} else if (up != -ENOENT) {
		log_error("%s: cannot read its last state in %s: %s", name,
		    config->settings.key_state_dir, strerror(-up));
	}
}

static int hold_log_specs(struct engine *engine)
{
	struct logspec *specs = calloc(2 * engine->program_count + 1, sizeof(*specs));
	size_t count = 0;
	char *own_path = NULL;
	int fd, slot, error = -ENOMEM;

	if (specs == NULL)
		return -ENOMEM;
	if (asprintf(&own_path, "%s/supervisord.log", engine->config->settings.key_log_dir) < 0) {
		own_path = NULL;
		goto out;
	}
	specs[count++] = (struct logspec){
	    .row = LOGSPEC_ROW_OWN,
	    .keep = OWN_LOG_KEEP,
	    .max_bytes = OWN_LOG_MAX_BYTES,
	    .name = "supervisord",
	    .path = own_path,
	};
	for (size_t i = 0; i < engine->program_count; i++)
		count += add_log_specs(engine, engine->programs[i], specs + count);
	error = logspec_write(specs, count, &fd);
	if (error < 0)
		goto out;
	slot = slots_hold(&engine->slots, held_key(HELD_LOG_SPECS, 0, 0), fd);
	if (slot < 0)
		close(fd);
	else
		slots_forget_fd(&engine->slots, slot);
	error = slot < 0 ? slot : 0;
out:
	for (size_t i = 1; i < count; i++)
		free((char *)(uintptr_t)specs[i].path);
	free(own_path);
	free(specs);
	return error;
}

static size_t add_log_specs(
    struct engine *engine, const struct program *program, struct logspec *specs)
{
	const struct program_config *config = program->config;
	size_t count = 0;

	for (int stream = 0; stream < 2; stream++) {
		const struct stdio *stdio = stream == 0 ? &config->key_stdout : &config->key_stderr;
		char *path;

		/* A pipe of the run before is written to its end. */
		if ((stdio->kind != STDIO_LOG && program->streams.log_read[stream] < 0) ||
		    (path = config_log_path(engine->config, config, stream)) == NULL)
			continue;
		specs[count++] = (struct logspec){
		    .row = (uint32_t)program->run.row,
		    .stream = (uint16_t)stream,
		    .keep = config->key_log_keep,
		    .max_bytes = config->key_log_max_size,
		    .name = program_name(program),
		    .path = path,
		};
	}
	return count;
}

/* All wishes before the first consequence: order is then decided with all of them known. */
static void act(struct apply *apply)
{
	struct engine *engine = apply->engine;

	for (size_t i = 0; i < engine->program_count && !engine->safe_mode; i++) {
		struct program *program = engine->programs[i];

		if (program->removed)
			program_wish(program, WANTED_DOWN, false);
		else if (is_outdated(program))
			program_wish(program, WANTED_UP, true);
	}
	for (size_t i = 0; i < engine->program_count; i++)
		act_on(apply, engine->programs[i]);
}

/* Its run is not what the stanza says now.  The other states launch what the stanza says then, or
 * nothing. */
static bool is_outdated(const struct program *program)
{
	const struct ledger_state *state = program_state(program);

	return state->starts > 0 && state->wanted == WANTED_UP &&
	       state->config_hash != program_hash(program) &&
	       (step_is_up((enum state)state->state) || state->state == STATE_BACKOFF ||
		   state->state == STATE_FATAL);
}

/* What one program needs follows from its ledger row and its stanza. */
static void act_on(struct apply *apply, struct program *program)
{
	const struct cause changed = {.reason = REASON_CHANGED}, back = {.reason = REASON_ADDED};

	if (apply->engine->safe_mode) {
		program_defer(program, PENDING_CHECK);
	} else if (program->removed) {
		if (!step_is_at_rest(program_state_of(program)))
			watch(apply, program, OP_DOWN);
		program_stop(program, &(struct cause){.reason = REASON_REMOVED});
	} else if (program->is_back) {
		program->is_back = false;
		watch(apply, program, OP_UP);
		engine_start(apply->engine, program, &back);
	} else if (is_outdated(program)) {
		bool live = step_is_live(program_state_of(program));

		watch(apply, program, live ? OP_RESTARTED : OP_UP);
		if (live)
			program_restart(program, &changed);
		else
			engine_start(apply->engine, program, &changed);
	} else {
		engine_start_needed(apply->engine, program);
		program_attend(program);
		program_defer(program, PENDING_CHECK);
	}
}

static void add_step(struct apply *apply, const char *name, const char *action, const char *reason)
{
	if (apply->op == NULL && atomic_load(&apply->engine->ledger->header.served) == 0)
		return; /* the first start: nobody asks for a list of everything */
	jsonw_begin_object(&apply->steps);
	jsonw_member_string(&apply->steps, "name", name);
	jsonw_member_string(&apply->steps, "action", action);
	jsonw_member_string(&apply->steps, "reason", reason);
	jsonw_end_object(&apply->steps);
	log_notice("apply: %s: %s: %s", name, action, reason);
}

static void watch(struct apply *apply, struct program *program, enum op_goal goal)
{
	if (apply->op != NULL)
		(void)op_add(apply->op, program, goal);
}
