/* SPDX-License-Identifier: ISC */
/* steps.c: see steps.h. */
#include <string.h>

#include "ctl/steps.h"

static void print_step(struct call *call, int step, const char *action);
static void print_change(struct call *call, int change);
static void print_value(struct out *out, enum out_style style, const char *sign, const char *key,
    const char *value, const char *note);
static enum out_style style_of(const char *action);

size_t steps_print(struct call *call, int steps)
{
	struct jsonr *reply = &call->reply;
	size_t count = 0;

	for (int at = jsonr_first(reply, steps); at >= 0; at = jsonr_next(reply, steps, at)) {
		const char *action = jsonr_text(reply, jsonr_member(reply, at, "action"), "");

		if (strcmp(action, "none") == 0)
			continue;
		print_step(call, at, action);
		count++;
	}
	return count;
}

void steps_tell_left(struct call *call, int left)
{
	struct jsonr *reply = &call->reply;
	struct out text = {.fd = -1};
	const char *comma = "";

	for (int at = jsonr_first(reply, left); at >= 0; at = jsonr_next(reply, left, at)) {
		out_string(&text, comma);
		out_string(&text, jsonr_text(reply, at, "?"));
		comma = ", ";
	}
	out_bytes(&text, "", 1);
	if (comma[0] != '\0' && text.error == 0)
		ctl_complain(call->ctl, "also changed in the files, not applied: %s", text.data);
	out_done(&text);
}

static void print_step(struct call *call, int step, const char *action)
{
	struct jsonr *reply = &call->reply;
	struct out *out = &call->ctl->out;
	const char *reason = jsonr_text(reply, jsonr_member(reply, step, "reason"), "");
	int changes = jsonr_member(reply, step, "changes");
	const size_t start = out->length;

	out_text(out, jsonr_text(reply, jsonr_member(reply, step, "name"), "?"), 0);
	out_string(out, ": ");
	out_style(out, style_of(action));
	out_text(out, action, 0);
	out_style(out, OUT_PLAIN);
	if (reason[0] != '\0')
		out_string(out, ": ");
	out_text(out, reason, 0);
	out_end_line(out, start, 4);
	for (int at = jsonr_first(reply, changes); at >= 0; at = jsonr_next(reply, changes, at))
		print_change(call, at);
}

static void print_change(struct call *call, int change)
{
	struct jsonr *reply = &call->reply;
	struct out *out = &call->ctl->out;
	const char *key = jsonr_text(reply, jsonr_member(reply, change, "key"), "?");
	const char *old = jsonr_text(reply, jsonr_member(reply, change, "old"), NULL);
	bool is_next =
	    strcmp(jsonr_text(reply, jsonr_member(reply, change, "class"), ""), "next") == 0;
	const char *new = jsonr_text(reply, jsonr_member(reply, change, "new"), NULL);

	if (old != NULL)
		print_value(out, OUT_RED, "-", key, old, "");
	if (new != NULL)
		print_value(out, OUT_GREEN, "+", key, new,
		    old != NULL && is_next ? "  (from the next start on)" : "");
}

static void print_value(struct out *out, enum out_style style, const char *sign, const char *key,
    const char *value, const char *note)
{
	out_style(out, style);
	out_format(out, "  %s ", sign);
	out_text(out, key, 0);
	out_string(out, " = ");
	out_text(out, value, 0);
	out_style(out, OUT_PLAIN);
	out_string(out, note);
	out_string(out, "\n");
}

static enum out_style style_of(const char *action)
{
	if (strcmp(action, "stop") == 0 || strcmp(action, "remove") == 0)
		return OUT_RED;
	if (strcmp(action, "restart") == 0)
		return OUT_YELLOW;
	if (strcmp(action, "start") == 0 || strcmp(action, "add") == 0)
		return OUT_GREEN;
	return OUT_CYAN;
}
