/* SPDX-License-Identifier: ISC */
/* planner.c: see planner.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/jsonw.h"
#include "lib/ownlog.h"
#include "supervisord/engine/align.h"
#include "supervisord/engine/confvalues.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/laststate.h"
#include "supervisord/engine/planner.h"
#include "supervisord/engine/socketdiff.h"

#define STEP_REASON 256

/* The step that is about no program. */
#define DAEMON "supervisord"

/* One step, as people are told of it. */
struct told {
	const char *name;
	const char *action;
	const char *reason;
	const struct plan_step *step; /* NULL: of the daemon, or a socket's */
	bool socket;
};

/* While the steps of sockets are told. */
struct socket_telling {
	const struct planner *planner;
	void (*each)(const struct planner *planner, const struct told *told, void *context);
	void *context;
};

static void name_rows(struct planner *planner);
static size_t merge(struct planner *planner, bool boot);
static void count_instances(const struct planner *planner, struct plan_input *input);
static struct plan_input input_of(
    const struct planner_row *row, const struct program_config *stanza);
static struct plan_input input_of_new(
    const struct planner *planner, const struct program_config *stanza, bool boot);
static bool is_another_up(
    const struct engine *engine, const char *name, const struct program *self, bool *ret_up);
static int compare_name(const void *key, const void *row);
static int compare_rows(const void *a, const void *b);
static void recall(const struct planner *planner, const char *name, struct plan_input *input);
static bool tell_settings(const struct planner *planner, char *reason, size_t size);
static void each_step(const struct planner *planner,
    void (*each)(const struct planner *planner, const struct told *told, void *context),
    void *context);
static void each_socket(struct socket_telling *telling);
static void tell_socket(void *context, const char *name, const char *action, const char *reason);
static void log_step(const struct planner *planner, const struct told *told, void *context);
static void write_step(const struct planner *planner, const struct told *told, void *context);
static void write_step_values(
    const struct planner *planner, const struct told *told, void *context);
static void begin_step(const struct planner *planner, const struct told *told, struct jsonw *w);

int planner_make(
    struct planner *planner, struct engine *engine, const struct config *config, bool boot)
{
	size_t room = engine->program_count + config->program_count + 1, count = 0;

	*planner = (struct planner){.engine = engine, .config = config};
	planner->rows = calloc(engine->program_count + 1, sizeof(*planner->rows));
	planner->inputs = calloc(room, sizeof(*planner->inputs));
	if (planner->rows == NULL || planner->inputs == NULL)
		return -ENOMEM;
	name_rows(planner);
	count = merge(planner, boot);
	/* An empty configuration that stands for one that is lost says nothing about anybody. */
	if (engine->config == NULL && engine->config_lost)
		count = 0;
	return plan_make(planner->inputs, count, &planner->plan);
}

void planner_done(struct planner *planner)
{
	plan_done(&planner->plan);
	free(planner->inputs);
	free(planner->rows);
	planner->inputs = NULL;
	planner->rows = NULL;
}

void planner_write(const struct planner *planner, bool values, struct jsonw *w)
{
	jsonw_key(w, "steps");
	jsonw_begin_array(w);
	each_step(planner, values ? write_step_values : write_step, w);
	jsonw_end_array(w);
}

void planner_log(const struct planner *planner)
{
	each_step(planner, log_step, NULL);
}

struct program *planner_program(const struct planner *planner, const struct plan_step *step)
{
	const char *name = planner->inputs[step->program].name;
	const struct planner_row *found = bsearch(
	    name, planner->rows, planner->engine->program_count, sizeof(*found), compare_name);

	return found != NULL ? found->program : NULL;
}

/* What exists, by the names that it will have. */
static void name_rows(struct planner *planner)
{
	struct engine *engine = planner->engine;
	bool any = false;

	for (size_t i = 0; i < engine->program_count; i++) {
		struct planner_row *row = &planner->rows[i];

		row->program = engine->programs[i];
		if (align_finds_other(
			engine, planner->config, row->program->run.row, row->other_name)) {
			row->name = row->other_name;
			any = true;
		} else {
			row->name = program_name(row->program);
		}
	}
	if (!any)
		return;
	qsort(planner->rows, engine->program_count, sizeof(*planner->rows), compare_rows);
	/* They have moved. */
	for (size_t i = 0; i < engine->program_count; i++)
		if (planner->rows[i].other_name[0] != '\0')
			planner->rows[i].name = planner->rows[i].other_name;
}

