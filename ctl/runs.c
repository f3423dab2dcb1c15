/* SPDX-License-Identifier: ISC */
/* runs.c: superctl runs: the last runs of a program, one line each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/units.h"
#include "ctl/call.h"
#include "ctl/event.h"
#include "ctl/jsonout.h"
#include "ctl/when.h"

#define GAP    2
#define CELL   160
#define CONFIG 8 /* digits of the hash that are shown */

enum column { RUN, START, TOOK, CPU, MEMORY, CONFIG_HASH, STATUS, COLUMNS };

static const char *const titles[COLUMNS] = {
    "RUN", "STARTED", "TOOK", "CPU", "MEMORY", "CONFIG", "STATUS"};

struct row {
	char cells[COLUMNS][CELL];
	const char *started_by;
	const char *ended_by;
	bool failed;
};

static enum exitcode on_runs(struct call *call, int parameters, void *context);
static void fill(struct jsonr *json, int run, struct row *row, int64_t now_ns);
static void print(struct out *out, const struct row *rows, size_t count);
static void print_causes(struct out *out, const struct row *row);

enum exitcode ctl_runs(struct ctl *ctl)
{
	const struct options *options = &ctl->options;
	enum exitcode code;
	struct call call;

	call_init(&call, ctl, "Runs", false);
	jsonw_member_string(&call.request, "name", options->names[0]);
	if (options->set & OPTION_LINES)
		jsonw_member_int(&call.request, "lines", options->lines);
	call.read_only = true;
	call.on_reply = on_runs;
	code = call_run(&call);
	call_done(&call);
	return code;
}

static enum exitcode on_runs(struct call *call, int parameters, void *context)
{
	struct jsonr *reply = &call->reply;
	int runs = jsonr_member(reply, parameters, "runs");
	int64_t now_ns = clock_wall_ns();
	struct jsonout json = {0};
	size_t count = 0;
	struct row *rows;

	(void)context;
	if (call->ctl->options.set & OPTION_JSON) {
		jsonout_add(&json, &call->ctl->out, reply, runs);
		jsonout_end(&json, &call->ctl->out);
		return EXITCODE_OK;
	}
	for (int at = jsonr_first(reply, runs); at >= 0; at = jsonr_next(reply, runs, at))
		count++;
	rows = calloc(count + 1, sizeof(*rows));
	if (rows == NULL) {
		ctl_complain(call->ctl, "out of memory");
		return EXITCODE_FAILED;
	}
	count = 0;
	for (int at = jsonr_first(reply, runs); at >= 0; at = jsonr_next(reply, runs, at))
		fill(reply, at, &rows[count++], now_ns);
	if (count > 0)
		print(&call->ctl->out, rows, count);
	else
		ctl_complain(call->ctl, "%s: no run is remembered", call->ctl->options.names[0]);
	free(rows);
	return EXITCODE_OK;
}

static void fill(struct jsonr *json, int run, struct row *row, int64_t now_ns)
{
	int64_t number = jsonr_int(json, jsonr_member(json, run, "run"), 0);
	int64_t took_ms = jsonr_int(json, jsonr_member(json, run, "duration_ms"), 0);
	int64_t user_ms = jsonr_int(json, jsonr_member(json, run, "user_ms"), -1);
	int64_t system_ms = jsonr_int(json, jsonr_member(json, run, "system_ms"), 0);
	int64_t memory = jsonr_int(json, jsonr_member(json, run, "max_memory_bytes"), -1);
	const char *start = jsonr_text(json, jsonr_member(json, run, "start"), "");

	(void)snprintf(row->cells[RUN], CELL, "%lld", (long long)number);
	(void)when_format(start, now_ns, row->cells[START]);
	(void)units_format_age(took_ms * NS_PER_MS, row->cells[TOOK], CELL);
	if (user_ms >= 0)
		(void)snprintf(row->cells[CPU], CELL, "%lld.%02llds",
		    (long long)(user_ms + system_ms) / 1000,
		    (long long)(user_ms + system_ms) % 1000 / 10);
	if (memory >= 0)
		(void)units_format_size((uint64_t)memory, row->cells[MEMORY], CELL);
	(void)snprintf(row->cells[CONFIG_HASH], CELL, "%.*s", CONFIG,
	    jsonr_text(json, jsonr_member(json, run, "config"), ""));
	(void)snprintf(row->cells[STATUS], CELL, "%s",
	    jsonr_text(json, jsonr_member(json, run, "status"), ""));
	row->started_by = jsonr_text(json, jsonr_member(json, run, "started_by"), "");
	row->ended_by = jsonr_text(json, jsonr_member(json, run, "ended_by"), "");
	row->failed = jsonr_bool(json, jsonr_member(json, run, "failed"), false);
}

static void print(struct out *out, const struct row *rows, size_t count)
{
	size_t widths[COLUMNS];

	for (int i = 0; i < COLUMNS; i++) {
		widths[i] = strlen(titles[i]);
		for (size_t k = 0; k < count; k++)
			if (out_measure(rows[k].cells[i]) > widths[i])
				widths[i] = out_measure(rows[k].cells[i]);
	}
	out_style(out, OUT_BOLD);
	for (int i = 0; i < COLUMNS; i++) {
		out_string(out, titles[i]);
		out_pad(out, i + 1 < COLUMNS ? widths[i] - strlen(titles[i]) + GAP : 0);
	}
	out_style(out, OUT_PLAIN);
	out_string(out, "\n");
	for (size_t k = 0; k < count; k++) {
		const size_t start = out->length;

		for (int i = 0; i < COLUMNS; i++) {
			if (i == STATUS && rows[k].failed)
				out_style(out, OUT_RED);
			out_text(out, rows[k].cells[i], 0);
			out_style(out, OUT_PLAIN);
			if (i < STATUS)
				out_pad(out, widths[i] - out_measure(rows[k].cells[i]) + GAP);
		}
		print_causes(out, &rows[k]);
		out_end_line(out, start, widths[RUN] + GAP);
	}
}

/* "; started by uid 0 (root)"; its end only where the status does not say it. */
static void print_causes(struct out *out, const struct row *row)
{
	if (row->ended_by[0] != '\0' && strcmp(row->ended_by, row->cells[STATUS]) != 0) {
		out_string(out, ": ");
		event_print_text(out, row->ended_by);
	}
	if (row->started_by[0] != '\0') {
		out_string(out, " (begun: ");
		event_print_text(out, row->started_by);
		out_string(out, ")");
	}
}
