/* SPDX-License-Identifier: ISC */
/* progress.c: see progress.h. */
#include <stdio.h>
#include <string.h>

#include "ctl/progress.h"

/* So many lines of results are no trouble to read. */
#define FEW 8

static enum exitcode on_programs(struct call *call, int parameters, void *context);
static void remember_waiting(struct progress *progress, struct jsonr *reply, int waiting);
static void show(struct progress *progress);

void progress_begin(struct progress *progress, struct ctl *ctl, const char *doing)
{
	bool silent = ctl->err.silent;
	struct call call;

	*progress = (struct progress){.ctl = ctl, .doing = doing};
	if (!ctl->out.tty || !ctl->err.tty ||
	    (ctl->options.set & (OPTION_JSON | OPTION_QUIET | OPTION_NO_WAIT)) != 0)
		return;
	/* What is wrong the command itself will tell. */
	ctl->err.silent = true;
	call_init(&call, ctl, "Status", false);
	call_add_names(&call, 0);
	call.on_reply = on_programs;
	call.context = progress;
	(void)call_run(&call);
	call_done(&call);
	ctl->err.silent = silent;
	progress->active = progress->total > FEW;
	if (progress->active)
		show(progress);
}

void progress_hide(struct progress *progress)
{
	if (!progress->shown)
		return;
	out_string(&progress->ctl->err, "\r\033[K");
	out_flush(&progress->ctl->err);
	progress->shown = false;
}

void progress_note(struct progress *progress, struct jsonr *reply, int results, int waiting)
{
	if (!progress->active)
		return;
	for (int at = jsonr_first(reply, results); at >= 0; at = jsonr_next(reply, results, at)) {
		progress->done++;
		if (!jsonr_bool(reply, jsonr_member(reply, at, "ok"), false))
			progress->failed++;
	}
	remember_waiting(progress, reply, waiting);
	show(progress);
}

void progress_end(struct progress *progress)
{
	struct out *out = &progress->ctl->out;

	progress_hide(progress);
	if (!progress->active || progress->done == 0)
		return;
	out_format(out, "%zu of %zu done", progress->done - progress->failed, progress->done);
	if (progress->failed > 0)
		out_format(out, ", %zu failed", progress->failed);
	out_string(out, "\n");
	out_flush(out);
}

static enum exitcode on_programs(struct call *call, int parameters, void *context)
{
	struct progress *progress = context;
	struct jsonr *reply = &call->reply;
	int programs = jsonr_member(reply, parameters, "programs");

	for (int at = jsonr_first(reply, programs); at >= 0; at = jsonr_next(reply, programs, at))
		progress->total++;
	return EXITCODE_OK;
}

static void remember_waiting(struct progress *progress, struct jsonr *reply, int waiting)
{
	int at = jsonr_first(reply, waiting);
	const char *name = jsonr_text(reply, jsonr_member(reply, at, "name"), "");
	const char *left = jsonr_text(reply, jsonr_member(reply, at, "left"), "");
	const char *reason = jsonr_text(reply, jsonr_member(reply, at, "reason"), "");

	if (at < 0)
		progress->waiting[0] = '\0'; /* it may be over */
	else
		(void)snprintf(progress->waiting, sizeof(progress->waiting), "%s (%s)", name,
		    left[0] != '\0' ? left : reason);
}

static void show(struct progress *progress)
{
	struct out *err = &progress->ctl->err;
	char text[512];

	(void)snprintf(text, sizeof(text), "%s: %zu of %zu%s%s", progress->doing, progress->done,
	    progress->total > progress->done ? progress->total : progress->done,
	    progress->waiting[0] != '\0' ? ", " : "", progress->waiting);
	out_string(err, "\r");
	/* A line that is as wide as the terminal would be two. */
	out_text(err, text, err->width > 1 ? err->width - 1 : 0);
	out_string(err, "\033[K");
	out_flush(err);
	progress->shown = true;
}
