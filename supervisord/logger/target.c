/* SPDX-License-Identifier: ISC */
/* target.c: see target.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "supervisord/logger/append.h"
#include "supervisord/logger/message.h"
#include "supervisord/logger/target.h"

/* Bytes of finished lines that are written at once. */
#define BATCH_BYTES (128 * 1024)
#define RETRY_NS    NS_PER_S
#define NOTE_BYTES  64
#define RESTARTED   "the logger was restarted: what follows may repeat"

static int deliver_to_file(struct target *target, struct delivery *delivery, struct lines *lines);
static void take_back(struct lines *lines, const struct lines *begin, const char *bytes,
    size_t taken, unsigned *notes);
static int deliver_lines(struct target *target, struct delivery *delivery, struct lines *lines);
static int deliver_messages(struct target *target, struct delivery *delivery, struct lines *lines);
static int send_message(
    struct target *target, struct delivery *delivery, const struct line *line, bool is_note);
static int send_notes(struct target *target, struct delivery *delivery);
static unsigned write_notes(const struct target *target, struct delivery *delivery);
static void clear_notes(struct target *target, const struct delivery *delivery, unsigned count);
static void forget_dropped(struct target *target, const struct delivery *delivery);
static const char *dropped_note(const struct target *target, char note[NOTE_BYTES]);
static bool must_drop(const struct target *target, const struct delivery *delivery, int error);
static void drop(struct target *target, struct lines *lines);
static void skip(struct target *target, struct lines *lines);

void target_deliver(struct target *target, struct delivery *delivery)
{
	struct lines lines;
	int error;

	lines_init(&lines, delivery->bytes + target->ahead, delivery->length - target->ahead,
	    target->line_max, delivery->flush);
	if (target->is_skipping)
		skip(target, &lines);
	if (target->sink == NULL)
		error = deliver_to_file(target, delivery, &lines);
	else if (sink_takes_lines(target->sink))
		error = deliver_lines(target, delivery, &lines);
	else
		error = deliver_messages(target, delivery, &lines);
	if (error < 0 && must_drop(target, delivery, error))
		drop(target, &lines);
	target->error = error;
	target->ahead = (size_t)(lines.at - delivery->bytes);
}

bool target_has_notes(const struct target *target)
{
	return target->dropped > 0;
}

/* ---- the file ------------------------------------------------------------------------------- */

static int deliver_to_file(struct target *target, struct delivery *delivery, struct lines *lines)
{
	struct jsonw *out = delivery->out;
	int error = 0;

	if (target->error < 0 && clock_boot_ns() < target->retry_ns)
		return target->error;
	form_begin(delivery->form, target->format, &delivery->origin);
	while (error == 0) {
		struct lines begin = *lines;
		unsigned notes, told;
		struct line line;
		size_t taken;

		jsonw_reset(out);
		notes = told = write_notes(target, delivery);
		while (out->length < BATCH_BYTES && lines_next(lines, &line))
			form_write(delivery->form, out, &line);
		if (out->length == 0)
			return 0;
		error = jsonw_error(out);
		taken = 0;
		if (error == 0)
			error = append_lines(target->stream, delivery->world, target->mark_due,
			    out->data, out->length, &taken);
		delivery->file_bytes += taken;
		if (taken < out->length)
			take_back(lines, &begin, out->data, taken, &told);
		clear_notes(target, delivery, told < notes ? told : notes);
	}
	target->retry_ns = clock_boot_ns() + RETRY_NS;
	return error;
}

/* Only `taken` bytes are in the file: go back to the first line that is not. */
static void take_back(struct lines *lines, const struct lines *begin, const char *bytes,
    size_t taken, unsigned *notes)
{
	const char *at = bytes, *end = bytes + taken;
	unsigned count = 0;
	struct line line;

	*lines = *begin;
	while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		at++;
		if (count++ >= *notes)
			(void)lines_next(lines, &line);
	}
	if (count < *notes)
		*notes = count;
}

/* ---- pipes ---------------------------------------------------------------------------------- */

/* In writes of at most PIPE_BUF bytes, which nobody else's lines get into; only a longer line is
 * sent in several. */
static int deliver_lines(struct target *target, struct delivery *delivery, struct lines *lines)
{
	struct jsonw *out = delivery->out;
	int error = 0;

	form_begin(delivery->form, target->format, &delivery->origin);
	while (error == 0) {
		struct lines begin = *lines, before = *lines;
		unsigned notes;
		size_t length;
		struct line line;

		jsonw_reset(out);
		notes = write_notes(target, delivery);
		length = out->length;
		while (lines_next(lines, &line)) {
			form_write(delivery->form, out, &line);
			if (out->length > PIPE_BUF && length > 0)
				break;
			length = out->length;
			before = *lines;
		}
		*lines = before;
		if (length == 0)
			return 0;
		error = jsonw_error(out);
		if (error == 0)
			error = sinks_send(delivery->sinks, target->sink, out->data, length);
		if (error < 0)
			*lines = begin;
		else
			clear_notes(target, delivery, notes);
	}
	return error;
}

