/* SPDX-License-Identifier: ISC */
/* op.c: see op.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/op.h"
#include "supervisord/engine/record.h"

struct op_item {
	LIST_ENTRY(op_item) program_link;
	TAILQ_ENTRY(op_item) op_link;
	struct op *op;
	struct aim aim;
};

struct op {
	struct control_client *client;
	struct engine *engine;
	struct timer timer; /* the earliest of the next three */
	int64_t timeout_ns; /* when the client has waited enough; 0: never, as the others */
	int64_t tell_ns;    /* when to say again what is still waited for */
	bool is_long;       /* it was said once: starts that take their time are told, too */
	int64_t review_ns;  /* when some item's patience ends */
	TAILQ_HEAD(watched_items, op_item) items;
	struct jsonw extra;   /* for the first reply */
	struct jsonw results; /* the array of results that were not sent yet */
	int64_t timeout_ms;
	bool wait;
	bool more; /* tell each result as it comes */
	bool begun;
	bool held;
};

static void begin_waiting(struct op *op);
static void note_patience(const struct op_item *item);
static void arm(struct op *op);
static void on_timer(struct timer *timer);
static void time_out(struct op *op);
static void settle(struct op_item *item, enum verdict verdict, const char *message);
static void write_result(
    struct op *op, const struct program *program, bool ok, bool changed, const char *message);
static void tell_waiting(struct op *op);
static void send_results(struct op *op, const struct jsonw *waiting, bool last);
static void finish_if_settled(struct op *op);
static void drop_item(struct op_item *item);
static void op_free(struct op *op);

bool op_read_request(struct call *call, struct op_request *ret_request)
{
	struct op_request request = {.client = call->client, .wait = true, .timeout_ms = -1};

	if (!call_get_bool(call, "wait", &request.wait) ||
	    !call_get_int(call, "timeout_ms", 0, LIMIT_TIMEOUT_MS, &request.timeout_ms))
		return false;
	*ret_request = request;
	return true;
}

struct op *op_new(const struct op_request *request)
{
	struct op *op = calloc(1, sizeof(*op));

	if (op == NULL)
		return NULL;
	op->client = request->client;
	op->engine = request->client->engine;
	/* Nobody is told, so nobody waits: what follows on the connection need not either. */
	op->wait = request->wait && !request->client->oneway;
	op->timeout_ms = request->timeout_ms;
	op->more = request->client->more;
	op->timer.fire = on_timer;
	TAILQ_INIT(&op->items);
	jsonw_init(&op->results, LIMIT_CONTROL_QUEUE);
	op->client->op = op;
	return op;
}

void op_set_extra(struct op *op, struct jsonw *extra)
{
	/* Of two that were not sent yet, the later one is what has come of it. */
	jsonw_done(&op->extra);
	op->extra = *extra;
	jsonw_init(extra, extra->limit);
}

int op_add(struct op *op, struct program *program, enum op_goal goal)
{
	struct op_item *item = calloc(1, sizeof(*item));

	if (item == NULL)
		return -ENOMEM;
	item->op = op;
	aim_init(&item->aim, program, goal);
	item->aim.reader = op->client;
	TAILQ_INSERT_TAIL(&op->items, item, op_link);
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

	TAILQ_FOREACH_SAFE(item, &op->items, op_link, next)
	{
		enum verdict verdict = aim_judge(&item->aim);

		if (verdict == VERDICT_OPEN && !op->wait)
			settle(item, VERDICT_OK, "requested");
		else if (verdict != VERDICT_OPEN)
			settle(item, verdict, NULL);
		else
			note_patience(item);
	}
	op->begun = true;
	if (!TAILQ_EMPTY(&op->items))
		begin_waiting(op);
	finish_if_settled(op);
}

void op_hold(struct op *op)
{
	op->held = true;
}

void op_release(struct op *op)
{
	op->held = false;
	op_begin(op);
}

void op_note_change(struct program *program)
{
	enum state state = program_state_of(program);
	struct op_item *item, *next;

	LIST_FOREACH_SAFE(item, &program->items, program_link, next)
	{
		struct op *op = item->op;
		enum verdict verdict = op->begun ? aim_judge(&item->aim) : VERDICT_OPEN;

		if (verdict == VERDICT_OPEN) {
			note_patience(item);
			continue;
		}
		settle(item, verdict, NULL);
		finish_if_settled(op);
	}
	if (step_is_at_rest(state) || state == STATE_WAITING)
		control_wake_ops(&program->engine->control);
}

void op_review(struct op *op)
{
	struct op_item *item, *next;

	if (!op->begun)
		return;
	op->review_ns = 0;
	TAILQ_FOREACH_SAFE(item, &op->items, op_link, next)
	{
		enum verdict verdict;

		if (!aim_is_about_others(&item->aim))
			continue;
		verdict = aim_judge(&item->aim);
		if (verdict != VERDICT_OPEN)
			settle(item, verdict, NULL);
		else
			note_patience(item);
	}
	arm(op);
	finish_if_settled(op);
}

void op_note_removed(struct program *program)
{
	struct op_item *item;

	while ((item = LIST_FIRST(&program->items)) != NULL) {
		struct op *op = item->op;

		settle(item,
		    item->aim.goal == OP_DOWN || item->aim.goal == OP_ENDED ? VERDICT_OK
									    : VERDICT_FAILED,
		    "removed");
		if (op->begun)
			finish_if_settled(op);
	}
}

