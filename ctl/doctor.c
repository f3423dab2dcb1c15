/* SPDX-License-Identifier: ISC */
/*
 * doctor.c: superctl doctor.  What is in order is not worth a line unless it was asked for; one
 * line at the end says how much was looked at.
 */
#include <string.h>

#include "ctl/call.h"
#include "ctl/drift.h"
#include "ctl/jsonout.h"

struct visit {
	struct jsonout json;
	unsigned programs;
	unsigned problems;
	unsigned warnings;
};

static enum exitcode on_findings(struct call *call, int parameters, void *context);
static void print_finding(struct call *call, int finding, const char *level);
static void count(struct visit *visit, const char *level);
static void print_summary(struct ctl *ctl, const struct visit *visit);

enum exitcode ctl_doctor(struct ctl *ctl)
{
	struct visit visit = {0};
	enum exitcode code;
	struct call call;

	call_init(&call, ctl, "Doctor", true);
	call_add_names(&call, 0);
	call.read_only = true;
	call.on_reply = on_findings;
	call.context = &visit;
	code = call_run(&call);
	call_done(&call);
	if (code != EXITCODE_OK)
		return code;
	if (ctl->options.set & OPTION_JSON)
		jsonout_end(&visit.json, &ctl->out);
	else
		print_summary(ctl, &visit);
	out_flush(&ctl->out);
	if ((ctl->options.set & (OPTION_JSON | OPTION_QUIET)) == 0)
		drift_look(ctl);
	return visit.problems > 0 ? EXITCODE_FAILED : EXITCODE_OK;
}

/* Who asks about one program does not want to know again that this is a container. */
static bool is_worth_a_line(const struct ctl *ctl, const char *level, bool of_machine)
{
	if (ctl->options.set & OPTION_JSON)
		return false;
	if (strcmp(level, "ok") == 0 ||
	    (of_machine && ctl->options.name_count > 0 && strcmp(level, "note") == 0))
		return (ctl->options.set & OPTION_LONG) != 0;
	return true;
}

static enum exitcode on_findings(struct call *call, int parameters, void *context)
{
	struct visit *visit = context;
	struct jsonr *reply = &call->reply;
	int findings = jsonr_member(reply, parameters, "findings");

	visit->programs++; /* the first reply is the machine's */
	if (call->ctl->options.set & OPTION_JSON)
		jsonout_add(&visit->json, &call->ctl->out, reply, findings);
	for (int at = jsonr_first(reply, findings); at >= 0; at = jsonr_next(reply, findings, at)) {
		const char *level = jsonr_text(reply, jsonr_member(reply, at, "level"), "");

		count(visit, level);
		if (is_worth_a_line(call->ctl, level, visit->programs == 1))
			print_finding(call, at, level);
	}
	out_flush(&call->ctl->out);
	return EXITCODE_OK;
}

/* "web: directory: problem: /srv/app: No such file or directory" */
static void print_finding(struct call *call, int finding, const char *level)
{
	struct jsonr *reply = &call->reply;
	struct out *out = &call->ctl->out;
	const char *name = jsonr_text(reply, jsonr_member(reply, finding, "name"), NULL);
	const size_t start = out->length;

	out_style(out, OUT_BOLD);
	out_text(out, name != NULL ? name : "machine", 0);
	out_style(out, OUT_PLAIN);
	out_string(out, ": ");
	out_text(out, jsonr_text(reply, jsonr_member(reply, finding, "check"), "?"), 0);
	out_string(out, ": ");
	out_style(out, strcmp(level, "problem") == 0   ? OUT_RED
		       : strcmp(level, "warning") == 0 ? OUT_YELLOW
		       : strcmp(level, "ok") == 0      ? OUT_GREEN
						       : OUT_PLAIN);
	out_text(out, level, 0);
	out_style(out, OUT_PLAIN);
	out_string(out, ": ");
	out_text(out, jsonr_text(reply, jsonr_member(reply, finding, "message"), "?"), 0);
	out_end_line(out, start, 2);
}

static void count(struct visit *visit, const char *level)
{
	visit->problems += strcmp(level, "problem") == 0;
	visit->warnings += strcmp(level, "warning") == 0;
}

static void print_summary(struct ctl *ctl, const struct visit *visit)
{
	struct out *out = &ctl->out;
	unsigned programs = visit->programs - 1;

	out_format(out, "%u program%s looked at: ", programs, programs == 1 ? "" : "s");
	if (visit->problems == 0 && visit->warnings == 0)
		out_format(
		    out, "nothing would keep %s from running\n", programs == 1 ? "it" : "them");
	else
		out_format(out, "%u problem%s, %u warning%s\n", visit->problems,
		    visit->problems == 1 ? "" : "s", visit->warnings,
		    visit->warnings == 1 ? "" : "s");
}
