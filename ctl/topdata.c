/* SPDX-License-Identifier: ISC */
/* topdata.c: see topdata.h. */
#define _GNU_SOURCE /* strcasestr, qsort_r */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/timestamp.h"
#include "lib/units.h"
#include "ctl/call.h"
#include "ctl/topdata.h"

/* A daemon that does not answer for this long is away. */
#define ANSWER_NS (2 * NS_PER_S)

#define NAME_COLUMNS_MAX 24

/* clang-format off */
static const char *const sort_names[TOPDATA_SORTS] = {
	[TOPDATA_NAME] = "name",
	[TOPDATA_STATE] = "state",
	[TOPDATA_CPU] = "cpu",
	[TOPDATA_MEMORY] = "memory",
	[TOPDATA_STARTS] = "starts",
	[TOPDATA_AGE] = "age",
};
/* clang-format on */

static enum exitcode on_programs(struct call *call, int parameters, void *context);
static struct topdata_row *find_row(struct topdata *top, const char *name, size_t known);
static int take_program(
    struct topdata *top, const struct program *program, int64_t elapsed_ns, size_t known);
static void sweep(struct topdata *top);
static int compare_names(const void *a, const void *b);
static int compare_rows(const void *a, const void *b, void *context);

void topdata_init(struct topdata *top, struct ctl *ctl)
{
	*top = (struct topdata){.ctl = ctl};
}

void topdata_done(struct topdata *top)
{
	for (size_t i = 0; i < top->count; i++)
		free(top->rows[i].reason);
	free(top->rows);
	free(top->order);
	top->rows = NULL;
	top->order = NULL;
	top->count = top->shown = 0;
}

enum exitcode topdata_sample(struct topdata *top)
{
	struct call call;

	call_init(&call, top->ctl, "Status", false);
	call_add_names(&call, 0);
	jsonw_member_bool(&call.request, "detail", true);
	call.deadline_ns = clock_boot_ns() + ANSWER_NS;
	call.on_reply = on_programs;
	call.context = top;
	top->code = call_run(&call);
	call_done(&call);
	return top->code;
}

static enum exitcode on_programs(struct call *call, int parameters, void *context)
{
	struct topdata *top = context;
	struct jsonr *reply = &call->reply;
	int records = jsonr_member(reply, parameters, "programs");
	int64_t now_ns = clock_boot_ns();
	int64_t elapsed_ns = top->sampled_ns > 0 ? now_ns - top->sampled_ns : 0;
	size_t known = top->count;
	int r = 0;

	top->generation++;
	for (int at = jsonr_first(reply, records); at >= 0 && r == 0;
	     at = jsonr_next(reply, records, at)) {
		struct program program;

		r = program_read(reply, at, &program);
		if (r == 0)
			r = take_program(top, &program, elapsed_ns, known);
	}
	sweep(top);
	top->sampled_ns = now_ns;
	topdata_arrange(top);
	if (r == 0)
		return EXITCODE_OK;
	ctl_complain(call->ctl, "cannot show the programs: %s", strerror(-r));
	return EXITCODE_FAILED;
}

/* Among the first `known` rows, which are sorted. */
static struct topdata_row *find_row(struct topdata *top, const char *name, size_t known)
{
	if (known == 0)
		return NULL;
	return bsearch(name, top->rows, known, sizeof(*top->rows), compare_names);
}

static int compare_names(const void *a, const void *b)
{
	/* The name is the first member. */
	return strcmp(a, b);
}

static struct topdata_row *add_row(struct topdata *top, const char *name)
{
	struct topdata_row *rows = realloc(top->rows, (top->count + 1) * sizeof(*rows));

	if (rows == NULL)
		return NULL;
	top->rows = rows;
	rows[top->count] = (struct topdata_row){.cpu = -1, .cpu_ms = -1};
	(void)snprintf(rows[top->count].name, sizeof(rows->name), "%s", name);
	return &rows[top->count++];
}

/* In tenths of a percent; the counter of another run begins anew. */
static int measure_cpu(
    const struct topdata_row *row, const struct program *program, int64_t elapsed_ns)
{
	int64_t used_ms = program->cpu_ms - row->cpu_ms;

	if (program->pid == 0)
		return 0;
	if (row->cpu_ms < 0 || program->cpu_ms < 0 || row->pid != program->pid || used_ms < 0 ||
	    elapsed_ns < NS_PER_MS)
		return -1;
	return (int)(used_ms * 1000 / (elapsed_ns / NS_PER_MS));
}

static int take_program(
    struct topdata *top, const struct program *program, int64_t elapsed_ns, size_t known)
{
	struct topdata_row *row = find_row(top, program->name, known);
	char *reason = strdup(program->reason);

