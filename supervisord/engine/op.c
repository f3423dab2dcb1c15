/* SPDX-License-Identifier: ISC */
/* op.c: see op.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/op.h"
#include "supervisord/engine/policy.h"
#include "supervisord/engine/record.h"

struct op_item {
	LIST_ENTRY(op_item) program_link;
	LIST_ENTRY(op_item) op_link;
	struct op *op;
	struct program *program;
	enum op_goal goal;
	uint64_t run_before;
	enum state state_before;
};

struct op {
	struct control_client *client;
	struct engine *engine;
	struct timer timer;
	LIST_HEAD(watched_items, op_item) items;
	struct jsonw extra;   /* for the first reply */
	struct jsonw results; /* the array of results that were not sent yet */
	int64_t timeout_ms;
	bool wait;
	bool more; /* tell each result as it comes */
	bool begun;
};

enum verdict { VERDICT_OPEN, VERDICT_OK, VERDICT_FAILED };

static void on_timeout(struct timer *timer);
static enum verdict judge(const struct op_item *item);
static enum verdict judge_up(const struct op_item *item);
static void settle(struct op_item *item, enum verdict verdict, const char *message);
static void write_result(
    struct op *op, const struct program *program, bool ok, bool changed, const char *message);
static const char *describe(
    const struct op_item *item, enum verdict verdict, char *buffer, size_t size);
static void send_results(struct op *op, bool last);
static void finish_if_settled(struct op *op);
static void drop_item(struct op_item *item);
static void op_free(struct op *op);

struct op *op_new(const struct op_request *request)
{
	struct op *op = calloc(1, sizeof(*op));

	if (op == NULL)
		return NULL;
	op->client = request->client;
	op->engine = request->client->engine;
	op->wait = request->wait;
	op->timeout_ms = request->timeout_ms;
	op->more = request->client->more;
	op->timer.fire = on_timeout;
	LIST_INIT(&op->items);
	jsonw_init(&op->results, LIMIT_CONTROL_QUEUE);
	op->client->op = op;
	return op;
}

void op_set_extra(struct op *op, struct jsonw *extra)
{
	op->extra = *extra;
	jsonw_init(extra, extra->limit);
}

int op_add(struct op *op, struct program *program, enum op_goal goal)
{
	struct op_item *item = calloc(1, sizeof(*item));

	if (item == NULL)
		return -ENOMEM;
	item->op = op;
	item->program = program;
	item->goal = goal;
	item->run_before = program_state(program)->starts;
	item->state_before = program_state_of(program);
	LIST_INSERT_HEAD(&op->items, item, op_link);
	LIST_INSERT_HEAD(&program->items, item, program_link);
	return 0;
}

void op_add_result(struct op *op, const struct program *program, bool ok, const char *message)
{
	write_result(op, program, ok, ok, message);
}

void op_begin(struct op *op)
{
	struct op_item *item, *next;

	LIST_FOREACH_SAFE(item, &op->items, op_link, next)
	{
		enum verdict verdict = judge(item);

		if (verdict == VERDICT_OPEN && !op->wait)
			settle(item, VERDICT_OK, "requested");
		else if (verdict != VERDICT_OPEN)
			settle(item, verdict, NULL);
	}
	op->begun = true;
	if (!LIST_EMPTY(&op->items) && op->timeout_ms >= 0)
		(void)timers_arm(
		    &op->engine->timers, &op->timer, clock_boot_ns() + op->timeout_ms * NS_PER_MS);
	finish_if_settled(op);
}

void op_note_change(struct program *program)
{
	struct op_item *item, *next;

	LIST_FOREACH_SAFE(item, &program->items, program_link, next)
	{
		struct op *op = item->op;
		enum verdict verdict = op->begun ? judge(item) : VERDICT_OPEN;

		if (verdict == VERDICT_OPEN)
			continue;
		settle(item, verdict, NULL);
		finish_if_settled(op);
	}
}

void op_note_removed(struct program *program)
{
	struct op_item *item;

	while ((item = LIST_FIRST(&program->items)) != NULL) {
		struct op *op = item->op;

		settle(item, item->goal == OP_DOWN ? VERDICT_OK : VERDICT_FAILED, "removed");
		if (op->begun)
			finish_if_settled(op);
	}
}

void op_cancel(struct op *op)
{
	op->client->op = NULL;
	op_free(op);
}

static void on_timeout(struct timer *timer)
{
	struct op *op = (struct op *)(void *)((char *)timer - offsetof(struct op, timer));
	struct op_item *item;

	while ((item = LIST_FIRST(&op->items)) != NULL)
		settle(item, VERDICT_FAILED,
		    "not there yet: the timeout is over, the command goes on");
	finish_if_settled(op);
}

static enum verdict judge(const struct op_item *item)
{
	enum state state = program_state_of(item->program);
	bool other_run;

