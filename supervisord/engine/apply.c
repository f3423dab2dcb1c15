/* SPDX-License-Identifier: ISC */
/* apply.c: see apply.h. */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/images.h"
#include "lib/ownlog.h"
#include "supervisord/engine/access.h"
#include "supervisord/engine/adopt.h"
#include "supervisord/engine/align.h"
#include "supervisord/engine/apply.h"
#include "supervisord/engine/boot.h"
#include "supervisord/engine/changes.h"
#include "supervisord/engine/demand.h"
#include "supervisord/engine/drift.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/logspecs.h"
#include "supervisord/engine/onevent.h"
#include "supervisord/engine/op.h"
#include "supervisord/engine/planner.h"
#include "supervisord/engine/trial.h"
#include "supervisord/engine/rolling.h"
#include "supervisord/engine/tty.h"

/* One apply while it runs. */
struct apply {
	struct engine *engine;
	struct op *op;
	uint32_t uid; /* who asked, or HISTORY_NO_UID */
	bool is_first;
	const struct apply_request *request; /* NULL: of the start */
	struct changes_maker changes;
	struct planner planner;
	struct jsonw steps; /* as they are told to the client */
};

static void leave_safe_mode(struct engine *engine);
static int commit(struct apply *apply, struct config *config);
static void tell_left(const struct config *config);
static void note_changes(struct apply *apply);
static void note_applied(const struct apply *apply, const struct config *config);
static void note_live(struct apply *apply, const struct program *program);
static int32_t change_of(const struct program *program);
static bool is_boot(const struct apply *apply);
static int hold_config(struct engine *engine, const struct config *config);
static void switch_configs(struct engine *engine, const struct config *config);
static int add_new(struct apply *apply);
static void act(struct apply *apply);
static void prepare_step(struct apply *apply, const struct plan_step *step);
static void do_step(struct apply *apply, const struct plan_step *step);
static void start_for(struct apply *apply, struct program *program, const char *name);
static bool is_rolled(const struct program *program, const struct plan_step *step);
static void settle(struct engine *engine, struct program *program);
static struct program *program_of_step(const struct apply *apply, const struct plan_step *step);
static void watch(struct apply *apply, struct program *program, enum op_goal goal);

int apply_config(struct engine *engine, const struct apply_request *request, struct config *config)
{
	struct apply apply = {.engine = engine, .op = request->op, .uid = request->uid};
	int error;

	if (engine->trial.active)
		return -EBUSY;
	apply.request = request;
	error = sockets_open(engine, config, request->errors);
	if (error < 0)
		return error;
	if (strcmp(config->settings.key_run_dir, engine->config->settings.key_run_dir) != 0)
		log_warning("run_dir changed: it takes effect at the next start of supervisord");
	(void)boot_take_run_dir(engine, engine->config->settings.key_run_dir);
	if (engine->safe_mode)
		leave_safe_mode(engine);
	jsonw_init(&apply.steps, LIMIT_CONTROL_QUEUE);
	if (request->taken_back != NULL)
		jsonw_member_string(&apply.steps, "rolled_back", request->taken_back);
	if (request->file != NULL)
		jsonw_member_string(&apply.steps, "file", request->file);
	if (request->left != NULL) {
		jsonw_key(&apply.steps, "left");
		jsonw_begin_array(&apply.steps);
		jsonw_raw(&apply.steps, request->left->data, request->left->length);
		jsonw_end_array(&apply.steps);
	}
	if (request->name != NULL)
		jsonw_member_string(&apply.steps, "name", request->name);
	error = commit(&apply, config);
	if (error == 0 && apply.op != NULL)
		op_set_extra(apply.op, &apply.steps);
	jsonw_done(&apply.steps);
	images_let_go();
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
	history_note(engine->history, &(struct history_event){.kind = HISTORY_SAFE,
					  .row = HISTORY_NO_ROW,
					  .delay_ms = UINT32_MAX,
					  .uid = HISTORY_NO_UID});
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
	error = planner_make(&apply->planner, engine, config, is_boot(apply));
	if (error == 0 && apply->request != NULL && apply->request->rollback)
		error = trial_begin(engine, &apply->planner, apply->request->deadline_ns);
	if (error == 0 && !apply->is_first)
		note_changes(apply);
	if (error == 0 && !engine->config_lost)
		error = hold_config(engine, config);
	if (error < 0) {
		trial_abandon(engine);
		if (old != NULL)
			align_names(engine, old);
		goto out;
	}
	if (!apply->is_first) /* a start is told of by itself */
		note_applied(apply, config);
	if (!is_boot(apply) && !engine->safe_mode) {
		/* At boot nobody asks for a list of everything; in safe mode nothing of it is done.
		 */
		planner_log(&apply->planner);
		planner_write(&apply->planner, apply->request != NULL && apply->request->values,
		    &apply->steps);
	}
	drift_note_applied(engine, config);
	config_forget_text(config);
	switch_configs(engine, config);
	/* What was loaded as it had been accepted has asked nobody; nor do we then. */
	if (is_boot(apply) || (apply->request != NULL && apply->request->taken_back == NULL))
		idcache_fill(&engine->ids, config);
	else
		idcache_clear(&engine->ids);
	engine->config = config;
	demand_end_all(engine); /* what they watch may be closed now: settle() */
	accept_unwatch_all(engine);
	error = sockets_use(engine);
	config_free(old);
	if (error == 0)
		error = add_new(apply);
	if (error == 0)
		error = engine_link_programs(engine);
	onevent_take_config(engine);
	if (error == 0)
		error = logspecs_hold(engine);
	if (error < 0)
		log_error("apply: %s", strerror(-error)); /* the next apply tries again */
	boot_prepare_log_dir(config->settings.key_log_dir);
	ownlog_set_level((enum ownlog_level)config->settings.key_log_level);
	atomic_store(
	    &engine->ledger->header.shutdown_timeout_ns, config->settings.key_shutdown_timeout);
	access_take_config(engine);
	tell_left(config);
	transient_note_change(&engine->transient);
	act(apply);
	error = 0;
out:
	planner_done(&apply->planner);
#ifdef __GLIBC__
	/* What plan and parser had for a moment stands in the heap between what stays. */
	(void)malloc_trim(0);
#endif
	return error;
}

