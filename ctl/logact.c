/* SPDX-License-Identifier: ISC */
/* logact.c: superctl logs --rotate, --reopen, --clear; see logview.h. */
#include <string.h>

#include "ctl/logview.h"

struct logact {
	option_set option;
	const char *method;
	const char *done;
};

/* What becomes of one log. */
struct attempt {
	const struct logact *act;
	struct logsource *source;
};

static const struct logact acts[] = {
    {OPTION_ROTATE, "RotateLogs", "rotated"},
    {OPTION_REOPEN, "ReopenLogs", "opened anew"},
    {OPTION_CLEAR, "ClearLogs", "cleared"},
};

static enum exitcode act_on(struct logview *view, const struct logact *act, size_t index);
static enum exitcode on_files(struct call *call, int parameters, void *context);
static enum exitcode on_error(struct call *call, const char *name, int parameters, void *context);

enum exitcode logact_run(struct logview *view)
{
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (view->ctl->options.set & acts[i].option)
			for (size_t j = 0; j < view->count; j++)
				view->sources[j].code = act_on(view, &acts[i], j);
	return logview_join(view);
}

static enum exitcode act_on(struct logview *view, const struct logact *act, size_t index)
{
	struct attempt attempt = {act, &view->sources[index]};
	enum exitcode code;
	struct call call;

	call_init(&call, view->ctl, act->method, false);
	jsonw_member_string(&call.request, "name", attempt.source->name);
	call.on_reply = on_files;
	call.on_error = on_error;
	call.context = &attempt;
	code = call_run(&call);
	call_done(&call);
	return code;
}

static enum exitcode on_files(struct call *call, int parameters, void *context)
{
	const struct attempt *attempt = context;
	struct jsonr *reply = &call->reply;
	struct out *out = &call->ctl->out;
	int files = jsonr_member(reply, parameters, "files");

	for (int at = jsonr_first(reply, files); at >= 0; at = jsonr_next(reply, files, at)) {
		out_format(out, "%s: ", attempt->source->name);
		out_text(out, jsonr_text(reply, at, ""), 0);
		out_format(out, " %s\n", attempt->act->done);
	}
	return out_flush(out) < 0 ? EXITCODE_FAILED : EXITCODE_OK;
}

/* Of many, those that write no log are passed over. */
static enum exitcode on_error(struct call *call, const char *name, int parameters, void *context)
{
	const struct attempt *attempt = context;

	if (strcmp(name, "io.superctl.NoLog") == 0) {
		attempt->source->has_no_log = true;
		if (!attempt->source->is_named)
			return EXITCODE_FAILED;
	}
	return call_explain_error(call, name, parameters);
}
