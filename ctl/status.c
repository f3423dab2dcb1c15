/* SPDX-License-Identifier: ISC */
/*
 * status.c: superctl status.  Memory and CPU time cost the daemon a look into /proc for each
 * program, so they are asked for only where they are shown.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/timestamp.h"
#include "lib/units.h"
#include "ctl/call.h"
#include "ctl/drift.h"
#include "ctl/jsonout.h"
#include "ctl/places.h"
#include "ctl/program.h"
#include "ctl/result.h"
#include "ctl/table.h"
#include "ctl/watch.h"
#include "ctl/when.h"

static enum exitcode draw(struct ctl *ctl);
static enum exitcode show(struct ctl *ctl);
static enum exitcode on_programs(struct call *call, int parameters, void *context);
static void print_json(struct call *call, int programs);
static int read_programs(
    struct jsonr *reply, int records, struct program **ret_programs, size_t *ret_count);
static int print_folded(struct call *call, const struct program *programs, size_t count);
static int print(struct call *call, const struct program *programs, size_t count);

/* Exactly one name that is no pattern: the user looks at one program. */
static bool is_about_one(const struct options *options)
{
	return options->name_count == 1 && strpbrk(options->names[0], "*?[") == NULL &&
	       strcmp(options->names[0], "all") != 0;
}

static bool is_detailed(const struct options *options)
{
	return (options->set & (OPTION_JSON | OPTION_LONG)) != 0 || is_about_one(options);
}

enum exitcode ctl_status(struct ctl *ctl)
{
	if ((ctl->options.set & OPTION_WATCH) == 0)
		return show(ctl);
	if (ctl->options.set & OPTION_JSON) {
		ctl_complain(ctl,
		    "status: --watch is for people, and --json for programs: superctl "
		    "events --json tells what changes");
		return EXITCODE_USAGE;
	}
	return watch_run(ctl, ctl->options.watch_ns, draw);
}

/* For --watch.  A daemon that is away may come back. */
static enum exitcode draw(struct ctl *ctl)
{
	int64_t now_ns = clock_wall_ns();
	char now[TIMESTAMP_SIZE], local[WHEN_SIZE], interval[32];
	enum exitcode code;

	/* Without the fraction of the second. */
	(void)when_format(timestamp_format(now_ns, now), now_ns, local);
	(void)units_format_age(ctl->options.watch_ns, interval, sizeof(interval));
	out_style(&ctl->out, OUT_DIM);
	out_format(&ctl->out, "%.8s, every %s; q ends\n", local, interval);
	out_style(&ctl->out, OUT_PLAIN);
	code = show(ctl);
	return code == EXITCODE_MISSING || code == EXITCODE_FAILED || code == EXITCODE_DOWN
		   ? EXITCODE_OK
		   : code;
}

static enum exitcode show(struct ctl *ctl)
{
	enum exitcode shown = EXITCODE_OK;
	enum exitcode code;
	struct call call;

	call_init(&call, ctl, "Status", false);
	call_add_names(&call, 0);
	if (is_detailed(&ctl->options))
		jsonw_member_bool(&call.request, "detail", true);
	call.read_only = true;
	call.on_reply = on_programs;
	call.context = &shown;
	code = call_run(&call);
	call_done(&call);
	return code != EXITCODE_OK ? code : shown;
}

static enum exitcode on_programs(struct call *call, int parameters, void *context)
{
	enum exitcode *shown = context;
	struct program *programs = NULL;
	size_t count = 0;
	int records = jsonr_member(&call->reply, parameters, "programs");
	int r = 0;

	if (!jsonr_is(&call->reply, records, JSONR_ARRAY))
		r = -EBADMSG;
	/* As received: so before anything in it is read. */
	else if (call->ctl->options.set & OPTION_JSON)
		print_json(call, records);
	if (r == 0)
		r = read_programs(&call->reply, records, &programs, &count);
	if (r == 0 && (call->ctl->options.set & (OPTION_JSON | OPTION_LONG)) == 0)
		r = print_folded(call, programs, count);
	else if (r == 0 && (call->ctl->options.set & OPTION_JSON) == 0)
		r = print(call, programs, count);
	if (r == 0 && (call->ctl->options.set & OPTION_JSON) == 0) {
		out_flush(&call->ctl->out);
		drift_print(call, parameters, programs, count);
	}
	for (size_t i = 0; i < count; i++)
		if (!places_is_up(&programs[i]) &&
		    (!programs[i].on_event || is_about_one(&call->ctl->options)))
			*shown = EXITCODE_DOWN;
	free(programs);
	if (r == 0)
		return EXITCODE_OK;
	ctl_complain(call->ctl, "cannot show the programs: %s", strerror(-r));
	return EXITCODE_FAILED;
}

static void print_json(struct call *call, int programs)
{
	struct jsonout json = {0};

	jsonout_add(&json, &call->ctl->out, &call->reply, programs);
	jsonout_end(&json, &call->ctl->out);
}

static int read_programs(
    struct jsonr *reply, int records, struct program **ret_programs, size_t *ret_count)
{
	struct program *programs;
	size_t count = 0;

	for (int at = jsonr_first(reply, records); at >= 0; at = jsonr_next(reply, records, at))
		count++;
	programs = calloc(count > 0 ? count : 1, sizeof(*programs));
	if (programs == NULL)
		return -ENOMEM;
	count = 0;
	for (int at = jsonr_first(reply, records); at >= 0; at = jsonr_next(reply, records, at)) {
		if (program_read(reply, at, &programs[count]) < 0) {
			free(programs);
			return -EBADMSG;
		}
		count++;
	}
	*ret_programs = programs;
	*ret_count = count;
	return 0;
}

/* The records themselves are looked at once more. */
static int print_folded(struct call *call, const struct program *programs, size_t count)
{
	struct program *folded = calloc(count + 1, sizeof(*folded));
	struct places places = {0};
	int r = -ENOMEM;

	if (folded != NULL) {
		memcpy(folded, programs, count * sizeof(*folded));
		r = places_fold(folded, &count, &places);
	}
	if (r == 0)
		r = print(call, folded, count);
	places_done(&places);
	free(folded);
	return r;
}

static int print(struct call *call, const struct program *programs, size_t count)
{
	struct out *out = &call->ctl->out;
	const struct options *options = &call->ctl->options;
	bool is_long = (options->set & OPTION_LONG) != 0;
	int64_t now = clock_wall_ns();
	int r;

	if (count == 0) {
		ctl_complain(call->ctl, "there are no programs");
		return 0;
	}
	if (count == 1 && is_about_one(options) && (out->tty || is_long)) {
		table_print_one(out, &programs[0], now);
		r = 0;
	} else {
		r = table_print(out, programs, count, now, is_detailed(options), !is_long);
	}
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (strcmp(programs[i].state, "FATAL") != 0)
			continue;
		result_point_to_why(out, programs[i].name);
		break;
	}
	return r;
}
