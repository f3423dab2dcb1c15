/* SPDX-License-Identifier: ISC */
/* blame.c: superctl blame: the chain that determined how long the start took, and what each took.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/units.h"
#include "ctl/call.h"

#define DURATION 32

struct start {
	const char *name;
	int64_t waited_ms;
	int64_t took_ms; /* -1: it was never up */
};

static enum exitcode on_blame(struct call *call, int parameters, void *context);
static void print_chain(struct call *call, int chain);
static enum exitcode print_starts(struct call *call, int starts);
static int compare(const void *a, const void *b);
static void print_duration(struct out *out, int64_t ms, size_t width);

enum exitcode ctl_blame(struct ctl *ctl)
{
	enum exitcode code;
	struct call call;

	call_init(&call, ctl, "Blame", false);
	call_add_names(&call, 0);
	call.read_only = true;
	call.on_reply = on_blame;
	code = call_run(&call);
	call_done(&call);
	return code;
}

static enum exitcode on_blame(struct call *call, int parameters, void *context)
{
	struct jsonr *reply = &call->reply;

	(void)context;
	if (call->ctl->options.set & OPTION_JSON) {
		size_t length = 0;
		const char *raw = jsonr_raw(reply, parameters, &length);

		out_bytes(&call->ctl->out, raw, length);
		out_string(&call->ctl->out, "\n");
		return EXITCODE_OK;
	}
	print_chain(call, jsonr_member(reply, parameters, "chain"));
	return print_starts(call, jsonr_member(reply, parameters, "starts"));
}

/* When each began, and how long it took then; the last one is what was waited for. */
static void print_chain(struct call *call, int chain)
{
	struct jsonr *reply = &call->reply;
	struct out *out = &call->ctl->out;
	int64_t up_ms = -1;
	char age[DURATION];

	for (int at = jsonr_first(reply, chain); at >= 0; at = jsonr_next(reply, chain, at)) {
		int64_t begin_ms = jsonr_int(reply, jsonr_member(reply, at, "begin_ms"), 0);

		if (up_ms < 0)
			out_string(out, "what the last one waited for, one after the other:\n");
		up_ms = jsonr_int(reply, jsonr_member(reply, at, "up_ms"), 0);
		out_string(out, "  after ");
		print_duration(out, begin_ms, 10);
		out_text(out, jsonr_text(reply, jsonr_member(reply, at, "name"), "?"), 0);
		out_format(out, " +%s\n",
		    units_format_age((up_ms - begin_ms) * NS_PER_MS, age, sizeof(age)));
	}
	if (up_ms >= 0)
		out_format(out, "  after %s all of it was up\n\n",
		    units_format_age(up_ms * NS_PER_MS, age, sizeof(age)));
}

/* Those that took longest first. */
static enum exitcode print_starts(struct call *call, int starts)
{
	struct jsonr *reply = &call->reply;
	struct out *out = &call->ctl->out;
	struct start *list;
	size_t count = 0;

	for (int at = jsonr_first(reply, starts); at >= 0; at = jsonr_next(reply, starts, at))
		count++;
	list = calloc(count + 1, sizeof(*list));
	if (list == NULL) {
		ctl_complain(call->ctl, "out of memory");
		return EXITCODE_FAILED;
	}
	count = 0;
	for (int at = jsonr_first(reply, starts); at >= 0; at = jsonr_next(reply, starts, at))
		list[count++] = (struct start){
		    .name = jsonr_text(reply, jsonr_member(reply, at, "name"), "?"),
		    .waited_ms = jsonr_int(reply, jsonr_member(reply, at, "waited_ms"), 0),
		    .took_ms = jsonr_int(reply, jsonr_member(reply, at, "took_ms"), -1),
		};
	qsort(list, count, sizeof(*list), compare);
	out_style(out, OUT_BOLD);
	out_string(out, "TOOK      WAITED    NAME");
	out_style(out, OUT_PLAIN);
	out_string(out, "\n");
	for (size_t i = 0; i < count; i++) {
		print_duration(out, list[i].took_ms, 10);
		print_duration(out, list[i].waited_ms, 10);
		out_text(out, list[i].name, 0);
		out_string(out, "\n");
	}
	free(list);
	return EXITCODE_OK;
}

static int compare(const void *a, const void *b)
{
	const struct start *one = a, *other = b;

	if (one->took_ms != other->took_ms)
		return one->took_ms < other->took_ms ? 1 : -1;
	return strcmp(one->name, other->name);
}

static void print_duration(struct out *out, int64_t ms, size_t width)
{
	char text[DURATION] = "-";

	if (ms >= 0)
		(void)units_format_age(ms * NS_PER_MS, text, sizeof(text));
	out_string(out, text);
	out_pad(out, strlen(text) < width ? width - strlen(text) : 1);
}