static void tell_left(const struct config *config)
{
	for (size_t i = 0; i < config->source_count; i++)
		if (config->sources[i].left)
			log_warning("%s: is for a program that is in no file, and does nothing: "
				    "remove it, unless that program comes back",
			    config->sources[i].path);
}

/* What it changes of whom, for those who ask why; before it is committed, see changes.h. */
static void note_changes(struct apply *apply)
{
	assert(apply->request != NULL); /* a start changes nothing */
	apply->changes = (struct changes_maker){
	    .history = apply->engine->history, .uid = apply->uid, .by = apply->request->by};
	changes_begin(&apply->changes);
	for (size_t i = 0; i < apply->planner.plan.count; i++) {
		const struct plan_step *step = &apply->planner.plan.steps[i];
		const struct plan_input *input = &apply->planner.inputs[step->program];
		const struct program *program = planner_program(&apply->planner, step);

		if (step->cause == PLAN_CHANGED && program != NULL)
			(void)changes_add(&apply->changes, program->run.row, input->old_config,
			    input->new_config);
	}
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
	return slot < 0 ? slot : 0; /* our copy stays: parts of it may go into the next one */
}

/* Every program from its old stanza to its new one; no pointer into the old configuration is left.
 */
static void switch_configs(struct engine *engine, const struct config *config)
{
	for (size_t i = 0; i < engine->program_count; i++) {
		struct program *program = engine->programs[i];
		const struct program_config *stanza =
		    config_find_program(config, program_name(program));

		/* An extra one that goes already; in safe mode nobody has told it to. */
		if (stanza != NULL && stanza->surge && program->removed &&
		    program_state(program)->wanted == WANTED_DOWN)
			continue;
		if (stanza != NULL) {
			program_take_stanza(program, stanza);
		} else if (!program->removed && !engine->config_lost) {
			program_retire(program);
		}
		tty_note_stanza(program);
	}
}

/* Those of the new configuration that have no row, wanted up from their first moment on. */
static int add_new(struct apply *apply)
{
	struct engine *engine = apply->engine;

	for (size_t i = 0; i < apply->planner.plan.input_count; i++) {
		const struct plan_input *input = &apply->planner.inputs[i];
		struct cause start = {.reason = REASON_NONE};
		struct program *program;
		int error;

		if (input->state != NULL)
			continue;
		if (input->start)
			start = (struct cause){
			    .reason = input->start_reason, .detail = apply->changes.apply};
		error = program_new(engine, input->new_config, &start, &program);
		if (error == 0)
			error = engine_add(engine, program);
		if (error < 0)
			return error;
	}
	return 0;
}