/* All programs of the ledger and of the configuration, by name; both come sorted.  Returns how many
 * there are. */
static size_t merge(struct planner *planner, bool boot)
{
	const struct config *config = planner->config;
	size_t existing = 0, wanted = 0, count = 0, rows = planner->engine->program_count;

	while (existing < rows || wanted < config->program_count) {
		const struct planner_row *row = existing < rows ? &planner->rows[existing] : NULL;
		const struct program_config *stanza =
		    wanted < config->program_count ? config->programs[wanted] : NULL;
		int order = row != NULL && stanza != NULL ? strcmp(row->name, stanza->name) : 0;

		existing += row != NULL && order <= 0;
		wanted += stanza != NULL && order >= 0;
		if (stanza != NULL && order >= 0 && stanza->surge)
			continue; /* rolling.h decides about extra instances */
		if (row != NULL && order <= 0)
			planner->inputs[count] = input_of(row, order == 0 ? stanza : NULL);
		else if (stanza != NULL)
			planner->inputs[count] = input_of_new(planner, stanza, boot);
		if (row == NULL || stanza == NULL || order != 0)
			count_instances(planner, &planner->inputs[count]);
		count++;
	}
	return count;
}

/* Of one that comes or goes. */
static void count_instances(const struct planner *planner, struct plan_input *input)
{
	struct instname parts;

	instname_split(input->name, &parts);
	input->instances_now = config_count_instances(planner->config, parts.program);
	if (planner->engine->config != NULL)
		input->instances_before =
		    config_count_instances(planner->engine->config, parts.program);
}

static struct plan_input input_of(
    const struct planner_row *row, const struct program_config *stanza)
{
	const struct program *program = row->program;
	struct plan_input input = {
	    .name = row->name,
	    .old_config = program->last_config == NULL ? program->config : NULL,
	    .new_config = stanza,
	    .state = program_state(program),
	    .retired = program->removed,
	    .resumed = program->engine->config == NULL,
	    .start = stanza != NULL && stanza->key_autostart,
	};

	(void)is_another_up(program->engine, input.name, program, &input.start);
	input.start = input.start && stanza != NULL && !program->engine->shutdown;
	return input;
}

static struct plan_input input_of_new(
    const struct planner *planner, const struct program_config *stanza, bool boot)
{
	struct plan_input input = {
	    .name = stanza->name,
	    .new_config = stanza,
	    .start = stanza->key_autostart,
	    .start_reason = boot ? REASON_AUTOSTART : REASON_ADDED,
	};

	/* One more of a program that is there does as the others. */
	(void)is_another_up(planner->engine, stanza->name, NULL, &input.start);
	if (boot && stanza->life->key_boot == BOOT_LAST_STATE)
		recall(planner, stanza->name, &input);
	if (planner->engine->shutdown)
		input.start = false;
	return input;
}

/* Whether any other instance than `self` is wanted up; false: there is no other one. */
static bool is_another_up(
    const struct engine *engine, const char *name, const struct program *self, bool *ret_up)
{
	const struct program *other;
	struct instname parts;
	size_t index = 0;
	bool found = false, up = false;

	instname_split(name, &parts);
	while ((other = engine_next_named(engine, parts.program, &index)) != NULL) {
		if (other->removed || other == self)
			continue;
		found = true;
		up = up || program_state(other)->wanted == WANTED_UP;
	}
	if (found)
		*ret_up = up;
	return found;
}

/* What the operator said last, before the machine or the daemon was started anew. */
static void recall(const struct planner *planner, const char *name, struct plan_input *input)
{
	const char *state_dir = planner->config->settings.key_state_dir;
	int up = laststate_read(&planner->engine->filelooks, state_dir, name);

	if (up >= 0) {
		input->start = up == 1;
		input->start_reason = REASON_LAST_STATE;
	} else if (up != -ENOENT) {
		log_error(
		    "%s: cannot read its last state in %s: %s", name, state_dir, strerror(-up));
	}
}