	if (row == NULL)
		row = add_row(top, program->name);
	if (row == NULL || reason == NULL) {
		free(reason);
		return -ENOMEM;
	}
	free(row->reason);
	row->reason = reason;
	row->cpu = measure_cpu(row, program, elapsed_ns);
	if (row->cpu >= 0) {
		memmove(
		    row->samples, row->samples + 1, sizeof(row->samples) - sizeof(row->samples[0]));
		row->samples[TOPDATA_SAMPLES - 1] = row->cpu;
		if (row->sample_count < TOPDATA_SAMPLES)
			row->sample_count++;
	}
	(void)snprintf(row->state, sizeof(row->state), "%s", program->state);
	row->on_event = program->on_event;
	row->style = program_style(program);
	row->pid = program->pid;
	row->starts = program->starts;
	row->memory_bytes = program->memory_bytes;
	row->cpu_ms = program->cpu_ms;
	row->generation = top->generation;
	if (timestamp_parse(program->since, strlen(program->since), &row->since_ns) < 0)
		row->since_ns = 0;
	return 0;
}

/* Those that are no more; then by name again. */
static void sweep(struct topdata *top)
{
	size_t kept = 0;

	for (size_t i = 0; i < top->count; i++) {
		if (top->rows[i].generation == top->generation)
			top->rows[kept++] = top->rows[i];
		else
			free(top->rows[i].reason);
	}
	top->count = kept;
	if (kept > 0)
		qsort(top->rows, kept, sizeof(*top->rows), compare_names);
}

void topdata_arrange(struct topdata *top)
{
	size_t *order = realloc(top->order, (top->count + 1) * sizeof(*order));

	top->shown = 0;
	if (order == NULL)
		return;
	top->order = order;
	for (size_t i = 0; i < top->count; i++)
		if (strstr(top->rows[i].name, top->filter) != NULL ||
		    strcasestr(top->rows[i].state, top->filter) != NULL)
			order[top->shown++] = i;
	top->name_width = strlen("NAME");
	for (size_t i = 0; i < top->shown; i++) {
		size_t length = strlen(top->rows[order[i]].name);

		if (length > top->name_width)
			top->name_width = length;
	}
	qsort_r(order, top->shown, sizeof(*order), compare_rows, top);
}