/* ---- messages ------------------------------------------------------------------------------- */

static int deliver_messages(struct target *target, struct delivery *delivery, struct lines *lines)
{
	int error;

	form_begin(delivery->form, LOGSPEC_STAMP, &delivery->origin);
	error = send_notes(target, delivery);
	while (error == 0) {
		struct lines before = *lines;
		struct line line;

		if (!lines_next(lines, &line))
			return 0;
		error = send_message(target, delivery, &line, false);
		if (error < 0)
			*lines = before;
	}
	return error;
}

static int send_message(
    struct target *target, struct delivery *delivery, const struct line *line, bool is_note)
{
	struct message message = {
	    .origin = &delivery->origin,
	    .time = delivery->form->stamp.text,
	    .host = delivery->host,
	    .text = line->text,
	    .length = line->length,
	    .is_note = is_note,
	};

	jsonw_reset(delivery->out);
	if (target->sink->kind == SINK_JOURNAL)
		message_write_journal(delivery->out, &message);
	else
		message_write_syslog(delivery->out, &message);
	if (jsonw_error(delivery->out) < 0)
		return jsonw_error(delivery->out);
	return sinks_send(
	    delivery->sinks, target->sink, delivery->out->data, delivery->out->length);
}

static int send_notes(struct target *target, struct delivery *delivery)
{
	char text[NOTE_BYTES];
	struct line note = {.text = RESTARTED, .length = sizeof(RESTARTED) - 1};
	int error = 0;

	if (target->mark_due)
		error = send_message(target, delivery, &note, true);
	if (error == 0)
		target->mark_due = false;
	if (error < 0 || target->dropped == 0)
		return error;
	note.text = dropped_note(target, text);
	note.length = strlen(note.text);
	error = send_message(target, delivery, &note, true);
	if (error == 0)
		forget_dropped(target, delivery);
	return error;
}

/* ---- notes and drops ------------------------------------------------------------------------ */

/* Those that are due, each a line; returns how many.  A raw log gets no mark: it is the program's
 * bytes, and only what is missing is said. */
static unsigned write_notes(const struct target *target, struct delivery *delivery)
{
	char text[NOTE_BYTES];
	unsigned count = 0;

	if (target->mark_due && target->format != LOGSPEC_RAW) {
		form_write_note(delivery->form, delivery->out, RESTARTED);
		count++;
	}
	if (target->dropped > 0) {
		form_write_note(delivery->form, delivery->out, dropped_note(target, text));
		count++;
	}
	return count;
}

/* The first `count` of those that write_notes() wrote are told. */
static void clear_notes(struct target *target, const struct delivery *delivery, unsigned count)
{
	if (target->mark_due && target->format == LOGSPEC_RAW)
		target->mark_due = false;
	if (target->mark_due && count > 0) {
		target->mark_due = false;
		count--;
	}
	if (count > 0)
		forget_dropped(target, delivery);
}

/* The reader of the log has been told; now who follows events is. */
static void forget_dropped(struct target *target, const struct delivery *delivery)
{
	stream_tell_news(
	    delivery->world, LOG_NEWS_DROPPED, target->stream, (int64_t)target->dropped);
	target->dropped = 0;
}

static const char *dropped_note(const struct target *target, char note[NOTE_BYTES])
{
	(void)snprintf(note, NOTE_BYTES, "%" PRIu64 " line%s dropped", target->dropped,
	    target->dropped == 1 ? "" : "s");
	return note;
}

static bool must_drop(const struct target *target, const struct delivery *delivery, int error)
{
	if (delivery->spec->full == LOGSPEC_DROP)
		return true;
	/* A program's pipe is there again when the program is; any other receiver may never be. */
	return error == -ENOTCONN && target->sink->kind != SINK_PROGRAM;
}

/* What there is of whole lines and parts; a line counts when its end is dropped. */
static void drop(struct target *target, struct lines *lines)
{
	struct line line;

	while (lines_next(lines, &line)) {
		target->dropped += !line.is_continued;
		target->is_skipping = line.is_continued;
	}
}

static void skip(struct target *target, struct lines *lines)
{
	const char *newline = memchr(lines->at, '\n', (size_t)(lines->end - lines->at));

	target->is_skipping = newline == NULL;
	target->dropped += newline != NULL;
	lines->at = newline != NULL ? newline + 1 : lines->end;
}
