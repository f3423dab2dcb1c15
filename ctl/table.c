/* SPDX-License-Identifier: ISC */
/* table.c: see table.h.  Each cell is made once; the widths are known before the first is printed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/timestamp.h"
#include "lib/units.h"
#include "ctl/table.h"

/* Between columns, and what is left of a reason in the narrowest window. */
#define GAP            2
#define REASON_COLUMNS 10
#define AGE_SIZE       32

enum column { NAME, STATE, PID, AGE, STARTS, MEMORY, CPU, REASON, COLUMNS };

struct heading {
	const char *title;
	bool right;    /* numbers stand below each other */
	bool detailed; /* only then */
};

/* clang-format off */
static const struct heading headings[COLUMNS] = {
	[NAME]   = {"NAME",   false, false},
	[STATE]  = {"STATE",  false, false},
	[PID]    = {"PID",    true,  false},
	[AGE]    = {"FOR",    true,  false},
	[STARTS] = {"STARTS", true,  false},
	[MEMORY] = {"MEMORY", true,  true},
	[CPU]    = {"CPU",    true,  true},
	[REASON] = {"REASON", false, false},
};
/* clang-format on */

struct row {
	const struct program *program;
	const char *cells[COLUMNS];
	size_t widths[COLUMNS];
	char pid[24];
	char age[AGE_SIZE];
	char starts[24];
	char memory[32];
	char cpu[32];
	char *notes; /* the reason and more, where there is more */
};

/* The age that was written last: programs that were started together have the same. */
struct ages {
	int64_t now_ns;
	int64_t seconds; /* -1: none yet */
	char text[AGE_SIZE];
};

struct layout {
	size_t widths[COLUMNS];
	size_t reason_columns; /* 0: not cut */
	bool detailed;
};

static void fill_row(struct row *row, const struct program *program, struct ages *ages);
static const char *fill_notes(struct row *row, const struct program *program);
static void measure(struct layout *layout, struct row *rows, size_t count);
static void print_headings(struct out *out, const struct layout *layout);
static void print_rows(struct out *out, const struct layout *layout, const struct row *rows,
    size_t count, bool on_event);
static void print_row(struct out *out, const struct layout *layout, const struct row *row);