void op_cancel(struct op *op)
{
	op->client->op = NULL;
	op_free(op);
}

static void begin_waiting(struct op *op)
{
	int64_t now_ns = clock_boot_ns();

	if (op->timeout_ms >= 0)
		op->timeout_ns = now_ns + op->timeout_ms * NS_PER_MS;
	if (op->more)
		op->tell_ns = now_ns + OP_TELL_FIRST_NS;
	arm(op);
}

/* It is to be judged again when its patience is over. */
static void note_patience(const struct op_item *item)
{
	struct op *op = item->op;

	if (item->aim.patience_ns == 0 ||
	    (op->review_ns != 0 && op->review_ns <= item->aim.patience_ns))
		return;
	op->review_ns = item->aim.patience_ns;
	if (op->begun)
		arm(op);
}

static void arm(struct op *op)
{
	const int64_t deadlines[] = {op->timeout_ns, op->tell_ns, op->review_ns};
	int64_t next_ns = 0;

	for (size_t i = 0; i < sizeof(deadlines) / sizeof(deadlines[0]); i++)
		if (deadlines[i] != 0 && (next_ns == 0 || deadlines[i] < next_ns))
			next_ns = deadlines[i];
	if (next_ns == 0 || TAILQ_EMPTY(&op->items))
		timers_cancel(&op->engine->timers, &op->timer);
	else
		(void)timers_arm(&op->engine->timers, &op->timer, next_ns);
}

static void on_timer(struct timer *timer)
{
	struct op *op = (struct op *)(void *)((char *)timer - offsetof(struct op, timer));
	int64_t now_ns = clock_boot_ns();

	if (op->timeout_ns != 0 && now_ns >= op->timeout_ns) {
		time_out(op);
		return;
	}
	if (op->tell_ns != 0 && now_ns >= op->tell_ns) {
		tell_waiting(op);
		op->tell_ns = now_ns + OP_TELL_AGAIN_NS;
	}
	op_review(op);
}

static void time_out(struct op *op)
{
	struct op_item *item;

	while ((item = TAILQ_FIRST(&op->items)) != NULL) {
		char message[AIM_TEXT];

		aim_describe_late(&item->aim, message, sizeof(message));
		settle(item, VERDICT_FAILED, message);
	}
	finish_if_settled(op);
}

static void settle(struct op_item *item, enum verdict verdict, const char *message)
{
	char text[AIM_TEXT];

	if (message == NULL) {
		aim_describe(&item->aim, verdict, text, sizeof(text));
		message = text;
	}
	write_result(item->op, item->aim.program, verdict == VERDICT_OK,
	    aim_has_changed(&item->aim, verdict), message);
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
	record_write(w, program, op->client, false);
	jsonw_end_object(w);
}

/* The member `waiting` alone; nothing where there is nothing to say that the command itself does
 * not. */
static void tell_waiting(struct op *op)
{
	char reason[REASON_TEXT], left[AIM_LEFT_TEXT];
	int64_t now_ns = clock_boot_ns(), kill_ns;
	struct op_item *item;
	struct jsonw waiting;
	int told = 0;

	jsonw_init(&waiting, LIMIT_CONTROL_QUEUE);
	TAILQ_FOREACH (item, &op->items, op_link) {
		if (!aim_describe_waiting(&item->aim, reason, sizeof(reason), left, sizeof(left)) &&
		    (!op->is_long || !aim_describe_start(&item->aim, reason, sizeof(reason))))
			continue;
		jsonw_begin_object(&waiting);
		jsonw_member_string(&waiting, "name", program_name(item->aim.program));
		jsonw_member_string(
		    &waiting, "state", step_state_name(program_state_of(item->aim.program)));
		jsonw_member_string(&waiting, "reason", reason);
		jsonw_member_string(&waiting, "left", left[0] != '\0' ? left : NULL);
		kill_ns = aim_kill_ns(&item->aim);
		if (kill_ns != 0)
			jsonw_member_int(&waiting, "kill_ms",
			    kill_ns > now_ns ? (kill_ns - now_ns) / NS_PER_MS : 0);
		jsonw_end_object(&waiting);
		if (++told == OP_TELL_PROGRAMS)
			break;
	}
	op->is_long = true;
	if (told > 0)
		send_results(op, &waiting, false);
	jsonw_done(&waiting);
}

static void send_results(struct op *op, const struct jsonw *waiting, bool last)
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
	if (waiting != NULL) {
		jsonw_key(&w, "waiting");
		jsonw_begin_array(&w);
		jsonw_raw(&w, waiting->data, waiting->length);
		jsonw_end_array(&w);
	}
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

	if (!TAILQ_EMPTY(&op->items) || op->held) {
		if (op->more && (op->results.length > 0 || op->extra.length > 0))
			send_results(op, NULL, false);
		return;
	}
	send_results(op, NULL, true);
	op_free(op);
	control_resume(client);
}

static void drop_item(struct op_item *item)
{
	TAILQ_REMOVE(&item->op->items, item, op_link);
	LIST_REMOVE(item, program_link);
	free(item);
}

static void op_free(struct op *op)
{
	struct op_item *item;

	while ((item = TAILQ_FIRST(&op->items)) != NULL)
		drop_item(item);
	timers_cancel(&op->engine->timers, &op->timer);
	if (op->engine->trial.op == op)
		op->engine->trial.op = NULL;
	jsonw_done(&op->extra);
	jsonw_done(&op->results);
	free(op);
}
