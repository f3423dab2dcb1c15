/* SPDX-License-Identifier: ISC */
/* logshow.c: see logshow.h. */
#include <string.h>

#include "lib/limits.h"
#include "ctl/logshow.h"

/* Red and dim have a meaning elsewhere. */
static const enum out_style colours[] = {OUT_CYAN, OUT_YELLOW, OUT_GREEN, OUT_MAGENTA, OUT_BLUE};

static void show_json(
    struct logshow *show, const struct logshow_origin *origin, const struct logline *line);
static void show_named(
    struct logshow *show, const struct logshow_origin *origin, const struct logline *line);

void logshow_init(struct logshow *show, struct out *out, bool json)
{
	*show = (struct logshow){.out = out, .json = json};
	jsonw_init(&show->w, LIMIT_CONTROL_QUEUE);
}

void logshow_done(struct logshow *show)
{
	jsonw_done(&show->w);
}

void logshow_add_name(struct logshow *show, const char *name)
{
	size_t width = out_measure(name);

	if (width > show->name_width)
		show->name_width = width;
}

void logshow_line(
    struct logshow *show, const struct logshow_origin *origin, const struct logline *line)
{
	if (show->json) {
		show_json(show, origin, line);
	} else if (show->name_width > 0) {
		show_named(show, origin, line);
	} else {
		out_bytes(show->out, line->whole, line->whole_length);
		out_string(show->out, "\n");
	}
}

/* The members and their order are those of log_format = "json". */
static void show_json(
    struct logshow *show, const struct logshow_origin *origin, const struct logline *line)
{
	struct jsonw *w = &show->w;
	const char *stream = line->is_note ? "log" : line->stream;

	jsonw_reset(w);
	jsonw_begin_object(w);
	jsonw_key(w, "time");
	if (line->time != NULL)
		jsonw_string_n(w, line->time, line->time_length);
	else
		jsonw_null(w);
	jsonw_member_string(w, "program", origin->program);
	jsonw_key(w, "name");
	if (line->name != NULL)
		jsonw_string_n(w, line->name, line->name_length);
	else
		jsonw_string(w, origin->name);
	if (line->run >= 0)
		jsonw_member_int(w, "run", line->run);
	else
		jsonw_member_null(w, "run");
	jsonw_member_string(w, "stream", stream != NULL ? stream : origin->stream);
	jsonw_key(w, "text");
	jsonw_string_n(w, line->text, line->text_length);
	if (line->partial)
		jsonw_member_bool(w, "partial", true);
	jsonw_end_object(w);
	jsonw_raw(w, "\n", 1);
	if (jsonw_error(w) == 0)
		out_bytes(show->out, w->data, w->length);
	else if (show->out->error == 0)
		show->out->error = jsonw_error(w);
}

static void show_named(
    struct logshow *show, const struct logshow_origin *origin, const struct logline *line)
{
	struct out *out = show->out;

	out_style(out, colours[origin->number % (sizeof(colours) / sizeof(colours[0]))]);
	out_text(out, origin->name, 0);
	out_pad(out, show->name_width - out_measure(origin->name));
	out_string(out, " | ");
	out_style(out, OUT_PLAIN);
	if (line->time != NULL) {
		out_style(out, OUT_DIM);
		out_bytes(out, line->time, line->time_length);
		out_string(out, " ");
		out_style(out, OUT_PLAIN);
	}
	out_bytes(out, line->text, line->text_length);
	/* A colour that the program left on is not for the next line. */
	if (memchr(line->text, '\033', line->text_length) != NULL)
		out_style(out, OUT_PLAIN);
	out_string(out, "\n");
}
