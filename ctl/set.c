/* SPDX-License-Identifier: ISC */
/* set.c: superctl set and unset: other values for a program until the next apply, and what is
 * overridden; superctl forget, whose replies are the same. */
#include <string.h>

#include "ctl/assign.h"
#include "ctl/call.h"
#include "ctl/jsonout.h"
#include "ctl/result.h"
#include "ctl/stanzas.h"
#include "ctl/steps.h"

#define GRACE_MS 2000

struct amended {
	bool changed;
	enum exitcode code;
	struct jsonout json;
};

static enum exitcode on_not_forgotten(
    struct call *call, const char *name, int parameters, void *context);
static enum exitcode show(struct ctl *ctl);
static enum exitcode on_overrides(struct call *call, int parameters, void *context);
static void run(struct call *call, struct amended *amended);
static enum exitcode finish(struct ctl *ctl, struct amended *amended);
static enum exitcode on_amended(struct call *call, int parameters, void *context);

enum exitcode ctl_set(struct ctl *ctl)
{
	const struct options *options = &ctl->options;
	struct amended amended = {.code = EXITCODE_USAGE};
	struct call call;

	if (options->name_count < 2)
		return show(ctl);
	call_init(&call, ctl, "Set", true);
	jsonw_member_string(&call.request, "name", options->names[0]);
	jsonw_key(&call.request, "settings");
	if (assign_write(ctl, options->names + 1, options->name_count - 1, &call.request)) {
		amended.code = EXITCODE_OK;
		run(&call, &amended);
		amended.code = finish(ctl, &amended);
	}
	call_done(&call);
	return amended.code;
}

enum exitcode ctl_unset(struct ctl *ctl)
{
	const struct options *options = &ctl->options;
	struct amended amended = {0};
	struct call call;

	call_init(&call, ctl, "Unset", true);
	jsonw_member_string(&call.request, "name", options->names[0]);
	jsonw_key(&call.request, "keys");
	jsonw_begin_array(&call.request);
	for (size_t i = 1; i < options->name_count; i++)
		jsonw_string(&call.request, options->names[i]);
	jsonw_end_array(&call.request);
	run(&call, &amended);
	call_done(&call);
	return finish(ctl, &amended);
}

enum exitcode ctl_forget(struct ctl *ctl)
{
	struct stanzas stanzas;
	struct amended amended = {.code = stanzas_find(ctl, true, &stanzas)};

	for (size_t i = 0; i < stanzas.count; i++) {
		struct call call;

		call_init(&call, ctl, "Forget", true);
		jsonw_member_string(&call.request, "name", stanzas.list[i].name);
		if (!stanzas.list[i].meant)
			call.on_error = on_not_forgotten;
		run(&call, &amended);
		call_done(&call);
	}
	stanzas_done(&stanzas);
	return finish(ctl, &amended);
}

/* Of those that a glob stands for only some can be. */
static enum exitcode on_not_forgotten(
    struct call *call, const char *name, int parameters, void *context)
{
	(void)context;
	return strcmp(name, "io.superctl.NotForgotten") == 0
		   ? EXITCODE_OK
		   : call_explain_error(call, name, parameters);
}

/* What is overridden, of the one that is named or of all. */
static enum exitcode show(struct ctl *ctl)
{
	enum exitcode code;
	struct call call;

	call_init(&call, ctl, "Overrides", false);
	call_add_names(&call, 0);
	call.read_only = true;
	call.on_reply = on_overrides;
	code = call_run(&call);
	call_done(&call);
	return code;
}

static enum exitcode on_overrides(struct call *call, int parameters, void *context)
{
	struct jsonr *reply = &call->reply;
	struct out *out = &call->ctl->out;
	int overrides = jsonr_member(reply, parameters, "overrides");
	struct jsonout json = {0};

	(void)context;
	if (call->ctl->options.set & OPTION_JSON) {
		jsonout_add(&json, out, reply, overrides);
		jsonout_end(&json, out);
		return EXITCODE_OK;
	}
	if (jsonr_first(reply, overrides) < 0)
		out_string(out, "nothing is overridden\n");
	for (int at = jsonr_first(reply, overrides); at >= 0;
	     at = jsonr_next(reply, overrides, at)) {
		const char *file = jsonr_text(reply, jsonr_member(reply, at, "file"), "");

		out_text(out, jsonr_text(reply, jsonr_member(reply, at, "name"), "?"), 0);
		out_string(out, ": ");
		out_text(out, jsonr_text(reply, jsonr_member(reply, at, "key"), "?"), 0);
		out_string(out, " = ");
		out_text(out, jsonr_text(reply, jsonr_member(reply, at, "value"), ""), 0);
		out_style(out, OUT_DIM);
		if (file[0] == '\0') {
			out_string(out, "  # superctl set, until the next apply");
		} else {
			out_string(out, "  # ");
			out_text(out, file, 0);
			out_format(out, ":%lld",
			    (long long)jsonr_int(reply, jsonr_member(reply, at, "line"), 0));
		}
		out_style(out, OUT_PLAIN);
		out_string(out, "\n");
	}
	return EXITCODE_OK;
}

/* The rest of a call, of one of several perhaps. */
static void run(struct call *call, struct amended *amended)
{
	if (call->ctl->options.set & OPTION_PERSIST)
		jsonw_member_bool(&call->request, "persist", true);
	call_add_wait(call);
	call_set_wait(call, "the change", GRACE_MS);
	call->on_reply = on_amended;
	call->context = amended;
	amended->code = exitcode_join(amended->code, call_run(call));
}

static enum exitcode finish(struct ctl *ctl, struct amended *amended)
{
	jsonout_end(&amended->json, &ctl->out);
	if (!amended->changed && amended->code == EXITCODE_OK &&
	    (ctl->options.set & OPTION_JSON) == 0)
		out_string(&ctl->out, "nothing changed\n");
	return amended->code;
}

static enum exitcode on_amended(struct call *call, int parameters, void *context)
{
	struct amended *amended = context;
	struct jsonr *reply = &call->reply;
	struct out *out = &call->ctl->out;
	int steps = jsonr_member(reply, parameters, "steps");
	int results = jsonr_member(reply, parameters, "results");
	const char *file = jsonr_text(reply, jsonr_member(reply, parameters, "file"), "");

	if (call->ctl->options.set & OPTION_JSON) {
		jsonout_add(&amended->json, out, reply, steps);
		jsonout_add(&amended->json, out, reply, results);
	} else if (steps_print(call, steps) > 0 || jsonr_first(reply, results) >= 0) {
		amended->changed = true;
	}
	if (file[0] != '\0' && (call->ctl->options.set & OPTION_JSON) == 0) {
		out_string(out, "written to ");
		out_text(out, file, 0);
		out_string(out, "\n");
		amended->changed = true;
	}
	out_flush(out);
	amended->code = exitcode_join(amended->code, result_print_all(call, results, false));
	result_print_waiting(call, jsonr_member(reply, parameters, "waiting"), "");
	return EXITCODE_OK;
}