int table_print(struct out *out, const struct program *programs, size_t count, int64_t now_ns,
    bool detailed, bool cut)
{
	struct layout layout = {.detailed = detailed};
	struct ages ages = {.now_ns = now_ns, .seconds = -1};
	struct row *rows = calloc(count > 0 ? count : 1, sizeof(*rows));
	size_t before = 0;

	if (rows == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		fill_row(&rows[i], &programs[i], &ages);
	measure(&layout, rows, count);
	for (int i = NAME; i < REASON; i++)
		if (detailed || !headings[i].detailed)
			before += layout.widths[i] + GAP;
	if (cut && out->width > 0)
		layout.reason_columns =
		    out->width > before + REASON_COLUMNS ? out->width - before : REASON_COLUMNS;
	print_headings(out, &layout);
	print_rows(out, &layout, rows, count, false);
	print_rows(out, &layout, rows, count, true);
	for (size_t i = 0; i < count; i++)
		free(rows[i].notes);
	free(rows);
	return 0;
}

/* The programs, and behind them, apart, what is run because of events. */
static void print_rows(struct out *out, const struct layout *layout, const struct row *rows,
    size_t count, bool on_event)
{
	bool begun = false;

	for (size_t i = 0; i < count; i++) {
		if (rows[i].program->on_event != on_event)
			continue;
		if (on_event && !begun) {
			out_style(out, OUT_DIM);
			out_string(out, "on_event:\n");
			out_style(out, OUT_PLAIN);
		}
		begun = true;
		print_row(out, layout, &rows[i]);
	}
}

/* How long ago `since` was; "" when nobody knows, and a clock that was set back makes it 0. */
static const char *format_age(const char *since, struct ages *ages, char buffer[AGE_SIZE])
{
	int64_t since_ns;
	int64_t seconds = 0;

	if (timestamp_parse(since, strlen(since), &since_ns) < 0)
		return "";
	if (ages->now_ns > since_ns)
		seconds = (ages->now_ns - since_ns) / NS_PER_S;
	if (seconds != ages->seconds) {
		ages->seconds = seconds;
		if (seconds > 0)
			units_format_age(seconds * NS_PER_S, ages->text, sizeof(ages->text));
		else /* of whole seconds */
			memcpy(ages->text, "0s", sizeof("0s"));
	}
	memcpy(buffer, ages->text, AGE_SIZE);
	return buffer;
}

/* Digits from the end of the buffer: half of the table's cells are numbers, and snprintf(3) is
 * slow. */
static const char *format_number(int64_t number, char *buffer, size_t size)
{
	uint64_t rest = number > 0 ? (uint64_t)number : 0;
	char *at = buffer + size;

	*--at = '\0';
	do
		*--at = (char)('0' + rest % 10);
	while ((rest /= 10) > 0 && at > buffer);
	return at;
}

static void fill_row(struct row *row, const struct program *program, struct ages *ages)
{
	row->program = program;
	row->cells[NAME] = program->name;
	row->cells[STATE] = program->state;
	row->cells[PID] =
	    program->pid > 0 ? format_number(program->pid, row->pid, sizeof(row->pid)) : "-";
	row->cells[AGE] = format_age(program->since, ages, row->age);
	row->cells[STARTS] = format_number(program->starts, row->starts, sizeof(row->starts));
	row->cells[MEMORY] = program->memory_bytes >= 0
				 ? units_format_size((uint64_t)program->memory_bytes, row->memory,
				       sizeof(row->memory))
				 : "-";
	row->cells[CPU] = program->cpu_ms >= 0 ? units_format_age(program->cpu_ms * NS_PER_MS,
						     row->cpu, sizeof(row->cpu))
					       : "-";
	row->cells[REASON] = fill_notes(row, program);
}

/* "unhealthy; ready (notify); says: 12 clients" */
static const char *fill_notes(struct row *row, const struct program *program)
{
	const char *says = program->status_text, *reason = program->reason;
	bool unhealthy = program_is_unhealthy(program);
	bool more = reason[0] != '\0' || says[0] != '\0';

	if (program->missed_events > 0 &&
	    asprintf(&row->notes, "has missed %lld event%s%s%s", (long long)program->missed_events,
		program->missed_events == 1 ? "" : "s", reason[0] != '\0' ? "; " : "", reason) >= 0)
		return row->notes;
	if (!unhealthy && !program->reloading && says[0] == '\0')
		return reason;
	if (asprintf(&row->notes, "%s%s%s%s%s%s%s%s", unhealthy ? "unhealthy" : "",
		unhealthy && (program->reloading || more) ? "; " : "",
		program->reloading ? "reloading" : "", program->reloading && more ? "; " : "",
		reason, reason[0] != '\0' && says[0] != '\0' ? "; " : "",
		says[0] != '\0' ? "says: " : "", says) < 0)
		row->notes = NULL;
	return row->notes != NULL ? row->notes : reason;
}

static void measure(struct layout *layout, struct row *rows, size_t count)
{
	for (int i = NAME; i < REASON; i++)
		layout->widths[i] = strlen(headings[i].title);
	for (size_t at = 0; at < count; at++) {
		for (int i = NAME; i < REASON; i++) {
			rows[at].widths[i] = out_measure(rows[at].cells[i]);
			if (rows[at].widths[i] > layout->widths[i])
				layout->widths[i] = rows[at].widths[i];
		}
	}
}

static void print_headings(struct out *out, const struct layout *layout)
{
	out_style(out, OUT_BOLD);
	for (int i = NAME; i < REASON; i++) {
		size_t space = layout->widths[i] - strlen(headings[i].title);

		if (headings[i].detailed && !layout->detailed)
			continue;
		if (headings[i].right)
			out_pad(out, space);
		out_string(out, headings[i].title);
		out_pad(out, GAP + (headings[i].right ? 0 : space));
	}
	out_string(out, headings[REASON].title);
	out_style(out, OUT_PLAIN);
	out_string(out, "\n");
}

static void print_row(struct out *out, const struct layout *layout, const struct row *row)
{
	for (int i = NAME; i < REASON; i++) {
		size_t space = layout->widths[i] - row->widths[i];

		if (headings[i].detailed && !layout->detailed)
			continue;
		if (headings[i].right)
			out_pad(out, space);
		if (i == STATE)
			out_style(out, program_style(row->program));
		out_text(out, row->cells[i], 0);
		if (i == STATE)
			out_style(out, OUT_PLAIN);
		out_pad(out, GAP + (headings[i].right ? 0 : space));
	}
	out_text(out, row->cells[REASON], layout->reason_columns);
	out_string(out, "\n");
}

static void print_field(struct out *out, const char *title, const char *text)
{
	if (text[0] == '\0')
		return;
	out_format(out, "%10s: ", title);
	out_text(out, text, 0);
	out_string(out, "\n");
}

static void print_last_exit(struct out *out, const struct program *program)
{
	char text[32];

	if (program->exit_signal != NULL) {
		out_format(out, "%10s: signal ", "Last exit");
		out_text(out, program->exit_signal, 0);
		out_string(out, "\n");
	} else if (program->exit_status >= 0) {
		snprintf(text, sizeof(text), "status %lld", (long long)program->exit_status);
		print_field(out, "Last exit", text);
	}
}

void table_print_one(struct out *out, const struct program *program, int64_t now_ns)
{
	struct ages ages = {.now_ns = now_ns, .seconds = -1};
	struct row row = {0};

	fill_row(&row, program, &ages);
	free(row.notes); /* each has a line of its own */
	out_style(out, OUT_BOLD);
	out_text(out, program->name, 0);
	out_style(out, OUT_PLAIN);
	out_string(out, "\n");
	out_format(out, "%10s: ", "State");
	out_style(out, program_style(program));
	out_text(out, program->state, 0);
	out_style(out, OUT_PLAIN);
	out_string(out, program->ready ? ", ready" : "");
	out_string(out, program->reloading ? ", reloading" : "");
	if (row.cells[AGE][0] != '\0')
		out_format(out, " for %s", row.cells[AGE]);
	if (program->since[0] != '\0') {
		out_string(out, ", since ");
		out_text(out, program->since, 0);
	}
	out_string(out, "\n");
	print_field(out, "Reason", program->reason);
	print_field(out, "Wanted", program->wanted);
	print_field(out, "PID", row.cells[PID]);
	print_field(out, "Starts", row.cells[STARTS]);
	print_last_exit(out, program);
	print_field(out, "Says", program->status_text);
	print_field(out, "Connected", program->peer);
	print_field(out, "Health", program->health);
	print_field(out, "Tracked by", program->tracking);
	if (program->missed_events > 0)
		out_format(out, "%10s: %lld events\n", "Missed", (long long)program->missed_events);
	if (program->files_differ)
		print_field(out, "Files", "differ from what is applied: superctl plan");
	if (program->memory_bytes >= 0)
		print_field(out, "Memory", row.cells[MEMORY]);
	if (program->cpu_ms >= 0)
		print_field(out, "CPU", row.cells[CPU]);
}
