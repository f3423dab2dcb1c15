/* SPDX-License-Identifier: ISC */
/* apply.c: see apply.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/ownlog.h"
#include "supervisord/engine/access.h"
#include "supervisord/engine/adopt.h"
#include "supervisord/engine/align.h"
#include "supervisord/engine/apply.h"
#include "supervisord/engine/boot.h"
#include "supervisord/engine/demand.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/laststate.h"
#include "supervisord/engine/logspecs.h"
#include "supervisord/engine/op.h"
#include "supervisord/engine/plan.h"

#define STEP_REASON 256

/* One apply while it runs. */
struct apply {
	struct engine *engine;
	struct op *op;
	uint32_t uid; /* who asked, or HISTORY_NO_UID */
	bool is_first;
	struct jsonw steps;
	struct plan_input *inputs; /* their old stanzas are gone once the new ones are in force */
	struct plan plan;
};

static void leave_safe_mode(struct engine *engine);
static int commit(struct apply *apply, struct config *config);
static void note_applied(const struct apply *apply, const struct config *config);
static int make_plan(struct apply *apply, const struct config *config);
static struct plan_input input_of(
    const struct program *program, const struct program_config *stanza);
static struct plan_input input_of_new(
    const struct apply *apply, const struct config *config, const struct program_config *stanza);
static void count_instances(
    const struct apply *apply, const struct config *config, struct plan_input *input);
static bool is_another_up(const struct engine *engine, const char *name, bool *ret_up);
static bool is_boot(const struct apply *apply);
static int hold_config(struct engine *engine, const struct config *config);
static void switch_configs(struct engine *engine, const struct config *config);
static int add_new(struct apply *apply);
static void recall(const struct config *config, const char *name, struct plan_input *input);
static void act(struct apply *apply);
static void prepare_step(struct apply *apply, const struct plan_step *step);
static void do_step(struct apply *apply, const struct plan_step *step);
static void start_for(struct apply *apply, struct program *program, const char *name);
static void settle(struct engine *engine, struct program *program);
static struct program *program_of_step(const struct apply *apply, const struct plan_step *step);
static void tell_plan(struct apply *apply, const struct config *config);
static void tell_step(
    struct apply *apply, const char *name, const char *action, const char *reason);
static void watch(struct apply *apply, struct program *program, enum op_goal goal);