static int compare_numbers(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

/* Numbers begin with the largest; what is equal stays by name. */
static int compare_rows(const void *a, const void *b, void *context)
{
	const struct topdata *top = context;
	size_t left = *(const size_t *)a, right = *(const size_t *)b;
	const struct topdata_row *x = &top->rows[left], *y = &top->rows[right];
	int order = 0;

	switch (top->sort) {
	case TOPDATA_NAME:
		order = x->on_event - y->on_event;
		break;
	case TOPDATA_SORTS:
		break;
	case TOPDATA_STATE:
		order = strcmp(x->state, y->state);
		break;
	case TOPDATA_CPU:
		order = compare_numbers(y->cpu, x->cpu);
		break;
	case TOPDATA_MEMORY:
		order = compare_numbers(y->memory_bytes, x->memory_bytes);
		break;
	case TOPDATA_STARTS:
		order = compare_numbers(y->starts, x->starts);
		break;
	case TOPDATA_AGE:
		order = compare_numbers(y->since_ns, x->since_ns);
		break;
	}
	if (order == 0)
		order = compare_numbers((int64_t)left, (int64_t)right);
	return top->reverse ? -order : order;
}

int topdata_parse_sort(const char *word, enum topdata_sort *ret_sort)
{
	for (int i = 0; i < TOPDATA_SORTS; i++) {
		if (strcmp(sort_names[i], word) != 0)
			continue;
		*ret_sort = (enum topdata_sort)i;
		return 0;
	}
	return -EINVAL;
}

const char *topdata_sort_name(enum topdata_sort sort)
{
	return sort < TOPDATA_SORTS ? sort_names[sort] : "";
}

/* ---- as text -------------------------------------------------------------------------------- */

/* On a screen of a fixed width something else must be seen besides names. */
static size_t name_columns(const struct topdata *top, const struct topdata_layout *layout)
{
	return layout->columns > 0 && top->name_width > NAME_COLUMNS_MAX ? NAME_COLUMNS_MAX
									 : top->name_width;
}

/* All columns but the reason, when `age` stands in its own. */
static size_t columns_before_reason(
    const struct topdata *top, const struct topdata_layout *layout, const char *age)
{
	size_t width = name_columns(top, layout) + strlen("  STATE___  ____PID  __CPU%  ");

	if (layout->sparkline > 0)
		width += layout->sparkline + strlen("  ");
	return width + strlen("MEMORY  STARTS  ") + (strlen(age) > 7 ? strlen(age) : 7) +
	       strlen("  ");
}

void topdata_write_heading(
    const struct topdata *top, struct out *out, const struct topdata_layout *layout)
{
	size_t before = columns_before_reason(top, layout, "");

	out_format(out, "%-*s  %-8s  %7s  %6s  ", (int)name_columns(top, layout), "NAME", "STATE",
	    "PID", "CPU%");
	if (layout->sparkline > 0)
		out_pad(out, layout->sparkline + 2);
	out_format(out, "%6s  %6s  %7s", "MEMORY", "STARTS", "FOR");
	if (layout->columns == 0 || layout->columns >= before + strlen("REASON"))
		out_string(out, "  REASON");
}

/* Eight heights; the root, so that little work is seen too.  Where the locale is not UTF-8 by
 * letters that grow. */
static void write_sparkline(const struct topdata_row *row, struct out *out, unsigned count)
{
	static const char *const blocks[] = {" ", "\xe2\x96\x81", "\xe2\x96\x82", "\xe2\x96\x83",
	    "\xe2\x96\x84", "\xe2\x96\x85", "\xe2\x96\x86", "\xe2\x96\x87", "\xe2\x96\x88"};
	static const char *const letters[] = {" ", ".", ":", "-", "=", "+", "*", "#", "@"};
	const unsigned highest = sizeof(blocks) / sizeof(blocks[0]) - 1;

	for (unsigned i = TOPDATA_SAMPLES - count; i < TOPDATA_SAMPLES; i++) {
		unsigned height = 0;

		while (height < highest && (int64_t)row->samples[i] * highest * highest >
					       (int64_t)height * height * 1000)
			height++;
		if (i < TOPDATA_SAMPLES - row->sample_count)
			height = 0;
		out_string(out, out->utf8 ? blocks[height] : letters[height]);
	}
}

void topdata_write_row(const struct topdata *top, const struct topdata_row *row, struct out *out,
    int64_t now_ns, const struct topdata_layout *layout)
{
	size_t width = name_columns(top, layout), used;
	char pid[24] = "-", cpu[24] = "-", memory[32] = "-", age[32] = "";

	if (row->pid > 0)
		(void)snprintf(pid, sizeof(pid), "%lld", (long long)row->pid);
	if (row->cpu >= 0)
		(void)snprintf(cpu, sizeof(cpu), "%d.%d", row->cpu / 10, row->cpu % 10);
	if (row->memory_bytes >= 0)
		units_format_size((uint64_t)row->memory_bytes, memory, sizeof(memory));
	if (row->since_ns > 0 && now_ns - row->since_ns >= NS_PER_S)
		units_format_age((now_ns - row->since_ns) / NS_PER_S * NS_PER_S, age, sizeof(age));
	else if (row->since_ns > 0)
		memcpy(age, "0s", sizeof("0s"));
	used = out_measure(row->name);
	out_text(out, row->name, width);
	out_pad(out, width > used ? width - used : 0);
	out_format(out, "  %-8s  %7s  %6s  ", row->state, pid, cpu);
	if (layout->sparkline > 0) {
		write_sparkline(row, out, layout->sparkline);
		out_string(out, "  ");
	}
	out_format(out, "%6s  %6lld  %7s  ", memory, (long long)row->starts, age);
	used = columns_before_reason(top, layout, age);
	if (layout->columns == 0 || layout->columns > used)
		out_text(out, row->reason, layout->columns == 0 ? 0 : layout->columns - used);
}

void topdata_write_summary(const struct topdata *top, struct out *out)
{
	static const char *const states[] = {
	    "RUNNING", "STARTING", "WAITING", "BACKOFF", "STOPPING", "FATAL", "EXITED", "STOPPED"};
	const char *separator = ": ";
	int64_t cpu = 0, memory = 0;
	size_t programs = 0;
	char text[32];

	for (size_t i = 0; i < top->count; i++)
		programs += !top->rows[i].on_event;
	out_format(out, "%zu program%s", programs, programs == 1 ? "" : "s");
	for (size_t s = 0; s < sizeof(states) / sizeof(states[0]); s++) {
		size_t count = 0;

		for (size_t i = 0; i < top->count; i++)
			count +=
			    !top->rows[i].on_event && strcmp(top->rows[i].state, states[s]) == 0;
		if (count == 0)
			continue;
		out_format(out, "%s%zu %s", separator, count, states[s]);
		separator = ", ";
	}
	for (size_t i = 0; i < top->count; i++) {
		cpu += top->rows[i].cpu > 0 ? top->rows[i].cpu : 0;
		memory += top->rows[i].memory_bytes > 0 ? top->rows[i].memory_bytes : 0;
	}
	if (programs < top->count)
		out_format(out, "; %zu on_event", top->count - programs);
	out_format(out, "; CPU %lld.%lld%%, memory %s", (long long)cpu / 10, (long long)cpu % 10,
	    units_format_size((uint64_t)memory, text, sizeof(text)));
}

static void write_known(struct jsonw *w, const char *key, int64_t value)
{
	if (value >= 0)
		jsonw_member_int(w, key, value);
	else
		jsonw_member_null(w, key);
}

void topdata_write_json(const struct topdata_row *row, struct jsonw *w)
{
	char since[TIMESTAMP_SIZE];

	jsonw_begin_object(w);
	jsonw_member_string(w, "name", row->name);
	jsonw_member_string(w, "state", row->state);
	write_known(w, "pid", row->pid > 0 ? row->pid : -1);
	write_known(w, "cpu_permille", row->cpu);
	write_known(w, "memory_bytes", row->memory_bytes);
	jsonw_member_int(w, "starts", row->starts);
	jsonw_member_string(
	    w, "since", row->since_ns > 0 ? timestamp_format(row->since_ns, since) : NULL);
	jsonw_member_string(w, "reason", row->reason);
	if (row->on_event)
		jsonw_member_bool(w, "on_event", true);
	jsonw_end_object(w);
}
