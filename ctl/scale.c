/* SPDX-License-Identifier: ISC */
/* scale.c: superctl scale: another number of instances, until the next apply. */
#include <string.h>

#include "lib/limits.h"
#include "lib/units.h"
#include "ctl/call.h"
#include "ctl/jsonout.h"
#include "ctl/result.h"
#include "ctl/steps.h"

#define GRACE_MS 2000

/* "web=8", "web+2", "web=-1" */
struct wish {
	char name[LIMIT_NAME];
	bool is_change; /* `number` is to be added */
	int64_t number;
};

struct scaled {
	bool changed;
	enum exitcode code;
	struct jsonout json;
};

static bool read_wish(struct ctl *ctl, const char *word, struct wish *ret_wish);
static enum exitcode on_scaled(struct call *call, int parameters, void *context);

enum exitcode ctl_scale(struct ctl *ctl)
{
	struct scaled scaled = {0};
	enum exitcode code = EXITCODE_OK;
	struct call call;

	call_init(&call, ctl, "Scale", true);
	jsonw_key(&call.request, "programs");
	jsonw_begin_array(&call.request);
	for (size_t i = 0; i < ctl->options.name_count && code == EXITCODE_OK; i++) {
		struct wish wish;

		if (!read_wish(ctl, ctl->options.names[i], &wish)) {
			code = EXITCODE_USAGE;
			break;
		}
		jsonw_begin_object(&call.request);
		jsonw_member_string(&call.request, "name", wish.name);
		jsonw_member_int(
		    &call.request, wish.is_change ? "change" : "instances", wish.number);
		jsonw_end_object(&call.request);
	}
	jsonw_end_array(&call.request);
	call_add_wait(&call);
	call_set_wait(&call, "the change", GRACE_MS);
	call.on_reply = on_scaled;
	call.context = &scaled;
	if (code == EXITCODE_OK)
		code = call_run(&call);
	jsonout_end(&scaled.json, &ctl->out);
	call_done(&call);
	if (code == EXITCODE_OK && !scaled.changed && scaled.code == EXITCODE_OK &&
	    (ctl->options.set & OPTION_JSON) == 0)
		out_string(&ctl->out, "nothing changed\n");
	return exitcode_join(code, scaled.code);
}

static bool read_wish(struct ctl *ctl, const char *word, struct wish *ret_wish)
{
	size_t length = strcspn(word, "=+");
	const char *at = word + length;
	uint64_t number;
	bool minus;

	if (*at == '=')
		at++;
	minus = *at == '-';
	ret_wish->is_change = minus || *at == '+';
	if (ret_wish->is_change)
		at++;
	if (length == 0 || length >= sizeof(ret_wish->name) || word[length] == '\0' ||
	    units_parse_count(at, 0, LIMIT_INSTANCES, &number) < 0) {
		ctl_complain(ctl,
		    "scale: %s: a program and a number up to %d are needed: web=8, web=+2, web=-1",
		    word, LIMIT_INSTANCES);
		return false;
	}
	if (memchr(word, '@', length) != NULL) {
		ctl_complain(ctl,
		    "scale: %s: a program has instances, not one of them: %.*s%s is "
		    "allowed",
		    word, (int)strcspn(word, "@"), word, word + length);
		return false;
	}
	memcpy(ret_wish->name, word, length);
	ret_wish->name[length] = '\0';
	ret_wish->number = minus ? -(int64_t)number : (int64_t)number;
	return true;
}

static enum exitcode on_scaled(struct call *call, int parameters, void *context)
{
	struct scaled *scaled = context;
	struct jsonr *reply = &call->reply;
	int steps = jsonr_member(reply, parameters, "steps");
	int results = jsonr_member(reply, parameters, "results");

	if (call->ctl->options.set & OPTION_JSON) {
		jsonout_add(&scaled->json, &call->ctl->out, reply, steps);
		jsonout_add(&scaled->json, &call->ctl->out, reply, results);
	} else if (steps_print(call, steps) > 0 || jsonr_first(reply, results) >= 0) {
		scaled->changed = true;
	}
	out_flush(&call->ctl->out);
	scaled->code = exitcode_join(scaled->code, result_print_all(call, results, false));
	result_print_waiting(call, jsonr_member(reply, parameters, "waiting"), "");
	return EXITCODE_OK;
}
