/* SPDX-License-Identifier: ISC */
/* loghistory.c: what the logs have so far; see logview.h. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/logtail.h"
#include "ctl/logview.h"

#define FLUSH_BYTES (64 * 1024)

/* Where one log is in the merge. */
struct cursor {
	struct logsource *source;
	struct logtail tail; /* with logview.last: the lines that are shown */
	bool from_tail;
	char *held; /* bytes of `line`, when they came from the tail */
	bool has_line;
	struct logline line;
	int64_t time_ns; /* of the line, or of those before it */
};

static enum exitcode pass_on(struct logview *view, struct logsource *source);
static void check_source(struct logview *view, struct logsource *source);
static enum exitcode show_one_by_one(struct logview *view, struct cursor *cursors);
static enum exitcode show_merged(struct logview *view, struct cursor *cursors);
static void cursor_begin(struct logview *view, struct cursor *cursor);
static void cursor_end(struct cursor *cursor);
static void cursor_step(struct logview *view, struct cursor *cursor);
static bool next_wanted(
    const struct logview *view, struct logsource *source, struct logline *ret_line);
static void fill_tail(struct logview *view, struct cursor *cursor);
static enum exitcode flush_if_full(struct logview *view);

enum exitcode loghistory_run(struct logview *view)
{
	struct cursor *cursors;
	enum exitcode code;

	/* All are asked before the first is waited for. */
	for (size_t i = 0; i < view->count; i++) {
		logsource_begin(&view->sources[i], false);
		(void)logsource_read(&view->sources[i]);
	}
	(void)logsource_wait(&view->sources[0]);
	if (logview_is_plain(view))
		return pass_on(view, &view->sources[0]);
	cursors = calloc(view->count, sizeof(*cursors));
	if (cursors == NULL) {
		ctl_complain(view->ctl, "out of memory");
		return EXITCODE_FAILED;
	}
	for (size_t i = 0; i < view->count; i++) {
		cursors[i].source = &view->sources[i];
		(void)logsource_wait(&view->sources[i]);
		check_source(view, &view->sources[i]);
		if (view->count > 1 && view->sources[i].code == EXITCODE_OK)
			logshow_add_name(&view->show, view->sources[i].name);
	}
	code = show_one_by_one(view, cursors);
	if (code == EXITCODE_OK)
		code = show_merged(view, cursors);
	for (size_t i = 0; i < view->count; i++)
		cursor_end(&cursors[i]);
	free(cursors);
	return code;
}

static enum exitcode pass_on(struct logview *view, struct logsource *source)
{
	struct out *out = &view->ctl->out;

	while (logsource_wait(source) == LOGSOURCE_DATA) {
		size_t length;
		const char *bytes = logsource_take_bytes(source, &length);

		out_bytes(out, bytes, length);
		if (out_flush(out) < 0)
			return EXITCODE_FAILED;
	}
	return EXITCODE_OK;
}

/* Its format is known now: can it answer what is asked? */
static void check_source(struct logview *view, struct logsource *source)
{
	if (!source->has_format || source->code != EXITCODE_OK)
		return;
	if (view->filter.run >= 0 && !logline_has_name(source->format)) {
		ctl_complain(view->ctl,
		    "%s: its lines do not say of which run they are: log_format = \"stamp\" or "
		    "\"json\" makes them",
		    source->name);
		logsource_end(source, EXITCODE_FAILED);
		return;
	}
	if (view->query.since != NULL && !logline_has_time(source->format))
		ctl_complain(view->ctl,
		    "%s: its lines have no time (log_format = \"raw\"): the files that were "
		    "written to since then are shown from their beginning",
		    source->name);
}

