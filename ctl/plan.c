/* SPDX-License-Identifier: ISC */
/* plan.c: superctl plan: what an apply would do, and nothing of it. */
#include "ctl/call.h"
#include "ctl/jsonout.h"
#include "ctl/steps.h"

static enum exitcode on_plan(struct call *call, int parameters, void *context);
static enum exitcode on_error(struct call *call, const char *name, int parameters, void *context);
static void print_json(struct call *call, int steps);

enum exitcode ctl_plan(struct ctl *ctl)
{
	enum exitcode planned = EXITCODE_OK;
	enum exitcode code;
	struct call call;

	call_init(&call, ctl, "Plan", false);
	call_add_names(&call, 0);
	call.read_only = true;
	call.on_reply = on_plan;
	call.on_error = on_error;
	call.context = &planned;
	code = call_run(&call);
	call_done(&call);
	return code != EXITCODE_OK ? code : planned;
}

static enum exitcode on_plan(struct call *call, int parameters, void *context)
{
	enum exitcode *planned = context;
	int steps = jsonr_member(&call->reply, parameters, "steps");

	if (jsonr_first(&call->reply, steps) >= 0)
		*planned = EXITCODE_CHANGES;
	if (call->ctl->options.set & OPTION_JSON)
		print_json(call, steps);
	else if (steps_print(call, steps) == 0)
		out_string(&call->ctl->out, "nothing to do\n");
	out_flush(&call->ctl->out);
	steps_tell_left(call, jsonr_member(&call->reply, parameters, "left"));
	return EXITCODE_OK;
}

/* 2 is taken. */
static enum exitcode on_error(struct call *call, const char *name, int parameters, void *context)
{
	enum exitcode code = call_explain_error(call, name, parameters);

	(void)context;
	return code == EXITCODE_USAGE ? EXITCODE_FAILED : code;
}

/* An array with a step on each line. */
static void print_json(struct call *call, int steps)
{
	struct jsonout json = {0};

	jsonout_add(&json, &call->ctl->out, &call->reply, steps);
	jsonout_end(&json, &call->ctl->out);
}