static bool tell_settings(const struct planner *planner, char *reason, size_t size)
{
	const struct config *old = planner->engine->config;

	return old != NULL && plan_settings_reason(old, planner->config, reason, size)[0] != '\0';
}

static void each_step(const struct planner *planner,
    void (*each)(const struct planner *planner, const struct told *told, void *context),
    void *context)
{
	char reason[STEP_REASON];
	struct told told = {
	    .name = DAEMON, .action = plan_action_name(PLAN_LIVE), .reason = reason};

	struct socket_telling telling = {planner, each, context};

	if (tell_settings(planner, reason, sizeof(reason)))
		each(planner, &told, context);
	each_socket(&telling);
	for (size_t i = 0; i < planner->plan.count; i++) {
		const struct plan_step *step = &planner->plan.steps[i];

		(void)plan_step_reason(&planner->plan, step, reason, sizeof(reason));
		told.name = planner->inputs[step->program].name;
		told.action = plan_action_name(step->action);
		told.step = step;
		each(planner, &told, context);
	}
}

static void each_socket(struct socket_telling *telling)
{
	const struct planner *planner = telling->planner;
	const struct config *old = planner->engine->config;

	if (old != NULL && socketdiff_each(old, planner->config, tell_socket, telling) < 0)
		log_error("out of memory for telling what becomes of sockets");
}

static void tell_socket(void *context, const char *name, const char *action, const char *reason)
{
	struct socket_telling *telling = context;
	char label[LIMIT_NAME + sizeof("socket ")];
	struct told told = {.name = label, .action = action, .reason = reason, .socket = true};

	(void)snprintf(label, sizeof(label), "socket %s", name);
	telling->each(telling->planner, &told, telling->context);
}

static void log_step(const struct planner *planner, const struct told *told, void *context)
{
	(void)planner;
	(void)context;
	log_notice("apply: %s: %s: %s", told->name, told->action, told->reason);
}

static void write_step(const struct planner *planner, const struct told *told, void *context)
{
	begin_step(planner, told, context);
	jsonw_end_object(context);
}

static void write_step_values(const struct planner *planner, const struct told *told, void *context)
{
	struct jsonw *w = context;

	begin_step(planner, told, w);
	jsonw_key(w, "changes");
	jsonw_begin_array(w);
	if (told->step == NULL && !told->socket) {
		confvalues_write_daemon(planner->engine->config, planner->config, w);
	} else if (told->step != NULL &&
		   !(told->step->follows && told->step->action == PLAN_STOP) &&
		   told->step->action != PLAN_FREE) {
		const struct plan_input *input = &planner->inputs[told->step->program];

		confvalues_write_program(input->old_config, input->new_config, w);
	}
	jsonw_end_array(w);
	jsonw_end_object(w);
}

static void begin_step(const struct planner *planner, const struct told *told, struct jsonw *w)
{
	const struct plan_step *step = told->step;
	bool about_other =
	    step != NULL && (step->cause == PLAN_NEEDED || step->cause == PLAN_REQUIRES ||
				step->cause == PLAN_CONFLICTS);

	jsonw_begin_object(w);
	jsonw_member_string(w, "name", told->name);
	jsonw_member_string(w, "action", told->action);
	jsonw_member_string(w, "reason", told->reason);
	jsonw_member_string(w, "other", about_other ? planner->inputs[step->other].name : NULL);
	jsonw_member_bool(w, "follows", step != NULL && step->follows);
}

static int compare_name(const void *key, const void *row)
{
	return strcmp(key, ((const struct planner_row *)row)->name);
}

static int compare_rows(const void *a, const void *b)
{
	const struct planner_row *x = a, *y = b;

	return strcmp(x->other_name[0] != '\0' ? x->other_name : program_name(x->program),
	    y->other_name[0] != '\0' ? y->other_name : program_name(y->program));
}
