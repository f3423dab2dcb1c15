/* SPDX-License-Identifier: ISC */
/* result.c: see result.h. */
#include <stdio.h>
#include <string.h>

#include "ctl/result.h"

static enum exitcode print(struct call *call, int results, bool needs_running, bool only_failed);
static bool is_place(struct call *call, int program);
static bool is_told(struct call *call, const char *name, const char *message);
static bool is_puzzling(struct jsonr *json, int program);
static void print_result(struct out *out, const char *name, const char *message, bool failed);

enum exitcode result_print_all(struct call *call, int results, bool needs_running)
{
	return print(call, results, needs_running, false);
}

enum exitcode result_print_failed(struct call *call, int results, bool needs_running)
{
	return print(call, results, needs_running, true);
}

static enum exitcode print(struct call *call, int results, bool needs_running, bool only_failed)
{
	struct jsonr *reply = &call->reply;
	enum exitcode code = EXITCODE_OK;
	const char *first = NULL;

	for (int at = jsonr_first(reply, results); at >= 0; at = jsonr_next(reply, results, at)) {
		const char *name = jsonr_text(reply, jsonr_member(reply, at, "name"), "?");
		const char *message = jsonr_text(reply, jsonr_member(reply, at, "message"), "");
		bool ok = jsonr_bool(reply, jsonr_member(reply, at, "ok"), false);
		int program = jsonr_member(reply, at, "program");
		bool has_process = jsonr_int(reply, jsonr_member(reply, program, "pid"), 0) > 0;
		bool changed = jsonr_bool(reply, jsonr_member(reply, at, "changed"), false);

		if (message[0] == '\0')
			message = ok ? "done" : "failed";
		if (ok && is_place(call, program))
			name = jsonr_text(reply, jsonr_member(reply, program, "program"), name);
		if (ok && is_told(call, name, message))
			continue;
		if ((call->ctl->options.set & OPTION_JSON) == 0 && !(ok && only_failed))
			print_result(ok ? &call->ctl->out : &call->ctl->err, name, message, !ok);
		if (!ok && first == NULL && is_puzzling(reply, program))
			first = name;
		if (!ok)
			code = exitcode_join(code, needs_running && !has_process && !changed
						       ? EXITCODE_NOT_RUNNING
						       : EXITCODE_FAILED);
	}
	if (first != NULL && (call->ctl->options.set & (OPTION_JSON | OPTION_QUIET)) == 0)
		result_point_to_why(&call->ctl->err, first);
	out_flush(&call->ctl->out);
	out_flush(&call->ctl->err);
	return code;
}

/* One of many places for connections (accept = true), of which all were meant. */
static bool is_place(struct call *call, int program)
{
	const struct options *options = &call->ctl->options;

	for (size_t i = 0; i < options->name_count; i++)
		if (strchr(options->names[i], '@') != NULL)
			return false;
	return jsonr_int(&call->reply, jsonr_member(&call->reply, program, "max_connections"), 0) >
	       1;
}

/* The same was said just before, of another place, or of what a rollback has restarted once more;
 * one line is enough. */
static bool is_told(struct call *call, const char *name, const char *message)
{
	char line[sizeof(call->told)];

	(void)snprintf(line, sizeof(line), "%s: %s", name, message);
	if (strcmp(line, call->told) == 0)
		return true;
	memcpy(call->told, line, sizeof(line));
	return false;
}

void result_point_to_why(struct out *out, const char *name)
{
	if (!out->tty)
		return;
	out_string(out, "see: superctl why ");
	out_text(out, name, 0);
	out_string(out, "\n");
}

/* It is not where it was sent, and there is a story behind that. */
static bool is_puzzling(struct jsonr *json, int program)
{
	const char *state = jsonr_text(json, jsonr_member(json, program, "state"), "");

	return strcmp(state, "FATAL") == 0 || strcmp(state, "BACKOFF") == 0 ||
	       strcmp(state, "EXITED") == 0 || strcmp(state, "WAITING") == 0;
}

void result_print_waiting(struct call *call, int waiting, const char *before)
{
	struct jsonr *reply = &call->reply;
	struct out *err = &call->ctl->err;

	if (call->ctl->options.set & (OPTION_JSON | OPTION_QUIET))
		return;
	for (int at = jsonr_first(reply, waiting); at >= 0; at = jsonr_next(reply, waiting, at)) {
		const char *left = jsonr_text(reply, jsonr_member(reply, at, "left"), "");
		const char *reason = jsonr_text(reply, jsonr_member(reply, at, "reason"), "");
		int64_t kill_ms = jsonr_int(reply, jsonr_member(reply, at, "kill_ms"), -1);
		const size_t start = err->length;

		out_string(err, before);
		out_text(err, jsonr_text(reply, jsonr_member(reply, at, "name"), "?"), 0);
		out_string(err, ": ");
		if (left[0] != '\0') {
			out_string(err, "still there: ");
			out_text(err, left, 0);
		} else {
			out_text(err, jsonr_text(reply, jsonr_member(reply, at, "state"), "?"), 0);
			out_string(err, reason[0] != '\0' ? ": " : "");
			out_text(err, reason, 0);
		}
		if (kill_ms >= 0)
			out_format(err, ", KILL in %lld s", (long long)(kill_ms + 999) / 1000);
		out_end_line(err, start, 2);
	}
	out_flush(err);
}

static void print_result(struct out *out, const char *name, const char *message, bool failed)
{
	const size_t start = out->length;

	out_text(out, name, 0);
	out_string(out, ": ");
	if (failed)
		out_style(out, OUT_RED);
	out_text(out, message, 0);
	if (failed)
		out_style(out, OUT_PLAIN);
	out_end_line(out, start, 2);
}
