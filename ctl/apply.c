/* SPDX-License-Identifier: ISC */
/* apply.c: superctl apply and superctl check: what is done with the configuration, and its errors.
 */
#include "ctl/call.h"
#include "ctl/checkfile.h"
#include "ctl/config_errors.h"
#include "ctl/jsonout.h"
#include "ctl/result.h"
#include "ctl/steps.h"

/* The daemon answers at the timeout itself; past this much more it will not answer at all. */
#define GRACE_MS 2000
/* The way back has its own time. */
#define ROLLBACK_GRACE_MS 120000

struct applied {
	bool changed;
	enum exitcode code;
	struct jsonout json;
};

static enum exitcode on_applied(struct call *call, int parameters, void *context);
static enum exitcode on_checked(struct call *call, int parameters, void *context);

enum exitcode ctl_apply(struct ctl *ctl)
{
	struct applied applied = {0};
	enum exitcode code;
	struct call call;

	call_init(&call, ctl, "Apply", true);
	if (ctl->options.name_count > 0)
		call_add_names(&call, 0);
	if (ctl->options.set & OPTION_ROLLBACK)
		jsonw_member_bool(&call.request, "rollback", true);
	call_add_wait(&call);
	call_set_wait(
	    &call, "the change", ctl->options.set & OPTION_ROLLBACK ? ROLLBACK_GRACE_MS : GRACE_MS);
	call.on_reply = on_applied;
	call.context = &applied;
	code = call_run(&call);
	jsonout_end(&applied.json, &ctl->out);
	call_done(&call);
	if (code == EXITCODE_OK && !applied.changed && applied.code == EXITCODE_OK)
		out_string(&ctl->out, "nothing changed\n");
	return exitcode_join(code, applied.code);
}

enum exitcode ctl_check(struct ctl *ctl)
{
	enum exitcode code;
	struct call call;

	if (ctl->options.name_count > 0)
		return checkfile_run(ctl);
	call_init(&call, ctl, "Check", false);
	call.read_only = true;
	call.on_reply = on_checked;
	code = call_run(&call);
	call_done(&call);
	return code;
}

static enum exitcode on_applied(struct call *call, int parameters, void *context)
{
	struct applied *applied = context;
	struct jsonr *reply = &call->reply;
	struct out *out = &call->ctl->out;
	int steps = jsonr_member(reply, parameters, "steps");
	int results = jsonr_member(reply, parameters, "results");
	const char *rolled_back =
	    jsonr_text(reply, jsonr_member(reply, parameters, "rolled_back"), "");

	if (rolled_back[0] != '\0') {
		out_flush(out);
		ctl_complain(call->ctl, "rolled back: %s", rolled_back);
		applied->code = EXITCODE_FAILED;
	}
	if (call->ctl->options.set & OPTION_JSON) {
		/* Steps have an action, results say whether they are ok. */
		jsonout_add(&applied->json, out, reply, steps);
		jsonout_add(&applied->json, out, reply, results);
		applied->changed = true;
		applied->code =
		    exitcode_join(applied->code, result_print_all(call, results, false));
		return EXITCODE_OK;
	}
	if (steps_print(call, steps) > 0)
		applied->changed = true;
	if (jsonr_first(reply, results) >= 0)
		applied->changed = true;
	out_flush(out);
	steps_tell_left(call, jsonr_member(reply, parameters, "left"));
	applied->code = exitcode_join(applied->code, result_print_all(call, results, false));
	result_print_waiting(call, jsonr_member(reply, parameters, "waiting"), "");
	return EXITCODE_OK;
}

static enum exitcode on_checked(struct call *call, int parameters, void *context)
{
	(void)context;
	return config_errors_report(call, parameters);
}
