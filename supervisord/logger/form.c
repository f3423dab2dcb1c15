/* SPDX-License-Identifier: ISC */
/* form.c: see form.h. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "supervisord/logger/form.h"

/* A byte in JSON at its longest: \u0000 */
#define JSON_BYTE 6

static size_t write_head(char head[FORM_HEAD], enum logspec_format format,
    const struct origin *origin, const char *stream, const char *time);

void form_begin(struct form *form, enum logspec_format format, const struct origin *origin)
{
	const char *stream = origin->stream == 0 ? "out" : "err";
	const char *part = origin->stream == 0 ? "out+" : "err+";
	const char *time = stamp_get(&form->stamp, origin->wall_ns);

	form->format = format;
	form->head_length = write_head(form->head, format, origin, stream, time);
	form->part_length =
	    write_head(form->part, format, origin, format == LOGSPEC_STAMP ? part : stream, time);
	form->note_length = write_head(form->note, format, origin, "log", time);
}

void form_write(const struct form *form, struct jsonw *out, const struct line *line)
{
	switch (form->format) {
	case LOGSPEC_RAW:
		jsonw_raw(out, line->text, line->length);
		jsonw_raw(out, "\n", line->is_continued ? 0 : 1);
		return;
	case LOGSPEC_STAMP:
	case LOGSPEC_PREFIX:
		if (line->is_continued)
			jsonw_raw(out, form->part, form->part_length);
		else
			jsonw_raw(out, form->head, form->head_length);
		jsonw_raw(out, line->text, line->length);
		jsonw_raw(out, "\n", 1);
		return;
	case LOGSPEC_JSON:
		jsonw_raw(out, form->head, form->head_length);
		out->comma = false;
		jsonw_string_n(out, line->text, line->length);
		if (line->is_continued)
			jsonw_member_bool(out, "partial", true);
		jsonw_raw(out, "}\n", 2);
		return;
	}
}

void form_write_note(const struct form *form, struct jsonw *out, const char *sentence)
{
	switch (form->format) {
	case LOGSPEC_RAW:
		jsonw_raw(out, "[supervisord: ", sizeof("[supervisord: ") - 1);
		jsonw_raw(out, sentence, strlen(sentence));
		jsonw_raw(out, "]\n", 2);
		return;
	case LOGSPEC_STAMP:
	case LOGSPEC_PREFIX:
		jsonw_raw(out, form->note, form->note_length);
		jsonw_raw(out, sentence, strlen(sentence));
		jsonw_raw(out, "\n", 1);
		return;
	case LOGSPEC_JSON:
		jsonw_raw(out, form->note, form->note_length);
		out->comma = false;
		jsonw_string(out, sentence);
		jsonw_raw(out, "}\n", 2);
		return;
	}
}

size_t form_program_length(const char *name)
{
	return strcspn(name, "@:");
}

size_t form_bound(size_t length)
{
	return FORM_HEAD + length * JSON_BYTE + sizeof(",\"partial\":true}\n");
}

/* Names have no character that JSON would have to escape. */
static size_t write_head(char head[FORM_HEAD], enum logspec_format format,
    const struct origin *origin, const char *stream, const char *time)
{
	int length = 0;

	switch (format) {
	case LOGSPEC_RAW:
		break;
	case LOGSPEC_STAMP:
		length = snprintf(head, FORM_HEAD, "%s %s %" PRIu64 " %s ", time, origin->name,
		    origin->run, stream);
		break;
	case LOGSPEC_JSON:
		length = snprintf(head, FORM_HEAD,
		    "{\"time\":\"%s\",\"program\":\"%.*s\",\"name\":\"%s\",\"run\":%" PRIu64
		    ",\"stream\":\"%s\",\"text\":",
		    time, (int)form_program_length(origin->name), origin->name, origin->name,
		    origin->run, stream);
		break;
	case LOGSPEC_PREFIX:
		length = snprintf(head, FORM_HEAD, "%s | ", origin->name);
		break;
	}
	return length > 0 && length < FORM_HEAD ? (size_t)length : 0;
}
