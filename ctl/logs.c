/* SPDX-License-Identifier: ISC */
/*
 * logs.c: superctl logs.  What a program wrote is shown as it is, on a terminal too, as tail(1)
 * does it: colours are part of it, and who wants it tame pipes it through cat -v.
 */
#include <string.h>

#include "ctl/call.h"

static enum exitcode on_data(struct call *call, int parameters, void *context);

enum exitcode ctl_logs(struct ctl *ctl)
{
	const struct options *options = &ctl->options;
	enum exitcode code;
	struct call call;

	call_init(&call, ctl, "Logs", true);
	jsonw_member_string(&call.request, "name", options->names[0]);
	jsonw_member_int(&call.request, "lines", options->lines);
	if (options->set & OPTION_FOLLOW)
		jsonw_member_bool(&call.request, "follow", true);
	if (options->set & OPTION_STDERR)
		jsonw_member_bool(&call.request, "stderr", true);
	/* Only before the first line: what was shown is not shown again. */
	call.read_only = true;
	call.ends_with_output = true;
	call.on_reply = on_data;
	code = call_run(&call);
	call_done(&call);
	return code;
}

static enum exitcode on_data(struct call *call, int parameters, void *context)
{
	int data = jsonr_member(&call->reply, parameters, "data");
	size_t length = 0;
	const char *bytes = jsonr_bytes(&call->reply, data, &length);

	(void)context;
	if (bytes == NULL)
		return EXITCODE_OK;
	out_bytes(&call->ctl->out, bytes, length);
	return out_flush(&call->ctl->out) < 0 ? EXITCODE_FAILED : EXITCODE_OK;
}
