/* SPDX-License-Identifier: ISC */
/*
 * why.c: superctl why: first how it is, then how it came to be so, the last thing that happened at
 * the end, then what comes next.  Of the program that it waits for the same, and so on.
 */
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/timestamp.h"
#include "lib/units.h"
#include "ctl/call.h"
#include "ctl/jsonout.h"
#include "ctl/event.h"
#include "ctl/program.h"
#include "ctl/when.h"

/* An apply this long before what it has caused is told with its own time. */
#define APPLIED_BEFORE_NS NS_PER_S

static enum exitcode on_stories(struct call *call, int parameters, void *context);
static void print_story(struct call *call, int story, int64_t now_ns);
static void print_head(struct out *out, const struct program *program, int64_t now_ns);
static void print_events(struct call *call, int story, int64_t now_ns);
static void print_applied(struct out *out, struct jsonr *reply, int event, int64_t now_ns);
static void print_rest(struct call *call, int story);
static void print_item(struct out *out, const char *what, const char *text);
static void print_lines(struct out *out, const char *text);

enum exitcode ctl_why(struct ctl *ctl)
{
	enum exitcode code;
	struct call call;

	call_init(&call, ctl, "Why", false);
	jsonw_member_string(&call.request, "name", ctl->options.names[0]);
	call.read_only = true;
	call.on_reply = on_stories;
	code = call_run(&call);
	call_done(&call);
	return code;
}

static enum exitcode on_stories(struct call *call, int parameters, void *context)
{
	struct jsonr *reply = &call->reply;
	struct out *out = &call->ctl->out;
	int stories = jsonr_member(reply, parameters, "stories");
	int64_t now_ns = clock_wall_ns();
	const char *separator = "";

	(void)context;
	if (call->ctl->options.set & OPTION_JSON) {
		struct jsonout json = {0};

		jsonout_add(&json, out, reply, stories);
		jsonout_end(&json, out);
		return EXITCODE_OK;
	}
	for (int at = jsonr_first(reply, stories); at >= 0; at = jsonr_next(reply, stories, at)) {
		out_string(out, separator);
		print_story(call, at, now_ns);
		separator = "\n";
	}
	return EXITCODE_OK;
}

static void print_story(struct call *call, int story, int64_t now_ns)
{
	struct jsonr *reply = &call->reply;
	struct program program;

	if (program_read(reply, jsonr_member(reply, story, "program"), &program) < 0)
		return;
	print_head(&call->ctl->out, &program, now_ns);
	print_events(call, story, now_ns);
	print_rest(call, story);
}

/* "web is FATAL since 12s: exited with status 1; gave up after 5 starts" */
static void print_head(struct out *out, const struct program *program, int64_t now_ns)
{
	const size_t start = out->length;
	char age[32];
	int64_t since_ns;

	out_style(out, OUT_BOLD);
	out_text(out, program->name, 0);
	out_style(out, OUT_PLAIN);
	out_string(out, " is ");
	out_style(out, program_style(program));
	out_text(out, program->state, 0);
	out_style(out, OUT_PLAIN);
	if (timestamp_parse(program->since, strlen(program->since), &since_ns) == 0) {
		out_string(out, " for ");
		out_string(out,
		    units_format_age(now_ns > since_ns ? now_ns - since_ns : 0, age, sizeof(age)));
	}
	out_string(out, program->reason[0] != '\0' ? ": " : "");
	event_print_text(out, program->reason);
	out_end_line(out, start, 2);
}

static void print_events(struct call *call, int story, int64_t now_ns)
{
	struct jsonr *reply = &call->reply;
	struct out *out = &call->ctl->out;
	int events = jsonr_member(reply, story, "events");
	char when[WHEN_SIZE];

	if (jsonr_bool(reply, jsonr_member(reply, story, "earlier"), false) &&
	    jsonr_first(reply, events) >= 0)
		out_string(out, "  ... (superctl events tells more)\n");
	for (int at = jsonr_first(reply, events); at >= 0; at = jsonr_next(reply, events, at)) {
		const char *time = jsonr_text(reply, jsonr_member(reply, at, "time"), "");
		int64_t run = jsonr_int(reply, jsonr_member(reply, at, "run"), 0);
		const size_t start = out->length;

		out_string(out, "  ");
		out_style(out, OUT_DIM);
		out_text(out, when_format(time, now_ns, when), 0);
		if (run > 0)
			out_format(out, "  run %lld", (long long)run);
		out_style(out, OUT_PLAIN);
		out_string(out, "  ");
		event_print_words(out, reply, at);
		print_applied(out, reply, at, now_ns);
		out_end_line(out, start, 4);
	}
}

/* When the apply was that it is about, if that was some time before.  How a main process ended has
 * not to do with that. */
static void print_applied(struct out *out, struct jsonr *reply, int event, int64_t now_ns)
{
	int change = jsonr_member(reply, event, "change");
	const char *kind = jsonr_text(reply, jsonr_member(reply, event, "kind"), "");
	const char *then = jsonr_text(reply, jsonr_member(reply, event, "time"), "");
	const char *applied = jsonr_text(reply, jsonr_member(reply, change, "time"), "");
	int64_t then_ns, applied_ns;
	char when[WHEN_SIZE];

	if (strcmp(kind, "exit") != 0 && timestamp_parse(then, strlen(then), &then_ns) == 0 &&
	    timestamp_parse(applied, strlen(applied), &applied_ns) == 0 &&
	    then_ns - applied_ns >= APPLIED_BEFORE_NS)
		out_format(out, " at %s", when_format(applied, now_ns, when));
}

/* What it waits for, and what could be done. */
static void print_rest(struct call *call, int story)
{
	struct jsonr *reply = &call->reply;
	struct out *out = &call->ctl->out;
	const char *next = jsonr_text(reply, jsonr_member(reply, story, "next"), "");
	int64_t next_ms = jsonr_int(reply, jsonr_member(reply, story, "next_ms"), 0);
	const char *left = jsonr_text(reply, jsonr_member(reply, story, "left"), "");
	const char *other = jsonr_text(reply, jsonr_member(reply, story, "because_of"), "");
	const char *words = jsonr_text(reply, jsonr_member(reply, story, "last_words"), "");
	const char *advice = jsonr_text(reply, jsonr_member(reply, story, "advice"), "");

	if (words[0] != '\0') {
		out_string(out, "  its last words:\n");
		print_lines(out, words);
	}
	if (left[0] != '\0')
		print_item(out, "still there", left);
	if (next[0] != '\0') {
		out_format(out, "  in %lld.%lld s: ", (long long)next_ms / 1000,
		    (long long)next_ms % 1000 / 100);
		out_text(out, next, 0);
		out_string(out, "\n");
	}
	if (other[0] != '\0') {
		out_string(out, "  because of ");
		out_text(out, other, 0);
		out_string(out, ", see below\n");
	}
	if (advice[0] != '\0')
		print_item(out, "what to do", advice);
}

static void print_item(struct out *out, const char *what, const char *text)
{
	const size_t start = out->length;

	out_format(out, "  %s: ", what);
	out_text(out, text, 0);
	out_end_line(out, start, 4);
}

static void print_lines(struct out *out, const char *text)
{
	char line[LIMIT_LAST_WORDS_BYTES * 3 + 1]; /* what is not UTF-8 has become three bytes */

	while (text[0] != '\0') {
		size_t length = strcspn(text, "\n");

		(void)snprintf(line, sizeof(line), "%.*s", (int)length, text);
		out_string(out, "    ");
		out_text(out, line, 0);
		out_string(out, "\n");
		text += length + (text[length] == '\n');
	}
}
