/* SPDX-License-Identifier: ISC */
/*
 * message.c: superctl send and messages: the IPC channel of a program.
 *
 * Following outlives the engine: the service is asked again for what comes after the last message
 * that was shown.
 */
#include <stdlib.h>
#include <string.h>

#include "ctl/call.h"
#include "lib/limits.h"

struct show {
	int64_t last; /* number of the last message that was shown */
};

static enum exitcode on_sent(struct call *call, int parameters, void *context);
static enum exitcode ask(struct ctl *ctl, struct show *show, bool first);
static enum exitcode on_messages(struct call *call, int parameters, void *context);
static void print_message(struct ctl *ctl, struct jsonr *reply, int message);

enum exitcode ctl_send(struct ctl *ctl)
{
	enum exitcode code;
	struct jsonr json;
	struct call call;
	char *copy = strdup(ctl->options.names[1]);

	jsonr_init(&json);
	if (copy == NULL || jsonr_parse(&json, copy, strlen(copy), LIMIT_IPC_DEPTH) < 0) {
		ctl_complain(ctl,
		    "'%s' is not JSON: one value is allowed, such as '{\"a\":1}', 5 or '\"word\"'",
		    ctl->options.names[1]);
		jsonr_done(&json);
		free(copy);
		return EXITCODE_USAGE;
	}
	jsonr_done(&json);
	free(copy);
	call_init(&call, ctl, "SendMessage", false);
	jsonw_member_string(&call.request, "name", ctl->options.names[0]);
	jsonw_member_string(&call.request, "message", ctl->options.names[1]);
	call.on_reply = on_sent;
	code = call_run(&call);
	call_done(&call);
	return code;
}

enum exitcode ctl_messages(struct ctl *ctl)
{
	struct show show = {0};
	enum exitcode code = ask(ctl, &show, true);

	/* The connection has ended: the engine was replaced, or we did not read. */
	while (code == EXITCODE_OK && (ctl->options.set & OPTION_FOLLOW))
		code = ask(ctl, &show, false);
	return code;
}

static enum exitcode on_sent(struct call *call, int parameters, void *context)
{
	(void)call;
	(void)parameters;
	(void)context;
	return EXITCODE_OK;
}

static enum exitcode ask(struct ctl *ctl, struct show *show, bool first)
{
	bool follows = (ctl->options.set & OPTION_FOLLOW) != 0;
	enum exitcode code;
	struct call call;

	call_init(&call, ctl, "Messages", follows);
	jsonw_member_string(&call.request, "name", ctl->options.names[0]);
	if (first)
		jsonw_member_int(&call.request, "lines",
		    ctl->options.set & OPTION_LINES ? ctl->options.lines : 10);
	else
		jsonw_member_int(&call.request, "after", show->last);
	call_set_follow(&call, follows);
	call.on_reply = on_messages;
	call.context = show;
	code = call_run(&call);
	call_done(&call);
	return code;
}

static enum exitcode on_messages(struct call *call, int parameters, void *context)
{
	struct jsonr *reply = &call->reply;
	int messages = jsonr_member(reply, parameters, "messages");
	struct show *show = context;

	for (int at = jsonr_first(reply, messages); at >= 0; at = jsonr_next(reply, messages, at)) {
		show->last = jsonr_int(reply, jsonr_member(reply, at, "number"), show->last);
		print_message(call->ctl, reply, at);
	}
	(void)out_flush(&call->ctl->out);
	return EXITCODE_OK;
}

static void print_message(struct ctl *ctl, struct jsonr *reply, int message)
{
	const char *time = jsonr_text(reply, jsonr_member(reply, message, "time"), "");
	const char *text = jsonr_text(reply, jsonr_member(reply, message, "message"), "null");

	if (ctl->options.set & OPTION_JSON)
		out_format(&ctl->out, "{\"number\":%lld,\"time\":\"%s\",\"message\":",
		    (long long)jsonr_int(reply, jsonr_member(reply, message, "number"), 0), time);
	else
		out_format(&ctl->out, "%s ", time);
	out_string(&ctl->out, text);
	out_string(&ctl->out, ctl->options.set & OPTION_JSON ? "}\n" : "\n");
}