int apply_files(struct engine *engine, uint32_t uid, struct op *op, struct config_errors *errors)
{
	struct apply apply = {.engine = engine, .op = op};
	struct config *config;
	int error;

	error = config_load(engine->config_path, &config, errors);
	if (error < 0)
		return error;
	error = sockets_open(engine, config, errors);
	if (error < 0) {
		config_free(config);
		return error;
	}
	if (strcmp(config->settings.key_run_dir, engine->config->settings.key_run_dir) != 0)
		log_warning("run_dir changed: it takes effect at the next start of supervisord");
	(void)boot_take_run_dir(engine, engine->config->settings.key_run_dir);
	if (engine->safe_mode)
		leave_safe_mode(engine);
	jsonw_init(&apply.steps, LIMIT_CONTROL_QUEUE);
	jsonw_key(&apply.steps, "steps");
	jsonw_begin_array(&apply.steps);
	apply.uid = uid;
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
	struct apply apply = {.engine = engine, .uid = HISTORY_NO_UID, .is_first = true};
	int error;

	jsonw_init(&apply.steps, LIMIT_CONTROL_QUEUE);
	error = adopt_all(engine, config);
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

/*
 * Once the guardian has the text it is done: an engine that is killed after that is followed by one
 * that applies the same.
 */
static int commit(struct apply *apply, struct config *config)
{
	struct engine *engine = apply->engine;
	struct config *old = engine->config;
	int error;

	align_names(engine, config);
	error = make_plan(apply, config);
	if (error == 0 && !engine->config_lost)
		error = hold_config(engine, config);
	if (error < 0) {
		if (old != NULL)
			align_names(engine, old);
		goto out;
	}
	if (!apply->is_first) /* a start is told of by itself */
		note_applied(apply, config);
	tell_plan(apply, config);
	config_forget_text(config);
	switch_configs(engine, config);
	idcache_clear(&engine->ids);
	engine->config = config;
	demand_end_all(engine); /* what they watch may be closed now: settle() */
	error = sockets_use(engine);
	config_free(old);
	if (error == 0)
		error = add_new(apply);
	if (error == 0)
		error = engine_link_programs(engine);
	if (error == 0)
		error = logspecs_hold(engine);
	if (error < 0)
		log_error("apply: %s", strerror(-error)); /* the next apply tries again */
	boot_prepare_log_dir(config->settings.key_log_dir);
	ownlog_set_level((enum ownlog_level)config->settings.key_log_level);
	atomic_store(
	    &engine->ledger->header.shutdown_timeout_ns, config->settings.key_shutdown_timeout);
	access_take_config(engine);
	act(apply);
	error = 0;
out:
	plan_done(&apply->plan);
	free(apply->inputs);
#ifdef __GLIBC__
	/* What plan and parser had for a moment stands in the heap between what stays. */
	(void)malloc_trim(0);
#endif
	return error;
}

static void note_applied(const struct apply *apply, const struct config *config)
{
	history_note(apply->engine->history, &(struct history_event){
						 .kind = HISTORY_APPLIED,
						 .row = HISTORY_NO_ROW,
						 .detail = (int32_t)config->program_count,
						 .delay_ms = UINT32_MAX,
						 .uid = apply->uid,
					     });
}

/* All programs of the ledger and of the configuration, by name; both come sorted. */
static int make_plan(struct apply *apply, const struct config *config)
{
	struct engine *engine = apply->engine;
	size_t existing = 0, wanted = 0, count = 0;

	apply->inputs =
	    calloc(engine->program_count + config->program_count + 1, sizeof(*apply->inputs));
	if (apply->inputs == NULL)
		return -ENOMEM;
	while (existing < engine->program_count || wanted < config->program_count) {
		const struct program *program =
		    existing < engine->program_count ? engine->programs[existing] : NULL;
		const struct program_config *stanza =
		    wanted < config->program_count ? config->programs[wanted] : NULL;
		int order = program != NULL && stanza != NULL
				? strcmp(program_name(program), stanza->name)
				: 0;

		if (program != NULL && order <= 0)
			apply->inputs[count++] = input_of(program, order == 0 ? stanza : NULL);
		else if (stanza != NULL)
			apply->inputs[count++] = input_of_new(apply, config, stanza);
		if (program == NULL || stanza == NULL || order != 0)
			count_instances(apply, config, &apply->inputs[count - 1]);
		existing += program != NULL && order <= 0;
		wanted += stanza != NULL && order >= 0;
	}
	/* An empty configuration that stands for one that is lost says nothing about anybody. */
	return plan_make(apply->inputs, engine->config_lost ? 0 : count, &apply->plan);
}

/* Of one that comes or goes. */
static void count_instances(
    const struct apply *apply, const struct config *config, struct plan_input *input)
{
	struct instname parts;

	instname_split(input->name, &parts);
	input->instances_now = config_count_instances(config, parts.program);
	if (apply->engine->config != NULL)
		input->instances_before =
		    config_count_instances(apply->engine->config, parts.program);
}

static struct plan_input input_of(
    const struct program *program, const struct program_config *stanza)
{
	struct plan_input input = {
	    .name = program_name(program),
	    .old_config = program->last_config == NULL ? program->config : NULL,
	    .new_config = stanza,
	    .state = program_state(program),
	    .retired = program->removed,
	    .start = stanza != NULL && stanza->key_autostart,
	};

	(void)is_another_up(program->engine, input.name, &input.start);
	input.start = input.start && stanza != NULL && !program->engine->shutdown;
	return input;
}

static struct plan_input input_of_new(
    const struct apply *apply, const struct config *config, const struct program_config *stanza)
{
	struct plan_input input = {
	    .name = stanza->name,
	    .new_config = stanza,
	    .start = stanza->key_autostart,
	    .start_reason = is_boot(apply) ? REASON_AUTOSTART : REASON_ADDED,
	};

	/* One more of a program that is there does as the others. */
	(void)is_another_up(apply->engine, stanza->name, &input.start);
	if (is_boot(apply) && stanza->life->key_boot == BOOT_LAST_STATE)
		recall(config, stanza->name, &input);
	if (apply->engine->shutdown)
		input.start = false;
	return input;
}

/* Whether any other instance is wanted up; false: there is no other one. */
static bool is_another_up(const struct engine *engine, const char *name, bool *ret_up)
{
	const struct program *other;
	struct instname parts;
	size_t index = 0;
	bool found = false, up = false;

	instname_split(name, &parts);
	while ((other = engine_next_named(engine, parts.program, &index)) != NULL) {
		if (other->removed || strcmp(program_name(other), name) == 0)
			continue;
		found = true;
		up = up || program_state(other)->wanted == WANTED_UP;
	}
	if (found)
		*ret_up = up;
	return found;
}

/* The first configuration since the guardian started. */
static bool is_boot(const struct apply *apply)
{
	return apply->op == NULL && atomic_load(&apply->engine->ledger->header.served) == 0;
}

static int hold_config(struct engine *engine, const struct config *config)
{
	int fd, slot, error;

	error = config_write_applied(config, &fd);
	if (error < 0)
		return error;
	slot = slots_hold(&engine->slots, held_key(HELD_CONFIG, 0, 0), fd);
	if (slot < 0)
		close(fd);
	return slot < 0 ? slot : 0;
}

/* Every program from its old stanza to its new one; no pointer into the old configuration is left.
 */
static void switch_configs(struct engine *engine, const struct config *config)
{
	for (size_t i = 0; i < engine->program_count; i++) {
		struct program *program = engine->programs[i];
		const struct program_config *stanza =
		    config_find_program(config, program_name(program));

		if (stanza != NULL) {
			program->config = stanza;
			program_unretire(program);
		} else if (!program->removed && !engine->config_lost) {
			program_retire(program);
		}
	}
}

/* Those of the new configuration that have no row, wanted up from their first moment on. */
static int add_new(struct apply *apply)
{
	struct engine *engine = apply->engine;

	for (size_t i = 0; i < apply->plan.input_count; i++) {
		const struct plan_input *input = &apply->inputs[i];
		struct program *program;
		int error;

		if (input->state != NULL)
			continue;
		error = program_new(engine, input->new_config,
		    input->start ? input->start_reason : REASON_NONE, &program);
		if (error == 0)
			error = engine_add(engine, program);
		if (error < 0)
			return error;
	}
	return 0;
}

/* What the operator said last, before the machine or the daemon was started anew. */
static void recall(const struct config *config, const char *name, struct plan_input *input)
{
	int up = laststate_read(config->settings.key_state_dir, name);

	if (up >= 0) {
		input->start = up == 1;
		input->start_reason = REASON_LAST_STATE;
	} else if (up != -ENOENT) {
		log_error("%s: cannot read its last state in %s: %s", name,
		    config->settings.key_state_dir, strerror(-up));
	}
}

/* The steps of the plan; and who has none may still have something to finish. */
static void act(struct apply *apply)
{
	struct engine *engine = apply->engine;

	for (size_t i = 0; i < engine->program_count; i++)
		if (engine->programs[i]->removed &&
		    !step_is_at_rest(program_state_of(engine->programs[i])))
			watch(apply, engine->programs[i], OP_DOWN);
	for (size_t i = 0; i < apply->plan.count && !engine->safe_mode; i++)
		prepare_step(apply, &apply->plan.steps[i]);
	for (size_t i = 0; i < apply->plan.count && !engine->safe_mode; i++)
		do_step(apply, &apply->plan.steps[i]);
	for (size_t i = 0; i < engine->program_count; i++)
		settle(engine, engine->programs[i]);
}

/* All wishes before the first consequence: order is then decided with all of them known. */
static void prepare_step(struct apply *apply, const struct plan_step *step)
{
	struct program *program = program_of_step(apply, step);

	if (program == NULL)
		return;
	if (step->action == PLAN_RESTART)
		watch(apply, program, OP_RESTARTED);
	else if (step->action == PLAN_START && !step->follows)
		watch(apply, program, OP_UP);
	if (step->follows)
		return;
	if (step->action == PLAN_STOP || step->action == PLAN_FREE)
		program_wish(program, WANTED_DOWN, false);
	else if ((step->cause == PLAN_CHANGED || step->cause == PLAN_NEEDED) &&
		 step->action != PLAN_LIVE)
		program_wish(program, WANTED_UP, step->action == PLAN_RESTART);
}

static void do_step(struct apply *apply, const struct plan_step *step)
{
	const struct cause changed = {.reason = REASON_CHANGED}, back = {.reason = REASON_ADDED};
	const struct cause removed = {.reason = REASON_REMOVED,
	    .detail = (int32_t)apply->inputs[step->program].instances_now};
	struct program *program = program_of_step(apply, step);

	if (program == NULL || step->follows)
		return;
	switch (step->action) {
	case PLAN_STOP:
	case PLAN_FREE: /* at rest something of it may be left */
		program_stop(program, &removed);
		break;
	case PLAN_RESTART:
		program_restart(program, &changed);
		break;
	case PLAN_START: /* a new one waits already: settle() */
		if (step->cause == PLAN_NEEDED)
			start_for(apply, program, apply->inputs[step->other].name);
		else if (step->cause != PLAN_NEW)
			engine_start(
			    apply->engine, program, step->cause == PLAN_BACK ? &back : &changed);
		break;
	case PLAN_LIVE:
	case PLAN_ADD:
	case PLAN_NONE:
		break;
	}
}

/* What is up requires it since its new stanza. */
static void start_for(struct apply *apply, struct program *program, const char *name)
{
	const struct program *last = engine_find(apply->engine, name);
	struct cause cause = {.reason = REASON_REQUIRED};

	cause.step = last != NULL ? last->run.row + 1 : 0;
	engine_start(apply->engine, program, &cause);
}

/* The new values are taken; and what an engine before this one has begun goes on. */
static void settle(struct engine *engine, struct program *program)
{
	if (!engine->safe_mode && !program->removed) {
		engine_start_needed(engine, program);
		program_attend(program);
	}
	program_defer(program, PENDING_CHECK);
}

/* NULL: it could not be made, which was said. */
static struct program *program_of_step(const struct apply *apply, const struct plan_step *step)
{
	return engine_find(apply->engine, apply->inputs[step->program].name);
}

static void tell_plan(struct apply *apply, const struct config *config)
{
	const struct config *old = apply->engine->config;
	char reason[STEP_REASON];

	if (is_boot(apply) || apply->engine->safe_mode)
		return; /* nobody asks for a list of everything; or nothing of it is done */
	if (old != NULL && plan_settings_reason(&old->settings, &config->settings, reason,
			       sizeof(reason))[0] != '\0')
		tell_step(apply, "supervisord", plan_action_name(PLAN_LIVE), reason);
	for (size_t i = 0; i < apply->plan.count; i++) {
		const struct plan_step *step = &apply->plan.steps[i];

		tell_step(apply, apply->inputs[step->program].name, plan_action_name(step->action),
		    plan_step_reason(&apply->plan, step, reason, sizeof(reason)));
	}
}

static void tell_step(struct apply *apply, const char *name, const char *action, const char *reason)
{
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
