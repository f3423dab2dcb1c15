/* SPDX-License-Identifier: ISC */
/* trial.c: see trial.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bsd/string.h>

#include "lib/clock.h"
#include "lib/ownlog.h"
#include "lib/protocol.h"
#include "supervisord/engine/changes.h"
#include "supervisord/engine/aim.h"
#include "supervisord/engine/apply.h"
#include "supervisord/engine/confsource.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/history.h"
#include "supervisord/engine/op.h"
#include "supervisord/engine/planner.h"
#include "supervisord/engine/trial.h"

/* The last of the sources that are held: no file, but who is on trial. */
#define NOTE_PATH "superctl trial"

/* Room for a line of it. */
#define NOTE_LINE (LIMIT_NAME + 32)

/* Why it is taken back. */
#define WHY (LIMIT_NAME + AIM_TEXT + 8)

static int gather(struct trial *trial, const struct planner *planner);
static int hold(struct engine *engine);
static int write_note(const struct trial *trial, struct config_source *ret_source);
static int read_note(struct trial *trial, const char *text);
static bool is_same(const struct config_source *a, size_t count, const struct engine *engine);
static void begin(struct engine *engine);
static void on_timer(struct timer *timer);
static enum verdict judge(struct engine *engine, char why[WHY]);
static enum verdict judge_item(struct engine *engine, const struct trial_item *item, char why[WHY]);
static void prove_good(struct engine *engine);
static void take_back(struct engine *engine, const char *why);
static void restore(struct engine *engine, struct op *op);
static int load_previous(
    const struct engine *engine, struct config **ret_config, struct config_errors *errors);
static int held_fd(const struct engine *engine, enum held_kind kind);
static void let_go(struct engine *engine);

int trial_begin(struct engine *engine, const struct planner *planner, int64_t deadline_ns)
{
	struct trial *trial = &engine->trial;
	int error;

	if (engine->config_lost)
		return -ENODATA;
	trial->deadline_ns = deadline_ns;
	error = gather(trial, planner);
	if (error == 0 && trial->count > 0)
		error = hold(engine);
	/* Where nothing is started there is nothing to wait for. */
	if (error == 0 && trial->count > 0)
		begin(engine);
	else
		trial_done(trial);
	return error;
}

void trial_abandon(struct engine *engine)
{
	if (engine->trial.active)
		let_go(engine);
}

void trial_adopt(struct engine *engine)
{
	int fd = held_fd(engine, HELD_TRIAL), error;
	struct config_source *sources = NULL;
	size_t count = 0;

	if (fd < 0)
		return;
	error = confsource_read_applied(fd, &sources, &count);
	if (error == 0)
		error = strcmp(sources[count - 1].path, NOTE_PATH) == 0
			    ? read_note(&engine->trial, sources[count - 1].text)
			    : -EBADMSG;
	if (error < 0)
		log_error("the configuration from before cannot be read: %s: what is applied stays",
		    strerror(-error));
	else if (engine->safe_mode)
		log_warning("safe mode: what is applied stays, though it has not proved good");
	else if (!is_same(sources, count - 1, engine))
		begin(engine);
	else
		restore(engine, NULL);
	confsource_free(sources, count);
	if (!engine->trial.active)
		let_go(engine);
}

void trial_tell(struct engine *engine, struct op *op)
{
	if (!engine->trial.active)
		return;
	engine->trial.op = op;
	op_hold(op);
}

const struct program *trial_next_open(struct engine *engine, size_t *index)
{
	const struct trial *trial = &engine->trial;
	char why[WHY];

	while (trial->active && *index < trial->count) {
		const struct trial_item *item = &trial->items[(*index)++];

		if (judge_item(engine, item, why) == VERDICT_OPEN)
			return engine_find(engine, item->name);
	}
	return NULL;
}

bool trial_review(struct engine *engine)
{
	struct trial *trial = &engine->trial;
	char why[WHY] = "";

	if (!trial->active || !trial->due || engine->shutdown)
		return false;
	trial->due = false;
	switch (judge(engine, why)) {
	case VERDICT_OPEN:
		return false;
	case VERDICT_OK:
		prove_good(engine);
		break;
	case VERDICT_FAILED:
		take_back(engine, why);
		break;
	}
	return true;
}

void trial_done(struct trial *trial)
{
	free(trial->items);
	*trial = (struct trial){0};
}