/* Logs without times, in the order of their names. */
static enum exitcode show_one_by_one(struct logview *view, struct cursor *cursors)
{
	for (size_t i = 0; i < view->count; i++) {
		struct cursor *cursor = &cursors[i];

		if (logline_has_time(cursor->source->format))
			continue;
		for (cursor_begin(view, cursor); cursor->has_line; cursor_step(view, cursor)) {
			logview_show(view, cursor->source, &cursor->line);
			if (flush_if_full(view) != EXITCODE_OK)
				return EXITCODE_FAILED;
		}
	}
	return EXITCODE_OK;
}

/* The oldest line of all logs, again and again; of two of the same time, that of the first log. */
static enum exitcode show_merged(struct logview *view, struct cursor *cursors)
{
	for (size_t i = 0; i < view->count; i++)
		if (logline_has_time(cursors[i].source->format))
			cursor_begin(view, &cursors[i]);
	for (;;) {
		struct cursor *oldest = NULL;

		for (size_t i = 0; i < view->count; i++)
			if (cursors[i].has_line &&
			    (oldest == NULL || cursors[i].time_ns < oldest->time_ns))
				oldest = &cursors[i];
		if (oldest == NULL)
			return EXITCODE_OK;
		logview_show(view, oldest->source, &oldest->line);
		if (flush_if_full(view) != EXITCODE_OK)
			return EXITCODE_FAILED;
		cursor_step(view, oldest);
	}
}

static void cursor_begin(struct logview *view, struct cursor *cursor)
{
	cursor->time_ns = LOGLINE_NO_TIME;
	if (view->last >= 0)
		fill_tail(view, cursor);
	cursor_step(view, cursor);
}

static void cursor_end(struct cursor *cursor)
{
	free(cursor->held);
	if (cursor->from_tail)
		logtail_done(&cursor->tail);
}

static void cursor_step(struct logview *view, struct cursor *cursor)
{
	struct logsource *source = cursor->source;
	struct logtail_line line;

	if (!cursor->from_tail) {
		cursor->has_line = next_wanted(view, source, &cursor->line);
	} else {
		free(cursor->held);
		cursor->held = NULL;
		cursor->has_line = logtail_take(&cursor->tail, &line);
		if (cursor->has_line) {
			cursor->held = line.bytes;
			logline_read(&source->lines, line.is_note ? LOGLINE_RAW : source->format,
			    line.bytes, line.length, &cursor->line);
			cursor->line.is_note = line.is_note;
		}
	}
	if (cursor->has_line && cursor->line.time_ns != LOGLINE_NO_TIME)
		cursor->time_ns = cursor->line.time_ns;
}

/* Waits for it.  False: there is none any more. */
static bool next_wanted(
    const struct logview *view, struct logsource *source, struct logline *ret_line)
{
	for (;;) {
		bool has_line = logsource_take_line(source, ret_line);

		if (!has_line && logsource_wait(source) == LOGSOURCE_ENDED)
			has_line = logsource_take_rest(source, ret_line);
		else if (!has_line)
			continue;
		if (!has_line)
			return false;
		if (logview_wants(view, source, ret_line))
			return true;
	}
}

static void fill_tail(struct logview *view, struct cursor *cursor)
{
	struct logline line;
	int r = 0;

	logtail_init(&cursor->tail, (uint64_t)view->last);
	cursor->from_tail = true;
	while (r == 0 && next_wanted(view, cursor->source, &line))
		r = logtail_add(&cursor->tail, line.whole, line.whole_length, line.is_note);
	if (r < 0)
		ctl_complain(view->ctl, "%s: %s", cursor->source->name, strerror(-r));
	if (cursor->tail.is_cut)
		ctl_complain(view->ctl, "%s: only the last %d MB of these lines are shown",
		    cursor->source->name, LIMIT_LOG_TAIL / (1024 * 1024));
}

static enum exitcode flush_if_full(struct logview *view)
{
	struct out *out = &view->ctl->out;

	if (out->error == 0 && out->length < FLUSH_BYTES)
		return EXITCODE_OK;
	return out_flush(out) < 0 ? EXITCODE_FAILED : EXITCODE_OK;
}
