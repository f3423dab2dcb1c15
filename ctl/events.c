/* SPDX-License-Identifier: ISC */
/*
 * events.c: superctl events.  Who follows goes on after the number that it was told last, also over
 * a restart of the engine; what it has missed is said in the place where it is missing.
 */
#include <string.h>

#include "lib/clock.h"
#include "lib/timestamp.h"
#include "ctl/call.h"
#include "ctl/event.h"
#include "ctl/when.h"

struct view {
	int64_t last;   /* number that was told, -1: none yet */
	bool is_ending; /* supervisord has said that it shuts down */
};

static enum exitcode follow(struct ctl *ctl, struct view *view);
static enum exitcode ask(struct ctl *ctl, struct view *view);
static enum exitcode on_events(struct call *call, int parameters, void *context);
static void print_gap(struct call *call, int gap);
static void print_event(struct call *call, int event, int64_t now_ns);

enum exitcode ctl_events(struct ctl *ctl)
{
	const struct options *options = &ctl->options;
	struct view view = {.last = options->since_number};

	return (options->set & OPTION_FOLLOW) ? follow(ctl, &view) : ask(ctl, &view);
}

/* Until nobody reads any more, or supervisord has gone. */
static enum exitcode follow(struct ctl *ctl, struct view *view)
{
	for (;;) {
		int64_t last = view->last;
		enum exitcode code = ask(ctl, view);

		if (code != EXITCODE_OK || ctl->out.error != 0 || view->is_ending)
			return code;
		/* The engine has gone: the next one goes on with the numbers. */
		if (last == view->last) { /* it lives for a moment only, and has nothing new */
			struct call pause = {.ctl = ctl, .signal_fd = -1};

			(void)call_wait(&pause, -1, 0, 50);
		}
	}
}

static enum exitcode ask(struct ctl *ctl, struct view *view)
{
	const struct options *options = &ctl->options;
	bool follows = (options->set & OPTION_FOLLOW) != 0;
	bool has_time = (options->set & OPTION_SINCE) != 0 && options->since_number < 0;
	enum exitcode code;
	struct call call;

	call_init(&call, ctl, "Events", follows);
	call_add_names(&call, 0);
	if (view->last >= 0)
		jsonw_member_int(&call.request, "since", view->last);
	else
		jsonw_member_int(&call.request, "lines", has_time ? -1 : options->lines);
	call_set_follow(&call, follows);
	call.on_reply = on_events;
	call.context = view;
	code = call_run(&call);
	call_done(&call);
	return code;
}

static enum exitcode on_events(struct call *call, int parameters, void *context)
{
	struct jsonr *reply = &call->reply;
	struct view *view = context;
	const struct options *options = &call->ctl->options;
	bool has_time = (options->set & OPTION_SINCE) != 0 && options->since_number < 0;
	int events = jsonr_member(reply, parameters, "events");
	int64_t now_ns = clock_wall_ns(), at_ns;

	print_gap(call, jsonr_member(reply, parameters, "gap"));
	for (int at = jsonr_first(reply, events); at >= 0; at = jsonr_next(reply, events, at)) {
		size_t length = 0;
		const char *raw = jsonr_raw(reply, at, &length);
		bool json = (options->set & OPTION_JSON) != 0;
		const char *time;

		if (json && !has_time) { /* as received: so before anything in it is read */
			out_bytes(&call->ctl->out, raw, length);
			out_string(&call->ctl->out, "\n");
		}
		time = jsonr_text(reply, jsonr_member(reply, at, "time"), "");
		if (has_time && timestamp_parse(time, strlen(time), &at_ns) == 0 &&
		    at_ns < options->since_ns)
			continue;
		if (json && has_time) {
			out_bytes(&call->ctl->out, raw, length);
			out_string(&call->ctl->out, "\n");
		}
		if (!json)
			print_event(call, at, now_ns);
		if (strcmp(jsonr_text(reply, jsonr_member(reply, at, "kind"), ""), "shutdown") == 0)
			view->is_ending = true;
	}
	view->last = jsonr_int(reply, jsonr_member(reply, parameters, "last"), view->last);
	return out_flush(&call->ctl->out) < 0 ? EXITCODE_FAILED : EXITCODE_OK;
}

static void print_gap(struct call *call, int gap)
{
	struct jsonr *reply = &call->reply;
	struct out *out = &call->ctl->out;
	long long from, to;

	if (!jsonr_is(reply, gap, JSONR_OBJECT))
		return;
	from = (long long)jsonr_int(reply, jsonr_member(reply, gap, "from"), 0);
	to = (long long)jsonr_int(reply, jsonr_member(reply, gap, "to"), 0);
	if (call->ctl->options.set & OPTION_JSON)
		out_format(out, "{\"gap\":{\"from\":%lld,\"to\":%lld}}\n", from, to);
	else if (to >= from)
		out_format(out, "... events %lld to %lld are not remembered any more\n", from, to);
	else
		out_format(
		    out, "... the numbers begin anew: %lld was of another supervisord\n", from);
}

static void print_event(struct call *call, int event, int64_t now_ns)
{
	struct jsonr *reply = &call->reply;
	struct out *out = &call->ctl->out;
	const size_t start = out->length;
	char when[WHEN_SIZE];

	out_style(out, OUT_DIM);
	out_format(
	    out, "%6lld  ", (long long)jsonr_int(reply, jsonr_member(reply, event, "number"), 0));
	out_text(out,
	    when_format(jsonr_text(reply, jsonr_member(reply, event, "time"), ""), now_ns, when),
	    0);
	out_style(out, OUT_PLAIN);
	out_string(out, "  ");
	out_style(out, OUT_BOLD);
	out_text(out, jsonr_text(reply, jsonr_member(reply, event, "name"), "supervisord"), 0);
	out_style(out, OUT_PLAIN);
	out_string(out, ": ");
	event_print_words(out, reply, event);
	out_end_line(out, start, 8);
}