/* Those that are to be replaced or to come up, also because of others. */
static int gather(struct trial *trial, const struct planner *planner)
{
	trial->count = 0;
	trial->items = calloc(planner->plan.count + 1, sizeof(*trial->items));
	if (trial->items == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < planner->plan.count; i++) {
		const struct plan_step *step = &planner->plan.steps[i];
		const struct plan_input *input = &planner->inputs[step->program];
		struct trial_item *item = &trial->items[trial->count];

		if (step->action != PLAN_RESTART && step->action != PLAN_START)
			continue;
		(void)strlcpy(item->name, input->name, sizeof(item->name));
		item->run = input->state != NULL ? input->state->starts : 0;
		item->up = step->action == PLAN_RESTART;
		trial->count++;
	}
	return 0;
}

static int hold(struct engine *engine)
{
	struct config_source *sources = NULL, *larger;
	size_t count = 0;
	int fd = -1, slot, error;

	error = confsource_read_applied(held_fd(engine, HELD_CONFIG), &sources, &count);
	if (error < 0)
		return error;
	larger = reallocarray(sources, count + 1, sizeof(*sources));
	error = larger == NULL ? -ENOMEM : 0;
	if (error == 0) {
		sources = larger;
		error = write_note(&engine->trial, &sources[count]);
	}
	if (error == 0)
		error = confsource_write(sources, ++count, &fd);
	confsource_free(sources, count);
	if (error < 0)
		return error;
	slot = slots_hold(&engine->slots, held_key(HELD_TRIAL, 0, 0), fd);
	if (slot < 0)
		close(fd);
	return slot < 0 ? slot : 0;
}

/* "DEADLINE", then "NAME RUN UP" a line. */
static int write_note(const struct trial *trial, struct config_source *ret_source)
{
	size_t size = NOTE_LINE * (trial->count + 1), length;
	char *text = malloc(size);
	int error;

	if (text == NULL)
		return -ENOMEM;
	length = (size_t)snprintf(text, size, "%" PRId64 "\n", trial->deadline_ns);
	for (size_t i = 0; i < trial->count; i++)
		length += (size_t)snprintf(text + length, size - length, "%s %" PRIu64 " %d\n",
		    trial->items[i].name, trial->items[i].run, trial->items[i].up);
	error = confsource_copy(NOTE_PATH, text, length, ret_source);
	free(text);
	return error;
}

static int read_note(struct trial *trial, const char *text)
{
	size_t lines = 0;
	int used = 0;

	_Static_assert(LIMIT_NAME == 64, "the width below");
	for (const char *at = text; *at != '\0'; at++)
		lines += *at == '\n';
	trial->items = calloc(lines + 1, sizeof(*trial->items));
	if (trial->items == NULL)
		return -ENOMEM;
	if (sscanf(text, "%" SCNd64 "%n", &trial->deadline_ns, &used) != 1)
		return -EBADMSG;
	for (text += used; trial->count + 1 < lines; text += used) {
		struct trial_item *item = &trial->items[trial->count];

		if (sscanf(text, "%63s %" SCNu64 " %d%n", item->name, &item->run, &item->up,
			&used) != 3)
			return -EBADMSG;
		trial->count++;
	}
	return 0;
}

/* As what is applied. */
static bool is_same(const struct config_source *a, size_t count, const struct engine *engine)
{
	struct config_source *b;
	size_t b_count;
	bool same;

	if (confsource_read_applied(held_fd(engine, HELD_CONFIG), &b, &b_count) < 0)
		return false;
	same = count == b_count;
	for (size_t i = 0; same && i < count; i++)
		same = a[i].length == b[i].length && strcmp(a[i].path, b[i].path) == 0 &&
		       memcmp(a[i].text, b[i].text, a[i].length) == 0;
	confsource_free(b, b_count);
	return same;
}

static void begin(struct engine *engine)
{
	struct trial *trial = &engine->trial;

	trial->active = trial->due = true;
	trial->timer = (struct timer){.fire = on_timer};
	if (trial->deadline_ns != 0)
		(void)timers_arm(&engine->timers, &trial->timer, trial->deadline_ns);
}

static void on_timer(struct timer *timer)
{
	struct trial *trial =
	    (struct trial *)(void *)((char *)timer - offsetof(struct trial, timer));

	trial->late = trial->due = true;
}

