/* SPDX-License-Identifier: ISC */
/*
 * top.c: superctl top.  On a terminal that is superctl-top, an executable of its own; what is
 * printed once, or to a pipe, is printed here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "ctl/call.h"
#include "ctl/superctl.h"
#include "ctl/topdata.h"

static enum exitcode print_once(struct ctl *ctl);
static enum exitcode print_json(struct topdata *top);
static enum exitcode become_screen(struct ctl *ctl);
static enum exitcode pause_for(struct ctl *ctl, int64_t duration_ns);

enum exitcode ctl_top(struct ctl *ctl)
{
	enum topdata_sort sort;

	if (ctl->options.sort != NULL && topdata_parse_sort(ctl->options.sort, &sort) < 0) {
		ctl_complain(ctl,
		    "top: %s: name, state, cpu, memory, starts or age is what it can sort by",
		    ctl->options.sort);
		return EXITCODE_USAGE;
	}
	if (ctl->several_hosts && (ctl->options.set & (OPTION_ONCE | OPTION_JSON)) == 0) {
		ctl_complain(ctl, "top: of several hosts only with --once");
		return EXITCODE_USAGE;
	}
	if (!ctl->out.tty || (ctl->options.set & (OPTION_ONCE | OPTION_JSON)) != 0)
		return print_once(ctl);
	return become_screen(ctl);
}

/* Two samples, because the CPU is what happened between them. */
static enum exitcode print_once(struct ctl *ctl)
{
	const struct topdata_layout layout = {.columns = ctl->out.width};
	struct topdata top;
	int64_t now_ns;
	enum exitcode code;

	topdata_init(&top, ctl);
	if (ctl->options.sort != NULL)
		(void)topdata_parse_sort(ctl->options.sort, &top.sort);
	code = topdata_sample(&top);
	if (code == EXITCODE_OK)
		code = pause_for(ctl, ctl->options.delay_ns);
	if (code == EXITCODE_OK)
		code = topdata_sample(&top);
	if (code == EXITCODE_OK && (ctl->options.set & OPTION_JSON) != 0) {
		code = print_json(&top);
	} else if (code == EXITCODE_OK) {
		now_ns = clock_wall_ns();
		topdata_write_summary(&top, &ctl->out);
		out_string(&ctl->out, "\n");
		out_style(&ctl->out, OUT_BOLD);
		topdata_write_heading(&top, &ctl->out, &layout);
		out_style(&ctl->out, OUT_PLAIN);
		out_string(&ctl->out, "\n");
		for (size_t i = 0; i < top.shown; i++) {
			topdata_write_row(
			    &top, &top.rows[top.order[i]], &ctl->out, now_ns, &layout);
			out_string(&ctl->out, "\n");
		}
	}
	topdata_done(&top);
	return code;
}

static enum exitcode print_json(struct topdata *top)
{
	struct out *out = &top->ctl->out;
	struct jsonw w;
	int error;

	jsonw_init(&w, LIMIT_CONTROL_QUEUE);
	out_string(out, "[");
	for (size_t i = 0; i < top->shown; i++) {
		jsonw_reset(&w);
		topdata_write_json(&top->rows[top->order[i]], &w);
		out_string(out, i > 0 ? ",\n" : "\n");
		out_bytes(out, w.data, w.length);
	}
	out_string(out, "\n]\n");
	error = jsonw_error(&w);
	jsonw_done(&w);
	if (error == 0)
		return EXITCODE_OK;
	ctl_complain(top->ctl, "top: %s", strerror(-error));
	return EXITCODE_FAILED;
}

static enum exitcode pause_for(struct ctl *ctl, int64_t duration_ns)
{
	struct timespec duration = {
	    .tv_sec = duration_ns / NS_PER_S, .tv_nsec = duration_ns % NS_PER_S};

	if (nanosleep(&duration, NULL) == 0)
		return EXITCODE_OK;
	ctl_complain(ctl, "top: %s", strerror(errno));
	return EXITCODE_FAILED;
}

static enum exitcode become_screen(struct ctl *ctl)
{
	const struct options *options = &ctl->options;
	const char **words = calloc(options->name_count + 6, sizeof(*words));
	char delay[32];
	size_t count = 0;

	if (words == NULL)
		return EXITCODE_FAILED;
	(void)snprintf(delay, sizeof(delay), "%lldms", (long long)(options->delay_ns / NS_PER_MS));
	words[count++] = "-d";
	words[count++] = delay;
	if (options->sort != NULL) {
		words[count++] = "--sort";
		words[count++] = options->sort;
	}
	words[count++] = "--";
	words[count++] = "top";
	for (size_t i = 0; i < options->name_count; i++)
		words[count++] = options->names[i];
	superctl_become(ctl, "top", words, count);
	free(words);
	return EXITCODE_FAILED;
}