	switch (item->goal) {
	case OP_NONE:
		return VERDICT_OK;
	case OP_UP:
		return judge_up(item);
	case OP_DOWN:
		if (step_is_at_rest(state))
			return VERDICT_OK;
		return state != STATE_STOPPING && program_state(item->program)->wanted == WANTED_UP
			   ? VERDICT_FAILED
			   : VERDICT_OPEN;
	case OP_RESTARTED:
		other_run = program_state(item->program)->starts != item->run_before;
		return other_run || program_state(item->program)->wanted == WANTED_DOWN
			   ? judge_up(item)
			   : VERDICT_OPEN;
	}
	return VERDICT_OK;
}

static enum verdict judge_up(const struct op_item *item)
{
	const struct ledger_state *state = program_state(item->program);

	switch ((enum state)state->state) {
	case STATE_WAITING:
	case STATE_STARTING:
	case STATE_STOPPING:
		return VERDICT_OPEN;
	case STATE_RUNNING:
		return VERDICT_OK;
	case STATE_EXITED:
		return policy_is_success(
			   &item->program->config->key_success_exit, state->last_wstatus) &&
			       state->reason == REASON_EXIT
			   ? VERDICT_OK
			   : VERDICT_FAILED;
	case STATE_STOPPED:
	case STATE_BACKOFF:
	case STATE_FATAL:
	case STATE_COUNT:
		break;
	}
	return VERDICT_FAILED;
}

static void settle(struct op_item *item, enum verdict verdict, const char *message)
{
	struct op *op = item->op;
	char text[REASON_TEXT + 64];
	bool changed = program_state_of(item->program) != item->state_before ||
		       program_state(item->program)->starts != item->run_before;

	if (message == NULL)
		message = describe(item, verdict, text, sizeof(text));
	write_result(op, item->program, verdict == VERDICT_OK, changed, message);
	drop_item(item);
}

static void write_result(
    struct op *op, const struct program *program, bool ok, bool changed, const char *message)
{
	struct jsonw *w = &op->results;

	jsonw_begin_object(w);
	jsonw_member_string(w, "name", program_name(program));
	jsonw_member_bool(w, "ok", ok);
	jsonw_member_bool(w, "changed", changed);
	jsonw_member_string(w, "message", message);
	jsonw_key(w, "program");
	record_write(w, program, false);
	jsonw_end_object(w);
}

static const char *describe(
    const struct op_item *item, enum verdict verdict, char *buffer, size_t size)
{
	const struct program *program = item->program;
	enum state state = program_state_of(program);
	char reason[REASON_TEXT];
	const char *what = item->goal == OP_RESTARTED ? "restarted" : "started";

	program_reason(program, reason, sizeof(reason));
	if (verdict == VERDICT_FAILED)
		(void)snprintf(buffer, size, "%s%s%s", step_state_name(state),
		    reason[0] != '\0' ? ": " : "", reason);
	else if (item->goal == OP_DOWN)
		(void)snprintf(buffer, size, "%s",
		    step_is_at_rest(item->state_before) ? "was not running" : "stopped");
	else if (state == STATE_RUNNING && item->state_before == STATE_RUNNING &&
		 item->goal == OP_UP)
		(void)snprintf(
		    buffer, size, "is running already (pid %d)", (int)program_pid(program));
	else if (state == STATE_RUNNING)
		(void)snprintf(buffer, size, "%s (pid %d)", what, (int)program_pid(program));
	else
		(void)snprintf(
		    buffer, size, "%s%s%s", what, reason[0] != '\0' ? "; it " : "", reason);
	return buffer;
}

static void send_results(struct op *op, bool last)
{
	struct jsonw w;

	jsonw_init(&w, LIMIT_CONTROL_QUEUE);
	jsonw_begin_object(&w);
	jsonw_key(&w, "parameters");
	jsonw_begin_object(&w);
	if (op->extra.length > 0) {
		jsonw_raw(&w, op->extra.data, op->extra.length);
		jsonw_raw(&w, ",", 1);
		jsonw_done(&op->extra);
	}
	jsonw_key(&w, "results");
	jsonw_begin_array(&w);
	jsonw_raw(&w, op->results.data, op->results.length);
	jsonw_end_array(&w);
	jsonw_end_object(&w);
	if (!last)
		jsonw_member_bool(&w, "continues", true);
	jsonw_end_object(&w);
	if (jsonw_error(&op->results) < 0)
		w.error = jsonw_error(&op->results);
	control_reply(op->client, &w);
	jsonw_done(&w);
	jsonw_reset(&op->results);
}

static void finish_if_settled(struct op *op)
{
	struct control_client *client = op->client;

	if (!LIST_EMPTY(&op->items)) {
		if (op->more && (op->results.length > 0 || op->extra.length > 0))
			send_results(op, false);
		return;
	}
	send_results(op, true);
	op_free(op);
	control_resume(client);
}

static void drop_item(struct op_item *item)
{
	LIST_REMOVE(item, op_link);
	LIST_REMOVE(item, program_link);
	free(item);
}

static void op_free(struct op *op)
{
	struct op_item *item;

	while ((item = LIST_FIRST(&op->items)) != NULL)
		drop_item(item);
	timers_cancel(&op->engine->timers, &op->timer);
	jsonw_done(&op->extra);
	jsonw_done(&op->results);
	free(op);
}