/* All of them are good, or one is bad. */
static enum verdict judge(struct engine *engine, char why[WHY])
{
	struct trial *trial = &engine->trial;
	enum verdict all = VERDICT_OK;

	for (size_t i = 0; i < trial->count; i++) {
		enum verdict verdict = judge_item(engine, &trial->items[i], why);

		if (verdict == VERDICT_FAILED)
			return VERDICT_FAILED;
		if (verdict != VERDICT_OPEN)
			continue;
		all = VERDICT_OPEN;
		if (trial->late) {
			(void)snprintf(why, WHY, "%s: is not up in time", trial->items[i].name);
			return VERDICT_FAILED;
		}
	}
	return all;
}

static enum verdict judge_item(struct engine *engine, const struct trial_item *item, char why[WHY])
{
	struct program *program = engine_find(engine, item->name);
	struct aim aim = {.program = program, .goal = OP_RESTARTED, .run_before = item->run};
	enum verdict verdict;
	char text[AIM_TEXT];

	/* Somebody has stopped it meanwhile: not our doing. */
	if (program == NULL || program->removed || program_state(program)->wanted == WANTED_DOWN)
		return VERDICT_OK;
	verdict = aim_judge(&aim);
	if (verdict == VERDICT_FAILED) {
		aim_describe(&aim, verdict, text, sizeof(text));
		(void)snprintf(why, WHY, "%s: %s", item->name, text);
	}
	return verdict;
}

static void prove_good(struct engine *engine)
{
	struct op *op = engine->trial.op;

	log_notice("apply: every program has come up: it stays");
	let_go(engine);
	if (op != NULL)
		op_release(op);
}

static void take_back(struct engine *engine, const char *why)
{
	struct op *op = engine->trial.op;
	struct config_errors errors = {0};
	const struct apply_request request = {.uid = HISTORY_NO_UID,
	    .by = APPLIED_BY_ROLLBACK,
	    .op = op,
	    .errors = &errors,
	    .taken_back = why};
	struct config *config = NULL;
	int error;

	log_warning("apply: %s: going back to the configuration from before", why);
	error = load_previous(engine, &config, &errors);
	engine->trial.active = false;
	if (error == 0) {
		error = apply_config(engine, &request, config);
		if (error < 0)
			config_free(config);
	}
	if (error < 0)
		log_error("the configuration from before cannot be applied: %s",
		    errors.count > 0 ? errors.list[0].message : strerror(-error));
	config_errors_done(&errors);
	restore(engine, op);
	let_go(engine);
	if (op != NULL)
		op_release(op);
}

/* What was up when the trial began, and has ended in a run of it. */
static void restore(struct engine *engine, struct op *op)
{
	for (size_t i = 0; i < engine->trial.count; i++) {
		const struct trial_item *item = &engine->trial.items[i];
		struct program *program = engine_find(engine, item->name);

		if (!item->up || program == NULL || program->removed ||
		    program_state(program)->starts == item->run ||
		    program_state(program)->wanted == WANTED_DOWN ||
		    !step_is_at_rest(program_state_of(program)))
			continue;
		if (op != NULL)
			(void)op_add(op, program, OP_UP);
		engine_start(engine, program,
		    &(struct cause){.reason = REASON_CHANGED,
			.detail = changes_find(
			    engine->history, program->run.row, program->config->hash)});
	}
}

/* As it was accepted, whatever the system says now. */
static int load_previous(
    const struct engine *engine, struct config **ret_config, struct config_errors *errors)
{
	struct config_source *sources;
	size_t count;
	int fd = -1, error;

	error = confsource_read_applied(held_fd(engine, HELD_TRIAL), &sources, &count);
	if (error < 0)
		return error;
	error = confsource_write(sources, count - 1, &fd);
	confsource_free(sources, count);
	if (error < 0)
		return error;
	error = config_load_applied(fd, ret_config, errors);
	close(fd);
	return error;
}

static int held_fd(const struct engine *engine, enum held_kind kind)
{
	return slots_get_fd(&engine->slots, slots_find(&engine->slots, held_key(kind, 0, 0)));
}

static void let_go(struct engine *engine)
{
	timers_cancel(&engine->timers, &engine->trial.timer);
	trial_done(&engine->trial);
	slots_release(&engine->slots, slots_find(&engine->slots, held_key(HELD_TRIAL, 0, 0)));
}