/* The steps of the plan; and who has none may still have something to finish. */
static void act(struct apply *apply)
{
	struct engine *engine = apply->engine;

	for (size_t i = 0; i < engine->program_count; i++)
		if (engine->programs[i]->removed &&
		    !step_is_at_rest(program_state_of(engine->programs[i])))
			watch(apply, engine->programs[i], OP_DOWN);
	for (size_t i = 0; i < apply->planner.plan.count && !engine->safe_mode; i++)
		prepare_step(apply, &apply->planner.plan.steps[i]);
	for (size_t i = 0; i < apply->planner.plan.count && !engine->safe_mode; i++)
		do_step(apply, &apply->planner.plan.steps[i]);
	for (size_t i = 0; i < engine->program_count; i++)
		settle(engine, engine->programs[i]);
}

/* All wishes before the first consequence: order is then decided with all of them known. */
static void prepare_step(struct apply *apply, const struct plan_step *step)
{
	struct program *program = program_of_step(apply, step);

	if (program == NULL)
		return;
	if (step->action == PLAN_RESTART && is_rolled(program, step)) {
		watch(apply, program, OP_ROLLED);
		return;
	}
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
	const struct cause back = {.reason = REASON_ADDED, .detail = apply->changes.apply};
	const struct cause removed = {.reason = REASON_REMOVED,
	    .detail = (int32_t)apply->planner.inputs[step->program].instances_now};
	struct cause changed = {.reason = REASON_CHANGED};
	struct program *program = program_of_step(apply, step);

	if (program == NULL || step->follows)
		return;
	changed.detail = change_of(program);
	switch (step->action) {
	case PLAN_STOP:
	case PLAN_FREE: /* at rest something of it may be left */
		program_stop(program, &removed);
		break;
	case PLAN_RESTART:
		if (is_rolled(program, step))
			rolling_mark(program);
		else
			program_restart(program, &changed);
		break;
	case PLAN_START: /* a new one waits already: settle() */
		if (step->cause == PLAN_NEEDED)
			start_for(apply, program, apply->planner.inputs[step->other].name);
		else if (step->cause != PLAN_NEW)
			engine_start(
			    apply->engine, program, step->cause == PLAN_BACK ? &back : &changed);
		break;
	case PLAN_LIVE:
		note_live(apply, program);
		break;
	case PLAN_ADD:
	case PLAN_NONE:
		break;
	}
}

/* It moves no state, so it leaves no other trace. */
static void note_live(struct apply *apply, const struct program *program)
{
	struct history_memory *history = apply->engine->history;
	const int row = program->run.row;

	history_note(
	    history, &(struct history_event){
			 .kind = HISTORY_CONFIG,
			 .row = (uint16_t)row,
			 .run = (uint32_t)program_state(program)->starts,
			 .detail = changes_find_newest(history, row, program->config->hash),
			 .delay_ms = UINT32_MAX,
			 .uid = apply->uid,
		     });
}

static int32_t change_of(const struct program *program)
{
	return changes_find(program->engine->history, program->run.row, program->config->hash);
}

/* What is up requires it since its new stanza. */
static void start_for(struct apply *apply, struct program *program, const char *name)
{
	const struct program *last = engine_find(apply->engine, name);
	struct cause cause = {.reason = REASON_REQUIRED};

	cause.step = last != NULL ? last->run.row + 1 : 0;
	engine_start(apply->engine, program, &cause);
}

static bool is_rolled(const struct program *program, const struct plan_step *step)
{
	return !step->follows && plan_is_rolled(program->config);
}

/* The new values are taken; and what an engine before this one has begun goes on. */
static void settle(struct engine *engine, struct program *program)
{
	if (!engine->safe_mode && !program->removed) {
		rolling_settle(program);
		engine_start_needed(engine, program);
		program_attend(program);
	}
	program_defer(program, PENDING_CHECK);
}

/* NULL: it could not be made, which was said. */
static struct program *program_of_step(const struct apply *apply, const struct plan_step *step)
{
	return engine_find(apply->engine, apply->planner.inputs[step->program].name);
}

static void watch(struct apply *apply, struct program *program, enum op_goal goal)
{
	if (apply->op != NULL)
		(void)op_add(apply->op, program, goal);
}
